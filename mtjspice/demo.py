"""The main job, end to end: an 8-bit MeRAM word in real CMOS, its bits, and what they are for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from mtjspice import __version__
from mtjspice.bits import files as bit_files
from mtjspice.bits.diagnostics import diagnose
from mtjspice.bits.stream import BitStream
from mtjspice.circuits.benches.word import Levels, Read, WordBench
from mtjspice.circuits.library.meram import MeramWord
from mtjspice.circuits.technology import technology
from mtjspice.device import chain
from mtjspice.device.card import load_card
from mtjspice.files import output_folder, write_atomically
from mtjspice.generative import outcome
from mtjspice.progress import ProgressBar
from mtjspice.reports import demo_report, demo_summary
from mtjspice.spice.engines import find_libngspice
from mtjspice.spice.pool import CosimPool
from mtjspice.studies import operation, pulses, seeds, switching

CARD = "meram100"
TECHNOLOGY = "gf180mcu"
# nominal pulse widths (s): the first maximum, the minimum and the second maximum of P_sw lie among them
WIDTHS = tuple(w * 1e-9 for w in (0.35, 0.42, 0.52, 0.7, 0.95, 1.2, 1.4, 1.55, 1.7, 1.95, 2.25, 2.6, 2.95, 3.4))
RESET_WIDTH = 1.0e-9  # s, where P_sw has its broad maximum
IMAGE_STEPS = (0, 50, 150, 350, 999)


@dataclass(frozen=True)
class Effort:
    """How much is simulated. The defaults take about two minutes on two cores."""

    repeats: int = 16
    predicted_trials: int = 1500
    trim_trials: int = 4000
    chunks: int = 8
    cycles: int = 7
    emulated_bits: int = 1_000_000
    widths: tuple[float, ...] = WIDTHS


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
    return WordBench(MeramWord(tech, card=load_card(CARD)), (Read(),), tech.default_corner, levels=Levels())


def run(out: Path, seed: int, effort: Effort | None = None) -> dict[str, Any]:
    """Run the job and write report.html, summary.json, the bits and the curve to ``out``; return the summary.

    Nothing is written before everything is computed. Raises InputError and SimulatorError.
    """
    seeds.check_seed(seed)
    output_folder(out)
    result = compute(seed, effort or Effort())
    bit_files.write(result.cosimulated, out / "bits_cosimulated.bin")
    bit_files.write(result.emulated, out / "bits_emulated.bin")
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
        cost_write * (len(pulses.CONTROL_GRID) + len(effort.widths) * effort.repeats)
        + cost_predict * len(effort.widths)
        + cost_trim * switching.TRIM_ITERATIONS
        + cost_cycle * effort.chunks * effort.cycles
        + 5
    )
    with ProgressBar(total) as bar, CosimPool(library) as pool:
        bar.stage("calibrating the pulse generator")
        calibration = pulses.calibrate_pulse(bench, pool, seed, on_result=lambda: bar.advance(cost_write))
        bar.stage("writing at every pulse width")
        points = switching.switching_curve(
            bench, calibration, effort.widths, pool, repeats=effort.repeats, predicted_trials=effort.predicted_trials,
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
    cosimulated = BitStream.from_lanes(cycles.data, "co-simulated", provenance)
    # transitions are counted within each transient: a transient is a lane of its own
    lanes = cycles.data.reshape(effort.chunks, effort.cycles, -1).transpose(1, 0, 2).reshape(effort.cycles, -1)
    model = chain.fit(lanes)
    bits = bench.word.bits
    sampled = model.sample(-(-effort.emulated_bits // bits), seeds.generator(seed, seeds.EMULATOR), lanes=bits)
    emulated = BitStream.from_bits(
        sampled.ravel()[: effort.emulated_bits],
        "emulated",
        provenance | {"calibrated_on_bits": len(cosimulated)},
        bits,
    )
    diagnoses = diagnose(cosimulated), diagnose(emulated)
    made = outcome.generate(emulated, seeds.generator(seed, seeds.COMPARISON))
    summary = demo_summary.summarize(bench, seed, points, half, cycles, model, diagnoses, made)
    report = demo_report.render(
        demo_report.Contents(
            bench=bench, summary=summary, points=points, half=half, cycles=cycles, trace=trace,
            emulated=emulated, diagnoses=diagnoses, words=made.values,
            images=made.images(IMAGE_STEPS), image_steps=IMAGE_STEPS,
            latents=(("MTJ bits (emulated)", made.latents), ("NumPy", made.latents_numpy)),
        )
    )  # fmt: skip
    attributes: dict[str, str | int | float] = {**provenance, "title": "switching probability P to AP"}
    return DemoResult(summary, report, cosimulated, emulated, switching.to_dataset(points, attributes))
