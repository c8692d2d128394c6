"""Parities of Markov chains: exact expectations of products of their bits, as signs."""

from collections.abc import Iterable

import numpy as np

from mtjspice.device.chain import ChainModel


def expected_sign(model: ChainModel, positions: Iterable[int]) -> float:
    """E[(-1)^(sum of the bits at ``positions``)] of stationary chains that take turns, lane = position modulo lanes.

    A position that occurs twice drops out. For one chain with the transition matrix T, the stationary law pi and
    D = diag(1, -1) it is pi D T^(d1) D T^(d2) ... D 1, with the distances d of the bits; lanes are independent.
    """
    odd: set[int] = set()
    for position in positions:
        odd ^= {position}
    by_lane: dict[int, list[int]] = {}
    for position in sorted(odd):
        by_lane.setdefault(position % model.lanes, []).append(position // model.lanes)
    product = 1.0
    for lane, cycles in by_lane.items():
        product *= _chain_sign(float(model.p01[lane]), float(model.p10[lane]), cycles)
    return product


def _chain_sign(p01: float, p10: float, cycles: list[int]) -> float:
    one, memory = p01 / (p01 + p10), 1 - p01 - p10
    law = np.array([1 - one, one])
    vector = np.array([1 - one, -one])  # the law, signed at the first bit
    for distance in np.diff(cycles):
        kept = memory ** int(distance)
        # T^d = 1 pi + memory^d (identity - 1 pi)
        vector = vector.sum() * law * (1 - kept) + kept * vector
        vector = vector * np.array([1.0, -1.0])
    return float(vector.sum())
