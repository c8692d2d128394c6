"""Gaussian noise words: 8-bit sign-magnitude numbers of independent bits, and how Gaussian they are.

A memory whose cells switch independently produces words whose bits are independent, and so only product laws
(each cell's two-state law, joined by the Kronecker product: Cheng et al., Nat. Commun. 16, 5022, 2025).
Two's complement makes of these at best a uniform number; with a sign bit and a magnitude the best product law
is close to N(0, 1).

The target. A standard normal number x is truncated towards zero: the magnitude code of |x| is
k = min(floor(|x| / LSB), 2**n - 1) with n = integer_bits + fraction_bits and LSB = 2**-fraction_bits, and the
sign is a bit of its own. Bit i of the magnitude is one with the probability m_i = P(bit i of k is 1); the
words draw every bit independently with its m_i. Of all product laws this one, of matched marginals, has the
smallest Kullback-Leibler divergence KL(N || words). For Q2.5 the m_i are, least significant bit first,
0.494 0.488 0.475 0.450 0.398 0.275 0.046. A code stands for the centre of its cell, x = +-(k + 1/2) LSB;
the codes -0 and +0 are therefore two numbers, -LSB/2 and +LSB/2, zero itself never occurs, and truncation is
rounding to the nearest value.

A bit with the probability k / 2**r is made of r fair bits by a chain of AND and OR gates, as in weighted
random pattern generation for circuit tests.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError
from mtjspice.generative.law import LawDistances as LawDistances
from mtjspice.generative.law import law_distances as law_distances
from mtjspice.generative.law import product_pmf


@dataclass(frozen=True)
class QFormat:
    """Sign-magnitude fixed point: a sign bit, ``integer_bits`` and ``fraction_bits``, 2 to 16 in all."""

    integer_bits: int = 2
    fraction_bits: int = 5

    def __post_init__(self) -> None:
        if self.integer_bits < 0 or self.fraction_bits < 0 or not 1 <= self.magnitude_bits <= 15:
            raise ValueError(f"a format needs 1 to 15 magnitude bits, not {self.integer_bits} + {self.fraction_bits}")

    @property
    def magnitude_bits(self) -> int:
        """Number of bits without the sign."""
        return self.integer_bits + self.fraction_bits

    @property
    def lsb(self) -> float:
        """Weight of the least significant bit, 2**-fraction_bits."""
        return 2.0**-self.fraction_bits


@dataclass(frozen=True)
class WeightedBit:
    """A bit that is one with the probability ``numerator`` / 2**``fair_bits``, made of that many fair bits.

    Build it with :func:`weighted_bit`, which drops trailing zeros: the numerator is odd, or the bit is a
    constant 0 or 1 of no fair bits. ``gates`` names the chain: bit j of the numerator, from the least
    significant on, joins the j-th fair bit to the result so far by OR (1) or AND (0), beginning with 0.
    """

    numerator: int
    fair_bits: int

    def __post_init__(self) -> None:
        if self.fair_bits < 0 or not 0 <= self.numerator <= 1 << self.fair_bits:
            raise ValueError(f"not a probability: {self.numerator} / 2**{self.fair_bits}")
        if self.fair_bits and self.numerator % 2 == 0:
            raise ValueError(f"{self.numerator} / 2**{self.fair_bits} is not in lowest terms")

    @property
    def probability(self) -> float:
        """Probability of a one if the fair bits are fair."""
        return math.ldexp(self.numerator, -self.fair_bits)

    @property
    def gates(self) -> tuple[str, ...]:
        """``"or"`` or ``"and"`` for every fair bit in turn; the first, an OR with 0, is a wire."""
        return tuple("or" if self.numerator >> j & 1 else "and" for j in range(self.fair_bits))

    def combine(self, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The weighted bits made of ``bits`` of 0 and 1, shape (n, fair_bits); shape (n,)."""
        if bits.ndim != 2 or bits.shape[1] != self.fair_bits:
            raise ValueError(f"need bits of the shape (n, {self.fair_bits}), not {bits.shape}")
        result = np.full(len(bits), 0 if self.fair_bits else self.numerator, dtype=np.uint8)
        for column, gate in zip(bits.T, self.gates, strict=True):
            result = result | column if gate == "or" else result & column
        return result

    def probability_with(self, raw: NDArray[np.float64]) -> float:
        """Exact probability of a one if the independent raw bits are one with ``raw``, shape (fair_bits,)."""
        if raw.shape != (self.fair_bits,):
            raise ValueError(f"need {self.fair_bits} probabilities, not {raw.shape}")
        result = 0.0 if self.fair_bits else float(self.numerator)
        for p, gate in zip(raw.tolist(), self.gates, strict=True):
            result = result + p - result * p if gate == "or" else result * p
        return result


