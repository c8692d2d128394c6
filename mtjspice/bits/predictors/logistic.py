"""Logistic regression on the past of a bit."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtjspice.bits.predictors import kernels
from mtjspice.bits.predictors.history import History, Task

_MOST, _MOST_PAIRS = 200_000, 100_000  # bits that are learnt, without and with products
_CHUNK = 1 << 14
_STEPS = 12
_RIDGE = 1.0


def logistic(task: Task, pairs: bool = False) -> tuple[NDArray[np.float64], str]:
    """Probability of a one at the tested positions, and the features; ``pairs`` adds products of two of the last bits.

    Maximum likelihood with a weak ridge (of one bit's weight) by Newton's method (iteratively reweighted least
    squares), of the last 200 000 bits of the training (100 000 with products).
    """
    history = History(task, pairs)
    positions = np.arange(task.depth, task.trained)[-(_MOST_PAIRS if pairs else _MOST) :]
    weights = np.zeros(history.width)
    for _ in range(_STEPS):
        gradient, curvature = -_RIDGE * weights, _RIDGE * np.eye(history.width)
        for begin in range(0, positions.size, _CHUNK):
            part = positions[begin : begin + _CHUNK]
            kernels.add_normal_equations(history.rows(part), task.bits[part], weights, gradient, curvature)
        curvature = np.triu(curvature) + np.triu(curvature, 1).T
        step = np.linalg.solve(curvature, gradient)
        size = float(np.abs(step).max())
        # separable bits push the weights to infinity; steps of at most 4 stay finite
        weights += step * min(1.0, 4 / size) if size else step
        if size < 1e-4:
            break
    return _evaluated(task, history, weights), history.text


def _evaluated(task: Task, history: History, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    tested = task.tested
    result = np.empty(tested.size)
    for begin in range(0, tested.size, _CHUNK):
        rows = history.rows(tested[begin : begin + _CHUNK])
        result[begin : begin + _CHUNK] = expit(rows.astype(np.float64) @ weights)
    return result
