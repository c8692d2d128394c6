"""The commands about bits, as a user types them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from constants_bits import bits_of_e

from mtjspice.bits import files
from mtjspice.bits.sources.catalogue import open_source

COMMAND = [sys.executable, "-m", "mtjspice.cli", "bits"]
NAMES = [
    "frequency", "block-frequency", "cumulative-sums", "runs", "longest-run", "rank", "dft", "non-overlapping-template",
    "overlapping-template", "universal", "approximate-entropy", "random-excursions", "random-excursions-variant",
    "serial", "linear-complexity",
]  # fmt: skip


def write_raw(path, bits):
    """As a user's own program would: packed, no description."""
    path.write_bytes(np.packbits(bits).tobytes())


class TestGenerate:
    @pytest.mark.parametrize("form", ["binary", "ascii", "npz"])
    def test_writes_what_the_source_gives(self, command_line, tmp_path, form):
        code, out, err = command_line(
            "bits", "generate", "emulated:fair,p=0.6,lanes=3", "--bits", "10_001", "--seed", "5", "-o", "bits",
            "--format", form, "--json",
        )  # fmt: skip
        assert (code, err) == (0, "")
        stream = files.read(tmp_path / "bits")
        expected = open_source("emulated:fair,p=0.6,lanes=3", 5).stream(10_001)
        np.testing.assert_array_equal(stream.bits(), expected.bits())
        assert json.loads(out) == {
            "output": "bits", "length": 10_001, "ones": expected.ones_fraction, "lanes": 3, "origin": "emulated",
            "provenance": dict(expected.provenance),
        }  # fmt: skip

    def test_conditions_on_the_way(self, command_line, tmp_path):
        code, out, _ = command_line(
            "bits", "generate", "pcg64", "--bits", "3e4", "-o", "bits", "--extractor", "xor:3",
            "--extractor", "von-neumann",
        )  # fmt: skip
        assert code == 0
        assert "bits (pseudo-random)" in out
        assert files.read(tmp_path / "bits").provenance["conditioning"] == "xor:3,wiring=consecutive + von-neumann"

    def test_to_a_pipe(self):
        expected = open_source("pcg64", 1).read(100_000).tobytes()
        run = subprocess.run([*COMMAND, "generate", "pcg64", "--bits", "8e5"], capture_output=True, check=False)
        assert (run.returncode, run.stdout, run.stderr) == (0, expected, b"")

    def test_without_end_until_the_reader_has_enough(self):
        with subprocess.Popen(
            [*COMMAND, "generate", "pcg64"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            head = process.stdout.read(300_000)
            process.stdout.close()
            assert process.wait(timeout=60) == 0
            assert process.stderr.read() == b""
        assert head == open_source("pcg64", 1).read(300_000).tobytes()

    def test_into_a_named_pipe(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with subprocess.Popen(
            [*COMMAND, "generate", "pcg64", "--bits", "8000", "-o", tmp_path / "pipe"], stdout=subprocess.PIPE
        ) as process:
            assert (tmp_path / "pipe").read_bytes() == open_source("pcg64", 1).read(1000).tobytes()
            assert process.wait(timeout=60) == 0

    def test_from_standard_input(self):
        run = subprocess.run(
            [*COMMAND, "test", "-", "--tests", "frequency", "--json"],
            input=open_source("pcg64", 1).read(1000).tobytes(), capture_output=True, check=False,
        )  # fmt: skip
        assert run.returncode == 0
        assert json.loads(run.stdout)["length"] == 8000

    @pytest.mark.parametrize("arguments", [("sources",), ("sources", "--json"), ("generate", "pcg64")])
    def test_a_full_disk_is_one_line(self, arguments):
        with Path("/dev/full").open("wb") as full:
            run = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert run.returncode == 2
        assert run.stderr == "mtjspice: standard output: No space left on device\n"

    def test_co_simulated(self, command_line, tmp_path):
        code, out, err = command_line(
            "bits", "generate", "circuit:vcma_trng1,cycles=2", "--bits", "8", "-o", "bits", "--seed", "3", "--json"
        )
        assert (code, err) == (0, "")
        assert json.loads(out)["origin"] == "co-simulated"
        stream = files.read(tmp_path / "bits")
        assert stream.length == 8
        assert stream.provenance["technology"] == "gf180mcu"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("dice", "--bits", "8", "-o", "x"), "unknown source 'dice'"),
            (("lfsr:16,state=0", "--bits", "8", "-o", "x"), "zero is never left"),
            (("emulated:fair,p=1.2", "--bits", "8", "-o", "x"), "between 0 and 1, not 1.2"),
            (("pcg64", "-o", "x"), "--bits says how many"),
            (("pcg64", "--bits", "0", "-o", "x"), "must be at least 1"),
            (("pcg64", "--bits", "many", "-o", "x"), "'many' is not a whole number"),
            (("pcg64", "--bits", "8", "--json"), "raw bits go to a file"),
            (("pcg64", "--bits", "8", "--format", "ascii"), "a pipe takes the format binary"),
            (("pcg64", "--bits", "8", "-o", "x", "--format", "hex"), "unknown format 'hex'"),
            (("pcg64", "--bits", "8", "-o", "no/where/x"), "cannot write no/where/x"),
            (("pcg64", "--bits", "8", "-o", "x", "--seed", "-1"), "seed -1 is out of range"),
            (("pcg64", "--bits", "1e30", "-o", "x"), "bits take 1.25e+20 GB, but . has"),
            (("pcg64", "--bits", "1e30", "--extractor", "xor:3"), "must fit into the memory"),
            (("emulated:fair,lanes=1e12", "--bits", "8", "-o", "x"), "1 to 16777216 lanes"),
            (("emulated:stt_trng_10ns,pulse-width=1e6", "--bits", "8", "-o", "x"), "between 5e-11 and 0.001 s"),
            (("circuit:dice", "--bits", "8", "-o", "x"), "'dice' is not a random-number generator of the library"),
            (("pcg64", "--bits", "7", "-o", "x", "--extractor", "von-neumann"), "has 7 bits; take an even number"),
        ],
    )
    def test_bad_requests_are_one_line(self, command_line, arguments, message):
        code, out, err = command_line("bits", "generate", *arguments)
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1

    def test_taps_that_are_not_maximal_are_warned_of(self, command_line):
        code, _, err = command_line("bits", "generate", "lfsr:8,taps=8.4", "--bits", "80", "-o", "x")
        assert code == 0
        assert "warning: LFSR with the taps 8.4: not of maximal length 2^8 - 1" in err

    def test_the_list_shows_every_source(self, command_line):
        code, out, _ = command_line("bits", "sources")
        assert code == 0
        for text in ("circuit:NAME", "emulated:CARD", "lfsr:LENGTH", "toeplitz[:BLOCK]", ",feedback="):
            assert text in out
        listed = json.loads(command_line("bits", "sources", "--json")[1])
        assert {one["usage"] for one in listed["extractors"]} >= {"von-neumann", "xor[:K]"}


