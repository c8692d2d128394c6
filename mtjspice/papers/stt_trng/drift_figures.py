"""Figure of the hours to the first failure against the walk."""

from typing import TYPE_CHECKING

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.columns import Lists
from mtjspice.papers.stt_trng.counts import MODES, PROBABILITY
from mtjspice.papers.stt_trng.devices import LANES
from mtjspice.papers.stt_trng.limits import power_of_ten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WINDOW = 10.0  # s between corrections, and between tests
V50_WALK = 1e-3  # of V50 after an hour, assumed
_WALK, _MODE, _HOURS, _LOW, _HIGH, _RUNS = "walk [logit after 1 h]", "bits", "hours to failure", "low", "high", "runs"
_HORIZON = "hours simulated"
HOUR_COLUMNS = (_WALK, _MODE, _HOURS, _LOW, _HIGH, _RUNS, _HORIZON)


def hours_plate(columns: Lists, runs: int, horizon: float) -> Plate:
    """Hours against the walk."""
    return Plate(
        key="hours",
        caption=(
            f"Hours to the first failing frequency test (10⁶ bits, p < {power_of_ten(PROBABILITY)}, one every"
            f" {WINDOW:g} s) against the random walk of the logit of P after an hour: medians of {runs} arrays of"
            f" {LANES} junctions, 95 % by bootstrap. Hollow, with arrows: half of the arrays or more did not fail"
            f" within {horizon:g} h. Dotted: a walk of {V50_WALK:.1%} of V50 for the published curve of another device."
        ),
        alt="Times fall as the walk grows; they are longer behind XOR of three, longest with feedback as well.",
        columns=columns,
    )


def draw_hours(columns: Columns) -> "Figure":
    """Hours to failure against the walk."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.2)
    axis = grid[0, 0]
    horizon = float(columns[_HORIZON][0])
    for number, (mode, colour, marker) in enumerate(zip(MODES, (RED, ORANGE, BLUE, GREEN), "os^D", strict=True)):
        mine = columns[_MODE] == mode
        at = columns[_WALK][mine] * (1 + 0.07 * (number - 1.5))
        value, low, high = columns[_HOURS][mine], columns[_LOW][mine], columns[_HIGH][mine]
        open_end = value >= horizon
        axis.vlines(at, low, high, color=colour, linewidth=1.1)
        axis.plot(at, value, "-", color=colour, linewidth=0.7)
        if (~open_end).any():
            axis.plot(at[~open_end], value[~open_end], marker, markersize=4, color=colour, label=mode)
        label = None if (~open_end).any() else mode
        axis.plot(
            at[open_end], value[open_end], marker, markersize=4, color=colour, markerfacecolor="white", label=label
        )
        for one in at[open_end]:
            axis.annotate(
                "", (one, 1.8 * horizon), (one, 1.1 * horizon), arrowprops={"arrowstyle": "->", "color": colour}
            )
    other_half, other_slope = limits.other_device()
    axis.axvline(V50_WALK * other_half / other_slope, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(xscale="log", yscale="log", xlabel="random walk after an hour [logit of P]", ylabel="hours to failure",
             ylim=(None, 2.5 * horizon))  # fmt: skip
    axis.legend(fontsize=8, loc="lower left")
    return figure
