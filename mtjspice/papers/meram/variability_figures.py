"""Figures of the experiment on cells that differ: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.meram.exact import OFFSETS, RAW, TRIMMED, Estimate
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.meram.spreads import Mismatch, Slope

ENCODINGS = ("product:8", "tree:8", "tree:8,code=sign")
SPREADS = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
OFFSET = 0.05  # standard deviations of mean: about where docs of diffusion see images go wrong
ALLOWED = 0.02  # of a probability, for which spreads of devices are solved
_ENCODING, _SPREAD, _WHAT = "encoding", "spread of P", "quantity"
_VALUE, _LOW, _HIGH = "value", "low", "high"
_PARAMETER, _POINT, _LIMIT = "parameter", "P", "spread for 0.02 of P"
_WORD, _COLUMN, _P = "word", "column", "P to AP"


def plates(
    devices: int, found: dict[str, list[dict[str, Estimate]]], slopes: "list[Slope]", mismatch: "Mismatch"
) -> tuple[Plate, ...]:
    """Laws against spread, allowed spreads, and mismatch."""
    rows = [
        (name, spread, what, one[what].value, one[what].low, one[what].high)
        for name, values in found.items()
        for spread, one in zip(SPREADS, values, strict=True)
        for what in (OFFSETS, RAW, TRIMMED)
    ]
    allowed = [
        (one.name, one.target, one.allowed(ALLOWED), one.value(ALLOWED).limits[0], one.value(ALLOWED).limits[1])
        for one in slopes
    ]
    columns = [
        (word, column, float(mismatch.probabilities[word, column]))
        for word in range(mismatch.words)
        for column in range(mismatch.columns)
    ]
    return (
        Plate(
            key="spread",
            caption=(
                f"Mean of |mean| (left) and median total variation from N(0, 1) (right) of {devices} devices whose"
                " probabilities have"
                " errors of their own, exact laws; bands: 95 % (bootstrap). Dashed: mean and deviation calibrated."
            ),
            alt="All rise with the spread; calibration brings trees down and product words somewhat.",
            columns=dict(zip((_ENCODING, _SPREAD, _WHAT, _VALUE, _LOW, _HIGH), zip(*rows, strict=True), strict=True)),
        ),
        Plate(
            key="allowed",
            caption=(
                "Relative spread of one parameter that alone spreads P by 0.02, where P is set to 0.05, 0.28 and 0.5;"
                f" slopes of {slopes[0].trials} macrospins with common noise, 95 % bars (cut at ten times"
                " where a slope may be zero)."
            ),
            alt="Interfacial anisotropy and magnetization allow least, some hundredths of a per cent; damping most.",
            columns=dict(zip((_PARAMETER, _POINT, _LIMIT, _LOW, _HIGH), zip(*allowed, strict=True), strict=True)),
        ),
        Plate(
            key="mismatch",
            caption=(
                f"Switching probability of each column of {mismatch.words} words whose transistors have mismatch, by"
                f" {mismatch.trials} macrospins with common noise on the simulated pulses; junctions alike. Grey: 0.02"
                " to either side of the mean."
            ),
            alt="Words differ from each other more than columns of a word; most lie within the grey band.",
            columns=dict(zip((_WORD, _COLUMN, _P), zip(*columns, strict=True), strict=True)),
        ),
    )


def draw_spread(columns: Columns) -> "Figure":
    """Offsets and divergences against the spread."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.1, columns=2)
    left, right = grid[0]
    for name, colour in zip(ENCODINGS, (BLUE, ORANGE, GREEN), strict=True):
        for what, axis, style in ((OFFSETS, left, "-"), (RAW, right, "-"), (TRIMMED, right, "--")):
            which = (columns[_ENCODING] == name) & (columns[_WHAT] == what) & (columns[_SPREAD] > 0)
            x = columns[_SPREAD][which]
            axis.fill_between(x, columns[_LOW][which], columns[_HIGH][which], color=colour, alpha=0.2, linewidth=0)
            axis.plot(x, columns[_VALUE][which], style, marker=".", color=colour, label=name if style == "-" else None)
    left.axhline(OFFSET, color=BLACK, linewidth=0.8, linestyle=":")
    left.set(xlabel="spread of P", ylabel="|mean| [standard deviations]", ylim=(0, None), xlim=(0, None))
    right.set(xlabel="spread of P", ylabel="total variation", ylim=(0, None), xlim=(0, None))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


def draw_allowed(columns: Columns) -> "Figure":
    """Allowed spreads, a row for each parameter."""
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, new_figure

    names = list(dict.fromkeys(columns[_PARAMETER].tolist()))
    figure, grid = new_figure(0.9 + 0.27 * len(names))
    axis = grid[0, 0]
    points = np.unique(columns[_POINT])
    for point, colour, marker, shift in zip(points, (GREEN, ORANGE, BLUE), "^so", (-0.2, 0.0, 0.2), strict=True):
        which = columns[_POINT] == point
        place = np.array([len(names) - 1 - names.index(name) for name in columns[_PARAMETER][which]]) + shift
        value = columns[_LIMIT][which]
        errors = np.maximum([value - columns[_LOW][which], columns[_HIGH][which] - value], 0)
        axis.errorbar(
            value * 100, place, xerr=errors * 100, fmt=marker, markersize=4, color=colour, capsize=2, linewidth=1,
            label=f"P = {point:g}",
        )  # fmt: skip
    axis.set_yticks(np.arange(len(names))[::-1], names)
    axis.set(xlabel="spread of the parameter for 0.02 of P [%]", xscale="log")
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return figure


def draw_mismatch(columns: Columns) -> "Figure":
    """Probabilities of columns by word."""
    from mtjspice.reports.style import BLUE, RED, new_figure

    figure, grid = new_figure(2.5)
    axis = grid[0, 0]
    mean = float(columns[_P].mean())
    axis.axhspan(mean - ALLOWED, mean + ALLOWED, color="#e2e2e2", zorder=0, linewidth=0)
    words = np.unique(columns[_WORD])
    axis.plot(columns[_WORD] + 1, columns[_P], ".", color=BLUE, alpha=0.7, label="column")
    means = [columns[_P][columns[_WORD] == word].mean() for word in words]
    axis.plot(words + 1, means, "_", color=RED, markersize=12, markeredgewidth=1.5, label="mean of the word")
    axis.set(xlabel="word, drawn with mismatch", ylabel="probability P to AP")
    axis.set_xticks(words[:: max(1, len(words) // 12)] + 1)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8)
    return figure
