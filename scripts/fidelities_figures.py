"""The two figures of the fidelities: switching probabilities with scores, and trajectories with their differences."""

from typing import Any

import matplotlib
import numpy as np
from fidelities_engines import (
    ENGINES,
    NODE,
    Experiment,
    Floats,
    by_behavioral,
    by_cosimulation,
    by_macrospin,
    by_vacask,
    by_verilog_a,
)
from fidelities_points import SERIES, Point, Series
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from validation_plotting import COLUMN

from mtjspice.device import macrospin
from mtjspice.reports import style

_SMALL: Any = {"font.size": 8, "legend.fontsize": 7, "lines.linewidth": 1.1, "axes.linewidth": 0.7}
COLOURS = dict(zip(ENGINES, (style.BLACK, style.RED, style.BLUE, style.GREEN, style.ORANGE), strict=True))
MARKERS = dict(zip(ENGINES, "osD^v", strict=True))

# trajectories: a pulse that switches, and the ringing after it
SHAPE = macrospin.pulse(1.2, 0.6e-9, delay=0.1e-9)
LENGTH = 1.5e-9  # s
SEED = 9
START = (0.22, 0.05, 0.97)
FINE = 64  # steps a node of the reference
WINDOW = 5e-11  # s
SUBSTEPS = (1, 4)
NETLISTS = {
    "macrospin": by_macrospin,
    "co-simulation": by_cosimulation,
    "Verilog-A, ngspice": by_verilog_a,
    "Verilog-A, VACASK": by_vacask,
    "behavioral": by_behavioral,
}


# --- switching probabilities ---------------------------------------------------------------------------------


@style.styled
def probabilities(points: list[Point]) -> Figure:
    """For each card P of every fidelity, side by side at each width, and below it the scores against Fokker-Planck."""
    with matplotlib.rc_context(_SMALL):
        figure = Figure(figsize=(COLUMN, 6.6), layout="constrained")
        axes = figure.subplots(2 * len(SERIES), 1, height_ratios=(1.9, 1) * len(SERIES))
        for number, series in enumerate(SERIES):
            above, below = axes[2 * number : 2 * number + 2]
            _series(above, below, series, [point for point in points if point.series == number])
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
        return figure


def _series(above: Axes, below: Axes, series: Series, points: list[Point]) -> None:
    """The pulses stand side by side, as their marks do."""
    exact = {(point.voltage, point.width): point.exact for point in points}
    pulses = list(exact)
    groups = np.arange(len(pulses))
    above.hlines([exact[pulse] for pulse in pulses], groups - 0.42, groups + 0.42, color="0.45", label="Fokker-Planck")
    above.set_title(series.title, loc="left", fontsize=8)
    below.axhspan(-1.96, 1.96, color="0.93", zorder=0)
    below.axhline(0, color="0.45")
    for place, name in enumerate(ENGINES):
        mine = [point for point in points if point.fidelity == name]
        found = np.array([(p.found.value, p.found.low, p.found.high) for p in mine]).T
        x = np.array([pulses.index((p.voltage, p.width)) for p in mine]) + 0.17 * (place - 2)
        look: Any = {"color": COLOURS[name], "marker": MARKERS[name], "markersize": 2.6, "linestyle": "none"}
        bars = np.maximum([found[0] - found[1], found[2] - found[0]], 0)
        above.errorbar(x, found[0], bars, label=name, elinewidth=0.7, zorder=3, **look)
        below.plot(x, [p.score for p in mine], zorder=3, **look)
    above.set(ylabel=r"$P_\mathrm{sw}$", ylim=(0, 1))
    below.set(ylabel="score", xlabel="pulse: voltage [V], width (FWHM) [ns]", ylim=(-3.6, 3.6), yticks=(-2, 0, 2))
    for axis in (above, below):
        axis.set(xticks=groups, xlim=(-0.6, len(groups) - 0.4))
        axis.grid(visible=False, axis="x")
        for edge in groups[:-1] + 0.5:
            axis.axvline(edge, color="0.9", linewidth=0.6, zorder=0)
        axis.tick_params(axis="x", length=0)
    above.set_xticklabels([])
    below.set_xticklabels([f"{volts:g}\n{width * 1e9:.2f}" for volts, width in pulses])


