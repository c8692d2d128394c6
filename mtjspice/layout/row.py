"""One row: n-channel FETs and junctions below, p-channel FETs above, tracks between them, supply rails outside.

A row is drawn upright, its lower rail around y = 0. Where its wires run is settled in two steps, since lines between
rows (`stack`) join tracks at columns that no wire in metal3 uses.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from mtjspice.layout import dimensions as d
from mtjspice.layout.canvas import Canvas
from mtjspice.layout.channel import Track, ordered, routed
from mtjspice.layout.fets import bar_end, well_of
from mtjspice.layout.groups import Group
from mtjspice.layout.strips import PITCH, Strip

LOWER, UPPER = "vss", "vdd"


@dataclass(frozen=True)
class Terminal:
    """The end of a wire: at ``column`` on the side "n" or "p".

    It starts at ``start`` (nm), by default at the metal of a FET's terminal or gate.
    """

    column: int
    net: str
    side: str
    gate: bool = False
    start: int | None = None


@dataclass(frozen=True)
class Placed:
    """A group with its first column."""

    group: Group = field(repr=False)
    column: int

    def terminals(self) -> list[Terminal]:
        """Every terminal that has a contact."""
        nets, found = self.group.nets, []
        for strip in self.group.arrangement.strips:
            found += [
                Terminal(self.column + column, nets[net], strip.side, gate)
                for column, net, gate in strip.terminals
                if gate or net not in self.group.bare
            ]
        for pillar in self.group.arrangement.pillars:
            found.append(Terminal(self.column + pillar.column, nets[pillar.bottom], "n"))
            found.append(Terminal(self.column + pillar.column + 2, nets[pillar.top], "n"))
        for strip in self.wells:
            found.append(Terminal(self.column + strip.column + strip.columns, nets[strip.bulk], "p"))
        for bars in self.group.arrangement.bars:
            start, first = d.BAR_START + d.BAR_CONTACT, self.column + bars.column
            found.append(Terminal(first, nets[bars.a], "n", start=start))
            found.append(Terminal(first + bars.columns - 1, nets[bars.b], "n", start=start))
        return found

    @property
    def wells(self) -> tuple[Strip, ...]:
        """Strips with a well of their own."""
        return tuple(strip for strip in self.group.arrangement.strips if strip.own_well)


@dataclass(frozen=True)
class Row:
    """Groups side by side.

    ``single`` are nets of the whole circuit that one terminal alone has: they need no wire. ``rails`` are the supplies
    that the circuit has, at least one.
    """

    placed: tuple[Placed, ...]
    single: frozenset[str]
    rails: frozenset[str] = frozenset({LOWER, UPPER})

    @cached_property
    def columns(self) -> int:
        """Columns in use."""
        return max((p.column + p.group.arrangement.columns for p in self.placed), default=0)

    @cached_property
    def terminals(self) -> tuple[Terminal, ...]:
        """Terminals that need a wire to a track; rails that FETs inside need come up in column 0."""
        found: list[Terminal] = []
        rails: set[str] = set()
        for placed in self.placed:
            for terminal in placed.terminals():
                if terminal.net in self.single or _on_rail(terminal):
                    continue
                found.append(terminal)
                rails |= {terminal.net} & {LOWER, UPPER}
        if LOWER in rails:
            found.append(Terminal(0, LOWER, "n", start=0))
        if UPPER in rails:
            found.append(Terminal(0, UPPER, "p", start=-1))
        return tuple(found)

    @cached_property
    def nets(self) -> Mapping[str, tuple[int, ...]]:
        """Columns of each net's wires."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for terminal in self.terminals:
            found[terminal.net].append(terminal.column)
        return {net: tuple(sorted(set(columns))) for net, columns in found.items()}

    @cached_property
    def lifted(self) -> frozenset[int]:
        """Columns whose upper wire is in metal3."""
        below = {t.column: t.net for t in self.terminals if t.side == "n"}
        return frozenset(t.column for t in self.terminals if t.side == "p" and below.get(t.column, t.net) != t.net)

    @cached_property
    def covered(self) -> frozenset[int]:
        """Columns that junctions cover in metal4."""
        first = [p.column + pillar.column for p in self.placed for pillar in p.group.arrangement.pillars]
        return frozenset(column + k for column in first for k in (1, 2))

    def holder(self, net: str) -> Terminal | None:
        """The terminal of a net on whose wire a stub can hang: one with its column in metal1, the outermost one."""
        return self._holders.get(net)

    @cached_property
    def _holders(self) -> Mapping[str, Terminal]:
        taken = {t.column for t in self.terminals if t.side == "n"}
        found: dict[str, Terminal] = {}
        for terminal in self.terminals:
            if terminal.side == "n" or terminal.column not in taken:
                before = found.get(terminal.net)
                if before is None or self._room(terminal) > self._room(before):
                    found[terminal.net] = terminal
        return found

    def _room(self, terminal: Terminal) -> int:
        """Columns to the farther end of the row."""
        return max(terminal.column, self.columns - terminal.column)

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Differential pairs."""
        return tuple(dict.fromkeys(pair for placed in self.placed for pair in placed.group.pairs))

    @cached_property
    def pull(self) -> Mapping[str, int]:
        """Wires of each net from below less those from above; wires that run all through do not count."""
        found: defaultdict[str, int] = defaultdict(int)
        nets: dict[str, dict[int, str]] = {"n": {}, "p": {}}
        for terminal in self.terminals:
            nets[terminal.side][terminal.column] = terminal.net
        for side, other, way in (("n", "p", 1), ("p", "n", -1)):
            for column, net in nets[side].items():
                if nets[other].get(column) != net:
                    found[net] += way
        return found

    def finger(self, side: str) -> int:
        """The widest finger of a side (nm), 0 without FETs; junctions need 600."""
        widths = [s.width for p in self.placed for s in p.group.arrangement.strips if s.side == side]
        if side == "n" and any(p.group.arrangement.pillars for p in self.placed):
            widths.append(600)
        return max(widths, default=0)


def _on_rail(terminal: Terminal) -> bool:
    return not terminal.gate and terminal.start is None and terminal.net == (LOWER if terminal.side == "n" else UPPER)


# --- heights and tracks --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Routed:
    """A row with its tracks: ``joints`` are columns where a net's line between rows joins its track.

    ``stubs`` are further tracks that nets have for their capacitance alone; each hangs on a terminal's wire at one of
    its ends.
    """

    row: Row
    tracks: Mapping[str, Track]
    count: int
    joints: Mapping[str, tuple[int, ...]]
    stubs: Mapping[str, Track]

    @cached_property
    def lower(self) -> int:
        """Upper edge of the n-channel FETs."""
        return d.FIRST + max(self.row.finger("n"), 600)

    @cached_property
    def upper(self) -> int:
        """Lower edge of the p-channel FETs."""
        gates = any(t.gate and t.side == "p" and t.column in self.row.lifted for t in self.row.terminals)
        last = self.lower + d.FIRST_TRACK + max(self.count - 1, 0) * d.TRACK
        return max(last + (d.LIFTED_TRACK if gates else d.LAST_TRACK), self.lower + d.APART)

    @cached_property
    def height(self) -> int:
        """From rail to rail; a well of its own keeps away from that of the rail, and resistors need their room."""
        apart = d.WELL_SPACE if any(placed.wells for placed in self.row.placed) else 0
        ends = [bar_end(b) + d.BAR_START for p in self.row.placed for b in p.group.arrangement.bars]
        return max([self.upper + max(self.row.finger("p"), 600) + d.FIRST + apart, *ends])

    def track(self, net: str) -> int:
        """Height of a net's track."""
        return self.level(self.tracks[net])

    def level(self, track: Track) -> int:
        """Height of a track."""
        return self.lower + d.FIRST_TRACK + track.index * d.TRACK

    def ends(self, terminal: Terminal) -> tuple[int, ...]:
        """Heights of the tracks that a terminal's wire goes to: none, its net's, and that of the net's stub."""
        if terminal.net not in self.tracks:
            return ()
        found = [self.track(terminal.net)]
        stub = self.stubs.get(terminal.net)
        if (
            stub is not None
            and terminal == self.row.holder(terminal.net)
            and terminal.column in (stub.left, stub.right)
        ):
            found.append(self.level(stub))
        return tuple(found)


