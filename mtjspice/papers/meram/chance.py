"""What chance makes of distances of images: spread of runs with software noise, and intervals of ratios to them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def geometric(logs: Floats) -> tuple[float, float, float, float]:
    """Geometric mean of ratios from their logarithms, its 95 % limits (Student), and p of the hypothesis 1."""
    from scipy.stats import t as student

    mean, error, freedom = float(logs.mean()), float(logs.std(ddof=1) / np.sqrt(logs.size)), logs.size - 1
    half = float(student.ppf(0.975, freedom)) * error
    value, low, high = np.exp([mean, mean - half, mean + half]).tolist()
    return value, low, high, float(2 * student.sf(abs(mean) / error, freedom)) if error else float(mean == 0)


@dataclass(frozen=True)
class Spread:
    """Relative standard deviations of the distance with software noise: ``draws`` within a training, and ``single``.

    ``single`` is that of one draw of one training, with 95 % limits (chi-squared, Satterthwaite's degrees of freedom).
    ``trainings`` is what trainings add, 0 if draws explain all, at most ``trainings_high`` (97.5 %); ``p`` of the F
    test that they add nothing.
    """

    draws: float
    single: float
    low: float
    high: float
    trainings: float = 0.0
    trainings_high: float = 0.0
    p: float = 1.0


def spread(table: Floats) -> Spread:
    """Parts of the variance of distances [training, draw] with software noise."""
    from scipy.stats import chi2
    from scipy.stats import f as fisher

    trainings, draws = table.shape
    within, between = float(table.var(axis=1, ddof=1).mean()), float(table.mean(axis=1).var(ddof=1))
    parts = (((1 - 1 / draws) * within, trainings * (draws - 1)), (between, trainings - 1))
    total = sum(part for part, _ in parts)
    freedom = total**2 / sum(part**2 / each for part, each in parts)
    limits = np.sqrt(freedom / chi2.ppf([0.975, 0.025], freedom))
    mean, found = float(table.mean()), float(np.sqrt(total))
    known = Spread(
        float(np.sqrt(within)) / mean, found / mean, float(found * limits[0]) / mean, float(found * limits[1]) / mean
    )
    if not within:
        return known
    ratio, degrees = draws * between / within, (trainings - 1, trainings * (draws - 1))
    added = [np.sqrt(max(0.0, one - 1) / draws * within) for one in (ratio, ratio / fisher.ppf(0.025, *degrees))]
    return replace(
        known, trainings=float(added[0]) / mean, trainings_high=float(added[1]) / mean,
        p=float(fisher.sf(ratio, *degrees)),
    )  # fmt: skip
