"""Figures of a study of a GAN's images: near duplicates, thresholds, classes, registers; and the images themselves."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtjspice.generative.gan.outcome import NULL, Outcome
from mtjspice.generative.gan.register_sweep import Point
from mtjspice.reports import style
from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY

_COLOURS = (RED, GREEN, ORANGE, PURPLE, SKY, BLACK, "#808080")
_DASHES, _MARKERS = ("-", "--", "-.", ":"), "osD^"
_FIRST, _PAIRS = 8, 3  # images and pairs in a row of the samples
_MOST = 8  # sources beside one another in a class; the others are in result.json


@style.styled
def figure(outcome: Outcome | None, points: Sequence[Point] = ()) -> Figure:
    """Panels that there are: sources and thresholds, classes, registers."""
    sources = 0 if outcome is None else len(outcome.summaries)
    heights = [0.9 + 0.24 * (sources + 1) + 0.6] if outcome else []
    heights += [2.7] if outcome and outcome.classes else []
    heights += [2.7] if points else []
    drawing = Figure(figsize=(style.WIDTH, max(2.6, sum(heights))), layout="constrained")
    grid = drawing.add_gridspec(len(heights), 2, height_ratios=heights)
    row = 0
    if outcome is not None:
        _near(drawing.add_subplot(grid[row, 0]), outcome)
        _thresholds(drawing.add_subplot(grid[row, 1]), outcome)
        row += 1
        if outcome.classes:
            _classes(drawing.add_subplot(grid[row, :]), outcome)
            row += 1
    if points:
        free = [point for point in points if point.pattern == "free"]
        reseeded = [point for point in points if point.pattern != "free"]
        first = drawing.add_subplot(grid[row, 0])
        _registers(first, free, [point.length for point in free], "stages of the LFSR (running freely)")
        second = drawing.add_subplot(grid[row, 1], sharey=first)
        stages = reseeded[0].length if reseeded else 0
        bits = [int(point.pattern.partition(":")[2]) for point in reseeded]
        _registers(second, reseeded, bits, f"bits of the seed (LFSR of {stages} stages)")
        second.set_ylabel("")
        first.legend(fontsize=8)
    return drawing


def _line(number: int) -> tuple[str, str]:
    """Colour and dashes of a source; the same in all panels."""
    return _COLOURS[number % len(_COLOURS)], _DASHES[number // len(_COLOURS) % len(_DASHES)]


def _near(axis: Axes, outcome: Outcome) -> None:
    """Fraction of images with a near duplicate, with its interval, beside the null's draws; hollow where none has."""
    images = outcome.effort.images
    names = ["software noise", *(one.label for one in outcome.summaries)]
    axis.axvline(sum(trial.near for trial in outcome.null) / (images * len(outcome.null)), color=BLUE, lw=1)
    for trial in outcome.null:
        axis.plot([max(trial.near, 0.5) / images], [0], "o", ms=4, color=BLUE, mfc=BLUE if trial.near else "white")
    for number, one in enumerate(outcome.summaries):
        colour, dash = _line(number)
        low, value = max(one.near_low, 0.2 / images), max(one.near, 0.5 / images)
        axis.plot([low, max(one.near_high, low)], [number + 1] * 2, dash, color=colour, lw=1.3)
        marker = _MARKERS[_DASHES.index(dash)]
        axis.plot([value], [number + 1], marker, ms=4, color=colour, mfc=colour if one.near else "white")
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xscale("log")
    axis.set_xlim(0.2 / images, 1.3)
    axis.set_xlabel("fraction of images, 95 %")
    axis.set_title(f"nearest LPIPS < {outcome.threshold:.3f} (N = {images})", loc="left", fontsize=9)


def _thresholds(axis: Axes, outcome: Outcome) -> None:
    """The same fraction for every threshold, in the same colours."""
    thresholds = outcome.thresholds()
    axis.plot(thresholds, _drawn(outcome.sweep(NULL)), color=BLUE, lw=2.6)
    for number, one in enumerate(outcome.summaries):
        colour, dash = _line(number)
        axis.plot(thresholds, _drawn(outcome.sweep(one.label)), dash, color=colour, lw=1.2)
    axis.axvline(outcome.threshold, color=BLACK, ls=":", lw=1)
    axis.set(xscale="log", yscale="log", xlabel="threshold of LPIPS")
    axis.set_title("for other thresholds", loc="left", fontsize=9)


