"""Findings about the energy and the area of a bit."""

from mtjspice.papers.findings import Finding, Status, Value, judge
from mtjspice.papers.meram import claims
from mtjspice.papers.meram.energy_figures import AREA_TRUST, energy_of
from mtjspice.papers.meram.energy_measured import Measured, area_of
from mtjspice.papers.meram.text import percent

OURS = "card, circuit, process"
UNKNOWN = 'What "traditional hardware" and the generator were is not in what could be read.'


def findings(found: Measured) -> list[Finding]:
    """Findings about bits."""
    return [*_savings(found), *_factors(found), *_readings(found), *_word(found)]


def _limited(ratio: float) -> str:
    return f"{ratio:.3g} ({ratio / AREA_TRUST:.3g} to {ratio * AREA_TRUST:.3g})"


def _trusted(ratio: float) -> Value:
    return Value(
        value=ratio, low=ratio / AREA_TRUST, high=ratio * AREA_TRUST, kind=f"areas to a factor of {AREA_TRUST:g}"
    )


def _savings(found: Measured) -> list[Finding]:
    claimed = claims.SAVING.value
    assert claimed is not None
    saved = [name for name, value in found.savings.items() if value.limits[1] >= claimed]
    return [
        *(
            Finding(
                key=f"saving{k}",
                quantity=f"energy of a bit saved against an {row.name}",
                paper=claims.SAVING,
                ours=found.savings[row.name],
                status=judge(claims.SAVING, found.savings[row.name], within=0.05),
                reason=(
                    f"{energy_of(found.word) * 1e15:.0f} against {energy_of(row) * 1e15:.0f} fJ, {found.wired}. Which"
                    " generator the paper means could not be read; longer registers and higher supplies take more."
                ),
                assumed=OURS,
            )
            for k, row in enumerate(found.registers)
        ),
        Finding(
            key="saved",
            quantity=f"generators in the same process against which {percent(claimed)} are saved, within the limits",
            paper=claims.SAVING,
            ours=f"{len(saved)} of {len(found.savings)}" + (f": {'; '.join(saved)}" if saved else ""),
            status=Status.NOT_COMPARABLE,
            reason=f"{UNKNOWN} Ciphers are counted without wires.",
            assumed=OURS,
        ),
    ]


def _factors(found: Measured) -> list[Finding]:
    products, best = found.products, found.best
    near = judge(claims.FACTOR, _trusted(products[best])) is Status.AGREES
    reached = [row for row in found.registers if judge(claims.FACTOR, _trusted(products[row.name])) is Status.AGREES]
    lengths = {row.name.partition(",")[0]: row for row in found.registers}  # areas know no supply
    own, claimed = area_of(found.word), claims.AREA_FACTOR.value
    assert claimed is not None
    return [
        Finding(
            key="factor",
            quantity="advantage over shift registers in energy times area",
            paper=claims.FACTOR,
            ours="; ".join(f"{row.name}: {_limited(products[row.name])}" for row in found.registers),
            status=Status.AGREES if reached else Status.DIFFERS,
            reason=f"{UNKNOWN} Limits: areas are trusted to a factor of {AREA_TRUST:g}.",
            assumed=f"{OURS}; the figure as energy of a bit times area of a bit",
        ),
        Finding(
            key="best",
            quantity=f"largest advantage in energy times area, over {best}",
            paper=claims.FACTOR,
            ours=_trusted(products[best]),
            status=Status.NOT_COMPARABLE,  # the opponent was chosen for it
            reason=(
                f"{UNKNOWN} Of {len(products)} generators this one was chosen by the result; its limits"
                f" {'reach' if near else 'miss'} the claim."
                + ("" if best.startswith("LFSR") else " Its core is counted, without wires, and not built for energy.")
            ),
            assumed=OURS,
        ),
        Finding(
            key="area",
            quantity="area of a bit, shift registers over the word",
            paper=claims.AREA_FACTOR,
            ours="; ".join(f"{name}: {_limited(area_of(row) / own)}" for name, row in lengths.items()),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{UNKNOWN} Limits as above. A bit of the word takes {own * 1e12:.0f} um2, of which its cell is"
                f" {percent(found.cell_share, 1)}. For {claimed:g} against an LFSR-8 it would have to take"
                f" {area_of(found.nominal) / claimed * 1e12:.1f} um2, periphery and all."
            ),
            assumed=OURS,
        ),
        Finding(
            key="bare",
            quantity=f"advantage of junctions' heat times cells' area alone over an {found.nominal.name}",
            paper=claims.FACTOR,
            ours=Value(value=found.bare, digits=2),
            status=Status.NOT_COMPARABLE,
            reason="What the wording would allow: a junction's heat for the energy, a cell for the area, and a whole"
            " register against them. Nothing writes or reads such bits.",
            assumed=OURS,
        ),
    ]


