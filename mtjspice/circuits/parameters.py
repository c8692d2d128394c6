"""Parameters of circuits: dataclass fields that know their unit, their range and what they are for.

A field of a circuit is declared by one of the functions below::

    access: float = width(2.0, "access transistor")
    stages: int = count(3, 1, 99, "delay stages")

Defaults of widths and lengths are multiples of what the technology states, so that a circuit built in another one has
sensible sizes.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from mtjspice import sweeps, units
from mtjspice.errors import InputError, choose

if TYPE_CHECKING:
    from mtjspice.circuits.benches.base import Bench
    from mtjspice.circuits.circuit import Circuit

    Owner: TypeAlias = Circuit | Bench
    C = TypeVar("C", bound=Circuit | Bench)

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "default"})()
_KEY = "parameter"
_TOLERANCE = 1e-9  # relative: "0.22 um" from a file and 0.22e-6 in code are the same


@dataclass(frozen=True)
class Parameter:
    """One parameter of one circuit; ``name`` is dotted where it belongs to a part (``cell.access``).

    ``low`` and ``high`` are the allowed range (SI), None where there is none; ``choices`` those of a text.
    """

    name: str
    value: float | int | str
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    about: str
    assumed: bool


@dataclass(frozen=True)
class _Specification:
    kind: str  # quantity, count, choice, text, part
    about: str
    default: Callable[[Any], Any]
    unit: str = ""
    range: Callable[[Any], tuple[float | None, float | None]] = lambda circuit: (None, None)
    choices: tuple[str, ...] = ()
    assumed: Callable[[Any], bool] = lambda circuit: False


def _field(specification: _Specification) -> Any:
    return dataclasses.field(default=UNSET, metadata={_KEY: specification})


def width(multiple: float, about: str, *, channel: str = "n") -> Any:
    """Width of a transistor (m): by default ``multiple`` times the technology's unit width."""

    def limits(circuit: "Owner") -> tuple[float, float]:
        fet = circuit.technology.nfet if channel == "n" else circuit.technology.pfet
        return fet.min_width, fet.max_width

    return _field(
        _Specification("quantity", about, lambda c: round(multiple * c.technology.unit_width, 12), "m", limits)
    )


def length(multiple: float, about: str) -> Any:
    """Channel length (m): by default ``multiple`` times the shortest."""

    def limits(circuit: "Owner") -> tuple[float, float]:
        both = circuit.technology.nfet, circuit.technology.pfet
        return max(fet.min_length for fet in both), min(fet.max_length for fet in both)

    return _field(
        _Specification("quantity", about, lambda c: round(multiple * c.technology.nfet.min_length, 12), "m", limits)
    )


def quantity(
    default: float | Callable[[Any], float], unit: str, low: float, high: float | Callable[[Any], float], about: str,
    *, assumed: bool | Callable[[Any], bool] = False,
) -> Any:  # fmt: skip
    """Return the field of a number with a unit.

    The default, the upper limit and whether the default is an assumption may depend on the circuit.
    """

    def limits(circuit: "Owner") -> tuple[float, float]:
        return low, high(circuit) if callable(high) else high

    value = default if callable(default) else lambda circuit: default
    guess = assumed if callable(assumed) else lambda circuit: assumed
    return _field(_Specification("quantity", about, value, unit, limits, assumed=guess))


def count(default: int, low: int, high: int, about: str) -> Any:
    """Return the field of a whole number."""
    return _field(_Specification("count", about, lambda circuit: default, "", lambda circuit: (low, high)))


def choice(default: str | Callable[[Any], str], choices: tuple[str, ...], about: str) -> Any:
    """Return the field of a text that is one of ``choices``; the default may depend on the circuit."""
    value = default if callable(default) else lambda circuit: default
    return _field(_Specification("choice", about, value, choices=choices))


def text(default: str, about: str) -> Any:
    """Return the field of a free text, which the circuit itself checks."""
    return _field(_Specification("text", about, lambda circuit: default))


def part(default: Callable[[Any], "Circuit"], about: str) -> Any:
    """Return the field of a circuit within the circuit."""
    return _field(_Specification("part", about, default))


