"""Figures of the experiment on diffusion: their columns, and how they are drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.meram import claims
from mtjspice.papers.meram.noises import CHAIN, CHECK, COUNT, SUM, UNIFORM, UNRESET
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.meram.diffusion_grid import Effect, Size

NAMED = {
    CHAIN: "toggled chain, reset", UNRESET: "toggled chain, not reset", SUM: "sums of 12 uniform words",
    UNIFORM: "uniform words", COUNT: "counts of 64 bits", CHECK: "fault: trees off by 0.02",
}  # fmt: skip
_NOISE, _WHERE, _RATIO, _LOW, _HIGH = "noise", "replaced in", "distance over software noise", "low", "high"
_TRAINING, _SPREAD = "training", "standard deviation of a single run"
_CLAIMED = f"{claims.FIDS[0]} / {claims.FIDS[1]}"
_REACH = 0.4  # of ratios that are drawn: the fault lies far beyond


def plates(effects: "Sequence[Effect]", null: NDArray[np.float64], spread: float, size: "Size") -> tuple[Plate, ...]:
    """Effects, and the software noise alone; ``null`` has its distances [training, draw]."""
    rows = [(NAMED[one.noise], one.where, one.value, one.low, one.high, spread) for one in effects]
    names = (_NOISE, _WHERE, _RATIO, _LOW, _HIGH, _SPREAD)
    single = [(k + 1, float(value / null.mean())) for k, row in enumerate(null) for value in row]
    return (
        Plate(
            key="effects",
            caption=(
                f"Frechet distance with noise words over that with software noise: {size.trainings} trainings of each"
                f" noise, {size.draws} draw{'' if size.draws == 1 else 's'} of {size.images} images each. Bars: 95 %"
                " intervals (Student) over trainings that are paired by their seeds. Grey: one standard deviation of a"
                f" single run with software noise. Dashed: {_CLAIMED}, the ratio of the paper's FIDs. The"
                " deliberate fault is a number at the right."
            ),
            alt="Three intervals for each kind of words, about a grey band at 1; the fault as a number on the right.",
            columns=dict(zip(names, zip(*rows, strict=True), strict=True)),
        ),
        Plate(
            key="null",
            caption=(
                f"Software noise alone: Frechet distance of single draws of {size.images} images over the mean of all,"
                f" for {size.trainings} trainings that differ by their seed. Band: as much as {_CLAIMED} to either"
                " side."
            ),
            alt="Single draws scatter about 1, of one training and of several.",
            columns=dict(zip((_TRAINING, _RATIO), zip(*single, strict=True), strict=True)),
        ),
    )


def draw_effects(columns: Columns) -> "Figure":
    """Ratios with intervals, a group of rows for each noise."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    names = list(dict.fromkeys(columns[_NOISE].tolist()))
    figure, grid = new_figure(1.1 + 0.5 * len(names))
    axis = grid[0, 0]
    spread = float(columns[_SPREAD][0])
    axis.axvspan(1 - spread, 1 + spread, color="#e2e2e2", zorder=0, linewidth=0)
    base = np.array([len(names) - 1 - names.index(one) for one in columns[_NOISE].tolist()], np.float64)
    looks = {"training": (ORANGE, "s", 0.22), "sampling": (BLUE, "o", 0.0), "both": (GREEN, "^", -0.22)}
    for where, (colour, marker, shift) in looks.items():
        which = columns[_WHERE] == where
        value = columns[_RATIO][which]
        errors = [value - columns[_LOW][which], columns[_HIGH][which] - value]
        axis.errorbar(
            value, base[which] + shift, xerr=errors, fmt=marker, color=colour, capsize=2, markersize=4, linewidth=1,
            label="in both" if where == "both" else f"in {where} only",
        )  # fmt: skip
    claimed = claims.FID_RATIO.value
    assert claimed is not None
    axis.axvline(1, color=BLACK, linewidth=0.8)
    axis.axvline(claimed, color=RED, linewidth=1, linestyle="--", label=_CLAIMED)
    axis.set_yticks(np.arange(len(names))[::-1], names)
    axis.set(xlabel="Frechet distance over that of software noise")
    drawn = columns[_RATIO] < 1 + _REACH
    low = max(1 - _REACH, min(float(columns[_LOW][drawn].min()), 1 - spread) - 0.02)
    high = min(1 + _REACH, float(columns[_HIGH][drawn].max()) + 0.02)
    for k in np.flatnonzero(~drawn):
        text = f"{columns[_RATIO][k]:.1f} ({columns[_LOW][k]:.1f} to {columns[_HIGH][k]:.1f}) →"
        axis.text(high, base[k], text, fontsize=8, ha="right", va="center", color=looks[str(columns[_WHERE][k])][0])
    axis.set_xlim(low, high)
    axis.set_ylim(-0.6, len(names) - 0.4)
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure


def draw_null(columns: Columns) -> "Figure":
    """Single draws, by training."""
    from mtjspice.reports.style import BLUE, SKY, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    claimed = claims.FID_RATIO.value
    assert claimed is not None
    axis.axhspan(2 - claimed, claimed, color=SKY, alpha=0.25, linewidth=0)
    axis.plot(columns[_TRAINING], columns[_RATIO], "o", color=BLUE, markersize=4, alpha=0.8)
    axis.axhline(1, color="#888888", linewidth=0.8)
    axis.set_xticks(np.unique(columns[_TRAINING]))
    axis.set(xlabel="seed of the training", ylabel="distance over the mean")
    return figure
