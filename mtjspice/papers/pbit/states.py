"""The weights that P-bits make: three states, a keep probability for each cell, and what a cell remembers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.pbit import claims, ranges
from mtjspice.papers.pbit import states_figures as figures
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard
    from mtjspice.papers.pbit.cells import CellPulses
    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

SPREADS = {
    "anisotropy 0.5 %": {"interfacial_anisotropy": 0.005}, "thickness 1 %": {"free_layer_thickness": 0.01},
    "barrier 2 %": {"barrier_thickness": 0.02}, "VCMA 5 %": {"vcma_coefficient": 0.05},
}  # fmt: skip
"""Relative standard deviations from device to device, assumed; the paper gives none."""
CIRCUIT = "transistors alone"
_DIFFERENCE = (
    " The anisotropy is what interface and shape leave of each other, so that small changes of either count many times."
)
_WHY = {
    "anisotropy 0.5 %": _DIFFERENCE, "thickness 1 %": _DIFFERENCE,
    CIRCUIT: " All cells of a column share one pulse; amplitude and width of it vary little between columns.",
}  # fmt: skip
ROWS = (4, 8, 16, 32)
_CIRCUITS = "card of the junction; column and driver of this project in gf180mcu"


@dataclass(frozen=True, eq=False)
class Found:
    """Co-simulated refreshes (``kept``, ``variance``, ``fate`` of the data bits, ``lag``), cells and memory by rows."""

    kept: "Proportion"
    variance: float
    fate: str
    lag: Value
    cycles: int
    trials: int
    groups: Mapping[str, Floats]
    memory: Sequence[tuple[int, float, "Proportion", Value]]

    @property
    def apart(self) -> float:
        """Distance of the autocorrelation from the memory, in standard errors."""
        one, other = ((value.limits[1] - value.limits[0]) / 3.92 for value in (self.lag, self.at_eight))
        return abs(self.lag.value - self.at_eight.value) / hypot(one, other)

    @property
    def at_eight(self) -> Value:
        """Memory in the column that the rail is made for."""
        return next(one[3] for one in self.memory if one[0] == 8)


def run(context: Context) -> Section:
    """Co-simulated refreshes for the states; macrospins on the column's waveforms for cells and for memory."""
    found = _computed(context)
    devices, cells = (len(found.groups[name]) for name in (next(iter(SPREADS)), CIRCUIT))
    return Section(
        answer=_answer(found),
        findings=[_keep(found), *_spreads(found), *_memories(found)],
        plates=(
            figures.spread_plate(found.groups, found.trials), figures.memory_plate(found.memory, found.trials * 4),
        ),
        setting=(
            f"Column in gf180mcu, card imec_iedm24: {found.cycles} co-simulated refreshes of 8 rows; {found.trials}"
            f" macrospins a cell on waveforms of the column ({devices} drawn junctions each, {cells} cells in columns"
            " with drawn transistors)."
        ),
    )  # fmt: skip


def _computed(context: Context) -> Found:
    from mtjspice.papers.pbit import bits, cells
    from mtjspice.statistics import wilson

    seeds = cells.streams(context.seed, 5)
    cycles, trials = context.effort(24, 96), context.effort(1000, 4000)
    before, after, lost = bits.drawn(cycles, seeds[0])
    pulse = cells.cell_pulses()
    groups = {
        name: _of_devices(spread, context.effort(32, 64), trials, pulse, seed)
        for (name, spread), seed in zip(SPREADS.items(), cells.streams(seeds[1], len(SPREADS)), strict=True)
    }
    columns = [cells.cell_pulses(mismatch_seed=one) for one in cells.streams(seeds[2], context.effort(4, 12))]
    groups[CIRCUIT] = np.concatenate([
        [one.value for one in cells.switched(cells.card(), column, trials, seed)]
        for column, seed in zip(columns, cells.streams(seeds[3], len(columns)), strict=True)
    ])  # fmt: skip
    sizes = ROWS[: context.effort(3, 4)]
    memory = [
        _memory(rows, trials * 4, seed) for rows, seed in zip(sizes, cells.streams(seeds[4], len(sizes)), strict=True)
    ]
    # rows of data bit P, as `bits.drawn` has them: weight 1 where the P-bit is AP; with AP the same less 1
    return Found(
        wilson(int(after.sum()), after.size), float(after.var()), "were lost" if lost else "never changed",
        _lag_one(before, after), cycles, trials, groups, memory,
    )  # fmt: skip


def _keep(found: Found) -> Finding:
    return Finding(
        key="keep", quantity="share of weights that a refresh leaves on", paper=claims.THREE_STATES,
        ours=counted(found.kept),
        status=Status.NOT_COMPARABLE,
        reason=(
            f"Co-simulated; the rail was set for 1/2 in a column of this size. Data bits {found.fate}; a data bit of P"
            f" makes weights 0 and 1, one of AP makes 0 and -1. Variance {found.variance:.3f} (1/4 for P = 1/2). The"
            " paper gives no keep probability; that the pair is a weight of three states is derived."
        ),
        assumed=_CIRCUITS,
    )  # fmt: skip


def _spreads(found: Found) -> list[Finding]:
    return [
        Finding(
            key=f"spread-{k}", quantity=f"standard deviation of P(switch) between cells, {name}",
            ours=_deviation_value(q, found.trials), status=Status.LEFT_OPEN,
            reason=f"{len(q)} cells, counting noise of {found.trials} macrospins each taken out." + _WHY.get(name, ""),
            assumed=_CIRCUITS if name == CIRCUIT else "the relative spread of this one value of the card",
        )
        for k, (name, q) in enumerate(found.groups.items())
    ]  # fmt: skip


