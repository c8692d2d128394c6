"""The vectorised macrospin loop (compiled): blocks of trials in lock step, one trial a lane.

All lanes of a block share the times of their waveforms and the noise nodes, and differ in card, voltage, noise and
state. Each phase of a step (random words, normal numbers, prediction, correction, length) is one loop over the lanes
that the compiler turns into vector instructions; the sequence of operations is that of `llg.advance`, so that in
double precision both give the same bits. Fields at the end of a step are those at the start of the next; where the
voltages of the block stand still, only the noise in them is renewed.

A lane whose state is decided leaves its place to the last one at work, so that blocks shrink as they relax.
"""

from math import floor
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.device import llg
from mtjspice.device.elementary import align_stack, fma, pair_normals
from mtjspice.device.noise import drive_deviation, pair_words

LANES = 128  # what a step touches stays within a level-1 cache
STEPS_BETWEEN_DECISIONS = 16

# rows of the working buffer, one value a lane
X, Y, Z, A, S, SIGMA, BX, BY, BZ, BK, TORQUE_NOW, FX, FY, FZ = range(14)
Z0, Z1, Z2, K0, K1, K2, TORQUE = range(14, 21)
VOLT, SLOPE, SCALE = range(21, 24)
DX, DY, DZ = range(24, 27)  # increment of m
BETWEEN = 27  # noise between two nodes, three rows
NODE = 30  # four noise nodes, three rows each, in turn
ROWS = 42
WORDS = 7  # rows of random words, the device numbers first

# a lane's unscaled coefficients, in the order in which `_scale` multiplies them by the angle per tesla
_SCALED = np.array([S, SIGMA, BX, BY, Z0, Z1, Z2, K0, K1, K2, TORQUE])
_COLUMNS = np.array([
    llg.FIELD_SHAPE_Y, llg.NOISE, llg.FIELD_X, llg.FIELD_Y, llg.FIELD_Z, llg.FIELD_Z_LINEAR, llg.FIELD_Z_QUADRATIC,
    llg.FIELD_K, llg.FIELD_K_LINEAR, llg.FIELD_K_QUADRATIC, llg.TORQUE,
])  # fmt: skip

_loop = njit(inline="always", error_model="numpy")


@_loop
def _noise(words: NDArray[np.uint32], b: NDArray[Any], seed: np.uint32, node: int, n: int) -> None:
    """Thermal field of the nodes ``node`` (even) and ``node`` + 1; row 0 of ``words`` holds the device numbers."""
    index = np.uint32(np.int64(node))
    for i in range(n):
        a0, a1, a2, a3, a4, a5 = pair_words(seed, words[i], index)
        words[LANES + i] = a0
        words[2 * LANES + i] = a1
        words[3 * LANES + i] = a2
        words[4 * LANES + i] = a3
        words[5 * LANES + i] = a4
        words[6 * LANES + i] = a5
    one = b.dtype.type(1.0)
    to = _place(node)
    for i in range(n):
        x0, y0, x1, y1, z0, z1 = pair_normals(
            words[LANES + i], words[2 * LANES + i], words[3 * LANES + i], words[4 * LANES + i],
            words[5 * LANES + i], words[6 * LANES + i], one,
        )  # fmt: skip
        b[to * LANES + i] = x0
        b[(to + 1) * LANES + i] = y0
        b[(to + 2) * LANES + i] = z0
        b[(to + 3) * LANES + i] = x1
        b[(to + 4) * LANES + i] = y1
        b[(to + 5) * LANES + i] = z1


@_loop
def _place(node: int) -> int:
    """First of the three rows of a noise node."""
    return NODE + 3 * (int(node) & 3)


# A Heun step is three short loops: the chains of dependent operations of one lane are long, and a processor looks
# only so far ahead for the next lane's. One long loop takes a third more time.


@_loop
def predict(b: NDArray[Any], n: int) -> None:
    """Increment of m over a step under the fields of its start, FX..FZ, BK and TORQUE_NOW."""
    for i in range(n):
        dx, dy, dz = llg.turn(
            b[A * LANES + i], b[S * LANES + i], b[FX * LANES + i], b[FY * LANES + i], b[FZ * LANES + i],
            b[BK * LANES + i], b[TORQUE_NOW * LANES + i], b[X * LANES + i], b[Y * LANES + i], b[Z * LANES + i],
        )  # fmt: skip
        b[DX * LANES + i] = dx
        b[DY * LANES + i] = dy
        b[DZ * LANES + i] = dz


