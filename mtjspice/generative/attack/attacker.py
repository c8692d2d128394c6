"""What the attacker does: read the bits of published images. Takes what is public, and nothing else."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mtjspice.generative.attack.decoder import Decoder
from mtjspice.generative.attack.equations import SoftBits
from mtjspice.generative.attack.inversion import Inversion, Search, invert
from mtjspice.generative.attack.observed import Knowledge, Observed
from mtjspice.generative.attack.words import estimated_bits

_LOST, _COMPRESSED = 20.0, 2.0  # times the errors that the residual alone would give


def read_images(
    observed: Observed,
    knowledge: Knowledge,
    decoder: Decoder,
    seed: int = 0,
    search: Search | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[tuple[Inversion, ...], SoftBits]:
    """The inversions of all images seen, and their bits, numbered from the first bit of the first image."""
    inversions, parts = [], []
    for number, image in enumerate(observed.images):
        inversions.append(invert(decoder, image, number, seed, search))
        trusted = _trusted(inversions[-1], knowledge.lossless)
        parts.append(estimated_bits(trusted, knowledge.word, number * knowledge.bits_per_image))
        if progress is not None:
            progress((number + 1) / len(observed.images))
    return tuple(inversions), joined(parts)


def _trusted(inversion: Inversion, lossless: bool) -> Inversion:
    """With larger errors where they are not those of rounding: of a wrong minimum, or of JPEG's blocks."""
    if inversion.solved:
        return inversion
    return replace(inversion, precision=inversion.precision / (_LOST if lossless else _COMPRESSED) ** 2)


def joined(parts: list[SoftBits]) -> SoftBits:
    """Soft bits one after the other."""
    return SoftBits(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.wrong for part in parts]),
    )
