"""Technologies: their data file, their limits, and their transistors as PySpice writes them, in ngspice."""

import dataclasses
import pickle
import re
import subprocess
from pathlib import Path

import pytest
from PySpice.Spice.Netlist import Circuit, SubCircuit

from mtjspice.circuits import technology as module
from mtjspice.circuits.library.array import MeramArray
from mtjspice.circuits.parameters import with_parameters
from mtjspice.circuits.technology import Technology, technologies, technology
from mtjspice.device.card import load_card
from mtjspice.errors import InputError

MERAM = load_card("meram100")

# Inverter of 0.6 um (n) and 1.2 um (p), 3.3 V, 27 C: measured on the full foundry library.
SWITCHING = {"typical": 1.5204, "ff": 1.5240, "ss": 1.5175, "fs": 1.3925, "sf": 1.6512, "statistical": 1.5204}


@pytest.fixture
def gf180mcu() -> Technology:
    return technology("gf180mcu")


def ngspice(netlist: str, control: str, folder: Path) -> dict[str, float]:
    deck = folder / "deck.cir"
    body = netlist.replace("\n.end\n", "\n")
    deck.write_text(
        f"{body}\n.control\nset num_threads=1\nset numdgt=9\n{control}\nquit 0\n.endc\n.end\n",
        encoding="utf-8",
    )
    command = ["ngspice", "-n", "-b", deck.name]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return {k: float(v) for k, v in re.findall(r"^(\w+) +?= +(\S+)$", result.stdout, re.MULTILINE)}


def parameters(line: str) -> dict[str, str]:
    return dict(word.split("=") for word in line.split() if "=" in word)


def test_what_the_technology_says_of_itself(gf180mcu: Technology) -> None:
    assert "gf180mcu" in technologies()
    assert gf180mcu.name == "gf180mcu"
    assert gf180mcu.licence == "Apache-2.0"
    assert gf180mcu.supply_voltage == 3.3
    assert gf180mcu.corners == ("typical", "ff", "ss", "fs", "sf", "statistical")
    assert gf180mcu.default_corner == "typical"
    assert (gf180mcu.nfet.subcircuit, gf180mcu.pfet.subcircuit) == ("nfet_03v3", "pfet_03v3")
    for fet in (gf180mcu.nfet, gf180mcu.pfet):
        assert (fet.min_width, fet.max_width) == (2.2e-7, 1e-4)
        assert (fet.min_length, fet.max_length) == (2.8e-7, 5e-5)
        assert fet.diffusion_length == 4.4e-7
    assert pickle.loads(pickle.dumps(gf180mcu)) == gf180mcu


def test_limits_are_those_of_the_model_bins(gf180mcu: Technology) -> None:
    for corner in gf180mcu.corners:
        text = gf180mcu.model_text(corner)
        for fet in (gf180mcu.nfet, gf180mcu.pfet):
            cards = [parameters(card) for card in re.findall(rf"^\.model {fet.subcircuit}\.\d+ (.*)$", text, re.M)]
            assert len(cards) == 16
            assert min(float(card["wmin"]) for card in cards) == fet.min_width
            assert max(float(card["wmax"]) for card in cards) == pytest.approx(fet.max_width, rel=2e-5)
            assert min(float(card["lmin"]) for card in cards) == fet.min_length
            assert max(float(card["lmax"]) for card in cards) == pytest.approx(fet.max_length, rel=5e-5)


def test_corners(gf180mcu: Technology) -> None:
    assert gf180mcu.model_path("ff").name == "ff.inc"
    texts = {corner: gf180mcu.model_text(corner) for corner in gf180mcu.corners}
    assert len(set(texts.values())) == 6
    with pytest.raises(InputError, match=r"unknown gf180mcu corner 'tt'; available: ff, fs, sf, ss, stat"):
        gf180mcu.model_path("tt")
    with pytest.raises(InputError, match=r"unknown technology 'cmos7'; available: .*gf180mcu"):
        technology("cmos7")


