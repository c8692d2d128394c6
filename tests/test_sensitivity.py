"""Sensitivity: regression and Sobol indices against closed forms and scipy, intervals that cover, missing results."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.sensitivity import Ranking, regression_ranking, saltelli_design, sobol_from_design

NAMES = ("diameter", "barrier", "threshold")
SLOPES = np.array([2.0, -1.0, 0.5])


def ishigami(u, a=7.0, b=0.1):
    x = pi * (2 * u - 1)
    return np.sin(x[:, 0]) + a * np.sin(x[:, 1]) ** 2 + b * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_indices(a=7.0, b=0.1):
    """First-order and total indices in closed form (Ishigami and Homma 1990; Saltelli et al. 2008, page 179)."""
    first = np.array([(1 + b * pi**4 / 5) ** 2 / 2, a**2 / 8, 0.0])
    third = 8 * b**2 * pi**8 / 225
    variance = np.sum(first) + third
    return first / variance, (first + np.array([third, 0.0, third])) / variance


def correlated(count, correlation, seed, noise=1.0):
    """Normal parameters, the first two correlated, and a linear result with noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 3))
    x[:, 1] = correlation * x[:, 0] + sqrt(1 - correlation**2) * x[:, 1]
    return x, x @ SLOPES + noise * rng.standard_normal(count)


def test_a_linear_result_is_explained_completely():
    """Without noise the coefficients are those of the sample, to rounding, whatever the units."""
    x, y = correlated(50, 0.0, 1, noise=0.0)
    found = regression_ranking(x * [1e-15, 1.0, 1e9] + [1e-13, 0.0, 1e10], 1e-6 * y, NAMES, seed=1)
    assert found.value == pytest.approx(SLOPES * np.std(x, axis=0) / np.std(y), rel=1e-6)
    assert found.explained == pytest.approx(1, abs=1e-9)
    assert (found.kind, found.names, found.note, found.total) == ("regression", NAMES, "", None)
    assert (found.used, found.left_out, found.ranks) == (50, 0, (1, 2, 3))


@pytest.mark.parametrize("correlation", [0.0, -0.8])
def test_regression_has_its_known_indices(correlation):
    """100,000 rows, five standard errors, each 1/sqrt(100,000) at most but for the correlation's 1/sqrt(1 - r^2).

    Var y = 4 + 1 + 1/4 - 4 r + 1. A slope's share is its square times the parameter's variance given the others, so
    that with r = -0.8 the shares of the first two fall by 1 - r^2 and the rest of R^2, common to both, is nobody's.
    """
    x, y = correlated(100_000, correlation, 2)
    found = regression_ranking(x, y, NAMES, seed=1, resamples=100)
    variance = 6.25 - 4 * correlation
    tolerance = 5 / sqrt(100_000 * (1 - correlation**2))
    assert found.value == pytest.approx(SLOPES / sqrt(variance), abs=tolerance)
    alone = np.array([1 - correlation**2, 1 - correlation**2, 1.0])
    assert found.share == pytest.approx(SLOPES**2 * alone / variance, abs=2 * tolerance)
    assert found.explained == pytest.approx(1 - 1 / variance, abs=2 * tolerance)
    if correlation:
        assert sum(found.share) < found.explained - 0.1
    else:
        assert sum(found.share) == pytest.approx(found.explained, abs=2 * tolerance)


def test_share_is_what_r_squared_loses_without_the_parameter():
    """Exactly, by two regressions of numpy's, with correlated parameters."""
    x, y = correlated(60, 0.7, 3)

    def r_squared(columns):
        design = np.column_stack([np.ones(60), x[:, columns]])
        rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        return 1 - np.var(rest) / np.var(y)

    found = regression_ranking(x, y, NAMES, seed=1)
    assert found.explained == pytest.approx(r_squared([0, 1, 2]), rel=1e-9)
    without = [r_squared([k for k in range(3) if k != left]) for left in range(3)]
    assert found.share == pytest.approx(found.explained - np.array(without), rel=1e-9)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_intervals_of_the_regression_cover(correlation):
    """Stated 0.95, 200 studies of 100 rows: fewer than with probability 1e-5 if it is 0.92 (the bootstrap's percentile
    interval is short by 0.01 to 0.03 at 100 rows): three parameters, so that an alarm is false 3 times in 1e5.
    """
    exact = SLOPES / sqrt(6.25 - 4 * correlation)
    inside = np.zeros(3)
    for seed in range(200):
        found = regression_ranking(*correlated(100, correlation, seed), NAMES, seed=seed, resamples=300)
        inside += (found.low <= exact) & (exact <= found.high)
        assert max(np.subtract(found.high, found.low)) < 0.7
    assert np.all(inside >= stats.binom.ppf(1e-5, 200, 0.92))


