"""The vectorised loop, the elementary functions under it, and the terms beyond fields: each against another way.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

from math import cos, exp, log, pi, sin, sqrt

import numpy as np
import pytest
from numba import njit
from scipy import stats
from scipy.integrate import solve_ivp

from mtjspice.device import derived, elementary, lanes, llg, macrospin
from mtjspice.device.card import load_card
from mtjspice.device.constants import BOLTZMANN, GYROMAGNETIC_RATIO
from mtjspice.device.macrospin import ANTIPARALLEL, pulse
from mtjspice.device.noise import field_node
from mtjspice.errors import InputError

MERAM = load_card("meram100")
IMEC = load_card("imec_iedm24")
STT = load_card("stt_trng_10ns")
WORDS = np.unique(
    np.concatenate(
        [
            [0, 1, 2, 2**24, 2**30 - 1, 2**30, 2**31 - 1, 2**31, 3 * 2**30, 2**32 - 2, 2**32 - 1],
            np.random.default_rng(1).integers(0, 2**32, 5000),
        ]
    )
).astype(np.uint32)


@njit
def elementary_values(words):
    """Normals of (word, 2^31 - 1), whose angle is half a turn to 1e-9, and of (1, word), for both types."""
    out = np.empty((6, len(words)))
    half, one = np.uint32(2**31 - 1), np.uint32(1)
    for i in range(len(words)):
        out[0, i] = elementary.normals(words[i], half, 1.0)[0]
        out[1, i] = elementary.normals(words[i], half, np.float32(1))[0]
        out[2, i], out[4, i] = elementary.normals(one, words[i], 1.0)
        out[3, i], out[5, i] = elementary.normals(one, words[i], np.float32(1))
    return out


@njit
def node_values(words):
    out = np.empty((len(words) - 5, 15))
    for i in range(len(words) - 5):
        a, b, c, d, e, f = words[i], words[i + 1], words[i + 2], words[i + 3], words[i + 4], words[i + 5]
        out[i, 0], out[i, 1], out[i, 2] = elementary.node_normals(a, b, c, d, 1.0)
        x0, y0, x1, y1, z0, z1 = elementary.pair_normals(a, b, c, d, e, f, 1.0)
        out[i, 3], out[i, 4], out[i, 5], out[i, 6], out[i, 7], out[i, 8] = x0, y0, x1, y1, z0, z1
        out[i, 9], out[i, 10] = elementary.normals(a, b, 1.0)
        out[i, 11], out[i, 12] = elementary.normals(c, d, 1.0)
        out[i, 13], out[i, 14] = elementary.normals(e, f, 1.0)
    return out


class TestElementary:
    VALUES = elementary_values(WORDS)

    def test_radius(self):
        # log1p keeps the words near 2^32, where ln u vanishes
        missing = (2.0**32 - WORDS.astype(float) - 0.5) / 2**32
        exact = np.sqrt(-2 * np.where(missing < 0.5, np.log1p(-missing), np.log((WORDS + 0.5) / 2**32)))
        np.testing.assert_allclose(-self.VALUES[0], exact, rtol=1.5e-15)
        # the last words of single precision round to u = 1
        np.testing.assert_allclose(-self.VALUES[1], exact, rtol=1e-6, atol=4e-4)
        np.testing.assert_allclose(-self.VALUES[1][exact > 0.1], exact[exact > 0.1], rtol=1e-5)

    def test_angles(self):
        radius = sqrt(-2 * log(1.5 / 2**32))
        turns = [2 * pi * ((int(w) + 0.5) / 2**32) for w in WORDS]
        for row, function in ((2, cos), (4, sin)):
            exact = radius * np.array([function(angle) for angle in turns])
            # the reference rounds the angle: up to 2 pi 2^-53
            np.testing.assert_allclose(self.VALUES[row], exact, rtol=0, atol=radius * 1.5e-15)
            np.testing.assert_allclose(self.VALUES[row + 1], exact, rtol=0, atol=radius * 5e-7)

    def test_nodes_are_pairs_to_the_last_bit(self):
        values = node_values(WORDS)
        np.testing.assert_array_equal(values[:, :3], values[:, 9:12])
        np.testing.assert_array_equal(values[:, 3:9], values[:, 9:])


def one_by_one(rows, card_of, initial, times, volts, choice, seed, first_device):
    """What `macrospin.run` returns, by the scalar functions."""
    m = np.zeros((len(initial), llg.STATE))
    m[:, :3] = initial
    for i, state in enumerate(m):
        row, device, v = rows[card_of[i]], first_device + i, volts[choice[i]]
        for k in range(len(times) - 1):
            llg.advance(row, seed, device, state, times[k], times[k + 1], v[k], v[k + 1])
        macrospin.relax(row, seed, device, state, times[-1], macrospin.decision_depth(row), macrospin.DECISION_TIME)
    return m[:, :3]


@njit
def lane_noise(seed, device, count):
    """Noise nodes of one device as the vectorised loop makes them, among other devices."""
    words, b = np.zeros(7 * lanes.LANES, np.uint32), np.zeros(lanes.ROWS * lanes.LANES)
    for lane in range(lanes.LANES):
        words[lane] = np.uint32(device + lane)
    out = np.empty((count, 3))
    for k in range(count):
        if k % 2 == 0:
            lanes._noise(words, b, np.uint32(seed), k, lanes.LANES)
        for c in range(3):
            out[k, c] = b[(lanes._place(k) + c) * lanes.LANES]
    return out


def test_first_noise_values_of_the_loop_are_those_of_python():
    """10^4 nodes: the scalar function called from Python and the vectorised loop agree to the last bit."""
    np.testing.assert_array_equal([field_node(11, 5, k) for k in range(10_000)], lane_noise(11, 5, 10_000))


class TestLanes:
    @pytest.mark.parametrize(
        ("settings", "times"),
        [
            ({}, [0.0, 5e-11, 5e-10, 5.5e-10]),
            ({}, [0.0, 3.31e-11, 3.3e-10, 5.5005e-10]),  # corners between noise nodes
            ({"substeps": 3}, [0.0, 5e-11, 5e-10, 5.5e-10]),
            ({"drive_hold": 7e-11}, [0.0, 5e-11, 5e-10, 5.5e-10]),
            ({"noise_step": 7e-13}, [1e-12, 5e-11, 5e-10, 5.5e-10]),
        ],
    )
    def test_same_bits_as_one_by_one(self, settings, times):
        """Several cards, waveforms and a last, partly filled block: not one bit differs from `advance`."""
        n, seed = 83, 4_000_000_000
        cards = [MERAM, MERAM.replace(bias_field_y=0.004, perpendicular_field=-0.003), IMEC, STT,
                 MERAM.replace(diameter_y=9e-8, field_like_torque=0.4, field_like_quadratic=2e-3)]  # fmt: skip
        rows = np.array([llg.parameters(card, **settings) for card in cards])
        card_of, choice = np.arange(n) % len(cards), np.arange(n) % 3
        initial = np.empty((n, 3))
        for k, card in enumerate(cards):
            mine = card_of == k
            initial[mine] = macrospin.thermal_states(card, np.ones(mine.sum()), np.random.default_rng(k))
        volts = np.array([[0.0, 1.2, 1.2, 0.0], [0.0, 0.9, 1.1, 0.2], [0.0, 0.0, 0.0, 0.0]])
        outcome = macrospin.run(
            rows, initial, np.array(times), volts, seed, choice=choice, card_of=card_of, first_device=17
        )
        expected = one_by_one(rows, card_of, initial, times, volts, choice, seed, 17)
        np.testing.assert_array_equal(outcome.magnetization, expected)
        assert 0.1 < np.mean(outcome.states[choice < 2] == ANTIPARALLEL) < 0.9

    def test_threads_and_block_width_change_nothing(self, monkeypatch):
        row = llg.parameters(MERAM)
        initial = macrospin.thermal_states(MERAM, np.ones(300), np.random.default_rng(1))
        wave = pulse(1.2, 4e-10)
        first = macrospin.run(row, initial, wave.times, wave.volts, 3).magnetization
        monkeypatch.setattr(macrospin, "get_num_threads", lambda: 1)
        monkeypatch.setattr(macrospin.lanes, "LANES", 64)
        np.testing.assert_array_equal(first, macrospin.run(row, initial, wave.times, wave.volts, 3).magnetization)
        np.testing.assert_array_equal(
            first[100:], macrospin.run(row, initial[100:], wave.times, wave.volts, 3, first_device=100).magnetization
        )

    def test_single_precision_has_the_same_distributions(self):
        """Means and variances of m_x, m_z in equilibrium within 4.5 standard errors; P_sw by a chi-square (1e-4)."""
        wave = pulse(1.2, 5e-10)
        n = 6000
        counts = []
        for precision, seed in (("float64", 5), ("float32", 6)):
            start = macrospin.thermal_states(MERAM, np.ones(n), np.random.default_rng(seed))
            outcome = macrospin.run(llg.parameters(MERAM), start, wave.times, wave.volts, seed, precision=precision)
            counts.append(np.count_nonzero(outcome.states == ANTIPARALLEL))
            assert np.abs(np.linalg.norm(outcome.magnetization, axis=1) - 1).max() < 1e-6
        table = np.array([counts, [n - c for c in counts]])
        assert stats.chi2_contingency(table, correction=False).pvalue > 1e-4
        row = llg.parameters(MERAM.replace(damping=0.2))
        start = macrospin.thermal_states(MERAM, np.ones(n), np.random.default_rng(8))
        double, single = (
            macrospin.run(
                row, start, np.array([0, 3e-9]), np.zeros(2), seed, relaxing=False, precision=precision
            ).magnetization
            for seed, precision in ((1, "float64"), (2, "float32"))
        )
        for component in (0, 2):
            a, b = double[:, component], single[:, component]
            assert abs(a.mean() - b.mean()) < 4.5 * sqrt((a.var() + b.var()) / n)
            assert stats.ks_2samp(a, b).pvalue > 1e-5

    def test_single_precision_follows_the_same_path_for_a_while(self):
        """The noise is the same function, rounded: after 100 steps the paths still agree to 1e-4."""
        row = llg.parameters(MERAM)
        start = macrospin.thermal_states(MERAM, np.ones(64), np.random.default_rng(8))
        paths = [
            macrospin.run(row, start, np.array([0, 1e-10]), np.full(2, 1.0), 1, relaxing=False, precision=p)
            for p in ("float64", "float32")
        ]
        difference = np.abs(paths[0].magnetization - paths[1].magnetization)
        assert 0 < np.median(difference) < 1e-5
        assert difference.max() < 1e-4

    def test_refusals(self):
        row = llg.parameters(MERAM)
        start = np.tile([0.0, 0.0, 1.0], (2, 1))
        times, volts = np.array([0.0, 1e-9]), np.zeros(2)
        with pytest.raises(InputError, match="unknown precision 'float16'; available: float32, float64"):
            macrospin.run(row, start, times, volts, 1, precision="float16")
        with pytest.raises(InputError, match=r"does not resolve the precession in .* T; at most"):
            macrospin.run(row, start, times, np.array([0.0, -40.0]), 1)
        for bad in ([0.0, np.nan], [np.inf, 0.0]):
            with pytest.raises(InputError, match="increasing times and finite voltages"):
                macrospin.run(row, start, times, np.array(bad), 1)
        with pytest.raises(InputError, match="increasing times and finite voltages"):
            macrospin.run(row, start, times[::-1], volts, 1)
        with pytest.raises(ValueError, match="the same noise step"):
            macrospin.run(np.array([row, llg.parameters(MERAM, noise_step=5e-13)]), start, times, volts, 1)
        heated = llg.parameters(MERAM.replace(thermal_resistance=1e7, thermal_capacitance=1e-16))
        with pytest.raises(InputError, match="single precision is for devices without self-heating"):
            macrospin.run(heated, start, times, volts, 1, precision="float32")


def path(card, start, volts, times, temperature=0.0, lines=(0.0, 0.0), noise_step=1e-12, seed=1):
    """State (STATE,) after a linear voltage (and line current) over ``times``, by `advance`."""
    row = llg.parameters(card, temperature, noise_step=noise_step)
    row[llg.FULL] = 1.0
    state = np.zeros(llg.STATE)
    state[:3] = start
    state[llg.DRIVE] = volts[0]
    llg.advance(row, seed, 0, state, *times, *volts, *lines)
    return state


def reference(card, start, volts, times, line=0.0):
    """The same by scipy's Dormand-Prince on the Gilbert form, fields written out from the card."""
    ms = card.saturation_magnetization

    def right(t, y):
        m, drive = y[:3], y[3]
        v = volts[0] + (volts[1] - volts[0]) * (t - times[0]) / (times[1] - times[0])
        electric = (drive if card.vcma_lag else v) / card.barrier_thickness
        areal = card.interfacial_anisotropy - card.vcma_coefficient * electric - card.vcma_quadratic * electric**2
        field = np.array([card.bias_field, card.bias_field_y, card.perpendicular_field])
        field[2] += (card.interlayer_exchange + card.interlayer_exchange_slope * v) / (ms * card.free_layer_thickness)
        field[2] += 2 * areal / (ms * card.free_layer_thickness) * m[2]
        field -= 4e-7 * pi * ms * np.array(factors(card)) * m
        torque = derived.torque_field(card, m[2], v)
        field_like = card.field_like_torque * torque + card.field_like_quadratic * v * v
        field[2] += field_like
        field += torque * np.cross(m, [0, 0, 1])
        orbit = derived.spin_orbit_field_per_ampere(card) * line
        field += orbit * np.cross(m, [0, 1, 0]) + card.spin_orbit_field_like * orbit * np.array([0, 1, 0])
        precession = np.cross(m, field)
        rate = -GYROMAGNETIC_RATIO / (1 + card.damping**2) * (precession + card.damping * np.cross(m, precession))
        return [*rate, (v - drive) / card.vcma_lag if card.vcma_lag else 0.0]

    result = solve_ivp(right, times, [*start, volts[0]], method="DOP853", rtol=1e-11, atol=1e-12)
    return result.y[:, -1]


