"""Pairs of near images class by class, beside those of a good source, and what the largest of many ratios is by chance.

A published ratio that is the largest of ten classes must be held against the largest of ten under the null. That is
found by permutation: within each class the images of both sources are shuffled, and the largest ratio noted. Pairs
share images, so intervals come from a bootstrap over images, not over pairs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.gan.lpips import squared_distances
from mtjspice.generative.mlp import one_thread

Floats = NDArray[np.float64]
_FEWEST = 10  # images of a class


@dataclass(frozen=True, eq=False)
class ClassDistances:
    """Distances among the images of one class of two sources: the first ``count`` rows are those of the tested one."""

    name: str
    count: int
    distances: NDArray[np.float32]

    def below(self, threshold: float) -> Floats:
        """1 where a pair of different images is nearer than ``threshold``, else 0."""
        found = (self.distances < threshold).astype(np.float64)
        np.fill_diagonal(found, 0)
        return found


@dataclass(frozen=True)
class ClassRatio:
    """Pairs below the threshold in one class, of the tested and of the good source, and the ratio of their fractions.

    The good source's pairs are scaled to as many images as the tested one has, and half a pair is added to both, so
    that the ratio exists and is 1 where neither has any (J. B. S. Haldane 1956). ``low`` and ``high`` bound it with
    95 % confidence, by the bootstrap over images.
    """

    name: str
    pairs: int
    good_pairs: int
    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class ClassComparison:
    """All classes at one threshold; ``largest`` ratio, and its distribution under the null: median, 95 % quantile.

    ``p_value`` is the fraction of permutations, the observed one among them, with a largest ratio as large or larger.
    """

    threshold: float
    classes: tuple[ClassRatio, ...]
    largest: float
    null_median: float
    null_high: float
    p_value: float
    permutations: int

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)


def class_distances(
    vectors: NDArray[np.float32],
    classes: NDArray[np.int64],
    good_vectors: NDArray[np.float32],
    good_classes: NDArray[np.int64],
    names: Sequence[str],
) -> list[ClassDistances]:
    """Distances within each class of embedded images (n, d) of two sources; InputError below 10 images a class."""
    found = []
    with one_thread():
        for number, name in enumerate(names):
            mine, other = vectors[classes == number], good_vectors[good_classes == number]
            if min(len(mine), len(other)) < _FEWEST:
                raise InputError(
                    f"{min(len(mine), len(other))} images of the class {name}; ratios need {_FEWEST} or more a class, "
                    f"that is {_FEWEST * len(names)} images"
                )
            found.append(ClassDistances(name, len(mine), squared_distances(np.concatenate([mine, other]))))
    return found


def compare_classes(
    matrices: Sequence[ClassDistances],
    threshold: float,
    rng: np.random.Generator,
    permutations: int = 999,
    resamples: int = 1000,
) -> ClassComparison:
    """Ratios of all classes at ``threshold``, with intervals and the null of the largest."""
    found = []
    shuffled = np.zeros((permutations, len(matrices)))
    for k, matrix in enumerate(matrices):
        below, count = matrix.below(threshold), matrix.count
        total = len(below)
        member = np.zeros(total)
        member[:count] = 1
        observed = _ratios(below, member[None], count)[0]
        low, high = np.quantile(_resampled(below, count, rng, resamples), [0.025, 0.975])
        pairs = (int(below[:count, :count].sum()) // 2, int(below[count:, count:].sum()) // 2)
        found.append(ClassRatio(matrix.name, *pairs, float(observed), float(low), float(high)))
        shuffled[:, k] = _ratios(below, rng.permuted(np.tile(member, (permutations, 1)), axis=1), count)
    largest = max(ratio.ratio for ratio in found)
    maxima = shuffled.max(axis=1)
    exceeding = int((maxima >= largest * (1 - 1e-12)).sum())
    return ClassComparison(
        float(threshold), tuple(found), largest, float(np.median(maxima)), float(np.quantile(maxima, 0.95)),
        (1 + exceeding) / (1 + permutations), permutations,
    )  # fmt: skip


def _ratios(below: Floats, members: Floats, count: int) -> Floats:
    """Ratios for rows of ``members`` (m, n) that are 1 for the ``count`` images of the tested source."""
    others = 1 - members
    mine = ((members @ below) * members).sum(axis=1) / 2
    theirs = ((others @ below) * others).sum(axis=1) / 2
    scale = _pairs(count) / _pairs(len(below) - count)
    return np.asarray((mine + 0.5) / (theirs * scale + 0.5), np.float64)


def _resampled(below: Floats, count: int, rng: np.random.Generator, resamples: int) -> Floats:
    """Ratios after drawing the images of either source with replacement; copies of an image are no pair."""
    sides = []
    for part in (slice(None, count), slice(count, None)):
        block = below[part, part]
        n = len(block)
        weights = rng.multinomial(n, np.full(n, 1 / n), resamples).astype(np.float64)
        fraction = ((weights @ block) * weights).sum(axis=1) / (n * n - (weights**2).sum(axis=1))
        sides.append(fraction * _pairs(count) + 0.5)
    return np.asarray(sides[0] / sides[1], np.float64)


def _pairs(n: int) -> float:
    return n * (n - 1) / 2
