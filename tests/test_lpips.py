"""LPIPS against its definition, written anew in NumPy; files that are not its network."""

import pickle
from collections import OrderedDict

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.generative.gan.lpips import SHAPES, Lpips, pairwise

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def weights(fetched):
    return fetched("lpips")


@pytest.fixture(scope="module")
def lpips(weights):
    return Lpips(weights)


def synthetic(count=4, side=64, channels=3):
    """Gratings and checks with noise, which differ as the number does."""
    y, x = np.mgrid[:side, :side] / side
    rng = np.random.default_rng(5)
    waves = [np.sin(2 * np.pi * (k + 1) * (x * np.cos(k) + y * np.sin(k))) for k in range(count)]
    images = np.stack([np.stack([wave * (1 - 0.3 * c) for c in range(channels)]) for wave in waves])
    return np.clip(0.8 * images + 0.1 * rng.standard_normal(images.shape), -1, 1).astype(np.float32)


def convolved(x, kernel, bias, stride, padding):
    """Cross-correlation of (channels, h, w) with (side, side, in, out), then a rectifier, in double precision."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    side = kernel.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))[:, ::stride, ::stride]
    return np.maximum(np.tensordot(kernel, windows, ([0, 1, 2], [3, 4, 0])) + bias[:, None, None], 0)


def pooled(x):
    return np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(3, 4))


def defined(weights, a, b):
    """LPIPS 0.1 of two images (3, h, w), equation (1) of R. Zhang et al. 2018, without torch."""
    with weights.open("rb") as file:
        content = pickle.load(file)  # the test's own reading; the file's sum is checked when it is fetched
    total = 0.0
    found = []
    for image in (a, b):
        h = image.astype(np.float64) - np.array([-0.030, -0.088, -0.188])[:, None, None]
        h = h / np.array([0.458, 0.448, 0.450])[:, None, None]
        maps = []
        for k, (stride, padding) in enumerate(((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))):
            if k in (1, 2):
                h = pooled(h)
            layer = content["AlexNet_0"][f"Conv_{k}"]
            h = convolved(h, np.asarray(layer["kernel"], np.float64), np.asarray(layer["bias"]), stride, padding)
            maps.append(h / np.sqrt((h**2).sum(axis=0) + 1e-20))
        found.append(maps)
    for k, (one, other) in enumerate(zip(*found, strict=True)):
        weight = np.asarray(content[f"NetLinLayer_{k}"]["Conv_0"]["kernel"], np.float64).ravel()
        total += (weight[:, None, None] * (one - other) ** 2).sum(axis=0).mean()
    return total


class TestDistance:
    def test_agrees_with_the_definition(self, lpips, weights):
        images = synthetic(4)
        expected = [defined(weights, images[0], images[1]), defined(weights, images[2], images[3])]
        np.testing.assert_allclose(lpips(images[[0, 2]], images[[1, 3]]), expected, rtol=1e-4)
        assert min(expected) > 0.1

    def test_embedding_has_the_same_distances(self, lpips):
        images = synthetic(4, side=80)
        matrix = pairwise(lpips.embed(images), block=3)
        np.testing.assert_allclose(matrix[[0, 1], [2, 3]], lpips(images[:2], images[2:]), atol=5e-6)

    def test_is_a_distance_of_equal_things_0_and_symmetric(self, lpips):
        images = synthetic(5)
        assert (lpips(images, images) == 0).all()
        matrix = pairwise(lpips.embed(images[[0, 1, 2, 3, 4, 0]]), block=4)
        np.testing.assert_array_equal(matrix, matrix.T)
        assert (np.diag(matrix) == 0).all()
        assert matrix[0, 5] < 1e-5 < matrix[0, 1:5].min()

    def test_grey_is_repeated_and_small_is_enlarged(self, lpips):
        grey = synthetic(2, channels=1)
        np.testing.assert_array_equal(lpips.embed(grey), lpips.embed(np.repeat(grey, 3, axis=1)))
        small = np.full((1, 1, 28, 28), 0.25, np.float32)
        np.testing.assert_allclose(lpips.embed(small), lpips.embed(np.full((1, 3, 64, 64), 0.25)), atol=1e-6)

    def test_numbers_do_not_depend_on_how_many_there_are(self, lpips):
        images = np.repeat(synthetic(3), 20, axis=0)
        vectors, features = lpips.embed_and_features(images)
        assert features.shape == (60, 384)
        np.testing.assert_allclose(vectors[-1], lpips.embed(images[-1:])[0], atol=1e-5)

    def test_pairs_of_random_vectors(self):
        vectors = np.random.default_rng(1).standard_normal((37, 11)).astype(np.float32)
        brute = ((vectors[:, None].astype(float) - vectors[None]) ** 2).sum(axis=2)
        for block in (1, 7, 36, 37, 100):
            np.testing.assert_allclose(pairwise(vectors, block), brute, atol=1e-4)


class TestBadInput:
    @pytest.mark.parametrize("shape", [(2, 2, 64, 64), (2, 64, 64), (0, 3, 64, 64)])
    def test_other_shapes(self, lpips, shape):
        with pytest.raises(InputError, match="images"):
            lpips.embed(np.zeros(shape, np.float32))

    def test_pairs_of_different_shapes(self, lpips):
        with pytest.raises(InputError, match="one shape"):
            lpips(np.zeros((1, 3, 64, 64)), np.zeros((2, 3, 64, 64)))

    def test_a_network_of_another_shape_is_named(self, tmp_path):
        tree = {}
        for name, shape in SHAPES.items():
            *folders, last = name.split("/")
            branch = tree
            for folder in folders:
                branch = branch.setdefault(folder, {})
            branch[last] = np.zeros(shape[::-1] if name == "AlexNet_0/Conv_2/kernel" else shape, np.float32)
        path = tmp_path / "other.ckpt"
        path.write_bytes(pickle.dumps(tree))
        with pytest.raises(InputError) as raised:
            Lpips(path)
        for part in ("AlexNet_0/Conv_2/kernel", "(3, 3, 192, 384)", "(384, 192, 3, 3)", "other.ckpt"):
            assert part in str(raised.value)

    def test_code_is_refused(self, tmp_path):
        path = tmp_path / "code.ckpt"
        path.write_bytes(pickle.dumps(OrderedDict(a=1)))
        with pytest.raises(InputError, match=r"OrderedDict"):
            Lpips(path)
        with pytest.raises(InputError, match="cannot read"):
            Lpips(tmp_path / "absent")
