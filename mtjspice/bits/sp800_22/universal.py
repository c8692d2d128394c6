"""Maurer's universal statistical test (section 2.9)."""

import math

from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.probabilities import STS_UNIVERSAL, universal_moments
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings

_SHORTEST = (
    387_840, 904_960, 2_068_480, 4_654_080, 10_342_400, 22_753_280, 49_643_520, 107_560_960, 231_669_760,
    496_435_200, 1_059_061_760,
)  # fmt: skip


def universal(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.9: are equal blocks as far apart as they should be.

    The text and STS take the standard deviation from Maurer's fit c = 0.7 - 0.8/L + (4 + 32/L) K^(-3/L) / 15,
    which for L = 7 is 2.3 % too small: 1.2 % of good sequences fail at the significance 0.01. The exact constants
    are those of `universal_moments`.
    """
    width = 5 + sum(bits.size >= shortest for shortest in _SHORTEST)
    first = 10 << width
    tested = bits.size // width - first
    average = kernels.distance_logarithms(bits, width, first, tested) / tested
    if constants == "exact":
        mean, variance, correction = universal_moments(width)
        deviation = math.sqrt((variance - correction / tested) / tested)
    else:
        mean, variance = STS_UNIVERSAL[width]
        factor = 0.7 - 0.8 / width + (4 + 32 / width) * tested ** (-3 / width) / 15
        deviation = factor * math.sqrt(variance / tested)
    p = math.erfc(abs(average - mean) / (math.sqrt(2) * deviation))
    parameters = {"block": width, "blocks": tested, "statistic": average, "expected": mean, "deviation": deviation}
    return Finding((p,), ("",), parameters)
