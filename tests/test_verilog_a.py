"""The Verilog-A junction in ngspice and VACASK against the macrospin: same seed, same drive, same trajectory."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from helpers import compiled_model, osdi_ngspice
from numpy.typing import NDArray

from mtjspice.device import derived, llg
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.noise import drive_deviation, field_node
from mtjspice.device.temperature import at_temperature
from mtjspice.errors import InputError
from mtjspice.spice import verilog_a
from mtjspice.spice.batch import BatchResult, run_batch
from mtjspice.spice.compile import compile_model, model_source
from mtjspice.spice.vacask import run_vacask

START = (0.1, 0.05, 0.99)
SEED, DEVICE = 2**31 + 7, 3
TIMES = (0.0, 0.1e-9, 0.15e-9, 0.6e-9, 0.65e-9, 0.8e-9)
MERAM = load_card("meram100")
STT = load_card("stt_trng_10ns")


@dataclass(frozen=True)
class Case:
    card: MTJCard
    amplitude: float
    temperature: float = 300.0
    line: tuple[float, ...] | None = None

    @property
    def volts(self) -> tuple[float, ...]:
        return (0.0, 0.0, self.amplitude, self.amplitude, 0.0, 0.0)


WARM = {"curie_temperature": 1100.0, "polarization_coefficient": 2e-5}
HEATED = WARM | {"thermal_resistance": 3e6, "thermal_capacitance": 1e-16}
CASES = {
    "meram100": Case(MERAM, 1.8),
    "stt_trng_10ns": Case(STT, -0.4),
    "stt_trng_long": Case(load_card("stt_trng_long"), -0.3),
    "imec_iedm24": Case(load_card("imec_iedm24"), 1.0),
    "temperature": Case(MERAM.replace(**WARM), 1.8, 358.0),
    "slonczewski": Case(
        STT.replace(torque_model="slonczewski", slonczewski_lambda=1.5, field_like_torque=0.3), -0.4
    ),
    "const": Case(STT.replace(torque_model="const", field_like_torque=0.3), -0.4),
    "field_like": Case(STT.replace(field_like_torque=3.0, field_like_quadratic=0.3), -0.4),
    "brinkman": Case(STT.replace(barrier_height=1.6e-19, barrier_asymmetry=1e-20, torque_model="const"), -0.4),
    "heating": Case(STT.replace(**HEATED, torque_model="slonczewski", slonczewski_lambda=1.3), -0.4),
    "heating_voltage": Case(STT.replace(**HEATED, field_like_torque=0.2), -0.4, 358.0),
    "lag": Case(MERAM.replace(vcma_lag=100e-12, vcma_quadratic=1e-24), 1.8),
    "spin_orbit": Case(
        MERAM.replace(
            spin_hall_angle=0.3, spin_orbit_line_width=1e-7, spin_orbit_line_thickness=5e-9, spin_orbit_field_like=0.5
        ),
        1.0,
        line=(0.0, 0.0, 2e-4, 2e-4, -1e-4, 0.0),
    ),
    "exchange": Case(
        MERAM.replace(
            interlayer_exchange=1e-5, interlayer_exchange_slope=2e-5, bias_field_y=0.01, perpendicular_field=0.01
        ),
        1.0,
    ),
    "ellipse": Case(MERAM.replace(diameter_y=60e-9), 1.0),
    "spread": Case(MERAM.replace(cycle_to_cycle_spread=0.1), 1.8),
}  # fmt: skip


def corners(times: tuple[float, ...], values: tuple[float, ...], separator: str = " ") -> str:
    return separator.join(f"{t!r}{separator}{v!r}" for t, v in zip(times, values, strict=True))


def in_ngspice(case: Case, substeps: int = 1, noise: bool = True) -> BatchResult:
    nodes: tuple[str, ...] = ("p", "0", "mx", "my", "mz", "rise")
    line = ""
    if case.line is not None:
        nodes = (*nodes, "in", "0")
        line = f"iline 0 in pwl({corners(TIMES, case.line)})"
    deck = f"""one junction
{verilog_a.model_line(case.card, case.temperature, substeps=substeps)}
{verilog_a.instance_line("1", nodes, SEED, DEVICE, START, noise=noise)}
v1 p 0 pwl({corners(TIMES, case.volts)})
{line}
.tran 1p {TIMES[-1]!r}
"""
    vectors = ["v(mx)", "v(my)", "v(mz)", "v(rise)", "v(p)", "i(v1)"]
    return run_batch(
        deck, stop=TIMES[-1], vectors=vectors, osdi=[compiled_model()], ngspice=osdi_ngspice(), time_limit=60
    )


def in_vacask(case: Case, substeps: int = 1, noise: bool = True) -> BatchResult:
    nodes: tuple[str, ...] = ("p", "0", "mx", "my", "mz", "rise")
    line = ""
    if case.line is not None:
        nodes = (*nodes, "in", "0")
        line = f'model isrc isource\niline (0 in) isrc type="pwl" wave=[{corners(TIMES, case.line, ",")}]'
    netlist = f"""one junction
{verilog_a.vacask_model_line(case.card, case.temperature, substeps=substeps)}
model vsrc vsource
{verilog_a.vacask_instance_line("1", nodes, SEED, DEVICE, START, noise=noise)}
v1 (p 0) vsrc type="pwl" wave=[{corners(TIMES, case.volts, ",")}]
{line}
control
  save default
  analysis tran1 tran step=1p stop={TIMES[-1]!r} maxstep=1p
