"""What a bit and a Gaussian number cost in energy and area, against plain CMOS; where the energy of the word goes."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.energy_figures import AREA_TRUST, claimed_ratio, draw_phases, draw_ratios, energy_of, plates
from mtjspice.papers.meram.energy_findings import findings
from mtjspice.papers.meram.energy_measured import TECHNOLOGY, Measured, area_of
from mtjspice.papers.meram.samples_figures import draw_samples, samples_plate
from mtjspice.papers.meram.samples_findings import on_samples, sample_findings
from mtjspice.papers.meram.text import against, percent
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.circuits.benches.word import WordBench
    from mtjspice.layout.area import Row
    from mtjspice.studies.operation import Cycles

LOW_SUPPLY = 1.8  # V, beside the nominal one
WRITE_CONTROL = 2.2  # V, a pulse of about 0.40 ns
RESET_WIDTH = 1e-9  # s


def run(context: Context) -> Section:
    """Measure generators on their benches, draw them, and co-simulate the word for its energy by phase."""
    from mtjspice.circuits.technology import technology
    from mtjspice.layout.generators import meram_word
    from mtjspice.papers.meram import samples, slots
    from mtjspice.reports import area

    tech = technology(TECHNOLOGY)
    wires = find_spec("klayout") is not None
    outcome = area.run(tech, (tech.supply_voltage, LOW_SUPPLY), wires=wires, quick=context.quick)
    standing = meram_word(tech).energy
    cycles, still = _cycles(context)
    ways = samples.ways(
        outcome, cycles, slots.measure((4, 8)), energy_of(outcome.word) / standing, LOW_SUPPLY, context.seed
    )
    return section(Measured(outcome, cycles, still, standing, ways))


def _cycles(context: Context) -> "tuple[Cycles, float]":
    """Co-simulated cycles, and the energy (J) of a bit of the second of two cycles with junctions that stand still."""
    from mtjspice.demo import default_bench
    from mtjspice.spice.engines import find_libngspice
    from mtjspice.spice.pool import CosimPool
    from mtjspice.studies import operation, pulses

    bench = default_bench()
    with CosimPool(find_libngspice(), 1) as pool:
        calibration = pulses.calibrate_pulse(bench, pool, context.seed, controls=(1.7, 1.2, 1.05))
        reset_control = calibration.control_for(RESET_WIDTH)
        cycles, _ = operation.operate(
            bench, pool, reset_control=reset_control, write_control=WRITE_CONTROL,
            chunks=context.effort(2, 6), cycles=context.effort(3, 8), seed=context.seed,
        )  # fmt: skip
    return cycles, _still(bench, reset_control)


def _still(bench: "WordBench", reset_control: float) -> float:
    """Energy (J) of a bit with the same pulses and half of the junctions in AP, all of which stand still."""
    from mtjspice.circuits.benches.word import Operation, Read, Write

    cycle: tuple[Operation, ...] = (Write(reset_control, all_columns=False), Write(WRITE_CONTROL), Read())
    states = tuple(1 if k % 2 == 0 else -1 for k in range(bench.word.bits))
    data = replace(bench, operations=(Read(), *cycle, *cycle), states=states).testbench().run("resistor")
    edges = bench.timing.slot * np.array([1.0 + len(cycle), 1.0 + 2 * len(cycle)])
    spent = np.interp(edges, data["time"].values, data["delivered"].values.sum(axis=1))
    return float(spent[1] - spent[0]) / bench.word.bits


def section(found: Measured) -> Section:
    """Findings, text and figures of what was measured."""
    outcome = found.outcome
    return Section(
        answer=(_on_energy(found), _on_both(found), _on_others(found), on_samples(found)),
        findings=[*findings(found), *sample_findings(found)],
        plates=(*plates(outcome, found.cycles), samples_plate(found.ways)),
        setting=(
            f"ngspice in {TECHNOLOGY}, {found.wired}; areas of layouts that keep the design rules; CMOS at"
            f" {_supplies(found)} V"
            + (f"; left out: {', '.join(outcome.left_out)}" if outcome.left_out else "")
            + f"; energy by phase from {len(found.per_cycle)} co-simulated cycles of {found.cycles.data.shape[1]}"
            " bits, without wires; what makes Gaussian numbers of bits is counted in cells, 28 nm scaled."
        ),
    )


def _supplies(found: Measured) -> str:
    return " and ".join(f"{volts:g}" for volts in found.outcome.supplies)


def _on_energy(found: Measured) -> str:
    registers = found.registers
    of_registers = [found.savings[row.name].value for row in registers]
    least, most = (which(registers, key=lambda row: found.savings[row.name].value) for which in (min, max))
    lengths = dict.fromkeys(row.name.partition(",")[0].removeprefix("LFSR-") for row in registers)
    return (
        f"Against which generator the paper saves {_saved()} could not be read, and the answer depends on it. With"
        f" {found.wired}, the word takes {energy_of(found.word) * 1e15:.0f} fJ a bit. Against shift registers of"
        f" {', '.join(lengths)} stages at {_supplies(found)} V it {against(min(of_registers))} in the worst case"
        f" ({least.name}) and {against(max(of_registers))} in the best ({most.name}). In energy times area it is"
        f" {_span([found.products[row.name] for row in registers])} times better. Energies are trusted to"
        f" {percent(found.trust)}, areas to a factor of {AREA_TRUST:g}."
    )


def _on_both(found: Measured) -> str:
    areas = [area_of(row) / area_of(found.word) for row in found.registers]
    return (
        f"If both claims had the same opponent, {_saved()} would be a factor of {claimed_ratio():.3g} and leave"
        f" {claims.AREA_FACTOR.value:g} for the area. A bit of shift registers takes {_span(areas)} times the area"
        f" of the word's: {percent(1 - found.cell_share, 1)} of the word is CMOS that makes pulses and reads. Junctions"
        f" take {percent(found.junctions.value, 1)} of the energy, so better junctions alone change neither factor"
        f" much. Counted by junctions and cells alone it is {found.bare:.1e}, for bits that nothing writes or reads."
    )


def _on_others(found: Measured) -> str:
    published = true_generators(found.outcome.rows)
    cheaper = [one for one in published.values() if one < energy_of(found.word)]
    return (
        f"The advantage in energy times area is largest, {found.products[found.best]:.0f}, over {found.best}. Who needs"
        " unpredictable bits should compare with true generators in CMOS instead: of"
        f" {len(published)} that were published with an energy, in other processes, {len(cheaper)} take less than the"
        " word."
    )


def true_generators(rows: "Sequence[Row]") -> dict[str, float]:
    """Least published energy (J) of each true generator in CMOS that has one; works with several points count once."""
    found: dict[str, float] = {}
    for row in rows:
        if row.status == "published" and row.energy and row.name.startswith(("TRNG", "uRNG")):
            work = row.name.partition(",")[0] if row.name.startswith("uRNG") else row.name
            found[work] = min(row.energy, found.get(work, row.energy))
    return found


def _saved() -> str:
    assert claims.SAVING.value is not None
    return percent(claims.SAVING.value)


def _span(values: list[float]) -> str:
    low, high = (f"{one:.2g}" for one in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


EXPERIMENT = Experiment(
    key="energy",
    title="Energy and area of a bit and of a number",
    question=f"Are {_saved()} of the energy saved, and is a bit as much better in energy and area as claimed?",
    run=run,
    draw={"ratios": draw_ratios, "phases": draw_phases, "samples": draw_samples},
    minutes=(0.9, 3.0),
)
