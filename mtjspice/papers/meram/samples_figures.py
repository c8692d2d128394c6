"""Figure of the energy of a Gaussian number, with the list of what would break even in its columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.meram.converters import COUNT, POLAR, SUM, TABLE
from mtjspice.papers.meram.samples import HOW, NEW, NOTHING, OLD, Way, break_even, cheapest
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NODE, _SOURCE, _CONVERTER, _STATUS = "node", "bits of", "converter", "status"
_ENERGY, _BITS, _BIT, _PART = "energy [J]", "bits", "energy of a bit [J]", "energy of the converter [J]"
_RATE, _AREA, _BEST = "rate [1/s]", "area [m2]", "cheapest with junctions [J]"
_LIMITS = ("bit_energy", "area", "rate")
_EVEN, _EVEN_AREA, _EVEN_RATE = "break-even bit [J]", "break-even area [m2]", "break-even rate [1/s]"


def samples_plate(ways: Sequence[Way]) -> Plate:
    """All ways, with what they would break even at; empty for what is not known, or is no opponent."""
    even = {(one.way.node, one.way.source, one.way.converter): one for one in break_even(ways)}
    rows = []
    for one in ways:
        against = even.get((one.node, one.source, one.converter))
        rows.append(
            (
                one.node, one.source, one.converter, HOW[one.status], one.energy, one.bits, one.bit_energy,
                one.converter_energy, _known(one.rate), _known(one.area), cheapest(ways, one.node).energy,
                *(_known(None if against is None else getattr(against, name)) for name in _LIMITS),
            )
        )  # fmt: skip
    names = (_NODE, _SOURCE, _CONVERTER, _STATUS, _ENERGY, _BITS, _BIT, _PART, _RATE, _AREA, _BEST,
             _EVEN, _EVEN_AREA, _EVEN_RATE)  # fmt: skip
    return Plate(
        key="samples",
        caption=(
            "Energy of a Gaussian number by the source of its bits and by what makes a number of them. Left: the"
            " process of the comparison (words and registers simulated, ciphers and converters counted), published"
            " generators of 180 nm. Right: the same scaled to 28 nm, published generators of 28 nm. Dashed: the"
            " cheapest number with junctions. Box-Muller is a lower bound. No intervals: nothing is sampled but"
            " the bits that drive counted gates, and scaling is a rule of thumb."
        ),
        alt="Sources of bits in rows, a point for each converter, two nodes; a line at the cheapest with junctions.",
        columns=dict(zip(names, zip(*rows, strict=True), strict=True)),
    )


def _known(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def draw_samples(columns: Columns) -> "Figure":
    """Ways in rows by source, one panel for each node."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    looks = {NOTHING: (BLACK, "D"), TABLE: (BLUE, "o"), COUNT: (ORANGE, "s"), SUM: (GREEN, "^"), POLAR: (PURPLE, "v")}
    sources = {node: list(dict.fromkeys(columns[_SOURCE][columns[_NODE] == node].tolist())) for node in (OLD, NEW)}
    figure, grid = new_figure(1.3 + 0.2 * max(map(len, sources.values())), columns=2)
    for axis, node in zip(grid[0], (OLD, NEW), strict=True):
        here = columns[_NODE] == node
        for converter, (colour, marker) in looks.items():
            which = here & (columns[_CONVERTER] == converter)
            place = [-sources[node].index(name) for name in columns[_SOURCE][which].tolist()]
            axis.plot(
                columns[_ENERGY][which] * 1e12, place, marker, color=colour, markersize=4, linewidth=0,
                label="programmed words" if converter == NOTHING else converter,
            )  # fmt: skip
        axis.axvline(float(columns[_BEST][here][0]) * 1e12, color=RED, linewidth=1, linestyle="--")
        names = [name.replace(", synthesized ring oscillators", ", ring oscillators") for name in sources[node]]
        names = [name.replace(", capacitive latch, lowest energy", ", capacitive latch") for name in names]
        axis.set_yticks(-np.arange(len(names)), names, fontsize=7)
        axis.set(xscale="log", xlabel="energy of a number [pJ]")
        axis.set_title(node if node == OLD else f"{node}, scaled", fontsize=9)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5, fontsize=8)
    return figure
