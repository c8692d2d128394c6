"""Functions that studies evaluate in the tests; worker processes import them from here."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtjspice.errors import SimulatorError
from mtjspice.studies.subjects.function import FunctionSubject

Values = Mapping[str, float | int | str]


def linear(values: Values, seed: int) -> dict[str, float]:
    """A linear limit state and noise of the point's own."""
    noise = float(np.random.default_rng(seed).standard_normal())
    x, y = float(values.get("x", 0.0)), float(values.get("y", 0.0))
    return {"sum": 1.0 + 3.0 * x - 2.0 * y, "noisy": x + 0.1 * noise}


def slow(values: Values, seed: int) -> dict[str, float]:
    time.sleep(0.02)
    return linear(values, seed)


def hazardous(values: Values, seed: int) -> dict[str, float]:
    """What happens at x = 3, 5, 7, 9: an error, another exception, death of the process, an endless loop."""
    x = float(values["x"])
    if x == 3:
        raise SimulatorError("the transient broke down: timestep too small", ["last line"])
    if x == 5:
        raise ZeroDivisionError("of the function's own")
    if x == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    if x == 9:
        time.sleep(1e6)
    return {"square": x * x}


def dies_once(values: Values, seed: int) -> dict[str, float]:
    """The process dies the first time that the point ``x`` = 2 is evaluated."""
    mark = Path(str(values["mark"]))
    if values["x"] == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"square": float(values["x"]) ** 2}


def greedy(values: Values, seed: int) -> dict[str, float]:
    """Takes ``x`` bytes."""
    return {"length": float(len(bytearray(int(values["x"]))))}


LINEAR = FunctionSubject(linear, {"x": "1", "y": "1"})
SLOW = FunctionSubject(slow, {"x": "1", "y": "1"})


def sometimes(values: Values, seed: int) -> dict[str, float]:
    """Fails at large ``y``."""
    if float(values["y"]) > 8:
        raise SimulatorError("the transient broke down: timestep too small")
    return linear(values, seed)
