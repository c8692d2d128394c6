"""Fashion-MNIST as the subject of a diffusion study: a small U-Net in PyTorch."""

from collections.abc import Mapping
from dataclasses import asdict, replace

import numpy as np

from mtjspice.generative.data import fashion
from mtjspice.generative.images import features
from mtjspice.generative.images.denoiser import SAMPLING_STEPS, ImageDenoiser, ImageTraining, train
from mtjspice.generative.images.parameters import from_arrays
from mtjspice.generative.images.unet import UNet
from mtjspice.generative.subject import Floats, Noise, Progress, Sampler, Subject
from mtjspice.generative.weights import shipped

NAME = "fashion_unet"


class FashionSubject(Subject):
    """``training`` says how models are trained; without it the shipped one may serve."""

    def __init__(self, training: ImageTraining | None = None) -> None:
        self._training, self._asked = training or ImageTraining(), training is not None
        self.name, self.network = "fashion", NAME
        self.features_about = features.ABOUT
        self.least, self.tests = 200, len(fashion.load("test").classes)
        self.numbers = fashion.SIDE**2 * SAMPLING_STEPS

    def shipped(self) -> Sampler | None:
        """The model that comes with mtjspice, unless a training was asked for."""
        return None if self._asked else shipped_denoiser()

    def train(self, noise: Noise, seed: int, progress: Progress) -> Sampler:
        """A model trained with the numbers of ``noise``."""
        settings = replace(self._training, seed=seed)
        return train(fashion.load("train").pixels, noise, settings, progress)

    def features(self, images: Floats) -> Floats:
        """Features (n, 64)."""
        return features.features(images)

    def test_features(self) -> Floats:
        """Features of the 10,000 test images."""
        return features.features(fashion.load("test").scaled())

    def training_features(self, count: int) -> Floats:
        """Features of ``count`` training images."""
        return features.features(fashion.load("train").pixels[:count] / np.float32(127.5) - 1)

    def pictures(self, images: Floats) -> Floats:
        """Images (n, 28, 28)."""
        return images[:, 0]

    def settings(self) -> Mapping[str, str | int | float]:
        """How models are trained."""
        return asdict(self._training)


def shipped_denoiser() -> ImageDenoiser:
    """The model of Fashion-MNIST that comes with mtjspice."""
    arrays = shipped(NAME)
    return ImageDenoiser(from_arrays(UNet(1, arrays["enter.weight"].shape[0]), arrays, NAME), fashion.SIDE)
