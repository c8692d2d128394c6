"""`mtjspice study` as a user runs it."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DECK = """filter
.param r=1k c=1p
Vin in 0 pwl(0 0 1p 1)
R1 in out {r}
C1 out 0 {c}
.tran 10p 5n 0 10p
.end
"""
STUDY = """title = "Delay of a filter"
[deck]
file = "filter.cir"
[measure]
half = { crossing = "v(out)", level = "0.5 V", edge = "rise" }
[space]
samples = 6
[sweep]
r = [500, 1000]
[random]
c = { deviation = "5 %" }
"""


def mtjspice(*arguments: object, code: int = 0, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mtjspice.cli", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    assert result.returncode == code, result.stderr + result.stdout
    return result


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    (folder / "filter.cir").write_text(DECK)
    (folder / "filter.toml").write_text(STUDY)
    return folder


@pytest.fixture(scope="module")
def done(study) -> Path:
    result = mtjspice("study", "run", study / "filter.toml", "--out", study / "out", "--workers", 1)
    assert "12 points: 12 evaluated, 0 were there, 0 failed" in result.stdout
    assert result.stderr == ""
    return study / "out"


def test_a_run_prints_its_table_and_json(study, done):
    again = mtjspice("study", "run", study / "filter.toml", "--out", done, "--resume", "--json")
    found = json.loads(again.stdout)
    assert (found["run"]["points"], found["run"]["reused"], found["run"]["evaluated"]) == (12, 12, 0)
    assert found["status"] == {"ok": 12}
    rows = found["tables"][0]["rows"]
    assert [row["r"] for row in rows] == [500, 1000]
    assert rows[1]["mean"] == pytest.approx(0.69e-9, rel=0.1)
    assert rows[0]["points"] == 6


def test_results_are_not_overwritten_unasked(study, done):
    result = mtjspice("study", "run", study / "filter.toml", "--out", done, code=2)
    assert (
        result.stderr
        == f"mtjspice: {done} has results already; --resume goes on with them, another --out begins anew\n"
    )


def test_a_dry_run_tells_what_is_to_come_and_writes_nothing(study, tmp_path):
    found = json.loads(
        mtjspice("study", "run", study / "filter.toml", "--out", tmp_path / "dry", "--dry-run", "--json").stdout
    )
    assert found["points"] == 12
    assert 0 < found["seconds_a_point"] < 10
    assert found["bytes"] > 12 * 100
    assert not (tmp_path / "dry").exists()


def test_status_export_and_plot(done, tmp_path):
    assert json.loads(mtjspice("study", "status", done, "--json").stdout)["status"] == {"ok": 12}
    assert mtjspice("study", "status", done).stdout.split() == ["Delay", "of", "a", "filter", "points", "ok", "12"]
    mtjspice("study", "export", done, "-o", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert {row["status"] for row in rows} == {"ok"}
    assert float(rows[0]["half [s]"]) == pytest.approx(0.35e-9, rel=0.2)
    assert mtjspice("study", "export", done, "--netcdf").stdout == f"{done / 'points.nc'}\n"
    for name in ("a.nc", "a.parquet"):
        mtjspice("study", "export", done, "-o", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500
    result = mtjspice("study", "plot", done, "-o", tmp_path / "a.svg")
    assert "half" in result.stdout
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


def test_a_point_is_replayed_with_its_waveforms_and_its_deck(done, tmp_path):
    result = mtjspice(
        "study", "replay", done, "--point", "1,3", "--out", tmp_path / "w.csv", "--plot", tmp_path / "w.png",
        "--deck", tmp_path / "w.cir", "--json",
    )  # fmt: skip
    found = json.loads(result.stdout)
    assert found["results"] == found["stored"]
    assert found["point"]["r"] == 1000
    assert (tmp_path / "w.csv").read_text().startswith("time [s],v(out) [V]")
    assert f"c={found['point']['c']:.6g}"[:6] in (tmp_path / "w.cir").read_text()
    same = mtjspice("study", "replay", done, "--point", 9)
    assert "the same" in same.stdout


def test_the_folder_is_all_that_is_needed(study, done, tmp_path):
    """The file may be changed, or be elsewhere, when the results are looked at."""
    text = (done / "study.toml").read_text()
    assert STUDY in text
    result = mtjspice("study", "status", done, folder=tmp_path)
    assert "12" in result.stdout


def test_a_study_that_fails_altogether_ends_with_the_reason(study, tmp_path):
    (study / "bad.toml").write_text(STUDY.replace("v(out)", "v(nowhere)"))
    result = mtjspice("study", "run", study / "bad.toml", "--out", tmp_path / "bad", code=3)
    assert "12 points: 12 evaluated, 0 were there, 12 failed" in result.stderr
    assert "v(nowhere)" in result.stderr
    assert result.stderr.splitlines()[-1] == "mtjspice: no point of the study has a result"
    status = mtjspice("study", "status", tmp_path / "bad")
    assert "bad deck" in status.stdout
    (study / "bad.toml").write_text(STUDY.replace("v(out)", "v(nowhere)").replace("samples = 6", "samples = 600"))
    result = mtjspice("study", "run", study / "bad.toml", "--out", tmp_path / "worse", "--workers", 1, code=3)
    assert "the first 20 points all failed, the last with: " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "nowhere.toml", "--out", "x"), "cannot read the study nowhere.toml"),
        (("run", "filter.toml", "--out", "x", "--workers", "0"), "--workers 0 must be at least 1"),
        (("run", "filter.toml", "--out", "x", "--workers", "1", "--dask", "tcp://a"), "exclude each other"),
        (("run", "filter.toml", "--out", "x", "--memory", "4V"), "--memory: '4V' has the wrong unit"),
        (("run", "filter.toml", "--out", "x", "--memory", "1MB"), "a memory bound of 0.001 GB is too small"),
        (("run", "filter.toml", "--out", "x", "--time-limit", "0"), "--time-limit 0 must be positive"),
        (("run", "filter.toml", "--out", "filter.cir"), "cannot create filter.cir"),
        (("run", "filter.toml"), "Missing option '--out'"),
        (("status", "nowhere"), "nowhere is no folder of a study"),
        (("export", "out", "-o", "a.xls"), "unknown form of results '.xls'; available: .csv, .nc, .parquet"),
        (("export", "out"), "say what to write: -o FILE, --csv, --parquet or --netcdf"),
        (("export", "out", "--csv", "--netcdf"), "one form at a time"),
        (("export", "out", "--csv", "-o", "a.nc"), "one form at a time"),
        (("plot", "out", "-o", "a.gif"), "--output a.gif must end in .png, .pdf, .svg"),
        (("replay", "out", "--point", "a"), "--point 'a' must be whole numbers"),
        (("replay", "out", "--point", "2,0"), "there is no point (2, 0)"),
        (("replay", "out", "--point", "12"), "there is no point 12; the study has 0 to 11"),
    ],
)
def test_bad_input_is_one_line(study, done, arguments, message):
    result = mtjspice("study", *arguments, code=2, folder=study)
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_folder_that_nothing_was_run_in(study, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "filter.cir").write_text(DECK)
    assert "there are no results in" in mtjspice("study", "status", tmp_path, code=2).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_cleanly_and_the_study_goes_on(study, tmp_path, number):
    (study / "long.toml").write_text(STUDY.replace("samples = 6", "samples = 400"))
    command = [sys.executable, "-m", "mtjspice.cli", "study", "run", str(study / "long.toml"), "--out", str(tmp_path)]
    process = subprocess.Popen(
        [*command, "--workers", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    end = time.monotonic() + 60
    while not (tmp_path / "points.sqlite-wal").exists() or (tmp_path / "points.sqlite-wal").stat().st_size < 200_000:
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    lines = errors.splitlines()
    assert lines[0].endswith("of 800 points are stored; --resume goes on")
    assert lines[1] == "mtjspice: interrupted"
    count = int(lines[0].split()[1])
    again = json.loads(mtjspice(*command[3:], "--resume", "--json").stdout)
    assert again["run"]["reused"] >= count
    assert again["status"] == {"ok": 800}