def route(row: Row, joints: Mapping[str, tuple[int, ...]], ports: frozenset[str], longer: Mapping[str, int]) -> Routed:
    """Give every net that needs one a track: those of two columns, of a line between rows, and ports.

    Nets in ``longer`` have metal2 of so many columns more, or of as many as there is room for.
    """
    spans = {}
    for net, columns in row.nets.items():
        all_ = sorted({*columns, *joints.get(net, ())})
        if len(all_) > 1 or net in joints or net in ports or not _straight(row, net):
            spans[net] = all_[0], all_[-1]
    for net, columns in joints.items():
        if net not in spans and net in row.nets:
            spans[net] = min(columns), max(columns)
    low = [t.net for t in row.terminals if t.side == "n"]
    for a, b in row.pairs:
        if a in spans and b in spans:  # equally long, before one of them is made longer
            spans[a] = spans[b] = min(spans[a][0], spans[b][0]), max(spans[a][1], spans[b][1])
    for net, more in longer.items():
        if net in spans and more:
            _lengthen(row, spans, net, more)
    tracks, count = routed(spans, row.pairs, low)
    tracks = ordered(tracks, count, row.pairs, row.pull)
    return Routed(
        row,
        {net: track for net, track in tracks.items() if not net.startswith(_STUB)},
        count,
        {net: c for net, c in joints.items() if net in row.nets},
        {net.removeprefix(_STUB): track for net, track in tracks.items() if net.startswith(_STUB)},
    )


