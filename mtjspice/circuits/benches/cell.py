"""A cell alone: one ideal pulse on its bit line, with the word line open and the source line grounded."""

from collections.abc import Mapping
from dataclasses import dataclass

from mtjspice.circuits.benches.base import Bench
from mtjspice.circuits.measurements import Energy, Measurement, Peak, Power, Voltage, Width
from mtjspice.circuits.parameters import quantity
from mtjspice.circuits.stimulus import EDGE, Signal
from mtjspice.circuits.testbench import INSTANCE, Drive, Testbench
from mtjspice.errors import InputError

_BEGIN, _REST = 0.5e-9, 1e-9  # s, before and after the pulse


@dataclass(frozen=True, kw_only=True)
class CellPulse(Bench):
    """One pulse on the bit lines of a cell; every input (word lines) is at the supply.

    A negative ``voltage`` is a positive pulse on the source line, with the bit lines grounded.
    """

    voltage: float = quantity(
        lambda b: min(1.2, b.supply), "V", -10.0, 10.0, "of the pulse; negative: on the source line"
    )
    pulse_width: float = quantity(1e-9, "s", 2e-11, 1e-5, "full width at half of the height")
    edge: float = quantity(EDGE, "s", 1e-12, 1e-8, "rise and fall time")
    word_line: float = quantity(lambda b: b.supply, "V", 0.0, lambda b: b.supply, "word line")

    def testbench(self) -> Testbench:
        """Measured: the junctions' largest voltages and the pulse's width on the first, energy."""
        if abs(self.voltage) > self.supply:
            raise InputError(
                f"voltage {self.voltage:g} V is out of range; allowed: up to the supply of {self.supply:g} V"
            )
        if self.pulse_width <= self.edge:
            raise InputError(f"pulse width {self.pulse_width:g} s must be wider than its edges, {self.edge:g} s")
        pulse = Signal(0.0, self.edge).pulse(_BEGIN, _BEGIN + self.pulse_width, abs(self.voltage))
        lines = {port.name for port in self.circuit.ports() if port.direction == "inout"}
        pulsed = {line for line in lines if line.startswith("sl") == (self.voltage < 0)}
        drives: dict[str, Drive] = {line: pulse if line in pulsed else 0.0 for line in sorted(lines)}
        for port in self.circuit.ports():
            if port.direction == "input":
                drives[port.name] = self.word_line
        return Testbench(
            self.circuit, _BEGIN + self.pulse_width + self.edge + _REST, {**drives, "vss": 0.0},
            measurements=self._measurements(tuple(sorted(pulsed))), states=self.states, corner=self.corner,
            temperature=self.temperature, mismatch_seed=self.mismatch_seed,
            max_step=min(2e-11, self.pulse_width / 20),
        )  # fmt: skip

    def _measurements(self, pulsed: tuple[str, ...]) -> Mapping[str, Measurement]:
        sign = 1 if self.voltage > 0 else -1
        found: dict[str, Measurement] = {"energy": Energy(Power(pulsed))}
        for k, junction in enumerate(self.circuit.junctions(INSTANCE)):
            ends = (junction.top, junction.bottom)[::sign]
            found[f"junction{k}_voltage"] = Peak(Voltage(*ends))
            if k == 0:
                found["junction0_width"] = Width(Voltage(*ends))
        return found
