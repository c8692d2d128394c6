"""Quantities that follow from a card: fields, barriers, voltages, times, resistances.

Notation: K_eff = K_i/t_f - mu0 Ms^2 (N_z - N_x)/2, B_k = 2 K_eff/Ms, B_s = mu0 Ms (N_y - N_x), h = B_x/B_k.
The energy is E/(Ms V_fl) = -B_k m_z^2/2 + B_s m_y^2/2 - B_x m_x - B_y m_y - (B_z + B_exchange) m_z + constant.
Every function takes the card at its own values; only `derive` and `require_retention` take a temperature.
"""

import warnings
from cmath import phase
from dataclasses import dataclass
from math import copysign, cos, exp, hypot, inf, isfinite, pi, sin, sqrt

import numpy as np
from numpy.typing import ArrayLike

from mtjspice.device import demagnetization
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import (
    BOLTZMANN,
    ELECTRON_MASS,
    ELEMENTARY_CHARGE,
    GYROMAGNETIC_RATIO,
    REDUCED_PLANCK,
    ROOM_TEMPERATURE,
    VACUUM_PERMEABILITY,
    VACUUM_PERMITTIVITY,
)
from mtjspice.device.temperature import at_temperature
from mtjspice.errors import InputError


def area(card: MTJCard) -> float:
    """Junction area, m^2."""
    return demagnetization.ellipse_area(card.diameter, card.diameter_y)


def volume(card: MTJCard) -> float:
    """Free-layer volume, m^3."""
    return area(card) * card.free_layer_thickness


def moment(card: MTJCard) -> float:
    """Magnetic moment Ms V_fl of the free layer, A m^2."""
    return card.saturation_magnetization * volume(card)


def effective_anisotropy(card: MTJCard) -> float:
    """K_eff t_f in J/m^2 at V = 0; negative where x is easier than z."""
    shape = demagnetization.shape_anisotropy(
        card.diameter, card.free_layer_thickness, card.saturation_magnetization, card.diameter_y
    )
    return card.interfacial_anisotropy - shape * card.free_layer_thickness


def anisotropy_field(card: MTJCard, voltage: float = 0.0) -> float:
    """B_k(V) in tesla: 2 [K_eff t_f - xi E - xi2 E^2]/(Ms t_f), E = V/t_ox."""
    electric = voltage / card.barrier_thickness
    areal = effective_anisotropy(card) - card.vcma_coefficient * electric - card.vcma_quadratic * electric**2
    return 2 * areal / (card.saturation_magnetization * card.free_layer_thickness)


def interfacial_field(card: MTJCard) -> float:
    """Interfacial part of B_k at V = 0 in tesla, 2 K_i/(Ms t_f); B_k = `interfacial_field` - `shape_field`."""
    return 2 * card.interfacial_anisotropy / (card.saturation_magnetization * card.free_layer_thickness)


def shape_field(card: MTJCard) -> float:
    """Shape part of B_k in tesla, mu0 Ms (N_z - N_x)."""
    n_x, _, n_z = demagnetization.factors(card.diameter, card.diameter_y, card.free_layer_thickness)
    return VACUUM_PERMEABILITY * card.saturation_magnetization * (n_z - n_x)


def shape_field_y(card: MTJCard) -> float:
    """In-plane shape field B_s = mu0 Ms (N_y - N_x) in tesla, a field -B_s m_y along y; > 0: x is the long axis."""
    n_x, n_y, _ = demagnetization.factors(card.diameter, card.diameter_y, card.free_layer_thickness)
    return VACUUM_PERMEABILITY * card.saturation_magnetization * (n_y - n_x)


def exchange_field(card: MTJCard, voltage: float = 0.0) -> float:
    """Field along z of the interlayer exchange in tesla, (J_ex + dJ_ex/dV V)/(Ms t_f)."""
    exchange = card.interlayer_exchange + card.interlayer_exchange_slope * voltage
    return exchange / (card.saturation_magnetization * card.free_layer_thickness)


