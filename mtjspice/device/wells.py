"""The two wells of a junction at V = 0: thermal densities, and the chance to end in one of them (committor)."""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from mtjspice.device import harmonics, llg
from mtjspice.device.generator import Floats, Generator, coefficients
from mtjspice.device.harmonics import Matrix
from mtjspice.errors import InputError

_ITERATIONS = 60
_EXTRA_NODES = 70  # resolve a well of Delta = 400 whatever the degree


@dataclass(frozen=True)
class Wells:
    """``densities`` (2, n) of the wells m_z > 0 and m_z < 0, ``committor`` (n,): the chance to end at m_z < 0.

    ``barrier`` is the lower one of the two, in kT: no statement about a state is sharper than e^-barrier.
    """

    densities: Floats
    committor: Floats
    barrier: float


def energy(row: Floats, x: Floats, y: Floats, z: Floats) -> Floats:
    """E/kT at V = 0 of the magnetizations (x, y, z)."""
    anisotropy = row[llg.FIELD_K] * z * z / 2 - row[..., llg.FIELD_SHAPE_Y] * y * y / 2
    zeeman = row[llg.FIELD_X] * x + row[..., llg.FIELD_Y] * y + row[llg.FIELD_Z] * z
    return np.asarray(-row[llg.MOMENT] * (anisotropy + zeeman))


def barrier(row: Floats) -> float:
    """Lower barrier in kT between the wells at V = 0; raises InputError where there are no two wells, or T = 0."""
    if not row[llg.NOISE] > 0:
        raise InputError("a Fokker-Planck equation needs a temperature above 0 K; the macrospin engine takes T = 0")
    theta = np.linspace(0, pi, 361)[:, None]
    phi = np.linspace(0, 2 * pi, 144, endpoint=False)
    z = np.cos(theta)
    levels = energy(row, np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), z)
    # the lowest path over the sphere crosses each circle of latitude at its lowest point
    valley = levels.min(axis=1)
    saddle = int(np.argmax(valley[1:-1])) + 1
    up, down = valley[: saddle + 1].min(), valley[saddle:].min()
    depth = float(valley[saddle] - max(up, down))
    sides = np.argmin(valley[: saddle + 1]) < 180 < saddle + np.argmin(valley[saddle:])
    if not (row[llg.FIELD_K] > 0 and sides and depth > 0.0):
        raise InputError("the junction has no two stable states at V = 0, so that switching has no meaning")
    return depth


def find(system: Generator, row: Floats) -> Wells:
    """Solve for the wells of one parameter row at V = 0; see `Wells`. Raises InputError as `barrier`."""
    depth = barrier(row)
    sides = [harmonics.half_sphere(side, system.degree + _EXTRA_NODES) for side in (1, -1)]
    densities = np.array([_boltzmann(system, row, side) for side in sides])
    start = harmonics.analyse(system.degree, sides[1], np.ones((len(sides[1].cosine), len(sides[1].azimuth))))
    zero = np.zeros(1)
    matrix = system.matrix(coefficients(row[None, :], zero, zero)[0])
    # all modes but the constant and the reversal die out by 1/100 or more in each inverse iteration
    shift = 0.01 * row[llg.DAMPING] * row[llg.PRECESSION] * row[llg.FIELD_K]
    inverse = _Banded(system, sparse.coo_array(matrix.T - shift * sparse.eye_array(len(system.kept))))
    value = start[system.kept]
    for _ in range(_ITERATIONS):
        new = inverse.solve(value)
        # no chance to switch from the first well, certainty from the second
        low, high = densities @ new
        new[0] -= low * sqrt(4 * pi)
        new /= high - low
        change = np.abs(new - value).max()
        value = new
        if change < 1e-15:
            break
    return Wells(densities, value, depth)


class _Banded:
    """LU factors of a matrix on the coefficients of ``system``.

    With the orders |m| outermost, all couplings lie within about two columns of the triangle of (l, m): a band far
    narrower than the fill of a general sparse factorisation.
    """

    def __init__(self, system: Generator, matrix: Matrix) -> None:
        level, order = (label[system.kept] for label in harmonics.labels(system.degree))
        self._sequence = np.lexsort((np.sign(order), level, np.abs(order)))
        place = np.empty_like(self._sequence)
        place[self._sequence] = np.arange(len(place))
        row, column = (place[index] for index in matrix.coords)
        self._below, self._above = int((row - column).max()), int((column - row).max())
        band = np.zeros((2 * self._below + self._above + 1, len(place)), order="F")  # with room for the pivoting
        band[self._below + self._above + row - column, column] = matrix.data
        self._factors, self._pivots, failed = lapack.dgbtrf(band, self._below, self._above, overwrite_ab=True)
        if failed:
            raise ArithmeticError(f"the wells' matrix is singular at pivot {failed}")

    def solve(self, right: Floats) -> Floats:
        """Solve for one right-hand side (n,)."""
        found, _ = lapack.dgbtrs(self._factors, self._below, self._above, right[self._sequence], self._pivots)
        result = np.empty_like(found)
        result[self._sequence] = found
        return result


def _boltzmann(system: Generator, row: Floats, side: harmonics.HalfSphere) -> Floats:
    """Coefficients of the Boltzmann density at V = 0 inside one hemisphere, integral 1."""
    z = side.cosine[:, None]
    radius = np.sqrt(1 - z * z)
    levels = energy(row, radius * np.cos(side.azimuth), radius * np.sin(side.azimuth), z)
    values = np.exp(levels.min() - levels)
    result = harmonics.analyse(system.degree, side, values)[system.kept]
    return np.asarray(result / (result[0] * sqrt(4 * pi)))
