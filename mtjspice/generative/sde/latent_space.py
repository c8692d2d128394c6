"""The space in which the neural SDE works: latents of a small autoencoder of Fashion-MNIST."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mtjspice.generative.data import fashion
from mtjspice.generative.mlp import one_thread
from mtjspice.generative.sde.network import Perceptron
from mtjspice.generative.weights import checked, shipped

Floats = NDArray[np.float64]

NAME = "fashion_vae"
_BATCH = 1000


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """Encoder, decoder, and the mean and deviation (d,) by which latents are standardised."""

    encoder: Perceptron
    decoder: Perceptron
    mean: Floats
    deviation: Floats

    @classmethod
    @lru_cache(maxsize=1)
    def shipped(cls) -> "LatentSpace":
        """The autoencoder that comes with mtjspice."""
        arrays = shipped(NAME)
        decoder = Perceptron.from_arrays(arrays, NAME, "decoder.")
        size = decoder.weights[0].shape[1]
        checked(arrays, {"mean": (size,), "deviation": (size,)}, NAME)
        encoder = Perceptron.from_arrays(arrays, NAME, "encoder.")
        return cls(encoder, decoder, arrays["mean"].astype(np.float64), arrays["deviation"].astype(np.float64))

    @property
    def size(self) -> int:
        """Numbers of a latent."""
        return len(self.mean)

    @one_thread()
    def encode(self, images: NDArray[np.floating]) -> Floats:
        """Standardised latents (n, d), the means of the encoder, of images (n, ...) from -1 to 1."""
        flat = np.reshape(images, (len(images), -1))
        parts = [self.encoder(flat[k : k + _BATCH].astype(np.float64)) for k in range(0, len(flat), _BATCH)]
        return (np.concatenate(parts)[:, : self.size] - self.mean) / self.deviation

    @one_thread()
    def decode(self, latents: Floats) -> Floats:
        """Images (n, 1, 28, 28) from -1 to 1 of standardised latents (n, d)."""
        values = np.tanh(self.decoder(latents * self.deviation + self.mean))
        return np.asarray(values.reshape(-1, 1, fashion.SIDE, fashion.SIDE))
