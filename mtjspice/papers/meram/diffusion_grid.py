"""Trainings and draws of a diffusion model with software noise and with words, in every place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.meram.chance import geometric
from mtjspice.papers.meram.noises import CHECK, WORDS

if TYPE_CHECKING:
    from mtjspice.generative.gaussian import GaussianSource
    from mtjspice.generative.subject import Sampler

Floats = NDArray[np.float64]
SOFTWARE, NOWHERE = "software", "neither"
PLACES = ("training", "sampling", "both")


@dataclass(frozen=True)
class Size:
    """``trainings`` (seeds) of ``steps`` with each noise; ``images`` a draw, ``null`` draws and ``draws`` of words."""

    trainings: int
    steps: int
    images: int
    null: int
    draws: int


@dataclass(frozen=True)
class Trial:
    """Distance of one draw; ``where`` the words replaced software noise."""

    noise: str
    where: str
    training: int
    frechet: float


def run(size: Size, seed: int) -> list[Trial]:
    """Train once for each noise and seed; a model trained with words serves both "training" and "both".

    Models of one seed start from the same weights and see the same images; every draw has noise of its own.
    """
    from mtjspice.generative.digits_subject import DigitsSubject
    from mtjspice.generative.distances import frechet_distance
    from mtjspice.generative.gaussian import NumpyGaussian
    from mtjspice.papers.meram import noises

    subject = DigitsSubject(noises.training(size.steps))
    real = subject.test_features()
    streams = iter(np.random.SeedSequence([seed, 0xD1F]).generate_state(100_000).tolist())
    found: list[Trial] = []

    def noise(name: str) -> "GaussianSource":
        number = 1 + next(streams) % 2**31
        return NumpyGaussian(number) if name == SOFTWARE else noises.open_words(name, number)

    def draw(model: "Sampler", name: str, label: str, where: str, times: int) -> None:
        for _ in range(times):
            features = subject.features(model.sample(size.images, noise(name).normal))
            found.append(Trial(label, where, training, frechet_distance(features, real)))

    for training in range(size.trainings):
        good = subject.train(noise(SOFTWARE).normal, training, lambda done: None)
        draw(good, SOFTWARE, SOFTWARE, NOWHERE, size.null)
        draw(good, CHECK, CHECK, "sampling", size.draws)
        for name in WORDS:
            draw(good, name, name, "sampling", size.draws)
            own = subject.train(noise(name).normal, training, lambda done: None)
            draw(own, SOFTWARE, name, "training", size.draws)
            draw(own, name, name, "both", size.draws)
    return found


@dataclass(frozen=True)
class Effect:
    """Ratio of a noise's distance to that of software noise, with its 95 % interval and p of the hypothesis 1."""

    noise: str
    where: str
    value: float
    low: float
    high: float
    p: float


def effect(trials: Sequence[Trial], noise: str, where: str) -> Effect:
    """Geometric mean over trainings of the ratio to software noise of the same seed; Student's interval of its log."""
    logs = np.log(_means(trials, noise, where) / _means(trials, SOFTWARE, NOWHERE))
    return Effect(noise, where, *geometric(logs))


def _means(trials: Sequence[Trial], noise: str, where: str) -> Floats:
    """Mean distance for each training."""
    table = table_of(trials, noise, where)
    return np.array([row.mean() for row in table])


def table_of(trials: Sequence[Trial], noise: str, where: str) -> Floats:
    """Distances [training, draw]."""
    own = [one for one in trials if (one.noise, one.where) == (noise, where)]
    return np.array([[one.frechet for one in own if one.training == k] for k in sorted({one.training for one in own})])
