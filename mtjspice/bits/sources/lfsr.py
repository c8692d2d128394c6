"""Linear feedback shift registers of any length and taps, in Fibonacci's and in Galois' form.

Taps are the exponents of the feedback polynomial: (16, 14, 13, 11) is x^16 + x^14 + x^13 + x^11 + 1. The state is a
whole number whose least significant bit is the next output.
"""

import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.sources import primitive
from mtjspice.bits.sources.base import Source, check_seed
from mtjspice.errors import InputError, choose

Form = Literal["fibonacci", "galois"]


class LfsrSource(Source):
    """The output of a shift register of ``length`` stages.

    Fibonacci's form shifts in the sum of the tapped stages (``taps``, by default of a primitive polynomial); Galois'
    adds the output to them. Both give sequences of the same recurrence. ``state`` (1 ... 2^length - 1) is drawn from
    ``seed`` if not given. InputError for a state of zero, which a register never leaves, or taps that do not fit;
    a UserWarning for taps whose sequence is not of maximal length.
    """

    def __init__(
        self,
        length: int,
        seed: int = 0,
        *,
        taps: Sequence[int] | None = None,
        state: int | None = None,
        form: str = "fibonacci",
    ) -> None:
        choose("form of an LFSR", form, ("fibonacci", "galois"))
        if not 2 <= length <= primitive.LONGEST:
            raise InputError(f"an LFSR has 2 to {primitive.LONGEST} stages, not {length}")
        chosen = primitive.taps(length) if taps is None else _checked(taps, length)
        if taps is not None:
            reason = primitive.shortcoming(chosen)
            if reason:
                warnings.warn(f"LFSR with the taps {_text(chosen)}: {reason}", UserWarning, stacklevel=2)
        if state is None:
            rng = np.random.default_rng([check_seed(seed), length])
            state = 1 + int.from_bytes(rng.bytes(-(-length // 8) + 8), "big") % (2**length - 1)
        if not 0 < state < 2**length:
            raise InputError(
                f"the state {state} of an LFSR of {length} stages must lie between 1 and 2^{length} - 1"
                + (": zero is never left" if state == 0 else "")
            )
        self._delays = np.array(chosen, np.int64)
        # the last outputs, oldest first
        self._history = np.array([*(_first_outputs(state, chosen) if form == "galois" else _low_first(state, length))],
                                 np.uint8)  # fmt: skip
        self.provenance = {
            "source": f"lfsr:{length}", "taps": _text(chosen), "form": form, "state": hex(state), "seed": seed,
        }  # fmt: skip

    def read(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` bytes of packed bits."""
        length = len(self._history)
        sequence = np.empty(8 * count + length, np.uint8)
        sequence[:length] = self._history
        _recur(self._delays, sequence)
        self._history = sequence[8 * count :].copy()
        return np.packbits(sequence[: 8 * count])


@njit(cache=True, error_model="numpy", nogil=True)
def _recur(delays: NDArray[np.int64], sequence: NDArray[np.uint8]) -> None:
    """s[t] = sum of s[t - d] modulo 2 behind the first max(delays) entries, which are given."""
    for t in range(delays.max(), len(sequence)):
        bit = np.uint8(0)
        for d in delays:
            bit ^= sequence[t - d]
        sequence[t] = bit


def _low_first(state: int, length: int) -> list[int]:
    return [state >> k & 1 for k in range(length)]


def _first_outputs(state: int, taps: Sequence[int]) -> list[int]:
    """The first outputs of Galois' form; what follows obeys the recurrence of Fibonacci's."""
    mask = sum(1 << (tap - 1) for tap in taps)
    outputs = []
    for _ in range(max(taps)):
        outputs.append(state & 1)
        state = (state >> 1) ^ (mask if state & 1 else 0)
    return outputs


def _checked(taps: Sequence[int], length: int) -> tuple[int, ...]:
    chosen = tuple(sorted(set(taps), reverse=True))
    if len(chosen) != len(tuple(taps)) or not chosen or chosen[0] != length or chosen[-1] < 1:
        raise InputError(
            f"the taps {_text(taps)} of an LFSR of {length} stages must be different numbers from 1 to {length} and "
            f"include {length}"
        )
    return chosen


def _text(taps: Sequence[int]) -> str:
    return ".".join(str(tap) for tap in taps)
