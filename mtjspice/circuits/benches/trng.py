"""Random-number generators on their benches: cycles of reset, perturb and read, and the bits that they give."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mtjspice.circuits.benches.base import Bench, alternating
from mtjspice.circuits.benches.word import Levels, Timing
from mtjspice.circuits.elements import Junction
from mtjspice.circuits.library.trng import STT_CONTROLS, VCMA_CONTROLS, VCMA_INPUTS, SttTrng, VcmaTrng
from mtjspice.circuits.measurements import At, Energy, Measurement, Peak, Power, Voltage, Width
from mtjspice.circuits.parameters import count, quantity
from mtjspice.circuits.stimulus import EDGE, Signal
from mtjspice.circuits.testbench import INSTANCE, Drive, Testbench
from mtjspice.errors import InputError
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    import xarray

PHASES = ("reset", "perturb", "read")
_DELAY = 1e-9  # s, of an STT pulse within its slot
_REST = 1.5e-9  # s, at the end of an STT read, after the outputs are precharged again

Floats = NDArray[np.float64]
Window = tuple[float, float]


# --- what all generators have in common ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TrngCycles(Bench):
    """Cycles of reset, perturb and read; a subclass says when each phase is and what drives it.

    Junctions start in P, AP, P, AP, ... unless ``states`` says otherwise, so that the first reset has work to do.
    """

    circuit: SttTrng | VcmaTrng = field(kw_only=False)
    cycles: int = count(2, 1, 100_000, "cycles of reset, perturb and read in one transient")
    max_step: float = quantity(1e-10, "s", 1e-12, 1e-9, "longest time step")

    @property
    @abstractmethod
    def begin(self) -> float:
        """When the first cycle begins, s."""

    @property
    @abstractmethod
    def slots(self) -> tuple[float, float, float]:
        """Lengths of reset, perturb and read, s."""

    @property
    @abstractmethod
    def latch_delay(self) -> float:
        """From the begin of a read to the decision of the amplifier, s."""

    @property
    @abstractmethod
    def drive_hold(self) -> float:
        """How long one draw of the cards' cycle-to-cycle spread holds, s."""

    @abstractmethod
    def drives(self) -> dict[str, Drive]:
        """Sources of all inputs and supplies."""

    @property
    def channels(self) -> int:
        """Bits of a cycle."""
        return self.circuit.channels

    @property
    def period(self) -> float:
        """Length of a cycle, s."""
        return sum(self.slots)

    @property
    def stop(self) -> float:
        """End of the transient, s."""
        return self.begin + self.cycles * self.period

    @property
    def start_states(self) -> tuple[int, ...]:
        """States (1 P, -1 AP) of the junctions before the first cycle."""
        return self.states or alternating(self.channels)

    def windows(self, cycle: int) -> Mapping[str, Window]:
        """Begin and end (s) of each phase of a cycle."""
        edges = self.begin + cycle * self.period + np.concatenate(([0.0], np.cumsum(self.slots)))
        return {phase: (float(edges[k]), float(edges[k + 1])) for k, phase in enumerate(PHASES)}

    def reads(self) -> Floats:
        """When the read of each cycle begins, s (cycles,)."""
        return np.array([self.windows(cycle)["read"][0] for cycle in range(self.cycles)])

    def junction(self, channel: int) -> Junction:
        """The junction of a channel, with its names in the deck."""
        return self.circuit.junctions(INSTANCE)[channel]

    def measurements(self) -> Mapping[str, Measurement]:
        """What a deck measures: voltage and width of both pulses at the first junction and the energy of each phase in
        the last cycle, and the data of all cycles."""  # fmt: skip
        last = self.windows(self.cycles - 1)
        power = Power(tuple(self.drives()))
        found = self._pulses(last)
        for phase in PHASES:
            found[f"{phase}_energy"] = Energy(power, *last[phase])
        for channel in range(self.channels):
            outputs = Voltage(*self.circuit.output_nodes(INSTANCE, channel))
            found[f"sense_margin{channel}"] = At(outputs, float(self.reads()[-1]) + self.latch_delay + EDGE / 2)
        for cycle in range(self.cycles):
            end = self.windows(cycle)["read"][1] - EDGE
            for channel in range(self.channels):
                found[f"data{channel}_{cycle}_volts"] = At(Voltage(f"data{channel}"), end)
        return found

    @abstractmethod
    def _pulses(self, windows: Mapping[str, Window]) -> dict[str, Measurement]:
        """Voltage and width of the pulses at the first junction in a cycle."""

    def testbench(self) -> Testbench:
        """Measured: see `measurements`."""
        circuit = self.circuit
        holds = {
            name: volts
            for channel in range(self.channels)
            for name, volts in (
                (f"data{channel}", 0.0), (circuit.hold_node(INSTANCE, channel), self.supply)
            )  # both inputs of the latches are high until the first read; this picks a side
        }  # fmt: skip
        junctions = circuit.junctions(INSTANCE)
        return Testbench(
            circuit, self.stop, self.drives(), measurements=self.measurements(),
            probes=tuple(f"v({node})" for one in junctions for node in (one.top, one.bottom)),
            states=self.start_states, corner=self.corner, temperature=self.temperature,
            mismatch_seed=self.mismatch_seed, max_step=self.max_step, relative_tolerance=1e-3,
            options="method=gear bypass=1", nodesets=holds,
        )  # fmt: skip


