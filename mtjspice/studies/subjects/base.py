"""What every subject of a study is: it names its dimensions and turns points into results."""

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from mtjspice.errors import InputError, MtjspiceError, SimulatorError
from mtjspice.spice.runs import Status, status_of
from mtjspice.studies.space import Point, Space, Value

if TYPE_CHECKING:
    import xarray

Results = Mapping[str, float]
LOG_LINES = 20


@dataclass(frozen=True)
class Dimension:
    """What can vary: its unit (empty for names, "1" for numbers without one) and the value if it does not."""

    unit: str
    nominal: Value | None = None


@dataclass(frozen=True)
class Outcome:
    """How a point ended: results (SI, by name), or the reason why there are none, with log and deck."""

    status: Status
    results: Results = field(default_factory=dict)
    reason: str = ""
    log: tuple[str, ...] = ()
    deck: str = ""
    seconds: float = 0.0


Evaluate = Callable[[Sequence[Point]], Iterator[Outcome]]


class Subject(ABC):
    """A function from points to results, on one simulator or another; immutable, and can be pickled.

    Results depend on the point alone, never on those that are evaluated beside it.
    """

    @abstractmethod
    def dimension(self, name: str) -> Dimension:
        """What a dimension of that name is; InputError, with what there is, for an unknown one."""

    @abstractmethod
    def identity(self, values: Mapping[str, Value]) -> Mapping[str, object]:
        """Everything that results depend on beside a point: decks, cards, engines, settings.

        ``values`` are those of a point, for what is different at different points (the model cards of a corner).
        """

    @abstractmethod
    def session(self) -> AbstractContextManager["Evaluate"]:
        """Keep what is needed for points (a simulator's process) while the context lasts; gives a function that takes
        points and yields one outcome for each, in order."""

    def evaluate(self, points: Sequence[Point]) -> list[Outcome]:
        """Evaluate points in a session of their own."""
        with self.session() as evaluate:
            return list(evaluate(points))

    def waveforms(self, point: Point) -> "xarray.Dataset":
        """Simulate one point and return its waveforms; InputError for a subject that has none."""
        raise InputError("this study has no waveforms: nothing is simulated in time")

    def deck(self, point: Point) -> str:
        """The deck of a point, empty where there is none."""
        return ""

    @property
    def units(self) -> Mapping[str, str]:
        """Units of results by name; those that are not here are numbers."""
        return MappingProxyType({})

    def result_names(self, values: Mapping[str, Value]) -> tuple[str, ...] | None:
        """Names of the results of a point with these values, as far as they have values; None: not known before."""
        return None

    def limited(self, time_limit: float) -> "Subject":
        """The same subject whose simulators stop at ``time_limit`` (s) for a point; itself where there are none."""
        return self

    def check(self, space: Space) -> None:
        """Refuse a space with a dimension that the subject does not have, or that cannot take its values."""
        for sweep in space.sweeps:
            self._check_values(sweep.name, sweep.values, sweep.unit)
        for spread in space.spreads:
            self._check_values(spread.name, (spread.mean,), spread.unit)
        for name in space.seeds:
            if self.dimension(name).unit != "seed":
                raise InputError(f"{name!r} is no dimension that the simulator draws")

    def _check_values(self, name: str, values: Sequence[Value], unit: str) -> None:
        known = self.dimension(name)
        if known.unit == "seed":
            raise InputError(f"{name!r} is drawn by the simulator; it can only be a random dimension")
        if unit and unit != known.unit:
            raise InputError(f"{name!r} is in {known.unit or 'no unit'}, not in {unit}")
        for value in values:
            if isinstance(value, str) == bool(known.unit):
                wanted = f"a number in {known.unit}" if known.unit else "a name"
                raise InputError(f"{name!r} has the value {value!r}; it must be {wanted}")


def failed(error: MtjspiceError, deck: str = "", begin: float | None = None) -> Outcome:
    """The outcome of a point that ended in an error; ``begin`` is when it began (`time.perf_counter`)."""
    log = error.log[-LOG_LINES:] if isinstance(error, SimulatorError) else ()
    seconds = 0.0 if begin is None else time.perf_counter() - begin
    status = status_of(error) if isinstance(error, SimulatorError) else Status.BAD_DECK
    return Outcome(status, reason=str(error), log=tuple(log), deck=deck, seconds=seconds)


def one_by_one(results: Callable[[Point], Results], points: Sequence[Point]) -> Iterator[Outcome]:
    """Outcomes of points whose results come from a function; an `MtjspiceError` of it is a failed point."""
    for point in points:
        begin = time.perf_counter()
        try:
            found = results(point)
        except MtjspiceError as error:
            yield failed(error, begin=begin)
        else:
            yield Outcome(Status.OK, found, seconds=time.perf_counter() - begin)


@cache
def engine_digest(path: Path) -> str:
    """The hash of a simulator's file: its version, whatever it calls itself."""
    return sha256(path.read_bytes()).hexdigest()


def file_digest(path: Path) -> str:
    """The hash of a file of models and of all that it includes, at any depth; one that is not there counts as such."""
    digest, seen, left = sha256(), set(), [path.absolute()]
    while left:
        file = left.pop(0)
        if file in seen:
            continue
        seen.add(file)
        content = file.read_bytes() if file.is_file() else b"missing"
        digest.update(str(len(content)).encode() + b"\0" + content)
        names = re.findall(r"(?im)^\s*\.(?:inc(?:lude)?|lib)\s+[\"']?([^\s\"']+)", content.decode(errors="replace"))
        left += [file.parent / name for name in names]  # a section of a library is a name of no file
    return digest.hexdigest()
