"""What a bit costs in energy and area, against plain CMOS; where the energy of the word goes."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, judge
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.energy_figures import (
    CLAIMED_SAVING,
    draw_phases,
    draw_ratios,
    energy_of,
    plates,
)
from mtjspice.papers.meram.text import against, percent
from mtjspice.papers.sections import Section

if TYPE_CHECKING:
    from mtjspice.circuits.benches.word import WordBench
    from mtjspice.layout.area import Row
    from mtjspice.reports.area import Outcome
    from mtjspice.studies.operation import Cycles

TECHNOLOGY = "gf180mcu"
LOW_SUPPLY = 1.8  # V, beside the nominal one
WRITE_CONTROL = 2.2  # V, a pulse of about 0.40 ns
RESET_WIDTH = 1e-9  # s
TOLERANCE = 0.05  # by which energies are trusted at least; more if the word with moving junctions takes more
_OURS = "card, circuit, process"
AREA_TRUST = 5.0  # factor by which the areas are trusted: one generator draws them all, with little skill


def run(context: Context) -> Section:
    """Measure generators on their benches, draw them, and co-simulate the word for its energy by phase."""
    from mtjspice.circuits.technology import technology
    from mtjspice.layout.generators import meram_word
    from mtjspice.reports import area

    tech = technology(TECHNOLOGY)
    wires = find_spec("klayout") is not None
    outcome = area.run(tech, (tech.supply_voltage, LOW_SUPPLY), wires=wires, quick=context.quick)
    standing = meram_word(tech).energy
    return _section(outcome, *_cycles(context), standing)


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


def _section(outcome: "Outcome", cycles: "Cycles", still: float, standing: float) -> Section:
    bits = cycles.data.shape[1]
    per_cycle = cycles.energy.sum(axis=(1, 2)) / bits
    moving, error = float(per_cycle.mean()), 1.96 * float(per_cycle.std(ddof=1)) / np.sqrt(len(per_cycle))
    share = cycles.junction_energy.sum(axis=1) / bits / per_cycle
    word = outcome.word
    assert word.energy is not None
    assert word.area_per_bit is not None
    own = {row.name: row for row in outcome.rows if row.technology == TECHNOLOGY and row.status != "published"}
    registers = [row for row in own.values() if row.name.startswith("LFSR") and row.energy and row.area_per_bit]
    lengths = {row.name.partition(",")[0]: row for row in registers}  # one of each length: areas know no supply
    silicon = [row for row in own.values() if row.name.startswith(("LFSR", "ChaCha", "Philox"))]
    products = {row.name: ratio for row in silicon if (ratio := outcome.ratio(row)) is not None}
    best = max(products, key=lambda name: products[name])
    rates = {row.name: ratio for row in silicon if (ratio := outcome.rate_ratio(row)) is not None}
    nominal = own[f"LFSR-8, {outcome.supplies[0]:g} V"]
    trust = max(TOLERANCE, abs(moving / standing - 1))
    savings = {row.name: _saving(word, row, trust) for row in silicon if row.energy}
    assert claims.SAVING.value is not None
    saved = [name for name, value in savings.items() if value.limits[1] >= claims.SAVING.value]
    of_registers = [savings[row.name].value for row in registers]
    least, most = (which(registers, key=lambda row: savings[row.name].value) for which in (min, max))
    assert nominal.area_per_bit is not None
    assert claims.AREA_FACTOR.value is not None
    of_products = [products[row.name] for row in registers]
    of_areas = [_area(row) / word.area_per_bit for row in registers]
    room = nominal.area_per_bit / claims.AREA_FACTOR.value
    published = true_generators(outcome.rows)
    cheaper = [one for one in published.values() if one < word.energy]
    needed = next(one for one in outcome.break_even if one.against == nominal.name)
    junctions = Value(
        value=float(share.mean()), unit="%", low=float(share.min()), high=float(share.max()),
        kind=f"range of {len(share)} cycles",
    )  # fmt: skip
    unknown = 'What "traditional hardware" and the generator were is not in what could be read.'
    wired = "drawn wires" if outcome.wires else "no wires (KLayout is not there)"
    word_share = next(one for one in outcome.areas if one.name.startswith("meram_word8"))
    bare = energy_of(nominal) * nominal.area_per_bit / (junctions.value * moving * word_share.cells / word_share.bits)
    reached = [row for row in registers if judge(claims.FACTOR, _trusted(products[row.name])) is Status.AGREES]
    findings = [
        *(
            Finding(
                key=f"saving{k}",
                quantity=f"energy of a bit saved against an {row.name}",
                paper=claims.SAVING,
                ours=savings[row.name],
                status=judge(claims.SAVING, savings[row.name], within=0.05),
                reason=(
                    f"{word.energy * 1e15:.0f} against {energy_of(row) * 1e15:.0f} fJ, {wired}. Which generator the"
                    " paper means could not be read; longer registers and higher supplies take more."
                ),
                assumed=_OURS,
            )
            for k, row in enumerate(registers)
        ),
        Finding(
            key="saved",
            quantity="generators in the same process against which 80 % are saved, within the limits",
            paper=claims.SAVING,
            ours=f"{len(saved)} of {len(savings)}" + (f": {'; '.join(saved)}" if saved else ""),
            status=Status.NOT_COMPARABLE,
            reason=f"{unknown} Ciphers are counted without wires.",
            assumed=_OURS,
        ),
        Finding(
            key="factor",
            quantity="energy times area better than shift registers",
            paper=claims.FACTOR,
            ours="; ".join(f"{row.name}: {_limited(products[row.name])}" for row in registers),
            status=Status.AGREES if reached else Status.DIFFERS,
            reason=f"{unknown} Limits: areas are trusted to a factor of {AREA_TRUST:g}.",
            assumed=f"{_OURS}; the figure as energy of a bit times area of a bit",
        ),
        Finding(
            key="best",
            quantity=f"the same against the generator over which the word's advantage is largest, {best}",
            paper=claims.FACTOR,
            ours=_trusted(products[best]),
            status=judge(claims.FACTOR, _trusted(products[best])),
            reason=(
                f"{unknown} The core is counted, without wires, at the full depth of ripple adders, and was not built"
                " for energy."
            ),
            assumed=_OURS,
        ),
        Finding(
            key="area",
            quantity="area of a bit, shift registers over the word",
            paper=claims.AREA_FACTOR,
            ours="; ".join(f"{name}: {_limited(_area(row) / word.area_per_bit)}" for name, row in lengths.items()),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{unknown} Limits as above. A bit of the word takes {word.area_per_bit * 1e12:.0f} um2, of which its"
                f" cell is {percent(word_share.cell_share, 1)}. For 200 against an LFSR-8 it would have to take"
                f" {room * 1e12:.1f} um2, periphery and all."
            ),
            assumed=_OURS,
        ),
        Finding(
            key="needed",
            quantity=f"energy of a bit at which a thousand would hold against an {nominal.name}",
            ours=Value(value=needed.energy, unit="J"),
            status=Status.LEFT_OPEN,
            reason=(
                f"At the word's area; its junctions alone take {junctions.value * moving * 1e15:.0f} fJ. Or"
                f" {needed.area_per_bit * 1e12:.2f} um2 at the word's energy, or both {needed.each:.0f} times less."
            ),
            assumed=_OURS,
        ),
        Finding(
            key="density",
            quantity=f"energy by area (E / A), word over {nominal.name}",
            ours=Value(value=word.density / nominal.density),  # type: ignore[operator]
            status=Status.LEFT_OPEN,
            reason='What "energy per bit per area" says literally;'
            " lower would be better, and it falls when the same"
            " circuit is drawn larger. It ranks nothing.",
            assumed=_OURS,
        ),
        Finding(
            key="rate",
            quantity=f"energy times area by rate (E A / R), {nominal.name} over the word",
            ours=_trusted(rates[nominal.name]),
            status=Status.LEFT_OPEN,
            reason=f"The only reading in which a slow wide generator is not favoured. Largest:"
            f" {max(rates.values()):.0f}, {max(rates, key=lambda name: rates[name])}.",
            assumed=_OURS,
        ),
        Finding(
            key="junctions",
            quantity="share of the junctions in the energy of a bit",
            ours=junctions,
            status=Status.LEFT_OPEN,
            reason="Joule heat, co-simulated, without wires. A junction that took nothing would change a bit by as"
            " much.",
            assumed=f"{_OURS}; resistance-area product of 650 ohm um2",
        ),
        Finding(
            key="bare",
            quantity=f"the same figure, junctions' heat and cells alone, against an {nominal.name}",
            paper=claims.FACTOR,
            ours=Value(value=bare, digits=2),
            status=Status.NOT_COMPARABLE,
            reason="What the wording would allow: a junction's heat for the energy, a cell for the area, and a whole"
            " register against them. Nothing writes or reads such bits.",
            assumed=_OURS,
        ),
        Finding(
            key="moving",
            quantity="energy of a bit with moving junctions",
            ours=Value(value=moving, unit="J", low=moving - error, high=moving + error, kind="95 %"),
            status=Status.LEFT_OPEN,
            reason=(
                f"Without wires. Standing still: {still * 1e15:.0f} fJ in a second cycle with the same pulses, and"
                f" {standing * 1e15:.0f} fJ in a first cycle with those of the comparison. Pulses and the cycle"
                f" before make {percent(still / standing - 1, 1)}, motion and changing data"
                f" {percent(moving / still - 1, 1)}; savings are given to {percent(trust, 1)}."
            ),
            assumed=_OURS,
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"Against which generator the paper saves 80 % could not be read, and the answer depends on it. With"
            f" {wired}, the word takes {word.energy * 1e15:.0f} fJ a bit. Against shift registers of"
            f" {', '.join(name.removeprefix('LFSR-') for name in lengths)} stages at"
            f" {' and '.join(f'{volts:g}' for volts in outcome.supplies)} V it"
            f" {against(min(of_registers))} in the worst case ({least.name}) and {against(max(of_registers))} in the"
            f" best ({most.name}); in energy times area it is"
            f" {_span(of_products)} times better, areas being trusted to a factor of"
            f" {AREA_TRUST:g}.",
            f"If both claims had the same opponent, 80 % would be a factor of {CLAIMED_SAVING:g} and leave 200 for the"
            f" area. Shift registers take {_span(of_areas)} times the word's area:"
            f" {percent(1 - word_share.cell_share, 1)} of the word's area is CMOS that"
            f" makes pulses and reads. Junctions take {percent(junctions.value, 1)} of the energy, so better"
            " junctions alone change neither factor much. A figure that counts junctions and cells alone would say"
            f" {bare:.1e}; such bits are neither written nor read by anything.",
            f"Against counter-based ciphers the product is up to {products[best]:.0f} ({best}). Who"
            " needs unpredictable bits should compare with true generators in CMOS instead: of"
            f" {len(published)} that were published with an energy, in other processes, {len(cheaper)} take less than"
            " the word.",
        ),
        findings=findings,
        plates=plates(outcome, cycles),
        setting=(
            f"ngspice in {TECHNOLOGY}, {wired}; areas of layouts that keep the design rules; CMOS at"
            f" {' and '.join(f'{volts:g}' for volts in outcome.supplies)} V"
            + (f"; left out: {', '.join(outcome.left_out)}" if outcome.left_out else "")
            + f"; energy by phase from {len(per_cycle)} co-simulated cycles of {bits} bits, without wires."
        ),
    )


def true_generators(rows: "Sequence[Row]") -> dict[str, float]:
    """Least published energy (J) of each true generator in CMOS that has one; works with several points count once."""
    found: dict[str, float] = {}
    for row in rows:
        if row.status == "published" and row.energy and row.name.startswith(("TRNG", "uRNG")):
            work = row.name.partition(",")[0] if row.name.startswith("uRNG") else row.name
            found[work] = min(row.energy, found.get(work, row.energy))
    return found


def _area(row: "Row") -> float:
    assert row.area_per_bit is not None
    return row.area_per_bit


def _saving(word: "Row", row: "Row", trust: float) -> Value:
    """Saved share of the energy; its limits if the word takes more or less by ``trust``."""
    value, low, high = (1 - energy_of(word) * factor / energy_of(row) for factor in (1, 1 + trust, 1 - trust))
    return Value(value=value, unit="%", low=low, high=high, kind=f"energies to {percent(trust)}")


def _span(values: list[float]) -> str:
    low, high = (f"{one:.2g}" for one in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _limited(ratio: float) -> str:
    return f"{ratio:.3g} ({ratio / AREA_TRUST:.3g} to {ratio * AREA_TRUST:.3g})"


def _trusted(ratio: float) -> Value:
    return Value(value=ratio, low=ratio / AREA_TRUST, high=ratio * AREA_TRUST, kind="areas to a factor of 5")


EXPERIMENT = Experiment(
    key="energy",
    title="Energy and area of a bit",
    question="Are 80 % of the energy saved, and is a bit a thousand times better in energy and area?",
    run=run,
    draw={"ratios": draw_ratios, "phases": draw_phases},
    minutes=(0.6, 2.5),
)
