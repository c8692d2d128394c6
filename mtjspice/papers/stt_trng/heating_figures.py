"""Figures of self-heating: P and correlation against the rate, against the lag, and along a burst."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng.columns import Lists
from mtjspice.papers.stt_trng.heat import FAST, TIME_CONSTANT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RATE, _RTH, _CONSTANT = "rate [Hz]", "thermal resistance [K/W]", "time constant [s]"
_LAG, _LAG_LOW, _LAG_HIGH, _DEFINED = "lag 1", "lag 1 low", "lag 1 high", "bits differ"
_P, _P_LOW, _P_HIGH, _RISE, _FAILED = "P", "P low", "P high", "rise before the perturbation [K]", "failed resets"
RATE_COLUMNS = (
    _RATE, _RTH, _CONSTANT, _LAG, _LAG_LOW, _LAG_HIGH, _DEFINED, _P, _P_LOW, _P_HIGH, _RISE, _FAILED
)  # fmt: skip
_PANEL, _AT, _VALUE, _LOW, _HIGH, _LAW = "against", "lag or bit", "correlation or P", "low", "high", "law"
MEMORY_COLUMNS = (_PANEL, _CONSTANT, _AT, _VALUE, _LOW, _HIGH, _LAW)
GROUPS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, 64), (65, 100))  # of lags


def rate_plate(columns: Lists, bits: int, more: int) -> Plate:
    """P and correlation against the rate."""
    return Plate(
        key="rate",
        caption=(
            f"Left: P of {bits} bits at the voltage that gives 1/2 from equilibrium without heating; right: correlation"
            " of successive bits of a junction. 95 % intervals. Three rates with pulses of 10 ns; above, pulses of 3,"
            f" 1.6 and 0.7 ns at higher voltages (hollow). Time constant {TIME_CONSTANT * 1e9:g} ns; crosses: 1 ns"
            f" (left) and 100 ns (right of it) with 300 K/mW at {FAST}, {more} bits. Where all bits are alike there is"
            " no correlation. Thermal resistances as assumed."
        ),
        alt=f"P lies between {min(columns[_P]):.2f} and {max(columns[_P]):.2f}; correlations scatter about zero.",
        columns=columns,
    )


def memory_plate(columns: Lists, junctions: int) -> Plate:
    """Correlation against the lag, P along a burst."""
    return Plate(
        key="memory",
        caption=(
            f"Left: mean correlation of bits in groups of lags at {FAST} and 300 K/mW, 95 % intervals; lines: mean"
            " difference in temperature after a one and after a zero in the same runs, times dP/dT. Right: P of the"
            f" bits of a burst after a rest, {junctions} junctions, time constant 100 ns, 95 % intervals; line:"
            " Fokker-Planck equation at the mean temperature of each perturbation."
        ),
        alt="Correlations scatter about zero at every lag; the law of P along a burst changes over its first bits.",
        columns=columns,
    )


def draw_rate(columns: Columns) -> "Figure":
    """P and correlation against the rate."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.0, columns=2)
    panels = ((_P, _P_LOW, _P_HIGH, "P", 0.5), (_LAG, _LAG_LOW, _LAG_HIGH, "correlation of successive bits", 0.0))
    resistances, rates = np.unique(columns[_RTH]), np.unique(columns[_RATE])
    usual = columns[_CONSTANT] == TIME_CONSTANT
    for axis, (value, low, high, label, ideal) in zip(grid[0], panels, strict=True):
        there = columns[_DEFINED] == 1 if value == _LAG else np.ones(len(usual), bool)
        for number, (resistance, colour, marker) in enumerate(
            zip(resistances, (BLACK, BLUE, ORANGE, RED, GREEN), "oos^D", strict=False)
        ):
            mine = (columns[_RTH] == resistance) & usual & there
            at = np.searchsorted(rates, columns[_RATE][mine]) + 0.14 * (number - (len(resistances) - 1) / 2)
            y = columns[value][mine]
            name = f"{resistance / 1e3:g} K/mW" if resistance else "no heating"
            axis.vlines(at, columns[low][mine], columns[high][mine], color=colour, linewidth=1.1)
            short = rates[np.round(at).astype(int)] >= 1e8
            axis.plot(at[~short], y[~short], marker, markersize=4, color=colour, label=name)
            axis.plot(at[short], y[short], marker, markersize=4, color=colour, markerfacecolor="white")
        other = ~usual & there
        at = np.searchsorted(rates, columns[_RATE][other]) + np.where(columns[_CONSTANT][other] < 1e-8, -0.38, 0.38)
        axis.vlines(at, columns[low][other], columns[high][other], color=RED, linewidth=1.1)
        axis.plot(at, columns[value][other], "x", markersize=4, color=RED)
        axis.axhline(ideal, color=BLACK, linewidth=0.7)
        axis.set_xticks(range(len(rates)), [f"{rate / 1e6:.3g}" for rate in rates])
        axis.set(xlabel="cycles per second [MHz]", ylabel=label)
    grid[0, 0].legend(fontsize=8)
    return figure


def draw_memory(columns: Columns) -> "Figure":
    """Correlation against the lag, P along a burst."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, RED, new_figure

    figure, grid = new_figure(3.0, columns=2)
    lag = columns[_PANEL] == "lag"
    for number, (constant, colour, marker) in enumerate(
        zip(np.unique(columns[_CONSTANT][lag]), (BLUE, ORANGE, RED), "os^", strict=False)
    ):
        mine = lag & (columns[_CONSTANT] == constant)
        at = columns[_AT][mine] * 1.08 ** (number - 1)
        grid[0, 0].vlines(at, columns[_LOW][mine], columns[_HIGH][mine], color=colour, linewidth=1.1)
        grid[0, 0].plot(at, columns[_VALUE][mine], marker, markersize=4, color=colour,
                        label=f"time constant {constant * 1e9:g} ns")  # fmt: skip
        grid[0, 0].plot(columns[_AT][mine], columns[_LAW][mine], color=colour, linewidth=1.0)
    grid[0, 0].axhline(0, color=BLACK, linewidth=0.7)
    grid[0, 0].set(xscale="log", xlabel="lag [cycles]", ylabel="correlation")
    grid[0, 0].legend(fontsize=8)
    at = columns[_AT][~lag]
    grid[0, 1].vlines(at, columns[_LOW][~lag], columns[_HIGH][~lag], color=RED, linewidth=1.1)
    grid[0, 1].plot(at, columns[_VALUE][~lag], "^", markersize=4, color=RED)
    grid[0, 1].plot(at, columns[_LAW][~lag], color=BLACK, linewidth=1.0)
    grid[0, 1].axhline(0.5, color=BLACK, linewidth=0.7)
    grid[0, 1].set(xlabel="bit of a burst", ylabel="P")
    return figure
