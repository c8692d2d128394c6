"""What a stream of bits becomes: Gaussian words, noised images and latent codes, with NumPy's beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.stream import BitStream
from mtjspice.generative import diffusion, latents, words

IMAGE_SIZE = 128
LATENT_SHAPE = (120, 512)


@dataclass(frozen=True, eq=False)
class Outcome:
    """``values`` are the words (n,), ``distances`` theirs from N(0, 1) as counted, ``fair_distances`` those of the
    exact law for fair bits; ``latents`` the latent codes; ``*_numpy`` what NumPy's generator gives."""  # fmt: skip

    values: NDArray[np.float64]
    distances: words.LawDistances
    fair_distances: words.LawDistances
    noise_numpy: NDArray[np.float64]
    latents: NDArray[np.float64]
    latents_numpy: NDArray[np.float64]

    def images(self, steps: Sequence[int]) -> tuple[tuple[str, list[NDArray[np.float64]]], ...]:
        """Forward-diffuse the sample image to ``steps`` with either noise, one noise image for all steps."""
        image = diffusion.sample_image(IMAGE_SIZE)
        own = self.values[: IMAGE_SIZE**2].reshape(IMAGE_SIZE, IMAGE_SIZE)
        return tuple(
            (name, [diffusion.forward_noise(image, noise, step) for step in steps])
            for name, noise in (("MTJ bits", own), ("NumPy", self.noise_numpy))
        )


def generate(bits: BitStream, rng: np.random.Generator) -> Outcome:
    """Make everything from ``bits``; ``rng`` is the generator to compare with. InputError if the bits are too few."""
    design = words.gaussian_design()
    values = words.gaussian_words(bits, design, count=len(bits) // design.bits_per_word)
    grid, fair = words.word_law(design.probabilities, design.format)
    # both the grid and the words are odd multiples of half an LSB, so the comparison is exact
    counted = np.array([np.count_nonzero(values == value) for value in grid]) / len(values)
    return Outcome(
        values=values,
        distances=words.law_distances(grid, counted),
        fair_distances=words.law_distances(grid, fair),
        noise_numpy=rng.standard_normal((IMAGE_SIZE, IMAGE_SIZE)),
        latents=latents.latent_codes(bits, LATENT_SHAPE),
        latents_numpy=rng.standard_normal(LATENT_SHAPE),
    )
