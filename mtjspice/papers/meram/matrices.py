"""The 2 x 2 matrices of a word in CMOS, and whether its bits are as independent as their Kronecker product says."""

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.matrices_figures import (
    draw_flips,
    draw_matrices,
    plates,
)
from mtjspice.papers.meram.text import percent
from mtjspice.papers.meram.words import PULSES_A_READ
from mtjspice.papers.sections import Section
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    from mtjspice.papers.meram.independence import Independence
    from mtjspice.papers.meram.words import Train

Floats = NDArray[np.float64]
CONTROLS = (2.2, 1.7)  # V: short pulses, about 0.40 and 0.52 ns
SLOPE = 0.05  # V, between which the slope against the width is taken
SHIFTS = np.array([0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28])  # standard deviations of a common probability
POWER = 0.9
_CARD = "circuit, and the card's values that no paper gives"


@dataclass(frozen=True, eq=False)
class Measured:
    """One pulse: its ``width`` (s), transitions ``counts`` [bit, state before, flipped], tests, and predictions.

    ``predicted`` P to AP and AP to P are of macrospins on the circuit's waveform; ``slope`` (1/s) of P against width.
    """

    width: float
    train: "Train"
    counts: NDArray[np.int64]
    tests: "Independence"
    predicted: tuple[Proportion, Proportion]
    slope: float
    power: Floats

    def proportion(self, bit: int, state: int) -> Proportion:
        """Flips of a bit from a state."""
        stayed, flipped = self.counts[bit, state]
        return wilson(int(flipped), int(stayed + flipped))

    def matrices(self) -> Floats:
        """Transition matrices (bits, 2, 2), estimated with Jeffreys' prior."""
        flips = (self.counts[:, :, 1] + 0.5) / (self.counts.sum(axis=2) + 1)
        return np.array([[[1 - rise, rise], [fall, 1 - fall]] for rise, fall in flips])


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
    from mtjspice.papers.meram.independence import FALSE_ALARMS

    tests = [one.tests for one in measured]
    number = 3 * len(tests)
    smallest = min(one.smallest for one in tests)
    independent = smallest >= FALSE_ALARMS / number
    pulses = [len(one.train.before) for one in measured]
    bits = len(measured[0].counts)
    memory = [_memory(one.proportion(bit, 0), one.proportion(bit, 1)) for one in measured for bit in range(bits)]
    together = [_memory(*_pooled(one)) for one in measured]
    seen = [_reached(one) for one in measured]
    alike = max(_heterogeneity(one) for one in measured)
    misread = wilson(sum(one.train.misread for one in measured), sum(one.train.reads for one in measured))
    wrong = [
        f"{name} {value:.3f}" for one in tests
        for name, value in (("common", one.common), ("pairs", one.pairs), ("neighbours", one.neighbours))
    ]  # fmt: skip
    findings = [
        Finding(
            key="kronecker",
            quantity="independence of the bits of a word in CMOS with a shared pulse generator",
            paper=claims.KRONECKER,
            ours=f"smallest of {number} p-values {smallest:.3g}",
            status=Status.AGREES if independent else Status.DIFFERS,
            reason=(
                "Thermal fields and the spread of the drive are independent in the model and its transistors noiseless,"
                " so that only the shared circuit could couple bits; a jitter of its pulses would be seen from"
                f" {_said(seen)} on. Permutation tests of {' and '.join(map(str, pulses))} words: {', '.join(wrong)}."
                f" An alarm is a value below {FALSE_ALARMS / number:.4f}, which independent bits give in"
                f" {percent(FALSE_ALARMS)} of experiments or less."
            ),
            assumed="thermal fields and drive spread of each junction's own; noiseless transistors",
        ),
        *(
            Finding(
                key=f"memory{k}",
                quantity=f"memory 1 - p01 - p10 of a bit that is not reset, pulses of {one.width * 1e9:.2f} ns",
                ours=together[k],
                status=Status.LEFT_OPEN,
                reason=(
                    f"All {bits} bits together; macrospins on the circuit's waveform say"
                    f" {1 - one.predicted[0].value - one.predicted[1].value:+.3f}. Single bits:"
                    f" {_range([memory[k * bits + bit] for bit in range(bits)])}."
                ),
                assumed=_CARD,
            )
            for k, one in enumerate(measured)
        ),
        *(
            Finding(
                key=f"matrix{k}",
                quantity=f"p01 and p10, pulses of {one.width * 1e9:.2f} ns",
                ours=f"{_text(_pooled(one)[0])}; {_text(_pooled(one)[1])}",
                status=Status.LEFT_OPEN,
                reason=(
                    f"Counted on {bits} co-simulated bits, 95 %. Macrospins on the same waveform:"
                    f" {one.predicted[0].value:.3f} and {one.predicted[1].value:.3f}. The two differ by spin torque, so"
                    " that a toggled bit is not fair in the end."
                ),
                assumed=_CARD,
            )
            for k, one in enumerate(measured)
        ),
        Finding(
            key="alike",
            quantity="largest score of a bit whose matrix differs from the others'",
            ours=Value(value=alike, digits=2),
            status=Status.LEFT_OPEN,
            reason=(
                f"Of {2 * bits * len(measured)} rows of matrices; the largest of as many normal scores exceeds 3 in"
                f" {percent(1 - (1 - 0.0027) ** (2 * bits * len(measured)))} of cases by chance. Junctions and"
                " transistors are alike here; with mismatch, see variability."
            ),
            assumed=_CARD,
        ),
        *(
            Finding(
                key=f"power{k}",
                quantity=f"common jitter of the pulses that would have been seen, {one.width * 1e9:.2f} ns",
                ours=seen[k],
                status=Status.LEFT_OPEN,
                reason=(
                    f"Standard deviation of the width (90 % power of the test of common flips) by the slope of"
                    f" {one.slope * 1e-9:+.2f} per ns. A generator with such jitter would flip bits together: that the"
                    " simulated one has none is no evidence for a real one."
                ),
                assumed=_CARD,
            )
            for k, one in enumerate(measured)
        ),
        Finding(
            key="misread",
            quantity="bits that were read wrongly",
            ours=_proportion(misread),
            status=Status.LEFT_OPEN,
            reason=f"{misread.count} of {misread.trials}. Matrices of bits are"
            f" {'not quite ' if misread.count else ''}those of junctions.",
            assumed=_CARD,
        ),
    ]
    first, second = together
    return Section(
        answer=(
            f"In a word of {bits} bits in gf180mcu that share their pulse generator and rail, "
            + ("no dependence of bits was found" if independent else "bits depend on each other")
            + f" ({' and '.join(map(str, pulses))} words, smallest p-value {smallest:.2g} of {number})."
            + (" That is no evidence for the Kronecker product" if independent else " That speaks against independence")
            + ": noise is independent in the model, and only the shared circuit could couple bits. The test would have"
            f" seen a jitter of the shared generator of {_said(seen)}; the simulated generator has none, a real one"
            " has.",
            f"Bits that are not reset remember: at {measured[0].width * 1e9:.2f} ns the correlation of successive reads"
            f" is {first.value:+.2f}, at {measured[1].width * 1e9:.2f} ns it is {second.value:+.2f}. There is none"
            " only where p01 + p10 = 1, at single widths of the pulse; elsewhere a word needs a reset or is a chain.",
        ),
        findings=findings,
        plates=plates(measured, context.seed),
        setting=(
            f"Word of {bits} columns in gf180mcu, card meram100, co-simulated; {' and '.join(map(str, pulses))} pulses"
            f" without resets, a read after every {PULSES_A_READ}; {context.effort(999, 9999)} permutations;"
            f" predictions from {measured[0].predicted[0].trials} macrospins."
        ),
    )


