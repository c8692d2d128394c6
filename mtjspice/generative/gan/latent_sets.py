"""How bits become the latents of many images, and how many different latents there can be.

One number of a latent is the normal quantile of a word of b bits, as in `InverseCdf`; a latent has d of them. Four
patterns of use are known. ``free``: bits are taken on and on, no bit twice. ``reseed:k``: before each image the source
starts anew from a seed of k random bits. ``slide``: the latents of following images start one bit apart. ``overlap``:
the register is read as a word at each bit, so that following words share b - 1 bits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mtjspice.bits.sources import primitive
from mtjspice.bits.sources.base import Source
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.errors import InputError, choose
from mtjspice.generative.gaussian import GaussianSource, InverseCdf

Floats = NDArray[np.float64]
Opener = Callable[[str, int], Source]
"""A source for a text and a seed, as `open_source`."""
KINDS = ("free", "reseed", "slide", "overlap")
_MOST_SEED_BITS = 32


@dataclass(frozen=True)
class Pattern:
    """How a source is used; ``seed_bits`` of ``reseed`` only."""

    kind: str = "free"
    seed_bits: int = 0

    def __post_init__(self) -> None:
        choose("pattern", self.kind, KINDS)
        if self.kind == "reseed" and not 1 <= self.seed_bits <= _MOST_SEED_BITS:
            raise InputError(f"the seed of the pattern reseed has 1 to {_MOST_SEED_BITS} bits, not {self.seed_bits}")

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """Read ``free``, ``reseed:14``, ``slide`` or ``overlap``; InputError for anything else."""
        kind, colon, argument = text.partition(":")
        if kind != "reseed":
            choose("pattern", text, ("free", "overlap", "reseed:BITS", "slide"))
            return cls(kind)
        if not colon or not argument.isascii() or not argument.isdigit():
            raise InputError(f"the pattern reseed needs the bits of the seed, as reseed:14, not {text!r}")
        return cls(kind, int(argument))

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed_bits}" if self.kind == "reseed" else self.kind


def from_numbers(source: GaussianSource, images: int, size: int) -> Floats:
    """Latents (images, size) of the next numbers of a source."""
    return source.normal((images, size))


def from_bits(
    text: str, pattern: Pattern, images: int, size: int, word: int, seed: int, opener: Opener = open_source
) -> Floats:
    """Latents (images, size) of words of ``word`` bits of the source that ``text`` names, used as ``pattern`` says.

    ``seed`` starts the source; with ``reseed`` it draws the seeds, number s of k bits, uniformly. An LFSR of n stages
    loads the state 1 + s mod (2^n - 1), other sources take s as their seed. InputError for a source without a
    seed of its own (a file, the operating system), if it is to be reseeded; StreamExhaustedError if bits run out.
    """
    if pattern.kind == "reseed":
        return _reseeded(text, pattern.seed_bits, images, size, word, seed, opener)
    source = opener(text, seed)
    if pattern.kind == "free":
        return InverseCdf(source, word).normal((images, size))
    InverseCdf(source, word)  # checks the width of a word
    if pattern.kind == "slide":
        bits = source.stream(images - 1 + size * word).bits()
        windows = np.lib.stride_tricks.sliding_window_view(bits, size * word)[:images]
        return _quantiles(windows.reshape(images, size, word))
    bits = source.stream(images * size + word - 1).bits()
    return _quantiles(np.lib.stride_tricks.sliding_window_view(bits, word)).reshape(images, size)


def _quantiles(bits: NDArray[np.uint8]) -> Floats:
    """Normal quantiles of words along the last axis."""
    width = bits.shape[-1]
    words = np.zeros(bits.shape[:-1], np.int64)
    for k in range(width):
        words = (words << 1) | bits[..., k]
    return np.asarray(ndtri((words + 0.5) / 2**width), np.float64)


def _reseeded(text: str, seed_bits: int, images: int, size: int, word: int, seed: int, opener: Opener) -> Floats:
    if text.partition(":")[0] in ("file", "os"):
        raise InputError(f"the source {text} cannot be reseeded: its bits do not depend on a seed")
    seeds, places = np.unique(
        np.random.default_rng([seed, seed_bits]).integers(0, 2**seed_bits, images), return_inverse=True
    )
    rows = [InverseCdf(_started(text, int(number), opener), word).normal((size,)) for number in seeds]
    return np.stack(rows)[places]


def _started(text: str, number: int, opener: Opener) -> Source:
    if not text.startswith("lfsr:"):
        return opener(text, number)
    length = register_length(text)
    return opener(f"{text},state={1 + number % (2**length - 1)}", 0)


def register_length(text: str) -> int:
    """Stages of the register ``lfsr:n...``; InputError if it is none."""
    length = text.removeprefix("lfsr:").partition(",")[0]
    if not text.startswith("lfsr:") or not length.isdigit():
        raise InputError(f"{text!r} is not a shift register, as lfsr:16")
    return int(length)


def predicted_distinct(length: int, pattern: Pattern, images: int, size: int, word: int) -> float:
    """Different latents among ``images``, of a register of ``length`` stages with maximal period P = 2^length - 1.

    The state moves by s bits an image (size * word, 1 or size, as the pattern has it), so that P / gcd(P, s) states are
    met in turn: exact. With ``reseed:k`` it is the mean over the random seeds, sum over states 1 - (1 - p)^images with
    p their probabilities: the birthday problem. ValueError where fewer bits than ``length`` make a latent, so that
    different states may give equal ones, or where no maximal taps are on record.
    """
    span = size + word - 1 if pattern.kind == "overlap" else size * word
    if span < length:
        raise ValueError(f"{span} bits of a latent do not determine the state of {length} stages")
    primitive.taps(length)
    period = 2**length - 1
    if pattern.kind != "reseed":
        step = {"free": size * word, "slide": 1, "overlap": size}[pattern.kind]
        return float(min(images, period // gcd(period, step)))
    seeds = 2**pattern.seed_bits
    # states 1 + s mod P: each is met by floor or ceil of 2^k / P seeds
    each, more = divmod(seeds, period)
    found = sum(
        count * -np.expm1(images * np.log1p(-weight / seeds)) if weight < seeds else float(count)
        for count, weight in ((more, each + 1), (period - more, each))
        if count and weight
    )
    return float(found)


def expected_distinct(text: str, pattern: Pattern, images: int, size: int, word: int) -> float | None:
    """What `predicted_distinct` says of a register with its default taps, and the birthday problem of other sources.

    Those must be reseeded, and their latents are taken to differ if their seeds do. None where nothing is known.
    """
    if text.startswith("lfsr:") and "taps=" not in text:
        span = size + word - 1 if pattern.kind == "overlap" else size * word
        length = register_length(text)
        return predicted_distinct(length, pattern, images, size, word) if span >= length else None
    if pattern.kind == "reseed" and not text.startswith(("lfsr:", "lcg:")):  # some of these repeat after other seeds
        return float(-(2**pattern.seed_bits) * np.expm1(images * np.log1p(-(2.0**-pattern.seed_bits))))
    return None
