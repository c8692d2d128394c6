"""Progress on stderr: a bar with the time left on a terminal, nothing in a pipe."""

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rate(ProgressColumn):
    """Finished units in a second."""

    def __init__(self, units: str) -> None:
        super().__init__()
        self._units = units

    def render(self, task: Task) -> Text:
        """See rich."""
        speed = task.finished_speed or task.speed
        of = "" if task.total is None else f" of {task.total:.0f}"
        return Text(f"{task.completed:.0f}{of} {self._units}, {speed or 0:.3g}/s")


class ProgressBar:
    """A bar of ``total`` units of work; a context manager whose `advance` may be called from any thread.

    ``rate`` names the units, whose number a second is shown then; None is a total that is not known.
    """

    def __init__(self, total: float | None, rate: str = "") -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            *((_Rate(rate),) if rate else ()),
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
