"""`mtjspice simulate`, `models compile`, `netlist model` and `doctor --install` as a user meets them."""

import csv
import json
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import xarray as xr

from mtjspice import simulate
from mtjspice.spice.compile import compile_model

DECK = """two junctions behind a resistor
V1 in 0 pwl(0 0 0.1n 0 0.15n 1.6 0.85n 1.6 0.9n 0)
Rs in n 2k
X1 n 0 mtj_cell
X2 n 0 mtj_cell state=-1
.save v(n) i(v1)
.tran 1p 1n
.end
"""


@pytest.fixture
def run(command_line):
    """The command line in a folder with the deck: (exit code, out, err)."""
    Path("deck.cir").write_text(DECK)
    return command_line


@pytest.mark.parametrize("command", [["simulate"], ["models", "compile"], ["netlist"], ["doctor"]])
def test_help_has_an_example(run, command):
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert f"Example: mtjspice {' '.join(command)}" in " ".join(out.split())


def test_json_and_files(run):
    code, out, err = run("simulate", "deck.cir", "--seed", "7", "--json", "--out", "w.nc", "--plot", "w.png")
    assert (code, err) == (0, "")
    shown = json.loads(out)
    expected = simulate(DECK, "meram100", seed=7)
    assert [found["path"] for found in shown["junctions"]] == ["x1", "x2"]
    assert shown["junctions"][0]["magnetization"] == expected.magnetization.values[-1, 0].tolist()
    assert shown["junctions"][1]["energy"] == float(expected.energy[-1, 1])
    assert (shown["fidelity"], shown["seed"]) == ("cosim", 7)
    with xr.open_dataset("w.nc") as stored:
        np.testing.assert_array_equal(stored["v(n)"], expected["v(n)"])
        np.testing.assert_array_equal(stored.magnetization, expected.magnetization)
    assert matplotlib.image.imread("w.png").shape[1] == 1280


def test_a_deck_that_includes_a_file_beside_it(run):
    Path("far").mkdir()
    Path("far/values.inc").write_text(".param r=2k\n")
    Path("far/deck.cir").write_text(DECK.replace("Rs in n 2k", ".include values.inc\nRs in n {r}"))
    code, out, err = run("simulate", "far/deck.cir", "--seed", "7", "--json")
    assert (code, err) == (0, "")
    expected = simulate(DECK, "meram100", seed=7)
    assert json.loads(out)["junctions"][0]["magnetization"] == expected.magnetization.values[-1, 0].tolist()


def test_table_and_csv_of_the_compiled_model(run):
    code, out, err = run("simulate", "deck.cir", "--fidelity", "verilog-a", "--out", "w.csv", "--vectors", "i(v1)")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("card meram100, verilog-a in ngspice-4")
    assert lines[2].split()[0] == "x1"
    with Path("w.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"time [s]", "x1 m_z", "x2 voltage [V]", "i(v1) [A]"} < set(rows[0])
    assert float(rows[-1]["time [s]"]) == pytest.approx(1e-9, rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["simulate", "nope.cir"], "cannot read the deck nope.cir"),
        (["simulate", "deck.cir", "--fidelity", "spectre"], "unknown fidelity 'spectre'; available: behavioral, cosim"),
        (["simulate", "deck.cir", "--engine", "none.so"], "none.so"),
        (["simulate", "deck.cir", "--fidelity", "resistor", "--engine", "none"], "cannot run"),
        (["simulate", "deck.cir", "--card", "nope"], "unknown card 'nope'"),
        (["simulate", "deck.cir", "--vectors", "v(x)"], "v(x)"),
        (["simulate", "deck.cir", "--out", "w.xls"], "must end in .nc, .csv"),
        (["simulate", "deck.cir", "--temperature", "900"], "temperature 900 K is out of range"),
        (["models", "compile", "nope.va"], "cannot read the Verilog-A source nope.va"),
        (["netlist", "model"], "a .model line needs a card"),
        (["netlist", "meram_word8", "meram100"], "a circuit takes --card"),
        (["doctor", "--install", "spectre"], "unknown tool 'spectre'; available: klayout, osdi-ngspice"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(run, arguments, message):
    code, out, err = run(*arguments)
    assert code > 0
    assert out == ""
    assert message in err.splitlines()[0]
    assert err.startswith("mtjspice: ")


def test_model_line_and_compiled_model(run):
    code, out, _ = run("netlist", "model", "meram100")
    assert code == 0
    assert out.startswith(".model mtj_card mtj(")
    assert "+ vcma_coefficient=" in out
    code, out, _ = run("models", "compile", "--json")
    assert code == 0
    assert json.loads(out) == {"path": str(compile_model())}


def test_doctor_knows_the_ngspice_for_verilog_a(run):
    code, out, _ = run("doctor", "--install", "osdi-ngspice", "--json")
    assert code == 0
    found = {tool["name"]: tool for tool in json.loads(out)}["ngspice with OSDI"]
    assert found["capabilities"] == {"osdi": True}
    assert Path(found["path"]).is_file()
