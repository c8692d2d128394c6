"""SP 800-22: published values, worked examples, edges and symmetries."""

import json
import math
import warnings
from functools import lru_cache

import numpy as np
import pytest
from constants_bits import bits_of_e, bits_of_pi, bits_of_root

from mtjspice.bits.sp800_22.suite import NAMES, Settings, minimum_length, run_suite
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError

MILLION = 1_000_000

# SP 800-22 rev. 1a, appendix B: the first 10^6 bits of pi, e, sqrt(2) and sqrt(3), integer part included
PUBLISHED = {
    ("frequency", ""): (0.578211, 0.953749, 0.811881, 0.610051),
    ("block-frequency", ""): (0.380615, 0.211072, 0.833222, 0.473961),
    ("cumulative-sums", "forward"): (0.628308, 0.669887, 0.879009, 0.917121),
    ("cumulative-sums", "backward"): (0.663369, 0.724266, 0.957206, 0.689519),
    ("runs", ""): (0.419268, 0.561917, 0.313427, 0.261123),
    ("longest-run", ""): (0.024390, 0.718945, 0.012117, 0.446726),
    ("rank", ""): (0.083553, 0.306156, 0.823810, 0.314498),
    ("dft", ""): (0.010186, 0.847187, 0.581909, 0.776046),
    ("non-overlapping-template", "000000001"): (0.165757, 0.078790, 0.569461, 0.532235),
    ("overlapping-template", ""): (0.296897, 0.110434, 0.791982, 0.082716),
    ("universal", ""): (0.669012, 0.282568, 0.130805, 0.165981),
    ("approximate-entropy", ""): (0.361595, 0.700073, 0.884740, 0.180481),
    ("random-excursions", "x=+1"): (0.844143, 0.786868, 0.216235, 0.783283),
    ("random-excursions-variant", "x=-1"): (0.760966, 0.826009, 0.566118, 0.155066),
    ("serial", "first difference"): (0.143005, 0.766182, 0.861925, 0.157500),
    ("linear-complexity", ""): (0.255475, 0.826335, 0.317127, 0.346469),
}
CONSTANTS = {
    "pi": (bits_of_pi, 499_722),
    "e": (bits_of_e, 500_029),
    "sqrt2": (lambda n: bits_of_root(2, n), 499_881),
    "sqrt3": (lambda n: bits_of_root(3, n), 499_745),
}

# first 100 bits of pi; section 2.4.8
PI_100 = "1100100100001111110110101010001000100001011010001100001000110100110001001100011001100010100010111000"
LONGEST_128 = (
    "11001100000101010110110001001100111000000000001001001101010100010001001111010110100000001101011111001100"
    "111001101101100010110010"
)


def from_text(text):
    return np.array([int(c) for c in text], dtype=np.uint8)


def fair(n, seed=1):
    return np.random.default_rng(seed).integers(0, 2, n, dtype=np.uint8)


@lru_cache
def expansion(name, n=MILLION):
    return CONSTANTS[name][0](n)


@lru_cache
def million(constants="exact"):
    return run_suite(fair(MILLION), constants=constants)


