"""Design rules: a clean drawing is clean, and one drawn fault for every rule is found under that rule."""

from collections.abc import Callable
from dataclasses import dataclass

import klayout.db as kdb
import pytest

from mtjspice.errors import InputError
from mtjspice.layout.drc import violations
from mtjspice.layout.layers import LAYERS, METALS
from mtjspice.layout.rules import RULES


class Drawing:
    """Boxes in um, relative to an origin, in one cell."""

    def __init__(self) -> None:
        self.layout = kdb.Layout()
        self.layout.dbu = 0.001
        self.cell = self.layout.create_cell("drawing")
        self.origin = (0.0, 0.0)

    def box(self, layer: str, left: float, bottom: float, right: float, top: float) -> None:
        x, y = self.origin
        shape = kdb.DBox(left + x, bottom + y, right + x, top + y).to_itype(0.001)
        self.cell.shapes(self.layout.layer(*LAYERS[layer])).insert(shape)

    def polygon(self, layer: str, *points: tuple[float, float]) -> None:
        x, y = self.origin
        shape = kdb.DPolygon([kdb.DPoint(a + x, b + y) for a, b in points]).to_itype(0.001)
        self.cell.shapes(self.layout.layer(*LAYERS[layer])).insert(shape)

    def found(self) -> set[str]:
        return {violation.rule for violation in violations(self.layout, self.cell)}


# --- parts, which are clean with their default dimensions --------------------------------------------------------


def contact(d: Drawing, x: float, y: float, size: float = 0.22, around: float = 0.1) -> None:
    """A contact with its lower left corner at (x, y) and metal1 around it."""
    d.box("contact", x, y, x + size, y + size)
    d.box("metal1", x - around, y - around, x + size + around, y + size + around)


def comp(d: Drawing, kind: str, left: float, bottom: float, right: float, top: float, beyond: float = 0.16) -> None:
    d.box("comp", left, bottom, right, top)
    d.box(f"{kind}plus", left - beyond, bottom - beyond, right + beyond, top + beyond)


def transistor(
    d: Drawing,
    kind: str,
    length: float = 0.28,
    width: float = 1.0,
    cap: float = 0.22,
    side: float = 0.5,
    over_gate: float = 0.23,
    beyond: float = 0.16,
    contacts: bool = True,
    to_gate: float = 0.15,
    well: float = 0.43,
) -> None:
    """A FET whose COMP begins at the origin; one of p channel with its well and the well's tap."""
    right = 2 * side + length
    d.box("comp", 0, 0, right, width)
    d.box("poly", side, -cap, side + length, width + cap)
    d.box(f"{kind}plus", -beyond, -over_gate, right + beyond, width + over_gate)
    if contacts:
        contact(d, side - to_gate - 0.22, 0.4)
        contact(d, side + length + to_gate, 0.4)
    if kind == "p":
        d.box("nwell", -well, -0.5, right + 2.0, width + 0.5)
        tap(d, "n", right + 0.8, 0.2)


def tap(d: Drawing, kind: str, x: float, y: float, beyond: float = 0.16) -> None:
    comp(d, kind, x, y, x + 0.6, y + 0.6, beyond)
    contact(d, x + 0.19, y + 0.19)


def junction(
    d: Drawing, diameter: float = 0.1, electrode: float = 0.1, via2: float = -0.8, via3: float = 0.6, below: float = 0.2
) -> None:
    """A pillar at the origin between metal3 and metal4, a via2 to its left, a via3 to its right."""
    pillar(d, 0, diameter)
    for name in ("mtj_bottom", "mtj_top"):
        d.box(name, -electrode, -electrode, electrode, electrode)
    for level, x in ((2, via2), (3, via3)):
        d.box(f"via{level}", x, -0.07, x + 0.26, 0.19)
        d.box(f"metal{2 if level == 2 else 4}", x - 0.07, -0.2, x + 0.33, 0.25)
    for name in ("metal3", "metal4"):
        d.box(name, via2 - 0.07, -below, via3 + 0.33, 0.25)


