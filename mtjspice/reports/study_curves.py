"""Figures of studies that follow a result along a sweep: switching, drift, supply, read disturb, self-heating."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from mtjspice.reports.study_axes import axis_values, draw_curve, scaled, shared_legend, styles
from mtjspice.reports.style import BLACK, new_figure, styled
from mtjspice.studies.analyses import drift as drifting
from mtjspice.studies.analyses import read_disturb as disturbing
from mtjspice.studies.analyses import self_heating as heating
from mtjspice.studies.analyses import supply as supplying
from mtjspice.studies.analyses import switching as switched
from mtjspice.studies.analyses.base import Table
from mtjspice.studies.analyses.estimates import Curve, result_names
from mtjspice.studies.analyses.options import along, number
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GREY = "#d9d9d9"
_BAND = "#ececec"


@styled
def switching(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """P along the chosen sweep with intervals; the window around 1/2 is grey."""
    sweep = along(study, switched.NAME)
    figure, ((axis,),) = new_figure(3.9)
    _half(axis, number(study, "tolerance", 0.05))
    label = _draw(axis, switched.probability_curves(data, study), study, sweep.name, sweep.unit)
    axis.set(xlabel=label, ylabel="switching probability", ylim=(-0.02, 1.02), title=study.title)
    shared_legend(figure, axis)
    return figure


@styled
def drift(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """P against temperature with intervals, and the temperature of the trim."""
    figure, ((axis,),) = new_figure(3.6)
    axis.axhline(0.5, color=_GREY, linewidth=1)
    label = _draw(axis, drifting.drift_curves(data, study), study, drifting.TEMPERATURE, "K")
    axis.axvline(drifting.reference(study) - 273.15, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(xlabel=label, ylabel="switching probability", ylim=(-0.02, 1.02), title=study.title)
    shared_legend(figure, axis)
    return figure


@styled
def supply(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """The result against the supply with intervals; the range around the nominal supply is grey."""
    found = supplying.supply_curves(data, study)
    name = supplying.result_of(study, result_names(data))
    figure, ((axis,),) = new_figure(3.6)
    scale, unit = scaled(np.concatenate([curve.y.value for curve in found]), study.subject.units.get(name, ""))
    swing = number(study, "swing", 0.1)
    for nominal in {supplying.nominal_supply(study, curve.where) for curve in found}:
        axis.axvspan(nominal * (1 - swing), nominal * (1 + swing), color=_BAND, zorder=0)
        axis.axvline(nominal, color=BLACK, linewidth=0.8, linestyle=":")
    _draw(axis, found, study, supplying.SUPPLY, "V", scale)
    shown = "switching probability" if name.startswith("probability") else name.replace("_", " ")
    axis.set(xlabel="supply (V)", ylabel=f"{shown} ({unit})" if unit else shown, title=study.title)
    shared_legend(figure, axis)
    return figure


@styled
def read_disturb(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Chance of a flip on a logarithmic axis; a triangle is the upper limit of what is not told from zero."""
    sweep = along(study, disturbing.NAME, least=2)
    figure, ((axis,),) = new_figure(3.7)
    looks = styles(study, (sweep.name,))
    for curve in disturbing.disturb_curves(data, study):
        x, label = axis_values(curve.x, sweep.name, sweep.unit)
        style = looks[tuple(curve.where.values())]
        known = curve.found & (curve.y.low > 0)
        limit = curve.found & ~known & (curve.y.high > 0)
        y, low, high = (one[known] for one in (curve.y.value, curve.y.low, curve.y.high))
        axis.errorbar(x[known], y, yerr=np.clip([y - low, high - y], 0, None), markersize=3.5, capsize=2, **style)
        axis.plot(x[limit], curve.y.high[limit], linestyle="none", marker="v", markersize=5, fillstyle="none",
                  color=style["color"])  # fmt: skip
        axis.set_xlabel(label)
    axis.plot([], [], linestyle="none", marker="v", fillstyle="none", color=BLACK, label="upper limit")
    axis.set(yscale="log", ylabel="chance that a read flips the cell", title=study.title)
    shared_legend(figure, axis, 4)
    return figure


@styled
def self_heating(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Toggling and temperature rise against the repetition rate, with the closed form of a thermal RC."""
    figure, ((left, right),) = new_figure(3.3, 1, 2)
    looks = styles(study, (heating.PERIOD,))
    found = heating.heated(data, study)
    rates, label = axis_values(1 / found[0].rise.x, "repetition rate", "Hz")
    for one in found:
        style = looks[tuple(one.rise.where.values())]
        draw_curve(left, one.probability, rates, style)
        draw_curve(right, one.peak, rates, {**style, "linestyle": "--", "label": "peak"})
        draw_curve(right, one.rise, rates, {**style, "linestyle": "none", "label": "before a pulse"})
        periods = np.geomspace(one.rise.x[0], one.rise.x[-1], 100)
        exact = [heating.closed_form(study, one.rise.where, float(period)) for period in periods]
        right.plot(1 / periods / (1 / found[0].rise.x[0] / rates[0]), exact, color=BLACK, linewidth=0.9,
                   label="closed form")  # fmt: skip
    left.set(xlabel=label, ylabel="toggling probability")
    right.set(xlabel=label, ylabel="temperature rise (K)")
    handles, labels = right.get_legend_handles_labels()
    right.set_ylim(top=1.4 * right.get_ylim()[1])  # room for the legend
    right.legend(handles[:3], labels[:3], loc="upper left")
    if len(found) > 1:
        shared_legend(figure, left)
    figure.suptitle(study.title)
    return figure


def _half(axis: Any, tolerance: float) -> None:
    axis.axhspan(0.5 - tolerance, 0.5 + tolerance, color=_BAND, zorder=0)
    axis.axhline(0.5, color=_GREY, linewidth=0.8)


def _draw(axis: Any, found: list[Curve], study: Study, name: str, unit: str, scale: float = 1.0) -> str:
    """Draw all curves along a sweep; return the label of the axis."""
    looks, label = styles(study, (name,)), ""
    for curve in found:
        x, label = axis_values(curve.x, name, unit)
        draw_curve(axis, curve, x, looks[tuple(curve.where.values())], scale)
    return label
