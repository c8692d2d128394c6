"""The stochastic Landau-Lifshitz-Gilbert equation of one junction (compiled); every engine moves by `advance`.

(1 + alpha^2) dm/dt = -gamma [m x B + alpha m x (m x B)] with

    B = (B_x, B_y, B_z(V)) + B_k(V_e) m_z z - B_s m_y y + a_J (m x z) + I_line [a_so (m x y) + b_so y] + B_thermal(t)

In this form the damping-like torques are part of B, which makes the Gilbert-to-Landau transformation exact for them
too. One parameter row (`parameters`) describes a device at a temperature; V and I_line are piecewise linear in time.
Most devices need no more than the fields; what makes the others dearer (self-heating, a lagging VCMA field, torque
by current, spin-orbit torque) is switched on by the column FULL.
"""

from math import exp, floor, inf, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.device import derived
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import BOLTZMANN, GYROMAGNETIC_RATIO, ROOM_TEMPERATURE
from mtjspice.device.elementary import fma
from mtjspice.device.noise import drive_deviation, field_node
from mtjspice.device.temperature import at_temperature, check
from mtjspice.errors import InputError

DEFAULT_NOISE_STEP = 1e-12  # s
NO_HOLD = 1.0  # s; one draw of the drive spread for anything shorter
# Heun's energy error grows with (gamma B dt)^3/alpha; beyond 0.1 rad a step the thermal average is wrong
LARGEST_ROTATION = 0.1

# columns of a parameter row
PRECESSION = 0  # gamma/(1 + alpha^2), rad/(s T)
DAMPING = 1
FIELD_X = 2  # T
FIELD_Y = 3  # T
FIELD_Z = 4  # T at V = 0
FIELD_Z_LINEAR = 5  # T/V
FIELD_Z_QUADRATIC = 6  # T/V^2
FIELD_K = 7  # B_k at V = 0, T
FIELD_K_LINEAR = 8  # -dB_k/dV, T/V
FIELD_K_QUADRATIC = 9  # T/V^2
FIELD_SHAPE_Y = 10  # B_s, T; positive if x is the long axis
TORQUE = 11  # a_J/V of the voltage-driven torque, T/V
NOISE = 12  # standard deviation of a thermal field node, T
NOISE_STEP = 13  # dt_n, s
DRIVE_SPREAD = 14  # relative cycle-to-cycle spread of the VCMA drive
DRIVE_HOLD = 15  # s, time slot for which one draw of the spread holds
CONDUCTANCE_P = 16  # S
CONDUCTANCE_LINEAR = 17  # 1/V
CONDUCTANCE_QUADRATIC = 18  # 1/V^2
TMR = 19
TMR_HALF_VOLTAGE = 20  # V
SUBSTEPS = 21  # Heun steps in one noise interval
MOMENT = 22  # Ms V_fl/(k T), 1/T; energies in kT are MOMENT times fields (300 K for a run at T = 0)
SADDLE = 23  # lowest energy on the equator at V = 0, T (fields along z left out); -inf without wells
FULL = 24  # 1 if any of the columns from here on matters
TORQUE_MODEL = 25  # 0 voltage, 1 const, 2 slonczewski
TORQUE_PER_AMPERE = 26  # T/A, with the polarization
TORQUE_ASYMMETRY = 27  # (L^2 - 1)/(L^2 + 1)
VCMA_LAG = 28  # s
SPIN_ORBIT = 29  # damping-like, T/A
SPIN_ORBIT_FIELD = 30  # field-like, T/A
TEMPERATURE = 31  # of the surroundings, K
THERMAL_RESISTANCE = 32  # K/W; 0 without self-heating
THERMAL_CAPACITANCE = 33  # J/K
CURIE = 34  # K
ANISOTROPY_EXPONENT = 35
VCMA_EXPONENT = 36
POLARIZATION_COEFFICIENT = 37  # K^-1.5
POLARIZATION = 38  # Julliere's, from the TMR at TEMPERATURE
FIELD_INTERFACE = 39  # interfacial part of FIELD_K, T
FIELD_EXCHANGE = 40  # exchange part of FIELD_Z, T
FIELD_LIKE = 41  # b_J/a_J of a current-driven torque; that of the voltage-driven one is in FIELD_Z_LINEAR
COLUMNS = 42

