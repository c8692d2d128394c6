"""Guard rings and via stacks: clean by the design rules, as close as these allow, and closed."""

from collections.abc import Callable

import pytest

from mtjspice.errors import InputError
from mtjspice.layout import ring
from mtjspice.layout.canvas import Canvas, new_layout
from mtjspice.layout.drc import violations
from mtjspice.layout.layers import CUTS, LAYERS, METALS
from mtjspice.layout.ring import KINDS, guard_ring, ring_distance
from mtjspice.layout.vias import draw_via_stack

kdb = pytest.importorskip("klayout.db")


def canvas() -> Canvas:
    return Canvas(new_layout(), "ring")


def region(drawn: Canvas, name: str) -> kdb.Region:
    return kdb.Region(drawn.cell.begin_shapes_rec(drawn.layout.layer(*LAYERS[name]))).merged()


def broken(drawn: Canvas) -> set[str]:
    return {violation.rule for violation in violations(drawn.layout, drawn.cell)}


# --- what rings stand around: as small as the rules allow ------------------------------------------------------


def tap(drawn: Canvas, x: int, y: int, implant: str) -> None:
    drawn.box("comp", x - 230, y - 230, x + 230, y + 230)
    drawn.box(implant, x - 390, y - 390, x + 390, y + 390)
    drawn.box("metal1", x - 200, y - 200, x + 200, y + 200)
    drawn.cut("contact", x, y)


def transistor(drawn: Canvas, implant: str) -> None:
    drawn.box("comp", 0, 0, 1160, 600)
    drawn.box("poly", 440, -220, 720, 820)
    drawn.box(implant, -160, -230, 1320, 830)
    for x in (180, 980):
        drawn.cut("contact", x, 300)
        drawn.box("metal1", x - 130, 20, x + 130, 580)


def nfet(drawn: Canvas) -> None:
    transistor(drawn, "nplus")


def pfet_in_well(drawn: Canvas) -> None:
    transistor(drawn, "pplus")
    tap(drawn, 1870, 300, "nplus")
    drawn.box("nwell", -430, -430, 2220, 1030)


def substrate_tap(drawn: Canvas) -> None:
    tap(drawn, 0, 0, "pplus")


def wire(drawn: Canvas) -> None:
    drawn.box("metal1", 0, 0, 12_000, 12_000)


def line_of_poly(drawn: Canvas) -> None:
    drawn.box("poly", 0, 0, 200, 4000)


def block_of_salicide(drawn: Canvas) -> None:
    drawn.box("salicide_block", 0, 0, 2000, 2000)


Draw = Callable[[Canvas], None]
CONTENTS: tuple[Draw, ...] = (nfet, pfet_in_well, substrate_tap, wire, line_of_poly, block_of_salicide)


def around(drawn: Canvas) -> tuple[int, int, int, int]:
    box = drawn.cell.bbox()
    return box.left, box.bottom, box.right, box.top


# DF.14 wants a tap near the n-channel FET, which the n-well ring is not
ALONE = {(nfet, "well"): {"DF.14"}}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("draw", CONTENTS)
def test_a_ring_stands_as_close_as_the_rules_allow(draw: Draw, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = canvas()
    draw(drawn)
    box = around(drawn)
    least = ring_distance(drawn, box, kind)
    guard_ring(drawn, box, kind)
    expected = ALONE.get((draw, kind), set())
    assert broken(drawn) == expected
    closer = canvas()
    draw(closer)
    monkeypatch.setattr(ring, "ring_distance", lambda *_: least - 5)
    guard_ring(closer, box, kind)
    assert broken(closer) > expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(5, 5), (200, 1000), (3335, 700), (4000, 25_005), (40_000, 12_345)])
def test_a_ring_is_clean_and_closed(kind: str, size: tuple[int, int]) -> None:
    drawn = canvas()
    outer = guard_ring(drawn, (-35, 10, size[0] - 35, size[1] + 10), kind)
    assert broken(drawn) == set()
    assert drawn.cell.bbox() == kdb.Box(*outer)
    implant, other = ("pplus", "nplus") if kind == "substrate" else ("nplus", "pplus")
    for name in ("comp", "metal1", implant, *(["nwell"] if kind == "well" else [])):
        (polygon,) = region(drawn, name).each()
        assert polygon.holes() == 1, name
        hole = kdb.Region(polygon).holes().bbox()
        assert hole.left < -35 < size[0] - 35 < hole.right, name
        assert hole.bottom < 10 < size[1] + 10 < hole.top, name
    assert region(drawn, other).is_empty()
    assert region(drawn, "nwell").is_empty() == (kind == "substrate")


