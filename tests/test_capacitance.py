"""Capacitances of wires: plates, neighbours and crossings by hand, symmetries, and a gate against klayout-pex."""

import klayout.db as kdb
import numpy as np
import pytest
from layout_sketch import draw

from mtjspice.circuits.library.gates import Nand
from mtjspice.circuits.technology import technology as load_technology
from mtjspice.errors import InputError
from mtjspice.layout import wires
from mtjspice.layout.capacitance import Capacitances, capacitances
from mtjspice.layout.extract import Extracted, extract
from mtjspice.layout.layers import LABELS, LAYERS
from mtjspice.layout.lvs import compare

Box = tuple[str, tuple[float, float, float, float], str]  # layer; left, bottom, right, top in um; label, "" for none


def drawn(*boxes: Box, move: object = None) -> tuple[Extracted, Capacitances]:
    layout = kdb.Layout()
    layout.dbu = 1e-3
    cell = layout.create_cell("wires")
    for layer, (left, bottom, right, top), label in boxes:
        cell.shapes(layout.layer(*LAYERS[layer])).insert(kdb.DBox(left, bottom, right, top))
        if label:
            text = kdb.DText(label, kdb.DTrans((left + right) / 2, (bottom + top) / 2))
            cell.shapes(layout.layer(*LABELS[layer])).insert(text)
    if move is not None:
        cell.transform(move)
    found = extract(layout, cell)
    return found, capacitances(found)


def named(found: Extracted, values: Capacitances) -> dict[frozenset[str], float]:
    """Capacitances (aF) by labels; the bare substrate is "ground"."""
    pairs = {frozenset((found.label(net), "ground")): value for net, value in values.ground.items()}
    pairs |= {frozenset(map(found.label, nets)): value for nets, value in values.coupling.items()}
    return {pair: value * 1e18 for pair, value in pairs.items()}


def result(*boxes: Box, move: object = None) -> dict[frozenset[str], float]:
    return named(*drawn(*boxes, move=move))


def pair(one: str, other: str) -> frozenset[str]:
    return frozenset((one, other))


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-6, abs=0)


# --- by hand -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metal", ["metal1", "metal2", "metal3", "metal4", "metal5"])
def test_a_lone_plate_has_area_and_perimeter(metal: str) -> None:
    """10 um by 20 um; edges see the whole substrate."""
    by_hand = wires.AREA[metal, "substrate"] * 200 + wires.FRINGE[metal, "substrate"] * 60
    assert result((metal, (0, 0, 10, 20), "a")) == {pair("a", "ground"): near(by_hand)}
    assert wires.plate_capacitance(metal, 200e-12, 60e-6) == near(by_hand * 1e-18)


def test_two_neighbours_follow_the_sidewall_law_and_share_the_ground_between_them() -> None:
    for distance in (0.3, 0.5, 2.0):
        top = 0.5 + distance
        found = result(("metal2", (0, 0, 10, 0.5), "a"), ("metal2", (0, top, 10, top + 0.5), "b"))
        assert found[pair("a", "b")] == near(46.736 * 10 / (distance + 0.289) / 2)
        assert found[pair("a", "b")] == near(wires.sidewall("metal2", distance) * 10)
        free = 33.298 * 11 + wires.fringe("metal2", "substrate", 0, distance) * 10
        assert found[pair("a", "ground")] == near(15.016 * 5 + free)
        assert found[pair("b", "ground")] == near(found[pair("a", "ground")])


def test_the_nearest_neighbour_screens_those_behind_it() -> None:
    lines = [("metal1", (0, y, 10, y + 0.5), label) for y, label in ((0, "a"), (1, "b"), (2, "c"))]
    found = result(*lines)
    assert pair("a", "c") not in found
    assert found[pair("a", "b")] == near(found[pair("b", "c")])
    # where the middle one ends, the outer ones see each other
    lines[1] = ("metal1", (0, 1, 6, 1.5), "b")
    found = result(*lines)
    assert found[pair("a", "c")] == near(wires.sidewall("metal1", 1.5) * 4)
    assert found[pair("a", "b")] == near(wires.sidewall("metal1", 0.5) * 6)


