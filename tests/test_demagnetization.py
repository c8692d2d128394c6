"""Demagnetizing factors of discs and elliptic cylinders against exact results."""

from itertools import pairwise
from math import inf, log, pi

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import elliprd, j1

from mtjspice.device.card import card_names, load_card
from mtjspice.device.demagnetization import (
    disc_area,
    disc_factors,
    ellipse_area,
    factors,
    joseph,
    sato_ishii,
    shape_anisotropy,
)

SHAPES = [(100e-9, 100e-9, 1e-9), (100e-9, 50e-9, 1e-9), (40e-9, 200e-9, 3e-9), (20e-9, 30e-9, 10e-9)]


def exact(ratio: float) -> float:
    """2/r integral J1(q)^2/q^2 (1 - exp(-q r)) dq; beyond q = 400 the mean of J1^2, 1/(pi q), is used."""
    end = 400.0
    body = sum(
        quad(lambda q: (j1(q) / q) ** 2 * -np.expm1(-q * ratio), k, k + 10, epsabs=1e-13, limit=200)[0]
        for k in np.arange(0, end, 10)
    )
    tail = quad(lambda q: -np.expm1(-q * ratio) / (pi * q**3), end, inf)[0]
    return 2 / ratio * (body + tail)


@pytest.mark.parametrize("ratio", [0.02, 0.1, 1.0, 5.0])
def test_joseph_is_the_fourier_integral(ratio):
    assert joseph(np.array([ratio]))[0] == pytest.approx(exact(ratio), abs=2e-6)


def test_limits_of_the_disc():
    thin, long = np.array([1e-4]), np.array([50.0])
    assert 1 - joseph(thin)[0] == pytest.approx(1e-4 / pi * (log(8 / 1e-4) - 0.5), rel=1e-5)
    assert joseph(long)[0] == pytest.approx(8 / (3 * pi * 50) - 1 / (2 * 50**2), rel=2e-2)
    # Joseph 1966: the magnetometric factor of a cylinder as high as wide is 0.3116
    assert joseph(np.array([2.0]))[0] == pytest.approx(0.3116, abs=1e-4)


@pytest.mark.parametrize("axial", [sato_ishii, joseph])
@pytest.mark.parametrize("shape", SHAPES)
def test_trace_and_exchange_of_the_axes(shape, axial):
    x, y, t = shape
    n = factors(x, y, t, axial)
    assert sum(n) == pytest.approx(1, abs=1e-12)
    assert min(n) > 0
    assert factors(y, x, t, axial) == pytest.approx((n[1], n[0], n[2]), rel=1e-12)
    assert (n[0] < n[1]) == (x > y)  # the long axis is the easy one


def test_a_disc_is_the_disc():
    for diameter, thickness in ((100e-9, 1e-9), (15e-9, 5e-9)):
        n_x, n_z = disc_factors(diameter, thickness)
        assert factors(diameter, diameter, thickness) == (n_x, n_x, n_z)
        # and so is the average over the angle, of an ellipse that is a disc but for the last digits
        assert factors(diameter, diameter * (1 + 1e-13), thickness) == pytest.approx((n_x, n_x, n_z), rel=1e-11)
        assert shape_anisotropy(diameter, thickness, 1e6) == shape_anisotropy(diameter, thickness, 1e6, diameter)
        assert ellipse_area(diameter, diameter) == disc_area(diameter)
    assert ellipse_area(100e-9, 50e-9) == pytest.approx(disc_area(100e-9) / 2)


@pytest.mark.parametrize("elongation", [2.0, 20.0, 200.0])
def test_the_angular_average_converges(elongation):
    """Against adaptive quadrature in the angle."""
    a, b, t = elongation * 2.5e-9, 2.5e-9, 1e-9

    def of_angle(angle, weight):
        x, y = (np.cos(angle) / a) ** 2, (np.sin(angle) / b) ** 2
        f = sato_ishii(np.array([t * np.sqrt(x + y)]))[0]
        return {"x": x / (x + y) * (1 - f), "y": y / (x + y) * (1 - f), "z": f}[weight]

    n = factors(2 * a, 2 * b, t)
    for value, axis in zip(n, "xyz", strict=True):
        edges = [0, 1 / elongation, 10 / elongation, pi / 2] if elongation > 10 else [0, pi / 2]
        mean = sum(quad(of_angle, low, high, args=(axis,), epsabs=1e-14, limit=400)[0] for low, high in pairwise(edges))
        assert value == pytest.approx(mean * 2 / pi, rel=1e-9)


def test_ellipse_against_the_energy_of_its_charges():
    """N_x, N_y and N_z of an elliptic cylinder from the plain two-dimensional Fourier integral, on a Cartesian grid."""
    a, b, t = 3.0, 1.5, 2.0
    step, end = 0.04, 40.0
    k = (np.arange(-end, end, step) + step / 2)[None, :]
    kx, ky = k.T, k
    q, q2 = np.hypot(a * kx, b * ky), kx**2 + ky**2
    form = (2 * pi * a * b * j1(q) / q) ** 2 * step**2 / (4 * pi**2) / (pi * a * b)
    u = -np.expm1(-np.sqrt(q2) * t) / (np.sqrt(q2) * t)
    n_x, n_y, n_z = factors(2 * a, 2 * b, t, joseph)
    # the form factor falls as k^-3: what lies beyond the grid is about 1/(pi end b)
    assert np.sum(form) == pytest.approx(1, abs=0.02)
    assert np.sum(form * u) == pytest.approx(n_z, abs=2e-3)
    assert np.sum(form * (1 - u) * kx**2 / q2) + (1 - np.sum(form)) * b / (a + b) == pytest.approx(n_x, abs=6e-3)
    assert np.sum(form * (1 - u) * ky**2 / q2) + (1 - np.sum(form)) * a / (a + b) == pytest.approx(n_y, abs=6e-3)


def osborn(x, y, z):
    """Factors of the general ellipsoid with axes x, y, z: a b c/3 R_D (Osborn 1945, in Carlson's form)."""
    product = x * y * z / 3
    return tuple(product * elliprd(*(s**2 for s in rest), own**2) for own, rest in
                 ((x, (y, z)), (y, (x, z)), (z, (x, y))))  # fmt: skip


@pytest.mark.parametrize("shape", [(100e-9, 50e-9, 1e-9), (40e-9, 200e-9, 3e-9), (20e-9, 30e-9, 10e-9)])
def test_the_ellipsoid_orders_its_axes_alike(shape):
    ellipsoid, cylinder = osborn(*shape), factors(*shape)
    assert sum(ellipsoid) == pytest.approx(1)
    assert np.argsort(ellipsoid).tolist() == np.argsort(cylinder).tolist()


ERRORS = {"meram100": (0.0129, 0.020), "imec_iedm24": (0.0155, 0.025), "stt_trng_10ns": (0.0197, 0.033)}


@pytest.mark.parametrize("name", card_names())
def test_the_error_of_the_closed_form_is_the_documented_one(name):
    card = load_card(name)
    args = (card.diameter, card.diameter_y, card.free_layer_thickness)
    approximate, true = factors(*args), factors(*args, joseph)
    difference, relative = ERRORS[name.replace("_long", "_10ns")]
    assert approximate[2] - true[2] == pytest.approx(difference, abs=5e-5)
    assert (approximate[2] - approximate[0]) / (true[2] - true[0]) - 1 == pytest.approx(relative, abs=5e-4)
