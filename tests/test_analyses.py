"""The standard analyses against closed forms, on functions that are evaluated as studies of their own."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from mtjspice.device.card import load_card
from mtjspice.device.derived import conductance
from mtjspice.errors import InputError, SimulatorError
from mtjspice.reports.study_figures import FIGURES, draw
from mtjspice.reports.study_table import as_text
from mtjspice.reports.style import render
from mtjspice.statistics import wilson
from mtjspice.studies.analyses.base import Column, Table
from mtjspice.studies.analyses.catalogue import ANALYSES, analysis_of
from mtjspice.studies.analyses.crossings import crossings, slope_at
from mtjspice.studies.analyses.read_disturb import reads_until
from mtjspice.studies.analyses.self_heating import pulse_train_rise
from mtjspice.studies.driver import run_study
from mtjspice.studies.folder import StudyFolder
from mtjspice.studies.space import Space, Spread, Sweep
from mtjspice.studies.study import Study
from mtjspice.studies.subjects.circuit import CircuitSubject
from mtjspice.studies.subjects.function import FunctionSubject
from mtjspice.studies.subjects.on_waveform import Switching
from mtjspice.studies.subjects.train import TrainSubject
from mtjspice.studies.trim import Trim

V50, SCALE = 1.003, 0.05


def evaluated(tmp_path, function, dimensions, space, analysis, options=None, units=None, trim=None):
    """The dataset and the study of a function."""
    subject = FunctionSubject(function, dimensions, result_units=units or {})
    study = Study("a study", subject, space, analysis, options or {}, trim)
    run_study(study, tmp_path / "study")
    return StudyFolder(tmp_path / "study", study).dataset(), study


def rows_of(data, study, k=0):
    """The rows of a table as dictionaries; every figure is drawn on the way."""
    tables = analysis_of(study).tables(data, study)
    assert render(draw(data, study, tables)).startswith(b"\x89PNG")
    header, lines = as_text(tables[k])
    assert all(len(line) == len(header) for line in lines)
    return tables[k].as_dict()["rows"]


def switched(p, trials=0, error=0.0):
    return {
        "probability0": p, "low0": max(p - error, 0.0), "high0": min(p + error, 1.0), "write_error_rate0": 1 - p,
        "trials0": trials,
    }  # fmt: skip


def counted(successes, trials):
    found = wilson(successes, trials)
    return {"probability0": found.value, "low0": found.low, "high0": found.high,
            "write_error_rate0": 1 - found.value, "trials0": trials}  # fmt: skip


def sigmoid(values, seed):
    shift = 0.1 if values.get("corner") == "ss" else 0.0
    if abs(values["voltage"] - 0.7) < 1e-9:
        raise SimulatorError("the transient broke down")
    return switched(1 / (1 + math.exp(-(values["voltage"] - V50 - shift) / SCALE)), error=0.002)


def test_switching_finds_place_slope_and_window_of_a_sigmoid(tmp_path):
    space = Space((Sweep("corner", ("typical", "ss")), Sweep("voltage", tuple(np.linspace(0.7, 1.4, 36)), "V")))
    data, study = evaluated(tmp_path, sigmoid, {"voltage": "V", "corner": ""}, space, "switching")
    typical, ss = rows_of(data, study)
    half = SCALE * math.log(0.55 / 0.45)
    assert typical["V50"] == pytest.approx(V50, abs=2e-4)
    assert ss["V50"] == pytest.approx(V50 + 0.1, abs=2e-4)
    assert typical["slope"] == pytest.approx(1 / (4 * SCALE), rel=0.02)
    assert typical["window from"] == pytest.approx(V50 - half, abs=2e-4)
    assert typical["window to"] == pytest.approx(V50 + half, abs=2e-4)
    assert typical["+-"] == pytest.approx(0.002 * 4 * SCALE, rel=0.02)
    assert (typical["points"], typical["missing"]) == (35, 1)
    assert data.attrs["failed"] == 2


def test_every_crossing_of_an_oscillation_is_found():
    x = np.linspace(0, 3, 61)
    found = crossings(x, 0.5 - 0.5 * np.cos(2 * np.pi * x), np.zeros(61), 0.5, 0.05)
    assert [one.at for one in found] == pytest.approx([0.25, 0.75, 1.25, 1.75, 2.25, 2.75], abs=1e-6)
    assert [one.slope for one in found] == pytest.approx([math.pi * (-1) ** k for k in range(6)], rel=0.02)
    assert crossings(x, np.full(61, 0.2), np.zeros(61), 0.5, 0.05) == ()
    assert crossings(x[:1], x[:1], x[:1], 0.5, 0.05) == ()
    (one,) = crossings(np.array([0.0, 1.0]), np.array([0.48, 0.52]), np.zeros(2), 0.5, 0.05)
    assert math.isnan(one.low)  # the window goes beyond the ends
    assert math.isnan(one.high)


def test_a_curve_without_a_crossing_has_a_row_without_numbers(tmp_path):
    def never(values, seed):
        return switched(0.1)

    space = Space((Sweep("voltage", (1.0, 1.1, 1.2), "V"),))
    data, study = evaluated(tmp_path, never, {"voltage": "V"}, space, "switching")
    (row,) = rows_of(data, study)
    assert (row["crossing"], row["V50"], row["points"]) == (0, None, 3)


def test_slope_and_its_deviation():
    x = np.array([1.0, 2.0, 4.0])
    assert slope_at(x, 3 * x**2 - x, np.zeros(3), 2.5)[0] == pytest.approx(14.0)
    slope, deviation = slope_at(np.array([-1.0, 0.0, 1.0]), np.zeros(3), np.full(3, 0.1), 0.0)
    assert slope == pytest.approx(0.0)
    assert deviation == pytest.approx(0.1 / math.sqrt(2))


def test_trials_are_one_count_and_samples_a_mean(tmp_path):
    def binomial(values, seed):
        return counted(int(np.random.default_rng(seed).binomial(50, 0.3)), 50)

    space = Space((Sweep("temperature", (300.0, 350.0), "K"),), trials=40)
    data, study = evaluated(tmp_path / "a", binomial, {"temperature": "K"}, space, "drift")
    rows = rows_of(data, study, 1)
    total = round(float((data.probability0 * 50).isel(temperature=0).sum()))
    exact = wilson(total, 2000)
    assert (rows[0]["trials"], rows[0]["points"]) == (2000, 40)
    assert (rows[0]["P"], rows[0]["low"], rows[0]["high"]) == pytest.approx((exact.value, exact.low, exact.high))

    def device(values, seed):
        return switched(0.5 + 0.1 * values["x"])

    space = Space((Sweep("temperature", (300.0, 350.0), "K"),), (Spread("x", 0.0, 1.0, unit="1"),), samples=50)
    data, study = evaluated(tmp_path / "b", device, {"temperature": "K", "x": "1"}, space, "drift")
    row = rows_of(data, study, 1)[0]
    x = data.x.values
    assert row["P"] == pytest.approx(0.5 + 0.1 * x.mean())
    assert row["high"] - row["P"] == pytest.approx(1.96 * 0.1 * x.std(ddof=1) / math.sqrt(50), rel=1e-3)


def test_energy_is_divided_by_bits_and_names_the_junctions_apart(tmp_path):
    def spend(values, seed):
        factor = 2.0 if values["corner"] == "ff" else 1.0
        return {"delivered_vdd": 8e-12 * factor, "delivered_vw": 8e-13, "delivered_trigger": 8e-16,
                "delivered_sense": -8e-17, "junction_energy": 8e-14}  # fmt: skip

    space = Space((Sweep("corner", ("ss", "ff")),))
    data, study = evaluated(tmp_path, spend, {"corner": ""}, space, "energy", {"bits": 8})
    ss, ff = rows_of(data, study)
    assert ss["all sources"] == pytest.approx(1e-12 + 1e-13 + 1e-16 - 1e-17)
    assert (ss["vdd"], ff["vdd"]) == pytest.approx((1e-12, 2e-12))
    assert ss["others"] == pytest.approx(9e-17)
    assert ss["of it in junctions"] == pytest.approx(1e-14)
    assert "energy per bit" not in ss  # nothing but the sum of all sources could be called that
    assert ss["points"] == 1


def test_scores_of_write_errors(tmp_path):
    def rate(values, seed):
        if values["fidelity"] == "fokker-planck":
            return switched(0.9, error=1e-4)
        if values["fidelity"] == "cosim":
            raise SimulatorError("ngspice crashed")
        return counted(1000 - 119, 1000)

    space = Space((Sweep("fidelity", ("fokker-planck", "macrospin", "cosim")),))
    data, study = evaluated(tmp_path, rate, {"fidelity": ""}, space, "write-errors")
    exact, sampled, failed = rows_of(data, study)
    assert (exact["low"], exact["high"], exact["z"]) == (pytest.approx(0.0999), pytest.approx(0.1001), None)
    assert sampled["z"] == pytest.approx(19 / math.sqrt(1000 * 0.1 * 0.9))
    assert (sampled["errors"], sampled["expected"], sampled["trials"]) == (119, pytest.approx(100), 1000)
    assert (failed["write error rate"], failed["points"], failed["missing"]) == (None, 0, 1)


def test_small_error_rates_keep_their_accuracy(tmp_path):
    def rate(values, seed):
        return {**switched(1 - 1e-9, error=1e-10), "write_error_rate0": 1e-9}

    space = Space((Sweep("fidelity", ("fokker-planck", "macrospin")),))
    data, study = evaluated(tmp_path, rate, {"fidelity": ""}, space, "write-errors")
    row = rows_of(data, study)[0]
    assert row["low"] == pytest.approx(9e-10, rel=1e-4)
    assert row["high"] == pytest.approx(1.1e-9, rel=1e-4)


def margin(values, seed):
    """Outputs of a read: positive for AP; one sample in a hundred fails."""
    x = values["offset"]
    if abs(x) > 2.6:
        raise SimulatorError("no convergence")
    return {"margin": 0.1 + 0.05 * x if values["states"] == "1" else -0.1 + 0.05 * x}


def test_yield_is_that_of_the_normal_distribution(tmp_path):
    space = Space(
        (Sweep("states", ("0", "1")),), (Spread("offset", 0.0, 1.0, unit="1"),), samples=2048, sampling="sobol"
    )
    data, study = evaluated(
        tmp_path, margin, {"states": "", "offset": "1"}, space, "read-yield", units={"margin": "V"}
    )  # fmt: skip
    p, ap, both = rows_of(data, study)
    inside = norm.cdf(2.6) - norm.cdf(-2.6)
    failed = round(2048 * (1 - inside))
    for row in (p, ap):
        assert row["yield"] == pytest.approx((norm.cdf(2.6) - norm.cdf(-2.0)) / inside, abs=1.5e-3)
        assert row["low"] < row["yield"] < row["high"]
        assert row["reads"] + row["failed"] == 2048
        assert row["failed"] == pytest.approx(failed, abs=2)
        assert row["mean"] == pytest.approx(0.1, abs=1e-3)
        assert row["sigma"] == pytest.approx(0.1 / row["sd"], rel=2e-2)
    assert both["yield"] == pytest.approx((norm.cdf(2.0) - norm.cdf(-2.0)) / inside, abs=3e-3)
    least, most = (float(one) for one in p["yield if failed"].split(" to "))
    assert most - least == pytest.approx(p["failed"] / 2048, abs=1e-3)
    assert p["missing"] == 0


def test_reads_until_a_goal():
    assert reads_until(1e-6, 1e-9) == 1000
    assert reads_until(1e-6, 1e-15) == pytest.approx(1e9, rel=1e-6)
    assert reads_until(0.5, 0.5) == 1
    assert reads_until(1e-6, 1e-3) == 0
    assert reads_until(1e-6, 0.0) == math.inf
    assert math.isnan(reads_until(1e-6, math.nan))


def test_disturb_below_its_accuracy_is_an_upper_limit(tmp_path):
    def disturb(values, seed):
        p = 10 ** (values["bias"] * 10 - 16)
        return switched(p, error=1e-9)

    space = Space((Sweep("bias", (0.5, 0.8, 1.0), "V"),))
    data, study = evaluated(tmp_path, disturb, {"bias": "V"}, space, "read-disturb", {"goal": 1e-6})
    low, middle, high = rows_of(data, study)
    assert low["disturb"] is None
    assert low["at most"] == pytest.approx(1.01e-9)
    assert low["at least"] == 990
    assert middle["disturb"] == pytest.approx(1e-8)
    assert middle["reads to 1e-06"] == 100
    assert high["reads to 1e-06"] == 1


def test_retention_over_the_time_of_a_read():
    subject = CircuitSubject("read_current_latched", fidelity="macrospin")
    study = Study("", subject, Space((Sweep("bench.bias", (1.0, 1.2), "V"),)), "read-disturb")
    (table,) = ANALYSES["read-disturb"].tables(_empty(study), study)
    assert "barrier 45.6 kT" in table.notes[-1]  # meram100
    assert [row["points"] for row in table.as_dict()["rows"]] == [0, 0]


def _empty(study):
    """A dataset in which nothing is finished."""
    import xarray as xr

    shape = study.space.shape
    return xr.Dataset({"status": (study.space.dimensions, np.full(shape, "missing"))})


def test_maps_of_an_array(tmp_path):
    def cells(values, seed):
        found = {}
        for k, column in enumerate((0, 2, 3)):  # column 1 is not written
            drop = 1e-3 * (values["bench.row"] + column)
            found |= {f"amplitude{column}": 1.2 - drop, f"width{column}": 1e-9, f"probability{k}": 0.9 - drop}
        return found

    space = Space((Sweep("bench.row", (15.0, 0.0, 8.0), "1"),))
    data, study = evaluated(tmp_path, cells, {"bench.row": "1"}, space, "array-map")
    (amplitude,) = rows_of(data, study)
    assert (amplitude["nearest"], amplitude["farthest"]) == (pytest.approx(1.2), pytest.approx(1.182))
    assert (amplitude["smallest"], amplitude["cells"], amplitude["missing"]) == (pytest.approx(1.182), 9, 0)
    (probability,) = rows_of(data, study, 2)
    assert probability["farthest"] == pytest.approx(0.882)


def test_array_bench_measures_every_written_cell():
    values = {"rows": 4, "columns": 4, "bench.cycle": "write", "bench.mask": "0110", "bench.row": 2}
    subject = CircuitSubject("meram_array", fidelity="macrospin", values=values, switching=Switching(trials=50))
    names = subject.result_names({})
    assert {"width1", "amplitude1", "width2", "amplitude2", "probability0", "probability1"} < set(names)
    assert not {"width0", "width3", "probability2"} & set(names)
    bench = subject.bench(values).testbench()
    assert bench.observed == (1 * 4 + 2, 2 * 4 + 2)


def test_drift_slope_and_trimmed_value(tmp_path):
    def linear(values, seed):
        return switched(0.5 + 4.0 * (values["voltage"] - 1.0) + 2e-3 * (values["temperature"] - 298.15))

    trim = Trim("voltage", 0.9, 1.1, "probability0", 0.5, {"temperature": 298.15}, ("corner",), 1e-6, "V")
    space = Space((Sweep("corner", ("ss", "ff")), Sweep("temperature", (273.15, 298.15, 318.15, 358.15), "K")))
    data, study = evaluated(
        tmp_path, linear, {"voltage": "V", "temperature": "K", "corner": ""}, space, "drift", {"slope": "4 1/V"},
        trim=trim,
    )  # fmt: skip
    ss, _ = rows_of(data, study)
    assert ss["voltage"] == pytest.approx(1.0, abs=1e-6)
    assert ss["P at reference"] == pytest.approx(0.5, abs=1e-6)
    assert ss["slope"] == pytest.approx(2e-3, rel=1e-6)
    assert ss["largest drift"] == pytest.approx(0.12, rel=1e-5)
    assert ss["largest at"] == 358.15
    assert ss["would move by"] == pytest.approx(-0.03, rel=1e-5)
    assert rows_of(data, study, 1)[0]["P - 1/2"] == pytest.approx(-0.05, abs=1e-5)


def test_closed_form_of_a_heated_pulse_train():
    """Against the ordinary differential equation C dT/dt = p(t) - T/R, stepped exactly, pulse for pulse."""
    power, resistance, capacitance, width, period = 2e-5, 1e6, 3e-15, 1e-9, 4e-9
    tau, rise = resistance * capacitance, 0.0
    for _ in range(7):
        top = power * resistance + (rise - power * resistance) * math.exp(-width / tau)
        rise = top * math.exp(-(period - width) / tau)
    assert pulse_train_rise(power, resistance, capacitance, width, period, 8) == pytest.approx(rise, rel=1e-12)
    assert pulse_train_rise(power, 0.0, 0.0, width, period, 8) == 0.0


def test_simulated_heating_follows_the_closed_form(tmp_path):
    values = {"voltage": 0.2, "pulse_width": 1e-9, "card.thermal_resistance": 1e6, "card.thermal_capacitance": 3e-15}
    subject = TrainSubject("meram100", pulses=6, junctions=4, values=values)
    study = Study("", subject, Space((Sweep("period", (2e-9, 5e-9), "s"),)), "self-heating")
    run_study(study, tmp_path / "study")
    data = StudyFolder(tmp_path / "study", study).dataset()
    rows = rows_of(data, study)
    # at 0.2 V nothing switches: the junctions stay P, whose power is known
    power = 0.04 * conductance(load_card("meram100"), 1.0, 0.2)
    for row in rows:
        assert row["P(toggle)"] == 0.0
        exact = pulse_train_rise(power, 1e6, 3e-15, 1e-9, row["period"], 6)
        assert row["rise"] == pytest.approx(exact, rel=0.03)  # edges, and the thermal tilt of m
        assert row["peak"] > row["rise"]
        assert row["pulses"] == 3 * 4


def test_supply_sensitivity(tmp_path):
    def quadratic(values, seed):
        x = values["supply"] - 1.8
        return {"width": (1.0 - 0.5 * x + 0.2 * x * x) * 1e-9}

    supplies = tuple(1.8 * (1 + k) for k in (-0.1, -0.05, 0.0, 0.05, 0.1))
    space = Space((Sweep("supply", supplies, "V"),))
    options = {"result": "width", "nominal": "1.8 V"}
    data, study = evaluated(tmp_path, quadratic, {"supply": "V"}, space, "supply", options, {"width": "s"})
    (row,) = rows_of(data, study)
    assert row["at nominal"] == pytest.approx(1e-9)
    assert row["slope"] == pytest.approx(-0.5e-9, rel=1e-9)
    assert row["change"] == pytest.approx(-0.5e-9 * 0.36, rel=1e-9)
    assert row["points"] == 5


def test_supply_of_a_technology_is_the_nominal_one():
    space = Space((Sweep("supply", (3.0, 3.3, 3.6), "V"),))
    study = Study("", CircuitSubject("meram_word1"), space, "supply", {"result": "pulse_width"})
    (table,) = analysis_of(study).tables(_empty(study), study)
    (row,) = table.as_dict()["rows"]
    assert row["nominal"] == 3.3
    assert (row["points"], row["missing"]) == (0, 3)


VOLTS = Sweep("bench.voltage", (1.0, 1.1, 1.2), "V")


@pytest.mark.parametrize(
    ("analysis", "options", "sweeps", "fidelity", "message"),
    [
        ("switching", {}, (Sweep("corner", ("ss", "ff")),), "macrospin", "needs a sweep of numbers"),
        ("switching", {"along": "temperature"}, (VOLTS,), "macrospin", "needs the sweep 'temperature'; the study has"),
        ("switching", {}, (VOLTS,), "resistor", "choose a fidelity that tells whether junctions switch"),
        ("switching", {"tolerance": 0.9}, (VOLTS,), "macrospin", "options.tolerance = 0.9 is out of range; allowed"),
        ("switching", {"junction": 5}, (VOLTS,), "macrospin", "needs the result 'probability5'"),
        ("switching", {"tolerence": 0.1}, (VOLTS,), "macrospin", "has no option 'tolerence'; available: along,"),
        ("energy", {"bits": 0}, (VOLTS,), "resistor", "options.bits = 0 must be a whole number, 1 to"),
        ("write-errors", {}, (VOLTS,), "macrospin", 'such as fidelity = ["fokker-planck", "macrospin"]'),
        ("read-yield", {}, (VOLTS,), "resistor", "needs the sweep states"),
        ("read-disturb", {}, (VOLTS,), "resistor", "needs the result 'probability0'"),
        ("array-map", {}, (VOLTS,), "resistor", "needs the sweep 'bench.row'"),
        ("drift", {}, (VOLTS,), "macrospin", "needs the sweep 'temperature'"),
        ("drift", {"slope": 2}, (Sweep("temperature", (300.0, 350.0), "K"),), "macrospin", "belongs to a value that"),
        ("self-heating", {}, (VOLTS,), "macrospin", "needs the sweep 'period'"),
        ("supply", {}, (VOLTS,), "macrospin", "needs the sweep 'supply'"),
        ("supply", {"result": "nothing"}, (Sweep("supply", (3.0, 3.3, 3.6), "V"),), "macrospin", "result 'nothing'"),
        ("suply", {}, (VOLTS,), "macrospin", "unknown analysis 'suply'; available:"),
    ],
)  # fmt: skip
def test_studies_that_do_not_fit_are_refused_with_one_line(analysis, options, sweeps, fidelity, message):
    study = Study("", CircuitSubject("cell_1t1m", fidelity=fidelity), Space(sweeps), analysis, options)
    with pytest.raises(InputError) as caught:
        analysis_of(study)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_read_without_samples_has_no_yield():
    study = Study("", CircuitSubject("read_precharge"), Space((Sweep("states", ("0", "1")),)), "read-yield")
    with pytest.raises(InputError, match="needs samples"):
        analysis_of(study)


def test_results_of_a_function_are_checked_when_they_are_there(tmp_path):
    space = Space((Sweep("voltage", (1.0, 1.1, 1.2), "V"),))
    data, study = evaluated(tmp_path, lambda values, seed: {"other": 1.0}, {"voltage": "V"}, space, "switching")
    with pytest.raises(InputError, match="probability0"):
        analysis_of(study).tables(data, study)


def test_every_analysis_has_a_figure_and_a_line():
    assert set(ANALYSES) == set(FIGURES)
    for name, one in ANALYSES.items():
        assert one.name == name
        assert one.about
        assert all(text for text in one.options.values())


def test_slopes_have_prefixes_below_the_line():
    table = Table("", (Column("a", "1/s", (2.7e9, -6.6e8, 3.0)), Column("b", "1/K", (2e-3, 0.0, float("nan")))))
    assert as_text(table)[1] == [("2.7 1/ns", "0.002 1/K"), ("-660 1/µs", "0 1/K"), ("3 1/s", "-")]
