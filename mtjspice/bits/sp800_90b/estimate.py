"""What an estimator returns, and the confidence bound that they share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Z = 2.5758293035489008
"""Quantile 0.995 of the normal distribution, as section 6.3 uses it (there rounded to 2.576; NIST's tool: this)."""

Parameter = int | float | str


@dataclass(frozen=True)
class Estimate:
    """Outcome of one estimator of section 6.3.

    ``min_entropy`` is in bit per bit, or None where the estimator cannot be applied; ``note`` then says why.
    ``parameters`` are the intermediate quantities, under the names of the standard where it has any.
    """

    name: str
    min_entropy: float | None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    note: str = ""


def upper_bound(proportion: float, n: int) -> float:
    """Upper end of the 99 % interval of a proportion of n, at most 1 (6.3.1, step 2)."""
    return min(1.0, proportion + Z * math.sqrt(proportion * (1 - proportion) / (n - 1)))


def entropy_of(probability: float) -> float:
    """-log2 of a probability, and 0.0 rather than -0.0 for certainty."""
    return max(0.0, -math.log2(probability))
