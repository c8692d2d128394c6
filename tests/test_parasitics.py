"""What a layout adds to a circuit: capacitors reach nodes inside it in every fidelity, junctions are those drawn."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from helpers import osdi_ngspice

from mtjspice.circuits import catalogue
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import Transistor, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.array import ArrayColumn, MeramArray
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand
from mtjspice.circuits.parasitics import Parasitics
from mtjspice.circuits.rendering import Library
from mtjspice.circuits.simulation import FIDELITIES
from mtjspice.circuits.stimulus import Signal
from mtjspice.circuits.technology import technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device.card import MTJCard, load_card
from mtjspice.errors import InputError
from mtjspice.spice.replicas import run_replicas
from mtjspice.spice.runs import Variant
from mtjspice.spice.text import number

GF = technology("gf180mcu")
MERAM = load_card("meram100")
NONE = Parasitics("nothing")


@dataclass(frozen=True, kw_only=True)
class Branch(Circuit):
    """A junction beside a divider of 1 kohm and 3 kohm; 1 fF at its tap stands for a wire."""

    card: MTJCard

    def ports(self):
        return (*inouts("a"), *supplies("vss"))

    def build(self, add):
        add.mtj("mtj", "a", "vss", self.card)
        add.resistor("top", "a", "tap", 1e3)
        add.resistor("wire", "tap", "far", 1.0, wire=True)
        add.resistor("bottom", "far", "vss", 3e3)
        add.capacitor("wires", "tap", "vss", 1e-15, wire=True)
        add.capacitor("drawn", "tap", "vss", 2e-15)


@dataclass(frozen=True, kw_only=True)
class Branches(Circuit):
    """Two of them, one level further in."""

    card: MTJCard

    def ports(self):
        return (*inouts("line"), *supplies("vss"))

    def build(self, add):
        branch = Branch(self.technology, card=self.card)
        add.use("one", branch, a="line")
        add.use("other", branch, a="line")


@dataclass(frozen=True, kw_only=True)
class Bank(Circuit):
    """Branches inside, so that taps are two levels below the instance."""

    card: MTJCard

    def ports(self):
        return (*inouts("line"), *supplies("vss"))

    def build(self, add):
        add.use("pair", Branches(self.technology, card=self.card), line="line")


@dataclass(frozen=True, kw_only=True)
class Ring(Circuit):
    """A NAND and two inverters in a ring."""

    def ports(self):
        return (*inputs("enable"), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add):
        add.use("gate", Nand(self.technology), a0="enable", a1="y", y="first")
        add.use("inverter", Inverter(self.technology), a="first", y="second")
        add.use("last", Inverter(self.technology), a="second", y="y")


def element(circuit, name):
    return next(one for one in circuit.elements if one.name == name)


def default_junctions(circuit, factor=1.0):
    """The technology's junctions of all transistors of a leaf circuit, times ``factor``."""
    found = {}
    for one in circuit.elements:
        if isinstance(one, Transistor):
            _, values = circuit.technology.transistor(one.channel, "", one.width, one.length, one.multiplier)
            found[one.name] = tuple(factor * float(values[key]) for key in ("ad", "as", "pd", "ps"))
    return found


# --- capacitors at nodes inside ------------------------------------------------------------------------------


def time_constant(run, node):
    """From the crossing of 1 - 1/e of the last value, after the edge at 0.1 ns (1 ps)."""
    volts, time = run[f"v({node})"].values, run["time"].values
    return float(np.interp((1 - np.exp(-1)) * 0.75, volts, time)) - 0.1005e-9


@pytest.mark.parametrize("fidelity", FIDELITIES)
def test_a_capacitor_reaches_the_node_inside_in_every_fidelity(fidelity):
    """Its time constant is (1 kohm | 3.001 kohm) C; the branch without it keeps that of its drawn 2 fF."""
    if fidelity == "verilog-a":
        osdi_ngspice()
    tap, other = "xdut.xpair.xone.tap", "xdut.xpair.xother.tap"
    bench = Testbench(
        Bank(GF, card=MERAM), 1e-9, {"line": Signal(0.0, 1e-12).pulse(1e-10, 2e-9, 1.0), "vss": 0.0},
        probes=(f"v({tap})", f"v({other})"), max_step=5e-12,
        parasitics=Parasitics("a test", (("xpair.xone.tap", "vss", 98e-15),)),
    )  # fmt: skip
    run = bench.run(fidelity, seed=3)
    if fidelity != "resistor":
        assert run["junction"].values.tolist() == ["xdut.xpair.xone.xmtj", "xdut.xpair.xother.xmtj"]
    assert run[f"v({tap})"].values[-1] == pytest.approx(0.75, abs=1e-3)
    resistance = 1e3 * 3001 / 4001
    assert time_constant(run, tap) == pytest.approx(resistance * 100e-15, rel=0.01, abs=0)
    assert time_constant(run, other) < 0.1 * resistance * 100e-15