def _lengthen(row: Row, spans: dict[str, tuple[int, int]], net: str, columns: int) -> None:
    """Give a net so many columns more of metal2: few at an end of its track, many as a stub."""
    left, right = spans[net]
    if columns <= STUB_START:
        if right + columns < row.columns:
            spans[net] = left, right + columns
            return
        if left >= columns:
            spans[net] = left - columns, right
            return
    holder = row.holder(net)
    columns = max(1, columns - STUB_START)
    if holder is not None:
        rightwards = holder.column + columns < row.columns or holder.column < row.columns / 2
        reach = min(holder.column + columns, row.columns - 1) if rightwards else max(holder.column - columns, 0)
        if reach != holder.column:
            spans[_STUB + net] = min(holder.column, reach), max(holder.column, reach)


STUB_START = 3  # columns of a track that make up for the end of a stub and the wire to it
_STUB = "+"  # before the name of a net: its stub


def _straight(row: Row, net: str) -> bool:
    """Whether one wire in one column connects all of a net: not where it has metal3 in it."""
    return row.nets[net][0] not in row.lifted


# --- drawing -------------------------------------------------------------------------------------------------


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
            if _on_rail(terminal):
                end = (0, lower - 50) if terminal.side == "n" else (upper + 50, height)
                canvas.box("metal1", x - d.HALF, end[0], x + d.HALF, end[1])
            elif terminal.net in row.single and terminal.gate:
                y = lower + d.GATE_CONTACT if terminal.side == "n" else upper - d.GATE_CONTACT
                canvas.box("metal1", x - d.HALF, y - d.PAD + 90, x + d.HALF, y + d.PAD - 90)
    below = {t.column: t for t in row.terminals if t.side == "n"}
    above = {t.column: t for t in row.terminals if t.side == "p"}
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


def strips_of(group: Group, side: str) -> tuple[Strip, ...]:
    """The strips of a group on one side."""
    return tuple(strip for strip in group.arrangement.strips if strip.side == side)
