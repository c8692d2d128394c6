"""Can the next bit be guessed? Predictors learn the first half of a stream and are asked about the second.

Accuracy and cross-entropy are measured on bits that the predictor has not seen; the cross-entropy is an upper estimate
of the entropy rate. SP 800-90B has predictors as well (6.3.7 to 6.3.10), which learn while they predict and bound
the min-entropy.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrc

from mtjspice.bits.overlaps import sidak
from mtjspice.bits.predictors.history import Task
from mtjspice.bits.predictors.logistic import logistic
from mtjspice.bits.predictors.markov import markov
from mtjspice.bits.predictors.perceptron import perceptron
from mtjspice.bits.predictors.recurrence import recurrence
from mtjspice.bits.stream import BitStream, as_stream
from mtjspice.errors import InputError, choose
from mtjspice.statistics import Proportion, wilson

MOST_BITS = 1_000_000
SHORTEST = 1_000

Guess = tuple[NDArray[np.float64], str]
PREDICTORS: Mapping[str, Callable[[Task, int], Guess]] = {
    "markov": lambda task, seed: markov(task),
    "markov-device": lambda task, seed: markov(task, own=True),
    "logistic": lambda task, seed: logistic(task),
    "logistic-pairs": lambda task, seed: logistic(task, pairs=True),
    "perceptron": perceptron,
    "recurrence": lambda task, seed: recurrence(task),
}
"""All predictors; ``markov-device`` is for streams of several lanes."""


@dataclass(frozen=True)
class Prediction:
    """How a predictor did on the held-out bits.

    ``majority`` is the fraction of the commoner bit there, ``advantage`` what the accuracy is above it. ``p_value``
    is the chance of as many hits by guessing the commoner bit always, ``p_value_fair`` by tossing a coin (binomial,
    one-sided). ``cross_entropy`` is in bit per bit, and exceeds 1 where a predictor was wrong with certainty.
    """

    name: str
    features: str
    accuracy: Proportion
    majority: float
    p_value: float
    p_value_fair: float
    cross_entropy: float

    @property
    def advantage(self) -> float:
        """Accuracy above that of guessing the commoner bit always."""
        return self.accuracy.value - self.majority

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        accuracy = {"value": self.accuracy.value, **asdict(self.accuracy)}
        return {**asdict(self), "accuracy": accuracy, "advantage": self.advantage}


@dataclass(frozen=True)
class Predictions:
    """What `predict` found: ``trained`` bits were learnt, up to ``tested`` predicted."""

    trained: int
    tested: int
    results: tuple[Prediction, ...]

    @property
    def best(self) -> Prediction:
        """The predictor with the smallest p-value; of equal ones that with the largest advantage."""
        return min(self.results, key=lambda result: (result.p_value, -result.advantage))

    @property
    def p_value(self) -> float:
        """That of the best predictor against guessing the commoner bit, after Sidak's correction for choosing it."""
        return sidak(self.best.p_value, len(self.results))

    @property
    def p_value_fair(self) -> float:
        """The smallest p-value against a coin, corrected likewise."""
        return sidak(min(result.p_value_fair for result in self.results), len(self.results))

    @property
    def entropy(self) -> float:
        """The smallest cross-entropy, at most 1: an upper estimate of the entropy rate in bit per bit."""
        return min(1.0, *(result.cross_entropy for result in self.results))

    def __getitem__(self, name: str) -> Prediction:
        return next(result for result in self.results if result.name == name)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return {
            "trained": self.trained,
            "tested": self.tested,
            "results": [result.as_dict() for result in self.results],
            "best": self.best.name,
            "p_value": self.p_value,
            "p_value_fair": self.p_value_fair,
            "entropy": self.entropy,
        }


def predict(
    bits: BitStream | ArrayLike,
    names: tuple[str, ...] | None = None,
    *,
    seed: int = 0,
    confidence: float = 0.95,
    limit: int = MOST_BITS,
    progress: Callable[[float], None] | None = None,
) -> Predictions:
    """Let the predictors ``names`` (all of `PREDICTORS` that apply) learn the first half of the bits.

    Of a longer stream the first ``limit`` bits are used. ``confidence`` is that of the accuracy's Wilson interval;
    ``seed`` is for the perceptron. InputError for fewer than 1000 bits, fewer than eight cycles to learn, or an unknown
    predictor.
    """
    stream = as_stream(bits)[:limit]
    if names is None:
        names = tuple(name for name in PREDICTORS if stream.lanes > 1 or name != "markov-device")
    if stream.length < SHORTEST or stream.length // 2 < 8 * stream.lanes:
        needed = max(SHORTEST, 16 * stream.lanes)
        raise InputError(f"predictors of {stream.lanes} lanes need at least {needed} bits, got {stream.length}")
    task = Task(stream.bits(), stream.lanes, stream.length // 2)
    results = []
    for number, name in enumerate(names):
        predictor = PREDICTORS[choose("predictor", name, PREDICTORS)]
        probability, features = predictor(task, seed)
        results.append(_judged(name, features, task, probability, confidence))
        if progress is not None:
            progress((number + 1) / len(names))
    return Predictions(task.trained, task.tested.size, tuple(results))


def _judged(name: str, features: str, task: Task, probability: NDArray[np.float64], confidence: float) -> Prediction:
    actual = task.bits[task.tested[: probability.size]]
    n = actual.size
    guess = np.where(probability == 0.5, task.common, probability > 0.5)
    hits = int(np.count_nonzero(guess == actual))
    ones = int(np.count_nonzero(actual))
    majority = max(ones, n - ones) / n
    given = np.clip(np.where(actual, probability, 1 - probability), 1e-12, 1)
    return Prediction(
        name=name,
        features=features,
        accuracy=wilson(hits, n, confidence),
        majority=majority,
        p_value=_at_least(hits, n, majority),
        p_value_fair=_at_least(hits, n, 0.5),
        cross_entropy=float(-np.log2(given).mean()),
    )


def _at_least(hits: int, n: int, p: float) -> float:
    """Chance of ``hits`` or more of n at the probability p."""
    if hits == 0 or p == 1.0:
        return 1.0
    found = float(bdtrc(hits - 1, n, p))
    return 0.0 if math.isnan(found) else found
