"""A small difference between two FIDs: what noise words do to a diffusion model, beside what chance does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.diffusion_figures import draw_effects, draw_null, plates
from mtjspice.papers.meram.diffusion_findings import Result, claimed_share, counted, findings
from mtjspice.papers.meram.noises import CHECK, UNIFORM, UNRESET, WORDS
from mtjspice.papers.meram.text import percent
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
    ratios = [one.value for one in result.effects]
    uniform = [result.of(UNIFORM, where).value for where in ("training", "sampling", "both")]
    memory = [result.of(UNRESET, where).value for where in ("training", "sampling", "both")]
    return (
        f"Two runs of this small model with the same software noise, each trained once and judged by {size.images}"
        f" images, differ by {percent(np.sqrt(2) * chance.single)} (one standard deviation of a difference); the"
        f" paper's {claimed_share()} is {score:.1f} of them: one run each"
        f" {'would not tell' if score < 2 else 'might tell'} the two noises apart here. Drawing {size.images} images"
        f" alone makes {percent(np.sqrt(2) * chance.draws)}; that trainings differ beyond it was"
        f" {'seen' if chance.p < 0.05 else 'not seen'} (p = {chance.p:.2g}). What chance makes in the paper's model"
        " cannot be said from here; a comparison without repetitions leaves it open.",
        f"Five kinds of words, each in training alone, in sampling alone and in both, {size.trainings} trainings each,"
        f" give {min(ratios):.2f} to {max(ratios):.2f} times the distance of software noise. Of {len(ratios)} intervals"
        f" (half a width: {percent(result.half_width())}) {len(result.apart)} exclude 1, {result.worse()} of them"
        f" above, where {result.expected:.2g} do by chance; allowing for the number of tests,"
        f" {counted(result.sure)}. Even uniform words, whose law is far from normal, give"
        f" {_span(uniform)}, and a chain without resets, whose magnitudes remember, {_span(memory)}: a diffusion"
        " model adds noise of many steps, and sums of uniform numbers are normal. An image is therefore a poor witness"
        f" of a Gaussian law. It is a witness of offsets: 0.02 in every probability gives {result.check.value:.1f}.",
        "Nothing here is an FID, and nothing here says how the paper's images were made, or in which place it had its"
        " noise. A better model leaves less distance of its own and would show smaller effects.",
    )


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
