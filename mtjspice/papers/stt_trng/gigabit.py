"""Up to a thousand million bits behind an XOR: what they show that a hundred sequences of a million do not."""

from typing import TYPE_CHECKING

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value
from mtjspice.papers.sections import Columns, Plate, Section
from mtjspice.papers.stt_trng import claims, drifting, limits
from mtjspice.papers.stt_trng.columns import Lists, add, empty
from mtjspice.papers.stt_trng.devices import LANES, XOR_RATE
from mtjspice.papers.stt_trng.limits import power_of_ten
from mtjspice.papers.stt_trng.long_streams import CASES, GOOD, PIECE, Result, lengths_to, look, seen_scatter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BAND = 2.58  # standard deviations: 99 % of fair bits
LEVEL = 0.002  # of a test of a source: 0.01 for the five tests of each
_SOURCE, _TEST, _BITS, _SIGMA, _LAW = "source", "test", "bits", "deviation [sigma]", "closed form [sigma], 0: none"
COLUMNS = (_SOURCE, _TEST, _BITS, _SIGMA, _LAW)


def run(context: Context) -> Section:
    """Make long streams piece by piece, and look at all of each and at the sequences in it."""
    bits = context.effort(PIECE, 10 * PIECE)
    sequences = context.effort(56, 100)
    results = [look(case, context.seed, bits, sequences) for case in CASES]
    results.append(look(None, context.seed, bits, sequences))
    return _section(context, results, bits, sequences)


def _failed(result: Result) -> list[str]:
    return [name for name, p in result.p_values.items() if p is not None and p < LEVEL]


def _seen(result: Result) -> str:
    failed = _failed(result)
    return f"fails {', '.join(failed)}" if failed else "passes"


def _section(context: Context, results: list[Result], bits: int, sequences: int) -> Section:
    findings = [_finding(result, bits, sequences) for result in results]
    findings += [_scatter_finding(bits), _drift_finding()]
    return Section(
        answer=_answer(results, bits, sequences), findings=findings,
        plates=(_length_plate(results, bits), drifting.drift_map(context)),
        setting=(
            f"Emulated Markov chains, {LANES} junctions that take turns; {power_of_ten(bits)} bits behind XOR of three"
            f" a source, SP 800-22 on the first {sequences} sequences of 10⁶."
        ),
    )  # fmt: skip


ASSUMED = (
    "biases, memory and drift of the emulated junctions are chosen to show what a length sees; no drift but where 1/f"
    " is named"
)


def _finding(result: Result, bits: int, sequences: int) -> Finding:
    claimed = result.label != GOOD
    law = result.law[-1]
    p_values = ", ".join(f"{name} {'-' if p is None else f'{p:.2g}'}" for name, p in result.p_values.items())
    return Finding(
        key=result.label.replace(" ", "-").replace(",", "").replace(".", "").replace("/", "").lower(),
        quantity=f"{result.label}: tests of {power_of_ten(bits)} bits at once, and of {sequences} sequences of 10⁶",
        paper=claims.XOR_PASSES if claimed else None,
        ours=f"as a whole it {_seen(result)}; sequences: {result.suite}",
        status=Status.NOT_COMPARABLE if claimed else Status.LEFT_OPEN,
        reason=(
            ("How many bits the paper tested is not known, and our junctions are chosen. " if claimed else "")
            + f"P-values of all bits: {p_values} (-: not applicable); one below {LEVEL:g} fails. The number of ones is"
            f" {result.total[-1]:.1f} standard deviations from half"
            + (f", {law:.1f} expected by the closed form (root mean square)" if law else "")
            + f". The min-entropy of a bit is at least 1 - {1 - result.entropy[0]:.1e} by its most common value (99 %),"
            f" 1 - {1 - result.entropy[1]:.1e} by blocks of 8 (95 %)."
        ),
        assumed=ASSUMED,
    )  # fmt: skip


def _scatter_finding(bits: int) -> Finding:
    low, half, high = (seen_scatter(bits, LEVEL, share) for share in (0.1, 0.5, 0.9))
    return Finding(
        key="scatter", quantity=f"scatter of P that {power_of_ten(bits)} bits show in half of all devices, ones"
        " counted by place",
        ours=Value(value=half, low=low, high=high, kind="in 10 % and in 90 % of devices", digits=2),
        status=Status.LEFT_OPEN,
        reason=(
            f"Closed form over sets of {LANES} junctions. A product of three biases varies much from set to set: the"
            " one stream above shows what one set does."
        ),
        assumed=f"{LANES} junctions in turn, normal scatter of the logit, no memory and no drift",
    )  # fmt: skip


def _drift_finding() -> Finding:
    many, one = drifting.limit("consecutive", 0.0), drifting.limit("lane", 0.0)
    memory = drifting.MEMORIES[1]
    return Finding(
        key="drift", quantity="1/f of P (root mean square) at which half of the frequency tests of 10⁶ bits fail",
        ours=f"{many:.3f} with three junctions, {one:.3f} with one, {drifting.limit('lane', memory):.3f} with one and"
        f" a memory of {memory:g}",
        status=Status.LEFT_OPEN,
        reason=(
            "Closed form without bias, a normal law of the remaining bias; the map counts. Drifts of three junctions"
            " are independent and their product averages out; the cube of one does not."
        ),
        assumed=f"1/f noise of {power_of_ten(drifting.INTERVAL)} to {power_of_ten(drifting.SLOWEST)} cycles, {LANES}"
        " junctions",
    )  # fmt: skip


