"""Exact reference distributions, and those that NIST's program STS 2.1.2 has in their place.

Probabilities of classes are for independent, unbiased bits; every function returns them from the lowest class up, and
they add up to 1.
"""

import math
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def frozen(values: Floats) -> Floats:
    """Return the array read-only, as caches hand it out again and again."""
    values.setflags(write=False)
    return values


@lru_cache
def longest_run_classes(block: int, low: int, high: int) -> Floats:
    """Probabilities that the longest run of ones in ``block`` bits is <= low, low + 1 ... >= high.

    P(no run beyond m in n bits) = P(... in n - 1) - 2^-(m + 2) P(... in n - m - 2): the first run that is too long
    ends at bit n, before it stands a zero, and before that n - m - 2 bits without any.
    """
    within = [_no_longer_run(block, longest) for longest in range(low, high)]
    return frozen(np.diff([0.0, *within, 1.0]))


def _no_longer_run(block: int, longest: int) -> float:
    if longest >= block:
        return 1.0
    within = [1.0] * (longest + 1) + [1 - 0.5 ** (longest + 1)]
    step = 0.5 ** (longest + 2)
    for n in range(longest + 2, block + 1):
        within.append(within[n - 1] - step * within[n - longest - 2])
    return within[block]


# section 2.4.4 and 3.4, as STS rounds them
STS_LONGEST_RUN = {
    8: (0.21484375, 0.3671875, 0.23046875, 0.1875),
    128: (0.1174035788, 0.242955959, 0.249363483, 0.17517706, 0.102701071, 0.112398847),
    10_000: (0.0882, 0.2092, 0.2483, 0.1933, 0.1208, 0.0675, 0.0727),
}


def template_moments(template: int, block: int) -> tuple[float, float]:
    """Mean and variance of the number of places in ``block`` bits where a given aperiodic word of m bits stands.

    With w = block - m + 1 places and p = 2^-m: w p and w p - (2m - 1) w p^2 + m (m - 1) p^2, as two such words are
    never less than m places apart.
    """
    places, p = block - template + 1, 0.5**template
    return places * p, places * p - (2 * template - 1) * places * p**2 + template * (template - 1) * p**2


def sts_template_moments(template: int, block: int) -> tuple[float, float]:
    """Section 2.7.4 and STS: the variance has ``block`` in the place of w and no last term."""
    mean, _ = template_moments(template, block)
    return mean, block * (0.5**template - (2 * template - 1) * 0.25**template)


@lru_cache
def overlapping_classes(template: int, block: int, most: int) -> Floats:
    """Probabilities of 0, 1 ... >= ``most`` overlapping runs of ``template`` ones within ``block`` bits.

    K. Hamano and T. Kaneko, "Correction of Overlapping Template Matching Test Included in NIST Randomness Test Suite",
    IEICE Trans. Fundamentals E90-A (2007) 1788-1792, by adding bit after bit: the state is the length of the run so
    far (at most ``template``) and the count so far (at most ``most``).
    """
    state = np.zeros((template + 1, most + 1))
    state[0, 0] = 1.0
    for _ in range(block):
        following = np.zeros_like(state)
        following[0] = state.sum(axis=0)
        following[1:-1] = state[:-2]
        ends = state[-2] + state[-1]
        following[-1, 1:] = ends[:-1]
        following[-1, -1] += ends[-1]
        state = following / 2
    return frozen(state.sum(axis=0))


@lru_cache
def sts_overlapping_classes(template: int, block: int, most: int) -> Floats:
    """The approximation by Pólya and Aeppli's law (3.8) that STS puts in the place of its own table."""
    eta = (block - template + 1) / 2**template / 2
    classes = [math.exp(-eta)]
    for u in range(1, most):
        terms = (math.comb(u - 1, k - 1) * eta**k / math.factorial(k) for k in range(1, u + 1))
        classes.append(math.exp(-eta) * 0.5**u * sum(terms))
    return frozen(np.array([*classes, 1 - sum(classes)]))


@lru_cache
def linear_complexity_classes(block: int) -> Floats:
    """Probabilities of the seven classes of `complexity_class` for ``block`` bits.

    Of the 2^M sequences of M bits, 2^min(2M - 2L, 2L - 1) have the complexity L > 0, and one has L = 0 (3.10).
    """
    lengths = np.arange(block + 1)
    exponents = np.minimum(block - 2 * lengths, 2 * lengths - 1 - block)
    exponents[0] = -block
    classes = np.zeros(7)
    np.add.at(classes, complexity_class(lengths, block), np.ldexp(1.0, exponents))
    return frozen(classes)


