"""Cutoffs of tests that count equal samples: the health tests of 4.4 and the sanity check of restarts (3.1.4.3)."""

import math

import numpy as np
from scipy.special import bdtrc

from mtjspice.errors import InputError

BINARY_WINDOW = 1024
"""Window of the adaptive proportion test for binary sources (4.4.2)."""

FALSE_ALARM = 2.0**-20
"""Probability of a false alarm of one test: the upper end of the 2^-40 to 2^-20 of section 4."""


def repetition_count_cutoff(min_entropy: float, false_alarm: float = FALSE_ALARM) -> int:
    """Run length C = 1 + ceil(-log2(false_alarm) / min_entropy) at which the repetition count test fails (4.4.1).

    ``min_entropy`` in bit per bit. InputError unless it lies in (0, 1] and ``false_alarm`` in (0, 1).
    """
    check_source(min_entropy, false_alarm)
    return 1 + math.ceil(-math.log2(false_alarm) / min_entropy)


def adaptive_proportion_cutoff(
    min_entropy: float, false_alarm: float = FALSE_ALARM, window: int = BINARY_WINDOW
) -> int:
    """Count C at which a window's first value recurs too often (4.4.2): 1 + critbinom(W, 2^-H, 1 - false_alarm).

    ``window`` is 1024 for binary sources in the standard. A cutoff of window + 1 cannot be reached: so low an
    entropy is not monitored by so short a window. InputError unless 0 < ``min_entropy`` <= 1,
    0 < ``false_alarm`` < 1 and ``window`` >= 2.
    """
    check_source(min_entropy, false_alarm)
    if window < 2:
        raise InputError(f"the window of the adaptive proportion test must have at least 2 bits, not {window}")
    return 1 + _binomial_quantile(window, 2.0**-min_entropy, false_alarm)


def restart_cutoff(min_entropy: float, trials: int, lines: int, significance: float = 0.01) -> int:
    """Largest count of the commoner bit among ``trials`` that the sanity check of restarts accepts (3.1.4.3).

    ``lines`` rows and columns are checked together at ``significance``, each at 1 - (1 - significance)^(1/lines).
    The count is max(B, trials - B) with B binomial of probability 2^-min_entropy; NIST's program simulates the
    same distribution.
    """
    check_source(min_entropy, significance)
    tail = -math.expm1(math.log1p(-significance) / lines)
    p = 2.0**-min_entropy
    counts = np.arange((trials + 1) // 2, trials + 1)
    # P(max > c) = P(B > c) + P(trials - B > c), the events being disjoint for c >= trials / 2
    above = bdtrc(counts, trials, p) + bdtrc(counts, trials, 1 - p)
    return int(counts[np.argmax(above <= tail)])


def _binomial_quantile(trials: int, p: float, tail: float) -> int:
    """Smallest k with P(B > k) <= ``tail``."""
    return int(np.argmax(bdtrc(np.arange(trials + 1), trials, p) <= tail))


def check_source(min_entropy: float, false_alarm: float) -> None:
    """InputError unless ``min_entropy`` lies in (0, 1] and ``false_alarm`` in (0, 1)."""
    if not 0 < min_entropy <= 1:
        raise InputError(f"the min-entropy of a bit must lie in (0, 1], not {min_entropy}")
    if not 0 < false_alarm < 1:
        raise InputError(f"the probability of a false alarm must lie between 0 and 1, not {false_alarm}")
