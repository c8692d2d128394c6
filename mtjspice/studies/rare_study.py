"""Rare failures of a circuit: points that a method chooses as it goes, in the store like those of every study.

The method asks for the same points every time, so that a run that was interrupted finds what it has and goes on.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError, MtjspiceError, choose
from mtjspice.studies.driver import TIME_LIMIT, Summary, evaluate, open_workers
from mtjspice.studies.importance import importance_sampling
from mtjspice.studies.rare import RareEstimate, monte_carlo, subset_simulation
from mtjspice.studies.space import Space
from mtjspice.studies.store import Store
from mtjspice.studies.study import Study, keyed
from mtjspice.studies.workers import Executor

ANALYSIS = "rare"
ESTIMATE = "rare"  # what the store calls it
METHODS = ("importance", "subset", "monte-carlo")
SIDES = ("below", "above")
OPTIONS: Mapping[str, str] = {
    "result": "the result that decides",
    "threshold": "a point fails where the result is below (or above) it, SI",
    "fails": "below or above; below by default",
    "method": "importance (default), subset or monte-carlo",
    "samples": "points of the method's main part (of a level of subset simulation); 1000",
    "exploration": "points of a level with which importance sampling looks for failures; a third of the samples",
}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Failure:
    """When a point fails: ``result`` on one side of ``threshold`` (SI)."""

    result: str
    threshold: float
    fails: str = "below"
    method: str = "importance"
    samples: int = 1000
    exploration: int = 300

    def __post_init__(self) -> None:
        choose("side on which a point fails", self.fails, SIDES)
        choose("method", self.method, METHODS)
        if self.samples < 50:
            raise InputError(f"samples = {self.samples} of a method for rare failures must be at least 50")


def failure_of(study: Study) -> Failure:
    """What a study's options say; InputError for a study that does not fit."""
    if study.space.sweeps or study.space.seeds or study.trim is not None:
        raise InputError(
            "rare failures are estimated at one place: no sweep, no trim, nothing that the simulator draws"
        )
    if not study.space.spreads:
        raise InputError("rare failures need random dimensions")
    if study.space.samples > 1 or study.space.trials > 1:
        raise InputError("the method for rare failures chooses its points; say how many in options.samples")
    options = study.options
    for name in ("result", "threshold"):
        if name not in options:
            raise InputError(f"analysis 'rare' needs the option {name}")
    threshold = options["threshold"]
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise InputError(f"options.threshold = {threshold!r} must be a number (SI)")
    samples = _whole(options, "samples", 1000)
    return Failure(
        str(options["result"]), float(threshold), str(options.get("fails", "below")),
        str(options.get("method", "importance")), samples,
        _whole(options, "exploration", max(100, samples // 30 * 10)),
    )  # fmt: skip


def _whole(options: Mapping[str, Any], name: str, default: int) -> int:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"options.{name} = {value!r} must be a whole number")
    return value


def run_rare(
    study: Study, folder: Path | str, *, workers: int | None = None, executor: Executor | None = None,
    memory: float | None = None, time_limit: float = TIME_LIMIT, progress: Callable[[int], None] = lambda done: None,
) -> Summary:  # fmt: skip
    """Estimate the probability that a point fails; arguments and errors as those of `driver.run_study`.

    The estimate is in the store afterwards, see `stored_estimate`. A point that cannot be simulated ends the run: a
    failure that is left out would make the estimate too small.
    """
    begin = time.monotonic()
    failure = failure_of(study)
    subject = study.subject.limited(time_limit)
    counts = {"asked": 0, "evaluated": 0, "failed": 0}
    keys: list[str] = []
    with Store(Path(folder)) as store, open_workers(subject, workers, executor, memory) as pool:

        def limit_state(scores: Floats) -> Floats:
            asked = list(keyed(subject, study.space.spread_points(scores)))
            found = store.get([key for key, _ in asked])
            missing = [(key, point) for key, point in asked if key not in found or not found[key].has_results]
            missing = list(dict(missing).items())  # a method may ask for a point twice
            known = {key: record.results for key, record in found.items() if record.has_results}
            for record in evaluate(missing, store, pool, time_limit):
                known[record.key] = record.results
                counts["evaluated"] += 1
                counts["failed"] += not record.has_results
                progress(counts["asked"] + counts["evaluated"])
            counts["asked"] += len(asked)
            keys.extend(key for key, _ in asked)
            return np.array([_distance(known[key], failure) for key, _ in asked])

        try:
            estimate = _METHODS[failure.method](limit_state, study.space, failure)
            store.set_about(ESTIMATE, json.dumps(asdict(estimate)))
        finally:
            store.plan(dict.fromkeys(keys))
    reused = counts["asked"] - counts["evaluated"]
    return Summary(len(dict.fromkeys(keys)), reused, counts["evaluated"], counts["failed"], time.monotonic() - begin)


def stored_estimate(folder: Path) -> dict[str, Any] | None:
    """What `run_rare` has found in a folder; None before it has."""
    with Store(folder, write=False) as store:
        text = store.about(ESTIMATE)
    return json.loads(text) if text else None


def _distance(results: Mapping[str, float], failure: Failure) -> float:
    """Negative where the point fails; NaN for a point without results."""
    if not results:
        return float("nan")
    if failure.result not in results:
        raise MtjspiceError(f"there is no result {failure.result!r}; there are {', '.join(results)}")
    away = results[failure.result] - failure.threshold
    return away if failure.fails == "below" else -away


def _importance(limit_state: Callable[[Floats], Floats], space: Space, failure: Failure) -> RareEstimate:
    return importance_sampling(
        limit_state, len(space.spreads), samples=failure.samples, seed=space.seed, exploration=failure.exploration
    )


def _subset(limit_state: Callable[[Floats], Floats], space: Space, failure: Failure) -> RareEstimate:
    return subset_simulation(limit_state, len(space.spreads), samples=failure.samples, seed=space.seed)


def _plain(limit_state: Callable[[Floats], Floats], space: Space, failure: Failure) -> RareEstimate:
    return monte_carlo(limit_state, len(space.spreads), samples=failure.samples, seed=space.seed)


_METHODS: Mapping[str, Callable[[Callable[[Floats], Floats], Space, Failure], RareEstimate]] = {
    "importance": _importance, "subset": _subset, "monte-carlo": _plain,
}  # fmt: skip
