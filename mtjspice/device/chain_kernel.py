"""The Markov chains' sampling loop (compiled): counter-based random words, one a bit, and two thresholds a lane."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.device.noise import threefry_words

BUFFER = 1 << 13  # random words at a time: they stay in a level-1 cache
SCALE = 2.0**31  # words are compared with 31 bits, so that certainty has a threshold too


@njit(cache=True, error_model="numpy", nogil=True)
def _pairs(key0: np.uint32, key1: np.uint32, low: np.uint32, high: np.uint32, out: NDArray[np.uint64]) -> None:
    """Threefry blocks with counters from (low, high) on, each as one 64-bit word, the first result low."""
    for i in range(len(out)):
        a, b = threefry_words(key0, key1, np.uint32(low + np.uint32(i)), high)
        out[i] = np.uint64(a) | np.uint64(np.uint64(b) << np.uint64(32))


@njit(cache=True, error_model="numpy", nogil=True)
def _words(key: NDArray[np.uint32], first: int, out: NDArray[np.uint64]) -> None:
    """The stream of 32-bit words from number 2 ``first`` on, two in each entry of ``out``."""
    # the upper counter word changes at multiples of 2^32
    before = min(len(out), (1 << 32) - (first & 0xFFFFFFFF))
    _pairs(key[0], key[1], np.uint32(first), np.uint32(first >> 32), out[:before])
    _pairs(key[0], key[1], np.uint32(0), np.uint32((first >> 32) + 1), out[before:])


@njit(cache=True, error_model="numpy", nogil=True)
def fill(
    key: NDArray[np.uint32], first: int, after_zero: NDArray[np.int32], after_one: NDArray[np.int32],
    state: NDArray[np.uint8], out: NDArray[np.uint8], buffered: int,
) -> None:  # fmt: skip
    """Write the next bits of all lanes into ``out`` (cycles, lanes).

    Bit = (word < threshold of the previous bit), with the words from number ``first`` on; ``state`` (lanes,) holds
    the previous bits and is left at the last ones. ``buffered`` words are drawn at a time.
    """
    cycles, lanes = out.shape
    rows = max(1, buffered // lanes)
    pairs = np.empty(rows * lanes // 2 + 2, np.uint64)
    buffer = pairs.view(np.uint32)  # little-endian: the low half first
    differs = np.empty(rows, np.uint8)
    for begin in range(0, cycles, rows):
        end = min(begin + rows, cycles)
        start = first + begin * lanes
        skip = start & 1
        count = (end - begin) * lanes
        _words(key, start >> 1, pairs[: (count + skip + 1) // 2])
        if lanes == 1:
            zero, one = after_zero[0], after_one[0]
            for row in range(end - begin):  # what would follow a 0, and whether a 1 would be followed by the other
                word = np.int32(buffer[skip + row] >> np.uint32(1))
                after = np.uint8(word < zero)
                out[begin + row, 0] = after
                differs[row] = after ^ np.uint8(word < one)
            last = state[0]
            for row in range(end - begin):
                last = out[begin + row, 0] ^ (last & differs[row])
                out[begin + row, 0] = last
            state[0] = last
        else:
            for row in range(end - begin):
                for lane in range(lanes):
                    word = np.int32(buffer[skip + row * lanes + lane] >> np.uint32(1))
                    bit = np.uint8(word < (after_one[lane] if state[lane] else after_zero[lane]))
                    state[lane] = bit
                    out[begin + row, lane] = bit


@njit(cache=True, error_model="numpy", nogil=True)
def fill_with_memory(
    key: NDArray[np.uint32], first: int, logit01: NDArray[np.float64], logit10: NDArray[np.float64], coupling: float,
    decay: float, heat: NDArray[np.float64], state: NDArray[np.uint8], out: NDArray[np.uint8], buffered: int,
) -> None:  # fmt: skip
    """As `fill`, with the logit of a one shifted by ``coupling`` times ``heat`` (lanes,), which follows the bits."""
    cycles, lanes = out.shape
    rows = max(1, buffered // lanes)
    pairs = np.empty(rows * lanes // 2 + 2, np.uint64)
    buffer = pairs.view(np.uint32)
    for begin in range(0, cycles, rows):
        end = min(begin + rows, cycles)
        start = first + begin * lanes
        skip = start & 1
        count = (end - begin) * lanes
        _words(key, start >> 1, pairs[: (count + skip + 1) // 2])
        for row in range(end - begin):
            for lane in range(lanes):
                word = buffer[skip + row * lanes + lane] >> np.uint32(1)
                x = coupling * heat[lane] + (-logit10[lane] if state[lane] else logit01[lane])
                bit = np.uint8(word * (1.0 + np.exp(-x)) < SCALE)
                heat[lane] = decay * heat[lane] + (1.0 - decay) * (2.0 * bit - 1.0)
                state[lane] = bit
                out[begin + row, lane] = bit
