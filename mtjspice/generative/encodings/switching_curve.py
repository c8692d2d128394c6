"""The first rising branch of a device's switching probability, and its inverse: which pulse gives which probability.

Probabilities of both directions are solutions of the Fokker-Planck equation (`device.switching`) on a grid, joined in
logits by monotone cubic (PCHIP) interpolation. Switching by VCMA is precessional and its probability falls again
behind the first maximum; only what lies before is used.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.derived import derive
from mtjspice.device.half_voltage import default_pulse_width
from mtjspice.errors import InputError, choose

Floats = NDArray[np.float64]
AXES = ("voltage", "width")
_COARSE = 24  # points of the search for the branch
_LOOSE = 1e-2  # its tolerance
_EDGE = 5e-11  # s; no shorter pulse


@dataclass(frozen=True, eq=False)
class SwitchingCurve:
    """Probabilities ``rising`` (P to AP) and ``falling`` (AP to P) at ``points`` along ``axis``, all of shape (n,).

    ``points`` are voltages (V, all of one sign, magnitudes ascending) of pulses ``fixed`` s wide, or widths (s) of
    pulses of ``fixed`` V. ``falling`` is NaN where it was not asked for. Points that do not rise are dropped;
    InputError if fewer than four are left.
    """

    axis: str
    fixed: float
    points: Floats
    rising: Floats
    falling: Floats

    def __post_init__(self) -> None:
        choose("axis of a switching curve", self.axis, AXES)
        points, rising, falling = (np.array(x, np.float64) for x in (self.points, self.rising, self.falling))
        if points.ndim != 1 or points.shape != rising.shape or points.shape != falling.shape:
            raise ValueError(f"points and probabilities differ in shape: {points.shape} and {rising.shape}")
        order = np.argsort(np.abs(points))
        points, rising, falling = points[order], rising[order], falling[order]
        top = int(np.argmax(rising)) + 1
        before = np.concatenate([[0.0], np.maximum.accumulate(rising[:top])[:-1]])
        kept = np.flatnonzero((rising[:top] > before) & (rising[:top] > 0) & (rising[:top] < 1))
        if kept.size < 4:
            raise InputError(f"a switching curve needs 4 rising points or more, not {kept.size}")
        for name, array in (("points", points), ("rising", rising), ("falling", falling)):
            chosen = array[kept]
            chosen.setflags(write=False)
            object.__setattr__(self, name, chosen)

    @property
    def reach(self) -> tuple[float, float]:
        """Smallest and largest probability of the branch."""
        return float(self.rising[0]), float(self.rising[-1])

    def invert(self, probability: ArrayLike) -> Floats:
        """The points (V or s) that switch with ``probability``, same shape; InputError beyond the branch."""
        p = np.asarray(probability, np.float64)
        low, high = self.reach
        outside = p[~((p >= low) & (p <= high))]
        if outside.size:
            raise InputError(
                f"no pulse of the first branch switches with the probability {outside.flat[0]:.3g}; it has "
                f"{low:.3g} to {high:.3g}"
            )
        return np.asarray(_pchip(logit(self.rising), self.points)(logit(p)))

    def probabilities(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """Probabilities of both directions at ``points``, same shape; beyond the ends those of the ends."""
        low, high = sorted((self.points[0], self.points[-1]))
        x = np.clip(np.asarray(points, np.float64), low, high)
        rising = expit(_pchip(self.points, logit(self.rising))(x))
        if np.isnan(self.falling).any():
            return np.asarray(rising), np.full(x.shape, np.nan)
        inner = np.clip(self.falling, 1e-12, 1 - 1e-12)
        return np.asarray(rising), np.asarray(expit(_pchip(self.points, logit(inner))(x)))

    def error(self) -> float:
        """Bound of the interpolation's error: the largest at every other point, found from the others alone."""
        if self.points.size < 8:
            return float(np.diff(self.rising).max())
        used = np.unique(np.append(np.arange(0, self.points.size, 2), self.points.size - 1))
        left_out = np.setdiff1d(np.arange(self.points.size), used)
        half = SwitchingCurve(self.axis, self.fixed, self.points[used], self.rising[used], self.falling[used])
        return float(np.abs(half.probabilities(self.points[left_out])[0] - self.rising[left_out]).max())


