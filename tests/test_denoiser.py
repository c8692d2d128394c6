"""The diffusion model in NumPy, its digits and features, and distances between images.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.generative import digits
from mtjspice.generative.denoiser import Denoiser, Training, train
from mtjspice.generative.diffusion import cosine_schedule
from mtjspice.generative.distances import frechet_distance, kernel_distance
from mtjspice.generative.mlp import Adam, Network

SHORT = Training(steps=1000, batch=64, width=128)


class TestNetwork:
    def test_gradients_are_differences(self):
        rng = np.random.default_rng(1)
        network = Network.drawn((5, 7, 6, 3), rng)
        x, target = rng.standard_normal((4, 5)), rng.standard_normal((4, 3))

        def loss():
            return float(((network(x) - target) ** 2).sum())

        values = network.layers(x)
        found = network.gradients(values, 2 * (values[-1] - target))
        for parameter, gradient in zip([*network.weights, *network.biases], found, strict=True):
            index = tuple(rng.integers(0, n) for n in parameter.shape)
            step = 1e-6
            parameter[index] += step
            above = loss()
            parameter[index] -= 2 * step
            below = loss()
            parameter[index] += step
            assert gradient[index] == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-6)

    def test_adam_takes_the_published_steps(self):
        """The first step moves each parameter by the rate; the second by Kingma and Ba's formulas."""
        network = Network([np.array([[1.0]])], [np.array([0.0])])
        adam = Adam(network)
        adam.step([np.array([[0.3]]), np.array([-5.0])], 0.1)
        assert network.weights[0][0, 0] == pytest.approx(0.9, abs=1e-6)
        assert network.biases[0][0] == pytest.approx(0.1, abs=1e-6)
        adam.step([np.array([[0.1]]), np.array([0.0])], 0.1)
        mean = (0.9 * 0.1 * 0.3 + 0.1 * 0.1) / (1 - 0.9**2)
        square = (0.999 * 0.001 * 0.09 + 0.001 * 0.01) / (1 - 0.999**2)
        assert network.weights[0][0, 0] == pytest.approx(0.9 - 0.1 * mean / np.sqrt(square), abs=1e-6)

    def test_copies_are_independent(self):
        network = Network.drawn((2, 2), np.random.default_rng(1))
        copy = network.copy()
        network.weights[0][0, 0] += 1
        assert copy.weights[0][0, 0] != network.weights[0][0, 0]


class TestDistances:
    def test_frechet_distance_of_normal_laws(self):
        """Means and covariances are set exactly; against the closed form for commuting covariances."""
        rng = np.random.default_rng(2)

        def exactly(mean, deviations):
            x = rng.standard_normal((500, 3))
            x -= x.mean(axis=0)
            x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
            return mean + x * deviations

        a, b = exactly(np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 0.5]), exactly(np.array([1.0, 0.0, 3.5]), [2.0, 1.0, 0.5])
        assert frechet_distance(a, b) == pytest.approx(4 + 0.25 + 1 + 1, abs=1e-9)
        assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
        assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))

    def test_frechet_distance_of_covariances_that_do_not_commute(self):
        """Against scipy's matrix square root."""
        from scipy.linalg import sqrtm

        rng = np.random.default_rng(3)
        a, b = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 4)), rng.standard_normal((60, 4))
        s, t = np.cov(a.T), np.cov(b.T)
        expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
        assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)

    def test_kernel_distance_by_loops(self):
        rng = np.random.default_rng(4)
        a, b = rng.standard_normal((6, 3)), rng.standard_normal((5, 3))

        def kernel(x, y):
            return (x @ y / 3 + 1) ** 3

        within = sum(kernel(a[i], a[j]) for i in range(6) for j in range(6) if i != j) / 30
        other = sum(kernel(b[i], b[j]) for i in range(5) for j in range(5) if i != j) / 20
        between = sum(kernel(x, y) for x in a for y in b) / 30
        assert kernel_distance(a, b) == pytest.approx(within + other - 2 * between)

    def test_kernel_distance_is_unbiased(self):
        """Equal laws: mean of 200 distances within 4.5 standard errors of 0 (7e-6)."""
        rng = np.random.default_rng(5)
        found = [kernel_distance(rng.standard_normal((30, 4)), rng.standard_normal((40, 4))) for _ in range(200)]
        assert abs(np.mean(found)) < 4.5 * np.std(found) / np.sqrt(200)

    def test_bad_features(self):
        for a, b, message in [
            (np.ones((3, 2)), np.ones((3, 4)), "same d"),
            (np.ones(3), np.ones(3), "must be"),
            (np.ones((1, 2)), np.ones((3, 2)), "two images or more"),
        ]:
            for distance in (frechet_distance, kernel_distance):
                with pytest.raises(InputError, match=message):
                    distance(a, b)


