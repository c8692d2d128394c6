"""How long do 1e12 pulses last when every pass of a network pulses every weight?"""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARALLEL = (16, 64, 256)  # P-bits at once, assumed: the paper gives a rate and not its width
STEPS = (20, 50, 1000)
PASSES = (1, 3, 10, 30, 100, 300, 1000)
_PANEL, _SERIES, _X, _Y = "panel", "series", "x", "y"
_IMAGES, _HOURS = "images", "hours"
_RATE = claims.IN_SITU.rate * 1e-9  # bit/ns


def failing_at_most(devices: int, confidence: float = 0.95) -> float:
    """Largest share of devices that may fail earlier, if none of ``devices`` did: (1 - share)^n = 1 - confidence."""
    return float(1 - (1 - confidence) ** (1 / devices))


def hazard_at_most(pulses: float, confidence: float = 0.95) -> float:
    """Largest constant chance of a failure a pulse, if none was seen in ``pulses`` of them."""
    return float(-np.log(1 - confidence) / pulses)


def run(context: Context) -> Section:
    """Arithmetic on the demand of the networks that come with this project, and on measured cycles."""
    from mtjspice.generative.sde import cost
    from mtjspice.generative.sde.samplers import ExSitu, InSitu

    model = InSitu.shipped()
    demand = cost.Demand(model.network.pbits, model.transitions.steps, ExSitu.shipped().numbers)
    in_place, _, words = cost.costs(demand, 64)
    pulses = claims.ENDURANCE_PULSES
    cycles = {n: n / claims.IN_SITU.rate for n in PARALLEL}
    use = {n: pulses * cycle for n, cycle in cycles.items()}
    ours = pulses * cost.IN_SITU.cycle_time
    share = failing_at_most(claims.ENDURANCE_DEVICES)
    hazard = hazard_at_most(claims.ENDURANCE_DEVICES * pulses)
    until_failure = 1 / (hazard * demand.pbits)
    alike = abs(words.images / in_place.images - 1) < 0.01

    findings = [
        Finding(
            key="images", quantity="images until each P-bit has had 1e12 pulses, one pass a step",
            paper=claims.ENDURANCE,
            ours=Value(value=in_place.images, digits=2), status=Status.NOT_COMPARABLE,
            reason=(
                f"In place each weight is pulsed at each of {demand.steps} steps, {demand.pbits} P-bits an image. Means"
                " over M passes, as Bayesian networks take, divide it by M. The paper says how many pulses, not how"
                " many images; 1e12 were survived, so that this is a lower limit."
            ),
            assumed="network, latents and steps of this project",
        ),
        Finding(
            key="paper", quantity="continuous use until 1e12 pulses, at the paper's rate",
            ours=Value(
                value=use[64], unit="s", low=use[PARALLEL[0]], high=use[PARALLEL[-1]],
                kind=f"{PARALLEL[0]} to {PARALLEL[-1]} P-bits at once",
            ),
            status=Status.LEFT_OPEN,
            reason=(
                f"{_RATE:g} bit/ns of N P-bits at once is a cycle of N / {_RATE:g} ns: {use[64] / 60:.0f} minutes at"
                " 64. A lower limit of the life: nothing is known beyond 1e12. P-bits that wait for others last longer."
            ),
            assumed="64 P-bits at once (16 to 256)",
        ),
        Finding(
            key="here", quantity="continuous use until 1e12 pulses, cycle measured here",
            ours=Value(value=ours, unit="s"), status=Status.LEFT_OPEN,
            reason=f"Cycles of {cost.IN_SITU.cycle_time * 1e9:.1f} ns with computing: {ours / 3600:.1f} hours.",
            assumed="the column of this project in gf180mcu and its schedule",
        ),
        Finding(
            key="devices", quantity="share of devices that may last less than 1e12 pulses, upper limit, 95 %",
            ours=Value(value=share, unit="%", digits=2), status=Status.LEFT_OPEN,
            reason=(
                "Four devices without a failure exclude no more than this at 95 % confidence. With a constant chance"
                f" of a failure a pulse its upper limit, also at 95 %, is {hazard:.1e}, and a first failure among the"
                f" weights after {until_failure:.1e} images is not excluded."
            ),
            assumed="no failure among the four; the second number: a constant hazard",
        ),
        Finding(
            key="shared", quantity="images until generators beside the array have had 1e12 pulses, noise words",
            ours=Value(value=words.images, digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"{demand.word_bits} bits an image by 64 shared generators: "
                + ("the same wear a device as in place. " if alike else f"in place {in_place.images:.2g}. ")
                + f"But they are 64 and can be doubled or replaced, in place they are {demand.weights} weights."
            ),
            assumed="64 generators; networks of this project",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"1e12 pulses are {in_place.images:.0e} images of a small network. Kept busy at the paper's rate a P-bit"
            f" has them in {use[64] / 60:.0f} minutes if 64 work at once, in {ours / 3600:.1f} hours in the column"
            " measured here. The pulses were survived: this is how far the measurement reaches, a lower limit, and not"
            " when P-bits wear out. Where they do is not known.",
            f"64 generators beside the array (assumed) that draw noise words have 1e12 pulses after"
            f" {words.images:.0e} images"
            + (", as P-bits in place have. " if alike else ". ")
            + f"But 64 generators can be doubled or replaced; in place it is {demand.weights} weights that wear.",
            "If none of the four devices failed, which is not said, they show with 95 % confidence only that fewer than"
            f" {100 * share:.0f} % of devices fail before 1e12 pulses.",
        ),
        findings=findings,
        plates=(_plate(cost.IN_SITU.cycle_time, cost.EX_SITU.cycle_time, cycles),),
        setting=(
            f"Arithmetic: {demand.weights} weights, {demand.steps} steps; cycles of the columns in gf180mcu as measured"
            " (experiment on cost)."
        ),
    )