def test_capacitors_between_nodes_inside_and_at_ports():
    """Names of ports stay, inner ones get the instance's; 0 F is left out."""
    capacitors = (
        ("line", "vss", 1e-15), ("xpair.xone.tap", "line", 0.0), ("xpair.xone.tap", "xpair.xother.far", 2e-15),
    )  # fmt: skip
    bench = Testbench(Bank(GF, card=MERAM), 1e-9, {"line": 0.0, "vss": 0.0}, parasitics=Parasitics("x", capacitors))
    added = [line for line in bench.deck().splitlines() if line.startswith("Cpar")]
    assert added == ["Cpar0 line vss 1e-15", "Cpar1 xdut.xpair.xone.tap xdut.xpair.xother.far 2e-15"]


def test_copies_of_a_deck_keep_capacitors_at_their_nodes():
    bench = Testbench(
        Bank(GF, card=MERAM), 1e-9, {"line": Signal(0.0, 1e-12).pulse(1e-10, 2e-9, 1.0), "vss": 0.0},
        max_step=5e-12, parasitics=Parasitics("a test", (("xpair.xone.tap", "vss", 98e-15),)),
    )  # fmt: skip
    vector = "v(xdut.xpair.xone.tap)"
    deck = bench.deck(saves=False, models="* no transistors")  # whose cards draw at random
    found = list(run_replicas(deck, [Variant(), Variant()], stop=1e-9, vectors=[vector]))
    alone = bench.at(probes=(vector,)).run()
    for run in found:
        volts = np.interp(1.75e-10, run.vectors["time"], run.vectors[vector])
        assert volts == pytest.approx(float(np.interp(1.75e-10, alone["time"], alone[vector])), abs=2e-3)
        assert 0.3 < volts < 0.6


def test_an_inverter_is_slower_by_what_its_current_says():
    """A step at its input: 10 fF more take C times the integral of dV/I(V) from the supply down to half of it."""
    inverter = Inverter(GF)
    supplied = {"vdd": 3.3, "vss": 0.0}
    static = Testbench(inverter, 1e-6, {"a": 3.3, "y": ((0.0, 3.3), (1e-6, 1.65)), **supplied}, max_step=1e-9).run()
    sunk = -static["i(vy)"].values
    expected = 10e-15 * np.trapezoid(1 / sunk, -static["v(y)"].values)
    edge = Signal(0.0, 1e-12).pulse(1e-10, 3e-9, 3.3)
    bench = Testbench(inverter, 1e-9, {"a": edge, **supplied}, loads={"y": 20e-15}, max_step=1e-12)

    def fall(parasitics):
        run = bench.at(parasitics=parasitics).run()
        after = run["time"].values > 1e-10
        return float(np.interp(-1.65, -run["v(y)"].values[after], run["time"].values[after]))

    slower = fall(Parasitics("a test", (("y", "vss", 10e-15),))) - fall(None)
    assert expected > 5e-12
    assert slower == pytest.approx(expected, rel=0.3, abs=0)


# --- capacitors of wires -------------------------------------------------------------------------------------


def test_capacitors_of_wires_go_and_resistors_stay():
    column = ArrayColumn(GF, card=MERAM, rows=3)
    plain, bare = Library(), Library(parasitics=NONE)
    for library in (plain, bare):
        library.add(column)
    before, after = plain.text().splitlines(), bare.text().splitlines()
    gone = [line for line in before if line.startswith("C") and " vss " in line]
    assert len(gone) == 6
    assert after == [line for line in before if line not in gone]
    assert sum(line.startswith("R") for line in after) == 4
    branch = Library(parasitics=NONE)
    branch.add(Branch(GF, card=MERAM))
    assert "Cdrawn tap vss" in branch.text()
    assert "Cwires" not in branch.text()


