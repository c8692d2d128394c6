"""Figures of studies that compare combinations: energies, error rates, histograms of margins, maps of an array."""

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from mtjspice.reports.study_axes import COLOURS, MARKERS, scaled, shared_legend, title_of
from mtjspice.reports.style import BLACK, BLUE, ORANGE, new_figure, styled
from mtjspice.studies.analyses import array_map as mapping
from mtjspice.studies.analyses import energy as spending
from mtjspice.studies.analyses import read_yield as reading
from mtjspice.studies.analyses import write_errors as writing
from mtjspice.studies.analyses.base import Cell, Table
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_PANELS = 6
_MOST_LABELS = 8  # beside each other without a turn
_ANNOTATED = 80  # cells of a map, up to which their values are written in
_NAMES = {"amplitude": "amplitude", "width": "width", "probability": "switching probability"}


@styled
def energy(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Stacked bars of the energy per bit by source; a line across a bar is the junctions' own share."""
    found = spending.breakdowns(data, study)
    figure, ((axis,),) = new_figure(3.7)
    scale, unit = scaled(np.array([one.total for one in found], float), "J")
    places = np.arange(len(found))
    up, down = np.zeros(len(found)), np.zeros(len(found))
    for k, source in enumerate(found[0].sources):
        values = np.array([one.sources[source] for one in found]) / scale
        # what comes back to a source is drawn downwards
        base = np.where(values >= 0, up, down)
        label = source if source == spending.OTHERS else f"source {source}"
        axis.bar(places, values, 0.6, bottom=base, color=COLOURS[k % len(COLOURS)], label=label)
        up, down = up + np.nan_to_num(np.clip(values, 0, None)), down + np.nan_to_num(np.clip(values, None, 0))
    half = np.array([one.uncertainty for one in found]) / scale
    axis.errorbar(places, [one.total / scale for one in found], yerr=np.nan_to_num(half), fmt="none", color=BLACK,
                  capsize=3, elinewidth=0.9)  # fmt: skip
    junctions = np.array([one.junctions for one in found]) / scale
    if np.isfinite(junctions).any():
        axis.plot(
            places, junctions, linestyle="none", marker="_", markersize=22, color=BLACK, label="in junctions alone"
        )
    _categories(axis, [title_of(one.where, study) for one in found])
    axis.set(ylabel=f"energy per bit ({unit})", title=study.title)
    shared_legend(figure, axis, 4)
    return figure


@styled
def write_errors(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Write error rates side by side on a logarithmic axis; a triangle is the upper limit where no error was seen."""
    found = writing.rates(data, study)
    figure, ((axis,),) = new_figure(3.6)
    fidelities = list(found[0][1])
    for k, fidelity in enumerate(fidelities):
        places = np.arange(len(found)) + 0.18 * (k - (len(fidelities) - 1) / 2)
        value, low, high = (
            np.array([getattr(rates[fidelity], name) for _, rates in found]) for name in ("value", "low", "high")
        )
        seen = value > 0
        colour = COLOURS[k % len(COLOURS)]
        axis.errorbar(
            places[seen], value[seen], yerr=np.clip([(value - low)[seen], (high - value)[seen]], 0, None), capsize=3,
            linestyle="none", marker=MARKERS[k % len(MARKERS)], markersize=4.5, color=colour, label=fidelity,
        )  # fmt: skip
        nothing = (value == 0) & (high > 0)
        axis.plot(places[nothing], high[nothing], linestyle="none", marker="v", fillstyle="none", color=colour)
    _categories(axis, [title_of(where, study) for where, _ in found])
    axis.set(yscale="log", ylabel="write error rate", title=study.title)
    _few_decades(axis)
    shared_legend(figure, axis)
    return figure


@styled
def read_yield(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Histograms of the signed margin, a panel for each combination, with the margin that a correct read needs."""
    found = [one for one in reading.reads(data, study) if one.state != reading.BOTH]
    result = reading.result_of(data, study)
    least = reading.threshold(study, result)
    panels: list[dict[str, Cell]] = []
    for one in found:
        if one.where not in panels:
            panels.append(one.where)
    panels = panels[:_MOST_PANELS]
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = new_figure(1.9 * rows + 1.3, rows, columns, sharex=True)
    everything = np.concatenate([one.decided for one in found] + [np.array([least])])
    scale, unit = scaled(everything, "V")
    bins = np.histogram_bin_edges(everything[:-1] / scale, "auto") if everything.size > 1 else np.array([0.0, 1.0])
    for axis, where in zip(axes.ravel(), panels, strict=False):
        for one, colour, hatch in zip((one for one in found if one.where == where), (BLUE, ORANGE), ("", "//"),
                                      strict=False):  # fmt: skip
            text = f"{one.state}: {one.decided.size} reads" + (f", {one.failed} failed" if one.failed else "")
            axis.hist(one.decided / scale, bins=bins, color=colour, alpha=0.65, hatch=hatch, edgecolor="white",
                      label=text)  # fmt: skip
        axis.axvline(least / scale, color=BLACK, linestyle="--", linewidth=1, label="needed")
        axis.set(xlabel=f"signed {result} ({unit})", ylabel="samples", title=title_of(where, study))
        axis.legend(fontsize=8)
    for axis in axes.ravel()[len(panels) :]:
        axis.set_visible(False)
    figure.suptitle(study.title)
    return figure


@styled
def array_map(data: xr.Dataset, study: Study, tables: tuple[Table, ...]) -> "Figure":
    """Heat maps over rows and columns, a panel for each quantity of every combination."""
    found = mapping.maps(data, study)
    quantities = list(dict.fromkeys(one.quantity for one in found))
    rows = max(1, min(2, len(found) // max(1, len(quantities))))
    height = min(6.5, max(2.2, 0.26 * (len(found[0].rows) if found else 4)) + 0.9)
    figure, axes = new_figure(rows * height, rows, max(1, len(quantities)))
    for axis, one in zip(axes.ravel(), found, strict=False):
        _map(figure, axis, one, study)
    if not found:
        axes[0, 0].set_visible(False)
    figure.suptitle(study.title)
    return figure


def _map(figure: Any, axis: Any, one: mapping.Map, study: Study) -> None:
    scale, unit = scaled(one.values, one.unit)
    values = one.values / scale
    picture = axis.imshow(values, aspect="auto", cmap="cividis", origin="upper")
    axis.grid(False)
    axis.set_xticks(range(len(one.columns)), [str(k) for k in one.columns])
    step = -(-len(one.rows) // 16)
    axis.set_yticks(range(0, len(one.rows), step), [str(k) for k in one.rows[::step]])
    label = f"{_NAMES[one.quantity]} ({unit})" if unit else _NAMES[one.quantity]
    where = title_of(one.where, study)
    axis.set(xlabel="column", ylabel="row", title=f"{label}\n{where}" if where else label)
    axis.title.set_fontsize(9)
    bar = figure.colorbar(picture, ax=axis, location="bottom", shrink=0.9)
    bar.ax.tick_params(labelsize=7)
    bar.ax.locator_params(nbins=4)
    if values.size <= _ANNOTATED and len(one.columns) <= 8:
        low, high = np.nanmin(values), np.nanmax(values)
        middle = (low + high) / 2
        # as many decimals as tell the cells apart
        decimals = int(np.clip(np.ceil(-np.log10(high - low)) + 1, 0, 4)) if high > low else 3
        for (i, j), value in np.ndenumerate(values):
            if np.isfinite(value):
                axis.text(j, i, f"{value:.{decimals}f}", ha="center", va="center",
                          fontsize=6.5, color="white" if value < middle else "black")  # fmt: skip


def _categories(axis: Any, labels: list[str]) -> None:
    turned = len(labels) > _MOST_LABELS or max(map(len, labels), default=0) > 60 / max(1, len(labels))
    axis.set_xticks(range(len(labels)), labels, rotation=30 if turned else 0, ha="right" if turned else "center")
    axis.margins(x=0.08)
    axis.grid(axis="x", visible=False)


def _few_decades(axis: Any) -> None:
    """Ticks with numbers also where all values lie within one decade."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = axis.get_ylim()
    if low > 0 and high / low < 30:
        low, high = low / 1.3, high * 1.3
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        steps = (1, 2, 5) if high / low > 5 else (1, 1.5, 2, 3, 5, 7)
        axis.yaxis.set_major_locator(FixedLocator([step * 10.0**k for k in decades for step in steps]))
        axis.yaxis.set_minor_locator(NullLocator())
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:.2g}"))
        axis.set_ylim(low, high)
