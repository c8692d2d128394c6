"""Running the word as a random-number generator: read, conditional reset, stochastic write, read, and so on.

Everything that is counted here comes from node voltages of the transistor-level circuit and from the
magnetizations of its junctions; nothing is assumed about either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtjspice.circuits.benches.word import Operation, Read, WordBench, Write
from mtjspice.circuits.stimulus import EDGE
from mtjspice.circuits.testbench import INSTANCE
from mtjspice.device import llg, macrospin
from mtjspice.device.card import MTJCard
from mtjspice.device.derived import conductance
from mtjspice.spice.jobs import CosimJob, CosimResult
from mtjspice.spice.pool import CosimPool
from mtjspice.statistics import Proportion, wilson
from mtjspice.studies import seeds

PHASES = ("reset", "write", "read")
SLOTS = len(PHASES)


@dataclass(frozen=True)
class Cycles:
    """What ``n`` cycles of a word of ``bits`` bits did, in the order in which they ran.

    Shapes (n, bits) unless stated: ``data`` the bits at the latch outputs (1 for AP), ``states`` the true state at
    the moment of latching, ``reset_states`` and ``write_states`` the true states (+1 P, -1 AP) just before the
    write and after it, ``margins`` (V) the signed output difference at latching (positive in the right direction),
    ``read_latencies`` (s) NaN where the outputs never decided, ``write_latencies`` (s), ``energy``
    (n, phases, sources) in J over all sources and ``junction_energy`` (n, phases) in J.
    """

    data: NDArray[np.uint8]
    states: NDArray[np.int8]
    reset_states: NDArray[np.int8]
    margins: NDArray[np.float64]
    read_latencies: NDArray[np.float64]
    write_latencies: NDArray[np.float64]
    energy: NDArray[np.float64]
    junction_energy: NDArray[np.float64]
    sources: tuple[str, ...]
    coupling_error: float
    engine: str

    @property
    def read_errors(self) -> Proportion:
        """Reads whose latched bit differs from the state of the junction."""
        return wilson(int(np.count_nonzero(self.data != (self.states < 0))), self.data.size)

    @property
    def reset_errors(self) -> Proportion:
        """Bits that were not in P when the stochastic write began."""
        return wilson(int(np.count_nonzero(self.reset_states < 0)), self.reset_states.size)


@dataclass(frozen=True)
class Trace:
    """One transient kept whole for a picture: operations, slot length (s), and the simulator's result."""

    operations: tuple[Operation, ...]
    slot: float
    result: CosimResult


def operation_jobs(
    bench: WordBench, reset_control: float, write_control: float, chunks: int, cycles: int, seed: int
) -> list[tuple[WordBench, CosimJob]]:
    """``chunks`` independent transients of a read and ``cycles`` cycles each, from random power-up states."""
    card, bits = bench.word.card, bench.word.bits
    cycle: tuple[Operation, ...] = (Write(reset_control, all_columns=False), Write(write_control), Read())
    running = replace(bench, operations=(Read(), *(cycle * cycles)), stop=None)
    # the cycle-to-cycle spread of the VCMA drive is drawn once a slot, that is once a pulse
    row = llg.parameters(card, bench.temperature, drive_hold=running.timing.slot)
    deck = running.deck()
    jobs = []
    for chunk in range(chunks):
        rng = seeds.generator(seed, seeds.POWER_UP, chunk)
        states = rng.choice([macrospin.PARALLEL, macrospin.ANTIPARALLEL], bits)
        initial = macrospin.thermal_states(card, states, rng, bench.temperature)
        job = CosimJob(
            deck=deck,
            junctions=running.junctions(),
            rows=np.tile(row, (bits, 1)),
            initial=initial[None],
            seeds=(seeds.word(seed, seeds.POWER_UP, chunk),),
            stop=running.end,
            vectors=running.saved(),
        )
        jobs.append((running, job))
    return jobs


def operate(
    bench: WordBench,
    pool: CosimPool,
    *,
    reset_control: float,
    write_control: float,
    chunks: int,
    cycles: int,
    seed: int,
    on_result: Callable[[], None] = lambda: None,
) -> tuple[Cycles, Trace]:
    """Run ``chunks * cycles`` cycles and evaluate them; also return the first transient as a trace."""
    jobs = operation_jobs(bench, reset_control, write_control, chunks, cycles, seed)
    results = [found[0] for found in pool.map([job for _, job in jobs], on_result)]
    parts = [evaluate(running, result) for (running, _), result in zip(jobs, results, strict=True)]
    return join(parts), Trace(jobs[0][0].operations, jobs[0][0].timing.slot, results[0])


def join(parts: Sequence[Cycles]) -> Cycles:
    """Put cycles of several transients of the same word one after the other."""

    def stack(name: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(part, name) for part in parts])

    return Cycles(
        data=stack("data").astype(np.uint8),
        states=stack("states").astype(np.int8),
        reset_states=stack("reset_states").astype(np.int8),
        margins=stack("margins"),
        read_latencies=stack("read_latencies"),
        write_latencies=stack("write_latencies"),
        energy=stack("energy"),
        junction_energy=stack("junction_energy"),
        sources=parts[0].sources,
        coupling_error=max(part.coupling_error for part in parts),
        engine=parts[0].engine,
    )


