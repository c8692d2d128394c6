"""What commands print and show while they work, and how an interrupt reaches them."""

import json
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import typer


def print_json(value: Any) -> None:
    """Print a value as JSON; ValueError for numbers that JSON does not have."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print an aligned table; the last column is not padded."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header) - 1)]
    for row in [header, *rows]:
        typer.echo(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        )


class Outcome(Protocol):
    """What a study found."""

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""


class Report(Protocol):
    """A module that tells of outcomes: table, what the numbers depend on, files."""

    @property
    def HEADER(self) -> tuple[str, ...]:  # noqa: N802
        """Names of the columns."""

    def rows(self, outcome: Any, /) -> list[tuple[str, ...]]:
        """The table."""

    def notes(self, outcome: Any, /) -> tuple[str, ...]:
        """Lines below it."""

    def write(self, outcome: Any, folder: Path, /) -> None:
        """Figures, tables and configuration into a folder."""


def conclude(outcome: Outcome, report: Report, out: Path | None, as_json: bool) -> None:
    """Write an outcome to the folder ``out``, if there is one, and print it."""
    if out is not None:
        report.write(outcome, out)
    if as_json:
        print_json(outcome.as_dict())
        return
    print_table(report.HEADER, report.rows(outcome))
    for note in report.notes(outcome):
        typer.echo(note)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Show each warning to the user as one line on stderr."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        typer.echo(f"mtjspice: warning: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def show_progress(description: str) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal; what it yields is told the finished fraction."""
    from mtjspice.progress import ProgressBar

    finished = 0.0
    with ProgressBar(1.0) as bar:
        bar.stage(description)

        def report(fraction: float) -> None:
            nonlocal finished
            raise_lost_interrupt()
            bar.advance(fraction - finished)
            finished = fraction

        yield report


@contextmanager
def show_stages() -> Iterator[Callable[[str], None]]:
    """A line on a terminal for work of unknown length; what it yields is told what is being done."""
    from mtjspice.progress import ProgressBar

    with ProgressBar(1.0) as bar:
        yield bar.stage


# --- interrupts ----------------------------------------------------------------------------------------------


class Interrupt:
    """Handler that remembers. Python loses an interrupt that meets a destructor or a callback from C."""

    pending = False

    def __call__(self, number: int, frame: object) -> None:
        """Note the signal and raise KeyboardInterrupt."""
        self.pending = True
        raise KeyboardInterrupt


def raise_lost_interrupt() -> None:
    """Raise KeyboardInterrupt if there was one."""
    if getattr(signal.getsignal(signal.SIGTERM), "pending", False):
        raise KeyboardInterrupt
