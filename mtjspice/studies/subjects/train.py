"""A junction under a train of equal pulses: what repetition does, by the heat that each pulse leaves behind.

Many junctions share one ideal source in one co-simulated deck. A pulse counts as a toggle if the junction was in the
other state before it; the first half of the train warms up and is not counted.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np

from mtjspice.circuits import pulse_trials
from mtjspice.circuits.simulation import simulate
from mtjspice.device.card import MTJCard
from mtjspice.device.macrospin import Waveform, thermal_states
from mtjspice.errors import InputError
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.worker import CosimWorker
from mtjspice.statistics import wilson
from mtjspice.studies.space import Point, Value
from mtjspice.studies.subjects.base import Evaluate, engine_digest, one_by_one
from mtjspice.studies.subjects.card_values import numbers
from mtjspice.studies.subjects.pulsed import PULSE, PulsedSubject

_RESULTS = ("probability", "low", "high", "trials", "temperature_rise", "temperature_peak")
_BEGIN = 2e-10  # s, before the first pulse


@dataclass(frozen=True)
class TrainSubject(PulsedSubject):
    """``junctions`` copies of a junction under ``pulses`` equal pulses, from P.

    Dimensions are those of `JunctionSubject` and ``period`` (s) from pulse to pulse. Results: ``probability`` that a
    pulse of the second half toggles, its Wilson interval ``low`` and ``high`` (``trials`` pulses, taken as
    independent), and ``temperature_rise`` (K), the mean of the junctions when the last pulse begins, with
    ``temperature_peak`` (K), the largest mean since then.
    """

    card: str | MTJCard = "meram100"
    pulses: int = 8
    junctions: int = 100
    values: Mapping[str, Value] = field(default_factory=dict)
    nominal: ClassVar[Mapping[str, tuple[str, float | None]]] = {**PULSE, "period": ("s", None)}

    def __post_init__(self) -> None:
        for name, count, most in (("pulses", self.pulses, 1000), ("junctions", self.junctions, 250)):
            if not 2 <= count <= most:
                raise InputError(f"{name} = {count} is out of range; allowed: 2 to {most}")
        for name in self.values:
            self.dimension(name)

    def identity(self, values: Mapping[str, Value]) -> Mapping[str, object]:
        """See `Subject`."""
        return {
            "subject": "train", "card": self._card.to_toml(), "pulses": self.pulses, "junctions": self.junctions,
            "values": dict(self.values), "engine": engine_digest(find_libngspice()),
        }  # fmt: skip

    @property
    def units(self) -> Mapping[str, str]:
        """See `Subject`."""
        return {"temperature_rise": "K", "temperature_peak": "K"}

    def result_names(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """See `Subject`."""
        return _RESULTS

    @contextmanager
    def session(self) -> Iterator[Evaluate]:
        """See `Subject`."""
        with CosimWorker(find_libngspice()) as worker:
            yield partial(one_by_one, partial(self._results, worker=worker))

    def _results(self, point: Point, worker: CosimWorker) -> dict[str, float]:
        values = numbers(self.nominal, self.values, point.values)
        card = self.card_at(point.values)
        period, temperature = values["period"], values["temperature"]
        wave = _train(values["voltage"], values["pulse_width"], values["edge"], period, self.pulses)
        rng = np.random.default_rng(point.seed)
        data = simulate(
            pulse_trials.deck(wave, self.junctions), card, seed=point.seed, temperature=temperature, worker=worker,
            initial=thermal_states(card, np.ones(self.junctions), rng, temperature),
            drive_hold=period,  # the spread of the drive is drawn once a pulse
        )  # fmt: skip
        times = data["time"].values
        # just before each pulse, and at the end of the last period
        before = np.searchsorted(times, np.append(_BEGIN + period * np.arange(self.pulses), times[-1]) - 1e-15)
        signs = np.sign(data["magnetization"].values[np.minimum(before, len(times) - 1), :, 2])
        toggled = signs[1:] != signs[:-1]
        counted = toggled[self.pulses // 2 :]
        found = wilson(int(counted.sum()), counted.size)
        rise = data["temperature_rise"].values.mean(axis=1)
        last = before[self.pulses - 1]
        return {
            "probability": found.value, "low": found.low, "high": found.high, "trials": found.trials,
            "temperature_rise": float(rise[last]), "temperature_peak": float(rise[last:].max()),
        }  # fmt: skip


def _train(voltage: float, width: float, edge: float, period: float, pulses: int) -> Waveform:
    if not edge <= width < period - edge:
        raise InputError(f"a pulse of {width:g} s with edges of {edge:g} s does not fit into a period of {period:g} s")
    times, volts = [0.0], [0.0]
    for k in range(pulses):
        begin = _BEGIN + k * period
        times += [begin, begin + edge, begin + width, begin + width + edge]
        volts += [0.0, voltage, voltage, 0.0]
    return Waveform(np.array([*times, _BEGIN + pulses * period]), np.array([*volts, 0.0]))