def spin_orbit_field_per_ampere(card: MTJCard) -> float:
    """Damping-like spin-orbit field per ampere of line current, T/A: hbar theta_SH/(2 e Ms t_f w d).

    The current density is taken as uniform in the line, the polarization is +y for a current along +x.
    Liu et al., Science 336, 555 (2012).
    """
    if card.spin_hall_angle == 0:
        return 0.0
    areal = card.saturation_magnetization * card.free_layer_thickness
    section = card.spin_orbit_line_width * card.spin_orbit_line_thickness
    return REDUCED_PLANCK * card.spin_hall_angle / (2 * ELEMENTARY_CHARGE * areal * section)


def stt_field_per_volt(card: MTJCard) -> float:
    """Damping-like field a_J/V in T/V: hbar P G_0/(2 e Ms V_fl) with G_0 = (G_P + G_AP)/2.

    The torque of an MTJ at fixed voltage does not depend on the angle (Slonczewski, Phys. Rev. B 71, 024411).
    This is the torque model ``voltage``, whatever model the card names; see `torque_field` for the others.
    """
    mean_conductance = (1 + 1 / (1 + card.tmr)) / 2 * area(card) / card.resistance_area_product
    return REDUCED_PLANCK * card.spin_polarization * mean_conductance / (2 * ELEMENTARY_CHARGE * moment(card))


def stt_field_per_ampere(card: MTJCard) -> float:
    """Damping-like field per ampere of junction current at efficiency 1, T/A: hbar/(2 e Ms V_fl)."""
    return REDUCED_PLANCK / (2 * ELEMENTARY_CHARGE * moment(card))


def efficiency(card: MTJCard, m_z: float) -> float:
    """Efficiency eta(m_z) of the torque model, in a_J = hbar eta I/(2 e Ms V_fl) for the current I.

    * ``const``: eta = P.
    * ``slonczewski``: eta = 2 P L^2/[L^2 + 1 + (L^2 - 1) m_z] (Slonczewski, J. Magn. Magn. Mater. 247, 324 (2002);
      Xiao, Zangwill and Stiles, Phys. Rev. B 70, 172405 (2004)). OOMMF (Oxs_SpinXferEvolve) and mumax3 write the
      torque as hbar epsilon I/(e Ms V_fl), without the 2 in the denominator, and epsilon = P L^2/[...]. Their epsilon
      is P/2 at L = 1, where eta is P: the same torque, and at L = 1 the model is ``const``.
    * ``voltage``: eta = P G_0/G(m_z, 0), so that a_J is P G_0 V in the same units at any angle.
    """
    if card.torque_model == "slonczewski":
        square = card.slonczewski_lambda**2
        return 2 * card.spin_polarization * square / (square + 1 + (square - 1) * m_z)
    if card.torque_model == "const":
        return card.spin_polarization
    return card.spin_polarization * conductance(card, 0.0, 0.0) / conductance(card, m_z, 0.0)


def torque_field(card: MTJCard, m_z: float, voltage: float) -> float:
    """Damping-like field a_J in tesla at a state and a voltage (V), of the torque model of the card.

    ``voltage``: a_J/V constant (`stt_field_per_volt`); else hbar eta(m_z) I/(2 e Ms V_fl) with I = G(m_z, V) V.
    """
    if card.torque_model == "voltage":
        return stt_field_per_volt(card) * voltage
    current = conductance(card, m_z, voltage) * voltage
    return stt_field_per_ampere(card) * efficiency(card, m_z) * current


def tmr(card: MTJCard, voltage: float) -> float:
    """TMR(V) = TMR_0/(1 + (V/V_h)^2)."""
    return card.tmr / (1 + (voltage / card.tmr_half_voltage) ** 2)


def conductance_coefficients(card: MTJCard) -> tuple[float, float]:
    """Coefficients (c1 in 1/V, c2 in 1/V^2) of G_P(V) = G_P (1 + c1 V + c2 V^2); (0, 0) for an infinite barrier.

    Brinkman, Dynes and Rowell, J. Appl. Phys. 41, 1915 (1970): c1 = -A0 e dphi/(16 phi^1.5),
    c2 = 9/128 A0^2 e^2/phi with A0 = 4 sqrt(2 m_e) t_ox/(3 hbar); c2 = 0.0328 (t_ox/1 A)^2/(phi/1 eV).
    """
    phi = card.barrier_height
    if not isfinite(phi):
        return 0.0, 0.0
    a0 = 4 * sqrt(2 * ELECTRON_MASS) * card.barrier_thickness / (3 * REDUCED_PLANCK)
    linear = -a0 * ELEMENTARY_CHARGE * card.barrier_asymmetry / (16 * phi**1.5)
    return linear, 9 / 128 * (a0 * ELEMENTARY_CHARGE) ** 2 / phi