def test_a_result_that_is_not_linear_is_warned_of():
    """y = x1^2 has R^2 = 0 for normal x1: the standard error of R is 1/sqrt(2000)."""
    x, _ = correlated(2000, 0.0, 4)
    found = regression_ranking(x, x[:, 0] ** 2, NAMES, seed=1, resamples=100)
    assert found.explained < 3 * 5**2 / 2000
    assert found.note.startswith("a linear model explains only 0.0")
    assert found.note.endswith("of the variance (R^2 < 0.7): do not trust this ranking, use Sobol indices")


def test_missing_results_of_a_regression_are_left_out():
    x, y = correlated(80, 0.3, 5)
    gone = [3, 40, 41]
    y[gone] = np.nan
    found = regression_ranking(x, y, NAMES, seed=1)
    kept = np.delete(np.arange(80), gone)
    whole = regression_ranking(x[kept], y[kept], NAMES, seed=1)
    assert (found.used, found.left_out) == (77, 3)
    assert found.value == whole.value
    assert (found.low, found.high) == (whole.low, whole.high)


def test_order_and_ranks():
    def ranking(value, total=None):
        none = (0.0,) * 3
        return Ranking(NAMES, "sobol", value, none, none, value, total, none, none, 1.0, 0.95, 10, 0)

    assert ranking((0.1, -0.7, 0.2)).by_magnitude() == (1, 2, 0)
    assert ranking((0.1, -0.7, 0.2)).ranks == (3, 1, 2)
    assert ranking((0.5, 0.1, 0.1), (0.5, 0.6, 0.7)).by_magnitude() == (2, 1, 0)
    assert ranking((0.2, 0.2, 0.3)).by_magnitude() == (2, 0, 1)


def test_the_design_is_that_of_saltelli():
    design = saltelli_design(3, 64, 7)
    blocks = design.reshape(5, 64, 3)
    assert np.all((design > 0) & (design < 1))
    for k in range(3):
        for column in range(3):
            assert np.array_equal(blocks[2 + k][:, column], blocks[1 if column == k else 0][:, column])
    # each column of A and B is even: one number in each 64th
    for column in np.concatenate((blocks[0], blocks[1]), axis=1).T:
        assert sorted(np.floor(64 * column)) == list(range(64))
    assert np.array_equal(design, saltelli_design(3, 64, 7))
    assert not np.array_equal(design, saltelli_design(3, 64, 8))


def test_indices_of_the_ishigami_function():
    """4096 base samples: standard deviation over seeds 0.005 at most (measured), five of them."""
    first, total = ishigami_indices()
    found = sobol_from_design(ishigami(saltelli_design(3, 4096, 1)), 3, NAMES, 1)
    assert found.value == pytest.approx(first, abs=0.025)
    assert found.total == pytest.approx(total, abs=0.025)
    assert found.explained == pytest.approx(np.sum(first), abs=0.05)
    assert (found.kind, found.used, found.left_out, found.note) == ("sobol", 4096, 0, "")
    assert found.by_magnitude() == (0, 1, 2)


def test_indices_of_a_linear_result():
    """First-order and total indices agree: squared slopes over their sum."""
    y = 5.0 + ndtri(saltelli_design(3, 1024, 2)) @ SLOPES
    found = sobol_from_design(y, 3, NAMES, 1)
    assert found.value == pytest.approx(SLOPES**2 / np.sum(SLOPES**2), abs=0.03)
    assert found.total == pytest.approx(found.value, abs=0.05)


