"""Parameter spaces of studies: swept dimensions, random ones, and the points that they make together.

A space is the product of its sweeps and, where it has random dimensions, of a number of samples. A sample is one draw
of everything random: the same sample number stands for the same device at every point of the sweeps, and does not
change when a sweep gets other values. Every point has a seed of its own, for noise, which depends on the study's seed
and on the point's values alone: a point can be done again without the others.

What a simulator draws itself (the foundry's mismatch and process variation) is a random dimension whose value is the
seed that the simulator is given.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product
from math import isfinite, log, prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mtjspice.device.variation import mixing
from mtjspice.errors import InputError, choose
from mtjspice.studies.sensitivity import saltelli_design

Floats = NDArray[np.float64]
Value = float | int | str

SAMPLINGS = ("monte-carlo", "latin-hypercube", "sobol", "saltelli")
DISTRIBUTIONS = ("normal", "lognormal", "uniform")
LARGEST_SIMULATOR_SEED = 2**31
_SEEDS = 2**32
_RESERVED = ("sample", "trial")


@dataclass(frozen=True)
class Sweep:
    """A dimension with given values; ``unit`` is that of its numbers, empty for names (corners)."""

    name: str
    values: tuple[Value, ...]
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.values:
            raise InputError(f"sweep {self.name!r} has no values")
        if len(set(self.values)) != len(self.values):
            raise InputError(f"sweep {self.name!r} has a value twice")
        for value in self.values:
            if isinstance(value, float) and not isfinite(value):
                raise InputError(f"sweep {self.name!r} has the value {value!r}; values must be finite")


@dataclass(frozen=True)
class Spread:
    """A random dimension.

    ``normal`` and ``lognormal`` have the mean ``mean`` and the standard deviation ``deviation``; ``uniform`` has them
    as well, between mean -+ sqrt(3) deviation. ``low`` and ``high`` cut the distribution off (what lies beyond is drawn
    again, that is, the rest is scaled up).
    """

    name: str
    mean: float
    deviation: float
    distribution: str = "normal"
    unit: str = ""
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        choose(f"distribution of {self.name!r}", self.distribution, DISTRIBUTIONS)
        if not isfinite(self.mean) or not 0 <= self.deviation < float("inf"):
            raise InputError(
                f"{self.name!r}: mean {self.mean!r} must be finite, deviation {self.deviation!r} not negative"
            )
        if self.distribution == "lognormal" and self.mean <= 0:
            raise InputError(f"{self.name!r}: the mean {self.mean:g} of a lognormal distribution must be positive")
        low, high = (self._probability(limit, end) for limit, end in ((self.low, 0.0), (self.high, 1.0)))
        if low >= high:
            raise InputError(f"{self.name!r}: between {self.low} and {self.high} there is nothing of its distribution")

    def quantile(self, share: Floats) -> Floats:
        """The values below which the given shares (0 to 1) of the distribution lie."""
        low, high = self._probability(self.low, 0.0), self._probability(self.high, 1.0)
        u = low + share * (high - low)
        if self.distribution == "uniform":
            return np.asarray(self.mean + self.deviation * sqrt(12) * (u - 0.5))
        if self.distribution == "normal":
            return np.asarray(self.mean + self.deviation * ndtri(u))
        place, scale = self._logarithm
        return np.asarray(np.exp(place + scale * ndtri(u)))

    def from_scores(self, z: Floats) -> Floats:
        """The values of standard normal scores, exact also far out in the tails where nothing is cut off."""
        if self.low is None and self.high is None and self.distribution == "normal":
            return np.asarray(self.mean + self.deviation * z)
        if self.low is None and self.high is None and self.distribution == "lognormal":
            place, scale = self._logarithm
            return np.asarray(np.exp(place + scale * z))
        return self.quantile(np.asarray(ndtr(z)))

    @property
    def _logarithm(self) -> tuple[float, float]:
        """Mean and standard deviation of the logarithm."""
        variance = log(1 + (self.deviation / self.mean) ** 2)
        return log(self.mean) - variance / 2, sqrt(variance)

    def _probability(self, limit: float | None, otherwise: float) -> float:
        """Share of the whole distribution below a limit."""
        if limit is None:
            return otherwise
        if self.deviation == 0:
            return float(limit > self.mean)
        if self.distribution == "uniform":
            return min(max((limit - self.mean) / (self.deviation * sqrt(12)) + 0.5, 0.0), 1.0)
        if self.distribution == "normal":
            return float(ndtr((limit - self.mean) / self.deviation))
        place, scale = self._logarithm
        return float(ndtr((log(limit) - place) / scale)) if limit > 0 else 0.0


@dataclass(frozen=True)
class Point:
    """One point: where it is along every dimension, the values there, and its seed (0 to 2^32 - 1)."""

    index: tuple[int, ...]
    values: Mapping[str, Value]
    seed: int


@dataclass(frozen=True)
class Space:
    """Sweeps, random dimensions with ``samples`` draws of them, and ``trials`` repetitions with other noise.

    ``seeds`` names further random dimensions that the simulator draws: their value is a seed, 1 to 2^31 - 1, the same
    for all of them in a sample, since ngspice has one generator.
    ``correlations`` maps pairs of random dimensions to the correlation of their normal scores (a Gaussian copula), as
    Pearson's coefficient between normal dimensions. ``sampling`` is plain Monte Carlo, Latin hypercube, or Sobol points
    (scrambled), for which ``samples`` should be a power of two; "saltelli" is the design for Sobol indices, for which
    it is (number of spreads + 2) times a power of two, and which needs spreads without correlations.
    """

    sweeps: tuple[Sweep, ...] = ()
    spreads: tuple[Spread, ...] = ()
    seeds: tuple[str, ...] = ()
    samples: int = 1
    trials: int = 1
    seed: int = 1
    sampling: str = "monte-carlo"
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [*(sweep.name for sweep in self.sweeps), *(spread.name for spread in self.spreads), *self.seeds]
        for name in names:
            if name in _RESERVED:
                raise InputError(f"a dimension cannot be called {name!r}, which is that of the {name}s")
            if names.count(name) > 1:
                raise InputError(f"the dimension {name!r} is there twice")
        choose("sampling", self.sampling, SAMPLINGS)
        if self.samples < 1 or self.trials < 1:
            raise InputError(f"samples = {self.samples} and trials = {self.trials} must be at least 1")
        if self.samples > 1 and not self.is_random:
            raise InputError(f"{self.samples} samples of nothing: the space has no random dimension (use trials)")
        if not 0 <= self.seed < _SEEDS:
            raise InputError(f"seed {self.seed} is out of range; allowed: 0 to {_SEEDS - 1}")
        mixing([one.name for one in self.spreads], self.correlations)
        if self.sampling == "saltelli":
            self._check_saltelli()

    def _check_saltelli(self) -> None:
        count = len(self.spreads) + 2
        base = self.samples // count
        if not self.spreads or self.seeds or any(self.correlations.values()):
            raise InputError("saltelli sampling needs independent spreads, and nothing that the simulator draws")
        if self.samples % count or base < 8 or base & (base - 1):
            raise InputError(
                f"samples = {self.samples}: saltelli sampling of {len(self.spreads)} spreads takes {count} times a "
                f"power of two of at least 8, such as {count * 64}"
            )

    @property
    def is_random(self) -> bool:
        """Whether there is a dimension of samples."""
        return bool(self.spreads or self.seeds)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the dimensions of results: sweeps, then "sample" and "trial" where there are several."""
        return (
            *(sweep.name for sweep in self.sweeps), *(("sample",) if self.is_random else ()),
            *(("trial",) if self.trials > 1 else ()),
        )  # fmt: skip

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return (
            *(len(sweep.values) for sweep in self.sweeps), *((self.samples,) if self.is_random else ()),
            *((self.trials,) if self.trials > 1 else ()),
        )  # fmt: skip

    def __len__(self) -> int:
        """Return the number of points."""
        return prod(self.shape)

    def draws(self) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
        """Values of the random dimensions, (samples,) each; those of ``seeds`` are whole numbers."""
        found: dict[str, NDArray[np.float64] | NDArray[np.int64]] = {}
        if self.spreads:
            found.update(self.spread_values(np.asarray(ndtri(self._uniform()))))
        if self.seeds:
            rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(1,)))
            found.update(dict.fromkeys(self.seeds, rng.integers(1, LARGEST_SIMULATOR_SEED, self.samples)))
        return found

    def spread_values(self, scores: Floats) -> dict[str, Floats]:
        """Values of the spreads, (n,) each, for independent standard normal scores (n, spreads)."""
        mixed = scores @ mixing([one.name for one in self.spreads], self.correlations).T
        return {one.name: one.from_scores(mixed[:, k]) for k, one in enumerate(self.spreads)}

    def spread_points(self, scores: Floats) -> list[Point]:
        """Points of those values, for methods that choose points as they go; their seeds depend on the values."""
        drawn = self.spread_values(scores)
        rows = [{name: float(values[k]) for name, values in drawn.items()} for k in range(len(scores))]
        return [Point((), values, _seed(self.seed, values, 0, 0)) for values in rows]

    def coordinates(self) -> dict[str, tuple[str, NDArray[Any], str]]:
        """Sweeps and random dimensions by name: the dimension that they lie along, their values and their unit."""
        units = {one.name: one.unit for one in self.spreads}
        return {
            **{one.name: (one.name, np.array(one.values), one.unit) for one in self.sweeps},
            **{name: ("sample", values, units.get(name, "")) for name, values in self.draws().items()},
        }

    def points(self) -> Iterator[Point]:
        """All points, the last dimension fastest."""
        drawn = self.draws()
        for index in product(*map(range, self.shape)):
            yield self._point(index, drawn)

    def point(self, index: Sequence[int]) -> Point:
        """One point; InputError for a place outside the space."""
        place = tuple(index)
        if len(place) != len(self.shape) or not all(0 <= i < n for i, n in zip(place, self.shape, strict=True)):
            raise InputError(f"there is no point {place}; the dimensions {self.dimensions} have the sizes {self.shape}")
        return self._point(place, self.draws())

    def index_of(self, place: int) -> tuple[int, ...]:
        """Where the point of a number (the last dimension fastest) is along the dimensions; InputError if nowhere."""
        if not 0 <= place < len(self):
            raise InputError(f"there is no point {place}; the study has 0 to {len(self) - 1}")
        return tuple(int(i) for i in np.unravel_index(place, self.shape)) if self.shape else ()

    def _point(self, index: tuple[int, ...], drawn: Mapping[str, NDArray[Any]]) -> Point:
        values: dict[str, Value] = {sweep.name: sweep.values[i] for sweep, i in zip(self.sweeps, index, strict=False)}
        rest = list(index[len(self.sweeps) :])
        sample = rest.pop(0) if self.is_random else 0
        trial = rest.pop(0) if self.trials > 1 else 0
        seed = _seed(self.seed, values, sample, trial)
        return Point(index, {**values, **{name: those[sample].item() for name, those in drawn.items()}}, seed)

    def _uniform(self) -> Floats:
        """Points in the unit cube, (samples, random dimensions), none on its faces."""
        from scipy.stats import qmc  # half a second, which every worker process would pay

        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(0,)))
        size = len(self.spreads)
        if self.sampling == "monte-carlo":
            u = rng.random((self.samples, size))
        elif self.sampling == "latin-hypercube":
            u = qmc.LatinHypercube(size, rng=rng).random(self.samples)
        elif self.sampling == "saltelli":
            u = saltelli_design(size, self.samples // (size + 2), self.seed)
        else:
            u = qmc.Sobol(size, rng=rng).random(self.samples)
        return np.asarray(np.clip(u, 1e-15, 1 - 1e-15))


def _seed(seed: int, values: Mapping[str, Value], sample: int, trial: int) -> int:
    """A seed that depends on what a point is, not on where it stands among others."""
    text = repr((seed, sorted((name, repr(value)) for name, value in values.items()), sample, trial))
    return int.from_bytes(sha256(text.encode()).digest()[:4], "little")
