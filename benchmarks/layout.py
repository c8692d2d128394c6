"""Times of layouts: drawing, design rules, netlist and wires, and the rule deck beside the checks in Python.

Usage: python benchmarks/layout.py [--deck]
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from mtjspice.layout import catalogue, drc
from mtjspice.layout.capacitance import capacitances
from mtjspice.layout.deck import run_deck
from mtjspice.layout.generate import generate, write_gds
from mtjspice.layout.lvs import compare

CASES = (
    ("inverter", {}), ("precharge_amplifier", {}), ("meram_word8", {}), ("meram_array", {"rows": 64, "columns": 8}),
    ("meram_array", {"rows": 64, "columns": 64}),
)  # fmt: skip


def timed(work: Callable[[], object]) -> tuple[object, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def main() -> None:
    generate(catalogue.circuit("inverter"))  # imports
    print("layout                devices  draw [s]  rules [s]  netlist [s]  wires [s]  deck [s]")
    for name, values in CASES:
        circuit = catalogue.circuit(name, values)
        one, draw = timed(lambda circuit=circuit: generate(circuit))
        _, rules = timed(lambda one=one: drc.violations(one.layout, one.cell))
        found, netlist = timed(lambda one=one: compare(one.circuit, one.layout, one.cell))
        _, wires = timed(lambda found=found: capacitances(found.extracted))
        deck = float("nan")
        if "--deck" in sys.argv[1:]:
            with TemporaryDirectory() as folder:
                file = Path(folder) / "cell.gds"
                write_gds(one.layout, file)
                _, deck = timed(lambda file=file, one=one: run_deck(file, one.name))
        size = "x".join(str(value) for value in values.values())
        count = len(one.stack.flat.devices)
        print(
            f"{name + ' ' + size:20} {count:8}  {draw:8.2f}  {rules:9.2f}  {netlist:11.2f}  {wires:9.2f}  {deck:8.1f}"
        )


if __name__ == "__main__":
    main()
