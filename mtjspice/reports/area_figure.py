"""Area of a bit against its energy, on logarithmic axes, where equal products are straight lines."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtjspice.layout.area import Row
from mtjspice.reports import style
from mtjspice.reports.area import Outcome
from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE

_GREY = "#808080"
_AREA, _ENERGY = 1e12, 1e15  # um2, fJ
_FAMILY = re.compile(r"(LFSR|ChaCha|Philox)\S*?(\d+), (.*)")  # of names such as "LFSR-8, 3.3 V"
_FAMILIES = {
    "LFSR": (ORANGE, "s", "shift registers, drawn and simulated"),
    "ChaCha": (GREEN, "^", "ChaCha8, 12, 20: counted cells, no wires"),
    "Philox": (PURPLE, "v", "Philox4x32-10: counted cells, no wires"),
}


@style.styled
def figure(outcome: Outcome) -> Figure:
    """Generators with junctions, plain CMOS at every supply, published ones by node."""
    drawing, axes = style.new_figure(5.3)
    axis: Axes = axes[0, 0]
    placed = [row for row in outcome.rows if row.energy and row.area_per_bit]
    axis.set(xscale="log", yscale="log", xlabel="area that makes one bit of an operation (µm²)")
    axis.set_ylabel("energy of a bit (fJ)")
    _limits(axis, outcome.rows, placed)
    _products(axis, outcome)
    _junctions(axis, [row for row in placed if row.status == "measured" and not _FAMILY.match(row.name)])
    _logic(axis, placed)
    _published(axis, [row for row in outcome.rows if row.status == "published"])
    axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.46, -0.14), ncols=2)
    wires = "with drawn wires" if outcome.wires else "without wires"
    axis.set_title(f"{outcome.technology}, {wires}; dashed: equal products", loc="left", fontsize=9)
    return drawing


def _limits(axis: Axes, rows: Iterable[Row], placed: Sequence[Row]) -> None:
    areas = np.array([(row.area_per_bit or 0) * _AREA for row in placed])
    energies = np.array([row.energy * _ENERGY for row in rows if row.energy])
    axis.set_xlim(areas.min() / 4, areas.max() * 6)
    axis.set_ylim(energies.min() / 3, energies.max() * 3)


def _products(axis: Axes, outcome: Outcome) -> None:
    """Lines of the word's product, of its parts and multiples."""
    product = (outcome.word.product or 0) * _AREA * _ENERGY
    low, high = axis.get_xlim()
    bottom, top = axis.get_ylim()
    for power in range(-6, 7):
        level = product * 10.0**power
        name = "E x A of the MeRAM word, and decades of it" if power == 0 else None
        axis.plot([low, high], [level / low, level / high], "--", color="#b0b0b0", lw=1.2 if power == 0 else 0.6,
                  label=name)  # fmt: skip
        x = max(1.12 * low, 1.6 * level / top)  # just inside, where the line comes in
        if x < high / 2 and level / x > 1.2 * bottom:
            axis.text(x, level / x, "1" if power == 0 else f"$10^{{{power}}}$", fontsize=6.5, color="#606060",
                      va="bottom")  # fmt: skip


def _junctions(axis: Axes, rows: Sequence[Row]) -> None:
    """Numbered, with the names in the legend: some lie close together."""
    for number, row in enumerate(rows, 1):
        x, y = (row.area_per_bit or 0) * _AREA, (row.energy or 0) * _ENERGY
        axis.plot([x], [y], "o", color=BLUE, ms=8, zorder=3)
        axis.plot([x], [y], marker=f"${number}$", color="white", ms=4.5, mew=0.4, zorder=4)
        axis.plot([], [], ls="none", marker=f"${number}$", color=BLUE, ms=5, mew=0.4, label=row.name)


def _logic(axis: Axes, rows: Sequence[Row]) -> None:
    """A line a family and supply; hollow where it is not the highest supply."""
    families: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    for row in rows:
        if match := _FAMILY.match(row.name):
            point = ((row.area_per_bit or 0) * _AREA, (row.energy or 0) * _ENERGY, match[2])
            families.setdefault((match[1], match[3]), []).append(point)
    first: dict[str, str] = {}
    for (family, supply), points in families.items():
        colour, marker, label = _FAMILIES[family]
        filled = first.setdefault(family, supply) == supply
        x, y, _ = zip(*points, strict=True)
        axis.plot(x, y, marker=marker, ms=4.5, lw=0.8, color=colour, mfc=colour if filled else "white",
                  label=label if filled else None)  # fmt: skip
        axis.annotate(supply, (x[-1], y[-1]), xytext=(4, 3), textcoords="offset points", fontsize=6.5, color=colour)
        if family == "LFSR":
            for one, other, stages in points:
                axis.annotate(stages, (one, other), xytext=(0, -10), textcoords="offset points", fontsize=6.5,
                              color=colour, ha="center")  # fmt: skip


def _published(axis: Axes, rows: Sequence[Row]) -> None:
    """Those of which energy and area are known; others at the right edge, by their energy."""
    label: str | None = "published, by node; at the edge: area not stated"
    right = axis.get_xlim()[1]
    for row in rows:
        if row.energy is None or row.area == 0:
            continue
        x, y = (right if row.area is None else row.area / row.bits * _AREA), row.energy * _ENERGY
        marker = "<" if row.area is None else "D"
        axis.plot([x], [y], marker, ms=4, color=_GREY, mec=BLACK, mew=0.5, clip_on=False, ls="none", label=label)
        label = None
        name = row.technology if row.technology != "unknown" else f"{row.name.partition(' (paper)')[0]}, node unknown"
        side = -6 if row.area is None or "JSSC" in row.name else 5
        axis.annotate(name, (x, y), xytext=(side, 0), textcoords="offset points", fontsize=6.5, color=BLACK,
                      ha="right" if side < 0 else "left", va="center")  # fmt: skip