def test_junctions_are_passed_and_numbers_are_clean(gf180mcu: Technology) -> None:
    circuit = Circuit("one")
    gf180mcu.nmos(circuit, "n1", "d", "g", "0", "0", width=0.6e-6)
    gf180mcu.pmos(circuit, "p1", "d", "g", "v", "v", width=3 * 0.4e-6, length=0.5e-6, multiplier=4)
    lines = str(circuit).splitlines()
    assert "Xn1 d g 0 0 nfet_03v3" in lines[1]
    assert parameters(lines[1]) == {
        "w": "6e-07", "l": "2.8e-07", "m": "1", "par": "1",
        "ad": "2.64e-13", "as": "2.64e-13", "pd": "2.08e-06", "ps": "2.08e-06",
    }  # fmt: skip
    assert "Xp1 d g v v pfet_03v3" in lines[2]
    assert parameters(lines[2]) == {
        "w": "1.2e-06", "l": "5e-07", "m": "4", "par": "4",
        "ad": "5.28e-13", "as": "5.28e-13", "pd": "3.28e-06", "ps": "3.28e-06",
    }  # fmt: skip


def test_drawn_junctions_take_the_place_of_the_usual_ones(gf180mcu: Technology) -> None:
    """In the order drain area, source area, drain perimeter, source perimeter; the rest is as without."""
    drawn = (1e-13, 2e-13, 3e-06, 0.1e-06 * 3)
    name, values = gf180mcu.transistor("p", "here", 1.2e-6, multiplier=4, drawn=drawn)
    _, usual = gf180mcu.transistor("p", "here", 1.2e-6, multiplier=4)
    assert name == "pfet_03v3"
    assert values == {**usual, "ad": "1e-13", "as": "2e-13", "pd": "3e-06", "ps": "3e-07"}


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ({"width": 0.2e-6}, r"gf180mcu nfet 'n1': width 0\.2 um is outside 0\.22 to 100 um"),
        ({"width": 101e-6}, r"width 101 um is outside 0\.22 to 100 um"),
        ({"width": float("nan")}, r"width nan um is outside"),
        ({"width": 1e-6, "length": 0.18e-6}, r"'n1': length 0\.18 um is outside 0\.28 to 50 um"),
        ({"width": 1e-6, "length": 1e-4}, r"length 100 um is outside"),
        ({"width": 1e-6, "multiplier": 0}, r"'n1': multiplier 0 is not a whole number of at least 1"),
        ({"width": 1e-6, "multiplier": 1.5}, r"multiplier 1\.5 is not a whole number"),
    ],
)
def test_sizes_outside_the_model(gf180mcu: Technology, size: dict[str, float], message: str) -> None:
    circuit = Circuit("none")
    with pytest.raises(InputError, match=message):
        gf180mcu.nmos(circuit, "n1", "d", "g", "0", "0", **size)  # type: ignore[arg-type]
    assert "Xn1" not in str(circuit)


def test_sizes_at_the_limits(gf180mcu: Technology) -> None:
    circuit = Circuit("limits")
    gf180mcu.nmos(circuit, "n1", "d", "g", "0", "0", width=0.22 * 1e-6, length=0.28 * 1e-6)
    gf180mcu.pmos(circuit, "p1", "d", "g", "0", "0", width=1e-4, length=5e-5)


def inverter(technology: Technology) -> SubCircuit:
    cell = SubCircuit("inverter", "a", "y", "vdd")
    technology.pmos(cell, "p", "y", "a", "vdd", "vdd", width=1.2e-6)
    technology.nmos(cell, "n", "y", "a", "0", "0", width=0.6e-6)
    return cell


