"""The report of the main job: what the word did, in figures and words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtjspice import __version__
from mtjspice.bits.diagnostics import Diagnosis
from mtjspice.bits.files import SIMULATED
from mtjspice.bits.stream import BitStream
from mtjspice.circuits.benches.word import WordBench
from mtjspice.device.derived import derive
from mtjspice.generative import words as encoding
from mtjspice.reports import figures, html, style
from mtjspice.studies.operation import Cycles, Trace
from mtjspice.studies.switching import HalfPoint, SwitchingPoint
from mtjspice.units import engineering


@dataclass(frozen=True)
class Contents:
    """Everything the report shows. ``images`` and ``latents`` are (name, data) pairs, own bits first."""

    bench: WordBench
    summary: dict[str, Any]
    points: Sequence[SwitchingPoint]
    half: HalfPoint
    cycles: Cycles
    trace: Trace
    emulated: BitStream
    diagnoses: tuple[Diagnosis, Diagnosis]
    words: NDArray[np.float64]
    images: Sequence[tuple[str, list[NDArray[np.float64]]]]
    image_steps: Sequence[int]
    latents: Sequence[tuple[str, NDArray[np.float64]]]


def render(c: Contents) -> str:
    """Return the report as one self-contained HTML page."""
    word = c.bench.word
    figures_of_card = derive(word.card, c.bench.temperature)
    lead = (
        f"{word.name}: card {word.card.name} ({word.card.title}), {word.technology.title}, corner {c.bench.corner}, "
        f"{c.bench.temperature:g} K, seed {c.summary['seed']}. The transistors are solved by {c.cycles.engine}; every "
        "junction is a stochastic macrospin (Landau-Lifshitz-Gilbert) advanced in lock step. "
        f"R_P {engineering(figures_of_card.resistance_parallel, 'Ω', 3)}, Δ {figures_of_card.thermal_stability_factor:.1f}, "
        f"V_c {figures_of_card.compensation_voltage:.2f} V."
    )
    return html.render(
        f"mtjspice demo: {word.bits}-bit MeRAM word",
        lead,
        [_numbers(c), _cycle(c), _switching(c), _energy(c), _bits(c), _noise(c)],
        f"mtjspice {__version__}. {SIMULATED}",
    )


def digest(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the main figures of a summary as (name, text), for a terminal."""
    s = summary
    energy, agreement, bits = s["energy_per_bit"], s["agreement"], s["bits"]
    margin = f"{_show(s['sense_margin'], 'V')}, smallest {_show(s['sense_margin_range']['minimum'], 'V')}"
    errors = f"{s['read_error_rate_count']} of {s['read_error_rate_trials']}"
    return [
        (
            "circuit against macrospin",
            f"p = {agreement['p_value']:.2f}, largest difference {agreement['largest_z']:.1f} sigma",
        ),
        ("50 % point", _show(s["half_point"]["pulse_width"], "s")),
        ("energy per bit", f"{_show(energy['total'], 'J')}, MTJs {_show(energy['mtj'], 'J')} of it"),
        ("write latency", _show(s["write_latency"], "s")),
        ("read latency", _show(s["read_latency"], "s")),
        ("sense margin", margin),
        ("read errors", f"{errors} (95 %: up to {s['read_error_rate_interval']['high']:.2%})"),
        ("bits", f"{bits['cosimulated']} co-simulated, {bits['ones_fraction']:.1%} ones; {bits['emulated']} emulated"),
    ]


def _show(value: float | None, unit: str) -> str:
    return "not measured" if value is None else engineering(value, unit, 3)


def _interval(interval: dict[str, float] | None, unit: str) -> str:
    if interval is None:
        return "too few for an interval"
    return f"95 %: {engineering(interval['low'], unit, 3)} to {engineering(interval['high'], unit, 3)}"


def _share(interval: dict[str, float]) -> str:
    return f"95 %: {interval['low']:.2%} to {interval['high']:.2%}"


def _extent(extent: dict[str, float] | None, unit: str) -> str:
    return (
        ""
        if extent is None
        else f"{engineering(extent['minimum'], unit, 3)} to {engineering(extent['maximum'], unit, 3)}"
    )


