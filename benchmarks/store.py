"""What storing and reading many points costs, beside the same table as a NetCDF file and as rows of JSON in SQLite.

    python benchmarks/store.py [--points 100000]

A study of 100 voltages x samples with six results. Building: groups of 100 points, each group on disk before the next
(NetCDF is written once, at the end: nothing is there until then). Opening, one variable, all variables and one point
are read again from a file just opened. Prints the best of three runs in milliseconds, and how many times longer than
this package's store the others take.
"""

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import xarray

from mtjspice.studies.lazy import open_dataset
from mtjspice.studies.space import Space, Spread, Sweep
from mtjspice.studies.store import Record, Store, content_key

NAMES = ("delay", "energy", "current", "offset", "swing", "temperature")
VOLTAGES = 100
GROUP = 100


def study(points: int) -> Space:
    voltages = tuple(float(v) for v in np.linspace(0.8, 1.8, VOLTAGES))
    return Space((Sweep("voltage", voltages, "V"),), (Spread("tmr", 2.2, 0.1),), samples=points // VOLTAGES)


def records(space: Space, keys: list[str]) -> Iterator[list[Record]]:
    values = np.random.default_rng(1).random((len(space), len(NAMES)))
    tmr, voltages = space.draws()["tmr"], space.sweeps[0].values
    for start in range(0, len(space), GROUP):
        yield [
            Record(
                keys[k], "ok", k,
                {"voltage": voltages[k // space.samples], "tmr": float(tmr[k % space.samples])},
                dict(zip(NAMES, values[k].tolist(), strict=True)), seconds=0.1,
            )
            for k in range(start, min(start + GROUP, len(space)))
        ]  # fmt: skip


class Packed:
    """The store of this package."""

    def __init__(self, folder: Path, space: Space, keys: list[str]) -> None:
        self.folder, self.space, self.keys = folder / "study", space, keys

    def build(self, groups: list[list[Record]]) -> None:
        with Store(self.folder) as store:
            store.plan(self.keys)
            for group in groups:
                store.add(group)

    def open(self) -> xarray.Dataset:
        return open_dataset(self.folder, self.space, {}, {})


class Classic:
    """One NetCDF file, through scipy."""

    def __init__(self, folder: Path, space: Space, keys: list[str]) -> None:
        self.path, self.space = folder / "study.nc", space

    def build(self, groups: list[list[Record]]) -> None:
        everything = [one for group in groups for one in group]
        data = {
            name: (self.space.dimensions, np.reshape([one.results[name] for one in everything], self.space.shape))
            for name in NAMES
        }
        data["seed"] = (self.space.dimensions, np.reshape([one.seed for one in everything], self.space.shape))
        data["status"] = (self.space.dimensions, np.reshape([one.status for one in everything], self.space.shape))
        coordinates = {name: (along, values) for name, (along, values, _) in self.space.coordinates().items()}
        xarray.Dataset(data, coords=coordinates).to_netcdf(self.path, engine="scipy")

    def open(self) -> xarray.Dataset:
        return xarray.open_dataset(self.path, engine="scipy")


class Rows:
    """Rows of JSON in SQLite, all decoded to make the dataset."""

    def __init__(self, folder: Path, space: Space, keys: list[str]) -> None:
        self.path, self.space, self.keys = folder / "rows.sqlite", space, keys

    def build(self, groups: list[list[Record]]) -> None:
        place = {key: k for k, key in enumerate(self.keys)}
        with closing(sqlite3.connect(self.path, isolation_level=None)) as database:
            database.execute("pragma journal_mode=wal")
            database.execute(
                "create table points (key text primary key, place text, status text, seed integer, results text)"
                " without rowid"
            )
            for group in groups:
                database.execute("begin immediate")
                database.executemany(
                    "insert or replace into points values (?, ?, ?, ?, ?)",
                    (
                        (one.key, json.dumps(place[one.key]), one.status, one.seed, json.dumps(dict(one.results)))
                        for one in group
                    ),
                )
                database.execute("commit")

    def open(self) -> xarray.Dataset:
        size = len(self.space)
        data = {name: np.full(size, np.nan) for name in NAMES}
        seed, status = np.zeros(size, np.int64), np.full(size, "", object)
        with closing(sqlite3.connect(self.path)) as database:
            for place, found, number, results in database.execute("select place, status, seed, results from points"):
                k = json.loads(place)
                seed[k], status[k] = number, found
                for name, value in json.loads(results).items():
                    data[name][k] = value
        variables = {**data, "seed": seed, "status": status.astype(str)}
        shape, dimensions = self.space.shape, self.space.dimensions
        return xarray.Dataset({name: (dimensions, values.reshape(shape)) for name, values in variables.items()})


def timed(what: Callable[[], object], repeat: int) -> float:
    """Milliseconds, the best of some runs."""
    best = float("inf")
    for _ in range(repeat):
        begin = time.perf_counter()
        what()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def loaded(data: xarray.Dataset) -> None:
    data.load()
    data.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--points", type=int, default=100_000)
    space = study(parser.parse_args().points)
    keys = [content_key(place=k) for k in range(len(space))]
    groups = list(records(space, keys))
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "store": Packed(Path(folder), space, keys),
            "NetCDF, scipy": Classic(Path(folder), space, keys),
            "JSON rows": Rows(Path(folder), space, keys),
        }
        for name, way in ways.items():
            times[name] = [
                timed(lambda way=way: way.build(groups), 1),
                timed(lambda way=way: way.open().close(), 3),
                timed(lambda way=way: loaded(way.open()[["delay"]]), 3),
                timed(lambda way=way: loaded(way.open()), 3),
                timed(lambda way=way: loaded(way.open()[["delay"]].isel(voltage=7)), 3),
                timed(lambda way=way: loaded(way.open()[["delay"]].isel(voltage=7, sample=5)), 3),
            ]
        with Store(Path(folder) / "again") as store:
            times["plan"] = [timed(lambda: store.plan(keys), 1), timed(lambda: store.plan(keys), 1)]
        with Store(Path(folder) / "study") as store:
            times["get"] = [timed(lambda: store.get(keys), 1)]
            more = [Record(f"{k}", "ok", k, {"voltage": 1.0}, dict.fromkeys(NAMES, float(k))) for k in range(1000)]
            times["add"] = [timed(lambda: [store.add([one]) for one in more], 1)]
        size = (Path(folder) / "study" / "points.sqlite").stat().st_size
    print(f"{len(space)} points x {len(NAMES)} results, {size / len(space):.0f} bytes a point")
    print(f"{'':32}" + "".join(f"{name:>24}" for name in ways))
    steps = ("building", "opening", "one variable", "all variables", "one variable, one voltage", "one point")
    for k, step in enumerate(steps):
        ours = times["store"][k]
        print(f"{step:32}" + "".join(f"{times[n][k]:11.1f} ms ({times[n][k] / ours:6.2f})" for n in ways))
    print(f"plan, first and again: {times['plan'][0]:.0f} and {times['plan'][1]:.0f} ms")
    print(f"get all points by key: {times['get'][0]:.0f} ms")
    print(f"add, one point at a time: {times['add'][0]:.0f} us each")


if __name__ == "__main__":
    main()
