"""Layout against circuit: are these the same devices on the same nets?

The circuit is flattened (`mtjspice.layout.flat`), the layout extracted (`mtjspice.layout.extract`). FETs with the same
nets and length are one device of the sum of their widths, whether they are parallel FETs of the circuit or fingers of
the layout; resistors in series or parallel are one. Ports are matched by name: the label must be on the right net, even
where the circuit is symmetric. What is left is an isomorphism of two graphs, which KLayout's comparer finds.

Agreement means: width within 2.5 nm + 0.25 % (half a step of the grid for every finger, none of which is narrower than
1 um where there are several), length within 1 nm, diameter of a junction within 2 %, resistance within 0.6 %.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mtjspice.circuits.circuit import Circuit
from mtjspice.layout.extract import Extracted, extract, pieces
from mtjspice.layout.flat import Flat, flatten
from mtjspice.layout.lvs_groups import Group, of_circuit, of_layout, reduced
from mtjspice.layout.lvs_pairing import DIAMETER, LENGTH, RESISTANCE, TERMINALS, WIDTH, Pairs, nets_of, pair

_MOST = 12  # lines about nets and devices without a counterpart


@dataclass(frozen=True)
class DrawnTransistor:
    """What was drawn for one transistor of the circuit, all its parallel FETs and fingers together (m2, m).

    Drain and source are those of the circuit.
    """

    width: float
    drain_area: float
    source_area: float
    drain_perimeter: float
    source_perimeter: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Result of `compare`: ``problems`` has one line for each difference, none where the two ``match``.

    ``nets`` maps nets of the flat circuit to indices of ``extracted.nets``, ``devices`` full names of transistors to
    what was drawn; both are complete where the two match.
    """

    match: bool
    problems: tuple[str, ...]
    nets: Mapping[str, int] = field(repr=False)
    devices: Mapping[str, DrawnTransistor] = field(repr=False)
    extracted: Extracted = field(repr=False)
    flat: Flat = field(repr=False)


def compare(circuit: Circuit, layout: Any, cell: Any) -> Comparison:
    """Compare a circuit with the ``cell`` (kdb.Cell) of ``layout`` (kdb.Layout).

    InputError for a circuit that cannot be drawn and where klayout is not installed.
    """
    flat = flatten(circuit)
    extracted = extract(layout, cell)
    wanted = reduced(of_circuit(flat), keep=set(flat.ports))
    labelled = {net.index for net in extracted.nets if net.labels}
    drawn = reduced(of_layout(extracted), keep=labelled)
    problems, ports = _labels(flat, extracted)
    pairs = pair(drawn, wanted, ports, set(flat.ports), sized=True)
    if not pairs.complete:  # a wrong size would also hide what is connected to it
        pairs = pair(drawn, wanted, ports, set(flat.ports), sized=False)
    nets = {**ports, **pairs.nets}
    problems += [
        f"net {name}: its devices are on {extracted.label(index)}, which nothing joins to its label"
        for name, index in pairs.nets.items()
        if ports.get(name, index) != index
    ]
    problems += _shorted(nets)
    problems += _wells(extracted)
    problems += _parameters(pairs, drawn, wanted)
    if not pairs.complete or pairs.lonely_drawn or pairs.lonely_wanted:
        problems += _lonely(pairs, drawn, wanted, nets, extracted)
    return Comparison(not problems, tuple(problems), nets, _transistors(pairs, drawn, wanted), extracted, flat)


# --- labels --------------------------------------------------------------------------------------------------


def _labels(flat: Flat, extracted: Extracted) -> tuple[list[str], dict[str, int]]:
    """Check the labels; return what is wrong, and the drawn net of every net of the circuit that has one label."""
    problems = []
    names = {node: net for net, nodes in flat.nodes.items() for node in nodes}
    at: dict[str, list[int]] = defaultdict(list)
    for net in extracted.nets:
        known = sorted({names[label] for label in net.labels if label in names})
        if len(known) > 1:
            problems.append(f"nets {' and '.join(known)}: shorted")
        problems += [f"label {label}: no net of the circuit" for label in net.labels if label not in names]
        for name in known:
            at[name].append(net.index)
    problems += [
        f"net {name}: open, its label is on {len(found)} pieces that nothing joins"
        for name, found in at.items()
        if len(found) > 1
    ]
    problems += [f"port {name}: no label in the layout" for name in flat.ports if name not in at]
    for index in {extracted.substrate, *(d.nets[3] for d in extracted.devices if d.kind == "pfet")} - {-1}:
        count = pieces(extracted, index)
        if count > 1:
            problems.append(f"net {extracted.label(index)}: only the substrate or a well joins its {count} pieces")
    taken = Counter(index for found in at.values() for index in found)
    return problems, {name: found[0] for name, found in at.items() if len(found) == 1 and taken[found[0]] == 1}


