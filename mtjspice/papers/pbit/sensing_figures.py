"""Figures of the experiment on what reading adds: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.device.card import MTJCard
    from mtjspice.papers.pbit.sensing_reads import Amplifier

Floats = NDArray[np.float64]

_PANEL, _SERIES, _X, _Y = "panel", "series", "x", "y"
_LIMITS = ("x low", "x high", "y low", "y high")
_CURRENT, _RELATIVE, _ERROR, _SHIFT = "current [A]", "relative signal", "wrong reads", "shift of P(AP)"
_OFFSET, _COUNTED, _FORM = "offset, standard deviation", "counted", "closed form"
DEVIATIONS = np.geomspace(2e-3, 0.5, 41)
VOLTS = (0.2, 0.6, 1.0, 1.4)  # V, of the lines
RATIOS = (0.3, 0.6, 1.0)  # deviation of the offset over the signal
Row = tuple[str, str, float, float, float, float, float, float]


def _point(panel: str, series: str, x: float, y: float) -> Row:
    return panel, series, x, y, x, x, y, y


def _plate(key: str, caption: str, alt: str, rows: Sequence[Row]) -> Plate:
    names = (_PANEL, _SERIES, _X, _Y, *_LIMITS)
    return Plate(key=key, caption=caption, alt=alt, columns={n: [row[k] for row in rows] for k, n in enumerate(names)})


def margin_plate(volts: Floats, signals: Mapping[float, Floats], found: Sequence["Amplifier"]) -> Plate:
    """Signals over the voltage by temperature, and offsets of the amplifiers."""
    rows = [
        _point(panel, f"{t:.0f} K", float(v), float(one[k]))
        for t, values in signals.items()
        for v, one in zip(volts, values, strict=True)
        for k, panel in enumerate((_CURRENT, _RELATIVE))
    ]
    for one in found:
        at, (low, high) = abs(one.offset.voltages[0]), one.offset.deviation_interval
        rows.append((_RELATIVE, _OFFSET, at, one.offset.deviation, at, at, low, high))
    return _plate(
        "margin",
        (
            "Left: current between P, or AP, and a reference midway, against the voltage on the junction. Right: the"
            " same as a share of the reference's conductance; dots: standard deviation of the offset of three"
            " amplifiers at the voltage that they leave on the junction, over draws of their transistors (bars: 95 %,"
            " normal law)."
        ),
        "The current has a maximum, beyond which more voltage brings less signal; hotter junctions have less.",
        rows,
    )


def errors_plate(junction: "MTJCard", found: Sequence["Amplifier"]) -> Plate:
    """Wrong reads over the deviation of the offset, shift of P(AP) over its mean; closed forms and counts."""
    from mtjspice.papers.pbit import ranges
    from mtjspice.papers.pbit.sensing_reads import shift, signal, wrong
    from mtjspice.statistics import wilson

    rows: list[Row] = []
    for v in VOLTS:
        level = signal(junction, v, 300.0)[1]
        for s in DEVIATIONS:
            rows.append(_point(_ERROR, f"{v:g} V", float(s), wrong(0.0, float(s), level, -level)[0]))
    for ratio in RATIOS:
        for m in np.linspace(-1, 1, 41):
            rows.append(_point(_SHIFT, f"{ratio:g}", float(m), shift(*wrong(float(m), ratio, 1.0, -1.0))))
    for one in found[1:]:
        total = wilson(
            one.of_parallel.count + one.of_antiparallel.count, one.of_parallel.trials + one.of_antiparallel.trials
        )
        series = f"{_COUNTED}, {abs(one.offset.voltages[0]):.2f} V"
        rows.append(
            (_ERROR, series, one.offset.deviation, total.value, *one.offset.deviation_interval, total.low, total.high)
        )
        level = (one.offset.parallel - one.offset.antiparallel) / 2
        seen = ranges.half_difference(one.of_parallel, one.of_antiparallel)
        low, high = (end / level for end in one.offset.mean_interval)
        rows.append((_SHIFT, series, one.offset.mean / level, seen.value, low, high, *seen.limits))
    trials = found[-1].of_parallel.trials + found[-1].of_antiparallel.trials
    return _plate(
        "errors",
        (
            "Left: reads that are wrong against the standard deviation of the offset (relative conductance), closed"
            " form for normal offsets without a mean, at four voltages on the junction (300 K). Right: shift of P(AP)"
            " = 1/2 against the mean offset over the signal, for three deviations over the signal. Dots: precharge"
            f" amplifier on 1.8 and 2.4 V, {trials} transistor-level reads each; bars: 95 %."
        ),
        "More offset, and more voltage, make more wrong reads; a mean offset of either sign shifts the bits its way.",
        rows,
    )


def draw_margin(columns: Columns) -> "Figure":
    """Signals over the voltage by temperature, and offsets."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(2.9, 1, 2)
    for axis, panel, scale in ((grid[0, 0], _CURRENT, 1e9), (grid[0, 1], _RELATIVE, 1.0)):
        here = columns[_PANEL] == panel
        lines = [one for one in dict.fromkeys(columns[_SERIES][here]) if one != _OFFSET]
        for name, colour, line in zip(lines, (BLUE, GREEN, ORANGE, RED), ("-", "--", "-.", ":"), strict=False):
            own = here & (columns[_SERIES] == name)
            axis.plot(columns[_X][own], columns[_Y][own] * scale, line, color=colour, label=name)
    dots = columns[_SERIES] == _OFFSET
    grid[0, 1].errorbar(
        columns[_X][dots], columns[_Y][dots], yerr=_bars(columns, dots, _Y), fmt="o", color=BLACK, markersize=4,
        capsize=2, label=_OFFSET,
    )  # fmt: skip
    grid[0, 0].set(ylabel="current to the middle [nA]")
    grid[0, 1].set(yscale="log", ylabel="relative conductance")
    for axis in grid[0]:
        axis.set(xlabel="voltage on the junction [V]")
    figure.legend(*grid[0, 1].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=8)
    return figure


