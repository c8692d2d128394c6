"""Min-entropy of bits without the assumption of independence (SP 800-90B, section 6: non-IID track).

The standard is M. Sönmez Turan et al., "Recommendation for the Entropy Sources Used for Random Bit Generation", NIST
Special Publication 800-90B (January 2018). Results agree with NIST's program ea_non_iid (options -i -a, one bit a
symbol). Its remaining liberties are those of that program: a Markov model (6.3.9) without a prediction does not end
a run of correct predictions, and most common in window (6.3.7) is not applied below 4096 bits.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.sp800_90b import predictors, statistics
from mtjspice.bits.sp800_90b.compression import compression
from mtjspice.bits.sp800_90b.estimate import Estimate
from mtjspice.bits.sp800_90b.suffixes import repeats
from mtjspice.bits.sp800_90b.tuples import tuple_estimates
from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError

__all__ = ["NAMES", "RECOMMENDED_LENGTH", "Assessment", "Estimate", "assess"]

NAMES = (
    "most-common-value",
    "collision",
    "markov",
    "compression",
    "t-tuple",
    "longest-repeated-substring",
    "multi-most-common-in-window",
    "lag",
    "multi-markov-model-with-counting",
    "lz78y",
)
"""The estimators of section 6.3, in its order."""

RECOMMENDED_LENGTH = 1_000_000
"""The number of samples that section 3.1.1 demands."""

SHORTEST = 19
"""The number of bits from which NIST's program runs (its LZ78Y needs them)."""

_SINGLE: dict[str, Callable[[NDArray[np.uint8]], Estimate]] = {
    "most-common-value": statistics.most_common_value,
    "collision": statistics.collision,
    "markov": statistics.markov,
    "compression": compression,
    "multi-most-common-in-window": predictors.multi_most_common_in_window,
    "lag": predictors.lag,
    "multi-markov-model-with-counting": predictors.multi_markov_model_with_counting,
    "lz78y": predictors.lz78y,
}
_MOST = 2**31 - 1


@dataclass(frozen=True)
class Assessment:
    """Min-entropy estimates of ``length`` bits.

    ``min_entropy`` (bit per bit) is the least of the applicable estimates and ``smallest`` names it.
    ``longest_repeat`` is (first position, second position, length) of the longest substring that occurs twice,
    which locates a stuck or copied section; None if nothing repeats. ``notes`` say what weakens the assessment.
    """

    length: int
    estimates: tuple[Estimate, ...]
    min_entropy: float
    smallest: str
    longest_repeat: tuple[int, int, int] | None
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Estimate:
        for estimate in self.estimates:
            if estimate.name == name:
                return estimate
        raise KeyError(f"no estimate {name!r}; there are: {', '.join(one.name for one in self.estimates)}")

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        repeat = self.longest_repeat
        return {
            "standard": "SP 800-90B",
            "track": "non-iid",
            "length": self.length,
            "estimates": [
                {
                    "name": estimate.name,
                    "min_entropy": estimate.min_entropy,
                    "parameters": {
                        key: None if isinstance(value, float) and not math.isfinite(value) else value
                        for key, value in estimate.parameters.items()
                    },
                    "note": estimate.note,
                }
                for estimate in self.estimates
            ],
            "min_entropy": self.min_entropy,
            "smallest": self.smallest,
            "longest_repeat": dict(zip(("first", "second", "length"), repeat, strict=True)) if repeat else None,
            "notes": list(self.notes),
        }


def assess(bits: BitStream | ArrayLike, *, names: Sequence[str] = NAMES, workers: int | None = None) -> Assessment:
    """Apply the estimators ``names`` to bits, on ``workers`` threads (None: as many as processors).

    The result does not depend on ``workers``. InputError if no estimator can be applied to so few bits; ValueError
    for values other than 0 and 1, unknown names or no names.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise ValueError(f"unknown estimators: {', '.join(unknown) or '(none given)'}; there are: {', '.join(NAMES)}")
    values = as_bits(bits)
    if not 1 < values.size <= _MOST:
        raise InputError(f"a min-entropy assessment needs at least 2 bits and at most {_MOST}, got {values.size}")
    with ThreadPoolExecutor(os.cpu_count() if workers is None else workers) as pool:
        tuples = pool.submit(_tuples, values)
        chosen = [name for name in reversed(NAMES) if name in names and name in _SINGLE]  # the slower ones first
        single = {name: pool.submit(_SINGLE[name], values) for name in chosen}
        found = {name: future.result() for name, future in single.items()}
        both, repeat = tuples.result()
        found.update({estimate.name: estimate for estimate in both})
    estimates = tuple(found[name] for name in NAMES if name in names)
    applicable = [(estimate.min_entropy, estimate.name) for estimate in estimates if estimate.min_entropy is not None]
    if not applicable:
        reasons = "; ".join(f"{estimate.name}: {estimate.note}" for estimate in estimates)
        raise InputError(f"no estimator can be applied to {values.size} bits ({reasons})")
    smallest = min(applicable, key=lambda pair: pair[0])
    return Assessment(values.size, estimates, *smallest, repeat, _notes(values))


def _tuples(values: NDArray[np.uint8]) -> tuple[tuple[Estimate, Estimate], tuple[int, int, int] | None]:
    found = repeats(values)
    repeat = (found.first, found.second, found.longest) if found.longest else None
    return tuple_estimates(found), repeat


def _notes(values: NDArray[np.uint8]) -> tuple[str, ...]:
    notes = []
    if values.size < RECOMMENDED_LENGTH:
        notes.append(f"{values.size} bits are fewer than the {RECOMMENDED_LENGTH} that SP 800-90B, 3.1.1 demands")
    if values.min() == values.max():
        notes.append("all bits are equal: NIST's program refuses such data and awards no entropy")
    elif values.size < SHORTEST:
        notes.append(f"NIST's program stops with an error below {SHORTEST} bits")
    return tuple(notes)
