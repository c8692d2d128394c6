"""In place against beside: time and energy of a P-bit at transistor level, and where noise from outside wins."""

from typing import TYPE_CHECKING

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, judge
from mtjspice.papers.pbit import claims
from mtjspice.papers.pbit import cost_figures as figures
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.circuits.benches.cim_figures import Comparison
    from mtjspice.statistics import Proportion

TECHNOLOGIES = ("gf180mcu", "sky130", "freepdk45")
FAST = {"settle": 2.0e-9, "decision": 0.8e-9, "restore": 0.3e-9}
"""A shorter computing phase, s; whether the sums still come out is a finding."""
QUICKER, LESS = "gf180mcu, 4 rows, fast", "gf180mcu, 4 rows, RA/2"
WIDTHS = tuple(2**k for k in range(15))


def run(context: Context) -> Section:
    """Both columns, junctions standing still, second of two cycles; costs of an image follow from them."""
    from mtjspice.generative.sde import cost
    from mtjspice.generative.sde.samplers import ExSitu, InSitu

    found = _comparisons(context)
    main = found["gf180mcu, 8 rows"]
    signs, error = _sums(context)
    # a schedule with which sums come out wrong is no setting
    working = [one for name, one in found.items() if name != QUICKER or not signs.count]
    times = [one.time_ratio for one in working]
    energies = [one.energy_ratio for one in working]
    time = Value(value=main.time_ratio, low=min(times), high=max(times), kind=f"range of {len(working)} settings")
    energy = Value(
        value=main.energy_ratio, low=min(energies), high=max(energies), kind=f"range of {len(working)} settings"
    )
    computing = _computing_for(main, claims.FASTER_RATIO)
    one = main.in_situ
    # energy of computing alone, which differs between the columns although its time does not
    alone = (main.ex_situ.energy - main.ex_situ.draw_energy) / (one.energy - one.draw_energy)
    direction = (
        "In every setting P-bits in place take less of both, as claimed."
        if min(times + energies) > 1
        else "Not in every setting do P-bits in place take less of both."
    )
    parallel = claims.IN_SITU.rate * one.cycle_time

    reached = _reached()
    able = [name for name, (_, p) in reached.items() if p >= 0.5]
    unable = {name: one for name, one in reached.items() if one[1] < 0.5}

    demand = cost.Demand(InSitu.shipped().network.pbits, InSitu.shipped().transitions.steps, ExSitu.shipped().numbers)
    inside, beside = (
        cost.Column(c.cycle_time, c.energy, c.draw_time, c.draw_energy) for c in (main.in_situ, main.ex_situ)
    )
    sweep = cost.width_sweep(demand, WIDTHS, inside, beside)
    in_place, _, words = next(costs for costs in sweep if costs[0].parallel == 64)
    faster_words = [costs[0].parallel for costs in sweep if costs[2].time < costs[0].time]
    share = cost.break_even_word_bits(inside, beside)
    sharing = cost.break_even_sharing(inside, beside)

    findings = [
        Finding(
            key="time", quantity="cycle ex situ over in situ", paper=claims.FASTER, ours=time,
            status=judge(claims.FASTER, time),
            reason=(
                "Both circuits are ours, and the cycle is a schedule with safe times, not a limit that was searched"
                f" for. The ratio goes from {main.draw_ratios[0]:.1f} (draws alone) to 1 (long computing) and says how"
                f" long computing takes: 6 would need {computing * 1e9:.1f} ns of it in place of"
                f" {one.times['compute'] * 1e9:.1f} ns. Sensing takes most of the ex-situ cycle, and follows the"
                f" junction's resistance: at half of the assumed RA the ratio is {found[LESS].time_ratio:.1f}."
            ),
            assumed="both circuits and their phases, which the paper does not show; RA of 1200 ohm um2",
        ),
        Finding(
            key="energy", quantity="energy of a P-bit ex situ over in situ, with computing",
            paper=claims.MORE_EFFICIENT,
            ours=energy, status=judge(claims.MORE_EFFICIENT, energy),
            reason=(
                f"Everything the sources deliver, in circuits of ours: {main.draw_ratios[1]:.1f} for draws alone,"
                f" {alone:.1f} for computing alone, so that their shares decide. A VCMA pulse toggles, so that writing"
                " a drawn bit takes a second read and a second pulse: this makes our ex-situ column dearer than one"
                " that writes directly, and the comparison kinder to P-bits in place."
            ),
            assumed="both circuits; rails and bias voltages at no cost",
        ),
        Finding(
            key="joule", quantity="energy of a P-bit in situ, with computing", paper=claims.IN_SITU_ENERGY,
            ours=Value(
                value=one.energy, unit="J", low=min(c.in_situ.energy for c in found.values()),
                high=max(c.in_situ.energy for c in found.values()), kind="range of settings",
            ),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"The paper's process is not given. Of ours {one.junction_share:.1%} heats junctions, the rest moves"
                " charge in CMOS: the process decides, and the junction hardly matters."
            ),
            assumed="technology",
        ),
        Finding(
            key="technologies", quantity="technologies in which the column can draw with P = 1/2",
            ours=f"{', '.join(able)}; not {', '.join(unable)}", status=Status.LEFT_OPEN,
            reason=(
                "A driver reaches its supply at most. "
                + "; ".join(f"{name}: P = {p:.2g} at {volts:g} V and 700 ps" for name, (volts, p) in unable.items())
                + ". So a newer logic process is no way to less energy for this junction without a rail of its own."
            ),
            assumed="the card's junction",
        ),
        Finding(
            key="parallel", quantity="P-bits that would have to work at once for 29.8 bit/ns",
            paper=claims.IN_SITU_RATE,
            ours=Value(value=parallel), status=Status.NOT_COMPARABLE,
            reason="A rate is a number of P-bits by a cycle; the paper gives neither. Any rate is had by more of them.",
            assumed="the cycle of the column of this project",
        ),
        Finding(
            key="fast", quantity="the same with a shorter computing phase, 4 rows", ours=(
                f"{found[QUICKER].in_situ.times['compute'] * 1e9:.1f} ns: time {found[QUICKER].time_ratio:.2f}, energy"
                f" {found[QUICKER].energy_ratio:.2f}"
            ),
            status=Status.LEFT_OPEN,
            reason=(
                f"Sums of 4 rows then have a root mean square error of {error:.2f} weights and {signs.count} wrong"
                f" signs of {signs.trials}. The schedule is ours to choose and moves the ratio."
            ),
            assumed="the shorter schedule; both circuits",
        ),
        Finding(
            key="words", quantity="bits of noise words for each P-bit below which words take less energy",
            ours=Value(value=share, digits=2), status=Status.LEFT_OPEN,
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
            ours=Value(value=sharing, digits=2), status=Status.LEFT_OPEN,
            reason="A bit that is written into many pairs at once has another law; whether networks bear it is open.",
            assumed="both circuits; a shared bit is written at the cost of one",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"Drawn in place, a P-bit of this column takes {one.energy * 1e15:.0f} fJ and a cycle of"
            f" {one.cycle_time * 1e9:.1f} ns, drawn beside it {main.ex_situ.energy * 1e15:.0f} fJ and"
            f" {main.ex_situ.cycle_time * 1e9:.1f} ns: {time.value:.1f} times the time and {energy.value:.1f} times"
            f" the energy, {min(times):.1f} to {max(times):.1f} and {min(energies):.1f} to {max(energies):.1f} over"
            f" the settings. {direction} These are circuits of ours, which stand beside the paper's, not against them.",
            "The size of both ratios is a matter of accounting. Computing takes the same time in both columns: with it"
            f" the ratio of times goes from {main.draw_ratios[0]:.1f} (draws alone) towards 1. Energies have a ratio of"
            f" {main.draw_ratios[1]:.1f} for draws alone and {alone:.1f} for computing alone.",
            "The paper leaves out another comparison: noise added to the output of an ordinary network takes"
            f" {demand.word_bits} bits an image in place of {demand.pbits}, {words.energy / in_place.energy:.2f} of"
            f" the energy and, at {len(faster_words)} of {len(WIDTHS)} parallel widths, less time. It is one of costs"
            " and not shown to be at equal quality: the experiment on images has the distances of both networks.",
        ),
        findings=findings,
        plates=(figures.phase_plate(found), figures.width_plate(sweep, demand, inside, beside)),
        setting=(
            "Columns with all inputs at 1, half of the rows written, card imec_iedm24, second of two cycles, all"
            f" sources; {len(found)} settings of technology, rows, corner and schedule; an image: {demand.steps} passes"
            f" through {demand.weights} weights."
        ),
    )


