"""The figures of the reports: axis labels with units, intervals drawn, colour-blind-safe, column width.

Every function takes plain results and returns a matplotlib figure; nothing here computes physics.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mtjspice.bits.diagnostics import Diagnosis
from mtjspice.circuits.benches.word import Read, WordBench, Write
from mtjspice.circuits.testbench import INSTANCE
from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, SKY
from mtjspice.reports.style import new_figure as _figure
from mtjspice.reports.style import styled as _styled
from mtjspice.studies.operation import PHASES, Cycles, Trace
from mtjspice.studies.switching import HalfPoint, SwitchingPoint

_SLOT_COLOURS = {"reset": "#f3e3c3", "write": "#d9e8f4", "read": "#dff0e4"}


@_styled
def waveforms(bench: WordBench, trace: Trace) -> Figure:
    """One cycle of the word (after the first read): inputs, junction voltage, magnetization, sense amplifier."""
    result, slot = trace.result, trace.slot
    first, last = 1, 1 + len(PHASES)
    low, high = first * slot, last * slot
    time = result.vectors["time"]
    shown = (time >= low) & (time <= high)
    t = (time[shown] - low) * 1e9
    accepted = (result.times >= low) & (result.times <= high)
    s = (result.times[accepted] - low) * 1e9
    figure, grid = _figure(6.6, 4, sharex=True, height_ratios=[1, 1.2, 1.2, 1.4])
    inputs, voltage, magnetization, outputs = grid[:, 0]
    supply = bench.word.technology.supply_voltage
    for offset, (name, colour) in enumerate((("latch", GREEN), ("sense", RED), ("trigger", BLUE))):
        inputs.plot(t, result.vectors[f"v({name})"][shown] / supply * 0.8 + offset, color=colour)
    inputs.set_yticks([0.4, 1.4, 2.4], ["latch", "sense", "trigger"])
    inputs.set_title(f"inputs (0 to {supply:g} V)", loc="left", fontsize=9)
    ends = result.m_z[accepted][-1]
    ap, p = int(np.argmin(ends)), int(np.argmax(ends))
    for bit in range(bench.word.bits):
        voltage.plot(s, result.voltages[accepted, bit], color="#b0b0b0", linewidth=0.8)
        magnetization.plot(s, result.m_z[accepted, bit], color="#b0b0b0", linewidth=0.8)
    pairs = [(ap, BLUE, "AP"), (p, RED, "P")] if ends[ap] < 0 < ends[p] else [(ap, BLUE, "AP" if ends[ap] < 0 else "P")]
    for bit, colour, state in pairs:
        label = f"bit {bit}, ends in {state}"
        voltage.plot(s, result.voltages[accepted, bit], color=colour, label=label)
        magnetization.plot(s, result.m_z[accepted, bit], color=colour, label=label)
        q, qb = (result.vectors[f"v({node})"][shown] for node in bench.word.output_nodes(INSTANCE, bit))
        outputs.plot(t, q, color=colour, label=f"q, bit {bit} ({state})")
        outputs.plot(t, qb, color=colour, linestyle="--", label=f"qb, bit {bit}")
    voltage.set_ylabel("V(top, bottom) [V]")
    magnetization.set(ylabel="$m_z$", ylim=(-1.1, 1.1))
    magnetization.legend(loc="center right", fontsize=8)
    outputs.set(ylabel="sense outputs [V]", xlabel="time in the cycle [ns]", xlim=(0, t[-1]))
    outputs.legend(loc="lower left", fontsize=8, ncols=1)
    for axis in grid[:, 0]:
        for index in range(first, last):
            operation = trace.operations[index]
            kind = "read" if isinstance(operation, Read) else "write"
            if isinstance(operation, Write) and not operation.all_columns:
                kind = "reset"
            start = (index - first) * slot * 1e9
            axis.axvspan(start, start + slot * 1e9, color=_SLOT_COLOURS[kind], zorder=0, linewidth=0)
            if axis is inputs:
                axis.text(start + slot * 0.5e9, 3.05, kind, ha="center", va="bottom", fontsize=8)
    inputs.set_ylim(-0.15, 3.6)
    return figure


@_styled
def switching_curve(points: Sequence[SwitchingPoint], half: HalfPoint) -> Figure:
    """P_sw against pulse width: the circuit with Wilson intervals, the macrospin's prediction with its own."""
    figure, grid = _figure(3.3)
    axis: Axes = grid[0, 0]
    width = np.array([point.pulse_width for point in points]) * 1e9
    axis.axhline(0.5, color="#888888", linewidth=0.8, linestyle=":")
    axis.fill_between(
        width,
        [point.predicted.low for point in points],
        [point.predicted.high for point in points],
        color=SKY,
        alpha=0.5,
        linewidth=0,
    )
    axis.plot(
        width, [point.predicted.value for point in points], color=BLUE,
        label=f"macrospin on the circuit's waveform ({points[0].predicted.trials} trials, 95 % band)",
    )  # fmt: skip
    value = np.array([point.circuit.value for point in points])
    errors = [
        value - [point.circuit.low for point in points],
        [point.circuit.high for point in points] - value,
    ]
    axis.errorbar(
        width, value, np.maximum(errors, 0), fmt="o", markersize=4, color=RED, capsize=2, linewidth=1,
        label=f"transistor-level circuit ({points[0].circuit.trials} trials, 95 %)",
    )  # fmt: skip
    axis.axvline(
        half.pulse_width * 1e9,
        color=GREEN,
        linewidth=1,
        linestyle="--",
        label=f"50 % point used: {half.pulse_width * 1e9:.2f} ns",
    )
    axis.set(
        xlabel="pulse width at the junction, FWHM [ns]",
        ylabel="switching probability P to AP",
        ylim=(-0.03, 1.25),
    )
    axis.set_yticks(np.linspace(0, 1, 6))
    axis.legend(loc="upper right", fontsize=8)
    return figure


