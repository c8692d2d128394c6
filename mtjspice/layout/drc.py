"""Design rules checked with KLayout's Python module alone: no application, no rule deck, fractions of a second a cell.

The rules are in `mtjspice.layout.rules`; here is how each is asked of the shapes. Layers are merged and flat. What is
asked follows the public deck of gf180mcu (Apache-2.0, Copyright 2022 GlobalFoundries PDK Authors), which
`mtjspice.layout.deck` runs as a whole; tests compare both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import pi
from typing import TYPE_CHECKING, Any

from mtjspice.errors import InputError
from mtjspice.layout import rules
from mtjspice.layout.layers import CUTS, DATABASE_UNIT, LAYERS, METALS
from mtjspice.layout.require import klayout_db
from mtjspice.layout.rules import RULES

if TYPE_CHECKING:
    import klayout.db as kdb

Found = tuple[str, Any]  # a rule's name and its markers: Region, Edges or EdgePairs


@dataclass(frozen=True)
class Violation:
    """One place that breaks a rule; ``box`` is left, bottom, right, top in um."""

    rule: str
    text: str
    box: tuple[float, float, float, float]

    def __str__(self) -> str:
        """One line: the rule and where."""
        left, bottom, right, top = self.box
        return f"{self.rule}: {self.text}, at ({left:.3f}, {bottom:.3f}) to ({right:.3f}, {top:.3f}) um"


def violations(layout: "kdb.Layout", cell: "kdb.Cell") -> tuple[Violation, ...]:
    """Return every place of a cell, with all that is below it, that breaks a rule; empty for a clean one.

    InputError for a layout with a database unit other than 1 nm.
    """
    if abs(layout.dbu - DATABASE_UNIT) > DATABASE_UNIT * 1e-9:
        raise InputError(f"design rules: the database unit is {layout.dbu:g} um, it must be {DATABASE_UNIT:g} um")
    shapes = _Shapes(layout, cell)
    found = []
    for group in _GROUPS:
        for rule, markers in group(shapes):
            for marker in markers.each():
                box = marker.bbox()
                corners = (box.left, box.bottom, box.right, box.top)
                left, bottom, right, top = (value * DATABASE_UNIT for value in corners)
                found.append(Violation(rule, RULES[rule].text, (left, bottom, right, top)))
    return tuple(found)


class _Shapes:
    """The merged layers of a cell, by name as attributes, and what follows from several of them."""

    def __init__(self, layout: "kdb.Layout", cell: "kdb.Cell") -> None:
        self.kdb = klayout_db()
        self.layout, self.cell = layout, cell

    def __getattr__(self, name: str) -> Any:
        """Read a layer when it is first asked for; it is empty where the layout has no such layer."""
        if name not in LAYERS:
            raise AttributeError(name)
        index = self.layout.find_layer(*LAYERS[name])
        region = self.kdb.Region() if index is None else self.kdb.Region(self.cell.begin_shapes_rec(index)).merged()
        setattr(self, name, region)
        return region

    @cached_property
    def gate(self) -> Any:
        return self.poly & self.comp

    @cached_property
    def ncomp(self) -> Any:
        return self.comp & self.nplus

    @cached_property
    def pcomp(self) -> Any:
        return self.comp & self.pplus

    @cached_property
    def line_ends(self) -> dict[tuple[int, float], Any]:
        """Ends of narrow lines, once determined, by the metal's level and the least length of a line (um)."""
        return {}


# --- the kinds of rules ----------------------------------------------------------------------------------------


def _units(um: float) -> int:
    return round(um / DATABASE_UNIT)


def _value(rule: str) -> int:
    """Return the value of a rule about a length, in database units."""
    value = RULES[rule].value
    assert value is not None
    return _units(value)


def _square(rule: str) -> int:
    """Return the value of a rule about an area, in square database units."""
    value = RULES[rule].value
    assert value is not None
    return round(value / DATABASE_UNIT**2)


def _width(rule: str, layer: Any) -> Found:
    return rule, layer.width_check(_value(rule))


def _space(rule: str, layer: Any) -> Found:
    return rule, layer.space_check(_value(rule))


def _area(rule: str, layer: Any) -> Found:
    return rule, layer.with_area(0, _square(rule), False)


def _apart(rule: str, one: Any, other: Any) -> Found:
    return rule, one.separation_check(other, _value(rule))


