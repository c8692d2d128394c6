"""Extractors that hash blocks: Toeplitz matrices (leftover hash lemma) and SHA-256 (vetted conditioning)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import floor, log2, sqrt

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import fft

from mtjspice.bits.extractors.base import LAGS, Extractor, Prediction
from mtjspice.bits.stream import BitStream
from mtjspice.device.chain import ChainModel
from mtjspice.errors import InputError

EPSILON = 2.0**-32
_LARGEST = 1 << 26  # bits of a block
_LONGEST_TABLE = 1 << 18  # block + outputs; the table has 32 bytes for each
_DIRECT, _TRANSFORM = 1e-3, 3.0  # ns for a product of bits, and for a point of an FFT times its logarithm
_BATCH = 1 << 22  # points transformed together


@dataclass(frozen=True)
class Toeplitz(Extractor):
    """y = T x over GF(2) for blocks x of ``block`` bits, T a Toeplitz matrix of ``outputs`` rows.

    T has the entries s[row - column + block - 1] with the ``block`` + ``outputs`` - 1 seed bits s, drawn from ``seed``
    (or given as ``seed_bits``), the same for all blocks. By the leftover hash lemma the output is within ``epsilon`` of
    uniform if outputs <= block * min_entropy - 2 log2(1 / epsilon); `sized` chooses that. Bits of an incomplete last
    block are dropped. Small matrices are multiplied out in words, large ones by FFT; the result is the same.
    """

    block: int
    outputs: int
    seed: int = 0
    min_entropy: float | None = None
    epsilon: float | None = None
    seed_bits: BitStream | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.outputs <= self.block <= _LARGEST:
            raise InputError(
                f"a Toeplitz matrix has 1 to block = {self.block} rows (and a block {_LARGEST} bits at most), not "
                f"{self.outputs}"
            )
        if self.seed_bits is not None and self.seed_bits.length < self.block + self.outputs - 1:
            raise InputError(
                f"a Toeplitz matrix of {self.outputs} x {self.block} needs {self.block + self.outputs - 1} seed bits, "
                f"not {self.seed_bits.length}"
            )

    @classmethod
    def sized(
        cls, block: int, min_entropy: float, epsilon: float = EPSILON, seed: int = 0,
        seed_bits: BitStream | None = None,
    ) -> "Toeplitz":  # fmt: skip
        """With outputs = floor(block * min_entropy - 2 log2(1 / epsilon)), min_entropy being per bit.

        InputError if nothing is left, or for numbers outside (0, 1].
        """
        if not 0 < min_entropy <= 1:
            raise InputError(f"the min-entropy must lie between 0 and 1 bit per bit, not {min_entropy:g}")
        if not 0 < epsilon < 1:
            raise InputError(f"epsilon must lie between 0 and 1, not {epsilon:g}")
        outputs = min(block, floor(block * min_entropy - 2 * log2(1 / epsilon)))
        if outputs < 1:
            raise InputError(
                f"blocks of {block} bits of the min-entropy {min_entropy:g} hold no bit within {epsilon:.3g} of "
                f"uniform; they must be longer than {2 * log2(1 / epsilon) / min_entropy:.0f} bits"
            )
        return cls(block, outputs, seed, min_entropy, epsilon, seed_bits)

    @property
    def name(self) -> str:  # type: ignore[override]
        """As it is typed."""
        return f"toeplitz:{self.block},outputs={self.outputs}"

    @cached_property
    def key(self) -> NDArray[np.uint8]:
        """The seed bits s, shape (block + outputs - 1,)."""
        count = self.block + self.outputs - 1
        if self.seed_bits is not None:
            return self.seed_bits[:count].bits()
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(self.seed, spawn_key=(0x70E,))))
        return np.unpackbits(np.frombuffer(rng.bytes(-(-count // 8)), np.uint8), count=count)

    def matrix(self) -> NDArray[np.uint8]:
        """T itself, shape (outputs, block); for small ones."""
        rows, columns = np.arange(self.outputs)[:, None], np.arange(self.block)
        return self.key[rows - columns + self.block - 1]

    def extract(self, stream: BitStream, direct: bool | None = None) -> tuple[NDArray[np.uint8], int, int]:
        """See `Extractor`; ``direct`` overrides the choice of the method."""
        n, m = self.block, self.outputs
        blocks = stream.length // n
        if not blocks:
            raise InputError(f"Toeplitz hashing needs {n} bits, the stream has {stream.length}")
        points = fft.next_fast_len(n + m - 1, real=True)
        if direct is None:
            direct = n + m < _LONGEST_TABLE and _DIRECT * n * m < _TRANSFORM * points * log2(points)
        multiply = self._by_table() if direct else self._by_transform(points)
        together = 8 * max(1, _BATCH // (8 * points))  # whole bytes come out
        parts = []
        for begin in range(0, blocks, together):
            part = stream[begin * n : min(blocks, begin + together) * n]
            rows = multiply(part)
            parts.append(rows.ravel() if m % 8 == 0 else np.packbits(np.unpackbits(rows, axis=1, count=m)))
        return np.concatenate(parts), blocks * m, 1

    def _by_table(self) -> Callable[[BitStream], NDArray[np.uint8]]:
        """Products byte by byte of the input, from a table; packed rows."""
        pad = -self.block % 8  # zeros before each block
        table = _byte_table(self.key, (self.block + self.outputs) // 8 + 2)

        def multiply(part: BitStream) -> NDArray[np.uint8]:
            blocks = part.length // self.block
            if pad:
                bits = np.zeros((blocks, self.block + pad), np.uint8)
                bits[:, pad:] = part.bits().reshape(blocks, self.block)
                packed = np.packbits(bits, axis=1)
            else:
                packed = np.asarray(part.packed).reshape(blocks, self.block // 8)
            rows = np.empty((blocks, -(-self.outputs // 8)), np.uint8)
            _multiply(packed, table, rows)
            if self.outputs % 8:
                rows[:, -1] &= 0xFF << (8 - self.outputs % 8) & 0xFF
            return rows

        return multiply

    def _by_transform(self, points: int) -> Callable[[BitStream], NDArray[np.uint8]]:
        """Row r is the coefficient r + block - 1 of the product of the polynomials of input and key; packed rows.

        The sums are whole numbers up to ``block``, which double precision keeps apart by far.
        """
        spectrum = fft.rfft(self.key.astype(np.float64), points)

        def multiply(part: BitStream) -> NDArray[np.uint8]:
            x = part.bits().reshape(-1, self.block).astype(np.float64)
            product = fft.irfft(fft.rfft(x, points) * spectrum, points)
            sums = np.rint(product[:, self.block - 1 : self.block - 1 + self.outputs])
            return np.packbits(sums.astype(np.int64) & 1, axis=1)

        return multiply

    def predict(self, model: ChainModel, lags: int = LAGS) -> Prediction:
        """The bound of the leftover hash lemma for the min-entropy of the chains' most likely path."""
        entropy = self.block * _path_entropy(model)
        bound = min(1.0, 2 ** ((self.outputs - entropy) / 2))
        return Prediction(self.outputs / self.block, 0.0, (0.0,) * lags, bound)


