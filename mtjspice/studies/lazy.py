"""A store of results as one dataset, from which only what is asked for is read.

Import this where it is used: it needs xarray, which takes a while to load.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.space import Space
from mtjspice.studies.store import LONGEST_STATUS, MISSING, OK, SUSPICIOUS, damage_is_reported, open_to_read

STATUS_TYPE = np.dtype(f"<U{LONGEST_STATUS}")
NO_SEED = -1
_ROWS = 65_536
_KEPT = 2**27
_RANGE = (
    "select place + ?, status, seed, columns, results from plan cross join points using (id) "
    "where place between ? and ? order by place"
)


def open_dataset(
    folder: Path, space: Space, units: Mapping[str, str], attributes: Mapping[str, str | int | float]
) -> xarray.Dataset:
    """Return the results of the study in a folder, on the dimensions of its space.

    Every result is a variable (float64, SI; ``units`` says in which unit), NaN where the point is missing, failed or
    has no such result. ``status`` says which it is ("missing" for a point that is not done), ``seed`` is -1 for a
    missing one. Attributes: the numbers of ``points`` of the space and of ``missing``, ``failed`` and ``suspicious``
    ones among them (these have results), then ``attributes``.

    Nothing is read but which results there are and how many points ended how. The rest is read when it is asked for,
    only that part, and as it is by then if the study goes on. InputError where there is no store, where its plan is
    not of this space, or where a result is called like a dimension.
    """
    counts, names, plan = _overview(folder)
    planned = sum(counts.values())
    if planned not in (0, len(space)):
        raise InputError(f"the plan in {folder} has {planned} points, the space has {len(space)}")
    points = _Points(folder.absolute(), tuple(names), plan)
    coordinates = space.coordinates()
    for name in names:
        if name in (*coordinates, *space.dimensions, "status", "seed"):
            raise InputError(f"a result cannot be called {name!r}, which is a dimension or a variable of every study")
    missing = len(space) - planned + counts.get(MISSING, 0)
    suspicious = counts.get(SUSPICIOUS, 0)
    return xarray.Dataset(
        {
            name: xarray.Variable(
                space.dimensions,
                indexing.LazilyIndexedArray(_Variable(points, name, space.shape)),
                _unit(units.get(name, "")),
            )
            for name in (*names, "status", "seed")
        },
        coords={name: (along, values, _unit(unit)) for name, (along, values, unit) in coordinates.items()},
        attrs={
            "points": len(space), "missing": missing,
            "failed": len(space) - missing - suspicious - counts.get(OK, 0), "suspicious": suspicious, **attributes,
        },
    )  # fmt: skip


@dataclass(eq=False)
class _Points:
    """The points in a folder; keeps the last small block, since variables are mostly asked for one after another."""

    folder: Path
    names: tuple[str, ...]
    plan: str
    _last: tuple[object, Mapping[str, NDArray[Any]]] | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_last": None}

    def read(self, name: str, starts: NDArray[np.int64], length: int) -> NDArray[Any]:
        """One variable at ``length`` places from each of ``starts`` on, one after another."""
        everything = ("status", "seed", *self.names)
        small = starts.size * length * sum(_type(one).itemsize for one in everything) <= _KEPT
        with damage_is_reported(), closing(open_to_read(self.folder)) as database:
            database.execute("begin")  # all of it as it is at one moment
            about = dict(database.execute("select name, value from about where name in ('plan', 'revision')"))
            if about["plan"] != self.plan:
                raise MtjspiceError(f"the plan of the study in {self.folder} has changed since it was opened")
            asked = (about["revision"], starts.tobytes(), length)
            last = self._last
            if last is None or last[0] != asked:
                last = (asked, _block(database, everything if small else (name,), starts, length))
        if small:
            self._last = last
        return last[1][name].copy()


class _Variable(BackendArray):
    """One variable on the space: xarray asks it for parts."""

    def __init__(self, points: _Points, name: str, shape: tuple[int, ...]) -> None:
        self.points = points
        self.name = name
        self.shape = shape
        self.dtype = _type(name)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> NDArray[Any]:
        found = indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._read)
        return np.asarray(found)

    def _read(self, key: tuple[Any, ...]) -> NDArray[Any]:
        """The part at a whole number, a slice or an array of whole numbers for each dimension."""
        chosen = [np.atleast_1d(np.arange(size)[one]) for one, size in zip(key, self.shape, strict=True)]
        sizes = tuple(one.size for one, part in zip(chosen, key, strict=True) if not isinstance(part, int | np.integer))
        if not prod(one.size for one in chosen):
            return np.empty(sizes, self.dtype)
        starts, length = _runs(chosen, self.shape)
        return self.points.read(self.name, starts, length).reshape(sizes)


def _type(name: str) -> np.dtype[Any]:
    return {"status": STATUS_TYPE, "seed": np.dtype(np.int64)}.get(name, np.dtype(np.float64))


def _unit(unit: str) -> dict[str, str]:
    return {"units": unit} if unit else {}


def _overview(folder: Path) -> tuple[dict[str, int], list[str], str]:
    """How many points of the plan there are by status, which results they have, and the plan's hash."""
    with damage_is_reported(), closing(open_to_read(folder)) as database:
        database.execute("begin")
        groups = database.execute(
            f"select coalesce(status, '{MISSING}'), columns, count(*) from plan left join points using (id) "
            "group by 1, 2 order by 2"
        ).fetchall()
        names = _names(database)
        (plan,) = database.execute("select value from about where name = 'plan'").fetchone()
    counts: dict[str, int] = {}
    for status, _, count in groups:
        counts[status] = counts.get(status, 0) + count
    used = dict.fromkeys(name for _, columns, _ in groups if columns is not None for name in names[columns])
    return counts, list(used), plan


