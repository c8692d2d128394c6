"""Where everything of a circuit goes: which devices stand in which row, or in the matrix. No KLayout is needed."""

from collections.abc import Sequence

from mtjspice.circuits.circuit import Circuit
from mtjspice.errors import InputError
from mtjspice.layout.flat import Flat, flatten
from mtjspice.layout.groups import Group, grouped
from mtjspice.layout.matrix import split
from mtjspice.layout.stack import Stack, stacked

TECHNOLOGY = "gf180mcu"
TALLEST = {"n": 2000, "p": 2000}  # nm: widest fingers
DIAMETERS = 20e-9, 160e-9  # m, of junctions: MTJ.5, and what metals of least width enclose (MTJ.1, MTJ.3)
RESISTANCES = 1e3, 1e6  # ohm, of resistors: SB.13 below, and 0.2 mm above
ROW_COLUMNS = 25  # a row is about as high as so many columns are wide


def planned(circuit: Circuit) -> Stack:
    """Place and route a circuit; InputError for another technology and for what cannot be drawn."""
    if circuit.technology.name != TECHNOLOGY:
        raise InputError(f"layouts exist in {TECHNOLOGY} only, not in {circuit.technology.name}")
    flat = flatten(circuit)
    _check_sizes(flat)
    matrix, rest = split(flat)
    rows = in_rows(grouped(rest, TALLEST), 0 if matrix is None else matrix.columns)
    if matrix is not None:
        rows = rows[::-1]  # drivers next to the matrix, read paths with their junctions where few lines pass
    return stacked(flat, rows, matrix)


def area(circuit: Circuit) -> float:
    """Area in m2: of the smallest rectangle around everything, of bit cells alone as they are repeated."""
    left, bottom, right, top = planned(circuit).outline
    return (right - left) * (top - bottom) * 1e-18


def in_rows(groups: Sequence[Group], least: int) -> list[list[Group]]:
    """Distribute groups to rows, in their order: parts of the circuit stay together where they fit.

    The aim is a square: rows as long as all of them are high, and of no less than ``least`` columns.
    """
    if not groups:
        return []
    target = max([least, (_width(groups) * ROW_COLUMNS) ** 0.5, *(_width([group]) for group in groups)])
    parts = _parts(groups, target, 1)
    widest = max(map(_width, parts))
    if len(parts) > 1 and widest < 2.5 * target:
        target = max(target, widest)
    rows: list[list[Group]] = [[]]
    filled = 0
    for part in parts:
        if rows[-1] and _width(part) <= target < filled + _width(part):
            rows.append([])
            filled = 0
        for group in part:
            if rows[-1] and filled + _width([group]) > target:
                rows.append([])
                filled = 0
            rows[-1].append(group)
            filled += _width([group])
    return rows


def _parts(groups: Sequence[Group], target: float, depth: int) -> list[list[Group]]:
    """Groups by the part of the circuit in which they stand; what is far too wide for a row, by parts of it."""
    parts: list[tuple[tuple[str, ...], list[Group]]] = []
    for group in groups:
        path = tuple(group.path.split(".")[:depth]) if group.path else ()
        if parts and path and parts[-1][0] == path:
            parts[-1][1].append(group)
        else:
            parts.append((path, [group]))
    found = []
    for path, members in parts:
        if _width(members) > 2.5 * target and len(path) == depth and len(members) > 1:
            found += _parts(members, target, depth + 1)
        else:
            found.append(members)
    return found


def _width(groups: Sequence[Group]) -> int:
    return sum(group.arrangement.columns for group in groups)


def _check_sizes(flat: Flat) -> None:
    low, high = DIAMETERS
    for device in flat.devices:
        if device.kind == "mtj" and not low <= device.diameter <= high:
            raise InputError(
                f"layout of {device.full_name}: a junction of {device.diameter * 1e9:.4g} nm cannot be drawn; allowed "
                f"are {low * 1e9:g} to {high * 1e9:g} nm (rules MTJ.1, MTJ.5)"
            )
        if device.kind == "resistor" and not RESISTANCES[0] <= device.resistance <= RESISTANCES[1]:
            raise InputError(
                f"layout of {device.full_name}: a resistor of {device.resistance:g} ohm cannot be drawn; allowed are "
                f"{RESISTANCES[0]:g} to {RESISTANCES[1]:g} ohm (poly of 1 kohm/sq)"
            )
