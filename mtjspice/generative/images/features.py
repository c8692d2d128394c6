"""A small classifier of Fashion-MNIST; what it computes before its last layer are the features of an image."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mtjspice.generative.images.parameters import from_arrays
from mtjspice.generative.torch_threads import one_torch_thread
from mtjspice.generative.weights import shipped

NAME = "fashion_features"
WIDTH = 64
ABOUT = "64 features of a convolutional classifier of Fashion-MNIST (3 convolutions, 61,000 parameters)"
_BATCH = 500


class Classifier(nn.Module):
    """Three convolutions of 16, 32 and 64 maps with pooling, 64 features, 10 classes."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 16, 32, 64)
        pairs = list(pairwise(widths))
        self.convolutions = nn.ModuleList([nn.Conv2d(a, b, 3, padding=1) for a, b in pairs])
        self.norms = nn.ModuleList([nn.BatchNorm2d(b) for _, b in pairs])
        self.project = nn.Linear(64 * 9, WIDTH)
        self.classify = nn.Linear(WIDTH, 10)

    def features(self, x: Tensor) -> Tensor:
        """Features (n, 64) of images (n, 1, 28, 28) from -1 to 1."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = functional.max_pool2d(functional.relu(norm(convolution(x))), 2)
        return self.project(x.flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        """Scores (n, 10)."""
        return self.classify(functional.relu(self.features(x)))


@lru_cache(maxsize=1)
def classifier() -> Classifier:
    """The trained classifier that comes with mtjspice, in double precision."""
    return from_arrays(Classifier().double(), shipped(NAME), NAME)


@one_torch_thread()
@torch.inference_mode()
def features(images: NDArray[np.floating]) -> NDArray[np.float64]:
    """Features (n, 64) of images (n, 1, 28, 28) from -1 to 1."""
    network = classifier()
    parts = [
        network.features(torch.from_numpy(np.asarray(images[k : k + _BATCH], np.float64)))
        for k in range(0, len(images), _BATCH)
    ]
    return np.asarray(torch.cat(parts).numpy(), np.float64)


@one_torch_thread()
@torch.inference_mode()
def probabilities(images: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probability of each class, shape (n, 10)."""
    network = classifier()
    parts = [
        network(torch.from_numpy(np.asarray(images[k : k + _BATCH], np.float64))).softmax(1)
        for k in range(0, len(images), _BATCH)
    ]
    return np.asarray(torch.cat(parts).numpy(), np.float64)
