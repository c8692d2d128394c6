"""Findings and answer on attacks on known bits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mtjspice.papers.findings import Finding, Status, counted
from mtjspice.papers.stt_trng.attack_prediction import MODELS
from mtjspice.papers.stt_trng.attack_queries import AHEAD, UNKNOWN, needed, unbroken
from mtjspice.papers.stt_trng.limits import power_of_ten

if TYPE_CHECKING:
    from mtjspice.generative.attack.outcome import Outcome
    from mtjspice.papers.stt_trng.attack_prediction import Guesses
    from mtjspice.papers.stt_trng.attack_queries import Broken

SIZE, WORD = 100, 8
EMULATED = "junctions are emulated; the models and their training are ours"
ASSUMED = f"latents known, {SIZE} words of {WORD} bits an image; from images alone they are inverted first"


def findings(outcome: "Outcome", tried: "Sequence[Broken]", guessed: "Guesses") -> list[Finding]:
    """All of them."""
    return [*_after_images(outcome), _secure(outcome), *_queries(tried), *_models(guessed)]


def key_of(source: str) -> str:
    """Of a finding on a source."""
    name, _, kind = source.partition(" (")
    plain = name.replace(" ", "-").replace(",", "").replace("=", "").replace(".", "").lower()
    return plain + (f"-{kind.rstrip(')').lower().replace(' ', '-')}" if kind else "")


def first_found(outcome: "Outcome", source: str) -> int | None:
    """Fewest images after which an attack found the source; None if none did."""
    return min((trial.seen for trial in outcome.trials if trial.source == source and trial.found), default=None)


def _after_images(outcome: "Outcome") -> list[Finding]:
    most = max(outcome.effort.seen)
    found = []
    for source in outcome.measures:
        best, seen = outcome.best(source, most), first_found(outcome, source)
        found.append(
            Finding(
                key=key_of(source), quantity=f"later bits predicted after {most} images: {source}",
                ours=counted(best.predicted, 4), status=Status.LEFT_OPEN,
                reason=(
                    f"Found after {seen} image{'s' if seen != 1 else ''}: {best.found[:70]}."
                    if seen is not None else
                    "Nothing was found: the commoner bit is guessed. That an attack failed says that this attack"
                    " failed."
                ),
                assumed=ASSUMED,
            )
        )  # fmt: skip
    return found


def _secure(outcome: "Outcome") -> Finding:
    good, cipher, junction = (
        outcome.best(source).predicted for source in ("PCG64", "ChaCha20", "junctions, XOR of three")
    )
    overlap = junction.low <= good.high and good.low <= junction.high
    return Finding(
        key="secure", quantity="later bits predicted of junctions and of good generators",
        ours=f"XOR of three junctions {junction.value:.1%}, PCG64 {good.value:.1%}, ChaCha20 {cipher.value:.1%}",
        status=Status.LEFT_OPEN,
        reason=(
            "The paper counts near images, an attacker predicts bits. Against these attacks emulated junctions and"
            f" PCG64 {'are not told apart' if overlap else 'differ'}; PCG64 is no cipher, so that more is known against"
            " it than was tried, while ChaCha20 is as unpredictable as its key. The emulated bits are pseudo-random"
            " themselves: about real junctions this says nothing."
        ),
        assumed=ASSUMED,
    )  # fmt: skip


def _queries(tried: "Sequence[Broken]") -> list[Finding]:
    sources = list(dict.fromkeys(one.source for one in tried))
    never = [source for source in sources if not any(one.starts.count for one in tried if one.source == source)]
    most = max(one.bits for one in tried)
    rest = unbroken(tried, never, most)
    found = []
    for source in sources:
        bits = needed(tried, source)
        if bits is None:
            continue
        starts = next(one.starts for one in tried if one.source == source and one.bits == bits)
        found.append(
            Finding(
                key="starts-" + key_of(source.replace(" taps", "")),
                quantity=f"fraction of starts broken from {bits} bits: {source}",
                ours=counted(starts), status=Status.LEFT_OPEN,
                reason=(
                    f"The fewest of the numbers tried at which all {starts.trials} starts were broken: {AHEAD} later"
                    f" bits are right, which has a chance of 2^-{AHEAD} by guessing."
                    + (
                        " Taps are found by Berlekamp and Massey, or among those on record."
                        if source == UNKNOWN else ""
                    )
                ),
                assumed="bits known without errors; the kind of the source, its taps and constants are public"
                + (", but not these taps" if source == UNKNOWN else ""),
            )
        )  # fmt: skip
    found.append(
        Finding(
            key="starts-others",
            quantity=f"fraction of starts broken from {most} bits: the {len(never)} other sources",
            ours=counted(rest),
            status=Status.LEFT_OPEN,
            reason=f"{', '.join(never)}. By chance no start is broken either.",
            assumed="the attacks of this package: registers, MT19937, congruential generators",
        )
    )
    return found


def _models(guessed: "Guesses") -> list[Finding]:
    found = []
    for source, entropy in guessed.entropy.items():
        best = guessed.best(source)
        right = best.right
        found.append(
            Finding(
                key="next-" + key_of(source), quantity=f"next bits guessed by the best of {len(MODELS)} models:"
                f" {source}",
                ours=counted(right, 4), status=Status.LEFT_OPEN,
                reason=(
                    f"Model: {best.model}, after {best.learnt:,} bits; always the commoner bit: {best.common:.1%}."
                    f" {_beyond(best.p_value, len(MODELS) * len(guessed.entropy))}. SP 800-90B estimates {entropy:.2f}"
                    f" bit of min-entropy a bit, the model leaves {guessed.guessed(source):.2f}."
                ),
                assumed=EMULATED,
            )
        )  # fmt: skip
    fooled = "LFSR of 32"
    low, high = min(guessed.entropy.items(), key=_second), max(guessed.entropy.items(), key=_second)
    found.append(
        Finding(
            key="entropy",
            quantity=f"min-entropy by SP 800-90B, {fooled} beside ChaCha20",
            ours=f"{guessed.entropy[fooled]:.2f} and {guessed.entropy['ChaCha20']:.2f} bit/bit ({guessed.bits:,} bits)",
            status=Status.LEFT_OPEN,
            reason=(
                f"From {low[1]:.2g} ({low[0]}) to {high[1]:.2g} ({high[0]}) over all sources. The estimators know"
                f" nothing of recurrences of 32 bits; the shortest one guesses"
                f" {guessed.best(fooled).right.value:.1%} of the bits. Such estimates look for patterns of few"
                " bits; a high one is no evidence of unpredictability."
            ),
            assumed=EMULATED,
        )
    )
    return found


def _beyond(p: float, tried: int) -> str:
    """Whether guesses are better than the commoner bit, all models on all sources allowed for (Bonferroni)."""
    shown = f"p = {p:.2g}" if p > 1e-300 else f"p < {power_of_ten(1e-300)}"
    beyond = p * tried < 0.05
    return f"{shown}, {'beyond' if beyond else 'within'} what chance gives in {tried} such comparisons"


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def answer(
    outcome: "Outcome", tried: "Sequence[Broken]", guessed: "Guesses", sources: Mapping[str, str]
) -> Sequence[str]:
    """Paragraphs."""
    most = max(outcome.effort.seen)
    seen = {source: first_found(outcome, source) for source in sources}
    broken = [source for source, one in seen.items() if one is not None]
    last = {source: outcome.best(source, most).predicted for source in sources}
    state = next((one for one in outcome.correlations() if one.measure == "state or seed"), None)
    bits = {source: needed(tried, source) for source in (*broken, UNKNOWN)}
    memory = guessed.best("junctions with memory")
    behind = [guessed.best(source).right for source in ("with memory, XOR of three", "with memory, Toeplitz")]
    return (
        f"{len(broken)} of {len(sources)} sources are broken from latents of {most} images or fewer:"
        f" {', '.join(f'{source} after {seen[source]}' for source in broken)}. From there on all later images follow."
        " All random starts of a source are broken from"
        f" {', '.join(f'{count} bits ({source})' for source, count in bits.items() if count is not None)}.",
        f"Of raw bits of junctions with P = 0.60 {last['junctions, P = 0.60'].value:.1%} are guessed, which is their"
        " bias; with P = 0.52 behind XOR of three or a Toeplitz matrix"
        f" {last['junctions, XOR of three'].value:.1%} and {last['junctions, Toeplitz'].value:.1%} are, beside PCG64"
        f" ({last['PCG64'].value:.1%}) and ChaCha20 ({last['ChaCha20'].value:.1%}). Of a junction with memory the best"
        f" model ({memory.model}) guesses {memory.right.value:.1%}, behind XOR and Toeplitz {behind[0].value:.1%} and"
        f" {behind[1].value:.1%} (commoner bit: {memory.common:.1%} of the raw ones).",
        f"An estimate of min-entropy does not tell: SP 800-90B gives LFSR of 32 {guessed.entropy['LFSR of 32']:.2f} and"
        f" ChaCha20 {guessed.entropy['ChaCha20']:.2f} bit a bit, though a recurrence guesses"
        f" {guessed.best('LFSR of 32').right.value:.1%} of the bits of the former.",
        "So the gain over a shift register is real, and any cipher has it; whether hardware has more cannot be seen"
        " with emulated junctions."
        + (
            f" The rank correlation of success with the size of the state is {state.rho:+.2f} (p ="
            f" {state.p_value:.2g}); the choice of sources decides it."
            if state is not None else ""
        ),
    )  # fmt: skip
