"""Supplies of numbers that stand in for N(0, 1): what a diffusion model, a GAN or an SDE is fed with."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.encodings.bit_reader import BitReader
from mtjspice.generative.law import Law

Floats = NDArray[np.float64]
_WIDEST = 24  # bits of a word; its table has 2^24 numbers


class GaussianSource(ABC):
    """A subclass implements `normal`; ``label`` names it in tables, ``provenance`` says what it is made of.

    ``bits_per_number`` is the mean number of raw bits that a number takes, None where numbers are not made of bits.
    """

    label: str
    provenance: Mapping[str, str | int | float]
    bits_per_number: float | None = None

    @abstractmethod
    def normal(self, shape: tuple[int, ...]) -> Floats:
        """The next numbers, in C order; StreamExhaustedError if the bits do not suffice, never anything made up.

        After that the source is used up, whatever bits are left.
        """

    def law(self) -> Law | None:
        """Exact law of one number if the raw bits are fair and independent; None if it is not known."""
        return None


class NumpyGaussian(GaussianSource):
    """NumPy's standard normal numbers from PCG64, to compare with."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self.label = "numpy"
        self.provenance = {"source": "numpy.random.PCG64", "seed": seed}

    def normal(self, shape: tuple[int, ...]) -> Floats:
        """The next numbers."""
        return self._rng.standard_normal(shape)


class InverseCdf(GaussianSource):
    """Normal quantiles of words of ``bits`` bits: x = Phi^-1((k + 1/2) / 2^bits), k the word, first bit the highest.

    Words are disjoint. Fair bits give 2^bits equally likely numbers, symmetric about 0; their variance is less than 1,
    by 7.6 % for 4 bits and 0.5 % for 8.
    """

    def __init__(self, source: Source, bits: int = 8, label: str = "") -> None:
        if not 1 <= bits <= _WIDEST:
            raise InputError(f"a word has 1 to {_WIDEST} bits, not {bits}")
        self._source, self._reader, self._bits = source, BitReader(source), bits
        self._table = quantiles(bits)
        self.bits_per_number = float(bits)
        self.label = label or f"{source.provenance.get('source', source.origin)}, {bits} bits"
        self.provenance = {**source.provenance, "encoding": f"inverse-cdf:{bits}"}

    @property
    def levels(self) -> Floats:
        """The numbers that there are, ascending, shape (2^bits,)."""
        return self._table.copy()

    def law(self) -> Law:
        """All levels equally likely."""
        return Law(self._table, np.full(self._table.size, 1 / self._table.size))

    def normal(self, shape: tuple[int, ...]) -> Floats:
        """The next numbers."""
        count = prod(shape)
        if self._bits in (8, 16):  # whole bytes need no reader
            words = self._source.read(count * self._bits // 8).view(f">u{self._bits // 8}")
            return np.asarray(self._table[words].reshape(shape))
        return np.asarray(self._table[self._reader.words(count, self._bits)].reshape(shape))


def quantiles(bits: int) -> Floats:
    """Phi^-1((k + 1/2) / 2^bits) for k = 0, 1, ..., shape (2^bits,)."""
    return np.asarray(ndtri((np.arange(2**bits) + 0.5) / 2**bits), np.float64)
