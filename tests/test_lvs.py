"""Layouts against circuits: what agrees matches, and every seeded fault is reported.

The layouts are drawn by `layout_sketch` from a list of devices; a fault is a change of that list or of drawn shapes.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import klayout.db as kdb
import pytest
from layout_sketch import END, PITCH, Sketch, draw

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.cells import Cell1T1M
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand
from mtjspice.circuits.library.sense import PrechargeSenseAmplifier
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.technology import technology as load_technology
from mtjspice.device.card import MTJCard, load_card
from mtjspice.errors import InputError
from mtjspice.layout.extract import extract
from mtjspice.layout.flat import Device, flatten
from mtjspice.layout.layers import LAYERS
from mtjspice.layout.lvs import Comparison, compare


@pytest.fixture(scope="module")
def technology() -> Technology:
    return load_technology("gf180mcu")


@pytest.fixture(scope="module")
def card() -> MTJCard:
    return load_card("meram100")


def checked(circuit: Circuit, sketch: Sketch) -> Comparison:
    return compare(circuit, sketch.layout, sketch.cell)


def reported(circuit: Circuit, sketch: Sketch, *words: str) -> Comparison:
    """Assert that one line of the problems has all the words."""
    found = checked(circuit, sketch)
    assert not found.match
    assert any(all(word in line for word in words) for line in found.problems), found.problems
    return found


@dataclass(frozen=True, kw_only=True)
class Divider(Circuit):
    """A resistor between two transistors."""

    def ports(self) -> tuple[Port, ...]:
        return (*inputs("g"), *inouts("a", "b"), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        add.nmos("low", "a", "g", "vss", width=2e-6)
        add.pmos("high", "y", "g", "vdd", width=3e-6, multiplier=2)
        add.resistor("r", "a", "y", 6e3)
        add.nmos("pass", "a", "g", "b", width=1e-6)
        add.resistor("wire", "b", "c", 10.0, wire=True)
        add.nmos("load", "c", "y", "vss", width=1e-6, length=0.5e-6)


@dataclass(frozen=True, kw_only=True)
class Columns(Circuit):
    """Identical columns whose inner nets nothing names: amplifiers on one pair of lines, with open outputs."""

    count: int

    def ports(self) -> tuple[Port, ...]:
        return (*inputs("sense"), *inouts("cell", "reference"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        for k in range(self.count):
            amplifier = PrechargeSenseAmplifier(self.technology)
            add.use(f"amplifier{k}", amplifier, sense="sense", cell="cell", reference="reference", q=None, qb=None)


# --- what agrees ---------------------------------------------------------------------------------------------


def cells(technology: Technology, card: MTJCard) -> dict[str, Circuit]:
    return {
        "inverter": Inverter(technology, strength=2.0),
        "nand": Nand(technology),
        "cell": Cell1T1M(technology, card=card),
        "amplifier": PrechargeSenseAmplifier(technology),
        "divider": Divider(technology),
        "columns": Columns(technology, count=6),
    }


@pytest.mark.parametrize("fingers", [1, 2, 3])
@pytest.mark.parametrize("name", ["inverter", "nand", "cell", "amplifier", "divider", "columns"])
def test_a_layout_of_a_circuit_matches_it(name: str, fingers: int, technology: Technology, card: MTJCard) -> None:
    circuit = cells(technology, card)[name]
    found = checked(circuit, draw(circuit, fingers=fingers))
    assert found.problems == ()
    assert found.match
    flat = flatten(circuit)
    assert found.nets.keys() >= {net for device in flat.devices for net in device.nets} | set(flat.ports)
    assert len(set(found.nets.values())) == len(found.nets)
    fets = {device.full_name: device for device in flat.devices if device.kind.endswith("fet")}
    assert found.devices.keys() == fets.keys()
    for full_name, device in fets.items():
        assert found.devices[full_name].width == pytest.approx(device.width * device.multiplier, rel=0, abs=1.5e-9)


def test_drawn_diffusion_is_that_of_the_circuits_drain_and_source(technology: Technology) -> None:
    circuit = Inverter(technology, strength=2.0)
    devices = flatten(circuit).devices
    width = next(device.width for device in devices if device.name == "n") * 1e6
    step = 2 * PITCH
    for order in ("drain first", "source first"):
        drawn = devices
        if order == "source first":
            drawn = tuple(replace(d, nets=(d.nets[2], d.nets[1], d.nets[0], d.nets[3])) for d in devices)
        found = checked(circuit, draw(circuit, drawn, fingers=2)).devices["n"]
        # of two fingers one net has both ends outside, the other the shared middle
        space = step - 0.28
        outer = 2 * (END + (step - 0.28 - END) / 2) * width / 2
        inner = space * width / 2
        expected = (outer, inner) if order == "drain first" else (inner, outer)
        areas = (found.drain_area * 1e12, found.source_area * 1e12)
        assert areas == pytest.approx(expected, rel=2e-2, abs=0)


def test_two_halves_of_a_reference_stay_two_devices(technology: Technology, card: MTJCard) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Reference(Circuit):
        def ports(self) -> tuple[Port, ...]:
            return (*inouts("a"), *inputs("g"), *supplies("vss"))

        def build(self, add: Builder) -> None:
            add.reference_mtj("half", "a", "b", card)
            add.nmos("n", "b", "g", "vss", width=1e-6)

    circuit = Reference(technology)
    assert checked(circuit, draw(circuit)).problems == ()
    whole = [device for device in flatten(circuit).devices if device.name != "half_ap"]
    reported(circuit, draw(circuit, whole), "number of mtj devices: 1 drawn, 2 in the circuit")


def test_a_well_may_have_a_net_of_its_own(technology: Technology) -> None:
    @dataclass(frozen=True, kw_only=True)
    class OwnWell(Circuit):
        def ports(self) -> tuple[Port, ...]:
            return (*inputs("a"), *outputs("y"), *inouts("well"), *supplies("vdd", "vss"))

        def build(self, add: Builder) -> None:
            add.pmos("p", "y", "a", "vdd", width=1e-6, bulk="well")
            add.nmos("n", "y", "a", "vss", width=1e-6)

    circuit = OwnWell(technology)
    assert checked(circuit, draw(circuit)).problems == ()
    tied = [replace(d, nets=(*d.nets[:3], "vdd")) if d.kind == "pfet" else d for d in flatten(circuit).devices]
    found = checked(circuit, draw(circuit, tied))
    assert not found.match


# --- faults --------------------------------------------------------------------------------------------------


def changed(circuit: Circuit, name: str, **what: object) -> list[Device]:
    devices = flatten(circuit).devices
    assert name in [device.full_name for device in devices]
    return [replace(device, **what) if device.full_name == name else device for device in devices]  # type: ignore[arg-type]


def test_a_wrong_width_is_told_with_both_values(technology: Technology) -> None:
    circuit = PrechargeSenseAmplifier(technology)
    right = next(device.width for device in flatten(circuit).devices if device.name == "downq") * 1e6
    found = reported(
        circuit, draw(circuit, changed(circuit, "downq", width=1.2e-6)),
        f"width of downq: 1.2 um drawn, {right:.6g} um in the circuit",
    )  # fmt: skip
    assert len(found.problems) == 1


def test_a_width_off_by_two_steps_of_the_grid_is_found(technology: Technology) -> None:
    circuit = PrechargeSenseAmplifier(technology)
    width = next(device.width for device in flatten(circuit).devices if device.name == "upq")
    reported(circuit, draw(circuit, changed(circuit, "upq", width=width + 10e-9)), "width of upq")


def test_a_wrong_length_is_found(technology: Technology) -> None:
    circuit = Nand(technology)
    reported(circuit, draw(circuit, changed(circuit, "n1", length=0.3e-6)), "length of n1: 0.3 um drawn")


@pytest.mark.parametrize(("factor", "fine"), [(0.97, False), (1.03, False), (1.012, True)])
def test_diameters_agree_within_two_percent(factor: float, fine: bool, technology: Technology, card: MTJCard) -> None:
    circuit = Cell1T1M(technology, card=card)
    diameter = next(device.diameter for device in flatten(circuit).devices if device.kind == "mtj")
    sketch = draw(circuit, changed(circuit, "mtj", diameter=factor * diameter))
    if fine:
        assert checked(circuit, sketch).match
    else:
        reported(circuit, sketch, "diameter of mtj", "in the circuit")


def test_a_junction_upside_down_is_found(technology: Technology, card: MTJCard) -> None:
    circuit = Cell1T1M(technology, card=card)
    reported(circuit, draw(circuit, changed(circuit, "mtj", nets=("x", "bl"))), "mtj")


def test_a_pillar_without_metal_above_is_found(technology: Technology, card: MTJCard) -> None:
    circuit = Cell1T1M(technology, card=card)
    sketch = draw(circuit)
    sketch.cell.shapes(sketch.layout.layer(*LAYERS["metal4"])).clear()
    reported(circuit, sketch, "net bl: its devices are on $", "which nothing joins to its label")


def test_a_label_beside_the_only_device_of_its_net_is_found(technology: Technology, card: MTJCard) -> None:
    circuit = Cell1T1M(technology, card=card)
    sketch = draw(circuit)
    via3 = sketch.cell.shapes(sketch.layout.layer(*LAYERS["via3"]))
    assert via3.size() == 1
    via3.clear()
    reported(circuit, sketch, "net bl: its devices are on $", "which nothing joins to its label")


def test_resistances_agree_within_six_parts_in_a_thousand(technology: Technology) -> None:
    circuit = Divider(technology)
    assert checked(circuit, draw(circuit, changed(circuit, "r", resistance=6.03e3))).match
    reported(
        circuit, draw(circuit, changed(circuit, "r", resistance=6.1e3)),
        "resistance of r: 6100 ohm drawn, 6000 ohm in the circuit",
    )  # fmt: skip


def test_a_swapped_gate_is_found(technology: Technology) -> None:
    circuit = PrechargeSenseAmplifier(technology)
    nets = next(device.nets for device in flatten(circuit).devices if device.name == "downq")
    assert nets[1] == "qb"
    found = reported(circuit, draw(circuit, changed(circuit, "downq", nets=(nets[0], "q", *nets[2:]))), "downq")
    assert not any("number of" in line for line in found.problems)


def test_swapped_labels_of_a_symmetric_gate_are_found(technology: Technology) -> None:
    """The p-channel side of a NAND is symmetric, and its two series FETs are equal."""
    circuit = Nand(technology)
    sketch = draw(circuit, labels=False)
    for net in flatten(circuit).ports:
        sketch.label({"a0": "a1", "a1": "a0"}.get(net, net), -0.9, sketch.tracks[net])
    reported(circuit, sketch, "n0")


@dataclass(frozen=True, kw_only=True)
class Twins(Circuit):
    """Two equal passes of one gate: only names tell a from b."""

    def ports(self) -> tuple[Port, ...]:
        return (*inputs("g"), *inouts("a", "b", "c", "d"), *supplies("vss"))

    def build(self, add: Builder) -> None:
        add.nmos("one", "a", "g", "c", width=1e-6)
        add.nmos("two", "b", "g", "d", width=1e-6)


def test_swapped_labels_that_leave_the_graph_the_same_are_found(technology: Technology) -> None:
    circuit = Twins(technology)
    assert checked(circuit, draw(circuit)).match
    sketch = draw(circuit, labels=False)
    for net in flatten(circuit).ports:
        sketch.label({"a": "b", "b": "a"}.get(net, net), -0.9, sketch.tracks[net])
    assert not checked(circuit, sketch).match


def test_a_missing_and_an_extra_device_are_found(technology: Technology) -> None:
    circuit = PrechargeSenseAmplifier(technology)
    devices = list(flatten(circuit).devices)
    without = [device for device in devices if device.name != "equaliser"]
    reported(circuit, draw(circuit, without), "number of pfet devices: 4 drawn, 5 in the circuit")
    extra = replace(devices[0], name="extra", nets=("q", "cell", "reference", "vdd"))
    reported(circuit, draw(circuit, [*devices, extra]), "number of pfet devices: 6 drawn, 5 in the circuit")
    reported(circuit, draw(circuit, [*devices, extra]), "pfet at (", "nothing in the circuit")


def test_a_missing_via_is_found(technology: Technology) -> None:
    circuit = PrechargeSenseAmplifier(technology)
    sketch = draw(circuit)
    shapes = sketch.cell.shapes(sketch.layout.layer(*LAYERS["via1"]))
    gate = [shape for shape in shapes.each() if abs(shape.dbbox().center().y - sketch.tracks["q"]) < 0.01]
    shapes.erase(gate[-1])
    reported(circuit, sketch, "number of nets with devices: 1 more: something is open")


@pytest.mark.parametrize("name", ["inverter", "nand", "cell", "amplifier", "divider"])
def test_every_single_cut_matters(name: str, technology: Technology, card: MTJCard) -> None:
    """Each terminal, tap and pillar has one contact and one via: none can be left out."""
    circuit = cells(technology, card)[name]
    for layer in ("contact", "via1", "via2", "via3"):
        whole = draw(circuit)
        for k in range(whole.cell.shapes(whole.layout.layer(*LAYERS[layer])).size()):
            sketch = draw(circuit)
            shapes = sketch.cell.shapes(sketch.layout.layer(*LAYERS[layer]))
            shapes.erase(list(shapes.each())[k])
            assert not checked(circuit, sketch).match, (layer, k)


@pytest.mark.parametrize("name", ["inverter", "nand", "cell", "amplifier", "divider"])
def test_every_pair_of_tracks_may_not_touch(name: str, technology: Technology, card: MTJCard) -> None:
    circuit = cells(technology, card)[name]
    tracks = sorted(draw(circuit).tracks.values())
    for low, high in pairwise(tracks):
        sketch = draw(circuit)
        sketch.box("metal2", -0.5, low, -0.2, high)
        reported(circuit, sketch, "shorted")


def test_a_label_of_an_unused_port_on_another_net_is_found(technology: Technology) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Unused(Circuit):
        def ports(self) -> tuple[Port, ...]:
            return (*inputs("g", "unused"), *inouts("a"), *supplies("vss"))

        def build(self, add: Builder) -> None:
            add.nmos("one", "a", "g", "x", width=1e-6)
            add.nmos("two", "x", "g", "vss", width=1e-6)
            add.capacitor("line", "unused", "vss", 1e-15, wire=True)

    circuit = Unused(technology)
    assert checked(circuit, draw(circuit)).problems == ()
    sketch = draw(circuit, labels=False)
    for net in flatten(circuit).ports:
        sketch.label(net, -0.9, sketch.tracks["x" if net == "unused" else net])
    reported(circuit, sketch, "nets unused and x: shorted")


def test_an_open_between_two_pieces_of_one_label_is_found(technology: Technology) -> None:
    circuit = PrechargeSenseAmplifier(technology)
    sketch = draw(circuit)
    metal2 = sketch.layout.layer(*LAYERS["metal2"])
    y = sketch.tracks["q"]
    cut = kdb.Region(kdb.DBox(7.0, y - 1.0 + 0.61, 7.3, y + 0.39).to_itype(1e-3))
    left = kdb.Region(sketch.cell.shapes(metal2)) - cut
    sketch.cell.shapes(metal2).clear()
    sketch.cell.shapes(metal2).insert(left)
    sketch.label("q", sketch.x, y)
    reported(circuit, sketch, "net q: open, its label is on 2 pieces")


def test_a_short_of_two_ports_is_named(technology: Technology) -> None:
    circuit = PrechargeSenseAmplifier(technology)
    sketch = draw(circuit)
    low, high = sorted((sketch.tracks["q"], sketch.tracks["qb"]))
    sketch.box("metal2", 0.0, low, 0.3, high)
    reported(circuit, sketch, "nets q and qb: shorted")


def test_a_short_of_inner_nets_is_found(technology: Technology) -> None:
    circuit = Nand(technology, fan_in=3)
    sketch = draw(circuit)
    sketch.box("metal3", 0.0, sketch.tracks["x0"] - 0.2, 0.4, sketch.tracks["x1"] + 0.2)
    for net in ("x0", "x1"):
        sketch.square("via2", 0.2, sketch.tracks[net], 0.26)
    reported(circuit, sketch, "number of nets with devices: 1 fewer: something is shorted")


def test_missing_and_unknown_labels_are_found(technology: Technology) -> None:
    circuit = Inverter(technology)
    sketch = draw(circuit, labels=False)
    for net in ("y", "vdd", "vss"):
        sketch.label(net, -0.9, sketch.tracks[net])
    reported(circuit, sketch, "port a: no label in the layout")
    sketch.label("b", -0.9, sketch.tracks["a"])
    reported(circuit, sketch, "label b: no net of the circuit")


def test_labels_of_cells_within_name_nothing(technology: Technology) -> None:
    circuit = Inverter(technology)
    sketch = draw(circuit)
    above = sketch.layout.create_cell("above")
    above.insert(kdb.CellInstArray(sketch.cell.cell_index(), kdb.Trans(kdb.Trans.R90, 1000, 2000)))
    found = compare(circuit, sketch.layout, above)
    assert "port a: no label in the layout" in found.problems


def test_a_well_without_a_tap_is_found(technology: Technology) -> None:
    circuit = Inverter(technology)
    sketch = draw(circuit)
    nplus = sketch.layout.layer(*LAYERS["nplus"])
    wells = kdb.Region(sketch.cell.shapes(sketch.layout.layer(*LAYERS["nwell"])))
    left = kdb.Region(sketch.cell.shapes(nplus)).outside(wells)
    sketch.cell.shapes(nplus).clear()
    sketch.cell.shapes(nplus).insert(left)
    reported(circuit, sketch, "n-well at", "not tied")


def test_a_rail_in_two_pieces_on_the_substrate_is_found(technology: Technology) -> None:
    """Taps of both pieces make them one net, through ohms of silicon."""
    circuit = Buffer(technology)
    sketch = draw(circuit)
    metal2 = sketch.layout.layer(*LAYERS["metal2"])
    y = sketch.tracks["vss"]
    sketch.tap("vss", "p")
    sketch.box("metal2", sketch.x - 3.0, y - 0.19, sketch.x, y + 0.19)
    assert checked(circuit, sketch).match
    fet = max(
        shape.dbbox().center().x
        for shape in sketch.cell.shapes(sketch.layout.layer(*LAYERS["via1"])).each()
        if abs(shape.dbbox().center().y - y) < 0.01 and shape.dbbox().center().x < sketch.x - 1.0
    )
    cut = kdb.Region(kdb.DBox(fet - 1.0, y - 0.3, fet - 0.7, y + 0.3).to_itype(1e-3))
    left = kdb.Region(sketch.cell.shapes(metal2)) - cut
    sketch.cell.shapes(metal2).clear()
    sketch.cell.shapes(metal2).insert(left)
    reported(circuit, sketch, "net vss: only the substrate or a well joins its 2 pieces")


# --- extraction ----------------------------------------------------------------------------------------------


def test_nothing_drawn_is_nothing_extracted(technology: Technology) -> None:
    layout = kdb.Layout()
    found = extract(layout, layout.create_cell("empty"))
    assert found.devices == ()
    assert found.substrate == -1
    circuit = Inverter(technology)
    assert not compare(circuit, layout, layout.cell("empty")).match


def test_other_database_units_are_refused(technology: Technology) -> None:
    layout = kdb.Layout()
    layout.dbu = 5e-3
    with pytest.raises(InputError, match=r"coarse: the database unit is 0\.005 um, not 0\.001 um"):
        extract(layout, layout.create_cell("coarse"))


def test_nets_keep_their_shapes(technology: Technology) -> None:
    circuit = Inverter(technology)
    found = checked(circuit, draw(circuit))
    drawn = found.extracted
    tracks = {net: drawn.shapes(index, "metal2").bbox().center().y * 1e-3 for net, index in found.nets.items()}
    assert tracks == pytest.approx({net: 15.0 + PITCH * k for k, net in enumerate(flatten(circuit).ports)})


@dataclass(frozen=True, kw_only=True)
class Array(Circuit):
    """Cells between labelled lines; nothing names their inner nodes."""

    card: MTJCard
    size: int

    def ports(self) -> tuple[Port, ...]:
        lines = [f"{line}{k}" for line in ("bl", "sl") for k in range(self.size)]
        return (*inouts(*lines), *inputs(*(f"wl{k}" for k in range(self.size))), *supplies("vss"))

    def build(self, add: Builder) -> None:
        cell = Cell1T1M(self.technology, card=self.card)
        for row in range(self.size):
            for column in range(self.size):
                add.use(f"c{row}_{column}", cell, bl=f"bl{column}", sl=f"sl{row}", wl=f"wl{row}")


def test_an_array_matches_and_one_wrong_connection_in_it_is_found(technology: Technology, card: MTJCard) -> None:
    circuit = Array(technology, card=card, size=12)
    assert checked(circuit, draw(circuit)).problems == ()
    reported(circuit, draw(circuit, changed(circuit, "c5_7.mtj", nets=("bl8", "xc5_7.x"))), "mtj", "c5_7")
    drain, _, source, bulk = next(d.nets for d in flatten(circuit).devices if d.full_name == "c5_7.access")
    reported(circuit, draw(circuit, changed(circuit, "c5_7.access", nets=(drain, "wl6", source, bulk))), "c5_7")
