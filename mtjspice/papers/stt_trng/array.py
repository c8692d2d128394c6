"""A million cells: which fraction of them has a usable bias, by the way they are trimmed."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.sections import Columns, Plate, Section
from mtjspice.papers.stt_trng import claims, limits
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import RATE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.statistics import Proportion

SPREADS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1)  # of V50, relative
CELLS, ROW = 1 << 20, 1024
STEPS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)  # of the DAC, relative to V50
STUCK = 1e-3  # of the cells, assumed
TRIMS = ("one voltage", "one voltage a row", "one voltage a cell")
DAC = 0.003  # relative step of the middle figure
_SPREAD, _STEP, _TRIM, _CURVE, _SPEC = "spread of V50", "DAC step / V50", "trim", "switching curve", "limit of the bias"
_FRACTION, _LOW, _HIGH = "fraction of cells", "low", "high"
Floats = NDArray[np.float64]


def widths() -> dict[str, float]:
    """s/V50 of the card's curve and of the published one of another device."""
    from mtjspice.device.half_voltage import half_voltage

    ours = half_voltage("stt_trng_10ns")
    half, slope = limits.other_device()
    return {"card, 10 ns": ours.slope / abs(ours.voltage), "another device": slope / half}


def biases(rng: np.random.Generator, cells: int, spread: float, width: float, trim: str, step: float) -> Floats:
    """P - 1/2 of every cell; ``spread``, ``width`` and ``step`` relative to V50, trims without any other error."""
    deviation = spread * rng.standard_normal(cells)
    if trim == TRIMS[0]:
        given = np.full(cells, deviation.mean())
    elif trim == TRIMS[1]:
        given = np.repeat(deviation.reshape(-1, ROW).mean(axis=1), ROW)
    else:
        given = deviation
    applied = step * np.rint(given / step)
    return np.asarray(expit((applied - deviation) / width) - 0.5)


