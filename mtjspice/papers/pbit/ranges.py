"""Limits of numbers: ranges over draws, and intervals of what is made of two counted proportions."""

from collections.abc import Sequence
from math import hypot

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Value
from mtjspice.papers.pbit.windows import digits_of
from mtjspice.statistics import Proportion


def value_of(values: Sequence[float], what: str = "draws", digits: int = 3) -> Value:
    """Mean of draws with their range, which is no confidence interval."""
    return Value(
        value=float(np.mean(values)), low=min(values), high=max(values), kind=f"range of {len(values)} {what}",
        digits=digits,
    )  # fmt: skip


def shown(values: Sequence[float], digits: str = ".3f") -> str:
    """Range of draws as text."""
    return f"{min(values):{digits}} to {max(values):{digits}}"


def nearness(inside: Sequence[float], outside: Sequence[float]) -> str:
    """How draws in situ lie to those with noise from outside, by their ranges."""
    if max(inside) < min(outside):
        return "nearer in every draw"
    return "farther off in every draw" if min(inside) > max(outside) else "not told apart by the draws"


def memory_value(rise: Proportion, fall: Proportion) -> Value:
    """1 - p01 - p10 of counted flips, limits joined from both Wilson intervals (Newcombe 1998)."""
    value = 1 - rise.value - fall.value
    below = hypot(rise.high - rise.value, fall.high - fall.value)
    above = hypot(rise.value - rise.low, fall.value - fall.low)
    return Value(value=value, low=value - below, high=value + above, kind="95 %, Newcombe", digits=2)


def half_difference(one: Proportion, other: Proportion) -> Value:
    """(one - other) / 2 of counted proportions, limits joined from both Wilson intervals (Newcombe 1998)."""
    value = (one.value - other.value) / 2
    below = hypot(one.value - one.low, other.high - other.value) / 2
    above = hypot(one.high - one.value, other.value - other.low) / 2
    return Value(value=value, low=value - below, high=value + above, kind="95 %, Newcombe", digits=2)


def bounded(value: float, half: float, unit: str = "") -> Value:
    """A number with a bound of its error, in as many digits as show it."""
    low, high = value - half, value + half
    return Value(value=value, unit=unit, low=low, high=high, kind="error bound", digits=digits_of(value, low, high))


def relative_deviation(values: NDArray[np.float64]) -> str:
    """Standard deviation over the mean, with its limits (normal law)."""
    from scipy.special import chdtri

    n, spread = len(values) - 1, float(values.std(ddof=1) / values.mean())
    low, high = (spread * float(np.sqrt(n / chdtri(n, tail))) for tail in (0.025, 0.975))
    return f"{spread * 100:.2g} % ({low * 100:.2g} to {high * 100:.2g})"