# --- spin-transfer torque ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SttLevels:
    """Analogue levels of a technology, V: reset rail, perturb rails, gates of the clamps."""

    reset_rail: float
    amplitude: float
    read_bias: float


# half of the bits are AP and about 0.1 V is on a junction that is read, with the card stt_trng_10ns
_LEVELS = MappingProxyType(
    {
        "gf180mcu": SttLevels(0.9, 0.319, 0.85),
        "sky130": SttLevels(0.9, 0.293, 0.79),
        "freepdk45": SttLevels(0.9, 0.306, 0.49),
    }
)


def stt_levels(bench: Bench) -> SttLevels:
    """Return the default levels in the technology of a bench; for an unknown one, about the same."""
    supply = bench.supply
    return _LEVELS.get(bench.technology.name, SttLevels(min(0.9, supply), min(0.31, supply), 0.3 * supply))


@dataclass(frozen=True, kw_only=True)
class SttTrngCycles(TrngCycles):
    """Reset, perturb and read of every channel at a time.

    ``amplitudes`` (V), one for each channel, replace ``amplitude`` where the rails differ. Within its slot a pulse
    begins 1 ns late; what is left after it is for the junctions, which take some ns to leave the saddle. The defaults
    suit the card ``stt_trng_10ns``: 0.8 V for 8 ns resets but for one in 3e6, and P = 1/2 at 0.28 V for 10 ns.
    """

    circuit: SttTrng = field(kw_only=False)
    reset_width: float = quantity(8e-9, "s", 2e-10, 1e-6, "reset pulse")
    reset_slot: float = quantity(14e-9, "s", 1e-9, 1e-5, "reset, with the rest after it")
    perturb_width: float = quantity(10e-9, "s", 2e-10, 1e-6, "perturb pulse")
    perturb_slot: float = quantity(17e-9, "s", 1e-9, 1e-5, "perturb, with the rest after it")
    settle: float = quantity(3e-9, "s", 1e-10, 1e-6, "of a read: from its begin to the release of the outputs")
    integrate: float = quantity(1e-9, "s", 1e-10, 1e-6, "of a read: from the release of the outputs to the decision")
    decide: float = quantity(2e-9, "s", 1e-10, 1e-6, "of a read: from the decision to the precharge of the outputs")
    reset_rail: float = quantity(lambda b: stt_levels(b).reset_rail, "V", 0.0, lambda b: b.supply, "reset rail")
    amplitude: float = quantity(lambda b: stt_levels(b).amplitude, "V", 0.0, lambda b: b.supply, "perturb rails")
    read_bias: float = quantity(
        lambda b: stt_levels(b).read_bias, "V", 0.0, lambda b: b.supply, "gates of the clamps while reading"
    )
    amplitudes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for phase, width, slot in (
            ("reset", self.reset_width, self.reset_slot),
            ("perturb", self.perturb_width, self.perturb_slot),
        ):
            if _DELAY + width + 2 * EDGE > slot:
                raise InputError(
                    f"{phase}_width {width * 1e9:g} ns does not fit into {phase}_slot {slot * 1e9:g} ns; it begins "
                    f"{_DELAY * 1e9:g} ns late"
                )
        if self.amplitudes and len(self.amplitudes) != self.channels:
            raise InputError(f"{len(self.amplitudes)} amplitudes were given for {self.channels} channels")
        for channel, volts in enumerate(self.amplitudes):
            if not 0 <= volts <= self.supply:
                raise InputError(
                    f"amplitude of channel {channel}, {volts:g} V, is out of range; allowed: 0 to the supply of "
                    f"{self.supply:g} V"
                )

    @property
    def rails(self) -> tuple[float, ...]:
        """Perturb rail of each channel, V."""
        return self.amplitudes or (self.amplitude,) * self.channels

    @property
    def begin(self) -> float:
        """At once."""
        return 0.0

    @property
    def slots(self) -> tuple[float, float, float]:
        """Lengths of reset, perturb and read, s."""
        return self.reset_slot, self.perturb_slot, self.latch_delay + self.decide + _REST

    @property
    def latch_delay(self) -> float:
        """From the begin of a read to the decision, s."""
        return self.settle + self.integrate

    @property
    def drive_hold(self) -> float:
        """One draw a cycle."""
        return self.period

    def _pulses(self, windows: Mapping[str, Window]) -> dict[str, Measurement]:
        """In the middle of a pulse; forward current resets, backward current perturbs and is counted positive."""
        junction = self.junction(0)
        found: dict[str, Measurement] = {}
        for phase, width, ends in (
            ("reset", self.reset_width, (junction.top, junction.bottom)),
            ("perturb", self.perturb_width, (junction.bottom, junction.top)),
        ):
            found[f"{phase}_voltage"] = At(Voltage(*ends), windows[phase][0] + _DELAY + width / 2)
            found[f"{phase}_width"] = Width(Voltage(*ends), *windows[phase])
        return found

    def drives(self) -> dict[str, Drive]:
        """Sources of all inputs and rails."""
        high = self.supply
        signals = {name: Signal() for name in (*STT_CONTROLS, "bias")}
        signals["word_line"].to(2 * EDGE, high)
        for cycle in range(self.cycles):
            windows = self.windows(cycle)
            for phase, width in (("reset", self.reset_width), ("perturb", self.perturb_width)):
                begin = windows[phase][0] + _DELAY
                signals[phase].pulse(begin, begin + width, high)
            read, end = windows["read"]
            sense, latch = read + self.settle, read + self.latch_delay
            # the bit line is free before the clamp pulls at it, and grounded again after the clamp has closed; once
            # decided, the pair needs no current
            signals["release"].pulse(read, end - 4 * EDGE, high)
            signals["bias"].pulse(read + 4 * EDGE, latch + 6 * EDGE, self.read_bias)
            signals["sense"].pulse(sense, latch + self.decide + 4 * EDGE, high)
            signals["latch"].pulse(latch, latch + self.decide, high)
        rails = dict(zip(self.circuit.amplitudes, self.rails, strict=True))
        return {"vdd": high, "vss": 0.0, "reset_rail": self.reset_rail, **rails, **signals}


