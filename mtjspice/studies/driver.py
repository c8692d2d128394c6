"""Evaluating points, many at a time, and storing each as soon as it is there: what runs every study.

Points travel in groups that take some seconds, so that neither the way there and back counts nor much is lost if a
worker dies. A group whose worker died, hung or ran out of memory is split until the point that does it is alone.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from mtjspice.errors import InputError, MtjspiceError, SimulatorError
from mtjspice.spice.runs import Status
from mtjspice.studies import trim
from mtjspice.studies.space import Point
from mtjspice.studies.store import Record, Store
from mtjspice.studies.study import Study, keyed
from mtjspice.studies.subjects.base import Outcome, Subject
from mtjspice.studies.trim import Trimmed
from mtjspice.studies.workers import Elsewhere, Executor, InProcess, LocalWorkers, LostWorkerError, Workers

TIME_LIMIT = 600.0  # s for one point
GROUP_SECONDS = 3.0  # what a group of points is to take
LARGEST_GROUP = 500
_ATTEMPTS = 3  # of a point whose worker died: somebody may have killed it
_SLACK = 5.0  # s beyond the time limit of a point, for the simulator's own limit to come first
HOPELESS = 20  # points that fail from the beginning, after which a study ends
_POLL = 0.5  # s between looks at Ctrl-C while nothing happens

TRIMMED = "trimmed"  # what the store calls it

Keyed = tuple[str, Point]
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Summary:
    """What a run did: points of the study, how many of them were there before, evaluated now, and failed (now)."""

    points: int
    reused: int
    evaluated: int
    failed: int
    seconds: float


def run_study(
    study: Study, folder: Path | str, *, workers: int | None = None, executor: Executor | None = None,
    memory: float | None = None, time_limit: float = TIME_LIMIT, progress: Progress = lambda done: None,
) -> Summary:  # fmt: skip
    """Evaluate all points of a study that ``folder`` does not have yet, and those that failed there.

    ``workers`` processes of this machine do it, or this process (None), or an ``executor`` like those of
    `concurrent.futures` (Dask's client, MPI, loky; then ``workers`` is how many points groups it is to have at a time).
    ``memory`` (bytes) bounds each process, ``time_limit`` (s) holds for one point. ``progress`` is told the number of
    points that there are. Raises InputError for a folder that is in use, MtjspiceError where results cannot be stored,
    SimulatorError if the first points all fail with a deck that cannot be simulated; what was finished is there then,
    as after Ctrl-C or a crash.
    """
    begin = time.monotonic()
    study = replace(study, subject=study.subject.limited(time_limit))
    with Store(Path(folder)) as store, open_workers(study.subject, workers, executor, memory) as pool:
        trimmed = find_trim(study, store, pool, time_limit)
        keys = [key for key, _ in keyed(study.subject, study.points(trimmed))]
        store.plan(keys)
        done = store.keys()
        reused = sum(key in done for key in keys)
        progress(reused)
        missing = (one for one in keyed(study.subject, study.points(trimmed)) if one[0] not in done)
        failed = evaluated = 0
        for record in evaluate(missing, store, pool, time_limit):
            evaluated += 1
            failed += not record.has_results
            progress(reused + evaluated)
            if reused == 0 and evaluated == failed == HOPELESS and record.status == Status.BAD_DECK.value:
                raise SimulatorError(
                    f"the first {HOPELESS} points all failed, the last with: {record.reason}", record.log
                )
    return Summary(len(keys), reused, evaluated, failed, time.monotonic() - begin)


def find_trim(study: Study, store: Store, workers: Workers, time_limit: float) -> Trimmed:
    """Find what the study trims first, from stored points where they are there; the store remembers it."""
    if study.trim is None:
        return {}

    def results(point: Point) -> Mapping[str, float]:
        ((key, _),) = keyed(study.subject, [point])
        found = store.get([key]).get(key)
        if found is None or not found.has_results:
            (found,) = evaluate([(key, point)], store, workers, time_limit)
        if not found.has_results:
            raise SimulatorError(f"a point of the trim failed: {found.reason}", found.log)
        return found.results

    trimmed = trim.find(study.trim, study.space, results)
    store.set_about(TRIMMED, json.dumps([[list(chosen), value] for chosen, value in trimmed.items()]))
    return trimmed


def stored_trim(store: Store) -> Trimmed:
    """What `find_trim` has found in an earlier run; empty if there is none."""
    text = store.about(TRIMMED)
    return {tuple(chosen): float(value) for chosen, value in json.loads(text)} if text else {}


def open_workers(
    subject: Subject, workers: int | None, executor: Executor | None, memory: float | None
) -> AbstractContextManager[Workers]:
    """See `run_study`."""
    if executor is not None:
        return Elsewhere(subject, executor, workers or 2)
    return InProcess(subject) if workers is None else LocalWorkers(subject, workers, memory)


def evaluate(points: Iterable[Keyed], store: Store, workers: Workers, time_limit: float) -> Iterator[Record]:
    """Evaluate points, store each and then yield it, in the order in which they end."""
    source = iter(points)
    again: deque[list[Keyed]] = deque()
    attempts: dict[str, int] = {}
    arrived: SimpleQueue[tuple[Future[Any], list[Keyed], float]] = SimpleQueue()
    under_way: set[Future[Any]] = set()
    size = 1
    try:
        while True:
            while len(under_way) < 2 * workers.count:
                group = again.popleft() if again else list(islice(source, size))
                if not group:
                    break
                future = workers.submit([point for _, point in group], _limit(len(group), time_limit))
                under_way.add(future)
                future.add_done_callback(_teller(arrived, group))
            if not under_way:
                return
            future, group, seconds = _next(arrived)
            under_way.remove(future)
            try:
                outcomes: Sequence[Outcome] = future.result()
            except (BrokenExecutor, CancelledError) as error:
                raise MtjspiceError(f"the executor gave up: {error or type(error).__name__}") from None
            except InputError:
                raise
            except Exception as error:
                parts = _parts(group, error, attempts)
                again.extend(parts)
                if parts:
                    continue
                outcomes = [_lost(error)]
            records = [_record(*one, outcome) for one, outcome in zip(group, outcomes, strict=True)]
            store.add(records)
            size = _size(size, seconds, len(group), workers.count)
            yield from records
    finally:
        for future in under_way:
            future.cancel()


def _limit(count: int, time_limit: float) -> float:
    """How long a group may take. Groups are made to take some seconds; one that takes much longer is split."""
    return time_limit + _SLACK if count == 1 else 2 * time_limit + 3 * GROUP_SECONDS


def _teller(
    arrived: "SimpleQueue[tuple[Future[Any], list[Keyed], float]]", group: list[Keyed]
) -> Callable[["Future[Any]"], None]:
    begin = time.monotonic()
    return lambda future: arrived.put((future, group, time.monotonic() - begin))


def _next(
    arrived: "SimpleQueue[tuple[Future[Any], list[Keyed], float]]",
) -> tuple["Future[Any]", list[Keyed], float]:
    while True:  # a wait without an end would not hear Ctrl-C everywhere
        try:
            return arrived.get(timeout=_POLL)
        except Empty:
            continue


def _parts(group: list[Keyed], error: Exception, attempts: dict[str, int]) -> list[list[Keyed]]:
    """Halves of a group that could not be evaluated; of a single point itself, as long as it gets another attempt."""
    if len(group) > 1:
        middle = len(group) // 2
        return [group[:middle], group[middle:]]
    key = group[0][0]
    attempts[key] = attempts.get(key, 0) + 1
    return [group] if isinstance(error, LostWorkerError) and attempts[key] < _ATTEMPTS else []


def _lost(error: Exception) -> Outcome:
    status = Status.TIMED_OUT if isinstance(error, TimeoutError) else Status.CRASHED
    return Outcome(status, reason=f"{error}" or type(error).__name__)


def _record(key: str, point: Point, outcome: Outcome) -> Record:
    return Record(
        key=key, status=outcome.status.value, seed=point.seed, values=point.values, results=outcome.results,
        reason=outcome.reason, log=outcome.log, deck=outcome.deck, seconds=outcome.seconds,
    )  # fmt: skip


def _size(size: int, seconds: float, count: int, workers: int) -> int:
    """The size of the next groups, after one of ``count`` points that took ``seconds``, its wait included."""
    wanted = int(GROUP_SECONDS * count / max(seconds / 2, 1e-6))
    return max(1, min(wanted, 2 * size, LARGEST_GROUP))
