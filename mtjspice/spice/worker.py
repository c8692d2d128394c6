"""The disposable process that hosts libngspice, and its owner's side.

libngspice may crash, hang or be poisoned by a bad netlist. It therefore lives in a child process that takes
`CosimJob`s over a socket; whatever happens to it becomes a `SimulatorError` in the owner, and the next job
gets a fresh process. Within a healthy process jobs follow each other without a restart.
"""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mtjspice.errors import MtjspiceError, SimulatorError
from mtjspice.spice.jobs import CosimJob, CosimResult

if TYPE_CHECKING:  # the owner needs neither numba nor the library
    from mtjspice.spice.bank import Bank
    from mtjspice.spice.libngspice import NgSpice

DEFAULT_TIME_LIMIT = 600.0  # s per transient
START_TIME_LIMIT = 180.0  # s; the callbacks are compiled on the very first start
END_TIME_LIMIT = 5.0  # s for a process that has hung up to end
TIME_TOLERANCE = 1e-3  # of the stop time, by which the last time point may miss it
OUTPUT_LIMIT = 1 << 24  # bytes that the process may print, or write to any file
LOG_BYTES = 20_000  # of what the process printed, kept if it dies
LOG_LINES = 20
FOLDER_PREFIX = "mtjspice-"


class CosimWorker:
    """Owner of one worker process; a context manager. ``library`` is the path of libngspice.

    The process starts with the first job, and again with the first job after an error. One thread at a time may
    use a worker; only `stop` may come from another one. ``time_limit`` (s) holds for each transient.
    """

    def __init__(self, library: Path, time_limit: float = DEFAULT_TIME_LIMIT) -> None:
        # the process has a folder of its own; a bare name is the loader's to find
        self._library = library.absolute() if len(library.parts) > 1 else library
        self._time_limit = time_limit
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._busy = False
        self._stopped = False
        self._lock = threading.Lock()  # between starting and stopping

    def __enter__(self) -> "CosimWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the worker process; None while there is none."""
        return self._process.pid if self._process is not None else None

    def run(self, job: CosimJob) -> Iterator[CosimResult]:
        """Yield the results of a job run by run; SimulatorError (with the last lines of the log) if one fails.

        Leaving the iterator before its end ends the process.
        """
        if self._busy:
            raise RuntimeError("the worker has not finished its previous job")
        self._busy = True
        missing = len(job.seeds)
        try:
            connection = self._ready()
            try:
                connection.send(job)
            except OSError:
                raise self._died() from None
            for _ in job.seeds:
                result = self._receive(connection, self._time_limit, "the simulation")
                missing -= 1
                self._busy = missing > 0
                yield result
        finally:
            if missing:  # an error, Ctrl-C or an abandoned iterator: answers may still be under way
                self._busy = False
                self._end()

    def stop(self) -> None:
        """End the process from another thread, for good until `close`: `run` raises SimulatorError."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process at once; harmless when there is none. The worker can be used again."""
        self._end()
        self._stopped = False

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._connection is not None:
            self._connection.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._connection = self._folder = None

    def _ready(self) -> Connection:
        """Return the connection to a living process."""
        if self._process is not None and self._process.poll() is not None:
            self._end()  # it died between two jobs
        return self._connection or self._start()

    def _start(self) -> Connection:
        self._folder = tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX, ignore_cleanup_errors=True)
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        command = [sys.executable, "-m", "mtjspice.spice.worker", str(theirs.fileno()), str(self._library)]
        with theirs, self._output.open("ab") as output, self._lock:
            if self._stopped:
                raise _stopped()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder.name,  # BSIM4 leaves files behind
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C reaches the owner alone, which then ends this process
            )
        self._receive(self._connection, START_TIME_LIMIT, "the start of libngspice")
        return self._connection

    @property
    def _output(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "output.log"

    def _receive(self, connection: Connection, time_limit: float, what: str) -> Any:
        try:
            if not connection.poll(time_limit):
                raise SimulatorError(f"{what} exceeded its time limit of {time_limit:g} s and was stopped", self._log())
            answer = connection.recv()
        except (EOFError, ConnectionError):
            raise self._died() from None
        if isinstance(answer, MtjspiceError):
            raise answer  # `run` ends the process: after an error libngspice is not to be trusted
        return answer

    def _died(self) -> SimulatorError:
        assert self._process is not None
        try:
            code = self._process.wait(END_TIME_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if self._stopped:
            return _stopped()
        return SimulatorError(f"the libngspice process died ({_ending(code)})", self._log())

    def _log(self) -> list[str]:
        """Return the last lines that the process printed during this job."""
        with suppress(OSError), self._output.open("rb") as file:
            file.seek(max(0, self._output.stat().st_size - LOG_BYTES))
            return file.read().decode(errors="replace").splitlines()[-LOG_LINES:]
        return []


def _stopped() -> SimulatorError:
    return SimulatorError("the simulation was stopped")


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


# --- in the worker process ----------------------------------------------------------------------------------


def _serve(connection: Connection, library: Path) -> None:
    """Answer jobs until the owner hangs up."""
    from mtjspice.spice.bank import Bank
    from mtjspice.spice.libngspice import NgSpice

    simulator = NgSpice(library)
    version = simulator.version()
    connection.send(version)
    while True:
        try:
            job: CosimJob = connection.recv()
        except EOFError:
            return
        with suppress(OSError):  # the output of one job is enough
            os.ftruncate(sys.stdout.fileno(), 0)
        simulator.load(job.deck)
        for seed, initial in zip(job.seeds, job.initial, strict=True):
            bank = Bank(
                job.junctions, job.rows, initial, seed, job.capacity, active_step=job.active_step, keep=job.keep
            )
            simulator.run(bank)
            connection.send(_result(simulator, bank, job, seed, version))
            simulator.command("destroy all")
        simulator.command("remcirc")


def _result(simulator: "NgSpice", bank: "Bank", job: CosimJob, seed: int, version: str) -> CosimResult:
    times, recorded = bank.recorded()
    reached = float(times[-1]) if len(times) else 0.0
    if abs(reached - job.stop) > TIME_TOLERANCE * job.stop:
        cause = simulator.cause()
        raise SimulatorError(
            f"the transient stopped at {reached:g} s instead of {job.stop:g} s{f': {cause}' if cause else ''}",
            simulator.log[-20:],
        )
    return CosimResult(
        seed=seed,
        times=times,
        voltages=recorded[:, :, 0],
        trajectory=recorded[:, :, 1:4],
        rises=recorded[:, :, 4],
        magnetization=bank.magnetization,
        energies=bank.energies,
        vectors=simulator.vectors(("time", *job.vectors)) if job.vectors else {},
        coupling_error=bank.coupling_error,
        tangent_error=bank.tangent_error,
        attempts=bank.attempts,
        engine=version,
    )


def _watch(descriptor: int) -> None:
    """End this process once the owner has gone, even in the middle of a transient."""
    poll = select.poll()
    poll.register(descriptor, 0)  # hang-up only
    poll.poll()
    folder = Path.cwd()
    if folder.name.startswith(FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _main() -> int:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_LIMIT, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    connection = Connection(int(sys.argv[1]))
    threading.Thread(target=_watch, args=(connection.fileno(),), daemon=True).start()
    try:
        _serve(connection, Path(sys.argv[2]))
    except MtjspiceError as error:
        connection.send(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