@_styled
def energy(cycles: Cycles) -> Figure:
    """Energy per bit by phase and source, with the junctions' own share beside it."""
    figure, grid = _figure(2.6)
    axis: Axes = grid[0, 0]
    bits = cycles.data.shape[1]
    mean = cycles.energy.mean(axis=0) / bits * 1e15
    logic = mean[:, cycles.sources.index("vdd")]
    rail = mean[:, cycles.sources.index("vw")]
    rest = mean.sum(axis=1) - logic - rail
    error = 1.96 * cycles.energy.sum(axis=2).std(axis=0, ddof=1) / np.sqrt(len(cycles.energy)) / bits * 1e15
    position = np.arange(len(PHASES))[::-1]
    left = np.zeros(len(PHASES))
    for values, colour, label in (
        (logic, BLUE, "logic supply"),
        (rail, ORANGE, "write rail"),
        (rest, GREEN, "inputs and bias"),
    ):
        axis.barh(position + 0.17, values, 0.34, left=left, color=colour, label=label)
        left = left + values
    axis.errorbar(left, position + 0.17, xerr=error, fmt="none", color=BLACK, capsize=2, linewidth=1)
    junction = cycles.junction_energy.mean(axis=0) / bits * 1e15
    axis.barh(position - 0.17, junction, 0.28, color=RED, label="of which MTJs")
    for y, whole, own in zip(position, left, junction, strict=True):
        axis.text(whole + left.max() * 0.03, y + 0.17, f"{whole:.0f} fJ", va="center", fontsize=8)
        axis.text(own + left.max() * 0.015, y - 0.17, f"{own:.1f} fJ", va="center", fontsize=8)
    axis.set_yticks(position, PHASES)
    axis.set(xlabel="energy per bit [fJ]", xlim=(0, left.max() * 1.2))
    axis.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure


@_styled
def bit_picture(cosimulated: NDArray[np.uint8], emulated: NDArray[np.uint8], size: int = 192) -> Figure:
    """Bits as pixels: the co-simulated words (one column a word) and a square of the emulated stream."""
    figure, grid = _figure(3.7, 1, 2, width_ratios=[1, 1])
    left, right = grid[0]
    left.imshow(cosimulated, cmap="gray_r", vmin=0, vmax=1, aspect="auto")
    left.set(title=f"co-simulated: {cosimulated.size} bits", xlabel="bit of the word", ylabel="cycle")
    right.imshow(emulated[: size * size].reshape(size, size), cmap="gray_r", vmin=0, vmax=1)
    right.set(title=f"emulated: first {size * size} bits", xticks=[], yticks=[])
    for axis in (left, right):
        axis.title.set_fontsize(9)
        axis.grid(visible=False)
        axis.spines[:].set_visible(True)
    return figure