def computed(
    card: MTJCard, by: str = "voltage", *, pulse_width: float | None = None, voltage: float | None = None,
    both: bool = False, points: int = 33, temperature: float = ROOM_TEMPERATURE, tolerance: float = 1e-5,
) -> SwitchingCurve:  # fmt: skip
    """Curve of a card by voltage at a fixed ``pulse_width`` (s), or by width at a fixed ``voltage`` (V).

    Without them: half a precession or 10 ns, and for VCMA 1.3 times, for spin torque 1.5 times the critical voltage.
    A coarse sweep finds the branch, ``points`` of the ``tolerance`` lie on it. ``both`` asks for AP to P as well.
    InputError if no pulse within reach switches with 1/2.
    """
    from mtjspice.device.switching import switching_probability  # brings xarray

    choose("what a pulse is programmed by", by, AXES)
    if points < 8:
        raise InputError(f"a switching curve needs 8 points or more, not {points}")
    by_torque = card.vcma_coefficient == 0
    sign = -1.0 if by_torque else 1.0
    found = derive(card)
    critical = abs(found.stt_critical_voltage) if by_torque else found.compensation_voltage
    critical = critical if np.isfinite(critical) else 1.0
    width = default_pulse_width(card) if pulse_width is None else pulse_width
    if by == "voltage":
        if not width >= _EDGE:
            raise InputError(f"the pulse width {width:g} s must be {_EDGE:g} s or more")
        fixed, limit, start = width, 3 * critical, 0.0
    else:
        fixed = sign * (1.5 if by_torque else 1.3) * critical if voltage is None else voltage
        limit, start = (10 if by_torque else 2) * width, _EDGE

    def solve(at: Floats, direction: str, accuracy: float) -> Floats:
        volts, widths = (sign * at, fixed) if by == "voltage" else (fixed, at)
        data = switching_probability(
            card, volts, widths, direction=direction, temperature=temperature, tolerance=accuracy
        )
        return np.asarray(data.probability.values, np.float64).ravel()

    low, high = _branch(lambda at: solve(at, "p-ap", _LOOSE), start, limit, f"card {card.name}, {by} up to {limit:.3g}")
    at = np.linspace(low, high, points)
    rising = solve(at, "p-ap", tolerance)
    falling = solve(at, "ap-p", tolerance) if both else np.full(points, np.nan)
    return SwitchingCurve(by, fixed, sign * at if by == "voltage" else at, rising, falling)


def _branch(solve: Callable[[Floats], Floats], start: float, limit: float, what: str) -> tuple[float, float]:
    """Where the probability leaves zero and where it has its first maximum or saturates."""
    grid = np.linspace(start, limit, _COARSE + 1)[1:]
    seen: list[float] = []
    for begin in range(0, _COARSE, 6):
        seen.extend(solve(grid[begin : begin + 6]).tolist())
        values = np.array(seen)
        over = np.flatnonzero(values >= 0.5)
        if over.size:
            first = int(over[0])
            falls = np.flatnonzero((values[first:-1] > values[first + 1 :] + _LOOSE) | (values[first:-1] > 0.98))
            if falls.size or begin + 6 >= _COARSE:
                end = first + int(falls[0]) if falls.size else len(values) - 1
                starts = np.flatnonzero(values[:first] < 1e-3)
                low = float(grid[starts[-1] - 1]) if starts.size and starts[-1] > 0 else start
                return low, float(grid[end])
    raise InputError(f"{what}: no pulse switches with the probability 1/2; the largest is {max(seen):.3g}")


def _pchip(x: Floats, y: Floats) -> Any:
    from scipy.interpolate import PchipInterpolator

    order = np.argsort(x)
    return PchipInterpolator(x[order], y[order])
