"""Neural SDEs: mixtures of known score, both samplers, the studies and the command.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import csv
import json
import sys
from functools import cache

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import StreamSource
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.sde import euler_maruyama, gaussian_case, gaussian_study, regression
from mtjspice.generative.sde.latent_space import LatentSpace
from mtjspice.generative.sde.mixtures import three_peaks, two_peaks
from mtjspice.generative.sde.network import DropConnectNetwork, Perceptron, drawn_pass
from mtjspice.generative.sde.outcome import Effort, energy_distance
from mtjspice.generative.sde.pairs import PairImperfections
from mtjspice.generative.sde.pbits import FrozenPBits, PBits
from mtjspice.generative.sde.samplers import ExSitu, InSitu
from mtjspice.generative.sde.transitions import Transitions, rate, signal_left

QUICK = gaussian_study.Settings(steps=8, training_steps=30)


def source(text):
    return lambda seed: open_source(text, seed)


class TestMixtures:
    @pytest.mark.parametrize("mixture", [two_peaks(), three_peaks()])
    @pytest.mark.parametrize("signal", [1.0, 0.3])
    def test_score_is_the_gradient(self, mixture, signal):
        """Against central differences of the log density at 30 points."""
        x = np.random.default_rng(1).standard_normal((30, mixture.size)) * 1.5
        law, h = mixture.diffused(signal), 1e-5
        shifts = h * np.eye(mixture.size)
        numeric = [(law.log_density(x + shift) - law.log_density(x - shift)) / (2 * h) for shift in shifts]
        np.testing.assert_allclose(law.score(x), np.transpose(numeric), atol=1e-6)

    def test_density_and_quantiles(self):
        law = two_peaks()
        end = float(law.quantiles(np.array([0.3]))[0])
        below, _ = quad(lambda x: np.exp(law.log_density(np.array([[x]])))[0], -8, end)
        assert below == pytest.approx(0.3, abs=1e-6)
        with pytest.raises(InputError, match="one dimension"):
            three_peaks().quantiles(np.array([0.5]))

    def test_exact_reverse_transition(self):
        """Against integrals over the posterior by quadrature."""
        law, kept, x = two_peaks().diffused(0.6), 0.8, 0.7

        def posterior(u, power):
            density = np.exp(law.log_density(np.array([[u]])))[0]
            return u**power * density * stats.norm.pdf(x, np.sqrt(kept) * u, np.sqrt(1 - kept))

        zeroth, first, second = (quad(posterior, -6, 6, args=(power,))[0] for power in range(3))
        mean, covariance = law.reverse_moments(np.array([[x]]), kept)
        assert mean[0, 0] == pytest.approx(first / zeroth)
        assert covariance[0, 0, 0] == pytest.approx(second / zeroth - (first / zeroth) ** 2)

    def test_energy_distance(self):
        """SciPy's in one dimension; for one law far below that for two (0.03 by the number of samples)."""
        rng = np.random.default_rng(3)
        a, b = rng.standard_normal((2, 1000, 1))
        exact = stats.energy_distance(a[:, 0], b[:, 0] + 1)
        assert energy_distance(a, b + 1) == pytest.approx(exact, rel=1e-9)
        assert 0 < energy_distance(a, b) < 0.1 < exact


