"""Rare failures: probabilities against closed forms, honest intervals, few evaluations, the same calls for a seed."""

from math import inf, log, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import ndtr

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.importance import importance_sampling
from mtjspice.studies.mixture import Mixture, around, fit, together
from mtjspice.studies.rare import RareEstimate, monte_carlo, subset_simulation


def linear(beta, dimensions):
    direction = np.arange(1.0, dimensions + 1)
    direction /= np.linalg.norm(direction)
    return lambda u: beta - u @ direction


def two_sided(beta):
    return lambda u: beta - np.abs(u[:, 0])


def sphere(radius):
    return lambda u: radius**2 - np.sum(u**2, axis=1)


def parabola(beta, bend):
    return lambda u: beta + bend * u[:, 1] ** 2 - u[:, 0]


def below_parabola(beta, bend):
    """Its probability of failure, by quadrature over the second variable."""
    return 2 * quad(lambda v: stats.norm.pdf(v) * ndtr(-beta - bend * v * v), 0, 12, epsabs=0, epsrel=1e-10)[0]


PROBLEMS = {
    "plane 1e-5, 2 d": (linear(4.26, 2), 2, ndtr(-4.26)),
    "plane 1e-5, 10 d": (linear(4.26, 10), 10, ndtr(-4.26)),
    "plane 3e-7, 2 d": (linear(5.0, 2), 2, ndtr(-5.0)),
    "plane 3e-7, 10 d": (linear(5.0, 10), 10, ndtr(-5.0)),
    "two planes, 2 d": (two_sided(4.5), 2, 2 * ndtr(-4.5)),
    "two planes, 10 d": (two_sided(4.5), 10, 2 * ndtr(-4.5)),
    "bent away, 2 d": (parabola(4.0, 0.3), 2, below_parabola(4.0, 0.3)),
    "bent around, 2 d": (parabola(5.0, -0.1), 2, below_parabola(5.0, -0.1)),
}
SPHERES = {
    "sphere, 2 d": (sphere(5.0), 2, stats.chi2.sf(25.0, 2)),
    "sphere, 10 d": (sphere(6.9), 10, stats.chi2.sf(6.9**2, 10)),
}


@pytest.mark.parametrize("name", [*PROBLEMS, *SPHERES])
def test_subset_simulation_is_right_on_average(name):
    """Mean of 40 estimates: relative deviation of one 0.5 at most, five standard errors of the mean are 0.4."""
    limit_state, dimensions, exact = {**PROBLEMS, **SPHERES}[name]
    found = [subset_simulation(limit_state, dimensions, seed=seed) for seed in range(40)]
    assert np.mean([one.probability for one in found]) == pytest.approx(exact, rel=0.4)
    assert all(one.evaluations == 1000 + 900 * len(one.levels) for one in found)
    assert all(list(one.levels) == sorted(one.levels, reverse=True) and one.levels[-1] > 0 for one in found)


@pytest.mark.parametrize("name", ["plane 3e-7, 2 d", "plane 1e-5, 10 d", "two planes, 2 d", "sphere, 10 d"])
def test_coverage_of_subset_simulation(name):
    """Stated 0.95, 150 runs: fewer than with probability 1e-4 if it is 0.93 in truth, so that is the false-alarm rate.

    The relative errors must also be those that the effective samples tell, within a factor of 1.4.
    """
    limit_state, dimensions, exact = {**PROBLEMS, **SPHERES}[name]
    found = [subset_simulation(limit_state, dimensions, seed=seed) for seed in range(1000, 1150)]
    inside = sum(one.low <= exact <= one.high for one in found)
    assert inside >= stats.binom.ppf(1e-4, 150, 0.93)
    errors = np.std([log(one.probability) for one in found])
    told = sqrt(np.mean([1 / one.effective_samples for one in found]))
    assert 1 / 1.4 < errors / told < 1.4
    # an infinitely wide interval covers as well
    assert np.median([one.high / one.probability for one in found]) < 4


