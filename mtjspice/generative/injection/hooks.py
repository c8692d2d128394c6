"""Callables for libraries that let one pass the noise; and latent vectors.

    edm_sampler(net, latents, randn_like=randn_like(numbers))                    # EDM
    scheduler.step(output, t, sample, eta=1, variance_noise=variance_noise(numbers)(sample))  # DDIM
    sample_euler_ancestral(model, x, sigmas, noise_sampler=noise_sampler(numbers, x))  # k-diffusion
    numpy.random.RandomState(MTJBitGenerator(stream)).randn(1, 512)              # StyleGAN

Each takes bits, a Gaussian source or `Numbers`; share one `Numbers` among several.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.sources.base import Source
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.injection.numbers import Normal, Numbers, open_numbers
from mtjspice.generative.latents import bits_needed, latent_codes

if TYPE_CHECKING:
    import torch

Supply = BitStream | ArrayLike | Source | Normal | Numbers


def randn_like(source: Supply) -> Callable[..., "torch.Tensor"]:
    """What stands in for ``torch.randn_like``: normal numbers in the shape, type and place of a tensor."""
    library, numbers = _torch(), open_numbers(source)

    def draw(tensor: "torch.Tensor", *, dtype: Any = None, device: Any = None, **_: Any) -> "torch.Tensor":
        chosen = tensor.dtype if dtype is None else dtype
        if not chosen.is_floating_point:
            raise InputError(f"normal numbers need a floating-point type, not {chosen}")
        values = np.array(numbers.normal(tuple(tensor.shape)))
        return library.from_numpy(values).to(tensor.device if device is None else device, chosen)

    return draw


def variance_noise(source: Supply) -> Callable[["torch.Tensor"], "torch.Tensor"]:
    """What gives ``variance_noise`` of a DDIM-type step: normal numbers like a sample."""
    return randn_like(source)


def noise_sampler(source: Supply, x: "torch.Tensor") -> Callable[..., "torch.Tensor"]:
    """The ``noise_sampler`` of k-diffusion: (sigma, sigma_next) -> normal numbers like ``x``, fresh each time."""
    draw = randn_like(source)

    def sample(sigma: Any, sigma_next: Any) -> "torch.Tensor":
        return draw(x)

    return sample


def latents(
    source: Source | BitStream | Normal | Numbers, shape: tuple[int, ...], bits: int = 16
) -> NDArray[np.float64]:
    """Normal latent vectors of ``shape``: quantiles of words of ``bits`` bits each (see `latent_codes`).

    A Gaussian source or `Numbers` give their own normal numbers. StreamExhaustedError, or InputError for a stream, if
    there are too few bits.
    """
    if isinstance(source, Source):
        return latent_codes(source.stream(bits_needed(shape, bits)), shape, bits)
    if isinstance(source, Normal):
        return source.normal(shape)
    return latent_codes(source, shape, bits)


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise InputError("torch is not installed; pip install 'mtjspice[generative]'") from None
