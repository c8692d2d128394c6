"""A perceptron with one hidden layer on the past of a bit."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtjspice.bits.predictors import kernels
from mtjspice.bits.predictors.history import Floats, History, Task

HIDDEN = 48
_BATCH = 512
_RATE = 4e-3
_STEPS = 4000
_EPOCHS = 24  # at most
_LOOK = 250  # steps between looks at the validation part
_PATIENCE = 5  # looks without progress
_CHUNK = 1 << 14
_MOST_VALIDATION = 1 << 15


def perceptron(task: Task, seed: int = 0) -> tuple[NDArray[np.float64], str]:
    """Probability of a one at the tested positions, and the features.

    48 rectified units, trained by Adam (D. P. Kingma and J. Ba, arXiv 1412.6980) on batches of 512 bits; the weights
    kept are those with the smallest cross-entropy on the validation part. ``seed`` decides the first weights and the
    batches: the same bits and seed give the same weights.
    """
    history = History(task)
    rng = np.random.default_rng([seed, 0x313])
    learnt, validation = task.learnt, task.validation[-_MOST_VALIDATION:]
    weights = [
        (rng.standard_normal((history.width, HIDDEN)) * np.sqrt(2 / history.width)).astype(np.float32),
        (rng.standard_normal(HIDDEN) * np.sqrt(1 / HIDDEN)).astype(np.float32),
        np.zeros(1, np.float32),
    ]
    optimizer = _Adam(weights)
    steps = min(_STEPS, max(1, _EPOCHS * learnt.size // _BATCH))
    best, kept, waited = np.inf, [weight.copy() for weight in weights], 0
    for step in range(1, steps + 1):
        batch = learnt[rng.integers(0, learnt.size, _BATCH)]
        rate = _RATE * (1 - 0.9 * step / steps)
        optimizer.step(history.rows(batch), task.bits[batch], rate)
        if step % _LOOK and step != steps:
            continue
        loss = _cross_entropy(task.bits[validation], _evaluated(weights, history, validation))
        if loss < best - 1e-6:
            best, kept, waited = loss, [weight.copy() for weight in weights], 0
        else:
            waited += 1
            if waited >= _PATIENCE:
                break
    return expit(_evaluated(kept, history, task.tested).astype(np.float64)), f"{history.text}; {HIDDEN} hidden units"


def _evaluated(weights: list[Floats], history: History, positions: NDArray[np.int64]) -> Floats:
    """Logits at ``positions``."""
    result = np.empty(positions.size, np.float32)
    for begin in range(0, positions.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        kernels.evaluate(history.rows(positions[part]), *weights, result[part])
    return result


def _cross_entropy(bits: NDArray[np.uint8], logits: Floats) -> float:
    signed = np.where(bits, -logits, logits).astype(np.float64)
    return float(np.logaddexp(0, signed).mean())


class _Adam:
    """The optimizer with its usual constants; it changes the weights in place."""

    def __init__(self, weights: list[Floats]) -> None:
        self._weights = weights
        self._means = [np.zeros_like(weight) for weight in weights]
        self._squares = [np.zeros_like(weight) for weight in weights]
        self._gradients = [np.zeros_like(weight) for weight in weights]
        self._steps = 0

    def step(self, rows: Floats, bits: NDArray[np.uint8], rate: float) -> None:
        """One step on a batch."""
        self._steps += 1
        scale = np.float32(rate * np.sqrt(1 - 0.999**self._steps) / (1 - 0.9**self._steps))
        kernels.add_gradients(rows, bits, *self._weights, *self._gradients)
        for arrays in zip(self._weights, self._gradients, self._means, self._squares, strict=True):
            kernels.adam_step(*(array.reshape(-1) for array in arrays), scale)
