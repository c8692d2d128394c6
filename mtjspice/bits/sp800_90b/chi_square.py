"""The further tests of the IID track for bits (SP 800-90B, 5.2.3 to 5.2.5)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from mtjspice.bits.sp800_90b.suffixes import repeats

SIGNIFICANCE = 0.001
"""A p-value below this rejects (5.2)."""

_MOST_BITS = 11
_LEAST_EXPECTED = 5
_PARTS = 10


@dataclass(frozen=True)
class FurtherTest:
    """A test of section 5.2: its statistic, degrees of freedom (None: not a chi-square test) and p-value.

    ``p_value`` is None where the standard has the test fail, or be passed over, without one; ``note`` says why.
    """

    name: str
    statistic: float
    degrees: int | None
    p_value: float | None
    passed: bool
    note: str = ""


def independence(bits: NDArray[np.uint8]) -> FurtherTest:
    """Chi-square test of independence (5.2.3): counts of blocks of m bits against those of independent bits.

    m is the largest (at most 11) for which the rarest block is expected five times. The test fails if m is 1
    (the standard's words; NIST's program lets it pass).
    """
    name = "chi-square independence"
    n = bits.size
    p = int(np.count_nonzero(bits)) / n
    rarer = min(p, 1 - p)
    m = next((m for m in range(_MOST_BITS, 1, -1) if rarer**m * (n // m) >= _LEAST_EXPECTED), 1)
    if m == 1:
        return FurtherTest(name, math.nan, None, None, False, "too few of one bit value for blocks of two bits")
    blocks = n // m
    values = bits[: blocks * m].reshape(blocks, m) @ (1 << np.arange(m - 1, -1, -1))
    counts = np.bincount(values, minlength=1 << m)
    ones = np.bitwise_count(np.arange(1 << m))
    expected = p**ones * (1 - p) ** (m - ones) * blocks
    return _chi_square(name, float(((counts - expected) ** 2 / expected).sum()), (1 << m) - 2, f"blocks of {m} bits")


def goodness_of_fit(bits: NDArray[np.uint8]) -> FurtherTest:
    """Chi-square test of goodness of fit (5.2.4): the ones of ten parts against those of the whole."""
    name = "chi-square goodness of fit"
    size = bits.size // _PARTS
    p = int(np.count_nonzero(bits)) / bits.size
    if not 0 < p < 1:
        return FurtherTest(name, 0.0, None, None, True, "all bits are equal, in every part")
    ones = bits[: _PARTS * size].reshape(_PARTS, size).sum(axis=1, dtype=np.int64)
    deviation = (ones - p * size) ** 2
    statistic = float((deviation / ((1 - p) * size) + deviation / (p * size)).sum())
    return _chi_square(name, statistic, _PARTS - 1)


def longest_repeat(bits: NDArray[np.uint8]) -> FurtherTest:
    """Length of the longest repeated substring (5.2.5), the statistic; its p-value is Pr(X >= 1) of the standard."""
    name = "length of the longest repeated substring"
    n = bits.size
    length = repeats(bits).longest
    p = int(np.count_nonzero(bits)) / n
    if not 0 < p < 1:
        return FurtherTest(name, length, None, 1.0, True, "all bits are equal: a repeat of any length is certain")
    log_repeat = length * math.log(p * p + (1 - p) * (1 - p))
    pairs = (n - length + 1) * (n - length) // 2
    p_value = -math.expm1(pairs * math.log1p(-math.exp(log_repeat)))
    return FurtherTest(name, length, None, p_value, p_value >= SIGNIFICANCE)


def _chi_square(name: str, statistic: float, degrees: int, note: str = "") -> FurtherTest:
    p_value = float(chdtrc(degrees, statistic))
    return FurtherTest(name, statistic, degrees, p_value, p_value >= SIGNIFICANCE, note)
