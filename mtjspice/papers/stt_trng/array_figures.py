"""Figures of a large array: usable cells by trim, by length of the lines and by stuck cells."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.cells import DAC, ROW, TRIMS
from mtjspice.papers.stt_trng.columns import Lists

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CURVE, _TRIM, _SPREAD, _STEP, _EXACT = "switching curve", "trim", "spread of V50", "DAC step / V50", "exact fraction"
_FRACTION, _LOW, _HIGH = "counted fraction", "low", "high"
_PANEL, _X, _Y = "against", "rows, or fraction of stuck cells", "usable fraction"
CELL_COLUMNS = (_CURVE, _TRIM, _SPREAD, _STEP, _EXACT, _FRACTION, _LOW, _HIGH)
LINE_COLUMNS = (_PANEL, _CURVE, _TRIM, _X, _Y)


def cells_plate(columns: Lists, cells: int) -> Plate:
    """Usable cells against the spread and the step."""
    return Plate(
        key="cells",
        caption=(
            f"Fraction of cells with |P - 1/2| < {limits.xor_limit():.4f} (XOR of three, 10⁶ bits); none stuck. Left:"
            f" against the spread of V50, steps of the DAC {DAC:.1%} of V50. Right: against the step, for a spread of"
            f" 5 %; one voltage for all is set without steps. Lines: exact integration; marks: counted in {cells:,}"
            " drawn cells, 95 % intervals smaller than the marks. Solid, filled: curve of the card; dashed, hollow:"
            " published curve of another device."
        ),
        alt=(
            "One voltage for all or for a row loses most cells; one a cell keeps them if its steps are fine enough."
        ),
        columns=columns,
    )  # fmt: skip


def lines_plate(columns: Lists, cells: int) -> Plate:
    """Usable cells against rows, usable XORs against stuck cells."""
    return Plate(
        key="lines",
        caption=(
            "Left: cells that an XOR of three repairs against the number of rows on a line, exact integration; drawn"
            f" cells of gf180mcu, driven from one end. Right: XORs of three with a bias below {limits.raw_limit():.5f}"
            f" against the fraction of stuck cells, {ROW} rows, from {cells:,} drawn cells (error below 0.002)."
            " Spread of V50 5 %; solid: curve of the card, dashed: another device. The first mark on the right is at"
            " none."
        ),
        alt=(
            "Long lines cost cells where one voltage serves all rows; one per cent of stuck cells costs a few per cent"
            " of the XORs at most."
        ),
        columns=columns,
    )


def _styles(columns: Columns) -> list[tuple[str, str, str, str, bool]]:
    from mtjspice.reports.style import BLUE, GREEN, ORANGE

    curves = list(dict.fromkeys(columns[_CURVE].tolist()))
    return [
        (curve, trim, colour, marker, number == 0)
        for number, curve in enumerate(curves)
        for trim, colour, marker in zip(TRIMS, (BLUE, ORANGE, GREEN), "o^s", strict=True)
    ]


def _legend(figure: "Figure", axis: Any) -> None:
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)


def draw_cells(columns: Columns) -> "Figure":
    """Fraction of usable cells against the spread and against the step of the DAC."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(3.1, columns=2, sharey=True)
    panels = (
        (_SPREAD, columns[_STEP] == DAC, "spread of V50 [%]", (1, 2, 5, 10)),
        (_STEP, columns[_SPREAD] == 0.05, "step of the DAC / V50 [%]", (0.01, 0.1, 1)),
    )
    for axis, (name, chosen, label, ticks) in zip(grid[0], panels, strict=True):
        for curve, trim, colour, marker, solid in _styles(columns):
            mine = chosen & (columns[_CURVE] == curve) & (columns[_TRIM] == trim)
            order = np.argsort(columns[name][mine])
            x, exact, y, low, high = (columns[key][mine][order] for key in (name, _EXACT, _FRACTION, _LOW, _HIGH))
            axis.plot(100 * x, exact, "-" if solid else "--", color=colour)
            axis.vlines(100 * x, low, high, color=colour, linewidth=1)
            axis.plot(100 * x, y, marker, markersize=3.5, color=colour, markerfacecolor=colour if solid else "white",
                      label=trim if solid else None)  # fmt: skip
        axis.set(xlabel=label, xscale="log", ylim=(0, 1.03))
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
    grid[0, 0].set_ylabel("usable cells behind XOR")
    _legend(figure, grid[0, 0])
    return figure


def draw_lines(columns: Columns) -> "Figure":
    """Usable cells against rows; usable XORs against stuck cells."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(3.1, columns=2, sharey=True)
    for axis, panel, label in zip(grid[0], ("rows", "stuck"), ("rows on a line", "stuck cells [%]"), strict=True):
        for curve, trim, colour, marker, solid in _styles(columns):
            mine = (columns[_PANEL] == panel) & (columns[_CURVE] == curve) & (columns[_TRIM] == trim)
            x, y = columns[_X][mine], columns[_Y][mine]
            axis.plot(
                x if panel == "rows" else 100 * x, y, "-" if solid else "--", marker=marker, markersize=3.5,
                color=colour, markerfacecolor=colour if solid else "white", label=trim if solid else None,
            )  # fmt: skip
        axis.set(xlabel=label, ylim=(0, 1.03))
    grid[0, 0].set(xscale="log", ylabel="usable cells behind XOR")
    grid[0, 0].set_xticks([16, 64, 256, 1024], ["16", "64", "256", "1024"])
    grid[0, 0].minorticks_off()
    grid[0, 1].set(ylabel="usable XORs of three")
    grid[0, 1].set_xscale("symlog", linthresh=0.01)
    grid[0, 1].set_xlim(-0.003, 1.4)
    grid[0, 1].set_xticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
    _legend(figure, grid[0, 0])
    return figure
