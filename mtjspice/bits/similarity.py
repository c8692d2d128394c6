"""Are streams, or the devices of one, copies of each other? Hamming distances and cross-correlations of all pairs.

Given how many ones two streams of n bits have, the number of places where both are one is hypergeometric if they are
independent (Fisher's exact test); the fraction of differing bits has the mean p1 q2 + q1 p2 and the variance
4 p1 q1 p2 q2 / (n - 1), which is 0.25 / n for fair bits.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mtjspice.bits.overlaps import both_ones, deviation, head, overlap_p_value, shifted, sidak
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

MOST_PAIRS = 100_000
MOST_BITS = 1 << 28
"""Bits of all streams together that are compared; of longer ones the first."""


@dataclass(frozen=True)
class Pair:
    """Streams ``first`` and ``second``, the latter ``lag`` bits later: differing bits, as a fraction, and deviation.

    ``expected`` is the fraction for independent streams with the same ones, ``z`` the deviation from it in standard
    deviations, ``p_value`` two-sided.
    """

    first: int
    second: int
    lag: int
    distance: float
    expected: float
    z: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Similarity:
    """What `compare_streams` found in ``streams`` streams of ``length`` bits.

    ``pairs`` were compared (of ``possible`` at lag 0) at lags up to ``lags``; ``distances`` and ``z`` are those at lag
    0, shape (pairs,), z being NaN where a stream is constant. ``identical`` and ``inverted`` list pairs that agree or
    differ in every bit, constant streams left out, ``constant`` those. ``worst`` is the pair and lag with the largest
    \\|z|, ``p_value`` its p-value after Sidak's correction for all of them; None without any that are not constant.
    """

    streams: int
    length: int
    possible: int
    lags: int
    distances: NDArray[np.float64]
    z: NDArray[np.float64]
    identical: tuple[tuple[int, int], ...]
    inverted: tuple[tuple[int, int], ...]
    constant: tuple[int, ...]
    worst: Pair | None
    p_value: float | None
    mean: float
    low: float
    high: float
    confidence: float

    @property
    def pairs(self) -> int:
        """Number of pairs that were compared."""
        return self.distances.size

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON; the distances as minimum, mean with interval, and maximum."""
        return {
            "streams": self.streams,
            "length": self.length,
            "pairs": self.pairs,
            "possible_pairs": self.possible,
            "lags": self.lags,
            "distance": {
                "mean": self.mean, "low": self.low, "high": self.high, "confidence": self.confidence,
                "minimum": float(self.distances.min()), "maximum": float(self.distances.max()),
            },
            "identical": [list(pair) for pair in self.identical],
            "inverted": [list(pair) for pair in self.inverted],
            "constant": list(self.constant),
            "worst": None if self.worst is None else asdict(self.worst),
            "p_value": self.p_value,
        }  # fmt: skip


