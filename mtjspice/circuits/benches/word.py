"""Test bench of a MeRAM word: a schedule of operations becomes sources, and the whole becomes a deck.

Time is divided into slots of equal length, one operation each. The digital inputs swing between 0 and the supply;
``write_rail``, ``read_bias`` and the control voltage of the pulse generator are analogue levels. All of them are
ideal sources, so what they deliver is what the word draws.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from mtjspice import __version__
from mtjspice.circuits.benches.base import Bench, alternating
from mtjspice.circuits.library.meram import WORD_INPUTS, MeramWord
from mtjspice.circuits.measurements import At, Energy, Measurement, Peak, Power, Voltage, Width
from mtjspice.circuits.parameters import quantity
from mtjspice.circuits.stimulus import EDGE, Points, Signal
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.testbench import INSTANCE, Drive, Testbench
from mtjspice.errors import InputError
from mtjspice.spice.bank import Junction


@dataclass(frozen=True)
class Write:
    """A write pulse of the width that ``control`` (V) sets; ``all_columns`` False pulses only columns that hold AP.

    ``rail`` (V) is the write rail in this slot, by default that of the bench's levels. ``columns`` are the selected
    ones, by default all; the word's columns must be selectable for less than all.
    """

    control: float
    all_columns: bool = True
    rail: float | None = None
    columns: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Read:
    """A read: bit line settles, sense amplifiers decide, latches take the result."""


Operation = Write | Read


@dataclass(frozen=True)
class Timing:
    """Times within a slot, in seconds from its start."""

    slot: float = 6e-9
    trigger: float = 5e-10
    trigger_high: float = 3e-9
    control_settle: float = 1.5e-9
    read_bias: float = 3e-10
    sense: float = 1.4e-9
    latch: float = 2.6e-9
    sense_end: float = 4.2e-9

    def __post_init__(self) -> None:
        if not self.trigger + self.trigger_high + self.control_settle <= self.slot:
            raise InputError("the slot is too short for the trigger and the settling of the control voltage")
        if not self.read_bias < self.sense < self.latch < self.sense_end < self.slot:
            raise InputError("within a slot the order must be read bias, sense, latch, end of sense, end of slot")

    def for_width(self, width: float) -> "Timing":
        """Stretch the slot so that a pulse of ``width`` seconds fits."""
        high = max(self.trigger_high, 1.3 * width + 1e-9)
        slot = max(self.slot, self.trigger + high + self.control_settle)
        return replace(self, slot=slot, trigger_high=high)


@dataclass(frozen=True)
class Levels:
    """Analogue levels, V. The defaults suit the card ``meram100`` in gf180mcu."""

    write_rail: float = 1.235
    read_bias: float = 1.5

    @staticmethod
    def of(technology: Technology) -> "Levels":
        """Return the defaults for another technology: as high as its transistors allow."""
        return _LEVELS.get(technology.name, Levels(0.7 * technology.supply_voltage, 0.7 * technology.supply_voltage))


_LEVELS = MappingProxyType({"gf180mcu": Levels(), "sky130": Levels(1.25, 1.1), "freepdk45": Levels(1.0, 0.75)})
_CONTROLS = MappingProxyType({"gf180mcu": 1.2, "sky130": 0.895, "freepdk45": 0.36})  # V; a pulse of about 1 ns
_RAIL_EDGE = 3e-10  # s, of a write rail that moves between slots
RAIL_SHARE = 0.73  # of the supply, up to which an n-channel switch passes the rail


@dataclass(frozen=True)
class WordBench:
    """A word, its operating conditions and its schedule of operations.

    ``temperature`` is in kelvin, ``max_step`` and ``stop`` in seconds; ``states`` (+1 P, -1 AP) are those of junctions
    that stand still. The numerical defaults hold the pulse width within 0.4 % and the energy within 1.5 % of a ten
    times finer run (tests/test_meram.py); ``bypass`` skips transistors whose voltages do not change.
    """

    word: MeramWord
    operations: tuple[Operation, ...]
    corner: str
    temperature: float = 300.0
    levels: Levels = Levels()
    timing: Timing = Timing()
    max_step: float = 5e-11
    relative_tolerance: float = 1e-3
    truncation_factor: float = 3.0
    bypass: bool = True
    stop: float | None = None
    states: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.operations:
            raise InputError("a test bench needs at least one operation")
        if self.states and len(self.states) != self.word.bits:
            raise InputError(f"{len(self.states)} states were given for a word of {self.word.bits} bits")
        for write in self.operations:
            if isinstance(write, Write) and write.columns is not None:
                self._check_columns(write.columns)
        supply = self.word.technology.supply_voltage
        highest = supply if self.word.column.switch.halves == "both" else RAIL_SHARE * supply
        for voltage, name, high in (
            *((rail, "write rail", highest) for rail in self._rails()),
            (self.levels.read_bias, "read bias", supply),
        ):
            if not 0 <= voltage <= high:
                raise InputError(f"{name} {voltage:g} V is out of range; allowed: 0 to {high:.3g} V")

    def _check_columns(self, columns: tuple[int, ...]) -> None:
        if not self.word.selects:
            raise InputError(f'{self.word.name}: columns can be selected with column.select "input" only')
        for column in columns:
            if not 0 <= column < self.word.bits:
                raise InputError(f"column {column} is out of range; {self.word.name} has 0 to {self.word.bits - 1}")

    def _rails(self) -> tuple[float, ...]:
        """All levels of the write rail."""
        own = (write.rail for write in self.operations if isinstance(write, Write) and write.rail is not None)
        return (self.levels.write_rail, *own)

    @property
    def end(self) -> float:
        """End of the transient, s."""
        return self.stop if self.stop is not None else len(self.operations) * self.timing.slot

    @property
    def supplies(self) -> tuple[str, ...]:
        """Names of all sources that deliver energy, supplies first."""
        return ("vdd", "vw", *WORD_INPUTS, *self.word.selects)

    def junctions(self) -> tuple[Junction, ...]:
        """Return the co-simulated junctions, one per bit; device numbers are the bit numbers."""
        return self.testbench().bank()

    def saved(self) -> tuple[str, ...]:
        """Vectors that the deck saves."""
        nodes = ["trigger", "sense", "latch"]
        for bit, junction in enumerate(self.word.junctions(INSTANCE)):
            nodes += [f"data{bit}", *self.word.output_nodes(INSTANCE, bit), junction.top, junction.bottom]
        return (*(f"v({node})" for node in nodes), *(f"i(v{name})" for name in self.supplies))

    def stimulus(self) -> dict[str, Points]:
        """Piecewise-linear voltage of every input: corners (s, V)."""
        return {name: signal.points for name, signal in self._signals().items()}

    def _signals(self) -> dict[str, Signal]:
        high = self.word.technology.supply_voltage
        signals = {name: Signal() for name in WORD_INPUTS} | {name: Signal(high) for name in self.word.selects}
        first = self.operations[0]
        if isinstance(first, Write):  # the word is already prepared for a write that comes first
            signals["control"] = Signal(first.control)
            signals["write_all"] = Signal(high if first.all_columns else 0.0)
            signals["write"], signals["word_line"] = Signal(high), Signal(high)
        signals["word_line"].to(2e-10, high)
        t = self.timing
        for index, operation in enumerate(self.operations):
            start = index * t.slot
            if isinstance(operation, Write):
                if index:
                    signals["control"].to(start - t.control_settle, operation.control)
                signals["write_all"].to(start + EDGE, high if operation.all_columns else 0.0)
                signals["write"].to(start + EDGE, high)
                signals["trigger"].to(start + t.trigger, high)
                signals["trigger"].to(start + t.trigger + t.trigger_high, 0.0)
                for column, name in enumerate(self.word.selects):
                    chosen = operation.columns is None or column in operation.columns
                    signals[name].to(start + EDGE, high if chosen else 0.0)
            else:
                signals["control"].to(start + EDGE, 0.0)  # no current in the mirror while reading
                signals["write"].to(start + EDGE, 0.0)
                signals["read_bias"].to(start + t.read_bias, self.levels.read_bias)
                signals["sense"].to(start + t.sense, high)
                signals["latch"].to(start + t.latch, high)
                signals["read_bias"].to(start + t.latch + 4 * EDGE, 0.0)
                signals["latch"].to(start + t.sense_end, 0.0)
                signals["sense"].to(start + t.sense_end + 4 * EDGE, 0.0)
        return signals

    def write_rail(self) -> Points:
        """Voltage of the write rail: corners (s, V). It moves at the beginning of a slot and has settled before the
        trigger."""  # fmt: skip
        levels = [self.levels.write_rail if write.rail is None else write.rail for write in self._writes().values()]
        signal = Signal(levels[0] if levels else self.levels.write_rail, edge=_RAIL_EDGE)
        for index, level in zip(self._writes(), levels, strict=True):
            signal.to(index * self.timing.slot, level)
        return signal.points

    def _writes(self) -> dict[int, Write]:
        return {index: one for index, one in enumerate(self.operations) if isinstance(one, Write)}

    def testbench(self) -> Testbench:
        """Return the word between its sources; measured are pulse, sense margins, data and energy (`measurements`)."""
        word = self.word
        supplies: dict[str, Drive] = {"vdd": word.technology.supply_voltage, "vw": self.write_rail(), "vss": 0.0}
        return Testbench(
            word,
            self.end,
            {**supplies, **self.stimulus()},
            measurements=self.measurements(),
            probes=self.saved(),
            states=self.states,
            corner=self.corner,
            temperature=self.temperature,
            max_step=self.max_step,
            relative_tolerance=self.relative_tolerance,
            options=f"method=gear trtol={self.truncation_factor:g} bypass={int(self.bypass)}",
            # both latch inputs are high until the first read; this picks a side instead of the metastable point
            nodesets={
                name: volts
                for bit in range(word.bits)
                for name, volts in (
                    (f"data{bit}", 0.0), (f"x{INSTANCE}.xcolumn{bit}.hold", word.technology.supply_voltage)
                )
            },
            title=f"{word.name}: {word.card.name} in {word.technology.name} {self.corner} (mtjspice {__version__})",
        )  # fmt: skip

    def measurements(self) -> Mapping[str, Measurement]:
        """What a deck measures: the pulse of the last write, margins and data of the last read, and the energy from
        the first write on."""  # fmt: skip
        slots = {type(operation): index for index, operation in enumerate(self.operations)}  # the last of each kind
        start, slot = slots.get(Write, 0) * self.timing.slot, self.timing.slot
        first = next((k for k, operation in enumerate(self.operations) if isinstance(operation, Write)), 0)
        junction = self.word.junctions(INSTANCE)[0]
        across = Voltage(junction.top, junction.bottom)
        found: dict[str, Measurement] = {"energy": Energy(Power(self.supplies), first * slot, self.end)}
        if Write in slots:
            found["amplitude"] = Peak(across, "max", start, start + slot)
            found["pulse_width"] = Width(across, start, start + slot)
        if Read in slots:
            latch = slots[Read] * slot + self.timing.latch + EDGE / 2
            for bit in range(self.word.bits):
                found[f"sense_margin{bit}"] = At(Voltage(*self.word.output_nodes(INSTANCE, bit)), latch)
                found[f"data{bit}_volts"] = At(Voltage(f"data{bit}"), (slots[Read] + 0.999) * slot)
        return found

    def deck(self, models: str | None = None, control: Sequence[str] = (), *, cosimulated: bool = True) -> str:
        """Write the complete deck. ``models`` replaces the inlined model cards, for example by an ``.include`` line;
        ``control`` lines go into a ``.control`` block for ``ngspice -b``."""  # fmt: skip
        return self.testbench().deck(models=models, control=control, cosimulated=cosimulated)


def toggling_control(technology: Technology) -> float:
    """Return the control voltage (V) of a pulse of about 1 ns, half a precession of the card ``meram100``."""
    return _CONTROLS.get(technology.name, 0.4 * technology.supply_voltage)


def write_rail_setting() -> float:
    """Return the field of a bench's write rail, by default that of the technology's `Levels`."""
    value: float = quantity(lambda b: Levels.of(b.technology).write_rail, "V", 0.0, lambda b: b.supply, "write rail")
    return value


def read_bias_setting() -> float:
    """Return the field of a bench's read bias, by default that of the technology's `Levels`."""
    value: float = quantity(
        lambda b: Levels.of(b.technology).read_bias, "V", 0.0, lambda b: b.supply, "gates of the clamps"
    )
    return value


@dataclass(frozen=True, kw_only=True)
class WordReadWriteRead(Bench):
    """Reads a word, writes it with one pulse and reads it again."""

    control: float = quantity(
        lambda b: toggling_control(b.technology),
        "V",
        0.05,
        lambda b: b.supply,
        "control voltage of the pulse generator",
    )
    write_rail: float = write_rail_setting()
    read_bias: float = read_bias_setting()

    def word_bench(self) -> WordBench:
        """Return the bench of the three operations."""
        word = self.circuit
        if not isinstance(word, MeramWord):
            raise InputError(f"{word.name} is no MeRAM word")
        return WordBench(
            word, (Read(), Write(self.control), Read()), self.corner or self.technology.default_corner,
            self.temperature, levels=Levels(self.write_rail, self.read_bias),
            states=self.states or alternating(word.bits),
        )  # fmt: skip

    def testbench(self) -> Testbench:
        """Measured: pulse width and amplitude at the first junction, sense margins, data, energy of write and read."""
        return replace(self.word_bench().testbench(), mismatch_seed=self.mismatch_seed)
