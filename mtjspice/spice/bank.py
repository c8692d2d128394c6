"""A bank of macrospin junctions in the memory layout that the compiled callbacks read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf

import numpy as np
from numpy.typing import NDArray

from mtjspice.device import lanes, llg, wells
from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice import callbacks as cb

_WORTH_LANES = 4  # junctions


@dataclass(frozen=True)
class Junction:
    """One stochastic junction of a deck.

    ``source`` is the full name of the external source that carries its m_z (as ngspice spells it, in lower case,
    for example ``v.xword.xcell0.xmtj.vmz``), ``top`` and ``bottom`` the full names of its nodes ("0" for ground),
    ``device`` the identity that selects its noise. ``line`` is the branch whose current flows in its spin-orbit line
    (``v.xcell.vline#branch``), if it has one. With ``offset``, the name of an external current source from top to
    bottom, ``source`` carries the differential conductance instead of m_z (see `callbacks.supply`).
    """

    source: str
    top: str
    bottom: str
    device: int
    line: str | None = None
    offset: str | None = None


class Bank:
    """State of ``junctions`` during one transient; ``header`` is what the user pointer points to."""

    def __init__(
        self,
        junctions: Sequence[Junction],
        rows: NDArray[np.float64],
        initial: NDArray[np.float64],
        seed: int,
        capacity: int,
        *,
        active_step: float = inf,
        keep: bool = True,
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
        self._lines = np.zeros(n)
        self._slopes = np.zeros((2, n))
        self._ends = np.zeros((2, n))
        self._energies = np.zeros(n)
        # room for the vectorised loop
        self._reals = np.zeros(lanes.ROWS * lanes.LANES)
        self._words = np.zeros(lanes.WORDS * lanes.LANES, dtype=np.uint32)
        self._cards = np.zeros(lanes.LANES, dtype=np.int64)
        distinct, which = np.unique(self._rows, axis=0, return_inverse=True)
        self._waits = np.ascontiguousarray(np.array([_waiting(row) for row in distinct]).reshape(-1, 2)[which].T)
        self._clock = np.array([0.0, cb.NO_TRIAL, 0.0, active_step, 0.0])
        self._linear = np.array([junction.offset is not None for junction in junctions], dtype=np.int64)
        self._table = _hash_table(junctions)
        self._nodes = np.full((n + 1, 3), cb.GROUND, dtype=np.int64)
        self._counters = np.zeros(cb.COUNTER_WORDS, dtype=np.int64)
        self._keep = keep
        try:  # the system gives the memory when it is used
            self._record = np.zeros((capacity if keep else 2, 1 + cb.RECORDED * n))
        except MemoryError:
            raise SimulatorError(f"no memory for {capacity} points of {n} junctions; lower `capacity`") from None
        self.header = np.zeros(cb.HEADER_WORDS, dtype=np.int64)
        self.header[cb.DEVICES], self.header[cb.SEED], self.header[cb.CAPACITY] = n, seed, len(self._record)
        self.header[cb.KEEPING] = keep
        self.header[cb.ALIKE] = _alike(self._rows, junctions)
        self.header[cb.TABLE_SIZE] = len(self._table)
        for word, array in (
            (cb.PARAMETERS, self._rows), (cb.DEVICE_IDS, self._ids), (cb.ACCEPTED, self._state),
            (cb.TRIAL, self._trial), (cb.VOLTAGES, self._voltages), (cb.CLOCK, self._clock), (cb.TABLE, self._table),
            (cb.NODES, self._nodes), (cb.COUNTERS, self._counters), (cb.RECORD, self._record),
            (cb.LINES, self._lines), (cb.SLOPES, self._slopes), (cb.ENERGIES, self._energies), (cb.WAITS, self._waits),
            (cb.LINEAR, self._linear), (cb.ENDS, self._ends), (cb.LANE_REALS, self._reals),
            (cb.LANE_WORDS, self._words), (cb.LANE_CARDS, self._cards),
        ):  # fmt: skip
            self.header[word] = array.ctypes.data

    def connect(self, vectors: Mapping[str, int], scale: int, data: Sequence[int]) -> None:
        """Learn at which index each saved vector arrives; SimulatorError if a junction node is not saved.

        ``data`` are the addresses of ngspice's own vectors; where nothing is kept, they are emptied at every point.
        """
        if scale < 0:
            raise SimulatorError("the deck runs an analysis without time; a co-simulation needs .tran")
        for i, junction in enumerate(self.junctions):
            for side, node in enumerate((junction.top, junction.bottom, junction.line)):
                if node is None or node == "0":
                    continue
                if node not in vectors:
                    what = "branch" if side == cb.LINE else "node"
                    raise SimulatorError(
                        f"{what} {node!r} of junction {junction.source!r} is not among the saved vectors"
                    )
                self._nodes[i, side] = vectors[node]
        self._nodes[-1, 0] = scale
        if not self._keep:
            self._emptied = np.array(data, dtype=np.int64)
            self.header[cb.EMPTIED], self.header[cb.EMPTIED_COUNT] = self._emptied.ctypes.data, len(data)

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

    @property
    def tangent_error(self) -> float:
        """Largest current in A that a junction's law at the accepted voltage differs from the tangent in use."""
        return float(self._clock[cb.TANGENT])

    @property
    def energies(self) -> NDArray[np.float64]:
        """Energy that each junction turned into heat, J (n,)."""
        return self._energies

    def recorded(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times (k,) of the accepted points and, of each junction, what `callbacks.RECORDED` names (k, n, 5).

        Where nothing was kept, only the first and the last time, and no junctions.
        """
        record = self._record[: self.points]
        if not self._keep:
            return record[:, 0].copy(), np.empty((len(record), 0, cb.RECORDED))
        return record[:, 0].copy(), record[:, 1:].reshape(len(record), len(self.junctions), cb.RECORDED).copy()


def _alike(rows: NDArray[np.float64], junctions: Sequence[Junction]) -> bool:
    """Whether `lanes.move` can take all junctions at once, and there are enough to be worth it."""
    if len(junctions) < _WORTH_LANES or any(junction.line is not None for junction in junctions):
        return False
    times = rows[:, [llg.NOISE_STEP, llg.SUBSTEPS, llg.DRIVE_HOLD]]
    return not np.any(rows[:, llg.FULL]) and not np.ptp(times, axis=0).any()


def _waiting(row: NDArray[np.float64]) -> tuple[float, float]:
    """Times in s: after which a magnetization in its well has forgotten what it was, and within which it stays there.

    It leaves less often than once in e^barrier attempts, one each precession. Without wells, no wait is cut short.
    """
    never = (inf, 0.0)
    if row[llg.SADDLE] == -inf:
        return never
    # the curvature of the well along its softest direction: B_k less what the in-plane field and the shape take
    across = abs(row[llg.FIELD_X]) + abs(row[llg.FIELD_Y])
    softest = row[llg.FIELD_K] + min(0.0, row[llg.FIELD_SHAPE_Y]) - across**2 / row[llg.FIELD_K]
    rate = row[llg.PRECESSION] * max(0.0, softest - abs(row[llg.FIELD_Z]))
    if rate == 0:
        return never
    if row[llg.NOISE] == 0:
        return float(cb.FORGETTING / (row[llg.DAMPING] * rate)), inf
    try:
        barrier = wells.barrier(row)
    except InputError:
        return never
    stays = cb.LEAVING * exp(barrier) / (row[llg.PRECESSION] * row[llg.FIELD_K])
    return float(cb.FORGETTING / (row[llg.DAMPING] * rate)), float(stays)


def _hash_table(junctions: Sequence[Junction]) -> NDArray[np.int64]:
    """Names of the external sources, hashed: rows of (hash, what the source carries and of which junction)."""
    entries = []
    for index, junction in enumerate(junctions):
        kind = cb.STATE_OF if junction.offset is None else cb.SLOPE_OF
        entries.append((junction.source, cb.KINDS * index + kind))
        if junction.offset is not None:
            entries.append((junction.offset, cb.KINDS * index + cb.OFFSET_OF))
    size = 1 << max(3, (4 * len(entries)).bit_length())
    table = np.full((size, 2), -1, dtype=np.int64)
    for name, entry in entries:
        value = int(cb.name_hash(np.frombuffer(name.encode() + b"\0", dtype=np.uint8)))
        slot = value & (size - 1)
        while table[slot, 1] >= 0:
            if table[slot, 0] == value:
                raise ValueError(f"two external sources share the name (or hash) {name!r}")
            slot = (slot + 1) & (size - 1)
        table[slot] = value, entry
    return table
