"""Drawing circuits: from a `Circuit` to a cell, and to a file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mtjspice.circuits.circuit import Circuit
from mtjspice.errors import InputError
from mtjspice.files import write_atomically
from mtjspice.layout.canvas import Canvas, new_layout
from mtjspice.layout.cells import TAP_HALF, TAP_MIDDLE
from mtjspice.layout.dimensions import RAIL
from mtjspice.layout.plan import planned
from mtjspice.layout.require import klayout_db
from mtjspice.layout.ring import guard_ring
from mtjspice.layout.row import LOWER
from mtjspice.layout.stack import Stack, draw_stack
from mtjspice.layout.vias import Box

if TYPE_CHECKING:
    import klayout.db as kdb


@dataclass(frozen=True)
class Drawn:
    """A circuit and its layout."""

    circuit: Circuit = field(repr=False)
    layout: "kdb.Layout" = field(repr=False)
    cell: "kdb.Cell" = field(repr=False)
    stack: Stack = field(repr=False)
    outline: Box = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the cell."""
        return str(self.cell.name)

    @property
    def area(self) -> float:
        """Area in m2, as `mtjspice.layout.plan.area`; with a guard ring, of the ring with what is inside."""
        left, bottom, right, top = self.outline
        return (right - left) * (top - bottom) * 1e-18


def generate(
    circuit: Circuit, name: str = "", layout: "kdb.Layout | None" = None, *, ring: bool = False
) -> Drawn:  # fmt: skip
    """Draw a circuit as the cell ``name``, by default the circuit's, of a new layout or of ``layout``.

    With ``ring`` a guard ring of the substrate, on the lower supply, surrounds it.

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
    outline = _ringed(canvas, stack) if ring else stack.outline
    canvas.box("boundary", *outline)
    return Drawn(circuit, layout, canvas.cell, stack, outline)


def _ringed(canvas: Canvas, stack: Stack) -> Box:
    """Draw a guard ring and join it to a rail or a tap at the left; returns its outer edges (nm)."""
    if LOWER not in stack.flat.ports:
        raise InputError(f"layout of {canvas.name}: a guard ring needs a port {LOWER}, which it stands on")
    box = canvas.cell.bbox()
    ring = guard_ring(canvas, (box.left, box.bottom, box.right, box.top), "substrate")
    if stack.rows:
        middle, half = 0, RAIL
    else:
        assert stack.matrix is not None
        middle, half = stack.matrix.taps[0] + TAP_MIDDLE, TAP_HALF
    canvas.box("metal1", ring[0], middle - half, 0, middle + half)
    return ring


def write_gds(layout: "kdb.Layout", path: Path) -> None:
    """Write a layout as GDSII, without a date: equal layouts make equal files. InputError where that fails."""
    options = klayout_db().SaveLayoutOptions()
    options.format = "GDS2"
    options.gds2_write_timestamps = False
    write_atomically(path, layout.write_bytes(options))
