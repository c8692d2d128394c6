"""Endless bits of Markov chains, block after block, under one key."""

import numpy as np
from numpy.typing import NDArray

from mtjspice.device import chain_kernel

Floats = NDArray[np.float64]


class ChainSampler:
    """Two-state chains, one per lane, that remember where they are.

    The key of the random words and the generator ``slow`` of slow changes come from ``rng``; the first bits follow
    ``stationary`` (lanes,), the probability of a one. One 32-bit word is used per bit, cycle after cycle, so that
    the bits do not depend on the lengths of the blocks.
    """

    def __init__(self, stationary: Floats, rng: np.random.Generator) -> None:
        self._key = rng.integers(0, 2**32, 2, dtype=np.uint32)
        self.slow = np.random.Generator(np.random.Philox(key=rng.integers(0, 2**63, 2)))
        self._state = (self.slow.random(len(stationary)) < stationary).astype(np.uint8)
        self._position = 0

    def fill(self, p01: Floats, p10: Floats, out: NDArray[np.uint8]) -> None:
        """Write the next cycles into ``out`` (cycles, lanes); p01 and p10 (lanes,) hold throughout.

        Probabilities are rounded to 2^-31.
        """
        zero, one = _thresholds(p01), _thresholds(1 - p10)
        chain_kernel.fill(self._key, self._position, zero, one, self._state, out, chain_kernel.BUFFER)
        self._position += out.size

    def fill_with_memory(
        self, logit01: Floats, logit10: Floats, coupling: float, decay: float, heat: Floats, out: NDArray[np.uint8]
    ) -> None:
        """As `fill`, with logits that ``heat`` (lanes,), a decaying mean of the past bits, shifts; updated in place.

        logit P(1) = logit01 (after a 0) or -logit10 (after a 1) + coupling heat, and after each bit b
        heat = decay heat + (1 - decay)(2 b - 1), which stays within -1 and 1.
        """
        chain_kernel.fill_with_memory(
            self._key, self._position, logit01, logit10, coupling, decay, heat, self._state, out, chain_kernel.BUFFER
        )
        self._position += out.size


def _thresholds(probability: Floats) -> NDArray[np.int32]:
    """Certainty is 2^31 - 1: a word misses it once in 2^31."""
    return np.minimum(np.rint(probability * chain_kernel.SCALE), 2**31 - 1).astype(np.int32)
