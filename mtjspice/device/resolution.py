"""Adaptive resolution of Fokker-Planck problems: degree of the harmonics and quadrature over the spread of the drive.

A few pilot cases at low degrees predict the degree; every case is then solved at that degree and checked with a
coarser one. The Gaussian deviation of the VCMA drive is averaged by the trapezoidal rule, which converges
exponentially for it (Trefethen and Weideman, SIAM Review 56, 385 (2014)).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import norm

from mtjspice.device import generator, llg, propagation, wells
from mtjspice.device.generator import Floats, Generator
from mtjspice.device.harmonics import Matrix
from mtjspice.device.propagation import LANES
from mtjspice.errors import InputError

Progress = Callable[[float], None]

_LOWEST_DEGREE = 20
_ROUGH_DEGREE = 34  # resolves how the probability depends on the voltage, if not its value
_COARSER = 0.86  # degree of the check over that of the solution
_CAUTION = 0.6  # of the observed decay of the error with the square of the degree
_REACH = 3.5  # spectral radius times step of the ramps; the eighth-order error is below 1e-13 there
_ROUNDING = 2e-14
_LOWEST_WELLS = 48
_HIGHEST_WELLS = 200
_RELEVANT = 50  # degree up to which errors of the committor count; densities hold less above
_FINEST_SPACING = 0.15  # of the deviations, in standard deviations
_PILOT_VOLTAGES = 5
_RATIOS = (3, 4, 5)  # voltages at which one drive is solved in a shared plan


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


@dataclass(frozen=True)
class Resolution:
    """Degree of the harmonics, reach (spectral radius times step) of the ramps, cut of the expansions."""

    degree: int
    reach: float
    floor: float


@dataclass(frozen=True)
class Lanes:
    """A chunk: parameter rows (LANES, columns), and for each lane (LANES,) the number of its case, a factor on the
    voltages of that case, and a factor on the drive of the anisotropy besides."""  # fmt: skip

    rows: Floats
    case: NDArray[np.int64]
    factor: Floats
    drive: Floats


@dataclass(frozen=True)
class Problem:
    """A question that can be asked at any resolution.

    ``rows`` (cases, columns); ``order`` (cases,) is a voltage of each case; ``pick`` (cases,) is its number for
    ``solve``; ``scalable`` means that the waveforms differ in amplitude ``order`` only. ``solve`` gives P_sw of a
    chunk, (outputs, LANES), from initial densities and committors (n, LANES).
    """

    rows: Floats
    order: Floats
    pick: NDArray[np.int64]
    scalable: bool
    state: int
    outputs: int
    solve: Callable[[Generator, Lanes, Floats, Floats, Resolution], Floats]


@dataclass(frozen=True)
class Plan:
    """Lanes to be solved and the weights that make averages of them.

    ``case``, ``factor``, ``drive`` (lanes,) as in `Lanes`; ``weight`` (cases, lanes) sparse; ``check``: the lanes
    that suffice to measure the error of the degree, and their weights, nonnegative.
    """

    case: NDArray[np.int64]
    factor: Floats
    drive: Floats
    weight: Matrix
    check: tuple[NDArray[np.int64], Matrix]

    def only(self, lanes: NDArray[np.int64]) -> "Plan":
        """Some of the lanes, to be solved but not averaged."""
        return replace(self, case=self.case[lanes], factor=self.factor[lanes], drive=self.drive[lanes])


def _plain(problem: Problem, nodes: Floats) -> Plan:
    """Each case at each of the deviations ``nodes`` (in standard deviations)."""
    count, size = len(problem.rows), len(nodes)
    case = np.repeat(np.arange(count), size)
    drive = 1 + problem.rows[case, llg.DRIVE_SPREAD] * np.tile(nodes, count)
    weight = norm.pdf(nodes) / norm.pdf(nodes).sum()
    some = np.flatnonzero(np.arange(size) % 2 == (size // 2) % 2)
    checked = (np.arange(count)[:, None] * size + some).reshape(-1)
    diagonal = sparse.eye_array(count)
    return Plan(
        case, np.ones(count * size), drive, sparse.csr_array(sparse.kron(diagonal, weight[None, :])),
        (checked, sparse.csr_array(sparse.kron(diagonal, (weight[some] / weight[some].sum())[None, :]))),
    )  # fmt: skip


def _shared(problem: Problem, spacing: float, tolerance: float, ratios: int) -> Plan:
    """One grid of drives, even in their logarithm, for the averages of all voltages of one junction.

    The probability is a function of the drive and, through spin torque and B_z(V) only, weakly of the voltage: a
    polynomial in voltage/drive through ``ratios`` points. Saves solving each drive once per voltage.
    """
    volts = problem.order
    spread = float(problem.rows[0, llg.DRIVE_SPREAD])
    reach = float(norm.isf(tolerance / 16)) * spread
    largest = np.abs(volts).max()
    low, high = np.log(np.abs(volts).min() * (1 - reach)), np.log(largest * (1 + reach))
    size = int(np.ceil((high - low) / (spread * spacing))) + 1
    drives = np.exp(np.linspace(low, high, size))
    ratio = 1 + spread * np.polynomial.hermite_e.hermegauss(ratios)[0]
    deviation = (drives / np.abs(volts)[:, None] - 1) / spread
    share = norm.pdf(deviation) * drives  # d(drive) = drive d(ln drive)
    share /= share.sum(axis=1, keepdims=True)
    here = np.abs(volts)[:, None] / drives
    parts = [
        np.prod([(here - other) / (own - other) for other in ratio if other != own], axis=0)
        if ratios > 1 else np.ones_like(here)
        for own in ratio
    ]  # fmt: skip
    middle = np.arange(size) * ratios + ratios // 2
    reference = int(np.argmax(np.abs(volts)))
    level = (drives[:, None] * ratio).reshape(-1)
    weight = np.stack([share * part for part in parts], axis=2).reshape(len(volts), -1)
    return Plan(
        np.full(size * ratios, reference), level / largest, np.repeat(drives, ratios) / level,
        sparse.csr_array(weight), (middle, sparse.csr_array(share)),
    )  # fmt: skip


def solve_adaptively(problem: Problem, tolerance: float, max_degree: int, progress: Progress | None) -> Probability:
    """Predict the resolution from a few pilot cases, solve all cases, and check with a coarser degree."""
    count = len(problem.rows)
    ranked = np.argsort(problem.order, kind="stable")
    pilots = ranked[np.unique(np.linspace(0, count - 1, min(count, LANES)).astype(int))]
    ends = _ends(problem, tolerance)
    degree, trend = _predict(problem, ends, pilots, tolerance, max_degree)
    plan, quadrature = _quadrature(problem, ends, ranked, min(degree, _ROUGH_DEGREE), tolerance)
    told = 0.1
    while True:
        fine = Resolution(degree, _REACH, 0.01 * tolerance)
        below = max(_LOWEST_DEGREE - 2, int(degree * _COARSER))
        values = _evaluate(problem, ends, plan, fine, _part(progress, told, max(told, 0.85)))
        checked, weight = plan.check
        coarse = _evaluate(
            problem,
            ends,
            plan.only(checked),
            replace(fine, degree=below, reach=1.1 * _REACH),
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


@dataclass(frozen=True)
class _Ends:
    """Initial densities and committors (kinds, n) of the different rows, the kind of each case, and their error."""

    initial: Floats
    chance: Floats
    kind: NDArray[np.int64]
    axial: bool
    error: float


def _ends(problem: Problem, tolerance: float) -> _Ends:
    """Solve for the wells at a degree that brings the committors to the tolerance.

    At low damping the committor is a fine spiral far above the saddle: it needs a higher degree than what it
    multiplies. Cut to the degree of the densities it is a better committor than one solved for at that degree.
    """
    kinds, kind = np.unique(problem.rows, axis=0, return_inverse=True)
    occurring = _occurring(kinds)
    axial = not np.any(occurring[:, [0, 1, 3, 4, 8, 9]])
    before, change, degree = None, np.inf, _LOWEST_WELLS
    while True:
        system = generator.generator(degree, occurring, axial)
        first = wells.find(system, kinds[0])
        error = np.inf
        if before is not None:
            # Cauchy and Schwarz; the next change would be smaller by a larger factor than this one
            common = min(len(before), _prefix(_RELEVANT, axial))
            size = float(
                np.linalg.norm(first.committor[:common] - before[:common]) * np.linalg.norm(first.densities[0])
            )
            error = size * (min(1.0, size / change) if np.isfinite(change) else 1.0)
            change = size
        if error <= tolerance / 4 or degree >= _HIGHEST_WELLS:
            break
        before, degree = first.committor, min(_HIGHEST_WELLS, round(1.2 * degree))
    found = [first, *(wells.find(system, row) for row in kinds[1:])]
    chance = np.array([well.committor for well in found])
    if problem.state == -1:
        chance = -chance
        chance[:, 0] += sqrt(4 * pi)
    initial = np.array([well.densities[0 if problem.state == 1 else 1] for well in found])
    deep = min(well.barrier for well in found)
    return _Ends(initial, chance, kind, axial, error + exp(-deep))


def _prefix(degree: int, axial: bool) -> int:
    """Number of coefficients up to ``degree``."""
    return degree + 1 if axial else (degree + 1) ** 2


def _occurring(rows: Floats) -> Floats:
    """Coefficients at two voltages: a family counts as absent only if it vanishes at both."""
    return np.concatenate(
        [generator.coefficients(rows, np.full(len(rows), v), np.full(len(rows), v)) for v in (0, 0.618)]
    )


def _evaluate(
    problem: Problem, ends: _Ends, plan: Plan, resolution: Resolution, progress: Progress | None = None
) -> Floats:
    """P_sw (lanes, outputs) of the lanes of a plan at one resolution."""
    rows, case = problem.rows, plan.case
    system = generator.generator(resolution.degree, _occurring(np.unique(rows[case], axis=0)), ends.axial)
    size = len(system.kept)
    initial, chance = (
        np.pad(table[:, :size], ((0, 0), (0, max(0, size - table.shape[1])))) for table in (ends.initial, ends.chance)
    )
    order = np.argsort(problem.order[case] * plan.factor * plan.drive, kind="stable")
    filled = np.concatenate((order, np.full(-len(order) % LANES, order[-1])))

    def chunk(lanes: NDArray[np.int64]) -> Floats:
        which = Lanes(
            np.ascontiguousarray(rows[case[lanes]]), problem.pick[case[lanes]], plan.factor[lanes], plan.drive[lanes]
        )
        kind = ends.kind[case[lanes]]
        x, q = (np.ascontiguousarray(table[kind].T) for table in (initial, chance))
        return problem.solve(system, which, x, q, resolution)

    parts = propagation.in_threads(chunk, filled.reshape(-1, LANES), progress)
    result = np.empty((len(case), problem.outputs))
    result[filled] = np.concatenate(parts, axis=1).T
    return result


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
        """Error at ``degree`` over that at ``below``, where it is ``change``; cautious, at most 1."""
        if below <= self.degree or not 0 < change < self.error:
            return 1.0
        decay = np.log(self.error / change) / (below**2 - self.degree**2)
        return float(np.exp(-_CAUTION * decay * (degree**2 - below**2)))


def _predict(
    problem: Problem, ends: _Ends, pilots: NDArray[np.int64], tolerance: float, max_degree: int
) -> tuple[int, _Trend]:
    """Degree that should bring the pilots to the tolerance, from a ladder of lower ones."""
    plan = _plain(problem, np.zeros(1)).only(pilots)
    ladder = [round(_LOWEST_DEGREE * 1.2**k) for k in range(20)]
    ladder = [degree for degree in ladder if degree < max_degree] + [max_degree]
    if len(ladder) < 3:
        raise InputError(f"the largest degree {max_degree} is too small; at least {int(_LOWEST_DEGREE * 1.5)}")
    squares, logs, values = [], [], []
    for step, degree in enumerate(ladder):
        values.append(_evaluate(problem, ends, plan, Resolution(degree, _REACH, 0.01 * tolerance)))
        if step == 0:
            continue
        change = float(np.abs(values[-1] - values[-2]).max())
        squares.append(ladder[step - 1] ** 2)
        logs.append(np.log(max(change, 1e-17)))
        # a long baseline: neighbouring degrees differ too irregularly
        back = max(0, len(logs) - 3)
        trend = _Trend(ladder[back], float(np.exp(logs[back])))
        if change <= tolerance:
            return ladder[step - 1], trend
        # the extrapolation is trusted over a short distance only
        if len(logs) >= 3 and tolerance / change > 0.02 and change < 0.02:
            decay = -_CAUTION * np.polyfit(squares[-3:], logs[-3:], 1)[0]
            if decay > 0:
                wanted = sqrt(squares[-1] + (logs[-1] - np.log(tolerance)) / decay)
                return min(max_degree, int(np.ceil(wanted))), trend
    return max_degree, trend


def _quadrature(
    problem: Problem, ends: _Ends, ranked: NDArray[np.int64], degree: int, tolerance: float
) -> tuple[Plan, Floats]:
    """Plan over the deviation of the drive that meets the tolerance, and its error (outputs,).

    Found at a few cases and a low degree, where a fine trapezoidal rule serves as the reference.
    """
    if not np.any(problem.rows[:, llg.DRIVE_SPREAD] > 0):
        return _plain(problem, np.zeros(1)), np.zeros(problem.outputs)
    count = len(ranked)
    pilots = ranked[np.unique(np.linspace(0, count - 1, min(count, _PILOT_VOLTAGES)).astype(int))]
    some = replace(problem, rows=problem.rows[pilots], order=problem.order[pilots], pick=problem.pick[pilots])
    some_ends = replace(ends, kind=ends.kind[pilots])
    resolution = Resolution(degree, _REACH, 0.01 * tolerance)
    finest = _FINEST_SPACING
    while True:
        nodes = _nodes(finest, tolerance)
        values = _evaluate(some, some_ends, _plain(some, nodes), resolution).reshape(len(pilots), len(nodes), -1)
        averages = []
        for multiple in range(1, 7):
            kept = np.arange(-(len(nodes) // 2), len(nodes) // 2 + 1) % multiple == 0
            weight = norm.pdf(nodes[kept])
            averages.append(np.einsum("g,cgo->co", weight / weight.sum(), values[:, kept]))
        for multiple in range(6, 1, -1):
            error = np.abs(averages[multiple - 1] - averages[0]).max(axis=0)
            if error.max() <= tolerance / 4:
                spacing = multiple * finest
                plain = _plain(problem, _nodes(spacing, tolerance))
                shared = _try_shared(
                    problem, some, some_ends, spacing, resolution, tolerance, averages[0], len(plain.case)
                )
                return shared if shared is not None else (plain, error + tolerance / 16)
        finest /= 2


def _try_shared(
    problem: Problem,
    pilots: Problem,
    ends: _Ends,
    spacing: float,
    resolution: Resolution,
    tolerance: float,
    exact: Floats,
    limit: int,
) -> tuple[Plan, Floats] | None:
    """A shared plan of fewer than ``limit`` lanes that meets the tolerance at the pilots, if there is one."""
    rows, volts = problem.rows, problem.order
    reach = norm.isf(tolerance / 16) * rows[0, llg.DRIVE_SPREAD]
    one_sign = bool(np.all(volts > 0) or np.all(volts < 0))
    if not (problem.scalable and one_sign and np.all(rows == rows[0]) and reach < 0.9):
        return None
    depends = np.any(rows[0, [llg.TORQUE, llg.FIELD_Z_LINEAR, llg.FIELD_Z_QUADRATIC]] != 0)
    for ratios in _RATIOS if depends else (1,):
        for finer in (0.92, 0.8):
            plan = _shared(problem, finer * spacing, tolerance, ratios)
            if len(plan.case) >= limit:
                return None
            trial = _shared(pilots, finer * spacing, tolerance, ratios)
            error = np.abs(trial.weight @ _evaluate(pilots, ends, trial, resolution) - exact).max(axis=0)
            if error.max() <= tolerance / 2:
                return plan, np.asarray(error + tolerance / 16)
    return None


def _nodes(spacing: float, tolerance: float) -> Floats:
    reach = int(np.ceil(norm.isf(tolerance / 16) / spacing))
    return np.asarray(spacing * np.arange(-reach, reach + 1))
