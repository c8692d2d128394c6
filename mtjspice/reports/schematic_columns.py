"""Devices of a circuit in columns, as a designer draws them: rails above, grounds below, shared nodes at one height."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.elements import Part
from mtjspice.reports.schematic_sketch import Sketch
from mtjspice.reports.schematic_stacks import Branch, Group, groups
from mtjspice.reports.schematic_symbols import DEVICE_HEIGHT, GATE, Nets, device, label, supply

_GAP = 0.35  # between columns
_BAR = 0.56  # height of a supply's bar and name


def column_blocks(circuit: Circuit, widest: float) -> list[Sketch]:
    """Draw all devices of a circuit; blocks wider than ``widest`` are parted, then labels connect them."""
    devices = [element for element in circuit.elements if not isinstance(element, Part)]
    return [
        _aligned(_draw(circuit, part))
        for group in groups(devices, Nets.of(circuit))
        for part in _parted(group, circuit, widest)
    ]


def _height(level: int) -> float:
    return -level * DEVICE_HEIGHT


def _parted(group: Group, circuit: Circuit, widest: float) -> Iterator[Group]:
    """The group in pieces that are narrow enough, one column at least each."""
    columns: list[list[Branch]] = []
    for column in group.columns:
        longer = [*columns, column]
        if columns and _draw(circuit, Group(longer, group.levels, group.nets)).width > widest:
            yield Group(columns, group.levels, group.nets)
            longer = [column]
        columns = longer
    yield Group(columns, group.levels, group.nets)


def _draw(circuit: Circuit, group: Group) -> Sketch:
    wires = _wires(group)
    crossed = {
        (column, node_level) for node, (first, last), node_level in wires for column in range(first + 1, last + 1)
    }
    ends = {(node, first) for node, (first, _), _ in wires}
    sketch = Sketch()
    axes = []
    for number, column in enumerate(group.columns):
        labelled = {node for branch in column for node in (branch.above, branch.below) if (node, number) not in ends}
        drawn = _column(circuit, group, column, labelled, {level for where, level in crossed if where == number})
        axis = sketch.right + _GAP - drawn.left if number else 0.0
        sketch.add(drawn, axis)
        axes.append(axis)
    for _, (first, last), level in wires:
        sketch.line((axes[first], _height(level)), (axes[last], _height(level)))
    for x, level in _branchings(group, wires):
        sketch.dot(axes[x], _height(level))
    return sketch


def _wires(group: Group) -> list[tuple[str, tuple[int, int], int]]:
    """Horizontal wires: node, its two columns, its level; from each column to the next that has the node.

    A wire would run into another node or through a device of a column between: then there is none, but two labels.
    """
    wires = []
    for node, where in group.places.items():
        level = group.levels[node]
        for first, last in pairwise(where):
            if not any(group.occupies(column, level) for column in group.columns[first + 1 : last]):
                wires.append((node, (first, last), level))
    return wires


def _branchings(group: Group, wires: Sequence[tuple[str, tuple[int, int], int]]) -> Iterator[tuple[int, int]]:
    """Columns and levels at which three wires or more meet."""
    meeting: Counter[tuple[int, int]] = Counter()
    for _, ends, level in wires:
        meeting.update((column, level) for column in ends)
    for number, column in enumerate(group.columns):
        for branch in column:
            for node in (branch.above, branch.below):
                if not group.nets.is_supply(node):
                    meeting[number, group.levels[node]] += 1
    yield from (place for place, count in meeting.items() if count > 2)


def _column(circuit: Circuit, group: Group, column: Sequence[Branch], labelled: set[str], crossed: set[int]) -> Sketch:
    """One column with its axis at x = 0; ``crossed`` are levels at which wires come from the left."""
    nets, sketch = group.nets, Sketch()
    for branch in column:
        top = _height(branch.level)
        sketch.add(device(circuit, branch.element, branch.upside_down), 0, top)
        for node, y in ((branch.above, top), (branch.below, top - DEVICE_HEIGHT)):
            if nets.is_supply(node):
                sketch.add(supply(node, nets.is_ground(node)), 0, y)
            elif _height(group.levels[node]) != y:
                sketch.line((0, y), (0, _height(group.levels[node])))
    for node in sorted(labelled):
        if not nets.is_supply(node):
            sketch.add(label(nets, node, left=False), 0, _height(group.levels[node]))
    for gates in _gates(column, group, crossed):
        _gate_wire(sketch, group, gates)
    return sketch


def _gates(column: Sequence[Branch], group: Group, crossed: set[int]) -> Iterator[list[Branch]]:
    """Transistors whose gates are joined by a wire: neighbours with the same gate, no other wire between them."""
    joined: list[Branch] = []
    for branch in column:
        if joined and (
            branch.gate != joined[-1].gate or branch.level != joined[-1].level + 1 or branch.level in crossed
        ):
            yield joined
            joined = []
        if branch.gate:
            joined.append(branch)
    if joined:
        yield joined


def _gate_wire(sketch: Sketch, group: Group, gates: Sequence[Branch]) -> None:
    """The label of gates that are one node; that of a diode is wired to the drain."""
    ys = [_height(branch.level) - DEVICE_HEIGHT / 2 for branch in gates]
    gate = gates[0].gate
    if len(gates) == 1 and gate in (gates[0].above, gates[0].below) and not group.nets.is_supply(gate):
        drain = _height(group.levels[gate])
        sketch.line((-GATE, ys[0]), (-GATE, drain), (0, drain))
        sketch.dot(0, drain)
    else:
        sketch.line((-GATE, ys[0]), (-GATE, ys[-1]))
        sketch.add(label(group.nets, gate, left=True), -GATE, (ys[0] + ys[-1]) / 2)


def _aligned(block: Sketch) -> Sketch:
    """The block with its left at x = 0 and the lower end of its first devices at y = 0, so that the tops align."""
    aligned = Sketch()
    aligned.add(block, -block.left, DEVICE_HEIGHT + _BAR - block.top)
    return aligned
