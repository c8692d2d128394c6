"""Are the bits independent and identically distributed? SP 800-90B, section 5: the IID track."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.sp800_90b import chi_square
from mtjspice.bits.sp800_90b.chi_square import FurtherTest
from mtjspice.bits.sp800_90b.permutation_statistics import COMPRESSION, NAMES, binary_statistics, compressed_length
from mtjspice.bits.sp800_90b.shuffling import shuffle
from mtjspice.bits.sp800_90b.statistics import most_common_value
from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError

PERMUTATIONS = 10_000
"""Permutations of figure 4."""

SHORTEST = 264
"""Bits from which every statistic exists: 33 blocks of eight for lag 32."""

_LENGTH = 1_000_000  # samples that 3.1.1 demands
_RANK = 5  # a statistic must have more than so many permutations on either side
_BATCH = 8  # permutations a thread between two decisions, but of compression, which is slow


@dataclass(frozen=True)
class PermutationTest:
    """A statistic of the bits, and how many permutations had a greater, an equal and a smaller one.

    Counting stops when the test has passed. ``passed`` is None if the test was left out; ``note`` then says why.
    """

    name: str
    statistic: float
    greater: int
    equal: int
    smaller: int
    passed: bool | None
    note: str = ""


@dataclass(frozen=True)
class IidResult:
    """Verdict of section 5 on ``length`` bits.

    ``iid`` says that no test rejects; ``min_entropy`` (bit per bit) is then the most common value estimate, and
    None otherwise: the non-IID track applies.
    """

    length: int
    permutations: int
    permutation_tests: tuple[PermutationTest, ...]
    further_tests: tuple[FurtherTest, ...]
    iid: bool
    min_entropy: float | None
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the tests that reject."""
        tests: tuple[PermutationTest | FurtherTest, ...] = (*self.permutation_tests, *self.further_tests)
        return tuple(test.name for test in tests if test.passed is False)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON, with None in the place of NaN."""
        return {
            "standard": "SP 800-90B",
            "track": "iid",
            "length": self.length,
            "iid": self.iid,
            "min_entropy": self.min_entropy,
            "permutations": self.permutations,
            "permutation_tests": [asdict(test) for test in self.permutation_tests],
            "further_tests": [
                {**asdict(test), "statistic": None if math.isnan(test.statistic) else test.statistic}
                for test in self.further_tests
            ],
            "failed": list(self.failed),
            "notes": list(self.notes),
        }


def permutation_tests(
    bits: BitStream | ArrayLike,
    *,
    seed: int | np.random.Generator,
    permutations: int = PERMUTATIONS,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
    complete: bool = False,
) -> IidResult:
    """Test bits by section 5: permutation tests (5.1), chi-square tests and longest repeated substring (5.2).

    A permutation test passes as soon as more than five permutations lie on either side of the bits' statistic,
    ties counting for both; it fails if that has not happened after ``permutations`` (10,000 in the standard; fewer
    make the tests stricter than its level 0.001). Compression takes much longer than the other
    eighteen statistics: unless ``complete`` it is left out when a test has rejected the bits already. The permutations
    depend on ``seed`` alone, not on ``workers``, the number of threads (None: as many as processors). ``progress``
    is told the finished fraction. InputError for fewer than 264 bits, or fewer than 12 permutations.
    """
    values = as_bits(bits)
    if values.size < SHORTEST:
        raise InputError(f"the tests for independent bits need at least {SHORTEST} bits, got {values.size}")
    if permutations < 2 * (_RANK + 1):
        raise InputError(f"permutation tests need at least {2 * (_RANK + 1)} permutations, not {permutations}")
    report = progress or (lambda fraction: None)
    further = (chi_square.independence(values), chi_square.goodness_of_fit(values), chi_square.longest_repeat(values))
    generator = np.random.default_rng(seed)
    ranks = _Ranks(values, np.uint64(generator.integers(2**64, dtype=np.uint64)), permutations)
    threads = (os.cpu_count() or 1) if workers is None else workers
    with ThreadPoolExecutor(threads) as pool:
        ranks.count(range(COMPRESSION), pool, _BATCH * threads, lambda fraction: report(fraction / 2))
        rejected = not all(test.passed for test in further) or not ranks.passed[:COMPRESSION].all()
        if complete or not rejected:
            ranks.count([COMPRESSION], pool, threads, lambda fraction: report(0.5 + fraction / 2))
    report(1.0)
    tests = ranks.tests()
    iid = not rejected and tests[COMPRESSION].passed is True
    entropy = most_common_value(values).min_entropy if iid else None
    return IidResult(values.size, permutations, tests, further, iid, entropy, _notes(values, permutations))


class _Ranks:
    """Counts of permutations with greater, equal and smaller statistics than the bits."""

    def __init__(self, values: NDArray[np.uint8], key: np.uint64, permutations: int) -> None:
        self._values = values
        self._key = key
        self._permutations = permutations
        self._counts = np.zeros((len(NAMES), 3), np.int64)
        self._original = self._statistics(values, np.ones(len(NAMES), np.bool_))

    @property
    def passed(self) -> NDArray[np.bool_]:
        """Which tests have more than five permutations on either side."""
        greater, equal, smaller = self._counts.T
        return (greater + equal > _RANK) & (smaller + equal > _RANK)

    def count(
        self, which: Sequence[int], pool: ThreadPoolExecutor, batch: int, progress: Callable[[float], None]
    ) -> None:
        """Permute until all tests ``which`` are decided, ``batch`` permutations at a time.

        Permutations are counted in their order, none for a test that has passed before it: the counts do not depend
        on how many are under way at once.
        """
        chosen = np.isin(np.arange(len(NAMES)), which)
        for begin in range(0, self._permutations, batch):
            wanted = chosen & ~self.passed
            if not wanted.any():
                break
            numbers = range(begin, min(begin + batch, self._permutations))
            for found in pool.map(lambda number, wanted=wanted: self._permuted(number, wanted), numbers):
                undecided = wanted & ~self.passed
                for column, side in enumerate(
                    (found > self._original, found == self._original, found < self._original)
                ):
                    self._counts[undecided & side, column] += 1
            progress(numbers.stop / self._permutations)

    def tests(self) -> tuple[PermutationTest, ...]:
        """All nineteen tests."""
        result = []
        for name, statistic, counts, passed in zip(NAMES, self._original, self._counts, self.passed, strict=True):
            run = bool(counts.any())
            note = "" if run else "left out: another test rejects the bits already"
            greater, equal, smaller = counts.tolist()
            result.append(
                PermutationTest(name, float(statistic), greater, equal, smaller, bool(passed) if run else None, note)
            )
        return tuple(result)

    def _permuted(self, number: int, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        permuted = self._values.copy()
        shuffle(permuted, self._key, number)
        return self._statistics(permuted, wanted)

    @staticmethod
    def _statistics(values: NDArray[np.uint8], wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        result = np.zeros(len(NAMES))
        if wanted[:COMPRESSION].any():
            binary_statistics(values, wanted, result)
        if wanted[COMPRESSION]:
            result[COMPRESSION] = compressed_length(values)
        return result


def _notes(values: NDArray[np.uint8], permutations: int) -> tuple[str, ...]:
    notes = []
    if values.size < _LENGTH:
        notes.append(f"{values.size} bits are fewer than the {_LENGTH} that SP 800-90B, 3.1.1 demands")
    if permutations != PERMUTATIONS:
        notes.append(f"{permutations} permutations instead of the {PERMUTATIONS} of SP 800-90B, 5.1")
    if values.min() == values.max():
        notes.append("all bits are equal: NIST's program refuses such data and awards no entropy")
    return tuple(notes)
