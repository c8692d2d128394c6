"""The Fokker-Planck solver: equilibrium, decay, resonance, reversal rates, switching and write error rates.

The references are quadrature, closed formulas, an independent finite-volume solution of the axial equation, other
resolutions, and the macrospin engine (fixed seeds; each says how often it would fail by chance).
"""

from math import pi, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import eig, expm
from scipy.sparse.linalg import eigs

from mtjspice.device import derived, fokker_planck, generator, llg, macrospin, propagation, wells
from mtjspice.device.card import load_card
from mtjspice.device.half_voltage import default_pulse_width, half_voltage
from mtjspice.device.switching import switching_probability
from mtjspice.errors import InputError

MERAM = load_card("meram100")
STT = load_card("stt_trng_10ns")
PLAIN = MERAM.replace(cycle_to_cycle_spread=0.0)
# smaller and more damped: wide wells and a smooth committor need low degrees only
SMALL = MERAM.replace(diameter=60e-9, damping=0.15, cycle_to_cycle_spread=0.0)
ZERO = np.zeros(1)


def system_of(card, degree, temperature=300.0, voltage=0.0, **columns):
    """Generator, its sparse matrix at ``voltage`` and the row of a card with some columns changed."""
    row = llg.parameters(card, temperature)
    for name, value in columns.items():
        row[getattr(llg, name)] = value
    volts = np.array([voltage])
    values = generator.coefficients(row[None, :], volts, volts)[0]
    system = generator.generator(degree, values)
    return system, system.matrix(values), row