def pillar(d: Drawing, x: float, diameter: float = 0.1) -> None:
    half = diameter / 2
    cut = 0.4142 * half
    corners = ((-half, cut), (-cut, half), (cut, half), (half, cut))
    d.polygon("mtj", *((x + a, b) for a, b in corners), *((x - a, -b) for a, b in corners))


def resistor(
    d: Drawing,
    width: float = 1.0,
    high: float = 0.4,
    over: float = 0.3,
    overlap: float = 0.1,
    marker: float = 0.0,
    at: float = 0.2,
    head: float = 0.3,
    grown: float = 0.0,
) -> None:
    """A high-resistance resistor of 5 um by ``width``; the salicide block stands between 0.9 and 4.1 um."""
    d.box("poly", 0, 0, 5, width)
    d.box("salicide_block", 0.9 - grown, -over, 4.1 + grown, width + over)
    d.box("pplus", -head, -0.3, 0.9 - grown + overlap, width + 0.3)
    d.box("pplus", 4.1 + grown - overlap, -0.3, 5 + head, width + 0.3)
    d.box("high_resistance", -high, -high, 5 + high, width + high)
    d.box("resistor_marker", 1.0 + marker, -0.1, 4.0, width + 0.1)
    contact(d, at, width / 2 - 0.11)
    contact(d, 4.58, width / 2 - 0.11)


def stack(d: Drawing, level: int, below: float = 0.07, above: float = 0.07) -> None:
    """One via between two plates that enclose it."""
    d.box(f"via{level}", 0, 0, 0.26, 0.26)
    for metal, around in ((level, below), (level + 1, above)):
        d.box(f"metal{metal}", -around, -around, 0.26 + around, 0.6)


def block(d: Drawing) -> None:
    """One of every part, clean."""
    x, y = d.origin
    parts: tuple[tuple[float, float, Callable[[Drawing], None]], ...] = (
        (0, 0, lambda d: transistor(d, "n")),
        (-2, 0, lambda d: tap(d, "p", 0, 0)),
        (3, 0, lambda d: transistor(d, "p")),
        (8, 0, junction),
        (0, -4, resistor),
        *((6 + level, -4, lambda d, level=level: stack(d, level)) for level in (1, 2, 3, 4)),
    )
    for left, bottom, part in parts:
        d.origin = (x + left, y + bottom)
        part(d)
    d.origin = (x, y)


# --- faults ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seed:
    """A fault: the rule that it breaks, how to draw it, the rules that it cannot but break too."""

    rule: str
    draw: Callable[[Drawing], None]
    others: frozenset[str] = frozenset()


SEEDS: list[Seed] = []


def seed(rule: str, *others: str) -> Callable[[Callable[[Drawing], None]], Callable[[Drawing], None]]:
    def register(draw: Callable[[Drawing], None]) -> Callable[[Drawing], None]:
        SEEDS.append(Seed(rule, draw, frozenset(others)))
        return draw

    return register


def boxes(rule: str, *shapes: tuple[str, float, float, float, float], others: tuple[str, ...] = ()) -> None:
    """A fault of boxes alone."""

    def draw(d: Drawing) -> None:
        for shape in shapes:
            d.box(*shape)

    SEEDS.append(Seed(rule, draw, frozenset(others)))


def part(
    rule: str, function: Callable[..., None], *arguments: object, others: tuple[str, ...] = (), **changes: float
) -> None:
    """A part with other dimensions than those which are clean."""
    SEEDS.append(Seed(rule, lambda d: function(d, *arguments, **changes), frozenset(others)))


# wells and active area
boxes("NW.1a", ("nwell", 0, 0, 0.8, 3))
boxes("NW.2a", ("nwell", 0, 0, 2, 2), ("nwell", 2.5, 0, 4.5, 2), others=("NW.2b",))
boxes("NW.2b", ("nwell", 0, 0, 2, 2), ("nwell", 3, 0, 5, 2))
boxes("DF.1a", ("comp", 0, 0, 0.2, 1.2), ("nplus", -0.16, -0.16, 0.36, 1.36))
part("DF.2a", transistor, "n", width=0.2, contacts=False, others=("DF.1a",))
boxes("DF.3a", ("comp", 0, 0, 1, 1), ("comp", 1.26, 0, 2.26, 1), ("nplus", -0.16, -0.16, 2.42, 1.16))
part("DF.4c", transistor, "p", well=0.4)
boxes("DF.4d", ("nwell", 0, 0, 2, 2), ("comp", 0.1, 0.5, 1, 1.5), ("nplus", -0.06, 0.34, 1.16, 1.66))
part("DF.6", transistor, "n", side=0.22, contacts=False)
part("DF.9", comp, "n", 0, 0, 0.4, 0.4)


