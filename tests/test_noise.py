"""The thermal noise: Random123's known answers, moments and independence.

Statistical checks use fixed seeds. A check against z standard deviations of a normal statistic would fail by
chance, were the seed drawn anew, with probability 6.8e-6 at z = 4.5; this file makes about 60 such checks.
"""

from math import cos, log, pi, sin, sqrt

import numpy as np
import pytest
from numba import njit
from scipy import stats

from mtjspice.device import derived, noise
from mtjspice.device.card import load_card

Z = 4.5
N = 200_000


@njit
def nodes(seed, device, first, n):
    out = np.empty((n, 3))
    for i in range(n):
        out[i] = noise.field_node(seed, device, first + i)
    return out


@njit
def drives(seed, device, n):
    out = np.empty(n)
    for i in range(n):
        out[i] = noise.drive_deviation(seed, device, i)
    return out


@pytest.mark.parametrize(
    ("key", "counter", "answer"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1, 2**32 - 1), (2**32 - 1, 2**32 - 1), (0x1CB996FC, 0xBB002BE7)),
        # Random123's kat_vectors lists the counter (digits of pi from 243f6a88) before the key
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_threefry_gives_the_known_answers_of_random123(key, counter, answer):
    assert tuple(int(word) for word in noise.threefry2x32(*key, *counter)) == answer


def test_arguments_count_modulo_two_to_the_32():
    assert noise.threefry2x32(-1, -2, -3, -4) == noise.threefry2x32(2**32 - 1, 2**32 - 2, 2**32 - 3, 2**32 - 4)
    assert noise.threefry2x32(1, 2, 3, 2**32 + 4) == noise.threefry2x32(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("seed", "device", "index"), [(0, 0, 0), (1, 2, 3), (2**32 - 1, 999, 4_000_000_000), (7, 8, 2**32 - 1)]
)
def test_normals_are_box_muller_of_the_two_words(seed, device, index):
    def pair(stream, counter=index):
        u, v = ((int(word) + 0.5) / 2**32 for word in noise.threefry2x32(seed, device, counter, stream))
        return sqrt(-2 * log(u)) * cos(2 * pi * v), sqrt(-2 * log(u)) * sin(2 * pi * v)

    x, y, z = noise.field_node(seed, device, index)
    assert (x, y) == pytest.approx(pair(0), rel=1e-12)
    assert z == pytest.approx(pair(1, index // 2)[index % 2], rel=1e-12)
    assert noise.drive_deviation(seed, device, index) == pytest.approx(pair(2)[0], rel=1e-12)


@pytest.mark.parametrize(("seed", "device"), [(0, 0), (1, 0), (2**32 - 1, 12345)])
def test_nodes_are_standard_normal(seed, device):
    values = nodes(seed, device, 0, N)
    assert np.all(np.isfinite(values))
    assert np.abs(values).max() <= sqrt(2 * 33 * log(2))
    for component in values.T:
        assert abs(component.mean()) < Z / sqrt(N)
        assert abs((component**2).mean() - 1) < Z * sqrt(2 / N)
        assert abs((component**3).mean()) < Z * sqrt(15 / N)
        assert abs((component**4).mean() - 3) < Z * sqrt(96 / N)
        assert stats.kstest(component, "norm").pvalue > 1e-5


def test_tails_are_those_of_a_normal():
    values = nodes(11, 3, 0, 2_000_000).ravel()
    expected = values.size * 2 * stats.norm.sf(4.0)  # 380
    assert abs(np.count_nonzero(np.abs(values) > 4.0) - expected) < Z * sqrt(expected)


def uncorrelated(first, second):
    """Correlation of values and of squares, each in units of its standard deviation 1/sqrt(n)."""
    n = len(first)
    for a, b in ((first, second), (first**2, second**2)):
        assert abs(np.corrcoef(a, b)[0, 1]) * sqrt(n) < Z


def test_components_nodes_devices_seeds_and_streams_are_independent():
    base = nodes(5, 7, 0, N)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        uncorrelated(base[:, i], base[:, j])
    for lag in (1, 2, 3):
        for i in range(3):
            uncorrelated(base[:-lag, i], base[lag:, i])
    for seed, device in ((5, 8), (6, 7), (7, 5), (5, 7 + 2**16), (5 + 2**31, 7)):
        other = nodes(seed, device, 0, N)
        for i in range(3):
            uncorrelated(base[:, i], other[:, i])
    for i in range(3):
        uncorrelated(base[:, i], drives(5, 7, N))
    # the ensemble: one node of many devices
    ensemble = np.array([noise.field_node(5, device, 0) for device in range(5000)])
    assert np.all(np.abs(ensemble.mean(axis=0)) < Z / sqrt(5000))
    assert np.all(np.abs((ensemble**2).mean(axis=0) - 1) < Z * sqrt(2 / 5000))
    for i in range(3):
        uncorrelated(ensemble[:-1, i], ensemble[1:, i])


def test_a_node_depends_on_its_index_only():
    np.testing.assert_array_equal(nodes(3, 4, 100, 50), nodes(3, 4, 0, 150)[100:])


def test_amplitude_of_the_thermal_field():
    """Brown 1963: 2 alpha k T/(gamma Ms V dt) with the unreduced gamma; the number by hand for meram100."""
    card = load_card("meram100")
    # 2 x 0.05 x 1.380649e-23 x 300/(1.76085963e11 x 0.9e6 x 7.85398e-24 x 1e-12) = 3.3277e-4 T^2
    assert derived.thermal_field_deviation(card, 300.0, 1e-12) == pytest.approx(sqrt(3.3277e-4), rel=1e-4)
    assert derived.thermal_field_deviation(card, 75.0, 1e-12) == pytest.approx(sqrt(3.3277e-4) / 2, rel=1e-4)
    assert derived.thermal_field_deviation(card, 300.0, 4e-12) == pytest.approx(sqrt(3.3277e-4) / 2, rel=1e-4)
    assert derived.thermal_field_deviation(card, 0.0, 1e-12) == 0
