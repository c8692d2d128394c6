"""Arrays of boxes and of intervals: which overlap, and where each begins to; for `mtjspice.layout.capacitance`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_BIN = 4000  # side of the squares that boxes are sorted into


@dataclass(frozen=True)
class Pieces:
    """Intervals divided at the ends of shorter ones, the covers, which lie over them.

    ``low`` and ``high`` are, for each cover, the first of the pieces that it covers and the one after the last.
    """

    owner: Integers
    start: Integers
    end: Integers
    low: Integers
    high: Integers

    @classmethod
    def of(
        cls, start: Integers, end: Integers, owner: Integers, cover_start: Integers, cover_end: Integers
    ) -> "Pieces":
        """Divide the intervals; cover k lies over the interval ``owner[k]``, clipped to it."""
        cover_start = np.maximum(cover_start, start[owner]) if len(owner) else cover_start
        cover_end = np.minimum(cover_end, end[owner]) if len(owner) else cover_end
        lowest = int(start.min()) if len(start) else 0
        span = (int(end.max()) if len(end) else 0) - lowest + 1
        every = np.arange(len(start), dtype=np.int64)

        def key(which: Integers, at: Integers) -> Integers:
            return which * span + (at - lowest)

        keys = np.unique(
            np.concatenate([key(every, start), key(every, end), key(owner, cover_start), key(owner, cover_end)])
        )
        owners, places = np.divmod(keys, span)
        inner = np.flatnonzero(owners[:-1] == owners[1:])  # keys that begin a piece
        number = np.cumsum(np.concatenate([owners[:-1] == owners[1:], [False]])) if len(keys) else np.zeros(0, int)
        before = np.concatenate([[0], number])  # pieces that begin before each key
        low = before[np.searchsorted(keys, key(owner, cover_start))]
        high = before[np.searchsorted(keys, key(owner, cover_end))]
        return cls(owners[inner], places[inner] + lowest, places[inner + 1] + lowest, low, high)

    def covered(self) -> tuple[Integers, Integers]:
        """Return all pairs of a cover and a piece under it."""
        return spread(self.low, self.high)


def spread(low: Integers, high: Integers) -> tuple[Integers, Integers]:
    """Return k and each number from low[k] to high[k] - 1, for every k."""
    counts = np.maximum(high - low, 0)
    which = np.repeat(np.arange(len(low), dtype=np.int64), counts)
    offset = np.arange(counts.sum(), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    return which, low[which] + offset


def first_of_each(group: Integers, value: Integers) -> Integers:
    """Return, for each group that occurs, the position of its smallest value."""
    order = np.lexsort((value, group))
    return order[np.concatenate([[True], np.diff(group[order]) != 0])] if len(order) else order


def extents(one: Integers, other: Integers) -> Integers:
    """Width and height of what two boxes have in common; not positive where they have nothing."""
    return np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])


def overlapping(one: Integers, other: Integers) -> tuple[Integers, Integers]:
    """Return the pairs of boxes of two lists that overlap, by sorting all into square bins."""
    if not len(one) or not len(other):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    origin = np.minimum(one[:, :2].min(axis=0), other[:, :2].min(axis=0))
    columns = int((max(one[:, 2].max(), other[:, 2].max()) - origin[0]) // _BIN) + 1
    (a, bins_a), (b, bins_b) = (_bins(boxes, origin, _BIN, columns) for boxes in (one, other))
    order = np.argsort(bins_b, kind="stable")
    b, bins_b = b[order], bins_b[order]
    k, match = spread(np.searchsorted(bins_b, bins_a), np.searchsorted(bins_b, bins_a, side="right"))
    a, b, at = a[k], b[match], bins_a[k]
    # a pair that shares several bins counts in the one of its lower left corner
    corner = (np.maximum(one[a, :2], other[b, :2]) - origin) // _BIN
    keep = (extents(one[a], other[b]) > 0).all(axis=1) & (corner[:, 1] * columns + corner[:, 0] == at)
    return a[keep], b[keep]


def _bins(boxes: Integers, origin: Integers, size: int, columns: int) -> tuple[Integers, Integers]:
    """Return all pairs of a box and a bin that it touches."""
    low, high = (boxes[:, :2] - origin) // size, (boxes[:, 2:] - origin) // size + 1
    which, row = spread(low[:, 1], high[:, 1])
    inner, column = spread(low[which, 0], high[which, 0])
    return which[inner], row[inner] * columns + column