def draw_errors(columns: Columns) -> "Figure":
    """Wrong reads and the shift that they make, with closed forms."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    figure, grid = new_figure(3.1, 1, 2)
    for axis, panel, title in ((grid[0, 0], _ERROR, ""), (grid[0, 1], _SHIFT, "deviation of the\noffset / signal")):
        here = columns[_PANEL] == panel
        names = list(dict.fromkeys(columns[_SERIES][here]))
        lines, dots = ([one for one in names if one.startswith(_COUNTED) is wanted] for wanted in (False, True))
        for name, colour, line in zip(lines, (BLUE, GREEN, ORANGE, PURPLE), ("-", "--", "-.", ":"), strict=False):
            own = here & (columns[_SERIES] == name)
            axis.plot(columns[_X][own], columns[_Y][own], line, color=colour, label=name)
        for name, colour, marker in zip(dots, (BLACK, RED), "os", strict=False):
            own = here & (columns[_SERIES] == name)
            axis.errorbar(
                columns[_X][own], columns[_Y][own], xerr=_bars(columns, own, _X), yerr=_bars(columns, own, _Y),
                fmt=marker, color=colour, markersize=4, capsize=2, label=name,
            )  # fmt: skip
        if panel == _ERROR:
            figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
        else:
            axis.legend(*[one[: len(lines)] for one in axis.get_legend_handles_labels()], fontsize=8, title=title)
    grid[0, 0].set(
        xscale="log", yscale="log", ylim=(1e-5, 1), xlabel="standard deviation of the offset", ylabel="wrong reads"
    )
    grid[0, 1].set(xlabel="mean offset / signal", ylabel=_SHIFT)
    return figure


def _bars(columns: Columns, own: NDArray[np.bool_], axis: str) -> Floats:
    value = columns[axis][own]
    return np.asarray(np.abs(np.stack([value - columns[f"{axis} low"][own], columns[f"{axis} high"][own] - value])))
