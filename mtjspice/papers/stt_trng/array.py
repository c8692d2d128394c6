"""A million cells: which fraction of them has a usable bias, by the way they are trimmed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import array_figures as figures
from mtjspice.papers.stt_trng import claims, limits
from mtjspice.papers.stt_trng.array_stream import SPREAD, Stream, stream_finding, stream_of
from mtjspice.papers.stt_trng.cells import (
    CELLS,
    DAC,
    ROW,
    TRIMS,
    Floats,
    lines,
    sampled,
    triples,
    usable,
    widths,
    with_stuck,
)
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import RATE

if TYPE_CHECKING:
    from mtjspice.statistics import Proportion

SPREADS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1)  # of V50, relative
STEPS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.02, 0.03)  # of the DAC, relative to V50
STUCK = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # of the cells
ROWS = (16, 32, 64, 128, 256, 512, 1024)
Key = tuple[str, str, float, float]  # curve, trim, spread, step


@dataclass(frozen=True)
class Made:
    """What was computed: exact fractions and counted ones by `Key`, XORs of three by curve and trim."""

    widths: dict[str, float]
    drop: Floats
    exact: dict[Key, tuple[float, float, float]]  # for every one of `_specs`
    counted: "dict[Key, Proportion]"
    triples: dict[tuple[str, str], tuple[float, float, float]]


def _specs() -> dict[str, float]:
    return {
        "raw, 10⁶ bits": limits.raw_limit(), "XOR, 10⁶ bits": limits.xor_limit(), "XOR, 10⁹ bits": limits.xor_limit(1e9)
    }  # fmt: skip


def run(context: Context) -> Section:
    """Integrate the law of a million cells, and draw arrays to check it."""
    cells = context.effort(CELLS // 4, CELLS)
    made = _compute(np.random.default_rng([context.seed, 5]), cells)
    return _section(context, cells, made, stream_of(context, made.widths["card, 10 ns"]))


def _compute(rng: np.random.Generator, cells: int) -> Made:
    from mtjspice.statistics import wilson

    made = Made(widths(), lines().voltages(), {}, {}, {})
    for curve, width in made.widths.items():
        for trim in TRIMS:
            for spread, step in dict.fromkeys([(one, DAC) for one in SPREADS] + [(SPREAD, one) for one in STEPS]):
                law = [usable(spec, width, spread, trim, step, made.drop) for spec in _specs().values()]
                made.exact[curve, trim, spread, step] = law[0], law[1], law[2]
                error = sampled(rng, cells, width, spread, trim, step, made.drop)
                good = int((np.abs(error) < limits.xor_limit()).sum())
                made.counted[curve, trim, spread, step] = wilson(good, error.size)
                if (spread, step) == (SPREAD, DAC):
                    made.triples[curve, trim] = triples(rng.permutation(error), limits.raw_limit())
    return made


ASSUMED = (
    f"V50 normal with {SPREAD:.0%} of spread, the same s of all cells; steps of the DAC of {DAC:.1%} of V50; lines of"
    f" {ROW} drawn cells in gf180mcu, driven from one end, with this project's card and switches; no drift, no"
    " temperature"
)


def _section(context: Context, cells: int, made: Made, stream: Stream) -> Section:
    return Section(
        answer=_answer(made, stream[0]), findings=[_rate(), *_cells(made), *_lines(made), stream_finding(stream)],
        plates=(
            figures.cells_plate(_cell_columns(made), cells), figures.lines_plate(_line_columns(made), cells),
        ),
        setting=(
            f"Exact integration over the law of V50; {cells:,} cells drawn for each point as a check; logistic"
            f" switching curves with s/V50 of {' and '.join(f'{width:.1%}' for width in made.widths.values())}; stream:"
            f" emulated, {stream[1]} sequences."
        ),
    )  # fmt: skip


def _cell_columns(made: Made) -> Lists:
    columns = empty(figures.CELL_COLUMNS)
    for key, law in made.exact.items():
        curve, trim, spread, step = key
        one = made.counted[key]
        add(columns, curve, trim, spread, step, law[1], one.value, one.low, one.high)
    return columns


def _line_columns(made: Made) -> Lists:
    """Usable cells against rows, and usable XORs of three against stuck cells."""
    columns = empty(figures.LINE_COLUMNS)
    for curve, width in made.widths.items():
        for trim in TRIMS:
            for rows in ROWS:
                drop = lines().voltages(rows)
                add(columns, "rows", curve, trim, rows, usable(limits.xor_limit(), width, SPREAD, trim, DAC, drop))
            for stuck in STUCK:
                add(columns, "stuck", curve, trim, stuck, with_stuck(made.triples[curve, trim], stuck))
    return columns


def _rate() -> Finding:
    cells = claims.MILLION_CELLS.value or 0.0
    return Finding(
        key="rate", quantity=f"rate of {cells:,.0f} cells at {RATE / 1e3:g} kHz each", paper=claims.MILLION_CELLS,
        ours=Value(value=cells * RATE, unit="bit/s"), status=Status.NOT_COMPARABLE,
        reason=(
            f"One of the paper's numbers times another, no evidence: {cells * RATE / 1e9:.0f} times the Gb/s of the"
            f" abstract, a third of it behind an XOR; {1e9 / RATE:,.0f} cells make a Gb/s. That the cells can be read"
            " in parallel and that each is near 1/2 is what the number presupposes."
        ),
        assumed="every cell is used, and keeps its rate",
    )  # fmt: skip


def _cells(made: Made) -> list[Finding]:
    findings = []
    for curve in made.widths:
        for trim in TRIMS:
            raw, xor, long = made.exact[curve, trim, SPREAD, DAC]
            findings.append(
                Finding(
                    key=f"{_short(curve)}-{trim.split()[-1]}",
                    quantity=f"fraction of cells that XOR of three repairs ({curve}; {trim})",
                    ours=counted(made.counted[curve, trim, SPREAD, DAC], 4), status=Status.LEFT_OPEN,
                    reason=(
                        f"s/V50 = {made.widths[curve]:.1%}; |P - 1/2| < {limits.xor_limit():.4f}; {xor:.2%} by exact"
                        f" integration. For a test of 10⁹ bits it is {long:.1%}; without an XOR, 10⁶ bits, {raw:.1%}."
                    ),
                    assumed=ASSUMED,
                )
            )  # fmt: skip
    return findings


def _short(curve: str) -> str:
    return "ours" if curve.startswith("card") else "other"


def _lines(made: Made) -> list[Finding]:
    """What the lines and the stuck cells cost."""
    known = lines()
    lost = float(made.drop[0] - made.drop[-1])
    curve = "card, 10 ns"
    flat = usable(limits.xor_limit(), made.widths[curve], SPREAD, TRIMS[0], DAC, np.zeros(1))
    worst = STUCK[-1]
    each = {trim: [with_stuck(made.triples[curve, trim], stuck) for stuck in (0.0, worst)] for trim in TRIMS}
    return [
        Finding(
            key="drop", quantity=f"voltage lost along a line of {ROW} cells, first to last row",
            ours=Value(value=lost, unit="%", digits=3), status=Status.LEFT_OPEN,
            reason=(
                f"{known.per_row:.3f} ohm a row of bit and source line against {known.parallel + known.series:.0f} ohm"
                f" of junction and switches; that is {lost / made.widths[curve]:.1f} times the s of the card and"
                f" {lost / made.widths['another device']:.1f} times that of the other. One voltage for all then serves"
                f" {made.exact[curve, TRIMS[0], SPREAD, DAC][1]:.1%} of the cells instead of {flat:.1%}. It is the same"
                " in every column, so that a voltage a row takes it in, and so do lines that are driven from opposite"
                " ends."
            ),
            assumed=f"{ASSUMED}; the other device has the resistance of this one",
        ),
        Finding(
            key="stuck", quantity=f"XORs of three that stay usable with {worst:.0%} of stuck cells ({curve})",
            ours=", ".join(f"{trim} {each[trim][1]:.2%}" for trim in TRIMS), status=Status.LEFT_OPEN,
            reason=(
                f"{each[TRIMS[2]][0]:.2%} with a voltage a cell and none stuck. An XOR with one stuck cell still has"
                " the product of the two others, twice over: with a voltage a cell"
                f" {made.triples[curve, TRIMS[2]][1]:.0%} of such XORs stay usable, with one for all"
                f" {made.triples[curve, TRIMS[0]][1]:.0%}. Usable: a bias that the frequency test of 10⁶ bits passes"
                " every other time."
            ),
            assumed=f"{ASSUMED}; stuck cells anywhere",
        ),
    ]  # fmt: skip


def _answer(made: Made, passed: tuple[str, bool]) -> tuple[str, ...]:
    ours, other = ([made.exact[curve, trim, SPREAD, DAC][1] for trim in TRIMS] for curve in made.widths)
    stuck = with_stuck(made.triples["card, 10 ns", TRIMS[2]], STUCK[-1])
    return (
        f"With V50 scattered by {SPREAD:.0%} and lines of {ROW} cells, one voltage for all leaves {ours[0]:.0%} of the"
        f" cells usable behind XOR of three with the wide curve of the card and {other[0]:.0%} with the narrow one of"
        f" another device. A voltage a row makes up for what the lines lose and gives {ours[1]:.0%} and {other[1]:.0%}:"
        f" nearly all of the scatter is among the {ROW} cells of a row. With one a cell, in steps of {DAC:.1%} of V50,"
        f" {ours[2]:.1%} and {other[2]:.1%} are usable; that is a million settings to be found and stored.",
        (
            f"The stream passes all the same: untrimmed, behind an XOR, {passed[0]}. A test of a million bits sees each"
            " cell a few times only, so that passing is no evidence for the cells of a large array."
            if passed[1]
            else f"Untrimmed, behind an XOR, the stream does not pass: {passed[0]}. A test of a million bits sees each"
            " cell a few times only, so that it says little about single cells."
        ),
        f"With {STUCK[-1]:.0%} of stuck cells {stuck:.2%} of the XORs of three stay usable with a voltage a cell: two"
        " trimmed cells make up for the third.",
    )


EXPERIMENT = Experiment(
    key="array",
    title="Would a million cells work?",
    question="Which fraction of a million cells is near enough to one half, and what does each kind of trim give?",
    run=run,
    draw={"cells": figures.draw_cells, "lines": figures.draw_lines},
    minutes=(0.2, 0.6),
)
