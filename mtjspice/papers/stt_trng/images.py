"""Near images of a GAN against the bits behind its latents: ratios to good bits, class by class, and by chance."""

from collections.abc import Callable, Mapping
from math import gcd
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import claims, image_figures
from mtjspice.papers.stt_trng.image_figures import EMULATED, GOOD, PSEUDO

if TYPE_CHECKING:
    from mtjspice.generative.attack.outcome import Outcome as AttackOutcome
    from mtjspice.generative.gan.conditional import ClassComparison
    from mtjspice.generative.gan.outcome import Outcome

LATENT, WORD = 100, 8  # words of a latent of the faces, bits of a word
JUNCTIONS = "emulated:fair,lanes=16,spread=0.1"
SOURCES: Mapping[str, str] = {
    **{f"LFSR of {n}": f"lfsr:{n}" for n in (8, 10, 12, 16, 20, 32)},
    **{f"LFSR of 16, {k}-bit seed an image": f"lfsr:16+reseed:{k}" for k in (10, 12, 14)},
    "MT19937": "mt19937", "PCG64": "pcg64", "ChaCha20": "chacha20",
    "junctions, raw": JUNCTIONS, "junctions, XOR of three": f"{JUNCTIONS}+xor:3",
    "junctions, Toeplitz": f"{JUNCTIONS}+toeplitz:1024,min-entropy=0.9",
}  # fmt: skip
BY_CLASS = ("LFSR of 16, 10-bit seed an image", "LFSR of 32", "PCG64", "junctions, XOR of three")
Floats = NDArray[np.float64]
Make = Callable[[int, int, int], Floats]


def run(context: Context) -> Section:
    """Faces for all sources, garments of ten classes for some."""
    from mtjspice.generative.gan.bench import Bench
    from mtjspice.generative.gan.generators import open_generator
    from mtjspice.generative.gan.outcome import Effort
    from mtjspice.generative.gan.study import compare

    images, draws, null = context.effort((400, 1, 4), (1000, 2, 6))
    effort = Effort(images=images, draws=draws, null_draws=null, resamples=context.effort(500, 2000))
    seed = context.seed % 2**20
    faces = compare(
        [(label, _maker(text, 1)) for label, text in SOURCES.items()], Bench(open_generator("faces")), effort, seed
    )
    permutations = context.effort(199, 999)
    by_class = Effort(*context.effort((500, 1, 3), (1500, 1, 3)), resamples=300, permutations=permutations)
    garments = compare(
        [(label, _maker(SOURCES[label], 10)) for label in BY_CLASS], Bench(open_generator("fashion")), by_class, seed
    )
    return _section(faces, garments, _attacked(faces, seed))


def _attacked(faces: "Outcome", seed: int) -> "AttackOutcome":
    """The attack on known latents of 32 images, beside the near images of the same sources."""
    from mtjspice.generative.attack.outcome import Effort
    from mtjspice.generative.attack.study import study
    from mtjspice.generative.attack.victim import Plan

    plans = {label: Plan.parse(text) for label, text in SOURCES.items() if "reseed" not in text}
    near = {one.label: one.near for one in faces.summaries}
    return study(plans, Effort((32,), 5, WORD), ["words"], latent_size=LATENT, seed=seed, near=near)