def _names(database: sqlite3.Connection) -> dict[int, list[str]]:
    return {number: json.loads(names) for number, names in database.execute("select id, names from columns")}


def _runs(chosen: Sequence[NDArray[np.int64]], shape: Sequence[int]) -> tuple[NDArray[np.int64], int]:
    """Places of a product of indices, as stretches of one length that are read in one go: their starts, the length.

    The last dimensions that are asked for whole, and neighbours along the one before, make a stretch.
    """
    length, stride, axis, offset = 1, 1, len(shape), 0
    whole = True
    while axis and whole:
        axis -= 1
        one = chosen[axis]
        if not np.array_equal(one, np.arange(one[0], one[0] + one.size)):
            axis += 1
            break
        offset += int(one[0]) * stride
        length *= one.size
        whole = one.size == shape[axis]
        stride *= shape[axis]
    starts = np.array([offset], np.int64)
    for k in reversed(range(axis)):
        starts = (chosen[k][:, None] * stride + starts).ravel()
        stride *= shape[k]
    return starts, length


def _block(
    database: sqlite3.Connection, wanted: Sequence[str], starts: NDArray[np.int64], length: int
) -> dict[str, NDArray[Any]]:
    """The wanted variables at ``length`` places from each of ``starts`` on, each (starts * length,)."""
    nothing = {"status": MISSING, "seed": NO_SEED}
    block = {name: np.full(starts.size * length, nothing.get(name, np.nan), _type(name)) for name in wanted}
    names = _names(database)
    for rows in _batches(database, starts, length):
        where, status, seed, columns, results = zip(*rows, strict=True)
        positions = np.array(where)
        if "status" in block:
            block["status"][positions] = status
        if "seed" in block:
            block["seed"][positions] = seed
        for number in set(columns) - {None}:
            if number not in names:
                raise ValueError(f"there are no names of results with the number {number}")
            among = [k for k, one in enumerate(columns) if one == number]
            table = np.frombuffer(b"".join(results[k] for k in among), "<f8").reshape(len(among), len(names[number]))
            for k, name in enumerate(names[number]):
                if name in block:
                    block[name][positions[among]] = table[:, k]
    return block


def _batches(database: sqlite3.Connection, starts: NDArray[np.int64], length: int) -> Iterator[list[Any]]:
    """The rows at the stretches, some ten thousand together; the first column is the position in what was asked."""
    batch: list[Any] = []
    for k, start in enumerate(starts.tolist()):
        rows = database.execute(_RANGE, (k * length - start, start, start + length - 1))
        while found := rows.fetchmany(_ROWS):
            batch += found
            if len(batch) >= _ROWS:
                yield batch
                batch = []
    if batch:
        yield batch
