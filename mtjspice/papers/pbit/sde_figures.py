"""Figures of the experiment on the SDE: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.pbit import ranges
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.sde.gaussian_case import Covariance
    from mtjspice.generative.sde.gaussian_study import GaussianOutcome

Floats = NDArray[np.float64]

_CASE, _SIZE, _TIME, _ERROR, _LOW, _HIGH = "case", "dimensions", "time t", "relative error", "low", "high"
_STEPS, _DRAW, _DISTANCE = "steps", "draw", "energy distance"
_NULL, _FLOOR = "ex situ, software noise", "the mixture itself"


def covariance_plate(found: Sequence["Covariance"]) -> Plate:
    """What a step adds against g^2 dt, by case and time."""
    return Plate(
        key="covariance",
        caption=(
            "Covariance that one step of 20 adds to a state, against g^2 dt: relative error (Frobenius), mean over 24"
            " states with its 95 % interval, at three times, in one and two dimensions. The exact reverse transition"
            " of 20 steps is not g^2 dt either."
        ),
        alt="; ".join(
            f"{case}: {ranges.shown([one.error for one in found if one.case == case])}"
            for case in dict.fromkeys(one.case for one in found)
        ),
        columns={
            _CASE: [one.case for one in found], _SIZE: [one.dimensions for one in found],
            _TIME: [one.time for one in found], _ERROR: [one.error for one in found], _LOW: [one.low for one in found],
            _HIGH: [one.high for one in found],
        },
    )  # fmt: skip


def distance_plate(outcomes: Mapping[int, "GaussianOutcome"]) -> Plate:
    """Distances of samples in one dimension, by case and steps."""
    rows: list[tuple[str, int, int, float]] = []
    for steps, outcome in outcomes.items():
        rows += [
            (
                _NULL if one.label.startswith("software") else one.label.removesuffix(", fair"),
                steps,
                one.draw,
                one.distances["energy"],
            )
            for one in (*outcome.null[1], *outcome.trials[1])
        ]
        rows.append((_FLOOR, steps, 0, outcome.floor[1]["energy"]))
    return Plate(
        key="distance",
        caption=(
            "Energy distance of samples from the mixture in one dimension; each dot is a draw. The distance of as many"
            " samples of the mixture itself is what counting leaves. Steps are those of the reverse SDE; networks are"
            " trained for each."
        ),
        alt="; ".join(
            f"{steps} steps: {case} {ranges.shown([row[3] for row in rows if row[:2] == (case, steps)])}"
            for steps in outcomes
            for case in dict.fromkeys(row[0] for row in rows)
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_CASE, _STEPS, _DRAW, _DISTANCE))},
    )


def draw_covariance(columns: Columns) -> "Figure":
    """Error of the covariance of a step, by case and time."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(2.9, 1, 2, sharey=True)
    cases = list(dict.fromkeys(columns[_CASE]))
    for axis, size in zip(grid[0], (1, 2), strict=True):
        for k, (case, colour, marker) in enumerate(zip(cases, (BLACK, GREEN, BLUE, ORANGE), "Dos^", strict=False)):
            own = (columns[_CASE] == case) & (columns[_SIZE] == size)
            error = columns[_ERROR][own]
            bars = np.abs(np.stack([error - columns[_LOW][own], columns[_HIGH][own] - error]))
            axis.errorbar(
                columns[_TIME][own] + 0.02 * (k - 1.5), error, yerr=bars, fmt=marker, color=colour, markersize=4,
                capsize=2,
                label=str(case).removesuffix(", fair"),
            )  # fmt: skip
        axis.set(xlabel=_TIME, ylim=(0, 1.15), xlim=(0, 1))
        axis.set_title(f"{size} dimension{'s' if size > 1 else ''}", loc="left", fontsize=9)
    grid[0, 0].set(ylabel="|C - g² dt| / |g² dt|")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return figure


def draw_distance(columns: Columns) -> "Figure":
    """Distances of samples by case and steps."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, SKY, new_figure

    figure, grid = new_figure(2.9)
    axis = grid[0, 0]
    steps = np.unique(columns[_STEPS])
    cases = list(dict.fromkeys(columns[_CASE]))
    for k, (case, colour, marker) in enumerate(zip(cases, (SKY, GREEN, BLUE, ORANGE, BLACK), "vDos_", strict=False)):
        own = columns[_CASE] == case
        place = np.searchsorted(steps, columns[_STEPS][own]) + 0.15 * (k - 2)
        axis.plot(place, columns[_DISTANCE][own], marker, color=colour, markersize=4, label=case)
    axis.set_xticks(range(len(steps)), [str(int(one)) for one in steps])
    axis.set(xlabel="steps of the reverse SDE", ylabel=_DISTANCE, xlim=(-0.6, len(steps) - 0.4))
    axis.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return figure
