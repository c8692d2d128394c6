"""Piecewise-linear sources: signals that hold their value and move to the next within an edge."""

from collections.abc import Sequence

from mtjspice.errors import InputError
from mtjspice.spice.text import number

EDGE = 5e-11  # s

Points = tuple[tuple[float, float], ...]


class Signal:
    """A source under construction; `points` are its corners (s, V)."""

    def __init__(self, value: float = 0.0, edge: float = EDGE) -> None:
        self._points = [(0.0, float(value))]
        self._edge = edge

    def to(self, time: float, value: float) -> "Signal":
        """Move to ``value`` from ``time`` (s) on; InputError where that lies before the end of the last edge."""
        last, present = self._points[-1]
        if value != present:
            if time < last:
                raise InputError(f"a signal cannot move at {time:g} s: its last edge ends at {last:g} s")
            if time > last:
                self._points.append((time, present))
            self._points.append((time + self._edge, float(value)))
        return self

    def pulse(self, begin: float, end: float, value: float) -> "Signal":
        """Take ``value`` from ``begin`` to ``end`` (s; starts of the edges), then return."""
        present = self._points[-1][1]
        return self.to(begin, value).to(end, present)

    @property
    def points(self) -> Points:
        """Corners, (s, V)."""
        return tuple(self._points)


def written(points: Sequence[tuple[float, float]]) -> str:
    """The source as SPICE writes it; a single point is a DC value."""
    if len(points) == 1:
        return f"dc {number(points[0][1])}"
    return f"pwl({' '.join(f'{number(time)} {number(volts)}' for time, volts in points)})"
