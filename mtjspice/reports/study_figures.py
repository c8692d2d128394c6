"""Figures of studies: one for each analysis."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from mtjspice.reports import study_bars, study_curves, study_rankings
from mtjspice.reports.study_axes import axis_values, draw_curve, scaled, shared_legend, styles
from mtjspice.reports.style import BLUE, new_figure, styled
from mtjspice.studies.analyses.base import Table
from mtjspice.studies.analyses.estimates import curves, result_names
from mtjspice.studies.analyses.options import numeric_sweeps
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[xr.Dataset, Study, tuple[Table, ...]], "Figure"]
MOST_PANELS = 6


def draw(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Return the figure of a study's analysis."""
    return FIGURES.get(study.analysis, summary)(data, study, tables)


@styled
def summary(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """The first results that vary, along the longest sweep with intervals; histograms where nothing is swept."""
    found = result_names(data)
    # limits and counts of a probability are part of it
    plain = [name for name in found if not name.startswith(("low", "high", "trials", "write_error_rate"))]
    names = [name for name in plain if _varies(data[name].values)][:MOST_PANELS] or plain[:1]
    rows = max(1, -(-len(names) // 2))
    figure, axes = new_figure(2.1 * rows + 0.7, rows, max(1, min(2, len(names))))
    for axis, name in zip(axes.ravel(), names, strict=False):
        _panel(axis, data, study, name)
    for axis in axes.ravel()[len(names) :]:
        axis.set_visible(False)
    shared_legend(figure, axes.ravel()[0])
    figure.suptitle(study.title)
    return figure


def _varies(values: "np.typing.NDArray[Any]") -> bool:
    finite = np.asarray(values, float)[np.isfinite(values)]
    return finite.size > 1 and float(np.ptp(finite)) > 0


def _panel(axis: Any, data: xr.Dataset, study: Study, name: str) -> None:
    values = np.asarray(data[name].values, float)
    scale, unit = scaled(values, str(data[name].attrs.get("units", "")))
    shown = name.replace("_", " ")
    label = f"{shown} ({unit})" if unit else shown
    numeric = numeric_sweeps(study)
    if not numeric:
        axis.hist(values[np.isfinite(values)] / scale, bins="auto", color=BLUE)
        axis.set(xlabel=label, ylabel="points")
        return
    along = max(numeric, key=lambda sweep: len(sweep.values))
    looks = styles(study, (along.name,))
    for curve in curves(data, study, name, along.name):
        x, axis_label = axis_values(curve.x, along.name, along.unit)
        draw_curve(axis, curve, x, looks[tuple(curve.where.values())], scale)
        axis.set_xlabel(axis_label)
    axis.set_ylabel(label)


FIGURES: Mapping[str, Draw] = MappingProxyType(
    {
        "summary": summary, "switching": study_curves.switching, "energy": study_bars.energy,
        "write-errors": study_bars.write_errors, "read-yield": study_bars.read_yield,
        "read-disturb": study_curves.read_disturb, "array-map": study_bars.array_map, "drift": study_curves.drift,
        "self-heating": study_curves.self_heating, "supply": study_curves.supply,
        "sensitivity": study_rankings.sensitivity, "rare": study_rankings.rare,
    }
)  # fmt: skip