class TestCondition:
    def test_tells_before_and_after(self, command_line, tmp_path):
        write_raw(tmp_path / "raw", np.tile([1, 1, 0, 1, 0, 0], 4000).astype(np.uint8))
        code, out, _ = command_line("bits", "condition", "raw", "--extractor", "xor:3", "-o", "out", "--json")
        found = json.loads(out)
        assert code == 0
        assert found["rate"] == pytest.approx(1 / 3)
        assert found["before"]["ones"] == 0.5
        assert found["after"]["autocorrelation"] == pytest.approx(-1, abs=1e-3)  # 0 1 0 1 ...
        assert files.read(tmp_path / "out").origin == "unknown"
        text = command_line("bits", "condition", "raw", "--extractor", "peres:2", "-o", "out")[1]
        assert "rate: " in text

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("raw", "--extractor", "von-neumann", "--bits", "1001"), "take an even number of them, such as 1000"),
            (("raw", "--extractor", "toeplitz:4096,min-entropy=1"), "needs 4096 bits, the stream has 2048"),
            (("raw", "--extractor", "toeplitz:64,min-entropy=2"), "between 0 and 1 bit per bit, not 2"),
            (("raw", "--extractor", "rot13"), "unknown extractor 'rot13'"),
            (("text", "--extractor", "xor:3"), "not a file of bits but text"),
            (("empty", "--extractor", "xor:3"), "is empty"),
            (("missing", "--extractor", "xor:3"), "cannot read missing"),
            (("out", "--extractor", "xor:3"), "the output out is the input"),
            (("raw", "--extractor", "toeplitz:64,epsilon=2"), "epsilon must lie between 0 and 1"),
        ],
    )
    def test_bad_requests(self, command_line, tmp_path, arguments, message):
        write_raw(tmp_path / "raw", np.random.default_rng(1).integers(0, 2, 2048).astype(np.uint8))
        (tmp_path / "text").write_text("What hath God wrought? A patient waiter is no loser.\n")
        (tmp_path / "empty").write_bytes(b"")
        (tmp_path / "out").write_bytes(b"12345678")
        code, _, err = command_line("bits", "condition", *arguments, "-o", "out")
        assert code == 2
        assert message in err
        assert err.count("\n") == 1


