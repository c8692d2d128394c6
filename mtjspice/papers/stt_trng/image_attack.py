"""Can later images be predicted from published images alone, and do near images tell of which sources?"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import image_attack_figures, model_attack, near_images
from mtjspice.papers.stt_trng.attack_findings import key_of
from mtjspice.papers.stt_trng.image_sources import GOOD
from mtjspice.papers.stt_trng.model_attack import Attacked, Correlation

if TYPE_CHECKING:
    from mtjspice.papers.stt_trng.seed_ratios import Ratio

_ASSUMED = (
    "generator of garments of 28 x 28 and how its latents are made are public, images are rounded to 256 levels"
    f" only, words of {near_images.WORD} bits"
)
TWISTER_BITS = 624 * 32  # the state of MT19937 in whole words


def run(context: Context) -> Section:
    """Invert garments of all sources; near images are those of faces."""
    from mtjspice.generative.attack.decoder import open_decoder
    from mtjspice.generative.gan.bench import Bench
    from mtjspice.generative.gan.generators import open_generator

    seed = context.seed % 2**16
    effort = near_images.Effort(*context.effort((100, 3, 3, 6), (300, 4, 4, 8)))
    faces = near_images.survey(model_attack.SOURCES, (), Bench(open_generator("faces")), effort, seed)
    near = {label: faces.to_null(label) for label in model_attack.SOURCES}
    images, seen = context.effort((2, (1, 2)), (8, (1, 2, 4, 8)))
    decoder = open_decoder("fashion")
    attacked = [
        model_attack.attack(label, decoder, images, seen, seed, near[label].value) for label in model_attack.SOURCES
    ]
    related = model_attack.correlations(attacked, seed)
    return Section(
        answer=_answer(attacked, near, related, images),
        findings=[*(_finding(one) for one in attacked), _inverted(attacked, images), _hidden(attacked, near),
                  *(_related(one, len(attacked)) for one in related)],
        plates=(
            image_attack_figures.source_plate(attacked, near, effort), image_attack_figures.success_plate(attacked),
        ),
        setting=(
            f"{images} garments a source inverted by Adam, then Levenberg and Marquardt, rounded to words; registers"
            " decoded with errors, all seeds tried, MT19937 and congruences where bits are sure; near images of"
            f" {effort.seeds} x {effort.images} faces; SP 800-90B of {model_attack.ENTROPY_BITS:,} bits."
        ),
    )  # fmt: skip


def _finding(one: Attacked) -> Finding:
    most = max(one.trials, key=lambda trial: trial.seen)
    first = min((trial.seen for trial in one.trials if trial.broken.count), default=None)
    reseeded = "seed an image" in one.source
    what = "half of an image's bits from the other half" if reseeded else f"next image's bits from {most.seen}"
    return Finding(
        key=key_of(one.source), quantity=f"{one.source}: {what}", ours=counted(one.right, 4), status=Status.LEFT_OPEN,
        reason=(
            (
                f"Broken from {first} image{'s' if first != 1 else ''} on ({image_attack_figures.all_of(one)})."
                if first is not None else
                f"Not broken ({image_attack_figures.all_of(one)}): the commoner bit of those read is guessed, right at"
                f" {one.common:.1%} by chance."
            )
            + (" The next image has another seed, guessed once in all that there are." if reseeded else "")
            + f" {one.misread.value:.1%} of the bits were misread; SP 800-90B: {one.entropy:.2f} bit/bit."
        ),
        assumed=_ASSUMED,
    )  # fmt: skip


def _inverted(attacked: Sequence[Attacked], images: int) -> Finding:
    from mtjspice.statistics import wilson

    solved = sum(one.solved.count for one in attacked)
    wrong, bits = (sum(getattr(one.misread, name) for one in attacked) for name in ("count", "trials"))
    return Finding(
        key="inverted", quantity="images inverted down to the rounding of their pixels",
        ours=counted(wilson(solved, images * len(attacked))), status=Status.LEFT_OPEN,
        reason=(
            f"The latent of a published image is no secret where the generator is public; {wrong / bits:.1%} of"
            " the bits are misread, which registers bear (they are decoded) and generators of whole words do not."
        ),
        assumed=_ASSUMED,
    )  # fmt: skip


def _hidden(attacked: Sequence[Attacked], near: "Mapping[str, Ratio]") -> Finding:
    broken = [one.source for one in attacked if one.broken]
    hidden = [label for label in broken if near[label].contains_one]
    return Finding(
        key="hidden",
        quantity="broken sources that near images do not tell from good bits",
        ours=f"{len(hidden)} of {len(broken)}",
        status=Status.LEFT_OPEN,
        reason=f"{', '.join(hidden) or 'None'}: their 95 % intervals of near images over those of good bits contain 1,"
        " which says little where they are wide.",
        assumed=_ASSUMED,
    )


def _related(one: Correlation, sources: int) -> Finding:
    return Finding(
        key="correlation-" + one.measure.replace(" ", "-"),
        quantity=f"rank correlation of bits predicted with {one.measure} (Spearman, {sources} sources)",
        ours=Value(value=one.rho, low=one.low, high=one.high, kind="95 %, bootstrap over sources"),
        status=Status.LEFT_OPEN,
        reason=(
            f"p = {one.p_value:.2g} by permutation. "
            + (
                "Orders without anything in common would do as well."
                if one.p_value >= model_attack.LEVEL
                else "The two orders have something in common."
            )
            + " The choice of sources decides such a correlation."
        ),
        assumed=_ASSUMED,
    )


def _answer(
    attacked: Sequence[Attacked], near: "Mapping[str, Ratio]", related: Sequence[Correlation], images: int
) -> Sequence[str]:
    broken = [one.source for one in attacked if one.broken]
    rest = [one for one in attacked if not one.broken]
    one_image = [one.source for one in attacked if any(t.seen == 1 and t.broken.value == 1 for t in one.trials)]
    hidden = [label for label in broken if near[label].contains_one]
    told = {one.measure: one for one in related}
    metric, entropy = told["near images"], told["min-entropy"]
    return (
        f"{len(broken)} of {len(attacked)} sources are broken from at most {images} published images, without their"
        f" latents: {_plain(broken)}. {len(one_image)} of them are broken from every single image. Of the others"
        f" {min(one.right.value for one in rest):.1%} to {max(one.right.value for one in rest):.1%} of the next bits"
        " are guessed, by chance or their bias.",
        "That others hold is a limit of these attacks, not security: MT19937 and congruential generators fall to an"
        f" attacker who knows latents, but need whole words without errors, MT19937 {TWISTER_BITS:,} bits of them."
        + (" Some of them are broken here all the same." if {"MT19937", "LCG (ANSI C)"} & set(broken) else ""),
        ("Over the sources near images do go with success" if metric.p_value < model_attack.LEVEL
         else "That near images go with success is not shown")
        + f": rank correlation {metric.rho:+.2f} ({metric.low:+.2f} to {metric.high:+.2f}, p = {metric.p_value:.2g}),"
        f" of min-entropy by SP 800-90B {entropy.rho:+.2f} ({entropy.low:+.2f} to {entropy.high:+.2f}, p ="
        f" {entropy.p_value:.2g}). {len(hidden)} of the {len(broken)} broken sources are not told from good bits by"
        " their near images, so that few of them are no sign of security.",
        _blind(attacked),
    )  # fmt: skip


def _plain(broken: Sequence[str]) -> str:
    """Registers that run on and registers that are seeded anew are named together."""
    seeded = [one for one in broken if "seed an image" in one]
    rest = ", ".join(one for one in broken if one not in seeded)
    return ", and ".join(filter(None, (rest, f"{len(seeded)} registers seeded anew for each image" if seeded else "")))


def _blind(attacked: Sequence[Attacked]) -> str:
    """Broken sources to which the estimate gives as much as to a cipher, within the spread of good ones."""
    least = min(one.entropy for one in attacked if one.source in GOOD)
    blind = [f"{one.source} ({one.entropy:.2f})" for one in attacked if one.broken and one.entropy >= least]
    return (
        f"SP 800-90B estimates {least:.2f} or more bit of min-entropy a bit for good sources, and for"
        f" {', '.join(blind) or 'none'} of the broken ones. The estimates look for repetition within"
        f" {model_attack.ENTROPY_BITS:,} bits, not for linear recurrences."
    )


EXPERIMENT = Experiment(
    key="image-attack",
    title="Can later images be predicted from images alone?",
    question="Which sources are broken through their published images, and do near images or min-entropy tell so?",
    run=run,
    draw={"sources": image_attack_figures.draw_sources, "success": image_attack_figures.draw_success},
    minutes=(0.6, 1.6),
    modules=("torch",),
    data=("faces", "lpips"),
)
