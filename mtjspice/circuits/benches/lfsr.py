"""Benches of plain logic: a shift register that makes bits, and one cell whose energies are counted per toggle.

::

    load   -------------------------\\______________________________     seed: the state, one bit a clock
    clock  __/--\\__/--\\__/--\\__/--\\__/--\\__/--\\__/--\\__/--\\__/--\\__/
             | loading              | left out  | measured
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mtjspice.circuits.benches.base import Bench
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.digital import LONGEST, Lfsr
from mtjspice.circuits.measurements import At, Crossing, Delay, Energy, Measurement, Power, Voltage
from mtjspice.circuits.parameters import count, quantity
from mtjspice.circuits.stimulus import EDGE, Signal
from mtjspice.circuits.testbench import Drive, Testbench
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError, SimulatorError

Floats = NDArray[np.float64]
Wires = Callable[[Testbench], Testbench]

LEFT_OUT = 2  # clocks between loading and what is measured
_HIGH = 0.25  # of a clock's period, when it rises; inputs change at the period's begin
_STEPS = 50  # at least, in a period


# --- the generator -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LfsrBench(Bench):
    """Loads a state and measures the clocks after it; the first two are left out.

    ``state`` is what `mtjspice.bits.sources.lfsr.LfsrSource` calls so: its least significant bit is the next output.
    """

    circuit: Lfsr = field(kw_only=False)
    frequency: float = quantity(200e6, "Hz", 1e5, 1e9, "clock")
    supply_voltage: float = quantity(
        lambda b: b.technology.supply_voltage, "V", 0.5, lambda b: b.technology.supply_voltage, "supply"
    )
    clocks: int = count(16, 1, 100_000, "clocks that are measured")
    state: int = count(1, 1, 2**LONGEST - 1, "state that is loaded")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.circuit, Lfsr):
            raise InputError(f"{self.circuit.name} is no shift register")
        if self.state >= 2**self.circuit.bits:
            raise InputError(
                f"state {self.state} is out of range; {self.circuit.name} has 1 to 2^{self.circuit.bits} - 1"
            )

    @property
    def supply(self) -> float:
        """The supply, V."""
        return self.supply_voltage

    @property
    def period(self) -> float:
        """Of the clock, s."""
        return 1 / self.frequency

    @property
    def begin(self) -> float:
        """When the measured clocks begin, s."""
        return (self.circuit.bits + LEFT_OUT) * self.period

    @property
    def stop(self) -> float:
        """End of the transient, s."""
        return self.begin + self.clocks * self.period

    def drives(self) -> dict[str, Drive]:
        """Sources of all inputs and supplies."""
        bits, high = self.circuit.bits, self.supply
        signals = {"clock": Signal(), "load": Signal(high), "seed": Signal()}
        for k in range(bits):
            signals["seed"].to(k * self.period, high * (self.state >> k & 1))
        signals["load"].to(bits * self.period, 0.0)
        for k in range(bits + LEFT_OUT + self.clocks):
            rise = (k + _HIGH) * self.period
            signals["clock"].pulse(rise, rise + self.period / 2, high)
        return {"vdd": high, "vss": 0.0, **signals}

    def measurements(self) -> dict[str, Measurement]:
        """What a deck measures: the energy of the measured clocks, the delay of the first output edge among all, and
        the output at the end of each measured clock (V)."""  # fmt: skip
        output, half = Voltage(self.circuit.stages[-1]), self.supply / 2
        found: dict[str, Measurement] = {"energy": Energy(Power(tuple(self.drives())), self.begin, self.stop)}
        rise = self._first_rise()
        if rise is not None:
            found["clock_to_output"] = Delay(
                Crossing(Voltage("clock"), half, "rise", after=rise), Crossing(output, half, "rise", after=rise)
            )
        for k in range(self.clocks):
            found[f"bit{k}_volts"] = At(output, self.begin + (k + 1) * self.period - EDGE)
        return found

    def _first_rise(self) -> float | None:
        """Begin of the first period at whose end the output is 1 and was 0; None where there is none."""
        bits = self.expected()
        for k, (before, after) in enumerate(pairwise(bits)):
            if not before and after:
                return (self.circuit.bits + k) * self.period
        return None

    def expected(self) -> list[int]:
        """The output after loading and after every clock since, by the recurrence of the taps."""
        n, taps = self.circuit.bits, self.circuit.taps
        sequence = [self.state >> k & 1 for k in range(n)]
        for t in range(n, LEFT_OUT + self.clocks + 1):
            sequence.append(sum(sequence[t - tap] for tap in taps) % 2)
        return sequence[: LEFT_OUT + self.clocks + 1]

    def testbench(self) -> Testbench:
        """Measured: see `measurements`."""
        return Testbench(
            self.circuit, self.stop, self.drives(), measurements=self.measurements(), corner=self.corner,
            temperature=self.temperature, mismatch_seed=self.mismatch_seed, max_step=self.period / _STEPS,
            relative_tolerance=1e-3,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class LfsrRun:
    """What a register did in the measured clocks.

    ``bits`` (clocks,) are the outputs, ``energies`` (clocks,) what all sources delivered in each clock (J), ``toggles``
    (clocks,) how many stages changed.
    """

    stages: int
    frequency: float
    bits: NDArray[np.uint8]
    energies: Floats
    toggles: NDArray[np.int64]

    @property
    def energy_per_bit(self) -> float:
        """Mean over the measured clocks, J: over a whole period of the sequence, if they are one."""
        return float(self.energies.mean())

    @property
    def period_energy_per_bit(self) -> float:
        """Mean over the sequence's whole period (J), from any of its clocks.

        The energy of a clock is a constant and a part that grows with the stages that change (least squares); of the
        2^n - 1 clocks of the period 2^(n - 1) change any one stage. InputError where all clocks changed as many.
        """
        if len(set(self.toggles.tolist())) < 2:
            raise InputError("the measured clocks all changed as many stages; measure more")
        slope, constant = np.polyfit(self.toggles, self.energies, 1)
        return float(constant + slope * self.stages * 2 ** (self.stages - 1) / (2**self.stages - 1))


def unchanged(testbench: Testbench) -> Testbench:
    """Return a testbench as it is."""
    return testbench


def run(bench: LfsrBench, wires: Wires = unchanged) -> LfsrRun:
    """Simulate a register; SimulatorError where its bits are not those of the recurrence.

    ``wires`` adds to the testbench what a layout does (`mtjspice.layout.post.post_layout`).
    """
    data = wires(bench.testbench()).run()
    time = np.asarray(data["time"].values)
    ends = bench.begin + bench.period * np.arange(bench.clocks + 1)
    stages = np.stack(
        [np.interp(ends - EDGE, time, data[f"v({name})"].values) > bench.supply / 2 for name in bench.circuit.stages]
    )
    delivered = np.interp(ends, time, data["delivered"].sum("source").values)
    bits = stages[-1, 1:].astype(np.uint8)
    if bits.tolist() != bench.expected()[LEFT_OUT + 1 :]:
        raise SimulatorError(
            f"{bench.circuit.name} at {bench.frequency:g} Hz and {bench.supply:g} V does not make its sequence: "
            "the clock is too fast for the supply"
        )
    toggles = np.count_nonzero(stages[:, 1:] != stages[:, :-1], axis=0)
    return LfsrRun(bench.circuit.bits, bench.frequency, bits, np.diff(delivered), toggles)


# --- one cell ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CellEnergy:
    """What a cell of logic takes from its supply.

    ``per_toggle`` (J) is for each change of an output, with all that changes inside and at the inputs; ``per_clock``
    (J) for each clock, whether or not anything changes. ``delay`` (s) is the longest from an input to the last output.
    """

    name: str
    per_toggle: float
    per_clock: float
    delay: float


@dataclass(frozen=True, kw_only=True)
class CellBench:
    """One cell of logic, its inputs driven by ideal sources through a sequence of values.

    Nothing hangs on the outputs: what a following cell's inputs take is counted there. An input takes the charge that
    flows into it while it is high, times the supply: what a driver would, where an ideal source gets back what flows
    out when it falls. ``rests`` are inputs that keep a value (0 or 1).
    """

    circuit: Circuit
    supply: float
    period: float = 5e-9
    values: int = 40
    seed: int = 1
    corner: str = ""
    temperature: float = ROOM_TEMPERATURE
    rests: Mapping[str, int] = field(default_factory=dict)

    @property
    def clocked(self) -> bool:
        """Whether the cell has a clock."""
        return any(port.name == "clock" for port in self.circuit.ports())

    def _names(self, direction: str) -> list[str]:
        return [port.name for port in self.circuit.ports() if port.direction == direction and port.name != "clock"]

    def measure(self) -> CellEnergy:
        """Simulate; a clocked cell also with inputs at rest. InputError for a cell without outputs or inputs."""
        inputs, outputs = self._names("input"), self._names("output")
        if not inputs or not outputs:
            raise InputError(f"{self.circuit.name} has no inputs or no outputs")
        rng = np.random.default_rng(self.seed)
        values = rng.integers(0, 2, (self.values, len(inputs)))
        for name, value in self.rests.items():
            if name not in inputs:
                raise InputError(f"{self.circuit.name} has no input {name}; it has {', '.join(inputs)}")
            values[:, inputs.index(name)] = value
        energy, toggles, delay = self._run(inputs, outputs, values)
        idle = self._run(inputs, outputs, np.zeros((8, len(inputs)), np.int64))[0] / 6 if self.clocked else 0.0
        clocks = self.values - 2
        return CellEnergy(self.circuit.name, (energy - clocks * idle) / toggles, idle, delay)

    def _run(
        self, inputs: Sequence[str], outputs: Sequence[str], values: NDArray[np.int64]
    ) -> tuple[float, int, float]:
        """Energy (J) and output changes behind the first two periods, and the longest delay (s)."""
        high, half = self.supply, self.supply / 2
        signals = {name: Signal(high * int(values[0, k])) for k, name in enumerate(inputs)}
        if self.clocked:
            signals["clock"] = Signal()
        for row, each in enumerate(values):
            for name, value in zip(inputs, each, strict=True):
                signals[name].to(row * self.period, high * int(value))
            if self.clocked:
                rise = (row + _HIGH) * self.period
                signals["clock"].pulse(rise, rise + self.period / 2, high)
        end = len(values) * self.period
        data = Testbench(
            self.circuit, end, {"vdd": high, "vss": 0.0, **signals}, corner=self.corner, temperature=self.temperature,
            max_step=self.period / _STEPS, relative_tolerance=1e-3,
        ).run()  # fmt: skip
        time = np.asarray(data["time"].values)
        charge = {
            name: -_integral(time, np.asarray(data[f"i(v{name})"].values)) for name in ("vdd", *signals)
        }  # since the start, C
        edges = self.period * np.arange(2, len(values) + 1)
        taken = float(np.diff(np.interp(edges[[0, -1]], time, charge["vdd"])).sum())
        for k, name in enumerate(inputs):
            taken += float(np.diff(np.interp(edges, time, charge[name])) @ values[2:, k])
        if self.clocked:
            rises = edges[:-1] + _HIGH * self.period
            begin, middle = (np.interp(rises + later, time, charge["clock"]) for later in (0.0, self.period / 2))
            taken += float((middle - begin).sum())
        volts = {name: np.asarray(data[f"v({name})"].values) for name in outputs}
        ends = self.period * np.arange(2, len(values) + 1) - EDGE
        levels = np.stack([np.interp(ends, time, one) > half for one in volts.values()])
        trigger = _HIGH if self.clocked else 0.0
        return taken * high, int(np.count_nonzero(np.diff(levels))), self._delay(time, volts, trigger)

    def _delay(self, time: Floats, volts: Mapping[str, Floats], trigger: float) -> float:
        last = 0.0
        for wave in volts.values():
            above = wave - self.supply / 2
            k = np.flatnonzero((above[1:] >= 0) != (above[:-1] >= 0))
            crossed = time[k] + above[k] / (above[k] - above[k + 1]) * (time[k + 1] - time[k])
            crossed = crossed[crossed >= 2 * self.period]
            if len(crossed):
                last = max(last, float(((crossed / self.period - trigger) % 1.0).max()) * self.period - EDGE / 2)
        return last


def _integral(time: Floats, values: Floats) -> Floats:
    """Integral from the begin to every time, by the trapezoidal rule."""
    return np.concatenate(([0.0], np.cumsum(np.diff(time) * (values[1:] + values[:-1]) / 2)))
