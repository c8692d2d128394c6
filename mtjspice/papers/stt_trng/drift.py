"""How long bits stay good while half voltages wander: hours to the first failure, and what health tests see.

Over hours the counts of ones are drawn from their exact law, a binomial of every junction or of every triple of an
XOR, given the wandering probabilities; `_checked` holds that against bits of the emulator, one by one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import ageing, health, limits
from mtjspice.papers.stt_trng import drift_figures as figures
from mtjspice.papers.stt_trng.cells import widths
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.counts import BITS, MODES, PROBABILITY, odd, ones_of, xored
from mtjspice.papers.stt_trng.devices import LANES, RATE
from mtjspice.papers.stt_trng.drift_figures import V50_WALK, WINDOW
from mtjspice.papers.stt_trng.limits import power_of_ten
from mtjspice.papers.stt_trng.loops import GAIN

WALKS = (0.01, 0.03, 0.1, 0.3, 1.0)  # logit after an hour
EXAMPLE = WALKS[2]
BIAS = float(-ndtri(PROBABILITY / 2) / (2 * np.sqrt(BITS)))  # that makes every other such test fail
Floats = NDArray[np.float64]
Medians = dict[tuple[float, str], tuple[float, float, float]]  # hours and their limits, by walk and bits


def run(context: Context) -> Section:
    """First failures of many arrays for a sweep of walks, and of other drifts; alarms of the health tests."""
    runs, horizon = context.effort((20, 24.0), (60, 100.0))
    rng = np.random.default_rng([context.seed, 8])
    columns, medians = _sweep(rng, runs, horizon)
    pulses = ageing.found(context)
    return Section(
        answer=_answer(medians, horizon, pulses),
        findings=[
            *_hour_findings(medians, runs, horizon), *_other_findings(medians, _checked(context)),
            *ageing.findings(pulses),
        ],
        plates=(figures.hours_plate(columns, runs, horizon), ageing.plate(context, pulses), health.alarms(context)),
        setting=(
            f"{runs} arrays of {LANES} junctions at {RATE / 1e3:g} kHz, {horizon:g} h at most in windows of {WINDOW:g}"
            f" s, a test of 10⁶ bits a window; {power_of_ten(ageing.LAST)} pulses with {ageing.PER_DECADE} tests a"
            " decade."
        ),
    )  # fmt: skip


def _sweep(rng: np.random.Generator, runs: int, horizon: float) -> tuple[Lists, Medians]:
    columns, medians = empty(figures.HOUR_COLUMNS), {}
    for walk in WALKS:
        for mode, failed in zip(MODES, _first_failures(walk, runs, horizon, rng), strict=True):
            resampled = np.median(rng.choice(failed, (1000, runs)), axis=1)
            low, high = np.quantile(resampled, [0.025, 0.975])
            medians[walk, mode] = float(np.median(failed)), float(low), float(high)
            add(columns, walk, mode, *medians[walk, mode], runs, horizon)
    return columns, medians


def _first_failures(walk: float, runs: int, horizon: float, rng: np.random.Generator) -> Floats:
    """Hours to the first failing test of ``runs`` arrays, shape (modes, runs); ``horizon`` where none does."""
    steps = int(horizon * 3600 / WINDOW)
    cycles = int(RATE * WINDOW)
    bound = -ndtri(PROBABILITY / 2) * np.sqrt(BITS) / 2  # of the ones, around half of the bits
    shift = np.zeros((2, runs, LANES))  # without and with feedback: the same walk
    correction = np.zeros((runs, LANES))
    failed = np.full((len(MODES), runs), horizon)
    for step in range(steps):
        shift += walk * np.sqrt(WINDOW / 3600) * rng.standard_normal((runs, LANES))
        p = expit(shift - np.stack([np.zeros_like(correction), correction]))
        seen = rng.binomial(cycles, p[1]) / cycles
        correction += GAIN * 4 * (seen - 0.5)
        for mode, ones in enumerate((ones_of(p[0], rng), ones_of(p[1], rng), xored(p[0], rng), xored(p[1], rng))):
            now = (np.abs(ones - BITS / 2) > bound) & (failed[mode] == horizon)
            failed[mode, now] = (step + 1) * WINDOW / 3600
    return failed


def _checked(context: Context) -> tuple[float, int]:
    """Largest score of counted ones behind the XOR of emulated bits against the law of `odd`, and how many."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.emulated import EmulatedSource
    from mtjspice.device.chain import ChainModel

    rng = np.random.default_rng([context.seed, 9])
    scores = []
    for number in range(context.effort(6, 30)):
        p = expit(0.3 * rng.standard_normal(LANES))
        source = EmulatedSource(ChainModel(p, 1 - p), (context.seed + number) % 2**32)
        bits = Xor(3)(source.stream(3 * BITS))
        expected = odd(p)
        scores.append((bits.ones - BITS * expected.mean()) / np.sqrt(BITS * (expected * (1 - expected)).mean()))
    return float(np.abs(scores).max()), len(scores)


