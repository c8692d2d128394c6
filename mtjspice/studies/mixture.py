"""Gaussian mixtures fitted to points: the densities that importance sampling draws from."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ITERATIONS = 50
_PRIOR = 3.0  # points
_PRIOR_ALONG = 0.1  # variance, between those of a surface at 2 and at 6 standard deviations


@dataclass(frozen=True)
class Mixture:
    """Normal components: shares (k,), means (k, d), variances along the mean (k,) and across it (k,).

    A component has so few parameters since there are few points to fit it to: the part of standard-normal space beyond
    a smooth surface is narrow along the direction in which it lies, and nearly standard normal across it; a region all
    around 0 has the mean 0 and both variances large. A curved region takes several components.
    """

    shares: Floats
    means: Floats
    along: Floats
    across: Floats

    def component_log_densities(self, u: Floats) -> Floats:
        """Logarithm of share times density of each component at points (n, d); (n, k)."""
        dimensions = self.means.shape[1]
        along, across = _squares(u, self.means)
        scale = np.log(self.along) + (dimensions - 1) * np.log(self.across) + dimensions * log(2 * pi)
        return np.asarray(np.log(self.shares) - (along / self.along + across / self.across + scale) / 2)

    def log_density(self, u: Floats) -> Floats:
        """Logarithm of the density at points (n, d); (n,)."""
        return log_sum(self.component_log_densities(u))

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Independent points (count, d)."""
        which = rng.choice(len(self.shares), count, p=self.shares)
        z = rng.standard_normal((count, self.means.shape[1]))
        direction = directions(self.means)[which]
        along, across = np.sqrt(self.along)[which, None], np.sqrt(self.across)[which, None]
        part = np.sum(z * direction, axis=1, keepdims=True) * direction
        return np.asarray(self.means[which] + along * part + across * (z - part))

    def pushed(self, factor: float) -> "Mixture":
        """The mixture with its means moved outwards (away from 0) by a factor, and no narrower than standard normal."""
        return Mixture(self.shares, factor * self.means, np.maximum(self.along, 1.0), np.maximum(self.across, 1.0))


def log_sum(values: Floats) -> Floats:
    """Logarithm of the sum of exp(values) over columns, (n, k) to (n,); numpy's logaddexp.reduce takes far longer."""
    largest = np.max(values, axis=1)
    return np.asarray(largest + np.log(np.sum(np.exp(values - largest[:, None]), axis=1)))


def around(dimensions: int, variance: float) -> Mixture:
    """One component around 0 with the same variance in all directions."""
    return Mixture(np.ones(1), np.zeros((1, dimensions)), np.array([variance]), np.array([variance]))


def together(parts: Sequence[tuple[float, Mixture]]) -> Mixture:
    """Several mixtures as one, each with a share; the shares have the sum 1."""
    return Mixture(
        np.concatenate([share * one.shares for share, one in parts]),
        np.concatenate([one.means for _, one in parts]),
        np.concatenate([one.along for _, one in parts]),
        np.concatenate([one.across for _, one in parts]),
    )


def directions(means: Floats) -> Floats:
    """Unit vectors (k, d) of the means; the first axis for a mean of 0, which has none."""
    length = np.linalg.norm(means, axis=1, keepdims=True)
    first = np.eye(1, means.shape[1])
    return np.asarray(np.where(length > 0, means / np.where(length > 0, length, 1), first))


def _squares(u: Floats, means: Floats) -> tuple[Floats, Floats]:
    """Squared distances of points (n, d) from means (k, d), along the direction of the mean and across it; (n, k)."""
    part = u @ directions(means).T
    # across it the mean has nothing
    across = np.sum(u**2, axis=1, keepdims=True) - part**2
    return (part - np.linalg.norm(means, axis=1)) ** 2, np.maximum(across, 0.0)


def fit(points: Floats, weights: Floats, independent: float, most: int, rng: np.random.Generator) -> Mixture:
    """Fit a mixture of 1 to ``most`` components to points (n, d) with weights (n,), by expectation and maximisation.

    ``independent`` is how many independent points of equal weight these are worth; it counts in Schwarz's criterion,
    which chooses the number of components.
    """
    weights = weights / np.sum(weights)
    best, least = None, float("inf")
    for size in range(1, most + 1):
        mixture = _expectation_maximisation(points, weights, independent, _far_apart(points, weights, size, rng))
        parameters = size * (points.shape[1] + 3) - 1
        criterion = parameters * log(independent) - 2 * independent * float(weights @ mixture.log_density(points))
        if best is not None and criterion >= least:
            break
        best, least = mixture, criterion
    assert best is not None
    return best


def _far_apart(points: Floats, weights: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Some of the points, each drawn by its squared distance from those before it (k-means++)."""
    chosen = [points[rng.choice(len(points), p=weights)]]
    for _ in range(size - 1):
        far = weights * np.min([np.sum((points - one) ** 2, axis=1) for one in chosen], axis=0)
        chosen.append(points[rng.choice(len(points), p=far / np.sum(far))] if np.any(far) else chosen[0])
    return np.array(chosen)


def _expectation_maximisation(points: Floats, weights: Floats, independent: float, centres: Floats) -> Mixture:
    """Components that start as equal spheres around the centres."""
    size, dimensions = centres.shape
    mixture = Mixture(np.full(size, 1 / size), centres, np.ones(size), np.ones(size))
    before = -float("inf")
    for _ in range(_ITERATIONS):
        each = mixture.component_log_densities(points)
        total = log_sum(each)
        now = float(weights @ total)
        if now < before + 1e-3:
            break
        before = now
        member = np.exp(each - total[:, None]) * weights[:, None]
        share = np.maximum(np.sum(member, axis=0), 1e-9)  # an empty component stays a component
        means = member.T @ points / share[:, None]
        along, across = (np.sum(member * square, axis=0) / share for square in _squares(points, means))
        across = across / (dimensions - 1) if dimensions > 1 else np.ones(size)
        # as if each had some more points, as beyond a plane: a component of few points is no needle
        worth = share * independent
        along = (worth * along + _PRIOR * _PRIOR_ALONG) / (worth + _PRIOR)
        across = (worth * across + _PRIOR) / (worth + _PRIOR)
        mixture = Mixture(share / np.sum(share), means, along, across)
    return mixture
