"""Biases of the cells of an array under a trim, by their exact law and as samples; all voltages relative to V50."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.devices import CARD

CELLS, ROW = 1 << 20, 1024  # of an array, of one of its rows
TRIMS = ("one voltage", "one voltage a row", "one voltage a cell")
DAC = 0.003  # step, relative to V50, assumed
NODES = 48  # of a quadrature over the error of a DAC
Floats = NDArray[np.float64]


@lru_cache
def widths() -> dict[str, float]:
    """s/V50 of the card's curve and of the published one of another device."""
    from mtjspice.device.half_voltage import half_voltage

    ours = half_voltage(CARD)
    half, slope = limits.other_device()
    return {"card, 10 ns": ours.slope / abs(ours.voltage), "another device": slope / half}


@dataclass(frozen=True)
class Lines:
    """What is in series with the junction of row k: ``series`` + k ``per_row`` (ohm), beside its own ``parallel``."""

    parallel: float
    series: float
    per_row: float

    def voltages(self, rows: int = ROW) -> Floats:
        """Voltage of the junction in each row over the mean of all, less one: all columns have lines of their own."""
        share = self.parallel / (self.parallel + self.series + self.per_row * np.arange(rows))
        return np.asarray(share / share.mean() - 1)


@lru_cache
def lines() -> Lines:
    """Bit and source line of drawn cells (both driven from the same end), and switches as in the circuit's rail."""
    from mtjspice.circuits.benches.trng import SttTrngCycles
    from mtjspice.circuits.library.trng import SttTrng
    from mtjspice.circuits.technology import technology
    from mtjspice.device.card import load_card
    from mtjspice.device.derived import derive
    from mtjspice.device.half_voltage import half_voltage

    known, card = technology("gf180mcu"), load_card(CARD)
    rail = SttTrngCycles(SttTrng(known, card=card, channels=1), cycles=1).amplitude
    parallel = derive(card).resistance_parallel
    wires = known.wires
    if wires is None or wires.bit_line_resistance is None or wires.source_line_resistance is None:
        raise ValueError("the technology has no resistance of drawn lines")
    return Lines(
        parallel, parallel * (rail / abs(half_voltage(CARD).voltage) - 1),
        wires.bit_line_resistance + wires.source_line_resistance,
    )  # fmt: skip


def usable(limit: float, width: float, spread: float, trim: str, step: float, drop: Floats) -> float:
    """Fraction of working cells with |P - 1/2| < ``limit``: normal spread, even error of a DAC, rows of lines.

    One voltage for all is set exactly and sees the ``drop`` of the lines; one a row takes that in.
    """
    edge = float(logit(0.5 + limit)) * width
    if trim == TRIMS[0]:
        return float((ndtr((edge - drop) / spread) - ndtr((-edge - drop) / spread)).mean())
    if trim == TRIMS[2]:
        return min(1.0, 2 * edge / step)
    at, weight = np.polynomial.legendre.leggauss(NODES)
    error, deviation = step / 2 * at, spread * np.sqrt(1 - 1 / ROW)
    inside = ndtr((edge - error) / deviation) - ndtr((-edge - error) / deviation)
    return float((inside * weight / 2).sum())


def sampled(
    rng: np.random.Generator, cells: int, width: float, spread: float, trim: str, step: float, drop: Floats
) -> Floats:
    """P - 1/2 of cells that are drawn, whole rows, every row of ``drop`` as often."""
    deviation = spread * rng.standard_normal((-(-cells // ROW), ROW))
    lost = np.resize(drop[:: max(1, len(drop) // len(deviation))], len(deviation))[:, None]
    if trim == TRIMS[0]:
        applied = np.full_like(lost, deviation.mean())
    else:
        wanted = (deviation.mean(axis=1, keepdims=True) if trim == TRIMS[1] else deviation) - lost
        applied = step * np.rint(wanted / step)
    return np.asarray(expit((applied + lost - deviation) / width) - 0.5).ravel()


def triples(error: Floats, limit: float) -> tuple[float, float, float]:
    """Fractions of XORs of three cells within ``limit`` if none, one or two of the three are stuck.

    A stuck cell has a bias of 1/2, so that 4 e1 e2 e3 becomes 2 e1 e2, and e1 with two.
    """
    one, two, three = error[: error.size // 3 * 3].reshape(-1, 3).T
    left = (4 * one * two * three, 2 * one * two, one)
    a, b, c = (float((np.abs(bias) < limit).mean()) for bias in left)
    return a, b, c


def with_stuck(fractions: tuple[float, float, float], stuck: float) -> float:
    """Fraction of XORs of three within the limit for a fraction of stuck cells; three stuck cells are never."""
    none, one, two = fractions
    good = 1 - stuck
    return good**3 * none + 3 * good**2 * stuck * one + 3 * good * stuck**2 * two
