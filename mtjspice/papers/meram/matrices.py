"""The 2 x 2 matrices of a word in CMOS, and whether its bits are as independent as their Kronecker product says."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Value
from mtjspice.papers.meram.matrices_figures import draw_flips, draw_matrices, plates
from mtjspice.papers.meram.matrices_findings import (
    SHIFTS,
    Measured,
    findings,
    memory_of,
    pooled,
    pulses_of,
    said,
    smallest,
)
from mtjspice.papers.meram.words import PULSES_A_READ
from mtjspice.papers.sections import Section
from mtjspice.statistics import wilson

if TYPE_CHECKING:
    from mtjspice.papers.meram.words import Train

CONTROLS = (2.2, 1.7)  # V: short pulses, about 0.40 and 0.52 ns
SLOPE = 0.05  # V, between which the slope against the width is taken


def run(context: Context) -> Section:
    """Co-simulate the word at two pulses, without resets; test its transitions."""
    from mtjspice.demo import default_bench
    from mtjspice.papers.meram import words
    from mtjspice.spice.engines import find_libngspice
    from mtjspice.spice.pool import CosimPool

    bench = default_bench()
    blocks, chunks = context.effort((4, 3), (8, 6))
    with CosimPool(find_libngspice(), 1) as pool:
        trains = [
            words.train(bench, pool, control, blocks, chunks, context.seed + k) for k, control in enumerate(CONTROLS)
        ]
    measured = [_measured(context, control, train) for control, train in zip(CONTROLS, trains, strict=True)]
    return _section(context, measured)


def _measured(context: Context, control: float, train: "Train") -> Measured:
    from mtjspice.circuits.benches.word_program import switched
    from mtjspice.demo import default_bench
    from mtjspice.papers.meram import independence, words

    bench = default_bench()
    trials = context.effort(10_000, 100_000)
    reached = [columns[0] for columns in words.pulses(bench, (control + SLOPE, control, control - SLOPE))]
    rising, falling = (
        switched(bench.word.card, reached, state, trials, context.seed, bench.temperature) for state in (1, -1)
    )
    slope = float(rising[2] - rising[0]) / trials / (reached[2].width - reached[0].width)
    counts = np.zeros((bench.word.bits, 2, 2), np.int64)
    for bit in range(bench.word.bits):
        np.add.at(counts[bit], (train.before[:, bit], train.before[:, bit] ^ train.after[:, bit]), 1)
    rng = np.random.default_rng([context.seed, round(control * 1000)])
    tests = independence.test(train.before, train.after, context.effort(999, 9999), rng)
    predicted = wilson(int(rising[1]), trials), wilson(int(falling[1]), trials)
    flips = np.array([[[1 - a.value, a.value], [b.value, 1 - b.value]] for a, b in [predicted]])
    power = independence.detectable(train.before, np.repeat(flips, bench.word.bits, axis=0), SHIFTS, rng)
    return Measured(reached[1].width, train, counts, tests, predicted, slope, power)


def _section(context: Context, measured: list[Measured]) -> Section:
    least, number, independent = smallest(measured)
    pulses, bits = pulses_of(measured), len(measured[0].counts)
    first, second = (memory_of(*pooled(one)) for one in measured)
    return Section(
        answer=(
            f"In a word of {bits} bits in gf180mcu that share their pulse generator and rail, "
            + ("no dependence of bits was found" if independent else "bits depend on each other")
            + f" ({pulses} words, smallest p-value {least:.2g} of {number})."
            + (" That is no evidence for the Kronecker product" if independent else " That speaks against independence")
            + ": noise is independent in the model, and only the shared circuit could couple bits. A jitter of the"
            f" shared generator of {said(measured)}, with either pulse, would have been seen in nine of ten such"
            " experiments; the simulated generator has none, a real one has.",
            "Without a reset successive reads of a bit are correlated, by 1 - p01 - p10:"
            f" {_limited(first)} with pulses of {measured[0].width * 1e9:.2f} ns, {_limited(second)} with"
            f" {measured[1].width * 1e9:.2f} ns (95 %). Only at single widths p01 + p10 is 1, and a word forgets"
            " without a reset.",
        ),
        findings=findings(measured),
        plates=plates(measured, context.seed),
        setting=(
            f"Word of {bits} columns in gf180mcu, card meram100, co-simulated; {pulses} pulses"
            f" without resets, a read after every {PULSES_A_READ}; {context.effort(999, 9999)} permutations;"
            f" predictions from {measured[0].predicted[0].trials} macrospins."
        ),
    )


def _limited(memory: Value) -> str:
    return f"{memory.value:+.2f} ({memory.limits[0]:+.2f} to {memory.limits[1]:+.2f})"


EXPERIMENT = Experiment(
    key="matrices",
    title="Are the bits of a word independent?",
    question="Does a word in CMOS, whose bits share a pulse generator, obey the Kronecker product of 2 x 2 matrices?",
    run=run,
    draw={"flips": draw_flips, "matrices": draw_matrices},
    minutes=(1.0, 3.0),
)
