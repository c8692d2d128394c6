"""Arrays of junctions emulated as Markov chains, with what makes real ones worse than fair coins.

The logit of the probability of a one is what moves: a device whose half voltage V50 is higher by dV has it lowered by
dV / s, s being the width of its switching curve P = 1 / (1 + exp(-(V - V50) / s)). A spread of 5 % of a V50 of 0.28 V
with s = 29 mV is 0.48.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log10, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mtjspice.bits.sources.base import CycleSource, check_lanes, check_seed
from mtjspice.device.chain import ChainModel
from mtjspice.device.chain_sampler import ChainSampler
from mtjspice.errors import InputError, choose

Floats = NDArray[np.float64]
Scope = Literal["device", "row", "global"]
SCOPES = ("device", "row", "global")
_CERTAIN = 60.0  # logit of a stuck device
_WIDEST = 100.0  # of a deviation, logit
_SLOWEST = 1e15  # correlation time, cycles: months at a gigahertz


@dataclass(frozen=True)
class Feedback:
    """A controller that holds the ones at 50 %: after each window it corrects the drive of its devices.

    correction -= ``gain`` * 4 (fraction of ones - 1/2), in logits, where 4 is the inverse slope of the logistic: a gain
    of 1 removes the whole error that was seen. ``scope`` says whose ones are counted and who is corrected: each device,
    each row of ``row`` devices, or all together. ``step`` is the resolution of the DAC that applies it, and
    ``reach`` its range (both in logits; 0: ideal, 0: unlimited).

    With fair devices and windows of W bits, n devices together, the corrections wander by the noise of counting: the
    standard deviation of the probability is sqrt(gain / (2 - gain) / (4 n W)).
    """

    scope: str = "device"
    gain: float = 0.25
    row: int = 16
    step: float = 0.0
    reach: float = 0.0

    def __post_init__(self) -> None:
        choose("scope of a feedback", self.scope, SCOPES)
        if not 0 < self.gain < 2:
            raise InputError(f"the gain {self.gain:g} of a feedback must lie between 0 and 2, where it is stable")
        if self.row < 1 or not self.step >= 0 or not self.reach >= 0:
            raise InputError("a feedback has rows of 1 device or more, and a step and reach that are not negative")


@dataclass(frozen=True)
class Imperfections:
    """What differs from identical, constant, memoryless devices; everything is in logits of the probability.

    ``spread``, ``toggle_spread``: standard deviation between devices of a shift of P(1) (of V50), and of a shift of
    p01 and p10 together (pulse width). ``walk``: random walk of V50, standard deviation after one cycle (it grows with
    the square root). ``flicker``: 1/f noise of V50, standard deviation per decade of frequency, from one interval down
    to ``slowest`` cycles. ``heating``: shift by a decaying mean of the past bits (self-heating: AP and P dissipate
    differently), +-heating for constant bits, with a memory of ``memory`` cycles. ``stuck``: fraction of devices that
    always give the same bit, half of them 0 and half 1. ``feedback``: controller, or None. Slow changes and the
    controller act every ``interval`` cycles, which is the controller's window.
    """

    spread: float = 0.0
    toggle_spread: float = 0.0
    walk: float = 0.0
    flicker: float = 0.0
    slowest: float = 1e7
    heating: float = 0.0
    memory: float = 10.0
    stuck: float = 0.0
    feedback: Feedback | None = None
    interval: int = 1000

    def __post_init__(self) -> None:
        for name in ("spread", "toggle_spread", "walk", "flicker"):
            if not 0 <= getattr(self, name) <= _WIDEST:
                raise InputError(f"{name} must lie between 0 and {_WIDEST:g}, not be {getattr(self, name)}")
        if not abs(self.heating) <= 10 or not self.memory > 0:
            raise InputError("heating must lie between -10 and 10 and its memory be positive")
        if not 0 <= self.stuck <= 1:
            raise InputError(f"the fraction of stuck devices must lie between 0 and 1, not {self.stuck}")
        if self.interval < 1 or not self.interval <= self.slowest <= _SLOWEST:
            raise InputError(
                f"the interval must be 1 cycle or more and the slowest flicker between it and {_SLOWEST:g} cycles: "
                f"{self.interval} and {self.slowest:g}"
            )

    @property
    def slow(self) -> bool:
        """Whether anything changes from interval to interval."""
        return bool(self.walk or self.flicker or self.feedback is not None)


class EmulatedSource(CycleSource):
    """Devices of a `ChainModel` with `Imperfections`; a model of one lane stands for ``lanes`` devices alike.

    The same seed gives the same bits, however they are read.
    """

    origin = "emulated"

    def __init__(
        self,
        model: ChainModel,
        seed: int,
        lanes: int | None = None,
        imperfections: Imperfections | None = None,
        provenance: Mapping[str, str | int | float] | None = None,
    ) -> None:
        self.lanes = check_lanes(model.lanes if lanes is None else lanes)
        if model.lanes not in (1, self.lanes):
            raise InputError(f"a model of {model.lanes} devices cannot stand for {self.lanes} lanes")
        self._flaws = flaws = imperfections or Imperfections()
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(check_seed(seed), spawn_key=(0xB17,))))
        with np.errstate(divide="ignore"):
            self._logit01, self._logit10 = (
                np.clip(np.broadcast_to(logit(p), self.lanes), -_CERTAIN, _CERTAIN) for p in (model.p01, model.p10)
            )
        self._toggle = flaws.toggle_spread * rng.standard_normal(self.lanes)
        self._offset = flaws.spread * rng.standard_normal(self.lanes)
        self._stuck = _stuck(flaws.stuck, self.lanes, rng)
        self._flicker = _Flicker(flaws.flicker, flaws.interval, flaws.slowest, self.lanes, rng)
        self._walk = np.zeros(self.lanes)
        self._correction = np.zeros(self.lanes)
        self._heat = np.zeros(self.lanes)
        self._ones = np.zeros(self.lanes, np.int64)
        self._inside = 0  # cycles of the present interval that are done
        p01, p10 = expit(self._logits()[0]), expit(self._logits()[1])
        self._sampler = ChainSampler(p01 / (p01 + p10), rng)
        self.provenance = {
            "source": "emulated", "seed": seed, **_noted(flaws), **(provenance or {}),
        }  # fmt: skip

    def cycles(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` cycles, shape (count, lanes)."""
        result = np.empty((count, self.lanes), np.uint8)
        begin = 0
        while begin < count:
            end = min(count, begin + self._flaws.interval - self._inside) if self._flaws.slow else count
            part = result[begin:end]
            logit01, logit10 = self._logits()
            if self._flaws.heating:
                self._sampler.fill_with_memory(
                    logit01, logit10, self._flaws.heating, exp(-1 / self._flaws.memory), self._heat, part
                )
            else:
                self._sampler.fill(expit(logit01), expit(logit10), part)
            if self._flaws.feedback is not None:
                self._ones += part.sum(axis=0, dtype=np.int64)
            self._inside += end - begin
            begin = end
            if self._flaws.slow and self._inside == self._flaws.interval:
                self._step()
        return result

    def shifts(self) -> Floats:
        """What the logit of a one of each device is shifted by now, memory apart; shape (lanes,)."""
        return self._offset + self._walk + self._flicker.value() + self._applied()

    def _logits(self) -> tuple[Floats, Floats]:
        shift = self.shifts()
        logit01, logit10 = self._logit01 + self._toggle + shift, self._logit10 + self._toggle - shift
        stuck = self._stuck != 0
        logit01[stuck], logit10[stuck] = self._stuck[stuck], -self._stuck[stuck]
        return logit01, logit10

    def _applied(self) -> Floats:
        """The correction as the DAC gives it."""
        feedback = self._flaws.feedback
        if feedback is None or not feedback.step:
            return self._correction
        return feedback.step * np.rint(self._correction / feedback.step)

    def _step(self) -> None:
        """Everything slow moves on by one interval."""
        flaws, noise = self._flaws, self._sampler.slow
        if flaws.walk:
            self._walk += flaws.walk * sqrt(flaws.interval) * noise.standard_normal(self.lanes)
        self._flicker.step(noise)
        if flaws.feedback is not None:
            feedback = flaws.feedback
            self._correction -= feedback.gain * 4 * (self._seen(feedback) / flaws.interval - 0.5)
            if feedback.reach:
                np.clip(self._correction, -feedback.reach, feedback.reach, out=self._correction)
            self._ones[:] = 0
        self._inside = 0

    def _seen(self, feedback: Feedback) -> Floats:
        """Mean number of ones of the devices that share a controller, for each device."""
        if feedback.scope == "device":
            return self._ones.astype(np.float64)
        if feedback.scope == "global":
            return np.full(self.lanes, self._ones.mean())
        starts = np.arange(0, self.lanes, feedback.row)
        sizes = np.diff(np.append(starts, self.lanes))
        return np.repeat(np.add.reduceat(self._ones, starts) / sizes, sizes)


