"""Random permutations of samples (compiled): each has its own generator, derived from a key and its number."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, error_model="numpy", nogil=True)
def _mixed(value: np.uint64) -> np.uint64:
    """Finalizer of SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, error_model="numpy", nogil=True)
def shuffle(samples: NDArray[np.uint8], key: np.uint64, number: int) -> None:
    """Permute ``samples`` (fewer than 2^32) in place: permutation ``number`` of the 64-bit ``key``.

    Fisher-Yates shuffle (5.1, figure 5) with numbers from xoshiro256++ (D. Blackman, S. Vigna, 2019), made unbiased
    integers by D. Lemire's method (2019).
    """
    golden = np.uint64(0x9E3779B97F4A7C15)
    seed = _mixed(key + golden * np.uint64(number + 1))
    a = _mixed(seed + golden)
    b = _mixed(seed + golden * np.uint64(2))
    c = _mixed(seed + golden * np.uint64(3))
    d = _mixed(seed + golden * np.uint64(4))
    low_half = np.uint64(0xFFFFFFFF)
    spare = np.uint64(0)
    has_spare = False
    for i in range(len(samples) - 1, 0, -1):
        size = np.uint64(i + 1)
        while True:
            if has_spare:
                word = spare
                has_spare = False
            else:
                total = a + d
                result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + a
                word = result & low_half
                spare = result >> np.uint64(32)
                has_spare = True
                shifted = b << np.uint64(17)
                c ^= a
                d ^= b
                b ^= c
                a ^= d
                c ^= shifted
                d = (d << np.uint64(45)) | (d >> np.uint64(19))
            product = word * size
            remainder = product & low_half
            if remainder >= size or remainder >= (np.uint64(1 << 32) - size) % size:
                break
        j = np.int64(product >> np.uint64(32))
        held = samples[j]
        samples[j] = samples[i]
        samples[i] = held
