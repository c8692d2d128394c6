"""Static CMOS gates, added transistor by transistor to a netlist; sizes are widths in metres."""

from mtjspice.circuits.technology import Netlist, Technology

UNIT = 0.6e-6  # width of the n-channel FET of a unit inverter; the p-channel one is twice as wide


def inverter(
    technology: Technology,
    circuit: Netlist,
    name: str,
    a: str,
    y: str,
    *,
    strength: float = 1.0,
    length: float | None = None,
) -> None:
    """y = not a, between the nodes ``vdd`` and ``vss`` of ``circuit``."""
    technology.pmos(circuit, f"{name}p", y, a, "vdd", "vdd", width=2 * strength * UNIT, length=length)
    technology.nmos(circuit, f"{name}n", y, a, "vss", "vss", width=strength * UNIT, length=length)


def buffer(technology: Technology, circuit: Netlist, name: str, a: str, y: str, *, strength: float) -> None:
    """y = a through two inverters, the second ``strength`` times the unit."""
    inverter(technology, circuit, f"{name}1", a, f"{name}i", strength=max(1.0, strength / 4))
    inverter(technology, circuit, f"{name}2", f"{name}i", y, strength=strength)


def nand2(
    technology: Technology, circuit: Netlist, name: str, a: str, b: str, y: str, *, strength: float = 1.0
) -> None:
    """y = not (a and b); the series n-channel FETs are twice as wide."""
    width = 2 * strength * UNIT
    technology.pmos(circuit, f"{name}pa", y, a, "vdd", "vdd", width=width)
    technology.pmos(circuit, f"{name}pb", y, b, "vdd", "vdd", width=width)
    technology.nmos(circuit, f"{name}na", y, a, f"{name}x", "vss", width=width)
    technology.nmos(circuit, f"{name}nb", f"{name}x", b, "vss", "vss", width=width)
