"""Noise words of the co-simulated circuit against what their pulse program predicts: figures, tables and files.

matplotlib is imported by the figure only.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from mtjspice import __version__
from mtjspice.circuits.benches.word import toggling_control
from mtjspice.circuits.benches.word_program import WordConditions
from mtjspice.errors import InputError
from mtjspice.files import output_folder, write_atomically
from mtjspice.generative.cells import programmed_law
from mtjspice.generative.encodings.catalogue import encoding_of
from mtjspice.generative.encodings.programmed import ProgrammedWords, TreeWords
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.law import Law, product_pmf, transient_bits
from mtjspice.generative.pulse_program import PulseProgram
from mtjspice.statistics import Proportion, wilson
from mtjspice.studies.noise_words import Made, Schedule, make, schedule
from mtjspice.studies.word_calibration import TRIALS, Calibration, Wanted, calibrate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
HEADER = ("bit", "ones", "frequency", "95 % interval", "circuit", "program", "P01, n", "P10, n")
_LEAST = 5.0  # expected words of a pool of codes


@dataclass(frozen=True)
class Test:
    """Pearson's chi-square of pooled codes: statistic, degrees of freedom, and the chance of a larger one."""

    __test__ = False  # not one of pytest's

    chi_square: float
    degrees: int
    p_value: float


@dataclass(frozen=True, eq=False)
class Prepared:
    """A program whose levels have been found on the circuit."""

    program: PulseProgram
    conditions: WordConditions
    calibration: Calibration
    schedule: Schedule

    @property
    def words(self) -> ProgrammedWords | ToggleWords:
        """The encoding."""
        found = encoding_of(self.program.encoding)
        assert isinstance(found, ProgrammedWords | ToggleWords)
        return found

    def transitions(self) -> tuple[Floats, Floats]:
        """P01 and P10 of each level by the calibration, shape (levels,); 0 where there is no pulse."""
        levels = np.array([one.level for one in self.schedule.levels])
        rising, falling = self.calibration.probabilities(levels)
        return np.where(levels > 0, rising, 0.0), np.where(levels > 0, falling, 0.0)

    def stored(self) -> Floats:
        """Probability that each level's column ends in AP, failed resets of words of independent bits counted."""
        rising, falling = self.transitions()
        if self.schedule.sequential:
            return rising
        ends = transient_bits(rising, falling, self.schedule.pulses)
        for _ in range(3):  # what the last word left there; failures are rare
            ends = transient_bits(rising, falling, self.schedule.pulses, ends * self.calibration.reset_failure)
        return ends

    def table(self) -> Floats:
        """Probability of a one of each level's bit on the circuit."""
        inverted = np.array([one.inverted for one in self.schedule.levels])
        return np.where(inverted, 1 - self.stored(), self.stored())

    def pmf(self) -> Floats:
        """Probability of each code on the circuit, shape (2^bits,)."""
        if self.schedule.sequential:
            return programmed_law(self.table(), self.words.bits).probabilities
        return product_pmf(self.table())

    def law(self) -> Law:
        """Law of the numbers on the circuit."""
        return Law.of(self.words.values(), self.pmf())

    def numbers(self, made: Made) -> Floats:
        """Numbers of words, shape (words,)."""
        return self.words.values()[_codes(made)]


def prepare(
    program: PulseProgram, conditions: WordConditions, *, trials: int = TRIALS, seed: int = 1,
    progress: Callable[[float], None] = lambda done: None,
) -> Prepared:  # fmt: skip
    """Calibrate the circuit for a program; InputError for one that it cannot run, SimulatorError from the simulator."""
    words = encoding_of(program.encoding)
    if not isinstance(words, ProgrammedWords | ToggleWords):
        raise InputError(f"{program.encoding!r} has no programmed cells; product, tree and toggle have")
    card, word = conditions.word.card, conditions.word
    if card.vcma_coefficient == 0:
        raise InputError(f"card {card.name} has no VCMA; the columns of {word.name} write by nothing else")
    if words.bits > word.bits:
        raise InputError(f"{program.encoding} has {words.bits} bits, {word.name} has {word.bits} columns")
    if isinstance(words, ToggleWords) and not words.reset:
        raise InputError("words that toggle without a reset do not start anew; the circuit makes those with reset=yes")
    expected = 2**words.bits - 1 if isinstance(words, TreeWords) else words.bits
    if len(program.pulses) != expected:
        raise InputError(f"a pulse program of {program.encoding} has {expected} pulses, not {len(program.pulses)}")
    wanted = Wanted(
        program.by, program.fixed, tuple(one.value for one in program.pulses),
        tuple(one.rising for one in program.pulses),
    )  # fmt: skip
    reset = toggling_control(word.technology)
    found = calibrate(conditions, wanted, reset, trials=trials, seed=seed, progress=progress)
    cells = [(one.bit, one.prefix, one.rising if one.value else 0.0, one.inverted) for one in program.pulses]
    step = program.step if program.by == "voltage" else 0.0
    return Prepared(
        program, conditions, found, schedule(found, words.bits, cells, program.repetitions, reset, step)
    )  # fmt: skip