def factors(card):
    from mtjspice.device.demagnetization import factors as of

    return of(card.diameter, card.diameter_y, card.free_layer_thickness)


FULL_CASES = {
    "fields": {"bias_field_y": 0.01, "perpendicular_field": 0.005, "vcma_quadratic": 2e-24},
    "ellipse": {"diameter_y": 6e-8, "bias_field_y": 0.003},
    "exchange": {"interlayer_exchange": 2e-6, "interlayer_exchange_slope": 3e-6},
    "field-like": {"resistance_area_product": 1e-11, "field_like_torque": 0.5, "field_like_quadratic": 3e-3},
    "const": {"torque_model": "const", "resistance_area_product": 1e-11, "field_like_torque": 0.6},
    "slonczewski": {"torque_model": "slonczewski", "slonczewski_lambda": 1.5, "resistance_area_product": 1e-11},
    "lag": {"vcma_lag": 2e-10},
    "spin-orbit": {
        "spin_hall_angle": 0.2, "spin_orbit_line_width": 1e-7, "spin_orbit_line_thickness": 5e-9,
        "spin_orbit_field_like": 0.3,
    },
}  # fmt: skip


class TestEquation:
    @pytest.mark.parametrize("name", FULL_CASES)
    def test_against_an_independent_integrator(self, name):
        """T = 0, each term by itself, from the card in the textbook form: 2e-5 after half a nanosecond."""
        card = MERAM.replace(cycle_to_cycle_spread=0.0, **FULL_CASES[name])
        start = np.array([0.3, -0.2, sqrt(1 - 0.13)])
        volts, times = (0.3, 1.0), (0.0, 5e-10)
        line = 2e-4 if name == "spin-orbit" else 0.0
        got = path(card, start, volts, times, lines=(line, line), noise_step=2e-13)
        expected = reference(card, start, volts, times, line)
        np.testing.assert_allclose(got[:3], expected[:3], rtol=0, atol=2e-5)
        plain = path(MERAM.replace(cycle_to_cycle_spread=0.0), start, volts, times, noise_step=2e-13)
        assert np.abs(got[:3] - plain[:3]).max() > 1e-3  # the term does something
        if name == "lag":
            assert got[llg.DRIVE] == pytest.approx(expected[3], rel=1e-9)

    def test_light_and_full_equation_agree(self):
        """With the thermal field: rounding apart the same path."""
        row = llg.parameters(MERAM)
        light, full = np.zeros(llg.STATE), np.zeros(llg.STATE)
        light[:3] = full[:3] = [0.2, 0.0, sqrt(0.96)]
        llg.advance(row, 3, 4, light, 0.0, 1e-9, 0.5, 1.2)
        row[llg.FULL] = 1.0
        llg.advance(row, 3, 4, full, 0.0, 1e-9, 0.5, 1.2)
        np.testing.assert_allclose(light[:3], full[:3], atol=1e-11)

    def test_second_order_in_the_step(self):
        card = MERAM.replace(**FULL_CASES["slonczewski"], vcma_lag=1e-10)
        start, volts, times = np.array([0.3, -0.2, sqrt(1 - 0.13)]), (0.3, 1.0), (0.0, 4e-10)
        results = [path(card, start, volts, times, noise_step=step)[:3] for step in (4e-12, 2e-12, 1e-12)]
        ratio = np.linalg.norm(results[0] - results[1]) / np.linalg.norm(results[1] - results[2])
        assert ratio == pytest.approx(4, abs=0.6)


