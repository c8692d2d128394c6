"""Laws of noise words: moments, tails, distances from N(0, 1), and words whose bits are independent Markov chains.

Bits of a word come highest first everywhere in this module. A matrix of a bit is [[1 - p01, p01], [p10, 1 - p10]];
that of a word is the Kronecker product of its bits', so that bits which start independent stay independent (Cheng et
al., Nat. Commun. 16, 5022, 2025). If p01 = p10 everywhere the stationary law is uniform: a Gaussian is a transient.
"""

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, ndtr, rel_entr

from mtjspice.errors import InputError

Floats = NDArray[np.float64]
_WIDEST = 10  # bits of a word whose matrix is written out


@dataclass(frozen=True)
class LawDistances:
    """How far a discrete law is from N(0, 1); see :func:`law_distances`."""

    kl_bits: float
    total_variation: float
    kolmogorov_smirnov: float
    mean: float
    std: float
    excess_kurtosis: float


@dataclass(frozen=True, eq=False)
class Law:
    """A discrete law: ``values`` ascending and different, ``probabilities`` with the sum 1, both of shape (n,).

    Build it with `Law.of` from values in any order, equal ones among them. ValueError for anything that is no law.
    """

    values: Floats
    probabilities: Floats

    def __post_init__(self) -> None:
        points, weights = np.array(self.values, np.float64), np.array(self.probabilities, np.float64)
        if points.ndim != 1 or points.shape != weights.shape or points.size == 0:
            raise ValueError(f"values and pmf must be vectors of one length, not {points.shape}, {weights.shape}")
        if not np.isfinite(points).all() or not (weights >= 0).all() or not math.isclose(weights.sum(), 1):
            raise ValueError("values must be finite and pmf non-negative with the sum 1")
        if not (np.diff(points) > 0).all():
            raise ValueError("values of a law must ascend; Law.of sorts them")
        for name, array in (("values", points), ("probabilities", weights)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, values: ArrayLike, probabilities: ArrayLike) -> "Law":
        """Law of ``values`` in any order; equal ones (as -0.0 and 0.0) have their probabilities added."""
        points, weights = np.asarray(values, np.float64), np.asarray(probabilities, np.float64)
        if points.ndim != 1 or points.shape != weights.shape:
            raise ValueError(f"values and pmf must be vectors of one length, not {points.shape}, {weights.shape}")
        if not (weights >= 0).all():
            raise ValueError("values must be finite and pmf non-negative with the sum 1")
        support, index = np.unique(points, return_inverse=True)
        return cls(support, np.asarray(np.bincount(index, weights=weights), np.float64))

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return float(self.probabilities @ self.values)

    @property
    def standard_deviation(self) -> float:
        """Standard deviation of the values."""
        return math.sqrt(self._moment(2))

    @property
    def skewness(self) -> float:
        """Third standardised moment; NaN for a constant."""
        variance = self._moment(2)
        return self._moment(3) / variance**1.5 if variance > 0 else math.nan

    @property
    def excess_kurtosis(self) -> float:
        """Fourth standardised moment less 3; NaN for a constant."""
        variance = self._moment(2)
        return self._moment(4) / variance**2 - 3 if variance > 0 else math.nan

    @property
    def entropy(self) -> float:
        """Shannon entropy, bits."""
        return float(entr(self.probabilities).sum()) / math.log(2)

    def tail(self, limit: float) -> float:
        """P(|x| > ``limit``)."""
        return float(self.probabilities[np.abs(self.values) > limit].sum())

    def edges(self) -> Floats:
        """Midpoints between neighbouring values, shape (n - 1,): where one value's cell ends and the next begins."""
        return (self.values[1:] + self.values[:-1]) / 2

    def normal_cells(self) -> Floats:
        """What N(0, 1) has in the cell of each value, the outermost reaching to infinity, shape (n,)."""
        edges = self.edges()
        # from the nearer tail on each side, so that far cells keep their relative precision
        lower = np.diff(np.concatenate([[0.0], ndtr(edges), [1.0]]))
        upper = -np.diff(np.concatenate([[1.0], ndtr(-edges), [0.0]]))
        return np.where(self.values > 0, upper, lower)

    def distances(self) -> LawDistances:
        """Divergence, distances and moments; see `law_distances`."""
        cells, law = self.normal_cells(), self.probabilities
        gaps = np.abs(np.cumsum(law)[:-1] - ndtr(self.edges()))
        return LawDistances(
            kl_bits=float(rel_entr(cells, law).sum()) / math.log(2),
            total_variation=float(np.abs(cells - law).sum()) / 2,
            kolmogorov_smirnov=float(gaps.max(initial=0.0)),
            mean=self.mean,
            std=self.standard_deviation,
            excess_kurtosis=self.excess_kurtosis,
        )

    def affine(self, scale: float, shift: float) -> "Law":
        """Law of scale * x + shift."""
        return Law.of(scale * self.values + shift, self.probabilities)

    def as_dict(self) -> dict[str, float | None]:
        """Figures of merit for JSON, None where one is infinite or has no meaning."""
        found = {
            **asdict(self.distances()),
            "skewness": self.skewness,
            "entropy_bits": self.entropy,
            **{f"tail_{k}": self.tail(k) for k in (2, 3, 4)},
        }
        return {key: value if math.isfinite(value) else None for key, value in found.items()}

    def _moment(self, order: int) -> float:
        return float(self.probabilities @ (self.values - self.mean) ** order)


