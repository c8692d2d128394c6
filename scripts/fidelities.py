#!/usr/bin/env python3
"""Compare the fidelities: switching probabilities at 20 points, and trajectories of the same seed.

    python scripts/fidelities.py [--out docs/validation]

Writes ``fidelities.csv`` (SI units), ``fidelities.png`` and ``trajectories.png`` to the folder. Everything follows from
fixed seeds; progress goes to stderr. Needs ngspice with and without OSDI, OpenVAF and VACASK; about ten minutes on one
core. Exit code 1 where the scores of a fidelity have a chi-square p-value below 1e-4.
"""

import argparse
import sys
import time
from pathlib import Path

from fidelities_engines import ENGINES
from fidelities_figures import largest_differences, paths, probabilities, trajectories
from fidelities_points import chi_square, compute, table
from validation import REPOSITORY, SMALLEST_P, write_columns

from mtjspice.files import output_folder
from mtjspice.reports import style


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "validation", help="folder of the figures")
    folder = output_folder(parser.parse_args().out.resolve())
    begin = time.monotonic()

    def progress(what: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {what}", file=sys.stderr, flush=True)

    progress("trajectories")
    found = paths()
    style.save(trajectories(found), folder / "trajectories.png")
    print("largest |dm| against a finely stepped macrospin")
    for (name, substeps), error in largest_differences(found).items():
        print(f"  {name:20} {substeps} steps a node  {error:.1e}")

    points = compute(progress)
    write_columns(folder / "fidelities.csv", table(points))
    progress("figure: probabilities")
    style.save(probabilities(points), folder / "fidelities.png")
    progress(f"written: {folder}")

    print("scores against Fokker-Planck")
    failed = False
    for name in ENGINES:
        mine = [point for point in points if point.fidelity == name]
        square, p = chi_square(mine)
        trials, strays = (sum(numbers) for numbers in zip(*((q.found.trials, q.strays) for q in mine), strict=True))
        print(f"  {name:20} chi-square {square:5.1f} for {len(mine):2} points, p = {p:.3f};", end=" ")
        print(f"{strays} of {trials} trials end otherwise than in the macrospin with the same seed")
        failed |= not p > SMALLEST_P
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
