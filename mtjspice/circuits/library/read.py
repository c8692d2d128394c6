"""Read paths: a column with a cell, what it is compared with, and the sense amplifier.

``side`` is the line that the amplifier reads; the other one is grounded:

* "sl": current flows from the source line up to the grounded bit line. The voltage on the junction, bit line less
  source line, is negative: it raises the anisotropy of a VCMA junction, so that a read cannot disturb it.
* "bl": current flows down from the bit line; the positive voltage lowers the barrier of a VCMA junction.
"""

from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inputs, outputs, supplies
from mtjspice.circuits.library.cells import Cell1T1M, Cell2T2M, ReferenceCell
from mtjspice.circuits.library.sense import CurrentLatchedSenseAmplifier, PrechargeSenseAmplifier
from mtjspice.circuits.parameters import choice, part, quantity, width
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError

_SIDES = ("sl", "bl")
_AMPLIFIER_PORTS = {"q", "qb", "cell", "reference", "sense"}


def _line_capacitance(of: str) -> float:
    farad: float = quantity(10e-15, "F", 0.0, 1e-9, f"{of}, not extracted", assumed=True)
    return farad


@dataclass(frozen=True, kw_only=True)
class _Read(Circuit):
    """What both read paths have: the amplifier, loads, and the FETs that ground the lines' far ends."""

    card: MTJCard
    amplifier: Circuit = part(lambda c: PrechargeSenseAmplifier(c.technology), "sense amplifier")
    side: str = choice("sl", _SIDES, "line that is read; the other one is grounded")
    ground: float = width(5.0, "FET that grounds the other line, such as a write driver's pull-down")
    line_capacitance: float = _line_capacitance("line that is read")
    output_capacitance: float = quantity(2e-15, "F", 0.0, 1e-9, "load of each output", assumed=True)

    @property
    def controls(self) -> tuple[str, ...]:
        """The amplifier's inputs."""
        return tuple(port.name for port in self.amplifier.ports() if port.direction == "input")

    def validate(self) -> None:
        """Any circuit with the ports of a sense amplifier will do."""
        _check_ports(self, "amplifier", self.amplifier, _AMPLIFIER_PORTS)

    def ports(self) -> tuple[Port, ...]:
        """wl and the amplifier's inputs in; q, qb out."""
        return (*outputs("q", "qb"), *inputs("wl", *self.controls), *supplies("vdd", "vss"))

    def _add_amplifier(self, add: Builder, cell: str, reference: str) -> None:
        controls = {name: name for name in self.controls}
        add.use("amplifier", self.amplifier, q="q", qb="qb", cell=cell, reference=reference, **controls)
        for out in ("q", "qb"):
            add.capacitor(out, out, "vss", self.output_capacitance, wire=True)


@dataclass(frozen=True, kw_only=True)
class ReadPath(_Read):
    """A cell and a reference, each on a column of its own.

    ::

                                   amplifier -- q, qb
                             cell |         | reference
          bl --[MTJ]--|access|-- sl       refsl --|access|--[reference]-- refbl
          |              wl                          wl                     |
        ground                                                           ground

    (``side`` "sl"; with "bl" the amplifier is at bl and refbl, the grounds are at sl and refsl.)
    """

    cell: Circuit = part(lambda c: Cell1T1M(c.technology, card=c.card), "memory cell with ports bl, sl, wl")
    reference: Circuit = part(lambda c: ReferenceCell(c.technology, card=c.card), "its replica between P and AP")

    def validate(self) -> None:
        """Any cell of one column will do, and any reference."""
        super().validate()
        _check_ports(self, "cell", self.cell, {"bl", "sl", "wl"})
        _check_ports(self, "reference", self.reference, {"bl", "sl", "wl"})

    def build(self, add: Builder) -> None:
        """Two columns and the amplifier."""
        other = "bl" if self.side == "sl" else "sl"
        for prefix, name, circuit in (("", "cell", self.cell), ("ref", "reference", self.reference)):
            add.use(name, circuit, bl=f"{prefix}bl", sl=f"{prefix}sl", wl="wl")
            add.nmos(f"ground{name}", f"{prefix}{other}", "vdd", "vss", width=self.ground)
            add.capacitor(f"line{name}", f"{prefix}{self.side}", "vss", self.line_capacitance, wire=True)
        self._add_amplifier(add, self.side, f"ref{self.side}")


@dataclass(frozen=True, kw_only=True)
class ComplementaryReadPath(_Read):
    """Both junctions of a `Cell2T2M` against each other: twice the signal, and no reference.

    ::

        bl  --[MTJ a]--x--|access|--+
        |                   wl      sl -- ground
        blb --[MTJ b]--y--|access|--+
        |
        amplifier: cell at bl, reference at blb

    The cell has one source line, so that the bit lines are read ("bl"). q is high where junction a is AP and b is P.
    The voltage on the junctions is positive; the clamps of the default amplifier keep it too low to write, which a
    precharge amplifier on more than about a volt does not.
    """

    amplifier: Circuit = part(lambda c: CurrentLatchedSenseAmplifier(c.technology), "sense amplifier")

    side: str = choice("bl", ("bl",), "line that is read; the source line is grounded")
    cell: Circuit = part(lambda c: Cell2T2M(c.technology, card=c.card), "memory cell with ports bl, blb, sl, wl")

    def validate(self) -> None:
        """Any cell of two columns will do."""
        super().validate()
        _check_ports(self, "cell", self.cell, {"bl", "blb", "sl", "wl"})

    def build(self, add: Builder) -> None:
        """The cell and the amplifier."""
        add.use("cell", self.cell, bl="bl", blb="blb", sl="sl", wl="wl")
        add.nmos("ground", "sl", "vdd", "vss", width=self.ground)
        for line in ("bl", "blb"):
            add.capacitor(line, line, "vss", self.line_capacitance, wire=True)
        self._add_amplifier(add, "bl", "blb")


def _check_ports(path: Circuit, role: str, circuit: Circuit, needed: set[str]) -> None:
    missing = needed - {port.name for port in circuit.ports()}
    if missing:
        raise InputError(f"{path.name}: the {role} {circuit.name} has no port {', '.join(sorted(missing))}")
