"""A Python function as a subject: models of one's own beside the circuits, and closed forms to check studies with."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from math import isfinite

from mtjspice.errors import InputError, SimulatorError
from mtjspice.studies.space import Point, Value
from mtjspice.studies.subjects.base import Dimension, Evaluate, Subject, one_by_one


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
        yield partial(one_by_one, self._results)

    def _results(self, point: Point) -> dict[str, float]:
        results = {name: float(value) for name, value in self.function(point.values, point.seed).items()}
        for name, value in results.items():
            if not isfinite(value):
                raise SimulatorError(f"{name} is not finite")
        return results
