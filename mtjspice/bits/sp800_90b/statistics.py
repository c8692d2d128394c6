"""Estimators from counts: most common value, collision, Markov (SP 800-90B, 6.3.1 to 6.3.3)."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.sp800_90b.estimate import Estimate, Z, entropy_of, upper_bound

Bits = NDArray[np.uint8]

_PATH = 128  # bits of a path through the Markov chain


def most_common_value(bits: Bits) -> Estimate:
    """Most common value estimate (6.3.1): upper bound on the proportion of the commoner bit; needs 2 bits."""
    name = "most-common-value"
    n = bits.size
    if n < 2:
        return Estimate(name, None, {}, f"needs at least 2 bits, got {n}")
    ones = int(np.count_nonzero(bits))
    mode = max(ones, n - ones)
    bound = upper_bound(mode / n, n)
    return Estimate(name, entropy_of(bound), {"mode": mode, "p_hat": mode / n, "p_upper": bound})


def collision(bits: Bits) -> Estimate:
    """Collision estimate (6.3.2): mean number of bits until a value recurs; needs two collisions."""
    name = "collision"
    collisions, total, squares = (int(value) for value in _collisions(bits)) if bits.size else (0, 0, 0)
    if collisions < 2:
        return Estimate(name, None, {"collisions": collisions}, f"needs 2 collisions, found {collisions}")
    mean = total / collisions
    sigma = math.sqrt(max(0.0, squares - total * mean) / (collisions - 1))
    lower = max(2.0, mean - Z * sigma / math.sqrt(collisions))
    # the mean of 2 p (1 - p) * 3 + (1 - 2 p (1 - p)) * 2 is 2.5 at most, at p = 1/2
    p = 0.5 + math.sqrt(1.25 - 0.5 * lower) if lower < 2.5 else 0.5
    parameters = {"collisions": collisions, "mean": mean, "sigma": sigma, "mean_lower": lower, "p": p}
    return Estimate(name, entropy_of(p), parameters, "" if lower < 2.5 else "the mean exceeds that of ideal bits")


@njit(cache=True, error_model="numpy", nogil=True)
def _collisions(bits: Bits) -> tuple[int, int, int]:
    """Number, sum and sum of squares of the collision times (2 for equal neighbours, else 3)."""
    n = len(bits)
    i = 0
    number = 0
    squares = 0
    while i < n - 1:
        time = 2
        if bits[i] != bits[i + 1]:
            if i >= n - 2:
                break
            time = 3
        number += 1
        squares += time * time
        i += time
    return number, i, squares


def markov(bits: Bits) -> Estimate:
    """Markov estimate (6.3.3): the likeliest path of 128 bits through the first-order chain; needs 2 bits."""
    name = "markov"
    n = bits.size
    if n < 2:
        return Estimate(name, None, {}, f"needs at least 2 bits, got {n}")
    ones = int(np.count_nonzero(bits))
    from_one = ones - int(bits[-1])
    from_zero = n - 1 - from_one
    one_one = int(np.count_nonzero(bits[:-1] & bits[1:]))
    zero_one = ones - int(bits[0]) - one_one
    p_00, p_01 = ((from_zero - zero_one) / from_zero, zero_one / from_zero) if from_zero else (0.0, 0.0)
    p_10, p_11 = ((from_one - one_one) / from_one, one_one / from_one) if from_one else (0.0, 0.0)
    p_1 = ones / n
    first_0, first_1, to_00, to_01, to_10, to_11 = (_log2(p) for p in (1 - p_1, p_1, p_00, p_01, p_10, p_11))
    half = _PATH // 2
    likeliest = max(
        first_0 + (_PATH - 1) * to_00,
        first_0 + half * to_01 + (half - 1) * to_10,
        first_0 + to_01 + (_PATH - 2) * to_11,
        first_1 + to_10 + (_PATH - 2) * to_00,
        first_1 + half * to_10 + (half - 1) * to_01,
        first_1 + (_PATH - 1) * to_11,
    )
    parameters = {"p_1": p_1, "p_01": p_01, "p_10": p_10, "log2_p_max": likeliest}
    return Estimate(name, min(max(0.0, -likeliest / _PATH), 1.0), parameters)


def _log2(probability: float) -> float:
    return math.log2(probability) if probability > 0 else -math.inf