def _numbers(c: Contents) -> html.Section:
    s = c.summary
    energy, half = s["energy_per_bit"], s["half_point"]
    rows = [
        ("50 % point (pulse width)", _show(half["pulse_width"], "s"), f"predicted there: {half['predicted']:.3f}"),
        ("energy per bit, everything drawn", _show(energy["total"], "J"), _interval(energy["total_interval"], "J")),
        ("of which dissipated in the MTJs", _show(energy["mtj"], "J"), _interval(energy["mtj_interval"], "J")),
        ("write latency (trigger to end of pulse)", _show(s["write_latency"], "s"), _extent(s["write_latency_range"], "s")),
        ("read latency (read bias to decision)", _show(s["read_latency"], "s"),
         f"{_extent(s['read_latency_range'], 's')}; {s['undecided_reads']} undecided"),
        ("sense margin (when the latch fires)", _show(s["sense_margin"], "V"), _extent(s["sense_margin_range"], "V")),
        ("read errors", f"{s['read_error_rate_count']} of {s['read_error_rate_trials']}", _share(s["read_error_rate_interval"])),
        ("reset errors", f"{s['reset_error_rate_count']} of {s['reset_error_rate_trials']}", _share(s["reset_error_rate_interval"])),
        ("ones among the co-simulated bits", f"{s['bits']['ones_fraction']:.1%}", _share(s["bits"]["ones_fraction_interval"])),
        ("largest m_z difference in the coupling", f"{s['coupling_error']:.1e}", "between ngspice and the accepted macrospin"),
    ]  # fmt: skip
    table = html.Table(("quantity", "value", "interval or range"), rows)
    note = (
        "No transistor mismatch or process spread is applied here and line capacitances are assumed, so error rates "
        "are those of thermal noise and of the read-out of identical columns. Supplies and inputs are ideal sources; "
        "their whole delivery is counted, that of the shared pulse generator included."
    )
    return html.Section("The numbers", [note], tables=[table])


def _cycle(c: Contents) -> html.Section:
    text = (
        "A cycle resets the columns that hold AP with a pulse of the toggling width, writes all columns with a pulse "
        "at the 50 % point, and reads. The write voltage removes the anisotropy and the magnetization precesses about "
        "the bias field; the read voltage has the other sign and stabilizes it."
    )
    picture = html.Picture(
        "waveforms",
        "One cycle. Grey: all columns; coloured: one bit that ended in AP and one that ended in P.",
        "Waveforms of the inputs, the junction voltages, the magnetization and the sense amplifier over one cycle",
        style.render(figures.waveforms(c.bench, c.trace)),
    )
    return html.Section("One write and read", [text], [picture])


def _switching(c: Contents) -> html.Section:
    agreement = c.summary["agreement"]
    text = (
        "Each point counts switched junctions of the transistor-level word. The line is the macrospin with independent "
        "noise and initial states, driven by the voltage waveform that the circuit put on its junctions. "
        f"Largest difference: {agreement['largest_z']:.1f} standard errors; over all widths p = {agreement['p_value']:.2f}."
    )
    picture = html.Picture(
        "switching-curve",
        "Switching probability from P to AP against the pulse width measured at the junction.",
        "Switching probability against pulse width, circuit and prediction with intervals",
        style.render(figures.switching_curve(c.points, c.half)),
    )
    rows = [
        (
            f"{p.pulse_width * 1e9:.3f}", f"{p.amplitude:.3f}", f"{p.circuit.value:.3f}",
            f"{p.circuit.low:.3f} to {p.circuit.high:.3f}", f"{p.predicted.value:.3f}", f"{p.z_score:+.1f}",
        )
        for p in c.points
    ]  # fmt: skip
    header = ("width [ns]", "plateau [V]", "P_sw circuit", "95 % interval", "P_sw predicted", "z")
    return html.Section("Switching probability", [text], [picture], [html.Table(header, rows)])


def _energy(c: Contents) -> html.Section:
    share = c.summary["energy_per_bit"]["mtj"] / c.summary["energy_per_bit"]["total"]
    text = (
        "Energy drawn from the supplies and delivered by the inputs, per bit and phase of the cycle, and the Joule heat "
        f"in the stochastic junctions, which is {share:.1%} of it: the transistors around the junction set the energy."
    )
    picture = html.Picture(
        "energy",
        "Energy per bit by phase and source; error bars: 95 % of the mean over cycles.",
        "Bar chart of the energy per bit in the reset, write and read phases",
        style.render(figures.energy(c.cycles)),
    )
    return html.Section("Energy per bit", [text], [picture])


