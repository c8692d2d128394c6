"""The compiled side of the co-simulation: callbacks that libngspice calls inside its time loop.

ngspice asks for the value of every external source (`supply`) at each attempted time and reports each accepted
point (`accept`). The bank of macrospins answers with m_z:

* an attempt at time t integrates a *trial* copy of each magnetization from the last accepted point to t, with
  the junction voltage held at its last accepted value; a rejected attempt leaves no trace;
* an accepted point integrates again from the last accepted point, now with the voltage running linearly to its
  accepted value. So the accepted trajectory is exactly the macrospin solution for the voltage waveform in the
  result, whatever steps ngspice tried, and can be replayed from it. Only the conductance that ngspice saw
  carries the (second-order) difference between trial and accepted m_z; its maximum is recorded.

All state lives in NumPy arrays owned by a `Bank`, reached through the user pointer; no Python runs here.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from mtjspice.device import llg

# words of the header that the user pointer points to
DEVICES, SEED, PARAMETERS, DEVICE_IDS, ACCEPTED, TRIAL, VOLTAGES, CLOCK = range(8)
TABLE, TABLE_SIZE, NODES, COUNTERS, RECORD, CAPACITY = range(8, 14)
HEADER_WORDS = 14

# words of the counters
POINTS, ATTEMPTS, OVERFLOW, UNKNOWN, CALLS = range(5)
COUNTER_WORDS = 5

# words of the clock
TIME_ACCEPTED, TIME_TRIAL, COUPLING = range(3)
CLOCK_WORDS = 3
NO_TRIAL = -1.0
GROUND = -1

# struct vecvalues {char *name; double creal; ...} and vecvaluesall {int count, index; vecvalues **items}
_CREAL_OFFSET = 8
_ITEMS_OFFSET = 8


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """Turn an integer address into a pointer for `carray`."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.intp), generate


@njit(cache=True)
def name_hash(name: NDArray[np.uint8]) -> int:
    """FNV-1a, 64 bit, of a name up to its terminating zero byte."""
    value = np.uint64(14695981039346656037)
    for k in range(len(name)):
        if name[k] == 0:
            break
        value = np.uint64((value ^ np.uint64(name[k])) * np.uint64(1099511628211))
    return int(np.int64(value))


@njit(cache=True)
def _find(table: NDArray[np.int64], wanted: int) -> int:
    """Look a hash up in the open-addressed table of (hash, device) rows; -1 if it is not there."""
    size = table.shape[0]
    slot = wanted & (size - 1)
    for _ in range(size):
        if table[slot, 1] < 0:
            return -1
        if table[slot, 0] == wanted:
            return int(table[slot, 1])
        slot = (slot + 1) & (size - 1)
    return -1


@cfunc(
    types.int32(types.CPointer(types.float64), types.float64, types.voidptr, types.int32, types.voidptr),
    cache=True,
)
def supply(value, time, name, ident, user):  # type: ignore[no-untyped-def]
    """GetVSRCData: the value of external source ``name`` at ``time`` is the trial m_z of its junction."""
    h = carray(user, HEADER_WORDS, np.int64)
    n = h[DEVICES]
    counters = carray(_pointer(h[COUNTERS]), COUNTER_WORDS, np.int64)
    counters[CALLS] += 1
    table = carray(_pointer(h[TABLE]), (h[TABLE_SIZE], 2), np.int64)
    device = _find(table, name_hash(carray(name, 256, np.uint8)))
    if device < 0:
        counters[UNKNOWN] += 1
    if device < 0 or n == 0 or counters[OVERFLOW]:
        value[0] = np.nan  # no callback can end the transient, but non-convergence does
        return 0
    clock = carray(_pointer(h[CLOCK]), CLOCK_WORDS, np.float64)
    trial = carray(_pointer(h[TRIAL]), (n, llg.STATE), np.float64)
    if time != clock[TIME_TRIAL]:
        counters[ATTEMPTS] += 1
        p = carray(_pointer(h[PARAMETERS]), (n, llg.COLUMNS), np.float64)
        ids = carray(_pointer(h[DEVICE_IDS]), n, np.int64)
        accepted = carray(_pointer(h[ACCEPTED]), (n, llg.STATE), np.float64)
        volts = carray(_pointer(h[VOLTAGES]), n, np.float64)
        for i in range(n):
            for c in range(llg.STATE):
                trial[i, c] = accepted[i, c]
            llg.advance(p[i], h[SEED], ids[i], trial[i], clock[TIME_ACCEPTED], time, volts[i], volts[i])
        clock[TIME_TRIAL] = time
    value[0] = trial[device, 2]
    return 0


@cfunc(types.int32(types.voidptr, types.int32, types.int32, types.voidptr), cache=True)
def accept(vectors, count, ident, user):  # type: ignore[no-untyped-def]
    """SendData: take the junction voltages of an accepted point and move every magnetization there."""
    h = carray(user, HEADER_WORDS, np.int64)
    n = h[DEVICES]
    items = carray(vectors, 2, np.int64)[_ITEMS_OFFSET // 8]
    addresses = carray(_pointer(items), count, np.int64)
    nodes = carray(_pointer(h[NODES]), (n + 1, 2), np.int64)
    clock = carray(_pointer(h[CLOCK]), CLOCK_WORDS, np.float64)
    counters = carray(_pointer(h[COUNTERS]), COUNTER_WORDS, np.int64)
    p = carray(_pointer(h[PARAMETERS]), (n, llg.COLUMNS), np.float64)
    ids = carray(_pointer(h[DEVICE_IDS]), n, np.int64)
    accepted = carray(_pointer(h[ACCEPTED]), (n, llg.STATE), np.float64)
    trial = carray(_pointer(h[TRIAL]), (n, llg.STATE), np.float64)
    volts = carray(_pointer(h[VOLTAGES]), n, np.float64)
    time = carray(_pointer(addresses[nodes[n, 0]] + _CREAL_OFFSET), 1, np.float64)[0]
    point = counters[POINTS]
    recording = point < h[CAPACITY]
    record = carray(_pointer(h[RECORD]), (h[CAPACITY], 1 + 2 * n), np.float64)
    for i in range(n):
        volt = 0.0
        if nodes[i, 0] != GROUND:
            volt += carray(_pointer(addresses[nodes[i, 0]] + _CREAL_OFFSET), 1, np.float64)[0]
        if nodes[i, 1] != GROUND:
            volt -= carray(_pointer(addresses[nodes[i, 1]] + _CREAL_OFFSET), 1, np.float64)[0]
        llg.advance(p[i], h[SEED], ids[i], accepted[i], clock[TIME_ACCEPTED], time, volts[i], volt)
        volts[i] = volt
        if clock[TIME_TRIAL] == time:
            clock[COUPLING] = max(clock[COUPLING], abs(trial[i, 2] - accepted[i, 2]))
        if recording:
            record[point, 1 + i] = volt
            record[point, 1 + n + i] = accepted[i, 2]
    if recording:
        record[point, 0] = time
    else:
        counters[OVERFLOW] = 1
    counters[POINTS] = point + 1
    clock[TIME_ACCEPTED] = time
    clock[TIME_TRIAL] = NO_TRIAL
    return 0