def _drawn(fractions: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(fractions > 0, fractions, np.nan)


def _classes(axis: Axes, outcome: Outcome) -> None:
    """Ratios class by class at the middle threshold, and the largest one by chance."""
    middle = len(next(iter(outcome.classes.values()))) // 2
    labels = [NULL, *(one.label for one in outcome.summaries)][: _MOST + 1]
    names = [ratio.name for ratio in outcome.classes[NULL][middle].classes]
    width = 0.8 / len(labels)
    for number, label in enumerate(labels):
        found = outcome.classes[label][middle].classes
        at = np.arange(len(found)) + (number - (len(labels) - 1) / 2) * width
        value = np.array([ratio.ratio for ratio in found])
        low, high = np.array([ratio.low for ratio in found]), np.array([ratio.high for ratio in found])
        colour = BLUE if label == NULL else _line(number - 1)[0]
        axis.vlines(at, np.minimum(low, value), np.maximum(high, value), color=colour, lw=0.9)
        name = "software noise, 1st draw" if label == NULL else label
        axis.plot(at, value, "o", ms=3, color=colour, label=name)
    chance = outcome.classes[labels[-1]][middle]
    axis.axhspan(chance.null_median, chance.null_high, color="#dddddd", lw=0, zorder=0)
    axis.axhline(1, color=BLACK, lw=0.8)
    axis.set_yscale("log")
    axis.set_xticks(range(len(names)), names, rotation=25, ha="right")
    axis.set_ylabel("ratio of pairs to the null")
    axis.set_title(
        f"LPIPS < {chance.threshold:.3f}; 95 %; grey: largest of {len(names)} classes by chance, median to 95 %",
        loc="left", fontsize=9,
    )  # fmt: skip
    axis.legend(fontsize=6.5, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.32))


def _registers(axis: Axes, points: Sequence[Point], at: Sequence[int], label: str) -> None:
    """Ratio of near duplicates to the null, with the fraction of repeated latents."""
    ratio = np.array([point.ratio for point in points])
    low, high = np.array([point.ratio_low for point in points]), np.array([point.ratio_high for point in points])
    floor = 0.05
    axis.vlines(at, np.maximum(low, floor), np.maximum(high, floor), color=RED, lw=1.2)
    axis.plot(at, np.maximum(ratio, floor), "o", ms=4, color=RED, label="ratio, 95 %")
    axis.axhline(1, color=BLUE, lw=1, label="null")
    axis.set_yscale("log")
    axis.set_ylim(floor, None)
    axis.set_xticks(at)
    axis.tick_params(axis="x", labelsize=8)
    axis.set_xlabel(label)
    axis.set_ylabel("near duplicates, ratio to the null")


@style.styled
def samples(outcome: Outcome) -> Figure:
    """A row a source: its first images, then its nearest pairs with their distances."""
    labels = list(outcome.examples)
    columns = _FIRST + 2 * _PAIRS
    drawing = Figure(figsize=(style.WIDTH, 0.35 + 0.62 * len(labels)), layout="constrained")
    grid = drawing.add_gridspec(len(labels), 2, width_ratios=(_FIRST, columns - _FIRST), wspace=0.02)
    for row, label in enumerate(labels):
        shown = outcome.examples[label]
        left, right = drawing.add_subplot(grid[row, 0]), drawing.add_subplot(grid[row, 1])
        _sheet(left, shown.first[:_FIRST])
        _sheet(right, shown.pairs[: 2 * _PAIRS])
        left.set_title("software noise" if label == NULL else label, loc="left", fontsize=7, pad=2)
        values = "     ".join(f"{value:.3f}" for value in shown.distances[:_PAIRS])
        right.set_title(f"nearest pairs, LPIPS {values}", loc="left", fontsize=7, pad=2)
    return drawing


def _sheet(axis: Axes, images: NDArray[np.uint8]) -> None:
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=255)
    line = np.concatenate(list(framed), axis=1)
    axis.imshow(np.repeat(line, 3, axis=2) if line.shape[2] == 1 else line)
    axis.set_axis_off()
