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
)
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard
    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

_ASSUMED = "read paths of this project in gf180mcu; no spread of the junctions; no noise of the amplifier"


def run(context: Context) -> Section:
    """Signals of the card; offsets and wrong reads of transistors that differ, in ngspice."""
    from mtjspice.papers.pbit import cells

    junction = cells.card()
    signals = {t: np.array([signal(junction, float(v), t) for v in VOLTS]) for t in TEMPERATURES}
    amplifiers = sensing_reads.amplifiers(context)
    worst = amplifiers[-1]
    laws = [sensing_reads.predicted(one, context.seed) for one in amplifiers]
    return Section(
        answer=_answer(signals, amplifiers, laws),
        findings=[*_of_signals(junction, signals, amplifiers[0], laws[0]), *_of_reads(amplifiers[-1], laws)],
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


def _of_signals(junction: "MTJCard", signals: dict[float, Floats], clamped: Amplifier, law: Predicted) -> list[Finding]:
    volts, current = _best(signals, TEMPERATURES[1])
    hot = {t: signal(junction, claims.TMR_READ_VOLTAGE, t)[1] for t in (TEMPERATURES[1], TEMPERATURES[-1])}
    offset = clamped.offset
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
            key="margins",
            quantity="smaller margin of P and AP, in standard deviations of the offset, clamped amplifier",
            ours=law.margin, status=Status.LEFT_OPEN,
            reason=(
                f"P {offset.margins[0]:.1f}, AP {offset.margins[1]:.1f}. At {abs(offset.voltages[0]):.2f} V on the"
                f" junction; deviation {offset.deviation:.3f} ({offset.deviation_interval[0]:.3f} to"
                f" {offset.deviation_interval[1]:.3f}, 95 %), mean {offset.mean:+.3f} of the conductance."
            ),
            assumed=_ASSUMED,
        ),
    ]  # fmt: skip


def _of_reads(worst: Amplifier, laws: Sequence[Predicted]) -> list[Finding]:
    predicted = laws[-1]
    volts = f"{abs(worst.offset.voltages[0]):.2f} V on the junction"
    seen = ranges.half_difference(worst.of_parallel, worst.of_antiparallel)
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
            ours=predicted.dead, status=Status.LEFT_OPEN,
            reason=(
                "An offset of mismatch stays. A path whose offset exceeds the signal of a state reads that state wrong"
                " each time: its stream is constant, and the bias above is the mean over dead paths and good ones."
                f" On {SUPPLY} V it is {laws[1].dead.shown()}. A test of the mean of an array does not see this."
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


def _fits(count: Value, law: Value) -> str:
    (low, high), (least, most) = count.limits, law.limits
    return "is compatible with it" if low <= most and least <= high else "is not compatible with it"


def _answer(signals: dict[float, Floats], found: Sequence[Amplifier], laws: Sequence[Predicted]) -> tuple[str, ...]:
    volts, _ = _best(signals, TEMPERATURES[1])
    clamped, worst = found[0], found[-1]
    seen = ranges.half_difference(worst.of_parallel, worst.of_antiparallel)
    low, high = seen.limits
    on_it = f"{abs(worst.offset.voltages[0]):.1f} V"
    return (
        f"The current that tells P from AP is largest at {volts:.2f} V. An amplifier that clamps the junction to"
        f" {abs(clamped.offset.voltages[0]):.2f} V has a margin of {laws[0].margin.shown()} standard deviations of its"
        f" offset. One that leaves {on_it} on it misreads {_percent(worst.of_parallel)} of P and"
        f" {_percent(worst.of_antiparallel)} of AP (95 %).",
        f"Such errors shift a P(AP) of 1/2 by {seen.value:+.3f} ({low:+.3f} to {high:+.3f}, 95 %) in the mean over"
        " amplifiers. But the offset of an amplifier stays. Noise apart, it reads a state right always or wrong"
        f" always, and one that is wrong gives the same bit for both states. At {on_it} these are"
        f" {laws[-1].dead.shown()} of the amplifiers, by a normal law of the offsets. A mean over an array hides such"
        " dead paths.",
    )


def _percent(found: "Proportion") -> str:
    return f"{found.value * 100:.1f} % ({found.low * 100:.1f} to {found.high * 100:.1f})"


EXPERIMENT = Experiment(
    key="sensing",
    title="What reading adds",
    question="How does a read's margin depend on voltage, temperature and offset, and what bias do wrong reads add?",
    run=run,
    draw={"margin": figures.draw_margin, "errors": figures.draw_errors},
    minutes=(0.4, 1.6),
)
