"""Columns of pairs that differ, and what digitises them: weights, converters, and what networks of them put out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import claims

if TYPE_CHECKING:
    from mtjspice.generative.sde.network import DropConnectNetwork
    from mtjspice.generative.sde.pairs import PairImperfections
    from mtjspice.generative.sde.samplers import InSitu

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]
Levels = Sequence[tuple[Floats, Floats]]

KEEP, IDEAL = "spread of q", "ideal pairs"
TMRS = (claims.TMR_ARRAY_MEAN, 0.45, 0.30)
GAUSS = {f"spread of G, TMR {tmr * 100:.0f} %": tmr for tmr in TMRS}
CONDUCTANCE, MIDDLE, LOW_TMR = GAUSS
PLACES = np.linspace(-1, 1, 25)


def flaws_of(kind: str, size: float, seed: int) -> "PairImperfections":
    """Pairs of one array that differ in one way."""
    from mtjspice.generative.sde.pairs import PairImperfections

    ideal = PairImperfections(seed=seed)
    if kind == IDEAL:
        return ideal
    return replace(ideal, keep_spread=size) if kind == KEEP else replace(
        ideal, conductance_spread=size, tmr=GAUSS[kind]
    )  # fmt: skip


# --- single weights ------------------------------------------------------------------------------------------


def weight_errors(kind: str, size: float, count: int, seed: int) -> tuple[float, float]:
    """Root mean square errors of mean and variance of ``count`` drawn weights, data bit P, in dG and dG^2."""
    from mtjspice.generative.sde.pairs import pair_levels

    flaws = flaws_of(kind, size, seed)
    zero, one = pair_levels(np.full(count, 0.5), np.ones(count), flaws)
    spread = flaws.keep_spread * np.random.default_rng(seed).standard_normal(count)
    q = np.clip(0.5 + spread, 0, 1)
    mean, variance = (1 - q) * zero + q * one, q * (1 - q) * (one - zero) ** 2
    return float(np.sqrt(np.mean((mean - 0.5) ** 2))), float(np.sqrt(np.mean((variance - 0.25) ** 2)))


def expected_errors(kind: str, size: float) -> tuple[float, float]:
    """The same by closed forms.

    q differs by s: s of the mean, sqrt(3) s^2 of the variance q (1 - q). Conductances differ by s of each: those of
    `moments_with_spread`, and (P-bit: states 1 and a move together) the variance by (2 e + e^2) / 4.
    """
    from mtjspice.generative.sde.pairs import moments_with_spread

    if kind == KEEP:
        return size, sqrt(3) * size**2
    _, _, between = moments_with_spread(1, 0.5, size, GAUSS[kind])
    return sqrt(between), sqrt(4 * size**2 + 3 * size**4) / 4


# --- converters ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Converter:
    """One analogue-to-digital converter a column, of ``bits``, with one range -+``ranges`` for each layer."""

    bits: int
    ranges: tuple[float, ...]

    def step(self, layer: int) -> float:
        """Least significant bit."""
        return 2 * self.ranges[layer] / (1 << self.bits)

    def __call__(self, sums: Floats, layer: int) -> Floats:
        """Round, and cut what is beyond the range."""
        step, half = self.step(layer), 1 << (self.bits - 1)
        return np.asarray(np.clip(np.rint(sums / step), -half, half - 1) * step)


def passed(
    levels: Levels, biases: Sequence[Floats], x: Floats, bits: Bits, converter: Converter | None = None,
    largest: list[float] | None = None,
) -> Floats:  # fmt: skip
    """Outputs (n, out) as of `network.drawn_pass`, sums digitised before the bias; ``largest`` |sum| by layer grows."""
    from mtjspice.generative.sde.network import silu

    begin = 0
    for k, ((zero, one), bias) in enumerate(zip(levels, biases, strict=True)):
        chosen = bits[:, begin : begin + zero.size].reshape(len(x), *zero.shape)
        sums = np.matmul(chosen * (one - zero), x[:, :, None])[:, :, 0] + x @ zero.T
        if largest is not None:
            largest[k] = max(largest[k], float(np.abs(sums).max()))
        x = (sums if converter is None else converter(sums, k)) + bias
        x = x if k == len(levels) - 1 else silu(x)
        begin += zero.size
    return x


def ideal_rms(bits: int, rows: int) -> float:
    """Error (weights, root mean square) of a sum of ``rows`` weights of -1 to 1: a step by sqrt(12)."""
    return 2 * rows / (1 << bits) / sqrt(12)


# --- networks ------------------------------------------------------------------------------------------------


def regression_errors(
    network: "DropConnectNetwork", flaws: "PairImperfections", passes: int, seed: int, bits: int | None = None
) -> tuple[float, float]:
    """Root mean square errors of mean and scatter; the converters' ranges are those of pairs without flaws."""
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.generative.sde import regression
    from mtjspice.generative.sde.pairs import pair_levels
    from mtjspice.generative.sde.pbits import PBits

    source = PBits(open_source("pcg64", seed), network.pbits, flaws)
    both = zip(network.weights, network.amplitudes, strict=True)
    levels = [pair_levels(w, a, flaws, k) for k, (w, a) in enumerate(both)]
    inputs = [np.tile([2 * place, 1.0], (passes, 1)) for place in PLACES]
    converter = None if bits is None else Converter(bits, _ranges(network, np.concatenate([x[:20] for x in inputs])))
    found = np.array([
        passed(levels, network.biases, x, source.read(passes), converter)[:, 0] for x in inputs
    ])  # fmt: skip
    return (
        float(np.sqrt(np.mean((found.mean(axis=1) - regression.true_mean(PLACES)) ** 2))),
        float(np.sqrt(np.mean((found.std(axis=1, ddof=1) - regression.true_deviation(PLACES)) ** 2))),
    )


