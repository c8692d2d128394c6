"""The study files of examples/studies: they load, their analyses fit, and they run."""

import json
import time
from pathlib import Path

import pytest

from mtjspice.studies.analyses.catalogue import ANALYSES, analysis_of
from mtjspice.studies.study_file import load_study

FOLDER = Path(__file__).parent.parent / "examples" / "studies"
FILES = sorted(FOLDER.glob("*.toml"))
LONGEST = 60.0  # s, on two processors with nothing else to do


def test_there_is_an_example_of_the_standard_studies():
    assert {load_study(file).analysis for file in FILES} >= {
        "switching", "energy", "write-errors", "read-yield", "read-disturb", "array-map", "drift", "self-heating",
        "supply",
    }  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_load_and_their_analyses_fit(file):
    study = load_study(file)
    assert study.title
    assert analysis_of(study) is ANALYSES[study.analysis]
    assert file.read_text(encoding="utf-8").startswith("# ")


def test_an_example_tells_what_it_will_take(command_line):
    code, out, err = command_line(
        "study", "run", str(FOLDER / "switching_voltage.toml"), "--out", "unused", "--dry-run", "--json"
    )
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["points"], found["status"]) == (261, "ok")
    assert not Path("unused").exists()


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_run(file, command_line, capsys):
    begin = time.monotonic()
    code, out, _ = command_line("study", "run", str(file), "--out", "study", "--workers", "2", "--json")
    seconds = time.monotonic() - begin
    assert code == 0
    found = json.loads(out)
    assert {name for name, count in found["status"].items() if count} == {"ok"}
    assert all(table["rows"] for table in found["tables"])
    with capsys.disabled():
        print(f"{file.stem}: {seconds:.0f} s")
    assert seconds < 5 * LONGEST  # whatever else the machine does
    code, _, _ = command_line("study", "plot", "study", "-o", "figure.png")
    assert code == 0
    assert Path("figure.png").stat().st_size > 10_000
