"""Intervals of counted proportions, used wherever a probability is reported."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtri


@dataclass(frozen=True)
class Proportion:
    """A counted proportion with its Wilson score interval."""

    count: int
    trials: int
    low: float
    high: float
    confidence: float

    @property
    def value(self) -> float:
        """The point estimate; NaN without trials."""
        return self.count / self.trials if self.trials else float("nan")


def wilson(count: int, trials: int, confidence: float = 0.95) -> Proportion:
    """Wilson score interval of ``count`` successes in ``trials`` (Wilson 1927; Brown, Cai, DasGupta 2001).

    Without trials nothing is known and the interval is [0, 1].
    """
    if not 0 <= count <= trials:
        raise ValueError(f"count {count} must lie between 0 and trials {trials}")
    if trials == 0:
        return Proportion(0, 0, 0.0, 1.0, confidence)
    z = float(ndtri(0.5 + confidence / 2))
    p = count / trials
    centre = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * sqrt(p * (1 - p) / trials + (z / (2 * trials)) ** 2)
    # at the ends the exact limits are 0 and 1; rounding must not move them inside
    low = 0.0 if count == 0 else max(0.0, centre - half)
    high = 1.0 if count == trials else min(1.0, centre + half)
    return Proportion(count, trials, low, high, confidence)