class TestGenerator:
    def test_probability_is_conserved_and_boltzmann_stationary(self):
        """With everything that has an energy: both fields in plane, B_z, an ellipse."""
        system, matrix, row = system_of(
            SMALL, 60, FIELD_Y=0.004, FIELD_Z=0.003, FIELD_SHAPE_Y=0.01, FIELD_X=0.006, TORQUE=0.0
        )
        assert abs(matrix[[0], :]).max() == 0.0
        both = wells.find(system, row).densities
        # the weights of the wells from the energy on a grid
        z, weight = np.polynomial.legendre.leggauss(400)
        phi = np.linspace(0, 2 * pi, 200, endpoint=False)
        radius = np.sqrt(1 - z * z)[:, None]
        density = np.exp(-wells.energy(row, radius * np.cos(phi), radius * np.sin(phi), z[:, None]))
        share = weight @ density.sum(axis=1)
        up = (weight * (z > 0)) @ density.sum(axis=1) / share
        rho = up * both[0] + (1 - up) * both[1]
        rate = np.linalg.norm(matrix @ rho) / np.linalg.norm(rho)
        assert rate < 1e-9 * abs(matrix).max()
        # averages of the density are those of the grid
        full = fokker_planck.Density(ZERO, 60, rho[None, :])
        mean = (weight[:, None] * density * (radius * np.cos(phi))).sum() / share
        assert full.mean()[0, 0] == pytest.approx(mean, abs=1e-9)

    def test_without_fields_harmonics_decay_as_in_free_diffusion(self):
        """Brown 1963: harmonics of degree l decay with l (l + 1) D."""
        none = dict.fromkeys(("FIELD_X", "FIELD_K", "FIELD_Z", "TORQUE"), 0.0)
        _, matrix, row = system_of(SMALL, 9, **none)
        diffusion = row[llg.DAMPING] * row[llg.PRECESSION] / row[llg.MOMENT]
        # the same from the thermal field: sigma^2 dt = 2 D/(g gamma)
        gamma = row[llg.PRECESSION] * (1 + row[llg.DAMPING] ** 2)
        assert diffusion == pytest.approx(row[llg.PRECESSION] * gamma * row[llg.NOISE] ** 2 * 1e-12 / 2, rel=1e-12)
        expected = np.concatenate([np.full(2 * n + 1, n * (n + 1) * diffusion) for n in range(10)])
        np.testing.assert_allclose(-matrix.diagonal(), expected, rtol=1e-12)
        assert abs(matrix - matrix.multiply(np.eye(100))).max() < 1e-9 * diffusion

    def test_resonance_in_the_tilted_well(self):
        """Smit and Beljers: f = (gamma/2 pi) B_k sqrt(1 - h^2), softened by temperature in proportion to it.

        Extrapolated from two temperatures the frequency agrees within 1.5 %.
        """
        card = MERAM.replace(damping=0.02, cycle_to_cycle_spread=0.0)
        found = []
        for temperature, degree in ((100.0, 60), (50.0, 80)):
            _, matrix, row = system_of(card, degree, temperature)
            h = row[llg.FIELD_X] / row[llg.FIELD_K]
            expected = row[llg.PRECESSION] * row[llg.FIELD_K] * sqrt(1 - h * h)
            values = eigs(matrix.astype(complex), 4, sigma=complex(-0.02, 0.97) * expected, return_eigenvectors=False)
            found.append(np.max(values.imag) / expected)
        print("frequency over that of Smit and Beljers", found)
        assert 0.9 < found[0] < found[1] < 1.0
        assert 2 * found[1] - found[0] == pytest.approx(1.0, abs=0.015)

    def test_numerical_range_lies_within_the_bounds(self):
        rng = np.random.default_rng(3)
        lanes = rng.normal(size=(4, generator.FAMILIES))
        lanes[:, generator.LAPLACIAN] = 0.1
        lanes[:, [0, 1, 2, 6, 8]] *= 10
        system = generator.generator(9, lanes)
        limits = generator.bounds(9, lanes)
        for k, lane in enumerate(lanes):
            dense = system.matrix(lane).toarray()
            symmetric = np.linalg.eigvalsh((dense + dense.T) / 2)
            assert limits.low[k] < symmetric[0]
            assert symmetric[-1] < limits.high[k] < symmetric[-1] + 2
            assert 0.5 * limits.height[k] < np.linalg.norm((dense - dense.T) / 2, 2) < limits.height[k]

    @pytest.mark.parametrize(("delta", "field"), [(4.0, 0.0), (6.0, 0.0), (6.0, 0.1)])
    def test_rate_of_reversal(self, delta, field):
        """Smallest eigenvalue against Brown's equation in weak form (as for the macrospin) and his asymptote."""
        card = STT.replace(perpendicular_field=field * derived.anisotropy_field(STT))
        _, matrix, _ = system_of(card, 40, MOMENT=2 * delta / derived.anisotropy_field(STT), FIELD_X=1e-300)
        values = eigs(matrix, 3, sigma=1e3, return_eigenvectors=False)
        rate = np.sort(np.abs(values))[1]
        tau = derived.derive(STT).relaxation_time
        z, w = np.polynomial.legendre.leggauss(200)
        basis = [np.polynomial.legendre.Legendre.basis(k) for k in range(31)]
        slopes = np.array([b.deriv()(z) for b in basis]).T
        table = np.array([b(z) for b in basis]).T
        weight = w * np.exp(delta * (z**2 - 1 + 2 * field * z))
        stiffness = slopes.T @ (slopes * (weight * (1 - z**2) / (2 * delta))[:, None])
        expected = np.sort(eig(stiffness, table.T @ (table * weight[:, None]), right=False).real)[1] / tau
        assert rate == pytest.approx(expected, rel=1e-8)
        if field:
            lower, upper = (1 - field) ** 2, (1 + field) ** 2
            bracket = (1 - field) * np.exp(-delta * lower) + (1 + field) * np.exp(-delta * upper)
            asymptote = (1 - field**2) * sqrt(delta / pi) * bracket / tau
        else:
            asymptote = 2 * sqrt(delta / pi) * np.exp(-delta) / tau
        assert asymptote / rate == pytest.approx(1.2, abs=0.12)  # 28 % and 22 % high at Delta = 4 and 6


