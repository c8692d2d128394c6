"""Berlekamp-Massey against known registers, exhaustive counts and a plain implementation."""

import itertools

import numpy as np
import pytest

from mtjspice.bits.berlekamp_massey import block_complexities, linear_complexity, shortest_register
from mtjspice.bits.stream import BitStream

# taps of primitive polynomials, x^L + sum of x^(L - tap) ...: s[t] = sum of s[t - tap]
PRIMITIVE = {3: (2, 3), 16: (4, 13, 15, 16), 31: (3, 31), 64: (1, 3, 4, 64), 127: (1, 127), 521: (32, 521)}


def register(taps, n, seed=1):
    length = max(taps)
    bits = np.zeros(n, dtype=np.uint8)
    bits[:length] = np.random.default_rng(seed).integers(0, 2, length)
    bits[0] = 1
    for t in range(length, n):
        bits[t] = np.bitwise_xor.reduce(bits[[t - tap for tap in taps]])
    return bits


def plain(bits):
    """Massey's algorithm, bit by bit."""
    current, before, length, changed = [1], [1], 0, -1
    for i in range(len(bits)):
        if sum(c * bits[i - j] for j, c in enumerate(current) if j <= i) % 2:
            shifted = [0] * (i - changed) + before
            size = max(len(current), len(shifted))
            pad = [(p + [0] * size)[:size] for p in (current, shifted)]
            if 2 * length <= i:
                before, length, changed = current, i + 1 - length, i
            current = [a ^ b for a, b in zip(*pad, strict=True)]
    return length


def makes(found, bits):
    """Whether the register continues the bits from its length on."""
    length, c = found.length, found.coefficients
    assert c.shape == (length + 1,)
    assert c[0] == 1
    sums = np.convolve(bits, c)[length : len(bits)]
    return not (sums % 2).any()


@pytest.mark.parametrize("length", PRIMITIVE)
def test_finds_the_register(length):
    taps = PRIMITIVE[length]
    bits = register(taps, 2 * length + 40)
    found = shortest_register(bits)
    assert found.length == length
    assert np.flatnonzero(found.coefficients).tolist() == [0, *taps]
    assert linear_complexity(bits[: 2 * length]) == length
    assert block_complexities(bits, bits.size).tolist() == [length]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0), ("0000", 0), ("1", 1), ("0001", 4), ("1111", 1), ("0101", 2), ("10000000", 1),
        ("1101011110001", 4),  # SP 800-22, section 2.10.4
        ("0" * 199 + "1", 200),
    ],
)  # fmt: skip
def test_known_values(text, length):
    assert linear_complexity([int(c) for c in text]) == length


def test_profile_of_the_book():
    """J. L. Massey's jump rule: the length changes from L to i + 1 - L or stays; at the ends it is that of `plain`."""
    bits = np.random.default_rng(2).integers(0, 2, 150)
    profile = [linear_complexity(bits[:n]) for n in range(len(bits) + 1)]
    for n, (before, after) in enumerate(itertools.pairwise(profile)):
        assert after == before or (2 * before <= n and after == n + 1 - before)
    assert profile[-1] == plain(bits.tolist())


def test_de_bruijn_sequences():
    """Those of order n have a complexity of 2^(n - 1) + n to 2^n - 1 (Chan, Games and Key 1982)."""
    for order in range(3, 11):
        seen, word, bits = {0}, 0, []
        for _ in range(1 << order):  # prefer one
            following = ((word << 1) | 1) & ((1 << order) - 1)
            if following in seen:
                following ^= 1
            seen.add(following)
            bits.append(following & 1)
            word = following
        assert len(seen) == 1 << order
        assert (1 << (order - 1)) + order <= linear_complexity(bits * 2) <= (1 << order) - 1


@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_number_of_sequences_of_each_complexity(n):
    """2^min(2n - 2L, 2L - 1) of the 2^n sequences, one for L = 0 (SP 800-22, 3.10)."""
    every = (np.arange(1 << n)[:, np.newaxis] >> np.arange(n)) & 1
    counts = np.bincount(block_complexities(every.ravel(), n), minlength=n + 1)
    assert counts.tolist() == [1] + [2 ** min(2 * n - 2 * L, 2 * L - 1) for L in range(1, n + 1)]


@pytest.mark.parametrize("n", [1, 5, 63, 64, 65, 127, 128, 129, 191, 260])
@pytest.mark.parametrize("ones", [0.5, 0.03, 0.97])
def test_agrees_with_the_plain_algorithm(n, ones):
    """Also the blocks side by side, with fewer and with more blocks than stand side by side."""
    blocks = (np.random.default_rng(n).random((70, n)) < ones).astype(np.uint8)
    expected = [plain(block.tolist()) for block in blocks[:20]]
    registers = [shortest_register(block) for block in blocks]
    assert [found.length for found in registers[:20]] == expected
    assert all(makes(found, block) for found, block in zip(registers, blocks, strict=True))
    assert block_complexities(blocks.ravel(), n).tolist() == [found.length for found in registers]
    assert block_complexities(blocks[:3].ravel(), n).tolist() == expected[:3]


def test_long_sequence():
    """The complexity of n random bits has the mean n/2 + 2/9 and the deviation 1.02: 8 are never reached."""
    n = 60_000
    bits = np.random.default_rng(4).integers(0, 2, n)
    found = shortest_register(bits)
    assert abs(found.length - n / 2) < 8
    window = bits[n - found.length - 1 :]
    assert (found.coefficients @ window[::-1]) % 2 == 0


def test_blocks_at_the_end_are_dropped():
    assert block_complexities(BitStream.from_bits([0, 1, 1, 1, 0], "emulated", {}), 2).tolist() == [2, 1]
    assert block_complexities([1, 0], 3).tolist() == []
    with pytest.raises(ValueError, match="at least one bit, not 0"):
        block_complexities([1, 0], 0)
