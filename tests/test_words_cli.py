"""The commands about noise words; what needs the simulator is in test_word_program.py."""

import json

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.generative import pulse_program as programs
from mtjspice.generative.encodings.catalogue import encoding_of, open_noise
from mtjspice.generative.encodings.measured import measured_words
from mtjspice.generative.encodings.switching_curve import SwitchingCurve

VOLTS = np.linspace(0.7, 1.3, 33)
CURVE = SwitchingCurve(
    "voltage", 8.94e-10, VOLTS, 1 / (1 + np.exp(-(VOLTS - 0.986) / 0.038)), 1 / (1 + np.exp(-(VOLTS - 0.98) / 0.038))
)


def result(path, encoding="product:4", ones=(52, 4, 25, 41), words=100):
    """The part of a result.json that a measured law is made of."""
    found = {
        "program": {"encoding": encoding}, "words": words, "format": {"bits": len(ones), "integer_bits": 2},
        "bits": [{"bit": bit, "ones": one} for bit, one in enumerate(ones)],
    }  # fmt: skip
    path.write_text(json.dumps(found))
    return path


def written_program(path, encoding="product:4", **options):
    """A program of an assumed switching curve; none is computed."""
    path.write_text(json.dumps(programs.pulse_program("meram100", encoding, curve=CURVE, **options).as_dict()))
    return path


class TestLaws:
    def test_every_encoding_is_listed(self, command_line):
        code, out, _ = command_line("words", "list", "--json")
        assert code == 0
        usages = [one["usage"] for one in json.loads(out)]
        assert {"tree:BITS", "product:BITS", "toggle:BITS", "measured:FILE"} <= set(usages)
        assert "product:BITS" in command_line("words", "list")[1]

    def test_laws_are_those_of_the_encodings(self, command_line, tmp_path):
        code, out, _ = command_line("words", "law", "product:8", "tree:8", "--out", str(tmp_path), "--json")
        assert code == 0
        laws = json.loads(out)["laws"]
        assert laws["product:8"]["kl_bits"] == pytest.approx(0.0282, abs=5e-5)
        assert laws["tree:8"]["kl_bits"] == pytest.approx(0, abs=1e-12)
        assert laws["tree:8"]["tail_3"] == pytest.approx(0.0027, abs=1e-4)
        assert json.loads((tmp_path / "result.json").read_text())["laws"] == laws
        assert (tmp_path / "laws.png").stat().st_size > 10_000

    def test_biased_bits_move_the_law(self, command_line):
        code, out, _ = command_line("words", "law", "inverse-cdf:8", "--ones", "0.52", "--json")
        assert code == 0
        assert json.loads(out)["laws"]["inverse-cdf:8"]["mean"] > 0.04

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("law", "nothing:8"), "noise word"),
            (("law", "product:8", "product:8"), "once"),
            (("law", "product:8", "--ones", "1.5"), "--ones is a probability"),
            (("law", "tree:8,drift=1e-3"), "no exact law"),
            (("law", "measured:nowhere.json"), "cannot read measured words from nowhere.json"),
        ],
    )
    def test_bad_input_is_one_line(self, command_line, arguments, message):
        code, _, error = command_line("words", *arguments)
        assert code == 2
        assert message in error
        assert error.count("\n") == 1


class TestCompare:
    def test_figures_and_tables(self, command_line, tmp_path):
        code, out, err = command_line("words", "compare", "tree:4", "--word", "4", "--devices", "3", "--out", "c")
        assert (code, err) == (0, "")
        assert out.splitlines()[1].startswith("tree:4")
        made = {path.name for path in (tmp_path / "c").iterdir()}
        assert made == {"laws.png", "pulses.png", "widths.png", "imperfections.png", "words.csv", "result.json"}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--word", "3"), "4 to 16 bits, not 3"),
            (("--pulses", "0"), "must be 1 to 100000, not 0"),
            (("--devices", "0"), "1 device or more, not 0"),
            (("tree:8,drift=0.1",), "has no exact law to draw"),
        ],
    )
    def test_bad_input_is_one_line(self, command_line, arguments, message):
        code, _, err = command_line("words", "compare", "--out", "c", *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1


class TestDraw:
    def test_numbers_are_those_of_the_encoding(self, command_line, tmp_path):
        from mtjspice.bits.sources.catalogue import open_source

        file = tmp_path / "numbers.npy"
        arguments = ("words", "draw", "product:8", "--source", "emulated:fair", "--seed", "5")
        assert command_line(*arguments, "-n", "1e3", "-o", str(file))[0] == 0
        numbers = np.load(file)
        np.testing.assert_array_equal(
            numbers, open_noise("product:8", open_source("emulated:fair", 5), 5).normal((1000,))
        )
        about = json.loads(file.with_suffix(".json").read_text())
        assert (about["encoding"], about["numbers"], about["seed"]) == ("product:8", 1000, 5)
        code, out, _ = command_line(*arguments, "-n", "20")
        assert code == 0
        np.testing.assert_array_equal(np.array(out.split(), float), numbers[:20])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [(("-n", "0"), "must be 1 or more, not 0"), (("-n", "5", "-o", "numbers.txt"), "written as .npy")],
    )
    def test_bad_input_is_one_line(self, command_line, arguments, message):
        code, _, error = command_line("words", "draw", "product:8", "--source", "emulated:fair", *arguments)
        assert code == 2
        assert message in error


