"""Switching probability against one swept quantity: where it is 1/2, how steep it is there, how wide the window is."""

from math import nan
from typing import TYPE_CHECKING

from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.crossings import crossings
from mtjspice.studies.analyses.estimates import Curve, curves, rests_on, result_names, sweep_units
from mtjspice.studies.analyses.options import along, number, switching_suffix
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

NAME = "switching"
LEVEL = 0.5
_SYMBOLS = {"V": "V50", "s": "t50"}


def _tolerance(study: Study) -> float:
    return number(study, "tolerance", 0.05, low=1e-6, high=0.49)


def _check(study: Study) -> None:
    along(study, NAME)
    _tolerance(study)
    switching_suffix(study, NAME, ("probability0", "probability"))


def probability_curves(data: "xarray.Dataset", study: Study) -> list[Curve]:
    """Return the probability along the chosen sweep, a curve for every combination of the others."""
    name = f"probability{switching_suffix(study, NAME, result_names(data))}"
    return curves(data, study, name, along(study, NAME).name)


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    sweep, tolerance = along(study, NAME), _tolerance(study)
    symbol = _SYMBOLS.get(sweep.unit, f"{sweep.name} at 1/2")
    found = probability_curves(data, study)
    rows = [row for curve in found for row in _rows(curve, symbol, tolerance)]
    units = {
        **sweep_units(study), symbol: sweep.unit, "+-": sweep.unit, "slope": f"1/{sweep.unit}",
        "window from": sweep.unit, "window to": sweep.unit, "window": sweep.unit,
    }  # fmt: skip
    notes = (
        f"Every crossing of P = 1/2 along {sweep.name}; the window has |P - 1/2| <= {tolerance:g} (PCHIP).",
        f"+- is half of the interval of P over the slope. {rests_on(found)}",
    )
    return (table(f"P = 1/2 along {sweep.name}", rows, units, notes),)


def _rows(curve: Curve, symbol: str, tolerance: float) -> list[dict[str, Cell]]:
    """A row for every crossing; one without numbers for a curve that has none."""
    there = curve.found
    y = curve.y
    found = crossings(
        curve.x[there], y.value[there], (y.high[there] - y.low[there]) / 2, LEVEL, tolerance
    )  # fmt: skip
    rows: list[dict[str, Cell]] = [
        {
            **curve.where, "crossing": k + 1, symbol: one.at, "+-": one.uncertainty, "slope": one.slope,
            "window from": one.low, "window to": one.high, "window": one.high - one.low, **curve.counts,
        }
        for k, one in enumerate(found)
    ]  # fmt: skip
    nothing: dict[str, Cell] = dict.fromkeys((symbol, "+-", "slope", "window from", "window to", "window"), nan)
    return rows or [{**curve.where, "crossing": 0, **nothing, **curve.counts}]


SWITCHING = Analysis(
    NAME, "switching probability along a sweep: where it is 1/2, slope and window there", _check, _tables,
    {
        "along": "the sweep along which it is followed; by default the longest one of numbers",
        "tolerance": "of the window, |P - 1/2| <= tolerance; 0.05 by default",
        "junction": "which of the junctions that are looked at, from 0 on",
    },
)  # fmt: skip
