"""Circuits as data: what is refused, and that parameters, netlists and junction names agree."""

from dataclasses import dataclass, replace

import pytest

from mtjspice.circuits import parameters, rendering
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.array import ArrayColumn, MeramArray
from mtjspice.circuits.library.cells import Cell1T1M, DifferentialPair, ReferenceCell
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand
from mtjspice.circuits.library.meram import MeramColumn, MeramWord
from mtjspice.circuits.library.pulse import (
    LineSwitch,
    PulseWriter,
    StarvedPulseGenerator,
    TapPulseGenerator,
    WriteDriver,
)
from mtjspice.circuits.measurements import Energy, Peak, Power, Voltage
from mtjspice.circuits.stimulus import Signal
from mtjspice.circuits.technology import technologies, technology
from mtjspice.circuits.testbench import INSTANCE, Testbench
from mtjspice.device.card import MTJCard, load_card
from mtjspice.errors import InputError
from mtjspice.spice import netlist

GF = technology("gf180mcu")
MERAM, IMEC = load_card("meram100"), load_card("imec_iedm24")


@dataclass(frozen=True, kw_only=True)
class Faulty(Circuit):
    """An inverter with one fault, chosen by name."""

    fault: str = ""

    def ports(self):
        ports = (*inputs("a"), *outputs("y"), *supplies("vdd", "vss"))
        return {
            "two ports": (*ports, Port("a", "input")),
            "direction": (*ports, Port("b", "sideways")),
            "ground": (*ports, Port("0", "supply")),
            "unused": (*ports, *inputs("b")),
        }.get(self.fault, ports)

    def build(self, add):
        inverter = Inverter(self.technology)
        add.use("first", inverter, a="a", y="y")
        unit = self.technology.unit_width
        match self.fault:
            case "misspelt node":
                add.nmos("n", "y", "a", "vsss", width=unit)
            case "floating gate":
                add.nmos("n", "y", "gate", "vss", width=unit)
                add.capacitor("c", "gate", "vss", 1e-15)
            case "name twice":
                add.use("first", inverter, a="a", y="z")
            case "upper case":
                add.use("second", inverter, a="a", y="Y")
            case "dotted":
                add.use("second", inverter, a="a", y="first.y")
            case "gnd":
                add.resistor("r", "y", "gnd", 1e3)
            case "two drivers":
                add.use("second", inverter, a="a", y="y")
            case "drives a supply":
                add.use("second", inverter, a="a", y="vdd")
            case "no such port":
                add.use("second", inverter, b="a", y="y")
            case "not connected":
                add.use("second", inverter, a="a")
            case "input left open":
                add.use("second", inverter, a=None, y="y")
            case "other technology":
                add.use("second", Inverter(technology("sky130")), a="a", y="z")
            case "width":
                add.nmos("n", "y", "a", "vss", width=1e-7)
            case "length":
                add.nmos("n", "y", "a", "vss", width=unit, length=1e-7)
            case "value":
                add.resistor("r", "y", "vss", -1.0)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("two ports", "faulty has two ports a"),
        ("direction", "faulty: port b is 'sideways'; allowed: input, output, inout, supply"),
        ("ground", "faulty: ground cannot be a port; call it vss"),
        ("unused", "faulty: input b is connected to nothing inside"),
        ("misspelt node", "faulty: node vsss has one connection only (at n); misspelt?"),
        ("floating gate", "faulty: node gate floats: no direct current reaches it from a port"),
        ("name twice", "faulty: the instance name 'first' is used twice"),
        ("upper case", "faulty.second: 'Y' is no name of a node; allowed: 0, or a-z, 0-9 and _"),
        ("dotted", "faulty.second: 'first.y' is no name of a node"),
        ("gnd", "faulty.r: 'gnd' is no name of a node"),
        ("two drivers", "faulty: node y is driven by two outputs, first.y and second.y"),
        ("drives a supply", "faulty: the output second.y drives the supply vdd"),
        ("no such port", "faulty.second: inverter has no port b; it has a, y, vdd, vss"),
        ("not connected", "faulty.second: port y of inverter is not connected"),
        ("input left open", "faulty.second: input a cannot be left open"),
        ("other technology", "faulty.second is in sky130, the circuit around it in gf180mcu"),
        ("width", "faulty.n: width 0.1 um is outside 0.22 um to 100 um"),
        ("length", "faulty.n: length 0.1 um is outside 0.28 um to 50 um"),
        ("value", "faulty.r: value -1.0 must be positive and finite"),
    ],
)
def test_faults_are_found_without_a_simulator(fault, message):
    with pytest.raises(InputError) as caught:
        Faulty(GF, fault=fault).elements  # noqa: B018, building is what is tested
    assert (
        str(caught.value)
        .replace("0.22 to 100 um", "0.22 um to 100 um")
        .replace("0.28 to 50 um", "0.28 um to 50 um")
        .startswith(message)
    )
    assert "\n" not in str(caught.value)