def sample_distance(
    model: "InSitu", flaws: "PairImperfections", count: int, seed: int, bits: int | None = None
) -> float:
    """Energy distance of samples by drop-connect from the mixture of two peaks."""
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.generative.sde import gaussian_study, mixtures
    from mtjspice.generative.sde.pbits import PBits

    network, transitions = model.network, model.transitions
    start = np.random.default_rng(seed).standard_normal((count, 1))
    drawn = PBits(open_source("pcg64", seed), network.pbits, flaws).read(count * transitions.steps)
    drawn = drawn.reshape(count, transitions.steps, -1)
    largest = [0.0] * len(network.biases)
    if bits is not None:
        _sampled(model, network.levels(), start[:200], drawn[:200], None, largest)
    converter = None if bits is None else Converter(bits, tuple(largest))
    samples = _sampled(model, model.levels(flaws), start, drawn, converter, None)
    return gaussian_study.distances(samples, mixtures.two_peaks(), samples)["energy"]


def _sampled(
    model: "InSitu", levels: Levels, z: Floats, bits: Bits, converter: Converter | None, largest: list[float] | None
) -> Floats:
    """The steps of `InSitu.sample`, with converters."""
    steps = model.transitions
    for done in range(steps.steps):
        k = steps.steps - done
        time = np.broadcast_to(steps.features(k), (len(z), len(steps.features(k))))
        out = passed(levels, model.network.biases, np.concatenate([z, time], axis=1), bits[:, done], converter, largest)
        z = np.clip(np.sqrt(1 - steps.beta[k]) * z + np.sqrt(steps.beta[k]) * out, -100, 100)
    return z


def _ranges(network: "DropConnectNetwork", inputs: Floats) -> tuple[float, ...]:
    """Largest sums of each layer, ideal pairs and fair P-bits."""
    largest = [0.0] * len(network.biases)
    bits = np.random.default_rng(0).integers(0, 2, (len(inputs), network.pbits), dtype=np.uint8)
    passed(network.levels(), network.biases, inputs, bits, None, largest)
    return tuple(largest)
