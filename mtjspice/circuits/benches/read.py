r"""Benches for read paths: one read, its delay, energy and disturbance.

The time of a bench is one full cycle, so that the energy includes what recharges the lines and outputs::

      wl, enable  ____/-----------------------\____    (and the bias of clamps)
      sense       ____________/---------------\____
      latch       ________________/-----------\____
                     |settle  |   window      |restore
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, isfinite, nan
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.circuits.benches.base import Bench
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.read import ComplementaryReadPath, ReadPath
from mtjspice.circuits.library.sense import (
    CurrentLatchedSenseAmplifier,
    PrechargeSenseAmplifier,
    VoltageSenseAmplifier,
)
from mtjspice.circuits.measurements import At, Crossing, Delay, Energy, Measurement, Peak, Power, Voltage
from mtjspice.circuits.parameters import quantity
from mtjspice.circuits.stimulus import EDGE, Signal
from mtjspice.circuits.technology import Technology
from mtjspice.circuits.testbench import INSTANCE, Drive, Testbench
from mtjspice.device import derived
from mtjspice.device.card import MTJCard
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.errors import InputError, choose

if TYPE_CHECKING:
    import xarray

AnyReadPath = ReadPath | ComplementaryReadPath

BEGIN = 0.3e-9  # s, from the start of a run to the word line
READ_VOLTAGE = 0.4  # V, the largest that clamped amplifiers are meant to leave on a junction


# --- operating conditions ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Conditions:
    """Voltages (V) and times (s) of a read.

    ``settle`` is the time from the word line to ``sense``, ``latch_delay`` that from ``sense`` to ``latch`` (where the
    amplifier has such an input), ``window`` that from ``sense`` to the end of the decision, ``restore`` what follows.
    """

    supply: float
    bias: float
    word_line: float
    settle: float
    latch_delay: float
    window: float
    restore: float = 3e-9


# amplifier -> technology -> (supply, bias) in V for junctions such as meram100's, whose TMR is halved at 0.5 V.
# A precharge amplifier leaves its supply less a threshold on the junction (1.4 V of 3.3 V: hardly any TMR).
_VOLTAGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "precharge_sense_amplifier": {"gf180mcu": (1.8, 0.0), "sky130": (1.4, 0.0), "freepdk45": (1.0, 0.0)},
    "current_latched_sense_amplifier": {"gf180mcu": (1.8, 1.2), "sky130": (1.8, 1.1), "freepdk45": (1.1, 0.8)},
    "voltage_sense_amplifier": {"gf180mcu": (1.8, 0.0), "sky130": (1.8, 0.0), "freepdk45": (1.1, 0.0)},
}
_KINDS: Mapping[str, type[Circuit]] = {
    "precharge": PrechargeSenseAmplifier,
    "current_latched": CurrentLatchedSenseAmplifier,
    "voltage": VoltageSenseAmplifier,
}
AMPLIFIERS = tuple(_KINDS)


def conditions(path: AnyReadPath) -> Conditions:
    """Return default conditions; times follow the line's time constant R_AP C. Other technologies: nominal supply."""
    amplifier = path.amplifier.name
    nominal = path.technology.supply_voltage
    supply, bias = _VOLTAGES.get(amplifier, {}).get(path.technology.name, (nominal, 0.6 * nominal))
    volts = read_voltage(path.card)
    resistance = derived.derive(path.card).resistance_antiparallel
    constant = resistance * path.line_capacitance
    settle = 0.0
    if "enable" in path.controls:
        settle = 1e-9 + 1.5 * constant
    elif "latch" in path.controls:
        settle = 1e-9 + 0.5 * constant
        bias += volts - READ_VOLTAGE
    latch_delay = 0.2e-9 + resistance * 4e-15 * READ_VOLTAGE / volts  # the outputs fall by some tenths of a volt
    return Conditions(supply, bias, nominal, settle, latch_delay, 3e-9 + 2 * constant + latch_delay)


def read_voltage(card: MTJCard) -> float:
    """Voltage (V) at which a junction is read well: 0.8 of that which halves the TMR, at most `READ_VOLTAGE`.

    Spin-transfer torque is the other limit: 0.4 of its critical voltage.
    """
    return min(READ_VOLTAGE, 0.8 * card.tmr_half_voltage, 0.4 * derived.derive(card).stt_critical_voltage)