@seed("DF.10")
def _(d: Drawing) -> None:
    for shape in ((0, 0, 1.5, 0.5), (0, 1, 1.5, 1.5), (0, 0, 0.5, 1.5), (1, 0, 1.5, 1.5)):
        d.box("comp", *shape)
    d.box("nplus", -0.16, -0.16, 1.66, 1.66)


@seed("DF.11", "PP.3a")
def _(d: Drawing) -> None:
    d.box("comp", 0, 0, 0.25, 4)
    d.box("nplus", -0.5, 2, 0.75, 4.2)
    d.box("pplus", -0.5, -0.2, 0.75, 2)


boxes("DF.12", ("comp", 0, 0, 1, 1), ("nplus", -0.16, -0.16, 0.6, 1.16))


@seed("DF.13")
def _(d: Drawing) -> None:
    d.box("nwell", 49.5, -0.5, 80, 1.5)
    tap(d, "n", 50, 0)
    comp(d, "p", 74, 0, 75, 1)


@seed("DF.14")
def _(d: Drawing) -> None:
    comp(d, "n", 50, 0, 51, 1)
    comp(d, "p", 75, 0, 76, 1)


@seed("DF.16")
def _(d: Drawing) -> None:
    d.box("nwell", 0, 0, 2, 2)
    comp(d, "n", 2.4, 0, 3.4, 1)


@seed("DF.17")
def _(d: Drawing) -> None:
    d.box("nwell", 0, 0, 2, 2)
    comp(d, "p", 2.1, 0, 3.1, 1)


# poly
boxes("PL.1", ("poly", 0, 0, 0.16, 2))
part("PL.2", transistor, "n", length=0.26)
boxes("PL.3a", ("poly", 0, 0, 1, 1), ("poly", 1.22, 0, 2.22, 1))
part("PL.4", transistor, "n", cap=0.2)


@seed("PL.5a")
def _(d: Drawing) -> None:
    comp(d, "n", 0, 0, 1, 1)
    d.box("poly", 1.08, 0, 2, 1)


@seed("PL.5b")
def _(d: Drawing) -> None:
    transistor(d, "n")
    d.box("poly", 0.5, 1.08, 1.6, 1.4)
    d.box("poly", 1.36, 0, 1.6, 1.4)


@seed("PL.6")
def _(d: Drawing) -> None:
    d.box("comp", 0, 0, 4, 4)
    d.box("poly", -0.3, 1.8, 2.2, 2.2)
    d.box("poly", 1.8, 1.8, 2.2, 4.3)
    d.box("nplus", -0.5, -0.5, 4.5, 4.5)


