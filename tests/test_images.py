"""Networks of PyTorch for images, and the data sets that they generate.

Small trainings and random pictures show that everything is connected; what noise costs is measured with the network
that comes with mtjspice (slow).
"""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import NumpySource, StreamSource
from mtjspice.cache import CACHE_VARIABLE
from mtjspice.errors import InputError
from mtjspice.generative import data
from mtjspice.generative.data import fashion, pictures, recognise
from mtjspice.generative.diffusion_study import Effort, compare
from mtjspice.generative.encodings.catalogue import open_noise
from mtjspice.generative.gaussian import InverseCdf, NumpyGaussian
from mtjspice.generative.weights import shipped, shipped_about

torch = pytest.importorskip("torch")

from mtjspice.generative.fashion_subject import NAME, FashionSubject, shipped_denoiser  # noqa: E402
from mtjspice.generative.images.denoiser import ImageDenoiser, ImageTraining, train  # noqa: E402
from mtjspice.generative.images.features import features, probabilities  # noqa: E402
from mtjspice.generative.images.parameters import from_arrays, seeded, to_arrays  # noqa: E402
from mtjspice.generative.images.unet import UNet  # noqa: E402
from mtjspice.generative.inception import Inception  # noqa: E402
from mtjspice.generative.pictures_subject import PicturesSubject  # noqa: E402

BRIEF = ImageTraining(steps=2, batch=4, width=8)


class TestNetworks:
    def test_noise_of_one_step(self) -> None:
        """The images of a model of 1 step are the estimate itself: clip(x / signal - ...) of the network's answer."""
        network = seeded(lambda: UNet(1, 8), 3).double().eval().requires_grad_(False)
        torch.nn.init.normal_(network.leave.weight, std=0.1, generator=torch.Generator().manual_seed(1))
        noise = NumpyGaussian(1).normal((3, 1, 28, 28))
        found = ImageDenoiser(network, 28, steps=1).sample(3, lambda shape: noise)
        predicted = network(torch.from_numpy(noise), torch.ones(3, dtype=torch.float64)).numpy()
        left = 1e-3  # the floor of the schedule
        np.testing.assert_allclose(
            found, np.clip((noise - np.sqrt(1 - left) * predicted) / np.sqrt(left), -1, 1), rtol=1e-4
        )

    def test_images_do_not_depend_on_threads_or_on_how_many_are_drawn(self) -> None:
        """Each image has noise of its own: the first of many are the few, to rounding."""
        model = ImageDenoiser(seeded(lambda: UNet(1, 8), 1).eval().requires_grad_(False), 28, steps=3)
        noise = NumpyGaussian(4).normal((4, 6, 1, 28, 28))
        calls = iter(noise)
        many = model.sample(6, lambda shape: next(calls))
        few_calls = iter(noise[:, :2])
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        few = model.sample(2, lambda shape: next(few_calls))
        assert torch.get_num_threads() == 2
        torch.set_num_threads(before)
        np.testing.assert_allclose(many[:2], few, atol=1e-5)

    def test_training_repeats_and_leaves_torch_alone(self) -> None:
        images = np.random.default_rng(0).integers(0, 256, (20, 3, 8, 8), np.uint8)
        state = torch.get_rng_state()
        first, again, other = (
            to_arrays(train(images, NumpyGaussian(seed).normal, BRIEF).network) for seed in (1, 1, 2)
        )
        assert (torch.get_rng_state() == state).all()
        assert all((first[name] == again[name]).all() for name in first)
        assert any((first[name] != other[name]).any() for name in first)

    def test_training_learns(self) -> None:
        """Bright and dark squares: after 150 steps the noise is told from the image; guessing 0 has an error of 1."""
        images = np.full((64, 1, 8, 8), 20, np.uint8)
        images[::2] = 235
        network = train(images, NumpyGaussian(1).normal, ImageTraining(150, 32, 8), kind=torch.float32).network
        noise = NumpyGaussian(2).normal((64, 1, 8, 8))
        left = np.cos((0.5 + 0.008) / 1.008 * np.pi / 2) ** 2  # at half the time
        noisy = np.sqrt(left) * (images / 127.5 - 1) + np.sqrt(1 - left) * noise
        predicted = network(torch.from_numpy(noisy).float(), torch.full((64,), 0.5)).numpy()
        assert np.mean((predicted - noise) ** 2) < 0.6

    def test_sizes_that_do_not_fit(self) -> None:
        with pytest.raises(InputError, match="a side that is a multiple of 4"):
            train(np.zeros((4, 1, 10, 10), np.uint8), NumpyGaussian(1).normal, BRIEF)
        with pytest.raises(InputError, match="a width of 8, 16, 24"):
            ImageTraining(width=12)
        with pytest.raises(InputError, match="at least 1, not 0"):
            ImageDenoiser(UNet(1, 8), 28).sample(0, NumpyGaussian(1).normal)

    def test_parameters_of_another_network(self) -> None:
        arrays = shipped(NAME)
        with pytest.raises(InputError, match=r"x: the array 'enter.weight' must have the shape"):
            from_arrays(UNet(1, 8), arrays, "x")
        del arrays["leave.bias"]
        with pytest.raises(InputError, match=r"x has no array 'leave\.bias'"):
            from_arrays(UNet(1, 24), arrays, "x")
        assert '"script": "scripts/train_fashion_unet.py"' in shipped_about(NAME)

    def test_classifier_knows_fashion(self, fetched: Callable[[str], Path]) -> None:
        fetched("fashion-mnist")
        test = fashion.load("test")
        right = probabilities(test.scaled()[:1000]).argmax(axis=1) == test.classes[:1000]
        assert right.mean() > 0.89
        assert features(test.scaled()[:3]).shape == (3, 64)


