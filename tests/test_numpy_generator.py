"""The bit generator for NumPy: its numbers, NumPy's own tests of generators, running dry, refills and states."""

import copy
import pickle
import threading

import numpy as np
import pytest
from numpy.random.tests import test_smoke
from scipy import stats

from mtjspice.bits.adapters.numpy_generator import MTJBitGenerator
from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.generators import NumpySource, StreamSource
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError


def recorded(words, seed=1):
    return NumpySource("pcg64", seed).stream(64 * words)


def generator(words, **options):
    return np.random.Generator(MTJBitGenerator(recorded(words), **options))


class Fixture(MTJBitGenerator):
    """What NumPy's tests make without arguments, or with a seed: a stream that is long enough for each."""

    def __init__(self, bits=None, refill=None):
        if not isinstance(bits, BitStream):
            seed = np.random.SeedSequence(bits).generate_state(1)[0]
            bits = recorded(1 << 17, int(seed))
        super().__init__(bits, refill)


class TestAsNumPyTestsItsGenerators(test_smoke.RNG):
    """NumPy's tests, which every bit generator of its own must pass."""

    @classmethod
    def _create_rng(cls):
        return test_smoke.RNGData(Fixture, 2**10, [12345], np.random.Generator(Fixture(12345)), 64)

    def test_jump(self):
        """As with SFC64, there is no jump: it would use up the bits between."""
        assert not hasattr(self._create_rng().rg.bit_generator, "jumped")

    def test_pickle(self):
        rg = self._create_rng().rg
        test_smoke.warmup(rg)
        again = pickle.loads(pickle.dumps(rg))
        assert type(again.bit_generator) is Fixture
        np.testing.assert_array_equal(rg.random(10), again.random(10))

    def test_seed_array(self):
        """Bits that come from elsewhere have no seed."""
        with pytest.raises(InputError, match="no seed"):
            MTJBitGenerator(recorded(1)).seed_seq.generate_state(1)


class TestNumbers:
    def test_words_are_the_bits_in_order(self):
        raw = np.random.PCG64(1).random_raw(1000)
        assert (MTJBitGenerator(recorded(1000)).random_raw(1000) == raw).all()
        assert (generator(1000).integers(0, 2**64, 1000, np.uint64) == raw).all()
        halves = np.stack([raw >> np.uint64(32), raw & np.uint64(0xFFFFFFFF)], axis=1).ravel()
        assert (generator(1000).integers(0, 2**32, 2000, np.uint32) == halves).all()
        assert (generator(1000).random(1000) == (raw >> np.uint64(11)) * 2.0**-53).all()

    def test_same_numbers_as_the_generator_whose_bits_they_are(self):
        """PCG64 serves its 32-bit words low half first; everything made of 64-bit words agrees."""
        mine, its = generator(10_000), np.random.Generator(np.random.PCG64(1))
        for draw in ("standard_normal", "standard_exponential", "standard_cauchy"):
            np.testing.assert_array_equal(getattr(mine, draw)(500), getattr(its, draw)(500))

    def test_a_vector_of_bits_will_do(self):
        assert MTJBitGenerator([0, 1] * 32).random_raw() == 0x5555555555555555

    def test_biased_bits_stay_biased(self):
        """P(1) = 0.6: 20,000 words of 8 bits, mean 0.6 * 255 within 4.5 standard errors (7e-6)."""
        bits = (np.random.default_rng(4).random(160_000) < 0.6).astype(np.uint8)
        bytes_ = np.frombuffer(np.random.Generator(MTJBitGenerator(bits)).bytes(20_000), np.uint8)
        error = np.sqrt(0.24 * sum(4.0**k for k in range(8)) / 20_000)
        assert abs(bytes_.mean() - 153) < 4.5 * error

    def test_normal_numbers_are_normal(self):
        """Kolmogorov-Smirnov, 20,000 numbers of emulated fair bits: false alarm 1e-4."""
        assert stats.kstest(generator(30_000).standard_normal(20_000), "norm").pvalue > 1e-4


