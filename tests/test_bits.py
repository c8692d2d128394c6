"""Bit streams, and the diagnostics against SP 800-22's published values.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import math
import pickle

import numpy as np
import pytest
from constants_bits import bits_of_e, bits_of_pi
from scipy import stats

from mtjspice.bits.diagnostics import autocorrelation, count_runs, diagnose, monobit_test, runs_test
from mtjspice.bits.stream import BitStream, as_bits, concatenate
from mtjspice.errors import InputError

# SP 800-22 rev. 1a, sections 2.1.8 and 2.3.8
PI_100 = "1100100100001111110110101010001000100001011010001100001000110100110001001100011001100010100010111000"

SEEDED = {"card": "demo", "seed": 7, "temperature": 300.0}


def from_text(text):
    return np.array([int(c) for c in text], dtype=np.uint8)


class TestStream:
    def test_packs_and_unpacks(self):
        bits = from_text("1011000011")
        stream = BitStream.from_bits(bits, "emulated", SEEDED)
        assert stream.packed.tolist() == [0b10110000, 0b11000000]
        assert stream.bits().dtype == np.uint8
        np.testing.assert_array_equal(stream.bits(), bits)
        assert len(stream) == 10
        assert stream.ones_fraction == 0.5

    @pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.float32, int])
    def test_accepts_numbers_zero_and_one(self, dtype):
        assert as_bits(np.array([0, 1, 1], dtype=dtype)).tolist() == [0, 1, 1]

    def test_empty(self):
        stream = BitStream.from_bits([], "emulated", {})
        assert len(stream) == 0
        assert math.isnan(stream.ones_fraction)

    @pytest.mark.parametrize(
        ("bits", "message"),
        [
            ([0, 1, 2], "entry 2 is 2"),
            ([0, -1], "entry 1 is -1"),
            ([0.5], "entry 0 is 0.5"),
            ([math.nan], "entry 0 is nan"),
            ([[0, 1]], "must be a vector"),
            (["0", "1"], "must be numbers"),
        ],
    )
    def test_rejects_other_values(self, bits, message):
        with pytest.raises(ValueError, match=message):
            BitStream.from_bits(bits, "emulated", {})

    @pytest.mark.parametrize(
        ("packed", "length", "message"),
        [
            (np.zeros(1, np.int64), 8, "uint8"),
            (np.zeros(2, np.uint8), 8, "do not hold exactly 8"),
            (np.zeros(0, np.uint8), -1, "do not hold"),
            (np.array([1], np.uint8), 7, "padding"),
        ],
    )
    def test_rejects_what_does_not_fit_together(self, packed, length, message):
        with pytest.raises(ValueError, match=message):
            BitStream(packed, length, "emulated", {})

    def test_rejects_unknown_origin(self):
        with pytest.raises(ValueError, match="co-simulated, macrospin, emulated, pseudo-random"):
            BitStream.from_bits([1], "true-random", {})

    @pytest.mark.parametrize("value", [None, [1], math.nan, math.inf])
    def test_rejects_provenance_that_json_cannot_keep(self, value):
        with pytest.raises(ValueError, match="provenance entry 'x'"):
            BitStream.from_bits([1], "emulated", {"x": value})

    def test_is_a_value(self):
        provenance = {"seed": np.int64(3)}
        stream = BitStream.from_bits([1, 0], "emulated", provenance)
        provenance["seed"] = 4
        assert stream.provenance == {"seed": 3}
        with pytest.raises(ValueError, match="read-only"):
            stream.packed[0] = 0
        copy = pickle.loads(pickle.dumps(stream))
        assert (copy.bits().tolist(), copy.origin, copy.provenance) == ([1, 0], "emulated", {"seed": 3})

    def test_slices(self):
        bits = np.random.default_rng(1).integers(0, 2, 101)
        stream = BitStream.from_bits(bits, "emulated", SEEDED)
        part = stream[13:90][::3]
        np.testing.assert_array_equal(part.bits(), bits[13:90][::3])
        assert part.origin == "emulated"
        assert part.provenance == {**SEEDED, "slice": "[13:90][0:77:3]"}
        with pytest.raises(TypeError, match="slices only"):
            stream[3]

    @pytest.mark.parametrize(("start", "stop"), [(0, 101), (8, 64), (8, 63), (3, 11), (3, 100), (96, 101), (50, 20)])
    def test_contiguous_slices_are_cut_from_the_packed_bits(self, start, stop):
        bits = np.random.default_rng(1).integers(0, 2, 101)
        part = BitStream.from_bits(bits, "emulated", {})[start:stop]
        np.testing.assert_array_equal(part.bits(), bits[start:stop])
        assert part.ones == bits[start:stop].sum()

    def test_aligned_slices_are_views(self):
        stream = BitStream.from_bits(np.ones(800), "emulated", {})
        assert np.shares_memory(stream[80:400].packed, stream.packed)
        assert [part.length for part in stream.chunks(300)] == [300, 300, 200]

    def test_lanes(self):
        table = np.random.default_rng(1).integers(0, 2, (50, 3))
        stream = BitStream.from_lanes(table, "emulated", {"card": "demo"})
        assert (stream.lanes, stream.cycles, stream.length) == (3, 50, 150)
        np.testing.assert_array_equal(stream.table(), table)
        np.testing.assert_array_equal(stream.lane(1).bits(), table[:, 1])
        assert stream.lane(1).provenance == {"card": "demo", "lane": 1}
        np.testing.assert_array_equal(stream[:100].table(), table[:33])  # an incomplete cycle is left out
        assert stream[3:].lanes == 3
        assert stream[1:].lanes == stream[::3].lanes == 1
        for index in (-1, 3):
            with pytest.raises(ValueError, match="between 0 and 2"):
                stream.lane(index)
        with pytest.raises(ValueError, match="shape"):
            BitStream.from_lanes(table[0], "emulated", {})
        with pytest.raises(ValueError, match="1 lane or more"):
            BitStream.from_bits([1], "emulated", {}, lanes=0)

    def test_concatenation_keeps_lanes_of_whole_cycles(self):
        rng = np.random.default_rng(1)
        for lanes, first in ((2, 16), (4, 16), (3, 9), (3, 10)):
            a, b = rng.integers(0, 2, first), rng.integers(0, 2, 7)
            both = concatenate([BitStream.from_bits(part, "emulated", {}, lanes) for part in (a, b)])
            np.testing.assert_array_equal(both.bits(), np.concatenate([a, b]))
            assert both.lanes == (1 if first % lanes else lanes)

    def test_concatenates(self):
        first = BitStream.from_bits([1, 0, 1], "emulated", {"card": "demo", "seed": 1})
        second = BitStream.from_bits([0, 1], "emulated", {"card": "demo", "seed": 2, "run": "b"})
        both = concatenate([first, second])
        assert both.bits().tolist() == [1, 0, 1, 0, 1]
        assert both.provenance == {"card": "demo", "seed": "1; 2", "run": "(none); b"}

    def test_does_not_mix_origins(self):
        streams = [BitStream.from_bits([1], origin, {}) for origin in ("emulated", "co-simulated")]
        with pytest.raises(ValueError, match="different origins: co-simulated, emulated"):
            concatenate(streams)
        with pytest.raises(ValueError, match="nothing"):
            concatenate([])


class TestPublishedValues:
    @pytest.mark.parametrize(
        ("bits", "monobit", "runs"),
        [
            (from_text(PI_100), 0.109599, 0.500798),  # 2.1.8, 2.3.8
            (from_text("1011010101"), 0.527089, None),  # 2.1.4
            (from_text("1001101011"), None, 0.147232),  # 2.3.4
        ],
    )
    def test_worked_examples(self, bits, monobit, runs):
        if monobit is not None:
            assert monobit_test(bits).p_value == pytest.approx(monobit, abs=6e-7)
        if runs is not None:
            assert runs_test(bits).p_value == pytest.approx(runs, abs=6e-7)

    @pytest.mark.parametrize(
        ("expand", "ones", "monobit", "runs"),
        [(bits_of_pi, 499722, 0.578211, 0.419268), (bits_of_e, 500029, 0.953749, 0.561917)],
        ids=["pi", "e"],
    )
    def test_million_bits_of_appendix_b(self, expand, ones, monobit, runs):
        bits = expand(1_000_000)
        assert int(bits.sum()) == ones
        assert monobit_test(bits).p_value == pytest.approx(monobit, abs=6e-7)
        assert runs_test(bits).p_value == pytest.approx(runs, abs=6e-7)


class TestDiagnostics:
    def test_runs_are_counted(self):
        assert [count_runs(from_text(text)) for text in ("", "0", "111", "1001101011")] == [0, 1, 1, 7]

    def test_runs_test_needs_balanced_bits(self):
        # n = 400: the limit is |pi - 1/2| = 0.1 exactly, which is outside
        at_limit, inside = np.zeros(400), np.zeros(400)
        at_limit[:240] = 1
        inside[:239] = 1
        assert runs_test(at_limit).p_value is None
        assert "not applicable" in runs_test(at_limit).note
        assert runs_test(inside).p_value is not None
        assert runs_test(np.ones(4)).p_value is None  # inside the limit, but without variance

    def test_few_bits_are_noted(self):
        assert "fewer than the 100" in monobit_test([0, 1]).note
        assert monobit_test([]).p_value is None
        assert runs_test([]).p_value is None

    def test_autocorrelation_is_the_textbook_estimate(self):
        bits = np.random.default_rng(3).random(500) < 0.3
        centred = bits - bits.mean()
        full = np.correlate(centred, centred, "full")[bits.size - 1 :]
        np.testing.assert_allclose(autocorrelation(bits, 499), full[1:] / full[0], atol=1e-13)

    def test_autocorrelation_of_special_sequences(self):
        assert np.isnan(autocorrelation(np.ones(100), 5)).all()
        np.testing.assert_allclose(autocorrelation(np.arange(1000) % 2, 2), [-0.999, 0.998])
        with pytest.raises(ValueError, match="between 1 and 99"):
            autocorrelation(np.ones(100), 100)

    def test_diagnosis(self):
        bits = np.arange(1000) % 4 == 0
        found = diagnose(BitStream.from_bits(bits, "emulated", {}), lags=4)
        assert found.bias == -0.25
        assert found.ones.low < 0.25 < found.ones.high
        assert found.runs == 500
        assert found.band == pytest.approx(1.959964 / math.sqrt(1000))
        assert found.lags_outside_band == (1, 2, 3, 4)
        assert found.monobit_test.p_value < 1e-50
        written = json.loads(json.dumps(found.as_dict(), allow_nan=False))
        assert written["ones"]["value"] == 0.25
        assert written["runs_test"]["p_value"] is None

    def test_diagnosis_of_a_stuck_device(self):
        written = diagnose(np.zeros(20)).as_dict()
        assert json.dumps(written, allow_nan=False)
        assert written["autocorrelation"] == [None] * 19
        assert written["lags_outside_band"] == []

    def test_diagnosis_needs_bits(self):
        with pytest.raises(InputError, match="at least 2 bits, got 1"):
            diagnose([1])
        with pytest.raises(ValueError, match="lags >= 1"):
            diagnose([1, 0], lags=0)


def test_calibration_under_the_null():
    """Chance of a false alarm with fair bits: below 1e-3 in all.

    The p-values of 400 sequences must be uniform (Kolmogorov-Smirnov, 1e-4 for each test), as many
    of them below 0.01 as expected (binomial, 1e-4 each),
    and the lags outside the 95 % band within 4.5 sigma (7e-6).
    """
    sequences = 400
    found = [
        diagnose(np.random.Generator(np.random.PCG64(seed)).integers(0, 2, 1 << 14, dtype=np.uint8))
        for seed in range(sequences)
    ]
    for results in ([d.monobit_test for d in found], [d.runs_test for d in found]):
        p = np.array([result.p_value for result in results if result.p_value is not None])
        assert p.size >= sequences - 3  # not applicable with the probability 6e-5 each
        assert stats.kstest(p, "uniform").pvalue > 1e-4
        rejected = int((p < 0.01).sum())
        assert stats.binom.cdf(rejected, p.size, 0.01) > 5e-5
        assert stats.binom.sf(rejected - 1, p.size, 0.01) > 5e-5
    outside = sum(len(d.lags_outside_band) for d in found)
    trials = sequences * 32
    assert abs(outside - 0.05 * trials) < 4.5 * math.sqrt(trials * 0.05 * 0.95)
