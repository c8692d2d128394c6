"""Test bench of a MeRAM word: a schedule of operations becomes sources, and the whole becomes a deck.

Time is divided into slots of equal length, one operation each. The digital inputs swing between 0 and the supply;
``write_rail``, ``read_bias`` and the control voltage of the pulse generator are analogue levels. All of them are
ideal sources, so what they deliver is what the word draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from PySpice.Spice.Netlist import Circuit

from mtjspice import __version__
from mtjspice.circuits.meram import MeramWord
from mtjspice.errors import InputError
from mtjspice.spice.bank import Junction
from mtjspice.spice.text import number

INSTANCE = "word"
EDGE = 5e-11  # s, rise and fall time of the inputs


@dataclass(frozen=True)
class Write:
    """A write pulse of the width that ``control`` (V) sets; ``all_columns`` False pulses only columns that hold AP."""

    control: float
    all_columns: bool = True


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


_Points = list[tuple[float, float]]
_INPUTS = ("trigger", "write_all", "write", "word_line", "sense", "latch", "read_bias", "control")


@dataclass(frozen=True)
class WordBench:
    """A word, its operating conditions and its schedule of operations.

    ``temperature`` is in kelvin, ``max_step`` and ``stop`` in seconds; ``states`` (+1 P, -1 AP) are those of fixed
    junctions. The numerical defaults hold the pulse width within 0.4 % and the energy within 1.5 % of a ten times
    finer run (tests/test_meram.py); ``bypass`` skips transistors whose voltages do not change.
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
        for voltage, name, high in (
            (self.levels.write_rail, "write rail", 2.4),
            (self.levels.read_bias, "read bias", self.word.technology.supply_voltage),
        ):
            if not 0 <= voltage <= high:
                raise InputError(f"{name} {voltage:g} V is out of range; allowed: 0 to {high:g} V")

    @property
    def end(self) -> float:
        """End of the transient, s."""
        return self.stop if self.stop is not None else len(self.operations) * self.timing.slot

    @property
    def supplies(self) -> tuple[str, ...]:
        """Names of all sources that deliver energy, supplies first."""
        return ("vdd", "vw", *_INPUTS)

    def junctions(self) -> tuple[Junction, ...]:
        """Return the stochastic junctions, one per bit; device numbers are the bit numbers."""
        return tuple(
            Junction(self.word.junction_source(INSTANCE, i), *self.word.junction_nodes(INSTANCE, i), device=i)
            for i in range(self.word.bits)
        )

    def saved(self) -> tuple[str, ...]:
        """Vectors that the deck saves."""
        nodes = ["trigger", "sense", "latch"]
        for i in range(self.word.bits):
            nodes += [
                f"data{i}",
                *self.word.output_nodes(INSTANCE, i),
                *self.word.junction_nodes(INSTANCE, i),
            ]
        return (*(f"v({node})" for node in nodes), *(f"i(v{name})" for name in self.supplies))

    def stimulus(self) -> dict[str, _Points]:
        """Piecewise-linear voltage of every input: lists of (time, volts)."""
        high = self.word.technology.supply_voltage
        signals = {name: _Signal(0.0) for name in _INPUTS}
        first = self.operations[0]
        if isinstance(first, Write):  # the word is already prepared for a write that comes first
            signals["control"] = _Signal(first.control)
            signals["write_all"] = _Signal(high if first.all_columns else 0.0)
            signals["write"], signals["word_line"] = _Signal(high), _Signal(high)
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
            else:
                signals["control"].to(start + EDGE, 0.0)  # no current in the mirror while reading
                signals["write"].to(start + EDGE, 0.0)
                signals["read_bias"].to(start + t.read_bias, self.levels.read_bias)
                signals["sense"].to(start + t.sense, high)
                signals["latch"].to(start + t.latch, high)
                signals["read_bias"].to(start + t.latch + 4 * EDGE, 0.0)
                signals["latch"].to(start + t.sense_end, 0.0)
                signals["sense"].to(start + t.sense_end + 4 * EDGE, 0.0)
        return {name: signal.points for name, signal in signals.items()}

    def circuit(self) -> Circuit:
        """Build the bench as a PySpice circuit, without model cards and analysis."""
        word = self.word
        circuit = Circuit(
            f"{word.name}: {word.card.name} in {word.technology.name} {self.corner} (mtjspice {__version__})"
        )
        for definition in word.subcircuits():
            circuit.subcircuit(definition)
        states = {f"state{i}": state for i, state in enumerate(self.states)}
        circuit.X(INSTANCE, word.name, *("0" if node == "vss" else node for node in word.nodes), **states)
        circuit.V("vdd", "vdd", 0, f"dc {number(word.technology.supply_voltage)}")
        circuit.V("vw", "vw", 0, f"dc {number(self.levels.write_rail)}")
        for name, points in self.stimulus().items():
            pairs = " ".join(f"{number(time)} {number(volt)}" for time, volt in points)
            circuit.V(name, name, 0, f"pwl({pairs})")
        return circuit

    def deck(self, models: str | None = None, control: Sequence[str] = ()) -> str:
        """Write the complete deck. ``models`` replaces the inlined model cards, for example by an ``.include``
        line; ``control`` lines go into a ``.control`` block for ``ngspice -b``."""  # fmt: skip
        text = str(self.circuit()).rstrip().splitlines()
        # both latch inputs are high until the first read; this picks a side instead of the metastable point
        starts = [
            f"v(data{i})=0 v(x{INSTANCE}.xcolumn{i}.hold)={number(self.word.technology.supply_voltage)}"
            for i in range(self.word.bits)
        ]
        lines = [
            *text,
            models if models is not None else self.word.technology.model_text(self.corner).rstrip(),
            f".options method=gear reltol={number(self.relative_tolerance)} trtol={number(self.truncation_factor)} "
            f"bypass={int(self.bypass)} temp={number(self.temperature - 273.15)}",
            *(f".nodeset {start}" for start in starts),
            *(f".save {' '.join(group)}" for group in _groups(self.saved())),
            f".tran {number(self.max_step / 10)} {number(self.end)} 0 {number(self.max_step)}",
        ]
        if control:
            lines += [".control", *control, ".endc"]
        return "\n".join([*lines, ".end", ""])


class _Signal:
    """A source that holds its value and moves to the next one within `EDGE`."""

    def __init__(self, value: float) -> None:
        self.points: _Points = [(0.0, value)]

    def to(self, time: float, value: float) -> None:
        present = self.points[-1][1]
        if value != present:
            self.points += [(time, present), (time + EDGE, value)]


def _groups(items: Sequence[str], size: int = 8) -> list[Sequence[str]]:
    return [items[k : k + size] for k in range(0, len(items), size)]
