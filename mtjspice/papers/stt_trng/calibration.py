"""Switching curves of sixteen junctions, and what it takes to set each of them to one half."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import calibration_figures as figures
from mtjspice.papers.stt_trng import claims, limits
from mtjspice.papers.stt_trng.calibration_figures import TOLERANCE, VOLTAGES
from mtjspice.papers.stt_trng.devices import ASSUMED, LANES, PULSE, RATE, RATE_TEXT, junctions
from mtjspice.papers.stt_trng.limits import power_of_ten

CHECKED = (0, 1, 2, 3)  # devices with macrospin points


def run(context: Context) -> Section:
    """Curves by the Fokker-Planck equation, macrospin points beside them, and a trim in the circuit."""
    from mtjspice.device.switching import switching_probability
    from mtjspice.statistics import wilson

    cards = junctions(LANES, context.seed)
    curves = np.array(
        [switching_probability(card, -VOLTAGES, PULSE, tolerance=TOLERANCE).probability.values[:, 0] for card in cards]
    )
    half, slope = np.array([_half(curve) for curve in curves]).T
    trials = context.effort(600, 4000)
    counted: list[tuple[float, float, float, float, float]] = []
    scores = []
    for device in CHECKED:
        at = half[device] + slope[device] * np.array([-1.5, 0.0, 1.5])
        found = switching_probability(
            cards[device], -at, PULSE, method="macrospin", trials=trials, seed=context.seed + device
        )
        exact = switching_probability(cards[device], -at, PULSE, tolerance=TOLERANCE).probability.values[:, 0]
        for volts, p, q in zip(at, found.probability.values[:, 0], exact, strict=True):
            interval = wilson(round(p * trials), trials)
            counted.append((device, volts, p, interval.low, interval.high))
            scores.append((p - q) / np.sqrt(q * (1 - q) / trials))
    trimmed, slope_in_circuit, tolerance = _trim(context)
    return _section(context, half, slope, curves, counted, np.array(scores), trials, trimmed, slope_in_circuit,
                    tolerance)  # fmt: skip


def _half(curve: NDArray[np.float64]) -> tuple[float, float]:
    """V50 and s (V) of the logistic between the points on both sides of 1/2."""
    k = int(np.argmax(curve >= 0.5))
    below, above = logit(curve[k - 1]), logit(curve[k])
    slope = float((VOLTAGES[k] - VOLTAGES[k - 1]) / (above - below))
    return float(VOLTAGES[k - 1] - slope * below), slope


def _trim(context: Context) -> tuple[Any, float, float]:
    """Trim of channels with different junctions in transistors: its rounds, dP/d(rail) (1/V), the tolerance."""
    from dataclasses import replace

    from mtjspice.circuits.benches.trim import predicted_amplitude, trim
    from mtjspice.circuits.benches.trng import SttTrngCycles
    from mtjspice.circuits.library.trng import SttTrng
    from mtjspice.circuits.technology import technology
    from mtjspice.device.card import load_card

    channels, cycles, rounds = context.effort((2, 20, 4), (4, 30, 12))
    circuit = SttTrng(technology("gf180mcu"), card=load_card("stt_trng_10ns"), channels=channels)
    nominal = predicted_amplitude(SttTrngCycles(circuit, cycles=cycles))
    different = replace(circuit, cards=tuple(junctions(LANES, context.seed)[:channels]))
    bench = SttTrngCycles(different, cycles=cycles, amplitude=nominal.amplitude)
    tolerance = context.effort(0.12, 0.04)
    return trim(bench, context.seed, nominal.slope, tolerance=tolerance, rounds=rounds), nominal.slope, tolerance


def _section(
    context: Context, half: NDArray[np.float64], slope: NDArray[np.float64], curves: NDArray[np.float64],
    counted: list[tuple[float, float, float, float, float]], scores: NDArray[np.float64], trials: int, trimmed: Any,
    slope_in_circuit: float, tolerance: float,
) -> Section:  # fmt: skip
    other_half, other_slope = limits.other_device()
    shared = float(half.mean())
    probabilities = expit((shared - half) / slope)
    spread = float(half.std(ddof=1) / shared)
    ratio = slope / half
    error = limits.xor_limit()
    inside = int((np.abs(probabilities - 0.5) < error).sum())
    steps = {
        name: (2 * limits.raw_limit() * 4 * s, 2 * error * 4 * s)
        for name, s in (("here", float(slope.mean())), ("other", other_slope))
    }
    bits = int(trimmed.averaged[-1].min() * trimmed.cycles)
    width = float(trimmed.half_width.max())
    rails = np.array(trimmed.amplitudes)
    needed = 0.25 * 1.96**2 / limits.raw_limit() ** 2
    chi = float((scores**2).sum())
    findings = [
        Finding(
            key="shared",
            quantity=f"P of {LANES} junctions at one voltage",
            paper=claims.TRIMMED,
            ours=f"{probabilities.min():.2f} to {probabilities.max():.2f}; {inside} of {LANES} in 0.5 ± {error:.3f}",
            status=Status.NOT_COMPARABLE,
            reason=(
                f"Our number follows from an assumed spread, with which V50 scatters by {spread:.1%}; that of the paper"
                " could not be read. A trim of each junction is needed if one voltage leaves some of them outside of"
                " what XOR of three bits repairs in a test of 10⁶ bits, as it"
                f" {'does' if inside < LANES else 'does not'} here."
            ),
            assumed=ASSUMED,
        ),
        Finding(
            key="width",
            quantity="width of the switching curve, s/V50",
            ours=Value(
                value=float(ratio.mean()),
                unit="%",
                low=float(ratio.min()),
                high=float(ratio.max()),
                kind=f"range of {LANES} junctions",
            ),
            status=Status.LEFT_OPEN,
            reason=(
                f"The published curve of {claims.OTHER_DEVICE.citation} has s/V50 = {other_slope / other_half:.1%}"
                " (three points). A macrospin with a thermal stability of 45 and a pulse of 10 ns is far wider: the"
                " paper's own width decides every tolerance below and could not be read."
            ),
            assumed=ASSUMED,
        ),
        Finding(
            key="macrospin",
            quantity="counted switching against the Fokker-Planck equation",
            ours=f"chi-squared {chi:.1f} of {len(scores)} points",
            status=Status.LEFT_OPEN,
            reason=f"{trials} trials a point, independent noise: the curves rest on two methods, not on one.",
            assumed=ASSUMED,
        ),
        Finding(
            key="step",
            quantity=f"step of the DAC that leaves a bias below {limits.raw_limit():.4f} (raw bits, 10⁶ of them)",
            ours=f"{steps['here'][0] * 1e6:.0f} µV; {steps['other'][0] * 1e6:.0f} µV with the other device's curve",
            status=Status.LEFT_OPEN,
            reason=(
                "Half a step is the largest error of a perfect trim, and the bias is error / (4 s). Behind XOR of"
                f" three bits {steps['here'][1] * 1e3:.1f} and {steps['other'][1] * 1e3:.2f} mV suffice. A converter of"
                " 12 bits over 1 V has steps of 244 µV."
            ),
            assumed=ASSUMED,
        ),
        Finding(
            key="trim",
            quantity=f"rails for P = 1/2 of {len(rails)} channels in transistors, from the bits of all rounds",
            ours=f"{rails.min() * 1e3:.0f} to {rails.max() * 1e3:.0f} mV; P known to ± {width:.2f} after {bits} bits",
            status=Status.LEFT_OPEN,
            reason=(
                f"{len(trimmed.rails)} rounds of {trimmed.cycles} bits a channel. Knowing P to"
                f" {limits.raw_limit():.4f} takes {power_of_ten(needed)} bits of every junction, {needed / RATE:.0f} s"
                f" at {RATE_TEXT}, whatever the circuit."
            ),
            assumed=f"{ASSUMED}; the circuit is this project's, in gf180mcu",
        ),
    ]
    return Section(
        answer=_answer(spread, inside, error, ratio, other_slope / other_half, steps, needed, slope_in_circuit, slope),
        findings=findings,
        plates=(figures.curve_plate(curves, counted, trials), figures.trim_plate(trimmed, tolerance)),
        setting=(
            f"Card stt_trng_10ns, P to AP by pulses of 10 ns; Fokker-Planck equation (error below {TOLERANCE:g}),"
            f" macrospin with {trials} trials at {len(scores)} points; trim of {len(rails)} channels in gf180mcu,"
            " co-simulated."
        ),
    )  # fmt: skip


def _answer(
    spread: float, inside: int, error: float, ratio: NDArray[np.float64], other: float,
    steps: dict[str, tuple[float, float]], needed: float, in_circuit: float, slope: NDArray[np.float64],
) -> tuple[str, ...]:  # fmt: skip
    alone = 1 / (4 * float(slope.mean()))
    return (
        f"With V50 scattered by {spread:.1%}, {inside} of {LANES} junctions stay within 0.5 ± {error:.3f} at one"
        " common voltage, the range that XOR of three bits repairs in a test of 10⁶ bits. "
        + (
            "With such a spread, which is assumed, each junction has to be set by itself, as the paper does."
            if inside < LANES
            else "With this spread, which is assumed, one voltage would do."
        ),
        f"How fine it must be set depends on the width of the switching curve: s/V50 is {ratio.mean():.1%} here and"
        f" {other:.1%} in the published curve of another device. Raw bits need steps of {steps['here'][0] * 1e6:.0f}"
        f" µV or {steps['other'][0] * 1e6:.0f} µV, bits behind an XOR of three {steps['here'][1] * 1e3:.1f} mV or"
        f" {steps['other'][1] * 1e3:.2f} mV. The narrow curve is what a long pulse on a stable junction gives (card"
        " stt_trng_long); a 10 ns pulse on a macrospin does not.",
        f"In transistors the rail moves P by {in_circuit:.1f} /V, the junction alone by {alone:.1f} /V: drivers and"
        f" access transistor take part of the voltage. Counting limits the trim: it takes"
        f" {power_of_ten(needed)} bits of each junction to know its P to {limits.raw_limit():.4f}, the bias that fails"
        " every other test of 10⁶ raw bits.",
    )


EXPERIMENT = Experiment(
    key="calibration",
    title="How finely must each junction be set?",
    question="Does a trim of each junction do, and how fine must it be?",
    run=run,
    draw={"curves": figures.draw_curves, "trim": figures.draw_trim},
    minutes=(0.7, 3.6),
)
