"""Drawing transistors and junctions: active area, gates, contacts, and the metal that leads away from them.

Heights count from the edge of the active area at the tracks: FETs lie below it (n-channel, ``way`` -1) or above it
(p-channel, ``way`` 1).
"""

from collections.abc import Mapping

from mtjspice.layout import dimensions as d
from mtjspice.layout.arrangement import BAR_COLUMNS, SHEET, Bars, Pillar
from mtjspice.layout.canvas import Canvas
from mtjspice.layout.strips import GRID, MIN_LENGTH, NARROW, PITCH, Strip, nanometres

PILLAR_HEIGHT = 320  # of a pillar below the edge of the row
PILLAR_GAP = 150  # of the two of a reference from their middle


def draw_strip(
    canvas: Canvas, strip: Strip, bare: frozenset[str], contacts: Mapping[tuple[str, int], tuple[int, int]]
) -> None:
    """Draw the FETs of a strip without implants and wells; terminals on nets in ``bare`` get no contact.

    ``contacts`` are side and column of contacts of gates, with the first and the last gate on each.
    """
    way = -1 if strip.side == "n" else 1
    width, length = strip.width, strip.length
    terminals = strip.terminals
    last = len(terminals) - 1
    left, right = _end(strip, 0), _end(strip, last)
    canvas.box("comp", left, 0, right, way * width)
    if width < NARROW:
        for k in range(0, last + 1, 2):
            x = terminals[k][0] * PITCH
            canvas.box("comp", x - NARROW // 2, 0, x + NARROW // 2, way * NARROW)
    for k, (column, net, gate) in enumerate(terminals):
        x = column * PITCH
        if gate:
            _draw_gate(canvas, x, length, way, width)
            if (strip.side, column) in contacts:
                _draw_gate_contact(canvas, x, contacts[strip.side, column], way)
        elif net not in bare:
            _draw_terminal(canvas, x, _contact(strip, k), way, max(width, NARROW))


def draw_well(canvas: Canvas, strip: Strip) -> None:
    """Draw the tap of a strip with a well of its own, and the well."""
    x, width = (strip.column + strip.columns) * PITCH, max(strip.width, NARROW)
    canvas.box("comp", x - d.TAP, 0, x + d.TAP, width)
    canvas.box("nplus", x - d.TAP_IMPLANT, -160, x + d.TAP_IMPLANT, width + 160)
    _draw_terminal(canvas, x, x, 1, width)
    left, right = well_of(strip)
    canvas.box("nwell", left, -d.WELL, right, width + d.WELL)


def well_of(strip: Strip) -> tuple[int, int]:
    """Left and right edge (nm) of a well of its own."""
    return strip.column * PITCH - 20 - d.WELL, (strip.column + strip.columns) * PITCH + d.TAP + d.WELL


def draw_bars(canvas: Canvas, bars: Bars) -> None:
    """Draw a resistor: bars of poly to and fro, from ``BAR_START`` of the row's lower rail on; its ends lie below.

    Heights count from the middle of the rail. The resistance is that of the bodies between the implants.
    """
    end, half = bar_end(bars), d.BAR_HALF
    centres = [(bars.column + 2 + BAR_COLUMNS * k) * PITCH for k in range(bars.count)]
    left, right = centres[0], centres[-1]
    low, high = d.BAR_START + d.BAR_BLOCK, end - d.BAR_BLOCK
    for x in centres:
        canvas.box("poly", x - half, d.BAR_START, x + half, end)
        canvas.box("resistor_marker", x - half, low + d.BAR_OVERLAP, x + half, high - d.BAR_OVERLAP)
        for y in (d.BAR_START + d.BAR_CONTACT, end - d.BAR_CONTACT):
            for dx in (-235, 235):
                canvas.cut("contact", x + dx, y)
    canvas.box("salicide_block", left - half - 280, low, right + half + 280, high)
    canvas.box("high_resistance", left - half - 400, d.BAR_START - 400, right + half + 400, end + 400)
    canvas.box("pplus", left - half - 300, d.BAR_START - 160, right + half + 300, low + d.BAR_OVERLAP)
    canvas.box("pplus", left - half - 300, high - d.BAR_OVERLAP, right + half + 300, end + 160)
    for k in range(0, bars.count, 2):
        _draw_head(canvas, centres[k], centres[k + 1], end - d.BAR_CONTACT)
    for k in range(1, bars.count - 1, 2):
        _draw_head(canvas, centres[k], centres[k + 1], d.BAR_START + d.BAR_CONTACT)
    first, last = bars.column * PITCH, (bars.column + bars.columns - 1) * PITCH
    _draw_head(canvas, first + 270, left, d.BAR_START + d.BAR_CONTACT)
    _draw_head(canvas, right, last - 270, d.BAR_START + d.BAR_CONTACT)


def bar_end(bars: Bars) -> int:
    """Height of the bars' upper ends."""
    body = nanometres(bars.resistance / SHEET / bars.count * 2 * d.BAR_HALF * 1e-9)
    return d.BAR_START + body + 2 * (d.BAR_BLOCK + d.BAR_OVERLAP)


def _draw_head(canvas: Canvas, left: int, right: int, y: int) -> None:
    canvas.box("metal1", left - 410, y - 170, right + 410, y + 170)


def _end(strip: Strip, k: int) -> int:
    """Where the active area ends at the first or the last terminal."""
    x = _contact(strip, k)
    return x - d.CONTACT // 2 - d.CONTACT_EDGE if k == 0 else x + d.CONTACT // 2 + d.CONTACT_EDGE


def _contact(strip: Strip, k: int) -> int:
    """Where the contacts of a terminal stand: at its column, at the ends of a strip as close to the gate as allowed."""
    terminals = strip.terminals
    x = terminals[k][0] * PITCH
    if strip.length != MIN_LENGTH or strip.width < NARROW or 0 < k < len(terminals) - 1:
        return x
    gate = terminals[1 if k == 0 else k - 1][0] * PITCH
    return gate - d.NEAR if k == 0 else gate + d.NEAR


def _draw_gate(canvas: Canvas, x: int, length: int, way: int, width: int) -> None:
    half = length // 2 // GRID * GRID
    canvas.box("poly", x - half, way * (width + d.GATE_CAP), x + length - half, -way * d.GATE_CONTACT)


def _draw_gate_contact(canvas: Canvas, x: int, gates: tuple[int, int], way: int) -> None:
    """Draw a contact and the bar of poly from the first gate on it to the last."""
    pad = -way * d.GATE_CONTACT
    if gates[0] != gates[1]:
        canvas.box("poly", gates[0] * PITCH, pad - d.GATE_BAR, gates[1] * PITCH, pad + d.GATE_BAR)
    canvas.box("poly", x - d.GATE_PAD, pad - d.GATE_PAD, x + d.GATE_PAD, pad + d.GATE_PAD)
    canvas.cut("contact", x, pad)


def _draw_terminal(canvas: Canvas, x: int, contact: int, way: int, width: int) -> None:
    """Contacts along the whole width, and metal over them that reaches the column."""
    low = d.CONTACT_EDGE + d.CONTACT // 2
    count = 1 + (width - 2 * low) // d.CONTACT_STEP
    for k in range(count):
        y = low if count == 1 else low + (width - 2 * low) * k // (count - 1) // 5 * 5
        canvas.cut("contact", contact, way * y)
    side = d.CONTACT // 2 + 5
    canvas.box("metal1", min(x - d.HALF, contact - side), way * 10, max(x + d.HALF, contact + side), way * (width - 10))


def draw_pillar(canvas: Canvas, pillar: Pillar) -> None:
    """Draw a junction: its bottom comes up in metal1 in the first column, its top in the third.

    ::

        metal4              ====================
        pillar                  ||            |
        metal3   ==================           |
                 |                            |
        metal1   bottom                       top
    """
    y = -PILLAR_HEIGHT
    first, middle, last = ((pillar.column + k) * PITCH for k in range(3))
    height = PILLAR_GAP + 110
    for x in (first, last):
        canvas.box("metal1", x - d.HALF, y - d.PAD, x + d.HALF, 0)
        canvas.box("metal2", x - d.HALF, y - d.PAD, x + d.HALF, y + d.PAD)
        for cut in ("via1", "via2"):
            canvas.cut(cut, x, y)
    canvas.box("metal3", first - d.HALF, y - height, middle + d.HALF, y + height)
    canvas.box("metal3", last - d.HALF, y - d.PAD, last + d.HALF, y + d.PAD)
    canvas.cut("via3", last, y)
    canvas.box("metal4", middle - d.HALF, y - height, last + d.HALF, y + height)
    shifts = (0,) if len(pillar.diameters) == 1 else (-PILLAR_GAP, PILLAR_GAP)
    for shift, diameter in zip(shifts, pillar.diameters, strict=True):
        draw_junction(canvas, middle, y + shift, diameter)


def draw_junction(canvas: Canvas, x: int, y: int, diameter: float) -> None:
    """Draw a pillar of a diameter (m) and its electrodes."""
    size = round(diameter * 1e9)
    canvas.pillar("mtj", x, y, size)
    half = -(-size // 2 // 5) * 5 + 30
    for electrode in ("mtj_bottom", "mtj_top"):
        canvas.box(electrode, x - half, y - half, x + half, y + half)
