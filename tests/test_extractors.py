"""Extractors: definitions, predictions against measurements and enumerations, sizes, and what is refused.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import hashlib
import itertools
import math

import numpy as np
import pytest

from mtjspice.bits.diagnostics import autocorrelation
from mtjspice.bits.extractors.catalogue import open_extractor
from mtjspice.bits.extractors.hashing import Sha256, Toeplitz
from mtjspice.bits.extractors.pairs import Peres, VonNeumann
from mtjspice.bits.extractors.parity import expected_sign
from mtjspice.bits.extractors.xor import WIRINGS, Xor, xor_streams
from mtjspice.bits.sources.emulated import EmulatedSource
from mtjspice.bits.sources.generators import NumpySource
from mtjspice.bits.stream import BitStream
from mtjspice.device.chain import ChainModel
from mtjspice.errors import InputError


def chain(p01, p10=None):
    first = np.atleast_1d(np.asarray(p01, float))
    return ChainModel(first, 1 - first if p10 is None else np.atleast_1d(np.asarray(p10, float)))


def random_stream(bits, seed=1, lanes=1):
    stream = NumpySource("pcg64", seed).stream(bits)
    return BitStream(stream.packed, bits, stream.origin, stream.provenance, lanes)


def stream_of(text, lanes=1):
    return BitStream.from_bits([int(c) for c in text], "emulated", {"seed": 1}, lanes)


def text_of(stream):
    return "".join(map(str, stream.bits().tolist()))


class TestXor:
    @pytest.mark.parametrize("k", [2, 3, 4, 7, 8, 13, 64])
    @pytest.mark.parametrize("length", [64, 65, 200, 1003, 4096])
    def test_wirings_are_what_they_say(self, k, length):
        stream = random_stream(length, lanes=1)
        bits, n = stream.bits(), length
        groups = n // k
        expected = {
            "consecutive": bits[: groups * k].reshape(groups, k).sum(axis=1) % 2,
            "lane": bits[: groups * k].reshape(groups, k).sum(axis=1) % 2,
            "sliding": np.array([bits[j : j + k].sum() % 2 for j in range(n - k + 1)]),
            "disjoint": bits[: groups * k].reshape(k, groups).sum(axis=0) % 2,
        }
        for wiring in WIRINGS:
            np.testing.assert_array_equal(Xor(k, wiring)(stream).bits(), expected[wiring], wiring)

    @pytest.mark.parametrize("lanes", [3, 5, 8, 16])
    def test_by_lane(self, lanes):
        stream = random_stream(lanes * 1000 + 2, lanes=lanes)
        found = Xor(3, "lane")(stream)
        expected = stream.table()[:999].reshape(333, 3, lanes).sum(axis=1) % 2
        np.testing.assert_array_equal(found.table(), expected)
        assert found.lanes == lanes

    def test_lanes_that_stay_together(self):
        assert Xor(2)(random_stream(64, lanes=4)).lanes == 2
        assert Xor(3)(random_stream(64, lanes=4)).lanes == 1
        assert Xor(2, "disjoint")(random_stream(64, lanes=4)).lanes == 4
        assert Xor(2, "sliding")(random_stream(64, lanes=4)).lanes == 1

    def test_streams(self):
        first, second = random_stream(100, 1), random_stream(90, 2)
        found = xor_streams([first, second])
        np.testing.assert_array_equal(found.bits(), first.bits()[:90] ^ second.bits())
        assert found.provenance["stream1_seed"] == 2
        with pytest.raises(InputError, match="two or more"):
            xor_streams([first])

    def test_residual_bias_of_independent_bits(self):
        """(-2)^(k-1) e^k, so 4 e^3 for three."""
        for e in (0.05, -0.1, 0.3):
            for k in (2, 3, 5):
                found = Xor(k).predict(chain(0.5 + e))
                assert found.bias == pytest.approx((-2) ** (k - 1) * e**k)
                assert found.autocorrelation == pytest.approx((0.0,) * 8, abs=1e-12)
        different = Xor(3).predict(chain([0.55, 0.4, 0.7]))
        assert different.bias == pytest.approx(4 * 0.05 * -0.1 * 0.2)

    def test_parities_by_enumeration(self):
        """All paths of one and of two chains."""
        model = chain([0.2, 0.6], [0.5, 0.3])
        one, two = chain(0.2, 0.5), chain(0.6, 0.3)
        for positions in ([0], [1, 3], [0, 4, 6], [2, 2], [0, 1, 2, 5]):
            expected = 1.0
            for lane, single in ((0, one), (1, two)):
                cycles = [p // 2 for p in positions if p % 2 == lane]
                total = 0.0
                for path in itertools.product((0, 1), repeat=4):
                    p = float(single.stationary()[0])
                    weight = p if path[0] else 1 - p
                    for a, b in itertools.pairwise(path):
                        up = float(single.p01[0]) if a == 0 else 1 - float(single.p10[0])
                        weight *= up if b else 1 - up
                    total += weight * (-1) ** sum(path[c] for c in cycles)
                expected *= total
            assert expected_sign(model, positions) == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("wiring", WIRINGS)
    @pytest.mark.parametrize("lanes", [1, 3, 4])
    def test_predictions_are_measured(self, wiring, lanes):
        """Bias and four correlations of about 1e6 outputs within 4.5 standard errors, inflated by memory (5e-5)."""
        rng = np.random.default_rng(3)
        model = chain(rng.uniform(0.3, 0.5, lanes), rng.uniform(0.3, 0.6, lanes))
        found = Xor(3, wiring)(EmulatedSource(model, 2).stream(3_000_001 - 2 * lanes))
        predicted = Xor(3, wiring).predict(model, 4)
        assert found.length / 3e6 == pytest.approx(predicted.rate, rel=1e-4)
        spread = math.sqrt((1 + 2 * sum(map(abs, predicted.autocorrelation))) / found.length)
        assert abs(found.ones_fraction - 0.5 - predicted.bias) < 4.5 * 0.5 * spread
        np.testing.assert_allclose(autocorrelation(found, 4), predicted.autocorrelation, atol=4.5 * 1.5 * spread)
        if wiring == "sliding":
            assert max(map(abs, predicted.autocorrelation)) > 0.003  # it correlates its output

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: Xor(1), "joins 2 to 64 bits, not 1"),
            (lambda: Xor(65), "joins 2 to 64 bits"),
            (lambda: Xor(3, "ring"), "unknown wiring of an XOR 'ring'"),
            (lambda: Xor(3)(stream_of("01")), "needs 3 bits, the stream has 2"),
            (lambda: Xor(3, "lane")(stream_of("01010", lanes=2)), "needs 6 bits, the stream has 5"),
        ],
    )
    def test_bad_requests(self, build, message):
        with pytest.raises(InputError, match=message):
            build()


class TestPairs:
    def test_von_neumann(self):
        assert text_of(VonNeumann()(stream_of("0110001110"))) == "011"
        assert text_of(VonNeumann()(stream_of("00110011"))) == ""

    @pytest.mark.parametrize("length", [2, 16, 1000, 65_538])
    def test_von_neumann_on_packed_bits(self, length):
        stream = random_stream(length)
        pairs = stream.bits().reshape(-1, 2)
        np.testing.assert_array_equal(VonNeumann()(stream).bits(), pairs[pairs[:, 0] != pairs[:, 1], 0])

    def test_each_device_by_itself(self):
        """Two constant devices give nothing; mixed, they would look perfectly random."""
        table = np.tile([0, 1], (100, 1))
        assert VonNeumann()(BitStream.from_lanes(table, "emulated", {})).length == 0
        assert VonNeumann()(BitStream.from_bits(table.ravel(), "emulated", {})).ones_fraction == 0

    def test_peres_by_hand(self):
        """x = 01 10 11 00 11 01: outputs 0 1 0; XORs 110001; equal pairs 101.

        Of 11 00 01: 0; XORs 001 -> pair 00: nothing, its XOR 0 and value 0 end there; equal 10: 1.
        Of 10 (1 dropped): 1; its XOR 1 ends there.
        """
        assert text_of(Peres(1)(stream_of("011011001101"))) == "010"
        assert text_of(Peres(8)(stream_of("011011001101"))) == "010" + "0" + "1" + "1"

    @pytest.mark.parametrize("p", [0.5, 0.3, 0.9])
    def test_outputs_are_uniform_given_their_number(self, p):
        """All sequences of 10 biased bits: outputs of equal length are equally likely (Peres' theorem)."""
        weight = {}
        for bits in itertools.product("01", repeat=10):
            text = "".join(bits)
            ones = text.count("1")
            out = text_of(Peres(6)(stream_of(text)))
            weight[out] = weight.get(out, 0.0) + p**ones * (1 - p) ** (10 - ones)
        for length in {len(out) for out in weight}:
            same = [w for out, w in weight.items() if len(out) == length]
            assert len(same) == 2**length
            np.testing.assert_allclose(same, same[0], rtol=1e-9)

    @pytest.mark.parametrize("extractor", [VonNeumann(), Peres(1), Peres(4), Peres(12)])
    @pytest.mark.parametrize("p", [0.5, 0.2])
    def test_rates(self, extractor, p):
        """Of 1e6 independent bits, within 0.3 %; fair within 4.5 standard errors (7e-6)."""
        model = chain(p)
        stream = EmulatedSource(model, 4).stream(1_000_000)
        found, predicted = extractor(stream), extractor.predict(model)
        assert found.length / 1e6 == pytest.approx(predicted.rate, rel=3e-3)
        assert abs(found.ones_fraction - 0.5) < 4.5 * 0.5 / math.sqrt(found.length)
        entropy = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
        assert predicted.rate < entropy
        if extractor == Peres(12):
            assert predicted.rate > 0.95 * entropy

    @pytest.mark.parametrize(("p01", "p10"), [(0.2, 0.3), (0.7, 0.9), (0.45, 0.6)])
    def test_von_neumann_of_a_chain_is_fair_but_correlated(self, p01, p10):
        """2e6 bits: rate within 0.5 %, bias and correlations within 4.5 standard errors with memory (5e-5)."""
        model = chain(p01, p10)
        found = VonNeumann()(EmulatedSource(model, 5).stream(2_000_000))
        predicted = VonNeumann().predict(model, 4)
        assert found.length / 2e6 == pytest.approx(predicted.rate, rel=5e-3)
        spread = math.sqrt((1 + 2 * sum(map(abs, predicted.autocorrelation))) / found.length)
        assert abs(found.ones_fraction - 0.5) < 4.5 * 0.5 * spread
        np.testing.assert_allclose(autocorrelation(found, 4), predicted.autocorrelation, atol=4.5 * 1.5 * spread)
        assert abs(predicted.autocorrelation[0]) > 0.01

    def test_prediction_of_stuck_devices(self):
        assert VonNeumann().predict(chain(1.0, 0.0)).rate == 0
        with pytest.raises(NotImplementedError, match="independent"):
            Peres(3).predict(chain(0.2, 0.3))

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: VonNeumann()(stream_of("011")), "has 3 bits; take an even number of them, such as 2 in all"),
            (lambda: VonNeumann()(stream_of("010101", lanes=2)), "each of the 2 lanes has 3 bits.*such as 4"),
            (lambda: Peres()(stream_of("1")), "has 1 bits"),
            (lambda: Peres(0), "between 1 and 32, not 0"),
        ],
    )
    def test_bad_requests(self, build, message):
        with pytest.raises(InputError, match=message):
            build()


