"""A circuit of one transistor: what a layout of a single FET is compared with."""

from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, supplies
from mtjspice.circuits.parameters import choice, count, length, width


@dataclass(frozen=True, kw_only=True)
class Transistor(Circuit):
    """Parallel FETs on ports of their own, the bulk at a supply."""

    channel: str = choice("n", ("n", "p"), "channel")
    width: float = width(4.0, "width of each")
    length: float = length(1.0, "channel length")
    multiplier: int = count(1, 1, 256, "FETs in parallel")

    @property
    def name(self) -> str:
        """As the field writes it: nfet, pfet."""
        return f"{self.channel}fet"

    def ports(self) -> tuple[Port, ...]:
        """Drain, source; gate in; the bulk's supply."""
        return (*inouts("d", "s"), *inputs("g"), *supplies("vss" if self.channel == "n" else "vdd"))

    def build(self, add: Builder) -> None:
        """One element."""
        build = add.nmos if self.channel == "n" else add.pmos
        build("fet", "d", "g", "s", width=self.width, length=self.length, multiplier=self.multiplier)
