#!/usr/bin/env python3
"""Regenerate ``docs/validation.md`` with its figures and data: what the device models were compared with, how well.

    python scripts/validation.py [--out docs/validation]

Figures (.png) and their numbers (.csv, SI units) go to the folder, the page beside it. Everything follows from fixed
seeds; progress goes to stderr. Exit code 1 where a reference or a statistical check fails.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from textwrap import fill
from typing import Any

from numpy.typing import NDArray
from validation_comparisons import compute
from validation_figures import FIGURES
from validation_plotting import Drawn
from validation_references import TESTS, columns, how_far_apart, what_they_are

from mtjspice import __version__
from mtjspice.files import output_folder, write_atomically
from mtjspice.reports import style

REPOSITORY = Path(__file__).resolve().parent.parent
SMALLEST_P = 1e-4  # of each statistical check; the page has about a dozen

PAGE = """\
# Validation

Written by `python scripts/validation.py` (version {version}, fixed seeds, five to eight minutes on one core). The
command repeats the figures, the numbers behind them (`{folder}/*.csv`, SI units) and this page.

The package has three ways to a switching probability: the stochastic **macrospin** (trials), the **Fokker-Planck**
equation of the same model (no trials, an error estimate instead) and the co-simulation with ngspice, which moves every
junction by the macrospin's own function ([cosimulation.md]({docs}cosimulation.md)). This page compares the first two
with each other, with closed formulas, with a finite-volume solution of the axial equation, and with an independent
macrospin program that shares no code with this one (other random numbers, other initial states, 1000 trials a point,
rounded to 0.01).

Intervals are Wilson's at 95 %. P-values are those of the sum of squared scores (chi-square) unless said otherwise; a
check fails below 1e-4.

## Switching probability against pulse width

![P_sw against pulse width]({folder}/pulse_width.png)

The two VCMA devices. Macrospin against Fokker-Planck: χ² = {pulse_width[macrospin]}. Independent program against
Fokker-Planck: meram100 χ² = {pulse_width[meram100]}; imec_iedm24 χ² = {pulse_width[imec_iedm24]}. The spread of the
drive is large in imec_iedm24 (15 %), and the independent program drew it once for all widths, so that its deviations
there are correlated and its χ² is not a fair one; values of 20000 trials are asserted in
[test_macrospin.py]({tests}/test_macrospin.py).

## Agreement of the two methods

![Quantiles of the scores]({folder}/agreement.png)

{agreement[count]} points of eight families (strongly and weakly damped, with and without spread, elliptical, spin
torque, a field along z), {agreement[trials]} trials each. Scores: mean {agreement[mean]}, standard deviation
{agreement[deviation]}, largest {agreement[largest]}; Kolmogorov-Smirnov p = {agreement[ks]}, χ² p = {agreement[chi2]}.
The band is the one in which 95 % of normal samples lie with all their points.

## Spin torque against voltage

![P_sw against voltage]({folder}/voltage.png)

AP to P. Macrospin against Fokker-Planck: stt_trng_10ns χ² = {voltage[stt_trng_10ns]}; stt_trng_long, whose every trial
takes 5 million steps, χ² = {voltage[stt_trng_long]}. The squares are published values of another device (Nature
Communications 2025, s41467-025-66864-9, figure 1); the card was set to their middle, so only the slope is compared.

## Write error rate

![Write error rate]({folder}/write_error_rate.png)

Fokker-Planck lines; macrospin points of {write_error_rate[trials]} trials, whose intervals are mostly smaller than the
marks (smallest of {write_error_rate[counted]} p-values {write_error_rate[p]}). Grey: below the largest estimated error,
{write_error_rate[error]}. The spread of the drive alone limits meram100 at 1.2 V to {write_error_rate[lowest0]};
without it the best width reaches {write_error_rate[lowest1]} at 1.2 V and {write_error_rate[lowest2]} at 1.5 V, its
compensation voltage. Spin torque has no such floor. The refined formula (reference 13) is for a pulse without edges.

## Noise step and precision

