"""Figures of the experiment on Gaussian noise: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from mtjspice.papers.meram.detection import LEVEL, largest_gap, numbers_needed
from mtjspice.papers.meram.text import percent
from mtjspice.papers.sections import Columns, Plate
from mtjspice.statistics import wilson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.law import Law

PULSES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256)
MADE_FOR = 16  # pulses
RATE = 0.2  # of the asymmetric chain
NAMED = {
    f"toggle:8,pulses={MADE_FOR}": f"toggled chain, {MADE_FOR} pulses", "product:8": "independent bits",
    "tree:8": "binary tree", "inverse-cdf:8": "inverse CDF", "sum:8,words=4": "sum of 4 uniform words",
    "sum:8,words=12": "sum of 12 uniform words", "popcount:64": "count of 64 bits",
}  # fmt: skip
_PULSES, _KIND, _KL = "pulses", "chain", "KL(N, words) [bit]"
_LAW, _LIMIT, _TAIL = "law", "limit [standard deviations]", "P(|x| > limit) over the normal"
_NUMBERS, _REJECTED, _LOW, _HIGH, _NEEDED = "numbers", "rejected", "low", "high", "predicted numbers"
_KINDS = (f"made for {MADE_FOR} pulses", "made for each number of pulses", f"asymmetric, rate {RATE:g}")


def normal_tail(limit: float) -> float:
    """P(|x| > limit) of the normal law."""
    return float(2 * ndtr(-limit))


def decay(curves: list[list[float]]) -> Plate:
    """Divergences against pulses."""
    best = int(np.argmin(curves[0]))
    return Plate(
        key="decay",
        caption=(
            "Divergence of the law of 8-bit words from N(0, 1) against the number of pulses since the reset. Solid: a"
            f" chain whose flip probabilities are made for {MADE_FOR} pulses (dotted line). Dashed: probabilities made"
            f" anew for every number. Dash-dotted: cells that flip with {RATE:g} m up and {RATE:g} (1 - m) down, m"
            " being the marginals of the Gaussian. Exact."
        ),
        alt=f"The chain falls to {min(curves[0]):.3f} bit at {PULSES[best]} pulses and rises to {curves[0][-1]:.2f}"
        " bit; the asymmetric one falls and stays.",
        columns={
            _PULSES: [*PULSES] * 3,
            _KIND: np.repeat(_KINDS, len(PULSES)).tolist(),
            _KL: [value for curve in curves for value in curve],
        },
    )


def tails(laws: "dict[str, Law]") -> Plate:
    """Tails of all laws."""
    limits, chain = np.arange(1.0, 4.51, 0.25), f"toggle:8,pulses={MADE_FOR}"
    rows = [(name, float(z), law.tail(z) / normal_tail(z)) for name, law in laws.items() for z in limits.tolist()]
    return Plate(
        key="tails",
        caption=(
            "Probability to lie beyond a limit over that of the normal law, exact. Words with 2 integer bits end at 4;"
            " what a curve lacks at the right the words never give. The chain and independent bits coincide."
        ),
        alt=f"The chain has {laws[chain].tail(3) / normal_tail(3):.1f} times too much beyond 3, and all words end:"
        " quantiles before 3, trees and chains before 4.",
        columns=dict(zip((_LAW, _LIMIT, _TAIL), zip(*rows, strict=True), strict=True)),
    )


def power(laws: "dict[str, Law]", seen: dict[str, list[tuple[int, int]]], samples: int) -> Plate:
    """How often samples of all laws are rejected."""
    rows = []
    for name, found in seen.items():
        needed = numbers_needed(largest_gap(laws[name]))
        for numbers, rejections in found:
            p = wilson(rejections, samples)
            rows.append((name, numbers, p.value, p.low, p.high, needed))
    return Plate(
        key="power",
        caption=(
            f"How often a Kolmogorov-Smirnov test at {percent(LEVEL)} sees that numbers are not normal, against how"
            " many there"
            f" are; {samples} samples a point, bands: 95 %. Marks: (1.358 / D)² from the exact law, from where on the"
            " mean gap alone exceeds the critical value."
        ),
        alt="Curves rise to 1 with the number of values tested; at the marks nearly every sample is rejected.",
        columns=dict(
            zip((_LAW, _NUMBERS, _REJECTED, _LOW, _HIGH, _NEEDED), zip(*rows, strict=True), strict=True)
        ),
    )  # fmt: skip


def draw_decay(columns: Columns) -> "Figure":
    """Divergence against the number of pulses."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.0)
    axis = grid[0, 0]
    for kind, colour, style in zip(_KINDS, (BLUE, ORANGE, GREEN), ("o-", "--", "-."), strict=True):
        which = columns[_KIND] == kind
        axis.loglog(columns[_PULSES][which], columns[_KL][which], style, markersize=3, color=colour, label=kind)
    axis.axvline(MADE_FOR, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(xlabel="pulses since the reset", ylabel=_KL)
    axis.legend(fontsize=8)
    return figure


_STYLES = ("-", "--", ":", "-.", "-", "--", ":")


def draw_tails(columns: Columns) -> "Figure":
    """Tails over the normal ones."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, new_figure

    figure, grid = new_figure(3.2)
    axis = grid[0, 0]
    colours = (BLUE, SKY, GREEN, RED, PURPLE, ORANGE, BLACK)
    for name, colour, style in zip(dict.fromkeys(columns[_LAW].tolist()), colours, _STYLES, strict=True):
        which = (columns[_LAW] == name) & (columns[_TAIL] > 0)
        axis.plot(
            columns[_LIMIT][which], columns[_TAIL][which], style, marker=".", color=colour, label=NAMED.get(name, name)
        )
    axis.axhline(1, color="#888888", linewidth=0.8)
    axis.set(xlabel="limit z [standard deviations]", ylabel="P(|x| > z) over the normal", yscale="log", ylim=(0.05, 20))
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return figure


def draw_power(columns: Columns) -> "Figure":
    """Power of the test against the sample size."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, new_figure

    figure, grid = new_figure(3.2)
    axis = grid[0, 0]
    colours = (BLUE, SKY, GREEN, RED, PURPLE, ORANGE, BLACK)
    for name, colour, style in zip(dict.fromkeys(columns[_LAW].tolist()), colours, _STYLES, strict=True):
        which = columns[_LAW] == name
        x = columns[_NUMBERS][which]
        axis.fill_between(x, columns[_LOW][which], columns[_HIGH][which], color=colour, alpha=0.2, linewidth=0)
        axis.plot(x, columns[_REJECTED][which], style, color=colour, label=NAMED.get(name, name))
        needed = columns[_NEEDED][which][0]
        axis.plot([needed], [np.interp(needed, x, columns[_REJECTED][which])], "o", color=colour, markersize=5)
    axis.axhline(LEVEL, color="#888888", linewidth=0.8, linestyle=":")
    axis.set(xlabel="numbers tested", ylabel="share of samples rejected", xscale="log", ylim=(-0.02, 1.02))
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return figure