def test_a_crossing_has_its_overlap_and_four_fringes() -> None:
    """A metal3 line, x from 4 to 4.5 and y from -5 to 5, over a metal1 line, x from 0 to 10 and y from 0 to 0.5."""
    found = result(("metal1", (0, 0, 10, 0.5), "a"), ("metal3", (4, -5, 4.5, 5), "b"))
    up = 0.5 * (wires.fringe("metal1", "metal3", 0, 5) + wires.fringe("metal1", "metal3", 0, 4.5))
    down = 0.5 * (wires.fringe("metal3", "metal1", 0, 4) + wires.fringe("metal3", "metal1", 0, 5.5))
    assert found[pair("a", "b")] == near(20.238 * 0.25 + up + down)


def test_what_lies_between_shields() -> None:
    plates = (("metal1", (0, 0, 10, 10), "a"), ("metal3", (0, 0, 10, 10), "c"))
    open_ = result(*plates)
    assert open_[pair("a", "c")] > 20.238 * 100
    between = ("metal2", (-20, -20, 30, 30), "b")
    shielded = result(*plates, between)
    assert pair("a", "c") not in shielded
    assert pair("c", "ground") not in shielded
    assert shielded[pair("b", "c")] == near(59.027 * 100 + 49.011 * 40)
    half = result(*plates, ("metal2", (-20, -20, 5, 30), "b"))
    assert half[pair("a", "c")] > 20.238 * 50
    assert half[pair("a", "c")] < 0.7 * open_[pair("a", "c")]


def test_one_net_shields_but_does_not_couple_to_itself() -> None:
    alone = result(("metal2", (0, 0, 10, 10), "a"))
    joined = result(
        ("metal2", (0, 0, 10, 10), "a"), ("metal1", (2, 2, 8, 8), ""), ("via1", (4, 4, 4.26, 4.26), "")
    )  # fmt: skip
    assert joined.keys() == {pair("a", "ground")}
    assert joined[pair("a", "ground")] == near(alone[pair("a", "ground")] - 15.016 * 36 + 29.304 * 36 + 39.431 * 24)


def test_wells_and_active_are_nets() -> None:
    """A metal1 plate over n-well of 8 by 8 um with a tap of 1 by 1 um."""
    well, tap = ("nwell", (0, 0, 8, 8), ""), ("comp", (1, 1, 2, 2), "")
    found, values = drawn(
        well, tap, ("nplus", (0.5, 0.5, 2.5, 2.5), ""), ("contact", (1.4, 1.4, 1.62, 1.62), ""),
        ("metal1", (1, 1, 2, 2), "vdd"), ("metal2", (3, 3, 5, 5), "a"), ("metal2", (20, 1, 21, 2), "b"),
    )  # fmt: skip
    by_name = named(found, values)
    assert by_name[pair("a", "vdd")] > 15.016 * 4
    assert by_name[pair("b", "ground")] > 0.9 * (15.016 + 33.298 * 4)
    over_tap = result(
        well, tap, ("nplus", (0.5, 0.5, 2.5, 2.5), ""), ("contact", (1.05, 1.05, 1.27, 1.27), ""),
        ("metal1", (1, 1, 1.3, 1.3), "vdd"), ("metal1", (1.6, 1.6, 1.9, 1.9), "a"),
    )  # fmt: skip
    assert over_tap[pair("a", "vdd")] > 30.502 * 0.09


# --- transistors and resistors -------------------------------------------------------------------------------


def gate(width: float) -> tuple[Box, ...]:
    """A channel of 0.28 um by ``width``, whose poly reaches 0.5 um beyond on both sides, with a contact below."""
    return (
        ("comp", (-1, 0, 1.28, width), ""), ("nplus", (-1.5, -0.4, 1.78, width + 0.4), ""),
        ("poly", (0, -0.5, 0.28, width + 0.5), ""), ("poly", (0, -0.9, 0.4, -0.5), ""),
        ("contact", (0.1, -0.8, 0.32, -0.58), ""), ("metal1", (0.1, -0.8, 0.32, -0.58), "g"),
    )  # fmt: skip