def test_the_circuit_without_fault_is_accepted():
    assert len(Faulty(GF).elements) == 1


def test_island_inside_a_part_is_seen_from_outside():
    """The gate of an inverter inside a buffer gets no current if nothing drives the buffer."""

    @dataclass(frozen=True, kw_only=True)
    class Undriven(Circuit):
        def ports(self):
            return (*outputs("y"), *supplies("vdd", "vss"))

        def build(self, add):
            add.use("one", Buffer(self.technology), a="alone", y="y")
            add.use("two", Buffer(self.technology), a="alone", y=None)

    with pytest.raises(InputError, match="undriven: node alone floats"):
        Undriven(GF).elements  # noqa: B018


# --- parameters ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", technologies())
def test_default_sizes_follow_the_technology_and_are_within_its_limits(name):
    tech = technology(name)
    for circuit in (
        Inverter(tech), Nand(tech, fan_in=4), Buffer(tech, strength=64.0), StarvedPulseGenerator(tech),
        TapPulseGenerator(tech), WriteDriver(tech), PulseWriter(tech), Cell1T1M(tech, card=MERAM),
        DifferentialPair(tech, card=IMEC), MeramWord(tech, card=MERAM), MeramArray(tech, card=MERAM, rows=4, columns=4),
    ):  # fmt: skip
        assert circuit.elements
        for parameter in circuit.parameters():
            assert parameter.about
            if isinstance(parameter.value, float) and parameter.low is not None:
                assert parameter.low <= parameter.value * (1 + 1e-9)
    assert Cell1T1M(tech, card=MERAM).access == pytest.approx(2 * tech.unit_width)


def test_parameters_are_listed_with_their_units_and_changed_by_dotted_names():
    word = MeramWord(GF, card=MERAM)
    listed = {one.name: one for one in word.parameters()}
    access = listed["column.cell.access"]
    assert (access.value, access.unit, access.low, access.high) == (1.2e-6, "m", 0.22e-6, 100e-6)
    assert listed["column.bit_line_capacitance"].assumed
    changed = parameters.with_parameters(word, {"column.cell.access": "1.5 um", "bits": 4, "pulse.starved_stages": "5"})
    assert changed.column.cell.access == pytest.approx(1.5e-6)
    assert (changed.bits, changed.pulse.starved_stages, changed.name) == (4, 5, "meram_word4")
    assert word.column.cell.access == pytest.approx(1.2e-6)