class TestPublishedValues:
    @pytest.mark.parametrize("name", CONSTANTS)
    def test_appendix_b(self, name):
        """To the six digits printed; the cumulative sums of e are rounded up in the last one there."""
        assert int(expansion(name).sum()) == CONSTANTS[name][1]
        suite = run_suite(expansion(name), constants="sts-2.1.2")
        column = list(CONSTANTS).index(name)
        for (test, label), published in PUBLISHED.items():
            result = suite[test]
            computed = result.p_values[result.labels.index(label)]
            assert computed == pytest.approx(published[column], abs=1.1e-6), (test, label)

    def test_excursions_of_e(self):
        """Sections 2.14.8 and 2.15.8: all states."""
        suite = run_suite(expansion("e"), tests=["random-excursions", "random-excursions-variant"])
        assert suite["random-excursions"].parameters["cycles"] == 1490
        np.testing.assert_allclose(
            suite["random-excursions"].p_values,
            [0.573306, 0.197996, 0.164011, 0.007779, 0.786868, 0.440912, 0.797854, 0.778186],
            atol=1e-6,
        )
        np.testing.assert_allclose(
            suite["random-excursions-variant"].p_values,
            [
                0.858946, 0.794755, 0.576249, 0.493417, 0.633873, 0.917283, 0.934708, 0.816012, 0.826009,
                0.137861, 0.200642, 0.441254, 0.939291, 0.505683, 0.445935, 0.512207, 0.538635, 0.593930,
            ],
            atol=1e-6,
        )  # fmt: skip

    def test_of_exact_constants(self):
        """Longest run and linear complexity with exact constants, as independent programs compute them."""
        longest = (0.027295, 0.718366, 0.013472, 0.464612)
        complexity = (0.246801, 0.826202, 0.321866, 0.338199)
        overlapping = (0.260704, 0.159032, 0.828881, 0.080770)  # of the text's six digits
        for k, name in enumerate(CONSTANTS):
            suite = run_suite(expansion(name), tests=["longest-run", "linear-complexity", "overlapping-template"])
            assert suite["longest-run"].p_values[0] == pytest.approx(longest[k], abs=1e-6)
            assert suite["linear-complexity"].p_values[0] == pytest.approx(complexity[k], abs=1e-6)
            assert suite["overlapping-template"].p_values[0] == pytest.approx(overlapping[k], abs=3e-5)


# section: test, bits, settings, p-values
WORKED = {
    "2.1.4": ("frequency", "1011010101", {}, [0.527089]),
    "2.1.8": ("frequency", PI_100, {}, [0.109599]),
    "2.2.4": ("block-frequency", "0110011010", {"block_frequency_block": 3}, [0.801252]),
    "2.2.8": ("block-frequency", PI_100, {"block_frequency_block": 10}, [0.706438]),
    "2.3.4": ("runs", "1001101011", {}, [0.147232]),
    "2.3.8": ("runs", PI_100, {}, [0.500798]),
    # the text prints 4 and 46 powers below the threshold, and so 0.029523 and 0.168669; there are 5 and 48
    "2.6.4": ("dft", "1001010011", {}, [math.erfc(0.25 / math.sqrt(2 * 0.11875))]),
    "2.6.8": ("dft", PI_100, {}, [math.erfc(0.5 / math.sqrt(2 * 1.1875))]),
    "2.11.4": ("serial", "0011011101", {"serial_block": 3}, [0.808792, 0.670320]),
    "2.12.4": ("approximate-entropy", "0100110101", {"approximate_entropy_block": 3}, [0.261961]),
    "2.12.8": ("approximate-entropy", PI_100, {"approximate_entropy_block": 2}, [0.235301]),
    "2.13.8": ("cumulative-sums", PI_100, {}, [0.219194, 0.114866]),
}


class TestWorkedExamples:
    @pytest.mark.parametrize("section", WORKED)
    def test_short_sequences(self, section):
        name, text, settings, expected = WORKED[section]
        suite = run_suite(
            from_text(text), constants="sts-2.1.2", tests=[name], short=True, settings=Settings(**settings)
        )
        np.testing.assert_allclose(suite[name].p_values, expected, atol=1e-6)

    def test_cumulative_sums_of_ten_bits(self):
        """Section 2.13.4, forward only."""
        suite = run_suite(from_text("1011010111"), constants="sts-2.1.2", tests=["cumulative-sums"], short=True)
        assert suite["cumulative-sums"].p_values[0] == pytest.approx(0.4116588, abs=1e-6)

    def test_longest_run_of_128_bits(self):
        """Section 2.4.8 computes with probabilities of four digits."""
        result = run_suite(from_text(LONGEST_128), tests=["longest-run"])["longest-run"]
        assert result.p_values[0] == pytest.approx(0.180609, abs=2e-5)

    def test_sections_about_e(self):
        """Sections 2.5.8, 2.10.8 and 2.11.8."""
        assert run_suite(expansion("e")[:100_000], tests=["rank"])["rank"].p_values[0] == pytest.approx(
            0.532069, abs=1e-6
        )
        settings = Settings(linear_complexity_block=1000, serial_block=2)
        suite = run_suite(
            expansion("e"), constants="sts-2.1.2", tests=["serial", "linear-complexity"], settings=settings
        )
        np.testing.assert_allclose(suite["serial"].p_values, [0.843764, 0.561915], atol=1e-6)
        assert suite["linear-complexity"].p_values[0] == pytest.approx(0.845406, abs=1e-6)


