"""Do the bits of a word switch independently of each other? Tests against permutations of words within each bit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
States = NDArray[np.int64]
FALSE_ALARMS = 0.05  # of all tests of an experiment together


@dataclass(frozen=True)
class Independence:
    """p-values of permutation tests, with ``correlation``, the mean over pairs of bits of that of their flips.

    ``common``: do bits flip together (mean correlation, both signs)? ``pairs``: any pair of bits (sum of squares)?
    ``neighbours``: does a bit's flip depend on what the other bits held (sum of squares)?
    """

    common: float
    pairs: float
    neighbours: float
    correlation: float

    @property
    def smallest(self) -> float:
        """The smallest p-value of the three."""
        return min(self.common, self.pairs, self.neighbours)


def test(before: States, after: States, permutations: int, rng: np.random.Generator) -> Independence:
    """Test the transitions (pulses, bits) of a word.

    Flips less their mean for the bit's own state before are compared; a permutation exchanges them among pulses that
    met the bit in the same state, each bit by itself, which leaves every 2 x 2 matrix as it is.
    """
    residual = residuals(before, after)
    others = before - before.mean(axis=0)
    found = _statistics(residual, others)
    null = np.array([_statistics(_permuted(residual, before, rng), others) for _ in range(permutations)])
    above = np.abs(null) >= np.abs(found)
    p = (1 + above.sum(axis=0)) / (1 + permutations)
    pairs = residual.shape[1] * (residual.shape[1] - 1) / 2
    return Independence(float(p[0]), float(p[1]), float(p[2]), float(found[0]) / pairs)


def detectable(before: States, matrices: Floats, shifts: Floats, rng: np.random.Generator, trials: int = 200) -> Floats:
    """Power, for each of ``shifts``, of the test of common flips at 5 %, shape (shifts,).

    In each pulse all flip probabilities of the word get one normal shift with that standard deviation, clipped.
    """
    chance = _flips(before, matrices)

    def drawn(deviation: float) -> float:
        common = deviation * rng.standard_normal((len(before), 1))
        flipped = rng.random(before.shape) < np.clip(chance + common, 0, 1)
        return float(_statistics(residuals(before, before ^ flipped), before)[0])

    threshold = np.quantile([abs(drawn(0.0)) for _ in range(5 * trials)], 0.95)
    return np.array([np.mean([abs(drawn(one)) > threshold for _ in range(trials)]) for one in shifts.tolist()])


def residuals(before: States, after: States) -> Floats:
    """Flips less their mean for the bit's own state before, shape (pulses, bits)."""
    flips = (before != after).astype(np.float64)
    for state in (0, 1):
        here = before == state
        count = np.maximum(here.sum(axis=0), 1)
        flips -= np.where(here, (flips * here).sum(axis=0) / count, 0.0)
    return np.asarray(flips)


def flip_law(before: States, matrices: Floats) -> Floats:
    """Expected number of pulses with 0, 1, ... bits flipped by the Kronecker product, shape (bits + 1,)."""
    from mtjspice.generative.law import word_transition_matrix

    bits = before.shape[1]
    whole = word_transition_matrix(matrices)
    codes = before @ (1 << np.arange(bits)[::-1])
    distance = np.bitwise_count(np.arange(2**bits)[:, None] ^ np.arange(2**bits))
    found = np.zeros(bits + 1)
    for code, times in zip(*np.unique(codes, return_counts=True), strict=True):
        found += times * np.bincount(distance[code], weights=whole[code], minlength=bits + 1)
    return found


def _flips(before: States, matrices: Floats) -> Floats:
    bits = np.arange(before.shape[1])
    return np.asarray(np.where(before == 0, matrices[bits, 0, 1], matrices[bits, 1, 0]))


def _statistics(residual: Floats, others: NDArray[np.generic]) -> Floats:
    """Sum of correlations of pairs, that of their squares, and that of the squares with the others' states before."""
    flips, states = _standardised(residual), _standardised(np.asarray(others, np.float64))
    within = flips.T @ flips / len(flips)
    upper = within[np.triu_indices(len(within), 1)]
    between = flips.T @ states / len(flips)
    np.fill_diagonal(between, 0.0)
    return np.array([upper.sum(), (upper**2).sum(), (between**2).sum()])


def _standardised(columns: Floats) -> Floats:
    centred = columns - columns.mean(axis=0)
    deviation = centred.std(axis=0)
    return np.asarray(centred / np.where(deviation > 0, deviation, 1.0))


def _permuted(residual: Floats, before: States, rng: np.random.Generator) -> Floats:
    found = np.empty_like(residual)
    order = rng.random(residual.shape)
    for state in (0, 1):
        for bit in range(residual.shape[1]):
            rows = np.flatnonzero(before[:, bit] == state)
            found[rows, bit] = residual[rows[np.argsort(order[rows, bit])], bit]
    return found
