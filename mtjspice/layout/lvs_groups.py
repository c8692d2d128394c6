"""Devices of a circuit and of its layout in one form, for `mtjspice.layout.lvs`.

FETs with the same nets and length are one group, whether they are parallel FETs of the circuit or fingers of the
layout; resistors in series or parallel are one. Junctions are never joined: two pillars are two.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mtjspice.layout.extract import Extracted
from mtjspice.layout.flat import Flat


@dataclass(frozen=True)
class Member:
    """One FET or finger of a group, or one pillar; ``turned`` where its drain is the group's source."""

    name: str
    width: float
    diffusion: tuple[float, float, float, float]  # drain area, source area, drain and source perimeter
    turned: bool
    place: tuple[float, float]


@dataclass(frozen=True)
class Group:
    """Parallel FETs, or one junction, or parallel and serial resistors. ``nets`` are names or indices."""

    kind: str
    nets: tuple[Any, ...]
    size: float  # m: width or diameter; or ohm
    length: float
    members: tuple[Member, ...]

    @property
    def name(self) -> str:
        """Names of the members."""
        return " + ".join(member.name for member in self.members)


def of_circuit(flat: Flat) -> list[Group]:
    """Return the devices of a circuit, each a group of its own."""
    return [
        Group(
            device.kind, device.nets, device.width * device.multiplier or device.diameter or device.resistance,
            device.length,
            (Member(device.full_name, device.width * device.multiplier, (0.0,) * 4, False, (0.0, 0.0)),),
        )
        for device in flat.devices
    ]  # fmt: skip


def of_layout(extracted: Extracted) -> list[Group]:
    """Return the devices of a layout, each a group of its own."""
    return [
        Group(
            device.kind, device.nets, device.width or device.diameter or device.resistance, device.length,
            (Member(f"#{k}", device.width, device.diffusion, False, device.place),),
        )
        for k, device in enumerate(extracted.devices)
    ]  # fmt: skip


def reduced(groups: list[Group], keep: set[Any]) -> list[Group]:
    """Join what is parallel, and resistors in series at nets that are not to be kept."""
    fets: dict[Any, list[Group]] = defaultdict(list)
    others = []
    for group in groups:
        if group.kind in ("nfet", "pfet"):
            drain, gate, source, bulk = group.nets
            fets[group.kind, frozenset((drain, source)), gate, bulk, round(group.length * 1e9)].append(group)
        else:
            others.append(group)
    joined = [_parallel_fets(found) for found in fets.values()]
    resistors = [group for group in others if group.kind == "resistor"]
    if resistors:
        touched = {net for group in groups if group.kind != "resistor" for net in group.nets}
        others = [group for group in others if group.kind != "resistor"] + _resistors(resistors, keep | touched)
    return joined + others


def _parallel_fets(found: list[Group]) -> Group:
    first = found[0]
    members = tuple(
        Member(member.name, member.width, member.diffusion, group.nets[0] != first.nets[0], member.place)
        for group in found
        for member in group.members
    )
    return Group(first.kind, first.nets, sum(group.size for group in found), first.length, members)


def _resistors(groups: list[Group], keep: set[Any]) -> list[Group]:
    """Join resistors until nothing is left to join."""
    while True:
        parallel: dict[Any, list[Group]] = defaultdict(list)
        for group in groups:
            parallel[frozenset(group.nets)].append(group)
        groups = [
            Group("resistor", found[0].nets, 1 / sum(1 / group.size for group in found), 0.0, _members(found))
            for found in parallel.values()
        ]
        at: dict[Any, list[Group]] = defaultdict(list)
        for group in groups:
            for net in group.nets:
                at[net].append(group)
        middle = next((net for net, found in at.items() if net not in keep and len(found) == 2), None)
        if middle is None:
            return groups
        one, other = at[middle]
        ends = tuple(net for group in (one, other) for net in group.nets if net != middle)
        groups = [group for group in groups if group is not one and group is not other]
        groups.append(Group("resistor", ends, one.size + other.size, 0.0, _members((one, other))))


def _members(groups: Iterable[Group]) -> tuple[Member, ...]:
    return tuple(member for group in groups for member in group.members)
