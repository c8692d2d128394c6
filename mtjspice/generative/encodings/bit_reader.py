"""Bits of a source taken in any number at a time; what was read too much is kept."""

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.generative.encodings.comparator import GUARD, fixed_words

_CHUNK = 1 << 16  # numbers at a time: their bits fit a cache


class BitReader:
    """Unread bits of ``source``; the reader must be its only user.

    A recording is read to its last whole byte before StreamExhaustedError.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._packed = np.empty(0, np.uint8)
        self._position = 0  # of the first unread bit

    @property
    def unread(self) -> int:
        """Number of bits that have been read from the source and not been used."""
        return 8 * self._packed.size - self._position

    def fill(self, wanted: int, needed: int) -> None:
        """Read on until ``wanted`` bits are unread, if there are so many; StreamExhaustedError without ``needed``."""
        missing = -(-max(0, wanted - self.unread) // 8)
        least = -(-max(0, needed - self.unread) // 8)
        count = max(least, self._source.available(8 * missing) // 8)
        if count:
            new = self._source.read(count)
            used = self._position // 8
            self._packed = np.concatenate([self._packed[used:], new]) if self.unread else new
            self._position = self._position - 8 * used if self._packed is not new else 0

    def view(self) -> tuple[NDArray[np.uint32], int, int]:
        """Bits as 32-bit words with zeros behind, the position of the first unread bit, and that of the end."""
        begin = self._position // 8
        size = self._packed.size - begin
        padded = np.zeros(4 * (-(-size // 4) + GUARD), np.uint8)
        padded[:size] = self._packed[begin:]
        return padded.view(">u4").astype(np.uint32), self._position - 8 * begin, 8 * size

    def skip(self, bits: int) -> None:
        """Count ``bits`` as used."""
        self._position += bits

    def words(self, count: int, width: int) -> NDArray[np.int64]:
        """The next ``count`` words of ``width`` bits (1 to 32), highest bit first, shape (count,)."""
        found = np.empty(count, np.int64)
        for begin in range(0, count, _CHUNK):
            part = found[begin : begin + _CHUNK]
            self.fill(part.size * width, part.size * width)
            view, position, _ = self.view()
            fixed_words(view, position, width, part)
            self.skip(part.size * width)
        return found
