r"""Benches of compute-in-memory columns: cycles of refresh and compute.

::

    in situ   refresh  ____/--------\__________________     ex situ   refresh (array, pulse)
              trigger  ______/------\__________________               sense   (reading, array, sense, latch, transfer)
              compute  _______________/-----------\____               compare (reading, hold, sense, latch)
              decide   ____________________/------\____               write   (write_in, trigger)
                           | refresh | compute        |               compute
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mtjspice.circuits.benches.base import Bench, alternating
from mtjspice.circuits.benches.read import read_voltage
from mtjspice.circuits.library.cim import CimColumn, ExSituColumn
from mtjspice.circuits.measurements import At, Crossing, Delay, Energy, Measurement, Peak, Power, Voltage, Width
from mtjspice.circuits.parameters import choice, count, quantity, text
from mtjspice.circuits.stimulus import EDGE, Signal
from mtjspice.circuits.testbench import INSTANCE, Drive, Testbench
from mtjspice.device import derived
from mtjspice.device.card import MTJCard
from mtjspice.errors import InputError

Floats = NDArray[np.float64]

BEGIN = 0.5e-9  # s, before the first cycle
_GAP = 2 * EDGE  # s, between signals that must not overlap
_TRANSFER = 0.4e-9  # s, width of the transfer pulse
_PARTS = ("both", "refresh", "compute")

# card -> rail (V) of the stochastic pulse and of the toggling one, for the widths that `control` makes and 8 rows in
# gf180mcu; other rows load the rail otherwise, and a lower supply limits it: both ask for a trim
_RAILS: Mapping[str, tuple[float, float]] = {"imec_iedm24": (1.655, 2.4), "meram100": (1.2, 1.45)}
# card -> control voltage of the toggling pulse in that of the stochastic one: imec_iedm24 toggles best in 0.6 ns
_TOGGLE_CONTROLS: Mapping[str, float] = {"imec_iedm24": 1.06}
# technology -> control voltage (V) of a pulse of 0.7 ns
_CONTROLS: Mapping[str, float] = {"gf180mcu": 1.386, "sky130": 0.96, "freepdk45": 0.378}
# technology -> level (V) at which the clamps hold a bit line
_CLAMP_LEVELS: Mapping[str, float] = {"gf180mcu": 0.93, "sky130": 0.77, "freepdk45": 0.37}
# technology -> gate voltage (V) by which the sense amplifiers' clamps exceed the line they hold
_CLAMP_THRESHOLDS: Mapping[str, float] = {"gf180mcu": 0.7, "sky130": 0.7, "freepdk45": 0.45}


@dataclass(frozen=True)
class Phase:
    """A part of a cycle; times in s from its start."""

    name: str
    begin: float
    end: float


def _card(bench: "ColumnBench") -> MTJCard:
    circuit = bench.circuit
    if not isinstance(circuit, (CimColumn, ExSituColumn)):
        raise InputError(f"{circuit.name} is no compute-in-memory column")
    return circuit.card


def _rail(which: int, bench: "ColumnBench") -> float:
    return min(_RAILS.get(_card(bench).name, _RAILS["meram100"])[which], bench.supply)


def _control(bench: "ColumnBench") -> float:
    return _CONTROLS.get(bench.technology.name, 0.42 * bench.supply)


def _toggle_control(bench: "ColumnBench") -> float:
    return _control(bench) * _TOGGLE_CONTROLS.get(_card(bench).name, 1.0)


def _read_rail(bench: "ColumnBench") -> float:
    return _CLAMP_LEVELS.get(bench.technology.name, 0.3 * bench.supply) + read_voltage(_card(bench))


def _read_bias(bench: "ColumnBench") -> float:
    return _CLAMP_THRESHOLDS.get(bench.technology.name, 0.3 * bench.supply) + read_voltage(_card(bench))


def _charging(bench: "ColumnBench", farad: float) -> float:
    """Time in which an AP junction charges a capacitance, s."""
    return derived.derive(_card(bench)).resistance_antiparallel * farad


def _volts(default: object, about: str) -> float:
    value: float = quantity(default, "V", 0.0, lambda b: b.supply, about)  # type: ignore[arg-type]
    return value


def _seconds(default: object, about: str) -> float:
    value: float = quantity(default, "s", 2 * EDGE, 1e-6, about)  # type: ignore[arg-type]
    return value


@dataclass(frozen=True, kw_only=True)
class ColumnBench(Bench):
    """What both benches have. ``inputs`` has a digit 0 or 1 a row, and a comma between the cycles.

    The last ones hold for the cycles that are left; all inputs are 1 by default. Energies are those of the last cycle,
    which begins and ends at rest.
    """

    inputs: str = text("", "inputs of each cycle, first row first: 11110000,10101010")
    cycles: int = count(1, 1, 1000, "cycles")
    parts: str = choice("both", _PARTS, "what a cycle consists of")
    control: float = _volts(_control, "control voltage of the generator for the stochastic pulse")
    write_rail: float = _volts(lambda b: _rail(0, b), "rail of the stochastic pulse (default: for 8 rows)")
    read_rail: float = _volts(_read_rail, "source lines while computing")
    select: float = _seconds(0.3e-9, "word lines to trigger")
    pulse_time: float = _seconds(1.5e-9, "trigger to the end of a write: delay of the generator and pulse")
    recover: float = _seconds(1.2e-9, "end of the trigger to the generator's rest")
    precharge: float = _seconds(0.6e-9, "precharge of the bit lines")
    settle: float = _seconds(2.5e-9, "start of computing to the decision")
    decision: float = _seconds(1.2e-9, "decision to the end of computing")
    restore: float = _seconds(0.5e-9, "end of computing to the next cycle")

    SUPPLIES: ClassVar[tuple[str, ...]] = ("vdd", "vw", "vr")

    def __post_init__(self) -> None:
        _card(self)
        super().__post_init__()
        junctions = len(self.circuit.own_junctions)
        if self.states and len(self.states) != junctions:
            raise InputError(
                f"{len(self.states)} states were given for the {junctions} junctions of {self.circuit.name}"
            )
        for digits in self.patterns:
            if len(digits) != self.rows or set(digits) - {"0", "1"}:
                raise InputError(f"inputs {digits!r} must be {self.rows} digits, 0 or 1, first row first")
        if self.settle < self.precharge + 3 * _GAP:
            raise InputError(
                f"settle = {self.settle:g} s must be at least {self.precharge + 3 * _GAP:g} s, with the precharge in it"
            )
        if len(self.patterns) > self.cycles:
            raise InputError(f"{len(self.patterns)} inputs were given for {self.cycles} cycles")

    @property
    def column(self) -> CimColumn | ExSituColumn:
        """The circuit."""
        assert isinstance(self.circuit, (CimColumn, ExSituColumn))  # checked above
        return self.circuit

    @property
    def rows(self) -> int:
        """Rows of the column."""
        return self.column.rows

    # --- junctions

    @property
    def per_row(self) -> int:
        """Junctions of a row: data bit, P-bit of the pair, and ex situ the P-bit cell beside it."""
        return len(self.circuit.own_junctions) // self.rows

    @property
    def junction_states(self) -> tuple[int, ...]:
        """Those given, else P, AP, P, AP, ..."""
        return self.states or alternating(len(self.circuit.own_junctions))

    def weights(self) -> Floats:
        """w_j of the states: 1, 0 or -1 (rows,)."""
        states = np.array(self.junction_states, float).reshape(self.rows, self.per_row)
        return np.asarray((states[:, 0] - states[:, 1]) / 2)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The inputs that were given, one text a cycle."""
        return tuple(one.strip() for one in self.inputs.split(",")) if self.inputs else ()

    def pattern(self, cycle: int) -> str:
        """Inputs of a cycle."""
        return self.patterns[min(cycle, len(self.patterns) - 1)] if self.patterns else "1" * self.rows

    def ideal(self, cycle: int) -> float:
        """Sum of x_j w_j."""
        return float(np.array([int(digit) for digit in self.pattern(cycle)]) @ self.weights())

    # --- time

    @abstractmethod
    def refresh_phases(self) -> tuple[tuple[str, float], ...]:
        """Names and durations of what comes before computing."""

    def phases(self) -> tuple[Phase, ...]:
        """Parts of a cycle, in order."""
        found: list[tuple[str, float]] = []
        if self.parts != "compute":
            found += self.refresh_phases()
        if self.parts != "refresh":
            found.append(("compute", self.settle + self.decision))
        # what ends with a write waits for the generator
        rest = max(self.restore, self.recover + _GAP) if self.parts == "refresh" else self.restore
        begin, phases = 0.0, []
        for k, (name, duration) in enumerate(found):
            end = begin + duration + (rest if k == len(found) - 1 else 0.0)
            phases.append(Phase(name, begin, end))
            begin = end
        return tuple(phases)

    @property
    def cycle_time(self) -> float:
        """Duration of a cycle, s."""
        return self.phases()[-1].end

    def starts(self) -> tuple[float, ...]:
        """Start of each cycle, s."""
        return tuple(BEGIN + k * self.cycle_time for k in range(self.cycles))

    def decision_time(self, cycle: int) -> float:
        """When ``decide`` rises."""
        return self.starts()[cycle] + self.phases()[-1].begin + self.settle

    # --- sources

    def _signals(self) -> dict[str, Signal]:
        """Signals of all inputs but the data, at rest."""
        ports = (port.name for port in self.circuit.ports() if port.direction == "input")
        return {name: Signal(self.supply if name in self.column.data_inputs else 0.0) for name in ports}

    @abstractmethod
    def _drive(self, signals: dict[str, Signal], start: float, phase: Phase) -> None:
        """Add the signals of a phase."""

    def _compute(self, signals: dict[str, Signal], begin: float) -> None:
        end = begin + self.settle + self.decision
        signals["compute"].pulse(begin + _GAP, end, self.supply)
        signals["precharge"].pulse(begin + 2 * _GAP, begin + 2 * _GAP + self.precharge, self.supply)
        signals["decide"].pulse(begin + self.settle, end, self.supply)

    def _write(self, signals: dict[str, Signal], begin: float, control: float, *selects: str) -> None:
        """Open lines and wake the generator, whose mirror draws current, then a pulse."""
        end = begin + self.select + self.pulse_time
        for name in selects:
            signals[name].pulse(begin, end, self.supply)
        signals["control"].pulse(begin, end + self.recover, control)
        signals["trigger"].pulse(begin + self.select, end, self.supply)

    def drives(self) -> dict[str, Drive]:
        """All sources."""
        signals = self._signals()
        for cycle, start in enumerate(self.starts()):
            for phase in self.phases():
                self._drive(signals, start, phase)
                if phase.name == "compute":  # inputs rest high, see `CimColumn`
                    begin = start + phase.begin + 2 * _GAP + self.precharge
                    for j, digit in enumerate(self.pattern(cycle)):
                        signals[f"x{j}"].pulse(begin, start + phase.end - EDGE, self.supply * int(digit))
        return {**signals, "vdd": self.supply, "vw": self.write_rail, "vr": self.read_rail, "vss": 0.0}

    # --- bench

    def testbench(self) -> Testbench:
        """Measured, in the last cycle: see `measurements`."""
        return Testbench(
            self.circuit,
            self.starts()[-1] + self.cycle_time,
            self.drives(),
            measurements=self.measurements(),
            probes=tuple(f"v({node})" for one in self.circuit.junctions(INSTANCE) for node in (one.top, one.bottom)),
            states=self.junction_states,
            corner=self.corner,
            temperature=self.temperature,
            mismatch_seed=self.mismatch_seed,
            max_step=5e-11,
            relative_tolerance=1e-3,
            options="method=gear trtol=3",
            nodesets=self._nodesets(),
        )

    def _nodesets(self) -> dict[str, float]:
        # latches that have seen no decision yet: a side instead of the metastable point
        return {"sign": 0.0, f"x{INSTANCE}.xreadout.open_latch_qb": self.supply}

    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """Groups of sources: each supply, and all inputs."""
        groups = {name: (name,) for name in self.SUPPLIES}
        return {**groups, "inputs": tuple(p.name for p in self.circuit.ports() if p.direction == "input")}

    def measurements(self) -> dict[str, Measurement]:
        """What is measured.

        ``differenceK`` (V, outd - outp at the decision) and ``signK`` (V) of every cycle; of the last one ``delay``
        (s, decision to the comparator's outputs; NaN where it is not that of the ideal sum), ``pulse_width`` (s) and
        ``amplitude`` (V) on the first P-bit junction, ``read_voltage`` (V, on the first data junction,
        negative), ``disturb`` (V, the largest positive one there while computing), and
        energies (J): ``energy_PHASE_SOURCE``, ``energy_PHASE`` and ``energy``. Sources are the supplies and "inputs".
        """
        found: dict[str, Measurement] = {}
        last = self.cycles - 1
        start, end = self.starts()[-1], self.starts()[-1] + self.cycle_time
        if self.parts != "refresh":
            for cycle in range(self.cycles):
                decision = self.decision_time(cycle)
                found[f"difference{cycle}"] = At(Voltage("outd", "outp"), decision)
                found[f"sign{cycle}"] = At(Voltage("sign"), decision + 0.95 * self.decision)
            data = self.circuit.junctions(INSTANCE)[0]
            found["disturb"] = Peak(Voltage(data.top, data.bottom), "max", start + self.phases()[-1].begin, end)
            found["read_voltage"] = At(Voltage(data.top, data.bottom), self.decision_time(last))
            if self.ideal(last):
                node = f"x{INSTANCE}.xreadout.{'set_low' if self.ideal(last) > 0 else 'reset_low'}"
                found["delay"] = Delay(
                    Crossing(Voltage("decide"), self.supply / 2, "rise", self.decision_time(last) - EDGE),
                    Crossing(Voltage(node), self.supply / 2, "fall", self.decision_time(last)),
                )
        if self.parts != "compute":
            pbit = self.circuit.junctions(INSTANCE)[self.per_row - 1]
            across = Voltage(pbit.top, pbit.bottom)
            until = start + self.phases()[0].end
            found["pulse_width"] = Width(across, start, until)
            found["amplitude"] = Peak(across, "max", start, until)
        every = tuple(node for nodes in self.sources().values() for node in nodes)
        for phase in self.phases():
            begin, finish = start + phase.begin, start + phase.end
            for name, nodes in self.sources().items():
                found[f"energy_{phase.name}_{name}"] = Energy(Power(nodes), begin, finish)
            found[f"energy_{phase.name}"] = Energy(Power(every), begin, finish)
        found["energy"] = Energy(Power(every), start, end)
        return found


