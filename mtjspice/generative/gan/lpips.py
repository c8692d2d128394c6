"""LPIPS 0.1 with AlexNet (R. Zhang et al., CVPR 2018): how different two images look, and AlexNet's features.

LPIPS is a squared Euclidean distance. The activations of five layers are scaled to unit length at each place; the
distance is the mean over places of the squared differences, weighted by channel. So an image has one long vector
(`Lpips.embed`), and all pairs of n images cost one matrix product (`pairwise`). torch is imported where it is used.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.data import locate
from mtjspice.generative.mlp import one_thread
from mtjspice.generative.torch_threads import one_torch_thread, require_torch
from mtjspice.generative.weights import checked, numpy_pickle

Images = NDArray[np.float32]
SIDE = 64
"""Smaller images are enlarged to this height and width, by bilinear interpolation: AlexNet halves them five times."""
FEATURES = "384 spatial means of AlexNet's third layer (ImageNet)"
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of the colours, as published
# channels in and out, side of the kernel, stride, padding, whether pooling (3 x 3, stride 2) precedes
_LAYERS = (
    (3, 64, 11, 4, 2, False), (64, 192, 5, 1, 2, True), (192, 384, 3, 1, 1, True), (384, 256, 3, 1, 1, False),
    (256, 256, 3, 1, 1, False),
)  # fmt: skip
_BATCH = 50
_TINY = 1e-10  # keeps the length of a dark place from being 0, as published
SHAPES: Mapping[str, tuple[int, ...]] = {
    **{f"AlexNet_0/Conv_{k}/kernel": (side, side, a, b) for k, (a, b, side, *_) in enumerate(_LAYERS)},
    **{f"AlexNet_0/Conv_{k}/bias": (b,) for k, (_, b, *_) in enumerate(_LAYERS)},
    **{f"NetLinLayer_{k}/Conv_0/kernel": (1, 1, b, 1) for k, (_, b, *_) in enumerate(_LAYERS)},
}


class Lpips:
    """The network with the parameters of ``path``, by default the data "lpips".

    Images have shape (n, channels, height, width), 1 (grey) or 3 channels, values in [-1, 1]. InputError where the
    file does not hold the network, torch is absent, or images have another shape.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._torch = require_torch("LPIPS")
        where = locate("lpips") if path is None else path
        arrays = dict(_flat(numpy_pickle(where)))
        checked(arrays, SHAPES, str(where))
        kernels = (arrays[f"AlexNet_0/Conv_{k}/kernel"].transpose(3, 2, 0, 1) for k in range(len(_LAYERS)))
        self._kernels = [self._tensor(kernel) for kernel in kernels]
        self._biases = [self._tensor(arrays[f"AlexNet_0/Conv_{k}/bias"]) for k in range(len(_LAYERS))]
        self._weights = [
            self._tensor(arrays[f"NetLinLayer_{k}/Conv_0/kernel"].ravel()).clamp_min(0) for k in range(len(_LAYERS))
        ]

    def __call__(self, a: Images, b: Images) -> NDArray[np.float32]:
        """Distance of each image of ``a`` from that of ``b``, shape (n,), layer by layer as it is defined."""
        if np.shape(a) != np.shape(b):
            raise InputError(f"LPIPS compares images of one shape, not {np.shape(a)} with {np.shape(b)}")
        total = np.zeros(len(a), np.float32)
        with one_torch_thread(), self._torch.inference_mode():
            for part in _parts(len(a)):
                pairs = zip(self._maps(a[part]), self._maps(b[part]), self._weights, strict=True)
                for one, other, weight in pairs:
                    difference = (one - other) ** 2 * weight.view(1, -1, 1, 1)
                    total[part] += difference.sum(1).mean((1, 2)).numpy()
        return total

    def embed(self, images: Images) -> NDArray[np.float32]:
        """Vectors (n, d) whose squared Euclidean distances are LPIPS; d depends on height and width."""
        return self.embed_and_features(images)[0]

    def embed_and_features(self, images: Images) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """`embed` and the features (n, 384) that `FEATURES` names, in one pass."""
        if len(images) == 0:
            raise InputError("there are no images to embed")
        vectors, features = [], []
        with one_torch_thread(), self._torch.inference_mode():
            for part in _parts(len(images)):
                raw = self._activations(images[part])
                features.append(raw[2].mean((2, 3)).numpy().astype(np.float64))
                rows = [
                    (_unit(h) * (weight / (h.shape[2] * h.shape[3])).sqrt().view(1, -1, 1, 1)).flatten(1)
                    for h, weight in zip(raw, self._weights, strict=True)
                ]
                vectors.append(self._torch.cat(rows, 1).numpy())
        return np.concatenate(vectors), np.concatenate(features)

    def _maps(self, images: Images) -> list[Any]:
        return [_unit(h) for h in self._activations(images)]

    def _activations(self, images: Images) -> list[Any]:
        functional = self._torch.nn.functional
        x = self._tensor(images)
        if x.ndim != 4 or x.shape[1] not in (1, 3):
            raise InputError(f"LPIPS takes images (n, 1 or 3, height, width), not {tuple(x.shape)}")
        if min(x.shape[2:]) < SIDE:
            size = tuple(max(SIDE, side) for side in x.shape[2:])
            x = functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
        x = (x - self._tensor(_SHIFT).view(1, 3, 1, 1)) / self._tensor(_SCALE).view(1, 3, 1, 1)  # grey is repeated
        found = []
        for (_, _, _, stride, padding, pooled), kernel, bias in zip(_LAYERS, self._kernels, self._biases, strict=True):
            if pooled:
                x = functional.max_pool2d(x, 3, 2)
            x = functional.relu(functional.conv2d(x, kernel, bias, stride=stride, padding=padding))
            found.append(x)
        return found

    def _tensor(self, values: Any) -> Any:
        return self._torch.from_numpy(np.array(values, np.float32, order="C"))


def pairwise(vectors: NDArray[np.float32], block: int = 512) -> NDArray[np.float32]:
    """Squared distances of all pairs, (n, n), symmetric with zeros on the diagonal; rounded to some 1e-6."""
    with one_thread():
        return squared_distances(vectors, block)


def squared_distances(vectors: NDArray[np.float32], block: int = 512) -> NDArray[np.float32]:
    """What `pairwise` gives, in as many threads as the caller allows."""
    n = len(vectors)
    found = np.empty((n, n), np.float32)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    for i in range(0, n, block):
        rows = slice(i, min(i + block, n))
        # the upper triangle of blocks; the rest is its mirror image
        product = vectors[rows] @ vectors[i:].T
        values = np.maximum(squares[rows, None] + squares[None, i:] - 2 * product, 0)
        found[rows, i:] = values
        found[i:, rows] = values.T
        corner = found[rows, rows]
        found[rows, rows] = np.maximum(corner, corner.T)
    np.fill_diagonal(found, 0)
    return found


def _unit(h: Any) -> Any:
    """Activations over their length, place by place."""
    return h / (h.pow(2).sum(1, keepdim=True).sqrt() + _TINY)


def _parts(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH))


def _flat(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Arrays of nested mappings by their path."""
    if isinstance(tree, Mapping):
        for name, branch in tree.items():
            yield from _flat(branch, f"{prefix}/{name}" if prefix else str(name))
    else:
        yield prefix, tree
