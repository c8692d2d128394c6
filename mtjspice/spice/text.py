"""Writing numbers into decks."""


def number(value: float) -> str:
    """Write a value the same way on every machine: 12 digits, no rounding debris, no NumPy type names."""
    return repr(float(f"{value:.12g}"))
