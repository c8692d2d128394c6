"""Bits for NumPy: a bit generator that serves recorded or simulated bits to `numpy.random.Generator`.

    rng = numpy.random.Generator(MTJBitGenerator(stream))
    rng.standard_normal(1000)

A double takes 64 bits, a 32-bit integer or a float 32. Nothing is used twice and nothing is made up: when the bits
have run out and there is no refill, the call raises StreamExhaustedError.
"""

import ctypes
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

Refill = Callable[[], BitStream | None]
"""Called when the bits have run out; returns more, or None if there are none."""

_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_INTERPRETER = {
    words.ENSURE: ctypes.pythonapi.PyGILState_Ensure,
    words.RAISE: ctypes.pythonapi.PyThreadState_SetAsyncExc,
    words.RELEASE: ctypes.pythonapi.PyGILState_Release,
}


class _Interface(ctypes.Structure):
    """NumPy's bitgen_t (numpy/random/bitgen.h)."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("state", "uint64", "uint32", "double", "raw"))


class _NoSeed(ISeedSequence):
    """In the place of a seed sequence: bits that come from elsewhere have none."""

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        raise InputError("bits of a stream have no seed")


class MTJBitGenerator(np.random.BitGenerator):
    """A NumPy bit generator over ``bits``: a `BitStream` (or vector of 0 and 1), or a `Source` to read on and on.

    ``refill`` is asked for another stream whenever the bits have run out. The last bits of a stream that do not fill
    a byte are not used. As with any bit generator of NumPy, one thread uses it at a time.
    """

    def __init__(self, bits: BitStream | ArrayLike | Source, refill: Refill | None = None) -> None:
        super().__init__(cast(Any, _NoSeed()))
        if isinstance(bits, Source):
            if refill is not None:
                raise ValueError("a source refills itself")
            refill, bits = _reader(bits), BitStream(np.empty(0, np.uint8), 0, bits.origin, bits.provenance)
        self._refill = refill
        self._refills = 0
        self._words = np.zeros(words.STATE_WORDS, np.uint64)
        self._callback = _CALLBACK(self._more)  # must outlive the interface
        for index, function in {words.REFILL: self._callback, **_INTERPRETER}.items():
            self._words[index] = ctypes.cast(function, ctypes.c_void_p).value or 0
        self._load(_whole_bytes(as_stream(bits)))
        interface = _Interface.from_address(_pointer(self.capsule))
        interface.state = self._words.ctypes.data
        interface.uint64 = interface.raw = words.next_uint64.address
        interface.uint32 = words.next_uint32.address
        interface.double = words.next_double.address

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
        if self._refill is not None and value["refills"] != self._refills:
            raise InputError("the state of a bit generator from before a refill cannot be restored")
        self._load(np.asarray(value["packed"], np.uint8), int(value["position"]))

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
        self._buffer = np.ascontiguousarray(buffer)
        start = self._buffer.ctypes.data
        self._words[words.NEXT], self._words[words.END] = start + position, start + self._buffer.size
        self._words[words.DRY] = self._words[words.SERVED] = 0

    def _more(self, _: int) -> None:
        """Called by the compiled functions when a word is not there: append a refill, or name the exception."""
        wanted = 8 * int(self._words[words.WANTED])
        try:
            while self.remaining < wanted:
                fresh = None if self._refill is None else self._refill()
                if fresh is None or fresh.length < 8:
                    self._fail(f"the bits have run out: a number takes {wanted} bits, {self.remaining} are left")
                    return
                left = self._buffer[self._position() :]
                self._load(np.concatenate([left, _whole_bytes(fresh)]) if left.size else _whole_bytes(fresh))
                self._refills += 1
        except Exception as error:
            self._fail(f"no more bits: {error}")

    def _fail(self, message: str) -> None:
        """Prepare the exception that the compiled function has the calling thread raise."""
        state = self._words

        class ExhaustedError(StreamExhaustedError):
            """Made when it is raised; from then on the next call raises again."""

            def __init__(self) -> None:
                state[words.DRY] = 0
                super().__init__(message)

        ExhaustedError.__name__ = ExhaustedError.__qualname__ = StreamExhaustedError.__name__
        self._exception = ExhaustedError  # kept alive until it is raised
        state[words.DRY] = 1
        state[words.EXCEPTION], state[words.THREAD] = id(ExhaustedError), threading.get_ident()


def _reader(source: Source) -> Refill:
    return lambda: source.stream(8 * CHUNK)


def _whole_bytes(stream: BitStream) -> NDArray[np.uint8]:
    return np.asarray(stream.packed[: stream.length // 8])


def _pointer(capsule: object) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return int(get(capsule, b"BitGenerator"))
