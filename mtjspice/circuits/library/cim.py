"""Compute-in-memory columns of probabilistic differential pairs: P-bits drawn in place, or beside the array.

A pair's weight is w = G_D - G_P (`DifferentialPair`); a column gives the sum of x_j w_j over its rows as a voltage and
its sign. While computing, the source lines are raised to the read rail ``vr`` and the bit lines are held lower by
clamps: the voltage on every junction, bit line less source line, is negative. It raises the anisotropy of VCMA
junctions, so that no read can disturb them.

* `CimColumn` (in situ): the stochastic pulse comes on the bit line of the P-bits, in the crossbar itself.
* `ExSituColumn` (ex situ): it comes on other junctions; what they say is sensed and written into the crossbar.

The paper compares the two and does not show the circuits: these are choices of this project.
"""

from abc import abstractmethod
from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.cells import Cell1T1M, DifferentialPair, ReferenceCell
from mtjspice.circuits.library.cim_parts import (
    CurrentReadOut,
    Differ,
    ThreeStateDriver,
    ThreeStateSwitch,
    TransparentLatch,
    WordLineDriver,
)
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand, SetResetLatch, TransmissionGate
from mtjspice.circuits.library.pulse import LineSwitch, StarvedPulseGenerator, WriteDriver
from mtjspice.circuits.library.sense import CurrentLatchedSenseAmplifier
from mtjspice.circuits.parameters import count, part, quantity, width
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError

MAX_ROWS = 128
PAPER = "Y. Xiao et al., IEDM 2024 (in-situ P-bits; circuits are choices of this project)"


def _generator(circuit: Circuit) -> StarvedPulseGenerator:
    """As in the MeRAM word: a narrow delay line."""
    return StarvedPulseGenerator(
        circuit.technology,
        starved_stages=3,
        plain_stages=0,
        starving_width=circuit.technology.unit_width,
        driver_strength=2.0,
    )


def _pair(circuit: "CimColumn | ExSituRow") -> DifferentialPair:
    """Small access transistors: what their nodes hold flows through the junctions when a row is shut."""
    return DifferentialPair(circuit.technology, card=circuit.card, access=circuit.technology.unit_width)


def _amplifier(circuit: Circuit) -> CurrentLatchedSenseAmplifier:
    """Small, as one stands in every row."""
    unit = circuit.technology.unit_width
    return CurrentLatchedSenseAmplifier(
        circuit.technology, precharge=unit, latch_n=2 * unit, latch_p=unit, foot=unit, clamp=4 * unit
    )


def _array_driver(circuit: Circuit) -> WriteDriver:
    """As wide as a `ThreeStateDriver`."""
    switch = ThreeStateSwitch(circuit.technology)
    return WriteDriver(
        circuit.technology,
        switch=LineSwitch(circuit.technology, switch_width=switch.switch_width, pull_down_width=switch.pull_down_width),
    )


def _driver_strength(rows: int) -> float:
    """Drive of a line along ``rows`` gates."""
    return min(max(1.0, rows / 2), 64.0)


