"""A bank of macrospin junctions in the memory layout that the compiled callbacks read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtjspice.device import llg
from mtjspice.errors import SimulatorError
from mtjspice.spice import callbacks as cb


@dataclass(frozen=True)
class Junction:
    """One stochastic junction of a deck.

    ``source`` is the full name of the external source that carries its m_z (as ngspice spells it, in lower case,
    for example ``v.xword.xcell0.xmtj.vmz``), ``top`` and ``bottom`` the full names of its nodes ("0" for ground),
    ``device`` the identity that selects its noise.
    """

    source: str
    top: str
    bottom: str
    device: int


class Bank:
    """State of ``junctions`` during one transient; ``header`` is what the user pointer points to."""

    def __init__(
        self,
        junctions: Sequence[Junction],
        rows: NDArray[np.float64],
        initial: NDArray[np.float64],
        seed: int,
        capacity: int,
    ) -> None:
        n = len(junctions)
        if rows.shape != (n, llg.COLUMNS) or initial.shape != (n, 3):
            raise ValueError(f"{n} junctions need rows {(n, llg.COLUMNS)} and states {(n, 3)}")
        self.junctions = tuple(junctions)
        self._rows = np.ascontiguousarray(rows, dtype=np.float64)
        self._ids = np.array([junction.device for junction in junctions], dtype=np.int64)
        self._state = np.zeros((n, llg.STATE))
        self._state[:, :3] = initial
        self._trial = self._state.copy()
        self._voltages = np.zeros(n)
        self._clock = np.array([0.0, cb.NO_TRIAL, 0.0])
        self._table = _hash_table([junction.source for junction in junctions])
        self._nodes = np.full((n + 1, 2), cb.GROUND, dtype=np.int64)
        self._counters = np.zeros(cb.COUNTER_WORDS, dtype=np.int64)
        self._record = np.empty((capacity, 1 + 2 * n))
        self.header = np.zeros(cb.HEADER_WORDS, dtype=np.int64)
        self.header[cb.DEVICES], self.header[cb.SEED], self.header[cb.CAPACITY] = n, seed, capacity
        self.header[cb.TABLE_SIZE] = len(self._table)
        for word, array in (
            (cb.PARAMETERS, self._rows), (cb.DEVICE_IDS, self._ids), (cb.ACCEPTED, self._state),
            (cb.TRIAL, self._trial), (cb.VOLTAGES, self._voltages), (cb.CLOCK, self._clock), (cb.TABLE, self._table),
            (cb.NODES, self._nodes), (cb.COUNTERS, self._counters), (cb.RECORD, self._record),
        ):  # fmt: skip
            self.header[word] = array.ctypes.data

    def connect(self, vectors: Mapping[str, int], scale: int) -> None:
        """Learn at which index each saved vector arrives; SimulatorError if a junction node is not saved."""
        if scale < 0:
            raise SimulatorError("the deck runs an analysis without time; a co-simulation needs .tran")
        for i, junction in enumerate(self.junctions):
            for side, node in enumerate((junction.top, junction.bottom)):
                if node == "0":
                    continue
                if node not in vectors:
                    raise SimulatorError(
                        f"node {node!r} of junction {junction.source!r} is not among the saved vectors"
                    )
                self._nodes[i, side] = vectors[node]
        self._nodes[-1, 0] = scale

    def check(self) -> None:
        """Raise SimulatorError if the run used an unknown external source or outgrew the record."""
        if self._counters[cb.UNKNOWN]:
            raise SimulatorError("the deck has an external source that belongs to no junction")
        if self._counters[cb.OVERFLOW]:
            raise SimulatorError(
                f"the transient has more time points than the record holds ({len(self._record)}); raise `capacity`"
            )
        # with uic, the first point lies a little after 0
        if self.junctions and self.points and self._record[0, 0] > self._rows[:, llg.NOISE_STEP].min():
            raise SimulatorError(f"the deck saves from {self._record[0, 0]:g} s on; it must save from 0 s")

    @property
    def magnetization(self) -> NDArray[np.float64]:
        """Accepted magnetizations, (n, 3)."""
        return self._state[:, :3]

    @property
    def points(self) -> int:
        """Accepted time points."""
        return int(self._counters[cb.POINTS])

    @property
    def attempts(self) -> int:
        """Attempted time points, rejected ones included."""
        return int(self._counters[cb.ATTEMPTS])

    @property
    def coupling_error(self) -> float:
        """Largest difference between the m_z that ngspice saw and the accepted one."""
        return float(self._clock[cb.COUPLING])

    def recorded(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Times (k,), junction voltages (k, n) and m_z (k, n) of the accepted points."""
        n = len(self.junctions)
        record = self._record[: self.points]
        return record[:, 0].copy(), record[:, 1 : 1 + n].copy(), record[:, 1 + n :].copy()


def _hash_table(names: Sequence[str]) -> NDArray[np.int64]:
    size = 1 << max(3, (4 * len(names)).bit_length())
    table = np.full((size, 2), -1, dtype=np.int64)
    for index, name in enumerate(names):
        value = int(cb.name_hash(np.frombuffer(name.encode() + b"\0", dtype=np.uint8)))
        slot = value & (size - 1)
        while table[slot, 1] >= 0:
            if table[slot, 0] == value:
                raise ValueError(f"two external sources share the name (or hash) {name!r}")
            slot = (slot + 1) & (size - 1)
        table[slot] = value, index
    return table