class TestPropagation:
    def test_expansion_and_ramps_agree_with_dense_exponentials(self):
        rng = np.random.default_rng(0)
        lanes = rng.normal(size=(propagation.LANES, generator.FAMILIES))
        lanes[:, [0, 1, 2, 6, 8]] *= 10
        lanes[:, generator.LAPLACIAN] = 0.1 + 0.05 * rng.random(propagation.LANES)
        system = generator.generator(10, lanes)
        x, q = rng.normal(size=(2, 121, propagation.LANES))
        times = np.array([0.0, 0.2, 3.0])
        dense = [system.matrix(lane).toarray() for lane in lanes]
        found = propagation.project(system, lanes, x, q, times, 1e-16)
        held = propagation.hold(system, lanes, x, 3.0, 1e-16)
        for k in range(0, propagation.LANES, 5):
            exact = [q[:, k] @ expm(dense[k] * t) @ x[:, k] for t in times]
            np.testing.assert_allclose(found[:, k], exact, atol=1e-11)
            np.testing.assert_allclose(held[:, k], expm(dense[k] * 3) @ x[:, k], atol=1e-11)
        there = propagation.ramp(system, lambda t: np.multiply.outer(1 + t, lanes), x, 0.1, 1.0)
        back = propagation.ramp(system, lambda t: np.multiply.outer(1 + t, lanes), q, 0.1, 1.0, backward=True)
        np.testing.assert_allclose((q * there).sum(axis=0), (back * x).sum(axis=0), atol=1e-8)
        # all generators are multiples of one another: e^(A integral)
        np.testing.assert_allclose(there[:, 0], expm(dense[0] * 0.105) @ x[:, 0], atol=1e-8)


def reduced(cells, delta):
    """Finite volumes (Scharfetter and Gummel) in equal polar angles: centers, areas, generator(i) per tau_D."""
    edges = np.linspace(0, pi, cells + 1)
    theta = (edges[1:] + edges[:-1]) / 2
    areas = np.cos(edges[:-1]) - np.cos(edges[1:])

    def matrix(i):
        potential = delta * np.sin(theta) ** 2 + 2 * delta * i * np.cos(theta)
        step = np.diff(potential)
        safe = np.where(np.abs(step) < 1e-9, 1e-9, step)
        down = safe / np.expm1(safe)
        rate = np.sin(edges[1:-1]) / (theta[1] - theta[0]) / (2 * delta)
        out, back = rate * down / areas[:-1], rate * (down + step) / areas[1:]
        return np.diag(out, -1) + np.diag(back, 1) - np.diag(np.append(out, 0.0)) - np.diag(np.append(0.0, back))

    return theta, areas, matrix


def write_errors(cells, delta, i, taus):
    """Chance to stay after pulses of the lengths ``taus`` without edges, and relaxation."""
    theta, areas, matrix = reduced(cells, delta)
    density = np.where(theta < pi / 2, np.exp(-delta * np.sin(theta) ** 2), 0.0) * areas
    density /= density.sum()
    relaxed = (theta < pi / 2).astype(float) @ expm(15 * matrix(0.0))
    spans, result = np.diff(np.concatenate(([0.0], taus))), []
    for span in spans:
        density = expm(span * matrix(i)) @ density
        result.append(relaxed @ density)
    return np.array(result)


def refined(delta, i, taus):
    """Extrapolation of the second-order finite volumes."""
    coarse, fine = (write_errors(cells, delta, i, taus) for cells in (300, 600))
    return fine + (fine - coarse) / 3


