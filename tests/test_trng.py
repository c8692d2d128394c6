"""Random-number generators: phases, bits against the true states, probabilities, trimming, feedback.

All seeds are fixed; "false alarm" is the chance that a correct program would fail with another seed.
"""

import math
import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binomtest

from mtjspice import switching_probability
from mtjspice.circuits import catalogue
from mtjspice.circuits.benches.trim import (
    BiasFeedback,
    predicted_amplitude,
    predicted_probability,
    regulate,
    trim,
)
from mtjspice.circuits.benches.trng import PHASES, SttTrngCycles, VcmaTrngCycles, generate
from mtjspice.circuits.elements import Part
from mtjspice.circuits.library.trng import SttTrng, SttTrngChannel, VcmaTrng
from mtjspice.circuits.technology import technologies, technology
from mtjspice.device import macrospin, switching, variation
from mtjspice.device.card import load_card
from mtjspice.errors import InputError
from mtjspice.spice.engines import find_ngspice

STT = load_card("stt_trng_10ns")
MERAM = load_card("meram100")
GF180 = technology("gf180mcu")
SLOPE = 7.5  # dP/d(rail) at 1/2 in gf180mcu, 1/V
BORDER = 1e-3  # p-values


def stt(channels, tech=GF180, **settings):
    circuit = {key: settings.pop(key) for key in ("cards", "channel") if key in settings}
    return SttTrngCycles(SttTrng(tech, card=STT, channels=channels, **circuit), **settings)


def scaled(*factors):
    """Devices whose V50 is the card's times a factor: the torque of a voltage goes with 1/RA."""
    return tuple(STT.replace(resistance_area_product=STT.resistance_area_product * factor) for factor in factors)


def junction_volts(data, bench, channel):
    one = bench.circuit.junctions("dut")[channel]
    return (data[f"v({one.top})"] - data[f"v({one.bottom})"]).values


def during_perturb(bench):
    """Voltage (V) of the first junction, still, and time (s), in the first slot of a perturbation."""
    data = bench.testbench().run()
    time = data["time"].values
    begin, end = bench.windows(0)["perturb"]
    inside = (time >= begin) & (time <= end)
    return junction_volts(data, bench, 0)[inside], time[inside]


# --- the circuit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tech", technologies())
def test_the_three_phases(tech):
    """With still junctions, one in P and one in AP: signs, widths, read voltage, data, energies."""
    bench = stt(2, technology(tech), cycles=2, states=(1, -1))
    data = bench.testbench().run()
    found = data.attrs
    assert found["reset_voltage"] == pytest.approx(0.8, abs=0.06)
    assert found["perturb_voltage"] == pytest.approx(0.28, abs=0.01)
    assert found["reset_width"] == pytest.approx(bench.reset_width, rel=0.01)
    assert found["perturb_width"] == pytest.approx(bench.perturb_width, rel=0.01)
    for cycle in range(2):
        assert found[f"data0_{cycle}_volts"] < 0.01 < 0.99 * bench.supply < found[f"data1_{cycle}_volts"]
    assert found["sense_margin0"] < -0.5 < 0.5 < found["sense_margin1"]
    assert all(1e-13 < found[f"{phase}_energy"] < 2e-11 for phase in PHASES)
    time = data["time"].values
    first, last = bench.windows(0)["read"]
    reading = (time >= first) & (time < last)
    for channel in range(2):
        volts = junction_volts(data, bench, channel)
        assert 0.09 < volts[reading].max() < 0.16
        assert volts[reading].min() > -0.1


def test_a_read_disturbs_nothing():
    """The read current flows forward, which holds P and may only take AP to P: at 0.15 V, 6 ns below 1e-5.

    Against the current of the other direction P would be as safe, but not at the 0.28 V of the perturbation.
    """
    read = switching_probability(STT, 0.15, 6e-9, direction="ap-p", tolerance=1e-8)
    assert float(read.high.item()) < 1e-5
    assert float(switching_probability(STT, 0.15, 6e-9, direction="p-ap").high.item()) < 1e-5
    assert float(switching_probability(STT, -0.28, 6e-9, direction="p-ap").low.item()) > 0.05


