"""Parts of a circuit, that is circuits within it, from left to right in the order of their signals."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from schemdraw import logic
from schemdraw.elements import Element

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import Part, Port
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand, Nor, TransmissionGate
from mtjspice.reports.schematic_sketch import FADED, NODE, PORT, THICK, Point, Sketch, text_height, text_width
from mtjspice.reports.schematic_symbols import Nets, label, label_width, micrometres

_MOST = 12  # equal parts, or equal pins of one, that are drawn one by one
_NUMBER = re.compile(r"\d+")
_PITCH = 0.5  # of the pins of a box
_LEAD = 0.35


@dataclass
class _Symbol:
    """A drawn part with the ends of its pins, (node, place), that point to the left and to the right."""

    sketch: Sketch
    left: list[tuple[str, Point]] = field(default_factory=list)
    right: list[tuple[str, Point]] = field(default_factory=list)
    common: set[str] = field(default_factory=set)  # nodes that parts of the same circuit read as well: never wired


def part_blocks(circuit: Circuit, widest: float) -> list[Sketch]:
    """Draw the parts of a circuit in blocks: chains wired from output to input, no wider than ``widest``."""
    nets = Nets.of(circuit)
    readers = _readers(circuit)
    blocks: list[_Chain | _Condensed] = []
    for parts in _in_signal_order(_alike(circuit)):
        if len(parts) > _MOST:
            blocks.append(_Condensed(nets, parts))
            continue
        for part in parts:
            symbol = _symbol(nets, part)
            symbol.common = {node for node, _ in symbol.left if readers[part.circuit, node] > 1}
            if not (blocks and blocks[-1].extend(symbol, widest)):
                blocks.append(_Chain(nets, symbol))
    return [_from_zero(block.finished()) for block in blocks]


def _readers(circuit: Circuit) -> Counter[tuple[Circuit, str]]:
    """How many parts of a circuit read a node, for every circuit and node."""
    readers: Counter[tuple[Circuit, str]] = Counter()
    for part in circuit.elements:
        if isinstance(part, Part):
            read = {part.connections[port.name] for port in part.circuit.ports() if port.direction != "output"}
            readers.update((part.circuit, node) for node in read)
    return readers


def supplies_by_name(circuit: Circuit) -> list[str]:
    """Names of the supplies that parts are connected to without a pin being drawn."""
    parts = [element for element in circuit.elements if isinstance(element, Part)]
    hidden = (p.name for part in parts for p in part.circuit.ports() if _is_hidden(part, p))
    return list(dict.fromkeys(hidden))


def condensed_notes(circuit: Circuit) -> list[str]:
    """What is connected to what in the parts of which only the first and the last are drawn."""
    notes = []
    for parts in _in_signal_order(_alike(circuit)):
        if len(parts) > _MOST:
            ports = [p.name for p in parts[0].circuit.ports()]
            pattern = ((p, _range([part.connections[p] for part in parts])) for p in ports)
            pins = "; ".join(f"{port} = {nodes}" for port, nodes in pattern if nodes != port)
            notes.append(f"{_range([part.name for part in parts])}, {len(parts)} × {parts[0].circuit.name}: {pins}")
    return notes


# --- order ---------------------------------------------------------------------------------------------------


def _stem(name: str) -> str:
    return _NUMBER.sub("#", name)


def _alike(circuit: Circuit) -> list[list[Part]]:
    """The parts, those of the same circuit and of the same name but for numbers together if there are many."""
    parts = [element for element in circuit.elements if isinstance(element, Part)]
    alike: dict[tuple[str, Circuit], list[Part]] = {}
    for part in parts:
        alike.setdefault((_stem(part.name), part.circuit), []).append(part)
    many = {key: members for key, members in alike.items() if len(members) > _MOST and "#" in key[0]}
    groups = []
    for part in parts:
        members = many.get((_stem(part.name), part.circuit))
        if members is None:
            groups.append([part])
        elif members[0] is part:
            groups.append(members)
    return groups


def _in_signal_order(groups: Sequence[list[Part]]) -> Iterator[list[Part]]:
    """From drivers to what they drive, following each chain to its end; loops are entered at their first part."""
    drivers = {node: number for number, parts in enumerate(groups) for node in _nodes(parts, "output")}
    needs = [
        {drivers[node] for node in _nodes(parts, "input") if node in drivers} - {number}
        for number, parts in enumerate(groups)
    ]
    left = list(range(len(groups)))
    last: int | None = None
    while left:
        ready = [number for number in left if not needs[number] & set(left)] or left
        last = next((number for number in ready if last in needs[number]), ready[0])
        left.remove(last)
        yield groups[last]


def _nodes(parts: Sequence[Part], direction: str) -> set[str]:
    return {
        part.connections[port.name] for part in parts for port in part.circuit.ports() if port.direction == direction
    }


# --- chains --------------------------------------------------------------------------------------------------


class _Chain:
    """Parts side by side, each wired to the one before it."""

    def __init__(self, nets: Nets, first: _Symbol) -> None:
        self._nets = nets
        self._sketch = Sketch()
        self._ends: list[tuple[str, Point]] = []
        self._place(first, 0.0, 0.0)

    def extend(self, symbol: _Symbol, widest: float) -> bool:
        """Add a part on the right, its input at the height of the output before; False if it is no neighbour."""
        if len(self._ends) != 1 or self._ends[0][0] in self._nets.directions:
            return False
        node, (x, y) = self._ends[0]
        pins = [number for number, (other, _) in enumerate(symbol.left) if other == node]
        if len(pins) != 1 or node in symbol.common:
            return False
        beside = (label_width(self._nets, other) for k, (other, _) in enumerate(symbol.left) if k != pins[0])
        gap = text_width(node) + 0.2 + max(beside, default=0.0)
        x_pin, y_pin = symbol.left[pins[0]][1]
        dx, dy = x + gap - x_pin, y - y_pin
        outputs = max((label_width(self._nets, other) for other, _ in symbol.right), default=0.0)
        if symbol.sketch.right + dx + outputs - self._sketch.left > widest:
            return False
        self._sketch.line((x, y), (x + gap, y))
        self._sketch.text(x + 0.06, y + text_height() / 2 + 0.02, node, color=NODE)
        self._place(symbol, dx, dy, wired=pins[0])
        return True

    def _place(self, symbol: _Symbol, dx: float, dy: float, wired: int | None = None) -> None:
        self._sketch.add(symbol.sketch, dx, dy)
        for number, (node, (x, y)) in enumerate(symbol.left):
            if number != wired:
                self._sketch.add(label(self._nets, node, left=True), x + dx, y + dy)
        self._ends = [(node, (x + dx, y + dy)) for node, (x, y) in symbol.right]

    def finished(self) -> Sketch:
        """The chain, its last outputs labelled."""
        for node, (x, y) in self._ends:
            self._sketch.add(label(self._nets, node, left=False), x, y)
        return self._sketch


class _Condensed:
    """Many equal parts: the first, how many there are, and the last."""

    def __init__(self, nets: Nets, parts: Sequence[Part]) -> None:
        self._sketch = Sketch()
        self._sketch.add(_Chain(nets, _symbol(nets, parts[0])).finished())
        middle = f"· · ·  × {len(parts)}  · · ·"
        x = self._sketch.right + 0.3
        self._sketch.text(x, 0, middle)
        last = _Chain(nets, _symbol(nets, parts[-1])).finished()
        self._sketch.add(last, self._sketch.right + 0.3 - last.left)

    def extend(self, symbol: _Symbol, widest: float) -> bool:
        """What follows starts anew."""
        return False

    def finished(self) -> Sketch:
        """The three."""
        return self._sketch


def _from_zero(block: Sketch) -> Sketch:
    """The block with its left at x = 0."""
    moved = Sketch()
    moved.add(block, -block.left)
    return moved


# --- symbols -------------------------------------------------------------------------------------------------


def _symbol(nets: Nets, part: Part) -> _Symbol:
    """The logic symbol of a gate, or a box; outputs end at y = 0 where there is one only."""
    circuit = part.circuit
    if isinstance(circuit, TransmissionGate):
        return _switch(nets, part, f"×{circuit.strength:.3g}")
    if isinstance(circuit, Inverter):
        shortest = circuit.channel == circuit.technology.nfet.min_length
        strength = f"×{circuit.strength:.3g}" + ("" if shortest else f", L {micrometres(circuit.channel)}")
        return _gate(part, logic.Not, 0.89, strength, tip=_LEAD)
    if isinstance(circuit, Buffer):
        return _gate(part, logic.Buf, 0.65, f"×{circuit.strength:.3g}", tip=_LEAD)
    if isinstance(circuit, Nand):
        return _gate(part, lambda: logic.Nand(inputs=circuit.fan_in), 1.85, f"×{circuit.strength:.3g}")
    if isinstance(circuit, Nor):
        return _gate(part, lambda: logic.Nor(inputs=circuit.fan_in), 1.9, f"×{circuit.strength:.3g}")
    return _box(part)


def _gate(part: Part, make: Callable[[], Element], width: float, strength: str, tip: float = 0.0) -> _Symbol:
    """A gate with its name and strength below; ``tip`` is the length of leads that the symbol itself lacks."""
    sketch = Sketch()
    if tip:
        sketch.line((0, 0), (tip, 0))
        sketch.symbol(make, (tip, 0), (tip + width, 0))
        sketch.line((tip + width, 0), (width + 2 * tip, 0))
    else:
        sketch.symbol(make, (0, 0))
    end = width + 2 * tip
    inputs = [port for port in part.circuit.ports() if port.direction == "input"]
    spacing = {1: 0.0, 2: 0.5, 3: 0.33, 4: 0.4}[len(inputs)]
    below = max(0.5, spacing * (len(inputs) - 1) / 2 + 0.2)
    sketch.reserve(0, -below, end, below)
    for k, line in enumerate((part.name, strength)):
        y = -below - (k + 0.55) * text_height()
        sketch.text(end / 2, y, line, align="center", color=FADED if k else "#000000")
    symbol = _Symbol(sketch)
    for k, port in enumerate(inputs):
        symbol.left.append((part.connections[port.name], (0.0, ((len(inputs) - 1) / 2 - k) * spacing)))
    symbol.right.append((part.connections["y"], (end, 0.0)))
    return symbol


def _switch(nets: Nets, part: Part, strength: str) -> _Symbol:
    """A transmission gate: two triangles tip to tip, its controls above and below."""
    sketch = Sketch()
    left, right, half, bubble = _LEAD, _LEAD + 0.9, 0.4, 0.09
    middle = (left + right) / 2
    sketch.line((0, 0), (left, 0))
    sketch.line((right, 0), (right + _LEAD, 0))
    sketch.polygon((left, half), (left, -half), (right, half), (right, -half))
    sketch.line((middle, -0.55), (middle, half / 2 - bubble))
    sketch.circle(middle, half / 2, bubble)
    sketch.line((middle, half / 2 + bubble), (middle, 0.55))
    above = 0.57 + text_height() / 2
    for y, node in ((above, part.connections["off"]), (-above, part.connections["on"])):
        sketch.text(middle, y, node, align="center", color=PORT if node in nets.directions else NODE)
    sketch.text(middle, -above - text_height(), f"{part.name} {strength}", align="center")
    return _Symbol(sketch, [(part.connections["a"], (0.0, 0.0))], [(part.connections["b"], (right + _LEAD, 0.0))])


def _box(part: Part) -> _Symbol:
    """A box with its pins named within: inputs at the left, all others at the right."""
    ports = [port for port in part.circuit.ports() if not _is_hidden(part, port)]
    left = _pins(part, [port for port in ports if port.direction == "input"])
    right = _pins(part, [port for port in ports if port.direction != "input"])
    inside = max((text_width(name) for name, _ in left), default=0.0) + 0.4
    inside += max((text_width(name) for name, _ in right), default=0.0)
    width = max(inside, text_width(part.circuit.name) + 0.3)
    height = _PITCH * max(len(left), len(right), 1) + 2 * text_height()
    top = height / 2
    sketch = Sketch()
    sketch.rectangle(_LEAD, -top, _LEAD + width, top)
    sketch.text(_LEAD + width / 2, top + text_height() / 2 + 0.03, part.name, align="center")
    sketch.text(_LEAD + width / 2, top - text_height() / 2 - 0.08, part.circuit.name, align="center", color=FADED)
    symbol = _Symbol(sketch)
    for pins, ends, outer, inner, align in (
        (left, symbol.left, 0.0, _LEAD, "left"),
        (right, symbol.right, width + 2 * _LEAD, width + _LEAD, "right"),
    ):
        for k, (name, node) in enumerate(pins):
            y = -text_height() / 2 + ((len(pins) - 1) / 2 - k) * _PITCH
            sketch.line((outer, y), (inner, y), width=THICK if "…" in name else 1.3)
            sketch.text(inner + (0.1 if align == "left" else -0.1), y, name, align=align)
            ends.append((node, (outer, y)))
    return symbol


def _is_hidden(part: Part, port: Port) -> bool:
    """Whether a pin is left out: a supply that is connected by its name."""
    return port.direction == "supply" and part.connections[port.name] == port.name


def _pins(part: Part, ports: Sequence[Port]) -> list[tuple[str, str]]:
    """Names and nodes of pins; many that differ by their numbers only are one thick pin."""
    groups: dict[str, list[Port]] = {}
    for port in ports:
        groups.setdefault(_stem(port.name), []).append(port)
    pins = []
    for members in groups.values():
        nodes = _range([part.connections[port.name] for port in members])
        if len(members) > _MOST and "," not in nodes:
            pins.append((_range([port.name for port in members]), nodes))
        else:
            pins.extend((port.name, part.connections[port.name]) for port in members)
    return pins


def _range(names: Sequence[str]) -> str:
    """Names that differ by their numbers only as "first…last"; several such ranges with commas between."""
    stems: dict[str, list[str]] = {}
    for name in names:
        stems.setdefault(_stem(name), []).append(name)
    ranges = []
    for members in stems.values():
        ordered = sorted(set(members), key=lambda name: [int(number) for number in _NUMBER.findall(name)])
        ranges.append(ordered[0] if len(ordered) == 1 else f"{ordered[0]}…{ordered[-1]}")
    return ", ".join(ranges)
