"""Bits of a shift register as linear equations over GF(2) in its state, and bits of which each may be wrong.

The state is the register's first outputs, bit k of the number being output k, as `LfsrSource` has it; Galois' form
obeys the same recurrence.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.errors import InputError

Bits = NDArray[np.uint8]
Places = NDArray[np.int64]
Floats = NDArray[np.float64]
Rows = NDArray[np.uint64]

LONGEST = 64
"""Stages of the longest register whose equations are solved with errors."""


@dataclass(frozen=True, eq=False)
class SoftBits:
    """Bits of a stream at ``positions``, their likeliest ``values`` and the probability ``wrong`` (0 to 1/2) of each.

    Arrays of shape (m,). ValueError where they do not fit together.
    """

    positions: Places
    values: Bits
    wrong: Floats

    def __post_init__(self) -> None:
        if not self.positions.shape == self.values.shape == self.wrong.shape or self.positions.ndim != 1:
            raise ValueError("positions, values and probabilities of soft bits must be vectors of one length")
        if self.wrong.size and not (self.wrong.min() >= 0 and self.wrong.max() <= 0.5):
            raise ValueError("a bit is wrong with a probability between 0 and 1/2")

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, chosen: slice | NDArray[np.bool_] | Places) -> "SoftBits":
        """Some of the bits."""
        return SoftBits(self.positions[chosen], self.values[chosen], self.wrong[chosen])

    def weights(self) -> Floats:
        """Logarithm of the odds that a bit is right, at most that of `_SUREST`."""
        wrong = np.maximum(self.wrong, _SUREST)
        return np.log1p(-wrong) - np.log(wrong)


_SUREST = 1e-4  # no bit is trusted more: the model of the errors may itself be wrong


@dataclass(frozen=True)
class Register:
    """A recurrence s[t] = sum of s[t - d] over the ``taps`` d, the largest being its length (2 to 64).

    InputError for taps that are none.
    """

    taps: tuple[int, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(set(self.taps), reverse=True))
        if len(ordered) != len(self.taps) or not ordered or ordered[-1] < 1 or not 2 <= ordered[0] <= LONGEST:
            raise InputError(f"a register to be solved has different taps from 1 to at most {LONGEST}, not {self.taps}")
        object.__setattr__(self, "taps", ordered)

    @property
    def length(self) -> int:
        """Number of stages."""
        return self.taps[0]

    def equations(self, positions: Places) -> Rows:
        """Bits of the state whose sum is each output, as masks, shape (positions,); positions count from 0."""
        if positions.size and positions.min() < 0:
            raise ValueError("outputs are counted from 0")
        count = int(positions.max()) + 1 if positions.size else 0
        rows = np.zeros(max(count, self.length), np.uint64)
        rows[: self.length] = np.uint64(1) << np.arange(self.length, dtype=np.uint64)
        _continue(np.array(self.taps, np.int64), rows)
        return rows[positions]

    def outputs(self, state: int, first: int, count: int) -> Bits:
        """``count`` outputs from number ``first`` on, which may be negative: a register runs backwards as well."""
        before = max(0, -first)
        bits = np.array([state >> k & 1 for k in range(self.length)], np.uint64)
        ahead = np.zeros(max(self.length, first + count), np.uint64)
        ahead[: self.length] = bits
        _continue(np.array(self.taps, np.int64), ahead)
        # s[t - L] = s[t] + sum of the other s[t - d]: the mirrored taps, from the mirrored state
        mirrored = [self.length, *(self.length - tap for tap in self.taps[1:])]
        back = np.zeros(self.length + before, np.uint64)
        back[: self.length] = bits[::-1]
        _continue(np.array(mirrored, np.int64), back)
        whole = np.concatenate([back[self.length :][::-1], ahead])
        return whole[first + before : first + before + count].astype(np.uint8)


def parities(rows: Rows, state: int) -> Bits:
    """Right sides of the equations for a state, shape of ``rows``."""
    return (np.bitwise_count(rows & np.uint64(state)) & 1).astype(np.uint8)


@njit(cache=True, error_model="numpy", nogil=True)
def _continue(delays: NDArray[np.int64], sequence: NDArray[np.uint64]) -> None:
    """s[t] = exclusive or of s[t - d], behind the first max(delays) entries, which are given."""
    for t in range(delays.max(), len(sequence)):
        value = np.uint64(0)
        for d in delays:
            value ^= sequence[t - d]
        sequence[t] = value
