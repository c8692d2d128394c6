"""Several co-simulation workers side by side."""

import os
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
        self._workers = [CosimWorker(library, time_limit) for _ in range(workers or processors())]

    def __enter__(self) -> "CosimPool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def map(self, jobs: Sequence[CosimJob], on_result: Callable[[], None] = lambda: None) -> list[list[CosimResult]]:
        """Run all jobs and return their results in order; ``on_result`` is called after each transient.

        The first error ends the remaining jobs and is raised; Ctrl-C ends them as well. The pool can be used again.
        """
        idle: SimpleQueue[CosimWorker] = SimpleQueue()
        for worker in self._workers:
            idle.put(worker)

        def work(job: CosimJob) -> list[CosimResult]:
            worker = idle.get()
            try:
                results = []
                for result in worker.run(job):
                    results.append(result)
                    on_result()
                return results
            finally:
                idle.put(worker)

        futures: list[Future[list[CosimResult]]] = []
        with ThreadPoolExecutor(max_workers=len(self._workers)) as threads:
            try:
                futures += [threads.submit(work, job) for job in jobs]
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                for worker in self._workers:
                    worker.stop()  # so that the threads come back
                threads.shutdown()
                self.close()
                raise

    def close(self) -> None:
        """End all worker processes."""
        for worker in self._workers:
            worker.close()


def processors() -> int:
    """Return the number of processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
