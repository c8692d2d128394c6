"""What a bit costs in energy and area, against plain CMOS; where the energy of the word goes."""

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
    from mtjspice.layout.area import Row
    from mtjspice.reports.area import Outcome
    from mtjspice.studies.operation import Cycles

TECHNOLOGY = "gf180mcu"
LOW_SUPPLY = 1.8  # V, beside the nominal one
WRITE_CONTROL = 2.2  # V, a pulse of about 0.40 ns
RESET_WIDTH = 1e-9  # s
TOLERANCE = 0.05  # by which energies are trusted: junctions that stand still against such that move
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
    return _section(context, outcome, _cycles(context), standing)


def _cycles(context: Context) -> "Cycles":
    from mtjspice.demo import default_bench
    from mtjspice.spice.engines import find_libngspice
    from mtjspice.spice.pool import CosimPool
    from mtjspice.studies import operation, pulses

    bench = default_bench()
    with CosimPool(find_libngspice(), 1) as pool:
        calibration = pulses.calibrate_pulse(bench, pool, context.seed, controls=(1.7, 1.2, 1.05))
        cycles, _ = operation.operate(
            bench, pool, reset_control=calibration.control_for(RESET_WIDTH), write_control=WRITE_CONTROL,
            chunks=context.effort(2, 6), cycles=context.effort(3, 8), seed=context.seed,
        )  # fmt: skip
    return cycles