def test_agreement_with_scipy():
    """scipy's indices from the same results: first-order of Saltelli 2010, total of Jansen; both to rounding."""
    y = ishigami(saltelli_design(3, 256, 3))
    blocks = y.reshape(5, 1, 256)
    theirs = stats.sobol_indices(func={"f_A": blocks[0], "f_B": blocks[1], "f_AB": blocks[2:]}, n=256)
    found = sobol_from_design(y, 3, NAMES, 1)
    assert found.value == pytest.approx(theirs.first_order, abs=1e-12)
    assert found.total == pytest.approx(theirs.total_order, abs=1e-12)


def test_intervals_of_sobol_indices_cover():
    """Stated 0.95, 150 designs of 64 base samples: fewer than with probability 1e-5 if it is 0.92 in truth.

    Six indices, so that an alarm is false 6 times in 1e5. The points are even, so that more may be covered.
    """
    first, total = ishigami_indices()
    inside = np.zeros(6)
    for seed in range(150):
        found = sobol_from_design(ishigami(saltelli_design(3, 64, seed)), 3, NAMES, seed, resamples=300)
        exact, low = np.append(first, total), np.append(found.low, found.total_low)
        high = np.append(found.high, found.total_high)
        inside += (low <= exact) & (exact <= high)
        assert np.max(high - low) < 1.5
    assert np.all(inside >= stats.binom.ppf(1e-5, 150, 0.92))


def test_missing_results_leave_whole_base_rows_out():
    y = ishigami(saltelli_design(3, 128, 4))
    holes = y.copy()
    holes[[5, 128 + 9, 4 * 128 + 9, 3 * 128 + 100]] = np.nan
    kept = np.delete(np.arange(128), [5, 9, 100])
    found = sobol_from_design(holes, 3, NAMES, 1)
    whole = sobol_from_design(y.reshape(5, 128)[:, kept].ravel(), 3, NAMES, 1)
    assert (found.used, found.left_out) == (125, 3)
    assert found.note == "3 of 128 base rows were left out: the points are no longer even"
    assert (found.value, found.total, found.low) == (whole.value, whole.total, whole.low)


X, Y = correlated(20, 0.0, 6)
HOLES = np.where(np.arange(20) < 13, np.nan, Y)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: regression_ranking(X, Y[:-1], NAMES, seed=1), "x has the shape (20, 3) and y (19,); allowed: (n, 3)"),
        (lambda: regression_ranking(X, Y, NAMES[:2], seed=1), "x has the shape (20, 3) and y (20,); allowed: (n, 2)"),
        (lambda: regression_ranking(X * np.inf, Y, NAMES, seed=1), "x and y must be finite"),
        (lambda: regression_ranking(X, HOLES, NAMES, seed=1), "7 rows with a result for 3 parameters; allowed: 8 or"),
        (lambda: regression_ranking(X * [1, 0, 1], Y, NAMES, seed=1), "the parameter 'barrier' does not vary"),
        (
            lambda: regression_ranking(X[:, [0, 1, 1]], Y, NAMES, seed=1),
            "the parameters diameter, barrier, threshold are linear combinations of one another",
        ),
        (lambda: regression_ranking(X, Y, NAMES, seed=1, resamples=10), "resamples = 10 must be at least 100"),
        (lambda: saltelli_design(0, 64, 1), "dimensions = 0 must be at least 1"),
        (lambda: saltelli_design(3, 100, 1), "base_samples = 100 must be a power of two, at least 8"),
        (lambda: saltelli_design(3, 4, 1), "base_samples = 4 must be a power of two, at least 8"),
        (
            lambda: sobol_from_design(Y[:18], 3, NAMES, 1),
            "y has the shape (18,) for 3 dimensions with 3 names; allowed",
        ),
        (lambda: sobol_from_design(Y, 3, NAMES[:2], 1), "y has the shape (20,) for 3 dimensions with 2 names; allowed"),
        (lambda: sobol_from_design(Y, 3, NAMES, 1), "4 base rows with all their results; allowed: 8 or more"),
        (lambda: sobol_from_design(np.full(40, np.inf), 3, NAMES, 1), "y must be finite"),
    ],
)
def test_bad_input_is_one_clear_line(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_a_result_that_does_not_vary(value):
    for build in (
        lambda: regression_ranking(X, np.full(20, value), NAMES, seed=1),
        lambda: sobol_from_design(np.full(80, value), 3, NAMES, 1),
    ):
        with pytest.raises(MtjspiceError, match=r"^the result does not vary: no parameter moves it$"):
            build()
