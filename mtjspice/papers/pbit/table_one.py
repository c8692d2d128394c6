"""Table I: what p-values of good bits look like, which tests are missing, what raw P-bits of an array give."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.experiment import Context, Experiment
from mtjspice.papers.findings import Finding, Status, Value, counted
from mtjspice.papers.pbit import claims
from mtjspice.papers.pbit import table_one_figures as figures
from mtjspice.papers.sections import Section

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
            f" in time. At a million bits {listed['P 0.49, one cell'].shown()} of the listed p-values of one cell with"
            f" P(change) = 0.49 pass, of fair cells {listed['fair'].shown()}.",
            f"Of {CELLS} cells that are read in turn, {listed['P 0.48, in turn'].shown()} pass if P(change) is 0.48,"
            f" and {listed['spread 0.05, in turn'].shown()} if it differs by 0.05 about a mean of 1/2."
            + (
                " So the order of reading decides what the suite sees."
                if listed["P 0.49, one cell"].limits[1] < listed["P 0.48, in turn"].limits[0]
                else ""
            ),
            "Five of fifteen tests are not in the table, and it does not say how many bits it rests on.",
        ),
        findings=findings,
        plates=(figures.chance_plate(chances, bound, len(few), without), figures.million_plate(results, CELLS)),
        setting=(
            f"{sequences} sequences of {LENGTH} bits of NumPy's PCG64 for the chance;"
            f" {len(next(iter(results.values())))} sequences of 1e6 emulated bits for each case, of {CELLS} cells in"
            " turn or of one, all fifteen tests."
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


def _share(found: Sequence[Mapping[str, Sequence[float]]], tests: Sequence[str]) -> Value:
    """Mean over sequences with its interval: the wider of that between sequences and that of counted p-values."""
    from mtjspice.statistics import wilson

    each = np.array([figures.passed([one], tests) for one in found])
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


EXPERIMENT = Experiment(
    key="tests",
    title="Table I",
    question="How unusual are the p-values of table I, which tests are missing, and would an uncalibrated array pass?",
    run=run,
    draw={"chance": figures.draw_chance, "million": figures.draw_million},
    minutes=(0.2, 0.5),
)
