"""How many numbers a Kolmogorov-Smirnov test needs to see that a discrete law is not N(0, 1)."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogi, ndtr

if TYPE_CHECKING:
    from mtjspice.generative.law import Law

Floats = NDArray[np.float64]
LEVEL = 0.05


def largest_gap(law: "Law") -> float:
    """Largest difference of the distribution functions, the steps of the law included (a test meets them)."""
    below = np.concatenate([[0.0], np.cumsum(law.probabilities)])
    normal = ndtr(law.values)
    return float(max(np.abs(below[1:] - normal).max(), np.abs(below[:-1] - normal).max()))


def numbers_needed(gap: float, level: float = LEVEL) -> float:
    """Sample size at which the mean deviation alone reaches the critical value: (K / D)^2, K from Kolmogorov's law."""
    return float((kolmogi(level) / gap) ** 2)


def rejected(law: "Law", numbers: int, samples: int, rng: np.random.Generator, level: float = LEVEL) -> int:
    """How many of ``samples`` samples of ``numbers`` numbers the test rejects, with the asymptotic critical value."""
    counts = rng.multinomial(numbers, law.probabilities, samples)
    below = np.concatenate([np.zeros((samples, 1)), np.cumsum(counts, axis=1) / numbers], axis=1)
    normal = ndtr(law.values)
    gaps = np.maximum(np.abs(below[:, 1:] - normal), np.abs(below[:, :-1] - normal)).max(axis=1)
    return int(np.count_nonzero(gaps * np.sqrt(numbers) > kolmogi(level)))