# --- voltage-controlled anisotropy ---------------------------------------------------------------------------


# V, of the reset and of the perturb pulse of meram100: half a precession, and 1/2 on the way there. In freepdk45 the
# rail is too low to take the barrier away: no pulse toggles with more than P = 0.6, and a reset often fails.
_CONTROLS = MappingProxyType({"gf180mcu": (1.2, 2.0), "sky130": (0.9, 1.09), "freepdk45": (0.35, 0.36)})


def _controls(bench: Bench) -> tuple[float, float]:
    return _CONTROLS.get(bench.technology.name, (0.36 * bench.supply, 0.6 * bench.supply))


@dataclass(frozen=True, kw_only=True)
class VcmaTrngCycles(TrngCycles):
    """A first read, then cycles of a toggling pulse on AP columns, a perturb pulse on all, and a read.

    The control voltages are constant, so that the mirror of the pulse generator draws its current all the time.
    """

    circuit: VcmaTrng = field(kw_only=False)
    reset_control: float = quantity(
        lambda b: _controls(b)[0], "V", 0.05, lambda b: b.supply, "sets the width of the reset pulse"
    )
    perturb_control: float = quantity(
        lambda b: _controls(b)[1], "V", 0.05, lambda b: b.supply, "sets the width of the perturb pulse"
    )
    write_rail: float = quantity(
        lambda b: Levels.of(b.technology).write_rail, "V", 0.0, lambda b: b.supply, "write rail"
    )
    read_bias: float = quantity(
        lambda b: Levels.of(b.technology).read_bias, "V", 0.0, lambda b: b.supply, "gates of the clamps"
    )
    max_step: float = quantity(5e-11, "s", 1e-12, 1e-9, "longest time step")

    @property
    def timing(self) -> Timing:
        """That of the word."""
        return Timing()

    @property
    def begin(self) -> float:
        """After the first read, s."""
        return self.timing.slot

    @property
    def slots(self) -> tuple[float, float, float]:
        """Equal ones."""
        return (self.timing.slot,) * 3

    @property
    def latch_delay(self) -> float:
        """From the begin of a read to the decision, s."""
        return self.timing.latch

    @property
    def drive_hold(self) -> float:
        """One draw a slot, that is a pulse."""
        return self.timing.slot

    def _pulses(self, windows: Mapping[str, Window]) -> dict[str, Measurement]:
        """The perturb pulse only: that of the reset comes only where a junction held AP."""
        across = Voltage(self.junction(0).top, self.junction(0).bottom)
        return {
            "perturb_voltage": Peak(across, "max", *windows["perturb"]),
            "perturb_width": Width(across, *windows["perturb"]),
        }

    def drives(self) -> dict[str, Drive]:
        """Sources of all inputs and rails."""
        high, t = self.supply, self.timing
        signals = {name: Signal() for name in VCMA_INPUTS}
        signals["word_line"].to(2e-10, high)
        for phase, start in self._schedule():
            signals["perturb"].to(start + EDGE, high if phase == "perturb" else 0.0)
            signals["write"].to(start + EDGE, 0.0 if phase == "read" else high)
            if phase != "read":
                begin = start + t.trigger
                signals["trigger"].pulse(begin, begin + t.trigger_high, high)
                continue
            signals["read_bias"].pulse(start + t.read_bias, start + t.latch + 4 * EDGE, self.read_bias)
            signals["sense"].pulse(start + t.sense, start + t.sense_end + 4 * EDGE, high)
            signals["latch"].pulse(start + t.latch, start + t.sense_end, high)
        controls = dict(zip(VCMA_CONTROLS, (self.reset_control, self.perturb_control), strict=True))
        return {"vdd": high, "vw": self.write_rail, "vss": 0.0, **controls, **signals}

    def _schedule(self) -> Iterator[tuple[str, float]]:
        """Phases in order, with their begins (s)."""
        yield "read", 0.0
        for cycle in range(self.cycles):
            for phase, (start, _) in self.windows(cycle).items():
                yield phase, start


