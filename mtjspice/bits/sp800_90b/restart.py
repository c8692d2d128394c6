"""Restart tests (SP 800-90B, 3.1.4): are the bits after a restart as unpredictable as those of a long run?"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.sp800_90b.assessment import Assessment, assess
from mtjspice.bits.sp800_90b.cutoffs import check_source, restart_cutoff
from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError

SHAPE = (1000, 1000)
"""Restarts, and bits collected after each, that section 3.1.4.1 demands."""

_SIGNIFICANCE = 0.01  # of the sanity check, all rows and columns together


@dataclass(frozen=True)
class RestartResult:
    """Outcome of the restart tests of a matrix whose rows are restarts.

    ``largest_count`` is that of the commoner bit in the row or column ``line`` (of the kind ``along``) where it is
    greatest; beyond ``cutoff`` the sanity check fails. ``rows`` and ``columns`` assess the matrix read row by row
    and column by column (H_r, H_c).
    """

    shape: tuple[int, int]
    initial_entropy: float
    cutoff: int
    largest_count: int
    along: Literal["row", "column"]
    line: int
    rows: Assessment
    columns: Assessment
    notes: tuple[str, ...] = ()

    @property
    def sanity_check_passed(self) -> bool:
        """Whether no row or column has too many equal bits (3.1.4.3)."""
        return self.largest_count <= self.cutoff

    @property
    def validated(self) -> bool:
        """Whether min(H_r, H_c) reaches half of the initial entropy (3.1.4.2)."""
        return min(self.rows.min_entropy, self.columns.min_entropy) >= self.initial_entropy / 2

    @property
    def passed(self) -> bool:
        """Whether both tests pass; no entropy is awarded otherwise."""
        return self.sanity_check_passed and self.validated

    @property
    def min_entropy(self) -> float | None:
        """min(H_r, H_c, H_I) in bit per bit, None if a test fails."""
        if not self.passed:
            return None
        return min(self.rows.min_entropy, self.columns.min_entropy, self.initial_entropy)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "standard": "SP 800-90B",
            "shape": list(self.shape),
            "initial_entropy": self.initial_entropy,
            "sanity_check": {
                "cutoff": self.cutoff,
                "largest_count": self.largest_count,
                "along": self.along,
                "line": self.line,
                "passed": self.sanity_check_passed,
            },
            "rows": self.rows.as_dict(),
            "columns": self.columns.as_dict(),
            "validated": self.validated,
            "passed": self.passed,
            "min_entropy": self.min_entropy,
            "notes": list(self.notes),
        }


def restart_tests(
    matrix: BitStream | ArrayLike,
    initial_entropy: float,
    *,
    shape: tuple[int, int] = SHAPE,
    workers: int | None = None,
) -> RestartResult:
    """Restart tests of bits in ``shape`` (restarts, bits of each), as a matrix or as a stream, row after row.

    ``initial_entropy`` is H_I, the min-entropy of a long run in bit per bit. Shapes other than (1000, 1000) are
    noted. InputError if the bits do not have the shape, if it has no two rows and columns, or if
    ``initial_entropy`` lies outside (0, 1]; ValueError for values other than 0 and 1.
    """
    check_source(initial_entropy, _SIGNIFICANCE)
    bits = _matrix(matrix, shape)
    restarts, length = shape
    along: Literal["row", "column"]
    per_row = _commoner(bits.sum(axis=1, dtype=np.int64), length)
    per_column = _commoner(bits.sum(axis=0, dtype=np.int64), restarts)
    row, column = int(per_row.argmax()), int(per_column.argmax())
    # lines of different lengths are compared by what they exceed their own cutoff
    cutoffs = [restart_cutoff(initial_entropy, trials, sum(shape), _SIGNIFICANCE) for trials in (length, restarts)]
    by_row = per_row[row] - cutoffs[0] >= per_column[column] - cutoffs[1]
    along, line = ("row", row) if by_row else ("column", column)
    return RestartResult(
        shape,
        initial_entropy,
        cutoffs[0] if by_row else cutoffs[1],
        int(per_row[row] if by_row else per_column[column]),
        along,
        line,
        assess(bits.ravel(), workers=workers),
        assess(bits.T.ravel(), workers=workers),
        () if shape == SHAPE else (f"{restarts} restarts of {length} bits instead of 1000 of 1000 (3.1.4.1)",),
    )


def _matrix(matrix: BitStream | ArrayLike, shape: tuple[int, int]) -> NDArray[np.uint8]:
    restarts, length = shape
    if restarts < 2 or length < 2:
        raise InputError(f"restart tests need at least two restarts of two bits, not {restarts} of {length}")
    if isinstance(matrix, BitStream):
        bits = matrix.bits()
    else:
        values = np.asarray(matrix)
        if values.ndim == 2 and values.shape != shape:
            raise InputError(
                f"restart tests need {restarts} rows of {length} bits, got {values.shape[0]} of {values.shape[1]}"
            )
        bits = as_bits(values.ravel() if values.ndim == 2 else values)
    if bits.size != restarts * length:
        raise InputError(f"restart tests need {restarts} x {length} = {restarts * length} bits, got {bits.size}")
    return bits.reshape(shape)


def _commoner(ones: NDArray[np.int64], trials: int) -> NDArray[np.int64]:
    return np.maximum(ones, trials - ones)
