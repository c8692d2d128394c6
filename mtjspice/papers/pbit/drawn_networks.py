"""What drop-connect networks put out when their P-bits are chains: regression, and samples of a mixture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import chains

if TYPE_CHECKING:
    from mtjspice.generative.sde.network import DropConnectNetwork
    from mtjspice.generative.sde.samplers import InSitu

Floats = NDArray[np.float64]

PLACES = np.linspace(-0.9, 0.9, 7)
AVERAGED = 50  # passes whose mean is taken


@dataclass(frozen=True)
class Output:
    """Of a regression network by passes in a row: ``correlation`` of neighbouring outputs, mean over places.

    ``inflation``: variance of the mean of `AVERAGED` passes over a 50th of that of one, with limits (95 %, chi-squared,
    means taken as normal). ``mean_error`` and ``scatter_error`` against the truth, root mean square over the places.
    """

    correlation: tuple[float, float, float]
    inflation: tuple[float, float, float]
    mean_error: float
    scatter_error: float


def trained_regression(steps: int, seed: int) -> "DropConnectNetwork":
    """Network of the experiment on weights."""
    from mtjspice.generative.sde import regression

    return regression.train(regression.Settings(steps, 300, 2000, seed))


def regression_output(network: "DropConnectNetwork", p01: float, p10: float, passes: int, seed: int) -> Output:
    """Pass after pass at each place, each weight's P-bit a chain of its own; 1 is AP."""
    from scipy.special import chdtri, stdtrit

    from mtjspice.device.chain import ChainModel
    from mtjspice.generative.sde import regression
    from mtjspice.generative.sde.network import drawn_pass

    rng = np.random.default_rng(seed)
    model = ChainModel(np.array([p01]), np.array([p10]))
    levels = network.levels()
    outputs = []
    for place in PLACES:
        bits = model.sample(passes, rng, lanes=network.pbits)
        inputs = np.tile([2 * place, 1.0], (passes, 1))  # as the network was trained
        outputs.append(drawn_pass(levels, network.biases, inputs, bits)[:, 0])
    found = np.array(outputs)
    mean, scatter = found.mean(axis=1), found.std(axis=1, ddof=1)
    relative = (found - mean[:, None]) / scatter[:, None]
    lagged = (relative[:, 1:] * relative[:, :-1]).mean(axis=1)
    half = float(stdtrit(len(PLACES) - 1, 0.975) * lagged.std(ddof=1) / np.sqrt(len(PLACES)))
    means = relative[:, : passes // AVERAGED * AVERAGED].reshape(len(PLACES), -1, AVERAGED).mean(axis=2)
    free = means.size - len(PLACES)
    wide = AVERAGED * float(((means - means.mean(axis=1, keepdims=True)) ** 2).sum()) / free
    low, high = (wide * free / float(chdtri(free, tail)) for tail in (0.025, 0.975))
    return Output(
        (float(lagged.mean()), float(lagged.mean()) - half, float(lagged.mean()) + half), (wide, low, high),
        float(np.sqrt(np.mean((mean - regression.true_mean(PLACES)) ** 2))),
        float(np.sqrt(np.mean((scatter - regression.true_deviation(PLACES)) ** 2))),
    )  # fmt: skip


def trained_sampler(steps: int, training: int, seed: int) -> "InSitu":
    """Drop-connect network for the reverse transitions of the mixture of two peaks."""
    from mtjspice.generative.sde import gaussian_case, mixtures

    return gaussian_case.train(mixtures.two_peaks(), steps, training, seed)[gaussian_case.TRAINED]


def sampled(model: "InSitu", memory: float, count: int, seed: int) -> tuple[float, float]:
    """Energy distance of samples from the mixture, and their variance over its, for fair P-bits of a memory."""
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.generative.sde import gaussian_study, mixtures
    from mtjspice.generative.sde.pairs import PairImperfections
    from mtjspice.generative.sde.pbits import PBits

    mixture = mixtures.two_peaks()
    flaws = PairImperfections(memory=memory, seed=seed)
    start = np.random.default_rng(seed).standard_normal((count, 1))
    samples = model.sample(start, PBits(open_source("pcg64", seed), model.network.pbits, flaws))
    levels = (np.arange(100_000) + 0.5) / 100_000
    distance = gaussian_study.distances(samples, mixture, samples)["energy"]
    return distance, float(samples.var(ddof=1) / mixture.quantiles(levels).var())


def bound(memory: float) -> float:
    """Inflation of the mean of `AVERAGED` passes for sums that are linear in the P-bits."""
    return chains.inflation(memory, AVERAGED)
