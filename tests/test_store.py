"""The store of results: complete or not at all, whatever kills the writer; found again by key and by place."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.store import FILE, Record, Store, content_key


def record(key: str, value: float = 1.0, **more) -> Record:
    return Record(key, "ok", 7, {"voltage": 1.0, "corner": "ss", "run": 3}, {"delay": value}, **more)


def failure(key: str, **more) -> Record:
    return Record(key, "diverged", 3, {"voltage": 1.2}, **more)


def test_what_is_stored_is_found_again(tmp_path):
    records = [
        record("z", 2.5e-9, seconds=0.25),
        Record("y", "suspicious", 2**32 - 1, {}, {"energy": float("inf"), "delay": -0.0}),
        failure("x", reason="timestep too small", log=("a", "", "b\x0cc"), deck="* deck\nr1 a 0 1k\n.end\n"),
        Record("w", "bad deck", 0),
    ]
    with Store(tmp_path / "a" / "study ?#%41") as store:
        store.add(records[:1])
        store.add(records[1:])
        store.add([])
    with Store(tmp_path / "a" / "study ?#%41", write=False) as store:
        assert list(store.records()) == records
        assert store.get("nothing wxyz") == {one.key: one for one in reversed(records)}
        assert list(store.get("xz")) == ["x", "z"]
        assert store.keys() == {"z", "y"}
        assert store.keys(failed=True) == {"w", "x", "y", "z"}


def test_numbers_of_numpy_and_undecodable_text_are_stored(tmp_path):
    one = Record("k", "ok", np.int64(5), {"n": np.int64(3), "x": np.float64(0.5)}, {"delay": np.float64(2.0)})
    bad = failure("f", reason="\udcff", log=("\udcfe",), deck="title \udcfc")
    with Store(tmp_path) as store:
        store.add([one, bad])
        found = store.get(["k", "f"])
    assert found["k"] == Record("k", "ok", 5, {"n": 3, "x": 0.5}, {"delay": 2.0})
    assert type(found["k"].values["n"]) is int
    assert (found["f"].reason, found["f"].log, found["f"].deck) == ("\\udcff", ("\\udcfe",), "title \udcfc")


def test_a_point_that_is_done_again_replaces_the_failed_one(tmp_path):
    with Store(tmp_path) as store:
        store.add([failure("k", log=("a",), deck="deck")])
        store.add([record("k", 2.0)])
        (only,) = store.records()
    assert only == record("k", 2.0)


def test_the_plan_says_where_a_point_stands(tmp_path):
    with Store(tmp_path) as store:
        assert (store.planned(), store.counts(), store.at(0)) == (0, {}, None)
        store.add([record("b"), failure("d"), record("elsewhere"), failure("another")])
        store.plan(iter(["a", "b", "c", "d", "b"]))
        assert store.planned() == 5
        assert store.counts() == {"missing": 2, "ok": 2, "diverged": 1}
        assert [store.at(place) for place in range(6)] == [None, record("b"), None, failure("d"), record("b"), None]
        assert store.failures(5) == [(3, failure("d"))]
        store.add([failure("a"), failure("c")])
        assert store.failures(2) == [(0, failure("a")), (2, failure("c"))]


def test_a_new_plan_keeps_the_points(tmp_path):
    with Store(tmp_path) as store:
        store.plan(["a", "b", "c"])
        store.add([record("a"), record("b")])
        store.plan(["b"])
        assert (store.planned(), store.counts()) == (1, {"ok": 1})
        assert store.keys() == {"a", "b"}
        store.plan(["d", "a", "e", "c", "b"])
        assert store.counts() == {"ok": 2, "missing": 3}
        assert [store.at(place) for place in (1, 4)] == [record("a"), record("b")]
        store.add([record("c"), record("d"), record("e")])
    with Store(tmp_path) as store:
        assert store.counts() == {"ok": 5}
        assert [one.key for place in range(5) if (one := store.at(place))] == ["d", "a", "e", "c", "b"]


def test_a_plan_is_made_completely_or_not_at_all(tmp_path):
    def broken():
        yield "c"
        raise KeyError("stop")

    with Store(tmp_path) as store:
        store.plan(["a", "b"])
        with pytest.raises(KeyError, match="stop"):
            store.plan(broken())
        assert store.planned() == 2
        store.plan(["c"])
        assert store.planned() == 1


def test_many_keys(tmp_path):
    """50,000 keys: beyond what one statement of SQLite takes."""
    keys = [f"{k:05d}" for k in range(50_000)]
    with Store(tmp_path) as store:
        store.plan(keys)
        store.add(record(key) for key in keys[::25])
        found = store.get(keys)
        assert list(found) == keys[::25]
        assert store.counts() == {"ok": 2_000, "missing": 48_000}
        assert store.at(49_975) == record("49975")


def test_texts_about_the_study(tmp_path):
    with Store(tmp_path) as store:
        store.set_about("study", "größe")
        store.set_about("study", "other")
        with pytest.raises(InputError, match="'revision' is a name of the store itself"):
            store.set_about("revision", "5")
    with Store(tmp_path, write=False) as store:
        assert (store.about("study"), store.about("nothing")) == ("other", None)


WRITER = """
import sys
from pathlib import Path
from mtjspice.studies.store import Record, Store
with Store(Path(sys.argv[1])) as store:
    store.plan(f"{k}-{part}" for k in range(1000) for part in range(3))
    k = 0
    while True:
        store.add([Record(f"{k}-{part}", "ok", k, {"k": k, "part": part}, {"value": float(k)}) for part in range(3)])
        k += 1
        print(k, flush=True)