class TestFashion:
    def test_bits_that_run_out_are_an_error(self) -> None:
        stream = NumpySource("pcg64", 1).stream(8 * 28 * 28 * 5)
        with pytest.raises(StreamExhaustedError):
            shipped_denoiser().sample(2, InverseCdf(StreamSource(stream), 8).normal)

    def test_images_are_clothes(self, fetched: Callable[[str], Path]) -> None:
        """The classifier is sure of what the shipped network draws, and finds several classes."""
        fetched("fashion-mnist")
        found = probabilities(shipped_denoiser().sample(24, NumpyGaussian(3).normal))
        assert np.median(found.max(axis=1)) > 0.8
        assert len(set(found.argmax(axis=1))) >= 4

    @pytest.mark.slow
    def test_what_costs_and_what_does_not(self, fetched: Callable[[str], Path]) -> None:
        """Ideal 8-bit words lie within 40 % of the null, whose draws scatter by 10 %; bias and memory lie far beyond.

        200 images a draw, one draw each; with 300, biased words are 8.6 times and words with memory 3.6 times the null.
        """
        fetched("fashion-mnist")
        words = ("tree:8", "tree:8,dp=0.01", "tree:8,rho=0.3,lanes=784", "tree:8,dp=0.01,calibrated=law")

        def make(text: str) -> Callable[[int], object]:
            return lambda seed: open_noise(text, open_source("pcg64", seed), seed)

        outcome = compare([(text, make(text)) for text in words], effort=Effort(200, 1, 3), subject=FashionSubject())
        rows = {text: outcome.row(text) for text in words}
        assert 0.6 < rows["tree:8"]["ratio"] < 1.4
        assert rows["tree:8,dp=0.01"]["ratio"] > 3
        assert rows["tree:8,rho=0.3,lanes=784"]["ratio"] > 2
        assert 0.6 < rows["tree:8,dp=0.01,calibrated=law"]["ratio"] < 1.4


# --- the user's own copies -----------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of its own, with the fetched network of LPIPS noted in it."""
    lpips = data.fetch("lpips")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    data.use("lpips", lpips)
    pictures.load.cache_clear()
    yield tmp_path
    pictures.load.cache_clear()


BATCHES = (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch")


def random_rows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3073), np.uint8)


def write_cifar(folder: Path, count: int = 60) -> Path:
    folder.mkdir()
    for k, name in enumerate(
        ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
    ):
        random_rows(4 * count if name == "test_batch" else count, k).tofile(folder / f"{name}.bin")
    return folder


