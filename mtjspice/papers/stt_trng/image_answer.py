"""The answer on near images in words, every number of it computed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.near_images import LATENT, NORMAL, UNIFORM, WORD

if TYPE_CHECKING:
    from mtjspice.papers.stt_trng.image_findings import Found


def answer(found: "Found", states: Mapping[int, int]) -> Sequence[str]:
    """Paragraphs; ``states`` has the distinct latents of registers by length."""
    return (_junctions(found), _registers(found, states), _classes(found), _orders(found))


def _junctions(found: "Found") -> str:
    from mtjspice.papers.stt_trng.image_findings import direct, missed, pooled

    narrow, wide, both = direct(found, 0), direct(found, 1), pooled(found.faces)
    first, second = found.faces.effort.rates
    return (
        "Emulated junctions behind XOR of three make"
        f" {narrow.shown().shown()} times as many near images as PCG64, a good generator without hardware, if near is"
        f" what {first:.0%} of good images are, and {wide.value:.2f} ({wide.low:.2f} to {wide.high:.2f}) times as many"
        f" with {second:.0%}. For all junctions over all good generators that is {both.value:.2f} ({both.low:.2f} to"
        f" {both.high:.2f}). {missed(both)}. Near images tell latents that repeat or are correlated, not whether bits"
        " are random or can be predicted."
    )


def _registers(found: "Found", states: Mapping[int, int]) -> str:
    ratios = {label: found.ratios[label] for label in found.weak}
    repeating = [ratios[label].value for label in found.weak if label in found.repeating]
    fresh = {label: one for label, one in ratios.items() if label not in found.repeating}
    shifted = [label for label, one in fresh.items() if not one.contains_one]
    values = [one.value for one in ratios.values()]
    none = " (half a pair standing in for none)" if any(one.pairs == 0 for one in ratios.values()) else ""
    text = (
        f'Against shift registers the ratio, "up to {claims.FEWER.value:g}" in the paper, is a matter of the register:'
        f" over those tried it runs from {min(values):.3g}{none} to {max(values):.3g}. A register of n bits, read in"
        f" blocks of {LATENT * WORD}, gives (2ⁿ - 1)/gcd(2ⁿ - 1, {LATENT * WORD}) distinct latents"
        f" ({', '.join(f'{count} for {n}' for n, count in states.items())}). Registers and seeds that repeat latents"
        f" within {found.faces.effort.images} images have {_range(repeating)}, those that repeat none"
        f" {_range([one.value for one in fresh.values()])}"
    )
    if not shifted:
        return f"{text}; the latter are not told from good bits."
    differ = "differs" if len(shifted) == 1 else "differ"
    return f"{text}; of the latter {', '.join(shifted)} {differ} from good bits (of equal sources one in twenty does)."


def _classes(found: "Found") -> str:
    from mtjspice.papers.stt_trng.class_ratios import GOOD_BITS

    chance = found.largest[NORMAL][GOOD_BITS]
    sources = {label: one for label, one in found.largest[NORMAL].items() if label != GOOD_BITS}
    label, top = max(sources.items(), key=lambda pair: pair[1].ratio)
    study = found.garments[NORMAL]
    beyond = {chosen: found.beyond(chosen) for chosen in (NORMAL, UNIFORM)}
    pairs = study.good.sum(axis=0)
    return (
        "The largest of ten classes is large by chance as well. Between good bits it is"
        f" {chance.median:.2g} in the median and {chance.high:.2g} or more in one case of twenty, with"
        f" {study.effort.seeds} x {study.effort.images // len(study.names)} garments a class and {pairs.min():.0f} to"
        f" {pairs.max():.0f} near pairs of good bits in one. The largest ratio found is {top.ratio:.3g} ({label},"
        f" {top.name}; p = {top.p_value:.2g}, uncorrected for {len(sources)} sources). Beyond chance after Holm's"
        f" correction: {', '.join(beyond[NORMAL]) or 'none'} with normal latents,"
        f" {', '.join(beyond[UNIFORM]) or 'none'} with uniform ones."
    )


def _orders(found: "Found") -> str:
    near = claims.NEAR_PAIRS.value or 0.0
    parts = []
    for name, orders in found.orders.items():
        first, last = orders[0], min(orders, key=lambda one: abs(one.threshold - near))
        parts.append(
            f"{name} {last.reference.tau:+.2f} ({last.reference.low:+.2f} to {last.reference.high:+.2f}) from LPIPS"
            f" {first.threshold:.2g} to {last.threshold:.2g}, where two halves of the seeds at the former have"
            f" {first.halves.tau:+.2f}"
        )
    return (
        "Repeated latents are near at any threshold, but the wider it is, the more pairs of different latents are near"
        f" as well. How far the order of the sources keeps, by Kendall's tau: {'; '.join(parts)}. Network, data and"
        " size of the images are not the paper's; what carries over is how the ratio depends on the register, the"
        " threshold and the choice of a class."
    )


def _range(ratios: Sequence[float]) -> str:
    return f"ratios of {min(ratios):.3g} to {max(ratios):.3g}" if ratios else "no example here"
