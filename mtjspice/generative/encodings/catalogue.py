"""Noise words by name, as they are typed: ``inverse-cdf:8``, ``tree:8,dp=0.01,calibrated=yes``, ``toggle:8,pulses=16``.

What follows the colon is the number of bits, then come settings ``name=value``.
"""

from collections.abc import Callable, Mapping
from typing import Annotated

from mtjspice.bits.sources.base import Source, check_seed
from mtjspice.bits.specifications import About, Description, build, describe, whole
from mtjspice.errors import InputError, choose
from mtjspice.generative.calibrated import CalibratedGaussian, from_law, measured
from mtjspice.generative.cells import Imperfections
from mtjspice.generative.encodings.base import Encoding
from mtjspice.generative.encodings.measured import measured_words
from mtjspice.generative.encodings.plain import Popcount, QuantileWords, SummedWords, UniformWords
from mtjspice.generative.encodings.programmed import ProductWords, TreeWords
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.gaussian import GaussianSource

_Offset = Annotated[float, About("offset of all programmed probabilities")]
_Spread = Annotated[float, About("standard deviation of the probabilities from cell to cell")]
_Memory = Annotated[float, About("probability that a cell keeps its last value")]
_Drift = Annotated[float, About("random walk of the offset, per cycle of all lanes")]
_Stuck = Annotated[float, About("fraction of stuck cells")]
_Lanes = Annotated[int, About("words in parallel, each of cells of its own, that take turns")]
_Integer = Annotated[int, About("integer bits: the range is -2^integer to 2^integer")]
_Calibrated = Annotated[str, About("take out mean and deviation: yes (measured on 100000 numbers), a number, law, no")]

Made = tuple[Encoding, str]
"""An encoding, and whether the numbers are calibrated, as it was typed."""


def _quantiles(bits: int, *, calibrated: _Calibrated = "no") -> Made:
    """Normal quantiles of words of fair bits."""
    return QuantileWords(bits), calibrated


def _tree(
    bits: int,
    *,
    code: Annotated[str, About("offset: ascending codes; sign: sign and magnitude")] = "offset",
    integer: _Integer = 2,
    dp: _Offset = 0.0,
    spread: _Spread = 0.0,
    rho: _Memory = 0.0,
    drift: _Drift = 0.0,
    stuck: _Stuck = 0.0,
    lanes: _Lanes = 1,
    calibrated: _Calibrated = "no",
) -> Made:
    """Bit after bit with its probability given the bits before: exactly normal on a grid."""
    return TreeWords(bits, integer, Imperfections(dp, spread, rho, drift, stuck, lanes), code), calibrated


def _product(
    bits: int,
    *,
    integer: _Integer = 2,
    dp: _Offset = 0.0,
    spread: _Spread = 0.0,
    rho: _Memory = 0.0,
    drift: _Drift = 0.0,
    stuck: _Stuck = 0.0,
    lanes: _Lanes = 1,
    calibrated: _Calibrated = "no",
) -> Made:
    """Sign and magnitude of independent programmed bits."""
    return ProductWords(bits, integer, Imperfections(dp, spread, rho, drift, stuck, lanes)), calibrated


def _toggle(
    bits: int,
    *,
    pulses: Annotated[int, About("pulses that a word gets")] = 16,
    target: Annotated[int | None, About("pulses that the probabilities are made for; by default as many")] = None,
    reset: Annotated[str, About("start each word from zero: yes or no")] = "yes",
    rate: Annotated[float | None, About("flip asymmetrically, with a Gaussian stationary law, at this rate")] = None,
    integer: _Integer = 2,
    dp: _Offset = 0.0,
    spread: _Spread = 0.0,
    rho: _Memory = 0.0,
    drift: _Drift = 0.0,
    stuck: _Stuck = 0.0,
    lanes: _Lanes = 1,
    calibrated: _Calibrated = "no",
) -> Made:
    """Sign and magnitude of cells that pulses flip: a chain whose transient is close to normal."""
    from_zero = choose("reset of a toggle word", reset, ("yes", "no")) == "yes"
    flaws = Imperfections(dp, spread, rho, drift, stuck, lanes)
    return ToggleWords(bits, pulses, target, from_zero, rate, integer, flaws), calibrated


def _sum(
    bits: int,
    *,
    words: Annotated[int, About("words that are added")] = 12,
    of: Annotated[str, About("uniform words, or product words of programmed cells")] = "uniform",
    dp: _Offset = 0.0,
    spread: _Spread = 0.0,
    rho: _Memory = 0.0,
    drift: _Drift = 0.0,
    stuck: _Stuck = 0.0,
    lanes: _Lanes = 1,
    calibrated: _Calibrated = "no",
) -> Made:
    """Sum of several words."""
    flaws = Imperfections(dp, spread, rho, drift, stuck, lanes)
    if choose("part of a sum", of, ("uniform", "product")) == "uniform":
        if flaws != Imperfections():
            raise InputError("sum: uniform words have no programmed cells that could err; of=product has")
        return SummedWords(UniformWords(bits), words), calibrated
    return SummedWords(ProductWords(bits, cells=flaws), words), calibrated


def _popcount(bits: int, *, calibrated: _Calibrated = "no") -> Made:
    """Number of ones among fair bits."""
    return Popcount(bits), calibrated


def _measured(file: str, *, calibrated: _Calibrated = "no") -> Made:
    """Bits with the frequencies of a circuit's words (result.json of `words run`): a measured law, resampled."""
    return measured_words(file), calibrated


KINDS: Mapping[str, Callable[..., Made]] = {
    "inverse-cdf": _quantiles,
    "tree": _tree,
    "product": _product,
    "toggle": _toggle,
    "sum": _sum,
    "popcount": _popcount,
    "measured": _measured,
}
"""Builders by name: the number of bits, then settings as keyword arguments."""

AVAILABLE: list[Description] = describe(KINDS)
"""How each is written, what it is, and its settings."""


def encoding_of(text: str) -> Encoding:
    """The encoding that ``text`` names, its calibration left aside; InputError where it names none."""
    return build(text, KINDS, "noise word")[0]


def open_noise(text: str, source: Source, seed: int = 1) -> GaussianSource:
    """The numbers that ``text`` names, made of the bits of ``source``, whose only user they are.

    ``seed`` makes the device (spread, stuck cells, drift); all else is decided by the bits. A measured calibration
    takes its numbers at once. InputError where ``text`` names nothing, StreamExhaustedError if a recording does not
    suffice.
    """
    encoding, calibrated = build(text, KINDS, "noise word")
    made = encoding.open(source, check_seed(seed), text)
    made.provenance = {**made.provenance, "encoding": text}
    if calibrated == "no":
        return made
    if calibrated == "law":
        law = made.law()
        if law is None:
            raise InputError(f"noise word {text!r}: there is no exact law to calibrate with; calibrated=yes measures")
        return CalibratedGaussian(made, from_law(law), text)
    numbers = () if calibrated == "yes" else (_numbers(calibrated),)
    return CalibratedGaussian(made, measured(made, *numbers), text)


def _numbers(text: str) -> int:
    try:
        return whole(text, "calibrated")
    except InputError:
        raise InputError(f"calibrated: {text!r} is not yes, no, law or a number of numbers") from None
