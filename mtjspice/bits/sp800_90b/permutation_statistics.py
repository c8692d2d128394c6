"""The statistics of the permutation tests (SP 800-90B, 5.1.1 to 5.1.11), compiled, for samples of 0 to 255.

Binary samples are converted first where the standard says so: conversion I replaces blocks of eight bits by their
number of ones, conversion II by the integer that they make, most significant bit first; the last block is filled
with zeros.
"""

import bz2

import numpy as np
from numba import njit
from numpy.typing import NDArray

Samples = NDArray[np.uint8]

LAGS = (1, 2, 8, 16, 32)
NAMES = (
    "excursion",
    "number-of-directional-runs",
    "length-of-directional-runs",
    "number-of-increases-and-decreases",
    "number-of-runs-based-on-median",
    "length-of-runs-based-on-median",
    "average-collision",
    "maximum-collision",
    *(f"periodicity-{lag}" for lag in LAGS),
    *(f"covariance-{lag}" for lag in LAGS),
    "compression",
)
"""The nineteen statistics, in the order of the standard."""

COMPRESSION = len(NAMES) - 1
_BZIP2_BLOCK = 5  # hundreds of kilobytes, as NIST's program has it; the standard leaves it open


def conversion_1(bits: Samples) -> Samples:
    """Number of ones of each block of eight bits."""
    return np.bitwise_count(np.packbits(bits))


def conversion_2(bits: Samples) -> Samples:
    """The integers of blocks of eight bits."""
    return np.packbits(bits)


def compressed_length(samples: Samples) -> int:
    """5.1.11: bytes of the samples as decimal numbers with a space between them, compressed by bzip2."""
    if samples.max() < 10:  # one character each
        text = np.full(2 * samples.size - 1, ord(" "), np.uint8)
        text[::2] = samples + ord("0")
        return len(bz2.compress(text.tobytes(), _BZIP2_BLOCK))
    return len(bz2.compress(b" ".join(b"%d" % value for value in samples.tolist()), _BZIP2_BLOCK))


@njit(cache=True, error_model="numpy", nogil=True)
def excursion(samples: Samples) -> float:
    """5.1.1: largest distance of a running sum from the running mean, rounded once: equal sums compare equal."""
    n = len(samples)
    total = np.int64(0)
    for i in range(n):
        total += samples[i]
    distance = np.int64(0)  # times n
    most = np.int64(0)
    for i in range(n):
        distance += n * np.int64(samples[i]) - total
        most = max(most, abs(distance))
    return most / n


@njit(cache=True, error_model="numpy", nogil=True)
def directional_runs(samples: Samples) -> tuple[int, int, int]:
    """5.1.2 to 5.1.4: number of runs of falls and of rises (ties count as rises), the longest, the commoner kind."""
    runs = 1
    run = longest = 1
    rises = 0
    before = samples[0] <= samples[1]
    rises += before
    for i in range(1, len(samples) - 1):
        rise = samples[i] <= samples[i + 1]
        rises += rise
        if rise == before:
            run += 1
        else:
            runs += 1
            run = 1
        longest = max(longest, run)
        before = rise
    return runs, longest, max(rises, len(samples) - 1 - rises)


@njit(cache=True, error_model="numpy", nogil=True)
def median_runs(samples: Samples, median: float) -> tuple[int, int]:
    """5.1.5 and 5.1.6: number and greatest length of runs of samples below, or not below, the median."""
    runs = 1
    run = longest = 1
    before = samples[0] >= median
    for i in range(1, len(samples)):
        above = samples[i] >= median
        same = int(above == before)
        runs += 1 - same
        run = run * same + 1  # without a branch: random bits would mispredict it
        longest = max(longest, run)
        before = above
    return runs, longest


@njit(cache=True, error_model="numpy", nogil=True)
def collisions(samples: Samples) -> tuple[float, int]:
    """5.1.7 and 5.1.8: mean and maximum of the number of samples until a value occurs twice; 0 without any."""
    seen = np.full(256, -1, np.int64)
    begin = 0
    number = most = 0
    for i in range(len(samples)):
        if seen[samples[i]] >= begin:
            number += 1
            most = max(most, i + 1 - begin)
            begin = i + 1
        else:
            seen[samples[i]] = i
    return begin / max(1, number), most


@njit(cache=True, error_model="numpy", nogil=True)
def periodicity(samples: Samples, lag: int) -> int:
    """5.1.9: number of samples that equal the one ``lag`` places on."""
    equal = 0
    for i in range(len(samples) - lag):
        equal += samples[i] == samples[i + lag]
    return equal


@njit(cache=True, error_model="numpy", nogil=True)
def covariance(samples: Samples, lag: int) -> np.int64:
    """5.1.10: sum of the products of samples ``lag`` places apart."""
    total = np.int64(0)
    for i in range(len(samples) - lag):
        total += np.int64(samples[i]) * np.int64(samples[i + lag])
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def binary_statistics(bits: Samples, wanted: NDArray[np.bool_], out: NDArray[np.float64]) -> None:
    """Write the statistics of bits that ``wanted`` marks, all but the compressed length, into ``out`` (19,)."""
    n = len(bits)
    if wanted[0]:
        out[0] = excursion(bits)
    if wanted[4] or wanted[5]:
        out[4], out[5] = median_runs(bits, 0.5)
    integers = np.zeros((n + 7) // 8, np.uint8)  # conversion II
    ones = np.zeros((n + 7) // 8, np.uint8)  # conversion I
    for block in range(n // 8):
        integer = count = 0
        for i in range(8 * block, 8 * block + 8):
            integer = 2 * integer + bits[i]
            count += bits[i]
        integers[block] = integer
        ones[block] = count
    for i in range(n - n % 8, n):
        integers[i // 8] |= bits[i] << (7 - i % 8)
        ones[i // 8] += bits[i]
    if wanted[1] or wanted[2] or wanted[3]:
        out[1], out[2], out[3] = directional_runs(ones)
    if wanted[6] or wanted[7]:
        out[6], out[7] = collisions(integers)
    for k in range(len(LAGS)):
        if wanted[8 + k]:
            out[8 + k] = periodicity(ones, LAGS[k])
        if wanted[13 + k]:
            out[13 + k] = covariance(ones, LAGS[k])
