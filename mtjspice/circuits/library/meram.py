"""MeRAM word: VCMA-MTJ cells written by a shared precessional pulse and read by clamped sense amplifiers.

* Write: every enabled column puts the write rail on its bit line while the shared pulse lasts; a positive voltage from
  top to bottom of the junction lowers its anisotropy, the magnetization precesses about the in-plane field and is left
  on either side according to the pulse width. A write toggles; it cannot choose the state.
* Read: the bit line is held at ground and the current flows the other way, so the read voltage is negative, *raises*
  the anisotropy and cannot disturb the cell. The clamp keeps the junction near 0.5 V where the TMR is still large.
  The lines settle while the outputs are still precharged; then ``sense`` releases them, the larger current pulls its
  side down faster, and ``latch`` lets the pair decide. The difference of the outputs at that moment is the sense
  margin. A NAND latch keeps the result: ``data`` = 1 for AP.
* Reset to P: a read followed by a pulse of the toggling width on the columns whose ``data`` is 1 (``write_all`` low);
  ``write_all`` high pulses every column.
* With ``column.select`` "input" every column has a select input at its write gate, and only selected columns are
  pulsed, whatever ``write_all`` says: pulses of different levels reach different bits one after the other. It makes the
  column's write gate a NAND of three inputs and takes a line a column.
"""

from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inputs, outputs, supplies
from mtjspice.circuits.library.cells import Cell1T1M, ReferenceCell
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand, SetResetLatch
from mtjspice.circuits.library.pulse import LineSwitch, StarvedPulseGenerator
from mtjspice.circuits.library.sense import CurrentLatchedSenseAmplifier
from mtjspice.circuits.parameters import choice, count, part, quantity, width
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError

WORD_INPUTS = ("trigger", "write_all", "write", "word_line", "sense", "latch", "read_bias", "control")
MAX_BITS = 64


def _switch(circuit: Circuit) -> LineSwitch:
    """A supply far above the rail needs no p-channel half."""
    unit = circuit.technology.unit_width
    halves = "n" if circuit.technology.supply_voltage > 2.5 else "both"
    return LineSwitch(circuit.technology, switch_width=20 / 3 * unit, pull_down_width=5 * unit, halves=halves)


def _amplifier(circuit: Circuit) -> CurrentLatchedSenseAmplifier:
    """Small, for a column that is as narrow as a cell allows."""
    unit = circuit.technology.unit_width
    return CurrentLatchedSenseAmplifier(
        circuit.technology, precharge=unit, latch_n=2 * unit, latch_p=unit, foot=2 * unit, clamp=10 / 3 * unit
    )


@dataclass(frozen=True, kw_only=True)
class MeramColumn(Circuit):
    """One bit: write switch, cell, reference, sense amplifier, latch.

    ::

                     vw                               vdd
                     |                                 |
        pulse --NAND-+--[switch]                 sense amplifier -- q, qb --[latch]-- data
          enable-'             |                  |            |
        (select)-'             |                  |            |
                               +-- bl             sl          refsl
                               |   |              |            |
                               |  cell -----------+         reference
                               |                  |            |
                               |            n (write)        refbl (grounded)

    While writing, ``write`` grounds the source line; while reading, the switch grounds the bit line.
    """

    source = "a design of this project: the source line is sensed, so that a read raises the anisotropy"

    card: MTJCard
    cell: Cell1T1M = part(lambda c: Cell1T1M(c.technology, card=c.card), "cell")
    sense: CurrentLatchedSenseAmplifier = part(_amplifier, "sense amplifier")
    switch: LineSwitch = part(_switch, "write switch of the bit line")
    source_line: float = width(10 / 3, "grounds the source line while writing")
    driver_strength: float = quantity(2.0, "", 1.0, 64.0, "drive of the switch, in unit inverters")
    bit_line_capacitance: float = quantity(20e-15, "F", 0.0, 1e-11, "of the bit line", assumed=True)
    source_line_capacitance: float = quantity(10e-15, "F", 0.0, 1e-11, "of the source line", assumed=True)
    select: str = choice("none", ("none", "input"), "none: written with the others; input: only when selected")

    @property
    def selectable(self) -> bool:
        """Whether the column has a select input."""
        return self.select == "input"

    def ports(self) -> tuple[Port, ...]:
        """Data out; pulse, not_all, write, word_line, sense, latch, read_bias in, and select if it has one."""
        return (
            *outputs("data"),
            *inputs("pulse", "not_all", "write", "word_line", "sense", "latch", "read_bias"),
            *inputs(*(["select"] if self.selectable else [])),
            *supplies("vdd", "vw", "vss"),
        )

    def build(self, add: Builder) -> None:
        """Write path, cell, reference, read-out."""
        gate = Nand(self.technology, fan_in=3 if self.selectable else 2, strength=self.driver_strength)
        chosen = {"a2": "select"} if self.selectable else {}
        # pulsed when writing all, or when the latch says AP
        add.use("enable", Nand(self.technology), a0="not_all", a1="hold", y="enable")
        add.use("gate", gate, a0="pulse", a1="enable", y="off", **chosen)
        add.use("drive", Inverter(self.technology, strength=self.driver_strength), a="off", y="on")
        add.use("switch", self.switch, on="on", off="off", out="bl")
        add.capacitor("bl", "bl", "vss", self.bit_line_capacitance, wire=True)
        add.use("cell", self.cell, bl="bl", wl="word_line", sl="sl")
        add.nmos("ground", "sl", "write", "vss", width=self.source_line)
        add.capacitor("sl", "sl", "vss", self.source_line_capacitance, wire=True)
        # a replica of the read path
        reference = ReferenceCell(self.technology, card=self.card, access=self.cell.access)
        add.nmos("refdown", "refbl", "vdd", "vss", width=self.switch.pull_down_width)
        add.use("reference", reference, bl="refbl", wl="word_line", sl="refsl")
        add.nmos("refground", "refsl", "write", "vss", width=self.source_line)
        add.capacitor("refsl", "refsl", "vss", self.source_line_capacitance, wire=True)
        add.use("sense", self.sense, q="q", qb="qb", cell="sl", reference="refsl", sense="sense", latch="latch",
                bias="read_bias")  # fmt: skip
        # gates of the latch on the outputs themselves would load them by what it holds, and so prefer it
        for out in ("q", "qb"):
            add.use(f"buffer{out}", Buffer(self.technology, strength=1.0), a=out, y=f"{out}_out")
        add.use("keep", SetResetLatch(self.technology), set_low="qb_out", reset_low="q_out", q="data", qb="hold")


