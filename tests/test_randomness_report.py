"""Tables and figures of the SP 800-22 suite."""

from functools import lru_cache

import numpy as np
import pytest

from mtjspice.bits.sp800_22.battery import run_sequences
from mtjspice.bits.sp800_22.suite import NAMES, run_suite
from mtjspice.bits.stream import BitStream
from mtjspice.reports import randomness, style


@lru_cache
def suite(ones=0.5, n=400_000):
    return run_suite(np.random.default_rng(1).random(n) < ones)


@lru_cache
def battery(sequences=60, ones=0.5):
    bits = np.random.default_rng(2).random(sequences * 24_000) < ones
    return run_sequences(BitStream.from_bits(bits, "emulated", {}), 24_000)


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def labels(axis):
    return [text.get_text() for text in axis.get_yticklabels()]


def marks(axis, colour):
    """Values of the marks of p-values and proportions in a colour, by line."""
    return [
        (float(line.get_xdata()[0]), round(float(line.get_ydata()[0])))
        for line in axis.lines
        if line.get_marker() in "oD<" and line.get_color() == colour and len(line.get_xdata()) == 1
    ]


class TestOneSequence:
    def test_table(self):
        header, rows = randomness.table(suite())
        assert header == ("test", "p-value", "threshold", "verdict", "remark")
        assert [row[0] for row in rows] == list(NAMES)
        assert all(len(row) == len(header) and all(isinstance(cell, str) for cell in row) for row in rows)
        cells = {row[0]: row[1:] for row in rows}
        assert cells["frequency"] == (f"{suite()['frequency'].p_values[0]:.4f}", "0.01", "pass", "")
        assert cells["rank"][2] == "pass"
        assert cells["linear-complexity"] == ("", "", "n/a", "needs 1000000 bits, got 400000")
        templates = suite()["non-overlapping-template"]
        smallest = min(templates.p_values)
        where = templates.labels[templates.p_values.index(smallest)]
        assert cells["non-overlapping-template"][1] == "6.79e-05"
        assert cells["non-overlapping-template"][3] == f"smallest of 148: {where}"

    def test_table_of_every_p_value(self):
        header, rows = randomness.every_table(suite(0.51))
        assert header == ("test", "of", "p-value", "threshold", "verdict", "remark")
        missing = [result for result in suite(0.51).results if not result.p_values]
        assert len(rows) == suite(0.51).p_value_count + len(missing)
        result = suite(0.51)["non-overlapping-template"]
        cells = [row[1:5] for row in rows if row[0] == result.name]
        assert [cell[0] for cell in cells] == list(result.labels)
        assert [cell[3] == "pass" for cell in cells] == [p >= result.parameters["threshold"] for p in result.p_values]
        assert "FAIL" in {cell[3] for cell in cells}
        assert [row[5] for row in rows if row[4] == "n/a"] == [result.note for result in missing]

    def test_table_of_bad_bits(self):
        cells = {row[0]: row for row in randomness.table(suite(0.51))[1]}
        p = suite(0.51)["frequency"].p_values[0]
        assert cells["frequency"][1:4] == (f"{p:.1e}", "0.01", "FAIL")
        assert cells["runs"][1:4] == ("0", "0.01", "FAIL")
        assert "2/sqrt(n)" in cells["runs"][4]

    def test_summary(self):
        found = suite()
        passed = sum(result.passed is True for result in found.results)
        assert randomness.summary(found) == (
            f"{passed} of 10 tests passed; {found.p_values_below()} of 158 p-values are below 0.01 "
            "(1.58 expected by chance)"
        )

    def test_figure_shows_every_p_value(self):
        found = suite(0.502)
        figure = randomness.figure(found)
        axis = figure.axes[0]
        assert labels(axis) == list(NAMES)
        assert (axis.get_xlabel(), axis.get_xscale()) == ("p-value", "log")
        assert figure.get_size_inches()[0] == style.WIDTH
        good, bad = marks(axis, style.BLUE), marks(axis, style.RED)
        floor = axis.get_xlim()[0]
        expected = {True: [], False: []}
        for line, result in enumerate(found.results):
            for p in result.p_values:
                expected[p >= result.parameters["threshold"]].append((max(p, floor), line))
        assert good == expected[True]
        assert bad == expected[False]
        assert len(bad) >= 3
        assert texts(figure) == [f"n/a: {result.note}" for result in found.results if not result.p_values]
        assert style.render(figure).startswith(b"\x89PNG")

    def test_p_values_beyond_the_axis_are_triangles(self):
        figure = randomness.figure(suite(0.6))
        axis = figure.axes[0]
        triangles = [line for line in axis.lines if line.get_marker() == "<"]
        assert triangles
        assert all(line.get_xdata()[0] == axis.get_xlim()[0] == 1e-8 for line in triangles)


