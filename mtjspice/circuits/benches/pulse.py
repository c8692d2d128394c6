"""Pulse generators on their test bench: width, amplitude, edges and energy, and the settings for a wanted pulse."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from math import exp, log
from types import MappingProxyType

from scipy.optimize import brentq

from mtjspice.circuits.benches.base import Bench
from mtjspice.circuits.library.pulse import PulseWriter, TapPulseGenerator
from mtjspice.circuits.measurements import Energy, Peak, Power, Rise, Voltage, Width
from mtjspice.circuits.parameters import count, quantity
from mtjspice.circuits.stimulus import EDGE, Signal
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError

WIDTH_TOLERANCE = 0.03  # relative
AMPLITUDE_TOLERANCE = 0.01  # relative
_BEGIN = 0.5e-9  # s, the trigger
_REST = 1.5e-9  # s, after the pulse
_LOWEST_CONTROL = 0.05  # of the supply: below it a delay takes microseconds
_ROUNDS = 4  # of width and amplitude in turn; each hardly moves the other


@dataclass(frozen=True)
class Load:
    """What the driver works on: a line (F) and a cell (ohm)."""

    capacitance: float = 50e-15
    resistance: float = 10e3


@dataclass(frozen=True)
class Conditions:
    """Corner (the technology's default if empty), temperature (K), supply (V; nominal if 0) and load."""

    corner: str = ""
    temperature: float = ROOM_TEMPERATURE
    supply: float = 0.0
    load: Load = Load()

    def resolved(self, technology: Technology) -> "Conditions":
        """The same with the technology's corner and supply where they were left open."""
        return replace(
            self, corner=self.corner or technology.default_corner, supply=self.supply or technology.supply_voltage
        )


@dataclass(frozen=True)
class CalibratedPulse:
    """Settings of a generator and its driver, and the pulse that they make.

    ``settings`` are voltages (V) of the generator's inputs and ``rail`` (V) that of the driver. Measured at the load
    are ``width`` (s, full width at half of the amplitude), ``amplitude`` (V) and ``rise_time`` (s, 10 to 90 %);
    ``energy`` (J) is everything drawn for one pulse.
    """

    settings: Mapping[str, float]
    rail: float
    width: float
    amplitude: float
    rise_time: float
    energy: float
    conditions: Conditions

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {**asdict(replace(self, settings={})), "settings": dict(self.settings)}


def pulse_bench(
    writer: PulseWriter, settings: Mapping[str, float], rail: float, longest: float,
    conditions: Conditions = Conditions(),
) -> Testbench:  # fmt: skip
    """Return the bench of one pulse; ``longest`` (s) is the widest pulse that fits.

    Raises InputError for a rail above the supply (the wells of the driver's p-channel FETs are there).
    """
    conditions = conditions.resolved(writer.technology)
    supply = conditions.supply
    if not 0 < rail <= supply:
        raise InputError(f"write rail {rail:.4g} V is out of range; allowed: up to the supply of {supply:g} V")
    end = _BEGIN + 1.3 * longest + 1e-9
    signal = Voltage("out")
    return Testbench(
        writer,
        end + _REST,
        {
            "trigger": Signal().pulse(_BEGIN, end, supply), **settings, "vw": rail, "vdd": supply, "vss": 0.0,
        },
        loads={"out": conditions.load.capacitance},
        resistors={"out": conditions.load.resistance},
        measurements={
            "width": Width(signal, _BEGIN),
            "amplitude": Peak(signal, "max", _BEGIN + EDGE),
            "rise_time": Rise(signal, _BEGIN),
            "energy": Energy(Power(("vdd", "vw")), _BEGIN),
        },
        corner=conditions.corner,
        temperature=conditions.temperature,
        max_step=min(2e-11, max(5e-12, longest / 50)),
    )  # fmt: skip


def calibrate_pulse(
    writer: PulseWriter, width: float, amplitude: float, conditions: Conditions = Conditions(),
    *, tolerance: float = WIDTH_TOLERANCE,
) -> CalibratedPulse:  # fmt: skip
    """Find the settings for a pulse of ``width`` (s) and ``amplitude`` (V) at the load.

    A current-starved generator gets a control voltage; a tapped one its nearest tap, if that is within ``tolerance``
    (relative). Raises InputError, naming the limit, for a pulse that is narrower or wider than the generator makes, or
    higher than the driver reaches with its rail at the supply.
    """
    conditions = conditions.resolved(writer.technology)
    _check(width, amplitude, conditions)
    rail = amplitude
    select = _tap if isinstance(writer.generator, TapPulseGenerator) else _control
    for _ in range(_ROUNDS):
        settings = select(writer, width, rail, conditions, tolerance)
        found = _measured(writer, settings, rail, width, conditions)
        if abs(found.amplitude / amplitude - 1) < AMPLITUDE_TOLERANCE and abs(found.width / width - 1) < tolerance:
            return found
        rail = _rail(writer, settings, width, amplitude, conditions)
    raise InputError(
        f"no setting of {writer.name} in {_place(writer, conditions)} makes a pulse of {amplitude:g} V and "
        f"{width * 1e9:g} ns; width and amplitude depend on each other too much"
    )


def _rail(
    writer: PulseWriter, settings: Mapping[str, float], width: float, amplitude: float, conditions: Conditions
) -> float:
    """The voltage of the write rail at which the load gets ``amplitude``."""
    supply = conditions.supply

    def miss(rail: float) -> float:
        found = _measured(writer, settings, rail, width, conditions)
        return log(amplitude / found.amplitude) if found.amplitude > 0 else 1.0

    best = miss(supply)
    if best > AMPLITUDE_TOLERANCE:
        raise InputError(
            f"amplitude {amplitude:g} V is out of reach at {width * 1e9:g} ns in {_place(writer, conditions)}; "
            f"with the rail at the supply of {supply:g} V the load gets {amplitude * exp(-best):.4g} V"
        )
    return supply if best > 0 else _root(miss, 0.8 * amplitude, supply, AMPLITUDE_TOLERANCE / 4)


def _check(width: float, amplitude: float, conditions: Conditions) -> None:
    if not 0 < amplitude <= conditions.supply:
        raise InputError(
            f"amplitude {amplitude:g} V is out of range; the rail goes up to the supply of {conditions.supply:g} V"
        )
    if not 0 < width < 1e-6:
        raise InputError(f"pulse width {width * 1e9:g} ns is out of range; allowed: up to 1000 ns")


def _measured(
    writer: PulseWriter, settings: Mapping[str, float], rail: float, longest: float, conditions: Conditions
) -> CalibratedPulse:
    """Measure one pulse; its amplitude and width are 0 where none is complete."""
    found = pulse_bench(writer, settings, rail, longest, conditions).run().attrs
    complete = found["width"] == found["width"] and found["amplitude"] > 0.3 * rail
    return CalibratedPulse(
        MappingProxyType(dict(settings)), rail, found["width"] if complete else 0.0,
        found["amplitude"] if complete else 0.0, found["rise_time"], found["energy"], conditions,
    )  # fmt: skip


def _control(
    writer: PulseWriter, width: float, rail: float, conditions: Conditions, tolerance: float
) -> dict[str, float]:
    """The control voltage of a starved generator."""
    supply = conditions.supply
    longest = 2 * width

    def miss(control: float) -> float:
        pulse = _measured(writer, {"control": control}, rail, longest, conditions)
        # none that ends: far too wide. (One that does not begin is seen at the full supply, below.)
        return log(pulse.width / width) if pulse.width > 0 else log(longest / width) + 1

    fastest = _measured(writer, {"control": supply}, rail, width, conditions)
    if not 0 < fastest.width <= width * (1 + tolerance / 2):
        limit = f"{fastest.width * 1e9:.3g} ns" if fastest.width > 0 else "a wider one"
        raise InputError(
            f"pulse width {width * 1e9:g} ns is too narrow for {writer.generator.name} in "
            f"{_place(writer, conditions)}; the narrowest that it makes is {limit}"
        )
    if log(fastest.width / width) > -tolerance / 4:
        return {"control": supply}
    lowest = _LOWEST_CONTROL * supply
    if miss(lowest) < 0:
        raise InputError(
            f"pulse width {width * 1e9:g} ns is too wide for {writer.generator.name} in {_place(writer, conditions)}"
        )
    return {"control": _root(miss, lowest, supply, tolerance / 4)}


def _root(miss: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Where ``miss``, falling from low to high, is within ``tolerance`` of zero."""

    seen: dict[float, float] = {}

    def watched(x: float) -> float:
        if x not in seen:
            seen[x] = miss(x)
        if abs(seen[x]) < tolerance:
            raise StopIteration
        return seen[x]

    with suppress(StopIteration):
        brentq(watched, low, high, xtol=1e-6, maxiter=40)
    return min(seen, key=lambda x: abs(seen[x]))


def tap_settings(generator: TapPulseGenerator, tap: int, supply: float) -> dict[str, float]:
    """Voltages (V) of the select inputs that choose a tap."""
    return {name: supply if k == tap else 0.0 for k, name in enumerate(generator.selects)}


def _tap(writer: PulseWriter, width: float, rail: float, conditions: Conditions, tolerance: float) -> dict[str, float]:
    """The tap of a tapped generator; widths grow with its number."""
    generator = writer.generator
    assert isinstance(generator, TapPulseGenerator)
    supply = conditions.supply
    widths: dict[int, float] = {}

    def of(tap: int) -> float:
        if tap not in widths:
            settings = tap_settings(generator, tap, supply)
            # room for ten times the wanted width, at least for the shortest line of any technology
            widths[tap] = _measured(writer, settings, rail, max(width, 5e-9), conditions).width
        return widths[tap]

    low, high = 0, generator.taps - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if 0 < of(middle) <= width else (low, middle)
    best = min((low, high), key=lambda tap: abs(of(tap) - width))
    if abs(of(best) / width - 1) > tolerance:
        near = ", ".join(f"{of(tap) * 1e9:.4g} ns (tap {tap})" for tap in sorted({low, high}))
        raise InputError(
            f"no tap makes a pulse within {tolerance:.0%} of {width * 1e9:g} ns in {_place(writer, conditions)}; "
            f"nearest: {near} of {generator.taps}"
        )
    return tap_settings(generator, best, supply)


def _place(writer: PulseWriter, conditions: Conditions) -> str:
    return f"{writer.technology.name} {conditions.corner}"


@dataclass(frozen=True, kw_only=True)
class PulseWriterBench(Bench):
    """One pulse of a generator and its driver on a load."""

    circuit: PulseWriter = field(kw_only=False)
    control: float = quantity(
        lambda b: 0.36 * b.supply, "V", 0.0, lambda b: b.supply, "control voltage of a starved generator"
    )
    tap: int = count(0, 0, 31, "selected tap of a tapped generator")
    write_rail: float = quantity(lambda b: min(1.25, 0.9 * b.supply), "V", 0.0, lambda b: b.supply, "write rail")
    longest: float = quantity(3e-9, "s", 1e-10, 1e-6, "widest pulse that fits into the run")
    load_capacitance: float = quantity(50e-15, "F", 0.0, 1e-11, "line at the driver", assumed=True)
    load_resistance: float = quantity(10e3, "ohm", 10.0, 1e9, "cell at the driver", assumed=True)

    def testbench(self) -> Testbench:
        """Measured: width, amplitude, rise time, energy."""
        generator = self.circuit.generator
        settings = {"control": self.control}
        if isinstance(generator, TapPulseGenerator):
            if self.tap >= generator.taps:
                raise InputError(f"tap {self.tap} is out of range; the generator has taps 0 to {generator.taps - 1}")
            settings = tap_settings(generator, self.tap, self.supply)
        load = Load(self.load_capacitance, self.load_resistance)
        bench = pulse_bench(
            self.circuit, settings, self.write_rail, self.longest,
            Conditions(self.corner, self.temperature, 0.0, load),
        )  # fmt: skip
        return replace(bench, mismatch_seed=self.mismatch_seed)
