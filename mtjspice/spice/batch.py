"""Run one deck in a separate ngspice process and fetch vectors from it.

The process has a folder, a process group and a time limit of its own. Whether it succeeded is read off what arrived
(the vectors, all of them finite, up to the stop time), never off the exit code: ngspice returns 0 after a transient
that broke down, and 1 after good ones.
"""

import ctypes
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.engines import find_ngspice
from mtjspice.spice.private_ngspice import INSTALL_COMMAND, find_osdi_ngspice
from mtjspice.spice.raw import Vectors, read_raw

DEFAULT_TIME_LIMIT = 600.0  # s
TIME_TOLERANCE = 1e-6  # of the stop time, by which the last time point may miss it
LOG_LINES = 20
LOG_BYTES = 200_000  # the part of a log that is searched for causes, at either end
OLDEST_OSDI = (0, 4)  # that ngspice 43 and later take
OUTPUT = "output.raw"
_FINISHED = "mtjspice: the deck was run"
_SETPRIV = "setpriv"
_LONGEST_WAIT = 3600.0  # s, in one call

# what the log says -> what the error says; the first that is found names the cause
_CAUSES = (
    (re.compile(r"^.*osdi: no such command.*$", re.M | re.I), f"this ngspice has no OSDI; {INSTALL_COMMAND}"),
    (re.compile(r"^Error: Library .* couldn't be loaded!?", re.M), "a compiled model does not load"),
    (re.compile(r"^.*timestep too small.*$", re.M | re.I), "the transient broke down"),
    (re.compile(r"^.*(?:singular matrix|no convergence|iteration limit).*$", re.M | re.I), "no convergence"),
    (re.compile(r"^.*(?:unrecognized|unknown) parameter.*$", re.M | re.I), "the netlist was refused"),
    (re.compile(r"^Unknown model type .*$", re.M | re.I), "the netlist was refused"),
    (re.compile(r"^.*could not find a valid modelname.*$", re.M | re.I), "the netlist was refused"),
    (re.compile(r"^Warning: .* is not a valid .* ignored!$", re.M), "the netlist was refused"),
    (re.compile(r"^Undefined parameter .*$", re.M), "the netlist was refused"),
    (re.compile(r"^.*vector \S+ is not available.*$", re.M), "a vector is missing"),
    (re.compile(r"^.*no data saved for.*$", re.M), "none of the vectors exists"),
    (re.compile(r"^.*(?:error on line|fatal error|circuit not parsed).*$", re.M | re.I), "the netlist was refused"),
    (re.compile(r"^Error.*$", re.M), "the netlist was refused"),
)
_PROGRESS = re.compile(r"(?:\s*Reference value :\s+\S+)+?(?=\s|[A-Za-z]|$)")  # that ngspice writes between other lines
# A run that goes on after one of these did not simulate what the deck says. (Parameters that a model does not know are
# not among them: foundries' model cards have some.)
_SERIOUS = (*_CAUSES[:2], _CAUSES[7])


@dataclass(frozen=True)
class BatchResult:
    """Vectors by their names in lower case (``time`` first), the log and the engine, such as "ngspice-44.2"."""

    vectors: Vectors
    log: tuple[str, ...]
    engine: str

    def real(self, name: str) -> NDArray[np.float64]:
        """Return a vector of a transient or a sweep."""
        vector = self.vectors[name.lower()]
        if np.iscomplexobj(vector):
            raise InputError(f"the vector {name} is complex")
        return np.asarray(vector, dtype=np.float64)


