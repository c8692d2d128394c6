"""Evaluation of the 18 analytic references of `validation_references.py`: what the package finds, what a formula says.

The formulas are written out here, not taken from the package. Sampled values have fixed seeds and may deviate by
`SIGMAS` standard errors.
"""

from collections.abc import Callable, Iterator
from math import cos, exp, hypot, inf, log, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import integrate, optimize, stats
from scipy.linalg import eigh, expm
from validation_references import Result

from mtjspice.device import derived, fokker_planck, generator, llg, macrospin, wells
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import BOLTZMANN, ELEMENTARY_CHARGE, GYROMAGNETIC_RATIO, REDUCED_PLANCK
from mtjspice.device.switching import trajectory

Floats = NDArray[np.float64]

MERAM, IMEC, STT = (load_card(name) for name in ("meram100", "imec_iedm24", "stt_trng_10ns"))
PLAIN = MERAM.replace(spin_polarization=0.0, cycle_to_cycle_spread=0.0)
SIGMAS = 4.5  # of sampled values; a false alarm in 7e-6 of the seeds


def compute(progress: Callable[[str], None]) -> list[Result]:
    results = []
    for part in PARTS:
        progress(f"references: {part.__name__.replace('_', ' ')}")
        results += list(part())
    return sorted(results, key=lambda result: result.number)


def within(number: int, case: str, ours: float, formula: float, unit: str, relative: float) -> Result:
    return Result(number, case, ours, formula, unit, -relative, relative)


def sampled(number: int, case: str, ours: float, formula: float, unit: str, error: float) -> Result:
    return Result(number, case, ours, formula, unit, -SIGMAS, SIGMAS, error)


# --- T = 0 ---------------------------------------------------------------------------------------------------


def follow(
    card: MTJCard, start: list[float], voltage: float, duration: float, interval: float = 1e-12
) -> tuple[Floats, Floats]:
    """Times and magnetizations at T = 0 under a constant voltage."""
    row = llg.parameters(card, temperature=0, substeps=2)
    m = np.array(start, dtype=float)
    path = [m.copy()]
    for k in range(round(duration / interval)):
        llg.advance(row, 0, 0, m, k * interval, (k + 1) * interval, voltage, voltage)
        path.append(m.copy())
    return np.arange(float(len(path))) * interval, np.array(path)


def crossings(times: Floats, values: Floats) -> Floats:
    """Interpolated times at which ``values`` changes sign."""
    k = np.flatnonzero(np.signbit(values[1:]) != np.signbit(values[:-1]))
    return times[k] + (times[k + 1] - times[k]) * values[k] / (values[k] - values[k + 1])


def frequency(times: Floats, values: Floats) -> float:
    at = crossings(times, values)
    return float((len(at) - 1) / (2 * (at[-1] - at[0])))


def precession() -> Iterator[Result]:
    slow = PLAIN.replace(damping=1e-3)
    field, h, bias = derived.anisotropy_field(PLAIN), derived.derive(PLAIN).reduced_field, PLAIN.bias_field
    polar = np.arcsin(h) + 0.01
    times, path = follow(slow, [sin(polar), 0, cos(polar)], 0.0, 8e-9)
    expected = GYROMAGNETIC_RATIO / (2 * pi) * field * sqrt(1 - h * h)
    yield within(1, "meram100", frequency(times, path[:, 1]), expected, "Hz", 1e-3)

    times, path = follow(slow, [sqrt(1 - 1e-4), 0, 0.01], 2.0, 1.5e-8)
    expected = GYROMAGNETIC_RATIO / (2 * pi) * sqrt(bias * (bias - derived.anisotropy_field(slow, 2.0)))
    yield within(2, "meram100, 2 V", frequency(times, path[:, 2]), expected, "Hz", 1e-3)

    expected = pi * (1 + PLAIN.damping**2) / (GYROMAGNETIC_RATIO * bias)
    times, path = follow(PLAIN, [0, 0, 1], derived.derive(PLAIN).compensation_voltage, 1.1 * expected)
    yield within(3, "meram100, 1.5 V", float(crossings(times, path[:, 1])[-1]), expected, "s", 1e-4)

    free = PLAIN.replace(damping=1e-5)
    expected = derived.derive(PLAIN).compensation_voltage * (1 - 2 * h / (1 + h))

    def lowest(voltage: float) -> float:
        return float(follow(free, [h, 0, sqrt(1 - h * h)], voltage, 4e-9, 1e-11)[1][:, 2].min())

    low, high = 0.97 * expected, 1.03 * expected
    for _ in range(10):
        middle = (low + high) / 2
        low, high = (low, middle) if lowest(middle) < 0 else (middle, high)
    yield within(4, "V_dyn, meram100", (low + high) / 2, expected, "V", 1e-3)


