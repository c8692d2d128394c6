"""All seeds tried: a source that starts anew before each image from k random bits gives no more than 2^k images.

On average 2^k / 2 seeds are tried until the right one is met; all are tried here, so that the best is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.attack.decoding import ACCEPTED, log_chance
from mtjspice.generative.attack.equations import Register, SoftBits

Bits = NDArray[np.uint8]
MOST_SEED_BITS = 24


@dataclass(frozen=True)
class FoundSeed:
    """The seed whose bits fit best: ``right`` of ``bits``; ``expected`` is the mean number of seeds until it is met.

    ``false_positive`` bounds the chance that any seed fits fair bits so well.
    """

    seed: int
    right: int
    bits: int
    tried: int
    expected: float
    false_positive: float

    @property
    def found(self) -> bool:
        """Whether the seed is more than the best of chance."""
        return self.false_positive <= ACCEPTED


def search_register(register: Register, seed_bits: int, soft: SoftBits) -> FoundSeed:
    """Try all seeds s of ``seed_bits`` bits (1 to 24), s loading the state 1 + s mod (2^n - 1).

    Positions of ``soft`` count from the start of the image.
    """
    _checked(seed_bits)
    weights = soft.weights()
    order = np.argsort(-weights, kind="stable")
    rows = register.equations(soft.positions)[order]
    seed = int(_best_state(rows, soft.values[order], weights[order], register.length, 1 << seed_bits))
    state = 1 + seed % (2**register.length - 1)
    right = (np.bitwise_count(rows & np.uint64(state)) & 1) == soft.values[order]
    return _judged(seed, right, weights[order], seed_bits)


def search_seeds(
    make: Callable[[int, int], Bits], seed_bits: int, soft: SoftBits, progress: Callable[[float], None] | None = None
) -> FoundSeed:
    """Try all seeds of ``seed_bits`` bits (1 to 24); ``make`` gives the first bits of a seed, and takes their number.

    Costs the making of 2^seed_bits streams: some 30 us each for generators of NumPy.
    """
    _checked(seed_bits)
    count = int(soft.positions.max()) + 1
    weights = soft.weights()
    best, best_score = 0, float("-inf")
    total = 1 << seed_bits
    signs = np.where(soft.values, weights, -weights)
    for seed in range(total):
        score = float(signs @ (2.0 * make(seed, count)[soft.positions] - 1))
        if score > best_score:
            best, best_score = seed, score
        if progress is not None and seed % 256 == 255:
            progress((seed + 1) / total)
    return _judged(best, make(best, count)[soft.positions] == soft.values, weights, seed_bits)


def _judged(seed: int, right: NDArray[np.bool_], weights: NDArray[np.float64], seed_bits: int) -> FoundSeed:
    score = float(weights[right].sum() - weights[~right].sum())
    bound = log_chance(weights, score) + seed_bits * log(2)
    return FoundSeed(
        seed, int(right.sum()), right.size, 1 << seed_bits, 2.0 ** (seed_bits - 1), float(min(1.0, np.exp(bound)))
    )


def _checked(seed_bits: int) -> None:
    if not 1 <= seed_bits <= MOST_SEED_BITS:
        raise InputError(f"all seeds of 1 to {MOST_SEED_BITS} bits can be tried, not of {seed_bits}")


@njit(cache=True, error_model="numpy", nogil=True)
def _best_state(rows, values, weights, length, seeds):  # type: ignore[no-untyped-def]
    """The seed with the smallest weight of wrong bits; a seed is given up once it is no better than the best."""
    period = (np.uint64(1) << np.uint64(length)) - np.uint64(1) if length < 64 else ~np.uint64(0)
    best, least = 0, np.inf
    for seed in range(seeds):
        state = np.uint64(1) + np.uint64(seed) % period
        loss = 0.0
        for k in range(len(rows)):
            word = rows[k] & state
            for step in (32, 16, 8, 4, 2, 1):
                word ^= word >> np.uint64(step)
            if (word & np.uint64(1)) != np.uint64(values[k]):
                loss += weights[k]
                if loss >= least:
                    break
        if loss < least:
            best, least = seed, loss
    return best