class TestToeplitz:
    @pytest.mark.parametrize(
        ("block", "outputs"), [(1, 1), (8, 8), (13, 5), (64, 64), (100, 37), (1001, 333), (1024, 850)]
    )
    def test_is_the_product_of_its_matrix(self, block, outputs):
        extractor = Toeplitz(block, outputs, 3)
        matrix = extractor.matrix()
        assert (matrix[1:, 1:] == matrix[:-1, :-1]).all()
        stream = random_stream(20 * block + block // 2)
        x = stream.bits()[: 20 * block].reshape(20, block).astype(int)
        expected = (x @ matrix.T.astype(int) % 2).ravel()
        for direct in (True, False):
            packed, length, _ = extractor.extract(stream, direct)
            np.testing.assert_array_equal(np.unpackbits(packed, count=length), expected)

    def test_large_blocks(self):
        """Both methods agree where sums are in the ten thousands."""
        extractor, stream = Toeplitz(60_001, 50_003, 3), random_stream(120_002)
        by_table, by_transform = (extractor.extract(stream, direct) for direct in (True, False))
        assert by_table[1] == 2 * 50_003
        np.testing.assert_array_equal(by_table[0], by_transform[0])

    def test_is_linear(self):
        extractor = Toeplitz(100, 60, 3)
        a, b = random_stream(500, 1), random_stream(500, 2)
        both = extractor(xor_streams([a, b])).bits()
        np.testing.assert_array_equal(both, extractor(a).bits() ^ extractor(b).bits())

    def test_size_by_the_leftover_hash_lemma(self):
        assert Toeplitz.sized(1024, 0.9, 2**-32).outputs == math.floor(1024 * 0.9) - 64
        assert Toeplitz.sized(1024, 1.0, 0.5).outputs == 1022
        bound = Toeplitz.sized(4096, 0.5, 2**-20).predict(chain(2**-0.5))
        assert bound.bound == pytest.approx(2**-20, rel=0.5)

    def test_hashes_a_biased_chain_to_fair_bits(self):
        """p01 = 0.4, p10 = 0.35: bias and lag-1 correlation of 8e5 output bits within 4.5 standard errors (1e-5)."""
        model = chain(0.4, 0.35)
        extractor = Toeplitz.sized(2048, 0.6)
        found = extractor(EmulatedSource(model, 6).stream(1_500_000))
        spread = 1 / math.sqrt(found.length)
        assert abs(found.ones_fraction - 0.5) < 4.5 * 0.5 * spread
        assert abs(autocorrelation(found, 1)[0]) < 4.5 * spread
        assert extractor.predict(model).bound < 2**-32

    def test_seed_bits_of_ones_own(self):
        key = random_stream(12, 5)
        extractor = Toeplitz(8, 5, seed_bits=key)
        np.testing.assert_array_equal(extractor.key, key.bits())
        assert Toeplitz(8, 5, 1).key.tolist() != Toeplitz(8, 5, 2).key.tolist()

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: Toeplitz(8, 9), "1 to block = 8 rows"),
            (lambda: Toeplitz(8, 0), "1 to block = 8 rows"),
            (lambda: Toeplitz(8, 5, seed_bits=stream_of("01")), "needs 12 seed bits, not 2"),
            (lambda: Toeplitz.sized(64, 0.9), "must be longer than 71 bits"),
            (lambda: Toeplitz.sized(64, 1.2), "between 0 and 1 bit per bit, not 1.2"),
            (lambda: Toeplitz.sized(64, 0.9, 0), "epsilon must lie between 0 and 1"),
            (lambda: Toeplitz(8, 5)(stream_of("0101")), "needs 8 bits, the stream has 4"),
        ],
    )
    def test_bad_requests(self, build, message):
        with pytest.raises(InputError, match=message):
            build()


