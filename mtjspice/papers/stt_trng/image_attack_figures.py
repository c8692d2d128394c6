"""Figures of attacks on published images: what is predicted beside what might have told so."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import model_attack, near_images
from mtjspice.papers.stt_trng.attack_queries import draw_rows
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.model_attack import Attacked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.stt_trng.seed_ratios import Ratio

ROWS = (
    "source", "next bits predicted", "low", "high", "commoner bit", "near images over good bits", "near low",
    "near high", "min-entropy [bit/bit]", "broken",
)  # fmt: skip
QUERIES = ("source", "images seen", "runs broken", "low", "high", "runs")


def all_of(one: Attacked) -> str:
    """Successes by number of images, as text."""
    return ", ".join(
        f"{trial.broken.count} of {trial.broken.trials} runs of {trial.seen}" for trial in one.trials
    )  # fmt: skip


def source_plate(attacked: Sequence[Attacked], near: "Mapping[str, Ratio]", effort: near_images.Effort) -> Plate:
    """Bits predicted, near images and min-entropy."""
    columns = empty(ROWS)
    for one in attacked:
        ratio = near[one.source]
        add(columns, one.source, one.right.value, one.right.low, one.right.high, one.common, ratio.value, ratio.low,
            ratio.high, one.entropy, one.broken)  # fmt: skip
    return Plate(
        key="sources",
        caption=(
            "Left: bits of the next image predicted from the most images seen (of sources that are reseeded half of an"
            " image's bits from the other half), 95 % intervals; black: always the commoner bit. Middle: near images"
            f" of {effort.seeds} x {effort.images} faces over those of good bits, 95 % by Student's t over seeds."
            f" Right: min-entropy by SP 800-90B of {model_attack.ENTROPY_BITS:,} bits. Red: broken."
        ),
        alt="; ".join(
            f"{one.source}: {one.right.value:.2f} predicted, near images {near[one.source].value:.2g}, min-entropy"
            f" {one.entropy:.2f}"
            for one in attacked
        ) + ".",
        columns=columns,
    )  # fmt: skip


def success_plate(attacked: Sequence[Attacked]) -> Plate:
    """Runs broken against their images."""
    columns = empty(QUERIES)
    for one in attacked:
        for trial in one.trials:
            rate = trial.broken
            add(columns, one.source, trial.seen, rate.value, rate.low, rate.high, rate.trials)
    return Plate(
        key="success",
        caption=(
            "Fraction of disjoint runs of published images from which all bits of the next one (of sources that are"
            " reseeded: of the image itself) are found, against the images of a run; a row reaches from none (below)"
            " to all (above, filled), 95 % intervals of few runs. By chance none is. Blue: none was."
        ),
        alt="; ".join(f"{one.source}: {all_of(one)}" for one in attacked) + ".",
        columns=columns,
    )


def draw_sources(columns: Columns) -> "Figure":
    """Three panels with a row a source."""
    from mtjspice.reports.style import BLACK, BLUE, RED, new_figure

    source = columns["source"]
    figure, grid = new_figure(0.8 + 0.2 * len(source), 1, 3, sharey=True)
    left, middle, right = grid[0]
    at = np.arange(len(source))
    for broken, colour, marker in ((1.0, RED, "s"), (0.0, BLUE, "o")):
        mine = columns["broken"] == broken
        place = at[mine]
        left.hlines(place, columns["low"][mine], columns["high"][mine], color=colour, linewidth=1.2)
        left.plot(columns["next bits predicted"][mine], place, marker, markersize=4, color=colour)
        left.vlines(columns["commoner bit"][mine], place - 0.4, place + 0.4, color=BLACK, linewidth=0.9)
        middle.hlines(place, columns["near low"][mine], columns["near high"][mine], color=colour, linewidth=1.2)
        middle.plot(columns["near images over good bits"][mine], place, marker, markersize=4, color=colour)
        right.plot(columns["min-entropy [bit/bit]"][mine], place, marker, markersize=4, color=colour)
    middle.axvline(1, color=BLACK, linewidth=0.7)
    left.set(xlabel="next bits\npredicted", xlim=(0.4, 1.03), ylim=(len(source) - 0.5, -0.5))
    middle.set(xscale="log", xlabel="near images over\nthose of good bits", xlim=(0.02, 1000))
    right.set(xlabel="min-entropy\n[bit/bit]", xlim=(-0.05, 1.05))
    left.set_yticks(at, source, fontsize=8)
    return figure


def draw_success(columns: Columns) -> "Figure":
    """A row a source."""
    return draw_rows(columns, "images seen", "runs broken", "published images seen")
