"""Figures of ratios class by class beside chance, and of how stable the order of sources is."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.image_figures import CLASS_COLUMNS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.stt_trng.class_ratios import Study
    from mtjspice.papers.stt_trng.ranks import Order

RANK_COLUMNS = ("generator", "compared", "threshold of LPIPS", "pairs of good bits", "Kendall's tau", "low", "high")
COMPARED: Mapping[str, str] = {
    "reference": "with the order at one near pair in 10 000",
    "maps": "of the two maps of words to latents",
    "halves": "of two halves of the seeds",
}


def class_plate(study: "Study") -> Plate:
    """Ratios class by class, and the largest by chance, of good bits against good bits and of each source."""
    from mtjspice.papers.stt_trng.class_ratios import GOOD_BITS

    columns = empty(CLASS_COLUMNS)
    chance = study.largest(GOOD_BITS)
    largest = {label: study.largest(label) for label in study.labels}
    for label, found in largest.items():
        for column, name in enumerate(study.names):
            one = study.of_class(label, name)
            pairs = study.counts[study.labels.index(label), :, column].sum()
            add(columns, label, name, one.value, one.low, one.high, pairs, chance.median, chance.high, found.high)
    return Plate(
        key="classes",
        caption=(
            f"Pairs of garments nearer than LPIPS {study.threshold:.3f} (1 % of the pairs of good bits) over those of"
            " good bits, half a pair being added to both; ten marks a source, one for each class;"
            f" {study.effort.seeds} seeds of {study.effort.images // len(study.names)} images a class. Diamonds: the"
            " largest, with 95 % limits of that class alone (Student's t over seeds), red if beyond the grey bar."
            " Hollow: no near pair of the source. Grey bars: the largest of ten by chance, by permutation of the images"
            " of each source with good ones, up to its 95 % quantile; light across: the same for good bits, from the"
            " median."
            " All are compared with the same good bits, so that their errors go together. Dashed: the published largest"
            " of ten. Bars that reach the left edge go on."
        ),
        alt="Largest ratios of ten classes: "
        + "; ".join(f"{label} {one.ratio:.3g} ({one.name})" for label, one in largest.items()) + ".",
        columns=columns,
    )  # fmt: skip


def rank_plate(orders: "Mapping[str, Sequence[Order]]") -> Plate:
    """Agreement of orders against the threshold."""
    columns = empty(RANK_COLUMNS)
    for generator, found in orders.items():
        for key in COMPARED:
            for one in found:
                value = getattr(one, key)
                add(columns, generator, key, one.threshold, one.good, value.tau, value.low, value.high)
    return Plate(
        key="ranks",
        caption=(
            "Kendall's tau between orders of the sources by near pairs, against the threshold of LPIPS: with the order"
            " at the threshold below which one in 10 000 pairs of good bits is (1 there), of the two maps of words to"
            " latents (same seeds), and of two halves of the seeds, which is what chance leaves of one order. 95 % by a"
            " bootstrap over seeds, which scatters more than they do, so that limits tend to lie low; for halves the"
            " middle 95 % of random ones."
        ),
        alt="; ".join(
            f"{name} at {one.threshold:.2g}: reference {one.reference.tau:+.2f}, maps {one.maps.tau:+.2f}, halves"
            f" {one.halves.tau:+.2f}"
            for name, found in orders.items() for one in (found[0], found[-1])
        ) + ".",
        columns=columns,
    )  # fmt: skip


def draw_classes(columns: Columns) -> "Figure":
    """A row a source: ten ratios, the largest with its class, and what chance makes of the largest."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, RED, new_figure

    sources = list(dict.fromkeys(columns["source"].tolist()))
    figure, grid = new_figure(0.9 + 0.22 * len(sources))
    axis = grid[0, 0]
    axis.axvspan(columns["chance median"][0], columns["chance 95 %"][0], color="#f0f0f0", linewidth=0, zorder=0)
    axis.axvline(1, color=BLACK, linewidth=0.8)
    axis.axvline(claims.ONE_CLASS.value or 0.0, color=ORANGE, linewidth=1.1, linestyle="--")
    edge = float(columns["high"].max())
    for place, source in enumerate(sources):
        mine = columns["source"] == source
        ratio, none = columns["ratio"][mine], columns["pairs"][mine] == 0
        own = columns["own chance 95 %"][mine][0]
        axis.plot([1, own], [place, place], color="#c8c8c8", linewidth=5, solid_capstyle="butt", zorder=1)
        best = int(np.argmax(ratio))
        colour = RED if ratio[best] > own else BLUE
        axis.plot(ratio[~none], np.full((~none).sum(), place), "|", markersize=6, color=BLUE)
        axis.plot(ratio[none], np.full(none.sum(), place), "o", markersize=3, color=BLUE, markerfacecolor="white")
        axis.hlines(place, columns["low"][mine][best], columns["high"][mine][best], color=colour, linewidth=1.0)
        axis.plot(ratio[best], place, "D", markersize=4, color=colour)
        axis.annotate(str(columns["class"][mine][best]), (1.01, place), xycoords=("axes fraction", "data"), fontsize=7,
                      va="center")  # fmt: skip
    axis.set(xscale="log", xlim=(0.05, max(30.0, 1.2 * edge)), ylim=(len(sources) - 0.5, -0.5),
             xlabel="near pairs of a class over those of good bits")  # fmt: skip
    axis.set_yticks(range(len(sources)), sources, fontsize=8)
    return figure


def draw_ranks(columns: Columns) -> "Figure":
    """A panel a generator: agreement of orders against the threshold."""
    from mtjspice.reports.style import BLACK, BLUE, RED, new_figure

    generators = list(dict.fromkeys(columns["generator"].tolist()))
    figure, grid = new_figure(3.1, 1, len(generators), sharey=True)
    forms = {"reference": (BLACK, "o", -0.004), "maps": (BLUE, "s", 0.0), "halves": (RED, "^", 0.004)}
    for axis, generator in zip(grid[0], generators, strict=True):
        for key, (colour, marker, shift) in forms.items():
            mine = (columns["generator"] == generator) & (columns["compared"] == key)
            at, tau = columns["threshold of LPIPS"][mine] + shift, columns["Kendall's tau"][mine]
            axis.vlines(at, columns["low"][mine], columns["high"][mine], color=colour, linewidth=0.9)
            axis.plot(at, tau, marker, markersize=4, color=colour, label=COMPARED[key])
        axis.axhline(0, color=BLACK, linewidth=0.7)
        axis.set(xlabel="threshold of LPIPS", title=generator, ylim=(-1.05, 1.05))
    grid[0, 0].set_ylabel("Kendall's tau of two orders")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=1, fontsize=8)
    return figure
