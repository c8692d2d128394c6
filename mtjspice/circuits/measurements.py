"""Measurements as data: each can be evaluated on waveforms, and written as commands for plain ngspice.

Times are in s, voltages in V. What cannot be measured (a level that is never crossed) is NaN.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isnan, nan
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mtjspice.spice.text import number

Floats = NDArray[np.float64]
Vectors = Mapping[str, Floats]


@dataclass(frozen=True)
class Voltage:
    """The potential of a node against another one."""

    plus: str
    minus: str = "0"

    @property
    def vectors(self) -> tuple[str, ...]:
        """What a simulator has to save."""
        return tuple(f"v({node})" for node in (self.plus, self.minus) if node != "0")

    @property
    def expression(self) -> str:
        """As ngspice writes it."""
        return "-".join(self.vectors) if self.plus != "0" else f"0-v({self.minus})"

    def values(self, vectors: Vectors) -> Floats:
        """Evaluate on waveforms."""
        plus, minus = (0.0 if node == "0" else vectors[f"v({node})"] for node in (self.plus, self.minus))
        return np.asarray(plus - minus, dtype=np.float64)


@dataclass(frozen=True)
class Power:
    """What sources deliver together (W); each is named after the node that it drives against ground."""

    nodes: tuple[str, ...]

    @property
    def vectors(self) -> tuple[str, ...]:
        """What a simulator has to save."""
        return tuple(vector for node in self.nodes for vector in (f"v({node})", f"i(v{node})"))

    @property
    def expression(self) -> str:
        """As ngspice writes it."""
        return "0" + "".join(f"-v({node})*i(v{node})" for node in self.nodes)

    def values(self, vectors: Vectors) -> Floats:
        """Evaluate on waveforms."""
        return np.asarray(-sum(vectors[f"v({node})"] * vectors[f"i(v{node})"] for node in self.nodes), np.float64)


Quantity = Voltage | Power


@dataclass(frozen=True)
class Crossing:
    """When a signal passes ``level``: ``edge`` is rise, fall or cross; ``number`` counts from ``after`` (s) on."""

    of: Quantity
    level: float
    edge: str = "cross"
    after: float = 0.0
    number: int = 1
    unit = "s"

    def evaluate(self, time: Floats, vectors: Vectors) -> float:
        """Return the time, or NaN."""
        return _crossing(time, self.of.values(vectors), self.level, self.edge, self.after, self.number)

    def commands(self, name: str) -> list[str]:
        """Ngspice commands that leave the time in a vector of that name."""
        begin = f" from={number(self.after)}" if self.after > 0 else ""
        return [
            f"let {name}_signal = {self.of.expression}",
            f"meas tran {name} when {name}_signal={number(self.level)} {self.edge}={self.number}{begin}",
        ]


@dataclass(frozen=True)
class Delay:
    """Time from one crossing to another."""

    first: Crossing
    last: Crossing
    unit = "s"

    @property
    def of(self) -> tuple[Quantity, ...]:
        """What is measured."""
        return self.first.of, self.last.of

    def evaluate(self, time: Floats, vectors: Vectors) -> float:
        """Return the delay, or NaN."""
        return self.last.evaluate(time, vectors) - self.first.evaluate(time, vectors)

    def commands(self, name: str) -> list[str]:
        """Ngspice commands."""
        return [
            *self.first.commands(f"{name}_first"),
            *self.last.commands(f"{name}_last"),
            f"let {name} = {name}_last-{name}_first",
            f"print {name}",
        ]


@dataclass(frozen=True)
class At:
    """The value of a signal at a time."""

    of: Quantity
    time: float
    unit = "V"

    def evaluate(self, time: Floats, vectors: Vectors) -> float:
        """Return the value."""
        return float(np.interp(self.time, time, self.of.values(vectors)))

    def commands(self, name: str) -> list[str]:
        """Ngspice commands."""
        return [
            f"let {name}_signal = {self.of.expression}",
            f"meas tran {name} find {name}_signal at={number(self.time)}",
        ]


@dataclass(frozen=True)
class Peak:
    """The largest (``kind`` "max") or smallest ("min") value of a signal between two times."""

    of: Quantity
    kind: str = "max"
    after: float = 0.0
    before: float = inf
    unit = "V"

    def evaluate(self, time: Floats, vectors: Vectors) -> float:
        """Return the value."""
        inside = (time >= self.after) & (time <= self.before)
        values = self.of.values(vectors)[inside]
        return float(values.max() if self.kind == "max" else values.min()) if len(values) else nan

    def commands(self, name: str) -> list[str]:
        """Ngspice commands."""
        return [
            f"let {name}_signal = {self.of.expression}",
            f"meas tran {name} {self.kind} {name}_signal{_window(self.after, self.before)}",
        ]


@dataclass(frozen=True)
class _Span:
    """Time between two levels of a positive pulse, which are shares of its largest value between two times."""

    of: Quantity
    after: float = 0.0
    before: float = inf
    unit = "s"
    begin: ClassVar[tuple[float, str]]
    end: ClassVar[tuple[float, str]]

    def evaluate(self, time: Floats, vectors: Vectors) -> float:
        """Return the time between them, or NaN."""
        top = self._peak.evaluate(time, vectors)
        first = Crossing(self.of, self.begin[0] * top, self.begin[1], self.after).evaluate(time, vectors)
        return Crossing(self.of, self.end[0] * top, self.end[1], first).evaluate(time, vectors) - first

    def commands(self, name: str) -> list[str]:
        """Ngspice commands."""
        window = f" from={number(self.after)}" if self.after > 0 else ""
        lines = self._peak.commands(f"{name}_peak")
        for label, (share, edge) in (("begin", self.begin), ("end", self.end)):
            lines += [
                f"let {name}_{label}_level = {share}*{name}_peak",
                f"meas tran {name}_{label} when {name}_peak_signal={name}_{label}_level {edge}=1{window}",
            ]
        return [*lines, f"let {name} = {name}_end-{name}_begin", f"print {name}"]

    @property
    def _peak(self) -> Peak:
        return Peak(self.of, "max", self.after, self.before)


@dataclass(frozen=True)
class Width(_Span):
    """Full width of a positive pulse at half of its largest value."""

    begin = (0.5, "rise")
    end = (0.5, "fall")


@dataclass(frozen=True)
class Rise(_Span):
    """Time from 10 % to 90 % of the largest value of a positive pulse."""

    begin = (0.1, "rise")
    end = (0.9, "rise")


@dataclass(frozen=True)
class Energy:
    """What sources deliver between two times (J)."""

    of: Power
    after: float = 0.0
    before: float = inf
    unit = "J"

    def evaluate(self, time: Floats, vectors: Vectors) -> float:
        """Return the energy, by the trapezoidal rule."""
        power = self.of.values(vectors)
        ends = np.array([max(self.after, time[0]), min(self.before, time[-1])])
        t = np.unique(np.concatenate([time[(time > ends[0]) & (time < ends[1])], ends]))
        return float(np.trapezoid(np.interp(t, time, power), t))

    def commands(self, name: str) -> list[str]:
        """Ngspice commands."""
        return [
            f"let {name}_power = {self.of.expression}",
            f"meas tran {name} integ {name}_power{_window(self.after, self.before)}",
        ]


Measurement = Crossing | Delay | At | Peak | Width | Rise | Energy


def vectors_of(measurement: Measurement) -> tuple[str, ...]:
    """The vectors that a measurement needs."""
    signals = measurement.of if isinstance(measurement.of, tuple) else (measurement.of,)
    return tuple(vector for signal in signals for vector in signal.vectors)


def _window(after: float, before: float) -> str:
    begin = f" from={number(after)}" if after > 0 else ""
    return begin + (f" to={number(before)}" if before < inf else "")


def _crossing(time: Floats, values: Floats, level: float, edge: str, after: float, count: int) -> float:
    if isnan(level) or isnan(after):  # of a measurement that failed before
        return nan
    above = values >= level
    rises = ~above[:-1] & above[1:]
    falls = above[:-1] & ~above[1:]
    where = np.flatnonzero({"rise": rises, "fall": falls, "cross": rises | falls}[edge])
    step = values[where + 1] - values[where]
    times = time[where] + (level - values[where]) / step * (time[where + 1] - time[where])
    times = times[times >= after]
    return float(times[count - 1]) if len(times) >= count else nan