# implants: n+ and p+ alike
for own, other, prefix in (("n", "p", "NP"), ("p", "n", "PP")):
    layer = f"{own}plus"
    boxes(f"{prefix}.1", (layer, 0, 0, 0.38, 2))
    boxes(f"{prefix}.2", (layer, 0, 0, 1, 1), (layer, 1.38, 0, 2.38, 1))
    boxes(f"{prefix}.8a", (layer, 0, 0, 0.5, 0.6))
    boxes(
        f"{prefix}.8b",
        (layer, 0, 0, 1.5, 0.5), (layer, 0, 1.1, 1.5, 1.6), (layer, 0, 0, 0.5, 1.6), (layer, 1, 0, 1.5, 1.6),
    )  # fmt: skip
    part(f"{prefix}.5a", transistor, own, over_gate=0.2)
    part(f"{prefix}.5b", transistor, own, beyond=0.14, others=("PP.5dii",) if own == "p" else ())

    @seed(f"{prefix}.3a", *(("NP.3ci",) if own == "n" else ()))
    def _(d: Drawing, other: str = other, layer: str = layer) -> None:
        transistor(d, other, contacts=False)
        d.box(layer, -1, 0, -0.14, 1)

    @seed(f"{prefix}.3d", *(("PP.3d",) if own == "n" else ("NP.3d", "PP.5di")))
    def _(d: Drawing, other: str = other, layer: str = layer) -> None:
        comp(d, other, 0, 0, 1, 1)
        d.box(layer, 0.7, -0.2, 1.7, 1.2)

    @seed(f"{prefix}.4a", "PP.3a")
    def _(d: Drawing, own: str = own, other: str = other) -> None:
        butting(d, other, own, 1.04)
        d.box("poly", 0.5, -0.22, 0.78, 1.22)

    @seed(f"{prefix}.4b")
    def _(d: Drawing, other: str = other, layer: str = layer) -> None:
        transistor(d, other, cap=1.5)
        d.box(layer, 0.98, 1.28, 1.6, 2.2)

    @seed(f"{prefix}.6", "PP.3a")
    def _(d: Drawing, own: str = own, other: str = other) -> None:
        butting(d, other, own, 2.8)

    @seed(f"{prefix}.7", "SB.15a")
    def _(d: Drawing, layer: str = layer) -> None:
        resistor(d)
        d.box(layer, 1.5, 1.16, 3.5, 2)

    @seed(f"{prefix}.9")
    def _(d: Drawing, layer: str = layer) -> None:
        unsalicided(d, layer, 0.1)

    @seed(f"{prefix}.11", "NP.3a", "PP.3ci", *(("NP.11", "DF.4c", "PP.3cii") if own == "p" else ()))
    def _(d: Drawing, own: str = own, other: str = other) -> None:
        butting(d, other, own, 1.5)
        d.box("nwell", -1, -0.2 if own == "p" else -1, 4, 2)

    @seed(f"{prefix}.12")
    def _(d: Drawing, other: str = other, layer: str = layer) -> None:
        transistor(d, other)
        d.box(layer, -0.2, 1.3, 1.5, 2.2)


def butting(d: Drawing, left: str, right: str, edge: float) -> None:
    """COMP of 3 um by 1 um, with one implant up to an edge and the other from there."""
    d.box("comp", 0, 0, 3, 1)
    d.box(f"{left}plus", -0.3, -0.3, edge, 1.3)
    d.box(f"{right}plus", edge, -0.3, 3.3, 1.3)


def unsalicided(d: Drawing, implant: str, beyond: float = 0.4, block: float = 0.3, end: float = 1.0) -> None:
    """A poly line of 5 um by 1 um whose middle has no salicide, with an implant all over."""
    d.box("poly", 0, 0, 5, 1)
    d.box("salicide_block", end, -block, 5 - end, 1 + block)
    d.box(implant, -beyond, -beyond, 5 + beyond, 1 + beyond)


@seed("NP.3ci")
def _(d: Drawing) -> None:
    d.box("nwell", 0, 0, 2, 2)
    comp(d, "p", 2.2, 0, 3.2, 1)
    d.box("nplus", 2, 1.12, 2.43, 2.2)


@seed("NP.3cii")
def _(d: Drawing) -> None:
    comp(d, "p", 0, 0, 1, 1)
    d.box("nplus", 1.06, 0, 2.06, 1)


@seed("PP.3ci")
def _(d: Drawing) -> None:
    d.box("nwell", -1, -1, 4, 2)
    comp(d, "n", 0, 0, 1, 1)
    d.box("pplus", 1.06, 0, 2.06, 1)


@seed("PP.3cii")
def _(d: Drawing) -> None:
    d.box("nwell", -0.3, -0.3, 4, 1.3)
    comp(d, "n", 0, 0, 1, 1)
    d.box("pplus", 1.12, 0, 2.12, 1)


@seed("NP.5di")
def _(d: Drawing) -> None:
    d.box("nwell", -0.3, -0.3, 1.3, 1.3)
    comp(d, "n", 0, 0, 1, 1, beyond=0.14)


