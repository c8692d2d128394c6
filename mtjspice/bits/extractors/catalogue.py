"""Extractors by name, as they are typed: ``xor:3``, ``von-neumann``, ``toeplitz:1024,min-entropy=0.9``."""

from collections.abc import Callable, Mapping
from typing import Annotated

from mtjspice.bits.extractors.base import Extractor
from mtjspice.bits.specifications import About, build
from mtjspice.errors import InputError


def _xor(
    k: int = 3, *, wiring: Annotated[str, About("consecutive, lane, sliding or disjoint bits")] = "consecutive"
) -> Extractor:
    """XOR of K bits."""
    from mtjspice.bits.extractors.xor import Xor

    return Xor(k, wiring)


def _von_neumann() -> Extractor:
    """Von Neumann's pairs, of each device by itself."""
    from mtjspice.bits.extractors.pairs import VonNeumann

    return VonNeumann()


def _peres(depth: int = 8) -> Extractor:
    """Peres' iteration of von Neumann's pairs."""
    from mtjspice.bits.extractors.pairs import Peres

    return Peres(depth)


def _toeplitz(
    block: int = 1024,
    *,
    seed: int,
    min_entropy: Annotated[float | None, About("of the input, bit per bit")] = None,
    epsilon: Annotated[float, About("statistical distance from uniform")] = 2.0**-32,
    outputs: Annotated[int | None, About("bits of a block, instead of min_entropy and epsilon")] = None,
) -> Extractor:
    """Toeplitz hashing of blocks; the matrix comes from the seed."""
    from mtjspice.bits.extractors.hashing import Toeplitz

    if not 0 < epsilon < 1:
        raise InputError(f"epsilon must lie between 0 and 1, not {epsilon:g}")
    if (min_entropy is None) == (outputs is None):
        raise InputError("toeplitz takes the min-entropy of its input (as min-entropy=0.9) or the number of outputs")
    if outputs is not None:
        return Toeplitz(block, outputs, seed)
    assert min_entropy is not None
    return Toeplitz.sized(block, min_entropy, epsilon, seed)


def _sha256(block: int = 512) -> Extractor:
    """SHA-256 of blocks."""
    from mtjspice.bits.extractors.hashing import Sha256

    return Sha256(block)


KINDS: Mapping[str, Callable[..., Extractor]] = {
    "xor": _xor,
    "von-neumann": _von_neumann,
    "peres": _peres,
    "toeplitz": _toeplitz,
    "sha256": _sha256,
}
"""Builders by name."""


def open_extractor(text: str, seed: int = 0) -> Extractor:
    """The extractor that ``text`` names; InputError where it names none."""
    return build(text, KINDS, "extractor", seed=seed)
