"""Table I: what p-values of good bits look like, which tests are missing, what raw P-bits of an array give."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.pbit import claims
from mtjspice.papers.sections import Columns, Plate, Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.statistics import Proportion

Floats = NDArray[np.float64]

HIGH = 0.8
LENGTH = 1 << 14  # bits of a sequence for the chance, where many are needed
LONG = 1_000_000
CELLS = 64
CASES: Mapping[str, tuple[float, float, int]] = {
    "fair": (0.5, 0.0, CELLS), "P 0.49, one cell": (0.49, 0.0, 1), "P 0.48, in turn": (0.48, 0.0, CELLS),
    "P 0.45, in turn": (0.45, 0.0, CELLS), "spread 0.05, in turn": (0.5, 0.05, CELLS),
    "spread 0.1, in turn": (0.5, 0.1, CELLS),
}  # fmt: skip
"""Mean probability of a change by a pulse, its standard deviation between cells, and cells that are read in turn."""
_COUNT, _CHANCE, _LOW, _UP, _KIND = "p-values of 0.8 or more", "probability", "low", "high", "tests"
_CASE, _TEST, _SHARE, _SEQUENCES = "P-bits", "test", "share of p-values that pass", "sequences"
SIMULATED, INDEPENDENT = "the tests, on good bits", "independent p-values"


def independent(tests: int, high: float = HIGH) -> Floats:
    """Chance of k or more p-values of ``high`` or more among independent uniform ones, for k = 0 ... ``tests``."""
    from scipy.special import bdtrc

    return np.array([1.0, *(float(bdtrc(k - 1, tests, 1 - high)) for k in range(1, tests + 1))])


def run(context: Context) -> Section:
    """The suite of this project on NumPy's bits (the chance) and on emulated P-bits (the million)."""
    from mtjspice.bits.sp800_22.suite import NAMES
    from mtjspice.papers.pbit import cells
    from mtjspice.statistics import wilson

    seeds = cells.streams(context.seed, 3)
    few = tuple(name for name in claims.P_VALUES if name != "random-excursions")
    sequences = context.effort(8000, 60_000)
    p_values = _p_values(few, sequences, LENGTH, seeds[0])
    high = (p_values >= HIGH).sum(axis=1)
    chances = [wilson(int((high >= k).sum()), sequences) for k in range(len(few) + 1)]
    bound = independent(len(few))
    paper_high = sum(value >= HIGH for value in claims.P_VALUES.values())
    without = sum(claims.P_VALUES[name] >= HIGH for name in few)
    chance, alone = chances[without], float(bound[without])
    pairs = np.atleast_2d(np.corrcoef(p_values.T))
    i, j = max(((a, b) for a in range(len(few)) for b in range(a)), key=lambda ab: pairs[ab])
    told = (
        "So high p-values come together, and the row of table I is less unusual than independence makes it."
        if chance.low > alone
        else "These sequences do not tell the two apart."
    )
    missing = [name for name in NAMES if name not in claims.LISTED]
    results = _million(context, seeds[1])
    listed = {name: _share(found, claims.LISTED) for name, found in results.items()}
    others = {name: _share(found, missing) for name, found in results.items()}

    findings = [
        Finding(
            key="missing", quantity="tests of SP 800-22 that table I leaves out", paper=claims.TABLE_ONE,
            ours=", ".join(missing), status=Status.NOT_COMPARABLE,
            reason="Ten of fifteen are listed; why the others are missing is not said, nor how many bits were tested.",
        ),
        Finding(
            key="independent",
            quantity=f"chance of {paper_high} of {len(claims.P_VALUES)} p-values of 0.8 or more, if independent",
            ours=Value(value=float(independent(len(claims.P_VALUES))[paper_high]), digits=2), status=Status.LEFT_OPEN,
            reason="Binomial. The threshold was chosen after seeing the values, which makes any such number too small.",
        ),
        Finding(
            key="chance", quantity=f"chance of {without} of {len(few)} of them on good bits, the tests as they are",
            ours=counted(chance, 2), status=Status.LEFT_OPEN,
            reason=(
                f"{sequences} sequences of {LENGTH} bits, without random excursions, which need longer ones."
                f" Independent tests would give {alone:.1e}: tests share the same bits ({few[i]} and {few[j]} are"
                f" correlated with {pairs[i, j]:.2f}). {told} One run is no evidence of anything."
            ),
            assumed="NIST's first p-value where a test has two; length of the sequences",
        ),
        *(
            Finding(
                key=f"million-{place}-{k}", quantity=f"p-values of {what} tests that pass at 1e6 bits, {name}",
                ours=found[name], status=Status.LEFT_OPEN, reason=_reason(name),
                assumed="emulated bits: a Markov chain for each cell",
            )
            for k, name in enumerate(CASES)
            for place, what, found in (("listed", "listed", listed), ("others", "left-out", others))
        ),
    ]  # fmt: skip
    return Section(
        answer=(
            f"Eight of nine p-values of 0.8 or more have a chance of {independent(9)[8]:.1e} if tests are independent."
            f" They share their bits: seven of the eight that short sequences allow come about with {chance.value:.1e}"
            f" ({chance.low:.1e} to {chance.high:.1e}) on good bits, where independence says {alone:.1e}. {told} With"
            " one sequence shown and a threshold chosen afterwards, neither number proves anything.",
            "Cells that toggle without a reset have fair single bits at any setting; what is wrong shows as correlation"
            " in time. Share of the listed p-values that pass at a million bits: one cell with P(change) = 0.49,"
            f" {listed['P 0.49, one cell'].value:.2f}; {CELLS} cells in turn with 0.48,"
            f" {listed['P 0.48, in turn'].value:.2f}; {CELLS} in turn that differ by 0.05 about a mean of 1/2,"
            f" {listed['spread 0.05, in turn'].value:.2f}; fair cells, {listed['fair'].value:.2f}. The order of reading"
            " decides what the suite can see.",
            "Five of fifteen tests are not in the table, and it does not say how many bits it rests on.",
        ),
        findings=findings,
        plates=(_chance_plate(chances, bound, len(few), without), _million_plate(results)),
        setting=(
            f"{sequences} sequences of {LENGTH} bits of NumPy's PCG64 for the chance;"
            f" {len(next(iter(results.values())))} sequences of 1e6 emulated bits of {CELLS} interleaved cells for each"
            " case, all fifteen tests."
        ),
    )


