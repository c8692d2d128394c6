"""The behavioral subcircuit in the real ngspice, against the compiled equation with the same noise.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import re
import shutil
import subprocess
from math import sqrt

import numpy as np
import pytest

from mtjspice import resources
from mtjspice.circuits.technology import technology
from mtjspice.device import derived, llg
from mtjspice.device.card import load_card
from mtjspice.device.macrospin import Waveform, pulse
from mtjspice.device.noise import drive_deviation, field_node
from mtjspice.device.temperature import at_temperature
from mtjspice.errors import InputError
from mtjspice.spice import behavioral
from mtjspice.spice.batch import run_batch
from mtjspice.spice.engines import find_ngspice

MERAM = load_card("meram100")
STT = load_card("stt_trng_10ns")
VCMA_PULSE = pulse(1.2, 1e-9, 5e-11, 2e-10)
STT_PULSE = pulse(0.5, 1e-9, 5e-11, 1e-10)
START = (0.2, 0.1, sqrt(0.95))
SEED = 7
MAGNETIZATION = ("v(xa.mx)", "v(xa.my)", "v(xa.mz)")


def source(waveform):
    pairs = zip(waveform.times.tolist(), waveform.volts.tolist(), strict=True)
    return f"Vin in 0 pwl({' '.join(f'{t!r} {v!r}' for t, v in pairs)})"


def simulate(card, waveform, stop, *, pieces=2, step=1e-12, files=None, start=START, **junction):
    """Times, magnetization (n, 3) and the current through one junction driven by a source."""
    subcircuit = behavioral.mtj_subcircuit(
        card, **({"seed": SEED, "stop": stop, "initial": start, "noise_step": step} | junction)
    )
    lines = [
        "test",
        subcircuit,
        source(waveform),
        "Xa in 0 mtj_cell",
        behavioral.transient(stop, step, pieces),
    ]
    result = run_batch("\n".join(lines), stop=stop, vectors=(*MAGNETIZATION, "i(vin)"), files=files)
    m = np.column_stack([result.real(name) for name in MAGNETIZATION])
    return result.real("time"), m, -result.real("i(vin)")


def expected(card, waveform, times, *, noise, step=1e-12, temperature=300.0, substeps=16, seed=SEED):
    """The compiled equation at ``times``, with enough substeps to count as exact here."""
    row = llg.parameters(card, temperature, step, substeps=substeps)
    if not noise:
        row[llg.NOISE] = row[llg.DRIVE_SPREAD] = 0.0
    grid = np.unique(np.round(np.concatenate((times, waveform.times[waveform.times < times[-1]])), 16))
    volts = np.interp(grid, waveform.times, waveform.volts)
    m = np.zeros(llg.STATE)
    m[:3], m[llg.DRIVE] = START, volts[0]
    states = {grid[0]: m[:3].copy()}
    for k in range(len(grid) - 1):
        llg.advance(row, seed, 0, m, grid[k], grid[k + 1], volts[k], volts[k + 1])
        states[grid[k + 1]] = m[:3].copy()
    return np.array([states[t] for t in np.round(times, 16)])


def grid(stop):
    return np.arange(round(stop / 1e-11) + 1) * 1e-11


def on_grid(times, m, stop):
    return np.column_stack([np.interp(grid(stop), times, column) for column in m.T])


def difference(card, waveform, stop, *, noise, step=1e-12, pieces=2, temperature=300.0, files=None):
    times, m, _ = simulate(
        card, waveform, stop, noise=noise, step=step, pieces=pieces, temperature=temperature, files=files
    )
    assert np.abs(np.linalg.norm(m, axis=1) - 1).max() < 2e-5
    exact = expected(card, waveform, grid(stop), noise=noise != "none", step=step, temperature=temperature)
    assert np.ptp(exact[:, 2]) > 0.02  # something happened
    return np.abs(on_grid(times, m, stop) - exact).max()


# --- the equation -----------------------------------------------------------------------------------------------------


HEATED = {
    "thermal_resistance": 2e6, "thermal_capacitance": 2e-16, "curie_temperature": 1100.0,
    "polarization_coefficient": 2e-5,
}  # fmt: skip
VARIANTS = {
    "vcma": (MERAM, VCMA_PULSE),
    "quadratic vcma": (MERAM.replace(vcma_quadratic=2e-24), VCMA_PULSE),
    "lag": (MERAM.replace(vcma_lag=2e-10), VCMA_PULSE),
    "ellipse and fields": (
        MERAM.replace(diameter_y=60e-9, bias_field_y=0.01, perpendicular_field=0.01), VCMA_PULSE
    ),
    "field-like torque and exchange": (
        MERAM.replace(
            field_like_torque=0.5, field_like_quadratic=0.005, interlayer_exchange=1e-6, interlayer_exchange_slope=5e-6
        ), VCMA_PULSE,
    ),
    "stt by voltage": (STT, STT_PULSE),
    "stt const": (STT.replace(torque_model="const", field_like_torque=0.3), STT_PULSE),
    "stt slonczewski": (STT.replace(torque_model="slonczewski", slonczewski_lambda=1.5), STT_PULSE),
    "heated vcma": (MERAM.replace(interlayer_exchange=1e-6, **HEATED), VCMA_PULSE),
    "heated stt by voltage": (STT.replace(**HEATED), STT_PULSE),
    "heated stt const": (STT.replace(torque_model="const", field_like_torque=0.2, **HEATED), STT_PULSE),
    "brinkman": (
        STT.replace(torque_model="const", barrier_height=1.6e-19, barrier_asymmetry=0.8e-19), STT_PULSE
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_each_effect_without_noise(name):
    card, waveform = VARIANTS[name]
    assert difference(card, waveform, 1.5e-9, noise="none", pieces=1) < 1.5e-4


@pytest.mark.parametrize(
    "name", [name for name in VARIANTS if name not in ("vcma", "stt by voltage", "stt const", "stt slonczewski")]
)
def test_each_effect_is_seen(name):
    # an effect that no test above could see would be no test
    card, waveform = VARIANTS[name]
    plain = MERAM if waveform is VCMA_PULSE else STT.replace(torque_model=card.torque_model)
    exact = expected(card, waveform, grid(1.5e-9), noise=False)
    assert np.abs(exact - expected(plain, waveform, grid(1.5e-9), noise=False)).max() > 1.5e-3


def test_error_falls_with_the_square_of_the_step_without_noise():
    errors = [
        difference(MERAM, VCMA_PULSE, 1.5e-9, noise="none", step=step, pieces=1) for step in (4e-12, 2e-12, 1e-12)
    ]
    assert 3.5 < errors[0] / errors[1] < 4.5
    assert 3.5 < errors[1] / errors[2] < 4.5


@pytest.mark.parametrize(("card", "waveform"), [(MERAM, VCMA_PULSE), (STT, STT_PULSE)], ids=["vcma", "stt"])
def test_replayed_noise_gives_the_trajectory_of_the_compiled_equation(card, waveform):
    errors = [difference(card, waveform, 1.5e-9, noise="replay", pieces=pieces) for pieces in (2, 8)]
    assert errors[0] < 5e-4
    assert errors[1] < 2e-5
    # another noise ends somewhere else
    exact = [expected(card, waveform, grid(1.5e-9), noise=True, seed=seed) for seed in (SEED, SEED + 1)]
    assert np.abs(exact[0] - exact[1]).max() > 0.05


def test_noise_from_a_file_and_at_another_temperature():
    stop = 1e-9
    files = {behavioral.noise_name(0): behavioral.noise_file(SEED, 0, stop)}
    card = MERAM.replace(curie_temperature=1100.0)
    error = difference(card, VCMA_PULSE, stop, noise="file", pieces=8, temperature=350.0, files=files)
    assert error < 2e-5


def test_heated_device_with_noise():
    card, waveform = VARIANTS["heated stt const"]
    assert difference(card, waveform, 1e-9, noise="replay", pieces=8) < 2e-5


def test_devices_have_noise_of_their_own():
    stop = 3e-10
    subcircuits = behavioral.mtj_subcircuit(MERAM, noise="replay", seed=SEED, devices=(0, 5), stop=stop, initial=START)
    lines = ["test", subcircuits, "Xa 0 0 mtj_cell_0", "Xb 0 0 mtj_cell_5", behavioral.transient(stop, pieces=8)]
    result = run_batch("\n".join(lines), stop=stop, vectors=("v(xa.mz)", "v(xb.mz)"))
    row = llg.parameters(MERAM, substeps=16)
    for device, name in ((0, "v(xa.mz)"), (5, "v(xb.mz)")):
        m = np.array(START)
        llg.advance(row, SEED, device, m, 0.0, stop, 0.0, 0.0)
        assert result.real(name)[-1] == pytest.approx(m[2], abs=1e-5)
    assert abs(result.real("v(xa.mz)")[-1] - result.real("v(xb.mz)")[-1]) > 1e-3


# --- around the junction ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [1, -1])
@pytest.mark.parametrize("volts", [-0.4, 0.05, 0.8])
def test_conductance(volts, state):
    card = STT.replace(barrier_height=1.6e-19, barrier_asymmetry=0.8e-19)
    deck = ["test", behavioral.mtj_subcircuit(card, noise="none"), f"Vin in 0 {volts}"]
    deck += [f"Xa in 0 mtj_cell state={state}", ".op"]
    result = run_batch("\n".join(deck), stop=None, vectors=("v(xa.mz)", "i(vin)"))
    m_z = result.real("v(xa.mz)")[0]
    assert m_z == pytest.approx(state, abs=1e-12)  # no bias field
    assert -result.real("i(vin)")[0] == pytest.approx(derived.conductance(card, m_z, volts) * volts, rel=1e-6)


def test_conductance_of_a_hot_surrounding():
    card = STT.replace(**HEATED)
    deck = ["test", behavioral.mtj_subcircuit(card, noise="none", temperature=380.0), "Vin in 0 0.3"]
    deck += ["Xa in 0 mtj_cell state=-1", ".op"]
    result = run_batch("\n".join(deck), stop=None, vectors=("i(vin)",))
    here = at_temperature(card, 380.0)
    assert derived.conductance(here, -1.0, 0.3) > 1.02 * derived.conductance(card, -1.0, 0.3)
    assert -result.real("i(vin)")[0] == pytest.approx(derived.conductance(here, -1.0, 0.3) * 0.3, rel=1e-6)


def test_a_swept_voltage_leaves_the_state_alone():
    deck = ["test", behavioral.mtj_subcircuit(MERAM, noise="none", initial=(0.6, 0.0, -0.8)), "Vin in 0 0"]
    deck += ["Xa in 0 mtj_cell", ".dc Vin -1 1 0.25"]
    result = run_batch("\n".join(deck), stop=None, vectors=("v(xa.mx)", "v(xa.mz)", "i(vin)"))
    assert len(result.real("i(vin)")) == 9
    assert result.real("v(xa.mx)") == pytest.approx(0.6, abs=1e-9)
    assert result.real("v(xa.mz)") == pytest.approx(-0.8, abs=1e-9)


def test_junction_capacitance():
    deck = ["test", behavioral.mtj_subcircuit(MERAM, noise="none"), "Vin in 0 dc 0 ac 1", "Xa in 0 mtj_cell"]
    result = run_batch("\n".join([*deck, ".ac lin 1 1g 1g"]), stop=None, vectors=("i(vin)",))
    current = -result.vectors["i(vin)"][0]
    x, y, m_z = behavioral._at_rest(behavioral.subcircuit_parameters(MERAM))
    assert (x, y) == (pytest.approx(derived.derive(MERAM).reduced_field), 0.0)
    assert current.real == pytest.approx(derived.conductance(MERAM, m_z, 0.0), rel=1e-6)
    assert current.imag == pytest.approx(2 * np.pi * 1e9 * derived.derive(MERAM).capacitance, rel=1e-6)


def test_operating_point_and_pulse_with_a_resistor():
    resistance = 2e4
    deck = ["test", behavioral.mtj_subcircuit(MERAM, noise="none", initial=START)]
    deck += ["Vin in 0 0.5", f"Rs in out {resistance}", "Xa out 0 mtj_cell", behavioral.transient(1e-9)]
    result = run_batch("\n".join(deck), stop=1e-9, vectors=("v(out)", "v(xa.mz)"))
    out, m_z = result.real("v(out)"), result.real("v(xa.mz)")
    assert m_z[0] == pytest.approx(START[2], abs=1e-9)
    assert np.ptp(m_z) > 0.01
    # the charge of the barrier (R C of 9 ps) follows the state, which moves over 0.3 ns
    currents = [derived.conductance(MERAM, z, v) * v for z, v in zip(m_z, out, strict=True)]
    assert (0.5 - out[0]) / resistance == pytest.approx(currents[0], rel=1e-5)
    assert (0.5 - out) / resistance == pytest.approx(np.array(currents), rel=1e-2)


def test_operating_point_with_a_transistor():
    tech = technology("gf180mcu")
    size = "w=2u l=0.28u ad=0.88p as=0.88p pd=4.88u ps=4.88u nrd=0.22 nrs=0.22 m=1"
    deck = ["test", tech.model_text("typical"), behavioral.mtj_subcircuit(MERAM, noise="none", initial=START)]
    deck += ["Vdd vdd 0 1.2", "Vg gate 0 pulse(0 3.3 100p 50p 50p 800p 1)", "Xa vdd drain mtj_cell"]
    deck += [f"X1 drain gate 0 0 nfet_03v3 {size}", behavioral.transient(1.2e-9)]
    result = run_batch("\n".join(deck), stop=1.2e-9, vectors=("v(drain)", "i(vdd)", "v(xa.mz)"))
    times, drain, m_z = (result.real(name) for name in ("time", "v(drain)", "v(xa.mz)"))
    assert m_z[0] == pytest.approx(START[2], abs=1e-9)
    assert drain[0] > 1.19  # the transistor is off
    during = np.searchsorted(times, 8e-10)
    assert drain[during] < 0.1
    across = 1.2 - drain[during]
    assert -result.real("i(vdd)")[during] == pytest.approx(
        derived.conductance(MERAM, m_z[during], across) * across, rel=2e-2
    )
    assert m_z[-1] < 0  # switched by the VCMA


# --- seeded noise -----------------------------------------------------------------------------------------------------


def test_seeded_runs_repeat():
    flat = Waveform(np.array([0.0, 1e-9]), np.zeros(2))
    runs = [simulate(MERAM, flat, 3e-10, noise="seeded", seed=seed)[1][-1] for seed in (3, 3, 4)]
    assert np.array_equal(runs[0], runs[1])
    assert np.abs(runs[0] - runs[2]).max() > 1e-3


def equilibrium(count, stop, seed):
    """Means of 1 - m_z^2 and m_x over time, one of each junction, after 1 ns; the card and the step relax fast."""
    card = MERAM.replace(damping=0.5, cycle_to_cycle_spread=0.0)
    subcircuit = behavioral.mtj_subcircuit(card, noise="seeded", noise_step=4e-12, seed=seed)
    names = [f"v(x{k}.m{axis})" for k in range(count) for axis in "xz"]
    deck = ["test", subcircuit, *(f"X{k} 0 0 mtj_cell" for k in range(count))]
    deck += [behavioral.transient(stop, 4e-12, 1)]
    result = run_batch("\n".join(deck), stop=stop, vectors=names)
    times = np.arange(1e-9, stop, 4e-12)
    m = np.array([np.interp(times, result.real("time"), result.real(name)) for name in names])
    return card, np.mean(1 - m[1::2] ** 2, axis=1), np.mean(m[0::2], axis=1)


def boltzmann(card):
    """Means of 1 - m_z^2 and m_x in the P well, by quadrature."""
    row = llg.parameters(card)
    theta = (np.arange(4000)[:, None] + 0.5) * (np.pi / 2 / 4000)
    phi = (np.arange(180) + 0.5) * (np.pi / 180)
    x, z = np.sin(theta) * np.cos(phi), np.cos(theta) + 0 * phi
    exponent = row[llg.MOMENT] * (0.5 * row[llg.FIELD_K] * z * z + row[llg.FIELD_X] * x)
    weight = np.exp(exponent - exponent.max()) * np.sin(theta)
    return np.sum(weight * (1 - z * z)) / weight.sum(), np.sum(weight * x) / weight.sum()


def check_equilibrium(count, stop, seed, largest_error):
    card, transverse, along = equilibrium(count, stop, seed)
    for means, exact in zip((transverse, along), boltzmann(card), strict=True):
        error = np.std(means, ddof=1) / sqrt(count)
        assert error < largest_error * exact
        assert abs(np.mean(means) - exact) < 5 * error  # Student's t: see the callers


def test_thermal_equilibrium_in_a_well():
    check_equilibrium(8, 12e-9, 11, 0.06)  # fails by chance once in 300 (two values, 7 degrees of freedom)


@pytest.mark.slow
def test_thermal_equilibrium_in_a_well_closely():
    check_equilibrium(16, 40e-9, 12, 0.025)  # fails by chance once in 3000 (two values, 15 degrees of freedom)


# --- text and bad input -----------------------------------------------------------------------------------------------


def test_cycle_to_cycle_spread_is_drawn_for_each_device():
    def scale(**options):
        text = behavioral.mtj_subcircuit(MERAM, seed=SEED, stop=1e-11, **options)
        cell = text[text.index(".subckt mtj_cell") :]
        return float(re.search(r"drive_scale=(\S+)", cell)[1])

    for device in (0, 3):
        drawn = 1 + MERAM.cycle_to_cycle_spread * drive_deviation(SEED, device, 0)
        assert scale(noise="replay", devices=(device,)) == pytest.approx(drawn, rel=1e-11)
    assert scale(noise="none") == 1.0


def test_sources_hold_the_nodes_of_the_noise():
    text = behavioral.replay_sources(SEED, 2, 1e-11).replace("\n+", "")
    y = np.array(re.search(r"Vny ny 0 dc 0 pwl\((.*?)\)", text)[1].split(), float).reshape(-1, 2)
    assert np.allclose(y[:, 0], np.arange(12) * 1e-12, rtol=1e-11, atol=0)
    assert np.allclose(y[:, 1], [field_node(SEED, 2, k)[1] for k in range(12)], rtol=1e-11, atol=0)
    table = np.array([line.split() for line in behavioral.noise_file(SEED, 2, 1e-11).splitlines()], float)
    assert np.array_equal(table[:, [0, 2]], y)


def test_example_of_the_readme(tmp_path):
    folder = resources.data("models") / "ngspice"
    shutil.copy(str(folder / "mtj_behavioral.lib"), tmp_path)
    text = (folder / "README.md").read_text(encoding="utf-8")
    (tmp_path / "deck.cir").write_text(re.search(r"```spice\n(.*?)```", text, re.S)[1], encoding="utf-8")
    command = [str(find_ngspice()), "-n", "-b", "deck.cir"]
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False).stdout
    values = {name: float(value) for name, value in re.findall(r"^(\w+)\s+=\s+(\S+)", printed, re.M)}
    assert values["shortest"] == pytest.approx(1, abs=2e-5)
    assert values["longest"] == pytest.approx(1, abs=2e-5)
    assert abs(values["mz_end"]) < 1
    for parameter, value in re.findall(r"(\w+)=([\d.e+-]+)", text[text.index("X1 in") : text.index("+ mx0")]):
        assert behavioral.subcircuit_parameters(MERAM)[parameter] == pytest.approx(float(value), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": "white"}, "unknown noise 'white'; available: file, none, replay, seeded"),
        ({"noise": "replay"}, "needs its stop time"),
        ({"noise": "replay", "stop": 1e-6}, "at most 10000 steps"),
        ({"noise": "replay", "stop": -1e-9}, "must be positive"),
        ({"noise": "seeded", "seed": 0}, "seed of ngspice 0 is out of range; allowed: 1 to 2147483647"),
        ({"noise": "replay", "stop": 1e-9, "seed": 2**32}, "seed 4294967296 is out of range"),
        ({"noise": "none", "devices": ()}, "device number"),
        ({"noise": "none", "devices": (1, 1)}, "different"),
        ({"noise": "none", "devices": (-1,)}, "device -1 is out of range"),
        ({"noise": "none", "initial": (0.0, 0.0, 2.0)}, "must have length 1"),
        ({"noise": "none", "initial": (0.0, 1.0)}, "three numbers"),
        ({"noise": "none", "noise_step": 1e-10}, "does not resolve the precession"),
        ({"noise": "none", "temperature": 5000.0}, "temperature 5000 K is out of range"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        behavioral.mtj_subcircuit(MERAM, **options)


def test_spin_orbit_lines_are_refused():
    card = MERAM.replace(spin_hall_angle=0.3, spin_orbit_line_width=1e-7, spin_orbit_line_thickness=5e-9)
    with pytest.raises(InputError, match="no spin-orbit line"):
        behavioral.subcircuit_parameters(card)


def test_bad_transient():
    with pytest.raises(InputError, match="must be positive"):
        behavioral.transient(1e-9, 1e-12, 0)