@pytest.mark.parametrize("corner", SWITCHING)
@pytest.mark.parametrize("inlined", [True, False])
def test_inverter_switches_where_the_full_library_says(
    gf180mcu: Technology, corner: str, inlined: bool, tmp_path: Path
) -> None:
    circuit = Circuit("inverter")
    if inlined:
        circuit.raw_spice += gf180mcu.model_text(corner)
    else:
        circuit.include(str(gf180mcu.model_path(corner)))
    circuit.subcircuit(inverter(gf180mcu))
    circuit.V("dd", "vdd", "0", gf180mcu.supply_voltage)
    circuit.V("a", "a", "0", 1.5)
    circuit.X("1", "inverter", "a", "y", "vdd")
    values = ngspice(str(circuit), "dc va 1 2 0.5m\nmeas dc threshold when v(y)=v(a)", tmp_path)
    assert values["threshold"] == pytest.approx(SWITCHING[corner], abs=1e-4)


def test_multiplier_is_so_many_devices(gf180mcu: Technology, tmp_path: Path) -> None:
    circuit = Circuit("multiplier")
    circuit.include(str(gf180mcu.model_path("typical")))
    circuit.V("g", "g", "0", 1.2)
    circuit.V("one", "d1", "0", 3.3)
    circuit.V("three", "d3", "0", 3.3)
    gf180mcu.nmos(circuit, "one", "d1", "g", "0", "0", width=1e-6)
    gf180mcu.nmos(circuit, "three", "d3", "g", "0", "0", width=1e-6, multiplier=3)
    control = "op\nlet one=-i(vone)\nprint one\nlet three=-i(vthree)\nprint three"
    values = ngspice(str(circuit), control, tmp_path)
    assert values["one"] > 1e-6
    assert values["three"] == pytest.approx(3 * values["one"], rel=1e-6)


def test_junctions_load_the_drain(gf180mcu: Technology, tmp_path: Path) -> None:
    """The drain of an off transistor of 1 um holds overlap and junction; by default it is overlap alone."""
    circuit = Circuit("junction")
    circuit.include(str(gf180mcu.model_path("typical")))
    circuit.V("with", "d1", "0", "dc 0 ac 1")
    circuit.V("without", "d2", "0", "dc 0 ac 1")
    gf180mcu.nmos(circuit, "with", "d1", "0", "0", "0", width=1e-6)
    circuit.X("without", "nfet_03v3", "d2", "0", "0", "0", w="1e-06", l="2.8e-07")
    control = (
        "ac lin 1 1e6 1e6\nlet with=abs(imag(i(vwith)))/6.283185e6\nprint with\n"
        "let without=abs(imag(i(vwithout)))/6.283185e6\nprint without"
    )
    values = ngspice(str(circuit), control, tmp_path)
    assert values["with"] > 1.5 * values["without"]
    assert 0.5e-15 < values["with"] < 3e-15


# --- the data file ------------------------------------------------------------------------------------------


