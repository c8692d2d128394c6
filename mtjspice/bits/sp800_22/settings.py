"""The parameters that a user may change, with the defaults of NIST's program."""

from dataclasses import dataclass, fields
from typing import Literal

from mtjspice.errors import InputError

Constants = Literal["exact", "sts-2.1.2"]
"""Which reference distributions: the right ones, or those of NIST's program, misprints included."""

CONSTANTS: tuple[Constants, ...] = ("exact", "sts-2.1.2")

_ALLOWED = {
    "block_frequency_block": (2, 1_000_000),
    "non_overlapping_template": (2, 16),
    "overlapping_template": (7, 12),
    "approximate_entropy_block": (1, 20),
    "serial_block": (2, 24),
    "linear_complexity_block": (500, 5000),
}


@dataclass(frozen=True)
class Settings:
    """Lengths of blocks and templates in bits, by default those of STS 2.1.2.

    The linear complexity takes the 500 to 5000 bits of section 2.10.7; overlapping templates outside 7 to 12 bits
    would leave classes of the fixed blocks of 1032 bits empty; other limits are those of STS and of memory.
    InputError outside.
    """

    block_frequency_block: int = 128
    non_overlapping_template: int = 9
    overlapping_template: int = 9
    approximate_entropy_block: int = 10
    serial_block: int = 16
    linear_complexity_block: int = 500

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _ALLOWED[field.name]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise InputError(f"{field.name.replace('_', ' ')} must be a whole number of {low} to {high}: {value}")
