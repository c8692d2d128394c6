"""Figures of the experiment on energy and area: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.meram import claims
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.layout.area import Row
    from mtjspice.reports.area import Outcome
    from mtjspice.studies.operation import Cycles

AREA_TRUST = 5.0  # factor by which the areas are trusted: one generator draws them all, with little skill
_PHASE, _SOURCE, _ENERGY, _ERROR = "phase", "source", "energy [J/bit]", "95 % [J/bit]"
_AGAINST, _STATUS, _BY_ENERGY, _BY_AREA = "against", "status", "energy ratio", "area ratio"
_SOURCES = ("logic supply", "write rail", "inputs and bias", "of which junctions")


def plates(outcome: "Outcome", cycles: "Cycles") -> tuple[Plate, ...]:
    """Generators in the plane of both ratios, and energy by phase."""
    from scipy.stats import t as student

    from mtjspice.studies.operation import PHASES

    bits = cycles.data.shape[1]
    mean = cycles.energy.mean(axis=0) / bits
    number = len(cycles.energy)
    spread = student.ppf(0.975, number - 1) * cycles.energy.sum(axis=2).std(axis=0, ddof=1) / np.sqrt(number) / bits
    logic, rail = (mean[:, cycles.sources.index(name)] for name in ("vdd", "vw"))
    parts = (logic, rail, mean.sum(axis=1) - logic - rail, cycles.junction_energy.mean(axis=0) / bits)
    shares = (parts[-1] / mean.sum(axis=1)).tolist()
    rows = [
        (phase, source, float(part[k]), float(spread[k]))
        for source, part in zip(_SOURCES, parts, strict=True)
        for k, phase in enumerate(PHASES)
    ]
    word = outcome.word
    others = [
        (row.name, row.status, energy_of(row) / energy_of(word), row.area_per_bit / word.area_per_bit)
        for row in outcome.rows
        if row is not word and row.energy and row.area_per_bit and word.area_per_bit
        and (row.status == "published" or row.name.startswith(("LFSR", "ChaCha", "Philox")))
    ]  # fmt: skip
    return (
        Plate(
            key="ratios",
            caption=(
                "Energy and area of a bit of other generators over those of the MeRAM word. Lines: equal advantage of"
                f" the word in energy times area. Star: {claims.SAVING.value:.0%} saved and {claims.FACTOR.value:g} in"
                " all, two claims of the paper that may have different opponents, joined by us. Published generators"
                f" are of other processes. Areas are trusted to a factor of {AREA_TRUST:g}."
            ),
            alt="Generators as points about the word, lines of equal advantage, a star where both claims would meet.",
            columns=dict(zip((_AGAINST, _STATUS, _BY_ENERGY, _BY_AREA), zip(*others, strict=True), strict=True)),
        ),
        Plate(
            key="phases",
            caption=(
                f"Energy of a bit by phase and source, {len(cycles.energy)} co-simulated cycles of {bits} bits without"
                " wires; bars: 95 % of the sum. Below each: what heats the junctions, part of the above."
            ),
            alt=f"Stacked bars for {', '.join(PHASES)}; junctions take {min(shares):.1%} to {max(shares):.1%} of each.",
            columns=dict(zip((_PHASE, _SOURCE, _ENERGY, _ERROR), zip(*rows, strict=True), strict=True)),
        ),
    )


def claimed_ratio() -> float:
    """What the claimed saving is as a factor of energies."""
    assert claims.SAVING.value is not None
    return 1 / (1 - claims.SAVING.value)


def energy_of(row: "Row") -> float:
    """Energy of a bit, J, of a generator that has one."""
    assert row.energy is not None
    return row.energy


def draw_ratios(columns: Columns) -> "Figure":
    """Opponents in the plane of both ratios."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(4.6)
    axis = grid[0, 0]
    x = np.array([1e-2, 1e3])
    for product in (1, 10, 100, 1000):
        axis.plot(x, product / x, color="#888888", linewidth=0.8, zorder=1)
        y = min(product / 0.013, 600)
        axis.text(product / y, y, f"{product}x", fontsize=8, color="#666666", ha="left", va="bottom")
    for status, colour, marker in (("measured", BLUE, "o"), ("counted", ORANGE, "s"), ("published", GREEN, "^")):
        which = columns[_STATUS] == status
        axis.plot(
            columns[_BY_ENERGY][which], columns[_BY_AREA][which], marker, color=colour, markersize=5, linewidth=0,
            label={"measured": "shift registers, simulated", "counted": "ciphers, counted"}.get(status, "published"),
        )  # fmt: skip
        if status == "published":
            continue
        for name, energy, area in zip(
            columns[_AGAINST][which], columns[_BY_ENERGY][which], columns[_BY_AREA][which], strict=True
        ):
            up = not str(name).startswith("ChaCha")  # they lie close together, below the others
            axis.annotate(
                str(name), (energy, area), xytext=(1, 5 if up else -5), textcoords="offset points", fontsize=7,
                color=colour, rotation=60 if up else -60, ha="left", va="bottom" if up else "top",
            )  # fmt: skip
    joined = "both claims, joined (derived)"
    axis.plot([claimed_ratio()], [claims.AREA_FACTOR.value], "*", color=RED, markersize=12, label=joined)
    middle = 4.0  # where nothing else is drawn: how far areas are trusted
    reach = [[middle - middle / AREA_TRUST], [middle * AREA_TRUST - middle]]
    axis.errorbar([0.018], [middle], yerr=reach, fmt="none", color="#666666", capsize=3, linewidth=1)
    axis.text(0.021, middle, "trust in areas", rotation=90, fontsize=8, color="#666666", va="center")
    axis.plot([1], [1], "D", color=BLACK, markersize=5, label="MeRAM word")
    axis.set(
        xscale="log", yscale="log", xlim=(1e-2, 1e3), ylim=(3e-2, 1e3),
        xlabel="energy of a bit over the word's", ylabel="area of a bit over the word's",
    )  # fmt: skip
    axis.legend(fontsize=8, loc="lower left")
    return figure


def draw_phases(columns: Columns) -> "Figure":
    """Stacked bars by phase, the junctions' share below each."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(2.5)
    axis = grid[0, 0]
    phases = list(dict.fromkeys(columns[_PHASE].tolist()))
    place = np.arange(len(phases))[::-1]
    left = np.zeros(len(phases))
    for source, colour in zip(_SOURCES, (BLUE, ORANGE, GREEN, RED), strict=True):
        values = columns[_ENERGY][columns[_SOURCE] == source] * 1e15
        if source == _SOURCES[-1]:
            errors = columns[_ERROR][columns[_SOURCE] == source] * 1e15
            axis.errorbar(left, place + 0.17, xerr=errors, fmt="none", color=BLACK, capsize=2, linewidth=1)
            axis.barh(place - 0.17, values, 0.28, color=colour, label=source)
            for y, whole, own, error in zip(place, left, values, errors, strict=True):
                axis.text(whole + error + left.max() * 0.01, y + 0.17, f"{whole:.0f} fJ", va="center", fontsize=8)
                axis.text(own + left.max() * 0.01, y - 0.17, f"{own:.1f} fJ", va="center", fontsize=8)
        else:
            axis.barh(place + 0.17, values, 0.34, left=left, color=colour, label=source)
            left = left + values
    axis.set_yticks(place, phases)
    axis.set(xlabel="energy per bit [fJ]", xlim=(0, left.max() * 1.2))
    axis.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure
