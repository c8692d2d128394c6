"""MeRAM word: VCMA-MTJ cells written by a shared precessional pulse and read by precharge sense amplifiers.

One column (bit) of the word:

                     vw                              vdd
                     |                                |
    pulse --NAND--+--o| NMOS pass (gate: not wb)    PCSA: precharged cross-coupled pair, outputs q, qb
      enable--'   |  |                               |           |
                  |  +---- bl                    clamp (vread)  clamp (vread)
                  |  |      |                        |           |
                  +--| NMOS |                        sl          sl_ref
                     |      MTJ                      |           |
                    vss     |                        |           +-- NMOS (wl) -- reference MTJ -- vss
                            x -- NMOS (wl) -- sl ----+
                                              |
                                              +-- NMOS (write) -- vss

* Write: sl is grounded and bl pulsed to the write rail, V = V(bl, x) > 0 removes the anisotropy (VCMA), and m
  precesses about the in-plane bias field for the pulse width. A write toggles; it cannot choose the state.
* Read: bl is held at ground and the current flows the other way, so the read voltage is negative, *raises* the
  anisotropy and cannot disturb the cell. The clamp keeps the junction near 0.5 V where the TMR is still large.
  The bit line settles while the outputs are still precharged; then ``sense`` releases them, the larger current
  pulls its side down faster, and ``latch`` grounds the feet of the cross-coupled pair, which decides. The
  difference of the outputs at that moment is the sense margin. A NAND latch keeps the result: ``data`` = 1 for AP.
* Reset to P: a read followed by a pulse of the toggling width on the columns whose ``data`` is 1
  (``write_all`` low); ``write_all`` high pulses every column.
"""

from dataclasses import dataclass, field

from PySpice.Spice.Netlist import SubCircuit

from mtjspice.circuits import gates, junction, pulse
from mtjspice.circuits.pulse import PulseGeneratorSizes
from mtjspice.circuits.technology import Technology
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError
from mtjspice.spice.text import number

COLUMN = "meram_column"
WORD_INPUTS = ("trigger", "write_all", "write", "word_line", "sense", "latch", "read_bias", "control")
SUPPLIES = ("vdd", "vw", "vss")
MAX_BITS = 64


@dataclass(frozen=True)
class ColumnSizes:
    """Transistor widths (m) and line capacitances (F) of one column; the capacitances are assumed, not extracted."""

    access: float = 1.2e-6
    write_pass: float = 4e-6
    pull_down: float = 3e-6
    source_line: float = 2e-6
    clamp: float = 2e-6
    precharge: float = 0.6e-6
    latch_n: float = 1.2e-6
    latch_p: float = 0.6e-6
    foot: float = 1.2e-6
    driver_strength: float = 2.0
    bit_line_capacitance: float = 20e-15
    source_line_capacitance: float = 10e-15
    output_capacitance: float = 1e-15


def sense_amplifier(technology: Technology, sizes: ColumnSizes) -> SubCircuit:
    """Clamped precharge sense amplifier: the side with the larger current falls.

    ``sense`` low precharges q and qb, ``read_bias`` (analogue) clamps the lines, ``latch`` high regenerates.
    """
    circuit = SubCircuit("sense_amplifier", "q", "qb", "cell", "reference", "sense", "latch", "read_bias", "vdd", "vss")
    for out, other, foot, side, name in (("q", "qb", "a", "cell", "a"), ("qb", "q", "b", "reference", "b")):
        technology.pmos(circuit, f"precharge{name}", out, "sense", "vdd", "vdd", width=sizes.precharge)
        technology.pmos(circuit, f"up{name}", out, other, "vdd", "vdd", width=sizes.latch_p)
        technology.nmos(circuit, f"down{name}", out, other, foot, "vss", width=sizes.latch_n)
        technology.nmos(circuit, f"foot{name}", foot, "latch", "vss", "vss", width=sizes.foot)
        technology.nmos(circuit, f"clamp{name}", foot, "read_bias", side, "vss", width=sizes.clamp)
        circuit.C(name, out, "vss", number(sizes.output_capacitance))
    return circuit


