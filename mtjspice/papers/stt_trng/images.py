"""Near images of a GAN against the bits behind its latents: ratios to good bits, seed by seed and class by class."""

from math import gcd

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import class_figures, image_answer, image_figures, image_findings
from mtjspice.papers.stt_trng.image_sources import EMULATED, PSEUDO, SOURCES
from mtjspice.papers.stt_trng.near_images import LATENT, MAPS, NORMAL, UNIFORM, WORD

BY_CLASS = tuple(SOURCES)
__all__ = ["BY_CLASS", "EXPERIMENT", "LATENT", "WORD", "run"]


def run(context: Context) -> Section:
    """Faces and garments of ten classes for all sources, with two maps of words to latents."""
    found = compute(context)
    return Section(
        answer=image_answer.answer(found, {n: _states(n) for n in (8, 10, 12, 16)}),
        findings=image_findings.findings(found),
        plates=(
            image_figures.ratio_plate(found.faces),
            class_figures.class_plate(found.garments[NORMAL]),
            image_figures.sweep_plate(found.faces, found.uniform),
            class_figures.rank_plate(found.orders),
        ),
        setting=_setting(found),
    )


def compute(context: Context) -> image_findings.Found:
    """Draw and count."""
    from mtjspice.generative.gan.bench import Bench
    from mtjspice.generative.gan.generators import open_generator
    from mtjspice.generative.gan.lpips import Lpips
    from mtjspice.papers.stt_trng import class_ratios, near_images, ranks

    seed, lpips = context.seed % 2**16, Lpips()
    bench = Bench(open_generator("faces"), lpips)
    effort = near_images.Effort(*context.effort((160, 5, 12, 12), (400, 20, 45, 40)))
    faces = near_images.survey(SOURCES, (EMULATED, PSEUDO), bench, effort, seed)
    mapped = context.effort(3, 5)
    again = near_images.Effort(effort.images, mapped, mapped, 2 * mapped)
    uniform = near_images.survey(SOURCES, (), bench, again, seed, UNIFORM)
    by_class = class_ratios.Effort(*context.effort((200, 3, 199), (900, 5, 999)))
    fashion = open_generator("fashion")
    garments = {chosen: class_ratios.survey(SOURCES, fashion, lpips, by_class, seed, chosen) for chosen in MAPS}
    orders = ranks.orders(faces, uniform, garments[NORMAL], garments[UNIFORM], seed)
    return image_findings.Found(faces, uniform, garments, orders)


def _setting(found: image_findings.Found) -> str:
    effort, by_class = found.faces.effort, found.garments[NORMAL].effort
    return (
        f"Faces of 64 x 64, {effort.images} a seed: {effort.seeds} seeds a source, {effort.more} of {EMULATED} and of"
        f" {PSEUDO}, {effort.null} of good bits (Philox), {found.uniform.effort.seeds} for the second map; garments:"
        f" {by_class.seeds} seeds of {by_class.images}, {by_class.permutations} permutations; words of {WORD} bits;"
        " LPIPS 0.1 with AlexNet."
    )


def _states(length: int) -> int:
    """Distinct latents of a register of maximal period that runs freely."""
    period: int = 2**length - 1
    return period // gcd(period, LATENT * WORD)


EXPERIMENT = Experiment(
    key="images",
    title="Fewer near images: by true randomness, or by not being a short register?",
    question='How does the number of near images depend on the bits, and what can "up to so many times fewer" mean?',
    run=run,
    draw={
        "ratios": image_figures.draw_ratios,
        "classes": class_figures.draw_classes,
        "sweep": image_figures.draw_sweep,
        "ranks": class_figures.draw_ranks,
    },
    minutes=(1.4, 11.1),
    modules=("torch",),
    data=("faces", "lpips"),
)
