"""Spreads of a programmed probability: slopes with respect to the junction's values, and mismatch of the circuit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.findings import Value

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard

Floats = NDArray[np.float64]
CARD = "meram100"
TARGETS = (0.05, 0.28, 0.5)  # about the two highest bits of a product word, and a fair one
PARAMETERS = {
    "interfacial_anisotropy": "interfacial anisotropy",
    "saturation_magnetization": "magnetization",
    "free_layer_thickness": "thickness of the free layer",
    "vcma_coefficient": "VCMA coefficient",
    "barrier_thickness": "thickness of the barrier",
    "bias_field": "in-plane field",
    "diameter": "diameter",
    "damping": "damping",
}
STEP = 0.002  # relative, of a parameter
WIDE = {"damping": 0.05}  # of what hardly matters
SHORT = ("interfacial_anisotropy", "saturation_magnetization", "free_layer_thickness")  # a tenth of that: steep
LEFT_OVER = "effective anisotropy"
EVERY = 1e-4  # relative spread of every parameter of drawn devices
VOLTAGE_SPREAD = 0.02  # of V50, relative; assumed
CONTROL = 2.2  # V, pulses of about 0.40 ns


@dataclass(frozen=True)
class Slope:
    """dP over the relative change of a parameter where P is ``target``, with its standard ``error``."""

    name: str
    target: float
    slope: float
    error: float
    trials: int

    @property
    def _steepness(self) -> float:
        """|dP|, or what cannot be told from zero."""
        return max(abs(self.slope), self.error, 1e-6)

    def allowed(self, spread: float) -> float:
        """Relative spread of the parameter alone that spreads P by ``spread``."""
        return spread / self._steepness

    def value(self, spread: float) -> Value:
        """`allowed` with limits; those of a slope that may be zero end at ten times the value."""
        low, high = self._steepness + 1.96 * self.error, self._steepness - 1.96 * self.error
        return Value(
            value=self.allowed(spread), unit="%", low=spread / low, high=spread / max(high, self._steepness / 10),
            kind="95 %", digits=2,
        )  # fmt: skip


def slopes(trials: int, seed: int) -> list[Slope]:
    """Central differences of macrospin counts; all runs of an operating point meet the same noise."""
    from mtjspice.device.card import load_card

    card = load_card(CARD)
    found = []
    for target in TARGETS:
        volts = _voltage(card, target, trials, seed)
        pairs = [("pulse voltage", STEP, (card, volts * (1 + STEP)), (card, volts * (1 - STEP)))]
        pairs.append((LEFT_OVER, STEP, (_left_over(card, STEP), volts), (_left_over(card, -STEP), volts)))
        for key, name in PARAMETERS.items():
            step = STEP / 10 if key in SHORT else WIDE.get(key, STEP)
            up, down = (card.replace(**{key: getattr(card, key) * (1 + sign * step)}) for sign in (1, -1))
            pairs.append((name, step, (up, volts), (down, volts)))
        for name, step, above, below in pairs:
            high, low = (_switched(*one, trials, seed).astype(np.float64) for one in (above, below))
            moved = (high - low) / (2 * step)
            found.append(Slope(name, target, float(moved.mean()), float(moved.std() / np.sqrt(trials)), trials))
    return found


def _left_over(card: "MTJCard", relative: float) -> "MTJCard":
    """The card with the anisotropy that is left (interfacial less shape) changed, by the interfacial one."""
    from mtjspice.device.derived import effective_anisotropy

    return card.replace(interfacial_anisotropy=card.interfacial_anisotropy + relative * effective_anisotropy(card))


@dataclass(frozen=True)
class Drawn:
    """Standard deviation of P at P = 1/2 of devices that were drawn, its 95 % limits, and what slopes predict."""

    deviation: float
    low: float
    high: float
    predicted: float


def drawn(slopes: list[Slope], devices: int, trials: int, seed: int) -> tuple[Drawn, Drawn]:
    """Devices with `EVERY` on each parameter, and devices whose V50 has `VOLTAGE_SPREAD`."""
    from mtjspice.device import variation
    from mtjspice.device.card import load_card

    card = load_card(CARD)
    volts = _voltage(card, 0.5, trials, seed)
    rng = np.random.default_rng(seed)
    cards = variation.draw(card, devices, rng, dict.fromkeys(PARAMETERS, EVERY))
    every = [_switched(one, volts, trials, seed).mean() for one in cards]
    # a device whose V50 is higher meets, relative to it, a lower voltage
    shifted = volts / (1 + VOLTAGE_SPREAD * rng.standard_normal(devices))
    other = [_switched(card, one, trials, seed).mean() for one in shifted.tolist()]
    middle = {one.name: one.slope for one in slopes if one.target == 0.5}
    together = EVERY * float(np.sqrt(sum(middle[name] ** 2 for name in PARAMETERS.values())))
    return _drawn(every, together), _drawn(other, VOLTAGE_SPREAD * abs(middle["pulse voltage"]))


def _drawn(values: list[float], predicted: float) -> Drawn:
    from scipy.stats import chi2

    freedom, deviation = len(values) - 1, float(np.std(values, ddof=1))
    low, high = np.sqrt(freedom / chi2.ppf([0.975, 0.025], freedom)) * deviation
    return Drawn(deviation, float(low), float(high), predicted)


def _voltage(card: "MTJCard", target: float, trials: int, seed: int) -> float:
    """Lowest voltage at which P is ``target``, by bisection on counts with common noise."""
    from mtjspice.device.derived import derive

    known = derive(card)
    low, high = 0.5 * known.overshoot_voltage, 0.85 * known.compensation_voltage
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if _switched(card, middle, trials, seed).mean() < target else (low, middle)
    return (low + high) / 2


def _switched(card: "MTJCard", volts: float, trials: int, seed: int) -> NDArray[np.bool_]:
    """Which macrospins switch from P under a pulse of half a precession (of the unchanged card)."""
    from mtjspice.device import llg, macrospin
    from mtjspice.device.card import load_card
    from mtjspice.device.derived import derive

    shape = macrospin.pulse(volts, derive(load_card(CARD)).half_period)
    start = macrospin.thermal_states(card, np.full(trials, macrospin.PARALLEL), np.random.default_rng(seed))
    outcome = macrospin.run(
        llg.parameters(card), start, shape.times, shape.volts, seed % 2**32, precision="float32"
    )  # fmt: skip
    return np.asarray(outcome.states != macrospin.PARALLEL)


@dataclass(frozen=True, eq=False)
class Mismatch:
    """``probabilities`` (words, columns); standard deviations ``between`` words and ``within`` them, with 95 % limits.

    ``width`` (s) is the mean width of the pulses, ``width_spread`` its relative standard deviation between words.
    """

    probabilities: Floats
    between: tuple[float, float, float]
    within: tuple[float, float, float]
    width: float
    width_spread: float
    trials: int

    @property
    def words(self) -> int:
        """Number of words that were drawn."""
        return int(self.probabilities.shape[0])

    @property
    def columns(self) -> int:
        """Columns of a word."""
        return int(self.probabilities.shape[1])


def mismatch(words: int, trials: int, seed: int) -> Mismatch:
    """Draw transistors of words; macrospins with common noise on the pulses of all columns."""
    from scipy.stats import chi2

    from mtjspice.circuits.benches.word_program import switched
    from mtjspice.demo import default_bench
    from mtjspice.papers.meram.words import pulses

    bench = default_bench()
    rows, widths = [], []
    for word in range(words):
        (reached,) = pulses(bench, (CONTROL,), 1 + (seed + word) % 2**30)
        rows.append(switched(bench.word.card, reached, 1, trials, seed, bench.temperature) / trials)
        widths.append([one.width for one in reached])
    p, width = np.array(rows), np.array(widths)
    inside, outside = words * (bench.word.bits - 1), words - 1
    within = float(p.var(axis=1, ddof=1).mean())
    of_means = float(p.mean(axis=1).var(ddof=1))
    between = max(of_means - within / bench.word.bits, 0.0)
    # the mean of a word has the variance between + within / columns: limits of that, less the known part
    ends = outside * of_means / chi2.ppf([0.975, 0.025], outside) - within / bench.word.bits
    low, high = np.sqrt(np.maximum(ends, 0.0))
    limits = np.sqrt(inside * within / chi2.ppf([0.975, 0.025], inside))
    return Mismatch(
        p, (float(np.sqrt(between)), float(low), float(high)),
        (float(np.sqrt(within)), float(limits[0]), float(limits[1])), float(width.mean()),
        float(width.mean(axis=1).std(ddof=1) / width.mean()), trials,
    )  # fmt: skip
