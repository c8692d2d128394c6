"""A circuit without its hierarchy: what is to be drawn, and on which nets.

Nets have the names that ngspice gives them below the instance of the circuit: a port has its own name, the node ``q``
of the part ``sense`` of the part ``column0`` is ``xcolumn0.xsense.q``. Resistors that stand for wires are shorts here
and capacitors that do are left out: the layout makes them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import pi, sqrt

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import GROUND, MTJ, Part, Passive, Source, Transistor
from mtjspice.device import derived
from mtjspice.errors import InputError


@dataclass(frozen=True)
class Device:
    """One element that is drawn.

    ``kind`` is nfet, pfet, mtj or resistor; ``nets`` are drain, gate, source, bulk; top, bottom; or both ends.
    ``width`` (m) is that of one of ``multiplier`` parallel FETs, ``length`` (m) their channel's; ``diameter`` (m) is
    that of a junction, two of which in parallel are a reference; ``resistance`` in ohm. ``owner`` is the circuit in
    which the element ``name`` stands, ``path`` the instances that lead there, joined by dots.
    """

    kind: str
    path: str
    name: str
    owner: Circuit = field(repr=False)
    nets: tuple[str, ...]
    width: float = 0.0
    length: float = 0.0
    multiplier: int = 1
    diameter: float = 0.0
    resistance: float = 0.0

    @property
    def full_name(self) -> str:
        """Path and name."""
        return f"{self.path}.{self.name}" if self.path else self.name


@dataclass(frozen=True)
class Flat:
    """A flattened circuit: devices in the netlist's order, and its ports' nets.

    ``nodes`` lists for every net the nodes of the netlist that it joins: more than one where wires have resistance.
    """

    circuit: Circuit = field(repr=False)
    devices: tuple[Device, ...] = field(repr=False)
    ports: tuple[str, ...]
    nodes: Mapping[str, tuple[str, ...]] = field(repr=False)


def flatten(circuit: Circuit) -> Flat:
    """Take a circuit apart; InputError for elements that cannot be drawn (sources, capacitors, ground)."""
    ports = tuple(port.name for port in circuit.ports())
    nets = _Nets(ports)
    found = list(_walk(circuit, "", {name: name for name in ports}, nets))
    return Flat(
        circuit,
        tuple(device for device in (_renamed(device, nets) for device in found)),
        ports,
        nets.groups(),
    )


def prefixed(path: str, node: str) -> str:
    """Return ngspice's name of an inner node of the part at ``path``."""
    return ".".join([*(f"x{part}" for part in path.split(".")), node]) if path else node


# --- walking -------------------------------------------------------------------------------------------------


def _walk(circuit: Circuit, path: str, outside: Mapping[str, str], nets: "_Nets") -> Iterator[Device]:
    where = f"{path or circuit.name}"

    def net(node: str) -> str:
        if node == GROUND:
            raise InputError(f"layout of {where}: the node 0 cannot be drawn; connect it to a supply such as vss")
        name = outside.get(node) or prefixed(path, node)
        nets.add(name)
        return name

    for element in circuit.elements:
        if isinstance(element, Part):
            inner = {port: net(node) for port, node in element.connections.items()}
            yield from _walk(element.circuit, f"{path}.{element.name}" if path else element.name, inner, nets)
        elif isinstance(element, Transistor):
            yield Device(
                f"{element.channel}fet", path, element.name, circuit, tuple(map(net, element.nodes)),
                width=element.width, length=element.length, multiplier=element.multiplier,
            )  # fmt: skip
        elif isinstance(element, MTJ):
            yield from _junctions(element, path, circuit, tuple(map(net, element.nodes)))
        elif isinstance(element, Passive) and element.wire:
            if element.kind == "resistor":
                nets.join(net(element.a), net(element.b))
        elif isinstance(element, Passive) and element.kind == "resistor":
            ends = tuple(map(net, element.nodes))
            yield Device("resistor", path, element.name, circuit, ends, resistance=element.value)
        else:
            what = "source" if isinstance(element, Source) else "capacitor"
            raise InputError(f"layout of {where}: the {what} {element.name} cannot be drawn")


def _junctions(element: MTJ, path: str, owner: Circuit, ends: tuple[str, ...]) -> Iterator[Device]:
    """A junction is one pillar; a reference is two of half the area, side by side."""
    diameter = 2 * sqrt(derived.area(element.card) / pi)
    if element.reference:
        for half in ("p", "ap"):
            yield Device("mtj", path, f"{element.name}_{half}", owner, ends, diameter=diameter / sqrt(2))
    else:
        yield Device("mtj", path, element.name, owner, ends, diameter=diameter)


def _renamed(device: Device, nets: "_Nets") -> Device:
    names = tuple(nets.root(name) for name in device.nets)
    if names == device.nets:
        return device
    return Device(**{**device.__dict__, "nets": names})


class _Nets:
    """Nodes that wires join; a net has the name of a port, if one is among them, or of its first node."""

    def __init__(self, ports: tuple[str, ...]) -> None:
        self.ports = set(ports)
        self.parent = {name: name for name in ports}

    def add(self, name: str) -> None:
        self.parent.setdefault(name, name)

    def root(self, name: str) -> str:
        while self.parent[name] != name:
            self.parent[name] = self.parent[self.parent[name]]
            name = self.parent[name]
        return name

    def join(self, a: str, b: str) -> None:
        one, other = self.root(a), self.root(b)
        if one == other:
            return
        if other in self.ports:
            one, other = other, one
        if other in self.ports:
            raise InputError(f"layout: a wire joins the ports {one} and {other}")
        self.parent[other] = one

    def groups(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name in self.parent:
            found.setdefault(self.root(name), []).append(name)
        return {name: tuple(members) for name, members in found.items()}
