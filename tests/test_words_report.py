"""The report of noise words: rows, files and figures."""

import csv
import json

import pytest

from mtjspice.errors import InputError
from mtjspice.generative.encodings.programmed import ProductWords
from mtjspice.reports import words


@pytest.fixture(scope="module")
def report():
    return words.compare(("tree:6", "product:8", "popcount:16"), bits=6, devices=4, widths=(4, 8, 10))


class TestReport:
    def test_rows_are_those_of_the_laws(self, report):
        found = words.rows(report)
        assert [row[0] for row in found] == ["tree:6", "product:8", "popcount:16"]
        assert all(len(row) == len(words.HEADER) for row in found)
        assert found[1][5] == f"{ProductWords(8).law().distances().kl_bits:.3g}" == "0.0282"

    def test_files(self, report, tmp_path):
        words.write(report, tmp_path / "out")
        names = {path.name for path in (tmp_path / "out").iterdir()}
        assert names == {"laws.png", "pulses.png", "widths.png", "imperfections.png", "words.csv", "result.json"}
        found = json.loads((tmp_path / "out" / "result.json").read_text())
        assert found["laws"]["product:8"]["kl_bits"] == pytest.approx(0.0282, abs=1e-4)
        best = min(found["pulses"], key=lambda one: one["kl_bits"])
        assert best["x"] == found["target_pulses"] == 16
        with (tmp_path / "out" / "words.csv").open() as handle:
            table = list(csv.DictReader(handle))
        expected = len(report.pulses) + len(report.widths) + sum(map(len, report.imperfections.values()))
        assert len(table) == expected
        assert {row["comparison"] for row in table} == {"pulses", "width", "dp", "spread", "rho"}

    def test_figures_show_every_curve(self, report):
        drawing = words.widths_figure(report)
        labels = [text.get_text() for text in drawing.legends[0].get_texts()]
        assert labels == ["inverse CDF", "tree", "product", "uniform", "sum of 12", "popcount"]
        assert len(words.imperfections_figure(report).axes) == 9
        assert len(words.laws_figure(report).axes) == 4

    def test_needs_exact_laws(self):
        with pytest.raises(InputError, match="has no exact law to draw"):
            words.compare(("tree:8,drift=0.01",))
