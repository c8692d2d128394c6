"""What a predictor may know of the past of a bit: the last bits, the last ones of the same device, and their mean."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.predictors import kernels

Floats = NDArray[np.float32]

WINDOW = 24
"""Last bits of the stream that predictors look at."""
DEVICE_WINDOW = 16
"""Last bits of the same device, in streams of several."""
PAIRED = 12
"""Last bits of which products of two are formed, on demand."""
RECENT = 64
"""Last bits of the device whose mean is given as well; it shows slow changes."""


@dataclass(frozen=True, eq=False)
class Task:
    """Bits to learn from and to predict: the first ``trained`` of ``bits``, and the rest.

    ``bits`` are uint8; bit i belongs to device i modulo ``lanes``. The first ``depth`` bits have not enough past and
    are not learnt.
    """

    bits: NDArray[np.uint8]
    lanes: int
    trained: int
    depth: int = field(init=False)

    def __post_init__(self) -> None:
        cycles = max(1, min(RECENT, self.trained // (4 * self.lanes)))
        object.__setattr__(self, "depth", max(WINDOW, cycles * self.lanes))

    @property
    def learnt(self) -> NDArray[np.int64]:
        """Positions to learn, those of `validation` left out."""
        return np.arange(self.depth, self.trained - (self.trained - self.depth) // 8)

    @property
    def validation(self) -> NDArray[np.int64]:
        """Positions to choose between variants by: the last eighth of the training part."""
        return np.arange(self.trained - (self.trained - self.depth) // 8, self.trained)

    @property
    def tested(self) -> NDArray[np.int64]:
        """Positions to predict."""
        return np.arange(self.trained, self.bits.size)

    @property
    def common(self) -> int:
        """The commoner bit of the training part, 1 if both are as common."""
        return int(2 * np.count_nonzero(self.bits[: self.trained]) >= self.trained)


class History:
    """The features of the bits of a task, as numbers of about unit size."""

    def __init__(self, task: Task, pairs: bool = False) -> None:
        lanes = task.lanes
        self._signs = (2 * task.bits.astype(np.int8) - 1).astype(np.int8)
        own = [k * lanes for k in range(1, DEVICE_WINDOW + 1) if WINDOW < k * lanes <= task.depth]
        self._lags = np.array([*range(1, WINDOW + 1), *own])
        cycles = task.depth // lanes
        self._recent = _sums(self._signs, lanes, cycles) / np.float32(np.sqrt(cycles))
        self._odds = _odds(task) if lanes > 1 else np.empty(0, np.float32)
        first, second = np.triu_indices(PAIRED if pairs else 0, 1)
        self._pairs = first.astype(np.int64), second.astype(np.int64)
        self.width = 2 + int(lanes > 1) + self._lags.size + first.size
        self.text = f"the last {WINDOW} bits"
        if own:
            self.text += f", {min(DEVICE_WINDOW, task.depth // lanes)} of the same device"
        self.text += f", the mean of {cycles}" + (" of the same device, its ones before" if lanes > 1 else "")
        if pairs:
            self.text += f", products of two of the last {PAIRED}"

    def rows(self, positions: NDArray[np.int64]) -> Floats:
        """Features of the bits at ``positions``, shape (positions, width); the first is the constant 1."""
        rows = np.empty((positions.size, self.width), np.float32)
        kernels.fill_rows(self._signs, self._lags, self._recent, self._odds, *self._pairs, positions, rows)
        return rows


def _sums(signs: NDArray[np.int8], lanes: int, cycles: int) -> Floats:
    """Sum of the last ``cycles`` bits of the same device, as +-1, before each bit; shape of ``signs``."""
    table = np.zeros((-(-signs.size // lanes) + 1, lanes), np.int32)
    table[1:].ravel()[: signs.size] = signs
    np.cumsum(table, axis=0, out=table)
    sums = table.copy()
    sums[cycles:] -= table[:-cycles]
    return sums[:-1].ravel()[: signs.size].astype(np.float32)


def _odds(task: Task) -> Floats:
    """Logit of a one of each device in the bits that are learnt, shape (lanes,)."""
    learnt = task.bits[: task.learnt[-1] + 1] if task.learnt.size else task.bits[:0]
    lanes = np.arange(learnt.size) % task.lanes
    total = np.bincount(lanes, minlength=task.lanes)
    ones = np.bincount(lanes, learnt, minlength=task.lanes)
    return np.log((ones + 0.5) / (total - ones + 0.5)).astype(np.float32)
