"""The user's own colour pictures, 32 x 32, as the subject of a diffusion study: a U-Net that is trained now."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import cached_property

import numpy as np

from mtjspice.errors import InputError
from mtjspice.generative.data import locate, pictures, survey
from mtjspice.generative.gan import lpips
from mtjspice.generative.images.denoiser import SAMPLING_STEPS, ImageTraining, train
from mtjspice.generative.inception import FEATURES as INCEPTION
from mtjspice.generative.inception import Inception
from mtjspice.generative.subject import Floats, Noise, Progress, Sampler, Subject

_MOST_TESTS = 10_000


class PicturesSubject(Subject):
    """Pictures of the data set ``name``; ``training`` says how models are trained.

    Features are Inception's if the user has named a copy of it, else those of LPIPS's AlexNet.
    """

    def __init__(self, name: str, training: ImageTraining | None = None) -> None:
        self._training = training or ImageTraining()
        self.name = name
        self._pixels, tests = pictures.load(name)
        self._tests = tests[:_MOST_TESTS]
        own = any(status.item.name == "inception" and status.path is not None for status in survey())
        self._network: Callable[[Floats], Floats] = Inception(locate("inception")) if own else _AlexNet()
        self.features_about = INCEPTION if own else lpips.FEATURES
        self.least, self.tests = 200, len(self._tests)
        self.numbers = int(np.prod(self._pixels.shape[1:])) * SAMPLING_STEPS

    def train(self, noise: Noise, seed: int, progress: Progress) -> Sampler:
        """A model trained with the numbers of ``noise``."""
        return train(self._pixels, noise, replace(self._training, seed=seed), progress)

    def features(self, images: Floats) -> Floats:
        """Features (n, d)."""
        return self._network(images)

    def test_features(self) -> Floats:
        """Features of the pictures that are kept for comparison."""
        return self._test_features

    @cached_property
    def _test_features(self) -> Floats:
        return self.features(self._tests / 127.5 - 1)

    def training_features(self, count: int) -> Floats:
        """Features of ``count`` pictures for training."""
        return self.features(self._pixels[:count] / 127.5 - 1)

    def pictures(self, images: Floats) -> Floats:
        """Images (n, 32, 32, 3)."""
        return images.transpose(0, 2, 3, 1)

    def settings(self) -> Mapping[str, str | int | float]:
        """How models are trained."""
        return asdict(self._training)


class _AlexNet:
    def __init__(self) -> None:
        self._lpips = lpips.Lpips()

    def __call__(self, images: Floats) -> Floats:
        found = self._lpips.embed_and_features(np.asarray(np.clip(images, -1, 1), np.float32))[1]
        if not np.isfinite(found).all():
            raise InputError("features of the images are not finite")
        return found
