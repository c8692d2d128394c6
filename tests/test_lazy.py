"""The dataset of a store: what it says is what was stored, and no more is read than is asked for."""

import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import xarray

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies import lazy
from mtjspice.studies.lazy import open_dataset
from mtjspice.studies.space import Space, Spread, Sweep
from mtjspice.studies.store import FILE, Record, Store

SPACE = Space((Sweep("voltage", (1.0, 1.2), "V"), Sweep("corner", ("ss", "ff"))), (Spread("tmr", 2.2, 0.1),), samples=3)


def store_all(folder, space, skip=(), write=True):
    """Points with delay = place and energy = -place; returns the records by place."""
    records = [
        Record(f"key {k}", "ok", 100 + k, point.values, {"delay": float(k), "energy": -float(k)})
        for k, point in enumerate(space.points())
    ]
    with Store(folder) as store:
        store.plan(one.key for one in records)
        if write:
            store.add(one for k, one in enumerate(records) if k not in skip)
    return records


def places(space) -> np.ndarray:
    return np.arange(float(len(space))).reshape(space.shape)


@pytest.fixture
def fetched(monkeypatch):
    """Count the rows of points that come out of the database."""
    counted = []
    batches = lazy._batches

    def counting(*arguments):
        for batch in batches(*arguments):
            counted.append(len(batch))
            yield batch

    monkeypatch.setattr(lazy, "_batches", counting)
    return counted


def test_a_dataset_is_what_was_stored(tmp_path):
    store_all(tmp_path, SPACE)
    data = open_dataset(tmp_path, SPACE, {"delay": "s"}, {"title": "a study", "seed": 2**40})
    assert data.sizes == {"voltage": 2, "corner": 2, "sample": 3}
    assert list(data.data_vars) == ["delay", "energy", "status", "seed"]
    assert data.delay.attrs == {"units": "s"}
    assert data.energy.attrs == {}
    assert data.voltage.attrs == {"units": "V"}
    assert list(data.corner.values) == ["ss", "ff"]
    assert data.tmr.dims == ("sample",)
    np.testing.assert_array_equal(data.tmr, SPACE.draws()["tmr"])
    np.testing.assert_array_equal(data.delay, places(SPACE))
    np.testing.assert_array_equal(data.energy, -places(SPACE))
    np.testing.assert_array_equal(data.seed, 100 + places(SPACE))
    assert (data.delay.dtype, data.seed.dtype, data.status.dtype.kind) == (np.float64, np.int64, "U")
    assert set(data.status.values.ravel()) == {"ok"}
    assert data.attrs == {
        "points": 12, "missing": 0, "failed": 0, "suspicious": 0, "title": "a study", "seed": 2**40,
    }  # fmt: skip
    assert float(data.delay.sel(voltage=1.2, corner="ff").isel(sample=2)) == 11.0


def test_missing_failed_and_suspicious_points(tmp_path):
    store_all(tmp_path, SPACE, skip=(3, 4, 5, 7))
    with Store(tmp_path) as store:
        store.add([
            Record("key 4", "timed out", 9), Record("key 5", "suspicious", 8, {}, {"delay": 0.5, "offset": 3.0}),
            Record("elsewhere", "ok", 1, {}, {"unused": 1.0}), Record("key 7", "ok", 6, {}, {"energy": float("nan")}),
        ])  # fmt: skip
    data = open_dataset(tmp_path, SPACE, {}, {})
    assert list(data.data_vars) == ["delay", "energy", "offset", "status", "seed"]
    counts = {name: data.attrs[name] for name in ("points", "missing", "failed", "suspicious")}
    assert counts == {"points": 12, "missing": 1, "failed": 1, "suspicious": 1}
    assert list(data.status.values.ravel()[3:8]) == ["missing", "timed out", "suspicious", "ok", "ok"]
    assert list(data.seed.values.ravel()[3:8]) == [lazy.NO_SEED, 9, 8, 106, 6]
    np.testing.assert_array_equal(data.delay.values.ravel()[3:8], [np.nan, np.nan, 0.5, 6, np.nan])
    np.testing.assert_array_equal(data.energy.values.ravel()[3:8], [np.nan, np.nan, np.nan, -6, np.nan])
    assert data.offset.values.ravel()[5] == 3.0
    assert np.isfinite(data.offset.values).sum() == 1


