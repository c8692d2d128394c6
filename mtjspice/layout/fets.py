"""Drawing transistors and junctions: active area, gates, contacts, and the metal that leads away from them.

Heights count from the edge of the active area at the tracks: FETs lie below it (n-channel, ``way`` -1) or above it
(p-channel, ``way`` 1).
"""

from mtjspice.layout import dimensions as d
from mtjspice.layout.arrangement import Pillar
from mtjspice.layout.canvas import Canvas
from mtjspice.layout.strips import MIN_LENGTH, PITCH, Strip

NARROW = d.CONTACT + 2 * d.CONTACT_EDGE  # a FET narrower than this has ends wider than its channel
PILLAR_HEIGHT = 320  # of a pillar below the edge of the row
PILLAR_GAP = 150  # of the two of a reference from their middle


def draw_strip(canvas: Canvas, strip: Strip, bare: frozenset[str]) -> None:
    """Draw the FETs of a strip without implants and wells; terminals on nets in ``bare`` get no contact."""
    way = -1 if strip.side == "n" else 1
    width, length, step = strip.width, strip.length, strip.step
    terminals = strip.terminals()
    last = len(terminals) - 1
    left, right = _end(strip, 0), _end(strip, last)
    if width >= NARROW:
        canvas.box("comp", left, 0, right, way * width)
    else:  # the channel alone is narrow
        canvas.box("comp", left, 0, right, way * width)
        for k in range(0, last + 1, 2):
            x = terminals[k][0] * PITCH
            canvas.box("comp", x - NARROW // 2, 0, x + NARROW // 2, way * NARROW)
    for k, (column, net, gate) in enumerate(terminals):
        x = column * PITCH
        if gate:
            _draw_gate(canvas, x, length, way, width)
        elif net not in bare:
            _draw_terminal(canvas, x, _contact(strip, k), way, max(width, NARROW))
    del step


def _end(strip: Strip, k: int) -> int:
    """Where the active area ends at the first or the last terminal."""
    x = _contact(strip, k)
    return x - d.CONTACT // 2 - d.CONTACT_EDGE if k == 0 else x + d.CONTACT // 2 + d.CONTACT_EDGE


def _contact(strip: Strip, k: int) -> int:
    """Where the contacts of a terminal stand: at its column, at the ends of a strip as close to the gate as allowed."""
    terminals = strip.terminals()
    x = terminals[k][0] * PITCH
    if strip.length != MIN_LENGTH or strip.width < NARROW or 0 < k < len(terminals) - 1:
        return x
    gate = terminals[1 if k == 0 else k - 1][0] * PITCH
    return gate - d.NEAR if k == 0 else gate + d.NEAR


def _draw_gate(canvas: Canvas, x: int, length: int, way: int, width: int) -> None:
    half = length // 2
    canvas.box("poly", x - half, way * (width + d.GATE_CAP), x + length - half, -way * d.GATE_CONTACT)
    pad = -way * d.GATE_CONTACT
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
