"""Capacitances of the wires of a layout, between nets and to the substrate, 2.5-dimensional.

Of what is drawn on the levels of `mtjspice.layout.wires`:

* Area: every piece of a plate couples to the first conductor below it, of whatever level; what lies under that, and the
  substrate, is shielded.
* Sidewall: an edge couples to the nearest edge of its level that it faces.
* Fringe: an edge couples to plates above and below it, up to the nearest edge of its own level; of plates on top of
  each other to the nearest. What is nearer to the edge gets more.

Not counted, as the transistors' models have it: gate to channel, gate to source and drain, and all junctions. Cuts and
pillars have none here. n-wells are nets, not substrate. Half of what the body of a resistor has is at each of its ends.

The laws and numbers are those of the public tables, the method is that of magic and klayout-pex; written anew, with
arrays, for thousands of shapes a second. A field solver would differ by tens of percent for single couplings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.layout import wires
from mtjspice.layout.extract import CONDUCTORS, Extracted
from mtjspice.layout.intervals import Integers, Pieces, extents, first_of_each, overlapping
from mtjspice.layout.layers import METALS
from mtjspice.layout.require import klayout_db

_LEVEL_OF = {
    "nwell": "substrate",
    **dict.fromkeys(("n_active", "p_active", "p_tap", "n_tap"), "active"),
    "poly": "poly",
    "body": "poly",
    **{metal: metal for metal in METALS},
}
_LAYERS = (*CONDUCTORS, "body")
_NOBODY = -1  # in the place of a net: the bare substrate
_UM = 1e-3  # um in a database unit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Capacitances:
    """Capacitances (F) of nets, which are indices of `Extracted.nets`.

    ``ground`` is to the bare substrate; ``coupling`` is between two nets, the smaller index first, and has that to
    wires and wells of supplies too.
    """

    ground: Mapping[int, float] = field(repr=False)
    coupling: Mapping[tuple[int, int], float] = field(repr=False)

    def between(self, a: int, b: int) -> float:
        """Return the coupling of two nets."""
        return self.coupling.get((min(a, b), max(a, b)), 0.0)

    def total(self, net: int) -> float:
        """Return all that a net sees with every other net held."""
        return self.ground.get(net, 0.0) + sum(value for pair, value in self.coupling.items() if net in pair)


def capacitances(extracted: Extracted) -> Capacitances:
    """Compute the capacitances of the wires of an extracted layout.

    InputError where a conductor has an edge that is neither horizontal nor vertical.
    """
    bodies = _bodies(extracted)
    shapes = _shapes(extracted, bodies)
    found = _Sums(len(extracted.nets), [ends for _, ends in bodies])
    _areas(extracted, shapes, found)
    for turn in range(4):
        _edges(shapes, turn, found)
    return found.result()


# --- shapes --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Shapes:
    """Boxes (left, bottom, right, top) and edges of all conductors, in database units.

    Boxes of one net on one layer do not overlap; together they are what is drawn. The body of the k-th resistor is on
    a net of its own, k after the last one of the layout. ``edges`` have the box of the edge
    and the side on which nothing is: 0 above, 1 left, 2 below, 3 right.
    """

    boxes: Integers  # (n, 4)
    levels: Integers
    nets: Integers
    layers: Integers  # positions in _LAYERS
    edges: Integers  # (m, 4)
    sides: Integers
    edge_levels: Integers
    edge_nets: Integers


def _bodies(extracted: Extracted) -> list[tuple[Any, tuple[int, ...]]]:
    """Return the body of every resistor, as a region, and the nets of its ends."""
    kdb = klayout_db()
    ends = {_nearest_nm(device.place): device.nets for device in extracted.devices if device.kind == "resistor"}
    found = []
    for polygon in extracted.layers["body"].merged().each():
        middle = polygon.bbox().center()
        if (middle.x, middle.y) in ends:
            found.append((kdb.Region(polygon), ends[middle.x, middle.y]))
    return found


def _nearest_nm(place: tuple[float, float]) -> tuple[int, int]:
    return round(place[0] / _UM), round(place[1] / _UM)


def _shapes(extracted: Extracted, bodies: list[tuple[Any, tuple[int, ...]]]) -> _Shapes:
    boxes: list[tuple[int, ...]] = []
    edges: list[tuple[int, ...]] = []
    for position, layer in enumerate(_LAYERS):
        level = wires.LEVELS.index(_LEVEL_OF[layer])
        if layer == "body":
            regions = [(len(extracted.nets) + k, region) for k, (region, _) in enumerate(bodies)]
        else:
            regions = [(net.index, extracted.shapes(net.index, layer)) for net in extracted.nets]
        for index, region in regions:
            if region.is_empty():
                continue
            if not region.non_rectilinear().is_empty():
                raise InputError(f"{extracted.name}: {layer} has slanted edges; only level and upright ones are known")
            for polygon in region.decompose_trapezoids_to_region().each():
                box = polygon.bbox()
                boxes.append((box.left, box.bottom, box.right, box.top, level, index, position))
            if level > 1:
                edges += [(*_edge(edge), level, index) for edge in region.edges().each()]
    found = np.array(boxes, dtype=np.int64).reshape(-1, 7)
    lines = np.array(edges, dtype=np.int64).reshape(-1, 7)
    return _Shapes(
        found[:, :4], found[:, 4], found[:, 5], found[:, 6], lines[:, :4], lines[:, 4], lines[:, 5], lines[:, 6]
    )


def _edge(edge: Any) -> tuple[int, int, int, int, int]:
    """Return the box of an edge and the side of the outside, which is at the left of its direction."""
    a, b = edge.p1, edge.p2
    side = (0 if b.x > a.x else 2) if a.y == b.y else (1 if b.y > a.y else 3)
    return min(a.x, b.x), min(a.y, b.y), max(a.x, b.x), max(a.y, b.y), side


# --- areas ---------------------------------------------------------------------------------------------------


def _areas(extracted: Extracted, shapes: _Shapes, found: "_Sums") -> None:
    """Add the capacitance of every plate to what is first below it."""
    kdb = klayout_db()
    drawn = {layer: _flat(extracted, layer) for layer in _LAYERS}
    channel = _flat(extracted, "channel")
    for level, name in enumerate(wires.LEVELS[2:], 2):
        between = channel.dup() if name == "poly" else kdb.Region()  # what shields the levels below from this one
        for lower in reversed(range(level)):
            layers = [layer for layer in _LAYERS if wires.LEVELS.index(_LEVEL_OF[layer]) == lower]
            density = wires.AREA.get((name, wires.LEVELS[lower]))
            if density is not None:
                for layer in layers:
                    seen = _located(drawn[layer] - between, shapes, _LAYERS.index(layer))
                    _add_overlaps(shapes, level, seen, found, density)
            if lower == 0:
                _add_ground(drawn, shapes, level, between, found)
            for layer in layers:
                between += drawn[layer]
            between = between.merged()


def _flat(extracted: Extracted, layer: str) -> Any:
    """Return a copy of a layer outside KLayout's database, where operations are several times faster."""
    flat = klayout_db().Region()
    for polygon in extracted.layers[layer].each_merged():
        flat.insert(polygon)
    return flat