def run(context: Context) -> Section:
    """Draw arrays of a million cells."""
    cells = context.effort(CELLS // 4, CELLS)
    rng = np.random.default_rng([context.seed, 5])
    specs = {
        "raw, 10⁶ bits": limits.raw_limit(),
        "XOR, 10⁶ bits": limits.xor_limit(),
        "XOR, 10⁹ bits": limits.xor_limit(1e9),
    }
    columns = empty((_CURVE, _TRIM, _SPEC, _SPREAD, _STEP, _FRACTION, _LOW, _HIGH))
    found: dict[tuple[str, str, str, float, float], Proportion] = {}
    made = widths()
    for curve, width in made.items():
        for trim in TRIMS:
            for spread, step in [(one, DAC) for one in SPREADS] + [(0.05, one) for one in STEPS]:
                if (curve, trim, "XOR, 10⁶ bits", spread, step) in found:
                    continue
                error = np.abs(biases(rng, cells, spread, width, trim, step))
                stuck = rng.random(cells) < STUCK
                for name, spec in specs.items():
                    one = _counted((error < spec) & ~stuck)
                    found[curve, trim, name, spread, step] = one
                    add(columns, curve, trim, name, spread, step, one.value, one.low, one.high)
    return _section(context, cells, found, columns, _stream(context), made)


def _counted(good: "NDArray[np.bool_]") -> "Proportion":
    from mtjspice.statistics import wilson

    return wilson(int(good.sum()), good.size)


def _stream(context: Context) -> tuple[tuple[str, bool], int, float, float]:
    """Bits of an untrimmed array behind XOR: what passes, sequences, and the worst tenth of its triples."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.emulated import EmulatedSource, Imperfections
    from mtjspice.bits.sp800_22.battery import run_sequences
    from mtjspice.device.chain import ChainModel
    from mtjspice.papers.stt_trng.randomness import outcome_of

    cells, sequences = 3 << 16, context.effort(56, 100)
    spread = 0.05 / widths()["card, 10 ns"]
    fair = ChainModel(np.array([0.5]), np.array([0.5]))
    source = EmulatedSource(fair, context.seed, cells, Imperfections(spread=spread))
    e = 2 * expit(source.shifts()) - 1
    triples = np.abs(e.reshape(-1, 3).prod(axis=1)) / 2
    bits = Xor(3)(source.stream(3 * sequences * limits.MEGABIT))
    result = run_sequences(bits, limits.MEGABIT, sequences=sequences, workers=1)
    return outcome_of(result), sequences, float(np.quantile(triples, 0.9)), float(triples.max())


def _section(
    context: Context, cells: int, found: "dict[tuple[str, str, str, float, float], Proportion]",
    columns: Lists, stream: tuple[tuple[str, bool], int, float, float], made: dict[str, float],
) -> Section:  # fmt: skip
    assumed = (
        f"V50 normal with 5 % of spread, {STUCK:.1%} of stuck cells, steps of the DAC of {DAC:.1%} of V50; no drift, no"
        " temperature"
    )
    key = "XOR, 10⁶ bits"
    findings = [
        Finding(
            key="rate",
            quantity="rate of a million cells at 100 kHz each",
            paper=claims.MILLION_CELLS,
            ours=Value(value=1e6 * RATE, unit="bit/s"),
            status=Status.NOT_COMPARABLE,
            reason=(
                "One of the paper's numbers times another, no evidence: a hundred times the Gb/s of the abstract, a"
                " third of it behind an XOR; ten thousand cells make a Gb/s. That the cells can be read in parallel and"
                " that each is near 1/2 is what the number presupposes."
            ),
            assumed="every cell is used, and keeps its 100 kHz",
        )
    ]
    for curve in made:
        for trim in TRIMS:
            one = found[curve, trim, key, 0.05, DAC]
            findings.append(
                Finding(
                    key=f"{'ours' if curve.startswith('card') else 'other'}-{trim.split()[-1]}",
                    quantity=f"{curve}, {trim}: cells that XOR of three repairs",
                    ours=counted(one, 4),
                    status=Status.LEFT_OPEN,
                    reason=(
                        f"s/V50 = {made[curve]:.1%}; |P - 1/2| < {limits.xor_limit():.4f}. In a test of 10⁹ bits"
                        f" {found[curve, trim, 'XOR, 10⁹ bits', 0.05, DAC].value:.1%}, raw"
                        f" {found[curve, trim, 'raw, 10⁶ bits', 0.05, DAC].value:.1%}."
                    ),
                    assumed=assumed,
                )
            )
    (passing, whole), sequences, tenth, worst = stream
    findings.append(
        Finding(
            key="stream", quantity="SP 800-22 on an untrimmed array of 196,608 cells behind XOR of three",
            ours=passing, status=Status.LEFT_OPEN,
            reason=(
                f"{sequences} sequences of 10⁶ bits. Each cell gives {limits.MEGABIT * 3 / (3 << 16):.0f} bits of a"
                f" sequence and biases of cells cancel in the sum, while every tenth triple is off by {tenth:.3f} or"
                f" more, the worst by {worst:.2f}. A test of the stream of a large array says little about its cells;"
                " test the cells."
            ),
            assumed=assumed,
        )
    )  # fmt: skip
    a, b = (found["card, 10 ns", trim, key, 0.05, DAC].value for trim in (TRIMS[0], TRIMS[2]))
    c, d = (found["another device", trim, key, 0.05, DAC].value for trim in (TRIMS[0], TRIMS[2]))
    return Section(
        answer=(
            f"With V50 scattered by 5 %, one voltage for all leaves {a:.0%} of the cells usable behind XOR of three"
            f" with the wide curve of the card and {c:.0%} with the narrow one of another device. A voltage a row"
            f" changes nothing where cells scatter: a row of {ROW} cells has the same scatter inside. It takes one a"
            f" cell, which means a million settings to be stored, and found, and then {b:.1%} and {d:.1%} are usable"
            f" with steps of {DAC:.1%} of V50.",
            (
                "The stream passes all the same"
                if whole else "The stream does not show it by much"
            )
            + f": untrimmed, behind an XOR, {passing}, because no test of a million bits sees a cell often"
            " enough. Passing is no evidence for the cells of a large array.",
            "100 Gb/s is a product of three numbers, not a measurement; the power that goes with it is another"
            " experiment of this page.",
        ),
        findings=findings,
        plates=(
            Plate(
                key="cells",
                caption=(
                    f"Fraction of {cells:,} cells with |P - 1/2| < {limits.xor_limit():.4f} (XOR of three, 10⁶ bits),"
                    f" {STUCK:.1%} stuck. Left: against the spread of V50, steps of the DAC {DAC:.1%} of V50. Right:"
                    " against the step, for a spread of 5 %. Solid: curve of the card; dashed: published curve of"
                    " another device. 95 % intervals are narrower than the lines."
                ),
                alt=(
                    "One voltage for all or for a row loses most cells; one a cell keeps them if its steps are fine"
                    " enough."
                ),
                columns=columns,
            ),
        ),
        setting=(
            f"{cells:,} cells drawn for each point; logistic switching curves with s/V50 of"
            f" {' and '.join(f'{width:.1%}' for width in made.values())}; stream: emulated, {sequences} sequences."
        ),
    )  # fmt: skip


def draw_cells(columns: Columns) -> "Figure":
    """Fraction of usable cells against the spread and against the step of the DAC."""
    from mtjspice.reports.style import BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.1, columns=2, sharey=True)
    spec = columns[_SPEC] == "XOR, 10⁶ bits"
    panels = (
        (_SPREAD, columns[_STEP] == DAC, "spread of V50 [%]"),
        (_STEP, columns[_SPREAD] == 0.05, "step of the DAC / V50 [%]"),
    )
    for axis, (name, chosen, label) in zip(grid[0], panels, strict=True):
        for curve, form in zip(dict.fromkeys(columns[_CURVE].tolist()), ("-", "--"), strict=True):
            for trim, colour, marker in zip(TRIMS, (BLUE, ORANGE, GREEN), "o^s", strict=True):
                mine = spec & chosen & (columns[_CURVE] == curve) & (columns[_TRIM] == trim)
                order = np.argsort(columns[name][mine])
                x, y = 100 * columns[name][mine][order], columns[_FRACTION][mine][order]
                axis.fill_between(x, columns[_LOW][mine][order], columns[_HIGH][mine][order], color=colour, alpha=0.3)
                axis.plot(x, y, form, marker=marker, markersize=3, color=colour, label=trim if form == "-" else None)
        axis.set(xlabel=label, xscale="log", ylim=(0, 1.03))
    grid[0, 0].set_ylabel("usable cells behind XOR")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="array",
    title="Would a million cells work?",
    question="Which fraction of a million cells is near enough to one half, and what does each kind of trim give?",
    run=run,
    draw={"cells": draw_cells},
    minutes=(0.2, 0.5),
)
