"""Results as files: what comes back is what was there, and no half files."""

import csv
import json
import os
import sys

import numpy as np
import pytest
import xarray

from mtjspice.errors import InputError
from mtjspice.studies import export as module
from mtjspice.studies.export import export
from mtjspice.studies.lazy import open_dataset
from mtjspice.studies.space import Space, Spread, Sweep
from mtjspice.studies.store import Record, Store

SPACE = Space(
    (Sweep("voltage", (1.0, 1.2), "V"), Sweep("corner", ("ss", "fast, hot"))), (Spread("tmr", 2.2, 0.1),), samples=3
)
RESULT = 1 / 3
NAMES = ["voltage", "corner", "sample", "tmr", "status", "seed", "delay"]


def dataset(folder, space=SPACE):
    """Place 1 is missing, 2 has failed; the others have delay = place/3."""
    with Store(folder) as store:
        store.plan(str(k) for k in range(len(space)))
        store.add(
            Record(str(k), "ok", 2**32 - 1 - k, results={"delay": k * RESULT}) for k in range(len(space)) if k != 1
        )
        if len(space) > 2:
            store.add([Record("2", "crashed", 5)])
    return open_dataset(folder, space, {"delay": "s"}, {"study": "a", "seed": 2**40})


@pytest.fixture(params=[65_536, 4, 1])
def rows(monkeypatch, request):
    """Rows written at a time: all, some, single ones."""
    monkeypatch.setattr(module, "_ROWS", request.param)