@_loop
def correct(b: NDArray[Any], i: int, gx: Any, gy: Any, gz: Any, k: Any, t: Any) -> None:
    """Add the increment under the fields g, k, t of the end of the step to that of its start."""
    dx, dy, dz = b[DX * LANES + i], b[DY * LANES + i], b[DZ * LANES + i]
    ex, ey, ez = llg.turn(
        b[A * LANES + i], b[S * LANES + i], gx, gy, gz, k, t,
        b[X * LANES + i] + dx, b[Y * LANES + i] + dy, b[Z * LANES + i] + dz,
    )  # fmt: skip
    b[DX * LANES + i] = dx + ex
    b[DY * LANES + i] = dy + ey
    b[DZ * LANES + i] = dz + ez


@_loop
def finish(b: NDArray[Any], n: int) -> None:
    """Move m by the mean increment and restore its length."""
    one, half = b.dtype.type(1.0), b.dtype.type(0.5)
    three_eighths, five_sixteenths = b.dtype.type(0.375), b.dtype.type(0.3125)
    for i in range(n):
        x = fma(half, b[DX * LANES + i], b[X * LANES + i])
        y = fma(half, b[DY * LANES + i], b[Y * LANES + i])
        z = fma(half, b[DZ * LANES + i], b[Z * LANES + i])
        r = llg.inverse_length(x, y, z, one, half, three_eighths, five_sixteenths)
        b[X * LANES + i] = x * r
        b[Y * LANES + i] = y * r
        b[Z * LANES + i] = z * r


@_loop
def flat(b: NDArray[Any], end: int, n: int) -> None:
    """A whole noise interval at constant voltage; fields of its start are carried in FX, FY, FZ."""
    predict(b, n)
    for i in range(n):
        sigma = b[SIGMA * LANES + i]
        gx = fma(sigma, b[end * LANES + i], b[BX * LANES + i])
        gy = fma(sigma, b[(end + 1) * LANES + i], b[BY * LANES + i])
        gz = fma(sigma, b[(end + 2) * LANES + i], b[BZ * LANES + i])
        correct(b, i, gx, gy, gz, b[BK * LANES + i], b[TORQUE_NOW * LANES + i])
        b[FX * LANES + i] = gx
        b[FY * LANES + i] = gy
        b[FZ * LANES + i] = gz
    finish(b, n)


@_loop
def carry(b: NDArray[Any], node: int, n: int) -> None:
    """Prepare `flat`: everything at the voltage VOLT and the noise of a node."""
    for i in range(n):
        volt = b[VOLT * LANES + i]
        sigma = b[SIGMA * LANES + i]
        bz = llg.field_z(b[Z0 * LANES + i], b[Z1 * LANES + i], b[Z2 * LANES + i], volt)
        drive = b[SCALE * LANES + i] * volt
        b[BZ * LANES + i] = bz
        b[BK * LANES + i] = llg.field_k(b[K0 * LANES + i], b[K1 * LANES + i], b[K2 * LANES + i], drive)
        b[TORQUE_NOW * LANES + i] = b[TORQUE * LANES + i] * volt
        b[FX * LANES + i] = fma(sigma, b[node * LANES + i], b[BX * LANES + i])
        b[FY * LANES + i] = fma(sigma, b[(node + 1) * LANES + i], b[BY * LANES + i])
        b[FZ * LANES + i] = fma(sigma, b[(node + 2) * LANES + i], bz)


@_loop
def noise_between(b: NDArray[Any], old: int, new: int, to: int, fraction: Any, n: int) -> None:
    """Thermal field at a fraction of the way from one node to the next."""
    for c in range(3):
        for i in range(n):
            b[(to + c) * LANES + i] = llg.between(b[(old + c) * LANES + i], b[(new + c) * LANES + i], fraction)


@_loop
def fields(b: NDArray[Any], noise: int, time: Any, n: int) -> None:
    """Everything in FX..FZ, BK and TORQUE_NOW at the voltage VOLT + SLOPE time, with the noise of three rows."""
    for i in range(n):
        sigma = b[SIGMA * LANES + i]
        volt = fma(b[SLOPE * LANES + i], time, b[VOLT * LANES + i])
        bz = llg.field_z(b[Z0 * LANES + i], b[Z1 * LANES + i], b[Z2 * LANES + i], volt)
        drive = b[SCALE * LANES + i] * volt
        b[BK * LANES + i] = llg.field_k(b[K0 * LANES + i], b[K1 * LANES + i], b[K2 * LANES + i], drive)
        b[TORQUE_NOW * LANES + i] = b[TORQUE * LANES + i] * volt
        b[FX * LANES + i] = fma(sigma, b[noise * LANES + i], b[BX * LANES + i])
        b[FY * LANES + i] = fma(sigma, b[(noise + 1) * LANES + i], b[BY * LANES + i])
        b[FZ * LANES + i] = fma(sigma, b[(noise + 2) * LANES + i], bz)


