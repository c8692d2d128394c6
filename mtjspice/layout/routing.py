"""Tracks and heights of a row (`mtjspice.layout.row`).

Where wires run is settled in two steps, since lines between rows (`stack`) join tracks at columns that no wire in
metal3 uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mtjspice.layout import dimensions as d
from mtjspice.layout.channel import Track, ordered, routed
from mtjspice.layout.fets import bar_end
from mtjspice.layout.row import Row
from mtjspice.layout.terminals import Terminal

STUB_START = 3  # columns of a track that make up for the end of a stub and the wire to it
_STUB = "+"  # before the name of a net: its stub


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
        if track.over:
            far = d.OVER + track.index * d.TRACK
            return self.lower - far if track.over == "n" else self.upper + far
        return self.lower + d.FIRST_TRACK + track.index * d.TRACK

    def ends(self, terminal: Terminal) -> tuple[int, ...]:
        """Heights of the tracks that a terminal's wire goes to: none, its net's, and that of the net's stub."""
        if terminal.net not in self.tracks:
            return ()
        row = self.row
        joined = terminal.net in row.over and (row.under(terminal) or terminal.column in row.straight)
        found = [] if joined else [self.track(terminal.net)]
        stub = self.stubs.get(terminal.net)
        if stub is not None and terminal == row.holder(terminal.net) and terminal.column in (stub.left, stub.right):
            found.append(self.level(stub))
        return tuple(found)


def route(row: Row, joints: Mapping[str, tuple[int, ...]], ports: frozenset[str], longer: Mapping[str, int]) -> Routed:
    """Give every net that needs one a track: those of two columns, of a line between rows, and ports.

    Nets in ``longer`` have metal2 of so many columns more, or of as many as there is room for.
    """
    spans = {}
    for net, columns in row.nets.items():
        if net in row.over:
            continue
        all_ = sorted({*columns, *joints.get(net, ())})
        if len(all_) > 1 or net in joints or net in ports or not _straight(row, net):
            spans[net] = all_[0], all_[-1]
    for net, columns in joints.items():
        if net not in spans and net in row.nets:
            spans[net] = min(columns), max(columns)
    low = [t.net for t in row.terminals if t.side == "n"]
    for a, b in row.pairs:
        if a in spans and b in spans:  # equally long, before one of them is made longer
            _equalize(spans, a, b)
    for net, more in longer.items():
        if more and (net in spans or net in row.over):
            _lengthen(row, spans, net, more)
    tracks, count = routed(spans, row.pairs, low)
    tracks = ordered(tracks, count, row.pairs, row.pull)
    return Routed(
        row,
        {**{net: track for net, track in tracks.items() if not net.startswith(_STUB)}, **row.over},
        count,
        {net: c for net, c in joints.items() if net in row.nets},
        {net.removeprefix(_STUB): track for net, track in tracks.items() if net.startswith(_STUB)},
    )


def _equalize(spans: dict[str, tuple[int, int]], a: str, b: str) -> None:
    """Make the shorter track of a pair as long as the other, to where that one lies."""
    short, long = sorted((a, b), key=lambda net: spans[net][1] - spans[net][0])
    (left, right), (first, last) = spans[short], spans[long]
    missing = last - first - (right - left)
    rightwards = min(missing, max(0, last - right))
    spans[short] = left - (missing - rightwards), right + rightwards


def _lengthen(row: Row, spans: dict[str, tuple[int, int]], net: str, columns: int) -> None:
    """Give a net so many columns more of metal2: few at an end of its track, many as a stub."""
    if net in spans and columns <= STUB_START:
        left, right = spans[net]
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


def _straight(row: Row, net: str) -> bool:
    """Whether one wire in one column connects all of a net: not where it has metal3 in it."""
    return row.nets[net][0] not in row.lifted