def _clear(rule: str, one: Any, other: Any) -> Iterator[Found]:
    """Two layers keep a distance and do not overlap."""
    yield _apart(rule, one, other)
    yield rule, one & other


def _enclosed(rule: str, outer: Any, inner: Any) -> Iterator[Found]:
    """A layer encloses what it touches of another."""
    yield rule, outer.enclosing_check(inner, _value(rule))
    yield rule, inner.not_outside(outer) - outer


def _inside(rule: str, outer: Any, inner: Any) -> Iterator[Found]:
    """A layer encloses all of another."""
    yield rule, outer.enclosing_check(inner, _value(rule))
    yield rule, inner - outer


def _facing(s: _Shapes, rule: str, outer: Any, inner: Any) -> Found:
    """Edges enclose edges, as far as these face them."""
    return rule, outer.enclosing_check(inner, _value(rule), False, s.kdb.Metrics.Projection)


# --- wells and active area -------------------------------------------------------------------------------------


def _wells(s: _Shapes) -> Iterator[Found]:
    yield _width("NW.1a", s.nwell)
    yield _space("NW.2a", s.nwell)
    near = s.nwell.space_check(_value("NW.2b"))
    yield "NW.2b", _different_nets(s, near) if near.count() else near


def _different_nets(s: _Shapes, pairs: Any) -> Any:
    """Keep the pairs of edges of n-wells which no tap and no wires connect."""
    extraction = s.kdb.LayoutToNetlist(s.cell.name, DATABASE_UNIT)
    conductors = [s.nwell, s.ncomp & s.nwell, s.contact]
    for level, metal in enumerate(METALS):
        conductors += [getattr(s, metal), *([getattr(s, CUTS[level + 1])] if level + 1 < len(CUTS) else [])]
    for number, conductor in enumerate(conductors):
        extraction.register(conductor, f"l{number}")
        extraction.connect(conductor)
    for below, above in pairwise(conductors):
        extraction.connect(below, above)
    extraction.extract_netlist()
    kept = s.kdb.EdgePairs()
    for pair in pairs.each():
        one, other = (extraction.probe_net(s.nwell, edge.p1) for edge in (pair.first, pair.second))
        if one is None or other is None or one.cluster_id != other.cluster_id:
            kept.insert(pair)
    return kept


def _active(s: _Shapes) -> Iterator[Found]:
    yield _width("DF.1a", s.comp)
    channel_ends = (s.comp - s.poly).edges() & s.gate.edges()
    yield "DF.2a", channel_ends.with_length(0, _value("DF.2a"), False)
    yield _space("DF.3a", s.comp)
    yield from _enclosed("DF.4c", s.nwell, s.pcomp)
    yield from _enclosed("DF.4d", s.nwell, s.ncomp)
    yield "DF.6", s.comp.enclosing_check(s.poly, _value("DF.6"))
    yield _area("DF.9", s.comp)
    yield _area("DF.10", s.comp.holes() - s.comp)
    yield _width("DF.11", s.comp.interacting(s.ncomp.interacting(s.pcomp).outside(s.pcomp)))
    yield "DF.12", s.comp.not_inside(s.nplus + s.pplus)
    yield from _near_taps("DF.13", s.ncomp.inside(s.nwell), s.pcomp.inside(s.nwell), s.nwell)
    yield from _near_taps("DF.14", s.pcomp.outside(s.nwell), s.ncomp.outside(s.nwell))
    yield _apart("DF.16", s.ncomp.outside(s.nwell), s.nwell)
    yield _apart("DF.17", s.pcomp.outside(s.nwell), s.nwell)


def _near_taps(rule: str, taps: Any, transistors: Any, well: Any = None) -> Iterator[Found]:
    """Transistors have a tap near them, in the same well, and taps have transistors."""
    near = taps.sized(_value(rule))
    yield rule, transistors - (near if well is None else (near & well).interacting(taps))
    if transistors.count():
        yield rule, taps.not_interacting(transistors.sized(_value(rule)))


# --- poly ------------------------------------------------------------------------------------------------------


def _poly(s: _Shapes) -> Iterator[Found]:
    yield _width("PL.1", s.poly)
    yield "PL.2", (s.poly.edges() & s.gate.edges()).width_check(_value("PL.2"))
    yield _space("PL.3a", s.gate + (s.poly - s.comp))
    yield "PL.4", s.poly.enclosing_check(s.comp, _value("PL.4"))
    yield _apart("PL.5a", s.poly.not_interacting(s.comp), s.comp)
    yield _apart("PL.5b", s.poly.interacting(s.comp), s.comp)
    bends = s.poly.corners(90, 90, 1, True, True, False, True).sized(_value("PL.6"))
    yield "PL.6", bends.inside(s.comp)