def _maker(text: str, classes: int) -> Make:
    """Latents of a source; a class uses its bits up before the next one does, as if classes were made in turn."""
    from mtjspice.generative.attack.victim import Plan

    plan = Plan.parse(text)

    def make(seed: int, images: int, size: int) -> Floats:
        latents = plan.latents(images, size, WORD, seed)
        return latents.reshape(classes, images // classes, size).transpose(1, 0, 2).reshape(images, size)

    return make


def _section(faces: "Outcome", garments: "Outcome", attacked: "AttackOutcome") -> Section:
    from mtjspice.generative.gan.outcome import NULL

    by_label = {one.label: one for one in faces.summaries}
    chance = garments.classes[NULL][1]
    largest = {label: garments.classes[label][1] for label in BY_CLASS}
    ratio = _ratio_of(faces, PSEUDO, EMULATED)
    weak = {label: one for label, one in by_label.items() if label not in GOOD}
    registers = {label: one.ratio for label, one in weak.items()}
    lowest, highest = min(registers.values()), max(registers.values())
    claimed = claims.FEWER.value or 0.0
    reaching = [label for label, one in weak.items() if one.ratio_low <= claimed <= one.ratio_high]
    quiet = [label for label, one in weak.items() if one.ratio_low <= 1 <= one.ratio_high]
    near = claims.NEAR_PAIRS.value or 0.0
    share = image_figures.share_below(faces, near)
    images = faces.effort.images
    drawn = images * faces.effort.draws
    repeating = {label: one.ratio for label, one in weak.items() if one.distinct < images}
    fresh = {label: one.ratio for label, one in weak.items() if one.distinct >= images}
    shifted = [label for label in fresh if weak[label].ratio_low > 1]
    counts = [round(by_label[label].near * drawn) for label in (EMULATED, PSEUDO)]
    room = max(ratio.limits[1], 1 / ratio.limits[0])
    seen = (
        f"No difference was found; one up to a factor of {room:.1f} could have been missed"
        if ratio.limits[0] <= 1 <= ratio.limits[1]
        else "They differ in this run, which one of twenty such comparisons of equal sources does"
    )
    owned = [one.null_high for one in largest.values()]
    predicted = [label for label in attacked.measures if attacked.best(label).found]
    hidden = [label for label in predicted if by_label[label].ratio_low <= 1 <= by_label[label].ratio_high]
    correlation = next((one for one in attacked.correlations() if one.measure == "near duplicates"), None)
    told = (
        "no two sources differ" if correlation is None
        else f"{correlation.rho:+.2f} (p = {correlation.p_value:.2g}, {correlation.sources} sources)"
    )  # fmt: skip
    beyond = "is beyond" if chance.null_high < claimed else "is not beyond"
    assumed = (
        f"generator of faces of 64 x 64 (not the paper's network), {images} images a draw, words of {WORD} bits; near"
        f" is below LPIPS {faces.threshold:.3f}, which {faces.effort.rate:.0%} of the images of good bits are"
    )
    findings = [
        Finding(
            key="fewer", quantity="near images of shift registers over those of good bits", paper=claims.FEWER,
            ours=f"{lowest:.2g} to {highest:.2g} over {len(weak)} registers and seeds", status=Status.NOT_COMPARABLE,
            reason=(
                "The length of the register and how it is seeded are not said, and the ratio can be given any value by"
                " them"
                + (f": {claimed:g} lies in the interval of {', '.join(reaching)}." if reaching else ".")
                + f" Not told from good bits: {', '.join(quiet) or 'none of them'}."
            ),
            assumed=assumed,
        ),
        Finding(
            key="decisive", quantity=f"near images, {EMULATED} over {PSEUDO}", ours=ratio, status=Status.LEFT_OPEN,
            reason=(
                "The control that was missing in what could be read: a good generator without any hardware."
                f" {counts[0]} against {counts[1]} of {drawn} images are near. {seen}. The junctions are emulated, so"
                " that two pseudo-random generators are compared."
            ),
            assumed=assumed,
        ),
        Finding(
            key="class", quantity="largest ratio of ten classes by chance, sets of good bits permuted",
            paper=claims.ONE_CLASS,
            ours=(
                f"{chance.null_median:.1f} (median), {chance.null_high:.1f} (95 % quantile of"
                f" {chance.permutations} permutations)"
            ),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"Chance and the choice of the largest class make {chance.null_median:.1f} (median) of a true ratio of"
                f" 1, with {garments.effort.images // 10} images a class; {claimed:g} {beyond} that, but how much of it"
                " is selection cannot be said without the other nine."
            ),
            assumed=(
                "class-conditional generator of garments of 28 x 28; pairs below the distance of 1 % of pairs of good"
                " bits"
            ),
        ),
        Finding(
            key="threshold", quantity=f"images of good bits with a neighbour below LPIPS {near:g}",
            paper=claims.NEAR_PAIRS,
            ours=Value(value=share, unit="%", low=image_figures.limits_of(share, images * faces.effort.null_draws)[0],
                       high=image_figures.limits_of(share, images * faces.effort.null_draws)[1], kind="95 %"),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{near:g} on another network and size of image means another thing; here a threshold is calibrated on"
                " good bits."
            ),
            assumed=assumed,
        ),
        Finding(
            key="exploit", quantity="near images of a source against how far it can be predicted (rank correlation)",
            ours=told, status=Status.LEFT_OPEN,
            reason=(
                f"{len(hidden)} of {len(predicted)} sources that are predicted wholly after 32 images are not told from"
                f" good bits by near images: {', '.join(hidden) or 'none'}. Few near images are no security."
            ),
            assumed="known latents; the choice of sources decides such a correlation",
        ),
        *(
            Finding(
                key="ratio-" + label.replace(" ", "-").replace(",", "").lower(),
                quantity=f"near images, {label} over good bits",
                ours=Value(value=one.ratio, low=one.ratio_low, high=one.ratio_high, kind="95 %, bootstrap over images"),
                status=Status.LEFT_OPEN,
                reason=f"{one.near:.1%} of {images} images; {one.distinct:.0f} distinct latents a draw.",
                assumed=assumed,
            )
            for label, one in by_label.items()
        ),
    ]  # fmt: skip
    tested = sum(label in GOOD for label in by_label)
    inside = sum(one.ratio_low <= 1 <= one.ratio_high for label, one in by_label.items() if label in GOOD)
    return Section(
        answer=(
            "Emulated junctions have fewer near images than short shift registers, and so has PCG64: those of junctions"
            f" behind XOR of three over those of PCG64 are {ratio.shown()}. {seen}. {inside} of {tested} intervals of"
            " good sources contain 1. The measure sees latents that repeat or are correlated, not whether bits are"
            " random.",
            f"\"Up to {claimed:g} times\" is therefore a statement about the register: over those tried the ratio runs"
            f" from {lowest:.2g} to {highest:.2g}. In blocks of b = {LATENT * WORD} bits a register of n bits gives"
            f" (2ⁿ - 1)/gcd(2ⁿ - 1, b) distinct latents"
            f" ({', '.join(f'{_states(n)} for {n}' for n in (8, 10, 12, 16))}), and seeds drawn at random repeat"
            " long before all are used. Registers and seeds that repeat latents within"
            f" {images} images have {_range(repeating)}, those that repeat none {_range(fresh)}"
            + (
                f"; of these {', '.join(shifted)} can be told from good bits (of equal sources one in twenty can; on a"
                f" period as short as that of LFSR of 10, {2**10 - 1} bits, latents begin one bit apart, which are"
                " correlated)."
                if shifted else ", not told from good bits."
            ),
            f"The largest of ten classes is {chance.null_median:.1f} in the median and {chance.null_high:.1f} in one"
            " case of twenty where nothing differs, by permutations of sets of good bits. By permutations of their own"
            f" images with good ones (one case of twenty: {min(owned):.1f} to {max(owned):.1f})"
            + ",".join(f" {label} has {_largest(one)}" for label, one in largest.items())
            + ". A class with few near pairs of good bits gives a large ratio most easily.",
            "Few near images are no security. Predicted completely from the latents of 32 images, and not told from"
            f" good bits by near ones: {', '.join(hidden) or 'none'}; rank correlation of both over the sources"
            f" {told}.",
            "No network, data or image size of the paper is repeated here; what carries over is how the ratio depends"
            " on the register, the threshold and the choice of a class.",
        ),
        findings=findings,
        plates=(
            image_figures.ratio_plate(faces), image_figures.class_plate(garments, largest, chance),
            image_figures.sweep_plate(faces),
        ),
        setting=(
            f"{faces.effort.draws} draw(s) of {images} faces a source, {faces.effort.null_draws} of good bits (NumPy's"
            f" PCG64); {garments.effort.images} garments a source; LPIPS 0.1 with AlexNet."
        ),
    )  # fmt: skip


