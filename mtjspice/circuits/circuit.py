"""Circuits as data: ports, typed parameters and elements, from which everything else is made.

A circuit is a frozen dataclass::

    @dataclass(frozen=True, kw_only=True)
    class Divider(Circuit):
        "A junction in series with a transistor."

        card: MTJCard
        access: float = width(2.0, "access transistor")

        def ports(self):
            return (Port("bl", "inout"), Port("wl", "input"), *supplies("vss"))

        def build(self, add):
            add.mtj("mtj", "bl", "x", self.card)
            add.nmos("access", "x", "wl", "vss", width=self.access)

Circuits hold circuits (``add.use``), know their junctions at any depth, and are rendered to PySpice and to text by
`mtjspice.circuits.rendering`. What is wrong with one (a node that is left alone, a name used twice, a width that the
technology cannot make) is found when it is built, without a simulator.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from mtjspice.circuits import parameters
from mtjspice.circuits.checks import check
from mtjspice.circuits.elements import GROUND, MTJ, Element, Junction, Part, Passive, Port, Source, Transistor
from mtjspice.circuits.technology import Technology
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


# --- building ------------------------------------------------------------------------------------------------


class Builder:
    """Collects the elements of one circuit. Every method adds one; InputError for what cannot be."""

    def __init__(self, circuit: "Circuit") -> None:
        self.circuit = circuit
        self.technology = circuit.technology
        self.elements: list[Element] = []
        self._names: set[str] = set()

    def nmos(
        self, name: str, drain: str, gate: str, source: str, *, width: float, length: float | None = None,
        bulk: str = "vss", multiplier: int = 1,
    ) -> None:  # fmt: skip
        """Add an n-channel FET; the default length is the shortest."""
        self._transistor(name, "n", (drain, gate, source, bulk), width, length, multiplier)

    def pmos(
        self, name: str, drain: str, gate: str, source: str, *, width: float, length: float | None = None,
        bulk: str = "vdd", multiplier: int = 1,
    ) -> None:  # fmt: skip
        """Add a p-channel FET; the default length is the shortest."""
        self._transistor(name, "p", (drain, gate, source, bulk), width, length, multiplier)

    def _transistor(
        self, name: str, channel: str, nodes: tuple[str, str, str, str], width: float, length: float | None,
        multiplier: int,
    ) -> None:  # fmt: skip
        fet = self.technology.nfet if channel == "n" else self.technology.pfet
        length = fet.min_length if length is None else length
        self.technology.transistor(channel, f"{self.circuit.name}.{name}", width, length, multiplier)
        drain, gate, source, bulk = nodes
        self._add(Transistor(name, channel, drain, gate, source, bulk, width, length, multiplier))

    def resistor(self, name: str, a: str, b: str, ohm: float, *, wire: bool = False) -> None:
        """Add a resistor; with ``wire`` it is that of a wire, not one that is drawn."""
        self._add(Passive(name, "resistor", a, b, self._positive(name, ohm), wire))

    def capacitor(self, name: str, a: str, b: str, farad: float, *, wire: bool = False) -> None:
        """Add a capacitor; one of 0 F is left out. With ``wire`` it is that of a wire, not one that is drawn."""
        if farad != 0:
            self._add(Passive(name, "capacitor", a, b, self._positive(name, farad), wire))

    def mtj(self, name: str, top: str, bottom: str, card: MTJCard) -> None:
        """Add a stochastic junction; positive voltage from top to bottom lowers the barrier (VCMA)."""
        self._add(MTJ(name, top, bottom, card))

    def reference_mtj(self, name: str, top: str, bottom: str, card: MTJCard) -> None:
        """Add a junction that is never written and conducts midway between P and AP at every bias."""
        self._add(MTJ(name, top, bottom, card, reference=True))

    def voltage(self, name: str, plus: str, minus: str, volts: float) -> None:
        """Add an ideal voltage source."""
        self._add(Source(name, "voltage", plus, minus, volts))

    def current(self, name: str, plus: str, minus: str, amperes: float) -> None:
        """Add an ideal current source; the current leaves it at ``minus``."""
        self._add(Source(name, "current", plus, minus, amperes))

    def use(self, name: str, circuit: "Circuit", **connections: str | None) -> None:
        """Add a circuit. Supplies are connected by name unless given; an output given as None is left open.

        Raises InputError for a port that the circuit does not have and for one that is not connected.
        """
        where = f"{self.circuit.name}.{name}"
        if circuit.technology != self.technology:
            raise InputError(
                f"{where} is in {circuit.technology.name}, the circuit around it in {self.technology.name}"
            )
        ports = {port.name: port for port in circuit.ports()}
        unknown = connections.keys() - ports.keys()
        if unknown:
            raise InputError(
                f"{where}: {circuit.name} has no port {', '.join(sorted(unknown))}; it has {', '.join(ports)}"
            )
        nodes: dict[str, str] = {}
        for port in ports.values():
            node = connections.get(port.name, port.name if port.direction == "supply" else "")
            if node is None:
                if port.direction != "output":
                    raise InputError(f"{where}: {port.direction} {port.name} cannot be left open")
                node = f"open_{name}_{port.name}"
            if not node:
                raise InputError(f"{where}: port {port.name} of {circuit.name} is not connected")
            nodes[port.name] = node
        self._add(Part(name, circuit, nodes))

    def _add(self, element: Element) -> None:
        self._check_name(element.name)
        self._check_nodes(element)
        self.elements.append(element)

    def _check_name(self, name: str) -> None:
        if not _NAME.match(name):
            raise InputError(
                f"{self.circuit.name}: {name!r} is no name of an instance; allowed: a-z, 0-9 and _, a letter first"
            )
        if name in self._names:
            raise InputError(f"{self.circuit.name}: the instance name {name!r} is used twice")
        self._names.add(name)

    def _check_nodes(self, element: Element) -> None:
        for node in element.nodes:
            if node != GROUND and not (isinstance(node, str) and _NAME.match(node) and node != "gnd"):
                raise InputError(
                    f"{self.circuit.name}.{element.name}: {node!r} is no name of a node; allowed: 0, or a-z, 0-9 and "
                    "_, a letter first (upper and lower case are the same to a simulator, gnd is ground)"
                )

    def _positive(self, name: str, value: float) -> float:
        if not 0 < value < float("inf"):
            raise InputError(f"{self.circuit.name}.{name}: value {value!r} must be positive and finite")
        return float(value)


# --- circuits ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Circuit(ABC):
    """Base of all circuits; a subclass declares parameters (`mtjspice.circuits.parameters`), ports and elements."""

    source: ClassVar[str] = "a design of this project"  # where the circuit is from

    technology: Technology = field(kw_only=False)

    def __post_init__(self) -> None:
        parameters.resolve(self)
        self.validate()

    @property
    def name(self) -> str:
        """Name of the subcircuit: by default that of the class, in SPICE's case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(self).__name__).lower()

    def validate(self) -> None:  # noqa: B027, a hook
        """Check what ranges of single parameters cannot say; raise InputError."""

    @abstractmethod
    def ports(self) -> tuple[Port, ...]:
        """Terminals, in the order of the subcircuit."""

    @abstractmethod
    def build(self, add: Builder) -> None:
        """Add the elements."""

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """The elements, checked; InputError says what is wrong."""
        builder = Builder(self)
        self.build(builder)
        elements = tuple(builder.elements)
        check(self, elements)
        return elements

    @cached_property
    def own_junctions(self) -> tuple[Junction, ...]:
        """The stochastic junctions within, at any depth, as seen from inside the circuit; in the netlist's order."""
        return tuple(self._junctions())

    def _junctions(self) -> Iterator[Junction]:
        for element in self.elements:
            if isinstance(element, MTJ) and not element.reference:
                yield Junction(f"x{element.name}", element.top, element.bottom, element.card)
            elif isinstance(element, Part):
                for inner in element.circuit.own_junctions:
                    yield Junction(
                        f"x{element.name}.{inner.path}",
                        _outside(element, inner.top),
                        _outside(element, inner.bottom),
                        inner.card,
                    )

    def junctions(self, instance: str) -> tuple[Junction, ...]:
        """The junctions with their names in a netlist where the circuit is ``X<instance>`` and its ports have their
        own names as nodes."""  # fmt: skip
        ports = {port.name for port in self.ports()}
        prefix = f"x{instance}"

        def named(node: str) -> str:
            return node if node in ports or node == GROUND else f"{prefix}.{node}"

        return tuple(
            Junction(f"{prefix}.{junction.path}", named(junction.top), named(junction.bottom), junction.card)
            for junction in self.own_junctions
        )

    def part(self, name: str) -> "Circuit":
        """Return the circuit of the part ``name``; InputError where there is none."""
        parts = {element.name: element.circuit for element in self.elements if isinstance(element, Part)}
        if name not in parts:
            raise InputError(f"{self.name} has no part {name!r}; it has {', '.join(parts) or 'none'}")
        return parts[name]

    def parameters(self) -> tuple[parameters.Parameter, ...]:
        """The typed parameters, those of parts with dotted names."""
        return parameters.parameters(self)


def _outside(part: Part, node: str) -> str:
    """The name of a part's node one level up."""
    if node == GROUND:
        return GROUND
    return part.connections.get(node) or f"x{part.name}.{node}"
