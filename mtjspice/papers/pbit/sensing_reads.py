"""Reads for the experiment on what reading adds: signals, offsets and wrong reads of transistors, and their law."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context
from mtjspice.papers.findings import Value

if TYPE_CHECKING:
    from mtjspice.circuits.benches.offset import Offset
    from mtjspice.device.card import MTJCard
    from mtjspice.statistics import Proportion

POLARIZATION = 2e-5  # K^-1.5, of P(T); assumed, the card itself has none
TEMPERATURES = (233.0, 300.0, 358.0, 398.0)  # K
VOLTS = np.linspace(0.02, 1.5, 75)
CLAMPED, PRECHARGE = "current_latched", "precharge"
SUPPLY, HIGHER = 1.8, 2.4  # V, of the precharge amplifier


@dataclass(frozen=True, eq=False)
class Amplifier:
    """A read path on one supply (V): offsets over draws of the transistors, and counted reads of other draws."""

    name: str
    supply: float
    offset: "Offset"
    of_parallel: "Proportion"
    of_antiparallel: "Proportion"


def signal(card: "MTJCard", volts: float, temperature: float) -> tuple[float, float]:
    """What tells P or AP from a reference midway: current (A), and relative conductance TMR / (2 + TMR)."""
    from mtjspice.device import derived
    from mtjspice.device.temperature import at_temperature

    hot = at_temperature(card.replace(polarization_coefficient=POLARIZATION), temperature)
    parallel, antiparallel = (derived.conductance(hot, state, volts) for state in (1.0, -1.0))
    return volts * (parallel - antiparallel) / 2, (parallel - antiparallel) / (parallel + antiparallel)


def wrong(mean: float, deviation: float, above: float, below: float) -> tuple[float, float]:
    """Shares of P and of AP misread, for normal offsets; signals ``above`` and ``below`` (negative) the reference."""
    from scipy.special import ndtr

    return float(ndtr((mean - above) / deviation)), float(ndtr((below - mean) / deviation))


def shift(of_parallel: float, of_antiparallel: float, ones: float = 0.5) -> float:
    """What wrong reads add to P(AP) = ``ones``: (1 - q) e_P - q e_AP."""
    return (1 - ones) * of_parallel - ones * of_antiparallel


def amplifiers(context: Context) -> list[Amplifier]:
    """Clamped to a small voltage, and precharged to two larger ones: the last has the smallest signal."""
    from mtjspice.circuits.benches.offset import mismatch_seeds, offset, read_yield
    from mtjspice.circuits.benches.read import conditions, read_path
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    draws, reads = context.effort(6, 24), context.effort(48, 300)
    found = []
    wanted = ((CLAMPED, None), (PRECHARGE, SUPPLY), (PRECHARGE, HIGHER))
    for (name, supply), seed in zip(wanted, cells.streams(context.seed, len(wanted)), strict=True):
        path = read_path(technology(cells.TECHNOLOGY), cells.card(), name)
        volts = conditions(path).supply if supply is None else supply
        offsets = offset(path, mismatch_seeds(draws, seed), supply=volts, resolution=1e-3)
        # where no wrong read is to be expected, a few reads do
        few = reads if name == PRECHARGE else 12
        counts = read_yield(path, few, seed + 1, supply=volts)
        found.append(Amplifier(name, volts, offsets, counts.wrong_parallel, counts.wrong_antiparallel))
    return found


@dataclass(frozen=True)
class Predicted:
    """What a normal law of the offsets gives, with limits by that of the draws.

    Share misread of P and AP, shift of P(AP), share of read paths that give one bit for both states (``dead``), and
    the smaller margin of P and AP in standard deviations of the offset.
    """

    of_parallel: Value
    of_antiparallel: Value
    shift: Value
    dead: Value
    margin: Value


def predicted(one: Amplifier, seed: int) -> Predicted:
    """Limits: mean and variance of the offsets as the draws leave them open (normal and chi-squared)."""
    found, n = one.offset, len(one.offset.offsets)
    rng = np.random.default_rng(seed)
    deviation = found.deviation * np.sqrt((n - 1) / rng.chisquare(n - 1, 2000))
    mean = found.mean + deviation * rng.standard_normal(2000) / np.sqrt(n)

    def law(mean: float, deviation: float) -> tuple[float, float, float, float, float]:
        errors = wrong(mean, deviation, found.parallel, found.antiparallel)
        margin = min(found.parallel - mean, mean - found.antiparallel) / deviation
        return (*errors, shift(*errors), min(1.0, sum(errors)), margin)

    drawn = [law(m, s) for m, s in zip(mean, deviation, strict=True)]
    limits = np.quantile(drawn, [0.025, 0.975], axis=0).T
    values = [
        Value(
            value=value, unit="%" if k == 3 else "", low=float(low), high=float(high), kind=f"95 %, of {n} offsets",
            digits=2,
        )
        for k, (value, (low, high)) in enumerate(zip(law(found.mean, found.deviation), limits, strict=True))
    ]  # fmt: skip
    return Predicted(*values)
