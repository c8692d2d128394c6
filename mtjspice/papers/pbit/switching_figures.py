"""Figures of the experiment on switching: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import claims
from mtjspice.papers.pbit.windows import SPREADS, WINDOWS
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]
Point = tuple[str, float, float, float, float]
"""Curve, amplitude (V), probability and its limits."""

IDEAL, SPREAD, CIRCUIT, BOTH = "junction alone", "with the card's spread", "circuit's pulse", "circuit's pulse, spread"
_V, _P, _LOW, _HIGH, _CURVE = "amplitude [V]", "switching probability", "low", "high", "curve"
_W, _S, _WINDOW, _DEFINITION = "pulse width [s]", "spread of the drive", "window [V]", "definition"


def _amplitude_plate(
    volts: Floats, curves: dict[str, Floats], checks: list[Point], amplitudes: Floats,
    counted: dict[str, list["Proportion"]],
) -> Plate:  # fmt: skip
    shown = volts <= 2.7
    rows: list[Point] = [
        (name, float(v), float(p), float(p), float(p))
        for name, curve in curves.items()
        for v, p in zip(volts[shown], curve[shown], strict=True)
    ]
    rows += checks
    rows += [
        (name, float(v), one.value, one.low, one.high)
        for name, points in counted.items()
        for v, one in zip(amplitudes, points, strict=True)
    ]
    curve, amplitude, probability, low, high = (list(column) for column in zip(*rows, strict=True))
    trials = next(iter(counted.values()))[0].trials
    return Plate(
        key="amplitude",
        caption=(
            "Switching probability (P to AP) against the amplitude of a pulse of 700 ps. Lines: Fokker-Planck equation"
            " for a trapezoid, without and with a spread of the drive of 15 %; dots: macrospins on the same pulses;"
            f" squares: macrospins on the waveforms that a column in gf180mcu puts on its P-bits ({trials} a point),"
            " against their plateau. Bars: 95 %. Grey lines: 10 and 90 %; dotted: 1.5 V, to which the card was fitted."
        ),
        alt="Without a spread the curve rises steeply within 0.2 V around 1.5 V, with it within almost a volt.",
        columns={_CURVE: curve, _V: amplitude, _P: probability, _LOW: low, _HIGH: high},
    )


def plates(
    volts: Floats, curves: dict[str, Floats], checks: list[Point], amplitudes: Floats,
    counted: dict[str, list["Proportion"]], widths: Floats, drives: Floats, against: Floats,
    needed: dict[str, Floats], check: tuple[Floats, list[tuple[float, ...]], int],
) -> tuple[Plate, ...]:  # fmt: skip
    """Figures of curves, points and windows; ``check`` has widths, P and its limits there, and trials."""
    at, points, trials = check
    lines = [
        (float(w), float(v), float(p))
        for v, row in zip(drives, against, strict=True)
        for w, p in zip(widths, row, strict=True)
    ]
    width_plate = Plate(
        key="width",
        caption=(
            "Switching probability against the pulse width, with the card's spread of the drive. Lines: Fokker-Planck"
            f" equation; dots: {trials} macrospins each at 2 V, 95 %. Dotted: 700 ps. The first peak moves with the"
            " amplitude."
        ),
        alt="The first maximum lies between 0.6 and 0.9 ns and gets higher and earlier with the amplitude.",
        columns={
            "kind": ["line"] * len(lines) + ["dot"] * len(at),
            _W: [one[0] for one in lines] + at.tolist(),
            _V: [one[1] for one in lines] + [2.0] * len(at),
            _P: [one[2] for one in lines] + list(points[0]),
            _LOW: [one[2] for one in lines] + list(points[1]),
            _HIGH: [one[2] for one in lines] + list(points[2]),
        },
    )
    found = [(name, s, w) for name, row in needed.items() for s, w in zip(SPREADS, row, strict=True) if np.isfinite(w)]
    spread_plate = Plate(
        key="spread",
        caption=(
            "Window of the mean switching curve at 700 ps against the relative spread of the drive, for two"
            " definitions of a window. Lines end where the upper level is no longer reached. Dashed: 1 V. Dotted: the"
            " card's spread."
        ),
        alt="The window grows from 0.2 V, or 0.4 V, with the spread; 1 V takes more than a tenth.",
        columns={
            _DEFINITION: [one[0] for one in found], _S: [float(one[1]) for one in found],
            _WINDOW: [float(one[2]) for one in found],
        },
    )  # fmt: skip
    return _amplitude_plate(volts, curves, checks, amplitudes, counted), spread_plate, width_plate


def draw_amplitude(columns: Columns) -> "Figure":
    """P against the amplitude: what widens the window."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, new_figure

    figure, grid = new_figure(3.4)
    axis = grid[0, 0]
    name, volts, p = columns[_CURVE], columns[_V], columns[_P]
    for level in (0.1, 0.9):
        axis.axhline(level, color="#999999", linewidth=0.8)
    axis.axvline(claims.HALF_VOLTS, color=BLACK, linewidth=0.8, linestyle=":")
    for line, marks, squares, colour in (
        (IDEAL, f"{IDEAL}, macrospins", CIRCUIT, BLUE), (SPREAD, f"{SPREAD}, macrospins", BOTH, ORANGE),
    ):  # fmt: skip
        own = name == line
        axis.plot(volts[own], p[own], color=colour, label=line)
        for which, marker, filled in ((marks, "o", True), (squares, "s", False)):
            own = name == which
            bars = np.abs(np.stack([p[own] - columns[_LOW][own], columns[_HIGH][own] - p[own]]))
            axis.errorbar(
                volts[own], p[own], yerr=bars, fmt=marker, color=colour, markersize=4, capsize=2, linewidth=1,
                markerfacecolor=colour if filled else "white", label=which,
            )  # fmt: skip
    axis.set(xlabel="amplitude at the junction [V]", ylabel=_P, ylim=(-0.02, 1.02), xlim=(0.85, 2.7))
    axis.legend(fontsize=8, loc="lower right")
    return figure


