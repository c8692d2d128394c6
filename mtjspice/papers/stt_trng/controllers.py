"""Which controller keeps a million cells usable, what that costs, and how warm it gets."""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Section
from mtjspice.papers.stt_trng import claims, limits
from mtjspice.papers.stt_trng import controller_costs as costs
from mtjspice.papers.stt_trng import controller_figures as figures
from mtjspice.papers.stt_trng.cells import DAC, widths
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import RATE
from mtjspice.papers.stt_trng.drift_figures import V50_WALK, WINDOW
from mtjspice.papers.stt_trng.loops import GAIN, LOOPS, Checked, Wander, check, fraction, held
from mtjspice.papers.stt_trng.supply import CIRCUIT, LINES, Supply, Warmth, per_watt, readings, supply, warmth

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURS = tuple(float(one) for one in np.geomspace(1, 1e4, 17))
KELVIN = tuple(float(one) for one in np.linspace(0, 15, 61))
AFTER, WARMER = 1000.0, 10.0  # h, K: of the findings
SPREAD = 0.05  # of V50 where nothing is trimmed, assumed


@dataclass(frozen=True)
class Made:
    """What was computed: s/V50 by curve, logits a kelvin of the card's curve, checks, energies, heat."""

    widths: "Mapping[str, float]"
    per_kelvin: dict[str, float]
    checks: list[Checked]
    supply: Supply
    warmth: Warmth


def run(context: Context) -> Section:
    """Put together the laws of loops, a check of them bit by bit, and the energy of a co-simulated circuit."""
    made = _compute(context)
    return Section(
        answer=_answer(made),
        findings=[*_loop_findings(made), _check_finding(made), *costs.cost_findings(made.supply),
            *costs.heat_findings(made.warmth, made.per_kelvin["card, 10 ns"] / 4),
        ],
        plates=(
            figures.kept_plate(_kept(made), WARMER), figures.cost_plate(costs.cost_columns(made.supply)),
        ),
        setting=(
            f"Closed forms for loops of gain {GAIN:g} every {WINDOW:g} s at {RATE / 1e3:g} kHz; arrays of 512 cells"
            f" followed bit by bit as a check; energy co-simulated in gf180mcu (4 channels,"
            f" {context.effort(6, 20)} cycles)."
        ),
    )  # fmt: skip


def _compute(context: Context) -> Made:
    from mtjspice.papers.stt_trng.heat import SLOW, cycles, sensitivity

    known = widths()
    relative = 4 * sensitivity(cycles()[SLOW]) * known["card, 10 ns"]  # of V50, a kelvin
    found = supply(context)
    energy = found.total((CIRCUIT, LINES))[0]
    return Made(
        known, {curve: relative / width for curve, width in known.items()}, check(context), found,
        warmth(energy, found.junction, claims.MILLION_CELLS.value or 0.0),
    )  # fmt: skip


def wander(width: float, spread: float = 0.0) -> Wander:
    """Cells of a switching curve in logits, at the windows of `drift`."""
    return Wander(spread / width, V50_WALK / width * sqrt(WINDOW / 3600), DAC / width, RATE * WINDOW)


def _fraction(made: Made, curve: str, loop: str, hours: float, kelvin: float, spread: float = 0.0) -> float:
    shift = made.per_kelvin[curve] * kelvin if loop == "none" else 0.0
    return fraction(limits.xor_limit(), loop, wander(made.widths[curve], spread), hours * 3600 / WINDOW, shift)


def _kept(made: Made) -> Lists:
    columns = empty(figures.KEPT_COLUMNS)
    for curve in made.widths:
        for loop in LOOPS:
            for hours in HOURS:
                add(columns, "hours", curve, loop, hours, _fraction(made, curve, loop, hours, 0.0))
            for kelvin in KELVIN:
                add(columns, "kelvin", curve, loop, kelvin, _fraction(made, curve, loop, 1.0, kelvin))
    return columns


ASSUMED = (
    f"V50 of every cell wanders by {V50_WALK:.1%} after an hour and as the root of time; steps of the DAC of {DAC:.1%}"
    f" of V50; loops of gain {GAIN:g} every {WINDOW:g} s; the other device's V50 moves with temperature as the card's"
    " does"
)


