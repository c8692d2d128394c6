"""Does a junction switch under the voltage that a circuit puts on it? By the Fokker-Planck equation, or by sampling.

The circuit is simulated with junctions at rest, so that the voltage does not follow the resistance of one that
switches; co-simulation does not have this approximation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.device import fokker_planck, llg, macrospin
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError
from mtjspice.statistics import wilson

METHODS = ("fokker-planck", "macrospin")
RESULTS = ("probability", "low", "high", "write_error_rate", "trials")
# V. Such an error in the voltage at 1.2 V moves the probability of the cards here by less than 1e-3.
MACROSPINS = 1000
CORNER_TOLERANCE = 5e-4

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Switching:
    """How switching is found: ``tolerance`` of Fokker-Planck (absolute), ``trials`` where it is counted.

    ``junctions`` are the numbers of those that are looked at, in the order of the circuit; by default those that the
    bench is about. None for the trials: 1000 macrospins on a waveform, one transient that is co-simulated.
    """

    tolerance: float = 1e-4
    trials: int | None = None
    junctions: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1e-13 <= self.tolerance < 0.1:
            raise InputError(f"tolerance {self.tolerance:g} is out of range; allowed: 1e-13 to 0.1")
        if self.trials is not None and self.trials < 1:
            raise InputError(f"trials = {self.trials} must be at least 1")


def corners(times: Floats, volts: Floats, tolerance: float = CORNER_TOLERANCE) -> tuple[Floats, Floats]:
    """Return few points of a waveform whose straight connection stays within twice ``tolerance`` (V) of it.

    The points are those of Douglas and Peucker (1973), with the distance along the voltage. Then what stands still
    within the tolerance is made to stand still, which is far less work for the Fokker-Planck equation than a slow
    slope, and time at 0 V before and after everything is left out: the junction is in equilibrium before, and both
    methods let it relax at 0 V afterwards.
    """
    t, v = _few(times, volts, tolerance)
    v = _levelled(t, v, tolerance)
    inner = np.zeros(len(v), np.bool_)
    inner[1:-1] = (v[1:-1] == v[:-2]) & (v[1:-1] == v[2:])
    t, v = t[~inner], v[~inner]
    moving = np.flatnonzero(v != 0)
    if not len(moving):
        return t[[0, -1]], v[[0, -1]]
    kept = slice(max(0, moving[0] - 1), moving[-1] + 2)
    return t[kept], v[kept]


def _few(times: Floats, volts: Floats, tolerance: float) -> tuple[Floats, Floats]:
    keep = np.zeros(len(times), np.bool_)
    keep[[0, -1]] = True
    open_pieces = [(0, len(times) - 1)]
    while open_pieces:
        a, b = open_pieces.pop()
        if b - a < 2:
            continue
        line = volts[a] + (volts[b] - volts[a]) * (times[a : b + 1] - times[a]) / (times[b] - times[a])
        distance = np.abs(volts[a : b + 1] - line)
        worst = a + int(np.argmax(distance))
        if distance[worst - a] > tolerance:
            keep[worst] = True
            open_pieces += [(a, worst), (worst, b)]
    return times[keep], volts[keep]


def _levelled(times: Floats, volts: Floats, tolerance: float) -> Floats:
    """Voltages in which neighbours within ``tolerance`` of the first of them have one value; 0 where it is as near."""
    result = volts.copy()
    begin = 0
    while begin < len(volts):
        end = begin + 1
        while end < len(volts) and abs(volts[end] - volts[begin]) <= tolerance:
            end += 1
        span = times[begin:end]
        level = float(np.trapezoid(volts[begin:end], span) / (span[-1] - span[0])) if end - begin > 1 else volts[begin]
        result[begin:end] = 0.0 if abs(level) <= tolerance else level
        begin = end
    return result


def switching(
    method: str, card: MTJCard, times: Floats, volts: Floats, state: int, temperature: float, settings: Switching,
    seed: int,
) -> dict[str, float]:  # fmt: skip
    """Return ``probability`` to end in the other state, its interval ``low`` and ``high``, ``write_error_rate``,
    and the number of ``trials`` that they rest on, 0 for the Fokker-Planck equation.

    ``times`` (k,) s and ``volts`` (k,) V are the waveform on the junction, which starts in the thermal distribution
    around ``state`` (1 P, -1 AP) and relaxes at 0 V afterwards. The interval is Wilson's (95 %) of the macrospin's
    trials, or the value and its estimated error.
    """
    t, v = corners(times, volts)
    if method == "macrospin":
        trials = settings.trials or MACROSPINS
        row = llg.parameters(card, temperature)
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(1,))))
        initial = macrospin.thermal_states(card, np.full(trials, float(state)), rng, temperature)
        outcome = macrospin.run(row, initial, t, v, seed)
        return counted(int(np.count_nonzero(outcome.states != state)), trials)
    # the equation has no noise step; a row needs one, which must not limit the fields
    row = llg.parameters(card, temperature, 1e-16)
    solved = fokker_planck.follow(row, t, v, state=state, tolerance=settings.tolerance)
    value, stayed, error = float(solved.switched[0]), float(solved.stayed[0]), float(solved.error[0])
    low, high = max(value - error, 0.0), min(value + error, 1.0)
    return {"probability": value, "low": low, "high": high, "write_error_rate": stayed, "trials": 0}


def counted(switched: int, trials: int) -> dict[str, float]:
    """Results of a count, see `switching`."""
    found = wilson(switched, trials)
    stayed = (trials - switched) / trials
    return {
        "probability": found.value, "low": found.low, "high": found.high, "write_error_rate": stayed, "trials": trials,
    }  # fmt: skip
