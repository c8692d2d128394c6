"""Parameter spaces: every point once, seeds that belong to points, distributions and correlations as asked for."""

from math import log, sqrt

import numpy as np
import pytest
from scipy import stats

from mtjspice.errors import InputError
from mtjspice.studies.space import SAMPLINGS, Space, Spread, Sweep

VOLTAGE = Sweep("voltage", (1.0, 1.2), "V")
CORNER = Sweep("corner", ("ss", "typical", "ff"))
RADIUS = Spread("diameter", 100e-9, 4e-9, unit="m")


def test_points_are_the_product_of_the_dimensions():
    space = Space((VOLTAGE, CORNER), (RADIUS,), samples=4, trials=2, seed=7)
    points = list(space.points())
    assert len(points) == len(space) == 2 * 3 * 4 * 2
    assert space.dimensions == ("voltage", "corner", "sample", "trial")
    assert space.shape == (2, 3, 4, 2)
    assert len({point.index for point in points}) == len(points)
    assert len({point.seed for point in points}) == len(points)
    for point in points:
        assert point == space.point(point.index)
        assert point.values["corner"] == CORNER.values[point.index[1]]


def test_a_sample_is_the_same_device_at_every_point():
    space = Space((VOLTAGE, CORNER), (RADIUS,), samples=5)
    for sample in range(5):
        drawn = {space.point((v, c, sample)).values["diameter"] for v in range(2) for c in range(3)}
        assert len(drawn) == 1


def test_seeds_and_samples_do_not_depend_on_the_other_values():
    small = Space((Sweep("voltage", (1.2,)),), (RADIUS,), samples=3, seed=5)
    large = Space((Sweep("voltage", (0.9, 1.0, 1.2, 1.4)),), (RADIUS,), samples=3, seed=5)
    for sample in range(3):
        assert small.point((0, sample)) != large.point((1, sample))
        alone, among = small.point((0, sample)), large.point((2, sample))
        assert (alone.values, alone.seed) == (among.values, among.seed)
    other = Space((Sweep("voltage", (1.2,)),), (RADIUS,), samples=3, seed=6)
    assert other.point((0, 0)).seed != small.point((0, 0)).seed
    assert other.draws()["diameter"][0] != small.draws()["diameter"][0]


DISTRIBUTIONS = {
    "normal": (Spread("x", 5.0, 2.0), stats.norm(5, 2)),
    "uniform": (Spread("x", 5.0, 2.0, "uniform"), stats.uniform(5 - 2 * sqrt(3), 4 * sqrt(3))),
    "lognormal": (
        Spread("x", 5.0, 2.0, "lognormal"),
        stats.lognorm(sqrt(log(1.16)), scale=5 / sqrt(1.16)),
    ),
    "cut off": (Spread("x", 0.0, 1.0, low=-1.0, high=2.0), stats.truncnorm(-1, 2)),
}


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_have_their_distribution(name, sampling):
    """Kolmogorov-Smirnov on 4096 draws: p > 1e-4 fails once in 10,000 for Monte Carlo, never for the even samplings."""
    spread, expected = DISTRIBUTIONS[name]
    samples = 3 * 1024 if sampling == "saltelli" else 4096
    drawn = Space(spreads=(spread,), samples=samples, seed=2, sampling=sampling).draws()["x"]
    if sampling == "saltelli":
        drawn = drawn[: 2 * 1024]  # the third part repeats the second: one spread has one column
    assert stats.kstest(drawn, expected.cdf).pvalue > 1e-4
    # five standard errors of mean and standard deviation
    assert abs(drawn.mean() - expected.mean()) < 5 * expected.std() / 64
    assert drawn.std() == pytest.approx(expected.std(), rel=5 * 1.5 / 64)


def test_even_samplings_have_the_smaller_variance():
    """The mean of x + y over 64 samples in 200 studies: variance 2/64 by Monte Carlo, far less by the others."""
    spreads = (Spread("x", 0.0, 1.0), Spread("y", 0.0, 1.0))
    variance = {}
    for sampling in ("monte-carlo", "latin-hypercube", "sobol"):
        means = [
            sum(
                drawn.mean()
                for drawn in Space(spreads=spreads, samples=64, seed=seed, sampling=sampling).draws().values()
            )
            for seed in range(200)
        ]
        variance[sampling] = np.var(means)
    # chi-squared with 199 degrees of freedom: five standard deviations are half of it
    assert variance["monte-carlo"] == pytest.approx(2 / 64, rel=0.5)
    assert variance["latin-hypercube"] < 0.05 * variance["monte-carlo"]
    assert variance["sobol"] < 0.05 * variance["monte-carlo"]


