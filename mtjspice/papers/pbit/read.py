"""How well are the three states of a pair told apart: TMR, spread of the junctions, transistors, and read disturb."""

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.pbit import claims
from mtjspice.papers.pbit.windows import digits_of
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

STATES = {"AP, P": (-1, 1), "P, P": (1, 1), "AP, AP": (-1, -1), "P, AP": (1, -1)}
WEIGHTS = {"AP, P": -1, "P, P": 0, "AP, AP": 0, "P, AP": 1}
READ_TIME = 5e-9  # s, what a read takes here
_STATE, _LEVEL, _DRAW = "pair (data bit, P-bit)", "difference of the bit lines [V]", "draw of the transistors"
_V, _TMR, _CHANCE, _HIGH, _WHICH = "voltage [V]", "TMR", "chance to flip", "upper limit", "direction"
_FITTED = "The card was made for this number, so that it is an input here and no evidence."


def spreads_of_margin(sigmas: float, tmr: float) -> tuple[float, float]:
    """Relative spread of one conductance if a step dG is ``sigmas`` deviations of a pair (P, P), or twice as many."""
    step = 1 - 1 / (1 + tmr)
    return step / sigmas / sqrt(2), step / (2 * sigmas) / sqrt(2)


def run(context: Context) -> Section:
    """Levels of the column's read-out over draws of the transistors; counted wrong reads; exact disturb."""
    from mtjspice.device import derived
    from mtjspice.papers.pbit import cells

    junction = cells.card()
    tmr_at = float(derived.tmr(junction, claims.TMR_READ_VOLTAGE))
    loose, strict = spreads_of_margin(claims.MARGIN_SIGMAS, tmr_at)
    seeds = cells.streams(context.seed, 2)
    draws = context.effort(16, 60)
    levels, volts = _levels(draws, seeds[0])
    step = (levels["P, AP"].mean() - levels["AP, P"].mean()) / 2
    scatter = float(np.sqrt(np.mean([one.var(ddof=1) for one in levels.values()])))
    # junctions add what a relative spread of both conductances makes, in units of one weight
    a = 1 / (1 + float(derived.tmr(junction, abs(volts))))
    of_pair = {sigma: step * sigma * sqrt(1.0 + 1.0) / (1 - a) for sigma in (strict, loose)}
    alone = step / scatter
    with_junctions = {sigma: step / sqrt(scatter**2 + one**2) for sigma, one in of_pair.items()}
    relative = 1.96 / sqrt(2 * (draws - 1))  # the states of a column share its offset
    steps = np.concatenate([levels["P, AP"] - levels["P, P"], levels["P, P"] - levels["AP, P"]])
    of_column = float(steps.mean() / steps.std(ddof=1))
    wrong = _wrong_states(levels, step)
    reads = _counted_reads(context.effort(12, 100), seeds[1])
    disturb = _disturb(context)
    at_read = disturb[_nearest(disturb, 0.37)]

    findings = [
        Finding(
            key="tmr", quantity="TMR at 200 mV", paper=claims.TMR_ARRAY, ours=Value(value=tmr_at, unit="%"),
            status=Status.NOT_COMPARABLE, reason=_FITTED,
        ),
        Finding(
            key="standalone", quantity="TMR at low voltage", paper=claims.TMR_STANDALONE,
            ours=Value(value=junction.tmr, unit="%"), status=Status.NOT_COMPARABLE, reason=_FITTED,
        ),
        Finding(
            key="margin", quantity="margin of a step of the pair, transistors alone", paper=claims.MARGIN,
            ours=Value(
                value=alone, low=alone * (1 - relative), high=alone * (1 + relative), kind="95 %", digits=2
            ),
            status=Status.NOT_COMPARABLE,
            reason=(
                "Step between neighbouring states by its standard deviation over draws of the transistors, at the bit"
                " lines of a column with one row. The paper does not say whether 6 sigma is between states or to"
                f" either side of a threshold, nor what varies; with junctions that vary by {strict:.1%} or {loose:.1%}"
                f" it is {with_junctions[strict]:.1f} or {with_junctions[loose]:.1f} here."
            ),
            assumed="read-out of this project in gf180mcu; junctions of equal spread in P and AP",
        ),
        Finding(
            key="calibrated", quantity="the same for a column whose zero is calibrated",
            ours=Value(
                value=of_column, low=of_column * (1 - relative), high=of_column * (1 + relative), kind="95 %", digits=2
            ),
            status=Status.LEFT_OPEN,
            reason=(
                "Step to the zero of the same column by its standard deviation over columns: most of the scatter is an"
                " offset that all states of a column share, and a calibration takes it out."
            ),
            assumed="read-out of this project in gf180mcu",
        ),
        Finding(
            key="spread", quantity="spread of one junction's conductance behind 6 sigma",
            ours=f"{loose:.1%} (a step is 6 sigma) or {strict:.1%} (6 sigma to either side)", status=Status.LEFT_OPEN,
            reason=(
                f"At a TMR of {tmr_at:.0%} a step is {1 - 1 / (1 + tmr_at):.3f} of G_P, and a pair has sqrt(2) of the"
                " spread of one junction. Margins are of single pairs: in a sum of many rows the errors add."
            ),
            assumed="equal relative spread in both states",
        ),
        Finding(
            key="states", quantity="columns that take a state for another, thresholds midway, transistors alone",
            ours=counted(wrong),
            status=Status.LEFT_OPEN,
            reason="Thresholds are those of the mean column; one comparator, as here, tells the sign of a sum only.",
            assumed="read-out of this project in gf180mcu; no spread of the junctions",
        ),
        Finding(
            key="reads", quantity="wrong reads of a cell of two complementary junctions", ours=counted(reads),
            status=Status.LEFT_OPEN,
            reason="Its two states only: the states of weight 0 give a latch nothing to decide.",
            assumed="read circuit of this project in gf180mcu; no spread of the junctions",
        ),
        Finding(
            key="disturb", quantity="chance that a read of 5 ns at +0.37 V flips a junction",
            ours=_chance(at_read), status=Status.LEFT_OPEN,
            reason=(
                "Worse of both directions; 0.37 V is what the clamps of the complementary read leave on a junction."
                f" The column reads with {volts:.2f} V, the sign that raises the barrier of a VCMA junction. Retention"
                " limits the bit there, not the read."
            ),
            assumed="stack and anisotropy of the card",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"At {abs(volts):.2f} V the step between two states of a pair is {step * 1e3:.1f} mV at the bit lines of"
            f" the column, and mismatch of its transistors moves the level by {scatter * 1e3:.2f} mV: {alone:.1f}"
            " standard deviations before any junction varies. Nearly all of it is an offset that the states of a"
            f" column share; measured against the column's own zero the step is {of_column:.0f} standard deviations."
            " So a margin of 6 sigma, here, takes a calibration of each column's zero.",
            f"The 6 sigma of the paper mean junctions that vary by {strict:.1%} to {loose:.1%}, depending on what is"
            " counted. Such a spread does no harm to a stored logo, but it is what the weights of an analogue sum are"
            " made of: see the experiment on weights.",
        ),
        findings=findings,
        plates=(_level_plate(levels, step), _disturb_plate(disturb)),
        setting=(
            f"Column with one row in gf180mcu, {draws} draws of the transistors' mismatch for each of four states,"
            f" junctions standing still; {reads.trials} reads of a complementary cell; Fokker-Planck equation for"
            " pulses of 5 ns (disturb). Card imec_iedm24."
        ),
    )


