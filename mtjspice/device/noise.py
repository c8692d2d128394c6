"""The thermal field as one random function of time (compiled).

Node values at t_k = k dt_n are N(0,1) per Cartesian component, scaled by sigma with
sigma^2 = 2 alpha k T/(gamma Ms V_fl dt_n), and joined by straight lines (Wong-Zakai: the solutions converge
to those of the Stratonovich equation). N(0,1) comes by Box-Muller from Threefry-2x32 with 20 rounds (Salmon
et al., SC'11), which needs only 32-bit add, rotate and xor, so that a netlist model can compute it too:

    key = (seed, device), counter = (k, 0): x and y of node k, (j, 1): z of the nodes 2j and 2j + 1,
    (slot, 2): drive spread.

A rejected time step, another integrator or another program therefore sees the same field again.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from mtjspice.device.elementary import node_normals, normals

STREAM_XY = 0
STREAM_Z = 1
STREAM_DRIVE = 2

_PARITY = 0x1BD11BDA
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def _constant(value: int) -> ir.Constant:
    return ir.Constant(ir.IntType(32), value)


def _threefry(builder: ir.IRBuilder, key: tuple[Any, Any], blocks: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Emit Threefry-2x32-20 of several counters under one key.

    The rounds of the blocks alternate: each is one chain of dependent instructions, and the processor looks only so
    far ahead for others.
    """

    def rotate(value: Any, bits: int) -> Any:
        return builder.or_(builder.shl(value, _constant(bits)), builder.lshr(value, _constant(32 - bits)))

    keys = (*key, builder.xor(builder.xor(*key), _constant(_PARITY)))
    state = [(builder.add(a, keys[0]), builder.add(b, keys[1])) for a, b in blocks]
    for group in range(5):  # of four rounds; a key word is injected after each
        for bits in _ROTATIONS[group % 2]:
            sums = [builder.add(a, b) for a, b in state]
            turned = [rotate(b, bits) for _, b in state]
            state = [(a, builder.xor(b, a)) for a, b in zip(sums, turned, strict=True)]
        first = keys[(group + 1) % 3]
        second = builder.add(keys[(group + 2) % 3], _constant(group + 1))
        state = [(builder.add(a, first), builder.add(b, second)) for a, b in state]
    return state


@intrinsic
def threefry_words(typing_context: Any, k0: Any, k1: Any, x0: Any, x1: Any) -> Any:
    """Threefry-2x32-20 of the counter (x0, x1) under the key (k0, k1), all uint32; a pair of uint32.

    Written as instructions: quick to compile where it is inlined, and vectorised in loops over devices.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        (words,) = _threefry(builder, tuple(arguments[:2]), [tuple(arguments[2:])])
        return context.make_tuple(builder, signature.return_type, words)

    word = types.uint32
    return types.UniTuple(word, 2)(word, word, word, word) if (k0, k1, x0, x1) == (word,) * 4 else None, generate


@intrinsic
def node_words(typing_context: Any, seed: Any, device: Any, node: Any) -> Any:
    """Four words of a noise node, for `elementary.node_normals`: those of x and y, then those of z.

    Odd nodes have the second normal of the z block, the sine: their angle is turned back by a quarter.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        index = arguments[2]
        counters = [(index, _constant(STREAM_XY)), (builder.lshr(index, _constant(1)), _constant(STREAM_Z))]
        (a, b), (c, d) = _threefry(builder, tuple(arguments[:2]), counters)
        quarter = builder.shl(builder.and_(index, _constant(1)), _constant(30))
        return context.make_tuple(builder, signature.return_type, (a, b, c, builder.sub(d, quarter)))

    word = types.uint32
    return types.UniTuple(word, 4)(word, word, word) if (seed, device, node) == (word,) * 3 else None, generate


@intrinsic
def pair_words(typing_context: Any, seed: Any, device: Any, node: Any) -> Any:
    """Six words of the noise nodes ``node`` (even) and ``node`` + 1, for `elementary.pair_normals`."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        index = arguments[2]
        counters = [
            (index, _constant(STREAM_XY)),
            (builder.or_(index, _constant(1)), _constant(STREAM_XY)),
            (builder.lshr(index, _constant(1)), _constant(STREAM_Z)),
        ]
        blocks = _threefry(builder, tuple(arguments[:2]), counters)
        return context.make_tuple(builder, signature.return_type, [word for block in blocks for word in block])

    word = types.uint32
    return types.UniTuple(word, 6)(word, word, word) if (seed, device, node) == (word,) * 3 else None, generate


@njit(cache=True)
def threefry2x32(key0: int, key1: int, counter0: int, counter1: int) -> tuple[np.uint32, np.uint32]:
    """Threefry-2x32-20 of one counter under one key; all arguments are taken modulo 2^32."""
    return threefry_words(np.uint32(key0), np.uint32(key1), np.uint32(counter0), np.uint32(counter1))


@njit(cache=True)
def normal_pair(seed: int, device: int, index: int, stream: int) -> tuple[float, float]:
    """Return two independent N(0,1) values. |value| <= 6.76, as 32-bit words reach no further."""
    word0, word1 = threefry2x32(seed, device, index, stream)
    return normals(word0, word1, 1.0)


@njit(cache=True)
def field_node(seed: int, device: int, index: int) -> tuple[float, float, float]:
    """Return the three N(0,1) components of the thermal field at noise node ``index``."""
    a, b, c, d = node_words(np.uint32(seed), np.uint32(device), np.uint32(index))
    return node_normals(a, b, c, d, 1.0)


@njit(cache=True)
def drive_deviation(seed: int, device: int, slot: int) -> float:
    """Return the N(0,1) deviation of the VCMA drive in time slot ``slot`` (cycle-to-cycle spread)."""
    value, _ = normal_pair(seed, device, slot, STREAM_DRIVE)
    return float(value)