@pytest.mark.parametrize("name", PROBLEMS)
def test_importance_sampling_is_right(name):
    """Eight runs: each within five of its own standard errors, at most one of them untrustworthy.

    A false alarm is a run beyond five: 1e-5 for 8 runs with some hundred effective samples.
    """
    limit_state, dimensions, exact = PROBLEMS[name]
    found = [importance_sampling(limit_state, dimensions, samples=1000, seed=seed) for seed in range(8)]
    trusted = [one for one in found if one.trustworthy]
    assert len(trusted) >= 7
    for one in trusted:
        assert abs(log(one.probability / exact)) < 5 / sqrt(one.effective_samples)
        assert one.effective_samples >= 100
        assert one.high / one.low < 1.6


@pytest.mark.parametrize("name", ["plane 3e-7, 10 d", "two planes, 10 d"])
def test_coverage_of_importance_sampling(name):
    """Stated 0.95, 100 runs: fewer than with probability 1e-4 if it is 0.93 in truth, so that is the false-alarm rate.

    Untrustworthy runs do not count; they are at most 15 (measured: 0 and 3 of 100).
    """
    limit_state, dimensions, exact = PROBLEMS[name]
    found = [importance_sampling(limit_state, dimensions, samples=800, seed=seed) for seed in range(1000, 1100)]
    trusted = [one for one in found if one.trustworthy]
    assert len(trusted) >= 85
    inside = sum(one.low <= exact <= one.high for one in trusted)
    assert inside >= stats.binom.ppf(1e-4, len(trusted), 0.93)


def test_importance_sampling_draws_from_both_regions():
    """Of the failing points among the last 1000, each side has 50 +- 20 %: its share of the failures is a half."""
    batches = []

    def limit_state(u):
        batches.append(u)
        return two_sided(4.5)(u)

    found = importance_sampling(limit_state, 2, samples=1000, seed=3)
    last = batches[-1]
    failing = last[np.abs(last[:, 0]) > 4.5, 0]
    assert len(last) == 1000
    assert len(failing) > 500
    assert 0.3 < np.mean(failing > 0) < 0.7
    assert sum(map(len, batches)) == found.evaluations


def test_a_region_that_is_hard_to_sample_is_not_trusted():
    """A sphere in 10 dimensions takes more samples than 500 for four components."""
    limit_state, dimensions, exact = SPHERES["sphere, 10 d"]
    found = importance_sampling(limit_state, dimensions, samples=500, seed=1)
    assert not found.trustworthy
    assert found.note.startswith("only ")
    assert found.note.endswith("effective samples, at least 100 are needed (more samples)")
    assert found.probability == pytest.approx(exact, rel=1)


def test_evaluations_against_plain_monte_carlo():
    """At 3e-7, plain Monte Carlo needs (1 - p)/p times the effective samples: 1000 and 100,000 times more."""
    limit_state, dimensions, exact = PROBLEMS["plane 3e-7, 10 d"]
    subset = subset_simulation(limit_state, dimensions, seed=1)
    importance = importance_sampling(limit_state, dimensions, samples=1000, seed=1)
    assert subset.effective_samples / exact > 1000 * subset.evaluations
    assert importance.effective_samples / exact > 100_000 * importance.evaluations
    assert max(subset.evaluations, importance.evaluations) < 7000


def test_plain_monte_carlo():
    """200 runs at 0.01: Wilson's interval covers 0.95 of them; fewer than with probability 1e-4 is an alarm."""
    exact = float(ndtr(-2.326))
    found = [monte_carlo(linear(2.326, 3), 3, samples=2000, seed=seed) for seed in range(200)]
    inside = sum(one.low <= exact <= one.high for one in found)
    assert inside >= stats.binom.ppf(1e-4, 200, 0.94)
    assert np.mean([one.probability for one in found]) == pytest.approx(exact, rel=5 / sqrt(200 * 2000 * 0.01))
    assert {one.evaluations for one in found} == {2000}
    assert all(one.effective_samples == 2000 * one.probability for one in found)