class TestSelfHeating:
    CARD = MERAM.replace(thermal_resistance=5e7, thermal_capacitance=2e-17, resistance_area_product=5e-11)  # 1 ns

    def test_heats_to_the_power_times_the_resistance(self):
        """Held in P by a strong field: rise = P R_th (1 - exp(-t/tau)), 1e-4."""
        card = self.CARD.replace(perpendicular_field=0.9, vcma_coefficient=0.0)
        start, voltage = np.array([0.0, 0.0, 1.0]), 0.5
        row = llg.parameters(card, 300.0, noise_step=2e-13)
        row[llg.NOISE] = 0.0
        state = np.zeros(llg.STATE)
        state[:3] = start
        llg.advance(row, 1, 0, state, 0.0, 1.5e-9, voltage, voltage)
        power = voltage**2 * derived.conductance(card, float(state[2]), voltage)
        expected = power * 5e7 * (1 - exp(-1.5))
        assert state[llg.RISE] == pytest.approx(expected, rel=2e-4)
        assert state[llg.RISE] > 20

    def test_equilibrium_is_that_of_the_raised_temperature(self):
        """A junction that sits at T + rise fluctuates as one at that temperature, Ms(T), K_i(T) and all.

        The rise is forced by its initial value and an enormous heat capacity; <sin^2> of 4000 spins at 5 times,
        within 4.5 standard errors (7e-6) of the card at that temperature by quadrature.
        """
        card = MERAM.replace(
            bias_field=0.0, damping=0.3, curie_temperature=900.0, thermal_resistance=1e9, thermal_capacitance=1e-6
        )
        hot = 380.0
        row = llg.parameters(card, 300.0)
        n = 1500
        states = np.zeros((n, llg.STATE))
        states[:, :3] = macrospin.thermal_states(card, np.ones(n), np.random.default_rng(2), hot)
        states[:, llg.RISE] = hot - 300.0
        total = np.zeros(n)
        for k in range(5):
            for i in range(n):
                llg.advance(row, 9, i, states[i], k * 4e-10, (k + 1) * 4e-10, 0.0, 0.0)
            total += 1 - states[:, 2] ** 2
        delta = derived.derive(card, hot).thermal_stability_zero_field
        z = np.linspace(0, 1, 20001)
        weight = np.exp(delta * (z * z - 1))
        exact = np.trapezoid(weight * (1 - z * z), z) / np.trapezoid(weight, z)
        wrong = 1 / derived.derive(card, 300.0).thermal_stability_zero_field
        error = total.std(ddof=1) / 5 / sqrt(n)
        print(f"{total.mean() / 5:.5f} +- {error:.5f}, exact {exact:.5f}, at 300 K {wrong:.5f}")
        assert abs(total.mean() / 5 - exact) < 4.5 * error
        assert abs(exact - wrong) > 9 * error

    def test_warm_device_switches_through_the_batch(self):
        """`run` takes such cards through the full loop; heating changes the switching of a leaky junction."""
        wave = pulse(1.2, 1e-9)
        shares = []
        for card in (self.CARD.replace(thermal_resistance=0.0), self.CARD.replace(curie_temperature=700.0)):
            outcome = macrospin.switching(card, wave, 400, seed=3)
            shares.append(np.mean(outcome.states == ANTIPARALLEL))
        assert abs(shares[0] - shares[1]) > 4.5 * sqrt(2 * 0.25 / 400)


