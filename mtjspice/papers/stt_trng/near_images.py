"""Near images of faces, seed by seed: draws of every source beside those of a good generator of the same words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.stt_trng.seed_ratios import Ratio, seed_ratio

if TYPE_CHECKING:
    from mtjspice.generative.gan.bench import Bench

LATENT, WORD = 100, 8  # words of a latent of the faces, bits of a word
NULL_SOURCE = "philox"  # good bits that no tested source gives
_NULL_SEED = 500_000_000  # apart from the seeds of the sources
_APART = 1000  # from the seeds of one run to those of the next
GRID = np.geomspace(0.01, 2, 400)
"""Distances below which pairs are counted."""
Floats = NDArray[np.float64]


def quantile(latents: Floats) -> Floats:
    """Normal quantiles of the words, which latents are to begin with."""
    return latents


def linear(latents: Floats) -> Floats:
    """The words themselves, from -1 to 1: (2 k + 1) / 2^b - 1."""
    from scipy.special import ndtr

    return np.asarray(2 * ndtr(latents) - 1, np.float64)


MAPS: Mapping[str, Callable[[Floats], Floats]] = {"normal quantiles": quantile, "uniform, -1 to 1": linear}
NORMAL, UNIFORM = MAPS


@dataclass(frozen=True)
class Effort:
    """``images`` a seed, ``seeds`` a source, ``more`` for sources that are compared directly, ``null`` of good bits.

    ``rates`` are fractions of good images that are near; the first one sets the threshold of most comparisons.
    """

    images: int
    seeds: int
    more: int
    null: int
    rates: tuple[float, ...] = (0.01, 0.05)
    resamples: int = 200


@dataclass(frozen=True, eq=False)
class Draws:
    """Of one source: distances of nearest neighbours (seeds, images), sorted; distinct latents of each seed.

    ``below`` counts pairs nearer than each of `GRID`, (seeds, 400). ``bootstrap`` is the variance of the near fraction
    that a bootstrap over the images of a seed gives, (seeds,).
    """

    nearest: Floats
    distinct: Floats
    below: Floats
    bootstrap: Floats

    def pairs(self, threshold: float) -> Floats:
        """Half the number of images with a neighbour below ``threshold``, by seed: as if none were in two pairs."""
        return np.asarray((self.nearest < threshold).sum(axis=1) / 2, np.float64)


@dataclass(frozen=True, eq=False)
class Survey:
    """Draws by source, those of good bits, and the thresholds that these set, one for each rate."""

    effort: Effort
    draws: Mapping[str, Draws]
    null: Draws
    thresholds: tuple[float, ...]

    def to_null(self, label: str, number: int = 0) -> Ratio:
        """Near images of a source over those of good bits, below the threshold of that number."""
        at = self.thresholds[number]
        return seed_ratio(self.draws[label].pairs(at), self.null.pairs(at), self.effort.images / 2)

    def between(self, mine: tuple[str, ...], others: tuple[str, ...], number: int = 0) -> Ratio:
        """Near images of some sources over those of others, seeds of all of them as one sample."""
        at = self.thresholds[number]
        first, second = (np.concatenate([self.draws[label].pairs(at) for label in side]) for side in (mine, others))
        return seed_ratio(first, second, self.effort.images / 2)

    def near(self, label: str) -> float:
        """Fraction of a source's images that are near."""
        return float((self.draws[label].nearest < self.thresholds[0]).mean())

    def spread(self, label: str) -> float:
        """Variance of the near fraction over seeds, over what bootstraps over the images of a seed say."""
        draws = self.draws[label]
        fractions = 2 * draws.pairs(self.thresholds[0]) / self.effort.images
        return float(fractions.var(ddof=1) / draws.bootstrap.mean())


def survey(
    sources: Mapping[str, str], direct: tuple[str, ...], bench: "Bench", effort: Effort, seed: int, chosen: str = NORMAL
) -> Survey:
    """Draw every source with its seeds, those of ``direct`` with ``effort.more``; latents by the map ``chosen``."""
    from mtjspice.generative.gan import duplicates

    first = _NULL_SEED + _APART * seed
    null = _drawn(NULL_SOURCE, bench, effort, range(first, first + effort.null), chosen, None)
    thresholds = tuple(duplicates.threshold(list(null.nearest), rate) for rate in effort.rates)
    draws = {}
    for label, text in sources.items():
        seeds = range(_APART * seed, _APART * seed + (effort.more if label in direct else effort.seeds))
        draws[label] = _drawn(text, bench, effort, seeds, chosen, thresholds[0])
    return Survey(effort, draws, null, thresholds)


def _drawn(
    text: str, bench: "Bench", effort: Effort, seeds: Sequence[int], chosen: str, threshold: float | None
) -> Draws:
    from mtjspice.generative.attack.victim import Plan
    from mtjspice.generative.gan import duplicates

    plan = Plan.parse(text)
    nearest, distinct, below, bootstrap = [], [], [], []
    upper = np.triu_indices(effort.images, 1)
    for seed in seeds:
        draw = bench.draw(MAPS[chosen](plan.latents(effort.images, bench.generator.latent_size, WORD, seed)))
        nearest.append(np.sort(draw.nearest.astype(np.float64)))
        distinct.append(float(draw.distinct))
        below.append(np.searchsorted(np.sort(draw.distances[upper]), GRID, side="left").astype(np.float64))
        if threshold is not None:
            rng = np.random.default_rng([seed, 1])
            bootstrap.append(duplicates.near_resamples(draw.distances, threshold, rng, effort.resamples).var())
    return Draws(np.array(nearest), np.array(distinct), np.array(below), np.array(bootstrap))