endc
"""
    vectors = ["v(mx)", "v(my)", "v(mz)", "v(rise)", "v(p)", "i(v1)"]
    return run_vacask(netlist, stop=TIMES[-1], vectors=vectors, osdi=[compiled_model()], time_limit=60)


ENGINES = {"ngspice": in_ngspice, "vacask": in_vacask}


def macrospin_states(case: Case, substeps: int, noise: bool = True) -> NDArray[np.float64]:
    """States (nodes, 5) of llg.advance at the noise nodes."""
    row = llg.parameters(case.card, case.temperature, substeps=substeps)
    row[llg.NOISE] *= noise
    line = case.line or (0.0,) * len(TIMES)
    if case.line is not None:
        row[llg.FULL] = 1.0
    nodes = np.arange(round(TIMES[-1] / 1e-12) + 1) * 1e-12
    volts, currents = np.interp(nodes, TIMES, case.volts), np.interp(nodes, TIMES, line)
    states = np.zeros((len(nodes), llg.STATE))
    states[0, :3] = np.array(START) / np.linalg.norm(START)
    for k in range(len(nodes) - 1):
        state = states[k].copy()
        llg.advance(
            row, SEED, DEVICE, state, nodes[k], nodes[k + 1], volts[k], volts[k + 1], currents[k], currents[k + 1]
        )
        states[k + 1] = state
    return states


@cache
def exact(name: str, noise: bool) -> NDArray[np.float64]:
    """The macrospin with steps so short that its own error is a thousandth of that with one step a node."""
    return macrospin_states(CASES[name], 32, noise)


def largest_error(result: BatchResult, states: NDArray[np.float64], names: tuple[str, ...]) -> float:
    times = result.real("time")
    nodes = np.arange(len(states)) * 1e-12
    # every node is a time point: nothing is interpolated but the last digits of the time
    nearest = np.clip(np.searchsorted(times, nodes - 1e-17), 0, len(times) - 1)
    assert np.max(np.abs(times[nearest] - nodes)) < 1e-16
    return max(float(np.max(np.abs(result.real(f"v({n})")[nearest] - states[:, k]))) for k, n in enumerate(names))


M = ("mx", "my", "mz")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("noise", [False, True], ids=["quiet", "noisy"])
def test_trajectory(engine: str, name: str, noise: bool) -> None:
    """Within the macrospin's own error of integration, for every term of the equation."""
    error = largest_error(ENGINES[engine](CASES[name], 1, noise), exact(name, noise), M)
    # stt_trng_long has a field of 1.5 T: 0.26 rad of precession in a step of 1 ps
    assert error < (5e-3 if name == "stt_trng_long" else 2e-3)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["meram100", "stt_trng_10ns", "heating"])
