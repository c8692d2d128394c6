"""SP 800-22 on many sequences."""

import json
import math
import threading

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.sp800_22 import battery
from mtjspice.bits.sp800_22.battery import collect, run_sequences
from mtjspice.bits.sp800_22.suite import NAMES, run_suite
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

LENGTH = 20_008  # whole bytes; DFT and templates of 8 bits are applicable, rank is not


def stream(sequences, ones=0.5, length=LENGTH):
    bits = np.random.default_rng(3).random(sequences * length) < ones
    return BitStream.from_bits(bits, "emulated", {"seed": 3})


def test_is_the_suite_on_each_sequence():
    source = stream(4)
    result = run_sequences(source, LENGTH)
    assert (result.sequences, result.sequence_length) == (4, LENGTH)
    for k in range(4):
        suite = run_suite(source.bits()[k * LENGTH : (k + 1) * LENGTH])
        for test in suite.results:
            assert result.p_values[test.name].shape == (4, max(1, len(test.labels)))
            np.testing.assert_array_equal(result.p_values[test.name][k], test.p_values or [math.nan])
            assert result.labels[test.name] == (test.labels or ("",))
    assert [row.test for row in result.rows if row.label in ("", "forward")] == list(NAMES)


def test_any_number_of_workers_gives_the_same():
    source = stream(7)
    one, three = (run_sequences(source, LENGTH, short=True, workers=n) for n in (1, 3))
    assert one.rows == three.rows
    for name in NAMES:
        np.testing.assert_array_equal(one.p_values[name], three.p_values[name])


def test_takes_sequences_that_begin_within_a_byte():
    source = stream(3)
    result = run_sequences(source, 10_003, sequences=5, tests=["frequency"])
    expected = [
        run_suite(source.bits()[k * 10_003 : (k + 1) * 10_003], tests=["frequency"])["frequency"].p_values
        for k in range(5)
    ]
    np.testing.assert_array_equal(result.p_values["frequency"], expected)


def test_progress_is_told_by_the_caller_s_thread():
    told = []
    run_sequences(
        stream(5), LENGTH, tests=["runs"], workers=2, progress=lambda f: told.append((f, threading.get_ident()))
    )
    assert told == [(k / 5, threading.get_ident()) for k in range(1, 6)]


def test_an_interruption_ends_the_run():
    told = []

    def stop(fraction):
        told.append(fraction)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sequences(stream(200), LENGTH, tests=["runs"], workers=1, progress=stop)
    assert len(told) == 1


def test_rows_of_many_sequences():
    """Of each row: counts, the interval of 4.2.1 and Pearson's chi-square of 4.2.2 as scipy computes it."""
    result = run_sequences(stream(100), LENGTH, tests=["frequency", "cumulative-sums", "rank"])
    frequency, forward, backward, rank = result.rows
    assert [row.label for row in result.rows] == ["", "forward", "backward", ""]
    half = 3 * math.sqrt(0.01 * 0.99 / 100)
    for row, p in (
        (frequency, result.p_values["frequency"][:, 0]),
        (backward, result.p_values["cumulative-sums"][:, 1]),
    ):
        assert (row.sequences, row.passed) == (100, np.count_nonzero(p >= 0.01))
        assert row.proportion == row.passed / 100
        assert (row.low, row.high) == (pytest.approx(0.99 - half), 1.0)
        assert row.proportion_passed == (row.proportion >= 0.99 - half)
        expected = stats.chisquare(np.histogram(p, 10, (0, 1))[0]).pvalue
        assert row.uniformity == pytest.approx(expected)
        assert row.uniformity_passed == (expected >= 1e-4)
    assert forward.test == "cumulative-sums"
    assert (rank.sequences, rank.proportion, rank.proportion_passed, rank.uniformity) == (0, None, None, None)
    assert rank.note == f"not applicable to 100 of 100 sequences (needs 38912 bits, got {LENGTH})"


def test_too_few_sequences_get_no_verdict():
    few, enough = (run_sequences(stream(n), LENGTH, tests=["frequency"]).rows[0] for n in (54, 55))
    assert (few.proportion_passed, few.uniformity, few.uniformity_passed) == (None, None, None)
    assert few.note == "54 sequences are fewer than the 55 needed"
    assert few.proportion is not None
    assert enough.proportion_passed is not None
    assert enough.note == ""


def test_biased_bits_fail():
    """A bias of 0.03 moves the frequency statistic by 8 standard deviations."""
    result = run_sequences(stream(60, ones=0.53), LENGTH, tests=["frequency", "runs"])
    frequency, runs = result.rows
    assert (frequency.passed, frequency.proportion_passed, frequency.uniformity_passed) == (0, False, False)
    # the condition of the runs test is not met: that counts as p = 0, not as a missing sequence
    assert runs.sequences == 60
    assert result.failed() == (frequency, runs)


def test_expected_failures_are_binomial():
    result = run_sequences(stream(60), LENGTH, tests=["frequency", "cumulative-sums", "rank"])
    low = 0.99 - 3 * math.sqrt(0.01 * 0.99 / 60)
    outside = stats.binom.cdf(math.ceil(60 * low) - 1, 60, 0.99)
    assert result.expected_failures() == pytest.approx(3 * (outside + 1e-4))
    low, high = battery.interval(3000, 0.01)
    counts = np.arange(3001) / 3000
    outside = stats.binom.pmf(np.arange(3001), 3000, 0.99)[(counts < low) | (counts > high)].sum()
    assert battery._outside(3000, 0.01) == pytest.approx(outside, rel=1e-9)


def test_uniformity_counts_one_in_the_last_bin():
    assert battery.uniformity(np.linspace(0, 1, 100)) == pytest.approx(1.0)
    assert battery.uniformity(np.full(100, 0.95)) < 1e-100


def test_json():
    result = run_sequences(stream(3), LENGTH)
    data = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert (data["suite"], data["sequences"], data["sequence_length"]) == ("sp800-22", 3, LENGTH)
    assert len(data["rows"]) == len(result.rows)
    assert data["rows"][0]["test"] == "frequency"


@pytest.mark.parametrize(
    ("length", "sequences", "message"),
    [
        (LENGTH, 3, rf"^3 x {LENGTH} bits are {3 * LENGTH}, but the stream has {2 * LENGTH}$"),
        (3 * LENGTH, None, rf"^1 x {3 * LENGTH} bits are {3 * LENGTH}, but the stream has {2 * LENGTH}$"),
        (LENGTH, 0, "^at least one sequence must be tested, not 0$"),
        (0, None, "^a sequence has at least one bit, not 0$"),
        (50, None, "^50 bits are too few: the frequency test needs 100$"),
    ],
)
def test_refuses(length, sequences, message):
    with pytest.raises(InputError, match=message):
        run_sequences(stream(2), length, sequences=sequences)


def test_refuses_before_any_work():
    with pytest.raises(InputError, match="unknown test"):
        run_sequences(stream(2), LENGTH, tests=["spectral"])
    with pytest.raises(ValueError, match="one length"):
        collect([run_suite(np.ones(n)) for n in (100, 200)])
    with pytest.raises(ValueError, match="at least one"):
        collect([])
