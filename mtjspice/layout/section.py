"""Sections through a junction of a layout: which layers a cut meets, from where to where, and at which height.

A cut goes straight through the middle of a pillar, along x or y. Where that shows more of the transistor and of the
wires to it, it turns once, by a right angle, at a contact. Heights are those of `mtjspice.layout.process`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot, pi, sqrt
from typing import TYPE_CHECKING, Any

from mtjspice.errors import InputError
from mtjspice.layout.layers import CUTS, DATABASE_UNIT, LAYERS, METALS
from mtjspice.layout.process import STACK, Slab
from mtjspice.layout.require import klayout_db

if TYPE_CHECKING:
    import klayout.db as kdb

REACH = 3000  # nm: what lies farther from the pillar is not cut
PAST = 700  # nm: a cut goes on so far past the last thing that it should show
SHOWN = ("comp", "poly", *CUTS, *METALS, "mtj_bottom", "mtj", "mtj_top")
GATE_WORTH = 3  # layers
TRIED = 8  # pillars, spread over the cell

Point = tuple[int, int]  # nm
Interval = tuple[int, int]  # nm along a path


@dataclass(frozen=True)
class Piece:
    """A rectangle of a section: a layer from ``start`` to ``end`` along the path and from ``bottom`` to ``top``, um."""

    layer: str
    start: float
    end: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Section:
    """A section; lengths in um.

    ``path`` are the points of the layout that the cut goes through, ``turns`` the distances along it at which it turns,
    ``length`` that of all of it. ``junction`` is the distance of the pillar's middle, ``diameter`` that of the circle
    of the pillar's area. ``pieces`` are in the order in which they are drawn.
    """

    path: tuple[tuple[float, float], ...]
    turns: tuple[float, ...]
    length: float
    junction: float
    diameter: float
    pieces: tuple[Piece, ...]

    def of(self, layer: str) -> tuple[Piece, ...]:
        """Pieces of a layer, from the first to the last."""
        return tuple(piece for piece in self.pieces if piece.layer == layer)


def cut(layout: "kdb.Layout", cell: "kdb.Cell") -> Section:
    """Cut a cell through the one of its pillars (of several, `TRIED` are tried) where the cut shows the most.

    Of equal ones it is a straight one, the shortest, then the lowest, then the leftmost. InputError for a cell without
    a pillar.
    """
    if abs(layout.dbu - DATABASE_UNIT) > DATABASE_UNIT * 1e-9:
        raise InputError(f"section: the database unit is {layout.dbu:g} um, it must be {DATABASE_UNIT:g} um")
    pillars = _region(layout, cell, "mtj", None)
    if pillars.is_empty():
        raise InputError(f"section: cell {cell.name} has no junction to cut through")
    ordered = sorted(pillars.each(), key=lambda polygon: (polygon.bbox().center().y, polygon.bbox().center().x))
    best: tuple[tuple[int, int, int], Any, dict[str, Any], tuple[Point, ...]] | None = None
    for index in sorted({round(k * (len(ordered) - 1) / (TRIED - 1)) for k in range(TRIED)}):
        middle = ordered[index].bbox().center()
        around = klayout_db().Box(middle, middle).enlarged(REACH, REACH)
        regions = {name: _region(layout, cell, name, around) for name in (*SHOWN, "nplus", "pplus")}
        for path in _paths(regions, (middle.x, middle.y)):
            rank = _worth(regions, path), -len(path), -_length(path)
            if best is None or rank > best[0]:
                best = rank, ordered[index], regions, path
    assert best is not None
    _, pillar, regions, path = best
    middle = pillar.bbox().center()
    turns = [_length(path[: k + 1]) for k in range(1, len(path) - 1)]
    return Section(
        tuple((x * DATABASE_UNIT, y * DATABASE_UNIT) for x, y in path),
        tuple(turn * DATABASE_UNIT for turn in turns),
        _length(path) * DATABASE_UNIT,
        _distance(path, (middle.x, middle.y)) * DATABASE_UNIT,
        2 * sqrt(pillar.area() / pi) * DATABASE_UNIT,
        tuple(_pieces(regions, path)),
    )


def _region(layout: "kdb.Layout", cell: "kdb.Cell", name: str, around: Any) -> Any:
    kdb = klayout_db()
    index = layout.find_layer(*LAYERS[name])
    if index is None:
        return kdb.Region()
    if around is None:
        return kdb.Region(cell.begin_shapes_rec(index)).merged()
    return (kdb.Region(cell.begin_shapes_rec_touching(index, around)) & kdb.Region(around)).merged()


# --- where to cut --------------------------------------------------------------------------------------------


def _paths(regions: dict[str, Any], middle: Point) -> Iterator[tuple[Point, ...]]:
    """Straight cuts along x and y, and those that turn at a contact; trimmed to what is worth showing."""
    x, y = middle
    for dx, dy in ((1, 0), (0, 1)):
        start, end = (x - dx * REACH, y - dy * REACH), (x + dx * REACH, y + dy * REACH)
        things = [i for name in (*CUTS, "comp") for i in _met(regions[name], (start, end))]
        plates = [i for name in ("metal3", "metal4") for i in _met(regions[name], (start, end))]
        things += [plate for plate in plates if plate[0] <= REACH <= plate[1]]  # those that the pillar joins
        low = min([REACH, *(a for a, _ in things)]) - PAST
        high = max([REACH, *(b for _, b in things)]) + PAST
        low, high = max(low, 0), min(high, 2 * REACH)

        def at(distance: int, origin: Point = start, way: Point = (dx, dy)) -> Point:
            return origin[0] + way[0] * distance, origin[1] + way[1] * distance

        yield at(low), at(high)
        for a, b in _met(regions["contact"], (start, end)):
            turn = (a + b) // 2
            corner = at(turn)
            last = max([i for i in _beyond(things, turn) if i[1] > REACH - 1], key=lambda i: i[1], default=None)
            far = at(min(high, max(REACH, 0 if last is None else last[1]) + PAST) if turn < REACH else max(low, 0))
            for sign in (1, -1):
                outer = corner[0] + sign * dy * REACH, corner[1] + sign * dx * REACH
                active = [i for i in _met(regions["comp"], (corner, outer)) if i[0] == 0]
                if active:
                    stop = min(active[0][1] + PAST, REACH)
                    leg = corner[0] + sign * dy * stop, corner[1] + sign * dx * stop
                    yield leg, corner, far


def _beyond(things: Sequence[Interval], turn: int) -> list[Interval]:
    return [thing for thing in things if thing[1] > turn]


def _worth(regions: dict[str, Any], path: Sequence[Point]) -> int:
    """How many layers a cut shows, and whether a gate."""
    layers = sum(bool(_met(regions[name], path)) for name in SHOWN)
    gate = _met(regions["comp"] & regions["poly"], path)
    return layers + (GATE_WORTH if gate else 0)


def _length(path: Sequence[Point]) -> int:
    return sum(round(hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(path))


def _distance(path: Sequence[Point], point: Point) -> int:
    """Distance along a path of a point on its last leg."""
    return _length((*path[:-1], point))


# --- what is met ---------------------------------------------------------------------------------------------


def _met(region: Any, path: Sequence[Point]) -> list[Interval]:
    """Where a path lies inside a region and not on its edge, as distances along it; corners do not divide intervals."""
    kdb = klayout_db()
    found: list[Interval] = []
    before = 0
    for a, b in pairwise(path):
        leg = kdb.Edge(*a, *b)
        for part in kdb.Edges([leg]).inside_part(region).each():
            ends = sorted(round(hypot(p.x - a[0], p.y - a[1])) for p in (part.p1, part.p2))
            found.append((before + ends[0], before + ends[1]))
        before += leg.length()
    joined: list[Interval] = []
    for start, end in sorted(found):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        elif end > start:
            joined.append((start, end))
    return joined


def _pieces(regions: dict[str, Any], path: Sequence[Point]) -> Iterator[Piece]:
    poly = regions["poly"]
    for name in SHOWN:
        if name == "contact":
            on_poly = regions[name] & poly
            yield from _slabs(name, on_poly, path, Slab(STACK["poly"].top, STACK[name].top))
            yield from _slabs(name, regions[name] - on_poly, path, STACK[name])
            continue
        yield from _slabs(name, regions[name], path, STACK[name])
        if name == "comp":
            for implant in ("nplus", "pplus"):
                yield from _slabs(implant, (regions[name] & regions[implant]) - poly, path, STACK["implant"])


def _slabs(name: str, region: Any, path: Sequence[Point], slab: Slab) -> Iterator[Piece]:
    for start, end in _met(region, path):
        yield Piece(name, start * DATABASE_UNIT, end * DATABASE_UNIT, slab.bottom, slab.top)
