"""Table II: its own arithmetic, its rows beside the circuits of this project as drawn, and CMOS that it leaves out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Claim, Finding, Status, Value, judge
from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.layout.baselines import Baseline
    from mtjspice.layout.generators import Generator

PARALLEL = 64  # assumed, to set our columns beside a table whose parallel width is unknown
_NAME, _GROUP, _RATE, _ENERGY = "generator", "group", "rate [bit/s]", "energy [J/bit]"
PAPER, OTHERS, OURS, PUBLISHED = "table II, this work", "table II, others", "here, with wires", "published CMOS"


def rounding(numerator: float, denominator: float, digits: tuple[int, int]) -> Value:
    """Ratio of two rounded numbers; limits are what half a unit of the last of ``digits`` significant ones allows."""
    from math import floor, log10

    (a, da), (b, db) = (
        (x, 0.5 * 10.0 ** (floor(log10(x) + 1e-9) + 1 - n))
        for x, n in zip((numerator, denominator), digits, strict=True)
    )
    return Value(value=a / b, low=(a - da) / (b + db), high=(a + da) / (b - db), kind="rounding")


def run(context: Context) -> Section:
    """Arithmetic of the table; columns of 8 rows with the wires of their layouts; published rows of the package."""
    from mtjspice.circuits.technology import technology
    from mtjspice.generative.sde import cost
    from mtjspice.layout import baselines, generators, plan
    from mtjspice.papers.pbit import cells

    wires = generators.drawn_wires()
    found = generators.columns(technology(cells.TECHNOLOGY), wires=wires)
    drawn = {one.name: one for one in found}
    inside, beside = drawn["P-bit in situ, cycle"], drawn["P-bit ex situ, cycle"]
    areas = {name: plan.area(one.circuit) for name, one in (("in", inside), ("ex", beside))}
    published = [
        one
        for one in baselines.PUBLISHED
        if one.energy is not None and "paper" not in one.name and "cited" not in one.name
    ]
    least = min(published, key=lambda one: one.energy or 0.0)
    fastest = max((one for one in published if one.throughput), key=lambda one: one.throughput or 0.0)
    assert least.energy is not None
    assert fastest.throughput is not None
    first, second = claims.IN_SITU, claims.EX_SITU

    ratios = _ratios()
    kept = sum(judge(claim, ratio) is Status.AGREES for claim, ratio in ratios)
    cmos = [row.work for row in claims.TABLE_TWO if row.device == "CMOS"]

    findings = [
        Finding(
            key="arithmetic", quantity="from the rows of table II: the ratios of the text", paper=claims.RATIOS,
            ours=", ".join(f"{ratio.value:#.3g}" for _, ratio in ratios), status=Status.NOT_COMPARABLE,
            reason=(
                f"{kept} of {len(ratios)} follow from the rows within their rounding. Consistency of the paper with"
                " itself, no evidence: the same ratios told which value belongs to which row."
            ),
        ),
        *(
            _row(key, row, one)
            for key, row, one in (("in-situ", first, inside), ("ex-situ", second, beside))
        ),
        *(
            _other(k, row, inside)
            for k, row in enumerate(claims.TABLE_TWO)
            if row.usable and row not in (first, second)
        ),
        Finding(
            key="best-cmos", quantity="energy of the published CMOS generator that takes least, over 0.089 pJ",
            paper=claims.MORE_EFFICIENT_THAN_CMOS, ours=Value(value=least.energy / first.energy, digits=2),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{least.name} ({least.technology}) takes {least.energy * 1e15:.1f} fJ a bit by its abstract: "
                + ("less than the P-bits." if least.energy < first.energy else "more than the P-bits.")
                + f" It came after the paper, and in another process; best CMOS means the better of"
                f" {' and '.join(cmos)}, the table's rows of CMOS."
            ),
        ),
        Finding(
            key="fast-cmos",
            quantity=f"rate of the fastest published CMOS generator, over {claims.IN_SITU.rate * 1e-9:g} bit/ns",
            paper=claims.FASTER_THAN_CMOS, ours=Value(value=fastest.throughput / first.rate, digits=2),
            status=Status.NOT_COMPARABLE,
            reason=(
                f"{fastest.name} ({fastest.technology}), a single one. The paper's is the rate of an array whose size"
                " is not given; several generators side by side have any rate."
            ),
        ),
        Finding(
            key="ratio", quantity="energy ex situ over in situ with drawn wires", paper=claims.MORE_EFFICIENT,
            ours=Value(value=beside.energy / inside.energy),
            status=Status.NOT_COMPARABLE,
            reason=(
                "Both circuits are ours; pulses at unchanged control voltages, which wires widen. Without wires"
                f" {cost.EX_SITU.energy / cost.IN_SITU.energy:.1f}. The experiment on cost has what decides it."
            ),
            assumed="both circuits",
        ),
        Finding(
            key="area", quantity="area of the column with P-bits beside it, beyond that in situ, a P-bit",
            paper=claims.NO_AREA, ours=f"{(areas['ex'] - areas['in']) / beside.bits * 1e12:.0f} um2",
            status=Status.NOT_COMPARABLE,
            reason=(
                "In situ nothing is added to a column that is there: true by construction. But the column's"
                f" {areas['in'] / inside.bits * 1e12:.0f} um2 a P-bit hold a pulse generator and drivers that an"
                " ordinary array does not need at this precision."
            ),
            assumed="gf180mcu, layouts of this project",
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"{kept} of {len(ratios)} ratios of the text follow from the rows within their rounding. That compares the"
            " paper with itself and is no evidence: the ratios also told which value belongs to which row.",
            f"Best CMOS is the better of {len(cmos)} CMOS circuits in the table, {' and '.join(cmos)}. A published one"
            f" that the table does not have ({least.name}, {least.technology}) takes {least.energy * 1e15:.1f} fJ a"
            f" bit, {least.energy / first.energy:.2f} of the paper's {first.energy * 1e15:.0f} fJ; it is later than the"
            " paper. The largest factors of the text are against generators on circuit boards, not on chips.",
            f"In gf180mcu with the wires of the layout a P-bit in situ takes {inside.energy * 1e15:.0f} fJ with its"
            f" computing ({drawn['P-bit in situ, drawn'].energy * 1e15:.0f} without),"
            f" {inside.energy / first.energy:.0f} times the paper's; the process may be the reason, which cannot be"
            " checked.",
        ),
        findings=findings,
        plates=(_plate(found, published),),
        setting=(
            f"Columns of 8 rows in gf180mcu, card imec_iedm24, wires from their layouts; rates for {PARALLEL} P-bits at"
            " once; published rows from abstracts (mtjspice.layout.baselines). The row of table II that gives 10"
            " bit/ns from a board is not used."
        ),
    )


def _ratios() -> list[tuple[Claim, Value]]:
    """Ratios that the text gives, and what the rows of the table give for them."""
    first, second, best = claims.IN_SITU, claims.EX_SITU, claims.BEST_CMOS
    return [
        (claims.FASTER, rounding(first.rate, second.rate, (3, 3))),
        (claims.MORE_EFFICIENT, rounding(second.energy, first.energy, (3, 2))),
        (claims.FASTER_THAN_CMOS, rounding(first.rate, best.rate, (3, 2))),
        (claims.MORE_EFFICIENT_THAN_CMOS, rounding(best.energy, first.energy, (3, 2))),
        (claims.LARGEST_SPEED, rounding(first.rate, claims.SLOWEST.rate, (3, 2))),
        (claims.LARGEST_EFFICIENCY, rounding(claims.LEAST_EFFICIENT.energy, first.energy, (3, 2))),
    ]


def _row(key: str, row: claims.Row, found: "Generator") -> Finding:
    """A row of the paper's own beside the column of this project."""
    return Finding(
        key=key, quantity=f"row of {row.work}: rate and energy, column here with drawn wires",
        paper=claims.row_claim(row),
        ours=f"{PARALLEL / found.time * 1e-9:.3g} bit/ns, {found.energy * 1e12:.3g} pJ/bit",
        status=Status.NOT_COMPARABLE,
        reason=(
            f"Process, circuits and number of P-bits at once are not given: {PARALLEL} in {found.time * 1e9:.1f} ns is"
            " ours, and any rate is had by more of them. Side by side, not against each other."
        ),
        assumed=f"gf180mcu, 3.3 V, 8 rows; {PARALLEL} P-bits at once; with computing",
    )  # fmt: skip


