"""The design rules that `mtjspice.layout.drc` checks, as data: name, value and what the rule says.

Names and values of the process are those of the public rule deck of gf180mcu (``models/pdk/gf180mcu/drc``), 3.3 V,
outside the deep n-well, which our layouts do not use; its suffix ``_3.3V`` is left out, ``OFFGRID`` and ``ACUTE`` stand
for the deck's rule of each layer. Some are read more strictly here than in the deck, none less:

* DF.13 and DF.14 let no transistor stand farther from a tap (of the same well) than the distance, so that a part
  without a tap breaks them when it is checked alone; the deck lets no tap stand farther from a transistor. Both are
  checked;
* M1.2b to M5.2b hold next to every wide part of a metal, not only next to rectangles;
* HRES.7 wants p+ around every contact of a resistor, SB.16 has no block on any gate, of a p-channel FET without a well
  too;
* PL.5a and PL.5b, which the deck reports together, tell poly that crosses COMP from other poly.

Rules MTJ.1 to MTJ.6 belong to no process: gf180mcu has no junctions. They are ASSUMPTIONS of this project about a
module that puts pillars between metal3 and metal4, in the place of a via3:

* MTJ.1  metal3 and metal4 enclose a pillar, by what an overlay error of 50 nm takes;
* MTJ.2  pillars keep a distance, as ion-beam etching needs an angle between them;
* MTJ.3a, MTJ.3b  a pillar stands inside its electrodes, these inside metal3 and metal4;
* MTJ.4  no via3 next to a pillar, half a via's width: both are etched in the same level;
* MTJ.5  diameter, of the circle of the same area: below, nothing is switched or read, above, domains form;
* MTJ.6  a pillar stands beside via2, not above: the plug's dishing would roughen the barrier.

Lengths are in um, areas in um2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mtjspice.layout.layers import GRID, METALS


@dataclass(frozen=True)
class Rule:
    """A rule: its name, its value (um or um2; None where there is nothing to measure) and what it says."""

    name: str
    value: float | None
    text: str


JUNCTION_MAXIMUM = 0.20  # um, the largest diameter of MTJ.5
WELL_EDGE = 0.43  # um from the edge of a well: the rules of the implants differ on both sides of this line
LINE_END = 0.34  # um: a metal at most this wide ends in a line end
ARRAY_OF_CONTACTS = 1.63  # um: side of four by four contacts at the smallest distance
ARRAY_OF_VIAS = 1.82  # um: side of four by four vias
WIDE_METAL = 10.0  # um
ADJACENT = 0.04  # um: a metal that encloses a cut by less asks for more at the adjacent edges

_PROCESS: tuple[tuple[str, float | None, str], ...] = (
    ("NW.1a", 0.86, "width of an n-well"),
    ("NW.2a", 0.6, "space of n-wells of the same potential"),
    ("NW.2b", 1.4, "space of n-wells of different potentials"),
    ("DF.1a", 0.22, "width of COMP"),
    ("DF.2a", 0.22, "width of a channel"),
    ("DF.3a", 0.28, "space of COMP"),
    ("DF.4c", 0.43, "n-well encloses p+ COMP"),
    ("DF.4d", 0.12, "n-well encloses n+ COMP"),
    ("DF.6", 0.24, "COMP extends beyond a gate"),
    ("DF.9", 0.2025, "area of COMP"),
    ("DF.10", 0.26, "area of field oxide enclosed by COMP"),
    ("DF.11", 0.3, "length of an edge at which COMP butts"),
    ("DF.12", None, "COMP is covered by n+ or p+"),
    ("DF.13", 20.0, "largest distance between p+ COMP in an n-well and the well's tap"),
    ("DF.14", 20.0, "largest distance between n+ COMP in the substrate and a substrate tap"),
    ("DF.16", 0.43, "space between an n-well and n+ COMP outside"),
    ("DF.17", 0.12, "space between an n-well and p+ COMP outside"),
    ("PL.1", 0.18, "width of poly"),
    ("PL.2", 0.28, "length of a channel"),
    ("PL.3a", 0.24, "space of poly"),
    ("PL.4", 0.22, "poly extends beyond COMP"),
    ("PL.5a", 0.1, "space between poly and COMP that it does not cross"),
    ("PL.5b", 0.1, "space between poly and COMP that it crosses"),
    ("PL.6", 0.1, "no bend of poly on COMP"),
    ("CO.1", 0.22, "size of a contact"),
    ("CO.2a", 0.25, "space of contacts"),
    ("CO.2b", 0.28, "space of contacts in an array of 4 x 4 or larger"),
    ("CO.3", 0.07, "poly encloses a contact"),
    ("CO.4", 0.07, "COMP encloses a contact"),
    ("CO.5a", 0.1, "butting n+ COMP encloses a contact"),
    ("CO.5b", 0.1, "butting p+ COMP encloses a contact"),
    ("CO.6", 0.005, "metal1 encloses a contact"),
    ("CO.6a", 0.06, "end of a metal1 line encloses a contact"),
    ("CO.6b", 0.06, "metal1 that encloses a contact by < 0.04 um encloses it more at adjacent edges"),
    ("CO.7", 0.15, "space between a contact on COMP and a gate"),
    ("CO.8", 0.17, "space between a contact on poly and COMP"),
    ("CO.9", None, "no contact on a butting edge"),
    ("CO.10", None, "no contact on a gate"),
    ("CO.11", None, "a contact stands on COMP or poly"),
    ("SB.1", 0.42, "width of the salicide block"),
    ("SB.2", 0.42, "space of salicide blocks"),
    ("SB.3", 0.22, "space between the salicide block and COMP"),
    ("SB.4", 0.15, "space between the salicide block and a contact"),
    ("SB.5a", 0.3, "space between the salicide block and other poly on field"),
    ("SB.5b", 0.28, "space between the salicide block and a gate"),
    ("SB.9", 0.22, "salicide block extends beyond poly"),
    ("SB.10", 0.22, "poly extends beyond the salicide block"),
    ("SB.12", 0.22, "overlap of the salicide block and poly"),
    ("SB.13", 2.0, "area of the salicide block"),
    ("SB.15a", 0.18, "space between unsalicided poly and n+ or p+ that does not belong to it"),
    ("SB.16", None, "no salicide block on a gate"),
    ("HRES.1", 0.4, "space of the high-resistance layer"),
    ("HRES.2", 1.0, "width of a high-resistance poly resistor"),
    ("HRES.3", 0.4, "space of high-resistance poly resistors"),
    ("HRES.4", 0.4, "high-resistance layer encloses the resistor's poly"),
    ("HRES.5", 0.3, "space between the high-resistance layer and other poly"),
    ("HRES.6", 0.3, "space between the high-resistance layer and COMP"),
    ("HRES.7", 0.2, "p+ encloses a contact of the resistor"),
    ("HRES.8", 0.22, "space between the salicide block and a contact of the resistor"),
    ("HRES.9", 0.28, "salicide block extends beyond the resistor's width"),
    ("HRES.10", 0.1, "overlap of p+ and salicide block at a resistor's head, exactly"),
    ("HRES.12a", None, "the marker of a resistor ends where p+ does and covers the poly's width"),
    ("OFFGRID", GRID, "every vertex is on the grid"),
    ("ACUTE", None, "no angle between edges below 45 degrees"),
    ("MTJ.1", 0.05, "metal3 and metal4 enclose a pillar"),
    ("MTJ.2", 0.2, "space of pillars"),
    ("MTJ.3a", 0.02, "both electrodes enclose a pillar"),
    ("MTJ.3b", 0.03, "metal3 and metal4 enclose an electrode"),
    ("MTJ.4", 0.13, "space between a pillar and via3"),
    ("MTJ.5", 0.02, f"diameter of a pillar, at most {JUNCTION_MAXIMUM:g} um"),
    ("MTJ.6", 0.05, "space between a pillar and via2 below"),
)


def _implant(
    prefix: str, own: str, other: str, space: tuple[float, float], overlap: tuple[float, float], where: tuple[str, str]
) -> tuple[Rule, ...]:
    """Return the rules of n+ or p+; ``space`` and ``overlap`` (um) depend on how near (``where``) a well's edge is."""
    rows: tuple[tuple[str, float | None, str], ...] = (
        ("1", 0.4, f"width of {own}"),
        ("2", 0.4, f"space of {own}"),
        ("3a", 0.16, f"space between {own} and {other} COMP of transistors"),
        ("3ci", space[0], f"space between {own} and {other} COMP {where[0]}"),
        ("3cii", space[1], f"space between {own} and {other} COMP {where[1]}"),
        ("3d", None, f"{own} does not cover {other} COMP"),
        ("4a", 0.32, f"space between {own} at a butting edge and the gate beside it"),
        ("4b", 0.22, f"space between {own} and poly that leaves a gate of the other kind"),
        ("5a", 0.23, f"{own} encloses a gate"),
        ("5b", 0.16, f"{own} extends beyond COMP of its transistors"),
        ("5di", overlap[0], f"{own} extends beyond the COMP of a tap {where[0]}"),
        ("5dii", overlap[1], f"{own} extends beyond the COMP of a tap {where[1]}"),
        ("6", 0.22, f"length of {own} COMP that butts"),
        ("7", 0.18, f"space between {own} and unsalicided poly"),
        ("8a", 0.35, f"area of {own}"),
        ("8b", 0.35, f"area enclosed by {own}"),
        ("9", 0.18, f"{own} extends beyond unsalicided poly"),
        ("11", None, f"{own} does not butt within 0.43 um of an n-well's edge"),
        ("12", 0.32, f"space between {own} and the end of a gate of the other kind"),
    )
    return tuple(Rule(f"{prefix}.{name}", value, text) for name, value, text in rows)


