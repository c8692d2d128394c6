"""Examinations: what is found in good, bad, short and constant streams.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits import questions
from mtjspice.bits.berlekamp_massey import linear_complexity
from mtjspice.bits.examination import FALSE_ALARM, examine
from mtjspice.bits.files import read, write
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError


def ideal(n, seed, lanes=1):
    bits = np.random.Generator(np.random.PCG64(seed)).integers(0, 2, n, dtype=np.uint8)
    return BitStream.from_bits(bits, "unknown", {}, lanes)


def written(found):
    return json.loads(json.dumps(found.as_dict(), allow_nan=False))


@pytest.mark.parametrize(("n", "lanes"), [(100_000, 1), (100_000, 8), (2_000, 1), (300, 3)])
def test_good_bits_have_no_findings(n, lanes):
    """12 streams: a finding in 1 % of them at most, so 3 or more of 12 by chance once in 5000 for each case.

    The p-values of every question are not too small: below 0.01 in at most 4 of 12 (1e-7 each).
    """
    found = [examine(ideal(n, seed, lanes), predictors=False, health_entropy=0.9) for seed in range(12)]
    assert sum(bool(one.findings()) for one in found) < 3
    for number, question in enumerate(found[0].asked):
        assert sum(one.asked[number].p_value < 0.01 for one in found) <= 4, question.asked


@pytest.mark.slow
def test_false_alarm_rate():
    """200 streams of 10^5 bits with all questions: at most 1 % have findings; 8 or more of them once in 1000."""
    assert stats.binom.sf(7, 200, FALSE_ALARM) < 1.5e-3
    assert sum(bool(examine(ideal(100_000, seed, 8 if seed % 2 else 1)).findings()) for seed in range(200)) <= 7


def test_devices_with_every_flaw():
    source = open_source("emulated:fair,p=0.52,lanes=16,spread=0.2,walk=1e-3,heating=0.5", 1)
    found = examine(source.stream(150_000), health_entropy=0.9)
    suspicious = {question.asked for question in found.asked if question.p_value < found.limit}
    assert suspicious >= {"ones", "autocorrelation", "blocks", "lanes", "drift of devices", "prediction", "health"}
    assert len(found.findings()) == len(suspicious)
    assert "% of the bits are 1" in " ".join(found.findings())
    assert f"limit {FALSE_ALARM / len(found.asked):.1g} for {len(found.asked)} questions" in found.findings()[0]
    worst = found.worst_lanes[0]
    assert abs(found.lanes[worst].value - 0.5) == max(abs(lane.value - 0.5) for lane in found.lanes)
    assert written(found)["worst_lanes"][0] == worst
    assert found.recoveries == ()


@pytest.mark.parametrize(
    ("source", "named"),
    [("lfsr:16", "LFSR of 16 stages, taps 16.14.13.11"), ("mt19937", "Mersenne Twister"), ("lcg:mmix", "LCG mmix")],
)
def test_known_generators(source, named):
    found = examine(open_source(source, 1).stream(50_000), predictors=False)
    assert named in found.findings()[0]
    assert found.findings()[0].startswith("the generator is known")


def test_copied_lanes():
    table = np.random.default_rng(1).integers(0, 2, (5000, 4))
    table[:, 2] = table[:, 0]
    found = examine(BitStream.from_lanes(table, "unknown", {}), predictors=False)
    assert any("lanes 0 and 2 are identical" in sentence for sentence in found.findings())


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize(("n", "lanes"), [(20, 1), (50_000, 16)])
def test_constant_bits(value, n, lanes):
    found = examine(BitStream.from_bits(np.full(n, value), "unknown", {}, lanes), health_entropy=0.5)
    assert found.findings() == (f"all {n} bits are {value}",)
    assert written(found)["absent"]["drift"] == "all bits are equal"


@pytest.mark.parametrize("n", [2, 3, 5, 8, 17, 63, 64, 99, 100, 130, 999, 1_030])
@pytest.mark.parametrize("lanes", [1, 2, 50])
def test_short_streams(n, lanes):
    """What cannot be computed is absent, with a reason."""
    found = examine(ideal(n, 4, lanes))
    result = written(found)
    for name in ("drift", "similarity", "predictions"):
        assert (result[name] is None) == (name in found.absent)
    assert (result["linear_complexity"] is None) == (n < 64)
    assert found.findings() == ()


def test_too_short():
    with pytest.raises(InputError, match="at least 2 bits, got 1"):
        examine(ideal(1, 1))


def test_memory_mapped_file_gives_the_same(tmp_path):
    stream = ideal(20_000, 5, 4)
    path = tmp_path / "bits.bin"
    write(stream, path)
    fractions = []
    found = examine(read(path), progress=fractions.append)
    assert written(found) == written(examine(stream))
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


class TestQuestions:
    def test_balance(self):
        assert questions.balance(40, 100) == pytest.approx(stats.binomtest(40, 100).pvalue)
        assert questions.balance(50, 100) == 1

    def test_complexity(self):
        """Exact for all sequences of 12 bits, counted one by one."""
        every = (np.arange(1 << 12)[:, np.newaxis] >> np.arange(12)) & 1
        lengths = np.array([linear_complexity(bits) for bits in every])
        for length in range(13):
            tail = min((lengths <= length).mean(), (lengths >= length).mean())
            assert questions.complexity(length, 12) == pytest.approx(min(1, 2 * tail))
        assert questions.complexity(16, 1 << 15) == 0
        assert questions.complexity(1 << 14, 1 << 15) == 1

    def test_correlation(self):
        """Uniform enough: at most 5 % of 400 p-values below 0.05, up to 4 sigma (3e-5), for rare ones too."""
        rng = np.random.default_rng(6)
        for p in (0.5, 0.02):
            found = [
                questions.correlation(BitStream.from_bits(rng.random(3000) < p, "unknown", {}), 20)[0]
                for _ in range(400)
            ]
            assert np.mean(np.array(found) < 0.05) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)
        bits = rng.integers(0, 2, 3000)
        bits[7:] = np.where(rng.random(2993) < 0.3, bits[:-7], bits[7:])
        p_value, lag = questions.correlation(BitStream.from_bits(bits, "unknown", {}), 20)
        assert lag == 7
        assert p_value < 1e-20

    def test_alarms(self):
        assert questions.alarms(0, 10**6, 2**-20, 1024) == 1
        expected = 10**6 * 2**-20 * (1 + 1 / 1024)
        assert questions.alarms(3, 10**6, 2**-20, 1024) == pytest.approx(stats.poisson.sf(2, expected))
