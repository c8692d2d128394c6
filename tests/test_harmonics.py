"""Real spherical harmonics: algebra of the operators, and functions against their values."""

import numpy as np
import pytest
from scipy.special import sph_harm_y

from mtjspice.device import harmonics

DEGREE = 12
POLAR, AZIMUTH = np.linspace(0.05, 3.1, 17), np.linspace(0.0, 6.2, 23)


def matrices():
    found = harmonics.operators(DEGREE)
    return [m.toarray() for m in found.rotation], [m.toarray() for m in found.component]


def test_rotations_and_products_have_the_algebra_of_vectors():
    """To rounding; relations of products hold where they do not reach beyond the cut."""
    r, m = matrices()
    level, _ = harmonics.labels(DEGREE)
    inside = level <= DEGREE - 2
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        np.testing.assert_allclose(r[i] @ r[j] - r[j] @ r[i], -r[k], atol=1e-12)
        np.testing.assert_allclose(r[i], -r[i].T, atol=1e-14)
        np.testing.assert_allclose(m[i], m[i].T, atol=1e-14)
        np.testing.assert_allclose((m[i] @ m[j] - m[j] @ m[i])[:, inside], 0, atol=1e-13)
        # R_i m_j = (m x grad)_i m_j = -epsilon_ijk m_k
        np.testing.assert_allclose((r[i] @ m[j] - m[j] @ r[i])[:, inside], -m[k][:, inside], atol=1e-12)
        np.testing.assert_allclose((r[i] @ m[i] - m[i] @ r[i])[:, inside], 0, atol=1e-12)
    np.testing.assert_allclose(sum(a @ b for a, b in zip(m, r, strict=True))[:, inside], 0, atol=1e-12)
    np.testing.assert_allclose(sum(a @ a for a in m)[:, inside], np.eye(len(level))[:, inside], atol=1e-13)
    np.testing.assert_allclose(sum(a @ a for a in r), -np.diag(level * (level + 1.0)), atol=1e-10)


def test_operators_act_on_functions_as_they_should():
    """Products exactly, rotations against central differences of a random function (error 1e-9 of second order)."""
    rng = np.random.default_rng(2)
    level, _ = harmonics.labels(DEGREE)
    c = np.where(level <= DEGREE - 1, rng.normal(size=len(level)), 0.0)
    r, m = matrices()

    def at(theta, phi, coefficients=c):
        return harmonics.synthesise(DEGREE, coefficients, theta, phi)

    theta, phi = POLAR[:, None], AZIMUTH[None, :]
    f = at(POLAR, AZIMUTH)
    parts = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi)
    for matrix, part in zip(m, parts, strict=True):
        np.testing.assert_allclose(at(POLAR, AZIMUTH, matrix @ c), part * f, atol=1e-12)
    e = 1e-5
    by_theta = (at(POLAR + e, AZIMUTH) - at(POLAR - e, AZIMUTH)) / (2 * e)
    by_phi = (at(POLAR, AZIMUTH + e) - at(POLAR, AZIMUTH - e)) / (2 * e)
    cot = np.cos(theta) / np.sin(theta)
    slopes = (
        -np.sin(phi) * by_theta - cot * np.cos(phi) * by_phi,
        np.cos(phi) * by_theta - cot * np.sin(phi) * by_phi,
        by_phi,
    )
    for matrix, slope in zip(r, slopes, strict=True):
        np.testing.assert_allclose(at(POLAR, AZIMUTH, matrix @ c), slope, atol=1e-5)


def test_functions_are_those_of_scipy():
    """sqrt(2) (-1)^m Re Y_lm and Im Y_l|m|, at degrees up to 60, to 1e-11."""
    degree = 60
    for n, m in ((0, 0), (1, -1), (1, 1), (2, 0), (7, -4), (7, 4), (60, 31), (60, -60)):
        c = np.zeros(harmonics.count(degree))
        c[n * n + n + m] = 1.0
        y = sph_harm_y(n, abs(m), POLAR[:, None], AZIMUTH[None, :])
        expected = y.real if m == 0 else np.sqrt(2) * (-1) ** m * (y.real if m > 0 else y.imag)
        np.testing.assert_allclose(harmonics.synthesise(degree, c, POLAR, AZIMUTH), expected, atol=1e-11)


@pytest.mark.parametrize("degree", [12, 130])
def test_analysis_inverts_synthesis(degree):
    """Both half spheres together give the coefficients back, to 1e-12."""
    c = np.random.default_rng(1).normal(size=harmonics.count(degree))
    total = np.zeros_like(c)
    for side in (1, -1):
        where = harmonics.half_sphere(side, degree + 40)
        assert np.all(np.sign(where.cosine) == side)
        assert where.weight.sum() == pytest.approx(1.0, abs=1e-14)
        total += harmonics.analyse(
            degree, where, harmonics.synthesise(degree, c, np.arccos(where.cosine), where.azimuth)
        )
    np.testing.assert_allclose(total, c, atol=2e-12)


def test_legendre_functions_are_orthonormal_at_high_degree():
    """Gram matrix of a few orders at degree 180; underflow near the poles does no harm."""
    z, weight = np.polynomial.legendre.leggauss(200)
    table = harmonics.legendre(180, z)
    for m in (0, 1, 90, 170):
        gram = 2 * np.pi * table[:, m:, m].T @ (weight[:, None] * table[:, m:, m])
        np.testing.assert_allclose(gram, np.eye(181 - m), atol=1e-11)
