"""Gaussian words: exact laws, the gates that make them, and the published figures.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.words import (
    QFormat,
    WeightedBit,
    WordDesign,
    decode,
    gaussian_design,
    gaussian_marginals,
    gaussian_words,
    law_distances,
    law_with_bias,
    weighted_bit,
    word_codes,
    word_law,
)


def every_pattern(width):
    """All bit patterns of a width, shape (2**width, width)."""
    return (np.arange(2**width)[:, None] >> np.arange(width) & 1).astype(np.uint8)


class TestWeightedBits:
    @pytest.mark.parametrize("k", range(257))
    def test_exactly_k_of_256_patterns_give_a_one(self, k):
        bit = weighted_bit(k / 256)
        assert bit.probability == k / 256
        ones = int(bit.combine(every_pattern(bit.fair_bits)).sum())
        assert ones * 2 ** (8 - bit.fair_bits) == k
        assert bit.probability_with(np.full(bit.fair_bits, 0.5)) == k / 256

    def test_trailing_zeros_drop(self):
        assert weighted_bit(0.5) == WeightedBit(1, 1)
        assert weighted_bit(0.75) == WeightedBit(3, 2)
        assert weighted_bit(0.75).gates == ("or", "or")
        assert weighted_bit(0.25).gates == ("or", "and")
        assert weighted_bit(0.001, 8) == WeightedBit(0, 0)
        assert weighted_bit(0.999, 8) == WeightedBit(1, 0)

    def test_biased_raw_bits_propagate_exactly(self):
        bit = weighted_bit(0.398)
        raw = np.random.default_rng(1).uniform(0, 1, bit.fair_bits)
        patterns = every_pattern(bit.fair_bits)
        weights = np.where(patterns, raw, 1 - raw).prod(axis=1)
        assert bit.probability_with(raw) == pytest.approx(weights @ bit.combine(patterns), abs=1e-14)

    @pytest.mark.parametrize(("numerator", "fair_bits"), [(2, 1), (-1, 2), (5, 2), (2, 2), (1, -1)])
    def test_rejects_what_is_no_weighted_bit(self, numerator, fair_bits):
        with pytest.raises(ValueError, match=r"probability|lowest"):
            WeightedBit(numerator, fair_bits)

    def test_rejects_wrong_shapes(self):
        with pytest.raises(ValueError, match=r"\(n, 2\)"):
            weighted_bit(0.75).combine(np.zeros((4, 3), np.uint8))
        with pytest.raises(ValueError, match="need 2 probabilities"):
            weighted_bit(0.75).probability_with(np.zeros(3))
        with pytest.raises(ValueError, match="need a probability"):
            weighted_bit(1.5)


class TestLaw:
    def test_marginals_are_those_of_a_truncated_normal_number(self):
        np.testing.assert_allclose(gaussian_marginals(), [0.494, 0.488, 0.475, 0.450, 0.398, 0.275, 0.046], atol=5.1e-4)
        # by their definition: the most significant bit says |x| >= 2, the one below 1 <= |x| < 2 or |x| >= 3
        tail = 2 * stats.norm.sf([1, 2, 3])
        np.testing.assert_allclose(
            gaussian_marginals(QFormat(2, 0)), [tail[0] - tail[1] + tail[2], tail[1]], atol=1e-15
        )

    def test_figures_of_the_marginal_matched_law(self):
        found = law_distances(*word_law(gaussian_marginals()))
        assert found.kl_bits == pytest.approx(0.0282, abs=1e-4)
        assert found.total_variation == pytest.approx(0.0650, abs=1e-4)
        assert found.kolmogorov_smirnov == pytest.approx(0.0177, abs=1e-4)
        assert found.mean == pytest.approx(0, abs=1e-15)
        assert found.std == pytest.approx(1.0441, abs=1e-4)
        assert found.excess_kurtosis == pytest.approx(0.8186, abs=1e-4)

    def test_matched_marginals_minimise_the_divergence(self):
        best = gaussian_marginals()
        optimum = law_distances(*word_law(best)).kl_bits
        for i in range(best.size):
            for change in (-0.005, 0.005):
                assert law_distances(*word_law(best + change * (np.arange(best.size) == i))).kl_bits > optimum

    def test_uniform_words(self):
        found = law_distances(*word_law(np.full(7, 0.5)))
        assert found.std == pytest.approx(4 / math.sqrt(3), rel=1e-4)
        assert found.kl_bits == pytest.approx(0.953, abs=1e-3)

    def test_law_is_the_product_of_the_bits(self):
        fmt = QFormat(1, 2)
        m, sign = np.array([0.2, 0.7, 0.4]), 0.45
        values, pmf = word_law(m, fmt, sign)
        assert (np.diff(values) > 0).all()
        np.testing.assert_allclose(values, (np.arange(16) - 7.5) / 4)
        # magnitude code 5 = 0b101
        expected = 0.2 * 0.3 * 0.4
        assert pmf[values == 5.5 / 4] == pytest.approx(expected * 0.55)
        assert pmf[values == -5.5 / 4] == pytest.approx(expected * 0.45)
        assert pmf.sum() == pytest.approx(1, abs=1e-15)

    def test_distances_of_known_laws(self):
        coin = law_distances([-1, 1], [0.5, 0.5])
        assert coin.kl_bits == coin.total_variation == coin.kolmogorov_smirnov == 0
        assert (coin.mean, coin.std, coin.excess_kurtosis) == (0, 1, -2)
        biased = law_distances([-1, 1], [0.25, 0.75])
        assert biased.kl_bits == pytest.approx(0.5 * math.log2(2) + 0.5 * math.log2(2 / 3))
        assert biased.total_variation == biased.kolmogorov_smirnov == 0.25
        assert law_distances([-1, 1, 3], [0.5, 0.5, 0]).kl_bits == math.inf
        constant = law_distances([2], [1])
        assert constant.kl_bits == 0
        assert math.isnan(constant.excess_kurtosis)

    def test_equal_values_are_merged(self):
        split = law_distances([-1.0, -0.0, 0.0, 1.0], [0.25, 0.25, 0.25, 0.25])
        assert split == law_distances([-1.0, 0.0, 1.0], [0.25, 0.5, 0.25])

    def test_a_fine_normal_law_is_normal(self):
        x = (np.arange(-700, 700) + 0.5) / 100
        found = law_distances(x, stats.norm.cdf(x + 0.005) - stats.norm.cdf(x - 0.005))
        assert found.kl_bits < 1e-10
        assert found.std == pytest.approx(1, abs=1e-5)
        assert found.excess_kurtosis == pytest.approx(0, abs=1e-4)

    @pytest.mark.parametrize(
        ("values", "pmf"),
        [([1, 2], [1]), ([1, 2], [0.5, 0.6]), ([1, 2], [-0.5, 1.5]), ([1, math.nan], [0, 1])],
    )
    def test_rejects_what_is_no_law(self, values, pmf):
        with pytest.raises(ValueError, match=r"values|pmf"):
            law_distances(values, pmf)


class TestWords:
    def test_design_of_eight_fair_bits_each(self):
        design = gaussian_design()
        fractions = [(bit.numerator, 2**bit.fair_bits) for bit in design.magnitude]
        assert fractions == [(63, 128), (125, 256), (61, 128), (115, 256), (51, 128), (35, 128), (3, 64)]
        assert design.bits_per_word == 51
        found = law_distances(*word_law(design.probabilities))
        assert found.kl_bits == pytest.approx(0.02824, abs=1e-5)

    def test_codes_take_their_bits_in_order(self):
        design = WordDesign((WeightedBit(1, 1), WeightedBit(1, 2)), QFormat(1, 1))
        assert design.bits_per_word == 4
        # sign, bit 0, then the two bits whose AND is bit 1
        bits = [*(1, 0, 1, 1), *(0, 1, 1, 0), *(0, 0, 0, 0), *(1, 1)]
        assert word_codes(bits, design).tolist() == [0b110, 0b001, 0b000]
        assert gaussian_words(bits, design).tolist() == [-1.25, 0.75, 0.25]
        assert gaussian_words(bits, design, count=1).tolist() == [-1.25]
        assert gaussian_words([], design, count=0).tolist() == []

    def test_decode(self):
        assert decode([0, 127, 128, 255]).tolist() == [1 / 64, 4 - 1 / 64, -1 / 64, 1 / 64 - 4]
        with pytest.raises(ValueError, match="between 0 and 255"):
            decode([256])

    @pytest.mark.parametrize("bias", [0.0, 0.03, -0.2])
    def test_law_with_bias_is_the_enumerated_law(self, bias):
        design = gaussian_design(QFormat(2, 1), resolution=4)
        patterns = every_pattern(design.bits_per_word)
        ones = patterns.sum(axis=1)
        weights = (0.5 + bias) ** ones * (0.5 - bias) ** (design.bits_per_word - ones)
        words = gaussian_words(patterns.ravel(), design)
        values, pmf = law_with_bias(bias, design)
        enumerated = [weights[words == value].sum() for value in values]
        np.testing.assert_allclose(pmf, enumerated, atol=1e-14)

    def test_bias_of_single_bits(self):
        design = gaussian_design()
        only_sign = np.zeros(design.bits_per_word)
        only_sign[0] = 0.1
        values, pmf = law_with_bias(only_sign)
        assert pmf[values < 0].sum() == pytest.approx(0.6)
        np.testing.assert_array_equal(law_with_bias(0)[1], word_law(design.probabilities)[1])
        with pytest.raises(ValueError, match="between -1/2 and 1/2"):
            law_with_bias(0.6)

    def test_words_follow_their_law(self):
        """Chi-squared of 200,000 words over 256 cells, pooled to 20 expected: false alarm 1e-4."""
        rng = np.random.default_rng(21)
        design = gaussian_design()
        count = 200_000
        bits = BitStream.from_bits(
            rng.integers(0, 2, count * design.bits_per_word, dtype=np.uint8), "pseudo-random", {"seed": 21}
        )
        words = gaussian_words(bits)
        assert words.shape == (count,)
        values, pmf = word_law(design.probabilities)
        observed = np.searchsorted(values, words)
        np.testing.assert_array_equal(values[observed], words)
        cells = np.minimum(np.arange(256), np.arange(256)[::-1]) < 32  # join the rare outer words on either side
        group = np.where(cells, np.where(np.arange(256) < 128, 0, 255), np.arange(256))
        expected = np.bincount(group, weights=pmf * count, minlength=256)
        seen = np.bincount(group[observed], minlength=256)
        used = expected > 0
        assert expected[used].min() > 20
        assert stats.chisquare(seen[used], expected[used]).pvalue > 1e-4

    def test_too_few_bits(self):
        with pytest.raises(InputError, match=r"3 Gaussian words: 153 are needed \(51 each\), 152 are available"):
            gaussian_words(np.zeros(152), count=3)
        with pytest.raises(InputError, match="51 are needed"):
            gaussian_words(np.zeros(50))
        with pytest.raises(ValueError, match="negative"):
            gaussian_words(np.zeros(51), count=-1)

    def test_rejects_bad_formats_and_designs(self):
        for integer_bits, fraction_bits in [(0, 0), (-1, 5), (8, 8)]:
            with pytest.raises(ValueError, match="1 to 15 magnitude bits"):
                QFormat(integer_bits, fraction_bits)
        with pytest.raises(ValueError, match="1 weighted bits for 7"):
            WordDesign((WeightedBit(1, 1),))
        with pytest.raises(ValueError, match="need 7 probabilities"):
            word_law([0.5])
        with pytest.raises(ValueError, match="between 0 and 1"):
            word_law(np.full(7, 1.5))
