"""Tokens drawn with random bits: exact laws against enumeration and counting; the study; the command.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import csv
import itertools
import json

import numpy as np
import pytest
from scipy import stats

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import NumpySource, StreamSource
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.encodings.bit_reader import BitReader
from mtjspice.generative.tokens.model import ALPHABET, CharacterModel, character_model, decode, encode
from mtjspice.generative.tokens.samplers import (
    GumbelSampler,
    IntervalSampler,
    InverseCdfSampler,
    divergence,
    open_sampler,
)
from mtjspice.generative.tokens.study import TokenEffort, compare, context_logs, exact_cost
from mtjspice.generative.tokens.words import BitLaw

P = np.array([0.31, 0.02, 0.4, 0.0007, 0.2693])
LOGS = np.log(P)
QUICK = TokenEffort(texts=64, length=40, contexts=6, repeats=300)


def reader(text: str = "pcg64", seed: int = 1) -> BitReader:
    return BitReader(open_source(text, seed))


def read_bits(bits) -> BitReader:
    return BitReader(StreamSource(BitStream.from_bits(np.array(bits, np.uint8), "emulated", {})))


class TestBitLaw:
    @pytest.mark.parametrize(("ones", "memory"), [(0.5, 0.0), (0.55, 0.0), (0.5, 0.3), (0.6, -0.4), (0.3, 0.2)])
    def test_words_by_enumeration(self, ones, memory):
        """P(word) = P(first bit) times the product of P(bit | bit before)."""
        law = BitLaw(ones, memory)
        wanted = []
        for word in itertools.product((0, 1), repeat=5):
            chance = ones if word[0] else 1 - ones
            for before, bit in itertools.pairwise(word):
                one = ones * (1 - memory) + memory * before
                chance *= one if bit else 1 - one
            wanted.append(chance)
        np.testing.assert_allclose(law.words(5), wanted, atol=1e-15)
        assert law.below(2**5, 5) == 1
        assert law.below(0, 5) == 0

    @pytest.mark.parametrize("arguments", [(0.0,), (1.0,), (0.5, 1.0), (0.8, -0.5), (float("nan"),)])
    def test_bad_laws(self, arguments):
        with pytest.raises(InputError, match="must lie between"):
            BitLaw(*arguments)


class TestInverseCdf:
    @pytest.mark.parametrize("bits", [1, 3, 8, 13])
    @pytest.mark.parametrize("law", [BitLaw(), BitLaw(0.57), BitLaw(0.5, 0.3)])
    def test_law_by_enumeration(self, bits, law):
        u = (np.arange(2**bits) + 0.5) / 2**bits
        tokens = np.searchsorted(np.cumsum(P), u, side="right").clip(max=P.size - 1)
        wanted = np.bincount(tokens, law.words(bits), P.size)
        np.testing.assert_allclose(InverseCdfSampler(bits).law(LOGS, law), wanted, atol=1e-14)

    def test_draws_words_in_order(self):
        bits = [0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 0]
        drawn = InverseCdfSampler(4).draw(np.tile(LOGS, (4, 1)), read_bits(bits))
        u = (np.array([0, 15, 7, 2]) + 0.5) / 16
        assert drawn.tolist() == np.searchsorted(np.cumsum(P), u).tolist()

    def test_wide_words_are_nearly_exact(self):
        assert divergence(InverseCdfSampler(32).law(LOGS), P) < 1e-12


class TestInterval:
    def test_fair_bits_give_the_law(self):
        """100,000 tokens, chi-square with 4 degrees of freedom: false alarm 1e-4; bits within 5 standard errors."""
        source = NumpySource("pcg64", 3)
        bits = BitReader(source)
        sampler = IntervalSampler()
        drawn = sampler.draw(np.tile(LOGS, (100_000, 1)), bits)
        assert stats.chisquare(np.bincount(drawn, minlength=5), 100_000 * P).pvalue > 1e-4
        np.testing.assert_allclose(sampler.law(LOGS), P, atol=1e-14)

    def test_number_of_bits(self):
        """Less than entropy + 3; the mean of 20,000 tokens agrees to 5 standard errors (false alarm 6e-7)."""
        entropy = -(P * np.log2(P)).sum()
        sampler = IntervalSampler()
        assert entropy < sampler.bits_per_token(LOGS) < entropy + 3
        bits = reader()
        used = []
        for _ in range(200):
            before = bits.unread
            bits.fill(10_000, 10_000)
            before = bits.unread
            sampler.draw(np.tile(LOGS, (100, 1)), bits)
            used.append((before - bits.unread) / 100)
        error = np.std(used, ddof=1) / np.sqrt(len(used))
        assert abs(np.mean(used) - sampler.bits_per_token(LOGS)) < 5 * error

    def test_dyadic_probabilities_take_their_length(self):
        logs = np.log([0.5, 0.25, 0.125, 0.125])
        sampler = IntervalSampler()
        assert sampler.bits_per_token(logs) == pytest.approx(1.75)
        drawn = sampler.draw(np.tile(logs, (5, 1)), read_bits([0, 1, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]))
        assert drawn.tolist() == [0, 1, 2, 3, 0]

    def test_pieces_make_the_whole(self):
        rows = np.tile(LOGS, (500, 1))
        whole = IntervalSampler().draw(rows, reader())
        bits = reader()
        pieces = [IntervalSampler().draw(rows[:n], bits) for n in (1, 199, 300)]
        assert np.concatenate(pieces).tolist() == whole.tolist()

    def test_biased_bits(self):
        """Law of biased bits against 100,000 tokens from them: chi-square, false alarm 1e-4."""
        drawn = IntervalSampler().draw(np.tile(LOGS, (100_000, 1)), reader("emulated:fair,p=0.6", 5))
        law = IntervalSampler().law(LOGS, BitLaw(0.6))
        assert stats.chisquare(np.bincount(drawn, minlength=5), 100_000 * law).pvalue > 1e-4


class TestGumbel:
    @pytest.mark.parametrize("law", [BitLaw(), BitLaw(0.6)])
    def test_law_by_enumeration(self, law):
        """All words of three tokens of 4 bits, equal ones going to the first."""
        logs = np.log([0.5, 0.3, 0.2])
        noise = -np.log(-np.log((np.arange(16) + 0.5) / 16))
        weights = law.words(4)
        wanted = np.zeros(3)
        for words in itertools.product(range(16), repeat=3):
            wanted[np.argmax(logs + noise[list(words)])] += np.prod(weights[list(words)])
        np.testing.assert_allclose(GumbelSampler(4).law(logs, law), wanted, atol=1e-12)

    def test_equal_tokens_favour_the_first(self):
        law = GumbelSampler(2).law(np.log([0.5, 0.5]))
        assert law.tolist() == pytest.approx([10 / 16, 6 / 16])

    def test_draws_follow_the_law(self):
        """50,000 tokens of 6-bit words, chi-square: false alarm 1e-4."""
        sampler = GumbelSampler(6)
        drawn = sampler.draw(np.tile(LOGS, (50_000, 1)), reader(seed=9))
        law = sampler.law(LOGS)
        assert (
            stats.chisquare(
                np.bincount(drawn, minlength=5)[law > 1e-3], (50_000 * law)[law > 1e-3], sum_check=False
            ).pvalue
            > 1e-4
        )
        assert sampler.bits_per_token(LOGS) == 30

    def test_no_law_of_wide_words_or_of_memory(self):
        assert GumbelSampler(16).law(LOGS) is None
        assert GumbelSampler(6).law(LOGS, BitLaw(0.5, 0.1)) is None


@pytest.mark.parametrize("text", ["inverse-cdf:16", "interval", "gumbel:8"])
def test_running_dry_is_an_error(text):
    sampler = open_sampler(text)
    with pytest.raises(StreamExhaustedError):
        sampler.draw(np.tile(LOGS, (200, 1)), read_bits([0, 1] * 60))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nucleus", "unknown sampler 'nucleus'; available: gumbel, interval, inverse-cdf"),
        ("interval:3", "takes no argument"),
        ("inverse-cdf:0", "1 to 32 bits"),
        ("inverse-cdf:x", "as inverse-cdf:16, not 'x'"),
        ("gumbel:25", "1 to 24 bits"),
        ("gumbel:", "number of bits"),
    ],
)
def test_unknown_samplers(text, message):
    with pytest.raises(InputError, match=message):
        open_sampler(text)


class TestModel:
    def test_agrees_with_an_independent_network(self):
        """torch's own gated recurrent unit with the same parameters."""
        torch = pytest.importorskip("torch")
        a = {name: torch.from_numpy(value) for name, value in character_model().arrays.items()}
        unit = torch.nn.GRU(32, 160, batch_first=True).double()
        with torch.no_grad():
            unit.weight_ih_l0.copy_(a["input_weight"])
            unit.bias_ih_l0.copy_(a["input_bias"])
            unit.weight_hh_l0.copy_(a["state_weight"])
            unit.bias_hh_l0.copy_(a["state_bias"])
            codes = torch.from_numpy(encode("Names refer to objects."))
            out = unit(a["embedding"][codes][None])[0] @ a["score_weight"].T + a["score_bias"]
        _, logs = character_model().read("Names refer to objects.")
        np.testing.assert_allclose(logs[0], torch.log_softmax(out[0, -1], 0).numpy(), atol=1e-12)

    def test_knows_its_language(self):
        """Plain sentences take less than 3 bits a character; the same letters shuffled more than 5."""
        sentence = "If the object is a class instance, the method is called."
        shuffled = "".join(np.random.default_rng(0).permutation(list(sentence)))
        costs = []
        for text in (sentence, shuffled):
            states, logs = character_model().read("\n")
            bits = 0.0
            for character in encode(text):
                bits -= logs[0, character] / np.log(2)
                states, logs = character_model().step(states, np.array([character]))
            costs.append(bits / len(text))
        assert costs[0] < 3
        assert costs[1] > 5

    def test_alphabet(self):
        assert decode(encode("a~ \n")) == "a~ \n"
        assert len(ALPHABET) == 96
        with pytest.raises(InputError, match="character 2 of the text to begin with, 'é', is not ASCII"):
            encode("té")
        with pytest.raises(InputError, match="one character or more"):
            encode("")

    def test_wrong_parameters(self):
        arrays = dict(character_model().arrays)
        arrays["score_bias"] = np.zeros(95)
        with pytest.raises(InputError, match=r"'score_bias' must have the shape \(96,\), not \(95,\)"):
            CharacterModel(arrays)


