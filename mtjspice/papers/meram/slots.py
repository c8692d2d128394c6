"""Energy of the slots of a word in CMOS, simulated, and of the numbers that encodings make of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PRODUCT, TREE, QUANTILE, CHAIN, SUM = "product", "tree", "inverse CDF", "toggle, 16 pulses", "sum of 4"
PULSES = 16  # of the toggle chain
SUMMED = 4
WRITE_CONTROL, RESET_CONTROL = 2.2, 1.2  # V; pulses of about 0.40 and 1.0 ns


@dataclass(frozen=True)
class SlotCost:
    """Energy of a slot (J) in a word of n columns, k of them pulsed: ``constant + column n + pulsed k``."""

    constant: float
    column: float
    pulsed: float = 0.0

    def at(self, columns: int, pulsed: int = 0) -> float:
        """Energy, J."""
        return self.constant + self.column * columns + self.pulsed * pulsed


@dataclass(frozen=True)
class Costs:
    """Energies of the three kinds of slots, the length of a slot (s), and the fit's largest relative miss."""

    reset: SlotCost
    write: SlotCost
    read: SlotCost
    slot: float
    miss: float

    def number(self, encoding: str, bits: int) -> tuple[float, float]:
        """Energy (J) and latency (s) of one number; adders and tables that some encodings need are not counted."""
        one, reset, read = self.write.at(bits, 1), self.reset.at(bits), self.read.at(bits)
        if encoding == PRODUCT:  # a level, and so a slot, for each bit
            return reset + bits * one + read, (2 + bits) * self.slot
        if encoding == CHAIN:
            return reset + PULSES * bits * one + read, (2 + PULSES * bits) * self.slot
        if encoding == TREE:  # every bit is read before the next is programmed
            return reset + bits * (one + read), (1 + 2 * bits) * self.slot
        words = SUMMED if encoding == SUM else 1
        return words * (reset + self.write.at(bits, bits) + read), words * 3 * self.slot


def measure(widths: Sequence[int]) -> Costs:
    """Simulate words of several widths, junctions standing still, half in AP; the second slot of each kind counts."""
    from mtjspice.circuits.benches.word import Read, Write
    from mtjspice.circuits.benches.word_program import WordConditions, selectable_word
    from mtjspice.circuits.technology import technology
    from mtjspice.device.card import load_card

    tech, card = technology("gf180mcu"), load_card("meram100")
    resets, writes, reads, slot = [], [], [], 0.0
    for bits in widths:
        every, one = tuple(range(bits)), (0,)
        kinds = (Write(RESET_CONTROL, all_columns=False), Write(WRITE_CONTROL, columns=every),
                 Write(WRITE_CONTROL, columns=one), Read())  # fmt: skip
        operations = [Read(), *(kind for kind in kinds for _ in range(2))]
        bench = WordConditions(selectable_word(tech, card, bits)).bench(
            operations, tuple(1 if k % 2 == 0 else -1 for k in range(bits))
        )
        data, slot = bench.testbench().run("resistor"), bench.timing.slot
        edges = slot * np.arange(len(operations) + 1, dtype=np.float64)
        spent = np.diff(np.interp(edges, data["time"].values, data["delivered"].values.sum(axis=1)))
        resets.append((bits, 0, spent[2]))
        writes += [(bits, bits, spent[4]), (bits, 1, spent[6])]
        reads.append((bits, 0, spent[8]))
    fits = [fit(np.array(rows)) for rows in (resets, writes, reads)]
    return Costs(fits[0][0], fits[1][0], fits[2][0], slot, max(miss for _, miss in fits))


def fit(rows: Floats) -> tuple[SlotCost, float]:
    """Least squares, and the largest relative miss."""
    terms = np.column_stack([np.ones(len(rows)), rows[:, 0], rows[:, 1]])
    used = terms if rows[:, 1].any() else terms[:, :2]
    found = np.linalg.lstsq(used, rows[:, 2], rcond=None)[0]
    return SlotCost(*map(float, found)), float(np.abs(used @ found / rows[:, 2] - 1).max())