class TestSpinTorque:
    """An axial junction against the finite-volume solution (docs: 0.0302, 0.0829, 1.50e-3)."""

    ROW = llg.parameters(STT)
    FIGURES = derived.derive(STT)

    def errors(self, i, taus, tolerance, row=None, **settings):
        width = np.asarray(taus) * self.FIGURES.relaxation_time
        # a rectangle: the FWHM of a trapezoid with these edges
        return fokker_planck.switching_map(
            self.ROW if row is None else row, [-i * self.FIGURES.stt_critical_voltage], width, edge=1e-14,
            tolerance=tolerance, **settings,
        )  # fmt: skip

    @pytest.mark.parametrize(("i", "taus", "values"), [(1.5, [6.0], [0.0302]), (2.0, [3.0, 5.0], [0.0829, 1.50e-3])])
    def test_write_error_rate(self, i, taus, values):
        found = self.errors(i, taus, 1e-9)
        np.testing.assert_allclose(found.stayed[0], values, rtol=1e-2)
        exact = refined(self.FIGURES.thermal_stability_factor, i, np.array(taus))
        np.testing.assert_allclose(found.stayed[0], exact, rtol=1e-4)
        np.testing.assert_allclose(found.stayed + found.switched, 1.0, atol=1e-15)

    def test_deep_write_error_rates(self):
        """1e-6 to 1e-11 within 0.3 % of the finite volumes, and within the stated error of another resolution."""
        taus = np.array([5.0, 7.0, 9.0])
        found = self.errors(2.5, taus, 1e-13)
        exact = refined(self.FIGURES.thermal_stability_factor, 2.5, taus)
        print("write error rates", found.stayed[0], exact, "+-", found.error[0])
        assert exact[-1] < 3e-10
        np.testing.assert_allclose(found.stayed[0], exact, rtol=3e-3)
        assert found.error.max() < 3e-13

    def test_whole_sphere_agrees_with_the_axial_equation(self):
        """A vanishing in-plane field keeps all orders m."""
        row = self.ROW.copy()
        row[llg.FIELD_X] = 1e-12
        axial = self.errors(2.0, [3.0], 1e-6)
        whole = self.errors(2.0, [3.0], 1e-6, row=row)
        assert abs(whole.stayed[0, 0] - axial.stayed[0, 0]) < 1e-6

    @pytest.mark.slow
    def test_calibrated_point_and_microseconds(self):
        """AP to P at 0.28 V, 10 ns: 0.498; a microsecond at 0.63 V_c0 is close to one half (docs)."""
        ten = fokker_planck.switching_map(self.ROW, [0.28], [1e-8], state=-1, tolerance=1e-5)
        assert ten.switched[0, 0] == pytest.approx(0.498, abs=0.005)
        volts = 0.63 * self.FIGURES.stt_critical_voltage
        long = fokker_planck.switching_map(self.ROW, [volts], [1e-6], state=-1, tolerance=1e-5)
        assert long.switched[0, 0] == pytest.approx(0.5, abs=0.05)
        # by symmetry
        other = fokker_planck.switching_map(self.ROW, [-volts], [1e-6], state=1, tolerance=1e-5)
        assert other.switched[0, 0] == pytest.approx(long.switched[0, 0], abs=1e-8)

    @pytest.mark.slow
    def test_torque_by_current_against_trials(self):
        """Model `const`: the current, not the voltage, sets the torque; 4 standard errors (6e-5)."""
        card = STT.replace(torque_model="const", field_like_torque=0.3)
        wave = macrospin.pulse(0.30, 1e-8)
        trials = 2000
        states = macrospin.switching(card, wave, trials, seed=11, state=-1).states
        found = fokker_planck.switching_map(llg.parameters(card), [0.30], [1e-8], state=-1, tolerance=1e-5)
        p = found.switched[0, 0]
        assert abs(np.mean(states != -1) - p) < 4 * sqrt(p * (1 - p) / trials)


