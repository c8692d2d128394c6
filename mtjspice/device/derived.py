"""Quantities that follow from a card: fields, barriers, voltages, times, resistances.

Notation: K_eff = K_i/t_f - mu0 Ms^2 (N_z - N_x)/2, B_k = 2 K_eff/Ms, h = B_x/B_k.
"""

from dataclasses import dataclass
from math import copysign, exp, inf, pi, sqrt

from mtjspice.device import demagnetization
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import (
    BOLTZMANN,
    ELEMENTARY_CHARGE,
    GYROMAGNETIC_RATIO,
    REDUCED_PLANCK,
    ROOM_TEMPERATURE,
    TEMPERATURE_RANGE,
    VACUUM_PERMITTIVITY,
)
from mtjspice.errors import InputError


def area(card: MTJCard) -> float:
    """Junction area, m^2."""
    return demagnetization.disc_area(card.diameter)


def volume(card: MTJCard) -> float:
    """Free-layer volume, m^3."""
    return area(card) * card.free_layer_thickness


def effective_anisotropy(card: MTJCard) -> float:
    """K_eff t_f in J/m^2 at V = 0; negative for an easy plane."""
    shape = demagnetization.shape_anisotropy(card.diameter, card.free_layer_thickness, card.saturation_magnetization)
    return card.interfacial_anisotropy - shape * card.free_layer_thickness


def anisotropy_field(card: MTJCard, voltage: float = 0.0) -> float:
    """B_k(V) in tesla: 2 [K_eff t_f - xi E - xi2 E^2]/(Ms t_f), E = V/t_ox."""
    electric = voltage / card.barrier_thickness
    areal = effective_anisotropy(card) - card.vcma_coefficient * electric - card.vcma_quadratic * electric**2
    return 2 * areal / (card.saturation_magnetization * card.free_layer_thickness)


def stt_field_per_volt(card: MTJCard) -> float:
    """Damping-like field a_J/V in T/V: hbar P G_0/(2 e Ms V_fl) with G_0 = (G_P + G_AP)/2.

    The torque of an MTJ at fixed voltage does not depend on the angle (Slonczewski, Phys. Rev. B 71, 024411).
    """
    mean_conductance = (1 + 1 / (1 + card.tmr)) / 2 * area(card) / card.resistance_area_product
    moment = card.saturation_magnetization * volume(card)
    return REDUCED_PLANCK * card.spin_polarization * mean_conductance / (2 * ELEMENTARY_CHARGE * moment)


def tmr(card: MTJCard, voltage: float) -> float:
    """TMR(V) = TMR_0/(1 + (V/V_h)^2)."""
    return card.tmr / (1 + (voltage / card.tmr_half_voltage) ** 2)


def conductance(card: MTJCard, m_z: float, voltage: float) -> float:
    """G(m_z, V) in siemens, linear in m_z between G_P and G_AP = G_P/(1 + TMR(V))."""
    parallel = area(card) / card.resistance_area_product
    antiparallel = parallel / (1 + tmr(card, voltage))
    return (parallel * (1 + m_z) + antiparallel * (1 - m_z)) / 2


def thermal_field_deviation(card: MTJCard, temperature: float, noise_step: float) -> float:
    """Standard deviation in tesla of each component of the thermal field at nodes ``noise_step`` apart.

    sigma^2 = 2 alpha k T/(gamma Ms V_fl dt): Brown, Phys. Rev. 130, 1677 (1963), gamma unreduced.
    """
    moment = card.saturation_magnetization * volume(card)
    return sqrt(2 * card.damping * BOLTZMANN * temperature / (GYROMAGNETIC_RATIO * moment * noise_step))


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