def test_defaults_that_depend_on_a_changed_parameter_follow_it():
    array = MeramArray(GF, card=MERAM)
    changed = parameters.with_parameters(array, {"rows": 16, "column.cell.access": 2e-6})
    assert (changed.column.rows, changed.column.cell.access) == (16, 2e-6)
    with pytest.raises(InputError, match="the array has 8 rows of meram100, its column 16"):
        replace(changed, rows=8)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Inverter(GF, strength=0.1), "Inverter: strength = 0.1 is out of range; allowed: 0.5 to 64"),
        (lambda: Nand(GF, fan_in=2.5), "Nand: fan_in = 2.5 is not a whole number"),
        (lambda: Cell1T1M(GF, card=MERAM, access=1e-7), "Cell1T1M: access = 0.1 um is out of range; allowed: 0.22 um"),
        (lambda: Cell1T1M(GF, card=MERAM, access="wide"), "Cell1T1M: access = 'wide' is not a number"),
        (lambda: ReferenceCell(GF, card=MERAM, kind="none"), "unknown ReferenceCell: kind 'none'; available: mtj"),
        (lambda: StarvedPulseGenerator(GF, starved_stages=2), "starved_pulse_generator: starved_stages + plain_stages"),
        (lambda: TapPulseGenerator(GF, first=4), "tap_pulse_generator: first = 4 must be odd"),
        (lambda: PulseWriter(GF, generator=Inverter(GF)), "pulse_writer: the generator inverter has no ports trigger"),
        (lambda: PulseWriter(GF, generator="x"), "PulseWriter: generator = 'x' is not a circuit"),
        (
            lambda: PulseWriter(GF, driver=WriteDriver(technology("sky130"))),
            "PulseWriter: driver is in sky130, the circuit around it in gf180mcu",
        ),
        (lambda: WriteDriver(GF, switch=LineSwitch(GF, halves="n")), "write_driver: its switch must have both halves"),
        (
            lambda: MeramWord(GF, card=MERAM, column=MeramColumn(GF, card=IMEC)),
            "the word has the card meram100, its column imec_iedm24",
        ),
        (lambda: MeramArray(GF, card=MERAM, columns=6), "meram_array_64x6: 6 columns cannot be shared out in groups"),
        (
            lambda: parameters.with_parameters(Inverter(GF), {"w": 1}),
            "inverter has no parameter 'w'; available: strength",
        ),
        (lambda: parameters.with_parameters(Inverter(GF), {"channel": "1 V"}), "channel: '1 V' has the wrong unit"),
    ],
)
def test_bad_parameters_are_one_clear_line(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


# --- netlists ------------------------------------------------------------------------------------------------


def test_equal_circuits_share_a_subcircuit_and_others_get_a_name_of_their_own():
    text = rendering.text(Buffer(GF, strength=4.0))
    assert text.count(".subckt inverter ") == 1
    assert text.count(".subckt inverter_2 ") == 1
    assert rendering.text(Buffer(GF, strength=4.0)) == text
    assert [str(one.name) for one in rendering.subcircuits(Buffer(GF, strength=4.0))] == [
        "inverter", "inverter_2", "buffer",
    ]  # fmt: skip


def bench_of(circuit: Circuit, **more: object) -> Testbench:
    drives = {port.name: 0.0 for port in circuit.ports() if port.direction != "output"}
    return Testbench(circuit, 1e-9, drives, **more)


@pytest.mark.parametrize(
    "circuit",
    [
        Cell1T1M(GF, card=MERAM), DifferentialPair(GF, card=IMEC), MeramWord(GF, card=MERAM, bits=3),
        MeramArray(GF, card=MERAM, rows=3, columns=2, share=1), ArrayColumn(GF, card=MERAM, rows=2),
    ],
    ids=lambda circuit: circuit.name,
)  # fmt: skip
def test_junctions_are_those_that_a_reader_of_the_netlist_finds(circuit):
    states = tuple(1 if k % 3 else -1 for k in range(len(circuit.own_junctions)))
    found = netlist.instances(netlist.parse(bench_of(circuit, states=states).deck()), "mtj_cell")
    known = circuit.junctions(INSTANCE)
    assert [(one.path, one.nodes) for one in found] == [(one.path, (one.top, one.bottom)) for one in known]
    assert [int(one.parameters["state"]) for one in found] == list(states)


@dataclass(frozen=True, kw_only=True)
class TwoKinds(Circuit):
    """A junction of one card below one of another, and a reference beside each."""

    def ports(self):
        return (*inouts("top"), *supplies("vss"))

    def build(self, add):
        add.mtj("upper", "top", "middle", MERAM)
        add.mtj("lower", "middle", "vss", IMEC)
        add.reference_mtj("first", "top", "middle", MERAM)
        add.reference_mtj("second", "middle", "vss", IMEC)


@pytest.mark.parametrize("fidelity", ["resistor", "cosim"])
def test_every_junction_has_its_own_card(fidelity):
    """The divider of two parallel pairs at 10 mV: resistances from the cards, R = R_P and its midpoint R_P (1 + TMR)/(1
    + TMR/2) in parallel; the noise is off, so that m stays near its start."""  # fmt: skip
    from mtjspice.device.derived import derive

    bench = Testbench(TwoKinds(GF), 1e-10, {"top": 0.01, "vss": 0.0}, probes=("v(xdut.middle)",))
    options = {} if fidelity == "resistor" else {"noise": False, "initial": [0, 0, 1.0]}
    run = bench.run(fidelity, **options)
    pairs = []
    for card in (MERAM, IMEC):
        parallel = derive(card).resistance_parallel
        midpoint = parallel * (1 + card.tmr) / (1 + card.tmr / 2)
        pairs.append(1 / (1 / parallel + 1 / midpoint))
    expected = 0.01 * pairs[1] / sum(pairs)
    assert run["v(xdut.middle)"].values[-1] == pytest.approx(expected, rel=2e-3)


def test_cards_hold_the_temperature_of_the_bench():
    card = MERAM.replace(polarization_coefficient=3e-5)
    cold, hot = (rendering.text(Cell1T1M(GF, card=card), temperature) for temperature in (300.0, 350.0))
    assert cold != hot
    assert cold == rendering.text(Cell1T1M(GF, card=card), 300.0)


class MtjCell(Inverter):
    """Has the name of a subcircuit that is already there."""


# --- benches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Testbench(Inverter(GF), 1e-9, {"vdd": 3.3, "vss": 0.0}), "input a of inverter is not driven"),
        (lambda: Testbench(Inverter(GF), 1e-9, {"a": 0.0, "vdd": 3.3}), "supply vss of inverter is not driven"),
        (lambda: bench_of(Inverter(GF), loads={"z": 1e-15}), "inverter has no port 'z'; it has a, y, vdd, vss"),
        (
            lambda: Testbench(Cell1T1M(GF, card=MERAM), 1e-9, {"wl": 0.0, "vss": 0.0}),
            "bl of cell_1t1m floats: no direct current reaches it",
        ),
        (lambda: bench_of(Inverter(GF), corner="slow"), "unknown gf180mcu corner 'slow'"),
        (lambda: bench_of(Inverter(GF), temperature=-5.0), "temperature"),
        (
            lambda: bench_of(Inverter(technology("sky130")), mismatch_seed=1),
            "the model cards of sky130 have no mismatch",
        ),
        (lambda: bench_of(Inverter(GF), mismatch_seed=0), "mismatch seed 0 is out of range"),
        (lambda: bench_of(Cell1T1M(GF, card=MERAM), states=(1, 1)), "2 states were given for the 1 junctions of cell"),
        (lambda: bench_of(Cell1T1M(GF, card=MERAM), states=(0,)), "states (0,) must be 1 (P) or -1 (AP)"),
        (lambda: Testbench(Inverter(GF), 0.0, {"a": 0.0, "vdd": 3.3, "vss": 0.0}), "stop = 0 s must be positive"),
        (
            lambda: Testbench(Inverter(GF), 1e-9, {"a": ((1e-9, 0.0), (1e-9, 1.0)), "vdd": 3.3, "vss": 0.0}),
            "the source of a must have finite voltages at times that increase from 0 on",
        ),
        (lambda: Testbench(Inverter(GF), 1e-9, {"a": float("nan"), "vdd": 3.3, "vss": 0.0}), "the source of a must"),
        (
            lambda: bench_of(Inverter(GF), measurements={"corner": Peak(Voltage("y"))}),
            "a measurement cannot be called corner: the run's conditions are",
        ),
        (lambda: bench_of(Inverter(GF)).run("spice"), "unknown fidelity 'spice'; available: behavioral"),
        (lambda: rendering.text(MtjCell(GF)), "a circuit cannot be called 'mtj_cell'; nfet_03v3, pfet_03v3, mtj_cell"),
        (lambda: Signal().to(1e-9, 1.0).to(1.01e-9, 0.0), "a signal cannot move at 1.01e-09 s"),
    ],
)
def test_bad_benches_are_one_clear_line(build, message):
    with pytest.raises(InputError) as caught:
        build()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_driven_bit_line_reaches_the_source_line_through_the_cell():
    """sl needs no source: direct current reaches it from bl."""
    assert Testbench(Cell1T1M(GF, card=MERAM), 1e-9, {"bl": 0.1, "wl": 3.3, "vss": 0.0}).deck()


