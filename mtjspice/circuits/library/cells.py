"""Memory cells: junctions with their access transistors.

The top of a junction is at its bit line: a positive bit line lowers the barrier of a VCMA junction. With ``sl``
grounded and the word line at the supply, the access transistor takes the smallest part of the voltage.
"""

from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, supplies
from mtjspice.circuits.parameters import choice, quantity, width
from mtjspice.device import derived
from mtjspice.device.card import MTJCard


@dataclass(frozen=True, kw_only=True)
class Cell1T1M(Circuit):
    """One transistor, one junction.

    ::

        bl --[MTJ]--x--|access|-- sl
                         wl
    """

    card: MTJCard
    access: float = width(2.0, "access transistor")

    @property
    def name(self) -> str:
        """As the field writes it."""
        return "cell_1t1m"

    def ports(self) -> tuple[Port, ...]:
        """bl, sl; wl in."""
        return (*inouts("bl", "sl"), *inputs("wl"), *supplies("vss"))

    def build(self, add: Builder) -> None:
        """Junction at the bit line, transistor at the source line."""
        add.mtj("mtj", "bl", "x", self.card)
        add.nmos("access", "x", "wl", "sl", width=self.access)


@dataclass(frozen=True, kw_only=True)
class STTCell(Cell1T1M):
    """One transistor, one junction written by currents of both directions: the transistor is wide."""

    access: float = width(10.0, "access transistor")

    @property
    def name(self) -> str:
        """As the field writes it."""
        return "cell_stt"


@dataclass(frozen=True, kw_only=True)
class Cell2T2M(Circuit):
    """Two junctions that hold a bit and its complement, read against each other.

    ::

        bl  --[MTJ a]--x--|access|--+
                            wl      sl
        blb --[MTJ b]--y--|access|--+
    """

    card: MTJCard
    access: float = width(2.0, "each access transistor")

    @property
    def name(self) -> str:
        """As the field writes it."""
        return "cell_2t2m"

    def ports(self) -> tuple[Port, ...]:
        """bl, blb, sl; wl in."""
        return (*inouts("bl", "blb", "sl"), *inputs("wl"), *supplies("vss"))

    def build(self, add: Builder) -> None:
        """Both halves."""
        add.mtj("a", "bl", "x", self.card)
        add.mtj("b", "blb", "y", self.card)
        add.nmos("accessa", "x", "wl", "sl", width=self.access)
        add.nmos("accessb", "y", "wl", "sl", width=self.access)


@dataclass(frozen=True, kw_only=True)
class DifferentialPair(Circuit):
    """Data bit and P-bit: the weight is the difference of their conductances, G_D - G_P.

    ::

        bld --[MTJ data]--x--|access|--+
                              wld      sl
        blp --[MTJ pbit]--y--|access|--+
                              wlp

    States (data, pbit): (P, AP) is +1, (AP, P) is -1, equal ones are 0: a P-bit at 1/2 drops the connection in half of
    the reads (IEDM 2024, probabilistic differential pair). The word lines are apart so that the P-bit alone can be
    written, in place.
    """

    card: MTJCard
    access: float = width(2.0, "each access transistor")

    def ports(self) -> tuple[Port, ...]:
        """bld, blp, sl; wld, wlp in."""
        return (*inouts("bld", "blp", "sl"), *inputs("wld", "wlp"), *supplies("vss"))

    def build(self, add: Builder) -> None:
        """Both halves."""
        add.mtj("data", "bld", "x", self.card)
        add.mtj("pbit", "blp", "y", self.card)
        add.nmos("accessd", "x", "wld", "sl", width=self.access)
        add.nmos("accessp", "y", "wlp", "sl", width=self.access)


@dataclass(frozen=True, kw_only=True)
class ReferenceCell(Circuit):
    """What a cell is compared with: a replica of it whose resistance lies between P and AP.

    ``kind`` "mtj" has a junction that conducts midway at every bias; "resistor" a fixed resistance, which cannot follow
    the fall of the TMR with the voltage: an AP cell above it at small bias lies below it at large bias. By default it
    is the mean of R_P and R_AP at zero bias.
    """

    card: MTJCard
    kind: str = choice("mtj", ("mtj", "resistor"), "what stands in the place of the junction")
    resistance: float = quantity(
        lambda c: c.card.resistance_area_product / c.area * (1 + c.card.tmr / 2), "ohm", 1.0, 1e9,
        "of kind resistor",
    )  # fmt: skip
    access: float = width(2.0, "access transistor")

    @property
    def area(self) -> float:
        """Area of the card's junction, m2."""
        return derived.area(self.card)

    def ports(self) -> tuple[Port, ...]:
        """bl, sl; wl in."""
        return (*inouts("bl", "sl"), *inputs("wl"), *supplies("vss"))

    def build(self, add: Builder) -> None:
        """As `Cell1T1M`."""
        if self.kind == "mtj":
            add.reference_mtj("mtj", "bl", "x", self.card)
        else:
            add.resistor("mtj", "bl", "x", self.resistance)
        add.nmos("access", "x", "wl", "sl", width=self.access)
