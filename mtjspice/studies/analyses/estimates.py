"""Results with their intervals: samples and trials are pooled, what is missing is counted."""

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.statistics import wilson
from mtjspice.studies.analyses.base import Cell
from mtjspice.studies.study import Study

if TYPE_CHECKING:
    import xarray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

NORMAL_95 = 1.959963984540054  # half of a 95 % interval in standard deviations
OWN_VARIABLES = ("status", "seed")
_SWITCHING = re.compile(r"(probability|write_error_rate)([0-9]*)\Z")


@dataclass(frozen=True, eq=False)
class Estimates:
    """A result on the sweeps of a study: value, 95 % interval, counted ``trials`` (0: none), and the ``points`` (of
    ``planned`` ones each) that it rests on; NaN where there is none."""  # fmt: skip

    value: Floats
    low: Floats
    high: Floats
    trials: Counts
    points: Counts
    planned: int

    def at(self, index: tuple[int | slice, ...]) -> "Estimates":
        """A part."""
        value, low, high = (np.asarray(one[index]) for one in (self.value, self.low, self.high))
        return Estimates(
            value, low, high, np.asarray(self.trials[index]), np.asarray(self.points[index]), self.planned
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Curve:
    """A result along one sweep, whose values ``x`` increase, at one combination of the others (``where``)."""

    where: dict[str, Cell]
    x: Floats
    y: Estimates

    @property
    def found(self) -> NDArray[np.bool_]:
        """Where there is a value."""
        return np.isfinite(self.y.value)

    @property
    def counts(self) -> dict[str, Cell]:
        """Columns of a table: points that it rests on, and those that failed or are not finished."""
        points = int(self.y.points.sum())
        return {"points": points, "missing": self.y.planned * len(self.x) - points}


def result_names(data: "xarray.Dataset") -> list[str]:
    """Names of the results of a study's dataset."""
    return [str(name) for name in data.data_vars if name not in OWN_VARIABLES]


def values_of(data: "xarray.Dataset", name: str, study: Study) -> Floats:
    """One result on the dimensions of the study; all NaN as long as no point is finished.

    InputError where other results are there, but not this one.
    """
    if name in data.data_vars:
        return np.asarray(data[name].values, np.float64)
    if result_names(data):
        raise InputError(f"there is no result {name!r}; the study has {', '.join(result_names(data))}")
    return np.full(study.space.shape, np.nan)


def estimates(data: "xarray.Dataset", study: Study, name: str) -> Estimates:
    """Pool a result over samples and trials: mean with its standard error, or what was counted with Wilson's interval.

    A probability has its own interval where there is one point; several points with counts and without samples are one
    count, since they differ in their noise alone.
    """
    sweeps = len(study.space.sweeps)
    shape = study.space.shape
    value = values_of(data, name, study).reshape(*shape[:sweeps], -1)
    found = np.isfinite(value)
    points = found.sum(axis=-1)
    own = _own_intervals(data, study, name)
    low, high, counts = (one.reshape(value.shape) for one in own) if own is not None else (value, value, 0 * value)
    trials = np.where(found, np.nan_to_num(counts), 0).astype(np.int64)
    if value.shape[-1] == 1:
        return Estimates(value[..., 0], low[..., 0], high[..., 0], trials[..., 0], points, 1)
    total = trials.sum(axis=-1)
    filled = np.where(found, value, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=-1) / points
        square = np.where(found, (value - mean[..., None]) ** 2, 0.0).sum(axis=-1)
        half = NORMAL_95 * np.sqrt(square / (points - 1) / points)
    if own is not None:
        half = np.where(points == 1, np.nanmax(np.where(found, high - low, 0.0), axis=-1) / 2, half)
    pooled = Estimates(mean, mean - half, mean + half, total, points, value.shape[-1])
    if own is None:
        return pooled
    counted = not study.space.is_random and bool(np.all(trials[found] > 0))
    return _counted(pooled, (filled * trials).sum(axis=-1)) if counted else _clipped(pooled)


def _own_intervals(data: "xarray.Dataset", study: Study, name: str) -> tuple[Floats, Floats, Floats] | None:
    """Interval and counts that go with a probability of switching or staying."""
    found = _SWITCHING.match(name)
    if found is None or f"low{found[2]}" not in data.data_vars:
        return None
    low, high = (values_of(data, f"{one}{found[2]}", study) for one in ("low", "high"))
    trials = values_of(data, f"trials{found[2]}", study) if f"trials{found[2]}" in data.data_vars else 0 * low
    if found[1] == "probability":
        return low, high, trials
    # a rate of staying has its own accuracy, which the one of 1 - p would hide
    value, switched = values_of(data, name, study), values_of(data, f"probability{found[2]}", study)
    error = np.maximum(high - switched, switched - low)
    counted = trials > 0
    return (
        np.where(counted, 1 - high, np.maximum(value - error, 0.0)),
        np.where(counted, 1 - low, np.minimum(value + error, 1.0)), trials,
    )  # fmt: skip


def _counted(pooled: Estimates, successes: Floats) -> Estimates:
    """One count out of all trials."""
    value, low, high = (np.full(pooled.value.shape, np.nan) for _ in range(3))
    for index in np.ndindex(pooled.value.shape):
        if pooled.trials[index]:
            found = wilson(round(float(successes[index])), int(pooled.trials[index]))
            value[index], low[index], high[index] = found.value, found.low, found.high
    return Estimates(value, low, high, pooled.trials, pooled.points, pooled.planned)


def _clipped(one: Estimates) -> Estimates:
    return Estimates(one.value, np.clip(one.low, 0, 1), np.clip(one.high, 0, 1), one.trials, one.points, one.planned)


def curves(data: "xarray.Dataset", study: Study, name: str, along: str) -> list[Curve]:
    """Return a result along one sweep, a curve for every combination of the other sweeps."""
    found = estimates(data, study, name)
    names = [sweep.name for sweep in study.space.sweeps]
    axis = names.index(along)
    x = np.array(study.space.sweeps[axis].values, float)
    order = np.argsort(x)
    result = []
    for where, index in combinations(study, (along,)):
        part = found.at((*index[:axis], slice(None), *index[axis:])).at((order,))  # type: ignore[arg-type]
        result.append(Curve(where, x[order], part))
    return result


def combinations(study: Study, without: tuple[str, ...] = ()) -> list[tuple[dict[str, Cell], tuple[int, ...]]]:
    """Return the combinations of the sweeps but some: values by name, and places along each of those sweeps."""
    rest = [sweep for sweep in study.space.sweeps if sweep.name not in without]
    return [
        ({sweep.name: sweep.values[i] for sweep, i in zip(rest, index, strict=True)}, index)
        for index in product(*(range(len(sweep.values)) for sweep in rest))
    ]


def sweep_units(study: Study) -> dict[str, str]:
    """Units of the sweeps, for the columns of a table."""
    return {sweep.name: sweep.unit for sweep in study.space.sweeps}


def rests_on(found: list[Curve]) -> str:
    """One line about the trials behind every point."""
    trials = np.concatenate([curve.y.trials[curve.found] for curve in found]) if found else np.array([], int)
    counted = trials[trials > 0]
    if not counted.size:
        return "Intervals are 95 % of what varies between points, or the estimated error where one point is all."
    low, high = int(counted.min()), int(counted.max())
    return f"Intervals are 95 % (Wilson) of {low if low == high else f'{low} to {high}'} trials a value."
