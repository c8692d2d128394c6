"""Wilson's interval against published values and its exact coverage."""

from math import isnan

import numpy as np
import pytest
from scipy import stats

from mtjspice.statistics import wilson


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    [
        # Newcombe, Statist. Med. 17, 857 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(count, trials, low, high):
    interval = wilson(count, trials)
    assert interval.low == pytest.approx(low, abs=5.1e-5)
    assert interval.high == pytest.approx(high, abs=5.1e-5)
    assert interval.value == count / trials
    assert (interval.count, interval.trials, interval.confidence) == (count, trials, 0.95)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("trials", [1, 7, 1000, 10**9])
def test_against_scipy_and_symmetry(trials, confidence):
    for count in {0, trials // 3, trials}:
        ours = wilson(count, trials, confidence)
        theirs = stats.binomtest(count, trials).proportion_ci(confidence, method="wilson")
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
        mirrored = wilson(trials - count, trials, confidence)
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((ours.low, ours.high), abs=1e-12)
        assert 0 <= ours.low <= ours.value <= ours.high <= 1


@pytest.mark.parametrize("trials", [20, 100, 1000])
def test_coverage(trials):
    """Exact coverage: close to the confidence on average over p, below it by little even at its worst."""
    intervals = [wilson(count, trials) for count in range(trials + 1)]
    p = np.linspace(0.001, 0.999, 999)
    inside = np.array([(i.low <= p) & (p <= i.high) for i in intervals])
    coverage = np.sum(inside * stats.binom.pmf(np.arange(trials + 1)[:, None], trials, p), axis=0)
    assert coverage.mean() == pytest.approx(0.95, abs=0.01)
    assert coverage.min() > 0.83
    assert coverage[(p > 0.2) & (p < 0.8)].min() > 0.92


def test_ends_are_exact():
    assert wilson(0, 3).low == 0.0
    assert wilson(3, 3).high == 1.0


def test_nothing_is_known_without_trials():
    interval = wilson(0, 0)
    assert (interval.low, interval.high) == (0.0, 1.0)
    assert isnan(interval.value)


@pytest.mark.parametrize(("count", "trials"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts(count, trials):
    with pytest.raises(ValueError, match="must lie between 0 and trials"):
        wilson(count, trials)
