"""The source behind bits that may be wrong: what an attacker finds, and the bits that follow from it.

First whole stretches of sure bits are given to `mtjspice.bits.recovery` (any register by Berlekamp and Massey, MT19937,
congruential generators); then registers whose taps are public, or on record, are decoded with errors.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits import recovery
from mtjspice.bits.sources import primitive
from mtjspice.errors import InputError
from mtjspice.generative.attack.decoding import ACCEPTED, Decoded, decode
from mtjspice.generative.attack.equations import LONGEST, Register, SoftBits

Bits = NDArray[np.uint8]
_SURE = 1e-3  # probability of an error up to which a bit belongs to a stretch of sure ones
_SHORTEST = 128  # bits of a stretch in which a generator is looked for
_GENERATOR_BY_CHANCE = 2.0**-60  # as `mtjspice.bits.recovery` has it
_SHORT_TRIES = 1000  # for each register on record
ON_RECORD = tuple(range(8, 33))
"""Stages of the registers, with the taps on record, that are tried where nothing is known of the source."""


@dataclass(frozen=True)
class Found(ABC):
    """A source that was found: what it is, the chance that fair bits look like it, and its bits anywhere behind."""

    description: str
    false_positive: float

    @abstractmethod
    def bits(self, first: int, count: int) -> Bits:
        """Bits from position ``first`` of the stream on, shape (count,)."""

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {"description": self.description, "false_positive": self.false_positive}


@dataclass(frozen=True)
class FoundRegister(Found):
    """A shift register; it tells earlier bits, at negative positions, as well."""

    decoded: Decoded

    def bits(self, first: int, count: int) -> Bits:
        """See `Found`."""
        return self.decoded.register.outputs(self.decoded.state, first, count)


@dataclass(frozen=True)
class FoundGenerator(Found):
    """Another generator; it tells the bits from position ``known_from`` on (ValueError for earlier ones)."""

    known_from: int
    generator: recovery.Recovery = field(repr=False)

    def bits(self, first: int, count: int) -> Bits:
        """See `Found`."""
        if first < self.known_from:
            raise ValueError(f"bits are known from position {self.known_from} on, not {first}")
        return self.generator.following(first - self.known_from + count)[first - self.known_from :]


def public_register(family: str) -> Register | None:
    """The register of a source's text, as lfsr:16 or lfsr:16,taps=16.15.13.4; None for others and long ones."""
    head, *settings = family.split(",")
    length = head.removeprefix("lfsr:")
    if not head.startswith("lfsr:") or not length.isdigit() or int(length) > LONGEST:
        return None
    chosen = [setting.removeprefix("taps=") for setting in settings if setting.startswith("taps=")]
    if not chosen:
        return Register(primitive.taps(int(length)))
    parts = chosen[0].split(".")
    if not all(part.isdigit() for part in parts):
        raise InputError(f"the taps of {family} are numbers, as 16.14.13.11")
    return Register(tuple(int(part) for part in parts))


def recover_stream(soft: SoftBits, family: str, rng: np.random.Generator, tries: int = 20_000) -> Found | None:
    """The source of ``soft``, bits in the order of their positions; ``family`` is what is public of it.

    None if all attacks fail; that is all it says.
    """
    public = public_register(family)
    if public is not None:
        found = _decoded([public], soft, rng, tries)
        if found is not None:
            return found
    start, stretch = _sure_stretch(soft)
    for result in recovery.recover(stretch) if stretch.size >= _SHORTEST else []:
        if isinstance(result, recovery.NoisyRegister):
            taps: tuple[int, ...] = result.taps
        elif isinstance(result, recovery.RecoveredRegister) and 2 <= result.length <= LONGEST:
            taps = result.taps
        else:
            behind = start + result.offset + result.used
            return FoundGenerator(result.describe(), _GENERATOR_BY_CHANCE, behind, result)
        found = _decoded([Register(taps)], soft, rng, tries)
        if found is not None:
            return found
    if public is None:
        return _decoded([Register(primitive.taps(length)) for length in ON_RECORD], soft, rng, _SHORT_TRIES)
    return None


def _decoded(registers: list[Register], soft: SoftBits, rng: np.random.Generator, tries: int) -> Found | None:
    for register in registers:
        # all bits are more than a short register needs; the first ones tell as much, and fast
        found = decode(register, soft[: 64 * register.length + 1024], rng, tries, len(registers))
        if found is not None and found.false_positive <= ACCEPTED:
            taps = ".".join(map(str, register.taps))
            text = f"LFSR of {register.length} stages, taps {taps}, state {found.state:#x}"
            return FoundRegister(text, found.false_positive, found)
    return None


def _sure_stretch(soft: SoftBits) -> tuple[int, Bits]:
    """Position and values of the longest run of successive bits that are sure."""
    sure = soft.wrong <= _SURE
    joined = sure[1:] & sure[:-1] & (np.diff(soft.positions) == 1)
    breaks = np.flatnonzero(~joined) + 1
    begins, ends = np.concatenate([[0], breaks]), np.concatenate([breaks, [len(soft)]])
    longest = int(np.argmax((ends - begins) * sure[begins])) if len(soft) else 0
    if not len(soft) or not sure[begins[longest]]:
        return 0, np.empty(0, np.uint8)
    return int(soft.positions[begins[longest]]), soft.values[begins[longest] : ends[longest]]