def _plate(in_situ: float, ex_situ: float, cycles: dict[int, float]) -> Plate:
    pulses = claims.ENDURANCE_PULSES
    rows: list[tuple[str, str, float, float]] = [
        (_IMAGES, f"{steps} steps", float(m), pulses / (steps * m)) for steps in STEPS for m in PASSES
    ]
    rows += [(_HOURS, "any", float(t), pulses * t / 3600) for t in np.geomspace(2e-10, 2e-7, 25)]
    rows += [(_HOURS, f"{_RATE:g} bit/ns, {n} at once", cycle, pulses * cycle / 3600) for n, cycle in cycles.items()]
    rows += [(_HOURS, "here, in situ", in_situ, pulses * in_situ / 3600)]
    rows += [(_HOURS, "here, ex situ", ex_situ, pulses * ex_situ / 3600)]
    return Plate(
        key="life",
        caption=(
            "Left: images until every P-bit has had 1e12 pulses, against passes over which each step is averaged, for"
            " three numbers of steps. Right: hours of continuous use until 1e12 pulses against the cycle; the paper's"
            " rate with three (assumed) numbers of P-bits at once, and the cycles measured here. Arithmetic, no"
            " sampling."
        ),
        alt="Images fall with passes and steps; cycles of nanoseconds use up 1e12 pulses within minutes to hours.",
        columns={key: [row[k] for row in rows] for k, key in enumerate((_PANEL, _SERIES, _X, _Y))},
    )


def draw_life(columns: Columns) -> "Figure":
    """Images and hours that 1e12 pulses last."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, RED, SKY, new_figure

    figure, grid = new_figure(3.0, 1, 2)
    left, right = grid[0]
    for name, colour, line in zip(
        (f"{one} steps" for one in STEPS), (BLUE, GREEN, ORANGE), ("o-", "s--", "^-."), strict=True
    ):
        own = (columns[_PANEL] == _IMAGES) & (columns[_SERIES] == name)
        left.loglog(columns[_X][own], columns[_Y][own], line, color=colour, markersize=3, label=name)
    left.set(xlabel="passes averaged at each step", ylabel="images for 1e12 pulses")
    left.legend(fontsize=8)
    hours = columns[_PANEL] == _HOURS
    whole = hours & (columns[_SERIES] == "any")
    right.loglog(columns[_X][whole] * 1e9, columns[_Y][whole], color=BLACK, linewidth=0.8)
    series = [one for one in dict.fromkeys(columns[_SERIES][hours]) if one != "any"]
    for name, colour, marker in zip(series, (BLUE, SKY, PURPLE, ORANGE, RED), "osD^v", strict=False):
        own = hours & (columns[_SERIES] == name)
        right.plot(columns[_X][own] * 1e9, columns[_Y][own], marker, color=colour, markersize=6, label=name)
    right.set(xlabel="cycle [ns]", ylabel="hours for 1e12 pulses")
    right.legend(fontsize=7)
    return figure


EXPERIMENT = Experiment(
    key="endurance",
    title="Endurance",
    question="How many images, and how long, are 1e12 pulses?",
    run=run,
    draw={"life": draw_life},
    minutes=(0.02, 0.02),
)
