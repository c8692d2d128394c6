"""The Markov-chain emulator: fidelity ``chain``.

Each lane (one device, read once per cycle) is a two-state Markov chain given by p01 = P(1 | previous bit 0)
and p10 = P(0 | previous bit 1). Fitted to the bits of a slower fidelity it gives bits with the same bias and
the same lag-1 correlation, hundreds of millions a second; `of_pulse` takes them from a card instead. Devices may
differ (`ChainModel.spread`) and wander (`Drift`); there is no memory beyond one cycle and no coupling between
lanes: bits made here are emulated, and whoever passes them on must label them so.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, expit, logit

from mtjspice.device.card import MTJCard
from mtjspice.device.chain_sampler import ChainSampler
from mtjspice.device.constants import ROOM_TEMPERATURE


@dataclass(frozen=True, eq=False)
class ChainModel:
    """Two-state Markov chains, one per lane.

    ``p01`` and ``p10`` are probabilities per cycle, shape (lanes,). ``counts``, shape (lanes, 2, 2), holds
    the observed transitions ``counts[lane, previous, next]`` that they were fitted from, or is None for
    chains given by theory. ValueError for probabilities outside [0, 1], shapes that disagree, or a lane with
    p01 = p10 = 0, which never moves and so has no stationary law.
    """

    p01: NDArray[np.float64]
    p10: NDArray[np.float64]
    counts: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for name in ("p01", "p10"):
            value = np.array(getattr(self, name), dtype=np.float64)
            if value.ndim != 1 or value.size == 0:
                raise ValueError(f"{name} must be a vector, one entry per lane, not of shape {value.shape}")
            if not ((value >= 0) & (value <= 1)).all():
                raise ValueError(f"{name} must lie between 0 and 1")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if self.p01.shape != self.p10.shape:
            raise ValueError(f"p01 and p10 disagree on the lanes: {self.p01.size} and {self.p10.size}")
        if (self.p01 + self.p10 == 0).any():
            raise ValueError("a lane with p01 = p10 = 0 has no stationary law")
        if self.counts is not None:
            counts = np.array(self.counts, dtype=np.int64)
            if counts.shape != (self.lanes, 2, 2) or (counts < 0).any():
                raise ValueError(f"counts must be non-negative and of shape {(self.lanes, 2, 2)}")
            counts.setflags(write=False)
            object.__setattr__(self, "counts", counts)

    @property
    def lanes(self) -> int:
        """Number of chains."""
        return self.p01.size

    def stationary(self) -> NDArray[np.float64]:
        """Stationary probability of a one, p01 / (p01 + p10), shape (lanes,)."""
        return self.p01 / (self.p01 + self.p10)

    def lag1(self) -> NDArray[np.float64]:
        """Correlation of neighbouring bits, lambda = 1 - p01 - p10, shape (lanes,); at lag k it is lambda**k.

        Positive if a bit tends to repeat the one before it, negative if it tends to differ, 0 if independent.
        """
        return 1 - self.p01 - self.p10

    def intervals(self, confidence: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Jeffreys intervals of p01 and of p10, each of shape (lanes, 2) as (low, high).

        The equal-tailed interval of the posterior Beta(k + 1/2, n - k + 1/2), with the lower end 0 for k = 0
        and the upper end 1 for k = n (Brown, Cai and DasGupta 2001); without observations it is [0, 1].
        ValueError for a model that was not fitted.
        """
        if self.counts is None:
            raise ValueError("a chain that was not fitted to bits has no intervals")
        if not 0 < confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
        trials = self.counts.sum(axis=2)
        return (
            _jeffreys_interval(self.counts[:, 0, 1], trials[:, 0], confidence),
            _jeffreys_interval(self.counts[:, 1, 0], trials[:, 1], confidence),
        )

    def pooled(self) -> "ChainModel":
        """The one-lane model of all lanes' transitions together; it hides their variation.

        ValueError for a model that was not fitted.
        """
        if self.counts is None:
            raise ValueError("only a chain that was fitted to bits can be pooled")
        return _from_counts(self.counts.sum(axis=0, keepdims=True))

    def sample(
        self, n_cycles: int, rng: np.random.Generator, lanes: int | None = None, drift: "Drift | None" = None
    ) -> NDArray[np.uint8]:
        """Bits of ``n_cycles`` cycles, uint8 of shape (n_cycles, lanes), beginning in the stationary law.

        Lanes are independent. ``lanes`` lets a model of one lane stand for that many devices alike; ``drift`` lets
        the probabilities wander. One 32-bit word is used per bit, cycle after cycle, of a Threefry stream whose key
        is drawn from ``rng``, so that a shorter sample of the same seed is the beginning of a longer one.
        Probabilities are rounded to 2^-31.
        """
        if n_cycles < 0:
            raise ValueError(f"n_cycles must not be negative: {n_cycles}")
        if lanes is not None and (lanes < 1 or self.lanes not in (1, lanes)):
            raise ValueError(f"a model of {self.lanes} lanes cannot stand for {lanes}")
        width = self.lanes if lanes is None else lanes
        sampler = ChainSampler(np.broadcast_to(self.stationary(), width), rng)
        result = np.empty((n_cycles, width), dtype=np.uint8)
        p01, p10 = (np.broadcast_to(p, width) for p in (self.p01, self.p10))
        interval = n_cycles if drift is None else drift.interval
        for begin in range(0, n_cycles, max(1, interval)):
            if drift is not None:
                p01, p10 = drift.apply(p01, p10, sampler.slow) if begin else (p01, p10)
            sampler.fill(p01, p10, result[begin : begin + interval])
        return result

    def spread(self, lanes: int, rng: np.random.Generator, *, toggle: float = 0.0, bias: float = 0.0) -> "ChainModel":
        """Return ``lanes`` devices that differ: Gaussian shifts of the logits of p01 and p10, one draw a device.

        ``toggle`` is the standard deviation of a shift common to both (pulse width, amplitude), ``bias`` that of
        one with opposite signs (offset field, spin torque). ValueError for a model of several lanes other than
        ``lanes``, or negative deviations.
        """
        if self.lanes not in (1, lanes) or lanes < 1:
            raise ValueError(f"a model of {self.lanes} lanes cannot stand for {lanes}")
        if not (toggle >= 0 and bias >= 0):
            raise ValueError("standard deviations must not be negative")
        common, opposite = toggle * rng.standard_normal(lanes), bias * rng.standard_normal(lanes)
        return ChainModel(_shifted(self.p01, common + opposite), _shifted(self.p10, common - opposite))