TORQUE_MODELS = ("voltage", "const", "slonczewski")

# a state: magnetization, temperature rise in K and lagging drive voltage in V (the latter two where FULL)
RISE = 3
DRIVE = 4
STATE = 5


def parameters(
    card: MTJCard,
    temperature: float = ROOM_TEMPERATURE,
    noise_step: float = DEFAULT_NOISE_STEP,
    drive_hold: float = NO_HOLD,
    substeps: int = 1,
) -> NDArray[np.float64]:
    """Return the parameter row of a card for the compiled functions.

    ``temperature`` (K) acts through the thermal field and through what the card lets depend on it; 0 is allowed and
    means the card of 300 K without thermal field. ``noise_step`` (s) is dt_n; ``drive_hold`` (s) is the time for
    which one draw of the cycle-to-cycle spread holds; ``substeps`` divides each noise interval for convergence
    checks. Raises InputError where the step does not resolve the precession.
    """
    if not (noise_step > 0 and drive_hold > 0 and substeps >= 1 and substeps == int(substeps)):
        raise InputError("noise step, drive hold and the (whole) number of substeps must be positive")
    cold = temperature == 0
    card_here = card if cold else at_temperature(card, check(temperature))
    row = np.zeros(COLUMNS)
    _fill_fields(row, card_here)
    row[NOISE] = derived.thermal_field_deviation(card_here, temperature, noise_step)
    row[NOISE_STEP] = noise_step
    row[DRIVE_HOLD] = drive_hold
    row[SUBSTEPS] = substeps
    kt = BOLTZMANN * (ROOM_TEMPERATURE if cold else temperature)
    row[MOMENT] = derived.moment(card_here) / kt
    row[SADDLE] = derived.equator_energy(card_here) if row[FIELD_K] > 0 else -inf
    _fill_extras(row, card, card_here, temperature)
    check_step(row)
    return row


def _fill_fields(row: NDArray[np.float64], card: MTJCard) -> None:
    row[PRECESSION] = GYROMAGNETIC_RATIO / (1 + card.damping**2)
    row[DAMPING] = card.damping
    row[FIELD_X] = card.bias_field
    row[FIELD_Y] = card.bias_field_y
    torque = derived.stt_field_per_volt(card)
    row[FIELD_Z] = card.perpendicular_field + derived.exchange_field(card)
    slope = derived.exchange_field(card, 1.0) - derived.exchange_field(card)
    driven = card.torque_model == "voltage"
    row[FIELD_Z_LINEAR] = slope + card.field_like_torque * torque * driven
    row[FIELD_LIKE] = 0.0 if driven else card.field_like_torque
    row[FIELD_Z_QUADRATIC] = card.field_like_quadratic
    row[FIELD_K] = derived.anisotropy_field(card)
    areal = card.saturation_magnetization * card.free_layer_thickness
    row[FIELD_K_LINEAR] = 2 * card.vcma_coefficient / (areal * card.barrier_thickness)
    row[FIELD_K_QUADRATIC] = 2 * card.vcma_quadratic / (areal * card.barrier_thickness**2)
    row[FIELD_SHAPE_Y] = derived.shape_field_y(card)
    row[TORQUE] = torque
    row[DRIVE_SPREAD] = card.cycle_to_cycle_spread
    row[CONDUCTANCE_P] = derived.area(card) / card.resistance_area_product
    row[CONDUCTANCE_LINEAR], row[CONDUCTANCE_QUADRATIC] = derived.conductance_coefficients(card)
    row[TMR] = card.tmr
    row[TMR_HALF_VOLTAGE] = card.tmr_half_voltage


