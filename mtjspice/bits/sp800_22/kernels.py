"""Compiled loops over the bits, uint8 vectors of 0 and 1."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy", nogil=True)
def block_ones(bits: Bits, block: int, blocks: int) -> Counts:
    """Number of ones in each block."""
    result = np.zeros(blocks, np.int64)
    for k in range(blocks):
        ones = np.int64(0)
        for bit in bits[k * block : (k + 1) * block]:
            ones += np.int64(bit)
        result[k] = ones
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def longest_runs(bits: Bits, block: int, blocks: int) -> Counts:
    """Length of the longest run of ones in each block."""
    result = np.zeros(blocks, np.int64)
    for k in range(blocks):
        run = longest = np.int64(0)
        for bit in bits[k * block : (k + 1) * block]:
            run = (run + 1) * np.int64(bit)
            longest = max(longest, run)
        result[k] = longest
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def run_matches(bits: Bits, template: int, block: int, blocks: int) -> Counts:
    """Number of places in each block where ``template`` ones stand in a row."""
    result = np.zeros(blocks, np.int64)
    for k in range(blocks):
        run = matches = np.int64(0)
        for bit in bits[k * block : (k + 1) * block]:
            run = (run + 1) * np.int64(bit)
            matches += run >= template
        result[k] = matches
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def ranks(rows: NDArray[np.uint32]) -> Counts:
    """Rank over GF(2) of each matrix of ``rows``, shape (matrices, rows) with up to 32 columns in a word."""
    result = np.zeros(len(rows), np.int64)
    work = np.zeros(rows.shape[1], np.uint32)
    for k in range(len(rows)):
        work[:] = rows[k]
        for i in range(len(work)):
            pivot = work[i]
            if pivot == 0:
                continue
            result[k] += 1
            lowest = pivot & (~pivot + np.uint32(1))
            for j in range(i + 1, len(work)):
                work[j] ^= pivot * np.uint32((work[j] & lowest) != 0)
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def window_counts(bits: Bits, width: int, block: int, blocks: int) -> NDArray[np.int32]:
    """How often each word of ``width`` bits stands in each block, shape (blocks, 2**width), first bit highest."""
    result = np.zeros((blocks, 1 << width), np.int32)
    mask = (1 << width) - 1
    for k in range(blocks):
        code = np.int64(0)
        for bit in bits[k * block : k * block + width - 1]:
            code = (code << 1) | np.int64(bit)
        for bit in bits[k * block + width - 1 : (k + 1) * block]:
            code = ((code << 1) | np.int64(bit)) & mask
            result[k, code] += 1
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def circular_counts(bits: Bits, width: int) -> Counts:
    """How often each word of ``width`` bits stands in the bits joined to a ring, shape (2**width,)."""
    result = np.zeros(1 << width, np.int64)
    mask = (1 << width) - 1
    n = len(bits)
    code = np.int64(0)
    for i in range(width - 1):
        code = (code << 1) | np.int64(bits[i % n])
    for i in range(width - 1, n):
        code = ((code << 1) | np.int64(bits[i])) & mask
        result[code] += 1
    for i in range(max(width - 1, n), n + width - 1):
        code = ((code << 1) | np.int64(bits[i % n])) & mask
        result[code] += 1
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def distance_logarithms(bits: Bits, width: int, first: int, tested: int) -> float:
    """Sum of log2 of the distance of ``tested`` blocks, which follow the ``first`` ones, to the last equal block.

    A block that never stood before has the distance to the place before the first one.
    """
    last = np.zeros(1 << width, np.int64)
    total = 0.0
    product = 1.0
    for k in range(1, first + tested + 1):
        code = np.int64(0)
        for bit in bits[(k - 1) * width : k * width]:
            code = (code << 1) | np.int64(bit)
        if k > first:
            product *= k - last[code]
            if product > 1e280:  # distances stay below 2^40: one logarithm for many of them
                total += np.log2(product)
                product = 1.0
        last[code] = k
    return total + np.log2(product)


@njit(cache=True, error_model="numpy", nogil=True)
def walk_extremes(bits: Bits) -> tuple[int, int, int]:
    """Highest, lowest (both including the start, 0) and last place of the walk with the steps 2 bit - 1."""
    place = highest = lowest = np.int64(0)
    for bit in bits:
        place += 2 * np.int64(bit) - 1
        highest = max(highest, place)
        lowest = min(lowest, place)
    return int(highest), int(lowest), int(place)


@njit(cache=True, error_model="numpy", nogil=True)
def excursions(bits: Bits) -> tuple[int, int, Counts, Counts]:
    """Cycles of the walk between two zeros.

    Returns the number of returns to 0, the number of cycles (one more if the walk ends elsewhere), the number of
    cycles with 0, 1 ... >= 5 visits to each of the states -4 ... 4, shape (9, 6), and all visits to each of the
    states -9 ... 9, shape (19,).
    """
    cycles = np.zeros((9, 6), np.int64)
    visits = np.zeros(9, np.int64)
    totals = np.zeros(19, np.int64)
    place = np.int64(0)
    returns = 0
    for bit in bits:
        place += 2 * np.int64(bit) - 1
        if -9 <= place <= 9:
            totals[place + 9] += 1
            if -4 <= place <= 4:
                visits[place + 4] += 1
                if place == 0:
                    returns += 1
                    for k in range(9):
                        cycles[k, min(visits[k], 5)] += 1
                        visits[k] = 0
    number = returns
    if place != 0:
        number += 1
        for k in range(9):
            cycles[k, min(visits[k], 5)] += 1
    return returns, number, cycles, totals


@njit(cache=True, error_model="numpy", nogil=True)
def powers_below(spectrum: NDArray[np.complex128], first: int, last: int, limit: float) -> int:
    """Number of coefficients ``first`` <= k < ``last`` with the absolute square below ``limit``."""
    count = 0
    for k in range(first, last):
        count += spectrum[k].real ** 2 + spectrum[k].imag ** 2 < limit
    return count
