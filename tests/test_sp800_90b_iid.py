"""The IID track and the restart tests of SP 800-90B against the standard's examples and NIST's programs.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import bz2
import json
import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from test_sp800_90b import checked_source, source

from mtjspice.bits.sp800_90b import chi_square
from mtjspice.bits.sp800_90b import permutation_statistics as statistic
from mtjspice.bits.sp800_90b.assessment import assess
from mtjspice.bits.sp800_90b.cutoffs import restart_cutoff
from mtjspice.bits.sp800_90b.iid import permutation_tests
from mtjspice.bits.sp800_90b.restart import restart_tests
from mtjspice.bits.sp800_90b.shuffling import shuffle
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

REFERENCE = json.loads((Path(__file__).parent / "data" / "sp800_90b_tests_reference.json").read_text(encoding="utf-8"))


def samples(*values):
    return np.array(values, np.uint8)


# --- the standard's examples (5.1.1 to 5.1.11) ----------------------------------------------------------------


def test_conversions():
    bits = samples(1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1)
    assert statistic.conversion_1(bits).tolist() == [4, 6, 2]
    assert statistic.conversion_2(bits).tolist() == [142, 219, 48]


def test_excursion():
    assert statistic.excursion(samples(2, 15, 4, 10, 9)) == 6


def test_directional_runs():
    assert statistic.directional_runs(samples(2, 2, 2, 5, 7, 7, 9, 3, 1, 4, 4)) == (3, 6, 8)


def test_median_runs():
    assert statistic.median_runs(samples(5, 15, 12, 1, 13, 9, 4), 9.0) == (5, 2)


def test_collisions():
    assert statistic.collisions(samples(2, 1, 1, 2, 0, 1, 0, 1, 1, 2)) == (3, 4)
    assert statistic.collisions(samples(1, 2, 3)) == (0, 0)


def test_periodicity():
    assert statistic.periodicity(samples(2, 1, 2, 1, 0, 1, 0, 1, 1, 2), 2) == 5


def test_covariance():
    assert statistic.covariance(samples(5, 2, 6, 10, 12, 3, 1), 2) == 164


def test_compression():
    """The string of 5.1.11, and the short cut for single digits."""
    assert statistic.compressed_length(samples(144, 21, 139, 0, 0, 15)) == len(bz2.compress(b"144 21 139 0 0 15", 5))
    assert statistic.compressed_length(samples(1, 0, 9, 1)) == len(bz2.compress(b"1 0 9 1", 5))


# --- NIST's program -------------------------------------------------------------------------------------------

THEIRS = (
    "excursion", "numDirectionalRuns", "lenDirectionalRuns", "numIncreasesDecreases", "numRunsMedian", "lenRunsMedian",
    "avgCollision", "maxCollision", *(f"periodicity({lag})" for lag in statistic.LAGS),
    *(f"covariance({lag})" for lag in statistic.LAGS), "compression",
)  # fmt: skip


@pytest.fixture(scope="module", params=REFERENCE["iid"], ids=lambda one: "-".join(map(str, one["recipe"].values())))
def iid_case(request):
    return request.param, checked_source(request.param["recipe"], request.param["sha256"])


def test_statistics_of_nist(iid_case):
    reference, bits = iid_case
    found = np.zeros(len(statistic.NAMES))
    statistic.binary_statistics(bits, np.ones(found.size, np.bool_), found)
    found[statistic.COMPRESSION] = statistic.compressed_length(bits)
    found[6:8] -= 1  # the program counts one sample less
    assert found == pytest.approx([reference["initial"][name] for name in THEIRS], rel=5.1e-6)


def test_further_tests_of_nist(iid_case):
    reference, bits = iid_case
    tests = [chi_square.independence(bits), chi_square.goodness_of_fit(bits)]
    expected = [reference["independence"], reference["goodness"]]
    for test, theirs in zip(tests, expected, strict=True):
        if theirs is not None:  # the program stops at the first that fails
            assert [test.statistic, test.degrees, test.p_value] == pytest.approx(theirs, abs=6e-7)
    assert all(test.passed for test in tests) == reference["verdict"]["chi square tests"]
    repeat = chi_square.longest_repeat(bits)
    assert repeat.statistic == reference["longest_repeat"]
    assert repeat.p_value == pytest.approx(reference["probability"], rel=1e-5)
    assert repeat.passed == reference["verdict"]["length of longest repeated substring test"]


@pytest.mark.parametrize("seed", [31, 33, 36, 37, 41])
def test_verdict_of_nist(seed):
    """Other permutations, and therefore only sources whose statistics all lie well inside or well outside."""
    reference = next(one for one in REFERENCE["iid"] if one["recipe"].get("seed") == seed)
    bits = checked_source(reference["recipe"], reference["sha256"])
    expected = all(reference["verdict"].values())
    assert permutation_tests(bits, seed=1, permutations=10_000 if expected else 1000).iid == expected


# --- verdicts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.5, 0.3, 0.97])
def test_independent_bits_are_accepted(p):
    """Each of 19 + 3 tests rejects independent bits with a probability of about 0.001: about 2 % fail."""
    bits = source("bernoulli", 20_000, seed=1, p=p)
    result = permutation_tests(bits, seed=2)
    assert result.iid
    assert result.failed == ()
    assert result.min_entropy == assess(bits)["most-common-value"].min_entropy
    for test in result.permutation_tests:
        assert test.passed
        assert min(test.greater, test.smaller) + test.equal == 6


@pytest.mark.parametrize(
    ("recipe", "failing"),
    [
        ({"kind": "markov", "stay": 0.55}, "number-of-runs-based-on-median"),
        ({"kind": "markov", "stay": 0.4}, "number-of-runs-based-on-median"),
        ({"kind": "periodic", "pattern": "1101000110101110"}, "periodicity-2"),
        ({"kind": "bernoulli", "seed": 5, "stuck": (3000, 3400)}, "length-of-runs-based-on-median"),
    ],
)
def test_dependent_bits_are_rejected(recipe, failing):
    result = permutation_tests(source(length=10_000, **recipe), seed=3, permutations=1000)
    assert not result.iid
    assert result.min_entropy is None
    assert failing in result.failed
    compression = result.permutation_tests[statistic.COMPRESSION]
    assert compression.passed is None
    assert "left out" in compression.note


def test_drift_is_rejected():
    """The probability of a one rises from 0.45 to 0.55: excursion and goodness of fit."""
    n = 20_000
    bits = (np.random.default_rng(8).random(n) < np.linspace(0.45, 0.55, n)).astype(np.uint8)
    assert {"excursion", "chi-square goodness of fit"} <= set(permutation_tests(bits, seed=4, permutations=500).failed)


def test_complete_runs_compression_too():
    bits = source("periodic", 4000, pattern="0110")
    result = permutation_tests(bits, seed=5, permutations=50, complete=True)
    assert result.permutation_tests[statistic.COMPRESSION].passed is False
    assert result.permutation_tests[statistic.COMPRESSION].greater == 50


def test_false_rejections_of_permutation_tests():
    """100 sequences of 1600 independent bits, 18 tests of level 12/(400 + 1) each, correlated.

    The mean number of rejections is below 100 x 18 x 12/401 = 54 (ties make it smaller); its standard deviation
    is below that of fully dependent tests in groups of five, 5 sqrt(54 / 5) = 16: beyond 54 + 4 x 16 by chance 6e-5.
    """
    rejected = 0
    for seed in range(100):
        result = permutation_tests(source("bernoulli", 1600, seed=seed), seed=seed, permutations=400)
        rejected += sum(test.passed is False for test in result.permutation_tests[: statistic.COMPRESSION])
    assert 5 < rejected < 54 + 64


def test_rare_ones_fail_independence():
    """5.2.3: "If m is 1, the test fails" (0.099^2 x 500 = 4.9 pairs of ones are expected)."""
    bits = np.zeros(1000, np.uint8)
    bits[np.random.default_rng(1).choice(1000, 99, replace=False)] = 1
    test = chi_square.independence(bits)
    assert not test.passed
    assert test.p_value is None
    bits[np.flatnonzero(bits == 0)[:41]] = 1  # 140 ones of 1000: the standard's example, m = 2
    assert chi_square.independence(bits).degrees == 2


def test_equal_bits():
    result = permutation_tests(np.zeros(1000, np.uint8), seed=1, permutations=20)
    assert not result.iid
    assert result.failed == ("chi-square independence",)
    json.dumps(result.as_dict(), allow_nan=False)


# --- permutations ---------------------------------------------------------------------------------------------


def test_shuffle_is_uniform():
    """Chi-square of the 24 orders of four samples, 48,000 shuffles: p > 1e-4."""
    orders = dict.fromkeys(permutations(range(4)), 0)
    for number in range(48_000):
        four = np.arange(4, dtype=np.uint8)
        shuffle(four, np.uint64(7), number)
        orders[tuple(four.tolist())] += 1
    assert stats.chisquare(list(orders.values())).pvalue > 1e-4


def test_shuffle_moves_every_place_alike():
    """Mean position of the ones of 3000 shuffles of 50 ones and 950 zeros, four sigma: 6e-5."""
    mean = 0.0
    for number in range(3000):
        bits = np.zeros(1000, np.uint8)
        bits[:50] = 1
        shuffle(bits, np.uint64(2**64 - 1), number)
        assert bits.sum() == 50
        mean += np.flatnonzero(bits).mean() / 3000
    sigma = math.sqrt((1000**2 - 1) / 12 / 50 * (950 / 999) / 3000)
    assert abs(mean - 499.5) < 4 * sigma


def test_workers_do_not_matter():
    bits = source("bernoulli", 3000, seed=6)
    alone = permutation_tests(bits, seed=7, workers=1)
    assert alone == permutation_tests(bits, seed=7, workers=3)
    assert alone == permutation_tests(bits, seed=np.random.default_rng(7), workers=2)
    assert alone != permutation_tests(bits, seed=8, workers=1)


def test_progress_and_json():
    fractions = []
    result = permutation_tests(source("bernoulli", 1000, seed=1), seed=1, permutations=200, progress=fractions.append)
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    content = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert content["track"] == "iid"
    assert len(content["permutation_tests"]) == 19
    assert len(content["further_tests"]) == 3
    assert any("200 permutations instead of the 10000" in note for note in content["notes"])


def test_too_little_for_permutation_tests():
    with pytest.raises(InputError, match="at least 264 bits, got 263"):
        permutation_tests(np.resize(samples(0, 1, 1), 263), seed=1)
    with pytest.raises(InputError, match="at least 12 permutations, not 11"):
        permutation_tests(np.resize(samples(0, 1, 1), 500), seed=1, permutations=11)


# --- restarts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", REFERENCE["restart"], ids=lambda one: f"{one['recipe']}-{one['initial_entropy']}")
def test_restarts_of_nist(reference):
    bits = checked_source(reference["recipe"], reference["sha256"])
    result = restart_tests(bits.reshape(1000, 1000), reference["initial_entropy"])
    p = 2 ** -reference["initial_entropy"]
    # 5,000,000 rounds end in a tail of 26: the program's cutoff is a random number next to the exact one
    above = [
        5e6 * (stats.binom.sf(c, 1000, p) + stats.binom.sf(c, 1000, 1 - p))
        for c in (reference["cutoff"] - 1, reference["cutoff"])
    ]
    assert above[0] > 26 - 4 * 26**0.5
    assert above[1] < 26 + 4 * 26**0.5
    assert abs(result.cutoff - reference["cutoff"]) <= 1
    assert result.largest_count == reference["largest"]
    assert result.sanity_check_passed == reference["sanity"]
    if reference["sanity"]:  # the program stops there otherwise
        assert result.rows.min_entropy == pytest.approx(reference["rows"], abs=6e-7)
        assert result.columns.min_entropy == pytest.approx(reference["columns"], abs=6e-7)
        assert result.validated == reference["validated"]
        assert result.passed == (result.min_entropy is not None) == reference["validated"]


def test_restart_to_the_same_bits():
    """A generator that starts alike after every restart: columns are constant."""
    matrix = np.tile(source("bernoulli", 300, seed=1), (300, 1))
    result = restart_tests(matrix, 0.5, shape=(300, 300))
    assert (result.largest_count, result.along) == (300, "column")
    assert not result.sanity_check_passed
    assert not result.validated
    assert result.min_entropy is None
    assert "300 restarts of 300 bits instead" in result.notes[0]
    json.dumps(result.as_dict(), allow_nan=False)


def test_bad_restart_is_named():
    matrix = source("bernoulli", 120_000, seed=2).reshape(400, 300)
    matrix[123] = 1
    result = restart_tests(matrix, 0.8, shape=(400, 300))
    assert (result.along, result.line, result.largest_count) == ("row", 123, 300)


def test_restarts_from_stream():
    bits = source("bernoulli", 40_000, seed=3)
    stream = BitStream.from_bits(bits, "emulated", {"seed": 3})
    assert restart_tests(stream, 0.6, shape=(200, 200)) == restart_tests(bits.reshape(200, 200), 0.6, shape=(200, 200))


def test_false_alarms_of_the_sanity_check():
    """Ideal restarts of 100 x 100: the level is at most 0.01, and of 600 more than 16 fail 2e-4 of the time."""
    cutoff = restart_cutoff(1.0, 100, 200)
    bits = np.random.default_rng(4).integers(0, 2, (600, 100, 100), dtype=np.uint8)
    rows, columns = bits.sum(axis=2, dtype=int), bits.sum(axis=1, dtype=int)
    largest = np.maximum.reduce([rows, 100 - rows, columns, 100 - columns]).max(axis=1)
    failed = np.count_nonzero(largest > cutoff)
    level = 1 - (1 - 2 * stats.binom.sf(cutoff, 100, 0.5)) ** 200
    assert level <= 0.01
    assert failed <= 16


def test_bad_restarts():
    with pytest.raises(InputError, match="1000 rows of 1000 bits, got 10 of 20"):
        restart_tests(np.zeros((10, 20), np.uint8), 0.5)
    with pytest.raises(InputError, match="1000 x 1000 = 1000000 bits, got 7"):
        restart_tests([0, 1, 0, 1, 0, 1, 1], 0.5)
    with pytest.raises(InputError, match="at least two restarts of two bits, not 1 of 7"):
        restart_tests([0, 1, 0, 1, 0, 1, 1], 0.5, shape=(1, 7))
    with pytest.raises(InputError, match=r"must lie in \(0, 1\]"):
        restart_tests(np.zeros((1000, 1000), np.uint8), 0.0)
    with pytest.raises(ValueError, match="bits must be 0 or 1"):
        restart_tests(np.full((1000, 1000), 2), 0.5)