def compare_lanes(stream: BitStream, **options: Any) -> Similarity:
    """Compare the devices of a stream, of long ones in the first `MOST_BITS` bits; ``options`` as `compare_streams`.

    InputError for a stream of one lane.
    """
    if stream.lanes < 2:
        raise InputError("a stream of one lane has no devices to compare")
    part = stream[: MOST_BITS // stream.lanes * stream.lanes]
    step = 8 * stream.lanes * max(1, (1 << 21) // stream.lanes)
    packed = [np.packbits(chunk.table().T, axis=1) for chunk in part.chunks(step)]
    return _compare(np.concatenate(packed, axis=1), part.cycles, **options)


def compare_parts(stream: BitStream, parts: int = 16, **options: Any) -> Similarity:
    """Compare ``parts`` equal parts of a stream with each other, which finds a recording that repeats itself."""
    size = stream.length // parts
    return compare_streams([stream[k * size : (k + 1) * size] for k in range(parts)], **options)


def compare_streams(streams: Sequence[BitStream], **options: Any) -> Similarity:
    """Compare streams bit by bit over the length of the shortest, of long ones in the first bits (`MOST_BITS`).

    ``lags`` (0) compares each with every other up to so many bits later too; ``limit`` (`MOST_PAIRS`) is the largest
    number of pairs, above it as many are drawn with ``seed`` (0); ``confidence`` (0.95) that of the mean's interval.
    InputError for fewer than two streams or two bits.
    """
    if len(streams) < 2:
        raise InputError(f"at least 2 streams can be compared, got {len(streams)}")
    length = min(MOST_BITS // len(streams), min(stream.length for stream in streams))
    return _compare(np.stack([np.asarray(stream[:length].packed) for stream in streams]), length, **options)


def _compare(
    packed: NDArray[np.uint8],
    length: int,
    *,
    lags: int = 0,
    limit: int = MOST_PAIRS,
    seed: int = 0,
    confidence: float = 0.95,
) -> Similarity:
    streams = len(packed)
    if not 0 <= lags <= length - 2:
        raise InputError(f"streams of {length} bits cannot be compared at lags up to {lags}; 2 bits must overlap")
    first, second = _chosen(streams, limit, seed)
    words = np.zeros((streams, -(-packed.shape[1] // 8) * 8), np.uint8)
    words[:, : packed.shape[1]] = packed
    words = words.view(">u8").astype(np.uint64)
    ones = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    both = both_ones(words, words, first, second)
    differing = ones[first] + ones[second] - 2 * both
    z = deviation(length, ones[first], ones[second], both)
    varying = np.isfinite(z)
    worst, tests = _worst(words, length, lags, first, second)
    distances = differing / length
    centre = float(distances.mean())
    # pairs share streams, yet the distances of independent streams are uncorrelated
    scatter = max(float(distances.std()), math.sqrt(0.25 / length)) / math.sqrt(first.size)
    half = float(ndtri(0.5 + confidence / 2)) * scatter
    pairs = np.stack([first, second], axis=1)
    return Similarity(
        streams=streams,
        length=length,
        possible=streams * (streams - 1) // 2,
        lags=lags,
        distances=distances,
        z=z,
        identical=_listed(pairs[varying & (differing == 0)]),
        inverted=_listed(pairs[varying & (differing == length)]),
        constant=tuple(np.flatnonzero((ones == 0) | (ones == length)).tolist()),
        worst=worst,
        p_value=None if worst is None else sidak(worst.p_value, tests),
        mean=centre,
        low=max(0.0, centre - half),
        high=min(1.0, centre + half),
        confidence=confidence,
    )


def _listed(pairs: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    return tuple((int(a), int(b)) for a, b in pairs)


def _chosen(streams: int, limit: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs first < second, or ``limit`` different ones."""
    possible = streams * (streams - 1) // 2
    if possible <= limit:
        first, second = np.triu_indices(streams, 1)
        return first.astype(np.int64), second.astype(np.int64)
    numbers = np.sort(np.random.default_rng(seed).choice(possible, limit, replace=False))
    # pair (i, j) with i < j has the number j (j - 1) / 2 + i
    second = ((1 + np.sqrt(1 + 8 * numbers.astype(np.float64))) / 2).astype(np.int64)
    second -= second * (second - 1) // 2 > numbers
    second += second * (second + 1) // 2 <= numbers
    return numbers - second * (second - 1) // 2, second


def _worst(
    words: NDArray[np.uint64], length: int, lags: int, first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[Pair | None, int]:
    """The pair and lag that deviate most, and how many were looked at."""
    worst, largest, tests = None, -1.0, 0
    for lag in range(lags + 1):
        n = length - lag
        later, earlier = shifted(words, lag), head(words, n)
        ones_later = np.bitwise_count(later).sum(axis=1, dtype=np.int64)
        ones_earlier = np.bitwise_count(earlier).sum(axis=1, dtype=np.int64)
        # with a lag a pair has two orders
        for a, b in ((first, second), (second, first))[: 2 if lag else 1]:
            both = both_ones(earlier, later, a, b)
            z = deviation(n, ones_earlier[a], ones_later[b], both)
            valid = np.isfinite(z)
            tests += int(valid.sum())
            if not valid.any():
                continue
            k = int(np.where(valid, np.abs(z), -1).argmax())
            if abs(z[k]) > largest:
                largest = abs(float(z[k]))
                one, two, joint = int(ones_earlier[a[k]]), int(ones_later[b[k]]), int(both[k])
                expected = (one * (n - two) + two * (n - one)) / n**2
                p_value = overlap_p_value(n, one, two, joint)
                distance = (one + two - 2 * joint) / n
                worst = Pair(int(a[k]), int(b[k]), lag, distance, expected, float(z[k]), p_value)
    return worst, tests
