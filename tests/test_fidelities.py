"""The fidelities against each other in ngspice and VACASK: probabilities, equilibrium, circuits.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

import numpy as np
import pytest
from helpers import compiled_model, osdi_ngspice
from numpy.typing import NDArray

from mtjspice.circuits.junction import junction
from mtjspice.device import derived, llg, macrospin
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import BOLTZMANN
from mtjspice.device.macrospin import ANTIPARALLEL, PARALLEL, pulse
from mtjspice.device.switching import switching_probability
from mtjspice.spice import behavioral, verilog_a
from mtjspice.spice.bank import Junction
from mtjspice.spice.batch import BatchResult, run_batch
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.jobs import CosimJob, CosimResult
from mtjspice.spice.vacask import run_vacask
from mtjspice.spice.worker import CosimWorker

Floats = NDArray[np.float64]

MERAM = load_card("meram100")
STT = load_card("stt_trng_10ns")
START = (0.22, 0.05, 0.974)


@pytest.fixture(scope="module")
def worker():  # type: ignore[no-untyped-def]
    with CosimWorker(find_libngspice(), time_limit=120) as shared:
        yield shared


def nodes(i: int) -> tuple[str, ...]:
    return f"x{i}", f"y{i}", f"z{i}"


def final(result: BatchResult, names: list[str]) -> Floats:
    m = np.array([result.real(name)[-1] for name in names]).reshape(-1, 3)
    return np.asarray(m / np.linalg.norm(m, axis=1, keepdims=True))


# --- switching probability -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    card: MTJCard
    voltage: float
    width: float
    start: int
    seed: int

    @property
    def source(self) -> str:
        wave = pulse(self.voltage, self.width)
        return " ".join(f"{t!r} {v!r}" for t, v in zip(wave.times.tolist(), wave.volts.tolist(), strict=True))

    @property
    def stop(self) -> float:
        return float(pulse(self.voltage, self.width).times[-1])

    def initial(self, trials: int) -> Floats:
        rng = np.random.default_rng(self.seed)
        return macrospin.thermal_states(self.card, np.full(trials, self.start), rng)


def ends_of_cosimulation(point: Point, initial: Floats, worker: CosimWorker) -> Floats:
    devices = range(len(initial))
    deck = ["many junctions", str(junction(point.card)), f"v1 p 0 pwl({point.source})"]
    deck += [f"x{i} p 0 m{i} mtj_junction\nvm{i} m{i} 0 external" for i in devices]
    deck += [".save v(p)", f".tran 10p {point.stop!r} 0 10p", ".end"]
    job = CosimJob(
        "\n".join(deck),
        tuple(Junction(f"vm{i}", "p", "0", i) for i in devices),
        np.tile(llg.parameters(point.card), (len(initial), 1)),
        initial[None],
        (point.seed,),
        point.stop,
    )
    (result,) = worker.run(job)
    return result.magnetization


def ends_of_ngspice(point: Point, initial: Floats, worker: CosimWorker) -> Floats:
    deck = ["many junctions", verilog_a.model_line(point.card), f"v1 p 0 pwl({point.source})"]
    deck += [verilog_a.instance_line(str(i), ("p", "0", *nodes(i)), point.seed, i, m) for i, m in enumerate(initial)]
    deck += [f".tran 1p {point.stop!r}"]
    names = [f"v({node})" for i in range(len(initial)) for node in nodes(i)]
    return final(
        run_batch("\n".join(deck), stop=point.stop, vectors=names, osdi=[compiled_model()], ngspice=osdi_ngspice()),
        names,
    )


def ends_of_vacask(point: Point, initial: Floats, worker: CosimWorker) -> Floats:
    wave = point.source.replace(" ", ",")
    deck = ["many junctions", verilog_a.vacask_model_line(point.card), "model vsrc vsource"]
    deck += [f'v1 (p 0) vsrc type="pwl" wave=[{wave}]']
    deck += [
        verilog_a.vacask_instance_line(str(i), ("p", "0", *nodes(i)), point.seed, i, m) for i, m in enumerate(initial)
    ]
    deck += [f"control\n  save default\n  analysis tran1 tran step=1p stop={point.stop!r} maxstep=1p\nendc"]
    names = [f"v({node})" for i in range(len(initial)) for node in nodes(i)]
    return final(run_vacask("\n".join(deck), stop=point.stop, vectors=names, osdi=[compiled_model()]), names)


def ends_of_behavioral(point: Point, initial: Floats, worker: CosimWorker) -> Floats:
    ends = []
    for begin in range(0, len(initial), 20):  # the time of such a deck grows faster than its size
        devices = range(begin, min(begin + 20, len(initial)))
        cells = behavioral.mtj_subcircuit(
            point.card, noise="replay", seed=point.seed, devices=devices, stop=point.stop,
            initial=initial[devices.start : devices.stop],
        )  # fmt: skip
        deck = ["many junctions", cells, f"v1 p 0 pwl({point.source})"]
        deck += [f"x{i} p 0 mtj_cell_{i}" for i in devices]
        deck += [behavioral.transient(point.stop)]
        names = [f"v(x{i}.m{axis})" for i in devices for axis in "xyz"]
        ends.append(final(run_batch("\n".join(deck), stop=point.stop, vectors=names), names))
    return np.concatenate(ends)


ENDS = {
    "cosimulation": ends_of_cosimulation,
    "ngspice": ends_of_ngspice,
    "vacask": ends_of_vacask,
    "behavioral": ends_of_behavioral,
}
POINTS = {"vcma": Point(MERAM, 1.2, 4.1e-10, PARALLEL, 31), "stt": Point(STT, 1.2, 1.1e-9, ANTIPARALLEL, 32)}


def check_probability(point: Point, engine: str, trials: int, worker: CosimWorker) -> None:
    """Within 4 sigmas of Fokker-Planck; the same end as the macrospin of the same seed in 97 % of the trials or more.

    The first is a false alarm in 6e-5 of the seeds. The second is no matter of chance: only trials that end within
    the error of integration of the saddle may differ.
    """
    initial = point.initial(trials)
    row, devices = llg.parameters(point.card), np.arange(trials)
    ends = ENDS[engine](point, initial, worker)
    outcome = macrospin.settle(np.tile(row, (trials, 1)), ends, point.seed, devices, point.stop)
    assert outcome.undecided == 0
    wave = pulse(point.voltage, point.width)
    reference = macrospin.run(row, initial, wave.times, wave.volts, point.seed)
    assert np.count_nonzero(outcome.states != reference.states) <= 0.03 * trials
    direction = "p-ap" if point.start == PARALLEL else "ap-p"
    found = switching_probability(point.card, point.voltage, point.width, direction=direction, tolerance=1e-3)
    exact = float(found["probability"].values[0, 0])
    share = np.count_nonzero(outcome.states != point.start) / trials
    assert abs(share - exact) < 4 * sqrt(exact * (1 - exact) / trials)


@pytest.mark.parametrize("engine", ["cosimulation", "ngspice", "vacask"])
@pytest.mark.parametrize("name", POINTS)
def test_switching_probability(name: str, engine: str, worker: CosimWorker) -> None:
    """200 trials: 4 sigmas are 0.14 at most; one of the six a false alarm in 4e-4 of the seeds."""
    check_probability(POINTS[name], engine, 200, worker)


def test_switching_probability_of_the_behavioral_model(worker: CosimWorker) -> None:
    """20 trials: 4 sigmas are 0.45, so what counts is that every trial ends as in the macrospin."""
    check_probability(POINTS["vcma"], "behavioral", 20, worker)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["cosimulation", "ngspice", "vacask"])
@pytest.mark.parametrize("name", POINTS)
def test_switching_probability_closely(name: str, engine: str, worker: CosimWorker) -> None:
    """1200 trials of four seeds: 4 sigmas are 0.06; one of the six a false alarm in 1.5e-3 of the seeds."""
    given = POINTS[name]
    for seed in range(4):
        check_probability(Point(given.card, given.voltage, given.width, given.start, 40 + seed), engine, 300, worker)


@pytest.mark.slow
@pytest.mark.parametrize("name", POINTS)
def test_switching_probability_of_the_behavioral_model_closely(name: str, worker: CosimWorker) -> None:
    """100 trials: 4 sigmas are 0.2."""
    check_probability(POINTS[name], "behavioral", 100, worker)


# --- thermal equilibrium -------------------------------------------------------------------------------------


def boltzmann(card: MTJCard) -> float:
    """<m_x^2 + m_y^2> over the P well at 300 K by quadrature, from the energy in joules."""
    theta = (np.arange(10_000) + 0.5) * (np.pi / 2 / 10_000)
    phi = (np.arange(120) + 0.5) * (np.pi / 120)  # by symmetry half a turn
    z = np.cos(theta)[:, None]
    x = np.sin(theta)[:, None] * np.cos(phi)
    volume = derived.volume(card)
    anisotropy = derived.effective_anisotropy(card) / card.free_layer_thickness * volume
    energy = -anisotropy * z**2 - card.saturation_magnetization * volume * card.bias_field * x
    weight = np.exp(-(energy - energy.min()) / (BOLTZMANN * 300.0)) * np.sin(theta)[:, None]
    return float((weight * (1 - z**2)).sum() / weight.sum())


def test_boltzmann_in_ngspice() -> None:
    """64 Verilog-A junctions at 0 V, from 20 degrees: the average over 4 ns after 8 relaxation times.

    Within 4.5 standard errors (from the scatter of the junctions), a false alarm in 7e-6 of the seeds; these are less
    than 5 % of the average.
    """
    card = MERAM.replace(damping=0.2, bias_field=0.0)
    count, equilibrium = 64, 8 * derived.derive(card).relaxation_time
    stop = equilibrium + 4e-9
    azimuth = np.linspace(0, 2 * np.pi, count, endpoint=False)
    polar = np.radians(20)
    initial = np.column_stack((np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), 0 * azimuth + 0.94))
    deck = ["junctions at rest", verilog_a.model_line(card), "r1 p 0 1k"]
    deck += [verilog_a.instance_line(str(i), ("p", "0", *nodes(i)), 3, i, m) for i, m in enumerate(initial)]
    deck += [f".tran 1p {stop!r}"]
    names = [f"v({node})" for i in range(count) for node in nodes(i)]
    result = run_batch("\n".join(deck), stop=stop, vectors=names, osdi=[compiled_model()], ngspice=osdi_ngspice())
    m = np.array([result.real(name) for name in names]).reshape(count, 3, -1)
    square = (m[:, 0] ** 2 + m[:, 1] ** 2) / np.sum(m**2, axis=1)
    times = result.real("time")
    # the steps are those of the noise, all of one length
    averages = square[:, times > equilibrium].mean(axis=1)
    error = averages.std(ddof=1) / sqrt(count)
    exact = boltzmann(card)
    assert square[0, 0] == pytest.approx(np.sin(polar) ** 2, rel=0.01)
    assert error < 0.05 * exact
    assert abs(averages.mean() - exact) < 4.5 * error


# --- circuits ------------------------------------------------------------------------------------------------

SEEDS = (1, 2, 3, 4)
STOP = 1.8e-9
GRID = np.arange(181) * 1e-11
# behind the access device, from node a: a line of three sections to node t, where the junction stands
LINE = """r1 a b 25k
c1 b 0 1f
r2 b c 25k
c2 c 0 1f
r3 c t 25k
c3 t 0 1f"""
CIRCUITS = {
    "resistor": f"vdd d 0 pwl(0 0 0.1n 0 0.15n 2.4 1.1n 2.4 1.15n 0)\nraccess d a 25k\n{LINE}",
    "transistor": "\n".join(
        [
            "vdd d 0 2.4",
            "vg g 0 pwl(0 0 0.1n 0 0.15n 3.3 1.1n 3.3 1.15n 0)",
            "m1 d g a 0 access w=0.5u l=0.5u",
            ".model access nmos(level=1 vto=0.4 kp=50u tox=5n cgso=0.2n cgdo=0.2n)",
            "rleak a 0 1meg",
            LINE,
        ]
    ),
}


def cosimulated(
    circuit: str,
    step: str,
    worker: CosimWorker,
    seeds: tuple[int, ...] = SEEDS,
    start: tuple[float, float, float] = START,
) -> list[CosimResult]:
    deck = ["circuit", str(junction(MERAM)), circuit, "xj t 0 m mtj_junction", "vm m 0 external"]
    deck += [".options reltol=1e-5", ".save v(t)", f".tran 1p {STOP!r} 0 {step}", ".end"]
    initial = np.tile(np.array(start) / np.linalg.norm(start), (len(seeds), 1, 1))
    job = CosimJob(
        "\n".join(deck), (Junction("vm", "t", "0", 0),), llg.parameters(MERAM)[None], initial, seeds, STOP
    )  # fmt: skip
    return list(worker.run(job))


def in_verilog_a(circuit: str, seed: int) -> tuple[Floats, Floats]:
    """m_z and the voltage of the junction on `GRID`."""
    deck = ["circuit", verilog_a.model_line(MERAM), circuit]
    deck += [verilog_a.instance_line("1", ("t", "0", "x", "y", "z"), seed, 0, START)]
    deck += [".options reltol=1e-5", f".tran 1p {STOP!r}"]
    result = run_batch(
        "\n".join(deck), stop=STOP, vectors=["v(z)", "v(t)"], osdi=[compiled_model()], ngspice=osdi_ngspice()
    )
    times = result.real("time")
    return np.interp(GRID, times, result.real("v(z)")), np.interp(GRID, times, result.real("v(t)"))


@pytest.mark.parametrize("name", CIRCUITS)
def test_same_trajectory_in_a_circuit(name: str, worker: CosimWorker) -> None:
    """The voltage depends on the state of the junction, and the state on the voltage; four seeds, the same path.

    Circuit steps of 2 ps in the co-simulation, 1 ps (the noise) in the Verilog-A model.
    """
    circuit = CIRCUITS[name]
    paths = []
    for seed, result in zip(SEEDS, cosimulated(circuit, "2p", worker), strict=True):
        m_z, volts = in_verilog_a(circuit, seed)
        found = np.interp(GRID, result.times, result.m_z[:, 0])
        print(name, seed, np.max(np.abs(found - m_z)))
        assert np.max(np.abs(found - m_z)) < 5e-3
        assert np.max(np.abs(np.interp(GRID, result.times, result.voltages[:, 0]) - volts)) < 5e-3
        paths.append(m_z)
    # other seeds go elsewhere, by far more than the tolerance
    assert all(np.max(np.abs(a - b)) > 0.1 for a, b in pairwise(paths))


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_state_of_the_junction_moves_its_voltage(name: str, worker: CosimWorker) -> None:
    """Without this the circuits above would test no coupling: 0.05 V between P and AP."""
    x, y, z = START
    volts = []
    for start in (START, (x, y, -z)):
        (result,) = cosimulated(CIRCUITS[name], "2p", worker, seeds=(1,), start=start)
        volts.append(np.interp(4e-10, result.times, result.voltages[:, 0]))
    print(name, volts)
    assert volts[0] > 0.8
    assert volts[1] - volts[0] > 0.05


@pytest.mark.parametrize("name", CIRCUITS)
def test_long_circuit_steps_cost_little_accuracy(name: str, worker: CosimWorker) -> None:
    """10 ps instead of 2 ps between points of the circuit: the same paths within 0.02."""
    fine, coarse = (cosimulated(CIRCUITS[name], step, worker) for step in ("2p", "10p"))
    for a, b in zip(fine, coarse, strict=True):
        assert len(b.times) < len(a.times) / 2
        difference = np.interp(GRID, b.times, b.m_z[:, 0]) - np.interp(GRID, a.times, a.m_z[:, 0])
        print(name, a.seed, np.max(np.abs(difference)))
        assert np.max(np.abs(difference)) < 0.02
