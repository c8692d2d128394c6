"""How long bits stay good while half voltages wander: hours to the first failure, and what health tests see.

Over hours the counts of ones are drawn from their exact law, a binomial of every junction or of every triple of an
XOR, given the wandering probabilities; `_checked` holds that against bits of the emulator, one by one.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Columns, Plate, Section
from mtjspice.papers.stt_trng import health, limits
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import LANES, RATE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WINDOW = 10.0  # s between corrections, and between tests
WALKS = (0.01, 0.03, 0.1, 0.3, 1.0)  # logit after an hour
V50_WALK = 1e-3  # of V50 after an hour, assumed
GAIN = 0.25
BITS = limits.MEGABIT
PROBABILITY = 1e-6  # of a false alarm of a test: one in months
BIAS = float(-ndtri(PROBABILITY / 2) / (2 * np.sqrt(BITS)))  # that makes every other such test fail
_WALK, _MODE, _HOURS, _LOW, _HIGH, _RUNS = "walk [logit after 1 h]", "bits", "hours to failure", "low", "high", "runs"
_HORIZON = "hours simulated"
MODES = ("raw", "raw, feedback", "XOR of three", "XOR of three, feedback")
Floats = NDArray[np.float64]


def run(context: Context) -> Section:
    """First failures of many arrays for a sweep of walks; alarms of the health tests against the bias."""
    runs, horizon = context.effort((20, 24.0), (60, 100.0))
    rng = np.random.default_rng([context.seed, 8])
    hours = {walk: _first_failures(walk, runs, horizon, rng) for walk in WALKS}
    columns = empty((_WALK, _MODE, _HOURS, _LOW, _HIGH, _RUNS, _HORIZON))
    medians: dict[tuple[float, str], tuple[float, float, float]] = {}
    for walk, found in hours.items():
        for mode, failed in zip(MODES, found, strict=True):
            resampled = np.median(rng.choice(failed, (1000, runs)), axis=1)
            low, high = np.quantile(resampled, [0.025, 0.975])
            medians[walk, mode] = float(np.median(failed)), float(low), float(high)
            add(columns, walk, mode, *medians[walk, mode], runs, horizon)
    return _section(context, columns, medians, health.alarms(context), _checked(context), runs, horizon)


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
        for mode, ones in enumerate((_ones(p[0], rng), _ones(p[1], rng), _xored(p[0], rng), _xored(p[1], rng))):
            now = (np.abs(ones - BITS / 2) > bound) & (failed[mode] == horizon)
            failed[mode, now] = (step + 1) * WINDOW / 3600
    return failed


def _ones(p: Floats, rng: np.random.Generator) -> Floats:
    """Ones among `BITS` raw bits of arrays with probabilities ``p`` (runs, lanes)."""
    return np.asarray(rng.binomial(BITS // LANES, p).sum(axis=-1), np.float64)


def _xored(p: Floats, rng: np.random.Generator) -> Floats:
    """The same behind XOR of three successive junctions of the round robin, all triples in turn."""
    e = 2 * p - 1
    at = (3 * np.arange(LANES)[:, None] + np.arange(3)) % LANES
    odd = 0.5 + 0.5 * e[..., at].prod(axis=-1)  # (-2)^2 e1 e2 e3 of biases, in signs of e = 2 (P - 1/2)
    return np.asarray(rng.binomial(BITS // LANES, odd).sum(axis=-1), np.float64)


def _checked(context: Context) -> tuple[float, int]:
    """Largest score of counted ones behind the XOR of emulated bits against the law of `_xored`, and how many."""
    from mtjspice.bits.extractors.xor import Xor
    from mtjspice.bits.sources.emulated import EmulatedSource
    from mtjspice.device.chain import ChainModel

    rng = np.random.default_rng([context.seed, 9])
    scores = []
    for number in range(context.effort(6, 30)):
        p = expit(0.3 * rng.standard_normal(LANES))
        source = EmulatedSource(ChainModel(p, 1 - p), (context.seed + number) % 2**32)
        bits = Xor(3)(source.stream(3 * BITS))
        e = 2 * p - 1
        at = (3 * np.arange(LANES)[:, None] + np.arange(3)) % LANES
        odd = 0.5 + 0.5 * e[at].prod(axis=-1)
        scores.append((bits.ones - BITS * odd.mean()) / np.sqrt(BITS * (odd * (1 - odd)).mean()))
    return float(np.abs(scores).max()), len(scores)


def _section(
    context: Context, columns: Lists, medians: dict[tuple[float, str], tuple[float, float, float]],
    alarms: Plate, checked: tuple[float, int], runs: int, horizon: float,
) -> Section:  # fmt: skip
    from mtjspice.device.half_voltage import half_voltage

    other_half, other_slope = limits.other_device()
    ours = half_voltage("stt_trng_10ns")
    walks = {
        "the card stt_trng_10ns": V50_WALK * abs(ours.voltage) / ours.slope,
        "the other device": V50_WALK * other_half / other_slope,
    }  # fmt: skip
    example = WALKS[2]
    assumed = (
        f"random walk of V50 of {V50_WALK:.1%} after an hour; controller of gain {GAIN:g} every {WINDOW:g} s; failure"
        f" is a frequency test of 10⁶ bits with p < {PROBABILITY:g}"
    )
    raw_hours = [medians[walk, "raw"][0] for walk in WALKS]
    between = {
        name: float(np.exp(np.interp(np.log(walk), np.log(WALKS), np.log(raw_hours)))) for name, walk in walks.items()
    }
    findings = []
    for mode in MODES:
        power = _exponent([medians[walk, mode][0] for walk in WALKS], horizon)
        law = (
            "Too few medians of the sweep lie within the time simulated to say how it goes with the walk."
            if power is None
            else f"Over the sweep the median goes as the power {power:.1f} of the walk: -2 is that of a threshold which"
            " is crossed once, but a slow walk meets more tests and a fast one may fail in the first."
        )
        value, low, high = medians[example, mode]
        open_end = value >= horizon
        findings.append(
            Finding(
                key=mode.replace(", ", "-").replace(" ", "-").lower(),
                quantity=f"{mode}: hours to the first failure at a walk of {example:g} logit after an hour (median)",
                ours=f"more than {horizon:g}" if open_end else Value(
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
                assumed=assumed,
            )
        )  # fmt: skip
    fair, first = health.alarm_rate(0.0), health.tenfold()
    findings += [
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
                f" then fail after {min(between.values()):.1g} and {max(between.values()):.1g} h (medians of the"
                " sweep)."
            ),
            assumed=assumed,
        ),
        Finding(
            key="check", quantity="ones behind XOR, emulated bits against the law used for hours",
            ours=f"largest score {checked[0]:.1f} standard deviations of {checked[1]}", status=Status.LEFT_OPEN,
            reason="Bit by bit, three million raw bits each, junctions with P far from 1/2.",
            assumed="emulated bits, P of the junctions scattered by 0.3 of the logit",
        ),
    ]  # fmt: skip
    raw, xor = (medians[example, mode][0] for mode in ("raw", "XOR of three"))
    held = all(medians[walk, "XOR of three, feedback"][0] >= horizon for walk in WALKS)
    return Section(
        answer=(
            f"Bits that are good today are not good tomorrow. With a random walk of {example:g} logit after an hour"
            f" raw bits of {LANES} junctions fail after {raw * 60:.2g} min, behind XOR of three after {xor:.2g} h"
            " (medians). An XOR buys time, since bias enters with its cube; it does not stop a drift. A failure is a"
            f" frequency test of 10⁶ bits with p < {PROBABILITY:g} here, a bias of about {BIAS:.4f}, or"
            f" {(BIAS / 4) ** (1 / 3):.3f} before an XOR of equal junctions: a single p < 0.01, the limit elsewhere"
            f" on this page ({limits.raw_limit():.4f} and {limits.xor_limit():.4f}), would come by chance every"
            f" {WINDOW / limits.SIGNIFICANCE / 60:.0f} min.",
            "A controller that counts ones every ten seconds and corrects a quarter of what it sees lags little:"
            " behind the XOR "
            + (f"half of the arrays or more outlast {horizon:g} h at every walk of the sweep." if held
               else "arrays outlast the slower walks of the sweep only.")
            + " For raw bits it helps against slow walks alone; what a walk does in ten seconds is enough for them."
            + " Tests of the standards for entropy sources do not replace it: they alarm at a"
            f" bias near {first:.2f}, {first / limits.raw_limit():.0f} times what a frequency test of 10⁶ raw bits"
            " sees.",
            "Neither the paper's drift nor a controller of it could be read; the sweep spans a factor of a hundred,"
            " and the figure says how the times go with it.",
        ),
        findings=findings, plates=(_hours_plate(columns, runs, horizon), alarms),
        setting=(
            f"{runs} arrays of {LANES} junctions at 100 kHz, {horizon:g} h at most in windows of {WINDOW:g} s; a test"
            " of 10⁶ bits a window."
        ),
    )  # fmt: skip


def _exponent(hours: list[float], horizon: float) -> float | None:
    """Power of the walk with which medians go that were reached; None for fewer than two."""
    there = [(walk, value) for walk, value in zip(WALKS, hours, strict=True) if value < horizon]
    if len(there) < 2:
        return None
    walks, reached = np.log(np.array(there)).T
    return float(np.polyfit(walks, reached, 1)[0])


def _hours_plate(columns: Lists, runs: int, horizon: float) -> Plate:
    return Plate(
        key="hours",
        caption=(
            f"Hours to the first failing frequency test (10⁶ bits, p < {PROBABILITY:g}, one every {WINDOW:g} s) against"
            f" the random walk of the logit of P after an hour: medians of {runs} arrays of {LANES} junctions, 95 % by"
            f" bootstrap. Hollow, with arrows: half of the arrays or more did not fail within {horizon:g} h. Dotted: a"
            f" walk of {V50_WALK:.1%} of V50 for the published curve of another device."
        ),
        alt=("Times fall as the walk grows; XOR of three gains a large factor; feedback helps more."),
        columns=columns,
    )


def draw_hours(columns: Columns) -> "Figure":
    """Hours to failure against the walk."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.2)
    axis = grid[0, 0]
    horizon = float(columns[_HORIZON][0])
    for number, (mode, colour, marker) in enumerate(zip(MODES, (RED, ORANGE, BLUE, GREEN), "os^D", strict=True)):
        mine = columns[_MODE] == mode
        at = columns[_WALK][mine] * (1 + 0.07 * (number - 1.5))
        value, low, high = columns[_HOURS][mine], columns[_LOW][mine], columns[_HIGH][mine]
        open_end = value >= horizon
        axis.vlines(at, low, high, color=colour, linewidth=1.1)
        axis.plot(at, value, "-", color=colour, linewidth=0.7)
        if (~open_end).any():
            axis.plot(at[~open_end], value[~open_end], marker, markersize=4, color=colour, label=mode)
        label = None if (~open_end).any() else mode
        axis.plot(
            at[open_end], value[open_end], marker, markersize=4, color=colour, markerfacecolor="white", label=label
        )
        for one in at[open_end]:
            axis.annotate(
                "", (one, 1.8 * horizon), (one, 1.1 * horizon), arrowprops={"arrowstyle": "->", "color": colour}
            )
    other_half, other_slope = limits.other_device()
    axis.axvline(V50_WALK * other_half / other_slope, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(xscale="log", yscale="log", xlabel="random walk after an hour [logit of P]", ylabel="hours to failure",
             ylim=(None, 2.5 * horizon))  # fmt: skip
    axis.legend(fontsize=8, loc="lower left")
    return figure


EXPERIMENT = Experiment(
    key="drift",
    title="How long do the bits stay good?",
    question="How many hours until a test fails while half voltages wander, with and without a controller and an XOR?",
    run=run,
    draw={"hours": draw_hours, "health": health.draw_health},
    minutes=(0.3, 1.4),
)
