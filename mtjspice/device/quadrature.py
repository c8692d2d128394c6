"""Averages over the Gaussian deviation of the VCMA drive: which lanes to solve and how to weigh them.

The trapezoidal rule converges exponentially for such averages (Trefethen and Weideman, SIAM Review 56, 385 (2014)).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import norm

from mtjspice.device import llg
from mtjspice.device.generator import Floats
from mtjspice.device.problem import REACH, Ends, Plan, Problem, Resolution, evaluate

_FINEST_SPACING = 0.15  # of the deviations, in standard deviations
_PILOT_VOLTAGES = 5
_RATIOS = (3, 4, 5)  # voltages at which one drive is solved in a shared plan


def plain_plan(problem: Problem, nodes: Floats) -> Plan:
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


def plan_quadrature(
    problem: Problem, ends: Ends, ranked: NDArray[np.int64], degree: int, tolerance: float
) -> tuple[Plan, Floats]:
    """Plan over the deviation of the drive that meets the tolerance, and its error (outputs,).

    Found at a few cases and a low degree, where a fine trapezoidal rule serves as the reference.
    """
    if not np.any(problem.rows[:, llg.DRIVE_SPREAD] > 0):
        return plain_plan(problem, np.zeros(1)), np.zeros(problem.outputs)
    count = len(ranked)
    pilots = ranked[np.unique(np.linspace(0, count - 1, min(count, _PILOT_VOLTAGES)).astype(int))]
    some = replace(problem, rows=problem.rows[pilots], order=problem.order[pilots], pick=problem.pick[pilots])
    some_ends = replace(ends, kind=ends.kind[pilots])
    resolution = Resolution(degree, REACH, 0.01 * tolerance)
    finest = _FINEST_SPACING
    while True:
        nodes = _nodes(finest, tolerance)
        values = evaluate(some, some_ends, plain_plan(some, nodes), resolution).reshape(len(pilots), len(nodes), -1)
        averages = []
        for multiple in range(1, 7):
            kept = np.arange(-(len(nodes) // 2), len(nodes) // 2 + 1) % multiple == 0
            weight = norm.pdf(nodes[kept])
            averages.append(np.einsum("g,cgo->co", weight / weight.sum(), values[:, kept]))
        for multiple in range(6, 1, -1):
            error = np.abs(averages[multiple - 1] - averages[0]).max(axis=0)
            if error.max() <= tolerance / 4:
                spacing = multiple * finest
                plain = plain_plan(problem, _nodes(spacing, tolerance))
                shared = _try_shared(
                    problem, some, some_ends, spacing, resolution, tolerance, averages[0], len(plain.case)
                )
                return shared if shared is not None else (plain, error + tolerance / 16)
        finest /= 2


def _try_shared(
    problem: Problem,
    pilots: Problem,
    ends: Ends,
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
            error = np.abs(trial.weight @ evaluate(pilots, ends, trial, resolution) - exact).max(axis=0)
            if error.max() <= tolerance / 2:
                return plan, np.asarray(error + tolerance / 16)
    return None


def _nodes(spacing: float, tolerance: float) -> Floats:
    reach = int(np.ceil(norm.isf(tolerance / 16) / spacing))
    return np.asarray(spacing * np.arange(-reach, reach + 1))