def test_gate_to_channel_and_to_its_active_is_the_transistors() -> None:
    narrow, wide = result(*gate(1.0)), result(*gate(9.0))
    assert wide[pair("g", "ground")] == pytest.approx(narrow[pair("g", "ground")], rel=0.02, abs=0)
    assert all("g" not in nets or nets == pair("g", "ground") or narrow[nets] < 1 for nets in narrow)


def resistor(length: float) -> tuple[Box, ...]:
    """1 um of high-resistance poly between two heads of 0.6 um."""
    body = (0, -0.4, length, 1.4)
    heads = ((-0.6, "a"), (length + 0.2, "b"))
    return (
        ("poly", (-0.6, 0, length + 0.6, 1), ""),
        *((layer, body, "") for layer in ("salicide_block", "high_resistance", "resistor_marker")),
        *(("contact", (left + 0.1, 0.4, left + 0.3, 0.6), "") for left, _ in heads),
        *(("metal1", (left, 0.3, left + 0.4, 0.7), label) for left, label in heads),
    )


def test_half_of_a_resistors_body_is_at_each_end() -> None:
    """10 um more of it; the heads are farther apart than the halo in both."""
    short, long = result(*resistor(20.0)), result(*resistor(30.0))
    for end in ("a", "b"):
        added = long[pair(end, "ground")] - short[pair(end, "ground")]
        assert added == near((110.67 * 10 + 50.72 * 20) / 2)


# --- symmetries ----------------------------------------------------------------------------------------------


def tangle() -> tuple[Box, ...]:
    generator = np.random.default_rng(5)
    boxes: list[Box] = []
    for k in range(12):
        boxes.append((f"metal{1 + k % 5}", (0.0, 1.1 * k, float(generator.integers(4, 12)), 1.1 * k + 0.5), f"h{k}"))
    for k in range(8):
        left = 1.3 * k
        bottom = float(generator.integers(-4, 4))
        boxes.append((f"metal{2 + k % 4}", (left, bottom - 30, left + 0.6, bottom - 18), f"v{k}"))
        boxes.append((f"metal{1 + (k + 2) % 5}", (left, bottom - 26, left + 9.0, bottom - 25.4), f"c{k}"))
    return tuple(boxes)


@pytest.mark.parametrize("turn", ["R90", "R180", "R270", "M0", "M45", "M90", "M135"])
def test_turning_and_mirroring_changes_nothing(turn: str) -> None:
    expected = result(*tangle())
    assert len(expected) > 50
    move = kdb.Trans(getattr(kdb.Trans, turn), 12345, -6780)
    assert result(*tangle(), move=move) == pytest.approx(expected, rel=1e-9, abs=0)


def test_cutting_a_wire_into_boxes_changes_nothing() -> None:
    expected = result(*tangle())
    halves: list[Box] = []
    for layer, (left, bottom, right, top), label in tangle():
        middle = round((left + right) / 2, 3)
        halves += [(layer, (left, bottom, middle, top), label), (layer, (middle - 0.01, bottom, right, top), "")]
    assert result(*halves) == pytest.approx(expected, rel=1e-9, abs=0)


def test_copies_far_apart_add_up() -> None:
    one = result(*tangle())
    copies = [
        (layer, (left + dx, bottom, right + dx, top), f"{label}_{dx:.0f}")
        for dx in (0.0, 50.0)
        for layer, (left, bottom, right, top), label in tangle()
    ]
    both = result(*copies)
    assert sum(both.values()) == near(2 * sum(one.values()))


