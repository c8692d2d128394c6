"""Layouts of every circuit: clean, the circuit that is simulated, of the size they say, and equal every time."""

import math
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import gdstk
import klayout.db as kdb
import pytest

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, supplies
from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.technology import technology
from mtjspice.errors import InputError
from mtjspice.layout import catalogue, drc, plan
from mtjspice.layout.canvas import new_layout
from mtjspice.layout.deck import run_deck
from mtjspice.layout.generate import Drawn, generate, write_gds
from mtjspice.layout.layers import LAYERS
from mtjspice.layout.lvs import compare

LARGE = ("ex_situ_column8", "stt_trng16")
SMALLER = {"meram_array": {"rows": 16, "columns": 8}}


def drawn(name: str, **values: str | float) -> Drawn:
    return generate(catalogue.circuit(name, values or SMALLER.get(name)), name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in catalogue.names()]
)
def test_every_layout_keeps_the_rules_and_is_its_circuit(name: str) -> None:
    one = drawn(name)
    assert [str(found) for found in drc.violations(one.layout, one.cell)] == []
    comparison = compare(one.circuit, one.layout, one.cell)
    assert comparison.problems == ()
    assert comparison.match


@pytest.mark.slow
def test_the_public_deck_finds_nothing(tmp_path: Path) -> None:
    """All circuits side by side in one cell, as the deck takes seconds to start."""
    layout = new_layout()
    cells = [generate(catalogue.circuit(name), name, layout).cell for name in catalogue.names()]
    cells += [
        generate(catalogue.circuit(name), f"{name}_ringed", layout, ring=True).cell for name in ("nfet", "strongarm")
    ]
    whole = layout.create_cell("all")
    x = 0
    for cell in cells:
        box = cell.bbox()
        whole.insert(kdb.CellInstArray(cell.cell_index(), kdb.Trans(x - box.left, -box.bottom)))
        x += box.width() + 5000
    write_gds(layout, tmp_path / "all.gds")
    assert [str(found) for found in run_deck(tmp_path / "all.gds", "all")] == []


@pytest.mark.slow
def test_an_array_of_64_by_64_keeps_the_rules_and_is_its_circuit() -> None:
    one = drawn("meram_array", rows=64, columns=64)
    assert [str(found) for found in drc.violations(one.layout, one.cell)] == []
    assert compare(one.circuit, one.layout, one.cell).problems == ()
    pillars = kdb.Region(one.cell.begin_shapes_rec(one.layout.layer(*LAYERS["mtj"])))
    assert pillars.count() == 64 * 64 + 2 * 16  # each of 16 references has two


# --- sizes ---------------------------------------------------------------------------------------------------


def test_cells_are_as_small_as_wanted() -> None:
    assert drawn("cell_1t1m").area == pytest.approx(1.68e-6 * 1.20e-6, rel=1e-9, abs=0)
    assert drawn("cell_1t1m").area <= 2.2e-12
    assert drawn("differential_pair").area <= 7.2e-12


def test_cells_abut_at_their_area() -> None:
    """Neighbours in an array stand where the area of one cell ends: 16 x 8 cells in the grid of 1.68 x 1.20 um."""
    one = drawn("meram_array")
    pillars = kdb.Region(one.cell.begin_shapes_rec(one.layout.layer(*LAYERS["mtj"]))).merged()
    large = [p.bbox().center() for p in pillars.each() if p.bbox().width() > 90]  # references have smaller ones
    assert len(large) == 16 * 8
    columns = sorted({point.x for point in large})
    assert {b - a for a, b in pairwise(columns)} == {1680}
    rows = sorted({point.y for point in large})
    gaps = [b - a for a, b in pairwise(rows)]
    assert set(gaps) == {2 * 880, 2 * (1200 - 880)}  # across sources and across drains
    assert sum(gaps[:2]) == 2 * 1200


@pytest.mark.parametrize("name", ["inverter", "meram_word8", "meram_array", "strongarm"])
def test_the_area_is_that_of_everything_drawn(name: str) -> None:
    one = drawn(name)
    box = one.cell.dbbox(one.layout.layer(*LAYERS["boundary"]))
    assert one.area == pytest.approx(box.area() * 1e-12, rel=1e-9, abs=0)
    assert one.area == plan.area(one.circuit)
    for metal in ("metal1", "metal2", "metal3", "metal4", "comp", "poly"):
        shapes = one.cell.dbbox(one.layout.layer(*LAYERS[metal]))
        assert shapes.empty() or shapes.inside(box), metal


def test_a_pillar_has_the_area_of_its_junction() -> None:
    one = drawn("cell_1t1m")
    pillar = kdb.Region(one.cell.begin_shapes_rec(one.layout.layer(*LAYERS["mtj"])))
    assert 2 * math.sqrt(pillar.area() / math.pi) == pytest.approx(100, abs=1)


@pytest.mark.parametrize("channel", ["nfet", "pfet"])
@pytest.mark.parametrize("width", [0.22, 0.3, 0.36, 1.2, 2.0, 2.005, 7.3])
@pytest.mark.parametrize("length", [0.28, 0.5, 1.12])
@pytest.mark.parametrize("multiplier", [1, 3])
def test_transistors_of_many_sizes(channel: str, width: float, length: float, multiplier: int) -> None:
    one = drawn(channel, width=width * 1e-6, length=length * 1e-6, multiplier=multiplier)
    assert [str(found) for found in drc.violations(one.layout, one.cell)] == []
    comparison = compare(one.circuit, one.layout, one.cell)
    assert comparison.problems == ()
    (device,) = comparison.devices.values()
    assert device.width == pytest.approx(multiplier * width * 1e-6, rel=5e-3, abs=0)


