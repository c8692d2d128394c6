"""Windows of switching curves: where they cross a level, and what a spread of the drive makes of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Value

if TYPE_CHECKING:
    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

WINDOWS = {"10 to 90 %": (0.1, 0.9), "1 to 99 %": (0.01, 0.99)}
SPREADS = np.linspace(0.0, 0.3, 31)


def digits_of(value: float, low: float, high: float) -> int:
    """Significant digits, 3 or more, at which a number differs from its limits."""
    for digits in range(3, 12):
        shown = {f"{one:.{digits}g}" for one in {value, low, high}}
        if len(shown) == len({value, low, high}):
            return digits
    return 12


def crossing(volts: Floats, probability: Floats, level: float) -> float:
    """Voltage at which a curve first rises to ``level``; NaN if it does not."""
    above = np.flatnonzero(probability >= level)
    if not above.size or above[0] == 0:
        return float("nan")
    k = int(above[0])
    return float(np.interp(level, probability[k - 1 : k + 1], volts[k - 1 : k + 1]))


def window(volts: Floats, probability: Floats, limits: tuple[float, float]) -> float:
    """Width in volts between two levels on the first rise; NaN where the upper one is not reached."""
    low, high = (crossing(volts, probability, one) for one in limits)
    return high - low


def broadened(volts: Floats, probability: Floats, spread: float) -> Floats:
    """Mean of a curve over drives V (1 + spread z), z standard normal; the curve is held beyond its ends."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    drives = volts[:, None] * (1 + spread * nodes)
    return np.asarray(np.interp(drives, volts, probability) @ weights / weights.sum())


def first_peak(widths: Floats, probability: Floats) -> tuple[float, float]:
    """Width and height of the first local maximum of 1/2 or more, by a parabola through three points."""
    middle = probability[1:-1]
    k = int(np.flatnonzero((middle >= probability[:-2]) & (middle > probability[2:]) & (middle >= 0.5))[0]) + 1
    a, b, c = np.polyfit(widths[k - 1 : k + 2] - widths[k], probability[k - 1 : k + 2], 2)
    return float(widths[k] - b / (2 * a)), float(c - b * b / (4 * a))


def spread_for(windows: Floats, wanted: float) -> float:
    """Spread at which the window is first as wide as wanted; NaN if it never is."""
    there = np.isfinite(windows)
    return crossing(SPREADS[there], windows[there], wanted)


def resampled(amplitudes: Floats, counted: Sequence["Proportion"], rng: np.random.Generator) -> Value:
    """Window 10 to 90 % of counted points; interval from counts drawn anew."""
    fractions = np.array([one.value for one in counted])
    trials = counted[0].trials
    again = [window(amplitudes, rng.binomial(trials, fractions) / trials, (0.1, 0.9)) for _ in range(400)]
    low, high = np.nanquantile(again, [0.025, 0.975])
    return Value(
        value=window(amplitudes, fractions, (0.1, 0.9)), unit="V", low=float(low), high=float(high), kind="95 %"
    )
