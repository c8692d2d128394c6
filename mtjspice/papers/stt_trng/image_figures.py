"""Figures of near images: ratios to good bits by source, and how they depend on the threshold."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.image_sources import EMULATED, GOOD, PSEUDO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.stt_trng.near_images import Survey
    from mtjspice.papers.stt_trng.seed_ratios import Ratio

RATIO_COLUMNS = ("source", "near", "ratio", "low", "high", "good", "images")
CLASS_COLUMNS = ("source", "class", "ratio", "low", "high", "pairs", "chance median", "chance 95 %", "own chance 95 %")
SWEEP_COLUMNS = ("source", "threshold of LPIPS", "ratio", "low", "high", "pairs of good bits")
REPEATING = "LFSR of 16, 10-bit seed an image"
SWEPT = ("LFSR of 8", REPEATING, "LFSR of 16, 14-bit seed an image", PSEUDO, EMULATED)
_FEWEST = 20  # near pairs of good bits at the lowest threshold that is shown
_POINTS = 24
_FLOOR = 0.05


def ratio_plate(faces: "Survey") -> Plate:
    """Ratios to good bits."""
    columns = empty(RATIO_COLUMNS)
    ratios = {label: faces.to_null(label) for label in faces.draws}
    for label, one in ratios.items():
        draws = faces.draws[label].nearest
        add(columns, label, faces.near(label), one.value, one.low, one.high, label in GOOD, draws.size)
    effort = faces.effort
    return Plate(
        key="ratios",
        caption=(
            f"Images with a near duplicate, over those of good bits (words of Philox): {effort.seeds} seeds a source,"
            f" {effort.more} of {EMULATED} and of {PSEUDO}, {effort.images} faces of 64 x 64 a seed; near: LPIPS below"
            f" {faces.thresholds[0]:.3f}, which {effort.rates[0]:.0%} of good images are. 95 % limits by Student's t"
            ' over seeds; hollow: none was near, half a pair stands in. Dashed: the published "up to", of an unknown'
            f" register. Limits below {_FLOOR:g} are cut off."
        ),
        alt="; ".join(f"{label}: {one.value:.3g}" for label, one in ratios.items()) + ".",
        columns=columns,
    )


def sweep_plate(faces: "Survey", uniform: "Survey") -> Plate:
    """Ratio of near pairs for every threshold."""
    from mtjspice.papers.stt_trng.near_images import GRID

    columns = empty(SWEEP_COLUMNS)
    places = _places(faces)
    shares = faces.null.below.mean(axis=0) / faces.null.below[:, -1].mean()
    lines = [(label, faces, label) for label in SWEPT]
    lines.insert(2, (f"the same, {_UNIFORM}", uniform, REPEATING))
    for name, survey, label in lines:
        for place in places:
            one = pairs_below(survey, label, place)
            add(columns, name, GRID[place], one.value, one.low, one.high, shares[place])
    low, high = float(shares[places[0]]), float(shares[places[-1]])
    return Plate(
        key="sweep",
        caption=(
            "Pairs of faces nearer than a threshold of LPIPS, over those of good bits with the same map of words to"
            f" latents (normal quantiles, or uniform from -1 to 1). Bands: 95 % by Student's t over seeds. From left to"
            f" right {low:.2g} to {high:.2g} of the pairs of good bits are nearer. Dashed: the paper's threshold, on"
            " another network."
        ),
        alt=f"At {claims.NEAR_PAIRS.value:g} "
        + "; ".join(f"{label}: {pairs_below(faces, label, _paper()).value:.3g}" for label in SWEPT) + ".",
        columns=columns,
    )  # fmt: skip


_UNIFORM = "uniform latents"


def pairs_below(survey: "Survey", label: str, place: int) -> "Ratio":
    """Pairs of a source nearer than one number of the grid, over those of good bits."""
    from mtjspice.papers.stt_trng.seed_ratios import seed_ratio

    good = survey.null.below
    return seed_ratio(survey.draws[label].below[:, place], good[:, place], float(good[0, -1]))


def _paper() -> int:
    from mtjspice.papers.stt_trng.ranks import at

    return at(claims.NEAR_PAIRS.value or 0.0)


def _places(faces: "Survey") -> Sequence[int]:
    """On the grid: from some pairs of good bits to LPIPS 0.5."""
    from mtjspice.papers.stt_trng.ranks import SWEEP, at

    first = int(np.argmax(faces.null.below.sum(axis=0) >= _FEWEST))
    return [int(place) for place in np.unique(np.linspace(first, at(SWEEP[-1]), _POINTS).astype(int))]


def draw_ratios(columns: Columns) -> "Figure":
    """Ratios to good bits by source."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, RED, new_figure

    figure, grid = new_figure(3.8)
    axis = grid[0, 0]
    source, near, ratio, low, high, good, _ = (columns[name] for name in RATIO_COLUMNS)
    at = np.arange(len(source))
    axis.axvline(1, color=BLACK, linewidth=0.8)
    axis.axvline(claims.FEWER.value or 0.0, color=ORANGE, linewidth=1.2, linestyle="--")
    axis.text(
        1.1 * (claims.FEWER.value or 0.0), len(at) - 1, f'"up to {claims.FEWER.value:g}"', fontsize=8, color=ORANGE
    )
    for place, one, number, bottom, top, fine in zip(at, near, ratio, low, high, good, strict=True):
        colour, marker = (BLUE, "o") if fine else (RED, "s")
        axis.hlines(place, max(bottom, _FLOOR), max(top, _FLOOR), color=colour, linewidth=1.3)
        axis.plot(
            max(number, _FLOOR), place, marker, markersize=4.5, color=colour, markerfacecolor=colour if one else "white"
        )
    axis.set(
        xscale="log", xlim=(0.8 * _FLOOR, 500), ylim=(len(at) - 0.5, -0.5), xlabel="near images over those of good bits"
    )
    axis.set_yticks(at, source, fontsize=8)
    return figure


def draw_sweep(columns: Columns) -> "Figure":
    """Ratio of near pairs, for every threshold."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, new_figure

    figure, grid = new_figure(3.2)
    axis = grid[0, 0]
    source, threshold, ratio, low, high, _ = (columns[name] for name in SWEEP_COLUMNS)
    forms = zip((BLACK, RED, ORANGE, PURPLE, GREEN, BLUE), ("-", "-", "--", "-.", "-", "--"), strict=True)
    for label, (colour, form) in zip(dict.fromkeys(source.tolist()), forms, strict=True):
        mine = source == label
        axis.fill_between(threshold[mine], low[mine], high[mine], color=colour, alpha=0.15, linewidth=0)
        axis.plot(threshold[mine], ratio[mine], form, color=colour, label=label, linewidth=1.2)
    axis.axhline(1, color=BLACK, linewidth=0.6)
    axis.axvline(claims.NEAR_PAIRS.value or 0.0, color=ORANGE, linewidth=1.0, linestyle="--")
    axis.set(yscale="log", xlabel="threshold of LPIPS", ylabel="near pairs over\nthose of good bits")
    axis.legend(fontsize=8)
    return figure
