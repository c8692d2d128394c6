"""Figures of the experiment on near images."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import claims

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.gan.outcome import Outcome

RATIO_COLUMNS = ("source", "near", "ratio", "low", "high", "good", "images")
CLASS_COLUMNS = ("source", "class", "ratio", "low", "high", "pairs", "chance median", "chance 95 %", "own chance 95 %")
GOOD = ("MT19937", "PCG64", "ChaCha20", "junctions, raw", "junctions, XOR of three", "junctions, Toeplitz")
EMULATED, PSEUDO = "junctions, XOR of three", "PCG64"
SWEEP_COLUMNS = ("source", "threshold of LPIPS", "fraction of images", "low", "high", "threshold used")


def limits_of(share: float, trials: int) -> tuple[float, float]:
    """Wilson's 95 % limits of a fraction of so many trials."""
    from mtjspice.statistics import wilson

    found = wilson(round(share * trials), trials)
    return found.low, found.high


def share_below(outcome: "Outcome", threshold: float) -> float:
    """Fraction of the images of good bits whose nearest neighbour is below a threshold."""
    from mtjspice.generative.gan.outcome import NULL

    values = outcome.nearest[NULL]
    return float(np.searchsorted(values, threshold, side="left") / len(values))


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[float | str]]:
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def ratio_plate(outcome: "Outcome") -> Plate:
    """Ratios to good bits."""
    rows = [
        (one.label, one.near, one.ratio, one.ratio_low, one.ratio_high, float(one.label in GOOD), outcome.effort.images)
        for one in outcome.summaries
    ]
    return Plate(
        key="ratios",
        caption=(
            f"Images with a near duplicate, over those of good bits (NumPy's PCG64), {outcome.effort.draws} x"
            f" {outcome.effort.images} faces of 64 x 64; near: LPIPS below {outcome.threshold:.3f}, calibrated so that"
            f" {outcome.effort.rate:.0%} of good images are. 95 %"
            ' intervals by bootstrap over images; hollow: none was near. Dashed: the published "up to", of an'
            " unknown register."
        ),
        alt="; ".join(f"{one.label}: {one.ratio:.2g}" for one in outcome.summaries) + ".",
        columns=_columns(RATIO_COLUMNS, rows),
    )


def class_plate(outcome: "Outcome", largest: Mapping[str, Any], chance: Any) -> Plate:
    """Ratios class by class, and the largest by ``chance``, of permuted sets of good bits."""
    rows = [
        (label, one.name, one.ratio, one.low, one.high, one.pairs, chance.null_median, chance.null_high,
         found.null_high)
        for label, found in largest.items()
        for one in found.classes
    ]  # fmt: skip
    return Plate(
        key="classes",
        caption=(
            f"Pairs nearer than LPIPS {next(iter(largest.values())).threshold:.3f} (1 % of the pairs of good bits)"
            f" class by class, over those of good bits; {outcome.effort.images // 10} garments a class. 95 % by"
            " bootstrap over images. Hollow: the source has no such pair; half a pair is added to both sides, so that"
            " its ratio, equal for all sources without one, is a floor that the good bits set. Grey: the largest of ten"
            " classes by chance, permuted sets of good bits, median to 95 % quantile. Dashed: the published largest one"
            " of ten."
        ),
        alt="Largest ratios of ten classes: " + "; ".join(f"{k} {one.largest:.1f}" for k, one in largest.items()) + ".",
        columns=_columns(CLASS_COLUMNS, rows),
    )


def sweep_plate(outcome: "Outcome") -> Plate:
    """Fractions for every threshold."""
    from mtjspice.generative.gan.outcome import NULL

    thresholds = outcome.thresholds()
    rows = []
    for label in (NULL, "LFSR of 8", "LFSR of 12", "LFSR of 32", PSEUDO, EMULATED):
        for threshold, fraction in zip(thresholds, outcome.sweep(label), strict=True):
            trials = len(outcome.nearest[label])
            low, high = limits_of(float(fraction), trials)
            rows.append(("good bits" if label == NULL else label, float(threshold), float(fraction), low, high,
                         outcome.threshold))  # fmt: skip
    return Plate(
        key="sweep",
        caption=(
            "Fraction of the faces whose nearest neighbour is below a threshold of LPIPS, 95 % bands that take images"
            " as independent. Dotted: the threshold used above. Dashed: the paper's, on another network."
        ),
        alt=(
            f"At {claims.NEAR_PAIRS.value:g} {share_below(outcome, claims.NEAR_PAIRS.value or 0.0):.0%} of the images"
            " of good bits have such a neighbour."
        ),
        columns=_columns(SWEEP_COLUMNS, rows),
    )


