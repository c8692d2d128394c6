"""Mixtures of normal laws: under a variance-preserving diffusion their density, score and reverse step are known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr

from mtjspice.errors import InputError

Floats = NDArray[np.float64]

_GRID = 100_001  # points of a distribution, for its quantiles


@dataclass(frozen=True, eq=False)
class Mixture:
    """``shares`` (c,) of components with ``means`` (c, d) and ``covariances`` (c, d, d)."""

    shares: Floats
    means: Floats
    covariances: Floats

    def __post_init__(self) -> None:
        count, size = np.shape(self.means)
        if np.shape(self.shares) != (count,) or np.shape(self.covariances) != (count, size, size):
            raise ValueError("a mixture of c components in d dimensions has shapes (c,), (c, d), (c, d, d)")
        if not np.isclose(np.sum(self.shares), 1) or not (np.linalg.eigvalsh(self.covariances) > 0).all():
            raise ValueError("shares must add up to 1 and covariances be positive definite")

    @property
    def size(self) -> int:
        """Number of dimensions."""
        return int(self.means.shape[1])

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Independent samples (count, d)."""
        chosen = rng.choice(len(self.shares), count, p=self.shares)
        roots = np.linalg.cholesky(self.covariances)[chosen]
        return self.means[chosen] + np.einsum("nij,nj->ni", roots, rng.standard_normal((count, self.size)))

    def diffused(self, signal: float) -> "Mixture":
        """Law of sqrt(signal) x + sqrt(1 - signal) n, n standard normal."""
        covariances = signal * self.covariances + (1 - signal) * np.eye(self.size)
        return Mixture(self.shares, np.sqrt(signal) * self.means, covariances)

    def log_density(self, x: Floats) -> Floats:
        """Logarithm of the density (n,) at points (n, d)."""
        return np.asarray(logsumexp(self._logs(x), axis=1), np.float64)

    def score(self, x: Floats) -> Floats:
        """Gradient (n, d) of the log density at points (n, d)."""
        return np.asarray(-np.einsum("nc,ncd->nd", self._shares_at(x), self._pulls(x)))

    def reverse_moments(self, x: Floats, kept: float) -> tuple[Floats, Floats]:
        """Mean (n, d) and covariance (n, d, d) of u given x = sqrt(kept) u + sqrt(1 - kept) n, u of this law.

        This is the exact reverse transition of a diffusion from u to x.
        """
        later = self.diffused(kept)
        gains = np.sqrt(kept) * self.covariances @ np.linalg.inv(later.covariances)
        centres = self.means + np.einsum("cij,ncj->nci", gains, x[:, None] - later.means)
        within = self.covariances - np.sqrt(kept) * gains @ self.covariances
        weights = later._shares_at(x)
        mean = np.einsum("nc,nci->ni", weights, centres)
        apart = centres - mean[:, None]
        covariance = np.einsum("nc,cij->nij", weights, within) + np.einsum("nc,nci,ncj->nij", weights, apart, apart)
        return mean, covariance

    def quantiles(self, levels: Floats) -> Floats:
        """Quantiles (n,) of a mixture in one dimension; InputError in more."""
        if self.size != 1:
            raise InputError("quantiles are those of one dimension")
        reach = 12 * np.sqrt(self.covariances.max())
        grid = np.linspace(self.means.min() - reach, self.means.max() + reach, _GRID)
        return np.asarray(np.interp(levels, self._distribution(grid), grid))

    def _distribution(self, x: Floats) -> Floats:
        standard = (x[:, None] - self.means[:, 0]) / np.sqrt(self.covariances[:, 0, 0])
        return np.asarray(ndtr(standard) @ self.shares)

    def _pulls(self, x: Floats) -> Floats:
        return np.einsum("cij,ncj->nci", np.linalg.inv(self.covariances), x[:, None] - self.means)

    def _logs(self, x: Floats) -> Floats:
        squares = np.einsum("nci,nci->nc", self._pulls(x), x[:, None] - self.means)
        volumes = np.linalg.slogdet(2 * np.pi * self.covariances)[1]
        return np.asarray(np.log(self.shares) - (squares + volumes) / 2)

    def _shares_at(self, x: Floats) -> Floats:
        logs = self._logs(x)
        return np.asarray(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)))


def two_peaks() -> Mixture:
    """A mixture of two unequal peaks in one dimension, with mean 0 and variance 1 to two digits."""
    return Mixture(np.array([0.6, 0.4]), np.array([[-0.75], [1.125]]), np.array([[[0.1]], [[0.245]]]))


def three_peaks() -> Mixture:
    """A mixture of three slanted peaks in two dimensions, with variances about 1."""
    angles = 2 * np.pi * np.array([0.0, 1 / 3, 2 / 3]) + 0.4
    means = 1.25 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    along = np.stack([-np.sin(angles), np.cos(angles)], axis=1)
    covariances = 0.06 * np.eye(2) + 0.25 * along[:, :, None] * along[:, None, :]
    return Mixture(np.array([0.4, 0.35, 0.25]), means, covariances)
