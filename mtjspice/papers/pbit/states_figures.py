"""Figures of the experiment on states: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Value
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

_SOURCE, _Q, _LOW, _HIGH = "what varies", "P(switch) of a cell", "low", "high"
_ROWS, _P, _MEMORY, _AMPLITUDE, _KIND = "rows", "P(switch)", "memory", "amplitude [V]", "how found"


def spread_plate(groups: Mapping[str, Floats], trials: int) -> Plate:
    """P of single cells by what varies."""
    return Plate(
        key="spread",
        caption=(
            "P(P to AP) of single cells under the pulse of a column that is set to 1/2: transistors drawn anew, or one"
            f" property of the junction drawn with the (assumed) spread that is written below. Each dot: {trials}"
            " macrospins on the waveform; bar: what counting alone scatters (95 %), at 1/2."
        ),
        alt="Cells whose transistors differ lie together; junctions that differ scatter by a tenth and more.",
        columns={
            _SOURCE: [name for name, q in groups.items() for _ in q],
            _Q: [float(one) for q in groups.values() for one in q],
            "trials": [trials for q in groups.values() for _ in q],
        },
    )


def memory_plate(memory: Sequence[tuple[int, float, "Proportion", Value]], trials: int) -> Plate:
    """Memory and P over the rows on one driver."""
    return Plate(
        key="memory",
        caption=(
            "Memory 1 - p01 - p10 of a P-bit that is pulsed without a reset, and P(P to AP), at one rail of the driver"
            f" against the number of rows that it pulses; {trials} macrospins each on the column's waveform, 95 %. The"
            " rail was made for 8 rows."
        ),
        alt="More rows load the driver: the probability falls and the memory rises.",
        columns={
            _ROWS: [one[0] for one in memory] * 2,
            _KIND: [_MEMORY] * len(memory) + [_P] * len(memory),
            _AMPLITUDE: [one[1] for one in memory] * 2,
            "value": [one[3].value for one in memory] + [one[2].value for one in memory],
            _LOW: [one[3].limits[0] for one in memory] + [one[2].low for one in memory],
            _HIGH: [one[3].limits[1] for one in memory] + [one[2].high for one in memory],
        },
    )


def draw_spread(columns: Columns) -> "Figure":
    """P of single cells by what varies."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY, new_figure

    figure, grid = new_figure(2.9)
    axis = grid[0, 0]
    names = list(dict.fromkeys(columns[_SOURCE]))
    half = 1.96 * 0.5 / np.sqrt(float(columns["trials"][0]))
    for k, (name, colour) in enumerate(zip(names, (BLUE, ORANGE, GREEN, RED, SKY), strict=False)):
        q = columns[_Q][columns[_SOURCE] == name]
        axis.plot(np.sort(q), k + np.linspace(-0.3, 0.3, len(q)), ".", color=colour, markersize=4)
    axis.errorbar(0.5, len(names) - 0.45, xerr=half, color=BLACK, capsize=3, linewidth=1)
    axis.axvline(0.5, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel=_Q, xlim=(0, 1))
    axis.grid(visible=False, axis="y")
    return figure


def draw_memory(columns: Columns) -> "Figure":
    """Memory and probability against the rows on one driver."""
    from mtjspice.reports.style import BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    for kind, colour, marker in ((_MEMORY, BLUE, "o-"), (_P, ORANGE, "s--")):
        own = columns[_KIND] == kind
        value = columns["value"][own]
        bars = np.abs(np.stack([value - columns[_LOW][own], columns[_HIGH][own] - value]))
        axis.errorbar(
            columns[_ROWS][own], value, yerr=bars, fmt=marker, color=colour, markersize=4, capsize=2, label=kind
        )
    axis.set_xscale("log", base=2)
    rows = np.unique(columns[_ROWS])
    axis.set_xticks(rows, [str(int(one)) for one in rows])
    axis.set(xlabel="rows on one driver", ylabel="memory, or probability")
    axis.legend(fontsize=8)
    return figure
