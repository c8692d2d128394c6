"""The same attacks on several sources: how many later bits are predicted, after how many images.

The bits of a source are the truth, and kept by `Victim`. The attacker gets `Observed` and `Knowledge`; what comes back
is judged here. An attack that fails says nothing but that it failed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.catalogue import open_source
from mtjspice.errors import InputError, choose
from mtjspice.generative.attack.attacker import read_images
from mtjspice.generative.attack.brute_force import FoundSeed, search_register, search_seeds
from mtjspice.generative.attack.decoder import Decoder
from mtjspice.generative.attack.equations import SoftBits
from mtjspice.generative.attack.measures import Measures, measures
from mtjspice.generative.attack.observed import Knowledge
from mtjspice.generative.attack.outcome import ATTACKS, Effort, Outcome, Pictures, Trial
from mtjspice.generative.attack.prediction import FEWEST, NAMES, predict_next
from mtjspice.generative.attack.recovery import public_register, recover_stream
from mtjspice.generative.attack.victim import Plan, Victim
from mtjspice.generative.attack.words import known_bits, latents_of
from mtjspice.generative.gan.latent_sets import Opener

Bits = NDArray[np.uint8]
Places = NDArray[np.int64]
Images = NDArray[np.float32]
Distance = Callable[[Images, Images], NDArray[np.float32]]
"""How different images look, pair by pair, as `Lpips`."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What all sources of a study have in common; without a ``decoder`` only latents that are known are attacked."""

    effort: Effort
    attacks: tuple[str, ...]
    decoder: Decoder | None
    latent_size: int
    seed: int
    opener: Opener = open_source
    distance: Distance | None = None


