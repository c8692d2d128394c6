"""Bits for NumPy: a bit generator that serves recorded or simulated bits to `numpy.random.Generator`.

    rng = numpy.random.Generator(MTJBitGenerator(stream))
    rng.standard_normal(1000)

A double takes 64 bits, a 32-bit integer or a float 32. Nothing is used twice and nothing is made up: when the bits
have run out and there is no refill, the call raises StreamExhaustedError and returns nothing; what it had written
into an array of the caller's (``out=``, ``shuffle``) is void.
"""

import ctypes
import operator
import threading
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.adapters import words
from mtjspice.bits.sources.base import Source, StreamExhaustedError
from mtjspice.bits.stream import CHUNK, BitStream, as_stream
from mtjspice.errors import InputError

Refill = Callable[[], BitStream | ArrayLike | None]
"""Called when the bits have run out; returns more, or None if there are none."""

_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Interface(ctypes.Structure):
    """NumPy's bitgen_t (numpy/random/bitgen.h)."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("state", "uint64", "uint32", "double", "raw"))


class _NoSeed(ISeedSequence):
    """In the place of a seed sequence: bits that come from elsewhere have none."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        raise InputError("bits of a stream have no seed")

    def spawn(self, n_children: int) -> Any:
        raise TypeError("a generator of recorded bits cannot be spawned; give each part a slice of the bits")


