"""Suffix array and longest common prefixes of bits (compiled), in linear time and memory for any input.

The suffixes are sorted by induction (G. Nong, S. Zhang, W. H. Chan, "Two Efficient Algorithms for Linear Time Suffix
Array Construction", IEEE Trans. Computers 60 (2011) 1471): those that begin a leftmost S-type position (a character
smaller than its predecessor that starts an ascent) are sorted by recursion, and two sweeps place all others. Common
prefixes follow in text order (J. Karkkainen, G. Manzini, S. Puglisi, "Permuted Longest-Common-Prefix Array", CPM 2009).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Indices = NDArray[np.int32]
Text = NDArray[np.uint8] | NDArray[np.int32]


@dataclass(frozen=True)
class Repeats:
    """Longest common prefixes of neighbours in the sorted list of all suffixes of n bits.

    ``common[k]`` (n,) belongs to the suffixes k - 1 and k of the list; ``common[0]`` is 0. ``first`` and ``second``
    (first < second) are where the longest repeated substring occurs; occurrences may overlap.
    """

    common: Indices
    first: int
    second: int

    @property
    def longest(self) -> int:
        """Length of the longest repeated substring, 0 if no bit value occurs twice."""
        return int(self.common.max(initial=0))


def repeats(bits: NDArray[np.uint8]) -> Repeats:
    """Common prefixes of the sorted suffixes of ``bits`` (n,), 1 <= n < 2^31; about 17 bytes a bit."""
    order = suffix_array(bits)
    previous = np.empty(len(bits), np.int32)
    in_text_order = _common_in_text_order(bits, order, previous)
    start = int(in_text_order.argmax())
    other = int(previous[start])
    return Repeats(in_text_order[order], min(start, other), max(start, other))


def suffix_array(bits: NDArray[np.uint8]) -> Indices:
    """Starts of the suffixes of ``bits`` (n,) in lexicographic order, a prefix before what continues it."""
    return _sort(bits)


def _sort(text: Text) -> Indices:
    n = len(text)
    if n <= 1:
        return np.zeros(n, np.int32)
    ascending, starts, seeds = _classify(text)
    order = np.empty(n, np.int32)
    _induce(text, ascending, starts, seeds, order)
    if len(seeds) > 1:
        names, distinct = _name(text, ascending, seeds, order)
        ranked = _sort(names) if distinct < len(seeds) else _inverse(names)
        _induce(text, ascending, starts, seeds[ranked], order)
    return order


@njit(cache=True, error_model="numpy", nogil=True)
def _classify(text: Text) -> tuple[NDArray[np.bool_], Indices, Indices]:
    """S-type flags, where the L-type and the S-type part of each character's bucket begins, leftmost S-types."""
    n = len(text)
    alphabet = np.int64(text.max()) + 1
    ascending = np.zeros(n, np.bool_)
    descents = np.zeros(alphabet + 1, np.int32)
    ascents = np.zeros(alphabet + 1, np.int32)
    leftmost = 0
    descents[text[n - 1]] += 1
    for i in range(n - 2, -1, -1):
        ascending[i] = text[i] < text[i + 1] or (text[i] == text[i + 1] and ascending[i + 1])
        if ascending[i]:
            ascents[text[i]] += 1
        else:
            descents[text[i]] += 1
            leftmost += ascending[i + 1]
    starts = np.empty((2, alphabet + 1), np.int32)
    total = 0
    for c in range(alphabet + 1):
        starts[0, c] = total
        total += descents[c]
        starts[1, c] = total
        total += ascents[c]
    seeds = np.empty(leftmost, np.int32)
    k = 0
    for i in range(1, n):
        if ascending[i] and not ascending[i - 1]:
            seeds[k] = i
            k += 1
    return ascending, starts, seeds


@njit(cache=True, error_model="numpy", nogil=True)
def _induce(text: Text, ascending: NDArray[np.bool_], starts: Indices, seeds: Indices, order: Indices) -> None:
    """Sort all suffixes into ``order``, given the leftmost S-type ones in the order in which they shall count."""
    n = len(text)
    order[:] = -1
    place = starts[1].copy()
    for k in range(len(seeds)):
        c = text[seeds[k]]
        order[place[c]] = seeds[k]
        place[c] += 1
    place = starts[0].copy()
    c = text[n - 1]
    order[place[c]] = n - 1
    place[c] += 1
    for k in range(n):
        before = order[k] - 1
        if before >= 0 and not ascending[before]:
            c = text[before]
            order[place[c]] = before
            place[c] += 1
    place = starts[0].copy()
    for k in range(n - 1, -1, -1):
        before = order[k] - 1
        if before >= 0 and ascending[before]:
            c = text[before]
            place[c + 1] -= 1
            order[place[c + 1]] = before


@njit(cache=True, error_model="numpy", nogil=True)
def _name(text: Text, ascending: NDArray[np.bool_], seeds: Indices, order: Indices) -> tuple[Indices, int]:
    """Ranks of the stretches between leftmost S-types, equal ones alike, in text order; and how many differ."""
    n = len(text)
    index = np.full(n, -1, np.int32)
    for k in range(len(seeds)):
        index[seeds[k]] = k
    names = np.empty(len(seeds), np.int32)
    name = -1
    last = -1
    for k in range(n):
        this = order[k]
        which = index[this]
        if which < 0:
            continue
        same = False
        if last >= 0:
            end = seeds[which + 1] if which + 1 < len(seeds) else n
            end_last = seeds[index[last] + 1] if index[last] + 1 < len(seeds) else n
            # the stretches include the seed after them; the one at the end of the text equals no other
            if end - this == end_last - last and end < n and end_last < n:
                i, j = this, last
                while i <= end and text[i] == text[j]:
                    i += 1
                    j += 1
                same = i > end
        if not same:
            name += 1
        names[which] = name
        last = this
    return names, name + 1


@njit(cache=True, error_model="numpy", nogil=True)
def _inverse(names: Indices) -> Indices:
    result = np.empty(len(names), np.int32)
    for k in range(len(names)):
        result[names[k]] = k
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def _common_in_text_order(text: Text, order: Indices, previous: Indices) -> Indices:
    """Common prefix of each suffix with the one before it in ``order``, whose start goes to ``previous``."""
    n = len(text)
    previous[order[0]] = -1
    for k in range(1, n):
        previous[order[k]] = order[k - 1]
    result = np.zeros(n, np.int32)
    length = 0
    for i in range(n):
        j = previous[i]
        if j < 0:
            length = 0
            continue
        most = n - max(i, j)
        while length < most and text[i + length] == text[j + length]:
            length += 1
        result[i] = length
        if length > 0:
            length -= 1
    return result