def test_correlations_are_those_asked_for():
    """4000 draws: the standard error of a correlation r is (1 - r^2)/sqrt(4000); five of them."""
    names = ("a", "b", "c")
    wanted = {("a", "b"): 0.8, ("b", "c"): -0.5}
    space = Space(spreads=tuple(Spread(name, 1.0, 0.1) for name in names), samples=4000, seed=3, correlations=wanted)
    found = np.corrcoef([space.draws()[name] for name in names])
    for (one, other), value in {**wanted, ("a", "c"): 0.0}.items():
        r = found[names.index(one), names.index(other)]
        assert abs(r - value) < 5 * (1 - value**2) / sqrt(4000)


def test_a_space_without_random_dimensions_has_no_samples():
    space = Space((VOLTAGE,), trials=3)
    assert space.dimensions == ("voltage", "trial")
    assert [point.values for point in space.points()] == [{"voltage": v} for v in (1.0, 1.0, 1.0, 1.2, 1.2, 1.2)]
    assert next(Space().points()).index == ()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Sweep("v", ()), "sweep 'v' has no values"),
        (lambda: Sweep("v", (1.0, 1.0)), "sweep 'v' has a value twice"),
        (lambda: Sweep("v", (float("inf"),)), "sweep 'v' has the value inf; values must be finite"),
        (lambda: Spread("x", 1.0, -0.1), "'x': mean 1.0 must be finite, deviation -0.1 not negative"),
        (lambda: Spread("x", -1.0, 0.1, "lognormal"), "'x': the mean -1 of a lognormal distribution must be positive"),
        (lambda: Spread("x", 1.0, 0.1, "cauchy"), "unknown distribution of 'x' 'cauchy'; available: lognormal, normal"),
        (lambda: Spread("x", 0.0, 1.0, low=2.0, high=1.0), "'x': between 2.0 and 1.0 there is nothing of its"),
        (lambda: Space((VOLTAGE, VOLTAGE)), "the dimension 'voltage' is there twice"),
        (lambda: Space((Sweep("trial", (1,)),)), "a dimension cannot be called 'trial', which is that of the trials"),
        (lambda: Space(samples=3), "3 samples of nothing: the space has no random dimension (use trials)"),
        (lambda: Space(trials=0), "samples = 1 and trials = 0 must be at least 1"),
        (
            lambda: Space(sampling="halton"),
            "unknown sampling 'halton'; available: latin-hypercube, monte-carlo, saltelli, sobol",
        ),
        (
            lambda: Space(spreads=(RADIUS,), samples=30, sampling="saltelli"),
            "samples = 30: saltelli sampling of 1 spreads takes 3 times a power of two of at least 8, such as 192",
        ),
        (
            lambda: Space(spreads=(RADIUS,), seeds=("mismatch",), samples=24, sampling="saltelli"),
            "saltelli sampling needs independent spreads, and nothing that the simulator draws",
        ),
        (lambda: Space(seed=-1), "seed -1 is out of range"),
        (lambda: Space(spreads=(RADIUS,), correlations={("diameter", "x"): 0.5}), "correlation of ('diameter', 'x')"),
        (
            lambda: Space((VOLTAGE,)).point((2,)),
            "there is no point (2,); the dimensions ('voltage',) have",
        ),
    ],
)
def test_bad_spaces_are_one_clear_line(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_seeds_of_the_simulator_are_a_dimension_of_samples():
    """One seed a sample for all that the simulator draws, the same at every point of the sweeps."""
    space = Space((VOLTAGE,), seeds=("mismatch", "process"), samples=5, seed=4)
    drawn = space.draws()
    assert drawn["mismatch"].tolist() == drawn["process"].tolist()
    assert len(set(drawn["mismatch"].tolist())) == 5
    assert all(0 < one < 2**31 for one in drawn["mismatch"].tolist())
    points = list(space.points())
    assert points[2].values["mismatch"] == points[7].values["mismatch"]
    assert space.coordinates()["mismatch"][0] == "sample"


def test_scores_far_out_are_exact():
    """Eight standard deviations out, where quantiles of shares have lost their digits."""
    spread = Spread("x", 2.0, 0.5)
    assert spread.from_scores(np.array([8.0, -8.0])).tolist() == [6.0, -2.0]
    log = Spread("x", 2.0, 0.5, "lognormal")
    shares = stats.norm.cdf([-2.0, 0.0, 3.0])
    np.testing.assert_allclose(log.from_scores(np.array([-2.0, 0.0, 3.0])), log.quantile(shares), rtol=1e-9)


def test_places_and_indices():
    space = Space((VOLTAGE, Sweep("corner", ("ss", "ff"))), trials=3)
    for place, point in enumerate(space.points()):
        assert space.index_of(place) == point.index
    with pytest.raises(InputError, match="there is no point"):
        space.index_of(len(space))