def conductance(card: MTJCard, m_z: float, voltage: float) -> float:
    """G(m_z, V) in siemens, linear in m_z between G_P(V) = G_P (1 + c1 V + c2 V^2) and G_P(V)/(1 + TMR(V))."""
    c1, c2 = conductance_coefficients(card)
    parallel = area(card) / card.resistance_area_product * (1 + (c1 + c2 * voltage) * voltage)
    antiparallel = parallel / (1 + tmr(card, voltage))
    return (parallel * (1 + m_z) + antiparallel * (1 - m_z)) / 2


def thermal_field_deviation(card: MTJCard, temperature: float, noise_step: float) -> float:
    """Standard deviation in tesla of each component of the thermal field at nodes ``noise_step`` apart.

    sigma^2 = 2 alpha k T/(gamma Ms V_fl dt): Brown, Phys. Rev. 130, 1677 (1963), gamma unreduced.
    """
    return sqrt(2 * card.damping * BOLTZMANN * temperature / (GYROMAGNETIC_RATIO * moment(card) * noise_step))


# --- the wells and the barrier between them ------------------------------------------------------------------
# With m_z^2 = 1 - m_x^2 - m_y^2 the energy (without fields along z) is a quadratic form in (m_x, m_y) in the unit
# disc, so that the wells are known in closed form and the saddle is its smallest value on the rim, the equator.


def equator_energy(card: MTJCard) -> float:
    """Smallest energy on the equator in tesla, E/(Ms V_fl) = B_s sin^2/2 - B_x cos - B_y sin of the azimuth."""
    bx, by, shape = card.bias_field, card.bias_field_y, shape_field_y(card)
    if shape == 0:
        return -hypot(bx, by)
    # the stationary points in w = exp(i azimuth); roots off the unit circle are harmless extra trial points
    roots = np.roots([shape / 2, bx - 1j * by, 0, -bx - 1j * by, -shape / 2])
    return min(shape / 2 * sin(a) ** 2 - bx * cos(a) - by * sin(a) for a in (0.0, *map(phase, roots)))


def _well(card: MTJCard, field_k: float) -> tuple[float, float] | None:
    """(m_x, m_y) of the two wells at an anisotropy field ``field_k`` (T); None where there are none."""
    across = field_k + shape_field_y(card)
    if field_k <= 0 or across <= 0:
        return None
    well = (card.bias_field / field_k, card.bias_field_y / across)
    return well if hypot(*well) < 1 else None


def _is_plain(card: MTJCard) -> bool:
    """Whether the barrier has its closed form: a disc with the in-plane field along x."""
    return card.diameter == card.diameter_y and card.bias_field_y == 0


def barrier_field(card: MTJCard) -> float:
    """Barrier over Ms V_fl in tesla at V = 0, both wells alike (fields along z left out); 0 without wells.

    A disc: B_k (1 - h)^2/2 with h = B_in-plane/B_k. Otherwise the smallest energy on the equator minus that of
    the wells (m_x, m_y) = (B_x/B_k, B_y/(B_k + B_s)).
    """
    field_k = anisotropy_field(card)
    well = _well(card, field_k)
    if well is None:
        return 0.0
    if _is_plain(card):
        return field_k * (1 - well[0]) ** 2 / 2
    bottom = -field_k / 2 * (1 + well[0] ** 2) - (field_k + shape_field_y(card)) / 2 * well[1] ** 2
    return max(equator_energy(card) - bottom, 0.0)


def _vanishing_field(card: MTJCard) -> float:
    """B_k in tesla below which the wells are gone: B_x for a plain disc."""
    if _is_plain(card):
        return card.bias_field
    shape = shape_field_y(card)
    low = max(0.0, -shape)
    high = low + abs(card.bias_field) + abs(card.bias_field_y) + abs(shape)
    for _ in range(200):  # bisection: (B_x/B_k)^2 + (B_y/(B_k + B_s))^2 falls with B_k and is below 1 at `high`
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if _well(card, middle) is not None else (middle, high)
    return high


