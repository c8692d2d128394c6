"""The protocol of Gaussian sources, and the calibration of a device.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import math

import numpy as np
import pytest

from mtjspice.bits.sources.generators import NumpySource
from mtjspice.errors import InputError
from mtjspice.generative.calibrated import CalibratedGaussian, Calibration, from_law, measured
from mtjspice.generative.encodings.catalogue import open_noise
from mtjspice.generative.gaussian import InverseCdf, NumpyGaussian


def noise(text, seed=1):
    return open_noise(text, NumpySource("pcg64", seed), seed)


class TestSources:
    def test_numpy_is_not_made_of_bits(self):
        source = NumpyGaussian(1)
        assert source.bits_per_number is None
        assert source.law() is None
        np.testing.assert_array_equal(source.normal((5,)), np.random.default_rng(1).standard_normal(5))

    def test_inverse_cdf_knows_its_law(self):
        source = InverseCdf(NumpySource("pcg64", 1), 4)
        assert source.bits_per_number == 4
        np.testing.assert_array_equal(source.law().values, source.levels)
        assert source.law().standard_deviation == pytest.approx(math.sqrt(1 - 0.0763), abs=1e-4)

    def test_two_kinds_of_reading_give_the_same_words(self):
        """Eight bits are read as bytes, four as halves of them."""
        eight = InverseCdf(NumpySource("pcg64", 3), 8)
        four = InverseCdf(NumpySource("pcg64", 3), 4)
        bytes_ = np.searchsorted(eight.levels, eight.normal((100,)))
        halves = np.searchsorted(four.levels, four.normal((100, 2)))
        np.testing.assert_array_equal(bytes_, 16 * halves[:, 0] + halves[:, 1])


class TestCalibration:
    def test_offset_is_taken_out(self):
        """Mean and deviation of the calibrated law, known to 5 of its own standard errors; false alarm 6e-7 each."""
        source = noise("tree:8,dp=0.05")
        raw = source.law()
        found = measured(source, 100_000)
        assert abs(found.mean - raw.mean) < 5 * found.mean_error
        assert abs(found.deviation - raw.standard_deviation) < 5 * found.deviation_error
        law = CalibratedGaussian(source, found).law()
        assert abs(law.mean) < 5 * found.mean_error / found.deviation
        assert abs(raw.mean) > 0.2

    def test_standard_errors(self):
        """Of independent numbers sigma / sqrt(n) and sigma / sqrt(2 n), from 50 batches to 4 of their 10 %."""
        found = measured(noise("inverse-cdf:8"), 100_000)
        assert found.mean_error == pytest.approx(1 / math.sqrt(100_000), rel=0.4)
        assert found.deviation_error == pytest.approx(1 / math.sqrt(200_000), rel=0.4)

    def test_memory_makes_the_error_larger(self):
        """Product words of memory 0.8 average like (1 - 0.8) / (1 + 0.8) as many: errors three times as large."""
        plain, slow = (measured(noise(text), 100_000).mean_error for text in ("product:8", "product:8,rho=0.8"))
        assert slow > 1.8 * plain

    def test_from_the_law_is_exact(self):
        source = noise("product:8,dp=0.03")
        law = CalibratedGaussian(source, from_law(source.law())).law()
        assert law.mean == pytest.approx(0, abs=1e-14)
        assert law.standard_deviation == pytest.approx(1, abs=1e-14)
        again = noise("product:8,dp=0.03,calibrated=law")
        np.testing.assert_allclose(again.law().values, law.values, atol=1e-14)
        assert again.provenance["calibration_numbers"] == 0

    def test_by_name(self):
        source = noise("tree:8,dp=0.02,calibrated=2000")
        assert source.provenance["calibration_numbers"] == 2000
        assert 0 < source.provenance["calibration_mean_error"] < 0.05
        assert source.bits_per_number == pytest.approx(16, abs=1e-5)
        assert source.label == "tree:8,dp=0.02,calibrated=2000"
        raw = noise("tree:8,dp=0.02")
        expected = raw.normal((2010,))
        scaled = (expected[2000:] - expected[:2000].mean()) / expected[:2000].std()
        np.testing.assert_allclose(source.normal((10,)), scaled)

    def test_bad_input(self):
        with pytest.raises(InputError, match="1000 numbers or more, not 999"):
            measured(noise("tree:8"), 999)
        with pytest.raises(InputError, match="has no calibration"):
            Calibration(0.0, 0.0)
        with pytest.raises(InputError, match="has no calibration"):
            Calibration(math.nan, 1.0)
        with pytest.raises(InputError, match="has no calibration"):
            measured(noise("product:8,stuck=1"), 1000)