class TestSwitching:
    def test_meram100_against_reference_shares(self):
        """Independent NumPy macrospin, 1000 trials rounded to 0.01 (as in test_macrospin); chi-square at 1e-4."""
        widths = np.array((0.4, 0.5, 0.6, 0.8, 1.0, 1.4, 1.6, 1.8, 2.2, 2.7, 3.4))
        shares = np.array((0.50, 0.75, 0.87, 0.99, 1.00, 0.88, 0.48, 0.19, 0.03, 0.38, 0.82))
        p = fokker_planck.switching_map(llg.parameters(MERAM), [1.2], widths * 1e-9, tolerance=1e-3).switched[0]
        score = (shares - p) ** 2 / (p * (1 - p) / 1000 + 0.01**2 / 12 + 1e-6)
        print("P_sw", p, "z", np.sqrt(score))
        assert score.sum() < stats.chi2.isf(1e-4, len(p))

    @pytest.mark.parametrize("state", [1, -1])
    def test_against_trials(self, state):
        """Macrospin engine at four widths, 4000 trials each; chi-square at 1e-4."""
        card = SMALL.replace(perpendicular_field=0.002)
        widths, trials = np.array((0.4, 0.7, 1.4, 2.0)) * 1e-9, 4000
        p = fokker_planck.switching_map(llg.parameters(card), [1.1], widths, state=state, tolerance=1e-4).switched[0]
        shares = [
            np.mean(macrospin.switching(card, macrospin.pulse(1.1, w), trials, seed=k, state=state).states != state)
            for k, w in enumerate(widths)
        ]
        score = (shares - p) ** 2 / (p * (1 - p) / trials)
        print(p, shares, score)
        assert score.sum() < stats.chi2.isf(1e-4, len(p))

    def test_ellipse_against_trials(self):
        """The long axis along x stabilizes the plane of m_y = 0; three widths, 4000 trials, chi-square at 1e-4."""
        row = llg.parameters(SMALL)
        row[llg.FIELD_SHAPE_Y] = 0.015
        row[llg.FIELD_Y] = 0.003
        trials, widths = 4000, np.array((0.4, 0.8, 1.6)) * 1e-9
        system, _, _ = system_of(SMALL, 50, FIELD_SHAPE_Y=0.015, FIELD_Y=0.003)
        z, phi = np.cos(np.linspace(0.0005, pi / 2, 700)), np.linspace(0, 2 * pi, 360, endpoint=False)
        radius = np.sqrt(1 - z * z)[:, None]
        grid = np.stack(np.broadcast_arrays(radius * np.cos(phi), radius * np.sin(phi), z[:, None]), axis=2)
        weight = np.exp(-wells.energy(row, grid[..., 0], grid[..., 1], grid[..., 2]) - 60) * radius
        rng = np.random.default_rng(5)
        chosen = rng.choice(weight.size, trials, p=(weight / weight.sum()).reshape(-1))
        start = grid.reshape(-1, 3)[chosen]
        p = fokker_planck.switching_map(row, [1.1], widths, tolerance=1e-4).switched[0]
        shares = []
        for k, w in enumerate(widths):
            wave = macrospin.pulse(1.1, w)
            shares.append(np.mean(macrospin.run(row, start, wave.times, wave.volts, 50 + k).states != 1))
        score = (shares - p) ** 2 / (p * (1 - p) / trials)
        print(p, shares, score)
        assert score.sum() < stats.chi2.isf(1e-4, len(p))
        assert len(system.kept) == 51**2

    def test_map_is_follow_of_the_trapezoid_and_of_the_triangle(self):
        row = llg.parameters(SMALL)
        volts, widths = [1.0, 1.3], np.array([1e-9, 5e-11, 4e-10])
        table = fokker_planck.switching_map(row, volts, widths, tolerance=1e-6)
        assert table.switched.shape == table.error.shape == (2, 3)
        for k, volt in enumerate(volts):
            for n, width in enumerate(widths):
                wave = macrospin.pulse(volt, width)
                single = fokker_planck.follow(row, wave.times, wave.volts, tolerance=1e-6)
                assert abs(single.switched[0] - table.switched[k, n]) < 2e-6

    def test_states_are_equivalent_without_torque_and_perpendicular_field(self):
        row = llg.parameters(SMALL)
        row[llg.TORQUE] = 0.0
        up, down = (fokker_planck.switching_map(row, [1.2], [6e-10], state=s, tolerance=1e-6) for s in (1, -1))
        assert abs(up.switched - down.switched).max() < 1e-10

    def test_no_voltage_no_switching(self):
        found = fokker_planck.switching_map(llg.parameters(SMALL), [0.0], [1e-9, 5e-9], tolerance=1e-6)
        assert found.switched.max() < 1e-6

    def test_error_estimate_covers_the_error(self):
        """Against a much higher resolution, several cards and voltages in one go."""
        cards = [SMALL, SMALL.replace(damping=0.3), SMALL.replace(bias_field=0.03), SMALL.replace(diameter=70e-9)]
        rows = np.array([llg.parameters(card) for card in cards])
        volts, widths = np.array([1.2, 1.0, 0.9, 1.4]), np.array([2e-10, 5e-10, 8e-10, 1.5e-9])
        rough = fokker_planck.switching_map(rows, volts, widths, tolerance=1e-4)
        exact = fokker_planck.switching_map(rows, volts, widths, tolerance=1e-10)
        difference = np.abs(rough.switched - exact.switched)
        print(rough.degree, exact.degree, difference.max(), rough.error.max(), np.max(difference / rough.error))
        assert exact.degree > rough.degree + 10
        assert np.all(difference <= rough.error + exact.error)
        assert rough.error.max() <= 2e-4

    @pytest.mark.slow
    @pytest.mark.parametrize(("width", "tolerance"), [(5e-9, 1e-3), (2e-8, 1e-4)])
    def test_error_estimate_where_the_error_falls_slowly(self, width, tolerance):
        """Just below the voltage from which an undamped junction switches it falls by 1/3 from degree 35 to 41."""
        row = llg.parameters(MERAM)
        exact = fokker_planck.switching_map(row, 0.9, width, tolerance=1e-6).switched
        found = fokker_planck.switching_map(row, 0.9, width, tolerance=tolerance)
        assert np.all(np.abs(found.switched - exact) < found.error)
        assert np.all(found.error < 1.5 * tolerance)

    @pytest.mark.slow
    def test_write_error_rate_of_a_precessional_junction(self):
        """Two resolutions agree on error rates near 1e-9 to the stated error (state +1 at low voltage: 1 - P = 1)."""
        row = llg.parameters(SMALL)
        fine = fokker_planck.switching_map(row, [0.35], [4e-10, 1e-9], tolerance=1e-12)
        finer = fokker_planck.switching_map(row, [0.35], [4e-10, 1e-9], tolerance=1e-14)
        print(fine.switched, finer.switched, fine.error, fine.degree, finer.degree)
        assert np.all(np.abs(fine.switched - finer.switched) < fine.error + finer.error)
        np.testing.assert_allclose(fine.switched + fine.stayed, 1, atol=1e-15)

    def test_spread_is_the_average_over_the_drive(self):
        """Shared and plain quadrature against a dense rule of spread-free solutions."""
        spread = 0.08
        volts, widths = np.linspace(0.9, 1.3, 12), np.array([5e-10, 1.2e-9])
        row = llg.parameters(SMALL.replace(cycle_to_cycle_spread=spread))
        shared = fokker_planck.switching_map(row, volts, widths, tolerance=1e-5)
        plain = fokker_planck.switching_map(row, volts[[3]], widths, tolerance=1e-5)
        g = np.arange(-5.0, 5.01, 0.25)
        rows = np.tile(llg.parameters(SMALL), (len(g), 1))
        # at the full voltage the anisotropy sees V (1 + s g)
        scale = 1 + spread * g
        rows[:, llg.FIELD_K_LINEAR] *= scale
        rows[:, llg.FIELD_K_QUADRATIC] *= scale**2
        each = self.chances(rows, volts[3], widths)
        weight = np.exp(-g * g / 2) / np.exp(-g * g / 2).sum()
        average = weight @ each
        assert np.abs(shared.switched[3] - average).max() < 1e-5
        assert np.abs(plain.switched[0] - average).max() < 1e-5

    @staticmethod
    def chances(rows, volt, widths):
        return fokker_planck.switching_map(rows, np.full(len(rows), volt), widths, tolerance=1e-6).switched

    @pytest.mark.slow
    def test_lagging_drive_against_trials(self):
        """V_e follows V with 0.2 ns; 4 standard errors (6e-5)."""
        row = llg.parameters(SMALL)
        row[llg.VCMA_LAG], row[llg.FULL] = 2e-10, 1.0
        trials, wave = 4000, macrospin.pulse(1.2, 8e-10)
        p = fokker_planck.switching_map(row, [1.2], [8e-10], tolerance=1e-4).switched[0, 0]
        prompt = fokker_planck.switching_map(llg.parameters(SMALL), [1.2], [8e-10], tolerance=1e-4).switched[0, 0]
        assert abs(p - prompt) > 0.02
        start = macrospin.thermal_states(SMALL, np.ones(trials), np.random.default_rng(3))
        share = np.mean(macrospin.run(row, start, wave.times, wave.volts, 77).states != 1)
        assert abs(share - p) < 4 * sqrt(p * (1 - p) / trials)