def draw_ratios(columns: Columns) -> "Figure":
    """Ratios to good bits by source."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, RED, new_figure

    figure, grid = new_figure(3.8)
    axis = grid[0, 0]
    source, near, ratio, low, high, good, _ = (columns[name] for name in RATIO_COLUMNS)
    floor = 0.05
    at = np.arange(len(source))
    axis.axvline(1, color=BLACK, linewidth=0.8)
    axis.axvline(claims.FEWER.value or 0.0, color=ORANGE, linewidth=1.2, linestyle="--")
    axis.text(
        1.1 * (claims.FEWER.value or 0.0), len(at) - 1, f'"up to {claims.FEWER.value:g}"', fontsize=8, color=ORANGE
    )
    for place, one, number, bottom, top, fine in zip(at, near, ratio, low, high, good, strict=True):
        colour, marker = (BLUE, "o") if fine else (RED, "s")
        axis.hlines(place, max(bottom, floor), max(top, floor), color=colour, linewidth=1.3)
        axis.plot(
            max(number, floor), place, marker, markersize=4.5, color=colour, markerfacecolor=colour if one else "white"
        )
    axis.set(
        xscale="log", xlim=(0.8 * floor, 500), ylim=(len(at) - 0.5, -0.5), xlabel="near images over those of good bits"
    )
    axis.set_yticks(at, source, fontsize=8)
    return figure


def draw_classes(columns: Columns) -> "Figure":
    """Ratios by class beside the largest one by chance."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.3)
    axis = grid[0, 0]
    sources = list(dict.fromkeys(columns["source"].tolist()))
    names = list(dict.fromkeys(columns["class"].tolist()))
    good = columns["source"] == sources[-1]
    axis.axhspan(
        columns["chance median"][good][0], columns["chance 95 %"][good][0], color="#dddddd", linewidth=0, zorder=0
    )
    axis.axhline(1, color=BLACK, linewidth=0.8)
    axis.axhline(claims.ONE_CLASS.value or 0.0, color=ORANGE, linewidth=1.1, linestyle="--")
    for number, (source, colour, marker) in enumerate(zip(sources, (RED, GREEN, BLACK, BLUE), "s^Do", strict=True)):
        mine = columns["source"] == source
        at = np.array([names.index(one) for one in columns["class"][mine]]) + 0.18 * (number - (len(sources) - 1) / 2)
        value = columns["ratio"][mine]
        axis.vlines(at, np.minimum(columns["low"][mine], value), np.maximum(columns["high"][mine], value), color=colour,
                    linewidth=1.0)  # fmt: skip
        none = columns["pairs"][mine] == 0
        axis.plot(at[~none], value[~none], marker, markersize=3.5, color=colour, label=source)
        axis.plot(at[none], value[none], marker, markersize=3.5, color=colour, markerfacecolor="white")
    axis.set(yscale="log", ylabel="near pairs over those of good bits")
    axis.set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=8)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


def draw_sweep(columns: Columns) -> "Figure":
    """Fraction of images with a near one, for every threshold."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    figure, grid = new_figure(2.9)
    axis = grid[0, 0]
    source, threshold, fraction, low, high, used = (columns[name] for name in SWEEP_COLUMNS)
    colours = (BLACK, RED, ORANGE, PURPLE, GREEN, BLUE)
    forms = ("-", "--", "-.", ":", "--", "-.")
    for label, colour, form in zip(dict.fromkeys(source.tolist()), colours, forms, strict=True):
        mine = (source == label) & (fraction > 0)
        axis.fill_between(threshold[mine], low[mine], high[mine], color=colour, alpha=0.15, linewidth=0)
        axis.plot(threshold[mine], fraction[mine], form, color=colour, label=label, linewidth=1.2)
    first = float(threshold[(source == source[0]) & (fraction > 0)].min())
    axis.axvline(float(used[0]), color=BLACK, linewidth=0.8, linestyle=":")
    axis.axvline(claims.NEAR_PAIRS.value or 0.0, color=ORANGE, linewidth=1.0, linestyle="--")
    axis.set(
        xscale="log",
        yscale="log",
        xlim=(0.5 * first, None),
        xlabel="threshold of LPIPS",
        ylabel="images with a nearer one",
    )
    axis.legend(fontsize=8)
    return figure
