"""Long streams behind an XOR, piece by piece, and what tests of all of their bits say."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri, chndtr, expit

from mtjspice.papers.stt_trng import drifting, limits
from mtjspice.papers.stt_trng.devices import LANES

if TYPE_CHECKING:
    from mtjspice.bits.sources.emulated import EmulatedSource
    from mtjspice.bits.stream import BitStream

PIECE = 100 * limits.MEGABIT  # bits behind the XOR that are made at a time
LAGS = 32
SEED = 12
_DRAWS = 2000  # sets of junctions
LENGTHS = (1e6, 3e6, 1e7, 3e7, 1e8, 3e8, 1e9)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Sixteen junctions: common bias, memory, spread and 1/f of P (root mean square), and the wiring of the XOR."""

    label: str
    bias: float = 0.0
    memory: float = 0.0
    spread: float = 0.0
    drift: float = 0.0
    wiring: str = "consecutive"

    def open(self, seed: int) -> "EmulatedSource":
        """The emulated junctions."""
        from mtjspice.bits.sources.emulated import EmulatedSource, Imperfections

        flaws = Imperfections(
            spread=4 * self.spread, flicker=drifting.per_decade(self.drift, self.memory), interval=drifting.INTERVAL,
            slowest=drifting.SLOWEST,
        )  # fmt: skip
        return EmulatedSource(drifting.model(self.bias, self.memory), seed, LANES, flaws)

    def remaining(self, source: "EmulatedSource") -> Floats:
        """Bias behind the XOR at each of the sixteen places of its stream, drift apart."""
        e = expit(source.shifts() + np.log((0.5 + self.bias) / (0.5 - self.bias))) - 0.5
        if self.wiring == "lane":
            linear, cubic = drifting.remaining(self.memory)
            return np.asarray(linear * e + cubic * e**3)
        return _by_place(e)


def _by_place(biases: Floats) -> Floats:
    """Bias behind XOR of three consecutive junctions, at each place (..., LANES)."""
    at = (3 * np.arange(LANES)[:, None] + np.arange(3)) % LANES
    return np.asarray(4 * biases[..., at].prod(axis=-1))


def seen_scatter(bits: int, level: float, share: float) -> float:
    """Scatter of P that counting by place sees, at a level of the test, in a ``share`` of all sets of junctions."""
    normal = np.random.default_rng(SEED).standard_normal((_DRAWS, LANES))
    grid = np.geomspace(0.005, 0.2, 60)
    critical = chdtri(LANES, level)
    power = [
        1 - chndtr(critical, LANES, (4 * _by_place(expit(4 * s * normal) - 0.5) ** 2).sum(axis=1) * bits / LANES).mean()
        for s in grid
    ]
    return float(np.interp(share, power, grid))


CASES = (
    Case("equal bias 0.03", bias=0.03),
    Case("P scattered by 0.05", spread=0.05),
    Case("one junction, bias 0.01, memory 0.01", bias=0.01, memory=0.01, wiring="lane"),
    Case("1/f of P 0.1", drift=0.1),
)
GOOD = "PCG64"


@dataclass(frozen=True)
class Result:
    """Of a source: deviations (sigma) of all ones and of the sixteen places by length, p-values of all bits, suite."""

    label: str
    total: Floats
    places: Floats
    law: Floats  # of the total; 0 where there is none
    p_values: dict[str, float | None]
    entropy: tuple[float, float]  # bit per bit: bound of the most common value, of blocks of 8
    suite: str
    passes: bool


def look(case: Case | None, seed: int, bits: int, sequences: int) -> Result:
    """Make a stream of a case, or of `GOOD`, and test it as a whole and sequence by sequence."""
    from mtjspice.bits.drift import count_ones
    from mtjspice.bits.sp800_22.battery import run_sequences
    from mtjspice.papers.stt_trng.outcomes import outcome_of

    stream, law = _bits(case, seed, bits)
    counts = count_ones(stream, limits.MEGABIT // LANES)  # (sequences, places)
    lengths = lengths_to(bits)
    ones = np.array([counts[: int(n) // limits.MEGABIT].sum(axis=0) for n in lengths])
    each = (2 * ones - lengths[:, None] / LANES) / np.sqrt(lengths[:, None] / LANES)
    chi = (each**2).sum(axis=1)
    total = np.abs(2 * ones.sum(axis=1) - lengths) / np.sqrt(lengths)
    result = run_sequences(stream, limits.MEGABIT, sequences=sequences, workers=1)
    suite, passes = outcome_of(result)
    return Result(
        GOOD if case is None else case.label, total, np.sqrt(2 * chi) - sqrt(2 * LANES - 1),
        np.zeros(len(lengths)) if law is None else np.sqrt(1 + 4 * law**2 * lengths),
        {**_whole(stream), "places": float(chdtrc(LANES, chi[-1]))},
        _entropy(stream), suite, passes,
    )  # fmt: skip


def lengths_to(bits: int) -> Floats:
    """Lengths at which ones are counted."""
    return np.array([n for n in LENGTHS if n <= bits])


def _bits(case: Case | None, seed: int, bits: int) -> "tuple[BitStream, float | None]":
    """Bits with a place for every triple of junctions, and the mean bias that the closed form expects."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.bits.stream import concatenate

    seed = (seed + SEED) % 2**32
    if case is None:
        return replace(open_source("pcg64", seed).stream(bits), lanes=LANES), 0.0
    source, extractor = case.open(seed), Xor(3, case.wiring)
    law = None if case.drift else float(case.remaining(source).mean())
    parts = [replace(extractor(source.stream(3 * PIECE)), lanes=LANES) for _ in range(bits // PIECE)]
    return concatenate(parts), law


def _whole(stream: "BitStream") -> dict[str, float | None]:
    """P-values of tests of all bits at once."""
    from mtjspice.bits.diagnostics import autocorrelation, monobit_test, runs_test
    from mtjspice.bits.entropy import block_entropy
    from mtjspice.bits.overlaps import sidak

    largest = float(np.abs(autocorrelation(stream, LAGS)).max()) * sqrt(stream.length)
    return {
        "frequency": monobit_test(stream).p_value, "runs": runs_test(stream).p_value,
        "blocks of 8": block_entropy(stream).p_value, f"lags to {LAGS}": sidak(float(chdtrc(1, largest**2)), LAGS),
    }  # fmt: skip


def _entropy(stream: "BitStream") -> tuple[float, float]:
    """Lower bounds of the min-entropy: most common value (SP 800-90B, 6.3.1), and the commonest block of 8 bits."""
    from mtjspice.bits.entropy import block_entropy
    from mtjspice.bits.sp800_90b.estimate import entropy_of, upper_bound

    n = stream.length
    return entropy_of(upper_bound(max(stream.ones, n - stream.ones) / n, n)), block_entropy(stream).min_entropy.low
