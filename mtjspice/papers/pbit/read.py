"""How well are the three states of a pair told apart: TMR, spread of the junctions, transistors, and read disturb."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Value
from mtjspice.papers.pbit import claims, read_findings
from mtjspice.papers.pbit import read_figures as figures
from mtjspice.papers.pbit.read_figures import STATES, WEIGHTS
from mtjspice.papers.pbit.read_findings import Found
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

READ_TIME = 5e-9  # s, what a read takes here


def run(context: Context) -> Section:
    """Levels of the column's read-out over draws of the transistors; counted wrong reads; exact disturb."""
    found = _computed(context)
    return Section(
        answer=_answer(found),
        findings=[*read_findings.inputs(), *read_findings.margins(found), *read_findings.misreads(found)],
        plates=(figures.level_plate(found.levels, found.step), figures.disturb_plate(found.disturb)),
        setting=(
            f"Column with one row in gf180mcu, {found.draws} draws of the transistors' mismatch for each of four"
            f" states, junctions standing still; {found.reads.trials} reads of a complementary cell; Fokker-Planck"
            " equation for pulses of 5 ns (disturb). Card imec_iedm24."
        ),
    )


def _computed(context: Context) -> Found:
    from mtjspice.device import derived
    from mtjspice.papers.pbit import cells

    seeds = cells.streams(context.seed, 2)
    levels, volts = _levels(context.effort(16, 60), seeds[0])
    step = read_findings.step_of(levels)
    return Found(
        levels, volts, _wrong_states(levels, step), _counted_reads(context.effort(12, 100), seeds[1]),
        _disturb(context), 1 - 1 / (1 + float(derived.tmr(cells.card(), abs(volts)))),
    )  # fmt: skip


def _answer(found: Found) -> tuple[str, ...]:
    _, loose, strict = read_findings.spreads()
    margin, own, wanted = found.limited(found.alone), found.limited(found.of_column), claims.MARGIN_SIGMAS
    if margin.limits[0] > wanted:
        verdict = f"A margin of {wanted:g} sigma takes no calibration of each column's zero here."
    elif margin.limits[1] < wanted < own.limits[0]:
        verdict = f"So a margin of {wanted:g} sigma takes a calibration of each column's zero here."
    else:
        verdict = f"Whether a margin of {wanted:g} sigma takes a calibration of the zero, so few draws do not tell."
    return (
        f"At {abs(found.volts):.2f} V the step between two states of a pair is {found.step * 1e3:.1f} mV at the bit"
        f" lines. Mismatch of the column's transistors moves the level by {found.scatter * 1e3:.2f} mV, so that a step"
        f" is {_standard(margin)} standard deviations before any junction varies. Measured against the column's own"
        f" zero, an offset that its states share drops out, and the step is {_standard(own)}. {verdict}",
        f"If the paper's {wanted:g} sigma are a whole step, its junctions vary by {loose:.1%}; if they are the distance"
        f" to a threshold on either side, by {strict:.1%}. Which it is, is not said. Such a spread lets a bit be"
        " stored; what it does to weights of an analogue sum, the experiment on weights shows.",
    )


def _standard(ratio: Value) -> str:
    return f"{ratio.value:.3g} ({ratio.limits[0]:.3g} to {ratio.limits[1]:.3g}, 95 %)"


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
        np.array([0.2, 0.37, 0.6, 0.8])
        if context.quick
        else np.array([-0.2, 0.2, 0.3, 0.37, *np.arange(0.4, 0.81, 0.1)])
    )
    found = []
    for direction in ("p-ap", "ap-p"):
        data = switching_probability(cells.card(spread=False), volts, [READ_TIME], direction=direction, tolerance=1e-13)
        rows = zip(volts, data.probability.values[:, 0], data.high.values[:, 0], strict=True)
        found += [(direction, float(v), float(p), float(high)) for v, p, high in rows]
    return found


EXPERIMENT = Experiment(
    key="read",
    title="Reading three states",
    question="What do a TMR of 65 % and 6 sigma mean for the junctions, and does reading disturb them?",
    run=run,
    draw={"levels": figures.draw_levels, "disturb": figures.draw_disturb},
    minutes=(0.6, 1.3),
)
