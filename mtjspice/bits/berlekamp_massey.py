"""Linear complexity: the shortest linear feedback shift register over GF(2) that makes a sequence.

The algorithm is that of J. L. Massey, "Shift-Register Synthesis and BCH Decoding", IEEE Trans. Inf. Theory 15 (1969)
122-127, on 64 coefficients at a time: n bits take about n^2 / 64 word operations.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.stream import BitStream, as_bits

_LANES = 64  # blocks that are treated side by side
_FOLD = np.uint64(0x6996)  # parity of the four bits that number its places


@dataclass(frozen=True, eq=False)
class Register:
    """A linear feedback shift register of ``length`` L.

    ``coefficients``, uint8 of shape (L + 1,), are c_0 = 1, c_1 ... c_L of the connection polynomial: every bit from
    number L on satisfies sum_i c_i s[t - i] = 0 modulo 2.
    """

    length: int
    coefficients: NDArray[np.uint8]


def linear_complexity(bits: BitStream | ArrayLike) -> int:
    """Length of the shortest register that makes ``bits``; 0 for zeros only or no bits at all."""
    return shortest_register(bits).length


def shortest_register(bits: BitStream | ArrayLike) -> Register:
    """Return the shortest register that makes ``bits``; it is the only one of its length if 2 L <= n."""
    values = as_bits(bits)
    if not values.size:
        return Register(0, np.ones(1, dtype=np.uint8))
    length, polynomial = _synthesis(_reversed_words(values[np.newaxis])[0], values.size)
    return Register(int(length), np.unpackbits(polynomial.view(np.uint8), bitorder="little")[: length + 1])


def block_complexities(bits: BitStream | ArrayLike, block: int) -> NDArray[np.int64]:
    """Linear complexity of each whole block of ``block`` bits, shape (n // block,); ValueError if block < 1."""
    if block < 1:
        raise ValueError(f"a block has at least one bit, not {block}")
    values = as_bits(bits)
    number = values.size // block
    words = _reversed_words(values[: number * block].reshape(number, block))
    return _lengths(words, block)


def _reversed_words(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Pack rows backwards, the last bit lowest, with room to read one word past the end."""
    packed = np.packbits(rows[:, ::-1], axis=1, bitorder="little")
    words = np.zeros((len(rows), packed.shape[1] // 8 + 2), dtype="<u8")
    words.view(np.uint8)[:, : packed.shape[1]] = packed
    return words.astype(np.uint64, copy=False)


@njit(cache=True, error_model="numpy", nogil=True)
def _parity(word: np.uint64) -> np.uint64:
    word ^= word >> np.uint64(32)
    word ^= word >> np.uint64(16)
    word ^= word >> np.uint64(8)
    word ^= word >> np.uint64(4)
    return (_FOLD >> (word & np.uint64(15))) & np.uint64(1)


@njit(cache=True, error_model="numpy", nogil=True)
def _synthesis(history: NDArray[np.uint64], n: int) -> tuple[int, NDArray[np.uint64]]:
    """Length and connection polynomial, coefficient i in bit i, of one sequence."""
    size = n // 64 + 2
    current = np.zeros(size, np.uint64)
    before = np.zeros(size, np.uint64)  # the polynomial before the length last changed, at bit ``changed``
    spare = np.zeros(size, np.uint64)
    current[0] = before[0] = np.uint64(1)
    length, length_before, changed = 0, 0, -1
    for i in range(n):
        start = (n - 1 - i) // 64
        low = np.uint64((n - 1 - i) % 64)
        high = np.uint64(63) - low
        discrepancy = np.uint64(0)
        for k in range(length // 64 + 1):
            window = (history[start + k] >> low) | ((history[start + k + 1] << np.uint64(1)) << high)
            discrepancy ^= current[k] & window
        if not _parity(discrepancy):
            continue
        longer = 2 * length <= i
        if longer:
            for k in range(length // 64 + 1):
                spare[k] = current[k]
        whole = (i - changed) // 64
        shift = np.uint64((i - changed) % 64)
        back = np.uint64(63) - shift
        carry = np.uint64(0)
        last = length_before // 64
        for k in range(last + 1):
            current[whole + k] ^= (before[k] << shift) | carry
            carry = (before[k] >> np.uint64(1)) >> back
        if carry:
            current[whole + last + 1] ^= carry
        if longer:
            before, spare = spare, before
            length_before = length
            length = i + 1 - length
            changed = i
    return length, current


@njit(cache=True, error_model="numpy", nogil=True)
def _lengths(words: NDArray[np.uint64], block: int) -> NDArray[np.int64]:
    """Complexities of all rows; blocks stand side by side so that one instruction treats several of them."""
    number, size = words.shape
    result = np.zeros(number, np.int64)
    history = np.zeros((size, _LANES), np.uint64)
    current = np.zeros((size, _LANES), np.uint64)
    shifted = np.zeros((size, _LANES), np.uint64)  # x^(i - m) times the polynomial before the last change, at m
    sums = np.zeros(_LANES, np.uint64)
    change = np.zeros(_LANES, np.uint64)
    lengths = np.zeros(_LANES, np.int64)
    one = np.uint64(1)
    for first in range(0, number, _LANES):
        lanes = min(_LANES, number - first)
        current[:] = 0
        shifted[:] = 0
        lengths[:] = 0
        for g in range(lanes):
            for k in range(size):
                history[k, g] = words[first + g, k]
        current[0] = one
        shifted[0] = one
        shortest, longest = 0, 0
        for i in range(block):
            start = (block - 1 - i) // 64
            low = np.uint64((block - 1 - i) % 64)
            high = np.uint64(63) - low
            sums[:] = 0
            for k in range(longest // 64 + 1):
                for g in range(_LANES):
                    window = (history[start + k, g] >> low) | ((history[start + k + 1, g] << one) << high)
                    sums[g] ^= current[k, g] & window
            for g in range(_LANES):
                odd = _parity(sums[g])
                longer = np.uint64(2 * lengths[g] <= i) & odd
                sums[g] = np.uint64(0) - odd  # all ones where the bit is not the predicted one
                change[g] = np.uint64(0) - longer
                lengths[g] += np.int64(longer) * (i + 1 - 2 * lengths[g])
            # degrees: current at most its length, shifted at most i + 1 - length
            for k in range(max(longest, i + 1 - shortest) // 64, -1, -1):
                for g in range(_LANES):
                    carry = shifted[k - 1, g] >> np.uint64(63) if k else np.uint64(0)
                    moved = (shifted[k, g] << one) | carry
                    old = current[k, g]
                    current[k, g] = old ^ (moved & sums[g])
                    shifted[k, g] = moved ^ ((moved ^ old) & change[g])
            shortest, longest = block, 0
            for g in range(_LANES):
                shortest = min(shortest, lengths[g])
                longest = max(longest, lengths[g])
        result[first : first + lanes] = lengths[:lanes]
    return result
