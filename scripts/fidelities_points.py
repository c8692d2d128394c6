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
FEW_PER_DECK = 20  # of the behavioral model
MACROSPIN_TRIALS = 4000
# the behavioral model takes about a second for a junction and nanosecond: {(curve, width in ps): trials}
BEHAVIORAL_TRIALS = {(0, 350): 100, (0, 410): 80, (0, 500): 60, (1, 980): 60, (1, 1250): 40}


@dataclass(frozen=True)
class Curve:
    """Pulses of one voltage and several widths (ps), from the state ``start``."""

    card: MTJCard
    voltage: float
    start: int
    widths: tuple[int, ...]

    @property
    def direction(self) -> str:
        return "p-ap" if self.start == PARALLEL else "ap-p"

    @property
    def title(self) -> str:
        return f"{self.card.name}, {self.voltage:g} V, {'P to AP' if self.start == PARALLEL else 'AP to P'}"


CURVES = (
    Curve(load_card("meram100"), 1.2, PARALLEL, (310, 330, 350, 380, 410, 450, 500, 580, 1500, 1700)),
    Curve(
        load_card("stt_trng_10ns"), 1.2, ANTIPARALLEL, (860, 920, 980, 1040, 1100, 1170, 1250, 1340, 1450, 1600)
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """``found`` of a fidelity where ``exact`` is the Fokker-Planck probability; ``score`` is normal if they agree.

    ``strays`` trials ended otherwise than the macrospin with the same seed and initial state.
    """

    fidelity: str
    curve: int
    width: float
    exact: float
    found: Proportion
    score: float
    strays: int


def fokker_planck(curve: Curve, widths: Floats) -> Floats:
    found = switching_probability(curve.card, curve.voltage, widths, direction=curve.direction, tolerance=1e-5)
    return np.asarray(found["probability"].values[0])


def compute(progress: Callable[[str], None]) -> list[Point]:
    points = []
    for number, curve in enumerate(CURVES):
        exact = fokker_planck(curve, np.array(curve.widths) * 1e-12)
        for place, fidelity in enumerate(ENGINES):
            progress(f"{curve.title}: {fidelity}")
            for k, width in enumerate(curve.widths):
                trials = _trials(fidelity, number, width)
                if trials:
                    seed = 1000 * (10 * number + place) + 10 * k  # of the first deck; others follow
                    count, strays = count_switched(fidelity, curve, width * 1e-12, trials, seed)
                    score = float(scores([count / trials], trials, [exact[k]], seed)[0])
                    points.append(
                        Point(fidelity, number, width * 1e-12, float(exact[k]), wilson(count, trials), score, strays)
                    )
    return points


def count_switched(fidelity: str, curve: Curve, width: float, trials: int, seed: int) -> tuple[int, int]:
    """Trials that switched, and those that the macrospin of the same seed decides otherwise.

    Every fidelity starts from thermal states and goes to the end of the pulse; from its last magnetization the
    macrospin goes on at V = 0, with the same noise, until the state is decided.
    """
    switched = strays = 0
    for initial, deck_seed in _decks(fidelity, curve, trials, seed):
        experiment = Experiment(curve.card, macrospin.pulse(curve.voltage, width), initial, deck_seed)
        states = _decide(experiment, ENGINES[fidelity](experiment).end)
        reference = states if fidelity == "macrospin" else _decide(experiment, ENGINES["macrospin"](experiment).end)
        switched += int(np.count_nonzero(states != curve.start))
        strays += int(np.count_nonzero(states != reference))
    return switched, strays


def _trials(fidelity: str, curve: int, width: int) -> int:
    if fidelity == "behavioral":
        return BEHAVIORAL_TRIALS.get((curve, width), 0)
    return MACROSPIN_TRIALS if fidelity == "macrospin" else TRIALS


def _decks(fidelity: str, curve: Curve, trials: int, seed: int) -> Iterator[tuple[Floats, int]]:
    size = FEW_PER_DECK if fidelity == "behavioral" else MACROSPIN_TRIALS if fidelity == "macrospin" else PER_DECK
    rng = np.random.default_rng([seed, 1])
    initial = macrospin.thermal_states(curve.card, np.full(trials, curve.start), rng)
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
        "card": [CURVES[p.curve].card.name for p in points],
        "voltage [V]": [CURVES[p.curve].voltage for p in points],
        "pulse_width [s]": [p.width for p in points],
        "direction": [CURVES[p.curve].direction for p in points],
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