class TestEulerMaruyama:
    def test_converges_with_order_one(self):
        """Of the exact law, without sampling error."""
        errors = [euler_maruyama.law_error(two_peaks(), steps) for steps in (32, 64)]
        assert euler_maruyama.order([32, 64], errors) == pytest.approx(1, abs=0.1)
        assert errors[1] < 0.02
        with pytest.raises(InputError, match="1 to 100 steps"):
            euler_maruyama.law_error(two_peaks(), 101)

    def test_samples_have_that_law(self):
        """W2 of 20,000 samples: that of the law within 0.03, a few times what a draw of the mixture itself has."""
        found = euler_maruyama.sample(two_peaks(), 16, 20_000, np.random.default_rng(1).standard_normal)
        wanted = euler_maruyama.law_error(two_peaks(), 16)
        assert euler_maruyama.wasserstein(found, two_peaks()) == pytest.approx(wanted, abs=0.03)

    @pytest.mark.parametrize("mixture", [two_peaks(), three_peaks()])
    def test_injected_covariance(self, mixture):
        """20,000 steps from one state with 16-bit words: each entry within 5 standard errors of g^2 dt (1e-6 each)."""
        from mtjspice.generative.gaussian import InverseCdf

        step = gaussian_case.ex_situ_step(mixture, 20, InverseCdf(open_source("emulated:fair", 2), 16).normal)
        n, size = 20_000, mixture.size
        found = np.atleast_2d(np.cov(step(np.full((n, size), 0.4), 10).T))
        wanted = euler_maruyama.injected_variance(0.5, 0.05)
        assert wanted == pytest.approx(10.05 * 0.05)
        errors = wanted * np.sqrt((1 + np.eye(size)) / n)
        assert (np.abs(found - wanted * np.eye(size)) < 5 * errors).all()

    def test_rate_and_signal_belong_together(self):
        for time in (0.2, 0.9):
            slope = (np.log(signal_left(time + 1e-6)) - np.log(signal_left(time - 1e-6))) / 2e-6
            assert -slope == pytest.approx(float(rate(time)), rel=1e-6)


class TestNetworks:
    def small(self):
        rng = np.random.default_rng(4)
        shapes = [(5, 3), (2, 5)]
        parts = [tuple(rng.standard_normal(shape) for shape in shapes) for _ in range(2)]
        return DropConnectNetwork(*parts, tuple(rng.standard_normal(shape[0]) for shape in shapes))

    def test_pass_against_a_loop(self):
        network, rng = self.small(), np.random.default_rng(5)
        x, bits = rng.standard_normal((4, 3)), rng.integers(0, 2, (4, 25)).astype(np.uint8)
        for row, drawn, found in zip(x, bits, drawn_pass(network.levels(), network.biases, x, bits), strict=True):
            first = network.weights[0] + network.amplitudes[0] * (drawn[:15].reshape(5, 3) - 0.5)
            second = network.weights[1] + network.amplitudes[1] * (drawn[15:].reshape(2, 5) - 0.5)
            hidden = first @ row + network.biases[0]
            hidden = hidden / (1 + np.exp(-hidden))
            np.testing.assert_allclose(found, second @ hidden + network.biases[1])

    def test_agrees_with_the_network_that_is_trained(self):
        """PyTorch's training forward pass and NumPy's inference, with the same bits."""
        torch = pytest.importorskip("torch")
        from mtjspice.generative.sde import training

        module = training.DropConnect((3, 5, 2), np.random.default_rng(6), torch.float64)
        network = DropConnectNetwork.from_arrays(module.arrays(), "test")
        x = np.random.default_rng(7).standard_normal((4, 1, 3))
        found = module(torch.from_numpy(x), np.random.default_rng(8)).detach().numpy()[:, 0]
        rng = np.random.default_rng(8)
        bits = np.concatenate(
            [training.fair_bits(rng, (4, *w.shape)).numpy().reshape(4, -1) for w in network.weights], 1
        )
        np.testing.assert_allclose(found, drawn_pass(network.levels(), network.biases, x[:, 0], bits), atol=1e-12)

    def test_energy_score_is_least_for_the_law_of_the_target(self):
        """40,000 draws of N(0, s): mean score at s = 1 below those at 0.7 and 1.4, by 10 standard errors."""
        torch = pytest.importorskip("torch")
        from mtjspice.generative.sde.training import energy_score

        rng = np.random.default_rng(9)
        first, second, target = (torch.from_numpy(part) for part in rng.standard_normal((3, 40_000, 2)))
        best, narrow, wide = (energy_score(s * first, s * second, target).numpy() for s in (1.0, 0.7, 1.4))
        for other in (narrow, wide):
            assert (other - best).mean() > 10 * (other - best).std() / 200

    def test_arrays_that_do_not_fit(self):
        network = self.small()
        arrays = {"weight0": network.weights[0], "weight1": network.weights[1].T, "bias0": np.zeros(5)}
        with pytest.raises(InputError, match="do not fit each other"):
            Perceptron.from_arrays(arrays, "file")
        with pytest.raises(InputError, match="no array 'bias1'"):
            Perceptron.from_arrays({**arrays, "weight1": network.weights[1]}, "file")
        with pytest.raises(InputError, match="no array 'weight0'"):
            Perceptron.from_arrays({}, "file")