"""


def groups(store: Store) -> int:
    """Number of groups of three, of which every one is there completely and none is left out."""
    found = {(one.values["k"], one.values["part"]) for one in store.records()}
    count = len({k for k, _ in found})
    assert found == {(k, part) for k in range(count) for part in range(3)}
    return count


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
    assert (tmp_path / f"{FILE}-wal").stat().st_size > 0
    with Store(tmp_path, write=False) as store:  # what the killed writer left beside the file is read as well
        whole = groups(store)
        assert whole >= (reported[-1] if reported else 1)
        assert store.planned() == 3000
    with Store(tmp_path) as store:
        assert groups(store) == whole
        store.add([Record("after", "ok", 0)])
        assert store.keys() >= {"after"}


def test_readers_beside_a_writer_see_whole_groups(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        with pytest.raises(InputError, match=r"is in use by another run$"):
            Store(tmp_path)
        with Store(tmp_path, write=False) as store:
            first = groups(store)
            assert first >= 1
            reported = 0
            while reported <= first:
                reported = int(process.stdout.readline())
            assert groups(store) >= reported
            with pytest.raises(MtjspiceError, match="cannot store results: attempt to write a readonly database"):
                store.add([record("mine")])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_one_writer_at_a_time(tmp_path):
    with Store(tmp_path) as first:
        with pytest.raises(InputError, match=r"is in use by another run$"):
            Store(tmp_path)
        first.add([record("a")])
    with Store(tmp_path) as second:
        assert second.keys() == {"a"}


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    noise = np.random.default_rng(1).bytes(100_000).hex()  # does not compress away
    with Store(tmp_path) as store:
        store.plan(["a", "b"])
        store.add([record("a")])
        pages = store._database.execute("pragma page_count").fetchone()[0]
        store._database.execute(f"pragma max_page_count = {pages}")
        for attempt in (lambda: store.add([record("c"), failure("b", deck=noise)]), lambda: store.plan([noise])):
            with pytest.raises(MtjspiceError, match=r"^cannot store results: database or disk is full$"):
                attempt()
        assert store.keys(failed=True) == {"a"}
        assert store.counts() == {"ok": 1, "missing": 1}
        store._database.execute(f"pragma max_page_count = {pages + 100}")
        store.add([failure("b", deck=noise)])
    with Store(tmp_path) as store:
        assert store.counts() == {"ok": 1, "diverged": 1}


def test_keys_depend_on_content_alone():
    assert content_key(deck="a", seed=1) == content_key(seed=1, deck="a")
    assert content_key(deck="a", seed=1) != content_key(deck="a", seed=2)
    assert content_key(deck="a") != content_key(deck="b")


@pytest.mark.parametrize("status", ["", "missing", "seventeen letters"])
def test_a_status_that_cannot_be(status):
    with pytest.raises(InputError, match="a point cannot have the status"):
        Record("k", status, 1)


def test_a_failed_point_has_no_results():
    with pytest.raises(InputError, match="a point with the status 'crashed' has no results"):
        Record("k", "crashed", 1, results={"delay": 1.0})


@pytest.mark.parametrize("write", [True, False])
def test_bad_stores_are_refused_and_left_as_they_are(tmp_path, write):
    other, old, foreign = (tmp_path / name for name in ("other", "old", "foreign"))
    for folder in (other, old, foreign):
        folder.mkdir()
    (other / FILE).write_text("this is no database, whatever it is called" * 30)
    with closing(sqlite3.connect(old / FILE)) as database:
        database.execute("create table about (name text, value text)")
        database.execute("insert into about values ('schema', 'mtjspice.study.1')")
        database.commit()
    with closing(sqlite3.connect(foreign / FILE)) as database:
        database.execute("create table letters (text)")
    for folder, message in (
        (other, "file is not a database"),
        (old, "has results in the form 'mtjspice.study.1'; this version reads 'mtjspice.study.2'"),
        (foreign, "has no results of a study in it"),
    ):
        before = (folder / FILE).read_bytes()
        for _ in range(2):  # no lock is left over
            with pytest.raises(InputError, match=message) as caught:
                Store(folder, write=write)
            assert "\n" not in str(caught.value)
        assert (folder / FILE).read_bytes() == before


def test_no_store_to_read(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / FILE).touch()
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "empty"):
        with pytest.raises(InputError, match=f"^there are no results in {folder}$"):
            Store(folder, write=False)
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot open a store of results in"):
        Store(tmp_path / "file")


def test_damage_is_one_line(tmp_path):
    with Store(tmp_path) as store:
        store.add(record(f"{k}", float(k)) for k in range(2_000))
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:20_000] + b"\xff" * (len(whole) - 20_000))
    with Store(tmp_path, write=False) as store:
        for read in (lambda: list(store.records()), lambda: store.get(["1"]), store.keys):
            with pytest.raises(MtjspiceError, match=r"^cannot read the stored results: .*malformed") as caught:
                read()
            assert "\n" not in str(caught.value)


def test_results_of_another_length_are_damage(tmp_path):
    with Store(tmp_path) as store:
        store.add([record("k")])
        store._database.execute("update points set results = x'00'")
        with pytest.raises(MtjspiceError, match=r"^cannot read the stored results: unpack requires"):
            store.get(["k"])


WITHOUT_RIGHTS = """
import json, os, sys
from pathlib import Path
from mtjspice.errors import InputError
from mtjspice.studies.store import Store
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
folder = Path(sys.argv[1])
with Store(folder, write=False) as store:
    answer = [sorted(store.keys())]
for folder in (folder, folder / "below"):
    try:
        Store(folder)
    except InputError as error:
        answer.append(str(error))
print(json.dumps(answer))
"""


def test_a_folder_that_one_may_only_read():
    """As on a file server: it is read without a word, and not written to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store(folder) as store:
            store.add([record("k")])
        (folder / "lock").chmod(0o444)
        folder.chmod(0o555)
        try:
            done = subprocess.run(
                [sys.executable, "-c", WITHOUT_RIGHTS, name], capture_output=True, text=True, check=True
            )
        finally:
            folder.chmod(0o755)
    keys, locked, below = json.loads(done.stdout)
    assert keys == ["k"]
    for message in (locked, below):
        assert message.startswith(f"cannot open a store of results in {name}")
        assert "Permission denied" in message
