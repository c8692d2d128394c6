"""Encodings of fair bits that need no programmed cells: quantiles, uniform words, sums of words, popcounts."""

from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.encodings.base import EncodedSource, Encoding, check_bits, source_name
from mtjspice.generative.encodings.bit_reader import BitReader
from mtjspice.generative.gaussian import GaussianSource, InverseCdf, quantiles
from mtjspice.generative.law import Law, product_pmf

Floats = NDArray[np.float64]
_DIRECT = 1 << 12  # values of a word up to which sums are convolved directly


@dataclass(frozen=True)
class QuantileWords(Encoding):
    """Normal quantiles of words of fair bits, `gaussian.InverseCdf`; 4 to 16 bits."""

    bits: int = 8

    def __post_init__(self) -> None:
        check_bits(self.bits)

    @property
    def bits_per_number(self) -> float:
        """As many as a word has."""
        return float(self.bits)

    def law(self, ones: float = 0.5) -> Law:
        """All levels, equally likely if the bits are fair."""
        return Law(quantiles(self.bits), product_pmf(np.full(self.bits, ones)))

    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Quantiles of the words of ``source``."""
        return InverseCdf(source, self.bits, label)


@dataclass(frozen=True)
class UniformWords(Encoding):
    """Equidistant numbers of words of fair bits, with mean 0 and variance 1; what two's complement can give at best."""

    bits: int = 8

    def __post_init__(self) -> None:
        check_bits(self.bits)

    @property
    def bits_per_number(self) -> float:
        """As many as a word has."""
        return float(self.bits)

    def values(self) -> Floats:
        """The number of each code, shape (2^bits,)."""
        return (np.arange(2**self.bits) - (2**self.bits - 1) / 2) / sqrt((4.0**self.bits - 1) / 12)

    def law(self, ones: float = 0.5) -> Law:
        """All values, equally likely if the bits are fair."""
        return Law(self.values(), product_pmf(np.full(self.bits, ones)))

    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Values of the words of ``source``."""
        reader, values = BitReader(source), self.values()
        return EncodedSource(
            lambda count: values[reader.words(count, self.bits)],
            lambda: (self.law(), self.bits_per_number),
            label or f"uniform:{self.bits} of {source_name(source)}",
            {**source.provenance, "encoding": f"uniform:{self.bits}"},
        )


@dataclass(frozen=True)
class SummedWords(Encoding):
    """Sum of ``words`` successive numbers of ``part``, scaled to the variance 1 of perfect cells.

    The excess kurtosis is that of one word over the number of words: -1.2 / K for uniform words.
    """

    part: Encoding = field(default_factory=UniformWords)
    words: int = 12

    def __post_init__(self) -> None:
        if not 1 <= self.words <= 1024:
            raise InputError(f"a sum has 1 to 1024 words, not {self.words}")

    @property
    def bits_per_number(self) -> float:
        """Those of all words."""
        return self.words * self.part.bits_per_number

    def law(self, ones: float = 0.5) -> Law | None:
        """Exact law; None if words are correlated or of different cells, and for wide words that are not uniform."""
        one = self.part.law(ones) if self.part.independent else None
        if one is None:
            return None
        uniform = isinstance(self.part, UniformWords) and ones == 0.5
        if not uniform and one.values.size > _DIRECT:
            return None
        pmf = _uniform_sum(one.values.size, self.words) if uniform else _power(one.probabilities, self.words)
        return Law(self._table(one.values), pmf)

    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Sums of the numbers of ``part``."""
        parts = self.part.open(source, seed)
        one = self.part.ideal().law()
        assert one is not None  # of perfect cells
        low, step = one.values[0], (one.values[-1] - one.values[0]) / (one.values.size - 1)
        table = self._table(one.values)

        def make(count: int) -> Floats:
            codes = np.rint((parts.normal((count, self.words)) - low) / step).astype(np.int64)
            return np.asarray(table[codes.sum(axis=1)])  # equal sums are equal numbers

        return EncodedSource(
            make,
            lambda: (self.law(), self.words * (parts.bits_per_number or 0.0)),
            label or f"sum of {self.words}, {parts.label}",
            {**parts.provenance, "words": self.words},
        )

    def _table(self, values: Floats) -> Floats:
        """The number of each sum of codes, ``values`` being those of one word, at equal steps."""
        step = (values[-1] - values[0]) / (values.size - 1)
        count = self.words * (values.size - 1) + 1
        middle = self.words * (values[0] + values[-1]) / 2
        return np.asarray((middle + step * (np.arange(count) - (count - 1) / 2)) / self._scale())

    def _scale(self) -> float:
        ideal = self.part.ideal().law()
        deviation = 1.0 if ideal is None else ideal.standard_deviation
        return sqrt(self.words) * deviation


@dataclass(frozen=True)
class Popcount(Encoding):
    """Number of ones among ``bits`` fair bits, scaled: (k - n / 2) / (sqrt(n) / 2).

    Excess kurtosis -2 / n; no number lies beyond sqrt(n).
    """

    bits: int = 64

    def __post_init__(self) -> None:
        if not 4 <= self.bits <= 65536:
            raise InputError(f"a popcount takes 4 to 65536 bits, not {self.bits}")

    @property
    def bits_per_number(self) -> float:
        """As many as are counted."""
        return float(self.bits)

    def values(self) -> Floats:
        """The number of each count, shape (bits + 1,)."""
        return (2 * np.arange(self.bits + 1) - self.bits) / sqrt(self.bits)

    def law(self, ones: float = 0.5) -> Law:
        """Binomial."""
        n, k = self.bits, np.arange(self.bits + 1)
        chosen = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        pmf = np.exp(chosen + xlogy(k, ones) + xlog1py(n - k, -ones))
        return Law(self.values(), pmf / pmf.sum())

    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Counts of disjoint groups of the bits of ``source``."""
        reader, values = BitReader(source), self.values()

        def make(count: int) -> Floats:
            width = next(w for w in range(32, 0, -1) if self.bits % w == 0)
            words = reader.words(count * (self.bits // width), width).reshape(count, self.bits // width)
            return np.asarray(values[np.bitwise_count(words).sum(axis=1, dtype=np.int64)])

        return EncodedSource(
            make,
            lambda: (self.law(), self.bits_per_number),
            label or f"popcount:{self.bits} of {source_name(source)}",
            {**source.provenance, "encoding": f"popcount:{self.bits}"},
        )


def _uniform_sum(size: int, words: int) -> Floats:
    """Law of the sum of ``words`` uniform numbers 0 to size - 1: running means, of positive terms in the left half.

    The right half mirrors it, so that both tails keep their relative precision.
    """
    law = np.full(size, 1.0 / size)
    for _ in range(words - 1):
        total = law.size + size - 1
        sums = np.cumsum(law)[: (total + 1) // 2]
        if sums.size < (total + 1) // 2:  # the sum has stopped growing
            sums = np.concatenate([sums, np.full((total + 1) // 2 - sums.size, sums[-1])])
        sums[size:] -= sums[:-size].copy() if sums.size > size else 0
        half = sums / size
        law = np.concatenate([half, half[::-1] if total % 2 == 0 else half[-2::-1]])
    return law / law.sum()


def _power(law: Floats, words: int) -> Floats:
    """The ``words``-fold convolution of a law, by squaring."""
    result, square = np.ones(1), law
    while words:
        if words & 1:
            result = np.convolve(result, square)
        words >>= 1
        if words:
            square = np.convolve(square, square)
    return result / result.sum()
