"""Examinations as a table and as a figure."""

import numpy as np
import pytest

from mtjspice.bits.examination import examine
from mtjspice.bits.sources.catalogue import open_source
from mtjspice.bits.stream import BitStream
from mtjspice.reports import examination, style


@pytest.fixture(scope="module")
def good():
    return examine(open_source("pcg64", 1).stream(20_000))


@pytest.fixture(scope="module")
def devices():
    return examine(open_source("emulated:fair,p=0.52,lanes=16,spread=0.2", 1).stream(20_000), health_entropy=0.9)


def test_table(good, devices):
    header, rows = examination.table(devices)
    assert header == ("quantity", "value", "95 % interval", "p-value", "remark")
    assert all(len(row) == len(header) for row in rows)
    by_name = {row[0]: row for row in rows}
    ones = devices.diagnosis.ones
    assert by_name["ones"][1] == f"{ones.value:.6f}"
    assert by_name["ones"][2] == f"{ones.low:.6f} to {ones.high:.6f}"
    assert by_name["ones of the worst lane"][1] == f"{devices.lanes[devices.worst_lanes[0]].value:.6f}"
    assert by_name["next bit, Markov, device"][1] == f"{devices.predictions['markov-device'].accuracy.value:.5f}"
    assert by_name["health alarms"][4] == "for a min-entropy of 0.9"
    shown = {row[3] for row in rows}
    for question in devices.asked:
        assert f"{question.p_value:.3g}" in shown, question.asked
    assert "Hamming distance of parts" in {row[0] for row in examination.table(good)[1]}


def test_figure_of_one_lane(good):
    figure = examination.figure(good)
    titles = ["Ones against time", "Autocorrelation", "Allan deviation of the ones", "Next bit guessed right"]
    assert [axis.get_title() for axis in figure.axes] == titles
    windows, lags, allan, predictors = figure.axes
    np.testing.assert_allclose(windows.lines[0].get_ydata(), [100 * one.value for one in good.drift.windows.ones])
    np.testing.assert_allclose(lags.lines[0].get_ydata(), good.diagnosis.autocorrelation)
    drawn = {line.get_label(): line for line in allan.lines}
    np.testing.assert_allclose(drawn["independent bits"].get_ydata(), good.drift.stream.white)
    assert [tick.get_text() for tick in predictors.get_yticklabels()] == [
        "Markov", "logistic", "logistic, pairs", "perceptron", "recurrence",
    ]  # fmt: skip
    assert figure.get_size_inches()[0] == style.WIDTH
    assert style.render(figure) == style.render(examination.figure(good))


def test_figure_of_lanes(devices):
    axes = examination.figure(devices).axes
    assert axes[-1].get_title() == "Ones of each lane"
    drawn = np.concatenate([container.lines[0].get_ydata() for container in axes[-1].containers])
    assert sorted(drawn) == pytest.approx(sorted(100 * lane.value for lane in devices.lanes))


@pytest.mark.parametrize("bits", [np.zeros(1000), np.arange(40) % 2, [0, 1]])
def test_figure_says_what_is_missing(bits):
    found = examine(BitStream.from_bits(bits, "unknown", {}))
    figure = examination.figure(found)
    assert style.render(figure)
    shown = " ".join(text.get_text() for axis in figure.axes for text in axis.texts).replace("\n", " ")
    assert found.absent["drift"] in shown
    rows = examination.table(found)[1]
    assert ("drift", "n/a", "", "", found.absent["drift"]) in rows
