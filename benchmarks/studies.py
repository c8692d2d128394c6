"""What many small points of a study cost: the driver, its worker processes and the store around ngspice.

    python benchmarks/studies.py [--points 1000]

The circuit and the work are those of benchmarks/many.py (1008 time points, two measurements). The peers are a plain
`ngspice -b` for each point (the reference) and PySpice's shared simulator, without a store; and the same number of
bare simulators side by side, which is what two workers could reach on this machine. Prints a table.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from many import DECK, pyspice, single

from mtjspice.circuits.measurements import Peak, Voltage
from mtjspice.studies.driver import run_study
from mtjspice.studies.space import Space, Sweep
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.deck import DeckSubject

MEASURED = {"a": Peak(Voltage("a")), "b": Peak(Voltage("b"))}


def study(points: int, workers: int | None, engine: str) -> None:
    subject = DeckSubject(DECK, MEASURED, engine=engine)
    space = Space((Sweep("r", tuple(1e3 * (1 + 0.5 * k / points) for k in range(points))),))
    with tempfile.TemporaryDirectory() as folder:
        summary = run_study(Study("filter", subject, space), Path(folder), workers=workers)
        assert (summary.evaluated, summary.failed) == (points, 0)


def side_by_side(points: int) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(single, (points // 2, points - points // 2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--points", type=int, default=1000)
    points = parser.parse_args().points
    few = max(points // 4, 1)  # of the slow ones
    ways: dict[str, tuple[Callable[[int], object], int]] = {
        "ngspice -b for each": (single, few),
        "ngspice -b for each, two at a time": (side_by_side, few),
        "PySpice, shared": (pyspice, few),
        "study, batch, in process": (lambda n: study(n, None, "batch"), points),
        "study, batch, 1 worker": (lambda n: study(n, 1, "batch"), points),
        "study, batch, 2 workers": (lambda n: study(n, 2, "batch"), points),
        "study, replicas, 1 worker": (lambda n: study(n, 1, "replicas"), points),
        "study, replicas, 2 workers": (lambda n: study(n, 2, "replicas"), points),
    }
    print(f"{'way':36} {'ms a point':>10} {'times faster':>13}")
    reference = 0.0
    for name, (way, count) in ways.items():
        begin = time.perf_counter()
        way(count)
        took = (time.perf_counter() - begin) / count
        reference = reference or took
        print(f"{name:36} {took * 1e3:10.2f} {reference / took:13.1f}")


if __name__ == "__main__":
    main()
