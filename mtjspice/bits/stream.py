"""Bit streams: packed bits together with where they came from."""

import hashlib
import json
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.errors import InputError
from mtjspice.files import write_atomically

Origin = Literal["co-simulated", "emulated", "pseudo-random"]
"""How bits were made: by a circuit simulation, by the Markov-chain emulator, by a plain generator."""

ORIGINS: tuple[Origin, ...] = get_args(Origin)

NOTICE = (
    "Pseudo-random by construction: these bits were computed from a seed. They predict the statistics of "
    "hardware bits; they are not entropy and must not be used as key material."
)
"""What every exported file of bits says about itself."""

_FORMATS = {"binary": "packed bits, first bit is the most significant of the first byte", "ascii": "0 and 1"}


@dataclass(frozen=True, eq=False)
class BitStream:
    """A sequence of bits with its origin and provenance.

    ``packed`` holds the bits as by :func:`numpy.packbits` (uint8, most significant bit first, the last byte
    padded with zeros), ``length`` their number. ``provenance`` says what is needed to make them again (card,
    seed, version, ...). Raises ValueError where these do not fit together.
    """

    packed: NDArray[np.uint8]
    length: int
    origin: Origin
    provenance: Mapping[str, str | int | float]

    def __post_init__(self) -> None:
        packed = np.array(self.packed)
        object.__setattr__(self, "length", operator.index(self.length))
        if packed.dtype != np.uint8 or packed.ndim != 1:
            raise ValueError(f"packed bits must be a uint8 vector, not {packed.dtype} of shape {packed.shape}")
        if self.length < 0 or packed.size != -(-self.length // 8):
            raise ValueError(f"{packed.size} packed bytes do not hold exactly {self.length} bits")
        if self.length % 8 and packed[-1] & (0xFF >> self.length % 8):
            raise ValueError("the padding of the last packed byte must be zero")
        if self.origin not in ORIGINS:
            raise ValueError(f"unknown origin {self.origin!r}; allowed: {', '.join(ORIGINS)}")
        packed.setflags(write=False)
        object.__setattr__(self, "packed", packed)
        object.__setattr__(self, "provenance", _checked_provenance(self.provenance))

    @classmethod
    def from_bits(cls, bits: ArrayLike, origin: Origin, provenance: Mapping[str, str | int | float]) -> "BitStream":
        """Pack a vector of 0 and 1 (any integer, boolean or float type); ValueError for anything else."""
        checked = as_bits(bits)
        return cls(np.packbits(checked), checked.size, origin, provenance)

    def bits(self) -> NDArray[np.uint8]:
        """The bits as a new uint8 vector of 0 and 1, shape (length,)."""
        return np.unpackbits(self.packed, count=self.length)

    @property
    def ones_fraction(self) -> float:
        """Fraction of ones; NaN for an empty stream."""
        return int(np.bitwise_count(self.packed).sum(dtype=np.int64)) / self.length if self.length else math.nan

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: slice) -> "BitStream":
        """The part that ``index`` selects; its provenance gains an entry ``slice``, as in ``[0:1000]``."""
        if not isinstance(index, slice):
            raise TypeError("a BitStream takes slices only; use bits() for single bits")
        start, stop, step = index.indices(self.length)
        label = f"[{start}:{stop}]" if step == 1 else f"[{start}:{stop}:{step}]"
        provenance = {**self.provenance, "slice": f"{self.provenance.get('slice', '')}{label}"}
        return BitStream.from_bits(self.bits()[index], self.origin, provenance)

    def write_binary(self, path: Path) -> None:
        """Write the packed bits to ``path`` and what they are to ``path``.json; InputError if that fails."""
        self._write(path, self.packed.tobytes(), "binary")

    def write_ascii(self, path: Path) -> None:
        """Write the characters 0 and 1, which NIST's STS reads, and what they are to ``path``.json."""
        self._write(path, (self.bits() + ord("0")).tobytes() + b"\n", "ascii")

    def _write(self, path: Path, content: bytes, form: Literal["binary", "ascii"]) -> None:
        description = {
            "notice": NOTICE,
            "origin": self.origin,
            "form": form,
            "format": _FORMATS[form],
            "length": self.length,
            "sha256": hashlib.sha256(content).hexdigest(),
            "provenance": dict(self.provenance),
        }
        write_atomically(path, content)
        write_atomically(sidecar(path), json.dumps(description, indent=2) + "\n")


def sidecar(path: Path) -> Path:
    """Where the description of the bit file ``path`` stands: the same name with ``.json`` appended."""
    return path.with_name(path.name + ".json")


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


def concatenate(streams: Sequence[BitStream]) -> BitStream:
    """Join streams of one origin end to end; ValueError without streams or with several origins.

    Provenance entries that agree are kept; where they differ the new entry lists them in order.
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
    bits = np.concatenate([stream.bits() for stream in streams])
    return BitStream.from_bits(bits, streams[0].origin, provenance)


def read_binary(path: Path) -> BitStream:
    """Read what :meth:`BitStream.write_binary` wrote.

    InputError if the bits or their description are missing, damaged or do not belong together.
    """
    try:
        content = path.read_bytes()
        description = json.loads(sidecar(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {error.filename}: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"{sidecar(path)} is not valid JSON: {error}") from None
    if not isinstance(description, dict) or description.get("form") != "binary":
        raise InputError(f"{sidecar(path)} does not describe packed bits (form 'binary')")
    if description.get("sha256") != hashlib.sha256(content).hexdigest():
        raise InputError(f"{path} is not the file that {sidecar(path)} describes (SHA-256 differs)")
    try:
        return BitStream(
            np.frombuffer(content, dtype=np.uint8),
            description["length"],
            description["origin"],
            description["provenance"],
        )
    except KeyError as error:
        raise InputError(f"{sidecar(path)} lacks the entry {error}") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{sidecar(path)} does not describe {path}: {error}") from None


def _checked_provenance(provenance: Mapping[str, Any]) -> dict[str, str | int | float]:
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
