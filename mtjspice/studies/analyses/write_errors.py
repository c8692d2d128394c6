"""Write error rates by several methods side by side: solved and counted, with the score of the difference."""

from dataclasses import dataclass
from math import nan, sqrt
from typing import TYPE_CHECKING

from mtjspice.errors import InputError
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import combinations, estimates, result_names, sweep_units
from mtjspice.studies.analyses.options import switching_suffix
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

NAME = "write-errors"
REFERENCE = "fokker-planck"
SWEEP = "fidelity"
LEAST_EXPECTED = 5.0  # errors, from which on a score is normal


@dataclass(frozen=True)
class Rate:
    """A write error rate with its 95 % interval, or its accuracy where ``trials`` is 0."""

    value: float
    low: float
    high: float
    trials: int
    points: int
    missing: int


def _check(study: Study) -> None:
    chosen = next((sweep.values for sweep in study.space.sweeps if sweep.name == SWEEP), ())
    if REFERENCE not in chosen or len(chosen) < 2:
        raise InputError(
            f"analysis {NAME!r} needs the sweep {SWEEP} with {REFERENCE!r} and another one, "
            f'such as {SWEEP} = ["{REFERENCE}", "macrospin"]'
        )
    switching_suffix(study, NAME, ("probability0", "probability"))


def rates(data: "xarray.Dataset", study: Study) -> list[tuple[dict[str, Cell], dict[str, Rate]]]:
    """Return the rates by fidelity, for every combination of the other sweeps."""
    name = f"write_error_rate{switching_suffix(study, NAME, result_names(data))}"
    found = estimates(data, study, name)
    names = [sweep.name for sweep in study.space.sweeps]
    axis = names.index(SWEEP)
    result = []
    for where, index in combinations(study, (SWEEP,)):
        here = found.at((*index[:axis], slice(None), *index[axis:]))
        result.append(
            (where, {
                str(fidelity): Rate(
                    float(here.value[k]), float(here.low[k]), float(here.high[k]), int(here.trials[k]),
                    int(here.points[k]), here.planned - int(here.points[k]),
                )
                for k, fidelity in enumerate(study.space.sweeps[axis].values)
            })
        )  # fmt: skip
    return result


def score(counted: Rate, exact: float) -> float:
    """Return the deviation of a counted rate from the exact one, in standard deviations of that count; NaN if none."""
    if not counted.trials or not 0 < exact < 1:
        return nan
    return (counted.value - exact) / sqrt(exact * (1 - exact) / counted.trials)


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    rows: list[dict[str, Cell]] = []
    for where, found in rates(data, study):
        exact = found[REFERENCE]
        for fidelity, rate in found.items():
            known = rate.points > 0
            rows.append(
                {
                    **where, SWEEP: fidelity, "write error rate": rate.value, "low": rate.low, "high": rate.high,
                    "errors": round(rate.value * rate.trials) if known and rate.trials else nan,
                    "expected": exact.value * rate.trials if rate.trials else nan,
                    "trials": rate.trials, "z": score(rate, exact.value), "points": rate.points,
                    "missing": rate.missing,
                }
            )  # fmt: skip
    notes = (
        f"z: deviation from {REFERENCE} in standard deviations of the count; normal from about {LEAST_EXPECTED:g} "
        "expected errors on.",
        f"{REFERENCE} and macrospin take the waveform of a circuit whose junctions are at rest; in cosim, verilog-a "
        "and behavioral the voltage follows the junction.",
        "trials 0: not sampled, low and high are the estimated error.",
    )  # fmt: skip
    return (table("write error rate", rows, sweep_units(study), notes),)


WRITE_ERRORS = Analysis(NAME, "write error rates by several fidelities, against each other", _check, _tables,
                        {"junction": "which of the junctions that are looked at, from 0 on"})  # fmt: skip
