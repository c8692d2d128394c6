"""Entropies from block frequencies against known distributions.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import math

import numpy as np
import pytest

from mtjspice.bits.entropy import block_entropy, count_blocks, grassberger, longest_block
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError


def entropy(*p):
    return -sum(x * math.log2(x) for x in p if x)


def independent(rng, n, p):
    return (rng.random(n) < p).astype(np.uint8)


def markov_chain(rng, n, p01, p10):
    """Bits of a two-state chain, by its runs."""
    bits, state = [], int(rng.random() < p01 / (p01 + p10))
    while len(bits) < n:
        bits += [state] * int(rng.geometric(p10 if state else p01))
        state = 1 - state
    return np.array(bits[:n], np.uint8)


@pytest.mark.parametrize("block", [1, 3, 5, 8, 11, 16])
def test_counts_are_those_of_a_plain_count(block):
    bits = np.random.default_rng(1).integers(0, 2, 10_007)
    words = bits[: bits.size // block * block].reshape(-1, block) @ (1 << np.arange(block)[::-1])
    np.testing.assert_array_equal(count_blocks(bits, block), np.bincount(words, minlength=1 << block))


def test_counts_of_several_chunks():
    packed = np.random.default_rng(2).integers(0, 256, (1 << 20) + 5, dtype=np.uint8)
    packed.setflags(write=False)
    stream = BitStream(packed, 8 * packed.size, "unknown", {})
    np.testing.assert_array_equal(count_blocks(stream, 8), np.bincount(packed, minlength=256))
    assert count_blocks(stream, 12).sum() == stream.length // 12


def test_exact_cases():
    found = block_entropy(np.arange(8000) % 2, 2)
    assert (found.shannon.value, found.conditional.value, found.min_entropy.value) == pytest.approx((0, 0, 0), abs=1e-4)
    assert found.commonest == 0b01
    assert found.p_value == 0
    stuck = block_entropy(np.ones(64), 4)
    assert stuck.shannon.value == pytest.approx(0, abs=0.01)
    assert stuck.min_entropy.value == 0
    # log2(4)/2, nothing else possible
    even = block_entropy(np.tile([0, 0, 0, 1, 1, 0, 1, 1], 4096), 2)
    assert even.shannon.value == pytest.approx(1, abs=1e-4)
    assert even.p_value == 1


@pytest.mark.parametrize("p", [0.5, 0.6, 0.9])
def test_bias_is_smaller_than_that_of_miller_and_madow(p):
    """Mean of 4000 estimates from 2 counts of each block of 4 bits, where the plain one is off by 0.2 nat.

    5 sigma (6e-7 each) above the bias that Grassberger's estimate has itself, at most 0.02 nat.
    """
    rng = np.random.default_rng(3)
    exact = 4 * entropy(p, 1 - p) * math.log(2)
    counts = rng.multinomial(32, np.prod([[p if w >> k & 1 else 1 - p for k in range(4)] for w in range(16)], axis=1),
                             4000)  # fmt: skip
    values = np.array([grassberger(one) for one in counts])
    plain = [-(c[c > 0] / 32 * np.log(c[c > 0] / 32)).sum() for c in counts]
    miller_madow = np.mean(plain) + np.mean((counts > 0).sum(axis=1) - 1) / 64
    error = 5 * values.std() / math.sqrt(len(values))
    assert abs(values.mean() - exact) < 0.02 + error
    assert abs(values.mean() - exact) < abs(miller_madow - exact) + error


@pytest.mark.parametrize("p", [0.5, 0.6, 0.85])
@pytest.mark.parametrize("block", [1, 4, 8])
def test_coverage_of_the_intervals(p, block):
    """400 streams of 16 times as many blocks as are possible, and 2000 at least.

    95 % intervals must hold the truth in 91 % of them or more: 3.7 sigma below 95 % (1e-4), 3.1 below 94.5 % (1e-3), as
    the delta method has at its worst here. Min-entropy's is conservative: 95 % less 3.5 sigma (2e-4).
    """
    rng, trials = np.random.default_rng([4, block, int(100 * p)]), 400
    truth, least = entropy(p, 1 - p), -math.log2(max(p, 1 - p))
    hits = np.zeros(3)
    for _ in range(trials):
        found = block_entropy(independent(rng, block * max(2000, 16 << block), p), block)
        hits[0] += found.shannon.low <= truth <= found.shannon.high
        hits[1] += found.min_entropy.low <= least <= found.min_entropy.high
        hits[2] += found.conditional is None or found.conditional.low <= truth <= found.conditional.high
    assert hits[0] >= 0.91 * trials
    assert hits[1] >= 0.95 * trials - 3.5 * math.sqrt(0.05 * 0.95 * trials)
    assert hits[2] >= 0.91 * trials


def test_conditional_entropy_of_a_chain_is_its_entropy_rate():
    """10^6 bits, blocks of 8: within 5 standard errors (6e-7), the error being that of the interval."""
    p01, p10 = 0.3, 0.1
    bits = markov_chain(np.random.default_rng(5), 1_000_000, p01, p10)
    rate = (p10 * entropy(p01, 1 - p01) + p01 * entropy(p10, 1 - p10)) / (p01 + p10)
    found = block_entropy(bits, 8)
    assert abs(found.conditional.value - rate) < 5 / 1.96 * (found.conditional.high - found.conditional.low) / 2
    assert found.conditional.high - found.conditional.low < 0.02
    # the first bit of a block is not told what was before
    marginal = entropy(p01 / (p01 + p10), p10 / (p01 + p10))
    assert found.shannon.value == pytest.approx((7 * rate + marginal) / 8, abs=0.004)


def test_limits_and_errors():
    assert [longest_block(n) for n in (2, 15, 16, 64, 16_384, 10**9)] == [0, 0, 1, 2, 8, 16]
    with pytest.raises(InputError, match="needs at least 8 bits, got 7"):
        block_entropy([1] * 7, 8)
    with pytest.raises(InputError, match="1 to 16 bits, not 17"):
        block_entropy([1] * 70, 17)
    with pytest.raises(ValueError, match="between 0 and 1"):
        block_entropy([1] * 70, 1, 95)
    assert json.dumps(block_entropy([0, 1, 1], 1).as_dict(), allow_nan=False)
