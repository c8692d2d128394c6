"""Static CMOS gates; ``strength`` 1 is a unit inverter, whose p-channel FET is twice as wide as its n-channel one."""

from dataclasses import dataclass
from math import ceil

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.parameters import count, length, quantity

_STRONGEST = 64.0


def _strength(default: float = 1.0) -> float:
    value: float = quantity(default, "", 0.5, _STRONGEST, "drive, in unit inverters")
    return value


@dataclass(frozen=True, kw_only=True)
class Inverter(Circuit):
    """y = not a."""

    source = "textbook static CMOS"

    strength: float = _strength()
    channel: float = length(1.0, "channel length")

    def ports(self) -> tuple[Port, ...]:
        """A in, y out."""
        return (*inputs("a"), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """One pair of transistors, in parallel ones where the models end."""
        width = self.strength * self.technology.unit_width
        parallel = ceil(2 * width / self.technology.pfet.max_width)
        add.pmos("p", "y", "a", "vdd", width=2 * width / parallel, length=self.channel, multiplier=parallel)
        add.nmos("n", "y", "a", "vss", width=width / parallel, length=self.channel, multiplier=parallel)


@dataclass(frozen=True, kw_only=True)
class Buffer(Circuit):
    """y = a through a chain of inverters, each at most four times as strong as the one before.

    ::

        a --|>o--|>o-- ... --|>o-- y
    """

    source = "textbook static CMOS"

    strength: float = _strength(4.0)

    @property
    def strengths(self) -> tuple[float, ...]:
        """Strength of each inverter; their number is even."""
        stages = 2
        while self.strength ** (1 / stages) > 4:
            stages += 2
        ratio = max(1.0, self.strength) ** (1 / stages)
        before = (max(1.0, self.strength / ratio ** (stages - 1 - k)) for k in range(stages - 1))
        return (*before, self.strength)

    def ports(self) -> tuple[Port, ...]:
        """A in, y out."""
        return (*inputs("a"), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """The chain."""
        node = "a"
        last = len(self.strengths) - 1
        for stage, strength in enumerate(self.strengths):
            after = "y" if stage == last else f"n{stage}"
            add.use(f"stage{stage}", Inverter(self.technology, strength=strength), a=node, y=after)
            node = after


@dataclass(frozen=True, kw_only=True)
class Nand(Circuit):
    """y = not (a0 and a1 and ...); the n-channel FETs in series are wider by their number."""

    source = "textbook static CMOS"

    fan_in: int = count(2, 2, 4, "inputs")
    strength: float = _strength()

    @property
    def name(self) -> str:
        """Such as nand2."""
        return f"nand{self.fan_in}"

    def ports(self) -> tuple[Port, ...]:
        """a0, a1, ... in, y out."""
        return (*inputs(*(f"a{k}" for k in range(self.fan_in))), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """p-channel FETs in parallel, n-channel ones in series from the output."""
        unit = self.strength * self.technology.unit_width
        above = "y"
        for k in range(self.fan_in):
            below = "vss" if k == self.fan_in - 1 else f"x{k}"
            add.pmos(f"p{k}", "y", f"a{k}", "vdd", width=2 * unit)
            add.nmos(f"n{k}", above, f"a{k}", below, width=self.fan_in * unit)
            above = below


@dataclass(frozen=True, kw_only=True)
class Nor(Circuit):
    """y = not (a0 or a1 or ...); the p-channel FETs in series are wider by their number."""

    source = "textbook static CMOS"

    fan_in: int = count(2, 2, 4, "inputs")
    strength: float = _strength()

    @property
    def name(self) -> str:
        """Such as nor2."""
        return f"nor{self.fan_in}"

    def ports(self) -> tuple[Port, ...]:
        """a0, a1, ... in, y out."""
        return (*inputs(*(f"a{k}" for k in range(self.fan_in))), *outputs("y"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """n-channel FETs in parallel, p-channel ones in series from the output."""
        unit = self.strength * self.technology.unit_width
        below = "y"
        for k in range(self.fan_in):
            above = "vdd" if k == self.fan_in - 1 else f"x{k}"
            add.nmos(f"n{k}", "y", f"a{k}", "vss", width=unit)
            add.pmos(f"p{k}", below, f"a{k}", above, width=2 * self.fan_in * unit)
            below = above


@dataclass(frozen=True, kw_only=True)
class TransmissionGate(Circuit):
    """Connects a and b while ``on`` is high and ``off``, its inverse, low."""

    source = "textbook static CMOS"

    strength: float = _strength()

    def ports(self) -> tuple[Port, ...]:
        """a, b; on, off in."""
        return (*inouts("a", "b"), *inputs("on", "off"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """An n- and a p-channel FET in parallel."""
        unit = self.strength * self.technology.unit_width
        add.nmos("n", "a", "on", "b", width=unit)
        add.pmos("p", "a", "off", "b", width=2 * unit)


@dataclass(frozen=True, kw_only=True)
class SetResetLatch(Circuit):
    """Two crossed NAND gates: keeps what the outputs of a sense amplifier said while both are high.

    ``q`` is 1 after ``set_low`` was low, 0 after ``reset_low`` was.
    """

    source = "textbook static CMOS"

    strength: float = _strength(0.5)

    def ports(self) -> tuple[Port, ...]:
        """set_low, reset_low in; q, qb out."""
        return (*inputs("set_low", "reset_low"), *outputs("q", "qb"), *supplies("vdd", "vss"))

    def build(self, add: Builder) -> None:
        """The pair."""
        gate = Nand(self.technology, strength=self.strength)
        add.use("set", gate, a0="set_low", a1="qb", y="q")
        add.use("reset", gate, a0="reset_low", a1="q", y="qb")
