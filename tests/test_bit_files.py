"""Files of bits: formats, descriptions, memory maps, and files that are none."""

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from mtjspice.bits import files
from mtjspice.bits.files import read, sidecar, write, write_chunks
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

SEEDED = {"card": "demo", "seed": 7, "temperature": 300.0}


def stream_of(length, origin="co-simulated", lanes=1):
    bits = np.random.default_rng(2).integers(0, 2, length)
    return BitStream.from_bits(bits, origin, SEEDED, lanes)


@pytest.mark.parametrize("form", files.FORMS)
@pytest.mark.parametrize("length", [0, 1, 8, 1003])
def test_round_trip(tmp_path, form, length):
    path, stream = tmp_path / "bits", stream_of(length, lanes=3)
    write(stream, path, form)
    again = read(path)
    np.testing.assert_array_equal(again.bits(), stream.bits())
    assert (again.origin, again.provenance, again.lanes) == ("co-simulated", SEEDED, 3)


def test_contents(tmp_path):
    stream = BitStream.from_bits([1, 1, 0, 0, 1, 0, 0, 1, 0, 1], "emulated", {})
    write(stream, tmp_path / "bits.bin")
    assert (tmp_path / "bits.bin").read_bytes() == bytes([0b11001001, 0b01000000])
    write(stream, tmp_path / "bits.txt", "ascii")
    assert (tmp_path / "bits.txt").read_text() == "1100100101\n"
    write(stream, tmp_path / "bits.npz", "npz")
    with np.load(tmp_path / "bits.npz") as archive:
        assert archive["packed"].tolist() == [0b11001001, 0b01000000]


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("co-simulated", "Pseudo-random by construction"),
        ("macrospin", "Pseudo-random by construction"),
        ("operating-system", "no longer secret"),
        ("unknown", "not recorded"),
    ],
)
def test_the_description_says_what_the_bits_are(tmp_path, origin, said):
    path = tmp_path / "bits"
    write(stream_of(3, origin), path)
    description = json.loads(sidecar(path).read_text())
    assert said in description["notice"]
    assert description["origin"] == origin
    assert description["length"] == 3
    assert description["provenance"] == SEEDED
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bits", "bits.json"]


def test_files_of_others(tmp_path):
    path = tmp_path / "bits"
    path.write_bytes(bytes([0xA5, 0x00]))
    raw = read(path)
    assert raw.bits().tolist() == [1, 0, 1, 0, 0, 1, 0, 1] + 8 * [0]
    assert (raw.origin, raw.provenance) == ("unknown", {"file": "bits"})
    path.write_text("01 10\n1\n")
    assert read(path).bits().tolist() == [0, 1, 1, 0, 1]
    assert read(path, bits=3).bits().tolist() == [0, 1, 1]
    assert read(path, "binary").length == 64
    path.write_bytes(bytes(range(32, 96)))  # printable, but asked for
    assert read(path, "binary").length == 512


def test_long_streams_are_written_and_read_in_pieces(tmp_path):
    path = tmp_path / "long.bin"
    rng = np.random.default_rng(3)
    parts = [rng.integers(0, 256, 1000, dtype=np.uint8) for _ in range(7)]
    like = BitStream.from_bits([], "pseudo-random", {"seed": 3}, lanes=5)
    for form in ("binary", "ascii"):
        write_chunks(path, iter(parts), 8 * 6500 + 3, like, form)
        found = read(path)
        expected = np.unpackbits(np.concatenate(parts), count=8 * 6500 + 3)
        np.testing.assert_array_equal(found.bits(), expected)
        assert (found.lanes, found.provenance) == (5, {"seed": 3})
    with pytest.raises(ValueError, match="lack 8 of 56008 bits"):
        write_chunks(path, iter(parts), 56008, like)
    assert read(path).length == 8 * 6500 + 3  # the failed attempt has left the file alone
    with pytest.raises(InputError, match="written whole"):
        write_chunks(path, iter(parts), 8, like, "npz")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["long.bin", "long.bin.json"]


def test_a_raw_file_is_mapped_not_loaded(tmp_path):
    """A sparse file of 64 Gbit, more than would fit next to other things."""
    path = tmp_path / "sparse.bin"
    path.touch()
    os.truncate(path, 8 << 30)
    stream = read(path)
    assert stream.length == 64 << 30
    assert isinstance(stream.packed, np.memmap)
    part = stream[(40 << 30) : (40 << 30) + 8000]
    assert np.shares_memory(part.packed, stream.packed)
    assert part.ones == 0


