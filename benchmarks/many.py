"""What many small transients cost: one ngspice process for each, PySpice's own loop, `spice.many`, `spice.replicas`.

    python benchmarks/many.py [--runs 300]

The circuit is an RC filter with a behavioural source; each run has another resistance, 1008 time points and two saved
vectors. The peers are a plain `ngspice -b` for each run (the reference) and PySpice's shared simulator with a new
netlist for each run. Every way includes writing what the simulator reads and getting arrays. Prints a table.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from mtjspice.spice.engines import find_libngspice, find_ngspice
from mtjspice.spice.many import run_many
from mtjspice.spice.raw import read_raw
from mtjspice.spice.replicas import run_replicas
from mtjspice.spice.runs import Status, Variant

STOP = 1e-5
BODY = """V1 in 0 sin(0 1 1meg)
R1 in a {r}
C1 a 0 100p
B1 b 0 v=tanh(3*v(a))+0.1*v(a)^2
R2 b 0 1k
.tran 10n 10u 0 10n
"""
DECK = f"filter\n.param r=1k\n{BODY}.end\n"


def resistances(runs: int) -> list[float]:
    return [1e3 * (1 + 1e-3 * k) for k in range(runs)]


def single(runs: int) -> int:
    points = 0
    for ohm in resistances(runs):
        with tempfile.TemporaryDirectory() as folder:
            deck = Path(folder) / "deck.cir"
            deck.write_text(DECK.replace("r=1k", f"r={ohm!r}").replace(".end", ".save v(a) v(b)\n.end"))
            command = [str(find_ngspice()), "-n", "-b", "-r", "out.raw", deck.name]
            subprocess.run(command, cwd=folder, check=False, capture_output=True)
            points = len(read_raw(Path(folder) / "out.raw")["time"])
    return points


def pyspice(runs: int) -> int:
    """PySpice 1.5 loads any libngspice, and warns that it does not know this one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from PySpice.Spice.NgSpice.Shared import NgSpiceShared

        NgSpiceShared.LIBRARY_PATH = str(find_libngspice())
        simulator = NgSpiceShared.new_instance()
        points = 0
        for ohm in resistances(runs):
            simulator.load_circuit(f"filter\n{BODY.replace('{r}', repr(ohm))}.save v(a) v(b)\n.end\n")
            simulator.run()
            plot = simulator.plot(None, simulator.last_plot)
            points = len(plot["time"].to_waveform())
            simulator.destroy()
            simulator.remove_circuit()
        return points


def many(runs: int, workers: int) -> int:
    variants = (Variant({"r": ohm}) for ohm in resistances(runs))
    points = 0
    for run in run_many(DECK, variants, stop=STOP, vectors=["v(a)", "v(b)"], workers=workers):
        assert run.status is Status.OK
        points = len(run.vectors["time"])
    return points


def replicas(runs: int, workers: int) -> int:
    variants = (Variant({"r": ohm}) for ohm in resistances(runs))
    points = 0
    for run in run_replicas(DECK, variants, stop=STOP, vectors=["v(a)", "v(b)"], workers=workers):
        assert run.status is Status.OK
        points = len(run.vectors["time"])
    return points


def processor_time() -> float:
    """Seconds that this process and those that it waited for have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=300)
    runs = parser.parse_args().runs
    ways: dict[str, Callable[[], int]] = {
        "ngspice -b for each": lambda: single(runs),
        "PySpice, shared": lambda: pyspice(runs),
        "spice.many, 1 worker": lambda: many(runs, 1),
        "spice.many, 2 workers": lambda: many(runs, 2),
        "spice.replicas, 1 worker": lambda: replicas(runs, 1),
        "spice.replicas, 2 workers": lambda: replicas(runs, 2),
    }
    print(f"{'way':25} {'ms a run':>9} {'CPU ms':>9} {'points':>7} {'times faster':>13}")
    reference = 0.0
    for name, way in ways.items():
        begin, computed = time.perf_counter(), processor_time()
        try:
            points = way()
        except Exception as error:  # a peer that does not run here
            print(f"{name:25} does not run: {type(error).__name__}: {str(error)[:60]}", file=sys.stderr)
            continue
        took, computed = (time.perf_counter() - begin) / runs, (processor_time() - computed) / runs
        reference = reference or took
        print(f"{name:25} {took * 1e3:9.2f} {computed * 1e3:9.2f} {points:7d} {reference / took:13.1f}")


if __name__ == "__main__":
    main()
