"""Does the order of sources by near pairs depend on the threshold, and on how words become latents?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.stt_trng.near_images import GRID

if TYPE_CHECKING:
    from mtjspice.papers.stt_trng.class_ratios import Study
    from mtjspice.papers.stt_trng.near_images import Survey

SWEEP = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)  # LPIPS
REFERENCE = 1e-4  # of the pairs of good bits
Floats = NDArray[np.float64]
_RESAMPLES = 300


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau-b of two orders of the sources, with limits by a bootstrap over seeds."""

    tau: float
    low: float
    high: float


def at(threshold: float) -> int:
    """Where on the grid a threshold is."""
    return int(np.argmin(np.abs(np.log(GRID / threshold))))


def at_rate(good: Floats, rate: float) -> int:
    """Where on the grid a fraction of the pairs of good bits is nearer, of counts (seeds, 400)."""
    total = good.sum(axis=0)
    return int(np.searchsorted(total, rate * total[-1]).clip(0, len(GRID) - 1))


def agreement(first: Floats, second: Floats, rng: np.random.Generator) -> Agreement:
    """Of pairs (sources, seeds) counted in two ways with the same seeds, which are resampled together."""
    seeds = first.shape[1]
    found = [_tau(first, second)]
    for _ in range(_RESAMPLES):
        chosen = rng.integers(0, seeds, seeds)
        found.append(_tau(first[:, chosen], second[:, chosen]))
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return Agreement(found[0], float(low), float(high))


def repeated(counts: Floats, rng: np.random.Generator) -> Agreement:
    """Of pairs (sources, seeds) with themselves, one half of the seeds against the other: what noise leaves."""
    seeds = counts.shape[1]
    found = []
    for _ in range(_RESAMPLES):
        order = rng.permutation(seeds)
        half = seeds // 2
        found.append(_tau(counts[:, order[:half]], counts[:, order[half : 2 * half]]))
    low, high = np.quantile(found, [0.025, 0.975])
    return Agreement(float(np.mean(found)), float(low), float(high))


def _tau(first: Floats, second: Floats) -> float:
    """Zero where one side is the same for all sources: then it orders nothing."""
    from scipy.stats import kendalltau

    a, b = first.sum(axis=1), second.sum(axis=1)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(kendalltau(a, b).statistic)


@dataclass(frozen=True)
class Order:
    """Of one generator at one threshold: how the order of the sources agrees with others.

    ``good`` is the fraction of the pairs of good bits that are nearer; ``reference`` with the order at the threshold of
    `REFERENCE`, ``halves`` of one half of the seeds with the other, ``maps`` of the two maps of words to latents.
    """

    generator: str
    threshold: float
    good: float
    reference: Agreement
    halves: Agreement
    maps: Agreement


def orders(
    faces: "Survey", uniform: "Survey", garments: "Study", mapped: "Study", seed: int
) -> dict[str, tuple[Order, ...]]:
    """By generator, for each of `SWEEP`."""
    seeds, few = faces.effort.seeds, uniform.effort.seeds
    below = np.array([one.below[:seeds] for one in faces.draws.values()])
    moved = np.array([one.below[:few] for one in uniform.draws.values()])
    rng = np.random.default_rng([seed, 4])
    return {
        "faces": _orders("faces", below, below[:, :few], moved, faces.null.below, rng),
        # the last row are good bits
        "garments": _orders(
            "garments", garments.below[:-1], garments.below[:-1], mapped.below[:-1], garments.good_below, rng
        ),
    }


def _orders(
    generator: str, below: Floats, common: Floats, moved: Floats, good: Floats, rng: np.random.Generator
) -> tuple[Order, ...]:
    fractions = good.sum(axis=0) / good[:, -1].sum()
    start = at_rate(good, REFERENCE)
    return tuple(
        Order(
            generator, threshold, float(fractions[at(threshold)]),
            agreement(below[..., start], below[..., at(threshold)], rng), repeated(below[..., at(threshold)], rng),
            agreement(common[..., at(threshold)], moved[..., at(threshold)], rng),
        )
        for threshold in (float(GRID[start]), *SWEEP)
    )  # fmt: skip