class _Flicker:
    """1/f noise as a sum of Ornstein-Uhlenbeck processes whose correlation times are an octave apart."""

    def __init__(self, per_decade: float, interval: int, slowest: float, lanes: int, rng: np.random.Generator) -> None:
        octaves = int(np.log2(slowest / interval)) + 2 if per_decade else 0
        # from half an interval, so that the spectrum is straight up to the fastest change that there is
        times = interval / 2 * 2.0 ** np.arange(octaves)
        # an octave has log10(2) of the variance of a decade
        self._deviation = per_decade * sqrt(log10(2))
        self._kept = np.exp(-interval / times)[:, None]
        self._state = self._deviation * rng.standard_normal((octaves, lanes))

    def value(self) -> Floats:
        return np.asarray(self._state.sum(axis=0))

    def step(self, rng: np.random.Generator) -> None:
        if self._state.size:
            fresh = self._deviation * np.sqrt(1 - self._kept**2)
            self._state = self._kept * self._state + fresh * rng.standard_normal(self._state.shape)


def _stuck(fraction: float, lanes: int, rng: np.random.Generator) -> Floats:
    """Logit of the stuck devices, 0 for those that work; whole devices, the nearest number to the fraction."""
    result = np.zeros(lanes)
    if fraction:
        chosen = rng.permutation(lanes)[: round(fraction * lanes)]
        result[chosen] = np.where(np.arange(len(chosen)) % 2, _CERTAIN, -_CERTAIN)
    return result


def _noted(flaws: Imperfections) -> dict[str, str | int | float]:
    """The imperfections that are there."""
    noted: dict[str, str | int | float] = {
        name: getattr(flaws, name)
        for name in ("spread", "toggle_spread", "walk", "flicker", "heating", "stuck")
        if getattr(flaws, name)
    }
    if flaws.heating:
        noted["memory"] = flaws.memory
    if flaws.flicker:
        noted["slowest"] = flaws.slowest
    if flaws.feedback is not None:
        noted["feedback"] = str(flaws.feedback)
    if flaws.slow:
        noted["interval"] = flaws.interval
    return noted
