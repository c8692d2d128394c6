"""First questions to a bit stream: bias, autocorrelation, and the two simplest tests of SP 800-22.

SP 800-22 is A. Rukhin et al., "A Statistical Test Suite for Random and Pseudorandom Number Generators for
Cryptographic Applications", NIST Special Publication 800-22 revision 1a (2010).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from mtjspice.bits.sp800_22.counting import frequency_p_value, runs_p_value
from mtjspice.bits.stream import CHUNK, BitStream, as_stream
from mtjspice.errors import InputError
from mtjspice.statistics import Proportion, wilson

_WORDS = CHUNK // 32  # 64-bit words of a chunk: chunk, shifted chunk and what both share fit the cache

RECOMMENDED_LENGTH = 100
"""The number of bits from which SP 800-22 recommends the monobit and the runs test (2.1.7, 2.3.7)."""


@dataclass(frozen=True)
class Significance:
    """Outcome of a test: ``p_value`` lies in [0, 1], or is None where the test is not applicable.

    ``note`` says why it is not applicable, or what weakens the p-value; empty otherwise.
    """

    p_value: float | None
    note: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What :func:`diagnose` found.

    ``ones`` is the proportion of ones; ``autocorrelation[k - 1]`` belongs to lag k and is NaN for a constant
    sequence; independent bits stay within +-``band`` at each single lag with the probability
    ``ones.confidence``.
    """

    length: int
    ones: Proportion
    autocorrelation: tuple[float, ...]
    band: float
    runs: int
    monobit_test: Significance
    runs_test: Significance

    @property
    def bias(self) -> float:
        """Fraction of ones minus 1/2."""
        return self.ones.value - 0.5

    @property
    def lags_outside_band(self) -> tuple[int, ...]:
        """Lags whose autocorrelation exceeds the band; chance alone puts (1 - confidence) of them there."""
        return tuple(k for k, r in enumerate(self.autocorrelation, start=1) if abs(r) > self.band)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON, with None in the place of NaN."""
        return {
            "length": self.length,
            "ones": {"value": self.ones.value, **asdict(self.ones)},
            "bias": self.bias,
            "autocorrelation": [None if math.isnan(r) else r for r in self.autocorrelation],
            "autocorrelation_band": self.band,
            "lags_outside_band": list(self.lags_outside_band),
            "runs": self.runs,
            "monobit_test": asdict(self.monobit_test),
            "runs_test": asdict(self.runs_test),
        }


def diagnose(bits: BitStream | ArrayLike, lags: int = 32, confidence: float = 0.95) -> Diagnosis:
    """Bias, autocorrelation at lags 1 to ``lags`` and the monobit and runs tests of at least two bits.

    ``confidence`` is that of the Wilson interval of the ones and of the autocorrelation band z/sqrt(n). Short
    streams get only the lags below their length. InputError for fewer than two bits.
    """
    if lags < 1 or not 0 < confidence < 1:
        raise ValueError(f"need lags >= 1 and 0 < confidence < 1, not {lags} and {confidence}")
    stream = as_stream(bits)
    n = stream.length
    if n < 2:
        raise InputError(f"a diagnosis needs at least 2 bits, got {n}")
    return Diagnosis(
        length=n,
        ones=wilson(stream.ones, n, confidence),
        autocorrelation=tuple(autocorrelation(stream, min(lags, n - 1)).tolist()),
        band=float(ndtri(0.5 + confidence / 2)) / math.sqrt(n),
        runs=count_runs(stream),
        monobit_test=monobit_test(stream),
        runs_test=runs_test(stream),
    )


def joint_ones(bits: BitStream | ArrayLike, lags: int) -> NDArray[np.int64]:
    """How often bits t and t + k are both one, for k = 0 ... ``lags``, shape (lags + 1,); needs 0 <= lags < n.

    Works on the packed bits, a chunk at a time: 64 lags of 10^9 bits take seconds and a few megabytes.
    """
    stream = as_stream(bits)
    if not 0 <= lags < max(1, stream.length):
        raise ValueError(f"lags must lie between 0 and {stream.length - 1} for {stream.length} bits, not {lags}")
    counts = np.zeros(lags + 1, np.int64)
    reach = lags // 64 + 1  # words behind a chunk that its lags reach into
    for begin in range(0, stream.packed.size, 8 * _WORDS):
        buffer = np.zeros(8 * (_WORDS + reach), np.uint8)
        part = stream.packed[begin : begin + buffer.size]
        buffer[: part.size] = part
        size = min(_WORDS, -(-part.size // 8))
        words = buffer.view(">u8").astype(np.uint64)[: size + reach]
        here = words[:size]
        for lag in range(lags + 1):
            whole, shift = divmod(lag, 64)
            there = words[whole : whole + size] << np.uint64(shift)
            if shift:
                there |= words[whole + 1 : whole + 1 + size] >> np.uint64(64 - shift)
            there &= here
            counts[lag] += int(np.bitwise_count(there).sum(dtype=np.int64))
    return counts


def autocorrelation(bits: BitStream | ArrayLike, lags: int = 32) -> NDArray[np.float64]:
    """Sample autocorrelation r_1 ... r_lags of n bits, shape (lags,); needs 1 <= lags < n.

    r_k = sum_{t=1}^{n-k} (x_t - m)(x_{t+k} - m) / sum_{t=1}^{n} (x_t - m)^2, m the mean (Box and Jenkins).
    For independent bits r_k is about normal with mean -1/n and standard deviation 1/sqrt(n). A constant
    sequence has no autocorrelation: all NaN.
    """
    stream = as_stream(bits)
    n = stream.length
    if not 1 <= lags < n:
        raise ValueError(f"lags must lie between 1 and {n - 1} for {n} bits, not {lags}")
    ones = stream.ones
    if ones in (0, n):
        return np.full(lags, np.nan)
    mean = ones / n
    joint = joint_ones(stream, lags)[1:]
    k = np.arange(1, lags + 1)
    # ones among the bits that have one k later, and among those that have one k before
    sums = (
        2 * ones
        - np.cumsum(stream[n - lags :].bits()[::-1], dtype=np.int64)
        - np.cumsum(stream[:lags].bits(), dtype=np.int64)
    )
    return (joint - mean * sums + (n - k) * mean * mean) / (n * mean * (1 - mean))


def count_runs(bits: BitStream | ArrayLike) -> int:
    """Number of maximal stretches of equal bits; 0 for no bits."""
    stream = as_stream(bits)
    if stream.length < 2:
        return stream.length
    ones, joint = (int(count) for count in joint_ones(stream, 1))
    ends = int(stream.packed[0] >> 7) + int(stream[stream.length - 1 :].packed[0] >> 7)
    return 2 * ones - ends - 2 * joint + 1


def monobit_test(bits: BitStream | ArrayLike) -> Significance:
    """Frequency (monobit) test, SP 800-22 section 2.1."""
    stream = as_stream(bits)
    n = stream.length
    if n == 0:
        return Significance(None, "no bits")
    return Significance(frequency_p_value(stream.ones, n), _length_note(n))


def runs_test(bits: BitStream | ArrayLike) -> Significance:
    """Runs test, SP 800-22 section 2.3.

    The test presumes a fraction of ones pi with |pi - 1/2| < 2/sqrt(n); otherwise, or for a constant sequence, it is
    not applicable (NIST's program prints 0 there).
    """
    stream = as_stream(bits)
    n = stream.length
    if n == 0:
        return Significance(None, "no bits")
    ones = stream.ones
    pi = ones / n
    if ones in (0, n):
        return Significance(None, "not applicable: all bits are equal")
    if (2 * ones - n) ** 2 >= 16 * n:  # |pi - 1/2| >= 2/sqrt(n), without rounding
        reason = f"|pi - 1/2| = {abs(pi - 0.5):.3g} is not below 2/sqrt(n) = {2 / math.sqrt(n):.3g}"
        return Significance(None, f"not applicable: {reason}")
    return Significance(runs_p_value(count_runs(stream), ones, n), _length_note(n))


def _length_note(n: int) -> str:
    if n >= RECOMMENDED_LENGTH:
        return ""
    return f"{n} bits are fewer than the {RECOMMENDED_LENGTH} that SP 800-22 recommends"
