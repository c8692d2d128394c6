"""The main job, end to end: an 8-bit MeRAM word in real CMOS, its bits, and what they are for."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import kstest
from scipy.stats import t as student

from mtjspice import __version__
from mtjspice.bits.diagnostics import Diagnosis, diagnose
from mtjspice.bits.stream import NOTICE, BitStream
from mtjspice.circuits.bench import Levels, Read, WordBench
from mtjspice.circuits.meram import MeramWord
from mtjspice.circuits.technology import technology
from mtjspice.device import chain
from mtjspice.device.card import load_card
from mtjspice.files import output_folder, write_atomically
from mtjspice.generative import diffusion, latents, words
from mtjspice.progress import ProgressBar
from mtjspice.reports import demo_report
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.pool import CosimPool
from mtjspice.statistics import Proportion
from mtjspice.studies import operation, pulses, seeds, switching

CARD = "meram100"
TECHNOLOGY = "gf180mcu"
# nominal pulse widths (s): the first maximum, the minimum and the second maximum of P_sw lie among them
WIDTHS = tuple(w * 1e-9 for w in (0.35, 0.42, 0.52, 0.7, 0.95, 1.2, 1.4, 1.55, 1.7, 1.95, 2.25, 2.6, 2.95, 3.4))
RESET_WIDTH = 1.0e-9  # s, where P_sw has its broad maximum
IMAGE_SIZE = 128
IMAGE_STEPS = (0, 50, 150, 350, 999)
LATENT_SHAPE = (120, 512)


@dataclass(frozen=True)
class Effort:
    """How much is simulated. The defaults take about two minutes on two cores."""

    repeats: int = 20
    predicted_trials: int = 1600
    trim_trials: int = 5000
    chunks: int = 8
    cycles: int = 8
    emulated_bits: int = 1_000_000


@dataclass(frozen=True)
class DemoResult:
    """Everything the report shows; ``summary`` is what goes to summary.json."""

    summary: dict[str, Any]
    report: str
    cosimulated: BitStream
    emulated: BitStream
    curve: xr.Dataset


def default_bench() -> WordBench:
    """Return the word of the demo: card meram100 in gf180mcu, typical corner, 300 K."""
    tech = technology(TECHNOLOGY)
    return WordBench(MeramWord(tech, load_card(CARD)), (Read(),), tech.default_corner, levels=Levels())


def run(out: Path, seed: int, effort: Effort | None = None) -> dict[str, Any]:
    """Run the job and write report.html, summary.json, the bits and the curve to ``out``; return the summary.

    Nothing is written before everything is computed. Raises InputError and SimulatorError.
    """
    seeds.check_seed(seed)
    output_folder(out)
    result = compute(seed, effort or Effort())
    result.cosimulated.write_binary(out / "bits_cosimulated.bin")
    result.emulated.write_binary(out / "bits_emulated.bin")
    write_atomically(out / "switching_curve.nc", bytes(result.curve.to_netcdf()))
    write_atomically(out / "summary.json", json.dumps(result.summary, indent=2, allow_nan=False) + "\n")
    write_atomically(out / "report.html", result.report)
    return result.summary


def compute(seed: int, effort: Effort) -> DemoResult:
    """Simulate, emulate and evaluate; no files are touched."""
    library = find_libngspice()
    bench = default_bench()
    # progress is counted in estimated seconds of one core
    cost_write, cost_trial, cost_cycle = 0.3, 1e-3, 1.2
    cost_predict = effort.predicted_trials * cost_trial
    cost_trim = cost_write + effort.trim_trials * cost_trial
    total = (
        cost_write * (len(pulses.CONTROL_GRID) + len(WIDTHS) * effort.repeats)
        + cost_predict * len(WIDTHS)
        + cost_trim * switching.TRIM_ITERATIONS
        + cost_cycle * effort.chunks * effort.cycles
        + 5
    )
    with ProgressBar(total) as bar, CosimPool(library) as pool:
        bar.stage("calibrating the pulse generator")
        calibration = pulses.calibrate_pulse(bench, pool, seed, on_result=lambda: bar.advance(cost_write))
        bar.stage("writing at every pulse width")
        points = switching.switching_curve(
            bench, calibration, WIDTHS, pool, repeats=effort.repeats, predicted_trials=effort.predicted_trials,
            seed=seed, on_result=lambda: bar.advance(cost_write), on_prediction=lambda: bar.advance(cost_predict),
        )  # fmt: skip
        bar.stage("trimming the 50 % point")
        half = switching.trim_half_point(
            bench, calibration, points, pool, trials=effort.trim_trials, seed=seed,
            on_iteration=lambda: bar.advance(cost_trim),
        )  # fmt: skip
        bar.stage("running the word at its 50 % point")
        cycles, trace = operation.operate(
            bench, pool, reset_control=calibration.control_for(RESET_WIDTH),
            write_control=half.control, chunks=effort.chunks, cycles=effort.cycles, seed=seed,
            on_result=lambda: bar.advance(cost_cycle * effort.cycles),
        )  # fmt: skip
        bar.stage("bits, noise and the report")
        return _evaluate(bench, seed, effort, points, half, cycles, trace)


def _evaluate(
    bench: WordBench,
    seed: int,
    effort: Effort,
    points: Sequence[switching.SwitchingPoint],
    half: switching.HalfPoint,
    cycles: operation.Cycles,
    trace: operation.Trace,
) -> DemoResult:
    provenance: dict[str, str | int | float] = {
        "card": bench.word.card.name,
        "technology": bench.word.technology.name,
        "corner": bench.corner,
        "temperature": bench.temperature,
        "circuit": bench.word.name,
        "seed": seed,
        "engine": cycles.engine,
        "mtjspice": __version__,
    }
    cosimulated = BitStream.from_bits(cycles.data.ravel(), "co-simulated", provenance)
    # transitions are counted within each transient: a transient is a lane of its own
    lanes = cycles.data.reshape(effort.chunks, effort.cycles, -1).transpose(1, 0, 2).reshape(effort.cycles, -1)
    model = chain.fit(lanes)
    bits = bench.word.bits
    sampled = model.sample(-(-effort.emulated_bits // bits), seeds.generator(seed, seeds.EMULATOR), lanes=bits)
    emulated = BitStream.from_bits(
        sampled.ravel()[: effort.emulated_bits],
        "emulated",
        provenance | {"calibrated_on_bits": len(cosimulated)},
    )
    diagnoses = diagnose(cosimulated), diagnose(emulated)
    generated = _generate(emulated, seed)
    summary = _summary(bench, seed, points, half, cycles, cosimulated, emulated, model, diagnoses, generated)
    report = demo_report.render(
        demo_report.Contents(
            bench=bench, summary=summary, points=points, half=half, cycles=cycles, trace=trace,
            emulated=emulated, diagnoses=diagnoses, words=generated.values,
            images=_images(generated), image_steps=IMAGE_STEPS,
            latents=(("MTJ bits (emulated)", generated.latents), ("NumPy", generated.latents_numpy)),
        )
    )  # fmt: skip
    attributes: dict[str, str | int | float] = {**provenance, "title": "switching probability P to AP"}
    return DemoResult(summary, report, cosimulated, emulated, switching.to_dataset(points, attributes))


@dataclass(frozen=True)
class Generated:
    """What the bits became: Gaussian words and latent codes, with NumPy's beside them."""

    distances: words.LawDistances
    fair_distances: words.LawDistances
    values: NDArray[np.float64]
    noise_numpy: NDArray[np.float64]
    latents: NDArray[np.float64]
    latents_numpy: NDArray[np.float64]


