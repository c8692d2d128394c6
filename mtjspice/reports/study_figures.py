"""Figures of studies: one for each analysis."""

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, new_figure, styled
from mtjspice.studies.analyses.base import Table
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[xr.Dataset, Study, tuple[Table, ...]], "Figure"]
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)
MOST_PANELS = 6


def draw(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Return the figure of a study's analysis."""
    return FIGURES.get(study.analysis, summary)(data, study, tables)


@styled
def summary(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Every result against the longest sweep, mean with its standard error; a histogram where nothing is swept."""
    names = [str(name) for name in data.data_vars if name not in ("status", "seed")]
    names = [name for name in names if np.nanstd(np.asarray(data[name].values, float)) > 0][:MOST_PANELS] or names[:1]
    figure, axes = new_figure(1.9 * -(-len(names) // 2) + 0.4, -(-len(names) // 2), min(2, len(names)))
    for axis, name in zip(axes.ravel(), names, strict=False):
        _panel(axis, data, study, name)
    for axis in axes.ravel()[len(names) :]:
        axis.set_visible(False)
    if len(axes.ravel()[0].get_lines()) > 1:
        figure.legend(*axes.ravel()[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.suptitle(study.title)
    return figure


def _panel(axis: Any, data: xr.Dataset, study: Study, name: str) -> None:
    values = data[name]
    scale, unit = scaled(values.values, str(values.attrs.get("units", "")))
    label = f"{name} ({unit})" if unit else name
    inner = [dimension for dimension in ("sample", "trial") if dimension in values.dims]
    numeric = [sweep for sweep in study.space.sweeps if not isinstance(sweep.values[0], str)]
    if not numeric:
        found = values.values[np.isfinite(values.values)] / scale
        axis.hist(found, bins="auto", color=BLUE)
        axis.set(xlabel=label, ylabel="points")
        return
    along = max(numeric, key=lambda sweep: len(sweep.values))
    others = [sweep for sweep in study.space.sweeps if sweep is not along]
    step, step_unit = scaled(np.array(along.values, float), along.unit)
    for colour, index in zip(COLOURS, product(*(range(len(one.values)) for one in others)), strict=False):
        here = values.isel({one.name: i for one, i in zip(others, index, strict=True)})
        mean = here.mean(inner) if inner else here
        count = here.notnull().sum(inner) if inner else 1
        error = here.std(inner, ddof=1) / count**0.5 / scale if inner and here.size > mean.size else None
        text = ", ".join(show(one.values[i], one.unit) for one, i in zip(others, index, strict=True))
        axis.errorbar(
            np.array(along.values, float) / step, mean / scale, yerr=error, color=colour, marker="o", markersize=3,
            capsize=2, label=text,
        )  # fmt: skip
    axis.set(xlabel=f"{along.name} ({step_unit})" if step_unit else along.name, ylabel=label)


def scaled(values: "np.typing.NDArray[Any]", unit: str) -> tuple[float, str]:
    """A factor and the unit with its prefix, in which values are numbers between 1 and 1000."""
    finite = np.abs(values[np.isfinite(values)]) if values.dtype.kind == "f" else np.array([1.0])
    largest = float(finite.max()) if finite.size else 0.0
    if not unit or unit in ("1", "K") or "^" in unit or largest == 0:
        return 1.0, "" if unit == "1" else unit
    power = int(np.clip(np.floor(np.log10(largest) / 3), -6, 4))
    return 10.0 ** (3 * power), f"{('a', 'f', 'p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T')[power + 6]}{unit}"


def show(value: object, unit: str) -> str:
    """A coordinate for a legend."""
    from mtjspice.units import engineering

    if isinstance(value, str) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value - 273.15:.0f} °C" if unit == "K" else engineering(float(value), "" if unit == "1" else unit)


FIGURES: Mapping[str, Draw] = MappingProxyType({"summary": summary})
