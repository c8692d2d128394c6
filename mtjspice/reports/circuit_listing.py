"""The circuits of the catalogue and their parameters, as tables and for JSON."""

from typing import Any

from mtjspice import units
from mtjspice.circuits import catalogue
from mtjspice.circuits.benches.base import Bench
from mtjspice.circuits.parameters import Parameter

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def circuits() -> Table:
    """Names, cards and what they are."""
    rows: list[tuple[str, ...]] = [(entry.name, entry.card, entry.about) for entry in catalogue.ENTRIES.values()]
    return ("circuit", "card", "about"), rows


def circuits_as_json() -> list[dict[str, str]]:
    """The same."""
    return [{"name": e.name, "card": e.card, "about": e.about} for e in catalogue.ENTRIES.values()]


def parameters(bench: Bench) -> Table:
    """Parameters of a circuit and its bench: value, allowed values, what for."""
    rows: list[tuple[str, ...]] = [
        (one.name, _show(one.value, one.unit), _allowed(one), one.about + (" (assumed)" if one.assumed else ""))
        for one in catalogue.settings(bench)
    ]
    return ("parameter", "value", "allowed", "about"), rows


def parameters_as_json(bench: Bench) -> list[dict[str, Any]]:
    """The same, in SI units."""
    return [
        {
            "name": one.name, "value": one.value, "unit": one.unit, "low": one.low, "high": one.high,
            "choices": list(one.choices), "about": one.about, "assumed": one.assumed,
        }
        for one in catalogue.settings(bench)
    ]  # fmt: skip


def _allowed(one: Parameter) -> str:
    if one.choices:
        return ", ".join(one.choices)
    return " to ".join("" if limit is None else _show(limit, one.unit) for limit in (one.low, one.high))


def _show(value: float | int | str, unit: str) -> str:
    if isinstance(value, str):
        return value
    if unit == "m":
        return f"{value * 1e6:.6g} um"
    return units.engineering(value, unit) if unit else f"{value:g}"
