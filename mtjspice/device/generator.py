"""The Fokker-Planck generator of the macrospin density in real spherical harmonics, as sparse families.

A lane is one density under its own voltage. All lanes share the matrices of the families below and differ in one
coefficient per family.

With R = m x grad and v = -g m x (B + a m x B) the divergence of v rho is g sum_i R_i [(B + a m x B)_i rho], as the
fields e_i x m have no divergence. A(rho) = -div(v rho) + D lap rho is therefore a sum of products of `harmonics`:
"turn" families belong to velocities e_i x m, "slide" families to grad m_i = e_i - m_i m.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mtjspice.device import harmonics, llg
from mtjspice.device.harmonics import Matrix

FAMILIES = 11  # turn about x, y, z; slide along x, y, z; turn, slide with m_z z; the same with m_y y; Laplacian
TURN, SLIDE, TURN_ZZ, SLIDE_ZZ, TURN_YY, SLIDE_YY, LAPLACIAN = 0, 3, 6, 7, 8, 9, 10

Floats = NDArray[np.float64]


def coefficients(rows: Floats, volts: Floats, drives: Floats) -> Floats:
    """Coefficients (..., lanes, FAMILIES) in 1/s of ``rows`` (lanes, columns) at ``volts`` (..., lanes).

    ``drives`` (..., lanes) are the voltages that the anisotropy sees.
    """
    g, a = rows[..., llg.PRECESSION], rows[..., llg.DAMPING]
    field_z = (
        rows[..., llg.FIELD_Z] + (rows[..., llg.FIELD_Z_LINEAR] + rows[..., llg.FIELD_Z_QUADRATIC] * volts) * volts
    )
    slope = rows[..., llg.FIELD_K_LINEAR] + rows[..., llg.FIELD_K_QUADRATIC] * drives
    field_k = rows[..., llg.FIELD_K] - slope * drives
    torque, torque_slope = _torque(rows, volts)
    field_z = field_z + rows[..., llg.FIELD_LIKE] * torque
    field_k = field_k + rows[..., llg.FIELD_LIKE] * torque_slope
    fields = (rows[..., llg.FIELD_X], rows[..., llg.FIELD_Y], field_z)
    result = np.zeros((*np.broadcast_shapes(np.shape(volts), np.shape(drives), g.shape), FAMILIES))
    for axis, field in enumerate(fields):
        result[..., TURN + axis] = g * field
        result[..., SLIDE + axis] = g * a * field
    # m x (m x z) = m_z m - z: the damping part of the torque is a turn about z
    result[..., SLIDE + 2] += g * torque
    result[..., TURN + 2] -= g * a * torque
    result[..., TURN_ZZ] = g * (field_k - a * torque_slope)
    result[..., SLIDE_ZZ] = g * (a * field_k + torque_slope)
    result[..., TURN_YY] = -g * rows[..., llg.FIELD_SHAPE_Y]
    result[..., SLIDE_YY] = -g * a * rows[..., llg.FIELD_SHAPE_Y]
    result[..., LAPLACIAN] = a * g / rows[..., llg.MOMENT]
    return result


def _torque(rows: Floats, volts: Floats) -> tuple[Floats, Floats]:
    """Damping-like field a_J = first + second m_z in tesla; driven by current it follows the conductance."""
    ratio = volts / rows[..., llg.TMR_HALF_VOLTAGE]
    antiparallel = 1 / (1 + rows[..., llg.TMR] / (1 + ratio * ratio))
    linear, quadratic = rows[..., llg.CONDUCTANCE_LINEAR], rows[..., llg.CONDUCTANCE_QUADRATIC]
    current = rows[..., llg.CONDUCTANCE_P] * (1 + (linear + quadratic * volts) * volts) * volts
    by_current = rows[..., llg.TORQUE_PER_AMPERE] * current / 2
    driven = rows[..., llg.TORQUE_MODEL] == 0
    first = np.where(driven, rows[..., llg.TORQUE] * volts, by_current * (1 + antiparallel))
    return first, np.where(driven, 0.0, by_current * (1 - antiparallel))


@dataclass(frozen=True)
class Compressed:
    """Rows of all families in one list: entries start[i]..start[i + 1] of row i name family, column and value."""

    start: NDArray[np.int32]
    family: NDArray[np.int32]
    column: NDArray[np.int32]
    value: Floats


@dataclass(frozen=True)
class Generator:
    """The families of A up to ``degree`` on the coefficients ``kept`` (all, or m = 0 only), and of its transpose."""

    degree: int
    kept: NDArray[np.int64]
    families: tuple[Matrix, ...]
    forward: Compressed
    backward: Compressed

    def matrix(self, coefficients: Floats) -> Matrix:
        """A of one lane (1/s) as a sparse matrix; ``coefficients`` (FAMILIES,)."""
        parts = [c * family for c, family in zip(coefficients, self.families, strict=True)]
        return sparse.csc_array(sum(parts[1:], parts[0]))


def generator(degree: int, coefficients: Floats, axial: bool = False) -> Generator:
    """Assemble the families that have a nonzero value in ``coefficients`` (..., FAMILIES).

    The products are taken three degrees higher and cut, so that A is the exact (Galerkin) projection.
    """
    operators = harmonics.operators(degree + 3)
    turn_about = [-matrix for matrix in operators.rotation]
    _, m_y, m_z = operators.component
    slide_along = [
        operators.rotation[(i + 2) % 3] @ operators.component[(i + 1) % 3]
        - operators.rotation[(i + 1) % 3] @ operators.component[(i + 2) % 3]
        for i in range(3)
    ]
    level, order = harmonics.labels(degree + 3)
    laplacian = sparse.diags_array(-level * (level + 1.0))
    every = (
        *turn_about, *slide_along, turn_about[2] @ m_z, slide_along[2] @ m_z, turn_about[1] @ m_y,
        slide_along[1] @ m_y, laplacian,
    )  # fmt: skip
    kept = np.flatnonzero((level <= degree) & ((order == 0) | (not axial)))
    used = np.any(np.reshape(coefficients, (-1, FAMILIES)) != 0, axis=0)
    families = []
    for matrix, wanted in zip(every, used, strict=True):
        cut = sparse.csr_array(sparse.csr_array(matrix)[kept][:, kept]) * float(wanted)
        # exact zeros of the algebra appear as rounding errors
        cut.data[np.abs(cut.data) < 1e-13 * (degree + 3) ** 2] = 0.0
        cut.eliminate_zeros()
        families.append(cut)
    return Generator(degree, kept, tuple(families), _compress(families), _compress([family.T for family in families]))


def _compress(families: Sequence[Matrix]) -> Compressed:
    parts = [sparse.coo_array(family) for family in families]
    row = np.concatenate([part.coords[0] for part in parts])
    number = np.concatenate([np.full(part.nnz, k) for k, part in enumerate(parts)])
    order = np.argsort(row, kind="stable")
    start = np.searchsorted(row[order], np.arange(families[0].shape[0] + 1))
    column = np.concatenate([part.coords[1] for part in parts])[order]
    value = np.concatenate([part.data for part in parts])[order]
    return Compressed(start.astype(np.int32), number[order].astype(np.int32), column.astype(np.int32), value)


@dataclass(frozen=True)
class Bounds:
    """Where the spectrum (numerical range) of each lane lies: real part low..high, |imaginary part| <= height, 1/s.

    With s = -div v/2 the symmetric part of A is s + D lap and the rest is at most max|v| |grad| + max|s|.
    """

    low: Floats
    high: Floats
    height: Floats


def bounds(degree: int, coefficients: Floats) -> Bounds:
    """Bound the generators of ``coefficients`` (lanes, FAMILIES); arrays (lanes,)."""
    z = np.cos(np.linspace(0, np.pi, 25))[:, None]
    phi = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.sqrt(1 - z * z)
    m = np.stack(np.broadcast_arrays(radius * np.cos(phi), radius * np.sin(phi), z)).reshape(3, -1)
    c = coefficients.T[:, :, None]
    # v is a rotation by ``turn`` and the tangential part of ``slide``
    turn = np.stack((c[0] + 0 * m[0], c[1] + c[TURN_YY] * m[1], c[2] + c[TURN_ZZ] * m[2]))
    slide = np.stack((c[3] + 0 * m[0], c[4] + c[SLIDE_YY] * m[1], c[5] + c[SLIDE_ZZ] * m[2]))
    velocity = np.cross(turn, m[:, None, :], axis=0) + slide - m[:, None, :] * (slide * m[:, None, :]).sum(axis=0)
    speed = 1.03 * np.sqrt((velocity**2).sum(axis=0).max(axis=1))  # the grid misses the maximum by less
    source = (
        c[3] * m[0] + c[4] * m[1] + c[5] * m[2]
        - c[SLIDE_ZZ] * (1 - 3 * m[2] ** 2) / 2 - c[SLIDE_YY] * (1 - 3 * m[1] ** 2) / 2
    )  # fmt: skip
    stiffness = degree * (degree + 1.0)
    margin = 0.03 * np.abs(source).max(axis=1)
    low = source.min(axis=1) - margin - coefficients[:, LAPLACIAN] * stiffness
    return Bounds(low, source.max(axis=1) + margin, speed * sqrt(stiffness) + np.abs(source).max(axis=1))
