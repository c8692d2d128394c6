"""MT19937 recovered from its output words.

M. Matsumoto and T. Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998) 3-30: the tempering can be undone, so 624 words
are the state. If only the leading bits of the words are known, their linear equations are solved (`truncated`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.recovery.found import Recovery
from mtjspice.bits.stream import BitStream, as_stream

WORDS = 624
SHIFT = 397
_CHECKED = 8  # words that must be predicted
_VERIFIED = 1024
_UPPER, _LOWER = np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
_MATRIX = np.uint32(0x9908B0DF)


@dataclass(frozen=True, eq=False)
class RecoveredTwister(Recovery):
    """A Mersenne Twister. ``key`` are the 624 words of the state, uint32, after the bits used.

    ``order`` is that of the bytes of a word in the stream, ``big`` or ``little``; ``width`` how many leading bits of
    each word were known.
    """

    key: NDArray[np.uint32]
    order: str = "big"
    width: int = 32

    def bit_generator(self) -> np.random.MT19937:
        """NumPy's generator in this state: its next word is the one that follows those used."""
        generator = np.random.MT19937(0)
        generator.state = {"bit_generator": "MT19937", "state": {"key": self.key, "pos": WORDS}}
        return generator

    def words(self, count: int) -> NDArray[np.uint32]:
        """The ``count`` words that follow those used."""
        return np.asarray(self.bit_generator().random_raw(count)).astype(np.uint32)

    def following(self, count: int) -> NDArray[np.uint8]:
        """The ``count`` bits that follow those used."""
        words = self.words(-(-count // self.width))
        packed = words.astype(">u4" if self.order == "big" else "<u4").view(np.uint8)
        return np.unpackbits(packed).reshape(-1, 32)[:, : self.width].reshape(-1)[:count]

    def describe(self) -> str:
        """One line: what was seen of the words."""
        seen = "whole words" if self.width == 32 else f"the leading {self.width} bits of its words"
        order = "" if self.order == "big" else ", the lowest byte first"
        return f"Mersenne Twister MT19937, {seen}{order}"

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON; the state, which is long, is left out."""
        return {**super().as_dict(), "order": self.order, "width": self.width}


def recover_mt19937(bits: BitStream | ArrayLike) -> RecoveredTwister | None:
    """The state from 624 successive words of 32 bits, or None; the stream may begin in the middle of a word.

    It takes 632 whole words: eight must be predicted (once in 2^256 by chance), and those that follow, up to 1024.
    """
    stream = as_stream(bits)[: 32 * (WORDS + _VERIFIED + 1)]
    values = stream.bits()
    for offset in range(32):
        count = (values.size - offset) // 32
        if count < WORDS + _CHECKED:
            return None
        packed = np.packbits(values[offset : offset + 32 * count])
        for order, kind in (("big", ">u4"), ("little", "<u4")):
            words = packed.view(kind).astype(np.uint32)
            key = recover_mt19937_words(words)
            if key is not None:
                return RecoveredTwister("mt19937", offset, 32 * WORDS, 32 * (count - WORDS), key, order)
    return None


def recover_mt19937_words(words: NDArray[np.uint32]) -> NDArray[np.uint32] | None:
    """The state after the first 624 of ``words`` if all others follow from it, shape (624,), else None.

    ValueError for fewer than 632 words.
    """
    if words.size < WORDS + _CHECKED:
        raise ValueError(f"{WORDS + _CHECKED} words are needed, got {words.size}")
    state = untemper(words)
    return state[:WORDS].copy() if np.array_equal(_next(state), state[WORDS:]) else None


def untemper(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The words of the state that give these outputs."""
    x = words.astype(np.uint32)
    x ^= x >> np.uint32(18)
    x ^= (x << np.uint32(15)) & np.uint32(0xEFC60000)
    y = x.copy()
    for _ in range(4):  # seven bits are right, then fourteen ...
        y = x ^ ((y << np.uint32(7)) & np.uint32(0x9D2C5680))
    x = y.copy()
    for _ in range(2):  # eleven, then twenty-two
        y = x ^ (y >> np.uint32(11))
    return y


def _next(state: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """What the recurrence makes of words 0, 1 and 397, 1, 2 and 398 ...; shape (words - 624,)."""
    count = state.size - WORDS
    mixed = (state[:count] & _UPPER) | (state[1 : count + 1] & _LOWER)
    twisted = (mixed >> np.uint32(1)) ^ np.where(mixed & np.uint32(1), _MATRIX, np.uint32(0))
    return np.asarray(state[SHIFT : SHIFT + count] ^ twisted)
