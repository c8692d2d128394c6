"""The stochastic Landau-Lifshitz-Gilbert equation of one junction (compiled); every engine calls `advance`.

(1 + alpha^2) dm/dt = -gamma [m x B + alpha m x (m x B)] with
B = B_x x + B_z z + B_k(V) m_z z + a_J V (m x z) + B_thermal(t)

In this form the damping-like spin torque is part of B, which makes the Gilbert-to-Landau transformation exact
for it too. One parameter row (`parameters`) describes a device; V is piecewise linear in time.
"""

from math import floor, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.device import derived
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import GYROMAGNETIC_RATIO, ROOM_TEMPERATURE, TEMPERATURE_RANGE
from mtjspice.device.noise import drive_deviation, field_node
from mtjspice.errors import InputError

DEFAULT_NOISE_STEP = 1e-12  # s
NO_HOLD = 1.0  # s; one draw of the drive spread for anything shorter

# columns of a parameter row
PRECESSION = 0  # gamma/(1 + alpha^2), rad/(s T)
DAMPING = 1
FIELD_X = 2  # T
FIELD_Z = 3  # T
FIELD_K = 4  # B_k at V = 0, T
FIELD_K_LINEAR = 5  # -dB_k/dV, T/V
FIELD_K_QUADRATIC = 6  # T/V^2
TORQUE = 7  # a_J/V, T/V
NOISE = 8  # standard deviation of a thermal field node, T
NOISE_STEP = 9  # dt_n, s
DRIVE_SPREAD = 10  # relative cycle-to-cycle spread of the VCMA drive
DRIVE_HOLD = 11  # s, time slot for which one draw of the spread holds
CONDUCTANCE_P = 12  # S
TMR = 13
TMR_HALF_VOLTAGE = 14  # V
SUBSTEPS = 15  # Heun steps in one noise interval
DELTA_0 = 16  # thermal stability factor without bias field, at the temperature of the run
COLUMNS = 17


def parameters(
    card: MTJCard,
    temperature: float = ROOM_TEMPERATURE,
    noise_step: float = DEFAULT_NOISE_STEP,
    drive_hold: float = NO_HOLD,
    substeps: int = 1,
) -> NDArray[np.float64]:
    """Return the parameter row of a card for the compiled functions.

    ``temperature`` (K) enters through the thermal field; ``noise_step`` (s) is dt_n; ``drive_hold`` (s) is the
    time for which one draw of the cycle-to-cycle spread holds; ``substeps`` divides each noise interval for
    convergence checks. Raises InputError where the step does not resolve the precession.
    """
    low, high = TEMPERATURE_RANGE
    if not (temperature == 0 or low <= temperature <= high):
        raise InputError(f"temperature {temperature:g} K is out of range; allowed: {low:g} to {high:g} K")
    if not (noise_step > 0 and drive_hold > 0 and substeps >= 1 and substeps == int(substeps)):
        raise InputError("noise step, drive hold and the (whole) number of substeps must be positive")
    row = np.zeros(COLUMNS)
    row[PRECESSION] = GYROMAGNETIC_RATIO / (1 + card.damping**2)
    row[DAMPING] = card.damping
    row[FIELD_X] = card.bias_field
    row[FIELD_Z] = card.perpendicular_field
    row[FIELD_K] = derived.anisotropy_field(card)
    areal = card.saturation_magnetization * card.free_layer_thickness
    row[FIELD_K_LINEAR] = 2 * card.vcma_coefficient / (areal * card.barrier_thickness)
    row[FIELD_K_QUADRATIC] = 2 * card.vcma_quadratic / (areal * card.barrier_thickness**2)
    row[TORQUE] = derived.stt_field_per_volt(card)
    row[NOISE] = derived.thermal_field_deviation(card, temperature, noise_step)
    row[NOISE_STEP] = noise_step
    row[DRIVE_SPREAD] = card.cycle_to_cycle_spread
    row[DRIVE_HOLD] = drive_hold
    row[CONDUCTANCE_P] = derived.area(card) / card.resistance_area_product
    row[TMR] = card.tmr
    row[TMR_HALF_VOLTAGE] = card.tmr_half_voltage
    row[SUBSTEPS] = substeps
    row[DELTA_0] = derived.derive(card, temperature or ROOM_TEMPERATURE).thermal_stability_zero_field
    field = max(abs(row[FIELD_K]), row[FIELD_X], abs(row[FIELD_Z]))
    # Heun's energy error grows with (gamma B dt)^3/alpha; beyond 0.1 rad a step the thermal average is wrong
    if GYROMAGNETIC_RATIO * field * noise_step / substeps > 0.1:
        limit = 0.1 * substeps / (GYROMAGNETIC_RATIO * field)
        raise InputError(f"noise step {noise_step:g} s does not resolve the precession; at most {limit:.2g} s")
    return row


