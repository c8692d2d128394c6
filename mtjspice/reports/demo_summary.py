"""The numbers of the main job as JSON: scalars in SI units, each with its interval beside it.

A key ``name`` that was estimated has a ``name_interval`` (95 %, ``low`` and ``high``); a ``name_range`` gives the
smallest and largest single value where one exists.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest
from scipy.stats import t as student

from mtjspice import __version__
from mtjspice.bits.diagnostics import Diagnosis
from mtjspice.bits.files import SIMULATED
from mtjspice.circuits.benches.word import WordBench
from mtjspice.device.chain import ChainModel
from mtjspice.generative.outcome import Outcome
from mtjspice.statistics import Proportion
from mtjspice.studies import switching
from mtjspice.studies.operation import PHASES, Cycles


def _mean(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """Mean of independent values with its t interval; null without two values."""
    found = values[np.isfinite(values)]
    if len(found) < 2:
        return {name: None, f"{name}_interval": None}
    mean = float(found.mean())
    half = float(student.ppf(0.975, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found)))
    return {name: mean, f"{name}_interval": {"low": mean - half, "high": mean + half}}


def _per_bit(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """Mean of (cycles, bits) values; the bits of a cycle are not independent, so the interval is over cycles."""
    finite = values[np.isfinite(values)]
    rows = values[np.isfinite(values).all(axis=1)]
    extent = {"minimum": float(finite.min()), "maximum": float(finite.max())} if len(finite) else None
    return _mean(name, rows.mean(axis=1)) | {f"{name}_range": extent}


def _proportion(name: str, found: Proportion) -> dict[str, Any]:
    return {
        name: found.value,
        f"{name}_interval": {"low": found.low, "high": found.high},
        f"{name}_count": found.count,
        f"{name}_trials": found.trials,
    }


def _estimate(name: str, value: float, interval: NDArray[np.float64]) -> dict[str, Any]:
    return {name: float(value), f"{name}_interval": {"low": float(interval[0]), "high": float(interval[1])}}


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    """Replace what JSON cannot hold: a counted law that misses a cell is infinitely far from N(0, 1)."""
    return {key: value if np.isfinite(value) else None for key, value in values.items()}


def _point(point: switching.SwitchingPoint) -> dict[str, Any]:
    return {
        "pulse_width": point.pulse_width,
        "probability": point.circuit.value,
        "low": point.circuit.low,
        "high": point.circuit.high,
        "trials": point.circuit.trials,
        "predicted": point.predicted.value,
        "predicted_low": point.predicted.low,
        "predicted_high": point.predicted.high,
        "predicted_trials": point.predicted.trials,
        "z_score": point.z_score,
        "amplitude": point.amplitude,
        "control_voltage": point.control,
        "undecided": point.undecided,
    }


def summarize(
    bench: WordBench,
    seed: int,
    points: Sequence[switching.SwitchingPoint],
    half: switching.HalfPoint,
    cycles: Cycles,
    model: ChainModel,
    diagnoses: tuple[Diagnosis, Diagnosis],
    made: Outcome,
) -> dict[str, Any]:
    """Return everything that goes into summary.json; ``diagnoses`` are of the co-simulated and the emulated bits."""
    bits = bench.word.bits
    agreement = switching.agreement(points)
    p01_interval, p10_interval = model.intervals()
    by_phase = cycles.energy.sum(axis=2).mean(axis=0) / bits
    by_source = cycles.energy.sum(axis=1).mean(axis=0) / bits
    return {
        "seed": seed,
        "mtjspice": __version__,
        "engine": cycles.engine,
        "fidelity": "cosim",
        "card": bench.word.card.name,
        "technology": bench.word.technology.name,
        "corner": bench.corner,
        "temperature": bench.temperature,
        "circuit": bench.word.name,
        "switching_curve": [_point(point) for point in points],
        "agreement": {"largest_z": agreement.largest_z, "p_value": agreement.p_value},
        "half_point": {
            "pulse_width": half.pulse_width,
            "control_voltage": half.control,
            **_proportion("predicted", half.predicted),
        },
        "energy_per_bit": {
            **_mean("total", cycles.energy.sum(axis=(1, 2)) / bits),
            **_mean("mtj", cycles.junction_energy.sum(axis=1) / bits),
            "by_phase": dict(zip(PHASES, by_phase.tolist(), strict=True)),
            "by_source": dict(zip(cycles.sources, by_source.tolist(), strict=True)),
        },
        **_per_bit("write_latency", cycles.write_latencies),
        **_per_bit("read_latency", cycles.read_latencies),
        "undecided_reads": int(np.count_nonzero(~np.isfinite(cycles.read_latencies))),
        **_per_bit("sense_margin", cycles.margins),
        **_proportion("read_error_rate", cycles.read_errors),
        **_proportion("reset_error_rate", cycles.reset_errors),
        "coupling_error": max(cycles.coupling_error, *(point.coupling_error for point in points)),
        "bits": {
            "cosimulated": diagnoses[0].length,
            "emulated": diagnoses[1].length,
            **_proportion("ones_fraction", diagnoses[0].ones),
            "emulator": {
                **_estimate("p01", model.p01[0], p01_interval[0]),
                **_estimate("p10", model.p10[0], p10_interval[0]),
            },
            "tests": {"cosimulated": diagnoses[0].as_dict(), "emulated": diagnoses[1].as_dict()},
            "notice": SIMULATED,
        },
        "gaussian_words": {
            "count": len(made.values),
            "counted": _finite(asdict(made.distances)),
            "fair_bits": _finite(asdict(made.fair_distances)),
        },
        "latent_codes": {
            "count": int(made.latents.size),
            "mean": float(made.latents.mean()),
            "standard_deviation": float(made.latents.std()),
            "kolmogorov_smirnov": float(kstest(made.latents.ravel(), "norm").statistic),
            "kolmogorov_smirnov_numpy": float(kstest(made.latents_numpy.ravel(), "norm").statistic),
        },
    }