def _located(region: Any, shapes: _Shapes, layer: int) -> tuple[Integers, Integers]:
    """Return a region, which is part of a layer, as boxes and the net of each."""
    boxes = _boxes(region)
    of_layer = np.flatnonzero(shapes.layers == layer)
    a, b = overlapping(boxes, shapes.boxes[of_layer])
    middle = (boxes[a, :2] + boxes[a, 2:]) / 2
    outer = shapes.boxes[of_layer[b]]
    inside = ((middle >= outer[:, :2]) & (middle <= outer[:, 2:])).all(axis=1)
    nets = np.full(len(boxes), _NOBODY, dtype=np.int64)
    nets[a[inside]] = shapes.nets[of_layer[b[inside]]]
    return boxes, nets


def _boxes(region: Any) -> Integers:
    pieces = (polygon.bbox() for polygon in region.decompose_trapezoids_to_region().each())
    return np.array([(box.left, box.bottom, box.right, box.top) for box in pieces], dtype=np.int64).reshape(-1, 4)


def _add_overlaps(
    shapes: _Shapes, level: int, below: tuple[Integers, Integers], found: "_Sums", density: float
) -> None:
    of_level = np.flatnonzero(shapes.levels == level)
    a, b = overlapping(shapes.boxes[of_level], below[0])
    one, other = shapes.boxes[of_level[a]], below[0][b]
    area = extents(one, other).prod(axis=1) * _UM**2
    found.add(shapes.nets[of_level[a]], below[1][b], density * area)


