"""Figure of the sense time: its columns, and how it is drawn."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.pbit.sense_time import Sensing

AXIS = np.geomspace(2e-9, 5e-6, 61)  # s
GENERATORS = (1, 16, 256)  # weights that share one generator of words
_BIT, _OVERLAP, _MEASURED, _FAILED = "bit for bit", "bit for bit, drawn while computing", "simulated", "read wrong"
_PANEL, _SERIES, _S, _Y = "panel", "series", "sense time [s]", "value"
_RATIO, _DENSITY, _STANDS = "cycle / cycle in situ", "bits of words a weight and pass", "stands for"


def _speed(weights: int) -> str:
    return "speed, a generator each" if weights == 1 else f"speed, a generator for {weights}"


def plate(one: "Sensing") -> Plate:
    """Ratios and break-even densities over the sense time."""
    rows: list[tuple[str, str, float, float]] = []
    for s in AXIS:
        rows += [(_RATIO, _BIT, float(s), one.ratio(s)), (_RATIO, _OVERLAP, float(s), one.overlapped(s))]
        rows += [(_DENSITY, _speed(k), float(s), one.words(s, k)) for k in GENERATORS]
        rows.append((_DENSITY, "energy", float(s), one.draw_energies[0] / one.draw_energies[1]))
        rows.append((_DENSITY, "our network", float(s), one.density))
    rows += [
        (_RATIO, _MEASURED if sensed.right else _FAILED, sensed.seconds, one.ratio(sensed.seconds))
        for sensed in one.measured
    ]
    rows += [(_STANDS, name, s, one.ratio(s)) for name, s in one.stands]
    return Plate(
        key="sensing",
        caption=(
            "Over the time of both reads of a cycle. Left: cycle ex situ over in situ for the same bits, one after the"
            " other or drawn while the column computes; dots: simulated, cross: simulated and read wrong; diamonds:"
            " what a time stands for. Right: bits of noise words a weight and pass below which words are faster, by the"
            " number of weights that share a generator, or take less energy (measured at the dots' times only). Columns"
            " of 4 rows; nothing is sampled."
        ),
        alt=(
            f"The ratio goes from {one.ratio(AXIS[0]):.1f} with the shortest reads to {one.ratio(AXIS[-1]):.0f} with"
            f" the longest; drawn while computing, from {one.overlapped(AXIS[0]):.2f}."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_PANEL, _SERIES, _S, _Y))},
    )


def draw_sensing(columns: Columns) -> "Figure":
    """Ratios and break-even densities over the sense time."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    figure, grid = new_figure(3.4, 1, 2)
    panel, series, x, y = (columns[name] for name in (_PANEL, _SERIES, _S, _Y))

    def line(axis: int, which: str, name: str, colour: str, style: str) -> None:
        own = (panel == which) & (series == name)
        grid[0, axis].plot(x[own] * 1e9, y[own], style, color=colour, label=name, markersize=5)

    line(0, _RATIO, _BIT, BLUE, "-")
    line(0, _RATIO, _OVERLAP, ORANGE, "--")
    line(0, _RATIO, _MEASURED, BLACK, "o")
    line(0, _RATIO, _FAILED, RED, "x")
    for name, s, ratio in zip(series[panel == _STANDS], x[panel == _STANDS], y[panel == _STANDS], strict=True):
        grid[0, 0].plot(s * 1e9, ratio, "D", color=BLUE, markersize=3.5)
        left = s > 1e-7 or ratio < 3
        grid[0, 0].annotate(
            name, (s * 1e9, ratio), (-6, 2) if left else (6, -9), textcoords="offset points", fontsize=7,
            ha="right" if left else "left", va="bottom" if left else "center",
        )  # fmt: skip
    names = [one for one in dict.fromkeys(series[panel == _DENSITY]) if one.startswith("speed")]
    for name, colour, style in zip(names, (BLUE, GREEN, PURPLE), ("-", "--", "-."), strict=True):
        line(1, _DENSITY, name, colour, style)
    line(1, _DENSITY, "energy", ORANGE, "-")
    line(1, _DENSITY, "our network", BLACK, ":")
    for axis, label in zip(grid[0], (_RATIO, _DENSITY), strict=True):
        axis.set(xscale="log", yscale="log", xlabel="time of both reads [ns]", ylabel=label)
    grid[0, 0].set(xlim=(0.3, None))  # room for a label
    grid[0, 0].legend(fontsize=7, loc="upper left")
    grid[0, 1].set(ylim=(1e-8, None))
    grid[0, 1].legend(fontsize=7, loc="lower left")
    return figure
