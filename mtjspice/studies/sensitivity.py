"""Which random parameters move a result most: linear regression, and Sobol indices for what is not linear."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.errors import InputError, MtjspiceError

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
LEAST_R_SQUARED = 0.7  # below it a linear ranking is not to be trusted (Saltelli et al., Global Sensitivity Analysis)
_FEWEST_ROWS = 8


@dataclass(frozen=True)
class Ranking:
    """Sensitivity of a result to parameters, in the order in which they were given.

    ``kind`` "regression": ``value`` are the standardised regression coefficients (standard deviations of the result per
    standard deviation of the parameter, signed), ``share`` the shares of variance that go with each parameter alone,
    ``explained`` is R^2 of the linear model; ``total`` is None.
    ``kind`` "sobol": ``value`` and ``share`` are the first-order indices, ``total`` the total ones; ``explained`` is
    the sum of the first-order indices, what is left is due to interactions.
    ``low`` and ``high`` are percentile bootstrap intervals of ``value`` (``total_low`` and ``total_high`` of ``total``)
    with ``confidence``. ``used`` rows counted, ``left_out`` had no result; of Sobol indices these are base rows.
    ``note`` warns.
    """

    names: tuple[str, ...]
    kind: str
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    share: tuple[float, ...]
    total: tuple[float, ...] | None
    total_low: tuple[float, ...] | None
    total_high: tuple[float, ...] | None
    explained: float
    confidence: float
    used: int
    left_out: int
    note: str = ""

    def by_magnitude(self) -> tuple[int, ...]:
        """Places of the parameters, that with the greatest influence first.

        By the total index where there is one, since a parameter may act through interactions alone, else by the
        magnitude of ``value``; equal ones as given.
        """
        size = np.abs(self.value if self.total is None else self.total)
        return tuple(int(k) for k in np.argsort(-size, kind="stable"))

    @property
    def ranks(self) -> tuple[int, ...]:
        """Rank of each parameter, in the order given; 1 is the greatest influence."""
        order = self.by_magnitude()
        return tuple(order.index(k) + 1 for k in range(len(order)))


def regression_ranking(
    x: ArrayLike, y: ArrayLike, names: Sequence[str], *, seed: int, resamples: int = 1000
) -> Ranking:
    """Rank the parameters ``x`` (n, d) by a linear regression of the result ``y`` (n,) on them.

    Intervals come from ``resamples`` bootstrap samples of the rows. Rows whose y is NaN are left out. The share of
    variance of a parameter is its squared semi-partial correlation: how much R^2 falls when the parameter is left
    out. With independent parameters the shares have the sum R^2; with correlated ones they need not, since what either
    of two parameters could explain is a share of neither (Shapley values would divide it, in 2^d regressions), and the
    coefficients tell the effect of a parameter with the others held fixed.

    A note warns when R^2 is below 0.7: then the ranking is not to be trusted, and Sobol indices should be used.
    Raises InputError for shapes that do not fit, x that is not finite, too few rows, and parameters that do not vary or
    are linear combinations of others; MtjspiceError if y does not vary.
    """
    points, result = np.asarray(x, float), np.asarray(y, float)
    if points.ndim != 2 or points.shape != (len(result), len(names)) or result.ndim != 1:
        raise InputError(
            f"x has the shape {points.shape} and y {result.shape}; allowed: (n, {len(names)}) and (n,)"
            f" for the parameters {', '.join(names)}"
        )
    kept = ~np.isnan(result)
    points, result = points[kept], result[kept]
    count, dimensions = points.shape
    if not np.all(np.isfinite(points)) or not np.all(np.isfinite(result)):
        raise InputError("x and y must be finite (NaN in y alone stands for a missing result)")
    if count < max(_FEWEST_ROWS, 2 * dimensions + 2):
        raise InputError(
            f"{count} rows with a result for {dimensions} parameters; allowed: {max(_FEWEST_ROWS, 2 * dimensions + 2)}"
            " or more"
        )
    for name, deviation, largest in zip(names, np.std(points, axis=0), np.max(np.abs(points), axis=0), strict=True):
        if deviation <= 1e-12 * largest:
            raise InputError(f"the parameter {name!r} does not vary")
    _must_vary(result)
    # standardised once, so that units far apart (farads and kelvins) do not harm the arithmetic
    points = (points - np.mean(points, axis=0)) / np.std(points, axis=0)
    result = (result - np.mean(result)) / np.std(result)
    if np.linalg.eigvalsh(points.T @ points / count)[0] < 1e-10:
        raise InputError(f"the parameters {', '.join(names)} are linear combinations of one another")
    one = np.ones((1, count), int)
    beta, inverse, explained = (found[0] for found in _regression(points, result, one))
    share = beta**2 / np.diag(inverse)
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    again = np.concatenate(
        [_regression(points, result, _counts(count, size, rng))[0] for size in _parts(resamples, count * dimensions)]
    )
    low, high = _percentiles(again)
    note = ""
    if explained < LEAST_R_SQUARED:
        note = (
            f"a linear model explains only {max(float(explained), 0.0):.2f} of the variance (R^2 < {LEAST_R_SQUARED}):"
            " do not trust this ranking, use Sobol indices"
        )
    return Ranking(
        tuple(names), "regression", _tuple(beta), low, high, _tuple(share), None, None, None, float(explained),
        CONFIDENCE, count, int(np.sum(~kept)), note,
    )  # fmt: skip


def saltelli_design(dimensions: int, base_samples: int, seed: int) -> Floats:
    """Points ((d + 2) * base_samples, d) in the open unit cube at which Sobol indices need the result.

    In blocks of ``base_samples`` rows: A, B, and then for each dimension A with that column taken from B (Saltelli et
    al., Comput. Phys. Commun. 181, 259, 2010). A and B are the halves of one scrambled Sobol sequence of 2 d
    dimensions. The caller turns the numbers into values, by the quantiles of each parameter.
    Raises InputError unless base_samples is a power of two, at least 8.
    """
    from scipy.stats import qmc  # half a second

    if dimensions < 1:
        raise InputError(f"dimensions = {dimensions} must be at least 1")
    if base_samples < _FEWEST_ROWS or base_samples & (base_samples - 1):
        raise InputError(f"base_samples = {base_samples} must be a power of two, at least {_FEWEST_ROWS}")
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    both = np.clip(qmc.Sobol(2 * dimensions, rng=rng).random(base_samples), 1e-15, 1 - 1e-15)
    a, b = both[:, :dimensions], both[:, dimensions:]
    blocks = [a, b]
    for k in range(dimensions):
        mixed = a.copy()
        mixed[:, k] = b[:, k]
        blocks.append(mixed)
    return np.concatenate(blocks)


def sobol_from_design(y: ArrayLike, dimensions: int, names: Sequence[str], seed: int, resamples: int = 1000) -> Ranking:
    """Sobol indices from the results ``y`` ((d + 2) * base_samples,) at the points of `saltelli_design`.

    First-order indices by Saltelli et al. 2010, total ones by Jansen (both in table 2 there); the parameters must be
    independent. Intervals come from ``resamples`` bootstrap samples of the base rows, which takes the points for
    independent: for the even ones of a Sobol sequence they are too wide rather than too narrow. Where y is NaN at one
    of the d + 2 points of a base row, the whole row is left out.

    Raises InputError for shapes that do not fit and too few rows, MtjspiceError if y does not vary.
    """
    result = np.asarray(y, float)
    if len(names) != dimensions or result.ndim != 1 or len(result) % (dimensions + 2) or not len(result):
        raise InputError(
            f"y has the shape {result.shape} for {dimensions} dimensions with {len(names)} names;"
            f" allowed: ({dimensions + 2} * base_samples,) and as many names as dimensions"
        )
    blocks = result.reshape(dimensions + 2, -1)
    kept = ~np.any(np.isnan(blocks), axis=0)
    blocks = blocks[:, kept]
    count = blocks.shape[1]
    if count < _FEWEST_ROWS:
        raise InputError(f"{count} base rows with all their results; allowed: {_FEWEST_ROWS} or more")
    if not np.all(np.isfinite(blocks)):
        raise InputError("y must be finite (NaN stands for a missing result)")
    _must_vary(blocks[:2])
    first, total = (found[0] for found in _indices(blocks, np.ones((1, count), int)))
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    again = [_indices(blocks, _counts(count, size, rng)) for size in _parts(resamples, count * dimensions)]
    low, high = _percentiles(np.concatenate([one[0] for one in again]))
    total_low, total_high = _percentiles(np.concatenate([one[1] for one in again]))
    left_out = int(np.sum(~kept))
    note = f"{left_out} of {len(kept)} base rows were left out: the points are no longer even" if left_out else ""
    return Ranking(
        tuple(names), "sobol", _tuple(first), low, high, _tuple(first), _tuple(total), total_low, total_high,
        float(np.sum(first)), CONFIDENCE, count, left_out, note,
    )  # fmt: skip


def _regression(x: Floats, y: Floats, counts: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Regressions with each row taken as often as ``counts`` (r, n) says.

    Standardised coefficients (r, d), inverse correlation matrices (r, d, d) and R^2 (r,).
    """
    weight = counts / np.sum(counts, axis=1, keepdims=True)
    z = np.column_stack((x, y))
    mean = weight @ z
    products = (z[:, :, None] * z[:, None, :]).reshape(len(z), -1)
    covariance = (weight @ products).reshape(len(counts), z.shape[1], -1) - mean[:, :, None] * mean[:, None, :]
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    correlation = covariance / (deviation[:, :, None] * deviation[:, None, :])
    # a resample may have fewer different rows than parameters, so that only the pseudo-inverse exists
    inverse = np.linalg.pinv(correlation[:, :-1, :-1], hermitian=True)
    beta = np.einsum("rij,rj->ri", inverse, correlation[:, :-1, -1])
    return beta, inverse, np.sum(beta * correlation[:, :-1, -1], axis=1)