def test_a_signal_holds_and_moves():
    signal = Signal(0.5, edge=1e-10).pulse(1e-9, 2e-9, 3.0).to(2.1e-9, 0.5)
    expected = ((0.0, 0.5), (1e-9, 0.5), (1.1e-9, 3.0), (2e-9, 3.0), (2.1e-9, 0.5))
    assert [point == pytest.approx(wanted) for point, wanted in zip(signal.points, expected, strict=True)] == [True] * 5


def test_energy_by_source_adds_up():
    """A resistor of 1 kohm between two sources: 2 V x 1 mA from one, 1 V x -1 mA into the other, for 1 ns."""

    @dataclass(frozen=True, kw_only=True)
    class Wire(Circuit):
        def ports(self):
            return inouts("a", "b")

        def build(self, add):
            add.resistor("r", "a", "b", 1e3)

    energies = {"a": Energy(Power(("a",))), "b": Energy(Power(("b",))), "both": Energy(Power(("a", "b")))}
    run = Testbench(Wire(GF), 1e-9, {"a": 2.0, "b": 1.0}, measurements=energies).run()
    delivered = dict(zip(run.source.values, run.delivered.values[-1], strict=True))
    assert delivered["a"] == pytest.approx(2e-12, rel=1e-6)
    assert delivered["b"] == pytest.approx(-1e-12, rel=1e-6)
    for name, value in delivered.items():
        assert run.attrs[name] == pytest.approx(value, rel=1e-9)
    assert run.attrs["both"] == pytest.approx(1e-12, rel=1e-6)