def _fill_extras(row: NDArray[np.float64], card: MTJCard, card_here: MTJCard, temperature: float) -> None:
    """Columns that only the FULL branch reads; the laws of temperature come from ``card``, the values of 300 K."""
    row[TORQUE_MODEL] = TORQUE_MODELS.index(card.torque_model)
    square = card.slonczewski_lambda**2
    row[TORQUE_ASYMMETRY] = (square - 1) / (square + 1) if card.torque_model == "slonczewski" else 0.0
    row[TORQUE_PER_AMPERE] = derived.stt_field_per_ampere(card_here) * derived.efficiency(card_here, 0.0)
    row[VCMA_LAG] = card.vcma_lag
    row[SPIN_ORBIT] = derived.spin_orbit_field_per_ampere(card_here)
    row[SPIN_ORBIT_FIELD] = card.spin_orbit_field_like * row[SPIN_ORBIT]
    row[TEMPERATURE] = temperature
    row[THERMAL_RESISTANCE] = card.thermal_resistance
    row[THERMAL_CAPACITANCE] = card.thermal_capacitance
    row[CURIE] = card.curie_temperature
    row[ANISOTROPY_EXPONENT] = card.anisotropy_exponent
    row[VCMA_EXPONENT] = card.vcma_exponent
    row[POLARIZATION_COEFFICIENT] = card.polarization_coefficient
    row[POLARIZATION] = sqrt(card_here.tmr / (card_here.tmr + 2))
    row[FIELD_INTERFACE] = derived.interfacial_field(card_here)
    row[FIELD_EXCHANGE] = derived.exchange_field(card_here)
    row[FULL] = float(
        row[TORQUE_MODEL] != 0 or card.vcma_lag > 0 or row[SPIN_ORBIT] != 0 or card.thermal_resistance > 0
    )
    if card.thermal_resistance > 0 and temperature == 0:
        raise InputError("self-heating needs a temperature above 0 K")


def largest_field(row: NDArray[np.float64], voltages: NDArray[np.float64] | float = 0.0) -> float:
    """Largest field in tesla that precesses the magnetization at any of the voltages (thermal field left out)."""
    volts = np.atleast_1d(np.asarray(voltages, float))
    drive = np.concatenate([volts * (1 + k * row[DRIVE_SPREAD]) for k in (-3, 0, 3)])
    k = row[FIELD_K] - (row[FIELD_K_LINEAR] + row[FIELD_K_QUADRATIC] * drive) * drive
    z = row[FIELD_Z] + (row[FIELD_Z_LINEAR] + row[FIELD_Z_QUADRATIC] * volts) * volts
    across = max(abs(row[FIELD_X]), abs(row[FIELD_Y]), abs(row[FIELD_SHAPE_Y]))
    return float(max(np.max(np.abs(k)), np.max(np.abs(z)), np.max(np.abs(row[TORQUE] * volts)), across))


def check_step(row: NDArray[np.float64], voltages: NDArray[np.float64] | float = 0.0) -> None:
    """Raise InputError if a step of the row turns the magnetization by more than `LARGEST_ROTATION` rad."""
    rate = GYROMAGNETIC_RATIO * largest_field(row, voltages)
    if rate * row[NOISE_STEP] / row[SUBSTEPS] > LARGEST_ROTATION:
        limit = LARGEST_ROTATION * row[SUBSTEPS] / rate
        raise InputError(
            f"noise step {row[NOISE_STEP]:g} s does not resolve the precession in {rate / GYROMAGNETIC_RATIO:.3g} T; "
            f"at most {limit:.2g} s"
        )


@njit(cache=True, error_model="numpy")
def conductance(p: NDArray[np.float64], m_z: float, voltage: float) -> float:
    """G(m_z, V) in siemens; the same law as `derived.conductance`."""
    ratio = voltage / p[TMR_HALF_VOLTAGE]
    antiparallel = 1.0 / (1.0 + p[TMR] / (1.0 + ratio * ratio))
    parallel = p[CONDUCTANCE_P] * (1.0 + (p[CONDUCTANCE_LINEAR] + p[CONDUCTANCE_QUADRATIC] * voltage) * voltage)
    return float(0.5 * parallel * ((1.0 + m_z) + antiparallel * (1.0 - m_z)))


# --- one Heun step, shared by every loop ---------------------------------------------------------------------
# Fields arrive multiplied by gamma/(1 + alpha^2) times the step: as angles. A loop over many trials compiled with
# the same sequence of operations gives the same bits as `advance`.


_inline = njit(inline="always", error_model="numpy")


