"""Tests of the walk with steps +-1: cumulative sums and random excursions (sections 2.13 to 2.15)."""

import math

import numpy as np
from scipy.special import erfc, ndtr

from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.counting import pearson
from mtjspice.bits.sp800_22.probabilities import excursion_classes
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings


def cumulative_sums(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.13: does the walk stray too far or not far enough, read forward and backward."""
    highest, lowest, last = kernels.walk_extremes(bits)
    forward = max(highest, -lowest)
    backward = max(highest - last, last - lowest)
    p_values = tuple(_excess(bits.size, z, constants) for z in (forward, backward))
    return Finding(p_values, ("forward", "backward"), {"farthest_forward": forward, "farthest_backward": backward})


def _excess(n: int, z: int, constants: Constants) -> float:
    """P(the farthest place of n steps is at least z), 3.13; the series converges as the normal law does.

    STS cuts it off as in 2.13.4 with the division of C, which rounds towards 0.
    """
    scale = z / math.sqrt(n)
    if constants == "exact":
        reach = math.ceil(10 / scale)
        low_first = low_second = -reach
        high = reach
    else:
        turns = n // z
        low_first, low_second, high = (math.trunc(k / 4) for k in (1 - turns, -3 - turns, turns - 1))
    k = 4.0 * np.arange(low_first, high + 1)
    first = (ndtr((k + 1) * scale) - ndtr((k - 1) * scale)).sum()
    k = 4.0 * np.arange(low_second, high + 1)
    second = (ndtr((k + 3) * scale) - ndtr((k + 1) * scale)).sum()
    return min(1.0, max(0.0, float(1 - first + second)))


def random_excursions(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.14: are the states -4 ... 4 visited as often within a cycle as they should be.

    STS gives up, without p-values, beyond max(1000, n/100) returns to zero.
    """
    returns, number, cycles, _ = kernels.excursions(bits)
    limit = max(1000, bits.size // 100)
    if constants == "sts-2.1.2" and returns > limit:
        note = f"STS gives up with more than {limit} cycles: there are {number}"
        return Finding((), (), {"cycles": number}, applicable=False, note=note)
    if refusal := _too_few_cycles(number, bits.size):
        return refusal
    states = [x for x in range(-4, 5) if x]
    p_values = tuple(pearson(cycles[x + 4], excursion_classes(abs(x)))[1] for x in states)
    return Finding(p_values, _labels(states), {"cycles": number})


def random_excursions_variant(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.15: are the states -9 ... 9 visited as often in all as they should be."""
    _, number, _, totals = kernels.excursions(bits)
    if refusal := _too_few_cycles(number, bits.size):
        return refusal
    states = [x for x in range(-9, 10) if x]
    deviations = [abs(int(totals[x + 9]) - number) / math.sqrt(2 * number * (4 * abs(x) - 2)) for x in states]
    return Finding(tuple(erfc(deviations).tolist()), _labels(states), {"cycles": number})


def _too_few_cycles(number: int, n: int) -> Finding | None:
    needed = max(0.005 * math.sqrt(n), 500)
    if number >= needed:
        return None
    note = f"the walk has {number} cycles, the test needs {math.ceil(needed)}"
    return Finding((), (), {"cycles": number}, applicable=False, note=note)


def _labels(states: list[int]) -> tuple[str, ...]:
    return tuple(f"x={x:+d}" for x in states)