def _metal(level: int) -> tuple[Rule, ...]:
    least = 0.23 if level == 1 else 0.28
    return (
        Rule(f"M{level}.1", least, f"width of metal{level}"),
        Rule(f"M{level}.2a", least, f"space of metal{level}"),
        Rule(f"M{level}.2b", 0.3, f"space to metal{level} of more than 10 um width and length"),
        Rule(f"M{level}.3", 0.1444, f"area of metal{level}"),
    )


def _via(level: int) -> tuple[Rule, ...]:
    below, above, via = f"metal{level}", f"metal{level + 1}", f"via{level}"
    # the deck begins the enclosures by the lower metal with 3a at via1, with 3b above
    inside = (
        Rule("V1.3a", 0.0, f"{below} covers {via}")
        if level == 1
        else Rule(f"V{level}.3b", 0.01, f"{below} encloses {via}")
    )
    adjacent = "that encloses {} by < 0.04 um encloses it more at adjacent edges"
    return (
        Rule(f"V{level}.1", 0.26, f"size of {via}"),
        Rule(f"V{level}.2a", 0.26, f"space of {via}"),
        Rule(f"V{level}.2b", 0.36, f"space of {via} in an array of 4 x 4 or larger"),
        inside,
        Rule(f"V{level}.3c", 0.06, f"end of a {below} line encloses {via}"),
        Rule(f"V{level}.3d", 0.06, f"{below} {adjacent.format(via)}"),
        Rule(f"V{level}.4a", 0.01, f"{above} encloses {via}"),
        Rule(f"V{level}.4b", 0.06, f"end of a {above} line encloses {via}"),
        Rule(f"V{level}.4c", 0.06, f"{above} {adjacent.format(via)}"),
    )


def _table() -> Mapping[str, Rule]:
    levels = range(1, len(METALS) + 1)
    near, far = "within 0.43 um of an n-well's edge", "farther than 0.43 um from an n-well's edge"
    rules = [
        *(Rule(*row) for row in _PROCESS),
        *_implant("NP", "n+", "p+", (0.16, 0.08), (0.16, 0.02), (near, far)),
        *_implant("PP", "p+", "n+", (0.08, 0.16), (0.02, 0.16), (far, near)),
        *(rule for level in levels for rule in _metal(level)),
        *(rule for level in levels[:-1] for rule in _via(level)),
    ]
    return MappingProxyType({rule.name: rule for rule in rules})


RULES: Mapping[str, Rule] = _table()
