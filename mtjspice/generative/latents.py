"""Latent codes of generative models from bits: uniform numbers, and their normal quantiles."""

from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from mtjspice.bits.stream import BitStream, as_bits
from mtjspice.errors import InputError

BITS_PER_COORDINATE = 16


def bits_needed(shape: tuple[int, ...], bits_per_coordinate: int = BITS_PER_COORDINATE) -> int:
    """Bits that codes of ``shape`` consume."""
    if not 1 <= bits_per_coordinate <= 52:
        raise ValueError(f"bits_per_coordinate must lie between 1 and 52, not {bits_per_coordinate}")
    if any(size < 0 for size in shape):
        raise ValueError(f"not a shape: {shape}")
    return prod(shape) * bits_per_coordinate


def uniform_codes(
    bits: BitStream | ArrayLike, shape: tuple[int, ...], bits_per_coordinate: int = BITS_PER_COORDINATE
) -> NDArray[np.float64]:
    """Numbers u = (k + 1/2) / 2**b in (0, 1), of ``shape``, k being b = ``bits_per_coordinate`` bits.

    Coordinates take disjoint blocks of consecutive bits, most significant first, in C order; bits beyond
    :func:`bits_needed` are unused. b is at most 52, so that u is exact. InputError if there are too few bits.
    """
    needed = bits_needed(shape, bits_per_coordinate)
    values = as_bits(bits)
    if needed > values.size:
        raise InputError(
            f"too few bits for codes of shape {shape}: {needed} are needed ({bits_per_coordinate} per "
            f"coordinate), {values.size} are available"
        )
    blocks = values[:needed].reshape(-1, bits_per_coordinate)
    u = np.full(len(blocks), 0.5)
    for column in range(bits_per_coordinate - 1, -1, -1):
        u = (u + blocks[:, column]) / 2
    return u.reshape(shape)


def latent_codes(
    bits: BitStream | ArrayLike, shape: tuple[int, ...], bits_per_coordinate: int = BITS_PER_COORDINATE
) -> NDArray[np.float64]:
    """Normal latent codes of ``shape``: the normal quantiles of :func:`uniform_codes`.

    Fair bits give 2**b equally likely values, symmetric about 0 and within +-4.33 for b = 16.
    """
    return np.asarray(ndtri(uniform_codes(bits, shape, bits_per_coordinate)), dtype=np.float64)