def read_path(technology: Technology, card: MTJCard, amplifier: str = "precharge", *, side: str = "sl") -> ReadPath:
    """Return a read path with one of `AMPLIFIERS`; the bias resistor of "voltage" is made for the card."""
    kind = _KINDS[choose("sense amplifier", amplifier, AMPLIFIERS)]
    if kind is VoltageSenseAmplifier:
        supply, _ = _VOLTAGES["voltage_sense_amplifier"].get(technology.name, (technology.supply_voltage, 0.0))
        volts = read_voltage(card)
        current = volts * derived.conductance(card, 0.0, volts)
        # the mirror's gate lies about half of the supply below it
        return ReadPath(
            technology, card=card, side=side,
            amplifier=VoltageSenseAmplifier(technology, bias_resistance=0.5 * supply / current),
        )  # fmt: skip
    return ReadPath(technology, card=card, side=side, amplifier=kind(technology))


# --- one read ------------------------------------------------------------------------------------------------


def read_bench(
    path: AnyReadPath,
    *,
    state: int | None,
    corner: str = "",
    temperature: float = ROOM_TEMPERATURE,
    mismatch_seed: int | None = None,
    supply: float | None = None,
    bias: float | None = None,
    word_line: float | None = None,
    settle: float | None = None,
    latch_delay: float | None = None,
    window: float | None = None,
    restore: float | None = None,
    max_step: float = 1e-11,
) -> Testbench:
    """Return the bench of one read of a junction in ``state`` (1 P, -1 AP; None: the cell has no junction).

    The second junction of a complementary cell is in the other state. What is not given is taken from `conditions`.
    Measurements: ``delay`` (s, half of the supply on ``sense`` to half of it between the outputs, NaN for a wrong
    decision), ``energy`` (J, all sources, the whole cycle), ``difference`` (V, q less qb at the end of the window,
    positive for AP), ``margin`` (V, the same when ``latch`` rises, where the amplifier has it) and
    ``junction_voltage`` (V, the largest magnitude on the junction). InputError for a state that is none, for times
    that are negative and for an amplifier with inputs of other names.
    """
    if state not in (1, -1, None):
        raise InputError(f"state {state!r} must be 1 (P) or -1 (AP)")
    junctions = path.junctions(INSTANCE)
    if (state is None) == bool(junctions):
        raise InputError(f"state {state!r}, but {path.name} has {len(junctions)} junctions")
    given = {
        "supply": supply, "bias": bias, "word_line": word_line, "settle": settle, "latch_delay": latch_delay,
        "window": window, "restore": restore,
    }  # fmt: skip
    setup = replace(conditions(path), **{name: value for name, value in given.items() if value is not None})
    _check(setup)
    return Testbench(
        path,
        stop=BEGIN + setup.settle + setup.window + EDGE + setup.restore,
        drives=_drives(path, setup),
        measurements=_measurements(path, setup, state),
        states=() if state is None else (state, -state)[: len(junctions)],
        corner=corner,
        temperature=temperature,
        mismatch_seed=mismatch_seed,
        max_step=max_step,
    )


def _check(setup: Conditions) -> None:
    for name in ("supply", "word_line", "window", "restore"):
        if not 0 < getattr(setup, name) < inf:
            raise InputError(f"{name} = {getattr(setup, name):g} must be positive")
    for name in ("settle", "latch_delay"):
        if not 0 <= getattr(setup, name) < inf:
            raise InputError(f"{name} = {getattr(setup, name):g} must not be negative")
    if not isfinite(setup.bias):
        raise InputError(f"bias = {setup.bias} is no voltage")
    if setup.latch_delay >= setup.window:
        raise InputError(f"latch_delay = {setup.latch_delay:g} s must be shorter than window = {setup.window:g} s")