@pytest.fixture
def another(tmp_path: Path, gf180mcu: Technology, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the technology.toml of a technology "other" in a folder of its own."""
    folder = tmp_path / "pdk" / "other"
    folder.mkdir(parents=True)
    source = gf180mcu.model_path("typical").parent / "technology.toml"  # type: ignore[attr-defined]
    (folder / "technology.toml").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    for corner in gf180mcu.corners:
        (folder / f"{corner}.inc").write_text("* empty\n", encoding="utf-8")
    monkeypatch.setattr("mtjspice.resources.data", lambda _: tmp_path)
    monkeypatch.setattr(module, "technology", technology.__wrapped__)
    return folder / "technology.toml"


def test_another_technology_is_another_folder(another: Path, gf180mcu: Technology) -> None:
    assert technologies() == ("other",)
    other = module.technology("other")
    assert dataclasses.replace(other, name="gf180mcu") == gf180mcu
    assert other.model_text("ss") == "* empty\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"3.3 V"', '"3.3 m"', r"other/technology.toml: supply_voltage: '3.3 m' has the wrong unit"),
        ('"3.3 V"', "3.3", r"supply_voltage must be a string, not 3.3"),
        ('default_corner = "typical"', 'default_corner = "tt"', r"unknown default_corner in other/.* 'tt'"),
        ('licence = "Apache-2.0"', "", r"missing or unknown keys: licence"),
        ("min_width", "minimum_width", r"\[nfet\]: missing or unknown keys: min_width, minimum_width"),
        ('"sf", "statistical"', '"sf", "worst"', r"no model file <corner>.inc for the corners worst"),
        ('process_corner = "statistical"', "", r"process and process_corner go together"),
        ('process_corner = "statistical"', 'process_corner = "x"', r"unknown process_corner in other/.* 'x'"),
        ('corners = ["typical"', 'corners = [1, "typical"', r"corners must be a list of strings"),
        ("[nfet]", "[nfet", r"other/technology.toml: "),
    ],
)
def test_a_faulty_file_is_named(another: Path, old: str, new: str, message: str) -> None:
    text = another.read_text(encoding="utf-8")
    assert old in text
    another.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        module.technology("other")


# --- wires of arrays ----------------------------------------------------------------------------------------

WIRES = """
[wires]
source = "a layout of this test"
bit_line_resistance = "0.25 ohm"
bit_line_capacitance = "0.45 fF"
word_line_resistance = "0 ohm"
"""


def with_wires(file: Path, wires: str) -> None:
    """Put the table at the end of the file, in the place of one that is there."""
    before = file.read_text(encoding="utf-8").partition("[wires]")[0]
    file.write_text(before + wires, encoding="utf-8")


def test_wires_are_the_defaults_of_an_array(another: Path, gf180mcu: Technology) -> None:
    """What the file says replaces the assumption, nought too; what it leaves out stays assumed."""
    with_wires(another, WIRES)
    other = module.technology("other")
    assert other.wires == module.Wires("a layout of this test", 0.25, 4.5e-16, word_line_resistance=0.0)
    assert pickle.loads(pickle.dumps(other)) == other
    without = dataclasses.replace(gf180mcu, wires=None)
    assumed, known = (MeramArray(one, card=MERAM, rows=2) for one in (without, other))
    assert (known.column.bit_line_resistance, known.column.bit_line_capacitance) == (0.25, 4.5e-16)
    assert (assumed.column.bit_line_resistance, assumed.column.bit_line_capacitance) == (0.4, 3e-16)
    assert (known.word_line_resistance, assumed.word_line_resistance) == (0.0, 0.5)
    for name in ("source_line_resistance", "source_line_capacitance"):
        assert getattr(known.column, name) == getattr(assumed.column, name)
    assert known.word_line_capacitance == assumed.word_line_capacitance == 4e-16
    flags = {one.name: one.assumed for one in known.parameters() if "_line_" in one.name and one.unit in ("ohm", "F")}
    assert {name for name, flag in flags.items() if not flag} == {
        "column.bit_line_resistance", "column.bit_line_capacitance", "word_line_resistance",
    }  # fmt: skip
    assert len(flags) == 6
    assert all(one.assumed for one in assumed.parameters() if one.name in flags)
    given = with_parameters(known, {"column.bit_line_resistance": "0.7 ohm"})
    assert (given.column.bit_line_resistance, given.column.bit_line_capacitance) == (0.7, 4.5e-16)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('source = "a layout of this test"', "", r"other/technology.toml \[wires\]: missing or unknown keys: source"),
        ("bit_line_resistance", "bitline_resistance", r"\[wires\]: missing or unknown keys: bitline_resistance"),
        ('"0.45 fF"', '"0.45 fJ"', r"\[wires\]: bit_line_capacitance: '0.45 fJ' has the wrong unit"),
        ('"0.45 fF"', '"-0.45 fF"', r"\[wires\]: bit_line_capacitance = '-0.45 fF' must be 0 or more, and finite"),
        ('"0.25 ohm"', '"inf ohm"', r"bit_line_resistance = 'inf ohm' must be 0 or more, and finite"),
        ('"0.25 ohm"', "0.25", r"bit_line_resistance must be a string, not 0.25"),
        ("[wires]", "[wire]", r"missing or unknown keys: wire$"),
        ("[wires]", "[[wires]]", r"\[wires\]: expected a table"),
    ],
)
def test_faulty_wires_are_named(another: Path, old: str, new: str, message: str) -> None:
    assert old in WIRES
    with_wires(another, WIRES.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        module.technology("other")
