"""The junction and the column that the experiments share: pulses as they arrive at the P-bits, and what these do."""

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.device.constants import ROOM_TEMPERATURE
from mtjspice.statistics import Proportion, wilson

if TYPE_CHECKING:
    from mtjspice.device.card import MTJCard

Floats = NDArray[np.float64]

CARD = "imec_iedm24"
TECHNOLOGY = "gf180mcu"
ROWS = 8  # for which the column's rails are made
P, AP = 1, -1


@cache
def card(*, spread: bool = True) -> "MTJCard":
    """The card of the paper's junction, with or without its spread of the drive from pulse to pulse."""
    from mtjspice.device.card import load_card

    found = load_card(CARD)
    return found if spread else found.replace(cycle_to_cycle_spread=0.0)


@dataclass(frozen=True, eq=False)
class CellPulses:
    """Voltages (rows, k) over times (k,) at the P-bits of a column; ``amplitude`` (V), ``width`` (s) of the first."""

    times: Floats
    volts: Floats
    amplitude: float
    width: float


def cell_pulses(
    rows: int = ROWS, rail: float | None = None, mismatch_seed: int | None = None, technology: str = TECHNOLOGY
) -> CellPulses:
    """Simulate one refresh of a column whose junctions stand still."""
    from mtjspice.circuits.benches.cim import CimBench
    from mtjspice.circuits.library.cim import CimColumn
    from mtjspice.circuits.technology import technology as technology_of
    from mtjspice.studies.pulses import measure_pulse

    column = CimColumn(technology_of(technology), card=card(), rows=rows)
    settings = CimBench(column, parts="refresh", mismatch_seed=mismatch_seed)
    bench = (settings if rail is None else replace(settings, write_rail=rail)).testbench()
    data = bench.run()
    ends = [(data[f"v({one.top})"].values, data[f"v({one.bottom})"].values) for one in bench.junctions()[1::2]]
    volts = np.array([top - bottom for top, bottom in ends])
    times = np.asarray(data["time"].values)
    pulse = measure_pulse(times, volts[0])
    return CellPulses(times, volts, pulse.amplitude, pulse.width)


def switched(junction: "MTJCard", pulses: CellPulses, trials: int, seed: int, state: int = P) -> list[Proportion]:
    """Count macrospins of each row that its waveform switches out of ``state``, ``trials`` a row."""
    from mtjspice.device import llg, macrospin

    rows = len(pulses.volts)
    which = np.repeat(np.arange(rows), trials)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(state % 4,)))
    initial = macrospin.thermal_states(junction, np.full(len(which), state), rng, ROOM_TEMPERATURE)
    noise = int(rng.integers(2**32))
    outcome = macrospin.run(
        llg.parameters(junction, ROOM_TEMPERATURE), initial, pulses.times, pulses.volts, noise, choice=which
    )
    counts = np.bincount(which[outcome.states != state], minlength=rows)
    return [wilson(int(count), trials) for count in counts]


def streams(seed: int, count: int) -> list[int]:
    """Independent seeds of 31 bits."""
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(count) >> np.uint32(1)]
