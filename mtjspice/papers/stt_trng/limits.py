"""Closed forms: the bias that the frequency test of SP 800-22 sees, before and after XOR of three bits."""

from math import sqrt

import numpy as np
from scipy.special import logit, ndtr, ndtri

from mtjspice.papers.stt_trng.claims import OTHER_DEVICE

SIGNIFICANCE = 0.01
MEGABIT = 1_000_000


def raw_limit(bits: float = MEGABIT) -> float:
    """Bias |P - 1/2| at which every other sequence of ``bits`` fails the frequency test: z / (2 sqrt(n))."""
    return float(-ndtri(SIGNIFICANCE / 2) / (2 * sqrt(bits)))


def xor_limit(bits: float = MEGABIT) -> float:
    """The same for the bias of three bits whose XOR is tested, which leaves 4 e^3."""
    return float((raw_limit(bits) / 4) ** (1 / 3))


def pass_rate(bias: float, bits: float = MEGABIT) -> float:
    """Probability that ``bits`` independent bits with P(1) = 1/2 + ``bias`` pass the frequency test (normal limit)."""
    z = -ndtri(SIGNIFICANCE / 2)
    shift, spread = 2 * bias * sqrt(bits), sqrt(max(1e-12, 1 - 4 * bias * bias))
    return float(ndtr((z - shift) / spread) - ndtr((-z - shift) / spread))


def other_device() -> tuple[float, float]:
    """V50 and s (V) of the logistic through the published points of another device: straight line of the logits."""
    slope, level = np.polyfit(OTHER_DEVICE.voltages, logit(np.array(OTHER_DEVICE.probabilities)), 1)
    return float(-level / slope), float(1 / slope)


def power_of_ten(number: float) -> str:
    """A large or small number as a reader should see it, such as 10⁸ or 3·10⁻⁷."""
    digits, exponent = f"{number:.1e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    factor = float(digits)
    return ("" if factor == 1 else f"{factor:g}·") + f"10{raised}"