def test_equal_devices_share_a_subcircuit():
    deck = stt(4, cards=scaled(1, 1.1, 1, 1.1)).testbench().deck(saves=False)
    assert len(re.findall(r"^\.subckt stt_trng_channel", deck, re.M | re.I)) == 2
    circuit = SttTrng(GF180, card=STT, channels=2, cards=scaled(0.9, 1.2))
    assert [junction.card for junction in circuit.own_junctions] == list(scaled(0.9, 1.2))
    references = {
        element.circuit.reference.card
        for element in circuit.elements
        if isinstance(element, Part) and isinstance(element.circuit, SttTrngChannel)
    }
    assert references == {STT}


def test_buffers_keep_the_pulse_whatever_the_number_of_channels():
    few, many = (stt(n, cycles=1, states=(1,) * n).testbench().run().attrs for n in (1, 12))
    assert many["perturb_width"] == pytest.approx(few["perturb_width"], rel=2e-3)
    assert many["perturb_voltage"] == pytest.approx(few["perturb_voltage"], rel=2e-3)


def test_the_step_is_fine_enough():
    """0.1 ns against 20 ps: what the junction gets, probability, energies."""
    runs = [stt(1, cycles=1, states=(1,), max_step=step) for step in (1e-10, 2e-11)]
    coarse, fine = (bench.testbench().run().attrs for bench in runs)
    assert coarse["perturb_voltage"] == pytest.approx(fine["perturb_voltage"], abs=2e-4)
    assert coarse["perturb_width"] == pytest.approx(fine["perturb_width"], rel=1e-3)
    for phase in PHASES:
        assert coarse[f"{phase}_energy"] == pytest.approx(fine[f"{phase}_energy"], rel=0.02, abs=0)
    # 1e-3 of the mean voltage is 0.003 in P
    means = [np.trapezoid(*during_perturb(bench)) / bench.perturb_width for bench in runs]
    assert means[0] == pytest.approx(means[1], rel=1e-3)


def bench_of(kind, tech):
    if kind == "stt":
        return stt(2, technology(tech), states=(1, -1))
    return VcmaTrngCycles(VcmaTrng(technology(tech), card=MERAM, bits=2), cycles=1)