def run(prepared: Prepared, words: int, seed: int) -> Iterator[Made]:
    """Make words and yield all that are finished, after each transient."""
    total: Made | None = None
    for made in make(prepared.conditions, prepared.schedule, words, seed):
        total = made if total is None else total + made
        yield total


def intervals(made: Made, confidence: float = 0.95) -> list[Proportion]:
    """Wilson interval of the ones of each bit."""
    return [wilson(int(one), len(made.bits), confidence) for one in made.bits.sum(axis=0, dtype=np.int64)]


def marginals(prepared: Prepared) -> tuple[Floats, Floats]:
    """Probability of a one of each bit on the circuit and by the program, both (bits,)."""
    bits = prepared.words.bits
    codes = (np.arange(2**bits)[:, None] >> np.arange(bits - 1, -1, -1)) & 1
    words, program = prepared.words, prepared.program
    if isinstance(words, ToggleWords):
        rises = np.array([one.rising for one in program.pulses])
        falls = np.array([one.rising if one.falling is None else one.falling for one in program.pulses])
        aims = transient_bits(rises, falls, words.pulses)
        return prepared.pmf() @ codes, np.where([one.inverted for one in program.pulses], 1 - aims, aims)
    table = np.array([one.achieved for one in program.pulses])
    return prepared.pmf() @ codes, programmed_law(table, bits).probabilities @ codes


def tested(prepared: Prepared, made: Made) -> Test | None:
    """Pearson's test of the words against the law on the circuit; None where fewer than two pools of codes are left.

    Codes in the order of their numbers are pooled until five words are expected of each pool.
    """
    order = np.argsort(prepared.words.values(), kind="stable")
    expected = prepared.pmf()[order] * len(made.bits)
    counts = np.bincount(_codes(made), minlength=expected.size)[order]
    pools: list[list[float]] = [[0.0, 0.0]]
    for wanted, count in zip(expected.tolist(), counts.tolist(), strict=True):
        if pools[-1][0] >= _LEAST:
            pools.append([0.0, 0.0])
        pools[-1][0] += wanted
        pools[-1][1] += count
    if pools[-1][0] < _LEAST and len(pools) > 1:
        last = pools.pop()
        pools[-1] = [pools[-1][0] + last[0], pools[-1][1] + last[1]]
    if len(pools) < 2:
        return None
    table = np.array(pools)
    statistic = float(((table[:, 1] - table[:, 0]) ** 2 / table[:, 0]).sum())
    return Test(statistic, len(pools) - 1, float(chdtrc(len(pools) - 1, statistic)))


def time_per_word(prepared: Prepared) -> float:
    """Seconds on the circuit from one word to the next."""
    return prepared.schedule.slots * prepared.conditions.timing.slot


def rows(prepared: Prepared, made: Made) -> list[tuple[str, ...]]:
    """A row a bit, the highest first; P01 and P10 as counted, for words that are no tree's."""
    circuit, program = marginals(prepared)
    found: list[tuple[str, ...]] = []
    for bit, one in enumerate(intervals(made)):
        shown = ("", "")
        if not prepared.schedule.sequential:
            shown = _share(made.rises[bit]), _share(made.falls[bit])
        found.append((
            str(bit), str(one.count), f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}", f"{circuit[bit]:.3f}",
            f"{program[bit]:.3f}", *shown,
        ))  # fmt: skip
    return found


def notes(prepared: Prepared, made: Made) -> list[str]:
    """Lines below the table."""
    found, test = prepared.calibration, tested(prepared, made)
    numbers = prepared.numbers(made)
    law = prepared.law()
    count = len(made.bits)
    verdict = "too few words for a test of the law"
    if test is not None:
        verdict = (
            f"chi-square of the law on the circuit: {test.chi_square:.2f} of {test.degrees}, p = {test.p_value:.3f}"
        )
    lines = [
        f"{count} words of {prepared.program.encoding}: mean {numbers.mean():.3f}, deviation {numbers.std():.3f} "
        f"(law on the circuit: {law.mean:.3f}, {law.standard_deviation:.3f}; error of its probabilities up to "
        f"{found.error:.3f})",
        verdict,
        f"a word takes {time_per_word(prepared) * 1e9:.0f} ns and {made.energy.mean() * 1e12:.1f} pJ; "
        f"{made.misread} misread bits, {made.unreset} columns not reset",
    ]
    return lines