@dataclass(frozen=True)
class Drift:
    """Random walk of the logits of p01 and p10 of each device.

    ``toggle`` and ``bias`` are the standard deviations that accumulate over one cycle (they grow with the square
    root of the number of cycles), of shifts with equal and with opposite signs; probabilities are renewed every
    ``interval`` cycles. ValueError for negative deviations or an interval below 1.
    """

    toggle: float = 0.0
    bias: float = 0.0
    interval: int = 1000

    def __post_init__(self) -> None:
        if not (self.toggle >= 0 and self.bias >= 0 and self.interval >= 1):
            raise ValueError("a drift has standard deviations that are not negative and an interval of 1 or more")

    def apply(
        self, p01: NDArray[np.float64], p10: NDArray[np.float64], rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Probabilities one interval later."""
        scale = float(np.sqrt(self.interval))
        common, opposite = (scale * d * rng.standard_normal(len(p01)) for d in (self.toggle, self.bias))
        return _shifted(p01, common + opposite), _shifted(p10, common - opposite)


def _shifted(probability: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(expit(logit(probability) + shift))


def of_pulse(
    card: MTJCard | str, voltage: float, pulse_width: float, *, temperature: float = ROOM_TEMPERATURE, **settings: Any
) -> ChainModel:
    """Chain of a junction that gets the same pulse every cycle, 1 being AP: p01 = P(P -> AP), p10 = P(AP -> P).

    ``settings`` go to `switching_probability` (method, trials, seed, edge, tolerance ...).
    """
    from mtjspice.device.switching import switching_probability  # brings xarray, which sampling does without

    p01, p10 = (
        float(
            switching_probability(
                card, voltage, pulse_width, direction=direction, temperature=temperature, **settings
            ).probability.item()
        )
        for direction in ("p-ap", "ap-p")
    )
    return ChainModel(np.array([p01]), np.array([p10]))


def fit(bits: ArrayLike, pooled: bool = True) -> ChainModel:
    """Fit chains to ``bits`` of 0 and 1, shape (n_cycles, lanes); transitions are counted within lanes only.

    The estimates are the means of the posteriors under Jeffreys' prior, (k + 1/2) / (n + 1): never 0 or 1, so
    no chain is trapped, and 1/2 where no transition from a state was seen; :meth:`ChainModel.intervals` says
    how much they are worth. ``pooled`` gives one lane fitted to all together; otherwise each lane is fitted
    by itself. ValueError for anything but 0 and 1 or a wrong shape.
    """
    values = np.asarray(bits)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"bits must have the shape (n_cycles, lanes), not {values.shape}")
    if not ((values == 0) | (values == 1)).all():
        raise ValueError("bits must be 0 or 1")
    values = values.astype(np.uint8, copy=False)
    previous, following = values[:-1], values[1:]
    ones_before = previous.sum(axis=0, dtype=np.int64)
    ones_after = following.sum(axis=0, dtype=np.int64)
    n11 = (previous & following).sum(axis=0, dtype=np.int64)
    n10, n01 = ones_before - n11, ones_after - n11
    n00 = len(previous) - n11 - n10 - n01
    counts = np.stack([np.stack([n00, n01], axis=1), np.stack([n10, n11], axis=1)], axis=1)
    return _from_counts(counts.sum(axis=0, keepdims=True) if pooled else counts)


def _from_counts(counts: NDArray[np.int64]) -> ChainModel:
    estimates = (counts + 0.5) / (counts.sum(axis=2, keepdims=True) + 1)
    return ChainModel(estimates[:, 0, 1], estimates[:, 1, 0], counts)


def _jeffreys_interval(count: NDArray[np.int64], trials: NDArray[np.int64], confidence: float) -> NDArray[np.float64]:
    tail = (1 - confidence) / 2
    low = np.where(count == 0, 0.0, betaincinv(count + 0.5, trials - count + 0.5, tail))
    high = np.where(count == trials, 1.0, betaincinv(count + 0.5, trials - count + 0.5, 1 - tail))
    return np.stack([low, high], axis=1)
