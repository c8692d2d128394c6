"""Devices that differ: moments, correlations and truncation of the spread, and the thickness of the barrier."""

import dataclasses
from math import erf, exp, pi, sqrt

import numpy as np
import pytest

from mtjspice.device import derived
from mtjspice.device.card import load_card
from mtjspice.device.variation import TRUNCATION, barrier_scaled, draw
from mtjspice.errors import InputError

MERAM = load_card("meram100")
SPREAD = {"diameter": 0.02, "interfacial_anisotropy": 0.01, "resistance_area_product": 0.08}
N = 4000


def columns(devices, keys):
    return np.array([[getattr(card, key) for key in keys] for card in devices])


def deviates(devices, spread=SPREAD):
    """Each device's deviations in units of the spread, (count, n)."""
    nominal = np.array([getattr(MERAM, key) for key in spread])
    return (columns(devices, spread) / nominal - 1) / np.array(list(spread.values()))


@pytest.fixture(scope="module")
def independent():
    return draw(MERAM, N, np.random.default_rng(1), SPREAD)


def test_moments(independent):
    """Mean, deviation and fourth moment of N = 4000 devices within 4 standard errors of the normal values."""
    z = deviates(independent)
    assert np.all(np.abs(z.mean(axis=0)) < 4 / sqrt(N))
    assert np.all(np.abs(z.std(axis=0) - 1) < 4 / sqrt(2 * N))
    assert np.all(np.abs((z**4).mean(axis=0) - 3) < 4 * sqrt(96 / N))


def test_independent_by_default(independent):
    correlation = np.corrcoef(deviates(independent).T)
    assert np.all(np.abs(correlation[~np.eye(3, dtype=bool)]) < 4 / sqrt(N))


def test_correlations():
    """Sample correlations within 4 standard errors, (1 - rho^2)/sqrt(N); those not given stay 0."""
    given = {("diameter", "interfacial_anisotropy"): 0.6, ("resistance_area_product", "diameter"): -0.5}
    z = deviates(draw(MERAM, N, np.random.default_rng(2), SPREAD, given))
    matrix = np.corrcoef(z.T)
    for (i, j), rho in {(0, 1): 0.6, (0, 2): -0.5, (1, 2): 0.0}.items():
        assert abs(matrix[i, j] - rho) < 4 * (1 - rho**2) / sqrt(N)
    assert np.all(np.abs(z.std(axis=0) - 1) < 4 / sqrt(2 * N))


@pytest.mark.parametrize("rho", [1.0, -1.0])
def test_a_singular_correlation(rho):
    spread = {"diameter": 0.02, "tmr": 0.05}
    z = deviates(draw(MERAM, 100, np.random.default_rng(3), spread, {("diameter", "tmr"): rho}), spread)
    assert z[:, 1] == pytest.approx(rho * z[:, 0], abs=1e-9)


def test_no_device_lies_beyond_the_truncation():
    """Of 200 000 draws 12.7 lie beyond 4 standard deviations."""

    class Wide:
        """A generator whose first draws are far out, so that the redraw must act."""

        def __init__(self):
            self.rng, self.calls = np.random.default_rng(4), 0

        def standard_normal(self, shape):
            self.calls += 1
            return self.rng.standard_normal(shape) * (3 if self.calls == 1 else 1)

    rng = Wide()
    z = deviates(draw(MERAM, 1000, rng, {"diameter": 0.02}), {"diameter": 0.02})
    assert rng.calls > 1
    assert np.all(np.abs(z) <= TRUNCATION * (1 + 1e-9))
    assert 1 - erf(TRUNCATION / sqrt(2)) == pytest.approx(6.3e-5, rel=0.01)


def test_the_spread_of_the_card_is_the_default():
    card = dataclasses.replace(MERAM, device_spread={"tmr": 0.05})
    devices = draw(card, 50, np.random.default_rng(5))
    assert len({device.tmr for device in devices}) == 50
    assert {device.diameter for device in devices} == {MERAM.diameter}
    assert draw(MERAM, 3, np.random.default_rng(5)) == [MERAM] * 3  # no spread at all
    assert draw(card, 0, np.random.default_rng(5)) == []


