"""The weights that P-bits make: three states, a keep probability for each cell, and what a cell remembers."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
_SOURCE, _Q, _LOW, _HIGH = "what varies", "P(switch) of a cell", "low", "high"
_ROWS, _P, _MEMORY, _AMPLITUDE, _KIND = "rows", "P(switch)", "memory", "amplitude [V]", "how found"


def run(context: Context) -> Section:
    """Co-simulated refreshes for the states; macrospins on the column's waveforms for cells and for memory."""
    from mtjspice.papers.pbit import bits, cells
    from mtjspice.statistics import wilson

    seeds = cells.streams(context.seed, 5)
    cycles = context.effort(24, 96)
    before, after, lost = bits.drawn(cycles, seeds[0])
    # rows of data bit P, as `bits.drawn` has them: weight 1 where the P-bit is AP; with AP the same less 1
    kept = wilson(int(after.sum()), after.size)
    variance = float(after.var())
    fate = "were lost" if lost else "never changed"

    trials = context.effort(1000, 4000)
    devices = context.effort(32, 64)
    pulse = cells.cell_pulses()
    groups = {
        name: _of_devices(spread, devices, trials, pulse, seed)
        for (name, spread), seed in zip(SPREADS.items(), cells.streams(seeds[1], len(SPREADS)), strict=True)
    }
    columns = [cells.cell_pulses(mismatch_seed=one) for one in cells.streams(seeds[2], context.effort(4, 12))]
    groups[CIRCUIT] = np.concatenate([
        [one.value for one in cells.switched(cells.card(), column, trials, seed)]
        for column, seed in zip(columns, cells.streams(seeds[3], len(columns)), strict=True)
    ])  # fmt: skip
    deviations = {name: _true_deviation(q, trials) for name, q in groups.items()}

    sizes = ROWS[: context.effort(3, 4)]
    memory = [
        _memory(rows, trials * 4, seed) for rows, seed in zip(sizes, cells.streams(seeds[4], len(sizes)), strict=True)
    ]
    at_eight = memory[sizes.index(8)]
    worst = memory[-1]
    lag = _lag_one(before, after)

    findings = [
        Finding(
            key="keep", quantity="share of weights that a refresh leaves on", paper=claims.THREE_STATES,
            ours=counted(kept),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"Co-simulated; the rail was set for 1/2 in a column of this size. Data bits {fate}; a data bit of P"
                f" makes weights 0 and 1, one of AP makes 0 and -1. Variance {variance:.3f} (1/4 for P = 1/2). The"
                " paper gives no keep probability; that the pair is a weight of three states is derived."
            ),
            assumed=_CIRCUITS,
        ),
        *(
            Finding(
                key=f"spread-{k}", quantity=f"standard deviation of P(switch) between cells, {name}",
                ours=_deviation_value(groups[name], trials), status=Status.LEFT_OPEN,
                reason=(
                    f"{len(groups[name])} cells, counting noise of {trials} macrospins each taken out."
                    + _WHY.get(name, "")
                ),
                assumed=_CIRCUITS if name == CIRCUIT else "the relative spread of this one value of the card",
            )
            for k, name in enumerate(groups)
        ),
        Finding(
            key="memory", quantity="memory 1 - p01 - p10 in the column that the rail is made for (8 rows)",
            ours=at_eight[3], status=Status.LEFT_OPEN,
            reason="Macrospins on the column's waveform in both directions; zero where both probabilities are 1/2.",
            assumed=_CIRCUITS,
        ),
        Finding(
            key="lag", quantity="autocorrelation of co-simulated states at lag 1, the same column", ours=lag,
            status=Status.LEFT_OPEN, reason="In a two-state chain it is that memory: a second way to the same number.",
            assumed=_CIRCUITS,
        ),
        Finding(
            key="rows", quantity=f"memory at the same rail with {worst[0]} rows on the driver", ours=worst[3],
            status=Status.LEFT_OPEN,
            reason=(
                f"The driver's resistance and {worst[0]} junctions leave {worst[1]:.2f} V of the pulse, and P(switch) ="
                f" {worst[2].value:.3f}. A setting of 50 % belongs to a number of rows, a driver and a resistance. How"
                " far it is off elsewhere depends on the driver, which is this project's."
            ),
            assumed="write driver of this project, the same for all sizes",
        ),
    ]  # fmt: skip
    largest = max((name for name in deviations if name != CIRCUIT), key=lambda name: deviations[name])
    return Section(
        answer=(
            f"A refresh leaves {kept.value:.3f} of the weights on ({kept.low:.3f} to {kept.high:.3f}); data bits"
            f" {fate}.",
            f"Transistors that differ move the probability of a cell by {deviations[CIRCUIT]:.3f} (standard"
            " deviation): all cells of a column share one pulse. Junctions that differ move it by up to"
            f" {deviations[largest]:.3f} for the spreads that are assumed here ({largest}); the slope of the switching"
            " curve makes a spread of P out of any spread of the half voltage. One setting for all cells makes the"
            " mean 1/2 and not the cells.",
            f"Pulsed without a reset, a cell away from 1/2 remembers: {at_eight[3].shown()} with 8 rows,"
            f" {worst[3].shown()} with {worst[0]} rows at the same rail. A network then draws noise that is not fresh.",
        ),
        findings=findings,
        plates=(_spread_plate(groups, trials), _memory_plate(memory, trials * 4)),
        setting=(
            f"Column in gf180mcu, card imec_iedm24: {cycles} co-simulated refreshes of 8 rows; {trials} macrospins a"
            f" cell on waveforms of the column ({devices} drawn junctions each, {len(columns)} draws of the"
            " transistors)."
        ),
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
    half = 1.96 * np.sqrt((up.value * (1 - up.value) + down.value * (1 - down.value)) / trials)
    value = 1 - up.value - down.value
    return rows, pulse.amplitude, up, Value(value=value, low=value - half, high=value + half, kind="95 %", digits=2)


def _lag_one(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Value:
    """Correlation of states before and after a pulse over all pulses and cells, whose laws are one."""
    value = float(np.corrcoef(before.ravel(), after.ravel())[0, 1])
    half = 1.96 * (1 - value**2) / np.sqrt(after.size)
    return Value(value=value, low=value - half, high=value + half, kind="95 %", digits=2)


def _spread_plate(groups: dict[str, Floats], trials: int) -> Plate:
    return Plate(
        key="spread",
        caption=(
            "P(P to AP) of single cells under the pulse of a column that is set to 1/2: transistors drawn anew, or one"
            f" property of the junction drawn with the (assumed) spread that is written below. Each dot: {trials}"
            " macrospins on the waveform; bar: what counting alone scatters (95 %), at 1/2."
        ),
        alt="Cells whose transistors differ lie together; junctions that differ scatter by a tenth and more.",
        columns={
            _SOURCE: [name for name, q in groups.items() for _ in q],
            _Q: [float(one) for q in groups.values() for one in q],
            "trials": [trials for q in groups.values() for _ in q],
        },
    )


def _memory_plate(memory: list[tuple[int, float, "Proportion", Value]], trials: int) -> Plate:
    return Plate(
        key="memory",
        caption=(
            "Memory 1 - p01 - p10 of a P-bit that is pulsed without a reset, and P(P to AP), at one rail of the driver"
            f" against the number of rows that it pulses; {trials} macrospins each on the column's waveform, 95 %. The"
            " rail was made for 8 rows."
        ),
        alt="More rows load the driver: the probability falls and the memory rises.",
        columns={
            _ROWS: [one[0] for one in memory] * 2,
            _KIND: [_MEMORY] * len(memory) + [_P] * len(memory),
            _AMPLITUDE: [one[1] for one in memory] * 2,
            "value": [one[3].value for one in memory] + [one[2].value for one in memory],
            _LOW: [one[3].limits[0] for one in memory] + [one[2].low for one in memory],
            _HIGH: [one[3].limits[1] for one in memory] + [one[2].high for one in memory],
        },
    )


def draw_spread(columns: Columns) -> "Figure":
    """P of single cells by what varies."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY, new_figure

    figure, grid = new_figure(2.9)
    axis = grid[0, 0]
    names = list(dict.fromkeys(columns[_SOURCE]))
    half = 1.96 * 0.5 / np.sqrt(float(columns["trials"][0]))
    for k, (name, colour) in enumerate(zip(names, (BLUE, ORANGE, GREEN, RED, SKY), strict=False)):
        q = columns[_Q][columns[_SOURCE] == name]
        axis.plot(np.sort(q), k + np.linspace(-0.3, 0.3, len(q)), ".", color=colour, markersize=4)
    axis.errorbar(0.5, len(names) - 0.45, xerr=half, color=BLACK, capsize=3, linewidth=1)
    axis.axvline(0.5, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel=_Q, xlim=(0, 1))
    axis.grid(visible=False, axis="y")
    return figure


def draw_memory(columns: Columns) -> "Figure":
    """Memory and probability against the rows on one driver."""
    from mtjspice.reports.style import BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    for kind, colour, marker in ((_MEMORY, BLUE, "o-"), (_P, ORANGE, "s--")):
        own = columns[_KIND] == kind
        value = columns["value"][own]
        bars = np.abs(np.stack([value - columns[_LOW][own], columns[_HIGH][own] - value]))
        axis.errorbar(
            columns[_ROWS][own], value, yerr=bars, fmt=marker, color=colour, markersize=4, capsize=2, label=kind
        )
    axis.set_xscale("log", base=2)
    rows = np.unique(columns[_ROWS])
    axis.set_xticks(rows, [str(int(one)) for one in rows])
    axis.set(xlabel="rows on one driver", ylabel="memory, or probability")
    axis.legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="states",
    title="Three states, and memory",
    question="Do refreshed pairs keep with probability 1/2, each cell, and afresh at every pulse?",
    run=run,
    draw={"spread": draw_spread, "memory": draw_memory},
    minutes=(0.4, 1.3),
)
