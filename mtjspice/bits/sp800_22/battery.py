"""The suite on many sequences: proportions that pass and uniformity of p-values (section 4.2)."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaincc

from mtjspice.bits.sp800_22.lengths import minimum_length
from mtjspice.bits.sp800_22.settings import Constants, Settings
from mtjspice.bits.sp800_22.suite import NAMES, SuiteResult, check_length, check_request, run_suite
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

SEQUENCES = 55
"""Fewer applicable sequences say too little (4.2.2)."""

UNIFORM = 1e-4
"""The smallest p-value of the uniformity test that passes (4.2.2)."""

_BINS = 10


@dataclass(frozen=True)
class Row:
    """One p-value of one test over all ``sequences`` for which it was applicable.

    ``passed`` of them had a p-value of at least the significance; ``proportion`` (None without sequences) should lie
    within ``low`` and ``high``, 1 - significance +- 3 standard deviations (4.2.1). ``uniformity`` is the p-value of
    Pearson's chi-square of the p-values in ten equal bins (4.2.2). The verdicts and ``uniformity`` are None for fewer
    than `SEQUENCES` sequences; ``note`` says so.
    """

    test: str
    label: str
    sequences: int
    passed: int
    proportion: float | None
    low: float
    high: float
    proportion_passed: bool | None
    uniformity: float | None
    uniformity_passed: bool | None
    note: str


@dataclass(frozen=True, eq=False)
class BatteryResult:
    """The suite on many sequences of one stream.

    ``p_values[test]`` has the shape (sequences, k) with NaN where a test is not applicable, and ``labels[test]`` the k
    labels. Good bits fail some of the rows as well: `expected_failures` says how many. Of 188 rows it is 0.6 for 1000
    sequences and 3.4 for 55, where three failing sequences already leave the interval. One failing row is no verdict;
    the same row failing again with other sequences is.
    """

    constants: Constants
    significance: float
    sequence_length: int
    sequences: int
    p_values: Mapping[str, NDArray[np.float64]]
    labels: Mapping[str, tuple[str, ...]]
    rows: tuple[Row, ...]

    def failed(self) -> tuple[Row, ...]:
        """Rows with a proportion outside the interval or p-values that are not uniform."""
        return tuple(row for row in self.rows if False in (row.proportion_passed, row.uniformity_passed))

    def expected_failures(self) -> float:
        """Mean number of failing rows of ideal bits, the p-values of a row being independent and uniform."""
        judged = (row for row in self.rows if row.proportion_passed is not None)
        return sum(_outside(row.sequences, self.significance) + UNIFORM for row in judged)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON, without the single p-values."""
        return {
            "suite": "sp800-22",
            "constants": self.constants,
            "significance": self.significance,
            "sequence_length": self.sequence_length,
            "sequences": self.sequences,
            "rows_failed": len(self.failed()),
            "rows_expected_to_fail": self.expected_failures(),
            "rows": [asdict(row) for row in self.rows],
        }