def voltages() -> Iterator[Result]:
    """Wells and saddle on a fine grid of directions of the plane that holds both."""
    card, row, theta = PLAIN, llg.parameters(PLAIN), np.linspace(0, pi / 2, 20_001)
    h, delta = derived.derive(card).reduced_field, derived.derive(card).thermal_stability_zero_field

    def levels(voltage: float) -> Floats:
        there = row.copy()
        there[llg.FIELD_K] = derived.anisotropy_field(card, voltage)
        return wells.energy(there, np.sin(theta), 0 * theta, np.cos(theta))

    compensation = derived.effective_anisotropy(card) * card.barrier_thickness / card.vcma_coefficient
    root = optimize.brentq(lambda voltage: derived.anisotropy_field(card, voltage), 0.1, 3)
    yield within(5, "V_c, meram100", root, compensation, "V", 1e-6)
    rim = optimize.bisect(lambda v: np.argmin(levels(v)) - len(theta) + 1.5, 0, compensation, xtol=1e-9)
    yield within(5, "V_b", rim, compensation * (1 - h), "V", 1e-4)
    left = 1 - 0.6 / compensation
    found = levels(0.6)
    yield within(5, "Δ(0.6 V)", float(found[-1] - found.min()), delta * left * (1 - h / left) ** 2, "", 1e-4)


def torque_at_rest() -> Iterator[Result]:
    figures = derived.derive(STT)
    g0 = (1 / figures.resistance_parallel + 1 / figures.resistance_antiparallel) / 2
    energy = derived.effective_anisotropy(STT) * figures.area
    expected = 4 * ELEMENTARY_CHARGE * STT.damping * energy / (REDUCED_PLANCK * STT.spin_polarization * g0)

    def growth(voltage: float) -> float:
        times, path = follow(STT, [1e-4, 0, -sqrt(1 - 1e-8)], voltage, 5e-9, 5e-9)
        return log(hypot(path[-1, 0], path[-1, 1]) / 1e-4) / float(times[-1])

    low, high = growth(0.9 * expected), growth(1.1 * expected)
    yield within(8, "stt_trng_10ns", expected * (0.9 - 0.2 * low / (high - low)), expected, "V", 1e-3)
    for i, around in ((1.5, (-0.18, -0.167)), (3.0, (-0.02, 0.0))):
        z = cos(0.1)
        exact = log(1 / (1 - z)) / (2 * (i - 1)) + log(1 + z) / (2 * (i + 1)) + log((i - z) / i) / (i * i - 1)
        duration = exact * figures.relaxation_time
        times, path = follow(STT, [sin(0.1), 0, -z], i * figures.stt_critical_voltage, 1.05 * duration)
        found = float(crossings(times, path[:, 2])[0])
        yield within(9, f"i = {i:g}, θ₀ = 0.1", found, duration, "s", 2e-4)
        yield Result(10, f"i = {i:g}", found, figures.relaxation_time / (i - 1) * log(pi / 0.2), "s", *around)


# --- equilibrium ---------------------------------------------------------------------------------------------


def well_average(card: MTJCard) -> float:
    """<sin^2 theta> over the P well by quadrature of the energy in joules."""
    theta = (np.arange(20_000) + 0.5) * (pi / 2 / 20_000)
    phi = (np.arange(180) + 0.5) * (pi / 180)
    volume = derived.volume(card)
    anisotropy = derived.effective_anisotropy(card) * derived.area(card)
    field = card.saturation_magnetization * volume * card.bias_field
    energy = -anisotropy * np.cos(theta)[:, None] ** 2 - field * np.sin(theta)[:, None] * np.cos(phi)
    weight = np.exp(-(energy - energy.min()) / (BOLTZMANN * 300)) * np.sin(theta)[:, None]
    return float((weight * np.sin(theta)[:, None] ** 2).sum() / weight.sum())


