"""Figures of the experiment on diffusion: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.meram import claims
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.diffusion_study import Outcome
    from mtjspice.papers.meram.diffusion import Effect

_NOISE, _WHERE, _RATIO, _LOW, _HIGH = "noise", "replaced in", "distance over software noise", "low", "high"
_TRAINING = "training"


def plates(
    effects: "list[Effect]", sampling: "Outcome", trained: "list[Outcome]", images: int, seeds: int
) -> tuple[Plate, ...]:
    """Effects, and the software noise alone."""
    rows = [(one.noise, one.where, one.ratio, one.low, one.high) for one in effects]
    base = float(np.mean([trial.frechet for trial in sampling.null]))
    null = [("one training", trial.frechet / base) for trial in sampling.null]
    base = float(np.mean([trial.frechet for trial in trained[0].null]))
    null += [(f"training {trial.training_seed + 1}", trial.frechet / base) for trial in trained[0].null]
    return (
        Plate(
            key="effects",
            caption=(
                f"Frechet distance with noise words over that with software noise, {images} images a draw; bars: 95 %"
                " intervals (Welch over draws; in training, paired over trainings). Dashed: 13.1 / 12.1, the ratio of"
                " the paper's FIDs."
            ),
            alt="Noise words lie about 1, an offset of 0.02 lies far to the right.",
            columns=dict(zip((_NOISE, _WHERE, _RATIO, _LOW, _HIGH), zip(*rows, strict=True), strict=True)),
        ),
        Plate(
            key="null",
            caption=(
                "Software noise alone: Frechet distance of single draws over their mean, for the shipped model and for"
                f" {seeds} trainings that differ by their seed (over the mean of all). Band: 8 % to either side."
            ),
            alt="Single draws scatter about 1, of one training and of several.",
            columns=dict(zip((_TRAINING, _RATIO), zip(*null, strict=True), strict=True)),
        ),
    )


def draw_effects(columns: Columns) -> "Figure":
    """Ratios with intervals, a row each."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    rows = len(columns[_NOISE])
    figure, grid = new_figure(0.9 + 0.25 * rows)
    axis = grid[0, 0]
    place = np.arange(rows)[::-1]
    colours = {"sampling": BLUE, "training": ORANGE, "both": GREEN}
    for where, colour in colours.items():
        which = columns[_WHERE] == where
        if not which.any():
            continue
        value = columns[_RATIO][which]
        errors = [value - columns[_LOW][which], columns[_HIGH][which] - value]
        axis.errorbar(
            value, place[which], xerr=errors, fmt="o", color=colour, capsize=2, markersize=4, linewidth=1,
            label=f"in {where}",
        )  # fmt: skip
    claimed = claims.FID_RATIO.value
    assert claimed is not None
    axis.axvline(1, color=BLACK, linewidth=0.8)
    axis.axvline(claimed, color=RED, linewidth=1, linestyle="--", label="13.1 / 12.1")
    axis.set_yticks(place, columns[_NOISE])
    axis.set(xlabel="Frechet distance over that of software noise", xscale="log")
    low, high = float(columns[_LOW].clip(0.3).min()), float(columns[_HIGH].max())
    ticks = [one for one in (0.5, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 2, 3, 5, 7, 10, 15, 20) if 0.95 * low <= one <= high]
    axis.set_xlim(0.92 * low, 1.08 * high)
    axis.set_xticks(ticks, [f"{one:g}" for one in ticks])
    axis.minorticks_off()
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure


def draw_null(columns: Columns) -> "Figure":
    """Single draws, by training."""
    from mtjspice.reports.style import BLUE, ORANGE, SKY, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    claimed = claims.FID_RATIO.value
    assert claimed is not None
    axis.axhspan(2 - claimed, claimed, color=SKY, alpha=0.25, linewidth=0)
    names = list(dict.fromkeys(columns[_TRAINING].tolist()))
    for k, name in enumerate(names):
        values = columns[_RATIO][columns[_TRAINING] == name]
        axis.plot(np.full(values.size, k), values, "o", color=ORANGE if k else BLUE, markersize=4, alpha=0.8)
    axis.axhline(1, color="#888888", linewidth=0.8)
    axis.set_xticks(range(len(names)), ["shipped", *(name.replace("training ", "") for name in names[1:])])
    axis.set(xlabel="model, or seed of the training", ylabel="distance over the mean")
    return figure
