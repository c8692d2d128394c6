"""The engines against each other and against the closed formulas that `test_analytic` (T = 0) leaves out.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew. The
formulas are approximations: where one is known to be off, the test asserts by how much, as the literature does.
"""

from math import exp, log, pi, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import eigh

from mtjspice.device import derived, fokker_planck, generator, llg, macrospin
from mtjspice.device.card import load_card
from mtjspice.device.macrospin import PARALLEL, pulse

MERAM = load_card("meram100")
IMEC = load_card("imec_iedm24")
STT = load_card("stt_trng_10ns")
LONG = load_card("stt_trng_long")

# (card, voltage in V, widths in ns): oscillating, damped, spread, elliptical, driven by torque, in a field along z
FAMILIES = (
    (MERAM, 1.2, (0.3, 0.4, 0.5, 0.6, 0.8, 1.2, 1.4, 1.6, 1.8, 2.2, 2.7, 3.4)),
    (MERAM.replace(cycle_to_cycle_spread=0.0, damping=0.1), 1.5, (0.35, 0.45, 0.6, 0.9, 1.3, 1.6, 1.9, 2.4, 3.0, 4.0)),
    (IMEC, 1.9, (0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8, 2.2, 2.7)),
    (IMEC, 1.4, (0.3, 0.5, 0.7, 0.9, 1.2, 1.5, 2.0)),
    (MERAM.replace(diameter_y=9.5e-8, bias_field_y=0.003), 1.2, (0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 2.5)),
    (STT, -0.3, (2.0, 4.0, 6.0, 8.0, 10.0, 12.0)),
    (STT, -0.4, (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)),
    (MERAM.replace(perpendicular_field=0.004), 1.1, (0.3, 0.5, 0.8, 1.5)),
)  # fmt: skip


def test_macrospin_against_fokker_planck():
    """63 points, 500 trials each: the scores look standard normal.

    Kolmogorov-Smirnov p > 1e-4 and sum of squares below its 1e-4 quantile: a false alarm in 2e-4 of the seeds.
    """
    scores, trials = [], 500
    for number, (card, voltage, widths) in enumerate(FAMILIES):
        row = llg.parameters(card)
        lengths = np.array(widths) * 1e-9
        exact = fokker_planck.switching_map(row, [voltage], lengths, tolerance=1e-3).switched[0]
        for k, width in enumerate(lengths):
            outcome = macrospin.switching(card, pulse(voltage, width), trials, seed=1000 * number + k)
            assert outcome.undecided == 0
            count = np.count_nonzero(outcome.states != PARALLEL)
            # a randomised tail probability is uniform whatever the discreteness, also near 0 and 1
            p = float(np.clip(exact[k], 1e-9, 1 - 1e-9))
            below, at = stats.binom.cdf(count - 1, trials, p), stats.binom.pmf(count, trials, p)
            share = np.random.default_rng([number, k]).random()
            scores.append(stats.norm.ppf(np.clip(below + share * at, 1e-12, 1 - 1e-12)))
    scores = np.array(scores)
    print(
        f"{len(scores)} points: mean {scores.mean():.2f}, deviation {scores.std():.2f}, largest {abs(scores).max():.2f}"
    )
    assert len(scores) >= 60
    assert stats.kstest(scores, "norm").pvalue > 1e-4
    assert np.sum(scores**2) < stats.chi2.isf(1e-4, len(scores))


@pytest.mark.slow
@pytest.mark.parametrize(("voltage", "width"), [(1.2, 5e-10), (1.05, 8e-10)])
def test_a_point_against_a_million_trials(voltage, width):
    """Binomial error 4e-4; 4.5 of them plus the solver's own estimate (false alarm 7e-6)."""
    trials = 1_000_000
    exact = fokker_planck.switching_map(llg.parameters(MERAM), [voltage], [width], tolerance=1e-5)
    p = float(exact.switched[0, 0])
    outcome = macrospin.switching(MERAM, pulse(voltage, width), trials, seed=77)
    share = np.count_nonzero(outcome.states != PARALLEL) / trials
    print(f"{voltage} V, {width} s: {share:.5f} of a million trials, {p:.5f} +- {exact.error[0, 0]:.0e}")
    assert abs(share - p) < 4.5 * sqrt(p * (1 - p) / trials) + exact.error[0, 0]


