"""Circuit-level switching probability against pulse width, beside the macrospin's prediction.

The prediction uses independent noise and initial states, but the very waveforms that the circuit put on its
junctions, so the two may differ by sampling alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import chi2, fisher_exact

from mtjspice.circuits.benches.word import WordBench
from mtjspice.device import llg, macrospin
from mtjspice.errors import InputError
from mtjspice.files import netcdf_attribute
from mtjspice.spice.jobs import CosimJob, CosimResult
from mtjspice.spice.pool import CosimPool
from mtjspice.statistics import Proportion, wilson
from mtjspice.studies import seeds
from mtjspice.studies.pulses import PulseCalibration, measure_pulse, write_bench

TRIM_ITERATIONS = 3


@dataclass(frozen=True)
class SwitchingPoint:
    """One pulse width: what the circuit did and what the macrospin predicts for its waveforms."""

    control: float
    pulse_width: float
    amplitude: float
    circuit: Proportion
    predicted: Proportion
    undecided: int
    coupling_error: float

    @property
    def z_score(self) -> float:
        """Signed normal score of the difference, from Fisher's exact test (valid for rare events, conservative)."""
        c, p = self.circuit, self.predicted
        table = [[c.count, c.trials - c.count], [p.count, p.trials - p.count]]
        score = -float(ndtri(float(fisher_exact(table).pvalue) / 2))
        return max(0.0, score) * (1 if c.value >= p.value else -1)


def switching_jobs(
    bench: WordBench, calibration: PulseCalibration, widths: Sequence[float], repeats: int, seed: int
) -> list[CosimJob]:
    """Return one job per width: ``repeats`` writes of a thermalized word in the P state."""
    if repeats < 1:
        raise InputError(f"the number of repeats must be positive, not {repeats}")
    card, bits = bench.word.card, bench.word.bits
    row = llg.parameters(card, bench.temperature)
    jobs = []
    for index, width in enumerate(widths):
        single = write_bench(bench, calibration.control_for(width), width)
        rng = seeds.generator(seed, seeds.INITIAL_STATES, index)
        initial = macrospin.thermal_states(card, np.ones(repeats * bits), rng, bench.temperature)
        jobs.append(
            CosimJob(
                deck=single.deck(),
                junctions=single.junctions(),
                rows=np.tile(row, (bits, 1)),
                initial=initial.reshape(repeats, bits, 3),
                seeds=tuple(seeds.word(seed, seeds.CIRCUIT_NOISE, index, k) for k in range(repeats)),
                stop=single.end,
            )
        )
    return jobs


def switching_curve(
    bench: WordBench,
    calibration: PulseCalibration,
    widths: Sequence[float],
    pool: CosimPool,
    *,
    repeats: int,
    predicted_trials: int,
    seed: int,
    on_result: Callable[[], None] = lambda: None,
    on_prediction: Callable[[], None] = lambda: None,
) -> tuple[SwitchingPoint, ...]:
    """Measure P_sw (P to AP) of the word at each nominal width (s), ``repeats`` words of trials each.

    ``on_result`` is called after each transient, ``on_prediction`` after each macrospin prediction.
    """
    jobs = switching_jobs(bench, calibration, widths, repeats, seed)
    points = []
    for index, (job, results) in enumerate(zip(jobs, pool.map(jobs, on_result), strict=True)):
        pulses = [measure_pulse(results[0].times, volts) for volts in results[0].voltages.T]
        switched, undecided = _switched(job, results)
        trials = repeats * bench.word.bits
        points.append(
            SwitchingPoint(
                control=calibration.control_for(widths[index]),
                pulse_width=float(np.mean([pulse.width for pulse in pulses])),
                amplitude=float(np.mean([pulse.amplitude for pulse in pulses])),
                circuit=wilson(switched, trials),
                predicted=predict(bench, results[0], predicted_trials, seeds.word(seed, seeds.PREDICTION, index)),
                undecided=undecided,
                coupling_error=max(result.coupling_error for result in results),
            )
        )
        on_prediction()
    return tuple(points)


def _switched(job: CosimJob, results: Sequence[CosimResult]) -> tuple[int, int]:
    """Count the junctions that end in AP once their noise has settled them, and the undecided ones."""
    devices = np.array([junction.device for junction in job.junctions])
    switched = undecided = 0
    for result in results:
        outcome = macrospin.settle(job.rows, result.magnetization, result.seed, devices, float(result.times[-1]))
        switched += int(np.count_nonzero(outcome.states == macrospin.ANTIPARALLEL))
        undecided += outcome.undecided
    return switched, undecided


