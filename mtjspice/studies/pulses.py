"""Write pulses as they arrive at the junction: measuring them, and calibrating the generator that makes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from mtjspice.circuits.benches.word import WordBench, Write
from mtjspice.device import llg, macrospin
from mtjspice.errors import InputError, SimulatorError
from mtjspice.spice.jobs import CosimJob
from mtjspice.spice.pool import CosimPool
from mtjspice.studies import seeds

# control voltages (V) at which the generator is measured, closer where the delay is steep
CONTROL_GRID = (3.3, 2.2, 1.7, 1.4, 1.2, 1.05, 0.95, 0.89, 0.84, 0.80)
TAIL = 8e-10  # s, quiet time simulated after the end of a pulse
PREPARED_TRIGGER = 1.5e-10  # s, when a word that is already prepared for the write is triggered


@dataclass(frozen=True)
class Pulse:
    """A pulse at a junction: full width at half maximum (s), plateau (V), times of its half-maximum edges (s)."""

    width: float
    amplitude: float
    start: float
    end: float


def measure_pulse(times: NDArray[np.float64], volts: NDArray[np.float64]) -> Pulse:
    """Measure the single pulse in a waveform (both (k,)); SimulatorError if there is none or it does not end.

    The amplitude is the median of what exceeds half of the maximum, which an overshoot does not move.
    """
    peak = float(volts.max())
    above = volts > peak / 2
    if peak < 0.05 or above[-1] or above[0]:
        raise SimulatorError("no complete pulse reached the junction")
    dense = np.linspace(times[above][0], times[above][-1], 201)
    amplitude = float(np.median(np.interp(dense, times, volts)))
    high = np.flatnonzero(volts > amplitude / 2)
    first, last = int(high[0]), int(high[-1])
    start, end = (
        float(np.interp(amplitude / 2, volts[pair], times[pair])) for pair in ([first - 1, first], [last + 1, last])
    )
    return Pulse(end - start, amplitude, start, end)


@dataclass(frozen=True)
class PulseCalibration:
    """Measured pulse ``widths`` (s) and ``delays`` (s, trigger to pulse) at ``controls`` (V), widths increasing."""

    controls: NDArray[np.float64]
    widths: NDArray[np.float64]
    delays: NDArray[np.float64]

    def control_for(self, width: float) -> float:
        """Control voltage for a width; InputError outside the measured range. Monotone cubic in log(width)."""
        low, high = self.widths[0], self.widths[-1]
        if not low <= width <= high:
            raise InputError(
                f"pulse width {width * 1e9:.3g} ns is out of range; "
                f"the generator makes {low * 1e9:.3g} to {high * 1e9:.3g} ns"
            )
        return float(PchipInterpolator(np.log(self.widths), self.controls)(np.log(width)))


def write_bench(bench: WordBench, control: float, width: float) -> WordBench:
    """Turn a bench into one that applies a single write pulse of about ``width`` seconds to every column."""
    timing = replace(bench.timing.for_width(width), trigger=PREPARED_TRIGGER)
    stop = timing.trigger + timing.trigger_high
    quiet = timing.trigger + width + TAIL + 4e-10  # the pulse starts up to 0.4 ns after the trigger
    return replace(bench, operations=(Write(control),), timing=timing, stop=min(stop, quiet))


def calibrate_pulse(
    bench: WordBench,
    pool: CosimPool,
    seed: int,
    controls: Sequence[float] = CONTROL_GRID,
    on_result: Callable[[], None] = lambda: None,
) -> PulseCalibration:
    """Measure the pulse that each control voltage puts on the first junction of the word.

    ``bench`` gives word, corner, temperature and levels. Control voltages that make no complete pulse within the
    longest slot are left out; SimulatorError if fewer than two remain.
    """
    card, bits = bench.word.card, bench.word.bits
    row = llg.parameters(card, bench.temperature)
    rng = seeds.generator(seed, seeds.CALIBRATION)
    longest = 4.5e-9
    jobs: list[CosimJob] = []
    for control in controls:
        single = write_bench(bench, control, longest)
        initial = macrospin.thermal_states(card, np.ones(bits), rng, bench.temperature)
        jobs.append(
            CosimJob(
                deck=single.deck(),
                junctions=single.junctions(),
                rows=np.tile(row, (bits, 1)),
                initial=initial[None],
                seeds=(seeds.word(seed, seeds.CALIBRATION, len(jobs)),),
                stop=single.end,
            )
        )
    rows = []
    for control, results in zip(controls, pool.map(jobs, on_result), strict=True):
        try:
            pulse = measure_pulse(results[0].times, results[0].voltages[:, 0])
        except SimulatorError:
            continue
        rows.append((pulse.width, control, pulse.start - PREPARED_TRIGGER))
    if len(rows) < 2:
        raise SimulatorError("the pulse generator makes no complete pulse at any of the control voltages")
    table = np.array(sorted(rows))
    return PulseCalibration(controls=table[:, 1], widths=table[:, 0], delays=table[:, 2])