@pytest.mark.parametrize(("width", "n"), [(5e-10, 3000), pytest.param(1.6e-9, 20_000, marks=pytest.mark.slow)])
def test_probability_does_not_depend_on_the_step(width, n):
    """0.25, 0.5, 1 and 2 ps, independent seeds: a chi-square of homogeneity, false alarm 1e-4."""
    counts = []
    for k, step in enumerate((2.5e-13, 5e-13, 1e-12, 2e-12)):
        outcome = macrospin.switching(MERAM, pulse(1.2, width), n, seed=300 + k, noise_step=step)
        counts.append(np.count_nonzero(outcome.states != PARALLEL))
    counts = np.array(counts)
    print(counts / n)
    assert stats.chi2_contingency(np.array([counts, n - counts]), correction=False).pvalue > 1e-4


def after(card, overdrive, times, state=1):
    """P to have been switched by a torque ``overdrive`` times the critical voltage after ``times`` of tau_D."""
    figures = derived.derive(card)
    edge = 1e-13
    widths = np.asarray(times) * figures.relaxation_time + edge
    volts = [-state * overdrive * figures.stt_critical_voltage]
    return fokker_planck.switching_map(llg.parameters(card), volts, widths, edge=edge, state=state, tolerance=1e-12)


class TestSpinTorque:
    CARD = STT.replace(field_like_torque=0.0)
    DELTA = derived.derive(STT).thermal_stability_factor

    @pytest.mark.parametrize(("overdrive", "times"), [(1.5, (6.0,)), (2.0, (3.0, 5.0))])
    def test_closed_write_error_rate(self, overdrive, times):
        """Butler 2012/Khvalkovskiy 2013: 1 - exp{-(pi^2/4) D (i - 1)/(i e^{2(i-1)tau} - 1)} lies 1.5 to 3 times
        above the Fokker-Planck equation; the refined prefactor within 20 %."""
        i, tau = overdrive, np.array(times)
        exact = after(self.CARD, i, tau).stayed[0]
        closed = -np.expm1(-(pi**2 / 4) * self.DELTA * (i - 1) / (i * np.exp(2 * (i - 1) * tau) - 1))
        angle = 2 * np.exp(-2 * (i - 1) * tau) * 2 ** ((i - 1) / (i + 1)) * ((i - 1) / i) ** (2 / (i + 1))
        refined = -np.expm1(-self.DELTA * (i - 1) / i * angle)
        print(exact, closed / exact, refined / exact)
        assert np.all((closed / exact > 1.5) & (closed / exact < 3))
        np.testing.assert_allclose(refined, exact, rtol=0.2)

    @pytest.mark.parametrize(("overdrive", "above"), [(1.5, 0.21), (3.0, 0.01)])
    def test_suns_logarithmic_law(self, overdrive, above):
        """t = tau_D/(i - 1) ln(pi/(2 theta_0)) against the exact time at T = 0 (Butler 2012) for theta_0 = 0.1."""
        i, z = overdrive, np.cos(0.1)
        exact = log(1 / (1 - z)) / (2 * (i - 1)) + log(1 + z) / (2 * (i + 1)) + log((i - z) / i) / (i * i - 1)
        assert log(pi / 0.2) / (i - 1) / exact - 1 == pytest.approx(above, abs=0.01)

    def test_sigmoid_of_the_long_pulse_device(self):
        """stt_trng_long, 5 us: 25/48/81 % at 275/282/288 mV in the literature of such devices, V50 = 0.281 V."""
        volts = np.array([-0.275, -0.2813, -0.288])
        p = fokker_planck.switching_map(llg.parameters(LONG), volts, [5e-6], tolerance=1e-4).switched[:, 0]
        print(p)
        np.testing.assert_allclose(p, [0.24, 0.50, 0.80], atol=0.04)


def slowest(card):
    """Rate (1/s) at which the wells exchange, from the generator at V = 0."""
    row = llg.parameters(card)
    zero = np.zeros(1)
    coefficients = generator.coefficients(row[None, :], zero, zero)
    system = generator.generator(40, coefficients, True)
    values = np.linalg.eigvals(system.matrix(coefficients[0]).toarray())
    return float(np.sort(-values.real)[1])