# --- implants --------------------------------------------------------------------------------------------------


def _implants(s: _Shapes) -> Iterator[Found]:
    edge = _units(rules.WELL_EDGE) - 1
    wells, cores = s.nwell.sized(edge), s.nwell.sized(-edge)
    rim = s.nwell - cores
    nedges, pedges = s.nplus.edges(), s.pplus.edges()
    yield from _implant(s, "NP", s.nplus, s.pcomp, s.pcomp.inside(s.nwell))
    yield from _implant(s, "PP", s.pplus, s.ncomp, s.ncomp.outside(s.nwell))
    comp_n, comp_p = s.ncomp.edges(), s.pcomp.edges()
    for rule, edges in (("NP.3ci", comp_p & wells), ("NP.3cii", comp_p - wells)):  # n+ may touch p+ COMP
        yield rule, nedges.separation_check(edges, _value(rule)).polygons()
    yield _apart("PP.3ci", pedges, comp_n & cores)
    yield _apart("PP.3cii", pedges, comp_n & rim)
    yield "NP.5b", (s.nplus.outside(s.nwell).edges() - s.pplus).enclosing_check(s.comp.edges(), _value("NP.5b"))
    yield "PP.5b", (s.pplus.not_outside(s.nwell).edges() - s.nplus).enclosing_check(s.comp.edges(), _value("PP.5b"))
    tap_n = s.ncomp.not_outside(s.nwell).edges() - pedges
    around_n = s.nplus.not_outside(s.nwell).edges()
    yield _facing(s, "NP.5di", around_n, tap_n & rim)
    yield "NP.5dii", (around_n - pedges).enclosing_check(tap_n & cores, _value("NP.5dii"))
    tap_p = comp_p - nedges
    yield _facing(s, "PP.5di", pedges, tap_p - wells)
    yield _facing(s, "PP.5dii", pedges, tap_p & wells)
    yield "NP.11", s.nplus.interacting(nedges & comp_p & wells)
    yield "PP.11", s.pplus.interacting(pedges & comp_n & rim)


def _implant(s: _Shapes, prefix: str, own: Any, other_comp: Any, other_transistors: Any) -> Iterator[Found]:
    """Return the rules that n+ and p+ share."""
    projection = s.kdb.Metrics.Projection
    other = s.pplus if prefix == "NP" else s.nplus
    gates, other_gates, other_edges = own & s.gate, other & s.gate, other_comp.edges()
    yield _width(f"{prefix}.1", own)
    yield _space(f"{prefix}.2", own)
    yield _apart(f"{prefix}.3a", own, other_transistors)
    yield f"{prefix}.3d", own.not_outside(other_comp)
    butting = own.edges() & other_edges
    yield (
        f"{prefix}.4a",
        butting.separation_check(other_gates.edges(), _value(f"{prefix}.4a"), False, projection),
    )
    leaving = s.poly.edges().interacting(other_gates.edges() - other_edges).centers(0, 0.99)
    close = leaving & other_gates.sized(_value(f"{prefix}.12"))
    yield f"{prefix}.4b", own.edges().separation_check(close, _value(f"{prefix}.4b"), False, projection)
    yield from _enclosed(f"{prefix}.5a", own, gates)
    touching = s.comp.interacting(own), other_comp.interacting(own)
    yield f"{prefix}.6", touching[0].enclosing_check(touching[1], _value(f"{prefix}.6"), False, projection).polygons()
    yield _area(f"{prefix}.8a", own)
    yield _area(f"{prefix}.8b", own.holes())
    unsalicided = s.poly & s.salicide_block
    yield _apart(f"{prefix}.7", own, unsalicided)
    if prefix == "PP":  # the body of a high-resistance resistor has no implant
        unsalicided = s.poly.not_interacting(s.high_resistance) & s.salicide_block
    yield from _enclosed(f"{prefix}.9", own, unsalicided)
    yield _apart(f"{prefix}.12", own.edges(), other_gates.edges() & other_edges)


# --- cuts and metals -------------------------------------------------------------------------------------------


