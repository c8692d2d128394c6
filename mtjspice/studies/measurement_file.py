"""Measurements as a study file states them, for decks: one line each, with units.

    delay  = { crossing = "v(out)", level = "0.5 V", edge = "rise", after = "1 ns" }
    span   = { from = { crossing = ... }, to = { crossing = ... } }
    level  = { at = "v(out,ref)", time = "4 ns" }
    top    = { max = "v(out)", after = "1 ns", before = "3 ns" }
    width  = { width = "v(out)" }
    spent  = { energy = ["vdd", "vin"], after = "1 ns" }        # names of sources' nodes

A signal is ``v(node)`` or ``v(plus,minus)``; a source of energy is named after its node (``Vvdd vdd 0``).
"""

import re
from collections.abc import Mapping
from math import inf
from typing import Any

from mtjspice import sweeps
from mtjspice.circuits.measurements import (
    At,
    Crossing,
    Delay,
    Energy,
    Measurement,
    Peak,
    Power,
    Rise,
    Voltage,
    Width,
)
from mtjspice.errors import InputError, choose

_SIGNAL = re.compile(r"v\(\s*([^\s,()]+)\s*(?:,\s*([^\s,()]+)\s*)?\)\Z", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_KINDS: Mapping[str, tuple[str, ...]] = {
    "crossing": ("level", "edge", "after", "number"), "at": ("time",), "max": ("after", "before"),
    "min": ("after", "before"), "width": ("after", "before"), "rise": ("after", "before"),
    "energy": ("after", "before"), "from": ("to",),
}  # fmt: skip
_EDGES = ("rise", "fall", "cross")


def read(table: Mapping[str, Any], where: str) -> dict[str, Measurement]:
    """Read a table of measurements; InputError naming ``where`` and the entry for anything else."""
    found = {}
    for name, entry in table.items():
        if not _NAME.match(name):
            raise InputError(f"{where}: {name!r} is no name of a measurement; allowed: a-z, 0-9 and _, a letter first")
        found[name] = _measurement(entry, f"{where}.{name}")
    return found


def _measurement(entry: Any, where: str) -> Measurement:
    if not isinstance(entry, dict):
        raise InputError(f'{where} must be a table such as {{ at = "v(out)", time = "4 ns" }}')
    kinds = [kind for kind in _KINDS if kind in entry]
    if len(kinds) != 1:
        raise InputError(f"{where} must have exactly one of {', '.join(_KINDS)}")
    kind = kinds[0]
    unknown = entry.keys() - {kind, *_KINDS[kind]}
    if unknown:
        raise InputError(f"{where}: unknown {', '.join(sorted(unknown))}; {kind} takes {', '.join(_KINDS[kind])}")
    if kind == "from":
        return _delay(entry, where)
    if kind == "energy":
        return Energy(Power(_sources(entry[kind], where)), *_window(entry, where))
    signal = _signal(entry[kind], f"{where}.{kind}")
    if kind == "crossing":
        return _crossing(signal, entry, where)
    if kind == "at":
        return At(signal, _quantity(entry, "time", "s", where))
    if kind in ("max", "min"):
        return Peak(signal, kind, *_window(entry, where))
    return (Width if kind == "width" else Rise)(signal, *_window(entry, where))


def _delay(entry: Mapping[str, Any], where: str) -> Delay:
    ends = []
    for key in ("from", "to"):
        inner = _measurement(entry.get(key), f"{where}.{key}")
        if not isinstance(inner, Crossing):
            raise InputError(f"{where}.{key} must be a crossing")
        ends.append(inner)
    return Delay(*ends)


def _crossing(signal: Voltage, entry: Mapping[str, Any], where: str) -> Crossing:
    number = entry.get("number", 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise InputError(f"{where}: number = {number!r} must be a whole number of at least 1")
    edge = choose(f"edge in {where}", str(entry.get("edge", "cross")), _EDGES)
    after = _quantity(entry, "after", "s", where, 0.0)
    return Crossing(signal, _quantity(entry, "level", "V", where), edge, after, number)


def _window(entry: Mapping[str, Any], where: str) -> tuple[float, float]:
    after, before = _quantity(entry, "after", "s", where, 0.0), _quantity(entry, "before", "s", where, inf)
    if not before > after:
        raise InputError(f"{where}: before must be later than after")
    return after, before


def _quantity(entry: Mapping[str, Any], key: str, unit: str, where: str, default: float | None = None) -> float:
    if key not in entry:
        if default is None:
            raise InputError(f"{where} needs {key}, in {unit}")
        return default
    return sweeps.quantity(str(entry[key]), unit, f"{where}.{key}")


def _signal(text: Any, where: str) -> Voltage:
    found = _SIGNAL.match(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"{where} = {text!r} is no signal; expected v(node) or v(plus,minus)")
    return Voltage(found[1].lower(), (found[2] or "0").lower())


def _sources(names: Any, where: str) -> tuple[str, ...]:
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise InputError(f'{where}: energy takes a list of names of driven nodes, such as ["vdd"]')
    return tuple(name.lower() for name in names)
