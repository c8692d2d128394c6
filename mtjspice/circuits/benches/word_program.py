"""A MeRAM word that is programmed bit by bit: what its pulses deliver, how they switch, and words that it makes.

Every pulse has a level of the write rail and a control voltage of its own and reaches the selected columns. The
junction's voltage lies below the rail by the drops of switch and access transistor, and follows the junction's state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.circuits.benches.word import Levels, Operation, Read, Timing, WordBench, Write
from mtjspice.circuits.library.meram import MeramColumn, MeramWord
from mtjspice.circuits.stimulus import EDGE
from mtjspice.circuits.technology import Technology
from mtjspice.device import llg, macrospin
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.spice.worker import CosimWorker

Floats = NDArray[np.float64]
NOISE_STEP = 2e-12  # s, of the macrospins that find switching probabilities
_SEGMENT = 2.5e-11  # s, for which a junction's voltage follows its state at the beginning


def selectable_word(technology: Technology, card: MTJCard, bits: int) -> MeramWord:
    """The word of the library with a select input a column."""
    column = MeramColumn(technology, card=card, select="input")
    return MeramWord(technology, card=card, bits=bits, column=column)


@dataclass(frozen=True)
class WordConditions:
    """A selectable word, its corner (the technology's default if empty), temperature (K), levels and timing."""

    word: MeramWord
    corner: str = ""
    temperature: float = ROOM_TEMPERATURE
    levels: Levels = field(default_factory=Levels)
    timing: Timing = field(default_factory=Timing)

    def bench(self, operations: Sequence[Operation], states: tuple[int, ...] = ()) -> WordBench:
        """The word with a schedule; InputError for levels out of range."""
        corner = self.corner or self.word.technology.default_corner
        return WordBench(
            self.word, tuple(operations), corner, self.temperature, self.levels, self.timing,
            states=states or (macrospin.PARALLEL,) * self.word.bits,
        )  # fmt: skip


# --- pulses --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Delivered:
    """Voltage of a junction under one pulse: ``volts`` (2, k) at ``times`` (k,), that of a P and that of an AP one."""

    times: Floats
    volts: Floats

    @property
    def amplitude(self) -> float:
        """Largest voltage of a junction in P, V."""
        return float(self.volts[0].max())

    @property
    def width(self) -> float:
        """Full width at half maximum of the pulse on a junction in P, s; 0 where there is none."""
        half = self.amplitude / 2
        above = np.flatnonzero(self.volts[0] > half)
        if above.size == 0 or above[0] == 0 or above[-1] == self.times.size - 1:
            return 0.0
        (begin, end), volts = (above[0], above[-1]), self.volts[0]
        rise = np.interp(half, volts[begin - 1 : begin + 1], self.times[begin - 1 : begin + 1])
        fall = np.interp(-half, -volts[end : end + 2], self.times[end : end + 2])
        return float(fall - rise)


def delivered(conditions: WordConditions, pulses: Sequence[tuple[float, float]]) -> list[Delivered]:
    """What pulses of (rail, control), both V, put on a junction, by one noiseless transient.

    Junctions stand still: column 0 in P, column 1 in AP, pulsed together. InputError for a level out of range,
    SimulatorError where the simulator fails.
    """
    writes = [Write(control, rail=rail, columns=(0, 1)) for rail, control in pulses]
    states = (macrospin.PARALLEL, macrospin.ANTIPARALLEL) + (macrospin.PARALLEL,) * (conditions.word.bits - 2)
    bench = conditions.bench(writes, states).testbench()
    data = bench.run("resistor")
    time = np.asarray(data["time"].values)
    across = [data[f"v({one.top})"].values - data[f"v({one.bottom})"].values for one in bench.junctions()[:2]]
    slot, begin = conditions.timing.slot, conditions.timing.trigger
    at = np.arange(begin, slot, 1e-11)
    return [
        Delivered(at, np.stack([np.interp(k * slot + at, time, one) for one in across])) for k in range(len(writes))
    ]


def switched(
    card: MTJCard, pulses: Sequence[Delivered], state: int, trials: int, seed: int,
    temperature: float = ROOM_TEMPERATURE,
) -> NDArray[np.int64]:  # fmt: skip
    """Count of junctions of ``trials`` that each delivered pulse switches from ``state`` (1 P, -1 AP), shape (pulses,).

    The macrospin with thermal field, its voltage moving from the P to the AP waveform with its own m_z. All pulses meet
    the same noise, so that counts differ by the pulses alone. The drive's cycle-to-cycle spread is drawn once a trial.
    """
    row = llg.parameters(card, temperature, NOISE_STEP)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(0 if state > 0 else 1,))))
    start = macrospin.thermal_states(card, np.full(trials, state), rng, temperature)
    noise = int(rng.integers(2**32))
    counts = np.zeros(len(pulses), np.int64)
    for index, pulse in enumerate(pulses):
        over = np.flatnonzero(pulse.volts.max(axis=0) > 1e-3)
        first, last = (pulse.times[over[0]], pulse.times[over[-1]]) if over.size else (0.0, _SEGMENT)
        # noise belongs to multiples of the step: pulses that begin at one time share it
        cuts = np.arange(np.floor(first / _SEGMENT), np.ceil(last / _SEGMENT) + 1) * _SEGMENT
        table = np.stack([np.interp(cuts, pulse.times, one) for one in pulse.volts])
        m, own = start, np.arange(trials)
        for k in range(cuts.size - 1):
            share = (1 - m[:, 2:]) / 2
            volts = (1 - share) * table[0, k : k + 2] + share * table[1, k : k + 2]
            m = macrospin.run(row, m, cuts[k : k + 2], volts, noise, choice=own, relaxing=False).magnetization
        rest = cuts[-1] + np.array([0.0, NOISE_STEP])
        counts[index] = np.count_nonzero(macrospin.run(row, m, rest, np.zeros(2), noise).states != state)
    return counts


