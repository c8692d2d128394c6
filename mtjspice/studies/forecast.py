"""What a study will take, from a point in the middle of its space (of each fidelity, where it sweeps them)."""

import time
from dataclasses import dataclass
from itertools import product

from mtjspice.studies.rare_study import ANALYSIS, failure_of
from mtjspice.studies.study import Study

BYTES_A_POINT, BYTES_A_RESULT = 330, 8  # on disk, about
RARE_FACTOR = 5  # points that methods for rare failures take over their samples, about
_DECISIVE = ("fidelity", "technology")  # sweeps whose values take different times


@dataclass(frozen=True)
class Forecast:
    """Points of a study, seconds of one, seconds altogether, bytes on disk; ``status`` and ``reason`` of the last point
    that was tried."""  # fmt: skip

    points: int
    exact: bool
    workers: int
    seconds_a_point: float
    seconds: float
    bytes: int
    status: str
    reason: str


def forecast(study: Study, workers: int) -> Forecast:
    """Evaluate a few points, store nothing, and tell what all of them will take on ``workers`` processes."""
    rare = study.analysis == ANALYSIS
    points = RARE_FACTOR * failure_of(study).samples if rare else len(study.space)
    middle = [
        tuple(range(len(sweep.values))) if sweep.name in _DECISIVE else (len(sweep.values) // 2,)
        for sweep in study.space.sweeps
    ]
    rest = tuple(n // 2 for n in study.space.shape[len(middle) :])
    trimmed = {}
    if study.trim is not None:  # the middle of its range stands for what it will find
        value = (study.trim.low + study.trim.high) / 2
        swept = {sweep.name: sweep.values for sweep in study.space.sweeps}
        trimmed = dict.fromkeys(product(*(swept[name] for name in study.trim.per)), value)
    seconds = []
    with study.subject.session() as evaluate:
        for index in product(*middle):
            point = study.point((*index, *rest), trimmed)
            list(evaluate([point]))  # compiles and starts what later points find ready
            begin = time.monotonic()
            (outcome,) = evaluate([point])
            seconds.append(time.monotonic() - begin)
    mean = sum(seconds) / len(seconds)
    size = points * (BYTES_A_POINT + BYTES_A_RESULT * len(outcome.results))
    return Forecast(
        points, not rare, workers, mean, mean * points / workers, size, outcome.status.value, outcome.reason
    )  # fmt: skip
