"""Cells of plain logic and the shift register: truth tables, the sequence of mtjspice.bits, energies."""

from functools import cache
from itertools import product

import numpy as np
import pytest

from mtjspice.bits.sources.lfsr import LfsrSource
from mtjspice.circuits import catalogue
from mtjspice.circuits.benches.lfsr import LEFT_OUT, CellBench, LfsrBench, LfsrRun, run
from mtjspice.circuits.library.cells import Cell1T1M
from mtjspice.circuits.library.digital import FlipFlop, FullAdder, Lfsr, Multiplexer, Xor
from mtjspice.circuits.library.gates import Buffer, Inverter
from mtjspice.circuits.stimulus import Signal
from mtjspice.circuits.technology import technologies, technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device.card import load_card
from mtjspice.errors import InputError, SimulatorError
from mtjspice.layout.flat import flatten

GF180 = technology("gf180mcu")
STEP = 2e-9  # s

FUNCTIONS = {
    Xor: lambda a, b: {"y": a ^ b},
    Multiplexer: lambda a0, a1, select: {"y": a1 if select else a0},
    FullAdder: lambda a, b, c: {"sum": (a + b + c) % 2, "carry": (a + b + c) // 2},
}


@cache
def cell(kind, volts, **rests):
    return CellBench(circuit=kind(GF180), supply=volts, rests=rests).measure()


def sequence(bits, state, count):
    return np.unpackbits(LfsrSource(bits, state=state).read(-(-count // 8)))[:count].tolist()


# --- cells ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", technologies())
@pytest.mark.parametrize("kind", FUNCTIONS, ids=lambda kind: kind.__name__)
def test_truth_tables(name, kind):
    tech = technology(name)
    circuit, high = kind(tech), tech.supply_voltage
    names = [port.name for port in circuit.ports() if port.direction == "input"]
    rows = list(product((0, 1), repeat=len(names)))
    signals = {one: Signal() for one in names}
    for k, values in enumerate(rows):
        for one, value in zip(names, values, strict=True):
            signals[one].to(k * STEP, high * value)
    data = Testbench(circuit, len(rows) * STEP, {"vdd": high, "vss": 0.0, **signals}).run()
    for k, values in enumerate(rows):
        for output, wanted in FUNCTIONS[kind](*values).items():
            volts = np.interp((k + 0.95) * STEP, data["time"].values, data[f"v({output})"].values)
            assert volts == pytest.approx(high * wanted, abs=0.02 * high), (values, output)


@pytest.mark.parametrize("name", technologies())
def test_flip_flop_takes_over_at_the_rising_edge_only(name):
    """d changes while the clock is low and while it is high; q has what stood there at the edge."""
    tech = technology(name)
    high = tech.supply_voltage
    changes = [(0.0, 0), (1e-9, 1), (5e-9, 0), (9e-9, 1), (10e-9, 0), (17e-9, 1)]  # edges at 4, 12, 20, 28 ns
    d, clock = Signal(), Signal()
    for time, value in changes:
        d.to(time, high * value)
    for k in range(4):
        clock.pulse(4e-9 + 8e-9 * k, 8e-9 + 8e-9 * k, high)
    data = Testbench(FlipFlop(tech), 32e-9, {"vdd": high, "vss": 0.0, "d": d, "clock": clock}).run()
    times = np.array([5.0, 7.0, 9.5, 11.5, 13.0, 18.0, 19.5, 21.0, 27.0]) * 1e-9
    found = np.interp(times, data["time"].values, data["v(q)"].values) > high / 2
    assert found.tolist() == [True, True, True, True, False, False, False, True, True]


def test_transistors():
    counts = {kind: len(flatten(kind(GF180)).devices) for kind in (Xor, Multiplexer, FlipFlop, FullAdder)}
    assert counts == {Xor: 10, Multiplexer: 6, FlipFlop: 18, FullAdder: 28}
    # stages, three adders, a multiplexer, a buffer of two inverters
    assert len(flatten(Lfsr(GF180)).devices) == 8 * 18 + 3 * 10 + 6 + 4


def test_cell_energies_grow_with_the_supply_squared():
    """Within 25 %: above the square for what conducts during the edges."""
    for kind in (FlipFlop, Xor, FullAdder):
        high, low = cell(kind, 3.3), cell(kind, 1.8)
        assert high.per_toggle / low.per_toggle == pytest.approx((3.3 / 1.8) ** 2, rel=0.25)
        assert 0 < high.delay < low.delay < 2e-9
    assert cell(FlipFlop, 3.3).per_clock / cell(FlipFlop, 1.8).per_clock == pytest.approx((3.3 / 1.8) ** 2, rel=0.25)
    assert cell(Xor, 3.3).per_clock == 0


def test_energy_of_an_inverter_by_hand():
    """Its input charges twice the output's Miller capacitance and the gates; all within a factor of two of C V^2."""
    found = cell(Inverter, 3.3)
    oxide = 3.9 * 8.854e-12 / 8e-9  # F/m2; 8 nm
    gates = oxide * 3 * GF180.unit_width * GF180.nfet.min_length
    assert 0.5 < found.per_toggle / (gates * 3.3**2) < 2  # a rise and a fall: C V^2 each of input and output


def test_a_step_ten_times_finer_changes_nothing(monkeypatch):
    coarse = cell(FullAdder, 3.3)
    monkeypatch.setattr("mtjspice.circuits.benches.lfsr._STEPS", 500)
    fine = CellBench(circuit=FullAdder(GF180), supply=3.3).measure()
    assert coarse.per_toggle == pytest.approx(fine.per_toggle, rel=0.01, abs=0)
    assert coarse.delay == pytest.approx(fine.delay, rel=0.1, abs=0)


# --- the register --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "state"), [(8, 1), (8, 0xA5), (8, 254), (16, 0xACE1), (32, 0xDEADBEEF)])
def test_the_model_is_the_source_of_bits(bits, state):
    bench = LfsrBench(Lfsr(GF180, bits=bits), state=state, clocks=300)
    assert bench.expected() == sequence(bits, state, 301 + LEFT_OUT)


@cache
def register(volts, clocks=14):
    return run(LfsrBench(Lfsr(GF180), supply_voltage=volts, state=0x4D, clocks=clocks))


@pytest.mark.parametrize("volts", [3.3, 1.8])
def test_simulated_bits_are_those_of_the_source(volts):
    found = register(volts)
    assert found.bits.tolist() == sequence(8, 0x4D, LEFT_OUT + 15)[LEFT_OUT + 1 :]
    assert (found.energies > 0).all()


def test_energy_grows_with_the_supply_squared():
    ratio = register(3.3).energy_per_bit / register(1.8).energy_per_bit
    assert ratio == pytest.approx((3.3 / 1.8) ** 2, rel=0.25)


def test_the_energy_is_that_of_its_cells():
    """Sum over stages, adders, multiplexer and clock buffer, each measured alone: within 10 %."""
    flip_flop, xor, mux = cell(FlipFlop, 3.3), cell(Xor, 3.3), cell(Multiplexer, 3.3, select=0)
    buffer = CellBench(circuit=Buffer(GF180, strength=4.0), supply=3.3).measure()
    found = register(3.3)
    clock = 8 * flip_flop.per_clock + 2 * buffer.per_toggle
    expected = clock + 128 / 255 * (8 * flip_flop.per_toggle + 3 * xor.per_toggle + mux.per_toggle)
    assert found.period_energy_per_bit == pytest.approx(expected, rel=0.1, abs=0)


@pytest.mark.parametrize("name", sorted(set(technologies()) - {"gf180mcu"}))
def test_other_technologies(name):
    """Bits as they should be (`run` checks), for less than at 3.3 V."""
    found = run(LfsrBench(Lfsr(technology(name)), clocks=4))
    assert 1e-14 < found.energy_per_bit < register(3.3).energy_per_bit


def test_it_is_static():
    """At 1 MHz nothing leaks away."""
    assert run(LfsrBench(Lfsr(GF180, bits=4), frequency=1e6, clocks=4)).energy_per_bit > 0


def test_too_fast_a_clock_is_an_error():
    with pytest.raises(SimulatorError, match=r"lfsr8 at 1e\+09 Hz and 1 V does not make its sequence"):
        run(LfsrBench(Lfsr(GF180), frequency=1e9, supply_voltage=1.0, clocks=8))


def test_energy_of_the_period_by_hand():
    """2 + 3 x toggles: of 7 clocks of three stages 4 change each, so the mean is 2 + 3 x 12 / 7."""
    toggles = np.array([0, 1, 3, 2])
    found = LfsrRun(3, 1e8, np.zeros(4, np.uint8), 2.0 + 3.0 * toggles, toggles)
    assert found.period_energy_per_bit == pytest.approx(2 + 36 / 7)
    assert found.energy_per_bit == pytest.approx(6.5)
    with pytest.raises(InputError, match="changed as many stages"):
        _ = LfsrRun(3, 1e8, np.zeros(2, np.uint8), np.ones(2), np.ones(2, np.int64)).period_energy_per_bit


@pytest.mark.slow
def test_the_whole_period():
    """All 255 clocks: their mean energy is what 64 of them predict, within 2 %."""
    whole = run(LfsrBench(Lfsr(GF180), clocks=255, state=1))
    assert whole.bits.sum() == 128
    assert len({bytes(np.roll(whole.bits, -k)[:8].tolist()) for k in range(255)}) == 255
    part = run(LfsrBench(Lfsr(GF180), clocks=64, state=1))
    assert part.period_energy_per_bit == pytest.approx(whole.energy_per_bit, rel=0.02, abs=0)
    assert whole.period_energy_per_bit == pytest.approx(whole.energy_per_bit, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LfsrBench(Lfsr(GF180), state=256), "state 256 is out of range; lfsr8 has 1 to 2^8 - 1"),
        (lambda: LfsrBench(Lfsr(GF180), state=0), "LfsrBench: state = 0 is out of range"),
        (lambda: LfsrBench(Lfsr(GF180), supply_voltage=5.0), "LfsrBench: supply_voltage = 5 V is out of range"),
        (lambda: LfsrBench(Inverter(GF180)), "inverter is no shift register"),
        (lambda: Lfsr(GF180, bits=65), "Lfsr: bits = 65 is out of range"),
        (
            lambda: CellBench(circuit=Cell1T1M(GF180, card=load_card("meram100")), supply=3.3).measure(),
            "cell_1t1m has no inputs or no outputs",
        ),
        (
            lambda: CellBench(circuit=Inverter(GF180), supply=3.3, rests={"b": 0}).measure(),
            "inverter has no input b; it has a",
        ),
    ],
)
def test_bad_input_is_one_clear_line(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_settings_by_name():
    bench = catalogue.bench("lfsr8", values={"bits": 16, "bench.frequency": "100 MHz", "bench.clocks": 5})
    assert (bench.circuit.name, bench.period, bench.clocks) == ("lfsr16", 1e-8, 5)