def _levels(draws: int, seed: int) -> tuple[dict[str, Floats], float]:
    """Difference of the bit lines (V) for each state and draw, and the voltage on the junction (V)."""
    from mtjspice.circuits.benches.cim import CimBench
    from mtjspice.circuits.benches.offset import mismatch_seeds
    from mtjspice.circuits.library.cim import CimColumn
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    column = CimColumn(technology(cells.TECHNOLOGY), card=cells.card(), rows=1)
    found, volts = {}, 0.0
    for name, states in STATES.items():
        bench = CimBench(column, parts="compute", states=states).testbench()
        runs = list(bench.measure_draws(mismatch_seeds(draws, seed)))
        found[name] = np.array([one["difference0"] for one in runs])
        volts = float(np.mean([one["read_voltage"] for one in runs]))
    return found, volts


def _wrong_states(levels: dict[str, Floats], step: float) -> "Proportion":
    """Columns, of those drawn, that take any state for another."""
    from mtjspice.statistics import wilson

    zero = float(np.mean([levels[name].mean() for name, weight in WEIGHTS.items() if weight == 0]))
    wrong = [np.rint(np.clip((one - zero) / step, -1, 1)) != WEIGHTS[name] for name, one in levels.items()]
    any_state = np.any(wrong, axis=0)
    return wilson(int(any_state.sum()), any_state.size)


def _counted_reads(count: int, seed: int) -> "Proportion":
    from mtjspice.circuits.benches.offset import read_yield
    from mtjspice.circuits.library.read import ComplementaryReadPath
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    return read_yield(ComplementaryReadPath(technology(cells.TECHNOLOGY), card=cells.card()), count, seed).wrong


