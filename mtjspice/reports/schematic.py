"""Schematics of circuits as SVG, placed automatically from the data that the netlist is made of.

Devices stand in columns between their rails (`mtjspice.reports.schematic_columns`), parts in the order of their signals
(`mtjspice.reports.schematic_parts`); nodes that no wire joins have equal names. Names of ports are in flags that
point the way of the signal, supplies are bars and triangles, inner nodes plain text.
"""

from collections.abc import Iterator, Sequence
from math import ceil
from textwrap import wrap

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import Part, Transistor
from mtjspice.errors import InputError
from mtjspice.reports.schematic_columns import column_blocks
from mtjspice.reports.schematic_parts import condensed_notes, part_blocks, supplies_by_name
from mtjspice.reports.schematic_sketch import FADED, Sketch, text_height, text_width
from mtjspice.reports.schematic_symbols import USUAL_BULK

_WIDEST = 22.0  # of a row
_NARROWEST = 11.2  # of the title and the notes
_GAP = 0.8  # between blocks and between rows
_FEW = 6  # blocks that need no grid
_GRID = _WIDEST / 6
_TITLE = 14.0  # pt
_NOTE = 9.5


def draw(circuit: Circuit, *, title: bool = True) -> str:
    """Return the schematic of ``circuit`` as SVG, text as text; with its name and technology above if ``title``.

    Equal circuits give equal bytes. Raises InputError for a circuit without elements or with a fault.
    """
    if not circuit.elements:
        raise InputError(f"{circuit.name}: there is nothing to draw, the circuit has no elements")
    rows = _rows(_blocks(circuit))
    widest = max(_NARROWEST, *(row.width for row in rows))
    page = Sketch()
    if title:
        page.text(0, 0, f"{circuit.name} ({circuit.technology.name})", size=_TITLE)
    for row in rows:
        page.add(row, 0, page.bottom - row.top - _GAP / 2 if title or row is not rows[0] else 0)
    characters = int(widest / text_width("x", _NOTE))
    y = page.bottom - _GAP / 2
    for note in _notes(circuit):
        for line in wrap(note, characters, subsequent_indent="   ", break_long_words=False):
            y -= text_height(_NOTE)
            page.text(0, y, line, size=_NOTE, color=FADED)
    return page.svg()


def _blocks(circuit: Circuit) -> list[Sketch]:
    """Parts and devices; devices first if parts are driven by their channels and do not drive their gates."""
    devices, parts = column_blocks(circuit, _WIDEST), part_blocks(circuit, _WIDEST)
    transistors = [element for element in circuit.elements if isinstance(element, Transistor)]
    gates = {transistor.gate for transistor in transistors}
    channels = {node for transistor in transistors for node in (transistor.drain, transistor.source)}
    if _part_nodes(circuit, "input") & channels and not _part_nodes(circuit, "output") & gates:
        return [*devices, *parts]
    return [*parts, *devices]


def _part_nodes(circuit: Circuit, direction: str) -> set[str]:
    return {
        element.connections[port.name]
        for element in circuit.elements
        if isinstance(element, Part)
        for port in element.circuit.ports()
        if port.direction == direction
    }


def _rows(blocks: Sequence[Sketch]) -> list[Sketch]:
    """Blocks side by side as long as there is room, on a common axis; those of many stand in a grid."""
    grid = _GRID if len(blocks) > _FEW else 0.0
    rows = [Sketch()]
    for block in blocks:
        x = rows[-1].right + _GAP if rows[-1].width else 0.0
        if grid:
            x = ceil(x / grid) * grid
        if x and x + block.width > _WIDEST:
            rows.append(Sketch())
            x = 0.0
        rows[-1].add(block, x)
    return rows


def _notes(circuit: Circuit) -> Iterator[str]:
    """What the drawing leaves out."""
    yield from condensed_notes(circuit)
    by_name = supplies_by_name(circuit)
    if by_name:
        yield f"Supplies of parts, by name: {', '.join(by_name)}."
    transistors = [element for element in circuit.elements if isinstance(element, Transistor)]
    if transistors:
        usual = sorted({t.channel for t in transistors if t.bulk == USUAL_BULK[t.channel]})
        bulks = ", ".join(f"{channel}-channel bulks at {USUAL_BULK[channel]}" for channel in usual)
        yield "Sizes: W or W/L in µm" + (f"; {bulks}." if usual else ".")