def test_second_order_in_the_step(engine: str, name: str) -> None:
    errors = [largest_error(ENGINES[engine](CASES[name], pieces), exact(name, True), M) for pieces in (1, 2, 4)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 1.4), errors
    assert np.log2(errors[0] / errors[2]) / 2 > 1.7
    assert errors[2] < 1e-4


@pytest.mark.parametrize("name", list(CASES)[4:])
def test_effects_matter(name: str) -> None:
    """Each extension moves the trajectory by far more than the tolerance of `test_trajectory`."""
    case = CASES[name]
    plain = STT if case.amplitude == -0.4 else MERAM
    without = macrospin_states(Case(plain, case.amplitude), 1, noise=False)
    assert np.max(np.abs(without - exact(name, False))[:, :3]) > 0.01


def test_other_seeds_and_devices_give_other_noise() -> None:
    deck = f"""four junctions
{verilog_a.model_line(MERAM)}
{verilog_a.instance_line("1", ("0", "0", "x1", "y1", "z1"), 5, 0, START)}
{verilog_a.instance_line("2", ("0", "0", "x2", "y2", "z2"), 5, 0, START)}
{verilog_a.instance_line("3", ("0", "0", "x3", "y3", "z3"), 5, 1, START)}
{verilog_a.instance_line("4", ("0", "0", "x4", "y4", "z4"), 6, 0, START)}
.tran 1p 0.2n
"""
    result = run_batch(
        deck, stop=2e-10, vectors=[f"v(x{k})" for k in (1, 2, 3, 4)], osdi=[compiled_model()], ngspice=osdi_ngspice()
    )
    first, same, device, seed = (result.real(f"v(x{k})") for k in (1, 2, 3, 4))
    np.testing.assert_array_equal(first, same)
    assert np.max(np.abs(first - device)) > 0.01
    assert np.max(np.abs(first - seed)) > 0.01


def test_temperature_rise() -> None:
    for name in ("heating", "heating_voltage"):
        result = in_ngspice(CASES[name])
        states = exact(name, True)
        assert np.max(states[:, llg.RISE]) > 50
        assert largest_error(result, states[:, [llg.RISE]], ("rise",)) < 0.02


def test_length_stays_one() -> None:
    for run in ENGINES.values():
        result = run(CASES["meram100"])
        length = np.sqrt(sum(result.real(f"v({name})") ** 2 for name in M))
        assert np.max(np.abs(length - 1)) < 1e-3


# --- conduction ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["meram100", "brinkman", "temperature"])
def test_current_is_conductance_and_capacitance(name: str) -> None:
    case = CASES[name]
    result = in_ngspice(case)
    card = at_temperature(case.card, case.temperature)
    times, volts = result.real("time"), result.real("v(p)")
    m_z = result.real("v(mz)") / np.sqrt(sum(result.real(f"v({name})") ** 2 for name in M))
    current = -result.real("i(v1)")
    expected = np.array(
        [derived.conductance(card, z, v) * v for z, v in zip(m_z.tolist(), volts.tolist(), strict=True)]
    )
    flat = ((times > 0.2e-9) & (times < 0.59e-9)) | (times > 0.67e-9)
    assert np.count_nonzero(flat) > 400
    np.testing.assert_allclose(current[flat], expected[flat], atol=1e-4 * np.max(np.abs(expected)))
    rising = (times > 0.11e-9) & (times < 0.14e-9)
    capacitance = derived.derive(card).capacitance
    displacement = (current - expected)[rising]
    # ngspice solves for the current to a part in 1e3 (reltol)
    tolerance = 5e-4 * np.max(np.abs(expected))
    np.testing.assert_allclose(displacement, capacitance * case.amplitude / 50e-12, rtol=1e-3, atol=tolerance)


