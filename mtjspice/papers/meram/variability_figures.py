"""Figures of the experiment on cells that differ: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.meram.exact import OFFSETS, RAW, TRIMMED, Estimate
from mtjspice.papers.meram.text import percent
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.meram.spreads import Mismatch, Slope
    from mtjspice.papers.meram.variability_images import Images

ENCODINGS = ("product:8", "tree:8", "tree:8,code=sign")
NAMED = dict(zip(ENCODINGS, ("independent bits", "tree, offset code", "tree, sign and magnitude"), strict=True))
SPREADS = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1)
OFFSET = 0.05  # standard deviations of mean: about where docs of diffusion see images go wrong
ALLOWED = 0.02  # of a probability, for which spreads of devices are solved
_ENCODING, _SPREAD, _WHAT = "encoding", "spread of P", "quantity"
_VALUE, _LOW, _HIGH = "value", "low", "high"
_PARAMETER, _POINT, _LIMIT = "parameter", "P", "spread for 0.02 of P"
_CASE, _CALIBRATED, _RATIO = "noise of", "calibrated", "distance over software noise"
_SINGLE = "standard deviation of a single run"
_WORD, _COLUMN, _P = "word", "column", "P to AP"


def plates(
    devices: int, found: Mapping[str, Sequence[Mapping[str, Estimate]]], images: "Images", slopes: "Sequence[Slope]",
    mismatch: "Mismatch",
) -> tuple[Plate, ...]:  # fmt: skip
    """Laws and images against spread, allowed spreads, and mismatch."""
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
                " probabilities have errors of their own, exact laws; bands: 95 % (bootstrap). Dashed: mean and"
                " deviation calibrated. Left: independent bits lie under the tree in sign and magnitude; dotted: the"
                " criterion."
            ),
            alt=f"All rise with the spread; calibration lowers the total variation by {_lowered(found)} at most.",
            columns=dict(zip((_ENCODING, _SPREAD, _WHAT, _VALUE, _LOW, _HIGH), zip(*rows, strict=True), strict=True)),
        ),
        _images(images),
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
            alt="Points of the columns about the mean of each word, over a grey band about the mean of all.",
            columns=dict(zip((_WORD, _COLUMN, _P), zip(*columns, strict=True), strict=True)),
        ),
    )


def _lowered(found: Mapping[str, Sequence[Mapping[str, Estimate]]]) -> str:
    every = [one for rows in found.values() for one in rows if one[RAW].value]
    return percent(max(1 - one[TRIMMED].value / one[RAW].value for one in every))


def _images(images: "Images") -> Plate:
    size = images.size
    rows = [
        (one.case, "yes" if one.calibrated else "no", one.spread, one.value, one.low, one.high, images.chance.single)
        for one in images.effects
    ]
    names = (_CASE, _CALIBRATED, _SPREAD, _RATIO, _LOW, _HIGH, _SINGLE)
    return Plate(
        key="images",
        caption=(
            f"Frechet distance of images over that with software noise, against the spread of P: left as it is, right"
            f" with mean and deviation of every word calibrated. Geometric means of {size.devices} devices,"
            f" {size.images} images each, {size.trainings} models; bars: 95 % (Student over devices). Grey: one"
            " standard deviation of a single run with software noise. Points of one spread are moved apart."
        ),
        alt="Curves against the spread for words, trees and arrays, as they are and calibrated, about a grey band.",
        columns=dict(zip(names, zip(*rows, strict=True), strict=True)),
    )


def draw_images(columns: Columns) -> "Figure":
    """Distances against spread, as it is and calibrated."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    figure, grid = new_figure(3.3, columns=2)
    names = list(dict.fromkeys(columns[_CASE].tolist()))
    single = float(columns[_SINGLE][0])
    top, bottom = float(np.minimum(columns[_HIGH], 20).max()), float(np.maximum(columns[_LOW], 0.5).min())
    for axis, calibrated in zip(grid[0], ("no", "yes"), strict=True):
        axis.axhspan(1 - single, 1 + single, color="#e2e2e2", zorder=0, linewidth=0)
        axis.axhline(1, color=BLACK, linewidth=0.8)
        for k, (name, colour, marker) in enumerate(
            zip(names, (BLUE, ORANGE, GREEN, RED, PURPLE), "os^Dv", strict=False)
        ):
            which = (columns[_CASE] == name) & (columns[_CALIBRATED] == calibrated)
            value = columns[_RATIO][which]
            errors = [value - columns[_LOW][which], columns[_HIGH][which] - value]
            axis.errorbar(
                columns[_SPREAD][which] + 0.0012 * (k - 2), value, yerr=errors, marker=marker, markersize=4,
                color=colour, linewidth=1, elinewidth=0.7, capsize=2, label=name,
            )  # fmt: skip
        ticks = [one for one in (0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20) if bottom <= one <= top]
        axis.set(xlabel="spread of P", yscale="log", ylim=(0.95 * bottom, 1.05 * top))
        axis.set_yticks(ticks, [f"{one:g}" for one in ticks])
        axis.minorticks_off()
        axis.set_title("as it is" if calibrated == "no" else "calibrated", fontsize=9)
    grid[0, 0].set(ylabel="distance over software noise")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


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
            label = NAMED[name] if style == "-" else None
            axis.plot(x, columns[_VALUE][which], style, marker=".", color=colour, label=label)
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
