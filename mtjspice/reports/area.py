"""Energy and area of generators of random bits: tables, notes, a figure and files; nothing here simulates but `run`.

matplotlib is imported when the figure is drawn.
"""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtjspice.circuits.benches.lfsr import unchanged
from mtjspice.circuits.technology import Technology
from mtjspice.files import output_folder, write_atomically
from mtjspice.layout import area, plan
from mtjspice.layout.area import Breakdown, BreakEven, Row
from mtjspice.layout.generators import drawn_wires, word_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
LEFT_OUT = ("LFSR-16, LFSR-32", "energies of the compute-in-memory columns", "the array of 64 x 64")  # if quick
COMPARISON = (
    "generator", "technology", "status", "energy [fJ/bit]", "area per bit [um2]", "E x A [pJ um2]", "to the word",
    "rate [Mbit/s]", "E x A / R, to the word",
)  # fmt: skip
AREAS = (
    "circuit", "bits", "area [um2]", "per bit [um2]", "cells [um2]", "share of cells", "bits an operation",
    "per bit of an operation [um2]",
)  # fmt: skip
BREAK_EVEN = ("against", "advantage", "missing", "energy alone [fJ/bit]", "area alone [um2/bit]", "or both less by")


@dataclass(frozen=True)
class Outcome:
    """What was compared, and how: ``supplies`` (V) of the CMOS, whether with ``wires``, what was ``left_out``."""

    technology: str
    supplies: tuple[float, ...]
    wires: bool
    rows: tuple[Row, ...]
    areas: tuple[Breakdown, ...]
    break_even: tuple[BreakEven, ...]
    left_out: tuple[str, ...] = ()

    @property
    def word(self) -> Row:
        """The MeRAM word, with which all others are compared."""
        return next(row for row in self.rows if row.name == word_name())

    def ratio(self, row: Row) -> float | None:
        """E x A in that of the word; above 1 the word is better."""
        return None if row.product is None or self.word.product is None else row.product / self.word.product

    def rate_ratio(self, row: Row) -> float | None:
        """The same of E x A / R, R the rate of the whole area."""
        own = self.word.product_per_rate
        return None if row.product_per_rate is None or own is None else row.product_per_rate / own

    def as_dict(self) -> dict[str, Any]:
        """For JSON, SI units."""
        return {
            "technology": self.technology, "supplies": list(self.supplies), "wires": self.wires,
            "left_out": list(self.left_out), "rows": [self._row(row) for row in self.rows],
            "areas": [_area(one) for one in self.areas],
            "break_even": [
                {
                    "against": one.against, "ratio": one.ratio, "wanted": one.wanted, "missing": one.missing,
                    "energy": one.energy, "area_per_bit": one.area_per_bit, "each": one.each,
                }
                for one in self.break_even
            ],
        }  # fmt: skip

    def _row(self, row: Row) -> dict[str, Any]:
        return {
            "name": row.name, "technology": row.technology, "status": row.status, "bits": row.bits,
            "energy": row.energy, "area": row.area, "area_per_bit": row.area_per_bit,
            "energy_per_bit_per_area": row.product, "ratio_to_word": self.ratio(row), "energy_by_area": row.density,
            "throughput": row.throughput, "product_per_rate": row.product_per_rate,
            "rate_ratio_to_word": self.rate_ratio(row), "source": row.source,
        }  # fmt: skip


def _area(one: Breakdown) -> dict[str, Any]:
    return {
        "name": one.name, "bits": one.bits, "area": one.total, "area_per_bit": one.per_bit, "cells": one.cells,
        "cell_share": one.cell_share, "bits_per_operation": one.at_once,
        "area_per_operation_bit": one.per_operation_bit,
    }  # fmt: skip


def run(
    technology: Technology, supplies: Sequence[float], *, wires: bool, quick: bool = False,
    stage: Callable[[str], None] = lambda text: None,
) -> Outcome:  # fmt: skip
    """Measure everything; ``quick`` leaves `LEFT_OUT` out. InputError for wires without KLayout's Python module."""
    area_of = cache(plan.area)  # cells and registers are asked for again and again
    rows = area.comparison(
        technology, area_of, supplies=supplies, wires=drawn_wires() if wires else unchanged, quick=quick, stage=stage
    )
    stage("areas")
    areas = area.breakdowns(technology, area_of, quick)
    against = tuple(area.break_even(rows, word_name()))
    return Outcome(technology.name, tuple(supplies), wires, rows, areas, against, LEFT_OUT if quick else ())


