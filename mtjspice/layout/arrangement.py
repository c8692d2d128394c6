"""Where the devices of one circuit stand: an order for its n-channel and one for its p-channel FETs.

A good order shares diffusions, and has gates and drains of complementary FETs face each other, so that one straight
wire connects them. It is found by exchanging and turning FETs as long as that helps; circuits that are symmetric
(`symmetry`) get one half, and its mirror image as the other.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise
from math import ceil

from mtjspice.layout.flat import Device
from mtjspice.layout.strips import Strip, Unit, packed

RAILS = {"n": "vss", "p": "vdd"}
PASSES = 4  # through all exchanges
MOST = 10  # units beyond which only neighbours are exchanged

SHEET = 1000.0  # ohm per square of high-resistance poly
BAR_SQUARES = 8.0  # the most in one bar, 1 um wide: those of a row of least height
BAR_COLUMNS = 3


@dataclass(frozen=True)
class Pillar:
    """A junction, or the two pillars of a reference, between a ``bottom`` and a ``top`` net: three columns."""

    column: int
    bottom: str
    top: str
    diameters: tuple[float, ...]

    columns = 3


@dataclass(frozen=True)
class Bars:
    """A resistor (ohm) between ``a`` and ``b``: an even number of ``count`` bars of poly, to and fro."""

    column: int
    a: str
    b: str
    resistance: float
    count: int

    @property
    def columns(self) -> int:
        """Width, with the clearance to other devices on both sides."""
        return BAR_COLUMNS * self.count + 2


@dataclass(frozen=True)
class Arrangement:
    """Strips of both sides, junctions and resistors, by column; ``columns`` is the whole width."""

    strips: tuple[Strip, ...]
    pillars: tuple[Pillar, ...]
    bars: tuple[Bars, ...]
    columns: int

    @cached_property
    def contacts(self) -> Mapping[tuple[str, int], tuple[int, int]]:
        """Side and column of every gate's contact; the first and the last column of the gates that share it.

        It is where the other side has the same net, or else nothing, nearest to the middle: symmetric circuits
        stay symmetric.
        """
        nets = {(s.side, column): net for s in self.strips for column, net, _ in s.terminals}

        def badness(side: str, column: int, net: str) -> tuple[int, float]:
            other = nets.get(("p" if side == "n" else "n", column))
            return (0 if other == net else 1 if other in (None, *RAILS.values()) else 2), abs(2 * column - self.columns)

        found = {}
        for strip in self.strips:
            for net, gates in strip.runs:
                best = min(gates, key=lambda column: badness(strip.side, column, net))
                found[strip.side, best] = gates[0], gates[-1]
        return found


def arranged(units: Sequence[Unit], others: Sequence[Device], local: Mapping[str, tuple[str, ...]],
             mirror: Mapping[str, str]) -> Arrangement:  # fmt: skip
    """Arrange FETs, then ``others``: junctions and resistors, whose nets are ``local``.

    ``mirror`` maps nets to their images in symmetric circuits.
    """
    halves = _halves(units, mirror) if mirror else None
    if halves is None:
        n, p = _improved([u for u in units if u.side == "n"], [u for u in units if u.side == "p"])
        strips = [*_placed(n, p)]
    else:
        strips = _mirrored(*halves, mirror)
    bars: list[Bars] = []
    column = 0
    for device in others:
        if device.kind == "resistor":
            a, b = local[device.name]
            count = 2 * max(1, ceil(device.resistance / SHEET / BAR_SQUARES / 2 - 1e-9))
            bars.append(Bars(column, a, b, device.resistance, count))
            column += bars[-1].columns
    # resistors to the left of everything: the other nets need not pass them
    strips = [Strip(strip.column + column, strip.units) for strip in strips]
    column = max((s.end for s in strips), default=column)
    found: list[Pillar] = []
    groups: dict[tuple[str, ...], list[float]] = {}
    for device in others:
        if device.kind == "mtj":
            groups.setdefault(local[device.name], []).append(device.diameter)
    for (top, bottom), diameters in groups.items():
        found.append(Pillar(column, bottom, top, tuple(diameters)))
        column += Pillar.columns
    return Arrangement(tuple(strips), tuple(found), tuple(bars), column)


# --- search --------------------------------------------------------------------------------------------------


def _improved(n: list[Unit], p: list[Unit]) -> tuple[list[Unit], list[Unit]]:
    """Exchange and turn units until nothing gets better."""
    best, cost = (n, p), _cost(_placed(n, p))
    for _ in range(PASSES):
        before = cost
        for trial in _neighbours(*best):
            value = _cost(_placed(*trial))
            if value < cost - 1e-9:
                best, cost = trial, value
        if cost >= before - 1e-9:
            break
    return best


def _neighbours(n: list[Unit], p: list[Unit]) -> Iterator[tuple[list[Unit], list[Unit]]]:
    """All arrangements that differ by one unit or two turned, or by two on one side exchanged, turned or not."""
    both = [*n, *p]
    near = len(both) <= MOST

    def split(units: list[Unit]) -> tuple[list[Unit], list[Unit]]:
        return units[: len(n)], units[len(n) :]

    def turned(units: list[Unit], *which: int) -> list[Unit]:
        return [unit.flipped() if k in which else unit for k, unit in enumerate(units)]

    for k in range(len(both)):
        yield split(turned(both, k))
    for a, b in combinations(range(len(both)), 2) if near else pairwise(range(len(both))):
        yield split(turned(both, a, b))
    for side in (range(len(n)), range(len(n), len(both))):
        for a, b in combinations(side, 2) if near else pairwise(side):
            swapped = list(both)
            swapped[a], swapped[b] = swapped[b], swapped[a]
            for which in ((), (a,), (b,), (a, b)):
                yield split(turned(swapped, *which))


def _placed(n: list[Unit], p: list[Unit]) -> list[Strip]:
    """Pack the n-channel side; shift each p-channel strip to where most of its terminals face equal nets."""
    below = packed(n)
    faces = {column: net for strip in below for column, net, _ in strip.terminals}
    above: list[Strip] = []
    column = 0
    for strip in packed(p):
        start = column + strip.margin
        best = max(range(5), key=lambda shift: (_facing(strip, start + shift, faces) - shift, -shift))
        above.append(Strip(column + best + strip.margin, strip.units))
        column = above[-1].end
    return [*below, *above]


def _facing(strip: Strip, column: int, faces: Mapping[int, str]) -> float:
    """Terminals that face their own net, less those that face another's wire."""
    value = 0.0
    for k, net in enumerate(strip.nets):
        other = faces.get(column + k * strip.step)
        if other is None or net == RAILS["p"] or other == RAILS["n"]:
            continue
        value += 2.0 if other == net else -1.0
    return value


