"""Findings on near images: numbers and what they can be compared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.stt_trng import claims, class_findings
from mtjspice.papers.stt_trng.image_figures import REPEATING, pairs_below
from mtjspice.papers.stt_trng.image_sources import EMULATED, EMULATORS, GENERATORS, GOOD, PSEUDO, SOURCES
from mtjspice.papers.stt_trng.near_images import WORD

if TYPE_CHECKING:
    from mtjspice.papers.stt_trng.class_ratios import Largest, Study
    from mtjspice.papers.stt_trng.near_images import Survey
    from mtjspice.papers.stt_trng.ranks import Order
    from mtjspice.papers.stt_trng.seed_ratios import Ratio


@dataclass(frozen=True)
class Found:
    """Faces with normal and with uniform latents, garments by map, and orders of the sources."""

    faces: "Survey"
    uniform: "Survey"
    garments: "Mapping[str, Study]"
    orders: "Mapping[str, Sequence[Order]]"

    @cached_property
    def ratios(self) -> "Mapping[str, Ratio]":
        """Near images over those of good bits, by source."""
        return {label: self.faces.to_null(label) for label in SOURCES}

    @cached_property
    def largest(self) -> "Mapping[str, Mapping[str, Largest]]":
        """The largest ratio of ten classes, by map and source (good bits of other seeds among them)."""
        return {
            chosen: {label: study.largest(label) for label in study.labels} for chosen, study in self.garments.items()
        }

    def beyond(self, chosen: str, corrected: bool = True) -> list[str]:
        """Sources whose largest ratio has p below 5 %, of all sources together (S. Holm 1979) or of each alone."""
        ordered = sorted(self.largest[chosen].items(), key=lambda pair: pair[1].p_value)
        found = []
        for number, (label, one) in enumerate(ordered):
            if one.p_value * (len(ordered) - number if corrected else 1) >= class_findings.LEVEL:
                break
            found.append(label)
        return found

    @cached_property
    def repeating(self) -> list[str]:
        """Registers that repeat latents within the images of a seed."""
        images = self.faces.effort.images
        return [label for label, one in self.faces.draws.items() if one.distinct.mean() < images]

    @property
    def weak(self) -> list[str]:
        """Registers, however seeded."""
        return [label for label in SOURCES if label not in GOOD]


def assumed(faces: "Survey", number: int = 0) -> str:
    """What near images of faces rest on, below the threshold of that number."""
    return (
        f"generator of faces of 64 x 64 (not the paper's network), {faces.effort.images} images a seed, words of"
        f" {WORD} bits; near is below LPIPS {faces.thresholds[number]:.3f}, which {faces.effort.rates[number]:.0%} of"
        " the images of good bits are"
    )


def findings(found: Found) -> list[Finding]:
    """All of them."""
    return [_fewer(found), *_direct(found), _seeds(found), *class_findings.chance(found), *class_findings.order(found),
            *_thresholds(found), *_each(found)]  # fmt: skip


def missed(one: "Ratio") -> str:
    """What a comparison says of equality, and which factor it would have found."""
    if one.contains_one:
        return (
            "No difference was found; sources that differ by a factor of"
            f" {one.resolved:.2f} would be told apart in four of five such comparisons"
        )
    return "They differ in this run, which one of twenty such comparisons of equal sources does"


def direct(found: Found, number: int) -> "Ratio":
    """Near images of the junctions over those of PCG64."""
    return found.faces.between((EMULATED,), (PSEUDO,), number)


def pooled(survey: "Survey", number: int = 1) -> "Ratio":
    """Three ways to use junctions over three good generators."""
    return survey.between(tuple(EMULATORS), tuple(GENERATORS), number)


def _fewer(found: Found) -> Finding:
    ratios = {label: found.ratios[label] for label in found.weak}
    low, high = (pick(one.value for one in ratios.values()) for pick in (min, max))
    claimed = claims.FEWER.value or 0.0
    reaching = [label for label, one in ratios.items() if one.low <= claimed <= one.high]
    quiet = [label for label, one in ratios.items() if one.contains_one]
    return Finding(
        key="fewer", quantity="near images of shift registers over those of good bits", paper=claims.FEWER,
        ours=f"{low:.3g} to {high:.3g} over {len(ratios)} registers and seeds (limits of each"
        " below)", status=Status.NOT_COMPARABLE,
        reason=(
            "The length of the register and how it is seeded are not said, and the ratio depends on them"
            + (f": {claimed:g} lies in the interval of {', '.join(reaching)}." if reaching else ".")
            + f" Not told from good bits: {', '.join(quiet) or 'none of them'}."
        ),
        assumed=assumed(found.faces),
    )  # fmt: skip


def _direct(found: Found) -> list[Finding]:
    second = found.faces.effort.rates[1]
    one, wide, all_, uniform = direct(found, 0), direct(found, 1), pooled(found.faces), pooled(found.uniform)
    emulated = "The junctions are emulated, so that pseudo-random generators are compared with each other."
    names = "raw, XOR of three and Toeplitz over MT19937, PCG64 and ChaCha20"
    return [
        Finding(
            key="decisive", quantity=f"near images of {EMULATED}, over those of {PSEUDO}", ours=one.shown(),
            status=Status.LEFT_OPEN,
            reason=(
                "The control that was missing in what could be read: a good generator without any hardware."
                f" {2 * one.pairs:g} against {2 * one.others:g} images are near. {missed(one)}. {emulated}"
            ),
            assumed=assumed(found.faces),
        ),
        Finding(
            key="decisive-wide", quantity=f"near images of {EMULATED}, over those of {PSEUDO}: wider threshold",
            ours=wide.shown(), status=Status.LEFT_OPEN,
            reason=(
                f"Near is what {second:.0%} of good images are: {2 * wide.pairs:g} against {2 * wide.others:g} images."
                f" {missed(wide)}."
            ),
            assumed=assumed(found.faces, 1),
        ),
        Finding(
            key="decisive-all", quantity=f"near images of junctions, {names}: wider threshold", ours=all_.shown(),
            status=Status.LEFT_OPEN, reason=f"The most seeds in one comparison. {missed(all_)}.",
            assumed=assumed(found.faces, 1),
        ),
        Finding(
            key="decisive-uniform", quantity=f"near images of junctions, {names}: latents uniform, -1 to"
            " 1", ours=uniform.shown(),
            status=Status.LEFT_OPEN,
            reason=f"Words as they are, not their normal quantiles; the threshold is that of good bits so used."
            f" {missed(uniform)}.",
            assumed=f"the generator was trained with normal latents; {assumed(found.uniform, 1)}",
        ),
    ]  # fmt: skip


def _seeds(found: Found) -> Finding:
    spreads = [found.faces.spread(label) for label in GOOD]
    return Finding(
        key="seeds", quantity="variance of the near fraction over seeds, over that of a bootstrap over images",
        ours=Value(value=float(np.mean(spreads)), low=min(spreads), high=max(spreads),
                   kind=f"range over {len(spreads)} good sources"),
        status=Status.LEFT_OPEN,
        reason=(
            "One if images of one seed tell how much seeds differ. All limits here are of seeds and do not rest on it;"
            f" {found.faces.effort.images * found.faces.effort.rates[0]:g} near images of a seed are few for a"
            " bootstrap."
        ),
        assumed=assumed(found.faces),
    )  # fmt: skip


def _thresholds(found: Found) -> list[Finding]:
    from mtjspice.papers.stt_trng.near_images import GRID
    from mtjspice.papers.stt_trng.ranks import REFERENCE, at, at_rate

    near = claims.NEAR_PAIRS.value or 0.0
    faces = found.faces
    by_seed = (faces.null.nearest < near).mean(axis=1)
    low, high = at_rate(faces.null.below, REFERENCE), at(near)
    pairs = float(faces.null.below[:, high].sum() / faces.null.below[:, -1].sum())
    one, other = pairs_below(faces, REPEATING, low), pairs_below(faces, REPEATING, high)
    return [
        Finding(
            key="threshold", quantity=f"images of good bits with a neighbour below LPIPS {near:g}",
            paper=claims.NEAR_PAIRS,
            ours=Value(value=float(by_seed.mean()), unit="%", low=float(by_seed.min()), high=float(by_seed.max()),
                       kind=f"range of {len(by_seed)} seeds"),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{near:g} on another network and size of image means another thing: {pairs:.0%} of the pairs of these"
                " faces are below it. Here a threshold is calibrated on good bits."
            ),
            assumed=assumed(found.faces),
        ),
        Finding(
            key="sweep", quantity=f"near pairs, {REPEATING}, over good bits: at LPIPS {GRID[low]:.2g} and at {near:g}",
            ours=f"{one.value:.3g} ({one.low:.3g} to {one.high:.3g}) and {other.value:.3g} ({other.low:.3g} to"
            f" {other.high:.3g})",
            status=Status.LEFT_OPEN,
            reason=(
                "The same images of the same bits, 95 % by Student's t over seeds: repeated latents are below any"
                " threshold, and the wider it is, the more pairs of different latents they are counted with."
            ),
            assumed=assumed(found.faces),
        ),
    ]  # fmt: skip


def _each(found: Found) -> list[Finding]:
    images = found.faces.effort.images
    return [
        Finding(
            key="ratio-" + label.replace(" ", "-").replace(",", "").lower(),
            quantity=f"near images of {label}, over those of good bits", ours=one.shown(), status=Status.LEFT_OPEN,
            reason=(
                f"{found.faces.near(label):.1%} of {found.faces.draws[label].nearest.size} images;"
                f" {found.faces.draws[label].distinct.mean():.4g} distinct latents of {images}, on average. All"
                " sources are held against the same good bits, so that their errors go together."
            ),
            assumed=assumed(found.faces),
        )
        for label, one in found.ratios.items()
    ]  # fmt: skip
