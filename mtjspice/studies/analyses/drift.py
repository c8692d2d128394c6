"""Drift of the switching probability with temperature, at what was trimmed once."""

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.errors import InputError
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import (
    NORMAL_95,
    Curve,
    Floats,
    curves,
    rests_on,
    result_names,
    sweep_units,
)
from mtjspice.studies.analyses.options import number, sweep_of, switching_suffix
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

NAME = "drift"
TEMPERATURE = "temperature"


def _check(study: Study) -> None:
    sweep_of(study, TEMPERATURE, NAME)
    _slope(study)
    reference(study)
    switching_suffix(study, NAME, ("probability0", "probability"))


def _slope(study: Study) -> float | None:
    """What the user knows of dP/d(trimmed value)."""
    if "slope" not in study.options:
        return None
    if study.trim is None:
        raise InputError("options.slope belongs to a value that is trimmed; the study has no [trim]")
    found = number(study, "slope", 0.0, f"1/{study.trim.unit}" if study.trim.unit else "1")
    if found == 0:
        raise InputError("options.slope must not be 0")
    return found


def reference(study: Study) -> float:
    """Return the temperature (K) from which drift is counted: the option, that of the trim, or 25 degC."""
    trimmed = study.trim.at.get(TEMPERATURE, 298.15) if study.trim is not None else 298.15
    return number(study, "reference", float(trimmed), "K", 0.0, 2000.0)


def drift_curves(data: "xarray.Dataset", study: Study) -> list[Curve]:
    """Return the probability against temperature, a curve for every combination of the other sweeps."""
    name = f"probability{switching_suffix(study, NAME, result_names(data))}"
    return curves(data, study, name, TEMPERATURE)


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    found, at = drift_curves(data, study), reference(study)
    rows = [{**curve.where, **_trimmed(data, study, curve), **_row(curve, at, _slope(study))} for curve in found]
    units = {**sweep_units(study), "slope": "1/K", "+-": "1/K", "largest at": "K"}
    notes = [
        f"Drift is P(T) - P({at - 273.15:.4g} °C), interpolated linearly between temperatures; slope: straight line "
        "through all of them, with its 95 % interval.",
        rests_on(found),
    ]
    if study.trim is not None:
        units |= {study.trim.dimension: study.trim.unit, "would move by": study.trim.unit}
        per = f" for every {', '.join(study.trim.per)}" if study.trim.per else ""
        notes.append(f"{study.trim.dimension} was trimmed for {study.trim.result} = {study.trim.target:g} once{per}.")
    if _slope(study) is not None:
        notes.append("would move by: what trimming anew at the largest drift would change, from options.slope.")
    points: list[dict[str, Cell]] = [
        {
            **curve.where, TEMPERATURE: float(t), "P": float(curve.y.value[k]), "low": float(curve.y.low[k]),
            "high": float(curve.y.high[k]), "P - 1/2": float(curve.y.value[k]) - 0.5,
            "trials": int(curve.y.trials[k]), "points": int(curve.y.points[k]),
        }
        for curve in found for k, t in enumerate(curve.x)
    ]  # fmt: skip
    return table("drift with temperature", rows, units, notes), table("P by temperature", points, sweep_units(study))


def _trimmed(data: "xarray.Dataset", study: Study, curve: Curve) -> dict[str, Cell]:
    """What was trimmed for a curve; nothing where there is no trim."""
    if study.trim is None:
        return {}
    name = study.trim.dimension
    if name not in data.coords:
        return {name: nan}
    index = {
        one: np.flatnonzero(data[one].values == curve.where[one])[0] for one in study.trim.per if one in curve.where
    }
    return {name: float(data[name].isel(index).values)}


def _row(curve: Curve, at: float, slope: float | None) -> dict[str, Cell]:
    there = curve.found
    x, y = curve.x[there], curve.y.value[there]
    names = ("P at reference", "lowest P", "highest P", "largest drift", "largest at", "slope", "+-")
    row: dict[str, Cell] = dict.fromkeys(names, nan)
    if len(x):
        start = float(np.interp(at, x, y)) if x[0] <= at <= x[-1] else nan
        worst = int(np.argmax(np.abs(y - start))) if start == start else 0
        rate, half = line(x, y)
        row = dict(
            zip(names, (start, float(y.min()), float(y.max()), float(y[worst]) - start,
                        float(x[worst]) if start == start else nan, rate, half), strict=True)
        )  # fmt: skip
        if slope is not None:
            row["would move by"] = -(float(y[worst]) - start) / slope
    elif slope is not None:
        row["would move by"] = nan
    return {**row, **curve.counts}


def line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope of the straight line of least squares and half of its 95 % interval (from residuals); NaN without one."""
    if len(x) < 2:
        return nan, nan
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    if len(x) < 3:
        return slope, nan
    residual = y - y.mean() - slope * centred
    return slope, NORMAL_95 * float(np.sqrt(residual @ residual / (len(x) - 2) / (centred @ centred)))


DRIFT = Analysis(
    NAME, "switching probability against temperature, at what was trimmed once", _check, _tables,
    {
        "reference": "temperature from which drift is counted; that of the trim, or 25 degC",
        "slope": "dP/d(trimmed value), known from another study: tells how far a new trim would move the value",
        "junction": "which of the junctions that are looked at, from 0 on",
    },
)  # fmt: skip
