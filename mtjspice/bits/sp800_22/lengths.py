"""How many bits each test needs."""

from collections.abc import Callable, Mapping

from mtjspice.bits.sp800_22 import spectral, templates
from mtjspice.bits.sp800_22.rank import SIZE
from mtjspice.bits.sp800_22.settings import Settings
from mtjspice.errors import choose

# Recommended: sections 2.x.7; serial: m < floor(log2 n) - 2, approximate entropy: m < floor(log2 n) - 5. There is
# none for non-overlapping templates: 5 matches expected in each block, as for any chi-square.
_RECOMMENDED: Mapping[str, Callable[[Settings], int]] = {
    "frequency": lambda s: 100,
    "block-frequency": lambda s: max(100, s.block_frequency_block),
    "cumulative-sums": lambda s: 100,
    "runs": lambda s: 100,
    "longest-run": lambda s: 128,
    "rank": lambda s: 38 * SIZE**2,
    "dft": lambda s: 1000,
    "non-overlapping-template": lambda s: (
        templates.BLOCKS * ((5 << s.non_overlapping_template) + s.non_overlapping_template - 1)
    ),
    "overlapping-template": lambda s: 1_000_000,
    "universal": lambda s: 387_840,
    "approximate-entropy": lambda s: 1 << (s.approximate_entropy_block + 6),
    "random-excursions": lambda s: 1_000_000,
    "random-excursions-variant": lambda s: 1_000_000,
    "serial": lambda s: 1 << (s.serial_block + 3),
    "linear-complexity": lambda s: 1_000_000,
}

# The fewest bits from which NIST's program computes a p-value from at least one block.
_COMPUTABLE: Mapping[str, Callable[[Settings], int]] = {
    **_RECOMMENDED,
    "frequency": lambda s: 1,
    "block-frequency": lambda s: s.block_frequency_block,
    "cumulative-sums": lambda s: 1,
    "runs": lambda s: 1,
    "rank": lambda s: SIZE**2,
    "dft": lambda s: spectral.SHORTEST,
    "non-overlapping-template": lambda s: templates.BLOCKS * s.non_overlapping_template,
    "overlapping-template": lambda s: templates.OVERLAPPING_BLOCK,
    "approximate-entropy": lambda s: 1,
    "random-excursions": lambda s: 1,
    "random-excursions-variant": lambda s: 1,
    "serial": lambda s: 1,
    "linear-complexity": lambda s: s.linear_complexity_block,
}


def minimum_length(name: str, settings: Settings | None = None, *, short: bool = False) -> int:
    """Return the number of bits that SP 800-22 recommends at least for the test ``name``; InputError if unknown.

    With ``short`` the number from which NIST's program computes anything.
    """
    lengths = _COMPUTABLE if short else _RECOMMENDED
    return lengths[choose("test of SP 800-22", name, lengths)](settings or Settings())
