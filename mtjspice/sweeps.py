"""Quantities and sweeps as they are typed: ``1.2``, ``1200 mV``, ``0.8,1.0,1.2`` or ``0.1ns:6ns:200``.

A bare number is in SI units. ``start:stop:count`` is linear and includes both ends; a comma separates single values.
"""

import re
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from mtjspice import units
from mtjspice.errors import InputError

LARGEST_COUNT = 1_000_000
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_BARE = re.compile(rf"\s*({_NUMBER})\s*\Z")
_CELSIUS = re.compile(rf"\s*({_NUMBER})\s*(?:degC|°C)\s*\Z")


def quantity(text: str, unit: str, where: str) -> float:
    """Read one value in ``unit``, with a unit or as a bare SI number; kelvin may also be written as degC.

    Raises InputError naming ``where`` if the text is no finite quantity of that dimension.
    """
    bare, celsius = _BARE.match(text), _CELSIUS.match(text)
    if bare:
        value = float(bare.group(1))
    elif celsius and unit == "K":
        value = units.convert(float(celsius.group(1)), "degC", "K")
    else:
        value = units.parse(text, unit, where)
    if not isfinite(value):
        raise InputError(f"{where}: {text.strip()!r} is not finite")
    return _rounded(value)


def values(text: str, unit: str, where: str) -> NDArray[np.float64]:
    """Read a sweep, ``start:stop:count`` or values separated by commas, as numbers in ``unit``; shape (count,).

    A count of 1 needs start = stop. Raises InputError naming ``where`` for anything else.
    """
    if ":" not in text:
        parts = text.split(",")
        _require_alike(parts, text, unit, where)
        return np.array([quantity(part, unit, where) for part in parts])
    parts = text.split(":")
    if len(parts) != 3 or "," in text:
        raise InputError(f"{where}: {text!r} is not a sweep; expected start:stop:count or values with commas between")
    _require_alike(parts[:2], text, unit, where)
    start, stop = quantity(parts[0], unit, where), quantity(parts[1], unit, where)
    count = _count(parts[2], text, where)
    if (count == 1) != (start == stop):
        raise InputError(
            f"{where}: the sweep {text!r} has a count of {count} from {start:g} to {stop:g} {unit}; "
            "a count of 1 goes with start = stop and no other"
        )
    return np.array([_rounded(value) for value in np.linspace(start, stop, count)])


def _require_alike(parts: list[str], text: str, unit: str, where: str) -> None:
    """Refuse ``0.1:6ns``, which could mean 0.1 ns or 0.1 s; zero needs no unit."""
    bare = [match for match in map(_BARE.match, parts) if match and float(match.group(1)) != 0]
    if bare and any(part.strip() and not _BARE.match(part) for part in parts):
        raise InputError(
            f"{where}: {text!r} gives a unit to some values only; write all with one or none (then {unit})"
        )


def _count(text: str, sweep: str, where: str) -> int:
    stripped = text.strip()
    if not (stripped.isascii() and stripped.isdigit() and 1 <= int(stripped) <= LARGEST_COUNT):
        raise InputError(
            f"{where}: the count {stripped!r} in {sweep!r} must be a whole number from 1 to {LARGEST_COUNT}"
        )
    return int(stripped)


def _rounded(value: float) -> float:
    """Drop what the conversion of units adds in the last digit, so that 0.05 ns and 50 ps are the same number."""
    return float(f"{value:.15g}")
