"""Switching probability against voltage and pulse width: where pulses are certain, and where they are a coin."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.switching_figures import (
    CARD,
    LONGEST,
    NEAR,
    OVERDRIVES,
    VARIANTS,
    draw_decay,
    draw_map,
    draw_settled,
    plates,
)
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard

Floats = NDArray[np.float64]
_FITTED = (
    "The card was made so (models/cards/meram100.toml: the field for half a precession of 0.9 ns, damping and spread of"
    " the drive for long pulses that settle at 50 %), so that it is an input here and no evidence."
)
TOLERANCES = (5e-3, 1e-3)  # of the probabilities, quick and full


def run(context: Context) -> Section:
    """Fokker-Planck everywhere; the best pulse is counted by macrospins too."""
    from mtjspice.device.card import load_card
    from mtjspice.device.derived import derive
    from mtjspice.device.switching import switching_probability
    from mtjspice.statistics import wilson

    card = load_card(CARD)
    known = derive(card)
    critical = known.compensation_voltage
    widths = np.linspace(1e-10, LONGEST, 200)
    steps = np.arange(0.55, 1.46, context.effort(0.075, 0.0375))
    mapped = np.unique(np.round(np.concatenate([steps, OVERDRIVES]), 3))
    tolerance = context.effort(*TOLERANCES)
    found = switching_probability(card, mapped * critical, widths, tolerance=tolerance)
    values = np.asarray(found.probability.values)
    error = float((found.high - found.low).max()) / 2

    row, column = np.unravel_index(int(np.argmax(values)), values.shape)
    best_volts, best_width = float(mapped[row] * critical), float(widths[column])
    trials = context.effort(2000, 50_000)
    macrospins = switching_probability(
        card, best_volts, best_width, method="macrospin", trials=trials, seed=context.seed
    )
    switched = wilson(round(macrospins.probability.item() * trials), trials)

    settled: list[tuple[str, float, float]] = []  # device, overdrive, width from which it stays near 1/2
    at_end: dict[tuple[str, float], float] = {}
    for name, changes in VARIANTS:
        over = np.array(OVERDRIVES)
        changed = card.replace(**changes)
        curves = _curves(changed, over * critical, widths, tolerance) if changes else values[_places(mapped, over)]
        for ratio, curve in zip(OVERDRIVES, curves, strict=True):
            settled.append((name, ratio, settles(widths, curve)))
            at_end[name, ratio] = float(curve[-1])
    reached = {key[:2]: key[2] for key in settled}
    turns = turning_points(values[_places(mapped, 1.0)])
    half = reached["card", 1.0] / known.half_period
    unequal, damped, neither = (
        [reached[name, ratio] for ratio in OVERDRIVES] for name, _ in VARIANTS[1:4]
    )  # equal pulses; less damping; both

    own = [reached["card", ratio] for ratio in OVERDRIVES]
    never = [ratio for ratio, width in zip(OVERDRIVES, own, strict=True) if not np.isfinite(width)]
    long_run = [at_end["card", ratio] for ratio in OVERDRIVES if ratio >= 1.0]
    assumed = "thickness, anisotropy, damping, in-plane field and drive spread of the card"
    findings = [
        Finding(
            key="device",
            quantity="junction",
            paper=claims.DEVICE,
            ours=f"card {CARD}, V_c = {critical:.3g} V, half a precession {known.half_period * 1e9:.2f} ns",
            status=Status.NOT_COMPARABLE,
            reason="These are inputs of the card; V_c and the precession follow from what the paper does not give.",
            assumed=assumed,
        ),
        Finding(
            key="oscillates",
            quantity="maxima and minima of P against width at V_c, before it settles",
            paper=claims.OSCILLATES,
            ours=Value(value=turns, digits=2),
            status=Status.NOT_COMPARABLE,
            reason=f"{_FITTED} Counted if the curve moves by more than 0.02 before it turns again.",
            assumed=assumed,
        ),
        Finding(
            key="short",
            quantity=f"P of the best short pulse, {best_volts:.3g} V and {best_width * 1e9:.2f} ns, macrospins",
            paper=claims.SHORT_DETERMINISTIC,
            ours=counted(switched, 5),
            status=Status.NOT_COMPARABLE,
            reason=f"{_FITTED} Counted in {trials} trials; the Fokker-Planck equation gives"
            f" {float(values[row, column]):.4f} there, to {error:.1g}. That a pulse is short does not make it certain:"
            " half a precession is needed, no less and no more.",
            assumed=assumed,
        ),
        Finding(
            key="long",
            quantity=f"P of pulses of {LONGEST * 1e9:.0f} ns at 1.0 to 1.4 V_c",
            paper=claims.LONG_HALF,
            ours=Value(
                value=float(np.mean(long_run)), low=min(long_run), high=max(long_run), kind="range over voltages",
            ),
            status=Status.NOT_COMPARABLE,
            reason=f"{_FITTED} The limit is not 1/2: spin torque favours one state, and without it the same pulses give"
            f" {at_end['no spin torque', 1.0]:.4f} at V_c.",
            assumed=assumed,
        ),
        Finding(
            key="near",
            quantity=f"width from which P stays within {NEAR} of 1/2 (up to {LONGEST * 1e9:.0f} ns), at V_c",
            ours=_shown(reached["card", 1.0], float(widths[1] - widths[0])),
            status=Status.LEFT_OPEN,
            reason=f"That is {half:.1f} half precessions. At {_ratios(OVERDRIVES)} V_c: {_nanoseconds(own)}.",
            assumed=assumed,
        ),
        *(
            Finding(
                key=key,
                quantity=f"the same width at V_c, {name}",
                ours=_shown(widths_of[OVERDRIVES.index(1.0)], float(widths[1] - widths[0])),
                status=Status.LEFT_OPEN,
                reason=f"At {_ratios(OVERDRIVES)} V_c: {_nanoseconds(widths_of)}. Neither damping nor the spread of the"
                " drive from pulse to pulse is in what could be read of the paper.",
                assumed=assumed,
            )
            for key, name, widths_of in (
                ("equal", "equal pulses (no spread of the drive)", unequal), ("damping", "damping 0.02", damped),
                ("coherent", "damping 0.02 and equal pulses", neither),
            )
        ),
        Finding(
            key="voltages",
            quantity="V_c, and V_dyn from which an undamped junction switches",
            ours=f"{critical:.4g} V and {known.overshoot_voltage:.4g} V, {known.overshoot_voltage / critical:.3g} of"
            " V_c",
            status=Status.LEFT_OPEN,
            reason="Closed forms of the card. Switching begins well below V_c: the in-plane field carries the"
            " magnetization over the barrier that is left.",
            assumed=assumed,
        ),
    ]  # fmt: skip
    last = max(width for width in own if np.isfinite(width))
    answer = (
        "That P oscillates with the width, that some short pulse is certain and that long ones settle about 1/2 was put"
        " into the card; it is no evidence for the paper. What follows says what these depend on.",
        f"At V_c, which takes away the perpendicular anisotropy, P turns {turns:.0f} times before it settles. A pulse"
        f" of {best_width * 1e9:.2f} ns at {best_volts:.2f} V is as good as certain ({switched.count} of"
        f" {switched.trials} macrospins). Shorter ones may be anything: in half a precession P passes all values.",
        '"Long pulses give 50 %" is a statement about the pulses\' spread and overdrive, not about width alone.'
        f" From {min(own) * 1e9:.1f} to {last * 1e9:.1f} ns on, by the voltage, P stays within {NEAR} of 1/2"
        f"{f' (not within {LONGEST * 1e9:.0f} ns at {_ratios(never)} V_c)' if never else ''}. "
        + "; ".join(
            f"{name} {_lost(own, other)}"
            for name, other in (("With equal pulses", unequal), ("with a damping of 0.02", damped))
        )
        + f". A pulse that has settled is {min(own) / best_width:.0f} to {last / best_width:.0f}"
        " times as long as the certain one.",
        f"The limit itself is {min(long_run):.3f} to {max(long_run):.3f} above V_c, since the current through the"
        " barrier exerts a torque. Bits that are to be fair to better than that need a trim or an extractor, however"
        " long the pulse.",
    )
    return Section(
        answer=answer, findings=findings, plates=plates(mapped * critical, critical, widths, values, settled, error),
        setting=(
            f"Fokker-Planck equation, {len(mapped)} voltages and {len(widths)} widths, estimated error {error:.1g};"
            f" {trials} macrospins; card {CARD} at 300 K, edges of 50 ps, from P to AP."
        ),
    )  # fmt: skip


def settles(widths: Floats, curve: Floats, near: float = NEAR) -> float:
    """First width (s) from which |P - 1/2| never exceeds ``near`` again; infinite if it still does at the end.

    The last tenth must be quiet, so that a crossing at the end does not count.
    """
    beyond = np.flatnonzero(np.abs(curve - 0.5) > near)
    first = int(beyond[-1]) + 1 if beyond.size else 0
    return float(widths[first]) if first <= 0.9 * len(widths) else float("inf")


def turning_points(curve: Floats, least: float = 0.02) -> int:
    """Number of maxima and minima after which the curve, which begins by rising, moves by more than ``least``."""
    extremes = [float(curve[0])]
    for value in curve.tolist():
        rising = len(extremes) % 2 == 1  # towards a maximum
        if (value > extremes[-1]) == rising:
            extremes[-1] = value
        elif abs(value - extremes[-1]) > least:
            extremes.append(value)
    return len(extremes) - 1


def _curves(card: "MTJCard", volts: Floats, widths: Floats, tolerance: float) -> Floats:
    from mtjspice.device.switching import switching_probability

    return np.asarray(switching_probability(card, volts, widths, tolerance=tolerance).probability.values)


def _places(mapped: Floats, over: "Floats | float") -> NDArray[np.int64]:
    return np.searchsorted(mapped, np.round(over, 3))


def _shown(width: float, step: float) -> Value | str:
    if not np.isfinite(width):
        return f"not within {LONGEST * 1e9:.0f} ns"
    return Value(value=width, unit="s", low=width - step, high=width, kind="grid")


def _nanoseconds(widths: list[float]) -> str:
    return ", ".join(f"{one * 1e9:.1f}" if np.isfinite(one) else "none" for one in widths) + " ns"


def _lost(own: list[float], other: list[float]) -> str:
    """What a change of the device does at the overdrives at which the card settles."""
    kept = [(ratio, new) for ratio, old, new in zip(OVERDRIVES, own, other, strict=True) if np.isfinite(old)]
    lost = [ratio for ratio, new in kept if not np.isfinite(new)]
    rest = [new for _, new in kept if np.isfinite(new)]
    if lost:
        return f"it no longer does so at {_ratios(lost)} V_c"
    return f"it still does so wherever the card does, from {min(rest) * 1e9:.1f} to {max(rest) * 1e9:.1f} ns on"


def _ratios(over: "tuple[float, ...] | list[float]") -> str:
    return ", ".join(f"{one:g}" for one in over)


EXPERIMENT = Experiment(
    key="switching",
    title="How the junction switches",
    question="Are short pulses certain and long ones a coin, and what decides it?",
    run=run,
    draw={"map": draw_map, "decay": draw_decay, "settled": draw_settled},
    minutes=(0.5, 0.9),
)
