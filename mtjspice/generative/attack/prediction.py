"""Prediction of each later bit from all bits before it, by models that learnt the bits of the images seen.

The models are those of `mtjspice.bits.prediction`. They find bias and memory, not the state of a generator.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.prediction import PREDICTORS
from mtjspice.bits.predictors.history import Task
from mtjspice.errors import choose
from mtjspice.statistics import Proportion, wilson

Bits = NDArray[np.uint8]
NAMES = ("markov", "logistic")
FEWEST = 400
"""Bits that a model learns from at least."""


@dataclass(frozen=True)
class Guessed:
    """How often a model that learnt ``observed`` bits guessed the next one right; chance is 1/2, or the bias."""

    model: str
    observed: int
    right: Proportion


def predict_next(observed: Bits, later: Bits, model: str = "logistic", confidence: float = 0.95) -> Guessed:
    """Learn ``observed`` bits and guess each of ``later`` ones, which follow, from those before it.

    ValueError for fewer than 400 bits to learn or none to guess.
    """
    choose("model", model, NAMES)
    if observed.size < FEWEST or not later.size:
        raise ValueError(f"{FEWEST} bits to learn and 1 to guess are needed, not {observed.size} and {later.size}")
    task = Task(np.concatenate([observed, later]), 1, observed.size)
    probability, _ = PREDICTORS[model](task, 0)
    guess = np.where(probability == 0.5, task.common, probability > 0.5)
    return Guessed(model, observed.size, wilson(int((guess == later).sum()), later.size, confidence))


def success_by_observed(
    bits: Bits, counts: tuple[int, ...], later: int, model: str = "logistic"
) -> tuple[Guessed, ...]:
    """`predict_next` for the last ``later`` bits from the ``counts`` before them; ValueError for too few bits."""
    if max(counts) + later > bits.size:
        raise ValueError(f"{max(counts) + later} bits are needed, not {bits.size}")
    split = bits.size - later
    return tuple(predict_next(bits[split - count : split], bits[split:], model) for count in counts)
