"""Fokker-Planck problems and how a set of lanes of one is solved at one resolution."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from mtjspice.device import generator, llg, propagation, wells
from mtjspice.device.generator import Floats, Generator
from mtjspice.device.harmonics import Matrix
from mtjspice.device.propagation import LANES

Progress = Callable[[float], None]

REACH = 3.5  # spectral radius times step of the ramps; the eighth-order error is below 1e-13 there
_AT_REST = [
    llg.PRECESSION, llg.DAMPING, llg.FIELD_X, llg.FIELD_Y, llg.FIELD_Z, llg.FIELD_K, llg.FIELD_SHAPE_Y, llg.MOMENT
]  # fmt: skip
_LOWEST_WELLS = 48
_HIGHEST_WELLS = 200
_KEPT_WELLS = 24  # of degree 200: 1 MB each
_RELEVANT = 50  # degree up to which errors of the committor count; densities hold less above


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


@dataclass(frozen=True)
class Ends:
    """Initial densities and committors (kinds, n) of the different rows, the kind of each case, and their error."""

    initial: Floats
    chance: Floats
    kind: NDArray[np.int64]
    axial: bool
    error: float


def find_ends(problem: Problem, tolerance: float) -> Ends:
    """Solve for the wells at a degree that brings the committors to the tolerance.

    At low damping the committor is a fine spiral far above the saddle: it needs a higher degree than what it
    multiplies. Cut to the degree of the densities it is a better committor than one solved for at that degree.
    """
    # rows that differ under voltage only share their wells
    _, first_of, kind = np.unique(problem.rows[:, _AT_REST], axis=0, return_index=True, return_inverse=True)
    kinds = problem.rows[first_of]
    occurring = _occurring(np.unique(problem.rows, axis=0))
    axial = not np.any(occurring[:, [0, 1, 3, 4, 8, 9]])
    used = np.any(occurring != 0, axis=0).tobytes()
    before, change, degree = None, np.inf, _LOWEST_WELLS
    while True:
        first = _wells(degree, used, axial, kinds[0].tobytes())
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
    found = [first, *(_wells(degree, used, axial, row.tobytes()) for row in kinds[1:])]
    chance = np.array([well.committor for well in found])
    if problem.state == -1:
        chance = -chance
        chance[:, 0] += sqrt(4 * pi)
    initial = np.array([well.densities[0 if problem.state == 1 else 1] for well in found])
    deep = min(well.barrier for well in found)
    return Ends(initial, chance, kind, axial, error + exp(-deep))


@lru_cache(maxsize=_KEPT_WELLS)
def _wells(degree: int, used: bytes, axial: bool, row: bytes) -> wells.Wells:
    """Wells of a parameter row, in harmonics of the families ``used`` (booleans).

    They are kept: searches for a voltage or a width ask for those of one junction again and again, and at degrees that
    low damping asks for they take longer than all that follows.
    """
    system = generator.generator(degree, np.frombuffer(used, bool), axial)
    found = wells.find(system, np.frombuffer(row))
    for array in (found.densities, found.committor):
        array.flags.writeable = False
    return found


def _prefix(degree: int, axial: bool) -> int:
    """Number of coefficients up to ``degree``."""
    return degree + 1 if axial else (degree + 1) ** 2


def _occurring(rows: Floats) -> Floats:
    """Coefficients at two voltages: a family counts as absent only if it vanishes at both."""
    return np.concatenate(
        [generator.coefficients(rows, np.full(len(rows), v), np.full(len(rows), v)) for v in (0, 0.618)]
    )


def evaluate(
    problem: Problem, ends: Ends, plan: Plan, resolution: Resolution, progress: Progress | None = None
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