def test_operating_point_below_a_transistor() -> None:
    deck = f"""junction at the source of a transistor
{verilog_a.model_line(MERAM)}
.model pass nmos(level=1 vto=0.4 kp=100u)
vdd vdd 0 1.5
vg gate 0 pwl(0 1.5 10p 1.5 20p 0)
m1 vdd gate top 0 pass w=2u l=0.2u
{verilog_a.instance_line("1", ("top", "0", "mx", "my", "mz"), 1, 0, (0, 0, -1))}
.tran 1p 10p
"""
    vectors = ["v(top)", "v(mz)", "i(vdd)"]
    result = run_batch(deck, stop=1e-11, vectors=vectors, osdi=[compiled_model()], ngspice=osdi_ngspice())
    volt, current = result.real("v(top)"), -result.real("i(vdd)")
    assert result.real("v(mz)")[0] == pytest.approx(-1, abs=1e-9)
    assert 0.2 < volt[0] < 1.1
    assert current[0] == pytest.approx(volt[0] * derived.conductance(MERAM, -1.0, volt[0]), rel=1e-5)
    # nothing jumps when the transient begins
    assert np.max(np.abs(volt - volt[0])) < 1e-3 * volt[0]


def test_junction_in_a_circuit_follows_its_own_voltage() -> None:
    """Steps chosen by the circuit around, not by the noise, leave the trajectory that of the voltage that arose."""
    deck = f"""junction behind a transistor and a line
{verilog_a.model_line(MERAM)}
.model pass nmos(level=1 vto=0.4 kp=200u)
vg gate 0 pwl(0 0 0.1n 0 0.1203n 3 0.5n 3 0.5207n 0)
vdd vdd 0 1.8
m1 vdd gate line 0 pass w=4u l=0.2u
cline line 0 5f
rline line top 500
rleak line 0 20k
{verilog_a.instance_line("1", ("top", "0", "mx", "my", "mz"), SEED, DEVICE, START)}
.tran 1p 0.8n
"""
    result = run_batch(
        deck,
        stop=0.8e-9,
        vectors=["v(top)", "v(mx)", "v(my)", "v(mz)"],
        osdi=[compiled_model()],
        ngspice=osdi_ngspice(),
    )
    times, volts = result.real("time"), result.real("v(top)")
    assert np.max(volts) > 1
    row = llg.parameters(MERAM, substeps=8)
    state = np.array(START) / np.linalg.norm(START)
    errors = []
    for k in range(len(times) - 1):
        llg.advance(row, SEED, DEVICE, state, times[k], times[k + 1], volts[k], volts[k + 1])
        found = np.array([result.real(f"v({name})")[k + 1] for name in M])
        errors.append(np.max(np.abs(found - state)))
    assert len(times) > 810
    assert max(errors) < 1e-3


def test_small_signals_see_conductance_and_capacitance() -> None:
    deck = f"""small signals
{verilog_a.model_line(MERAM)}
v1 p 0 dc 0 ac 1
{verilog_a.instance_line("1", ("p", "0"), 1, 0, (0, 0, -1))}
.ac dec 1 1meg 10g
"""
    result = run_batch(deck, stop=None, vectors=["i(v1)"], osdi=[compiled_model()], ngspice=osdi_ngspice())
    frequency = np.real(result.vectors["frequency"])
    capacitance = derived.derive(MERAM).capacitance
    expected = derived.conductance(MERAM, -1.0, 0.0) + 2j * np.pi * frequency * capacitance
    np.testing.assert_allclose(-result.vectors["i(v1)"], expected, rtol=1e-6)


def test_the_cell_takes_the_place_of_the_cosimulated_one() -> None:
    deck = f"""two cells
{verilog_a.mtj_subcircuit(MERAM)}
vdd a 0 0.2
xone a 0 mtj_cell state=1 seed=4
xtwo a 0 mtj_cell state=-1 seed=4 device=1 noise=0
.tran 1p 0.2n
"""
    vectors = ["v(xone.mz)", "v(xtwo.mz)", "v(xtwo.mx)"]
    result = run_batch(deck, stop=2e-10, vectors=vectors, osdi=[compiled_model()], ngspice=osdi_ngspice())
    assert result.real("v(xone.mz)")[0] == pytest.approx(1)
    assert result.real("v(xtwo.mz)")[0] == pytest.approx(-1)
    row = llg.parameters(MERAM)
    row[llg.NOISE] = 0.0
    state = np.array([0.0, 0.0, -1.0])
    llg.advance(row, 4, 1, state, 0.0, 2e-10, 0.2, 0.2)
    assert result.real("v(xtwo.mx)")[-1] == pytest.approx(state[0], abs=1e-4)
    state = np.array([0.0, 0.0, 1.0])
    llg.advance(llg.parameters(MERAM), 4, 0, state, 0.0, 2e-10, 0.2, 0.2)
    assert result.real("v(xone.mz)")[-1] == pytest.approx(state[2], abs=1e-3)