@dataclass(frozen=True, kw_only=True)
class CimBench(ColumnBench):
    """Cycles of a `CimColumn`: refresh all P-bits with one pulse, compute."""

    @property
    def name(self) -> str:
        """For messages."""
        return "in-situ bench"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.circuit, CimColumn):
            raise InputError(f"{self.circuit.name} is no in-situ column")

    def refresh_phases(self) -> tuple[tuple[str, float], ...]:
        """One write."""
        return (("refresh", self.select + self.pulse_time + _GAP),)

    def _drive(self, signals: dict[str, Signal], start: float, phase: Phase) -> None:
        if phase.name == "refresh":
            self._write(signals, start + phase.begin, self.control, "refresh")
        else:
            self._compute(signals, start + phase.begin)


@dataclass(frozen=True, kw_only=True)
class ExSituBench(ColumnBench):
    """Cycles of an `ExSituColumn`: draw the P-bits beside the crossbar, sense, compare, write in, compute."""

    toggle_control: float = _volts(_toggle_control, "control voltage of the generator for the toggling pulse")
    toggle_rail: float = _volts(lambda b: _rail(1, b), "rail of the toggling pulse")
    read_bias: float = _volts(_read_bias, "gates of the sense amplifiers' clamps")
    line_settle: float = _seconds(lambda b: 1e-9 + _charging(b, 4e-15), "read bias to sense")
    latch_delay: float = _seconds(lambda b: _charging(b, 6e-15), "sense to latch")
    latch_time: float = _seconds(1e-9, "latch to its answer")

    SUPPLIES: ClassVar[tuple[str, ...]] = ("vdd", "vw", "vt", "vr")

    @property
    def name(self) -> str:
        """For messages."""
        return "ex-situ bench"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.circuit, ExSituColumn):
            raise InputError(f"{self.circuit.name} is no ex-situ column")

    def refresh_phases(self) -> tuple[tuple[str, float], ...]:
        """Draw, sense, compare, write in."""
        write = self.select + self.pulse_time + _GAP
        read = self.line_settle + self.latch_delay + self.latch_time + 2 * _GAP
        return (("refresh", write), ("sense", read + _TRANSFER + _GAP), ("compare", read), ("write", write))

    def _drive(self, signals: dict[str, Signal], start: float, phase: Phase) -> None:
        begin, end = start + phase.begin, start + phase.end
        if phase.name == "refresh":
            self._write(signals, begin, self.control, "refresh", "array")
        elif phase.name == "sense":
            self._read(signals, begin, end, "array")
            done = begin + _GAP + self.line_settle + self.latch_delay + self.latch_time
            signals["transfer"].pulse(done, done + _TRANSFER, self.supply)
        elif phase.name == "compare":
            self._read(signals, begin, end, "hold")
        elif phase.name == "write":
            self._write(signals, begin, self.toggle_control, "write_in")
        else:
            self._compute(signals, begin)

    def _read(self, signals: dict[str, Signal], begin: float, end: float, line: str) -> None:
        """Settle, sense, latch; everything falls two edges before the end."""
        end -= _GAP
        sense = begin + _GAP + self.line_settle
        signals["reading"].pulse(begin, end, self.supply)
        signals[line].pulse(begin, end, self.supply)
        signals["read_bias"].pulse(begin + EDGE, end, self.read_bias)
        signals["sense"].pulse(sense, end, self.supply)
        signals["latch"].pulse(sense + self.latch_delay, end, self.supply)

    def drives(self) -> dict[str, Drive]:
        """All sources."""
        return {**super().drives(), "vt": self.toggle_rail}

    def _nodesets(self) -> dict[str, float]:
        rows = {f"x{INSTANCE}.xrow{j}": j for j in range(self.rows)}
        held = {f"{row}.held": 0.0 for row in rows}
        other = {f"{row}.not_held": self.supply for row in rows}
        sampled = {f"sampled{j}": 0.0 for j in range(self.rows)}
        return {**super()._nodesets(), **held, **other, **sampled}

    def measurements(self) -> dict[str, Measurement]:
        """Further ones, in V: ``sampledJ_volts``, ``sense_marginJ`` and ``compare_marginJ`` (q - qb at the latch).

        ``toggle_amplitude`` (V) and ``toggle_width`` (s) are those at the first row's pair, where it is written.
        """
        found = super().measurements()
        if self.parts != "compute":
            start, write = self.starts()[-1], self.phases()[3]
            for j in range(self.rows):
                found[f"sampled{j}_volts"] = At(Voltage(f"sampled{j}"), start + write.begin)
                margin = Voltage(*(f"x{INSTANCE}.xrow{j}.{q}" for q in ("q", "qb")))
                for phase in self.phases()[1:3]:
                    latch = start + phase.begin + _GAP + self.line_settle + self.latch_delay
                    found[f"{phase.name}_margin{j}"] = At(margin, latch)
            held = self.circuit.junctions(INSTANCE)[1]
            across = Voltage(held.top, held.bottom)
            found["toggle_width"] = Width(across, start + write.begin, start + write.end)
            found["toggle_amplitude"] = Peak(across, "max", start + write.begin, start + write.end)
        return found
