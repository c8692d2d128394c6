"""Run one deck many times, with other parameters or seeds: several runs in one ngspice process, without its start-up.

Each process gets a control script in which every run is written out: set parameters and seed, reset, run, write,
forget. There are no loops and no variables of ngspice's own, which fail silently. What succeeded is read off what
arrived, run by run; a run whose vectors did not arrive is done again alone, where its log tells the reason. Results are
those of `batch.run_batch`, bit for bit, whatever the number of workers and the grouping.
"""

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.batch import DEFAULT_TIME_LIMIT, LOG_BYTES, OUTPUT, fetch, result_of, run_process, with_control
from mtjspice.spice.engines import find_ngspice
from mtjspice.spice.raw import Vectors
from mtjspice.spice.runs import IGNORED_CONDITION, Run, Status, Variant, status_of, suspicion

GROUP = 100  # runs of one process: start-up is a hundredth of the time then
_NO_MEMORY = re.compile(r"^.*(?:can't allocate|cannot allocate|out of memory|bad_alloc).*$", re.M | re.I)


@dataclass(frozen=True)
class Task:
    """What all runs have in common: the deck, the end of its transient (s), the vectors, the simulator and its bounds
    (s for a run, bytes for a process)."""  # fmt: skip

    deck: str
    stop: float
    vectors: tuple[str, ...]
    engine: Path
    time_limit: float
    memory: float | None = None


