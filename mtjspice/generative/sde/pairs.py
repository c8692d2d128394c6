"""Probabilistic differential pairs: weights that are the difference of two junctions' conductances.

A pair has a data bit D and a P-bit P, and the weight G_D - G_P. Its states (P, AP), (AP, P) and (P, P) or (AP, AP) make
+dG, -dG and 0 with dG = G_P - G_AP. A stochastic pulse makes the P-bit AP with a probability q, so that for the data
bit b (1 for P, -1 for AP) the weight in units of dG is (b - 1)/2 + m with m ~ Bernoulli(q): b times drop-connect with
keep probability 1/2 if q = 1/2. The cell is that of IEDM 2024 (its three states; the algebra follows from them).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError

Floats = NDArray[np.float64]

TMR = 0.65
"""Mean tunnel magnetoresistance of the arrays of IEDM 2024 at 200 mV."""
CONDUCTANCE_SPREAD = 0.04
"""What is assumed for those arrays: a read margin of 6 standard deviations allows 2.3 % (of each side) to 4.6 %."""


@dataclass(frozen=True)
class PairImperfections:
    """What differs from equal junctions and fair, fresh P-bits; the default is ideal.

    ``keep_spread`` standard deviation between P-bits of the probability q of AP, about what the source gives, within
    0 ... 1. ``conductance_spread`` relative standard deviation between junctions of the conductance, equal in both
    states, ``tmr`` the magnetoresistance that it is held against: of low TMR the difference of two junctions is mostly
    their error. ``line_mismatch`` relative excess of the conductance of all junctions that are subtracted; with it, the
    two states of weight 0 differ by it, too. ``read_error`` probability that a P-bit acts as its opposite in one pass.
    ``memory`` lambda = 1 - p01 - p10 of a P-bit that is pulsed without a reset: the correlation of its consecutive
    states. ``stuck`` fraction of P-bits that never change, half of them AP. ``seed`` draws all of it.
    """

    keep_spread: float = 0.0
    conductance_spread: float = 0.0
    tmr: float = TMR
    line_mismatch: float = 0.0
    read_error: float = 0.0
    memory: float = 0.0
    stuck: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        limits = {
            "keep_spread": (0, 0.5), "conductance_spread": (0, 0.5), "line_mismatch": (-0.5, 0.5), "read_error": (0, 1),
            "memory": (-1, 1), "stuck": (0, 1),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                title = name.replace("_", " ")
                raise InputError(f"the {title} must lie between {low} and {high}, not be {getattr(self, name):g}")
        if not 0 < self.tmr <= 100:
            raise InputError(f"the TMR must be positive and at most 100 (10000 %), not {self.tmr:g}")

    @property
    def antiparallel(self) -> float:
        """G_AP in units of G_P: 1 / (1 + TMR)."""
        return 1 / (1 + self.tmr)


def pair_weight(data: Floats, pbit: Floats, data_error: Floats, pbit_error: Floats, antiparallel: float) -> Floats:
    """G_D - G_P in units of dG for states 1 (P) and -1 (AP) and relative errors of the two conductances."""
    step = 1 - antiparallel
    of_data = np.where(np.asarray(data) > 0, 1.0, antiparallel) * (1 + np.asarray(data_error))
    of_pbit = np.where(np.asarray(pbit) > 0, 1.0, antiparallel) * (1 + np.asarray(pbit_error))
    return np.asarray((of_data - of_pbit) / step)


def moments(data: int, antiparallel_probability: float) -> tuple[float, float]:
    """Mean and variance in units of dG and dG^2 of an ideal pair's weight for the data bit 1 (P) or -1 (AP)."""
    q = antiparallel_probability
    return (data - 1) / 2 + q, q * (1 - q)


def moments_with_spread(data: int, q: float, spread: float, tmr: float = TMR) -> tuple[float, float, float]:
    """Mean over pairs, variance of one pair over passes, and variance of the mean weight between pairs.

    ``spread`` is the relative standard deviation of conductances; in units of dG, dG^2. With G_AP = a G_P the P-bit has
    the mean conductance G = a q + 1 - q, so that the mean weights scatter by spread^2 (G_D^2 + G^2) / (1 - a)^2.
    """
    a = 1 / (1 + tmr)
    mean, variance = moments(data, q)
    held = 1.0 if data > 0 else a
    drawn = a * q + 1 - q
    return mean, variance * (1 + spread**2), spread**2 * (held**2 + drawn**2) / (1 - a) ** 2


def spread_of_margin(margin: float, tmr: float = TMR) -> float:
    """Relative spread of conductances at which a step dG is ``margin`` standard deviations of the weight of (P, P)."""
    return (1 - 1 / (1 + tmr)) / margin / sqrt(2)


def pair_levels(weight: Floats, amplitude: Floats, flaws: PairImperfections, layer: int = 0) -> tuple[Floats, Floats]:
    """What the weights W + A (m - 1/2) become for m = 0 and 1 in pairs with ``flaws``; both of the shape of W and A.

    A is the scale of a probabilistic pair; its sign says whether the P-bit stands on the line that is subtracted or on
    the other. The data bit is the one that leaves the smaller rest of W, and an ordinary pair, (P, AP) or (AP, P),
    scaled, holds that rest. ``layer`` keeps the junctions of layers apart.
    """
    data = np.where(weight * amplitude < 0, -1.0, 1.0)
    rest = weight - amplitude * data / 2
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(flaws.seed, spawn_key=(0xC0, layer))))
    errors = flaws.conductance_spread * rng.standard_normal((4, *weight.shape))
    errors[1::2] = (1 + errors[1::2]) * (1 + flaws.line_mismatch) - 1  # the junctions that are subtracted
    a = flaws.antiparallel
    held = rest * pair_weight(np.ones(()), -np.ones(()), errors[0], errors[1], a)
    return (
        held + amplitude * pair_weight(data, np.ones(()), errors[2], errors[3], a),
        held + amplitude * pair_weight(data, -np.ones(()), errors[2], errors[3], a),
    )
