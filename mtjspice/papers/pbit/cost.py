"""In place against beside: time and energy of a P-bit at transistor level, and where noise from outside wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.pbit import claims, cost_runs, sense_time, sense_time_figures
from mtjspice.papers.pbit import cost_figures as figures
from mtjspice.papers.pbit.cost_runs import LESS, MAIN, QUICKER
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.circuits.benches.cim_figures import Comparison
    from mtjspice.generative.sde.cost import Column, Cost, Demand
    from mtjspice.statistics import Proportion

WIDTHS = tuple(2**k for k in range(15))
_BOTH = "both circuits and their phases, which the paper does not show; RA of 1200 ohm um2"


@dataclass(frozen=True, eq=False)
class Costs:
    """Simulated columns by setting, what sums with the shorter phase do, and an image at each parallel width."""

    found: "Mapping[str, Comparison]"
    signs: "Proportion"
    error: float
    demand: "Demand"
    inside: "Column"
    beside: "Column"
    sweep: "Sequence[tuple[Cost, Cost, Cost]]"

    @property
    def main(self) -> "Comparison":
        """The column that the rails are made for."""
        return self.found[MAIN]

    def ranges(self) -> tuple[Value, Value]:
        """Ratios of time and energy over the settings; a schedule with which sums come out wrong is none."""
        working = [one for name, one in self.found.items() if name != QUICKER or not self.signs.count]
        kind = f"range of {len(working)} settings"
        times, energies = [one.time_ratio for one in working], [one.energy_ratio for one in working]
        return (
            Value(value=self.main.time_ratio, low=min(times), high=max(times), kind=kind),
            Value(value=self.main.energy_ratio, low=min(energies), high=max(energies), kind=kind),
        )

    @property
    def alone(self) -> float:
        """Ratio of the energies of computing alone, which differ between the columns although its time does not."""
        inside, beside = self.main.in_situ, self.main.ex_situ
        return (beside.energy - beside.draw_energy) / (inside.energy - inside.draw_energy)

    def at_width(self, parallel: int) -> "tuple[Cost, Cost, Cost]":
        """Costs of an image in three schemes."""
        return next(costs for costs in self.sweep if costs[0].parallel == parallel)


def run(context: Context) -> Section:
    """Both columns, junctions standing still, second of two cycles; costs of an image follow from them."""
    costs = _computed(context)
    sensing = sense_time.computed(costs.found["gf180mcu, 4 rows"], costs.demand)
    return Section(
        answer=(*_answer(costs), sense_time.answer(sensing)),
        findings=[*_ratios(costs), *_circuits(costs), *_others(costs), *sense_time.findings(sensing)],
        plates=(
            figures.phase_plate(costs.found),
            figures.width_plate(costs.sweep, costs.demand, costs.inside, costs.beside),
            sense_time_figures.plate(sensing),
        ),
        setting=(
            "Columns with all inputs at 1, half of the rows written, card imec_iedm24, second of two cycles, all"
            f" sources; {len(costs.found)} settings of technology, rows, corner and schedule, and"
            f" {len(sensing.measured)} sense times with 4 rows; an image: {costs.demand.steps} passes"
            f" through {costs.demand.weights} weights."
        ),
    )  # fmt: skip


def _computed(context: Context) -> Costs:
    from mtjspice.generative.sde import cost
    from mtjspice.generative.sde.samplers import ExSitu, InSitu

    found = cost_runs.comparisons(context)
    signs, error = cost_runs.sums(context)
    demand = cost.Demand(InSitu.shipped().network.pbits, InSitu.shipped().transitions.steps, ExSitu.shipped().numbers)
    inside, beside = (
        cost.Column(c.cycle_time, c.energy, c.draw_time, c.draw_energy)
        for c in (found[MAIN].in_situ, found[MAIN].ex_situ)
    )
    sweep = cost.width_sweep(demand, WIDTHS, inside, beside)
    return Costs(found, signs, error, demand, inside, beside, sweep)


def _ratios(costs: Costs) -> list[Finding]:
    main, (time, energy) = costs.main, costs.ranges()
    one = main.in_situ
    computing = cost_runs.computing_for(main, claims.FASTER_RATIO)
    return [
        Finding(
            key="time", quantity="cycle ex situ over in situ", paper=claims.FASTER, ours=time,
            status=Status.NOT_COMPARABLE,
            reason=(
                "Both circuits are ours, and the cycle is a schedule with safe times, not a limit that was searched"
                f" for. The ratio goes from {main.draw_ratios[0]:.1f} (draws alone) to 1 (long computing) and says how"
                f" long computing takes: {claims.FASTER_RATIO:g} would need {computing * 1e9:.1f} ns of it in place of"
                f" {one.times['compute'] * 1e9:.1f} ns. Sensing takes most of the ex-situ cycle, and follows the"
                f" junction's resistance: at half of the assumed RA the ratio is {costs.found[LESS].time_ratio:.1f}."
            ),
            assumed=_BOTH,
        ),
        Finding(
            key="energy", quantity="energy of a P-bit ex situ over in situ, with computing",
            paper=claims.MORE_EFFICIENT,
            ours=energy, status=Status.NOT_COMPARABLE,
            reason=(
                f"Everything the sources deliver, in circuits of ours: {main.draw_ratios[1]:.1f} for draws alone,"
                f" {costs.alone:.1f} for computing alone, so that their shares decide. A VCMA pulse toggles, so that"
                " writing a drawn bit takes a second read and a second pulse: this makes our ex-situ column dearer than"
                " one that writes directly, and the comparison kinder to P-bits in place."
            ),
            assumed="both circuits; rails and bias voltages at no cost",
        ),
        Finding(
            key="joule", quantity="energy of a P-bit in situ, with computing", paper=claims.IN_SITU_ENERGY,
            ours=Value(
                value=one.energy, unit="J", low=min(c.in_situ.energy for c in costs.found.values()),
                high=max(c.in_situ.energy for c in costs.found.values()), kind="range of settings",
            ),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"The paper's process is not given. Of ours {one.junction_share:.1%} heats junctions, the rest moves"
                " charge in CMOS: the process decides, and the junction hardly matters."
            ),
            assumed="technology",
        ),
    ]  # fmt: skip


def _circuits(costs: Costs) -> list[Finding]:
    reached = cost_runs.reached()
    able = [name for name, (_, p) in reached.items() if p >= 0.5]
    unable = {name: one for name, one in reached.items() if one[1] < 0.5}
    quicker = costs.found[QUICKER]
    return [
        Finding(
            key="technologies", quantity="technologies in which the column can draw with P = 1/2",
            ours=f"{', '.join(able)}; not {', '.join(unable)}", status=Status.LEFT_OPEN,
            reason=(
                "A driver reaches its supply at most. "
                + "; ".join(f"{name}: P = {p:.2g} at {volts:g} V and 700 ps" for name, (volts, p) in unable.items())
                + ". A process whose supply is below what the junction needs would take a rail of its own."
            ),
            assumed="the card's junction",
        ),
        Finding(
            key="parallel",
            quantity=f"P-bits that would have to work at once for {claims.IN_SITU.rate * 1e-9:g} bit/ns",
            paper=claims.IN_SITU_RATE,
            ours=Value(value=claims.IN_SITU.rate * costs.main.in_situ.cycle_time), status=Status.NOT_COMPARABLE,
            reason="A rate is a number of P-bits by a cycle; the paper gives neither. Any rate is had by more of them.",
            assumed="the cycle of the column of this project",
        ),
        Finding(
            key="fast", quantity="ratios of time and energy with a shorter computing phase, 4 rows", ours=(
                f"{quicker.in_situ.times['compute'] * 1e9:.1f} ns of computing: time {quicker.time_ratio:.2f}, energy"
                f" {quicker.energy_ratio:.2f}"
            ),
            status=Status.LEFT_OPEN,
            reason=(
                f"Sums of 4 rows then have a root mean square error of {costs.error:.2f} weights and"
                f" {costs.signs.count} wrong signs of {costs.signs.trials}. The schedule is ours to choose and moves"
                " the ratio."
            ),
            assumed="the shorter schedule; both circuits",
        ),
    ]  # fmt: skip


def _others(costs: Costs) -> list[Finding]:
    from mtjspice.generative.sde import cost

    demand, (in_place, _, words) = costs.demand, costs.at_width(64)
    return [
        Finding(
            key="words", quantity="bits of noise words for each P-bit below which words take less energy",
            ours=Value(value=cost.break_even_word_bits(costs.inside, costs.beside), digits=2), status=Status.LEFT_OPEN,
            reason=(
                f"An ordinary network that gets {demand.word_bits} bits of noise words an image, against {demand.pbits}"
                f" P-bits in place ({demand.word_bits / demand.pbits:.4f} a P-bit), takes {words.energy * 1e9:.0f} nJ"
                f" an image where P-bits in place take {in_place.energy * 1e9:.0f} nJ. The paper compares drop-connect"
                " with drop-connect only. That both networks make equally good images is not said: see the experiment"
                " on images."
            ),
            assumed="networks of this project; 8-bit words drawn in the ex-situ column",
        ),
        Finding(
            key="sharing", quantity="weights that must share one bit from beside for less energy than in place",
            ours=Value(value=cost.break_even_sharing(costs.inside, costs.beside), digits=2), status=Status.LEFT_OPEN,
            reason="A bit that is written into many pairs at once has another law; whether networks bear it is open.",
            assumed="both circuits; a shared bit is written at the cost of one",
        ),
    ]  # fmt: skip


def _answer(costs: Costs) -> tuple[str, ...]:
    main, (time, energy), demand = costs.main, costs.ranges(), costs.demand
    one, (in_place, _, words) = main.in_situ, costs.at_width(64)
    faster_words = sum(costs[2].time < costs[0].time for costs in costs.sweep)
    direction = (
        "In every setting P-bits in place take less of both, as claimed."
        if min(time.limits[0], energy.limits[0]) > 1
        else "Not in every setting do P-bits in place take less of both."
    )
    return (
        f"Drawn in place, a P-bit of this column takes {one.energy * 1e12:.2f} pJ and a cycle of"
        f" {one.cycle_time * 1e9:.1f} ns; drawn beside it, {main.ex_situ.energy * 1e12:.2f} pJ and"
        f" {main.ex_situ.cycle_time * 1e9:.1f} ns. That is {time.value:.1f} times the time ({time.limits[0]:.1f} to"
        f" {time.limits[1]:.1f} over the settings) and {energy.value:.1f} times the energy ({energy.limits[0]:.1f} to"
        f" {energy.limits[1]:.1f}). {direction} Both circuits are ours, so that the ratios stand beside the paper's"
        " and not against them.",
        "Both ratios are a matter of accounting. Computing takes the same time in both columns: the ratio of times is"
        f" {main.draw_ratios[0]:.1f} for draws alone and comes to 1 as computing gets longer. The ratio of energies is"
        f" {main.draw_ratios[1]:.1f} for draws alone and {costs.alone:.1f} for computing alone.",
        "The paper leaves out a rival: an ordinary network with noise added to its output. It takes"
        f" {demand.word_bits} random bits an image in place of {demand.pbits},"
        f" {words.energy / in_place.energy:.2f} times the energy, and less time at {faster_words} of {len(WIDTHS)}"
        " parallel widths. That its images are as good is not shown: see the experiment on images.",
    )


EXPERIMENT = Experiment(
    key="cost",
    title="In place against beside",
    question="Are P-bits in place six times faster and 2.19 times more efficient, and than what?",
    run=run,
    draw={"phases": figures.draw_phases, "width": figures.draw_width, "sensing": sense_time_figures.draw_sensing},
    minutes=(1.2, 2.5),
)
