"""The compiled side of the co-simulation: callbacks that libngspice calls inside its time loop.

ngspice asks for the value of every external source (`supply`) at each attempted time, reports each accepted point
(`accept`) and, before each step, how long it is to be (`shorten`). The bank of macrospins answers with m_z:

* an attempt at time t integrates a *trial* copy of each magnetization from the last accepted point to t, with the
  junction voltage extrapolated along its last slope; a rejected attempt leaves no trace;
* an accepted point integrates again from the last accepted point, now with the voltage running linearly to its
  accepted value. So the accepted trajectory is exactly the macrospin solution for the voltage waveform in the
  result, whatever steps ngspice tried, and can be replayed from it. Only the conductance that ngspice saw
  carries the (third-order) difference between trial and accepted m_z; its maximum is recorded.

A long wait without voltage costs nothing: see `_through`. All state lives in NumPy arrays owned by a `Bank`, reached
through the user pointer; no Python runs here.
"""

from math import exp, floor
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from mtjspice.device import lanes, llg

# words of the header that the user pointer points to
DEVICES, SEED, PARAMETERS, DEVICE_IDS, ACCEPTED, TRIAL, VOLTAGES, CLOCK = range(8)
TABLE, TABLE_SIZE, NODES, COUNTERS, RECORD, CAPACITY, SLOPES, LINES, ENERGIES, WAITS, KEEPING = range(8, 19)
EMPTIED, EMPTIED_COUNT, LINEAR, ENDS, ALIKE, LANE_REALS, LANE_WORDS, LANE_CARDS = range(19, 27)
HEADER_WORDS = 27

# words of the counters
POINTS, ATTEMPTS, OVERFLOW, UNKNOWN, CALLS = range(5)
COUNTER_WORDS = 5

# words of the clock
TIME_ACCEPTED, TIME_TRIAL, COUPLING, ACTIVE_STEP, TANGENT = range(5)
CLOCK_WORDS = 5
NO_TRIAL = -1.0
GROUND = -1

# columns of `NODES`: where the voltages of either side and the current of a spin-orbit line arrive
TOP, BOTTOM, LINE = range(3)

# what an external source carries; the table of names holds KINDS times the device plus this
STATE_OF, SLOPE_OF, OFFSET_OF = range(3)
KINDS = 3

# what is recorded of each junction at each accepted point
RECORDED = 5  # voltage, m_x, m_y, m_z, temperature rise

QUIET = 1e-3  # V; a junction below it waits
SETTLED = 5.0  # kT below the saddle: in a well
FORGETTING = 40.0  # relaxation times after which e^-40 of a difference is left
LEAVING = 1e-6  # chance to leave the well during a wait up to which the wait is cut short

# struct vecvalues {char *name; double creal; ...} and vecvaluesall {int count, index; vecvalues **items}
_CREAL_OFFSET = 8
_ITEMS_OFFSET = 8
# struct dvec, up to its length: name, type and flags, two data pointers, two limits, two enumerations
_LENGTH_OFFSET = 56


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
    """Look a hash up in the open-addressed table of (hash, entry) rows; -1 if it is not there."""
    size = table.shape[0]
    slot = wanted & (size - 1)
    for _ in range(size):
        if table[slot, 1] < 0:
            return -1
        if table[slot, 0] == wanted:
            return int(table[slot, 1])
        slot = (slot + 1) & (size - 1)
    return -1


@njit(cache=True, error_model="numpy")
def _through(
    p: NDArray[np.float64], wait: float, longest: float, seed: int, device: int, m: NDArray[np.float64],
    start: float, end: float, volt_start: float, volt_end: float, line_start: float, line_end: float,
) -> None:  # fmt: skip
    """`llg.advance`; of a long wait in a well, without voltage and current, only the last ``wait`` seconds.

    The noise is a function of time: whatever the magnetization was before, it forgets it, and what remains follows
    the noise alone. ``wait`` is so long that the difference is below rounding. Within ``longest`` a junction hardly
    leaves its well by itself; a longer wait is integrated throughout.
    """
    quiet = abs(volt_start) < QUIET and abs(volt_end) < QUIET and line_start == 0.0 and line_end == 0.0
    if quiet and 2.0 * wait < end - start < longest and llg.decided(p, m, SETTLED):
        later = p[llg.NOISE_STEP] * floor((end - wait) / p[llg.NOISE_STEP])
        if p[llg.THERMAL_RESISTANCE] > 0.0:
            m[llg.RISE] *= exp(-(later - start) / (p[llg.THERMAL_RESISTANCE] * p[llg.THERMAL_CAPACITANCE]))
        m[llg.DRIVE] = 0.0
        start, volt_start = later, 0.0
    llg.advance(p, seed, device, m, start, end, volt_start, volt_end, line_start, line_end)


