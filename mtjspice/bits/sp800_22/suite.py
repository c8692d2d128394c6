"""All fifteen tests of one sequence."""

from collections.abc import Callable, Mapping, Sequence

from numpy.typing import ArrayLike

from mtjspice.bits.sp800_22 import complexity, counting, kernels, patterns, rank, spectral, templates, universal, walks
from mtjspice.bits.sp800_22.lengths import minimum_length
from mtjspice.bits.sp800_22.result import Finding, SuiteResult, TestResult, judged
from mtjspice.bits.sp800_22.settings import CONSTANTS, Constants, Settings
from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError, choose

__all__ = ["NAMES", "Constants", "Settings", "SuiteResult", "TestResult", "minimum_length", "run_suite"]

_TESTS: Mapping[str, Callable[[kernels.Bits, Settings, Constants], Finding]] = {
    "frequency": counting.frequency,
    "block-frequency": counting.block_frequency,
    "cumulative-sums": walks.cumulative_sums,
    "runs": counting.runs,
    "longest-run": counting.longest_run,
    "rank": rank.rank,
    "dft": spectral.dft,
    "non-overlapping-template": templates.non_overlapping_template,
    "overlapping-template": templates.overlapping_template,
    "universal": universal.universal,
    "approximate-entropy": patterns.approximate_entropy,
    "random-excursions": walks.random_excursions,
    "random-excursions-variant": walks.random_excursions_variant,
    "serial": patterns.serial,
    "linear-complexity": complexity.linear_complexity,
}

NAMES: tuple[str, ...] = tuple(_TESTS)


def run_suite(
    bits: BitStream | ArrayLike,
    *,
    constants: Constants = "exact",
    tests: Sequence[str] = NAMES,
    significance: float = 0.01,
    short: bool = False,
    settings: Settings | None = None,
) -> SuiteResult:
    """Run ``tests`` on one sequence, 188 p-values for 10^6 bits and the default settings.

    ``constants``: the right reference distributions, or those of STS 2.1.2, whose results come out to 8 decimals.
    They differ for: longest-run, dft, non-overlapping-template, overlapping-template, universal, linear-complexity,
    for cumulative-sums and runs in rare cases, and random-excursions with very many cycles. Tests for which SP 800-22
    recommends more bits are not applicable, unless ``short`` asks for all that can be computed; a note says so.

    InputError for unknown tests, or if the sequence is too short for all of them.
    """
    check_request(constants, tests, significance)
    settings = settings or Settings()
    values = as_bits(bits)
    needed = {name: minimum_length(name, settings, short=short) for name in tests}
    check_length(values.size, needed)
    results = []
    for name in (name for name in NAMES if name in needed):
        finding = _find(name, values, needed[name], settings, constants)
        results.append(judged(name, finding, significance))
    return SuiteResult(values.size, constants, significance, tuple(results))


def check_request(constants: str, tests: Sequence[str], significance: float) -> None:
    """Refuse with an InputError what cannot be asked for."""
    choose("set of constants", constants, CONSTANTS)
    for name in tests:
        choose("test of SP 800-22", name, NAMES)
    if not tests:
        raise InputError("no test of SP 800-22 is asked for")
    if not 0 < significance < 1:
        raise InputError(f"the significance must lie between 0 and 1, not be {significance}")


def check_length(length: int, needed: Mapping[str, int]) -> None:
    """Refuse with an InputError a sequence that is too short for every test."""
    name, least = min(needed.items(), key=lambda item: item[1])
    if length < least:
        raise InputError(f"{length} bits are too few: the {name} test needs {least}")


def _find(name: str, bits: kernels.Bits, needed: int, settings: Settings, constants: Constants) -> Finding:
    if bits.size < needed:
        return Finding((), (), {}, applicable=False, note=f"needs {needed} bits, got {bits.size}")
    finding = _TESTS[name](bits, settings, constants)
    recommended = minimum_length(name, settings)
    if bits.size < recommended:
        below = f"{bits.size} bits are fewer than the {recommended} that are recommended"
        note = f"{finding.note}; {below}" if finding.note else below
        return Finding(finding.p_values, finding.labels, finding.parameters, finding.applicable, note)
    return finding
