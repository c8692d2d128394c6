"""The command `calibrate` as a user meets it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from mtjspice.device import fokker_planck, llg
from mtjspice.device.card import load_card

STT = load_card("stt_trng_10ns")
TRUTH = 1.08 * STT.spin_polarization
FREE = ("--free", "p")


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "mtjspice.cli", "calibrate", *map(str, arguments)],
        capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Counts drawn with a fixed seed from the solver itself, 1000 trials a point."""
    volts, widths = np.array([-0.3, -0.4, -0.5]), np.array([3e-9, 5e-9, 8e-9])
    row = llg.parameters(STT.replace(spin_polarization=TRUTH), noise_step=1e-16)
    chance = fokker_planck.switching_map(row, volts, widths, tolerance=1e-4).switched
    counts = np.random.default_rng(4).binomial(1000, chance)
    path = tmp_path_factory.mktemp("data") / "measured.csv"
    lines = ["# synthetic", "voltage[V],pulse_width[ns],switched,trials"]
    lines += [f"{v},{w * 1e9:g},{counts[i, j]},1000" for i, v in enumerate(volts) for j, w in enumerate(widths)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_round_trip(data, tmp_path):
    """The written card loads, holds the truth within 3.5 sigma (seed fixed), and predicts the data."""
    card, picture = tmp_path / "new.toml", tmp_path / "fit.png"
    done = run("stt_trng_10ns", data, *FREE, "-o", card, "--name", "mine", "--plot", picture, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    (one,) = found["parameters"]
    assert one["key"] == "spin_polarization"
    assert one["low"] < one["value"] < one["high"]
    assert abs(one["value"] - TRUTH) < 3.5 * (one["high"] - one["low"]) / 3.92
    assert len(found["points"]) == 9
    assert found["degrees_of_freedom"] == 8
    written = load_card(str(card))
    assert written.name == "mine"
    assert written.spin_polarization == one["value"]
    assert written.origins["spin_polarization"].status == "derived"
    row = llg.parameters(written, noise_step=1e-16)
    volts, widths = (sorted({point[key] for point in found["points"]}) for key in ("voltage", "pulse_width"))
    chance = fokker_planck.switching_map(row, volts, widths, tolerance=1e-4).switched
    for point in found["points"]:
        here = chance[volts.index(point["voltage"]), widths.index(point["pulse_width"])]
        assert here == pytest.approx(point["model"], abs=2e-3)
        assert abs(point["residual"]) < 5
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_bad_input(data, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("voltage,pulse_width,switched,trials\n1,1e-9,9,3\n", encoding="utf-8")
    for arguments, words in (
        (("stt_trng_10ns", bad, *FREE), "bad.csv, line 2: switched = 9 exceeds trials = 3"),
        (("stt_trng_10ns", data, "--free", "colour"), "unknown free parameter 'colour'; allowed: xi"),
        (("stt_trng_10ns", data, *FREE, "--method", "magic"), "unknown method 'magic'"),
        (("stt_trng_10ns", data, *FREE, "-o", tmp_path / "new.txt"), ".toml"),
    ):
        done = run(*arguments)
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert words in done.stderr


def test_help():
    done = run("--help")
    assert done.returncode == 0
    assert "Example: mtjspice calibrate" in " ".join(done.stdout.split())
