"""A difference of 8 % between two FIDs: what noise words do to a diffusion model, beside what chance does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.diffusion_figures import (
    draw_effects,
    draw_null,
    plates,
)
from mtjspice.papers.meram.text import percent
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.generative.diffusion_study import Make, Outcome, Trial
    from mtjspice.generative.gaussian import GaussianSource

Floats = NDArray[np.float64]
WORDS = ("tree:8", "toggle:8,pulses=16", "product:8", "popcount:64", "sum:8,words=12")
UNIFORM = "uniform words"
CHECK = "tree:8,dp=0.02"  # is known to ruin images: shows that the comparison can see something
TRAINED = "tree:8"


@dataclass(frozen=True)
class Effect:
    """Ratio of a noise's mean distance to that of software noise, with its 95 % interval."""

    noise: str
    where: str
    ratio: float
    low: float
    high: float
    draws: int


def run(context: Context) -> Section:
    """Digits: sampling with the shipped model; training anew with several seeds, software noise among them."""
    from mtjspice.generative.denoiser import Training
    from mtjspice.generative.diffusion_study import Effort, compare
    from mtjspice.generative.digits_subject import DigitsSubject

    makers = _makers()
    images = context.effort(200, 500)
    sampling = compare(
        [(name, makers[name]) for name in (*WORDS, UNIFORM, CHECK)], "sampling",
        Effort(images, context.effort(3, 8), context.effort(5, 16)), context.seed,
    )  # fmt: skip
    effects = [_effect(sampling, name, "sampling") for name in sampling.labels()]
    seeds, steps = context.effort((3, 400), (5, 1500))
    subject = DigitsSubject(Training(steps=steps))
    effort = Effort(images, context.effort(2, 4), 3, seeds)
    quick = (("training", (TRAINED,)),)
    full = (("training", (TRAINED, UNIFORM)), ("both", (TRAINED,)))
    trained = [
        compare([(name, makers[name]) for name in names], where, effort, context.seed, subject=subject)
        for where, names in context.effort(quick, full)
    ]
    for outcome in trained:
        effects += [_effect(outcome, name, outcome.where) for name in outcome.labels()]
    return _section(context, sampling, trained, effects, images, seeds, steps)


def _makers() -> "dict[str, Make]":
    """Noise by name, of bits that a chain emulates at the card's 50 % point; the chain is computed once."""
    from mtjspice.bits.sources import junctions
    from mtjspice.bits.sources.emulated import EmulatedSource, Imperfections
    from mtjspice.generative.encodings.catalogue import open_noise
    from mtjspice.generative.encodings.plain import UniformWords

    pulse = junctions.perturbation("meram100")
    model = junctions.chain_model(pulse)

    def source(seed: int) -> EmulatedSource:
        return EmulatedSource(model, seed, 1, Imperfections(), pulse.as_provenance())

    def words(name: str) -> "Callable[[int], GaussianSource]":
        return lambda seed: open_noise(name, source(seed), seed)

    found: dict[str, Make] = {name: words(name) for name in (*WORDS, CHECK)}
    found[UNIFORM] = lambda seed: UniformWords(8).open(source(seed), seed)
    return found


def _effect(outcome: "Outcome", name: str, where: str) -> Effect:
    """Ratio of mean distances; the interval is Welch's over draws, or a paired one over trainings if there are some."""
    from scipy.stats import t as student

    null = outcome.null
    own = [trial for trial in outcome.trials if trial.label == name]
    base = float(np.mean([trial.frechet for trial in null]))
    trainings = sorted({trial.training_seed for trial in null})
    if len(trainings) > 1:
        paired = np.array([_mean(own, seed) - _mean(null, seed) for seed in trainings])
        error, freedom = paired.std(ddof=1) / np.sqrt(paired.size), paired.size - 1
        excess = float(paired.mean())
    else:
        a, b = (np.array([trial.frechet for trial in trials]) for trials in (own, null))
        parts = np.array([a.var(ddof=1) / a.size, b.var(ddof=1) / b.size])
        error = float(np.sqrt(parts.sum()))
        freedom = parts.sum() ** 2 / (parts[0] ** 2 / (a.size - 1) + parts[1] ** 2 / (b.size - 1))
        excess = float(a.mean() - b.mean())
    half = float(student.ppf(0.975, freedom) * error)
    return Effect(name, where, 1 + excess / base, 1 + (excess - half) / base, 1 + (excess + half) / base, len(own))


def _mean(trials: "Sequence[Trial]", seed: int) -> float:
    return float(np.mean([trial.frechet for trial in trials if trial.training_seed == seed]))


