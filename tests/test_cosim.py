"""Co-simulation on small decks: coupling, reproducibility, and a worker that survives whatever happens to it."""

import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq

from mtjspice.circuits.junction import junction, tangent_body
from mtjspice.device import llg
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.derived import conductance, derive
from mtjspice.device.macrospin import thermal_states
from mtjspice.device.temperature import polarization_ratio
from mtjspice.device.wells import barrier
from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.bank import Bank, Junction
from mtjspice.spice.callbacks import conduction
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.jobs import CosimJob, CosimResult
from mtjspice.spice.pool import CosimPool
from mtjspice.spice.worker import CosimWorker

CARD = load_card("meram100")
ROW = llg.parameters(CARD)
STOP = 4e-9
PULSE = "pwl(0 0 1n 0 1.05n 2.2 2.6n 2.2 2.65n 0)"


@pytest.fixture(scope="module")
def library() -> Path:
    return find_libngspice()


@pytest.fixture(scope="module")
def worker(library: Path):  # type: ignore[no-untyped-def]
    with CosimWorker(library, time_limit=60) as shared:
        yield shared


def deck(step: str = "10p", stop: str = "4n", extra: str = "", source: str = PULSE, options: str = "") -> str:
    """A source, a series resistor that makes the junction voltage depend on its state, a junction to ground."""
    # the conduction law as in the text books, not in the form that mtjspice.circuits.junction writes
    parallel = 1 / derive(CARD).resistance_parallel
    tmr = f"{CARD.tmr!r}/(1+(V(t)/{CARD.tmr_half_voltage!r})^2)"
    return f"""series resistor and junction
Vg g 0 {source}
Rs g t 20k
Bj t 0 i={parallel!r}/2*V(t)*((1+V(mz))+(1-V(mz))/(1+{tmr}))
Vmz mz 0 external
{extra}
.options {options or "reltol=1e-6"}
.save v(g) v(t) v(mz) i(vg)
.tran 1p {stop} 0 {step}
.end
"""


VECTORS = ("v(g)", "v(t)", "v(mz)", "i(vg)")


def job(
    text: str,
    seeds: tuple[int, ...] = (7,),
    junctions: tuple[Junction, ...] = (Junction("vmz", "t", "0", 3),),
    vectors: tuple[str, ...] = VECTORS,
    stop: float = STOP,
    capacity: int = 50_000,
    rows: NDArray[np.float64] | None = None,
) -> CosimJob:
    n = len(junctions)
    start = np.tile([0.0, np.sin(0.1), np.cos(0.1)], (len(seeds), n, 1))
    given = np.tile(ROW, (n, 1)) if rows is None else rows
    return CosimJob(text, junctions, given, start, seeds, stop, vectors, capacity)


def one(worker: CosimWorker, task: CosimJob) -> CosimResult:
    (result,) = worker.run(task)
    return result