class TestResult:
    def test_188_p_values_of_a_million_bits(self):
        suite = million()
        counts = {result.name: len(result.p_values) for result in suite.results}
        several = {
            "cumulative-sums": 2, "non-overlapping-template": 148, "random-excursions": 8,
            "random-excursions-variant": 18, "serial": 2,
        }  # fmt: skip
        assert counts == {name: several.get(name, 1) for name in NAMES}
        assert suite.p_value_count == 188
        assert all(0 <= p <= 1 for result in suite.results for p in result.p_values)
        assert all(len(set(result.labels)) == len(result.p_values) for result in suite.results)

    def test_verdict_is_that_of_sidak(self):
        """(1 - threshold)^k = 1 - significance, whatever the number k of p-values."""
        suite = run_suite(fair(MILLION), significance=0.3)
        verdicts = set()
        for result in suite.results:
            threshold = result.parameters["threshold"]
            assert (1 - threshold) ** len(result.p_values) == pytest.approx(0.7)
            assert result.passed == (min(result.p_values) >= threshold)
            verdicts.add(result.passed)
        assert verdicts == {True, False}
        below = sum(p < 0.3 for result in suite.results for p in result.p_values)
        assert suite.p_values_below() == below > 30

    def test_json(self):
        suite = run_suite(fair(20_000))
        data = json.loads(json.dumps(suite.as_dict(), allow_nan=False))
        assert (data["suite"], data["constants"], data["significance"]) == ("sp800-22", "exact", 0.01)
        assert (data["length"], len(data["tests"])) == (20_000, 15)
        assert set(data["tests"][0]) == {
            "name", "p_values", "labels", "passed", "applicable", "parameters", "note"
        }  # fmt: skip
        assert data["tests"][0]["p_values"] == list(suite["frequency"].p_values)

    def test_takes_streams_and_any_numbers(self):
        bits = fair(2000)
        stream = BitStream.from_bits(bits, "pseudo-random", {})
        assert run_suite(stream) == run_suite(bits) == run_suite(bits.astype(float)) == run_suite(bits.astype(bool))

    def test_one_test_alone_gives_the_same(self):
        bits = fair(MILLION)
        for name in NAMES:
            assert run_suite(bits, tests=[name]).results == (million()[name],)
        with pytest.raises(KeyError):
            run_suite(bits, tests=["runs"])["rank"]


