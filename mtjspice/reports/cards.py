"""Device cards as tables and as JSON."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from mtjspice.device.card import CHOICES, EXTENSIONS, PARAMETERS, SPREAD, MTJCard, Origin, load_card
from mtjspice.device.derived import DERIVED_INFO, Derived, derive
from mtjspice.device.temperature import check
from mtjspice.units import engineering


@dataclass(frozen=True)
class Description:
    """A card and what follows from it at ``temperature`` (K)."""

    card: MTJCard
    derived: Derived
    temperature: float


def describe(name: str, temperature: float) -> Description:
    """Load a card and derive its quantities; InputError for an unknown card or a temperature out of range."""
    check(temperature)
    card = load_card(name)
    return Description(card, derive(card, temperature), temperature)


def _origin(shown: Description, key: str) -> Origin:
    return shown.card.origins.get(key, Origin("assumed", "set from Python"))


# defaults that matter once another entry is stated
_GOES_WITH = {"anisotropy_exponent": "curie_temperature", "vcma_exponent": "curie_temperature"}


def parameter_rows(shown: Description) -> list[tuple[str, ...]]:
    """Rows (parameter, value, status, source); an extension only where the card uses it, then the spread."""
    card = shown.card
    rows: list[tuple[str, ...]] = []

    def add(key: str, value: str) -> None:
        origin = _origin(shown, key)
        rows.append((key, value, origin.status, origin.source))

    for key, parameter in PARAMETERS.items():
        if key not in EXTENSIONS or card.stated(key) or (key in _GOES_WITH and card.stated(_GOES_WITH[key])):
            add(key, parameter.show(getattr(card, key)))
    for key in CHOICES:
        if card.stated(key):
            add(key, getattr(card, key))
    for key, deviation in card.device_spread.items():
        add(f"{SPREAD}.{key}", f"{100 * deviation:.4g} %")
    return rows


def derived_rows(shown: Description) -> list[tuple[str, ...]]:
    """Rows (symbol, value, meaning); what an extension adds only where the card uses it."""
    applies = {
        "conductance_quadratic": isfinite(shown.card.barrier_height),
        "saturation_magnetization": isfinite(shown.card.curie_temperature),
        "thermal_time_constant": shown.card.thermal_resistance > 0,
    }
    return [
        (symbol, engineering(getattr(shown.derived, key), unit), meaning)
        for key, (symbol, unit, meaning) in DERIVED_INFO.items()
        if applies.get(key, True)
    ]


def _entry(shown: Description, key: str, value: float | str, unit: str | None, description: str) -> dict[str, Any]:
    origin = _origin(shown, key)
    return {
        "value": value if isinstance(value, str) or isfinite(value) else None,
        "unit": unit,
        "status": origin.status,
        "source": origin.source,
        "description": description,
    }


def as_json(shown: Description) -> dict[str, Any]:
    """Everything in SI; what is infinite (an effect switched off, a voltage that does not exist) is null."""
    card = shown.card
    numbers = {
        key: _entry(shown, key, getattr(card, key), parameter.unit, parameter.description)
        for key, parameter in PARAMETERS.items()
    }
    words = {key: _entry(shown, key, getattr(card, key), None, choice.description) for key, choice in CHOICES.items()}
    return {
        "name": card.name,
        "title": card.title,
        "temperature": shown.temperature,
        "parameters": numbers | words,
        SPREAD: {
            key: _entry(shown, f"{SPREAD}.{key}", deviation, "1", f"relative standard deviation of {key}")
            for key, deviation in card.device_spread.items()
        },
        "derived": {key: value if isfinite(value) else None for key, value in asdict(shown.derived).items()},
    }
