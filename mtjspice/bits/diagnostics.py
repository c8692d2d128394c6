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

from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError
from mtjspice.statistics import Proportion, wilson

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
    values = as_bits(bits)
    n = values.size
    if n < 2:
        raise InputError(f"a diagnosis needs at least 2 bits, got {n}")
    return Diagnosis(
        length=n,
        ones=wilson(int(np.count_nonzero(values)), n, confidence),
        autocorrelation=tuple(autocorrelation(values, min(lags, n - 1)).tolist()),
        band=float(ndtri(0.5 + confidence / 2)) / math.sqrt(n),
        runs=count_runs(values),
        monobit_test=monobit_test(values),
        runs_test=runs_test(values),
    )


def autocorrelation(bits: BitStream | ArrayLike, lags: int = 32) -> NDArray[np.float64]:
    """Sample autocorrelation r_1 ... r_lags of n bits, shape (lags,); needs 1 <= lags < n.

    r_k = sum_{t=1}^{n-k} (x_t - m)(x_{t+k} - m) / sum_{t=1}^{n} (x_t - m)^2, m the mean (Box and Jenkins).
    For independent bits r_k is about normal with mean -1/n and standard deviation 1/sqrt(n). A constant
    sequence has no autocorrelation: all NaN.
    """
    values = as_bits(bits)
    n = values.size
    if not 1 <= lags < n:
        raise ValueError(f"lags must lie between 1 and {n - 1} for {n} bits, not {lags}")
    ones = int(np.count_nonzero(values))
    if ones in (0, n):
        return np.full(lags, np.nan)
    mean = ones / n
    result = np.empty(lags)
    last_ones = first_ones = 0  # among the last and the first k bits
    for k in range(1, lags + 1):
        last_ones += int(values[n - k])
        first_ones += int(values[k - 1])
        joint = int(np.count_nonzero(values[: n - k] & values[k:]))
        sums = 2 * ones - last_ones - first_ones
        result[k - 1] = joint - mean * sums + (n - k) * mean * mean
    return result / (n * mean * (1 - mean))


def count_runs(bits: BitStream | ArrayLike) -> int:
    """Number of maximal stretches of equal bits; 0 for no bits."""
    values = as_bits(bits)
    return int(np.count_nonzero(values[1:] != values[:-1])) + 1 if values.size else 0


def monobit_test(bits: BitStream | ArrayLike) -> Significance:
    """Frequency (monobit) test, SP 800-22 section 2.1: p = erfc(|#ones - #zeros| / sqrt(2 n))."""
    values = as_bits(bits)
    n = values.size
    if n == 0:
        return Significance(None, "no bits")
    excess = abs(2 * int(np.count_nonzero(values)) - n)
    return Significance(math.erfc(excess / math.sqrt(2 * n)), _length_note(n))


def runs_test(bits: BitStream | ArrayLike) -> Significance:
    """Runs test, SP 800-22 section 2.3: p = erfc(|V - 2 n pi (1 - pi)| / (2 sqrt(2 n) pi (1 - pi))).

    V is the number of runs and pi the fraction of ones. The test presumes |pi - 1/2| < 2/sqrt(n); otherwise,
    or for a constant sequence, it is not applicable (NIST's program prints 0 there).
    """
    values = as_bits(bits)
    n = values.size
    if n == 0:
        return Significance(None, "no bits")
    ones = int(np.count_nonzero(values))
    pi = ones / n
    if ones in (0, n):
        return Significance(None, "not applicable: all bits are equal")
    if (2 * ones - n) ** 2 >= 16 * n:  # |pi - 1/2| >= 2/sqrt(n), without rounding
        reason = f"|pi - 1/2| = {abs(pi - 0.5):.3g} is not below 2/sqrt(n) = {2 / math.sqrt(n):.3g}"
        return Significance(None, f"not applicable: {reason}")
    spread = pi * (1 - pi)
    deviation = abs(count_runs(values) - 2 * n * spread)
    return Significance(math.erfc(deviation / (2 * math.sqrt(2 * n) * spread)), _length_note(n))


def _length_note(n: int) -> str:
    if n >= RECOMMENDED_LENGTH:
        return ""
    return f"{n} bits are fewer than the {RECOMMENDED_LENGTH} that SP 800-22 recommends"
