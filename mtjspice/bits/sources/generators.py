"""Generators to compare with: NumPy's, stream ciphers, congruential ones, the operating system's, and a recording."""

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.sources.base import Source, StreamExhaustedError, check_seed
from mtjspice.bits.stream import CHUNK, BitStream
from mtjspice.errors import InputError, choose


class _Words(Source):
    """A source of whole words of ``width`` bits, written with the most significant bit first."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._left = np.empty(0, np.uint8)

    @abstractmethod
    def words(self, count: int) -> NDArray[np.unsignedinteger[Any]]:
        """The next ``count`` words."""

    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of packed bits."""
        bytes_ = self._width // 8
        missing = max(0, count - self._left.size)
        new = self.words(-(-missing // bytes_)).astype(f">u{bytes_}").view(np.uint8)
        packed = np.concatenate([self._left, new]) if self._left.size else new
        self._left = packed[count:].copy()
        return packed[:count]


# --- NumPy's -------------------------------------------------------------------------------------------------

_NUMPY: Mapping[str, tuple[Any, int]] = {
    "pcg64": (np.random.PCG64, 64),
    "philox": (np.random.Philox, 64),
    "sfc64": (np.random.SFC64, 64),
    "mt19937": (np.random.MT19937, 32),
}
NUMPY_NAMES = tuple(_NUMPY)


class NumpySource(_Words):
    """The raw words of one of NumPy's bit generators, `NUMPY_NAMES`, seeded as `numpy.random.SeedSequence` does."""

    def __init__(self, name: str, seed: int) -> None:
        generator, width = _NUMPY[choose("generator", name, _NUMPY)]
        super().__init__(width)
        self._generator = generator(check_seed(seed))
        self.provenance = {"source": name, "seed": seed}

    def words(self, count: int) -> NDArray[np.unsignedinteger[Any]]:
        """The next ``count`` words."""
        return np.asarray(self._generator.random_raw(count))


# --- ciphers -------------------------------------------------------------------------------------------------


class CipherSource(Source):
    """The key stream of AES-256 in counter mode (``aes-ctr``) or of ChaCha20 (RFC 8439).

    The key is ``key`` (32 bytes), by default 256 bits of SeedSequence(seed); counter and nonce begin with zero. The
    bytes are the cipher's, each with its most significant bit first.
    """

    def __init__(self, name: str, seed: int, key: bytes | None = None, nonce: bytes = bytes(16)) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        choose("cipher", name, ("aes-ctr", "chacha20"))
        if key is None:
            key = np.random.SeedSequence(check_seed(seed)).generate_state(8).astype("<u4").tobytes()
        if len(key) != 32 or len(nonce) != 16:
            raise InputError(f"{name} takes a key of 32 bytes and a nonce of 16, not {len(key)} and {len(nonce)}")
        cipher: Cipher[Any]
        if name == "aes-ctr":
            cipher = Cipher(algorithms.AES(key), modes.CTR(nonce))
        else:
            cipher = Cipher(algorithms.ChaCha20(key, nonce), None)
        self._encryptor = cipher.encryptor()
        self.provenance = {"source": name, "seed": seed}

    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of the key stream."""
        return np.frombuffer(self._encryptor.update(bytes(count)), np.uint8)


# --- linear congruential -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Congruence:
    """x -> (multiplier x + increment) mod ``modulus``; each step gives bits shift + width - 1 ... shift of x.

    ``modulus`` is at most 2^32, or 2^64. InputError for constants outside these ranges.
    """

    multiplier: int
    increment: int
    modulus: int
    shift: int
    width: int

    def __post_init__(self) -> None:
        if not (2 <= self.modulus <= 2**32 or self.modulus == 2**64):
            raise InputError(f"the modulus of an LCG must lie between 2 and 2^32 or be 2^64, not {self.modulus}")
        if not (0 < self.multiplier < self.modulus and 0 <= self.increment < self.modulus):
            raise InputError(
                f"multiplier {self.multiplier} and increment {self.increment} of an LCG must lie below its modulus "
                f"{self.modulus}, the multiplier above 0"
            )
        top = (self.modulus - 1).bit_length()
        if not (self.shift >= 0 and self.width >= 1 and self.shift + self.width <= top):
            raise InputError(
                f"an LCG of modulus {self.modulus} has bits 0 to {top - 1}, not {self.shift} to "
                f"{self.shift + self.width - 1}"
            )


CONGRUENCES: Mapping[str, Congruence] = {
    # ISO C's example of rand()
    "ansi-c": Congruence(1103515245, 12345, 2**32, 16, 15),
    # the same, its low byte: the period of bit k is 2^(k + 1)
    "ansi-c-low": Congruence(1103515245, 12345, 2**32, 0, 8),
    # IBM's, in three dimensions on 15 planes
    "randu": Congruence(65539, 0, 2**31, 0, 31),
    # Park, Miller and Stockmeyer 1993
    "minstd": Congruence(48271, 0, 2**31 - 1, 0, 31),
    # Knuth's MMIX
    "mmix": Congruence(6364136223846793005, 1442695040888963407, 2**64, 32, 32),
}


class CongruentialSource(Source):
    """A linear congruential generator: one of `CONGRUENCES` or your own; it begins with the state seed + 1."""

    def __init__(self, congruence: str | Congruence, seed: int) -> None:
        name = congruence if isinstance(congruence, str) else "lcg"
        if isinstance(congruence, str):
            congruence = CONGRUENCES[choose("LCG", congruence, CONGRUENCES)]
        c = congruence
        self._constants = np.array([c.multiplier, c.increment, c.modulus % 2**64, c.shift, c.width], np.uint64)
        self._state = np.array([(check_seed(seed) + 1) % c.modulus], np.uint64)
        if c.increment == 0 and self._state[0] == 0:
            raise InputError(f"seed {seed} gives this LCG the state 0, which it never leaves")
        self._left = np.empty(0, np.uint8)
        self.provenance = {"source": f"lcg:{name}", "seed": seed, "constants": str(c)}

    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of packed bits."""
        width = int(self._constants[4])
        missing = max(0, 8 * count - self._left.size)
        new = np.empty(-(-missing // width) * width, np.uint8)
        _congruence(self._constants, self._state, new)
        bits = np.concatenate([self._left, new])
        self._left = bits[8 * count :].copy()
        return np.packbits(bits[: 8 * count])


@njit(cache=True, error_model="numpy", nogil=True)
def _congruence(constants: NDArray[np.uint64], state: NDArray[np.uint64], out: NDArray[np.uint8]) -> None:
    a, c, m, shift, width = constants
    x, one = state[0], np.uint64(1)
    for begin in range(0, len(out), np.int64(width)):
        x = a * x + c  # below 2^64 for moduli up to 2^32, and modulo 2^64 for that one
        if m:
            x = x % m
        for k in range(np.int64(width)):
            out[begin + k] = (x >> (shift + width - one - np.uint64(k))) & one
    state[0] = x


# --- the system's and recordings -----------------------------------------------------------------------------


class SystemSource(Source):
    """The operating system's generator; it has no seed and cannot be repeated."""

    origin = "operating-system"

    def __init__(self) -> None:
        self.provenance = {"source": "os"}

    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of packed bits."""
        return np.frombuffer(os.urandom(count), np.uint8)


class StreamSource(Source):
    """The bits of a stream, once; StreamExhaustedError when they have been read."""

    def __init__(self, stream: BitStream) -> None:
        self._stream = stream
        self._position = 0
        self.origin, self.provenance, self.lanes = stream.origin, stream.provenance, stream.lanes

    def available(self, bits: int) -> int:
        """How many of ``bits`` are left."""
        return min(bits, self._stream.length - self._position)

    def stream(self, bits: int) -> BitStream:
        """The next ``bits`` bits; the source goes on with the byte after them."""
        if bits < 0:
            raise InputError(f"the number of bits must not be negative: {bits}")
        left = self.available(bits)
        if left < bits:
            raise StreamExhaustedError(
                f"the stream has run out: {bits} bits were asked for, {left} of {self._stream.length} are left"
            )
        found = self._stream[self._position : self._position + bits]
        self._position = min(self._stream.length, self._position + -(-bits // 8) * 8)
        return BitStream(found.packed, bits, self.origin, self.provenance, self.lanes)

    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of packed bits."""
        return np.asarray(self.stream(8 * count).packed)

    def chunks(self, bits: int, size: int = CHUNK) -> Iterator[NDArray[np.uint8]]:
        """The next ``bits`` bits as packed pieces of ``size`` bytes, the last one shorter and padded with zeros."""
        for begin in range(0, bits, 8 * size):
            yield np.asarray(self.stream(min(8 * size, bits - begin)).packed)