def run_batch(
    deck: str,
    *,
    stop: float | None,
    vectors: Sequence[str],
    ngspice: Path | None = None,
    osdi: Sequence[Path] = (),
    files: Mapping[str, str | bytes] | None = None,
    time_limit: float = DEFAULT_TIME_LIMIT,
    setup: Sequence[str] = (),
) -> BatchResult:
    """Run a deck (title first, with its analysis line, without ``.control``) and return ``vectors`` of it.

    ``stop`` (s) is the end of the transient, None for another analysis. ``osdi`` are compiled Verilog-A models to
    load, ``files`` is written into the folder of the run, ``setup`` are commands before ``run`` (such as
    ``option trtol=1``). ``ngspice`` defaults to one with OSDI where a model is to be loaded, else to the usual one.
    Raises SimulatorError (with the last lines of the log) that names the cause where the run fails.
    """
    if re.search(r"^\s*\.control\b", deck, re.M | re.I):
        raise InputError("a deck for run_batch brings no .control block of its own")
    engine = ngspice or (find_osdi_ngspice() if osdi else find_ngspice())
    if len(engine.parts) > 1:  # the run has a folder of its own; a bare name is PATH's to find
        engine = engine.absolute()
    with tempfile.TemporaryDirectory(prefix="mtjspice-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        models = link_models(folder, osdi)
        for name, content in (files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        (folder / "deck.cir").write_text(with_control(deck, vectors, models, setup), encoding="utf-8")
        code, log = run_process([str(engine), "-n", "-b", "deck.cir"], folder, time_limit, "ngspice")
        return result_of(folder / OUTPUT, code, log, vectors, stop)


def link_models(folder: Path, osdi: Sequence[Path]) -> list[str]:
    """Link compiled models into the folder of a run under names without blanks or capitals, and return these.

    SimulatorError for a model that this machine cannot load, or of a version of OSDI that simulators misread:
    ngspice itself does not notice.
    """
    names = []
    for number, model in enumerate(osdi):
        if not model.is_file():
            raise InputError(f"the compiled model {model} does not exist")
        major, minor = _osdi_version(model)
        if (major, minor) < OLDEST_OSDI or major > OLDEST_OSDI[0]:
            oldest = ".".join(map(str, OLDEST_OSDI))
            raise SimulatorError(
                f"the compiled model {model} is of OSDI {major}.{minor}; needed: {oldest} or a later one before 1.0 "
                "(compile it again: mtjspice models compile)"
            )
        names.append(f"model{number}.osdi")
        (folder / names[-1]).symlink_to(model.absolute())
    return names


def _osdi_version(model: Path) -> tuple[int, int]:
    try:
        library = ctypes.CDLL(str(model.absolute()))
        major, minor = (ctypes.c_uint32.in_dll(library, f"OSDI_VERSION_{part}").value for part in ("MAJOR", "MINOR"))
    except OSError as error:
        raise SimulatorError(f"a compiled model does not load on this machine: {error}") from None
    except ValueError:
        raise SimulatorError(f"{model} is a library, but no compiled model: it states no version of OSDI") from None
    return major, minor


def with_control(deck: str, vectors: Sequence[str], models: Sequence[str], setup: Sequence[str]) -> str:
    """Add to a deck what loads compiled ``models``, sets it up, runs it, and writes ``vectors`` to `OUTPUT`."""
    lines = [line for line in deck.rstrip().splitlines() if line.strip().lower() != ".end"]
    control = [
        ".control",
        "set num_threads=1",  # threads of two processes would wait for each other
        "set filetype=binary",
        *(f"pre_osdi {name}" for name in models),
        *setup,
        *(f"save {' '.join(vectors[k : k + 50])}" for k in range(0, len(vectors), 50)),
        "run",
        f"write {OUTPUT}",  # what was saved; ngspice takes some thousand names at most
        f"echo {_FINISHED}",
        "quit 0",
        ".endc",
        ".end",
    ]
    return "\n".join([*lines, *control]) + "\n"


def result_of(output: Path, code: int, log: str, vectors: Sequence[str], stop: float | None) -> BatchResult:
    """Read what a process has left: raw file, exit code and log; SimulatorError with the cause where it failed."""
    lines = tuple(log.splitlines())
    if code < 0:
        raise SimulatorError(f"ngspice crashed ({_signal(-code)}){_clause(log)}", lines[-LOG_LINES:])
    wrong = cause(log, _SERIOUS)
    if wrong:
        raise SimulatorError(wrong, lines[-LOG_LINES:])
    if not output.exists():
        known = cause(log, _CAUSES)
        raise SimulatorError(known or f"ngspice wrote no vectors (exit code {code})", lines[-LOG_LINES:])
    version = re.search(r"ngspice-\d[\w.+]*", log)
    return BatchResult(
        fetch(output, vectors, stop, log, cause(log, _CAUSES)), lines, version[0] if version else "ngspice"
    )


def cause(log: str, causes: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """Return the first known cause that a log tells, with its line; empty if it tells none."""
    for pattern, meaning in causes:
        found = pattern.search(log)
        if found is not None:
            return f"{meaning}: {_PROGRESS.sub(' ', found[0]).strip()}"
    return ""


def _clause(log: str) -> str:
    known = cause(log, _CAUSES)
    return f": {known}" if known else ""


def fetch(output: Path, vectors: Sequence[str], stop: float | None, log: str, known: str) -> Vectors:
    """Read the asked vectors from a raw file; SimulatorError unless they are all there, finite and up to ``stop``.

    ``known`` is the cause that the log tells for anything that is missing.
    """
    tail = log.splitlines()[-LOG_LINES:]
    because = f" ({known})" if known else ""
    try:
        everything = read_raw(output)
    except SimulatorError as error:
        raise SimulatorError(f"{error}{because}", tail) from None
    scale = next(iter(everything))
    found: Vectors = {scale: everything[scale]}
    for name in vectors:
        vector = next((everything[key] for key in _spellings(name) if key in everything), None)
        if vector is None:
            raise SimulatorError(f"the simulation has no vector {name!r}{because}", tail)
        found[name.lower()] = vector
    for name, vector in found.items():
        if not np.all(np.isfinite(vector)):
            raise SimulatorError(f"the vector {name!r} is not finite throughout{because}", tail)
    if stop is not None:
        if scale != "time":
            raise SimulatorError(f"no transient was run{because}", tail)
        reached = float(np.real(found[scale][-1]))
        if abs(reached - stop) > TIME_TOLERANCE * stop:
            raise SimulatorError(f"the transient stopped at {reached:g} s instead of {stop:g} s{because}", tail)
    return found


def _spellings(name: str) -> tuple[str, ...]:
    """Names under which a raw file may have a vector: ``v(a)`` or ``a``, ``i(v1)`` or ``v1#branch``."""
    lower = name.lower()
    inner = lower[2:-1] if lower[:2] in ("v(", "i(") and lower.endswith(")") else lower
    if lower.startswith("i("):
        return lower, f"{inner}#branch", f"{inner}:flow(br)"
    return lower, inner, f"v({inner})"


def run_process(
    command: list[str],
    folder: Path,
    time_limit: float,
    name: str,
    *,
    alive: Callable[[], object] | None = None,
    memory: float | None = None,
) -> tuple[int, str]:
    """Run a simulator in ``folder`` to its end and return its exit code (negative: the signal) and what it printed.

    It is killed with its process group when the time (s) is up (SimulatorError) or at any exception (Ctrl-C). The time
    starts anew whenever the value of ``alive()`` changes, where this is given. ``memory`` (bytes) bounds the address
    space of the process. On Linux only: this bound, and that the process dies with the one that started it.
    """
    log = folder / "output.log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                _dying_with_parent(command),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # without a home folder ngspice 39 crashes
                env={"HOME": str(folder), **os.environ, "OMP_NUM_THREADS": "1", "LC_ALL": "C"},
                start_new_session=True,
            )
    except OSError as error:
        raise SimulatorError(f"cannot run {command[0]}: {error.strerror or error}") from None
    try:
        _bound_memory(process, memory)
        code = _wait(process, time_limit, alive)
    except subprocess.TimeoutExpired:
        _kill(process)
        message = f"{name} exceeded its time limit of {time_limit:g} s and was stopped"
        raise SimulatorError(message, _read_log(log).splitlines()[-LOG_LINES:]) from None
    except BaseException:
        _kill(process)
        raise
    text = _read_log(log)
    if code in (126, 127) and text.startswith(f"{_SETPRIV}:"):
        raise SimulatorError(f"cannot run {command[0]}: {text.strip().rpartition(': ')[2]}")
    return code, text


def _dying_with_parent(command: list[str]) -> list[str]:
    """The command, killed by the system when the thread that starts it ends without having waited for it.

    A program of util-linux asks for this and becomes the simulator, in a millisecond: what runs between fork and exec
    in Python may wait for ever for another thread.
    """
    if sys.platform != "linux" or shutil.which(_SETPRIV) is None or shutil.which(command[0]) is None:
        return command
    return [_SETPRIV, "--pdeathsig", "KILL", "--", *command]


def _bound_memory(process: subprocess.Popen[bytes], memory: float | None) -> None:
    if memory is not None and sys.platform == "linux":
        with suppress(ProcessLookupError):  # it has ended
            resource.prlimit(process.pid, resource.RLIMIT_AS, (int(memory), int(memory)))


def _wait(process: subprocess.Popen[bytes], time_limit: float, alive: Callable[[], object] | None) -> int:
    """Wait for the end; TimeoutExpired after ``time_limit`` (s) in which ``alive()`` did not change."""
    seen = alive() if alive else None
    deadline = time.monotonic() + time_limit
    pause = 0.005
    with _end_of(process) as ended:
        while not ended(max(0.0, min(pause if alive else _LONGEST_WAIT, deadline - time.monotonic()))):
            now = alive() if alive else None
            if now != seen:
                seen, deadline = now, time.monotonic() + time_limit
            elif time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(process.args, time_limit)
            pause = min(2 * pause, 0.05)
    return process.wait()


@contextmanager
def _end_of(process: subprocess.Popen[bytes]) -> Iterator[Callable[[float], bool]]:
    """Give a function that waits some seconds (at most) for the end of a process and tells whether it came.

    Popen.wait polls, and sees the end of a short run too late by a half of its time; Linux tells it at once.
    """

    def polled(seconds: float) -> bool:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    try:
        descriptor = os.pidfd_open(process.pid) if sys.platform == "linux" else -1
    except OSError:  # a kernel before 5.3
        descriptor = -1
    if descriptor < 0:
        yield polled
        return
    try:
        told = select.poll()
        told.register(descriptor, select.POLLIN)
        yield lambda seconds: bool(told.poll(seconds * 1e3))
    finally:
        os.close(descriptor)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read_log(path: Path) -> str:
    """Return the log, without the middle where it is long."""
    with path.open("rb") as file:
        size = path.stat().st_size
        if size <= 2 * LOG_BYTES:
            return file.read().decode(errors="replace")
        start = file.read(LOG_BYTES)
        file.seek(size - LOG_BYTES)
        return start.decode(errors="replace") + "\n[...]\n" + file.read().decode(errors="replace")


def _signal(number: int) -> str:
    try:
        return f"signal {signal.Signals(number).name}"
    except ValueError:
        return f"signal {number}"
