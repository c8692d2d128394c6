"""What a study of a GAN's images found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.gan import duplicates
from mtjspice.generative.gan.bench import Examples
from mtjspice.generative.gan.conditional import ClassComparison
from mtjspice.generative.gan.lpips import FEATURES

Floats = NDArray[np.float64]
NULL = "null"
_SWEEP = 25  # thresholds
MOST_IMAGES, MOST_DRAWS = 50_000, 1000


@dataclass(frozen=True)
class Effort:
    """``images`` a draw, ``draws`` a source, ``null_draws`` of good latents, ``rate`` of near duplicates of the null.

    Intervals come from ``resamples``, the null of class ratios from ``permutations``.
    """

    images: int = 1000
    draws: int = 1
    null_draws: int = 3
    rate: float = 0.01
    resamples: int = 1000
    permutations: int = 999

    def __post_init__(self) -> None:
        if not 50 <= self.images <= MOST_IMAGES:
            raise InputError(f"a study of duplicates needs 50 images or more, {MOST_IMAGES} at most, not {self.images}")
        if not 1 <= self.draws <= MOST_DRAWS:
            raise InputError(f"a study needs 1 draw or more, {MOST_DRAWS} at most, not {self.draws}")
        if not 3 <= self.null_draws <= MOST_DRAWS:
            raise InputError(f"a null needs 3 draws or more, {MOST_DRAWS} at most, not {self.null_draws}")
        duplicates.threshold([np.zeros(self.images)] * self.null_draws, self.rate)  # before anything is generated


@dataclass(frozen=True)
class Trial:
    """What one draw gave; ``frechet`` and ``kernel`` are distances from a draw of the null that serves nothing else."""

    label: str
    draw: int
    distinct: int
    nearest_median: float
    near: int
    pairs: int
    clusters: int
    clustered: int
    largest: int
    frechet: float
    kernel: float


@dataclass(frozen=True)
class Summary:
    """Draws of a source together: fraction of images with a near duplicate, and that over the null's, both with 95 %.

    ``predicted`` is the number of distinct latents of a draw, where it is known.
    """

    label: str
    distinct: float
    predicted: float | None
    near: float
    near_low: float
    near_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    clustered: float
    frechet: float
    kernel: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """All of a study. ``nearest`` has the distances of nearest neighbours by source, all draws in one, sorted.

    ``classes`` has, for a conditional generator, the comparison of a source's first draw with all of the null by
    threshold, and under the label of the null that of its first draw with the others.
    """

    generator: str
    about: str
    image_shape: tuple[int, ...]
    effort: Effort
    seed: int
    threshold: float
    null: tuple[Trial, ...]
    trials: tuple[Trial, ...]
    summaries: tuple[Summary, ...]
    nearest: Mapping[str, NDArray[np.float32]]
    classes: Mapping[str, tuple[ClassComparison, ...]]
    provenance: Mapping[str, Mapping[str, str | int | float]]
    examples: Mapping[str, Examples]

    def thresholds(self) -> Floats:
        """Thresholds of `sweep`: up to the greatest distance of a nearest neighbour in the null."""
        null = self.nearest[NULL]
        return np.geomspace(max(1e-3, 0.1 * float(null[0])), float(null[-1]), _SWEEP)

    def sweep(self, label: str) -> Floats:
        """Fraction of images whose nearest neighbour is below each of `thresholds`."""
        values = self.nearest[label]
        return np.searchsorted(values, self.thresholds(), side="left") / len(values)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "generator": self.generator,
            "about": self.about,
            "image_shape": list(self.image_shape),
            "distance": "LPIPS 0.1, AlexNet",
            "features": FEATURES,
            "effort": asdict(self.effort),
            "seed": self.seed,
            "threshold": self.threshold,
            "null": [asdict(trial) for trial in self.null],
            "sources": [asdict(summary) for summary in self.summaries],
            "trials": [asdict(trial) for trial in self.trials],
            "thresholds": [float(value) for value in self.thresholds()],
            "near_by_threshold": {label: [float(value) for value in self.sweep(label)] for label in self.nearest},
            "classes": {label: [each.as_dict() for each in found] for label, found in self.classes.items()},
            "provenance": {label: dict(entries) for label, entries in self.provenance.items()},
        }