def _states(length: int) -> int:
    """Distinct latents of a register of maximal period that runs freely."""
    period: int = 2**length - 1
    return period // gcd(period, LATENT * WORD)


def _range(ratios: Mapping[str, float]) -> str:
    return f"ratios of {min(ratios.values()):.2g} to {max(ratios.values()):.2g}" if ratios else "no example here"


def _largest(found: "ClassComparison") -> str:
    """The largest ratio of ten classes, its class and how many pairs of good bits it rests on."""
    one = max(found.classes, key=lambda each: each.ratio)
    return f"{one.ratio:.1f} ({one.name}, {one.good_pairs} near pairs of good bits; p = {found.p_value:.2g})"


def _ratio_of(outcome: "Outcome", base: str, label: str) -> Value:
    """Ratio of the near images of two sources, with limits from their own bootstraps (logarithms, independent)."""
    a, b = (next(one for one in outcome.summaries if one.label == name) for name in (label, base))
    least = 0.5 / outcome.effort.images
    centre = np.log(max(a.near, least) / max(b.near, least))
    half = np.hypot(*(
        (np.log(max(one.near_high, 2 * least)) - np.log(max(one.near_low, least))) / 2 for one in (a, b)
    ))  # fmt: skip
    return Value(
        value=float(np.exp(centre)), low=float(np.exp(centre - half)), high=float(np.exp(centre + half)),
        kind="95 %, bootstrap over images",
    )  # fmt: skip


EXPERIMENT = Experiment(
    key="images",
    title="Fewer near images: by true randomness, or by not being a short register?",
    question='How does the number of near images depend on the bits, and what can "up to so many times fewer" mean?',
    run=run,
    draw={
        "ratios": image_figures.draw_ratios,
        "classes": image_figures.draw_classes,
        "sweep": image_figures.draw_sweep,
    },
    minutes=(0.9, 3.8),
    modules=("torch",),
    data=("faces", "lpips"),
)
