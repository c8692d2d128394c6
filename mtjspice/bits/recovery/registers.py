"""Linear feedback shift registers recovered from their output, without and with wrong bits."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from mtjspice.bits.berlekamp_massey import shortest_register
from mtjspice.bits.recovery.found import CERTAIN, Recovery
from mtjspice.bits.stream import BitStream, as_stream

LONGEST = 4096
LONGEST_NOISY = 16

_VERIFY = 4096
_NOISY_BITS = 1 << 20
_FEWEST_NOISY = 4096  # chance makes the strongest of 2^17 checks about 5.2 / sqrt(4096) = 0.08
_STRENGTH = 0.25  # of a parity check that counts as a register: five taps with 12 % of the bits wrong
_MARGIN = 3.0  # by which a check must be stronger than bias or correlation of two bits would make it


@dataclass(frozen=True, eq=False)
class RecoveredRegister(Recovery):
    """A shift register; ``taps`` and ``state`` are those of Fibonacci's form, as `LfsrSource` takes them.

    The state is the one before the first bit used.
    """

    length: int
    taps: tuple[int, ...]
    state: int

    def following(self, count: int) -> NDArray[np.uint8]:
        """The ``count`` bits that follow those used."""
        sequence = np.zeros(max(self.used, self.length) + count, np.uint8)
        sequence[: self.length] = [self.state >> k & 1 for k in range(self.length)]
        _recur(np.array(self.taps, np.int64), sequence)
        return sequence[self.used : self.used + count]

    def describe(self) -> str:
        """One line: stages, taps and state."""
        state = hex(self.state) if self.length <= 64 else f"{hex(self.state)[:18]}..."
        return f"LFSR of {self.length} stages, taps {'.'.join(map(str, self.taps))}, state {state}"

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON; the state as hexadecimal text."""
        return {**super().as_dict(), "length": self.length, "taps": list(self.taps), "state": hex(self.state)}


@dataclass(frozen=True)
class NoisyRegister:
    """A recurrence that most bits obey: the sum of bits t and t - d over the ``taps`` d is 0 with (1 + strength) / 2.

    ``wrong`` is the fraction of wrong bits that explains it if they are independent; ``z`` the deviation of the parity
    check from chance in standard deviations, of ``windows`` windows.
    """

    taps: tuple[int, ...]
    strength: float
    wrong: float
    z: float
    windows: int

    def describe(self) -> str:
        """One line: taps and wrong bits."""
        return (
            f"noisy LFSR of {max(self.taps)} stages, taps {'.'.join(map(str, self.taps))}, "
            f"{100 * self.wrong:.2g} % of the bits wrong"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "generator": "noisy-lfsr", "description": self.describe(), "taps": list(self.taps),
            "strength": self.strength, "wrong": self.wrong, "z": self.z, "windows": self.windows,
        }  # fmt: skip


def recover_lfsr(bits: BitStream | ArrayLike, longest: int = LONGEST) -> RecoveredRegister | None:
    """The register of at most ``longest`` stages that makes all the bits looked at, or None.

    By Berlekamp and Massey; it takes 2 L bits for L stages, and 64 more that the register must predict. A single wrong
    bit among them hides it: see `recover_noisy_lfsr`. Zeros only are no register's.
    """
    stream = as_stream(bits)
    if longest < 1:
        raise ValueError(f"a register has at least one stage, not {longest}")
    values = stream[: 2 * longest + _VERIFY].bits()
    register = shortest_register(values[: 2 * longest + CERTAIN])
    length, used = register.length, 2 * register.length
    taps = tuple(int(k) for k in np.flatnonzero(register.coefficients)[:0:-1])
    # a sequence that falls to 0 for good after a preamble has no tap at its length
    if not 1 <= length <= longest or values.size < used + CERTAIN or not taps or taps[0] != length:
        return None
    state = sum(int(bit) << k for k, bit in enumerate(values[:length]))
    found = RecoveredRegister("lfsr", 0, used, values.size - used, length, taps, state)
    return found if np.array_equal(found.following(values.size - used), values[used:]) else None


def recover_noisy_lfsr(bits: BitStream | ArrayLike, longest: int = LONGEST_NOISY) -> NoisyRegister | None:
    """The linear recurrence of up to ``longest`` stages that the bits obey most often, some of them being wrong.

    None for fewer than 4096 bits.

    The parities of all subsets of longest + 1 successive bits come from one Walsh transform of how often each word
    occurs (as in W. Meier and O. Staffelbach, J. Cryptology 1 (1989) 159-176, but exhaustive). A check counts from a
    strength of 0.25 on, if it has three bits or more and is three times stronger than bias and correlation make it.
    """
    stream = as_stream(bits)[:_NOISY_BITS]
    width = longest + 1
    if longest < 2 or stream.length < _FEWEST_NOISY:
        return None
    values = stream.bits().astype(np.int64)
    windows = values.size - width + 1
    words = np.zeros(windows, np.int64)
    for k in range(width):  # bit k of a word is k before its last
        words |= values[width - 1 - k : width - 1 - k + windows] << k
    spectrum = walsh_transform(np.bincount(words, minlength=1 << width)) / windows
    masks = np.arange(1 << width)
    weight = np.bitwise_count(masks)
    # the bit to predict takes part, and not all masks that are shifts of each other
    ordinary = float(np.abs(spectrum[(weight == 1) | (weight == 2)]).max())
    candidates = np.flatnonzero((weight >= 3) & (masks & 1 == 1) & (np.abs(spectrum) >= _STRENGTH))
    if not candidates.size:
        return None
    # products of true checks are true checks too; the one of fewest bits back is the register's own
    strongest = np.abs(spectrum[candidates]).max()
    near = candidates[np.abs(spectrum[candidates]) >= 0.8 * strongest]
    best = int(near.min())
    strength = float(spectrum[best])
    if strength <= _MARGIN * ordinary:
        return None
    taps = tuple(k for k in range(width - 1, 0, -1) if best >> k & 1)
    wrong = (1 - strength ** (1 / (len(taps) + 1))) / 2
    return NoisyRegister(taps, strength, wrong, strength * float(np.sqrt(windows)), windows)


def walsh_transform(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum of the values times the parity sign of their index and each mask; a power of two of them."""
    result = values.astype(np.int64)
    half = 1
    while half < result.size:
        pairs = result.reshape(-1, 2, half)
        result = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(-1)
        half *= 2
    return result


@njit(cache=True, error_model="numpy", nogil=True)
def _recur(taps, sequence):  # type: ignore[no-untyped-def]
    """Continue the first max(taps) entries by their sums modulo 2."""
    for t in range(taps.max(), len(sequence)):
        for d in taps:
            sequence[t] ^= sequence[t - d]
