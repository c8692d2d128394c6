"""Device cards as tables and as JSON."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from mtjspice.device.card import PARAMETERS, MTJCard, Origin, load_card
from mtjspice.device.constants import TEMPERATURE_RANGE
from mtjspice.device.derived import DERIVED_INFO, Derived, derive
from mtjspice.errors import InputError
from mtjspice.units import engineering


@dataclass(frozen=True)
class Description:
    """A card and what follows from it at ``temperature`` (K)."""

    card: MTJCard
    derived: Derived
    temperature: float


def describe(name: str, temperature: float) -> Description:
    """Load a card and derive its quantities; InputError for an unknown card or a temperature out of range."""
    low, high = TEMPERATURE_RANGE
    if not low <= temperature <= high:
        raise InputError(f"temperature {temperature:g} K is out of range; allowed: {low:g} to {high:g} K")
    card = load_card(name)
    return Description(card, derive(card, temperature), temperature)


def _origin(shown: Description, key: str) -> Origin:
    return shown.card.origins.get(key, Origin("assumed", "set from Python"))


def parameter_rows(shown: Description) -> list[tuple[str, ...]]:
    """Rows (parameter, value, status, source)."""
    rows: list[tuple[str, ...]] = []
    for key, parameter in PARAMETERS.items():
        origin = _origin(shown, key)
        rows.append((key, parameter.show(getattr(shown.card, key)), origin.status, origin.source))
    return rows


def derived_rows(shown: Description) -> list[tuple[str, ...]]:
    """Rows (symbol, value, meaning)."""
    return [
        (symbol, engineering(getattr(shown.derived, key), unit), meaning)
        for key, (symbol, unit, meaning) in DERIVED_INFO.items()
    ]


def as_json(shown: Description) -> dict[str, Any]:
    """Everything in SI; a quantity that does not exist for the card (an infinite voltage) is null."""
    card = shown.card
    return {
        "name": card.name,
        "title": card.title,
        "temperature": shown.temperature,
        "parameters": {
            key: {
                "value": getattr(card, key),
                "unit": PARAMETERS[key].unit,
                "status": _origin(shown, key).status,
                "source": _origin(shown, key).source,
                "description": PARAMETERS[key].description,
            }
            for key in PARAMETERS
        },
        "derived": {key: value if isfinite(value) else None for key, value in asdict(shown.derived).items()},
    }