def test_subcircuits_stay_shared_and_plain_decks_as_they_were():
    array = catalogue.bench("meram_array", values={"rows": 3, "columns": 4}).testbench()
    cell = array.circuit.part("column0").part("cell0")
    drawn = array.at(parasitics=Parasitics("a test", junctions={cell: default_junctions(cell, 3.0)}))
    plain, post = array.deck(), drawn.deck()
    assert post.count(".subckt") == plain.count(".subckt")
    assert post.count(".subckt cell_1t1m ") == 1
    access = default_junctions(cell)["access"][0]
    plain_without_wires = array.at(parasitics=NONE).deck().splitlines()
    changed = [line for line, old in zip(post.splitlines(), plain_without_wires, strict=True) if line != old]
    assert len(changed) == 1
    assert changed[0].startswith("Xaccess x wl sl vss nfet_03v3")
    assert f"ad={number(3 * access)} " in f"{changed[0]} "
    assert drawn.at(parasitics=None).deck() == plain


@pytest.mark.parametrize("name", ["meram_word4", "meram_array", "cim_column8", "read_precharge", "tap_pulse_writer"])
def test_circuits_without_the_capacitors_of_wires_still_run(name):
    """Some of these capacitors are there for convergence, at nodes between transistors."""
    values = {"rows": 4, "columns": 4} if name == "meram_array" else {}
    bench = catalogue.bench(name, values=values).testbench().at(parasitics=NONE)
    run = bench.run()
    assert run["time"].values[-1] == pytest.approx(bench.stop, rel=1e-6)


# --- nothing added -------------------------------------------------------------------------------------------


def test_no_capacitors_and_default_junctions_change_nothing():
    buffer = Buffer(GF)
    stages = {element(buffer, one.name).circuit for one in buffer.elements}
    same = Parasitics("the technology", junctions={stage: default_junctions(stage) for stage in stages})
    bench = Testbench(
        buffer, 1e-9, {"a": Signal(0.0, 1e-11).pulse(1e-10, 6e-10, 3.3), "vdd": 3.3, "vss": 0.0}, loads={"y": 1e-14}
    )  # fmt: skip
    assert bench.at(parasitics=same).deck() == bench.deck()
    plain, post = bench.run(), bench.at(parasitics=same).run()
    np.testing.assert_array_equal(post["v(y)"].values, plain["v(y)"].values)
    assert post.attrs == plain.attrs


def test_zero_parasitics_give_the_same_trajectory():
    bench = catalogue.bench("cell_1t1m").testbench()
    plain = bench.run("cosim", seed=5)
    zero = bench.at(parasitics=Parasitics("zero", (("x", "vss", 0.0),))).run("cosim", seed=5)
    np.testing.assert_array_equal(zero["magnetization"].values, plain["magnetization"].values)
    assert zero["junction"].values.tolist() == plain["junction"].values.tolist() == ["xdut.xmtj"]
    loaded = bench.at(parasitics=Parasitics("some", (("x", "vss", 5e-15),))).run("cosim", seed=5)
    assert loaded["junction"].values.tolist() == ["xdut.xmtj"]
    assert loaded.attrs.keys() == plain.attrs.keys()
    assert loaded.attrs["junction0_width"] != plain.attrs["junction0_width"]


def test_draws_of_mismatch_with_parasitics():
    bench = catalogue.bench("read_precharge").testbench()
    loaded = Parasitics("q", (("q", "vss", 2e-15), ("qb", "vss", 2e-15)))
    first, other = (next(bench.at(parasitics=one).measure_draws([3])) for one in (NONE, loaded))
    run = bench.at(parasitics=loaded, mismatch_seed=3).run()
    assert other == pytest.approx({name: run.attrs[name] for name in other}, rel=1e-6, abs=0, nan_ok=True)
    assert first != other


# --- junctions as drawn --------------------------------------------------------------------------------------


def test_larger_junctions_slow_a_ring():
    """Without any it would be a fifth too fast; twice of all is about as much too slow."""
    ring = Ring(GF)
    leaves = {element(ring, name).circuit for name in ("gate", "inverter", "last")}
    bench = Testbench(
        ring, 4e-9, {"enable": Signal(0.0, 1e-11).pulse(1e-10, 9e-9, 3.3), "vdd": 3.3, "vss": 0.0}, max_step=5e-12
    )  # fmt: skip

    def period(factor):
        drawn = Parasitics("a test", junctions={leaf: default_junctions(leaf, factor) for leaf in leaves})
        run = bench.at(parasitics=drawn).run()
        volts, time = run["v(y)"].values, run["time"].values
        rising = np.flatnonzero((volts[:-1] < 1.65) & (volts[1:] >= 1.65))
        crossings = [float(np.interp(1.65, volts[k : k + 2], time[k : k + 2])) for k in rising]
        assert len(crossings) > 6
        return (crossings[-1] - crossings[2]) / (len(crossings) - 3)

    assert 1.08 < period(2.0) / period(1.0) < 1.45


