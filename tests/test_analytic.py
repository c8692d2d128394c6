"""The equation of motion at T = 0 against closed formulas (relative 1e-3 or better).

Sources: Smit-Beljers for the two modes, Shiota 2012 and Kanai 2012 for the half period, energy conservation for
the overshoot threshold, Slonczewski and Sun 2000 for V_c0, Butler et al. 2012 (arXiv 1202.2621) for the time.
"""

from math import cos, log, pi, sin, sqrt

import numpy as np
import pytest

from mtjspice.device import llg
from mtjspice.device.card import load_card
from mtjspice.device.constants import GYROMAGNETIC_RATIO
from mtjspice.device.derived import anisotropy_field, derive

MERAM = load_card("meram100").replace(spin_polarization=0.0, cycle_to_cycle_spread=0.0)
STT = load_card("stt_trng_10ns")


def follow(card, start, voltage, duration, substeps=2, interval=1e-12):
    """Times and magnetizations at T = 0 under a constant voltage."""
    row = llg.parameters(card, temperature=0, substeps=substeps)
    m = np.array(start, dtype=float)
    path = [m.copy()]
    for k in range(round(duration / interval)):
        llg.advance(row, 0, 0, m, k * interval, (k + 1) * interval, voltage, voltage)
        path.append(m.copy())
    return np.arange(len(path)) * interval, np.array(path)


def crossings(times, values):
    """Interpolated times at which ``values`` changes sign."""
    k = np.flatnonzero(np.signbit(values[1:]) != np.signbit(values[:-1]))
    return times[k] + (times[k + 1] - times[k]) * values[k] / (values[k] - values[k + 1])


def frequency(times, values):
    at = crossings(times, values)
    return (len(at) - 1) / (2 * (at[-1] - at[0]))


@pytest.mark.parametrize("well", [1, -1])
def test_resonance_in_the_tilted_well(well):
    """f = (gamma/2 pi) B_k sqrt(1 - h^2), small angle and damping: 2.4272 GHz for meram100."""
    card = MERAM.replace(damping=1e-3)
    polar = np.arcsin(derive(card).reduced_field) + 0.01
    times, path = follow(card, [sin(polar), 0, well * cos(polar)], 0.0, 8e-9)
    expected = GYROMAGNETIC_RATIO / (2 * pi) * anisotropy_field(card) * sqrt(1 - 0.225**2)
    assert expected == pytest.approx(2.4272e9, rel=1e-4)
    assert frequency(times, path[:, 1]) == pytest.approx(expected, rel=1e-3)


def test_precession_is_counterclockwise_about_the_field():
    """dm/dt = -gamma m x B: about +z an electron's moment goes from x towards y."""
    _, path = follow(MERAM.replace(bias_field=0.0), [sin(0.3), 0, cos(0.3)], 0.0, 2e-11)
    assert path[-1, 1] > 0
    _, path = follow(MERAM.replace(bias_field=0.0), [sin(0.3), 0, -cos(0.3)], 0.0, 2e-11)
    assert path[-1, 1] < 0


@pytest.mark.parametrize("voltage", [1.7, 2.0, 2.5])
def test_in_plane_mode_above_compensation(voltage):
    """f = (gamma/2 pi) sqrt(B_x (B_x - B_k(V))) about m = x."""
    card = MERAM.replace(damping=1e-3)
    times, path = follow(card, [sqrt(1 - 1e-4), 0, 0.01], voltage, 1.5e-8)
    field = anisotropy_field(card, voltage)
    assert field < 0
    expected = GYROMAGNETIC_RATIO / (2 * pi) * sqrt(card.bias_field * (card.bias_field - field))
    if voltage == 2.0:
        assert expected == pytest.approx(0.8829e9, rel=1e-4)
    assert frequency(times, path[:, 2]) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("damping", [0.05, 0.3])
def test_half_period_at_compensation(damping):
    """With B_k(V) = 0 the projection on the y-z plane turns at gamma B_x/(1 + alpha^2), whatever the damping."""
    card = MERAM.replace(damping=damping)
    figures = derive(card)
    times, path = follow(card, [0, 0, 1], figures.compensation_voltage, 1.1 * figures.half_period)
    assert figures.half_period == pytest.approx(pi * (1 + damping**2) / (GYROMAGNETIC_RATIO * 0.02))
    assert crossings(times, path[:, 1])[-1] == pytest.approx(figures.half_period, rel=1e-4)