@pytest.mark.parametrize(("kind", "tech"), [("stt", tech) for tech in technologies()] + [("vcma", "gf180mcu")])
def test_decks_run_in_plain_ngspice(kind, tech, tmp_path):
    testbench = bench_of(kind, tech).testbench()
    (tmp_path / "deck.cir").write_text(catalogue.deck(testbench, include=True), encoding="utf-8")
    done = subprocess.run(
        [find_ngspice(), "-n", "-b", "deck.cir"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    printed = {name: float(value) for name, value in re.findall(r"^(\w+)\s*=\s+(\S+)", done.stdout, re.MULTILINE)}
    found = testbench.run().attrs
    for name in testbench.measurements:
        assert math.isclose(printed[name], found[name], rel_tol=3e-3, abs_tol=1e-4 if "volt" in name else 1e-17), name


# --- bits ----------------------------------------------------------------------------------------------------

RAILS = (0.27, 0.32, 0.38)


@pytest.fixture(scope="module")
def counted():
    """Two channels at each of three rails, all in AP at first, and what the macrospin predicts for them."""
    bench = stt(6, cycles=12, states=(-1,) * 6, amplitudes=RAILS * 2)
    return generate(bench, seed=11), predicted_probability(replace(bench, circuit=SttTrng(GF180, card=STT, channels=3),
                                                                   amplitudes=RAILS))  # fmt: skip


def test_reset_resets(counted):
    """72 resets. At 0.8 V for 8 ns one in 3e6 fails (Fokker-Planck): false alarm below 1e-4."""
    bits, _ = counted
    assert bits.reset_states.shape == (12, 6)
    assert bits.reset_errors.count == 0
    failure = switching.write_error_rate(STT, 0.78, 7.9e-9, direction="ap-p", tolerance=1e-8)
    assert float(failure.high.item()) * bits.bits.size < 1e-4


def test_bits_are_the_states(counted):
    bits, _ = counted
    assert np.array_equal(bits.bits, bits.states < 0)
    assert bits.read_errors.count == 0


def test_ones_follow_the_prediction(counted):
    """Exact binomial tests at three rails, each p > 1e-3: false alarm 0.3 %."""
    bits, predicted = counted
    assert np.all(np.diff(predicted) > 0.1)
    for k, probability in enumerate(predicted):
        ones = int(bits.ones[k::3].sum())
        assert binomtest(ones, 24, float(probability)).pvalue > BORDER


def test_energy_by_phase(counted):
    bits, _ = counted
    assert bits.energy.shape == bits.junction_energy.shape == (12, 3)
    assert np.all(bits.energy > bits.junction_energy)
    assert np.all(bits.junction_energy > 0)
    assert sum(bits.energy_per_bit.values()) == pytest.approx(5.3e-12, rel=0.2, abs=0)


def test_a_seed_repeats_the_bits():
    bench = stt(2, cycles=1)
    runs = [generate(bench, seed) for seed in (5, 5, 6)]
    assert np.array_equal(runs[0].magnetization, runs[1].magnetization)
    assert not np.allclose(runs[0].magnetization, runs[2].magnetization)


@pytest.mark.slow
@pytest.mark.parametrize(("tech", "cycles"), [("gf180mcu", 25), ("sky130", 10), ("freepdk45", 10)])
def test_many_bits_follow_the_prediction(tech, cycles):
    """16 channels, 25 or 10 cycles: 400 or 160 bits at one rail, within 3.3 standard errors and 0.02.

    The allowance is for the voltage on a junction, which grows by up to 5 % while it switches; the prediction leaves
    that out.
    """
    bench = stt(16, technology(tech), cycles=cycles)
    bits = generate(bench, seed=21)
    assert bits.reset_errors.count == 0
    wrong = bits.bits != (bits.states < 0)
    assert np.count_nonzero(wrong) <= 3  # junctions at the saddle, 0.4 expected: false alarm 0.1 %
    assert np.all(np.abs(bits.m_z[wrong]) < 0.2)
    predicted = float(predicted_probability(stt(1, technology(tech)))[0])
    assert predicted == pytest.approx(0.5, abs=0.02)
    assert abs(bits.bits.mean() - predicted) < 3.3 * 0.5 / math.sqrt(bits.bits.size) + 0.02
    # neighbours in time and from channel to channel are independent: correlations below 3.3 standard errors
    centred = bits.bits - bits.bits.mean()
    for one, other in ((centred[1:], centred[:-1]), (centred[:, 1:], centred[:, :-1])):
        assert abs((one * other).mean()) / centred.var() < 3.3 / math.sqrt(one.size)


# --- trimming ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def predicted():
    return predicted_amplitude(stt(1))


def test_the_predicted_rail_gives_one_half(predicted):
    assert predicted.slope == pytest.approx(SLOPE, rel=0.05)
    assert stt(1).amplitude == pytest.approx(predicted.amplitude, rel=0.01)
    assert predicted_probability(stt(1, amplitude=predicted.amplitude))[0] == pytest.approx(0.5, abs=0.005)


def test_trimming_brings_different_devices_to_one_half(predicted):
    """Devices 20 % below and 25 % above the nominal V50, 24 bits or more each near the end.

    The standard error of P is 0.1 then: within 0.35 with a false alarm of 0.1 %; the seed is fixed.
    """
    bench = stt(2, cards=scaled(0.8, 1.25), cycles=8, amplitude=predicted.amplitude)
    before = predicted_probability(bench, tolerance=0.01)
    assert before[0] > 0.8
    assert before[1] < 0.2
    found = trim(bench, 3, predicted.slope, tolerance=0.2, rounds=8)
    assert found.done
    after = predicted_probability(replace(bench, amplitudes=found.amplitudes), tolerance=0.01)
    assert np.all(np.abs(after - 0.5) < 0.2)
    data = found.dataset()
    assert data["rail"].dims == ("round", "channel")
    assert bool((data["low"] <= data["probability"]).all())
    assert float(data["rail"][0, 0]) == predicted.amplitude


@pytest.mark.slow
def test_trimming_of_drawn_devices():
    """4 devices, RA (so V50) with a standard deviation of 5 %, 150 bits or more each: all within 0.5 -+ 0.14.

    That is 3.4 standard errors of a channel: false alarm 0.3 %; the untrimmed ones are farther off on the whole.
    """
    cards = variation.draw(STT, 4, np.random.default_rng(2), {"resistance_area_product": 0.05})
    bench = stt(4, cards=tuple(cards), cycles=20)
    before = predicted_probability(bench)
    found = trim(bench, 4, SLOPE, tolerance=0.08, rounds=12)
    assert found.done
    after = predicted_probability(replace(bench, amplitudes=found.amplitudes))
    assert np.all(np.abs(after - 0.5) < 0.14)
    assert np.std(after - 0.5) < 0.6 * np.std(before - 0.5)


# --- feedback ------------------------------------------------------------------------------------------------


def test_feedback_follows_a_drift_of_a_sigmoid():
    """The control law alone: V50 drifts by 0.3 V over 3000 bits, P stays within 0.03 of 1/2 but for the lag."""
    feedback = BiasFeedback(gain=5e-3, low=0.0, high=1.0)
    rng = np.random.default_rng(1)
    rails, bits = np.full(50, 0.3), []
    for v50 in np.linspace(0.3, 0.6, 3000):
        bit = (rng.random(50) < ndtr((rails - v50) * SLOPE * math.sqrt(2 * math.pi))).astype(np.uint8)
        rails = feedback.next(rails, bit[None])
        bits.append(bit)
    assert np.mean(bits[1000:]) == pytest.approx(0.5 - 1e-4 / feedback.gain, abs=0.01)
    assert np.array_equal(feedback.next(np.array([0.0, 1.0]), np.array([[1, 0]], np.uint8)), [0.0, 1.0])


def test_regulated_rails_follow_the_bits():
    feedback = BiasFeedback(gain=0.02, low=0.2, high=0.34)
    found = regulate(stt(2, cycles=1, amplitude=0.32), feedback, 7, 3)
    assert found.bits.shape == (3, 1, 2)
    expected = found.rails[:-1] + 0.02 * (0.5 - found.bits[:-1, 0])
    assert np.allclose(found.rails[1:], np.minimum(expected, 0.34))


@pytest.mark.slow
def test_feedback_follows_a_drift_of_the_devices():
    """V50 grows by 30 % over 60 updates of 2 bits; without feedback P falls below 0.1.

    The rail lags by the drift of an update over gain: 0.07 in P. Its noise is 0.1 a channel.
    """
    bench = stt(4, cycles=2)
    devices = [scaled(*(1 + 0.3 * update / 59,) * 4) for update in range(60)]
    feedback = BiasFeedback(gain=12e-3, low=0.1, high=0.6)
    found = regulate(bench, feedback, 8, 60, devices=devices.__getitem__)
    late = replace(bench, circuit=replace(bench.circuit, cards=devices[-1]))
    assert np.all(predicted_probability(late) < 0.12)
    held = predicted_probability(replace(late, amplitudes=tuple(found.rails[-1].tolist())))
    assert held.mean() == pytest.approx(0.43, abs=0.17)  # 3.3 standard errors of 4 channels
    assert found.bits[20:].mean() == pytest.approx(0.43, abs=0.1)


# --- voltage-controlled anisotropy ---------------------------------------------------------------------------


def test_vcma_cycles():
    """4 bits, 3 cycles from P, AP, P, AP: resets by reading and toggling (P > 0.99 each), no read errors."""
    bench = VcmaTrngCycles(VcmaTrng(GF180, card=MERAM), cycles=3)
    bits = generate(bench, seed=4)
    assert bits.read_errors.count == 0
    assert bits.reset_errors.count <= 1  # of 12, each below 0.01: false alarm 0.7 %
    assert 0 < bits.bits.mean() < 1
    assert all(energy > 0 for energy in bits.energy_per_bit.values())


def test_vcma_probability():
    """The two pulses, under the voltage that the circuit makes: a toggling one, and one that leaves either state."""
    bench = VcmaTrngCycles(VcmaTrng(GF180, card=MERAM, bits=1), cycles=1, states=(1,))
    toggling = replace(bench, perturb_control=bench.reset_control)
    for one, expected in ((bench, 0.5), (toggling, 1.0)):
        volts, time = during_perturb(one)
        outcome = switching_of(time, volts)
        assert outcome == pytest.approx(expected, abs=0.06 if expected == 0.5 else 0.01)


def switching_of(time, volts):
    """The share of 2000 macrospins that end in AP; standard error 0.011 at most."""
    found = macrospin.switching(MERAM, macrospin.Waveform(time, volts), 2000, 3)
    return float(np.mean(found.states < 0))


# --- bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cycles": 0}, "cycles = 0 is out of range"),
        ({"amplitude": 3.4}, "amplitude = 3.4 V is out of range"),
        ({"reset_rail": 4.0}, "reset_rail = 4 V is out of range"),
        ({"amplitudes": (0.3,)}, "1 amplitudes were given for 2 channels"),
        ({"amplitudes": (0.3, 3.5)}, "amplitude of channel 1, 3.5 V, is out of range"),
        ({"amplitudes": (0.3, math.nan)}, "amplitude of channel 1, nan V, is out of range"),
        ({"perturb_width": 20e-9}, "perturb_width 20 ns does not fit into perturb_slot 17 ns"),
        ({"reset_width": 20e-9}, "reset_width 20 ns does not fit into reset_slot 14 ns"),
        ({"cards": scaled(1, 1, 1)}, "3 cards were given for the 2 channels"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(InputError, match=re.escape(message)):
        stt(2, **settings)


def test_bad_calls():
    bench = stt(1)
    calls = (
        (lambda: SttTrng(GF180, card=STT, channels=0), "channels = 0 is out of range"),
        (lambda: SttTrng(GF180, card=MERAM, channel=SttTrngChannel(GF180, card=STT)), "its channel stt_trng_10ns"),
        (lambda: VcmaTrng(GF180, card=MERAM, bits=2, word=VcmaTrng(GF180, card=MERAM).word), "its word 4"),
        (lambda: generate(bench, -1), "seed -1 is out of range"),
        (lambda: trim(bench, 2**32, SLOPE), "is out of range"),
        (lambda: trim(bench, 1, 0.0), "slope 0 /V must be positive"),
        (lambda: trim(bench, 1, SLOPE, tolerance=0.6), "tolerance 0.6 is out of range"),
        (lambda: trim(bench, 1, SLOPE, rounds=0), "number of rounds 0"),
        (lambda: BiasFeedback(0.01, 0.5, 0.4), "limits of the rail"),
        (lambda: BiasFeedback(-1, 0.1, 0.4), "gain -1 V per bit"),
        (lambda: regulate(bench, BiasFeedback(0.01, 0.1, 4.0), 1, 2), "is above the supply"),
        (lambda: regulate(bench, BiasFeedback(0.01, 0.1, 0.6), 1, 0), "number of updates 0"),
    )
    for call, message in calls:
        with pytest.raises(InputError, match=re.escape(message)):
            call()
