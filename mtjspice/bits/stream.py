"""Bit streams: packed bits together with where they came from."""

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

Origin = Literal["co-simulated", "macrospin", "emulated", "pseudo-random", "operating-system", "unknown"]
"""How bits were made: by a circuit simulation, by junctions simulated alone, by the Markov-chain emulator, by a plain
generator, by the operating system's entropy pool, or nobody wrote it down."""

ORIGINS: tuple[Origin, ...] = get_args(Origin)

CHUNK = 1 << 20
"""Bytes in a chunk of a long stream."""


@dataclass(frozen=True, eq=False)
class BitStream:
    """A sequence of bits with its origin and provenance.

    ``packed`` holds the bits as by :func:`numpy.packbits` (uint8, most significant bit first, the last byte
    padded with zeros), ``length`` their number. It may be a memory map: an array that cannot be written to is taken
    as it is, any other is copied. ``provenance`` says what is needed to make them again (card, seed, version, ...).
    Bit i belongs to lane (device) i modulo ``lanes``. Raises ValueError where these do not fit together.
    """

    packed: NDArray[np.uint8]
    length: int
    origin: Origin
    provenance: Mapping[str, str | int | float]
    lanes: int = 1

    def __post_init__(self) -> None:
        packed = np.asanyarray(self.packed)
        if packed.flags.writeable:
            packed = np.array(packed)
        object.__setattr__(self, "length", operator.index(self.length))
        object.__setattr__(self, "lanes", operator.index(self.lanes))
        if packed.dtype != np.uint8 or packed.ndim != 1:
            raise ValueError(f"packed bits must be a uint8 vector, not {packed.dtype} of shape {packed.shape}")
        if self.length < 0 or packed.size != -(-self.length // 8):
            raise ValueError(f"{packed.size} packed bytes do not hold exactly {self.length} bits")
        if self.length % 8 and packed[-1] & (0xFF >> self.length % 8):
            raise ValueError("the padding of the last packed byte must be zero")
        if self.origin not in ORIGINS:
            raise ValueError(f"unknown origin {self.origin!r}; allowed: {', '.join(ORIGINS)}")
        if self.lanes < 1:
            raise ValueError(f"a stream has 1 lane or more, not {self.lanes}")
        packed.setflags(write=False)
        object.__setattr__(self, "packed", packed)
        object.__setattr__(self, "provenance", checked_provenance(self.provenance))

    @classmethod
    def from_bits(
        cls, bits: ArrayLike, origin: Origin, provenance: Mapping[str, str | int | float], lanes: int = 1
    ) -> "BitStream":
        """Pack a vector of 0 and 1 (any integer, boolean or float type); ValueError for anything else."""
        checked = as_bits(bits)
        return cls(np.packbits(checked), checked.size, origin, provenance, lanes)

    @classmethod
    def from_lanes(cls, bits: ArrayLike, origin: Origin, provenance: Mapping[str, str | int | float]) -> "BitStream":
        """Pack ``bits`` of shape (cycles, lanes), cycle after cycle."""
        table = np.asarray(bits)
        if table.ndim != 2 or table.shape[1] == 0:
            raise ValueError(f"lanes need bits of the shape (cycles, lanes), not {table.shape}")
        return cls.from_bits(table.ravel(), origin, provenance, table.shape[1])

    def bits(self) -> NDArray[np.uint8]:
        """The bits as a new uint8 vector of 0 and 1, shape (length,)."""
        return np.unpackbits(self.packed, count=self.length)

    def chunks(self, size: int = 8 * CHUNK) -> Iterator["BitStream"]:
        """Successive parts of ``size`` bits, the last one shorter; for a memory map, views of it."""
        for begin in range(0, self.length, size):
            yield self[begin : begin + size]

    @property
    def cycles(self) -> int:
        """Number of bits that every lane has at least."""
        return self.length // self.lanes

    def lane(self, index: int) -> "BitStream":
        """The bits of one lane; ValueError if there is no such lane."""
        if not 0 <= index < self.lanes:
            raise ValueError(f"lane {index} must lie between 0 and {self.lanes - 1}")
        parts = [part.bits()[index :: self.lanes] for part in self.chunks(8 * CHUNK * self.lanes)]
        bits = np.concatenate([np.empty(0, np.uint8), *parts])
        return BitStream.from_bits(bits, self.origin, {**self.provenance, "lane": index})

    def table(self) -> NDArray[np.uint8]:
        """The bits as uint8 of shape (cycles, lanes); those of an incomplete last cycle are left out."""
        return self.bits()[: self.cycles * self.lanes].reshape(self.cycles, self.lanes)

    @property
    def ones(self) -> int:
        """Number of ones."""
        return sum(
            int(np.bitwise_count(self.packed[k : k + CHUNK]).sum(dtype=np.int64))
            for k in range(0, self.packed.size, CHUNK)
        )

    @property
    def ones_fraction(self) -> float:
        """Fraction of ones; NaN for an empty stream."""
        return self.ones / self.length if self.length else math.nan

    def with_provenance(self, **entries: str | int | float) -> "BitStream":
        """The same bits with more entries of provenance."""
        return replace(self, provenance={**self.provenance, **entries})

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: slice) -> "BitStream":
        """The part that ``index`` selects; its provenance gains an entry ``slice``, as in ``[0:1000]``.

        Lanes are kept where the part begins with the first of them and leaves nothing out.
        """
        if not isinstance(index, slice):
            raise TypeError("a BitStream takes slices only; use bits() for single bits")
        start, stop, step = index.indices(self.length)
        label = f"[{start}:{stop}]" if step == 1 else f"[{start}:{stop}:{step}]"
        provenance = {**self.provenance, "slice": f"{self.provenance.get('slice', '')}{label}"}
        if step != 1:
            return BitStream.from_bits(self.bits()[index], self.origin, provenance)
        stop = max(start, stop)
        packed = _cut(self.packed, start, stop)
        lanes = self.lanes if start % self.lanes == 0 else 1
        return BitStream(packed, stop - start, self.origin, provenance, lanes)


