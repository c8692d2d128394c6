"""MT19937 recovered from the leading bits of its words, by linear algebra over GF(2).

Every output bit is a sum of some of the 19968 bits of 624 successive words of the state. Known output bits are linear
equations for these; as many as unknowns and a few more determine all that the outputs depend on.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.recovery.mersenne import SHIFT, WORDS, RecoveredTwister, untemper

UNKNOWNS = 32 * WORDS
_SPARE = 64  # equations more than unknowns: each contradicts a wrong hypothesis with probability 1/2
_SIZE = UNKNOWNS // 64


def recover_truncated_mt19937(outputs: NDArray[np.uint32], width: int) -> RecoveredTwister | None:
    """The state from the leading ``width`` bits (1 to 32) of successive words, or None if they are not MT19937's.

    ``outputs`` holds these bits as numbers below 2^width, one a word; ceil(19968 / width) + ceil(64 / width) of them
    are needed at least (ValueError for fewer), all are checked. Takes about 150 MB and seconds.
    """
    if not 1 <= width <= 32:
        raise ValueError(f"between 1 and 32 bits of a word are known, not {width}")
    needed = -(-UNKNOWNS // width) + -(-_SPARE // width)
    if outputs.size < needed:
        raise ValueError(f"{needed} words are needed with {width} bits known of each, got {outputs.size}")
    bits = (outputs[:needed, np.newaxis] >> np.arange(width - 1, -1, -1, dtype=np.uint32)).astype(np.uint8) & 1
    solution = np.zeros(UNKNOWNS, np.uint8)
    if not _solve(bits, _tempering(), solution):
        return None
    key = (solution.reshape(WORDS, 32).astype(np.uint32) << np.arange(32, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
    found = RecoveredTwister("mt19937", 0, width * WORDS, width * (outputs.size - WORDS), key, "big", width)
    predicted = found.words(outputs.size - WORDS) >> np.uint32(32 - width)
    return found if np.array_equal(predicted, outputs[WORDS:].astype(np.uint32)) else None


def _tempering() -> NDArray[np.uint32]:
    """Which bits of a state word make each output bit, as masks; shape (32,), bit 0 being the lowest."""
    # column j of the inverse's inverse: solve by Gauss-Jordan on 32 x 32, from what `untemper` does to single bits
    inverse = untemper(np.uint32(1) << np.arange(32, dtype=np.uint32))
    rows = [sum(((int(inverse[j]) >> i) & 1) << j for j in range(32)) | 1 << (32 + i) for i in range(32)]
    for column in range(32):
        pivot = next(i for i in range(column, 32) if rows[i] >> column & 1)
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for i in range(32):
            if i != column and rows[i] >> column & 1:
                rows[i] ^= rows[column]
    return np.array([row >> 32 for row in rows], np.uint32)


@njit(cache=True, error_model="numpy", nogil=True)
def _add(target, source, start):  # type: ignore[no-untyped-def]
    for w in range(start, len(target)):
        target[w] ^= source[w]


@njit(cache=True, error_model="numpy", nogil=True)
def _solve(bits, tempering, solution):  # type: ignore[no-untyped-def]
    """Solve the equations of all output ``bits`` (words, width); False if they contradict each other.

    ``state`` holds what the bits of the last 624 words are sums of; the last column of an equation is its right side.
    """
    one = np.uint64(1)
    state = np.zeros((WORDS, 32, _SIZE), np.uint64)
    for word in range(WORDS):
        for bit in range(32):
            unknown = 32 * word + bit
            state[word, bit, unknown >> 6] = one << np.uint64(unknown & 63)
    pivots = np.zeros((UNKNOWNS, _SIZE + 1), np.uint64)
    present = np.zeros(UNKNOWNS, np.bool_)
    row = np.zeros(_SIZE + 1, np.uint64)
    fresh = np.zeros((32, _SIZE), np.uint64)
    for number in range(bits.shape[0]):
        place = number % WORDS
        if number >= WORDS:
            _twist(state, place, fresh)
        for k in range(bits.shape[1]):
            row[:] = np.uint64(0)
            for bit in range(32):
                if tempering[31 - k] >> np.uint32(bit) & np.uint32(1):
                    _add(row[:_SIZE], state[place, bit], 0)
            row[_SIZE] = np.uint64(bits[number, k])
            if not _insert(row, pivots, present):
                return False
    for unknown in range(UNKNOWNS - 1, -1, -1):  # unknowns without a pivot change no output: 0
        if present[unknown]:
            value = pivots[unknown, _SIZE] & one
            for w in range(unknown >> 6, _SIZE):
                left = pivots[unknown, w]
                while left:
                    lowest = left & (~left + one)
                    other = (w << 6) + _position(lowest)
                    if other != unknown:
                        value ^= np.uint64(solution[other])
                    left ^= lowest
            solution[unknown] = value
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _twist(state, place, fresh):  # type: ignore[no-untyped-def]
    """Replace the word ``place`` of the ring by the one 624 later."""
    following, far = (place + 1) % WORDS, (place + SHIFT) % WORDS
    for bit in range(32):
        fresh[bit] = state[far, bit]
        # the upper bit of this word and the lower ones of the next, shifted down by one
        if bit < 30:
            _add(fresh[bit], state[following, bit + 1], 0)
        elif bit == 30:
            _add(fresh[bit], state[place, 31], 0)
        if np.uint32(0x9908B0DF) >> np.uint32(bit) & np.uint32(1):
            _add(fresh[bit], state[following, 0], 0)
    state[place] = fresh


@njit(cache=True, error_model="numpy", nogil=True)
def _insert(row, pivots, present):  # type: ignore[no-untyped-def]
    """Reduce an equation by those that are there and keep it; False if it says 0 = 1."""
    for w in range(_SIZE):
        while row[w]:
            lowest = row[w] & (~row[w] + np.uint64(1))
            unknown = (w << 6) + _position(lowest)
            if not present[unknown]:
                pivots[unknown] = row
                present[unknown] = True
                return True
            _add(row, pivots[unknown], w)
    return row[_SIZE] == 0


@njit(cache=True, error_model="numpy", nogil=True)
def _position(power):  # type: ignore[no-untyped-def]
    """Exponent of a power of two."""
    position = 0
    for step in (32, 16, 8, 4, 2, 1):
        if power >> np.uint64(step):
            power >>= np.uint64(step)
            position += step
    return position
