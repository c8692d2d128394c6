"""Ones of arrays whose junctions have known probabilities, drawn from their exact law."""

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.devices import LANES

BITS = limits.MEGABIT
PROBABILITY = 1e-6  # of a false alarm of a test: one in months
MODES = ("raw", "raw, feedback", "XOR of three", "XOR of three, feedback")
Floats = NDArray[np.float64]


def ones_of(p: Floats, rng: np.random.Generator) -> Floats:
    """Ones among `BITS` raw bits of arrays with probabilities ``p`` (runs, lanes)."""
    return np.asarray(rng.binomial(BITS // LANES, p).sum(axis=-1), np.float64)


def odd(p: Floats) -> Floats:
    """Probability of a one behind XOR of three successive junctions of the round robin, all triples in turn."""
    e = 2 * p - 1
    at = (3 * np.arange(LANES)[:, None] + np.arange(3)) % LANES
    return np.asarray(0.5 + 0.5 * e[..., at].prod(axis=-1))  # (-2)^2 e1 e2 e3 of biases, in signs of e = 2 (P - 1/2)


def xored(p: Floats, rng: np.random.Generator) -> Floats:
    """The ones among `BITS` bits behind such an XOR."""
    return np.asarray(rng.binomial(BITS // LANES, odd(p)).sum(axis=-1), np.float64)