def _other(number: int, row: claims.Row, inside: "Generator") -> Finding:
    """A row of other people's beside the column in situ."""
    rate, energy = PARALLEL / inside.time / row.rate, inside.energy / row.energy
    return Finding(
        key=f"row-{number}", quantity=f"row of {row.work} ({row.device}), beside the column in situ here",
        paper=claims.row_claim(row), ours=f"here: {rate:.2g} times its rate, {energy:.2g} times its energy a bit",
        status=Status.NOT_COMPARABLE,
        reason="No circuit of that kind was built here; the cited work was not seen. Side by side only.",
        assumed=f"gf180mcu, 3.3 V, 8 rows; {PARALLEL} P-bits at once; with computing",
    )  # fmt: skip


def _plate(found: Sequence["Generator"], published: Sequence["Baseline"]) -> Plate:
    rows = [
        (row.work, PAPER if row.work.startswith("this work") else OTHERS, row.rate, row.energy)
        for row in claims.TABLE_TWO
        if row.usable
    ]
    rows += [(one.name, OURS, PARALLEL / one.time, one.energy) for one in found if "added" not in one.name]
    ours = [energy for _, group, _, energy in rows if group == OURS]
    rows += [(one.name, PUBLISHED, one.throughput, one.energy) for one in published if one.throughput and one.energy]
    return Plate(
        key="table",
        caption=(
            "Table II as far as it is used: energy a bit against rate, right and down is better. Beside it, columns of"
            f" this project in gf180mcu with drawn wires, at {PARALLEL} P-bits at once (assumed), without computing"
            " (drawn) and with it (cycle), and published CMOS generators whose rate and energy are known. Dashed: 38.1"
            " fJ a bit of a CMOS generator at 28 nm whose rate at that energy is not known."
        ),
        alt=(
            "The paper's P-bits lie at the lower right; those of this project take"
            f" {min(ours) / claims.IN_SITU.energy:.0f} to {max(ours) / claims.IN_SITU.energy:.0f} times the energy of"
            " the paper's in situ."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_NAME, _GROUP, _RATE, _ENERGY))},
    )


