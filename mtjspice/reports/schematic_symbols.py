"""Symbols of a schematic: devices with two vertical terminals, flags of ports, supplies; all with their text."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemdraw import elements

from mtjspice import units
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import GROUND, MTJ, Passive, Source, Transistor
from mtjspice.reports.schematic_sketch import BLACK, FADED, NODE, PORT, THICK, THIN, Sketch, text_height, text_width

Device = Transistor | Passive | MTJ | Source

FET_HEIGHT = 1.5  # of schemdraw's symbol
GATE = 1.37  # from the channel's terminals to the end of the gate
DEVICE_HEIGHT = 1.9
USUAL_BULK = {"n": "vss", "p": "vdd"}  # not written at every transistor
_STUB = 0.3
_TEXT = 0.18  # from a symbol to its text
_FLAG = 0.19  # half the height of a flag


@dataclass(frozen=True)
class Nets:
    """What is known of a circuit's nodes: its ports' directions, and which of them are rails."""

    directions: Mapping[str, str]

    @classmethod
    def of(cls, circuit: Circuit) -> "Nets":
        """Those of ``circuit``."""
        return cls({port.name: port.direction for port in circuit.ports()})

    def is_ground(self, node: str) -> bool:
        """Whether a node is drawn as a ground, at the bottom."""
        return node == GROUND or (self.is_supply(node) and node.startswith(("vss", "gnd")))

    def is_supply(self, node: str) -> bool:
        """Whether a node is a rail, which every device has a symbol of its own for."""
        return node == GROUND or self.directions.get(node) == "supply"


def micrometres(value: float) -> str:
    """Print a length in um, without the unit."""
    return f"{value * 1e6:.4g}"


# --- devices -------------------------------------------------------------------------------------------------


def device(circuit: Circuit, element: Device, upside_down: bool) -> Sketch:
    """Draw a device from (0, 0) down to (0, -DEVICE_HEIGHT), with its text at the right, without its nodes.

    ``upside_down`` swaps the ends of what is not symmetrical.
    """
    sketch = Sketch()
    if isinstance(element, Transistor):
        _transistor(sketch, element)
    elif isinstance(element, MTJ):
        _junction(sketch, upside_down)
    elif isinstance(element, Source):
        _source(sketch, element, upside_down)
    else:
        symbol = elements.Resistor if element.kind == "resistor" else elements.Capacitor
        sketch.symbol(symbol, (0, 0), (0, -DEVICE_HEIGHT))
        sketch.reserve(-0.3, -DEVICE_HEIGHT, 0.3, 0)
    beside = 0.1 if isinstance(element, Transistor) else 0.45 if not isinstance(element, Source) else 0.55
    lines = [element.name, *_values(circuit, element)]
    for k, line in enumerate(lines):
        y = -DEVICE_HEIGHT / 2 + (len(lines) / 2 - 0.5 - k) * text_height()
        sketch.text(beside + _TEXT, y, line, color=BLACK if k == 0 else FADED)
    return sketch


def _transistor(sketch: Sketch, element: Transistor) -> None:
    symbol = elements.NFet if element.channel == "n" else elements.PFet
    lead = (DEVICE_HEIGHT - FET_HEIGHT) / 2
    sketch.line((0, 0), (0, -lead))
    sketch.symbol(lambda: symbol().reverse(), (0, -lead))
    sketch.line((0, lead - DEVICE_HEIGHT), (0, -DEVICE_HEIGHT))
    sketch.reserve(-GATE, -DEVICE_HEIGHT, 0, 0)


def _junction(sketch: Sketch, upside_down: bool) -> None:
    """Two thick layers with a thin barrier between; the free one is hollow and at the junction's top."""
    middle, half, thick, gap = -DEVICE_HEIGHT / 2, 0.38, 0.2, 0.09
    sketch.line((0, 0), (0, middle + gap + thick))
    sketch.line((0, middle - gap - thick), (0, -DEVICE_HEIGHT))
    free, fixed = "#ffffff", "#5c5c5c"
    upper, lower = (fixed, free) if upside_down else (free, fixed)
    sketch.rectangle(-half, middle + gap, half, middle + gap + thick, fill=upper)
    sketch.rectangle(-half, middle - gap - thick, half, middle - gap, fill=lower)
    sketch.line((-half, middle), (half, middle), width=THIN)


