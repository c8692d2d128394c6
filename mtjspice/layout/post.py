"""The circuit as it was drawn: what a layout adds to a testbench, and whether differential nets are alike.

Capacitances between wires and to the substrate come from the extracted layout (`capacitance`), areas and perimeters of
sources and drains from its transistors. Resistances of wires inside a block are left out: some ten ohms beside
kiloohms of junctions and transistors. Those of an array's lines are parameters of its circuit, with numbers from here
(`lines`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.parasitics import Parasitics
from mtjspice.circuits.technology import DrawnJunctions
from mtjspice.circuits.testbench import Testbench
from mtjspice.errors import InputError, choose
from mtjspice.layout.capacitance import Capacitances, capacitances
from mtjspice.layout.generate import Drawn, generate
from mtjspice.layout.lvs import Comparison, compare

if TYPE_CHECKING:
    import xarray

PARASITICS = ("none", "layout")
GROUND = "vss"
# of the model cards (TOXE, CJS, CJSWS, CJSWGS, means of both channels, which differ by less than a quarter)
OXIDE = 4.35e-3  # F/m2
JUNCTION_AREA = 0.96e-3  # F/m2
JUNCTION_EDGE = 0.154e-9  # F/m
JUNCTION_GATE_EDGE = 0.54e-9  # F/m
SMALLEST = 2e-18  # F: a smaller coupling is given to the ground of both nets


@dataclass(frozen=True)
class Balance:
    """Capacitances (F) of the nets ``a`` and ``b`` of a differential pair.

    ``wires`` are those to everything around the two nets, ``nodes`` have the gates and junctions of their transistors
    as well, with zero bias.
    """

    a: str
    b: str
    wires: tuple[float, float]
    nodes: tuple[float, float]

    @property
    def difference(self) -> float:
        """Of the nodes, relative to their mean."""
        return _difference(*self.nodes)

    @property
    def wire_difference(self) -> float:
        """Of the wires alone, relative to their mean."""
        return _difference(*self.wires)


def _difference(a: float, b: float) -> float:
    return 2 * abs(a - b) / (a + b)


@dataclass(frozen=True)
class Wired:
    """A drawn circuit with the capacitances of its wires; those of nets by the circuit's names."""

    drawn: Drawn
    comparison: Comparison
    capacitances: Capacitances

    @property
    def totals(self) -> Mapping[str, float]:
        """Capacitance (F) of every net to everything around it."""
        return {net: self.capacitances.total(index) for net, index in self.comparison.nets.items()}

    @property
    def transistors(self) -> Mapping[str, float]:
        """Capacitance (F) of every net's gates, sources and drains: oxide and zero-bias junctions."""
        found: defaultdict[str, float] = defaultdict(float)
        for device in self.comparison.flat.devices:
            drawn = self.comparison.devices.get(device.full_name)
            if drawn is None:
                continue
            drain, gate, source, _ = device.nets
            found[gate] += drawn.width * device.length * OXIDE
            for net, area, perimeter in (
                (drain, drawn.drain_area, drawn.drain_perimeter), (source, drawn.source_area, drawn.source_perimeter),
            ):  # fmt: skip
                edge = max(perimeter - drawn.width, 0.0)
                found[net] += area * JUNCTION_AREA + edge * JUNCTION_EDGE + drawn.width * JUNCTION_GATE_EDGE
        return found

    def balances(self) -> tuple[Balance, ...]:
        """The differential pairs, and how alike they are."""
        wires, transistors = self.totals, self.transistors
        pairs = dict.fromkeys(
            pair for row in self.drawn.stack.rows for placed in row.row.placed for pair in placed.group.pairs
        )
        return tuple(
            Balance(
                a, b, (wires[a], wires[b]), (wires[a] + transistors[a], wires[b] + transistors[b])
            )
            for a, b in pairs
            if a in wires and b in wires
        )  # fmt: skip


