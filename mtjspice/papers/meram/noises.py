"""Noise words for diffusion models, made of the bits that a chain emulates at the 50 % point of the card."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mtjspice.bits.sources.base import Source
    from mtjspice.generative.denoiser import Training
    from mtjspice.generative.gaussian import GaussianSource

Floats = NDArray[np.float64]
Draw = Callable[[tuple[int, ...]], Floats]

CHAIN, UNRESET, SUM, UNIFORM, COUNT = "chain, reset", "chain, not reset", "sum of 12", "uniform", "count of 64"
WORDS = {
    # after the pulses that it is made for, a chain that starts from zero gives independent words of the product law
    CHAIN: "product:8",
    # what 16 pulses flip in a cell is one pulse with the probability that it is one after them: see the test
    UNRESET: "toggle:8,pulses=1,reset=no,calibrated=law",
    SUM: "sum:8,words=12",
    UNIFORM: "",  # has no name in the catalogue
    COUNT: "popcount:64",
}
ABOUT = {
    CHAIN: "A toggled word that is reset and gets the 16 pulses it is made for; the law of eight independent bits.",
    UNRESET: "The same chain read every 16 pulses without a reset, its deviation (2.3) taken out: a uniform law whose"
    " magnitudes remember.",
    SUM: "Twelve uniform words of eight bits.",
    UNIFORM: "Uniform words of eight bits scaled to the variance 1; what two's complement of fair bits gives.",
    COUNT: "Ones among 64 fair bits.",
}
CHECK = "tree, off by 0.02"  # is known to ruin images: shows that the comparison can see something
_FAULTY = "tree:8,dp=0.02"
WIDTH, RATE = 128, 3e-3  # of the small model: as good after a given time as any that was tried


def training(steps: int) -> "Training":
    """How models of the digits are trained here; all alike."""
    from mtjspice.generative.denoiser import Training

    return Training(steps=steps, width=WIDTH, rate=RATE)


def bits(seed: int) -> "Source":
    """Bits of an emulated junction."""
    from mtjspice.bits.sources.emulated import EmulatedSource, Imperfections

    model, about = _model()
    return EmulatedSource(model, seed, 1, Imperfections(), about)


@cache
def _model():  # type: ignore[no-untyped-def]
    from mtjspice.bits.sources import junctions

    pulse = junctions.perturbation("meram100")
    return junctions.chain_model(pulse), pulse.as_provenance()


def open_words(name: str, seed: int) -> "GaussianSource":
    """Numbers of the words of that name."""
    from mtjspice.generative.encodings.catalogue import open_noise
    from mtjspice.generative.encodings.plain import UniformWords

    if name == UNIFORM:
        return UniformWords(8).open(bits(seed), seed)
    return open_noise(_FAULTY if name == CHECK else WORDS[name], bits(seed), seed)