class TestRunningDry:
    @pytest.mark.parametrize(
        "draw",
        [
            lambda g: g.random(11),
            lambda g: g.integers(0, 5, 30),  # rejects values: must not loop for ever
            lambda g: g.integers(0, 5, 30, np.uint64),
            lambda g: g.standard_normal(100_000),
            lambda g: g.random(20, np.float32).sum() + g.random(),
            lambda g: g.permutation(100_000),
            lambda g: g.bytes(81),
            lambda g: g.multivariate_normal([0, 0], np.eye(2), 10_000),
            lambda g: g.bit_generator.random_raw(11),
        ],
    )
    def test_is_an_error_each_time(self, draw):
        rng = generator(10)
        for _ in range(3):
            with pytest.raises(StreamExhaustedError, match=r"run out: a number takes (32|64) bits, [0-9]+ are left"):
                draw(rng)

    def test_no_bit_is_lost_before(self):
        rng = generator(10)
        first = rng.random(10)
        with pytest.raises(StreamExhaustedError):
            rng.random()
        assert (first == generator(10).random(10)).all()
        assert rng.bit_generator.remaining == 0

    def test_a_short_word_is_served_from_the_end(self):
        bits = BitStream.from_bits(np.ones(64 + 32), "emulated", {})
        rng = np.random.Generator(MTJBitGenerator(bits))
        rng.random()
        with pytest.raises(StreamExhaustedError):
            rng.random()
        assert rng.integers(0, 2**32, dtype=np.uint32) == 2**32 - 1

    def test_in_another_thread(self):
        """The thread that asks gets the exception, and no other."""
        rng, caught = generator(10), []

        def work():
            try:
                rng.random(1000)
            except StreamExhaustedError as error:
                caught.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert len(caught) == 1


class TestRefills:
    def test_streams_join_without_a_gap(self):
        rest = [recorded(1000)[k : k + 8 * 777] for k in range(8 * 777, 64_000, 8 * 777)]
        rng = np.random.Generator(MTJBitGenerator(recorded(1000)[: 8 * 777], lambda: rest.pop(0) if rest else None))
        assert (rng.random(1000) == generator(1000).random(1000)).all()
        with pytest.raises(StreamExhaustedError):
            rng.random()

    def test_a_source_is_read_on_and_on(self):
        rng = np.random.Generator(MTJBitGenerator(NumpySource("pcg64", 1)))
        assert (rng.random(300_000) == generator(300_000).random(300_000)).all()
        with pytest.raises(ValueError, match="refills itself"):
            MTJBitGenerator(NumpySource("pcg64", 1), lambda: None)

    def test_a_finite_source_ends(self):
        rng = np.random.Generator(MTJBitGenerator(StreamSource(recorded(5))))
        with pytest.raises(StreamExhaustedError, match="no more bits: the stream has run out"):
            rng.random(6)

    def test_a_refill_that_fails(self):
        def refill():
            raise OSError("the board does not answer")

        rng = generator(1, refill=refill)
        rng.random()
        with pytest.raises(StreamExhaustedError, match="the board does not answer"):
            rng.random()


class TestState:
    def test_goes_back(self):
        rng = generator(100)
        rng.random(7)
        state = rng.bit_generator.state
        after = rng.random(20)
        for other in (rng, generator(3), pickle.loads(pickle.dumps(rng)), copy.deepcopy(rng)):
            other.bit_generator.state = state
            np.testing.assert_array_equal(other.random(20), after)
        with pytest.raises(ValueError, match="state must be"):
            rng.bit_generator.state = np.random.PCG64().state

    def test_not_to_before_a_refill(self):
        rng = np.random.Generator(MTJBitGenerator(recorded(2), lambda: recorded(2)))
        state = rng.bit_generator.state
        rng.random(3)
        with pytest.raises(InputError, match="before a refill"):
            rng.bit_generator.state = state

    def test_advances(self):
        rng = generator(100)
        rng.bit_generator.advance(10)
        np.testing.assert_array_equal(rng.random(5), generator(100).random(15)[10:])
        for delta in (-1, 86):
            with pytest.raises(InputError, match="85 are left"):
                rng.bit_generator.advance(delta)

    def test_cannot_spawn(self):
        with pytest.raises(TypeError, match="spawn"):
            MTJBitGenerator(recorded(1)).spawn(2)
