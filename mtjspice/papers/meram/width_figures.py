"""Figures of the experiment on wider words: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.meram.slots import CHAIN, PRODUCT, QUANTILE, SUM, TREE
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BITS, _INTEGER, _ERROR, _TAILS = "bits", "integer bits", "error [standard deviations]", "of which beyond the range"
_ENCODING, _COST, _KL = "encoding", "energy times latency [J s]", "KL(N, words) [bit]"


def plates(
    swept: list[tuple[int, int, float, float]], pareto: list[tuple[str, int, float, float, float]]
) -> tuple[Plate, ...]:
    """Formats, and cost."""
    return (
        Plate(
            key="formats",
            caption=(
                "Error of words of a tree against their width, for several numbers of integer bits: root of the mean"
                " squared difference from N(0, 1), coupled by quantiles; exact. Thin lines: the part beyond the range."
            ),
            alt="Lines fall by half for each bit and level off where the range decides, the later the wider it is.",
            columns=dict(zip((_BITS, _INTEGER, _ERROR, _TAILS), zip(*swept, strict=True), strict=True)),
        ),
        Plate(
            key="pareto",
            caption=(
                "Error (left) and divergence (right) of numbers of 4, 6, ... 16 bits (chain and sum: to 10) against"
                " energy times latency in the circuit. Exact laws, simulated energies; trees have the number of integer"
                " bits with the least error, product and chain 2. A tree's divergence is zero and not drawn. Tables"
                " (2ⁿ entries for n bits) and adders are not counted."
            ),
            alt="Fair bits, their table left out, lie leftmost; wide trees err least; toggle chains lie far right.",
            columns=dict(zip((_ENCODING, _BITS, _COST, _ERROR, _KL), zip(*pareto, strict=True), strict=True)),
        ),
    )


def draw_formats(columns: Columns) -> "Figure":
    """Error against width by integer bits."""
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.0)
    axis = grid[0, 0]
    for integer, colour, marker in zip(np.unique(columns[_INTEGER]), (BLUE, ORANGE, GREEN), "os^", strict=True):
        which = columns[_INTEGER] == integer
        bits = columns[_BITS][which]
        axis.semilogy(bits, columns[_ERROR][which], marker=marker, markersize=4, color=colour,
                      label=f"{integer} integer bits, ±{2**integer}")  # fmt: skip
        axis.semilogy(bits, columns[_TAILS][which], color=colour, linewidth=0.7, linestyle="--")
    axis.set(xlabel="bits of the word", ylabel="error [standard deviations]", ylim=(1e-5, 1))
    axis.legend(fontsize=8, loc="lower left")
    return figure


def draw_pareto(columns: Columns) -> "Figure":
    """Error and divergence against cost."""
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    figure, grid = new_figure(3.4, columns=2)
    looks = zip((BLUE, ORANGE, GREEN, RED, PURPLE), "os^Dv", strict=True)
    styles = dict(zip((QUANTILE, PRODUCT, TREE, CHAIN, SUM), looks, strict=True))
    for axis, name in zip(grid[0], (_ERROR, _KL), strict=True):
        for encoding, (colour, marker) in styles.items():
            which = (columns[_ENCODING] == encoding) & (columns[name] > 1e-9)
            x, y = columns[_COST][which] * 1e21, columns[name][which]
            if not x.size:
                continue
            axis.loglog(x, y, marker=marker, markersize=4, color=colour, linewidth=1, label=encoding)
            for k in (0, -1):
                place = (4, -9) if encoding == SUM and name == _KL else (3, 3)  # sums lie close below product words
                axis.annotate(
                    str(columns[_BITS][which][k]), (x[k], y[k]), xytext=place, textcoords="offset points", fontsize=7
                )
        axis.set(xlabel="energy times latency [pJ ns]")
    grid[0, 0].set(ylabel="error [standard deviations]")
    grid[0, 1].set(ylabel=_KL)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=8)
    return figure