class TestSha256:
    def test_hashes_blocks(self):
        stream = random_stream(8 * 100)
        data = stream.packed.tobytes()
        expected = b"".join(hashlib.sha256(data[k : k + 32]).digest() for k in (0, 32, 64))
        assert Sha256(256)(stream).packed.tobytes() == expected
        odd = Sha256(13)(stream_of("1" * 26)).packed.tobytes()
        assert odd == 2 * hashlib.sha256(b"\xff\xf8").digest()

    def test_output_entropy_of_sp_800_90b(self):
        """Section 3.1.5.1.2: small input entropy passes through; twice the width gives nearly full entropy."""
        assert Sha256(512).output_entropy(0.1) == pytest.approx(51.2, abs=1e-6)
        assert Sha256(512).output_entropy(1.0) == pytest.approx(256, abs=1e-6)
        worst = math.log2(1 + math.sqrt(512 * math.log(2)))  # of the outputs that inputs crowd upon
        assert Sha256(256).output_entropy(1.0) == pytest.approx(256 - worst)
        # the formula in exact arithmetic
        from fractions import Fraction

        n_in, h = 320, 300
        high = Fraction(1, 2**h)
        low = (1 - high) / (2**n_in - 1)
        psi = 2 ** (n_in - 256) * low + high
        omega = (2 ** (n_in - 256) + Fraction(math.sqrt(2 * 256 * 2 ** (n_in - 256) * math.log(2)))) * low
        assert Sha256(n_in).output_entropy(h / n_in) == pytest.approx(-math.log2(max(psi, omega)), rel=1e-12)

    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: Sha256(0), "1 to"),
            (lambda: Sha256(8)(stream_of("0101")), "blocks of 8 bits, the stream has 4"),
            (lambda: Sha256().output_entropy(0), "between 0 and 1"),
        ],
    )
    def test_bad_requests(self, build, message):
        with pytest.raises(InputError, match=message):
            build()