def resolve(circuit: "Owner") -> None:
    """Fill in the defaults of a new circuit and check what it was given; InputError outside the allowed range."""
    for field in dataclasses.fields(circuit):
        specification: _Specification | None = field.metadata.get(_KEY)
        if specification is None:
            continue
        value = getattr(circuit, field.name)
        if value is UNSET:
            value = specification.default(circuit)
        object.__setattr__(circuit, field.name, _checked(circuit, field.name, specification, value))


def _checked(circuit: "Owner", name: str, specification: _Specification, value: Any) -> Any:
    where = f"{type(circuit).__name__}: {name}"
    if specification.kind == "part":
        _check_part(circuit, where, value)
        return value
    if specification.kind == "text":
        return str(value)
    if specification.kind == "choice":
        return choose(where, str(value), specification.choices)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise InputError(f"{where} = {value!r} is not a number")
    if specification.kind == "count" and value != int(value):
        raise InputError(f"{where} = {value!r} is not a whole number")
    low, high = specification.range(circuit)
    slack = _TOLERANCE * abs(value)
    if (low is not None and value < low - slack) or (high is not None and value > high + slack):
        allowed = " to ".join(_show(limit, specification.unit) for limit in (low, high) if limit is not None)
        raise InputError(f"{where} = {_show(value, specification.unit)} is out of range; allowed: {allowed}")
    return int(value) if specification.kind == "count" else float(value)


def _check_part(circuit: "Owner", where: str, value: Any) -> None:
    technology = getattr(value, "technology", None)
    if technology is None:
        raise InputError(f"{where} = {value!r} is not a circuit")
    if technology != circuit.technology:
        raise InputError(f"{where} is in {technology.name}, the circuit around it in {circuit.technology.name}")


def _show(value: float, unit: str) -> str:
    if unit == "m":
        return f"{value * 1e6:.6g} um"
    return units.engineering(value, unit) if unit else f"{value:g}"


def parameters(circuit: "Owner", prefix: str = "") -> tuple[Parameter, ...]:
    """List the parameters of a circuit and of its parts, with their present values."""
    found: list[Parameter] = []
    for field in dataclasses.fields(circuit):
        specification: _Specification | None = field.metadata.get(_KEY)
        if specification is None:
            continue
        value = getattr(circuit, field.name)
        name = prefix + field.name
        if specification.kind == "part":
            found += parameters(value, f"{name}.")
            continue
        low, high = specification.range(circuit)
        found.append(
            Parameter(
                name, value, specification.unit, low, high, specification.choices, specification.about,
                specification.assumed(circuit),
            )
        )  # fmt: skip
    return tuple(found)


def with_parameters(circuit: "C", values: Mapping[str, str | float]) -> "C":
    """Return the circuit with other values of parameters, by their dotted names.

    Texts are read with units ("1.2 um"), numbers are SI. InputError for a name that the circuit does not have, for
    one given twice (a part and a parameter within it) and for a value out of range.
    """
    known = {parameter.name: parameter for parameter in parameters(circuit)}
    own: dict[str, Any] = {}
    inner: dict[str, dict[str, str | float]] = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(f"{circuit.name} has no parameter {name!r}; available: {', '.join(known) or 'none'}")
        head, _, rest = name.partition(".")
        if rest:
            inner.setdefault(head, {})[rest] = value
        else:
            own[head] = _read(known[name], value)
    if own:
        circuit = dataclasses.replace(circuit, **{**_defaulted(circuit), **own})
    parts = {head: with_parameters(getattr(circuit, head), those) for head, those in inner.items()}
    return dataclasses.replace(circuit, **parts) if parts else circuit


def _defaulted(circuit: "Owner") -> dict[str, Any]:
    """The fields that have their default, to be worked out again: it may depend on what changes."""
    return {
        field.name: UNSET
        for field in dataclasses.fields(circuit)
        if _KEY in field.metadata and getattr(circuit, field.name) == field.metadata[_KEY].default(circuit)
    }


def _read(parameter: Parameter, value: str | float) -> float | int | str:
    if not isinstance(value, str) or isinstance(parameter.value, str):
        return value
    return sweeps.quantity(value, parameter.unit or "1", parameter.name)
