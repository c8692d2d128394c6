"""Handwritten digits of 8 x 8 pixels, and a network whose features tell how much like digits other images are.

The images are those of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits" (UCI repository, 1998),
as scikit-learn ships them.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.mlp import Adam, Network, one_thread

Floats = NDArray[np.float64]
SIDE = 8
PIXELS = SIDE * SIDE
CLASSES = 10
_TRAINING = 1200
_SEED = 0  # of the split and of the feature network: part of what the distances mean


@dataclass(frozen=True, eq=False)
class Digits:
    """Images (n, 64) from -1 to 1 and their classes (n,), for training and for comparison."""

    training: Floats
    training_classes: NDArray[np.int64]
    test: Floats
    test_classes: NDArray[np.int64]


@lru_cache(maxsize=1)
def load() -> Digits:
    """1200 digits for training, the other 597 for comparison; InputError without scikit-learn."""
    try:
        datasets = import_module("sklearn.datasets")
    except ImportError:
        raise InputError("scikit-learn is not installed; pip install 'mtjspice[generative]'") from None
    found = datasets.load_digits()
    order = np.random.default_rng(_SEED).permutation(len(found.data))
    images, classes = found.data[order] / 8 - 1, found.target[order].astype(np.int64)
    for array in (images, classes):
        array.setflags(write=False)
    n = _TRAINING
    return Digits(images[:n], classes[:n], images[n:], classes[n:])


@dataclass(frozen=True, eq=False)
class Features:
    """A classifier 64-64-32-10; the 32 values before its last rectifier are the features of an image."""

    network: Network

    def __call__(self, images: Floats) -> Floats:
        """Features, shape (n, 32)."""
        hidden = Network(self.network.weights[:-1], self.network.biases[:-1])
        return hidden(np.asarray(images, np.float64))

    def accuracy(self, images: Floats, classes: NDArray[np.int64]) -> float:
        """Fraction of images that are classified right."""
        return float(np.mean(self.network(images).argmax(axis=1) == classes))


@lru_cache(maxsize=1)
@one_thread()
def features(steps: int = 1500, batch: int = 128) -> Features:
    """Train the classifier; always the same one, in a second or two."""
    digits = load()
    rng = np.random.default_rng(_SEED)
    network = Network.drawn((PIXELS, 64, 32, CLASSES), rng)
    adam = Adam(network)
    for step in range(steps):
        chosen = rng.integers(0, len(digits.training), batch)
        values = network.layers(digits.training[chosen])
        scores = np.exp(values[-1] - values[-1].max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        scores[np.arange(batch), digits.training_classes[chosen]] -= 1
        adam.step(network.gradients(values, scores / batch), 3e-3 * (1 - step / steps) + 1e-5)
    return Features(network)