class TestTransitions:
    def test_posterior_recovers_the_marginal(self):
        """Exact for a point z_0: mean and variance of z_{k-1} follow from those of z_k."""
        steps = Transitions.cosine()
        for k in (2, 7, 20):
            of_clean, of_noisy, deviation = steps.posterior(k)
            mean = of_clean + of_noisy * np.sqrt(steps.signal[k])
            variance = of_noisy**2 * (1 - steps.signal[k]) + deviation**2
            assert (mean, variance) == pytest.approx((np.sqrt(steps.signal[k - 1]), 1 - steps.signal[k - 1]))

    def test_too_few(self):
        with pytest.raises(InputError, match="2 steps or more"):
            Transitions.linear(1)


@cache
def reference():
    return np.random.default_rng(11).standard_normal((4000, 8))


def frechet(latents):
    """From N(0, 1), as which all latents are standardised: no data needed."""
    from mtjspice.generative.distances import frechet_distance

    return frechet_distance(latents, reference())


class TestLatents:
    """The networks that come with mtjspice; latents against their known mean 0, deviation 1 and small correlations."""

    START = np.random.default_rng(10).standard_normal((300, 8))

    def latents(self, text="pcg64", kind=PBits, **flaws):
        model, pairs = InSitu.shipped(), PairImperfections(**flaws)
        pbits = kind(open_source(text, 1), model.network.pbits, pairs)
        return model.sample(self.START, pbits, pairs), pbits.used

    def test_fair_pbits_against_unfair_ones(self):
        """Distances of 300 latents: fair below 0.5; q = 0.4, frozen, none and wide spread beyond 2 (the seed fixed)."""
        fair, used = self.latents()
        assert used == 300 * InSitu.shipped().pbits
        assert frechet(fair) < 0.5
        assert frechet(self.latents("emulated:fair,p=0.4")[0]) > 2
        assert frechet(self.latents(kind=FrozenPBits)[0]) > 2
        assert frechet(self.latents(keep_spread=0.2)[0]) > 2
        assert frechet(InSitu.shipped().sample_mean(self.START)) > 2
        assert frechet(self.latents(read_error=0.05)[0]) < 0.5

    def test_ex_situ(self):
        model = ExSitu.shipped()
        asked = []

        def noise(shape):
            asked.append(np.prod(shape))
            return np.random.default_rng(len(asked)).standard_normal(shape)

        assert frechet(model.sample(300, noise)) < 0.5
        assert sum(asked) == 300 * model.numbers

    def test_numbers_repeat(self):
        np.testing.assert_array_equal(self.latents(memory=0.2)[0], self.latents(memory=0.2)[0])

    def test_batches_do_not_matter(self, monkeypatch):
        """P-bits go image by image, so that the size of a batch changes nothing but rounding."""
        from mtjspice.generative.sde import samplers

        whole, _ = self.latents()
        monkeypatch.setattr(samplers, "_BITS_AT_ONCE", 7 * InSitu.shipped().pbits)
        np.testing.assert_allclose(self.latents()[0], whole, atol=1e-9)

    def test_source_that_runs_dry(self):
        model = InSitu.shipped()
        stream = BitStream.from_bits(np.ones(model.pbits + 8, np.uint8), "emulated", {})
        pbits = PBits(StreamSource(stream), model.network.pbits)
        assert np.isfinite(model.sample(self.START[:1], pbits)).all()
        with pytest.raises(StreamExhaustedError):
            model.sample(self.START[:1], pbits)

    def test_autoencoder(self):
        """A latent decodes to an image, and its image encodes to nearly the same latent."""
        space = LatentSpace.shipped()
        images = space.decode(0.5 * self.START[:50])
        assert images.shape == (50, 1, 28, 28)
        assert np.abs(images).max() <= 1
        found = space.encode(images)
        assert np.corrcoef(found.ravel(), self.START[:50].ravel())[0, 1] > 0.8