def run_many(
    deck: str,
    variants: Iterable[Variant],
    *,
    stop: float,
    vectors: Sequence[str],
    workers: int = 1,
    group: int = GROUP,
    ngspice: Path | None = None,
    time_limit: float = DEFAULT_TIME_LIMIT,
    memory: float | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[Run]:
    """Run the transient of ``deck`` for every variant; yield the runs in order.

    ``deck`` (title first, no ``.control``) defines all parameters that variants set by ``.param`` lines. ``stop`` (s)
    is the end of its transient. ``workers`` processes work at a time, each on ``group`` runs; the time limit (s) holds
    for one run, ``memory`` (bytes of address space, on Linux only) for one process: a run for which it is not enough
    is `Status.CRASHED`. Variants are taken as they are needed. ``progress`` gets the number of finished runs. Raises
    InputError for a parameter that the deck does not define, SimulatorError where ngspice cannot be started at all.
    """
    if group < 1 or workers < 1:
        raise InputError(f"group = {group} and workers = {workers} must be at least 1")
    if re.search(r"^\s*\.control\b", deck, re.M | re.I):
        raise InputError("a deck for run_many brings no .control block of its own")
    task = Task(deck, stop, tuple(vectors), find_engine(ngspice), time_limit, memory)
    groups = grouped(variants, group, defined_parameters(deck))
    return in_order(groups, lambda some: apart(some, lambda alike: _run_group(task, alike)), workers, progress)


def find_engine(ngspice: Path | None) -> Path:
    """The simulator, by a path that holds in the folders of the runs; a bare name is PATH's to find."""
    engine = ngspice or find_ngspice()
    return engine.absolute() if len(engine.parts) > 1 else engine


def in_order(
    groups: Iterator[list[Variant]],
    work: Callable[[list[Variant]], list[Run]],
    workers: int,
    progress: Callable[[int], None],
) -> Iterator[Run]:
    """Yield the runs that ``work`` makes of each group, in order; ``workers`` groups are worked on at a time."""
    done = 0
    with ThreadPoolExecutor(workers) as threads:
        try:
            # no more groups in flight than workers: variants may be many, results large
            waiting = [threads.submit(work, some) for some in islice(groups, workers)]
            while waiting:
                finished = waiting.pop(0).result()
                waiting += [threads.submit(work, some) for some in islice(groups, 1)]
                done += len(finished)
                progress(done)
                yield from finished
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise


def defined_parameters(deck: str) -> frozenset[str]:
    """Names that the deck's ``.param`` lines outside subcircuits define, in lower case."""
    inside, found = False, set()
    for line in re.sub(r"\n\s*\+", " ", deck.lower()).splitlines():
        if line.startswith(".subckt"):
            inside = True
        elif line.startswith(".ends"):
            inside = False
        elif line.startswith(".param") and not inside:
            found.update(re.findall(r"([a-z]\w*)\s*=", line))
    return frozenset(found)


def grouped(variants: Iterable[Variant], size: int, known: frozenset[str]) -> Iterator[list[Variant]]:
    """Take ``size`` variants at a time; InputError for a parameter that is not ``known``."""
    source = iter(variants)
    while some := list(islice(source, size)):
        for variant in some:
            unknown = variant.parameters.keys() - known
            if unknown:
                raise InputError(f"the deck defines no parameter {', '.join(sorted(unknown))} by .param")
        yield some


def apart(variants: Sequence[Variant], run: Callable[[list[Variant]], list[Run]]) -> list[Run]:
    """``run`` those that set the same names, seed or none, apart from others; the runs in order of the variants.

    In a process, what a variant sets stays set for those after it.
    """
    alike: dict[tuple[frozenset[str], bool], list[int]] = {}
    for k, variant in enumerate(variants):
        alike.setdefault((frozenset(variant.parameters), variant.seed is None), []).append(k)
    found: dict[int, Run] = {}
    for places in alike.values():
        found.update(zip(places, run([variants[k] for k in places]), strict=True))
    return [found[k] for k in range(len(variants))]


def _run_group(task: Task, variants: Sequence[Variant]) -> list[Run]:
    """Run variants in one process, and what did not arrive alone.

    Where the process did not come to its end, the run at which it stopped is done alone, those after it in a process of
    theirs.
    """
    found: list[Run] = []
    while len(found) < len(variants):
        rest = variants[len(found) :]
        arrived, ended = _run_process(task, rest)
        last = max((k for k, run in enumerate(arrived) if run), default=-1)
        # the first one after the last that arrived is the one that the process did not survive
        told = len(rest) if ended else last + 2
        found += [run or alone(task, variant) for run, variant in zip(arrived[:told], rest, strict=False)]
    return found


def _run_process(task: Task, variants: Sequence[Variant]) -> tuple[list[Run | None], bool]:
    """The runs of one process, None where they did not arrive, and whether the process came to its end."""
    with tempfile.TemporaryDirectory(prefix="mtjspice-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        (folder / "deck.cir").write_text(_script(task, variants), encoding="utf-8")

        def arrivals() -> int:
            return sum(1 for _ in folder.glob("*.raw"))

        begin = time.perf_counter()
        try:
            code, _ = run_process(
                [str(task.engine), "-n", "-b", "deck.cir"], folder, task.time_limit, "ngspice",
                alive=arrivals, memory=task.memory,
            )  # fmt: skip
        except SimulatorError:
            code = -1
            if not arrivals():
                check_engine(task.engine)
        seconds = (time.perf_counter() - begin) / max(1, arrivals())
        with (folder / "output.log").open("rb") as file:  # of a killed process too; the deck is read first
            about_deck = file.read(LOG_BYTES).decode(errors="replace")
        ignored = "\n".join(IGNORED_CONDITION.findall(about_deck))
        return [_arrived(folder, k, one, task, ignored, seconds) for k, one in enumerate(variants)], code == 0


def check_engine(engine: Path) -> None:
    """Raise SimulatorError for a simulator that cannot be started, which would fail every run alike."""
    with tempfile.TemporaryDirectory(prefix="mtjspice-") as temporary:
        run_process([str(engine), "--version"], Path(temporary), 60.0, "ngspice")


def _script(task: Task, variants: Sequence[Variant]) -> str:
    lines = [line for line in task.deck.rstrip().splitlines() if line.strip().lower() != ".end"]
    control = ["set num_threads=1", "set filetype=binary"]
    control += [f"save {' '.join(task.vectors[k : k + 50])}" for k in range(0, len(task.vectors), 50)]
    for k, variant in enumerate(variants):
        # each run has a log of its own; plots that are kept slow down every following run
        control += [*variant.commands(), f"run >& {k}.log", f"write {k}.raw", "destroy all"]
    return "\n".join([*lines, ".control", *control, "quit 0", ".endc", ".end"]) + "\n"


def _arrived(folder: Path, k: int, variant: Variant, task: Task, log: str, seconds: float) -> Run | None:
    """The run, if all its vectors came up to the end, and are finite. ``log`` is what concerns all runs."""
    file = folder / f"{k}.raw"
    if not file.is_file():
        return None
    try:
        vectors = fetch(file, task.vectors, task.stop, "", "")
    except SimulatorError:
        return None
    own = folder / f"{k}.log"
    if own.is_file() and own.stat().st_size:
        log += "\n" + own.read_text(encoding="utf-8", errors="replace")
    return _judged(variant, vectors, log, seconds)


def _judged(variant: Variant, vectors: Vectors, log: str, seconds: float) -> Run:
    """A complete run: `Status.OK`, or `Status.SUSPICIOUS` with the reason."""
    reason = suspicion(vectors, log)
    return Run(variant, Status.SUSPICIOUS if reason else Status.OK, vectors, reason, seconds=seconds)


def alone(task: Task, variant: Variant) -> Run:
    """The run in a process of its own, which tells why it fails, if it does."""
    with tempfile.TemporaryDirectory(prefix="mtjspice-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        script = with_control(task.deck, task.vectors, (), variant.commands())
        (folder / "deck.cir").write_text(script, encoding="utf-8")
        command = [str(task.engine), "-n", "-b", "deck.cir"]
        log, begin = "", time.perf_counter()
        try:
            code, log = run_process(command, folder, task.time_limit, "ngspice", memory=task.memory)
            found = result_of(folder / OUTPUT, code, log, task.vectors, task.stop)
        except SimulatorError as error:
            short = _NO_MEMORY.search(log or str(error))
            told = SimulatorError(f"ngspice ran out of memory: {short[0].strip()}", error.log) if short else error
            return Run(variant, status_of(told), reason=str(told), log=told.log, seconds=time.perf_counter() - begin)
        return _judged(variant, found.vectors, log, time.perf_counter() - begin)
