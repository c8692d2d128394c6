"""Bias against time: the Allan deviation of the fraction of ones, of a stream and of its devices, and windows.

The Allan variance of averages y over m bits is half the mean square of the difference of two that follow each other
(D. W. Allan, "Statistics of atomic frequency standards", Proc. IEEE 54 (1966) 221-230). For independent bits it is
p (1 - p) / m; a random walk makes it grow with m, 1/f noise makes it constant. The overlapping estimator and its
degrees of freedom are those of W. J. Riley, "Handbook of Frequency Stability Analysis", NIST SP 1065 (2008), sections
5.2.4 and 5.4; these are for white noise, as are the intervals.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, chdtri

from mtjspice.bits.stream import CHUNK, BitStream, as_stream
from mtjspice.errors import InputError
from mtjspice.statistics import Proportion, wilson

Counts = NDArray[np.int64]
MOST_COUNTS = 1 << 20
"""Numbers of ones that are kept at most, of all devices together; blocks are as long as that takes."""

_LEAST_VARIANCE = (
    1.9  # of the ones in a block (8 fair bits): counts are normal enough for chi-square limits from there on
)
_LEAST_BLOCKS = 8


@dataclass(frozen=True, eq=False)
class AllanDeviation:
    """Allan deviation of the fraction of ones at averaging ``lengths`` (bits of the stream, or cycles of a device).

    ``low`` and ``high`` are the limits at the ``confidence`` of each length, ``white`` the deviation of independent
    bits with the same ones; all of shape (lengths,).
    """

    lengths: Counts
    deviation: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    white: NDArray[np.float64]
    degrees_of_freedom: NDArray[np.float64]
    confidence: float

    @property
    def exceeds_white_from(self) -> int | None:
        """The shortest length at which the bits are noisier than independent ones, None if at none.

        Chance alone names one with a probability of at most 1 - ``confidence``, divided among all lengths.
        """
        if not self.lengths.size:
            return None
        tail = (1 - self.confidence) / self.lengths.size
        limit = self.white**2 * chdtri(self.degrees_of_freedom, tail) / self.degrees_of_freedom
        above = np.flatnonzero(self.deviation**2 > limit)
        return int(self.lengths[above[0]]) if above.size else None

    @property
    def steadiest_length(self) -> int | None:
        """The averaging length of the smallest deviation; averaging over more bits does not help."""
        return int(self.lengths[self.deviation.argmin()]) if self.lengths.size else None

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        arrays = ("lengths", "deviation", "low", "high", "white", "degrees_of_freedom")
        return {
            **{name: getattr(self, name).tolist() for name in arrays},
            "confidence": self.confidence,
            "exceeds_white_from": self.exceeds_white_from,
            "steadiest_length": self.steadiest_length,
        }


@dataclass(frozen=True, eq=False)
class Windows:
    """Ones in windows of ``size`` bits, one after the other, from the beginning.

    ``p_value`` tests by chi-square that all windows have the same ones, for independent bits.
    """

    size: int
    ones: tuple[Proportion, ...]
    p_value: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "size": self.size,
            "ones": [one.value for one in self.ones],
            "low": [one.low for one in self.ones],
            "high": [one.high for one in self.ones],
            "p_value": self.p_value,
        }


@dataclass(frozen=True, eq=False)
class Drift:
    """What `examine_drift` found; ``devices`` has one entry for each lane of a stream of several.

    ``device_p_values`` are those of the same ones in all windows of a device, shape (lanes,); NaN for one that is
    constant.
    """

    length: int
    stream: AllanDeviation
    windows: Windows
    devices: tuple[AllanDeviation, ...]
    device_p_values: NDArray[np.float64]

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON; None for a device without a p-value."""
        return {
            "length": self.length,
            "allan_deviation": self.stream.as_dict(),
            "windows": self.windows.as_dict(),
            "devices": [device.as_dict() for device in self.devices],
            "device_p_values": [None if math.isnan(p) else p for p in self.device_p_values.tolist()],
        }


def examine_drift(bits: BitStream | ArrayLike, windows: int = 100, confidence: float = 0.95) -> Drift:
    """Drift of a stream and of its devices; ``windows`` at most are compared.

    Blocks consist of whole cycles; the shortest averaging length is a power of two of cycles that makes the variance of
    the ones in a block 1.9 or more, and the blocks not too many (`MOST_COUNTS`). InputError for streams of fewer than
    eight such blocks.
    """
    stream = as_stream(bits)
    if windows < 2 or not 0 < confidence < 1:
        raise ValueError(f"need two windows or more and a confidence between 0 and 1, not {windows} and {confidence}")
    p = stream.ones_fraction if stream.length else 0.0
    per_cycle = max(p * (1 - p), 1e-12)  # of a single device: their limits are to hold as well
    shortest = max(_LEAST_VARIANCE / per_cycle, stream.length / MOST_COUNTS)
    size = 1 << math.ceil(math.log2(shortest))
    if stream.cycles // size < _LEAST_BLOCKS:
        raise InputError(
            f"drift needs at least {_LEAST_BLOCKS} blocks of {size} cycles, got {stream.cycles} cycles "
            f"with {100 * p:.3g} % ones"
        )
    counts = count_ones(stream, size)
    lanes = stream.lanes
    variances = unbiased_variance(counts, size)
    whole = allan_deviation(counts.sum(axis=1), size, float(variances.sum()), confidence)
    return Drift(
        length=stream.length,
        stream=_of_all_lanes(whole, lanes),
        windows=_windows(counts, size, variances, windows, confidence),
        devices=tuple(
            allan_deviation(counts[:, lane], size, float(variances[lane]), confidence) for lane in range(lanes)
        )
        if lanes > 1
        else (),
        device_p_values=_homogeneity(counts, size, variances, windows) if lanes > 1 else np.empty(0),
    )


