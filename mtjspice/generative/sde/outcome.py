"""What studies of a neural SDE give: trials and their summaries, the same for all cases."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.errors import InputError
from mtjspice.generative.sde.pairs import PairImperfections

Floats = NDArray[np.float64]

NULL = "software noise (null)"
WHERE = ("in-situ", "ex-situ", "both")


@dataclass(frozen=True)
class Effort:
    """``images`` (or samples) a draw, ``draws`` of each source, ``null_draws`` of software noise ex situ."""

    images: int = 1000
    draws: int = 3
    null_draws: int = 3

    def __post_init__(self) -> None:
        if self.images < 100:
            raise InputError(f"a distance between laws needs 100 images or more, not {self.images}")
        if self.draws < 1:
            raise InputError("a study needs 1 draw or more")
        if self.null_draws < 3:
            raise InputError(f"a null needs 3 draws or more, not {self.null_draws}")


@dataclass(frozen=True)
class Trial:
    """Distances of one draw by name, as ``{"latent_frechet": 0.08}``."""

    label: str
    draw: int
    distances: dict[str, float]


@dataclass(frozen=True)
class Variation:
    """P-bits of ``probability`` in pairs with ``flaws``; ``mode`` is fresh, frozen (drawn once) or mean (none)."""

    label: str
    flaws: PairImperfections = field(default_factory=PairImperfections)
    probability: float = 0.5
    mode: str = "fresh"

    def source(self, seed: int) -> Source:
        """Its P-bits: emulated, or software bits where they are fair."""
        return open_source("pcg64" if self.probability == 0.5 else f"emulated:fair,p={self.probability!r}", seed)


def labels(trials: Sequence[Trial]) -> list[str]:
    """Labels in order of appearance."""
    return list(dict.fromkeys(trial.label for trial in trials))


def summary(trials: Sequence[Trial], null: Sequence[Trial], label: str) -> dict[str, Any]:
    """Mean, standard deviation over the draws (None for one) and ratio to the null, by distance."""
    chosen = [trial for trial in (*null, *trials) if trial.label == label]
    found: dict[str, Any] = {"label": label, "draws": len(chosen)}
    for name in chosen[0].distances:
        values = np.array([trial.distances[name] for trial in chosen])
        good = np.mean([trial.distances[name] for trial in null])
        found[name] = {
            "mean": float(values.mean()),
            "deviation": float(values.std(ddof=1)) if len(values) > 1 else None,
            "ratio": float(values.mean() / good),
        }
    return found


def energy_distance(samples: Floats, reference: Floats) -> float:
    """sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|) of samples (n, d) and (m, d): zero only for equal laws.

    G. J. Szekely and M. L. Rizzo, J. Stat. Plan. Inference 143, 1249 (2013), between the empirical laws, as
    `scipy.stats.energy_distance` has it in one dimension. A Frechet distance, of means and covariances alone, does not
    see how a law differs from a normal one.
    """
    from scipy.spatial.distance import cdist, pdist

    within = (2 * pdist(each).sum() / len(each) ** 2 for each in (samples, reference))
    return float(np.sqrt(max(2 * cdist(samples, reference).mean() - sum(within), 0.0)))