def _generate(emulated: BitStream, seed: int) -> Generated:
    design = words.gaussian_design()
    values = words.gaussian_words(emulated, design)
    grid, fair = words.word_law(design.probabilities, design.format)
    # both the grid and the words are multiples of half an LSB, so the comparison is exact
    counted = np.array([np.count_nonzero(values == value) for value in grid]) / len(values)
    rng = seeds.generator(seed, seeds.COMPARISON)
    return Generated(
        values=values,
        distances=words.law_distances(grid, counted),
        fair_distances=words.law_distances(grid, fair),
        noise_numpy=rng.standard_normal((IMAGE_SIZE, IMAGE_SIZE)),
        latents=latents.latent_codes(emulated, LATENT_SHAPE),
        latents_numpy=rng.standard_normal(LATENT_SHAPE),
    )


def _images(generated: Generated) -> tuple[tuple[str, list[NDArray[np.float64]]], ...]:
    """Forward-diffuse the sample image with the words and with NumPy's normal numbers, one noise for all steps."""
    image = diffusion.sample_image(IMAGE_SIZE)
    own = generated.values[: IMAGE_SIZE**2].reshape(IMAGE_SIZE, IMAGE_SIZE)
    return tuple(
        (name, [diffusion.forward_noise(image, noise, step) for step in IMAGE_STEPS])
        for name, noise in (("MTJ bits", own), ("NumPy", generated.noise_numpy))
    )