# --- random numbers ------------------------------------------------------------------------------------------

VALUES = """\
`include "disciplines.vams"
module values(x, y, z, drive);
    inout x, y, z, drive; electrical x, y, z, drive;
    (* type="instance" *) parameter integer seed = 0;
    (* type="instance" *) parameter integer device = 0;
    (* type="instance" *) parameter integer node = 0;
    `include "{noise}"
    real first, second, other, unused;
    analog begin
        unused = mtj_normals(seed, device, node, 0, first, second);
        V(x) <+ first;
        V(y) <+ second;
        V(z) <+ mtj_normal_z(seed, device, node);
        V(drive) <+ mtj_normals(seed, device, node, 2, unused, other);
    end
endmodule
"""


def test_random_numbers_are_those_of_the_macrospin(tmp_path: Path) -> None:
    source = tmp_path / "values.va"
    source.write_text(VALUES.format(noise=model_source().parent / "thermal_noise.va"))
    keys = [(0, 0), (1, 0), (123456789, 987), (2**32 - 1, 2**32 - 1), (2**31, 5)]
    draws = [(seed, device, node) for seed, device in keys for node in (0, 1, 2, 3, 1001, 65536, 2**30 + 1)]
    lines = ["random numbers", ".model values values", "r1 0 one 1k", "v1 one 0 1"]
    for index, (seed, device, node) in enumerate(draws):
        words = [verilog_a.signed_word(word) for word in (seed, device)]
        lines.append(
            f"n{index} x{index} y{index} z{index} d{index} values seed={words[0]} device={words[1]} node={node}"
        )
    names = [f"v({axis}{index})" for index in range(len(draws)) for axis in "xyzd"]
    result = run_batch(
        "\n".join([*lines, ".op"]),
        stop=None,
        vectors=names,
        osdi=[compile_model(source, tmp_path / "cache")],
        ngspice=osdi_ngspice(),
    )
    found = np.array([result.real(name)[0] for name in names]).reshape(-1, 4)
    expected = np.array([(*field_node(*draw), drive_deviation(*draw)) for draw in draws])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert len(np.unique(np.round(expected, 9))) > len(draws) * 3


# --- netlist lines -------------------------------------------------------------------------------------------


def test_bad_input() -> None:
    with pytest.raises(InputError, match="does not resolve the precession"):
        verilog_a.model_line(MERAM, noise_step=1e-10)
    with pytest.raises(InputError, match=r"seed -1 is out of range; allowed: 0 to 4294967295"):
        verilog_a.instance_line("1", ("a", "b"), -1)
    with pytest.raises(InputError, match="device 4294967296 is out of range"):
        verilog_a.vacask_instance_line("1", ("a", "b"), 1, 2**32)
    with pytest.raises(InputError, match="initial magnetization"):
        verilog_a.instance_line("1", ("a", "b"), 1, 0, (0, 0, 0))
    with pytest.raises(InputError, match="a junction has 2 to 8 nodes: top, bottom"):
        verilog_a.instance_line("1", ("a",), 1)


def test_every_card_value_reaches_the_model() -> None:
    """A new entry of the card must be put into the model or be named as absent."""
    text = model_source().read_text(encoding="utf-8")
    for key in verilog_a.model_parameters(MERAM):
        assert f" {key} = " in text, key


def test_ambient_temperature_of_the_simulator() -> None:
    card = MERAM.replace(**WARM)
    finals = []
    for temperature, option in ((358.0, ""), (None, ".options temp=84.85")):
        deck = f"""temperature
{verilog_a.model_line(card, temperature)}
{verilog_a.instance_line("1", ("p", "0", "mx", "my", "mz"), 9, 0, START)}
v1 p 0 1
{option}
.tran 1p 0.3n
"""
        result = run_batch(deck, stop=3e-10, vectors=["v(mz)"], osdi=[compiled_model()], ngspice=osdi_ngspice())
        finals.append(result.real("v(mz)")[-1])
    assert finals[0] == pytest.approx(finals[1], abs=1e-9)