@njit(cache=True, error_model="numpy")
def _move(
    h: NDArray[np.int64], p: NDArray[np.float64], states: NDArray[np.float64], start: float, end: float,
    volts: NDArray[np.float64], volt_ends: NDArray[np.float64], lines: NDArray[np.float64],
    line_ends: NDArray[np.float64],
) -> None:  # fmt: skip
    """Every junction from ``start`` to ``end`` (s): with vector instructions where all are of the simple kind."""
    n = len(p)
    ids = carray(_pointer(h[DEVICE_IDS]), n, np.int64)
    waits = carray(_pointer(h[WAITS]), (2, n), np.float64)
    if h[ALIKE] and end - start <= 2.0 * waits[0].min():
        reals = carray(_pointer(h[LANE_REALS]), lanes.ROWS * lanes.LANES, np.float64)
        words = carray(_pointer(h[LANE_WORDS]), lanes.WORDS * lanes.LANES, np.uint32)
        cards = carray(_pointer(h[LANE_CARDS]), lanes.LANES, np.int64)
        lanes.move(reals, words, cards, p, ids, h[SEED], states, start, end, volts, volt_ends)
        return
    for i in range(n):
        _through(
            p[i], waits[0, i], waits[1, i], h[SEED], ids[i], states[i], start, end,
            volts[i], volt_ends[i], lines[i], line_ends[i],
        )  # fmt: skip


@njit(cache=True, error_model="numpy")
def visible(p: NDArray[np.float64], m: NDArray[np.float64], volt: float) -> float:
    """m_z that gives the deck's law of 300 K or of its own temperature the conductance of the heated junction.

    The deck knows no self-heating: G/G_P = [(1 + m_z) + a (1 - m_z)]/2 with a = 1/(1 + TMR(V)). With a(T) in place of
    a, the same G belongs to another m_z.
    """
    if p[llg.THERMAL_RESISTANCE] == 0.0 or p[llg.POLARIZATION_COEFFICIENT] == 0.0 or p[llg.TMR] == 0.0:
        return float(m[2])
    c, ambient = p[llg.POLARIZATION_COEFFICIENT], p[llg.TEMPERATURE]
    polar = max(0.0, (1.0 - c * (ambient + m[llg.RISE]) ** 1.5) / (1.0 - c * ambient**1.5))
    julliere = (p[llg.POLARIZATION] * polar) ** 2
    ratio = volt / p[llg.TMR_HALF_VOLTAGE]
    hot = 1.0 / (1.0 + 2.0 * julliere / (1.0 - julliere) / (1.0 + ratio * ratio))
    cold = 1.0 / (1.0 + p[llg.TMR] / (1.0 + ratio * ratio))
    return float(1.0 - (1.0 - m[2]) * (1.0 - hot) / (1.0 - cold))


@njit(cache=True, error_model="numpy")
def conduction(p: NDArray[np.float64], m: NDArray[np.float64], volt: float) -> tuple[float, float]:
    """Conduction current of a junction in A, and its derivative by the voltage in S."""
    share = 0.5 * (1.0 - visible(p, m, volt))
    square = p[llg.TMR_HALF_VOLTAGE] ** 2
    below = 1.0 / ((1.0 + p[llg.TMR]) * square + volt * volt)
    drop = share * p[llg.TMR] * square * below  # of the conductance, by the antiparallel part
    linear, quadratic = p[llg.CONDUCTANCE_LINEAR], p[llg.CONDUCTANCE_QUADRATIC]
    bias = 1.0 + (linear + quadratic * volt) * volt
    current = p[llg.CONDUCTANCE_P] * volt * bias * (1.0 - drop)
    slope = (1.0 + (2.0 * linear + 3.0 * quadratic * volt) * volt) * (1.0 - drop)
    return current, p[llg.CONDUCTANCE_P] * (slope + 2.0 * volt * volt * bias * drop * below)


