"""Random-number generators: junctions that are reset, perturbed until either state is equally likely, and read.

`SttTrng` switches by spin-transfer torque, one channel a bit:

* Reset: ``forward`` current from the bit line down to the source line sets every junction to P.
* Perturb: ``backward`` current through a junction at a rail of its own (a channel of a DAC) takes it to AP with a
  probability that the rail sets.
* Read: the bit line is released and a clamp holds it near 0.1 V; the current flows forward, so that a read can only
  disturb AP, and the amplifier compares it with that of a reference. ``data`` = 1 for AP.

`VcmaTrng` is a MeRAM word whose pulse generator has two settings: the reset width, for columns that hold AP, and the
perturb width, after which the precession leaves either state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mtjspice.circuits.circuit import Builder, Circuit
from mtjspice.circuits.elements import Port, inputs, outputs, supplies
from mtjspice.circuits.library.cells import ReferenceCell, STTCell
from mtjspice.circuits.library.gates import Buffer, Inverter, SetResetLatch, TransmissionGate
from mtjspice.circuits.library.meram import MAX_BITS, MeramWord
from mtjspice.circuits.library.pulse import BipolarDriver
from mtjspice.circuits.library.sense import CurrentLatchedSenseAmplifier
from mtjspice.circuits.parameters import count, part, quantity
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError

STT_CONTROLS = ("reset", "perturb", "release", "word_line", "sense", "latch")
VCMA_INPUTS = ("trigger", "perturb", "write", "word_line", "sense", "latch", "read_bias")
VCMA_CONTROLS = ("reset_control", "perturb_control")
MAX_CHANNELS = 64

_FAN_OUT = 4.0
_WEAKEST, _STRONGEST = 1.0, 64.0  # control buffers, unit inverters


# --- spin-transfer torque ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SttTrngChannel(Circuit):
    """One bit: driver of both directions, cell, reference, sense amplifier, latch.

    ::

          reset_rail                amplitude               vdd
              |                         |                    |
           reset o                      o perturb     sense amplifier -- q, qb --[buffers]--[latch]-- data
              |                         |               |         |
              +--[MTJ]--[word_line]-----+               bl      refbl
              bl                        sl                        |
              o not reset,              o not perturb         reference, behind the
              | not release             |                     same switches
             vss                       vss

    ``bias`` at ground isolates the amplifier from the bit line. The reference has ``reference_card``, by default that
    of the cell; `with_card` changes the cell alone, since a reference does not follow the device beside it.
    """

    source = "three-phase cycle of arXiv 2510.01598; the circuit is this project's"

    card: MTJCard
    driver: BipolarDriver = part(lambda c: BipolarDriver(c.technology), "write driver")
    cell: STTCell = part(lambda c: STTCell(c.technology, card=c.card), "cell")
    sense: CurrentLatchedSenseAmplifier = part(lambda c: CurrentLatchedSenseAmplifier(c.technology), "sense amplifier")
    bit_line_capacitance: float = quantity(20e-15, "F", 0.0, 1e-11, "of the bit line", assumed=True)
    source_line_capacitance: float = quantity(10e-15, "F", 0.0, 1e-11, "of the source line", assumed=True)
    reference_card: MTJCard | None = None

    def validate(self) -> None:
        """The cell has the channel's card."""
        if self.cell.card != self.card:
            raise InputError(f"the channel has the card {self.card.name}, its cell {self.cell.card.name}")

    def with_card(self, card: MTJCard) -> "SttTrngChannel":
        """Return the channel with another device in its cell and the same reference."""
        cell = replace(self.cell, card=card)
        return replace(self, card=card, cell=cell, reference_card=self.reference_card or self.card)

    @property
    def reference(self) -> ReferenceCell:
        """What the cell is compared with."""
        return ReferenceCell(self.technology, card=self.reference_card or self.card, access=self.cell.access)

    @property
    def loads(self) -> Mapping[str, float]:
        """Gates on each control line, in unit inverters (of three unit widths)."""
        driver, sense = self.driver, self.sense
        strength = max(1.0, driver.switch_width / self.technology.unit_width / 4)
        inverter = 3 * self.technology.unit_width
        return {
            "reset": strength,
            "perturb": strength,
            "release": strength,
            "word_line": 2 * self.cell.access / inverter,
            "sense": 3 * sense.precharge / inverter,
            "latch": 2 * sense.foot / inverter,
        }

    def ports(self) -> tuple[Port, ...]:
        """Data out; controls and bias (analogue) in; rails."""
        return (
            *outputs("data"), *inputs(*STT_CONTROLS, "bias"), *supplies("reset_rail", "amplitude", "vdd", "vss"),
        )  # fmt: skip

    def build(self, add: Builder) -> None:
        """Write path, cell, replica of the read path, read-out."""
        driver = self.driver
        add.use("driver", driver, forward="reset", backward="perturb", release="release", bl="bl", sl="sl",
                vf="reset_rail", vb="amplitude")  # fmt: skip
        add.use("cell", self.cell, bl="bl", wl="word_line", sl="sl")
        add.use("reference", self.reference, bl="refbl", wl="word_line", sl="refsl")
        # as on the bit line while it is read: the switches and the pull-down are off
        add.nmos("refpassn", "reset_rail", "vss", "refbl", width=driver.switch_width)
        add.pmos("refpassp", "reset_rail", "vdd", "refbl", width=2 * driver.switch_width)
        add.nmos("refrelease", "refbl", "vss", "vss", width=driver.pull_down_width)
        add.nmos("refground", "refsl", "vdd", "vss", width=driver.pull_down_width)
        for line in ("bl", "refbl"):
            add.capacitor(line, line, "vss", self.bit_line_capacitance, wire=True)
        for line in ("sl", "refsl"):
            add.capacitor(line, line, "vss", self.source_line_capacitance, wire=True)
        add.use("sense", self.sense, q="q", qb="qb", cell="bl", reference="refbl", sense="sense", latch="latch",
                bias="bias")  # fmt: skip
        # gates of the latch on the outputs themselves would load them by the bit that it holds, and make the next one
        # depend on it
        for out in ("q", "qb"):
            add.use(f"buffer{out}", Buffer(self.technology, strength=1.0), a=out, y=f"{out}_out")
        add.use("keep", SetResetLatch(self.technology), set_low="qb_out", reset_low="q_out", q="data", qb=None)


@dataclass(frozen=True, kw_only=True)
class SttTrng(Circuit):
    """Channels that share controls and reset rail; each has a perturb rail of its own.

    ::

        reset, perturb, release, word_line, sense, latch --[buffers]-- to all channels
        bias, reset_rail ---------------------------------------------- to all channels
        amplitude0 -- channel 0 -- data0
        amplitude1 -- channel 1 -- data1
        ...

    ``cards``, one for each channel, replace ``card`` where the devices differ; equal ones share a subcircuit. The
    buffers are sized for the number of channels, so that the pulses hardly depend on it.
    """

    source = "16 devices with a DAC channel each: arXiv 2510.01598"

    card: MTJCard
    channels: int = count(16, 1, MAX_CHANNELS, "channels")
    channel: SttTrngChannel = part(lambda c: SttTrngChannel(c.technology, card=c.card), "one channel")
    cards: tuple[MTJCard, ...] = ()

    def validate(self) -> None:
        """One card throughout, or one for each channel."""
        if self.channel.card != self.card:
            raise InputError(f"{self.name} has the card {self.card.name}, its channel {self.channel.card.name}")
        if self.cards and len(self.cards) != self.channels:
            raise InputError(f"{len(self.cards)} cards were given for the {self.channels} channels of {self.name}")

    @property
    def name(self) -> str:
        """Such as stt_trng16."""
        return f"stt_trng{self.channels}"

    @property
    def amplitudes(self) -> tuple[str, ...]:
        """Names of the perturb rails."""
        return tuple(f"amplitude{k}" for k in range(self.channels))

    @property
    def devices(self) -> tuple[MTJCard, ...]:
        """The card of each channel."""
        return self.cards or (self.card,) * self.channels

    def ports(self) -> tuple[Port, ...]:
        """Data out; controls and bias (analogue) in; rails."""
        return (
            *outputs(*(f"data{k}" for k in range(self.channels))), *inputs(*STT_CONTROLS, "bias"),
            *supplies("reset_rail", *self.amplitudes, "vdd", "vss"),
        )  # fmt: skip

    def build(self, add: Builder) -> None:
        """Control buffers, then the channels."""
        for control, load in self.channel.loads.items():
            strength = min(max(_WEAKEST, self.channels * load / _FAN_OUT), _STRONGEST)
            add.use(control, Buffer(self.technology, strength=strength), a=control, y=f"{control}_driven")
        driven = {control: f"{control}_driven" for control in STT_CONTROLS}
        for k, card in enumerate(self.devices):
            channel = self.channel.with_card(card)
            add.use(f"channel{k}", channel, data=f"data{k}", bias="bias", amplitude=f"amplitude{k}", **driven)

    def output_nodes(self, instance: str, channel: int) -> tuple[str, str]:
        """Full names of the sense-amplifier outputs q and qb of a channel of ``X<instance>``."""
        return f"x{instance}.xchannel{channel}.q", f"x{instance}.xchannel{channel}.qb"

    def hold_node(self, instance: str, channel: int) -> str:
        """Full name of the inverse of ``data`` in the latch of a channel."""
        return f"x{instance}.xchannel{channel}.open_keep_qb"


# --- voltage-controlled anisotropy ---------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class VcmaTrng(Circuit):
    """A MeRAM word with two pulse widths: ``perturb`` chooses between them and between AP columns and all.

    ::

        reset_control ---TG (not perturb)--+
                                           +-- control  [MeramWord] -- data0, data1, ...
        perturb_control -TG (perturb)------+       |
                                                   |
        perturb --[buffer]-------------------- write_all

    A cycle is a pulse with ``perturb`` low, which toggles the columns whose latch says AP (after a read: all are P
    then), one with ``perturb`` high, which reaches every column, and a read.
    """

    source = (
        "voltage-controlled stochastic writing of MeRAM: Nat. Commun. 16, 5022 (2025); the circuit is this project's"
    )

    card: MTJCard
    bits: int = count(4, 1, MAX_BITS, "bits")
    word: MeramWord = part(lambda c: MeramWord(c.technology, card=c.card, bits=c.bits), "the word")

    def validate(self) -> None:
        """The word has the card and the bits."""
        if self.word.card != self.card or self.word.bits != self.bits:
            raise InputError(
                f"{self.name} has {self.bits} bits of {self.card.name}, its word {self.word.bits} of "
                f"{self.word.card.name}"
            )

    @property
    def name(self) -> str:
        """Such as vcma_trng4."""
        return f"vcma_trng{self.bits}"

    @property
    def channels(self) -> int:
        """Number of bits, as other generators call it."""
        return self.bits

    @property
    def devices(self) -> tuple[MTJCard, ...]:
        """The card of each bit."""
        return (self.card,) * self.bits

    def ports(self) -> tuple[Port, ...]:
        """Data out; controls and the two pulse settings (analogue) in."""
        return (
            *outputs(*(f"data{k}" for k in range(self.bits))), *inputs(*VCMA_INPUTS, *VCMA_CONTROLS),
            *supplies("vdd", "vw", "vss"),
        )  # fmt: skip

    def build(self, add: Builder) -> None:
        """Choice of the pulse width, and the word."""
        add.use("invert", Inverter(self.technology), a="perturb", y="not_perturb")
        add.use("again", Inverter(self.technology, strength=2.0), a="not_perturb", y="write_all")
        switch = TransmissionGate(self.technology, strength=4.0)
        add.use("reset", switch, a="reset_control", b="control", on="not_perturb", off="write_all")
        add.use("perturb", switch, a="perturb_control", b="control", on="write_all", off="not_perturb")
        same = {name: name for name in VCMA_INPUTS if name != "perturb"}
        data = {f"data{k}": f"data{k}" for k in range(self.bits)}
        add.use("word", self.word, control="control", write_all="write_all", **same, **data)

    def output_nodes(self, instance: str, channel: int) -> tuple[str, str]:
        """Full names of the sense-amplifier outputs q and qb of a bit of ``X<instance>``."""
        return f"x{instance}.xword.xcolumn{channel}.q", f"x{instance}.xword.xcolumn{channel}.qb"

    def hold_node(self, instance: str, channel: int) -> str:
        """Full name of the inverse of ``data`` in the latch of a bit."""
        return f"x{instance}.xword.xcolumn{channel}.hold"
