"""Circuit-level switching probability against pulse width, beside the macrospin's prediction.

The prediction uses independent noise and initial states, but the very waveforms that the circuit put on its
junctions, so the two may differ by sampling alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import chi2

from mtjspice.circuits.bench import WordBench
from mtjspice.device import llg, macrospin
from mtjspice.errors import InputError
from mtjspice.spice.jobs import CosimJob, CosimResult
from mtjspice.spice.pool import CosimPool
from mtjspice.statistics import Proportion, wilson
from mtjspice.studies import seeds
from mtjspice.studies.pulses import PulseCalibration, measure_pulse, write_bench


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
        """Difference over its standard error, pooled under the hypothesis of equal probabilities."""
        c, p = self.circuit, self.predicted
        pooled = (c.count + p.count) / (c.trials + p.trials)
        variance = pooled * (1 - pooled) * (1 / c.trials + 1 / p.trials)
        return (c.value - p.value) / variance**0.5 if variance > 0 else 0.0


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


def half_point(points: Sequence[SwitchingPoint]) -> float:
    """Pulse width (s) at which P_sw = 1/2, on the flank where it is least sensitive to the width.

    Interpolates the prediction, whose error is the smaller, between neighbouring widths.
    """
    width = np.array([point.pulse_width for point in points])
    p = np.array([point.predicted.value for point in points])
    crossings = []
    for k in range(len(p) - 1):
        if (p[k] - 0.5) * (p[k + 1] - 0.5) <= 0 and p[k] != p[k + 1]:
            slope = (p[k + 1] - p[k]) / (width[k + 1] - width[k])
            crossings.append((abs(slope), width[k] + (0.5 - p[k]) / slope))
    if not crossings:
        raise InputError("the switching probability does not cross 1/2 within the pulse widths studied")
    return float(min(crossings)[1])


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
        attrs=dict(attributes),
    )
    data["amplitude"].attrs["units"] = data["control"].attrs["units"] = "V"
    return data
