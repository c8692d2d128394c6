"""One pulse on many junctions in every fidelity: the decks, and the magnetizations that come out of them.

All junctions of a deck hang directly on one source, so that every engine sees the same voltage. Junction number i has
the thermal field of device i; a seed and a device are the same function of time in each engine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mtjspice.circuits.junction import tangent_body
from mtjspice.device import llg, macrospin
from mtjspice.device.card import MTJCard
from mtjspice.device.macrospin import Waveform
from mtjspice.errors import SimulatorError
from mtjspice.spice import behavioral, private_ngspice, verilog_a
from mtjspice.spice.bank import Junction
from mtjspice.spice.batch import BatchResult, run_batch
from mtjspice.spice.compile import compile_model
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.jobs import CosimJob
from mtjspice.spice.vacask import run_vacask
from mtjspice.spice.worker import CosimWorker

Floats = NDArray[np.float64]

NODE = llg.DEFAULT_NOISE_STEP
CIRCUIT_STEP = "10p"  # largest step of ngspice in the co-simulation
TIME_LIMIT = 900.0  # s


@dataclass(frozen=True, eq=False)
class Experiment:
    """A waveform on junctions that start from ``initial`` (n, 3), with ``substeps`` steps of integration a node."""

    card: MTJCard
    waveform: Waveform
    initial: Floats
    seed: int
    substeps: int = 1

    @property
    def count(self) -> int:
        return len(self.initial)

    @property
    def stop(self) -> float:
        return float(self.waveform.times[-1])

    @property
    def row(self) -> Floats:
        return llg.parameters(self.card, substeps=self.substeps)

    def source(self, separator: str) -> str:
        """Times and volts of the pulse."""
        points = zip(self.waveform.times.tolist(), self.waveform.volts.tolist(), strict=True)
        return separator.join(f"{time!r}{separator}{volt!r}" for time, volt in points)


@dataclass(frozen=True, eq=False)
class Paths:
    """Times (k,) and magnetizations (k, n, 3); an engine may return the end only."""

    times: Floats
    magnetization: Floats

    @property
    def end(self) -> Floats:
        """Final directions (n, 3); the length of a magnetization in a netlist is off by up to 1e-3."""
        last = self.magnetization[-1]
        return np.asarray(last / np.linalg.norm(last, axis=1, keepdims=True))

    def at_nodes(self, every: float) -> Floats:
        """Magnetization (nodes, n, 3) at multiples of ``every`` (s), all of which are time points of the run."""
        nodes = np.arange(round(self.times[-1] / every) + 1) * every
        nearest = np.clip(np.searchsorted(self.times, nodes - 1e-3 * NODE), 0, len(self.times) - 1)
        if np.max(np.abs(self.times[nearest] - nodes)) > 1e-3 * NODE:
            raise SimulatorError("the run has no time points at the nodes")
        return np.asarray(self.magnetization[nearest])


def by_macrospin(experiment: Experiment) -> Paths:
    """Magnetization at every noise node."""
    row, nodes = experiment.row, np.arange(round(experiment.stop / NODE) + 1) * NODE
    volts = np.interp(nodes, experiment.waveform.times, experiment.waveform.volts)
    path = np.empty((len(nodes), experiment.count, 3))
    path[0] = experiment.initial
    for device in range(experiment.count):
        state = np.zeros(llg.STATE)
        state[:3] = experiment.initial[device]
        for k in range(len(nodes) - 1):
            llg.advance(row, experiment.seed, device, state, nodes[k], nodes[k + 1], volts[k], volts[k + 1])
            path[k + 1, device] = state[:3]
    return Paths(nodes, path)


def by_macrospin_end(experiment: Experiment) -> Paths:
    wave = experiment.waveform
    outcome = macrospin.run(
        experiment.row, experiment.initial, wave.times, wave.volts, experiment.seed, relaxing=False
    )  # fmt: skip
    return Paths(wave.times[-1:], outcome.magnetization[None])


def by_cosimulation(experiment: Experiment, step: str = CIRCUIT_STEP) -> Paths:
    devices = range(experiment.count)
    deck = [
        "junctions on one source",
        f".subckt cell top bottom\n{tangent_body(experiment.card)}\n.ends",
        f"v1 p 0 pwl({experiment.source(' ')})",
        *(f"x{i} p 0 cell" for i in devices),
        ".save v(p)",
        f".tran {step} {experiment.stop!r} 0 {step}",
        ".end",
    ]
    job = CosimJob(
        "\n".join(deck),
        tuple(Junction(f"v.x{i}.vg", "p", "0", i, offset=f"i.x{i}.ij") for i in devices),
        np.tile(experiment.row, (experiment.count, 1)),
        experiment.initial[None],
        (experiment.seed,),
        experiment.stop,
    )
    (result,) = _worker().run(job)
    return Paths(result.times, result.trajectory)


def by_verilog_a(experiment: Experiment) -> Paths:
    deck = [
        "junctions on one source",
        verilog_a.model_line(experiment.card, substeps=experiment.substeps),
        f"v1 p 0 pwl({experiment.source(' ')})",
        *(
            verilog_a.instance_line(str(i), ("p", "0", *_nodes(i)), experiment.seed, i, start)
            for i, start in enumerate(experiment.initial)
        ),
        f".tran 1p {experiment.stop!r}",
    ]
    names = [f"v({node})" for i in range(experiment.count) for node in _nodes(i)]
    result = run_batch(
        "\n".join(deck), stop=experiment.stop, vectors=names, osdi=[compile_model()], ngspice=_osdi_ngspice(),
        time_limit=TIME_LIMIT,
    )  # fmt: skip
    return _paths(result, names)


def by_vacask(experiment: Experiment) -> Paths:
    netlist = [
        "junctions on one source",
        verilog_a.vacask_model_line(experiment.card, substeps=experiment.substeps),
        "model vsrc vsource",
        f'v1 (p 0) vsrc type="pwl" wave=[{experiment.source(",")}]',
        *(
            verilog_a.vacask_instance_line(str(i), ("p", "0", *_nodes(i)), experiment.seed, i, start)
            for i, start in enumerate(experiment.initial)
        ),
        "control",
        "  save default",
        f"  analysis tran1 tran step=1p stop={experiment.stop!r} maxstep=1p",
        "endc",
    ]
    names = [f"v({node})" for i in range(experiment.count) for node in _nodes(i)]
    result = run_vacask(
        "\n".join(netlist), stop=experiment.stop, vectors=names, osdi=[compile_model()], time_limit=TIME_LIMIT
    )
    return _paths(result, names)


def by_behavioral(experiment: Experiment) -> Paths:
    """Ngspice makes the time points that the sources ask for; ``substeps`` sets its largest step besides."""
    devices = range(experiment.count)
    cell = behavioral.CELL if experiment.count == 1 else f"{behavioral.CELL}_{{}}"
    subcircuits = behavioral.mtj_subcircuit(
        experiment.card, noise="replay", seed=experiment.seed, devices=devices, stop=experiment.stop,
        initial=experiment.initial,
    )  # fmt: skip
    deck = [
        "junctions on one source",
        subcircuits,
        f"v1 p 0 pwl({experiment.source(' ')})",
        *(f"x{i} p 0 {cell.format(i)}" for i in devices),
        behavioral.transient(experiment.stop, pieces=experiment.substeps),
    ]
    names = [f"v(x{i}.m{axis})" for i in devices for axis in "xyz"]
    return _paths(run_batch("\n".join(deck), stop=experiment.stop, vectors=names, time_limit=TIME_LIMIT), names)


ENGINES: Mapping[str, Callable[[Experiment], Paths]] = MappingProxyType(
    {
        "macrospin": by_macrospin_end,
        "co-simulation": by_cosimulation,
        "Verilog-A, ngspice": by_verilog_a,
        "Verilog-A, VACASK": by_vacask,
        "behavioral": by_behavioral,
    }
)


def _nodes(i: int) -> tuple[str, ...]:
    return f"x{i}", f"y{i}", f"z{i}"


def _paths(result: BatchResult, names: list[str]) -> Paths:
    columns = np.column_stack([result.real(name) for name in names])
    return Paths(result.real("time"), columns.reshape(len(columns), -1, 3))


@cache
def _osdi_ngspice() -> Path:
    return private_ngspice.find_osdi_ngspice()


@cache
def _worker() -> CosimWorker:
    """One process for all runs; it ends with this one."""
    return CosimWorker(find_libngspice(), TIME_LIMIT)