def _memories(found: Found) -> list[Finding]:
    rows, volts, up, memory = found.memory[-1]
    return [
        Finding(
            key="memory", quantity="memory 1 - p01 - p10 in the column that the rail is made for (8 rows)",
            ours=found.at_eight, status=Status.LEFT_OPEN,
            reason="Macrospins on the column's waveform in both directions; zero where both probabilities are 1/2.",
            assumed=_CIRCUITS,
        ),
        Finding(
            key="lag", quantity="autocorrelation of co-simulated states at lag 1, the same column", ours=found.lag,
            status=Status.LEFT_OPEN,
            reason=(
                "In a two-state chain it is that memory, found another way. The two are"
                f" {found.apart:.1f} standard errors apart"
                + (", as chance makes them." if found.apart < 2 else ", which chance makes now and then."
                   if found.apart < 3.5 else ", which is more than chance makes.")
            ),
            assumed=_CIRCUITS,
        ),
        Finding(
            key="rows", quantity=f"memory at the same rail with {rows} rows on the driver", ours=memory,
            status=Status.LEFT_OPEN,
            reason=(
                f"The driver's resistance and {rows} junctions leave {volts:.2f} V of the pulse, and P(switch) ="
                f" {up.value:.3f}. A setting of 50 % belongs to a number of rows, a driver and a resistance. How"
                " far it is off elsewhere depends on the driver, which is this project's."
            ),
            assumed="write driver of this project, the same for all sizes",
        ),
    ]  # fmt: skip


def _answer(found: Found) -> tuple[str, ...]:
    kept, (rows, _, _, worst) = found.kept, found.memory[-1]
    deviations = {name: _true_deviation(q, found.trials) for name, q in found.groups.items()}
    largest = max((name for name in deviations if name != CIRCUIT), key=lambda name: deviations[name])
    return (
        f"A refresh leaves {kept.value:.3f} of the weights on ({kept.low:.3f} to {kept.high:.3f}); data bits"
        f" {found.fate}.",
        "P(switch) differs between cells by a standard deviation of"
        f" {_deviation_value(found.groups[CIRCUIT], found.trials).shown()} where only transistors differ: all cells of"
        f" a column share one pulse. Of the spreads of junctions that are assumed here, {largest} makes most:"
        f" {_deviation_value(found.groups[largest], found.trials).shown()}. One setting for all cells makes their mean"
        " 1/2 and not each cell.",
        "Pulsed without a reset, a cell away from 1/2 remembers its state. The memory 1 - p01 - p10 is"
        f" {found.at_eight.shown()} with the 8 rows that the rail is set for, {worst.shown()} with {rows} rows. What"
        " that does to a network, the experiment on pulses without a reset shows.",
    )


def _of_devices(spread: dict[str, float], devices: int, trials: int, pulse: "CellPulses", seed: int) -> Floats:
    """Counted P(P to AP) of junctions that differ, all under one waveform."""
    from mtjspice.device import variation
    from mtjspice.papers.pbit import cells

    rng = np.random.default_rng(seed)
    one_row = cells.CellPulses(pulse.times, pulse.volts[:1], pulse.amplitude, pulse.width)

    def of(card: "MTJCard", noise: int) -> float:
        return cells.switched(card, one_row, trials, noise)[0].value

    cards = variation.draw(cells.card(), devices, rng, spread)
    return np.array([of(card, noise) for card, noise in zip(cards, cells.streams(seed, devices), strict=True)])


def _true_deviation(q: Floats, trials: int) -> float:
    """Standard deviation between cells without the noise of counting."""
    noise = float(np.mean(q * (1 - q))) / trials
    return float(np.sqrt(max(0.0, q.var(ddof=1) - noise)))


def _deviation_value(q: Floats, trials: int) -> Value:
    from scipy.special import chdtri

    n, noise = len(q) - 1, float(np.mean(q * (1 - q))) / trials
    low, high = (float(n * q.var(ddof=1) / chdtri(n, tail)) for tail in (0.025, 0.975))
    low, high = (float(np.sqrt(max(0.0, one - noise))) for one in (low, high))
    return Value(value=_true_deviation(q, trials), low=low, high=high, kind="95 %", digits=2)


def _memory(rows: int, trials: int, seed: int) -> tuple[int, float, "Proportion", Value]:
    """Rows, amplitude, P(P to AP), and memory with its interval."""
    from mtjspice.papers.pbit import cells

    pulse = cells.cell_pulses(rows=rows)
    one = cells.CellPulses(pulse.times, pulse.volts[:1], pulse.amplitude, pulse.width)
    up, down = (cells.switched(cells.card(), one, trials, seed, state)[0] for state in (cells.P, cells.AP))
    return rows, pulse.amplitude, up, ranges.memory_value(up, down)


def _lag_one(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Value:
    """Correlation of states before and after a pulse over all pulses and cells, whose laws are one."""
    value = float(np.corrcoef(before.ravel(), after.ravel())[0, 1])
    half = 1.96 * (1 - value**2) / np.sqrt(after.size)
    return Value(value=value, low=value - half, high=value + half, kind="95 %", digits=2)


EXPERIMENT = Experiment(
    key="states",
    title="Three states, and memory",
    question="Do refreshed pairs keep with probability 1/2, each cell, and afresh at every pulse?",
    run=run,
    draw={"spread": figures.draw_spread, "memory": figures.draw_memory},
    minutes=(0.4, 1.3),
)
