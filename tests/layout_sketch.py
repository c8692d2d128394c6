"""Layouts drawn for tests: from a list of devices, without a generator and without design rules.

All devices stand in one row; every terminal has a column of metal1 that ends on the metal2 track of its net.
"""

from collections.abc import Iterable

import klayout.db as kdb

from mtjspice.circuits.circuit import Circuit
from mtjspice.layout.flat import Device, flatten
from mtjspice.layout.layers import LABELS, LAYERS

PITCH = 0.8  # um, of tracks and columns
END = 0.44  # um, of active beside a gate


class Sketch:
    """A layout in the making; all sizes in um."""

    def __init__(self, nets: Iterable[str]) -> None:
        self.layout = kdb.Layout()
        self.layout.dbu = 1e-3
        self.cell = self.layout.create_cell("cell")
        self.tracks = {net: 15.0 + PITCH * k for k, net in enumerate(nets)}
        self.x = 0.0

    def box(self, layer: str, left: float, bottom: float, right: float, top: float) -> None:
        self.cell.shapes(self.layout.layer(*LAYERS[layer])).insert(kdb.DBox(left, bottom, right, top))

    def square(self, layer: str, x: float, y: float, size: float) -> None:
        self.box(layer, x - size / 2, y - size / 2, x + size / 2, y + size / 2)

    def label(self, net: str, x: float, y: float, metal: str = "metal2") -> None:
        self.cell.shapes(self.layout.layer(*LABELS[metal])).insert(kdb.DText(net, kdb.DTrans(x, y)))

    def column(self, x: float, bottom: float, net: str) -> None:
        """Metal1 from ``bottom`` to the track of a net."""
        y = self.tracks[net]
        self.box("metal1", x - 0.15, bottom, x + 0.15, y + 0.19)
        self.square("via1", x, y, 0.26)

    def terminal(self, x: float, y: float, net: str) -> None:
        self.square("contact", x, y, 0.22)
        self.column(x, y - 0.2, net)

    def fet(self, device: Device, fingers: int = 1) -> None:
        """Fingers between shared ends: drain, source, drain, ..."""
        drain, gate, source, bulk = device.nets
        width, length = device.width * device.multiplier * 1e6 / fingers, device.length * 1e6
        left, channel = self.x + 0.5, "n" if device.kind == "nfet" else "p"
        step = max(length + END, 2 * PITCH)
        right = left + END + fingers * step
        self.box("comp", left, 0, right, width)
        self.box(f"{channel}plus", left - 0.2, -0.3, right + 0.2, width + 0.3)
        for k in range(fingers + 1):
            self.terminal(left + k * step + 0.22, 0.3, (drain, source)[k % 2])
            if k < fingers:
                middle = left + k * step + END / 2 + step / 2
                self.box("poly", middle - length / 2, -0.4, middle + length / 2, width + 0.9)
                self.terminal(middle, width + 0.7, gate)
        self.x = right + 0.7
        if channel == "p":
            self.tap(bulk, "n")
            self.box("nwell", left - 0.6, -0.6, self.x, width + 1.2)
            self.x += 1.5

    def tap(self, net: str, channel: str) -> None:
        x = self.x + 0.5
        self.square("comp", x, 0.3, 0.5)
        self.square(f"{channel}plus", x, 0.3, 0.9)
        self.terminal(x, 0.3, net)
        self.x = x + 0.7

    def pillar(self, device: Device) -> None:
        top, bottom = device.nets
        self.x += PITCH
        y = self.tracks[bottom]
        self.square("via2", self.x, y, 0.26)
        self.box("metal2", self.x - 0.2, y - 0.2, self.x + 0.2, y + 0.2)
        self.box("metal3", self.x - 0.2, y - 0.2, self.x + 0.2, y + 0.2)
        self.box("metal3", self.x - 0.2, 10.0, self.x + 0.2, y)
        half = device.diameter * 0.5e6
        circle = kdb.DPolygon.ellipse(kdb.DBox(self.x - half, 10.2 - half, self.x + half, 10.2 + half), 64)
        self.cell.shapes(self.layout.layer(*LAYERS["mtj"])).insert(circle)
        self.box("metal4", self.x - 0.2, 10.0, self.x + PITCH, 10.4)
        self.x += PITCH
        y = self.tracks[top]
        self.box("metal4", self.x - 0.2, 10.0, self.x + 0.2, y + 0.2)
        for cut in ("via3", "via2"):
            self.square(cut, self.x, y, 0.26)
        self.box("metal3", self.x - 0.2, y - 0.2, self.x + 0.2, y + 0.2)
        self.x += PITCH

    def resistor(self, device: Device) -> None:
        """Two squares in series for every 2 kohm, 1 um wide, lying on a side."""
        one, other = device.nets
        length = device.resistance / 1000.0
        left = self.x + 1.0
        self.box("poly", left - 0.6, -1.5, left + length + 0.6, -0.5)
        for layer in ("salicide_block", "high_resistance", "resistor_marker"):
            self.box(layer, left, -2.0, left + length, 0.0)
        self.terminal(left - 0.3, -1.0, one)
        self.terminal(left + length + 0.3, -1.0, other)
        self.x = left + length + 1.0

    def finish(self, labels: Iterable[str]) -> None:
        for y in self.tracks.values():
            self.box("metal2", -1.0, y - 0.19, self.x + 1.0, y + 0.19)
        for net in labels:
            self.label(net, -0.9, self.tracks[net])


def draw(circuit: Circuit, devices: Iterable[Device] | None = None, fingers: int = 1, labels: bool = True) -> Sketch:
    flat = flatten(circuit)
    sketch = Sketch(dict.fromkeys((*flat.ports, *(net for device in flat.devices for net in device.nets))))
    sketch.tap("vss", "p")
    for device in flat.devices if devices is None else devices:
        if device.kind == "mtj":
            sketch.pillar(device)
        elif device.kind == "resistor":
            sketch.resistor(device)
        else:
            sketch.fet(device, fingers)
    sketch.finish(flat.ports if labels else ())
    return sketch
