"""Which way up devices stand, at which height, and which of them make a column; the geometry of it comes later.

Heights follow from the rails and from the usual direction of every device: the drain of an n-channel FET is above its
source, the top of a junction above its bottom.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mtjspice.circuits.elements import MTJ, Passive, Source, Transistor
from mtjspice.reports.schematic_symbols import Device, Nets

_RAIL = 1e4  # height of the rails, that of a ground is its negative; one device would be 1 high


@dataclass
class Branch:
    """A device between two nodes, the upper of which is nearer to a rail; it stands right below ``level``."""

    element: Device
    above: str
    below: str
    level: int = 0

    @property
    def gate(self) -> str:
        """The node of a transistor's gate, or nothing."""
        return self.element.gate if isinstance(self.element, Transistor) else ""

    @property
    def upside_down(self) -> bool:
        """Whether the end that is usually the upper one is the lower."""
        return self.above != _ends(self.element)[0]


@dataclass
class Group:
    """Branches that hang together: in columns, with the level of each of their nodes."""

    columns: list[list[Branch]]
    levels: dict[str, int]
    nets: Nets
    places: dict[str, list[int]] = field(default_factory=dict)  # node: columns it occurs in

    def __post_init__(self) -> None:
        for number, column in enumerate(self.columns):
            for branch in column:
                for node in (branch.above, branch.below):
                    where = self.places.setdefault(node, [])
                    if not self.nets.is_supply(node) and number not in where:
                        where.append(number)

    def top(self, branch: Branch) -> int:
        """The level at which a branch begins, the wire to its node included."""
        return branch.level if self.nets.is_supply(branch.above) else self.levels[branch.above]

    def bottom(self, branch: Branch) -> int:
        """The level at which a branch ends."""
        return branch.level + 1 if self.nets.is_supply(branch.below) else self.levels[branch.below]

    def occupies(self, column: Sequence[Branch], level: int) -> bool:
        """Whether a column has a node or a wire at a level."""
        return any(self.top(branch) <= level <= self.bottom(branch) for branch in column)


def groups(devices: Sequence[Device], nets: Nets) -> Iterator[Group]:
    """Devices that hang together by nodes other than supplies, arranged in columns."""
    for connected in _connected(devices, nets):
        yield _group(connected, nets)


def _ends(element: Device) -> tuple[str, str]:
    """The two ends of a device, the one that is usually nearer to the positive rail first."""
    if isinstance(element, Transistor):
        ends = (element.drain, element.source)
        return ends if element.channel == "n" else ends[::-1]
    if isinstance(element, MTJ):
        return element.top, element.bottom
    if isinstance(element, Source):
        return element.plus, element.minus
    return element.a, element.b


def _connected(devices: Sequence[Device], nets: Nets) -> Iterator[list[Device]]:
    """Devices whose ends share nodes other than supplies; capacitors and bridges stand alone."""
    rungs = [element for element in devices if not _is_capacitor(element)]
    bridges = [element for together in _together(rungs, nets) for element in _bridges(together, nets)]
    yield from _together([element for element in rungs if element not in bridges], nets)
    yield from ([element] for element in devices if element in bridges or _is_capacitor(element))


def _is_capacitor(element: Device) -> bool:
    return isinstance(element, Passive) and element.kind == "capacitor"


def _together(devices: Sequence[Device], nets: Nets) -> list[list[Device]]:
    groups: list[tuple[set[str], list[int]]] = []
    for number, element in enumerate(devices):
        nodes = {node for node in _ends(element) if not nets.is_supply(node)}
        joined = [group for group in groups if group[0] & nodes]
        groups = [group for group in groups if not group[0] & nodes]
        groups.append((nodes.union(*(g[0] for g in joined)), sorted([number, *(n for g in joined for n in g[1])])))
    return [[devices[number] for number in members] for _, members in sorted(groups, key=lambda group: group[1][0])]


