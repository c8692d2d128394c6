"""A card at another temperature: magnetization, anisotropy, VCMA, polarization and TMR.

Ms(T) ~ 1 - (T/T_c)^1.5 (Bloch's law carried up to the Curie temperature), K_i ~ Ms^n and xi ~ Ms^m (Alzate et al.,
Appl. Phys. Lett. 104, 112410 (2014)), P(T) ~ 1 - a T^1.5 (Shang et al., Phys. Rev. B 58, R2917 (1998)) and
TMR = 2 P^2/(1 - P^2) (Julliere, Phys. Lett. A 54, 225 (1975)), all normalised so that the card's values hold at 300 K.
The interlayer exchange, the resistances and the damping are left as they are.
"""

from dataclasses import replace
from math import inf, sqrt
from typing import Any

from mtjspice.device.card import MTJCard, Origin
from mtjspice.device.constants import ROOM_TEMPERATURE, TEMPERATURE_RANGE
from mtjspice.errors import InputError


def check(temperature: float) -> float:
    """Return the temperature (K); InputError if it is outside `TEMPERATURE_RANGE`."""
    low, high = TEMPERATURE_RANGE
    if not low <= temperature <= high:
        raise InputError(f"temperature {temperature:g} K is out of range; allowed: {low:g} to {high:g} K")
    return temperature


def magnetization_ratio(temperature: float, curie: float) -> float:
    """Ms(T)/Ms(300 K) = [1 - (T/T_c)^1.5]/[1 - (300 K/T_c)^1.5]; 1 for an infinite Curie temperature.

    Raises InputError unless both 300 K and the temperature (K) lie below ``curie`` (K).
    """
    if not 0 <= temperature < curie or not curie > ROOM_TEMPERATURE:
        raise InputError(
            f"temperature {temperature:g} K: 0 K or more, and below a Curie temperature ({curie:g} K) above 300 K"
        )
    return float((1 - (temperature / curie) ** 1.5) / (1 - (ROOM_TEMPERATURE / curie) ** 1.5))


def polarization_ratio(temperature: float, coefficient: float) -> float:
    """P(T)/P(300 K) = (1 - a T^1.5)/(1 - a (300 K)^1.5) for a in K^-1.5; zero or negative where the law ends."""
    return float((1 - coefficient * temperature**1.5) / (1 - coefficient * ROOM_TEMPERATURE**1.5))


def at_temperature(card: MTJCard, temperature: float) -> MTJCard:
    """Return the card with the values of ``temperature`` (K): Ms, K_i, xi, xi2, TMR and spin polarization.

    The same object at 300 K and where nothing depends on the temperature. The card that comes back depends on the
    temperature no more (Curie temperature infinite, polarization coefficient 0), so that nothing is scaled twice.
    Raises InputError where a law ends or a value leaves its range.
    """
    check(temperature)
    depends = card.curie_temperature < inf or card.polarization_coefficient > 0
    if temperature == ROOM_TEMPERATURE or not depends:
        return card
    values: dict[str, Any] = {"curie_temperature": inf, "polarization_coefficient": 0.0}
    if card.curie_temperature < inf:
        ratio = magnetization_ratio(temperature, card.curie_temperature)
        values["saturation_magnetization"] = card.saturation_magnetization * ratio
        values["interfacial_anisotropy"] = card.interfacial_anisotropy * ratio**card.anisotropy_exponent
        values["vcma_coefficient"] = card.vcma_coefficient * ratio**card.vcma_exponent
        values["vcma_quadratic"] = card.vcma_quadratic * ratio**card.vcma_exponent
    if card.polarization_coefficient > 0:
        ratio = polarization_ratio(temperature, card.polarization_coefficient)
        julliere = sqrt(card.tmr / (card.tmr + 2)) * ratio
        if not (ratio >= 0 and julliere < 1 and card.spin_polarization * ratio <= 1):
            raise InputError(
                f"card {card.name!r}: polarization_coefficient = {card.polarization_coefficient:g} K^-1.5 puts the "
                f"polarization outside 0 to 1 at {temperature:g} K"
            )
        values["tmr"] = 2 * julliere**2 / (1 - julliere**2)
        values["spin_polarization"] = card.spin_polarization * ratio
    values["origins"] = dict(card.origins) | {
        key: Origin("derived", f"at {temperature:g} K, from the card at 300 K") for key in values
    }
    try:
        return replace(card, **values)
    except InputError as error:
        raise InputError(f"at {temperature:g} K, {error}") from None