def _section(context: Context, outcome: "Outcome", cycles: "Cycles", standing: float) -> Section:
    bits = cycles.data.shape[1]
    per_cycle = cycles.energy.sum(axis=(1, 2)) / bits
    moving, error = float(per_cycle.mean()), 1.96 * float(per_cycle.std(ddof=1)) / np.sqrt(len(per_cycle))
    share = cycles.junction_energy.sum(axis=1) / bits / per_cycle
    word = outcome.word
    assert word.energy is not None
    assert word.area_per_bit is not None
    own = {row.name: row for row in outcome.rows if row.technology == TECHNOLOGY and row.status != "published"}
    register = {volts: own[f"LFSR-8, {volts:g} V"] for volts in outcome.supplies}
    silicon = [row for row in own.values() if row.name.startswith(("LFSR", "ChaCha", "Philox"))]
    products = {row.name: ratio for row in silicon if (ratio := outcome.ratio(row)) is not None}
    best = max(products, key=lambda name: products[name])
    rates = {row.name: ratio for row in silicon if (ratio := outcome.rate_ratio(row)) is not None}
    nominal, low = (register[volts] for volts in outcome.supplies)
    savings = {row.name: 1 - word.energy / row.energy for row in silicon if row.energy}
    saved = [name for name, value in savings.items() if value >= claims.SAVING.value]  # type: ignore[operator]
    assert nominal.area_per_bit is not None
    assert claims.AREA_FACTOR.value is not None
    area_ratio = nominal.area_per_bit / word.area_per_bit
    room = nominal.area_per_bit / claims.AREA_FACTOR.value
    others = [row for row in outcome.rows if row.status == "published" and not row.name.startswith("VCMA")]
    published = [row.energy for row in others if row.energy]
    cheaper = [one for one in published if one < word.energy]
    needed = next(one for one in outcome.break_even if one.against == nominal.name)
    junctions = Value(
        value=float(share.mean()), unit="%", low=float(share.min()), high=float(share.max()),
        kind=f"range of {len(share)} cycles",
    )  # fmt: skip
    unknown = 'What "traditional hardware" and the generator were is not in what could be read.'
    wired = "drawn wires" if outcome.wires else "no wires (KLayout is not there)"
    word_share = next(one for one in outcome.areas if one.name.startswith("meram_word8"))
    bare = energy_of(nominal) * nominal.area_per_bit / (junctions.value * moving * word_share.cells / word_share.bits)
    findings = [
        *(
            Finding(
                key=f"saving{k}",
                quantity=f"energy of a bit saved against an {row.name}",
                paper=claims.SAVING,
                ours=_saving(word, row),
                status=judge(claims.SAVING, _saving(word, row), within=0.05),
                reason=(
                    f"{word.energy * 1e15:.0f} against {energy_of(row) * 1e15:.0f} fJ, {wired}; tolerance 0.05 of the"
                    f" claim. {unknown} A register of 8 stages is the plainest generator there is."
                ),
                assumed="card, circuit, process",
            )
            for k, row in enumerate((nominal, low))
        ),
        Finding(
            key="saved",
            quantity="generators in the same process against which 80 % are saved",
            paper=claims.SAVING,
            ours=f"{len(saved)} of {len(savings)}" + (f": {'; '.join(saved)}" if saved else ""),
            status=Status.NOT_COMPARABLE,
            reason=f"{unknown} Against ciphers the saving is large, but an LFSR is no cipher. Ciphers are counted"
            " without wires.",
            assumed="card, circuit, process",
        ),
        Finding(
            key="factor",
            quantity=f"energy times area better than an {nominal.name}",
            paper=claims.FACTOR,
            ours=_trusted(products[nominal.name]),
            status=judge(claims.FACTOR, _trusted(products[nominal.name])),
            reason=(
                f"{area_ratio:.2f} by area, {energy_of(nominal) / word.energy:.2f} by energy. Limits: areas are trusted"
                f" to a factor of {AREA_TRUST:g}. At {outcome.supplies[1]:g} V: {products[low.name]:.2f}."
            ),
            assumed="card, circuit, process; the figure as energy of a bit times area of a bit",
        ),
        Finding(
            key="best",
            quantity=f"the same against the opponent that is worst, {best}",
            paper=claims.FACTOR,
            ours=_trusted(products[best]),
            status=judge(claims.FACTOR, _trusted(products[best])),
            reason=(
                f"{unknown} The core is counted, without wires, at the full depth of ripple adders, and was not built"
                " for energy."
            ),
            assumed="card, circuit, process",
        ),
        Finding(
            key="area",
            quantity=f"area of a bit, {nominal.name} over the word",
            paper=claims.AREA_FACTOR,
            ours=_trusted(area_ratio),
            status=judge(claims.AREA_FACTOR, _trusted(area_ratio)),
            reason=(
                f"A bit of the word takes {word.area_per_bit * 1e12:.0f} um2, of which its cell is"
                f" {percent(word_share.cell_share, 1)}. For 200 with a saving of 80 % it would have to take"
                f" {room * 1e12:.1f} um2, periphery and all."
            ),
            assumed="card, circuit, process",
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
        ),
        Finding(
            key="density",
            quantity=f"energy by area (E / A), word over {nominal.name}",
            ours=Value(value=word.density / nominal.density),  # type: ignore[operator]
            status=Status.LEFT_OPEN,
            reason='What "energy per bit per area" says literally;'
            " lower would be better, and it falls when the same"
            " circuit is drawn larger. It ranks nothing.",
        ),
        Finding(
            key="rate",
            quantity=f"energy times area by rate (E A / R), {nominal.name} over the word",
            ours=_trusted(rates[nominal.name]),
            status=Status.LEFT_OPEN,
            reason=f"The only reading in which a slow wide generator is not favoured. Largest:"
            f" {max(rates.values()):.0f}, {max(rates, key=lambda name: rates[name])}.",
        ),
        Finding(
            key="junctions",
            quantity="share of the junctions in the energy of a bit",
            ours=junctions,
            status=Status.LEFT_OPEN,
            reason="Joule heat, co-simulated, without wires. A junction that took nothing would change a bit by as"
            " much.",
            assumed="resistance-area product of 650 ohm um2",
        ),
        Finding(
            key="bare",
            quantity=f"the same figure, junctions' heat and cells alone, against an {nominal.name}",
            paper=claims.FACTOR,
            ours=Value(value=bare, digits=2),
            status=Status.NOT_COMPARABLE,
            reason="What the wording would allow: a junction's heat for the energy, a cell for the area, and a whole"
            " register against them. Nothing writes or reads such bits.",
            assumed="card, circuit, process",
        ),
        Finding(
            key="moving",
            quantity="energy of a bit with moving junctions",
            ours=Value(value=moving, unit="J", low=moving - error, high=moving + error, kind="95 %"),
            status=Status.LEFT_OPEN,
            reason=f"Without wires; {standing * 1e15:.0f} fJ with junctions that stand still, as in the comparison.",
        ),
    ]  # fmt: skip
    holds = products[nominal.name] * AREA_TRUST >= 1e3
    return Section(
        answer=(
            f"With {wired}, the word takes {word.energy * 1e15:.0f} fJ a bit. That"
            f" {against(savings[nominal.name])} against an LFSR-8 at the same supply, and {against(savings[low.name])}"
            f" against one at {outcome.supplies[1]:g} V. In energy times area it is"
            f" {products[nominal.name]:.1f} and {products[low.name]:.2f} times better. "
            + (
                "A thousand lies within what the areas leave open."
                if holds
                else "Neither 80 % nor a thousand holds against a shift register, at any area within what is left open."
            ),
            f"A saving of 80 % is a factor of {CLAIMED_SAVING:g}; a thousand then asks for 200 in area. Here"
            f" {area_ratio:.1f} was found: {percent(1 - word_share.cell_share, 1)} of the word's area is CMOS that"
            " makes pulses"
            f" and reads. Junctions take {percent(junctions.value, 1)} of the energy, so better junctions change"
            " neither factor."
            f" A figure that counts junctions and cells alone would say {bare:.0e}; such bits are neither written nor"
            " read by anything.",
            f"Against counter-based ciphers the product is up to {products[best]:.0f} ({best}). Who"
            " needs unpredictable bits should compare with true generators in CMOS instead: of"
            f" {len(published)} published energies, in other processes, {len(cheaper)} are below the word's.",
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


def _saving(word: "Row", row: "Row") -> Value:
    """Saved share of the energy; its limits if the word takes more or less by `TOLERANCE`."""
    value, low, high = (1 - energy_of(word) * factor / energy_of(row) for factor in (1, 1 + TOLERANCE, 1 - TOLERANCE))
    return Value(value=value, unit="%", low=low, high=high, kind=f"energies to {percent(TOLERANCE)}")


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