class TestGaussianStudy:
    def test_study(self):
        """Short training: shapes, repeatable numbers, and what does not depend on it."""
        pytest.importorskip("torch")
        effort = Effort(200, 1, 3)
        first, again = (
            gaussian_study.compare([("fair", source("pcg64"))], effort, settings=QUICK, dimensions=(1,)) for _ in "ab"
        )
        assert json.dumps(first.as_dict(), allow_nan=False) == json.dumps(again.as_dict(), allow_nan=False)
        by_case = {one.case: one for one in first.covariances if one.time == 0.5}
        assert by_case["ex situ, fair"].error < 0.15  # of 800 draws; 0.04 by their number
        assert by_case["in situ, mean only, fair"].error > 0.3
        assert first.order == pytest.approx(1, abs=0.15)
        assert len(first.rows(1)) == 4

    @pytest.mark.slow
    def test_trained_noise_is_that_of_the_transition(self):
        """Trained: near the exact transition, the same in all states; for the mean only: neither. Wide margins."""
        pytest.importorskip("torch")
        mixture, steps, k = two_peaks(), 20, 10
        models = gaussian_case.train(mixture, steps, training_steps=2000)
        exact = gaussian_case.exact_covariance(mixture, steps, k)
        found = {
            case: gaussian_case.covariance(
                case, mixture, steps, k, gaussian_case.in_situ_step(model, open_source("pcg64", 1))
            )
            for case, model in models.items()
        }
        trained, fixed = found[gaussian_case.TRAINED], found[gaussian_case.MEAN_ONLY]
        assert abs(trained.error - exact.error) < 0.15
        assert trained.scatter < 0.3
        assert fixed.error > 0.6
        assert fixed.scatter > 0.6

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: gaussian_study.compare([]), "one source or more"),
            (lambda: gaussian_study.compare([("a", source("pcg64"))] * 2), "a label of its own"),
            (lambda: gaussian_study.compare([("a", source("pcg64"))], where="here"), "unknown place"),
            (lambda: gaussian_study.Settings(steps=2), "5 to 100 steps"),
            (lambda: Effort(images=10), "100 images or more"),
            (lambda: Effort(null_draws=2), "3 draws or more"),
        ],
    )
    def test_bad_requests(self, call, message):
        with pytest.raises(InputError, match=message):
            call()


class TestRegression:
    def test_without_torch(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)
        with pytest.raises(InputError, match=r"training needs PyTorch: pip install 'mtjspice\[generative\]'"):
            regression.train(regression.Settings())

    def test_mean_and_scatter(self):
        """Trained briefly: mean within 0.1, deviation within 0.06 rms, coverage of 95 % above 0.85; flaws are worse.

        500 passes have errors of 0.02 at most at each of 25 places, so that an rms leaves its bound by training alone.
        """
        pytest.importorskip("torch")
        settings = regression.Settings(training_steps=700, passes=500, tests=2000)
        network = regression.train(settings)

        def predicted(text="pcg64", **flaws):
            return regression.predict(network, open_source(text, 1), settings, PairImperfections(**flaws))

        fair = predicted()
        assert fair.errors()["mean_rms_error"] < 0.1
        assert fair.errors()["deviation_rms_error"] < 0.06
        assert fair.coverage[-1].value > 0.85
        np.testing.assert_array_equal(predicted().mean, fair.mean)
        ends, middle = fair.deviation[[0, -1]].mean(), fair.deviation[12]
        assert ends > 2 * middle
        assert predicted(conductance_spread=0.08).errors()["mean_rms_error"] > 1.5 * fair.errors()["mean_rms_error"]
        assert predicted("emulated:fair,p=0").deviation.max() == pytest.approx(0, abs=1e-9)
        # lambda shows in the outputs, 25 places of 500 passes: 5 standard errors are 0.05
        assert abs(fair.autocorrelation) < 0.05
        assert predicted(memory=0.5).autocorrelation > 0.3


