"""Distances between two sets of images, taken between their features: Frechet's and the kernel distance.

Both depend on the feature network and on the number of images; a value is worth nothing without the null, that is the
values of a source that is known to be good, drawn several times.
"""

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.mlp import one_thread

Floats = NDArray[np.float64]


@one_thread()
def frechet_distance(a: Floats, b: Floats) -> float:
    """|mean difference|^2 + tr(S + T - 2 (S T)^(1/2)) of features ``a`` (n, d) and ``b`` (m, d).

    The distance of Wasserstein between normal laws with the sample means and covariances S, T (D. C. Dowson and
    B. V. Landau 1982; M. Heusel et al. 2017 with Inception's features call it FID). It is biased upwards by O(1/n).
    InputError for fewer than two images.
    """
    a, b = _checked(a, b)
    s, t = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    # the eigenvalues of S T are those of the symmetric S^(1/2) T S^(1/2)
    values, vectors = np.linalg.eigh(s)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ t @ root).clip(0)
    shift = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    return shift + float(np.trace(s) + np.trace(t) - 2 * np.sqrt(cross).sum())


@one_thread()
def kernel_distance(a: Floats, b: Floats) -> float:
    """Unbiased squared maximum mean discrepancy with the kernel (x.y / d + 1)^3 (M. Binkowski et al. 2018, KID).

    Features are used as they are; see `standardised` if their scales differ. InputError for fewer than two images.
    """
    a, b = _checked(a, b)
    n, m, d = len(a), len(b), a.shape[1]
    within_a = (a @ a.T / d + 1) ** 3
    within_b = (b @ b.T / d + 1) ** 3
    between = (a @ b.T / d + 1) ** 3
    return float(
        (within_a.sum() - np.trace(within_a)) / (n * (n - 1))
        + (within_b.sum() - np.trace(within_b)) / (m * (m - 1))
        - 2 * between.mean()
    )


def standardised(features: Floats, reference: Floats) -> Floats:
    """``features`` less the mean of ``reference`` in its standard deviations, feature by feature.

    A deviation counts as the median one at least: else a feature that is nearly always 0 would decide everything.
    """
    deviation = reference.std(axis=0)
    return np.asarray((features - reference.mean(axis=0)) / np.maximum(deviation, np.median(deviation)))


def _checked(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise InputError(f"features must be (images, d) with the same d, not {first.shape} and {second.shape}")
    if min(len(first), len(second)) < 2:
        raise InputError(f"a distance needs two images or more of each kind, not {len(first)} and {len(second)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError("features must be finite numbers")
    return first, second