def study(
    plans: Mapping[str, Plan],
    effort: Effort,
    attacks: Sequence[str],
    decoder: Decoder | None = None,
    latent_size: int | None = None,
    seed: int = 1,
    opener: Opener = open_source,
    distance: Distance | None = None,
    near: Mapping[str, float] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Attack each of ``plans`` by the ``attacks`` (of `ATTACKS`).

    The attack ``words`` needs no ``decoder``, but then the ``latent_size``; ``distance`` compares images, ``near`` is
    the fraction of near duplicates by label. InputError for no plan or attack, an unknown one, or a source that runs
    out.
    """
    if not plans or not attacks:
        raise InputError("a study attacks one source or more by one attack or more")
    for attack in attacks:
        choose("attack", attack, ATTACKS)
    size = decoder.latent_size if decoder is not None else latent_size
    if decoder is None and set(attacks) != {"words"}:
        raise InputError("only the attack on words does without a generator")
    if size is None or size < 1:
        raise InputError("without a generator the size of the latents must be given, 1 or more")
    setting = Setting(effort, tuple(attacks), decoder, size, seed, opener, distance)
    trials: list[Trial] = []
    measured: dict[str, Measures] = {}
    solved: dict[str, tuple[int, int]] = {}
    pictures: dict[str, Pictures] = {}
    for number, (label, plan) in enumerate(plans.items()):

        def advance(fraction: float, number: int = number) -> None:
            if progress is not None:
                progress((number + fraction) / len(plans))

        victim = Victim.of(plan, effort.images, size, effort.word, seed, opener)
        measured[label] = measures(plan, victim, (near or {}).get(label))
        read: SoftBits | None = None
        if decoder is not None and set(attacks) != {"words"}:
            observed = victim.publish(decoder, max(effort.seen), effort.channel)
            inversions, read = read_images(
                observed, victim.knowledge(effort.channel), decoder, seed, effort.search, lambda f: advance(0.9 * f)
            )
            solved[label] = sum(inversion.solved for inversion in inversions), len(inversions)
        for seen in effort.seen:
            for attack in attacks:
                made, shown = _attacked(label, victim, attack, seen, read, setting)
                trials += made
                if shown is not None and seen == max(effort.seen):
                    pictures[label] = shown
        advance(1.0)
    name = decoder.name if decoder is not None else "none"
    return Outcome(name, effort, seed, tuple(trials), measured, solved, pictures)


def _attacked(
    label: str, victim: Victim, attack: str, seen: int, read: SoftBits | None, setting: Setting
) -> tuple[list[Trial], Pictures | None]:
    """The trials of one attack; none where it does not apply to how the source is used."""
    knowledge = victim.knowledge()
    used = seen * knowledge.bits_per_image
    images = None if attack == "words" else read
    soft = known_bits(victim.latents[:seen], victim.word) if images is None else images[:used]
    truth = victim.bits[used : used + setting.effort.future * knowledge.bits_per_image]
    misread = float((soft.values != victim.bits[:used]).mean())
    reseeded = knowledge.pattern.kind == "reseed"
    rng = np.random.default_rng([setting.seed, seen])
    if attack == "brute-force":
        if not reseeded:
            return [], None
        found = _seeds(victim.plan, knowledge, soft, rng, setting.opener)
        right = sum(_right(victim, start, held, result, setting.opener) for start, held, result in found)
        text = f"seeds {', '.join(str(result.seed) for *_, result in found)}"
        text = text if all(result.found for *_, result in found) else ""
        false = max(result.false_positive for *_, result in found)
        return [Trial(label, attack, seen, text, false, right, sum(held.size for _, held, _ in found), misread)], None
    if attack == "prediction":
        if soft.values.size < FEWEST:
            return [], None
        guessed = [predict_next(soft.values, truth, model) for model in NAMES]
        return [
            Trial(label, f"{attack}, {each.model}", seen, "", None, each.right.count, each.right.trials, misread)
            for each in guessed
        ], None
    if reseeded:  # the bits of later images begin with other seeds
        return [], None
    result = recover_stream(soft, knowledge.family, rng, setting.effort.tries)
    ones = float(soft.values.mean())
    predicted = np.full(truth.size, ones >= 0.5, np.uint8) if result is None else result.bits(used, truth.size)
    found_text, chance = ("", None) if result is None else (result.description, result.false_positive)
    lpips = unrelated = shown = None
    if attack == "inversion":
        # images of equal bits alone would be no guess
        drawn = (rng.random(truth.size) < ones).astype(np.uint8) if result is None else predicted
        lpips, unrelated, shown = _compared(victim, drawn, seen, setting)
    right = int((predicted == truth).sum())
    return [Trial(label, attack, seen, found_text, chance, right, truth.size, misread, lpips, unrelated)], shown


def _seeds(
    plan: Plan, knowledge: Knowledge, soft: SoftBits, rng: np.random.Generator, opener: Opener
) -> list[tuple[int, Places, FoundSeed]]:
    """For each image: its first position, the places in it that were held out, and the seed that the others give."""
    span, seed_bits = knowledge.bits_per_image, knowledge.pattern.seed_bits
    register = public_register(knowledge.family)
    found = []
    for start in range(0, len(soft), span):
        image = soft[start : start + span]
        image = SoftBits(image.positions - start, image.values, image.wrong)
        used = rng.permutation(span) < span // 2
        if register is not None:
            seed = search_register(register, seed_bits, image[used])
        else:
            seed = search_seeds(lambda number, count: plan.seeded(number, count, opener), seed_bits, image[used])
        found.append((start, np.flatnonzero(~used), seed))
    return found


def _right(victim: Victim, start: int, held: Places, seed: FoundSeed, opener: Opener) -> int:
    """How many of the true bits that were held out of an image follow from the seed."""
    predicted = victim.plan.seeded(seed.seed, victim.knowledge().bits_per_image, opener)
    return int((predicted[held] == victim.bits[start + held]).sum())


def _compared(
    victim: Victim, predicted: Bits, seen: int, setting: Setting
) -> tuple[float | None, float | None, Pictures]:
    """Distance of predicted from true later images, and of these from others, and the pictures of both."""
    assert setting.decoder is not None
    later = victim.latents[seen : seen + setting.effort.future]
    guesses = latents_of(predicted, victim.word, later.shape[1])
    true, guess = setting.decoder.images(later, seen), setting.decoder.images(guesses, seen)
    pictures = Pictures(setting.effort.channel.publish(true), setting.effort.channel.publish(guess))
    if setting.distance is None:
        return None, None, pictures
    everything = np.concatenate([setting.decoder.images(victim.latents[:seen]), true])
    unrelated = setting.distance(everything, np.roll(everything, 1, axis=0))
    return float(setting.distance(guess, true).mean()), float(unrelated.mean()), pictures
