"""Drawing a matrix of bit cells (`matrix`).

A cell above its source contact, heights in nm::

    1060  metal3 below the junction, beside the via stack from the drain
     800  contacts of the drain
     540
          gate: the word line in poly; its metal3 lies between source and drain
     260
       0  contacts of the source, shared with the cell below, which is its mirror image
"""

from mtjspice.layout import dimensions as d
from mtjspice.layout.canvas import Canvas
from mtjspice.layout.fets import draw_junction
from mtjspice.layout.matrix import CELL_HEIGHT, STRAP_COLUMNS, STRAP_EVERY, TAP_HEIGHT, Matrix, Site
from mtjspice.layout.strips import PITCH, nanometres

GATE = (260, 540)
DRAIN = 800  # contacts
STACK = 880  # vias from metal1 to metal3
WORD = (140, 420)  # metal3 of the word line
PLATE = (700, 1060)  # metal2 and metal3 above the drain
TAP_MIDDLE, TAP_HALF = 380, 190  # metal1 of a tap, from its lower edge
LEAVE = -450  # where source lines change from metal2 to metal4, below the matrix


def draw_matrix(canvas: Canvas, matrix: Matrix, tap_ends: tuple[int, int]) -> None:
    """Draw cells and lines with the lower left at grid column 0 and y = 0; taps reach from end to end (nm)."""
    kinds: dict[tuple[Site, int, int], Canvas] = {}
    pitch = matrix.cell_columns
    for row, sites in enumerate(matrix.sites):
        y, down = middle(matrix, row), row % 2 == 0
        for column, site in enumerate(sites):
            offset = bit_offset(matrix, column, row)
            key = site, offset, pitch
            if key not in kinds:
                kinds[key] = Canvas(canvas.layout, f"{canvas.name}_bit" + (f"_{len(kinds) + 1}" if kinds else ""))
                _draw_cell(kinds[key], site, offset, pitch)
            canvas.place(kinds[key], matrix.first(column) * PITCH, y, down)
    _draw_word_lines(canvas, matrix)
    _draw_columns(canvas, matrix)
    _draw_taps(canvas, matrix, tap_ends)