class TestLengths:
    @pytest.mark.parametrize("name", NAMES)
    def test_recommended_length_is_the_border(self, name):
        least = minimum_length(name)
        result = run_suite(fair(least), tests=[name])[name]
        assert result.note == "" or "cycles" in result.note
        result = run_suite(fair(least - 1), tests=["frequency", name] if name != "frequency" else ["frequency"],
                           short=True)[name]  # fmt: skip
        assert "recommended" in result.note or f"needs {least} bits, got {least - 1}" in result.note

    @pytest.mark.parametrize("name", NAMES)
    def test_shortest_sequences_give_p_values(self, name):
        """Alternating bits, because they have many cycles and pass the condition of the runs test."""
        least = max(minimum_length(name, short=True), 1000 if "excursions" in name else 1)
        bits = np.resize(np.array([1, 0], dtype=np.uint8), least)
        result = run_suite(bits, tests=[name], short=True)[name]
        assert result.p_values
        assert all(0 <= p <= 1 for p in result.p_values)

    def test_lengths_follow_the_settings(self):
        settings = Settings(
            block_frequency_block=5000, non_overlapping_template=4, approximate_entropy_block=5, serial_block=8
        )
        lengths = [
            minimum_length(name, settings)
            for name in ("block-frequency", "non-overlapping-template", "approximate-entropy", "serial")
        ]
        # m < floor(log2 n) - 5 and m < floor(log2 n) - 2 begin at 2^11
        assert lengths == [5000, 8 * (5 * 16 + 3), 2**11, 2**11]

    def test_too_short_for_a_test(self):
        suite = run_suite(fair(1000))
        result = suite["universal"]
        assert (result.p_values, result.passed, result.applicable) == ((), None, False)
        assert result.note == "needs 387840 bits, got 1000"
        assert suite["frequency"].applicable

    def test_too_short_for_all_tests(self):
        with pytest.raises(InputError, match=r"^50 bits are too few: the frequency test needs 100$"):
            run_suite(fair(50))
        with pytest.raises(InputError, match=r"^0 bits are too few: the frequency test needs 1$"):
            run_suite([], tests=["rank", "frequency"], short=True)
        with pytest.raises(InputError, match=r"the universal test needs 387840$"):
            run_suite(fair(5000), tests=["universal", "linear-complexity"])


class TestEdges:
    @pytest.mark.parametrize("constants", ["exact", "sts-2.1.2"])
    @pytest.mark.parametrize("n", [1, 2, 3, 5, 9, 16, 100, 1024, 10_000, 60_000, MILLION])
    @pytest.mark.parametrize("unit", [[0], [1], [0, 1], [1, 1, 0, 0]])
    def test_regular_sequences_give_no_warnings(self, constants, n, unit):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            suite = run_suite(np.resize(np.array(unit, dtype=np.uint8), n), constants=constants, short=True)
        assert all(0 <= p <= 1 for result in suite.results for p in result.p_values)

    @pytest.mark.parametrize("bit", [0, 1])
    def test_constant_bits_fail_everything_applicable(self, bit):
        suite = run_suite(np.full(MILLION, bit))
        assert {result.name for result in suite.results if result.passed is None} == {
            "random-excursions", "random-excursions-variant"
        }  # fmt: skip
        # half of all powers are 0, and nothing but ones or zeros never has a template: that is caught by others
        assert not any(result.passed for result in suite.results)

    def test_runs_where_the_ones_are_too_many(self):
        bits = np.resize(np.array([1, 0], dtype=np.uint8), 1024)
        bits[1:128:2] = 1  # 576 ones: |pi - 1/2| = 1/16 = 2/sqrt(n), which the text refuses and STS does not
        result = run_suite(bits, tests=["runs"])["runs"]
        assert (result.p_values, result.passed, result.applicable) == ((0.0,), False, False)
        assert "is not below 2/sqrt(n)" in result.note
        assert run_suite(bits, tests=["runs"], constants="sts-2.1.2")["runs"].applicable
        bits[129] = 1
        assert not run_suite(bits, tests=["runs"], constants="sts-2.1.2")["runs"].applicable

    def test_too_few_cycles(self):
        bits = np.concatenate([np.ones(1000), fair(MILLION - 1000)])
        for name in ("random-excursions", "random-excursions-variant"):
            result = run_suite(bits, tests=[name])[name]
            assert (result.p_values, result.passed, result.applicable) == ((), None, False)
            assert result.note == f"the walk has {result.parameters['cycles']} cycles, the test needs 500"

    def test_program_gives_up_with_many_cycles(self):
        bits = np.resize(np.array([1, 0], dtype=np.uint8), MILLION)
        name = "random-excursions"
        aborted = run_suite(bits, tests=[name], constants="sts-2.1.2")[name]
        assert (aborted.p_values, aborted.applicable) == ((), False)
        assert "gives up" in aborted.note
        assert run_suite(bits, tests=[name])[name].passed is False

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"tests": ["monobit"]}, "unknown test of SP 800-22 'monobit'; available: approximate-entropy, "),
            ({"tests": []}, "no test of SP 800-22 is asked for"),
            ({"constants": "nist"}, "unknown set of constants 'nist'; available: exact, sts-2.1.2"),
            ({"significance": 0.0}, "the significance must lie between 0 and 1"),
            ({"significance": math.nan}, "the significance must lie between 0 and 1"),
        ],
    )
    def test_refuses(self, change, message):
        with pytest.raises(InputError, match=message):
            run_suite(fair(1000), **change)
        with pytest.raises(ValueError, match="entry 1 is 2"):
            run_suite([0, 2])

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [
            ("block_frequency_block", 2, 1_000_000),
            ("non_overlapping_template", 2, 16),
            ("overlapping_template", 7, 12),
            ("approximate_entropy_block", 1, 20),
            ("serial_block", 2, 24),
            ("linear_complexity_block", 500, 5000),
        ],
    )
    def test_settings_have_limits(self, name, low, high):
        Settings(**{name: low})
        Settings(**{name: high})
        for value in (low - 1, high + 1, float(low), True):
            with pytest.raises(
                InputError, match=rf"^{name.replace('_', ' ')} must be a whole number of {low} to {high}"
            ):
                Settings(**{name: value})


