"""What the supply does to a result: its slope at the nominal supply, and the change over the tolerance of a supply."""

from math import nan
from typing import TYPE_CHECKING

from scipy.interpolate import PchipInterpolator

from mtjspice.circuits.technology import technology
from mtjspice.errors import InputError
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.crossings import slope_at
from mtjspice.studies.analyses.estimates import NORMAL_95, Curve, Floats, curves, rests_on, result_names, sweep_units
from mtjspice.studies.analyses.options import number, require_result, sweep_of, switching_suffix, text
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

NAME = "supply"
SUPPLY = "supply"


def _check(study: Study) -> None:
    sweep_of(study, SUPPLY, NAME, least=3)
    _swing(study)
    nominal_supply(study, {})
    result = text(study, "result")
    if result:
        require_result(study, result, NAME)
    else:
        switching_suffix(study, NAME, ("probability0", "probability"))


def _swing(study: Study) -> float:
    return number(study, "swing", 0.1, low=1e-3, high=0.9)


def nominal_supply(study: Study, where: dict[str, Cell]) -> float:
    """Return the supply (V) from which changes are counted: the option, or the technology's."""
    if "nominal" in study.options:
        return number(study, "nominal", 0.0, "V", 0.0, 1e3)
    if "technology" in where:
        return technology(str(where["technology"])).supply_voltage
    found = study.subject.dimension(SUPPLY).nominal
    if found is None:
        raise InputError(f"analysis {NAME!r} needs options.nominal, the supply from which changes are counted")
    return float(found)


def result_of(study: Study, names: list[str]) -> str:
    """Return the result that is followed."""
    return text(study, "result") or f"probability{switching_suffix(study, NAME, names)}"


def supply_curves(data: "xarray.Dataset", study: Study) -> list[Curve]:
    """Return the result against the supply, a curve for every combination of the other sweeps."""
    return curves(data, study, result_of(study, result_names(data)), SUPPLY)


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    name, swing = result_of(study, result_names(data)), _swing(study)
    unit = study.subject.units.get(name, "")
    found = supply_curves(data, study)
    rows = [_row(curve, nominal_supply(study, curve.where), swing) for curve in found]
    per = f"{unit}/V" if unit else "1/V"
    low, high = f"at -{100 * swing:.3g} %", f"at +{100 * swing:.3g} %"
    ends = {"low end": low, "high end": high}
    named = [{ends.get(key, key): value for key, value in row.items()} for row in rows]
    units = {**sweep_units(study), "nominal": "V", "slope": per, "+-": per,
             **dict.fromkeys(("at nominal", low, high, "change"), unit)}  # fmt: skip
    notes = (
        f"{name} along the supply, PCHIP between points; slope: parabola through the points nearest to the nominal "
        "supply, +- its 95 % interval from theirs; change: from the lower to the upper end.",
        "The supply takes the place of the technology's nominal one; rails and controls that the bench states as "
        "voltages of their own stay.",
        rests_on(found),
    )
    return (table(f"{name} and the supply", named, units, notes),)


def _row(curve: Curve, nominal: float, swing: float) -> dict[str, Cell]:
    there = curve.found
    x, y = curve.x[there], curve.y.value[there]
    deviation = (curve.y.high[there] - curve.y.low[there]) / 2 / NORMAL_95
    middle, low, high = (_inside(x, y, nominal * factor) for factor in (1.0, 1 - swing, 1 + swing))
    slope, error = slope_at(x, y, deviation, nominal) if middle == middle else (nan, nan)
    return {
        **curve.where, "nominal": nominal, "at nominal": middle, "slope": slope, "+-": NORMAL_95 * error,
        "low end": low, "high end": high, "change": high - low,
        "of nominal": f"{100 * (high - low) / middle:.3g} %" if middle and high - low == high - low else "-",
        **curve.counts,
    }  # fmt: skip


def _inside(x: Floats, y: Floats, at: float) -> float:
    """Value between the points; NaN beyond them (rounding apart) or where there are fewer than two."""
    slack = 1e-9 * abs(at)
    if len(x) < 2 or not x[0] - slack <= at <= x[-1] + slack:
        return nan
    return float(PchipInterpolator(x, y)(min(max(at, x[0]), x[-1])))


SUPPLY_SENSITIVITY = Analysis(
    NAME, "a result against the supply: slope at nominal, change over its tolerance", _check, _tables,
    {
        "result": "the result that is followed; the switching probability by default",
        "swing": "relative change of the supply either way; 0.1 by default",
        "nominal": "supply from which changes are counted; by default that of the technology",
        "junction": "which of the junctions that are looked at, from 0 on",
    },
)  # fmt: skip
