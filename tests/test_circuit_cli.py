"""netlist, simulate, schematic and calibrate-pulse as a user calls them."""

import json
import re

import pytest


def test_circuits_and_their_parameters_are_listed(command_line):
    code, out, _ = command_line("netlist", "--list")
    assert code == 0
    assert "meram_array" in out
    code, out, _ = command_line("netlist", "--list", "--json")
    names = [entry["name"] for entry in json.loads(out)]
    assert "pulse_writer" in names
    code, out, _ = command_line("netlist", "meram_word8", "--list", "--technology", "sky130")
    assert re.search(r"column\.cell\.access +1\.68 um +0\.42 um to 100 um +access transistor", out)
    assert re.search(r"column\.bit_line_capacitance .*\(assumed\)", out)
    assert "bench.write_rail" in out
    code, out, _ = command_line("netlist", "cell_1t1m", "--list", "--json")
    access = next(one for one in json.loads(out) if one["name"] == "access")
    assert (access["value"], access["unit"]) == (1.2e-6, "m")


def test_set_changes_what_is_written(command_line):
    _, plain, _ = command_line("netlist", "cell_1t1m")
    _, wider, _ = command_line("netlist", "cell_1t1m", "--set", "access=2.4um", "--set", "bench.voltage=1 V")
    assert "w=1.2e-06" in plain
    assert "w=2.4e-06" in wider
    assert plain.count("\n") == wider.count("\n")
    _, alone, _ = command_line("netlist", "cell_1t1m", "--subcircuit")
    assert ".tran" not in alone
    assert alone.count(".ends") == 2


def test_simulate_by_name_prints_what_the_bench_measures(command_line, tmp_path):
    code, out, _ = command_line(
        "simulate", "cell_1t1m", "--technology", "freepdk45", "--corner", "ss", "--seed", "3", "--json",
        "--set", "bench.voltage=0.9V", "--plot", "a.svg", "--out", "a.nc",
    )  # fmt: skip
    assert code == 0
    data = json.loads(out)
    assert data["corner"] == "ss"
    assert 0.5 < data["measurements"]["junction0_voltage"] <= 0.9
    assert data["measurements"]["junction0_width"] == pytest.approx(1e-9, rel=0.05)
    assert data["junctions"][0]["path"] == "xdut.xmtj"
    assert (tmp_path / "a.svg").stat().st_size > 1000
    assert (tmp_path / "a.nc").stat().st_size > 1000


def test_a_circuit_without_junctions_is_simulated_too(command_line, tmp_path):
    code, out, _ = command_line("simulate", "pulse_writer", "--plot", "p.png", "--out", "p.csv")
    assert code == 0
    assert re.search(r"width +3\d\d(\.\d+)? ps", out)
    assert (tmp_path / "p.png").stat().st_size > 1000
    assert (tmp_path / "p.csv").read_text().startswith("time [s],")


def test_schematic_of_a_part(command_line, tmp_path):
    assert command_line("schematic", "meram_word8", "--part", "column0.sense", "-o", "s.svg")[0] == 0
    drawing = (tmp_path / "s.svg").read_text()
    assert drawing.lstrip().startswith("<svg") or "<svg" in drawing[:300]
    assert "clampq" in drawing
    code, out, _ = command_line("schematic", "cell_2t2m", "-o", "-")
    assert code == 0
    assert "accessa" in out


def test_calibrate_pulse(command_line):
    code, out, _ = command_line("calibrate-pulse", "--width", "1ns", "--amplitude", "0.8V", "--technology", "freepdk45",
                                "--json")  # fmt: skip
    assert code == 0
    found = json.loads(out)
    assert found["width"] == pytest.approx(1e-9, rel=0.03)
    assert found["amplitude"] == pytest.approx(0.8, rel=0.01)
    assert found["conditions"]["corner"] == "nom"
    assert 0.1 < found["settings"]["control"] < 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["netlist"], "name a circuit; `mtjspice netlist --list` lists them"),
        (["netlist", "nothing"], "unknown circuit 'nothing'; available: pulse_writer"),
        (["netlist", "cell_1t1m", "--set", "access"], "--set 'access' must be NAME=VALUE"),
        (["netlist", "cell_1t1m", "--set", "access=1um", "--set", "access=2um"], "--set access is given twice"),
        (["netlist", "cell_1t1m", "--set", "access=1 V"], "access: '1 V' has the wrong unit"),
        (["netlist", "cell_1t1m", "--set", "access=0.1um"], "Cell1T1M: access = 0.1 um is out of range; allowed: 0.22"),
        (["netlist", "cell_1t1m", "--set", "acess=1um"], "cell_1t1m has no parameter 'acess'; available: access"),
        (["netlist", "cell_1t1m", "--corner", "tt"], "unknown gf180mcu corner 'tt'"),
        (["netlist", "cell_1t1m", "--technology", "x.toml"], "there is no technology file x.toml"),
        (
            ["netlist", "cell_1t1m", "--technology", "sky130", "--mismatch-seed", "1"],
            "the model cards of sky130 have no",
        ),
        (["schematic", "cell_1t1m", "-o", "x.png"], "--output x.png must end in .svg"),
        (["schematic", "cell_1t1m", "-o", "x.svg", "--part", "y"], "cell_1t1m has no part 'y'; it has none"),
        (
            ["simulate", "nowhere.cir"],
            "cannot read the deck nowhere.cir: No such file or directory (nor is it a circuit",
        ),
        (["simulate", "cell_1t1m", "--fidelity", "spice"], "unknown fidelity 'spice'"),
        (["simulate", "cell_1t1m", "--vectors", "v(a)"], "--vectors is for decks"),
        (
            ["simulate", "a.cir", "--corner", "ss"],
            "--corner is for circuits of `mtjspice netlist --list`; a.cir is a deck",
        ),
        (["calibrate-pulse", "--width", "10ps", "--amplitude", "1V"], "pulse width 0.01 ns is too narrow"),
        (
            ["calibrate-pulse", "--width", "1ns", "--amplitude", "5V"],
            "amplitude 5 V is out of range; the rail goes up to",
        ),
    ],
)
def test_bad_input_ends_in_one_line(command_line, arguments, message):
    code, out, err = command_line(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith(f"mtjspice: {message}")
    assert err.count("\n") == 1
