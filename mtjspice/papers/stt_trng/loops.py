"""What a controller that counts ones leaves of wandering cells: closed forms, and the emulator beside them.

A loop measures the mean of n cells over W bits of each, and takes ``gain`` of the error away:
x' = (1 - g) x - g v + w, where v is the noise of counting, of variance 4 / (n W) in logits, and w what the mean of the
cells wanders in a window. Its stationary variance is (g 4 / (n W) + var(w) / g) / (2 - g). What the cells of a loop do
against each other it does not see. A DAC of steps u whose input keeps the mean of the ones at one half changes between
two settings around the right one: its error has a triangular law of the variance u^2 / 6.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit, ndtr

from mtjspice.papers.experiment import Context
from mtjspice.papers.stt_trng.cells import CELLS, ROW

LOOPS = ("none", "one for all", "one a row", "one a cell")
SIZES = {"one for all": CELLS, "one a row": ROW, "one a cell": 1}  # cells of a loop
SCOPES = {"one for all": "global", "one a row": "row", "one a cell": "device"}  # of the emulator
GAIN = 0.25
NODES = 24
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wander:
    """In logits: ``spread`` between cells at the start, ``walk`` of a cell in a window, ``step`` of the DAC."""

    spread: float
    walk: float
    step: float
    bits: float  # of a cell in a window


def held(n: int, wander: Wander, gain: float = GAIN) -> float:
    """Stationary variance of the mean of the ``n`` cells of a loop, without that of its DAC."""
    return (gain * 4 / (n * wander.bits) + wander.walk**2 / (n * gain)) / (2 - gain)


def variance(loop: str, wander: Wander, windows: float, size: int | None = None) -> float:
    """Variance of a cell's logit after ``windows`` of a loop, errors of DACs apart; ``size`` cells to a loop."""
    free = wander.spread**2 + wander.walk**2 * windows
    if loop == "none":
        return free
    n = SIZES[loop] if size is None else size
    return free * (1 - 1 / n) + held(n, wander)


def fraction(limit: float, loop: str, wander: Wander, windows: float, shift: float = 0.0) -> float:
    """Fraction of cells with |P - 1/2| < ``limit`` after ``windows``; ``shift`` is common to all cells (logit).

    With a spread of 0 cells have been trimmed once, each by itself: the step of that trim is in it.
    """
    edge, deviation = float(logit(0.5 + limit)), sqrt(variance(loop, wander, windows))
    at, weight = np.polynomial.legendre.leggauss(NODES)
    trimmed, even = wander.step / 2 * at, weight / 2  # error of a trim made once
    if loop == "one a cell" or wander.spread:
        trimmed, even = np.zeros(1), np.ones(1)
    moving, triangle = wander.step * at, weight * (1 - np.abs(at))  # error of a DAC in a loop
    triangle /= triangle.sum()
    if loop == "none":
        moving, triangle = np.array([shift]), np.ones(1)
    centre = trimmed[:, None] + moving
    inside = ndtr((edge - centre) / deviation) - ndtr((-edge - centre) / deviation)
    return float(even @ inside @ triangle)


@dataclass(frozen=True)
class Checked:
    """Standard deviations of the logits of emulated cells and of the closed form, with 95 % limits."""

    loop: str
    step: float
    law: float
    found: float
    low: float
    high: float


def check(context: Context) -> list[Checked]:
    """Follow arrays of the emulator with its controllers, bit by bit."""
    from mtjspice.bits.sources.emulated import EmulatedSource, Feedback, Imperfections
    from mtjspice.device.chain import ChainModel

    cells, row, window = 512, 32, 2000
    settle, looks, apart = 60, context.effort(12, 48), 15
    fair, walk = ChainModel(np.array([0.5]), np.array([0.5])), 0.01 / sqrt(window)
    found = []
    for loop, size in zip(LOOPS[1:], (cells, row, 1), strict=True):
        # the error of a shared DAC is one number, not one a cell: one array says little about its law
        for number, step in enumerate((0.0, 0.3) if size == 1 else (0.0,)):
            wander = Wander(0.3, 0.01, step, window)
            source = EmulatedSource(
                fair, (context.seed + number) % 2**32, cells,
                Imperfections(
                    spread=wander.spread, walk=walk, interval=window,
                    feedback=Feedback(SCOPES[loop], gain=GAIN, row=row, step=step),
                ),
            )  # fmt: skip
            source.cycles(settle * window)
            squares, laws = [], []
            for look in range(looks):
                source.cycles(apart * window)
                squares.append(source.shifts() ** 2)
                after = settle + (look + 1) * apart
                laws.append(variance(loop, wander, after, size) + step**2 / 6)
            mean = np.mean(squares, axis=0)  # of every cell: cells are independent, looks are not
            error = 1.96 * float(mean.std()) / sqrt(cells)
            low, high = max(0.0, float(mean.mean()) - error), float(mean.mean()) + error
            found.append(Checked(loop, step, sqrt(np.mean(laws)), sqrt(float(mean.mean())), sqrt(low), sqrt(high)))
    return found