ASSUMED = (
    f"random walk of V50 of {V50_WALK:.1%} after an hour; controller of gain {GAIN:g} every {WINDOW:g} s; failure is a"
    f" frequency test of 10⁶ bits with p < {power_of_ten(PROBABILITY)}"
)


def _hour_findings(medians: Medians, runs: int, horizon: float) -> list[Finding]:
    findings = []
    for mode in MODES:
        power = _exponent([medians[walk, mode][0] for walk in WALKS], horizon)
        law = (
            "Too few medians of the sweep lie within the time simulated to say how it goes with the walk."
            if power is None
            else f"Over the sweep the median goes as the power {power:.1f} of the walk: -2 is that of a threshold which"
            " is crossed once, but a slow walk meets more tests and a fast one may fail in the first."
        )
        value, low, high = medians[EXAMPLE, mode]
        findings.append(
            Finding(
                key=mode.replace(", ", "-").replace(" ", "-").lower(),
                quantity=f"{mode}: hours to the first failure at a walk of {EXAMPLE:g} logit after an hour (median)",
                ours=f"more than {horizon:g}" if value >= horizon else Value(
                    value=value, low=low, high=high, kind="95 %, bootstrap"
                ),
                status=Status.LEFT_OPEN,
                reason=(
                    f"{runs} arrays of {LANES} junctions. " + (
                        "The controller follows the walk some ten seconds late; what it lags behind, and its own"
                        " noise, are left."
                        if "feedback" in mode else
                        law
                    )
                ),
                assumed=ASSUMED,
            )
        )  # fmt: skip
    return findings


def _other_findings(medians: Medians, checked: tuple[float, int]) -> list[Finding]:
    """Health tests, the walk in logits, and the check of the law used for hours."""
    walks = {name: V50_WALK / width for name, width in widths().items()}
    raw_hours = [medians[walk, "raw"][0] for walk in WALKS]
    between = [float(np.exp(np.interp(np.log(walk), np.log(WALKS), np.log(raw_hours)))) for walk in walks.values()]
    fair, first = health.alarm_rate(0.0), health.tenfold()
    return [
        Finding(
            key="health", quantity="bias at which health tests alarm ten times as often as with fair bits",
            ours=Value(value=first, digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"Closed form, counts beside it; fair bits raise {fair * RATE * 3600:.1f} alarms an hour at these"
                f" settings. The frequency test of 10⁶ raw bits fails every other time at {limits.raw_limit():.4f}."
                " Health tests are made for broken sources, not for drifting ones; a controller has to count."
            ),
            assumed=f"min-entropy of {health.ENTROPY:g} claimed, false alarms of 2⁻²⁰",
        ),
        Finding(
            key="walk", quantity=f"V50 that wanders by {V50_WALK:.1%} after an hour, in logits",
            ours=", ".join(f"{value:.3f} for {name}" for name, value in walks.items()), status=Status.LEFT_OPEN,
            reason=(
                "The narrow switching curve pays for its accuracy: the same walk of V50 moves its P farther. Raw bits"
                f" then fail after {max(between):.1g} h with the wide curve and {min(between):.1g} h with the narrow"
                " one (medians of the sweep)."
            ),
            assumed=ASSUMED,
        ),
        Finding(
            key="check", quantity="ones behind XOR, emulated bits against the law used for hours",
            ours=f"largest score {checked[0]:.1f} standard deviations of {checked[1]}", status=Status.LEFT_OPEN,
            reason="Bit by bit, three million raw bits each, junctions with P far from 1/2.",
            assumed="emulated bits, P of the junctions scattered by 0.3 of the logit",
        ),
    ]  # fmt: skip


