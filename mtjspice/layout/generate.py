"""Layouts of circuits: from a `Circuit` to a cell."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtjspice.circuits.circuit import Circuit
from mtjspice.errors import InputError
from mtjspice.layout.canvas import Canvas, new_layout
from mtjspice.layout.flat import Flat, flatten
from mtjspice.layout.groups import Group, grouped
from mtjspice.layout.matrix import split
from mtjspice.layout.stack import Stack, draw_stack, stacked

if TYPE_CHECKING:
    import klayout.db as kdb

TECHNOLOGY = "gf180mcu"
TALLEST = {"n": 2000, "p": 2000}  # nm: widest fingers


@dataclass(frozen=True)
class Drawn:
    """A circuit and its layout."""

    circuit: Circuit = field(repr=False)
    layout: "kdb.Layout" = field(repr=False)
    cell: "kdb.Cell" = field(repr=False)
    flat: Flat = field(repr=False)
    stack: Stack = field(repr=False)


def generate(circuit: Circuit, name: str = "") -> Drawn:
    """Draw a circuit; InputError for another technology and for what cannot be drawn."""
    if circuit.technology.name != TECHNOLOGY:
        raise InputError(f"layouts exist in {TECHNOLOGY} only, not in {circuit.technology.name}")
    flat = flatten(circuit)
    matrix, rest = split(flat)
    rows = in_rows(grouped(rest, TALLEST), 0 if matrix is None else matrix.columns)
    if matrix is not None:
        rows = rows[::-1]  # drivers next to the matrix, read paths with their junctions where few lines pass
    stack = stacked(flat, rows, matrix)
    layout = new_layout()
    canvas = Canvas(layout, name or circuit.name)
    draw_stack(canvas, stack)
    return Drawn(circuit, layout, canvas.cell, flat, stack)


def in_rows(groups: Sequence[Group], least: int) -> list[list[Group]]:
    """Distribute groups to rows, in their order: parts of the circuit stay together where they fit.

    The aim is a square: rows as long as all of them are high, and of no less than ``least`` columns.
    """
    if not groups:
        return []
    total = sum(group.arrangement.columns for group in groups)
    parts: list[list[Group]] = []
    for group in groups:
        head = group.path.partition(".")[0]
        if parts and head and parts[-1][-1].path.partition(".")[0] == head:
            parts[-1].append(group)
        else:
            parts.append([group])
    widths = [sum(group.arrangement.columns for group in part) for part in parts]
    target = max([least, (total * ROW_COLUMNS) ** 0.5, *(g.arrangement.columns for g in groups)])
    if len(parts) > 1 and max(widths) < 2.5 * target:
        target = max(target, max(widths))
    rows: list[list[Group]] = [[]]
    filled = 0
    for part, width in zip(parts, widths, strict=True):
        whole = width <= target
        if rows[-1] and whole and filled + width > target:
            rows.append([])
            filled = 0
        for group in part:
            if rows[-1] and filled + group.arrangement.columns > target:
                rows.append([])
                filled = 0
            rows[-1].append(group)
            filled += group.arrangement.columns
    return rows


ROW_COLUMNS = 25  # a row is about as high as so many columns are wide