class TestSymmetries:
    """What a test must not see, and what it must."""

    def test_complement(self):
        bits = fair(MILLION)
        suite, other = million(), run_suite(1 - bits)
        same = [
            "frequency", "block-frequency", "cumulative-sums", "runs", "dft", "universal", "serial",
            "approximate-entropy",
        ]  # fmt: skip
        for name in same:
            np.testing.assert_allclose(other[name].p_values, suite[name].p_values, rtol=1e-9, atol=1e-12)
        swapped = {"01"[c == "0"]: c for c in "01"}
        for label, p in zip(
            suite["non-overlapping-template"].labels, suite["non-overlapping-template"].p_values, strict=True
        ):
            mirrored = "".join(swapped[c] for c in label)
            found = other["non-overlapping-template"]
            assert found.p_values[found.labels.index(mirrored)] == p
        for name in ("random-excursions", "random-excursions-variant"):
            assert other[name].p_values == suite[name].p_values[::-1]

    def test_reversal(self):
        """The blocks stand in the same places because their lengths divide the number of bits."""
        suite, other = million(), run_suite(fair(MILLION)[::-1])
        assert other["cumulative-sums"].p_values == suite["cumulative-sums"].p_values[::-1]
        for name in ("frequency", "runs", "longest-run", "dft", "serial", "approximate-entropy"):
            np.testing.assert_allclose(other[name].p_values, suite[name].p_values, rtol=1e-9)
        found = other["non-overlapping-template"]
        for label, p in zip(found.labels, found.p_values, strict=True):
            original = suite["non-overlapping-template"]
            assert original.p_values[original.labels.index(label[::-1])] == p

    def test_constants_matter_where_they_should(self):
        differing = {
            "longest-run", "dft", "non-overlapping-template", "overlapping-template", "universal", "linear-complexity"
        }  # fmt: skip
        for exact, program in zip(million().results, million("sts-2.1.2").results, strict=True):
            if exact.name in differing:
                assert exact.p_values != program.p_values
                np.testing.assert_allclose(exact.p_values, program.p_values, atol=0.2)
            else:
                np.testing.assert_allclose(exact.p_values, program.p_values, rtol=1e-9)