def count_ones(bits: BitStream | ArrayLike, size: int) -> Counts:
    """Ones of each lane in blocks of ``size`` cycles, shape (blocks, lanes); an incomplete last block is left out."""
    if size < 1:
        raise ValueError(f"a block has at least one cycle, not {size}")
    stream = as_stream(bits)
    width = size * stream.lanes
    if stream.lanes == 1 and size % 8 == 0:
        blocks = stream.length // size
        result = np.empty(blocks, np.int64)
        step = max(1, 8 * CHUNK // size)
        for begin in range(0, blocks, step):
            part = stream.packed[begin * size // 8 : min(blocks, begin + step) * size // 8]
            result[begin : begin + step] = np.bitwise_count(part).reshape(-1, size // 8).sum(axis=1, dtype=np.int64)
        return result[:, np.newaxis]
    counts = np.zeros((stream.length // width, stream.lanes), np.int64)
    step = math.lcm(8, stream.lanes)
    step *= max(1, 8 * CHUNK // step)
    for begin in range(0, len(counts) * width, step):
        piece = stream[begin : min(begin + step, len(counts) * width)]
        _count_lanes(np.asarray(piece.packed), piece.length, begin // stream.lanes, size, counts)
    return counts


@njit(cache=True, error_model="numpy", nogil=True)
def _count_lanes(packed, length, first_cycle, size, counts):  # type: ignore[no-untyped-def]
    lanes = counts.shape[1]
    block, left, lane = first_cycle // size, size - first_cycle % size, 0
    for i in range(length):
        counts[block, lane] += (packed[i >> 3] >> (7 - (i & 7))) & 1
        lane += 1
        if lane == lanes:
            lane = 0
            left -= 1
            if left == 0:
                block += 1
                left = size


def unbiased_variance(counts: Counts, size: int) -> NDArray[np.float64]:
    """Variance p (1 - p) of a bit of each lane, without bias for independent bits; shape (lanes,)."""
    n = len(counts) * size
    p = counts.sum(axis=0) / n
    return np.asarray(p * (1 - p) * n / max(1, n - 1))


def allan_deviation(counts: Counts, size: int, variance: float, confidence: float = 0.95) -> AllanDeviation:
    """Allan deviation of ``counts`` / ``size`` at averaging lengths of size, 2 size, 4 size ...

    ``counts`` are those of blocks of ``size`` cycles, shape (blocks,); the longest length has four times its length of
    them. ``variance`` is that of a cycle's count if cycles are independent, which makes the white noise.
    """
    total = np.concatenate([[0], np.cumsum(counts)])
    points = total.size
    octaves = max(0, int(math.log2((points - 1) / 4)) + 1) if points > 4 else 0
    factors = 1 << np.arange(octaves)
    squares = np.empty(octaves)
    for k, m in enumerate(factors.tolist()):
        differences = total[2 * m :] - 2 * total[m:-m] + total[: -2 * m]
        squares[k] = float(np.mean(differences.astype(np.float64) ** 2)) / (2 * (m * size) ** 2)
    freedom = (1.5 * (points - 1) / factors - 2 * (points - 2) / points) * 4 * factors**2 / (4 * factors**2 + 5)
    tail = (1 - confidence) / 2
    return AllanDeviation(
        lengths=(factors * size).astype(np.int64),
        deviation=np.sqrt(squares),
        low=np.sqrt(squares * freedom / chdtri(freedom, tail)),
        high=np.sqrt(squares * freedom / chdtri(freedom, 1 - tail)),
        white=np.sqrt(variance / (factors * size)),
        degrees_of_freedom=freedom,
        confidence=confidence,
    )


def _of_all_lanes(summed: AllanDeviation, lanes: int) -> AllanDeviation:
    """From the ones of a cycle to the fraction of ones, and from cycles to bits."""
    return replace(
        summed,
        lengths=summed.lengths * lanes,
        deviation=summed.deviation / lanes,
        low=summed.low / lanes,
        high=summed.high / lanes,
        white=summed.white / lanes,
    )


def _grouped(counts: Counts, windows: int) -> tuple[Counts, int]:
    """Blocks joined to at most ``windows`` windows, and how many blocks one has."""
    group = -(-len(counts) // windows)
    whole = len(counts) // group
    return counts[: whole * group].reshape(whole, group, -1).sum(axis=1), group


def _windows(counts: Counts, size: int, variances: NDArray[np.float64], windows: int, confidence: float) -> Windows:
    grouped, group = _grouped(counts, windows)
    cycles = size * group
    ones = grouped.sum(axis=1)
    spread = float(((ones - ones.mean()) ** 2).sum())
    variance = cycles * float(variances.sum())
    p_value = float(chdtrc(len(ones) - 1, spread / variance)) if variance else None
    bits = cycles * counts.shape[1]
    return Windows(bits, tuple(wilson(int(one), bits, confidence) for one in ones), p_value)


def _homogeneity(counts: Counts, size: int, variances: NDArray[np.float64], windows: int) -> NDArray[np.float64]:
    """P-value of each device that its windows have the same ones."""
    grouped, group = _grouped(counts, windows)
    spread = ((grouped - grouped.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(chdtrc(len(grouped) - 1, spread / (size * group * variances)))
