"""The store of results: complete or not at all, whatever kills the writer; missing and failed points told apart."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.space import Space, Spread, Sweep
from mtjspice.studies.store import FILE, Record, Store, content_key

SPACE = Space((Sweep("voltage", (1.0, 1.2), "V"), Sweep("corner", ("ss", "ff"))), (Spread("tmr", 2.2, 0.1),), samples=3)


def record(index, value=1.0, **more) -> Record:
    return Record(content_key(place=index), tuple(index), "ok", 7, {"delay": value}, **more)


def test_what_is_stored_is_found_again(tmp_path):
    records = [record(point.index, float(k)) for k, point in enumerate(SPACE.points())]
    with Store(tmp_path / "study") as store:
        store.add(records[:5])
        store.add(records[5:])
    with Store(tmp_path / "study") as store:
        assert sorted(store.records(), key=lambda one: one.index) == records
        assert store.keys() == {one.key for one in records}
        data = store.dataset(SPACE, {"delay": "s"})
    assert data.delay.dims == ("voltage", "corner", "sample")
    assert data.delay.attrs["units"] == "s"
    np.testing.assert_array_equal(data.delay.values.ravel(), np.arange(12.0))
    np.testing.assert_array_equal(data.tmr.values, SPACE.draws()["tmr"])
    assert (data.attrs["points"], data.attrs["missing"], data.attrs["failed"]) == (12, 0, 0)
    data.to_netcdf(tmp_path / "a.nc")


def test_missing_and_failed_points_are_no_zeros(tmp_path):
    with Store(tmp_path) as store:
        store.add([record((0, 0, 0), 5.0), Record("f", (1, 0, 2), "diverged", 3, reason="timestep", log=("a", "b"))])
        data = store.dataset(SPACE)
        assert store.keys() == {content_key(place=(0, 0, 0))}
        assert store.keys(failed=True) == {content_key(place=(0, 0, 0)), "f"}
        failed = next(one for one in store.records() if one.status != "ok")
    assert (failed.reason, failed.log) == ("timestep", ("a", "b"))
    assert np.isfinite(data.delay.values).sum() == 1
    assert data.status.values[1, 0, 2] == "diverged"
    assert data.status.values[0, 1, 1] == ""
    assert (data.attrs["missing"], data.attrs["failed"]) == (10, 1)
    assert float(data.delay.mean()) == 5.0


def test_a_point_that_is_done_again_replaces_the_failed_one(tmp_path):
    with Store(tmp_path) as store:
        store.add([Record("k", (0, 0, 0), "crashed", 1)])
        store.add([Record("k", (0, 0, 0), "ok", 1, {"delay": 2.0})])
        (only,) = store.records()
    assert only.results == {"delay": 2.0}


WRITER = """
import sys
from pathlib import Path
from mtjspice.studies.store import Record, Store
with Store(Path(sys.argv[1])) as store:
    k = 0
    while True:
        store.add([Record(f"{k}-{part}", (k, part), "ok", k, {"value": float(k)}) for part in range(3)])
        k += 1
        print(k, flush=True)
"""


@pytest.mark.parametrize("attempt", range(4))
def test_a_killed_writer_leaves_whole_points(tmp_path, attempt):
    """Killed at some moment: every group of three is there or not, all that were reported are there, and it goes on."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.05 + 0.013 * attempt)
    os.kill(process.pid, signal.SIGKILL)
    reported = [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    with Store(tmp_path) as store:
        found = {one.index for one in store.records()}
        groups = {k for k, _ in found}
        assert found == {(k, part) for k in groups for part in range(3)}
        assert groups == set(range(len(groups)))
        assert len(groups) >= (reported[-1] if reported else 1)
        store.add([Record("after", (0, 9), "ok", 0)])
        assert store.keys() >= {"after"}


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    with Store(tmp_path) as store:
        store.add([record((0, 0, 0))])
        store._database.execute(f"pragma max_page_count = {store._database.execute('pragma page_count').fetchone()[0]}")
        with pytest.raises(MtjspiceError, match=r"cannot store results: database or disk is full"):
            store.add([record((0, 0, 1), log=("x" * 100_000,))])
        assert store.keys() == {content_key(place=(0, 0, 0))}


def test_keys_depend_on_content_alone():
    assert content_key(deck="a", seed=1) == content_key(seed=1, deck="a")
    assert content_key(deck="a", seed=1) != content_key(deck="a", seed=2)
    assert content_key(deck="a") != content_key(deck="b")


def test_bad_stores_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot open a store of results in"):
        Store(tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / FILE).write_text("this is no database, whatever it is called" * 30)
    with pytest.raises(InputError, match="file is not a database"):
        Store(tmp_path / "other")
    with Store(tmp_path / "old"):
        pass
    with sqlite3.connect(tmp_path / "old" / FILE) as database:
        database.execute("update about set value = 'mtjspice.study.0'")
    database.close()
    with pytest.raises(InputError, match=r"has results in the form 'mtjspice.study.0'; this version reads"):
        Store(tmp_path / "old")
    with Store(tmp_path / "small") as store:
        store.add([Record("k", (5, 0, 0), "ok", 1)])
        with pytest.raises(InputError, match="the store has a point at"):
            store.dataset(SPACE)
