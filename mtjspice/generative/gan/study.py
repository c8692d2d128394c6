"""What the bits behind the latents do to the images of a GAN: duplicates and distances, against a null of good latents.

The threshold of a near duplicate is calibrated on the null, whose latents are NumPy's normal numbers from PCG64. A
source passes if it does not differ from the null; that says nothing about whether its bits can be predicted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.generative.distances import frechet_distance, kernel_distance, standardised
from mtjspice.generative.gan import duplicates
from mtjspice.generative.gan.bench import Bench, Draw
from mtjspice.generative.gan.conditional import ClassComparison, class_distances, compare_classes
from mtjspice.generative.gan.outcome import NULL, Effort, Outcome, Summary, Trial
from mtjspice.generative.mlp import one_thread

Floats = NDArray[np.float64]
Make = Callable[[int, int, int], Floats]
"""Latents (images, size) for a seed, a number of images and a size."""
_NULL_SEED = 1_000_000  # apart from the seeds of the sources
_PAIR_RATES = (0.001, 0.01, 0.1)  # of the pairs within a class of the null: thresholds of the class ratios


@dataclass(frozen=True, eq=False)
class Null:
    """Draws of good latents, the threshold that they set, and the draw that features are compared with."""

    draws: tuple[Draw, ...]
    reference: Draw
    threshold: float
    resampled: Floats

    @property
    def near(self) -> float:
        """Fraction of the images with a near duplicate."""
        return float(np.mean([(draw.nearest < self.threshold).mean() for draw in self.draws]))

    def ratios(self, resampled: Floats) -> Floats:
        """The bootstrap of a source's fraction over that of the null, which is half a pair at least."""
        least = 1 / sum(len(draw.nearest) for draw in self.draws)
        return resampled / np.maximum(self.resampled, least)


def good_latents(seed: int, images: int, size: int) -> Floats:
    """NumPy's normal numbers from PCG64, shape (images, size)."""
    return np.random.Generator(np.random.PCG64(_NULL_SEED + seed)).standard_normal((images, size))


def calibrate(bench: Bench, effort: Effort, seed: int = 1, progress: Callable[[float], None] | None = None) -> Null:
    """Draw the null, and one draw more as the reference of the features."""
    drawn = []
    for k in range(effort.null_draws + 1):
        drawn.append(bench.draw(good_latents(1000 * seed + k, effort.images, bench.generator.latent_size)))
        if progress is not None:
            progress((k + 1) / (effort.null_draws + 1))
    draws, reference = tuple(drawn[:-1]), drawn[-1]
    threshold = duplicates.threshold([draw.nearest.astype(np.float64) for draw in draws], effort.rate)
    resampled = _near(draws, threshold, effort, np.random.default_rng([seed, 0]))
    return Null(draws, reference, threshold, resampled)


