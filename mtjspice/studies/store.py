"""Results of a study on disk: every finished point at once and for good, whatever happens to the program afterwards.

One SQLite file in the study's folder. A point is one row, written in a transaction: it is there completely or not at
all. Rows are found by a key, the content hash of what the point is made of, so that a study that is run again, or is
extended, reuses what it finds. A failed point is a row as well, with its reason and the end of the log.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.space import Space

if TYPE_CHECKING:
    import xarray

FILE = "points.sqlite"
SCHEMA = "mtjspice.study.1"
OK = "ok"
_TABLES = """
create table if not exists about (name text primary key, value text not null) without rowid;
create table if not exists points (
    key text primary key, place text not null, status text not null, seed integer not null, results text not null,
    reason text not null, log text not null, seconds real not null
) without rowid;
"""


@dataclass(frozen=True)
class Record:
    """One point: its key, its place in the space, how it ended, and its results (SI) if it ended well."""

    key: str
    index: tuple[int, ...]
    status: str
    seed: int
    results: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    log: tuple[str, ...] = ()
    seconds: float = 0.0


def content_key(**parts: object) -> str:
    """Return the hash of everything that determines a point: deck, card, engine, seed, measurements, version."""
    return sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


class Store:
    """The results in a folder; a context manager. Only one program at a time writes to it."""

    def __init__(self, folder: Path) -> None:
        """Open or create the store; InputError for a folder that cannot be, or that holds something else."""
        path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, timeout=5.0, isolation_level=None)
            # a log beside the file: a killed writer leaves it readable, and readers do not wait
            self._database.execute("pragma journal_mode=wal")
            self._database.executescript(_TABLES)
            self._database.execute("insert or ignore into about values ('schema', ?)", (SCHEMA,))
            (found,) = self._database.execute("select value from about where name = 'schema'").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"cannot open a store of results in {folder}: {error}") from None
        if found != SCHEMA:
            self._database.close()
            raise InputError(f"{path} has results in the form {found!r}; this version reads {SCHEMA!r}")

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, records: Sequence[Record]) -> None:
        """Store points, all of them or none; a point that is there already is replaced.

        Raises MtjspiceError where they cannot be written (a full disk): what was stored before is still there.
        """
        rows = [
            (
                one.key, json.dumps(one.index), one.status, one.seed, json.dumps(dict(one.results)), one.reason,
                "\n".join(one.log), one.seconds,
            )
            for one in records
        ]  # fmt: skip
        try:
            self._database.execute("begin immediate")
            self._database.executemany("insert or replace into points values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._database.execute("commit")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.execute("rollback")
            raise MtjspiceError(f"cannot store results: {error}") from None

    def keys(self, *, failed: bool = False) -> frozenset[str]:
        """Keys of the points that ended well; with ``failed`` those of all."""
        where = "" if failed else f" where status = '{OK}'"
        with closing(self._database.execute(f"select key from points{where}")) as rows:
            return frozenset(key for (key,) in rows)

    def records(self) -> Iterator[Record]:
        """All points, in the order of their keys."""
        query = "select key, place, status, seed, results, reason, log, seconds from points order by key"
        with closing(self._database.execute(query)) as rows:
            for key, place, status, seed, results, reason, log, seconds in rows:
                lines = tuple(log.splitlines())
                yield Record(key, tuple(json.loads(place)), status, seed, json.loads(results), reason, lines, seconds)

    def dataset(self, space: Space, units: Mapping[str, str] | None = None) -> "xarray.Dataset":
        """Return the results on the dimensions of a space.

        Missing and failed points are NaN; ``status`` says which is which ("" for missing), and the attributes count
        both. InputError for points that lie outside the space: they are another study's.
        """
        import xarray

        shape = space.shape
        status = np.full(shape, "", dtype=object)
        seeds = np.zeros(shape, np.int64)
        results: dict[str, Any] = {}
        for record in self.records():
            if len(record.index) != len(shape) or any(not 0 <= i < n for i, n in zip(record.index, shape, strict=True)):
                raise InputError(f"the store has a point at {record.index}, outside of the sizes {shape}")
            status[record.index] = record.status
            seeds[record.index] = record.seed
            for name, value in record.results.items():
                if name not in results:
                    results[name] = np.full(shape, np.nan)
                results[name][record.index] = value
        dimensions = space.dimensions
        coordinates: dict[str, Any] = {
            sweep.name: (sweep.name, list(sweep.values), {"units": sweep.unit} if sweep.unit else {})
            for sweep in space.sweeps
        }
        for one in space.spreads:
            coordinates[one.name] = ("sample", space.draws()[one.name], {"units": one.unit} if one.unit else {})
        missing = int((status == "").sum())
        return xarray.Dataset(
            {
                **{
                    name: (dimensions, values, {"units": (units or {}).get(name, "")})
                    for name, values in results.items()
                },
                "status": (dimensions, status.astype(str)),
                "seed": (dimensions, seeds),
            },
            coords=coordinates,
            attrs={
                "points": len(space), "missing": missing, "failed": int((status != OK).sum()) - missing,
                "schema": SCHEMA,
            },
        )  # fmt: skip
