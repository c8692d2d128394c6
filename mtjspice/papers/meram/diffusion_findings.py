"""What the trainings of a diffusion model show, and the findings about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.diffusion_figures import NAMED
from mtjspice.papers.meram.noises import ABOUT, CHAIN, COUNT, SUM, UNIFORM, UNRESET
from mtjspice.papers.meram.text import limited, percent

if TYPE_CHECKING:
    from mtjspice.papers.meram.chance import Spread
    from mtjspice.papers.meram.diffusion_grid import Effect, Size

_ASSUMED = "model, data, features and number of images; bits of an emulated chain in place of a circuit's"
_NOT_FID = "A Frechet distance of a small classifier's features on digits of 8 x 8 pixels, no FID."


@dataclass(frozen=True)
class Result:
    """Effects of all words and places, that of the deliberate fault, and what chance makes."""

    size: "Size"
    effects: "Sequence[Effect]"
    check: "Effect"
    chance: "Spread"

    @property
    def apart(self) -> "list[Effect]":
        """Effects whose interval excludes 1."""
        return [one for one in self.effects if one.low > 1 or one.high < 1]

    @property
    def sure(self) -> "list[Effect]":
        """Effects that are there even if only the best of as many tests were looked at (Bonferroni)."""
        return [one for one in self.effects if one.p < 0.05 / len(self.effects)]

    @property
    def expected(self) -> float:
        """Intervals that exclude 1 by chance."""
        return 0.05 * len(self.effects)

    def of(self, noise: str, where: str) -> "Effect":
        """One effect."""
        return next(one for one in self.effects if (one.noise, one.where) == (noise, where))

    def worse(self) -> int:
        """How many of those `apart` lie above 1."""
        return sum(one.low > 1 for one in self.apart)

    def half_width(self) -> float:
        """Median of half the intervals' widths."""
        return float(np.median([(one.high - one.low) / 2 for one in self.effects]))

    def score(self, spread: float) -> float:
        """The claimed excess in standard deviations of the difference of two single runs of this ``spread``."""
        return (_claimed() - 1) / (2**0.5 * spread)


def findings(result: Result) -> list[Finding]:
    """All findings."""
    return [*_compared(result), *_chance(result), *_effects(result)]


def _compared(result: Result) -> list[Finding]:
    claimed, both = _claimed(), result.of(CHAIN, "both")
    return [
        Finding(
            key="ratio",
            quantity="distance with the words of a toggled chain in training and sampling over that with software"
            " noise",
            paper=claims.FID_RATIO,
            ours=Value(value=both.value, low=both.low, high=both.high, kind="95 %, Student over trainings"),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{_NOT_FID} What compares is how much of {claimed_share()} chance makes; see the spread. Here the"
                f" interval {'contains' if both.low <= 1 <= both.high else 'excludes'} 1 and"
                f" {'contains' if both.low <= claimed <= both.high else 'excludes'} {claimed:.2f}."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="comparable",
            quantity="kinds of words and places whose 95 % interval excludes 1",
            paper=claims.FID_COMPARABLE,
            ours=f"{len(result.apart)} of {len(result.effects)}"
            + (f": {_names(result.apart)}" if result.apart else ""),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{_NOT_FID} Above 1 (worse): {result.worse()}, below: {len(result.apart) - result.worse()}; chance"
                f" excludes 1 from {result.expected:.2g} of them, and from more together, since all share the runs"
                f" with software noise. Allowing for the number of tests, {counted(result.sure)}."
            ),
            assumed=_ASSUMED,
        ),
    ]


def _chance(result: Result) -> list[Finding]:
    size, chance = result.size, result.chance
    needed = int(np.ceil(2 * (1.96 + 0.84) ** 2 * (chance.single / (_claimed() - 1)) ** 2))
    return [
        Finding(
            key="spread",
            quantity="standard deviation of the distance of a run with software noise, trained once,"
            f" {size.images} images",
            ours=Value(value=chance.single, unit="%", low=chance.low, high=chance.high, kind="95 %", digits=2),
            status=Status.LEFT_OPEN,
            reason=(
                f"Over {size.trainings} trainings of {size.steps} steps, {size.null} draws each; drawing"
                f" {size.images} images alone makes {percent(chance.draws, 1)}."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="trainings",
            quantity="part of that standard deviation which the seed of the training adds",
            ours=Value(
                value=chance.trainings, unit="%", low=0.0, high=chance.trainings_high, kind="upper limit 97.5 %",
                digits=2,
            ),
            status=Status.LEFT_OPEN,
            reason=(
                f"Variance between trainings over that of draws, F test: p = {chance.p:.2g}. "
                + ("Trainings differ by more than draws do." if chance.p < 0.05 else
                   "No difference of trainings was seen; what could be there is below the upper limit.")
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="score",
            quantity=f"{claimed_share()} in standard deviations of the difference of two single runs of"
            f" {size.images} images",
            ours=Value(
                value=result.score(chance.single), low=result.score(chance.high), high=result.score(chance.low),
                kind="95 %", digits=2,
            ),
            status=Status.LEFT_OPEN,
            reason=(
                "Below 2 it could not be told from chance by one run each; with this spread"
                f" {max(2, needed)} runs each would be needed to see {claimed_share()} four times of five. How many"
                " runs and images the paper had, and their spread, is not known; more images spread less."
            ),
            assumed=_ASSUMED,
        ),
    ]  # fmt: skip


def _effects(result: Result) -> list[Finding]:
    from mtjspice.papers.meram.diffusion_grid import PLACES

    keys = {CHAIN: "chain", UNRESET: "unreset", SUM: "sum", UNIFORM: "uniform", COUNT: "count"}
    found = []
    for noise, key in keys.items():
        effects = [result.of(noise, where) for where in PLACES]
        largest = max(effects, key=lambda one: abs(np.log(one.value)))
        found.append(
            Finding(
                key=f"effect-{key}",
                quantity=f"distance over software noise, {NAMED[noise]}, in training only; sampling only; both",
                ours="; ".join(map(limited, effects)) + " (95 %, Student over trainings)",
                status=Status.LEFT_OPEN,
                reason=(
                    f"{ABOUT[noise]} Largest: {percent(largest.value - 1, 1)} in {largest.where}, which is"
                    f" {abs(largest.value - 1) / result.chance.single:.1f} standard deviations of a single run with"
                    " software noise."
                ),
                assumed=_ASSUMED,
            )
        )
    found.append(
        Finding(
            key="check",
            quantity="distance over software noise, trees whose probabilities are all off by 0.02, in sampling",
            ours=Value(
                value=result.check.value,
                low=result.check.low,
                high=result.check.high,
                kind="95 %, Student over trainings",
            ),
            status=Status.LEFT_OPEN,
            reason="A deliberate fault: the comparison can see one."
            if result.check.low > 1
            else "A deliberate fault, which this comparison cannot see.",
            assumed=_ASSUMED,
        )
    )
    return found


def _claimed() -> float:
    assert claims.FID_RATIO.value is not None
    return claims.FID_RATIO.value


def claimed_share() -> str:
    """The claimed excess as per cent."""
    return percent(_claimed() - 1)


def counted(effects: "Sequence[Effect]") -> str:
    """How many effects remain, and which."""
    return f"{len(effects)} remain{'s' if len(effects) == 1 else ''}" + (f" ({_names(effects)})" if effects else "")


def _names(effects: "Sequence[Effect]") -> str:
    return ", ".join(f"{NAMED[one.noise]} in {one.where} ({one.value:.2f})" for one in effects)