def test_mismatch_is_drawn_from_its_seed():
    """An inverter at half supply: the same seed gives the same output to the last digit, others do not."""
    bench = Testbench(Inverter(GF, strength=0.5), 1e-10, {"a": 1.5, "vdd": 3.3, "vss": 0.0})
    found = [float(bench.at(mismatch_seed=seed).run()["v(y)"].values[-1]) for seed in (None, 1, 2, 1)]
    assert found[1] == found[3]
    assert len({round(value, 6) for value in found}) == 3


SIZES = 'min_width = "1 um"\nmax_width = "50 um"\nmin_length = "1 um"\nmax_length = "9 um"\ndiffusion_length = "1 um"'
CARDS = "\n".join(
    f".subckt {name} d g s b w=1u l=1u m=1 par=1 ad=0 as=0 pd=0 ps=0\n"
    f"m1 d g s b {name}_model w={{w}} l={{l}} m={{m}}\n.ends\n.model {name}_model {kind} level=1 vto={vto} kp=1e-4"
    for name, kind, vto in (("mynfet", "nmos", 0.5), ("mypfet", "pmos", -0.5))
)


@pytest.mark.parametrize("library", [True, False])
def test_technology_of_ones_own(library, tmp_path):
    """A technology.toml anywhere, with a model file a corner or one library of sections; its inverter inverts."""
    if library:
        (tmp_path / "all.lib").write_text(f".lib tt\n{CARDS}\n.endl tt\n.lib ff\n.endl ff\n", encoding="ascii")
    else:
        (tmp_path / "tt.inc").write_text(CARDS + "\n", encoding="ascii")
    (tmp_path / "technology.toml").write_text(
        'title = "Mine"\nlicence = "CC0"\nsupply_voltage = "2 V"\ncorners = ["tt"]\ndefault_corner = "tt"\n'
        'unit_width = "2 um"\nnotes = []\n' + ('library = "all.lib"\n' if library else "") +
        f'[nfet]\nsubcircuit = "mynfet"\n{SIZES}\n[pfet]\nsubcircuit = "mypfet"\n{SIZES}\n'
    )  # fmt: skip
    mine = technology(str(tmp_path / "technology.toml"))
    for level, expected in ((0.0, 2.0), (2.0, 0.0)):
        run = Testbench(Inverter(mine), 1e-9, {"a": level, "vdd": 2.0, "vss": 0.0}).run()
        assert run["v(y)"].values[-1] == pytest.approx(expected, abs=1e-3)
    (tmp_path / ("all.lib" if library else "tt.inc")).unlink()
    technology.cache_clear()
    with pytest.raises(InputError, match=r"technology.toml: no model file (all.lib|<corner>.inc) for the corners tt"):
        technology(str(tmp_path / "technology.toml"))
    with pytest.raises(InputError, match=r"there is no technology file .*nowhere.toml"):
        technology(str(tmp_path / "nowhere.toml"))


def test_card_type_is_kept():
    assert isinstance(Cell1T1M(GF, card=MERAM).own_junctions[0].card, MTJCard)
