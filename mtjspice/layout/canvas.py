"""Drawing into one cell: boxes, cuts, labels. Everything is in whole nanometres."""

from dataclasses import dataclass, field
from math import cos, pi, sin
from typing import TYPE_CHECKING

from mtjspice.layout.layers import DATABASE_UNIT, LABELS, LAYERS
from mtjspice.layout.require import klayout_db

if TYPE_CHECKING:
    import klayout.db as kdb

CUT_SIZE = {"contact": 220, "via1": 260, "via2": 260, "via3": 260, "via4": 260}  # CO.1, V1.1, ...
PILLAR_SIDES = 16


def new_layout() -> "kdb.Layout":
    """Return an empty layout with a database unit of 1 nm."""
    layout: kdb.Layout = klayout_db().Layout()
    layout.dbu = DATABASE_UNIT
    return layout


@dataclass
class Canvas:
    """A cell that is being drawn."""

    layout: "kdb.Layout"
    name: str
    cell: "kdb.Cell" = field(init=False)

    def __post_init__(self) -> None:
        self.cell = self.layout.create_cell(self.name)

    def box(self, layer: str, left: int, bottom: int, right: int, top: int) -> None:
        """Draw a rectangle; its corners may come in any order."""
        shapes = self.cell.shapes(self.layout.layer(*LAYERS[layer]))
        shapes.insert(klayout_db().Box(left, bottom, right, top))

    def cut(self, layer: str, x: int, y: int) -> None:
        """Draw one contact or via around a point."""
        half = CUT_SIZE[layer] // 2
        self.box(layer, x - half, y - half, x + half, y + half)

    def label(self, metal: str, x: int, y: int, text: str) -> None:
        """Name the net of a metal at a point."""
        kdb = klayout_db()
        self.cell.shapes(self.layout.layer(*LABELS[metal])).insert(kdb.Text(text, kdb.Trans(kdb.Vector(x, y))))

    def pillar(self, layer: str, x: int, y: int, diameter: int) -> None:
        """Draw a round shape: a regular polygon of the area of a circle of ``diameter``."""
        kdb = klayout_db()
        radius = diameter / 2 * (2 * pi / PILLAR_SIDES / sin(2 * pi / PILLAR_SIDES)) ** 0.5
        corners = [
            kdb.Point(round(x + radius * cos(2 * pi * (k + 0.5) / PILLAR_SIDES)),
                      round(y + radius * sin(2 * pi * (k + 0.5) / PILLAR_SIDES)))
            for k in range(PILLAR_SIDES)
        ]  # fmt: skip
        self.cell.shapes(self.layout.layer(*LAYERS[layer])).insert(kdb.Polygon(corners))

    def place(self, other: "Canvas", x: int = 0, y: int = 0, upside_down: bool = False) -> None:
        """Place a cell, as it is or mirrored at the x axis."""
        kdb = klayout_db()
        turn = kdb.Trans.M0 if upside_down else kdb.Trans.R0
        self.cell.insert(kdb.CellInstArray(other.cell.cell_index(), kdb.Trans(turn, x, y)))

    def array(self, other: "Canvas", x: int, y: int, upside_down: bool, step: tuple[int, int],
              count: tuple[int, int]) -> None:  # fmt: skip
        """Place ``count`` (columns, rows) copies of a cell at multiples of ``step``."""
        kdb = klayout_db()
        turn = kdb.Trans.M0 if upside_down else kdb.Trans.R0
        self.cell.insert(
            kdb.CellInstArray(
                other.cell.cell_index(), kdb.Trans(turn, x, y), kdb.Vector(step[0], 0), kdb.Vector(0, step[1]), *count
            )
        )
