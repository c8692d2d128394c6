"""What data determine of a set of parameters: directions without information are refused by name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtjspice.device.free_parameters import FreeParameter
from mtjspice.errors import InputError

Floats = NDArray[np.float64]

LARGEST_ERROR = 1.0  # standard error of a direction in the search coordinates: a factor of e
SMALLEST_EIGENVALUE = 1e-5  # of the information scaled to a unit diagonal; differences are good to 1e-6
_PART = 0.2  # of a direction, in standard errors, from which a parameter is named


def require_identified(information: Floats, free: Sequence[FreeParameter], name: str, *, early: bool = False) -> None:
    """Raise InputError naming the parameters (or the combination of them) that the data ``name`` leave open.

    ``information`` (parameters, parameters) in the coordinates of ``free``. Open is a direction whose standard error
    exceeds `LARGEST_ERROR`, or one that leaves the probabilities as they are although each of its parameters moves
    them (`SMALLEST_EIGENVALUE`). ``early``: before the fit, where only the latter is certain.
    """
    size = np.sqrt(np.diag(information))
    felt = [k for k, one in enumerate(size) if one > (1.0 if early else 1e-9 * max(size.max(), 1.0))]
    if len(felt) > 1:
        scaled = information[np.ix_(felt, felt)] / np.outer(size[felt], size[felt])
        values, vectors = np.linalg.eigh(scaled)
        if values[0] < SMALLEST_EIGENVALUE:
            _refuse_combination(vectors[:, 0], vectors[:, 0] / size[felt], [free[k] for k in felt], name)
    if early:
        return
    values, vectors = np.linalg.eigh(information)
    if values[0] > 1 / LARGEST_ERROR**2:
        return
    direction = vectors[:, 0]
    named = np.flatnonzero(np.abs(direction) > _PART)
    if len(named) == 1:
        error = f" (standard error {100 / np.sqrt(values[0]):.0f} %)" if values[0] > 1e-4 else ""
        raise InputError(
            f"{name}: the data do not determine {free[named[0]].key}{error}; fix it, or measure where it matters"
        )
    _refuse_combination(direction, direction, free, name)


def _refuse_combination(weight: Floats, direction: Floats, free: Sequence[FreeParameter], name: str) -> None:
    """``weight`` says which parameters count, ``direction`` (in their coordinates) how they move together."""
    named = [k for k in np.argsort(-np.abs(weight), kind="stable") if abs(weight[k]) > _PART]
    # where the change of each parameter is 1 % or less
    relative = np.array([direction[k] * (free[k].scale if free[k].logarithmic else 1.0) for k in named])
    relative = relative / relative[np.argmax(np.abs(relative))]
    keys = [free[k].key for k in named]
    moves = []
    for k, change in zip(named, relative, strict=True):
        if free[k].logarithmic:
            moves.append(f"{free[k].key} {change:+.2g} %")
        else:
            shown = free[k].entry.show(0.01 * abs(change * free[k].scale), 2)
            moves.append(f"{free[k].key} {'+' if change > 0 else '-'}{shown}")
    raise InputError(
        f"{name}: the data do not determine {' and '.join(keys)} separately: {' with '.join(moves)} leaves every "
        "probability as it is within the errors; fix one of them"
    )
