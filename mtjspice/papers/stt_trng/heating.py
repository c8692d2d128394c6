"""What the heat of earlier pulses does to later bits: rates, thermal resistances and time constants, lags, bursts."""

from math import sqrt

import numpy as np
from scipy.special import expit, logit

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import heating_figures as figures
from mtjspice.papers.stt_trng import limits
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import CARD
from mtjspice.papers.stt_trng.heat import (
    CURIE,
    FAST,
    SLOW,
    TIME_CONSTANT,
    Cycle,
    Floats,
    cycles,
    follow,
    sensitivity,
    warm_probability,
)
from mtjspice.papers.stt_trng.heating_findings import (
    BEARABLE,
    BURST,
    CONSTANTS,
    FASTEST,
    LAGS,
    RESISTANCES,
    WORST,
    Made,
    burst_finding,
    constant_findings,
    linear,
    rate_findings,
    settled,
    shown,
    squares,
)


def run(context: Context) -> Section:
    """Follow junctions at every rate, for long at several time constants, and many of them from rest."""
    made = _compute(context)
    bits = made.rates[SLOW, WORST].counted.size
    return Section(
        answer=_answer(made),
        findings=[*rate_findings(made), linear(made), *constant_findings(made), burst_finding(made)],
        plates=(
            figures.rate_plate(_rate_columns(made), bits, made.constants[TIME_CONSTANT].counted.size),
            figures.memory_plate(_memory_columns(made), len(made.burst.bits)),
        ),
        setting=(
            f"Macrospin with self-heating, {bits} bits a case; card {CARD} with T_c = {CURIE:g} K; cycles of reset,"
            " pause, perturbation and rest; laws by the Fokker-Planck equation."
        ),
    )  # fmt: skip


def _compute(context: Context) -> Made:
    junctions, count = context.effort((10, 40), (40, 100))
    used = context.effort((RESISTANCES[0], *RESISTANCES[-2:]), RESISTANCES)
    seeds = iter(int(one) for one in np.random.SeedSequence([context.seed, 13]).generate_state(64) % 2**31)
    known = cycles()
    rates = {
        (name, resistance): follow(cycle, resistance, junctions, count, next(seeds))
        for name, cycle in known.items() for resistance in used
    }  # fmt: skip
    fast, (few, long) = known[FAST], context.effort((8, 150), (30, 400))
    constants = {one: follow(fast, WORST, few, long, next(seeds), one) for one in CONSTANTS}
    burst = follow(fast, WORST, context.effort(100, 1000), 1, next(seeds), BURST)
    mean = (burst.before + burst.after).mean(axis=0) / 2
    return Made(known, rates, constants, burst, _warm_law(fast, mean))


def _warm_law(cycle: Cycle, rises: Floats) -> Floats:
    """P at rises (K): the logit between those of five."""
    at = np.linspace(0.0, float(rises.max()), 5)
    known = logit([warm_probability(cycle, float(one)) for one in at])
    return np.asarray(expit(np.interp(rises, at, known)))


def _rate_columns(made: Made) -> Lists:
    from mtjspice.statistics import wilson

    columns = empty(figures.RATE_COLUMNS)
    cases = [(name, resistance, TIME_CONSTANT, one) for (name, resistance), one in made.rates.items()]
    cases += [(FAST, WORST, constant, one) for constant, one in made.constants.items() if constant != TIME_CONSTANT]
    for name, resistance, constant, one in cases:
        p = wilson(int(one.counted.sum()), one.counted.size)
        lag, error = one.correlation()
        add(columns, 1 / made.cycles[name].period, resistance, constant, lag, lag - error, lag + error,
            float(not one.alike), p.value, p.low, p.high, one.rise, one.failed_resets)  # fmt: skip
    return columns