def _contacts(s: _Shapes) -> Iterator[Found]:
    yield "CO.1", s.contact.edges().with_length(_value("CO.1"), True)
    yield _space("CO.2a", s.contact)
    yield _array("CO.2b", s.contact, s.metal1, rules.ARRAY_OF_CONTACTS)
    yield from _enclosed("CO.3", s.poly, s.contact)
    yield from _enclosed("CO.4", s.comp, s.contact)
    only_n, only_p = s.ncomp - s.pplus, s.pcomp - s.nplus
    for rule, one, other in (("CO.5a", only_n, only_p), ("CO.5b", only_p, only_n)):
        yield from _enclosed(rule, one.interacting(other).not_overlapping(other), s.contact)
    yield from _inside("CO.6", s.metal1, s.contact)
    yield _line_end(s, "CO.6a", 0, s.contact, 0.24)
    yield _adjacent(s, "CO.6b", s.metal1, s.contact)
    yield _apart("CO.7", s.contact.not_outside(s.comp), s.gate)
    yield _apart("CO.8", s.contact.not_outside(s.poly), s.comp)
    yield "CO.9", s.contact.interacting(s.ncomp.edges() & s.pcomp.edges())
    yield "CO.10", s.contact.not_outside(s.gate)
    yield "CO.11", s.contact.not_inside(s.comp + s.poly)


