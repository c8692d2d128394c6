"""One row: n-channel FETs and junctions below, p-channel FETs above, tracks between them, supply rails outside.

What stands where, and which wires that asks for. `routing` gives the wires their tracks, `row_drawing` draws a row.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mtjspice.layout import dimensions as d
from mtjspice.layout.channel import Track
from mtjspice.layout.groups import Group
from mtjspice.layout.over import lifted, over_fets
from mtjspice.layout.strips import PITCH, Strip
from mtjspice.layout.terminals import Terminal

LOWER, UPPER = "vss", "vdd"


@dataclass(frozen=True)
class Placed:
    """A group with its first column."""

    group: Group = field(repr=False)
    column: int

    def terminals(self) -> list[Terminal]:
        """Every terminal that has a contact."""
        nets, found = self.group.nets, []
        contacts = self.group.arrangement.contacts
        for strip in self.group.arrangement.strips:
            found += [
                Terminal(self.column + column, nets[net], strip.side, gate)
                for column, net, gate in strip.terminals
                if ((strip.side, column) in contacts if gate else net not in self.group.bare)
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
    that the circuit has, at least one. ``inner`` are nets that are in no other row and not ports.
    """

    placed: tuple[Placed, ...]
    single: frozenset[str]
    rails: frozenset[str] = frozenset({LOWER, UPPER})
    inner: frozenset[str] = frozenset()

    @cached_property
    def columns(self) -> int:
        """Columns in use."""
        return max((p.column + p.group.arrangement.columns for p in self.placed), default=0)

    @cached_property
    def terminals(self) -> tuple[Terminal, ...]:
        """Terminals that need a wire to a track; rails that FETs inside need come up before the first column."""
        found: list[Terminal] = []
        before = min((placed.column for placed in self.placed), default=1) - 1
        rails: set[str] = set()
        for placed in self.placed:
            for terminal in placed.terminals():
                if terminal.net in self.single or on_rail(terminal):
                    continue
                found.append(terminal)
                rails |= {terminal.net} & {LOWER, UPPER}
        if LOWER in rails:
            found.append(Terminal(before, LOWER, "n", start=0))
        if UPPER in rails:
            found.append(Terminal(before, UPPER, "p", start=-1))
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
        return frozenset(lifted(self.terminals, self.over))

    @cached_property
    def over(self) -> Mapping[str, Track]:
        """Tracks over the FETs."""
        metal = {(t.column, t.side) for placed in self.placed for t in placed.terminals()}
        metal |= {(t.column, t.side) for t in self.terminals}
        for placed in self.placed:
            for strip in placed.group.arrangement.strips:
                metal |= {(placed.column + strip.column + k, strip.side) for k in range(strip.columns)}
            for bars in placed.group.arrangement.bars:
                metal |= {(placed.column + bars.column + k, side) for k in range(bars.columns) for side in "np"}
        pillars = {
            placed.column + pillar.column + k
            for placed in self.placed
            for pillar in placed.group.arrangement.pillars
            for k in range(pillar.columns)
        }
        return over_fets(self.terminals, metal, self.widths, self.inner & self.nets.keys(), self.pairs, pillars)

    def under(self, terminal: Terminal) -> bool:
        """Whether the track of a terminal's net lies over its own FET, so that a via joins them."""
        return terminal.net in self.over and self.over[terminal.net].over == terminal.side

    @cached_property
    def straight(self) -> frozenset[int]:
        """Columns where one wire joins two terminals of one net."""
        below = {(t.column, t.net) for t in self.terminals if t.side == "n"}
        return frozenset(t.column for t in self.terminals if t.side == "p" and (t.column, t.net) in below)

    @cached_property
    def widths(self) -> Mapping[tuple[int, str], int]:
        """Widths (nm) of the FETs whose sources and drains stand at a column of a side."""
        return {
            (placed.column + column, strip.side): strip.width
            for placed in self.placed
            for strip in placed.group.arrangement.strips
            for column, _, gate in strip.terminals
            if not gate
        }

    @cached_property
    def covered(self) -> frozenset[int]:
        """Columns that junctions cover in metal4."""
        first = [p.column + pillar.column for p in self.placed for pillar in p.group.arrangement.pillars]
        return frozenset(column + k for column in first for k in (1, 2))

    @cached_property
    def gate_bars(self) -> Mapping[tuple[int, str], int]:
        """Lengths (nm) of the bars of poly at contacts of gates."""
        return {
            (placed.column + column, side): (last - first) * PITCH
            for placed in self.placed
            for (side, column), (first, last) in placed.group.arrangement.contacts.items()
        }

    def holder(self, net: str) -> Terminal | None:
        """The terminal of a net on whose wire a stub can hang: one with its column in metal1, the outermost one."""
        return self._holders.get(net)

    @cached_property
    def _holders(self) -> Mapping[str, Terminal]:
        taken = {t.column for t in self.terminals if t.side == "n"}
        found: dict[str, Terminal] = {}
        for terminal in self.terminals:
            if terminal.net in self.over:  # a wire through the whole channel
                through = terminal.side == "n" and terminal.column in self.straight
            else:
                through = terminal.side == "n" or terminal.column not in taken
            if through:
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


def on_rail(terminal: Terminal) -> bool:
    """Whether a terminal goes straight to the rail on its side."""
    return not terminal.gate and terminal.start is None and terminal.net == (LOWER if terminal.side == "n" else UPPER)


def strips_of(group: Group, side: str) -> tuple[Strip, ...]:
    """The strips of a group on one side."""
    return tuple(strip for strip in group.arrangement.strips if strip.side == side)
