"""Several co-simulation workers side by side."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType

from mtjspice.spice.jobs import CosimJob, CosimResult
from mtjspice.spice.worker import DEFAULT_TIME_LIMIT, CosimWorker


class CosimPool:
    """A fixed number of worker processes that share a list of jobs; a context manager.

    Results do not depend on the number of workers: each job loads its own deck and brings its own seeds.
    """

    def __init__(self, library: Path, workers: int | None = None, time_limit: float = DEFAULT_TIME_LIMIT) -> None:
        count = workers or os.cpu_count() or 1
        self._workers = [CosimWorker(library, time_limit) for _ in range(count)]
        self._idle: SimpleQueue[CosimWorker] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._stopping = threading.Event()

    def __enter__(self) -> "CosimPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def map(
        self, jobs: Sequence[CosimJob], on_result: Callable[[], None] = lambda: None
    ) -> list[list[CosimResult]]:
        """Run all jobs and return their results in order; ``on_result`` is called after each transient.

        The first error ends the remaining jobs and is raised.
        """

        def work(job: CosimJob) -> list[CosimResult]:
            worker = self._idle.get()
            try:
                results = []
                for result in worker.run(job):
                    results.append(result)
                    on_result()
                    if self._stopping.is_set():
                        break
                return results
            finally:
                self._idle.put(worker)

        with ThreadPoolExecutor(max_workers=len(self._workers)) as threads:
            futures: list[Future[list[CosimResult]]] = [threads.submit(work, job) for job in jobs]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                return [future.result() for future in futures]
            except BaseException:
                self._stopping.set()
                for future in futures:
                    future.cancel()
                self.close()  # ends the processes, so that the threads come back
                raise

    def close(self) -> None:
        """End all worker processes."""
        self._stopping.set()
        for worker in self._workers:
            worker.close()