def _answer(results: list[Result], bits: int, sequences: int) -> tuple[str, ...]:
    hidden = [one.label for one in results if one.label != GOOD and one.passes and _failed(one)]
    by_place = [one.label for one in results if one.passes and _failed(one) == ["places"]]
    good = next(one for one in results if one.label == GOOD)
    minutes = bits / XOR_RATE / 60
    return (
        f"{power_of_ten(bits)} bits behind an XOR, {minutes:.0f} minutes of this generator, were tested at once and as"
        f" {sequences} sequences of a million. "
        + (f"Fair to SP 800-22 but not as a whole: {'; '.join(hidden)}." if hidden
           else "No source passed all of SP 800-22 and failed as a whole.")
        + f" {GOOD}, as a control, {_seen(good)} as a whole. By the closed form a common bias of"
        f" {limits.xor_limit():.4f} fails every other test of 10⁶ bits, one of {limits.xor_limit(bits):.4f} every"
        f" other test of {power_of_ten(bits)}.",
        f"With {LANES} junctions in turn the same {LANES} triples return, each with a bias of its own. Ones counted for"
        " each of these places show biases that cancel in the sum; SP 800-22 has no such count. "
        + (f"Seen in that way alone: {'; '.join(by_place)}." if by_place else
           "No source here was seen in that way alone."),
        "How much slow noise an XOR forgives depends on its wiring. Half of the tests of 10⁶ bits fail at a 1/f noise"
        f" of P (root mean square) of {drifting.limit('consecutive', 0):.2f} with three junctions and of"
        f" {drifting.limit('lane', 0):.2f} with three bits of one; a memory of {drifting.MEMORIES[1]:g} makes the"
        f" latter {drifting.limit('lane', drifting.MEMORIES[1]):.2f}.",
    )  # fmt: skip


def _length_plate(results: list[Result], bits: int) -> Plate:
    columns: Lists = empty(COLUMNS)
    for one in results:
        for name, values in (("all ones", one.total), ("16 places", one.places)):
            for n, value, law in zip(lengths_to(bits), values, one.law, strict=True):
                add(columns, one.label, name, float(n), float(value), float(law) if name == "all ones" else 0.0)
    return Plate(
        key="length",
        caption=(
            "How far the ones are from half of the bits, in standard deviations of fair bits, against the bits counted;"
            " one stream a source, behind XOR of three. Left: all ones (absolute); lines: root mean square expected by"
            " the closed form, where there is one. Right: chi-square of the ones at each of the 16 places, in standard"
            " deviations above fair bits. Grey: 99 % of fair bits. The axis is linear below 3."
        ),
        alt=f"Outside of the grey band at {power_of_ten(bits)} bits: by all ones {_outside(results, 'total')}; by"
        f" places {_outside(results, 'places')}.",
        columns=columns,
    )


def _outside(results: list[Result], of: str) -> str:
    return ", ".join(one.label for one in results if abs(getattr(one, of)[-1]) > BAND) or "none"


def draw_length(columns: Columns) -> "Figure":
    """Deviations against the length, of all ones and by place."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.6, columns=2, sharey=True)
    sources = list(dict.fromkeys(columns[_SOURCE].tolist()))
    for axis, test, low in zip(grid[0], ("all ones", "16 places"), (0.0, -BAND), strict=True):
        axis.axhspan(low, BAND, color="#d8d8d8", linewidth=0, zorder=0)
        for number, (source, colour, marker) in enumerate(
            zip(sources, (BLUE, ORANGE, RED, GREEN, BLACK), "os^Dx", strict=True)
        ):
            mine = (columns[_SOURCE] == source) & (columns[_TEST] == test)
            x = columns[_BITS][mine]
            axis.plot(x * 1.06 ** (number - 2), columns[_SIGMA][mine], marker, markersize=4, color=colour, label=source)
            if test == "all ones" and columns[_LAW][mine].any() and source != GOOD:
                axis.plot(x, columns[_LAW][mine], "-", linewidth=1, color=colour)
        axis.set(xscale="log", xlabel="bits behind the XOR")
        axis.set_title(test, loc="left", fontsize=9)
    grid[0, 0].set_yscale("symlog", linthresh=3)
    grid[0, 0].set(ylabel="deviation [standard deviations]", ylim=(-3, None))
    grid[0, 0].set_yticks([-2, 0, 2, 5, 10, 30], ["-2", "0", "2", "5", "10", "30"])
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


EXPERIMENT = Experiment(
    key="gigabit",
    title="What do longer streams show?",
    question="Which bias, memory and drift do long streams show that a hundred sequences of a million bits do not?",
    run=run,
    draw={"length": draw_length, "drifting": drifting.draw_drifting},
    minutes=(0.4, 1.6),
)