@_styled
def autocorrelation(cosimulated: Diagnosis, emulated: Diagnosis) -> Figure:
    """Autocorrelation at lags 1 to 32 with the 95 % band of independent bits."""
    figure, grid = _figure(3.4, 2, sharex=True)
    for axis, diagnosis, title in (
        (grid[0, 0], cosimulated, f"co-simulated, {cosimulated.length} bits"),
        (grid[1, 0], emulated, f"emulated, {emulated.length} bits"),
    ):
        lags = np.arange(1, len(diagnosis.autocorrelation) + 1)
        axis.axhspan(-diagnosis.band, diagnosis.band, color=SKY, alpha=0.35, linewidth=0)
        axis.axhline(0, color="#888888", linewidth=0.8)
        axis.vlines(lags, 0, diagnosis.autocorrelation, color=BLUE)
        axis.plot(lags, diagnosis.autocorrelation, "o", color=BLUE, markersize=3)
        axis.set_ylabel("autocorrelation")
        axis.set_title(f"{title} (band: 95 %)", loc="left", fontsize=9)
    grid[1, 0].set(xlabel="lag [bits]", xlim=(0.2, len(cosimulated.autocorrelation) + 0.8))
    return figure


@_styled
def word_law(values: NDArray[np.float64], ideal: NDArray[np.float64], words: NDArray[np.float64], lsb: float) -> Figure:
    """Law of the Gaussian words: counted from the bits, exact for fair bits, and the normal law in the same cells."""
    figure, grid = _figure(3.0)
    axis: Axes = grid[0, 0]
    edges = np.append(values - lsb / 2, values[-1] + lsb / 2)
    counts, _ = np.histogram(words, edges)
    axis.fill_between(values, counts / len(words) / lsb, step="mid", color=SKY, alpha=0.6, linewidth=0,
                      label=f"words from the emulated bits ({len(words)})")  # fmt: skip
    axis.step(values, ideal / lsb, where="mid", color=RED, label="exact law of the encoding for fair bits")
    dense = np.linspace(values[0], values[-1], 401)
    normal = (ndtr(dense + lsb / 2) - ndtr(dense - lsb / 2)) / lsb
    axis.plot(dense, normal, color=BLACK, linestyle="--", label="N(0, 1)")
    axis.set(xlabel="value of the word", ylabel="density", xlim=(-4, 4), ylim=(0, 0.6))
    axis.legend(fontsize=8, loc="upper right")
    return figure


@_styled
def noised_images(rows: Sequence[tuple[str, Sequence[NDArray[np.float64]]]], steps: Sequence[int]) -> Figure:
    """Forward diffusion: one row a noise source, one column a step; images in [-1, 1]."""
    figure, grid = _figure(1.28 * len(rows) + 0.2, len(rows), len(steps))
    for r, (name, images) in enumerate(rows):
        for c, image in enumerate(images):
            axis = grid[r, c]
            axis.imshow(np.clip(image, -1, 1), cmap="gray", vmin=-1, vmax=1)
            axis.set(xticks=[], yticks=[])
            axis.grid(visible=False)
            axis.spines[:].set_visible(False)
            if r == 0:
                axis.set_title("image" if steps[c] == 0 else f"step {steps[c]}", fontsize=9)
        grid[r, 0].set_ylabel(name)
    return figure


@_styled
def latents(codes: Sequence[tuple[str, NDArray[np.float64]]]) -> Figure:
    """Normal quantile plots of latent codes (sorted samples against the quantiles of N(0, 1))."""
    figure, grid = _figure(3.0, 1, len(codes), sharey=True, sharex=True)
    for axis, (name, values) in zip(grid[0], codes, strict=True):
        ordered = np.sort(values.ravel())
        quantiles = ndtri((np.arange(len(ordered)) + 0.5) / len(ordered))
        picked = np.unique(np.linspace(0, len(ordered) - 1, 4000).astype(int))
        axis.plot([-4.5, 4.5], [-4.5, 4.5], color="#888888", linewidth=0.8)
        axis.plot(quantiles[picked], ordered[picked], ".", markersize=2.5, color=BLUE)
        axis.set(xlabel="quantile of N(0, 1)", title=f"{name}, {len(ordered)} codes")
        axis.title.set_fontsize(9)
        axis.set_aspect("equal")
    grid[0, 0].set_ylabel("latent code")
    return figure