@njit(cache=True)
def conductance(p: NDArray[np.float64], m_z: float, voltage: float) -> float:
    """G(m_z, V) in siemens; the same law as `derived.conductance`."""
    ratio = voltage / p[TMR_HALF_VOLTAGE]
    antiparallel = 1.0 / (1.0 + p[TMR] / (1.0 + ratio * ratio))
    return float(0.5 * p[CONDUCTANCE_P] * ((1.0 + m_z) + antiparallel * (1.0 - m_z)))


@njit(inline="always")
def _rate(
    p: NDArray[np.float64],
    x: float,
    y: float,
    z: float,
    volt: float,
    drive: float,
    nx: float,
    ny: float,
    nz: float,
) -> tuple[float, float, float]:
    """dm/dt at voltage ``volt``, VCMA drive ``drive`` and thermal field (nx, ny, nz) in units of sigma."""
    torque = p[TORQUE] * volt
    bx = p[FIELD_X] + torque * y + p[NOISE] * nx
    by = -torque * x + p[NOISE] * ny
    bz = p[FIELD_Z] + (p[FIELD_K] - (p[FIELD_K_LINEAR] + p[FIELD_K_QUADRATIC] * drive) * drive) * z + p[NOISE] * nz
    cx = y * bz - z * by
    cy = z * bx - x * bz
    cz = x * by - y * bx
    a = p[DAMPING]
    g = -p[PRECESSION]
    return (
        g * (cx + a * (y * cz - z * cy)),
        g * (cy + a * (z * cx - x * cz)),
        g * (cz + a * (x * cy - y * cx)),
    )


@njit(cache=True)
def advance(
    p: NDArray[np.float64],
    seed: int,
    device: int,
    m: NDArray[np.float64],
    start: float,
    end: float,
    volt_start: float,
    volt_end: float,
) -> None:
    """Integrate ``m`` (3,) in place from ``start`` to ``end`` (s) while V runs linearly between its end values.

    Stratonovich Heun on steps that end at every noise node, then renormalisation to |m| = 1.
    """
    if end <= start:
        return
    step = p[NOISE_STEP]
    pieces = int(p[SUBSTEPS])
    x, y, z = m[0], m[1], m[2]
    slope = (volt_end - volt_start) / (end - start)
    node = floor(start / step + 1e-7)
    ax, ay, az = field_node(seed, device, node)
    bx, by, bz = field_node(seed, device, node + 1)
    slot = -1
    scale = 1.0
    t = start
    while t < end:
        if p[DRIVE_SPREAD] > 0.0:
            now = floor(t / p[DRIVE_HOLD] + 1e-7)
            if now != slot:
                slot = now
                scale = 1.0 + p[DRIVE_SPREAD] * drive_deviation(seed, device, slot)
        stop = (node + 1) * step
        last = stop >= end - 1e-7 * step
        if last:
            stop = end
        h = (stop - t) / pieces
        for piece in range(pieces):
            t0 = t + piece * h
            f0 = t0 / step - node
            f1 = (t0 + h) / step - node
            v0 = volt_start + slope * (t0 - start)
            v1 = v0 + slope * h
            dx0, dy0, dz0 = _rate(
                p, x, y, z, v0, scale * v0, ax + f0 * (bx - ax), ay + f0 * (by - ay), az + f0 * (bz - az)
            )
            dx1, dy1, dz1 = _rate(
                p, x + h * dx0, y + h * dy0, z + h * dz0, v1, scale * v1,
                ax + f1 * (bx - ax), ay + f1 * (by - ay), az + f1 * (bz - az),
            )  # fmt: skip
            x += 0.5 * h * (dx0 + dx1)
            y += 0.5 * h * (dy0 + dy1)
            z += 0.5 * h * (dz0 + dz1)
            r = 1.0 / sqrt(x * x + y * y + z * z)
            x *= r
            y *= r
            z *= r
        t = stop
        if last:
            break
        node += 1
        ax, ay, az = bx, by, bz
        bx, by, bz = field_node(seed, device, node + 1)
    m[0], m[1], m[2] = x, y, z


@njit(cache=True)
def decided(p: NDArray[np.float64], m: NDArray[np.float64], depth: float) -> bool:
    """Return True if the energy lies ``depth`` kT or more below the saddle between the wells at V = 0.

    E/kT = -Delta_0 (m_z^2 + 2 h m_x + 2 h_z m_z); the saddle of a disc lies at m_x = 1 (for h_z = 0; with h_z
    it lies higher, so that the test is stricter than it says). Without wells nothing is ever decided.
    """
    if p[FIELD_K] <= 0.0:
        return False
    h = p[FIELD_X] / p[FIELD_K]
    hz = p[FIELD_Z] / p[FIELD_K]
    energy = -p[DELTA_0] * (m[2] * m[2] + 2.0 * h * m[0] + 2.0 * hz * m[2])
    return bool(energy < -2.0 * p[DELTA_0] * h - depth)