@cfunc(
    types.int32(types.CPointer(types.float64), types.float64, types.voidptr, types.int32, types.voidptr),
    cache=True,
)
def supply(value, time, name, ident, user):  # type: ignore[no-untyped-def]
    """GetVSRCData and GetISRCData: the value of external source ``name`` at ``time``, from the trial state.

    That of a junction's only source is m_z. One with two has the tangent of its law at the extrapolated voltage V_x,
    I = g V + j: a voltage source with g = dI/dV (1 V: 1 S) and a current source with j = I - g V_x.
    """
    h = carray(user, HEADER_WORDS, np.int64)
    n = h[DEVICES]
    counters = carray(_pointer(h[COUNTERS]), COUNTER_WORDS, np.int64)
    counters[CALLS] += 1
    table = carray(_pointer(h[TABLE]), (h[TABLE_SIZE], 2), np.int64)
    entry = _find(table, name_hash(carray(name, 256, np.uint8)))
    if entry < 0:
        counters[UNKNOWN] += 1
    if entry < 0 or n == 0 or counters[OVERFLOW]:
        value[0] = np.nan  # no callback can end the transient, but non-convergence does
        return 0
    device, kind = entry // KINDS, entry % KINDS
    clock = carray(_pointer(h[CLOCK]), CLOCK_WORDS, np.float64)
    trial = carray(_pointer(h[TRIAL]), (n, llg.STATE), np.float64)
    p = carray(_pointer(h[PARAMETERS]), (n, llg.COLUMNS), np.float64)
    volts = carray(_pointer(h[VOLTAGES]), n, np.float64)
    slopes = carray(_pointer(h[SLOPES]), (2, n), np.float64)
    passed = time - clock[TIME_ACCEPTED]
    if time != clock[TIME_TRIAL]:
        counters[ATTEMPTS] += 1
        accepted = carray(_pointer(h[ACCEPTED]), (n, llg.STATE), np.float64)
        lines = carray(_pointer(h[LINES]), n, np.float64)
        ends = carray(_pointer(h[ENDS]), (2, n), np.float64)
        for i in range(n):
            for c in range(llg.STATE):
                trial[i, c] = accepted[i, c]
            ends[0, i] = volts[i] + slopes[0, i] * passed
            ends[1, i] = lines[i] + slopes[1, i] * passed
        _move(h, p, trial, clock[TIME_ACCEPTED], time, volts, ends[0], lines, ends[1])
        clock[TIME_TRIAL] = time
    there = volts[device] + slopes[0, device] * passed
    if kind == STATE_OF:
        value[0] = visible(p[device], trial[device], there)
    else:
        current, slope = conduction(p[device], trial[device], there)
        value[0] = slope if kind == SLOPE_OF else current - slope * there
    return 0


