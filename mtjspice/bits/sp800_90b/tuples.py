"""t-tuple and longest repeated substring estimates (SP 800-90B, 6.3.5 and 6.3.6) from one sorted list of suffixes."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mtjspice.bits.sp800_90b.estimate import Estimate, entropy_of, upper_bound
from mtjspice.bits.sp800_90b.suffixes import Indices, Repeats

_OFTEN = 35  # a tuple must occur so often to count for the t-tuple estimate


def tuple_estimates(found: Repeats) -> tuple[Estimate, Estimate]:
    """The t-tuple estimate and the longest repeated substring estimate.

    The first needs a bit value that occurs 35 times, the second a substring that repeats but is longer than every
    tuple that occurs 35 times.
    """
    n, longest = len(found.common), found.longest
    often, pairs = _occurrences(found.common, longest)
    length = np.arange(longest + 1)
    frequent = int(np.count_nonzero(often[1:] >= _OFTEN))
    windows = n - length + 1.0
    t_tuple = Estimate("t-tuple", None, {}, f"no bit value occurs {_OFTEN} times")
    if frequent:
        span = slice(1, frequent + 1)
        t_tuple = _largest("t-tuple", n, often[span] / windows[span], length[span])
    if longest <= frequent:
        note = f"no substring longer than {frequent} bits repeats" if longest else "nothing repeats"
        return t_tuple, Estimate("longest-repeated-substring", None, {}, note)
    span = slice(frequent + 1, longest + 1)
    collisions = pairs[span] / (windows[span] * (windows[span] - 1) / 2)
    return t_tuple, _largest("longest-repeated-substring", n, collisions, length[span])


def _largest(name: str, n: int, probability: NDArray[np.float64], length: NDArray[np.int64]) -> Estimate:
    """The estimate from the largest per-bit probability of the tuples of each length."""
    per_bit = probability ** (1 / length)
    best = int(per_bit.argmax())
    bound = upper_bound(float(per_bit[best]), n)
    shortest, longest = int(length[0]), int(length[-1])
    return Estimate(
        name,
        entropy_of(bound),
        {
            "shortest": shortest,
            "longest": longest,
            "length": int(length[best]),
            "p_hat": float(per_bit[best]),
            "p_upper": bound,
        },
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _occurrences(common: Indices, longest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count of the most frequent tuple, and number of pairs of equal tuples, of each length 0 ... ``longest``.

    A group of neighbours in the sorted list shares its first l bits where their common prefixes are >= l. The
    groups nest, and a stack holds the open ones. A group shares all lengths above its parent's, so that its pairs
    go into a difference array.
    """
    n = len(common)
    often = np.ones(longest + 1, np.int64)
    pairs = np.zeros(longest + 1, np.int64)
    depth = np.zeros(longest + 2, np.int32)
    begin = np.zeros(longest + 2, np.int32)
    top = 0  # entry 0 stands for all suffixes, which share 0 bits
    for k in range(1, n + 1):
        shared = common[k] if k < n else 0
        left = k - 1
        while depth[top] > shared:
            left = begin[top]
            size = k - left
            if size > often[depth[top]]:
                often[depth[top]] = size
            count = np.int64(size) * (size - 1) // 2
            parent = max(shared, depth[top - 1])
            pairs[depth[top]] += count
            pairs[parent] -= count
            top -= 1
        if depth[top] < shared:
            top += 1
            depth[top] = shared
            begin[top] = left
    for length in range(longest - 1, -1, -1):
        often[length] = max(often[length], often[length + 1])
        pairs[length] += pairs[length + 1]
    return often, pairs