def law_distances(values: ArrayLike, pmf: ArrayLike) -> LawDistances:
    """Compare the law that gives ``values`` the probabilities ``pmf`` (both of shape (n,)) with N(0, 1).

    N(0, 1) is integrated over cells: a value's cell is what is nearer to it than to any other value, the outermost
    cells reaching to infinity. For the values of `words.word_law` these are the cells of the truncation, [k, k + 1)
    LSB for either sign. Equal values (as -0.0 and 0.0) are one, with their probabilities added. ``kl_bits`` is
    KL(N || law) in bits, infinite where the law misses a cell; ``total_variation`` is half the summed absolute
    difference; ``kolmogorov_smirnov`` is the largest difference of the distribution functions at the edges of cells,
    so that the grid's own step does not count. The moments are those of the values; the excess kurtosis of a constant
    is NaN. ValueError for anything that is not a law.
    """
    return Law.of(values, pmf).distances()


def bit_matrices(p01: ArrayLike, p10: ArrayLike) -> Floats:
    """Transition matrices of bits, shape (b, 2, 2); InputError for probabilities outside [0, 1]."""
    rise, fall = np.broadcast_arrays(checked_probabilities(p01, "p01"), checked_probabilities(p10, "p10"))
    return np.stack([np.stack([1 - rise, rise], -1), np.stack([fall, 1 - fall], -1)], -2)


def checked_probabilities(given: ArrayLike, what: str) -> Floats:
    """Probabilities as float64; InputError naming the first that does not lie in [0, 1]."""
    p = np.asarray(given, np.float64)
    wrong = p[~((p >= 0) & (p <= 1))]
    if wrong.size:
        raise InputError(f"{what}: a probability must lie between 0 and 1, not be {wrong[0]:g}")
    return p


def word_transition_matrix(matrices: Floats) -> Floats:
    """Kronecker product of the matrices of b bits, (b, 2, 2), as (2^b, 2^b); ValueError for b > 10."""
    _require_bits(matrices)
    if len(matrices) > _WIDEST:
        raise ValueError(f"a transition matrix is written out for words of up to {_WIDEST} bits, not {len(matrices)}")
    result = np.ones((1, 1))
    for matrix in matrices:
        result = np.kron(result, matrix)
    return result


def stationary_bits(matrices: Floats) -> Floats:
    """Stationary probability of a one of each bit, p01 / (p01 + p10), shape (b,); NaN for a bit that never moves."""
    _require_bits(matrices)
    rise, fall = matrices[:, 0, 1], matrices[:, 1, 0]
    moves = rise + fall > 0
    return np.where(moves, rise / np.where(moves, rise + fall, 1), np.nan)


def transient_bits(p01: ArrayLike, p10: ArrayLike, pulses: int, initial: ArrayLike = 0.0) -> Floats:
    """Probability of a one after ``pulses``, beginning with ``initial``: pi + (initial - pi) (1 - p01 - p10)^n."""
    rise, fall = np.asarray(p01, np.float64), np.asarray(p10, np.float64)
    total = rise + fall
    stationary = np.where(total > 0, rise / np.where(total > 0, total, 1), initial)
    return np.asarray(stationary + (initial - stationary) * (1 - total) ** pulses)


def product_pmf(ones: ArrayLike) -> Floats:
    """Probabilities of the 2^b codes of independent bits that are one with ``ones`` (b,), highest first."""
    pmf = np.ones(1)
    for one in checked_probabilities(ones, "bits").tolist():
        pmf = np.kron(pmf, [1 - one, one])
    return pmf


def stationary_pmf(matrices: Floats) -> Floats:
    """Stationary law of the word, shape (2^b,); InputError if a bit never moves."""
    ones = stationary_bits(matrices)
    if np.isnan(ones).any():
        raise InputError("a bit with p01 = p10 = 0 never moves and has no stationary law")
    return product_pmf(ones)


def autocorrelation(matrices: Floats, values: ArrayLike, lags: ArrayLike, pulses: int = 1) -> Floats:
    """Autocorrelation, shape (lags,), of the ``values`` (2^b,) of words read every ``pulses`` pulses without a reset.

    The words are in their stationary law; every bit's matrix is raised to the power lag * pulses, no word matrix is
    written out.
    """
    v = np.asarray(values, np.float64)
    law = stationary_pmf(matrices)
    if v.shape != law.shape:
        raise ValueError(f"need {law.size} values, not an array of shape {v.shape}")
    centred = v - law @ v
    variance = float(law @ centred**2)
    found = []
    for lag in np.atleast_1d(np.asarray(lags, np.int64)).tolist():
        moved = centred.reshape((2,) * len(matrices))
        for axis, matrix in enumerate(matrices):
            power = np.linalg.matrix_power(matrix, lag * pulses)
            moved = np.moveaxis(np.tensordot(power, moved, (1, axis)), 0, axis)
        found.append(float((law * centred) @ moved.ravel()) / variance)
    return np.array(found)


def _require_bits(matrices: Floats) -> None:
    if matrices.ndim != 3 or matrices.shape[1:] != (2, 2) or not len(matrices):
        raise ValueError(f"bits need matrices of the shape (b, 2, 2), not {matrices.shape}")
    if not ((matrices >= 0).all() and np.allclose(matrices.sum(axis=2), 1)):
        raise ValueError("the rows of a transition matrix are probabilities with the sum 1")
