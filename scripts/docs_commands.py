"""The page of the command line: the help of every command, as the program prints it."""

from collections.abc import Iterator
from typing import Any

import typer

from mtjspice import cli

WIDTH = 78
START = """# Command line

Every command has `--help` with an example. Commands that print numbers have `--json` (SI units). Bad input ends in one
line on standard error and exit code 2, a missing or failing simulator in exit code 3, an interrupt in 130.
"""


def helps(command: Any, names: tuple[str, ...] = ("mtjspice",), parent: Any = None) -> Iterator[tuple[str, str]]:
    """Yield name and help of ``command`` and of all below it."""
    context = command.make_context(
        " ".join(names) if parent is None else names[-1],
        [],
        parent=parent,
        resilient_parsing=True,
        terminal_width=WIDTH,
    )
    yield " ".join(names), command.get_help(context)
    for name, below in getattr(command, "commands", {}).items():
        yield from helps(below, (*names, name), context)


def commands_page() -> str:
    """Markdown of the page."""
    pieces = [START]
    for name, text in helps(typer.main.get_command(cli.app)):
        pieces.append(f"{'#' * (2 + max(0, name.count(' ') - 1))} {name}\n\n```text\n{text.strip()}\n```\n")
    return "\n".join(pieces)
