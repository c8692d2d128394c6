"""Measured switching probabilities: counts of switched trials at pulse voltages and widths, read from CSV."""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjspice import units
from mtjspice.device.constants import ROOM_TEMPERATURE, TEMPERATURE_RANGE
from mtjspice.errors import InputError

Floats = NDArray[np.float64]

DIRECTIONS: Mapping[str, int] = {"p-ap": 1, "ap-p": -1}
REQUIRED = ("voltage", "pulse_width", "trials")
# SI unit of a bare number in each column
COLUMNS: Mapping[str, str] = {
    "voltage": "V", "pulse_width": "s", "switched": "1", "probability": "1", "trials": "1", "direction": "",
    "temperature": "K",
}  # fmt: skip
_HEADER = re.compile(r"\s*([A-Za-z_]+)\s*(?:\[([^\[\]]*)\]|\(([^()]*)\))?\s*\Z")
_LARGEST_COUNT = 1e12


@dataclass(frozen=True, eq=False)
class Measurements:
    """Counts at n points; every array is (n,), and ``name`` is that of the data.

    ``voltages`` in V, ``widths`` (full width at half maximum) in s, ``switched`` out of ``trials``, initial
    ``states`` (+1 P, -1 AP), ``temperatures`` in K.
    """

    name: str
    voltages: Floats
    widths: Floats
    switched: NDArray[np.int64]
    trials: NDArray[np.int64]
    states: NDArray[np.int64]
    temperatures: Floats

    def __len__(self) -> int:
        return len(self.voltages)


def read(path: Path, edge: float) -> Measurements:
    """Read measurements from a CSV file; ``edge`` (s) is the rise and fall time, which no pulse may undercut.

    The header names `COLUMNS` in any order: voltage, pulse_width, trials and either switched or probability (whose
    count is rounded), perhaps direction (p-ap, the default, or ap-p) and temperature. A unit in brackets or
    parentheses may follow a name; else numbers are in SI units. Lines that begin with # are comments. Raises
    InputError with file name and line number for every defect.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the measurements {path}: {getattr(error, 'strerror', None) or error}") from None
    used = [
        (number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not used:
        raise InputError(f"{path}: the file is empty; expected a header and lines of {', '.join(REQUIRED)}, switched")
    readers = _header(f"{path}, line {used[0][0]}", _cells(used[0][1]))
    if len(used) == 1:
        raise InputError(f"{path}: no measurements below the header")
    points = [_point(f"{path}, line {number}", _cells(line), readers, edge) for number, line in used[1:]]
    table = np.array(points)
    return Measurements(
        path.name, table[:, 0], table[:, 1], table[:, 2].astype(np.int64), table[:, 3].astype(np.int64),
        table[:, 4].astype(np.int64), table[:, 5],
    )  # fmt: skip


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]))]


_Reader = Callable[[float], float]


def _header(where: str, cells: list[str]) -> dict[str, _Reader]:
    """Conversion to SI of each column, in the order of the file."""
    readers: dict[str, _Reader] = {}
    for cell in cells:
        match = _HEADER.match(cell)
        name = match.group(1).lower() if match else cell
        if match is None or name not in COLUMNS:
            raise InputError(f"{where}: unknown column {cell!r}; allowed: {', '.join(COLUMNS)}, with [unit]")
        if name in readers:
            raise InputError(f"{where}: the column {name} occurs twice")
        readers[name] = _reader(f"{where}: column {name}", match.group(2) or match.group(3) or "", COLUMNS[name])
    missing = [name for name in REQUIRED if name not in readers]
    if missing:
        raise InputError(f"{where}: the column {missing[0]} is missing; found {', '.join(readers)}")
    if ("switched" in readers) == ("probability" in readers):
        raise InputError(f"{where}: give one of the columns switched and probability")
    return readers


def _reader(where: str, unit: str, target: str) -> _Reader:
    if not unit.strip():
        return lambda value: value
    if not target:
        raise InputError(f"{where} has no unit")
    if target == "K" and unit.strip() in ("degC", "°C"):
        return lambda value: units.convert(value, "degC", "K")
    factor = units.parse(f"1 {unit}", target, where)
    # 0.3 ns must be the float 3e-10: a factor of 1e-9 is rounded, its inverse is not
    inverse = round(1 / factor) if 0 < factor < 1 else 0
    if inverse and abs(inverse * factor - 1) < 1e-12:
        return lambda value: value / inverse
    return lambda value: value * factor


def _point(where: str, cells: list[str], readers: Mapping[str, _Reader], edge: float) -> tuple[float, ...]:
    """Voltage, width, switched, trials, state and temperature of one line."""
    if len(cells) != len(readers):
        raise InputError(f"{where}: {len(cells)} values for {len(readers)} columns")
    row = dict(zip(readers, cells, strict=True))
    direction = row.pop("direction", "p-ap").lower()
    if direction not in DIRECTIONS:
        raise InputError(f"{where}: direction {direction!r} is not one of {', '.join(DIRECTIONS)}")
    values = {name: readers[name](_number(f"{where}: {name}", cell)) for name, cell in row.items()}
    trials = values["trials"]
    if not 1 <= trials <= _LARGEST_COUNT or trials != int(trials):
        raise InputError(f"{where}: trials = {row['trials']} must be a whole number, 1 or more")
    if "probability" in values:
        if not 0 <= values["probability"] <= 1:
            raise InputError(f"{where}: probability = {row['probability']} is out of range; allowed: 0 to 1")
        switched = float(round(values["probability"] * trials))
    else:
        switched = values["switched"]
        if switched < 0 or switched != int(switched):
            raise InputError(f"{where}: switched = {row['switched']} must be a whole number, 0 or more")
        if switched > trials:
            raise InputError(f"{where}: switched = {row['switched']} exceeds trials = {row['trials']}")
    width = values["pulse_width"]
    if width < edge * (1 - 1e-9):
        raise InputError(f"{where}: pulse_width = {width:g} s is shorter than the edges of {edge:g} s")
    temperature = values.get("temperature", ROOM_TEMPERATURE)
    low, high = TEMPERATURE_RANGE
    if not low <= temperature <= high:
        raise InputError(f"{where}: temperature = {temperature:g} K is out of range; allowed: {low:g} to {high:g} K")
    return values["voltage"], max(width, edge), switched, trials, DIRECTIONS[direction], temperature


def _number(where: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise InputError(f"{where} = {cell!r} is not a number") from None
    if not isfinite(value):
        raise InputError(f"{where} = {cell} is not finite")
    return value
