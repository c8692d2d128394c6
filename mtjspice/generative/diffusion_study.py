"""What the quality of the noise costs a diffusion model, measured on digits against a null of good noise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError, choose
from mtjspice.generative import digits
from mtjspice.generative.denoiser import Denoiser, Training, train
from mtjspice.generative.distances import frechet_distance, kernel_distance
from mtjspice.generative.gaussian import GaussianSource, NumpyGaussian

Floats = NDArray[np.float64]
Make = Callable[[int], GaussianSource]
"""A source for a seed."""
WHERE = ("sampling", "training", "both")
FEATURES = "32 features of a 64-64-32-10 classifier of the digits"
_NULL_SEED = 1_000_000  # of the software noise: apart from the seeds of the sources


@dataclass(frozen=True)
class Effort:
    """``images`` a draw, ``draws`` of each source, ``null_draws`` of the software noise, ``seeds`` of the training."""

    images: int = 1000
    draws: int = 3
    null_draws: int = 4
    seeds: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        if self.images < 100:
            raise InputError(f"the Frechet distance of 32 features needs 100 images or more, not {self.images}")
        if self.draws < 1 or self.seeds < 1:
            raise InputError("a study needs 1 draw and 1 training seed or more")
        if self.null_draws < 3:
            raise InputError(f"a null needs 3 draws or more, not {self.null_draws}")


@dataclass(frozen=True)
class Trial:
    """Distances of one draw of images from the test images."""

    label: str
    training_seed: int
    draw: int
    frechet: float
    kernel: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """All trials; ``null`` are those of the software noise in training and sampling.

    ``floor`` is the Frechet distance of the real training images from the real test images. ``examples`` has the
    first images of each source, shape (n, 64).
    """

    where: str
    effort: Effort
    null: tuple[Trial, ...]
    trials: tuple[Trial, ...]
    floor: float
    provenance: Mapping[str, Mapping[str, str | int | float]]
    examples: Mapping[str, Floats]

    def labels(self) -> list[str]:
        """Sources in order."""
        return list(dict.fromkeys(trial.label for trial in self.trials))

    def row(self, label: str) -> dict[str, Any]:
        """Mean and standard deviation of a source, and its excess over the null.

        ``excess`` is the mean distance less that of the null, of the same training seeds; ``spreads`` that in
        standard deviations of the null within a training; ``ratio`` the mean over the null's.
        """
        chosen = [trial for trial in self.trials if trial.label == label]
        mean = float(np.mean([trial.frechet for trial in chosen]))
        null = float(np.mean([trial.frechet for trial in self.null]))
        spread = self.null_spread()
        return {
            "source": label,
            "draws": len(chosen),
            "frechet": mean,
            "deviation": float(np.std([trial.frechet for trial in chosen], ddof=1)) if len(chosen) > 1 else None,
            "kernel": float(np.mean([trial.kernel for trial in chosen])),
            "excess": mean - null,
            "spreads": (mean - null) / spread,
            "ratio": mean / null,
        }

    def null_spread(self) -> float:
        """Standard deviation of the null's Frechet distances within a training, pooled."""
        seeds = sorted({trial.training_seed for trial in self.null})
        groups = [[trial.frechet for trial in self.null if trial.training_seed == seed] for seed in seeds]
        return float(np.sqrt(np.mean([np.var(group, ddof=1) for group in groups])))

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "data": "digits",
            "features": FEATURES,
            "where": self.where,
            "effort": asdict(self.effort),
            "floor": self.floor,
            "null": [asdict(trial) for trial in self.null],
            "null_mean": float(np.mean([trial.frechet for trial in self.null])),
            "null_spread": self.null_spread(),
            "sources": [self.row(label) for label in self.labels()],
            "trials": [asdict(trial) for trial in self.trials],
            "provenance": {label: dict(entries) for label, entries in self.provenance.items()},
        }


def compare(
    sources: Sequence[tuple[str, Make]],
    where: str = "sampling",
    effort: Effort | None = None,
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Draw digits with the noise of each of ``sources`` (label, maker) in sampling, in training, or in both.

    The other place has software noise; so have both in the null. Source seeds are ``seed``, ``seed`` + 1, ...
    InputError for no sources or two of one label, StreamExhaustedError for a recording that is too short.
    """
    choose("place of the noise", where, WHERE)
    chosen = effort or Effort()
    labels = [label for label, _ in sources]
    if not sources or len(set(labels)) != len(labels):
        raise InputError("a study compares one source or more, each with a label of its own")
    steps = chosen.seeds * (1 + chosen.null_draws + len(sources) * (chosen.draws + (where != "sampling")))
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done / steps)

    null: list[Trial] = []
    trials: list[Trial] = []
    examples: dict[str, Floats] = {}
    provenance: dict[str, Mapping[str, str | int | float]] = {}
    for training_seed in range(chosen.seeds):
        good = _train(NumpyGaussian(_NULL_SEED + training_seed), chosen, training_seed)
        advance()
        for draw in range(chosen.null_draws):
            noise = NumpyGaussian(_NULL_SEED + 1000 * (training_seed + 1) + draw)
            null.append(_measure("null", good.sample(chosen.images, noise.normal), training_seed, draw))
            examples.setdefault("null", good.sample(16, NumpyGaussian(_NULL_SEED).normal))
            advance()
        for label, make in sources:
            model = good
            if where != "sampling":
                model = _train(make(seed + 1000 + training_seed), chosen, training_seed)
                advance()
            for draw in range(chosen.draws):
                noise_source: GaussianSource = (
                    NumpyGaussian(_NULL_SEED + 500 + draw) if where == "training" else make(seed + draw)
                )
                images = model.sample(chosen.images, noise_source.normal)
                trials.append(_measure(label, images, training_seed, draw))
                examples.setdefault(label, images[:16])
                advance()
            provenance.setdefault(label, make(seed).provenance)
    found, features = digits.load(), digits.features()
    floor = frechet_distance(features(found.training), features(found.test))
    return Outcome(where, chosen, tuple(null), tuple(trials), floor, provenance, examples)


def _train(noise: GaussianSource, effort: Effort, seed: int) -> Denoiser:
    settings = Training(**{**asdict(effort.training), "seed": seed})
    return train(digits.load().training, noise.normal, settings)


def _measure(label: str, images: Floats, training_seed: int, draw: int) -> Trial:
    features = digits.features()
    real, made = features(digits.load().test), features(images)
    return Trial(label, training_seed, draw, frechet_distance(made, real), kernel_distance(made, real))
