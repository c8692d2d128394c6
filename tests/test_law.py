"""Laws of noise words: moments, distances, and words whose bits are Markov chains, against brute force and papers."""

import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.errors import InputError
from mtjspice.generative.encodings.plain import Popcount, SummedWords, UniformWords
from mtjspice.generative.encodings.programmed import ProductWords
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.law import (
    Law,
    autocorrelation,
    bit_matrices,
    product_pmf,
    stationary_bits,
    stationary_pmf,
    transient_bits,
    word_transition_matrix,
)
from mtjspice.generative.words import gaussian_marginals, law_distances, word_law

RNG = np.random.default_rng(7)


class TestLaw:
    def test_moments_and_tails_of_a_known_law(self):
        law = Law(np.arange(5.0), stats.binom.pmf(np.arange(5), 4, 0.3))
        mean, variance, skewness, kurtosis = stats.binom.stats(4, 0.3, moments="mvsk")
        assert law.mean == pytest.approx(mean)
        assert law.standard_deviation == pytest.approx(math.sqrt(variance))
        assert law.skewness == pytest.approx(skewness)
        assert law.excess_kurtosis == pytest.approx(kurtosis)
        assert law.entropy == pytest.approx(stats.binom(4, 0.3).entropy() / math.log(2))
        assert law.tail(2) == pytest.approx(stats.binom.sf(2, 4, 0.3))

    def test_affine_law_and_merging(self):
        law = Law.of([1.0, -0.0, 0.0], [0.5, 0.25, 0.25]).affine(-2, 1)
        assert law.values.tolist() == [-1, 1]
        assert law.probabilities.tolist() == [0.5, 0.5]

    def test_distances_are_those_of_law_distances(self):
        values, pmf = word_law(gaussian_marginals())
        assert Law(values, pmf).distances() == law_distances(values, pmf)

    def test_what_is_infinite_is_none(self):
        assert Law.of([-1, 1, 3], [0.5, 0.5, 0]).as_dict()["kl_bits"] is None
        assert Law.of([2], [1]).as_dict()["skewness"] is None

    @pytest.mark.parametrize(
        ("values", "pmf"), [([2, 1], [0.5, 0.5]), ([1, 2], [0.5, math.nan]), ([1], [0.5, 0.5]), ([], [])]
    )
    def test_rejects_what_is_no_law(self, values, pmf):
        with pytest.raises(ValueError, match=r"values|pmf"):
            Law(np.array(values, float), np.array(pmf))


class TestChains:
    def matrices(self, bits):
        return bit_matrices(RNG.uniform(0.05, 0.9, bits), RNG.uniform(0.05, 0.9, bits))

    def test_kronecker_product_is_the_product_of_the_bits(self):
        matrices = self.matrices(4)
        found = word_transition_matrix(matrices)
        for before in range(16):
            for after in range(16):
                single = [matrices[i, before >> (3 - i) & 1, after >> (3 - i) & 1] for i in range(4)]
                assert found[before, after] == pytest.approx(math.prod(single))

    def test_stationary_and_transient_laws_are_those_of_the_word_matrix(self):
        matrices = self.matrices(5)
        word = word_transition_matrix(matrices)
        law = stationary_pmf(matrices)
        np.testing.assert_allclose(law @ word, law, atol=1e-14)
        start = np.eye(32)[0]
        for pulses in (1, 2, 7):
            ones = transient_bits(matrices[:, 0, 1], matrices[:, 1, 0], pulses)
            np.testing.assert_allclose(product_pmf(ones), start @ np.linalg.matrix_power(word, pulses), atol=1e-14)

    def test_autocorrelation_is_that_of_the_word_matrix(self):
        matrices, values = self.matrices(5), RNG.standard_normal(32)
        word, law = word_transition_matrix(matrices), stationary_pmf(matrices)
        centred = values - law @ values
        for lag in (0, 1, 3):
            power = np.linalg.matrix_power(word, 2 * lag)
            expected = (law * centred) @ power @ centred / (law @ centred**2)
            assert autocorrelation(matrices, values, [lag], pulses=2)[0] == pytest.approx(expected, abs=1e-13)

    def test_symmetric_bits_become_uniform(self):
        p = RNG.uniform(0.01, 0.99, 6)
        np.testing.assert_allclose(stationary_pmf(bit_matrices(p, p)), 1 / 64)

    def test_bad_input(self):
        with pytest.raises(InputError, match=r"p01: a probability must lie between 0 and 1, not be 1\.2"):
            bit_matrices([0.1, 1.2], 0.1)
        with pytest.raises(InputError, match="not be nan"):
            bit_matrices(0.1, math.nan)
        with pytest.raises(ValueError, match="up to 10 bits, not 11"):
            word_transition_matrix(self.matrices(11))
        with pytest.raises(ValueError, match="rows of a transition matrix"):
            word_transition_matrix(np.ones((2, 2, 2)))
        frozen = bit_matrices(0.0, [0.0, 0.5])
        assert np.isnan(stationary_bits(frozen)).tolist() == [True, False]
        with pytest.raises(InputError, match="never moves"):
            stationary_pmf(frozen)
        with pytest.raises(ValueError, match="need 4 values"):
            autocorrelation(bit_matrices([0.5, 0.5], 0.5), [1, 2], [1])


