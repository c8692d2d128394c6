"""A calibration as a table, JSON and a figure; nothing here computes physics."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mtjspice.device.calibration import Calibration
from mtjspice.device.free_parameters import entry
from mtjspice.units import engineering

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
# (voltages, widths) of one panel -> probabilities of the model, for its first point's direction and temperature
Curve = Callable[[int, Floats, Floats], Floats]

_LARGEST_RESIDUALS = 3
_MOST_PANELS = 9
_PANEL_COLUMNS = 3
_CURVE_POINTS = 121

HEADER = ("parameter", "initial", "fitted", "low", "high")


def rows(result: Calibration) -> list[tuple[str, ...]]:
    """The fitted parameters as rows of `HEADER`, in the units of the field."""
    return [
        (one.key, *(entry(one.key).show(value, 5) for value in (one.initial, one.value, one.low, one.high)))
        for one in result.parameters
    ]


def lines(result: Calibration) -> list[tuple[str, str]]:
    """What is said besides the parameters: goodness of fit, correlations, largest residuals, notes."""
    fit = f"{result.deviance:.1f} on {result.dof} degrees of freedom"
    if isfinite(result.p_value):
        fit += f", p = {result.p_value:.2g}"
    said = [("points", str(result.points.sizes["point"])), ("deviance", fit)]
    keys = [one.key for one in result.parameters]
    for i in range(len(keys)):
        said += [
            ("correlation", f"{keys[i]}, {keys[j]}: {result.correlation[i, j]:+.3f}") for j in range(i + 1, len(keys))
        ]
    points = result.points
    for k in np.argsort(-np.abs(points["residual"].values), kind="stable")[:_LARGEST_RESIDUALS]:
        point = points.isel(point=int(k))
        said.append(
            (
                "largest residual" if len([row for row in said if "residual" in row[0]]) == 0 else "residual",
                f"{float(point['residual']):+.2f} at {engineering(float(point['voltage']), 'V')}, "
                f"{engineering(float(point['pulse_width']), 's')}, {point['direction'].item()}, "
                f"{float(point['temperature']):g} K: measured {float(point['measured']):.4g}, "
                f"model {float(point['model']):.4g}",
            )
        )
    return said + [("note", note) for note in result.notes]


def as_json(result: Calibration) -> dict[str, Any]:
    """Everything in SI units; None for what is not finite."""
    points = result.points
    names = ("voltage", "pulse_width", "direction", "temperature", *points.data_vars)
    return {
        "card": result.card.name,
        "data": points.attrs["data"],
        "confidence": result.confidence,
        "parameters": [asdict(one) | {"unit": entry(one.key).unit} for one in result.parameters],
        "correlation": result.correlation.tolist(),
        "deviance": result.deviance,
        "degrees_of_freedom": result.dof,
        "p_value": _finite(result.p_value),
        "intervals_widened_by": result.widened,
        "quadratic_error": [[_finite(float(side)) for side in sides] for sides in result.quadratic_error],
        "notes": list(result.notes),
        "points": [
            {str(name): points[name].values[k].item() for name in names} for k in range(points.sizes["point"])
        ],
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _panels(points: xr.Dataset) -> tuple[str, list[NDArray[np.int64]]]:
    """The abscissa, pulse width or voltage, that needs fewer panels, and the points of each panel."""
    found = {}
    for abscissa, other in (("pulse_width", "voltage"), ("voltage", "pulse_width")):
        keys = list(
            zip(points[other].values, points["direction"].values, points["temperature"].values, strict=True)
        )  # fmt: skip
        found[abscissa] = [
            np.array([k for k, this in enumerate(keys) if this == key]) for key in sorted(set(keys))
        ]  # fmt: skip
    abscissa = min(found, key=lambda name: len(found[name]))
    return abscissa, found[abscissa]


def figure(result: Calibration, curve: Curve | None) -> "Figure":
    """Measured and fitted probabilities, one panel for each voltage (or width), and the residuals of all points.

    ``curve`` gives the probabilities of the fitted card between the points; without it straight lines join those at
    the points.
    """
    from matplotlib.figure import Figure

    from mtjspice.reports import style

    points = result.points
    abscissa, panels = _panels(points)
    shown = [panels[k] for k in np.unique(np.linspace(0, len(panels) - 1, min(len(panels), _MOST_PANELS)).astype(int))]
    columns = min(_PANEL_COLUMNS, len(shown))
    lines = -(-len(shown) // columns)

    @style.styled
    def draw() -> Figure:
        picture = Figure(figsize=(style.WIDTH, 1.75 * lines + 2.1), layout="constrained")
        upper, lower = np.ravel(np.array(picture.subfigures(2, 1, height_ratios=[1.75 * lines, 2.1]), dtype=object))
        grid = upper.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
        for axis, here in zip(grid.ravel(), shown, strict=False):
            _draw_panel(axis, points.isel(point=here), abscissa, curve and partial(curve, int(here[0])))
        for axis in grid.ravel()[len(shown) :]:
            axis.set_axis_off()
        upper.supxlabel(_label(abscissa), fontsize=9)
        upper.supylabel("switching probability", fontsize=9)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        upper.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=8)
        _draw_residuals(lower.subplots(), points, abscissa)
        return picture

    return draw()


def _label(abscissa: str) -> str:
    return "pulse width, FWHM [ns]" if abscissa == "pulse_width" else "pulse voltage [V]"


def _scale(abscissa: str) -> float:
    return 1e9 if abscissa == "pulse_width" else 1.0


def _draw_panel(
    axis: "Axes", points: xr.Dataset, abscissa: str, curve: Callable[[Floats, Floats], Floats] | None
) -> None:
    from mtjspice.reports.style import BLUE, RED

    x, measured = points[abscissa].values * _scale(abscissa), points["measured"].values
    volts, widths = points["voltage"].values, points["pulse_width"].values
    if curve is None:
        order = np.argsort(x, kind="stable")
        axis.plot(x[order], points["model"].values[order], ".-", color=RED, label="fitted card", zorder=2)
    else:
        dense = np.linspace(0, 1, _CURVE_POINTS if len(x) > 1 else 1)
        dense_volts = volts.min() + (volts.max() - volts.min()) * dense
        dense_widths = widths.min() + (widths.max() - widths.min()) * dense
        line = (dense_widths if abscissa == "pulse_width" else dense_volts) * _scale(abscissa)
        axis.plot(line, curve(dense_volts, dense_widths), color=RED, label="fitted card", zorder=2)
    spread = np.abs(np.stack((measured - points["low"].values, points["high"].values - measured)))
    axis.errorbar(
        x, measured, yerr=spread, fmt="o", color=BLUE, markersize=3, elinewidth=1, capsize=1.5, zorder=3,
        label=f"measured, {100 * points['low'].attrs['confidence']:g} % interval",
    )  # fmt: skip
    axis.set(ylim=(-0.05, 1.05), yticks=(0, 0.5, 1))
    axis.set_title(_title(points, abscissa), fontsize=8)


def _title(points: xr.Dataset, abscissa: str) -> str:
    first = points.isel(point=0)
    fixed = (
        engineering(float(first["voltage"]), "V")
        if abscissa == "pulse_width"
        else engineering(float(first["pulse_width"]), "s")
    )
    return f"{fixed}, {first['direction'].item().upper().replace('-', ' to ')}, {float(first['temperature']):g} K"


def _draw_residuals(axis: "Axes", points: xr.Dataset, abscissa: str) -> None:
    from mtjspice.reports.style import BLUE, ORANGE, SKY

    directions: Sequence[str] = sorted(set(points["direction"].values.tolist()), reverse=True)
    axis.axhspan(-2, 2, color=SKY, alpha=0.25, linewidth=0, label="-2 to 2")
    axis.axhline(0, color="#888888", linewidth=0.8)
    for direction, marker, colour in zip(directions, ("o", "s"), (BLUE, ORANGE), strict=False):
        here = points.isel(point=np.flatnonzero(points["direction"].values == direction))
        axis.plot(
            here[abscissa].values * _scale(abscissa), here["residual"].values, marker, color=colour, markersize=3.5,
            label=direction.upper().replace("-", " to "),
        )  # fmt: skip
    reach = max(3.2, 1.15 * float(np.abs(points["residual"].values).max()))
    axis.set(xlabel=_label(abscissa), ylabel="standardised residual", ylim=(-reach, reach))
    axis.legend(fontsize=8, loc="upper right", ncols=3)