@seed("NP.5dii")
def _(d: Drawing) -> None:
    d.box("nwell", -1, -1, 2, 2)
    comp(d, "n", 0, 0, 1, 1, beyond=0.01)


part("PP.5di", comp, "p", 0, 0, 1, 1, beyond=0.01)


@seed("PP.5dii")
def _(d: Drawing) -> None:
    d.box("nwell", -3, 0, -0.3, 1)
    comp(d, "p", 0, 0, 1, 1, beyond=0.14)


# contacts
def landing(rule: str, *shapes: tuple[str, float, float, float, float], others: tuple[str, ...] = ()) -> None:
    """A fault of shapes on n+ COMP of 3 um by 3 um."""
    ground = (("comp", 0, 0, 3, 3), ("nplus", -0.16, -0.16, 3.16, 3.16))
    boxes(rule, *ground, *shapes, others=others)


def array(cut: str, size: float, gap: float) -> list[tuple[str, float, float, float, float]]:
    places = [0.4 + number * (size + gap) for number in range(4)]
    return [(cut, x, y, x + size, y + size) for x in places for y in places]


landing("CO.1", ("contact", 1, 1, 1.24, 1.22), ("metal1", 0.5, 0.5, 2, 2))
landing("CO.2a", ("contact", 1, 1, 1.22, 1.22), ("contact", 1.46, 1, 1.68, 1.22), ("metal1", 0.5, 0.5, 2, 2))
landing("CO.2b", *array("contact", 0.22, 0.25), ("metal1", 0, 0, 3, 3))
boxes("CO.3", ("poly", 0, 0, 1, 1), ("contact", 0.05, 0.4, 0.27, 0.62), ("metal1", -0.1, 0, 1, 1))
landing("CO.4", ("contact", 0.05, 1, 0.27, 1.22), ("metal1", -0.1, 0, 1, 2))
for rule, left, others in (("CO.5a", 1.52, ()), ("CO.5b", 1.16, ()), ("CO.9", 1.4, ("CO.5a", "CO.5b"))):

    @seed(rule, "PP.3a", *others)
    def _(d: Drawing, left: float = left) -> None:
        butting(d, "p", "n", 1.45)
        contact(d, left, 0.4)


landing("CO.6", ("contact", 1, 1, 1.22, 1.22), ("metal1", 1, 0.5, 2, 2))
landing("CO.6a", ("contact", 1, 1, 1.22, 1.22), ("metal1", 0.96, 0.95, 1.26, 2))
landing("CO.6b", ("contact", 1, 1, 1.22, 1.22), ("metal1", 0.97, 0.95, 2, 2))
part("CO.7", transistor, "n", to_gate=0.13)


@seed("CO.8", "CO.3")
def _(d: Drawing) -> None:
    comp(d, "n", 0, 0, 1, 1)
    d.box("poly", 1.1, 0, 2, 1)
    contact(d, 1.16, 0.4)


@seed("CO.10")
def _(d: Drawing) -> None:
    transistor(d, "n", length=0.6, contacts=False)
    contact(d, 0.69, 0.4)


part("CO.11", contact, 0, 0)

# metals and vias
for level, metal in enumerate(METALS, start=1):
    least = 0.23 if level == 1 else 0.28
    boxes(f"M{level}.1", (metal, 0, 0, least - 0.02, 3))
    boxes(f"M{level}.2a", (metal, 0, 0, 1, 1), (metal, 1 + least - 0.02, 0, 3, 1))
    boxes(f"M{level}.2b", (metal, 0, 0, 11, 11), (metal, 11.29, 0, 13, 5))
    boxes(f"M{level}.3", (metal, 0, 0, 0.36, 0.36))