# symbol, unit and meaning of each field of Derived, for `mtjspice device show`
DERIVED_INFO: dict[str, tuple[str, str, str]] = {
    "area": ("A", "m^2", "junction area"),
    "reduced_field": ("h", "", "B_x/B_k"),
    "anisotropy_field": ("B_k", "T", "effective perpendicular anisotropy field at V = 0"),
    "effective_anisotropy": ("K_eff t_f", "J/m^2", "interfacial minus shape anisotropy"),
    "thermal_stability_zero_field": ("Delta_0", "", "K_eff V_fl/(k T)"),
    "thermal_stability_factor": ("Delta", "", "barrier with the in-plane field (B_z left out), Delta_0 (1 - h)^2"),
    "compensation_voltage": ("V_c", "V", "voltage at which B_k(V) = 0"),
    "barrier_voltage": ("V_b", "V", "voltage at which the barrier vanishes, B_k(V) = B_x"),
    "overshoot_voltage": ("V_dyn", "V", "undamped T = 0 threshold of precessional switching, B_k(V) = 2 B_x/(1 + h)"),
    "half_period": ("t_half", "s", "half a precession period at V_c, pi (1 + alpha^2)/(gamma B_x)"),
    "relaxation_time": ("tau_D", "s", "(1 + alpha^2)/(alpha gamma B_k)"),
    "stt_critical_voltage": ("V_c0", "V", "critical voltage of spin-transfer torque, alpha B_k/(a_J/V)"),
    "stt_field_per_volt": ("a_J/V", "T/V", "damping-like spin-torque field per volt"),
    "resistance_parallel": ("R_P", "ohm", "resistance of the P state at V = 0"),
    "resistance_antiparallel": ("R_AP", "ohm", "resistance of the AP state at V = 0"),
    "capacitance": ("C", "F", "barrier capacitance"),
    "tmr_at_200_mv": ("TMR(0.2 V)", "", "TMR at a read bias of 0.2 V"),
    "attempt_limited_retention": ("tau_ret", "s", "retention tau_0 exp(Delta), tau_0 = 1 ns assumed"),
}  # fmt: skip


def derive(card: MTJCard, temperature: float = ROOM_TEMPERATURE) -> Derived:
    """Derive everything that `DERIVED_INFO` lists. Voltages are infinite where no voltage does it.

    Raises InputError for a temperature outside `TEMPERATURE_RANGE`.
    """
    low, high = TEMPERATURE_RANGE
    if not low <= temperature <= high:
        raise InputError(f"temperature {temperature:g} K is out of range; allowed: {low:g} to {high:g} K")
    field_k = anisotropy_field(card)
    h = card.bias_field / field_k if field_k > 0 else inf
    delta0 = effective_anisotropy(card) * area(card) / (BOLTZMANN * temperature)
    delta = delta0 * (1 - h) ** 2 if h < 1 else 0.0
    torque = stt_field_per_volt(card)
    r_parallel = card.resistance_area_product / area(card)
    alpha = card.damping
    precession = GYROMAGNETIC_RATIO / (1 + alpha**2)
    return Derived(
        area=area(card),
        reduced_field=h,
        anisotropy_field=field_k,
        effective_anisotropy=effective_anisotropy(card),
        thermal_stability_zero_field=delta0,
        thermal_stability_factor=delta,
        compensation_voltage=_voltage_for_field(card, 0.0),
        barrier_voltage=_voltage_for_field(card, card.bias_field),
        overshoot_voltage=_voltage_for_field(card, 2 * card.bias_field / (1 + h)) if h < 1 else 0.0,
        half_period=pi / (precession * card.bias_field) if card.bias_field > 0 else inf,
        relaxation_time=1 / (alpha * precession * field_k) if field_k > 0 else inf,
        stt_critical_voltage=alpha * field_k / torque if torque > 0 else inf,
        stt_field_per_volt=torque,
        resistance_parallel=r_parallel,
        resistance_antiparallel=r_parallel * (1 + card.tmr),
        capacitance=VACUUM_PERMITTIVITY * card.barrier_permittivity * area(card) / card.barrier_thickness,
        tmr_at_200_mv=tmr(card, 0.2),
        attempt_limited_retention=1e-9 * exp(min(delta, 700.0)),
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
