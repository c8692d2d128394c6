"""What circuits consist of, as data: ports, transistors, junctions, passive elements, sources, and parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtjspice.device.card import MTJCard

if TYPE_CHECKING:
    from mtjspice.circuits.circuit import Circuit

GROUND = "0"
DIRECTIONS = ("input", "output", "inout", "supply")


@dataclass(frozen=True)
class Port:
    """A terminal of a circuit; ``direction`` is input, output, inout or supply."""

    name: str
    direction: str


def supplies(*names: str) -> tuple[Port, ...]:
    """Supply ports; a part's are connected to those of the same name unless told otherwise."""
    return tuple(Port(name, "supply") for name in names)


def inputs(*names: str) -> tuple[Port, ...]:
    """Ports that the outside drives."""
    return tuple(Port(name, "input") for name in names)


def outputs(*names: str) -> tuple[Port, ...]:
    """Ports that the circuit drives."""
    return tuple(Port(name, "output") for name in names)


def inouts(*names: str) -> tuple[Port, ...]:
    """Ports that carry current both ways, as bit lines do."""
    return tuple(Port(name, "inout") for name in names)


# --- elements ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Transistor:
    """``multiplier`` parallel FETs; ``channel`` is "n" or "p", sizes in m."""

    name: str
    channel: str
    drain: str
    gate: str
    source: str
    bulk: str
    width: float
    length: float
    multiplier: int

    @property
    def nodes(self) -> tuple[str, ...]:
        """Drain, gate, source, bulk."""
        return self.drain, self.gate, self.source, self.bulk


@dataclass(frozen=True)
class Passive:
    """A resistor (``kind`` "resistor", ohm) or a capacitor ("capacitor", F).

    One with ``wire`` stands for a property of the wires between devices: nobody draws it, a layout has it.
    """

    name: str
    kind: str
    a: str
    b: str
    value: float
    wire: bool = False

    @property
    def nodes(self) -> tuple[str, ...]:
        """Both ends."""
        return self.a, self.b


@dataclass(frozen=True)
class MTJ:
    """A stochastic junction, or, with ``reference``, one that is never written and conducts midway between its states.

    A reference stands for a P and an AP junction of half the area in parallel: the mean of G_P(V) and G_AP(V) at every
    bias, which a fixed resistor cannot follow.
    """

    name: str
    top: str
    bottom: str
    card: MTJCard
    reference: bool = False

    @property
    def nodes(self) -> tuple[str, ...]:
        """Top and bottom."""
        return self.top, self.bottom


@dataclass(frozen=True)
class Source:
    """An ideal DC source (V or A; ``kind`` "voltage" or "current", from ``plus`` through the source to ``minus``)."""

    name: str
    kind: str
    plus: str
    minus: str
    value: float

    @property
    def nodes(self) -> tuple[str, ...]:
        """Plus and minus."""
        return self.plus, self.minus


@dataclass(frozen=True)
class Part:
    """An instance of a circuit; ``connections`` maps its ports to nodes here."""

    name: str
    circuit: "Circuit"
    connections: Mapping[str, str] = field(hash=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes in the order of the circuit's ports."""
        return tuple(self.connections[port.name] for port in self.circuit.ports())


Element = Transistor | Passive | MTJ | Source | Part


@dataclass(frozen=True)
class Junction:
    """A stochastic junction somewhere in a circuit: the names of its instance and nodes as in a flat netlist."""

    path: str
    top: str
    bottom: str
    card: MTJCard
