"""The network of the class-conditional generator of 28 x 28 garments that comes with the package.

One dense layer and two transposed convolutions; between them features are scaled and shifted class by class
(conditional batch normalisation, V. Dumoulin et al. 2017), with the statistics of the training folded in. The arrays
are those of ``models/networks/fashion_gan.npz``, which scripts/train_fashion_gan.py writes. torch is imported with this
module.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from mtjspice.generative.data.fashion import CLASSES

LATENT = 64
WIDTH = 64  # channels of 7 x 7; half of them at 14 x 14, a quarter at 28 x 28
SHAPES: Mapping[str, tuple[int, ...]] = {
    "dense.weight": (WIDTH * 49, LATENT),
    "dense.bias": (WIDTH * 49,),
    "scale7": (len(CLASSES), WIDTH),
    "shift7": (len(CLASSES), WIDTH),
    "up14.weight": (WIDTH, WIDTH // 2, 4, 4),
    "scale14": (len(CLASSES), WIDTH // 2),
    "shift14": (len(CLASSES), WIDTH // 2),
    "up28.weight": (WIDTH // 2, WIDTH // 4, 4, 4),
    "scale28": (len(CLASSES), WIDTH // 4),
    "shift28": (len(CLASSES), WIDTH // 4),
    "out.weight": (1, WIDTH // 4, 3, 3),
    "out.bias": (1,),
}


def images(arrays: Mapping[str, Any], z: Any, classes: Any) -> Any:
    """Images (n, 1, 28, 28) in [-1, 1] of latents ``z`` (n, 64) and ``classes`` (n,), all of them torch tensors."""
    h = functional.linear(z, arrays["dense.weight"], arrays["dense.bias"]).view(-1, WIDTH, 7, 7)
    h = _normed(h, arrays, "7", classes)
    h = functional.conv_transpose2d(h, arrays["up14.weight"], stride=2, padding=1)
    h = _normed(h, arrays, "14", classes)
    h = functional.conv_transpose2d(h, arrays["up28.weight"], stride=2, padding=1)
    h = _normed(h, arrays, "28", classes)
    return torch.tanh(functional.conv2d(h, arrays["out.weight"], arrays["out.bias"], padding=1))


def _normed(h: Any, arrays: Mapping[str, Any], side: str, classes: Any) -> Any:
    scale, shift = arrays[f"scale{side}"][classes], arrays[f"shift{side}"][classes]
    return torch.relu(h * scale[:, :, None, None] + shift[:, :, None, None])
