"""Perturb rails at which a generator gives as many ones as zeros: predicted, trimmed, and held against drift."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mtjspice.circuits.benches.trng import GeneratedBits, SttTrngCycles, TrngCycles, generate
from mtjspice.circuits.testbench import INSTANCE
from mtjspice.device import fokker_planck, llg
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError
from mtjspice.statistics import wilson

if TYPE_CHECKING:
    import xarray

PROBABILITY_TOLERANCE = 1e-3  # of the Fokker-Planck equation
_THINNING = 2e-4  # V, by which the waveform that it solves may differ from the circuit's: 0.001 in P
_NO_NOISE_STEP = 1e-16  # s; the Fokker-Planck equation has none
_POINTS = 5  # rails in one still run
_SPANS = (0.25, 0.08)  # of the rail, to either side: first look, then closer
_ROUNDS = 6  # of the first look, before there is no rail
_EXTREME = 1e-3  # probabilities beyond it say little about where 1/2 is
_INITIAL, _TRIM, _REGULATE = 1, 2, 3  # what seeds are for; part of the results

Floats = NDArray[np.float64]


# --- prediction ----------------------------------------------------------------------------------------------


def predicted_probability(bench: TrngCycles, *, tolerance: float = PROBABILITY_TOLERANCE) -> Floats:
    """Probability (channels,) that the perturbation leaves each junction in AP, by the Fokker-Planck equation.

    The voltage is that of a still run of the circuit, with all junctions in P: that a junction's resistance grows while
    it switches is left out. ``tolerance`` is absolute.
    """
    still = replace(bench, cycles=1, states=(1,) * bench.channels)
    data = still.testbench().run()
    begin, end = still.windows(0)["perturb"]
    time = data["time"].values
    inside = (time >= begin) & (time <= end)
    junctions = still.circuit.junctions(INSTANCE)
    volts = np.stack([(data[f"v({one.top})"] - data[f"v({one.bottom})"]).values[inside] for one in junctions])
    kept = _corners(time[inside], volts, _THINNING)
    rows = {card: llg.parameters(card, bench.temperature, _NO_NOISE_STEP) for card in set(bench.circuit.devices)}
    found = fokker_planck.follow(
        np.stack([rows[card] for card in bench.circuit.devices]), time[inside][kept], volts[:, kept], state=1,
        tolerance=tolerance,
    )  # fmt: skip
    return np.asarray(found.switched)


def _corners(time: Floats, volts: Floats, tolerance: float) -> NDArray[np.int64]:
    """Indices of the points that describe all waveforms (n, k) within ``tolerance`` (V), by Ramer and Douglas-Peucker.

    The equation is solved from corner to corner, and a simulator puts far more than are needed.
    """
    kept, parts = {0, len(time) - 1}, [(0, len(time) - 1)]
    while parts:
        first, last = parts.pop()
        share = (time[first : last + 1] - time[first]) / (time[last] - time[first])
        line = volts[:, first, None] * (1 - share) + volts[:, last, None] * share
        deviation = np.abs(volts[:, first : last + 1] - line).max(axis=0)
        worst = first + int(deviation.argmax())
        if deviation.max() > tolerance:
            kept.add(worst)
            parts += [(first, worst), (worst, last)]
    return np.array(sorted(kept))


@dataclass(frozen=True, eq=False)
class Prediction:
    """Where P = 1/2 is expected: ``amplitude`` (V) of the rail and ``slope`` (1/V) dP/d(rail) there.

    ``rails`` (n,) V and ``probabilities`` (n,) are the points from which this was found.
    """

    amplitude: float
    slope: float
    rails: Floats
    probabilities: Floats


def predicted_amplitude(bench: SttTrngCycles) -> Prediction:
    """Find the rail at which the macrospin, under the voltage that the circuit puts on it, ends in AP half of the time.

    For the nominal card; the channels of one still run get different rails. Raises InputError where no rail up to the
    supply does.
    """
    centre = bench.amplitude
    for _ in range(_ROUNDS):
        rails, found = _curve(bench, centre, _SPANS[0])
        if found.min() <= 0.5 <= found.max():
            break
        if rails[-1] >= bench.supply and found.max() < 0.5:
            raise InputError(
                f"no perturb rail of {bench.circuit.name} reaches P = 1/2: at the supply of {bench.supply:g} V "
                f"P is {found[-1]:.3g}"
            )
        centre = float(rails[-1] if found.max() < 0.5 else rails[0])
    else:
        raise InputError(f"no perturb rail of {bench.circuit.name} with P = 1/2 was found near {bench.amplitude:g} V")
    centre = float(np.interp(0.5, found, rails))
    rails, found = _curve(bench, centre, _SPANS[1])
    # the normal quantile of P is nearly straight in the rail
    slope, level = np.polyfit(rails - centre, ndtri(np.clip(found, _EXTREME, 1 - _EXTREME)), 1)
    return Prediction(float(centre - level / slope), float(slope / np.sqrt(2 * np.pi)), rails, found)


def _curve(bench: SttTrngCycles, centre: float, span: float) -> tuple[Floats, Floats]:
    """Rails around one, and the probabilities at them."""
    rails = np.clip(centre * np.linspace(1 - span, 1 + span, _POINTS), 0.0, bench.supply)
    circuit = replace(bench.circuit, channels=_POINTS, cards=())
    probe = replace(bench, circuit=circuit, amplitudes=tuple(rails.tolist()), states=())
    return rails, predicted_probability(probe)


# --- trimming ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Trim:
    """How a controller found the rails.

    ``rails`` (rounds, channels) V were in use while ``ones`` (rounds, channels) out of ``cycles`` bits were counted;
    ``averaged`` (rounds, channels) says over how many rounds the following rail is the mean (0 for those that were too
    far off to count). ``amplitudes`` (channels,) V are the rails at the end; P at them is 1/2 -+ `half_width`
    (channels,) with ``confidence``, which was to be ``tolerance`` at most.
    """

    rails: Floats
    ones: NDArray[np.int64]
    averaged: NDArray[np.int64]
    cycles: int
    amplitudes: tuple[float, ...]
    tolerance: float
    confidence: float

    @property
    def half_width(self) -> Floats:
        """Of the interval of P at the last rails; infinite for a channel that never came near."""
        bits = self.averaged[-1] * self.cycles
        return _half_width(bits, self.confidence)

    @property
    def done(self) -> bool:
        """Whether every channel is as near to 1/2 as was asked for."""
        return bool(np.all(self.half_width <= self.tolerance))

    def dataset(self) -> "xarray.Dataset":
        """Rails, proportions and Wilson intervals over (round, channel)."""
        import xarray

        both = ("round", "channel")
        counts = [[wilson(int(ones), self.cycles, self.confidence) for ones in row] for row in self.ones]
        return xarray.Dataset(
            {
                "rail": (both, self.rails, {"units": "V"}),
                "probability": (both, self.ones / self.cycles),
                "low": (both, [[one.low for one in row] for row in counts]),
                "high": (both, [[one.high for one in row] for row in counts]),
                "averaged": (both, self.averaged),
                "amplitude": ("channel", np.array(self.amplitudes), {"units": "V"}),
                "half_width": ("channel", self.half_width),
            },
            attrs={"cycles": self.cycles, "confidence": self.confidence, "tolerance": self.tolerance},
        )


def trim(
    bench: SttTrngCycles, seed: int, slope: float, *, tolerance: float = 0.1, rounds: int = 20,
    confidence: float = 0.95,
) -> Trim:  # fmt: skip
    """Find the rail of each channel as a controller would, from counted bits alone.

    A round is ``bench.cycles`` cycles of all channels, from the rails that the last one left (the first: the bench's).
    It says that 1/2 is at rail + (1/2 - P)/``slope`` (1/V, from `predicted_amplitude`). While Wilson's interval of a
    round is clear of 1/2 the rail goes there; from the first one on that contains 1/2, it is the mean of all that was
    said since, which makes the n-th step smaller by 1/n (Robbins and Monro 1951). It ends when the interval of P at all
    rails is within 1/2 -+ ``tolerance``, or after ``rounds``. Rails stay between 0 and the supply.

    Raises InputError for a tolerance, slope or number of rounds that makes no sense.
    """
    _check_trim(slope, tolerance, rounds, confidence)
    rails = np.array(bench.rails)
    used, counted, averages = [], [], []
    averaged = np.zeros(bench.channels, np.int64)
    last: GeneratedBits | None = None
    for number in range(rounds):
        last = generate(
            replace(bench, amplitudes=tuple(rails.tolist())), _word(seed, _TRIM, number),
            initial=None if last is None else last.magnetization,
        )  # fmt: skip
        intervals = [wilson(int(ones), bench.cycles, confidence) for ones in last.ones]
        near = np.array([one.low <= 0.5 <= one.high for one in intervals])
        averaged = np.where(near | (averaged > 0), averaged + 1, 0)
        used.append(rails)
        counted.append(last.ones)
        averages.append(averaged)
        step = (0.5 - last.ones / bench.cycles) / slope
        rails = np.clip(rails + step / np.maximum(averaged, 1), 0.0, bench.supply)
        if np.all(_half_width(averaged * bench.cycles, confidence) <= tolerance):
            break
    return Trim(
        np.array(used), np.array(counted), np.array(averages), bench.cycles, tuple(rails.tolist()), tolerance,
        confidence,
    )  # fmt: skip


def _half_width(bits: NDArray[np.int64], confidence: float) -> Floats:
    """Of the interval of P around 1/2 after so many bits at rails near it."""
    with np.errstate(divide="ignore"):
        return np.asarray(ndtri(0.5 + confidence / 2) / (2 * np.sqrt(bits)))


def _check_trim(slope: float, tolerance: float, rounds: int, confidence: float) -> None:
    if not 0 < slope < np.inf:
        raise InputError(f"slope {slope:g} /V must be positive and finite")
    if not 0 < tolerance < 0.5:
        raise InputError(f"tolerance {tolerance:g} is out of range; allowed: between 0 and 0.5")
    if rounds < 1 or rounds != int(rounds):
        raise InputError(f"number of rounds {rounds!r} must be a whole number of 1 or more")
    if not 0 < confidence < 1:
        raise InputError(f"confidence {confidence:g} is out of range; allowed: between 0 and 1")


# --- feedback ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiasFeedback:
    """Integral action: every bit moves its channel's rail by ``gain`` (V) times 1/2 less the bit, within limits (V).

    The rail follows with a time constant of 1/(gain dP/d(rail)) bits, and its own noise makes P scatter by about
    sqrt(gain dP/d(rail) / 8): fast or quiet.
    """

    gain: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.gain < np.inf:
            raise InputError(f"gain {self.gain:g} V per bit must not be negative, and finite")
        if not 0 <= self.low < self.high < np.inf:
            raise InputError(f"limits of the rail, {self.low:g} V to {self.high:g} V, must grow and not be negative")

    def next(self, rails: Floats, bits: NDArray[np.uint8]) -> Floats:
        """Rails (channels,) after ``bits`` (cycles, channels)."""
        return np.asarray(np.clip(rails + self.gain * (0.5 - bits).sum(axis=0), self.low, self.high))


@dataclass(frozen=True, eq=False)
class Regulation:
    """Rails (updates, channels) V that were in use, and the bits (updates, cycles, channels) that they gave."""

    rails: Floats
    bits: NDArray[np.uint8]


def regulate(
    bench: SttTrngCycles, feedback: BiasFeedback, seed: int, updates: int, *,
    devices: Callable[[int], tuple[MTJCard, ...]] | None = None,
) -> Regulation:  # fmt: skip
    """Run a generator whose rails ``feedback`` changes after every ``bench.cycles`` cycles.

    Each piece is a transient from the magnetization that the one before left. ``devices`` (update) gives the cards of
    its channels, for devices that drift; by default they stay as they are. Raises InputError for fewer than one update
    and for limits above the supply.
    """
    if updates < 1 or updates != int(updates):
        raise InputError(f"number of updates {updates!r} must be a whole number of 1 or more")
    if feedback.high > bench.supply:
        raise InputError(f"limit of the rail {feedback.high:g} V is above the supply of {bench.supply:g} V")
    rails = np.clip(np.array(bench.rails), feedback.low, feedback.high)
    used, given = [], []
    last: GeneratedBits | None = None
    for update in range(updates):
        circuit = bench.circuit if devices is None else replace(bench.circuit, cards=devices(update))
        last = generate(
            replace(bench, circuit=circuit, amplitudes=tuple(rails.tolist())), _word(seed, _REGULATE, update),
            initial=None if last is None else last.magnetization,
        )  # fmt: skip
        used.append(rails)
        given.append(last.bits)
        rails = feedback.next(rails, last.bits)
    return Regulation(np.array(used), np.array(given))


def _word(seed: int, *purpose: int) -> int:
    """A seed for one transient, independent of all others."""
    if not 0 <= seed < 2**32:
        raise InputError(f"seed {seed} is out of range; allowed: 0 to {2**32 - 1}")
    return int(np.random.SeedSequence(seed, spawn_key=purpose).generate_state(1)[0])
