"""Drop-connect in place of g(t) dw where the score is known: what covariance it adds, trained or for the mean only."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.generative.mlp import one_thread
from mtjspice.generative.sde import euler_maruyama
from mtjspice.generative.sde.mixtures import Mixture
from mtjspice.generative.sde.network import DropConnectNetwork
from mtjspice.generative.sde.pairs import PairImperfections
from mtjspice.generative.sde.pbits import PBits
from mtjspice.generative.sde.samplers import InSitu, Noise
from mtjspice.generative.sde.transitions import TIME_FEATURES, Transitions, rate, signal_left
from mtjspice.generative.torch_threads import require_torch

Floats = NDArray[np.float64]
Step = Callable[[Floats, int], Floats]

TRAINED, MEAN_ONLY, EX_SITU = "in situ, trained", "in situ, mean only", "ex situ"
EXACT = "exact transition"
_HIDDEN = (32, 32)
_SAMPLES = 20_000  # of the mixture, to train on


@dataclass(frozen=True)
class Covariance:
    """Covariance that a step adds against g^2 dt: |C - g^2 dt| / |g^2 dt| (Frobenius), mean over ``states`` states.

    ``low`` and ``high`` bound the mean (95 %); ``scatter`` is the standard deviation over the states of tr C over its
    mean: what depends on the state.
    """

    case: str
    dimensions: int
    time: float
    error: float
    low: float
    high: float
    scatter: float
    states: int


def train(
    mixture: Mixture,
    steps: int,
    training_steps: int = 8000,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> dict[str, InSitu]:
    """Two drop-connect networks of the same layers, for reverse transitions of ``mixture`` in ``steps`` steps.

    That of the name `TRAINED` learned the law of the transition, by the energy score. That of `MEAN_ONLY` learned its
    mean, by squares and without P-bits; then each weight became a pair of keep probability 1/2 with the same mean,
    which is drop-connect as it is added to a network that exists. Needs PyTorch.
    """
    require_torch("training")
    from mtjspice.generative.sde.training import Effort, train_drop_connect, train_mean, transition_examples

    transitions = Transitions.linear(steps)
    widths = (mixture.size + TIME_FEATURES, *_HIDDEN, mixture.size)
    examples = transition_examples(mixture.draw(_SAMPLES, np.random.default_rng(seed)), transitions)
    effort = Effort(training_steps, batch=256, rate=4e-3, group=8, seed=seed)
    arrays = train_drop_connect(
        widths, examples, effort, progress=None if progress is None else lambda done: progress(0.8 * done)
    )
    trained = DropConnectNetwork.from_arrays(arrays, TRAINED)
    means = train_mean(
        widths, examples, effort, progress=None if progress is None else lambda done: progress(0.8 + 0.2 * done)
    )
    amplitudes = {name.replace("weight", "amplitude"): 2 * value for name, value in means.items() if "weight" in name}
    fixed = DropConnectNetwork.from_arrays({**means, **amplitudes}, MEAN_ONLY)
    return {TRAINED: InSitu(trained, transitions), MEAN_ONLY: InSitu(fixed, transitions)}


def ex_situ_step(mixture: Mixture, steps: int, noise: Noise) -> Step:
    """One step of Euler and Maruyama from step k on."""
    dt = 1 / steps

    def step(x: Floats, k: int) -> Floats:
        drift = euler_maruyama.drift_step(x, k * dt, dt, mixture)
        return drift + np.sqrt(euler_maruyama.injected_variance(k * dt, dt)) * noise(x.shape)

    return step


def in_situ_step(model: InSitu, source: Source, flaws: PairImperfections | None = None) -> Step:
    """One pass of a drop-connect network from step k on, with P-bits of ``source``."""
    pbits = PBits(source, model.network.pbits, flaws)
    return lambda x, k: model.transition(x, k, pbits.read(len(x)), flaws)


@one_thread()
def covariance(
    case: str, mixture: Mixture, steps: int, k: int, step: Step, states: int = 24, draws: int = 800, seed: int = 0
) -> Covariance:
    """Measure what step k adds at ``states`` states of the diffused mixture, each from ``draws`` draws."""
    rng = np.random.default_rng(seed)
    x = mixture.diffused(float(signal_left(k / steps))).draw(states, rng)
    found = step(np.repeat(x, draws, axis=0), k).reshape(states, draws, mixture.size)
    apart = found - found.mean(axis=1, keepdims=True)
    return _compared(case, np.einsum("sni,snj->sij", apart, apart) / (draws - 1), k, steps)


def exact_covariance(mixture: Mixture, steps: int, k: int, states: int = 24, seed: int = 0) -> Covariance:
    """The covariance of the exact reverse transition against g^2 dt: the error of the discretisation itself."""
    rng = np.random.default_rng(seed)
    now, before = float(signal_left(k / steps)), float(signal_left((k - 1) / steps))
    x = mixture.diffused(now).draw(states, rng)
    return _compared(EXACT, mixture.diffused(before).reverse_moments(x, now / before)[1], k, steps)


def _compared(case: str, found: Floats, k: int, steps: int) -> Covariance:
    states, size = found.shape[:2]
    wanted = float(rate(k / steps)) / steps
    errors = np.linalg.norm(found - wanted * np.eye(size), axis=(1, 2)) / (wanted * np.sqrt(size))
    half = 1.96 * float(errors.std(ddof=1) / np.sqrt(states))
    traces = np.trace(found, axis1=1, axis2=2)
    mean = float(errors.mean())
    scatter = float(traces.std(ddof=1) / traces.mean()) if traces.mean() > 0 else 0.0
    return Covariance(case, size, k / steps, mean, max(0.0, mean - half), mean + half, scatter, states)
