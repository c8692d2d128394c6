"""Near duplicates against the length of a shift register and the bits of its seed: a curve, never one number."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtjspice.generative.gan import duplicates
from mtjspice.generative.gan.bench import Bench
from mtjspice.generative.gan.latent_sets import Pattern, from_bits, predicted_distinct
from mtjspice.generative.gan.outcome import Effort
from mtjspice.generative.gan.study import Null, calibrate

LENGTHS = tuple(range(8, 21))
SEED_BITS = tuple(range(8, 17))
REGISTER = 16
"""Stages of the register that is reseeded."""


@dataclass(frozen=True)
class Point:
    """One register and pattern: distinct latents, near duplicates (fraction), their ratio to the null, with 95 %."""

    length: int
    pattern: str
    distinct: int
    predicted: float
    near: float
    near_low: float
    near_high: float
    ratio: float
    ratio_low: float
    ratio_high: float

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)


def register_sweep(
    bench: Bench,
    effort: Effort,
    word: int = 8,
    seed: int = 1,
    lengths: Sequence[int] = LENGTHS,
    seed_bits: Sequence[int] = SEED_BITS,
    null: Null | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Point, ...]:
    """Registers of ``lengths`` running freely, then one of 16 stages reseeded before each image from ``seed_bits``.

    ``null`` is that of `calibrate`, drawn if not given.
    """
    cases = [(length, Pattern()) for length in lengths] + [(REGISTER, Pattern("reseed", bits)) for bits in seed_bits]
    good = calibrate(bench, effort, seed) if null is None else null
    points = []
    for number, (length, pattern) in enumerate(cases):
        points.append(_point(bench, effort, good, length, pattern, word, seed, number))
        if progress is not None:
            progress((number + 1) / len(cases))
    return tuple(points)


def _point(
    bench: Bench, effort: Effort, null: Null, length: int, pattern: Pattern, word: int, seed: int, number: int
) -> Point:
    size = bench.generator.latent_size
    draw = bench.draw(from_bits(f"lfsr:{length}", pattern, effort.images, size, word, seed))
    rng = np.random.default_rng([seed, 3, number])
    resampled = duplicates.near_resamples(draw.distances, null.threshold, rng, effort.resamples)
    near = float((draw.nearest < null.threshold).mean())
    return Point(
        length, str(pattern), draw.distinct, predicted_distinct(length, pattern, effort.images, size, word), near,
        *duplicates.interval(resampled), near / null.near, *duplicates.interval(null.ratios(resampled)),
    )  # fmt: skip
