"""Write-pulse generators and the drivers that bring their pulses to the junctions.

A generator starts a pulse with the rising edge of ``trigger`` and ends it when a delay line has answered, so that its
width is a delay: set by a control voltage (current-starved) or by the choice of a tap. ``trigger`` must stay high for
longer than the pulse, and low for about as long again before the next one.
"""

from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand, Nor, TransmissionGate
from mtjspice.circuits.parameters import choice, count, part, quantity, width
from mtjspice.errors import InputError


@dataclass(frozen=True, kw_only=True)
class StarvedPulseGenerator(Circuit):
    """Pulse whose width a control voltage sets; a lower one makes it wider.

    ::

        trigger --+--[starved]--[inv]x2-- late -----+
                  |                                NAND --[inv]-- pulse
                  +--------------------------------+

        starved:  vdd --o|biasp-- --o|in-- out --|in-- --|control-- vss

    ``control`` is the gate of the n-channel current sources and, through a mirror, sets the p-channel ones.
    """

    starved_stages: int = count(1, 1, 15, "current-starved inverters")
    plain_stages: int = count(2, 0, 98, "inverters after them")
    starving_width: float = width(2.0, "current sources of the delay line")
    driver_strength: float = quantity(8.0, "", 1.0, 64.0, "output inverter, in unit inverters")

    def validate(self) -> None:
        """The line has to invert."""
        if (self.starved_stages + self.plain_stages) % 2 == 0:
            raise InputError(
                f"{self.name}: starved_stages + plain_stages = {self.starved_stages + self.plain_stages} must be odd"
            )

    def ports(self) -> tuple[Port, ...]:
        """Trigger, control in; pulse out."""
        return (*inputs("trigger", "control"), *outputs("pulse"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Mirror, delay line, gate, driver."""
        sink, unit = self.starving_width, self.technology.unit_width
        add.nmos("mirrorn", "biasp", "control", "vss", width=sink)
        add.pmos("mirrorp", "biasp", "biasp", "vdd", width=2 * sink)
        node = "trigger"
        for k in range(self.starved_stages):
            after = f"starved{k}"
            add.pmos(f"head{k}", f"top{k}", "biasp", "vdd", width=2 * sink)
            add.pmos(f"up{k}", after, node, f"top{k}", width=2 * unit)
            add.nmos(f"down{k}", after, node, f"foot{k}", width=unit)
            add.nmos(f"tail{k}", f"foot{k}", "control", "vss", width=sink)
            node = after
        for k in range(self.plain_stages):
            add.use(f"plain{k}", Inverter(self.technology), a=node, y=f"plain{k}")
            node = f"plain{k}"
        add.use("gate", Nand(self.technology, strength=2.0), a0="trigger", a1=node, y="active_low")
        add.use("driver", Inverter(self.technology, strength=self.driver_strength), a="active_low", y="pulse")


@dataclass(frozen=True, kw_only=True)
class TapPulseGenerator(Circuit):
    """Pulse whose width is one of several delays; the select input of one tap is high.

    ::

        trigger --+--[inv]x5--+--[inv]x2--+--[inv]x2--+ ...
                  |          TG0         TG1         TG2      select0, select1, ...
                  |           +-----------+-----------+--[buf]-- late --+
                  |                                                     NAND --[inv]-- pulse
                  +--TG (always on)----------------------[buf]----------+

    The trigger takes the same way through a switch and a buffer, so that the width is the delay of the inverters
    alone. With no tap selected there is no definite pulse.
    """

    taps: int = count(8, 1, 32, "taps")
    first: int = count(5, 3, 99, "inverters before the first tap; odd")
    spacing: int = count(2, 2, 40, "inverters from one tap to the next; even")
    driver_strength: float = quantity(8.0, "", 1.0, 64.0, "output inverter, in unit inverters")

    def validate(self) -> None:
        """Every tap has to be inverted."""
        if self.first % 2 == 0 or self.spacing % 2 == 1:
            raise InputError(f"{self.name}: first = {self.first} must be odd and spacing = {self.spacing} even")

    @property
    def selects(self) -> tuple[str, ...]:
        """Names of the select inputs."""
        return tuple(f"select{k}" for k in range(self.taps))

    def ports(self) -> tuple[Port, ...]:
        """Trigger and selects in, pulse out."""
        return (*inputs("trigger", *self.selects), *outputs("pulse"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Delay line, switches, gate, driver."""
        gate, buffer = TransmissionGate(self.technology), Buffer(self.technology, strength=2.0)
        node, stage = "trigger", 0
        for k, select in enumerate(self.selects):
            for _ in range(self.first if k == 0 else self.spacing):
                add.use(f"delay{stage}", Inverter(self.technology), a=node, y=f"delayed{stage}")
                node, stage = f"delayed{stage}", stage + 1
            add.use(f"invert{k}", Inverter(self.technology), a=select, y=f"deselect{k}")
            add.use(f"tap{k}", gate, a=node, b="chosen", on=select, off=f"deselect{k}")
        add.use("always", gate, a="trigger", b="early", on="vdd", off="vss")
        for k in range(self.taps - 1):  # as much capacitance as the switches of the taps put on their line
            add.use(f"dummy{k}", gate, a="early", b=f"idle{k}", on="vss", off="vdd")
            add.capacitor(f"idle{k}", f"idle{k}", "vss", 1e-16, wire=True)
        add.use("bufferlate", buffer, a="chosen", y="late")
        add.use("bufferearly", buffer, a="early", y="begin")
        add.use("gate", Nand(self.technology, strength=2.0), a0="begin", a1="late", y="active_low")
        add.use("driver", Inverter(self.technology, strength=self.driver_strength), a="active_low", y="pulse")


@dataclass(frozen=True, kw_only=True)
class LineSwitch(Circuit):
    """Connects a line to the write rail while ``on`` is high and ``off``, its inverse, low; to ground otherwise.

    ::

             vw
              |
          n (on) || p (off)
              |
             out
              |
           n (off)
              |
             vss

    The rail may lie anywhere up to the supply: the n-channel half passes low rails, the p-channel half high ones.
    ``halves`` "n" leaves out the p-channel half; that suits rails of at least two thresholds below the supply.
    """

    switch_width: float = width(8.0, "n-channel half of the switch; the p-channel half is twice as wide")
    pull_down_width: float = width(6.0, "pull-down")
    halves: str = choice("both", ("both", "n"), "channels of the switch")

    def ports(self) -> tuple[Port, ...]:
        """On, off in; out."""
        both = self.halves == "both"
        return (*inputs("on", "off"), *inouts("out"), *supplies(*(("vw", "vdd", "vss") if both else ("vw", "vss"))))

    def build(self, add: Builder) -> None:
        """The switch and the pull-down."""
        add.nmos("passn", "vw", "on", "out", width=self.switch_width)
        if self.halves == "both":
            add.pmos("passp", "vw", "off", "out", width=2 * self.switch_width)
        add.nmos("down", "out", "off", "vss", width=self.pull_down_width)


@dataclass(frozen=True, kw_only=True)
class WriteDriver(Circuit):
    """Puts the write rail on a line while ``pulse`` is high and ground otherwise.

    ::

        pulse --[inv]-- low --[inv]-- on --[inv]-- off        on, off --[LineSwitch]-- out
    """

    switch: LineSwitch = part(lambda c: LineSwitch(c.technology), "switch of the line")

    def validate(self) -> None:
        """A rail anywhere up to the supply needs both halves."""
        if self.switch.halves != "both":
            raise InputError(f"{self.name}: its switch must have both halves")

    def ports(self) -> tuple[Port, ...]:
        """Pulse in, out drives the line."""
        return (*inputs("pulse"), *outputs("out"), *supplies("vw", "vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Inverters tapered by four or less, then the switch."""
        load = 3 * self.switch.switch_width + self.switch.pull_down_width
        strength = max(1.0, load / (3 * self.technology.unit_width) / 4)
        add.use("first", Inverter(self.technology, strength=max(1.0, strength / 3)), a="pulse", y="low")
        add.use("second", Inverter(self.technology, strength=strength), a="low", y="on")
        add.use("third", Inverter(self.technology, strength=strength), a="on", y="off")
        add.use("switch", self.switch, on="on", off="off", out="out")


@dataclass(frozen=True, kw_only=True)
class BipolarDriver(Circuit):
    """Drives current through a cell either way, as spin-transfer torque needs it.

    ``forward`` puts the rail ``vf`` on ``bl`` (and ground on ``sl``), ``backward`` the rail ``vb`` on ``sl`` (and
    ground on ``bl``). With both low, both lines are grounded; both high is not allowed. With ``release`` high, the
    pull-down of ``bl`` lets go, so that it can be read.

    ::

           vf                         vb
            |                          |
         switch (forward)           switch (backward)
            |                          |
        bl -+------[MTJ]--[access]-----+- sl
            |                          |
         n (not forward,            n (not backward)
            not release)
            |                          |
           vss                        vss
    """

    switch_width: float = width(16.0, "n-channel half of each switch; the p-channel half is twice as wide")
    pull_down_width: float = width(16.0, "each pull-down")

    def ports(self) -> tuple[Port, ...]:
        """Forward, backward, release in; bl, sl."""
        return (
            *inputs("forward", "backward", "release"), *inouts("bl", "sl"), *supplies("vf", "vb", "vdd", "vss"),
        )  # fmt: skip

    def build(self, add: Builder) -> None:
        """Two switched rails, two pull-downs."""
        strength = max(1.0, self.switch_width / self.technology.unit_width / 4)
        for line, rail, command in (("bl", "vf", "forward"), ("sl", "vb", "backward")):
            add.use(f"off{line}", Inverter(self.technology, strength=strength), a=command, y=f"{line}_off")
            add.use(f"on{line}", Inverter(self.technology, strength=strength), a=f"{line}_off", y=f"{line}_on")
            add.nmos(f"passn{line}", rail, f"{line}_on", line, width=self.switch_width)
            add.pmos(f"passp{line}", rail, f"{line}_off", line, width=2 * self.switch_width)
        add.use("idle", Nor(self.technology, strength=strength / 2 if strength > 1 else 0.5),
                a0="bl_on", a1="release", y="bl_down")  # fmt: skip
        add.nmos("downbl", "bl", "bl_down", "vss", width=self.pull_down_width)
        add.nmos("downsl", "sl", "sl_off", "vss", width=self.pull_down_width)


@dataclass(frozen=True, kw_only=True)
class PulseWriter(Circuit):
    """A tunable generator and a write driver: trigger in, a pulse of the rail's voltage out."""

    generator: Circuit = part(lambda c: StarvedPulseGenerator(c.technology), "generator, starved or tapped")
    driver: WriteDriver = part(lambda c: WriteDriver(c.technology), "write driver")

    def validate(self) -> None:
        """Any circuit with trigger and pulse will do."""
        names = {port.name for port in self.generator.ports()}
        if not {"trigger", "pulse"} <= names:
            raise InputError(f"{self.name}: the generator {self.generator.name} has no ports trigger and pulse")

    @property
    def controls(self) -> tuple[str, ...]:
        """The generator's inputs besides the trigger."""
        return tuple(p.name for p in self.generator.ports() if p.direction == "input" and p.name != "trigger")

    def ports(self) -> tuple[Port, ...]:
        """Trigger and the generator's controls in; out."""
        return (*inputs("trigger", *self.controls), *outputs("out"), *supplies("vw", "vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Generator, driver."""
        controls = {name: name for name in self.controls}
        add.use("generator", self.generator, trigger="trigger", pulse="pulse", **controls)
        add.use("driver", self.driver, pulse="pulse", out="out")
