"""The thermal field as one random function of time (compiled).

Node values at t_k = k dt_n are N(0,1) per Cartesian component, scaled by sigma with
sigma^2 = 2 alpha k T/(gamma Ms V_fl dt_n), and joined by straight lines (Wong-Zakai: the solutions converge
to those of the Stratonovich equation). N(0,1) comes by Box-Muller from Threefry-2x32 with 20 rounds (Salmon
et al., SC'11), which needs only 32-bit add, rotate and xor, so that a netlist model can compute it too:

    key = (seed, device), counter = (k, stream);  stream 0: x and y, stream 1: z, stream 2: drive spread.

A rejected time step, another integrator or another program therefore sees the same field again.
"""

from math import cos, log, pi, sin, sqrt

import numpy as np
from numba import njit

STREAM_XY = 0
STREAM_Z = 1
STREAM_DRIVE = 2

_PARITY = np.uint32(0x1BD11BDA)


@njit(inline="always")
def _rotate(x: np.uint32, bits: int) -> np.uint32:
    return np.uint32((np.uint32(x) << np.uint32(bits)) | (np.uint32(x) >> np.uint32(32 - bits)))


@njit(inline="always")
def _mix(x0: np.uint32, x1: np.uint32, bits: int) -> tuple[np.uint32, np.uint32]:
    x0 = np.uint32(x0 + x1)
    return x0, np.uint32(_rotate(x1, bits) ^ x0)


@njit(cache=True)
def threefry2x32(key0: int, key1: int, counter0: int, counter1: int) -> tuple[np.uint32, np.uint32]:
    """Threefry-2x32-20 of one counter under one key; all arguments are taken modulo 2^32."""
    k0, k1 = np.uint32(key0), np.uint32(key1)
    k2 = np.uint32(_PARITY ^ k0 ^ k1)
    x0, x1 = np.uint32(np.uint32(counter0) + k0), np.uint32(np.uint32(counter1) + k1)
    # five groups of four rounds, a key word injected after each
    x0, x1 = _mix(x0, x1, 13)
    x0, x1 = _mix(x0, x1, 15)
    x0, x1 = _mix(x0, x1, 26)
    x0, x1 = _mix(x0, x1, 6)
    x0, x1 = np.uint32(x0 + k1), np.uint32(x1 + k2 + np.uint32(1))
    x0, x1 = _mix(x0, x1, 17)
    x0, x1 = _mix(x0, x1, 29)
    x0, x1 = _mix(x0, x1, 16)
    x0, x1 = _mix(x0, x1, 24)
    x0, x1 = np.uint32(x0 + k2), np.uint32(x1 + k0 + np.uint32(2))
    x0, x1 = _mix(x0, x1, 13)
    x0, x1 = _mix(x0, x1, 15)
    x0, x1 = _mix(x0, x1, 26)
    x0, x1 = _mix(x0, x1, 6)
    x0, x1 = np.uint32(x0 + k0), np.uint32(x1 + k1 + np.uint32(3))
    x0, x1 = _mix(x0, x1, 17)
    x0, x1 = _mix(x0, x1, 29)
    x0, x1 = _mix(x0, x1, 16)
    x0, x1 = _mix(x0, x1, 24)
    x0, x1 = np.uint32(x0 + k1), np.uint32(x1 + k2 + np.uint32(4))
    x0, x1 = _mix(x0, x1, 13)
    x0, x1 = _mix(x0, x1, 15)
    x0, x1 = _mix(x0, x1, 26)
    x0, x1 = _mix(x0, x1, 6)
    return np.uint32(x0 + k2), np.uint32(x1 + k0 + np.uint32(5))


@njit(cache=True)
def normal_pair(seed: int, device: int, index: int, stream: int) -> tuple[float, float]:
    """Return two independent N(0,1) values. |value| <= 6.76, as 32-bit words reach no further."""
    word0, word1 = threefry2x32(seed, device, index, stream)
    radius = sqrt(-2.0 * log((word0 + 0.5) * 2.0**-32))
    angle = 2.0 * pi * ((word1 + 0.5) * 2.0**-32)
    return radius * cos(angle), radius * sin(angle)


@njit(cache=True)
def field_node(seed: int, device: int, index: int) -> tuple[float, float, float]:
    """Return the three N(0,1) components of the thermal field at noise node ``index``."""
    x, y = normal_pair(seed, device, index, STREAM_XY)
    z, _ = normal_pair(seed, device, index, STREAM_Z)
    return x, y, z


@njit(cache=True)
def drive_deviation(seed: int, device: int, slot: int) -> float:
    """Return the N(0,1) deviation of the VCMA drive in time slot ``slot`` (cycle-to-cycle spread)."""
    value, _ = normal_pair(seed, device, slot, STREAM_DRIVE)
    return float(value)
