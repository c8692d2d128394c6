"""The ten min-entropy estimators against NIST's program, hand-worked examples and known sources.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import hashlib
import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from constants_bits import bits_of_e, bits_of_pi

from mtjspice.bits.sp800_90b import prediction, suffixes, tuples
from mtjspice.bits.sp800_90b.assessment import NAMES, assess
from mtjspice.bits.sp800_90b.compression import compression
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

REFERENCE = json.loads((Path(__file__).parent / "data" / "sp800_90b_reference.json").read_text(encoding="utf-8"))


def source(kind, length, seed=0, p=0.5, stay=0.5, pattern="01", stuck=(0, 0)):
    """Bits of a reproducible source; ``stuck`` (begin, end) is a section of zeros."""
    generator = np.random.Generator(np.random.PCG64(seed))
    if kind == "bernoulli":
        bits = (generator.random(length) < p).astype(np.uint8)
    elif kind == "markov":  # keeps its state with the probability ``stay``
        bits = (np.cumsum(generator.random(length) >= stay) & 1).astype(np.uint8)
    elif kind == "periodic":
        bits = np.resize(np.array([int(c) for c in pattern], np.uint8), length)
    elif kind == "lfsr-16":  # x^16 + x^14 + x^13 + x^11 + 1
        state, bits = 0xACE1, np.empty(length, np.uint8)
        for k in range(length):
            bits[k] = state & 1
            new = (state ^ (state >> 2) ^ (state >> 3) ^ (state >> 5)) & 1
            state = (state >> 1) | (new << 15)
    elif kind == "root":  # of p, binary digits from the leading one on
        scaled = math.isqrt(int(p) << (2 * length))
        bits = np.frombuffer(bin(scaled)[2 : 2 + length].encode(), np.uint8) - ord("0")
    else:
        raise ValueError(kind)
    bits = bits.copy()
    bits[stuck[0] : stuck[1]] = 0
    return bits


def checked_source(recipe, sha256):
    bits = source(**recipe)
    assert hashlib.sha256(bits.tobytes()).hexdigest() == sha256, "the input is not that of the reference"
    return bits


@pytest.fixture(scope="module", params=REFERENCE["cases"], ids=lambda case: "-".join(map(str, case["recipe"].values())))
def case(request):
    bits = checked_source(request.param["recipe"], request.param["sha256"])
    return request.param, bits, assess(bits)


# --- against NIST's program -----------------------------------------------------------------------------------


def test_estimates_of_nist(case):
    reference, _, assessment = case
    expected = reference["min_entropy"]
    assert tuple(estimate.name for estimate in assessment.estimates) == NAMES == tuple(expected)
    for estimate in assessment.estimates:
        if expected[estimate.name] is None:
            assert estimate.min_entropy is None
            assert estimate.note
        else:
            assert estimate.min_entropy == pytest.approx(expected[estimate.name], rel=0, abs=1e-9), estimate.name
    lowest = min(value for value in expected.values() if value is not None)
    assert assessment.min_entropy == pytest.approx(lowest, rel=0, abs=1e-9)
    assert assessment[assessment.smallest].min_entropy == assessment.min_entropy


def test_intermediate_results_of_nist(case):
    reference, _, assessment = case
    if reference["v"] is not None:
        assert assessment.longest_repeat[2] == reference["v"]
    names = dict(zip(("MultiMCW", "Lag", "MultiMMC", "LZ78Y"), NAMES[6:], strict=True))
    for theirs, counts in reference["predictors"].items():
        found = assessment[names[theirs]].parameters
        assert (found["correct"], found["longest_run"] + 1) == (counts["C"], counts["r"]), theirs


def test_longest_repeat_is_one(case):
    _, bits, assessment = case
    first, second, length = assessment.longest_repeat
    assert first < second
    assert np.array_equal(bits[first : first + length], bits[second : second + length])


# ea_non_iid -i -a of 2024 (v1.1.8) on the first 1,000,000 bits, in the order of NAMES
CONSTANTS = {
    "pi": (
        0.995488784610, 0.908470410098, 0.998040825316, 0.857412128054, 0.933045295753, 0.967210369455,
        0.996045339284, 0.877024062367, 0.994674992968, 0.997579982178,
    ),
    "e": (
        0.996205180938, 0.919085453876, 0.999086441929, 0.850580525679, 0.921622564451, 0.967210369455,
        0.997456089695, 0.996425348528, 0.994798612835, 0.995982131237,
    ),
}  # fmt: skip


@pytest.mark.parametrize("constant", CONSTANTS)
def test_estimates_of_nist_for_constants(constant):
    bits = {"pi": bits_of_pi, "e": bits_of_e}[constant](1_000_000)
    found = [estimate.min_entropy for estimate in assess(bits).estimates]
    assert found == pytest.approx(CONSTANTS[constant], rel=0, abs=1e-9)


# --- against the definitions, written out ---------------------------------------------------------------------


def lag_predictor(bits):
    """6.3.8, word for word."""
    scores, winner = [0] * 128, 0
    correct = []
    for i in range(1, len(bits)):
        lags = [bits[i - 1 - d] if i - 1 - d >= 0 else None for d in range(128)]
        correct.append(lags[winner] == bits[i])
        for d in range(128):
            if lags[d] == bits[i]:
                scores[d] += 1
                if scores[d] >= scores[winner]:
                    winner = d
    runs = "".join("01"[ok] for ok in correct).split("0")
    return sum(correct), max(map(len, runs)), winner + 1


@pytest.mark.parametrize("length", [3, 63, 64, 65, 127, 128, 129, 130, 700])
@pytest.mark.parametrize("p", [0.5, 0.95])
def test_lag_predictor_by_definition(length, p):
    bits = source("bernoulli", length, seed=length, p=p)
    found = assess(bits, names=["lag"])["lag"].parameters
    assert (found["correct"], found["longest_run"], found["lag"]) == lag_predictor(bits.tolist())


def test_lag_finds_the_period():
    """The likeliest of the lags that are always right is one of the multiples of the period."""
    bits = source("periodic", 5000, pattern="1011001110001")
    assert assess(bits, names=["lag"])["lag"].parameters["lag"] % 13 == 0


def repeated_tuples(bits):
    """Counts of the commonest tuple and pairs of equal ones for each length, from dictionaries."""
    text = bytes(bits)
    most, pairs = [len(text)], [0]
    for length in range(1, len(text)):
        counts = {}
        for i in range(len(text) - length + 1):
            counts[text[i : i + length]] = counts.get(text[i : i + length], 0) + 1
        if max(counts.values()) == 1:
            break
        most.append(max(counts.values()))
        pairs.append(sum(c * (c - 1) // 2 for c in counts.values()))
    return most, pairs


def awkward_bits():
    rng = np.random.default_rng(9)
    for trial in range(150):
        n = int(rng.integers(2, 90))
        if trial % 3 == 0:
            yield np.resize(rng.integers(0, 2, int(rng.integers(1, 7)), dtype=np.uint8), n)
        else:
            yield (rng.random(n) < rng.choice([0.05, 0.5, 0.9])).astype(np.uint8)


def test_suffix_array_by_definition():
    for bits in awkward_bits():
        text = bytes(bits)
        assert suffixes.suffix_array(bits).tolist() == sorted(range(len(text)), key=lambda i: text[i:])


def test_tuple_counts_by_definition():
    for bits in awkward_bits():
        found = suffixes.repeats(bits)
        most, pairs = repeated_tuples(bits)
        assert found.longest == len(most) - 1
        often, equal = tuples._occurrences(found.common, found.longest)
        assert often[1:].tolist() == most[1:]
        assert equal[1:].tolist() == pairs[1:]


@pytest.mark.parametrize(("p", "run"), [(0.5, 3), (0.5, 9), (0.7, 4), (0.9, 20), (0.9, 4), (0.6, 1)])
def test_probability_of_no_run(p, run):
    """Feller's root gives the exact probability up to terms that vanish geometrically; here by recursion.

    From p = run/(run + 1) on the root is 1/p, and all that counts is that the probability is next to nothing.
    """
    predictions = 400
    ending = np.zeros(run)  # probability that the current run is 0, ..., run - 1 long
    ending[0] = 1.0
    for _ in range(predictions):
        ending = np.concatenate(([(1 - p) * ending.sum()], p * ending[:-1]))
    expected, found = math.log(ending.sum()), prediction._log_no_run(p, run, predictions)
    if p < run / (run + 1):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert max(found, expected) < -20


def test_compression_expectation():
    """G(z) of 6.3.4, step 7, as the double sum of the standard."""
    from mtjspice.bits.sp800_90b.compression import _expectation

    blocks, dictionary = 1040, 1000
    logarithms = np.concatenate(([0.0], np.log2(np.arange(1, blocks + 1))))
    for z in (0.4, 1 / 64, 0.001):
        total = 0.0
        for t in range(dictionary + 1, blocks + 1):
            u = np.arange(1, t)
            total += float((logarithms[u] * z**2 * (1 - z) ** (u - 1)).sum()) + logarithms[t] * z * (1 - z) ** (t - 1)
        assert _expectation(z, logarithms) == pytest.approx(total / (blocks - dictionary), rel=1e-12)


def test_compression_of_ideal_blocks_is_capped():
    """Every block of six bits at the greatest distance: less compressible than chance allows."""
    blocks = np.array(list(product((0, 1), repeat=6)), np.uint8).ravel()
    estimate = compression(np.resize(blocks, 60000))
    assert estimate.min_entropy == 1.0
    assert estimate.note


# --- sources of known entropy ---------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.5, 0.3, 0.9, 0.999])
def test_most_common_value_of_biased_bits(p):
    """The estimate is -log2 of p_max + 2.576 sigma +- 4 sigma: fails 6e-5 of the time."""
    n = 200_000
    estimate = assess(source("bernoulli", n, seed=77, p=p), names=["most-common-value"])["most-common-value"]
    largest = max(p, 1 - p)
    sigma = math.sqrt(p * (1 - p) / n)
    expected = largest + 2.5758 * sigma
    found = 2**-estimate.min_entropy
    slack = 1e-3 * sigma  # of sigma itself, which is estimated too
    assert abs(found - expected) < 4 * sigma + slack or (p == 0.5 and 0.5 <= found < expected + 4 * sigma)


@pytest.mark.parametrize(("leave_zero", "leave_one"), [(0.1, 0.1), (0.4, 0.05), (0.9, 0.8), (0.5, 0.5)])
def test_markov_estimate_of_markov_chain(leave_zero, leave_one):
    """-log2 of the likeliest path of 128 bits over 128, from the true transition probabilities.

    A transition probability p has the error sqrt(p (1 - p) / (n share)), which enters by 1/(p ln 2): with four
    sigma on the likeliest transitions a chance failure is rarer than 2e-4.
    """
    n = 400_000
    rng = np.random.default_rng(5)
    uniforms = rng.random(n)
    bits = np.zeros(n, np.uint8)
    for k in range(1, n):
        bits[k] = bits[k - 1] ^ (uniforms[k] < (leave_one if bits[k - 1] else leave_zero))
    stationary = np.array([leave_one, leave_zero]) / (leave_one + leave_zero)
    move = np.array([[1 - leave_zero, leave_zero], [leave_one, 1 - leave_one]])
    logs = np.log2(move)
    best = np.log2(stationary)
    for _ in range(127):
        best = (best[:, None] + logs).max(axis=0)
    analytic = -best.max() / 128
    sigma = max(math.sqrt((1 - p) / (p * n * stationary.min())) / math.log(2) for p in move.ravel() if p >= 0.5)
    assert assess(bits, names=["markov"]).min_entropy == pytest.approx(min(analytic, 1), abs=4 * sigma)


def test_stuck_section_is_located():
    bits = source("bernoulli", 50_000, seed=3, stuck=(20_000, 26_000))
    first, second, length = assess(bits).longest_repeat
    assert 19_980 < first < 20_020
    assert second == first + 1
    assert 5_990 < length < 6_040


def test_copied_section_is_located():
    bits = source("bernoulli", 50_000, seed=4)
    bits[30_000:31_000] = bits[1_000:2_000]
    first, second, length = assess(bits).longest_repeat
    assert second - first == 29_000
    assert first <= 1_000
    assert first + length >= 2_000


# --- interface ------------------------------------------------------------------------------------------------


def test_workers_do_not_matter():
    bits = source("markov", 30_000, seed=1, stay=0.7)
    alone = assess(bits, workers=1)
    assert alone == assess(bits, workers=4)
    assert alone == assess(BitStream.from_bits(bits, "emulated", {"seed": 1}))


def test_chosen_estimators():
    bits = source("bernoulli", 10_000, seed=2)
    some = assess(bits, names=["lag", "markov"])
    assert [estimate.name for estimate in some.estimates] == ["markov", "lag"]
    assert some["lag"] == assess(bits)["lag"]
    with pytest.raises(KeyError, match="no estimate 'lz78y'; there are: markov, lag"):
        some["lz78y"]


def test_as_dict_is_json():
    for n in (19, 5_000):
        assessment = assess(source("bernoulli", n, seed=n))
        content = json.loads(json.dumps(assessment.as_dict(), allow_nan=False))
        assert content["standard"] == "SP 800-90B"
        assert content["track"] == "non-iid"
        assert content["length"] == n
        assert [entry["name"] for entry in content["estimates"]] == list(NAMES)
        assert set(content["estimates"][0]) == {"name", "min_entropy", "parameters", "note"}
        assert content["min_entropy"] == assessment.min_entropy
        assert content["longest_repeat"]["length"] == assessment.longest_repeat[2]
        assert f"{n} bits are fewer than the 1000000" in content["notes"][0]


def test_equal_bits_have_no_entropy():
    for n in (2, 18, 5_000):
        assessment = assess(np.ones(n, np.uint8))
        assert assessment.min_entropy == 0.0
        assert math.copysign(1, assessment.min_entropy) == 1
        assert any("NIST's program refuses" in note for note in assessment.notes)
        json.dumps(assessment.as_dict(), allow_nan=False)


def test_every_short_length_is_assessed_or_explained():
    for n in range(2, 70):
        assessment = assess(source("bernoulli", n, seed=n))
        assert 0 <= assessment.min_entropy <= 1
        for estimate in assessment.estimates:
            assert estimate.min_entropy is not None or estimate.note
        assert any("stops with an error below 19" in note for note in assessment.notes) == (
            n < 19 and len(set(source("bernoulli", n, seed=n))) == 2
        )
    assert assess([0, 1]).longest_repeat is None


def test_bad_input():
    with pytest.raises(InputError, match="needs at least 2 bits"):
        assess([1])
    with pytest.raises(InputError, match="compression: needs at least 6006 bits, got 500"):
        assess(np.zeros(500, np.uint8), names=["compression"])
    with pytest.raises(ValueError, match="unknown estimators: median"):
        assess([0, 1, 1], names=["median"])
    with pytest.raises(ValueError, match="none given"):
        assess([0, 1, 1], names=[])
    with pytest.raises(ValueError, match="bits must be 0 or 1: entry 1 is 2"):
        assess([0, 2, 1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["stuck", "equal", "periodic", "copied"])
def test_long_repeats_stay_linear(kind):
    """Ten million bits with repeats of millions: the locations are exact, and nothing grows quadratically."""
    n = 10_000_000
    bits = source("bernoulli", n, seed=8)
    if kind == "stuck":
        bits[2_000_000:3_000_000] = 0
    elif kind == "equal":
        bits[:] = 1
    elif kind == "periodic":
        bits = np.resize(bits[:1000], n)
    else:
        bits[5_000_000:] = bits[:5_000_000]
    first, second, length = assess(bits).longest_repeat
    expected = {"equal": (0, 1, n - 1), "periodic": (0, 1000, n - 1000), "copied": (0, n // 2, n // 2)}
    if kind in expected:
        assert (first, second, length) == expected[kind]
    else:
        assert second == first + 1
        assert abs(length - 1_000_000) < 50
