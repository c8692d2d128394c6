"""Junctions that go through reset, perturb and rest again and again, and their temperature with them.

The compiled equation of the device, one junction after the other, with one thermal resistance and capacitance.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from mtjspice.papers.stt_trng.devices import CARD, RATE

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard

CURIE = 1120.0  # K, assumed
TIME_CONSTANT = 1e-8  # s, assumed: the slow end of what is reported for a junction alone
EDGE = 5e-11
NOISE_STEP = 2e-12  # s
FOLLOWED = 2e-8  # s after a perturbation; in a longer rest only heat flows
WARM_UP = 5  # time constants that are left out of counts, and two cycles
SURE = 0.999  # probability of a reset, where the voltage is looked for
LOWEST, HIGHEST = 0.4, 6.0  # V
TOLERANCE = 1e-4  # of the Fokker-Planck equation
SLOW, FAST = "100 kHz", "33 MHz"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cycle:
    """Reset (V, s), pause (s), perturb (V, s), and the period (s); forward voltage sets P."""

    reset: float
    reset_width: float
    pause: float
    perturb: float
    perturb_width: float
    period: float

    def corners(self) -> tuple[Floats, Floats]:
        """Times (s) and voltages of a cycle."""
        second = self.reset_width + self.pause
        times = [0.0, EDGE, self.reset_width, self.reset_width + EDGE,
                 second, second + EDGE, second + self.perturb_width, second + self.perturb_width + EDGE]  # fmt: skip
        volts = [0.0, self.reset, self.reset, 0.0, 0.0, -self.perturb, -self.perturb, 0.0]
        return np.array(times), np.array(volts)


@lru_cache
def cycles() -> dict[str, Cycle]:
    """Cycles of 10 ns pulses at three rates, of shorter ones that fit into 10, 5 and 2 ns."""
    from mtjspice.device.half_voltage import half_voltage

    long, short = (abs(half_voltage(CARD, width).voltage) for width in (1e-8, 3e-9))
    return {
        SLOW: Cycle(0.8, 8e-9, 6e-9, long, 1e-8, 1 / RATE),
        "10 MHz": Cycle(0.8, 8e-9, 6e-9, long, 1e-8, 1e-7),
        FAST: Cycle(0.8, 8e-9, 6e-9, long, 1e-8, 3e-8),
        "100 MHz": Cycle(1.4, 3e-9, 1.5e-9, short, 3e-9, 1e-8),
        "200 MHz": Cycle(needed(1.6e-9, SURE), 1.6e-9, 0.7e-9, needed(1.6e-9, 0.5), 1.6e-9, 5e-9),
        "500 MHz": Cycle(needed(7e-10, SURE), 7e-10, 2e-10, needed(7e-10, 0.5), 7e-10, 2e-9),
    }


def needed(width: float, probability: float) -> float:
    """Voltage (V) at which a pulse of ``width`` first switches with a probability, from equilibrium, by Fokker-Planck.

    The logit is nearly straight between points of a grid, which is made finer twice; `HIGHEST` where none suffices.
    """
    from mtjspice.device.switching import switching_probability

    card, wanted = _card(0.0, TIME_CONSTANT), float(logit(probability))
    low, high = LOWEST, HIGHEST
    for _ in range(3):
        volts = np.linspace(low, high, 13)
        found = switching_probability(card, -volts, width, temperature=300.0, tolerance=TOLERANCE)
        level = logit(np.clip(found.probability.values[:, 0], 1e-12, 1 - 1e-12))
        if level.max() < wanted:
            return HIGHEST
        k = max(1, int(np.argmax(level >= wanted)))
        low, high = float(volts[k - 1]), float(volts[k])
    return float(np.interp(wanted, level[k - 1 : k + 1], volts[k - 1 : k + 1]))


def _probability(card: "MTJCard", volts: float, width: float, temperature: float) -> float:
    from mtjspice.device.switching import switching_probability

    found = switching_probability(card, -volts, width, temperature=temperature, tolerance=TOLERANCE)
    return float(found.probability.item())


def _card(resistance: float, constant: float) -> "MTJCard":
    from mtjspice.device.card import load_card

    card = load_card(CARD).replace(curie_temperature=CURIE)
    if resistance:
        return card.replace(thermal_resistance=resistance, thermal_capacitance=constant / resistance)
    return card


def warm_probability(cycle: Cycle, rise: float) -> float:
    """P of the perturbation from equilibrium in a film that is warmer by ``rise`` (K) throughout; Fokker-Planck."""
    return _probability(_card(0.0, TIME_CONSTANT), cycle.perturb, cycle.perturb_width, 300.0 + rise)


@lru_cache
def sensitivity(cycle: Cycle) -> float:
    """dP/dT (1/K) of the perturbation at 300 K, the film and the field heated together."""
    return (warm_probability(cycle, 3.0) - warm_probability(cycle, -3.0)) / 6


@dataclass(frozen=True)
class Followed:
    """Of many junctions from rest, (junctions, cycles): bits, rises (K) at both ends of the perturbation, resets.

    The first ``warm_up`` cycles are left out of counts.
    """

    bits: NDArray[np.uint8]
    before: Floats
    after: Floats
    failed: NDArray[np.bool_]
    warm_up: int

    @property
    def counted(self) -> NDArray[np.uint8]:
        """The bits that count."""
        return self.bits[:, self.warm_up :]

    @property
    def alike(self) -> bool:
        """Whether all bits that count are equal."""
        return bool(self.counted.min() == self.counted.max())

    @property
    def rise(self) -> float:
        """Mean rise (K) when the perturbation begins."""
        return float(self.before[:, self.warm_up :].mean())

    @property
    def failed_resets(self) -> float:
        """Fraction of resets that leave AP."""
        return float(self.failed[:, self.warm_up :].mean())

    def difference(self, lag: int = 1) -> float:
        """How much warmer (K) a junction is before the perturbation if its bit ``lag`` cycles ago was a one.

        0 where all bits are alike.
        """
        last, rises = self.bits[:, self.warm_up : -lag], self.before[:, self.warm_up + lag :]
        if last.min() == last.max():
            return 0.0
        return float(rises[last == 1].mean() - rises[last == 0].mean())

    def correlation(self, lag: int = 1) -> tuple[float, float]:
        """Correlation of bits ``lag`` apart within junctions, and half of its 95 % interval; 0 and 1 for equal bits."""
        if self.alike:
            return 0.0, 1.0
        x = self.counted - self.counted.mean()
        pairs = x[:, lag:] * x[:, :-lag]
        return float(pairs.mean() / (x**2).mean()), 1.96 / np.sqrt(pairs.size)


def warming(cycle: Cycle, constant: float) -> int:
    """Cycles until the temperature is that of many."""
    return 2 + int(np.ceil(WARM_UP * constant / cycle.period))


def follow(
    cycle: Cycle, resistance: float, junctions: int, count: int, seed: int, constant: float = TIME_CONSTANT
) -> Followed:
    """Follow junctions, cold and in equilibrium at first, through ``count`` cycles after those that warm them up."""
    from mtjspice.device import llg, macrospin

    warm_up = warming(cycle, constant)
    count += warm_up
    card = _card(resistance, constant)
    row = llg.parameters(card, 300.0, NOISE_STEP)
    times, volts = cycle.corners()
    rng = np.random.default_rng([seed, 7])
    start = macrospin.thermal_states(card, np.where(np.arange(junctions) % 2, 1, -1), rng)
    bits, failed = np.zeros((junctions, count), np.uint8), np.zeros((junctions, count), np.bool_)
    before, after = np.zeros((junctions, count)), np.zeros((junctions, count))
    rest = min(cycle.period, times[-1] + FOLLOWED)
    left = np.exp(-(cycle.period - rest) / constant)
    for junction in range(junctions):
        state = np.zeros(llg.STATE)
        state[:3] = start[junction]
        for number in range(count):
            begin = number * rest
            for k in range(len(times) - 1):
                llg.advance(row, seed, junction, state, begin + times[k], begin + times[k + 1], volts[k], volts[k + 1])
                if k == 3:
                    before[junction, number] = state[llg.RISE]
                    failed[junction, number] = state[2] < 0
            after[junction, number] = state[llg.RISE]
            llg.advance(row, seed, junction, state, begin + times[-1], begin + rest, 0.0, 0.0)
            state[llg.RISE] *= left
            bits[junction, number] = state[2] < 0
    return Followed(bits, before, after, failed, warm_up)