def test_totals_count_every_pair_once_from_each_side() -> None:
    found, values = drawn(*tangle())
    totals = sum(values.total(net.index) for net in found.nets)
    assert totals == near(sum(values.ground.values()) + 2 * sum(values.coupling.values()))
    (a, b), value = next(iter(values.coupling.items()))
    assert values.between(a, b) == values.between(b, a) == value
    assert values.between(a, a) == 0.0


# --- against another program ---------------------------------------------------------------------------------

# fF, of klayout-pex 0.6.12 (gf180mcuD, 2.5D, CC) for the layout that `draw` makes of the NAND
KLAYOUT_PEX = {
    ("x0", "a0"): 0.706, ("x0", "a1"): 0.728, ("x0", "vdd"): 0.249, ("x0", "vss"): 0.871, ("x0", "ground"): 2.686,
    ("x0", "y"): 0.4, ("a0", "a1"): 0.788, ("a0", "vdd"): 0.983, ("a0", "vss"): 0.083, ("a0", "y"): 1.373,
    ("a1", "vdd"): 0.978, ("a1", "vss"): 0.725, ("a1", "y"): 1.472, ("vdd", "vss"): 0.813, ("vdd", "y"): 1.209,
    ("vss", "y"): 0.386, ("ground", "a0"): 1.666, ("ground", "a1"): 1.213, ("ground", "vdd"): 3.193,
    ("ground", "vss"): 2.567, ("ground", "y"): 2.152,
}  # fmt: skip


def test_a_nand_agrees_with_klayout_pex() -> None:
    circuit = Nand(load_technology("gf180mcu"))
    sketch = draw(circuit)
    compared = compare(circuit, sketch.layout, sketch.cell)
    assert compared.match
    values = capacitances(compared.extracted)
    names = {index: name for name, index in compared.nets.items()}
    mine = {frozenset((names[net], "ground")): value for net, value in values.ground.items()}
    mine |= {frozenset((names[a], names[b])): value for (a, b), value in values.coupling.items()}
    theirs = {frozenset(nets): value * 1e-15 for nets, value in KLAYOUT_PEX.items()}
    assert mine.keys() == theirs.keys()
    assert mine == pytest.approx(theirs, rel=0.005, abs=1e-18)


# --- tables and input ----------------------------------------------------------------------------------------


def test_a_fringe_is_all_there_within_the_halo() -> None:
    for edge, plate in wires.FRINGE:
        whole = wires.fringe(edge, plate, 0, wires.HALO)
        assert whole == near(wires.FRINGE[edge, plate])
        parts = [wires.fringe(edge, plate, near_, near_ + 1) for near_ in range(8)]
        assert sum(parts) == near(whole)
        assert parts == sorted(parts, reverse=True)


def test_resistances_of_lines_and_cuts() -> None:
    assert wires.line_resistance("metal1", 100e-6, 0.5e-6) == near(18.0)
    assert wires.line_resistance("poly", 10e-6, 0.5e-6) == near(146.0)
    assert wires.via_resistance("via2", 3) == near(1.5)
    with pytest.raises(InputError, match="unknown level 'metal9'"):
        wires.line_resistance("metal9", 1e-6, 1e-6)
    with pytest.raises(InputError, match="must be positive"):
        wires.line_resistance("metal1", 1e-6, 0.0)
    with pytest.raises(InputError, match="at least 1"):
        wires.via_resistance("via1", 0)


def test_slanted_wires_are_refused() -> None:
    layout = kdb.Layout()
    layout.dbu = 1e-3
    cell = layout.create_cell("slanted")
    cell.shapes(layout.layer(*LAYERS["metal1"])).insert(
        kdb.DPolygon([kdb.DPoint(0, 0), kdb.DPoint(0, 5), kdb.DPoint(5, 0)])
    )
    with pytest.raises(InputError, match="slanted: metal1 has slanted edges"):
        capacitances(extract(layout, cell))


def test_nothing_drawn_has_no_capacitance() -> None:
    layout = kdb.Layout()
    values = capacitances(extract(layout, layout.create_cell("empty")))
    assert not values.ground
    assert not values.coupling