@pytest.mark.usefixtures("rows")
def test_csv_comes_back(tmp_path):
    data = dataset(tmp_path)
    export(data, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        header, *table = csv.reader(file)
    assert header == ["voltage [V]", "corner", "sample", "tmr", "status", "seed", "delay [s]"]
    assert len(table) == 12
    for k, point in enumerate(SPACE.points()):
        voltage, corner, sample, tmr, status, seed, delay = table[k]
        assert (float(voltage), corner, int(sample), float(tmr)) == (
            point.values["voltage"], point.values["corner"], point.index[2], point.values["tmr"],
        )  # fmt: skip
        ends = {1: ("missing", "", ""), 2: ("crashed", "5", "")}
        assert (status, seed, delay) == ends.get(k, ("ok", str(2**32 - 1 - k), repr(k * RESULT)))


@pytest.mark.usefixtures("rows")
def test_parquet_comes_back(tmp_path):
    from pyarrow import parquet

    data = dataset(tmp_path)
    export(data, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == NAMES
    assert table.schema.field("voltage").metadata == {b"units": b"V"}
    assert table.schema.field("corner").metadata is None
    assert json.loads(table.schema.metadata[b"mtjspice"]) == data.attrs
    found = table.to_pydict()
    assert [str(one) for one in table.schema.types] == [
        "double",
        "string",
        "int64",
        "double",
        "string",
        "int64",
        "double",
    ]
    assert found["delay"] == [None if k in (1, 2) else k * RESULT for k in range(12)]
    assert found["seed"][:4] == [2**32 - 1, None, 5, 2**32 - 4]
    assert found["status"][:4] == ["ok", "missing", "crashed", "ok"]
    assert found["corner"] == [point.values["corner"] for point in SPACE.points()]
    assert found["tmr"] == [point.values["tmr"] for point in SPACE.points()]


def test_netcdf_comes_back(tmp_path):
    data = dataset(tmp_path)
    export(data, tmp_path / "out.nc")
    with xarray.open_dataset(tmp_path / "out.nc", engine="scipy") as found:
        np.testing.assert_array_equal(found.delay, data.delay)
        np.testing.assert_array_equal(found.seed, data.seed)  # beyond 2^31
        np.testing.assert_array_equal(found.tmr, data.tmr)
        np.testing.assert_array_equal(found.status.astype(str), data.status)
        assert list(found.corner.values) == ["ss", "fast, hot"]
        assert found.delay.attrs["units"] == "s"
        assert found.attrs["seed"] == 2**40
        assert found.attrs["failed"] == 1
    assert (tmp_path / "out.nc").read_bytes()[:3] == b"CDF"


def test_large_whole_numbers_of_a_sweep_come_back(tmp_path):
    space = Space((Sweep("count", (1, 2**40)),))
    export(dataset(tmp_path, space), tmp_path / "out.nc")
    with xarray.open_dataset(tmp_path / "out.nc", engine="scipy") as found:
        assert list(found.coords) == ["count"]
        assert list(found["count"].values) == [1, 2**40]


@pytest.mark.parametrize("form", module.FORMS)
@pytest.mark.parametrize("space", [Space(), Space(trials=5)])
def test_spaces_of_one_point_and_of_one_dimension(tmp_path, form, space):
    export(dataset(tmp_path, space), tmp_path / f"out{form}")
    assert (tmp_path / f"out{form}").stat().st_size > 0
    if form == ".csv":
        lines = (tmp_path / "out.csv").read_text().splitlines()
        assert lines[:2] == (
            ["status,seed,delay [s]", "ok,4294967295,0.0"]
            if len(space) == 1
            else ["trial,status,seed,delay [s]", "0,ok,4294967295,0.0"]
        )
        assert len(lines) == 1 + len(space)


@pytest.mark.parametrize("form", [".csv", ".parquet"])
def test_tables_are_written_block_by_block(tmp_path, form, monkeypatch):
    data = dataset(tmp_path)
    sizes = []
    load = xarray.Dataset.load

    def counting(self, **more):
        sizes.append(self.status.size)
        return load(self, **more)

    monkeypatch.setattr(xarray.Dataset, "load", counting)
    monkeypatch.setattr(module, "_ROWS", 4)
    export(data, tmp_path / f"out{form}")
    assert sizes == [3, 3, 3, 3]
    assert not data.delay.variable._in_memory


@pytest.mark.parametrize("sizes", [[], [1], [7], [2, 3, 4], [1, 1, 9], [5, 1, 1], [3, 5, 2]])
@pytest.mark.parametrize("rows", [1, 2, 4, 10, 100])
def test_parts_cover_an_array_in_order(sizes, rows, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", rows)
    array = np.arange(np.prod(sizes, dtype=int)).reshape(sizes)
    parts = [array[part].ravel() for part in module._parts(sizes)]
    np.testing.assert_array_equal(np.concatenate(parts), array.ravel())
    assert max(part.size for part in parts) <= rows


def test_other_forms_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"^unknown form of results '.xlsx'; available: .csv, .nc, .parquet$"):
        export(dataset(tmp_path), tmp_path / "out.xlsx")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pip install 'mtjspice\[parquet\]'$"):
        export(dataset(tmp_path / "study"), tmp_path / "out.parquet")
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize("form", module.FORMS)
def test_files_that_cannot_be_written(tmp_path, form):
    data = dataset(tmp_path / "study")
    (tmp_path / "file").touch()
    (tmp_path / f"folder{form}").mkdir()
    for path in (tmp_path / "file" / f"out{form}", tmp_path / "nowhere" / f"out{form}", tmp_path / f"folder{form}"):
        with pytest.raises(InputError, match=r"^cannot write .*: \w") as caught:
            export(data, path)
        assert "\n" not in str(caught.value)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", f"folder{form}", "study"]


@pytest.mark.parametrize("form", module.FORMS)
def test_interrupted_writing_keeps_the_old_file(tmp_path, form, monkeypatch):
    data = dataset(tmp_path / "study")
    path = tmp_path / f"out{form}"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_blocks", full)
    monkeypatch.setattr(xarray.Dataset, "to_netcdf", lambda *_, **__: full())
    with pytest.raises(InputError, match=f"^cannot write {path}: No space left on device$"):
        export(data, path)
    assert path.read_text() == "old"
    monkeypatch.undo()
    mask = os.umask(0o027)
    try:
        export(data, path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(one.name for one in tmp_path.iterdir()) == [path.name, "study"]


def test_names_that_netcdf_cannot_have(tmp_path):
    with Store(tmp_path) as store:
        store.plan(["k"])
        store.add([Record("k", "ok", 1, results={"": 1.0})])
    data = open_dataset(tmp_path, Space(), {}, {})
    with pytest.raises(InputError, match=r"^NetCDF cannot have these results: Invalid name"):
        export(data, tmp_path / "out.nc")
