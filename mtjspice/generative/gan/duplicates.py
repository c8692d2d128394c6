"""Duplicates among images: how near the nearest one is, who lies below a threshold, and where that threshold is.

A threshold means nothing by itself. How near the images of a good source are depends on their size, on the generator
and on how many there are, so the threshold is calibrated: `threshold` takes that below which a stated fraction of the
images of good sources has its nearest neighbour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from mtjspice.errors import InputError

Distances = NDArray[np.float32]
Floats = NDArray[np.float64]
SMALLEST_CLUSTER = 3


@dataclass(frozen=True)
class Duplicates:
    """What lies below ``threshold``: ``near`` images with a neighbour there, ``pairs``, and the clusters they form.

    Clusters are the connected components of three images or more; ``clustered`` images are in one.
    """

    images: int
    threshold: float
    near: int
    pairs: int
    clusters: int
    clustered: int
    largest: int

    @property
    def near_fraction(self) -> float:
        """Fraction of the images that have a near duplicate."""
        return self.near / self.images

    @property
    def pair_fraction(self) -> float:
        """Fraction of all pairs."""
        return 2 * self.pairs / (self.images * (self.images - 1))


def nearest(distances: Distances) -> Distances:
    """Distance of each image from its nearest neighbour, of a matrix (n, n); InputError for fewer than two images."""
    n = len(distances)
    if distances.shape != (n, n) or n < 2:
        raise InputError(f"neighbours need the distances (n, n) of two images or more, not {distances.shape}")
    found = np.empty(n, np.float32)
    for i, row in enumerate(distances):
        found[i] = min(row[:i].min(initial=np.inf), row[i + 1 :].min(initial=np.inf))
    return found


def duplicates(distances: Distances, threshold: float) -> Duplicates:
    """Count what lies below ``threshold`` in a symmetric matrix (n, n)."""
    labels, below = _components(distances, threshold)
    sizes = np.bincount(labels)
    clusters = sizes[sizes >= SMALLEST_CLUSTER]
    return Duplicates(
        len(distances), float(threshold), int(below.any(axis=1).sum()), int(below.sum()) // 2, len(clusters),
        int(clusters.sum()), int(sizes.max()),
    )  # fmt: skip


def _components(distances: Distances, threshold: float) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    nearest(distances[:2, :2] if len(distances) > 1 else distances)  # checks the shape cheaply
    below = np.asarray(distances) < threshold
    np.fill_diagonal(below, False)
    _, labels = connected_components(csr_array(below), directed=False)
    return np.asarray(labels, np.int64), below


def threshold(null: Sequence[NDArray[np.floating]], rate: float) -> float:
    """The quantile ``rate`` of the nearest neighbours' distances in several draws of a good source.

    ``null`` has those distances, an array a draw. InputError for a rate outside (0, 1) or so small that fewer than
    five images of the null lie below: the threshold would be set by one pair.
    """
    pooled = np.concatenate([np.asarray(draw, np.float64) for draw in null])
    if not 0 < rate < 1:
        raise InputError(f"the rate of near duplicates of the null must lie between 0 and 1, not {rate:g}")
    if rate * pooled.size < 5:
        raise InputError(
            f"a rate of {rate:g} among {pooled.size} images of the null is fewer than 5; allowed: "
            f"{5 / pooled.size:.2g} or more"
        )
    return float(np.quantile(pooled, rate))


def near_resamples(distances: Distances, threshold: float, rng: np.random.Generator, resamples: int = 1000) -> Floats:
    """Bootstrap of the fraction of images with a near duplicate, shape (resamples,).

    Images are drawn with replacement, but those of one connected component together: near images come in pairs and
    clusters. Where no image is near, or all are, the bootstrap would not vary and Jeffreys' posterior for half as many
    trials stands in, as the least group is a pair.
    """
    labels, below = _components(distances, threshold)
    near, n = int(below.any(axis=1).sum()), len(distances)
    if near in (0, n):
        return rng.beta(near / 2 + 0.5, (n - near) / 2 + 0.5, resamples)
    sizes = np.bincount(labels).astype(np.float64)
    within = np.bincount(labels, weights=below.any(axis=1))
    # groups of one size and kind are alike: draw how often each kind is met
    kinds, counts = np.unique(np.stack([sizes, within]), axis=1, return_counts=True)
    drawn = rng.multinomial(int(counts.sum()), counts / counts.sum(), resamples)
    return np.asarray((drawn @ kinds[1]) / (drawn @ kinds[0]), np.float64)


def interval(resampled: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """The central quantiles of a bootstrap."""
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def nearest_pairs(distances: Distances, count: int) -> list[tuple[int, int, float]]:
    """The nearest pairs (i, j, distance), no image in two of them."""
    upper = np.array(distances, np.float32)
    upper[np.tril_indices(len(upper))] = np.inf
    found: list[tuple[int, int, float]] = []
    for _ in range(min(count, len(upper) // 2)):
        i, j = (int(k) for k in np.unravel_index(np.argmin(upper), upper.shape))
        found.append((i, j, float(distances[i, j])))
        upper[[i, j]] = np.inf
        upper[:, [i, j]] = np.inf
    return found
