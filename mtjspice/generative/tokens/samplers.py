"""Drawing tokens from probabilities with random bits, and the exact laws of what is drawn."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.errors import InputError, choose
from mtjspice.generative.encodings.bit_reader import BitReader
from mtjspice.generative.tokens.words import FAIR, BitLaw

Floats = NDArray[np.float64]
Tokens = NDArray[np.int64]
_DEPTH = 52  # bits after which the interval sampler decides by the lower end


class Sampler(ABC):
    """Takes logarithms of probabilities, (n, tokens), to n tokens, and bits from a reader in the order of the rows."""

    name: str

    @abstractmethod
    def draw(self, logs: Floats, reader: BitReader) -> Tokens:
        """Tokens, shape (n,); StreamExhaustedError if the bits do not suffice."""

    @abstractmethod
    def law(self, logs: Floats, bits: BitLaw = FAIR) -> Floats | None:
        """Probabilities of the tokens that are drawn in truth, for one row; None where it is too long to compute.

        Of bits with memory it is the law of a token among many.
        """

    @abstractmethod
    def bits_per_token(self, logs: Floats) -> float:
        """Mean number of fair bits for a token of one row."""


@dataclass(frozen=True)
class InverseCdfSampler(Sampler):
    """The token in whose stretch of the distribution function (k + 1/2) / 2^``bits`` lies, k a word."""

    bits: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 32:
            raise InputError(f"a word of the inverse-CDF sampler has 1 to 32 bits, not {self.bits}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """As the command line has it."""
        return f"inverse-cdf:{self.bits}"

    def draw(self, logs: Floats, reader: BitReader) -> Tokens:
        """Tokens, shape (n,)."""
        words = reader.words(len(logs), self.bits)
        return np.asarray((self._limits(logs) <= words[:, None]).sum(axis=1), np.int64)

    def law(self, logs: Floats, bits: BitLaw = FAIR) -> Floats:
        """Probabilities of the tokens."""
        below = bits.below(self._limits(logs[None])[0], self.bits)
        return np.diff(np.concatenate([[0.0], below]))

    def bits_per_token(self, logs: Floats) -> float:
        """The width of the word."""
        return float(self.bits)

    def _limits(self, logs: Floats) -> Tokens:
        """First words beyond each token; the last is beyond all words."""
        sums = _distribution(logs)
        limits = np.ceil(sums * 2.0**self.bits - 0.5).astype(np.int64)
        limits[:, -1] = 1 << self.bits
        return limits


@dataclass(frozen=True)
class IntervalSampler(Sampler):
    """Reads bits only until they decide: the exact law from fair bits, at less than entropy + 3 bits a token.

    The bits halve an interval until it lies in one token's stretch of the distribution function (T. S. Han and
    M. Hoshi, "Interval algorithm for random number generation", 1997).
    """

    name: str = "interval"

    def draw(self, logs: Floats, reader: BitReader) -> Tokens:
        """Tokens, shape (n,)."""
        limits = self._limits(logs)
        tokens = np.empty(len(logs), np.int64)
        done = 0
        needed = 1
        while done < len(logs):
            reader.fill(max(8 * (len(logs) - done), needed), needed)
            view, begin, end = reader.view()
            done, place = _decide(view, begin, end, limits, tokens, done)
            reader.skip(place - begin)
            needed = reader.unread + 1  # the token that could not be finished
        return tokens

    def law(self, logs: Floats, bits: BitLaw = FAIR) -> Floats:
        """Probabilities of the tokens."""
        return np.diff(np.concatenate([[0.0], bits.below(self._limits(logs[None])[0], _DEPTH)]))

    def bits_per_token(self, logs: Floats) -> float:
        """Sum over the depths of the chance that a bit of it is read."""
        limits = self._limits(logs[None])[0][:-1]
        total = 1.0
        for depth in range(1, _DEPTH):
            size = 1 << (_DEPTH - depth)
            inside = limits[limits % size != 0] // size
            total += len(np.unique(inside)) / 2.0**depth
        return total

    def _limits(self, logs: Floats) -> Tokens:
        limits = np.floor(_distribution(logs) * 2.0**_DEPTH).astype(np.int64)
        limits[:, -1] = 1 << _DEPTH
        return limits


@dataclass(frozen=True)
class GumbelSampler(Sampler):
    """The token with the largest log p + g, g = -log(-log((k + 1/2) / 2^``bits``)) from a word of its own.

    The first of equal ones wins. (E. J. Gumbel, 1954; as samplers on accelerators do it.)
    """

    bits: int = 16
    longest_law: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 24:
            raise InputError(f"a word of the Gumbel sampler has 1 to 24 bits, not {self.bits}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """As the command line has it."""
        return f"gumbel:{self.bits}"

    def draw(self, logs: Floats, reader: BitReader) -> Tokens:
        """Tokens, shape (n,)."""
        words = reader.words(logs.size, self.bits).reshape(logs.shape)
        return np.asarray((logs + self._noise(words)).argmax(axis=1), np.int64)

    def law(self, logs: Floats, bits: BitLaw = FAIR) -> Floats | None:
        """Probabilities of the tokens, of independent words; None for more than ``longest_law`` bits or with memory.

        P(t) = sum over the levels j of P(level j) times the product over s of P(log p_s + g < log p_t + g_j), where
        those behind t may be equal.
        """
        if self.bits > self.longest_law or bits.memory:
            return None
        weights = bits.words(self.bits)
        levels = self._noise(np.arange(2**self.bits))
        below = np.concatenate([[0.0], np.cumsum(weights)])
        found = np.empty(len(logs))
        for token, own in enumerate(logs):
            chance = weights.copy()
            for other, log in enumerate(logs):
                if other != token:
                    allowed = levels + (own - log)
                    smaller = np.searchsorted(levels, allowed, "left" if other < token else "right")
                    chance *= below[smaller]
            found[token] = chance.sum()
        return found

    def bits_per_token(self, logs: Floats) -> float:
        """A word for every token that there is."""
        return float(self.bits * len(logs))

    def _noise(self, words: Tokens) -> Floats:
        return np.asarray(-np.log(-np.log((words + 0.5) / 2.0**self.bits)))


def open_sampler(text: str) -> Sampler:
    """The sampler that ``text`` names: inverse-cdf:BITS, gumbel:BITS or interval; InputError for anything else."""
    name, colon, argument = text.partition(":")
    choose("sampler", name, ("inverse-cdf", "gumbel", "interval"))
    if name == "interval":
        if colon:
            raise InputError(f"the interval sampler takes no argument, not {argument!r}")
        return IntervalSampler()
    bits = argument if colon else "16"
    if not (bits.isascii() and bits.isdigit() and len(bits) < 4):
        raise InputError(f"the sampler {name} takes the number of bits of a word, as {name}:16, not {argument!r}")
    return InverseCdfSampler(int(bits)) if name == "inverse-cdf" else GumbelSampler(int(bits))


def divergence(drawn: Floats, exact: Floats) -> float:
    """KL(drawn || exact) in bits: what the text costs more to encode than it should; tokens never drawn add nothing."""
    used = drawn > 0
    return max(0.0, float(np.sum(drawn[used] * np.log2(drawn[used] / exact[used]))))  # not -1e-16


def _distribution(logs: Floats) -> Floats:
    sums = np.cumsum(np.exp(logs), axis=1)
    return np.asarray(sums / sums[:, -1:])


@njit(cache=True, error_model="numpy", nogil=True)
def _decide(words, place, end, limits, tokens, done):  # type: ignore[no-untyped-def]
    """Decide rows from ``done`` on with the bits from ``place`` to ``end``; how far rows and bits went."""
    last = limits.shape[1] - 1
    while done < limits.shape[0]:
        low, size = np.int64(0), np.int64(1) << _DEPTH
        position = place
        first, final = 0, last
        while first < final:
            if position == end:
                return done, place
            bit = (words[position >> 5] >> np.uint32(31 - (position & 31))) & np.uint32(1)
            position += 1
            size >>= 1
            if bit:
                low += size
            # tokens in whose stretches the ends of the interval lie
            while first < last and limits[done, first] <= low:
                first += 1
            final = first
            while final < last and limits[done, final] <= low + size - 1:
                final += 1
        tokens[done] = first
        done += 1
        place = position
    return done, place
