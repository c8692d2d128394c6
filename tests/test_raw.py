import struct
from pathlib import Path

import numpy as np
import pytest

from mtjspice.errors import SimulatorError
from mtjspice.spice.raw import read_raw

TABLE = np.array([[0.0, 1.5, -2.0], [1e-12, 2.5, 3.25], [3e-12, -0.125, 1e300]])


def header(points: int | str, flags: str = "real", names: tuple[str, ...] = ("time", "V(Out)", "i(v1)")) -> str:
    lines = ["Title: a: title", "Date: today", "Plotname: Transient Analysis", f"Flags: {flags}"]
    lines += [f"No. Variables: {len(names)}", f"No. Points: {points}", "Variables:"]
    lines += [f"\t{index}\t{name}\tvoltage" for index, name in enumerate(names)]
    return "\n".join(lines) + "\n"


def write(path: Path, head: str, body: bytes, mark: str = "Binary:") -> Path:
    path.write_bytes(head.encode() + f"{mark}\n".encode() + body)
    return path


def test_binary(tmp_path: Path) -> None:
    vectors = read_raw(write(tmp_path / "a.raw", header("3       "), TABLE.tobytes()))
    assert list(vectors) == ["time", "v(out)", "i(v1)"]
    for index, vector in enumerate(vectors.values()):
        np.testing.assert_array_equal(vector, TABLE[:, index])


def test_values_that_look_like_text(tmp_path: Path) -> None:
    """Bytes of numbers may spell the words of a header."""
    word = struct.unpack("<d", b"\nValues:")[0]
    table = np.full((2, 3), word)
    vectors = read_raw(write(tmp_path / "a.raw", header(2), table.tobytes()))
    assert vectors["time"].tolist() == [word, word]


def test_ascii(tmp_path: Path) -> None:
    body = "".join(f" {k}\t{row[0]!r}\n\t{row[1]!r}\n\t{row[2]!r}\n\n" for k, row in enumerate(TABLE.tolist()))
    vectors = read_raw(write(tmp_path / "a.raw", header(3), body.encode(), "Values:"))
    np.testing.assert_array_equal(np.column_stack(list(vectors.values())), TABLE)


def test_complex(tmp_path: Path) -> None:
    table = TABLE + 1j * TABLE[::-1]
    binary = read_raw(write(tmp_path / "a.raw", header(3, "complex"), table.tobytes()))
    np.testing.assert_array_equal(binary["v(out)"], table[:, 1])
    body = "".join(
        f"{k}\t" + "\n\t".join(f"{v.real!r},{v.imag!r}" for v in row) + "\n" for k, row in enumerate(table.tolist())
    )
    text = read_raw(write(tmp_path / "b.raw", header(3, "complex"), body.encode(), "Values:"))
    np.testing.assert_array_equal(text["i(v1)"], table[:, 2])


@pytest.mark.parametrize("missing", [1, 8, 24, 71, 72])
def test_truncated_binary(tmp_path: Path, missing: int) -> None:
    path = write(tmp_path / "a.raw", header(3), TABLE.tobytes()[:-missing])
    with pytest.raises(SimulatorError, match=rf"a\.raw is cut off: {(72 - missing) // 24} of 3 points"):
        read_raw(path)


def test_truncated_ascii(tmp_path: Path) -> None:
    path = write(tmp_path / "a.raw", header(3), b" 0\t1\n\t2\n\t3\n 1\t4\n", "Values:")
    with pytest.raises(SimulatorError, match="cut off: 1 of 3 points"):
        read_raw(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no raw file"),
        (header(3).encode(), "is no raw file"),
        (b"Title: x\nBinary:\n", "header is incomplete"),
        (header(0).encode() + b"Binary:\n", "holds no points"),
        (header("many").encode() + b"Binary:\n", "header is incomplete"),
        (header(1).replace("Variables: 3", "Variables: 4").encode() + b"Binary:\n" + bytes(32), "3 names for 4"),
        (header(1).encode() + b"Values:\n 0 1 2 three\n", "is damaged"),
        (header(1, "complex").encode() + b"Values:\n 0 1,2 2,3 3\n", "is damaged"),
    ],
)
def test_damaged(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(content)
    with pytest.raises(SimulatorError, match=message):
        read_raw(path)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"cannot read the raw file none\.raw"):
        read_raw(tmp_path / "none.raw")