for level in (1, 2, 3, 4):
    via, lower, upper = f"via{level}", f"metal{level}", f"metal{level + 1}"
    one = (via, 0.5, 0.5, 0.76, 0.76)
    plates = tuple((metal, 0.0, 0.0, 3.0, 3.0) for metal in (lower, upper))
    boxes(f"V{level}.1", *plates, (via, 0.5, 0.5, 0.78, 0.76))
    boxes(f"V{level}.2a", *plates, one, (via, 1, 0.5, 1.26, 0.76))
    boxes(f"V{level}.2b", *plates, *array(via, 0.26, 0.28))
    first = ("V1.3a", "V1.3c", "V1.3d") if level == 1 else tuple(f"V{level}.3{letter}" for letter in "bcd")
    for metal, fixed, (inside, end, adjacent) in (
        (lower, plates[1], first),
        (upper, plates[0], tuple(f"V{level}.4{letter}" for letter in "abc")),
    ):
        boxes(inside, fixed, one, (metal, 0.52 if inside == "V1.3a" else 0.505, 0.2, 2, 2))
        boxes(end, fixed, one, (metal, 0.45, 0.2, 0.78, 0.8), others=(adjacent,))
        boxes(adjacent, fixed, one, (metal, 0.47, 0.45, 2, 2))

# resistors
boxes("SB.1", ("salicide_block", 0, 0, 0.4, 6))
boxes("SB.2", ("salicide_block", 0, 0, 2, 2), ("salicide_block", 2.4, 0, 4.4, 2))
boxes("SB.13", ("salicide_block", 0, 0, 1, 1))


@seed("SB.3")
def _(d: Drawing) -> None:
    comp(d, "n", 0, 0, 1, 1)
    d.box("salicide_block", 1.2, 0, 4, 2)


@seed("SB.4", "SB.5a")
def _(d: Drawing) -> None:
    d.box("poly", 0, 0, 1, 1)
    contact(d, 0.7, 0.4)
    d.box("salicide_block", 1.06, 0, 4, 2)


boxes("SB.5a", ("poly", 0, 0, 1, 1), ("salicide_block", 1.28, 0, 4, 2))
landing("SB.5b", ("nplus", -0.3, -0.3, 3.3, 3.3), ("poly", 1, -0.22, 1.5, 3.22), ("salicide_block", 1.76, 0.5, 5, 2.5))
part("SB.9", unsalicided, "pplus", block=0.2)
part("SB.10", unsalicided, "pplus", end=0.2)
boxes("SB.12", ("poly", 0, 0, 5, 2), ("salicide_block", 4.8, -0.3, 7, 2.3), ("pplus", -0.5, -0.5, 5.5, 2.5))


@seed("SB.15a", "NP.7")
def _(d: Drawing) -> None:
    resistor(d)
    d.box("nplus", 1.5, 1.16, 3.5, 2)


@seed("SB.16", "NP.9")
def _(d: Drawing) -> None:
    transistor(d, "n", contacts=False)
    d.box("salicide_block", -1, -1, 2.3, 2)


@seed("HRES.1")
def _(d: Drawing) -> None:
    resistor(d)
    d.origin = (d.origin[0], d.origin[1] + 2.18)
    resistor(d)


@seed("HRES.3")
def _(d: Drawing) -> None:
    resistor(d)
    d.origin = (d.origin[0], d.origin[1] + 1.38)
    resistor(d)


part("HRES.2", resistor, width=0.98)
part("HRES.4", resistor, high=0.38)


@seed("HRES.5")
def _(d: Drawing) -> None:
    resistor(d)
    d.box("poly", 1, 1.68, 4, 2)


@seed("HRES.6")
def _(d: Drawing) -> None:
    resistor(d)
    comp(d, "n", 1, 1.68, 4, 3)


part("HRES.7", resistor, head=0.1, at=0.07)
part("HRES.8", resistor, at=0.48)
part("HRES.9", resistor, over=0.26)
part("HRES.10", resistor, overlap=0.08, grown=-0.02)
part("HRES.12a", resistor, marker=0.1)

# grid and junctions
boxes("OFFGRID", ("metal1", 0, 0, 1.002, 1))


@seed("ACUTE", "M1.1")
def _(d: Drawing) -> None:
    d.polygon("metal1", (0, 0), (4, 2), (4, 0))


part("MTJ.1", junction, below=0.09, others=("MTJ.3b",))


@seed("MTJ.2")
def _(d: Drawing) -> None:
    junction(d)
    pillar(d, 0.28)
    for name in ("mtj_bottom", "mtj_top"):
        d.box(name, 0, -0.1, 0.4, 0.1)


