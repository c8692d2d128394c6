"""The MeRAM word and its bench: what the transistors do, by plain ngspice and by co-simulation."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtjspice.circuits import catalogue
from mtjspice.circuits.benches.word import Levels, Read, Timing, WordBench, Write
from mtjspice.circuits.library.meram import MeramWord
from mtjspice.circuits.measurements import At, Voltage
from mtjspice.circuits.technology import technology
from mtjspice.circuits.testbench import INSTANCE
from mtjspice.device import llg, macrospin
from mtjspice.device.card import load_card
from mtjspice.device.derived import conductance
from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.engines import find_libngspice, find_ngspice
from mtjspice.spice.jobs import CosimJob, CosimResult
from mtjspice.spice.pool import CosimPool
from mtjspice.statistics import wilson
from mtjspice.studies import operation, pulses, seeds, switching


@pytest.fixture(scope="module")
def card():
    return load_card("meram100")


@pytest.fixture(scope="module")
def bench(card):
    tech = technology("gf180mcu")
    return WordBench(MeramWord(tech, card=card), (Read(),), tech.default_corner)


@pytest.fixture(scope="module")
def pool():
    with CosimPool(find_libngspice(), workers=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def calibration(bench, pool):
    return pulses.calibrate_pulse(bench, pool, seed=1, controls=(3.3, 2.0, 1.4, 1.2, 1.05, 0.95, 0.89))


def netlist(name: str, include: bool | str = False, **options) -> str:
    return catalogue.deck(catalogue.bench(name, **options).testbench(), include)


def run_deck(text: str, folder: Path) -> dict[str, float]:
    """Run a deck with plain ngspice in ``folder`` and return what it printed as ``name = value``."""
    (folder / "deck.cir").write_text(text)
    done = subprocess.run(
        [find_ngspice(), "-b", "deck.cir"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return {name: float(value) for name, value in re.findall(r"^(\w+)\s+=\s+(\S+)", done.stdout, re.MULTILINE)}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return run_deck(netlist("meram_word8", states="01100101"), tmp_path_factory.mktemp("deck"))


def test_plain_ngspice_reads_every_bit_of_the_emitted_deck(measured):
    data = [measured[f"data{i}_volts"] for i in range(8)]
    assert [volts > 1.65 for volts in data] == [digit == "1" for digit in "01100101"]
    assert all(min(volts, 3.3 - volts) < 0.05 for volts in data)


def test_sense_margin_has_the_sign_of_the_state_and_is_large(measured):
    margins = [measured[f"sense_margin{i}"] for i in range(8)]
    for digit, margin in zip("01100101", margins, strict=True):
        assert (margin > 0) == (digit == "1")
        assert abs(margin) > 0.3


@pytest.mark.parametrize("tech", ["gf180mcu", "sky130"])  # where the first guess decides what the latch holds
def test_margin_does_not_depend_on_what_the_latch_holds(tech):
    """A latch whose gates hang on the outputs would prefer its present data by hundreds of millivolts."""
    testbench = catalogue.bench("meram_word2", technology=tech, states="01").testbench()
    high = testbench.circuit.technology.supply_voltage
    margins = []
    for held in (0.0, high):
        nodes = {f"data{bit}": held for bit in range(2)}
        nodes |= {f"x{INSTANCE}.xcolumn{bit}.hold": high - held for bit in range(2)}
        latch = Timing().latch + 2.5e-11
        first = {
            f"margin{bit}": At(Voltage(f"x{INSTANCE}.xcolumn{bit}.q", f"x{INSTANCE}.xcolumn{bit}.qb"), latch)
            for bit in range(2)
        }
        run = replace(testbench, nodesets=nodes, measurements=first, stop=5.5e-9).run()
        assert run["v(data0)"].values[0] == pytest.approx(held, abs=0.1)
        margins.append([run.attrs[name] for name in first])
    for one, other in zip(*margins, strict=True):
        assert one == pytest.approx(other, rel=0.05)
        assert abs(one) > 0.1


def test_emitted_deck_does_not_depend_on_where_it_runs(measured, tmp_path):
    path = netlist("meram_word8", states="01100101", include=True)
    assert ".include" in path
    again = run_deck(path, tmp_path)
    assert again["pulse_width"] == measured["pulse_width"]
    assert again["energy"] == measured["energy"]


def test_cosimulation_and_plain_ngspice_agree_on_the_pulse(bench, pool, measured, card):
    """The same control voltage: the junction sees the same pulse whether its state is fixed or moves (G differs)."""
    row = llg.parameters(card)
    single = pulses.write_bench(bench, 1.2, 1.2e-9)
    initial = macrospin.thermal_states(card, np.ones(8), np.random.default_rng(0))[None]
    job = CosimJob(single.deck(), single.junctions(), np.tile(row, (8, 1)), initial, (1,), single.end)
    pulse = pulses.measure_pulse(*_waveform(pool.map([job])[0][0], 0))
    assert pulse.width == pytest.approx(measured["pulse_width"], rel=5e-3)
    assert pulse.amplitude == pytest.approx(1.2, abs=0.01)


def _waveform(result: CosimResult, bit: int):
    return result.times, result.voltages[:, bit]


def test_numerical_settings_hold_pulse_width_and_energy(tmp_path, card):
    """The defaults against a ten times finer step and tolerance without bypass."""
    tech = technology("gf180mcu")
    word = MeramWord(tech, card=card, bits=2)
    coarse = WordBench(word, (Read(), Write(1.2), Read()), "typical", states=(1, -1))
    fine = replace(coarse, max_step=5e-12, relative_tolerance=1e-4, bypass=False)
    results = []
    for index, candidate in enumerate((coarse, fine)):
        folder = tmp_path / str(index)
        folder.mkdir()
        results.append(run_deck(candidate.deck(control=candidate.testbench().commands(), cosimulated=False), folder))
    assert results[0]["pulse_width"] == pytest.approx(results[1]["pulse_width"], rel=4e-3, abs=0)
    assert results[0]["energy"] == pytest.approx(results[1]["energy"], rel=1.5e-2, abs=0)
    for bit in range(2):
        name = f"sense_margin{bit}"
        assert results[0][name] == pytest.approx(results[1][name], rel=2e-2)


def test_calibrated_control_gives_the_wanted_width(bench, pool, calibration, card):
    assert np.all(np.diff(calibration.widths) > 0)
    for wanted in (0.6e-9, 1.7e-9):
        single = pulses.write_bench(bench, calibration.control_for(wanted), wanted)
        initial = macrospin.thermal_states(card, np.ones(8), np.random.default_rng(0))[None]
        job = CosimJob(
            single.deck(), single.junctions(), np.tile(llg.parameters(card), (8, 1)), initial, (1,), single.end
        )
        pulse = pulses.measure_pulse(*_waveform(pool.map([job])[0][0], 3))
        assert pulse.width == pytest.approx(wanted, rel=0.02)
    with pytest.raises(InputError, match=r"pulse width 0.01 ns is out of range; the generator makes .* ns"):
        calibration.control_for(1e-11)


def test_calibration_skips_controls_that_make_no_pulse(bench, pool):
    found = pulses.calibrate_pulse(bench, pool, seed=1, controls=(3.3, 1.2, 0.1))
    assert list(found.controls) == [3.3, 1.2]
    with pytest.raises(SimulatorError, match="no complete pulse"):
        pulses.calibrate_pulse(bench, pool, seed=1, controls=(0.1, 0.05))


@pytest.fixture(scope="module")
def curve(bench, pool, calibration):
    widths = (0.45e-9, 1.0e-9, 1.6e-9, 2.2e-9)
    return switching.switching_curve(bench, calibration, widths, pool, repeats=12, predicted_trials=3000, seed=4)


def test_circuit_level_switching_agrees_with_the_macrospin_on_its_waveforms(curve):
    """4 widths, 96 circuit against 3000 macrospin trials each; p < 1e-3 would be a false alarm once in 1000 seeds."""
    assert switching.agreement(curve).p_value > 1e-3
    assert all(point.undecided == 0 for point in curve)
    # small next to the 0.1 that would change a conductance by a percent
    assert max(point.coupling_error for point in curve) < 0.01


def test_switching_probability_follows_the_precession(curve):
    """Half, full and twice half a period: rising flank, maximum, falling flank, minimum (fixed seed)."""
    rising, top, falling, bottom = (point.predicted.value for point in curve)
    assert 0.4 < rising < 0.8
    assert top > 0.98
    assert 0.3 < falling < 0.7
    assert bottom < 0.12


def test_half_point_is_trimmed_by_the_prediction(bench, pool, calibration, curve):
    low, high = switching.half_bracket(curve)
    assert low < 1.6e-9 < high or (low, high) == (curve[1].pulse_width, curve[2].pulse_width)
    found = switching.trim_half_point(bench, calibration, curve, pool, trials=2000, seed=4)
    # the same noise every time, so only the step of the last iteration is left: 4 sigma of 2000 trials
    assert abs(found.predicted.value - 0.5) < 4 * 0.5 / 2000**0.5
    assert low <= found.pulse_width <= high


def test_scores_are_exact_for_rare_events(curve):
    """One miss in 160 against none in 1600 is unremarkable; the normal approximation would call it 3.2 sigma."""
    rare = replace(curve[0], circuit=wilson(159, 160), predicted=wilson(1600, 1600))
    assert -2 < rare.z_score < -1
    same = replace(curve[0], circuit=wilson(10, 10), predicted=wilson(50, 50))
    assert same.z_score == 0
    # 60 of 100 against 500 of 1000: pooled normal score 1.91
    middle = replace(curve[0], circuit=wilson(60, 100), predicted=wilson(500, 1000))
    assert middle.z_score == pytest.approx(1.91, abs=0.15)


def test_no_crossing_is_an_error(curve):
    with pytest.raises(InputError, match="does not cross 1/2"):
        switching.half_bracket([curve[1], replace(curve[1], pulse_width=2e-9)])


def test_curve_becomes_a_dataset(curve, tmp_path):
    data = switching.to_dataset(curve, {"seed": 4})
    assert data.pulse_width.attrs["units"] == "s"
    assert data.attrs["seed"] == 4
    assert np.all((data.low <= data.probability) & (data.probability <= data.high))
    data.to_netcdf(tmp_path / "curve.nc")


@pytest.fixture(scope="module")
def operated(bench, pool, calibration):
    return operation.operate(
        bench,
        pool,
        reset_control=calibration.control_for(1.0e-9),
        write_control=calibration.control_for(1.0e-9),
        chunks=2,
        cycles=3,
        seed=9,
    )


def test_word_resets_writes_and_reads(operated):
    """With the toggling width every bit is reset to P, switched to AP and read so (48 bits, P_sw > 0.99 each)."""
    cycles, _ = operated
    assert cycles.data.shape == (6, 8)
    assert cycles.read_errors.count == 0
    assert cycles.reset_errors.count <= 3
    assert cycles.data.mean() > 0.9


def test_energy_is_positive_and_the_junctions_take_a_small_share(operated):
    cycles, _ = operated
    per_bit = cycles.energy.sum(axis=(1, 2)) / 8
    junction = cycles.junction_energy.sum(axis=1) / 8
    assert np.all(per_bit > 5e-13)
    assert np.all(per_bit < 5e-12)
    assert np.all(junction > 0)
    assert np.all(junction < 0.2 * per_bit)
    assert np.all(np.isfinite(cycles.read_latencies))
    assert np.all(cycles.margins > 0.2)


def test_junction_energy_is_the_joule_heat_of_the_recorded_waveforms(operated, card):
    cycles, trace = operated
    result, slot = trace.result, trace.slot
    reset = (result.times >= slot) & (result.times <= 2 * slot)
    t, v, m = result.times[reset], result.voltages[reset], result.m_z[reset]
    heat = sum(
        np.trapezoid([u * u * conductance(card, z, u) for u, z in zip(v[:, i], m[:, i], strict=True)], t)
        for i in range(8)
    )
    assert cycles.junction_energy[0, 0] == pytest.approx(heat, rel=1e-2, abs=0)


def test_whole_operation_replays_from_its_waveforms(operated, bench, card):
    """The accepted trajectory is exactly the macrospin solution for the recorded voltages."""
    _, trace = operated
    jobs = operation.operation_jobs(bench, 1.2, 1.2, 1, 3, 9)
    row = llg.parameters(card, drive_hold=trace.slot)
    m = jobs[0][1].initial[0].copy()
    result = trace.result
    for bit in range(8):
        for k in range(len(result.times) - 1):
            llg.advance(
                row, result.seed, bit, m[bit], result.times[k], result.times[k + 1],
                result.voltages[k, bit], result.voltages[k + 1, bit],
            )  # fmt: skip
    np.testing.assert_array_equal(m, result.magnetization)


def test_read_voltage_is_negative_and_cannot_disturb(operated, bench):
    """Reading raises the anisotropy; the junction stays within -0.8 V, where TMR is left."""
    _, trace = operated
    reading = (trace.result.times > bench.timing.sense) & (trace.result.times < bench.timing.latch)
    volts = trace.result.voltages[reading]
    assert np.all(volts < -0.3)
    assert np.all(volts > -0.85)


def test_parts_join_in_order(operated):
    cycles, _ = operated
    joined = operation.join([cycles, cycles])
    np.testing.assert_array_equal(joined.data, np.concatenate([cycles.data, cycles.data]))
    assert joined.energy.shape == (12, 3, len(cycles.sources))


@pytest.mark.parametrize("bits", [1, 3, 12])
def test_words_of_any_width_run(bits, tmp_path):
    states = "10" * bits
    found = run_deck(netlist(f"meram_word{bits}", states=states[:bits]), tmp_path)
    assert [found[f"data{i}_volts"] > 1.65 for i in range(bits)] == [digit == "1" for digit in states[:bits]]


@pytest.mark.slow
@pytest.mark.parametrize("corner", ["ff", "ss", "fs", "sf", "statistical"])
@pytest.mark.parametrize("temperature", [233.15, 398.15])
def test_word_reads_correctly_in_every_corner_and_at_the_temperature_limits(corner, temperature, tmp_path):
    found = run_deck(
        netlist("meram_word2", states="01", corner=corner, temperature=temperature, values={"bench.control": 1.3}),
        tmp_path,
    )
    assert found["data0_volts"] < 0.3
    assert found["data1_volts"] > 3.0


def test_stimulus_is_causal_and_within_the_supply(bench):
    running = replace(bench, operations=(Read(), Write(1.1, all_columns=False), Write(0.9), Read()))
    for name, points in running.stimulus().items():
        times = [time for time, _ in points]
        assert times == sorted(times), name
        assert all(0 <= volt <= 3.3 for _, volt in points)
    assert running.end == pytest.approx(4 * running.timing.slot)
    assert [junction.device for junction in running.junctions()] == list(range(8))
    assert f"v.x{INSTANCE}.xcolumn3.xcell.xmtj.vg" == running.junctions()[3].source


def test_seeds_are_independent_of_each_other():
    words = {seeds.word(1, purpose, index) for purpose in range(1, 8) for index in range(50)}
    assert len(words) == 350
    assert seeds.word(1, 2, 3) == seeds.word(1, 2, 3) != seeds.word(2, 2, 3)
    with pytest.raises(InputError, match="seed -1 is out of range"):
        seeds.word(-1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "meram_word0"}, "unknown circuit 'meram_word0'; available: pulse_writer"),
        ({"name": "sram"}, "unknown circuit 'sram'"),
        ({"card": "nothing"}, "unknown card 'nothing'; available: imec_iedm24, meram100"),
        ({"technology": "tsmc"}, "unknown technology 'tsmc'; available: freepdk45, gf180mcu, sky130"),
        ({"corner": "slow"}, "unknown gf180mcu corner 'slow'; available: ff"),
        ({"temperature": 2000.0}, "temperature 2000 K is out of range"),
        ({"states": "012"}, "states '012' must be 8 digits"),
        ({"states": "0101010x"}, "states '0101010x' must be 8 digits"),
        (
            {"values": {"bench.control": 9.0}},
            "WordReadWriteRead: control = 9 V is out of range; allowed: 50 mV to 3.3 V",
        ),
        ({"values": {"bench.write_rail": "3 V"}}, "write rail 3 V is out of range; allowed: 0 to 2.41 V"),
        (
            {"values": {"column.cell.access": "0.1 um"}},
            "Cell1T1M: access = 0.1 um is out of range; allowed: 0.22 um to",
        ),
        ({"values": {"column.width": 1e-6}}, "meram_word8 has no parameter 'column.width'; available: bits, pulse."),
    ],
)
def test_bad_input_of_netlists_is_one_clear_line(change, message):
    with pytest.raises(InputError) as caught:
        netlist(**({"name": "meram_word8"} | change))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_bad_benches_are_refused(bench):
    with pytest.raises(InputError, match="write rail 5 V is out of range"):
        replace(bench, levels=Levels(write_rail=5.0))
    with pytest.raises(InputError, match="slot is too short"):
        Timing(slot=2e-9)
    with pytest.raises(InputError, match="order must be"):
        Timing(latch=5e-9)
    with pytest.raises(InputError, match="at least one operation"):
        replace(bench, operations=())
    with pytest.raises(InputError, match="3 states were given for a word of 8 bits"):
        replace(bench, states=(1, 1, 1))


def test_shipped_netlists_are_what_the_api_writes():
    folder = Path(__file__).resolve().parent.parent / "netlists"
    text = netlist("meram_word8", include="../models/pdk/gf180mcu/typical.inc")
    assert (folder / "meram_word8.cir").read_text() == text
