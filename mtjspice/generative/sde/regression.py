"""Heteroscedastic regression by drop-connect: mean and scatter of the data from the randomness of the weights.

The demonstration of IEDM 2024 (its Fig. 22), on data of this project: y = sin(pi x) + (0.05 + 0.35 x^2) n, x uniform
from -1 to 1 and n standard normal.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.mlp import one_thread
from mtjspice.generative.sde.network import DropConnectNetwork, drawn_pass
from mtjspice.generative.sde.outcome import Variation
from mtjspice.generative.sde.pairs import PairImperfections, pair_levels
from mtjspice.generative.sde.pbits import PBits
from mtjspice.generative.torch_threads import require_torch
from mtjspice.statistics import Proportion, wilson

Floats = NDArray[np.float64]
Make = Callable[[int], Source]

WIDTHS = (2, 24, 24, 1)
LEVELS = (0.5, 0.8, 0.95)
"""Central predictive intervals whose coverage is counted."""
_PLACES = 25


@dataclass(frozen=True)
class Settings:
    """Length and seed of the training; ``passes`` of the network at each place; ``tests`` new data for the coverage."""

    training_steps: int = 2500
    passes: int = 1000
    tests: int = 4000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.training_steps < 1 or self.passes < 100 or self.tests < 100:
            raise InputError("a regression needs 1 training step, 100 passes and 100 tests or more")


@dataclass(frozen=True, eq=False)
class Prediction:
    """Mean and standard deviation (places,) over passes, with standard errors; coverage of new data at `LEVELS`.

    ``autocorrelation`` is that of the outputs of consecutive passes at one place, mean over the places.
    """

    label: str
    x: Floats
    mean: Floats
    mean_error: Floats
    deviation: Floats
    deviation_error: Floats
    coverage: tuple[Proportion, ...]
    autocorrelation: float
    pbits: int

    def errors(self) -> dict[str, float]:
        """Root mean square errors of mean and standard deviation against the truth, over the places."""
        return {
            "mean_rms_error": float(np.sqrt(np.mean((self.mean - true_mean(self.x)) ** 2))),
            "deviation_rms_error": float(np.sqrt(np.mean((self.deviation - true_deviation(self.x)) ** 2))),
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        lists = {
            name: getattr(self, name).tolist() for name in ("x", "mean", "mean_error", "deviation", "deviation_error")
        }
        counted = [{"level": level, **asdict(found)} for level, found in zip(LEVELS, self.coverage, strict=True)]
        return {
            "label": self.label, **self.errors(), "autocorrelation": self.autocorrelation, "pbits": self.pbits,
            "coverage": counted, **lists,
        }  # fmt: skip


def true_mean(x: Floats) -> Floats:
    """Mean of y at x."""
    return np.asarray(np.sin(np.pi * x))


def true_deviation(x: Floats) -> Floats:
    """Standard deviation of y at x."""
    return np.asarray(0.05 + 0.35 * x * x)


def train(settings: Settings, progress: Callable[[float], None] | None = None) -> DropConnectNetwork:
    """Train on fresh data by the energy score, in double precision. Needs PyTorch."""
    require_torch("training")
    from mtjspice.generative.sde.training import Effort, train_drop_connect

    def examples(rng: np.random.Generator, count: int) -> tuple[Floats, Floats, Floats]:
        x = rng.uniform(-1, 1, count)
        y = true_mean(x) + true_deviation(x) * rng.standard_normal(count)
        return _inputs(x), y[:, None], np.ones(count)

    effort = Effort(settings.training_steps, batch=256, rate=5e-3, group=8, seed=settings.seed)
    return DropConnectNetwork.from_arrays(train_drop_connect(WIDTHS, examples, effort, progress=progress), "regression")


@one_thread()
def predict(
    network: DropConnectNetwork, source: Source, settings: Settings, flaws: PairImperfections | None = None,
    label: str = "",
) -> Prediction:  # fmt: skip
    """Mean, scatter and coverage with P-bits of ``source`` and pairs with ``flaws``.

    All passes at one place follow each other. StreamExhaustedError if the source runs out.
    """
    pairs = flaws or PairImperfections()
    levels = [
        pair_levels(w, a, pairs, k) for k, (w, a) in enumerate(zip(network.weights, network.amplitudes, strict=True))
    ]
    pbits = PBits(source, network.pbits, pairs)
    x = np.linspace(-1, 1, _PLACES)
    outputs = np.stack([
        drawn_pass(levels, network.biases, _inputs(np.full(settings.passes, place)), pbits.read(settings.passes))[:, 0]
        for place in x
    ])  # fmt: skip
    mean, deviation = outputs.mean(axis=1), outputs.std(axis=1, ddof=1)
    relative = (outputs - mean[:, None]) / np.maximum(deviation, 1e-300)[
        :, None
    ]  # a dead source makes no scatter at all
    fourth = (relative**4).mean(axis=1)
    lagged = (relative[:, 1:] * relative[:, :-1]).mean(axis=1)
    # consecutive passes that are correlated are worth fewer: n (1 - r) / (1 + r)
    r = np.clip(lagged.mean(), 0, 0.99)
    worth = settings.passes * (1 - r) / (1 + r)
    return Prediction(
        label, x, mean, deviation / np.sqrt(worth), deviation,
        deviation * np.sqrt(np.maximum(fourth - 1, 0.1) / (4 * worth)), _coverage(outputs, settings),
        float(lagged.mean()), network.pbits,
    )  # fmt: skip


def compare(
    sources: Sequence[tuple[str, Make]],
    settings: Settings | None = None,
    flaws: PairImperfections | None = None,
    seed: int = 1,
    sweep: Sequence[Variation] = (),
    progress: Callable[[float], None] | None = None,
) -> tuple[Prediction, ...]:
    """Train, then predict with P-bits of each source and, emulated, with each variation of ``sweep``."""
    chosen, pairs = settings or Settings(), flaws or PairImperfections()
    if not sources:
        raise InputError("a study compares one source or more, each with a label of its own")
    share = 0.7
    network = train(chosen, None if progress is None else lambda done: progress(share * done))
    found = []
    jobs = [(label, make(seed), pairs) for label, make in sources]
    jobs += [
        (variation.label, variation.source(seed), replace(variation.flaws, seed=pairs.seed)) for variation in sweep
    ]
    for label, source, flawed in jobs:
        found.append(predict(network, source, chosen, flawed, label))
        if progress is not None:
            progress(share + (1 - share) * len(found) / len(jobs))
    return tuple(found)


def flaw_sweep() -> tuple[Variation, ...]:
    """Imperfections, each alone."""
    ideal = PairImperfections()
    return (
        *(Variation(f"q = {p:.2f}", probability=p) for p in (0.45, 0.40)),
        *(Variation(f"spread of q {s:.2f}", replace(ideal, keep_spread=s)) for s in (0.1, 0.2)),
        *(Variation(f"conductance spread {s:.2f}", replace(ideal, conductance_spread=s)) for s in (0.01, 0.04)),
        Variation("read error 0.05", replace(ideal, read_error=0.05)),
        *(Variation(f"memory {s:.1f}", replace(ideal, memory=s)) for s in (0.2, 0.5)),
    )


def _coverage(outputs: Floats, settings: Settings) -> tuple[Proportion, ...]:
    """How many new data lie in central predictive intervals of their place."""
    rng = np.random.default_rng(settings.seed + 1)
    place = rng.integers(0, _PLACES, settings.tests)
    x = np.linspace(-1, 1, _PLACES)[place]
    y = true_mean(x) + true_deviation(x) * rng.standard_normal(settings.tests)
    counted = []
    for level in LEVELS:
        low, high = np.quantile(outputs, [(1 - level) / 2, (1 + level) / 2], axis=1)
        counted.append(wilson(int(((y >= low[place]) & (y <= high[place])).sum()), settings.tests))
    return tuple(counted)


def _inputs(x: Floats) -> Floats:
    """The place, and a line that is always 1: with P-bits, a source of noise that does not vanish at 0."""
    return np.stack([2 * x, np.ones_like(x)], axis=1)
