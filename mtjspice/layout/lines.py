"""Lines of a memory array: what a cell adds to their resistance and capacitance, from a drawn matrix."""

from dataclasses import dataclass

from mtjspice.layout import wires
from mtjspice.layout.canvas import Canvas, new_layout
from mtjspice.layout.capacitance import capacitances
from mtjspice.layout.cells import LEAVE, WORD, draw_matrix, middle
from mtjspice.layout.extract import extract
from mtjspice.layout.matrix import CELL_HEIGHT, Matrix, Site
from mtjspice.layout.strips import PITCH

SIZE = 16  # rows and columns of the matrix that is measured; the middle ones are
_UM = 1e-6
_WIDTH = 0.28e-6  # m, of every line


@dataclass(frozen=True)
class CellLines:
    """Resistance (ohm) and capacitance to everything around (F) of a cell's piece of its lines."""

    bit_line_resistance: float
    bit_line_capacitance: float
    source_line_resistance: float
    source_line_capacitance: float
    word_line_resistance: float
    word_line_capacitance: float


def cell_lines(width: float, diameter: float) -> CellLines:
    """Draw cells with transistors of ``width`` and junctions of ``diameter`` (m) and measure their lines.

    The capacitance of a source line has its contacts' metal, not the transistors; that of a bit line ends at the
    junctions, that of a word line has its poly outside transistors. All are what longer lines have more than shorter
    ones, so that their ends do not count.
    """
    site = Site(width, diameter)
    short, tall, wide = (
        _totals(site, rows, columns) for rows, columns in ((SIZE, SIZE), (2 * SIZE, SIZE), (SIZE, 2 * SIZE))
    )
    height = CELL_HEIGHT * 1e-9
    pitch = Matrix(((site,),), ("wl",), ("sl",), (("bl", "bl"),)).cell_columns * PITCH * 1e-9
    return CellLines(
        wires.line_resistance("metal4", height, _WIDTH), (tall["bl"] - short["bl"]) / SIZE,
        wires.line_resistance("metal2", height, _WIDTH), (tall["sl"] - short["sl"]) / SIZE,
        wires.line_resistance("metal3", pitch, _WIDTH), (wide["wl"] - short["wl"]) / SIZE,
    )  # fmt: skip


def _totals(site: Site, rows: int, columns: int) -> dict[str, float]:
    """Capacitance (F) of a word line, a source line and a bit line in the middle of a matrix."""
    word, source, bit = (
        tuple(f"{kind}{k}" for k in range(count)) for kind, count in (("wl", rows), ("sl", columns), ("bl", columns))
    )
    sites = tuple(tuple(site for _ in range(columns)) for _ in range(rows))
    matrix = Matrix(sites, word, source, tuple((net, net) for net in bit))
    canvas = Canvas(new_layout(), "matrix")
    draw_matrix(canvas, matrix, (-PITCH, matrix.columns * PITCH))
    half = SIZE // 2
    for kind, net in (("sl", source[half]), ("bl", bit[half])):
        canvas.label("metal4", matrix.lines[net] * PITCH, LEAVE, kind)
    row = middle(matrix, half) - (WORD[0] + WORD[1]) // 2
    canvas.label("metal3", matrix.first(0) * PITCH, row, "wl")
    extracted = extract(canvas.layout, canvas.cell)
    found = capacitances(extracted)
    return {label: found.total(net.index) for net in extracted.nets for label in net.labels}
