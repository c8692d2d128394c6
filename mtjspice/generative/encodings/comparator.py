# mypy: disable-error-code="untyped-decorator,no-any-return"
"""Comparing probabilities with random bits (compiled), and what such a comparison gives exactly.

A cell gives 1 if u < P, with P the probability as a fraction of 32 bits and u fair bits, highest first. Bits are read
lazily: the first one that differs from P's decides, and so does the point from which P has zeros only. A probability
costs 2 - 2^(1 - s) bits on average, s being its significant bits: 1 bit for 1/2, 2 for most, none for 0 and 1.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
RESOLUTION = 32  # bits of a probability
_SCALE = 2.0**RESOLUTION
GUARD = 20  # words behind the bits: what the widest word can read before it is known that bits are missing


@intrinsic
def _leading_zeros(context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@intrinsic
def _trailing_zeros(context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@njit(inline="always")
def _decide(words: NDArray[np.uint32], position: int, probability: float) -> Any:
    """A bit that is one with ``probability`` (0 to 1), and the position after the bits that decided it.

    There is no branch, which random bits would make a processor mispredict.
    """
    threshold = np.uint64(np.int64(probability * _SCALE + 0.5))  # 0 to 2^32
    index, shift = np.uint64(position) >> np.uint64(5), np.uint64(32 - (position & 31))  # unsigned: no wrapping round
    both = (np.uint64(words[index]) << np.uint64(32)) | np.uint64(words[index + np.uint64(1)])
    drawn = (both >> shift) & np.uint64(0xFFFFFFFF)
    differing = np.int64(_leading_zeros(drawn ^ threshold)) - 31
    significant = 32 - np.int64(_trailing_zeros(threshold | np.uint64(1 << RESOLUTION)))
    return np.int64(drawn < threshold), position + min(differing, significant)


@njit(inline="always")
def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))


@njit(cache=True, error_model="numpy", nogil=True)
def program(
    words: NDArray[np.uint32], position: int, limit: int, table: Floats, tree: bool, stride: int,
    offsets: Floats, stuck: NDArray[np.int8], walk: Floats, memory: float, last: NDArray[np.int64], first: int,
    out: NDArray[np.int64],
) -> tuple[int, int]:  # fmt: skip
    """Program words of cells, highest bit first, as long as there are bits; how many were made, and the position.

    ``words`` are the raw bits, 32 in each, highest first, ``limit`` their number. ``table`` has the probability of a
    one of a cell: for a ``tree`` at 2^i - 1 + prefix, else at i plus ``stride`` a word. ``offsets`` and ``stuck``
    (lanes, width) belong to the physical cells, ``walk`` has the drift of each cycle of all lanes from that of word
    number ``first`` on, ``last`` (lanes,) the last words. The first word of a lane has no memory.
    """
    lanes, width = offsets.shape
    cycle0 = first // lanes
    for k in range(out.size):
        cycle, lane = (first + k) // lanes, (first + k) % lanes
        keep = memory if cycle else 0.0
        drift = walk[cycle - cycle0] if walk.size else 0.0
        code, after = 0, position
        for i in range(width):
            bit: Any = np.int64(stuck[lane, i])
            if bit < 0:
                p = _clipped(table[(1 << i) - 1 + code if tree else k * stride + i] + offsets[lane, i] + drift)
                if keep:
                    p = (1.0 - keep) * p + (keep if (last[lane] >> (width - 1 - i)) & 1 else 0.0)
                bit, after = _decide(words, after, p)
            code = 2 * code + bit
        if after > limit:
            return k, position
        position = after
        last[lane] = code
        out[k] = code
    return out.size, position


@njit(cache=True, error_model="numpy", nogil=True)
def toggle(
    words: NDArray[np.uint32], position: int, limit: int, p01: Floats, p10: Floats, pulses: int, reset: bool,
    offsets: Floats, stuck: NDArray[np.int8], walk: Floats, memory: float, last: NDArray[np.int64], first: int,
    out: NDArray[np.int64],
) -> tuple[int, int]:  # fmt: skip
    """As `program`, with ``pulses`` that flip a cell with ``p01`` or ``p10`` (width,) by its state, from 0 if reset."""
    lanes, width = offsets.shape
    cycle0 = first // lanes
    for k in range(out.size):
        cycle, lane = (first + k) // lanes, (first + k) % lanes
        drift = walk[cycle - cycle0] if walk.size else 0.0
        code, after = 0 if reset else last[lane], position
        for _ in range(pulses):
            for i in range(width):
                place = width - 1 - i
                bit = (code >> place) & 1
                if stuck[lane, i] >= 0:
                    flip = np.int64(stuck[lane, i]) ^ bit
                else:
                    p = (p10[i] if bit else p01[i]) + offsets[lane, i] + drift
                    flip, after = _decide(words, after, (1.0 - memory) * _clipped(p))
                code ^= flip << place
            if after > limit:
                return k, position
        position = after
        last[lane] = code
        out[k] = code
    return out.size, position


@njit(cache=True, error_model="numpy", nogil=True)
def fixed_words(words: NDArray[np.uint32], position: int, width: int, out: NDArray[np.int64]) -> None:
    """Successive disjoint words of ``width`` bits (1 to 32), highest first, from a bit ``position`` on."""
    mask = np.uint64((1 << width) - 1)
    for k in range(out.size):
        end = position + width
        index = position >> 5
        both = (np.uint64(words[index]) << np.uint64(32)) | np.uint64(words[index + 1])
        out[k] = np.int64((both >> np.uint64(64 - (position & 31) - width)) & mask)
        position = end


def thresholds(probability: ArrayLike) -> NDArray[np.uint64]:
    """Probabilities as the comparator has them, in units of 2^-32."""
    return np.floor(np.asarray(probability, np.float64) * _SCALE + 0.5).astype(np.uint64)


def decided(probability: ArrayLike, ones: float = 0.5) -> Floats:
    """Probability of a one of cells programmed with ``probability`` if raw bits are one with ``ones``; same shape."""
    p = np.asarray(probability, np.float64)
    if ones == 0.5:
        return p
    levels = thresholds(p)
    result, equal = np.zeros(p.shape), np.ones(p.shape)
    for place in range(RESOLUTION - 1, -1, -1):
        bit = (levels >> np.uint64(place) & np.uint64(1)).astype(bool)
        result += np.where(bit, equal * (1 - ones), 0.0)
        equal *= np.where(bit, ones, 1 - ones)
    return np.where(levels >> np.uint64(RESOLUTION) > 0, 1.0, result)


def cost(probability: ArrayLike) -> Floats:
    """Mean number of fair bits that deciding ``probability`` takes, 2 - 2^(1 - s); same shape."""
    levels = (thresholds(probability) & np.uint64(0xFFFFFFFF)).astype(np.int64)
    lowest = (levels & -levels).astype(np.float64)  # 2^(32 - s)
    return np.where(levels > 0, 2 - 2 * lowest / _SCALE, 0.0)