def _pooled(one: Measured) -> tuple[Proportion, Proportion]:
    total = one.counts.sum(axis=0)
    return wilson(int(total[0, 1]), int(total[0].sum())), wilson(int(total[1, 1]), int(total[1].sum()))


def _memory(rise: Proportion, fall: Proportion) -> Value:
    """1 - p01 - p10 with limits joined from both Wilson intervals (Newcombe 1998)."""
    value = 1 - rise.value - fall.value
    below = hypot(rise.high - rise.value, fall.high - fall.value)
    above = hypot(rise.value - rise.low, fall.value - fall.low)
    return Value(value=value, low=value - below, high=value + above, kind="95 %, Newcombe")


def _heterogeneity(one: Measured) -> float:
    """Largest |score| of a bit's flips against those of all bits."""
    scores = []
    for state in (0, 1):
        trials, flips = one.counts[:, state].sum(axis=1), one.counts[:, state, 1]
        mean = flips.sum() / trials.sum()
        scores.append(np.abs(flips - trials * mean) / np.sqrt(np.maximum(trials * mean * (1 - mean), 1e-12)))
    return float(np.max(scores))


def _reached(one: Measured) -> Value | str:
    """Jitter (s) that the test sees with `POWER`, interpolated; text where the largest shift is not seen."""
    above = np.flatnonzero(one.power >= POWER)
    if not above.size:
        return f"above {SHIFTS[-1] / abs(one.slope) * 1e12:.0f} ps"
    k = int(above[0])
    low = SHIFTS[k - 1] if k else 0.0
    scale = 1 / abs(one.slope)
    return Value(
        value=float(SHIFTS[k] * scale), unit="s", low=float(low * scale), high=float(SHIFTS[k] * scale), kind="grid"
    )


def _said(seen: list[Value | str]) -> str:
    return " and ".join(one if isinstance(one, str) else f"{one.value * 1e12:.0f} ps" for one in seen)


def _range(values: list[Value]) -> str:
    return f"{min(one.value for one in values):+.2f} to {max(one.value for one in values):+.2f}"


def _text(found: Proportion) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _proportion(found: Proportion) -> Value:
    return Value(value=found.value, low=found.low, high=found.high, kind="95 %", digits=2)


EXPERIMENT = Experiment(
    key="matrices",
    title="Are the bits of a word independent?",
    question="Does a word in CMOS, whose bits share a pulse generator, obey the Kronecker product of 2 x 2 matrices?",
    run=run,
    draw={"flips": draw_flips, "matrices": draw_matrices},
    minutes=(1.0, 3.0),
)