def _readings(found: Measured) -> list[Finding]:
    nominal = found.nominal
    needed = next(one for one in found.outcome.break_even if one.against == nominal.name)
    rates = {row.name: ratio for row in found.silicon if (ratio := found.outcome.rate_ratio(row)) is not None}
    return [
        Finding(
            key="needed",
            quantity=f"energy of a bit at which a factor of {needed.wanted:g} would hold against an {nominal.name}",
            ours=Value(
                value=needed.energy,
                unit="J",
                low=needed.energy / AREA_TRUST,
                high=needed.energy * AREA_TRUST,
                kind=f"areas to a factor of {AREA_TRUST:g}",
            ),
            status=Status.LEFT_OPEN,
            reason=(
                "At the word's area; its junctions alone take"
                f" {found.junctions.value * found.moving.value * 1e15:.0f} fJ. Or {needed.area_per_bit * 1e12:.2f} um2"
                f" at the word's energy, or both {needed.each:.0f} times less."
            ),
            assumed=OURS,
        ),
        Finding(
            key="density",
            quantity=f"ratio of energy per area (E / A), word over {nominal.name}",
            ours=_trusted(found.word.density / nominal.density),  # type: ignore[operator]
            status=Status.LEFT_OPEN,
            reason='What "energy per bit per area" says literally; lower would be better, and it falls when the same'
            " circuit is drawn larger. It ranks nothing.",
            assumed=OURS,
        ),
        Finding(
            key="rate",
            quantity=f"ratio of energy times area per rate (E A / R), {nominal.name} over the word",
            ours=_trusted(rates[nominal.name]),
            status=Status.LEFT_OPEN,
            reason=f"The only reading in which a slow wide generator is not favoured. Largest:"
            f" {max(rates.values()):.0f}, {max(rates, key=lambda name: rates[name])}.",
            assumed=OURS,
        ),
    ]


def _word(found: Measured) -> list[Finding]:
    moving = found.moving
    return [
        Finding(
            key="junctions",
            quantity="share of the junctions in the energy of a bit",
            ours=found.junctions,
            status=Status.LEFT_OPEN,
            reason="Joule heat, co-simulated, without wires. Junctions that took nothing would save no more.",
            assumed=f"{OURS}; resistance-area product of 650 ohm um2",
        ),
        Finding(
            key="moving",
            quantity="energy of a bit with moving junctions",
            ours=moving,
            status=Status.LEFT_OPEN,
            reason=(
                f"Without wires. Standing still: {found.still * 1e15:.0f} fJ in a second cycle with the same pulses,"
                f" and {found.standing * 1e15:.0f} fJ in a first cycle with those of the comparison. Pulses and the"
                f" cycle before make {percent(found.still / found.standing - 1, 1)}, motion and changing data"
                f" {percent(moving.value / found.still - 1, 1)}; savings are given to {percent(found.trust, 1)}."
            ),
            assumed=OURS,
        ),
    ]
