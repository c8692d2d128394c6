"""Latents to the bits that they are made of: exactly where the numbers are known, with doubts where they are estimates.

A latent that was estimated from an image lies near one whose numbers are normal quantiles of words. Numbers are rounded
one after the other, the surest first, and what is left is corrected for each by its correlation with the rest
(successive rounding, L. Babai 1986); so the last numbers are known far better than they were alone.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mtjspice.errors import InputError
from mtjspice.generative.attack.equations import SoftBits
from mtjspice.generative.attack.inversion import Inversion
from mtjspice.generative.gaussian import quantiles

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]

WIDEST = 12
"""Bits of a word that are told from an estimate; further ones count as unknown."""
_SURE = 0.02  # probability of another word above which a number is not rounded
_FAR = 5.0  # deviations of chi-square by which rounded numbers may lie off the estimate
_INFLATION = 1.5  # of the errors: rounding of pixels is not quite independent noise, nor the generator quite linear


def exact_bits(latents: Floats, word: int) -> Bits:
    """The bits of numbers that `InverseCdf` made of words of ``word`` bits, in their order, shape (numbers * word,).

    InputError for numbers that are no such quantiles.
    """
    table = quantiles(word)
    numbers = np.asarray(latents, np.float64).ravel()
    words = np.rint(ndtr(numbers) * 2**word - 0.5).astype(np.int64).clip(0, 2**word - 1)
    wrong = np.flatnonzero(np.abs(table[words] - numbers) > 1e-6)
    if wrong.size:
        raise InputError(f"number {wrong[0]} of the latents, {numbers[wrong[0]]:.6g}, is no quantile of {word} bits")
    return _bits_of(words, word).ravel()


def known_bits(latents: Floats, word: int) -> SoftBits:
    """`exact_bits` of numbers that are known, as published noise is; never wrong."""
    values = exact_bits(latents, word)
    return SoftBits(np.arange(values.size), values, np.zeros(values.size))


def estimated_bits(inversion: Inversion, word: int, first: int = 0) -> SoftBits:
    """All bits of an inverted latent, from position ``first`` on; the probability of an error is that of the estimate.

    Words of more than `WIDEST` bits: their lower bits count as unknown (1/2).
    """
    told = min(word, WIDEST)
    levels = quantiles(told)
    mean = inversion.latent.copy()
    covariance = _inverse(inversion.precision) * _INFLATION**2
    size = mean.size
    ones = np.full((size, word), 0.5)
    left = np.ones(size, np.bool_)
    # a number whose word has lower bits that are not told lies anywhere in its cell
    widths = np.gradient(levels) if word > told else np.zeros(levels.size)
    codes = _bits_of(np.arange(levels.size), told).astype(np.float64)
    alone = _chances(mean, np.sqrt(np.diag(covariance)), levels, widths) @ codes
    while left.any():
        open_ = np.flatnonzero(left)
        spread = np.sqrt(np.diag(covariance)[open_])
        chances = _chances(mean[open_], spread, levels, widths)
        ones[open_, :told] = chances @ codes
        doubt = 1 - chances.max(axis=1)
        surest = int(np.argmin(doubt))
        if doubt[surest] > _SURE or word > told:
            break
        k = int(open_[surest])
        # condition the others on this number being exactly that of its word
        column = covariance[:, k] / covariance[k, k]
        mean += np.where(left, column * (levels[int(np.argmax(chances[surest]))] - mean[k]), 0.0)
        covariance -= np.outer(column, covariance[k])
        left[k] = False
    moved = mean - inversion.latent
    if moved @ inversion.precision @ moved > _INFLATION**2 * (size + _FAR * np.sqrt(2 * size)):
        # a number was rounded to a wrong word, and drew others with it: what each says by itself is left
        ones[:, :told] = alone
    values = (ones > 0.5).astype(np.uint8)
    wrong = np.minimum(ones, 1 - ones).clip(0, 0.5)
    return SoftBits(first + np.arange(size * word), values.ravel(), wrong.ravel())


def latents_of(bits: Bits, word: int, size: int) -> Floats:
    """Latents (n, ``size``) of bits, as `InverseCdf` makes them; bits beyond whole latents are left out."""
    count = bits.size // (word * size)
    rows = bits[: count * size * word].reshape(-1, word).astype(np.int64)
    return quantiles(word)[rows @ (1 << np.arange(word - 1, -1, -1))].reshape(count, size)


def _inverse(precision: Floats) -> Floats:
    """Of a symmetric matrix; what it says nothing about gets an error that is large, not one that is negative."""
    values, vectors = np.linalg.eigh((precision + precision.T) / 2)
    kept = np.maximum(values, 1e-12 * max(float(values[-1]), 1e-300))
    return np.asarray((vectors / kept) @ vectors.T)


def _chances(mean: Floats, spread: Floats, levels: Floats, widths: Floats) -> Floats:
    """Probability of each word for numbers that are normal about ``mean``, all words being as likely; (n, words)."""
    variance = (spread**2)[:, None] + (widths**2 / 12)[None]
    exponent = -0.5 * (mean[:, None] - levels) ** 2 / np.maximum(variance, 1e-18) - 0.5 * np.log(
        np.maximum(variance, 1e-18)
    )
    exponent -= exponent.max(axis=1, keepdims=True)
    chances = np.exp(exponent)
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _bits_of(words: NDArray[np.int64], width: int) -> Bits:
    return ((words[:, None] >> np.arange(width - 1, -1, -1)) & 1).astype(np.uint8)
