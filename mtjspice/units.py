"""Unit strings at the edges, SI floats inside.

``parse("100 nm", "m")`` is the only way a number with a unit enters the program.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from mtjspice.errors import InputError

if TYPE_CHECKING:
    import pint


# one number, then perhaps a unit: pint alone would also take "nm", lists and several lines
_NUMBER_FIRST = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+|inf|nan)[^\n\[\],:]*\Z", re.IGNORECASE)


@cache
def _registry() -> "pint.UnitRegistry[Any]":
    import pint  # 0.3 s: only commands that read units pay for it

    return pint.UnitRegistry(cache_folder=None)


def parse(text: str | float, unit: str, where: str) -> float:
    """Convert ``text`` ("40 fJ/(V*m)") to a float in ``unit`` ("J/(V*m)").

    A bare number is accepted only where ``unit`` is "1" (dimensionless).
    Raises InputError naming ``where`` if the text is no quantity or has another dimension.
    """
    registry = _registry()
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if unit != "1":
            raise InputError(f'{where}: {text!r} has no unit; write it with one, such as "{text} {unit}"')
        return float(text)
    if not isinstance(text, str) or not _NUMBER_FIRST.match(text):
        raise InputError(f'{where}: {text!r} is not a quantity; expected a string such as "1 {unit}"')
    try:
        quantity: pint.Quantity[Any] = registry.Quantity(text)
        target = registry.Unit("dimensionless" if unit == "1" else unit)
    except Exception as error:  # pint raises many kinds, tokenizer errors among them
        raise InputError(f"{where}: cannot read {text!r} as a quantity in {unit} ({error})") from None
    if not quantity.is_compatible_with(target):
        raise InputError(f"{where}: {text!r} has the wrong unit; expected one that converts to {unit}")
    return float(quantity.to(target).magnitude)


def convert(value: float, unit: str, display: str) -> float:
    """Convert a value between two compatible units, for printing."""
    return float(_registry().Quantity(value, unit).to(display).magnitude)


_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"),
             (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))  # fmt: skip


def engineering(value: float, unit: str, digits: int = 4) -> str:
    """Print an SI value with an engineering prefix: ``engineering(1.2e-9, "s")`` is "1.2 ns".

    Pure numbers and units that begin with a power (m^2, where a prefix would be raised too) get none.
    """
    leading = unit.replace("*", "/").split("/")[0]
    if not unit or "^" in leading:
        return f"{value:.{digits}g} {unit}".rstrip()
    if value == 0 or value != value or value in (float("inf"), float("-inf")):
        return f"{value:.{digits}g} {unit}".rstrip()
    for scale, prefix in _PREFIXES:
        if abs(value) >= scale * (1 - 0.5 * 10.0**-digits):
            return f"{value / scale:.{digits}g} {prefix}{unit}".rstrip()
    return f"{value:.{digits}g} {unit}"