# --- trajectories --------------------------------------------------------------------------------------------


def experiment(substeps: int) -> Experiment:
    wave = macrospin.Waveform(np.append(SHAPE.times, LENGTH), np.append(SHAPE.volts, 0.0))
    start = np.array([START]) / np.linalg.norm(START)
    return Experiment(SERIES[0].card, wave, start, SEED, substeps)


def paths() -> dict[tuple[str, int], tuple[Floats, Floats]]:
    """Times (k,) and the magnetization (k, 3) of each fidelity and number of steps a node; the co-simulation's at
    those of its circuit steps that are noise nodes."""  # fmt: skip
    found = {}
    for substeps in (*SUBSTEPS, FINE):
        for name, run in NETLISTS.items():
            if substeps != FINE or name == "macrospin":
                path = run(experiment(substeps))
                nodes = np.rint(path.times / NODE)
                kept = np.abs(path.times - nodes * NODE) < 1e-3 * NODE
                found[name, substeps] = path.times[kept], path.magnetization[kept, 0]
    return found


@style.styled
def trajectories(found: dict[tuple[str, int], tuple[Floats, Floats]]) -> Figure:
    """m_z(t) of all fidelities on top of each other; below, how far each is from the finely stepped macrospin."""
    with matplotlib.rc_context(_SMALL):
        figure = Figure(figsize=(COLUMN, 5.0), layout="constrained")
        top, *lower = figure.subplots(1 + len(SUBSTEPS), 1, sharex=True, height_ratios=(1.25, 1, 1))
        exact = found["macrospin", FINE][1]
        for place, name in enumerate(NETLISTS):
            times, m = found[name, 1]
            # each line shows through between the dashes of those above it
            dashes = "-" if place == 0 else (2.2 * (place - 1), (2.2, 6.6))
            width = 2.8 if place == 0 else 1.5
            top.plot(times * 1e9, m[:, 2], color=COLOURS[name], linestyle=dashes, linewidth=width)
        top.set(ylabel=r"$m_z$", ylim=(-1.08, 1.08))
        pulse = SHAPE.times[[1, -1]]
        top.axvspan(*(pulse * 1e9), color="0.93", zorder=0)
        for axis, substeps in zip(lower, SUBSTEPS, strict=True):
            axis.axvspan(*(pulse * 1e9), color="0.93", zorder=0)
            for name in NETLISTS:
                times, m = found[name, substeps]
                middles, largest = windows(times, np.max(np.abs(m - exact[np.rint(times / NODE).astype(int)]), axis=1))
                largest[largest == 0] = np.nan  # the common start only
                axis.plot(
                    middles * 1e9, largest, color=COLOURS[name], marker=MARKERS[name], markersize=2.4, linewidth=0.8,
                    label=name,
                )  # fmt: skip
            axis.set(yscale="log", ylabel=r"largest $|\Delta m|$", ylim=(3e-7, 2e-2))
            step = "1 step a noise node" if substeps == 1 else f"{substeps} steps a noise node"
            axis.set_title(step, loc="left", fontsize=8)
        lower[-1].set(xlabel="time [ns]", xlim=(0, LENGTH * 1e9))
        figure.legend(*lower[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
        return figure


def windows(times: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Middle of each window and the largest error in it."""
    number = np.minimum(times / WINDOW, round(LENGTH / WINDOW) - 0.5).astype(int)
    middles = (np.unique(number) + 0.5) * WINDOW
    return middles, np.array([np.max(errors[number == k]) for k in np.unique(number)])


def largest_differences(found: dict[tuple[str, int], tuple[Floats, Floats]]) -> dict[tuple[str, int], float]:
    exact = found["macrospin", FINE][1]
    return {
        key: float(np.max(np.abs(m - exact[np.rint(times / NODE).astype(int)])))
        for key, (times, m) in found.items()
        if key[1] != FINE
    }
