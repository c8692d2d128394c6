"""What a layout adds to a circuit: capacitances between its nodes, and the junctions of its transistors as drawn.

With `Parasitics`, a testbench simulates the circuit as it was drawn: the capacitors that stood for wires nobody had
drawn are left out, those of the layout are added outside the instance, between the nodes inside it, and transistors
get their drawn junctions. Nodes, junctions and measurements keep their names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import GROUND, Part, Transistor
from mtjspice.circuits.technology import DrawnJunctions
from mtjspice.errors import InputError
from mtjspice.spice.text import number

CAPACITOR = "Cpar"  # names of the capacitors: Cpar0, Cpar1, ...


@dataclass(frozen=True)
class Parasitics:
    """Capacitors and transistor junctions of one circuit, as drawn.

    ``source`` says where they are from. ``capacitors`` are (node, node, F); nodes have the names of
    `mtjspice.layout.flat`: a port its own, an inner one the path of its part before it (``xcolumn0.xsense.q``); the
    substrate is the port ``vss``. ``junctions`` maps circuits within the circuit to their transistors, by the names of
    the elements, and these to drain area, source area (m2), drain perimeter and source perimeter (m) of one of the
    ``multiplier`` parallel FETs; the others keep the technology's. What is given for a circuit holds for all its
    instances, which share one subcircuit.
    """

    source: str
    capacitors: tuple[tuple[str, str, float], ...] = ()
    junctions: Mapping[Circuit, Mapping[str, DrawnJunctions]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for a, b, farad in self.capacitors:
            if not (isfinite(farad) and farad >= 0):
                raise self._wrong(f"{farad!r} F from {a} to {b} is no capacitance; allowed: 0 or more, finite")
            if a == b:
                raise self._wrong(f"the capacitor of {farad:g} F has both ends at {a}")
        for circuit, transistors in self.junctions.items():
            for name, drawn in transistors.items():
                if len(drawn) != 4 or not all(isfinite(value) and value >= 0 for value in drawn):
                    raise self._wrong(
                        f"junctions {drawn!r} of {circuit.name}.{name} must be drain area, source area (m2), drain "
                        "perimeter, source perimeter (m), each 0 or more and finite"
                    )

    def check(self, circuit: Circuit) -> None:
        """Raise InputError for a node, a circuit or a transistor that ``circuit`` does not have.

        A simulator would take a misspelt node for a new one, and the capacitor for one that hangs in the air.
        """
        inner = _inner_nodes(circuit)
        nodes = {*(port.name for port in circuit.ports()), *inner[circuit]}
        for node in (node for a, b, _ in self.capacitors for node in (a, b)):
            if node not in nodes:
                raise self._wrong(f"{circuit.name} has no node {node!r}{_nearest(node, nodes)}")
        for other, transistors in self.junctions.items():
            if other not in inner:
                raise self._wrong(f"{circuit.name} holds no such circuit as {other.name} with these parameters")
            names = {element.name for element in other.elements if isinstance(element, Transistor)}
            for name in transistors:
                if name not in names:
                    raise self._wrong(f"{other.name} has no transistor {name!r}{_nearest(name, names)}")

    def lines(self, circuit: Circuit, instance: str) -> list[str]:
        """Return the capacitors as lines beside the instance ``X<instance>`` of ``circuit``, whose ports have their
        own names as nodes; those of 0 F are left out."""  # fmt: skip
        ports = {port.name for port in circuit.ports()}

        def named(node: str) -> str:
            return node if node in ports else f"x{instance}.{node}"

        there = (one for one in self.capacitors if one[2] > 0)
        return [f"{CAPACITOR}{k} {named(a)} {named(b)} {number(farad)}" for k, (a, b, farad) in enumerate(there)]

    def _wrong(self, what: str) -> InputError:
        return InputError(f"parasitics of {self.source}: {what}")


def _inner_nodes(
    circuit: Circuit, known: dict[Circuit, tuple[str, ...]] | None = None
) -> dict[Circuit, tuple[str, ...]]:
    """The circuit and every circuit within, with the nodes of each that are not its ports, as seen from inside it."""
    known = {} if known is None else known
    if circuit in known:
        return known
    outer = {GROUND, *(port.name for port in circuit.ports())}
    found = dict.fromkeys(node for element in circuit.elements for node in element.nodes if node not in outer)
    for element in circuit.elements:
        if isinstance(element, Part):
            below = _inner_nodes(element.circuit, known)[element.circuit]
            found.update(dict.fromkeys(f"x{element.name}.{node}" for node in below))
    known[circuit] = tuple(found)
    return known


def _nearest(name: str, names: Iterable[str]) -> str:
    nearest = get_close_matches(name, sorted(names), 3, 0.5)
    return f"; nearest: {', '.join(nearest)}" if nearest else ""