@_inline
def precess(a: float, fx: float, fy: float, fz: float, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return -(m x G) with G = F + alpha m x F."""
    gx = fma(a, fma(y, fz, -(z * fy)), fx)
    gy = fma(a, fma(z, fx, -(x * fz)), fy)
    gz = fma(a, fma(x, fy, -(y * fx)), fz)
    return fma(z, gy, -(y * gz)), fma(x, gz, -(z * gx)), fma(y, gx, -(x * gy))


@_inline
def turn(
    a: float, s: float, fx: float, fy: float, fz: float, k: float, t: float, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """Increment of m over the step for in-plane shape ``s``, fields ``f``, anisotropy ``k`` and torque ``t``."""
    return precess(a, fma(t, y, fx), fma(-s, y, fma(-t, x, fy)), fma(k, z, fz), x, y, z)


@_inline
def inverse_length(
    x: float, y: float, z: float, one: float, half: float, three_eighths: float, five_sixteenths: float
) -> float:
    """1/|m| for |m| near 1: the remainder is 35/128 (|m|^2 - 1)^4, far below rounding for the steps allowed."""
    e = fma(x, x, fma(y, y, fma(z, z, -one)))
    return fma(e, fma(e, fma(-e, five_sixteenths, three_eighths), -half), one)


@_inline
def field_z(constant: float, linear: float, quadratic: float, volt: float) -> float:
    """B_z(V)."""
    return fma(fma(quadratic, volt, linear), volt, constant)


@_inline
def field_k(constant: float, linear: float, quadratic: float, drive: float) -> float:
    """B_k at the VCMA drive."""
    return fma(-drive, fma(quadratic, drive, linear), constant)


@_inline
def between(start: float, end: float, fraction: float) -> float:
    """Noise between two nodes; exactly the nodes at 0 and 1."""
    return end if fraction == 1.0 else fma(fraction, end - start, start)


@_inline
def _light_step(
    p: NDArray[np.float64], m: NDArray[np.float64], h: float, v0: float, v1: float, scale: float,
    n0: tuple[float, float, float], n1: tuple[float, float, float],
) -> None:  # fmt: skip
    """One Heun step of length ``h`` where FULL is 0; ``n0`` and ``n1`` are the noise at its ends."""
    g = p[PRECESSION] * h
    a, s, sigma = p[DAMPING], g * p[FIELD_SHAPE_Y], g * p[NOISE]
    bx, by = g * p[FIELD_X], g * p[FIELD_Y]
    z0, z1, z2 = g * p[FIELD_Z], g * p[FIELD_Z_LINEAR], g * p[FIELD_Z_QUADRATIC]
    k0, k1, k2 = g * p[FIELD_K], g * p[FIELD_K_LINEAR], g * p[FIELD_K_QUADRATIC]
    torque = g * p[TORQUE]
    x, y, z = m[0], m[1], m[2]
    dx, dy, dz = turn(
        a, s, fma(sigma, n0[0], bx), fma(sigma, n0[1], by), fma(sigma, n0[2], field_z(z0, z1, z2, v0)),
        field_k(k0, k1, k2, scale * v0), torque * v0, x, y, z,
    )  # fmt: skip
    ex, ey, ez = turn(
        a, s, fma(sigma, n1[0], bx), fma(sigma, n1[1], by), fma(sigma, n1[2], field_z(z0, z1, z2, v1)),
        field_k(k0, k1, k2, scale * v1), torque * v1, x + dx, y + dy, z + dz,
    )  # fmt: skip
    x, y, z = fma(0.5, dx + ex, x), fma(0.5, dy + ey, y), fma(0.5, dz + ez, z)
    r = inverse_length(x, y, z, 1.0, 0.5, 0.375, 0.3125)
    m[0], m[1], m[2] = x * r, y * r, z * r


@njit(cache=True, error_model="numpy")
def _full_rate(
    p: NDArray[np.float64], g: float, x: float, y: float, z: float, rise: float, volt: float, drive: float,
    line: float, nx: float, ny: float, nz: float,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Increment of m over the step (g = gamma h/(1 + alpha^2)) and the rate of the temperature rise, K/s."""
    magnetization = 1.0  # Ms(T)/Ms(ambient)
    polarization = 1.0
    ambient = p[TEMPERATURE]
    temperature = ambient + rise
    if p[THERMAL_RESISTANCE] > 0.0:
        if p[CURIE] < inf:
            # a film near its Curie temperature is no macrospin; the floor keeps the equation finite there
            magnetization = max(0.05, (1.0 - (temperature / p[CURIE]) ** 1.5) / (1.0 - (ambient / p[CURIE]) ** 1.5))
        c = p[POLARIZATION_COEFFICIENT]
        if c > 0.0:
            polarization = max(0.0, (1.0 - c * temperature**1.5) / (1.0 - c * ambient**1.5))
    julliere = (p[POLARIZATION] * polarization) ** 2
    tmr = 2.0 * julliere / (1.0 - julliere) if polarization != 1.0 else p[TMR]
    ratio = volt / p[TMR_HALF_VOLTAGE]
    antiparallel = 1.0 / (1.0 + tmr / (1.0 + ratio * ratio))
    parallel = p[CONDUCTANCE_P] * (1.0 + (p[CONDUCTANCE_LINEAR] + p[CONDUCTANCE_QUADRATIC] * volt) * volt)
    current = 0.5 * parallel * ((1.0 + z) + antiparallel * (1.0 - z)) * volt
    if p[TORQUE_MODEL] == 0.0:
        mean = (1.0 + 1.0 / (1.0 + tmr)) / (1.0 + 1.0 / (1.0 + p[TMR]))
        torque = p[TORQUE] * volt * mean
    else:
        torque = p[TORQUE_PER_AMPERE] * current / (1.0 + p[TORQUE_ASYMMETRY] * z)
    torque *= polarization / magnetization
    shape = (p[FIELD_INTERFACE] - p[FIELD_K]) * magnetization
    interface = p[FIELD_INTERFACE] * magnetization ** (p[ANISOTROPY_EXPONENT] - 1.0)
    vcma = (p[FIELD_K_LINEAR] + p[FIELD_K_QUADRATIC] * drive) * drive * magnetization ** (p[VCMA_EXPONENT] - 1.0)
    sigma = p[NOISE]
    if p[THERMAL_RESISTANCE] > 0.0:
        sigma *= sqrt(max(0.0, temperature) / (ambient * magnetization))
    orbit = p[SPIN_ORBIT] * line
    bx = p[FIELD_X] + torque * y - orbit * z + sigma * nx
    by = p[FIELD_Y] - torque * x - p[FIELD_SHAPE_Y] * magnetization * y + p[SPIN_ORBIT_FIELD] * line + sigma * ny
    bz = p[FIELD_Z] + p[FIELD_EXCHANGE] * (1.0 / magnetization - 1.0)
    bz += (p[FIELD_Z_LINEAR] + p[FIELD_Z_QUADRATIC] * volt) * volt + p[FIELD_LIKE] * torque + orbit * x + sigma * nz
    bz += (interface - shape - vcma) * z
    dx, dy, dz = precess(p[DAMPING], g * bx, g * by, g * bz, x, y, z)
    heating = 0.0
    if p[THERMAL_RESISTANCE] > 0.0:
        heating = (volt * current - rise / p[THERMAL_RESISTANCE]) / p[THERMAL_CAPACITANCE]
    return dx, dy, dz, heating


@njit(cache=True, error_model="numpy")
def _full_step(
    p: NDArray[np.float64], m: NDArray[np.float64], h: float, v0: float, v1: float, line0: float, line1: float,
    scale: float, n0: tuple[float, float, float], n1: tuple[float, float, float],
) -> None:  # fmt: skip
    """One Heun step of magnetization and temperature; the lagging drive voltage is integrated exactly."""
    g = p[PRECESSION] * h
    x, y, z, rise, drive0 = m[0], m[1], m[2], m[RISE], m[DRIVE]
    drive1 = v1
    if p[VCMA_LAG] > 0.0:
        slope = (v1 - v0) / h * p[VCMA_LAG]
        drive1 = v1 - slope + (drive0 - v0 + slope) * exp(-h / p[VCMA_LAG])
    else:
        drive0 = v0
    dx, dy, dz, heat0 = _full_rate(p, g, x, y, z, rise, v0, scale * drive0, line0, n0[0], n0[1], n0[2])
    ex, ey, ez, heat1 = _full_rate(
        p, g, x + dx, y + dy, z + dz, rise + h * heat0, v1, scale * drive1, line1, n1[0], n1[1], n1[2]
    )
    x, y, z = fma(0.5, dx + ex, x), fma(0.5, dy + ey, y), fma(0.5, dz + ez, z)
    r = inverse_length(x, y, z, 1.0, 0.5, 0.375, 0.3125)
    m[0], m[1], m[2] = x * r, y * r, z * r
    m[RISE] = rise + 0.5 * h * (heat0 + heat1)
    m[DRIVE] = drive1


@njit(cache=True, error_model="numpy")
def advance(
    p: NDArray[np.float64],
    seed: int,
    device: int,
    m: NDArray[np.float64],
    start: float,
    end: float,
    volt_start: float,
    volt_end: float,
    line_start: float = 0.0,
    line_end: float = 0.0,
) -> None:
    """Integrate ``m`` in place from ``start`` to ``end`` (s) while V and I_line run linearly between their ends.

    ``m`` is (`STATE`,) or, where the column FULL is 0, at least (3,). Stratonovich Heun on steps that end at every
    noise node, then renormalisation to |m| = 1.
    """
    if end <= start:
        return
    if p[FULL] != 0.0 and m.shape[0] < STATE:
        raise ValueError("the state of this device has five numbers")
    step = p[NOISE_STEP]
    pieces = int(p[SUBSTEPS])
    slope = (volt_end - volt_start) / (end - start)
    line_slope = (line_end - line_start) / (end - start)
    node = floor(start / step + 1e-7)
    a = field_node(seed, device, node)
    b = field_node(seed, device, node + 1)
    slot = -1
    scale = 1.0
    t = start
    while t < end:
        if p[DRIVE_SPREAD] > 0.0:
            now = floor(t / p[DRIVE_HOLD] + 1e-7)
            if now != slot:
                slot = now
                scale = 1.0 + p[DRIVE_SPREAD] * drive_deviation(seed, device, slot)
        first, last = interval(t, end, step, node)
        if last <= first:  # all that was left lies within the rounding of a node
            break
        h = (last - first) / pieces * step
        for piece in range(pieces):
            f0 = first + piece * ((last - first) / pieces)
            f1 = last if piece == pieces - 1 else first + (piece + 1) * ((last - first) / pieces)
            n0 = between(a[0], b[0], f0), between(a[1], b[1], f0), between(a[2], b[2], f0)
            n1 = between(a[0], b[0], f1), between(a[1], b[1], f1), between(a[2], b[2], f1)
            t0, t1 = (node + f0) * step - start, (node + f1) * step - start
            v0, v1 = fma(slope, t0, volt_start), fma(slope, t1, volt_start)
            if p[FULL] == 0.0:
                _light_step(p, m, h, v0, v1, scale, n0, n1)
            else:
                line0, line1 = fma(line_slope, t0, line_start), fma(line_slope, t1, line_start)
                _full_step(p, m, h, v0, v1, line0, line1, scale, n0, n1)
        if last < 1.0 or (node + 1) * step >= end - 1e-7 * step:
            break
        node += 1
        t = node * step
        a = b
        b = field_node(seed, device, node + 1)


@_inline
def interval(t: float, end: float, step: float, node: float) -> tuple[float, float]:
    """Part of the noise interval after ``node`` that a step from ``t`` on may cover, as fractions of it.

    Exactly 0 and 1 at the nodes, so that rounding of times neither splits an interval nor changes its length.
    """
    first, last = t / step - node, end / step - node
    return (0.0 if first < 1e-7 else first), (1.0 if last > 1.0 - 1e-7 else last)


@njit(cache=True, error_model="numpy")
def energy(p: NDArray[np.float64], x: float, y: float, z: float) -> float:
    """Energy at V = 0 per magnetic moment, in tesla."""
    return -(
        0.5 * p[FIELD_K] * z * z - 0.5 * p[FIELD_SHAPE_Y] * y * y + p[FIELD_X] * x + p[FIELD_Y] * y + p[FIELD_Z] * z
    )


@njit(cache=True, error_model="numpy")
def decided(p: NDArray[np.float64], m: NDArray[np.float64], depth: float) -> bool:
    """Return True if the energy lies ``depth`` kT or more below the saddle between the wells at V = 0.

    The saddle is taken as the lowest energy on the equator (with a field along z it lies off the equator and higher,
    so that the test is stricter than it says). Without wells nothing is ever decided.
    """
    return bool(energy(p, m[0], m[1], m[2]) < p[SADDLE] - depth / p[MOMENT])