def _overshoot_field(card: MTJCard) -> float:
    """B_k in tesla to which it must fall so that the well of V = 0 has the energy of the saddle.

    On the equator the energy does not depend on B_k, in the well by -B_k m_z^2/2. Without wells: infinite.
    """
    field_k = anisotropy_field(card)
    well = _well(card, field_k)
    if well is None:
        return inf
    if _is_plain(card):
        return 2 * card.bias_field / (1 + well[0])
    x, y = well
    rest = shape_field_y(card) / 2 * y**2 - card.bias_field * x - card.bias_field_y * y
    return 2 * (rest - equator_energy(card)) / (1 - x**2 - y**2)


@dataclass(frozen=True)
class Derived:
    """Derived quantities of a card at one temperature, SI."""

    area: float
    reduced_field: float
    anisotropy_field: float
    effective_anisotropy: float
    thermal_stability_zero_field: float
    thermal_stability_factor: float
    compensation_voltage: float
    barrier_voltage: float
    overshoot_voltage: float
    half_period: float
    relaxation_time: float
    stt_critical_voltage: float
    stt_field_per_volt: float
    resistance_parallel: float
    resistance_antiparallel: float
    capacitance: float
    tmr_at_200_mv: float
    attempt_limited_retention: float
    conductance_quadratic: float
    saturation_magnetization: float
    thermal_time_constant: float


# symbol, unit and meaning of each field of Derived, for `mtjspice device show`
DERIVED_INFO: dict[str, tuple[str, str, str]] = {
    "area": ("A", "m^2", "junction area"),
    "reduced_field": ("h", "", "B_x/B_k"),
    "anisotropy_field": ("B_k", "T", "effective perpendicular anisotropy field at V = 0"),
    "effective_anisotropy": ("K_eff t_f", "J/m^2", "interfacial minus shape anisotropy"),
    "thermal_stability_zero_field": ("Delta_0", "", "K_eff V_fl/(k T)"),
    "thermal_stability_factor": ("Delta", "", "barrier with the in-plane field, B_z left out; disc: Delta_0 (1 - h)^2"),
    "compensation_voltage": ("V_c", "V", "voltage at which B_k(V) = 0"),
    "barrier_voltage": ("V_b", "V", "voltage at which the barrier vanishes, B_k(V) = B_x for a disc"),
    "overshoot_voltage": (
        "V_dyn", "V", "undamped T = 0 threshold of precessional switching, B_k(V) = 2 B_x/(1 + h) for a disc"
    ),
    "half_period": ("t_half", "s", "half a precession period at V_c, of a disc: pi (1 + alpha^2)/(gamma B_in-plane)"),
    "relaxation_time": ("tau_D", "s", "(1 + alpha^2)/(alpha gamma B_k)"),
    "stt_critical_voltage": ("V_c0", "V", "critical voltage of spin-transfer torque, alpha B_k/(a_J/V)"),
    "stt_field_per_volt": ("a_J/V", "T/V", "damping-like spin-torque field per volt (from AP, if set by the current)"),
    "resistance_parallel": ("R_P", "ohm", "resistance of the P state at V = 0"),
    "resistance_antiparallel": ("R_AP", "ohm", "resistance of the AP state at V = 0"),
    "capacitance": ("C", "F", "barrier capacitance"),
    "tmr_at_200_mv": ("TMR(0.2 V)", "", "TMR at a read bias of 0.2 V"),
    "attempt_limited_retention": ("tau_ret", "s", "retention tau_0 exp(Delta), tau_0 = 1 ns assumed"),
    "conductance_quadratic": ("c2", "1/V^2", "quadratic coefficient of G_P(V), Brinkman"),
    "saturation_magnetization": ("Ms(T)", "A/m", "saturation magnetization at this temperature"),
    "thermal_time_constant": ("tau_th", "s", "thermal time constant R_th C_th"),
}  # fmt: skip


