"""Drawing a row: wires from terminals to tracks, implants, wells, rails with the taps below them.

A row is drawn upright, its lower rail around y = 0.
"""

from collections.abc import Mapping, Sequence

from mtjspice.layout import dimensions as d
from mtjspice.layout.canvas import Canvas
from mtjspice.layout.fets import well_of
from mtjspice.layout.routing import Routed
from mtjspice.layout.row import LOWER, UPPER, Placed, on_rail
from mtjspice.layout.strips import PITCH
from mtjspice.layout.terminals import Terminal


def draw_row(
    canvas: Canvas, routed_row: Routed, cells: Mapping[tuple[int, str], Canvas], left: int, right: int
) -> None:
    """Draw a row; ``cells`` are the drawn groups by identity of their arrangement and side; the rails go from ``left``
    to ``right`` (nm)."""  # fmt: skip
    row, lower, upper = routed_row.row, routed_row.lower, routed_row.upper
    for placed in row.placed:
        for side, y in (("n", lower), ("p", upper), ("bars", 0)):
            cell = cells.get((id(placed.group.arrangement), side))
            if cell is not None:
                canvas.place(cell, placed.column * PITCH, y)
    _draw_legs(canvas, routed_row)
    for net, track in routed_row.tracks.items():
        y = routed_row.track(net)
        canvas.box("metal2", track.left * PITCH - d.PAD, y - d.HALF, track.right * PITCH + d.PAD, y + d.HALF)
    for track in routed_row.stubs.values():
        y = routed_row.level(track)
        canvas.box("metal2", track.left * PITCH - d.PAD, y - d.HALF, track.right * PITCH + d.PAD, y + d.HALF)
    for net, columns in routed_row.joints.items():
        y = routed_row.track(net)
        for column in columns:
            x = column * PITCH
            canvas.cut("via2", x, y)
            canvas.cut("via3", x, y)
            canvas.box("metal3", x - d.HALF, y - d.PAD, x + d.HALF, y + d.PAD)
    _draw_implants(canvas, routed_row)
    _draw_rails(canvas, routed_row, left, right)


def _draw_legs(canvas: Canvas, routed_row: Routed) -> None:
    row, lower, upper = routed_row.row, routed_row.lower, routed_row.upper
    height = routed_row.height
    for placed in row.placed:
        for terminal in placed.terminals():
            x = terminal.column * PITCH
            if on_rail(terminal):
                end = (0, lower - 50) if terminal.side == "n" else (upper + 50, height)
                canvas.box("metal1", x - d.HALF, end[0], x + d.HALF, end[1])
            elif terminal.net in row.single and terminal.gate:
                y = lower + d.GATE_CONTACT if terminal.side == "n" else upper - d.GATE_CONTACT
                canvas.box("metal1", x - d.HALF, y - d.PAD + 90, x + d.HALF, y + d.PAD - 90)
    for terminal in row.terminals:
        if row.under(terminal):
            canvas.cut("via1", terminal.column * PITCH, routed_row.track(terminal.net))
    wires = [t for t in row.terminals if not row.under(t) or t.column in row.straight]
    below = {t.column: t for t in wires if t.side == "n"}
    above = {t.column: t for t in wires if t.side == "p"}
    for column in sorted({*below, *above}):
        n, p = below.get(column), above.get(column)
        x = column * PITCH
        same = n is not None and p is not None and n.net == p.net
        if n is not None:
            start = _start(n, lower, height)
            top = start + 2 * d.PAD
            for y in routed_row.ends(n):
                canvas.cut("via1", x, y)
                top = max(top, y + d.END)
            if same:
                assert p is not None
                top = _start(p, upper, height)
            canvas.box("metal1", x - d.HALF, start, x + d.HALF, top)
        if p is not None and not same:
            _draw_upper(canvas, routed_row, p, n is not None, x)


def _start(terminal: Terminal, edge: int, height: int) -> int:
    """Where a wire begins: at the rail, on the metal of a terminal, or at a gate's contact."""
    if terminal.start is not None:
        return height if terminal.side == "p" else terminal.start
    if terminal.side == "n":
        return edge + d.GATE_METAL if terminal.gate else edge - 50
    return edge - d.GATE_METAL if terminal.gate else edge + 50


