"""What an attack on a generator yields."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

CERTAIN = 64
"""Bits that must be predicted without an error: guessing succeeds once in 2^64."""


@dataclass(frozen=True, eq=False)
class Recovery(ABC):
    """A generator whose state was recovered from ``used`` bits and which predicted the next ``verified`` ones.

    ``offset`` is the number of bits before the first one used, ``generator`` the kind.
    """

    generator: str
    offset: int
    used: int
    verified: int

    @abstractmethod
    def following(self, count: int) -> NDArray[np.uint8]:
        """The ``count`` bits that follow those used, uint8 of shape (count,)."""

    @abstractmethod
    def describe(self) -> str:
        """One line: the generator with its parameters."""

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "generator": self.generator,
            "description": self.describe(),
            "offset": self.offset,
            "used": self.used,
            "verified": self.verified,
        }
