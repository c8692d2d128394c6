"""The command about energy and area: its numbers against one another, its tables and files, bad input."""

import csv
import json

import pytest

from mtjspice.circuits.library.digital import Lfsr
from mtjspice.circuits.library.meram import MeramWord
from mtjspice.circuits.technology import technology
from mtjspice.device.card import load_card
from mtjspice.errors import InputError
from mtjspice.layout import baselines, plan, require
from mtjspice.layout.area import Breakdown, Row, break_even
from mtjspice.reports import area as report

GF180 = technology("gf180mcu")


@pytest.fixture
def outcome():
    """By hand: a word of 2 pJ and 100 um2 a bit, a register at two supplies, two published generators."""
    rows = (
        Row("MeRAM word, 8 bits", "gf180mcu", 8, 2e-12, 800e-12, 4e8, "measured", "a"),
        Row("LFSR-8, 3.3 V", "gf180mcu", 1, 1e-12, 500e-12, 2e8, "measured", "b"),
        Row("LFSR-8, 1.8 V", "gf180mcu", 1, 3e-13, 500e-12, 2e8, "measured", "c"),
        Row("TRNG", "28 nm", 1, 4e-14, None, None, "published", "d"),
        Row("P-bits in situ", "unknown", 1, 8.9e-14, 0.0, 3e10, "published", "e"),
    )
    areas = (Breakdown("meram_array_2x4", 8, 800e-12, 16e-12, 4),)
    return report.Outcome("gf180mcu", (3.3, 1.8), False, rows, areas, tuple(break_even(rows, rows[0].name)), ("x",))


def test_ratios_by_hand(outcome):
    """1 pJ x 500 um2 to 2 pJ x 100 um2; with the whole areas and rates 500 / 200 to 1600 / 400."""
    word, register, _, unknown, nothing = outcome.rows
    assert outcome.ratio(word) == outcome.rate_ratio(word) == 1
    assert outcome.ratio(register) == pytest.approx(2.5)
    assert outcome.rate_ratio(register) == pytest.approx(2.5 / 4)
    assert (outcome.ratio(unknown), outcome.rate_ratio(unknown), outcome.ratio(nothing)) == (None, None, None)


def test_tables_by_hand(outcome):
    comparison, areas, against = report.tables(outcome)
    assert all(len(row) == len(header) for header, rows in (comparison, areas, against) for row in rows)
    assert comparison[1][1] == ("LFSR-8, 3.3 V", "gf180mcu", "measured", "1000", "500", "500", "2.5", "200", "0.625")
    assert comparison[1][3] == ("TRNG", "28 nm", "published", "40", "-", "-", "-", "-", "-")
    assert areas[1] == [("meram_array_2x4", "8", "800", "100", "16", "2.0%", "4", "200")]
    assert against[1][0] == ("LFSR-8, 3.3 V", "2.5", "400", "5", "0.25", "20")
    assert len(against[1]) == 2  # of the others the figure is not known


def test_notes_say_what_is_left_out(outcome):
    lines = report.notes(outcome)
    assert any("without the wires" in line for line in lines)
    assert lines[-1] == "left out: x; run without --quick for all"


