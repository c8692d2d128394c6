"""Figures of the experiment on weights: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import columns as pairs
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

_FLAW, _SIZE, _DRAW, _BITS, _FORM = "flaw", "standard deviation", "array", "bits of the converter", "closed form"
ERRORS = ("error of the mean", "error of the scatter", "energy distance of samples")
SINGLE = ("error of a weight's mean", "error of a weight's variance")
_ROUNDING = "rounding of a sum [weights]"


def errors_plate(ideal: Floats, sizes: Mapping[str, Sequence[float]], flawed: Mapping[str, Floats]) -> Plate:
    """Errors of networks over the size of each flaw."""
    rows: list[tuple[str | float, ...]] = [(pairs.IDEAL, 0.0, k, *map(float, one)) for k, one in enumerate(ideal)]
    rows += [
        (kind, size, k, *map(float, one))
        for kind, found in flawed.items()
        for size, arrays in zip(sizes[kind], found, strict=True)
        for k, one in enumerate(arrays)
    ]
    return Plate(
        key="errors",
        caption=(
            "Root mean square errors of the predicted mean (left) and scatter (middle) of a regression by drop-connect,"
            " and energy distance of samples of a mixture (right), for arrays whose keep probabilities or conductances"
            f" differ by a standard deviation. Lines: mean, bars: range over {len(ideal)} drawn arrays. Grey: range of"
            " ideal pairs."
        ),
        alt=(
            "Errors grow with each spread, for conductances the more the lower the TMR, and leave the band of ideal"
            " pairs."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_FLAW, _SIZE, _DRAW, *ERRORS))},
    )


def weights_plate(singles: Mapping[str, Sequence[tuple[float, float, float]]]) -> Plate:
    """Errors of single weights, drawn and by closed forms."""
    rows = [(kind, *one, *pairs.expected_errors(kind, one[0])) for kind, found in singles.items() for one in found]
    names = (_FLAW, _SIZE, *SINGLE, *(f"{one}, {_FORM}" for one in SINGLE))
    return Plate(
        key="weights",
        caption=(
            "Errors of single weights (root mean square over 4000 drawn pairs, data bit P): of their mean over passes,"
            " in steps of the pair, and of their variance, which is 1/4. Lines: closed forms."
        ),
        alt=(
            "The error of the mean grows in proportion to each spread, most at the lowest TMR; that of the variance"
            " grows with the square of a spread of q."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate(names)},
    )


def converters_plate(bits: Sequence[int], ideal: Floats, converted: Floats, rows: int) -> Plate:
    """Errors of networks over the bits of the converters; 0 bits stands for no converter."""
    lines = [(0, k, *map(float, one), 0.0) for k, one in enumerate(ideal)]
    lines += [
        (count, k, *map(float, one), pairs.ideal_rms(count, rows))
        for count, found in zip(bits, converted, strict=True)
        for k, one in enumerate(found)
    ]
    names = (_BITS, _DRAW, *ERRORS, _ROUNDING)
    return Plate(
        key="converters",
        caption=(
            "The same errors with ideal pairs and one converter a column, over its bits; one range for all columns of a"
            f" layer. Lines: mean, bars: range over {len(ideal)} draws; bands: without converters. Right: rounding of a"
            f" sum of {rows} weights of -1 to 1, root mean square (closed form)."
        ),
        alt="Errors of the regression fall with the bits towards the bands without converters.",
        columns={key: [row[k] for row in lines] for k, key in enumerate(names)},
    )


def draw_errors(columns: Columns) -> "Figure":
    """Errors of networks over the size of each flaw."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(3.1, 1, 3)
    ideal = columns[_FLAW] == pairs.IDEAL
    for axis, what in zip(grid[0], ERRORS, strict=True):
        band = columns[what][ideal]
        axis.axhspan(float(band.min()), float(band.max()), color="#cccccc", linewidth=0)
        for kind, style in _styles().items():
            own = columns[_FLAW] == kind
            _ranges(axis, columns[_SIZE][own] * 100, columns[what][own], label=kind, **style)
        axis.set(xscale="log", yscale="log", xlabel="deviation [%]")
        axis.set_title(what, loc="left", fontsize=8.5)
        plain(axis.yaxis, (1, 2, 5))
        plain(axis.xaxis, (1,))
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
    return figure


def draw_weights(columns: Columns) -> "Figure":
    """Errors of single weights over the size of each flaw."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(3.0, 1, 2)
    for axis, what in zip(grid[0], SINGLE, strict=True):
        for kind, style in _styles().items():
            own = columns[_FLAW] == kind
            size = columns[_SIZE][own] * 100
            axis.plot(size, columns[f"{what}, {_FORM}"][own], color=style["color"], linewidth=1)
            axis.plot(size, columns[what][own], style["fmt"][0], color=style["color"], markersize=4, label=kind)
        axis.set(xscale="log", yscale="log", xlabel="standard deviation [%]", ylabel=what)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return figure


def draw_converters(columns: Columns) -> "Figure":
    """Errors of networks over the bits of the converters."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(2.8, 1, 3)
    without = columns[_BITS] == 0
    bits = columns[_BITS][~without]
    for what, axis, colour, marker in zip(
        ERRORS, (grid[0, 0], grid[0, 0], grid[0, 1]), (BLUE, ORANGE, GREEN), "os^", strict=True
    ):
        band = columns[what][without]
        axis.axhspan(float(band.min()), float(band.max()), color=colour, alpha=0.25, linewidth=0)
        label = what.removeprefix("error of the ")
        _ranges(axis, bits, columns[what][~without], color=colour, fmt=f"{marker}-", label=label)
    distinct, first = np.unique(bits, return_index=True)
    grid[0, 2].plot(distinct, columns[_ROUNDING][~without][first], "o--", color=BLACK, markersize=4)
    titles = ("error of mean, scatter", "energy distance of samples", _ROUNDING)
    for axis, title in zip(grid[0], titles, strict=True):
        axis.set(yscale="log", xlabel=_BITS)
        axis.set_title(title, loc="left", fontsize=8.5)
        axis.set_xticks(distinct)
        plain(axis.yaxis, (1, 2, 5))
    low, high = grid[0, 1].get_ylim()
    grid[0, 1].set_ylim(low / 1.5, high * 1.5)
    grid[0, 0].legend(fontsize=8)
    return figure


def plain(axis: "Axis", digits: tuple[int, ...]) -> None:
    """Ticks of a logarithmic axis at these digits, as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=digits))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _styles() -> dict[str, dict[str, str]]:
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, PURPLE

    colours = zip((pairs.KEEP, *pairs.GAUSS), (BLUE, ORANGE, PURPLE, GREEN), "osD^", strict=True)
    return {kind: {"color": colour, "fmt": f"{marker}-"} for kind, colour, marker in colours}


def _ranges(axis: "Axes", x: Floats, values: Floats, *, color: str, fmt: str, label: str) -> None:
    """Mean and range of the values at each x."""
    at = np.unique(x)
    groups = [values[x == one] for one in at]
    mean = np.array([one.mean() for one in groups])
    low, high = np.array([one.min() for one in groups]), np.array([one.max() for one in groups])
    axis.errorbar(
        at, mean, yerr=[np.abs(mean - low), np.abs(high - mean)], fmt=fmt, color=color, markersize=4, capsize=2,
        label=label,
    )  # fmt: skip