def _comparisons(context: Context) -> dict[str, "Comparison"]:
    """Both columns at each setting."""
    from mtjspice.circuits.benches.cim_figures import in_situ_against_ex_situ
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    wanted: list[tuple[str, str, int, str, dict[str, float]]] = [
        ("gf180mcu, 8 rows", "gf180mcu", 8, "", {}), ("gf180mcu, 4 rows", "gf180mcu", 4, "", {}),
        (QUICKER, "gf180mcu", 4, "", FAST), (LESS, "gf180mcu", 4, "", {}),
    ]  # fmt: skip
    wanted += context.effort(
        [("sky130, 4 rows", "sky130", 4, "", {})],
        [
            ("gf180mcu, 16 rows", "gf180mcu", 16, "", {}), ("gf180mcu, 8 rows, ss", "gf180mcu", 8, "ss", {}),
            ("gf180mcu, 8 rows, ff", "gf180mcu", 8, "ff", {}), ("sky130, 8 rows", "sky130", 8, "", {}),
        ],
    )  # fmt: skip
    card = cells.card()
    half = card.replace(resistance_area_product=card.resistance_area_product / 2)
    return {
        name: in_situ_against_ex_situ(technology(tech), half if name == LESS else card, rows, corner=corner, **settings)
        for name, tech, rows, corner, settings in wanted
    }


