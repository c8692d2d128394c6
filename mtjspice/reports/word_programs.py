"""Pulse programs on the circuit of a MeRAM word: levels found, words made, and what they should be like."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from mtjspice.circuits.benches.word import toggling_control
from mtjspice.circuits.benches.word_program import WordConditions
from mtjspice.errors import InputError
from mtjspice.generative.cells import programmed_law
from mtjspice.generative.encodings.catalogue import encoding_of
from mtjspice.generative.encodings.programmed import ProgrammedWords, TreeWords
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.law import Law, product_pmf, transient_bits
from mtjspice.generative.pulse_program import PulseProgram
from mtjspice.statistics import Proportion, wilson
from mtjspice.studies.noise_words import Made, Schedule, make, schedule
from mtjspice.studies.word_calibration import TRIALS, Calibration, Wanted, calibrate

Floats = NDArray[np.float64]
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


def _codes(made: Made) -> NDArray[np.int64]:
    return np.asarray(made.bits @ (1 << np.arange(made.bits.shape[1] - 1, -1, -1)), np.int64)