def _add_ground(drawn: Mapping[str, Any], shapes: _Shapes, level: int, between: Any, found: "_Sums") -> None:
    """Add what is over neither a conductor nor a well: over the bare substrate."""
    name = wires.LEVELS[level]
    for layer in (layer for layer in _LAYERS if _LEVEL_OF[layer] == name):
        boxes, nets = _located(drawn[layer] - between - drawn["nwell"], shapes, _LAYERS.index(layer))
        area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) * _UM**2
        found.add(nets, np.full(len(nets), _NOBODY), wires.AREA[name, "substrate"] * area)


# --- edges ---------------------------------------------------------------------------------------------------


def _edges(shapes: _Shapes, turn: int, found: "_Sums") -> None:
    """Add sidewalls and fringes of all edges that have nothing at the side ``turn``, seen as if it were above."""
    chosen = np.flatnonzero(shapes.sides == turn)
    edges, boxes = _turned(shapes.edges[chosen], turn), _turned(shapes.boxes, turn)
    levels, nets = shapes.edge_levels[chosen], shapes.edge_nets[chosen]
    for level in range(2, len(wires.LEVELS)):
        mine = np.flatnonzero(levels == level)
        same = shapes.levels == level
        parts = _nearest(edges[mine], nets[mine], boxes[same], shapes.nets[same])
        _add_sidewalls(parts, wires.LEVELS[level], found)
        _add_fringes(parts, level, boxes, shapes, found)


def _turned(boxes: Integers, turn: int) -> Integers:
    """Turn boxes so that the side ``turn`` is above."""
    left, bottom, right, top = boxes.T
    if turn == 0:
        turned = (left, bottom, right, top)
    elif turn == 1:
        turned = (bottom, -right, top, -left)
    elif turn == 2:
        turned = (left, -top, right, -bottom)
    else:
        turned = (bottom, left, top, right)
    return np.stack(turned, axis=1)


@dataclass(frozen=True)
class _Parts:
    """Parts of edges, each with one nearest neighbour: from ``start`` to ``end`` at the height ``base``.

    ``clear`` is the distance to the neighbour, or the halo; ``neighbours`` is its net, -2 where there is none.
    """

    start: Integers
    end: Integers
    base: Integers
    clear: Integers
    nets: Integers
    neighbours: Integers


def _nearest(edges: Integers, nets: Integers, boxes: Integers, box_nets: Integers) -> _Parts:
    """Divide edges by their nearest neighbours on their own level."""
    halo = round(wires.HALO / _UM)
    strips = np.stack([edges[:, 0], edges[:, 1], edges[:, 2], edges[:, 1] + halo], axis=1)
    a, b = overlapping(strips, boxes)
    ahead = boxes[b, 1] >= strips[a, 1]
    a, b = a[ahead], b[ahead]
    pieces = Pieces.of(edges[:, 0], edges[:, 2], a, boxes[b, 0], boxes[b, 2])
    pair, piece = pieces.covered()
    distance = boxes[b[pair], 1] - edges[a[pair], 1]
    first = first_of_each(piece, distance)
    clear = np.full(len(pieces.start), halo, dtype=np.int64)
    neighbours = np.full(len(pieces.start), -2, dtype=np.int64)
    clear[piece[first]] = distance[first]
    neighbours[piece[first]] = box_nets[b[pair[first]]]
    return _Parts(pieces.start, pieces.end, edges[pieces.owner, 1], clear, nets[pieces.owner], neighbours)


def _add_sidewalls(parts: _Parts, name: str, found: "_Sums") -> None:
    near = (parts.neighbours >= 0) & (parts.neighbours != parts.nets) & (parts.clear > 0)
    coefficient, offset = wires.SIDEWALL[name]
    distance = np.maximum(parts.clear[near] * _UM + offset, 0.05)
    # half of `wires.sidewall`: the other edge sees this one too
    values = coefficient / 4 * (parts.end - parts.start)[near] * _UM / distance
    found.add(parts.nets[near], parts.neighbours[near], values)


