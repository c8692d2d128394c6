"""What the figures of the validation share: column size, points with intervals, scores, tables of points."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mtjspice.reports import style

Floats = NDArray[np.float64]

COLUMN = 3.4  # inches, a column of a journal
_SMALL: Any = {"font.size": 8, "legend.fontsize": 7, "lines.linewidth": 1.1, "axes.linewidth": 0.7}
MARKS: Any = {"fmt": "o", "markersize": 3, "capsize": 1.5, "linewidth": 0.8}
OPEN: Any = {"marker": "D", "markersize": 3.4, "markerfacecolor": "none", "linestyle": "none", "markeredgewidth": 0.8}


@dataclass(frozen=True)
class Drawn:
    """A figure, the numbers in it as columns, what the caption quotes, and p-values that must not be tiny."""

    figure: Figure
    columns: Mapping[str, Sequence[Any] | NDArray[Any]]
    quoted: dict[str, str]
    p_values: dict[str, float] = field(default_factory=dict)


def new(height: float, rows: int = 1, **options: Any) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(COLUMN, height), layout="constrained")
    return figure, list(figure.subplots(rows, 1, squeeze=False, **options)[:, 0])


def small(draw: Callable[[], Drawn]) -> Callable[[], Drawn]:
    """Our style with the letters of a column."""

    def wrapped() -> Drawn:
        with matplotlib.rc_context(_SMALL):
            return draw()

    styled: Any = style.styled  # made for functions that return a figure; it hands on whatever they do
    return wraps(draw)(styled(wrapped))


def bars(data: xr.Dataset, name: str = "probability") -> tuple[Floats, Floats]:
    """Values and the lengths of their error bars below and above, both flat."""
    value, low, high = (data[key].values.ravel() for key in (name, "low", "high"))
    return value, np.maximum([value - low, high - value], 0)


def scores(shares: ArrayLike, trials: int, exact: ArrayLike, seed: int) -> Floats:
    """Normal scores of counted shares, given their exact probabilities.

    Those of randomised binomial tails: exactly normal where the probabilities are right, however few events there are.
    """
    p = np.clip(np.ravel(exact), 1e-12, 1 - 1e-12)
    count = np.rint(np.ravel(shares) * trials)
    below, at = stats.binom.cdf(count - 1, trials, p), stats.binom.pmf(count, trials, p)
    share = np.random.default_rng(seed).random(len(p))
    return np.asarray(stats.norm.ppf(np.clip(below + share * at, 1e-12, 1 - 1e-12)))


def rounded_square(given: Floats, exact: Floats) -> float:
    """Sum of squared scores of shares of 1000 trials that were rounded to 0.01."""
    return float(np.sum((given - exact) ** 2 / (exact * (1 - exact) / 1000 + 0.01**2 / 12 + 1e-6)))


def long_table(*parts: tuple[str, xr.Dataset]) -> dict[str, list[Any]]:
    """Datasets as common columns, one row a point."""
    table: dict[str, Any] = {
        key: [] for key in ("series", "voltage [V]", "pulse_width [s]", "value", "low", "high", "trials")
    }
    for series, data in parts:
        name = next(iter(data.data_vars))
        for i, voltage in enumerate(data["voltage"].values):
            for j, width in enumerate(data["pulse_width"].values):
                limits = (float(data[key].values[i, j]) for key in (name, "low", "high"))
                row = (series, float(voltage), float(width), *limits, int(data["trials"].values[i, j]))
                for column, value in zip(table.values(), row, strict=True):
                    column.append(value)
    return table


def given(
    table: dict[str, list[Any]], series: str, points: dict[float, float], voltage: float = 0.0, width: float = 0.0
) -> None:
    """Append reference points: of pulse widths (ns) at ``voltage``, or of voltages at ``width`` (s)."""
    for x, share in points.items():
        row = (series, voltage or x, width or x * 1e-9, share, "", "", "")
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