@pytest.mark.parametrize("kind", KINDS)
def test_a_ring_is_one_net(kind: str) -> None:
    drawn = canvas()
    guard_ring(drawn, (0, 0, 5000, 3000), kind)
    extraction = kdb.LayoutToNetlist("ring", 0.001)
    layers = {name: region(drawn, name) for name in ("comp", "contact", "metal1")}
    for name, shapes in layers.items():
        extraction.register(shapes, name)
        extraction.connect(shapes)
    extraction.connect(layers["comp"], layers["contact"])
    extraction.connect(layers["contact"], layers["metal1"])
    extraction.extract_netlist()
    (circuit,) = extraction.netlist().each_circuit()
    assert len(list(circuit.each_net())) == 1
    # contacts all around: none of the ring is farther than a micrometre from one
    far = layers["comp"] - layers["contact"].sized(600)
    assert layers["contact"].count() > 30
    assert far.is_empty()


def test_what_is_drawn_later_has_room() -> None:
    empty = canvas()
    box = (0, 0, 4000, 4000)
    for kind in KINDS:
        assert ring_distance(empty, box, kind) == max(ring.SPACES[kind].values())
    wires = canvas()
    wires.box("metal2", -9000, 0, 9000, 280)  # crosses the ring
    assert ring_distance(wires, box, "substrate") == ring_distance(empty, box, "substrate")
    wires.box("metal1", 1000, 1000, 2000, 2000)
    assert ring_distance(wires, box, "substrate") == 0


def test_a_given_distance_is_kept() -> None:
    drawn = canvas()
    outer = guard_ring(drawn, (0, 0, 2000, 2000), "substrate", distance=1500)
    assert outer == (-1500 - 520, -1500 - 520, 3500 + 520, 3500 + 520)
    assert broken(drawn) == set()


@pytest.mark.parametrize(
    ("box", "kind", "distance", "message"),
    [
        ((0, 0, 1000, 1000), "deep", None, r"^unknown kind of guard ring 'deep'; available: substrate, well$"),
        ((0, 0, 1002, 1000), "well", None, r"^guard ring: 1002 nm is off the grid of 5 nm$"),
        ((0, 0, 1000, 1000), "well", 1702, r"^guard ring: 1702 nm is off the grid of 5 nm$"),
        ((0, 0, 0, 1000), "well", None, r"^guard ring around an empty box: 0, 0, 0, 1000 nm$"),
        ((0, 0, 1000, 1000), "substrate", 100, r"^guard ring at a distance of 100 nm; allowed here: \d+ nm and more$"),
        ((0, 0, 1000, 1000), "substrate", -5, r"^guard ring at a distance of -5 nm; allowed here: \d+ nm and more$"),
    ],
)
def test_bad_rings(box: tuple[int, int, int, int], kind: str, distance: int | None, message: str) -> None:
    drawn = canvas()
    with pytest.raises(InputError, match=message):
        guard_ring(drawn, box, kind, distance)
    assert drawn.cell.bbox().empty()


def test_shapes_must_not_cross_the_ring() -> None:
    drawn = canvas()
    drawn.box("metal1", 500, 500, 1040, 800)
    with pytest.raises(InputError, match=r"^guard ring in ring: metal1 reaches 40 nm beyond the box$"):
        guard_ring(drawn, (0, 0, 1000, 1000), "substrate")


# --- via stacks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(1, 2), (2, 3), (3, 5), (1, 5)])
@pytest.mark.parametrize("count", [(1, 1), (2, 1), (1, 5), (3, 3), (3, 9), (4, 4), (5, 4), (7, 6)])
def test_a_via_stack_is_clean(low: int, high: int, count: tuple[int, int]) -> None:
    drawn = canvas()
    box = draw_via_stack(drawn, 35, -1005, low, high, *count)
    assert broken(drawn) == set()
    assert drawn.cell.bbox() == kdb.Box(*box)
    assert ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) == (35, -1005)
    for level, metal in enumerate(METALS, start=1):
        assert region(drawn, metal).is_empty() == (not low <= level <= high)
    for level, cut in enumerate(CUTS):
        assert region(drawn, cut).count() == (count[0] * count[1] if low <= level < high else 0)


def test_only_arrays_have_the_larger_distance() -> None:
    sizes = {}
    for count in ((3, 4), (4, 3), (4, 4)):
        left, bottom, right, top = draw_via_stack(canvas(), 0, 0, 1, 2, *count)
        sizes[count] = right - left, top - bottom
    assert sizes == {(3, 4): (1420, 1940), (4, 3): (1940, 1420), (4, 4): (2240, 2240)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 2, 2), r"^via stack from metal2 to metal2; allowed: from a metal to a higher one of 1 to 5$"),
        ((0, 0, 0, 2), r"^via stack from metal0 to metal2; "),
        ((0, 0, 4, 6), r"^via stack from metal4 to metal6; "),
        ((0, 0, 1, 2, 0, 1), r"^via stack of 0 x 1 vias; allowed: 1 or more both ways$"),
        ((0, 3, 1, 2), r"^via stack: 3 nm is off the grid of 5 nm$"),
    ],
)
def test_bad_via_stacks(arguments: tuple[int, ...], message: str) -> None:
    drawn = canvas()
    with pytest.raises(InputError, match=message):
        draw_via_stack(drawn, *arguments)
    assert drawn.cell.bbox().empty()
