"""What one of many runs is: its variant, how it ended, and whether its vectors are to be trusted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite

import numpy as np

from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.raw import Vectors
from mtjspice.spice.text import number

_PARAMETER = re.compile(r"[a-z][a-z0-9_]*\Z")
_SEEDS = (1, 2**31 - 1)


class Status(Enum):
    """How a run ended. `OK` and `SUSPICIOUS` have vectors, complete and finite.

    A run is `SUSPICIOUS` whose vectors must not be trusted unseen, as it did not simulate what the deck says: ngspice
    found no operating point and started from the end of a transient of its own (after gmin and source stepping, which
    alone are legitimate), it ignored an initial condition of a node that does not exist, or its time stands still.
    """

    OK = "ok"
    SUSPICIOUS = "suspicious"
    DIVERGED = "diverged"
    TIMED_OUT = "timed out"
    CRASHED = "crashed"
    BAD_DECK = "bad deck"


_REASONS = (
    (re.compile(r"exceeded its time limit"), Status.TIMED_OUT),
    (re.compile(r"crashed|ran out of memory"), Status.CRASHED),
    (re.compile(r"transient broke down|no convergence|transient stopped|not finite"), Status.DIVERGED),
)
IGNORED_CONDITION = re.compile(r"^.*\b(?:IC|NODESET) on non-existent node.*$", re.M)
_NO_OPERATING_POINT = re.compile(r"Transient op finished successfully")
_SINGULAR = re.compile(r"singular matrix:\s+(check nodes? .*\S)")


def status_of(error: SimulatorError) -> Status:
    """How a run ended whose error this is."""
    return next((status for pattern, status in _REASONS if pattern.search(str(error))), Status.BAD_DECK)


@dataclass(frozen=True)
class Variant:
    """Values of the deck's ``.param`` names, and the seed of what it draws (mismatch, ``gauss``); None: not set."""

    parameters: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if not _PARAMETER.match(name):
                raise InputError(f"{name!r} is no name of a parameter; allowed: a-z, 0-9 and _, a letter first")
            if not isfinite(value):
                raise InputError(f"parameter {name} = {value!r} must be finite")
        if self.seed is not None and not _SEEDS[0] <= self.seed <= _SEEDS[1]:
            raise InputError(f"seed {self.seed} is out of range; allowed: {_SEEDS[0]} to {_SEEDS[1]}")

    def commands(self) -> list[str]:
        """What sets them, up to the reset that makes them effective."""
        seed = [] if self.seed is None else [f"setseed {self.seed}"]
        return [*(f"alterparam {name} = {number(value)}" for name, value in self.parameters.items()), *seed, "reset"]


@dataclass(frozen=True)
class Run:
    """How one variant ended: vectors by name (``time`` first) where it has them, else or where suspicious the reason.

    ``log`` is the log's end where it failed, ``seconds`` its share of the time (s) that its process took.
    """

    variant: Variant
    status: Status
    vectors: Vectors = field(default_factory=dict, repr=False)
    reason: str = ""
    log: tuple[str, ...] = field(default=(), repr=False)
    seconds: float = field(default=0.0, compare=False)


def suspicion(vectors: Vectors, log: str) -> str:
    """Why complete vectors must not be trusted; empty if nothing is known against them."""
    times = np.real(vectors["time"])
    still = np.flatnonzero(np.diff(times) <= 0)
    if still.size:
        return f"time does not increase after {times[still[0]]:g} s"
    ignored = IGNORED_CONDITION.search(log)
    if ignored:
        return f"an initial condition was ignored: {ignored[0].strip()}"
    if _NO_OPERATING_POINT.search(log):
        singular = _SINGULAR.search(log)
        return "no operating point was found" + (f" (singular matrix: {singular[1]})" if singular else "")
    return ""