def draw_width(columns: Columns) -> "Figure":
    """P against the pulse width at several amplitudes."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.0)
    axis = grid[0, 0]
    axis.axvline(claims.PULSE_WIDTH * 1e9, color=BLACK, linewidth=0.8, linestyle=":")
    lines = columns["kind"] == "line"
    for volt, colour in zip(np.unique(columns[_V][lines]), (BLUE, GREEN, ORANGE, RED), strict=False):
        own = lines & (columns[_V] == volt)
        axis.plot(columns[_W][own] * 1e9, columns[_P][own], color=colour, label=f"{volt:.2f} V")
        dots = ~lines & (columns[_V] == volt)
        p = columns[_P][dots]
        bars = np.abs(np.stack([p - columns[_LOW][dots], columns[_HIGH][dots] - p]))
        axis.errorbar(columns[_W][dots] * 1e9, p, yerr=bars, fmt="o", color=colour, markersize=3, capsize=2)
    axis.set(xlabel="pulse width [ns]", ylabel=_P, ylim=(-0.02, 1.05))
    axis.legend(fontsize=8, loc="upper right", ncols=2)
    return figure


def draw_spread(columns: Columns) -> "Figure":
    """Window against the spread of the drive."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    for name, colour in zip(WINDOWS, (BLUE, ORANGE), strict=True):
        own = columns[_DEFINITION] == name
        axis.plot(columns[_S][own] * 100, columns[_WINDOW][own], color=colour, marker="o", markersize=2.5, label=name)
    axis.axhline(claims.WINDOW_VOLTS, color=BLACK, linewidth=0.8, linestyle="--")
    axis.axvline(15, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(xlabel="spread of the drive, standard deviation [%]", ylabel=_WINDOW, ylim=(0, 1.25), xlim=(0, 30))
    axis.legend(fontsize=8, loc="upper left")
    return figure