# --- bits ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class GeneratedBits:
    """What co-simulated cycles gave.

    ``bits`` (cycles, channels) are the data outputs after each read, 1 for AP; ``m_z`` and ``reset_m_z`` (same shape)
    the junctions when the amplifier decided and just before the perturbation; ``energy`` (cycles, phases) what all
    sources delivered, ``junction_energy`` (cycles, phases) the heat of the junctions, J; ``magnetization`` (channels,
    3) that at the end.

    A junction that is still at the saddle when it is read (m_z near 0) has no state, so that its bit may differ from
    what it becomes: with the default slots of the STT generator about one in a thousand. More rest makes them fewer by
    a factor e for each relaxation time, 2 ns for ``stt_trng_10ns``.
    """

    bits: NDArray[np.uint8]
    m_z: Floats
    reset_m_z: Floats
    energy: Floats
    junction_energy: Floats
    magnetization: Floats

    @property
    def states(self) -> NDArray[np.int8]:
        """States (1 P, -1 AP) when the amplifier decided."""
        return _states(self.m_z)

    @property
    def reset_states(self) -> NDArray[np.int8]:
        """States just before the perturbation."""
        return _states(self.reset_m_z)

    @property
    def ones(self) -> NDArray[np.int64]:
        """Number of ones of each channel."""
        return np.asarray(self.bits.sum(axis=0, dtype=np.int64))

    @property
    def read_errors(self) -> Proportion:
        """Bits that differ from the state of their junction."""
        return wilson(int(np.count_nonzero(self.bits != (self.states < 0))), self.bits.size)

    @property
    def reset_errors(self) -> Proportion:
        """Junctions that were not in P when they were perturbed."""
        return wilson(int(np.count_nonzero(self.reset_states < 0)), self.reset_states.size)

    @property
    def energy_per_bit(self) -> Mapping[str, float]:
        """Mean energy (J) of each phase, all sources together."""
        each = self.energy.mean(axis=0) / self.bits.shape[1]
        return {phase: float(joules) for phase, joules in zip(PHASES, each, strict=True)}