_LABELS = {
    "this work, ex situ": (-1, 0), "JSSC 2024": (-1, -6), "P-bit ex situ, cycle": (1, 5),
    "P-bit ex situ, drawn": (1, -3),
    "TRNG, metastable inverters": (-1, -3), "uRNG, full entropy, 0.75 V": (-1, 3), "chaos generator, digital": (1, 4),
    "P-bit in situ, drawn": (1, -2), "NC 2024, out of plane": (1, -6), "IEDM 2023": (1, 4),
}  # fmt: skip
"""Side and lift (points) of labels that would lie on each other."""


def draw_table(columns: Columns) -> "Figure":
    """Energy against rate, all rows."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.9)
    axis = grid[0, 0]
    axis.axhline(38.1, color=BLACK, linewidth=0.8, linestyle="--")
    for group, colour, marker in ((PAPER, RED, "D"), (OTHERS, ORANGE, "s"), (OURS, BLUE, "o"), (PUBLISHED, GREEN, "^")):
        own = columns[_GROUP] == group
        axis.loglog(
            columns[_RATE][own] * 1e-9, columns[_ENERGY][own] * 1e15, marker, color=colour, markersize=6, label=group
        )
        for name, rate, energy in zip(columns[_NAME][own], columns[_RATE][own], columns[_ENERGY][own], strict=True):
            side, lift = _LABELS.get(str(name), (1, 0))
            axis.annotate(
                str(name).removeprefix("P-bit "), (rate * 1e-9, energy * 1e15), xytext=(6 * side, lift - 2),
                textcoords="offset points", ha="left" if side > 0 else "right", fontsize=7, color=colour,
            )  # fmt: skip
    axis.set(xlabel="rate [bit/ns]", ylabel="energy [fJ/bit]", xlim=(1e-5, 3000))
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="table",
    title="Table II",
    question="Does the table add up, and are P-bits in place better than the best CMOS?",
    run=run,
    draw={"table": draw_table},
    minutes=(0.6, 0.6),
    modules=("klayout",),
)
