"""Ends of wires in a row."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Terminal:
    """The end of a wire: at ``column`` on the side "n" or "p".

    It starts at ``start`` (nm), by default at the metal of a FET's terminal or gate.
    """

    column: int
    net: str
    side: str
    gate: bool = False
    start: int | None = None