def _cut(packed: NDArray[np.uint8], start: int, stop: int) -> NDArray[np.uint8]:
    """Bits ``start`` to ``stop`` packed anew; a view where they lie on byte boundaries."""
    first, shift = divmod(start, 8)
    size = -(-(stop - start) // 8)
    part = packed[first : first + size]
    if not shift and stop % 8 == 0:
        return part
    if shift:
        behind = np.zeros(size, np.uint8)
        rest = packed[first + 1 : first + 1 + size]
        behind[: rest.size] = rest
        part = (part << np.uint8(shift)) | (behind >> np.uint8(8 - shift))
    return masked(part, stop - start)


def masked(packed: NDArray[np.uint8], length: int) -> NDArray[np.uint8]:
    """A copy of ``packed`` with zeros behind the first ``length`` bits, of ceil(length / 8) bytes."""
    part = np.array(packed[: -(-length // 8)])
    if length % 8:
        part[-1] &= 0xFF << (8 - length % 8) & 0xFF
    return part


def as_bits(bits: BitStream | ArrayLike) -> NDArray[np.uint8]:
    """The bits of a stream, or of a vector of only 0 and 1, as uint8; ValueError for anything else."""
    if isinstance(bits, BitStream):
        return bits.bits()
    values = np.asarray(bits)
    if values.size == 0:
        values = values.astype(np.uint8)
    if values.ndim != 1:
        raise ValueError(f"bits must be a vector, not an array of shape {values.shape}")
    if values.dtype.kind not in "biuf":
        raise ValueError(f"bits must be numbers 0 and 1, not {values.dtype}")
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if wrong.size:
        raise ValueError(f"bits must be 0 or 1: entry {wrong[0]} is {values[wrong[0]]}")
    return values.astype(np.uint8)


def as_stream(bits: BitStream | ArrayLike) -> BitStream:
    """A stream as it is, or a vector of 0 and 1 as a stream of unknown origin."""
    return bits if isinstance(bits, BitStream) else BitStream.from_bits(bits, "unknown", {})


def concatenate(streams: Sequence[BitStream]) -> BitStream:
    """Join streams of one origin end to end; ValueError without streams or with several origins.

    Provenance entries that agree are kept; where they differ the new entry lists them in order. Lanes are kept where
    all streams have the same ones and all but the last end with a complete cycle.
    """
    if not streams:
        raise ValueError("nothing to concatenate")
    origins = sorted({stream.origin for stream in streams})
    if len(origins) > 1:
        raise ValueError(f"cannot concatenate bits of different origins: {', '.join(origins)}")
    provenance: dict[str, str | int | float] = {}
    for key in dict.fromkeys(key for stream in streams for key in stream.provenance):
        entries = [stream.provenance.get(key, "(none)") for stream in streams]
        alike = all(entry == entries[0] for entry in entries)
        provenance[key] = entries[0] if alike else "; ".join(str(entry) for entry in entries)
    lanes = streams[0].lanes
    if any(stream.lanes != lanes for stream in streams) or any(stream.length % lanes for stream in streams[:-1]):
        lanes = 1
    if any(stream.length % 8 for stream in streams[:-1]):
        bits = np.concatenate([stream.bits() for stream in streams])
        return BitStream.from_bits(bits, streams[0].origin, provenance, lanes)
    packed = np.concatenate([stream.packed for stream in streams])
    packed.setflags(write=False)
    return BitStream(packed, sum(stream.length for stream in streams), streams[0].origin, provenance, lanes)


def checked_provenance(provenance: Mapping[str, Any]) -> dict[str, str | int | float]:
    """Copy, with NumPy scalars as Python's; ValueError for what JSON cannot keep."""
    if not isinstance(provenance, Mapping):
        raise ValueError(f"provenance must be a mapping, not {type(provenance).__name__}")
    checked: dict[str, str | int | float] = {}
    for key, entry in provenance.items():
        value = entry.item() if isinstance(entry, np.generic) else entry
        if not isinstance(key, str) or not isinstance(value, str | int | float):
            raise ValueError(f"provenance entry {key!r} must map a name to text or a number, not {value!r}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"provenance entry {key!r} must be finite, not {value}")
        checked[key] = value
    return checked
