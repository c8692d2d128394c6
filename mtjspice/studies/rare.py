"""Probabilities of rare failures: plain Monte Carlo and subset simulation.

A failure is described by a limit state: a function of standard-normal variables that is negative where the circuit
fails and falls gradually on the way there. Whoever gives it maps standard normals onto device values and a result
onto its distance from a threshold. What counts is the number of its evaluations, each of which is a simulation; they
are asked for in batches, and in the same order whenever the seed is the same, so that a run that was cut short can be
repeated from stored results. `mtjspice.studies.importance` has the third method.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, prod, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.statistics import wilson

Floats = NDArray[np.float64]
LimitState = Callable[[Floats], Floats]
"""Points in standard-normal space (n, d) to g (n,); failure is g < 0. NaN is a simulation that failed."""

CONFIDENCE = 0.95
FEWEST_EFFECTIVE = 3.0  # effective samples of a subset simulation: the interval is then a factor of 12 either way
FEWEST_CHAINS = 10
_BATCH = 10_000
_FIRST_SCALE = 0.6  # these two as recommended by Papaioannou et al. 2015
_GOOD_ACCEPTANCE = 0.44


@dataclass(frozen=True)
class RareEstimate:
    """A small probability with its interval.

    ``evaluations`` of the limit state were made; ``effective_samples`` independent failures counted by plain Monte
    Carlo would give the same relative standard error, 1/sqrt(effective_samples). ``levels`` are the thresholds of
    subset simulation (of its exploration, for importance sampling), none for plain Monte Carlo. An estimate that is not
    ``trustworthy`` has a ``note`` that says why; its interval is not one of the stated ``confidence``.
    """

    probability: float
    low: float
    high: float
    confidence: float
    evaluations: int
    effective_samples: float
    levels: tuple[float, ...]
    method: str
    trustworthy: bool = True
    note: str = ""

    @property
    def sigma_level(self) -> float:
        """Standard deviations of a one-sided normal with this probability, -Phi^-1(p); infinite for 0."""
        return -float(ndtri(self.probability))


@dataclass(frozen=True)
class Chains:
    """Samples of one level: points (steps, chains, d) and their g (steps, chains).

    ``family`` (chains,) is the number of the very first sample that each chain descends from, ``scale`` the factor of
    the last proposal.
    """

    points: Floats
    g: Floats
    family: NDArray[np.int64]
    scale: float


@dataclass(frozen=True)
class Descent:
    """Levels of a subset simulation.

    ``levels`` are their samples, from plain Monte Carlo to the last one; ``thresholds`` and ``shares`` those of all
    before the last (the probability of each under the condition of the one before). ``fault`` says why it ended early.
    """

    levels: tuple[Chains, ...]
    thresholds: tuple[float, ...]
    shares: tuple[float, ...]
    evaluations: int
    fault: str


def monte_carlo(limit_state: LimitState, dimensions: int, *, samples: int, seed: int) -> RareEstimate:
    """Count failures among ``samples`` independent points; Wilson's interval (`mtjspice.statistics.wilson`).

    Untrustworthy without any failure: then only the upper limit says something. Raises InputError for bad numbers,
    MtjspiceError where the limit state is NaN.
    """
    check(dimensions, samples, 1)
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    count = 0
    for start in range(0, samples, _BATCH):
        u = rng.standard_normal((min(_BATCH, samples - start), dimensions))
        count += int(np.sum(evaluate(limit_state, u) < 0))
    found = wilson(count, samples, CONFIDENCE)
    note = "" if count else f"none of {samples} points failed: only the upper limit is known"
    return RareEstimate(
        found.value, found.low, found.high, CONFIDENCE, samples, float(count), (), "monte-carlo", count > 0, note
    )


def subset_simulation(
    limit_state: LimitState,
    dimensions: int,
    *,
    samples: int = 1000,
    share: float = 0.1,
    seed: int,
    most_levels: int = 12,
) -> RareEstimate:
    """Probability of failure as a product of larger ones (Au and Beck, Probab. Eng. Mech. 16, 263, 2001).

    ``samples`` points per level; the ``share`` with the smallest g start as many Markov chains, which sample the next
    level by adaptive conditional sampling (Papaioannou, Betz, Zwirglmaier, Straub, Probab. Eng. Mech. 41, 89, 2015).
    The chains of a level advance together: after a first batch of ``samples`` points, all have samples * share.

    The interval is p exp(-+ t delta). The relative variance delta^2 comes from families, the descendants of one first
    sample: the sum of the squares of their shares of the failing samples, less 1/samples (Lee and Whiteley, Biometrika
    105, 609, 2018); it holds the correlation along the chains and from level to level. t is Student's with
    1/delta^2 - 1 degrees of freedom, since so many families carry the estimate. Assumed are: families that do not
    depend on one another (they share thresholds and the scale of the proposal), a normal logarithm of the estimate, and
    chains that reach all failure regions; a region that no chain has entered is not known of. Measured coverage is 0.92
    to 0.98; Au and Beck's own delta (independent levels) gave 0.89 to 0.93 for the same problems.

    Untrustworthy if failure is not reached within ``most_levels`` (probability 0 with an upper limit if no point
    failed), if g does not fall towards failure (it has a few values only), and with fewer than 3 effective samples.
    Raises InputError for bad numbers, MtjspiceError where the limit state is NaN.
    """
    found = descend(limit_state, dimensions, samples, share, np.random.SeedSequence(seed), most_levels)
    last = found.levels[-1]
    fails = last.g < 0
    any_fails = bool(np.any(fails))
    effective = _families(last, fails if any_fails else np.ones_like(fails))
    factor = exp(float(stdtrit(max(effective - 1, 1.0), 0.5 + CONFIDENCE / 2)) / sqrt(effective))
    reached = prod(found.shares)
    note = found.fault
    if any_fails:
        probability = reached * float(np.mean(fails))
        low, high = probability / factor, probability * factor
        if not note and effective < FEWEST_EFFECTIVE:
            note = f"only {effective:.2g} effective samples, at least {FEWEST_EFFECTIVE:g} are needed (more samples)"
    else:
        # samples of one chain resemble each other: at worst only the chains count
        independent = fails.shape[1]
        probability, low, high = 0.0, 0.0, reached * wilson(0, independent, CONFIDENCE).high * factor
        effective = 0.0
        note += "; no point failed: only the upper limit is known"
    return RareEstimate(
        probability, low, min(1.0, high), CONFIDENCE, found.evaluations, effective, found.thresholds,
        "subset-simulation", not note, note,
    )  # fmt: skip


def descend(
    limit_state: LimitState,
    dimensions: int,
    samples: int,
    share: float,
    seed: np.random.SeedSequence,
    most_levels: int,
) -> Descent:
    """Go down the levels of a subset simulation until at least ``share`` of the samples fail; see there."""
    check(dimensions, samples, 1)
    chains, steps = round(samples * share), round(1 / share) if 0 < share <= 0.5 else 0
    if chains * steps != samples or chains < FEWEST_CHAINS:
        raise InputError(
            f"samples = {samples} with share = {share:g}: allowed is a share of 1/n (n = 2, 3, ...) and n times a whole"
            f" number of chains, {FEWEST_CHAINS} or more"
        )
    if most_levels < 1:
        raise InputError(f"most_levels = {most_levels} must be at least 1")
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((samples, dimensions))
    level = Chains(u[None], evaluate(limit_state, u)[None], np.arange(samples), _FIRST_SCALE)
    levels = [level]
    thresholds: list[float] = []
    shares: list[float] = []
    fault = ""
    while True:
        threshold = float(np.sort(level.g, axis=None)[chains - 1])
        inside = np.flatnonzero(level.g <= threshold)
        if threshold < 0:
            break
        if len(inside) == samples:
            fault = "the limit state does not fall towards failure: all points of a level have the same g"
        elif len(thresholds) + 1 == most_levels:
            fault = f"{most_levels} levels did not reach failure: the last threshold is g = {threshold:.4g}"
        if fault:
            break
        thresholds.append(threshold)
        shares.append(len(inside) / samples)
        if len(inside) > chains:  # equal g at the threshold, as of a chain that stood still
            inside = rng.choice(inside, chains, replace=False)
        level = advance(limit_state, level, inside, threshold, steps, rng)
        levels.append(level)
    evaluations = samples + len(thresholds) * chains * (steps - 1)
    return Descent(tuple(levels), tuple(thresholds), tuple(shares), evaluations, fault)


def advance(
    limit_state: LimitState, level: Chains, seeds: NDArray[np.int64], threshold: float, steps: int,
    rng: np.random.Generator,
) -> Chains:  # fmt: skip
    """Chains from the given samples of a level (their numbers, chain fastest) under the condition g <= threshold.

    Each has ``steps`` samples with its seed, so that steps - 1 batches are evaluated. The scale of the proposal adapts
    to the acceptance of all chains after every step.
    """
    dimensions = level.points.shape[-1]
    u, g = level.points.reshape(-1, dimensions)[seeds], level.g.ravel()[seeds]
    family = level.family[seeds % level.g.shape[1]]
    points, values, scale = [u], [g], level.scale
    for step in range(1, steps):
        sigma = min(1.0, scale)
        candidate = sqrt(1 - sigma**2) * u + sigma * rng.standard_normal(u.shape)
        value = evaluate(limit_state, candidate)
        accepted = value <= threshold
        u, g = np.where(accepted[:, None], candidate, u), np.where(accepted, value, g)
        points.append(u)
        values.append(g)
        scale = exp(log(scale) + (float(np.mean(accepted)) - _GOOD_ACCEPTANCE) / sqrt(step))
    return Chains(np.array(points), np.array(values), family, scale)


def _families(level: Chains, counted: NDArray[np.bool_]) -> float:
    """Effective number of the counted samples (steps, chains): 1/relative variance, see `subset_simulation`."""
    shares = np.bincount(level.family, np.sum(counted, axis=0)) / np.sum(counted)
    samples = counted.size
    return 1 / max(float(np.sum(shares**2)) - 1 / samples, 1 / samples**2)


def evaluate(limit_state: LimitState, u: Floats) -> Floats:
    """The limit state at points (n, d); MtjspiceError if any is NaN, InputError if they are not n numbers."""
    g = np.asarray(limit_state(u), float)
    if g.shape != (len(u),):
        raise InputError(f"the limit state of {len(u)} points has the shape {g.shape}; allowed: ({len(u)},)")
    missing = int(np.sum(np.isnan(g)))
    if missing:
        raise MtjspiceError(f"the limit state is not a number for {missing} of {len(g)} points (failed simulations)")
    return g


def check(dimensions: int, samples: int, fewest: int) -> None:
    """Raise InputError for numbers of dimensions and samples that make no sense."""
    if dimensions < 1:
        raise InputError(f"dimensions = {dimensions} must be at least 1")
    if samples < fewest:
        raise InputError(f"samples = {samples} must be at least {fewest}")
