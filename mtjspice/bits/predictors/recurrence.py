"""The shortest shift register that makes the first bits, as a predictor of those behind them."""

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.berlekamp_massey import shortest_register
from mtjspice.bits.predictors.history import Task

_MOST = 1 << 16  # bits that the register is made of
_WORK = 1 << 31  # taps times bits that are predicted


def recurrence(task: Task) -> tuple[NDArray[np.float64], str]:
    """Probability of a one at the first tested positions (at all of them for short registers), and what was found.

    Its certainty is the fraction of right predictions in the validation part, (right + 1/2) / (number + 1).
    """
    prefix = min(_MOST, int(task.validation[0]) if task.validation.size else task.trained)
    register = shortest_register(task.bits[:prefix])
    delays = np.flatnonzero(register.coefficients)[1:]
    most = max(1, _WORK // max(1, delays.size))
    validation, tested = task.validation[-most:], task.tested[:most]
    right = int(np.count_nonzero(_predicted(task.bits, delays, validation) == task.bits[validation]))
    certainty = (right + 0.5) / (validation.size + 1)
    probability = np.where(_predicted(task.bits, delays, tested), certainty, 1 - certainty)
    return probability, f"a register of {register.length} stages from {prefix} bits"


def _predicted(bits: NDArray[np.uint8], delays: NDArray[np.int64], positions: NDArray[np.int64]) -> NDArray[np.uint8]:
    """What the register says at successive positions, shape (positions,)."""
    result = np.zeros(positions.size, np.uint8)
    if positions.size:
        start = int(positions[0])
        for delay in delays.tolist():
            result ^= bits[start - delay : start - delay + positions.size]
    return result
