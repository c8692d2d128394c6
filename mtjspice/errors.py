"""Errors that a user can cause, and errors of the simulators; both end in one clear line."""

from collections.abc import Iterable


class MtjspiceError(Exception):
    """Anything that ends a command with one line on stderr and a non-zero exit code."""

    exit_code = 1


class InputError(MtjspiceError):
    """Bad input: the message says what, where and what is allowed."""

    exit_code = 2


class SimulatorError(MtjspiceError):
    """A simulator that is missing, diverged, crashed, hung or wrote a truncated file.

    ``log`` keeps the last lines that the simulator printed.
    """

    exit_code = 3

    def __init__(self, message: str, log: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.log = tuple(log)

    def __reduce__(self) -> tuple[type["SimulatorError"], tuple[str, tuple[str, ...]]]:
        """Travel between processes with the log attached."""
        return type(self), (str(self), self.log)


def choose(kind: str, name: str, allowed: Iterable[str]) -> str:
    """Return ``name`` if it is allowed, else raise an InputError that lists what is."""
    options = sorted(allowed)
    if name not in options:
        raise InputError(f"unknown {kind} {name!r}; available: {', '.join(options)}")
    return name
