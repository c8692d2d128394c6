"""Allan deviation, windows and homogeneity against noise of known kind.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.drift import allan_deviation, count_ones, examine_drift
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError


def ideal(n, seed, lanes=1):
    return BitStream.from_bits(np.random.default_rng(seed).integers(0, 2, n, dtype=np.uint8), "unknown", {}, lanes)


def slope(found, low, high):
    """Of the logarithm of the devices' root mean Allan variance against that of the length, between two lengths."""
    lengths = found.devices[0].lengths
    chosen = (lengths >= low) & (lengths <= high)
    variance = np.mean([device.deviation**2 for device in found.devices], axis=0)
    return np.polyfit(np.log(lengths[chosen]), np.log(variance[chosen]) / 2, 1)[0]


@pytest.mark.parametrize(("lanes", "size"), [(1, 8), (1, 24), (1, 7), (3, 1), (5, 16), (16, 40)])
def test_counts(lanes, size):
    stream = ideal(5003, 1, lanes)
    blocks = stream.cycles // size
    expected = stream.table()[: blocks * size].reshape(blocks, size, lanes).sum(axis=1)
    np.testing.assert_array_equal(count_ones(stream, size), expected)


def test_counts_of_several_chunks():
    stream = ideal((1 << 23) + 12_345, 2, 3)
    counts = count_ones(stream, 1000)
    np.testing.assert_array_equal(counts, stream.table()[: len(counts) * 1000].reshape(-1, 1000, 3).sum(axis=1))


def test_allan_deviation_is_that_of_the_definition():
    """For 12 counts, written out; the degrees of freedom are those of SP 1065 for white frequency noise."""
    counts = np.random.default_rng(3).integers(0, 9, 12)
    found = allan_deviation(counts, 8, 2.0)
    y = counts / 8
    assert found.lengths.tolist() == [8, 16]
    assert found.deviation[0] == pytest.approx(math.sqrt(np.mean(np.diff(y) ** 2) / 2))
    means = (y[:-1] + y[1:]) / 2  # of 16 bits, overlapping
    assert found.deviation[1] == pytest.approx(math.sqrt(np.mean((means[2:] - means[:-2]) ** 2) / 2))
    assert found.white == pytest.approx([math.sqrt(2 / 8), math.sqrt(2 / 16)])
    assert found.degrees_of_freedom[0] == pytest.approx((3 * 12 / 2 - 2 * 11 / 13) * 4 / 9)


@pytest.mark.parametrize("p", [0.5, 0.2])
def test_intervals_and_tests_of_independent_bits(p):
    """500 streams of 2^14 bits: 95 % intervals hold the white line in 95 +- 4 % (4 sigma, 6e-5 each of up to 10).

    Excess noise is found in 5 % of them at most, up to 4 sigma (3e-5); the p-values are uniform (1e-4).
    """
    rng = np.random.default_rng([4, int(10 * p)])
    found = [examine_drift(BitStream.from_bits(rng.random(1 << 14) < p, "unknown", {})) for _ in range(500)]
    inside = np.mean([(one.stream.low <= one.stream.white) & (one.stream.white <= one.stream.high) for one in found], 0)
    assert (abs(inside - 0.95) < 0.04).all()
    exceeding = sum(one.stream.exceeds_white_from is not None for one in found)
    assert exceeding <= 0.05 * 500 + 4 * math.sqrt(500 * 0.05 * 0.95)
    assert stats.kstest([one.windows.p_value for one in found], "uniform").pvalue > 1e-4


def test_slopes():
    """-1/2 for independent bits, +1/2 for a random walk, 0 for 1/f noise, of 16 devices and 2^19 cycles.

    Over ten seeds the slopes are -0.499 +- 0.002, 0.48 +- 0.04 (the logistic flattens a walk) and -0.02 +- 0.04: the
    tolerances are 4.5 sigma or more (7e-6 each).
    """
    n = 1 << 23
    white = examine_drift(open_source("emulated:fair,lanes=16", 1).stream(n))
    assert slope(white, 8, 1e4) == pytest.approx(-0.5, abs=0.012)
    assert white.stream.exceeds_white_from is None
    walk = examine_drift(open_source("emulated:fair,lanes=16,walk=1e-3", 2).stream(n))
    assert slope(walk, 1.5e4, 7e4) == pytest.approx(0.5, abs=0.19)
    # p walks by 0.25e-3 a root cycle: sqrt(1/4 / m) = 0.25e-3 sqrt(m / 3) at m = 3464
    assert {device.exceeds_white_from for device in walk.devices} <= {1024, 2048, 4096}
    assert {device.steadiest_length for device in walk.devices} <= {2048, 4096, 8192}
    flicker = examine_drift(open_source("emulated:fair,lanes=16,flicker=0.2,slowest=1e8", 3).stream(n))
    assert slope(flicker, 1.5e4, 1.4e5) == pytest.approx(0, abs=0.22)


def test_devices():
    source = open_source("emulated:fair,p=0.52,lanes=16,spread=0.2,walk=1e-3", 1)
    found = examine_drift(source.stream(2_000_000))
    assert len(found.devices) == len(found.device_p_values) == 16
    assert found.windows.p_value < 1e-6
    assert np.median(found.device_p_values) < 1e-6
    # lanes that differ but stay as they are do not drift: the p-value is uniform (1e-4)
    steady = [
        examine_drift(open_source("emulated:fair,lanes=8,spread=0.5", seed).stream(20_000)) for seed in range(100)
    ]
    assert stats.kstest([one.windows.p_value for one in steady], "uniform").pvalue > 1e-4
    assert stats.kstest(np.concatenate([one.device_p_values for one in steady]), "uniform").pvalue > 1e-4


def test_windows_and_constant_devices():
    bits = np.random.default_rng(6).integers(0, 2, (4096, 2))
    bits[:, 1] = 1
    found = examine_drift(BitStream.from_lanes(bits, "unknown", {}), windows=16)
    assert found.windows.size == 512
    assert [one.count for one in found.windows.ones] == bits.reshape(16, -1).sum(axis=1).tolist()
    assert np.isnan(found.device_p_values[1])
    written = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert written["device_p_values"][1] is None
    assert written["devices"][1]["exceeds_white_from"] is None


def test_errors():
    with pytest.raises(InputError, match="at least 8 blocks of 8 cycles, got 63 cycles"):
        examine_drift(np.arange(63) % 2)
    with pytest.raises(InputError, match="with 0 % ones"):
        examine_drift(np.zeros(1000))
    with pytest.raises(ValueError, match="two windows or more"):
        examine_drift(np.arange(1000) % 2, windows=1)
