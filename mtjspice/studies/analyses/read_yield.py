"""Sense margin and yield of reads, over mismatch and spread; failed points are counted, never dropped."""

from contextlib import suppress
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.statistics import wilson
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import combinations, result_names, sweep_units, values_of
from mtjspice.studies.analyses.options import known_results, number, text
from mtjspice.studies.store import MISSING
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

NAME = "read-yield"
STATES = "states"
BOTH = "all"
_MARGIN, _DIFFERENCE = "margin", "difference"
_SUPPLY = "bench.sense_supply"
_NAMES = {"0": "P", "1": "AP"}


@dataclass(frozen=True, eq=False)
class Reads:
    """Signed margins (V), positive for a correct read, of all samples at one combination of the sweeps; NaN: none.

    ``state`` is P, AP, or "all": the smallest margin of a sample over the states.
    """

    where: dict[str, Cell]
    state: str
    margins: NDArray[np.float64]
    missing: int

    @property
    def decided(self) -> NDArray[np.float64]:
        """Those that there are."""
        return self.margins[np.isfinite(self.margins)]

    @property
    def failed(self) -> int:
        """Points that were evaluated and have no result."""
        return self.margins.size - self.decided.size - self.missing


def _state(study: Study) -> str:
    """The fixed states of the junctions; empty where they are swept."""
    return str(getattr(study.subject, "values", {}).get(STATES, ""))


def _check(study: Study) -> None:
    swept = next((sweep.values for sweep in study.space.sweeps if sweep.name == STATES), ())
    states = [str(one) for one in swept] or [_state(study)]
    if not all(one[:1] in _NAMES for one in states):
        raise InputError(f'analysis {NAME!r} needs the sweep {STATES} = ["0", "1"] (P, AP), or {STATES} in set')
    known = known_results(study)
    chosen = text(study, "result")
    wanted = (chosen,) if chosen else (_MARGIN, _DIFFERENCE)
    if known is not None and not known & set(wanted):
        raise InputError(
            f"analysis {NAME!r} needs the result {' or '.join(wanted)}, which the bench of a read path has"
        )
    if not study.space.is_random and study.space.trials == 1:
        raise InputError(f"analysis {NAME!r} needs samples: mismatch or a spread in [random], samples in [space]")
    threshold(study, _MARGIN)


def result_of(data: "xarray.Dataset", study: Study) -> str:
    """Return the result that is taken as the margin."""
    chosen = text(study, "result")
    names = result_names(data)
    return chosen or (_MARGIN if _MARGIN in names or not names else _DIFFERENCE)


def threshold(study: Study, result: str) -> float:
    """Return the margin (V) from which on a read is correct.

    0 by default, and half of the read's supply for the difference at the end of the window: below it there is no
    decision.
    """
    default = 0.0
    if result == _DIFFERENCE:
        with suppress(InputError):  # a subject without such a supply
            default = float(study.subject.dimension(_SUPPLY).nominal or 0.0) / 2
    return number(study, "threshold", default, "V")


def reads(data: "xarray.Dataset", study: Study) -> list[Reads]:
    """Return the signed margins of every combination of the sweeps and state, then of all states of a sample together.

    Outputs are positive for AP (first digit of the states 1).
    """
    values = values_of(data, result_of(data, study), study)
    status = np.asarray(data["status"].values)
    names = [sweep.name for sweep in study.space.sweeps]
    found = []
    for where, index in combinations(study, (STATES,)):
        parts = []
        for k, states in _states(study):
            place = list(index)
            if STATES in names:
                place.insert(names.index(STATES), k)
            sign = 1 if states[0] == "1" else -1
            label = _NAMES[states[0]] if len(states) == 1 else states
            here = sign * values[tuple(place)].ravel()
            parts.append(Reads(where, label, here, int((status[tuple(place)] == MISSING).sum())))
        found += parts
        if len(parts) > 1:
            together = np.stack([one.margins for one in parts])
            absent = np.stack([status[_at(index, names, k)].ravel() == MISSING for k, _ in _states(study)]).any(axis=0)
            worst = np.where(np.isfinite(together).all(axis=0), together.min(axis=0), nan)
            found.append(Reads(where, BOTH, worst, int(absent.sum())))
    return found


def _states(study: Study) -> list[tuple[int, str]]:
    swept = next((sweep.values for sweep in study.space.sweeps if sweep.name == STATES), (_state(study),))
    return [(k, str(one)) for k, one in enumerate(swept)]


def _at(index: tuple[int, ...], names: list[str], k: int) -> tuple[int, ...]:
    place = list(index)
    place.insert(names.index(STATES), k)
    return tuple(place)


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    result = result_of(data, study)
    least = threshold(study, result)
    rows = [_row(one, least) for one in reads(data, study)]
    units = {**sweep_units(study), **dict.fromkeys(("mean", "sd", "smallest"), "V")}
    notes = (
        f"A read is correct if its signed {result} is above {least:g} V; state {BOTH}: a sample, if all its reads are.",
        "yield: of the reads with a result, with Wilson's 95 % interval.",
        "yield if failed: from all failed points counted as wrong to all counted as correct.",
    )
    return (table(f"yield and {result}", rows, units, notes),)


def _row(one: Reads, least: float) -> dict[str, Cell]:
    decided = one.decided
    correct = int((decided > least).sum())
    found = wilson(correct, decided.size)
    run = decided.size + one.failed
    deviation = float(decided.std(ddof=1)) if decided.size > 1 else nan
    mean = float(decided.mean()) if decided.size else nan
    return {
        **one.where, "state": one.state, "yield": found.value, "low": found.low, "high": found.high,
        "yield if failed": f"{correct / run:.4g} to {(correct + one.failed) / run:.4g}" if run else "-",
        "mean": mean, "sd": deviation, "sigma": (mean - least) / deviation if deviation else nan,
        "smallest": float(decided.min()) if decided.size else nan, "reads": int(decided.size), "failed": one.failed,
        "missing": one.missing,
    }  # fmt: skip


READ_YIELD = Analysis(
    NAME, "sense margin and yield over mismatch and spread", _check, _tables,
    {
        "result": "the margin (V), positive for AP: margin if there is one, else difference",
        "threshold": "signed margin from which on a read is correct; 0 V, for difference half of the read's supply",
    },
)  # fmt: skip