@pytest.mark.parametrize("diameter", ["25nm", "60nm", "150nm"])
@pytest.mark.parametrize("access", ["0.4um", "1.2um", "2.6um"])
def test_cells_of_many_sizes(diameter: str, access: str, tmp_path: Path) -> None:
    card = (Path(__file__).parent.parent / "models/cards/meram100.toml").read_text(encoding="utf-8")
    file = tmp_path / "card.toml"
    file.write_text(card.replace('"100 nm"', f'"{diameter}"'), encoding="utf-8")
    one = generate(catalogue.circuit("cell_2t2m", {"access": access}, str(file)))
    assert [str(found) for found in drc.violations(one.layout, one.cell)] == []
    assert compare(one.circuit, one.layout, one.cell).problems == ()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *(("inverter", {"strength": s, "channel": c}) for s in (0.5, 1.0, 3.0) for c in (0.28e-6, 0.6e-6, 5e-6)),
        *((n, {"access": w}) for n in ("cell_1t1m", "differential_pair") for w in (0.36e-6, 1.9e-6, 3e-6, 12e-6)),
        ("read_current_latched", {"reference.kind": "resistor"}),
        ("read_precharge", {"reference.kind": "resistor", "reference.resistance": 1e3}),
        ("meram_array", {"rows": 3, "columns": 6, "share": 3}),
        ("meram_array", {"rows": 1, "columns": 1, "share": 1}),
        ("meram_word3", {"column.select": "input"}),
        ("tapered_driver", {"strength": 64.0}),
        ("tap_pulse_generator", {"taps": 2, "first": 3}),
    ],
)  # fmt: skip
def test_circuits_of_many_sizes(name: str, values: dict[str, str | float]) -> None:
    one = generate(catalogue.circuit(name, values))
    assert [str(found) for found in drc.violations(one.layout, one.cell)] == []
    assert compare(one.circuit, one.layout, one.cell).problems == ()


# --- files ---------------------------------------------------------------------------------------------------


def test_the_files_that_come_with_the_project_are_these(scripts_on_path: None) -> None:
    script = Path(__file__).parent.parent / "scripts/write_layouts.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_equal_layouts_are_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_gds(drawn("meram_word8").layout, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", ["cell_1t1m", "precharge_amplifier", "meram_word8"])
def test_another_reader_sees_the_same(name: str, tmp_path: Path) -> None:
    one = drawn(name)
    write_gds(one.layout, tmp_path / "cell.gds")
    library = gdstk.read_gds(tmp_path / "cell.gds")
    (top,) = library.top_level()
    assert (top.name, library.unit, library.precision) == (name, 1e-6, 1e-9)
    for layer, (number, kind) in LAYERS.items():
        polygons = top.get_polygons(layer=number, datatype=kind)
        merged = gdstk.boolean(polygons, [], "or", precision=1e-4)
        area = kdb.Region(one.cell.begin_shapes_rec(one.layout.layer(number, kind))).merged().area() * 1e-6
        assert sum(polygon.area() for polygon in merged) == pytest.approx(area, rel=1e-9, abs=1e-9), layer
    labels = {label.text for label in top.get_labels()}
    assert labels == {port.name for port in one.circuit.ports()}


# --- what cannot be drawn ------------------------------------------------------------------------------------


class Sourced(Circuit):
    """With an ideal source."""

    def ports(self) -> tuple[Port, ...]:
        return (*inouts("a"), *supplies("vss"))

    def build(self, add: Builder) -> None:
        add.voltage("v", "a", "b", 1.0)
        add.nmos("fet", "b", "a", "vss", width=1e-6)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("inverterx", {}, "unknown layout 'inverterx'; available: nfet, "),
        ("cell_1t1m", {"access": "0.3um"}, "the transistor of a cell cannot be 0.3 um wide; at least 0.36 um"),
        ("nfet", {"length": "0.283um"}, "a channel of 0.283 um is off the grid of 5 nm; allowed beside it: 0.285 um"),
        (
            "read_precharge",
            {"reference.kind": "resistor", "reference.resistance": "1 ohm"},
            "a resistor of 1 ohm cannot be drawn; allowed are 1000 to 1e+06 ohm",
        ),
        ("nfet", {"width": "0.1um"}, "width = 0.1 um is out of range"),
        ("inverter", {"colour": "1"}, "inverter has no parameter 'colour'"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(name: str, values: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        generate(catalogue.circuit(name, values))
    assert "\n" not in str(raised.value)


def test_other_technologies_sources_and_wide_junctions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="layouts exist in gf180mcu only, not in sky130"):
        generate(Inverter(technology("sky130")))
    with pytest.raises(InputError, match="the source v cannot be drawn"):
        generate(Sourced(technology("gf180mcu")))
    card = (Path(__file__).parent.parent / "models/cards/meram100.toml").read_text(encoding="utf-8")
    (tmp_path / "wide.toml").write_text(card.replace('"100 nm"', '"200 nm"'), encoding="utf-8")
    with pytest.raises(InputError, match=r"a junction of 200 nm cannot be drawn; allowed are 20 to 160 nm"):
        generate(catalogue.circuit("cell_1t1m", {}, str(tmp_path / "wide.toml")))


def test_a_cell_name_twice_is_refused() -> None:
    first = drawn("inverter")
    with pytest.raises(InputError, match="has a cell 'inverter' already"):
        generate(catalogue.circuit("inverter"), "inverter", first.layout)
