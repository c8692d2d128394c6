"""Output folders and files that appear whole or not at all."""

import os

import pytest

from mtjspice.errors import InputError
from mtjspice.files import netcdf_attribute, output_folder, write_atomically


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_folder_is_made_with_its_parents_and_left_empty(tmp_path):
    folder = tmp_path / "a" / "b c"
    assert output_folder(folder) == folder
    assert output_folder(folder) == folder
    assert names(folder) == []


@pytest.mark.parametrize("below", ["file", "file/folder", "file/a/b"])
def test_folder_that_cannot_be(tmp_path, below):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot write to the output folder .*file") as error:
        output_folder(tmp_path / below)
    assert "\n" not in str(error.value)
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("content", ["größe\n", b"\x00\xff", "", "x" * 1_000_000])
def test_writes_and_overwrites(tmp_path, content):
    path = tmp_path / "result.txt"
    path.write_text("old")
    write_atomically(path, content)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
    assert names(tmp_path) == ["result.txt"]


def test_mode_follows_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "x", "x")
    finally:
        os.umask(mask)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_failure_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "result", tmp_path / "missing" / "result", tmp_path / "folder"):
        with pytest.raises(InputError, match=r"cannot write .*: \w"):
            write_atomically(path, "content")
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []
    assert (tmp_path / "file").read_text() == "x"


def test_interrupted_writing_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "result"
    path.write_text("old")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(InputError, match=r"cannot write .*: No space left on device"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["result"]


def test_large_whole_numbers_become_floats_for_netcdf():
    values = (2**31 - 1, 2**31, 2**32 - 1, -(2**31) - 1, 1.5, "text", True)
    assert [netcdf_attribute(value) for value in values] == list(values)
    assert [type(netcdf_attribute(value)) for value in values] == [int, float, float, float, float, str, bool]