def _indices(blocks: Floats, counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """First-order and total indices (r, d) of results (d + 2, n), rows taken as often as ``counts`` (r, n) says.

    Results are taken from their mean, which changes no expectation and makes the first-order estimate far steadier.
    """
    weight = counts / np.sum(counts, axis=1, keepdims=True)
    blocks = blocks - np.mean(blocks[:2])
    a, b, mixed = blocks[0], blocks[1], blocks[2:]
    square, mean = (weight @ ((a**2 + b**2) / 2)), weight @ ((a + b) / 2)
    variance = (square - mean**2)[:, None]
    first = weight @ (b * (mixed - a)).T / variance
    total = weight @ ((a - mixed) ** 2).T / (2 * variance)
    return first, total


def _counts(rows: int, resamples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each row is in each bootstrap sample, (resamples, rows)."""
    return rng.multinomial(rows, np.full(rows, 1 / rows), size=resamples)


def _parts(resamples: int, numbers: int) -> list[int]:
    """Sizes of the parts in which bootstrap samples are done, to bound memory."""
    if resamples < 100:
        raise InputError(f"resamples = {resamples} must be at least 100")
    size = max(1, 10_000_000 // numbers)
    return [min(size, resamples - start) for start in range(0, resamples, size)]


def _percentiles(values: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Ends of the intervals of values (r, d)."""
    low, high = np.quantile(values, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2], axis=0)
    return _tuple(low), _tuple(high)


def _must_vary(y: Floats) -> None:
    if np.ptp(y) <= 1e-12 * np.max(np.abs(y), initial=0.0):
        raise MtjspiceError("the result does not vary: no parameter moves it")


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
