"""Frequency, block frequency, runs and longest run of ones (sections 2.1 to 2.4)."""

import math

import numpy as np
from scipy.special import gammaincc

from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.probabilities import STS_LONGEST_RUN, longest_run_classes
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings

Bits = kernels.Bits


def frequency(bits: Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.1: are there as many ones as zeros."""
    ones = int(np.count_nonzero(bits))
    return Finding((frequency_p_value(ones, bits.size),), ("",), {"ones": ones})


def frequency_p_value(ones: int, n: int) -> float:
    """p = erfc(|#ones - #zeros| / sqrt(2 n)), section 2.1.4."""
    return math.erfc(abs(2 * ones - n) / math.sqrt(2 * n))


def block_frequency(bits: Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.2: are half of the bits of each block ones."""
    block = settings.block_frequency_block
    blocks = bits.size // block
    ones = kernels.block_ones(bits, block, blocks)
    chi_square = float(((2 * ones - block) ** 2).sum()) / block
    p = float(gammaincc(blocks / 2, chi_square / 2))
    return Finding((p,), ("",), {"block": block, "blocks": blocks, "chi_square": chi_square})


def runs(bits: Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.3: does the number of runs agree with the fraction of ones.

    Not applicable, with the p-value 0 as in 2.3.4, where the fraction pi itself is too far from 1/2: by
    2 / sqrt(n) or, in STS, by more. Bits that are all equal get 0 as well; STS divides by zero there for
    n <= 16 and finds erfc(inf) = 0.
    """
    n = bits.size
    ones = int(np.count_nonzero(bits))
    pi = ones / n
    number = int(np.count_nonzero(bits[1:] != bits[:-1])) + 1
    parameters = {"ones": ones, "runs": number}
    distance, limit = abs(pi - 0.5), 2 / math.sqrt(n)
    # (2 ones - n)^2 >= 16 n is the condition without rounding
    if distance > limit if constants == "sts-2.1.2" else (2 * ones - n) ** 2 >= 16 * n:
        reason = f"|pi - 1/2| = {distance:.3g} is not below 2/sqrt(n) = {limit:.3g}: the frequency test fails"
        return Finding((0.0,), ("",), parameters, applicable=False, note=reason)
    if ones in (0, n):
        return Finding((0.0,), ("",), parameters, applicable=False, note="all bits are equal")
    return Finding((runs_p_value(number, ones, n),), ("",), parameters)


def runs_p_value(number: int, ones: int, n: int) -> float:
    """p = erfc(|V - 2 n pi (1 - pi)| / (2 sqrt(2 n) pi (1 - pi))) for V = ``number`` of runs, section 2.3.4."""
    spread = ones / n * (1 - ones / n)
    return math.erfc(abs(number - 2 * n * spread) / (2 * spread * math.sqrt(2 * n)))


# block: shortest sequence, lowest and highest class (2.4.2); STS takes all blocks there are, not the text's N
_LONGEST_RUN = ((10_000, 750_000, 10, 16), (128, 6272, 4, 9), (8, 128, 1, 4))


def longest_run(bits: Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.4: are the longest runs of ones of the blocks as long as they should be."""
    block, _, low, high = next(row for row in _LONGEST_RUN if bits.size >= row[1])
    blocks = bits.size // block
    classes = np.clip(kernels.longest_runs(bits, block, blocks), low, high) - low
    observed = np.bincount(classes, minlength=high - low + 1)
    exact = constants == "exact"
    probabilities = longest_run_classes(block, low, high) if exact else np.array(STS_LONGEST_RUN[block])
    chi_square, p = pearson(observed, probabilities)
    return Finding((p,), ("",), {"block": block, "blocks": blocks, "chi_square": chi_square})


def pearson(observed: kernels.Counts, probabilities: kernels.Floats) -> tuple[float, float]:
    """Pearson's chi-square of counts in classes, and its p-value with one degree of freedom less than classes."""
    expected = observed.sum() * probabilities
    chi_square = float(((observed - expected) ** 2 / expected).sum())
    return chi_square, float(gammaincc((len(observed) - 1) / 2, chi_square / 2))