def _mean_interval(values: NDArray[np.float64]) -> dict[str, float]:
    """Mean of independent values with its 95 % t interval."""
    mean = float(values.mean())
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return {"value": mean, "low": mean - half, "high": mean + half}


def _estimate(value: float, interval: NDArray[np.float64]) -> dict[str, float]:
    return {"value": float(value), "low": float(interval[0]), "high": float(interval[1])}


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    """Replace what JSON cannot hold: a counted law that misses a cell is infinitely far from N(0, 1)."""
    return {key: value if np.isfinite(value) else None for key, value in values.items()}


def _proportion(found: Proportion) -> dict[str, float | int]:
    return {"value": found.value, **asdict(found)}


def _summary(
    bench: WordBench,
    seed: int,
    points: Sequence[switching.SwitchingPoint],
    half: switching.HalfPoint,
    cycles: operation.Cycles,
    cosimulated: BitStream,
    emulated: BitStream,
    model: chain.ChainModel,
    diagnoses: tuple[Diagnosis, Diagnosis],
    generated: Generated,
) -> dict[str, Any]:
    bits = bench.word.bits
    per_bit = cycles.energy.sum(axis=(1, 2)) / bits
    junction = cycles.junction_energy.sum(axis=1) / bits
    agreement = switching.agreement(points)
    p01_interval, p10_interval = model.intervals()
    decided = cycles.read_latencies[np.isfinite(cycles.read_latencies)]
    return {
        "seed": seed,
        "card": bench.word.card.name,
        "technology": bench.word.technology.name,
        "corner": bench.corner,
        "temperature": bench.temperature,
        "circuit": bench.word.name,
        "engine": {"simulator": cycles.engine, "fidelity": "cosim", "mtjspice": __version__},
        "switching_curve": [
            {
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
            for point in points
        ],
        "agreement": {"largest_z": agreement.largest_z, "p_value": agreement.p_value},
        "half_point": {
            "pulse_width": half.pulse_width,
            "control_voltage": half.control,
            "predicted": _proportion(half.predicted),
        },
        "energy_per_bit": {
            "total": float(per_bit.mean()),
            "total_interval": _mean_interval(per_bit),
            "mtj": float(junction.mean()),
            "mtj_interval": _mean_interval(junction),
            "by_phase": dict(
                zip(operation.PHASES, (cycles.energy.sum(axis=2).mean(axis=0) / bits).tolist(), strict=True)
            ),
            "by_source": dict(
                zip(cycles.sources, (cycles.energy.sum(axis=1).mean(axis=0) / bits).tolist(), strict=True)
            ),
        },
        "write_latency": {
            "value": float(cycles.write_latencies.mean()),
            "maximum": float(cycles.write_latencies.max()),
        },
        "read_latency": {
            "value": float(decided.mean()) if len(decided) else None,
            "maximum": float(decided.max()) if len(decided) else None,
            "undecided": int(cycles.read_latencies.size - len(decided)),
        },
        "sense_margin": {
            "value": float(cycles.margins.mean()),
            "minimum": float(cycles.margins.min()),
            "standard_deviation": float(cycles.margins.std(ddof=1)),
        },
        "read_error_rate": _proportion(cycles.read_errors),
        "reset_error_rate": _proportion(cycles.reset_errors),
        "coupling_error": max(cycles.coupling_error, *(point.coupling_error for point in points)),
        "bits": {
            "cosimulated": len(cosimulated),
            "emulated": len(emulated),
            "ones_fraction": _proportion(diagnoses[0].ones),
            "emulator": {
                "p01": _estimate(model.p01[0], p01_interval[0]),
                "p10": _estimate(model.p10[0], p10_interval[0]),
            },
            "tests": {"cosimulated": diagnoses[0].as_dict(), "emulated": diagnoses[1].as_dict()},
            "notice": NOTICE,
        },
        "gaussian_words": {
            "count": len(generated.values),
            "counted": _finite(asdict(generated.distances)),
            "fair_bits": _finite(asdict(generated.fair_distances)),
        },
        "latent_codes": {
            "count": int(generated.latents.size),
            "mean": float(generated.latents.mean()),
            "standard_deviation": float(generated.latents.std()),
            "kolmogorov_smirnov": float(kstest(generated.latents.ravel(), "norm").statistic),
            "kolmogorov_smirnov_numpy": float(kstest(generated.latents_numpy.ravel(), "norm").statistic),
        },
    }
