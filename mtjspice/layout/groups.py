"""The devices of a flattened circuit by the subcircuit in which they stand: the groups that are placed as one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mtjspice.circuits.circuit import Circuit
from mtjspice.layout import symmetry
from mtjspice.layout.arrangement import Arrangement, arranged
from mtjspice.layout.flat import Device, Flat
from mtjspice.layout.strips import folded

MOST = 20  # own devices of a circuit that are arranged as one group


@dataclass(frozen=True)
class Group:
    """The own devices of one instance of a circuit.

    ``nets`` maps the names in ``arrangement`` to nets of the whole; ``bare`` are nodes without contact: diffusions
    between FETs in series that nothing else touches.
    """

    path: str
    owner: Circuit = field(repr=False)
    arrangement: Arrangement = field(repr=False)
    bare: frozenset[str]
    nets: Mapping[str, str] = field(repr=False)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Differential pairs among the nets."""
        named = ((self.nets.get(a), self.nets.get(b)) for a, b in symmetry.pairs(self.owner))
        return tuple((a, b) for a, b in named if a is not None and b is not None and a != b)


def grouped(flat: Flat, tallest: Mapping[str, int]) -> tuple[Group, ...]:
    """Arrange the devices of every instance; equal circuits are arranged once.

    ``tallest`` are the largest widths of fingers (nm) of the sides "n" and "p".
    """
    known: dict[tuple[Circuit, tuple[str, ...]], tuple[Arrangement, frozenset[str]]] = {}
    nodes: dict[int, dict[str, tuple[str, ...]]] = {}
    uses: dict[int, Counter[str]] = {}
    groups = []
    for devices in _together(flat.devices):
        path, owner = devices[0].path, devices[0].owner
        if id(owner) not in nodes:
            nodes[id(owner)] = {element.name: element.nodes for element in owner.elements}
            uses[id(owner)] = Counter(node for of in nodes[id(owner)].values() for node in set(of))
        local = _local_nets(nodes[id(owner)], devices)
        key = owner, tuple(device.name for device in devices)
        if key not in known:
            known[key] = _arranged(owner, devices, local, tallest, uses[id(owner)])
        nets = {
            name: net for device in devices for name, net in zip(local[device.name], device.nets, strict=True)
        }  # fmt: skip
        groups.append(Group(path, owner, *known[key], nets))
    return tuple(groups)


def _together(devices: Sequence[Device]) -> list[list[Device]]:
    """The devices of each instance; of one with many, those that follow each other in the netlist."""
    counts = Counter(device.path for device in devices)
    found: list[list[Device]] = []
    whole: dict[str, list[Device]] = {}
    for device in devices:
        if counts[device.path] > MOST:
            if found and found[-1][-1].path == device.path and len(found[-1]) < MOST:
                found[-1].append(device)
            else:
                found.append([device])
        elif device.path in whole:
            whole[device.path].append(device)
        else:
            whole[device.path] = [device]
            found.append(whole[device.path])
    return found


def _local_nets(nodes: Mapping[str, tuple[str, ...]], devices: Sequence[Device]) -> dict[str, tuple[str, ...]]:
    """Nodes of each device as its circuit calls them; ``nodes`` are those of all elements of the circuit."""
    found = {}
    for device in devices:
        name = device.name if device.name in nodes else device.name.rpartition("_")[0]  # the halves of a reference
        found[device.name] = nodes[name]
    return found


def _arranged(
    owner: Circuit, devices: Sequence[Device], local: Mapping[str, tuple[str, ...]], tallest: Mapping[str, int],
    all_uses: Mapping[str, int],
) -> tuple[Arrangement, frozenset[str]]:  # fmt: skip
    units = [folded(x, local[x.name], tallest[x.kind[0]]) for x in devices if x.kind in ("nfet", "pfet")]
    others = [x for x in devices if x.kind in ("mtj", "resistor")]
    arrangement = arranged(units, others, local, symmetry.mirror(owner))
    counts = Counter(net for strip in arrangement.strips for _, net, _ in strip.terminals)
    for pillar in arrangement.pillars:
        counts.update((pillar.bottom, pillar.top))
    for bars in arrangement.bars:
        counts.update((bars.a, bars.b))
    # a port, and a node that anything beside this group uses, has to be reached
    used = {port.name for port in owner.ports()}
    here = Counter(node for unit in units for node in set(local[unit.name]))
    bare = set()
    for strip in arrangement.strips:
        for k, (_, net, gate) in enumerate(strip.terminals):
            if not gate and 0 < k < len(strip.nets) - 1 and counts[net] == 1 and net not in used:
                bare.add(net)
    return arrangement, frozenset(net for net in bare if all_uses[net] == here[net])