def _states(m_z: Floats) -> NDArray[np.int8]:
    return np.where(m_z >= 0, 1, -1).astype(np.int8)


def generate(bench: TrngCycles, seed: int, *, initial: ArrayLike | None = None) -> GeneratedBits:
    """Co-simulate the cycles of a bench and return their bits.

    ``seed`` selects the thermal field and, unless ``initial`` (channels, 3) gives the magnetizations, their draw around
    the bench's first states. The bits of a simulator are pseudo-random: the same seed repeats them. Raises InputError
    for a seed out of range, SimulatorError where the simulator fails.
    """
    if not 0 <= seed < 2**32:
        raise InputError(f"seed {seed} is out of range; allowed: 0 to {2**32 - 1}")
    options = {} if initial is None else {"initial": initial}
    data = bench.testbench().run(
        "cosim", seed=seed, active_step=bench.max_step, drive_hold=bench.drive_hold, **options
    )  # fmt: skip
    return evaluate(bench, data)


def evaluate(bench: TrngCycles, data: "xarray.Dataset") -> GeneratedBits:
    """Turn the waveforms of `generate` into bits, states and energies."""
    time = data["time"].values
    m = data["magnetization"].values
    reads = bench.reads()
    perturbs = np.array([bench.windows(cycle)["perturb"][0] for cycle in range(bench.cycles)])
    ends = reads + bench.slots[-1] - EDGE
    volts = [np.interp(ends, time, data[f"v(data{channel})"].values) for channel in range(bench.channels)]

    def m_z(instants: Floats) -> Floats:
        return np.stack([np.interp(instants, time, m[:, channel, 2]) for channel in range(bench.channels)], axis=1)

    nodes = tuple(bench.drives())
    vectors = {name: data[name].values for name in Power(nodes).vectors}
    power = Power(nodes).values(vectors)
    delivered = np.concatenate(([0.0], np.cumsum(np.diff(time) * (power[1:] + power[:-1]) / 2)))
    edges = np.array([[*(begin for begin, _ in bench.windows(cycle).values()), bench.windows(cycle)["read"][1]]
                      for cycle in range(bench.cycles)])  # fmt: skip
    return GeneratedBits(
        bits=(np.stack(volts, axis=1) > bench.supply / 2).astype(np.uint8),
        m_z=m_z(reads + bench.latch_delay + EDGE / 2),
        reset_m_z=m_z(perturbs),
        energy=np.diff(np.interp(edges, time, delivered), axis=1),
        junction_energy=np.diff(np.interp(edges, time, data["energy"].values.sum(axis=1)), axis=1),
        magnetization=np.asarray(m[-1]),
    )
