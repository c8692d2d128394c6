"""Where points are evaluated: in this process, in worker processes of this machine, or on somebody else's executor.

All of them take a number of points and give a future of their outcomes. Results do not depend on which it is.

A worker process here is disposable: it may be killed, hang or run out of memory without harm to the others, and it
ends by itself, with its simulators, when the process that started it is gone.
"""

import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.space import Point
from mtjspice.studies.subjects.base import Outcome, Subject

Outcomes = list[Outcome]
LEAST_MEMORY = 5e8  # bytes
_LAST_WORDS = 5.0  # s for a worker to end its simulators
_START_LIMIT = 180.0  # s; imports on a busy machine


class LostWorkerError(Exception):
    """The process that evaluated points died; the message says how."""


class Executor(Protocol):
    """What `concurrent.futures` calls an executor, of which no more than this is used."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Return a future with ``result``, ``add_done_callback`` and ``cancel``."""


class Workers(Protocol):
    """Where points are evaluated; a context manager."""

    count: int

    def submit(self, points: Sequence[Point], limit: float) -> "Future[Outcomes]":
        """Evaluate points within ``limit`` s; the future fails with `LostWorkerError` or TimeoutError."""

    def __enter__(self) -> "Workers": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class InProcess:
    """In this process, one after the other."""

    count = 1

    def __init__(self, subject: Subject) -> None:
        self._session = subject.session()

    def __enter__(self) -> "InProcess":
        self._evaluate = self._session.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def submit(self, points: Sequence[Point], limit: float) -> "Future[Outcomes]":
        """See `Workers`; there is no time limit but the simulators' own."""
        future: Future[Outcomes] = Future()
        future.set_result(list(self._evaluate(points)))
        return future


class Elsewhere:
    """On an executor that somebody else has started: of processes, of Dask, of MPI."""

    def __init__(self, subject: Subject, executor: Executor, count: int) -> None:
        self._subject, self._executor, self.count = subject, executor, count

    def __enter__(self) -> "Elsewhere":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def submit(self, points: Sequence[Point], limit: float) -> "Future[Outcomes]":
        """See `Workers`; time limits are the simulators' own and the executor's."""
        future: Future[Outcomes] = self._executor.submit(evaluate, self._subject, tuple(points))
        return future


def evaluate(subject: Subject, points: Sequence[Point]) -> Outcomes:
    """What an executor is asked to do."""
    return subject.evaluate(points)


class LocalWorkers:
    """``count`` processes on this machine, each with at most ``memory`` bytes of data (as its simulators; Linux)."""

    def __init__(self, subject: Subject, count: int, memory: float | None = None) -> None:
        if count < 1:
            raise InputError(f"the number of workers must be at least 1, not {count}")
        check_memory(memory)
        self.count = count
        try:
            self._payload = pickle.dumps((subject, memory))
        except Exception as error:
            raise InputError(f"the study's subject cannot be sent to worker processes: {error}") from None
        self._tasks: SimpleQueue[tuple[tuple[Point, ...], float, Future[Outcomes]] | None] = SimpleQueue()
        self._workers = [_Worker(self._payload) for _ in range(count)]
        self._threads = [threading.Thread(target=self._serve, args=(one,), daemon=True) for one in self._workers]
        self._closing = False

    def __enter__(self) -> "LocalWorkers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        for worker in self._workers:
            self._tasks.put(None)
            worker.kill()
        for thread in self._threads:
            thread.join()

    def submit(self, points: Sequence[Point], limit: float) -> "Future[Outcomes]":
        """See `Workers`."""
        future: Future[Outcomes] = Future()
        self._tasks.put((tuple(points), limit, future))
        return future

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers that run."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def _serve(self, worker: "_Worker") -> None:
        while (task := self._tasks.get()) is not None:
            points, limit, future = task
            if self._closing or not future.set_running_or_notify_cancel():
                continue
            try:
                found = worker.evaluate(points, limit)
            except Exception as error:
                worker.kill()
                future.set_exception(error)
            else:
                future.set_result(found)
        worker.kill()


def check_memory(memory: float | None) -> None:
    """Refuse a bound (bytes) in which a worker process cannot live."""
    if memory is not None and memory < LEAST_MEMORY:
        raise InputError(f"a memory bound of {memory / 1e9:g} GB is too small; at least {LEAST_MEMORY / 1e9:g} GB")


class _Worker:
    """One process and the connection to it; it starts with the first points, and again after it was killed."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None else None

    def evaluate(self, points: Sequence[Point], limit: float) -> Outcomes:
        connection = self._connection or self._start()
        try:
            connection.send(points)
            if not connection.poll(limit):
                raise TimeoutError(f"exceeded the time limit of {limit:g} s")
            answer = connection.recv()
        except (EOFError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise LostWorkerError(self._ending()) from None
        if isinstance(answer, BaseException):
            raise answer
        outcomes: Outcomes = answer
        return outcomes

    def kill(self) -> None:
        """End the process and what it started; harmless if there is none. From any thread."""
        with self._lock:
            process, self._process = self._process, None
            connection, self._connection = self._connection, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(5.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if connection is not None:
            connection.close()

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        connection = Connection(ours.detach())
        with theirs, self._lock:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mtjspice.studies.workers", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C reaches the owner alone, which then ends this process
            )
            self._connection = connection
        try:
            connection.send(sys.path)
            connection.send_bytes(self._payload)
            if not connection.poll(_START_LIMIT):
                raise LostWorkerError("a worker process did not start")
            answer = connection.recv()
        except (EOFError, OSError):
            raise LostWorkerError(self._ending()) from None
        if isinstance(answer, BaseException):
            raise answer
        return connection

    def _ending(self) -> str:
        process = self._process
        if process is None:
            return "the worker process was ended"
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(5.0)
            how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
            return f"the worker process died ({how})"
        return "the worker process hung up"


# --- in the worker process ----------------------------------------------------------------------------------


def _main(descriptor: int) -> None:
    connection = Connection(descriptor)
    # the working folder is not where modules are looked for, unless the owner does
    sys.path[:] = connection.recv()
    try:
        subject, memory = pickle.loads(connection.recv_bytes())
    except Exception as error:
        message = f"the study's subject cannot be loaded in a worker process: {type(error).__name__}: {error}"
        connection.send(InputError(message))
        return
    _bound(memory)
    threading.Thread(target=_watch, args=(descriptor,), daemon=True).start()
    signal.signal(signal.SIGTERM, _terminated)
    with subject.session() as evaluate_points:
        connection.send(None)
        while True:
            try:
                points = connection.recv()
            except EOFError:
                return
            try:
                answer: Any = list(evaluate_points(points))
            except MtjspiceError as error:
                answer = error
            except MemoryError:
                answer = MtjspiceError("out of memory")
            except Exception as error:
                answer = MtjspiceError(f"{type(error).__name__}: {error}")
            connection.send(answer)


def _bound(memory: float | None) -> None:
    if memory is None:
        return
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (int(memory), resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _terminated(number: int, frame: object) -> None:
    raise SystemExit(1)  # simulators are ended on the way out


def _watch(descriptor: int) -> None:
    """End this process once the owner has gone, even in the middle of a point."""
    poll = select.poll()
    poll.register(descriptor, 0)  # hang-up only
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LAST_WORDS)  # compiled code does not hear signals
    os._exit(1)


if __name__ == "__main__":
    from mtjspice.studies import workers  # whose classes are those that are pickled

    workers._main(int(sys.argv[1]))