class TestOwnCopies:
    def test_cifar(self, own: Path) -> None:
        data.use("cifar-10", write_cifar(own / "cifar"))
        training, test = pictures.load("cifar-10")
        assert training.shape == (300, 3, 32, 32)
        assert (training[60] == random_rows(60, 1)[0, 1:].reshape(3, 32, 32)).all()
        assert test.shape == (240, 3, 32, 32)

    def test_cifar_as_pickles(self, own: Path) -> None:
        import pickle

        folder = own / "cifar"
        folder.mkdir()
        for name in BATCHES:
            rows = {"labels": [0, 1], "data": random_rows(2)[:, 1:]}
            (folder / name).write_bytes(pickle.dumps(rows, protocol=4))
        data.use("cifar-10", folder)
        assert (pictures.load("cifar-10")[1] == random_rows(2)[:, 1:].reshape(2, 3, 32, 32)).all()
        pictures.load.cache_clear()
        (folder / "test_batch").write_bytes(pickle.dumps({"data": np.zeros((2, 5))}, protocol=4))
        with pytest.raises(InputError, match="no array 'data' of 3072 columns"):
            pictures.load("cifar-10")

    def test_what_is_not_cifar(self, own: Path) -> None:
        folder = own / "cifar"
        folder.mkdir()
        with pytest.raises(InputError, match="is not CIFAR-10: it has neither"):
            data.use("cifar-10", folder)
        for name in BATCHES:
            (folder / f"{name}.bin").write_bytes(b"abc")
        data.use("cifar-10", folder)
        with pytest.raises(InputError, match="its size is no multiple of 3073 bytes"):
            pictures.load("cifar-10")

    def test_folder_of_pictures(self, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from PIL import Image

        folder = own / "faces"
        folder.mkdir()
        for k in range(7):
            picture = np.zeros((64, 96, 3), np.uint8)
            picture[:, 16:80] = 10 * k
            Image.fromarray(picture).save(folder / f"{k}.png")
        with pytest.raises(InputError, match=r"has 7 pictures .* 500 or more are needed"):
            data.use("celeba-hq", folder)
        monkeypatch.setattr(recognise, "LEAST_PICTURES", 7)
        data.use("celeba-hq", folder)
        training, test = pictures.load("celeba-hq")
        assert test[:, 0, 0, 0].tolist() == [0, 60]
        assert training.shape == (5, 3, 32, 32)
        assert (training == training[:, :1, :1, :1]).all()  # the margins are cut off
        pictures.load.cache_clear()
        (folder / "8.png").write_bytes(b"no picture")
        with pytest.raises(InputError, match=r"8\.png is not a picture that can be read"):
            pictures.load("celeba-hq")

    def test_study_of_own_pictures(self, own: Path) -> None:
        data.use("cifar-10", write_cifar(own / "cifar"))
        subject = PicturesSubject("cifar-10", BRIEF)
        subject.least = 16
        outcome = compare([("software", NumpyGaussian)], effort=Effort(16, 1, 3), subject=subject)
        assert outcome.examples["software"].shape == (16, 32, 32, 3)
        assert outcome.as_dict()["features"].startswith("384 spatial means")
        assert outcome.row("software")["frechet"] > outcome.floor

    def test_missing_copy(self, own: Path, command_line: Callable[..., tuple[int, str, str]]) -> None:
        code, _, err = command_line("diffusion", "--source", "pcg64", "--data", "cifar-10")
        assert code == 2
        assert "no package brings it" in err
        assert err.count("\n") == 1


class Answering(torch.nn.Module):
    def forward(self, images: torch.Tensor, return_features: bool = True) -> torch.Tensor:
        return images.to(torch.float32).mean(dim=(2, 3))


class Silent(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


def save(module: torch.nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module).save(str(path))


class TestInception:
    def test_features(self, own: Path) -> None:
        save(Answering(), own / "inception.pt")
        network = Inception(own / "inception.pt")
        images = np.stack([np.full((1, 8, 8), value) for value in (-1.0, 0.0, 1.0, 3.0)])
        np.testing.assert_allclose(network(images), np.repeat([[0], [128], [255], [255]], 3, axis=1))
        data.use("inception", own / "inception.pt")
        data.use("cifar-10", write_cifar(own / "cifar"))
        assert PicturesSubject("cifar-10", BRIEF).features_about.startswith("2048 features of Inception")

    def test_other_files(self, own: Path) -> None:
        (own / "x.pt").write_bytes(b"no network")
        with pytest.raises(InputError, match="is not a TorchScript file"):
            Inception(own / "x.pt")
        with pytest.raises(InputError, match="is not a TorchScript file"):
            data.use("inception", own / "x.pt")
        save(Silent(), own / "y.pt")
        with pytest.raises(InputError, match="does not take images as Inception does"):
            Inception(own / "y.pt")(np.zeros((1, 3, 8, 8)))
