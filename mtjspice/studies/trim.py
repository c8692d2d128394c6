"""Trimming: the value of one dimension at which a result has its target, found before a study's points are evaluated.

A chip is trimmed once (at 25 degC, say) and then meets other temperatures. ``per`` names sweeps for each of whose
values the trim is found anew (a corner is another chip).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.space import Point, Space, Value

ROUNDS = 40

Trimmed = Mapping[tuple[Value, ...], float]


@dataclass(frozen=True)
class Trim:
    """Find ``dimension`` between ``low`` and ``high`` (SI) where ``result`` is ``target``, within ``tolerance``.

    ``at`` gives values of sweeps at which it is found; other sweeps than those of ``per`` take their subject's own.
    """

    dimension: str
    low: float
    high: float
    result: str
    target: float = 0.5
    at: Mapping[str, Value] = field(default_factory=dict)
    per: tuple[str, ...] = ()
    tolerance: float = 2e-3
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError(f"trim of {self.dimension}: between {self.low:g} and {self.high:g} there is nothing")
        if not self.tolerance > 0:
            raise InputError(f"trim of {self.dimension}: the tolerance must be positive")

    def check(self, space: Space) -> None:
        """Refuse a trim that does not fit the space."""
        names = [sweep.name for sweep in space.sweeps]
        if self.dimension in space.coordinates():
            raise InputError(f"{self.dimension!r} is trimmed and varied at the same time")
        for name in self.per:
            if name not in names:
                raise InputError(f"trim: {name!r} in per is no sweep of the study")
            if name in self.at:
                raise InputError(f"trim: {name!r} is both in at and in per")


def find(trim: Trim, space: Space, evaluate: Callable[[Point], Mapping[str, float]]) -> dict[tuple[Value, ...], float]:
    """Return the trimmed value for every combination of the sweeps ``per``, by false position (Illinois).

    ``evaluate`` gives the results of a point. MtjspiceError where the target is not between the ends.
    """
    swept = {sweep.name: sweep.values for sweep in space.sweeps}
    return {
        chosen: _root(trim, {**trim.at, **dict(zip(trim.per, chosen, strict=True))}, space.seed, evaluate)
        for chosen in product(*(swept[name] for name in trim.per))
    }


def _root(
    trim: Trim, values: Mapping[str, Value], seed: int, evaluate: Callable[[Point], Mapping[str, float]]
) -> float:
    def error(x: float) -> float:
        results = evaluate(Point((), {**values, trim.dimension: x}, seed))
        if trim.result not in results:
            raise MtjspiceError(
                f"trim: there is no result {trim.result!r} at {trim.dimension} = {x:g}; "
                f"there are {', '.join(results) or 'none'}"
            )
        return results[trim.result] - trim.target

    low, high = trim.low, trim.high
    at_low, at_high = error(low), error(high)
    if at_low * at_high > 0:
        raise MtjspiceError(
            f"trim: {trim.result} goes from {at_low + trim.target:.4g} to {at_high + trim.target:.4g} between "
            f"{trim.dimension} = {low:g} and {high:g}{f' {trim.unit}' if trim.unit else ''}; "
            f"the target of {trim.target:g} must lie between"
        )
    for _ in range(ROUNDS):
        if abs(at_low) <= trim.tolerance:
            return low
        if abs(at_high) <= trim.tolerance:
            return high
        x = (low * at_high - high * at_low) / (at_high - at_low)
        here = error(x)
        if abs(here) <= trim.tolerance:
            return float(f"{x:.12g}")
        if here * at_high < 0:
            low, at_low = high, at_high
        else:
            at_low /= 2
        high, at_high = x, here
    raise MtjspiceError(f"trim: {trim.dimension} was not found within {ROUNDS} steps; raise the tolerance")


def applied(trim: Trim, trimmed: Trimmed, points: Iterator[Point] | Sequence[Point]) -> Iterator[Point]:
    """Points with the trimmed value added."""
    for point in points:
        value = trimmed[tuple(point.values[name] for name in trim.per)]
        yield replace(point, values={**point.values, trim.dimension: value})
