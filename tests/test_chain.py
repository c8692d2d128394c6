"""The Markov-chain emulator.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import math
import pickle

import numpy as np
import pytest
from scipy.special import expit, logit

from mtjspice.device import chain, chain_kernel, chain_sampler, noise
from mtjspice.device.chain import ChainModel, fit

# lambda = 0.7, 0.1, 0, -0.4, -0.85
P01 = np.array([0.1, 0.3, 0.4, 0.9, 0.95])
P10 = np.array([0.2, 0.6, 0.6, 0.5, 0.9])


def model(p01, p10):
    return ChainModel(np.atleast_1d(np.asarray(p01, float)), np.atleast_1d(np.asarray(p10, float)))


def test_stationary_law_and_correlation():
    chains = model(P01, P10)
    np.testing.assert_allclose(chains.stationary(), P01 / (P01 + P10))
    np.testing.assert_allclose(chains.lag1(), [0.7, 0.1, 0, -0.4, -0.85], atol=1e-15)
    # invariant under a step
    p1 = chains.stationary()
    np.testing.assert_allclose((1 - p1) * P01 + p1 * (1 - P10), p1)


def stepped(p01, p10, first, words):
    """Chains stepped one bit at a time with the given 31-bit uniform numbers."""
    bits = np.empty(words.shape, dtype=np.uint8)
    state = first
    for t in range(len(words)):
        threshold = np.minimum(np.rint(np.where(state, 1 - p10, p01) * 2.0**31), 2**31 - 1)
        bits[t] = state = words[t] < threshold
    return bits


@pytest.mark.parametrize(("lanes", "buffer"), [(1, 1 << 13), (1, 64), (9, 1 << 13), (9, 20), (9, 1), (40, 256)])
def test_sample_is_the_chain_itself(lanes, buffer):
    """The compiled loop equals the chain stepped one bit at a time with Threefry's words in order."""
    rng = np.random.default_rng(5)
    p01, p10 = rng.random(lanes), rng.random(lanes)
    p01[:1], p10[:1] = 0.001, 0.002
    key, start = np.array([7, 9], np.uint32), 2 * 123 + 1
    count = 301 * lanes
    stream = [noise.threefry2x32(7, 9, k, 0) for k in range(123, 123 + count // 2 + 2)]
    words = np.array(stream, np.int64).ravel()[1 : 1 + count].reshape(301, lanes) >> 1
    state = rng.integers(0, 2, lanes).astype(np.uint8)
    expected = stepped(p01, p10, state.copy(), words)
    out = np.empty((301, lanes), np.uint8)
    thresholds = chain_sampler._thresholds(p01), chain_sampler._thresholds(1 - p10)
    chain_kernel.fill(key, start, *thresholds, state, out, buffer)
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(state, expected[-1])


def test_the_counter_carries_into_its_upper_word():
    """Near 2^32 blocks, past which a plain 32-bit counter would repeat itself."""
    key, start = np.array([7, 9], np.uint32), 2 * (2**32 - 3)
    out = np.empty((12, 1), np.uint8)
    half = np.array([2**30], np.int32)
    chain_kernel.fill(key, start, half, half, np.zeros(1, np.uint8), out, 1 << 13)
    stream = [noise.threefry2x32(7, 9, k, 0) for k in (2**32 - 3, 2**32 - 2, 2**32 - 1)]
    stream += [noise.threefry2x32(7, 9, k, 1) for k in (0, 1, 2)]
    expected = (np.array(stream, np.int64).ravel() >> 1) < 2**30
    np.testing.assert_array_equal(out[:, 0], expected)


def test_devices_differ_by_the_spread():
    """Logits of the devices: mean and standard deviation as asked, within 4.5 standard errors (7e-6 each)."""
    lanes = 20_000
    spread = model(0.3, 0.6).spread(lanes, np.random.default_rng(3), toggle=0.2, bias=0.1)
    a, b = logit(spread.p01), logit(spread.p10)
    for values, centre in ((a, logit(0.3)), (b, logit(0.6))):
        assert abs(values.mean() - centre) < 4.5 * math.sqrt(0.05 / lanes)
        assert values.var() == pytest.approx(0.05, rel=4.5 * math.sqrt(2 / lanes))
    # covariance: common part minus opposite part
    assert np.cov(a, b)[0, 1] == pytest.approx(0.04 - 0.01, abs=4.5 * 0.05 / math.sqrt(lanes))
    with pytest.raises(ValueError, match="must not be negative"):
        model(0.3, 0.6).spread(3, np.random.default_rng(3), bias=-1)
    with pytest.raises(ValueError, match="cannot stand for"):
        model(P01, P10).spread(3, np.random.default_rng(3))


def test_drift_widens_the_devices_as_a_random_walk():
    """After n cycles the logit of p01 (= 1 - p10: independent bits) has wandered by bias sqrt(n)."""
    lanes, cycles = 4000, 20_000
    drift = chain.Drift(bias=0.01, interval=500)
    bits = model(0.5, 0.5).sample(cycles, np.random.default_rng(8), lanes=lanes, drift=drift)
    early, late = bits[:500].mean(axis=0), bits[-500:].mean(axis=0)
    assert early.var() == pytest.approx(0.25 / 500, rel=0.1)  # 4.5 standard errors of a variance of 4000 devices
    wandered = 0.01**2 * (cycles - 500)
    rng = np.random.default_rng(1)
    expected = expit(np.sqrt(wandered) * rng.standard_normal(400_000))
    assert late.var() == pytest.approx(expected.var() + np.mean(expected * (1 - expected)) / 500, rel=0.1)
    np.testing.assert_array_equal(
        bits[:700], model(0.5, 0.5).sample(700, np.random.default_rng(8), lanes=lanes, drift=drift)
    )
    with pytest.raises(ValueError, match="interval of 1 or more"):
        chain.Drift(interval=0)


def test_sample_of_deterministic_chains():
    sample = model([1, 1, 0], [1, 0, 1]).sample(100, np.random.default_rng(0))
    assert (sample[1:, 0] != sample[:-1, 0]).all()
    assert (sample[:, 1] == 1).all()
    assert (sample[:, 2] == 0).all()


def test_sample_is_determined_by_the_seed():
    chains = model(P01, P10)
    long = chains.sample(40_000, np.random.default_rng(8))
    np.testing.assert_array_equal(long, chains.sample(40_000, np.random.default_rng(8)))
    np.testing.assert_array_equal(long[:123], chains.sample(123, np.random.default_rng(8)))
    assert (long != chains.sample(40_000, np.random.default_rng(9))).any()
    assert chains.sample(0, np.random.default_rng(8)).shape == (0, 5)


def test_one_lane_stands_for_many():
    one, many = model(0.2, 0.7), model([0.2] * 30, [0.7] * 30)
    np.testing.assert_array_equal(
        one.sample(50, np.random.default_rng(1), lanes=30), many.sample(50, np.random.default_rng(1))
    )
    with pytest.raises(ValueError, match="30 lanes cannot stand for 2"):
        many.sample(5, np.random.default_rng(1), lanes=2)
    with pytest.raises(ValueError, match="must not be negative"):
        one.sample(-1, np.random.default_rng(1))


def test_fit_counts_transitions():
    bits = np.array([[0, 1], [0, 1], [1, 0], [0, 1], [1, 1]])
    fitted = fit(bits, pooled=False)
    np.testing.assert_array_equal(fitted.counts, [[[1, 2], [1, 0]], [[0, 1], [1, 2]]])
    np.testing.assert_allclose(fitted.p01, [2.5 / 4, 1.5 / 2])
    np.testing.assert_allclose(fitted.p10, [1.5 / 2, 1.5 / 4])
    pooled = fit(bits)
    np.testing.assert_array_equal(pooled.counts, [[[1, 3], [2, 2]]])
    np.testing.assert_array_equal(fitted.pooled().p01, pooled.p01)
    np.testing.assert_array_equal(fitted.pooled().counts, pooled.counts)


def test_fit_recovers_the_parameters():
    """400 estimates within 4.5 sigma: false alarm 3e-3; their chi-squared within 4.5 sigma: 7e-6."""
    lanes, cycles = 200, 20_000
    rng = np.random.default_rng(11)
    p01, p10 = rng.uniform(0.05, 0.95, lanes), rng.uniform(0.05, 0.95, lanes)
    fitted = fit(model(p01, p10).sample(cycles, rng), pooled=False)
    trials = fitted.counts.sum(axis=2)
    z = np.concatenate(
        [
            (fitted.p01 - p01) / np.sqrt(p01 * (1 - p01) / trials[:, 0]),
            (fitted.p10 - p10) / np.sqrt(p10 * (1 - p10) / trials[:, 1]),
        ]
    )
    assert np.abs(z).max() < 4.5
    assert abs((z**2).sum() - z.size) < 4.5 * math.sqrt(2 * z.size)


def test_intervals_cover():
    """800 Jeffreys intervals of 90 % cover 720 +- 4.5 sigma times: false alarm 7e-6 at nominal coverage."""
    lanes = 400
    fitted = fit(model(0.3, 0.55).sample(1000, np.random.default_rng(12), lanes=lanes), pooled=False)
    for_p01, for_p10 = fitted.intervals(0.9)
    covered = ((for_p01[:, 0] < 0.3) & (for_p01[:, 1] > 0.3)).sum()
    covered += ((for_p10[:, 0] < 0.55) & (for_p10[:, 1] > 0.55)).sum()
    assert abs(covered - 720) < 4.5 * math.sqrt(800 * 0.9 * 0.1)


def test_lanes_without_transitions():
    nothing = fit(np.array([[0, 1]]), pooled=False)
    np.testing.assert_array_equal(nothing.p01, [0.5, 0.5])
    for interval in nothing.intervals():
        np.testing.assert_array_equal(interval, [[0, 1], [0, 1]])
    stuck = fit(np.zeros((100, 1)), pooled=False)
    assert stuck.p01[0] == 0.5 / 100
    assert stuck.p10[0] == 0.5
    for_p01, for_p10 = stuck.intervals()
    # k = 0 of n = 99: the 97.5 % quantile of Beta(1/2, 99.5) is 0.02503
    assert for_p01[0] == pytest.approx([0, 0.0250], abs=1e-4)
    np.testing.assert_array_equal(for_p10, [[0, 1]])
    always = fit((np.arange(100) % 2)[:, None])
    assert always.intervals()[0][0, 1] == 1


@pytest.mark.parametrize(("p01", "p10"), [(0.1, 0.2), (0.9, 0.5), (0.03, 0.9), (0.99, 0.97)])
def test_autocorrelation_is_a_power_of_lambda(p01, p10):
    """Five lags and the mean, each within 4.5 sigma (from 400 independent lanes): false alarm 4e-5 a case."""
    lanes, cycles = 400, 2000
    one = model(p01, p10)
    p1, decay = one.stationary()[0], one.lag1()[0]
    centred = one.sample(cycles, np.random.default_rng(13), lanes=lanes) - p1
    for lag in (0, 1, 2, 3, 5, 8):
        products = centred if lag == 0 else centred[:-lag] * centred[lag:] / (p1 * (1 - p1))
        per_lane = products.mean(axis=0)
        expected = 0 if lag == 0 else decay**lag
        assert abs(per_lane.mean() - expected) < 4.5 * per_lane.std(ddof=1) / math.sqrt(lanes)


def test_sample_begins_in_the_stationary_law():
    """The ones among 1e5 first bits, and second bits, within 4.5 sigma: false alarm 1.4e-5."""
    lanes = 100_000
    one = model(0.02, 0.05)
    sample = one.sample(2, np.random.default_rng(14), lanes=lanes)
    p1 = one.stationary()[0]
    assert np.abs(sample.mean(axis=1) - p1).max() < 4.5 * math.sqrt(p1 * (1 - p1) / lanes)


def test_lanes_are_independent():
    """190 correlations between 20 lanes of 20,000 independent bits within 5 sigma: false alarm 1.1e-4."""
    sample = model([0.3] * 20, [0.7] * 20).sample(20_000, np.random.default_rng(15))
    correlation = np.corrcoef(sample.T)[np.triu_indices(20, 1)]
    assert np.abs(correlation).max() < 5 / math.sqrt(20_000)


@pytest.mark.parametrize(
    ("p01", "p10", "message"),
    [
        ([0.1, 0.2], [0.1], "disagree"),
        ([1.1], [0.5], "p01 must lie between 0 and 1"),
        ([0.5], [np.nan], "p10 must lie between 0 and 1"),
        ([], [], "vector"),
        ([0.0], [0.0], "no stationary law"),
    ],
)
def test_rejects_what_is_no_chain(p01, p10, message):
    with pytest.raises(ValueError, match=message):
        ChainModel(np.array(p01), np.array(p10))


def test_rejects_bad_bits_and_counts():
    for bits in (np.zeros(5), np.zeros((0, 3)), np.zeros((3, 0))):
        with pytest.raises(ValueError, match="shape"):
            fit(bits)
    with pytest.raises(ValueError, match="0 or 1"):
        fit([[0], [2]])
    with pytest.raises(ValueError, match="counts"):
        ChainModel(np.array([0.5]), np.array([0.5]), np.zeros((2, 2), dtype=np.int64))


def test_theory_has_no_intervals():
    with pytest.raises(ValueError, match="not fitted"):
        model(0.5, 0.5).intervals()
    with pytest.raises(ValueError, match="fitted"):
        model(0.5, 0.5).pooled()
    with pytest.raises(ValueError, match="confidence"):
        fit([[0], [1]]).intervals(1.0)


def test_is_a_value():
    p01 = np.array([0.5])
    chains = ChainModel(p01, p01)
    p01[0] = 0.1
    assert chains.p01[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        chains.p01[0] = 0
    assert pickle.loads(pickle.dumps(chains)).p10[0] == 0.5