def _p_values(tests: tuple[str, ...], sequences: int, length: int, seed: int) -> Floats:
    """First p-value of each test for each sequence, (sequences, tests)."""
    from mtjspice.bits.sp800_22.settings import Settings
    from mtjspice.bits.sp800_22.suite import run_suite

    # NIST's limits for that length
    settings = Settings(serial_block=11, approximate_entropy_block=8)
    rng = np.random.Generator(np.random.PCG64(seed))
    found = np.empty((sequences, len(tests)))
    for k in range(sequences):
        bits = np.unpackbits(rng.integers(0, 256, length // 8, np.uint8))
        results = run_suite(bits, tests=tests, settings=settings)
        found[k] = [results[name].p_values[0] for name in tests]
    return found


def _million(context: Context, seed: int) -> dict[str, list[dict[str, tuple[float, ...]]]]:
    """P-values by test of each sequence of each case."""
    from mtjspice.bits.sp800_22.suite import run_suite
    from mtjspice.device.chain import ChainModel

    found: dict[str, list[dict[str, tuple[float, ...]]]] = {}
    for (name, (mean, spread, lanes)), sub in zip(
        CASES.items(), np.random.SeedSequence(seed).spawn(len(CASES)), strict=True
    ):
        rng = np.random.default_rng(sub)
        found[name] = []
        for _ in range(context.effort(4, 24)):
            p = np.clip(mean + spread * _centred(rng, lanes), 0.01, 0.99)
            bits = ChainModel(p, p).sample(LONG // lanes, rng).ravel()
            results = run_suite(bits)
            found[name].append({one.name: one.p_values for one in results.results})
    return found


def _centred(rng: np.random.Generator, count: int) -> Floats:
    """Normal deviates whose mean is 0: the array's mean is set."""
    z = rng.standard_normal(count)
    return np.asarray(z - z.mean())


def _passed(found: Sequence[Mapping[str, Sequence[float]]], tests: Sequence[str]) -> float:
    """Share of p-values of 0.01 or more; NaN without any."""
    values = [p for one in found for name in tests for p in one[name]]
    return sum(p >= 0.01 for p in values) / len(values) if values else float("nan")


def _share(found: Sequence[Mapping[str, Sequence[float]]], tests: Sequence[str]) -> Value:
    """Mean over sequences with its interval: the wider of that between sequences and that of counted p-values."""
    from mtjspice.statistics import wilson

    each = np.array([_passed([one], tests) for one in found])
    mean, half = float(each.mean()), 1.96 * float(each.std(ddof=1)) / float(np.sqrt(len(each)))
    number = sum(len(one[name]) for one in found for name in tests)
    alone = wilson(round(mean * number), number)
    low, high = min(mean - half, alone.low), max(mean + half, alone.high)
    return Value(value=mean, low=max(0.0, low), high=min(1.0, high), kind=f"95 %, {len(each)} sequences")


def _reason(name: str) -> str:
    if name == "fair":
        return "0.99 of the p-values of good bits pass. Emulated bits are pseudo-random: this checks the emulator."
    if name.startswith("spread"):
        return (
            "The mean over the array is exactly 1/2; every cell is read after each pulse, all in turn, without a"
            " reset. Cells away from 1/2 repeat themselves, or alternate, 64 bits apart: few tests look that far."
        )
    if name.endswith("one cell"):
        return "Single bits are fair, and neighbours are not independent: runs and serial see a memory of 0.02."
    return "Single bits are fair; consecutive states of a cell are not independent, 64 bits apart in this order."


def _chance_plate(chances: list["Proportion"], bound: Floats, tests: int, without: int) -> Plate:
    shown = [k for k in range(1, tests + 1) if chances[k].count]
    return Plate(
        key="chance",
        caption=(
            f"Chance that at least so many of {tests} tests (those of table I with a p-value, without random"
            f" excursions) give 0.8 or more: counted on {chances[0].trials} sequences of good bits (95 %), and if the"
            f" tests were independent. Dotted: {without}, as in table I."
        ),
        alt="Counted chances lie above those of independent tests, by a factor that grows to ten and more.",
        columns={
            _KIND: [SIMULATED] * len(shown) + [INDEPENDENT] * tests,
            _COUNT: shown + list(range(1, tests + 1)),
            _CHANCE: [chances[k].value for k in shown] + bound[1:].tolist(),
            _LOW: [chances[k].low for k in shown] + bound[1:].tolist(),
            _UP: [chances[k].high for k in shown] + bound[1:].tolist(),
        },
    )


def _million_plate(results: Mapping[str, list[dict[str, tuple[float, ...]]]]) -> Plate:
    rows = [(case, test, _passed(found, [test]), len(found)) for case, found in results.items() for test in found[0]]
    return Plate(
        key="million",
        caption=(
            "Share of p-values of 0.01 or more at a million emulated bits, by test, for 64 cells that toggle without a"
            " reset and are read in turn: fair, set wrongly, or different about a mean of 1/2. Good bits give 0.99."
            " Tests in italics are not in table I. Blank: not applicable to any of the sequences."
        ),
        alt="; ".join(
            f"{case}: {_passed(found, list(found[0])):.2f} of all p-values pass" for case, found in results.items()
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_CASE, _TEST, _SHARE, _SEQUENCES))},
    )


def draw_chance(columns: Columns) -> "Figure":
    """Chance of many high p-values."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, new_figure

    figure, grid = new_figure(2.8)
    axis = grid[0, 0]
    for kind, colour, marker in ((SIMULATED, BLUE, "o"), (INDEPENDENT, ORANGE, "s--")):
        own = columns[_KIND] == kind
        value = columns[_CHANCE][own]
        bars = np.abs(np.stack([value - columns[_LOW][own], columns[_UP][own] - value]))
        axis.errorbar(
            columns[_COUNT][own], value, yerr=bars, fmt=marker, color=colour, markersize=4, capsize=2, label=kind
        )
    axis.axvline(7, color=BLACK, linewidth=0.8, linestyle=":")
    axis.set(yscale="log", xlabel=f"{_COUNT}, at least", ylabel=_CHANCE)
    axis.legend(fontsize=8)
    return figure


def draw_million(columns: Columns) -> "Figure":
    """Shares that pass, by test and case."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(3.9)
    axis = grid[0, 0]
    cases, tests = (list(dict.fromkeys(columns[key])) for key in (_CASE, _TEST))
    share = columns[_SHARE].reshape(len(cases), len(tests)).T
    axis.imshow(np.ma.masked_invalid(share), cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for y in range(len(tests)):
        for x in range(len(cases)):
            if np.isfinite(share[y, x]):
                axis.text(
                    x,
                    y,
                    f"{share[y, x]:.2f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="black" if share[y, x] > 0.5 else "white",
                )
    axis.set_xticks(range(len(cases)), [one.replace(", ", "\n") for one in cases], fontsize=8)
    axis.set_yticks(range(len(tests)), tests, fontsize=8)
    for label, test in zip(axis.get_yticklabels(), tests, strict=True):
        label.set_style("normal" if test in claims.LISTED else "italic")
    axis.grid(visible=False)
    return figure


EXPERIMENT = Experiment(
    key="tests",
    title="Table I",
    question="How unusual are the p-values of table I, which tests are missing, and would an uncalibrated array pass?",
    run=run,
    draw={"chance": draw_chance, "million": draw_million},
    minutes=(0.2, 0.5),
)
