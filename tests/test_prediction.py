"""Predictors against streams whose predictability is known, and against ciphers.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import json
import math

import numpy as np
import pytest

from mtjspice.bits.prediction import PREDICTORS, predict
from mtjspice.bits.predictors.history import History, Task
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError


def stream(text, n, seed=1):
    return open_source(text, seed).stream(n)


def chain(rng, n, p01, p10):
    bits, state = [], 0
    while len(bits) < n:
        bits += [state] * int(rng.geometric(p10 if state else p01))
        state = 1 - state
    return np.array(bits[:n], np.uint8)


def test_features_are_those_of_the_past():
    """Every feature is a function of earlier bits: what follows a bit does not change its row."""
    bits = np.random.default_rng(1).integers(0, 2, 4000, dtype=np.uint8)
    task = Task(bits, 3, 2000)
    history = History(task, pairs=True)
    t = np.array([3001])
    row = history.rows(t)[0]
    signs = 2.0 * bits - 1
    assert row[0] == 1
    assert row[1] == pytest.approx(signs[[3001 - 3 * k for k in range(1, 65)]].sum() / 8)
    lags = [*range(1, 25), *(3 * k for k in range(9, 17))]
    np.testing.assert_array_equal(row[3 : 3 + len(lags)], signs[[3001 - lag for lag in lags]])
    assert row[3 + len(lags)] == signs[3000] * signs[2999]
    assert row.size == history.width == 3 + len(lags) + 66
    later = bits.copy()
    later[3001:] ^= 1
    np.testing.assert_array_equal(History(Task(later, 3, 2000), pairs=True).rows(t)[0], row)


def test_bias_is_caught():
    """52 %: the accuracy is that of guessing 1, 3 sigma apart from a coin's at least; 4.5 sigma (7e-6) each."""
    found = predict(stream("emulated:fair,p=0.52", 100_000), ("markov", "logistic"))
    for result in found.results:
        assert abs(result.accuracy.value - 0.52) < 4.5 * math.sqrt(0.25 / 50_000)
        assert result.p_value > 1e-5
    assert found.p_value_fair < 1e-6
    assert found["markov"].cross_entropy == pytest.approx(-math.log2(0.52) * 0.52 - math.log2(0.48) * 0.48, abs=0.002)


@pytest.mark.parametrize(("p01", "p10"), [(0.3, 0.2), (0.8, 0.7), (0.5, 0.1)])
def test_markov_chain(p01, p10):
    """Accuracy sum_i pi_i max(p_i, 1 - p_i), cross-entropy the entropy rate; 4.5 sigma (7e-6) and 0.01."""
    found = predict(chain(np.random.default_rng(2), 100_000, p01, p10), ("markov", "logistic", "perceptron"))
    ones = p01 / (p01 + p10)
    best = (1 - ones) * max(p01, 1 - p01) + ones * max(p10, 1 - p10)
    rate = sum(w * -(p * math.log2(p) + (1 - p) * math.log2(1 - p)) for w, p in ((1 - ones, p01), (ones, p10)))
    assert abs(found["markov"].accuracy.value - best) < 4.5 * math.sqrt(0.25 / 50_000)
    assert found["markov"].cross_entropy == pytest.approx(rate, abs=0.01)
    for name in ("logistic", "perceptron"):
        assert abs(found[name].accuracy.value - best) < 4.5 * math.sqrt(0.25 / 50_000) + 0.005
        assert found[name].cross_entropy == pytest.approx(rate, abs=0.015)


def test_self_heating_is_caught():
    """A memory of ten cycles, of one device and of sixteen that take turns."""
    found = predict(stream("emulated:fair,heating=0.6", 100_000), ("markov", "logistic", "perceptron"))
    assert all(result.p_value < 1e-6 for result in found.results)
    several = predict(stream("emulated:fair,heating=1,lanes=16", 100_000), tuple(PREDICTORS)[:5])
    # the last 16 bits are other devices'
    assert several["markov"].p_value > 1e-4
    for name in ("markov-device", "logistic", "perceptron"):
        assert several[name].p_value < 1e-6


def test_registers_are_caught():
    short = predict(stream("lfsr:8", 20_000))
    for name in ("markov", "perceptron", "recurrence"):
        assert short[name].accuracy.value > 0.999
    assert short.entropy < 0.01
    long = predict(stream("lfsr:127", 20_000), ("markov", "recurrence"))
    assert long["recurrence"].accuracy.value == 1
    assert long["markov"].accuracy.value < 0.52


def test_products_are_caught():
    """s[t] = s[t - 3] + s[t - 10] modulo 2 with 20 % wrong bits: a product of two bits, which lines cannot see."""
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2, 60_000, dtype=np.uint8)
    wrong = rng.random(bits.size) < 0.2
    for t in range(10, bits.size):
        bits[t] = bits[t - 3] ^ bits[t - 10] ^ wrong[t]
    found = predict(bits, ("logistic", "logistic-pairs"))
    assert found["logistic-pairs"].accuracy.value == pytest.approx(0.8, abs=0.01)  # 4.3 sigma
    assert found["logistic"].accuracy.value < 0.52


@pytest.mark.parametrize("source", ["aes-ctr", "pcg64", "chacha20"])
def test_ideal_bits_are_not_predicted(source):
    """4 streams: none beats guessing with p < 1e-4 after correction (4e-4 by chance); no entropy below 0.995."""
    for seed in range(4):
        found = predict(stream(source, 20_000, seed))
        assert found.p_value > 1e-4
        assert found.p_value_fair > 1e-4
        assert found.entropy > 0.995


@pytest.mark.slow
def test_false_alarms():
    """200 streams of ideal bits of 1 or 8 lanes: corrected p-values are below 0.05 in 5 % + 4 sigma at most (3e-5)."""
    p = []
    for seed in range(200):
        bits = np.random.default_rng(seed).integers(0, 2, 20_000, dtype=np.uint8)
        found = predict(BitStream.from_bits(bits, "unknown", {}, 8 if seed % 2 else 1))
        p.append((found.p_value, found.p_value_fair))
    assert (np.mean(np.array(p) < 0.05, axis=0) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 200)).all()


def test_result_repeats_and_is_json():
    bits = stream("emulated:fair,heating=1,lanes=4", 5_000)
    first, again = (predict(bits, seed=3) for _ in range(2))
    assert first == again
    assert predict(bits, ("perceptron",), seed=4)["perceptron"] != first["perceptron"]
    assert json.dumps(first.as_dict(), allow_nan=False)
    assert [one.name for one in first.results] == list(PREDICTORS)
    assert (first.trained, first.tested) == (2_500, 2_500)
    assert first.best.advantage == first.best.accuracy.value - first.best.majority


def test_constant_bits():
    found = predict(np.zeros(1000))
    assert all(result.accuracy.value == result.majority == 1 for result in found.results[:4])
    assert found.p_value == 1
    assert found.p_value_fair < 1e-100


def test_errors():
    with pytest.raises(InputError, match="of 1 lanes need at least 1000 bits, got 999"):
        predict(np.zeros(999))
    with pytest.raises(InputError, match="of 100 lanes need at least 1600 bits, got 1500"):
        predict(BitStream.from_bits(np.zeros(1500), "unknown", {}, 100))
    with pytest.raises(InputError, match="unknown predictor 'oracle'"):
        predict(np.zeros(1000), ("oracle",))
