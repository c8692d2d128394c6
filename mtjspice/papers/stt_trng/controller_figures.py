"""Figures of controllers: cells that stay usable, and bits for a watt."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import claims, limits
from mtjspice.papers.stt_trng.columns import Lists
from mtjspice.papers.stt_trng.loops import LOOPS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANEL, _CURVE, _LOOP, _X, _Y = "against", "switching curve", "controller", "hours, or K", "usable fraction"
KEPT_COLUMNS = (_PANEL, _CURVE, _LOOP, _X, _Y)
_SYSTEM, _VALUE, _LOW, _HIGH = "what is counted", "Gb/s for a watt", "low", "high"
COST_COLUMNS = (_SYSTEM, _VALUE, _LOW, _HIGH)


def kept_plate(columns: Lists, warmer: float) -> Plate:
    """Usable cells against time and temperature."""
    return Plate(
        key="kept",
        caption=(
            f"Cells with |P - 1/2| < {limits.xor_limit():.4f} (XOR of three, 10⁶ bits) after each was trimmed once."
            " Left: against the hours since, at the same temperature. Right: against the temperature since, an hour"
            " after the trim. Closed forms, no sampling. Solid: curve of the card; dashed: published curve of another"
            " device. One for all and one a row lie upon each other; on the left so does none."
        ),
        alt=(
            "Without a controller, or with one for all or one a row, cells are lost with time; one a cell keeps them."
            " A change of temperature is taken by every controller."
        ),
        columns=columns,
    )  # fmt: skip


def cost_plate(columns: Lists) -> Plate:
    """Bits for a watt."""
    return Plate(
        key="cost",
        caption=(
            f"Gb/s of raw bits for a watt. Dots: circuit of transistors, lines of a large array, converters; bars: 95 %"
            " over cycles without converters, the assumed range of their energies with them. Diamonds: both readings"
            f" of the published {claims.power_text()}, the one on pulses with an assumed width."
        ),
        alt="; ".join(
            f"{name}: {float(value):.3g}" for name, value in zip(columns[_SYSTEM], columns[_VALUE], strict=True)
        )
        + ".",
        columns=columns,
    )


def draw_kept(columns: Columns) -> "Figure":
    """Usable cells against hours and against kelvin."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.1, columns=2, sharey=True)
    curves = list(dict.fromkeys(columns[_CURVE].tolist()))
    looks = dict(zip(LOOPS, ((BLACK, 3.0), (BLUE, 2.0), (ORANGE, 1.0), (GREEN, 1.5)), strict=True))
    for axis, panel, label in zip(
        grid[0], ("hours", "kelvin"), ("hours since the trim", "warmer than at the trim [K]"), strict=True
    ):
        for number, curve in enumerate(curves):
            for loop, (colour, width) in looks.items():
                mine = (columns[_PANEL] == panel) & (columns[_CURVE] == curve) & (columns[_LOOP] == loop)
                axis.plot(columns[_X][mine], columns[_Y][mine], "--" if number else "-", color=colour, linewidth=width,
                          label=None if number else f"controller: {loop}")  # fmt: skip
        axis.set(xlabel=label, ylim=(0, 1.03))
    grid[0, 0].set(xscale="log", ylabel="usable cells behind XOR")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


def draw_cost(columns: Columns) -> "Figure":
    """Gb/s for a watt by what is counted."""
    from mtjspice.reports.style import BLUE, RED, new_figure

    figure, grid = new_figure(2.3)
    axis = grid[0, 0]
    at = np.arange(len(columns[_SYSTEM]))
    paper = np.array([text.startswith(claims.power_text()) for text in columns[_SYSTEM]])
    axis.hlines(at, columns[_LOW], columns[_HIGH], color=BLUE, linewidth=1.5)
    axis.plot(columns[_VALUE][~paper], at[~paper], "o", markersize=5, color=BLUE)
    axis.plot(columns[_VALUE][paper], at[paper], "D", markersize=5, color=RED)
    for place, value in zip(at, columns[_VALUE], strict=True):
        axis.annotate(f"{value:.3g}", (value, place), (0, 5), textcoords="offset points", ha="center", fontsize=8)
    axis.set(xscale="log", xlabel="Gb/s of raw bits for a watt", ylim=(len(at) - 0.5, -0.7))
    axis.set_yticks(at, columns[_SYSTEM], fontsize=8)
    return figure
