"""How many tests of SP 800-22 a source passes: judged test by test on the sequences that a test applies to."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.stt_trng import limits

if TYPE_CHECKING:
    from mtjspice.bits.sp800_22.battery import BatteryResult

TESTS = 15  # of SP 800-22
Counts = dict[str, tuple[int, int]]  # sequences that pass a test, and to which it applies


def per_test(result: "BatteryResult") -> Counts:
    """Sequences that pass each test, and to how many it applies: the smallest of its k p-values >= 1 - 0.99^(1/k).

    Tests that apply to less than a third of the sequences are left out.
    """
    counts = {}
    for name, values in result.p_values.items():
        there = values[~np.isnan(values).any(axis=1)]
        if len(there) * 3 >= len(values):
            threshold = -np.expm1(np.log1p(-limits.SIGNIFICANCE) / there.shape[1])
            counts[name] = int((there.min(axis=1) >= threshold).sum()), len(there)
    return counts


def outcome_of(result: "BatteryResult") -> tuple[str, bool]:
    """How many tests pass of those that could be applied, as text, and whether all of the suite do."""
    counts = per_test(result)
    failing = failing_of(counts)
    return outcome(counts, failing), len(counts) == TESTS and not failing


def outcome(counts: Counts, failing: list[str]) -> str:
    """How many tests pass, and which do not."""
    failed = f" (not {', '.join(failing[:3])}{' …' if len(failing) > 3 else ''})" if failing else ""
    left_out = TESTS - len(counts)
    return f"{len(counts) - len(failing)} of {len(counts)} tests pass{failed}" + (
        f", {left_out} not applicable" if left_out else ""
    )


def failing_of(counts: Counts) -> list[str]:
    """Tests with so many failing sequences as good bits have in one of a hundred runs of all tests, or fewer."""
    from scipy.special import bdtrc

    return [
        name
        for name, (passed, applied) in counts.items()
        if bdtrc(applied - passed - 1, applied, limits.SIGNIFICANCE) < 0.01 / len(counts)
    ]
