"""What self-heating does, as findings: by rate, by time constant, and along a burst."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.devices import CARD
from mtjspice.papers.stt_trng.heat import CURIE, FAST, SLOW, TIME_CONSTANT, Cycle, Floats, Followed, sensitivity

RESISTANCES = (0.0, 8e3, 1e5, 3e5)  # K/W, assumed
WORST = RESISTANCES[-1]
CONSTANTS = (1e-9, 1e-8, 1e-7)  # s, assumed
BURST = 1e-7  # s, of the junctions that wait and then run
LAGS = 100
FASTEST = "500 MHz"
BEARABLE = 1.5  # V, assumed: what a barrier of 1 nm is driven with


@dataclass(frozen=True)
class Made:
    """What was followed: by rate and resistance, by time constant at 33 MHz, and from rest."""

    cycles: dict[str, Cycle]
    rates: dict[tuple[str, float], Followed]
    constants: dict[float, Followed]
    burst: Followed
    burst_law: Floats  # P of every bit of the burst


ASSUMED = (
    f"thermal resistance swept from {RESISTANCES[1] / 1e3:g} to {WORST / 1e3:g} K/mW, time constant"
    f" {TIME_CONSTANT * 1e9:g} ns unless another is named, T_c {CURIE:g} K; card {CARD}; below 100 MHz reset 0.8 V for"
    " 8 ns, 6 ns before a perturbation of 10 ns; above, pulses as short as the period demands and voltages that make"
    " them switch"
)


def shown(one: Followed) -> str:
    """P with its interval."""
    from mtjspice.statistics import wilson

    return counted(wilson(int(one.counted.sum()), one.counted.size)).shown()


def rate_findings(made: Made) -> list[Finding]:
    """Correlation and P at every rate."""
    findings = []
    for name, cycle in made.cycles.items():
        one, cold = made.rates[name, WORST], made.rates[name, 0.0]
        lag, error = one.correlation()
        text = (
            f"P is {shown(one)}, without heating {shown(cold)}; the junction is {one.rise:.1f} K warmer"
            f" before the perturbation. {one.failed_resets:.1%} of the resets fail. Reset {cycle.reset:.2f} V for"
            f" {cycle.reset_width * 1e9:.2g} ns, perturbation {cycle.perturb:.2f} V for"
            f" {cycle.perturb_width * 1e9:.2g} ns."
        )
        if cycle.reset > BEARABLE:
            text += f" More than {BEARABLE:g} V, assumed as what such a barrier bears."
        findings.append(
            Finding(
                key="lag-" + name.replace(" ", "-").lower(),
                quantity=f"{name}: correlation of successive bits at {WORST / 1e3:g} K/mW",
                ours="none: all bits are alike" if one.alike else Value(
                    value=lag, low=lag - error, high=lag + error, kind="95 %", digits=2
                ),
                status=Status.LEFT_OPEN, reason=text, assumed=ASSUMED,
            )
        )  # fmt: skip
    return findings


def linear(made: Made) -> Finding:
    """Correlation that the heat of the reset makes."""
    one, slope = made.rates[SLOW, WORST], sensitivity(made.cycles[SLOW])
    return Finding(
        key="linear", quantity=f"{SLOW}: correlation of successive bits that the heat of the reset makes, by dP/dT",
        ours=Value(value=slope * one.difference(), digits=2), status=Status.LEFT_OPEN,
        reason=(
            f"dP/dT = {slope:.4f} /K by the Fokker-Planck equation times {one.difference():+.2f} K, the mean difference"
            " after a one and after a zero in the run: the reset heats an antiparallel junction differently, and some"
            " of that is left when the perturbation comes. A longer rest between cycles does not help, a longer pause"
            " between the pulses would."
        ),
        assumed=ASSUMED,
    )  # fmt: skip


def squares(one: Followed) -> tuple[float, float]:
    """Sum of squared correlations at all lags in units of their variance, and its p-value for independent bits."""
    scores = [lag / (error / 1.96) for lag, error in (one.correlation(lag) for lag in range(1, LAGS + 1))]
    total = float(np.square(scores).sum())
    return total, float(chdtrc(LAGS, total))


def constant_findings(made: Made) -> list[Finding]:
    """Correlation at every time constant."""
    slope = sensitivity(made.cycles[FAST])
    findings = []
    for constant, one in made.constants.items():
        total, p = squares(one)
        first, error = one.correlation()
        law = [slope * one.difference(lag) for lag in (1, 2, 10)]
        findings.append(
            Finding(
                key=f"constant-{constant * 1e9:g}-ns",
                quantity=f"{FAST}, {WORST / 1e3:g} K/mW, time constant {constant * 1e9:g} ns: correlation at lag 1",
                ours=Value(value=first, low=first - error, high=first + error, kind="95 %", digits=2),
                status=Status.LEFT_OPEN,
                reason=(
                    f"P is {one.counted.mean():.3f}, {one.rise:.1f} K warmer before the perturbation. Heat times dP/dT"
                    f" makes {law[0]:+.4f} at lag 1, {law[1]:+.4f} at lag 2 and {law[2]:+.4f} at lag 10. Lags 1 to"
                    f" {LAGS} together: chi-squared {total:.0f} of {LAGS}, p = {p:.2g}."
                ),
                assumed=ASSUMED,
            )
        )  # fmt: skip
    return findings


def settled(made: Made) -> int:
    """Bits of a burst until P is as near to its last value as raw bits bear."""
    away = np.abs(made.burst_law - made.burst_law[-1]) > limits.raw_limit()
    return int(np.flatnonzero(away).max()) + 2 if away.any() else 1


def burst_finding(made: Made) -> Finding:
    """P of the first bit after a rest, and how many follow until P stays."""
    from mtjspice.statistics import wilson

    ones, junctions = made.burst.bits.sum(axis=0), len(made.burst.bits)
    law = made.burst_law
    scores = (ones - junctions * law) / np.sqrt(junctions * law * (1 - law))
    return Finding(
        key="burst", quantity=f"{FAST}, time constant {BURST * 1e9:g} ns: P of the first bit after a rest",
        ours=counted(wilson(int(ones[0]), junctions)), status=Status.LEFT_OPEN,
        reason=(
            f"Of the last of {len(ones)} bits {counted(wilson(int(ones[-1]), junctions)).shown()}; the Fokker-Planck"
            f" equation at the mean temperature of each perturbation gives {law[0]:.3f} and {law[-1]:.3f}, counts"
            f" against it chi-squared {float((scores**2).sum()):.0f} of {len(ones)}. {settled(made)} bits pass until P"
            f" is within {limits.raw_limit():.4f} of its last value: a generator that rests and runs gives other bits"
            " first."
        ),
        assumed=f"thermal resistance {WORST / 1e3:g} K/mW; {ASSUMED}",
    )  # fmt: skip
