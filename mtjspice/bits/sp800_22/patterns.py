"""Serial test and approximate entropy: how often every word occurs (sections 2.11 and 2.12)."""

import math

import numpy as np
from scipy.special import gammaincc

from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings


def serial(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.11: do all words of m bits occur equally often; the first and the second difference of psi^2."""
    width = settings.serial_block
    counts = kernels.circular_counts(bits, width)
    psi = []
    for m in (width, width - 1, width - 2):
        # bits that are no words at all have psi^2 = 0, as one word of no bits has
        psi.append(float(counts @ counts) * 2.0**m / bits.size - bits.size)
        counts = counts.reshape(-1, 2).sum(axis=1) if m else counts
    first, second = psi[0] - psi[1], psi[0] - 2 * psi[1] + psi[2]
    p_values = (_tail(2.0 ** (width - 2), first), _tail(2.0 ** (width - 3), second))
    parameters = {"block": width, "first_difference": first, "second_difference": second}
    return Finding(p_values, ("first difference", "second difference"), parameters)


def _tail(half_degrees: float, chi_square: float) -> float:
    """A difference may fall below 0 by rounding."""
    return float(gammaincc(half_degrees, max(0.0, chi_square) / 2))


def approximate_entropy(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.12: is the entropy of one more bit, given the m bits before, that of a fair coin."""
    width = settings.approximate_entropy_block
    counts = kernels.circular_counts(bits, width + 1)
    longer, shorter = (_information(each, bits.size) for each in (counts, counts.reshape(-1, 2).sum(axis=1)))
    entropy = shorter - longer
    chi_square = 2 * bits.size * (math.log(2) - entropy)
    p = _tail(2.0 ** (width - 1), chi_square)
    return Finding((p,), ("",), {"block": width, "entropy": entropy, "chi_square": chi_square})


def _information(counts: kernels.Counts, n: int) -> float:
    fractions = counts[counts > 0] / n
    return float(fractions @ np.log(fractions))