part("MTJ.3a", junction, electrode=0.06)
part("MTJ.3b", junction, electrode=0.18)
part("MTJ.4", junction, via3=0.17)
part("MTJ.5", junction, diameter=0.22, electrode=0.14)
part("MTJ.5", junction, diameter=0.01)
part("MTJ.6", junction, via2=-0.34)


# --- tests -------------------------------------------------------------------------------------------------------


def sheet(fault: Seed | None = None) -> Drawing:
    """A clean block, whose taps are near, and a fault above it."""
    d = Drawing()
    place(d, fault)
    return d


def place(d: Drawing, fault: Seed | None) -> None:
    x, y = d.origin
    block(d)
    if fault is not None:
        d.origin = (x, y + 5)
        fault.draw(d)
        d.origin = (x, y)


def test_a_clean_block_is_clean() -> None:
    d = sheet()
    assert violations(d.layout, d.cell) == ()


def test_the_block_has_shapes_on_every_layer() -> None:
    d = sheet()
    drawn = {(info.layer, info.datatype) for info in d.layout.layer_infos()}
    assert drawn == set(LAYERS.values()) - {LAYERS["boundary"]}


def test_every_rule_has_a_fault() -> None:
    assert {fault.rule for fault in SEEDS} == set(RULES)


@pytest.mark.parametrize("fault", SEEDS, ids=lambda fault: fault.rule)
def test_a_fault_is_found_under_its_rule(fault: Seed) -> None:
    assert sheet(fault).found() == {fault.rule} | fault.others


def test_a_violation_says_where_it_is() -> None:
    d = Drawing()
    d.box("metal1", 1, 2, 1.2, 5)
    (found,) = violations(d.layout, d.cell)
    assert (found.rule, found.text) == ("M1.1", RULES["M1.1"].text)
    assert found.box == pytest.approx((1, 2, 1.2, 5))
    assert str(found) == "M1.1: width of metal1, at (1.000, 2.000) to (1.200, 5.000) um"


def test_every_place_is_reported_through_the_hierarchy() -> None:
    d = Drawing()
    d.box("metal1", 0, 0, 0.2, 3)
    top = d.layout.create_cell("top")
    top.insert(kdb.CellInstArray(d.cell.cell_index(), kdb.Trans(), kdb.Vector(1000, 0), kdb.Vector(0, 5000), 4, 3))
    assert [violation.rule for violation in violations(d.layout, top)] == ["M1.1"] * 12
    layers = {(info.layer, info.datatype) for info in d.layout.layer_infos()}
    assert layers == {LAYERS["metal1"]}, "checking adds no layers"


def test_the_nets_of_wells_decide_on_their_space() -> None:
    """Wells 1 um apart may have one potential, by taps and wires, and not two."""

    def wells(joined: bool) -> set[str]:
        d = sheet()
        for x in (0, 3.2):
            d.origin = (x, 5)
            d.box("nwell", 0, 0, 2.2, 2)
            tap(d, "n", 0.8, 0.8)
        d.origin = (0, 5)
        if joined:
            d.box("metal1", 1.1, 0.9, 4.3, 1.3)
        return d.found()

    assert wells(joined=True) == set()
    assert wells(joined=False) == {"NW.2b"}


def test_a_tap_serves_its_own_well_only() -> None:
    d = sheet()
    d.origin = (0, 5)
    d.box("nwell", 0, 0, 3, 3)
    comp(d, "p", 1, 1, 2, 2)
    assert d.found() == {"DF.13"}


def test_space_to_wide_metal_is_seen_beside_a_shape_that_is_no_rectangle() -> None:
    d = Drawing()
    d.box("metal2", 0, 0, 12, 12)
    d.box("metal2", 12, 0, 20, 1)
    d.box("metal2", 12.29, 6, 14, 8)
    assert d.found() == {"M2.2b"}


def test_other_database_units_are_refused() -> None:
    d = Drawing()
    d.layout.dbu = 0.005
    with pytest.raises(InputError, match=r"database unit is 0\.005 um, it must be 0\.001 um"):
        violations(d.layout, d.cell)