def column(technology: Technology, sizes: ColumnSizes) -> SubCircuit:
    """One bit: write driver, 1T-1MTJ cell, reference, sense amplifier, latch."""
    circuit = SubCircuit(
        COLUMN,
        "data",
        "pulse",
        "not_all",
        "write",
        "word_line",
        "sense",
        "latch",
        "read_bias",
        *SUPPLIES,
        state=1,
    )
    nmos = technology.nmos
    # write gating: pulsed when writing all, or when the latch says AP
    gates.nand2(technology, circuit, "enable", "not_all", "hold", "enable")
    gates.nand2(technology, circuit, "gate", "pulse", "enable", "wb", strength=sizes.driver_strength)
    gates.inverter(technology, circuit, "drive", "wb", "w", strength=sizes.driver_strength)
    nmos(circuit, "pass", "vw", "w", "bl", "vss", width=sizes.write_pass)
    nmos(circuit, "down", "bl", "wb", "vss", "vss", width=sizes.pull_down)
    circuit.C("bl", "bl", "vss", number(sizes.bit_line_capacitance))
    # cell
    circuit.X("mtj", junction.CELL_MTJ, "bl", "x", state="{state}")
    nmos(circuit, "access", "x", "word_line", "sl", "vss", width=sizes.access)
    nmos(circuit, "ground", "sl", "write", "vss", "vss", width=sizes.source_line)
    circuit.C("sl", "sl", "vss", number(sizes.source_line_capacitance))
    # reference, a replica of the read path
    nmos(circuit, "refdown", "refbl", "vdd", "vss", "vss", width=sizes.pull_down)
    circuit.X("ref", junction.REFERENCE_MTJ, "refbl", "refx")
    nmos(circuit, "refaccess", "refx", "word_line", "refsl", "vss", width=sizes.access)
    nmos(circuit, "refground", "refsl", "write", "vss", "vss", width=sizes.source_line)
    circuit.C("refsl", "refsl", "vss", number(sizes.source_line_capacitance))
    # read-out
    circuit.X("sense", "sense_amplifier", "q", "qb", "sl", "refsl", "sense", "latch", "read_bias", "vdd", "vss")
    gates.nand2(technology, circuit, "set", "q", "data", "hold", strength=0.5)
    gates.nand2(technology, circuit, "clear", "qb", "hold", "data", strength=0.5)
    return circuit


@dataclass(frozen=True)
class MeramWord:
    """A MeRAM word as PySpice sub-circuits. ``variant`` selects the junction (see `mtjspice.circuits.junction`)."""

    technology: Technology
    card: MTJCard
    bits: int = 8
    variant: str = "cosim"
    sizes: ColumnSizes = ColumnSizes()
    pulse_sizes: PulseGeneratorSizes = field(default_factory=PulseGeneratorSizes)

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise InputError(f"a word has 1 to {MAX_BITS} bits, not {self.bits}")
        if self.variant not in junction.VARIANTS:
            raise InputError(f"unknown junction variant {self.variant!r}; available: {', '.join(junction.VARIANTS)}")

    @property
    def name(self) -> str:
        """Name of the top sub-circuit, such as ``meram_word8``."""
        return f"meram_word{self.bits}"

    @property
    def nodes(self) -> tuple[str, ...]:
        """Ports: data outputs, control inputs, supplies."""
        return (*(f"data{i}" for i in range(self.bits)), *WORD_INPUTS, *SUPPLIES)

    def subcircuits(self) -> tuple[SubCircuit, ...]:
        """All definitions, the word last."""
        return (
            junction.junction(self.card),
            junction.cell_junction(self.variant),
            junction.reference_junction(self.card),
            pulse.pulse_generator(self.technology, self.pulse_sizes),
            sense_amplifier(self.technology, self.sizes),
            column(self.technology, self.sizes),
            self._word(),
        )

    def _word(self) -> SubCircuit:
        states = {f"state{i}": 1 for i in range(self.bits)}
        circuit = SubCircuit(self.name, *self.nodes, **states)
        load = self.bits / 8
        circuit.X("pulse", pulse.NAME, "trigger", "pulse", "control", "vdd", "vss")
        gates.inverter(self.technology, circuit, "all", "write_all", "not_all", strength=max(1.0, 2 * load))
        for line, strength in (("write", 4.0), ("word_line", 4.0), ("sense", 4.0), ("latch", 4.0)):
            gates.buffer(self.technology, circuit, line, line, f"{line}_driven", strength=max(1.0, strength * load))
        for i in range(self.bits):
            circuit.X(
                f"column{i}", COLUMN, f"data{i}", "pulse", "not_all", "write_driven", "word_line_driven",
                "sense_driven", "latch_driven", "read_bias", *SUPPLIES, state=f"{{state{i}}}",
            )  # fmt: skip
        return circuit

    def junction_nodes(self, instance: str, bit: int) -> tuple[str, str]:
        """Full names of the top and bottom node of a cell's MTJ in ``X<instance>``."""
        path = f"x{instance}.xcolumn{bit}".lower()
        return f"{path}.bl", f"{path}.x"

    def junction_source(self, instance: str, bit: int) -> str:
        """Full name of the external source that carries m_z of a cell's MTJ."""
        return f"v.x{instance}.xcolumn{bit}.xmtj.{junction.STATE_SOURCE}".lower()

    def output_nodes(self, instance: str, bit: int) -> tuple[str, str]:
        """Full names of the sense-amplifier outputs q and qb of a column."""
        path = f"x{instance}.xcolumn{bit}".lower()
        return f"{path}.q", f"{path}.qb"