@pytest.mark.parametrize("bias_field", [0.01, 0.02, 0.03])
def test_overshoot_threshold_without_damping(bias_field):
    """From rest in the tilted well m_z changes sign if B_k(V) < 2 B_x/(1 + h): 0.949 V for meram100."""
    card = MERAM.replace(damping=1e-5, bias_field=bias_field)
    figures = derive(card)
    h = figures.reduced_field
    start = [h, 0, sqrt(1 - h * h)]
    low, high = 0.97 * figures.overshoot_voltage, 1.03 * figures.overshoot_voltage

    def overshoots(voltage):
        _, path = follow(card, start, voltage, 4e-9, interval=1e-11)
        return path[:, 2].min() < 0

    assert not overshoots(low)
    assert overshoots(high)
    for _ in range(7):
        middle = (low + high) / 2
        low, high = (low, middle) if overshoots(middle) else (middle, high)
    print(f"V_dyn {low:.5f} to {high:.5f} V, formula {figures.overshoot_voltage:.5f} V")
    assert (low + high) / 2 == pytest.approx(figures.overshoot_voltage, rel=1e-3)


def test_a_barrier_vanishes_at_its_voltage():
    """Just above V_b the tilted state lies in the plane, just below it does not (strong damping: no overshoot)."""
    card = MERAM.replace(damping=1.0)
    for factor, in_plane in ((0.99, False), (1.01, True)):
        voltage = factor * derive(card).barrier_voltage
        _, path = follow(card, [0.3, 0, sqrt(0.91)], voltage, 1e-7, substeps=1, interval=1e-10)
        assert (path[-1, 2] < 0.05) == in_plane
        if not in_plane:
            tilt = card.bias_field / anisotropy_field(card, voltage)
            assert path[-1, 0] == pytest.approx(tilt, rel=1e-3)


def growth(card, voltage, well):
    """Rate at which a small angle grows, by the logarithm of the transverse length over 5 ns."""
    times, path = follow(card, [1e-4, 0, well * sqrt(1 - 1e-8)], voltage, 5e-9, interval=5e-9)
    return log(np.hypot(path[-1, 0], path[-1, 1]) / 1e-4) / times[-1]


@pytest.mark.parametrize("name", ["stt_trng_10ns", "stt_trng_long"])
@pytest.mark.parametrize("well", [-1, 1])
def test_critical_voltage_of_spin_torque(name, well):
    """An angle in the AP well grows at (V/V_c0 - 1)/tau_D for V > 0; in the P well for V < 0."""
    card = load_card(name)
    figures = derive(card)
    critical = figures.stt_critical_voltage
    for ratio in (0.5, 1.5, 2.0):
        rate = growth(card, -well * ratio * critical, well)
        assert rate == pytest.approx((ratio - 1) / figures.relaxation_time, rel=1e-3)
    low, high = (growth(card, -well * ratio * critical, well) for ratio in (0.9, 1.1))
    zero = critical * (0.9 - 0.2 * low / (high - low))
    print(f"V_c0 {zero:.6f} V, formula {critical:.6f} V")
    assert zero == pytest.approx(critical, rel=1e-3)


def butler(i, z0):
    return log(1 / (1 - z0)) / (2 * (i - 1)) + log(1 + z0) / (2 * (i + 1)) + log((i - z0) / i) / (i * i - 1)


@pytest.mark.parametrize("well", [-1, 1])
@pytest.mark.parametrize(("i", "polar"), [(1.5, 0.1), (3.0, 0.1), (3.0, 0.5)])
def test_switching_time_of_spin_torque(i, polar, well):
    """Time from theta_0 to the equator, exact at T = 0 (Butler 2012)."""
    figures = derive(STT)
    expected = figures.relaxation_time * butler(i, cos(polar))
    start = [sin(polar), 0, well * cos(polar)]
    times, path = follow(STT, start, -well * i * figures.stt_critical_voltage, 1.05 * expected)
    print(f"i = {i}, theta_0 = {polar}: {crossings(times, path[:, 2])[0]:.5e} s, formula {expected:.5e} s")
    assert crossings(times, path[:, 2])[0] == pytest.approx(expected, rel=2e-4)


def test_butler_formula_is_the_integral():
    z = np.linspace(0, cos(0.1), 200_001)
    assert np.trapezoid(1 / ((1 - z * z) * (1.5 - z)), z) == pytest.approx(butler(1.5, cos(0.1)), rel=1e-6)


def test_wrong_polarity_of_spin_torque_stabilizes():
    _, path = follow(STT, [sin(0.5), 0, cos(0.5)], 0.3, 4e-9)
    assert path[-1, 2] > path[0, 2]
    _, path = follow(STT, [sin(0.5), 0, -cos(0.5)], -0.3, 4e-9)
    assert path[-1, 2] < path[0, 2]
