"""Generators by name and the user's own: what they give, and one line for each that does not."""

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.generative.gan.faces import Faces
from mtjspice.generative.gan.generators import Generator, open_generator

torch = pytest.importorskip("torch")
Z = np.random.default_rng(1).standard_normal((12, 5))


def good(z):
    return np.tanh(z @ np.linspace(-1, 1, 5 * 3 * 16 * 16).reshape(5, -1)).reshape(-1, 3, 16, 16)


class TestKnown:
    def test_faces(self, fetched):
        """The network, layer by layer in torch's own modules, from the same file."""
        state = torch.load(fetched("faces"), map_location="cpu", weights_only=True)["netG_state_dict"]
        layers, widths = [], (100, 512, 256, 128, 64, 3)
        for k in range(5):
            layers.append(torch.nn.ConvTranspose2d(widths[k], widths[k + 1], 4, 2 if k else 1, min(k, 1), bias=False))
            layers += [torch.nn.Tanh()] if k == 4 else [torch.nn.BatchNorm2d(widths[k + 1]), torch.nn.ReLU()]
        network = torch.nn.Sequential(*layers)
        network.load_state_dict({name.removeprefix("main."): value for name, value in state.items()})
        network.eval()
        z = np.random.default_rng(2).standard_normal((3, 100))
        generator = open_generator("faces")
        images = generator.images(z)
        with torch.inference_mode():
            expected = network(torch.from_numpy(z).float().view(3, 100, 1, 1)).numpy()
        assert images.shape == (3, 3, 64, 64)
        np.testing.assert_allclose(images, expected, atol=2e-5)
        assert images.std() > 0.2

    def test_fashion_depends_on_class_and_latent(self):
        generator = open_generator("fashion")
        z = np.random.default_rng(2).standard_normal((400, 64))
        images = generator.images(z)
        assert images.shape == (400, 1, 28, 28)
        np.testing.assert_array_equal(generator.turns(12), [*range(10), 0, 1])
        np.testing.assert_allclose(generator.images(z[:10], np.arange(10)), images[:10], atol=1e-5)
        same = np.full(400, 1)  # trousers: dark at the sides, and between the legs at the bottom
        trousers = generator.images(z, same).mean(axis=0)[0]
        assert trousers[:, :4].mean() < -0.9
        assert trousers[22:26, 14].mean() < trousers[22:26, [10, 18]].mean() - 0.3
        assert generator.images(z, same).std(axis=0).mean() > 0.1

    def test_faces_of_another_file(self, tmp_path):
        path = tmp_path / "weights.tar"
        torch.save({"netG_state_dict": {"main.0.weight": torch.zeros(1)}}, path)
        with pytest.raises(InputError, match=r"'main\.0\.weight' must have the shape \(100, 512, 4, 4\), not \(1,\)"):
            Faces(path)
        torch.save([1], path)
        with pytest.raises(InputError, match="is not a state dictionary"):
            Faces(path)
        path.write_bytes(b"nothing")
        with pytest.raises(InputError, match="is not a state dictionary"):
            Faces(path)
        with pytest.raises(InputError, match="cannot read"):
            Faces(tmp_path / "absent")


class TestOwn:
    MODULE = "import numpy as np\ndef make(z):\n    return np.zeros((len(z), 1, 16, 16))\nnumber = 3\n"

    def test_a_function_in_the_working_folder(self, tmp_path, monkeypatch):
        (tmp_path / "own_generator.py").write_text(self.MODULE)
        monkeypatch.chdir(tmp_path)
        assert open_generator("own_generator:make", 7).images(np.zeros((3, 7))).shape == (3, 1, 16, 16)
        for text, message in (
            ("own_generator:none", "has no function 'none'"),
            ("own_generator:number", "has no function 'number'"),
            ("no_such_module:make", "cannot import the generator"),
        ):
            with pytest.raises(InputError, match=message):
                open_generator(text, 7)
        (tmp_path / "broken_generator.py").write_text("1 / 0\n")
        with pytest.raises(InputError, match="ZeroDivisionError"):
            open_generator("broken_generator:make", 7)

    @pytest.mark.parametrize(
        ("text", "size", "message"),
        [
            ("cats", None, "unknown generator 'cats'; available: faces, fashion, or module:function"),
            (":f", 3, "unknown generator"),
            ("a:b", None, "needs the size of its latents"),
            ("a:b", 0, "1 or more"),
            ("fashion", 100, "have the size 64, not 100"),
        ],
    )
    def test_bad_names(self, text, size, message):
        with pytest.raises(InputError, match=message):
            open_generator(text, size)

    def test_arrays_and_tensors_in_batches(self):
        z = np.random.default_rng(1).standard_normal((130, 5))
        images = Generator("own", 5, good).images(z)
        np.testing.assert_allclose(images, good(z), atol=1e-6)
        tensor = Generator("own", 5, lambda z: torch.tensor(good(z), requires_grad=True))
        np.testing.assert_array_equal(tensor.images(z), images)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda z: "picture", "not str"),
            (lambda z: None, "not NoneType"),
            (lambda z: good(z)[:, 0], r"not an array of shape \(12, 16, 16\)"),
            (lambda z: good(z)[:-1], r"not an array of shape \(11, 3, 16, 16\)"),
            (lambda z: good(z)[:, :2], r"shape \(12, 2, 16, 16\)"),
            (lambda z: good(z) * np.nan, "not finite"),
            (lambda z: 127.5 * (good(z) + 1), "pixels range from"),
            (lambda z: z @ np.zeros((4, 4)), "own failed with latents of shape .*: ValueError"),
        ],
    )
    def test_what_is_no_image(self, make, message):
        with pytest.raises(InputError, match=message) as raised:
            Generator("own", 5, make).images(Z)
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize("latents", [Z[:, :4], Z[0], Z[:0]])
    def test_latents_of_another_size(self, latents):
        with pytest.raises(InputError, match=r"takes latents of shape \(n, 5\)"):
            Generator("own", 5, good).images(latents)
