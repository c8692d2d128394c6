"""The word in CMOS as the experiments run it: trains of pulses without a reset, and the pulses that reach junctions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mtjspice.circuits.benches.word import WordBench
    from mtjspice.circuits.benches.word_program import Delivered
    from mtjspice.spice.pool import CosimPool

PULSES_A_READ = 4
SAMPLING = 1e-11  # s, of waveforms


@dataclass(frozen=True, eq=False)
class Train:
    """``states`` (pulses + 1, bits), 1 for AP, before and after each pulse; ``starts`` where a transient begins.

    ``misread`` of ``reads`` bits differed from their junction.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    reads: int
    misread: int


def train(bench: "WordBench", pool: "CosimPool", control: float, blocks: int, chunks: int, seed: int) -> Train:
    """Pulse all columns ``chunks * blocks * PULSES_A_READ`` times without a reset, a read after every block.

    Every transient starts from random thermal states; the spread of the drive is drawn once a slot.
    """
    from mtjspice.circuits.benches.word import Operation, Read, Write
    from mtjspice.circuits.stimulus import EDGE
    from mtjspice.device import llg, macrospin
    from mtjspice.spice.jobs import CosimJob
    from mtjspice.studies import seeds

    block: tuple[Operation, ...] = (*(Write(control),) * PULSES_A_READ, Read())
    operations: tuple[Operation, ...] = (Read(), *(block * blocks))
    running = replace(bench, operations=operations)
    card, bits, slot = bench.word.card, bench.word.bits, running.timing.slot
    row = llg.parameters(card, bench.temperature, drive_hold=slot)
    jobs = []
    for chunk in range(chunks):
        rng = seeds.generator(seed, seeds.POWER_UP, chunk)
        states = rng.choice([macrospin.PARALLEL, macrospin.ANTIPARALLEL], bits)
        initial = macrospin.thermal_states(card, states, rng, bench.temperature)
        noise = (seeds.word(seed, seeds.CIRCUIT_NOISE, chunk),)
        jobs.append(
            CosimJob(
                running.deck(), running.junctions(), np.tile(row, (bits, 1)), initial[None], noise, running.end,
                running.saved(),
            )
        )  # fmt: skip
    before, after, misread = [], [], 0
    writes = np.array([isinstance(one, Write) for one in operations])
    ends = slot * np.arange(len(operations) + 1, dtype=np.float64)
    reads = ends[:-1][~writes]
    for (result,) in pool.map(jobs):
        held = np.stack([np.interp(ends, result.times, column) for column in result.m_z.T], axis=1) < 0
        before.append(held[:-1][writes])
        after.append(held[1:][writes])
        time = result.vectors["time"]
        level = running.word.technology.supply_voltage / 2
        for bit in range(bits):
            data = np.interp(reads + slot - EDGE, time, result.vectors[f"v(data{bit})"]) > level
            misread += int(np.count_nonzero(data != held[:-1][~writes][:, bit]))
    return Train(
        np.concatenate(before).astype(np.int64), np.concatenate(after).astype(np.int64),
        len(reads) * bits * chunks, misread,
    )  # fmt: skip


def pulses(bench: "WordBench", controls: Sequence[float], mismatch: int | None = None) -> "list[list[Delivered]]":
    """Voltage that one write at each control (V) puts on every column, [control][column]; junctions stand still.

    One noiseless transient for junctions in P and one for AP. ``mismatch`` draws the transistors.
    """
    from mtjspice.circuits.benches.word import Write
    from mtjspice.circuits.benches.word_program import Delivered

    operations = tuple(Write(control) for control in controls)
    slot, begin = bench.timing.slot, bench.timing.trigger
    at = np.arange(begin, slot, SAMPLING)
    volts = []
    for state in (1, -1):
        standing = replace(bench, operations=operations, states=(state,) * bench.word.bits).testbench()
        data = standing.at(mismatch_seed=mismatch).run("resistor")
        time = np.asarray(data["time"].values)
        across = [data[f"v({one.top})"].values - data[f"v({one.bottom})"].values for one in standing.junctions()]
        volts.append([[np.interp(k * slot + at, time, one) for one in across] for k in range(len(controls))])
    return [
        [Delivered(at, np.stack([volts[0][k][bit], volts[1][k][bit]])) for bit in range(bench.word.bits)]
        for k in range(len(controls))
    ]