@dataclass(frozen=True)
class Spread:
    """Relative standard deviations of the distance with software noise: ``draws`` within a training, and ``single``.

    ``single`` is that of one draw of one training, with 95 % limits (chi-squared, Satterthwaite's degrees of freedom).
    ``trainings`` is what trainings add, 0 if draws explain all, at most ``trainings_high`` (97.5 %); ``p`` of the F
    test that they add nothing. All three are trivial for one training.
    """

    draws: float
    single: float
    low: float
    high: float
    trainings: float = 0.0
    trainings_high: float = 0.0
    p: float = 1.0


def _spread(outcome: "Outcome") -> Spread:
    from scipy.stats import chi2
    from scipy.stats import f as fisher

    seeds = sorted({trial.training_seed for trial in outcome.null})
    table = np.array([[one.frechet for one in outcome.null if one.training_seed == seed] for seed in seeds])
    trainings, draws = table.shape
    within = float(table.var(axis=1, ddof=1).mean())
    parts = [((1 - 1 / draws) * within, trainings * (draws - 1))]
    if trainings > 1:
        parts.append((float(table.mean(axis=1).var(ddof=1)), trainings - 1))
    else:
        parts[0] = (within, draws - 1)
    total = sum(part for part, _ in parts)
    freedom = total**2 / sum(part**2 / each for part, each in parts)
    limits = np.sqrt(freedom / chi2.ppf([0.975, 0.025], freedom))
    mean, found = float(table.mean()), float(np.sqrt(total))
    spread = Spread(
        float(np.sqrt(within)) / mean, found / mean, float(found * limits[0]) / mean, float(found * limits[1]) / mean
    )
    if trainings == 1 or not within:
        return spread
    ratio, degrees = draws * parts[1][0] / within, (trainings - 1, trainings * (draws - 1))
    added = [np.sqrt(max(0.0, one - 1) / draws * within) for one in (ratio, ratio / fisher.ppf(0.025, *degrees))]
    return replace(
        spread, trainings=float(added[0]) / mean, trainings_high=float(added[1]) / mean,
        p=float(fisher.sf(ratio, *degrees)),
    )  # fmt: skip


