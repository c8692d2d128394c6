"""What the figures of studies share: units of axes, labels of curves, and points with their intervals."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY
from mtjspice.studies.analyses.base import Cell
from mtjspice.studies.analyses.estimates import Curve
from mtjspice.studies.study import Study

COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)
LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_PREFIXES = ("a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T")
_CELSIUS = 273.15
_STATES = {"0": "P", "1": "AP"}


def scaled(values: NDArray[Any], unit: str) -> tuple[float, str]:
    """A factor and the unit with its prefix, in which values are numbers between 1 and 1000."""
    finite = np.abs(values[np.isfinite(values)]) if values.dtype.kind == "f" else np.array([1.0])
    largest = float(finite.max()) if finite.size else 0.0
    if not unit or unit in ("1", "K") or "^" in unit or largest == 0:
        return 1.0, "" if unit == "1" else unit
    power = int(np.clip(np.floor(np.log10(largest) / 3), -6, 4))
    return 10.0 ** (3 * power), f"{_PREFIXES[power + 6]}{unit}"


def show(value: object, unit: str) -> str:
    """A coordinate for a legend."""
    from mtjspice.units import engineering

    if isinstance(value, str) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value - _CELSIUS:.0f} °C" if unit == "K" else engineering(float(value), "" if unit == "1" else unit)


def title_of(where: Mapping[str, Cell], study: Study) -> str:
    """A combination of values of sweeps for a legend or an axis."""
    units = {sweep.name: sweep.unit for sweep in study.space.sweeps}
    return ", ".join(
        _STATES.get(str(value), str(value)) if name == "states" else show(value, units.get(name, ""))
        for name, value in where.items()
    )


def axis_values(x: NDArray[np.float64], name: str, unit: str) -> tuple[NDArray[np.float64], str]:
    """Values of an axis and its label: with the prefix that fits, temperatures in degrees Celsius."""
    plain = name.removeprefix("bench.").removeprefix("card.").replace("_", " ")
    if unit == "K":
        return x - _CELSIUS, f"{plain} (°C)"
    step, shown = scaled(np.asarray(x, float), unit)
    return x / step, f"{plain} ({shown})" if shown else plain


def styles(study: Study, without: tuple[str, ...]) -> dict[tuple[Cell, ...], dict[str, Any]]:
    """Colour, line, marker and label of every curve, by the values of the other sweeps.

    The first of them chooses the colour, the second one line and marker.
    """
    rest = [sweep for sweep in study.space.sweeps if sweep.name not in without]
    found = {}
    for index in product(*(range(len(sweep.values)) for sweep in rest)):
        first, others = (index or (0,))[0], sum(index[1:])
        where = {sweep.name: sweep.values[i] for sweep, i in zip(rest, index, strict=True)}
        found[tuple(where.values())] = {
            "color": COLOURS[first % len(COLOURS)], "linestyle": LINES[others % len(LINES)],
            "marker": MARKERS[others % len(MARKERS)], "label": title_of(where, study),
        }  # fmt: skip
    return found


def draw_curve(axis: Any, curve: Curve, x: NDArray[np.float64], style: Mapping[str, Any], scale: float = 1.0) -> None:
    """Draw a curve with its intervals; a point that is missing is left out, and its neighbours are joined."""
    there = curve.found
    y, low, high = (one[there] / scale for one in (curve.y.value, curve.y.low, curve.y.high))
    error = np.clip(np.stack([y - low, high - y]), 0.0, None)
    axis.errorbar(
        x[there], y, yerr=error, markersize=2.6, linewidth=1.1, capsize=1.5, elinewidth=0.7, **style
    )  # fmt: skip


def shared_legend(figure: Any, axis: Any, columns: int = 3) -> None:
    """Put the legend of one panel below all, if it tells anything."""
    handles, labels = axis.get_legend_handles_labels()
    pairs = [(handle, label) for handle, label in zip(handles, labels, strict=True) if label]
    if len(pairs) > 1 or (pairs and len(pairs[0][1]) > 0):
        figure.legend(*zip(*pairs, strict=True), loc="outside lower center", ncols=columns)
