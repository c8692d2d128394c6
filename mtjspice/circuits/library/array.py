"""MeRAM array: rows and columns of cells on lines with resistance and capacitance, drivers and shared amplifiers.

* ``rowN`` opens one row's cells through its word-line driver; decoders are left to the system around.
* Write: while ``write`` is high the source lines are grounded, and every column whose ``columnN`` is high gets the
  shared pulse of the write rail on its bit line. Cells of the same column in other rows are half-selected: their access
  transistors are off, but their bit line moves.
* Read: bit lines are grounded; of every ``share`` neighbouring columns the one whose ``columnN`` is high is connected
  to their sense amplifier, which compares it with a replica; ``dataN`` = 1 for AP.

The lines are ladders with one section a cell, so that far cells see what the lines leave of a pulse.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inouts, inputs, outputs, supplies
from mtjspice.circuits.library.cells import Cell1T1M, ReferenceCell
from mtjspice.circuits.library.gates import Buffer, Inverter, Nand, SetResetLatch
from mtjspice.circuits.library.pulse import LineSwitch, StarvedPulseGenerator
from mtjspice.circuits.library.sense import CurrentLatchedSenseAmplifier
from mtjspice.circuits.parameters import count, part, quantity, width
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError

ARRAY_INPUTS = ("trigger", "control", "write", "sense", "latch", "read_bias")


def _of_wires(name: str, assumed: float) -> Callable[[Circuit], float]:
    """Default of a line's value: the technology's, where it has one, else ``assumed``."""

    def default(circuit: Circuit) -> float:
        known: float | None = getattr(circuit.technology.wires, name, None)
        return assumed if known is None else known

    return default


def _assumed(name: str) -> Callable[[Circuit], bool]:
    """Whether a line's value has no number from the technology."""
    return lambda circuit: getattr(circuit.technology.wires, name, None) is None


def _ohms(line: str, assumed: float) -> float:
    name, of = f"{line}_line_resistance", f"{line} line"
    value: float = quantity(
        _of_wires(name, assumed), "ohm", 0.0, 1e4, f"of the {of}, a cell; 0: a lumped line", assumed=_assumed(name)
    )
    return value


def _farads(line: str, assumed: float) -> float:
    name, of = f"{line}_line_capacitance", f"{line} line"
    value: float = quantity(
        _of_wires(name, assumed), "F", 0.0, 1e-12, f"of the {of}, a cell, without its transistor",
        assumed=_assumed(name),
    )  # fmt: skip
    return value


@dataclass(frozen=True, kw_only=True)
class ArrayColumn(Circuit):
    """One column of cells on its bit and source line, which begin at row 0.

    ::

        bl --+--R--+--R--+-- ...      (C to vss at every +)
             |     |     |
           cell  cell  cell           wl0, wl1, wl2, ...
             |     |     |
        sl --+--R--+--R--+-- ...
    """

    card: MTJCard
    rows: int = count(64, 1, 1024, "cells")
    cell: Cell1T1M = part(lambda c: Cell1T1M(c.technology, card=c.card), "cell")
    bit_line_resistance: float = _ohms("bit", 0.4)
    bit_line_capacitance: float = _farads("bit", 0.3e-15)
    source_line_resistance: float = _ohms("source", 0.4)
    source_line_capacitance: float = _farads("source", 0.3e-15)

    def ports(self) -> tuple[Port, ...]:
        """bl, sl; wl0, wl1, ... in."""
        return (*inouts("bl", "sl"), *inputs(*(f"wl{row}" for row in range(self.rows))), *supplies("vss"))

    def build(self, add: Builder) -> None:
        """Cells and ladders."""
        for row in range(self.rows):
            nodes = {}
            for line, ohms, farads in (
                ("bl", self.bit_line_resistance, self.bit_line_capacitance),
                ("sl", self.source_line_resistance, self.source_line_capacitance),
            ):
                here = line if row == 0 or ohms == 0 else f"{line}{row}"
                before = line if row == 1 else f"{line}{row - 1}"
                if here != line:
                    add.resistor(f"r{line}{row}", before, here, ohms, wire=True)
                add.capacitor(f"c{line}{row}", here, "vss", farads, wire=True)
                nodes[line] = here
            add.use(f"cell{row}", self.cell, bl=nodes["bl"], wl=f"wl{row}", sl=nodes["sl"])