def weighted_bit(probability: float, resolution: int = 8) -> WeightedBit:
    """The weighted bit nearest to ``probability`` of at most ``resolution`` fair bits."""
    if not 0 <= probability <= 1 or not 0 <= resolution <= 52:
        raise ValueError(f"need a probability and a resolution of 0 to 52, not {probability}, {resolution}")
    numerator = round(probability * 2**resolution)
    while resolution and numerator % 2 == 0:
        numerator, resolution = numerator // 2, resolution - 1
    return WeightedBit(numerator, resolution)


@dataclass(frozen=True)
class WordDesign:
    """How words are made of fair bits: a fair sign bit and one weighted bit per magnitude bit (LSB first).

    A word takes ``bits_per_word`` consecutive fair bits: the sign (1 is negative), then the fair bits of the
    magnitude's bits from the least significant on. No bit serves twice.
    """

    magnitude: tuple[WeightedBit, ...]
    format: QFormat = field(default_factory=QFormat)

    def __post_init__(self) -> None:
        if len(self.magnitude) != self.format.magnitude_bits:
            raise ValueError(f"{len(self.magnitude)} weighted bits for {self.format.magnitude_bits} bits")

    @property
    def bits_per_word(self) -> int:
        """Fair bits that one word consumes."""
        return 1 + sum(bit.fair_bits for bit in self.magnitude)

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Probability of a one of every magnitude bit, least significant first."""
        return tuple(bit.probability for bit in self.magnitude)


def gaussian_marginals(format: QFormat | None = None) -> NDArray[np.float64]:
    """Probability of a one of every magnitude bit of a truncated standard normal number, LSB first.

    The rule is in the module's text; ``format`` is Q2.5 if not given.
    """
    chosen = QFormat() if format is None else format
    codes = np.arange(2**chosen.magnitude_bits)
    edges = np.append(codes * chosen.lsb, np.inf)
    # P(|x| >= edge) rather than P(|x| < edge) keeps the tail exact
    weights = -np.diff(2 * ndtr(-edges))
    ones = codes[:, None] >> np.arange(chosen.magnitude_bits) & 1
    return np.asarray(weights @ ones, dtype=np.float64)


def gaussian_design(format: QFormat | None = None, resolution: int = 8) -> WordDesign:
    """Words whose marginals are those of :func:`gaussian_marginals`, rounded to k / 2**``resolution``."""
    chosen = QFormat() if format is None else format
    marginals = gaussian_marginals(chosen).tolist()
    return WordDesign(tuple(weighted_bit(m, resolution) for m in marginals), chosen)


def word_codes(
    bits: BitStream | ArrayLike, design: WordDesign | None = None, count: int | None = None
) -> NDArray[np.uint16]:
    """Sign-magnitude codes (the sign is the most significant bit) made of fair bits, shape (words,).

    ``design`` is :func:`gaussian_design` if not given. ``count`` is the number of words wanted; without it
    all complete words, at least one, are made. Bits left over are unused. InputError if there are too few.
    """
    chosen = gaussian_design() if design is None else design
    values = as_bits(bits)
    if count is not None and count < 0:
        raise ValueError(f"count must not be negative: {count}")
    words = max(1, values.size // chosen.bits_per_word) if count is None else count
    needed = words * chosen.bits_per_word
    if needed > values.size:
        raise InputError(
            f"too few bits for {words} Gaussian words: {needed} are needed ({chosen.bits_per_word} each), "
            f"{values.size} are available"
        )
    raw = values[:needed].reshape(words, chosen.bits_per_word)
    codes: NDArray[np.uint16] = np.left_shift(raw[:, 0], chosen.format.magnitude_bits, dtype=np.uint16)
    used = 1
    for i, bit in enumerate(chosen.magnitude):
        codes |= np.left_shift(bit.combine(raw[:, used : used + bit.fair_bits]), i, dtype=np.uint16)
        used += bit.fair_bits
    return codes


def decode(codes: ArrayLike, format: QFormat | None = None) -> NDArray[np.float64]:
    """Values of sign-magnitude ``codes``, same shape: +-(k + 1/2) LSB, the centres of the codes' cells."""
    chosen = QFormat() if format is None else format
    integers = np.asarray(codes, dtype=np.int64)
    if ((integers < 0) | (integers >> (chosen.magnitude_bits + 1) != 0)).any():
        raise ValueError(f"codes must lie between 0 and {2 ** (chosen.magnitude_bits + 1) - 1}")
    magnitude = ((integers & (2**chosen.magnitude_bits - 1)) + 0.5) * chosen.lsb
    return np.asarray(np.where(integers >> chosen.magnitude_bits, -magnitude, magnitude), dtype=np.float64)