def _disturb(context: Context) -> list[tuple[str, float, float, float]]:
    """Direction, voltage, chance of a flip and its upper limit."""
    from mtjspice.device.switching import switching_probability
    from mtjspice.papers.pbit import cells

    volts = (
        np.array([-0.2, 0.2, 0.37, 0.6, 0.8])
        if context.quick
        else np.array([-0.2, 0.2, 0.3, 0.37, *np.arange(0.4, 0.81, 0.1)])
    )
    found = []
    for direction in ("p-ap", "ap-p"):
        data = switching_probability(cells.card(spread=False), volts, [READ_TIME], direction=direction, tolerance=1e-13)
        rows = zip(volts, data.probability.values[:, 0], data.high.values[:, 0], strict=True)
        found += [(direction, float(v), float(p), float(high)) for v, p, high in rows]
    return found


def _nearest(disturb: list[tuple[str, float, float, float]], volts: float) -> int:
    """The worse direction at a voltage."""
    at = [k for k, one in enumerate(disturb) if abs(one[1] - volts) < 1e-9]
    return max(at, key=lambda k: disturb[k][2])


def _chance(row: tuple[str, float, float, float]) -> Value:
    _, _, chance, high = row
    low = max(0.0, 2 * chance - high)
    return Value(value=chance, low=low, high=high, kind="error bound", digits=digits_of(chance, low, high))


def _level_plate(levels: dict[str, Floats], step: float) -> Plate:
    names = [name for name, one in levels.items() for _ in one]
    return Plate(
        key="levels",
        caption=(
            "Difference of a column's bit lines for the four states of one pair, over draws of its transistors; dots:"
            " draws, bars: mean and three standard deviations. Dashed: thresholds midway between the mean levels. The"
            " junctions do not vary here."
        ),
        alt=f"Three levels {step * 1e3:.1f} mV apart; the two states of weight 0 coincide.",
        columns={
            _STATE: names,
            _DRAW: [k for one in levels.values() for k in range(len(one))],
            _LEVEL: [float(value) for one in levels.values() for value in one],
        },
    )


def _disturb_plate(disturb: list[tuple[str, float, float, float]]) -> Plate:
    return Plate(
        key="disturb",
        caption=(
            "Chance that 5 ns of a voltage flip a junction that rests otherwise, without a spread of the drive; the"
            " Fokker-Planck equation. Positive voltages lower the barrier. Bars: estimated error. Values below 1e-13"
            " are left out."
        ),
        alt="The chance rises by many orders of magnitude with a positive voltage and falls with a negative one.",
        columns={
            _WHICH: [one[0] for one in disturb], _V: [one[1] for one in disturb], _CHANCE: [one[2] for one in disturb],
            _HIGH: [one[3] for one in disturb],
        },
    )  # fmt: skip


def draw_levels(columns: Columns) -> "Figure":
    """Levels of the four states over draws."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    means = {}
    for k, (name, colour) in enumerate(zip(STATES, (BLUE, GREEN, ORANGE, RED), strict=True)):
        value = columns[_LEVEL][columns[_STATE] == name] * 1e3
        jitter = np.linspace(-0.25, 0.25, len(value))
        axis.plot(value, k + jitter, ".", color=colour, markersize=3)
        means[name] = value.mean()
        axis.errorbar(value.mean(), k, xerr=3 * value.std(ddof=1), fmt="D", color=BLACK, markersize=4, capsize=3)
    zero = (means["P, P"] + means["AP, AP"]) / 2
    for end in ("AP, P", "P, AP"):
        axis.axvline((means[end] + zero) / 2, color=BLACK, linewidth=0.8, linestyle="--")
    axis.set_yticks(
        range(4), [f"{name}\nweight {WEIGHTS[name]:+d}" if WEIGHTS[name] else f"{name}\nweight 0" for name in STATES]
    )
    axis.set(xlabel="difference of the bit lines [mV]", ylim=(-0.5, 3.5))
    axis.grid(visible=False, axis="y")
    return figure


def draw_disturb(columns: Columns) -> "Figure":
    """Chance of a flip against the voltage of a read."""
    from mtjspice.reports.style import BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.6)
    axis = grid[0, 0]
    for direction, colour, label in (("p-ap", BLUE, "P to AP"), ("ap-p", ORANGE, "AP to P")):
        own = (columns[_WHICH] == direction) & (columns[_CHANCE] > 1e-13)
        chance = columns[_CHANCE][own]
        axis.errorbar(
            columns[_V][own], chance, yerr=np.minimum(columns[_HIGH][own] - chance, 0.9 * chance), fmt="o-",
            color=colour,
            markersize=4, capsize=2, label=label,
        )  # fmt: skip
    axis.set(xlabel="voltage on the junction [V]", ylabel="chance to flip in 5 ns", yscale="log")
    axis.legend(fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="read",
    title="Reading three states",
    question="What do a TMR of 65 % and 6 sigma mean for the junctions, and does reading disturb them?",
    run=run,
    draw={"levels": draw_levels, "disturb": draw_disturb},
    minutes=(0.9, 1.3),
)
