"""Training of the variational autoencoder whose latents the neural SDE makes."""

from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mtjspice.generative.sde.training import Effort, Progress, minimise, perceptron, perceptron_arrays
from mtjspice.generative.torch_threads import one_torch_thread
from mtjspice.generative.weights import Arrays

LATENT_SIZE = 8
_HIDDEN = 256
_PIXELS = 784
_KL_WEIGHT = 2.0  # of squares summed over the pixels: a decoder whose pixels scatter by 1 (of -1 ... 1)


@one_torch_thread()
def train_vae(
    images: NDArray[np.uint8], effort: Effort, kind: torch.dtype = torch.float32, progress: Progress | None = None
) -> Arrays:
    """Train on images (n, 784) of 0 to 255 (D. P. Kingma and M. Welling, arXiv 1312.6114).

    Arrays ``encoder.*`` (784-256-16: means, then logarithms of variances), ``decoder.*`` (8-256-256-784, then tanh),
    and ``mean`` and ``deviation`` (8,) of the encoded images' means.
    """
    rng = np.random.default_rng(effort.seed)
    encoder = perceptron((_PIXELS, _HIDDEN, 2 * LATENT_SIZE), rng, kind)
    decoder = perceptron((LATENT_SIZE, _HIDDEN, _HIDDEN, _PIXELS), rng, kind)

    def loss() -> Tensor:
        x = _scaled(images[rng.integers(0, len(images), effort.batch)], kind)
        mean, logarithm = encoder(x).chunk(2, 1)
        noise = torch.from_numpy(rng.standard_normal(tuple(mean.shape))).to(kind)
        restored = torch.tanh(decoder(mean + noise * (logarithm / 2).exp()))
        divergence = (mean.square() + logarithm.exp() - logarithm - 1).sum(1) / 2
        return ((restored - x).square().sum(1) + _KL_WEIGHT * divergence).mean() / sqrt(_PIXELS)

    minimise(loss, nn.ModuleList([encoder, decoder]), effort, progress)
    with torch.no_grad():
        parts = [encoder(_scaled(images[k : k + 1000], kind)).numpy() for k in range(0, len(images), 1000)]
    means = np.concatenate(parts).astype(np.float64)[:, :LATENT_SIZE]
    return {
        **{f"encoder.{name}": value for name, value in perceptron_arrays(encoder).items()},
        **{f"decoder.{name}": value for name, value in perceptron_arrays(decoder).items()},
        "mean": means.mean(axis=0),
        "deviation": means.std(axis=0),
    }


def _scaled(pixels: NDArray[np.uint8], kind: torch.dtype) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32)).to(kind) / 127.5 - 1