def _bridges(devices: Sequence[Device], nets: Nets) -> list[Device]:
    """Devices across nodes of equal height, as equalizers are: with them in a column it would stand askew.

    Without them both their ends reach a supply, and are level.
    """
    rails = {nets.is_ground(node) for element in devices for node in _ends(element) if nets.is_supply(node)}
    step = 0.02 * _RAIL if len(rails) == 2 else 1.0  # a small distance from one node to the next

    def drop(element: Device, heights: Mapping[str, tuple[float, int]]) -> float:
        first, second = (heights[end][0] for end in _ends(element))
        return abs(first - second)

    def is_bridge(element: Device) -> bool:
        others = [other for other in devices if other is not element]
        held = all(_is_held(end, others, nets) for end in _ends(element))
        return held and drop(element, _heights(others, nets)) < step / 2

    heights = _heights(devices, nets)
    return [element for element in devices if drop(element, heights) < 0.9 * step and is_bridge(element)]


def _is_held(node: str, devices: Sequence[Device], nets: Nets) -> bool:
    """Whether a node is connected to a supply."""
    return any(
        node in {end for element in together for end in _ends(element)}
        and any(nets.is_supply(end) for element in together for end in _ends(element))
        for together in _together(devices, nets)
    )


def _group(devices: Sequence[Device], nets: Nets) -> Group:
    heights = _heights(devices, nets)
    branches = []
    for element in devices:
        first, second = _ends(element)
        above, below = (second, first) if heights[second] > heights[first] else (first, second)
        branches.append(Branch(element, above, below))
    levels = _levels(branches, nets)
    for branch in branches:
        branch.level = levels[branch.below] - 1 if nets.is_supply(branch.above) else levels[branch.above]
        if nets.is_supply(branch.above) and nets.is_supply(branch.below):
            branch.level = 0
    return Group(_chains(branches, nets), levels, nets)


def _heights(devices: Sequence[Device], nets: Nets) -> dict[str, tuple[float, int]]:
    """Order of the nodes from low to high, by the usual direction of every device and the place of the supplies.

    Least squares: every device would have its ends one apart; p-channel devices insist less, for those in parallel
    with an n-channel one have no direction of their own.
    """
    nodes = list(dict.fromkeys(node for element in devices for node in _ends(element)))
    rows, right = [], []
    for element in devices:
        weight = 0.5 if isinstance(element, Transistor) and element.channel == "p" else 1.0
        first, second = _ends(element)
        row = np.zeros(len(nodes))
        row[nodes.index(first)] += weight
        row[nodes.index(second)] -= weight
        rows.append(row)
        right.append(weight)
    for number, node in enumerate(nodes):
        if nets.is_supply(node):
            row = np.zeros(len(nodes))
            row[number] = 1e3
            rows.append(row)
            right.append(-1e3 * _RAIL if nets.is_ground(node) else 1e3 * _RAIL)
    solution = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    return {node: (round(float(solution[k]), 6), -k) for k, node in enumerate(nodes)}


def _levels(branches: Sequence[Branch], nets: Nets) -> dict[str, int]:
    """Levels of the nodes, 0 at the top: each below all that are above it."""
    levels: dict[str, int] = defaultdict(int)
    changed = True
    while changed:  # ends: the branches follow an order of the nodes
        changed = False
        for branch in branches:
            least = 1 if nets.is_supply(branch.above) else levels[branch.above] + 1
            if not nets.is_supply(branch.below) and levels[branch.below] < least:
                levels[branch.below] = least
                changed = True
    return levels


def _chains(branches: Sequence[Branch], nets: Nets) -> list[list[Branch]]:
    """Columns: from the topmost branch that is left down to a supply or a node with no way on."""
    left = sorted(branches, key=lambda branch: branch.level)
    columns = []
    while left:
        chain = [left.pop(0)]
        while not nets.is_supply(chain[-1].below):
            onward = [branch for branch in left if branch.above == chain[-1].below]
            if not onward:
                break
            same_gate = [branch for branch in onward if branch.gate and branch.gate == chain[-1].gate]
            chain.append((same_gate or onward)[0])
            left.remove(chain[-1])
        columns.append(chain)
    return _neighbourly(columns, nets)


def _neighbourly(columns: Sequence[list[Branch]], nets: Nets) -> list[list[Branch]]:
    """The columns in an order that has those with no nodes of their own beside the one whose nodes they share."""

    def nodes(column: Sequence[Branch]) -> set[str]:
        return {node for branch in column for node in (branch.above, branch.below) if not nets.is_supply(node)}

    left, ordered = list(columns), []
    while left:
        host = left.pop(0)
        guests = [column for column in left if nodes(column) <= nodes(host)]
        ordered += [host, *guests]
        left = [column for column in left if column not in guests]
    return ordered
