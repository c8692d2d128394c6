"""Law of words of bits that are biased or remember the bit before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BitLaw:
    """A Markov chain: one with ``ones``, with the autocorrelation ``memory`` to the power d at lag d."""

    ones: float = 0.5
    memory: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.ones < 1:
            raise InputError(f"the probability of a one must lie between 0 and 1, not {self.ones}")
        lowest = -min(self.ones / (1 - self.ones), (1 - self.ones) / self.ones)
        if not lowest <= self.memory < 1:
            raise InputError(f"the memory must lie between {lowest:.3g} and 1 for these bits, not {self.memory}")

    def below(self, limits: ArrayLike, width: int) -> Floats:
        """Probability that a word of ``width`` bits (first bit the highest) is less than each limit of 0 to 2^width.

        A word is less than a limit if they agree up to a bit that is 0 in the word and 1 in the limit.
        """
        n = np.asarray(limits, np.int64)
        chance = np.zeros(n.shape)
        agree = np.ones(n.shape)
        one = np.full(n.shape, self.ones)
        for place in range(width - 1, -1, -1):
            bit = (n >> place) & 1
            chance += np.where(bit == 1, agree * (1 - one), 0.0)
            agree = agree * np.where(bit == 1, one, 1 - one)
            one = self.ones * (1 - self.memory) + self.memory * bit
        return np.where(n >> width > 0, 1.0, chance)

    def words(self, width: int) -> Floats:
        """Probability of every word, shape (2^width,)."""
        return np.diff(self.below(np.arange(2**width + 1), width))


FAIR = BitLaw()
