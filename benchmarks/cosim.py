"""What the stochastic junctions cost: a write and read of the 8-bit word, co-simulated against fixed junctions.

Both run in the same libngspice worker with the same deck but for the junctions; prints a table.
"""

import statistics
import time

import numpy as np

from mtjspice.circuits.benches.word import Read, WordBench, Write
from mtjspice.circuits.library.meram import MeramWord
from mtjspice.circuits.technology import technology
from mtjspice.device import llg, macrospin
from mtjspice.device.card import load_card
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.jobs import CosimJob
from mtjspice.spice.worker import CosimWorker

RUNS = 6


def main() -> None:
    card = load_card("meram100")
    rows = np.tile(llg.parameters(card), (8, 1))
    initial = macrospin.thermal_states(card, np.ones(8), np.random.default_rng(1))
    times: dict[str, list[float]] = {}
    points = {}
    with CosimWorker(find_libngspice()) as worker:
        for variant in ("fixed", "cosim"):
            bench = WordBench(MeramWord(technology("gf180mcu"), card=card), (Write(1.2), Read()), "typical")
            cosim = variant == "cosim"
            job = CosimJob(
                deck=bench.deck(cosimulated=cosim),
                junctions=bench.junctions() if cosim else (),
                rows=rows if cosim else rows[:0],
                initial=np.repeat((initial if cosim else initial[:0])[None], RUNS + 1, axis=0),
                seeds=tuple(range(RUNS + 1)),
                stop=bench.end,
            )
            marks = [time.perf_counter()]
            for result in worker.run(job):
                marks.append(time.perf_counter())
                points[variant] = len(result.times)
            times[variant] = np.diff(marks)[1:].tolist()  # the first includes loading the deck
    start = time.perf_counter()
    steps = 200_000
    llg.advance(rows[0], 1, 0, initial[0].copy(), 0.0, steps * 1e-12, 0.0, 0.0)
    per_step = (time.perf_counter() - start) / steps
    print(f"{'junctions':10}  {'median [s]':>10}  {'points':>6}")
    for variant, values in times.items():
        print(f"{variant:10}  {statistics.median(values):10.3f}  {points[variant]:6d}")
    ratio = statistics.median(times["cosim"]) / statistics.median(times["fixed"])
    print(f"co-simulated / fixed: {ratio:.2f}; macrospin: {per_step * 1e9:.0f} ns a step of one junction")


if __name__ == "__main__":
    main()
