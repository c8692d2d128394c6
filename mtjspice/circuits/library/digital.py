"""Clocked logic and a shift register: what a pseudo-random generator in plain CMOS is made of.

Transistors are as small as every technology allows (``strength`` 1/2, see `gates`), since these circuits are what
junctions are compared with, and energy and area grow with the widths.
"""

from dataclasses import dataclass

from mtjspice.bits.sources import primitive
from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inputs, outputs, supplies
from mtjspice.circuits.library.gates import Buffer, Inverter, TransmissionGate
from mtjspice.circuits.parameters import count, part, quantity

LONGEST = 64
_CLOCK_SHARE = 0.5  # drive of the clock buffer for each stage, in unit inverters: three stages' load to one drive


def _strength() -> float:
    value: float = quantity(0.5, "", 0.5, 64.0, "drive, in unit inverters")
    return value


@dataclass(frozen=True, kw_only=True)
class Xor(Circuit):
    r"""y = a xor b: b or its inverse passes, and an inverter restores it; 10 transistors.

    ::

        b ------------TG (a)-----+
                                 +--|>o-- y
        b --|>o--TG (not a)------+
    """

    source = "textbook static CMOS"

    strength: float = _strength()

    @property
    def name(self) -> str:
        """It has two inputs."""
        return "xor2"

    def ports(self) -> tuple[Port, ...]:
        """a, b in, y out."""
        return (*inputs("a", "b"), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Inverses of both inputs, two transmission gates, an inverter."""
        inverter = Inverter(self.technology, strength=self.strength)
        gate = TransmissionGate(self.technology, strength=self.strength)
        add.use("inverta", inverter, a="a", y="na")
        add.use("invertb", inverter, a="b", y="nb")
        add.use("same", gate, a="b", b="ny", on="a", off="na")
        add.use("other", gate, a="nb", b="ny", on="na", off="a")
        add.use("out", inverter, a="ny", y="y")


@dataclass(frozen=True, kw_only=True)
class Multiplexer(Circuit):
    """y = a1 where ``select`` is high, else a0, through transmission gates: nothing restores it; 6 transistors."""

    source = "textbook static CMOS"

    strength: float = _strength()

    def ports(self) -> tuple[Port, ...]:
        """a0, a1, select in, y out."""
        return (*inputs("a0", "a1", "select"), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """An inverter and two transmission gates."""
        gate = TransmissionGate(self.technology, strength=self.strength)
        add.use("invert", Inverter(self.technology, strength=self.strength), a="select", y="deselect")
        add.use("gate0", gate, a="a0", b="y", on="deselect", off="select")
        add.use("gate1", gate, a="a1", b="y", on="select", off="deselect")


@dataclass(frozen=True, kw_only=True)
class FlipFlop(Circuit):
    """Takes over ``d`` at the rising edge of ``clock``; static, 18 transistors.

    ::

        d --TG (low)--+--|>o--+--TG (high)--+--|>o--+-- q
                      |       |             |       |
                  TG (high)   |         TG (low)    |
                      |       |             |       |
                      +--o<|--+             +--o<|--+

    Low and high are the levels of the clock at which a transmission gate conducts; the clock's inverse is made inside.
    """

    source = "textbook master-slave flip-flop of transmission gates"

    strength: float = _strength()

    def ports(self) -> tuple[Port, ...]:
        """d, clock in, q out."""
        return (*inputs("d", "clock"), *outputs("q"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """The inverse of the clock, then both latches."""
        inverter = Inverter(self.technology, strength=self.strength)
        gate = TransmissionGate(self.technology, strength=self.strength)
        add.use("invert", inverter, a="clock", y="nclock")
        low, high = {"on": "nclock", "off": "clock"}, {"on": "clock", "off": "nclock"}
        for latch, begin, end, opened, kept in (("master", "d", "m", low, high), ("slave", "m", "q", high, low)):
            add.use(f"{latch}_in", gate, a=begin, b=f"{latch}_x", **opened)
            add.use(f"{latch}_out", inverter, a=f"{latch}_x", y=end)
            add.use(f"{latch}_back", inverter, a=end, y=f"{latch}_y")
            add.use(f"{latch}_keep", gate, a=f"{latch}_y", b=f"{latch}_x", **kept)


@dataclass(frozen=True, kw_only=True)
class FullAdder(Circuit):
    """``sum`` and ``carry`` of a, b and c; the mirror adder of 28 transistors.

    The inverse of the carry is a majority gate, and helps to make the inverse of the sum; both networks of p-channel
    FETs mirror those of the n-channel ones, since majority and parity are self-dual.
    """

    source = "N. Weste and D. Harris, CMOS VLSI Design (the mirror adder)"

    strength: float = _strength()

    def ports(self) -> tuple[Port, ...]:
        """a, b, c in; sum, carry out."""
        return (*inputs("a", "b", "c"), *outputs("sum", "carry"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Majority, parity, two inverters; FETs in series are wider by their number."""
        unit = self.strength * self.technology.unit_width
        for channel, rail, width in ((add.nmos, "vss", unit), (add.pmos, "vdd", 2 * unit)):
            k = "n" if rail == "vss" else "p"
            # ncarry = not(c (a + b) + a b)
            channel(f"{k}c0", "ncarry", "c", f"{k}any", width=2 * width)
            channel(f"{k}c1", f"{k}any", "a", rail, width=2 * width)
            channel(f"{k}c2", f"{k}any", "b", rail, width=2 * width)
            channel(f"{k}c3", "ncarry", "a", f"{k}both", width=2 * width)
            channel(f"{k}c4", f"{k}both", "b", rail, width=2 * width)
            # nsum = not((a + b + c) ncarry + a b c)
            channel(f"{k}s0", "nsum", "ncarry", f"{k}one", width=2 * width)
            for name in ("a", "b", "c"):
                channel(f"{k}s{name}", f"{k}one", name, rail, width=2 * width)
            channel(f"{k}t0", "nsum", "c", f"{k}three", width=3 * width)
            channel(f"{k}t1", f"{k}three", "a", f"{k}two", width=3 * width)
            channel(f"{k}t2", f"{k}two", "b", rail, width=3 * width)
        inverter = Inverter(self.technology, strength=self.strength)
        add.use("outsum", inverter, a="nsum", y="sum")
        add.use("outcarry", inverter, a="ncarry", y="carry")


@dataclass(frozen=True, kw_only=True)
class Lfsr(Circuit):
    """A linear feedback shift register in Fibonacci's form, of maximal length.

    ::

                 +------------ xor of the tapped stages <-----------+
                 |                                                  |
        seed --[mux]--[stage 1]-- q1 --[stage 2]-- q2 -- ... --[stage n]-- qn
                 |        |                |                       |
               load     clock ---[buffer]--+-----------------------+

    ``qn`` is the generator's output, a bit a clock; q1 to qn are a word, a new one every n clocks. While ``load`` is
    high, ``seed`` is shifted in instead: after n clocks the first bit of it stands at qn, and the output begins with
    it. A register that holds zeros only would keep them. Taps and sequence are those of
    `mtjspice.bits.sources.lfsr.LfsrSource`.
    """

    source = "textbook; taps of mtjspice.bits.sources.primitive"

    bits: int = count(8, 2, LONGEST, "stages")
    stage: FlipFlop = part(lambda c: FlipFlop(c.technology), "one stage")
    xor: Xor = part(lambda c: Xor(c.technology), "adds two taps")

    @property
    def name(self) -> str:
        """Such as lfsr8."""
        return f"lfsr{self.bits}"

    @property
    def taps(self) -> tuple[int, ...]:
        """The stages that are added, which are the exponents of a primitive polynomial."""
        return primitive.taps(self.bits)

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the outputs, first stage first."""
        return tuple(f"q{k}" for k in range(1, self.bits + 1))

    def ports(self) -> tuple[Port, ...]:
        """Stages out; clock, load, seed in."""
        return (*outputs(*self.stages), *inputs("clock", "load", "seed"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """Clock, stages, and a tree of adders, since a chain of them would be slower."""
        strength = max(1.0, _CLOCK_SHARE * self.bits)
        add.use("clock", Buffer(self.technology, strength=strength), a="clock", y="clocked")
        before = "d"
        for k, after in enumerate(self.stages, 1):
            add.use(f"stage{k}", self.stage, d=before, clock="clocked", q=after)
            before = after
        nodes, made = [f"q{tap}" for tap in self.taps], 0
        while len(nodes) > 1:
            added = []
            for first, second in zip(nodes[::2], nodes[1::2], strict=False):
                made += 1
                add.use(f"xor{made}", self.xor, a=first, b=second, y=f"x{made}")
                added.append(f"x{made}")
            nodes = added + nodes[2 * len(added) :]
        add.use("enter", Multiplexer(self.technology), a0=nodes[0], a1="seed", select="load", y="d")