class TestCommand:
    LATENTS = ("sde", "--images", "100", "--draws", "1")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--source", "dice"), "unknown source 'dice'"),
            (("--source", "pcg64", "--source", "pcg64"), "may be given once"),
            (("--source", "pcg64", "--case", "faces"), "unknown case 'faces'"),
            (("--source", "pcg64", "--where", "here"), "unknown place of the noise"),
            (("--source", "pcg64", "--steps", "30"), "have 20 steps, not 30"),
            (("--source", "pcg64", "--memory", "2"), "memory must lie between -1 and 1"),
            (("--source", "pcg64", "--null", "2"), "3 draws or more"),
            (("--source", "pcg64", "--parallel", "0"), "works at once"),
            (("--source", "pcg64", "--seed", "4294967295"), "out of range"),
            (("--source", "pcg64", "--case", "regression", "--where", "ex-situ"), "in situ"),
        ],
    )
    def test_bad_requests(self, command_line, arguments, message):
        code, _, err = command_line(*self.LATENTS, *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1

    def test_regression(self, command_line, tmp_path):
        pytest.importorskip("torch")
        arguments = ("--case", "regression", "--training-steps", "20", "--images", "100")
        code, out, err = command_line("sde", *arguments, "--source", "lfsr:9", "--out", "d")
        assert (code, err) == (0, "")
        assert out.splitlines()[1].startswith("lfsr:9")
        result = json.loads((tmp_path / "d" / "result.json").read_text())
        table = list(csv.DictReader((tmp_path / "d" / "trials.csv").read_text().splitlines()))
        assert [float(row["mean"]) for row in table] == result["predictions"][0]["mean"]
        assert (tmp_path / "d" / "figure.png").stat().st_size > 10_000

    @pytest.mark.slow
    def test_gaussian(self, command_line, tmp_path):
        pytest.importorskip("torch")
        arguments = ("--case", "gaussian", "--training-steps", "20", "--images", "200", "--draws", "1", "--steps", "8")
        code, out, err = command_line("sde", *arguments, "--source", "pcg64", "--out", "d")
        assert (code, err) == (0, "")
        assert "in situ, trained, pcg64" in out
        result = json.loads((tmp_path / "d" / "result.json").read_text())
        assert set(result["rows"]) == {"1", "2"}
        assert (tmp_path / "d" / "figure.png").stat().st_size > 10_000

    @pytest.mark.slow
    def test_latents(self, command_line, fetched, tmp_path):
        pytest.importorskip("torch")
        fetched("fashion-mnist")
        arguments = ("--source", "pcg64", "--source", "emulated:fair,p=0.4")
        code, out, err = command_line("sde", "--images", "300", "--draws", "1", *arguments, "--out", "d")
        assert (code, err) == (0, "")
        assert "noise words beside the array" in out
        result = json.loads((tmp_path / "d" / "result.json").read_text())
        rows = {row["label"]: row for row in result["rows"]}
        assert rows["in-situ, pcg64"]["latent_frechet"]["mean"] < 0.5
        assert rows["in-situ, emulated:fair,p=0.4"]["latent_frechet"]["mean"] > 2
        assert result["bits_per_image"]["in-situ, pcg64"] == result["cost"]["demand"]["pbits"]
        table = list(csv.DictReader((tmp_path / "d" / "trials.csv").read_text().splitlines()))
        assert len(table) == 3 * (3 + 4)
        for name in ("figure", "samples", "cost"):
            assert (tmp_path / "d" / f"{name}.png").stat().st_size > 10_000

    def test_a_recording_that_is_too_short(self, command_line, tmp_path):
        pytest.importorskip("torch")
        (tmp_path / "bits").write_bytes(bytes(range(256)) * 10)
        arguments = ("--case", "regression", "--training-steps", "2", "--source", "file:bits,format=binary")
        code, _, err = command_line("sde", *arguments)
        assert code == 2
        assert "the stream has run out" in err
