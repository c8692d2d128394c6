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

    @pytest.mark.parametrize(
        ("method", "arguments"),
        [
            ("beta", (2, 3)), ("binomial", (100, 0.4)), ("binomial", (5, 0.4)), ("bytes", (9,)), ("chisquare", (3,)),
            ("choice", (10,)), ("choice", (10, 3, False)), ("choice", (4, 2, True, [0.1, 0.2, 0.3, 0.4])),
            ("dirichlet", ([1.0, 2.0],)), ("exponential", ()), ("f", (3, 4)), ("gamma", (2.0,)), ("geometric", (0.3,)),
            ("gumbel", ()), ("hypergeometric", (10, 10, 5)), ("integers", (7,)), ("laplace", ()), ("logistic", ()),
            ("lognormal", ()), ("logseries", (0.4,)), ("multinomial", (10, [0.4, 0.6])),
            ("multivariate_hypergeometric", ([5, 5], 3)), ("negative_binomial", (3, 0.4)), ("noncentral_f", (3, 4, 1)),
            ("noncentral_chisquare", (3, 1)), ("normal", ()), ("pareto", (2,)), ("permutation", (5,)),
            ("permuted", (np.arange(5),)), ("poisson", (3,)), ("poisson", (30,)), ("power", (2,)), ("random", ()),
            ("rayleigh", ()), ("shuffle", (np.arange(5),)), ("shuffle", (list(range(5)),)),
            ("standard_cauchy", ()), ("standard_exponential", ()), ("standard_gamma", (2,)), ("standard_normal", ()),
            ("standard_t", (3,)), ("triangular", (0, 1, 2)), ("uniform", ()), ("vonmises", (0, 1)), ("wald", (1, 1)),
            ("weibull", (2,)), ("zipf", (2,)),
        ],
    )  # fmt: skip
    def test_no_method_returns_without_bits(self, method, arguments):
        with pytest.raises(StreamExhaustedError):
            getattr(generator(0), method)(*arguments)
        legacy = np.random.RandomState(MTJBitGenerator(recorded(0)))
        if hasattr(legacy, method) and method not in ("integers", "permuted"):
            with pytest.raises(StreamExhaustedError):
                getattr(legacy, method)(*arguments)

    def test_nothing_escapes_through_loops_in_c(self):
        for consume in (
            lambda g, kept: kept.extend(map(g.random, [None] * 30)),
            lambda g, kept: kept.extend(iter(g.random, 2.0)),
            lambda g, kept: [*zip(map(kept.append, map(g.random, [None] * 30)), range(99), strict=False)],
        ):
            kept = []
            with pytest.raises(StreamExhaustedError):
                consume(generator(10), kept)
            assert kept == generator(10).random(10).tolist()

    def test_two_generators_do_not_disturb_each_other(self):
        dry, endless = generator(0), np.random.Generator(MTJBitGenerator(NumpySource("pcg64", 5)))
        with pytest.raises(StreamExhaustedError):
            [*zip(map(dry.random, [None]), map(endless.random, [None]), strict=True)]
        assert endless.random() == np.random.Generator(np.random.PCG64(5)).random()

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
        np.testing.assert_array_equal(rng.random(5), generator(5).random(5))
        with pytest.raises(StreamExhaustedError, match="run out"):
            rng.random()

    def test_a_refill_that_fails(self):
        def refill():
            raise OSError("the board does not answer")

        rng = generator(1, refill=refill)
        rng.random()
        with pytest.raises(StreamExhaustedError, match="the board does not answer"):
            rng.random()

    @pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit, RuntimeError])
    def test_what_interrupts_a_refill_ends_the_draw(self, stop):
        def refill():
            raise stop("enough")

        rng = generator(1, refill=refill)
        for _ in range(2):
            with pytest.raises(StreamExhaustedError if stop is RuntimeError else stop, match="enough") as caught:
                rng.random(3)
        if stop is RuntimeError:
            assert isinstance(caught.value.__cause__, RuntimeError)

    def test_an_interrupt_from_outside_is_not_lost(self):
        """SIGINT while a source computes: KeyboardInterrupt, or at worst an exception that says the bits ran out."""
        import os
        import signal

        class Slow(NumpySource):
            def stream(self, bits):
                os.kill(os.getpid(), signal.SIGINT)
                return super().stream(bits)

        rng = np.random.Generator(MTJBitGenerator(Slow("pcg64", 1)))
        handler = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with pytest.raises((KeyboardInterrupt, StreamExhaustedError)):
                rng.random(10)
        finally:
            signal.signal(signal.SIGINT, handler)

    def test_vectors_will_do(self):
        rng = np.random.Generator(MTJBitGenerator([1] * 64, lambda: [0] * 64))
        assert rng.integers(0, 2**64, 3, np.uint64).tolist() == [2**64 - 1, 0, 0]

    def test_copies_of_an_endless_generator_go_their_own_ways(self):
        rng = np.random.Generator(MTJBitGenerator(NumpySource("pcg64", 1)))
        rng.random(10)
        other = copy.deepcopy(rng)
        np.testing.assert_array_equal(rng.random(200_000), other.random(200_000))


class TestState:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"position": -64}, "position -64"),
            ({"position": 10**9}, "outside its 800 bytes"),
            ({"packed": np.ones(5)}, "uint8 vector"),
            ({"packed": None}, "uint8 vector"),
        ],
    )
    def test_nonsense_is_refused(self, change, message):
        bits = MTJBitGenerator(recorded(100))
        with pytest.raises(ValueError, match=message):
            bits.state = {**bits.state, **change}
        with pytest.raises(ValueError, match="lacks the entry 'position'"):
            bits.state = {"bit_generator": "MTJBitGenerator", "packed": np.ones(8, np.uint8)}
        with pytest.raises(ValueError, match="initialised once"):
            bits.__init__(recorded(3))

    def test_bits_of_others_are_copied(self):
        bits, packed = MTJBitGenerator(recorded(1)), np.full(16, 255, np.uint8)
        bits.state = {"bit_generator": "MTJBitGenerator", "packed": packed, "position": 0, "refills": 0}
        packed[:] = 0
        assert bits.random_raw() == 2**64 - 1

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