def gaussian_words(
    bits: BitStream | ArrayLike, design: WordDesign | None = None, count: int | None = None
) -> NDArray[np.float64]:
    """Nearly normal numbers made of fair bits, shape (words,): :func:`word_codes`, decoded."""
    chosen = gaussian_design() if design is None else design
    return decode(word_codes(bits, chosen, count), chosen.format)


def word_law(
    probabilities: ArrayLike, format: QFormat | None = None, sign_probability: float = 0.5
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact law of words of independent bits: ascending values and probabilities, each (2**(n + 1),).

    ``probabilities`` are those of a one of the n magnitude bits, least significant first;
    ``sign_probability`` is that of a negative word. The law is the Kronecker product of the bits' laws.
    """
    chosen = QFormat() if format is None else format
    p = np.asarray(probabilities, dtype=np.float64)
    if p.shape != (chosen.magnitude_bits,):
        raise ValueError(f"need {chosen.magnitude_bits} probabilities, not an array of shape {p.shape}")
    joined = np.append(p, sign_probability)
    if not ((joined >= 0) & (joined <= 1)).all():
        raise ValueError("probabilities must lie between 0 and 1")
    pmf = product_pmf(joined[::-1])
    values = decode(np.arange(pmf.size), chosen)
    order = np.argsort(values)
    return values[order], pmf[order]


def law_with_bias(bias: ArrayLike, design: WordDesign | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact law of the words if the raw bits are independent but one with 1/2 + ``bias`` instead of 1/2.

    ``bias`` is one number for all, or one per raw bit in the order in which a word consumes them, shape
    (bits_per_word,). The probabilities go through the chains of gates exactly. ValueError if |bias| > 1/2.
    """
    chosen = gaussian_design() if design is None else design
    raw = np.broadcast_to(0.5 + np.asarray(bias, dtype=np.float64), chosen.bits_per_word)
    if not ((raw >= 0) & (raw <= 1)).all():
        raise ValueError("a bias must lie between -1/2 and 1/2")
    probabilities = []
    used = 1
    for bit in chosen.magnitude:
        probabilities.append(bit.probability_with(raw[used : used + bit.fair_bits]))
        used += bit.fair_bits
    return word_law(probabilities, chosen.format, float(raw[0]))