@_loop
def ramp(b: NDArray[Any], noise: int, t1: Any, n: int) -> None:
    """A step that begins with the fields in place; at its end, t1, there is the noise of three rows from ``noise``."""
    predict(b, n)
    fields(b, noise, t1, n)
    for i in range(n):
        correct(
            b, i, b[FX * LANES + i], b[FY * LANES + i], b[FZ * LANES + i], b[BK * LANES + i],
            b[TORQUE_NOW * LANES + i],
        )  # fmt: skip
    finish(b, n)


@_loop
def scale(b: NDArray[Any], rows: NDArray[np.float64], card: NDArray[np.int64], h: float, n: int) -> None:
    """Fields as angles over a step of length ``h``."""
    for i in range(n):
        p = rows[card[i]]
        g = p[llg.PRECESSION] * h
        for c in range(len(_SCALED)):
            b[_SCALED[c] * LANES + i] = b.dtype.type(g * p[_COLUMNS[c]])


@_loop
def segment(
    b: NDArray[Any], words: NDArray[np.uint32], rows: NDArray[np.float64], card: NDArray[np.int64], seed: int,
    start: float, end: float, flat_voltage: bool, n: int,
) -> None:  # fmt: skip
    """Move ``n`` lanes from ``start`` to ``end``; voltages VOLT + SLOPE (t - start). See `llg.advance`."""
    p = rows[card[0]]
    step, pieces, hold = p[llg.NOISE_STEP], int(p[llg.SUBSTEPS]), p[llg.DRIVE_HOLD]
    word = np.uint32(seed)
    node = floor(start / step + 1e-7)
    odd = np.int64(node) & 1
    _noise(words, b, word, node - odd, n)
    if odd:
        _noise(words, b, word, node + 1, n)
    slot = -1.0
    scaled_for = 0.0  # length of step that the fields are scaled for
    carried = begun = False  # fields at the start of the step are in place, for `flat` and for `ramp`
    t = start
    while t < end:
        now = floor(t / hold + 1e-7)
        if now != slot:
            slot = now
            carried = begun = False
            for i in range(n):
                spread = rows[card[i], llg.DRIVE_SPREAD]
                deviation = 1.0
                if spread > 0.0:
                    deviation = 1.0 + spread * drive_deviation(seed, words[i], np.int64(slot))
                b[SCALE * LANES + i] = b.dtype.type(deviation)
        old, new = _place(node), _place(node + 1)
        first, last = llg.interval(t, end, step, node)
        if last <= first:
            break
        h = (last - first) / pieces * step
        if h != scaled_for:
            scale(b, rows, card, h, n)
            scaled_for = h
            carried = begun = False
        if flat_voltage and pieces == 1 and first == 0.0 and last == 1.0:
            if not carried:
                carry(b, old, n)
                carried = True
            begun = False
            flat(b, new, n)
        else:
            carried = False
            for piece in range(pieces):
                f0 = first + piece * ((last - first) / pieces)
                f1 = last if piece == pieces - 1 else first + (piece + 1) * ((last - first) / pieces)
                if not begun:
                    noise_between(b, old, new, BETWEEN, b.dtype.type(f0), n)
                    fields(b, BETWEEN, b.dtype.type((node + f0) * step - start), n)
                at = new
                if f1 != 1.0:
                    at = BETWEEN
                    noise_between(b, old, new, at, b.dtype.type(f1), n)
                ramp(b, at, b.dtype.type((node + f1) * step - start), n)
                begun = True
        if last < 1.0 or (node + 1) * step >= end - 1e-7 * step:
            break
        node += 1
        t = node * step
        if np.int64(node) & 1:
            _noise(words, b, word, node + 1, n)


@_loop
def retire(
    b: NDArray[Any], words: NDArray[np.uint32], rows: NDArray[np.float64], card: NDArray[np.int64],
    place: NDArray[np.int64], depth: NDArray[np.float64], m: NDArray[np.float64], done: NDArray[np.bool_], n: int,
) -> int:  # fmt: skip
    """Store the lanes that are decided, fill their places from the end and return how many are left."""
    state = np.empty(3)
    i = 0
    while i < n:
        state[0], state[1], state[2] = b[X * LANES + i], b[Y * LANES + i], b[Z * LANES + i]
        if not llg.decided(rows[card[i]], state, depth[i]):
            i += 1
            continue
        done[place[i]] = True
        m[place[i], 0], m[place[i], 1], m[place[i], 2] = state[0], state[1], state[2]
        n -= 1
        for row in range(ROWS):
            b[row * LANES + i] = b[row * LANES + n]
        words[i] = words[n]
        card[i], place[i], depth[i] = card[n], place[n], depth[n]
    return n


