"""Rare failures as studies: the exact answer of a linear function, the same however it is run, and Sobol indices."""

import json
import os
import signal
import subprocess
import sys
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
import study_functions as functions
from scipy.special import ndtr
from test_driver import stored, wait_for

from mtjspice.errors import InputError, MtjspiceError
from mtjspice.studies.analyses.catalogue import analysis_of
from mtjspice.studies.driver import run_study
from mtjspice.studies.folder import results
from mtjspice.studies.rare_study import run_rare, stored_estimate
from mtjspice.studies.space import Space, Spread
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.function import FunctionSubject

# 1 + 3 x - 2 y has the mean 1 + 30 - 8 = 23 and the variance 9 + 16 - 12 rho 2
SPREADS = (Spread("x", 10.0, 1.0), Spread("y", 4.0, 2.0))


def study(threshold: float, subject=functions.LINEAR, **options) -> Study:
    space = Space((), SPREADS, seed=options.pop("seed", 3), correlations=options.pop("correlations", {}))
    return Study("rare", subject, space, "rare", {"result": "sum", "threshold": threshold, **options})


@pytest.mark.parametrize(
    ("method", "samples", "factor"), [("importance", 400, 1.5), ("subset", 1000, 4.0), ("monte-carlo", 4000, 1.3)]
)
def test_a_linear_function_fails_as_often_as_the_normal_integral_says(tmp_path, method, samples, factor):
    """4.5 standard deviations below (2 for plain Monte Carlo); bounds of about four of each method's own errors."""
    sigmas = 2.0 if method == "monte-carlo" else 4.5
    one = study(23 - sigmas * 5, method=method, samples=samples)
    summary = run_rare(one, tmp_path)
    found = stored_estimate(tmp_path)
    assert found is not None
    exact = float(ndtr(-sigmas))
    assert exact / factor < found["probability"] < exact * factor
    assert found["trustworthy"]
    assert summary.failed == 0
    # far fewer points than failures are apart
    assert summary.points < 6500
    if method != "monte-carlo":
        assert summary.points < 0.1 / exact
    (table,) = analysis_of(one).tables(results(one, tmp_path), one)
    (row,) = table.as_dict()["rows"]
    assert row["sigma"] == pytest.approx(sigmas, abs=0.4)
    assert row["low"] < row["probability"] < row["high"]


def test_failures_above_and_correlations(tmp_path):
    """With a correlation of 0.5 the variance is 9 + 16 - 12 = 13; failure above 23 + 4 sqrt(13)."""
    one = study(23 + 4 * sqrt(13), fails="above", samples=400, correlations={("x", "y"): 0.5})
    run_rare(one, tmp_path)
    found = stored_estimate(tmp_path)
    assert found is not None
    assert found["probability"] == pytest.approx(float(ndtr(-4.0)), rel=0.3)


def test_workers_and_an_interruption_change_nothing(tmp_path):
    one = study(23 - 4 * 5, samples=200)
    run_rare(one, tmp_path / "one")
    run_rare(one, tmp_path / "two", workers=2)
    assert stored_estimate(tmp_path / "one") == stored_estimate(tmp_path / "two")
    script = (
        f"import sys\nsys.path[:0] = {[str(Path(__file__).parent)]!r}\nimport study_functions as functions\n"
        "import test_rare_study as tests\nfrom pathlib import Path\n"
        "from mtjspice.studies.rare_study import run_rare\n"
        "run_rare(tests.study(3.0, functions.SLOW, samples=200), Path(sys.argv[1]))\n"
    )
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", script, str(folder)])
    wait_for(lambda: stored(folder) > 50)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    slow = study(3.0, FunctionSubject(functions.linear, {"x": "1", "y": "1"}), samples=200)
    run_rare(slow, tmp_path / "whole")
    summary = run_rare(study(3.0, functions.SLOW, samples=200), folder)
    assert 50 < summary.reused < summary.points
    assert stored_estimate(folder) == stored_estimate(tmp_path / "whole")


def test_points_are_there_for_export_and_replay(tmp_path):
    one = study(23 - 4 * 5, samples=200)
    summary = run_rare(one, tmp_path)
    data = results(one, tmp_path)
    assert data.sizes["sample"] == summary.points
    np.testing.assert_allclose(data["sum"].values, 1 + 3 * data["x"].values - 2 * data["y"].values)
    assert json.loads(data.attrs["estimate"])["method"] == "importance-sampling"


def test_a_point_that_fails_ends_the_estimate(tmp_path):
    subject = FunctionSubject(functions.sometimes, {"x": "1", "y": "1"})
    with pytest.raises(MtjspiceError, match="the limit state is not a number"):
        run_rare(study(3.0, subject, samples=200), tmp_path)
    assert stored_estimate(tmp_path) is None
    assert stored(tmp_path) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"result": None}, "analysis 'rare' needs the option result"),
        ({"threshold": "low"}, "options.threshold = 'low' must be a number (SI)"),
        ({"samples": 3}, "samples = 3 of a method for rare failures must be at least 50"),
        ({"samples": 3.5}, "options.samples = 3.5 must be a whole number"),
        ({"method": "magic"}, "unknown method 'magic'"),
        ({"fails": "beside"}, "unknown side on which a point fails 'beside'"),
        ({"exploration": "all"}, "options.exploration = 'all' must be a whole number"),
        ({"tmr": 1}, "analysis 'rare' has no option 'tmr'"),
    ],
)
def test_options_that_are_wrong(options, message):
    given = {key: value for key, value in {"result": "sum", "threshold": 1.0, **options}.items() if value is not None}
    with pytest.raises(InputError) as caught:
        analysis_of(Study("rare", functions.LINEAR, Space((), SPREADS), "rare", given))
    assert message in str(caught.value)


def test_sobol_indices_of_a_linear_function_through_a_study(tmp_path):
    """Variances 9 and 16: first-order and total indices 0.36 and 0.64."""
    space = Space((), SPREADS, samples=4 * 256, sampling="saltelli")
    one = Study("sobol", functions.LINEAR, space, "sensitivity", {"result": "sum"})
    run_study(one, tmp_path)
    (table,) = analysis_of(one).tables(results(one, tmp_path), one)
    rows = {row["parameter"]: row for row in table.as_dict()["rows"]}
    assert rows["y"]["total"] == pytest.approx(0.64, abs=0.02)
    assert rows["x"]["total"] == pytest.approx(0.36, abs=0.02)
    assert rows["x"]["first order"] == pytest.approx(0.36, abs=0.05)


def test_a_regression_through_a_study(tmp_path):
    """Standardised coefficients 3/5 and -4/5; the linear model explains everything."""
    one = Study("regression", functions.LINEAR, Space((), SPREADS, samples=200), "sensitivity", {"result": "sum"})
    run_study(one, tmp_path)
    (table,) = analysis_of(one).tables(results(one, tmp_path), one)
    rows = table.as_dict()["rows"]
    assert [row["parameter"] for row in rows] == ["y", "x"]
    assert rows[0]["coefficient"] == pytest.approx(-0.8, abs=0.1)  # sample deviations differ by some percent
    assert "R^2 of the linear model: 1.000" in table.notes[1]
