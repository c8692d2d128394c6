"""The answer on near images in words, every number of it computed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mtjspice.papers.stt_trng import claims
from mtjspice.papers.stt_trng.image_sources import GOOD
from mtjspice.papers.stt_trng.near_images import LATENT, NORMAL, UNIFORM, WORD

if TYPE_CHECKING:
    from mtjspice.papers.stt_trng.image_findings import Found


def answer(found: "Found", states: Mapping[int, int]) -> Sequence[str]:
    """Paragraphs; ``states`` has the distinct latents of registers by length."""
    return (_junctions(found), _registers(found, states), _classes(found), _orders(found), _limits())


def _junctions(found: "Found") -> str:
    from mtjspice.papers.stt_trng.image_findings import direct, missed, pooled

    narrow, wide, both = direct(found, 0), direct(found, 1), pooled(found.faces)
    inside = sum(found.ratios[label].contains_one for label in GOOD)
    first, second = found.faces.effort.rates
    return (
        "Near images of emulated junctions behind XOR of three over those of PCG64, a good generator without hardware,"
        f" are {narrow.shown().shown()}, where {first:.0%} of good images are"
        f" near, and {wide.value:.2f} ({wide.low:.2f} to {wide.high:.2f}) where {second:.0%} are. All junctions over"
        f" all good generators: {both.value:.2f} ({both.low:.2f} to {both.high:.2f}). {missed(both)}. {inside} of"
        f" {len(GOOD)} intervals of good sources contain 1; all are held against the same good bits, so that they err"
        " together. The measure sees latents that repeat or are correlated, not whether bits are random."
    )


def _registers(found: "Found", states: Mapping[int, int]) -> str:
    ratios = {label: found.ratios[label] for label in found.weak}
    repeating = [ratios[label].value for label in found.weak if label in found.repeating]
    fresh = {label: one for label, one in ratios.items() if label not in found.repeating}
    shifted = [label for label, one in fresh.items() if not one.contains_one]
    values = [one.value for one in ratios.values()]
    text = (
        f'"Up to {claims.FEWER.value:g} times" is therefore a statement about the register: over those tried the ratio'
        f" runs from {min(values):.3g} to {max(values):.3g}. In blocks of b = {LATENT * WORD} bits a register of n bits"
        " gives (2ⁿ - 1)/gcd(2ⁿ - 1, b) distinct latents"
        f" ({', '.join(f'{count} for {n}' for n, count in states.items())}), and seeds drawn at random repeat long"
        f" before all are used. Registers and seeds that repeat latents within {found.faces.effort.images} images have"
        f" {_range(repeating)}, those that repeat none {_range([one.value for one in fresh.values()])}"
    )
    if not shifted:
        return f"{text}, not told from good bits."
    return (
        f"{text}; of these {', '.join(shifted)} can be told from good bits (of equal sources one in twenty can; on a"
        f" period as short as that of LFSR of 10, {2**10 - 1} bits, latents begin one bit apart, which are correlated)."
    )


def _classes(found: "Found") -> str:
    from mtjspice.papers.stt_trng.class_ratios import GOOD_BITS

    chance = found.largest[NORMAL][GOOD_BITS]
    sources = {label: one for label, one in found.largest[NORMAL].items() if label != GOOD_BITS}
    label, top = max(sources.items(), key=lambda pair: pair[1].ratio)
    study = found.garments[NORMAL]
    beyond = {chosen: found.beyond(chosen) for chosen in (NORMAL, UNIFORM)}
    pairs = study.good.sum(axis=0)
    return (
        f"Where nothing differs, the largest of ten classes is {chance.median:.2g} in the median and {chance.high:.2g}"
        f" in one case of twenty, with {study.effort.seeds} x {study.effort.images // len(study.names)} images a class"
        f" and {pairs.min():.0f} to {pairs.max():.0f} near pairs of good bits in one. The largest one found is"
        f" {top.ratio:.3g} ({label}, {top.name}; p = {top.p_value:.2g}, uncorrected for {len(sources)} sources)."
        f" Beyond chance after Holm's correction: {', '.join(beyond[NORMAL]) or 'none'} with normal latents,"
        f" {', '.join(beyond[UNIFORM]) or 'none'} with uniform ones. A class with few near pairs of good bits gives a"
        " large ratio most easily."
    )


def _orders(found: "Found") -> str:
    parts = []
    near = claims.NEAR_PAIRS.value or 0.0
    for name, orders in found.orders.items():
        first, last = orders[0], min(orders, key=lambda one: abs(one.threshold - near))
        parts.append(
            f"{name}: {last.reference.tau:+.2f} ({last.reference.low:+.2f} to {last.reference.high:+.2f}) between LPIPS"
            f" {first.threshold:.2g} and {last.threshold:.2g}, {first.maps.tau:+.2f} ({first.maps.low:+.2f} to"
            f" {first.maps.high:+.2f}) between the two maps at the former, {first.halves.tau:+.2f} between halves of"
            " the seeds"
        )
    return (
        "The order of the sources by near pairs is that of repeated latents at low thresholds; further up pairs of"
        f" different latents outnumber them. Kendall's tau, {'; '.join(parts)}. Garments are counted class by class,"
        " where fewer latents repeat."
    )


def _limits() -> str:
    return (
        "Near images say nothing about whether bits can be predicted; that is asked by the experiments on attacks."
        " No network, data or image size of the paper is repeated here; what carries over is how the ratio depends on"
        " the register, the threshold and the choice of a class."
    )


def _range(ratios: Sequence[float]) -> str:
    return f"ratios of {min(ratios):.3g} to {max(ratios):.3g}" if ratios else "no example here"
