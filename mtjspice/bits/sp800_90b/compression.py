"""Compression estimate (SP 800-90B, 6.3.4): Maurer's universal statistic of blocks of six bits."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.sp800_90b.estimate import Estimate, Z, entropy_of

_BLOCK = 6
_DICTIONARY = 1000  # blocks that only fill the dictionary
_SIGMA = 0.5907  # correction of the standard deviation for dependent distances, for blocks of six bits
_BISECTIONS = 64
_FEWEST = _BLOCK * (_DICTIONARY + 1)


def compression(bits: NDArray[np.uint8]) -> Estimate:
    """Compression estimate; needs 1001 blocks (6006 bits), one of which is tested.

    A single block has no standard deviation; like NIST's program this takes it as infinite, and awards nothing.
    """
    name = "compression"
    if bits.size < _FEWEST:
        return Estimate(name, None, {}, f"needs at least {_FEWEST} bits, got {bits.size}")
    blocks = bits.size // _BLOCK
    logarithms = np.zeros(blocks + 1)
    logarithms[1:] = np.log2(np.arange(1, blocks + 1))
    tested = blocks - _DICTIONARY
    total, squares = _distances(bits, logarithms)
    mean = total / tested
    sigma = _SIGMA * math.sqrt(max(0.0, squares / (tested - 1) - mean * mean)) if tested > 1 else math.inf
    lower = mean - Z * sigma / math.sqrt(tested)
    p = float(_solve(lower, logarithms))
    found = {"blocks": tested, "mean": mean, "sigma": sigma, "mean_lower": lower, "p": p}
    if p == 0:
        found["p"] = 0.5**_BLOCK
        return Estimate(name, 1.0, found, "the mean exceeds that of ideal bits")
    return Estimate(name, entropy_of(p) / _BLOCK, found)


@njit(cache=True, error_model="numpy", nogil=True)
def _distances(bits: NDArray[np.uint8], logarithms: NDArray[np.float64]) -> tuple[float, float]:
    """Sum, and sum of squares, of log2 of the distance of each tested block from its last equal."""
    last = np.zeros(1 << _BLOCK, np.int64)
    total = 0.0
    squares = 0.0
    for block in range(1, len(logarithms)):
        value = 0
        for k in range((block - 1) * _BLOCK, block * _BLOCK):
            value = (value << 1) | bits[k]
        if block > _DICTIONARY:
            term = logarithms[block - last[value]]
            total += term
            squares += term * term
        last[value] = block
    return total, squares


@njit(cache=True, error_model="numpy", nogil=True)
def _expectation(z: float, logarithms: NDArray[np.float64]) -> float:
    """G(z) of step 7: the share of one block value of probability z in the expected mean, the sums interchanged.

    Distance u < t of a block t has the probability z^2 (1 - z)^(u - 1), and a block t that is the first of its
    value z (1 - z)^(t - 1).
    """
    blocks = len(logarithms) - 1
    tested = blocks - _DICTIONARY
    total = 0.0
    survival = 1.0 - z  # (1 - z)^(u - 1)
    for u in range(2, blocks + 1):
        weight = survival * logarithms[u]
        total += z * weight * min(blocks - u, tested)
        if u > _DICTIONARY:
            total += weight
        survival *= 1 - z
        if survival < 1e-40:
            break
    return z * total / tested


@njit(cache=True, error_model="numpy", nogil=True)
def _solve(lower: float, logarithms: NDArray[np.float64]) -> float:
    """Probability p of the likeliest block, the others alike, whose expected mean is ``lower``; 0 if p < 1/64."""
    others = (1 << _BLOCK) - 1
    low = 1 / (others + 1)
    high = 1.0
    if (others + 1) * _expectation(low, logarithms) <= lower:
        return 0.0
    for _ in range(_BISECTIONS):
        p = (low + high) / 2
        if _expectation(p, logarithms) + others * _expectation((1 - p) / others, logarithms) > lower:
            low = p
        else:
            high = p
    return (low + high) / 2
