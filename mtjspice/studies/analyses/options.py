"""Reading what an analysis needs from a study: options, sweeps, and the results that its subject has."""

from collections.abc import Collection
from itertools import product
from math import isfinite

from mtjspice import sweeps
from mtjspice.errors import InputError
from mtjspice.studies.space import Sweep, Value
from mtjspice.studies.study import Study

# dimensions that change which results there are
_DECISIVE = ("fidelity", "technology")


def number(
    study: Study, name: str, default: float, unit: str = "1", low: float = -float("inf"), high: float = float("inf")
) -> float:
    """Return an option that is a number (a text with a unit, or SI); InputError outside ``low`` to ``high``."""
    value = study.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InputError(f"options.{name} = {value!r} must be a number{f' in {unit}' if unit != '1' else ''}")
    found = sweeps.quantity(str(value), unit, f"options.{name}")
    if not (low <= found <= high and isfinite(found)):
        raise InputError(f"options.{name} = {found:g} is out of range; allowed: {low:g} to {high:g}")
    return found


def whole(study: Study, name: str, default: int, low: int = 0, high: int = 10**9) -> int:
    """Return an option that is a whole number; InputError for another one or outside ``low`` to ``high``."""
    value = study.options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"options.{name} = {value!r} must be a whole number, {low} to {high}")
    return value


def text(study: Study, name: str, default: str = "") -> str:
    """Return an option that is a text."""
    value = study.options.get(name, default)
    if not isinstance(value, str):
        raise InputError(f"options.{name} = {value!r} must be a text")
    return value


def numeric_sweeps(study: Study) -> tuple[Sweep, ...]:
    """Return the sweeps whose values are numbers."""
    return tuple(sweep for sweep in study.space.sweeps if not isinstance(sweep.values[0], str))


def sweep_of(study: Study, name: str, analysis: str, least: int = 2) -> Sweep:
    """Return the sweep of a name; InputError if it is not there, has names for values, or fewer than ``least``."""
    found = next((sweep for sweep in study.space.sweeps if sweep.name == name), None)
    if found is None:
        there = ", ".join(sweep.name for sweep in study.space.sweeps) or "none"
        raise InputError(f"analysis {analysis!r} needs the sweep {name!r}; the study has {there}")
    if isinstance(found.values[0], str) or len(found.values) < least:
        raise InputError(f"analysis {analysis!r} needs at least {least} numbers in the sweep {name!r}")
    return found


def along(study: Study, analysis: str, least: int = 3) -> Sweep:
    """Return the sweep of the option ``along``, by default the longest one of numbers."""
    chosen = text(study, "along")
    numeric = numeric_sweeps(study)
    if not chosen and not numeric:
        raise InputError(f"analysis {analysis!r} needs a sweep of numbers; the study has none")
    return sweep_of(study, chosen or max(numeric, key=lambda sweep: len(sweep.values)).name, analysis, least)


def known_results(study: Study) -> frozenset[str] | None:
    """Names of the results at some point of the study; None where its subject does not know them before."""
    first: dict[str, Value] = {sweep.name: sweep.values[0] for sweep in study.space.sweeps}
    varied = [sweep for sweep in study.space.sweeps if sweep.name in _DECISIVE]
    found: set[str] = set()
    for chosen in product(*(sweep.values for sweep in varied)):
        values = {**first, **{sweep.name: value for sweep, value in zip(varied, chosen, strict=True)}}
        names = study.subject.result_names(values)
        if names is None:
            return None
        found |= set(names)
    return frozenset(found)


def require_result(study: Study, name: str, analysis: str) -> None:
    """Refuse a study that is known to have no such result."""
    known = known_results(study)
    if known is not None and name not in known:
        raise InputError(
            f"analysis {analysis!r} needs the result {name!r}; the study has {', '.join(sorted(known)) or 'none'}"
        )


def switching_suffix(study: Study, analysis: str, names: Collection[str] = ()) -> str:
    """Return what follows ``probability`` in the names of results about the junction of the option ``junction``.

    Empty for a subject of a single junction. ``names`` are those of the results that are there, for a subject that
    does not know its own. InputError for a study that does not tell whether junctions switch.
    """
    junction = whole(study, "junction", 0)
    known = known_results(study)
    there = set(names) if known is None else set(known)
    if f"probability{junction}" in there or (known is None and not there):
        return str(junction)
    if "probability" in there and junction == 0:
        return ""
    raise InputError(
        f"analysis {analysis!r} needs the result 'probability{junction}'; choose a fidelity that tells whether "
        "junctions switch (fokker-planck, macrospin, cosim), and a junction that the study looks at"
    )
