"""What can be wrong with a circuit before any simulator sees it: nodes left alone, floating gates, fighting outputs.

Works one level at a time: of a part only a summary is needed, which of its ports conduct to each other.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from mtjspice.circuits.elements import DIRECTIONS, GROUND, MTJ, Element, Part, Passive, Source, Transistor
from mtjspice.errors import InputError

if TYPE_CHECKING:
    from mtjspice.circuits.circuit import Circuit


def check(circuit: "Circuit", elements: Sequence[Element]) -> None:
    """Raise InputError, naming circuit and node, for the first fault."""
    _check_ports(circuit)
    ports = {port.name for port in circuit.ports()}
    uses: Counter[str] = Counter()
    where: dict[str, str] = {}
    for element in elements:
        uses.update(element.nodes)
        where.update(dict.fromkeys(element.nodes, element.name))
    for port in circuit.ports():
        if not uses[port.name]:
            raise InputError(f"{circuit.name}: {port.direction} {port.name} is connected to nothing inside")
    for node, count in uses.items():
        if count == 1 and node not in ports and node != GROUND and not node.startswith("open_"):
            raise InputError(f"{circuit.name}: node {node} has one connection only (at {where[node]}); misspelt?")
    _check_drivers(circuit, elements)
    for island in _islands(elements):
        if not island & ports and GROUND not in island:
            names = ", ".join(sorted(island)[:4])
            raise InputError(f"{circuit.name}: node {names} floats: no direct current reaches it from a port")


def _check_ports(circuit: "Circuit") -> None:
    names = [port.name for port in circuit.ports()]
    for name, count in Counter(names).items():
        if count > 1:
            raise InputError(f"{circuit.name} has two ports {name}")
        if name == GROUND:
            raise InputError(f"{circuit.name}: ground cannot be a port; call it vss")
    for port in circuit.ports():
        if port.direction not in DIRECTIONS:
            raise InputError(
                f"{circuit.name}: port {port.name} is {port.direction!r}; allowed: {', '.join(DIRECTIONS)}"
            )


def _check_drivers(circuit: "Circuit", elements: Sequence[Element]) -> None:
    drivers: defaultdict[str, list[str]] = defaultdict(list)
    supplied = {port.name for port in circuit.ports() if port.direction == "supply"} | {GROUND}
    for element in elements:
        if isinstance(element, Part):
            for port in element.circuit.ports():
                if port.direction == "output":
                    drivers[element.connections[port.name]].append(f"{element.name}.{port.name}")
    for node, names in drivers.items():
        if len(names) > 1:
            raise InputError(f"{circuit.name}: node {node} is driven by two outputs, {names[0]} and {names[1]}")
        if node in supplied:
            raise InputError(f"{circuit.name}: the output {names[0]} drives the supply {node}")


def _islands(elements: Sequence[Element]) -> Iterator[set[str]]:
    """Groups of nodes between which direct current can flow."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for element in elements:
        for node in element.nodes:
            root(node)
        for group in _conducting(element):
            for node in group[1:]:
                parent[root(node)] = root(group[0])
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for node in parent:
        groups[root(node)].add(node)
    # an output that is left open may well be driven by a part
    yield from groups.values()


def _conducting(element: Element) -> list[list[str]]:
    """Nodes of an element between which it conducts: channels and resistances do, gates, bulks, capacitors do not."""
    if isinstance(element, Transistor):
        return [[element.drain, element.source]]
    if isinstance(element, MTJ) or (isinstance(element, Source) and element.kind == "voltage"):
        return [list(element.nodes)]
    if isinstance(element, Passive):
        return [list(element.nodes)] if element.kind == "resistor" else []
    if isinstance(element, Part):
        return [
            [GROUND if port == GROUND else element.connections[port] for port in group]
            for group in connected_ports(element.circuit)
        ]
    return []


@cache
def connected_ports(circuit: "Circuit") -> tuple[tuple[str, ...], ...]:
    """Groups of ports (and ground) of a circuit between which direct current can flow."""
    ports = {port.name for port in circuit.ports()} | {GROUND}
    groups = (sorted(island & ports) for island in _islands(circuit.elements))
    return tuple(tuple(group) for group in groups if len(group) > 1)