class TestStudy:
    @pytest.mark.parametrize("name", ["inverse-cdf:16", "interval", "gumbel:12"])
    def test_good_bits_cost_nothing(self, name):
        """Within 4 standard errors: false alarm 6e-5 each."""
        (trial,) = compare([("pcg64", lambda seed: open_source("pcg64", seed))], open_sampler(name), QUICK).trials
        assert abs(trial.excess_sigmas) < 4
        assert abs(trial.chi_square_sigmas) < 4
        assert trial.distinct > 0.9

    def test_bad_bits_cost_something(self):
        sources = [
            (text, lambda seed, text=text: open_source(text, seed)) for text in ("emulated:fair,p=0.6", "lfsr:8")
        ]
        biased, register = compare(sources, open_sampler("inverse-cdf:16"), QUICK).trials
        assert biased.chi_square_sigmas > 6
        assert register.chi_square_sigmas < -5  # 255 words in turn: far too even

    def test_excess_of_biased_bits_is_that_of_the_exact_laws(self):
        """Surprise in excess of the entropy at the contexts: sum of (q - p) (-log2 p); within 5 standard errors."""
        model = character_model()
        row = context_logs(model, QUICK)[3]
        sampler, n = InverseCdfSampler(16), 200_000
        law = sampler.law(row, BitLaw(0.55))
        drawn = sampler.draw(np.broadcast_to(row, (n, row.size)), reader("emulated:fair,p=0.55", 4))
        surprise = -row[drawn] / np.log(2)
        assert abs(surprise.mean() - law @ -row / np.log(2)) < 5 * surprise.std() / np.sqrt(n)

    def test_exact_costs_fall_with_width_and_rise_with_bias(self):
        contexts = context_logs(character_model(), QUICK)
        costs = [exact_cost(InverseCdfSampler(width), contexts).divergence for width in (4, 8, 16)]
        assert costs[0] > 10 * costs[1] > 100 * costs[2]
        fair, biased, memory = (
            exact_cost(InverseCdfSampler(16), contexts, law).divergence
            for law in (BitLaw(), BitLaw(0.55), BitLaw(0.5, 0.1))
        )
        assert biased > 100 * fair
        assert memory > 100 * fair

    def test_numbers_repeat(self):
        calls = [
            compare([("lfsr:16", lambda seed: open_source("lfsr:16", seed))], IntervalSampler(), QUICK, seed).as_dict()
            for seed in (1, 1, 2)
        ]
        assert calls[0] == calls[1]
        assert calls[0]["sources"] != calls[2]["sources"]

    def test_a_recording_that_is_too_short(self):
        stream = NumpySource("pcg64", 1).stream(10_000)
        with pytest.raises(StreamExhaustedError):
            compare([("short", lambda _: StreamSource(stream))], IntervalSampler(), QUICK)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: TokenEffort(texts=0), "1 text"),
            (lambda: TokenEffort(length=10), "texts of 24 characters or more"),
            (lambda: TokenEffort(texts=2, length=30), "100 to 10000000 characters in all, not 2 texts of 30"),
            (lambda: TokenEffort(texts=10**22), "100 to 10000000 characters in all"),
            (lambda: TokenEffort(contexts=0), "1 to 1000 contexts, not 0"),
            (lambda: TokenEffort(repeats=10), "need 50 to 1000000 repeats, not 10"),
            (lambda: TokenEffort(prompt="ß"), "is not ASCII"),
            (lambda: compare([], IntervalSampler()), "one source or more"),
        ],
    )
    def test_bad_requests(self, call, message):
        with pytest.raises(InputError, match=message):
            call()


