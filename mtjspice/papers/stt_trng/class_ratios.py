"""Near pairs of garments class by class, for every source, threshold and map of words to latents; seed by seed.

What the largest of ten ratios is by chance is found by permutation: within each class and seed the images of a source
and those of good bits are shuffled, the pairs of all seeds added, and the largest ratio noted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.stt_trng.near_images import GRID, MAPS, NULL_SOURCE, WORD
from mtjspice.papers.stt_trng.seed_ratios import Ratio, seed_ratio

if TYPE_CHECKING:
    from mtjspice.generative.gan.conditional import ClassDistances
    from mtjspice.generative.gan.generators import Generator
    from mtjspice.generative.gan.lpips import Lpips

RATE = 0.01  # of the pairs of good bits: at this threshold classes are compared
GOOD_BITS = "good bits, other seeds"
_NULL_SEED, _OTHER_SEED = 600_000_000, 700_000_000
_ADDED = 0.5  # pairs, so that a ratio exists (J. B. S. Haldane 1956)
_CALIBRATION = 3  # draws of good bits that set the thresholds and serve nothing else
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effort:
    """``images`` of a seed, classes taking turns; ``seeds`` of a source; ``permutations``."""

    images: int
    seeds: int
    permutations: int


@dataclass(frozen=True)
class Largest:
    """The largest of ten ratios and its class; by chance: median and 95 % quantile; ``p_value`` of one as large."""

    ratio: float
    name: str
    median: float
    high: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Study:
    """Of one map. Near pairs of classes are (sources, seeds, classes), the last source being `GOOD_BITS`.

    ``good`` are those of the good bits that all are compared with, (seeds, classes); ``shuffled`` the largest ratios
    of permutations, (sources, permutations). ``below`` counts the pairs of all classes nearer than each of `GRID`,
    (sources, seeds, 400), ``good_below`` (seeds, 400) those of good bits; ``distinct`` latents of a class by source.
    """

    effort: Effort
    labels: tuple[str, ...]
    names: tuple[str, ...]
    threshold: float
    counts: Floats
    good: Floats
    shuffled: Floats
    below: Floats
    good_below: Floats
    distinct: Floats

    @property
    def pairs(self) -> float:
        """Pairs of a class and seed."""
        size = self.effort.images // len(self.names)
        return size * (size - 1) / 2

    def of_class(self, label: str, name: str, confidence: float = 0.95) -> Ratio:
        """Near pairs of one class over those of good bits, half a pair added to both as in `largest`."""
        row, column = self.labels.index(label), self.names.index(name)
        mine, other = self.counts[row, :, column], self.good[:, column]
        return seed_ratio(mine, other, self.pairs, _ADDED, confidence)

    def largest(self, label: str) -> Largest:
        """The largest ratio of ten classes beside what permutations give."""
        row = self.labels.index(label)
        ratios = _ratios(self.counts[row].sum(axis=0), self.good.sum(axis=0))
        best, chance = int(np.argmax(ratios)), self.shuffled[row]
        reached = int((chance >= ratios[best] * (1 - 1e-9)).sum())
        return Largest(
            float(ratios[best]), self.names[best], float(np.median(chance)), float(np.quantile(chance, 0.95)),
            (1 + reached) / (1 + len(chance)),
        )  # fmt: skip


def survey(
    sources: Mapping[str, str], generator: "Generator", lpips: "Lpips", effort: Effort, seed: int, chosen: str
) -> Study:
    """All sources with the map ``chosen``."""
    labels = (*sources, GOOD_BITS)
    threshold = _threshold(generator, lpips, effort, seed, chosen)
    counted: list[list[_Counts]] = []
    distinct = []
    for k in range(effort.seeds):
        null, _ = _vectors(NULL_SOURCE, generator, lpips, effort, _NULL_SEED + 1000 * seed + k, chosen)
        counted.append([])
        for number, label in enumerate(labels):
            text, start = (sources[label], 0) if label in sources else (NULL_SOURCE, _OTHER_SEED)
            vectors, kinds = _vectors(text, generator, lpips, effort, start + 1000 * seed + k, chosen)
            rng = np.random.default_rng([seed, k, number])
            counted[k].append(_counted(_distances(vectors, null, generator.classes), threshold, effort, rng))
            distinct.append(kinds)
    shuffled = np.array([[one.shuffled for one in row] for row in counted]).sum(axis=0)  # of all seeds
    near = np.array([[one.near for one in row] for row in counted])  # (seeds, sources, 2, classes)
    below = np.array([[one.below for one in row] for row in counted])  # (seeds, sources, 2, grid)
    return Study(
        effort, labels, tuple(generator.classes), threshold, near[:, :, 0].swapaxes(0, 1), near[:, 0, 1],
        _ratios(shuffled[:, 0], shuffled[:, 1]).max(axis=-1), below[:, :, 0].swapaxes(0, 1), below[:, 0, 1],
        np.reshape(distinct, (effort.seeds, -1)).mean(axis=0),
    )  # fmt: skip


def _ratios(mine: Floats, other: Floats) -> Floats:
    """Of numbers of pairs."""
    return np.asarray((mine + _ADDED) / (other + _ADDED), np.float64)


def _vectors(
    text: str, generator: "Generator", lpips: "Lpips", effort: Effort, seed: int, chosen: str
) -> tuple[NDArray[np.float32], float]:
    """Embedded images, class by class, and the distinct latents of a class; equal images are made once."""
    from mtjspice.generative.attack.victim import Plan

    latents = MAPS[chosen](Plan.parse(text).latents(effort.images, generator.latent_size, WORD, seed))
    classes = generator.turns(len(latents))
    order = np.argsort(classes, kind="stable")
    kinds, place = np.unique(np.column_stack([classes, latents])[order], axis=0, return_inverse=True)
    vectors = lpips.embed(generator.images(kinds[:, 1:], kinds[:, 0].astype(np.int64)))
    return vectors[place.ravel()], len(kinds) / len(generator.classes)


def _threshold(generator: "Generator", lpips: "Lpips", effort: Effort, seed: int, chosen: str) -> float:
    """Quantile of the pairs of good bits within classes."""
    found = []
    for k in range(_CALIBRATION):
        vectors, _ = _vectors(NULL_SOURCE, generator, lpips, effort, _NULL_SEED + 1000 * seed + 500 + k, chosen)
        for one in _distances(vectors, vectors[:0], generator.classes):
            found.append(one.distances[np.triu_indices(one.count, 1)])
    return float(np.quantile(np.concatenate(found), RATE))


def _distances(vectors: NDArray[np.float32], null: NDArray[np.float32], names: Sequence[str]) -> "list[ClassDistances]":
    from mtjspice.generative.gan.conditional import ClassDistances
    from mtjspice.generative.gan.lpips import pairwise

    parts = zip(names, np.split(vectors, len(names)), np.split(null, len(names)), strict=True)
    return [ClassDistances(name, len(mine), pairwise(np.concatenate([mine, other]))) for name, mine, other in parts]


@dataclass(frozen=True, eq=False)
class _Counts:
    """Pairs of a source and of good bits: near ones (2, classes), also shuffled (2, permutations, classes)."""

    near: Floats
    shuffled: Floats
    below: Floats  # (2, grid), all classes


def _counted(
    matrices: "Sequence[ClassDistances]", threshold: float, effort: Effort, rng: np.random.Generator
) -> _Counts:
    near = np.zeros((2, len(matrices)))
    shuffled = np.zeros((2, effort.permutations, len(matrices)))
    below = np.zeros((2, len(GRID)))
    for column, matrix in enumerate(matrices):
        n = matrix.count
        upper = np.triu_indices(n, 1)
        for side, part in enumerate((slice(None, n), slice(n, None))):
            pairs = np.sort(matrix.distances[part, part][upper])
            near[side, column] = np.searchsorted(pairs, threshold, side="left")
            below[side] += np.searchsorted(pairs, GRID, side="left")
        adjacent = matrix.below(threshold).astype(np.float32)
        member = np.zeros(len(adjacent), np.float32)
        member[:n] = 1
        mine = rng.permuted(np.tile(member, (effort.permutations, 1)), axis=1)
        for side, chosen in enumerate((mine, 1 - mine)):
            shuffled[side, :, column] = ((chosen @ adjacent) * chosen).sum(axis=1) / 2
    return _Counts(near, shuffled, below)
