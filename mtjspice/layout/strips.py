"""Transistors as strips of active area crossed by gates: folding wide ones, joining neighbours.

Everything stands on a grid of columns (`PITCH`): each column holds one terminal, a source or drain or a gate, with a
wire of its own. A FET wider than the row is folded into fingers; FETs of equal width that meet in the same node share
the diffusion between them.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from mtjspice.errors import InputError
from mtjspice.layout.flat import Device

PITCH = 560  # nm: a metal of 280 and a space of 280
GRID = 5  # nm
MIN_LENGTH = 280
MIN_WIDTH = 220  # DF.2a
NARROW = 360  # nm: a FET narrower than this has ends wider than its channel, for the contacts (CO.1, CO.4)
WELL_COLUMNS = 5  # free ones on both sides of a FET in a well of its own: NW.2b
SHARED = 4  # gates with one contact at most
_SHARP = 1e-9


def nanometres(metres: float) -> int:
    """Round a size to the manufacturing grid, in nm."""
    return round(metres * 1e9 / GRID) * GRID


@dataclass(frozen=True)
class Unit:
    """One folded FET: ``nets`` are source or drain, gate, source or drain, gate, ... of its fingers, in nm.

    ``side`` is "n" or "p"; ``width`` that of one finger.
    """

    name: str
    side: str
    bulk: str
    width: int
    length: int
    nets: tuple[str, ...]

    @property
    def step(self) -> int:
        """Columns from a gate to the terminals beside it: one, or more where the channel is long."""
        beside = 260 if self.width >= NARROW else 280  # CO.7; PL.5b where the ends are wider than the channel
        return max(1, ceil((self.length / 2 + beside) / PITCH - _SHARP))

    @property
    def columns(self) -> int:
        """Columns from its first terminal to its last, both included."""
        return self.step * (len(self.nets) - 1) + 1

    def flipped(self) -> "Unit":
        """The same seen in a mirror."""
        return Unit(self.name, self.side, self.bulk, self.width, self.length, self.nets[::-1])

    def joins(self, left: "Unit") -> bool:
        """Whether it can share its first diffusion with the last one of ``left``."""
        return (
            self.nets[0] == left.nets[-1]
            and (self.side, self.bulk, self.width, self.length) == (left.side, left.bulk, left.width, left.length)
        )  # fmt: skip


def folded(device: Device, nets: tuple[str, ...], tallest: int) -> Unit:
    """Fold a FET into fingers of at most ``tallest`` (nm); ``nets`` are its drain, gate, source, bulk.

    An even number of fingers has its source at both ends. InputError for sizes that cannot be drawn.
    """
    length = nanometres(device.length)
    whole = device.width * 1e9
    each = ceil(whole / tallest - _SHARP)  # fingers of one of the parallel FETs
    width = nanometres(device.width / each)
    if width < MIN_WIDTH or length < MIN_LENGTH:
        raise InputError(
            f"layout of {device.full_name}: {device.width * 1e6:g} um by {device.length * 1e6:g} um cannot be drawn; "
            f"at least {MIN_WIDTH / 1e3:g} um (rule DF.2a) by {MIN_LENGTH / 1e3:g} um (rule PL.2) are allowed"
        )
    if abs(device.length * 1e9 - length) > 0.01:
        raise InputError(
            f"layout of {device.full_name}: a channel of {device.length * 1e6:g} um is off the grid of {GRID} nm; "
            f"allowed beside it: {length / 1e3:g} um"
        )
    drain, gate, source, bulk = nets
    fingers = each * device.multiplier
    ends = [source if k % 2 == 0 else drain for k in range(fingers + 1)]
    sequence = [ends[0]]
    for end in ends[1:]:
        sequence += [gate, end]
    return Unit(device.name, device.kind[0], bulk, width, length, tuple(sequence))


@dataclass(frozen=True)
class Strip:
    """Units side by side on one piece of active area, from ``column`` on."""

    column: int
    units: tuple[Unit, ...]

    @property
    def side(self) -> str:
        """Either "n" or "p"."""
        return self.units[0].side

    @property
    def bulk(self) -> str:
        """Net of the well, or of the substrate."""
        return self.units[0].bulk

    @property
    def width(self) -> int:
        """Of each finger, nm."""
        return self.units[0].width

    @property
    def length(self) -> int:
        """Of each channel, nm."""
        return self.units[0].length

    @property
    def step(self) -> int:
        """Columns from a gate to the terminals beside it."""
        return self.units[0].step

    @cached_property
    def nets(self) -> tuple[str, ...]:
        """Source or drain, gate, source or drain, gate, ..."""
        nets = list(self.units[0].nets)
        for unit in self.units[1:]:
            nets += unit.nets[1:]
        return tuple(nets)

    @property
    def columns(self) -> int:
        """Columns from its first terminal to its last, both included."""
        return self.step * (len(self.nets) - 1) + 1

    @property
    def own_well(self) -> bool:
        """Whether its well is not that of the supply; its tap then stands one column behind its last terminal."""
        return self.bulk not in ("vdd", "vss")

    @property
    def margin(self) -> int:
        """Columns on both sides that nothing else may use: for wells, and for the wider ends of narrow FETs."""
        return WELL_COLUMNS if self.own_well else int(self.width < NARROW)

    @property
    def end(self) -> int:
        """The first column that is free behind it."""
        return self.column + self.columns + self.margin

    @cached_property
    def terminals(self) -> tuple[tuple[int, str, bool], ...]:
        """Column, net, and whether it is a gate, of every terminal."""
        step = self.step
        return tuple((self.column + step * k, net, k % 2 == 1) for k, net in enumerate(self.nets))

    @cached_property
    def runs(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Nets and columns of gates that a bar of poly joins: neighbours on one net, `SHARED` at most."""
        found: list[tuple[str, tuple[int, ...]]] = []
        for column, net, _ in self.terminals[1::2]:
            if found and found[-1][0] == net and len(found[-1][1]) < SHARED:
                found[-1] = net, (*found[-1][1], column)
            else:
                found.append((net, (column,)))
        return tuple(found)


def packed(units: list[Unit], start: int = 0) -> list[Strip]:
    """Set units side by side, sharing what they can."""
    strips: list[Strip] = []
    column = start
    for unit in units:
        if strips and unit.joins(strips[-1].units[-1]):
            strips[-1] = Strip(strips[-1].column, (*strips[-1].units, unit))
        else:
            strips.append(Strip(column + Strip(0, (unit,)).margin, (unit,)))
        column = strips[-1].end
    return strips