def test_the_same_seed_draws_the_same_devices():
    assert draw(MERAM, 5, np.random.default_rng(6), SPREAD) == draw(MERAM, 5, np.random.default_rng(6), SPREAD)


def test_what_follows_goes_along():
    for device in draw(MERAM, 20, np.random.default_rng(7), {"tmr": 0.1, "diameter": 0.05}):
        assert device.spin_polarization == pytest.approx(sqrt(device.tmr / (device.tmr + 2)))
        assert device.diameter_y == device.diameter
        assert derived.area(device) == pytest.approx(pi * device.diameter**2 / 4)
        assert device.origins["tmr"].source == "drawn: 2.2 with a deviation of 0.1"
        assert device.origins["tmr"].status == "derived"
        assert "diameter changed" in device.origins["interfacial_anisotropy"].source


@pytest.mark.parametrize(
    ("spread", "correlation", "message"),
    [
        ({"colour": 0.1}, None, "unknown card parameter 'colour'"),
        ({"torque_model": 0.1}, None, "unknown card parameter 'torque_model'"),
        ({"tmr": -0.1}, None, "spread of tmr = -0.1 is out of range; allowed: 0 to 1"),
        ({"tmr": float("nan")}, None, "spread of tmr = nan is out of range"),
        ({"tmr": 0.1}, {("tmr", "diameter"): 0.5}, "two different parameters that have a spread"),
        ({"tmr": 0.1}, {("tmr", "tmr"): 0.5}, "two different parameters"),
        (SPREAD, {("diameter", "interfacial_anisotropy"): 1.5}, "= 1.5 is out of range; allowed: -1 to 1"),
        (
            SPREAD,
            {("diameter", "interfacial_anisotropy"): 0.5, ("interfacial_anisotropy", "diameter"): 0.4},
            "given twice, with different values",
        ),
        (
            SPREAD,
            {
                ("diameter", "interfacial_anisotropy"): 0.9,
                ("diameter", "resistance_area_product"): 0.9,
                ("interfacial_anisotropy", "resistance_area_product"): -0.9,
            },
            "correlations contradict each other",
        ),
        ({"diameter": 0.9}, None, "of the spread: card 'meram100': diameter = .* is out of range"),
    ],
)
def test_bad_input(spread, correlation, message):
    with pytest.raises(InputError, match=message) as error:
        draw(MERAM, 100, np.random.default_rng(8), spread, correlation)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("count", [-1, 1.5])
def test_bad_count(count):
    with pytest.raises(InputError, match="must be a whole number"):
        draw(MERAM, count, np.random.default_rng(8), SPREAD)


class TestBarrierThickness:
    def test_tenfold_in_0_36_nm(self):
        """The anchor of the assumed height: RA of MgO grows by 10 in 0.36 nm (6.4 per nm)."""
        thicker = barrier_scaled(MERAM, 1.86e-9)
        assert thicker.resistance_area_product / MERAM.resistance_area_product == pytest.approx(10, rel=0.01)
        assert thicker.barrier_thickness == 1.86e-9
        assert barrier_scaled(MERAM, 1.5e-9).resistance_area_product == pytest.approx(650e-12)

    def test_with_a_stated_height(self):
        """2 kappa = 2 sqrt(2 m phi)/hbar = 10.25/nm sqrt(phi/eV)."""
        card = MERAM.replace(barrier_height=1.602176634e-19)
        ratio = barrier_scaled(card, 1.6e-9).resistance_area_product / card.resistance_area_product
        assert ratio == pytest.approx(exp(1.02464), rel=1e-3)

    @pytest.mark.parametrize("thickness", [3.9e-9, 1e-3, -1.0, float("nan")])
    def test_out_of_range(self, thickness):
        with pytest.raises(InputError, match="is out of range"):
            barrier_scaled(MERAM, thickness)
