"""Circuits as PySpice subcircuits and as text.

Every circuit becomes one subcircuit, parts first; equal circuits share one. Junctions are calls of ``mtj_cell``, one
subcircuit for each card, with the state as a parameter: a circuit with n junctions has the parameters s0 to s(n-1)
(1 P, -1 AP) and hands them on to its parts. `mtjspice.circuits.simulation` puts other bodies in their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySpice.Spice.Netlist import SubCircuit

from mtjspice.circuits import junction
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import MTJ, Element, Part, Passive, Source, Transistor
from mtjspice.circuits.parasitics import Parasitics
from mtjspice.circuits.technology import DrawnJunctions
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.temperature import at_temperature
from mtjspice.errors import InputError
from mtjspice.spice.text import number


@dataclass
class Library:
    """The subcircuits that a netlist needs, each once.

    ``states`` False leaves out the states of junctions (for simulators that are told them otherwise, and for large
    arrays); ``temperature`` (K) is that of the junctions' conductance. ``cosimulated`` junctions have external sources
    for `mtjspice.spice.jobs` in place of a state; the others stand still. With ``parasitics``, capacitors that stand
    for wires are left out, and transistors have their drawn junctions; resistors of wires stay.
    """

    temperature: float = ROOM_TEMPERATURE
    states: bool = True
    cosimulated: bool = False
    parasitics: Parasitics | None = None
    cells: dict[str, MTJCard] = field(default_factory=dict)
    subcircuits: list[SubCircuit] = field(default_factory=list)
    _circuits: dict[Circuit, str] = field(default_factory=dict)
    _references: dict[str, MTJCard] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states = self.states and not self.cosimulated

    def add(self, circuit: Circuit) -> str:
        """Add a circuit with all its parts; return the name of its subcircuit."""
        if circuit in self._circuits:
            return self._circuits[circuit]
        self._check_name(circuit)
        elements = circuit.elements
        for element in elements:
            if isinstance(element, Part):
                self.add(element.circuit)
        name = self._unused(circuit.name)
        self._circuits[circuit] = name
        states = _state_names(len(circuit.own_junctions)) if self.states else []
        subcircuit = SubCircuit(name, *(port.name for port in circuit.ports()), **dict.fromkeys(states, 1))
        left = list(states)
        for element in elements:
            self._render(subcircuit, circuit, element, left)
        self.subcircuits.append(subcircuit)
        return name

    def instance_states(self, circuit: Circuit, states: Sequence[int]) -> dict[str, str]:
        """Parameters of an instance whose junctions are in ``states`` (1 P, -1 AP); those at P are left out."""
        names = _state_names(len(circuit.own_junctions))
        return {name: str(state) for name, state in zip(names, states, strict=True) if state != 1}

    def _render(self, into: SubCircuit, circuit: Circuit, element: Element, states: list[str]) -> None:
        if isinstance(element, Transistor):
            where = f"{circuit.name}.{element.name}"
            model, values = circuit.technology.transistor(
                element.channel, where, element.width, element.length, element.multiplier,
                self._drawn(circuit, element),
            )  # fmt: skip
            into.X(element.name, model, *element.nodes, **values)
        elif isinstance(element, Passive):
            if element.wire and element.kind == "capacitor" and self.parasitics is not None:
                return  # the layout's own are in its place
            {"resistor": into.R, "capacitor": into.C}[element.kind](
                element.name, element.a, element.b, number(element.value)
            )
        elif isinstance(element, Source):
            {"voltage": into.V, "current": into.I}[element.kind](
                element.name, element.plus, element.minus, f"dc {number(element.value)}"
            )
        elif isinstance(element, Part):
            inner = _state_names(len(element.circuit.own_junctions)) if self.states else []
            values = {name: f"{{{states.pop(0)}}}" for name in inner}
            into.X(element.name, self._circuits[element.circuit], *element.nodes, **values)
        elif element.reference:
            into.X(element.name, self._reference(element), *element.nodes)
        else:
            values = {"state": f"{{{states.pop(0)}}}"} if self.states else {}
            into.X(element.name, self._cell(element), *element.nodes, **values)

    def _drawn(self, circuit: Circuit, element: Transistor) -> DrawnJunctions | None:
        if self.parasitics is None:
            return None
        return self.parasitics.junctions.get(circuit, {}).get(element.name)

    def _cell(self, element: MTJ) -> str:
        for name, card in self.cells.items():
            if card == element.card:
                return name
        name = junction.CELL_MTJ + (f"_{len(self.cells) + 1}" if self.cells else "")
        self.cells[name] = element.card
        card = at_temperature(element.card, self.temperature)
        if self.cosimulated:
            cell = SubCircuit(name, "top", "bottom")
            cell.raw_spice = junction.tangent_body(card) + "\n"
        else:
            cell = junction.fixed_junction(card, name)
        self.subcircuits.append(cell)
        return name

    def _reference(self, element: MTJ) -> str:
        for name, card in self._references.items():
            if card == element.card:
                return name
        name = junction.REFERENCE_MTJ + (f"_{len(self._references) + 1}" if self._references else "")
        self._references[name] = element.card
        self.subcircuits.append(junction.reference_junction(at_temperature(element.card, self.temperature), name))
        return name

    def _check_name(self, circuit: Circuit) -> None:
        """Subcircuits that come from elsewhere: transistors from the model cards, junctions from here."""
        technology = circuit.technology
        reserved = (technology.nfet.subcircuit, technology.pfet.subcircuit)
        if circuit.name in reserved or circuit.name.startswith((junction.CELL_MTJ, junction.REFERENCE_MTJ)):
            raise InputError(
                f"a circuit cannot be called {circuit.name!r}; {', '.join(reserved)}, {junction.CELL_MTJ} and "
                f"{junction.REFERENCE_MTJ} are subcircuits that every netlist has"
            )

    def _unused(self, name: str) -> str:
        taken = set(self._circuits.values())
        unique = name
        count = 1
        while unique in taken:
            count += 1
            unique = f"{name}_{count}"
        return unique

    def text(self) -> str:
        """All subcircuits as SPICE text."""
        return "".join(str(subcircuit) for subcircuit in self.subcircuits)


def _state_names(count: int) -> list[str]:
    return [f"s{k}" for k in range(count)]


def subcircuits(circuit: Circuit, temperature: float = ROOM_TEMPERATURE) -> tuple[SubCircuit, ...]:
    """Return a circuit and its parts as PySpice subcircuits, the circuit last."""
    library = Library(temperature)
    library.add(circuit)
    return tuple(library.subcircuits)


def text(circuit: Circuit, temperature: float = ROOM_TEMPERATURE) -> str:
    """Return a circuit and its parts as SPICE text, without model cards."""
    library = Library(temperature)
    library.add(circuit)
    return library.text()
