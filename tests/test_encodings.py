"""Encodings of noise words: exact laws, sampled frequencies, and the names they are asked for by.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import NumpySource, StreamSource
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.cells import Imperfections
from mtjspice.generative.encodings.base import word_format
from mtjspice.generative.encodings.catalogue import AVAILABLE, KINDS, encoding_of, open_noise
from mtjspice.generative.encodings.comparator import decided
from mtjspice.generative.encodings.comparison import by_imperfection, by_pulses, by_width, device_laws
from mtjspice.generative.encodings.plain import Popcount, QuantileWords, SummedWords, UniformWords
from mtjspice.generative.encodings.programmed import ProductWords, TreeWords
from mtjspice.generative.encodings.toggled import ToggleWords
from mtjspice.generative.law import Law, autocorrelation
from mtjspice.generative.words import gaussian_marginals, word_law

EXACT = (
    "inverse-cdf:6", "tree:4", "tree:8", "tree:7,code=sign,integer=1", "tree:8,dp=0.02", "product:8", "product:12",
    "product:6,dp=-0.01,spread=0.03,stuck=0.1,lanes=3", "tree:6,spread=0.03,lanes=4", "toggle:8,pulses=16",
    "toggle:6,pulses=12,target=4", "toggle:5,pulses=3,spread=0.02,lanes=2,rho=0.2", "toggle:8,pulses=4,rate=0.3",
    "sum:4,words=3", "sum:4,of=product,words=2,dp=0.01", "popcount:64", "popcount:37",
)  # fmt: skip


def agreement(numbers, law):
    """p-value of the chi-squared test over the cells of a law, rare ones joined to 20 expected."""
    index = np.searchsorted(law.values, numbers - 1e-9)
    np.testing.assert_allclose(law.values[index], numbers, atol=1e-9)
    expected = law.probabilities * numbers.size
    group = np.floor(np.cumsum(expected) / 20).astype(int)
    expected, seen = np.bincount(group, expected), np.bincount(group[index], minlength=group.max() + 1)
    used = expected > 0
    assert seen[~used].sum() == 0
    if expected[used][-1] < 5:  # the last one is what is left over
        expected[-2:], seen[-2:] = expected[-2:].sum() / 2, seen[-2:].sum() / 2
    return stats.chisquare(seen[used], expected[used] * seen.sum() / expected.sum()).pvalue


class TestLaws:
    @pytest.mark.parametrize("text", EXACT)
    def test_numbers_follow_the_law_of_their_device(self, text):
        """50,000 numbers, chi-squared: false alarm 1e-4 each."""
        noise = open_noise(text, NumpySource("pcg64", 11), 3)
        assert agreement(noise.normal((50_000,)), noise.law()) > 1e-4

    @pytest.mark.parametrize(
        "text", ["inverse-cdf:6", "tree:6", "product:6", "toggle:6,pulses=5", "popcount:20", "sum:4"]
    )
    def test_biased_bits_distort_as_predicted(self, text):
        """50,000 numbers of bits with 52 % ones, chi-squared: false alarm 1e-4; those of fair bits are refuted."""
        encoding = encoding_of(text)
        numbers = encoding.draw(open_source("emulated:fair,p=0.52", 3), 50_000)
        if not text.startswith("sum"):
            assert agreement(numbers, encoding.law(0.52)) > 1e-4
        assert agreement(numbers, encoding.law()) < 1e-6

    def test_bits_per_number_is_what_is_taken(self):
        """10,000 numbers: cells cost 2 bits with a variance of 2 each; 5 sigmas, false alarm 6e-7."""
        for text in (
            "tree:8",
            "product:8,rho=0.2",
            "toggle:6,pulses=4",
            "toggle:6,pulses=4,rate=0.3,reset=no",
            "sum:8",
        ):
            stream = NumpySource("pcg64", 2).stream(4_000_000)
            source = StreamSource(stream)
            noise = open_noise(text, source)
            for _ in range(200):  # what is read ahead is at most what a piece takes
                noise.normal((50,))
            taken = (4_000_000 - source.available(4_000_000)) / 10_000
            expected = noise.bits_per_number
            assert abs(taken - expected) < 5 * math.sqrt(expected / 10_000) + 50 / 10_000 * expected + 64 / 10_000

    @pytest.mark.parametrize("bits", range(4, 17))
    def test_trees_are_exactly_normal_in_their_cells(self, bits):
        for code in ("offset", "sign"):
            law = TreeWords(bits, code=code).law()
            assert law.distances().total_variation < 1e-13
            assert law.distances().kl_bits < 1e-12
        table = TreeWords(bits, code="sign").table()
        outermost = [2**i - 1 + prefix for i in range(1, bits) for prefix in (2 ** (i - 1) - 1, 2**i - 1)]
        assert np.delete(table, outermost).max() == pytest.approx(0.5)

    def test_product_words_are_those_of_the_formula(self):
        values, pmf = word_law(gaussian_marginals())
        law = ProductWords(8).law()
        np.testing.assert_array_equal(law.values, values)
        np.testing.assert_allclose(law.probabilities, pmf, atol=1e-15)

    def test_offset_moves_the_mean_of_a_tree(self):
        """The bits of an offset code all push the same way: 5 % of a standard deviation for 1 %."""
        assert TreeWords(8, cells=Imperfections(dp=0.01)).law().mean == pytest.approx(0.0513, abs=1e-4)
        assert abs(TreeWords(8, cells=Imperfections(dp=0.01), code="sign").law().mean) < 0.02

    @pytest.mark.parametrize("encoding", [ProductWords, TreeWords, ToggleWords])
    def test_mean_law_is_the_mean_over_devices(self, encoding):
        """400 devices: mean probability of each of 32 codes within 5.5 standard errors."""
        words = encoding(bits=5, cells=Imperfections(spread=0.05, dp=0.01, stuck=0.05))
        devices = np.array([law.probabilities for law in device_laws(words, 400)])
        error = devices.std(axis=0) / math.sqrt(400)
        assert (np.abs(devices.mean(axis=0) - words.law().probabilities) < 5.5 * error).all()

    def test_memory_keeps_product_words_and_widens_trees(self):
        flaws = Imperfections(rho=0.3)
        assert ProductWords(8, cells=flaws).law().standard_deviation == pytest.approx(1.0441, abs=1e-4)
        assert TreeWords(8, cells=flaws).law().standard_deviation == pytest.approx(1.3305, abs=1e-4)

    def test_unreset_words_decay_to_uniform_and_are_correlated(self):
        """Signs are fair each time, magnitudes remember: autocorrelation of 100,000 within 5 / sqrt(100,000)."""
        words = ToggleWords(4, pulses=4, target=2, reset=False)
        noise = open_noise("toggle:4,pulses=4,target=2,reset=no", NumpySource("pcg64", 1))
        signed = noise.normal((100_000,))
        numbers = np.abs(signed)
        expected = autocorrelation(words.matrices(), np.abs(words.values()), [1, 2], pulses=4)
        assert expected[0] > 0.3
        assert autocorrelation(words.matrices(), words.values(), 1, pulses=4)[0] == pytest.approx(0, abs=1e-15)
        assert abs(np.corrcoef(signed[:-1], signed[1:])[0, 1]) < 0.016
        for lag in (1, 2):
            seen = np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]
            assert abs(seen - expected[lag - 1]) < 0.016
        np.testing.assert_allclose(words.law().probabilities, 1 / 16)

    def test_asymmetric_flips_have_the_gaussian_as_their_stationary_law(self):
        words = ToggleWords(8, pulses=1, reset=False, rate=0.2)
        np.testing.assert_allclose(words.law().probabilities, ProductWords(8).law().probabilities, atol=1e-15)

    def test_sum_of_uniform_words_keeps_its_tails(self):
        """Running means against direct convolution, to a relative 1e-11 even at the outermost value."""
        direct = np.ones(1)
        for _ in range(5):
            direct = np.convolve(direct, np.full(16, 1 / 16))
        np.testing.assert_allclose(SummedWords(UniformWords(4), 5).law().probabilities, direct, rtol=1e-11)
        assert SummedWords(UniformWords(16), 12).law().distances().kl_bits == pytest.approx(3.9e-4, rel=0.02)

    def test_what_has_no_exact_law_says_so(self):
        drifting = Imperfections(drift=1e-4)
        for words in (ProductWords(cells=drifting), TreeWords(cells=drifting), ToggleWords(cells=drifting)):
            assert words.law() is None
            assert words.open(NumpySource("pcg64", 1)).law() is None
        assert TreeWords(cells=Imperfections(rho=0.1, spread=0.1)).law() is None
        assert ToggleWords(rate=0.2, cells=Imperfections(spread=0.1)).law() is None
        assert SummedWords(ProductWords(8, cells=Imperfections(rho=0.1)), 2).law() is None
        assert SummedWords(ProductWords(14), 2).law() is None

    def test_comparisons(self):
        best = min(by_pulses(8, 16), key=lambda one: one.kl_bits)
        assert best.x == 16
        found = {(one.encoding, one.x): one for one in by_width((4, 8, 10))}
        assert found["inverse CDF", 8].kl_bits < found["inverse CDF", 4].kl_bits
        assert found["popcount", 10].excess_kurtosis == pytest.approx(-0.2)
        worse = by_imperfection("spread", (0.0, 0.05), 6, 20)
        assert worse[0].mean_spread == 0 < worse[-1].mean_spread
        with pytest.raises(InputError, match="unknown imperfection"):
            by_imperfection("age", (0.1,))


class TestCatalogue:
    def test_everything_is_described(self):
        assert [one.usage.split(":")[0] for one in AVAILABLE] == list(KINDS)
        assert all(one.text and "\n" not in one.text for one in AVAILABLE)

    @pytest.mark.parametrize(
        "text", [*EXACT, "tree:6,rho=0.3,drift=1e-4,lanes=5,spread=0.1", "inverse-cdf:8", "toggle:6,reset=no"]
    )
    def test_pieces_make_the_whole(self, text):
        whole = open_noise(text, NumpySource("pcg64", 1), 2).normal((3, 70))
        source = open_noise(text, NumpySource("pcg64", 1), 2)
        pieces = np.concatenate([source.normal((n,)) for n in (1, 0, 69, 140)])
        np.testing.assert_array_equal(pieces, whole.ravel())

    @pytest.mark.parametrize("text", [*EXACT, "inverse-cdf:8"])
    def test_running_dry_is_an_error(self, text):
        noise = open_noise(text, StreamSource(NumpySource("pcg64", 1).stream(6400)), 1)
        count = int(0.7 * 6400 / noise.bits_per_number)
        assert noise.normal((count,)).shape == (count,)
        with pytest.raises(StreamExhaustedError):
            noise.normal((count,))

    def test_seed_makes_the_device_and_bits_the_rest(self):
        def numbers(seed, bits, text="product:8,spread=0.05"):
            return open_noise(text, NumpySource("pcg64", bits), seed).normal((200,))

        np.testing.assert_array_equal(numbers(1, 1), numbers(1, 1))
        assert not np.array_equal(numbers(1, 1), numbers(2, 1))
        np.testing.assert_array_equal(numbers(1, 1, "product:8"), numbers(2, 1, "product:8"))
        assert not np.array_equal(numbers(1, 1, "product:8"), numbers(1, 2, "product:8"))

    def test_provenance_and_label(self):
        noise = open_noise("tree:8,dp=0.01,spread=0.02", NumpySource("pcg64", 5), 7)
        assert noise.label == "tree:8,dp=0.01,spread=0.02"
        assert dict(noise.provenance) == {
            "source": "pcg64", "seed": 5, "encoding": "tree:8,dp=0.01,spread=0.02", "dp": 0.01, "spread": 0.02,
            "cell_seed": 7,
        }  # fmt: skip

    def test_named_encodings(self):
        assert encoding_of("inverse-cdf:9") == QuantileWords(9)
        assert encoding_of("popcount:100") == Popcount(100)
        assert encoding_of("toggle:6,pulses=4,target=8,reset=no") == ToggleWords(6, 4, 8, False)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("gauss:8", "unknown noise word 'gauss'; available: inverse-cdf"),
            ("tree", "expected tree:BITS"),
            ("tree:8,colour=1", "unknown setting of the noise word tree 'colour'"),
            ("tree:3", "4 to 16 bits, not 3"),
            ("product:17", "4 to 16 bits, not 17"),
            ("inverse-cdf:17", "4 to 16 bits, not 17"),
            ("sum:2", "4 to 16 bits, not 2"),
            ("tree:8,dp=nan", "dp"),
            ("tree:8,dp=1.5", "between -1 and 1"),
            ("tree:8,rho=1", "memory rho"),
            ("tree:8,code=gray", "unknown code of a tree"),
            ("tree:8,integer=5", "0 to 4 integer bits, not 5"),
            ("toggle:8,pulses=0", "pulses of a toggle word must be 1 to 100000, not 0"),
            ("toggle:8,rate=0", "rate of a toggle word"),
            ("toggle:8,rate=0.1,target=4", "a target or a rate"),
            ("toggle:8,reset=maybe", "unknown reset of a toggle word"),
            ("sum:8,words=0", "1 to 1024 words, not 0"),
            ("sum:8,dp=0.1", "no programmed cells"),
            ("popcount:2", "4 to 65536 bits, not 2"),
            ("tree:8,calibrated=perhaps", "is not yes, no, law or a number"),
            ("tree:8,calibrated=10", "1000 numbers or more, not 10"),
            ("tree:8,drift=0.1,calibrated=law", "no exact law"),
        ],
    )
    def test_bad_input_is_one_line(self, text, message):
        with pytest.raises(InputError, match=message) as caught:
            open_noise(text, NumpySource("pcg64", 1))
        assert "\n" not in str(caught.value)

    def test_recordings_without_bits(self):
        empty = StreamSource(BitStream.from_bits([], "unknown", {}))
        assert open_noise("tree:8", empty).normal((0,)).shape == (0,)
        with pytest.raises(StreamExhaustedError):
            open_noise("tree:8", empty).normal((1,))

    def test_uniform_words_have_unit_variance(self):
        for bits in (4, 16):
            law = UniformWords(bits).law()
            assert isinstance(law, Law)
            assert law.standard_deviation == pytest.approx(1)


@pytest.mark.parametrize("text", ["sum:4,words=3", "sum:8,words=12", "sum:6,words=4,of=product"])
def test_sums_are_numbers_of_their_law(text):
    """To the last bit, so that they can be counted."""
    noise = open_noise(text, open_source("pcg64", 1), 1)
    assert np.isin(np.unique(noise.normal((5000,))), noise.law().values).all()


def test_law_of_different_cells_and_biased_bits():
    """Mean over 20,000 quantiles of the spread, as an independent sum; to 2e-4 of total variation."""
    cells = ndtri((np.arange(20_000) + 0.5) / 20_000) * 0.05
    ones = 0.4
    encoding = encoding_of("product:6,spread=0.05")
    wanted = np.ones(1)
    for p in encoding.table():
        one = decided(np.clip(p + cells, 0, 1), ones).mean()
        wanted = np.kron(wanted, [1 - one, one])
    law = encoding.law(ones)
    order = np.argsort(encoding.values())
    assert np.abs(law.probabilities - wanted[order]).sum() / 2 < 2e-4


@pytest.mark.parametrize("text", ["toggle:16", "toggle:8,integer=1", "toggle:4,integer=0"])
def test_toggled_cells_reach_one_half_at_most(text):
    """A narrow range wants its upper half more often than that."""
    words = encoding_of(text)
    wanted = np.concatenate([[0.5], gaussian_marginals(word_format(words.bits, words.integer_bits))[::-1]])
    assert wanted.max() > 0.5
    flip, back = words.probabilities()
    assert np.array_equal(flip, back)
    ones = (1 - (1 - 2 * flip) ** words.pulses) / 2
    assert ones == pytest.approx(np.minimum(wanted, 0.5), abs=1e-9)
    assert words.law().mean == pytest.approx(0, abs=1e-9)
