"""Where the numbers come from: bits by NumPy's methods, normal numbers from a Gaussian source if there is one."""

from math import prod
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.adapters.numpy_generator import MTJBitGenerator, Reader, Refill
from mtjspice.bits.sources.base import Source
from mtjspice.bits.stream import BitStream, as_stream
from mtjspice.errors import InputError

Floats = NDArray[np.float64]


@runtime_checkable
class Normal(Protocol):
    """A supply of standard normal numbers, such as the words of a hardware generator."""

    def normal(self, shape: tuple[int, ...]) -> Floats:
        """The next numbers, in C order."""


class _Counted:
    """A refill that counts what it gives (whole bytes, which is what is used)."""

    def __init__(self, refill: Refill) -> None:
        self._refill = refill
        self.bits = 0

    def __call__(self) -> BitStream | None:
        fresh = self._refill()
        if fresh is None:
            return None
        stream = as_stream(fresh)
        self.bits += stream.length // 8 * 8
        return stream


class Numbers:
    """Random numbers from ``gaussian`` (normal ones) and ``bits`` (all others, and normal ones without a Gaussian).

    A `Source` is read ahead, in pieces of up to 8 Mbit. ``drawn`` counts the numbers, ``bits`` the bits used.
    InputError for numbers that nothing here can give, StreamExhaustedError when the supply has run out.
    """

    def __init__(
        self,
        bits: BitStream | ArrayLike | Source | None,
        gaussian: Normal | None = None,
        refill: Refill | None = None,
    ) -> None:
        self._gaussian = gaussian
        self._generator: MTJBitGenerator | None = None
        self._counted: _Counted | None = None
        self._loaded = 0
        self.drawn = 0
        if bits is None:
            return
        if isinstance(bits, Source):
            if refill is not None:
                raise ValueError("a source refills itself")
            refill, bits = Reader(bits), bits.empty()
        self._counted = _Counted(refill) if refill is not None else None
        self._generator = MTJBitGenerator(bits, self._counted)
        self._loaded = self._generator.remaining
        self._random = np.random.Generator(self._generator)

    @property
    def bits(self) -> int:
        """Bits used so far."""
        if self._generator is None:
            return 0
        return self._loaded + (self._counted.bits if self._counted else 0) - self._generator.remaining

    def generator(self, shape: tuple[int, ...] | int) -> np.random.Generator:
        """NumPy's generator over the bits, for ``shape`` numbers that are counted here."""
        if self._generator is None:
            raise InputError("this Gaussian source gives normal numbers only; pass bits= for the others")
        self.drawn += prod(shape) if isinstance(shape, tuple) else shape
        return self._random

    def uniform(self, shape: tuple[int, ...]) -> Floats:
        """Numbers in [0, 1), multiples of 2^-53."""
        return np.asarray(self.generator(shape).random(shape))

    def normal(self, shape: tuple[int, ...]) -> Floats:
        """Standard normal numbers."""
        if self._gaussian is None:
            return np.asarray(self.generator(shape).standard_normal(shape))
        values = np.asarray(self._gaussian.normal(shape), np.float64)
        if values.shape != shape:
            raise InputError(f"a Gaussian source gave numbers of shape {values.shape}, asked for {shape}")
        if not np.isfinite(values).all():
            raise InputError("a Gaussian source gave a number that is not finite")
        self.drawn += values.size
        return values


def open_numbers(
    source: BitStream | ArrayLike | Source | Normal | Numbers,
    bits: BitStream | ArrayLike | Source | None = None,
    refill: Refill | None = None,
) -> Numbers:
    """Numbers from ``source``: bits (`BitStream`, vector of 0 and 1, `Source`), a Gaussian source, or `Numbers`.

    ``bits`` serves what a Gaussian source cannot: all but normal numbers. ``refill`` is that of `MTJBitGenerator`, for
    whichever argument is bits. `Numbers` are taken as they are, so that several users can draw from one supply.
    """
    if isinstance(source, Numbers):
        if bits is not None or refill is not None:
            raise InputError("numbers that are open already take no further bits")
        return source
    if isinstance(source, (np.random.Generator, np.random.RandomState, np.random.BitGenerator)):
        raise InputError(f"bits or a Gaussian source are needed, not a {type(source).__name__} of NumPy")
    if not isinstance(source, Source) and isinstance(source, Normal):
        return Numbers(bits, source, refill)
    if bits is not None:
        raise InputError("bits= goes with a Gaussian source; here the source gives bits itself")
    return Numbers(_checked(source), None, refill)


def _checked(source: Any) -> BitStream | Source:
    return source if isinstance(source, Source) else as_stream(source)
