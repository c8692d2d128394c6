"""Values of a card among the dimensions of a subject: ``card.<parameter>``."""

from collections.abc import Mapping

from mtjspice.device.card import PARAMETERS, MTJCard, load_card
from mtjspice.errors import InputError, choose
from mtjspice.studies.space import Value
from mtjspice.studies.subjects.base import Dimension

CARD = "card."  # the prefix


def loaded(card: MTJCard | str) -> MTJCard:
    """The card, or that of a name or a path."""
    return load_card(card) if isinstance(card, str) else card


def replaced(card: MTJCard, values: Mapping[str, Value]) -> MTJCard:
    """The card with those of the values that are its own; InputError for one that is no number or out of range."""
    changes = {name.removeprefix(CARD): number(name, one) for name, one in values.items() if name.startswith(CARD)}
    return card.replace(**changes)


def card_dimension(card: MTJCard, name: str) -> Dimension:
    """The dimension ``card.<parameter>``; InputError for a parameter that there is not."""
    key = choose("card parameter", name.removeprefix(CARD), PARAMETERS)
    return Dimension(PARAMETERS[key].unit, float(getattr(card, key)))


def numbers(nominal: Mapping[str, tuple[str, float | None]], *given: Mapping[str, Value]) -> dict[str, float]:
    """Values of all dimensions, later ones first: of a point, a subject's own, nominal (unit and value).

    InputError for a dimension of which nothing is said.
    """
    found: dict[str, Value | None] = {name: value for name, (_, value) in nominal.items()}
    for values in given:
        found.update(values)
    missing = [name for name, value in found.items() if value is None]
    if missing:
        raise InputError(f"the study says nothing of {', '.join(missing)}")
    return {name: number(name, value) for name, value in found.items() if value is not None}


def number(name: str, value: Value) -> float:
    """The value as a number; InputError for a text."""
    if isinstance(value, str):
        raise InputError(f"{name} = {value!r} must be a number (SI)")
    return float(value)
