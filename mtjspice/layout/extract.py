"""The netlist that a layout draws: devices, nets, and the shapes of every net.

Nets are what conductors join; a label (a text on a label layer of the cell itself, not of cells within) names the net
that it lies on. Two pieces with the same label stay two nets, and one piece may have two labels: `mtjspice.layout.lvs`
reports both. The p-type substrate is one net, with every substrate tap on it.

What makes a device:

=========  =========================================================================================
nfet       poly over n+ active outside of n-wells; its bulk is the substrate
pfet       poly over p+ active in an n-well; its bulk is the well, which only n+ taps join to a wire
mtj        a pillar between metal3 (bottom) and metal4 (top)
resistor   poly under salicide_block, high_resistance and resistor_marker (ppolyf_u_1k, 1 kohm/sq)
=========  =========================================================================================

Poly resistors have no bulk here, and wires have no resistance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import pi, sqrt
from typing import Any

from mtjspice.errors import InputError
from mtjspice.layout.layers import CUTS, DATABASE_UNIT, LABELS, LAYERS, METALS
from mtjspice.layout.require import klayout_db

SHEET_RESISTANCE = 1000.0  # ohm/sq of ppolyf_u_1k, as in the public models of gf180mcu
SUBSTRATE = "$substrate"  # the substrate's net, before labels name it

# Conductors, from the substrate up: these are the layers of `Extracted.shapes`.
CONDUCTORS = ("nwell", "n_active", "p_active", "p_tap", "n_tap", "poly", *METALS)
_ENDS = {
    "nfet": ("D", "G", "S", "B"),
    "pfet": ("D", "G", "S", "B"),
    "mtj": ("top", "bottom"),
    "resistor": ("A", "B"),
}
_ACTIVE = ("n_active", "p_active", "p_tap", "n_tap")


@dataclass(frozen=True)
class DrawnDevice:
    """One device of a layout, SI units; ``nets`` are indices of `Extracted.nets`.

    ``kind`` is nfet, pfet, mtj or resistor; ``nets`` drain, gate, source, bulk (which end of a channel is the drain
    nobody can see: any), top, bottom, or both ends. ``diffusion`` is drain area, source area (m2), drain perimeter,
    source perimeter (m); an area that two channels share counts half for each. ``place`` is in um.
    """

    kind: str
    nets: tuple[int, ...]
    width: float = 0.0
    length: float = 0.0
    diffusion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    diameter: float = 0.0
    resistance: float = 0.0
    place: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class DrawnNet:
    """One net of a layout: its labels, sorted; none where nothing names it."""

    index: int
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Extracted:
    """Devices and nets of a layout. ``substrate`` is the index of the substrate's net, -1 where nothing is on it.

    The database behind it stays alive for `shapes`.
    """

    name: str
    devices: tuple[DrawnDevice, ...] = field(repr=False)
    nets: tuple[DrawnNet, ...] = field(repr=False)
    substrate: int
    database: Any = field(repr=False)  # kdb.LayoutToNetlist
    layers: Mapping[str, Any] = field(repr=False)  # kdb.Region of all `CONDUCTORS`, cuts, channels, bodies
    handles: tuple[Any, ...] = field(repr=False)  # kdb.Net of each net

    def label(self, index: int) -> str:
        """Return how messages call a net: its labels, or its number."""
        labels = self.nets[index].labels
        return "/".join(labels) if labels else f"${index}"

    def shapes(self, index: int, layer: str) -> Any:
        """Return the merged kdb.Region of one net on one of ``layers``, in database units of 1 nm."""
        if self.handles[index] is None:
            return klayout_db().Region()
        return self.database.shapes_of_net(self.handles[index], self.layers[layer], True).merged()


def extract(layout: Any, cell: Any) -> Extracted:
    """Extract ``cell`` (kdb.Cell) of ``layout`` (kdb.Layout), flat.

    InputError where klayout is not installed or the database unit is not 1 nm.
    """
    kdb = klayout_db()
    if layout.dbu != DATABASE_UNIT:
        raise InputError(f"layout of {cell.name}: the database unit is {layout.dbu:g} um, not {DATABASE_UNIT:g} um")
    scratch, labels = _scratch(kdb, layout, cell)
    database = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(scratch.layout, scratch.cell, []))
    made = {name: database.make_layer(index, name) for name, index in scratch.indices.items() if name not in labels}
    texts = {name: database.make_text_layer(scratch.indices[name], name) for name in labels}
    _devices(kdb, database, made)
    _connect(database, made, texts)
    database.extract_netlist()
    return _read(kdb, cell.name, database, made)


def pieces(extracted: Extracted, index: int) -> int:
    """Count the pieces with devices into which a net falls where wells and substrate do not conduct."""
    kdb = klayout_db()
    names = ("n_active", "p_active", "poly", *CUTS, *METALS)
    scratch = kdb.Layout()
    top = scratch.create_cell("net")
    for name in (*names, "p_tap", "n_tap"):
        top.shapes(scratch.layer(kdb.LayerInfo(name))).insert(extracted.shapes(index, name))
    database = kdb.LayoutToNetlist(kdb.RecursiveShapeIterator(scratch, top, []))
    made = {name: database.make_layer(scratch.layer(kdb.LayerInfo(name)), name) for name in (*names, "p_tap", "n_tap")}
    _join_wires(database, made)
    database.extract_netlist()
    circuit = database.netlist().circuit_by_name("net")
    if circuit is None:
        return 0
    ends = ("n_active", "p_active", "poly")
    return sum(
        any(not database.shapes_of_net(net, made[name], True).is_empty() for name in ends) for net in circuit.each_net()
    )


# --- layers --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scratch:
    layout: Any
    cell: Any
    indices: Mapping[str, int]


def _scratch(kdb: Any, layout: Any, cell: Any) -> tuple[_Scratch, tuple[str, ...]]:
    """Copy the cell, flat, into a layout of its own, with the layers that extraction needs."""
    drawn = {name: _region(kdb, layout, cell, number) for name, number in LAYERS.items()}
    nwell, poly = drawn["nwell"], drawn["poly"]
    n_comp, p_comp = drawn["comp"] & drawn["nplus"], drawn["comp"] & drawn["pplus"]
    n_outside, p_inside = n_comp - nwell, p_comp & nwell
    body = poly & drawn["salicide_block"] & drawn["high_resistance"] & drawn["resistor_marker"]
    layers = {
        "nwell": nwell,
        "poly": poly - body,
        "body": body,
        "n_channel": n_outside & poly,
        "p_channel": p_inside & poly,
        "channel": (n_outside & poly) + (p_inside & poly),
        "n_active": n_outside - poly,
        "p_active": p_inside - poly,
        "p_tap": p_comp - nwell,
        "n_tap": n_comp & nwell,
        "bulk": kdb.Region(),
        **{name: drawn[name] for name in (*CUTS, *METALS, "mtj")},
    }
    scratch = kdb.Layout()
    scratch.dbu = layout.dbu
    top = scratch.create_cell(cell.name)
    indices = {}
    for name, region in layers.items():
        indices[name] = scratch.layer(kdb.LayerInfo(name))
        top.shapes(indices[name]).insert(region.merged())
    labels = tuple(f"{metal}_label" for metal in LABELS)
    for name, number in zip(labels, LABELS.values(), strict=True):
        indices[name] = scratch.layer(kdb.LayerInfo(name))
        found = layout.find_layer(*number)
        if found is not None:
            for shape in cell.shapes(found).each(kdb.Shapes.STexts):
                top.shapes(indices[name]).insert(shape.text)
    return _Scratch(scratch, top, indices), labels


def _region(kdb: Any, layout: Any, cell: Any, number: tuple[int, int]) -> Any:
    found = layout.find_layer(*number)
    return kdb.Region() if found is None else kdb.Region(cell.begin_shapes_rec(found))


def _connect(database: Any, made: Mapping[str, Any], texts: Mapping[str, Any]) -> None:
    """Say what touches what."""
    _join_wires(database, made)
    database.connect(made["nwell"])
    database.connect(made["n_tap"], made["nwell"])
    for name in ("bulk", "p_tap"):
        database.connect_global(made[name], SUBSTRATE)
    for metal in METALS:
        database.connect(made[metal], texts[f"{metal}_label"])


def _join_wires(database: Any, made: Mapping[str, Any]) -> None:
    for name in ("poly", *_ACTIVE, *CUTS, *METALS):
        database.connect(made[name])
    for name in ("poly", *_ACTIVE):
        database.connect(made[name], made["contact"])
    for cut, below, above in zip(CUTS, ("", *METALS), METALS, strict=False):
        if below:
            database.connect(made[below], made[cut])
        database.connect(made[cut], made[above])


# --- devices -------------------------------------------------------------------------------------------------


def _devices(kdb: Any, database: Any, made: Mapping[str, Any]) -> None:
    fet = kdb.DeviceExtractorMOS4Transistor
    for kind, active, gate, well in (
        ("nfet", "n_active", "n_channel", "bulk"),
        ("pfet", "p_active", "p_channel", "nwell"),
    ):
        database.extract_devices(fet(kind), {"SD": made[active], "G": made[gate], "P": made["poly"], "W": made[well]})
    database.extract_devices(
        kdb.DeviceExtractorResistor("resistor", SHEET_RESISTANCE), {"R": made["body"], "C": made["poly"]}
    )
    database.extract_devices(_pillars(kdb), {"pillar": made["mtj"], "top": made["metal4"], "bottom": made["metal3"]})


def _pillars(kdb: Any) -> Any:
    """Return the extractor of junctions; its class can only be made once klayout is there."""

    class Pillars(kdb.GenericDeviceExtractor):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.name = "mtj"

        def setup(self) -> None:
            for layer in ("pillar", "top", "bottom"):
                self.define_layer(layer, layer)
            kind = kdb.DeviceClass()
            kind.name = self.name
            for end in ("top", "bottom"):
                terminal = kdb.DeviceTerminalDefinition()
                terminal.name = end
                kind.add_terminal(terminal)
            kind.add_parameter(kdb.DeviceParameterDefinition("diameter", "of a circle of the same area, um", 0.0, True))
            self.register_device_class(kind)

        def get_connectivity(self, layout: Any, layers: Any) -> Any:
            found = kdb.Connectivity()
            for layer in layers:  # the pillar itself, and the metal above and below it
                found.connect(layers[0], layer)
            return found

        def extract_devices(self, layer_geometry: Any) -> None:
            unit = _unit(self)
            for pillar in layer_geometry[0].merged().each():
                device = self.create_device()
                device.set_parameter("diameter", 2 * unit * sqrt(pillar.area() / pi))
                self.define_terminal(device, 0, 1, pillar)
                self.define_terminal(device, 1, 2, pillar)

    return Pillars()


def _unit(extractor: Any) -> float:
    """Return the database unit (um) of a device extractor."""
    unit = extractor.dbu
    return float(unit() if callable(unit) else unit)


# --- reading -------------------------------------------------------------------------------------------------


def _read(kdb: Any, name: str, database: Any, made: Mapping[str, Any]) -> Extracted:
    circuit = database.netlist().circuit_by_name(name)
    if circuit is None:
        return Extracted(name, (), (), -1, database, made, ())
    handles = list(circuit.each_net())
    index = {net.cluster_id: k for k, net in enumerate(handles)}
    devices = []
    for found in circuit.each_device():
        nets = []
        for end in _ENDS[found.device_class().name]:
            net = found.net_for_terminal(end)
            if net is None:  # such as a pillar without metal above: a net without a shape
                handles.append(None)
            nets.append(len(handles) - 1 if net is None else index[net.cluster_id])
        devices.append(_device(found, tuple(nets)))
    nets_found = tuple(DrawnNet(k, _names(net)) for k, net in enumerate(handles))
    substrate = _substrate(database, made, devices, index)
    return Extracted(name, tuple(devices), nets_found, substrate, database, made, tuple(handles))


def _names(net: Any) -> tuple[str, ...]:
    return () if net is None else tuple(sorted(set(net.name.split(",")) - {SUBSTRATE, ""}))


def _substrate(database: Any, made: Mapping[str, Any], devices: list[DrawnDevice], index: Mapping[int, int]) -> int:
    """Find the net of the substrate: a bulk's or a tap's."""
    for device in devices:
        if device.kind == "nfet":
            return device.nets[3]
    for tap in made["p_tap"].each():
        net = database.probe_net(made["p_tap"], next(tap.each_point_hull()))
        if net is not None:
            return index[net.cluster_id]
    return -1


def _device(device: Any, nets: tuple[int, ...]) -> DrawnDevice:
    kind = device.device_class().name
    place = (device.trans.disp.x, device.trans.disp.y)
    if kind == "mtj":
        return DrawnDevice(kind, nets, diameter=device.parameter("diameter") * 1e-6, place=place)
    if kind == "resistor":
        return DrawnDevice(kind, nets, resistance=device.parameter("R"), place=place)
    diffusion = (
        device.parameter("AD") * 1e-12,
        device.parameter("AS") * 1e-12,
        device.parameter("PD") * 1e-6,
        device.parameter("PS") * 1e-6,
    )
    return DrawnDevice(
        kind, nets, width=device.parameter("W") * 1e-6, length=device.parameter("L") * 1e-6, diffusion=diffusion,
        place=place,
    )  # fmt: skip