def replay(task: CosimJob, result: CosimResult, run: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Integrate the voltages of the result once more: m_z (k, n) and the final magnetization (n, 3)."""
    m = np.zeros((len(task.junctions), llg.STATE))
    m[:, :3] = task.initial[run]
    m_z = np.empty_like(result.m_z)
    for i, device in enumerate(task.junctions):
        before, volt = 0.0, 0.0
        for k, (now, volts) in enumerate(zip(result.times, result.voltages[:, i], strict=True)):
            llg.advance(task.rows[i], task.seeds[run], device.device, m[i], before, now, volt, volts)
            m_z[k, i] = m[i, 2]
            before, volt = now, volts
    return m_z, m[:, :3]


def same(a: CosimResult, b: CosimResult) -> bool:
    return (
        a.seed == b.seed
        and a.attempts == b.attempts
        and a.coupling_error == b.coupling_error
        and all(
            np.array_equal(x, y)
            for x, y in (
                (a.times, b.times),
                (a.voltages, b.voltages),
                (a.m_z, b.m_z),
                (a.magnetization, b.magnetization),
                *((a.vectors[name], b.vectors[name]) for name in a.vectors),
            )
        )
    )


# --- the coupling -------------------------------------------------------------------------------------------


def test_accepted_trajectory_replays_bit_for_bit(worker: CosimWorker) -> None:
    task = job(deck(step="20p"), seeds=(7, 8))
    for run, result in enumerate(worker.run(task)):
        assert result.times[0] == 0
        assert result.times[-1] == pytest.approx(STOP, rel=1e-9)
        m_z, final = replay(task, result, run)
        np.testing.assert_array_equal(m_z, result.m_z)
        np.testing.assert_array_equal(final, result.magnetization)
        np.testing.assert_array_equal(result.m_z[-1], result.magnetization[:, 2])
        assert result.m_z.min() < -0.5  # it did precess


def test_long_waits_cost_no_time_points(worker: CosimWorker) -> None:
    """Two pulses a microsecond apart: steps follow the junction's voltage, and the result is that of short steps."""
    source = "pwl(0 0 1n 0 1.05n 2.2 2.6n 2.2 2.65n 0 900n 0 900.05n 2.2 901n 2.2 901.05n 0)"
    long = job(deck(step="100n", stop="1000n", source=source), stop=1e-6)
    short = one(worker, job(deck(step="50p", stop="1000n", source=source), stop=1e-6))
    waiting = one(worker, replace(long, active_step=5e-11))
    assert len(short.times) > 20_000
    assert len(waiting.times) < 200
    during = (waiting.times[:-1] > 1.05e-9) & (waiting.times[1:] < 2.65e-9)
    assert np.diff(waiting.times)[during].max() < 5.1e-11
    # the thermal trajectory after 0.9 us of waiting is the same: it depends on the noise alone
    np.testing.assert_allclose(waiting.magnetization, short.magnetization, atol=1e-6)
    np.testing.assert_allclose(waiting.energies, short.energies, rtol=1e-5)
    # without the limit, steps through the pulse are as long as its plateau
    coarse = one(worker, long)
    assert coarse.coupling_error > 50 * waiting.coupling_error


def test_a_wait_of_a_low_barrier_is_integrated_throughout(worker: CosimWorker) -> None:
    """At 8 kT the junction leaves its well within a microsecond: what happens must not depend on the steps."""
    card = CARD.replace(diameter=60e-9, damping=0.15)
    card = card.replace(interfacial_anisotropy=with_barrier(card, 8.0))
    row = llg.parameters(card)
    source = "pwl(0 0 1n 0.1 2n 0)"
    long = job(deck(step="100n", stop="1000n", source=source), stop=1e-6, rows=row[None])
    short = job(deck(step="50p", stop="1000n", source=source), stop=1e-6, rows=row[None])
    waiting, steps = one(worker, replace(long, active_step=5e-11)), one(worker, short)
    assert np.count_nonzero(np.diff(np.sign(steps.m_z[:, 0]))) > 0  # it did leave
    np.testing.assert_allclose(waiting.magnetization, steps.magnetization, atol=1e-4)


def with_barrier(card: MTJCard, wanted: float) -> float:
    """Interfacial anisotropy (J/m^2) at which the lower barrier is ``wanted`` kT."""

    def excess(anisotropy: float) -> float:
        try:
            return barrier(llg.parameters(card.replace(interfacial_anisotropy=anisotropy))) - wanted
        except InputError:
            return -wanted

    return float(brentq(excess, 0.8 * card.interfacial_anisotropy, 1.3 * card.interfacial_anisotropy))


def resident(worker: CosimWorker) -> float:
    """Memory of the worker process in bytes."""
    return int(Path(f"/proc/{worker.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_flat_when_only_the_ends_are_kept(library: Path) -> None:
    source = "sin(0.5 0.5 0.4g)"
    with CosimWorker(library, time_limit=60) as worker:

        def ends(stop: float) -> CosimResult:
            text = deck(stop=f"{stop!r}", source=source)
            return one(worker, replace(job(text, vectors=(), stop=stop), keep=False))

        short = ends(4e-8)
        ends(8e-7)
        before = resident(worker)
        long = ends(1.6e-6)  # 160,000 points: ngspice's five vectors would take 6.4 MB, the record 7.7 MB
        assert long.attempts > 160_000
        assert resident(worker) - before < 1e6
        assert long.trajectory.shape == (2, 0, 3)
        kept = one(worker, job(deck(stop="4e-8", source=source), stop=4e-8))
        np.testing.assert_array_equal(short.magnetization, kept.magnetization)
        np.testing.assert_array_equal(short.energies, kept.energies)
        assert short.times[-1] == kept.times[-1]


def test_two_hundred_runs_leak_no_memory(worker: CosimWorker) -> None:
    runs = 20
    text = deck(step="20p")
    many = job(text, seeds=tuple(range(runs)))
    list(worker.run(many))
    before = resident(worker)
    for _ in range(10):
        assert len(list(worker.run(many))) == runs
    assert resident(worker) - before < 4e6  # one run keeps 0.1 MB


def test_energy_balance(worker: CosimWorker) -> None:
    """What the source delivers is what resistor and junction turn into heat and the capacitor holds."""
    result = one(worker, job(deck(step="2p", extra="Ct t 0 0.2f", source="pwl(0 0 1n 0 1.1n 2.2 3n 2.2 3.5n 1.1)")))
    v, time = result.vectors, result.vectors["time"]
    delivered = -np.trapezoid(v["v(g)"] * v["i(vg)"], time)
    resistor = np.trapezoid((v["v(g)"] - v["v(t)"]) ** 2 / 20e3, time)
    stored = 0.5 * 0.2e-15 * v["v(t)"][-1] ** 2
    assert delivered > 1e-14
    assert resistor + stored + result.energies[0] == pytest.approx(delivered, rel=1e-3)
    assert result.energies[0] > 0.2 * delivered  # the junction is no small part of it


def test_self_heating_reaches_the_circuit(worker: CosimWorker) -> None:
    """The temperature follows its equation, and ngspice sees the conductance of the hot junction."""
    card = CARD.replace(thermal_resistance=2e6, thermal_capacitance=2e-16, polarization_coefficient=3e-5)
    task = job(deck(step="2p"), rows=llg.parameters(card)[None])
    result = one(worker, task)
    v, m_z, rise = result.voltages[:, 0], result.m_z[:, 0], result.rises[:, 0]
    polarization = np.array([polarization_ratio(300.0 + dt, card.polarization_coefficient) for dt in rise])
    julliere = card.tmr / (card.tmr + 2) * polarization**2
    tmr = 2 * julliere / (1 - julliere) / (1 + (v / card.tmr_half_voltage) ** 2)
    power = v**2 / derive(card).resistance_parallel / 2 * ((1 + m_z) + (1 - m_z) / (1 + tmr))
    assert rise.max() > 20
    # ngspice's own current through the resistor is that of the hot junction
    current = (result.vectors["v(g)"] - result.vectors["v(t)"]) / 20e3
    np.testing.assert_allclose(current * v, power, atol=2e-3 * power.max())
    tau = card.thermal_resistance * card.thermal_capacitance
    expected, steps = np.zeros_like(rise), np.diff(result.times)
    for k, h in enumerate(steps):
        mean = 0.5 * (power[k] + power[k + 1]) * card.thermal_resistance
        expected[k + 1] = mean + (expected[k] - mean) * np.exp(-h / tau)
    np.testing.assert_allclose(rise, expected, atol=5e-3 * rise.max())
    np.testing.assert_array_equal(replay(task, result)[0], result.m_z)


def test_line_current_turns_the_magnetization(worker: CosimWorker) -> None:
    """A spin-orbit line: the current of a branch of the deck acts as in `llg.advance`."""
    card = CARD.replace(spin_hall_angle=0.3, spin_orbit_line_width=1e-7, spin_orbit_line_thickness=4e-9)
    text = deck(step="5p", source="0", extra="Iline 0 l pwl(0 0 1n 0 1.1n 2m 2n 2m 2.1n 0)\nVl l 0 0")
    junctions = (Junction("vmz", "t", "0", 3, line="vl#branch"),)
    task = job(
        text.replace("i(vg)", "i(vg) i(vl)"), rows=llg.parameters(card)[None], junctions=junctions, vectors=("i(vl)",)
    )
    result = one(worker, task)
    state = np.zeros(llg.STATE)
    state[:3] = task.initial[0, 0]
    before, line = 0.0, 0.0
    for now, then in zip(result.times, result.vectors["i(vl)"], strict=True):
        llg.advance(task.rows[0], 7, 3, state, before, now, 0.0, 0.0, line, then)
        before, line = now, then
    np.testing.assert_array_equal(state[:3], result.magnetization[0])
    assert result.trajectory[:, 0, 1].min() < -0.5  # the torque turns m towards -y


def tangent(card: MTJCard = CARD, **options: str) -> tuple[str, tuple[Junction, ...]]:
    """The same deck with the junction as tangents of its law."""
    law = next(line for line in deck().splitlines() if line.startswith("Bj"))
    body = f".subckt cell top bottom\n{tangent_body(card)}\n.ends\nXj t 0 cell"
    text = deck(**options).replace(law, body).replace("Vmz mz 0 external\n", "").replace("v(mz) ", "v(xj.g) ")
    # the deck of the law has no capacitance
    text = re.sub(r"Cj top bottom \S+\n", "", text)
    return text, (Junction("v.xj.vg", "t", "0", 3, offset="i.xj.ij"),)


@pytest.mark.parametrize("source", [PULSE, "sin(1.1 1.1 0.4g)"], ids=["pulse", "biased sine"])
def test_tangents_are_as_good_as_the_law(worker: CosimWorker, source: str) -> None:
    """g V + j at the expected voltage: of second order in what the voltage differs, nothing at the operating point."""
    vectors = ("v(g)", "v(t)", "i(vg)")
    for step, tolerance in (("2p", 5e-8), ("20p", 5e-7)):  # A; the junction takes up to 5e-5 A
        text, junctions = tangent(step=step, source=source)
        by_law = one(worker, job(deck(step=step, source=source), vectors=vectors))
        result = one(worker, job(text, junctions=junctions, vectors=vectors))
        np.testing.assert_allclose(result.voltages[0], by_law.voltages[0], atol=1e-6)
        # ngspice takes the same steps but for rounding
        grid = np.linspace(0, STOP, 500)
        volts = [np.interp(grid, run.times, run.voltages[:, 0]) for run in (result, by_law)]
        assert np.abs(volts[0] - volts[1]).max() < 20e3 * tolerance
        np.testing.assert_allclose(result.energies, by_law.energies, rtol=1e-3)
        assert 0 < result.tangent_error < tolerance
        assert by_law.tangent_error == 0


def test_tangents_of_every_conduction_law(worker: CosimWorker) -> None:
    """Brinkman's terms and a heated junction: what ngspice conducts is the law at the accepted voltage."""
    card = CARD.replace(
        barrier_height=0.9 * 1.602176634e-19, barrier_asymmetry=0.3 * 1.602176634e-19, thermal_resistance=2e6,
        thermal_capacitance=2e-16, polarization_coefficient=3e-5,
    )  # fmt: skip
    text, junctions = tangent(card, step="2p")
    result = one(worker, job(text, junctions=junctions, vectors=("v(g)", "v(t)"), rows=llg.parameters(card)[None]))
    v = result.vectors
    through = (v["v(g)"] - v["v(t)"]) / 20e3
    states = np.concatenate((result.trajectory[:, 0], result.rises, np.zeros((len(v["v(t)"]), 1))), axis=1)
    law = [conduction(llg.parameters(card), m, volt)[0] for m, volt in zip(states, v["v(t)"], strict=True)]
    np.testing.assert_allclose(through, law, atol=1e-8)  # of 5e-5 A; the largest at the flanks
    assert result.rises.max() > 20


def test_the_derivative_of_the_conduction_law() -> None:
    card = CARD.replace(barrier_height=0.9 * 1.602176634e-19, barrier_asymmetry=0.3 * 1.602176634e-19)
    row = llg.parameters(card)
    for m_z in (-1.0, 0.3, 1.0):
        state = np.array([np.sqrt(1 - m_z**2), 0, m_z, 0, 0])
        for volt in (-1.5, -0.2, 0.0, 0.7):
            value, slope = conduction(row, state, volt)
            assert value == pytest.approx(conductance(card, m_z, volt) * volt, rel=1e-12)
            ends = [conduction(row, state, volt + h)[0] for h in (-1e-4, 1e-4)]
            assert slope == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-6)


def test_rejected_steps_leave_no_trace(worker: CosimWorker) -> None:
    # a ringing LC tank under a loose step limit makes ngspice try and reject
    extra = "Vq q 0 pulse(0 1 0.3n 1p 1p 0.2n 0.9n)\nLq q r 1n\nCq r 0 20f\nRq r 0 1meg"
    task = job(deck(step="1n", extra=extra))
    result = one(worker, task)
    assert result.attempts > len(result.times)
    m_z, final = replay(task, result)
    np.testing.assert_array_equal(m_z, result.m_z)
    np.testing.assert_array_equal(final, result.magnetization)


@pytest.mark.parametrize("source", [PULSE, "sin(1.1 1.1 0.4g)"], ids=["pulse", "sine"])
def test_result_does_not_depend_on_the_circuit_step(worker: CosimWorker, source: str) -> None:
    steps = (1, 2, 10, 20, 50)
    results = {step: one(worker, job(deck(step=f"{step}p", source=source))) for step in steps}
    # the end of a thermal trajectory that precesses for nanoseconds; 50 ps cut a sine into straight lines
    for step, tolerance in ((2, 2e-3), (10, 4e-3), (20, 8e-3), (50, 4e-2)):
        np.testing.assert_allclose(results[step].magnetization, results[1].magnetization, atol=tolerance)
    error = {step: results[step].coupling_error for step in steps}
    assert error[1] < 1e-7
    assert max(error.values()) < 3e-3
    assert error[1] < error[2] / 3 < error[10] / 30
    if source != PULSE:  # no corners, at which a slope says nothing about what follows
        assert max(error.values()) < 5e-4
        # the extrapolated voltage errs by h^2, m_z by h^3, but for the ends, where ngspice's steps vary
        order = np.log(error[20] / error[2]) / np.log(10)
        assert 1.8 < order < 3.3


def test_ngspice_saw_the_conduction_law(worker: CosimWorker) -> None:
    result = one(worker, job(deck(step="10p")))
    v = result.vectors
    np.testing.assert_allclose(v["time"], result.times, rtol=1e-12)
    np.testing.assert_allclose(v["v(t)"], result.voltages[:, 0], atol=1e-15)
    current = -v["i(vg)"]  # ngspice counts into the positive terminal
    # Kirchhoff: the resistor carries what the source delivers
    np.testing.assert_allclose((v["v(g)"] - v["v(t)"]) / 20e3, current, rtol=1e-9, atol=1e-14)
    law = np.vectorize(lambda m, volt: volt * conductance(CARD, m, volt))
    # the law at the m_z that ngspice saw, to its Newton tolerance, and at the accepted one, to the coupling error
    np.testing.assert_allclose(current, law(v["v(mz)"], v["v(t)"]), rtol=1e-6, atol=1e-11)
    np.testing.assert_allclose(v["v(mz)"], result.m_z[:, 0], atol=result.coupling_error * (1 + 1e-9))
    bound = 2.2 * (conductance(CARD, 1, 0) - conductance(CARD, -1, 0)) / 2 * result.coupling_error
    np.testing.assert_allclose(current, law(result.m_z[:, 0], v["v(t)"]), rtol=1e-6, atol=bound + 1e-11)
    high = (v["time"] > 1.1e-9) & (v["time"] < 2.6e-9)
    assert np.ptp(current[high]) > 0.05 * current[high].mean()  # the state does change the current


def test_compiled_conductance_is_the_same_law() -> None:
    for m_z in (-1.0, -0.3, 0.8):
        for volt in (-1.2, 0.0, 0.2, 1.0):
            assert llg.conductance(ROW, m_z, volt) == pytest.approx(conductance(CARD, m_z, volt), rel=1e-12)


def test_boltzmann_average_of_a_bank_in_the_circuit(worker: CosimWorker) -> None:
    """16 junctions at 0 V for 200 ns with circuit steps of 100 ps: <sin^2> is that of the Boltzmann law."""
    card = CARD.replace(bias_field=0.0)
    delta = derive(card).thermal_stability_zero_field
    n = 16
    lines = "\n".join(f"R{i} t{i} 0 1meg\nVm{i} mz{i} 0 external\nRm{i} mz{i} 0 1meg" for i in range(n))
    saved = "\n".join(f".save v(t{i})" for i in range(n))
    text = f"bank at rest\n{lines}\n{saved}\n.tran 100p 200n 0 100p\n.end\n"
    states = np.where(np.arange(n) % 2, 1, -1)
    task = CosimJob(
        text,
        tuple(Junction(f"vm{i}", f"t{i}", "0", i) for i in range(n)),
        np.tile(llg.parameters(card), (n, 1)),
        thermal_states(card, states, np.random.default_rng(5))[None],
        (2024,),
        2e-7,
    )
    result = one(worker, task)
    assert len(result.times) >= 2000
    assert np.all(result.voltages == 0)
    averages = np.mean(1 - result.m_z**2, axis=0)
    # p(m_z) ~ exp(Delta_0 m_z^2)
    weight = quad(lambda z: np.exp(delta * (z * z - 1)), 0, 1)[0]
    exact = quad(lambda z: (1 - z * z) * np.exp(delta * (z * z - 1)), 0, 1)[0] / weight
    sigma = averages.std(ddof=1) / np.sqrt(n)
    assert sigma < 0.05 * exact
    assert averages.mean() == pytest.approx(exact, abs=4 * sigma)


# --- reproducibility ----------------------------------------------------------------------------------------


def test_same_seed_same_result_wherever_it_runs(library: Path, worker: CosimWorker) -> None:
    text = deck(step="20p")
    first, again, other = worker.run(job(text, seeds=(7, 7, 8)))
    assert same(first, again)
    assert not same(first, other)
    assert np.abs(first.magnetization - other.magnetization).max() > 1e-3
    tasks = [job(text, seeds=(7, 8)), job(deck(step="50p")), job(text), job(text, seeds=(8,))]
    heard: list[int] = []
    found = []
    for workers in (1, 2):
        with CosimPool(library, workers) as pool:
            found.append(pool.map(tasks, lambda: heard.append(1)))
    assert len(heard) == 2 * 5
    for results in found:
        assert [[result.seed for result in results_of_job] for results_of_job in results] == [[7, 8], [7], [7], [8]]
        assert same(results[0][0], first)
        assert same(results[0][1], other)
        assert same(results[2][0], first)
        assert same(results[3][0], other)
    assert same(found[0][1][0], found[1][1][0])


def test_device_number_selects_the_noise(worker: CosimWorker) -> None:
    extra = "Ru g u 1m\nRmu mu 0 1meg\nVmu mu 0 external\n.save v(u)"
    pair = (Junction("vmz", "g", "0", 3), Junction("vmu", "u", "0", 3))
    alike = one(worker, job(deck(extra=extra), junctions=pair))
    np.testing.assert_allclose(alike.m_z[:, 0], alike.m_z[:, 1], atol=1e-12)
    unlike = one(worker, job(deck(extra=extra), junctions=(pair[0], replace(pair[1], device=4))))
    assert np.abs(unlike.m_z[:, 0] - unlike.m_z[:, 1]).max() > 1e-2


# --- several junctions --------------------------------------------------------------------------------------


def test_six_junctions_in_a_hierarchy(worker: CosimWorker) -> None:
    cells = "\n".join(f"Xc{i} w {'0' if i % 2 else 'b'} cell r={1000 * (i + 1)}" for i in range(6))
    text = f"""hierarchy
{junction(CARD)}
.subckt cell top bot r=1k
Rs top mid {{r}}
Xm mid bot mz mtj_junction
Vmz mz 0 external
.ends
.subckt word w b
{cells}
.ends
Vg g 0 {PULSE}
Vb b 0 0.1
Xw g b word
.save {" ".join(f"v(xw.xc{i}.mid)" for i in range(6))} v(b)
.tran 1p 4n 0 20p
.end
"""
    junctions = tuple(Junction(f"v.xw.xc{i}.vmz", f"xw.xc{i}.mid", "0" if i % 2 else "b", 10 + i) for i in range(6))
    rows = np.stack([llg.parameters(CARD.replace(diameter=d * 1e-9)) for d in (90, 95, 100, 100, 105, 110)])
    task = job(text, junctions=junctions, vectors=("v(b)", "v(xw.xc4.mid)"), rows=rows)
    result = one(worker, task)
    m_z, final = replay(task, result)
    np.testing.assert_array_equal(m_z, result.m_z)
    np.testing.assert_array_equal(final, result.magnetization)
    np.testing.assert_allclose(
        result.voltages[:, 4], result.vectors["v(xw.xc4.mid)"] - result.vectors["v(b)"], atol=1e-15
    )
    assert len({float(m) for m in result.m_z[-1]}) == 6
    # each source got the m_z of its own junction: the larger resistor, the lower voltage
    plateau = np.argmin(np.abs(result.times - 2e-9))
    assert np.all(np.diff(result.voltages[plateau, 1::2]) < 0)


def test_two_junctions_with_one_source_are_rejected() -> None:
    with pytest.raises(ValueError, match="two junctions share the external source 'vmz'"):
        job(deck(), junctions=(Junction("vmz", "t", "0", 0), Junction("vmz", "g", "0", 1)))
    with pytest.raises(ValueError, match="share the name"):
        Bank([Junction("vmz", "t", "0", 0)] * 2, np.tile(ROW, (2, 1)), np.zeros((2, 3)), 1, 10)


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="parameter rows"):
        job(deck(), rows=np.tile(ROW, (2, 1)))
    with pytest.raises(ValueError, match="initial states"):
        CosimJob(deck(), (Junction("vmz", "t", "0", 0),), ROW[None], np.zeros((2, 1, 3)), (1,), 1e-9)


# --- failures -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Failure:
    """A job that fails; what the error says, and what its log contains."""

    task: CosimJob
    message: str
    log: str
    time_limit: float = 60.0


GOOD = deck()
FAILURES = {
    "undefined parameter": Failure(
        job(GOOD.replace("20k", "{nope}")), r"refused the netlist: Undefined parameter \[nope\]", "netlist"
    ),
    "unknown subcircuit": Failure(job(deck(extra="Xq t 0 nosub")), "unknown subckt", "nosub"),
    "node not saved": Failure(
        job(GOOD.replace("v(t) ", "")), "node 't' of junction 'vmz' is not among the saved vectors", "aborted"
    ),
    "vector not saved": Failure(job(GOOD, vectors=("v(nope)",)), r"ngspice has no vector 'v\(nope\)'", "Rows"),
    "unknown external source": Failure(
        job(GOOD, junctions=(Junction("vother", "t", "0", 0),)),
        "external source that belongs to no junction",
        "aborted",
    ),
    "non-convergence": Failure(
        # from 1 ns on the node has no solution: V = -10 sgn(V)
        job(deck(extra="Bq t 0 v=time>1n ? 0.01-10*sgn(V(t)) : 0", options="reltol=1e-3").replace("Rs g t 20k", "")),
        "stopped at 1e-09 s instead of 4e-09 s: .*Timestep too small",
        "Timestep too small",
    ),
    "crash of the process": Failure(
        job(GOOD.replace("mz 0 external", "mz 0 dc 0 external")), r"died \(signal SIGSEGV\)", "Circuit"
    ),
    "hang": Failure(
        job(deck(stop="1m"), stop=1e-3, capacity=10**8), "exceeded its time limit of 1 s", "TEMP", time_limit=1.0
    ),
    "capacity": Failure(job(GOOD, capacity=100), r"more time points than the record holds \(100\)", "TEMP"),
    "late start": Failure(job(GOOD.replace("4n 0 10p", "4n 1n 10p")), "must save from 0 s", "TEMP"),
    "too short": Failure(job(GOOD, stop=2 * STOP), "stopped at 4e-09 s instead of 8e-09 s", "Rows"),
    "no transient": Failure(job(GOOD.replace(".tran 1p 4n 0 10p", ".ac dec 1 1 1k")), "needs .tran", "TEMP"),
    "no deck": Failure(job("title only"), "refused the netlist", "end"),
}


@pytest.fixture(scope="module")
def good(worker: CosimWorker) -> CosimResult:
    return one(worker, job(GOOD))


@pytest.mark.parametrize("name", FAILURES)
def test_failure_is_one_clear_line_and_the_worker_lives_on(
    worker: CosimWorker, good: CosimResult, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = FAILURES[name]
    if name == "crash of the process" and good.engine != "ngspice-39":
        pytest.skip("only ngspice 39 crashes here")
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_time_limit", failure.time_limit)
        with pytest.raises(SimulatorError, match=failure.message) as caught:
            one(worker, failure.task)
    assert "\n" not in str(caught.value)
    assert failure.log in "\n".join(caught.value.log)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.log) == (str(caught.value), caught.value.log)
    assert worker.pid is None
    assert same(one(worker, job(GOOD)), good)


def test_killed_while_running(worker: CosimWorker, good: CosimResult) -> None:
    one(worker, job(GOOD))
    pid = worker.pid
    assert pid is not None
    timer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    timer.start()
    with pytest.raises(SimulatorError, match=r"died \(signal SIGKILL\)") as caught:
        one(worker, job(deck(stop="1m"), stop=1e-3, capacity=10**8))
    timer.join()
    assert "series resistor" in "\n".join(caught.value.log)
    assert same(one(worker, job(GOOD)), good)


def test_killed_between_two_jobs(worker: CosimWorker, good: CosimResult) -> None:
    one(worker, job(GOOD))
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert same(one(worker, job(GOOD)), good)


@pytest.mark.parametrize(
    ("path", "message"),
    [("no/such/lib.so", "cannot load libngspice from .*no/such/lib.so"), ("libm.so.6", "no libngspice with external")],
)
def test_wrong_library(path: str, message: str) -> None:
    if sys.platform != "linux" and path == "libm.so.6":
        pytest.skip("another name on this system")
    with CosimWorker(Path(path)) as broken:
        for _ in range(2):
            with pytest.raises(SimulatorError, match=message) as caught:
                one(broken, job(GOOD))
            assert "\n" not in str(caught.value)
            assert broken.pid is None


def test_abandoned_iterator_does_not_leak_into_the_next_job(worker: CosimWorker, good: CosimResult) -> None:
    runs = worker.run(job(deck(step="20p"), seeds=(1, 2, 3)))
    next(runs)
    with pytest.raises(RuntimeError, match="not finished"):
        next(worker.run(job(GOOD)))
    del runs
    assert same(one(worker, job(GOOD)), good)


def test_faults_are_seen_after_a_long_log(worker: CosimWorker) -> None:
    for _ in range(40):  # far more than the lines that are kept
        one(worker, job(GOOD))
    with pytest.raises(SimulatorError, match="unknown subckt"):
        one(worker, job(deck(extra="Xq t 0 nosub")))


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_is_left_behind(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = _descriptors()
    pids = []
    with CosimWorker(library) as own:
        for _ in range(2):
            one(own, job(GOOD))
            pids.append(own.pid)
            with pytest.raises(SimulatorError):
                one(own, job(deck(extra="Xq t 0 nosub")))
    with CosimPool(library, 2) as pool, pytest.raises(SimulatorError, match="unknown subckt"):
        pool.map([job(GOOD), job(deck(extra="Xq t 0 nosub")), job(GOOD)])
    assert _descriptors() == before
    assert list(tmp_path.iterdir()) == []
    assert all(pid is not None and not Path(f"/proc/{pid}").exists() for pid in pids)


def test_pool_ends_at_the_first_error_and_can_be_used_again(library: Path, good: CosimResult) -> None:
    endless = job(deck(stop="1m"), stop=1e-3, capacity=10**8)
    with CosimPool(library, 2) as pool:
        began = time.monotonic()
        with pytest.raises(SimulatorError, match="unknown subckt"):
            pool.map([endless, job(deck(extra="Xq t 0 nosub")), endless, endless])
        assert time.monotonic() - began < 30
        ((result,),) = pool.map([job(GOOD)])
        assert same(result, good)


# --- the end of the owner -----------------------------------------------------------------------------------

OWNER = """
import pickle, signal, sys, threading, time
from pathlib import Path
from mtjspice.spice.pool import CosimPool

signal.signal(signal.SIGINT, signal.default_int_handler)
jobs = pickle.loads(Path(sys.argv[2]).read_bytes())

def tell():
    while any(worker.pid is None for worker in pool._workers):
        time.sleep(0.01)
    print(*(worker.pid for worker in pool._workers), flush=True)

with CosimPool(Path(sys.argv[1]), 2) as pool:
    threading.Thread(target=tell, daemon=True).start()
    pool.map(jobs)
"""


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # a zombie that nobody collects, as the first process of some containers does not, is no longer alive
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return Path("/proc/self").exists() is False


@pytest.mark.parametrize(
    ("sent", "wait"),
    [(signal.SIGINT, 2.5), (signal.SIGINT, 0.0), (signal.SIGKILL, 2.5)],
    ids=["Ctrl-C", "early Ctrl-C", "kill"],
)
def test_no_worker_outlives_its_owner(library: Path, tmp_path: Path, sent: signal.Signals, wait: float) -> None:
    jobs = tmp_path / "jobs.pickle"
    jobs.write_bytes(pickle.dumps([job(deck(stop="1m"), stop=1e-3, capacity=10**8)] * 5))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(library), str(jobs)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    with owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 2
        time.sleep(wait)
        assert owner.poll() is None
        began = time.monotonic()
        owner.send_signal(sent)
        _, complaints = owner.communicate(timeout=20)
        assert time.monotonic() - began < 5
    if sent == signal.SIGINT:
        assert complaints.rstrip().endswith("KeyboardInterrupt")
        assert owner.returncode in (-signal.SIGINT, 130)
    else:
        deadline = time.monotonic() + 5
        while any(map(_alive, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not any(map(_alive, pids))
    if wait or sent == signal.SIGINT:
        assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_two_workers_start_on_a_cold_cache(library: Path, tmp_path: Path, good: CosimResult) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
        with CosimPool(library, 2) as pool:
            results = pool.map([job(GOOD)] * 4)
    assert list(tmp_path.rglob("*.nbc"))
    assert all(same(result, good) for (result,) in results)


def test_a_deck_without_junctions_runs() -> None:
    deck = "title\nV1 in 0 pulse(0 1 1n 10p 10p 1n 5n)\nR1 in 0 1k\n.save v(in)\n.tran 1p 4n 0 50p\n.end"
    with CosimWorker(find_libngspice()) as worker:
        job = CosimJob(deck, (), np.zeros((0, llg.COLUMNS)), np.zeros((1, 0, 3)), (1,), 4e-9, vectors=("v(in)",))
        (result,) = worker.run(job)
    assert result.voltages.shape == (len(result.times), 0)
    assert result.vectors["v(in)"].max() == pytest.approx(1.0)