class TestSuite:
    def test_published_values_of_e(self, command_line, tmp_path):
        """Appendix B of SP 800-22, from a raw file."""
        write_raw(tmp_path / "e.bin", bits_of_e(1_000_000))
        code, out, _ = command_line("bits", "test", "e.bin", "--suite", "sp800-22", "--constants", "sts-2.1.2",
                                    "--bits", "1000000", "--json")  # fmt: skip
        assert code == 0
        tests = json.loads(out)["tests"]
        assert [one["name"] for one in tests] == NAMES
        assert sum(len(one["p_values"]) for one in tests) == 188
        found = {one["name"]: one for one in tests}
        published = {
            "frequency": 0.953749, "block-frequency": 0.211072, "runs": 0.561917, "longest-run": 0.718945,
            "rank": 0.306156, "dft": 0.847187, "overlapping-template": 0.110434, "universal": 0.282568,
            "approximate-entropy": 0.700073, "serial": 0.766182, "linear-complexity": 0.826335,
            "non-overlapping-template": 0.078790, "cumulative-sums": 0.669887,
        }  # fmt: skip
        for name, value in published.items():
            assert found[name]["p_values"][0] == pytest.approx(value, abs=1.1e-6), name
        assert all(one["applicable"] and one["passed"] for one in tests)
        assert found["serial"]["parameters"]["block"] == 16

    def test_what_does_not_apply_is_said(self, command_line, tmp_path):
        write_raw(tmp_path / "bits", np.random.default_rng(1).integers(0, 2, 50_000).astype(np.uint8))
        found = {one["name"]: one for one in json.loads(command_line("bits", "test", "bits", "--json")[1])["tests"]}
        universal = found["universal"]
        assert (universal["applicable"], universal["passed"], universal["p_values"]) == (False, None, [])
        assert "387840" in universal["note"]
        assert found["frequency"]["applicable"]
        text = command_line("bits", "test", "bits", "--tests", "frequency,runs", "--all")[1]
        assert len(text.splitlines()) == 4
        code, _, err = command_line("bits", "test", "bits", "--bits", "50")
        assert code == 2
        assert "50 bits are too few: the frequency test needs 100" in err

    def test_many_sequences(self, command_line, tmp_path):
        write_raw(tmp_path / "bits", np.unpackbits(open_source("pcg64", 2).read(60 * 250)))
        arguments = ("bits", "test", "bits", "--sequence-length", "2000", "--tests", "frequency,serial,runs")
        code, out, err = command_line(*arguments, "--plot", "battery.png")
        assert (code, err) == (0, "")
        assert "60 sequences of 2000 bits" in out
        assert (tmp_path / "battery.png").stat().st_size > 10_000
        one, two = (command_line(*arguments, "--workers", str(n), "--json")[1] for n in (1, 2))
        assert one == two
        assert json.loads(one)["sequences"] == 60

    def test_a_file_of_zeros(self, command_line, tmp_path):
        write_raw(tmp_path / "bits", np.zeros(100_000, np.uint8))
        warning = "mtjspice: warning: all 100000 bits of bits are 0\n"
        code, out, err = command_line("bits", "test", "bits", "--json", "--plot", "zeros.png")
        assert (code, err) == (0, warning)
        assert not any(one["passed"] for one in json.loads(out)["tests"])
        code, out, err = command_line("bits", "entropy", "bits", "--json")
        assert (code, err) == (0, warning)
        assert json.loads(out)["min_entropy"] == 0
        code, _, err = command_line("bits", "condition", "bits", "--extractor", "von-neumann", "-o", "out")
        assert code == 2
        assert err == "mtjspice: von-neumann leaves nothing of 100000 bits, 0 of them ones\n"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--suite", "diehard"), "unknown suite 'diehard'"),
            (("--constants", "pi"), "unknown set of constants 'pi'"),
            (("--tests", "frequency,poker"), "'poker'"),
            (("--significance", "2"), "significance"),
            (("--sequences", "3"), "--sequences needs --sequence-length"),
            (("--sequence-length", "600", "--sequences", "3"), "1024"),
            (("--bits", "2000"), "holds 1024 bits"),
            (("--plot", "p.docx"), "p.docx"),
            (("--workers", "-1", "--sequence-length", "500"), "--workers -1 must be at least 1"),
        ],
    )
    def test_bad_requests(self, command_line, tmp_path, arguments, message):
        write_raw(tmp_path / "bits", np.random.default_rng(1).integers(0, 2, 1024).astype(np.uint8))
        code, _, err = command_line("bits", "test", "bits", *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1


class TestEntropy:
    def test_ten_estimates_of_e(self, command_line, tmp_path):
        """Values of NIST's program for 10^6 bits of e."""
        write_raw(tmp_path / "e.bin", bits_of_e(1_000_000))
        code, out, _ = command_line("bits", "entropy", "e.bin", "--json")
        found = json.loads(out)
        assert code == 0
        estimates = [one["min_entropy"] for one in found["estimates"]]
        published = [
            0.996205180938, 0.919085453876, 0.999086441929, 0.850580525679, 0.921622564451, 0.967210369455,
            0.997456089695, 0.996425348528, 0.994798612835, 0.995982131237,
        ]  # fmt: skip
        np.testing.assert_allclose(estimates, published, atol=1e-11)
        assert found["min_entropy"] == min(estimates)
        assert "compression" in command_line("bits", "entropy", "e.bin", "--plot", "e.png")[1]
        assert (tmp_path / "e.png").stat().st_size > 10_000

    def test_independence(self, command_line, tmp_path):
        write_raw(tmp_path / "bits", np.tile([1, 0, 0, 1, 0], 1000).astype(np.uint8))
        code, out, _ = command_line("bits", "entropy", "bits", "--iid", "--permutations", "200", "--json")
        assert code == 0
        assert json.loads(out)["iid"]["iid"] is False
        text = command_line("bits", "entropy", "bits", "--iid", "--permutations", "200")[1]
        assert "independent and identically distributed: rejected by" in text

    def test_restarts(self, command_line, tmp_path):
        write_raw(tmp_path / "bits", np.unpackbits(open_source("pcg64", 2).read(5000)))
        code, out, _ = command_line("bits", "entropy", "bits", "--restart", "200x200", "--initial", "0.8", "--json")
        assert code == 0
        assert json.loads(out)["sanity_check"]["passed"] is True
        assert (
            "min-entropy awarded"
            in command_line("bits", "entropy", "bits", "--restart", "200x200", "--initial", "0.8")[1]
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--restart", "200x200"), "--restart and --initial go together"),
            (("--restart", "200", "--initial", "1"), "expected ROWSxCOLUMNS"),
            (("--restart", "200x200", "--initial", "1"), "40000"),
            (("--restart", "32x32", "--initial", "2"), "2"),
            (("--bits", "1"), "needs at least 2 bits"),
            (("--workers", "0"), "--workers 0 must be at least 1"),
            (("--iid", "--seed", "-1"), "seed -1 is out of range"),
        ],
    )
    def test_bad_requests(self, command_line, tmp_path, arguments, message):
        write_raw(tmp_path / "bits", np.random.default_rng(1).integers(0, 2, 1024).astype(np.uint8))
        code, _, err = command_line("bits", "entropy", "bits", *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1


class TestDiagnose:
    def test_a_shift_register_is_seen_through(self, command_line, tmp_path):
        files.write(open_source("lfsr:12", 3).stream(20_000), tmp_path / "bits")
        code, out, err = command_line("bits", "diagnose", "bits", "--no-predictors", "--plot", "bits.png")
        assert (code, err) == (0, "")
        assert "suspicious: the generator is known and its next bits follow: LFSR of 12 stages" in out
        assert (tmp_path / "bits.png").stat().st_size > 10_000

    def test_numbers(self, command_line, tmp_path):
        files.write(open_source("emulated:fair,p=0.6,lanes=4", 3).stream(20_000), tmp_path / "bits")
        code, out, err = command_line("bits", "diagnose", "bits", "--health", "0.7", "--lags", "8", "--json")
        assert (code, err) == (0, "")
        found = json.loads(out)
        assert found["ones"]["value"] == pytest.approx(0.6, abs=0.02)
        assert found["health"]["lanes"] == 4
        assert any("60." in finding or "59." in finding for finding in found["findings"])

    def test_good_bits_are_left_in_peace(self, command_line, tmp_path):
        write_raw(tmp_path / "bits", np.unpackbits(open_source("aes-ctr", 4).read(5000)))
        code, out, _ = command_line("bits", "diagnose", "bits", "--lanes", "2")
        assert code == 0
        assert out.splitlines()[-1] == "nothing suspicious found"
        assert "Hamming distance of lanes" in out

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--lags", "0"), "--lags 0 must be at least 1"),
            (("--lanes", "0"), "--lanes 0 must lie between 1 and the number of bits, 1024"),
            (("--lanes", "1025"), "--lanes 1025 must lie between 1"),
            (("--seed", "-1"), "seed -1 is out of range"),
            (("--health", "1.5"), "1.5"),
            (("--bits", "1"), "at least 2 bits, got 1"),
        ],
    )
    def test_bad_requests(self, command_line, tmp_path, arguments, message):
        write_raw(tmp_path / "bits", np.random.default_rng(1).integers(0, 2, 1024).astype(np.uint8))
        code, _, err = command_line("bits", "diagnose", "bits", *arguments)
        assert code == 2
        assert message in err
        assert err.count("\n") == 1