class TestByName:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("xor", Xor(3)),
            ("xor:5,wiring=sliding", Xor(5, "sliding")),
            ("von-neumann", VonNeumann()),
            ("peres", Peres(8)),
            ("peres:3", Peres(3)),
            ("sha256:1024", Sha256(1024)),
            ("toeplitz:512,outputs=100", Toeplitz(512, 100, 7)),
            ("toeplitz:1024,min-entropy=0.9", Toeplitz.sized(1024, 0.9, 2**-32, 7)),
            ("toeplitz:1024,min-entropy=0.9,epsilon=1e-3", Toeplitz.sized(1024, 0.9, 1e-3, 7)),
        ],
    )
    def test_builds(self, text, expected):
        assert open_extractor(text, 7) == expected

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("rot13", "unknown extractor 'rot13'; available: peres, sha256, toeplitz, von-neumann, xor"),
            ("von-neumann:3", "expected von-neumann"),
            ("toeplitz:1024", "takes the min-entropy of its input"),
            ("toeplitz:1024,min-entropy=0.9,outputs=5", "takes the min-entropy of its input"),
            ("toeplitz:1024,seed=5", "unknown setting"),
            ("xor:3,lanes=2", "unknown setting of the extractor xor 'lanes'"),
        ],
    )
    def test_refuses(self, text, message):
        with pytest.raises(InputError, match=message):
            open_extractor(text)

    def test_provenance_tells_the_chain(self):
        stream = random_stream(10_000)
        for text in ("xor:3", "von-neumann"):
            stream = open_extractor(text)(stream[: stream.length // 2 * 2])
        assert stream.provenance["conditioning"] == "xor:3,wiring=consecutive + von-neumann"
        assert stream.origin == "pseudo-random"