@pytest.mark.parametrize(
    "choose",
    [
        lambda a: a[1],
        lambda a: a[:, 1, 2],
        lambda a: a[-1, 0, 1],
        lambda a: a[:, ::-1],
        lambda a: a[1:, :, 2:0:-1],
        lambda a: a[:, [1, 0]],
        lambda a: a[:, :, [2, 2, 0]],
        lambda a: a[[1], :, 1:],
        lambda a: a[0:0],
        lambda a: a[:, 1, 5:],
        lambda a: a[1][1:][0][::2],
        lambda a: a[:, [True, False]],
    ],
)
def test_parts_are_those_of_an_array(tmp_path, choose):
    store_all(tmp_path, SPACE)
    data = open_dataset(tmp_path, SPACE, {}, {})
    expected = choose(xarray.DataArray(places(SPACE))).values
    found = choose(data.delay).values
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)
    assert choose(data.status).values.shape == expected.shape


def test_single_points_by_lists_of_indices(tmp_path):
    store_all(tmp_path, SPACE)
    data = open_dataset(tmp_path, SPACE, {}, {})
    where = {"voltage": xarray.DataArray([1, 0, 1], dims="point"), "sample": xarray.DataArray([2, 2, 0], dims="point")}
    np.testing.assert_array_equal(data.delay.isel(where).transpose(), places(SPACE)[[1, 0, 1], :, [2, 2, 0]].T)
    np.testing.assert_array_equal(data.delay.where(data.delay > 5, drop=True), places(SPACE)[1:])
    np.testing.assert_array_equal(data.delay.transpose("sample", "corner", "voltage")[1:, 0], places(SPACE).T[1:, 0])


@pytest.mark.parametrize("trials", [1, 4])
def test_spaces_of_one_point_and_of_one_dimension(tmp_path, trials):
    space = Space(trials=trials)
    store_all(tmp_path, space)
    data = open_dataset(tmp_path, space, {}, {})
    np.testing.assert_array_equal(data.delay.values, np.arange(4.0) if trials > 1 else 0.0)
    assert data.delay.shape == data.status.values.shape == space.shape
    assert str(data.status.values.ravel()[-1]) == "ok"
    assert data.load().attrs["points"] == trials


def test_no_more_is_read_than_is_asked_for(tmp_path, fetched):
    space = Space((Sweep("voltage", (1.0, 1.1, 1.2)), Sweep("x", tuple(range(50)))), trials=4)
    store_all(tmp_path, space)
    data = open_dataset(tmp_path, space, {}, {})
    assert fetched == []
    assert data.delay.sel(voltage=1.1).values.shape == (50, 4)
    assert fetched == [200]
    assert float(data.delay[2, 49, 3]) == 599.0
    assert fetched == [200, 1]
    assert data.energy.isel(x=[3, 30], trial=slice(1, 3)).values.shape == (3, 2, 2)
    assert fetched == [200, 1, 12]
    assert data.load().seed.shape == space.shape
    assert fetched == [200, 1, 12, 600]  # all variables in one go


def test_large_parts_are_not_kept(tmp_path, fetched, monkeypatch):
    monkeypatch.setattr(lazy, "_KEPT", 4 * 88)
    monkeypatch.setattr(lazy, "_ROWS", 5)
    store_all(tmp_path, SPACE, skip=(3,))
    data = open_dataset(tmp_path, SPACE, {}, {}).load()
    assert fetched == 4 * [5, 5, 1]  # each variable by itself, some rows at a time
    expected = places(SPACE)
    expected[0, 1, 0] = np.nan
    np.testing.assert_array_equal(data.delay, expected)
    np.testing.assert_array_equal(data.energy, -expected)
    assert [data.status.values.ravel()[k] for k in (2, 3, 4)] == ["ok", "missing", "ok"]


