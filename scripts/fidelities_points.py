"""Switching probabilities of every fidelity at the points of the comparison, with seeds of their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from fidelities_engines import ENGINES, Experiment, Floats
from scipy import stats
from validation_plotting import scores

from mtjspice.device import macrospin
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.macrospin import ANTIPARALLEL, PARALLEL
from mtjspice.device.switching import switching_probability
from mtjspice.statistics import Proportion, wilson

TRIALS = 1000
PER_DECK = 250  # junctions; ngspice writes no more than 1000 vectors at once
FEW_PER_DECK = 10  # of the behavioral model, which slows down with their number
MACROSPIN_TRIALS = 4000
BEHAVIORAL_TRIALS = 50  # it takes about half a second for a junction and nanosecond


@dataclass(frozen=True)
class Series:
    """Pulses (V, width in ps) on junctions of a card, from the state ``start``."""

    card: MTJCard
    start: int
    pulses: tuple[tuple[float, int], ...]

    @property
    def direction(self) -> str:
        return "p-ap" if self.start == PARALLEL else "ap-p"

    @property
    def title(self) -> str:
        return f"{self.card.name}, {'P to AP' if self.start == PARALLEL else 'AP to P'}"


SERIES = (
    Series(
        load_card("meram100"), PARALLEL,
        ((0.9, 1300), (1.0, 600), (1.0, 1000), (1.2, 350), (1.2, 410), (1.2, 500), (1.2, 1700), (1.5, 300),
         (1.5, 450), (1.8, 500)),
    ),
    Series(
        load_card("stt_trng_10ns"), ANTIPARALLEL,
        ((0.9, 1450), (0.9, 1800), (0.9, 2200), (1.0, 1300), (1.0, 1600), (1.2, 980), (1.2, 1250), (1.5, 800),
         (1.5, 1000), (1.5, 1200)),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """``found`` of a fidelity where ``exact`` is the Fokker-Planck probability; ``score`` is normal if they agree.

    ``strays`` trials ended otherwise than the macrospin with the same seed and initial state.
    """

    fidelity: str
    series: int
    voltage: float
    width: float
    exact: float
    found: Proportion
    score: float
    strays: int


def fokker_planck(series: Series) -> list[float]:
    """Exact probabilities of the pulses."""
    found = {}
    for voltage in dict(series.pulses):
        widths = [width * 1e-12 for volts, width in series.pulses if volts == voltage]
        solved = switching_probability(series.card, voltage, widths, direction=series.direction, tolerance=1e-5)
        found |= dict(zip([(voltage, width) for width in widths], solved["probability"].values[0], strict=True))
    return [float(found[voltage, width * 1e-12]) for voltage, width in series.pulses]


def compute(progress: Callable[[str], None]) -> list[Point]:
    points = []
    for number, series in enumerate(SERIES):
        exact = fokker_planck(series)
        for place, fidelity in enumerate(ENGINES):
            progress(f"{series.title}: {fidelity}")
            trials = {"behavioral": BEHAVIORAL_TRIALS, "macrospin": MACROSPIN_TRIALS}.get(fidelity, TRIALS)
            for k, (voltage, width) in enumerate(series.pulses):
                seed = 1000 * (10 * number + place) + 10 * k  # of the first deck; others follow
                count, strays = count_switched(fidelity, series, voltage, width * 1e-12, trials, seed)
                score = float(scores([count / trials], trials, [exact[k]], seed)[0])
                found = wilson(count, trials)
                points.append(Point(fidelity, number, voltage, width * 1e-12, exact[k], found, score, strays))
    return points


def count_switched(
    fidelity: str, series: Series, voltage: float, width: float, trials: int, seed: int
) -> tuple[int, int]:
    """Trials that switched, and those that the macrospin of the same seed decides otherwise.

    Every fidelity starts from thermal states and goes to the end of the pulse; from its last magnetization the
    macrospin goes on at V = 0, with the same noise, until the state is decided.
    """
    switched = strays = 0
    for initial, deck_seed in _decks(fidelity, series, trials, seed):
        experiment = Experiment(series.card, macrospin.pulse(voltage, width), initial, deck_seed)
        states = _decide(experiment, ENGINES[fidelity](experiment).end)
        reference = states if fidelity == "macrospin" else _decide(experiment, ENGINES["macrospin"](experiment).end)
        switched += int(np.count_nonzero(states != series.start))
        strays += int(np.count_nonzero(states != reference))
    return switched, strays


def _decks(fidelity: str, series: Series, trials: int, seed: int) -> Iterator[tuple[Floats, int]]:
    size = FEW_PER_DECK if fidelity == "behavioral" else MACROSPIN_TRIALS if fidelity == "macrospin" else PER_DECK
    rng = np.random.default_rng([seed, 1])
    initial = macrospin.thermal_states(series.card, np.full(trials, series.start), rng)
    for number, begin in enumerate(range(0, trials, size)):
        yield initial[begin : begin + size], seed + number


def _decide(experiment: Experiment, magnetization: Floats) -> Floats:
    rows = np.tile(experiment.row, (experiment.count, 1))
    outcome = macrospin.settle(
        rows, magnetization, experiment.seed, np.arange(experiment.count), experiment.stop
    )  # fmt: skip
    if outcome.undecided:
        raise RuntimeError(f"{outcome.undecided} trials were not decided")
    return np.asarray(outcome.states, dtype=float)


def chi_square(points: list[Point]) -> tuple[float, float]:
    """Sum of squared scores and its p-value."""
    square = float(sum(point.score**2 for point in points))
    return square, float(stats.chi2.sf(square, len(points)))


def table(points: list[Point]) -> dict[str, list[object]]:
    """Columns of the written table; the p-value is that of all points of the fidelity."""
    p_values = {name: chi_square([p for p in points if p.fidelity == name])[1] for name in ENGINES}
    columns: dict[str, list[object]] = {
        "card": [SERIES[p.series].card.name for p in points],
        "voltage [V]": [p.voltage for p in points],
        "pulse_width [s]": [p.width for p in points],
        "direction": [SERIES[p.series].direction for p in points],
        "fidelity": [p.fidelity for p in points],
        "probability": [p.found.value for p in points],
        "low": [p.found.low for p in points],
        "high": [p.found.high for p in points],
        "trials": [p.found.trials for p in points],
        "fokker_planck": [p.exact for p in points],
        "score": [p.score for p in points],
        "p_value_of_fidelity": [p_values[p.fidelity] for p in points],
        "ends_unlike_macrospin": [p.strays for p in points],
    }
    return columns
