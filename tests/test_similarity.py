"""Distances between streams against the hypergeometric law and copies of all kinds.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.overlaps import overlap_p_value, sidak
from mtjspice.bits.similarity import compare_lanes, compare_parts, compare_streams
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError


def lanes_of(table):
    return BitStream.from_lanes(np.asarray(table, np.uint8), "unknown", {})


def test_distances_are_counted():
    table = np.random.default_rng(1).random((1001, 5)) < 0.3
    found = compare_lanes(lanes_of(table))
    expected = [np.mean(table[:, i] != table[:, j]) for i in range(5) for j in range(i + 1, 5)]
    np.testing.assert_allclose(found.distances, expected)
    assert (found.streams, found.length, found.pairs, found.possible) == (5, 1001, 10, 10)


def test_distance_of_biased_streams():
    """p1 q2 + q1 p2 within 4.5 sigma (7e-6), as is the z with the streams' own ones."""
    rng, n = np.random.default_rng(2), 1_000_000
    streams = [BitStream.from_bits(rng.random(n) < p, "unknown", {}) for p in (0.2, 0.7)]
    found = compare_streams(streams)
    expected = 0.2 * 0.3 + 0.8 * 0.7
    assert abs(found.distances[0] - expected) < 4.5 * math.sqrt(expected * (1 - expected) / n)
    assert abs(found.z[0]) < 4.5


def test_z_and_p_values_are_calibrated():
    """400 streams of 8 lanes of biased bits: z has the variance 1 within 4 sigma; Sidak's p-values are conservative.

    z: 11200 of them, standard error of the variance sqrt(2 / 11200) = 0.013. P-values are discrete, so those below
    0.05 are at most 5 % + 4 sigma (3e-5), and not below 1 %.
    """
    rng, z, p = np.random.default_rng(3), [], []
    for _ in range(400):
        found = compare_lanes(lanes_of(rng.random((400, 8)) < np.linspace(0.2, 0.8, 8)), lags=2)
        z.append(found.z)
        p.append(found.p_value)
    assert abs(np.var(z) - 1) < 4 * 0.0134
    rejected = np.mean(np.array(p) < 0.05)
    assert 0.01 < rejected < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)


def test_overlap_is_fishers_exact_test():
    for n, a, b, both in ((20, 8, 9, 1), (100, 50, 50, 35), (1000, 3, 500, 3), (50, 50, 20, 20)):
        law = stats.hypergeom(n, a, b)
        expected = min(1, 2 * min(law.cdf(both), law.sf(both - 1)))
        assert overlap_p_value(n, a, b, both) == pytest.approx(expected, rel=1e-9)
    # the normal limit, where both are computed
    exact = overlap_p_value(2_000_000, 1_000_000, 1_000_000, 501_500)
    normal = 2 * stats.norm.sf(1500 / math.sqrt(2e6 / 16))
    assert exact == pytest.approx(normal, rel=0.01)
    assert sidak(0.01, 10) == pytest.approx(1 - 0.99**10)


def test_copies_are_found():
    rng = np.random.default_rng(4)
    table = rng.integers(0, 2, (2000, 10))
    table[:, 3] = table[:, 7]
    table[:, 5] = 1 - table[:, 9]
    table[:, 0] = 1
    found = compare_lanes(lanes_of(table))
    assert found.identical == ((3, 7),)
    assert found.inverted == ((5, 9),)
    assert found.constant == (0,)
    assert found.p_value < 1e-300
    assert math.isnan(found.z[0])
    assert json.dumps(found.as_dict(), allow_nan=False)


@pytest.mark.parametrize(("lag", "order"), [(1, (2, 4)), (70, (4, 2)), (128, (2, 4))])
def test_delayed_copies_are_found_at_their_lag(lag, order):
    """A half-true copy, ``lag`` bits later, with either stream being the later one."""
    rng = np.random.default_rng(5)
    table = rng.integers(0, 2, (5000, 6))
    first, second = order
    copied = np.flatnonzero(rng.random(5000 - lag) < 0.5)
    table[copied + lag, second] = table[copied, first]
    worst = compare_lanes(lanes_of(table), lags=128).worst
    assert (worst.first, worst.second, worst.lag) == (first, second, lag)
    overlap = 5000 - lag
    direct = np.mean(table[:overlap, first] != table[lag:, second])
    assert worst.distance == pytest.approx(direct)


def test_repeated_recording():
    bits = np.random.default_rng(6).integers(0, 2, 16_000)
    bits[9_000:10_000] = bits[2_000:3_000]
    found = compare_parts(BitStream.from_bits(bits, "unknown", {}))
    assert found.identical == ((2, 9),)


def test_some_pairs_of_many():
    table = np.random.default_rng(7).integers(0, 2, (64, 50))
    found = compare_lanes(lanes_of(table), limit=300, seed=1)
    assert (found.pairs, found.possible) == (300, 1225)
    every = compare_lanes(lanes_of(table))
    assert set(found.distances) <= set(every.distances)
    assert not np.array_equal(found.distances, compare_lanes(lanes_of(table), limit=300, seed=2).distances)


def test_errors():
    with pytest.raises(InputError, match="one lane"):
        compare_lanes(BitStream.from_bits([0, 1], "unknown", {}))
    with pytest.raises(InputError, match="at least 2 streams"):
        compare_streams([BitStream.from_bits([0, 1], "unknown", {})])
    with pytest.raises(InputError, match="lags up to 9"):
        compare_streams([BitStream.from_bits([0, 1, 1], "unknown", {})] * 2, lags=9)