def _reached() -> dict[str, tuple[float, float]]:
    """Supply (V) of each technology, and the probability that a pulse of this amplitude switches."""
    from mtjspice.circuits.technology import technology
    from mtjspice.device.switching import switching_probability
    from mtjspice.papers.pbit import cells

    supplies = {name: technology(name).supply_voltage for name in TECHNOLOGIES}
    # more than the amplitude for 1/2 is no obstacle, since rails go down to any value
    volts = [min(supply, 1.8) for supply in supplies.values()]
    distinct = sorted(set(volts))
    found = switching_probability(cells.card(), distinct, [claims.PULSE_WIDTH], tolerance=1e-3).probability.values[:, 0]
    at = dict(zip(distinct, found.tolist(), strict=True))
    return {name: (supply, at[volt]) for (name, supply), volt in zip(supplies.items(), volts, strict=True)}


def _computing_for(found: "Comparison", ratio: float) -> float:
    """Computing time (s), the same in both columns, at which the cycles have that ratio."""
    inside, beside = found.in_situ.draw_time, found.ex_situ.draw_time
    return (beside - ratio * inside) / (ratio - 1)


def _sums(context: Context) -> tuple["Proportion", float]:
    """Wrong signs and error (weights) of sums of 4 rows with the shorter phase."""
    from mtjspice.circuits.benches.cim_figures import weighted_sum
    from mtjspice.circuits.library.cim import CimColumn
    from mtjspice.circuits.technology import technology
    from mtjspice.papers.pbit import cells

    column = CimColumn(technology(cells.TECHNOLOGY), card=cells.card(), rows=4)
    found = weighted_sum(
        column, seed=cells.streams(context.seed, 1)[0], arrays=context.effort(2, 6), patterns=8, **FAST
    )
    return found.wrong_signs, found.rms_error


EXPERIMENT = Experiment(
    key="cost",
    title="In place against beside",
    question="Are P-bits in place six times faster and 2.19 times more efficient, and than what?",
    run=run,
    draw={"phases": figures.draw_phases, "width": figures.draw_width},
    minutes=(1.0, 2.3),
)