def _shorted(nets: Mapping[str, int]) -> list[str]:
    """Report a net without devices whose label is on another one."""
    at: dict[int, list[str]] = defaultdict(list)
    for name, index in nets.items():
        at[index].append(name)
    return [f"nets {' and '.join(sorted(names))}: shorted" for names in at.values() if len(names) > 1]


def _wells(extracted: Extracted) -> list[str]:
    """Report wells with transistors that no tap ties, and a substrate without a tap."""
    wells = {device.nets[3]: device.place for device in extracted.devices if device.kind == "pfet"}
    problems = [
        f"n-well at {_at(place)}: not tied" for net, place in wells.items() if extracted.shapes(net, "n_tap").is_empty()
    ]
    if extracted.substrate >= 0 and extracted.shapes(extracted.substrate, "p_tap").is_empty():
        problems.append("substrate: not tied")
    return problems


def _at(place: tuple[float, float]) -> str:
    return f"({place[0]:.3f}, {place[1]:.3f}) um"


# --- what differs --------------------------------------------------------------------------------------------


def _parameters(pairs: Pairs, drawn: list[Group], wanted: list[Group]) -> list[str]:
    """Compare sizes of devices that belong together."""
    problems = []
    for i, j in pairs.groups:
        one, other = drawn[i], wanted[j]
        if other.kind in ("nfet", "pfet"):
            checks = [("width", one.size, other.size, WIDTH), ("length", one.length, other.length, LENGTH)]
        elif other.kind == "mtj":
            checks = [("diameter", one.size, other.size, DIAMETER)]
        else:
            checks = [("resistance", one.size, other.size, RESISTANCE)]
        for what, found, right, (absolute, relative) in checks:
            if abs(found - right) > absolute * 1.001 + relative * right:
                unit, scale = ("ohm", 1.0) if what == "resistance" else ("um", 1e6)
                have, need = found * scale, right * scale
                problems.append(f"{what} of {other.name}: {have:.6g} {unit} drawn, {need:.6g} {unit} in the circuit")
    return problems


def _lonely(
    pairs: Pairs, drawn: list[Group], wanted: list[Group], nets: Mapping[str, int], extracted: Extracted
) -> list[str]:
    """Say which devices and nets have no counterpart, and what their numbers suggest."""
    problems = []
    for kind in TERMINALS:
        have = sum(group.kind == kind for group in drawn)
        need = sum(group.kind == kind for group in wanted)
        if have != need:
            problems.append(f"number of {kind} devices: {have} drawn, {need} in the circuit (parallel ones count once)")
    more = len(nets_of(drawn)) - len(nets_of(wanted))
    if more:
        what = "more: something is open" if more > 0 else "fewer: something is shorted"
        problems.append(f"number of nets with devices: {abs(more)} {what}")
    names = {index: name for name, index in nets.items()}

    def called(index: int) -> str:
        return names.get(index) or extracted.label(index)

    lines = [
        f"{wanted[k].kind} {wanted[k].name} on {', '.join(wanted[k].nets)}: nothing drawn is connected like it"
        for k in pairs.lonely_wanted
    ]
    lines += [
        f"{drawn[k].kind} at {_at(drawn[k].members[0].place)} on {', '.join(map(called, drawn[k].nets))}: "
        "nothing in the circuit is connected like it"
        for k in pairs.lonely_drawn
    ]
    lines += [f"net {name}: no net of the layout is connected like it" for name in pairs.lonely_nets]
    if len(lines) > _MOST:
        lines = [*lines[:_MOST], f"and {len(lines) - _MOST} more nets and devices without a counterpart"]
    return problems + lines or ["the netlists differ"]


# --- what was drawn ------------------------------------------------------------------------------------------


def _transistors(pairs: Pairs, drawn: list[Group], wanted: list[Group]) -> dict[str, DrawnTransistor]:
    """Share the fingers of each group among the circuit's transistors in it, by their widths."""
    found = {}
    for i, j in pairs.groups:
        one, other = drawn[i], wanted[j]
        if other.kind not in ("nfet", "pfet"):
            continue
        turned = pairs.nets.get(other.nets[0]) != one.nets[0]
        sums = [0.0, 0.0, 0.0, 0.0]
        for member in one.members:
            order = (1, 0, 3, 2) if member.turned != turned else (0, 1, 2, 3)
            for k, source in enumerate(order):
                sums[k] += member.diffusion[source]
        for member in other.members:
            order = (1, 0, 3, 2) if member.turned else (0, 1, 2, 3)
            share = member.width / other.size
            found[member.name] = DrawnTransistor(one.size * share, *(sums[k] * share for k in order))
    return found