def _memory_columns(made: Made) -> Lists:
    """Correlations in groups of lags, and P of the bits of a burst."""
    from mtjspice.statistics import wilson

    columns, slope = empty(figures.MEMORY_COLUMNS), sensitivity(made.cycles[FAST])
    for constant, one in made.constants.items():
        for low, high in figures.GROUPS:
            lags = range(low, high + 1)
            found = [one.correlation(lag) for lag in lags]
            mean, error = np.mean([lag for lag, _ in found]), sqrt(sum(error**2 for _, error in found)) / len(found)
            law = np.mean([slope * one.difference(lag) for lag in lags])
            at = sqrt(low * high)
            add(columns, "lag", constant, at, float(mean), float(mean - error), float(mean + error), float(law))
    for number, ones in enumerate(made.burst.bits.sum(axis=0)):
        p = wilson(int(ones), len(made.burst.bits))
        add(columns, "burst", BURST, number + 1, p.value, p.low, p.high, float(made.burst_law[number]))
    return columns


def _answer(made: Made) -> tuple[str, ...]:
    slow, fast = made.rates[SLOW, WORST], made.rates[FAST, WORST]
    slope, difference = sensitivity(made.cycles[SLOW]), slow.difference()
    warmer = fast.rise - slow.rise
    heated = [one for key, one in made.rates.items() if key[1] > 0 and not one.alike]
    clear = sum(abs(one.correlation()[0]) > one.correlation()[1] for one in heated)
    lagging = [f"{constant * 1e9:g} ns" for constant, one in made.constants.items() if squares(one)[1] < 0.01]
    top = made.cycles[FASTEST]
    cold, hot = (shown(made.rates[FASTEST, resistance]) for resistance in (0.0, WORST))
    return (
        f"At {SLOW} no heat of the last cycle is left: {made.cycles[SLOW].period * 1e6:g} µs are"
        f" {made.cycles[SLOW].period / TIME_CONSTANT:.0f} time constants. What counts is the heat of the reset in the"
        f" same cycle: with {WORST / 1e3:g} K/mW the junction is {slow.rise:.1f} K warmer when the perturbation begins,"
        f" and P is {shown(slow)}. A trim at this rate takes that in.",
        f"Heat makes little memory. At {SLOW} a junction that was reset from antiparallel differs by {difference:+.2f}"
        f" K from one that was parallel already, which makes a correlation of {slope * difference:+.4f} of successive"
        f" bits. Counts show one beyond 95 % in {clear} of {len(heated)} cases (chance gives one in twenty); at lags 1"
        f" to {LAGS} together"
        + (f" memory is seen with a time constant of {' and '.join(lagging)} (p < 0.01)." if lagging
           else f" no time constant of {len(made.constants)} shows any (p < 0.01)."),
        f"At {FAST} the junction is {warmer:.1f} K warmer than at {SLOW}, which by dP/dT moves P by"
        f" {slope * warmer:.3f}; raw bits bear {limits.raw_limit():.4f}. A voltage has to be trimmed at the rate at"
        f" which it is used, and with the junction running: with a time constant of {BURST * 1e9:g} ns the first bit"
        f" after a rest has P = {made.burst_law[0]:.3f} and a late one {made.burst_law[-1]:.3f}, reached after"
        f" {settled(made)} bits.",
        f"{FASTEST} is out of reach of these junctions: pulses of {top.perturb_width * 1e9:g} ns need"
        f" {top.perturb:.1f} V and a reset of {top.reset:.1f} V, where a barrier is assumed to bear {BEARABLE:g} V. P"
        f" becomes {hot} with {WORST / 1e3:g} K/mW, and {cold} without heating, where the voltage would give 1/2 from"
        f" equilibrium: {top.pause * 1e9:g} ns after the reset a junction is not back there.",
    )  # fmt: skip


EXPERIMENT = Experiment(
    key="heating",
    title="Does a junction remember the heat of its last bit?",
    question="What does self-heating do to bias and memory from 100 kHz to 500 MHz, and to the first bits of a burst?",
    run=run,
    draw={"rate": figures.draw_rate, "memory": figures.draw_memory},
    minutes=(0.7, 6.5),
)
