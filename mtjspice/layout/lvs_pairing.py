"""Which device and net of a layout belongs to which of the circuit: an isomorphism of two graphs, by their connections.

KLayout's comparer finds it, and what cannot be paired. It is told what is certain: the nets that labels name, and those
that are the only ones to be connected as they are.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtjspice.layout.lvs_groups import Group
from mtjspice.layout.require import klayout_db

# absolute (m) and relative tolerances; of widths half a grid step for every finger, which is at least 1 um wide
WIDTH = (2.5e-9, 2.5e-3)
LENGTH = (1e-9, 0.0)
DIAMETER = (0.0, 0.02)
RESISTANCE = (0.0, 6e-3)  # less than one bar of the longest resistor

_ROUNDS = 30  # of `_alike`, at most
TERMINALS = {
    "nfet": ("D", "G", "S", "B"),
    "pfet": ("D", "G", "S", "B"),
    "mtj": ("top", "bottom"),
    "resistor": ("A", "B"),
}


@dataclass(frozen=True)
class Pairs:
    """What the comparer found: pairs of positions in the lists of groups, and nets by name."""

    complete: bool
    groups: tuple[tuple[int, int], ...]
    nets: Mapping[str, int]
    lonely_drawn: tuple[int, ...]
    lonely_wanted: tuple[int, ...]
    lonely_nets: tuple[str, ...]


def pair(drawn: list[Group], wanted: list[Group], hints: Mapping[str, int], ports: set[str], sized: bool) -> Pairs:
    """Let KLayout find the isomorphism, of devices of equal sizes where ``sized``.

    Labelled nets are given; those of ports must agree.
    """
    kdb = klayout_db()
    one, other = _netlist(kdb, drawn, sized), _netlist(kdb, wanted, sized)
    log = _log(kdb)
    comparer = kdb.NetlistComparer(log)
    comparer.dont_consider_net_names = True
    a, b = one.circuit_by_name("top"), other.circuit_by_name("top")
    for name, index in {**_alike(drawn, wanted, hints), **hints}.items():
        net_a, net_b = a.net_by_name(f"n:{index}"), b.net_by_name(f"n:{name}")
        if net_a is not None and net_b is not None:
            comparer.same_nets(a, b, net_a, net_b, name in ports)
    complete = comparer.compare(one, other)
    nets = {name[2:]: int(index[2:]) for index, name in log.nets}
    matched_drawn, matched_wanted = {i for i, _ in log.devices}, {j for _, j in log.devices}
    return Pairs(
        complete,
        tuple(log.devices),
        nets,
        tuple(k for k in range(len(drawn)) if k not in matched_drawn),
        tuple(k for k in range(len(wanted)) if k not in matched_wanted),
        tuple(sorted(nets_of(wanted) - nets.keys())),
    )


def _alike(drawn: list[Group], wanted: list[Group], hints: Mapping[str, int]) -> dict[str, int]:
    """Pair nets by what surrounds them, ever further: each that is alone on both sides in being connected as it is.

    The comparer alone needs minutes for an array of thousands of cells.
    """
    colours: list[dict[Any, int]] = [
        {index: hash(name) for name, index in hints.items()},
        {name: hash(name) for name in hints},
    ]
    found: dict[str, int] = {}
    taken: set[int] = set()
    for _ in range(_ROUNDS):
        colours = [_next_colours(groups, before) for groups, before in zip((drawn, wanted), colours, strict=True)]
        alone = []
        for side in colours:
            counts = Counter(side.values())
            alone.append({colour: net for net, colour in side.items() if counts[colour] == 1})
        new = {
            name: alone[0][colour]
            for colour, name in alone[1].items()
            if name not in found and colour in alone[0] and alone[0][colour] not in taken
        }
        found |= new
        taken |= set(new.values())
        if not new:
            break
    return found


def _next_colours(groups: list[Group], before: Mapping[Any, int]) -> dict[Any, int]:
    """Return a number for every net that depends on the devices on it and the numbers of their other nets."""
    seen: dict[Any, list[int]] = defaultdict(list)
    for group in groups:
        around = tuple(before.get(net, 0) for net in group.nets)
        if group.kind in ("nfet", "pfet"):  # drain and source are alike
            channel = around[0] ^ around[2]
            seen[group.nets[1]].append(hash((group.kind, "gate", channel, around[3])))
            seen[group.nets[3]].append(hash((group.kind, "bulk", channel, around[1])))
            for end, other in ((0, 2), (2, 0)):
                seen[group.nets[end]].append(hash((group.kind, around[other], around[1], around[3])))
        else:
            for end, net in enumerate(group.nets):
                which = end if group.kind == "mtj" else 0
                seen[net].append(hash((group.kind, which, around[1 - end])))
    return {net: hash((before.get(net, 0), tuple(sorted(numbers)))) for net, numbers in seen.items()}


def nets_of(groups: list[Group]) -> set[Any]:
    """Return the nets with devices."""
    return {net for group in groups for net in group.nets}


def _netlist(kdb: Any, groups: list[Group], sized: bool) -> Any:
    """Build a netlist of KLayout in memory; device names are positions, nets are called n:<name or index>."""
    netlist = kdb.Netlist()
    netlist.case_sensitive = True
    kinds = {kind: _kind(kdb, netlist, kind, sized) for kind in TERMINALS}
    circuit = kdb.Circuit()
    circuit.name = "top"
    netlist.add(circuit)
    nets = {net: circuit.create_net(f"n:{net}") for net in dict.fromkeys(net for g in groups for net in g.nets)}
    for k, group in enumerate(groups):
        device = circuit.create_device(kinds[group.kind], str(k))
        for terminal, net in zip(TERMINALS[group.kind], group.nets, strict=True):
            device.connect_terminal(terminal, nets[net])
        if group.kind in ("nfet", "pfet"):
            device.set_parameter("W", group.size * 1e6)
            device.set_parameter("L", group.length * 1e6)
        else:
            device.set_parameter("R" if group.kind == "resistor" else "diameter", group.size)
    return netlist


def _kind(kdb: Any, netlist: Any, name: str, sized: bool) -> Any:
    """Add a class of devices, whose sizes matter where ``sized``."""
    if name == "mtj":
        kind = kdb.DeviceClass()
        for end in TERMINALS[name]:
            terminal = kdb.DeviceTerminalDefinition()
            terminal.name = end
            kind.add_terminal(terminal)
        kind.add_parameter(kdb.DeviceParameterDefinition("diameter", "m", 0.0, True))
        parameters = {"diameter": (DIAMETER, 1.0)}
    elif name == "resistor":
        kind = kdb.DeviceClassResistor()
        parameters = {"R": (RESISTANCE, 1.0)}
    else:
        kind = kdb.DeviceClassMOS4Transistor()
        parameters = {"W": (WIDTH, 1e6), "L": (LENGTH, 1e6)}
    kind.name = name
    ids = {parameter.name: parameter.id() for parameter in kind.parameter_definitions()}
    equal = None
    for parameter, ((absolute, relative), unit) in parameters.items():
        found = kdb.EqualDeviceParameters(ids[parameter], absolute * unit * 1.001 if sized else 1e12, relative)
        equal = found if equal is None else equal + found
    kind.equal_parameters = equal
    netlist.add(kind)
    return kind


def _log(kdb: Any) -> Any:
    """Return a listener that keeps the pairs; its class can only be made once klayout is there."""

    class Log(kdb.GenericNetlistCompareLogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.nets: list[tuple[str, str]] = []
            self.devices: list[tuple[int, int]] = []

        def match_nets(self, a: Any, b: Any) -> None:
            self.nets.append((a.name, b.name))

        def match_ambiguous_nets(self, a: Any, b: Any, message: str = "") -> None:
            self.nets.append((a.name, b.name))

        def match_devices(self, a: Any, b: Any) -> None:
            self.devices.append((int(a.name), int(b.name)))

        def match_devices_with_different_parameters(self, a: Any, b: Any) -> None:
            self.devices.append((int(a.name), int(b.name)))

    return Log()