class TestReversal:
    """Rate of reversal of a bistable disc without bias field."""

    @staticmethod
    def card(delta):
        tiny = STT.replace(diameter=15e-9, damping=0.3)
        extra = (delta - derived.derive(tiny).thermal_stability_zero_field) * 1.380649e-23 * 300 / derived.area(tiny)
        return tiny.replace(interfacial_anisotropy=tiny.interfacial_anisotropy + extra)

    @pytest.mark.parametrize("delta", [1.0, 4.0, 8.0])
    def test_neel_brown_and_its_interpolation(self, delta):
        """Eigenvalue by an independent weak form; Brown's asymptote from above; Cregg and Coffey within 10 %."""
        card = self.card(delta)
        tau = derived.derive(card).relaxation_time
        rate = slowest(card) * tau
        z, w = np.polynomial.legendre.leggauss(200)
        values = np.polynomial.legendre.legvander(z, 30)
        slopes = np.array([np.polynomial.legendre.Legendre.basis(k).deriv()(z) for k in range(31)]).T
        weight = w * np.exp(delta * (z**2 - 1))
        weak = eigh(
            slopes.T @ (slopes * (weight * (1 - z**2) / (2 * delta))[:, None]), values.T @ (values * weight[:, None]),
            eigvals_only=True,
        )[1]  # fmt: skip
        assert rate == pytest.approx(weak, rel=1e-6)
        cregg = 1 / (delta * (exp(delta) - 1) / (2 * delta) / (sqrt(delta / pi) / (1 + 1 / delta) + 2 ** (-delta - 1)))
        print(f"Delta {delta}: {rate:.5g}, interpolation {cregg:.5g}")
        assert cregg == pytest.approx(rate, rel=0.1)
        if delta >= 4:
            asymptote = 2 * sqrt(delta / pi) * exp(-delta)
            assert 1.1 < asymptote / rate < 1.35

    def test_low_barrier_device_relaxes_as_a_free_moment(self):
        """Delta -> 0: tau -> tau_N = Ms V/(2 alpha k T) (1 + alpha^2)/gamma, the rate 2 D of l = 1."""
        card = self.card(0.05)
        row = llg.parameters(card)
        diffusion = row[llg.DAMPING] * row[llg.PRECESSION] / row[llg.MOMENT]
        assert slowest(card) == pytest.approx(2 * diffusion, rel=0.05)

    def test_mean_of_a_low_barrier_device_follows_the_torque(self):
        """Kaiser 2019: the stationary <m_z> under a torque i is that of a field: weight e^{D(z^2 + 2 i z)}."""
        card = self.card(2.0)
        figures = derived.derive(card)
        for ratio in (0.0, 0.3, 1.0):
            volts = ratio * figures.stt_critical_voltage
            times = [0.0, 40 * figures.relaxation_time]
            mean = fokker_planck.density(llg.parameters(card), times, [volts, volts], times[1:], degree=40).mean()[0, 2]
            z = np.linspace(-1, 1, 20_001)
            weight = np.exp(2.0 * (z * z + 2 * ratio * z))
            assert mean == pytest.approx(np.trapezoid(z * weight, z) / np.trapezoid(weight, z), abs=2e-3)


def test_thermal_angle_is_rayleigh():
    """Sun 2006, Butler 2012: <theta^2> = 1/Delta in the Fokker-Planck density, to the next order in 1/Delta."""
    card = STT
    delta = derived.derive(card).thermal_stability_factor
    spread = fokker_planck.density(llg.parameters(card), [0.0, 1e-12], [0.0, 0.0], [0.0], degree=60)
    assert 1 - spread.mean_square_z()[0] == pytest.approx(1 / delta * (1 + 1 / (2 * delta)), rel=2 / delta**2)
    # half of the devices start within sqrt(ln 2/Delta) of the axis
    polar = np.linspace(0, 0.6, 4001)
    density = spread.on_grid(polar, np.zeros(1))[0, :, 0] * 2 * pi * np.sin(polar)
    inside = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2 * polar[1])))
    assert np.interp(0.5, inside, polar) == pytest.approx(sqrt(log(2) / delta), rel=0.02)
