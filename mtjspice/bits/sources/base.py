"""The protocol of all sources: they are asked for bytes, and reading in pieces gives what reading at once gives."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.stream import CHUNK, BitStream, Origin, masked
from mtjspice.errors import InputError

MAX_SEED = 2**32 - 1
MAX_LANES = 2**24


class StreamExhaustedError(InputError):
    """More bits were asked for than there are."""


class Source(ABC):
    """A supply of bits; ``origin``, ``provenance`` and ``lanes`` are those of its streams.

    A subclass implements `read`.
    """

    origin: Origin = "pseudo-random"
    provenance: Mapping[str, str | int | float]
    lanes: int = 1

    @abstractmethod
    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of packed bits, shape (count,); StreamExhaustedError if there are fewer."""

    def stream(self, bits: int) -> BitStream:
        """The next ``bits`` bits; the source goes on with the byte after them."""
        if bits < 0:
            raise InputError(f"the number of bits must not be negative: {bits}")
        packed = masked(self.read(-(-bits // 8)), bits)
        packed.setflags(write=False)
        return BitStream(packed, bits, self.origin, self.provenance, self.lanes)

    def chunks(self, bits: int, size: int = CHUNK) -> Iterator[NDArray[np.uint8]]:
        """The next ``bits`` bits as packed pieces of ``size`` bytes, the last one shorter."""
        left = -(-bits // 8)
        while left > 0:
            yield self.read(min(size, left))
            left -= size

    def available(self, bits: int) -> int:
        """How many of ``bits`` there are; all of them, unless the source is a recording."""
        return bits

    def empty(self) -> BitStream:
        """A stream of no bits with this source's origin, provenance and lanes."""
        return BitStream(np.empty(0, np.uint8), 0, self.origin, self.provenance, self.lanes)


class CycleSource(Source):
    """A source whose lanes give one bit each per cycle; a subclass implements `cycles`."""

    _left: NDArray[np.uint8] = np.empty(0, np.uint8)

    @abstractmethod
    def cycles(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` cycles, 0 and 1 of shape (count, lanes)."""

    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of packed bits."""
        missing = 8 * count - self._left.size
        new = self.cycles(max(0, -(-missing // self.lanes))).ravel()
        bits = np.concatenate([self._left, new]) if self._left.size else new
        self._left = bits[8 * count :].copy()
        return np.packbits(bits[: 8 * count])


def check_seed(seed: int) -> int:
    """Return the seed; InputError unless it fits 32 bits."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {seed} is out of range; allowed: 0 to {MAX_SEED}")
    return seed


def check_lanes(lanes: int) -> int:
    """Return the number of lanes; InputError unless it is positive and fits into memory."""
    if not 1 <= lanes <= MAX_LANES:
        raise InputError(f"a source has 1 to {MAX_LANES} lanes, not {lanes}")
    return lanes
