"""Junctions of a card as random-bit generators, and which pulses they get."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtjspice.bits.sources.base import CycleSource, check_lanes, check_seed
from mtjspice.device import chain, llg, macrospin
from mtjspice.device.card import MTJCard, load_card
from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.device.half_voltage import default_pulse_width, half_voltage
from mtjspice.errors import InputError, choose

Cycle = Literal["reset", "toggle"]
CYCLES = ("reset", "toggle")
_BLOCK = 256  # trials that are integrated together at least
_EDGE = 5e-11  # s, rise and fall time of the pulse
_LONGEST = 1e-3  # s


@dataclass(frozen=True)
class Perturbation:
    """The pulse of every cycle: ``voltage`` (V), ``pulse_width`` (s) at ``temperature`` (K).

    ``cycle``: with "reset" the junction is set to P before each pulse, so that bits are independent; with "toggle" it
    stays as it is, which gives a Markov chain. A one is AP.
    """

    card: MTJCard
    voltage: float
    pulse_width: float
    cycle: str = "reset"
    temperature: float = ROOM_TEMPERATURE

    def __post_init__(self) -> None:
        choose("cycle", self.cycle, CYCLES)

    def as_provenance(self) -> dict[str, str | int | float]:
        """What a bit file says of it."""
        return {
            "card": self.card.name, "voltage": self.voltage, "pulse_width": self.pulse_width, "cycle": self.cycle,
            "temperature": self.temperature,
        }  # fmt: skip


def perturbation(
    card: MTJCard | str,
    voltage: float | None = None,
    pulse_width: float | None = None,
    cycle: str = "reset",
    temperature: float = ROOM_TEMPERATURE,
) -> Perturbation:
    """The pulse of a card; by default one that switches P to AP with the probability 1/2.

    The width is by default half a precession (VCMA) or 10 ns, the voltage the lowest V50 at 300 K (a generator
    is trimmed once), found by the Fokker-Planck equation in some seconds.
    """
    device = load_card(card) if isinstance(card, str) else card
    choose("cycle", cycle, CYCLES)
    width = default_pulse_width(device) if pulse_width is None else pulse_width
    if not _EDGE <= width <= _LONGEST:
        raise InputError(f"the pulse width {width:g} s must lie between {_EDGE:g} and {_LONGEST:g} s")
    volts = half_voltage(device, width).voltage if voltage is None else voltage
    return Perturbation(device, volts, width, cycle, temperature)


def chain_model(pulse: Perturbation) -> chain.ChainModel:
    """The Markov chain of one junction, from the Fokker-Planck equation."""
    model = chain.of_pulse(pulse.card, pulse.voltage, pulse.pulse_width, temperature=pulse.temperature)
    if pulse.cycle == "toggle":
        return model
    return chain.ChainModel(model.p01, 1 - model.p01)


class MacrospinSource(CycleSource):
    """Junctions of a card integrated pulse by pulse, alone at an ideal voltage source; about a thousand bits a second.

    Each pulse of each junction has thermal noise of its own and meets it in equilibrium in its well. InputError for a
    pulse that the macrospin refuses.
    """

    origin = "macrospin"

    def __init__(self, pulse: Perturbation, seed: int, lanes: int = 1) -> None:
        self.lanes = check_lanes(lanes)
        self._pulse, self._seed = pulse, check_seed(seed)
        self._waveform = macrospin.pulse(pulse.voltage, pulse.pulse_width, _EDGE)
        self._row = llg.parameters(pulse.card, pulse.temperature)
        self._rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(0xACE,))))
        self._done = 0  # trials so far: each is a device of the noise
        self._ready = np.empty((0, self.lanes), np.uint8)
        self._states = np.full(self.lanes, macrospin.PARALLEL, np.int8)
        self.provenance = {"source": "macrospin", "seed": seed, **pulse.as_provenance()}

    def cycles(self, count: int) -> NDArray[np.uint8]:
        """The next ``count`` cycles, shape (count, lanes)."""
        parts = [self._ready]
        while sum(len(part) for part in parts) < count:
            parts.append(self._more())
        found = np.concatenate(parts)
        self._ready = found[count:]
        return found[:count]

    def _more(self) -> NDArray[np.uint8]:
        """The next cycles: of fixed number, so that the bits do not depend on how they are read."""
        if self._pulse.cycle == "toggle":
            self._states = self._pulsed(self._states)
            return _bits(self._states)[None]
        rows = -(-_BLOCK // self.lanes)
        states = self._pulsed(np.full(rows * self.lanes, macrospin.PARALLEL, np.int8))
        return _bits(states).reshape(rows, self.lanes)

    def _pulsed(self, states: NDArray[np.int8]) -> NDArray[np.int8]:
        """States after a pulse on junctions at rest in ``states``."""
        if self._done + len(states) > 2**32:
            raise InputError("a macrospin source gives at most 2^32 bits")
        initial = macrospin.thermal_states(self._pulse.card, states, self._rng, self._pulse.temperature)
        outcome = macrospin.run(
            self._row, initial, self._waveform.times, self._waveform.volts, self._seed, first_device=self._done
        )
        self._done += len(states)
        return outcome.states


def _bits(states: NDArray[np.int8]) -> NDArray[np.uint8]:
    return (states == macrospin.ANTIPARALLEL).astype(np.uint8)
