"""Switching probabilities counted inside a simulator: methods for `mtjspice.device.switching`.

Many junctions share one ideal pulse source in one deck. When the pulse is over, the macrospin takes each of them from
where the simulator left it, under the same thermal field, to its decision.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from mtjspice.circuits.junction import CELL_MTJ
from mtjspice.circuits.simulation import simulate
from mtjspice.device import llg, macrospin, switching
from mtjspice.device.macrospin import Waveform
from mtjspice.device.switching import Answer, Method, Progress, Question
from mtjspice.files import netcdf_attribute
from mtjspice.spice.text import number

# junctions of one deck: more save little, and simulators slow down
_JUNCTIONS = MappingProxyType({"cosim": 250, "verilog-a": 100, "behavioral": 20})
_STEP = 10e-12  # s, largest time step of a circuit without capacitors that matter


def deck(wave: Waveform, junctions: int) -> str:
    """A deck with ``junctions`` junctions between one source with the waveform and ground."""
    corners = " ".join(f"{number(t)} {number(v)}" for t, v in zip(wave.times, wave.volts, strict=True))
    lines = ["junctions on one pulse", f"Vpulse p 0 pwl({corners})"]
    lines += [f"X{k} p 0 {CELL_MTJ}" for k in range(junctions)]
    lines += [".save v(p)", f".tran 1p {number(float(wave.times[-1]))} 0 {number(_STEP)}", ".end", ""]
    return "\n".join(lines)


def _method(fidelity: str) -> Method:
    def count(question: Question, progress: Progress) -> Answer:
        row = llg.parameters(question.card, question.temperature, question.noise_step)
        llg.check_step(row, question.voltages)
        counts = np.zeros((len(question.voltages), len(question.widths)), np.int64)
        undecided, engine = 0, ""
        batches = [
            min(_JUNCTIONS[fidelity], question.trials - begin)
            for begin in range(0, question.trials, _JUNCTIONS[fidelity])
        ]
        done, decks = 0, counts.size * len(batches)
        for i, voltage in enumerate(question.voltages):
            for j, width in enumerate(question.widths):
                wave = macrospin.pulse(float(voltage), float(width), question.edge)
                for batch, size in enumerate(batches):
                    rng = np.random.Generator(np.random.Philox(_seeds(question.seed, voltage, width, batch)))
                    noise = int(rng.integers(2**32))
                    initial = macrospin.thermal_states(
                        question.card, np.full(size, question.state), rng, question.temperature
                    )
                    run = simulate(
                        deck(wave, size), question.card, fidelity=fidelity, seed=noise, initial=initial,
                        temperature=question.temperature, noise_step=question.noise_step,
                    )  # fmt: skip
                    left = np.ascontiguousarray(run["magnetization"].values[-1])
                    end = float(wave.times[-1])
                    later = np.array([end, end + question.noise_step])
                    outcome = macrospin.run(row, left, later, np.zeros(2), noise)
                    counts[i, j] += np.count_nonzero(outcome.states != question.state)
                    undecided += outcome.undecided
                    engine = str(run.attrs["engine"])
                    done += 1
                    progress(done / decks)
        about = {"seed": netcdf_attribute(question.seed), "noise_step": question.noise_step, "undecided": undecided}
        return switching.counted(counts, question.trials, {**about, "engine": engine})

    return count


def _seeds(seed: int, voltage: float, width: float, batch: int) -> np.random.SeedSequence:
    """Seeds that depend on the values of the point, not on the others of the sweep."""
    words = np.array([voltage, width], "<f8").view("<u4").tolist()
    return np.random.SeedSequence(seed, spawn_key=(*words, batch))


METHODS: Mapping[str, Method] = MappingProxyType(
    {**switching.METHODS, **{fidelity: _method(fidelity) for fidelity in _JUNCTIONS}}
)