@dataclass(frozen=True, kw_only=True)
class _Column(Circuit):
    """What both columns have: rows, lines and the read-out."""

    source = PAPER

    card: MTJCard
    rows: int = count(8, 1, MAX_ROWS, "differential pairs")
    generator: StarvedPulseGenerator = part(_generator, "write-pulse generator")
    driver: ThreeStateDriver = part(lambda c: ThreeStateDriver(c.technology), "write driver of a bit line")
    read_out: CurrentReadOut = part(lambda c: CurrentReadOut(c.technology), "clamps and comparator of the sum")
    line_capacitance: float = quantity(10e-15, "F", 0.0, 1e-11, "of each bit line, without its rows", assumed=True)
    row_capacitance: float = quantity(1e-15, "F", 0.0, 1e-12, "of a bit or source line for each row", assumed=True)
    word_line_capacitance: float = quantity(2e-15, "F", 0.0, 1e-11, "of each word line", assumed=True)

    def validate(self) -> None:
        """Subclasses name the pair."""
        if self.pair.card != self.card:
            raise InputError(f"{self.name} has the card {self.card.name}, its pairs {self.pair.card.name}")

    @property
    @abstractmethod
    def pair(self) -> DifferentialPair:
        """The pair of each row."""

    @property
    def name(self) -> str:
        """Such as cim_column8."""
        return f"{super().name}{self.rows}"

    @property
    def data_inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are multiplied with the weights."""
        return tuple(f"x{j}" for j in range(self.rows))

    def _add_lines(self, add: Builder, pulse: str, rail: str) -> None:
        """Both bit lines with their switches, read-out, and the buffered ``compute``."""
        strength = max(6.0, _driver_strength(self.rows))
        add.use("compute", Buffer(self.technology, strength=strength), a="compute", y="computing")
        add.use("idle", Inverter(self.technology, strength=strength), a="computing", y="idle")
        add.use("pulse", self.generator, trigger="trigger", control="control", pulse="pulse")
        add.use("driver", self.driver, pulse=pulse, release="computing", out="blp", vw=rail)
        # that of the data bits rests here: programming them is no part of this block, its capacitance is
        add.use("dataswitch", self.driver.switch, on="vss", on_low="vdd", ground="idle", out="bld", vw=rail)
        for line in ("bld", "blp"):
            add.capacitor(line, line, "vss", self.line_capacitance + self.rows * self.row_capacitance, wire=True)
        add.use("readout", self.read_out, bld="bld", blp="blp", idle="idle", precharge="precharge", decide="decide",
                outd="outd", outp="outp", sign="sign")  # fmt: skip


# --- in situ -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CimColumn(_Column):
    """Column whose P-bits are drawn in place: one stochastic pulse on their bit line renews all of them.

    ::

        trigger --[pulse generator]--[three-state driver]-- blp         bld --[the same switch, at rest]
                                                             |           |
        x0 --[word-line driver]-- wld0, wlp0 ----------- [pair 0] -- sl
        x1 --[word-line driver]-- wld1, wlp1 ----------- [pair 1] -- sl --[switch]-- vr (computing) or ground
                                                             |           |
                                                          [clamp]     [clamp]
                                                           outp        outd --[comparator]-- sign

    Refresh: ``refresh`` opens the word lines of the P-bits and the pulse comes on blp while sl is grounded. Those of
    the data bits stay shut and bld stays grounded, so that data bits see no voltage. Compute: ``compute`` lifts sl to
    ``vr``, lets the bit lines go and opens both word lines of the rows whose input is high; ``precharge`` brings the
    bit lines near their level, ``decide`` compares.

    Inputs should be high until the end of the precharge: in a row whose word lines are shut while the bit lines rise,
    the nodes below the junctions stay behind, and the junctions see the bit lines' voltage with the sign that
    disturbs. What these nodes hold when the row is shut flows off through the junctions, within R_AP times some fF.
    """

    cell: DifferentialPair = part(_pair, "pair of each row")
    source_switch: LineSwitch = part(
        lambda c: LineSwitch(
            c.technology, switch_width=8 * c.technology.unit_width, pull_down_width=10 * c.technology.unit_width
        ),
        "switch of the source line",
    )

    @property
    def pair(self) -> DifferentialPair:
        """The pair of each row."""
        return self.cell

    def ports(self) -> tuple[Port, ...]:
        """x0, x1, ..., refresh, trigger, control (analogue), compute, precharge, decide in; outd, outp, sign out."""
        return (
            *outputs("outd", "outp", "sign"),
            *inputs(*self.data_inputs, "refresh", "trigger", "control", "compute", "precharge", "decide"),
            *supplies("vdd", "vw", "vr", "vss"),
        )

    def build(self, add: Builder) -> None:
        """Lines, then rows."""
        self._add_lines(add, "pulse", "vw")
        add.use("refresh", Inverter(self.technology, strength=_driver_strength(self.rows)), a="refresh",
                y="refresh_low")  # fmt: skip
        add.use("source", self.source_switch, on="computing", off="idle", out="sl", vw="vr")
        add.capacitor("sl", "sl", "vss", self.line_capacitance + self.rows * self.row_capacitance, wire=True)
        words = WordLineDriver(self.technology)
        for j in range(self.rows):
            add.use(f"words{j}", words, x=f"x{j}", compute="computing", request0_low="refresh_low", wld=f"wld{j}",
                    wlp=f"wlp{j}")  # fmt: skip
            for line in (f"wld{j}", f"wlp{j}"):
                add.capacitor(line, line, "vss", self.word_line_capacitance, wire=True)
            add.use(f"pair{j}", self.cell, bld="bld", blp="blp", sl="sl", wld=f"wld{j}", wlp=f"wlp{j}")


# --- ex situ -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ExSituRow(Circuit):
    """Row of an `ExSituColumn`: pair, P-bit cell beside it, and what carries the P-bit into the pair.

    ::

        bld, blp --[pair]------+
                               +-- sl --[switch]-- vr (computing), vt (inhibited), ground, or none (reading)
        bla --[P-bit cell]-----+
                               |
        refsl --[reference]-- sense amplifier --[set-reset latch]-- held --+
                                                        |                 [equal]--NAND (write_in)--> inhibit_low
                                                   [latch (take)]-- sampled

    One amplifier reads both junctions in turn, each from the source line with its bit line grounded. What it says of
    the P-bit cell is kept by ``take``; then it reads the pair's second junction. A VCMA pulse toggles, so that it must
    act only where the two differ. A shut word line does not keep it off: the pulse charges the node below the junction
    through the junction, which takes about as long as the pulse. ``write_in`` opens the word line of every row and
    lifts the source line to the rail ``vt`` where the two agree: there the junction has no voltage during the pulse,
    and a negative one around it.
    """

    source = PAPER

    card: MTJCard
    pair: DifferentialPair = part(_pair, "pair in the crossbar")
    cell: Cell1T1M = part(
        lambda c: Cell1T1M(c.technology, card=c.card, access=c.technology.unit_width), "P-bit cell beside it"
    )
    sense: CurrentLatchedSenseAmplifier = part(_amplifier, "sense amplifier")
    switch: ThreeStateSwitch = part(
        lambda c: ThreeStateSwitch(
            c.technology, switch_width=2 * c.technology.unit_width, pull_down_width=3 * c.technology.unit_width
        ),
        "switch of the source line",
    )
    inhibit_strength: float = quantity(2.0, "", 0.5, 64.0, "switch to vt, in unit inverters")
    ground: float = width(4.0, "grounds the reference's bit line")
    source_line_capacitance: float = quantity(3e-15, "F", 0.0, 1e-11, "of the source line", assumed=True)
    word_line_capacitance: float = quantity(2e-15, "F", 0.0, 1e-11, "of each word line", assumed=True)

    def validate(self) -> None:
        """One card throughout."""
        for part_ in (self.pair, self.cell):
            if part_.card != self.card:
                raise InputError(f"{self.name} has the card {self.card.name}, its {part_.name} {part_.card.name}")

    def ports(self) -> tuple[Port, ...]:
        """Sampled out; lines; everything that the column drives in."""
        return (
            *outputs("sampled"),
            *inouts("bld", "blp", "bla"),
            *inputs("x", "computing", "idle", "ground", "array", "hold_low", "take", "keep", "write_in", "write_low"),
            *inputs("sense", "latch", "read_bias"),
            *supplies("vdd", "vt", "vr", "vss"),
        )

    def build(self, add: Builder) -> None:
        """Junctions, read path, logic."""
        words = WordLineDriver(self.technology, requests=2)
        add.use("words", words, x="x", compute="computing", request0_low="hold_low", request1_low="write_low",
                wld="wld", wlp="wlp")  # fmt: skip
        for line in ("wld", "wlp"):
            add.capacitor(line, line, "vss", self.word_line_capacitance, wire=True)
        add.use("pair", self.pair, bld="bld", blp="blp", sl="sl", wld="wld", wlp="wlp")
        add.use("cell", self.cell, bl="bla", sl="sl", wl="array")
        add.use("source", self.switch, on="computing", on_low="idle", ground="down", out="sl", vw="vr")
        lift = TransmissionGate(self.technology, strength=self.inhibit_strength)
        add.use("lift", lift, a="vt", b="sl", on="inhibit", off="inhibit_low")
        # the reference sees what the cell sees; its current flows only while the clamps are biased
        reference = ReferenceCell(self.technology, card=self.card, access=self.cell.access)
        add.use("reference", reference, bl="refbl", sl="refsl", wl="vdd")
        add.nmos("refdown", "refbl", "vdd", "vss", width=self.ground)
        # and its line has the same transistors on it: what charges unequal capacitances would pass for a difference
        add.use("refswitch", self.switch, on="vss", on_low="vdd", ground="ground", out="refsl", vw="vr")
        for k in range(2):
            add.nmos(f"refaccess{k}", "refsl", "vss", "vss", width=self.pair.access)
        add.use("reflift", lift, a="vt", b="refsl", on="vss", off="vdd")
        for line in ("sl", "refsl"):
            add.capacitor(line, line, "vss", self.source_line_capacitance, wire=True)
        add.use("sense", self.sense, q="q", qb="qb", cell="sl", reference="refsl", sense="sense", latch="latch",
                bias="read_bias")  # fmt: skip
        # inverters between: what a latch holds changes the capacitance of its inputs, and with it the next decision
        small = Inverter(self.technology, strength=0.5)
        for out in ("q", "qb"):
            add.use(f"{out}_first", small, a=out, y=f"{out}_not")
            add.use(f"{out}_second", small, a=f"{out}_not", y=f"{out}_kept")
        add.use("last", SetResetLatch(self.technology), set_low="qb_kept", reset_low="q_kept", q="held",
                qb="not_held")  # fmt: skip
        add.use("sampled", TransparentLatch(self.technology), d="held", take="take", keep="keep", q="sampled",
                qb="not_sampled")  # fmt: skip
        # the inverse of one bit: the two agree
        add.use("agree", Differ(self.technology), a="held", ab="not_held", b="not_sampled", bb="sampled", y="agree")
        add.use("inhibit_gate", Nand(self.technology), a0="agree", a1="write_in", y="inhibit_low")
        add.use("inhibit", Inverter(self.technology), a="inhibit_low", y="inhibit")
        add.use("down_gate", Nand(self.technology), a0="ground", a1="inhibit_low", y="up")
        add.use("down", Inverter(self.technology), a="up", y="down")


@dataclass(frozen=True, kw_only=True)
class ExSituColumn(_Column):
    """Column whose P-bits are drawn beside the crossbar, sensed, and written in.

    ::

        trigger --[pulse generator]--+--(refresh)--[driver, rail vw]-- bla of the P-bit cells
                                     +--(write_in)-[driver, rail vt]-- blp of the pairs
        rows 0, 1, ... (`ExSituRow`) -- sampled0, sampled1, ...
        bld, blp --[read-out]-- outd, outp, sign

    One cycle: draw (``array``, ``refresh``, trigger), sense (``reading``, ``array``, ``sense``, ``latch``) and
    ``transfer``, sense what the pairs hold (``hold``), toggle those that differ (``write_in``, trigger), compute. The
    generator is shared, its control voltage and the rail differ: half of the P-bits shall switch in the first pulse,
    all that are not inhibited in the second. The source lines belong to the rows, so that all are sensed at once.
    """

    row: ExSituRow = part(lambda c: ExSituRow(c.technology, card=c.card), "each row")
    array_driver: WriteDriver = part(_array_driver, "write driver of the P-bit cells")

    CONTROLS = (
        "refresh", "trigger", "control", "array", "reading", "sense", "latch", "read_bias", "transfer", "hold",
        "write_in", "compute", "precharge", "decide",
    )  # fmt: skip

    @property
    def pair(self) -> DifferentialPair:
        """The pair of each row."""
        return self.row.pair

    def ports(self) -> tuple[Port, ...]:
        """Inputs x0, x1, ... and controls in; sums, sign and sampled bits out."""
        sampled = (f"sampled{j}" for j in range(self.rows))
        return (
            *outputs("outd", "outp", "sign", *sampled),
            *inputs(*self.data_inputs, *self.CONTROLS),
            *supplies("vdd", "vw", "vt", "vr", "vss"),
        )

    def build(self, add: Builder) -> None:
        """Lines, pulses, control lines, then rows."""
        self._add_lines(add, "toggle", "vt")
        gate = Nand(self.technology, strength=2.0)
        inverter = Inverter(self.technology, strength=2.0)
        for name, select in (("draw", "refresh"), ("toggle", "write_in")):
            add.use(f"gate{name}", gate, a0="pulse", a1=select, y=f"{name}_low")
            add.use(name, inverter, a=f"{name}_low", y=name)
        add.use("array_driver", self.array_driver, pulse="draw", out="bla")
        add.capacitor("bla", "bla", "vss", self.line_capacitance + self.rows * self.row_capacitance, wire=True)
        strength = _driver_strength(self.rows)
        along = Inverter(self.technology, strength=strength)
        for name in ("array", "sense", "latch", "write_in", "transfer"):
            add.use(f"{name}_line", Buffer(self.technology, strength=strength), a=name, y=f"{name}_line")
        add.use("keep", along, a="transfer_line", y="keep")
        add.use("hold", along, a="hold", y="hold_low")
        add.use("write_low", along, a="write_in", y="write_low")
        # a source line is grounded unless it is read or lifted
        add.use("either", Nand(self.technology, strength=max(1.0, strength / 2)), a0="idle", a1="reading_low",
                y="released")  # fmt: skip
        add.use("reading", inverter, a="reading", y="reading_low")
        add.use("ground", along, a="released", y="ground")
        for j in range(self.rows):
            add.use(
                f"row{j}", self.row, sampled=f"sampled{j}", bld="bld", blp="blp", bla="bla", x=f"x{j}",
                computing="computing", idle="idle", ground="ground", array="array_line", hold_low="hold_low",
                take="transfer_line", keep="keep", write_in="write_in_line", write_low="write_low", sense="sense_line",
                latch="latch_line",
                read_bias="read_bias",
            )  # fmt: skip