class TestDensity:
    def test_averages_against_trials(self):
        """Averages at four times against 4000 trials."""
        row = llg.parameters(SMALL)
        wave = macrospin.pulse(1.2, 1e-9)
        at = np.array([0.0, 3e-10, 8e-10, 2e-9])
        found = fokker_planck.density(row, wave.times, wave.volts, at, state=1, degree=50)
        start = macrospin.thermal_states(SMALL, np.ones(4000), np.random.default_rng(3))
        now, m = 0.0, start
        for k, end in enumerate(at):
            if end > now:
                inner = wave.times[(wave.times > now) & (wave.times < end)]
                times = np.concatenate(([now], inner, [end]))
                m = macrospin.run(
                    row, m, times, np.interp(times, wave.times, wave.volts, right=0.0), 5, relaxing=False
                ).magnetization
                now = end
            error = m.std(axis=0) / sqrt(len(m))
            # 12 comparisons at 4.5 standard errors: 1e-4
            assert np.all(np.abs(m.mean(axis=0) - found.mean()[k]) < 4.5 * error)
            square = m[:, 2] ** 2
            assert abs(square.mean() - found.mean_square_z()[k]) < 4.5 * square.std() / sqrt(len(m))
        theta, phi = np.linspace(0, pi, 721), np.linspace(0, 2 * pi, 64, endpoint=False)
        grid = found.on_grid(theta, phi)
        assert grid.shape == (4, 721, 64)
        total = np.trapezoid(grid.mean(axis=2) * 2 * pi * np.sin(theta), theta, axis=1)
        np.testing.assert_allclose(total, 1.0, atol=1e-3)