# --- words ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Transient:
    """What one co-simulated transient of operations gave.

    ``bits`` (reads, columns) are the data outputs after each read, 1 for AP, ``states`` (same shape) the junctions when
    the amplifiers decided. ``before`` and ``after`` (operations, columns) are the states (1 P, -1 AP) at both ends of
    each slot. ``energy`` (operations,) is what all sources delivered, J; ``magnetization`` (columns, 3) is the last.
    """

    bits: NDArray[np.uint8]
    states: NDArray[np.int8]
    before: NDArray[np.int8]
    after: NDArray[np.int8]
    energy: Floats
    magnetization: Floats


def cosimulate(
    conditions: WordConditions, operations: Sequence[Operation], seed: int, initial: ArrayLike | None = None,
    worker: CosimWorker | None = None,
) -> Transient:  # fmt: skip
    """Co-simulate a schedule from the magnetizations ``initial`` (columns, 3), by default thermal ones in P.

    The first write of all columns that hold AP needs a read before it: latches start with P. SimulatorError where the
    simulator fails.
    """
    bench = conditions.bench(operations)
    options: Mapping[str, object] = {} if initial is None else {"initial": initial}
    data = bench.testbench().run(
        "cosim", seed=seed, active_step=bench.max_step, drive_hold=conditions.timing.slot, worker=worker, **options
    )
    time, m_z = np.asarray(data["time"].values), data["magnetization"].values[:, :, 2]
    slot = conditions.timing.slot
    edges = np.arange(len(operations) + 1, dtype=np.float64) * slot

    def states(instants: Floats) -> NDArray[np.int8]:
        found = np.stack([np.interp(instants, time, column) for column in m_z.T], axis=1)
        return np.where(found >= 0, 1, -1).astype(np.int8)

    reads = edges[:-1][[isinstance(one, Read) for one in operations]]
    volts = [np.interp(reads + slot - EDGE, time, data[f"v(data{bit})"].values) for bit in range(conditions.word.bits)]
    spent = np.interp(edges, time, data["delivered"].values.sum(axis=1))
    return Transient(
        bits=(np.stack(volts, axis=1) > conditions.word.technology.supply_voltage / 2).astype(np.uint8),
        states=states(reads + conditions.timing.latch + EDGE / 2),
        before=states(edges[:-1]),
        after=states(edges[1:]),
        energy=np.diff(spent),
        magnetization=np.asarray(data["magnetization"].values[-1]),
    )