def _loop_findings(made: Made) -> list[Finding]:
    findings = []
    for curve, width in made.widths.items():
        for loop in LOOPS:
            cold, warm = (_fraction(made, curve, loop, AFTER, kelvin) for kelvin in (0.0, WARMER))
            start = _fraction(made, curve, loop, AFTER, 0.0, SPREAD)
            findings.append(
                Finding(
                    key=f"{'ours' if curve.startswith('card') else 'other'}-{loop.split()[-1]}",
                    quantity=f"cells that XOR repairs {AFTER:g} h after a trim of each ({curve}; controller: {loop})",
                    ours=Value(value=cold, unit="%", digits=4), status=Status.LEFT_OPEN,
                    reason=(
                        f"Closed form. {warm:.1%} if it is {WARMER:g} K warmer than at the trim; {start:.1%} if the"
                        f" cells were never trimmed (spread of {SPREAD:.0%})."
                        + (
                            f" The loop itself leaves {sqrt(held(1, wander(width))) / 4:.1e} of P, steps of its DAC"
                            f" {DAC / width / sqrt(6) / 4:.1e} (root mean square)."
                            if loop == LOOPS[3] else ""
                        )
                    ),
                    assumed=ASSUMED,
                )
            )  # fmt: skip
    return findings


def _check_finding(made: Made) -> Finding:
    inside = sum(one.low <= one.law <= one.high for one in made.checks)
    text = "; ".join(
        f"{one.loop}{', DAC' if one.step else ''} {one.found:.4f} ({one.low:.4f} to {one.high:.4f}), law {one.law:.4f}"
        for one in made.checks
    )
    return Finding(
        key="check", quantity="standard deviation of the logits of emulated cells under a loop, 95 % limits",
        ours=text, status=Status.LEFT_OPEN,
        reason=(
            f"Bit by bit in windows of 2000 bits, 512 cells; the law lies within {inside} of {len(made.checks)} limits."
            " That of a DAC adds its error and that of the loop, which is an upper limit: steps hide small"
            " corrections."
        ),
        assumed="spread of 0.3 and walk of 0.01 logit a window, emulated",
    )  # fmt: skip


def _answer(made: Made) -> tuple[str, ...]:
    def kept(curve: str, loop: str, kelvin: float = 0.0) -> float:
        return _fraction(made, curve, loop, AFTER, kelvin)

    ours, other = made.widths
    bare, total = made.supply.total((CIRCUIT, LINES))[0], made.supply.total(tuple(costs.systems().values())[-1])
    half = [_half_life(made, curve, "none") for curve in made.widths]
    return (
        f"With the drift assumed here a trim of each cell does not last. {AFTER:g} h later, at the same temperature,"
        f" XOR of three repairs {kept(ours, 'none'):.0%} of the cells with the card's curve and"
        f" {kept(other, 'none'):.0%} with the narrow one of another device; half are left after {half[0]:,.0f} and"
        f" {half[1]:,.0f} h. If it is {WARMER:g} K warmer as well, {kept(ours, 'none', WARMER):.0%} and"
        f" {kept(other, 'none', WARMER):.0%} are left.",
        "One controller for all cells, or one a row, corrects what is common to its cells, such as temperature, but"
        f" not that they drift apart: {kept(ours, 'one for all'):.0%} and {kept(other, 'one for all'):.0%} are left."
        f" One a cell keeps {kept(ours, 'one a cell'):.1%} and {kept(other, 'one a cell'):.1%}, and makes a trim"
        " beforehand needless.",
        f"Converters decide the cost. Without them a watt makes {per_watt(bare):.0f} Gb/s of raw bits; with a DAC and"
        f" an ADC, used once a bit, {per_watt(total[0]):.0f} ({per_watt(total[2]):.0f} to {per_watt(total[1]):.0f} over"
        f" the assumed energies). {claims.power_text()} are {per_watt(readings()['average']):.2f} Gb/s for a watt if"
        f" they are an average, and {per_watt(readings()['on pulses']):.0f} if they last for pulses of an assumed"
        " width.",
    )


def _half_life(made: Made, curve: str, loop: str) -> float:
    """Hours after which half of the cells are usable, at the temperature of the trim."""
    low, high = log(1e-2), log(1e9)
    for _ in range(60):
        middle = (low + high) / 2
        if _fraction(made, curve, loop, exp(middle), 0.0) > 0.5:
            low = middle
        else:
            high = middle
    return exp(low)


EXPERIMENT = Experiment(
    key="controllers",
    title="Who keeps a million cells at one half?",
    question="What do controllers for all, a row or each cell keep usable, and what do a bit and its heat cost then?",
    run=run,
    draw={"kept": figures.draw_kept, "cost": figures.draw_cost},
    minutes=(0.25, 0.3),
)
