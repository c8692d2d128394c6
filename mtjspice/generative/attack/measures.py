"""What might tell beforehand whether an attack succeeds: state, linear complexity, and diversity of the images."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mtjspice.bits.berlekamp_massey import linear_complexity
from mtjspice.bits.sources.generators import CONGRUENCES
from mtjspice.generative.attack.victim import Plan, Victim
from mtjspice.generative.gan.latent_sets import register_length

COMPLEXITY_BITS = 4096
_STATES = {"mt19937": 19937, "pcg64": 128, "philox": 256, "sfc64": 256, "chacha20": 256, "aes-ctr": 256}


@dataclass(frozen=True)
class Measures:
    """Of one source.

    ``state_bits``: bits that say all of its output, those of a seed if it is reseeded; None where no number is known
    (devices, the operating system). ``complexity``: linear complexity over the number of bits it was taken of, 1/2 for
    fair bits. ``near``: fraction of images with a near duplicate, None if it was not measured.
    """

    state_bits: float | None
    complexity: float
    near: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)


def measures(plan: Plan, victim: Victim, near: float | None = None) -> Measures:
    """Of the bits of the victim's images, up to 4096."""
    bits = victim.bits[:COMPLEXITY_BITS]
    return Measures(state_bits(plan), linear_complexity(bits) / bits.size, near)


def state_bits(plan: Plan) -> float | None:
    """Bits of the state of a plan's source, of the seed if it is reseeded; None where no number is known."""
    name, _, argument = plan.source.split(",")[0].partition(":")
    known: float | None = None
    if name == "lfsr":
        known = register_length(plan.source)
    elif name == "lcg" and argument in CONGRUENCES:
        known = math.log2(CONGRUENCES[argument].modulus)
    elif name in _STATES:
        known = _STATES[name]
    if plan.pattern.kind == "reseed":
        return min(plan.pattern.seed_bits, known or np.inf)
    return known


@dataclass(frozen=True)
class RankCorrelation:
    """Spearman's coefficient between what ``measure`` is and how far an attack came, over ``sources`` sources."""

    measure: str
    rho: float
    p_value: float
    sources: int


def rank_correlations(measured: Sequence[Measures], success: Sequence[float]) -> tuple[RankCorrelation, ...]:
    """Of each measure that three sources or more have, not all the same; states of no known size count as largest."""
    from scipy.stats import spearmanr

    columns: dict[str, list[float | None]] = {
        "near duplicates": [each.near for each in measured],
        "linear complexity": [each.complexity for each in measured],
        "state or seed": [np.inf if each.state_bits is None else each.state_bits for each in measured],
    }
    found = []
    for name, column in columns.items():
        pairs = [(x, y) for x, y in zip(column, success, strict=True) if x is not None]
        if len(pairs) < 3 or len({x for x, _ in pairs}) < 2 or len({y for _, y in pairs}) < 2:
            continue
        # ranks, as there are infinities
        result = spearmanr(np.unique([x for x, _ in pairs], return_inverse=True)[1], [y for _, y in pairs])
        found.append(RankCorrelation(name, float(result.statistic), float(result.pvalue), len(pairs)))
    return tuple(found)
