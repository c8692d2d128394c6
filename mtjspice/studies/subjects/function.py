"""A Python function as a subject: models of one's own beside the circuits, and closed forms to check studies with."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.spice.runs import Status
from mtjspice.studies.space import Point, Value
from mtjspice.studies.subjects.base import Dimension, Evaluate, Outcome, Subject, failed


@dataclass(frozen=True)
class FunctionSubject(Subject):
    """``function(values, seed)`` returns results by name (SI); an `MtjspiceError` of it is a failed point.

    ``dimensions`` gives the unit of each ("1" for a number without one, "" for names, "seed" for what the function
    draws itself). ``version`` stands for the function's code: a stored point is used again as long as it is the same.
    With other processes, the function must be importable (defined in a module, not in the script that is run).
    """

    function: Callable[[Mapping[str, Value], int], Mapping[str, float]]
    dimensions: Mapping[str, str]
    version: str = "1"
    result_units: Mapping[str, str] = field(default_factory=dict)

    def dimension(self, name: str) -> Dimension:
        """See `Subject`."""
        if name not in self.dimensions:
            raise InputError(f"the function has no dimension {name!r}; available: {', '.join(self.dimensions)}")
        return Dimension(self.dimensions[name])

    def identity(self, values: Mapping[str, Value]) -> Mapping[str, object]:
        """See `Subject`."""
        return {
            "subject": "function", "name": f"{self.function.__module__}.{self.function.__qualname__}",
            "version": self.version,
        }  # fmt: skip

    @property
    def units(self) -> Mapping[str, str]:
        """See `Subject`."""
        return self.result_units

    @contextmanager
    def session(self) -> Iterator[Evaluate]:
        """See `Subject`."""
        yield self._evaluate

    def _evaluate(self, points: Sequence[Point]) -> Iterator[Outcome]:
        for point in points:
            begin = time.perf_counter()
            try:
                results = {name: float(value) for name, value in self.function(point.values, point.seed).items()}
            except MtjspiceError as error:
                yield failed(error, begin=begin)
                continue
            seconds = time.perf_counter() - begin
            wrong = [name for name, value in results.items() if not isfinite(value)]
            if wrong:
                yield Outcome(Status.DIVERGED, reason=f"{wrong[0]} is not finite", seconds=seconds)
            else:
                yield Outcome(Status.OK, results, seconds=seconds)
