"""Entropy per bit from the frequencies of blocks: Shannon's, the conditional one, and min-entropy, with intervals.

Shannon's entropy is estimated as by P. Grassberger, "Entropy Estimates from Insufficient Samplings", arXiv
physics/0307138 (2003), eq. 28 and following: ln N - sum_i n_i G(n_i) / N with
G(n) = psi(n) + (-1)^n (psi((n + 1) / 2) - psi(n / 2)) / 2. Its bias falls exponentially with the expected counts, that
of the correction of Miller and Madow with their square.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, chdtrc, ndtri, psi

from mtjspice.bits.stream import CHUNK, BitStream, as_stream
from mtjspice.errors import InputError

LONGEST_BLOCK = 16
SMALLEST_MEAN_COUNT = 8
"""Blocks that there should be for each of the 2^k possible ones; the bound for `longest_block`."""


@dataclass(frozen=True)
class Interval:
    """An estimate between its limits, in bit per bit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class BlockEntropy:
    """What `block_entropy` found in ``blocks`` blocks of ``block`` bits; entropies are in bit per bit.

    ``conditional`` is the entropy of a block's last bit given those before it (None for ``block`` = 1, where there are
    none before it). ``commonest`` is the most frequent block, read as a number. ``p_value`` is that of Pearson's
    chi-square test that all blocks are equally likely, None with fewer than five of each.
    """

    block: int
    blocks: int
    confidence: float
    shannon: Interval
    conditional: Interval | None
    min_entropy: Interval
    commonest: int
    p_value: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)


def longest_block(length: int) -> int:
    """The longest block, 1 to 16 bits, of which ``length`` bits hold eight times as many as are possible.

    0 where there are fewer than sixteen bits.
    """
    fitting = [k for k in range(1, LONGEST_BLOCK + 1) if length // k >= SMALLEST_MEAN_COUNT << k]
    return max(fitting, default=0)


def block_entropy(bits: BitStream | ArrayLike, block: int = 8, confidence: float = 0.95) -> BlockEntropy:
    """Entropies per bit from the blocks of ``block`` bits (1 to 16) that follow each other without overlap.

    The intervals are those for independent blocks; memory across blocks widens the true ones and is not seen.
    InputError without a single block.
    """
    stream = as_stream(bits)
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    counts = count_blocks(stream, block)
    blocks = int(counts.sum())
    if not blocks:
        raise InputError(f"the entropy of blocks of {block} bits needs at least {block} bits, got {stream.length}")
    expected = blocks / counts.size
    chi_square = float(((counts - expected) ** 2).sum() / expected)
    return BlockEntropy(
        block=block,
        blocks=blocks,
        confidence=confidence,
        shannon=_shannon(counts, block, confidence),
        conditional=_conditional(counts, confidence) if block > 1 else None,
        min_entropy=_min_entropy(counts, block, confidence),
        commonest=int(counts.argmax()),
        p_value=float(chdtrc(counts.size - 1, chi_square)) if expected >= 5 else None,
    )


def count_blocks(bits: BitStream | ArrayLike, block: int) -> NDArray[np.int64]:
    """How often each block of ``block`` bits occurs, shape (2^block,); the first bit is the highest. No overlap."""
    if not 1 <= block <= LONGEST_BLOCK:
        raise InputError(f"blocks have 1 to {LONGEST_BLOCK} bits, not {block}")
    stream = as_stream(bits)
    counts = np.zeros(1 << block, np.int64)
    for part in stream.chunks(CHUNK // block * block * 8):
        _count(np.asarray(part.packed), part.length // block, block, counts)
    return counts


@njit(cache=True, error_model="numpy", nogil=True)
def _count(packed, blocks, block, counts):  # type: ignore[no-untyped-def]
    register, held, byte = np.uint64(0), 0, 0
    mask = np.uint64((1 << block) - 1)
    for _ in range(blocks):
        while held < block:
            register = (register << np.uint64(8)) | np.uint64(packed[byte])
            byte += 1
            held += 8
        held -= block
        counts[np.int64((register >> np.uint64(held)) & mask)] += 1


# --- estimates -----------------------------------------------------------------------------------------------


def grassberger(counts: NDArray[np.int64]) -> float:
    """Shannon entropy, in nats, of the distribution that ``counts`` are drawn from."""
    total = int(counts.sum())
    # the counts of many blocks are few different numbers
    n, times = np.unique(counts[counts > 0], return_counts=True)
    sign = np.where(n % 2, -1.0, 1.0)
    correction = np.where(
        n < 1 << 20, sign * (psi((n + 1) / 2) - psi(n / 2)) / 2, 0.0
    )  # below 1e-6 / n and alternating
    return math.log(total) - float((times * n * (psi(n) + correction)).sum()) / total


def _shannon(counts: NDArray[np.int64], block: int, confidence: float) -> Interval:
    """The variance is that of the delta method and, of next order, what is left of it for equal probabilities.

    2 N (ln K - H) is then chi-square with K - 1 degrees of freedom, of the variance 2 (K - 1).
    """
    total = int(counts.sum())
    seen = counts[counts > 0] / total
    first = float((seen * np.log(seen) ** 2).sum() - float((seen * np.log(seen)).sum()) ** 2) / total
    second = (counts.size - 1) / (2 * total**2)
    return _interval(grassberger(counts), max(0.0, first) + second, block * math.log(2), confidence)


def _conditional(counts: NDArray[np.int64], confidence: float) -> Interval:
    """H_k - H_{k-1}; both of the same blocks, so that the error is that of the last bit alone."""
    total = int(counts.sum())
    pairs = counts.reshape(-1, 2)
    before = pairs.sum(axis=1)
    value = grassberger(counts) - grassberger(before)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.where(pairs > 0, -np.log(pairs / before[:, np.newaxis]), 0.0)
    weights = pairs / total
    first = float((weights * surprise**2).sum() - float((weights * surprise).sum()) ** 2) / total
    return _interval(value, max(0.0, first) + len(before) / (2 * total**2), math.log(2), confidence)


def _interval(nats: float, variance: float, most: float, confidence: float) -> Interval:
    """In units of the largest possible entropy, which is one bit per bit, and not outside 0 to 1."""
    half = float(ndtri(0.5 + confidence / 2)) * math.sqrt(variance)
    value, low, high = (min(1.0, max(0.0, x / most)) for x in (nats, nats - half, nats + half))
    return Interval(value, low, high)


def _min_entropy(counts: NDArray[np.int64], block: int, confidence: float) -> Interval:
    """From the largest probability of a block, between limits of Clopper and Pearson.

    They hold for all blocks together (Bonferroni), as it is not known which block is the likeliest.
    """
    total, most = int(counts.sum()), int(counts.max())
    tail = (1 - confidence) / 2 / counts.size
    upper = 1.0 if most == total else float(betaincinv(most + 1, total - most, 1 - tail))
    lower = max(1 / counts.size, float(betaincinv(most, total - most + 1, tail)))
    value, low, high = (max(0.0, -math.log2(p) / block) for p in (most / total, upper, lower))
    return Interval(value, low, high)
