"""Reading the raw files of ngspice and VACASK, binary or ASCII, real or complex."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import SimulatorError

_HEADER_LIMIT = 1 << 22  # bytes; a header has a line for each vector
_MARKS = (b"Binary:", b"Values:")

Vectors = dict[str, NDArray[np.float64] | NDArray[np.complex128]]


def read_raw(path: Path) -> Vectors:
    """Return the vectors of the first plot of a raw file by their names in lower case, the scale (time) first.

    Raises SimulatorError where the file cannot be read, is no raw file, or holds less than its header says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SimulatorError(f"cannot read the raw file {path.name}: {error.strerror or error}") from None
    header, mark, start = _split(path, content)
    fields, names = _fields(header)
    try:
        variables, points = int(fields["no. variables"]), int(fields["no. points"])
        flags = fields["flags"].lower()
    except (KeyError, ValueError):
        raise SimulatorError(f"{path.name} is no raw file: its header is incomplete") from None
    if len(names) != variables or variables == 0:
        raise SimulatorError(f"{path.name} is damaged: {len(names)} names for {variables} vectors")
    if points <= 0:
        raise SimulatorError(f"{path.name} holds no points: it was not finished")
    kind = np.dtype("<c16" if "complex" in flags else "<f8")
    body = content[start:]
    read = _binary if mark == b"Binary:" else _values
    table = read(path, body, kind, variables, points)
    return {name: np.ascontiguousarray(table[:, index]) for index, name in enumerate(names)}


def _split(path: Path, content: bytes) -> tuple[str, bytes, int]:
    """Return the header, the word that ends it and where the data begin."""
    for mark in _MARKS:
        at = content.find(b"\n" + mark, 0, _HEADER_LIMIT)
        if at >= 0:
            end = content.find(b"\n", at + 1)
            return content[:at].decode(errors="replace"), mark, len(content) if end < 0 else end + 1
    raise SimulatorError(f"{path.name} is no raw file, or was cut off in its header")


def _fields(header: str) -> tuple[dict[str, str], list[str]]:
    """Return the entries of a header by their keys in lower case, and the names of the vectors."""
    top, _, variables = header.partition("\nVariables:")
    entries = (line.partition(":") for line in top.splitlines())
    lines = (line.split() for line in variables.splitlines())  # index, name, type
    return (
        {key.strip().lower(): value.strip() for key, _, value in entries},
        [words[1].lower() for words in lines if len(words) >= 2 and words[0].isdigit()],
    )


def _binary(path: Path, body: bytes, kind: np.dtype[np.generic], variables: int, points: int) -> NDArray[np.generic]:
    needed = variables * points * kind.itemsize
    if len(body) < needed:
        raise _cut_off(path, len(body) // (variables * kind.itemsize), points)
    return np.frombuffer(body[:needed], kind).reshape(points, variables)


def _values(path: Path, body: bytes, kind: np.dtype[np.generic], variables: int, points: int) -> NDArray[np.generic]:
    """Each point is its index and then its values, complex ones as two numbers with a comma."""
    words = body.split()
    if len(words) < points * (variables + 1):
        raise _cut_off(path, len(words) // (variables + 1), points)
    try:
        table = np.empty((points, variables), kind)
        for point in range(points):
            first = point * (variables + 1)
            if int(words[first]) != point:
                raise ValueError
            table[point] = [_number(word, kind) for word in words[first + 1 : first + 1 + variables]]
    except ValueError:
        raise SimulatorError(f"{path.name} is damaged: it does not hold the values that its header says") from None
    return table


def _number(word: bytes, kind: np.dtype[np.generic]) -> complex:
    if kind.kind != "c":
        return float(word)
    real, comma, imaginary = word.partition(b",")
    if not comma:
        raise ValueError
    return complex(float(real), float(imaginary))


def _cut_off(path: Path, found: int, points: int) -> SimulatorError:
    return SimulatorError(f"{path.name} is cut off: {found} of {points} points")