class TestManySequences:
    def test_table_has_one_row_a_test(self):
        header, rows = randomness.battery_table(battery())
        assert header == ("test", "sequences", "proportion", "allowed", "uniformity", "verdict", "remark")
        assert [row[0] for row in rows] == list(NAMES)
        cells = {row[0]: row[1:] for row in rows}
        row = battery().rows[0]
        assert cells["frequency"][:3] == ("60", f"{row.proportion:.4f}", "0.9515 to 1.0000")
        assert cells["rank"][4] == "n/a"
        assert "needs 38912 bits" in cells["rank"][5]
        lowest = min(r.proportion for r in battery().rows if r.test == "non-overlapping-template")
        assert cells["non-overlapping-template"][1] == f"{lowest:.4f}"

    def test_table_of_every_row(self):
        _, rows = randomness.battery_table(battery(), every=True)
        assert len(rows) == len(battery().rows) == 7 + 1 + 148 + 7
        assert [row[6] for row in rows if row[0] == "cumulative-sums"] == ["forward", "backward"]

    def test_failing_rows_come_first(self):
        cells = {row[0]: row[1:] for row in randomness.battery_table(battery(60, 0.52))[1]}
        assert cells["frequency"][4] == "FAIL"
        assert cells["cumulative-sums"][5].startswith("2 of 2 fail, worst: ")
        failed = len(battery(60, 0.52).failed())
        assert f"{failed} of 155 rows fail" in randomness.battery_summary(battery(60, 0.52))

    def test_too_few_sequences(self):
        cells = {row[0]: row[1:] for row in randomness.battery_table(battery(3))[1]}
        assert cells["frequency"][0] == "3"
        assert cells["frequency"][4:] == ("n/a", "3 sequences are fewer than the 55 needed")

    @pytest.mark.parametrize(("sequences", "ones"), [(60, 0.5), (60, 0.52), (3, 0.5)])
    def test_figure(self, sequences, ones):
        found = battery(sequences, ones)
        figure = randomness.battery_figure(found)
        left, right = figure.axes
        assert labels(left) == list(NAMES)
        assert "proportion" in left.get_xlabel()
        assert "uniformity" in right.get_xlabel()
        groups = randomness.grouped(found)
        grey, good, bad = (marks(left, colour) for colour in ("#888888", style.BLUE, style.RED))
        for drawn, verdict in ((grey, None), (good, True), (bad, False)):
            assert drawn == [
                (row.proportion, line)
                for line, group in enumerate(groups)
                for row in group
                if row.proportion is not None and row.proportion_passed is verdict
            ]
        uniform = [row.uniformity for row in found.rows if row.uniformity is not None]
        assert len(marks(right, style.BLUE)) + len(marks(right, style.RED)) == len(uniform)
        assert texts(figure) == ["n/a"] * sum(group[0].proportion is None for group in groups)
        assert style.render(figure, "svg") == style.render(randomness.battery_figure(found), "svg")