def test_results_are_as_they_are_when_they_are_read(tmp_path):
    """A study that goes on: a part that was read before and is asked for again is read anew."""
    records = store_all(tmp_path, SPACE, skip=range(6, 12))
    early, late = (open_dataset(tmp_path, SPACE, {}, {}) for _ in range(2))
    assert int(np.isfinite(early.delay.values).sum()) == 6
    with Store(tmp_path) as store:
        store.add(records[6:8])
        assert int(np.isfinite(late.delay.values).sum()) == 8  # beside the writer
    assert int(np.isfinite(early.energy.values).sum()) == 8
    assert open_dataset(tmp_path, SPACE, {}, {}).attrs["missing"] == 4


def test_values_of_one_dataset_are_its_own(tmp_path):
    store_all(tmp_path, SPACE)
    data = open_dataset(tmp_path, SPACE, {}, {})
    data.delay[:].values[:] = 5.0
    data.delay[0:2].load()[:] = 5.0
    np.testing.assert_array_equal(data.delay[:], places(SPACE))


def test_a_dataset_travels_between_processes(tmp_path, monkeypatch):
    space = Space(trials=500)
    store_all(tmp_path / "study", space)
    monkeypatch.chdir(tmp_path)
    data = open_dataset(Path("study"), space, {}, {})
    assert float(data.delay.sum()) == 500 * 499 / 2  # now 40 kB are kept, which do not travel
    monkeypatch.chdir("/")
    sent = pickle.dumps(data)
    assert len(sent) < 5_000
    np.testing.assert_array_equal(pickle.loads(sent).delay, places(space))


def test_a_plan_that_has_changed_is_not_misread(tmp_path):
    store_all(tmp_path, SPACE)
    data = open_dataset(tmp_path, SPACE, {}, {})
    with Store(tmp_path) as store:
        store.plan(f"key {k}" for k in range(12))  # the same once more
    assert float(data.delay[0, 0, 1]) == 1.0
    with Store(tmp_path) as store:
        store.plan(f"key {11 - k}" for k in range(12))
    with pytest.raises(MtjspiceError, match=r"^the plan of the study in .* has changed since it was opened$"):
        data.delay[0, 0, 1].load()


def test_a_store_without_a_plan_is_all_missing(tmp_path):
    with Store(tmp_path) as store:
        store.add([Record("k", "ok", 1, {}, {"delay": 1.0})])
    data = open_dataset(tmp_path, SPACE, {}, {})
    assert (data.attrs["missing"], data.attrs["failed"]) == (12, 0)
    assert set(data.status.values.ravel()) == {"missing"}


def test_what_cannot_be_opened_is_one_clear_line(tmp_path):
    with pytest.raises(InputError, match=r"^there are no results in"):
        open_dataset(tmp_path / "nowhere", SPACE, {}, {})
    store_all(tmp_path, SPACE)
    with pytest.raises(InputError, match=r"^the plan in .* has 12 points, the space has 1$"):
        open_dataset(tmp_path, Space(), {}, {})
    with Store(tmp_path) as store:
        store.add([Record("key 3", "ok", 1, {}, {"corner": 1.0})])
    with pytest.raises(InputError, match=r"^a result cannot be called 'corner', which is a dimension"):
        open_dataset(tmp_path, SPACE, {}, {})


@pytest.mark.parametrize("harm", ["update points set results = x'0000'", "update points set columns = 77"])
def test_damage_is_one_line(tmp_path, harm):
    store_all(tmp_path, SPACE)
    data = open_dataset(tmp_path, SPACE, {}, {})
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute(harm)
        database.commit()
    with pytest.raises(MtjspiceError, match=r"^cannot read the stored results: "):
        data.delay.load()
