"""What a bank of stochastic junctions costs in every fidelity, against fixed junctions and fixed resistors.

Run: python benchmarks/fidelities.py [--devices 1 10 100] [--engines ...]

N junctions (card meram100) hang on one source: a pulse of 1.2 V, 4 ns in all, noise of 1 ps. The time is that of the
transient without loading: in the co-simulation that of later runs of a loaded deck; elsewhere the time of the process
less that of the same deck stopped after 2 ps. The behavioral model, with its own random sources (its cheapest noise),
runs for `BEHAVIORAL_STOP` only and its time is scaled to 4 ns. Memory is the peak of the simulator's process (Linux).
"""

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from mtjspice.circuits.junction import junction, tangent_body
from mtjspice.device import derived, llg, macrospin
from mtjspice.device.card import load_card
from mtjspice.spice import behavioral, verilog_a
from mtjspice.spice.bank import Junction
from mtjspice.spice.batch import run_batch
from mtjspice.spice.compile import compile_model
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.jobs import CosimJob
from mtjspice.spice.private_ngspice import find_osdi_ngspice
from mtjspice.spice.vacask import run_vacask
from mtjspice.spice.worker import CosimWorker

CARD = load_card("meram100")
STOP = 4e-9
BEHAVIORAL_STOP = 0.4e-9
LOADED = 2e-12  # s; a run this long is loading
RUNS = 4
LIMIT = 3600.0  # s
PULSE = ((0.0, 0.0), (0.1e-9, 0.0), (0.15e-9, 1.2), (3.7e-9, 1.2), (3.75e-9, 0.0), (4e-9, 0.0))
POINTS = " ".join(f"{time!r} {volt!r}" for time, volt in PULSE)


@dataclass(frozen=True)
class Cost:
    """Seconds of the 4 ns transient and of loading, peak memory in bytes."""

    run: float
    load: float
    memory: int


def starts(n: int) -> np.ndarray:
    return macrospin.thermal_states(CARD, np.ones(n), np.random.default_rng(1))


# --- in the libngspice worker --------------------------------------------------------------------------------


def in_worker(elements: list[str], n: int, stochastic: bool, step: str) -> Cost:
    deck = ["bank", f"v1 p 0 pwl({POINTS})", *elements, ".save v(p)", f".tran {step} {STOP!r} 0 {step}", ".end"]
    count = n if stochastic else 0
    job = CosimJob(
        "\n".join(deck),
        tuple(Junction(f"v.x{i}.vg", "p", "0", i, offset=f"i.x{i}.ij") for i in range(count)),
        np.tile(llg.parameters(CARD), (count, 1)),
        np.repeat(starts(n)[None, :count], RUNS, axis=0),
        tuple(range(RUNS)),
        STOP,
        keep=False,
    )
    with CosimWorker(find_libngspice(), LIMIT) as worker:
        # starting the process is no part of loading the deck
        list(
            worker.run(
                CosimJob("empty\nv1 p 0 1\n.tran 1p 2p\n.end", (), job.rows[:0], np.empty((1, 0, 3)), (1,), 2e-12)
            )
        )
        marks = [time.perf_counter()]
        for _ in worker.run(job):
            marks.append(time.perf_counter())
        memory = peak(worker.pid or 0)
    first, *later = np.diff(marks).tolist()
    return Cost(median(later), max(0.0, first - median(later)), memory)


def cosimulation(step: str) -> Callable[[int], Cost]:
    def run(n: int) -> Cost:
        cell = f".subckt cell top bottom\n{tangent_body(CARD)}\n.ends"
        return in_worker([cell, *(f"x{i} p 0 cell" for i in range(n))], n, True, step)

    return run


def fixed_junctions(n: int) -> Cost:
    elements = [f"x{i} p 0 m{i} mtj_junction\nvm{i} m{i} 0 1" for i in range(n)]
    return in_worker([str(junction(CARD)), *elements], n, False, "10p")


def fixed_resistors(n: int) -> Cost:
    resistance = derived.derive(CARD).resistance_parallel
    return in_worker([f"r{i} p 0 {resistance!r}" for i in range(n)], n, False, "10p")


# --- in processes of their own -------------------------------------------------------------------------------


def in_processes(simulate: Callable[[float], object], stop: float = STOP) -> Cost:
    times = []
    with watched() as memory:
        for end in (LOADED, stop):
            begin = time.perf_counter()
            simulate(end)
            times.append(time.perf_counter() - begin)
    load, whole = times
    return Cost((whole - load) * (STOP - LOADED) / (stop - LOADED), load, memory[0])