def predict(bench: WordBench, result: CosimResult, trials: int, seed: int) -> Proportion:
    """Macrospin prediction of P_sw for the waveforms that one circuit run put on its junctions, in turn."""
    row = llg.parameters(bench.word.card, bench.temperature)
    rng = seeds.generator(seed, seeds.PREDICTION)
    initial = macrospin.thermal_states(bench.word.card, np.ones(trials), rng, bench.temperature)
    outcome = macrospin.run(row, initial, result.times, result.voltages.T, seed)
    return wilson(int(np.count_nonzero(outcome.states == macrospin.ANTIPARALLEL)), trials)


@dataclass(frozen=True)
class Agreement:
    """Do circuit and prediction differ by more than sampling? ``p_value`` of the sum of squared z-scores."""

    largest_z: float
    p_value: float


def agreement(points: Sequence[SwitchingPoint]) -> Agreement:
    """Compare circuit and prediction over all widths (chi-squared, one degree of freedom a width)."""
    z = np.array([point.z_score for point in points])
    return Agreement(float(np.max(np.abs(z))), float(chi2.sf(np.sum(z**2), len(z))))


def half_bracket(points: Sequence[SwitchingPoint]) -> tuple[float, float]:
    """Neighbouring pulse widths (s) between which P_sw crosses 1/2, on the flank that depends least on the width.

    Uses the prediction, whose error is the smaller. InputError if there is no crossing.
    """
    ordered = sorted(points, key=lambda point: point.pulse_width)
    crossings = []
    for a, b in pairwise(ordered):
        rise = b.predicted.value - a.predicted.value
        if (a.predicted.value - 0.5) * (b.predicted.value - 0.5) <= 0 and rise != 0:
            crossings.append((abs(rise) / (b.pulse_width - a.pulse_width), a.pulse_width, b.pulse_width))
    if not crossings:
        raise InputError("the switching probability does not cross 1/2 within the pulse widths studied")
    _, low, high = min(crossings)
    return low, high


@dataclass(frozen=True)
class HalfPoint:
    """The trimmed 50 % point: pulse width (s), control voltage (V) and the prediction there."""

    pulse_width: float
    control: float
    predicted: Proportion


def trim_half_point(
    bench: WordBench,
    calibration: PulseCalibration,
    points: Sequence[SwitchingPoint],
    pool: CosimPool,
    *,
    trials: int,
    seed: int,
    iterations: int = TRIM_ITERATIONS,
    on_iteration: Callable[[], None] = lambda: None,
) -> HalfPoint:
    """Find the pulse width with P_sw = 1/2 by false position on the flattest flank of the curve.

    Each iteration takes the waveform of one circuit run and ``trials`` macrospins on it, with the same noise every
    time so that the probability is a smooth function of the width. What remains is the sampling error.
    """
    low, high = half_bracket(points)
    noise = seeds.word(seed, seeds.PREDICTION)
    known = {point.pulse_width: point.predicted.value - 0.5 for point in points}
    f_low, f_high = known[low], known[high]
    width, found = low, points[0].predicted
    for _ in range(iterations):
        width = low + (high - low) * f_low / (f_low - f_high)
        (job,) = switching_jobs(bench, calibration, [width], 1, seed)
        ((result,),) = pool.map([job])
        found = predict(bench, result, trials, noise)
        error = found.value - 0.5
        on_iteration()
        if error == 0:
            break
        if error * f_low > 0:
            low, f_low = width, error
        else:
            high, f_high = width, error
    return HalfPoint(width, calibration.control_for(width), found)


def to_dataset(points: Sequence[SwitchingPoint], attributes: dict[str, str | int | float]) -> xr.Dataset:
    """Return the curve as a dataset over ``pulse_width`` with provenance in its attributes."""

    def column(values: list[float]) -> tuple[str, NDArray[np.float64]]:
        return "pulse_width", np.array(values, float)

    data = xr.Dataset(
        {
            "probability": column([p.circuit.value for p in points]),
            "low": column([p.circuit.low for p in points]),
            "high": column([p.circuit.high for p in points]),
            "trials": column([p.circuit.trials for p in points]),
            "predicted": column([p.predicted.value for p in points]),
            "predicted_low": column([p.predicted.low for p in points]),
            "predicted_high": column([p.predicted.high for p in points]),
            "predicted_trials": column([p.predicted.trials for p in points]),
            "amplitude": column([p.amplitude for p in points]),
            "control": column([p.control for p in points]),
        },
        coords={"pulse_width": ("pulse_width", np.array([p.pulse_width for p in points]), {"units": "s"})},
        attrs={name: netcdf_attribute(value) for name, value in attributes.items()},
    )
    data["amplitude"].attrs["units"] = data["control"].attrs["units"] = "V"
    return data
