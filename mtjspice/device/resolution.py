"""Adaptive resolution of Fokker-Planck problems: degree of the harmonics and quadrature over the spread of the drive.

A few pilot cases at low degrees predict the degree; every case is then solved at that degree and checked with a
coarser one.
"""

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from mtjspice.device.generator import Floats
from mtjspice.device.problem import REACH, Ends, Problem, Progress, Resolution, evaluate, find_ends
from mtjspice.device.propagation import LANES
from mtjspice.device.quadrature import plain_plan, plan_quadrature
from mtjspice.errors import InputError

_LOWEST_DEGREE = 20
_ROUGH_DEGREE = 34  # resolves how the probability depends on the voltage, if not its value
_COARSER = 0.86  # degree of the check over that of the solution
_CAUTION = 0.6  # of the observed decay of the error with the square of the degree
_MORE_CAUTION = 0.4  # where the decay is not checked by another degree
_RESOLVED = 0.1  # a larger change of a probability says that a degree is too low, and nothing about the decay
_ROUNDING = 2e-14


@dataclass(frozen=True)
class Probability:
    """Chance to end in the other well (``switched``) or in the same (``stayed``), and an absolute error of both.

    The error estimate adds the difference from a coarser resolution, the quadrature over the spread of the drive,
    rounding, and e^-barrier, below which a state has no meaning. ``degree`` is that of the harmonics.
    """

    switched: Floats
    stayed: Floats
    error: Floats
    degree: int


def solve_adaptively(problem: Problem, tolerance: float, max_degree: int, progress: Progress | None) -> Probability:
    """Predict the resolution from a few pilot cases, solve all cases, and check with a coarser degree."""
    count = len(problem.rows)
    ranked = np.argsort(problem.order, kind="stable")
    pilots = ranked[np.unique(np.linspace(0, count - 1, min(count, LANES)).astype(int))]
    ends = find_ends(problem, tolerance)
    degree, trend = _predict(problem, ends, pilots, tolerance, max_degree)
    plan, quadrature = plan_quadrature(problem, ends, ranked, min(degree, _ROUGH_DEGREE), tolerance)
    told = 0.1
    while True:
        fine = Resolution(degree, REACH, 0.01 * tolerance)
        below = max(_LOWEST_DEGREE - 2, int(degree * _COARSER))
        values = evaluate(problem, ends, plan, fine, _part(progress, told, max(told, 0.85)))
        checked, weight = plan.check
        coarse = evaluate(
            problem,
            ends,
            plan.only(checked),
            replace(fine, degree=below, reach=1.1 * REACH),
            _part(progress, max(told, 0.85), 1.0),
        )
        change = np.abs(values[checked] - coarse)
        change = np.asarray(weight @ change)  # drives far out in the spread count as little as they weigh
        numerical = change * trend.gain(below, float(change.max()), degree)
        if numerical.max() <= tolerance:
            break
        if degree >= max_degree:
            raise InputError(
                f"degree {degree} reaches an error of {numerical.max():.1e} only, not {tolerance:g}; "
                "allow a higher degree or a larger tolerance"
            )
        degree = min(max_degree, int(1.15 * degree) + 1)
        told = 1.0
    switched = np.asarray(plan.weight @ values)
    error = numerical + quadrature + ends.error + _ROUNDING
    return Probability(np.clip(switched, 0, 1), np.clip(1 - switched, 0, 1), error, degree)


def _part(progress: Progress | None, low: float, high: float) -> Progress | None:
    return None if progress is None else lambda fraction: progress(low + (high - low) * fraction)


@dataclass(frozen=True)
class _Trend:
    """The error found at one degree and its decay: ln error falls linearly in the square of the degree.

    (The densities are nearly Gaussian in the angle, so that their spectra are Gaussian too.)
    """

    degree: int
    error: float

    def gain(self, below: int, change: float, degree: int) -> float:
        """Error at ``degree`` over ``change``, its difference from that at ``below``; cautious, at most 1."""
        if below <= self.degree or not 0 < change < min(self.error, _RESOLVED):
            return 1.0
        decay = np.log(self.error / change) / (below**2 - self.degree**2)
        ratio = float(np.exp(-_MORE_CAUTION * decay * (degree**2 - below**2)))  # of the two errors
        return min(1.0, ratio / (1 - ratio))


def _predict(
    problem: Problem, ends: Ends, pilots: NDArray[np.int64], tolerance: float, max_degree: int
) -> tuple[int, _Trend]:
    """Degree that should bring the pilots to the tolerance, from a ladder of lower ones."""
    plan = plain_plan(problem, np.zeros(1)).only(pilots)
    ladder = [round(_LOWEST_DEGREE * 1.2**k) for k in range(20)]
    ladder = [degree for degree in ladder if degree < max_degree] + [max_degree]
    if len(ladder) < 3:
        raise InputError(f"the largest degree {max_degree} is too small; at least {int(_LOWEST_DEGREE * 1.5)}")
    squares, logs, values = [], [], []
    for step, degree in enumerate(ladder):
        with np.errstate(over="ignore", invalid="ignore"):  # low degrees may grow beyond all numbers
            values.append(evaluate(problem, ends, plan, Resolution(degree, REACH, 0.01 * tolerance)))
        if step == 0:
            continue
        change = float(np.nan_to_num(np.abs(values[-1] - values[-2]), nan=np.inf).max())
        squares.append(ladder[step - 1] ** 2)
        # long pulses let errors of low degrees grow without bounds; as they are, they would show a steep decay
        logs.append(np.log(min(max(change, 1e-17), 1.0)))
        # a long baseline: neighbouring degrees differ too irregularly
        back = max(0, len(logs) - 3)
        trend = _Trend(ladder[back], float(np.exp(logs[back])))
        if change <= tolerance and (step == 1 or logs[-2] <= np.log(_RESOLVED)):
            return ladder[step - 1], trend
        # the extrapolation is trusted over a short distance only
        if len(logs) >= 3 and tolerance / change > 0.02 and change < 0.02:
            decay = -_CAUTION * np.polyfit(squares[-3:], logs[-3:], 1)[0]
            if decay > 0:
                wanted = sqrt(squares[-1] + (logs[-1] - np.log(tolerance)) / decay)
                return min(max_degree, int(np.ceil(wanted))), trend
    return max_degree, trend
