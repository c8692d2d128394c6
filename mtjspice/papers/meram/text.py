"""Numbers in sentences."""

from typing import Protocol


class Limited(Protocol):
    """A number with its limits."""

    @property
    def value(self) -> float:
        """The number."""

    @property
    def low(self) -> float:
        """Lower limit."""

    @property
    def high(self) -> float:
        """Upper limit."""


def limited(one: Limited, decimals: int = 3) -> str:
    """A number with its limits: "0.123 (0.120 to 0.126)"."""
    return f"{one.value:.{decimals}f} ({one.low:.{decimals}f} to {one.high:.{decimals}f})"


def percent(fraction: float, decimals: int = 0) -> str:
    """A fraction as per cent: 0.168 is "17 %"."""
    return f"{fraction * 100:.{decimals}f} %"


def against(saving: float) -> str:
    """What a saving says: "saves 17 %", or "takes 3.0 times as much" where it is negative."""
    return f"saves {percent(saving)}" if saving >= 0 else f"takes {1 - saving:.1f} times as much"
