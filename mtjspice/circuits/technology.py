"""CMOS technologies: which transistors there are, their limits, and where their model cards lie.

A technology is a folder ``models/pdk/<name>`` with a ``technology.toml`` and one model file ``<corner>.inc``
for each of its corners; a folder elsewhere serves as well (`technology` takes the path of its file). With the key
``library`` the corners are sections of one library file instead, which may lie anywhere. Lengths and widths are in
metres throughout.
"""

import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cache
from importlib.resources.abc import Traversable
from math import inf
from pathlib import Path
from typing import Protocol

from mtjspice import resources, units
from mtjspice.errors import InputError, choose
from mtjspice.spice.text import number

DrawnJunctions = tuple[float, float, float, float]
"""Drain area, source area (m2), drain perimeter, source perimeter (m) of one FET."""

_TOLERANCE = 1e-9  # relative: "0.22 um" from a file and 0.22e-6 in code are the same width


class Netlist(Protocol):
    """What PySpice's Circuit and SubCircuit have in common here: sub-circuit calls can be added to them."""

    def X(self, name: str, subcircuit_name: str, *nodes: object, **parameters: object) -> object:  # noqa: N802
        """Add the instance ``X<name>`` of a sub-circuit."""


@dataclass(frozen=True)
class FETType:
    """One kind of transistor: its sub-circuit, and the drawn sizes (m) for which its model holds.

    ``diffusion_length`` (m) is that of a source or drain with one row of contacts, from gate edge to its end.
    """

    subcircuit: str
    min_width: float
    max_width: float
    min_length: float
    max_length: float
    diffusion_length: float


@dataclass(frozen=True)
class Wires:
    """Resistance (ohm) and capacitance (F, to everything around) of the lines of a memory array, a cell.

    ``source`` says where the numbers are from; None where it has none.
    """

    source: str
    bit_line_resistance: float | None = None
    bit_line_capacitance: float | None = None
    source_line_resistance: float | None = None
    source_line_capacitance: float | None = None
    word_line_resistance: float | None = None
    word_line_capacitance: float | None = None


