"""Figures of what moves a result, and of rare failures."""

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from mtjspice.reports.study_axes import COLOURS, scaled, shared_legend, title_of
from mtjspice.reports.style import BLACK, BLUE, RED, new_figure, styled
from mtjspice.studies.analyses import rare as rare_failures
from mtjspice.studies.analyses import sensitivity as ranking_of
from mtjspice.studies.analyses.base import Table
from mtjspice.studies.rare_study import failure_of
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_SHOWN = 15  # parameters


@styled
def sensitivity(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Bars with bootstrap intervals, the greatest influence on top."""
    found = ranking_of.rankings(data, study)
    first = found[0].ranking
    order = first.by_magnitude()[:_MOST_SHOWN]
    figure, ((axis,),) = new_figure(1.3 + 0.14 * len(order) * (1 + len(found)))
    height = 0.8 / len(found)
    for k, one in enumerate(found):
        ranking = one.ranking
        value, low, high = (
            (ranking.value, ranking.low, ranking.high) if ranking.total is None or ranking.total_low is None
            or ranking.total_high is None else (ranking.total, ranking.total_low, ranking.total_high)
        )  # fmt: skip
        v, a, b = (np.array([numbers[j] for j in order]) for numbers in (value, low, high))
        places = np.arange(len(order)) + height * (k - (len(found) - 1) / 2)
        axis.barh(
            places, v, height, xerr=np.clip([v - a, b - v], 0, None), color=COLOURS[k % len(COLOURS)], ecolor=BLACK,
            error_kw={"elinewidth": 0.9, "capsize": 2}, label=title_of(one.where, study),
        )  # fmt: skip
    axis.set_yticks(range(len(order)), [first.names[j] for j in order])
    axis.invert_yaxis()
    axis.axvline(0, color=BLACK, linewidth=0.8)
    kind = "total Sobol index" if first.total is not None else "standardised regression coefficient"
    axis.set(xlabel=f"{kind} of {ranking_of.result_of(study, data)}", title=study.title)
    if len(found) > 1:
        shared_legend(figure, axis)
    return figure


@styled
def rare(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """The deciding result of all points that the method asked for, with the threshold."""
    failure, found = failure_of(study), rare_failures.estimate_of(data)
    values = np.asarray(data[failure.result].values, float)
    values = values[np.isfinite(values)]
    scale, unit = scaled(values, str(data[failure.result].attrs.get("units", "")))
    figure, ((axis,),) = new_figure(3.0)
    limit = failure.threshold / scale
    low, high = min(values.min() / scale, limit), max(values.max() / scale, limit)
    width = (high - low) / 60 or 1.0
    # the threshold is an edge, so that no bar has points of both kinds
    edges = limit + width * np.arange(np.floor((low - limit) / width), np.ceil((high - limit) / width) + 1)
    fails = values < failure.threshold if failure.fails == "below" else values > failure.threshold
    axis.hist(
        [values[~fails] / scale, values[fails] / scale], edges, stacked=True, color=[BLUE, RED],
        label=[f"right ({np.sum(~fails)} points)", f"failed ({np.sum(fails)} points)"],
    )  # fmt: skip
    axis.axvline(limit, color=BLACK, linewidth=1)
    name = failure.result.replace("_", " ")
    probability = f"{found['probability']:.2g} ({found['low']:.2g} to {found['high']:.2g})"
    axis.set(
        xlabel=f"{name} ({unit})" if unit else name, ylabel="points that were asked for",
        title=f"{study.title}\nprobability of a failure: {probability}",
    )  # fmt: skip
    axis.legend()
    return figure
