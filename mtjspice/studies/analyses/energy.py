"""Energy per bit, by the source that delivers it; what the junctions turn into heat is named apart."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.errors import InputError
from mtjspice.studies.analyses.base import Analysis, Cell, Table, table
from mtjspice.studies.analyses.estimates import combinations, estimates, result_names, sweep_units
from mtjspice.studies.analyses.options import known_results, whole
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.circuit import CircuitSubject

if TYPE_CHECKING:
    import xarray

NAME = "energy"
DELIVERED = "delivered_"
JUNCTIONS = "junction_energy"
OTHERS = "others"
_TOTAL = "delivered by all"
_LEAST_SHARE = 0.01  # of the total, below which a source is one of the others


def _check(study: Study) -> None:
    _bits(study)
    known = known_results(study)
    if known is not None and not any(name.startswith(DELIVERED) for name in known):
        raise InputError(f"analysis {NAME!r} needs the results {DELIVERED}<source>, which a [circuit] has")


def _bits(study: Study) -> int:
    return whole(study, "bits", 1, low=1)


@dataclass(frozen=True)
class Breakdown:
    """Energy per bit (J) at one combination of the sweeps: by source, small ones together; of the junctions alone.

    ``uncertainty`` is half of the 95 % interval of the total, 0 for a single point.
    """

    where: dict[str, Cell]
    sources: dict[str, float]
    junctions: float
    uncertainty: float
    points: int
    missing: int

    @property
    def total(self) -> float:
        """What all sources deliver."""
        return float(sum(self.sources.values()))


def breakdowns(data: "xarray.Dataset", study: Study) -> list[Breakdown]:
    """Return the energy per bit at every combination of the sweeps; NaN where no point is finished."""
    bits = _bits(study)
    names = [name for name in result_names(data) if name.startswith(DELIVERED)]
    found = {name: estimates(data, study, name) for name in names}
    data = data.assign({_TOTAL: sum(data[name] for name in names)}) if names else data
    whole_energy = estimates(data, study, _TOTAL)
    total = np.abs(whole_energy.value)
    # of all combinations, so that every row has the same columns
    large = [name for name in names if np.any(np.abs(found[name].value) >= _LEAST_SHARE * total)]
    heat = estimates(data, study, JUNCTIONS) if JUNCTIONS in result_names(data) else None
    result = []
    for where, index in combinations(study):
        values = {name.removeprefix(DELIVERED): float(found[name].value[index]) / bits for name in large}
        rest = [float(found[name].value[index]) / bits for name in names if name not in large]
        if rest:
            values[OTHERS] = sum(rest)
        points = int(whole_energy.points[index])
        result.append(
            Breakdown(
                where, values, float("nan") if heat is None else float(heat.value[index]) / bits,
                float(whole_energy.high[index] - whole_energy.low[index]) / 2 / bits, points,
                whole_energy.planned - points,
            )
        )  # fmt: skip
    return result


def _tables(data: "xarray.Dataset", study: Study) -> tuple[Table, ...]:
    found = breakdowns(data, study)
    rows: list[dict[str, Cell]] = []
    for one in found:
        row: dict[str, Cell] = {**one.where, "all sources": one.total if one.sources else float("nan"), **one.sources}
        if one.junctions == one.junctions:
            row |= {"of it in junctions": one.junctions, "their share": f"{100 * one.junctions / one.total:.3g} %"}
        rows.append(row | {"points": one.points, "missing": one.missing})
    rows = _alike(rows)
    energies = {name for row in rows for name in row} - {"points", "missing", "their share"} - set(sweep_units(study))
    bits = _bits(study)
    notes = [f"One run: {what_a_run_is(study)} Divided by {bits} bit{'s' if bits > 1 else ''}."]
    if any(OTHERS in one.sources for one in found):
        notes.append(f"{OTHERS}: sources with less than {_LEAST_SHARE:.0%} of the total each (the bench's inputs).")
    return (table("energy per bit", rows, {**sweep_units(study), **dict.fromkeys(energies, "J")}, notes),)


def _alike(rows: list[dict[str, Cell]]) -> list[dict[str, Cell]]:
    """Rows with the same columns: where a fidelity does not tell the junctions' share, it is not a number."""
    names = max(rows, key=len, default={})
    return [{name: row.get(name, "-" if name == "their share" else float("nan")) for name in names} for row in rows]


def what_a_run_is(study: Study) -> str:
    """Return what the bench does in one run, as its documentation says."""
    subject = study.subject
    if not isinstance(subject, CircuitSubject):
        return "what the study's subject does at one point."
    return " ".join((subject.entry.bench.__doc__ or "").split("\n\n")[0].split())


ENERGY = Analysis(
    NAME, "energy per bit, by source", _check, _tables,
    {"bits": "number of bits that one run processes, by which everything is divided; 1 by default"},
)  # fmt: skip