class _Guard:
    """NumPy's lock around every draw: here running dry becomes an exception, before anybody sees a number."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._lock = threading.RLock()
        self._check = check
        self.acquire, self.release = self._lock.acquire, self._lock.release

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(self, *_: object) -> None:
        try:
            self._check()
        finally:
            self._lock.release()


class MTJBitGenerator(np.random.BitGenerator):
    """A NumPy bit generator over ``bits``: a `BitStream` (or vector of 0 and 1), or a `Source` to read on and on.

    ``refill`` is asked for another stream (or vector of 0 and 1) whenever the bits have run out; an exception that it
    raises ends the draw. The last bits of a stream that do not fill a byte are not used. As with any bit generator of
    NumPy, a draw holds ``lock``. Who calls the functions behind ``ctypes`` or ``cffi`` directly must call `check`.
    """

    def __init__(self, bits: BitStream | ArrayLike | Source, refill: Refill | None = None) -> None:
        if hasattr(self, "_words"):
            raise ValueError("a bit generator is initialised once")
        super().__init__(cast(Any, _NoSeed()))
        if isinstance(bits, Source):
            if refill is not None:
                raise ValueError("a source refills itself")
            refill, bits = Reader(bits), BitStream(np.empty(0, np.uint8), 0, bits.origin, bits.provenance)
        self._refill = refill
        self._refills = 0
        self._error: BaseException | None = None
        self._guard = _Guard(self.check)
        self._words = np.zeros(words.STATE_WORDS, np.uint64)
        self._callback = _CALLBACK(self._more)  # must outlive the interface
        self._words[words.REFILL] = ctypes.cast(self._callback, ctypes.c_void_p).value or 0
        self._load(_whole_bytes(as_stream(bits)))
        interface = _Interface.from_address(_pointer(self.capsule))
        interface.state = self._words.ctypes.data
        interface.uint64 = interface.raw = words.next_uint64.address
        interface.uint32 = words.next_uint32.address
        interface.double = words.next_double.address

    @property
    def lock(self) -> Any:  # type: ignore[override]
        """What a draw holds; leaving it raises if the bits did not suffice."""
        return self._guard

    def check(self) -> None:
        """Raise StreamExhaustedError if the last draw ran out of bits (or what interrupted a refill)."""
        if not self._words[words.DRY]:
            return
        error, self._error = self._error, None
        self._words[words.DRY] = 0
        if error is not None and not isinstance(error, Exception):
            raise error
        if error is not None:
            raise StreamExhaustedError(f"no more bits: {error}") from error
        wanted = 8 * int(self._words[words.WANTED])
        raise StreamExhaustedError(f"the bits have run out: a number takes {wanted} bits, {self.remaining} are left")

    def random_raw(self, size: Any = None, output: bool = True) -> Any:
        """Words of 64 bits, see NumPy."""
        found = cast(Any, super()).random_raw(size, output)
        self.check()
        return found

    @property
    def remaining(self) -> int:
        """Bits that are left before a refill."""
        return 8 * (self._buffer.size - self._position())

    @property
    def state(self) -> dict[str, Any]:
        """Where it is: the bits (uint8, packed), the position in them (bytes), and the number of refills before.

        A state can be set on any generator of this class; one from before a refill cannot be set again, since what a
        refill gave is gone then.
        """
        return {
            "bit_generator": type(self).__name__,
            "packed": self._buffer,
            "position": self._position(),
            "refills": self._refills,
        }

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        if not isinstance(value, Mapping) or value.get("bit_generator") != type(self).__name__:
            raise ValueError(f"state must be that of a {type(self).__name__}")
        try:
            packed, position, refills = value["packed"], operator.index(value["position"]), value["refills"]
        except KeyError as error:
            raise ValueError(f"the state of a {type(self).__name__} lacks the entry {error}") from None
        if not isinstance(packed, np.ndarray) or packed.dtype != np.uint8 or packed.ndim != 1:
            raise ValueError("the bits of a state must be a uint8 vector")
        if not 0 <= position <= packed.size:
            raise ValueError(f"the position {position} of a state lies outside its {packed.size} bytes")
        if self._refill is not None and refills != self._refills:
            raise InputError("the state of a bit generator from before a refill cannot be restored")
        self._load(np.array(packed) if packed.flags.writeable else packed, position)

    def advance(self, delta: int) -> "MTJBitGenerator":
        """Leave out the next ``delta`` words of 64 bits; InputError if there are fewer before a refill."""
        if not 0 <= delta <= self.remaining // 64:
            raise InputError(f"cannot advance by {delta} words of 64 bits: {self.remaining // 64} are left")
        self._words[words.NEXT] += np.uint64(8 * delta)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the bits and the position; a refill callback must be picklable too."""
        empty = BitStream(np.empty(0, np.uint8), 0, "unknown", {})
        return type(self), (empty, self._refill), {**self.state, "refills": self._refills}

    def __getstate__(self) -> dict[str, Any]:
        """See `__reduce__`."""
        return self.state

    def __setstate__(self, value: Mapping[str, Any]) -> None:
        """See `__reduce__`."""
        self._refills = int(value["refills"])
        self.state = value

    def _position(self) -> int:
        return int(self._words[words.NEXT]) - self._buffer.ctypes.data

    def _load(self, buffer: NDArray[np.uint8], position: int = 0) -> None:
        buffer = np.ascontiguousarray(buffer)
        if buffer.flags.writeable:
            buffer.setflags(write=False)
        self._buffer = buffer
        start = buffer.ctypes.data
        self._words[words.NEXT], self._words[words.END] = start + position, start + buffer.size
        self._words[words.DRY] = 0

    def _more(self, _: int) -> None:
        """Called by the compiled functions when a word is not there: append a refill, or leave things as they are."""
        try:
            while self._refill is not None and self.remaining < 8 * int(self._words[words.WANTED]):
                fresh = self._refill()
                packed = np.empty(0, np.uint8) if fresh is None else _whole_bytes(as_stream(fresh))
                if not packed.size:
                    return
                left = self._buffer[self._position() :]
                self._load(np.concatenate([left, packed]) if left.size else packed)
                self._refills += 1
        except BaseException as error:  # nothing can be raised through the compiled function
            self._error = error


class Reader:
    """Refill from a source, as much as there is of 8 Mbit at a time."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __call__(self) -> BitStream | None:
        """The next bits, None if there are no more."""
        bits = self._source.available(8 * CHUNK)
        return self._source.stream(bits) if bits else None


def _whole_bytes(stream: BitStream) -> NDArray[np.uint8]:
    return np.asarray(stream.packed[: stream.length // 8])


def _pointer(capsule: object) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return int(get(capsule, b"BitGenerator"))
