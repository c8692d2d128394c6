"""Running short auxiliary programs: compilers, package tools."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtjspice.errors import SimulatorError


def run_program(
    command: Sequence[str],
    time_limit: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> tuple[int, str]:
    """Run a program to its end and return its exit code and what it printed, errors included.

    ``environment`` is added to the one at hand; ``folder`` is where it runs. SimulatorError where it does not start or
    exceeds ``time_limit`` (s).
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            timeout=time_limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SimulatorError(f"{command[0]} did not finish in {time_limit:g} s") from None
    except OSError as error:
        raise SimulatorError(f"cannot run {command[0]}: {error.strerror or error}") from None
    return done.returncode, done.stdout.decode(errors="replace")