def as_dict(prepared: Prepared, made: Made, seed: int) -> dict[str, Any]:
    """Plain types for JSON; `generative.encodings.measured` reads ``bits``."""
    circuit, program = marginals(prepared)
    test, conditions, integer = tested(prepared, made), prepared.conditions, prepared.words.integer_bits
    rising, falling = prepared.transitions()
    levels = [
        {
            "bit": one.bit, "prefix": one.prefix, "level": one.level, "inverted": one.inverted,
            "p01": float(rising[k]), "p10": float(falling[k]),
            "p01_counted": made.rises[k].tolist(), "p10_counted": made.falls[k].tolist(),
        }
        for k, one in enumerate(prepared.schedule.levels)
    ]  # fmt: skip
    return {
        "program": prepared.program.as_dict(),
        "circuit": {
            "name": conditions.word.name, "card": conditions.word.card.name,
            "technology": conditions.word.technology.name,
            "corner": conditions.corner or conditions.word.technology.default_corner,
            "temperature": conditions.temperature, "mtjspice": __version__,
        },
        "seed": seed,
        "calibration": prepared.calibration.as_dict(),
        "levels": levels,
        "format": {"bits": prepared.words.bits, "integer_bits": integer},
        "words": len(made.bits),
        "bits": [
            {
                "bit": bit, "ones": one.count, "low": one.low, "high": one.high, "circuit": float(circuit[bit]),
                "program": float(program[bit]),
            }
            for bit, one in enumerate(intervals(made))
        ],
        "mean": float(prepared.numbers(made).mean()),
        "std": float(prepared.numbers(made).std()),
        "law": prepared.law().as_dict(),
        "chi_square": None if test is None else vars(test),
        "energy_per_word": float(made.energy.mean()),
        "time_per_word": time_per_word(prepared),
        "misread_bits": made.misread,
        "unreset_columns": made.unreset,
    }  # fmt: skip


def figure(prepared: Prepared, made: Made) -> "Figure":
    """Frequencies of ones with 95 % intervals against the program, and the distribution of the numbers."""
    from mtjspice.reports import style

    def draw() -> "Figure":
        drawing, axes = style.new_figure(2.9, 1, 2)
        circuit, program = marginals(prepared)
        at, found = np.arange(circuit.size), intervals(made)
        value = np.array([one.value for one in found])
        ends = np.abs([[one.low for one in found], [one.high for one in found]] - value)
        left, right = axes[0]
        left.errorbar(at, value, ends, fmt="o", ms=3.5, capsize=2, color=style.BLUE, label="counted, 95 %")
        left.plot(at, circuit, "_", ms=12, color=style.RED, label="circuit, predicted")
        left.plot(at, program, "x", ms=4, color=style.BLACK, label="program")
        left.set_xlabel("bit (0: the highest)")
        left.set_ylabel("P(1)")
        left.set_ylim(-0.02, 1.0)
        left.legend(fontsize=7)
        law, numbers = prepared.law(), np.sort(prepared.numbers(made))
        right.step(law.values, np.cumsum(law.probabilities), where="post", color=style.RED, label="circuit, predicted")
        right.step(numbers, np.arange(1, numbers.size + 1) / numbers.size, where="post", color=style.BLUE,
                   label=f"{numbers.size} words")  # fmt: skip
        right.set_xlabel("x")
        right.set_ylabel("distribution function")
        right.legend(fontsize=7)
        return drawing

    return style.styled(draw)()


def write(prepared: Prepared, made: Made, seed: int, folder: Path) -> None:
    """Write result.json and words.csv (bits, number and energy of each word) to ``folder``."""
    output_folder(folder)
    text = json.dumps(as_dict(prepared, made, seed), indent=2, allow_nan=False) + "\n"
    write_atomically(folder / "result.json", text)
    numbers = prepared.numbers(made)
    lines = [
        f"{''.join(map(str, bits))},{float(number)!r},{energy:.6g}"
        for bits, number, energy in zip(made.bits.tolist(), numbers, made.energy, strict=True)
    ]
    write_atomically(folder / "words.csv", "\n".join(["bits,number,energy_J", *lines]) + "\n")


def _codes(made: Made) -> NDArray[np.int64]:
    return np.asarray(made.bits @ (1 << np.arange(made.bits.shape[1] - 1, -1, -1)), np.int64)


def _share(pair: NDArray[np.int64]) -> str:
    tried, switched = pair.tolist()
    return f"{switched / tried:.3f}, {tried}" if tried else "-, 0"
