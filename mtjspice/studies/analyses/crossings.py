"""Where a sampled curve passes a level: place, slope and the window around it, by monotone cubic interpolation.

PCHIP (Fritsch and Butland 1984) has no extrema between points, so that it passes a level as often as they do.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Crossing:
    """``at`` x the curve passes the level with ``slope``; between ``low`` and ``high`` it is within the tolerance of
    it (NaN where that goes beyond the ends). ``uncertainty`` is half of the interval of ``at``."""  # fmt: skip

    at: float
    slope: float
    low: float
    high: float
    uncertainty: float


def crossings(x: Floats, y: Floats, half_interval: Floats, level: float, tolerance: float) -> tuple[Crossing, ...]:
    """Return all crossings of ``level``, x increasing; fewer than two points have none.

    ``half_interval`` (of y at every x) over the slope is the uncertainty of the place.
    """
    if len(x) < 2:
        return ()
    curve = PchipInterpolator(x, y)
    slope = curve.derivative()
    ends = np.sort(np.concatenate([_roots(curve, level - tolerance), _roots(curve, level + tolerance)]))
    found = []
    for at in _roots(curve, level):
        rate = float(slope(at))
        below, above = ends[ends < at], ends[ends > at]
        found.append(
            Crossing(
                float(at), rate, float(below[-1]) if below.size else nan, float(above[0]) if above.size else nan,
                float(np.interp(at, x, half_interval)) / abs(rate) if rate else nan,
            )
        )  # fmt: skip
    return tuple(found)


def _roots(curve: PchipInterpolator, level: float) -> Floats:
    """Places of a level, each once."""
    roots = np.asarray(curve.solve(level, extrapolate=False), float)
    roots = np.sort(roots[np.isfinite(roots)])
    span = float(curve.x[-1] - curve.x[0])
    return roots[np.concatenate([[True], np.diff(roots) > 1e-9 * span])] if roots.size else roots


def slope_at(x: Floats, y: Floats, deviation: Floats, at: float) -> tuple[float, float]:
    """Return the derivative at a place, of the parabola through the three nearest points, and its deviation.

    ``deviation`` is that of y, taken as independent; two points give the secant, fewer NaN.
    """
    nearest = np.sort(np.argsort(np.abs(x - at), kind="stable")[:3])
    if len(nearest) < 2:
        return nan, nan
    a, rest = x[nearest] - at, len(nearest)
    scale = float(np.abs(a).max())
    # weights w with sum w_i p(a_i) = p'(0) for all polynomials of that degree
    powers = np.vander(a / scale, rest, increasing=True).T
    weights = np.linalg.solve(powers, np.eye(rest)[1]) / scale
    return float(weights @ y[nearest]), float(np.sqrt((weights**2) @ deviation[nearest] ** 2))
