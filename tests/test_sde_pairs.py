"""Differential pairs, their P-bits, and what a neural SDE in the array costs.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import numpy as np
import pytest

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import StreamSource
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.sde import cost, pairs
from mtjspice.generative.sde.pairs import PairImperfections, pair_levels, pair_weight
from mtjspice.generative.sde.pbits import FrozenPBits, PBits

NO_ERROR = np.zeros(())


def drawn(flaws, devices=50, passes=4000, source="pcg64"):
    return PBits(open_source(source, 1), devices, flaws).read(passes)


class TestAlgebra:
    def test_three_states(self):
        """(P, AP), (AP, P) and the two equal ones, for any TMR."""
        for tmr in (0.3, 0.65, 2.0):
            a = 1 / (1 + tmr)
            states = [(1, -1), (-1, 1), (1, 1), (-1, -1)]
            found = [pair_weight(np.array(d), np.array(p), NO_ERROR, NO_ERROR, a) for d, p in states]
            np.testing.assert_allclose(found, [1, -1, 0, 0], atol=1e-14)

    @pytest.mark.parametrize("q", [0.5, 0.4, 0.9])
    @pytest.mark.parametrize("data", [1, -1])
    def test_moments(self, data, q):
        """Exact: over the two states of the P-bit; a fair one gives +-1/2 and 1/4."""
        values = [pair_weight(np.array(data), np.array(p), NO_ERROR, NO_ERROR, 0.6) for p in (1, -1)]
        mean = (1 - q) * values[0] + q * values[1]
        variance = (1 - q) * values[0] ** 2 + q * values[1] ** 2 - mean**2
        assert pairs.moments(data, q) == pytest.approx((mean, variance))
        if q == 0.5:
            assert pairs.moments(data, q) == (data / 2, 0.25)

    @pytest.mark.parametrize("data", [1, -1])
    def test_moments_with_spread(self, data):
        """Of 200,000 drawn pairs: within 5 standard errors each (1e-6)."""
        rng = np.random.default_rng(1)
        q, spread, n = 0.4, 0.04, 200_000
        errors = spread * rng.standard_normal((2, n))
        one, other = (pair_weight(np.array(data), np.array(p), *errors, 1 / 1.65) for p in (-1, 1))
        means = q * one + (1 - q) * other
        mean, within, between = pairs.moments_with_spread(data, q, spread)
        assert means.mean() == pytest.approx(mean, abs=5 * np.sqrt(between / n))
        assert means.var() == pytest.approx(between, rel=5 * np.sqrt(2 / n))
        assert (q * (1 - q) * (one - other) ** 2).mean() == pytest.approx(within, rel=5 * 2 * spread / np.sqrt(n))

    def test_margin(self):
        """TMR 65 % and 6 standard deviations: 4.6 %; half of it for 6 of each side."""
        assert pairs.spread_of_margin(6) == pytest.approx(0.0464, abs=1e-4)
        assert pairs.spread_of_margin(12) == pytest.approx(0.0232, abs=1e-4)

    def test_ideal_levels(self):
        """Without flaws a pair and a rest make W - A/2 and W + A/2, whatever the signs."""
        rng = np.random.default_rng(2)
        weight, amplitude = rng.standard_normal((2, 6, 5))
        zero, one = pair_levels(weight, amplitude, PairImperfections())
        np.testing.assert_allclose(zero, weight - amplitude / 2, atol=1e-14)
        np.testing.assert_allclose(one, weight + amplitude / 2, atol=1e-14)

    def test_levels_with_flaws(self):
        """The same seed gives the same junctions, scaled by the spread; layers have junctions of their own."""
        weight, amplitude = np.full((2, 40, 40), 0.7)
        ideal, small, large = (
            pair_levels(weight, amplitude, PairImperfections(conductance_spread=s, seed=3))[0] for s in (0, 0.01, 0.02)
        )
        np.testing.assert_allclose(large - ideal, 2 * (small - ideal), atol=1e-12)
        assert (small != ideal).all()
        other = pair_levels(weight, amplitude, PairImperfections(conductance_spread=0.01, seed=3), layer=1)[0]
        assert abs(np.corrcoef(other.ravel(), small.ravel())[0, 1]) < 5 / 40  # 5 standard errors: 1e-6

    def test_zero_states_differ_by_line_mismatch(self):
        """b = 1: (P, P) has -d / (1 - a); b = -1: (AP, AP) has a times that. No rest: W = +-A/2."""
        flaws = PairImperfections(line_mismatch=0.01)
        a = flaws.antiparallel
        one, two = np.array([[0.5]]), np.array([[1.0]])
        assert pair_levels(one, two, flaws)[0] + 0.5 == pytest.approx(0.5 - 0.01 / (1 - a))
        assert pair_levels(-one, two, flaws)[1] - 0.5 == pytest.approx(-0.5 - 0.01 * a / (1 - a))

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"keep_spread": 0.6}, "keep spread must lie between 0 and 0.5"),
            ({"memory": -1.5}, "memory must lie between -1 and 1"),
            ({"read_error": float("nan")}, "read error must lie"),
            ({"tmr": 0.0}, "TMR must be positive"),
        ],
    )
    def test_bad_flaws(self, settings, message):
        with pytest.raises(InputError, match=message):
            PairImperfections(**settings)


class TestPBits:
    def test_bits_are_those_of_the_source_in_order(self):
        """Pass by pass, device by device, in pieces or at once; all are counted."""
        wanted = open_source("pcg64", 5).stream(13 * 21).bits().reshape(13, 21)
        whole = PBits(open_source("pcg64", 5), 21)
        np.testing.assert_array_equal(whole.read(13), wanted)
        pieces = PBits(open_source("pcg64", 5), 21)
        np.testing.assert_array_equal(np.concatenate([pieces.read(n) for n in (1, 4, 0, 8)]), wanted)
        assert whole.used == pieces.used == 13 * 21

    def test_source_that_runs_dry(self):
        """Never bits that are made up: an error in the middle."""
        pbits = PBits(StreamSource(BitStream.from_bits(np.ones(100), "emulated", {})), 32)
        assert pbits.read(3).all()
        with pytest.raises(StreamExhaustedError):
            pbits.read(1)

    @pytest.mark.parametrize("memory", [0.5, 0.2, -0.4])
    def test_memory_is_the_correlation(self, memory):
        """200,000 consecutive pairs: mean and correlation within 5 standard errors (1e-6); lambda = 1 - p01 - p10."""
        bits = drawn(PairImperfections(memory=memory)).astype(float)
        before, after = bits[:-1].ravel(), bits[1:].ravel()
        error = 5 / np.sqrt(before.size)
        assert np.corrcoef(before, after)[0, 1] == pytest.approx(memory, abs=error)
        rates = after[before == 0].mean() + (1 - after[before == 1]).mean()
        assert 1 - rates == pytest.approx(memory, abs=2 * error)
        assert bits.mean() == pytest.approx(0.5, abs=error / 2 * np.sqrt((1 + abs(memory)) / (1 - abs(memory))))

    def test_memory_goes_on_from_read_to_read(self):
        """Memory 1: the first states stay."""
        pbits = PBits(open_source("pcg64", 1), 16, PairImperfections(memory=1.0))
        first = pbits.read(1)
        assert (pbits.read(5) == first).all()
        assert 0 < first.sum() < 16

    def test_spread_of_the_keep_probability(self):
        """4,000 passes of 400 devices: the deviation between devices within 5 standard errors (1e-6)."""
        found = drawn(PairImperfections(keep_spread=0.1), 400).mean(axis=0)
        # the binomial part is 0.25 / 4000
        assert np.sqrt(found.var() - 0.25 / 4000) == pytest.approx(0.1, rel=5 / np.sqrt(2 * 400))
        assert found.mean() == pytest.approx(0.5, abs=5 * 0.1 / np.sqrt(400))

    def test_read_errors(self):
        """A source of ones alone shows them: 200,000 bits, within 5 standard errors (1e-6)."""
        bits = drawn(PairImperfections(read_error=0.03), source="emulated:fair,p=1")
        assert 1 - bits.mean() == pytest.approx(0.03, abs=5 * np.sqrt(0.03 * 0.97 / bits.size))

    def test_stuck_devices(self):
        """A fifth of 50, half of them 0; memory does not free them."""
        for memory in (0.0, -0.9):
            bits = drawn(PairImperfections(stuck=0.2, memory=memory))
            constant = (bits == bits[0]).all(axis=0)
            assert constant.sum() == 10
            assert bits[0, constant].sum() == 5

    def test_frozen(self):
        frozen = FrozenPBits(open_source("pcg64", 1), 40)
        np.testing.assert_array_equal(frozen.read(3), np.repeat(PBits(open_source("pcg64", 1), 40).read(1), 3, axis=0))
        assert frozen.used == 40


class TestCost:
    DEMAND = cost.Demand(weights=100, steps=20, numbers=160)

    def test_arithmetic(self):
        """Ten weights at once, by hand."""
        column = cost.Column(6e-9, 1e-12, 2e-9, 0.25e-12)
        beside = cost.Column(26e-9, 4e-12, 22e-9, 3.25e-12)
        place, written, words = cost.costs(self.DEMAND, 10, column, beside)
        assert (place.pbits, words.pbits) == (2000, 1280)
        assert place.time == pytest.approx(10 * 20 * 6e-9)
        assert written.time == pytest.approx(10 * 20 * 26e-9)
        assert words.time == pytest.approx(max(10 * 20 * 4e-9, 128 * 22e-9))
        assert (place.energy, written.energy) == pytest.approx((2e-9, 8e-9), rel=1e-6, abs=0)
        assert words.energy == pytest.approx(2000 * 0.75e-12 + 1280 * 3.25e-12, rel=1e-6, abs=0)
        assert (place.images, written.images, words.images) == pytest.approx((5e10, 5e9, 1e12 / 128))
        assert place.images_per_second == pytest.approx(1 / 1.2e-6)

    def test_break_even(self):
        """At the bits per P-bit where words and P-bits in place take the same energy, they do."""
        share = cost.break_even_word_bits()
        assert share * cost.EX_SITU.draw_energy == pytest.approx(cost.IN_SITU.draw_energy, rel=1e-6, abs=0)
        assert cost.break_even_sharing() == pytest.approx(1 / share)
        place, _, words = cost.costs(self.DEMAND, 64)
        assert (words.energy < place.energy) == (self.DEMAND.word_bits / self.DEMAND.pbits < share)

    def test_bad_requests(self):
        with pytest.raises(InputError, match="1 P-bit or more works at once"):
            cost.costs(self.DEMAND, 0)
        with pytest.raises(InputError, match="must be positive"):
            cost.Column(0.0, 1.0, 1.0, 1.0)
        with pytest.raises(InputError, match="cannot take longer"):
            cost.Column(1.0, 1.0, 2.0, 1.0)
        with pytest.raises(InputError, match="1 weight"):
            cost.Demand(0, 1, 1)
