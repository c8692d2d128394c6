"""Latent codes, and the forward process of diffusion.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import math

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.diffusion import NoiseSchedule, forward_noise, linear_schedule, sample_image
from mtjspice.generative.latents import bits_needed, latent_codes, uniform_codes


class TestLatents:
    def test_two_bits(self):
        bits = [0, 0, 0, 1, 1, 0, 1, 1]
        assert uniform_codes(bits, (4,), 2).tolist() == [0.125, 0.375, 0.625, 0.875]
        np.testing.assert_allclose(latent_codes(bits, (2, 2), 2), stats.norm.ppf([[0.125, 0.375], [0.625, 0.875]]))

    def test_all_codes_of_sixteen_bits(self):
        codes = np.arange(1 << 16, dtype=">u2")
        u = uniform_codes(np.unpackbits(codes.view(np.uint8)), (1 << 16,))
        np.testing.assert_array_equal(u, (np.arange(1 << 16) + 0.5) / 2**16)
        z = latent_codes(np.unpackbits(codes.view(np.uint8)), (1 << 16,))
        np.testing.assert_allclose(z, -z[::-1], atol=1e-11)
        assert z.max() == pytest.approx(4.33, abs=0.01)
        assert z.std() == pytest.approx(1, abs=1e-3)

    def test_finest_codes_stay_inside_the_unit_interval(self):
        assert uniform_codes(np.ones(52), (1,), 52)[0] == 1 - 2.0**-53
        assert uniform_codes(np.zeros(52), (1,), 52)[0] == 2.0**-53
        assert np.isfinite(latent_codes(np.ones(52), (1,), 52)).all()

    def test_no_bit_is_shared(self):
        bits = np.random.default_rng(1).integers(0, 2, bits_needed((3, 5)))
        codes = latent_codes(bits, (3, 5))
        for i in range(bits.size):
            flipped = bits.copy()
            flipped[i] ^= 1
            changed = np.flatnonzero((latent_codes(flipped, (3, 5)) != codes).ravel())
            assert changed.tolist() == [i // 16]

    def test_are_normal(self):
        """Kolmogorov-Smirnov test of 50,000 codes: false alarm 1e-4."""
        rng = np.random.default_rng(31)
        shape = (500, 100)
        bits = BitStream.from_bits(
            rng.integers(0, 2, bits_needed(shape), dtype=np.uint8), "pseudo-random", {"seed": 31}
        )
        assert stats.kstest(latent_codes(bits, shape).ravel(), "norm").pvalue > 1e-4

    def test_too_few_bits(self):
        with pytest.raises(InputError, match=r"\(10, 2\): 320 are needed \(16 per coordinate\), 319 are available"):
            latent_codes(np.zeros(319), (10, 2))
        assert latent_codes(np.zeros(0), (0, 4)).shape == (0, 4)

    def test_rejects_bad_shapes(self):
        with pytest.raises(ValueError, match="between 1 and 52"):
            latent_codes(np.zeros(100), (1,), 53)
        with pytest.raises(ValueError, match="not a shape"):
            latent_codes(np.zeros(100), (-1,))


class TestDiffusion:
    def test_schedule_of_ho_et_al(self):
        schedule = linear_schedule()
        assert schedule.steps == 1000
        assert (schedule.betas[0], schedule.betas[-1]) == (1e-4, 0.02)
        signal = schedule.signal_fraction()
        assert signal.shape == (1001,)
        assert signal[0] == 1
        assert signal[1] == pytest.approx(1 - 1e-4)
        # the figure of the paper: the prior differs from N(0, 1) by about 1e-5 bits per dimension
        assert signal[-1] == pytest.approx(4.04e-5, rel=1e-2)

    def test_closed_form_is_the_chain_of_steps(self):
        """Step by step, the coefficient of the image and the variance of the noise obey the recurrence."""
        schedule = linear_schedule(50)
        amplitude, variance = 1.0, 0.0
        for step, beta in enumerate(schedule.betas, start=1):
            amplitude, variance = amplitude * math.sqrt(1 - beta), variance * (1 - beta) + beta
            assert forward_noise([1.0], [0.0], step, schedule)[0] == pytest.approx(amplitude)
            assert forward_noise([0.0], [1.0], step, schedule)[0] == pytest.approx(math.sqrt(variance))

    def test_first_and_last_step(self):
        image = sample_image(16)
        noise = np.random.default_rng(2).standard_normal(image.shape)
        np.testing.assert_array_equal(forward_noise(image, noise, 0), image)
        np.testing.assert_allclose(forward_noise(image, noise, 1000), noise, atol=0.02)

    def test_rejects_bad_input(self):
        with pytest.raises(InputError, match="step 1001 must lie between 0 and 1000"):
            forward_noise([0.0], [0.0], 1001)
        with pytest.raises(ValueError, match="differ in shape"):
            forward_noise([0.0], [0.0, 0.0], 1)
        with pytest.raises(InputError, match="at least 1 step"):
            linear_schedule(0)
        with pytest.raises(ValueError, match="betas"):
            NoiseSchedule(np.array([0.5, 1.0]))

    @pytest.mark.parametrize("size", [1, 32, 64, 310, 400])
    def test_sample_image(self, size):
        image = sample_image(size)
        assert image.shape == (size, size)
        assert image.dtype == np.float64
        assert (np.abs(image) <= 1).all()
        # averaging over areas keeps the mean
        assert image.mean() == pytest.approx(sample_image(310).mean(), abs=1e-12)

    def test_sample_image_shows_something(self):
        image = sample_image(64)
        assert image.std() > 0.3
        np.testing.assert_allclose(
            image[:32, :32].reshape(16, 2, 16, 2).mean(axis=(1, 3)), sample_image(32)[:16, :16], atol=1e-12
        )
        with pytest.raises(InputError, match="at least 1"):
            sample_image(0)