def complexity_class(lengths: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Class 0 to 6 of the statistic T = (-1)^M (L - mu) + 2/9 with the borders -2.5, -1.5 ... 2.5 (2.10.4).

    STS has the wrong sign in mu, M/2 + (9 - (-1)^(M + 1))/36, which moves T by 1/18 and never into another class.
    """
    mean = block / 2 + (9 + (-1) ** (block + 1)) / 36 - (block / 3 + 2 / 9) * 0.5**block
    statistic = (-1) ** block * (lengths - mean) + 2 / 9
    return np.searchsorted(np.arange(-2.5, 3.0), statistic)


# section 3.10 with the misprint 0.01047 for 1/96 that STS computes with
STS_LINEAR_COMPLEXITY = (0.01047, 0.03125, 0.125, 0.5, 0.25, 0.0625, 0.020833)


@lru_cache
def rank_classes(size: int) -> Floats:
    """Probabilities that a square matrix of bits has the rank <= size - 2, size - 1 and size (3.5)."""

    def probability(rank: int) -> float:
        factors = ((1 - 2.0 ** (i - size)) ** 2 / (1 - 2.0 ** (i - rank)) for i in range(rank))
        return 2.0 ** (rank * (2 * size - rank) - size * size) * math.prod(factors)

    less, full = probability(size - 1), probability(size)
    return frozen(np.array([1 - less - full, less, full]))


@lru_cache
def excursion_classes(state: int) -> Floats:
    """Probabilities of 0, 1 ... >= 5 visits to the states +-``state`` within one cycle (3.14)."""
    back = 1 - 1 / (2 * state)
    visits = [back ** (k - 1) / (4 * state * state) for k in range(1, 5)]
    return frozen(np.array([back, *visits, back**4 / (2 * state)]))


@lru_cache
def universal_moments(bits: int) -> tuple[float, float, float]:
    """Mean of log2 of the distance to the previous equal block of ``bits`` bits, and the variance of its average.

    Returns mean, v and w: the average over K successive distances has the variance (v - w / K) / K. Distances A are
    geometric but not independent. With V = 2^bits, a = 1 - 2/V, b = 1 - 1/V and k blocks between two distances, they
    are independent unless the later one reaches back to r > 0 blocks before the earlier one, and then
    P(A = i, A' = k + r) = b^k / V^2 a^(min(i, r) - 1) b^(|i - r| - 1), or 0 for i = r: the two blocks differ, and
    neither occurs before the nearer distance. This is the variance of J.-S. Coron and D. Naccache, "An Accurate
    Evaluation of Maurer's Universal Test", SAC 1998, LNCS 1556, 57-71.
    """
    return _universal_moments(bits)


@njit(cache=True, error_model="numpy", nogil=True)
def _universal_moments(bits: int) -> tuple[float, float, float]:
    size = 2.0**bits
    both, one = 1 - 2 / size, 1 - 1 / size
    reach = int(60 * size)  # one^reach = e^-60
    after = np.zeros(reach + 2)  # sum over i > r of log2(i) one^(i - r - 1)
    for r in range(reach, 0, -1):
        after[r - 1] = np.log2(r) + one * after[r]
    mean = after[0] / size
    total = after[0]
    square = 0.0
    before = 0.0  # sum over i < r of log2(i) both^(i - 1) one^(r - i - 1)
    common = 0.0  # sum over r < s of one^(s - r) excess(r), s the later distance
    weighted = 0.0  # the same with the weight s - r
    covariance = lagged = 0.0
    power_one, power_both = 1.0, 1.0  # to the r - 1
    for r in range(1, reach + 1):
        value = np.log2(r)
        square += value * value * power_one / size
        covariance += value * common
        lagged += value * weighted
        excess = (before + power_both * after[r] - power_one * total) / (size * size)
        common = one * (common + excess)
        weighted = one * weighted + common
        before = one * before + value * power_both
        power_one *= one
        power_both *= both
    return mean, square - mean * mean + 2 * covariance, 2 * lagged


# mean and variance of one log2 of a distance for L = 6 ... 16 (2.9.4)
STS_UNIVERSAL = {
    6: (5.2177052, 2.954),
    7: (6.1962507, 3.125),
    8: (7.1836656, 3.238),
    9: (8.1764248, 3.311),
    10: (9.1723243, 3.356),
    11: (10.170032, 3.384),
    12: (11.168765, 3.401),
    13: (12.168070, 3.410),
    14: (13.167693, 3.416),
    15: (14.167488, 3.419),
    16: (15.167379, 3.421),
}
