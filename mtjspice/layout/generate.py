"""Drawing circuits: from a `Circuit` to a cell, and to a file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mtjspice.circuits.circuit import Circuit
from mtjspice.errors import InputError
from mtjspice.files import write_atomically
from mtjspice.layout.canvas import Canvas, new_layout
from mtjspice.layout.plan import planned
from mtjspice.layout.require import klayout_db
from mtjspice.layout.stack import Stack, draw_stack

if TYPE_CHECKING:
    import klayout.db as kdb


@dataclass(frozen=True)
class Drawn:
    """A circuit and its layout."""

    circuit: Circuit = field(repr=False)
    layout: "kdb.Layout" = field(repr=False)
    cell: "kdb.Cell" = field(repr=False)
    stack: Stack = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the cell."""
        return str(self.cell.name)

    @property
    def area(self) -> float:
        """Area in m2, as `mtjspice.layout.plan.area`."""
        left, bottom, right, top = self.stack.outline
        return (right - left) * (top - bottom) * 1e-18


def generate(circuit: Circuit, name: str = "", layout: "kdb.Layout | None" = None) -> Drawn:
    """Draw a circuit as the cell ``name``, by default the circuit's, of a new layout or of ``layout``.

    InputError for another technology, for what cannot be drawn (a size that a rule forbids, sources, capacitors), and
    for a cell name that the layout has.
    """
    name = name or circuit.name
    layout = new_layout() if layout is None else layout
    if layout.has_cell(name):
        raise InputError(f"the layout has a cell {name!r} already; give another name")
    stack = planned(circuit)
    canvas = Canvas(layout, name)
    draw_stack(canvas, stack)
    return Drawn(circuit, layout, canvas.cell, stack)


def write_gds(layout: "kdb.Layout", path: Path) -> None:
    """Write a layout as GDSII, without a date: equal layouts make equal files. InputError where that fails."""
    options = klayout_db().SaveLayoutOptions()
    options.format = "GDS2"
    options.gds2_write_timestamps = False
    write_atomically(path, layout.write_bytes(options))
