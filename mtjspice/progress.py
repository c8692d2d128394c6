"""Progress on stderr: a bar with the time left on a terminal, nothing in a pipe."""

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class ProgressBar:
    """A bar of ``total`` units of work; a context manager whose `advance` may be called from any thread."""

    def __init__(self, total: float) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=total)
        self._lock = threading.Lock()

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def stage(self, description: str) -> None:
        """Say what is being done."""
        self._progress.update(self._task, description=description)

    def advance(self, units: float = 1.0) -> None:
        """Add finished work."""
        with self._lock:
            self._progress.advance(self._task, units)