def test_known_bad_bits_are_bits(tmp_path):
    """Alternating bits are the letter U, others blanks: not text."""
    for byte in b"\x55\x20\x2a":
        (tmp_path / "bits").write_bytes(bytes([byte]) * 5000)
        assert read(tmp_path / "bits").length == 40_000


def test_pipes_links_and_devices(tmp_path):
    stream, pipe = stream_of(8000, "emulated"), tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write(stream, pipe)
    reader.join()
    assert received == [stream.packed.tobytes()]
    assert not sidecar(pipe).exists()
    writer = threading.Thread(target=lambda: pipe.write_bytes(stream.packed.tobytes()))
    writer.start()
    np.testing.assert_array_equal(read(pipe).bits(), stream.bits())
    writer.join()
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write(stream, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == stream.packed.tobytes()
    assert read(Path("/dev/zero"), bits=800).ones == 0
    with pytest.raises(InputError, match="may never end"):
        read(Path("/dev/zero"))


def test_an_archive_in_the_place_of_a_raw_file(tmp_path):
    path = tmp_path / "bits"
    write(stream_of(100), path)
    write(stream_of(50), path, "npz")
    assert read(path).length == 50


def test_nothing_is_left_where_the_description_cannot_be_written(tmp_path):
    path = tmp_path / "bits"
    sidecar(path).mkdir()
    with pytest.raises(InputError, match="cannot write"):
        write(stream_of(100), path)
    assert not path.exists()
    with pytest.raises(InputError, match="it is a folder"):
        write(stream_of(100), tmp_path)


class TestBadFiles:
    def test_no_bits(self, tmp_path):
        path = tmp_path / "bits"
        with pytest.raises(InputError, match="cannot read"):
            read(path)
        with pytest.raises(InputError, match="cannot read"):
            read(tmp_path)
        for content, message in [
            (b"", "empty"),
            (b"The quick brown fox jumps over the lazy dog.\n", "not a file of bits but text"),
            (b"PK\x03\x04rubbish", "not a .npz file of bits"),
        ]:
            path.write_bytes(content)
            with pytest.raises(InputError, match=message):
                read(path)
        path.write_text("0101x")
        with pytest.raises(InputError, match="byte 4 is 0x78"):
            read(path, "ascii")
        np.savez(path.with_suffix(".npz"), weights=np.ones(3))
        with pytest.raises(InputError, match="lacks the entry"):
            read(path.with_suffix(".npz"))
        with pytest.raises(InputError, match="available: ascii, binary, npz"):
            read(path, "hex")

    @pytest.mark.parametrize("bits", [0, -1, 25])
    def test_more_bits_than_there_are(self, tmp_path, bits):
        write(stream_of(24), tmp_path / "bits")
        with pytest.raises(InputError, match=f"holds 24 bits.*{bits}"):
            read(tmp_path / "bits", bits=bits)

    def test_description_that_does_not_fit(self, tmp_path):
        path = tmp_path / "bits"
        write(stream_of(3), path)
        description = json.loads(sidecar(path).read_text())
        for change, message in [
            ({"length": 30}, "does not describe"),
            ({"length": "3"}, "does not describe"),
            ({"length": 3.0}, "does not describe"),
            ({"lanes": 0}, "does not describe"),
            ({"origin": "dice"}, "unknown origin"),
            ({"provenance": None}, "must be a mapping"),
            ({"sha256": "0"}, "SHA-256 differs"),
            ({"form": "hex"}, "does not describe bits"),
        ]:
            sidecar(path).write_text(json.dumps({**description, **change}))
            with pytest.raises(InputError, match=message):
                read(path)
        for text, message in [("{", "not valid JSON"), ("[]", "does not describe bits")]:
            sidecar(path).write_text(text)
            with pytest.raises(InputError, match=message):
                read(path)
        del description["origin"]
        sidecar(path).write_text(json.dumps(description))
        with pytest.raises(InputError, match="lacks the entry 'origin'"):
            read(path)

    def test_nowhere_to_write(self, tmp_path):
        for form in files.FORMS:
            with pytest.raises(InputError, match="cannot write"):
                write(stream_of(3), tmp_path / "missing" / "bits.bin", form)
