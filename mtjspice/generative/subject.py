"""What a diffusion study generates: data, a model of them, and the features in which images are compared."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Noise = Callable[[tuple[int, ...]], Floats]
"""Numbers that stand in for N(0, 1), of the shape that is asked for."""
Progress = Callable[[float], None]


class Sampler(Protocol):
    """A trained model."""

    def sample(self, count: int, noise: Noise) -> Floats:
        """``count`` images made of the numbers of ``noise``."""


class Subject(ABC):
    """A subclass names itself and its features, and trains, draws and compares.

    ``name`` and ``features_about`` go into tables; ``least`` is the number of images below which a covariance of the
    features is not worth having; ``tests`` the number of images that others are compared with; ``numbers`` how many
    values one image takes from the noise in sampling; ``network`` the name of the shipped model.
    """

    name: str
    features_about: str
    least: int
    tests: int
    numbers: int
    network: str = ""

    def shipped(self) -> Sampler | None:
        """The model that comes with mtjspice, trained with software noise; None where there is none."""
        return None

    @abstractmethod
    def train(self, noise: Noise, seed: int, progress: Progress) -> Sampler:
        """A model trained with the numbers of ``noise``."""

    @abstractmethod
    def features(self, images: Floats) -> Floats:
        """Features (n, d) of images as the models draw them."""

    @abstractmethod
    def test_features(self) -> Floats:
        """Features of the real images that others are compared with."""

    @abstractmethod
    def training_features(self, count: int) -> Floats:
        """Features of real images that the models are trained on, ``count`` or all there are."""

    @abstractmethod
    def pictures(self, images: Floats) -> Floats:
        """Images for a figure, (n, rows, columns) from -1 to 1, or (n, rows, columns, 3)."""

    @abstractmethod
    def settings(self) -> Mapping[str, str | int | float]:
        """How models are trained."""
