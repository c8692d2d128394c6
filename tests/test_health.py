"""Continuous health tests of SP 800-90B: cutoffs, definitions, false-alarm rates, cuts of the stream, lanes.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.sp800_90b.cutoffs import restart_cutoff
from mtjspice.bits.sp800_90b.health import (
    AdaptiveProportionTest,
    HealthMonitor,
    RepetitionCountTest,
    adaptive_proportion_cutoff,
    repetition_count_cutoff,
)
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError


def biased(n, p, seed):
    return (np.random.default_rng(seed).random(n) < p).astype(np.uint8)


# --- cutoffs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("min_entropy", "cutoff"), [(0.2, 941), (0.4, 840), (0.6, 748), (0.8, 664), (1.0, 589)])
def test_adaptive_proportion_cutoffs_of_the_standard(min_entropy, cutoff):
    """SP 800-90B, table 2: binary sources, window 1024, false alarms 2^-20."""
    assert adaptive_proportion_cutoff(min_entropy) == cutoff


def test_adaptive_proportion_cutoff_of_the_standard_for_other_windows():
    """The row of table 2 for one bit of min-entropy in windows of 512."""
    assert adaptive_proportion_cutoff(1.0, window=512) == 311


@pytest.mark.parametrize("exponent", [8, 20, 30, 40])
def test_adaptive_proportion_cutoff_by_integers(exponent):
    """H = 1: the tail of the binomial is a sum of integers."""
    cutoff, window = adaptive_proportion_cutoff(1.0, 2.0**-exponent), 1024
    above = sum(math.comb(window, k) for k in range(cutoff, window + 1))
    assert above << exponent <= 1 << window
    assert (above + math.comb(window, cutoff - 1)) << exponent > 1 << window


def test_adaptive_proportion_cutoff_by_scipy():
    for min_entropy in (0.05, 0.31, 0.77, 0.999):
        for exponent in (10, 20, 40):
            for window in (64, 512, 1024):
                expected = 1 + int(stats.binom.isf(2.0**-exponent, window, 2.0**-min_entropy))
                assert adaptive_proportion_cutoff(min_entropy, 2.0**-exponent, window) == expected


def test_repetition_count_cutoffs():
    """1 + ceil(-log2(alpha) / H), 4.4.1."""
    found = [
        repetition_count_cutoff(h, a)
        for h, a in ((1.0, 2**-20), (0.5, 2**-20), (0.3, 2**-20), (1.0, 2**-40), (1.0, 0.9))
    ]
    assert found == [21, 41, 68, 41, 2]


def test_restart_cutoff_by_integers():
    """H = 1: the commoner of 1000 ideal bits, one line at 1 - 0.99^(1/2000)."""
    cutoff, tail = restart_cutoff(1.0, 1000, 2000), -math.expm1(math.log(0.99) / 2000)
    above = [2 * sum(math.comb(1000, k) for k in range(c + 1, 1001)) / 2**1000 for c in (cutoff - 1, cutoff)]
    assert above[0] > tail >= above[1]


def test_unreachable_cutoff_raises_no_alarm():
    """So little entropy leaves nothing that a window of 64 could object to."""
    test = AdaptiveProportionTest(0.01, window=64)
    assert test.cutoff == 65
    assert test.feed(np.zeros(10_000, np.uint8)) == ()


# --- definitions ----------------------------------------------------------------------------------------------


def repetition_count(bits, cutoff):
    """4.4.1, steps 1 to 4, one alarm a run."""
    alarms, last, run = [], None, 0
    for position, bit in enumerate(bits):
        last, run = bit, run + 1 if bit == last else 1
        if run == cutoff:
            alarms.append(position)
    return alarms


def adaptive_proportion(bits, cutoff, window):
    """4.4.2, steps 1 to 5, one alarm a window."""
    alarms = []
    for begin in range(0, len(bits), window):
        count = 0
        for position in range(begin, min(begin + window, len(bits))):
            count += bits[position] == bits[begin]
            if count == cutoff:
                alarms.append(position)
                break
    return alarms


@pytest.mark.parametrize("lanes", [1, 3, 8, 50])
def test_monitors_by_definition_whatever_the_cuts(lanes):
    rng = np.random.default_rng(lanes)
    bits = biased(40_000, 0.7, lanes)
    bits[9_000:12_000] = 1
    repetition = RepetitionCountTest(0.8, 2**-6, lanes)
    proportion = AdaptiveProportionTest(0.8, 2**-6, 60, lanes)
    for test in (repetition, proportion):
        expected = []
        for lane in range(lanes):
            alone = bits[lane::lanes].tolist()
            alarms = (
                repetition_count(alone, test.cutoff)
                if test is repetition
                else adaptive_proportion(alone, test.cutoff, test.window)
            )
            expected += [lane + lanes * k for k in alarms]
        assert expected
        found, position = [], 0
        while position < bits.size:
            step = int(rng.integers(0, 3000 if position > 500 else 9))
            chunk = bits[position : position + step]
            found += test.feed(BitStream.from_bits(chunk, "emulated", {}) if step % 2 else chunk)
            position += step
        assert found == sorted(expected) == test.alarms
        assert test.samples == bits.size


def test_long_feeds_equal_short_ones():
    """Longer than the blocks in which the kernels work."""
    bits = biased(300_000, 0.6, 4)
    for lanes in (1, 7):
        whole, parts = HealthMonitor(0.9, 2**-10, lanes=lanes), HealthMonitor(0.9, 2**-10, lanes=lanes)
        whole.feed(bits)
        for begin in range(0, bits.size, 12_345):
            parts.feed(bits[begin : begin + 12_345])
        assert whole.alarms == parts.alarms
        assert len(whole.alarms) > 50


def test_dead_device_among_live_ones():
    """Device 3 of 16 sticks at its bit 5000: both tests name it, no other one, and soon."""
    bits = np.random.default_rng(2).integers(0, 2, (10_000, 16), dtype=np.uint8)
    bits[5_000:, 3] = 1
    monitor = HealthMonitor(1.0, lanes=16)
    monitor.feed(bits.ravel())
    assert {alarm.lane for alarm in monitor.alarms} == {3}
    assert {alarm.test for alarm in monitor.alarms} == {"repetition-count", "adaptive-proportion"}
    first = monitor.alarms[0]
    assert first.test == "repetition-count"
    assert 5_000 <= first.position // 16 <= 5_000 + monitor.repetition_count.cutoff


# --- false alarms ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.5, 0.7])
def test_false_alarms_of_repetition_count(p):
    """4e6 bits, against the exact expectation of runs that reach the cutoff; 4 sigma of a Poisson number: 6e-5.

    Runs of independent bits exclude one another, so that the number varies no more than Poisson's.
    """
    n, q = 4_000_000, 1 - p
    test = RepetitionCountTest(-math.log2(max(p, q)), 2**-10)
    alarms = len(test.feed(biased(n, p, 6)))
    c = test.cutoff
    expected = p**c + q**c + (n - c) * (q * p**c + p * q**c)
    assert expected > 600
    assert abs(alarms - expected) < 4 * math.sqrt(expected)


@pytest.mark.parametrize(("p", "window"), [(0.5, 1024), (0.5, 64), (0.75, 64)])
def test_false_alarms_of_adaptive_proportion(p, window):
    """4e6 bits, against the exact probability that a window raises an alarm; 4 sigma of the binomial: 6e-5."""
    n, q = 4_096_000, 1 - p
    test = AdaptiveProportionTest(-math.log2(max(p, q)), 2**-6, window)
    alarms = len(test.feed(biased(n, p, 9)))
    windows, missing = n // window, test.cutoff - 2  # beside the first bit, the sum must exceed this
    chance = p * stats.binom.sf(missing, window - 1, p) + q * stats.binom.sf(missing, window - 1, q)
    assert windows * chance > 20
    assert abs(alarms - windows * chance) < 4 * math.sqrt(windows * chance * (1 - chance))


def test_recommended_false_alarms_are_rare():
    """1e7 ideal bits at 2^-20: about 5 runs of 21 bits are expected (more than 20: 1e-7), and about 0.01 windows."""
    monitor = HealthMonitor(1.0)
    monitor.feed(np.random.default_rng(12).integers(0, 2, 10_000_000, dtype=np.uint8))
    assert 0 < len(monitor.repetition_count.alarms) <= 20
    assert len(monitor.adaptive_proportion.alarms) <= 1


# --- start-up, summary, input ---------------------------------------------------------------------------------


def test_startup():
    good = np.random.default_rng(3).integers(0, 2, 5_000, dtype=np.uint8)
    monitor = HealthMonitor(0.9)
    assert monitor.startup_passed is None
    monitor.feed(good[:1023])
    assert monitor.startup_passed is None
    monitor.feed(good[1023:1024])
    assert monitor.startup_passed is True
    monitor.feed(np.zeros(100, np.uint8))  # too late to matter
    assert monitor.alarms
    assert monitor.startup_passed is True
    early = HealthMonitor(0.9)
    early.feed(np.zeros(100, np.uint8))
    assert early.startup_passed is False


def test_summary_is_json():
    monitor = HealthMonitor(0.5, 2**-30, window=512, lanes=2)
    alarms = monitor.feed(np.zeros(100_000, np.uint8))
    assert alarms == monitor.alarms
    content = json.loads(json.dumps(monitor.as_dict(), allow_nan=False))
    assert content["samples"] == 100_000
    assert content["startup_passed"] is False
    assert content["repetition_count"] == {"cutoff": 61, "alarms": 2}
    assert content["adaptive_proportion"]["alarms"] == 2 * len(
        range(content["adaptive_proportion"]["cutoff"] - 1, 50_000, 512)
    )
    assert content["lanes_with_alarms"] == [0, 1]
    assert len(content["first_alarms"]) == 100
    assert content["first_alarms"][0] == {"test": "repetition-count", "position": 120, "lane": 0}


@pytest.mark.parametrize("min_entropy", [0.0, -0.1, 1.01, math.nan])
def test_bad_entropy(min_entropy):
    for use in (repetition_count_cutoff, adaptive_proportion_cutoff, RepetitionCountTest, HealthMonitor):
        with pytest.raises(InputError, match=r"must lie in \(0, 1\]"):
            use(min_entropy)


def test_bad_settings():
    for false_alarm in (0.0, 1.0, -1e-9, math.nan):
        with pytest.raises(InputError, match="false alarm must lie between 0 and 1"):
            repetition_count_cutoff(0.5, false_alarm)
        with pytest.raises(InputError, match="false alarm must lie between 0 and 1"):
            HealthMonitor(0.5, false_alarm)
    with pytest.raises(InputError, match="at least 2 bits, not 1"):
        adaptive_proportion_cutoff(0.5, window=1)
    with pytest.raises(InputError, match="at least one lane, not 0"):
        HealthMonitor(0.5, lanes=0)
    with pytest.raises(ValueError, match="bits must be 0 or 1"):
        HealthMonitor(0.5).feed([0, 3])
