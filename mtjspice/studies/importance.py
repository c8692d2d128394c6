"""Probabilities of rare failures by importance sampling: points drawn where failures are, weighted for it."""

from dataclasses import replace
from math import exp, log, pi, sqrt

import numpy as np
from scipy.special import stdtrit

from mtjspice.errors import InputError
from mtjspice.studies.mixture import Mixture, around, fit, log_sum, together
from mtjspice.studies.rare import (
    CONFIDENCE,
    Descent,
    Floats,
    LimitState,
    RareEstimate,
    check,
    descend,
    evaluate,
)

FEWEST_EFFECTIVE = 100.0
HEAVIEST_SHARE = 0.1  # of the estimate, that one point may carry
DEFENCE = 0.1  # share of the points that are drawn where the fit knows of no failure
MOST_REGIONS = 4
_ROUNDS = 3  # of 1000 samples beyond a plane in 10 dimensions 580 are effective, after two rounds 470
_EXPLORATION_SHARE = 0.1
_MOST_LEVELS = 20
_EARLY = 2  # the level of the exploration (probability 0.01) whose directions the defence takes


def importance_sampling(
    limit_state: LimitState,
    dimensions: int,
    *,
    samples: int,
    seed: int,
    exploration: int = 500,
) -> RareEstimate:
    """Probability of failure from ``samples`` independent weighted points.

    A subset simulation with ``exploration`` points per level (a multiple of 10, at least 100) finds the failure
    regions. A mixture of at most 4 normal components is fitted to its failures and then, in three rounds of
    ``exploration`` independent weighted points, to the failures of all rounds (cross-entropy method: Kurtz and Song,
    Struct. Saf. 42, 35, 2013); samples of Markov chains alone resemble each other too much to be fitted well.
    A tenth of the samples is for defence: half of it lies in the directions in which an early level of the exploration
    found small g (chains can leave a region on the way), half all around 0, both as far out as the failures are.

    The estimate is the mean of x = [g < 0] phi(u)/q(u), without bias whatever the exploration found. The interval is
    p exp(-+ t delta), delta the relative standard error of that mean, t Student's with the effective samples less one
    as degrees of freedom. The logarithm is used since x is positive and has a long upper tail: an estimate that is too
    small comes with a standard error that is too small, so that a normal interval around p misses upwards far more
    often than downwards, and can reach below zero. Effective samples are (sum x)^2/sum x^2. The interval knows nothing
    of a region that no point has met. Measured coverage of trustworthy estimates is 0.89 to 0.99 for one to three
    planes and for parabolas; about 0.85 for a second region with 3 % of the failures, which may be missed,
    and about 0.8 for failures all around, which 4 components describe badly.

    Untrustworthy with fewer than 100 effective samples, when one point carries more than a tenth of the estimate (the
    mark of a region that the fit has missed), and when the exploration met no failure.
    Raises InputError for bad numbers, MtjspiceError where the limit state is NaN.
    """
    check(dimensions, samples, 2)
    if exploration < 100 or exploration % 10:
        raise InputError(f"exploration = {exploration} must be a multiple of 10, at least 100")
    first, second = np.random.SeedSequence(seed).spawn(2)
    found = descend(limit_state, dimensions, exploration, _EXPLORATION_SHARE, first, _MOST_LEVELS)
    rng = np.random.default_rng(second)
    result = RareEstimate(
        0.0, 0.0, 1.0, CONFIDENCE, found.evaluations, 0.0, found.thresholds, "importance-sampling", False
    )
    if not np.any(found.levels[-1].g < 0):
        return replace(result, note=f"{found.fault}; the exploration met no failure: nothing is known")
    density = _density(limit_state, found, exploration, rng)
    u = density.draw(samples, rng)
    x = np.where(evaluate(limit_state, u) < 0, np.exp(_log_normal(u) - density.log_density(u)), 0.0)
    result = replace(result, evaluations=found.evaluations + _ROUNDS * exploration + samples)
    if not np.any(x):
        return replace(result, note=f"none of {samples} weighted points failed: nothing is known")
    probability = float(np.mean(x))
    effective = float(np.sum(x) ** 2 / np.sum(x**2))
    delta = float(np.std(x, ddof=1)) / sqrt(samples) / probability
    factor = exp(float(stdtrit(max(effective - 1, 1.0), 0.5 + CONFIDENCE / 2)) * delta)
    heaviest = float(np.max(x) / np.sum(x))
    note = ""
    if effective < FEWEST_EFFECTIVE:
        note = f"only {effective:.3g} effective samples, at least {FEWEST_EFFECTIVE:g} are needed (more samples)"
    elif heaviest > HEAVIEST_SHARE:
        note = f"one point carries {heaviest:.0%} of the estimate: a failure region may have been missed"
    return replace(
        result, probability=probability, low=probability / factor, high=min(1.0, probability * factor),
        effective_samples=effective, trustworthy=not note, note=note,
    )  # fmt: skip


def _density(limit_state: LimitState, found: Descent, size: int, rng: np.random.Generator) -> Mixture:
    """The density to draw from, fitted in rounds of ``size`` evaluations."""
    last, early = found.levels[-1], found.levels[min(_EARLY, len(found.levels) - 1)]
    failures = last.points[last.g < 0]
    dimensions = failures.shape[1]
    # chains are worth about one point each
    near = fit(failures, np.ones(len(failures)), float(last.g.shape[1]), MOST_REGIONS, rng)
    before = early.points.reshape(-1, dimensions)
    directions = fit(before, np.ones(len(before)), float(early.g.shape[1]), MOST_REGIONS, rng)
    outwards = max(1.0, _distance(near) / _distance(directions))
    everywhere = around(dimensions, max(1.0, float(np.mean(failures**2))))
    defence = together([(0.5, directions.pushed(outwards)), (0.5, everywhere)])
    density = together([(0.5, near.pushed(1.0)), (0.5, defence)])
    used: list[Mixture] = []
    failing: list[Floats] = []
    for _ in range(_ROUNDS):
        u = density.draw(size, rng)
        used.append(density)
        failing.append(u[evaluate(limit_state, u) < 0])
        points = np.concatenate(failing)
        if len(points):
            # all rounds as one sample of the mean of their densities (but for a factor)
            mean = log_sum(np.stack([one.log_density(points) for one in used], axis=1))
            weights = np.exp(_log_normal(points) - mean)
            effective = float(np.sum(weights) ** 2 / np.sum(weights**2))
            mixture = fit(points, weights, effective, MOST_REGIONS, rng)
            density = together([(1 - DEFENCE, mixture), (DEFENCE, defence)])
    return density


def _distance(mixture: Mixture) -> float:
    """Mean distance of the components from 0."""
    return float(mixture.shares @ np.linalg.norm(mixture.means, axis=1))


def _log_normal(u: Floats) -> Floats:
    """Logarithm of the standard normal density at points (n, d); (n,)."""
    return np.asarray(-np.sum(u**2, axis=1) / 2 - u.shape[1] * log(2 * pi) / 2)