def equilibrium() -> Iterator[Result]:
    """The energy of a well relaxes with tau_D/2: 8 tau_D forget the start, 1.6 tau_D separate the samples."""
    spins, samples = 4000, 12
    for number, (name, card) in enumerate((
        ("meram100", MERAM), ("B_x = 0, α = 0.2", MERAM.replace(damping=0.2, bias_field=0.0)),
    )):  # fmt: skip
        row, tau = llg.parameters(card), derived.derive(card).relaxation_time
        azimuth = np.linspace(0, 2 * pi, spins, endpoint=False)
        across, along = np.sin(np.radians(20)), np.cos(np.radians(20))
        m = np.column_stack((across * np.cos(azimuth), across * np.sin(azimuth), np.full(spins, along)))
        sums, start = np.zeros(spins), 0.0
        for end in tau * (8 + 1.6 * np.arange(samples)):
            m = macrospin.run(row, m, np.array([start, end]), np.zeros(2), 101 + number, relaxing=False).magnetization
            sums += 1 - m[:, 2] ** 2
            start = end
        error = float((sums / samples).std(ddof=1) / sqrt(spins))
        yield sampled(6, f"⟨sin²θ⟩, {name}", float(sums.mean() / samples), well_average(card), "", error)

    delta = derived.derive(STT).thermal_stability_factor
    density = fokker_planck.density(llg.parameters(STT), [0.0, 1e-12], [0.0, 0.0], [0.0], degree=60)
    found = float(1 - density.mean_square_z()[0])
    yield within(7, "⟨sin²θ⟩, Fokker-Planck", found, (1 + 1 / (2 * delta)) / delta, "", 2 / delta**2)
    m = macrospin.thermal_states(STT, np.ones(200_000), np.random.default_rng(3))
    median = float(np.median(np.arccos(m[:, 2])))
    yield within(7, "median θ of 200000 starts", median, sqrt(log(2) / delta), "rad", 0.02)


# --- write error rates ---------------------------------------------------------------------------------------


def finite_volumes(cells: int, delta: float, i: float, tau: float) -> float:
    """Chance to stay after a rectangle of ``tau`` relaxation times, Scharfetter and Gummel in equal polar angles."""
    edges = np.linspace(0, pi, cells + 1)
    theta = (edges[1:] + edges[:-1]) / 2
    areas = np.cos(edges[:-1]) - np.cos(edges[1:])

    def matrix(overdrive: float) -> Floats:
        step = np.diff(delta * np.sin(theta) ** 2 + 2 * delta * overdrive * np.cos(theta))
        safe = np.where(np.abs(step) < 1e-9, 1e-9, step)
        down = safe / np.expm1(safe)
        rate = np.sin(edges[1:-1]) / (theta[1] - theta[0]) / (2 * delta)
        out, back = rate * down / areas[:-1], rate * (down + step) / areas[1:]
        return np.diag(out, -1) + np.diag(back, 1) - np.diag(np.append(out, 0.0)) - np.diag(np.append(0.0, back))

    density = np.where(theta < pi / 2, np.exp(-delta * np.sin(theta) ** 2), 0.0) * areas
    stayed = (theta < pi / 2).astype(float) @ expm(15 * matrix(0.0))
    return float(stayed @ expm(tau * matrix(i)) @ density / density.sum())


def error_rates() -> Iterator[Result]:
    figures, row, trials, edge = derived.derive(STT), llg.parameters(STT), 10_000, 1e-13
    delta = figures.thermal_stability_factor
    for i, tau in ((1.5, 6.0), (2.0, 3.0), (2.0, 5.0), (2.5, 9.0)):
        volt, width = -i * figures.stt_critical_voltage, tau * figures.relaxation_time
        found = float(fokker_planck.switching_map(row, [volt], [width], edge=edge, tolerance=1e-13).stayed[0, 0])
        coarse, fine = (finite_volumes(cells, delta, i, tau) for cells in (300, 600))
        case = f"i = {i:g}, τ = {tau:g}"
        yield within(11, case, found, fine + (fine - coarse) / 3, "", 3e-3)
        if found > 0.01:  # a normal score needs many events
            states = macrospin.switching(STT, macrospin.pulse(volt, width, edge), trials, seed=11).states
            share = float(np.mean(states == macrospin.PARALLEL))
            yield sampled(11, f"{case}: {trials} trials", share, found, "", sqrt(found * (1 - found) / trials))
        if found < 1e-6:  # far below what the closed laws were made for
            continue
        closed = -np.expm1(-(pi**2 / 4) * delta * (i - 1) / (i * exp(2 * (i - 1) * tau) - 1))
        yield Result(12, case, found, float(closed), "", 1 / 3 - 1, 1 / 1.5 - 1)
        square = 2 * exp(-2 * (i - 1) * tau) * 2 ** ((i - 1) / (i + 1)) * ((i - 1) / i) ** (2 / (i + 1))
        yield within(13, case, found, float(-np.expm1(-delta * (i - 1) / i * square)), "", 0.2)


