"""Words of a packed bit stream for C callers (compiled): the functions that NumPy asks a bit generator for.

The state is an array of 64-bit words, see the names below. A word of bits takes the next ones, the first as the most
significant. When too few are left, a callback is asked for more. When it has none either, the state is marked as dry,
which whoever called must look at, and the words come from a stand-in generator, so that a loop which rejects values
ends.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import cfunc, njit, types
from numba.extending import intrinsic

# addresses: of the next byte, behind the last one, of the callback
NEXT, END, REFILL = range(3)
# bytes that are wanted, whether there were none, the stand-in's state
WANTED, DRY, STAND_IN = range(3, 6)
STATE_WORDS = 6


@intrinsic
def _load(typing_context: Any, address: Any, width: Any) -> Any:
    """The big-endian word of 4 or 8 bytes (as the type of ``width`` says) at an address."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(signature.return_type.bitwidth)
        pointer = builder.inttoptr(arguments[0], word.as_pointer())
        return builder.bswap(builder.load(pointer, align=1))

    return width(types.uint64, width), generate


@intrinsic
def _call(typing_context: Any, function: Any, state: Any) -> Any:
    """Call ``void function(uint64 *state)`` at an address."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        words = ir.IntType(64).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [words])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [arguments[1]])
        return context.get_dummy_value()

    return types.none(types.uint64, types.CPointer(types.uint64)), generate


@njit(error_model="numpy")
def _missing(s: Any, count: np.uint64) -> bool:
    """Whether ``count`` bytes are not there, after asking for more."""
    if s[DRY] == np.uint64(0):
        s[WANTED] = count
        _call(s[REFILL], s)
        if s[NEXT] + count <= s[END]:
            return False
        s[DRY] = np.uint64(1)  # here, since the callback may have been interrupted
    return True


@njit(error_model="numpy")
def _stand_in(s: Any) -> np.uint64:
    """SplitMix64; what it gives is thrown away."""
    s[STAND_IN] += np.uint64(0x9E3779B97F4A7C15)
    z = s[STAND_IN]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(error_model="numpy")
def _word64(s: Any) -> np.uint64:
    if s[NEXT] + np.uint64(8) > s[END] and _missing(s, np.uint64(8)):
        return _stand_in(s)
    word = _load(s[NEXT], np.uint64(0))
    s[NEXT] += np.uint64(8)
    return word


_STATE = types.CPointer(types.uint64)


@cfunc(types.uint64(_STATE), cache=True)
def next_uint64(s: Any) -> np.uint64:
    """The next 64 bits."""
    return _word64(s)


@cfunc(types.uint32(_STATE), cache=True)
def next_uint32(s: Any) -> np.uint32:
    """The next 32 bits."""
    if s[NEXT] + np.uint64(4) > s[END] and _missing(s, np.uint64(4)):
        return np.uint32(_stand_in(s))
    word = _load(s[NEXT], np.uint32(0))
    s[NEXT] += np.uint64(4)
    return word


@cfunc(types.float64(_STATE), cache=True)
def next_double(s: Any) -> float:
    """A number in [0, 1) of the first 53 of the next 64 bits, as NumPy's generators make it."""
    return (_word64(s) >> np.uint64(11)) * 2.0**-53