@dataclass(frozen=True, kw_only=True)
class MeramWord(Circuit):
    """A word of columns that share pulse generator and control lines.

    ::

        trigger --[pulse generator]--+-- pulse to all columns
        write, word_line, sense, latch --[buffers]-- to all columns
        column 0 | column 1 | ... | column n-1 -- data0, data1, ...
    """

    card: MTJCard
    bits: int = count(8, 1, MAX_BITS, "columns")
    pulse: StarvedPulseGenerator = part(
        lambda c: StarvedPulseGenerator(
            c.technology, starved_stages=3, plain_stages=0, starving_width=c.technology.unit_width
        ),
        "write-pulse generator",
    )
    column: MeramColumn = part(lambda c: MeramColumn(c.technology, card=c.card), "one bit")

    def validate(self) -> None:
        """One card throughout."""
        if self.column.card != self.card:
            raise InputError(f"the word has the card {self.card.name}, its column {self.column.card.name}")

    @property
    def name(self) -> str:
        """Such as meram_word8."""
        return f"meram_word{self.bits}"

    @property
    def selects(self) -> tuple[str, ...]:
        """Names of the select inputs, one a column; none where columns are not selectable."""
        return tuple(f"select{bit}" for bit in range(self.bits)) if self.column.selectable else ()

    def ports(self) -> tuple[Port, ...]:
        """Data outputs, control inputs, selects if there are any, supplies."""
        data = outputs(*(f"data{bit}" for bit in range(self.bits)))
        return (*data, *inputs(*WORD_INPUTS, *self.selects), *supplies("vdd", "vw", "vss"))

    def build(self, add: Builder) -> None:
        """Drivers sized for the number of columns, then the columns."""
        load = self.bits / 8
        buffer = Buffer(self.technology, strength=min(max(1.0, 4 * load), 64.0))
        add.use("pulse", self.pulse, trigger="trigger", control="control", pulse="pulse")
        inverter = Inverter(self.technology, strength=min(max(1.0, 2 * load), 64.0))
        add.use("all", inverter, a="write_all", y="not_all")
        for line in ("write", "word_line", "sense", "latch"):
            add.use(line, buffer, a=line, y=f"{line}_driven")
        for bit in range(self.bits):
            chosen = {"select": f"select{bit}"} if self.selects else {}
            add.use(
                f"column{bit}", self.column, data=f"data{bit}", pulse="pulse", not_all="not_all",
                write="write_driven", word_line="word_line_driven", sense="sense_driven", latch="latch_driven",
                read_bias="read_bias", **chosen,
            )  # fmt: skip

    def output_nodes(self, instance: str, bit: int) -> tuple[str, str]:
        """Full names of the sense-amplifier outputs q and qb of a column of ``X<instance>``."""
        return f"x{instance}.xcolumn{bit}.q", f"x{instance}.xcolumn{bit}.qb"