def _drives(path: AnyReadPath, setup: Conditions) -> dict[str, Drive]:
    sense = BEGIN + setup.settle
    end = sense + setup.window
    rails: dict[str, Drive] = {"vdd": setup.supply, "vss": 0.0}
    known: dict[str, Drive] = {
        "wl": Signal().pulse(BEGIN, end, setup.word_line),
        "sense": Signal().pulse(sense, end, setup.supply),
        "enable": Signal().pulse(BEGIN, end, setup.supply),
        "latch": Signal().pulse(sense + setup.latch_delay, end, setup.supply),
        # a mirror's bias stands still; clamps open with the word line, or the idle lines would charge up through them
        "bias": setup.bias if "enable" in path.controls else Signal().pulse(BEGIN, end, setup.bias),
    }
    unknown = set(path.controls) - known.keys()
    if unknown:
        raise InputError(f"{path.amplifier.name}: no drive is known for its input {', '.join(sorted(unknown))}")
    return {**{name: known[name] for name in ("wl", *path.controls)}, **rails}


def _measurements(path: AnyReadPath, setup: Conditions, state: int | None) -> dict[str, Measurement]:
    sense = BEGIN + setup.settle
    difference = Voltage("q", "qb")
    found: dict[str, Measurement] = {
        "difference": At(difference, sense + setup.window),
        "energy": Energy(Power(("wl", *path.controls, "vdd"))),
    }
    if "latch" in path.controls:
        found["margin"] = At(difference, sense + setup.latch_delay)
    if state is not None:
        half = setup.supply / 2
        found["delay"] = Delay(
            Crossing(Voltage("sense"), half, "rise"),
            Crossing(difference, -state * half, "fall" if state == 1 else "rise", after=sense),
        )
        junction = path.junctions(INSTANCE)[0]
        top, bottom = junction.top, junction.bottom
        # the side says which end is the higher one
        found["junction_voltage"] = Peak(Voltage(top, bottom) if path.side == "bl" else Voltage(bottom, top))
    return found


@dataclass(frozen=True)
class Reading:
    """One read; times in s, energy in J, voltages in V. ``margin`` is NaN where the amplifier has none."""

    state: int
    correct: bool
    delay: float
    energy: float
    junction_voltage: float
    difference: float
    margin: float
    waveforms: "xarray.Dataset" = field(repr=False, compare=False)


def read(path: AnyReadPath, state: int, **options: float | str | None) -> Reading:
    """Simulate one read with a junction that stands still; ``options`` are those of `read_bench`, as its errors are."""
    if state not in (1, -1):
        raise InputError(f"state {state!r} must be 1 (P) or -1 (AP)")
    data = read_bench(path, state=state, **options).run()  # type: ignore[arg-type]
    attrs = data.attrs
    return Reading(
        state,
        decision(attrs["difference"], float(data["v(vdd)"][0])) == -state,
        attrs["delay"],
        attrs["energy"],
        attrs["junction_voltage"],
        attrs["difference"],
        attrs.get("margin", nan),
        data,
    )


def decision(difference: float, supply: float) -> int:
    """1 for q high, -1 for qb high, 0 for outputs that are less than half of the supply apart: no decision."""
    return int(np.sign(difference)) if abs(difference) > supply / 2 else 0


@dataclass(frozen=True, kw_only=True)
class OneRead(Bench):
    """One read of a cell; the default voltages and times are those of `conditions`."""

    circuit: AnyReadPath = field(kw_only=False)
    sense_supply: float = quantity(lambda b: conditions(b.circuit).supply, "V", 0.1, lambda b: b.supply, "supply")
    bias: float = quantity(
        lambda b: conditions(b.circuit).bias,
        "V",
        0.0,
        lambda b: b.supply,
        "gates of clamps, or end of the bias resistor",
    )
    settle: float = quantity(lambda b: conditions(b.circuit).settle, "s", 0.0, 1e-6, "from the word line to sense")
    window: float = quantity(lambda b: conditions(b.circuit).window, "s", 1e-10, 1e-6, "from sense to the decision")

    def testbench(self) -> Testbench:
        """Measured: delay, energy, difference, margin where there is one, largest junction voltage."""
        if len(self.states) > 1 and self.states != (self.states[0], -self.states[0]):
            raise InputError(f"{self.circuit.name}: the two junctions hold a bit and its complement (01 or 10)")
        return read_bench(
            self.circuit, state=self.states[0] if self.states else 1, corner=self.corner,
            temperature=self.temperature, mismatch_seed=self.mismatch_seed, supply=self.sense_supply, bias=self.bias,
            settle=self.settle, window=self.window,
        )  # fmt: skip