def verilog_a_ngspice(n: int) -> Cost:
    model, ngspice = compile_model(), find_osdi_ngspice()
    lines = ["bank", verilog_a.model_line(CARD), f"v1 p 0 pwl({POINTS})"]
    lines += [
        verilog_a.instance_line(str(i), ("p", "0", f"x{i}", f"y{i}", f"z{i}"), 1, i, m) for i, m in enumerate(starts(n))
    ]
    deck = "\n".join(lines)

    def simulate(end: float) -> object:
        text = f"{deck}\n.tran 1p {end!r}"
        return run_batch(text, stop=end, vectors=["v(z0)"], osdi=[model], ngspice=ngspice, time_limit=LIMIT)

    return in_processes(simulate)


def verilog_a_vacask(n: int) -> Cost:
    model = compile_model()
    wave = POINTS.replace(" ", ",")
    lines = ["bank", verilog_a.vacask_model_line(CARD), "model vsrc vsource", f'v1 (p 0) vsrc type="pwl" wave=[{wave}]']
    lines += [
        verilog_a.vacask_instance_line(str(i), ("p", "0", f"x{i}", f"y{i}", f"z{i}"), 1, i, m)
        for i, m in enumerate(starts(n))
    ]
    deck = "\n".join(lines)

    def simulate(end: float) -> object:
        control = f"control\n  save v(z0)\n  analysis tran1 tran step=1p stop={end!r} maxstep=1p\nendc"
        return run_vacask(f"{deck}\n{control}", stop=end, vectors=["v(z0)"], osdi=[model], time_limit=LIMIT)

    return in_processes(simulate)


def behavioral_ngspice(n: int) -> Cost:
    cells = behavioral.mtj_subcircuit(CARD, noise="seeded")
    lines = ["bank", cells, f"v1 p 0 pwl({POINTS})", *(f"x{i} p 0 mtj_cell" for i in range(n))]
    deck = "\n".join(lines)

    def simulate(end: float) -> object:
        text = f"{deck}\n{behavioral.transient(end, pieces=1)}"
        return run_batch(text, stop=end, vectors=["v(x0.mz)"], time_limit=LIMIT)

    return in_processes(simulate, BEHAVIORAL_STOP)


ENGINES: dict[str, tuple[Callable[[int], Cost], int]] = {  # with the largest bank worth the time
    "resistors, 10 ps": (fixed_resistors, 10**5),
    "fixed junctions, 10 ps": (fixed_junctions, 10**5),
    "co-simulation, 50 ps": (cosimulation("50p"), 10**5),
    "co-simulation, 10 ps": (cosimulation("10p"), 10**5),
    "co-simulation, 1 ps": (cosimulation("1p"), 10**5),
    "Verilog-A, ngspice": (verilog_a_ngspice, 1000),
    "Verilog-A, VACASK": (verilog_a_vacask, 1000),
    "behavioral": (behavioral_ngspice, 100),
}


# --- memory --------------------------------------------------------------------------------------------------


def peak(pid: int) -> int:
    """Peak of the resident memory of a process in bytes; 0 where it cannot be known."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


@contextmanager
def watched() -> Iterator[list[int]]:
    """Collect the peak of the child processes; one that has not become the simulator yet is not looked at."""
    found, done = [0], threading.Event()
    me = Path("/proc/self")

    def watch() -> None:
        while not done.wait(0.01):
            for children in me.glob("task/*/children"):
                try:
                    for pid in map(int, children.read_text().split()):
                        if Path(f"/proc/{pid}/exe").readlink() != (me / "exe").readlink():
                            found[0] = max(found[0], peak(pid))
                except OSError:  # it has ended
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--devices", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    arguments = parser.parse_args()
    print(f"{'engine':24}{'N':>7}{'run [s]':>10}{'per N [ms]':>12}{'load [s]':>10}{'MB':>7}")
    costs: dict[tuple[str, int], float] = {}
    for n in arguments.devices:
        for name in arguments.engines:
            measure, largest = ENGINES[name]
            if n > largest:
                continue
            cost = measure(n)
            costs[name, n] = cost.run
            print(
                f"{name:24}{n:7}{cost.run:10.4f}{1e3 * cost.run / n:12.3f}{cost.load:10.3f}{cost.memory / 2**20:7.0f}",
                flush=True,
            )
    reference = "co-simulation, 10 ps"
    print(f"\ntime over that of {reference}")
    for (name, n), seconds in costs.items():
        if name != reference and (reference, n) in costs:
            print(f"{name:24}{n:7}{seconds / costs[reference, n]:10.2f}")


if __name__ == "__main__":
    main()