class TestMeasured:
    def test_the_law_has_the_frequencies(self, tmp_path):
        found = measured_words(result(tmp_path / "result.json"))
        np.testing.assert_allclose(found.table(), [0.52, 0.04, 0.25, 0.41])
        law = found.law()
        assert law.mean < 0  # a set sign bit is negative
        assert (found.intervals()[0].low, found.intervals()[0].high) == pytest.approx((0.4232, 0.6154), abs=1e-4)
        for name, value in (("mean", law.mean), ("std", law.standard_deviation)):
            low, high = found.law_intervals()[name]
            assert low < value < high

    def test_more_words_make_the_interval_narrower(self, tmp_path):
        """A hundred times the words: a tenth of the width, to 20 % (400 draws, 5 sigma of their quantiles)."""
        few = measured_words(result(tmp_path / "few.json")).law_intervals()["mean"]
        many = measured_words(result(tmp_path / "many.json", ones=(5200, 400, 2500, 4100), words=10_000))
        low, high = many.law_intervals()["mean"]
        assert (few[1] - few[0]) / (high - low) == pytest.approx(10, rel=0.2)

    def test_drawn_numbers_say_that_they_are_resampled(self, command_line, tmp_path):
        file = result(tmp_path / "result.json")
        out = tmp_path / "drawn.npy"
        assert (
            command_line("words", "draw", f"measured:{file}", "--source", "pcg64", "-n", "40000", "-o", str(out))[0]
            == 0
        )
        about = json.loads(out.with_suffix(".json").read_text())
        assert about["law"] == "measured law, resampled"
        assert about["measured_words"] == 100
        law = encoding_of(f"measured:{file}").law()
        # 40,000 numbers: 5 sigma of the mean, false alarms 6e-7
        assert abs(np.load(out).mean() - law.mean) < 5 * law.standard_deviation / 200
        assert "measured law, 95 %" in command_line("words", "law", f"measured:{file}")[1]

    @pytest.mark.parametrize(
        ("content", "message"),
        [("no json", "it is no JSON"), ("{}", "is not the result.json of `mtjspice words run`"), ("[1]", "is not the")],
    )
    def test_other_files_are_refused(self, tmp_path, content, message):
        file = tmp_path / "other.json"
        file.write_text(content)
        with pytest.raises(InputError, match=message):
            encoding_of(f"measured:{file}")

    def test_words_of_a_tree_and_impossible_counts_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="depend on each other"):
            measured_words(result(tmp_path / "tree.json", "tree:4"))
        with pytest.raises(InputError, match="lie between 0 and the words"):
            measured_words(result(tmp_path / "more.json", words=10))


class TestProgram:
    def test_the_program_is_written_and_read_again(self, command_line, tmp_path, monkeypatch):
        monkeypatch.setattr(programs, "computed", lambda *arguments, **options: CURVE)
        file = tmp_path / "program.json"
        code, out, _ = command_line("words", "program", "meram100", "product:8", "--step", "1mV", "-o", str(file))
        assert code == 0
        assert "deviation" in out
        made = programs.PulseProgram.from_dict(json.loads(file.read_text()))
        assert (made.encoding, made.step, len(made.pulses)) == ("product:8", 1e-3, 8)
        assert all(abs(one.value / 1e-3 - round(one.value / 1e-3)) < 1e-6 for one in made.pulses)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("meram100", "nothing:8"), "noise word"),
            (("meram100", "inverse-cdf:8"), "no programmed cells"),
            (("stt_trng_10ns", "toggle:8,pulses=4"), "toggling needs VCMA"),
            (("meram100", "product:8", "--by", "colour"), "programmed by"),
            (("meram100", "product:8", "--voltage", "1V"), "--voltage with --by width"),
            (("meram100", "product:8", "--step", "1ns"), "--step"),
            (("nocard", "product:8"), "nocard"),
        ],
    )
    def test_bad_input_is_one_line(self, command_line, arguments, message):
        code, _, error = command_line("words", "program", *arguments)
        assert code == 2
        assert message in error
        assert error.count("\n") == 1


class TestRun:
    """What `words run` refuses before the simulator starts."""

    @pytest.mark.parametrize(
        ("content", "message"),
        [("no json", "it is no JSON"), ("{}", "not a pulse program"), ("[1]", "not a pulse program")],
    )
    def test_other_files_are_refused(self, command_line, tmp_path, content, message):
        file = tmp_path / "other.json"
        file.write_text(content)
        code, _, error = command_line("words", "run", str(file))
        assert code == 2
        assert message in error
        assert error.count("\n") == 1

    @pytest.mark.parametrize(
        ("encoding", "arguments", "message"),
        [
            ("product:4", ("--words", "0"), "--words must be 1 or more, not 0"),
            ("product:4", ("--columns", "3"), "product:4 has 4 bits, meram_word3 has 3 columns"),
            ("product:4", ("--card", "stt_trng_10ns"), "card stt_trng_10ns has no VCMA"),
            ("product:4", ("--technology", "gf90"), "gf90"),
            ("product:4", ("-o", "words.txt"), "written as .npy"),
            ("product:4", ("--trials", "10"), "100 macrospins"),
            ("toggle:4,pulses=2,reset=no", (), "without a reset"),
        ],
    )
    def test_what_cannot_run_is_refused(self, command_line, tmp_path, encoding, arguments, message):
        code, _, error = command_line("words", "run", str(written_program(tmp_path / "p.json", encoding)), *arguments)
        assert code == 2
        assert message in error
        assert error.count("\n") == 1

    def test_a_program_must_have_the_pulses_of_its_encoding(self, command_line, tmp_path):
        file = written_program(tmp_path / "p.json")
        found = json.loads(file.read_text())
        file.write_text(json.dumps({**found, "pulses": found["pulses"][:3]}))
        assert "has 4 pulses, not 3" in command_line("words", "run", str(file))[2]
        file.write_text(json.dumps({**found, "encoding": "nothing:4"}))
        assert "noise word" in command_line("words", "run", str(file))[2]