def compare(
    sources: Sequence[tuple[str, Make]],
    bench: Bench,
    effort: Effort | None = None,
    seed: int = 1,
    predicted: Mapping[str, float] | None = None,
    provenance: Mapping[str, Mapping[str, str | int | float]] | None = None,
    null: Null | None = None,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Generate images from the latents of each of ``sources`` (label, maker) and hold them against the null.

    Seeds of a source are ``seed``, ``seed`` + 1, ... ``predicted`` numbers of distinct latents and ``provenance`` are
    noted by label; ``null`` is that of `calibrate`, drawn if not given. InputError for no sources, two of one label or
    one called "null", and what the makers raise.
    """
    chosen = effort or Effort()
    labels = [label for label, _ in sources]
    if not sources or len(set(labels)) != len(labels) or NULL in labels:
        raise InputError(f"a study compares one source or more, each with a label of its own other than {NULL!r}")
    good = calibrate(bench, chosen, seed) if null is None else null
    pair_thresholds = _class_thresholds(bench, good.draws)
    nearest = {NULL: np.sort(np.concatenate([draw.nearest for draw in good.draws]))}
    examples = {NULL: good.draws[0].examples}
    classes: dict[str, tuple[ClassComparison, ...]] = {}
    if pair_thresholds:
        classes[NULL] = _class_ratios(bench, good.draws[0], good.draws[1:], pair_thresholds, chosen, seed)
    trials: list[Trial] = []
    summaries: list[Summary] = []
    for number, (label, make) in enumerate(sources):
        draws = []
        for k in range(chosen.draws):
            draws.append(bench.draw(make(seed + k, chosen.images, bench.generator.latent_size)))
            if progress is not None:
                progress((number * chosen.draws + k + 1) / (len(sources) * chosen.draws))
        mine = [_trial(label, k, draw, good) for k, draw in enumerate(draws)]
        rng = np.random.default_rng([seed, 1, number])
        summaries.append(summarise(label, mine, draws, good, chosen, rng, (predicted or {}).get(label)))
        trials += mine
        nearest[label] = np.sort(np.concatenate([draw.nearest for draw in draws]))
        examples[label] = draws[0].examples
        if pair_thresholds:
            classes[label] = _class_ratios(bench, draws[0], good.draws, pair_thresholds, chosen, seed)
    return Outcome(
        bench.generator.name, bench.generator.about, good.reference.shape, chosen, seed, good.threshold,
        tuple(_trial(NULL, k, draw, good) for k, draw in enumerate(good.draws)), tuple(trials), tuple(summaries),
        nearest, classes, dict(provenance or {}), examples,
    )  # fmt: skip


def summarise(
    label: str,
    trials: Sequence[Trial],
    draws: Sequence[Draw],
    null: Null,
    effort: Effort,
    rng: np.random.Generator,
    predicted: float | None = None,
) -> Summary:
    """Pool the draws of a source; intervals by the bootstrap of `duplicates.near_resamples`."""
    near = float(np.mean([trial.near for trial in trials])) / effort.images
    resampled = _near(draws, null.threshold, effort, rng)
    low, high = duplicates.interval(resampled)
    ratio_low, ratio_high = duplicates.interval(null.ratios(resampled))
    return Summary(
        label, float(np.mean([trial.distinct for trial in trials])), predicted, near, low, high, near / null.near,
        ratio_low, ratio_high, float(np.mean([trial.clustered for trial in trials])) / effort.images,
        float(np.mean([trial.frechet for trial in trials])), float(np.mean([trial.kernel for trial in trials])),
    )  # fmt: skip


def _near(draws: Sequence[Draw], threshold: float, effort: Effort, rng: np.random.Generator) -> Floats:
    parts = [duplicates.near_resamples(draw.distances, threshold, rng, effort.resamples) for draw in draws]
    return np.asarray(np.mean(parts, axis=0), np.float64)


def _trial(label: str, number: int, draw: Draw, null: Null) -> Trial:
    found = duplicates.duplicates(draw.distances, null.threshold)
    real = null.reference.features
    with one_thread():
        frechet = frechet_distance(draw.features, real)
        kernel = kernel_distance(standardised(draw.features, real), standardised(real, real))
    return Trial(
        label, number, draw.distinct, float(np.median(draw.nearest)), found.near, found.pairs, found.clusters,
        found.clustered, found.largest, frechet, kernel,
    )  # fmt: skip


def _class_thresholds(bench: Bench, draws: Sequence[Draw]) -> tuple[float, ...]:
    """Quantiles of the distances within classes of the null; none for a generator without classes."""
    if not bench.generator.classes:
        return ()
    within = []
    for draw in draws:
        same = np.triu(draw.classes[:, None] == draw.classes[None], 1)
        within.append(draw.distances[same])
    return tuple(float(value) for value in np.quantile(np.concatenate(within), _PAIR_RATES))


def _class_ratios(
    bench: Bench, draw: Draw, good: Sequence[Draw], thresholds: Sequence[float], effort: Effort, seed: int
) -> tuple[ClassComparison, ...]:
    vectors, classes = (np.concatenate([getattr(one, name) for one in good]) for name in ("vectors", "classes"))
    matrices = class_distances(draw.vectors, draw.classes, vectors, classes, bench.generator.classes)
    rng = np.random.default_rng([seed, 2])
    return tuple(
        compare_classes(matrices, threshold, rng, effort.permutations, effort.resamples) for threshold in thresholds
    )
