"""The command line as a user meets it: output, exit codes, one clear line for bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtjspice import __version__
from mtjspice.device.card import card_names

MTJSPICE = [sys.executable, "-m", "mtjspice.cli"]


def run(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MTJSPICE, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mtjspice: ")
    for word in words:
        assert word in lines[0]


def test_version_and_help():
    assert run("--version").stdout == f"mtjspice {__version__}\n"
    for command in ([], ["demo"], ["netlist"], ["doctor"], ["device"], ["device", "show"], ["device", "list"]):
        done = run(*command, "--help")
        assert done.returncode == 0
        assert "Usage:" in done.stdout
        if command and command != ["device"]:
            assert f"Example: mtjspice {' '.join(command)}" in " ".join(done.stdout.split())


def test_device_list():
    done = run("device", "list")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == list(card_names())
    assert [card["name"] for card in json.loads(run("device", "list", "--json").stdout)] == list(card_names())


@pytest.mark.parametrize("card", card_names())
def test_device_show(card):
    shown = json.loads(run("device", "show", card, "--json").stdout)
    assert shown["name"] == card
    for entry in shown["parameters"].values():
        assert entry["status"] in ("paper", "derived", "assumed")
        assert entry["source"]
    text = run("device", "show", card).stdout
    assert "source" in text
    assert "V_c0" in text


def test_device_show_takes_a_file_and_a_temperature(tmp_path):
    from mtjspice.device.card import load_card

    path = tmp_path / "mine.toml"
    path.write_text(load_card("meram100").replace(diameter=80e-9).to_toml())
    warm = json.loads(run("device", "show", str(path), "--temperature", "350", "--json").stdout)
    assert warm["parameters"]["diameter"] == {
        "value": 8e-8, "unit": "m", "status": "assumed", "source": "changed by the user",
        "description": "diameter of the circular junction",
    }  # fmt: skip
    cold = json.loads(run("device", "show", str(path), "--json").stdout)
    key = "thermal_stability_zero_field"
    assert warm["derived"][key] == pytest.approx(cold["derived"][key] * 300 / 350)


def test_netlist_to_file_and_standard_output(tmp_path):
    assert run("netlist", "meram_word8", "-o", "word.cir", cwd=tmp_path).returncode == 0
    text = (tmp_path / "word.cir").read_text()
    assert text == run("netlist", "meram_word8", "-o", "-").stdout
    assert text.splitlines()[0].startswith("meram_word8")
    assert [path.name for path in tmp_path.iterdir()] == ["word.cir"]


def test_doctor_finds_ngspice():
    tools = {tool["name"]: tool for tool in json.loads(run("doctor", "--json").stdout)}
    assert tools["ngspice"]["path"]
    assert tools["libngspice"]["capabilities"]["external_sources"] is True
    assert "libngspice" in run("doctor").stdout


def test_doctor_without_ngspice_says_how_to_get_it(tmp_path):
    done = run("doctor", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt install" in done.stdout
    assert "conda" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["device", "show", "nope"], ["unknown card 'nope'", "meram100"]),
        (["device", "show", "missing.toml"], ["missing.toml"]),
        (["device", "show", "meram100", "--temperature", "-5"], ["temperature -5 K", "allowed: 1 to 500 K"]),
        (["netlist", "meram_word9000", "-o", "x"], ["unknown circuit 'meram_word9000'", "meram_word8"]),
        (["netlist", "meram_word8", "-o", "x", "--card", "y"], ["unknown card 'y'"]),
        (["netlist", "meram_word8", "-o", "x", "--technology", "y"], ["unknown technology 'y'", "gf180mcu"]),
        (["netlist", "meram_word8", "-o", "x", "--corner", "y"], ["unknown gf180mcu corner 'y'", "typical"]),
        (["netlist", "meram_word8", "-o", "x", "--states", "2"], ["states '2' must be 8 digits"]),
        (["netlist", "meram_word8", "-o", "no/such/folder/x"], ["cannot write no/such/folder/x"]),
        (["demo", "--seed", "-1"], ["seed -1 is out of range", "0 to 4294967295"]),
        (["demo", "--seed", "abc"], ["--seed", "integer"]),
        (["frobnicate"], ["frobnicate"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(arguments, words, tmp_path):
    assert_one_line(run(*arguments, cwd=tmp_path), 2, *words)
    assert list(tmp_path.iterdir()) == []


def test_bad_card_files_are_one_line(tmp_path):
    from mtjspice.device.card import load_card

    good = load_card("meram100").to_toml()
    for text, words in (
        (good.replace("1e-07 m", "1e-07 s"), ["diameter", "wrong unit"]),
        (good.replace("1e-07 m", "2 m"), ["diameter", "out of range", "allowed"]),
        ("name = ", ["not a TOML file"]),
    ):
        (tmp_path / "bad.toml").write_text(text)
        assert_one_line(run("device", "show", "bad.toml", cwd=tmp_path), 2, *words)


def test_demo_refuses_a_folder_it_cannot_write_to(tmp_path):
    (tmp_path / "file").write_text("")
    assert_one_line(run("demo", "--out", "file/below", cwd=tmp_path), 2, "cannot write to the output folder")


def test_demo_without_libngspice_says_how_to_get_it(tmp_path):
    done = run("demo", "--out", "out", cwd=tmp_path, MTJSPICE_LIBNGSPICE=str(tmp_path / "none.so"))
    assert_one_line(done, 3, "libngspice")
    assert list((tmp_path / "out").iterdir()) == []


def test_interrupted_demo_leaves_nothing_behind(tmp_path):
    """Ctrl-C in the middle: one line, exit code 130, no result files, no worker processes."""
    process = subprocess.Popen(
        [*MTJSPICE, "demo", "--out", "out"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        # a test run in the background of a shell has the signal ignored, which children inherit
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("mtjspice-*")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "mtjspice: interrupted\n")
    assert list((tmp_path / "out").iterdir()) == []
    assert not list(tmp_path.glob("mtjspice-*"))
