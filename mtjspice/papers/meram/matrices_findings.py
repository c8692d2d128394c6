"""What was counted of the word's transitions, and the findings about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.text import limited, percent
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    from mtjspice.papers.meram.independence import Independence
    from mtjspice.papers.meram.words import Train

Floats = NDArray[np.float64]
SHIFTS = np.array([0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2, 0.28])  # standard deviations of a common probability
POWER = 0.9
TESTS = 3  # for each pulse
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


def findings(measured: Sequence[Measured]) -> list[Finding]:
    """All findings."""
    return [_independent(measured), *_matrices(measured), _alike(measured), *_power(measured), _misread(measured)]


def smallest(measured: Sequence[Measured]) -> tuple[float, int, bool]:
    """The smallest p-value, of how many, and whether it raises no alarm."""
    from mtjspice.papers.meram.independence import FALSE_ALARMS

    found, number = min(one.tests.smallest for one in measured), TESTS * len(measured)
    return found, number, found >= FALSE_ALARMS / number


def pulses_of(measured: Sequence[Measured]) -> str:
    """How many pulses there were."""
    return " and ".join(str(len(one.train.before)) for one in measured)


def _independent(measured: Sequence[Measured]) -> Finding:
    from mtjspice.papers.meram.independence import FALSE_ALARMS

    least, number, independent = smallest(measured)
    wrong = [
        f"{name} {value:.3f}" for one in measured
        for name, value in (
            ("common", one.tests.common), ("pairs", one.tests.pairs), ("neighbours", one.tests.neighbours)
        )
    ]  # fmt: skip
    return Finding(
        key="kronecker",
        quantity="independence of the bits of a word in CMOS with a shared pulse generator",
        paper=claims.KRONECKER,
        ours=f"{'no ' if independent else ''}dependence found, smallest of {number} p-values {least:.3g}",
        # independence is an input of the model, so that not to find dependence is no evidence
        status=Status.NOT_COMPARABLE if independent else Status.DIFFERS,
        reason=(
            "Thermal fields and the spread of the drive are independent in the model and its transistors noiseless,"
            " so that only the shared circuit could couple bits; a jitter of its pulses would be seen from"
            f" {said(measured)} on. Permutation tests of {pulses_of(measured)} words: {', '.join(wrong)}."
            f" An alarm is a value below {FALSE_ALARMS / number:.4f}, which independent bits give in"
            f" {percent(FALSE_ALARMS)} of experiments or less."
        ),
        assumed="thermal fields and drive spread of each junction's own; noiseless transistors",
    )


def _matrices(measured: Sequence[Measured]) -> list[Finding]:
    bits = len(measured[0].counts)
    memory = [memory_of(one.proportion(bit, 0), one.proportion(bit, 1)) for one in measured for bit in range(bits)]
    together = [memory_of(*pooled(one)) for one in measured]
    return [
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
                ours=f"{limited(pooled(one)[0])}; {limited(pooled(one)[1])}",
                status=Status.LEFT_OPEN,
                reason=(
                    f"Counted on {bits} co-simulated bits, 95 %. Macrospins on the same waveform:"
                    f" {one.predicted[0].value:.3f} and {one.predicted[1].value:.3f}; spin torque makes them differ."
                    " A bit that is toggled for long is in AP with p01 / (p01 + p10), by macrospins"
                    f" {one.predicted[0].value / (one.predicted[0].value + one.predicted[1].value):.3f}."
                ),
                assumed=_CARD,
            )
            for k, one in enumerate(measured)
        ),
    ]


def _alike(measured: Sequence[Measured]) -> Finding:
    bits, alike = len(measured[0].counts), max(_heterogeneity(one) for one in measured)
    return Finding(
        key="alike",
        quantity="largest deviation of a bit's flips from those of all bits, in standard deviations",
        ours=Value(value=alike, digits=2),
        status=Status.LEFT_OPEN,
        reason=(
            f"Of {2 * bits * len(measured)} rows of matrices; the largest of as many normal scores exceeds 3 in"
            f" {percent(1 - (1 - 0.0027) ** (2 * bits * len(measured)))} of cases by chance. Junctions and"
            " transistors are alike here; with mismatch, see variability."
        ),
        assumed=_CARD,
    )


def _power(measured: Sequence[Measured]) -> list[Finding]:
    seen = [_reached(one) for one in measured]
    return [
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
    ]


def _misread(measured: Sequence[Measured]) -> Finding:
    misread = wilson(sum(one.train.misread for one in measured), sum(one.train.reads for one in measured))
    return Finding(
        key="misread",
        quantity="bits that were read wrongly",
        ours=_proportion(misread),
        status=Status.LEFT_OPEN,
        reason=f"{misread.count} of {misread.trials}. Matrices of bits are"
        f" {'not quite ' if misread.count else ''}those of junctions.",
        assumed=_CARD,
    )


def pooled(one: Measured) -> tuple[Proportion, Proportion]:
    """Flips of all bits together from P and from AP."""
    total = one.counts.sum(axis=0)
    return wilson(int(total[0, 1]), int(total[0].sum())), wilson(int(total[1, 1]), int(total[1].sum()))


def memory_of(rise: Proportion, fall: Proportion) -> Value:
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


def said(measured: Sequence[Measured]) -> str:
    """Jitter that would have been seen, in a sentence."""
    seen = [_reached(one) for one in measured]
    return " and ".join(one if isinstance(one, str) else f"{one.value * 1e12:.0f} ps" for one in seen)


def _range(values: list[Value]) -> str:
    return f"{min(one.value for one in values):+.2f} to {max(one.value for one in values):+.2f}"


def _proportion(found: Proportion) -> Value:
    return Value(value=found.value, low=found.low, high=found.high, kind="95 %", digits=2)
