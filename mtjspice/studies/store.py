"""Results of a study on disk: every finished point at once and for good, whatever happens to the program afterwards.

One SQLite file in the study's folder. A point is one row, written in a transaction: it is there completely or not at
all. Rows are found by a key, the content hash of what the point is made of, so that a study that is run again, or is
extended, reuses what it finds. A failed point is a row as well, with its reason, the end of the log and the deck. The
plan says which key stands at which place of the study's space; rows that no plan names any more stay.

What is stored survives the death of the program at any moment. When the whole machine loses power, the last points
may be lost (the system has not written them yet), but never more than those, and what is there is whole.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from pathlib import Path
from struct import error as StructError  # noqa: N812
from struct import pack, unpack
from types import TracebackType
from typing import IO, Any

from mtjspice.errors import InputError, MtjspiceError

try:
    import fcntl
except ImportError:  # no locks of this kind on the system: nobody checks for a second writer
    fcntl = None  # type: ignore[assignment]

FILE = "points.sqlite"
LOCK = "lock"
SCHEMA = "mtjspice.study.2"
OK = "ok"
SUSPICIOUS = "suspicious"
MISSING = "missing"
LONGEST_STATUS = 16
_CHUNK = 10_000
_OWN = ("schema", "revision", "plan")
_FINISHED = f"('{OK}', '{SUSPICIOUS}')"

# Keys are long and in no order, so they stand in a table of their own. A plan gives them rising numbers in the order
# of its places: what is near in the space is near in the file, and a range of places is read from start to end.
_TABLES = (
    "create table about (name text primary key, value text not null) without rowid",
    "create table keys (id integer primary key, key text not null unique)",
    "create table columns (id integer primary key, names text not null unique)",
    "create table points (id integer primary key, status text not null, seed integer not null, columns integer, "
    "results blob, seconds real not null, reason text not null, given text not null)",
    "create table failures (id integer primary key, log text, deck blob)",
    "create table plan (place integer primary key, id integer not null)",
    f"insert into about values ('schema', '{SCHEMA}'), ('revision', '0'), ('plan', '')",
)
_ENCODER = json.JSONEncoder(default=lambda value: value.item())  # numpy's whole numbers are no int
_FIELDS = "keys.key, status, seed, names, results, seconds, reason, given, log, deck"
_DETAILS = "left join columns on columns.id = points.columns left join failures on failures.id = points.id"


@dataclass(frozen=True)
class Record:
    """One point: its key, how it ended, its seed, and its coordinates ``values`` (SI, or names).

    ``results`` (SI) has something only where ``status`` is "ok" or "suspicious"; for the others ``reason``, the last
    lines of the ``log`` and the ``deck`` say what happened. ``seconds`` is what the point took. InputError for results
    of a failed point, and for a status that is "missing" or longer than 16 characters.
    """

    key: str
    status: str
    seed: int
    values: Mapping[str, float | int | str] = field(default_factory=dict)
    results: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    log: tuple[str, ...] = ()
    deck: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < len(self.status) <= LONGEST_STATUS or self.status == MISSING:
            raise InputError(f"a point cannot have the status {self.status!r}")
        if self.results and not self.has_results:
            raise InputError(f"a point with the status {self.status!r} has no results")

    @property
    def has_results(self) -> bool:
        """Whether the point ended with results."""
        return self.status in (OK, SUSPICIOUS)


def content_key(**parts: object) -> str:
    """Return the hash of everything that determines a point: deck, card, engine, seed, measurements, version."""
    return sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


class Store:
    """The results in a folder; a context manager.

    One program at a time writes to a folder; any number may read it meanwhile with ``write=False``. All methods raise
    MtjspiceError where the file is damaged or cannot be written.
    """

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        """Open the store, or create it for writing.

        InputError for a folder that cannot be, that another program writes to, that has no store to read, or that
        holds something else.
        """
        self._lock: IO[bytes] | None = None
        if not write:
            self._database = open_to_read(folder)
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
            self._database = sqlite3.connect(folder / FILE, timeout=5.0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            self._unlock()
            raise InputError(f"cannot open a store of results in {folder}: {error}") from None
        except InputError:
            self._unlock()
            raise
        try:
            _prepare(self._database, folder / FILE)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and let others write."""
        self._database.close()
        self._unlock()

    def add(self, records: Iterable[Record]) -> None:
        """Store points, all of them or none; a point that is there already is replaced.

        Raises MtjspiceError where they cannot be written (a full disk): what was stored before is still there.
        """
        stored = list(records)
        with self._transaction() as database:
            columns = {names: _columns(database, names) for names in {tuple(one.results) for one in stored} if names}
            database.executemany("insert or ignore into keys (key) values (?)", ((one.key,) for one in stored))
            numbers = [
                database.execute("select id from keys where key = ?", (one.key,)).fetchone()[0] for one in stored
            ]
            database.executemany(
                "insert or replace into points values (?, ?, ?, ?, ?, ?, ?, ?)",
                (_row(number, one, columns) for number, one in zip(numbers, stored, strict=True)),
            )
            database.executemany("delete from failures where id = ?", ((number,) for number in numbers))
            database.executemany(
                "insert or replace into failures values (?, ?, ?)",
                (
                    (number, _text("\n".join(one.log)) if one.log else None, _packed(one.deck))
                    for number, one in zip(numbers, stored, strict=True)
                    if one.log or one.deck
                ),
            )

    def plan(self, keys: Iterable[str]) -> None:
        """Replace the plan: the key of every place, in the order of the space's points, the last dimension fastest."""
        digest = sha256()

        def numbered() -> Iterator[tuple[int, str]]:
            for place, key in enumerate(keys):
                digest.update(key.encode() + b"\n")
                yield place, key

        with self._transaction() as database:
            database.execute("create temporary table wanted (place integer primary key, key text not null)")
            database.executemany("insert into wanted values (?, ?)", numbered())
            (planned,) = database.execute("select value from about where name = 'plan'").fetchone()
            if planned != digest.hexdigest():
                database.execute("delete from plan")
                # numbers of points that were planned and never done are free again
                database.execute("delete from keys where id not in (select id from points)")
                database.execute("insert or ignore into keys (key) select key from wanted order by place")
                database.execute(
                    "insert into plan select place, id from wanted cross join keys using (key) order by place"
                )
                database.execute("update about set value = ? where name = 'plan'", (digest.hexdigest(),))
            database.execute("drop table wanted")

    def planned(self) -> int:
        """Return the number of places in the plan."""
        (count,) = self._rows("select count(*) from plan")[0]
        return int(count)

    def keys(self, *, failed: bool = False) -> frozenset[str]:
        """Keys of the points that have results; with ``failed`` those of all."""
        where = "" if failed else f" where status in {_FINISHED}"
        return frozenset(key for (key,) in self._rows(f"select key from points join keys using (id){where}"))

    def get(self, keys: Iterable[str]) -> dict[str, Record]:
        """Those of the points that are there, by their keys, in the order asked for."""
        query = (
            f"select {_FIELDS} from (select value as key from json_each(?)) as asked cross join keys using (key) "
            f"join points using (id) {_DETAILS}"
        )
        found: dict[str, Record] = {}
        rest = iter(keys)
        while chunk := list(islice(rest, _CHUNK)):
            found.update((one.key, one) for one in _records(self._rows(query, json.dumps(chunk))))
        return found

    def records(self) -> Iterator[Record]:
        """All points, planned or not, in the order in which they were first planned or stored; read as they are asked.

        Points that are stored while this goes on may be among them or not.
        """
        last = 0
        query = (
            f"select {_FIELDS}, points.id from points join keys using (id) {_DETAILS} "
            "where points.id > ? order by points.id limit ?"
        )
        while rows := self._rows(query, last, _CHUNK):
            last = rows[-1][-1]
            yield from _records(rows)

    def counts(self) -> dict[str, int]:
        """Number of places in the plan by status, "missing" for those that are not done."""
        query = f"select coalesce(status, '{MISSING}'), count(*) from plan left join points using (id) group by 1"
        return dict(self._rows(query))

    def failures(self, limit: int) -> list[tuple[int, Record]]:
        """The first ``limit`` places of the plan whose points failed, with those points."""
        query = (
            f"select {_FIELDS}, place from plan cross join points using (id) join keys using (id) {_DETAILS} "
            f"where status not in {_FINISHED} order by place limit ?"
        )
        rows = self._rows(query, limit)
        return [(row[-1], one) for row, one in zip(rows, _records(rows), strict=True)]

    def at(self, place: int) -> Record | None:
        """Return the point at a place of the plan, None where there is none."""
        query = f"select {_FIELDS} from plan join points using (id) join keys using (id) {_DETAILS} where place = ?"
        return next(_records(self._rows(query, place)), None)

    def about(self, name: str) -> str | None:
        """Return a text that was kept with ``set_about``, None where there is none."""
        rows = self._rows("select value from about where name = ?", name)
        return str(rows[0][0]) if rows else None

    def set_about(self, name: str, value: str) -> None:
        """Keep a text; InputError for a name that the store uses itself."""
        if name in _OWN:
            raise InputError(f"{name!r} is a name of the store itself; choose another")
        with self._transaction() as database:
            database.execute("insert or replace into about values (?, ?)", (name, _text(value)))

    def _rows(self, query: str, *values: object) -> list[Any]:
        with damage_is_reported():
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; the revision tells readers that something changed."""
        database = self._database
        try:
            database.execute("begin immediate")
            yield database
            database.execute("update about set value = value + 1 where name = 'revision'")
            database.execute("commit")
        except BaseException as error:
            if database.in_transaction:
                database.execute("rollback")
            if isinstance(error, sqlite3.Error):
                raise MtjspiceError(f"cannot store results: {error}") from None
            raise

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def open_to_read(folder: Path) -> sqlite3.Connection:
    """Open the store in a folder for reading, beside a writer if there is one; InputError where there is no store."""
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"there are no results in {folder}")
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        try:
            return _checked(sqlite3.connect(address, uri=True, timeout=5.0, isolation_level=None), path)
        except sqlite3.OperationalError:
            log = path.with_name(f"{FILE}-wal")
            if log.exists() and log.stat().st_size:
                raise
            # a folder that one may not write to: SQLite wants to put a file there, unless nobody else can write either
            return _checked(sqlite3.connect(f"{address}&immutable=1", uri=True, isolation_level=None), path)
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"cannot open a store of results in {folder}: {error}") from None


@contextmanager
def damage_is_reported() -> Iterator[None]:
    """Turn what SQLite says about a file that it cannot read into a MtjspiceError."""
    try:
        yield
    except (sqlite3.Error, zlib.error, StructError, ValueError) as error:
        raise MtjspiceError(f"cannot read the stored results: {error}") from None


def _lock(folder: Path) -> IO[bytes] | None:
    """Hold the folder for writing until the file that is returned is closed, or the program ends in whatever way."""
    handle = (folder / LOCK).open("ab")
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise InputError(f"{folder} is in use by another run") from None
    except OSError:
        handle.close()
        raise
    return handle


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    """Create the tables in an empty file, all at once; InputError for a file of something else."""
    try:
        if database.execute("select count(*) from sqlite_master").fetchone() != (0,):
            _check(database, path)
        # A log beside the file: a killed writer leaves it readable, and readers do not wait. "normal" leaves it to the
        # system when the log is on the disk: that outlives the program, and does not wait for the disk at every point.
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        database.execute("pragma cache_size = -65536")  # KiB: keys come in no order
        database.execute("begin immediate")
        if database.execute("select count(*) from sqlite_master").fetchone() == (0,):
            for table in _TABLES:
                database.execute(table)
        database.execute("commit")
    except sqlite3.Error as error:
        raise InputError(f"cannot open a store of results in {path.parent}: {error}") from None


def _checked(database: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        if database.execute("select count(*) from sqlite_master").fetchone() == (0,):
            raise InputError(f"there are no results in {path.parent}")
        _check(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection, path: Path) -> None:
    """InputError for a file of another version or of another program."""
    if not database.execute("select count(*) from sqlite_master where name = 'about'").fetchone()[0]:
        raise InputError(f"{path} has no results of a study in it")
    found = database.execute("select value from about where name = 'schema'").fetchone()
    if found != (SCHEMA,):
        raise InputError(f"{path} has results in the form {found[0] if found else ''!r}; this version reads {SCHEMA!r}")


def _columns(database: sqlite3.Connection, names: Sequence[str]) -> int:
    """The number that stands for names of results."""
    text = json.dumps(names)
    database.execute("insert or ignore into columns (names) values (?)", (text,))
    return int(database.execute("select id from columns where names = ?", (text,)).fetchone()[0])


def _row(number: int, one: Record, columns: Mapping[tuple[str, ...], int]) -> tuple[object, ...]:
    results = pack(f"<{len(one.results)}d", *one.results.values()) if one.results else None
    given = _ENCODER.encode(dict(one.values))
    return (
        number, one.status, int(one.seed), columns.get(tuple(one.results)), results, float(one.seconds),
        _text(one.reason), given,
    )  # fmt: skip


def _records(rows: Iterable[Sequence[Any]]) -> Iterator[Record]:
    """The points of rows that begin with ``_FIELDS``."""
    decoded: dict[str | None, list[str]] = {None: []}
    with damage_is_reported():
        for key, status, seed, names, results, seconds, reason, given, log, deck, *_ in rows:
            if names not in decoded:
                decoded[names] = json.loads(names)
            found = decoded[names]
            values = dict(zip(found, unpack(f"<{len(found)}d", results or b""), strict=True))
            lines = () if log is None else tuple(log.split("\n"))
            text = zlib.decompress(deck).decode("utf-8", "surrogateescape") if deck else ""
            yield Record(key, status, seed, json.loads(given), values, reason, lines, text, seconds)


def _packed(deck: str) -> bytes | None:
    return zlib.compress(deck.encode("utf-8", "surrogateescape")) if deck else None


def _text(text: str) -> str:
    """Return a text that a database takes: what a simulator printed need not be in any encoding."""
    return text.encode("utf-8", "backslashreplace").decode()
