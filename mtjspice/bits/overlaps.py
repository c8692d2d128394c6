"""How many ones streams have in common, and how likely that is by chance."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import erfc, gammaln

_SUPPORT = 1 << 20  # terms of an exact hypergeometric tail


@njit(cache=True, error_model="numpy", nogil=True)
def _popcount(word: np.uint64) -> np.uint64:
    word -= (word >> np.uint64(1)) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(cache=True, error_model="numpy", nogil=True)
def both_ones(a, b, first, second):  # type: ignore[no-untyped-def]
    """Number of places where rows ``first`` of ``a`` and ``second`` of ``b`` are both one."""
    result = np.zeros(len(first), np.int64)
    for k in range(len(first)):
        total = np.uint64(0)
        for w in range(b.shape[1]):
            total += _popcount(a[first[k], w] & b[second[k], w])
        result[k] = total
    return result


def shifted(words: NDArray[np.uint64], lag: int) -> NDArray[np.uint64]:
    """Every row from bit ``lag`` on."""
    whole, shift = divmod(lag, 64)
    if not shift:
        return words[:, whole:].copy()
    result = words[:, whole:] << np.uint64(shift)
    result[:, :-1] |= words[:, whole + 1 :] >> np.uint64(64 - shift)
    return result


def head(words: NDArray[np.uint64], length: int) -> NDArray[np.uint64]:
    """Every row without what follows its first ``length`` bits."""
    result = words[:, : -(-length // 64)].copy()
    if length % 64:
        result[:, -1] &= np.uint64(2**64 - (1 << (64 - length % 64)))
    return result


def deviation(n: int, a: NDArray[np.int64], b: NDArray[np.int64], both: NDArray[np.int64]) -> NDArray[np.float64]:
    """Z of the Hamming distances; NaN where a stream is constant."""
    p, q = a / n, b / n
    with np.errstate(invalid="ignore", divide="ignore"):
        excess = (a + b - 2 * both) / n - (p * (1 - q) + q * (1 - p))
        z = excess / np.sqrt(4 * p * (1 - p) * q * (1 - q) / (n - 1))
    return np.asarray(np.where((p * (1 - p) * q * (1 - q) > 0), z, np.nan))


def overlap_p_value(n: int, a: int, b: int, both: int) -> float:
    """Two-sided p-value of ``both`` common ones of two independent streams of n bits with ``a`` and ``b`` ones.

    Twice the smaller tail of the hypergeometric distribution; its normal limit for more than a million terms.
    """
    low, high = max(0, a + b - n), min(a, b)
    if high - low > _SUPPORT:
        deviation = (both - a * b / n) / math.sqrt(a * b / n * (n - a) / n * (n - b) / (n - 1))
        return float(erfc(abs(deviation) / math.sqrt(2)))
    k = np.arange(low, high + 1, dtype=np.float64)
    logarithm = -(gammaln(k + 1) + gammaln(a - k + 1) + gammaln(b - k + 1) + gammaln(n - a - b + k + 1))
    weights = np.exp(logarithm - logarithm.max())
    place = both - low
    tail = min(weights[: place + 1].sum(), weights[place:].sum()) / weights.sum()
    return float(min(1.0, 2 * tail))


def sidak(p_value: float, tests: int) -> float:
    """The smallest of ``tests`` p-values as one: 1 - (1 - p)^tests (Z. Sidak 1967)."""
    return -math.expm1(tests * math.log1p(-p_value)) if p_value < 1 else 1.0
