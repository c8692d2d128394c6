"""What circuits cost: writing the deck of a MeRAM array, and a write cycle of it, co-simulated against fixed junctions.

    python benchmarks/circuits.py [--rows 64] [--columns 8]

The peer of deck writing is PySpice alone: the same text, from subcircuits that exist already. Prints two tables.
"""

import argparse
import time
from collections.abc import Callable

from mtjspice.circuits import catalogue
from mtjspice.circuits.rendering import Library


def seconds(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def decks() -> None:
    print(f"{'array':>10} {'junctions':>10} {'deck [s]':>9} {'PySpice alone [s]':>18} {'ratio':>6} {'MB':>6}")
    for rows, columns in ((64, 8), (64, 64)):
        values = {"rows": rows, "columns": columns}
        text: list[str] = []
        took = seconds(lambda: text.append(catalogue.bench("meram_array", values=values).testbench().deck()))  # noqa: B023
        library = Library()
        library.add(catalogue.bench("meram_array", values=values).circuit)
        alone = seconds(library.text)
        size = len(text[0]) / 1e6
        print(f"{rows}x{columns:<6} {rows * columns:>10} {took:9.2f} {alone:18.2f} {took / alone:6.1f} {size:6.2f}")


def write_cycle(rows: int, columns: int) -> None:
    values = {"rows": rows, "columns": columns, "bench.cycle": "write", "bench.row": rows - 1}
    testbench = catalogue.bench("meram_array", values=values).testbench()
    print(f"\nwrite cycle of {rows} x {columns} cells, {testbench.stop * 1e9:g} ns, all columns of one row written")
    print(f"{'junctions':>12} {'time [s]':>9} {'points':>7}")
    took = {}
    for fidelity in ("resistor", "cosim"):
        points: list[int] = []
        took[fidelity] = seconds(lambda: points.append(testbench.run(fidelity).sizes["time"]))  # noqa: B023
        print(f"{fidelity:>12} {took[fidelity]:9.2f} {points[0]:7d}")
    print(f"co-simulated / fixed: {took['cosim'] / took['resistor']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--columns", type=int, default=8)
    arguments = parser.parse_args()
    decks()
    write_cycle(arguments.rows, arguments.columns)


if __name__ == "__main__":
    main()
