"""Schematics: everything that a circuit has is in its drawing, and no text lies on another."""

import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass, fields
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from mtjspice.circuits import library
from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Part, Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.cells import Cell1T1M
from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.library.pulse import StarvedPulseGenerator
from mtjspice.circuits.technology import technology
from mtjspice.device.card import MTJCard, load_card
from mtjspice.errors import InputError
from mtjspice.reports.schematic import draw

GF180 = technology("gf180mcu")
CARD = load_card("meram100")
SVG = "{http://www.w3.org/2000/svg}"
UM = 1e-6
SMALL = {"rows": 3, "columns": 4}  # of arrays: enough to be condensed, few enough to compare all labels


@dataclass(frozen=True, kw_only=True)
class SenseAmplifier(Circuit):
    """A crossed pair with an equalizer and its tail, of every kind of device."""

    card: MTJCard

    def ports(self) -> tuple[Port, ...]:
        return (*inputs("sense", "a", "b"), *outputs("q", "qb"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        for side, other, command in (("q", "qb", "a"), ("qb", "q", "b")):
            add.pmos(f"load{side}", side, other, "vdd", width=2 * UM)
            add.nmos(f"latch{side}", side, other, f"x{side}", width=2 * UM, length=0.5 * UM)
            add.nmos(f"pair{side}", f"x{side}", command, "tail", width=4 * UM, bulk="tail")
        add.pmos("equalizer", "q", "sense", "qb", width=1 * UM)
        add.nmos("tail", "tail", "sense", "vss", width=8 * UM, multiplier=2)
        add.mtj("free", "bias", "q", self.card)
        add.reference_mtj("half", "qb", "bias", self.card)
        add.resistor("pull", "bias", "vss", 1.2e4)
        add.capacitor("couple", "bias", "sense", 3e-15)
        add.voltage("offset", "mirror", "0", 0.1)
        add.current("feed", "vdd", "mirror", 2e-6)


@dataclass(frozen=True, kw_only=True)
class Row(Circuit):
    """Many equal parts and a part with many equal pins."""

    card: MTJCard
    count: int = 20

    def ports(self) -> tuple[Port, ...]:
        return (*inputs("wl"), *inouts("sl", *(f"bl{k}" for k in range(self.count))), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        add.use("drive", Inverter(self.technology), a="wl", y="strobe")
        for k in range(self.count):
            cell = Cell1T1M(self.technology, card=self.card)
            add.use(f"cell{k}", cell, bl=f"bl{k}", sl="sl", wl="strobe")


@dataclass(frozen=True, kw_only=True)
class Rows(Circuit):
    """Two rows on common lines."""

    row: Row

    def ports(self) -> tuple[Port, ...]:
        lines = (port.name for port in self.row.ports() if port.direction == "inout")
        return (*inputs("wl0", "wl1"), *inouts(*lines), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        lines = {port.name: port.name for port in self.row.ports() if port.direction == "inout"}
        for k in range(2):
            add.use(f"row{k}", self.row, wl=f"wl{k}", **lines)


def _library() -> dict[str, Circuit]:
    circuits: dict[str, Circuit] = {}
    for module in pkgutil.iter_modules(library.__path__, f"{library.__name__}."):
        for name, kind in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(kind) and issubclass(kind, Circuit) and kind.__module__ == module.name:
                card = {"card": CARD} if "card" in {field.name for field in fields(kind)} else {}
                small = {key: value for key, value in SMALL.items() if key in {field.name for field in fields(kind)}}
                if not inspect.isabstract(kind):
                    circuits[name] = kind(GF180, **card, **small)
    return circuits


CIRCUITS = _library() | {
    "sense amplifier": SenseAmplifier(GF180, card=CARD),
    "row": Row(GF180, card=CARD),
    "rows": Rows(GF180, row=Row(GF180, card=CARD)),
    "many columns": StarvedPulseGenerator(GF180, starved_stages=9, plain_stages=0),
}


@dataclass(frozen=True)
class Label:
    """A text and the box that it needs, of a usual sans-serif face: 0.58 em a character, 0.95 em high."""

    text: str
    left: float
    right: float
    top: float
    bottom: float

    def overlaps(self, other: "Label") -> bool:
        apart = (
            self.right <= other.left or other.right <= self.left or self.bottom <= other.top or other.bottom <= self.top
        )
        return not apart


@cache
def drawing(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(draw(CIRCUITS[name]))


def labels(root: ElementTree.Element) -> list[Label]:
    found = []
    for text in root.iter(f"{SVG}text"):
        size = float(text.attrib["font-size"])
        base = float(text.attrib["y"])
        for line in text.iter(f"{SVG}tspan"):
            base += float(line.attrib["dy"])
            written = "".join(line.itertext())
            width = 0.58 * size * len(written)
            left = (
                float(line.attrib["x"]) - {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib["text-anchor"]] * width
            )
            found.append(Label(written, left, left + width, base - 0.75 * size, base + 0.2 * size))
    return found


def covers(text: str, name: str) -> bool:
    """Whether a name occurs in a text, itself or within a range such as x0…x7."""
    words = re.findall(r"\w+(?:…\w+)?", text)
    return any(word == name or ("…" in word and within(word, name)) for word in words)


def within(span: str, name: str) -> bool:
    first, last = (_parts(end) for end in span.split("…"))
    stem, numbers = _parts(name)
    return first[0] == last[0] == stem and all(
        low <= number <= high for low, number, high in zip(first[1], numbers, last[1], strict=True)
    )


def _parts(name: str) -> tuple[str, list[int]]:
    return re.sub(r"\d+", "#", name), [int(number) for number in re.findall(r"\d+", name)]


def lines(root: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """All straight lines of wires and symbols: x, y of their two ends."""
    found = []
    for shape in root.iter():
        for stroke in (shape.attrib.get("points") or shape.attrib.get("d") or "").split("M"):
            numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", stroke)]
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            if "points" in shape.attrib:
                points.append(points[0])
            found += [(*a, *b) for a, b in pairwise(points)]
    return found


def crosses(line: tuple[float, float, float, float], label: Label) -> bool:
    """Whether a line comes within the middle of a label; lines are sampled, they are short or level."""
    x1, y1, x2, y2 = line
    steps = max(1, int(max(abs(x2 - x1), abs(y2 - y1)) / 2))
    margin = 0.2 * (label.bottom - label.top)
    return any(
        label.left + margin < x1 + (x2 - x1) * k / steps < label.right - margin
        and label.top + margin < y1 + (y2 - y1) * k / steps < label.bottom - margin
        for k in range(steps + 1)
    )


def coordinates(root: ElementTree.Element) -> list[tuple[float, float]]:
    points = []
    for shape in root.iter():
        written = shape.attrib.get("points") or shape.attrib.get("d") or ""
        numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", written)]
        points += list(zip(numbers[::2], numbers[1::2], strict=True))
        if "cx" in shape.attrib:
            x, y, r = (float(shape.attrib[key]) for key in ("cx", "cy", "r"))
            points += [(x - r, y - r), (x + r, y + r)]
    return points


def test_the_library_is_found() -> None:
    assert {"Inverter", "SetResetLatch", "TapPulseGenerator", "BipolarDriver", "ReferenceCell"} <= CIRCUITS.keys()


@pytest.mark.parametrize("name", CIRCUITS)
def test_every_name_of_the_circuit_is_in_its_drawing(name: str) -> None:
    circuit = CIRCUITS[name]
    texts = [label.text for label in labels(drawing(name))]
    names = {port.name for port in circuit.ports()} | {element.name for element in circuit.elements}
    names |= {node for element in circuit.elements for node in element.nodes}
    assert {wanted for wanted in names if not any(covers(text, wanted) for text in texts)} == set()
    boxes = {element.circuit.name for element in circuit.elements if isinstance(element, Part)}
    assert circuit.name in texts[0] or any(circuit.name in text for text in texts)
    symbols = {"inverter", "buffer", "transmission_gate"}
    assert {box for box in boxes - symbols if not box.startswith(("nand", "nor")) and box not in texts} == set()


@pytest.mark.parametrize("name", CIRCUITS)
def test_no_label_lies_on_another(name: str) -> None:
    overlapping = [(a.text, b.text) for a, b in combinations(labels(drawing(name)), 2) if a.overlaps(b)]
    assert overlapping == []


@pytest.mark.parametrize("name", CIRCUITS)
def test_no_line_runs_through_a_label(name: str) -> None:
    root = drawing(name)
    struck = {label.text for label in labels(root) for line in lines(root) if crosses(line, label)}
    assert struck == set()


@pytest.mark.parametrize("name", CIRCUITS)
def test_everything_is_inside(name: str) -> None:
    root = drawing(name)
    left, top, width, height = (float(value) for value in root.attrib["viewBox"].split())
    corners = [(x, y) for label in labels(root) for x, y in ((label.left, label.top), (label.right, label.bottom))]
    outside = [
        (x, y) for x, y in coordinates(root) + corners if not (left <= x <= left + width and top <= y <= top + height)
    ]
    assert outside == []
    assert width < 900  # at 800 pixels the text is still readable


def test_equal_circuits_are_equal_bytes() -> None:
    assert draw(SenseAmplifier(GF180, card=CARD)) == draw(SenseAmplifier(GF180, card=CARD))


def test_a_title_can_be_left_out() -> None:
    inverter = CIRCUITS["Inverter"]
    assert "inverter (gf180mcu)" in draw(inverter)
    assert "gf180mcu" not in draw(inverter, title=False)


def test_sizes_and_values_are_printed_once_with_what_differs_from_the_default() -> None:
    texts = [label.text for label in labels(drawing("sense amplifier"))]
    assert {"2/0.5", "8 ×2", "bulk tail", "12 kΩ", "3 fF", "100 mV", "2 µA", "meram100", "meram100, ref"} <= set(texts)


def test_many_equal_parts_are_the_first_and_the_last() -> None:
    texts = [label.text for label in labels(drawing("row"))]
    assert "cell0" in texts
    assert "cell19" in texts
    assert "cell7" not in texts
    assert any("cell0…cell19, 20 × cell_1t1m" in text and "bl = bl0…bl19" in text for text in texts)


def test_an_equalizer_stands_apart_from_the_columns_it_connects() -> None:
    at = {label.text: label for label in labels(drawing("sense amplifier"))}
    assert at["loadq"].top == at["loadqb"].top
    assert at["equalizer"].left > at["loadqb"].right or at["equalizer"].top > at["tail"].bottom


def test_nothing_to_draw() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Nothing(Circuit):
        def ports(self) -> tuple[Port, ...]:
            return ()

        def build(self, add: Builder) -> None:
            pass

    with pytest.raises(InputError, match="nothing: there is nothing to draw"):
        draw(Nothing(GF180))
