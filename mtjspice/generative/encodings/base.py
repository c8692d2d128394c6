"""What all encodings share: frozen settings, exact laws, and a `GaussianSource` made of a source of bits."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from math import prod

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.errors import InputError
from mtjspice.generative.gaussian import GaussianSource
from mtjspice.generative.law import Law
from mtjspice.generative.words import QFormat

Floats = NDArray[np.float64]
NARROWEST, WIDEST = 4, 16  # bits of a word


class Encoding(ABC):
    """How bits become numbers; a subclass is a frozen dataclass."""

    @property
    @abstractmethod
    def bits_per_number(self) -> float:
        """Mean number of raw bits that a number takes if they are fair."""

    @abstractmethod
    def law(self, ones: float = 0.5) -> Law | None:
        """Exact law of one number if raw bits are independent and one with the probability ``ones``.

        Of cells that differ it is the mean over all devices, of words that remember it is the stationary one. None
        where it has no closed form or, with drift, does not exist.
        """

    @abstractmethod
    def open(self, source: Source, seed: int = 1, label: str = "") -> GaussianSource:
        """Numbers of this encoding made of the bits of ``source``, whose only user they are; ``seed`` makes cells."""

    def ideal(self) -> "Encoding":
        """The same encoding with perfect cells."""
        return self

    @property
    def independent(self) -> bool:
        """Whether the numbers of every device are independent and of one law, if the bits are."""
        return True

    def draw(self, source: Source, count: int, seed: int = 1) -> Floats:
        """``count`` numbers from the beginning, shape (count,)."""
        return self.open(source, seed).normal((count,))


class EncodedSource(GaussianSource):
    """Numbers that ``make`` makes, with ``law`` computed when it is asked for."""

    def __init__(
        self, make: Callable[[int], Floats], law: Callable[[], tuple[Law | None, float]], label: str,
        provenance: Mapping[str, str | int | float],
    ) -> None:  # fmt: skip
        self._make, self._compute = make, law
        self._found: tuple[Law | None, float] | None = None
        self.label, self.provenance = label, provenance

    def normal(self, shape: tuple[int, ...]) -> Floats:
        """The next numbers."""
        return self._make(prod(shape)).reshape(shape)

    def law(self) -> Law | None:
        """Exact law of one number of this very device, any of its lanes."""
        return self._answer()[0]

    @property
    def bits_per_number(self) -> float:  # type: ignore[override]
        """Mean number of raw bits that a number takes."""
        return self._answer()[1]

    def _answer(self) -> tuple[Law | None, float]:
        if self._found is None:
            self._found = self._compute()
        return self._found


def check_bits(bits: int) -> int:
    """Return the width of a word; InputError unless it has 4 to 16 bits."""
    if not NARROWEST <= bits <= WIDEST:
        raise InputError(f"a noise word has {NARROWEST} to {WIDEST} bits, not {bits}")
    return bits


def word_format(bits: int, integer_bits: int = 2) -> QFormat:
    """Sign-magnitude format of ``bits`` in all; with 2 integer bits it reaches from -4 to 4."""
    check_bits(bits)
    if not 0 <= integer_bits <= min(4, bits - 1):
        raise InputError(f"a word of {bits} bits has 0 to {min(4, bits - 1)} integer bits, not {integer_bits}")
    return QFormat(integer_bits, bits - 1 - integer_bits)


def source_name(source: Source) -> str:
    """What the bits of a label are."""
    return str(source.provenance.get("source", source.origin))


def mean_law(values: Floats, laws: list[Floats]) -> Law:
    """Law of ``values`` with the mean of several laws' probabilities."""
    return Law.of(values, np.mean(laws, axis=0))
