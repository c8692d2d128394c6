"""Generators whose state is recovered from their bits, and bits from which nothing can be."""

import json

import numpy as np
import pytest

from mtjspice.bits.recovery import (
    recover,
    recover_lcg,
    recover_lfsr,
    recover_mt19937,
    recover_mt19937_words,
    recover_noisy_lfsr,
    recover_truncated_mt19937,
)
from mtjspice.bits.recovery.mersenne import untemper
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import CONGRUENCES, Congruence, CongruentialSource
from mtjspice.bits.sources.lfsr import LfsrSource


@pytest.mark.parametrize("length", [2, 8, 16, 31, 64, 127])
@pytest.mark.parametrize("form", ["fibonacci", "galois"])
def test_register(length, form):
    source = LfsrSource(length, 5, form=form)
    bits = source.stream(3000)
    found = recover_lfsr(bits)
    assert (found.length, found.used) == (length, 2 * length)
    assert ".".join(map(str, found.taps)) == source.provenance["taps"]
    if form == "fibonacci":
        assert hex(found.state) == source.provenance["state"]
    np.testing.assert_array_equal(found.following(3000 - found.used), bits.bits()[found.used :])
    # the attacker makes the same register again
    again = LfsrSource(length, taps=found.taps, state=found.state)
    np.testing.assert_array_equal(again.stream(3000).bits(), bits.bits())


def test_register_needs_twice_its_length_and_a_proof():
    bits = open_source("lfsr:100", 1).stream(400)
    assert recover_lfsr(bits[:263]) is None
    assert recover_lfsr(bits[:264]).verified == 64
    assert recover_lfsr(bits, longest=99) is None
    assert recover_lfsr(np.zeros(500)) is None
    assert recover_lfsr(np.arange(500) % 2).taps == (2,)


def test_one_wrong_bit_hides_a_register_but_not_from_the_noisy_attack():
    bits = open_source("lfsr:16", 3).stream(50_000).bits()
    bits[100] ^= 1
    assert recover_lfsr(bits) is None
    assert recover_noisy_lfsr(bits).taps == (16, 14, 13, 11)


@pytest.mark.parametrize("wrong", [0.01, 0.05, 0.1])
def test_noisy_register(wrong):
    """The fraction of wrong bits within 5 sigma (6e-7) of what 10^5 parity checks tell."""
    rng = np.random.default_rng(4)
    bits = open_source("lfsr:12", 3).stream(100_000).bits() ^ (rng.random(100_000) < wrong)
    found = recover_noisy_lfsr(bits)
    assert found.taps == (12, 6, 5, 3)
    strength = (1 - 2 * wrong) ** 5
    error = np.sqrt(5 * (1 - strength**2) / 100_000)  # a wrong bit takes part in five checks
    assert abs(found.strength - strength) < 5 * error
    assert found.wrong == pytest.approx(wrong, abs=0.01)
    assert [one.describe() for one in recover(bits)] == [found.describe()]


def test_untempering():
    """The outputs of a state that NumPy is given."""
    key = np.random.default_rng(1).integers(0, 2**32, 624, dtype=np.uint32)
    generator = np.random.MT19937(1)
    generator.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": 0}}
    np.testing.assert_array_equal(untemper(generator.random_raw(624).astype(np.uint32)), key)


@pytest.mark.parametrize("offset", [0, 8, 13, 31])
def test_mersenne_twister(offset):
    source = open_source("mt19937", 9)
    bits = source.stream(40_000)
    found = recover_mt19937(bits[offset:])
    assert found.offset == (-offset) % 32
    begin = offset + found.offset + found.used
    np.testing.assert_array_equal(found.following(5000), bits.bits()[begin : begin + 5000])
    # NumPy's generator goes on as the source does
    expected = open_source("mt19937", 9).read(4 * (begin // 32 + 2000)).view(">u4")[begin // 32 :]
    np.testing.assert_array_equal(found.bit_generator().random_raw(2000), expected)


def test_mersenne_twister_with_the_lowest_byte_first():
    words = np.random.MT19937(2).random_raw(700).astype("<u4")
    found = recover_mt19937(np.unpackbits(words[:640].view(np.uint8)))
    assert found.order == "little"
    np.testing.assert_array_equal(found.words(76), words[624:])
    np.testing.assert_array_equal(found.following(320), np.unpackbits(words[624:634].view(np.uint8)))


def test_mersenne_twister_needs_632_words():
    words = np.random.MT19937(2).random_raw(632).astype(np.uint32)
    assert recover_mt19937_words(words) is not None
    words[631] ^= 1
    assert recover_mt19937_words(words) is None
    with pytest.raises(ValueError, match="632 words are needed, got 631"):
        recover_mt19937_words(words[:631])


def test_truncated_twister_of_whole_words():
    """The linear equations of all 32 bits, which untempering solves as well."""
    words = np.random.MT19937(3).random_raw(700).astype(np.uint32)
    found = recover_truncated_mt19937(words[:626], 32)
    np.testing.assert_array_equal(found.words(76), words[624:])
    words[625] ^= 1
    assert recover_truncated_mt19937(words[:626], 32) is None
    with pytest.raises(ValueError, match="626 words are needed with 32 bits known of each, got 625"):
        recover_truncated_mt19937(words[:625], 32)
    with pytest.raises(ValueError, match="between 1 and 32"):
        recover_truncated_mt19937(words, 33)


@pytest.mark.parametrize("width", [8, 16])
def test_truncated_twister(width):
    """All words that follow, from the leading bits of those that were seen."""
    words = np.random.MT19937(4).random_raw(6000).astype(np.uint32)
    seen = words[: 19968 // width + 64] >> np.uint32(32 - width)
    found = recover_truncated_mt19937(seen, width)
    np.testing.assert_array_equal(found.words(3000), words[624:3624])


@pytest.mark.parametrize("name", CONGRUENCES)
@pytest.mark.parametrize("offset", [0, 5])
def test_congruential_generators(name, offset):
    bits = CongruentialSource(name, 123_456).stream(3000)
    found = recover_lcg(bits[offset:])
    assert found.name == name
    begin = offset + found.offset + found.used
    np.testing.assert_array_equal(found.following(3000 - begin), bits.bits()[begin:])
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_own_congruential_generator():
    """A modulus that is no power of two, with hidden bits."""
    own = {"own": Congruence(16807, 11, 2**31 - 1, 12, 19)}
    bits = CongruentialSource(own["own"], 7).stream(2000)
    found = recover_lcg(bits, own)
    np.testing.assert_array_equal(found.following(2000 - found.used), bits.bits()[found.used :])
    assert recover_lcg(bits) is None


@pytest.mark.parametrize(
    "source",
    [
        "pcg64",
        "aes-ctr",
        "sfc64",
        "emulated:fair,p=0.6,heating=1",
        "emulated:fair,p=0.52,lanes=16,spread=0.5,stuck=0.2",
    ],
)
def test_nothing_is_found_elsewhere(source):
    """Once in 2^60 streams by chance; also of 10 seeds, as the noisy attack looks for a strength of 0.25."""
    for seed in range(10):
        assert recover(open_source(source, seed).stream(30_000)) == []


def test_short_streams():
    for n in (0, 1, 2, 10, 65, 100):
        assert recover(np.random.default_rng(n).integers(0, 2, n)) == []
