"""The case of a known score as a study: sources of bits ex situ and in situ, in one and two dimensions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError, choose
from mtjspice.generative.gaussian import InverseCdf, NumpyGaussian
from mtjspice.generative.sde import euler_maruyama, gaussian_case
from mtjspice.generative.sde.gaussian_case import EX_SITU, Covariance
from mtjspice.generative.sde.mixtures import Mixture, three_peaks, two_peaks
from mtjspice.generative.sde.outcome import NULL, WHERE, Effort, Trial, energy_distance, labels, summary
from mtjspice.generative.sde.pairs import PairImperfections
from mtjspice.generative.sde.pbits import PBits
from mtjspice.generative.sde.samplers import InSitu

Floats = NDArray[np.float64]
Make = Callable[[int], Source]
WORD = 8
ORDER_STEPS = (16, 32, 64, 96)
_NULL_SEED = 2_000_000
_REFERENCE = 2000  # samples of the mixture in two dimensions
_TIMES = (0.2, 0.5, 0.8)


@dataclass(frozen=True)
class Settings:
    """``steps`` of the reverse SDE, and length and seed of the training of the drop-connect networks."""

    steps: int = 20
    training_steps: int = 8000
    training_seed: int = 0

    def __post_init__(self) -> None:
        if not 5 <= self.steps <= 100:
            raise InputError(f"the reverse SDE has 5 to 100 steps here, not {self.steps}")
        if self.training_steps < 1:
            raise InputError("training needs 1 step or more")


@dataclass(frozen=True, eq=False)
class GaussianOutcome:
    """Trials and null by number of dimensions; errors of the exact law by steps and their order; covariances.

    ``floor`` has the distances of as many samples drawn from the mixture itself; ``samples`` those of first draws.
    """

    settings: Settings
    effort: Effort
    where: str
    seed: int
    flaws: PairImperfections
    null: Mapping[int, tuple[Trial, ...]]
    trials: Mapping[int, tuple[Trial, ...]]
    floor: Mapping[int, Mapping[str, float]]
    covariances: tuple[Covariance, ...]
    law_errors: tuple[float, ...]
    order: float
    samples: Mapping[int, Mapping[str, Floats]]

    def rows(self, dimensions: int) -> list[dict[str, Any]]:
        """Summaries, the null first."""
        null, trials = self.null[dimensions], self.trials[dimensions]
        return [summary(trials, null, label) for label in (NULL, *labels(trials))]

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "case": "gaussian", "where": self.where, "seed": self.seed, "word": WORD, "settings": asdict(self.settings),
            "effort": asdict(self.effort), "pairs": asdict(self.flaws),
            "law_error_steps": list(ORDER_STEPS), "law_errors": list(self.law_errors), "order": self.order,
            "covariances": [asdict(one) for one in self.covariances],
            "floor": {str(size): dict(found) for size, found in self.floor.items()},
            "rows": {str(size): self.rows(size) for size in self.trials},
            "trials": {
                str(size): [asdict(trial) for trial in (*self.null[size], *self.trials[size])] for size in self.trials
            },
        }  # fmt: skip


def distances(samples: Floats, mixture: Mixture, reference: Floats) -> dict[str, float]:
    """In one dimension W2 by quantiles, W1 and the energy distance of SciPy; in more the energy distance."""
    if mixture.size == 1:
        levels = (np.arange(samples.size) + 0.5) / samples.size
        exact = mixture.quantiles(levels)
        return {
            "w2": euler_maruyama.wasserstein(samples, mixture),
            "w1": float(stats.wasserstein_distance(samples[:, 0], exact)),
            "energy": float(stats.energy_distance(samples[:, 0], exact)),
        }
    return {"energy": energy_distance(samples, reference)}


def compare(
    sources: Sequence[tuple[str, Make]],
    effort: Effort | None = None,
    where: str = "both",
    flaws: PairImperfections | None = None,
    seed: int = 1,
    settings: Settings | None = None,
    dimensions: Sequence[int] = (1, 2),
    progress: Callable[[float], None] | None = None,
) -> GaussianOutcome:
    """Sample mixtures with each of ``sources``: exact score and words of 8 bits ex situ, drop-connect in situ.

    The start of in-situ samples is software noise. InputError for bad requests, StreamExhaustedError for a recording
    that is too short.
    """
    choose("place of the noise", where, WHERE)
    names = [label for label, _ in sources]
    if not sources or len(set(names)) != len(names):
        raise InputError("a study compares one source or more, each with a label of its own")
    chosen, pairs, used = effort or Effort(), flaws or PairImperfections(), settings or Settings()
    null: dict[int, tuple[Trial, ...]] = {}
    trials: dict[int, tuple[Trial, ...]] = {}
    floor, samples, covariances = {}, {}, []
    for k, size in enumerate(dimensions):
        bench = _Bench(size, chosen, used, pairs, seed, where, partial(_report, progress, k, len(dimensions)))
        null[size], trials[size] = bench.null(), bench.trials(sources)
        floor[size], samples[size] = bench.floor(), bench.samples
        covariances += bench.covariances(*sources[0])
    errors = [euler_maruyama.law_error(two_peaks(), steps) for steps in ORDER_STEPS]
    if progress is not None:
        progress(1.0)
    return GaussianOutcome(
        used, chosen, where, seed, pairs, null, trials, floor, tuple(covariances), tuple(errors),
        euler_maruyama.order(list(ORDER_STEPS), errors), samples,
    )  # fmt: skip


class _Bench:
    """One mixture, its networks, and samples from them."""

    def __init__(
        self, size: int, effort: Effort, settings: Settings, flaws: PairImperfections, seed: int, where: str,
        progress: Callable[[float], None],
    ) -> None:  # fmt: skip
        self.mixture = {1: two_peaks, 2: three_peaks}[size]()
        self._effort, self._settings, self._flaws, self._seed = effort, settings, flaws, seed
        self._reference = self.mixture.draw(_REFERENCE, np.random.default_rng(_NULL_SEED))
        self._networks: dict[str, InSitu] = {}
        if where != "ex-situ":
            self._networks = gaussian_case.train(
                self.mixture, settings.steps, settings.training_steps, settings.training_seed,
                lambda done: progress(0.9 * done),
            )  # fmt: skip
        self._cases = [*([EX_SITU] if where != "in-situ" else []), *self._networks]
        self.samples: dict[str, Floats] = {}

    def null(self) -> tuple[Trial, ...]:
        return tuple(
            self._trial(NULL, draw, self._ex_situ(NumpyGaussian(_NULL_SEED + 1 + draw).normal))
            for draw in range(self._effort.null_draws)
        )

    def trials(self, sources: Sequence[tuple[str, Make]]) -> tuple[Trial, ...]:
        return tuple(
            self._trial(f"{case}, {name}", draw, self._samples(case, make, draw))
            for case in self._cases
            for name, make in sources
            for draw in range(self._effort.draws)
        )

    def floor(self) -> dict[str, float]:
        drawn = self.mixture.draw(self._effort.images, np.random.default_rng(_NULL_SEED + 500))
        return distances(drawn, self.mixture, self._reference)

    def covariances(self, name: str, make: Make) -> list[Covariance]:
        """Of all cases with the first source."""
        steps, found = self._settings.steps, []
        for time in _TIMES:
            k = max(1, round(time * steps))
            found.append(gaussian_case.exact_covariance(self.mixture, steps, k))
            for case in self._cases:
                step = (
                    gaussian_case.ex_situ_step(self.mixture, steps, InverseCdf(make(self._seed), WORD).normal)
                    if case == EX_SITU
                    else gaussian_case.in_situ_step(self._networks[case], make(self._seed), self._flaws)
                )
                found.append(gaussian_case.covariance(f"{case}, {name}", self.mixture, steps, k, step))
        return found

    def _ex_situ(self, noise: Callable[[tuple[int, ...]], Floats]) -> Floats:
        return euler_maruyama.sample(self.mixture, self._settings.steps, self._effort.images, noise)

    def _samples(self, case: str, make: Make, draw: int) -> Floats:
        source = make(self._seed + draw)
        if case == EX_SITU:
            return self._ex_situ(InverseCdf(source, WORD).normal)
        model, flaws = self._networks[case], replace(self._flaws, seed=self._flaws.seed + draw)
        start = NumpyGaussian(_NULL_SEED + 1000 + draw).normal((self._effort.images, self.mixture.size))
        return model.sample(start, PBits(source, model.network.pbits, flaws), flaws)

    def _trial(self, label: str, draw: int, samples: Floats) -> Trial:
        self.samples.setdefault(label, samples)
        return Trial(label, draw, distances(samples, self.mixture, self._reference))


def _report(progress: Callable[[float], None] | None, done: int, count: int, fraction: float) -> None:
    if progress is not None:
        progress((done + fraction) / count * 0.99)
