"""Sense amplifiers: what tells a junction from its reference.

All have the lines ``cell`` and ``reference`` and the outputs ``q`` and ``qb``, which are both high before a decision.
After ``sense`` has risen one of them falls: q high and qb low mean that the cell's side conducts *less* than the
reference's (the cell is AP). Each column or line hangs on one of them, with its far end at ``vss``.
"""

from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.parameters import choice, part, quantity, width


@dataclass(frozen=True, kw_only=True)
class PrechargeSenseAmplifier(Circuit):
    """A precharged cross-coupled pair that stands on the two lines: the faster line takes its output down.

    ::

              vdd         vdd           vdd         vdd
               |           |             |           |
        sense-o|           |o-qb     q--o|           |o-sense
               |           |             |           |
               +-----q-----+             +-----qb----+        q --|o sense|-- qb (equaliser)
                     |                         |
                     |--qb                 q--|
                     |                         |
                    cell                   reference

    ``sense`` low charges the outputs, and through the n-channel FETs also the lines, to one threshold below the supply.
    A current flows from when the word line opens, which is why it should rise with ``sense`` and not before; after the
    decision none does. The supply sets the voltage on the junction: no more than its TMR stands.
    """

    source = "W. Zhao et al., IEEE Trans. Magn. 45, 3784 (2009)"

    precharge: float = width(1.0, "precharge and equaliser", channel="p")
    latch_n: float = width(6.0, "n-channel FETs of the pair: their mismatch is most of the offset")
    latch_p: float = width(2.0, "p-channel FETs of the pair", channel="p")

    def ports(self) -> tuple[Port, ...]:
        """Cell, reference; sense in; q, qb out."""
        return (*outputs("q", "qb"), *inouts("cell", "reference"), *inputs("sense"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Two mirrored halves and the equaliser."""
        for out, other, line in (("q", "qb", "cell"), ("qb", "q", "reference")):
            add.pmos(f"precharge{out}", out, "sense", "vdd", width=self.precharge)
            add.pmos(f"up{out}", out, other, "vdd", width=self.latch_p)
            add.nmos(f"down{out}", out, other, line, width=self.latch_n)
        add.pmos("equaliser", "q", "sense", "qb", width=self.precharge)


@dataclass(frozen=True, kw_only=True)
class CurrentLatchedSenseAmplifier(Circuit):
    """A precharged pair behind clamps that keep the voltage on the junction low; it compares currents.

    ::

              vdd         vdd           vdd         vdd
               |           |             |           |
        sense-o|           |o-qb     q--o|           |o-sense
               |           |             |           |
               +-----q-----+             +-----qb----+        q --|o sense|-- qb (equaliser)
                     |                         |
                     |--qb                 q--|
                     |                         |
           latch--| footq                   footqb |--latch     (to vss)
                     |                         |
              bias--|                         |--bias           (clamps)
                     |                         |
                    cell                   reference

    With ``sense`` low and the word line open the lines settle at ``bias`` less a threshold. ``sense`` high lets the
    currents pull the outputs down, the larger one faster; ``latch`` high grounds the feet of the pair, which decides.
    The difference of the outputs at that moment is the margin.
    """

    source = "a design of this project: a precharge amplifier behind clamps"

    precharge: float = width(1.0, "precharge and equaliser", channel="p")
    latch_n: float = width(4.0, "n-channel FETs of the pair")
    latch_p: float = width(1.0, "p-channel FETs of the pair", channel="p")
    foot: float = width(2.0, "feet of the pair")
    clamp: float = width(8.0, "clamps: their mismatch is most of the offset")

    def ports(self) -> tuple[Port, ...]:
        """Cell, reference; sense, latch, bias (analogue) in; q, qb out."""
        return (
            *outputs("q", "qb"), *inouts("cell", "reference"), *inputs("sense", "latch", "bias"),
            *supplies("vdd", "vss"),
        )  # fmt: skip

    def build(self, add: Builder) -> None:
        """Two mirrored halves and the equaliser."""
        for out, other, line in (("q", "qb", "cell"), ("qb", "q", "reference")):
            add.pmos(f"precharge{out}", out, "sense", "vdd", width=self.precharge)
            add.pmos(f"up{out}", out, other, "vdd", width=self.latch_p)
            add.nmos(f"down{out}", out, other, f"foot{out}", width=self.latch_n)
            add.nmos(f"ground{out}", f"foot{out}", "latch", "vss", width=self.foot)
            add.nmos(f"clamp{out}", f"foot{out}", "bias", line, width=self.clamp)
        add.pmos("equaliser", "q", "sense", "qb", width=self.precharge)


@dataclass(frozen=True, kw_only=True)
class StrongArm(Circuit):
    """Clocked comparator of two voltages: y high and yb low, once decided, mean a > b.

    ::

               vdd   vdd                 vdd   vdd
                |     |                   |     |
         clock-o|     |o-yb            y-o|     |o-clock
                |     |                   |     |
                +--y--+                   +--yb-+
                   |                         |
                   |--yb                  y--|
                   |                         |
                   xb ---o clock to vdd      xa ---o clock to vdd
                   |                         |
                b--|                         |--a
                   |                         |
                   +----------tail-----------+
                                |
                         clock--|
                                |
                               vss

    That is ``channel`` "n", for voltages well above a threshold: it decides while ``clock`` is high, and both outputs
    are high before. "p" is the same upside down, for voltages near ground: it decides while ``clock`` is low, and both
    outputs are low before.
    """

    source = (
        "T. Kobayashi et al., IEEE J. Solid-State Circuits 28, 523 (1993); B. Razavi, IEEE SSC Mag. 7 (2), 12 (2015)"
    )

    channel: str = choice("n", ("n", "p"), "channel of the input pair")
    pair: float = width(12.0, "input pair: its mismatch is most of the offset")
    tail: float = width(2.0, "tail; a narrow one is slow, and gives the pair the time to outweigh the latch")
    latch_n: float = width(4.0, "n-channel FETs of the cross-coupled inverters")
    latch_p: float = width(4.0, "p-channel FETs of the cross-coupled inverters", channel="p")
    reset: float = width(2.0, "FETs that take outputs and inner nodes to the rail before a decision")

    def ports(self) -> tuple[Port, ...]:
        """a, b, clock in; y, yb out."""
        return (*inputs("a", "b", "clock"), *outputs("y", "yb"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Tail, two halves, four resets."""
        upright = self.channel == "n"
        drive, load = (add.nmos, add.pmos) if upright else (add.pmos, add.nmos)
        near, far = ("vss", "vdd") if upright else ("vdd", "vss")
        latch, load_latch = (self.latch_n, self.latch_p) if upright else (self.latch_p, self.latch_n)
        drive("tail", "tail", "clock", near, width=self.tail)
        # the half of the larger input (of "p": of the smaller) takes its output to the near rail
        for gate, out, other in (("a", "yb", "y"), ("b", "y", "yb")):
            drive(f"pair{gate}", f"x{gate}", gate, "tail", width=self.pair)
            drive(f"latch{gate}", out, other, f"x{gate}", width=latch)
            load(f"load{gate}", out, other, far, width=load_latch)
            load(f"reset{gate}", out, "clock", far, width=self.reset)
            load(f"resetx{gate}", f"x{gate}", "clock", far, width=self.reset)


def _mirror_length(circuit: Circuit) -> float:
    """Four times the shortest where the models reach as far: long FETs match, and hold their current."""
    fet = circuit.technology.pfet
    return min(4 * fet.min_length, fet.max_length)


@dataclass(frozen=True, kw_only=True)
class VoltageSenseAmplifier(Circuit):
    """Equal currents into cell and reference, and a StrongARM comparator of the voltages across them.

    ::

             vdd                 vdd                  vdd
              |                   |                    |
         +--o|               +--o|                +--o|                mirror
         |    |              |    |               |    |
         +----|---- gate ----+----|---- gate -----+    |
         |    |                   |                    |
         |  vss-o|            off-o|             off-o|                off = not enable; the first always conducts
         |    |                   |                    |
         +----+                 cell               reference
              |                   |                    |
           resistor          off--| (to vss)      off--| (to vss)
              |
             bias

                         cell, reference -- StrongARM, p inputs --[inv]-- q, qb

    ``enable`` high switches the currents on; low, the lines are grounded. The current is that of the bias resistor,
    (vdd - V_SG - bias)/R, which always flows (a word would share it); ``bias`` is ground or, to trim the current,
    elsewhere. The junction's voltage is its resistance times the current at any supply. ``sense`` rises when the lines
    have settled. They lie near ground, so that the comparator has p-channel inputs and needs no level shift.
    """

    source = "a read current and a clocked comparator, as in many STT-MRAM macros"

    bias_resistance: float = quantity(200e3, "ohm", 1e3, 1e8, "sets the read current")
    mirror: float = width(2.0, "FETs of the mirror", channel="p")
    mirror_length: float = quantity(
        _mirror_length, "m", 1e-8, lambda c: c.technology.pfet.max_length, "channel length of the mirror"
    )
    switch: float = width(2.0, "switches in series with the mirror", channel="p")
    discharge: float = width(1.0, "FETs that ground the lines between reads")
    comparator: StrongArm = part(lambda c: StrongArm(c.technology, channel="p"), "comparator with p-channel inputs")
    output_strength: float = quantity(1.0, "", 0.5, 64.0, "output inverters, in unit inverters")

    def ports(self) -> tuple[Port, ...]:
        """Cell, reference; sense, enable, bias (analogue) in; q, qb out."""
        return (
            *outputs("q", "qb"), *inouts("cell", "reference"), *inputs("sense", "enable", "bias"),
            *supplies("vdd", "vss"),
        )  # fmt: skip

    def build(self, add: Builder) -> None:
        """Mirror, switches, comparator, outputs."""
        add.use("disable", Inverter(self.technology), a="enable", y="off")
        add.use("start", Inverter(self.technology), a="sense", y="clock")
        for name, drain, off in (
            ("diode", "mirror", "vss"),
            ("cell", "cell", "off"),
            ("reference", "reference", "off"),
        ):
            add.pmos(f"mirror{name}", f"drain{name}", "mirror", "vdd", width=self.mirror, length=self.mirror_length)
            add.pmos(f"switch{name}", drain, off, f"drain{name}", width=self.switch)
        add.resistor("bias", "mirror", "bias", self.bias_resistance)
        add.nmos("groundcell", "cell", "off", "vss", width=self.discharge)
        add.nmos("groundreference", "reference", "off", "vss", width=self.discharge)
        add.use("comparator", self.comparator, a="cell", b="reference", clock="clock", y="above", yb="below")
        # high before the decision; a cell that conducts less has the higher voltage, `above` stays high
        inverter = Inverter(self.technology, strength=self.output_strength)
        add.use("outq", inverter, a="below", y="q")
        add.use("outqb", inverter, a="above", y="qb")
