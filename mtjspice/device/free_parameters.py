"""Card parameters that a calibration may vary: their names, search coordinates and the cards they make.

In its coordinate a parameter is at 0 where the search starts, and a step of 1 changes it, or the anisotropy field
with it, by a factor of e (a parameter that can change sign: by the anisotropy field, or what makes it vanish at 1 V).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log

from mtjspice.device import derived
from mtjspice.device.card import ANISOTROPY_ALTERNATIVES, PARAMETERS, MTJCard, Origin, Parameter
from mtjspice.device.constants import BOLTZMANN, ROOM_TEMPERATURE
from mtjspice.errors import InputError

SHORT: Mapping[str, str] = {
    "xi": "vcma_coefficient", "xi2": "vcma_quadratic", "ki": "interfacial_anisotropy",
    "delta": "thermal_stability_factor", "bk": "anisotropy_field", "bx": "bias_field", "bz": "perpendicular_field",
    "alpha": "damping", "ms": "saturation_magnetization", "ra": "resistance_area_product", "p": "spin_polarization",
    "tmr": "tmr", "c2c": "cycle_to_cycle_spread", "d": "diameter", "tf": "free_layer_thickness",
    "tox": "barrier_thickness",
}  # fmt: skip
_ANISOTROPY = ("interfacial_anisotropy", "thermal_stability_factor", "anisotropy_field")
_SIGNED = ("perpendicular_field", "vcma_quadratic")
_SMALLEST_SPREAD = 0.02  # where the search starts for a card without spread: at 0 the probabilities do not feel it


@dataclass(frozen=True)
class FreeParameter:
    """A parameter: card ``key``, ``start`` (SI) of the search, ``scale`` and kind of its coordinate, range (SI).

    ``value`` = start exp(u scale) of the coordinate u if ``logarithmic``, else start + u scale.
    """

    key: str
    start: float
    scale: float
    logarithmic: bool
    low: float
    high: float

    def value(self, coordinate: float) -> float:
        """SI value, kept inside the range."""
        if self.logarithmic:
            # no range spans e^100
            value = self.start * exp(max(-100.0, min(100.0, coordinate * self.scale)))
        else:
            value = self.start + coordinate * self.scale
        return min(max(value, self.low), self.high)

    def inside(self, coordinate: float) -> float:
        """The coordinate nearest to the given one that is inside the range."""
        value = self.value(coordinate)
        if not self.logarithmic:
            return (value - self.start) / self.scale
        return log(value / self.start) / self.scale if value / self.start > 0 else coordinate

    @property
    def entry(self) -> Parameter:
        """Unit and printing."""
        return entry(self.key)


def entry(key: str) -> Parameter:
    """What the card knows of a parameter or of another statement of the anisotropy."""
    return PARAMETERS[key] if key in PARAMETERS else ANISOTROPY_ALTERNATIVES[key]


def parse_names(text: str) -> tuple[str, ...]:
    """Read short names or card keys with commas between; InputError lists what is allowed."""
    keys = []
    for name in (part.strip() for part in text.split(",")):
        key = SHORT.get(name, name)
        if key not in SHORT.values():
            pairs = (f"{short} ({long})" if short != long else short for short, long in SHORT.items())
            raise InputError(f"unknown free parameter {name!r}; allowed: {', '.join(pairs)}")
        if key in keys:
            raise InputError(f"free parameter {name!r} occurs twice")
        keys.append(key)
    stated = [key for key in keys if key in _ANISOTROPY]
    if len(stated) > 1:
        raise InputError(f"free parameters {' and '.join(stated)} are the same anisotropy; free one of them")
    return tuple(keys)


def value_of(card: MTJCard, key: str) -> float:
    """The value (SI) that the card has for a key of `SHORT`."""
    if key == "anisotropy_field":
        return derived.anisotropy_field(card)
    if key == "thermal_stability_factor":
        return derived.effective_anisotropy(card) * derived.area(card) / (BOLTZMANN * ROOM_TEMPERATURE)
    return float(getattr(card, key))


def with_values(card: MTJCard, values: Mapping[str, float]) -> MTJCard:
    """The card with other values (SI) for keys of `SHORT`; a stated Delta_0 or B_k moves K_i.

    Raises InputError where a value is out of range.
    """
    changed = card.replace(**{key: value for key, value in values.items() if key in PARAMETERS})
    stated = next((key for key in values if key not in PARAMETERS), None)
    if stated is None:
        return changed
    shape = changed.interfacial_anisotropy - derived.effective_anisotropy(changed)
    if stated == "anisotropy_field":
        effective = values[stated] * changed.saturation_magnetization * changed.free_layer_thickness / 2
    else:
        effective = values[stated] * BOLTZMANN * ROOM_TEMPERATURE / derived.area(changed)
    return changed.replace(interfacial_anisotropy=shape + effective)


def with_origins(card: MTJCard, sources: Mapping[str, str], name: str) -> MTJCard:
    """The card under another name with the origin ``derived`` of fitted parameters; ``sources`` for their keys."""
    origins = dict(card.origins)
    for key, source in sources.items():
        kept = "interfacial_anisotropy" if key in ANISOTROPY_ALTERNATIVES else key
        origins[kept] = Origin("derived", source)
    return replace(card, name=name, origins=origins)


def free_parameters(card: MTJCard, keys: Sequence[str]) -> tuple[FreeParameter, ...]:
    """Search coordinates of the keys around a card."""
    return tuple(_free(card, key) for key in keys)


def _free(card: MTJCard, key: str) -> FreeParameter:
    limits, value = entry(key), value_of(card, key)
    low, high = limits.low, limits.high
    field = derived.anisotropy_field(card)
    areal = field * card.saturation_magnetization * card.free_layer_thickness / 2
    natural = {
        "perpendicular_field": field,
        "bias_field": 0.2 * field,
        "vcma_coefficient": areal * card.barrier_thickness,
        "vcma_quadratic": areal * card.barrier_thickness**2,
    }
    if key in _SIGNED or (key == "vcma_coefficient" and value == 0):
        return FreeParameter(key, value, natural[key], False, low, high)
    if value == 0:
        value = natural.get(key, _SMALLEST_SPREAD)
    if value < 0:  # the sign is kept
        high = min(high, 0.0)
    else:
        low = max(low, 0.0)
    # a parameter on which the anisotropy depends steeply, as a small difference, needs smaller steps
    small = 1e-4
    there = derived.anisotropy_field(with_values(card, {key: value * (1 + small)}))
    here = derived.anisotropy_field(with_values(card, {key: value}))
    steepness = abs(there / here - 1) / small if here != 0 else 1.0
    return FreeParameter(key, value, 1 / max(1.0, steepness), True, low, high)