def _add_fringes(parts: _Parts, level: int, boxes: Integers, shapes: _Shapes, found: "_Sums") -> None:
    """Add the fringes of parts of edges of one level to plates below and above."""
    strips = np.stack([parts.start, parts.base, parts.end, parts.base + parts.clear], axis=1)
    others = np.flatnonzero(shapes.levels != level)
    a, b = overlapping(strips, boxes[others])
    b = others[b]
    pieces = Pieces.of(parts.start, parts.end, a, boxes[b, 0], boxes[b, 2])
    pair, piece = pieces.covered()
    base, clear = parts.base[pieces.owner], parts.clear[pieces.owner]
    plate = b[pair]
    near = np.maximum(boxes[plate, 1] - base[piece], 0)
    far = np.minimum(boxes[plate, 3] - base[piece], clear[piece])
    nets, length = parts.nets[pieces.owner], (pieces.end - pieces.start) * _UM
    name = wires.LEVELS[level]
    gate = np.zeros(len(length), dtype=bool)
    if name == "poly":  # an edge with active right beside it is that of a gate
        gate[piece[(shapes.levels[plate] == 1) & (near == 0)]] = True
    for down in (True, False):
        use = shapes.levels[plate] < level if down else shapes.levels[plate] > level
        seen = _visible(clear, piece[use], near[use], far[use], shapes.levels[plate[use]] * (-1 if down else 1))
        hit = seen.winner >= 0
        target = np.full(len(hit), -1, dtype=np.int64)
        target[hit] = plate[use][seen.winner[hit]]
        level_hit = np.zeros(len(hit), dtype=np.int64)  # what nothing hides is the substrate
        level_hit[hit] = shapes.levels[target[hit]]
        for other, plate_name in enumerate(wires.LEVELS):
            chosen = (level_hit == other) & (hit | down)
            if other == 0:
                chosen &= ~gate[seen.piece]
            if (name, plate_name) not in wires.FRINGE or not chosen.any():
                continue
            alpha = wires.reach(name, plate_name)
            near_part, far_part = (np.arctan(alpha * _UM * edge[chosen]) for edge in (seen.near, seen.far))
            share = (far_part - near_part) / np.arctan(alpha * wires.HALO)
            own = seen.piece[chosen]
            ends = np.where(hit[chosen], shapes.nets[target[chosen]], _NOBODY)
            found.add(nets[own], ends, wires.FRINGE[name, plate_name] * share * length[own])


@dataclass(frozen=True)
class _Visible:
    """What an edge sees from near to far: for each stretch the pair that is in front, -1 where there is none."""

    piece: Integers
    near: Integers
    far: Integers
    winner: Integers


def _visible(clear: Integers, piece: Integers, near: Integers, far: Integers, rank: Integers) -> _Visible:
    """Of plates on top of each other, over distances from an edge, find the ones of lowest rank."""
    some = far > near
    index = np.flatnonzero(some)
    stretches = Pieces.of(np.zeros(len(clear), dtype=np.int64), clear, piece[some], near[some], far[some])
    pair, stretch = stretches.covered()
    first = first_of_each(stretch, rank[some][pair])
    winner = np.full(len(stretches.start), -1, dtype=np.int64)
    winner[stretch[first]] = index[pair[first]]
    return _Visible(stretches.owner, stretches.start, stretches.end, winner)


# --- sums ----------------------------------------------------------------------------------------------------


class _Sums:
    """Sums of capacitances (aF) by pairs of nets; that of a net with itself is left out."""

    def __init__(self, nets: int, bodies: list[tuple[int, ...]]) -> None:
        self.nets = nets
        self.bodies = bodies
        self.size = nets + len(bodies) + 1
        self.keys: list[Integers] = []
        self.values: list[Floats] = []

    def add(self, one: Integers, other: Integers, values: Floats) -> None:
        """Add values between nets; ``other`` may be the bare substrate."""
        real = (one != other) & (one >= 0)
        low, high = np.minimum(one, other)[real], np.maximum(one, other)[real]
        self.keys.append((low + 1) * self.size + high + 1)
        self.values.append(np.asarray(values, dtype=np.float64)[real])

    def result(self) -> Capacitances:
        """Return what has been summed, in F."""
        keys, place = np.unique(np.concatenate(self.keys), return_inverse=True)
        sums = np.bincount(place, np.concatenate(self.values), len(keys)) * 1e-18
        found: dict[tuple[int, int], float] = {}
        for key, value in zip(keys.tolist(), sums.tolist(), strict=True):
            one, other = (self._ends(index - 1) for index in divmod(key, self.size))
            for a in one:
                for b in other:
                    if a != b:
                        pair = (min(a, b), max(a, b))
                        found[pair] = found.get(pair, 0.0) + value / (len(one) * len(other))
        return Capacitances(
            MappingProxyType({b: value for (a, b), value in found.items() if a == _NOBODY}),
            MappingProxyType({pair: value for pair, value in found.items() if pair[0] != _NOBODY}),
        )

    def _ends(self, index: int) -> tuple[int, ...]:
        """Return the ends of a resistor's body, or the net itself."""
        return self.bodies[index - self.nets] if index >= self.nets else (index,)