class TestPublishedFigures:
    """Independently computed figures for 8-bit words, to the digits that were given."""

    def test_divergence_of_a_toggle_chain_is_smallest_at_its_target(self):
        known = {8: 0.226, 12: 0.056, 16: 0.028, 20: 0.041, 24: 0.066, 32: 0.122, 64: 0.286, 256: 0.699}
        for pulses, kl in known.items():
            assert ToggleWords(8, pulses, 16).law().distances().kl_bits == pytest.approx(kl, abs=6e-4)

    def test_flip_probabilities_for_sixteen_pulses(self):
        flips = ToggleWords(8, 16).probabilities()[0]
        np.testing.assert_allclose(flips, [0.5, 0.003, 0.024, 0.047, 0.067, 0.086, 0.103, 0.120], atol=6e-4)

    @pytest.mark.parametrize(
        ("reach", "kl", "tv", "ks", "std"), [(4, 0.953, 0.49, 0.246, 2.31), (2, 0.237, 0.22, 0.091, 1.15)]
    )
    def test_twos_complement_can_only_be_uniform(self, reach, kl, tv, ks, std):
        found = Law.of((np.arange(256) - 127.5) * reach / 128, np.full(256, 1 / 256)).distances()
        assert found.kl_bits == pytest.approx(kl, abs=6e-4)
        assert found.total_variation == pytest.approx(tv, abs=6e-3)
        assert found.kolmogorov_smirnov == pytest.approx(ks, abs=6e-4)
        assert found.std == pytest.approx(std, abs=6e-3)
        assert found.excess_kurtosis == pytest.approx(-1.2, abs=1e-3)

    @pytest.mark.parametrize(
        ("ones", "kl", "tv", "ks", "std", "kurtosis"),
        [
            ([0.492, 0.488, 0.481, 0.466, 0.429, 0.284, 0.037], 0.033, 0.055, 0.011, 1.042, 0.59),
            ([0.496, 0.490, 0.479, 0.459, 0.417, 0.320, 0.017], 0.061, 0.066, 0.014, 1.001, 0.03),
        ],
    )
    def test_other_product_laws(self, ones, kl, tv, ks, std, kurtosis):
        """The marginals were given to three digits: the kurtosis to 0.03, the rest to its last digit."""
        found = law_distances(*word_law(ones))
        assert found.kl_bits == pytest.approx(kl, abs=1e-3)
        assert found.total_variation == pytest.approx(tv, abs=1e-3)
        assert found.kolmogorov_smirnov == pytest.approx(ks, abs=1e-3)
        assert found.std == pytest.approx(std, abs=3e-3)
        assert found.excess_kurtosis == pytest.approx(kurtosis, abs=0.03)

    def test_sums_of_product_words(self):
        for words, ks, kurtosis in ((1, 0.024, 0.82), (2, 0.010, 0.41), (4, 0.005, 0.20), (8, 0.0025, 0.10)):
            found = SummedWords(ProductWords(8), words).law().distances()
            assert found.kolmogorov_smirnov == pytest.approx(ks, abs=6e-4)
            assert found.excess_kurtosis == pytest.approx(kurtosis, abs=6e-3)

    def test_sums_of_uniform_words(self):
        for words, ks in ((1, 0.057), (2, 0.016), (4, 0.0074), (8, 0.0035), (12, 0.0023)):
            found = SummedWords(UniformWords(8), words).law().distances()
            assert found.kolmogorov_smirnov == pytest.approx(ks, abs=5e-4)
            assert found.excess_kurtosis == pytest.approx(-1.2 / words, abs=1e-3)

    def test_popcounts(self):
        for bits in (4, 64, 100):
            law = Popcount(bits).law()
            assert law.excess_kurtosis == pytest.approx(-2 / bits, abs=1e-9)
            assert law.values[-1] == math.sqrt(bits)
            np.testing.assert_allclose(law.probabilities, stats.binom.pmf(np.arange(bits + 1), bits, 0.5), rtol=1e-11)

    @pytest.mark.parametrize(
        ("sigma", "mean", "scatter", "kl"),
        [
            (0.01, 0.013, 0.035, 0.033),
            (0.02, 0.025, 0.07, 0.044),
            (0.05, 0.064, 0.15, 0.133),
            (0.1, 0.134, 0.24, 0.357),
        ],
    )
    def test_variability_of_the_marginals(self, sigma, mean, scatter, kl):
        """Errors on all eight marginals, clipped to [0.001, 0.999]: mean |mean|, sd of the deviation, mean divergence.

        1000 devices: the three have standard errors of 2.4, 2.2 and about 3 %; 4 of them, and of those of the
        published values, about 15 %.
        """
        rng, marginals = np.random.default_rng(3), np.append(gaussian_marginals(), 0.5)
        found = []
        for _ in range(1000):
            ones = np.clip(marginals + sigma * rng.standard_normal(8), 1e-3, 1 - 1e-3)
            found.append(law_distances(*word_law(ones[:7], None, float(ones[7]))))
        assert np.mean([abs(d.mean) for d in found]) == pytest.approx(mean, rel=0.12)
        assert np.std([d.std for d in found]) == pytest.approx(scatter, rel=0.12)
        assert np.mean([d.kl_bits for d in found]) == pytest.approx(kl, rel=0.15)