# --- reversal ------------------------------------------------------------------------------------------------


def bistable(delta: float) -> MTJCard:
    """A small disc without bias field whose barrier is ``delta`` kT."""
    tiny = STT.replace(diameter=15e-9, damping=0.3)
    extra = (delta - derived.derive(tiny).thermal_stability_zero_field) * BOLTZMANN * 300 / derived.area(tiny)
    return tiny.replace(interfacial_anisotropy=tiny.interfacial_anisotropy + extra)


def slowest(card: MTJCard) -> float:
    """Rate at which the wells exchange, times tau_D, from the generator at V = 0."""
    zero = np.zeros(1)
    coefficients = generator.coefficients(llg.parameters(card)[None, :], zero, zero)
    values = np.linalg.eigvals(generator.generator(40, coefficients, True).matrix(coefficients[0]).toarray())
    return float(np.sort(-values.real)[1]) * derived.derive(card).relaxation_time


def weak_form(delta: float) -> float:
    """The same eigenvalue from Brown's equation between Legendre polynomials."""
    z, w = np.polynomial.legendre.leggauss(200)
    basis = [np.polynomial.legendre.Legendre.basis(k) for k in range(31)]
    values, slopes = (np.array([b(z) for b in part]).T for part in (basis, [b.deriv() for b in basis]))
    weight = w * np.exp(delta * (z**2 - 1))
    stiffness = slopes.T @ (slopes * (weight * (1 - z**2) / (2 * delta))[:, None])
    return float(eigh(stiffness, values.T @ (values * weight[:, None]), eigvals_only=True)[1])


def reversal() -> Iterator[Result]:
    for delta in (1.0, 4.0, 8.0):
        rate = slowest(bistable(delta))
        case = f"Δ = {delta:g}, λ τ_D"
        yield within(14, f"{case}, weak form", rate, weak_form(delta), "", 1e-6)
        if delta >= 4:
            asymptote = 2 * sqrt(delta / pi) * exp(-delta)
            yield Result(14, f"{case}, asymptote", rate, asymptote, "", 1 / 1.35 - 1, 1 / 1.1 - 1)
        time = delta * (exp(delta) - 1) / (2 * delta) / (sqrt(delta / pi) / (1 + 1 / delta) + 2 ** (-delta - 1))
        yield within(15, case, rate, 1 / time, "", 0.1)
    yield sampled_reversal(4.0)


def sampled_reversal(delta: float) -> Result:
    """Decay of the mean m_z of trials, from a time at which each well is in equilibrium."""
    card, trials = bistable(delta), 10_000
    tau, expected, row = derived.derive(card).relaxation_time, weak_form(delta), llg.parameters(card)
    first, second = 2 * tau, 0.7 * tau / expected
    m = macrospin.thermal_states(card, np.ones(trials), np.random.default_rng(1))
    means = []
    for begin, end in ((0.0, first), (first, second)):
        m = macrospin.run(row, m, np.array([begin, end]), np.zeros(2), 21, relaxing=False).magnetization
        means.append(m[:, 2])
    a, b = means
    ratio, scale = float(b.mean() / a.mean()), tau / (second - first)
    error = float(np.std(b - ratio * a) / a.mean()) / sqrt(trials) / ratio * scale
    return sampled(14, f"Δ = {delta:g}, λ τ_D, {trials} trials", -log(ratio) * scale, expected, "", error)


