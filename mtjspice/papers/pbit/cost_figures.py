"""Figures of the experiment on cost: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.circuits.benches.cim_figures import Comparison
    from mtjspice.generative.sde.cost import Column, Cost, Demand

_SETTING, _SCHEME, _PHASE, _ENERGY, _TIME = "setting", "scheme", "phase", "energy [J a P-bit]", "time [s]"
_WIDTH, _RATE = "parallel weights", "images a second"
_BY_WIDTH, _BY_BITS = "speed", "energy"


def phase_plate(found: Mapping[str, "Comparison"]) -> Plate:
    """Energies and times by phase."""
    rows = [
        (name, scheme, phase, sum(column.energies[phase].values()) / column.rows, column.times[phase])
        for name, one in found.items()
        for scheme, column in (("in situ", one.in_situ), ("ex situ", one.ex_situ))
        for phase in column.energies
    ]
    names = (_SETTING, _SCHEME, _PHASE, _ENERGY, _TIME)
    return Plate(
        key="phases",
        caption=(
            "Energy of a P-bit (top) and time of a cycle (bottom) by phase, in situ (left of each pair) and ex situ,"
            " for several technologies, rows, corners and schedules, in units of the column in situ, whose absolute"
            " value is written above it. Measurements on nominal circuits; nothing is sampled."
        ),
        alt=(
            f"Ex situ takes {min(one.time_ratio for one in found.values()):.1f} to"
            f" {max(one.time_ratio for one in found.values()):.1f} times the time and"
            f" {min(one.energy_ratio for one in found.values()):.1f} to"
            f" {max(one.energy_ratio for one in found.values()):.1f} times the energy."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate(names)},
    )


def width_plate(
    sweep: Sequence[tuple["Cost", "Cost", "Cost"]], demand: "Demand", inside: "Column", beside: "Column"
) -> Plate:
    """Speed against the width, and energy against the noise that is needed."""
    rows = [(_BY_WIDTH, c.scheme, float(c.parallel), c.images_per_second) for costs in sweep for c in costs]
    names = [c.scheme for c in sweep[0]]
    computing = inside.energy - inside.draw_energy
    faster = sum(words.time < in_place.time for in_place, _, words in sweep)
    for density in np.geomspace(1e-3, 1, 31):
        energies = (inside.energy, beside.energy, computing + density * beside.draw_energy)
        rows += [(_BY_BITS, name, float(density), energy) for name, energy in zip(names, energies, strict=True)]
    rows.append((_BY_BITS, "our network", demand.word_bits / demand.pbits, computing))
    return Plate(
        key="width",
        caption=(
            "Left: images a second against the number of weights that work at once (with as many generators beside the"
            " array), for drop-connect in place, the same bits drawn beside the column and written in, and an ordinary"
            " network to whose output words of noise are added. Right: energy of a weight in one pass against the bits"
            " of noise words for each weight and pass; dotted: the network of this project. From the measured columns"
            " of 8 rows. Costs only: the networks do not draw equally well."
        ),
        alt=(
            f"Words are faster than P-bits in place at {faster} of {len(sweep)} widths, and take less energy below"
            f" {inside.draw_energy / beside.draw_energy:.2g} bit a weight."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate(("panel", _SCHEME, "x", "y"))},
    )


def draw_phases(columns: Columns) -> "Figure":
    """Energies and times by phase, all settings, in units of the column in situ."""
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, PURPLE, SKY, new_figure

    settings = list(dict.fromkeys(columns[_SETTING]))
    phases = list(dict.fromkeys(columns[_PHASE]))
    colours = dict(zip(phases, (BLUE, ORANGE, GREEN, PURPLE, SKY), strict=False))
    figure, grid = new_figure(4.8, 2, sharex=True)
    for axis, what, scale, unit, label in (
        (grid[0, 0], _ENERGY, 1e12, "pJ", "energy / energy in situ"),
        (grid[1, 0], _TIME, 1e9, "ns", "cycle / cycle in situ"),
    ):  # fmt: skip
        for k, setting in enumerate(settings):
            here = columns[_SETTING] == setting
            whole = float(columns[what][here & (columns[_SCHEME] == "in situ")].sum())
            for x, scheme in ((k - 0.2, "in situ"), (k + 0.2, "ex situ")):
                base = 0.0
                for phase in phases:
                    own = here & (columns[_SCHEME] == scheme) & (columns[_PHASE] == phase)
                    if own.any():
                        height = float(columns[what][own][0]) / whole
                        axis.bar(x, height, 0.34, bottom=base, color=colours[phase])
                        base += height
                if scheme == "in situ":
                    text = f"{whole * scale:.2g} {unit}"
                    axis.text(k - 0.03, base, text, ha="right", va="bottom", fontsize=6.5)
                else:
                    axis.text(x, base, f"{base:.1f}", ha="center", va="bottom", fontsize=7)
        axis.set(ylabel=label)
        axis.margins(y=0.12)
        axis.grid(visible=False, axis="x")
    grid[1, 0].set_xticks(range(len(settings)), [one.replace(", ", "\n") for one in settings], fontsize=7)
    handles = [axis.bar(0, 0, color=colours[phase]) for phase in phases]
    figure.legend(handles, phases, loc="outside upper center", ncols=5, fontsize=8)
    return figure


def draw_width(columns: Columns) -> "Figure":
    """Images a second against the parallel width, and energy against the noise that is needed."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.1, 1, 2)
    panel, names = columns["panel"], [one for one in dict.fromkeys(columns[_SCHEME]) if one != "our network"]
    for axis, which, scale in ((grid[0, 0], _BY_WIDTH, 1.0), (grid[0, 1], _BY_BITS, 1e12)):
        for name, colour, line in zip(names, (BLUE, ORANGE, GREEN), ("-", "--", "-."), strict=True):
            own = (panel == which) & (columns[_SCHEME] == name)
            axis.loglog(columns["x"][own], columns["y"][own] * scale, line, color=colour, label=name)
    grid[0, 1].axvline(
        float(columns["x"][columns[_SCHEME] == "our network"][0]), color=BLACK, linewidth=0.8, linestyle=":"
    )
    grid[0, 0].set(xlabel=_WIDTH, ylabel=_RATE)
    grid[0, 1].set(
        xlabel="bits of noise words a weight and pass", ylabel="energy [pJ a weight and pass]", ylim=(0.5, 8)
    )
    grid[0, 1].set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
    grid[0, 1].minorticks_off()
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure
