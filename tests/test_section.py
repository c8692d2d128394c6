"""Sections through junctions: what a cut meets and at which height, and the figures of them."""

from itertools import pairwise
from pathlib import Path

import pytest

from mtjspice.circuits import catalogue
from mtjspice.device.card import MTJCard, Origin
from mtjspice.errors import InputError
from mtjspice.layout.canvas import Canvas, new_layout
from mtjspice.layout.fets import draw_junction
from mtjspice.layout.generate import Drawn, generate
from mtjspice.layout.layers import CUTS, METALS
from mtjspice.layout.process import FIELD_OXIDE, SILICON, STACK
from mtjspice.layout.section import cut
from mtjspice.reports.layout_figures import write_section

kdb = pytest.importorskip("klayout.db")


def canvas(name: str = "cell") -> Canvas:
    return Canvas(new_layout(), name)


def pillar_between_wires() -> Canvas:
    """Metal3 along x, a pillar of 100 nm, metal4 along y."""
    drawn = canvas()
    drawn.box("metal3", -800, -140, 400, 140)
    drawn.box("metal4", -140, -2000, 140, 2000)
    draw_junction(drawn, 0, 0, 100e-9)
    return drawn


@pytest.fixture(scope="module")
def cell() -> Drawn:
    return generate(catalogue.bench("cell_1t1m").circuit)


# --- heights ---------------------------------------------------------------------------------------------------


def test_the_stack_has_no_gaps() -> None:
    for level in range(1, 5):
        via = STACK[f"via{level}"]
        assert via.bottom == STACK[f"metal{level}"].top
        assert via.top == STACK[f"metal{level + 1}"].bottom
    assert STACK["contact"].bottom == STACK["comp"].top == SILICON
    assert STACK["contact"].top == STACK["metal1"].bottom
    assert STACK["poly"].bottom == FIELD_OXIDE
    gate_oxide = FIELD_OXIDE - SILICON
    assert gate_oxide == pytest.approx(8e-3)
    junction = [STACK[name] for name in ("metal3", "mtj_bottom", "mtj", "mtj_top", "metal4")]
    for below, above in pairwise(junction):
        assert below.top == above.bottom
    assert {name for name, slab in STACK.items() if slab.assumed} == {"implant", "mtj_bottom", "mtj", "mtj_top"}
    assert all(slab.thickness > 0 for slab in STACK.values())
    # published thicknesses
    assert [round(STACK[name].thickness, 4) for name in METALS] == [0.55, 0.55, 0.55, 0.55, 1.1925]


# --- cuts ------------------------------------------------------------------------------------------------------


def test_a_straight_cut_meets_what_is_drawn() -> None:
    drawn = pillar_between_wires()
    found = cut(drawn.layout, drawn.cell)
    assert found.turns == ()
    assert found.path[0][1] == found.path[1][1] == 0  # along x; along y nothing more is met
    middle = found.junction
    for layer, low, high in (("metal3", -0.8, 0.4), ("metal4", -0.14, 0.14), ("mtj_bottom", -0.08, 0.08)):
        (piece,) = found.of(layer)
        assert (piece.start - middle, piece.end - middle) == pytest.approx((low, high))
        assert (piece.bottom, piece.top) == (STACK[layer].bottom, STACK[layer].top)
    (pillar,) = found.of("mtj")
    assert pillar.end - pillar.start == pytest.approx(0.1, rel=0.03)
    assert (pillar.start + pillar.end) / 2 == pytest.approx(middle)
    assert found.diameter == pytest.approx(0.1, rel=0.02)


def test_the_direction_that_shows_more_is_taken() -> None:
    drawn = pillar_between_wires()
    drawn.box("comp", -200, 700, 200, 1400)  # met along y only
    found = cut(drawn.layout, drawn.cell)
    assert found.path[0][0] == found.path[1][0] == 0
    (piece,) = found.of("comp")
    assert (piece.start - found.junction, piece.end - found.junction) == pytest.approx((0.7, 1.4))


def test_an_edge_is_not_met() -> None:
    drawn = pillar_between_wires()
    drawn.box("metal1", -500, 0, 500, 300)
    drawn.box("metal2", 0, -500, 300, 500)
    found = cut(drawn.layout, drawn.cell)
    # the cut along x runs along the edge of metal1 and through metal2; that along y the other way round
    assert bool(found.of("metal1")) != bool(found.of("metal2"))


def test_contacts_begin_on_what_they_stand_on() -> None:
    drawn = pillar_between_wires()
    drawn.box("comp", 500, -200, 1000, 200)
    drawn.box("nplus", 300, -400, 1200, 400)
    drawn.box("poly", -1000, -200, -500, 200)
    for x in (750, -750):
        drawn.cut("contact", x, 0)
    found = cut(drawn.layout, drawn.cell)
    on_poly, on_active = sorted(found.of("contact"), key=lambda piece: -piece.bottom)
    assert (on_poly.bottom, on_active.bottom) == (STACK["poly"].top, SILICON)
    assert on_poly.top == on_active.top == STACK["metal1"].bottom
    assert (found.path[0][1], found.path[1][1]) == (0, 0)
    assert on_poly.start < found.junction < on_active.start
    (implant,), (active,) = found.of("nplus"), found.of("comp")
    assert (implant.start, implant.end) == (active.start, active.end)
    assert found.of("pplus") == ()


def test_the_bit_cell_shows_transistor_wires_and_junction(cell: Drawn) -> None:
    found = cut(cell.layout, cell.cell)
    shown = {piece.layer for piece in found.pieces}
    assert shown >= {"comp", "nplus", "poly", "mtj", *CUTS[:3], *METALS[:4]}
    assert len(found.path) == 3
    assert len(found.turns) == 1
    (gate,), (active,) = found.of("poly"), found.of("comp")
    assert active.start < gate.start < gate.end < active.end
    assert gate.end - gate.start == pytest.approx(0.28)  # the length of the channel
    source, drain = found.of("nplus")
    assert (source.end, drain.start) == (gate.start, gate.end)
    (pillar,) = found.of("mtj")
    assert found.diameter == pytest.approx(100e-3, rel=0.02)
    for layer in ("mtj_bottom", "mtj_top", "metal3", "metal4"):
        assert any(p.start <= pillar.start and pillar.end <= p.end for p in found.of(layer)), layer
    (via,) = found.of("via2")
    assert via.end - via.start == pytest.approx(0.26)
    assert found.of("via1")[0].start == via.start  # a stack


def test_metal3_joins_the_stack_and_the_pillar(cell: Drawn) -> None:
    found = cut(cell.layout, cell.cell)
    (via,), (pillar,) = found.of("via2"), found.of("mtj")
    assert [p for p in found.of("metal3") if p.start <= via.start and pillar.end <= p.end]
    assert min(p.start for p in found.pieces) >= 0
    assert max(p.end for p in found.pieces) <= found.length
    assert found.turns[0] < found.junction < found.length


def test_pieces_of_a_layer_do_not_overlap(cell: Drawn) -> None:
    found = cut(cell.layout, cell.cell)
    for layer in {piece.layer for piece in found.pieces}:
        pieces = sorted(found.of(layer), key=lambda piece: piece.start)
        for one, other in pairwise(pieces):
            assert one.end <= other.start, layer


def test_a_wire_round_the_corner_is_one_piece(cell: Drawn) -> None:
    found = cut(cell.layout, cell.cell)
    (turn,) = found.turns
    across = [piece for piece in found.of("metal1") if piece.start < turn < piece.end]
    assert len(across) == 1


def test_cuts_need_a_junction() -> None:
    drawn = canvas("bare")
    drawn.box("metal1", 0, 0, 1000, 1000)
    with pytest.raises(InputError, match=r"^section: cell bare has no junction to cut through$"):
        cut(drawn.layout, drawn.cell)
    drawn.layout.dbu = 0.005
    with pytest.raises(InputError, match=r"^section: the database unit is 0\.005 um, it must be 0\.001 um$"):
        cut(drawn.layout, drawn.cell)


# --- figures ---------------------------------------------------------------------------------------------------


def texts(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@pytest.fixture
def as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words stay words in an SVG."""
    from mtjspice.reports import style

    monkeypatch.setitem(style._STYLE, "svg.fonttype", "none")


@pytest.mark.usefixtures("as_text")
def test_the_figure_names_layers_and_says_what_is_assumed(cell: Drawn, tmp_path: Path) -> None:
    card = catalogue.bench("cell_1t1m").circuit.own_junctions[0].card
    with_card, without = tmp_path / "with.svg", tmp_path / "without.svg"
    write_section(cell.layout, cell.cell, with_card, card)
    write_section(cell.layout, cell.cell, without)
    words = texts(with_card)
    for name in ("metal1", "metal4", "via2", "contact", "poly", "substrate", "free layer", "tunnel barrier (MgO)",
                 "reference layer", "top electrode*", "height (µm)", "pillar*, 100 nm"):  # fmt: skip
        assert f">{name}<" in words, name
    assert f"thicknesses of card {card.name}" in words
    assert f"{card.free_layer_thickness * 1e9:.3g} nm, {card.origins['free_layer_thickness'].status}" in words
    assert f"{card.barrier_thickness * 1e9:.3g} nm, {card.origins['barrier_thickness'].status}" in words
    assert "no card given" in texts(without)
    assert texts(without).count("thickness not stated") == 3


@pytest.mark.usefixtures("as_text")
def test_the_figure_follows_the_card(cell: Drawn, tmp_path: Path) -> None:
    card: MTJCard = catalogue.bench("cell_1t1m").circuit.own_junctions[0].card
    changed = card.replace(
        barrier_thickness=1.23e-9, spin_hall_angle=0.3, spin_orbit_line_width=1e-7, spin_orbit_line_thickness=5e-9
    )
    stated = Origin("paper", "measured")
    origins = dict(changed.origins) | {"barrier_thickness": stated}
    object.__setattr__(changed, "origins", origins)
    file = tmp_path / "section.svg"
    write_section(cell.layout, cell.cell, file, changed)
    words = texts(file)
    assert "1.23 nm, paper" in words
    assert "5 nm, assumed" in words
    assert words.index(">spin-orbit line<") < words.index(">free layer<") < words.index(">reference layer<")


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_figures_are_reproducible(suffix: str, cell: Drawn, tmp_path: Path) -> None:
    one, two = tmp_path / f"one.{suffix}", tmp_path / f"two.{suffix}"
    write_section(cell.layout, cell.cell, one)
    write_section(cell.layout, cell.cell, two)
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes()[:4] == {"png": b"\x89PNG", "pdf": b"%PDF"}[suffix]


def test_bad_figures(cell: Drawn, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^unknown format of a figure 'gif'; available: pdf, png, svg$"):
        write_section(cell.layout, cell.cell, tmp_path / "section.gif")
    with pytest.raises(InputError, match=r"^cannot write "):
        write_section(cell.layout, cell.cell, tmp_path / "nowhere" / "section.png")
    assert list(tmp_path.iterdir()) == []
