"""Read disturb: the chance that one read flips its cell, against the read bias, and how many reads a cell stands."""

from dataclasses import dataclass
from math import expm1, floor, inf, log1p, nan
from typing import TYPE_CHECKING

from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.derived import derive
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import Curve, curves, result_names, sweep_units
from mtjspice.studies.analyses.options import along, number, switching_suffix
from mtjspice.studies.space import Point, Value
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.circuit import CircuitSubject

if TYPE_CHECKING:
    import xarray

NAME = "read-disturb"
_VOLTAGE = "junction_voltage"


@dataclass(frozen=True)
class Retention:
    """What happens without a read: ``chance`` to flip within ``seconds``, at a barrier of ``stability`` kT."""

    seconds: float
    stability: float
    chance: float


def _goal(study: Study) -> float:
    return number(study, "goal", 1e-6, low=1e-300, high=0.999999)


def _check(study: Study) -> None:
    along(study, NAME, least=2)
    _goal(study)
    switching_suffix(study, NAME, ("probability0", "probability"))


def reads_until(goal: float, disturb: float) -> float:
    """Return the largest number n of reads with a chance of a flip up to ``goal``: n log(1 - p) >= log(1 - goal)."""
    if not 0 <= disturb <= 1:
        return nan
    if disturb == 0:
        return inf
    return float(floor(log1p(-goal) / log1p(-disturb))) if disturb < 1 else 0.0


def disturb_curves(data: "xarray.Dataset", study: Study) -> list[Curve]:
    """Return the chance of a flip along the chosen sweep, a curve for every combination of the others."""
    name = f"probability{switching_suffix(study, NAME, result_names(data))}"
    return curves(data, study, name, along(study, NAME, least=2).name)


def retention(study: Study) -> Retention | None:
    """Return what retention alone gives over the time of one run of the first point; None without a circuit.

    Its chance is 1 - exp(-t/tau) with tau = 1 ns exp(Delta), the barrier Delta without voltage (`derived.derive`).
    """
    subject = study.subject
    if not isinstance(subject, CircuitSubject):
        return None
    values: dict[str, Value] = {sweep.name: sweep.values[0] for sweep in study.space.sweeps}
    seconds = subject.testbench(Point((), values, 1)).stop
    temperature = float({**subject.values, **values}.get("temperature", ROOM_TEMPERATURE))
    found = derive(subject.card_at(values), temperature)
    return Retention(
        seconds, found.thermal_stability_factor, -expm1(-seconds / found.attempt_limited_retention)
    )  # fmt: skip


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    sweep, goal = along(study, NAME, least=2), _goal(study)
    volts = None
    if _VOLTAGE in result_names(data):
        volts = curves(data, study, _VOLTAGE, sweep.name)
    rows: list[dict[str, Cell]] = []
    for n, curve in enumerate(disturb_curves(data, study)):
        for k, x in enumerate(curve.x):
            low, high = float(curve.y.low[k]), float(curve.y.high[k])
            value = float(curve.y.value[k])
            row: dict[str, Cell] = {**curve.where, sweep.name: float(x)}
            if volts is not None:
                row["junction"] = float(volts[n].y.value[k])
            rows.append(
                row
                | {
                    "disturb": value if low > 0 else nan, "at most": high, "low": low,
                    f"reads to {goal:g}": reads_until(goal, value) if low > 0 else nan,
                    "at least": reads_until(goal, high), "trials": int(curve.y.trials[k]),
                    "points": int(curve.y.points[k]), "missing": curve.y.planned - int(curve.y.points[k]),
                }
            )  # fmt: skip
    notes = [
        "A disturb that its accuracy does not tell from zero is left out; at most, at least: from its upper limit."
    ]
    alone = retention(study)
    if alone is not None:
        notes.append(
            f"Retention alone (barrier {alone.stability:.3g} kT, attempt time 1 ns) flips a cell with "
            f"{alone.chance:.2g} over the {alone.seconds * 1e9:.3g} ns of a run."
        )
    return (table("read disturb", rows, {**sweep_units(study), "junction": "V"}, notes),)


READ_DISTURB = Analysis(
    NAME, "chance that a read flips its cell, along the read bias", _check, _tables,
    {
        "along": "the sweep along which it is followed; by default the longest one of numbers",
        "goal": "chance of a flip up to which reads are counted; 1e-6 by default",
        "junction": "which of the junctions that are looked at, from 0 on",
    },
)  # fmt: skip