def _cost(strips: Sequence[Strip]) -> float:
    """Width, crossings of wires and their lengths, in columns."""
    width = max((s.end for s in strips), default=0)
    at: dict[tuple[int, str], str] = {}
    spans: dict[str, tuple[int, int]] = {}
    for strip in strips:
        rail = RAILS[strip.side]
        for column, net, gate in strip.terminals:
            if net == rail and not gate:
                continue
            at[column, strip.side] = net
            low, high = spans.get(net, (column, column))
            spans[net] = min(low, column), max(high, column)
    crossings = sum(1 for (column, side), net in at.items() if side == "n" and at.get((column, "p"), net) != net)
    return 1.5 * width + crossings + 0.2 * sum(high - low for low, high in spans.values())


# --- symmetry ------------------------------------------------------------------------------------------------


def _halves(units: Sequence[Unit], mirror: Mapping[str, str]) -> tuple[list[Unit], list[Unit]] | None:
    """One half of a symmetric circuit, and what is its own image; None where the nets are not symmetric."""
    left = list(units)
    half: list[Unit] = []
    own: list[Unit] = []
    keys = Counter(_key(u) for u in units)
    if keys != Counter(_key(_image(u, mirror)) for u in units):
        return None
    while left:
        unit = left.pop(0)
        image = _key(_image(unit, mirror))
        if image == _key(unit):
            own.append(unit)
            continue
        partner = next(k for k, other in enumerate(left) if _key(other) == image)
        left.pop(partner)
        half.append(unit)
    return half, own


def _image(unit: Unit, mirror: Mapping[str, str]) -> Unit:
    nets = tuple(mirror.get(net, net) for net in unit.nets)
    return Unit(unit.name, unit.side, mirror.get(unit.bulk, unit.bulk), unit.width, unit.length, nets)


def _key(unit: Unit) -> tuple[object, ...]:
    return unit.side, unit.bulk, unit.width, unit.length, min(unit.nets, unit.nets[::-1])


def _mirrored(half: list[Unit], own: list[Unit], mirror: Mapping[str, str]) -> list[Strip]:
    """Right half, what is its own image in the middle, and the left half as the image of the right one."""
    n, p = _improved([u for u in half if u.side == "n"], [u for u in half if u.side == "p"])
    right = _placed(n, p)
    extent = {side: max((s.end for s in right if s.side == side), default=0) for side in "np"}
    middle = {side: [u for u in own if u.side == side] for side in "np"}
    widths = {side: sum(u.columns for u in middle[side]) for side in "np"}
    gap = max(widths.values())
    reach = max(extent.values())
    strips: list[Strip] = []
    for strip in right:
        strips.append(Strip(reach + gap + strip.column, strip.units))
        image = tuple(_image(u, mirror).flipped() for u in reversed(strip.units))
        strips.append(Strip(reach - strip.column - strip.columns, image))
    for side in "np":
        start = reach + (gap - widths[side]) // 2
        for unit in middle[side]:
            strips.append(Strip(start, (unit,)))
            start += unit.columns
    return sorted(strips, key=lambda s: (s.side, s.column))
