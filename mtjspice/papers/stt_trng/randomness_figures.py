"""Figure of the tests that emulated arrays pass."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.outcomes import Counts, outcome

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CASE, _TEST, _RATE, _LOW, _HIGH = "bits", "test", "pass rate", "low", "high"
_BAND_LOW, _BAND_HIGH, _BAD = "band low", "band high", "fails"


def suite_plate(
    counts: dict[str, Counts], failing: dict[str, list[str]], sequences: int, spread: float, memory: float
) -> Plate:
    """Pass rates of every test and case, beside the band of good bits; ``spread`` is that of P."""
    from mtjspice.bits.sp800_22.battery import interval
    from mtjspice.statistics import wilson

    band = interval(sequences, limits.SIGNIFICANCE)
    columns = empty((_CASE, _TEST, _RATE, _LOW, _HIGH, _BAND_LOW, _BAND_HIGH, _BAD))
    for label, each in counts.items():
        for test, (passed, applied) in each.items():
            found = wilson(passed, applied)
            add(columns, label, test, found.value, found.low, found.high, *band, float(test in failing[label]))
    return Plate(
        key="suite",
        caption=(
            f"Fraction of {sequences} sequences of 10⁶ bits that pass each test of SP 800-22, 95 % intervals. Grey: the"
            " suite's own band for good bits; crosses: so few pass in one of a hundred runs of good bits. Random"
            " excursions apply to some of the sequences only; a test that applies to less than a third is left out."
            f" Sixteen junctions whose P scatters by {spread:g}; with memory, each bit also repeats the last one of its"
            f" junction with a correlation of {memory:g}."
        ),
        alt="; ".join(f"{label}: {outcome(counts[label], names)}" for label, names in failing.items()) + ".",
        columns=columns,
    )


def draw_suite(columns: Columns) -> "Figure":
    """A panel a case: pass rates of the tests, beside the band of good bits."""
    from mtjspice.reports.style import BLUE, RED, new_figure

    cases = list(dict.fromkeys(columns[_CASE].tolist()))
    tests = list(dict.fromkeys(columns[_TEST].tolist()))
    figure, grid = new_figure(4.6, rows=2, columns=-(-len(cases) // 2), sharex=True, sharey=True)
    for place, case in enumerate(cases):
        axis = grid[place % 2, place // 2]
        mine = columns[_CASE] == case
        at = np.array([tests.index(test) for test in columns[_TEST][mine]])
        low, high, rate = columns[_LOW][mine], columns[_HIGH][mine], columns[_RATE][mine]
        axis.axvspan(columns[_BAND_LOW][0], columns[_BAND_HIGH][0], color="#d8d8d8", linewidth=0, zorder=0)
        bad = columns[_BAD][mine] == 1
        for chosen, colour, marker in ((~bad, BLUE, "o"), (bad, RED, "X")):
            axis.hlines(at[chosen], low[chosen], high[chosen], color=colour, linewidth=0.9)
            axis.plot(rate[chosen], at[chosen], marker, markersize=3.5, color=colour)
        axis.set_title(case.replace(", XOR", ",\nXOR"), loc="left", fontsize=8)
        axis.set(xlim=(-0.05, 1.05), ylim=(len(tests) - 0.5, -0.5))
        axis.set_yticks(range(len(tests)), tests, fontsize=6.5)
    for axis in grid[-1]:
        axis.set_xlabel("pass rate", fontsize=8)
    return figure