class TestEllipse:
    @pytest.mark.parametrize("changes", [{"diameter_y": 8.5e-8, "bias_field_y": 0.005}, {"diameter_y": 1.15e-7}])
    def test_equilibrium_is_boltzmann(self, changes):
        """Initial states and the equation of motion against quadrature; 4.5 standard errors each (7e-6)."""
        card = MERAM.replace(damping=0.3, **changes)
        n = 3000
        start = macrospin.thermal_states(card, np.full(n, ANTIPARALLEL), np.random.default_rng(4))
        later = macrospin.run(
            llg.parameters(card), start, np.array([0, 1e-9]), np.zeros(2), 8, relaxing=False
        ).magnetization
        theta = (np.arange(2000) + 0.5) * pi / 4000
        phi = (np.arange(400) + 0.5) * 2 * pi / 400
        x, y = (np.sin(theta)[:, None] * f(phi) for f in (np.cos, np.sin))
        z = -np.cos(theta)[:, None] + 0 * x
        moment = card.saturation_magnetization * derived.volume(card) / (BOLTZMANN * 300)
        energy = -moment * (derived.anisotropy_field(card) * z * z / 2 - derived.shape_field_y(card) * y * y / 2
                            + card.bias_field * x + card.bias_field_y * y)  # fmt: skip
        weight = np.exp(energy.min() - energy) * np.sin(theta)[:, None]
        for value in (lambda m: m[0], lambda m: m[1], lambda m: m[0] ** 2, lambda m: m[1] ** 2, lambda m: m[2]):
            exact = np.sum(weight * value((x, y, z))) / weight.sum()
            for m in (start, later):
                sample = value(m.T)
                assert abs(sample.mean() - exact) < 4.5 * sample.std() / sqrt(n)

    def test_a_state_is_decided_by_the_true_saddle(self):
        """Half-way down on either side of the saddle of an ellipse: undecided above, decided below."""
        card = MERAM.replace(diameter_y=1.3e-7, bias_field=2e-3)  # long axis across the bias field
        row = llg.parameters(card)
        phi = np.linspace(0, 2 * pi, 100_001)
        rim = np.array([llg.energy(row, cos(a), sin(a), 0.0) for a in phi[::10]])
        assert row[llg.SADDLE] == pytest.approx(rim.min(), abs=1e-9)
        assert row[llg.SADDLE] < -card.bias_field - 1e-4
        bottom = macrospin._well_energy(row)
        assert (row[llg.SADDLE] - bottom) * row[llg.MOMENT] == pytest.approx(
            derived.derive(card).thermal_stability_factor, rel=1e-3
        )
        assert macrospin.decision_depth(row) == 4.0