@cfunc(types.int32(types.voidptr, types.int32, types.int32, types.voidptr), cache=True)
def accept(vectors, count, ident, user):  # type: ignore[no-untyped-def]
    """SendData: take the junction voltages of an accepted point and move every magnetization there."""
    h = carray(user, HEADER_WORDS, np.int64)
    n = h[DEVICES]
    items = carray(vectors, 2, np.int64)[_ITEMS_OFFSET // 8]
    addresses = carray(_pointer(items), count, np.int64)
    nodes = carray(_pointer(h[NODES]), (n + 1, 3), np.int64)
    clock = carray(_pointer(h[CLOCK]), CLOCK_WORDS, np.float64)
    counters = carray(_pointer(h[COUNTERS]), COUNTER_WORDS, np.int64)
    p = carray(_pointer(h[PARAMETERS]), (n, llg.COLUMNS), np.float64)
    accepted = carray(_pointer(h[ACCEPTED]), (n, llg.STATE), np.float64)
    trial = carray(_pointer(h[TRIAL]), (n, llg.STATE), np.float64)
    volts = carray(_pointer(h[VOLTAGES]), n, np.float64)
    lines = carray(_pointer(h[LINES]), n, np.float64)
    slopes = carray(_pointer(h[SLOPES]), (2, n), np.float64)
    energies = carray(_pointer(h[ENERGIES]), n, np.float64)
    ends = carray(_pointer(h[ENDS]), (2, n), np.float64)
    linear = carray(_pointer(h[LINEAR]), n, np.int64)
    time = carray(_pointer(addresses[nodes[n, 0]] + _CREAL_OFFSET), 1, np.float64)[0]
    step = time - clock[TIME_ACCEPTED]
    point = counters[POINTS]
    recording = h[KEEPING] and point < h[CAPACITY]
    record = carray(_pointer(h[RECORD]), (h[CAPACITY], 1 + RECORDED * n), np.float64)
    for i in range(n):
        volt, line = 0.0, 0.0
        if nodes[i, TOP] != GROUND:
            volt += carray(_pointer(addresses[nodes[i, TOP]] + _CREAL_OFFSET), 1, np.float64)[0]
        if nodes[i, BOTTOM] != GROUND:
            volt -= carray(_pointer(addresses[nodes[i, BOTTOM]] + _CREAL_OFFSET), 1, np.float64)[0]
        if nodes[i, LINE] != GROUND:
            line = carray(_pointer(addresses[nodes[i, LINE]] + _CREAL_OFFSET), 1, np.float64)[0]
        ends[0, i], ends[1, i] = volt, line
        energies[i] += 0.5 * max(0.0, step) * volts[i] * conduction(p[i], accepted[i], volts[i])[0]
        if linear[i] and clock[TIME_TRIAL] == time:
            there = volts[i] + slopes[0, i] * step
            tangent, slope = conduction(p[i], trial[i], there)
            missed = conduction(p[i], trial[i], volt)[0] - (tangent + slope * (volt - there))
            clock[TANGENT] = max(clock[TANGENT], abs(missed))
    _move(h, p, accepted, clock[TIME_ACCEPTED], time, volts, ends[0], lines, ends[1])
    for i in range(n):
        volt, line = ends[0, i], ends[1, i]
        if step > 0.0:
            energies[i] += 0.5 * step * volt * conduction(p[i], accepted[i], volt)[0]
            slopes[0, i], slopes[1, i] = (volt - volts[i]) / step, (line - lines[i]) / step
        volts[i], lines[i] = volt, line
        if clock[TIME_TRIAL] == time:
            clock[COUPLING] = max(clock[COUPLING], abs(trial[i, 2] - accepted[i, 2]))
        if recording:
            to = 1 + RECORDED * i
            record[point, to] = volt
            for c in range(3):
                record[point, to + 1 + c] = accepted[i, c]
            record[point, to + 4] = accepted[i, llg.RISE]
    if recording:
        record[point, 0] = time
    elif h[KEEPING]:
        counters[OVERFLOW] = 1
    if not h[KEEPING]:
        record[min(point, 1), 0] = time  # the first and the last time tell whether the run was complete
        emptied = carray(_pointer(h[EMPTIED]), h[EMPTIED_COUNT], np.int64)
        for k in range(h[EMPTIED_COUNT]):
            length = carray(_pointer(emptied[k] + _LENGTH_OFFSET), 1, np.int32)
            if length[0] == 1:  # ngspice writes the next point over this one; anything else is not its length
                length[0] = 0
    counters[POINTS] = point + 1
    clock[TIME_ACCEPTED] = time
    clock[TIME_TRIAL] = NO_TRIAL
    return 0


@cfunc(
    types.int32(
        types.float64, types.CPointer(types.float64), types.float64, types.int32, types.int32, types.int32,
        types.voidptr,
    ),
    cache=True,
)  # fmt: skip
def shorten(time, step, old_step, redo, ident, location, user):  # type: ignore[no-untyped-def]
    """GetSyncData: while a junction has voltage, steps are at most the active step; else the largest of ``.tran``."""
    h = carray(user, HEADER_WORDS, np.int64)
    n = h[DEVICES]
    if redo or n == 0:
        return redo
    clock = carray(_pointer(h[CLOCK]), CLOCK_WORDS, np.float64)
    if step[0] > clock[ACTIVE_STEP]:
        volts = carray(_pointer(h[VOLTAGES]), n, np.float64)
        lines = carray(_pointer(h[LINES]), n, np.float64)
        for i in range(n):
            if abs(volts[i]) > QUIET or lines[i] != 0.0:
                step[0] = clock[ACTIVE_STEP]
                break
    return 0
