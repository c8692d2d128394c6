"""Files of bits: raw binary (memory-mapped), NIST's ASCII and .npz, each with a description of the bits.

Raw and ASCII files are described by a JSON file beside them, a .npz holds its description. A raw or ASCII file without
one can be read too: its origin is ``unknown`` then.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, get_args
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.stream import CHUNK, BitStream, Origin, masked
from mtjspice.errors import InputError, choose
from mtjspice.files import atomic_file, write_atomically

Form = Literal["binary", "ascii", "npz"]
FORMS: tuple[Form, ...] = get_args(Form)

SIMULATED = (
    "Pseudo-random by construction: these bits were computed from a seed. They predict the statistics of "
    "hardware bits; they are not entropy and must not be used as key material."
)
"""What every exported file of computed bits says about itself."""
_NOTICES: dict[Origin, str] = {
    "operating-system": "Bits of the operating system's generator, written to a file: no longer secret.",
    "unknown": "Where these bits come from was not recorded.",
}
_FORMATS: dict[Form, str] = {
    "binary": "packed bits, first bit is the most significant of the first byte",
    "ascii": "characters 0 and 1",
    "npz": "NumPy archive: packed (uint8, most significant bit first) and description (JSON)",
}
_SPACE = b" \t\r\n"
_PRINTABLE = bytes(range(0x20, 0x7F)) + _SPACE
_SHORTEST_TEXT = 32  # bytes; packed random bits of that length look like text once in 10^13
_LETTERS = 8  # different ones that a text has at least


def notice(origin: Origin) -> str:
    """What a file of bits of this origin says about itself."""
    return _NOTICES.get(origin, SIMULATED)


def sidecar(path: Path) -> Path:
    """Where the description of the bit file ``path`` stands: the same name with ``.json`` appended."""
    return path.with_name(path.name + ".json")


# --- writing -------------------------------------------------------------------------------------------------


def write(stream: BitStream, path: Path, form: str = "binary") -> None:
    """Write a stream to ``path`` in one of `FORMS`, and its description; InputError if that fails."""
    choose("format", form, FORMS)
    if form == "npz":
        buffer = BytesIO()
        text = json.dumps(_description(stream, "npz"))
        np.savez(buffer, packed=np.asarray(stream.packed), description=np.frombuffer(text.encode(), np.uint8))
        write_atomically(path, buffer.getvalue())
        if path.is_file():
            sidecar(path).unlink(missing_ok=True)  # of what was there before
        return
    parts = (stream.packed[k : k + CHUNK] for k in range(0, stream.packed.size, CHUNK))
    _write_parts(path, parts, stream, "binary" if form == "binary" else "ascii")


def write_chunks(
    path: Path, chunks: Iterable[NDArray[np.uint8]], length: int, like: BitStream, form: str = "binary"
) -> None:
    """Write ``length`` bits that come as packed chunks, each but the last of whole bytes, without keeping them.

    ``like`` is a stream (an empty one will do) that has their origin, provenance and lanes. ValueError if the chunks
    are shorter, InputError if the file cannot be written or for the format npz, which must be whole.
    """
    if choose("format", form, FORMS) == "npz":
        raise InputError("a .npz file is written whole; use the format binary or ascii for long streams")
    _write_parts(path, chunks, like, "binary" if form == "binary" else "ascii", length)


def _write_parts(
    path: Path, parts: Iterable[NDArray[np.uint8]], like: BitStream, form: Form, length: int | None = None
) -> None:
    """The file of bits, which takes its place when its description has been written."""
    bits = like.length if length is None else length
    digest, left = hashlib.sha256(), bits
    with atomic_file(path) as handle:
        for part in parts:
            count = min(left, 8 * part.size)
            packed = masked(part, count)
            content = packed if form == "binary" else np.unpackbits(packed, count=count) + ord("0")
            handle.write(content.data)
            digest.update(content.data)
            left -= count
        if left:
            raise ValueError(f"the chunks lack {left} of {bits} bits")
        if form == "ascii":
            handle.write(b"\n")
            digest.update(b"\n")
        if not path.exists() or path.is_file():  # a pipe or a device has no description beside it
            description = {**_description(like, form), "length": bits, "sha256": digest.hexdigest()}
            write_atomically(sidecar(path), json.dumps(description, indent=2) + "\n")


def _description(stream: BitStream, form: Form) -> dict[str, Any]:
    return {
        "notice": notice(stream.origin),
        "origin": stream.origin,
        "form": form,
        "format": _FORMATS[form],
        "length": stream.length,
        "lanes": stream.lanes,
        "provenance": dict(stream.provenance),
    }


# --- reading -------------------------------------------------------------------------------------------------


def read(path: Path, form: str | None = None, bits: int | None = None, *, verify: bool = True) -> BitStream:
    """Read a file of bits; a raw file is mapped into memory, not loaded. A pipe or device is read, ``-`` is stdin.

    ``form`` is one of `FORMS`, by default what the file's description or, without one, its content says. ``bits`` takes
    the first ones only. ``verify`` compares the SHA-256 of the file with the description. InputError for a file that
    is missing, empty, damaged, shorter than ``bits`` or not a file of bits.
    """
    if form is not None:
        choose("format", form, FORMS)
    if str(path) == "-" or (path.exists() and not path.is_file() and not path.is_dir()):
        stream = _read_pipe(path, form, bits)
    else:
        stream = _read_file(path, form, verify)
    if bits is None:
        return stream
    if not 1 <= bits <= stream.length:
        raise InputError(f"{path} holds {stream.length} bits; the number of bits to take cannot be {bits}")
    return stream[:bits]


def _read_file(path: Path, form: str | None, verify: bool) -> BitStream:
    try:
        with path.open("rb") as handle:
            head = handle.read(4096)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    described = _read_description(sidecar(path))
    if form is None:
        form = described["form"] if described else _guess(path, head)
    if form == "npz":
        return _read_npz(path)
    stream = _map(path) if form == "binary" else _parse(path, path.read_bytes())
    return _describe(stream, path, described, form, verify)


def _read_pipe(path: Path, form: str | None, bits: int | None) -> BitStream:
    """What comes out of it, or as much as ``bits`` need."""
    if bits is None and path.is_char_device():
        raise InputError(f"{path} may never end; say how many bits to take")
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read()
        else:
            with path.open("rb") as handle:
                content = handle.read() if bits is None or form == "ascii" else handle.read(-(-bits // 8))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    guessed = form or _guess(path, content[:4096])
    if guessed == "npz":
        raise InputError(f"{path}: the format npz takes a file, not a pipe")
    if guessed == "ascii":
        return _parse(path, content)
    packed = np.frombuffer(content, np.uint8)
    return BitStream(packed, 8 * packed.size, "unknown", {"file": path.name})


def _guess(path: Path, head: bytes) -> Form:
    """What a file without a description is, by its first bytes."""
    if head.startswith(b"PK\x03\x04"):
        return "npz"
    if not head:
        raise InputError(f"{path} is empty: a file of bits has at least one byte")
    visible = head.translate(None, _SPACE)
    if visible and not visible.translate(None, b"01"):
        return "ascii"
    # the alternating bits 0101... are the letter U again and again
    if len(head) >= _SHORTEST_TEXT and len(set(head)) >= _LETTERS and not head.translate(None, _PRINTABLE):
        raise InputError(
            f"{path} is not a file of bits but text; allowed: packed bits, the characters 0 and 1, or .npz "
            "(the format binary takes any bytes)"
        )
    return "binary"


def _map(path: Path) -> BitStream:
    if path.stat().st_size == 0:  # nothing can be mapped
        return BitStream(np.empty(0, np.uint8), 0, "unknown", {"file": path.name})
    packed = np.memmap(path, np.uint8, "r")
    return BitStream(packed, 8 * packed.size, "unknown", {"file": path.name})


def _parse(path: Path, content: bytes) -> BitStream:
    strange = re.search(rb"[^01 \t\r\n]", content)
    if strange:
        raise InputError(
            f"{path} is not a file of the characters 0 and 1: byte {strange.start()} is {strange.group()[0]:#04x}"
        )
    characters = np.frombuffer(content.translate(None, _SPACE), np.uint8)
    return BitStream.from_bits(characters - ord("0"), "unknown", {"file": path.name})


def _read_npz(path: Path) -> BitStream:
    try:
        if not is_zipfile(path):
            raise InputError(f"{path} is not a .npz file of bits")
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as archive:
            packed, text = archive["packed"], archive["description"].tobytes()
        description = json.loads(text)
        return BitStream(
            packed, description["length"], description["origin"], description["provenance"], description["lanes"]
        )
    except KeyError:
        raise InputError(f"{path} is not a .npz file of bits: it lacks the entry packed or description") from None
    except (OSError, BadZipFile, ValueError, TypeError) as error:
        raise InputError(f"{path} is not a .npz file of bits: {error}") from None


def _read_description(path: Path) -> dict[str, Any] | None:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(description, dict) or description.get("form") not in ("binary", "ascii"):
        raise InputError(f"{path} does not describe bits (form 'binary' or 'ascii')")
    return description


def _describe(
    stream: BitStream, path: Path, description: Mapping[str, Any] | None, form: str, verify: bool
) -> BitStream:
    """The stream with what its description says; without one (or of another form) as it is."""
    if description is None or description["form"] != form:
        return stream
    beside = sidecar(path)
    try:
        if verify and description["sha256"] != _digest(path):
            raise InputError(f"{path} is not the file that {beside} describes (SHA-256 differs)")
        origin, lanes = description["origin"], description.get("lanes", 1)
        return BitStream(stream.packed, description["length"], origin, description["provenance"], lanes)
    except KeyError as error:
        raise InputError(f"{beside} lacks the entry {error}") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{beside} does not describe {path}: {error}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
