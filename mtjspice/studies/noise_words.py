"""Noise words made by the co-simulated transistor circuit of a MeRAM word.

Columns share the write rail and the pulse generator, so that bits with pulses of different levels are pulsed one after
the other, each slot with its own level and selected columns; bits of one level share a slot. A word is a reset (a
toggling pulse on the columns that the last read found in AP), its pulses, and a read. Words of a tree take a read, and
so a transient, for each bit: the next level depends on it. Magnetizations are carried from transient to transient.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.circuits.benches.word import Operation, Read, Write
from mtjspice.circuits.benches.word_program import Transient, WordConditions, cosimulate
from mtjspice.errors import InputError
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.worker import CosimWorker
from mtjspice.studies import seeds
from mtjspice.studies.word_calibration import Calibration

Floats = NDArray[np.float64]
WORDS_A_TRANSIENT = 4


@dataclass(frozen=True)
class Level:
    """Pulse of the column ``bit`` (0 is the highest bit) after the bits ``prefix`` (-1: whatever they are).

    ``level`` (V) is that of the rail or the control; 0 is no pulse. A switched cell counts as 0 if ``inverted``.
    """

    bit: int
    prefix: int
    level: float
    inverted: bool


@dataclass(frozen=True)
class Schedule:
    """Words of ``bits``: ``levels`` by "voltage" or "width", the other one at ``other`` (V), ``pulses`` of each a word.

    ``reset_control`` (V) makes the toggling pulse, at the bench's write rail.
    """

    bits: int
    by: str
    other: float
    levels: tuple[Level, ...]
    pulses: int
    reset_control: float

    @property
    def sequential(self) -> bool:
        """Whether levels depend on bits that were read before."""
        return any(one.prefix >= 0 for one in self.levels) and self.bits > 1

    @property
    def slots(self) -> int:
        """Slots of a word: reset, pulses, reads."""
        if self.sequential:
            return 1 + 2 * self.bits
        return 1 + self.pulses * len(self._round()) + 1

    def write(self, level: float, columns: tuple[int, ...]) -> Write:
        """A pulse of ``level`` on ``columns``."""
        if self.by == "voltage":
            return Write(self.other, rail=level, columns=columns)
        return Write(level, rail=self.other, columns=columns)

    def word(self) -> list[Operation]:
        """Operations of a word whose levels do not depend on bits."""
        return [self.reset(), *(self._round() * self.pulses), Read()]

    def reset(self) -> Write:
        """The toggling pulse on all columns that hold AP."""
        return Write(self.reset_control, all_columns=False)

    def _round(self) -> list[Operation]:
        """One pulse for each column; equal levels together."""
        by_level: dict[float, list[int]] = {}
        for one in self.levels:
            if one.level:
                by_level.setdefault(one.level, []).append(one.bit)
        return [self.write(level, tuple(columns)) for level, columns in by_level.items()]


@dataclass(frozen=True, eq=False)
class Made:
    """Words of one or several transients.

    ``bits`` (words, bits) as they count, inversion done; ``stored`` (words, bits) the data outputs, 1 for AP.
    ``energy`` (words,) is what all sources delivered, J. ``rises`` and ``falls`` (levels, 2) count the pulses on
    junctions in P and in AP, and those that switched them, per level of the schedule. ``unreset`` counts columns that
    were in AP after the reset, ``misread`` bits that differ from the state of their junction when it was read.
    """

    bits: NDArray[np.uint8]
    stored: NDArray[np.uint8]
    energy: Floats
    rises: NDArray[np.int64]
    falls: NDArray[np.int64]
    unreset: int
    misread: int

    def __add__(self, other: "Made") -> "Made":
        return Made(
            np.concatenate([self.bits, other.bits]),
            np.concatenate([self.stored, other.stored]),
            np.concatenate([self.energy, other.energy]),
            self.rises + other.rises,
            self.falls + other.falls,
            self.unreset + other.unreset,
            self.misread + other.misread,
        )


def make(
    conditions: WordConditions, schedule: Schedule, words: int, seed: int, per_transient: int = WORDS_A_TRANSIENT
) -> Iterator[Made]:
    """Co-simulate ``words`` words and yield them transient by transient (a tree's: word by word).

    The seed makes the same words again, for the same ``per_transient``. InputError for no words, a schedule wider than
    the word or a column without a level, SimulatorError where the simulator fails.
    """
    if words < 1:
        raise InputError(f"the number of words must be 1 or more, not {words}")
    if schedule.bits > conditions.word.bits:
        raise InputError(
            f"the encoding has {schedule.bits} bits, {conditions.word.name} has {conditions.word.bits} columns"
        )
    if {one.bit for one in schedule.levels} != set(range(schedule.bits)):
        raise InputError("a pulse program needs a pulse for every bit")
    seeds.check_seed(seed)
    run = _Run(conditions, schedule, seed)
    try:
        for begin in range(0, words, 1 if schedule.sequential else per_transient):
            if schedule.sequential:
                yield run.branch()
            else:
                yield run.batch(min(per_transient, words - begin))
    finally:
        run.worker.close()


class _Run:
    """The circuit between transients: magnetizations, noise seeds, the simulator's process."""

    def __init__(self, conditions: WordConditions, schedule: Schedule, seed: int) -> None:
        self.conditions, self.schedule, self._seed = conditions, schedule, seed
        self._index = {(one.bit, one.prefix): k for k, one in enumerate(schedule.levels)}
        self.worker = CosimWorker(find_libngspice())
        self._transients = 0
        self._magnetization: Floats | None = None

    def batch(self, words: int) -> Made:
        """Several words in one transient, after a read that tells the latches what the columns hold."""
        one = self.schedule.word()
        found = self._transient([Read(), *(one * words)])
        starts = 1 + len(one) * np.arange(words)
        inverted = np.array([one.inverted for one in self.schedule.levels], np.uint8)
        stored = found.bits[1:, : self.schedule.bits]
        rises, falls = self._transitions(found, [Read(), *(one * words)], 0)
        return Made(
            bits=stored ^ inverted,
            stored=stored,
            energy=np.array([found.energy[at : at + len(one)].sum() for at in starts]),
            rises=rises,
            falls=falls,
            unreset=int(np.count_nonzero(found.after[starts, : self.schedule.bits] < 0)),
            misread=self._misread(found),
        )

    def branch(self) -> Made:
        """One word of a tree, a transient for each bit; the first one resets."""
        prefix, energy, unreset, misread = 0, 0.0, 0, 0
        bits, stored = np.zeros((2, 1, self.schedule.bits), np.uint8)
        rises, falls = np.zeros((2, len(self.schedule.levels), 2), np.int64)
        for bit in range(self.schedule.bits):
            node = self.schedule.levels[self._index[bit, prefix]]
            pulse = [self.schedule.write(node.level, (bit,))] if node.level else []
            begin: list[Operation] = [] if bit else [Read(), self.schedule.reset()]
            operations = [*begin, *pulse, Read()]
            found = self._transient(operations)
            stored[0, bit] = found.bits[-1, bit]
            bits[0, bit] = stored[0, bit] ^ node.inverted
            switched = self._transitions(found, operations, prefix)
            rises, falls = rises + switched[0], falls + switched[1]
            energy += float(found.energy[0 if bit else 1 :].sum())
            unreset += 0 if bit else int(np.count_nonzero(found.after[1, : self.schedule.bits] < 0))
            misread += self._misread(found)
            prefix = 2 * prefix + int(bits[0, bit])
        return Made(bits, stored, np.array([energy]), rises, falls, unreset, misread)

    def _transient(self, operations: Sequence[Operation]) -> Transient:
        noise = seeds.word(self._seed, seeds.CIRCUIT_NOISE, self._transients)
        found = cosimulate(self.conditions, operations, noise, self._magnetization, self.worker)
        self._transients += 1
        self._magnetization = found.magnetization
        return found

    def _transitions(
        self, found: Transient, operations: Sequence[Operation], prefix: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pulses and switches per level, from P and from AP."""
        rises, falls = np.zeros((2, len(self.schedule.levels), 2), np.int64)
        for slot, one in enumerate(operations):
            if not isinstance(one, Write) or one.columns is None:
                continue  # a read or a reset
            for bit in one.columns:
                at = self._index[bit, prefix if self.schedule.sequential else -1]
                before, after = found.before[slot, bit], found.after[slot, bit]
                (rises if before > 0 else falls)[at] += (1, int(before != after))
        return rises, falls

    def _misread(self, found: Transient) -> int:
        return int(np.count_nonzero(found.bits != (found.states < 0)))


def schedule(
    calibration: Calibration, bits: int, wanted: Sequence[tuple[int, int, float, bool]], pulses: int,
    reset_control: float, step: float = 0.0,
) -> Schedule:  # fmt: skip
    """Levels of pulses (bit, prefix, probability of switching from P, inverted), rounded to ``step`` (V; 0: not).

    A probability of 0 takes no pulse. InputError outside the calibrated range.
    """
    probabilities = np.array([one[2] for one in wanted])
    levels = np.zeros(probabilities.size)
    levels[probabilities > 0] = calibration.invert(probabilities[probabilities > 0])
    if step:
        levels = step * np.rint(levels / step)
    return Schedule(
        bits, calibration.by, calibration.other,
        tuple(Level(bit, prefix, float(level), inverted)
              for (bit, prefix, _, inverted), level in zip(wanted, levels, strict=True)),
        pulses, reset_control,
    )  # fmt: skip