@njit(cache=True, error_model="numpy", nogil=True)
def block(
    kind: NDArray[Any], rows: NDArray[np.float64], card_of: NDArray[np.int64], seed: int, first_device: int,
    m: NDArray[np.float64], times: NDArray[np.float64], volts: NDArray[np.float64], choice: NDArray[np.int64],
    relaxing: bool, depths: NDArray[np.float64], limit: float, done: NDArray[np.bool_], begin: int, n: int,
) -> None:  # fmt: skip
    """Trials begin..begin + n of a run: through the waveform, then at V = 0 as `macrospin.relax`.

    An empty array ``kind`` of float64 or float32 says in which precision.
    """
    align_stack()
    b = np.zeros(ROWS * LANES, kind.dtype)
    words = np.zeros(WORDS * LANES, dtype=np.uint32)
    card = np.empty(LANES, np.int64)
    place = np.empty(LANES, np.int64)
    depth = np.empty(LANES)
    for i in range(n):
        trial = begin + i
        words[i] = np.uint32(first_device + trial)
        card[i], place[i], depth[i] = card_of[trial], trial, depths[card_of[trial]]
        b[X * LANES + i], b[Y * LANES + i], b[Z * LANES + i] = m[trial, 0], m[trial, 1], m[trial, 2]
        b[A * LANES + i] = rows[card[i], llg.DAMPING]
        done[trial] = not relaxing
    step = rows[card[0], llg.NOISE_STEP]
    last = len(times) - 1
    k = 0
    start = times[last]
    node = floor(start / step + 1e-7)
    while True:
        still = True
        if k < last:
            start, end = times[k], times[k + 1]
            for i in range(n):
                v0, v1 = volts[choice[begin + i], k], volts[choice[begin + i], k + 1]
                b[VOLT * LANES + i] = v0
                b[SLOPE * LANES + i] = (v1 - v0) / (end - start)
                still = still and v0 == v1
            k += 1
        else:
            if relaxing:
                n = retire(b, words, rows, card, place, depth, m, done, n)
            if not relaxing or n == 0 or end >= times[last] + limit:
                break
            for i in range(n):
                b[VOLT * LANES + i] = b.dtype.type(0.0)
                b[SLOPE * LANES + i] = b.dtype.type(0.0)
            node += STEPS_BETWEEN_DECISIONS
            start, end = end, node * step
        segment(b, words, rows, card, seed, start, end, still, n)
    for i in range(n):
        m[place[i], 0], m[place[i], 1] = b[X * LANES + i], b[Y * LANES + i]
        m[place[i], 2] = b[Z * LANES + i]


@njit(cache=True, error_model="numpy", nogil=True)
def move(
    b: NDArray[np.float64], words: NDArray[np.uint32], card: NDArray[np.int64], rows: NDArray[np.float64],
    devices: NDArray[np.int64], seed: int, states: NDArray[np.float64], start: float, end: float,
    volt_start: NDArray[np.float64], volt_end: NDArray[np.float64],
) -> None:  # fmt: skip
    """`llg.advance` of many junctions at once, to the last bit: row i of ``rows``, ``states`` and voltages is one.

    For junctions whose rows agree in noise step, substeps and drive hold and have FULL = 0. The first three arrays
    are room to work in: (ROWS LANES,), (WORDS LANES,) and (LANES,).
    """
    if end <= start:
        return
    align_stack()
    for begin in range(0, len(devices), LANES):
        n = min(LANES, len(devices) - begin)
        still = True
        for i in range(n):
            k = begin + i
            words[i] = np.uint32(devices[k])
            card[i] = k
            b[X * LANES + i], b[Y * LANES + i], b[Z * LANES + i] = states[k, 0], states[k, 1], states[k, 2]
            b[A * LANES + i] = rows[k, llg.DAMPING]
            b[VOLT * LANES + i] = volt_start[k]
            b[SLOPE * LANES + i] = (volt_end[k] - volt_start[k]) / (end - start)
            still = still and volt_start[k] == volt_end[k]
        segment(b, words, rows, card, seed, start, end, still, n)
        for i in range(n):
            states[begin + i, 0] = b[X * LANES + i]
            states[begin + i, 1] = b[Y * LANES + i]
            states[begin + i, 2] = b[Z * LANES + i]