def wired(drawn: Drawn) -> Wired:
    """Extract the wires of a layout; InputError where it is not its circuit."""
    comparison = compare(drawn.circuit, drawn.layout, drawn.cell)
    if not comparison.match:
        raise InputError(f"the layout of {drawn.name} is another circuit: {comparison.problems[0]}")
    return Wired(drawn, comparison, capacitances(comparison.extracted))


def parasitics(circuit: Circuit) -> Parasitics:
    """Draw a circuit and return what its layout adds; InputError for what cannot be drawn."""
    found = wired(generate(circuit))
    return Parasitics(f"layout of {circuit.name}", tuple(_capacitors(found)), _junctions(found))


def post_layout(testbench: Testbench) -> Testbench:
    """Return a testbench with its circuit as drawn."""
    return testbench.at(parasitics=parasitics(testbench.circuit))


def simulate(
    testbench: Testbench, fidelity: str = "cosim", *, parasitics: str = "layout", seed: int = 1, **options: Any
) -> "xarray.Dataset":
    """Run a testbench; with ``parasitics`` "layout" its circuit is drawn first, "none" is `Testbench.run`.

    The other arguments are those of `Testbench.run`.
    """
    choose("parasitics", parasitics, PARASITICS)
    bench = post_layout(testbench) if parasitics == "layout" else testbench
    return bench.run(fidelity, seed=seed, **options)


@dataclass(frozen=True)
class Change:
    """A measurement of a circuit as its netlist has it and as it was drawn."""

    name: str
    unit: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After to before; NaN where there is none."""
        return self.after / self.before if self.before else nan


def changes(testbench: Testbench) -> tuple[Change, ...]:
    """Measure a circuit with its junctions standing still, as its netlist has it and as it was drawn."""
    before, after = (bench.run("resistor").attrs for bench in (testbench, post_layout(testbench)))
    return tuple(
        Change(name, one.unit, float(before[name]), float(after[name]))
        for name, one in testbench.measurements.items()
    )  # fmt: skip


# --- capacitors ----------------------------------------------------------------------------------------------


def _capacitors(found: Wired) -> Iterator[tuple[str, str, float]]:
    """Capacitors between the netlist's nodes.

    A net that is several nodes, a line with resistance, shares its capacitance among them; all of it then goes to
    ground, as does what couples to nothing that the circuit has.
    """
    names = {index: net for net, index in found.comparison.nets.items()}
    nodes = found.comparison.flat.nodes
    to_ground: defaultdict[str, float] = defaultdict(float)
    for index, value in found.capacitances.ground.items():
        if index in names:
            to_ground[names[index]] += value
    for (a, b), value in found.capacitances.coupling.items():
        known = [names[index] for index in (a, b) if index in names]
        whole = len(known) == 2 and all(len(nodes[net]) == 1 for net in known) and value >= SMALLEST
        if whole and GROUND not in known:
            yield known[0], known[1], value
        else:
            for net in known:
                to_ground[net] += value
    for net, value in to_ground.items():
        if net == GROUND or value <= 0:
            continue
        members = nodes[net]
        for node in members:
            yield node, GROUND, value / len(members)


# --- transistors ---------------------------------------------------------------------------------------------


def _junctions(found: Wired) -> dict[Circuit, dict[str, DrawnJunctions]]:
    """Sources and drains of one of the parallel FETs; equal circuits are drawn alike, the mean of all is taken."""
    sums: dict[Circuit, dict[str, list[DrawnJunctions]]] = {}
    for device in found.comparison.flat.devices:
        if device.full_name not in found.comparison.devices:
            continue
        one, count = found.comparison.devices[device.full_name], device.multiplier
        values = (
            one.drain_area / count, one.source_area / count, one.drain_perimeter / count, one.source_perimeter / count,
        )  # fmt: skip
        sums.setdefault(device.owner, {}).setdefault(device.name, []).append(values)
    return {owner: {name: _mean(values) for name, values in of.items()} for owner, of in sums.items()}


def _mean(values: list[DrawnJunctions]) -> DrawnJunctions:
    count = len(values)
    a, b, c, d = (sum(column) / count for column in zip(*values, strict=True))
    return a, b, c, d