![P_sw at several steps]({folder}/steps.png)

{steps[trials]} trials a point, independent seeds, less the Fokker-Planck value. Smallest of four p-values of
homogeneity: {steps[p]}; by chance it is below 0.05 for 19 % of the seeds.

## Map

![Map of P_sw]({folder}/map.png)

meram100, Fokker-Planck, {map[volts]} voltages by {map[widths]} pulse widths, estimated error below {map[error]}. White:
50 %; dashed: the voltage from which an undamped moment overshoots (reference 4) and the one at which the anisotropy is
compensated (reference 5). Highest: {map[best]}.

## The analytic references

{definitions}

τ_D = (1 + α²)/(α γ B_k); i is the voltage over V_c0; τ is the pulse width over τ_D; h = B_x/B_k.

Deviation: ours over the formula, less one; for sampled values in standard errors (σ), with the chance of a false alarm
beside the tolerance (17: the score of the p-value). Where a formula is an approximation, the tolerance is the range in
which it is known to be off (10, 12 to 15, the asymptote of 14).

{comparisons}

## What is not validated

* **The macrospin itself.** Every method here solves the same model of one rigid moment. Domain walls, edge modes and
  non-uniform reversal do not exist in it, although the discs are about as wide as a domain wall of their material or
  wider. No micromagnetic simulation was compared.
* **The devices.** The cards' values marked `assumed` (`mtjspice device show`) are assumptions; those marked `derived`
  were partly set to reproduce a published number, which is then no evidence. No curve here is compared with a
  measurement of the device that a card is named after.
* **Write error rates below about 1e-3** have no trials behind them; they rest on the finite-volume solution (axial
  devices only) and on the agreement of resolutions. Real devices add defects and back-hopping.
* **Extensions of the equation**: self-heating, the lagging VCMA field, current-driven and spin-orbit torques and the
  temperature laws are tested term by term ([test_lanes.py]({tests}/test_lanes.py),
  [test_temperature.py]({tests}/test_temperature.py)), not against devices.
* **Circuits.** How well ngspice and the junctions are coupled is in [fidelities.md]({docs}fidelities.md) and
  [cosimulation.md]({docs}cosimulation.md).
"""


def write_columns(path: Path, table: Mapping[str, Sequence[Any] | NDArray[Any]]) -> None:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow([f"{value:.9g}" if isinstance(value, float) else value for value in row])
    write_atomically(path, text.getvalue())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "validation", help="folder of the figures")
    folder = output_folder(parser.parse_args().out.resolve())
    begin = time.monotonic()

    def progress(what: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {what}", file=sys.stderr, flush=True)

    results = compute(progress)
    write_columns(folder / "references.csv", columns(results))
    failures = [f"reference {result.number}, {result.case}" for result in results if not result.holds]
    drawn: dict[str, Drawn] = {}
    for name, draw in FIGURES.items():
        progress(f"figure: {name}")
        drawn[name] = draw()
        style.save(drawn[name].figure, folder / f"{name}.png")
        write_columns(folder / f"{name}.csv", drawn[name].columns)
        failures += [f"{what}: p = {p:.1e}" for what, p in drawn[name].p_values.items() if not p > SMALLEST_P]
    page = folder.parent / f"{folder.name}.md"
    tests, docs = (Path(os.path.relpath(path, page.parent)).as_posix() for path in (TESTS, REPOSITORY / "docs"))
    text = PAGE.format(
        version=__version__, folder=folder.name, tests=tests, docs="" if docs == "." else f"{docs}/",
        definitions=what_they_are(tests), comparisons=how_far_apart(results),
        **{name: figure.quoted for name, figure in drawn.items()},
    )  # fmt: skip
    # inserted numbers have shifted the line ends of the paragraphs
    blocks = (fill(block, 120, break_on_hyphens=False) if block[0].isalnum() else block for block in text.split("\n\n"))
    write_atomically(page, "\n\n".join(blocks).rstrip() + "\n")
    progress(f"written: {page}")
    for failure in failures:
        print(f"outside its tolerance: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
