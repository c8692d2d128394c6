"""Numbers that stand in for N(0, 1), and what they cost a diffusion model; the command.

Statistical checks use fixed seeds; each states how often it would fail by chance if the seed were drawn anew.
"""

import csv
import json

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from mtjspice.bits.sources.base import StreamExhaustedError
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.sources.generators import NumpySource, StreamSource
from mtjspice.bits.stream import BitStream
from mtjspice.errors import InputError
from mtjspice.generative.denoiser import Training
from mtjspice.generative.diffusion_study import Effort, compare
from mtjspice.generative.digits_subject import DigitsSubject
from mtjspice.generative.gaussian import InverseCdf, NumpyGaussian

QUICK = Effort(images=200, draws=2, null_draws=3)
BRIEF = DigitsSubject(Training(steps=50, batch=32, width=32))


def made(text, bits=8):
    return lambda seed: InverseCdf(open_source(text, seed), bits, text)


class TestInverseCdf:
    @pytest.mark.parametrize("bits", [1, 3, 8, 11, 16])
    def test_words_become_their_quantiles(self, bits):
        stream = NumpySource("pcg64", 1).stream(bits * 64)
        words = [int("".join(map(str, row)), 2) for row in stream.bits().reshape(64, bits).tolist()]
        found = InverseCdf(StreamSource(stream), bits).normal((8, 8))
        np.testing.assert_allclose(found.ravel(), ndtri((np.array(words) + 0.5) / 2**bits))

    @pytest.mark.parametrize("bits", [5, 8, 12, 16])
    def test_pieces_make_the_whole(self, bits):
        whole = InverseCdf(NumpySource("pcg64", 1), bits).normal((100,))
        source = InverseCdf(NumpySource("pcg64", 1), bits)
        np.testing.assert_array_equal(np.concatenate([source.normal((n,)) for n in (1, 30, 0, 69)]), whole)

    def test_variance_is_that_of_the_levels(self):
        """Less than 1 by 7.6 % for 4 bits and by 0.5 % for 8, as documented."""
        for bits, missing in ((4, 0.0763), (8, 0.0050)):
            levels = InverseCdf(NumpySource("pcg64", 1), bits).levels
            assert 1 - np.mean(levels**2) == pytest.approx(missing, abs=1e-4)
            np.testing.assert_allclose(levels, -levels[::-1], atol=1e-12)

    def test_fair_bits_are_normal(self):
        """50,000 numbers of 16 bits, Kolmogorov-Smirnov: false alarm 1e-4."""
        assert stats.kstest(InverseCdf(open_source("emulated:fair", 3), 16).normal((50_000,)), "norm").pvalue > 1e-4

    def test_running_dry_is_an_error(self):
        source = InverseCdf(StreamSource(BitStream.from_bits(np.ones(80), "emulated", {})), 8)
        assert source.normal((10,)).shape == (10,)
        with pytest.raises(StreamExhaustedError):
            source.normal((1,))
        with pytest.raises(InputError, match="1 to 24 bits"):
            InverseCdf(NumpySource("pcg64", 1), 25)


