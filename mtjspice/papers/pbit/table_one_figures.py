"""Figures of the experiment on table I: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

_COUNT, _CHANCE, _LOW, _UP, _KIND = "p-values of 0.8 or more", "probability", "low", "high", "tests"
_CASE, _TEST, _SHARE, _SEQUENCES = "P-bits", "test", "share of p-values that pass", "sequences"
SIMULATED, INDEPENDENT = "the tests, on good bits", "independent p-values"


def passed(found: Sequence[Mapping[str, Sequence[float]]], tests: Sequence[str]) -> float:
    """Share of p-values of 0.01 or more; NaN without any."""
    values = [p for one in found for name in tests for p in one[name]]
    return sum(p >= 0.01 for p in values) / len(values) if values else float("nan")


def chance_plate(chances: list["Proportion"], bound: Floats, tests: int, without: int) -> Plate:
    """Counted chances of high p-values, and those of independent tests."""
    shown = [k for k in range(1, tests + 1) if chances[k].count]
    return Plate(
        key="chance",
        caption=(
            f"Chance that at least so many of {tests} tests (those of table I with a p-value, without random"
            f" excursions) give 0.8 or more: counted on {chances[0].trials} sequences of good bits (95 %), and if the"
            f" tests were independent. Dotted: {without}, as in table I."
        ),
        alt=(
            f"For {shown[-1]} or more, the counted chance is {chances[shown[-1]].value / bound[shown[-1]]:.1f} times"
            " that of independent tests."
        ),
        columns={
            _KIND: [SIMULATED] * len(shown) + [INDEPENDENT] * tests,
            _COUNT: shown + list(range(1, tests + 1)),
            _CHANCE: [chances[k].value for k in shown] + bound[1:].tolist(),
            _LOW: [chances[k].low for k in shown] + bound[1:].tolist(),
            _UP: [chances[k].high for k in shown] + bound[1:].tolist(),
        },
    )


def million_plate(results: Mapping[str, list[dict[str, tuple[float, ...]]]], cells: int) -> Plate:
    """Share that passes, by test and case."""
    rows = [(case, test, passed(found, [test]), len(found)) for case, found in results.items() for test in found[0]]
    return Plate(
        key="million",
        caption=(
            "Share of p-values of 0.01 or more at a million emulated bits, by test, for cells that toggle without a"
            f" reset, {cells} read in turn or one alone: fair, set wrongly, or different about a mean of 1/2. Good bits"
            " give 0.99."
            " Tests in italics are not in table I. Blank: not applicable to any of the sequences."
        ),
        alt="; ".join(
            f"{case}: {passed(found, list(found[0])):.2f} of all p-values pass" for case, found in results.items()
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_CASE, _TEST, _SHARE, _SEQUENCES))},
    )


def draw_chance(columns: Columns) -> "Figure":
    """Chance of many high p-values."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.8)
    axis = grid[0, 0]
    for kind, colour, marker in ((SIMULATED, BLUE, "o"), (INDEPENDENT, ORANGE, "s--")):
        own = columns[_KIND] == kind
        value = columns[_CHANCE][own]
        bars = np.abs(np.stack([value - columns[_LOW][own], columns[_UP][own] - value]))
        axis.errorbar(
            columns[_COUNT][own], value, yerr=bars, fmt=marker, color=colour, markersize=4, capsize=2, label=kind
        )
    axis.axvline(7, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(yscale="log", xlabel=f"{_COUNT}, at least", ylabel=_CHANCE)
    axis.legend(fontsize=8)
    return figure


def draw_million(columns: Columns) -> "Figure":
    """Shares that pass, by test and case."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(3.9)
    axis = grid[0, 0]
    cases, tests = (list(dict.fromkeys(columns[key])) for key in (_CASE, _TEST))
    share = columns[_SHARE].reshape(len(cases), len(tests)).T
    axis.imshow(np.ma.masked_invalid(share), cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for y in range(len(tests)):
        for x in range(len(cases)):
            if np.isfinite(share[y, x]):
                axis.text(
                    x,
                    y,
                    f"{share[y, x]:.2f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="black" if share[y, x] > 0.5 else "white",
                )
    axis.set_xticks(range(len(cases)), [one.replace(", ", "\n") for one in cases], fontsize=8)
    axis.set_yticks(range(len(tests)), tests, fontsize=8)
    for label, test in zip(axis.get_yticklabels(), tests, strict=True):
        label.set_style("normal" if test in claims.LISTED else "italic")
    axis.grid(visible=False)
    return figure
