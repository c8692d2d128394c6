"""Run one deck many times, with other parameters or seeds: several runs in one ngspice process, without its start-up.

Each process gets a control script in which every run is written out: set parameters and seed, reset, run, write,
forget. There are no loops and no variables of ngspice's own, which fail silently. What succeeded is read off what
arrived, run by run; a run whose vectors did not arrive is done again alone, where its log tells the reason. Results are
those of `batch.run_batch`, bit for bit, whatever the number of workers and the grouping.
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from math import isfinite
from pathlib import Path

from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.batch import DEFAULT_TIME_LIMIT, fetch, run_batch, run_process
from mtjspice.spice.engines import find_ngspice
from mtjspice.spice.raw import Vectors
from mtjspice.spice.text import number

GROUP = 100  # runs of one process: start-up is a hundredth of the time then
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*\Z")
_SEEDS = (1, 2**31 - 1)


class Status(Enum):
    """How a run ended; only `OK` has vectors."""

    OK = "ok"
    DIVERGED = "diverged"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    BAD_DECK = "bad deck"


# what the error of a run that was done alone says
_REASONS = (
    (re.compile(r"exceeded its time limit"), Status.TIMED_OUT),
    (re.compile(r"crashed"), Status.CRASHED),
    (re.compile(r"transient broke down|no convergence|transient stopped|not finite"), Status.DIVERGED),
)


@dataclass(frozen=True)
class Variant:
    """Values of the deck's ``.param`` names, and the seed of what it draws (mismatch, ``gauss``); None: not set."""

    parameters: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if not _PARAMETER.match(name):
                raise InputError(f"{name!r} is no name of a parameter; allowed: a-z, 0-9 and _, a letter first")
            if not isfinite(value):
                raise InputError(f"parameter {name} = {value!r} must be finite")
        if self.seed is not None and not _SEEDS[0] <= self.seed <= _SEEDS[1]:
            raise InputError(f"seed {self.seed} is out of range; allowed: {_SEEDS[0]} to {_SEEDS[1]}")

    def commands(self) -> list[str]:
        """What sets them, up to the reset that makes them effective."""
        seed = [] if self.seed is None else [f"setseed {self.seed}"]
        return [*(f"alterparam {name} = {number(value)}" for name, value in self.parameters.items()), *seed, "reset"]


@dataclass(frozen=True)
class Run:
    """How one variant ended: vectors by name (``time`` first) where it succeeded, else the reason and the log's end."""

    variant: Variant
    status: Status
    vectors: Vectors = field(default_factory=dict, repr=False)
    reason: str = ""
    log: tuple[str, ...] = field(default=(), repr=False)


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
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[Run]:
    """Run the transient of ``deck`` for every variant; yield the runs in order.

    ``deck`` (title first, no ``.control``) defines all parameters that variants set by ``.param`` lines. ``stop`` (s)
    is the end of its transient. ``workers`` processes work at a time, each on ``group`` runs; the time limit (s) holds
    for one run. Variants are taken as they are needed. ``progress`` gets the number of finished runs. Raises InputError
    for a parameter that the deck does not define, SimulatorError where ngspice cannot be started at all.
    """
    if group < 1 or workers < 1:
        raise InputError(f"group = {group} and workers = {workers} must be at least 1")
    engine = ngspice or find_ngspice()
    if len(engine.parts) > 1:  # the runs have folders of their own; a bare name is PATH's to find
        engine = engine.absolute()
    known = _parameters(deck)
    groups = _groups(iter(variants), group, known)

    def work(some: Sequence[Variant]) -> list[Run]:
        return _run_group(deck, some, stop, vectors, engine, time_limit)

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


def _parameters(deck: str) -> frozenset[str]:
    """Names that the deck's ``.param`` lines outside subcircuits define, in lower case."""
    inside, found = False, set()
    for line in deck.lower().splitlines():
        if line.startswith(".subckt"):
            inside = True
        elif line.startswith(".ends"):
            inside = False
        elif line.startswith(".param") and not inside:
            found.update(re.findall(r"([a-z]\w*)\s*=", line))
    return frozenset(found)


def _groups(variants: Iterator[Variant], size: int, known: frozenset[str]) -> Iterator[list[Variant]]:
    while some := list(islice(variants, size)):
        for variant in some:
            unknown = variant.parameters.keys() - known
            if unknown:
                raise InputError(f"the deck defines no parameter {', '.join(sorted(unknown))} by .param")
        yield some


def _run_group(
    deck: str, variants: Sequence[Variant], stop: float, vectors: Sequence[str], engine: Path, time_limit: float
) -> list[Run]:
    """Run variants in one process; what does not arrive is run alone."""
    with tempfile.TemporaryDirectory(prefix="mtjspice-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        (folder / "deck.cir").write_text(_script(deck, variants, vectors), encoding="utf-8")
        command = [str(engine), "-n", "-b", "deck.cir"]
        try:
            run_process(command, folder, time_limit * len(variants), "ngspice")
        except SimulatorError:
            if not any(folder.glob("*.raw")):
                _check_engine(engine)
        return [
            _arrived(folder / f"{k}.raw", variant, stop, vectors)
            or _alone(deck, variant, stop, vectors, engine, time_limit)
            for k, variant in enumerate(variants)
        ]


def _check_engine(engine: Path) -> None:
    """Raise SimulatorError for a simulator that cannot be started, which would fail every run alike."""
    with tempfile.TemporaryDirectory(prefix="mtjspice-") as temporary:
        run_process([str(engine), "--version"], Path(temporary), 60.0, "ngspice")


def _script(deck: str, variants: Sequence[Variant], vectors: Sequence[str]) -> str:
    lines = [line for line in deck.rstrip().splitlines() if line.strip().lower() != ".end"]
    control = ["set num_threads=1", "set filetype=binary"]
    control += [f"save {' '.join(vectors[k : k + 50])}" for k in range(0, len(vectors), 50)]
    for k, variant in enumerate(variants):
        # plots that are kept slow down every following run
        control += [*variant.commands(), "run", f"write {k}.raw", "destroy all"]
    return "\n".join([*lines, ".control", *control, "quit 0", ".endc", ".end"]) + "\n"


def _arrived(file: Path, variant: Variant, stop: float, vectors: Sequence[str]) -> Run | None:
    """The run, if all its vectors came up to the end, and are finite."""
    if not file.is_file():
        return None
    try:
        return Run(variant, Status.OK, fetch(file, vectors, stop, "", ""))
    except SimulatorError:
        return None


def _alone(deck: str, variant: Variant, stop: float, vectors: Sequence[str], engine: Path, time_limit: float) -> Run:
    """The run in a process of its own, which tells why it fails, if it does."""
    try:
        found = run_batch(
            deck, stop=stop, vectors=vectors, ngspice=engine, time_limit=time_limit, setup=variant.commands()
        )
    except SimulatorError as error:
        message = str(error)
        status = next((one for pattern, one in _REASONS if pattern.search(message)), Status.BAD_DECK)
        return Run(variant, status, reason=message, log=error.log)
    return Run(variant, Status.OK, found.vectors)