@dataclass(frozen=True)
class Technology:
    """A CMOS technology.

    ``supply_voltage`` (V) is the nominal one of its transistors; ``unit_width`` (m) is the width of the n-channel FET
    of a unit inverter, the measure of all default sizes. ``mismatch`` is the line that switches local mismatch on
    after the model cards, ``process`` the one that draws the process variation of ``process_corner``; both are empty
    where the cards have none. ``folder`` holds the model files; ``library``, if not empty, is
    the one file in it that has a section for each corner. ``wires`` are those of arrays, None where nothing is known.
    """

    name: str
    title: str
    licence: str
    supply_voltage: float
    corners: tuple[str, ...]
    default_corner: str
    unit_width: float
    nfet: FETType
    pfet: FETType
    folder: Traversable = field(repr=False, compare=False)
    mismatch: str = ""
    process: str = ""
    process_corner: str = ""
    library: str = ""
    notes: tuple[str, ...] = ()
    wires: Wires | None = None

    def model_path(self, corner: str) -> Traversable:
        """Return the model file of ``corner``; InputError for a corner that the technology does not have."""
        known = choose(f"{self.name} corner", corner, self.corners)
        return self.folder / (self.library or f"{known}.inc")

    def model_text(self, corner: str) -> str:
        """Return the model cards of ``corner`` as SPICE text; InputError for an unknown corner."""
        path = self.model_path(corner)
        return self.model_line(corner, str(path)) if self.library else path.read_text(encoding="utf-8")

    def model_line(self, corner: str, path: str) -> str:
        """Return the line that makes a simulator read the model cards of ``corner`` from ``path``."""
        return f'.lib "{path}" {corner}' if self.library else f'.include "{path}"'

    def transistor(
        self, channel: str, where: str, width: float, length: float | None = None, multiplier: int = 1,
        drawn: DrawnJunctions | None = None,
    ) -> tuple[str, Mapping[str, str]]:  # fmt: skip
        """Return the sub-circuit and the parameters of ``multiplier`` parallel FETs; ``channel`` is "n" or "p".

        Each is ``width`` by ``length`` metres; the default length is the shortest. Junction areas and
        perimeters of contacted diffusions are always passed, since the models of a foundry take them as zero
        otherwise (a ring oscillator in gf180mcu then runs a fifth too fast), and so is the number of
        devices that mismatch averages over. ``drawn`` are those of one of the FETs in a layout.
        Raises InputError, naming ``where``, for a size outside the limits of the model.
        """
        fet = self.nfet if channel == "n" else self.pfet
        length = fet.min_length if length is None else length
        _check(f"{where}: width", width, fet.min_width, fet.max_width)
        _check(f"{where}: length", length, fet.min_length, fet.max_length)
        if isinstance(multiplier, bool) or multiplier != int(multiplier) or multiplier < 1:
            raise InputError(f"{where}: multiplier {multiplier!r} is not a whole number of at least 1")
        area, perimeter = width * fet.diffusion_length, 2 * (width + fet.diffusion_length)
        drain_area, source_area, drain_perimeter, source_perimeter = drawn or (area, area, perimeter, perimeter)
        parallel = str(int(multiplier))
        return fet.subcircuit, {
            "w": number(width),
            "l": number(length),
            "m": parallel,
            "par": parallel,  # mismatch averages over m devices only if told so
            "ad": number(drain_area),
            "as": number(source_area),
            "pd": number(drain_perimeter),
            "ps": number(source_perimeter),
        }

    def nmos(
        self,
        circuit: Netlist,
        name: str,
        drain: object,
        gate: object,
        source: object,
        bulk: object,
        *,
        width: float,
        length: float | None = None,
        multiplier: int = 1,
    ) -> None:
        """Add n-channel FETs, see `transistor`, as the instance ``X<name>``."""
        _add(circuit, self, "nfet", name, (drain, gate, source, bulk), width, length, multiplier)

    def pmos(
        self,
        circuit: Netlist,
        name: str,
        drain: object,
        gate: object,
        source: object,
        bulk: object,
        *,
        width: float,
        length: float | None = None,
        multiplier: int = 1,
    ) -> None:
        """Add p-channel FETs, see `transistor`, as the instance ``X<name>``."""
        _add(circuit, self, "pfet", name, (drain, gate, source, bulk), width, length, multiplier)


def _add(
    circuit: Netlist,
    technology: Technology,
    kind: str,
    name: str,
    nodes: tuple[object, object, object, object],
    width: float,
    length: float | None,
    multiplier: int,
) -> None:
    subcircuit, parameters = technology.transistor(
        kind[0], f"{technology.name} {kind} {name!r}", width, length, multiplier
    )
    circuit.X(name, subcircuit, *nodes, **parameters)


def _check(what: str, value: float, lowest: float, highest: float) -> None:
    if not lowest * (1 - _TOLERANCE) <= value <= highest * (1 + _TOLERANCE):
        raise InputError(f"{what} {value * 1e6:.6g} um is outside {lowest * 1e6:.6g} to {highest * 1e6:.6g} um")


def _folder() -> Traversable:
    return resources.data("models") / "pdk"


def technologies() -> tuple[str, ...]:
    """Return the names of the technologies that come with mtjspice, sorted."""
    return tuple(sorted(e.name for e in _folder().iterdir() if (e / "technology.toml").is_file()))


@cache
def technology(name: str) -> Technology:
    """Return the technology ``name``, or that of a ``technology.toml`` elsewhere; InputError for a faulty one.

    The file says what the three that come with mtjspice say; the model file ``<corner>.inc`` of each corner stands
    beside it.
    """
    if name.endswith(".toml"):
        file: Traversable = Path(name).expanduser().absolute()
        if not file.is_file():
            raise InputError(f"there is no technology file {name}")
        return _read(file, Path(name).absolute().parent, Path(name).absolute().parent.name, name)
    folder = _folder() / choose("technology", name, technologies())
    return _read(folder / "technology.toml", folder, name, f"{name}/technology.toml")


