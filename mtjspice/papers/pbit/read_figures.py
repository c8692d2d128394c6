"""Figures of the experiment on reading: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

STATES = {"AP, P": (-1, 1), "P, P": (1, 1), "AP, AP": (-1, -1), "P, AP": (1, -1)}
WEIGHTS = {"AP, P": -1, "P, P": 0, "AP, AP": 0, "P, AP": 1}
_STATE, _LEVEL, _DRAW = "pair (data bit, P-bit)", "difference of the bit lines [V]", "draw of the transistors"
_V, _TMR, _CHANCE, _HIGH, _WHICH = "voltage [V]", "TMR", "chance to flip", "upper limit", "direction"


def level_plate(levels: dict[str, Floats], step: float) -> Plate:
    """Levels of the four states over draws of the transistors."""
    names = [name for name, one in levels.items() for _ in one]
    return Plate(
        key="levels",
        caption=(
            "Difference of a column's bit lines for the four states of one pair, over draws of its transistors; dots:"
            " draws, bars: mean and three standard deviations. Dashed: thresholds midway between the mean levels. The"
            " junctions do not vary here."
        ),
        alt=f"Three levels {step * 1e3:.1f} mV apart; the two states of weight 0 coincide.",
        columns={
            _STATE: names,
            _DRAW: [k for one in levels.values() for k in range(len(one))],
            _LEVEL: [float(value) for one in levels.values() for value in one],
        },
    )


def disturb_plate(disturb: list[tuple[str, float, float, float]]) -> Plate:
    """Chances of a flip over the voltage of a read."""
    return Plate(
        key="disturb",
        caption=(
            "Chance that 5 ns of a voltage flip a junction that rests otherwise, without a spread of the drive; the"
            " Fokker-Planck equation. Positive voltages lower the barrier. Bars: estimated error. Values below 1e-13"
            " are left out."
        ),
        alt="The chance rises by many orders of magnitude with the voltage.",
        columns={
            _WHICH: [one[0] for one in disturb], _V: [one[1] for one in disturb], _CHANCE: [one[2] for one in disturb],
            _HIGH: [one[3] for one in disturb],
        },
    )  # fmt: skip


def draw_levels(columns: Columns) -> "Figure":
    """Levels of the four states over draws."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    means = {}
    for k, (name, colour) in enumerate(zip(STATES, (BLUE, GREEN, ORANGE, RED), strict=True)):
        value = columns[_LEVEL][columns[_STATE] == name] * 1e3
        jitter = np.linspace(-0.25, 0.25, len(value))
        axis.plot(value, k + jitter, ".", color=colour, markersize=3)
        means[name] = value.mean()
        axis.errorbar(value.mean(), k, xerr=3 * value.std(ddof=1), fmt="D", color=BLACK, markersize=4, capsize=3)
    zero = (means["P, P"] + means["AP, AP"]) / 2
    for end in ("AP, P", "P, AP"):
        axis.axvline((means[end] + zero) / 2, color=BLACK, linewidth=0.8, linestyle="--")
    axis.set_yticks(
        range(4), [f"{name}\nweight {WEIGHTS[name]:+d}" if WEIGHTS[name] else f"{name}\nweight 0" for name in STATES]
    )
    axis.set(xlabel="difference of the bit lines [mV]", ylim=(-0.5, 3.5))
    axis.grid(visible=False, axis="y")
    return figure


def draw_disturb(columns: Columns) -> "Figure":
    """Chance of a flip against the voltage of a read."""
    from mtjspice.reports.style import BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    for direction, colour, label in (("p-ap", BLUE, "P to AP"), ("ap-p", ORANGE, "AP to P")):
        own = (columns[_WHICH] == direction) & (columns[_CHANCE] > 1e-13)
        chance = columns[_CHANCE][own]
        axis.errorbar(
            columns[_V][own], chance, yerr=np.minimum(columns[_HIGH][own] - chance, 0.9 * chance), fmt="o-",
            color=colour,
            markersize=4, capsize=2, label=label,
        )  # fmt: skip
    axis.set(xlabel="voltage on the junction [V]", ylabel="chance to flip in 5 ns", yscale="log")
    axis.legend(fontsize=8)
    return figure