class TestCommand:
    ARGUMENTS = ("tokens", "--texts", "40", "--length", "30", "--contexts", "3", "--repeats", "100")

    def test_writes_what_it_prints(self, command_line, tmp_path):
        code, out, err = command_line(*self.ARGUMENTS, "--source", "pcg64", "--source", "lfsr:9", "--out", "d")
        assert (code, err) == (0, "")
        assert [line.split()[0] for line in out.splitlines()[1:3]] == ["pcg64", "lfsr:9"]
        result = json.loads((tmp_path / "d" / "result.json").read_text())
        table = list(csv.DictReader((tmp_path / "d" / "trials.csv").read_text().splitlines()))
        assert float(table[1]["excess"]) == result["sources"][1]["excess"]
        assert "--- lfsr:9\nThe " in (tmp_path / "d" / "texts.txt").read_text()
        assert (tmp_path / "d" / "figure.png").stat().st_size > 10_000

    def test_json(self, command_line):
        code, out, _ = command_line(*self.ARGUMENTS, "--source", "pcg64", "--sampler", "interval", "--json")
        assert code == 0
        result = json.loads(out)
        assert result["exact"]["divergence"] < 1e-12
        assert result["sources"][0]["bits_per_token"] == pytest.approx(result["entropy"] + 1, abs=1.5)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--source", "dice"), "unknown source 'dice'"),
            (("--source", "pcg64", "--source", "pcg64"), "may be given once"),
            (("--source", "pcg64", "--sampler", "top-k"), "unknown sampler"),
            (("--source", "pcg64", "--prompt", ""), "one character or more"),
        ],
    )
    def test_bad_requests(self, command_line, arguments, message):
        code, _, err = command_line(*self.ARGUMENTS, *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1
