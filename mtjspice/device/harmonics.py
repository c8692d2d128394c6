"""Real spherical harmonics on the unit sphere of the magnetization: operators, analysis and synthesis.

The basis is orthonormal: Y_lm = sqrt(2) N_lm P_lm(cos theta) cos(m phi) for m > 0, sin(|m| phi) for m < 0 and
N_l0 P_l0 for m = 0, without the Condon-Shortley sign; coefficient (l, m) stands at l^2 + l + m. All operators
follow from two- and four-term recurrences (Varshalovich et al., Quantum Theory of Angular Momentum, ch. 5).
"""

# mypy: allow-untyped-decorators

from dataclasses import dataclass
from math import pi, sqrt
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

_PIECE = 32  # nodes; the weights of longer rules are less exact

Matrix = Any  # a sparse matrix of scipy, which has no types


def count(degree: int) -> int:
    """Number of harmonics up to ``degree``."""
    return (degree + 1) ** 2


def labels(degree: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Degree l and order m of each coefficient, two arrays (count,)."""
    index = np.arange(count(degree))
    level = np.floor(np.sqrt(index)).astype(np.int64)
    return level, index - level * level - level


@dataclass(frozen=True)
class Operators:
    """Sparse real matrices (count, count) up to ``degree``.

    ``rotation`` are R = m x grad (antisymmetric; [R_x, R_y] = -R_z), which generate the rotations of functions,
    and ``component`` the products with m_x, m_y, m_z (symmetric; what leaves the space is cut off).
    """

    degree: int
    rotation: tuple[Matrix, Matrix, Matrix]
    component: tuple[Matrix, Matrix, Matrix]


def operators(degree: int) -> Operators:
    """Assemble the operators up to ``degree`` in the complex basis and turn them into the real one."""
    level, order = labels(degree)
    raise_order = _ladder(degree, level, order, 0, lambda n, m: np.sqrt((n - m) * (n + m + 1.0)), 1)
    along = _ladder(degree, level, order, 1, lambda n, m: np.sqrt(((n + 1.0) ** 2 - m**2) / _gap(n)), 0)
    across = _ladder(degree, level, order, 1, lambda n, m: -np.sqrt((n + m + 1.0) * (n + m + 2) / _gap(n)), 1)
    across = across + _ladder(
        degree, level, order, -1, lambda n, m: np.sqrt((n - m) * (n - m - 1.0) / _gap(n - 1)), 1
    )  # fmt: skip
    lower_order, inward = raise_order.T, across.T  # all factors are real
    basis = _real_basis(degree, level, order)

    def real(matrix: Matrix) -> Matrix:
        turned = sparse.csr_array((basis.conj() @ matrix @ basis.T).real)
        turned.data[np.abs(turned.data) < 1e-12 * (degree + 1)] = 0.0
        turned.eliminate_zeros()
        return turned

    rotation = (
        real(0.5j * (raise_order + lower_order)),
        real(0.5 * (raise_order - lower_order)),
        real(1j * sparse.diags_array(order.astype(float))),
    )
    component = (real(0.5 * (across + inward)), real(-0.5j * (across - inward)), real(along + along.T))
    return Operators(degree, rotation, component)


def _gap(level: NDArray[np.int64]) -> NDArray[np.float64]:
    return (2.0 * level + 1) * (2.0 * level + 3)


def _ladder(
    degree: int, level: NDArray[np.int64], order: NDArray[np.int64], step: int, factor: Any, turn: int
) -> Matrix:
    """Matrix that takes Y_lm to factor(l, m) Y_(l + step)(m + turn) as far as that exists."""
    to_level, to_order = level + step, order + turn
    exists = (to_level >= 0) & (to_level <= degree) & (np.abs(to_order) <= to_level)
    source = np.flatnonzero(exists)
    target = (to_level * to_level + to_level + to_order)[exists]
    shape = (len(level), len(level))
    return sparse.csr_array((factor(level[exists], order[exists]), (target, source)), shape=shape)


def _real_basis(degree: int, level: NDArray[np.int64], order: NDArray[np.int64]) -> Matrix:
    """Unitary matrix whose rows hold the complex coefficients of the real harmonics."""
    index = np.arange(len(level))
    mirror = index - 2 * order
    sign = np.where(order % 2 == 0, 1.0, -1.0)
    up, down, flat = order > 0, order < 0, order == 0
    # sqrt(2) (-1)^m Re Y_lm for m > 0, sqrt(2) (-1)^m Im Y_l|m| for m < 0; Y_l(-m) = (-1)^m conj Y_lm
    rows = np.concatenate((index[flat], index[up], index[up], index[down], index[down]))
    columns = np.concatenate((index[flat], index[up], mirror[up], mirror[down], index[down]))
    values = np.concatenate(
        (
            np.ones(int(flat.sum()), complex),
            sign[up] / sqrt(2),
            np.full(int(up.sum()), 1 / sqrt(2)),
            -1j * sign[down] / sqrt(2),
            np.full(int(down.sum()), 1j / sqrt(2)),
        )
    )
    return sparse.csr_array((values, (rows, columns)), shape=(len(level), len(level)))


@njit(cache=True)
def legendre(degree: int, cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal associated Legendre functions (points, degree + 1, degree + 1) as [point, l, m], m <= l.

    integral over -1..1 of square = 1/(2 pi); stable to degrees of several hundred (the functions that underflow
    near the poles are zero to double precision). Holmes and Featherstone, J. Geodesy 76, 279 (2002).
    """
    table = np.zeros((len(cosines), degree + 1, degree + 1))
    for point, z in enumerate(cosines):
        s = sqrt(max(0.0, 1.0 - z * z))
        diagonal = sqrt(0.25 / pi)
        for m in range(degree + 1):
            if m > 0:
                diagonal *= s * sqrt((2.0 * m + 1.0) / (2.0 * m))
            table[point, m, m] = diagonal
            if m < degree:
                table[point, m + 1, m] = sqrt(2.0 * m + 3.0) * z * diagonal
            for n in range(m + 2, degree + 1):
                a = sqrt((4.0 * n * n - 1.0) / (n * n - m * m))
                b = sqrt(((n - 1.0) ** 2 - m * m) / (4.0 * (n - 1.0) ** 2 - 1.0))
                table[point, n, m] = a * (z * table[point, n - 1, m] - b * table[point, n - 2, m])
    return table


@dataclass(frozen=True)
class HalfSphere:
    """Quadrature nodes on the half sphere m_z > 0 (``side`` +1) or m_z < 0 (-1).

    Gauss-Legendre in pieces of the polar angle (a density that ends at the equator stays smooth there), equal
    azimuths: ``cosine`` (p,), ``weight`` (p,) of dm_z, ``azimuth`` (q,).
    """

    cosine: NDArray[np.float64]
    weight: NDArray[np.float64]
    azimuth: NDArray[np.float64]


def half_sphere(side: int, nodes: int) -> HalfSphere:
    """Return ``nodes`` polar angles or a few more, and twice as many azimuths."""
    z, weight = np.polynomial.legendre.leggauss(_PIECE)
    pieces = -(-nodes // _PIECE)
    width = pi / 2 / pieces
    theta = (width * (np.arange(pieces)[:, None] + (z + 1) / 2)).reshape(-1)
    azimuth = 2 * pi * np.arange(2 * nodes) / (2 * nodes)
    return HalfSphere(side * np.cos(theta), np.tile(weight, pieces) * width / 2 * np.sin(theta), azimuth)


def analyse(degree: int, where: HalfSphere, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients (count,) of a function that has ``values`` (p, q) on half a sphere and vanishes on the other."""
    turns = len(where.azimuth)
    waves = np.fft.rfft(values, axis=1)[:, : degree + 1] * (2 * pi / turns)
    table = legendre(degree, where.cosine) * where.weight[:, None, None]
    waves = np.pad(waves, ((0, 0), (0, max(0, degree + 1 - waves.shape[1]))))
    even = np.einsum("plm,pm->lm", table, waves.real)
    odd = np.einsum("plm,pm->lm", table, -waves.imag)
    level, order = labels(degree)
    scale = np.where(order == 0, 1.0, sqrt(2))
    return np.where(order >= 0, even[level, np.abs(order)], odd[level, np.abs(order)]) * scale


def synthesise(
    degree: int, coefficients: NDArray[np.float64], polar: NDArray[np.float64], azimuth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values (polar, azimuth) of the function with ``coefficients`` (count,) on a grid of angles in radians."""
    level, order = labels(degree)
    table = legendre(degree, np.cos(np.asarray(polar, float)))
    scale = np.where(order == 0, 1.0, sqrt(2)) * coefficients
    even, odd = np.zeros((degree + 1, degree + 1)), np.zeros((degree + 1, degree + 1))
    even[level[order >= 0], order[order >= 0]] = scale[order >= 0]
    odd[level[order < 0], -order[order < 0]] = scale[order < 0]
    angle = np.arange(degree + 1)[:, None] * np.asarray(azimuth, float)[None, :]
    values = np.einsum("plm,lm->pm", table, even) @ np.cos(angle)
    return np.asarray(values + np.einsum("plm,lm->pm", table, odd) @ np.sin(angle))
