"""What subjects of a junction alone have in common: its card, and pulses whose properties are dimensions."""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar

from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.switching import DEFAULT_EDGE
from mtjspice.errors import InputError
from mtjspice.studies.space import Value
from mtjspice.studies.subjects.base import Dimension, Subject
from mtjspice.studies.subjects.card_values import CARD, card_dimension, loaded, replaced

# unit, and the value where a study says nothing; None: it must
PULSE: Mapping[str, tuple[str, float | None]] = MappingProxyType(
    {
        "voltage": ("V", None), "pulse_width": ("s", None), "edge": ("s", DEFAULT_EDGE),
        "temperature": ("K", ROOM_TEMPERATURE),
    }
)  # fmt: skip


class PulsedSubject(Subject):
    """A junction of ``card`` under pulses; subclasses are dataclasses with these fields."""

    card: str | MTJCard
    values: Mapping[str, Value]
    nominal: ClassVar[Mapping[str, tuple[str, float | None]]] = PULSE

    @cached_property
    def _card(self) -> MTJCard:
        return loaded(self.card)

    def dimension(self, name: str) -> Dimension:
        """See `Subject`."""
        if name.startswith(CARD):
            return card_dimension(self._card, name)
        if name not in self.nominal:
            available = f"{', '.join(self.nominal)}, {CARD}<parameter of the card>"
            raise InputError(f"a junction under pulses has no dimension {name!r}; available: {available}")
        return Dimension(*self.nominal[name])

    def card_at(self, values: Mapping[str, Value]) -> MTJCard:
        """The card of a point with these values."""
        return replaced(self._card, {**self.values, **values})
