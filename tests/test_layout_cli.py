"""`mtjspice layout` and `mtjspice simulate --parasitics layout` as a user calls them."""

import json
import re
import sys
from pathlib import Path

import klayout.db as kdb
import pytest

ROOT = Path(__file__).parent.parent


def test_everything_about_a_word_at_once(command_line, tmp_path):
    code, out, _ = command_line(
        "layout", "meram_word8", "-o", "word.gds", "--png", "word.png", "--section", "cut.svg", "--drc", "--lvs",
        "--area", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    assert found["area"] == pytest.approx(found["width"] * found["height"], rel=1e-12, abs=0)
    assert 4e-9 < found["area"] < 8e-9
    assert found["drc"] == {"violations": 0, "rules": {}}
    assert found["lvs"] == {"match": True, "problems": []}
    layout = kdb.Layout()
    layout.read(str(tmp_path / "word.gds"))
    assert [cell.name for cell in layout.top_cells()] == ["meram_word8"]
    assert (tmp_path / "word.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "cut.svg").read_text(encoding="utf-8")
    assert (tmp_path / "word.gds").read_bytes() == (ROOT / "layouts/meram_word8.gds").read_bytes()


def test_layouts_are_listed_and_several_share_a_file(command_line, tmp_path):
    code, out, _ = command_line("layout", "--list")
    assert code == 0
    assert re.search(r"precharge_amplifier +precharge sense amplifier", out)
    names = {entry["name"] for entry in json.loads(command_line("layout", "--list", "--json")[1])}
    assert {"nfet", "meram_array", "cim_column8"} <= names
    code, out, _ = command_line("layout", "inverter", "nand2", "-o", "two.gds", "--drc", "--json")
    assert code == 0
    assert [one["name"] for one in json.loads(out)] == ["inverter", "nand2"]
    layout = kdb.Layout()
    layout.read(str(tmp_path / "two.gds"))
    assert {cell.name for cell in layout.top_cells()} == {"inverter", "nand2"}


def test_parameters_and_a_guard_ring_change_the_area(command_line):
    plain = json.loads(command_line("layout", "inverter", "--json")[1])["area"]
    strong = json.loads(command_line("layout", "inverter", "--set", "strength=8", "--json")[1])["area"]
    code, out, _ = command_line("layout", "inverter", "--guard-ring", "--drc", "--lvs", "--json")
    ringed = json.loads(out)
    assert code == 0
    assert ringed["lvs"]["match"]
    assert ringed["drc"]["violations"] == 0
    assert plain < ringed["area"]
    assert plain < strong


def test_before_and_after(command_line):
    code, out, _ = command_line("layout", "read_precharge", "--post", "--wires")
    assert code == 0
    assert re.search(r"read_precharge +q, qb +\d.* fF.* %", out)
    assert re.search(r"read_precharge +delay +2\.\d+ ns +\d\.\d+ ns +[01]\.\d+", out)
    code, out, _ = command_line(
        "simulate", "read_precharge", "--fidelity", "resistor", "--parasitics", "layout", "--json"
    )
    assert code == 0
    drawn = json.loads(out)["measurements"]["delay"]
    plain = json.loads(command_line("simulate", "read_precharge", "--fidelity", "resistor", "--json")[1])
    assert drawn != plain["measurements"]["delay"]
    assert drawn == pytest.approx(plain["measurements"]["delay"], rel=0.2, abs=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["layout"], "name a circuit; `mtjspice layout --list` lists them"),
        (["layout", "inverterx"], "unknown layout 'inverterx'; available: nfet"),
        (["layout", "inverter", "inverter"], "the cell inverter is named twice"),
        (["layout", "inverter", "-o", "inverter.oas"], "--output inverter.oas must end in .gds"),
        (["layout", "inverter", "nand2", "--png", "a.png"], "--png and --section are of one circuit"),
        (["layout", "cell_1t1m", "--set", "access=0.3um"], "cannot be 0.3 um wide; at least 0.36 um"),
        (["layout", "inverter", "--section", "a.png"], "no junction"),
        (["layout", "inverter", "--post"], "inverter has no bench"),
        (["layout", "inverter", "--card", "meram100"], "inverter has no junction that a card could describe"),
        (["simulate", "cell_1t1m", "--parasitics", "drawn"], "unknown parasitics 'drawn'"),
        (["simulate", "cell_1t1m", "--technology", "sky130", "--parasitics", "layout"], "gf180mcu only, not in sky130"),
    ],
)
def test_bad_input_is_one_line(command_line, arguments, message):
    code, out, err = command_line(*arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_without_klayout_there_is_the_area(command_line, monkeypatch):
    monkeypatch.setitem(sys.modules, "klayout", None)
    monkeypatch.setitem(sys.modules, "klayout.db", None)
    code, out, _ = command_line("layout", "meram_word8", "--area", "--json")
    assert code == 0
    assert json.loads(out)["area"] > 4e-9
    code, out, err = command_line("layout", "meram_word8", "--drc", "-o", "w.gds", "--json")
    assert code == 2
    assert json.loads(out)["area"] > 4e-9
    assert "left out: GDSII, design rules; " in err
    assert "pip install 'mtjspice[layout]'" in err
