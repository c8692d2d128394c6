"""The study files of examples/studies: they load, their analyses fit, and they run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mtjspice.reports.study_figures import draw
from mtjspice.reports.style import save
from mtjspice.studies.analyses.catalogue import ANALYSES, analysis_of
from mtjspice.studies.driver import run_study
from mtjspice.studies.folder import results
from mtjspice.studies.rare_study import run_rare
from mtjspice.studies.study import Study
from mtjspice.studies.study_file import load_study

FOLDER = Path(__file__).parent.parent / "examples" / "studies"
FILES = sorted(FOLDER.glob("*.toml"))


def test_there_is_an_example_of_the_standard_studies():
    assert {load_study(file).analysis for file in FILES} >= {
        "switching", "energy", "write-errors", "read-yield", "read-disturb", "array-map", "drift", "self-heating",
        "supply", "sensitivity", "rare",
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
def test_examples_run(file, tmp_path):
    """With fewer points (`make examples` runs them whole): every point is there, tables are filled, figures drawn."""
    study = smaller(load_study(file))
    run = run_rare if study.analysis == "rare" else run_study
    summary = run(study, tmp_path / "out")
    assert summary.points == summary.evaluated > 0
    assert summary.failed == 0
    data = results(study, tmp_path / "out")
    tables = analysis_of(study).tables(data, study)
    assert tables
    assert all(table.rows() for table in tables)
    save(draw(data, study, tables), tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def smaller(study: Study) -> Study:
    """At most four values of each sweep of numbers, few samples, and plain counting of what is rare."""
    space = study.space
    sweeps = tuple(
        sweep if isinstance(sweep.values[0], str) else replace(sweep, values=_spread(sweep.values))
        for sweep in space.sweeps
    )
    samples = min(space.samples, 8 * (len(space.spreads) + 2) if space.sampling == "saltelli" else 32)
    options = {**study.options, "method": "monte-carlo", "samples": 60} if study.analysis == "rare" else study.options
    return replace(study, space=replace(space, sweeps=sweeps, samples=samples), options=options)


def _spread(values: tuple) -> tuple:
    return tuple(values[k] for k in sorted({round(i * (len(values) - 1) / 3) for i in range(4)}))