def middle(matrix: Matrix, row: int) -> int:
    """Height of the source contacts of a row."""
    return matrix.bottom(row // 2) + CELL_HEIGHT


def bit_offset(matrix: Matrix, column: int, row: int) -> int:
    """Grid columns from a cell's source line to its bit line."""
    even, odd = matrix.bit[column]
    return 1 if row % 2 == 1 and even != odd else 2


def _draw_cell(canvas: Canvas, site: Site, offset: int, pitch: int) -> None:
    """Draw a cell whose source line is at x = 0: the cell reaches from half a column before it to the next one's."""
    width = nanometres(site.width)
    left = (pitch * PITCH - width) // 2 // 5 * 5 - d.TRACK // 2
    right = left + width
    pillar = offset * PITCH
    stack = pillar - 330 if offset == 2 else pillar + 330
    canvas.box("comp", left, -180, right, DRAIN + 240)
    count = 1 + (width - 360) // d.CONTACT_STEP
    for k in range(count):
        x = left + 180 + ((width - 360) * k // (count - 1) // 5 * 5 if count > 1 else (width - 360) // 2 // 5 * 5)
        canvas.cut("contact", x, 0)
        canvas.cut("contact", x, DRAIN)
    canvas.box("metal1", min(left + 10, stack - 190), DRAIN - d.HALF, max(right - 10, stack + 190), DRAIN + 250)
    for cut in ("via1", "via2"):
        canvas.cut(cut, stack, STACK)
    canvas.box("metal2", stack - 210, PLATE[0], stack + 210, PLATE[1])
    canvas.box("metal3", min(stack - 210, pillar - 160), PLATE[0], max(stack + 210, pillar + 160), PLATE[1])
    draw_junction(canvas, pillar, STACK, site.diameter)
    _draw_source(canvas, right)


def _draw_source(canvas: Canvas, right: int) -> None:
    """Metal1 from the source line to the contacts."""
    canvas.box("metal1", -190, -d.HALF, right - 10, d.HALF)
    canvas.cut("via1", 0, 0)


def _draw_word_lines(canvas: Canvas, matrix: Matrix) -> None:
    left = matrix.first(0) * PITCH - d.TRACK // 2 - STRAP_COLUMNS * PITCH
    right = (matrix.first(len(matrix.source) - 1) + matrix.cell_columns) * PITCH - d.TRACK // 2
    straps = [
        matrix.first(column) * PITCH - d.TRACK // 2 - STRAP_COLUMNS * PITCH // 2
        for column in range(0, len(matrix.source), STRAP_EVERY)
    ]
    risers = {net: column for column, net in enumerate(matrix.risers)}
    for row, net in enumerate(matrix.word):
        y, way = middle(matrix, row), -1 if row % 2 == 0 else 1
        x = risers[net] * PITCH
        canvas.box("poly", left + 560, y + way * GATE[0], right, y + way * GATE[1])
        canvas.box("metal3", x - d.END, y + way * WORD[0], right, y + way * WORD[1])
        canvas.cut("via3", x, y + way * (WORD[0] + d.HALF))
        for strap in straps:
            _draw_strap(canvas, strap, y, way)
    for net, column in risers.items():
        x = column * PITCH
        rows = [row for row, name in enumerate(matrix.word) if name == net]
        tops = [
            middle(matrix, row) + (-1 if row % 2 == 0 else 1) * (WORD[0] + d.HALF) + d.END for row in rows
        ]  # fmt: skip
        canvas.box("metal4", x - d.HALF, -CELL_HEIGHT // 2, x + d.HALF, max(tops))


def _draw_strap(canvas: Canvas, x: int, y: int, way: int) -> None:
    """Join poly and metal3 of a word line."""
    gate = y + way * (GATE[0] + GATE[1]) // 2
    canvas.box("poly", x - d.GATE_PAD, gate - d.GATE_PAD, x + d.GATE_PAD, gate + d.GATE_PAD)
    canvas.cut("contact", x, gate)
    for metal in ("metal1", "metal2"):
        canvas.box(metal, x - d.PAD, gate - d.HALF, x + d.PAD, gate + d.HALF)
    canvas.box("metal3", x - d.PAD, y + way * WORD[0], x + d.PAD, y + way * GATE[1])
    for cut in ("via1", "via2"):
        canvas.cut(cut, x, gate)


def _draw_columns(canvas: Canvas, matrix: Matrix) -> None:
    top, below = matrix.height, -CELL_HEIGHT // 2
    for index in range(len(matrix.source) + len(matrix.replicas)):
        x = matrix.first(index) * PITCH
        canvas.box("metal2", x - d.HALF, LEAVE - d.PAD, x + d.HALF, top)
        canvas.box("metal3", x - d.HALF, LEAVE - d.PAD, x + d.HALF, LEAVE + d.PAD)
        canvas.box("metal4", x - d.HALF, LEAVE - d.PAD, x + d.HALF, LEAVE + d.PAD)
        for cut in ("via2", "via3"):
            canvas.cut(cut, x, LEAVE)
        if index >= len(matrix.source):
            _draw_replica(canvas, matrix, x)
    for index, (even, odd) in enumerate(matrix.bit):
        for offset in (2,) if even == odd else (2, 1):
            x = (matrix.first(index) + offset) * PITCH
            canvas.box("metal4", x - d.HALF, below, x + d.HALF, top)


def _draw_replica(canvas: Canvas, matrix: Matrix, x: int) -> None:
    """The metal1 that a source line has at every pair of cells."""
    width = nanometres(matrix.sites[0][0].width)
    right = (matrix.cell_columns * PITCH - width) // 2 // 5 * 5 - d.TRACK // 2 + width
    for row in range(0, len(matrix.word), 2):
        y = middle(matrix, row)
        canvas.box("metal1", x - 190, y - d.HALF, x + right - 10, y + d.HALF)
        canvas.cut("via1", x, y)


def _draw_taps(canvas: Canvas, matrix: Matrix, ends: tuple[int, int]) -> None:
    """Substrate taps between runs of cells, and the implants of both."""
    left = matrix.first(0) * PITCH - d.TRACK // 2 - STRAP_COLUMNS * PITCH
    right = (matrix.first(len(matrix.source) - 1) + matrix.cell_columns) * PITCH - d.TRACK // 2
    for bottom, after in zip(matrix.taps, (*matrix.taps[1:], matrix.height), strict=True):
        canvas.box("comp", left, bottom + 200, right, bottom + 560)
        canvas.box("pplus", left - 160, bottom + 40, right + 160, bottom + 720)
        canvas.box("metal1", ends[0], bottom + TAP_MIDDLE - TAP_HALF, ends[1], bottom + TAP_MIDDLE + TAP_HALF)
        for x in range(left + PITCH // 2, right - PITCH // 2 + 1, PITCH):
            canvas.cut("contact", x, bottom + TAP_MIDDLE)
        canvas.box("nplus", left, bottom + TAP_HEIGHT, right, after)