class TestStudy:
    def test_what_costs_and_what_does_not(self):
        """8-bit words of fair bits lie within the null; a bias of 0.05 and a register of 8 stages are far outside.

        Within 5 spreads of a null of three draws; a t-like statistic with 2 degrees of freedom exceeds that in 4 %,
        the seeds are fixed.
        """
        sources = [(text, made(text)) for text in ("emulated:fair", "emulated:fair,p=0.55", "lfsr:8")]
        reported = []
        outcome = compare(sources, effort=QUICK, progress=reported.append)
        assert abs(outcome.row("emulated:fair")["spreads"]) < 5
        for bad in ("emulated:fair,p=0.55", "lfsr:8"):
            assert outcome.row(bad)["excess"] > 3 * outcome.null_spread()
            assert outcome.row(bad)["ratio"] > 1.1
        assert reported[-1] == pytest.approx(1)
        assert (np.diff(reported) > 0).all()
        assert outcome.provenance["lfsr:8"]["encoding"] == "inverse-cdf:8"
        json.dumps(outcome.as_dict(), allow_nan=False)

    def test_numbers_repeat(self):
        effort = Effort(100, 1, 3)
        first, again = (
            compare([("lfsr:16", made("lfsr:16"))], "both", effort, subject=BRIEF).as_dict() for _ in range(2)
        )
        assert first == again
        other = compare([("lfsr:16", made("lfsr:16"))], "both", effort, seed=2, subject=BRIEF).as_dict()
        assert other["trials"] != first["trials"]
        assert {trial["frechet"] for trial in other["null"]}.isdisjoint(trial["frechet"] for trial in first["null"])
        assert (first["seed"], other["seed"]) == (1, 2)

    def test_in_training_only(self):
        """Software noise draws the images, so that a perfect source differs by its training alone."""
        effort = Effort(100, 1, 3, 2)
        outcome = compare([("software", NumpyGaussian)], "training", effort, subject=BRIEF)
        assert len(outcome.trials) == 2
        assert outcome.model["steps"] == 50
        assert {trial.training_seed for trial in outcome.null} == {0, 1}

    def test_models_that_are_compared_have_had_the_same_training(self):
        """The model that comes with mtjspice stands beside no other: training replaces it in the null, too."""
        shipped = DigitsSubject()
        drawn = compare([("software", NumpyGaussian)], effort=Effort(100, 1, 3), subject=shipped)
        assert drawn.model == {"network": "digits_denoiser"}
        for where, seeds in (("training", 1), ("sampling", 2)):
            subject = DigitsSubject()
            subject._training = Training(steps=20, batch=16, width=16)  # as if this were the default
            outcome = compare([("software", NumpyGaussian)], where, Effort(100, 1, 3, seeds), subject=subject)
            assert outcome.model["steps"] == 20
            assert min(trial.frechet for trial in outcome.null) > 2 * max(trial.frechet for trial in drawn.null)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: compare([], effort=QUICK), "one source or more"),
            (lambda: compare([("a", NumpyGaussian)] * 2, effort=QUICK), "a label of its own"),
            (lambda: compare([("a", NumpyGaussian)], "nowhere", QUICK), "unknown place of the noise"),
            (
                lambda: compare([("a", NumpyGaussian)], effort=Effort(images=50)),
                "digits needs 100 images or more, not 50",
            ),
            (lambda: Effort(draws=0), "1 draw"),
            (lambda: Effort(null_draws=2), "3 draws or more"),
        ],
    )
    def test_bad_requests(self, call, message):
        with pytest.raises(InputError, match=message):
            call()


class TestCommand:
    ARGUMENTS = ("diffusion", "--images", "100", "--draws", "1", "--null", "3")

    def test_writes_what_it_prints(self, command_line, tmp_path):
        code, out, err = command_line(*self.ARGUMENTS, "--source", "lfsr:9", "--source", "emulated:fair", "--out", "d")
        assert (code, err) == (0, "")
        assert out.splitlines()[1].startswith("software noise (null)")
        assert [line.split()[0] for line in out.splitlines()[2:4]] == ["lfsr:9", "emulated:fair"]
        result = json.loads((tmp_path / "d" / "result.json").read_text())
        assert [row["source"] for row in result["sources"]] == ["lfsr:9", "emulated:fair"]
        table = list(csv.DictReader((tmp_path / "d" / "trials.csv").read_text().splitlines()))
        assert len(table) == 5
        assert float(table[3]["frechet"]) == result["trials"][0]["frechet"]
        assert (tmp_path / "d" / "figure.png").stat().st_size > 10_000

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--source", "dice"), "unknown source 'dice'"),
            (("--source", "pcg64", "--source", "pcg64"), "may be given once"),
            (("--source", "pcg64", "--encoding", "tree:30"), "16"),
            (("--source", "pcg64", "--encoding", "dice"), "unknown noise word 'dice'; available: inverse-cdf"),
            (
                ("--source", "pcg64", "--data", "cats"),
                "unknown data 'cats'; available: celeba-hq, cifar-10, digits, fashion",
            ),
            (("--source", "pcg64", "--steps", "0"), "1 or more"),
            (("--source", "pcg64", "--where", "here"), "unknown place of the noise"),
            (("--source", "pcg64", "--seed", "4294967295"), "--seed is 0 to 4294965295 here"),
            (("--source", "pcg64", "--images", "1" + "0" * 22), "1000000 images at most"),
        ],
    )
    def test_bad_requests(self, command_line, arguments, message):
        code, _, err = command_line(*self.ARGUMENTS, *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1

    def test_a_recording_that_is_too_short(self, command_line, tmp_path):
        (tmp_path / "bits").write_bytes(bytes(range(256)) * 10)
        code, _, err = command_line(*self.ARGUMENTS, "--source", "file:bits,format=binary")
        assert code == 2
        assert "the stream has run out" in err
