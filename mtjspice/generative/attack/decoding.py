"""The state of a register from bits of which some are wrong: information-set decoding (E. Prange 1962).

Again and again as many bits as the state has are taken, the reliable ones more often; their equations are solved and
the state is held against all bits. For errors with probability p it takes about (1 - p)^-n tries.

How sure a state is. If the bits were fair and independent, the sum of weights of those that one given state predicts
right, minus that of the others, would exceed S with a probability of at most exp(sum log cosh(t w) - t S) for every
t > 0 (Chernoff's bound). All 2^n states together reach S with at most 2^n times that: `false_positive`, whatever number
of them was tried. It holds for bits that are as often 0 as 1 given how reliable they are; signs of latents are.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from mtjspice.generative.attack.equations import LONGEST, Register, Rows, SoftBits, parities

ACCEPTED = 1e-6
"""Largest `false_positive` of a state that counts as found: once in a million streams without a register."""
_POOL = 3  # times as many of the most reliable bits as the state has are drawn from
_BATCH = 256
_IDLE = 3  # batches without a better state, after one was found, that end the search


@dataclass(frozen=True)
class Decoded:
    """The best state: it predicts ``right`` of ``bits`` bits, found after ``tries`` of ``tried`` sets.

    ``agreement`` is the sum of weights of right bits minus that of wrong ones over the sum of all, 1 to -1.
    """

    register: Register
    state: int
    right: int
    bits: int
    agreement: float
    tries: int
    tried: int
    false_positive: float

    @property
    def found(self) -> bool:
        """Whether the state is more than the best of chance."""
        return self.false_positive <= ACCEPTED


def decode(
    register: Register, soft: SoftBits, rng: np.random.Generator, tries: int = 20_000, hypotheses: int = 1
) -> Decoded | None:
    """The state that fits best, of up to ``tries`` sets; None where the equations leave bits of it open, or all
    sets contradict themselves.

    ``hypotheses`` is the number of registers that are tried on the bits, for the probability of a false one.
    """
    if tries < 1 or hypotheses < 1:
        raise ValueError("there are 1 or more tries and hypotheses")
    rows, weights = register.equations(soft.positions), soft.weights()
    order = np.argsort(-weights, kind="stable")
    pool = order[: _POOL * register.length + 64]
    best: Decoded | None = None
    done = idle = 0
    while done < tries and idle < _IDLE:
        batch = min(_BATCH, tries - done)
        trust = np.maximum(weights[pool], 1e-9) ** 2
        if best is not None and best.found:
            # states that differ in few bits agree in many outputs: go on among those that the best one predicts
            trust = np.where(parities(rows[pool], best.state) == soft.values[pool], 4 * trust, trust)
            idle += 1
        draws = rng.exponential(size=(batch, pool.size)) / trust
        if done == 0:
            draws[0] = np.arange(pool.size)  # the most reliable bits are the best guess
        orders = np.argsort(draws, axis=1)
        found, state, score, when = _search(rows, soft.values, weights, pool, orders, register.length)
        if not found:
            # a set without a contradiction that fixes all bits is not always among few tries
            if done == 0 and _rank(rows[order], register.length) < register.length:
                return None
        elif best is None or score > best.agreement * weights.sum() + 1e-6:
            state = _polished(rows, soft.values, weights, np.uint64(state), score, register.length)
            best = _judged(register, rows, soft, int(state), done + int(when) + 1, done + batch, hypotheses)
            idle = 0
            if best.right == best.bits:
                return best
        done += batch
    if best is None:
        return None
    return Decoded(
        best.register, best.state, best.right, best.bits, best.agreement, best.tries, done, best.false_positive
    )


def _judged(
    register: Register, rows: Rows, soft: SoftBits, state: int, tries: int, tried: int, hypotheses: int
) -> Decoded:
    weights = soft.weights()
    right = parities(rows, state) == soft.values
    score = float(weights[right].sum() - weights[~right].sum())
    bound = log_chance(weights, score) + register.length * np.log(2) + np.log(hypotheses)
    return Decoded(
        register, state, int(right.sum()), len(soft), score / max(float(weights.sum()), 1e-300), tries, tried,
        float(min(1.0, np.exp(bound))),
    )  # fmt: skip


def log_chance(weights: NDArray[np.float64], score: float) -> float:
    """Logarithm of Chernoff's bound on the chance that fair signs times ``weights`` add up to ``score`` or more."""
    if score <= 0 or not weights.size:
        return 0.0

    def exponent(t: float) -> float:
        # log cosh x = |x| + log1p(exp(-2 |x|)) - log 2, which does not overflow
        x = t * weights
        return float((x + np.log1p(np.exp(-2 * x))).sum() - x.size * np.log(2) - t * score)

    found = minimize_scalar(exponent, bounds=(0, 20 / max(float(weights.max()), 1e-12)), method="bounded")
    return min(0.0, float(found.fun))


