"""From published images alone: latents by inversion of the generator, bits by rounding, then all later images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.stt_trng.image_sources import SOURCES as IMAGE_SOURCES
from mtjspice.papers.stt_trng.near_images import WORD
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    from mtjspice.generative.attack.decoder import Decoder
    from mtjspice.generative.attack.equations import SoftBits
    from mtjspice.generative.attack.victim import Victim

SOURCES: Mapping[str, str] = {
    **IMAGE_SOURCES,
    "junctions, P = 0.60": "emulated:fair,p=0.6,lanes=16",
    "LCG (ANSI C)": "lcg:ansi-c",
}
ENTROPY_BITS = 100_000
LEVEL = 0.05
Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Tried:
    """Attacks on one source from ``seen`` images each: ``broken`` of them, and bits of the next image ``right``.

    Of a source that is reseeded the bits are the other half of the image itself: the next one has another seed.
    """

    source: str
    seen: int
    broken: Proportion
    right: Proportion


@dataclass(frozen=True)
class Attacked:
    """One source: its trials, images ``solved``, bits ``misread``; min-entropy of SP 800-90B (bit per bit).

    ``common`` is the fraction of the commoner bit, ``near`` that of images with a near duplicate (of faces).
    """

    source: str
    trials: tuple[Tried, ...]
    solved: Proportion
    misread: Proportion
    entropy: float
    common: float
    near: float
    state: float | None = field(default=None)

    @property
    def right(self) -> Proportion:
        """Bits of the next image predicted from the most images."""
        return max(self.trials, key=lambda one: one.seen).right

    @property
    def broken(self) -> bool:
        """Whether any attack succeeded."""
        return any(one.broken.count for one in self.trials)


def attack(label: str, decoder: "Decoder", images: int, seen: Sequence[int], seed: int, near: float) -> Attacked:
    """Publish ``images`` images of a source, read them all, and attack from disjoint runs of ``seen`` ones."""
    from mtjspice.bits.sp800_90b.assessment import assess
    from mtjspice.generative.attack.attacker import read_images
    from mtjspice.generative.attack.measures import state_bits
    from mtjspice.generative.attack.observed import Channel
    from mtjspice.generative.attack.victim import Plan, Victim

    plan = Plan.parse(SOURCES[label])
    victim = Victim.of(plan, images + 1, decoder.latent_size, WORD, seed)
    inversions, soft = read_images(victim.publish(decoder, images, Channel()), victim.knowledge(), decoder, seed)
    reseeded = plan.pattern.kind == "reseed"
    trials = tuple(
        (_seeds if reseeded else _following)(label, victim, soft, count, seed) for count in ((1,) if reseeded else seen)
    )
    wrong = int((soft.values != victim.bits[: len(soft)]).sum())
    latents = -(-ENTROPY_BITS // (decoder.latent_size * WORD))
    stream = Victim.of(plan, latents, decoder.latent_size, WORD, seed).bits[:ENTROPY_BITS]
    ones = float(stream.mean())
    return Attacked(
        label, trials, wilson(sum(one.solved for one in inversions), images), wilson(wrong, len(soft)),
        assess(stream, workers=1).min_entropy, max(ones, 1 - ones), near, state_bits(plan),
    )  # fmt: skip


def _following(label: str, victim: "Victim", soft: "SoftBits", seen: int, seed: int) -> Tried:
    """The next image of each run; where nothing is found its bits are guessed to be the commoner of those read."""
    from mtjspice.generative.attack.equations import SoftBits
    from mtjspice.generative.attack.recovery import recover_stream

    knowledge = victim.knowledge()
    span = knowledge.bits_per_image
    broken = right = runs = 0
    for start in range(0, len(soft) - seen * span + 1, seen * span):
        part = soft[start : start + seen * span]
        used = SoftBits(part.positions - start, part.values, part.wrong)
        truth = victim.bits[start + seen * span :][:span]
        found = recover_stream(used, knowledge.family, np.random.default_rng([seed, seen, start]))
        guess = np.full(span, part.values.mean() >= 0.5, np.uint8) if found is None else found.bits(seen * span, span)
        hits = int((guess == truth).sum())
        broken, right, runs = broken + (found is not None and hits == span), right + hits, runs + 1
    return Tried(label, seen, wilson(broken, runs), wilson(right, runs * span))


def _seeds(label: str, victim: "Victim", soft: "SoftBits", seen: int, seed: int) -> Tried:
    """The seed of each image by trying all, from half of its bits; the other half are predicted."""
    from mtjspice.generative.attack.brute_force import search_register
    from mtjspice.generative.attack.equations import SoftBits
    from mtjspice.generative.attack.recovery import public_register

    knowledge = victim.knowledge()
    register, span = public_register(knowledge.family), knowledge.bits_per_image
    if register is None:
        raise ValueError(f"{label} is no register")
    rng = np.random.default_rng([seed, seen])
    broken = right = tested = 0
    for start in range(0, len(soft), span):
        part = soft[start : start + span]
        used = rng.permutation(span) < span // 2
        image = SoftBits(part.positions - start, part.values, part.wrong)
        found = search_register(register, knowledge.pattern.seed_bits, image[used])
        same = victim.plan.seeded(found.seed, span) == victim.bits[start : start + span]
        broken += found.found and bool(same.all())
        right, tested = right + int(same[~used].sum()), tested + int((~used).sum())
    return Tried(label, seen, wilson(broken, len(soft) // span), wilson(right, tested))


@dataclass(frozen=True)
class Correlation:
    """Spearman's coefficient of how far sources are predicted with one of their ``measure``, by bootstrap of sources.

    ``p_value`` by permutation of the sources.
    """

    measure: str
    rho: float
    low: float
    high: float
    p_value: float


def correlations(attacked: Sequence[Attacked], seed: int, resamples: int = 1000) -> tuple[Correlation, ...]:
    """Near images, min-entropy and size of the state (largest where no number is known) against bits predicted."""
    success = np.array([one.right.value for one in attacked])
    measures = {
        "near images": np.array([one.near for one in attacked]),
        "min-entropy": np.array([one.entropy for one in attacked]),
        "bits of the state": np.array([1e9 if one.state is None else one.state for one in attacked]),
    }
    rng = np.random.default_rng([seed, 9])
    found = []
    for name, values in measures.items():
        rho, n = _spearman(values, success), len(success)
        drawn = [_spearman(values[k], success[k]) for k in rng.integers(0, n, (resamples, n))]
        shuffled = [_spearman(values, rng.permuted(success)) for _ in range(resamples)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        reached = int((np.abs(shuffled) >= abs(rho) - 1e-12).sum())
        found.append(Correlation(name, rho, float(low), float(high), (1 + reached) / (1 + resamples)))
    return tuple(found)


def _spearman(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Zero where one side is constant."""
    from scipy.stats import rankdata

    a, b = (rankdata(side) for side in (first, second))
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
