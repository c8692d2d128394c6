"""Handwritten digits of 8 x 8 pixels as the subject of a diffusion study, in NumPy."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np

from mtjspice.generative import digits
from mtjspice.generative.denoiser import Denoiser, Training, train
from mtjspice.generative.diffusion import cosine_schedule
from mtjspice.generative.mlp import Network
from mtjspice.generative.subject import Floats, Noise, Progress, Sampler, Subject
from mtjspice.generative.weights import checked, shipped

NAME = "digits_denoiser"
_WIDTHS = (96, 256, 256, 256, 64)


class DigitsSubject(Subject):
    """``training`` says how models are trained; without it the shipped one may serve."""

    def __init__(self, training: Training | None = None) -> None:
        self._training, self._asked = training or Training(), training is not None
        self.name, self.network = "digits", NAME
        self.features_about = "32 features of a 64-64-32-10 classifier of the digits"
        self.least, self.tests = 100, len(digits.load().test)
        self.numbers = digits.PIXELS * cosine_schedule().steps

    def shipped(self) -> Sampler | None:
        """The model that comes with mtjspice, unless a training was asked for."""
        return None if self._asked else shipped_denoiser()

    def train(self, noise: Noise, seed: int, progress: Progress) -> Sampler:
        """A model trained with the numbers of ``noise``."""
        return train(digits.load().training, noise, replace(self._training, seed=seed), progress=progress)

    def features(self, images: Floats) -> Floats:
        """Features (n, 32)."""
        return digits.features()(images)

    def test_features(self) -> Floats:
        """Features of the 597 test images."""
        return self.features(digits.load().test)

    def training_features(self, count: int) -> Floats:
        """Features of up to 1200 training images."""
        return self.features(digits.load().training[:count])

    def pictures(self, images: Floats) -> Floats:
        """Images (n, 8, 8)."""
        return images.reshape(-1, digits.SIDE, digits.SIDE)

    def settings(self) -> Mapping[str, str | int | float]:
        """How models are trained."""
        return asdict(self._training)


def shipped_denoiser() -> Denoiser:
    """The model of the digits that comes with mtjspice."""
    arrays = shipped(NAME)
    pairs = list(pairwise(_WIDTHS))
    shapes = {f"weight{k}": pair for k, pair in enumerate(pairs)} | {f"bias{k}": (b,) for k, (_, b) in enumerate(pairs)}
    checked(arrays, shapes, NAME)
    layers = range(len(pairs))
    weights = [np.asarray(arrays[f"weight{k}"], np.float64) for k in layers]
    return Denoiser(Network(weights, [np.asarray(arrays[f"bias{k}"], np.float64) for k in layers]), cosine_schedule())
