"""Programmed cells: exact probabilities, imperfections, and the bits that they cost.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import NumpySource, StreamSource
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.cells import Imperfections, ProgrammableCells, programmed_law
from mtjspice.generative.encodings.bit_reader import BitReader
from mtjspice.generative.encodings.comparator import cost, decided


def cells(width=3, seed=1, bits="pcg64", **flaws):
    return ProgrammableCells(open_source(bits, 5), width, Imperfections(**flaws), seed)


def recording(bits):
    return StreamSource(BitStream.from_bits(bits, "unknown", {}))


def codes_agree(codes, probabilities):
    """p-value of the chi-squared test of codes of independent words."""
    expected = probabilities * codes.size
    seen = np.bincount(codes, minlength=expected.size)
    assert seen[expected == 0].sum() == 0
    return stats.chisquare(seen[expected > 0], expected[expected > 0] * seen.sum() / expected.sum()).pvalue


class TestComparator:
    def test_bits_decide_lazily_and_exactly(self):
        """0.625 = .101 in binary: 0 gives a one after 1 bit, 11 a zero after 2, 100 a one and 101 a zero after 3."""
        stream = [0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        found = ProgrammableCells(recording(stream), 1).words([0.625], 11)
        assert found.tolist() == [1, 0, 1, 0] + [1] * 7

    def test_cost_is_counted(self):
        """20,000 cells: the mean cost within 5 sigmas, sigma = sqrt(2 / 20,000) at most; false alarm 6e-7."""
        for p, expected in ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0), (0.75, 1.5), (0.3, 2.0)):
            assert cost(p) == pytest.approx(expected, abs=1e-8)
            source = recording(np.random.default_rng(6).integers(0, 2, 80_000))
            made = ProgrammableCells(source, 1)
            made.words([p], 20_000)
            used = 80_000 - source.available(80_000) - made._reader.unread
            assert abs(used / 20_000 - expected) < 5 * math.sqrt(2 / 20_000) + 1e-12

    def test_decided_by_biased_bits_is_the_enumerated_probability(self):
        patterns = np.arange(256)
        ones = np.bitwise_count(patterns.astype(np.uint8))
        weights = 0.6**ones * 0.4 ** (8 - ones)
        for k in (0, 1, 77, 128, 255, 256):
            assert decided(k / 256, 0.6) == pytest.approx(weights[patterns < k].sum(), abs=1e-14)
        assert decided(0.3).item() == 0.3

    def test_reader_hands_out_every_bit_once(self):
        bits = np.random.default_rng(1).integers(0, 2, 320)
        reader = BitReader(recording(bits))
        found = [reader.words(1, 7)[0], *reader.words(2, 32), reader.words(1, 1)[0]]
        text = "".join(map(str, bits))
        assert found == [int(text[:7], 2), int(text[7:39], 2), int(text[39:71], 2), int(text[71], 2)]


class TestCells:
    def test_words_follow_the_programmed_law(self):
        """100,000 words of a random tree, chi-squared: false alarm 1e-4."""
        table = np.random.default_rng(2).uniform(0, 1, 15)
        law = programmed_law(table, 4)
        assert codes_agree(cells(4).words(table, 100_000), law.probabilities) > 1e-4
        by_hand = table[0] * (1 - table[2]) * table[5] * (1 - table[12])
        assert law.probabilities[0b1010] == pytest.approx(by_hand)

    def test_offset_stuck_and_biased_bits_follow_their_law(self):
        """100,000 words of one device, chi-squared: false alarm 1e-4 each."""
        table = np.array([0.2, 0.5, 0.97])
        made = cells(3, seed=4, dp=0.05, spread=0.1)
        law = programmed_law(table, 3, made.offsets[0])
        assert np.ptp(made.offsets) > 0
        assert codes_agree(made.words(table, 100_000), law.probabilities) > 1e-4
        biased = cells(3, bits="emulated:fair,p=0.4")
        assert codes_agree(biased.words(table, 100_000), programmed_law(table, 3, ones=0.4).probabilities) > 1e-4
        stuck = cells(3, stuck=1.0)
        assert len(set(stuck.words(table, 100).tolist())) == 1

    def test_memory_is_the_autocorrelation(self):
        """Lag-1 correlation rho of independent cells and rho^2 at lag 2, within 5 sigmas of 1 / sqrt(100,000)."""
        found = cells(2, rho=0.3).bits(np.tile([0.3, 0.5], (100_000, 1))).astype(float)
        for column in found.T:
            for lag in (1, 2, 3):
                seen = np.corrcoef(column[:-lag], column[lag:])[0, 1]
                assert abs(seen - 0.3**lag) < 5 * 1.2 / math.sqrt(100_000)
        assert abs(found.mean(axis=0) - [0.3, 0.5]).max() < 5 * math.sqrt(0.25 * 1.86 / 100_000)

    def test_memory_of_a_tree_has_the_stationary_law(self):
        """Every eighth of 400,000 words, far apart in memory 0.5^8: chi-squared, false alarm 1e-4."""
        table = np.random.default_rng(3).uniform(0.1, 0.9, 7)
        law = programmed_law(table, 3, rho=0.5)
        assert np.abs(law.probabilities - programmed_law(table, 3).probabilities).max() > 0.01
        assert codes_agree(cells(3, rho=0.5).words(table, 400_000)[8::12], law.probabilities) > 1e-4

    def test_lanes_have_cells_of_their_own(self):
        """40,000 bits a lane: rates within 5 sigmas of the lane's, and lanes remember nothing of each other."""
        made = cells(1, lanes=4, spread=0.2, rho=0.9)
        found = made.words([0.5], 160_000).reshape(-1, 4)
        expected = np.clip(0.5 + made.offsets[:, 0], 0, 1)
        error = np.sqrt(expected * (1 - expected) * (1 + 0.9) / (1 - 0.9) / 40_000)
        assert (np.abs(found.mean(axis=0) - expected) < 5 * error).all()
        assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 5 * math.sqrt(19 / 40_000)

    def test_drift_walks(self):
        """A walk of 0.3 after 10,000 words moves some tenth of them; without drift none beyond 5 sigmas."""
        walking = cells(1, drift=0.003, seed=2).words([0.5], 10_000).reshape(10, -1).mean(axis=1)
        still = cells(1, seed=2).words([0.5], 10_000).reshape(10, -1).mean(axis=1)
        assert np.abs(still - 0.5).max() < 5 * 0.5 / math.sqrt(1000)
        assert np.abs(walking - 0.5).max() > 0.1

    def test_toggling_is_the_chain(self):
        """100,000 words after 5 pulses, chi-squared: false alarm 1e-4."""
        from mtjspice.generative.law import product_pmf, transient_bits

        p01, p10 = np.array([0.1, 0.3, 0.9]), np.array([0.2, 0.05, 0.7])
        expected = product_pmf(transient_bits(p01, p10, 5))
        assert codes_agree(cells(3).toggled(p01, p10, 5, 100_000), expected) > 1e-4

    @pytest.mark.parametrize(
        "flaws",
        [{}, {"drift": 1e-3, "rho": 0.4, "lanes": 3, "spread": 0.1}, {"drift": 1e-3}, {"stuck": 0.5, "lanes": 5}],
    )
    def test_pieces_make_the_whole(self, flaws):
        table = [0.2, 0.5, 0.7]
        whole, parts = cells(**flaws), cells(**flaws)
        pieces = np.concatenate([parts.words(table, n) for n in (1, 0, 70, 2, 40_000, 27)])
        np.testing.assert_array_equal(pieces, whole.words(table, 40_100))
        whole, parts = cells(**flaws), cells(**flaws)
        pieces = np.concatenate([parts.toggled(table, table, 4, n, reset=False) for n in (1, 5, 94)])
        np.testing.assert_array_equal(pieces, whole.toggled(table, table, 4, 100, reset=False))

    def test_running_dry_is_an_error_after_the_last_whole_word(self):
        bits = np.random.default_rng(4).integers(0, 2, 800)
        wanted = ProgrammableCells(recording(np.append(bits, np.zeros(800, int))), 2).words([0.3, 0.6], 250)
        made = ProgrammableCells(recording(bits), 2)
        found = []
        while True:
            try:
                found.append(int(made.words([0.3, 0.6], 1)[0]))
            except StreamExhaustedError:
                break
        assert 150 < len(found) < 250
        assert found == wanted[: len(found)].tolist()
        with pytest.raises(StreamExhaustedError):
            ProgrammableCells(recording(bits), 2).words([0.3, 0.6], 400)

    def test_mean_over_cells(self):
        """Against the closed form of a clipped normal number, and of a cell's square by Monte Carlo to 5 sigmas."""
        flaws = Imperfections(dp=0.01, spread=0.1, stuck=0.2)
        p, s = 0.06, 0.1
        a, b = -p / s, (1 - p) / s
        inside = stats.norm.cdf(b) - stats.norm.cdf(a)
        clipped = p * inside + s * (stats.norm.pdf(a) - stats.norm.pdf(b)) + stats.norm.sf(b)
        assert flaws.mean(lambda x: x, np.array([0.05]))[0] == pytest.approx(0.8 * clipped + 0.1, abs=1e-13)
        drawn = np.clip(0.06 + 0.1 * np.random.default_rng(1).standard_normal(200_000), 0, 1) ** 2
        squared = Imperfections(dp=0.01, spread=0.1).mean(lambda x: x**2, np.array([0.05]))[0]
        assert squared == pytest.approx(drawn.mean(), abs=5 * drawn.std() / math.sqrt(200_000))

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: cells(2).words([0.5, 1.5], 1), "cells: a probability must lie between 0 and 1, not be 1.5"),
            (lambda: cells(2).words([0.5, math.nan], 1), "not be nan"),
            (lambda: cells(17), "1 to 16 cells, not 17"),
            (lambda: cells(2).toggled([0.5, 0.5], [0.5, 0.5], 0, 1), "1 pulse or more, not 0"),
            (lambda: Imperfections(rho=1), "memory rho"),
            (lambda: Imperfections(spread=math.nan), "spread of a probability"),
            (lambda: Imperfections(drift=-1), "drift of a probability"),
            (lambda: Imperfections(dp=2), "offset dp"),
            (lambda: Imperfections(stuck=1.1), "stuck cells"),
            (lambda: Imperfections(lanes=0), "lanes"),
        ],
    )
    def test_bad_input_is_one_line(self, make, message):
        with pytest.raises(InputError, match=message) as caught:
            make()
        assert "\n" not in str(caught.value)

    def test_wrong_shapes_are_the_programmers(self):
        with pytest.raises(ValueError, match="need 3 probabilities or a tree"):
            cells(3).words([0.5, 0.5], 1)
        with pytest.raises(ValueError, match="of the shape"):
            cells(3).bits([[0.5, 0.5]])

    def test_a_bit_source_is_its_own(self):
        """Bits of cells asked row by row are those of the words."""
        table = np.array([0.1, 0.6, 0.8])
        source = ProgrammableCells(NumpySource("pcg64", 1), 3)
        rows = source.bits(np.tile(table, (50, 1)))
        codes = ProgrammableCells(NumpySource("pcg64", 1), 3).words(table, 50)
        np.testing.assert_array_equal(rows @ [4, 2, 1], codes)
