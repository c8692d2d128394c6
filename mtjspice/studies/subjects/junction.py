"""A junction alone under one voltage pulse: its switching probability by any method of `switching_probability`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from mtjspice.circuits.pulse_trials import METHODS
from mtjspice.device.card import MTJCard
from mtjspice.device.switching import DIRECTIONS, write_error_rate
from mtjspice.errors import choose
from mtjspice.studies.space import Point, Value
from mtjspice.studies.subjects import on_waveform
from mtjspice.studies.subjects.base import Evaluate, one_by_one
from mtjspice.studies.subjects.card_values import numbers
from mtjspice.studies.subjects.pulsed import PulsedSubject


@dataclass(frozen=True)
class JunctionSubject(PulsedSubject):
    """A junction under a trapezoidal pulse, then at 0 V.

    Dimensions are ``voltage`` (V), ``pulse_width`` (s, full width at half maximum), ``edge`` (s), ``temperature`` (K)
    and ``card.<parameter>``; ``values`` sets them where they do not vary. ``method``, ``direction``, ``tolerance`` and
    ``trials`` are those of `mtjspice.device.switching.switching_probability`.

    Results: ``probability``, its interval ``low`` and ``high``, ``write_error_rate``, ``trials`` (0: not counted).
    """

    card: str | MTJCard = "meram100"
    method: str = "fokker-planck"
    direction: str = "p-ap"
    trials: int = 1000
    tolerance: float = 1e-4
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choose("method", self.method, METHODS)
        choose("direction", self.direction, DIRECTIONS)
        for name in self.values:
            self.dimension(name)

    def identity(self, values: Mapping[str, Value]) -> Mapping[str, object]:
        """See `Subject`."""
        return {
            "subject": "junction", "card": self._card.to_toml(), "method": self.method, "direction": self.direction,
            "trials": self.trials, "tolerance": self.tolerance, "values": dict(self.values),
        }  # fmt: skip

    def result_names(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """See `Subject`."""
        return on_waveform.RESULTS

    @contextmanager
    def session(self) -> Iterator[Evaluate]:
        """See `Subject`."""
        yield partial(one_by_one, self._results)

    def _results(self, point: Point) -> dict[str, float]:
        values = numbers(self.nominal, self.values, point.values)
        card = self.card_at(point.values)
        found = write_error_rate(
            card, values["voltage"], values["pulse_width"], self.method, self.direction, values["temperature"],
            self.trials, point.seed, edge=values["edge"], tolerance=self.tolerance, methods=METHODS,
        )  # fmt: skip
        rate, low, high = (float(found[name].values[0, 0]) for name in ("write_error_rate", "low", "high"))
        trials = int(found["trials"].values[0, 0])
        return {
            "probability": 1 - rate, "low": 1 - high, "high": 1 - low, "write_error_rate": rate, "trials": trials,
        }  # fmt: skip