def derive(card: MTJCard, temperature: float = ROOM_TEMPERATURE) -> Derived:
    """Derive everything that `DERIVED_INFO` lists from the card as it is at ``temperature`` (K).

    Voltages are infinite where no voltage does it. Raises InputError for a temperature outside
    `TEMPERATURE_RANGE`.
    """
    card = at_temperature(card, temperature)
    field_k = anisotropy_field(card)
    in_plane = hypot(card.bias_field, card.bias_field_y)
    delta0 = effective_anisotropy(card) * area(card) / (BOLTZMANN * temperature)
    delta = delta0 * (2 * barrier_field(card) / field_k) if field_k > 0 else 0.0
    # from AP and at low bias: a model driven by the current has another torque in P and at higher voltages
    torque = stt_field_per_volt(card)
    if card.torque_model != "voltage":
        torque = stt_field_per_ampere(card) * efficiency(card, -1.0) * conductance(card, -1.0, 0.0)
    r_parallel = card.resistance_area_product / area(card)
    alpha = card.damping
    precession = GYROMAGNETIC_RATIO / (1 + alpha**2)
    return Derived(
        area=area(card),
        reduced_field=card.bias_field / field_k if field_k > 0 else inf,
        anisotropy_field=field_k,
        effective_anisotropy=effective_anisotropy(card),
        thermal_stability_zero_field=delta0,
        thermal_stability_factor=delta,
        compensation_voltage=_voltage_for_field(card, 0.0),
        barrier_voltage=_voltage_for_field(card, _vanishing_field(card)),
        overshoot_voltage=_voltage_for_field(card, _overshoot_field(card)),
        half_period=pi / (precession * in_plane) if in_plane > 0 else inf,
        relaxation_time=1 / (alpha * precession * field_k) if field_k > 0 else inf,
        stt_critical_voltage=alpha * field_k / torque if torque > 0 else inf,
        stt_field_per_volt=torque,
        resistance_parallel=r_parallel,
        resistance_antiparallel=r_parallel * (1 + card.tmr),
        capacitance=VACUUM_PERMITTIVITY * card.barrier_permittivity * area(card) / card.barrier_thickness,
        tmr_at_200_mv=tmr(card, 0.2),
        attempt_limited_retention=1e-9 * exp(min(delta, 700.0)),
        conductance_quadratic=conductance_coefficients(card)[1],
        saturation_magnetization=card.saturation_magnetization,
        thermal_time_constant=card.thermal_resistance * card.thermal_capacitance,
    )


def _voltage_for_field(card: MTJCard, field: float) -> float:
    """Smallest positive voltage at which B_k(V) falls to ``field``; infinite if none does."""
    areal = effective_anisotropy(card) - field * card.saturation_magnetization * card.free_layer_thickness / 2
    if areal <= 0:
        return 0.0
    linear = card.vcma_coefficient / card.barrier_thickness
    quadratic = card.vcma_quadratic / card.barrier_thickness**2
    if quadratic == 0:
        return areal / linear if linear > 0 else inf
    discriminant = linear**2 + 4 * quadratic * areal
    if discriminant < 0:
        return inf
    # the form of the roots that does not cancel for a small quadratic coefficient
    q = linear + copysign(sqrt(discriminant), linear)
    return min((root for root in (2 * areal / q, -q / (2 * quadratic)) if root > 0), default=inf)


class BreakdownWarning(UserWarning):
    """A voltage beyond the breakdown voltage of the card."""


def warn_above_breakdown(card: MTJCard, voltage: ArrayLike) -> None:
    """Warn (`BreakdownWarning`, once a call) if any |voltage| (V, any shape) exceeds the breakdown voltage."""
    magnitudes = np.abs(np.asarray(voltage, dtype=np.float64))
    largest = float(np.max(magnitudes, initial=0.0))
    if largest > card.breakdown_voltage:
        warnings.warn(
            f"card {card.name!r}: |V| = {largest:.4g} V exceeds the breakdown voltage {card.breakdown_voltage:.4g} V",
            BreakdownWarning,
            stacklevel=2,
        )


def require_retention(card: MTJCard, temperature: float, minimum: float = 5.0) -> None:
    """Raise InputError if the barrier of the card at ``temperature`` (K) is below ``minimum`` kT."""
    delta = derive(card, temperature).thermal_stability_factor
    if delta < minimum:
        raise InputError(
            f"card {card.name!r}: the barrier at {temperature:g} K is {delta:.3g} kT, too low to hold a state; "
            f"at least {minimum:g} kT"
        )