# --- tables --------------------------------------------------------------------------------------------------


def tables(outcome: Outcome) -> list[Table]:
    """Header and rows: the comparison, areas, what would have to hold for the claimed factor."""
    return [
        (COMPARISON, [_compared(outcome, row) for row in outcome.rows]),
        (AREAS, [_taken(one) for one in outcome.areas]),
        (BREAK_EVEN, [_even(one) for one in outcome.break_even]),
    ]


def _compared(outcome: Outcome, row: Row) -> tuple[str, ...]:
    values = (
        (row.energy, 1e15), (row.area_per_bit, 1e12), (row.product, 1e24), (outcome.ratio(row), 1.0),
        (row.throughput, 1e-6), (outcome.rate_ratio(row), 1.0),
    )  # fmt: skip
    shown = ("-" if value is None else _number(value * unit) for value, unit in values)
    return (row.name, row.technology, row.status, *shown)


def _taken(one: Breakdown) -> tuple[str, ...]:
    areas = (f"{_number(value * 1e12)}" for value in (one.total, one.per_bit, one.cells))
    return (
        one.name, str(one.bits), *areas, f"{one.cell_share:.1%}", str(one.at_once),
        _number(one.per_operation_bit * 1e12),
    )  # fmt: skip


def _even(one: BreakEven) -> tuple[str, ...]:
    values = (one.ratio, one.missing, one.energy * 1e15, one.area_per_bit * 1e12, one.each)
    return (one.against, *(_number(value, 3) for value in values))


def _number(value: float, digits: int = 4) -> str:
    """Without an exponent for what fits into a column."""
    return f"{value:.0f}" if 10 ** (digits - 1) <= abs(value) < 1e7 else f"{value:.{digits}g}"


def notes(outcome: Outcome) -> tuple[str, ...]:
    """What the numbers depend on."""
    wires = (
        "energies of what was simulated include the capacitances of the drawn wires"
        if outcome.wires
        else "energies are without the wires of the layouts (--wires needs KLayout's Python module)"
    )
    lines = [
        "E x A: energy of a bit times the area that makes one bit of an operation; lower is better. To the word: "
        "ratio to that of the MeRAM word, above 1 the word is better. R: bits a second of the whole area",
        f"{wires}; those of ChaCha and Philox have none, which is in their favour. Areas: drawn by one generator",
        f"the last table: what the word would need for a factor of {area.CLAIM:g}, either of the two or both",
        "published generators are of other processes and stand beside, not against; sources: --json or --out",
    ]
    if outcome.left_out:
        lines.append(f"left out: {', '.join(outcome.left_out)}; run without --quick for all")
    return tuple(lines)


# --- files ---------------------------------------------------------------------------------------------------


def figure(outcome: Outcome) -> "Figure":
    """Area against energy; see `mtjspice.reports.area_figure`."""
    from mtjspice.reports import area_figure

    return area_figure.figure(outcome)


def save_figure(outcome: Outcome, path: Path) -> None:
    """Write the figure in the format of the suffix."""
    from mtjspice.reports import style

    style.save(figure(outcome), path)


def write(outcome: Outcome, folder: Path) -> None:
    """Write figure.png, result.json, comparison.csv and tables.md to ``folder``."""
    output_folder(folder)
    found = outcome.as_dict()
    write_atomically(folder / "result.json", json.dumps(found, indent=2, allow_nan=False) + "\n")
    text = StringIO()
    writer = csv.DictWriter(text, list(found["rows"][0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found["rows"])
    write_atomically(folder / "comparison.csv", text.getvalue())
    write_atomically(folder / "tables.md", "\n\n".join(map(_markdown, tables(outcome))) + "\n")
    save_figure(outcome, folder / "figure.png")


def _markdown(table: Table) -> str:
    header, rows = table
    numbers = [all(row[k][:1].isdigit() or row[k] in ("-", "") for row in rows) and k > 0 for k in range(len(header))]
    rule = " | ".join("---:" if number else "---" for number in numbers)
    return "\n".join([f"| {' | '.join(header)} |", f"| {rule} |", *(f"| {' | '.join(row)} |" for row in rows)])
