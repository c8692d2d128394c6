"""Latents of many images from bits: how they are cut, and how many different ones there are, counted and predicted."""

import numpy as np
import pytest

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.errors import InputError
from mtjspice.generative.gan.latent_sets import (
    Pattern,
    expected_distinct,
    from_bits,
    from_numbers,
    predicted_distinct,
)
from mtjspice.generative.gaussian import InverseCdf, NumpyGaussian


def distinct(latents):
    return len(np.unique(latents, axis=0))


class TestPatterns:
    def test_free_takes_word_after_word(self):
        found = from_bits("pcg64", Pattern(), 5, 7, 8, 3)
        np.testing.assert_array_equal(found, InverseCdf(open_source("pcg64", 3), 8).normal((5, 7)))
        np.testing.assert_array_equal(from_numbers(NumpyGaussian(2), 5, 7), NumpyGaussian(2).normal((5, 7)))

    @pytest.mark.parametrize("word", [3, 8])
    def test_slide_and_overlap_are_windows_of_the_bits(self, word):
        images, size = 6, 4
        bits = open_source("pcg64", 3).stream(200).bits()

        def number(start):
            return int("".join(map(str, bits[start : start + word])), 2)

        levels = InverseCdf(open_source("pcg64", 3), word).levels
        slide = [[levels[number(i + j * word)] for j in range(size)] for i in range(images)]
        overlap = [[levels[number(i * size + j)] for j in range(size)] for i in range(images)]
        np.testing.assert_allclose(from_bits("pcg64", Pattern("slide"), images, size, word, 3), slide)
        np.testing.assert_allclose(from_bits("pcg64", Pattern("overlap"), images, size, word, 3), overlap)

    def test_reseeding_depends_on_the_seeds_alone(self):
        found = from_bits("lfsr:10", Pattern("reseed", 4), 200, 5, 8, 1)
        states = [from_bits(f"lfsr:10,state={1 + s}", Pattern(), 1, 5, 8, 0)[0] for s in range(16)]
        assert {tuple(row) for row in found} == {tuple(row) for row in states}
        first = from_bits("pcg64", Pattern("reseed", 3), 100, 5, 8, 1)
        assert {tuple(row) for row in first} == {tuple(from_bits("pcg64", Pattern(), 1, 5, 8, s)[0]) for s in range(8)}

    def test_text(self):
        for text in ("free", "slide", "overlap", "reseed:14"):
            assert str(Pattern.parse(text)) == text

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: Pattern.parse("jump"), "unknown pattern"),
            (lambda: Pattern.parse("free:3"), "unknown pattern"),
            (lambda: Pattern.parse("reseed"), "as reseed:14"),
            (lambda: Pattern.parse("reseed:x"), "as reseed:14"),
            (lambda: Pattern.parse("reseed:0"), "1 to 32 bits"),
            (lambda: Pattern.parse("reseed:33"), "1 to 32 bits"),
            (lambda: from_bits("os", Pattern("reseed", 3), 5, 5, 8, 1), "cannot be reseeded"),
            (lambda: from_bits("pcg64", Pattern("slide"), 5, 5, 25, 1), "1 to 24 bits"),
            (lambda: from_bits("lfsr:x", Pattern("reseed", 3), 5, 5, 8, 1), "not a shift register"),
        ],
    )
    def test_bad_requests(self, call, message):
        with pytest.raises(InputError, match=message):
            call()

    def test_a_recording_runs_dry(self, tmp_path):
        (tmp_path / "bits.bin").write_bytes(bytes(range(20)))
        text = f"file:{tmp_path}/bits.bin,format=binary"
        assert from_bits(text, Pattern(), 4, 5, 8, 1).shape == (4, 5)
        for pattern in (Pattern(), Pattern("slide"), Pattern("overlap")):
            with pytest.raises(StreamExhaustedError):
                from_bits(text, pattern, 300, 5, 8, 1)


class TestDistinct:
    """Counting is the test: the formulas know nothing of the bits."""

    @pytest.mark.parametrize("length", [5, 8, 11, 12])
    @pytest.mark.parametrize("kind", ["free", "slide", "overlap"])
    @pytest.mark.parametrize(("size", "word"), [(100, 8), (15, 6), (7, 7)])
    def test_registers_in_their_cycle(self, length, kind, size, word):
        images = 5000
        latents = from_bits(f"lfsr:{length}", Pattern(kind), images, size, word, 1)
        assert distinct(latents) == predicted_distinct(length, Pattern(kind), images, size, word)

    def test_the_register_of_twelve(self):
        """4095 / gcd(4095, 800) = 819 of 1000 latents of 100 words of 8 bits."""
        assert distinct(from_bits("lfsr:12", Pattern(), 1000, 100, 8, 7)) == 819
        assert predicted_distinct(12, Pattern(), 1000, 100, 8) == 819
        assert predicted_distinct(12, Pattern(), 1000, 64, 8) == 1000

    @pytest.mark.parametrize(("text", "bits"), [("lfsr:16", 10), ("lfsr:8", 8), ("lfsr:8", 9), ("pcg64", 9)])
    def test_birthdays(self, text, bits):
        """Mean of 15 sets of 200 within 6 of its standard errors: false alarm 5e-5 a case (t, 14 degrees)."""
        counts = [distinct(from_bits(text, Pattern("reseed", bits), 200, 4, 8, seed)) for seed in range(15)]
        expected = expected_distinct(text, Pattern("reseed", bits), 200, 4, 8)
        assert abs(np.mean(counts) - expected) < 6 * np.std(counts, ddof=1) / np.sqrt(len(counts))

    def test_every_state_is_counted(self):
        """Seeds of n bits load 2^n - 1 states, one of them twice as often."""
        n, images = 5, 40
        weights = np.ones(31)
        weights[0] = 2
        exact = (1 - (1 - weights / 32) ** images).sum()
        assert predicted_distinct(n, Pattern("reseed", n), images, 4, 8) == pytest.approx(exact, rel=1e-12)
        assert predicted_distinct(n, Pattern("reseed", 3), images, 4, 8) == pytest.approx(8 * (1 - (7 / 8) ** images))

    def test_what_is_not_known(self):
        with pytest.raises(ValueError, match="do not determine"):
            predicted_distinct(16, Pattern(), 10, 1, 8)
        assert expected_distinct("lfsr:16", Pattern(), 10, 1, 8) is None
        assert expected_distinct("lfsr:16,taps=16.8", Pattern(), 10, 100, 8) is None
        assert expected_distinct("emulated:fair", Pattern(), 10, 100, 8) is None
