"""Running experiments in worker processes; each section is stored by its worker as soon as it is finished."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from mtjspice.errors import InputError, MtjspiceError, choose
from mtjspice.papers import store
from mtjspice.papers.catalogue import PAPERS, paper_of
from mtjspice.papers.experiment import Context, Experiment, Paper
from mtjspice.papers.store import Stored
from mtjspice.spice.runs import Status
from mtjspice.studies.space import Point, Value
from mtjspice.studies.subjects.base import Dimension, Evaluate, Outcome, Subject
from mtjspice.studies.workers import LocalWorkers, LostWorkerError

TIME_LIMIT = 3600.0  # s for one experiment
LARGEST_SEED = 2**31 - 1
_POLL = 0.5  # s between looks at Ctrl-C
_Task = tuple[Paper, Experiment]


@dataclass(frozen=True)
class Report:
    """What a run did: ``made`` sections now, ``kept`` earlier ones; ``left_out`` and ``failed`` with their reasons."""

    made: tuple[str, ...]
    kept: tuple[str, ...]
    left_out: Mapping[str, str]
    failed: Mapping[str, str]


def chosen(papers: Sequence[str], only: Sequence[str]) -> list[_Task]:
    """Experiments of papers, or ``only`` some, named experiment or paper/experiment; InputError for unknown ones."""
    tasks = [(paper, one) for paper in map(paper_of, papers) for one in paper.experiments]
    known = {name_of(*task) for task in tasks} | {one.key for _, one in tasks}
    for name in only:
        choose("experiment", name, known)
    return [(paper, one) for paper, one in tasks if not only or {one.key, name_of(paper, one)} & set(only)]


def reproduce(
    tasks: Sequence[_Task],
    folder: Path,
    *,
    quick: bool,
    seed: int,
    resume: bool = False,
    workers: int = 2,
    progress: Callable[[float, str], None] = lambda done, name: None,
) -> Report:
    """Run experiments and store their sections in ``folder``; with ``resume``, what is there already is kept.

    What cannot be run for want of data or of a module is left out; what fails does not stop the others. Neither takes
    the place of a section that is there.
    """
    if not 1 <= seed <= LARGEST_SEED:
        raise InputError(f"the seed {seed} must lie between 1 and {LARGEST_SEED}")
    kept, left_out, todo = [], {}, []
    for paper, experiment in tasks:
        name, path = name_of(paper, experiment), store.path_of(folder, paper.key, experiment.key)
        store.load(path)  # a damaged file is found out before anything is computed
        missing = experiment.missing()
        if resume and store.finished(path, store.key_of(paper.key, experiment, quick, seed)):
            kept.append(name)
        elif missing:
            left_out[name] = missing
            store.save(path, Stored(None, f"left out: {missing}", quick, seed))
        else:
            todo.append((paper, experiment))
    todo.sort(key=lambda task: -task[1].minutes[0 if quick else 1])  # long ones first, so that the end is even
    failed: dict[str, str] = {}
    total = sum(_minutes(one, quick) for _, one in todo)
    done = 0.0
    with LocalWorkers(_Sections(str(folder), quick, seed), max(1, min(workers, len(todo)))) as pool:
        pending = {pool.submit([_point(*task)], TIME_LIMIT): task for task in todo}
        while pending:
            ended, _ = wait(pending, _POLL, FIRST_COMPLETED)
            if not ended:
                progress(done, "")
            for future in ended:
                paper, experiment = pending.pop(future)
                name = name_of(paper, experiment)
                reason = _reason(future)
                if reason:
                    failed[name] = reason
                    path = store.path_of(folder, paper.key, experiment.key)
                    store.save(path, Stored(None, f"failed: {reason}", quick, seed))
                done += _minutes(experiment, quick) / total
                progress(done, name)
    made = tuple(name_of(*task) for task in todo if name_of(*task) not in failed)
    return Report(made, tuple(kept), left_out, failed)


def name_of(paper: Paper, experiment: Experiment) -> str:
    """An experiment's name, as meram/energy."""
    return f"{paper.key}/{experiment.key}"


def _minutes(experiment: Experiment, quick: bool) -> float:
    return experiment.minutes[0 if quick else 1]


def context_of(name: str, quick: bool, seed: int) -> Context:
    """Every experiment has a seed of its own, which does not depend on what else is run."""
    digest = sha256(f"{name} {seed}".encode()).digest()
    return Context(quick, 1 + int.from_bytes(digest[:8], "big") % LARGEST_SEED)


def _point(paper: Paper, experiment: Experiment) -> Point:
    return Point((), {"paper": paper.key, "experiment": experiment.key}, 0)


def _reason(future: "Future[list[Outcome]]") -> str:
    try:
        (outcome,) = future.result()
    except (LostWorkerError, TimeoutError, MtjspiceError) as error:
        return str(error) or type(error).__name__
    return outcome.reason


@dataclass(frozen=True)
class _Sections(Subject):
    """What a worker process does: run the experiment that a point names, and store its section."""

    folder: str
    quick: bool
    seed: int

    def dimension(self, name: str) -> Dimension:
        """See `Subject`."""
        return Dimension("")

    def identity(self, values: Mapping[str, Value]) -> Mapping[str, object]:
        """See `Subject`."""
        return {}

    @contextmanager
    def session(self) -> Iterator[Evaluate]:
        """See `Subject`."""
        yield partial(map, self._run)

    def _run(self, point: Point) -> Outcome:
        paper = PAPERS[str(point.values["paper"])]()
        experiment = paper.experiment(str(point.values["experiment"]))
        context = context_of(name_of(paper, experiment), self.quick, self.seed)
        begin = time.monotonic()
        try:
            section = experiment.run(context)
            if {plate.key for plate in section.plates} != set(experiment.draw):
                raise ValueError(f"figures {[p.key for p in section.plates]}, but {list(experiment.draw)} can be drawn")
        except MtjspiceError as error:
            return Outcome(Status.CRASHED, reason=str(error))
        except Exception as error:  # the others go on; where it happened must not be lost
            traceback.print_exc(file=sys.stderr)
            return Outcome(Status.CRASHED, reason=f"{type(error).__name__}: {error}")
        key = store.key_of(paper.key, experiment, self.quick, self.seed)
        found = Stored(section, "", self.quick, self.seed, time.monotonic() - begin, key)
        store.save(store.path_of(Path(self.folder), paper.key, experiment.key), found)
        return Outcome(Status.OK)


def summary(tasks: Sequence[_Task], folder: Path) -> dict[str, Any]:
    """Every finding of the stored sections of experiments, as plain types for JSON."""
    found: dict[str, Any] = {}
    for paper, experiment in tasks:
        sections = found.setdefault(paper.key, {})
        stored = store.load(store.path_of(folder, paper.key, experiment.key))
        if stored is not None:
            sections[experiment.key] = {
                "missing": stored.missing, "quick": stored.quick, "seed": stored.seed, "seconds": stored.seconds,
                "findings": [one.as_dict() for one in stored.section.findings] if stored.section else [],
            }  # fmt: skip
    return found