def _bits(c: Contents) -> html.Section:
    emulator = c.summary["bits"]["emulator"]
    text = (
        f"The word at its 50 % point gave {c.diagnoses[0].length} co-simulated bits. A two-state Markov chain fitted to "
        f"them, P(0→1) = {_probability(emulator, 'p01')}, P(1→0) = {_probability(emulator, 'p10')}, emulated "
        f"{c.diagnoses[1].length} more. They inherit its sampling error: a bias within these intervals is far outside what "
        "a million fair bits would show, so a failing frequency test of the emulated bits says how well the 50 % point is "
        "known, not how good the junction is. Bits are in word order, so lag 8 is the same junction one cycle later."
    )
    pictures = [
        html.Picture(
            "bits", "Bits as pixels, black is 1 (AP).", "Two bit pictures",
            style.render(figures.bit_picture(c.cycles.data, c.emulated.bits())),
        ),
        html.Picture(
            "autocorrelation", "Autocorrelation of both streams.", "Autocorrelation at lags 1 to 32",
            style.render(figures.autocorrelation(*c.diagnoses)),
        ),
    ]  # fmt: skip
    rows = [
        (
            name, str(d.length), f"{d.ones.value:.4f}", f"{d.ones.low:.4f} to {d.ones.high:.4f}",
            _p_value(d.monobit_test.p_value), _p_value(d.runs_test.p_value), str(d.runs), str(len(d.lags_outside_band)),
        )
        for name, d in zip(("co-simulated", "emulated"), c.diagnoses, strict=True)
    ]  # fmt: skip
    header = ("bits", "number", "ones", "95 % interval", "frequency p", "runs p", "runs", "lags outside band")
    return html.Section("Bits", [text], pictures, [html.Table(header, rows, "SP 800-22 frequency and runs tests")])


def _probability(emulator: dict[str, Any], name: str) -> str:
    interval = emulator[f"{name}_interval"]
    return f"{emulator[name]:.3f} (95 %: {interval['low']:.3f} to {interval['high']:.3f})"


def _p_value(p: float | None) -> str:
    return "not applicable" if p is None else f"{p:.3g}"


def _noise(c: Contents) -> html.Section:
    design = encoding.gaussian_design()
    values, fair = encoding.word_law(design.probabilities, design.format)
    counted, exact = c.summary["gaussian_words"]["counted"], c.summary["gaussian_words"]["fair_bits"]
    codes = c.summary["latent_codes"]
    text = (
        f"The emulated bits make {len(c.words)} words of 8 bits in sign-magnitude Q2.5 ({design.bits_per_word} raw bits each): "
        "the magnitude bits are independent with the probabilities that match those of |N(0, 1)|. They noise a photograph by "
        "the closed form of the forward diffusion process (linear schedule, 1000 steps; one noise image for all steps). "
        f"The same bits as latent codes (16 bits, uniform to normal) have mean {codes['mean']:+.4f} and standard deviation "
        f"{codes['standard_deviation']:.4f}."
    )
    pictures = [
        html.Picture(
            "diffusion", "Forward diffusion with the words and with NumPy's generator.", "Noised photographs, two rows",
            style.render(figures.noised_images(c.images, c.image_steps)),
        ),
        html.Picture(
            "words", "Law of the Gaussian words.", "Histogram of the words with the exact law and the normal law",
            style.render(figures.word_law(values, fair, c.words, design.format.lsb)),
        ),
        html.Picture(
            "latents", "Normal quantile plots of the latent codes.", "Quantile plots of latent codes, MTJ and NumPy",
            style.render(figures.latents(c.latents)),
        ),
    ]  # fmt: skip
    names = (
        ("kl_bits", "KL(N || words) [bit]"), ("total_variation", "total variation"), ("kolmogorov_smirnov", "Kolmogorov-Smirnov"),
        ("mean", "mean"), ("std", "standard deviation"), ("excess_kurtosis", "excess kurtosis"),
    )  # fmt: skip
    rows = [(label, _figure(counted[key]), _figure(exact[key])) for key, label in names]
    table = html.Table(("distance from N(0, 1)", "counted", "exact for fair bits"), rows)
    return html.Section("Noise for diffusion, codes for latents", [text], pictures, [table])


def _figure(value: float | None) -> str:
    return "infinite" if value is None else f"{value:.4f}"