def _metals(s: _Shapes) -> Iterator[Found]:
    wide = _units(rules.WIDE_METAL)
    for level, name in enumerate(METALS, start=1):
        metal = getattr(s, name)
        yield _width(f"M{level}.1", metal)
        yield _space(f"M{level}.2a", metal)
        large = metal.with_bbox_min(wide, None, False)
        yield _apart(f"M{level}.2b", metal, large.sized(-wide // 2).sized(wide // 2))
        yield _area(f"M{level}.3", metal)


def _vias(s: _Shapes) -> Iterator[Found]:
    for level in range(1, len(CUTS)):
        below, via, above = (getattr(s, name) for name in (METALS[level - 1], CUTS[level], METALS[level]))
        yield f"V{level}.1", via.edges().with_length(_value(f"V{level}.1"), True)
        yield _space(f"V{level}.2a", via)
        yield _array(f"V{level}.2b", via, below, rules.ARRAY_OF_VIAS)
        if level == 1:
            yield "V1.3a", via.not_inside(below)
        else:
            yield from _inside(f"V{level}.3b", below, via)
        yield _line_end(s, f"V{level}.3c", level - 1, via, 0.28)
        yield _adjacent(s, f"V{level}.3d", below, via)
        yield from _inside(f"V{level}.4a", above, via)
        yield _line_end(s, f"V{level}.4b", level, via, 0.28)
        yield _adjacent(s, f"V{level}.4c", above, via)


def _array(rule: str, cut: Any, metal: Any, side: float) -> Found:
    """Cuts that stand in an array of four by four or more below one metal keep a larger distance."""
    half = _units(0.18)  # half of the smallest distance at which cuts do not count as an array
    blocks = cut.sized(half).sized(-half).with_bbox_min(_units(side), None, False).extents().inside(metal)
    return rule, cut.interacting(blocks.interacting(cut, 16)).space_check(_value(rule))


def _line_end(s: _Shapes, rule: str, level: int, cut: Any, length: float) -> Found:
    """The end of a narrow line encloses a cut by more."""
    if cut.is_empty():
        return rule, cut
    if (level, length) not in s.line_ends:
        metal = getattr(s, METALS[level])
        lines = metal.width_check(_units(rules.LINE_END) + 1).with_length_both(_units(length), None, False)
        one, other = lines.first_edges(), lines.second_edges()
        short = metal.edges().with_length(0, _units(rules.LINE_END), False)
        s.line_ends[level, length] = short.interacting(one).interacting(other) - one - other
    return _facing(s, rule, s.line_ends[level, length], cut.edges())


def _adjacent(s: _Shapes, rule: str, metal: Any, cut: Any) -> Found:
    """Where an edge of a cut is enclosed by little, the edges adjacent to it are enclosed by more."""

    def sides(least: int) -> tuple[Any, Any]:
        """Horizontal and vertical edges that are enclosed by less, as thin strips beyond both ends."""
        edges = cut.enclosed_check(metal, least, True, s.kdb.Metrics.Projection).first_edges()
        return edges.with_angle(0, False).extended(1, 1, 1, 1, False), edges.with_angle(90, False).extended(
            1, 1, 1, 1, False
        )

    horizontal, vertical = sides(_units(rules.ADJACENT))
    if horizontal.is_empty() and vertical.is_empty():
        return rule, horizontal
    wider_horizontal, wider_vertical = sides(_value(rule))
    return rule, (horizontal & wider_vertical) + (vertical & wider_horizontal)


# --- resistors -------------------------------------------------------------------------------------------------


def _salicide_block(s: _Shapes) -> Iterator[Found]:
    block, field = s.salicide_block, s.poly - s.comp
    if block.is_empty():
        return
    yield _width("SB.1", block)
    yield _space("SB.2", block)
    yield _apart("SB.3", block.outside(s.comp), s.comp.outside(block))
    yield from _clear("SB.4", block, s.contact)
    yield _apart("SB.5a", block.outside(field), field.outside(block))
    yield _apart("SB.5b", block.outside(s.gate), s.gate.outside(block))
    yield "SB.9", block.enclosing_check(s.poly & block, _value("SB.9")).polygons()  # without edges that coincide
    yield "SB.10", s.poly.enclosing_check(block, _value("SB.10"))
    yield "SB.12", block.overlap_check(s.poly, _value("SB.12")).polygons()
    yield _area("SB.13", block)
    yield _apart("SB.15a", s.poly & block, s.nplus + s.pplus)
    yield "SB.16", block.not_outside(s.gate & (s.nplus + s.pplus))


def _resistors(s: _Shapes) -> Iterator[Found]:
    block, marker, high = s.salicide_block, s.resistor_marker, s.high_resistance
    marked = s.poly.interacting(s.pplus).interacting(block).interacting(marker)
    resistor = marked.interacting(high)
    if marked.is_empty():
        return
    own = high.interacting(marked)
    contact = s.contact.inside(resistor)
    yield _space("HRES.1", own)
    yield _width("HRES.2", resistor)
    yield _space("HRES.3", resistor)
    yield from _enclosed("HRES.4", high, resistor)
    yield _apart("HRES.5", own, s.poly.not_interacting(block))
    yield from _clear("HRES.6", own, s.comp)
    yield from _inside("HRES.7", s.pplus, contact)
    yield from _clear("HRES.8", contact, block)
    around = block.interacting(s.pplus).interacting(marker).interacting(high)
    yield "HRES.9", around.enclosing_check(resistor, _value("HRES.9"))
    across = around.edges().inside_part(resistor).extended(0, 0, 1, 1, False)
    yield "HRES.9", across.interacting(around - resistor, 1, 1)
    yield "HRES.9", around.holes() & resistor
    overlap = (s.pplus & block).interacting(resistor)
    yield "HRES.10", overlap.with_bbox_min(_value("HRES.10"), True)
    yield "HRES.10", s.pplus.not_overlapping(block).interacting(resistor)
    loose = (marker.edges() - ((s.poly - s.pplus) & block).edges()).inside_part(s.poly)
    yield "HRES.12a", marker.interacting(high).interacting(loose)


# --- grid and junctions ----------------------------------------------------------------------------------------


def _grid(s: _Shapes) -> Iterator[Found]:
    step = _value("OFFGRID")
    for name in LAYERS:
        if not name.startswith("mtj"):
            layer = getattr(s, name)
            yield "OFFGRID", layer.grid_check(step, step)
            yield "ACUTE", layer.with_angle(0, 45, False)


def _junctions(s: _Shapes) -> Iterator[Found]:
    if s.mtj.is_empty() and s.mtj_bottom.is_empty() and s.mtj_top.is_empty():
        return
    for metal, electrode in ((s.metal3, s.mtj_bottom), (s.metal4, s.mtj_top)):
        yield from _inside("MTJ.1", metal, s.mtj)
        yield from _inside("MTJ.3a", electrode, s.mtj)
        yield from _inside("MTJ.3b", metal, electrode)
    yield _space("MTJ.2", s.mtj)
    yield from _clear("MTJ.4", s.mtj, s.via3)
    least, most = (pi / 4 * _units(diameter) ** 2 for diameter in (0.02, rules.JUNCTION_MAXIMUM))
    yield "MTJ.5", s.mtj.with_area(int(least), int(most), True)
    yield from _clear("MTJ.6", s.mtj, s.via2)


_GROUPS: tuple[Callable[[_Shapes], Iterator[Found]], ...] = (
    _wells, _active, _poly, _implants, _contacts, _metals, _vias, _salicide_block, _resistors, _grid, _junctions,
)  # fmt: skip
