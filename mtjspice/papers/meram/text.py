"""Numbers in sentences."""


def percent(fraction: float, decimals: int = 0) -> str:
    """A fraction as per cent: 0.168 is "17 %"."""
    return f"{fraction * 100:.{decimals}f} %"


def against(saving: float) -> str:
    """What a saving says: "saves 17 %", or "takes 3.0 times as much" where it is negative."""
    return f"saves {percent(saving)}" if saving >= 0 else f"takes {1 - saving:.1f} times as much"