class TestInput:
    ROW = llg.parameters(SMALL)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"widths": [1e-11]}, "pulse width 1e-11 s must be at least the edge time"),
            ({"edge": 0.0}, "which is positive"),
            ({"volts": [float("nan")]}, "finite voltages"),
            ({"widths": []}, "finite voltages and pulse widths"),
            ({"state": 0}, r"\+1 \(P\) or -1 \(AP\)"),
            ({"tolerance": 0.0}, "tolerance 0 is out of range"),
            ({"max_degree": 21}, "largest degree 21 is too small"),
            ({"max_degree": 30, "tolerance": 1e-8}, "degree 30 reaches an error of"),
        ],
    )
    def test_map_refuses(self, changes, message):
        arguments = {"rows": self.ROW, "volts": [1.0], "widths": [1e-9]} | changes
        with pytest.raises(InputError, match=message):
            fokker_planck.switching_map(**arguments)

    def test_cards_that_the_equation_does_not_cover(self):
        for column, value, message in (
            (llg.TORQUE_MODEL, 2, "Slonczewski torque model; use the macrospin"),
            (llg.THERMAL_RESISTANCE, 1e7, "self-heating; use the macrospin"),
            (llg.NOISE, 0.0, "temperature above 0 K"),
            (llg.FIELD_X, 0.2, "no two stable states"),
            (llg.FIELD_Z, 0.2, "no two stable states"),
            (llg.FIELD_K, -0.01, "no two stable states"),
        ):
            row = self.ROW.copy()
            row[column] = value
            with pytest.raises(InputError, match=message):
                fokker_planck.switching_map(row, [1.0], [1e-9])
        with pytest.raises(InputError, match="2 parameter rows do not fit 3 voltages"):
            fokker_planck.switching_map(np.array([self.ROW] * 2), [1.0, 1.1, 1.2], [1e-9])

    def test_waveforms(self):
        for times, volts in (([0.0], [1.0]), ([0.0, 1.0], [1.0]), ([1.0, 0.0], [0.0, 1.0])):
            with pytest.raises(InputError, match="a waveform needs"):
                fokker_planck.follow(self.ROW, times, volts)
        with pytest.raises(InputError, match="must increase"):
            fokker_planck.density(self.ROW, [0.0, 1e-9], [0.0, 0.0], [1e-9, 0.0])

    def test_progress_ends_at_one(self):
        told = []
        fokker_planck.switching_map(self.ROW, [1.0], [2e-10], tolerance=1e-2, progress=told.append)
        assert told[-1] == 1.0
        assert np.all(np.diff(told) >= 0)


@pytest.mark.parametrize(("temperature", "tolerance"), [(358.15, 1e-3), (273.0, 1e-3), (300.0, 1e-2)])
def test_long_pulses_do_not_let_low_degrees_pass(temperature, tolerance):
    """Errors of low degrees grow exponentially in 5 us: two that are off must not be taken for two that agree."""
    loose, strict = (
        switching_probability("stt_trng_long", -0.28145, [5e-6], temperature=temperature, tolerance=one)
        for one in (tolerance, 1e-6)
    )
    difference = abs(float(loose.probability[0, 0]) - float(strict.probability[0, 0]))
    assert difference <= tolerance
    assert float(strict.probability[0, 0]) > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("card", ["stt_trng_long", "meram100"])
def test_half_voltage_is_found_without_a_warning(card):
    """Warnings are errors here; low degrees overflow on the way."""
    device = load_card(card)
    width = default_pulse_width(device)
    found = half_voltage(device, width)
    solved = switching_probability(device, found.voltage, [width], tolerance=1e-3)
    assert float(solved.probability[0, 0]) == pytest.approx(0.5, abs=5e-3)