def run_sequences(
    stream: BitStream,
    sequence_length: int,
    *,
    sequences: int | None = None,
    constants: Constants = "exact",
    tests: Sequence[str] = NAMES,
    significance: float = 0.01,
    short: bool = False,
    settings: Settings | None = None,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> BatteryResult:
    """Run the suite on ``sequences`` successive parts of a stream (None: as many as it holds).

    ``workers`` threads (None: one a core) each hold one sequence at a time; the result does not depend on their
    number. ``progress`` is told the finished fraction. InputError as of `run_suite`, or if the stream is too short.
    """
    settings = settings or Settings()
    check_request(constants, tests, significance)
    number = _number(len(stream), sequence_length, sequences)
    check_length(sequence_length, {name: minimum_length(name, settings, short=short) for name in tests})

    def run(k: int) -> SuiteResult:
        return run_suite(
            stream[k * sequence_length : (k + 1) * sequence_length],
            constants=constants, tests=tests, significance=significance, short=short, settings=settings,
        )  # fmt: skip

    found: list[SuiteResult | None] = [None] * number
    with ThreadPoolExecutor(workers or os.cpu_count()) as threads:
        waiting = {threads.submit(run, k): k for k in range(number)}
        try:
            for done, future in enumerate(as_completed(waiting), start=1):
                found[waiting[future]] = future.result()
                if progress:
                    progress(done / number)
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return collect([result for result in found if result is not None])


def _number(length: int, sequence_length: int, sequences: int | None) -> int:
    if sequence_length < 1:
        raise InputError(f"a sequence has at least one bit, not {sequence_length}")
    held = length // sequence_length
    if sequences is None and held:
        return held
    wanted = 1 if sequences is None else sequences
    if wanted < 1:
        raise InputError(f"at least one sequence must be tested, not {wanted}")
    if wanted > held:
        needed = wanted * sequence_length
        raise InputError(f"{wanted} x {sequence_length} bits are {needed}, but the stream has {length}")
    return wanted


def collect(results: Sequence[SuiteResult]) -> BatteryResult:
    """Put together the results of several sequences of one length; ValueError without any or if they disagree."""
    if len({(r.length, r.constants, r.significance, tuple(t.name for t in r.results)) for r in results}) != 1:
        raise ValueError("results must be of the same tests of sequences of one length, at least one")
    first = results[0]
    p_values: dict[str, NDArray[np.float64]] = {}
    labels: dict[str, tuple[str, ...]] = {}
    rows: list[Row] = []
    for name in (test.name for test in first.results):
        tests = [result[name] for result in results]
        labels[name] = next((test.labels for test in tests if test.labels), ("",))
        missing = (math.nan,) * len(labels[name])
        p_values[name] = np.array([test.p_values or missing for test in tests])
        why = next((test.note for test in tests if not test.p_values), "")
        columns = zip(labels[name], p_values[name].T, strict=True)
        rows += [_row(name, label, column, first.significance, why) for label, column in columns]
    return BatteryResult(first.constants, first.significance, first.length, len(results), p_values, labels, tuple(rows))


def _row(test: str, label: str, p_values: NDArray[np.float64], significance: float, why: str) -> Row:
    applicable = p_values[~np.isnan(p_values)]
    m = applicable.size
    passed = int(np.count_nonzero(applicable >= significance))
    low, high = interval(m, significance)
    missing = f"not applicable to {p_values.size - m} of {p_values.size} sequences ({why})" if m < p_values.size else ""
    if m < SEQUENCES:
        few = f"{m} sequences are fewer than the {SEQUENCES} needed" if m else ""
        note = "; ".join(filter(None, (missing, few)))
        return Row(test, label, m, passed, passed / m if m else None, low, high, None, None, None, note)
    uniform = uniformity(applicable)
    inside = low <= passed / m <= high
    return Row(test, label, m, passed, passed / m, low, high, inside, uniform, uniform >= UNIFORM, missing)


def interval(sequences: int, significance: float) -> tuple[float, float]:
    """Range of good proportions, 1 - significance +- 3 sqrt(significance (1 - significance) / sequences), 4.2.1.

    Cut off at 0 and 1, which is all there is without sequences.
    """
    if sequences == 0:
        return 0.0, 1.0
    half = 3 * math.sqrt(significance * (1 - significance) / sequences)
    return max(0.0, 1 - significance - half), min(1.0, 1 - significance + half)


def uniformity(p_values: NDArray[np.float64]) -> float:
    """P-value of Pearson's chi-square of p-values in ten equal bins, 1 in the last one (4.2.2)."""
    counts = np.bincount(np.minimum((p_values * _BINS).astype(np.int64), _BINS - 1), minlength=_BINS)
    expected = p_values.size / _BINS
    chi_square = ((counts - expected) ** 2).sum() / expected
    return float(gammaincc((_BINS - 1) / 2, chi_square / 2))


def _outside(sequences: int, significance: float) -> float:
    """Probability of a proportion outside the interval if each sequence passes with 1 - significance."""
    low, high = interval(sequences, significance)
    counts = np.arange(sequences + 1) / sequences
    inside = np.flatnonzero((counts >= low) & (counts <= high))
    above = float(bdtr(int(inside[-1]), sequences, 1 - significance))
    below = float(bdtr(int(inside[0]) - 1, sequences, 1 - significance)) if inside[0] else 0.0
    return 1 - above + below
