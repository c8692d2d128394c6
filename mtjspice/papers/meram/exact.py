"""Exact laws of words whose cells differ: statistics over devices, and over arrays of words that take turns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Value
from mtjspice.papers.meram.text import Limited

if TYPE_CHECKING:
    from mtjspice.generative.encodings.programmed import ProgrammedWords
    from mtjspice.generative.law import Law

Floats = NDArray[np.float64]
OFFSETS, SCATTER, DIVERGENCE = "|mean|", "scatter of deviation", "KL"
RAW, TRIMMED = "total variation, as it is", "total variation, calibrated"
ROWS = 16  # words of an array that take turns
ARRAY_SPREAD = 0.05
ARRANGED = ("of single cells", "common to a word", "common to a bit of all words")


@dataclass(frozen=True)
class Estimate:
    """A statistic over devices with its 95 % bootstrap limits."""

    value: float
    low: float
    high: float

    def shown(self, digits: int = 2) -> Value:
        """As a value of a finding."""
        return Value(value=self.value, low=self.low, high=self.high, kind="95 %, bootstrap", digits=digits)


def law_of(encoding: str) -> "Law":
    """Exact law of an encoding by its name in the catalogue; ValueError if it has none."""
    from mtjspice.generative.encodings.catalogue import encoding_of

    law = encoding_of(encoding).law()
    if law is None:
        raise ValueError(f"{encoding} has no exact law")
    return law


def programmed(name: str) -> "ProgrammedWords":
    """Words of programmed cells by their name in the catalogue."""
    from mtjspice.generative.encodings.catalogue import encoding_of
    from mtjspice.generative.encodings.programmed import ProgrammedWords

    words = encoding_of(name)
    assert isinstance(words, ProgrammedWords)
    return words


def device_law(words: "ProgrammedWords", offsets: Floats) -> "Law":
    """Exact law of words whose probabilities are off by ``offsets`` (bits,)."""
    from mtjspice.generative.cells import programmed_law
    from mtjspice.generative.law import Law

    return Law.of(words.values(), programmed_law(words.table(), words.bits, offsets).probabilities)


def _figures(law: "Law") -> dict[str, float]:
    raw = law.distances()
    trimmed = law.affine(1 / law.standard_deviation, -law.mean / law.standard_deviation).distances()
    return {
        OFFSETS: abs(raw.mean), SCATTER: raw.std, DIVERGENCE: raw.kl_bits, RAW: raw.total_variation,
        TRIMMED: trimmed.total_variation,
    }  # fmt: skip


def devices(name: str, spread: float, errors: Floats, rng: np.random.Generator) -> dict[str, Estimate]:
    """Statistics of words whose probabilities are off by ``spread`` times ``errors`` (devices, cells)."""
    words = programmed(name)
    offsets = spread * (errors if spread else errors[:1])
    rows = [_figures(device_law(words, one)) for one in offsets]
    table = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    return {
        OFFSETS: bootstrapped(table[OFFSETS], np.mean, rng),
        SCATTER: bootstrapped(table[SCATTER], np.std, rng),
        DIVERGENCE: bootstrapped(table[DIVERGENCE], np.median, rng),
        RAW: bootstrapped(table[RAW], np.median, rng),
        TRIMMED: bootstrapped(table[TRIMMED], np.median, rng),
    }


def bootstrapped(
    values: Floats, statistic: Callable[[Floats], "float | np.floating"], rng: np.random.Generator, times: int = 400
) -> Estimate:
    """A statistic of one value a device, with limits from resampled devices."""
    drawn = values[rng.integers(0, values.size, (times, values.size))]
    ordered = np.sort([statistic(one) for one in drawn])  # divergences may be infinite, which np.quantile cannot take
    return Estimate(float(statistic(values)), float(ordered[times // 40]), float(ordered[-1 - times // 40]))


def array(how: str, arrays: int, rng: np.random.Generator) -> tuple[Estimate, Estimate]:
    """|mean| and KL of the stream of `ROWS` product words that take turns, over ``arrays`` arrays."""
    from mtjspice.generative.law import Law

    words = programmed("product:8")
    shape = {ARRANGED[0]: (ROWS, words.bits), ARRANGED[1]: (ROWS, 1), ARRANGED[2]: (1, words.bits)}[how]
    means, divergences = [], []
    for _ in range(arrays):
        offsets = np.broadcast_to(ARRAY_SPREAD * rng.standard_normal(shape), (ROWS, words.bits))
        laws = [device_law(words, one) for one in offsets]
        pooled = Law(laws[0].values, np.mean([law.probabilities for law in laws], axis=0))
        means.append(abs(pooled.mean))
        divergences.append(pooled.distances().kl_bits)
    return (
        bootstrapped(np.array(means), np.mean, rng),
        bootstrapped(np.array(divergences), np.median, rng),
    )


def reached(spreads: Floats, values: Floats, limit: float) -> float:
    """Spread at which a rising curve reaches a limit, by straight lines; infinite if it does not."""
    rising = np.maximum.accumulate(values)
    if rising[-1] < limit:
        return float("inf")
    return float(np.interp(limit, rising, spreads))


@dataclass(frozen=True)
class Reached:
    """Spread at which a curve reaches a limit, with the spreads at which its 95 % limits do; ``last`` was tried.

    Infinite where it is not reached up to there.
    """

    value: float
    low: float
    high: float
    last: float

    def shown(self) -> Value | str:
        """As a value of a finding, in words where a limit was not reached."""
        if np.isfinite(self.high):
            return Value(value=self.value, low=self.low, high=self.high, kind="95 %", digits=2)
        return self.ranged("95 %: ")

    def ranged(self, kind: str = "") -> str:
        """With its limits, in a sentence."""
        low, high = (f"{one:.2g}" if np.isfinite(one) else f"above {self.last:g}" for one in (self.low, self.high))
        return f"{self.said()} ({kind}{low} to {high})"

    def said(self) -> str:
        """In a sentence."""
        return f"{self.value:.2g}" if np.isfinite(self.value) else f"more than {self.last:g}"


def reached_within(spreads: Floats, rows: Sequence[Limited], limit: float) -> Reached:
    """Where a curve with limits reaches ``limit``: its upper limits do so first."""
    # divergences may be infinite
    value, low, high = (
        reached(spreads, np.minimum([getattr(row, end) for row in rows], 1e3 * limit), limit)
        for end in ("value", "high", "low")
    )
    return Reached(value, low, high, float(spreads[-1]))
