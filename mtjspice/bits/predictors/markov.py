"""Markov predictors: how often a one followed the same last bits before."""

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.predictors.history import Task

HIGHEST_ORDER = 16
_LARGEST_TABLE = 1 << 20


def markov(task: Task, own: bool = False) -> tuple[NDArray[np.float64], str]:
    """Probability of a one at the tested positions, and what it was made from.

    The context is the last k bits or, with ``own``, the device and its last k bits; the order k is the one with the
    smallest cross-entropy on the validation part of the training. The estimate of Krichevsky and Trofimov,
    (ones + 1/2) / (total + 1), is used.
    """
    step = task.lanes if own else 1
    orders = min(HIGHEST_ORDER, task.depth // step)
    learnt, validation = task.learnt, task.validation
    best, chosen = np.inf, 0
    for order, contexts, size in _contexts(task, step, orders, own):
        probability = _table(task.bits, contexts, learnt, size)[contexts[validation]]
        loss = float(-np.log2(np.where(task.bits[validation], probability, 1 - probability)).mean())
        if loss < best - 1e-12:
            best, chosen = loss, order
    for order, contexts, size in _contexts(task, step, orders, own):
        if order == chosen:
            known = np.concatenate([learnt, validation])
            table = _table(task.bits, contexts, known, size)
            return table[contexts[task.tested]], _text(order, own)
    raise AssertionError("the chosen order is one of them")


def _contexts(task: Task, step: int, orders: int, own: bool):  # type: ignore[no-untyped-def]
    """Order, number of the context of each bit and number of possible contexts, order after order."""
    n = task.bits.size
    contexts = np.arange(n) % task.lanes if own else np.zeros(n, np.int64)
    size = task.lanes if own else 1
    yield 0, contexts, size
    for order in range(1, orders + 1):
        if 2 * size > _LARGEST_TABLE:
            return
        contexts = 2 * contexts
        contexts[order * step :] += task.bits[: n - order * step]
        size *= 2
        yield order, contexts, size


def _table(
    bits: NDArray[np.uint8], contexts: NDArray[np.int64], positions: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Probability of a one in each context."""
    known = contexts[positions]
    total = np.bincount(known, minlength=size)
    ones = np.bincount(known, bits[positions], minlength=size)
    return np.asarray((ones + 0.5) / (total + 1))


def _text(order: int, own: bool) -> str:
    if own:
        return f"the device and its last {order} bits" if order else "the device"
    return f"the last {order} bits" if order else "the fraction of ones"