@dataclass(frozen=True, kw_only=True)
class MeramArray(Circuit):
    """Rows of cells, columns with write switches, amplifiers shared by neighbouring columns.

    ::

        trigger --[pulse generator]--+-- NAND (column0) --[switch]-- bl --[column 0]-- sl --|column0|--+
                                     +-- NAND (column1) --[switch]-- bl --[column 1]-- sl --|column1|--+-- amplifier
                                     ...                                     |                             |
        row0, row1, ... --[drivers]-- word lines across all columns ---------+              [latch] -- data0
    """

    card: MTJCard
    rows: int = count(64, 1, 1024, "rows")
    columns: int = count(8, 1, 256, "columns")
    share: int = count(4, 1, 64, "neighbouring columns that share a sense amplifier")
    column: ArrayColumn = part(lambda c: ArrayColumn(c.technology, card=c.card, rows=c.rows), "one column")
    pulse: StarvedPulseGenerator = part(lambda c: StarvedPulseGenerator(c.technology), "write-pulse generator")
    sense: CurrentLatchedSenseAmplifier = part(lambda c: CurrentLatchedSenseAmplifier(c.technology), "sense amplifier")
    switch: LineSwitch = part(lambda c: LineSwitch(c.technology), "write switch of a bit line")
    source_line: float = width(6.0, "grounds a source line while writing")
    select: float = width(6.0, "connects a source line to its amplifier")
    word_line_strength: float = quantity(8.0, "", 1.0, 64.0, "word-line drivers, in unit inverters")
    word_line_resistance: float = _ohms("word", 0.5)
    word_line_capacitance: float = _farads("word", 0.4e-15)

    def validate(self) -> None:
        """The parts have to fit together."""
        if self.columns % self.share:
            raise InputError(f"{self.name}: {self.columns} columns cannot be shared out in groups of {self.share}")
        if self.column.rows != self.rows or self.column.card != self.card:
            raise InputError(
                f"{self.name}: the array has {self.rows} rows of {self.card.name}, its column {self.column.rows} of "
                f"{self.column.card.name}"
            )

    @property
    def name(self) -> str:
        """Such as meram_array_64x8."""
        return f"meram_array_{self.rows}x{self.columns}"

    @property
    def outputs(self) -> int:
        """Number of sense amplifiers and data outputs."""
        return self.columns // self.share

    def ports(self) -> tuple[Port, ...]:
        """Data out; rows, columns and controls in."""
        return (
            *outputs(*(f"data{k}" for k in range(self.outputs))),
            *inputs(*(f"row{k}" for k in range(self.rows)), *(f"column{k}" for k in range(self.columns))),
            *inputs(*ARRAY_INPUTS),
            *supplies("vdd", "vw", "vss"),
        )

    def build(self, add: Builder) -> None:
        """Pulse and control drivers, word lines, columns, read-out."""
        load = min(max(4.0, self.columns), 64.0)
        add.use("generator", self.pulse, trigger="trigger", control="control", pulse="pulse")
        add.use("write", Buffer(self.technology, strength=load), a="write", y="write_driven")
        for control in ("sense", "latch"):
            strength = min(max(4.0, 4.0 * self.outputs), 64.0)
            add.use(control, Buffer(self.technology, strength=strength), a=control, y=f"{control}_driven")
        self._word_lines(add)
        for column in range(self.columns):
            self._write_path(add, column)
        for output in range(self.outputs):
            self._read_path(add, output)

    def _word_lines(self, add: Builder) -> None:
        driver = Buffer(self.technology, strength=self.word_line_strength)
        for row in range(self.rows):
            add.use(f"word{row}", driver, a=f"row{row}", y=f"wl{row}_0")
            for column in range(self.columns):
                here = self._word_line(row, column)
                if column and self.word_line_resistance:
                    add.resistor(
                        f"rwl{row}_{column}",
                        self._word_line(row, column - 1),
                        here,
                        self.word_line_resistance,
                        wire=True,
                    )
                add.capacitor(f"cwl{row}_{column}", here, "vss", self.word_line_capacitance, wire=True)

    def _word_line(self, row: int, column: int) -> str:
        return f"wl{row}_{column if self.word_line_resistance else 0}"

    def _write_path(self, add: Builder, column: int) -> None:
        c = str(column)
        add.use(f"gate{c}", Nand(self.technology, strength=4.0), a0="pulse", a1=f"column{c}", y=f"off{c}")
        add.use(f"drive{c}", Inverter(self.technology, strength=4.0), a=f"off{c}", y=f"on{c}")
        add.use(f"switch{c}", self.switch, on=f"on{c}", off=f"off{c}", out=f"bl{c}")
        words = {f"wl{row}": self._word_line(row, column) for row in range(self.rows)}
        add.use(f"column{c}", self.column, bl=f"bl{c}", sl=f"sl{c}", **words)
        add.nmos(f"ground{c}", f"sl{c}", "write_driven", "vss", width=self.source_line)

    def _read_path(self, add: Builder, output: int) -> None:
        k, technology = str(output), self.technology
        for column in range(output * self.share, (output + 1) * self.share):
            add.nmos(f"select{column}", f"line{k}", f"column{column}", f"sl{column}", width=self.select)
        # the replica: a cell on a grounded line of the same capacitance, behind the same switches; always open, since
        # the clamps pass no current outside a read
        reference = ReferenceCell(technology, card=self.card, access=self.column.cell.access)
        add.nmos(f"refdown{k}", f"refbl{k}", "vdd", "vss", width=self.switch.pull_down_width)
        add.use(f"reference{k}", reference, bl=f"refbl{k}", wl="vdd", sl=f"refsl{k}")
        add.capacitor(f"line{k}", f"refsl{k}", "vss", self.rows * self.column.source_line_capacitance, wire=True)
        if self.rows > 1:  # the closed transistors of a column, as one
            add.nmos(f"refcells{k}", f"refsl{k}", "vss", f"refx{k}", width=self.column.cell.access,
                     multiplier=self.rows - 1)  # fmt: skip
            add.capacitor(f"inner{k}", f"refx{k}", "vss", 1e-16, wire=True)
        add.nmos(f"refground{k}", f"refsl{k}", "write_driven", "vss", width=self.source_line)
        add.nmos(f"refselect{k}", f"refline{k}", "vdd", f"refsl{k}", width=self.select)
        for dummy in range(self.share - 1):
            add.nmos(f"refidle{k}_{dummy}", f"refline{k}", "vss", f"refidle{k}_{dummy}", width=self.select)
            add.capacitor(f"idle{k}_{dummy}", f"refidle{k}_{dummy}", "vss", self._idle_line, wire=True)
        add.use(
            f"sense{k}", self.sense, q=f"q{k}", qb=f"qb{k}", cell=f"line{k}", reference=f"refline{k}",
            sense="sense_driven", latch="latch_driven", bias="read_bias",
        )  # fmt: skip
        # gates of the latch on the outputs themselves would load them by what it holds, and so prefer it
        for out in ("q", "qb"):
            add.use(f"buffer{out}{k}", Buffer(technology, strength=1.0), a=f"{out}{k}", y=f"{out}_out{k}")
        latch = SetResetLatch(technology)
        add.use(f"keep{k}", latch, set_low=f"qb_out{k}", reset_low=f"q_out{k}", q=f"data{k}", qb=None)

    @property
    def _idle_line(self) -> float:
        return max(self.rows * self.column.source_line_capacitance, 1e-16)