METHODS = {
    "monte-carlo": lambda g, d, seed: monte_carlo(g, d, samples=25_000, seed=seed),
    "subset-simulation": lambda g, d, seed: subset_simulation(g, d, samples=500, seed=seed),
    "importance-sampling": lambda g, d, seed: importance_sampling(g, d, samples=300, seed=seed),
}


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_asks_for_the_same_points(method):
    """In batches of 50 or more, each a new draw; another seed asks for others."""

    def calls(seed):
        asked = []

        def limit_state(u):
            asked.append(u.copy())
            return linear(3.0, 4)(u)

        return METHODS[method](limit_state, 4, seed), asked

    (one, first), (other, second), (_, third) = calls(5), calls(5), calls(6)
    assert one == other
    assert one.method == method
    assert len(first) == len(second)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], third[0])
    assert min(map(len, first)) >= 50
    assert sum(map(len, first)) == one.evaluations


@pytest.mark.parametrize("method", METHODS)
def test_failed_simulations_are_one_clear_line(method):
    def limit_state(u):
        g = linear(3.0, 2)(u)
        g[[0, 7, 9]] = np.nan
        return g

    with pytest.raises(MtjspiceError, match=r"^the limit state is not a number for 3 of \d+ points \(failed simul"):
        METHODS[method](limit_state, 2, 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_circuit_that_never_fails_has_an_upper_limit(method):
    """g = 1 + exp(-u) comes near to no failure, however far the levels go."""
    found = METHODS[method](lambda u: 1 + np.exp(-u[:, 0]), 2, 1)
    assert (found.probability, found.low, found.sigma_level) == (0.0, 0.0, inf)
    assert not found.trustworthy
    assert found.note
    # nothing at all is known from an exploration alone
    assert found.high == 1.0 if method == "importance-sampling" else found.high < 2e-4


def test_levels_that_do_not_suffice():
    """2 levels reach 0.01: an upper limit that holds for a probability of 1e-5, and one that is near enough."""
    found = subset_simulation(linear(4.26, 2), 2, seed=1, most_levels=2)
    assert (found.probability, found.trustworthy, len(found.levels)) == (0.0, False, 1)
    assert ndtr(-4.26) < found.high < 0.02
    assert found.note.startswith("2 levels did not reach failure: the last threshold is g = 1.")
    some = subset_simulation(linear(3.0, 2), 2, seed=1, most_levels=2)
    assert not some.trustworthy
    assert some.low < ndtr(-3.0) < some.high


def test_a_limit_state_without_slope():
    """Pass or fail alone gives no direction: with 2 % failures a count remains, which is not trusted."""
    found = subset_simulation(lambda u: np.sign(2.0 - u[:, 0]), 2, seed=1)
    assert not found.trustworthy
    assert found.note == "the limit state does not fall towards failure: all points of a level have the same g"
    assert found.low < ndtr(-2.0) < found.high
    assert found.evaluations == 1000


def test_steps_and_infinities_in_the_limit_state():
    """g in steps of 0.25 has equal values at every threshold; mean of 40 as above, 1.35e-3 and so 0.25 is enough."""
    found = [
        subset_simulation(lambda u: np.where(u[:, 0] < 0, inf, np.ceil(4 * (3.0 - u[:, 0])) / 4), 2, seed=seed)
        for seed in range(40)
    ]
    # ceil of a number in (-0.25, 0] is 0, which is no failure
    assert np.mean([one.probability for one in found]) == pytest.approx(ndtr(-3.25), rel=0.25)


def test_sigma_level():
    def level(p):
        return RareEstimate(p, 0.0, 1.0, 0.95, 1, 1.0, (), "monte-carlo").sigma_level

    assert level(float(ndtr(-6.0))) == pytest.approx(6.0, rel=1e-12)
    assert level(0.5) == 0.0
    assert level(0.0) == inf


def test_one_dimension():
    found = importance_sampling(linear(4.5, 1), 1, samples=1000, seed=1)
    assert found.trustworthy
    assert found.probability == pytest.approx(ndtr(-4.5), rel=5 / sqrt(found.effective_samples))


def test_the_density_of_a_mixture_is_that_of_its_draws():
    """The mean of 1/q over draws in a box is its volume: 40,000 draws, five standard errors."""
    mixture = together(
        [
            (0.7, Mixture(np.array([0.4, 0.6]), np.array([[2.0, 0.0], [0.0, -1.0]]), np.array([0.3, 2.0]), np.ones(2))),
            (0.3, around(2, 4.0)),
        ]
    )
    u = mixture.draw(40_000, np.random.default_rng(1))
    for low, high in (((-1, -2), (1, 0)), ((1, -1), (3, 1))):
        inside = np.all((u > low) & (u < high), axis=1)
        found = np.where(inside, np.exp(-mixture.log_density(u)), 0.0)
        assert abs(np.mean(found) - 4.0) < 5 * np.std(found) / 200
    covariance = sum(
        share * np.diag([along, across] if k != 1 else [across, along])
        for k, (share, along, across) in enumerate(zip(mixture.shares, mixture.along, mixture.across, strict=True))
    ) + np.cov(mixture.means.T, aweights=mixture.shares, bias=True)
    # the largest fourth moment is 3 * 4^2: five standard errors of a variance
    assert np.cov(u.T) == pytest.approx(covariance, abs=5 * sqrt(3 * 16 / 40_000))


def test_a_fit_finds_the_components():
    """1000 weighted points of two components; standard errors of a mean are below 0.06, five of them."""
    truth = Mixture(
        np.array([0.3, 0.7]), np.array([[4.0, 0, 0], [0, 0, -5.0]]), np.array([0.1, 0.1]), np.array([1.0, 2.0])
    )
    rng = np.random.default_rng(2)
    wide = together([(0.5, truth), (0.5, around(3, 12.0))])
    u = wide.draw(3000, rng)
    weights = np.exp(truth.log_density(u) - wide.log_density(u))
    found = fit(u, weights, 1000.0, 4, rng)
    order = np.argsort(found.shares)
    assert found.shares[order] == pytest.approx(truth.shares, abs=0.08)
    assert found.means[order] == pytest.approx(truth.means, abs=0.3)
    assert found.across[order] == pytest.approx(truth.across, rel=0.3)
    assert found.along[order] == pytest.approx(truth.along, rel=0.5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda g: monte_carlo(g, 0, samples=10, seed=1), "dimensions = 0 must be at least 1"),
        (lambda g: monte_carlo(g, 2, samples=0, seed=1), "samples = 0 must be at least 1"),
        (lambda g: subset_simulation(g, 2, samples=1005, seed=1), "samples = 1005 with share = 0.1: allowed is"),
        (lambda g: subset_simulation(g, 2, samples=50, seed=1), "samples = 50 with share = 0.1: allowed is"),
        (lambda g: subset_simulation(g, 2, share=0.7, seed=1), "samples = 1000 with share = 0.7: allowed is"),
        (lambda g: subset_simulation(g, 2, share=0.0, seed=1), "samples = 1000 with share = 0: allowed is"),
        (lambda g: subset_simulation(g, 2, most_levels=0, seed=1), "most_levels = 0 must be at least 1"),
        (lambda g: importance_sampling(g, 2, samples=1, seed=1), "samples = 1 must be at least 2"),
        (
            lambda g: importance_sampling(g, 2, samples=100, exploration=55, seed=1),
            "exploration = 55 must be a multiple of 10, at least 100",
        ),
        (
            lambda g: monte_carlo(lambda u: g(u)[:, None], 2, samples=10, seed=1),
            "the limit state of 10 points has the shape (10, 1); allowed: (10,)",
        ),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(InputError) as caught:
        build(linear(3.0, 2))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