def _draw_upper(canvas: Canvas, routed_row: Routed, terminal: Terminal, lifted: bool, x: int) -> None:
    """Wire of a terminal of the upper side, down to its track."""
    edge = routed_row.upper
    start = _start(terminal, edge, routed_row.height)
    if terminal.net not in routed_row.tracks:
        canvas.box("metal1", x - d.HALF, start - 2 * d.PAD, x + d.HALF, start)
        return
    if not lifted:
        for y in routed_row.ends(terminal):
            canvas.cut("via1", x, y)
        canvas.box("metal1", x - d.HALF, min(routed_row.ends(terminal)) - d.END, x + d.HALF, start)
        return
    y = routed_row.track(terminal.net)
    lift = edge - d.LIFT if terminal.gate else edge + d.TERMINAL_LIFT
    canvas.box("metal1", x - d.HALF, min(lift - d.PAD, start), x + d.HALF, max(lift + d.PAD, start))
    canvas.box("metal2", x - d.HALF, lift - d.PAD, x + d.HALF, lift + d.PAD)
    canvas.cut("via1", x, lift)
    canvas.cut("via2", x, lift)
    canvas.box("metal3", x - d.HALF, y - d.END, x + d.HALF, lift + d.END)
    canvas.cut("via2", x, y)


def _implanted(placed: Sequence[Placed], side: str) -> list[tuple[int, int]]:
    """Stretches of implant over the FETs of a side, joined where they would come too close to each other."""
    found = []
    for p in placed:
        for s in p.group.arrangement.strips:
            if s.side == side:
                margin = 20 + (d.IMPLANT_SIDE if s.own_well else d.IMPLANT_WIDE)  # a well of its own has its tap near
                first = (p.column + s.column) * PITCH
                found.append((first - margin, first + (s.columns - 1) * PITCH + margin))
    joined: list[tuple[int, int]] = []
    for left, right in sorted(found):
        if joined and left - joined[-1][1] < d.IMPLANT_SPACE:
            joined[-1] = joined[-1][0], max(joined[-1][1], right)
        else:
            joined.append((left, right))
    return joined


def _draw_implants(canvas: Canvas, routed_row: Routed) -> None:
    row = routed_row.row
    for left, right in _implanted(row.placed, "n"):
        bottom = routed_row.lower - max(row.finger("n"), 360)
        canvas.box("nplus", left, bottom - d.IMPLANT_GATE, right, routed_row.lower + d.IMPLANT_GATE)
    for left, right in _implanted(row.placed, "p"):
        top = routed_row.upper + max(row.finger("p"), 360)
        canvas.box("pplus", left, routed_row.upper - d.IMPLANT_GATE, right, top + d.IMPLANT_GATE)


def _draw_rails(canvas: Canvas, routed_row: Routed, left: int, right: int) -> None:
    """Rails with the taps below them, and the well; both leave out the surroundings of wells of their own."""
    height = routed_row.height
    welled = routed_row.row.finger("p") > 0  # the neighbour on the same rail draws a well of its own
    gaps = [
        (placed.column * PITCH + edges[0] - d.WELL_SPACE, placed.column * PITCH + edges[1] + d.WELL_SPACE)
        for placed in routed_row.row.placed
        for edges in map(well_of, placed.wells)
    ]
    for net, y, implant, pieces in (
        (LOWER, 0, "pplus", [(left, right)]),
        (UPPER, height, "nplus", _without(left, right, gaps, 0) if welled else []),
    ):
        if net not in routed_row.row.rails:
            continue
        canvas.box("metal1", left, y - d.RAIL, right, y + d.RAIL)
        for start, end in pieces:
            canvas.box("comp", start, y - d.TAP, end, y + d.TAP)
            canvas.box(implant, start - 160, y - d.TAP_IMPLANT, end + 160, y + d.TAP_IMPLANT)
            # on one grid, so that two rows on one rail have the same
            for x in range(-(-(start + PITCH // 2) // PITCH) * PITCH, end - PITCH // 2 + 1, PITCH):
                canvas.cut("contact", x, y)
    for start, end in _without(left, right, gaps, d.WELL) if welled else ():
        canvas.box("nwell", start - d.WELL, routed_row.upper - d.WELL, end + d.WELL, height + d.TAP_IMPLANT)


def _without(left: int, right: int, gaps: Sequence[tuple[int, int]], margin: int) -> list[tuple[int, int]]:
    """What gaps leave of a stretch, ``margin`` more at each gap; pieces too short for a tap are left out."""
    pieces, start = [], left
    for low, high in sorted(gaps):
        pieces.append((start, low - margin))
        start = max(start, high + margin)
    pieces.append((start, right))
    return [piece for piece in pieces if piece[1] - piece[0] >= 3 * PITCH]
