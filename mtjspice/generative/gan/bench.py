"""Latents to what is measured of them: images, their embedding and features, and all their distances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.gan.duplicates import nearest, nearest_pairs
from mtjspice.generative.gan.generators import Generator
from mtjspice.generative.gan.lpips import Lpips, pairwise

Floats = NDArray[np.float64]
SHOWN, PAIRS = 16, 4
"""First images and nearest pairs that are kept for pictures."""


@dataclass(frozen=True, eq=False)
class Examples:
    """First images and nearest pairs, bytes of shape (k, height, width, channels), and the pairs' distances."""

    first: NDArray[np.uint8]
    pairs: NDArray[np.uint8]
    distances: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Draw:
    """What one set of latents gave: ``distinct`` latents, ``vectors`` (n, d), ``features`` (n, 384), ``distances``."""

    distinct: int
    classes: NDArray[np.int64]
    vectors: NDArray[np.float32]
    features: Floats
    distances: NDArray[np.float32]
    nearest: NDArray[np.float32]
    examples: Examples
    shape: tuple[int, ...]


class Bench:
    """A generator and the perceptual distance; equal latents (of one class) are generated once."""

    def __init__(self, generator: Generator, lpips: Lpips | None = None) -> None:
        self.generator = generator
        self._lpips = Lpips() if lpips is None else lpips

    def draw(self, latents: Floats) -> Draw:
        """Generate, embed and pair; InputError for latents that do not fit the generator, or fewer than two."""
        latents = np.asarray(latents, np.float64)
        if latents.ndim != 2 or len(latents) < 2:
            raise InputError(f"latents must be (images, {self.generator.latent_size}), not {latents.shape}")
        classes = self.generator.turns(len(latents))
        kinds, place = np.unique(np.column_stack([classes, latents]), axis=0, return_inverse=True)
        order = place.ravel()
        images = self.generator.images(kinds[:, 1:], kinds[:, 0].astype(np.int64))
        vectors, features = self._lpips.embed_and_features(images)
        distances = pairwise(vectors)[np.ix_(order, order)]
        examples = nearest_pairs(distances, PAIRS)
        chosen = np.array([k for i, j, _ in examples for k in (i, j)], np.int64)
        shown = Examples(
            _bytes(images[order[:SHOWN]]), _bytes(images[order[chosen]]), tuple(value for *_, value in examples)
        )
        distinct = len(np.unique(latents, axis=0))
        return Draw(
            distinct, classes, vectors[order], features[order], distances, nearest(distances), shown, images.shape[1:]
        )


def _bytes(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint((images.transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8)
