"""A small difference between two FIDs: what noise words do to a diffusion model, beside what chance does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.diffusion_figures import draw_effects, draw_null, plates
from mtjspice.papers.meram.diffusion_findings import Result, claimed_share, counted, findings
from mtjspice.papers.meram.noises import CHECK, UNIFORM, WORDS
from mtjspice.papers.meram.text import limited, percent
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.papers.meram.diffusion_grid import Size, Trial


def run(context: Context) -> Section:
    """Every noise in training, in sampling and in both, with the same seeds and effort for all."""
    from mtjspice.papers.meram import diffusion_grid

    size = context.effort(
        diffusion_grid.Size(trainings=5, steps=400, images=150, null=2, draws=1),
        diffusion_grid.Size(trainings=8, steps=2000, images=500, null=4, draws=2),
    )
    return section(size, diffusion_grid.run(size, context.seed))


def section(size: "Size", trials: "Sequence[Trial]") -> Section:
    """Findings, text and figures of a grid of trials."""
    from mtjspice.papers.meram import chance
    from mtjspice.papers.meram import diffusion_grid as grid

    table = grid.table_of(trials, grid.SOFTWARE, grid.NOWHERE)
    result = Result(
        size, [grid.effect(trials, noise, where) for noise in WORDS for where in grid.PLACES],
        grid.effect(trials, CHECK, "sampling"), chance.spread(table),
    )  # fmt: skip
    return Section(
        answer=_answer(result),
        findings=findings(result),
        plates=plates([*result.effects, result.check], table, result.chance.single, size),
        setting=(
            f"Diffusion model of digits of 8 x 8 pixels in NumPy, {size.trainings} seeds of {size.steps} steps for"
            f" each noise; {size.images} images a draw, {size.null} draws of software noise and {size.draws} of words a"
            " training; bits emulated at the 50 % point of card meram100."
        ),
    )


def _answer(result: Result) -> tuple[str, ...]:
    size, chance, score = result.size, result.chance, result.score(result.chance.single)
    return (
        f"A difference of {claimed_share()}, as between the paper's FIDs, could"
        f" {'not be told' if score < 2 else 'perhaps be told'} from chance here by one run each. Two runs of this small"
        f" model with the same software noise, each trained once and judged by {size.images} images, differ"
        f" by {percent(np.sqrt(2) * chance.single)} (one standard deviation of a difference, 95 %:"
        f" {percent(np.sqrt(2) * chance.low)} to {percent(np.sqrt(2) * chance.high)}); {claimed_share()} is"
        f" {score:.1f} of that. Drawing {size.images} images alone makes {percent(np.sqrt(2) * chance.draws)}; that"
        f" trainings differ beyond it was {'seen' if chance.p < 0.05 else 'not seen'} (p = {chance.p:.2g}). What chance"
        " makes in the paper's model cannot be said from here.",
        _on_words(result),
        _on_law(result),
        "Nothing here is an FID, and nothing here says how the paper's images were made, or in which place it had its"
        " noise.",
    )


def _on_words(result: Result) -> str:
    ratios = [one.value for one in result.effects]
    apart = f" ({result.worse()} above)" if result.apart else ""
    return (
        "Five kinds of words, each in training only, in sampling only and in both, give"
        f" {_span(ratios)} times the distance of software noise. Of these {len(ratios)} ratios {len(result.apart)} have"
        f" a 95 % interval (half a width: {percent(result.half_width())}) that excludes 1{apart}; chance alone gives"
        f" {result.expected:.2g}. Allowing for the number of tests, {counted(result.sure)}."
    )


def _on_law(result: Result) -> str:
    uniform = [result.of(UNIFORM, where) for where in ("training", "sampling", "both")]
    said = "Uniform words, whose law is far from normal, give " + _span([one.value for one in uniform])
    if any(one in result.sure for one in uniform):
        said += ", and images can tell them from software noise."
    else:
        said += (
            ": images are a poor witness of a Gaussian law here. A likely reason is that sampling adds noise of many"
            " steps, and sums of uniform numbers are nearly normal."
        )
    if result.check.low > 1:
        said += (
            " Images do see offsets: trees whose probabilities are all off by 0.02 give"
            f" {limited(result.check, 1)} times the distance."
        )
    return said


def _span(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


EXPERIMENT = Experiment(
    key="diffusion",
    title=f"FID {claims.FIDS[0]} against {claims.FIDS[1]}: signal or chance?",
    question="Does the noise of a MeRAM cost a diffusion model more than chance does from run to run?",
    run=run,
    draw={"effects": draw_effects, "null": draw_null},
    minutes=(0.8, 5.4),
    modules=("sklearn",),
)