def _source(sketch: Sketch, element: Source, upside_down: bool) -> None:
    """A circle with the sign at plus or with an arrow along the current."""
    middle, radius = -DEVICE_HEIGHT / 2, 0.5
    up = -1 if upside_down else 1
    sketch.line((0, 0), (0, middle + radius))
    sketch.circle(0, middle, radius)
    sketch.line((0, middle - radius), (0, -DEVICE_HEIGHT))
    if element.kind == "voltage":
        sketch.line((-0.12, middle + 0.22 * up), (0.12, middle + 0.22 * up))
        sketch.line((0, middle + 0.22 * up - 0.12), (0, middle + 0.22 * up + 0.12))
        sketch.line((-0.12, middle - 0.22 * up), (0.12, middle - 0.22 * up))
    else:
        tip = middle - 0.32 * up
        sketch.line((0, middle + 0.32 * up), (0, tip))
        sketch.polygon((0, tip), (-0.12, tip + 0.22 * up), (0.12, tip + 0.22 * up), fill=BLACK)


def _values(circuit: Circuit, element: Device) -> list[str]:
    if isinstance(element, MTJ):
        return [f"{element.card.name}, ref" if element.reference else element.card.name]
    if isinstance(element, Passive):
        return [units.engineering(element.value, "Ω" if element.kind == "resistor" else "F")]
    if isinstance(element, Source):
        return [units.engineering(element.value, "V" if element.kind == "voltage" else "A")]
    technology = circuit.technology
    shortest = (technology.nfet if element.channel == "n" else technology.pfet).min_length
    size = micrometres(element.width)
    if element.length != shortest:
        size += f"/{micrometres(element.length)}"
    if element.multiplier > 1:
        size += f" ×{element.multiplier}"
    return [size] if element.bulk == USUAL_BULK[element.channel] else [size, f"bulk {element.bulk}"]


# --- nodes ---------------------------------------------------------------------------------------------------


def supply(name: str, ground: bool) -> Sketch:
    """A rail's bar above (0, 0), or a ground's triangle below it, with its name."""
    sketch = Sketch()
    if ground:
        sketch.line((0, 0), (0, -0.12))
        sketch.polygon((-0.28, -0.12), (0.28, -0.12), (0, -0.4))
        sketch.text(0.33, -0.26, name, color=PORT)
    else:
        sketch.line((0, 0), (0, 0.15))
        sketch.line((-0.35, 0.15), (0.35, 0.15), width=THICK)
        sketch.text(0, 0.38, name, align="center", color=PORT)
    return sketch


def label(nets: Nets, node: str, *, left: bool) -> Sketch:
    """The name of a node whose wire ends at (0, 0), written to its left or right: a flag if it is a port.

    An output is flagged only where something can drive it, at the right; at the left it is fed back.
    """
    sketch = Sketch()
    side = -1 if left else 1
    direction = nets.directions.get(node.split("…")[0], "")  # a range of ports is one too
    sketch.line((0, 0), (side * _STUB, 0))
    if direction in ("input", "inout") or (direction == "output" and not left):
        _flag(sketch, node, side, direction)
    else:
        align = "right" if left else "left"
        sketch.text(side * (_STUB + 0.08), 0, node, align=align, color=PORT if direction else NODE)
    return sketch


def label_width(nets: Nets, node: str) -> float:
    """The width of a label."""
    return label(nets, node, left=True).width


def _flag(sketch: Sketch, node: str, side: int, direction: str) -> None:
    """A box around the name, with a point where signals leave it, on either side if both ways."""
    near, tip = side * _STUB, 0.18
    body = text_width(node) + 0.12
    inner = near + side * tip
    outer = inner + side * body
    points_near = direction != "output"
    points_far = direction != "input"
    near_end = [(inner, _FLAG), (near, 0.0), (inner, -_FLAG)] if points_near else [(near, _FLAG), (near, -_FLAG)]
    end = outer + side * tip
    far_end = [(outer, -_FLAG), (end, 0.0), (outer, _FLAG)] if points_far else [(outer, -_FLAG), (outer, _FLAG)]
    sketch.polygon(*near_end, *far_end, width=THIN, color=PORT)
    sketch.text((inner + outer) / 2, 0, node, align="center", color=PORT)
