"""SP 800-22 against NIST's own program, on inputs of all kinds and lengths.

tests/data/sp800_22_reference.json holds all p-values that NIST's C code prints, to 12 digits; the inputs are made
here from seeds. A case is "<input>/<length>" with the settings that differ from the defaults behind it.
"""

import hashlib
import json
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from constants_bits import bits_of_e, bits_of_golden_ratio, bits_of_pi, bits_of_root

from mtjspice.bits.sp800_22.suite import NAMES, Settings, minimum_length, run_suite

REFERENCE = json.loads((Path(__file__).parent / "data" / "sp800_22_reference.json").read_text(encoding="utf-8"))

# p-values differ by rounding in sums of up to 10^6 terms and in the incomplete gamma function of up to 2^22 degrees
TOLERANCE = 1e-8

# lengths at which the program's Fourier transform, which takes n^2 steps for a prime n, was left out
PRIMES = (387_839, 999_983)


def fair(n, seed=2026):
    return np.random.Generator(np.random.PCG64(seed)).integers(0, 2, n, dtype=np.uint8)


def biased(n, ones):
    return (np.random.Generator(np.random.PCG64(17)).random(n) < ones).astype(np.uint8)


def markov(n, change):
    """Bits that differ from the one before with the probability ``change``."""
    changes = np.random.Generator(np.random.PCG64(23)).random(n) < change
    return (np.cumsum(changes) % 2).astype(np.uint8)


def shift_register(n):
    """x^16 + x^14 + x^13 + x^11 + 1, of the full period 65535."""
    state, bits = 0xACE1, np.empty(min(n, 65535), dtype=np.uint8)
    for i in range(bits.size):
        bits[i] = state & 1
        feedback = (state ^ (state >> 2) ^ (state >> 3) ^ (state >> 5)) & 1
        state = (state >> 1) | (feedback << 15)
    return np.resize(bits, n)


def congruential(n):
    """Bit 8 of a linear congruential generator modulo 2^32, of the period 512."""
    state, bits = 1, np.empty(min(n, 512), dtype=np.uint8)
    for i in range(bits.size):
        bits[i] = (state >> 8) & 1
        state = (1664525 * state + 1013904223) % 2**32
    return np.resize(bits, n)


INPUTS = {
    "pi": bits_of_pi,
    "e": bits_of_e,
    "sqrt2": lambda n: bits_of_root(2, n),
    "sqrt3": lambda n: bits_of_root(3, n),
    "golden": bits_of_golden_ratio,
    "fair": fair,
    "fair2": lambda n: fair(n, 3),
    "biased51": lambda n: biased(n, 0.51),
    "biased50.2": lambda n: biased(n, 0.502),
    "biased90": lambda n: biased(n, 0.9),
    "markov49": lambda n: markov(n, 0.49),
    "markov60": lambda n: markov(n, 0.6),
    "markov80": lambda n: markov(n, 0.8),
    "lfsr": shift_register,
    "lcg": congruential,
    "zeros": lambda n: np.zeros(n, dtype=np.uint8),
    "ones": lambda n: np.ones(n, dtype=np.uint8),
    "alternating": lambda n: np.resize(np.array([0, 1], dtype=np.uint8), n),
    "period7": lambda n: np.resize(np.array([1, 1, 1, 0, 1, 0, 0], dtype=np.uint8), n),
}


@lru_cache(maxsize=2)
def make(name, n):
    return INPUTS[name](n)


def settings_of(case):
    return Settings(**REFERENCE["cases"][case]["settings"])


def input_of(case):
    name, length = case.split(" ")[0].split("/")
    return make(name, int(length))


@pytest.mark.parametrize("case", REFERENCE["cases"])
def test_equals_the_program_of_nist(case):
    """All p-values of all tests that the program computes, and no others."""
    expected = REFERENCE["cases"][case]
    bits = input_of(case)
    assert hashlib.sha256(np.packbits(bits).tobytes()).hexdigest()[:16] == expected["sha256"]
    settings = settings_of(case)
    suite = run_suite(bits, constants="sts-2.1.2", tests=list(expected["p_values"]), short=True, settings=settings)
    for name, p_values in expected["p_values"].items():
        result = suite[name]
        assert len(result.p_values) == len(p_values) == len(result.labels), name
        # the program warns of p-values above 1, which its cut-off series of the cumulative sums can give
        np.testing.assert_allclose(result.p_values, np.minimum(p_values, 1), rtol=0, atol=TOLERANCE, err_msg=name)


def test_reference_covers_every_test_and_setting():
    """A case of the default settings has every test that is computable, but for dft in those of `PRIMES`."""
    varied = {name for case in REFERENCE["cases"].values() for name in case["settings"]}
    assert varied == set(asdict(Settings()))
    for case, expected in REFERENCE["cases"].items():
        if not expected["settings"]:
            n = expected["length"]
            computable = {name for name in NAMES if minimum_length(name, short=True) <= n}
            missing = computable - set(expected["p_values"])
            assert missing == ({"dft"} if n in PRIMES else set()), case