# --- what is refused -----------------------------------------------------------------------------------------


INVERTER, BUFFER = Inverter(GF), Buffer(GF)


@pytest.mark.parametrize(
    ("parasitics", "message"),
    [
        (Parasitics("x", (("xpair.xone.tab", "vss", 1e-15),)), r"bank has no node 'xpair.xone.tab'; nearest: xpair.x"),
        (Parasitics("x", (("xdut.xpair.xone.tap", "vss", 1e-15),)), r"bank has no node 'xdut.xpair.xone.tap'"),
        (Parasitics("x", (("tap", "vss", 1e-15),)), r"parasitics of x: bank has no node 'tap'"),
        (Parasitics("x", (("line", "0", 1e-15),)), r"bank has no node '0'"),
        (Parasitics("x", junctions={INVERTER: {}}), r"bank holds no such circuit as inverter"),
    ],
)
def test_what_the_circuit_does_not_have(parasitics, message):
    with pytest.raises(InputError, match=message):
        Testbench(Bank(GF, card=MERAM), 1e-9, {"line": 0.0, "vss": 0.0}, parasitics=parasitics)


def test_a_transistor_that_is_not_there():
    drawn = Parasitics("x", junctions={INVERTER: {"nn": (1e-13, 1e-13, 1e-6, 1e-6)}})
    with pytest.raises(InputError, match=r"parasitics of x: inverter has no transistor 'nn'; nearest: n"):
        Testbench(INVERTER, 1e-9, {"a": 0.0, "vdd": 3.3, "vss": 0.0}, parasitics=drawn)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"capacitors": (("a", "y", -1e-15),)}, r"parasitics of x: -1e-15 F from a to y is no capacitance"),
        ({"capacitors": (("a", "y", float("nan")),)}, r"nan F from a to y is no capacitance"),
        ({"capacitors": (("y", "y", 1e-15),)}, r"the capacitor of 1e-15 F has both ends at y"),
        ({"junctions": {INVERTER: {"n": (1e-13, -1e-13, 1e-6, 1e-6)}}}, r"junctions .* of inverter.n must be drain"),
        ({"junctions": {INVERTER: {"n": (1e-13, 1e-13, 1e-6)}}}, r"of inverter.n must be drain area"),
        ({"junctions": {INVERTER: {"n": (1e-13, 1e-13, 1e-6, float("inf"))}}}, r"0 or more and finite"),
    ],
)
def test_values_that_cannot_be(values, message):
    with pytest.raises(InputError, match=message):
        Parasitics("x", **values)


def test_a_load_cannot_have_the_name_of_a_capacitor():
    @dataclass(frozen=True, kw_only=True)
    class Named(Circuit):
        def ports(self):
            return (*outputs("par0"), *inputs("a"), *supplies("vdd", "vss"))

        def build(self, add):
            add.use("i", INVERTER, a="a", y="par0")

    with pytest.raises(InputError, match="a load at the port par0 has the name of a parasitic capacitor"):
        Testbench(
            Named(GF), 1e-9, {"a": 0.0, "vdd": 3.3, "vss": 0.0}, loads={"par0": 1e-15},
            parasitics=Parasitics("x", (("par0", "vss", 1e-15),)),
        )  # fmt: skip


def test_parasitics_travel_to_other_processes():
    drawn = Parasitics("x", (("y", "vss", 1e-15),), {INVERTER: default_junctions(INVERTER)})
    copy = pickle.loads(pickle.dumps(drawn))
    assert copy == drawn
    assert copy.junctions[INVERTER] == drawn.junctions[INVERTER]
    array = MeramArray(GF, card=MERAM, rows=16)
    drives = {port.name: 0.0 for port in array.ports() if port.direction in ("input", "supply")}
    node = "xcolumn7.xcell15.x"
    Testbench(array, 1e-9, drives, parasitics=Parasitics("x", ((node, "vss", 1e-15),)))
