"""What the quality of the noise costs a diffusion model, measured against a null of good noise."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtjspice.errors import InputError, choose
from mtjspice.generative.digits_subject import DigitsSubject
from mtjspice.generative.distances import frechet_distance, kernel_distance, standardised
from mtjspice.generative.gaussian import GaussianSource, NumpyGaussian
from mtjspice.generative.subject import Floats, Subject

Make = Callable[[int], GaussianSource]
"""A source for a seed."""
WHERE = ("sampling", "training", "both")
_SOFTWARE = 1_000_000  # sets the software noise apart from the sources
_EXAMPLES = 16
MOST_DRAWS, MOST_IMAGES = 1000, 1_000_000
_KERNEL_TESTS = 2000  # of the real images: the kernel matrix grows with their square


@dataclass(frozen=True)
class Effort:
    """``images`` a draw, ``draws`` of each source, ``null_draws`` of the software noise, ``seeds`` of the training."""

    images: int = 1000
    draws: int = 3
    null_draws: int = 4
    seeds: int = 1

    def __post_init__(self) -> None:
        if not (self.draws >= 1 and self.seeds >= 1 and self.draws * self.seeds <= MOST_DRAWS):
            raise InputError(f"a study needs 1 draw and 1 training seed or more, and {MOST_DRAWS} draws at most")
        if self.images > MOST_IMAGES:
            raise InputError(f"a draw has {MOST_IMAGES} images at most, not {self.images}")
        if not 3 <= self.null_draws <= MOST_DRAWS:
            raise InputError(f"a null needs 3 draws or more, {MOST_DRAWS} at most, not {self.null_draws}")


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

    ``floor`` is the Frechet distance of as many real training images from the real test images. ``examples`` has the
    first images of each source, shape (n, rows, columns). ``model`` is the shipped network or how models were trained.
    """

    subject: Subject
    model: Mapping[str, str | int | float]
    where: str
    effort: Effort
    seed: int
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
            "data": self.subject.name,
            "features": self.subject.features_about,
            "test_images": self.subject.tests,
            "model": dict(self.model),
            "where": self.where,
            "effort": asdict(self.effort),
            "seed": self.seed,
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
    subject: Subject | None = None,
) -> Outcome:
    """Draw images with the noise of each of ``sources`` (label, maker) in sampling, in training, or in both.

    The other place has software noise; so have both in the null. Source seeds are ``seed``, ``seed`` + 1, ...; in
    training ``seed`` + 1000, ...
    ``subject`` is `DigitsSubject` if not given. InputError for no sources or two of one label, or for too few images;
    StreamExhaustedError for a recording that is too short.
    """
    choose("place of the noise", where, WHERE)
    chosen, about = effort or Effort(), subject or DigitsSubject()
    labels = [label for label, _ in sources]
    if not sources or len(set(labels)) != len(labels):
        raise InputError("a study compares one source or more, each with a label of its own")
    if chosen.images < about.least:
        raise InputError(
            f"the Frechet distance of {about.name} needs {about.least} images or more, not {chosen.images}"
        )
    steps = _Steps(
        chosen.seeds * (1 + chosen.null_draws + len(sources) * (chosen.draws + (where != "sampling"))), progress
    )
    reference = _Reference(about)
    null: list[Trial] = []
    trials: list[Trial] = []
    examples: dict[str, Floats] = {}
    provenance: dict[str, Mapping[str, str | int | float]] = {}
    # models that are compared must have had the same training
    shipped = about.shipped() if where == "sampling" and chosen.seeds == 1 else None
    for training_seed in range(chosen.seeds):
        good = shipped
        if good is None:
            good = about.train(_software(seed, "training", training_seed).normal, training_seed, steps.part)
        steps.advance()
        for draw in range(chosen.null_draws):
            images = good.sample(chosen.images, _software(seed, "null", training_seed, draw).normal)
            null.append(reference.trial("null", images, training_seed, draw))
            examples.setdefault("null", about.pictures(images[:_EXAMPLES]))
            steps.advance()
        for label, make in sources:
            model = good
            if where != "sampling":
                model = about.train(make(seed + 1000 + training_seed).normal, training_seed, steps.part)
                steps.advance()
            for draw in range(chosen.draws):
                number = draw + chosen.draws * training_seed
                noise = _software(seed, "sampling", number) if where == "training" else make(seed + number)
                images = model.sample(chosen.images, noise.normal)
                trials.append(reference.trial(label, images, training_seed, draw))
                examples.setdefault(label, about.pictures(images[:_EXAMPLES]))
                steps.advance()
            provenance.setdefault(label, make(seed).provenance)
    floor = frechet_distance(about.training_features(chosen.images), reference.features)
    origin = about.settings() if shipped is None else {"network": about.network}
    return Outcome(about, origin, where, chosen, seed, tuple(null), tuple(trials), floor, provenance, examples)


def _software(seed: int, role: str, *numbers: int) -> NumpyGaussian:
    """Software noise of its own for each role and draw of a study with ``seed``."""
    roles = ("training", "null", "sampling")
    entropy = np.random.SeedSequence([_SOFTWARE, seed, roles.index(role), *numbers])
    return NumpyGaussian(int(entropy.generate_state(1, np.uint64)[0]))


class _Reference:
    """Features of the real test images; the kernel distance takes them in units of their standard deviations."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self.features = subject.test_features()
        self._standard = standardised(self.features[:_KERNEL_TESTS], self.features)

    def trial(self, label: str, images: Floats, training_seed: int, draw: int) -> Trial:
        found = self._subject.features(images)
        kernel = kernel_distance(standardised(found, self.features), self._standard)
        return Trial(label, training_seed, draw, frechet_distance(found, self.features), kernel)


class _Steps:
    """Progress in steps, each of which may report parts of itself."""

    def __init__(self, count: int, report: Callable[[float], None] | None) -> None:
        self._count, self._report, self._done = count, report, 0

    def part(self, fraction: float) -> None:
        if self._report is not None and fraction < 1:
            self._report((self._done + fraction) / self._count)

    def advance(self) -> None:
        self._done += 1
        if self._report is not None:
            self._report(self._done / self._count)
