"""Parts of compute-in-memory columns: line switches, word-line drivers, the read-out of two bit lines, row logic."""

from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.gates import Inverter, Nand, Nor, SetResetLatch, TransmissionGate
from mtjspice.circuits.library.sense import StrongArm
from mtjspice.circuits.parameters import count, part, quantity, width

# --- lines ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ThreeStateSwitch(Circuit):
    """Connects a line to a rail (``on`` high, ``on_low`` low), to ground (``ground`` high), or lets it float.

    ::

        vw --n (on) || p (on_low)-- out --n (ground)-- vss
    """

    switch_width: float = width(4.0, "n-channel half of the switch; the p-channel half is twice as wide")
    pull_down_width: float = width(6.0, "pull-down")

    def ports(self) -> tuple[Port, ...]:
        """On, on_low, ground in; out."""
        return (*inputs("on", "on_low", "ground"), *inouts("out"), *supplies("vw", "vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Three transistors."""
        add.nmos("passn", "vw", "on", "out", width=self.switch_width)
        add.pmos("passp", "vw", "on_low", "out", width=2 * self.switch_width)
        add.nmos("down", "out", "ground", "vss", width=self.pull_down_width)


@dataclass(frozen=True, kw_only=True)
class ThreeStateDriver(Circuit):
    """Puts the write rail on a line while ``pulse`` is high, and otherwise grounds it unless ``release`` is high.

    ::

        pulse --[inv]-- on_low --[inv]-- on --+
                                             NOR-- ground      on, on_low, ground --[ThreeStateSwitch]-- out
                                   release --+
    """

    switch: ThreeStateSwitch = part(lambda c: ThreeStateSwitch(c.technology), "switch of the line")

    def ports(self) -> tuple[Port, ...]:
        """Pulse, release in; out."""
        return (*inputs("pulse", "release"), *inouts("out"), *supplies("vw", "vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Logic a quarter as strong as its load, then the switch."""
        strength = max(1.0, self.switch.switch_width / self.technology.unit_width / 4)
        add.use("first", Inverter(self.technology, strength=strength), a="pulse", y="on_low")
        add.use("second", Inverter(self.technology, strength=strength), a="on_low", y="on")
        add.use("idle", Nor(self.technology, strength=max(0.5, strength / 2)), a0="on", a1="release", y="ground")
        add.use("switch", self.switch, on="on", on_low="on_low", ground="ground", out="out")


@dataclass(frozen=True, kw_only=True)
class WordLineDriver(Circuit):
    """Both word lines of a differential pair: ``x`` opens both while computing, a request only that of the P-bit.

    ::

        x, compute --NAND-- idle --[inv]------------- wld
                             |
        request0_low ... ----+--NAND----------------- wlp
    """

    requests: int = count(1, 1, 2, "requests for the P-bit alone, active low")
    strength: float = quantity(1.0, "", 0.5, 64.0, "drive of each word line, in unit inverters")

    def ports(self) -> tuple[Port, ...]:
        """x, compute, requests in; wld, wlp out."""
        requests = (f"request{k}_low" for k in range(self.requests))
        return (*inputs("x", "compute", *requests), *outputs("wld", "wlp"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Three gates."""
        requests = {f"a{k + 1}": f"request{k}_low" for k in range(self.requests)}
        add.use("gate", Nand(self.technology, strength=max(0.5, self.strength / 2)), a0="x", a1="compute", y="idle")
        add.use("data", Inverter(self.technology, strength=self.strength), a="idle", y="wld")
        either = Nand(self.technology, fan_in=self.requests + 1, strength=self.strength)
        add.use("pbit", either, a0="idle", y="wlp", **requests)


# --- read-out ------------------------------------------------------------------------------------------------


def _comparator(circuit: Circuit) -> StrongArm:
    """With a wide tail: its inputs lie at some tenths of a volt, and it has little time."""
    unit = circuit.technology.unit_width
    return StrongArm(circuit.technology, channel="p", pair=8 * unit, tail=8 * unit)


@dataclass(frozen=True, kw_only=True)
class CurrentReadOut(Circuit):
    """Compares the currents that flow out of two bit lines, each held near one p-channel threshold by a clamp.

    ::

              vdd
               |
        idle-o||
               |
            [keep]
               |
        bit line-+--[precharge]-- vr          outd, outp --[StrongARM, p inputs]--[latch]-- sign
                 |
           idle-o|| (clamp, its well at the line)
                 |
                out --[load]-- vss

    ``idle`` low opens the clamps; ``precharge`` first takes the lines to ``vr``, from where they settle within
    C/g_m of the clamps. The bias that ``keep`` adds to a line's current holds the transconductance of its clamp up
    where few rows conduct: without it the line would move by kT/e ln(current), and the sum would not be linear. It is
    the same on both sides. Each load carries bias and line current; outd - outp is the difference of the two sums.
    ``decide`` high compares them; ``sign`` keeps the answer, high for outd > outp.
    """

    source = "common-gate clamps and latched comparator, choices of this project"

    clamp: float = width(12.0, "clamps", channel="p")
    switch: float = width(4.0, "switches of the bias", channel="p")
    keep: float = quantity(100e3, "ohm", 1e3, 1e7, "sets the bias of a clamp")
    load: float = quantity(15e3, "ohm", 1e2, 1e7, "turns a line's current into a voltage")
    rest: float = width(1.0, "ground the outputs between decisions, whatever the pulses couple into them")
    precharge_strength: float = quantity(4.0, "", 0.5, 64.0, "switches to vr, in unit inverters")
    output_capacitance: float = quantity(5e-15, "F", 0.0, 1e-9, "of each output", assumed=True)
    comparator: StrongArm = part(_comparator, "comparator with p-channel inputs")

    def ports(self) -> tuple[Port, ...]:
        """bld, blp; idle, precharge, decide in; outd, outp, sign out."""
        return (
            *inouts("bld", "blp"), *inputs("idle", "precharge", "decide"), *outputs("outd", "outp", "sign"),
            *supplies("vdd", "vr", "vss"),
        )  # fmt: skip

    def build(self, add: Builder) -> None:
        """Two clamps, then the comparator, whose outputs are low before a decision."""
        inverter = Inverter(self.technology)
        add.use("noprecharge", inverter, a="precharge", y="precharge_low")
        gate = TransmissionGate(self.technology, strength=self.precharge_strength)
        for side in ("d", "p"):
            line, out = f"bl{side}", f"out{side}"
            add.use(f"precharge{side}", gate, a="vr", b=line, on="precharge", off="precharge_low")
            add.pmos(f"switch{side}", f"bias{side}", "idle", "vdd", width=self.switch)
            add.resistor(f"keep{side}", f"bias{side}", line, self.keep)
            add.pmos(f"clamp{side}", out, "idle", line, width=self.clamp, bulk=line)
            add.resistor(f"load{side}", out, "vss", self.load)
            add.nmos(f"rest{side}", out, "idle", "vss", width=self.rest)
            add.capacitor(out, out, "vss", self.output_capacitance, wire=True)
        add.use("start", inverter, a="decide", y="clock")
        add.use("comparator", self.comparator, a="outd", b="outp", clock="clock", y="above", yb="below")
        add.use("above", inverter, a="above", y="set_low")
        add.use("below", inverter, a="below", y="reset_low")
        add.use("latch", SetResetLatch(self.technology), set_low="set_low", reset_low="reset_low", q="sign", qb=None)


# --- logic of a row ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TransparentLatch(Circuit):
    """q = d while ``take`` is high; keeps it afterwards.

    ::

        d --TG (take)--+-- kept --[inv]-- qb --[inv]-- q
                       |                               |
                       +------------TG (keep)----------+
    """

    strength: float = quantity(0.5, "", 0.5, 64.0, "drive, in unit inverters")

    def ports(self) -> tuple[Port, ...]:
        """d, take, keep (its inverse) in; q, qb out."""
        return (*inputs("d", "take", "keep"), *outputs("q", "qb"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Two switches, two inverters."""
        switch = TransmissionGate(self.technology, strength=self.strength)
        inverter = Inverter(self.technology, strength=self.strength)
        add.use("open", switch, a="d", b="kept", on="take", off="keep")
        add.use("hold", switch, a="q", b="kept", on="keep", off="take")
        add.use("first", inverter, a="kept", y="qb")
        add.use("second", inverter, a="qb", y="q")


@dataclass(frozen=True, kw_only=True)
class Differ(Circuit):
    """y is high where two bits, given with their inverses, differ: three NAND gates."""

    strength: float = quantity(0.5, "", 0.5, 64.0, "drive, in unit inverters")

    def ports(self) -> tuple[Port, ...]:
        """a, ab, b, bb in; y out."""
        return (*inputs("a", "ab", "b", "bb"), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """y = a and not b, or b and not a."""
        gate = Nand(self.technology, strength=self.strength)
        add.use("more", gate, a0="a", a1="bb", y="more_low")
        add.use("less", gate, a0="ab", a1="b", y="less_low")
        add.use("either", gate, a0="more_low", a1="less_low", y="y")
