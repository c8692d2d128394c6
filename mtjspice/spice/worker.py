"""The disposable process that hosts libngspice, and its owner's side.

libngspice may crash, hang or be poisoned by a bad netlist. It therefore lives in a child process that takes
`CosimJob`s over a socket; whatever happens to it becomes a `SimulatorError` in the owner, and the next job
gets a fresh process. Within a healthy process jobs follow each other without a restart.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mtjspice.errors import MtjspiceError, SimulatorError
from mtjspice.spice.jobs import CosimJob, CosimResult

if TYPE_CHECKING:  # the owner needs neither numba nor the library
    from mtjspice.spice.bank import Bank
    from mtjspice.spice.libngspice import NgSpice

DEFAULT_TIME_LIMIT = 600.0  # s per job
START_TIME_LIMIT = 180.0  # s; the callbacks are compiled on the very first start
TIME_TOLERANCE = 1e-3  # of the stop time, by which the last time point may miss it


class CosimWorker:
    """Owner of one worker process; a context manager. ``library`` is the path of libngspice."""

    def __init__(self, library: Path, time_limit: float = DEFAULT_TIME_LIMIT) -> None:
        self._library = library
        self._time_limit = time_limit
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> "CosimWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, job: CosimJob) -> Iterator[CosimResult]:
        """Yield the results of a job run by run; SimulatorError (with the last lines of the log) if one fails."""
        connection = self._connection or self._start()
        try:
            connection.send(job)
        except OSError:
            raise self._died() from None
        for _ in job.seeds:
            yield self._receive(connection, self._time_limit, "the simulation")

    def close(self) -> None:
        """End the process at once; harmless when there is none."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        if self._folder is not None:
            self._folder.cleanup()
        self._process = self._connection = self._folder = None

    def _start(self) -> Connection:
        self._folder = tempfile.TemporaryDirectory(prefix="mtjspice-")
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "mtjspice.spice.worker", str(theirs.fileno()), str(self._library)]
        with theirs, self._output.open("wb") as output:
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
        self._connection = Connection(ours.detach())
        self._receive(self._connection, START_TIME_LIMIT, "the start of libngspice")
        return self._connection

    @property
    def _output(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "output.log"

    def _receive(self, connection: Connection, time_limit: float, what: str) -> Any:
        try:
            if not connection.poll(time_limit):
                self.close()
                raise SimulatorError(f"{what} exceeded its time limit of {time_limit:g} s and was stopped")
            answer = connection.recv()
        except (EOFError, ConnectionError):
            raise self._died() from None
        if isinstance(answer, MtjspiceError):
            self.close()  # after an error libngspice is not to be trusted
            raise answer
        return answer

    def _died(self) -> SimulatorError:
        assert self._process is not None
        code = self._process.wait()
        reason = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        log = self._output.read_text(errors="replace").splitlines()[-20:]
        self.close()
        return SimulatorError(f"the libngspice process died ({reason})", log)


def _serve(connection: Connection, library: Path) -> None:
    """Answer jobs until the owner hangs up (in the child process)."""
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
        simulator.load(job.deck)
        for seed, initial in zip(job.seeds, job.initial, strict=True):
            bank = Bank(job.junctions, job.rows, initial, seed, job.capacity)
            simulator.run(bank)
            connection.send(_result(simulator, bank, job, seed, version))
            simulator.command("destroy all")
        simulator.command("remcirc")


def _result(simulator: "NgSpice", bank: "Bank", job: CosimJob, seed: int, version: str) -> CosimResult:
    times, voltages, m_z = bank.recorded()
    reached = float(times[-1]) if len(times) else 0.0
    if abs(reached - job.stop) > TIME_TOLERANCE * job.stop:
        raise SimulatorError(
            f"the transient stopped at {reached:g} s instead of {job.stop:g} s", simulator.log[-20:]
        )
    return CosimResult(
        seed=seed,
        times=times,
        voltages=voltages,
        m_z=m_z,
        magnetization=bank.magnetization,
        vectors=simulator.vectors(("time", *job.vectors)) if job.vectors else {},
        coupling_error=bank.coupling_error,
        attempts=bank.attempts,
        engine=version,
    )


def _main() -> int:
    connection = Connection(int(sys.argv[1]))
    try:
        _serve(connection, Path(sys.argv[2]))
    except MtjspiceError as error:
        connection.send(error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
