"""What reading adds to a bit: margin over voltage and temperature, wrong reads by offset, and the bias they make."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.pbit import claims, ranges, sensing_reads
from mtjspice.papers.pbit import sensing_figures as figures
from mtjspice.papers.pbit.sensing_reads import (
    HIGHER,
    POLARIZATION,
    SUPPLY,
    TEMPERATURES,
    VOLTS,
    Amplifier,
    Predicted,
    signal,
    wrong,
)
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard

Floats = NDArray[np.float64]

_ASSUMED = "read paths of this project in gf180mcu; no spread of the junctions; no noise of the amplifier"


def run(context: Context) -> Section:
    """Signals of the card; offsets and wrong reads of transistors that differ, in ngspice."""
    from mtjspice.papers.pbit import cells

    junction = cells.card()
    signals = {t: np.array([signal(junction, float(v), t) for v in VOLTS]) for t in TEMPERATURES}
    amplifiers = sensing_reads.amplifiers(context)
    worst = amplifiers[-1]
    predicted = sensing_reads.predicted(worst, context.seed)
    return Section(
        answer=_answer(signals, amplifiers, predicted),
        findings=[*_of_signals(junction, signals, amplifiers), *_of_reads(amplifiers, predicted)],
        plates=(figures.margin_plate(VOLTS, signals, amplifiers), figures.errors_plate(junction, amplifiers)),
        setting=(
            f"Card imec_iedm24, P(T) with {POLARIZATION:g} K^-1.5; one read path for each amplifier in gf180mcu,"
            f" offsets of {len(worst.offset.offsets)} draws of all transistors, reads of"
            f" {worst.of_parallel.trials + worst.of_antiparallel.trials} others, half of them of P."
        ),
    )


def _best(signals: dict[float, Floats], temperature: float) -> tuple[float, float]:
    """Voltage of the largest current that tells the states, and that current."""
    k = int(np.argmax(signals[temperature][:, 0]))
    return float(VOLTS[k]), float(signals[temperature][k, 0])


def _of_signals(junction: "MTJCard", signals: dict[float, Floats], found: Sequence[Amplifier]) -> list[Finding]:
    volts, current = _best(signals, TEMPERATURES[1])
    hot = {t: signal(junction, claims.TMR_READ_VOLTAGE, t)[1] for t in (TEMPERATURES[1], TEMPERATURES[-1])}
    clamped = found[0].offset
    return [
        Finding(
            key="voltage", quantity="voltage at which the current between P and AP is largest, 300 K",
            ours=Value(value=volts, unit="V", digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"{current * 1e9:.0f} nA to either side of the middle. The TMR of {junction.tmr:.0%} is halved at"
                f" {junction.tmr_half_voltage:g} V, so that more voltage brings less signal. In steps of"
                f" {(VOLTS[1] - VOLTS[0]) * 1e3:.0f} mV."
            ),
            assumed="resistance and bias dependence of the card",
        ),
        Finding(
            key="hot", quantity="signal at 398 K over that at 300 K, 200 mV (relative conductance)",
            ours=Value(value=hot[TEMPERATURES[-1]] / hot[TEMPERATURES[1]], unit="%"), status=Status.LEFT_OPEN,
            reason=(
                f"TMR/(2 + TMR) falls from {hot[TEMPERATURES[1]]:.3f} to {hot[TEMPERATURES[-1]]:.3f} as the"
                " polarization does. The paper gives no temperature."
            ),
            assumed=f"polarization coefficient of {POLARIZATION:g} K^-1.5; resistance of P constant",
        ),
        Finding(
            key="margins", quantity="margin of P and AP in standard deviations of the offset, clamped amplifier",
            ours=f"{clamped.margins[0]:.1f} and {clamped.margins[1]:.1f}", status=Status.LEFT_OPEN,
            reason=(
                f"At {abs(clamped.voltages[0]):.2f} V on the junction; deviation {clamped.deviation:.3f}"
                f" ({clamped.deviation_interval[0]:.3f} to {clamped.deviation_interval[1]:.3f}, 95 %), mean"
                f" {clamped.mean:+.3f} of the conductance."
            ),
            assumed=_ASSUMED,
        ),
    ]  # fmt: skip


def _of_reads(found: Sequence[Amplifier], predicted: Predicted) -> list[Finding]:
    worst = found[-1]
    volts = f"{abs(worst.offset.voltages[0]):.2f} V on the junction"
    seen = ranges.half_difference(worst.of_parallel, worst.of_antiparallel)
    middle = found[1]
    findings = [
        Finding(
            key=f"wrong-{key}", quantity=f"reads of {state} that are wrong, precharge amplifier on {HIGHER} V",
            ours=counted(count), status=Status.LEFT_OPEN,
            reason=(
                f"Closed form for normal offsets: {law.shown()}; the count {_fits(counted(count), law)}. There are"
                f" {volts}, and the signal is {abs(level):.3f} of the conductance."
            ),
            assumed=_ASSUMED,
        )
        for key, state, count, law, level in (
            ("p", "P", worst.of_parallel, predicted.of_parallel, worst.offset.parallel),
            ("ap", "AP", worst.of_antiparallel, predicted.of_antiparallel, worst.offset.antiparallel),
        )
    ]  # fmt: skip
    dead = predicted.of_parallel.value + predicted.of_antiparallel.value
    return [
        *findings,
        Finding(
            key="bias", quantity="what these reads add to a P(AP) of 1/2, mean over read paths", ours=seen,
            status=Status.LEFT_OPEN,
            reason=(
                f"(e_P - e_AP)/2, counted; closed form {predicted.shift.shown()}; the count"
                f" {_fits(seen, predicted.shift)}. It vanishes where signal and offset are symmetric, whatever the"
                " error; a mean offset makes it."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="dead", quantity="read paths that give the same bit for either state, by the closed form",
            ours=Value(value=dead, unit="%", digits=2), status=Status.LEFT_OPEN,
            reason=(
                "An offset of mismatch stays. A path whose offset exceeds the signal of a state reads that state wrong"
                " each time: its stream is constant, and the bias above is the mean over dead paths and good ones."
                f" On {SUPPLY} V it is {_dead(middle):.1%}. A test of the mean of an array does not see this."
            ),
            assumed=_ASSUMED,
        ),
        Finding(
            key="in-place", quantity="reads of a P-bit in place", ours="none", status=Status.LEFT_OPEN,
            reason=(
                "Its conductance enters a sum. Offsets then shift sums, as in the experiment on reading, and no bits:"
                " bias by reading concerns bits that leave the array, and P-bits drawn beside it."
            ),
            assumed="column of this project",
        ),
    ]  # fmt: skip


def _dead(one: Amplifier) -> float:
    return sum(wrong(one.offset.mean, one.offset.deviation, one.offset.parallel, one.offset.antiparallel))


def _fits(count: Value, law: Value) -> str:
    (low, high), (least, most) = count.limits, law.limits
    return "is compatible with it" if low <= most and least <= high else "is not compatible with it"


def _answer(signals: dict[float, Floats], found: Sequence[Amplifier], predicted: Predicted) -> tuple[str, ...]:
    volts, _ = _best(signals, TEMPERATURES[1])
    clamped, worst = found[0], found[-1]
    seen = ranges.half_difference(worst.of_parallel, worst.of_antiparallel)
    low, high = seen.limits
    return (
        f"The current that tells P from AP is largest at {volts:.2f} V. An amplifier that clamps the junction to"
        f" {abs(clamped.offset.voltages[0]):.2f} V has a margin of {min(clamped.offset.margins):.1f} standard"
        f" deviations of its offset or more: {_dead(clamped) / 2:.1g} of its reads would be wrong."
        f" One that leaves {abs(worst.offset.voltages[0]):.1f} V on it misreads"
        f" {worst.of_parallel.value:.1%} of P and {worst.of_antiparallel.value:.1%} of AP.",
        f"These errors shift P(AP) by {seen.value:+.3f} ({low:+.3f} to {high:+.3f}) in the mean"
        f" (by the closed form {predicted.shift.value:+.3f}, {predicted.shift.limits[0]:+.3f} to"
        f" {predicted.shift.limits[1]:+.3f}). But offsets stay: noise apart, a path is right always or wrong always"
        " for a state, and a wrong one gives a constant. So what errors by offset do to a generator is dead paths,"
        " which a mean over an array hides, rather than a small bias in each.",
    )


EXPERIMENT = Experiment(
    key="sensing",
    title="What reading adds",
    question="How does a read's margin depend on voltage, temperature and offset, and what bias do wrong reads add?",
    run=run,
    draw={"margin": figures.draw_margin, "errors": figures.draw_errors},
    minutes=(0.4, 1.6),
)