def _answer(medians: Medians, horizon: float, pulses: ageing.Found) -> tuple[str, ...]:
    first = health.tenfold()
    raw, xor = (medians[EXAMPLE, mode][0] for mode in ("raw", "XOR of three"))
    held = all(medians[walk, "XOR of three, feedback"][0] >= horizon for walk in WALKS)
    lasting = _lasting(pulses)
    return (
        f"With a random walk of {EXAMPLE:g} logit after an hour raw bits of {LANES} junctions fail after"
        f" {raw * 60:.2g} min, behind XOR of three after"
        + (f" {xor:.2g} h" if xor < horizon else f" more than {horizon:g} h")
        + " (medians). An XOR buys time, since bias enters with its cube; it does not stop a drift. A failure here is a"
        f" frequency test of 10⁶ bits with p < {power_of_ten(PROBABILITY)}, a bias of about {BIAS:.4f}: p <"
        f" {limits.SIGNIFICANCE:g}, the limit of the suite, would come by chance every"
        f" {WINDOW / limits.SIGNIFICANCE / 60:.0f} min.",
        f"A controller counts ones every {WINDOW:g} s and corrects {GAIN:.0%} of what it sees. Behind the XOR"
        + (f" half of the arrays or more then outlast {horizon:g} h at every walk of the sweep." if held
           else " arrays then outlast the slower walks of the sweep only.")
        + " For raw bits it helps against slow walks only: what a fast one does before the controller follows is enough"
        " for a failure. The health tests of SP 800-90B do not replace a controller: they alarm at a bias near"
        f" {first:.2f}, {first / limits.raw_limit():.0f} times what a frequency test of 10⁶ raw bits sees.",
        f"Over {power_of_ten(ageing.LAST)} pulses half of the arrays or more outlast all tests in {lasting[0]} of"
        f" {lasting[2]} cases of walk, 1/f noise and ageing behind an XOR, and in {lasting[1]} with a controller as"
        " well. The levels are assumed: neither the paper's drift nor a controller of it could be read.",
    )  # fmt: skip


def _lasting(pulses: ageing.Found) -> tuple[int, int, int]:
    """Cases whose median outlasts all pulses behind an XOR, the same with feedback, and all cases of one."""
    alone, held = ([one[0] for key, one in pulses.items() if key[3] == mode] for mode in MODES[2:])
    return int(np.isinf(alone).sum()), int(np.isinf(held).sum()), len(alone)


def _exponent(hours: list[float], horizon: float) -> float | None:
    """Power of the walk with which medians go that were reached; None for fewer than two."""
    there = [(walk, value) for walk, value in zip(WALKS, hours, strict=True) if value < horizon]
    if len(there) < 2:
        return None
    walks, reached = np.log(np.array(there)).T
    return float(np.polyfit(walks, reached, 1)[0])


EXPERIMENT = Experiment(
    key="drift",
    title="How long do the bits stay good?",
    question="How many hours until a test fails while half voltages wander, with and without a controller and an XOR?",
    run=run,
    draw={"hours": figures.draw_hours, "pulses": ageing.draw_pulses, "health": health.draw_health},
    minutes=(0.3, 1.4),
)