def _section(
    context: Context, sampling: "Outcome", trained: "list[Outcome]", effects: list[Effect], images: int, seeds: int,
    steps: int,
) -> Section:  # fmt: skip
    drawn, whole = _spread(sampling), _spread(trained[0])
    claimed = claims.FID_RATIO.value
    assert claimed is not None
    score = (claimed - 1) / (np.sqrt(2) * whole.single)
    real = [one for one in effects if one.noise not in (CHECK, UNIFORM)]
    check = next(one for one in effects if one.noise == CHECK)
    uniform = next(one for one in effects if one.noise == UNIFORM and one.where == "sampling")
    toggled = next(one for one in effects if one.noise == WORDS[1])
    excluded = [one for one in real if one.low > 1 or one.high < 1]
    worse = [one for one in real if one.low > 1]
    needed = int(np.ceil(2 * (1.96 + 0.84) ** 2 * (whole.single / (claimed - 1)) ** 2))
    assumed = "model, data, features and number of images; bits of a fair chain in place of a circuit's"
    not_fid = "A Frechet distance of a small classifier's features on digits of 8 x 8 pixels, no FID."
    findings = [
        Finding(
            key="ratio",
            quantity="distance with toggled words in sampling over that with software noise",
            paper=claims.FID_RATIO,
            ours=_ratio(toggled),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{not_fid} What compares is how much of 8 % chance makes; see the spread. Here the interval"
                f" {'contains' if toggled.low <= 1 <= toggled.high else 'excludes'} 1 and"
                f" {'contains' if toggled.low <= claimed <= toggled.high else 'excludes'} {claimed:.2f}."
            ),
            assumed=assumed,
        ),
        Finding(
            key="comparable",
            quantity="noises of words (and places) whose interval excludes 1",
            paper=claims.FID_COMPARABLE,
            ours=f"{len(excluded)} of {len(real)}" + (f": {_names(excluded)}" if excluded else ""),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{not_fid} {len(worse)} lie above 1 (worse), {len(excluded) - len(worse)} below; of {len(real)}"
                f" intervals of 95 % {0.05 * len(real):.1f} exclude 1 by chance. An offset of 0.02 in every probability"
                f" gives {check.ratio:.1f} times the distance."
            ),
            assumed=assumed,
        ),
        Finding(
            key="spread",
            quantity=f"standard deviation of the distance of a run with software noise, trained once, {images} images",
            ours=Value(
                value=whole.single, unit="%", low=whole.low, high=whole.high, kind="95 %", digits=2,
            ),
            status=Status.LEFT_OPEN,
            reason=(
                f"Over {seeds} trainings of {steps} steps, 3 draws each; drawing {images} images alone makes"
                f" {percent(whole.draws, 1)} ({percent(drawn.draws, 1)} for the shipped model)."
            ),
            assumed=assumed,
        ),
        Finding(
            key="trainings",
            quantity="of which what the seed of the training adds",
            ours=Value(
                value=whole.trainings, unit="%", low=0.0, high=whole.trainings_high, kind="upper limit 97.5 %",
                digits=2,
            ),
            status=Status.LEFT_OPEN,
            reason=(
                f"Variance between trainings over that of draws, F test: p = {whole.p:.2g}. "
                + ("Trainings differ by more than draws do." if whole.p < 0.05 else
                   "No difference of trainings was seen; what could be there is below the upper limit.")
            ),
            assumed=assumed,
        ),
        Finding(
            key="score",
            quantity=f"8 % in standard deviations of the difference of two single runs of {images} images",
            ours=Value(
                value=score, low=float((claimed - 1) / (np.sqrt(2) * whole.high)),
                high=float((claimed - 1) / (np.sqrt(2) * whole.low)), kind="95 %", digits=2,
            ),
            status=Status.LEFT_OPEN,
            reason=(
                "Below 2 it could not be told from chance by one run each; with this spread"
                f" {max(2, needed)} runs each would be needed to see 8 % four times of five. How many runs and images"
                " the paper had, and their spread, is not known; more images spread less."
            ),
            assumed=assumed,
        ),
        *(
            Finding(
                key=f"effect-{one.where}-{k}",
                quantity=f"distance over software noise: {one.noise} in {one.where}",
                ours=_ratio(one),
                status=Status.LEFT_OPEN,
                reason=(
                    f"{one.draws} draws of {images} images. " + (
                        "A deliberate fault: the comparison can see one." if one.noise == CHECK else
                        "What a two's complement of fair bits would give, scaled to the variance 1."
                        if one.noise == UNIFORM else "Bits of an emulated chain."
                    )
                ),
                assumed=assumed,
            )
            for k, one in enumerate(effects)
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            "Two runs of this small model with the same software noise, each trained once and judged by"
            f" {images} images, differ by {percent(np.sqrt(2) * whole.single)} (one standard deviation of a"
            f" difference); the paper's 8 % is {score:.1f} of them: one run each"
            f" {'would not tell' if score < 2 else 'might tell'} the two noises apart here. Drawing {images} images"
            f" alone makes {percent(np.sqrt(2) * whole.draws)}; that trainings differ beyond it was"
            f" {'seen' if whole.p < 0.05 else 'not seen'} (p = {whole.p:.2g}). What chance makes in the paper's model"
            " cannot be said from here; a comparison without repetitions leaves it open.",
            f"Noise words give ratios of {min(one.ratio for one in real):.2f} to"
            f" {max(one.ratio for one in real):.2f}; {len(worse)} of {len(real)} intervals lie above 1,"
            f" {len(excluded) - len(worse)} below, where {0.05 * len(real):.1f} in all do by chance."
            f" Even uniform words, whose law is far from normal, give {uniform.ratio:.2f}: a diffusion model adds noise"
            " of many steps, and sums of uniform numbers are normal. An image is therefore a poor witness of a Gaussian"
            f" law. An offset of 0.02 of every probability gives {check.ratio:.1f}.",
            "Nothing here is an FID, and nothing here says how the paper's images were made.",
        ),
        findings=findings,
        plates=plates(effects, sampling, trained, images, seeds),
        setting=(
            f"Diffusion model of digits of 8 x 8 pixels in NumPy; {images} images a draw; sampling with the shipped"
            f" model; training: {seeds} seeds of {steps} steps; bits emulated at the 50 % point of card meram100."
        ),
    )


def _ratio(one: Effect) -> Value:
    return Value(value=one.ratio, low=one.low, high=one.high, kind="95 %")


def _names(effects: list[Effect]) -> str:
    return ", ".join(f"{one.noise} in {one.where} ({one.ratio:.2f})" for one in effects)


EXPERIMENT = Experiment(
    key="diffusion",
    title="FID 13.1 against 12.1: signal or chance?",
    question="Does the noise of a MeRAM cost a diffusion model more than chance does from run to run?",
    run=run,
    draw={"effects": draw_effects, "null": draw_null},
    minutes=(0.6, 4.8),
    modules=("sklearn",),
)