def evaluate(bench: WordBench, result: CosimResult) -> Cycles:
    """Evaluate one transient of `operation_jobs`: an initial read, then cycles of reset, write, read."""
    bits, slot, timing = bench.word.bits, bench.timing.slot, bench.timing
    cycles = (len(bench.operations) - 1) // SLOTS
    starts = slot * (1.0 + SLOTS * np.arange(cycles, dtype=np.float64))  # of the reset slots
    reads = starts + 2 * slot
    latch = reads + timing.latch + EDGE / 2
    time = result.vectors["time"]
    high = bench.word.technology.supply_voltage

    def sample(values: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(at, time, values)

    data = np.empty((cycles, bits), np.uint8)
    margins, read_latencies = np.empty((cycles, bits)), np.empty((cycles, bits))
    write_latencies = np.empty((cycles, bits))
    states, reset_states = np.empty((cycles, bits), np.int8), np.empty((cycles, bits), np.int8)
    for bit in range(bits):
        q, qb = (result.vectors[f"v({node})"] for node in bench.word.output_nodes(INSTANCE, bit))
        data[:, bit] = sample(result.vectors[f"v(data{bit})"], reads + 0.999 * slot) > high / 2
        states[:, bit] = np.sign(np.interp(latch, result.times, result.m_z[:, bit]))
        before = starts + slot + timing.trigger
        reset_states[:, bit] = np.sign(np.interp(before, result.times, result.m_z[:, bit]))
        # the larger current of a P cell pulls q down
        margins[:, bit] = -states[:, bit] * sample(q - qb, latch)
        for cycle in range(cycles):
            read_latencies[cycle, bit] = _decision(
                time, np.abs(q - qb), high / 2, reads[cycle], timing.read_bias, timing.sense_end
            )
            begin = starts[cycle] + slot + timing.trigger + EDGE / 2
            write_latencies[cycle, bit] = (
                _pulse_end(result.times, result.voltages[:, bit], begin, starts[cycle] + 2 * slot) - begin
            )
    return Cycles(
        data=data,
        states=states,
        reset_states=reset_states,
        margins=margins,
        read_latencies=read_latencies,
        write_latencies=write_latencies,
        energy=_energies(bench, result, starts),
        junction_energy=_junction_energies(bench.word.card, result, starts, slot),
        sources=bench.supplies,
        coupling_error=result.coupling_error,
        engine=result.engine,
    )


def _decision(
    time: NDArray[np.float64],
    difference: NDArray[np.float64],
    level: float,
    start: float,
    bias: float,
    end: float,
) -> float:
    """Time from the read-bias edge until the outputs differ by ``level``; NaN if they never do."""
    inside = (time >= start + bias) & (time <= start + end)
    t, d = time[inside], difference[inside]
    above = np.flatnonzero(d >= level)
    if not len(above) or above[0] == 0:
        return float("nan")
    k = int(above[0])
    crossing = t[k - 1] + (level - d[k - 1]) / (d[k] - d[k - 1]) * (t[k] - t[k - 1])
    return float(crossing - start - bias - EDGE / 2)


def _pulse_end(times: NDArray[np.float64], volts: NDArray[np.float64], start: float, end: float) -> float:
    """Time at which the pulse inside a slot has fallen to half of its height."""
    inside = (times >= start) & (times <= end)
    t, v = times[inside], volts[inside]
    last = int(np.flatnonzero(v > v.max() / 2)[-1])
    return float(np.interp(v.max() / 2, v[[last + 1, last]], t[[last + 1, last]]))


def _integrate(
    time: NDArray[np.float64], power: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Energy between successive ``edges`` (cycles, slots + 1) from sampled power, trapezoidal."""
    cumulative = np.concatenate(([0.0], np.cumsum(np.diff(time) * (power[1:] + power[:-1]) / 2)))
    return np.diff(np.interp(edges, time, cumulative), axis=1)


def _edges(starts: NDArray[np.float64], slot: float) -> NDArray[np.float64]:
    return starts[:, None] + slot * np.arange(SLOTS + 1)


def _energies(bench: WordBench, result: CosimResult, starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energy (cycles, phases, sources) that each source delivered."""
    time = result.vectors["time"]
    constant = {"vdd": bench.word.technology.supply_voltage, "vw": bench.levels.write_rail}
    inputs = bench.stimulus()
    columns = []
    for name in bench.supplies:
        if name in constant:
            volts: NDArray[np.float64] | float = constant[name]
        else:
            t, v = zip(*inputs[name], strict=True)
            volts = np.interp(time, t, v)
        # ngspice counts a source's current into its positive terminal
        columns.append(_integrate(time, -volts * result.vectors[f"i(v{name})"], _edges(starts, bench.timing.slot)))
    return np.stack(columns, axis=2)


def _junction_energies(
    card: MTJCard, result: CosimResult, starts: NDArray[np.float64], slot: float
) -> NDArray[np.float64]:
    """Joule heat (cycles, phases) of the stochastic junctions, all bits together."""
    volts, m_z = result.voltages, result.m_z
    conductances = np.vectorize(lambda m, v: conductance(card, m, v))(m_z, volts)
    return _integrate(result.times, np.sum(volts**2 * conductances, axis=1), _edges(starts, slot))