def low_barrier() -> Iterator[Result]:
    yield within(16, "λ τ_N at Δ = 0.05", slowest(bistable(0.05)) * 0.05, 1.0, "", 0.05)
    card, delta = bistable(2.0), 2.0
    figures = derived.derive(card)
    for i in (0.3, 1.0):
        volts, time = i * figures.stt_critical_voltage, 40 * figures.relaxation_time
        density = fokker_planck.density(llg.parameters(card), [0.0, time], [volts, volts], [time], degree=40)
        z = np.linspace(-1, 1, 20_001)
        weight = np.exp(delta * (z * z + 2 * i * z))
        expected = float(np.trapezoid(z * weight, z) / np.trapezoid(weight, z))
        yield within(16, f"⟨m_z⟩ at Δ = 2, i = {i:g}", float(density.mean()[0, 2]), expected, "", 2e-3 / expected)


# --- noise step and electrical --------------------------------------------------------------------------------


def homogeneity(counts: Floats, trials: int) -> tuple[float, int, float]:
    """Chi-square that ``counts`` of ``trials`` each have one probability, its degrees of freedom and p-value."""
    table = np.array([counts, trials - counts])
    found = stats.chi2_contingency(table, correction=False)
    return float(found.statistic), int(found.dof), float(found.pvalue)


def noise() -> Iterator[Result]:
    trials, width = 10_000, 5e-10
    counts = []
    for k, step in enumerate((2.5e-13, 5e-13, 1e-12, 2e-12)):
        outcome = macrospin.switching(MERAM, macrospin.pulse(1.2, width), trials, seed=300 + k, noise_step=step)
        counts.append(np.count_nonzero(outcome.states != macrospin.PARALLEL))
    value, freedom, p = homogeneity(np.array(counts), trials)
    limit = float(stats.norm.isf(1e-4))
    error = (value - freedom) / float(stats.norm.isf(p))  # so that the deviation is that of the p-value
    yield Result(17, f"χ², meram100, 0.5 ns, {trials} trials each", value, float(freedom), "", -inf, limit, error)


def electrical() -> Iterator[Result]:
    row, v_h = llg.parameters(IMEC), IMEC.tmr_half_voltage
    resistance = IMEC.resistance_area_product / (pi * IMEC.diameter**2 / 4)
    yield within(18, "R_P, imec_iedm24", 1 / llg.conductance(row, 1.0, 0.0), resistance, "Ω", 1e-9)
    yield within(18, "R_AP", 1 / llg.conductance(row, -1.0, 0.0), resistance * (1 + IMEC.tmr), "Ω", 1e-9)
    half = llg.conductance(row, 1.0, v_h) / llg.conductance(row, -1.0, v_h) - 1
    yield within(18, "TMR(V_h)", half, IMEC.tmr / 2, "", 1e-9)
    middle = (llg.conductance(row, 0.6, 0.3) - llg.conductance(row, -0.6, 0.3)) / 1.2
    whole = (llg.conductance(row, 1.0, 0.3) - llg.conductance(row, -1.0, 0.3)) / 2
    yield within(18, "dG/dm_z at 0.3 V", middle, whole, "S", 1e-9)

    # held in its state: no VCMA, no field, no torque, 1 K
    still = PLAIN.replace(vcma_coefficient=0.0, bias_field=0.0)
    wave = macrospin.pulse(1.2, 1e-9)
    charging = derived.derive(MERAM).capacitance * 1.2**2
    insulator = 8.8541878128e-12 * MERAM.barrier_permittivity * pi * MERAM.diameter**2 / 4 / MERAM.barrier_thickness
    for name, state in (("P", 1), ("AP", -1)):
        path = trajectory(still, wave, temperature=1.0, initial=[0, 0, state], duration=float(wave.times[-1]))
        power = path["voltage"].values ** 2 * path["conductance"].values
        found = float(np.trapezoid(power, path["time"].values)) + charging

        def heat(time: float, state: int = state) -> float:
            volt = float(np.interp(time, wave.times, wave.volts))
            ratio = 1 + MERAM.tmr / (1 + (volt / MERAM.tmr_half_voltage) ** 2) if state < 0 else 1.0
            return volt**2 / ratio * pi * MERAM.diameter**2 / 4 / MERAM.resistance_area_product

        expected = integrate.quad(heat, wave.times[0], wave.times[-1], points=wave.times[1:-1])[0] + insulator * 1.2**2
        yield within(18, f"energy, meram100 in {name}, 1.2 V, 1 ns", found, expected, "J", 1e-3)


PARTS = (precession, voltages, equilibrium, torque_at_rest, error_rates, reversal, low_barrier, noise, electrical)