class TestDigits:
    def test_real_images(self):
        found = digits.load()
        assert found.training.shape == (1200, 64)
        assert found.test.shape == (597, 64)
        assert found.training.min() == -1
        assert found.training.max() == 1
        assert set(found.test_classes) == set(range(10))
        with pytest.raises(ValueError, match="read-only"):
            found.test[0, 0] = 0

    def test_the_features_know_digits(self):
        found, features = digits.load(), digits.features()
        assert features.accuracy(found.test, found.test_classes) > 0.95
        assert features(found.test).shape == (597, 32)
        real = frechet_distance(features(found.training), features(found.test))
        rng = np.random.default_rng(1)
        noised = found.training + 0.6 * rng.standard_normal(found.training.shape)
        assert frechet_distance(features(noised), features(found.test)) > 3 * real
        missing = found.training[found.training_classes != 3]
        assert frechet_distance(features(missing), features(found.test)) > 1.5 * real


@pytest.fixture(scope="module")
def trained() -> Denoiser:
    return train(digits.load().training, np.random.default_rng(1).standard_normal, SHORT)


class TestDenoiser:
    def distance(self, images):
        features = digits.features()
        return frechet_distance(features(images), features(digits.load().test))

    def test_learns(self, trained):
        """Images after 1000 steps are nearer to digits than those of an untrained network, by far."""
        empty = train(digits.load().training, np.random.default_rng(1).standard_normal, Training(steps=1, width=128))
        draw = np.random.default_rng(2).standard_normal
        assert self.distance(trained.sample(500, draw)) < 0.5 * self.distance(empty.sample(500, draw))

    def test_an_offset_of_the_noise_is_seen(self, trained):
        """Mean 0.2 in place of 0; three good draws differ by much less (their spread is a hundredth of that)."""
        good = [self.distance(trained.sample(500, np.random.default_rng(seed).standard_normal)) for seed in (3, 4, 5)]
        rng = np.random.default_rng(6)
        shifted = self.distance(trained.sample(500, lambda shape: rng.standard_normal(shape) + 0.2))
        assert shifted - max(good) > 10 * (max(good) - min(good))

    def test_the_same_numbers_give_the_same_images(self, trained):
        first, again = (trained.sample(5, np.random.default_rng(9).standard_normal) for _ in range(2))
        np.testing.assert_array_equal(first, again)
        drawn = []
        trained.sample(7, lambda shape: drawn.append(shape) or np.zeros(shape))
        assert drawn == [(7, 64)] * 100

    def test_threads_do_not_show(self):
        """Training on one and on two threads: weights agree to 1e-9, far below what is reported."""
        code = (
            "import numpy as np\n"
            "from mtjspice.generative import digits\n"
            "from mtjspice.generative.denoiser import Training, train\n"
            "found = train(digits.load().training, np.random.default_rng(1).standard_normal,"
            " Training(steps=150, batch=128, width=128))\n"
            "print(repr([float(w.sum()) for w in found.network.weights]))"
        )
        sums = []
        for threads in ("1", "2"):
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
            )
            sums.append(eval(done.stdout))
        np.testing.assert_allclose(*sums, rtol=0, atol=1e-9)

    def test_schedule(self):
        plan = cosine_schedule(100)
        left = plan.signal_fraction()
        assert left[0] == 1
        assert left[-1] == pytest.approx(1e-3, rel=0.01)
        assert left[50] == pytest.approx(np.cos(0.508 / 1.008 * np.pi / 2) ** 2, rel=1e-3)
        assert (np.diff(left) < 0).all()
        with pytest.raises(InputError, match="at least 1 step"):
            cosine_schedule(0)

    def test_bad_settings(self, trained):
        for settings in ({"steps": 0}, {"batch": 0}, {"width": 0}, {"rate": 0.0}):
            with pytest.raises(InputError, match="training needs"):
                Training(**settings)
        with pytest.raises(InputError, match="number of images"):
            trained.sample(0, np.zeros)
