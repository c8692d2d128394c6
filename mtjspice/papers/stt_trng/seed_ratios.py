"""Ratio of two rates that were counted with several seeds each: seeds are the independent units, not images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Value

Floats = NDArray[np.float64]
_POWER = 0.8


@dataclass(frozen=True)
class Ratio:
    """``value`` with limits of ``confidence``; ``error`` is that of its logarithm, ``pairs`` and ``others`` counted."""

    value: float
    low: float
    high: float
    error: float
    pairs: float
    others: float
    seeds: tuple[int, int]
    confidence: float = 0.95

    @property
    def resolved(self) -> float:
        """The factor that is told from 1 in four of five such comparisons: exp((z of 97.5 % + z of 80 %) error)."""
        from scipy.special import ndtri

        return float(np.exp((ndtri(0.5 + self.confidence / 2) + ndtri(_POWER)) * self.error))

    @property
    def contains_one(self) -> bool:
        """Whether equal rates lie within the limits."""
        return self.low <= 1 <= self.high

    def shown(self) -> Value:
        """As a finding shows it."""
        kind = f"{self.confidence:.4g}".removeprefix("0.")
        percent = f"{float(self.confidence) * 100:.3g} %" if kind else ""
        return Value(
            value=self.value,
            low=self.low,
            high=self.high,
            kind=f"{percent}, Student's t over {_text(self.seeds)} seeds",
        )


def _text(seeds: tuple[int, int]) -> str:
    return f"{seeds[0]}" if seeds[0] == seeds[1] else f"{seeds[0]} and {seeds[1]}"


def seed_ratio(mine: Floats, other: Floats, possible: float, added: float = 0.0, confidence: float = 0.95) -> Ratio:
    """Mean of ``mine`` over that of ``other``, numbers of near pairs by seed, of ``possible`` pairs a seed.

    Welch's t on logarithms. The variance over seeds is taken to be that of independent pairs at least, p (1 - p) / n,
    as few seeds can agree by chance. ``added`` pairs are put to either side; half a pair stands in where one has none.
    """
    from scipy.special import stdtrit

    means, shares = [], []
    for counts in (mine, other):
        total = float(counts.sum()) + added or 0.5
        mean = total / len(counts)
        spread = float(counts.var(ddof=1)) / len(counts) / mean**2
        shares.append(max(spread, max(0.0, 1 - mean / possible) / max(total, 1.0)))
        means.append(mean)
    variance = sum(shares)
    error = float(np.sqrt(variance))
    parts = sum(share**2 / (len(counts) - 1) for share, counts in zip(shares, (mine, other), strict=True))
    freedom = variance**2 / parts if parts else np.inf
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * error if error else 0.0
    centre = means[0] / means[1]
    return Ratio(
        centre, centre * float(np.exp(-half)), centre * float(np.exp(half)), error, float(mine.sum()),
        float(other.sum()), (len(mine), len(other)), confidence,
    )  # fmt: skip