def _rank(rows: Rows, length: int) -> int:
    pivots = np.zeros(LONGEST, np.uint64)
    return int(_eliminate(rows, np.zeros(len(rows), np.uint8), np.arange(len(rows)), length, pivots, pivots.copy()))


@njit(cache=True, error_model="numpy", nogil=True)
def _search(rows, values, weights, pool, orders, length):  # type: ignore[no-untyped-def]
    """Best of the states that the sets ``orders`` of the ``pool`` give: whether any, state, score and which set."""
    pivots, sides = np.zeros(64, np.uint64), np.zeros(64, np.uint64)
    best, best_state, best_score, when = False, np.uint64(0), -np.inf, 0
    for k in range(len(orders)):
        if _eliminate(rows, values, pool[orders[k]], length, pivots, sides) < length:
            continue
        state = np.uint64(0)
        for c in range(length):
            below = pivots[c] & state
            state |= (sides[c] ^ _parity(below)) << np.uint64(c)
        if state == 0:  # the register that stands still
            continue
        score = 0.0
        for m in range(len(rows)):
            agrees = _parity(rows[m] & state) == np.uint64(values[m])
            score += weights[m] if agrees else -weights[m]
        if score > best_score:
            best, best_state, best_score, when = True, state, score, k
    return best, best_state, best_score, when


@njit(cache=True, error_model="numpy", nogil=True)
def _polished(rows, values, weights, state, score, length):  # type: ignore[no-untyped-def]
    """The state with one or two bits changed as long as that is better: few outputs may depend on a bit."""
    one = np.uint64(1)
    improved = True
    while improved:
        improved = False
        for a in range(length):
            for b in range(a, length):
                other = state ^ (one << np.uint64(a))
                if b > a:
                    other ^= one << np.uint64(b)
                reached = 0.0
                for m in range(len(rows)):
                    agrees = _parity(rows[m] & other) == np.uint64(values[m])
                    reached += weights[m] if agrees else -weights[m]
                if other and reached > score + 1e-6:
                    state, score, improved = other, reached, True
    return state


@njit(cache=True, error_model="numpy", nogil=True)
def _eliminate(rows, values, order, length, pivots, sides):  # type: ignore[no-untyped-def]
    """Rank of the first equations in ``order`` that fix ``length`` bits, with pivots by highest bit; -1 if they clash.

    The state's bits follow from the lowest up.
    """
    one, zero = np.uint64(1), np.uint64(0)
    pivots[:] = zero
    rank = 0
    for k in order:
        row, side = rows[k], np.uint64(values[k])
        for c in range(length - 1, -1, -1):
            if row >> np.uint64(c) & one:
                if pivots[c] == zero:
                    pivots[c], sides[c] = row, side
                    rank += 1
                    break
                row ^= pivots[c]
                side ^= sides[c]
        if rank == length:
            return rank
        if row == zero and side:
            return -1
    return rank


@njit(cache=True, error_model="numpy", nogil=True)
def _parity(word):  # type: ignore[no-untyped-def]
    for step in (32, 16, 8, 4, 2, 1):
        word ^= word >> np.uint64(step)
    return word & np.uint64(1)