@dataclass(frozen=True)
class Sha256(Extractor):
    """SHA-256 of blocks of ``block`` bits: the vetted conditioning of SP 800-90B, section 3.1.5.1.

    A block is hashed as bytes, its last one padded with zeros. Bits of an incomplete last block are dropped.
    """

    block: int = 512

    def __post_init__(self) -> None:
        if not 1 <= self.block <= _LARGEST:
            raise InputError(f"a block to be hashed has 1 to {_LARGEST} bits, not {self.block}")

    @property
    def name(self) -> str:  # type: ignore[override]
        """As it is typed."""
        return f"sha256:{self.block}"

    def extract(self, stream: BitStream) -> tuple[NDArray[np.uint8], int, int]:
        """See `Extractor`."""
        blocks = stream.length // self.block
        if not blocks:
            raise InputError(f"hashing needs blocks of {self.block} bits, the stream has {stream.length}")
        if self.block % 8 == 0:
            size, data = self.block // 8, stream.packed.data
            parts = (data[k * size : (k + 1) * size] for k in range(blocks))
        else:
            parts = (stream[k * self.block : (k + 1) * self.block].packed.data for k in range(blocks))
        digests = b"".join(hashlib.sha256(part).digest() for part in parts)
        return np.frombuffer(digests, np.uint8), 256 * blocks, 1

    def output_entropy(self, min_entropy: float) -> float:
        """Entropy (bit) of one output of 256 bits by SP 800-90B, 3.1.5.1.2, for input of ``min_entropy`` per bit.

        InputError for a min-entropy outside (0, 1].
        """
        if not 0 < min_entropy <= 1:
            raise InputError(f"the min-entropy must lie between 0 and 1 bit per bit, not {min_entropy:g}")
        n_in, n_out = self.block, 256
        h_in = self.block * min_entropy
        high = 2.0**-h_in if h_in < 1000 else 0.0
        low = log2(1 - high) - (n_in + (log2(1 - 2.0**-n_in) if n_in < 50 else 0.0)) if high < 1 else -np.inf
        narrow = min(n_out, n_in, 256)
        share = 2.0 ** (n_in - narrow + low) if n_in - narrow + low > -1000 else 0.0
        psi = share + high
        # (2^(n_in - n) + sqrt(2 n 2^(n_in - n) ln 2)) P_low
        exponent = (n_in - narrow) / 2
        root = sqrt(2 * narrow * np.log(2)) * (2.0 ** (exponent + low) if exponent + low > -1000 else 0.0)
        largest = max(psi, share + root)
        return min(float(n_out), -log2(largest)) if largest > 0 else float(n_out)

    def predict(self, model: ChainModel, lags: int = LAGS) -> Prediction:
        """Fair and independent bits at the rate 256 / block."""
        return Prediction(256 / self.block, 0.0, (0.0,) * lags)


def _path_entropy(model: ChainModel) -> float:
    """Min-entropy rate of the lanes: the most likely way on, round a cycle of one or two states; mean, bit per bit."""
    p01, p10 = model.p01, model.p10
    likeliest = np.maximum.reduce([1 - p01, 1 - p10, np.sqrt(p01 * p10)])
    return float(np.mean(-np.log2(likeliest)))


def _byte_table(key: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """For each value of an input byte, the sum of the keys shifted to its bits, packed; shape (256, size).

    Bit i of the byte (the first is the most significant) adds the key from its bit 7 - i on.
    """
    padded = np.zeros(8 * size + 8, np.uint8)
    padded[: key.size] = key
    table = np.zeros((256, size), np.uint8)
    for bit in range(8):  # from the least significant
        single = np.packbits(padded[bit : bit + 8 * size])
        table[1 << bit : 2 << bit] = table[: 1 << bit] ^ single
    return table


@njit(cache=True, error_model="numpy", nogil=True)
def _multiply(packed: NDArray[np.uint8], table: NDArray[np.uint8], rows: NDArray[np.uint8]) -> None:
    """Byte q of an input of Q bytes adds its entry from byte Q - 1 - q on."""
    blocks, inputs = packed.shape
    outputs = rows.shape[1]
    for block in range(blocks):
        row = rows[block]
        row[:] = 0
        for q in range(inputs):
            entry = table[packed[block, q], inputs - 1 - q :]
            for w in range(outputs):
                row[w] ^= entry[w]