def test_files(outcome, tmp_path):
    report.write(outcome, tmp_path / "found")
    found = json.loads((tmp_path / "found" / "result.json").read_text())
    assert found == json.loads(json.dumps(outcome.as_dict()))
    assert found["rows"][1]["energy_per_bit_per_area"] == pytest.approx(5e-22, rel=1e-12, abs=0)
    with (tmp_path / "found" / "comparison.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["name"] for row in rows] == [row.name for row in outcome.rows]
    assert (float(rows[1]["energy"]), rows[3]["area"]) == (1e-12, "")
    lines = (tmp_path / "found" / "tables.md").read_text().splitlines()
    assert lines[1] == "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    assert (tmp_path / "found" / "figure.png").stat().st_size > 10_000


def test_the_figure(outcome):
    """Everything with energy and area is in it, the word's product is a line through the word."""
    axis = report.figure(outcome).axes[0]
    drawn = {(float(x), float(y)) for line in axis.lines for x, y in zip(*line.get_data(), strict=True)}
    for row in outcome.rows[:3]:
        assert any(
            x == pytest.approx(row.area_per_bit * 1e12) and y == pytest.approx(row.energy * 1e15) for x, y in drawn
        ), row.name
    words = next(line for line in axis.lines if line.get_label().startswith("E x A of the MeRAM word"))
    assert words.get_xdata() * words.get_ydata() == pytest.approx([2e5, 2e5])
    texts = {text.get_text() for text in axis.texts}
    assert {"28 nm", "3.3 V", "1.8 V"} <= texts
    assert axis.get_xlabel().endswith("(µm²)")
    assert axis.get_ylabel().endswith("(fJ)")
    low, high = axis.get_xlim()
    assert (low < 100, high > 500) == (True, True)


# --- the command ---------------------------------------------------------------------------------------------


def test_a_quick_comparison(command_line, tmp_path, monkeypatch):
    """Simulated, in few clocks: areas are those of the layouts, the figure is their product with the energies."""
    monkeypatch.setattr(baselines, "CLOCKS", 12)
    code, out, error = command_line(
        "area", "--quick", "--no-wires", "--supply", "3.3V", "--out", str(tmp_path), "--json",
        "--plot", str(tmp_path / "plot.svg"),
    )  # fmt: skip
    assert (code, error) == (0, "")
    found = json.loads(out)
    assert found == json.loads((tmp_path / "result.json").read_text())
    assert (found["supplies"], found["wires"], found["left_out"]) == ([3.3], False, list(report.LEFT_OUT))
    rows = {row["name"]: row for row in found["rows"]}
    word, register = rows["MeRAM word, 8 bits"], rows["LFSR-8, 3.3 V"]
    assert word["area"] == pytest.approx(
        plan.area(MeramWord(GF180, card=load_card("meram100"), bits=8)), rel=1e-12, abs=0
    )
    assert register["area"] == pytest.approx(plan.area(Lfsr(GF180)), rel=1e-12, abs=0)
    assert word["energy_per_bit_per_area"] == pytest.approx(word["energy"] * word["area"] / 8, rel=1e-12, abs=0)
    assert 1e-13 < register["energy"] < word["energy"] < 1e-11
    assert {"ChaCha20, 3.3 V", "Philox4x32-10, 3.3 V", "STT generator, 4 channels"} <= rows.keys()
    assert "LFSR-16, 3.3 V" not in rows
    even = {one["against"]: one for one in found["break_even"]}["LFSR-8, 3.3 V"]
    assert even["ratio"] == pytest.approx(register["ratio_to_word"])
    assert even["energy"] * word["area_per_bit"] * 1000 == pytest.approx(
        register["energy_per_bit_per_area"], rel=1e-9, abs=0
    )
    arrays = {one["name"]: one for one in found["areas"]}
    array = arrays["meram_array_64x8"]
    assert array["area"] / 512 == pytest.approx(array["area_per_bit"], rel=1e-12, abs=0)
    assert array["area_per_bit"] < word["area_per_bit"] < array["area_per_operation_bit"]
    assert (tmp_path / "plot.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--technology", "sky130"), "unknown technology of layouts 'sky130'; available: gf180mcu"),
        (("--supply", "5V"), "LfsrBench: supply_voltage = 5 V is out of range"),
        (("--supply", "3.3V", "--supply", "3300mV"), "each --supply may be given once"),
        (("--supply", "3.3s"), "--supply"),
        (("--plot", "area.txt"), "area.txt"),
    ],
)
def test_bad_input_is_one_clear_line(command_line, arguments, message):
    code, out, error = command_line("area", *arguments)
    assert (code, out) == (2, "")
    assert message in error
    assert len(error.strip().splitlines()) == 1


def test_wires_need_klayout(command_line, monkeypatch):
    def missing():
        raise InputError(require.MESSAGE)

    monkeypatch.setattr(require, "klayout_db", missing)
    code, _, error = command_line("area", "--wires")
    assert code == 2
    assert require.MESSAGE in error


@pytest.mark.parametrize("there", [True, False])
def test_wires_are_drawn_where_klayout_is(command_line, monkeypatch, outcome, there):
    asked = []

    def missing():
        raise InputError(require.MESSAGE)

    def run(tech, supplies, *, wires, quick, stage):
        asked.append((tech.name, tuple(supplies), wires, quick))
        return outcome

    if not there:
        monkeypatch.setattr(require, "klayout_db", missing)
    monkeypatch.setattr(report, "run", run)
    code, out, error = command_line("area")
    assert (code, error) == (0, "")
    assert asked == [("gf180mcu", (3.3, 1.8), there, False)]
    assert "LFSR-8, 1.8 V" in out
    assert "left out: x" in out


def test_help_has_an_example(command_line):
    code, out, _ = command_line("area", "--help")
    assert code == 0
    assert "mtjspice area --out area" in out
