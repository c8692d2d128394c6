"""Linear congruential generators with known constants, recovered from their output.

The hidden low bits l of a state h 2^s + l must make the next output right: a l + k modulo m falls into an interval of
2^s numbers. With l = 2^t u + v the two parts are met in the middle, 2^(s / 2) of them, instead of 2^s tried.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.recovery.found import CERTAIN, Recovery
from mtjspice.bits.sources.generators import CONGRUENCES, Congruence
from mtjspice.bits.stream import BitStream, as_stream

Words = NDArray[np.uint64]
Places = NDArray[np.intp]

_MOST_HIDDEN = 40
_VERIFY = 4096


@dataclass(frozen=True, eq=False)
class RecoveredCongruence(Recovery):
    """A congruential generator; ``state`` is the one that made the last bits used.

    Of a modulus that is a power of two the bits above those given out are left out of it: they have no effect.
    """

    name: str
    congruence: Congruence
    state: int

    def following(self, count: int) -> NDArray[np.uint8]:
        """The ``count`` bits that follow those used."""
        return _outputs(self.congruence, self.state, count)

    def describe(self) -> str:
        """One line: constants and state."""
        c = self.congruence
        return f"LCG {self.name}, x -> {c.multiplier} x + {c.increment} mod {c.modulus}, state {self.state:#x}"

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON; the state as hexadecimal text."""
        return {**super().as_dict(), "name": self.name, "state": hex(self.state)}


def recover_lcg(
    bits: BitStream | ArrayLike, congruences: Mapping[str, Congruence] = CONGRUENCES
) -> RecoveredCongruence | None:
    """The generator among ``congruences`` and its state, from two of its outputs and 64 bits that it must predict.

    The stream may begin in the middle of an output. None if there is none; constants with more than 40 hidden bits are
    not tried.
    """
    values = as_stream(bits)[:_VERIFY].bits()
    for name, congruence in congruences.items():
        for offset in range(congruence.width):
            found = _recover_at(values, offset, name, congruence)
            if found is not None:
                return found
    return None


def _recover_at(
    values: NDArray[np.uint8], offset: int, name: str, congruence: Congruence
) -> RecoveredCongruence | None:
    c, width = _closed(congruence), congruence.width
    rest = values[offset:]
    words = 2 if c.shift else 1
    used = words * width
    if rest.size < used + CERTAIN or c.shift > _MOST_HIDDEN:
        return None
    first, second = (int("".join(map(str, rest[k * width : (k + 1) * width])), 2) for k in (0, 1))
    for state in _states(c, first, second):
        if state >= c.modulus or (c.increment == 0 and state == 0):
            continue
        last = (c.multiplier * state + c.increment) % c.modulus if words == 2 else state
        found = RecoveredCongruence("lcg", offset, used, rest.size - used, name, c, last)
        # a short look first: most candidates fail at once
        if np.array_equal(found.following(CERTAIN), rest[used : used + CERTAIN]) and np.array_equal(
            found.following(rest.size - used), rest[used:]
        ):
            return found
    return None


def _closed(c: Congruence) -> Congruence:
    """Without the bits above those given out, where the modulus is a power of two."""
    if c.modulus & (c.modulus - 1):
        return c
    modulus = 1 << (c.shift + c.width)
    if modulus == c.modulus:
        return c
    # Congruence refuses 0 and moduli between 2^32 and 2^64
    if modulus > 2**32 or c.multiplier % modulus == 0:
        return c
    return Congruence(c.multiplier % modulus, c.increment % modulus, modulus, c.shift, c.width)


def _states(c: Congruence, first: int, second: int) -> list[int]:
    """States with the output ``first`` whose next output is ``second``; outputs are the bits above ``shift``."""
    top = first << c.shift
    if not c.shift:
        return [top]
    half = c.shift // 2
    low, low_order, high, high_order = _halves(c.multiplier, c.modulus, c.shift)
    # a low part fits if it lies between ``begin`` and ``end``, around the modulus if need be
    target = np.uint64(((second << c.shift) - c.multiplier * top - c.increment) % c.modulus)
    modulus = np.uint64(c.modulus % 2**64)  # 0 for 2^64, where sums and differences are reduced by themselves
    begin = np.where(target >= high, target - high, target - high + modulus)
    end = begin + np.uint64(1 << c.shift)
    wraps = (end < begin) | ((modulus != 0) & (end > modulus))
    left = np.searchsorted(low, begin)
    behind = np.append(low, low[-1])[left]
    inside = (left < low.size) & (wraps | (behind < end))
    around = wraps & (low[0] < end - modulus)
    found = []
    for place in np.flatnonzero(inside | around).tolist():
        if wraps[place]:
            stop = int(np.searchsorted(low, end[place] - modulus))
            hits = [*range(left[place], low.size), *range(stop)]
        else:
            hits = [*range(left[place], int(np.searchsorted(low, end[place])))]
        found += [top + (int(high_order[place]) << half) + int(low_order[hit]) for hit in hits]
    return found


@lru_cache(maxsize=8)
def _halves(multiplier: int, modulus: int, shift: int) -> tuple[Words, Places, Words, Places]:
    """Sorted products of the multiplier and of all low and all high parts, and which parts they belong to.

    The high ones fall, so that what is looked up for them rises and neighbours lie close in memory.
    """
    half = shift // 2
    parts = (
        np.arange(1 << half, dtype=np.uint64),
        np.arange(1 << (shift - half), dtype=np.uint64) << np.uint64(half),
    )
    low, high = (_product(multiplier, part, modulus) for part in parts)
    low_order, high_order = np.argsort(low), np.argsort(high)[::-1]
    return low[low_order], low_order, high[high_order], high_order


def _product(multiplier: int, part: Words, modulus: int) -> Words:
    """Modulo ``modulus``; below 2^64 for moduli up to 2^32."""
    product = np.uint64(multiplier) * part
    return product if modulus == 2**64 else product % np.uint64(modulus)


def _outputs(c: Congruence, state: int, count: int) -> NDArray[np.uint8]:
    """``count`` bits behind ``state``."""
    words = []
    for _ in range(-(-count // c.width)):
        state = (c.multiplier * state + c.increment) % c.modulus
        words.append(state >> c.shift & ((1 << c.width) - 1))
    shifts = np.arange(c.width - 1, -1, -1, dtype=np.uint64)
    return ((np.array(words, np.uint64)[:, np.newaxis] >> shifts) & np.uint64(1)).astype(np.uint8).reshape(-1)[:count]