def _read(file: Traversable, folder: Traversable, name: str, where: str) -> Technology:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:  # tomllib.TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise InputError(f"{where}: {error}") from None
    table = {"mismatch": "", "process": "", "process_corner": "", "library": "", **table}
    _keys(table, _KEYS | (table.keys() & {"wires"}), where)
    corners = _strings(table, "corners", where)
    result = Technology(
        name=name,
        title=_string(table, "title", where),
        licence=_string(table, "licence", where),
        supply_voltage=_quantity(table, "supply_voltage", "V", where),
        corners=corners,
        default_corner=choose(f"default_corner in {where}", _string(table, "default_corner", where), corners),
        unit_width=_quantity(table, "unit_width", "m", where),
        nfet=_fet(table, "nfet", where),
        pfet=_fet(table, "pfet", where),
        folder=folder,
        mismatch=_string(table, "mismatch", where),
        process=_string(table, "process", where),
        process_corner=_string(table, "process_corner", where),
        library=_string(table, "library", where),
        notes=_strings(table, "notes", where),
        wires=_wires(table, where),
    )
    missing = [corner for corner in corners if not result.model_path(corner).is_file()]
    if missing:
        file_name = result.library or "<corner>.inc"
        raise InputError(f"{where}: no model file {file_name} for the corners {', '.join(missing)}")
    if bool(result.process) != bool(result.process_corner):
        raise InputError(f"{where}: process and process_corner go together")
    if result.process_corner:
        choose(f"process_corner in {where}", result.process_corner, corners)
    return result


_KEYS = frozenset(
    {
        "title", "licence", "supply_voltage", "corners", "default_corner", "unit_width", "mismatch", "process",
        "process_corner", "library", "notes", "nfet", "pfet",
    }
)  # fmt: skip


def _fet(table: Mapping[str, object], key: str, where: str) -> FETType:
    where = f"{where} [{key}]"
    entry = table[key]
    if not isinstance(entry, dict):
        raise InputError(f"{where}: expected a table")
    sizes = ("min_width", "max_width", "min_length", "max_length", "diffusion_length")
    _keys(entry, {"subcircuit", *sizes}, where)
    return FETType(_string(entry, "subcircuit", where), *(_quantity(entry, size, "m", where) for size in sizes))


def _wires(table: Mapping[str, object], where: str) -> Wires | None:
    if "wires" not in table:
        return None
    where = f"{where} [wires]"
    entry = table["wires"]
    if not isinstance(entry, dict):
        raise InputError(f"{where}: expected a table")
    units_of = {f"{line}_line_resistance": "ohm" for line in ("bit", "source", "word")}
    units_of |= {f"{line}_line_capacitance": "F" for line in ("bit", "source", "word")}
    _keys(entry, {"source", *(entry.keys() & units_of.keys())}, where)
    values = {name: _quantity(entry, name, units_of[name], where) for name in entry.keys() & units_of.keys()}
    for name, value in values.items():
        if not 0 <= value < inf:
            raise InputError(f"{where}: {name} = {entry[name]!r} must be 0 or more, and finite")
    return Wires(_string(entry, "source", where), **values)


def _keys(table: Mapping[str, object], expected: Set[str], where: str) -> None:
    if table.keys() != expected:
        wrong = ", ".join(sorted(table.keys() ^ expected))
        raise InputError(f"{where}: missing or unknown keys: {wrong}")


def _string(table: Mapping[str, object], key: str, where: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        raise InputError(f"{where}: {key} must be a string, not {value!r}")
    return value


def _strings(table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    value = table[key]
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise InputError(f"{where}: {key} must be a list of strings, not {value!r}")
    return tuple(value)


def _quantity(table: Mapping[str, object], key: str, unit: str, where: str) -> float:
    value = units.parse(_string(table, key, where), unit, f"{where}: {key}")
    return float(f"{value:.12g}")  # 0.28 um is 2.8e-07 m, not 2.8000000000000003e-07
