"""Figures of neural SDEs with drop-connect."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtjspice.generative.sde import mixtures
from mtjspice.generative.sde.gaussian_case import EXACT
from mtjspice.generative.sde.gaussian_study import ORDER_STEPS, GaussianOutcome
from mtjspice.generative.sde.outcome import NULL, Trial, labels
from mtjspice.generative.sde.regression import LEVELS, Prediction, true_deviation, true_mean
from mtjspice.reports import style

if TYPE_CHECKING:
    from mtjspice.generative.sde.latent_study import LatentOutcome

_COLOURS = (style.BLUE, style.RED, style.GREEN, style.PURPLE)
_MARKS = ("o", "s", "^", "D")
_LOOKS = {NULL[:2]: (style.BLACK, "o"), "ex": (style.BLUE, "o"), "in": (style.RED, "s")}  # by the place of the noise


@style.styled
def latents(outcome: "LatentOutcome") -> Figure:
    """Distances of latents and of images by label, every draw a point, beside the null."""
    names = outcome.labels()
    figure, axes = style.new_figure(1.0 + 0.2 * len(names), 1, 3, sharey=True)
    for axis, distance, title in zip(
        axes[0],
        ("latent_frechet", "latent_energy", "image_frechet"),
        ("Fréchet, latents", "energy distance, latents", "Fréchet, images"),
        strict=True,
    ):
        _points(axis, names, outcome.null, outcome.trials, distance, outcome.floor[distance])
        axis.set_xlabel(title, fontsize=8)
        axis.set_xscale("log")
        low, high = axis.get_xlim()
        if high < 10 * low:  # too narrow for powers of ten
            axis.set_xscale("linear")
            axis.locator_params(axis="x", nbins=4)
        axis.tick_params(axis="x", labelsize=8)
    figure.supxlabel(
        "points: draws; band: null ± 2 s; dotted: encoded training images\n"
        "blue: ex situ; red: in situ; green: in situ with one imperfection",
        fontsize=8,
    )
    return figure


@style.styled
def samples(outcome: "LatentOutcome") -> Figure:
    """A row of decoded images for each label."""
    names = outcome.labels()
    figure, axes = style.new_figure(0.36 * len(names), len(names))
    for axis, name in zip(axes[:, 0], names, strict=True):
        row = np.concatenate(
            [np.pad(image, ((1, 1), (1, 1)), constant_values=1.0) for image in outcome.examples[name]], 1
        )
        axis.imshow(np.clip(row, -1, 1), cmap="gray", vmin=-1, vmax=1)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(False)
        axis.spines[:].set_visible(False)
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    return figure


@style.styled
def cost(costs: Mapping[str, Any]) -> Figure:
    """Throughput and energy of an image over the parallel width."""
    figure, axes = style.new_figure(2.9, 1, 2)
    for k, scheme in enumerate(zip(*costs["sweep"], strict=True)):
        widths = [one["parallel"] for one in scheme]
        look = {"color": _COLOURS[k], "marker": _MARKS[k], "ms": 3.5, "label": scheme[0]["scheme"]}
        axes[0, 0].loglog(widths, [one["images_per_second"] for one in scheme], **look)
        axes[0, 1].loglog(widths, [one["images"] for one in scheme], **look)
    axes[0, 0].set_ylabel("images/s")
    axes[0, 1].set_ylabel("images in $10^{12}$ pulses")
    for axis in axes[0]:
        axis.set_xlabel("weights that work at once")
    handles, names = axes[0, 0].get_legend_handles_labels()
    energies = [one["energy"] * 1e9 for one in costs["at_width"]]
    shown = [f"{name}\n({energy:.3g} nJ an image)" for name, energy in zip(names, energies, strict=True)]
    figure.legend(handles, shown, loc="outside upper center", ncols=3, fontsize=8)
    return figure


@style.styled
def gaussian(outcome: GaussianOutcome) -> Figure:
    """Laws, distances, covariances and order of convergence."""
    sizes = list(outcome.trials)
    lines = 1 + len(labels(outcome.trials[sizes[0]]))
    heights = (2.5, 0.9 + 0.22 * lines, 2.6)
    figure = Figure(figsize=(style.WIDTH, sum(heights)), layout="constrained")
    # rows of their own, so that long names move only the axes beside them
    rows: NDArray[np.object_] = np.asarray(figure.subfigures(3, 1, height_ratios=heights))
    laws, points, covariances = (row.subplots(1, 2) for row in rows)
    _law(laws[0], outcome)
    _order(laws[1], outcome)
    for k, size in enumerate(sizes):
        distance = "w2" if size == 1 else "energy"
        axis = points[k]
        names = [NULL, *labels(outcome.trials[size])]
        floor = outcome.floor[size][distance]
        _points(axis, names, outcome.null[size], outcome.trials[size], distance, floor)
        axis.set_xscale("log")
        axis.set_xlabel(f"{'W₂' if size == 1 else 'energy distance'}, {size} dimension{'s' if size > 1 else ''}")
        if k:
            axis.tick_params(labelleft=False)
        _covariances(covariances[k], outcome, size, k == 0)
    return figure


@style.styled
def regression(found: Sequence[Prediction]) -> Figure:
    """Prediction of the first source against the truth, errors and coverage of all."""
    first = found[0]
    figure = Figure(figsize=(style.WIDTH, 3.0 + 0.26 * len(found)), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(2.6, 0.6 + 0.26 * len(found)))
    axis = figure.add_subplot(grid[0, 0])
    x = np.linspace(-1, 1, 201)
    low, high = (true_mean(x) + sign * 2 * true_deviation(x) for sign in (-1, 1))
    axis.fill_between(x, low, high, color=style.SKY, alpha=0.35, lw=0, label="true mean ± 2 sd")
    axis.errorbar(
        first.x, first.mean, 2 * first.deviation, fmt="o", ms=3, lw=1, color=style.RED, label="predicted mean ± 2 sd"
    )
    axis.set(xlabel="x", ylabel="y", ylim=(-1.6, 2.3))
    axis.legend(fontsize=8, loc="upper left")
    axis = figure.add_subplot(grid[0, 1])
    axis.plot(x, true_deviation(x), color=style.BLACK, label="truth")
    axis.errorbar(
        first.x, first.deviation, 1.96 * first.deviation_error, fmt="o", ms=3, lw=1, color=style.RED,
        label="predicted, 95 %",
    )  # fmt: skip
    axis.set(xlabel="x", ylabel="standard deviation of y", ylim=(0, None))
    axis.legend(fontsize=8, loc="upper center")
    places = np.arange(len(found))
    axis = figure.add_subplot(grid[1, 0])
    axis.plot([one.errors()["mean_rms_error"] for one in found], places, "o", ms=4, color=style.BLUE, label="mean")
    axis.plot([one.errors()["deviation_rms_error"] for one in found], places, "s", ms=4, color=style.RED, label="sd")
    axis.set_yticks(places, [one.label for one in found], fontsize=8)
    axis.set(xlabel="rms error over x", xlim=(0, None), ylim=(len(found) - 0.5, -0.5))
    axis.legend(fontsize=8)
    axis = figure.add_subplot(grid[1, 1])
    for k, level in enumerate(LEVELS):
        counted = [one.coverage[k] for one in found]
        value = np.array([one.value for one in counted])
        bars = np.array([value - [one.low for one in counted], [one.high for one in counted] - value])
        axis.axvline(level, color=_COLOURS[k], ls=":", lw=1)
        axis.errorbar(value, places, xerr=bars, fmt=_MARKS[k], ms=3.5, lw=1, color=_COLOURS[k])
    axis.set(xlabel="coverage of 50, 80, 95 % intervals", xlim=(0.4, 1), ylim=(len(found) - 0.5, -0.5))
    axis.set_yticks(places, [])
    return figure


def _points(
    axis: Axes, names: Sequence[str], null: Sequence[Trial], trials: Sequence[Trial], distance: str, floor: float
) -> None:
    good = np.array([trial.distances[distance] for trial in null])
    spread = good.std(ddof=1)
    axis.axvspan(
        max(good.mean() - 2 * spread, good.mean() / 10), good.mean() + 2 * spread, color=style.SKY, alpha=0.4, lw=0
    )
    axis.axvline(floor, color=style.BLACK, ls=":", lw=1)
    for line, name in enumerate(names):
        values = [trial.distances[distance] for trial in (*null, *trials) if trial.label == name]
        colour, mark = _LOOKS.get(name[:2], (style.GREEN, "^"))
        axis.plot(values, np.full(len(values), line), mark, ms=3.5, color=colour, alpha=0.8)
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.set_ylim(len(names) - 0.5, -0.5)


def _law(axis: Axes, outcome: GaussianOutcome) -> None:
    x = np.linspace(-3, 3.2, 400)
    axis.plot(x, np.exp(mixtures.two_peaks().log_density(x[:, None])), color=style.BLACK, lw=1.6, label="mixture")
    shown = list(outcome.samples[1].items())[1:]
    kept: dict[str, tuple[str, Any]] = {}
    for name, values in shown:  # the first source of each case
        kept.setdefault(name.rsplit(", ", 1)[0], (name, values))
    for k, (name, values) in enumerate(kept.values()):
        axis.hist(
            values[:, 0],
            np.linspace(-3, 3.2, 42).tolist(),
            density=True,
            histtype="step",
            color=_COLOURS[k],
            label=name,
        )
    axis.set(xlabel="x", ylabel="density", ylim=(0, None))
    axis.legend(fontsize=7, loc="upper right")
    axis.set_ylim(0, 1.75 * axis.get_ylim()[1])


def _order(axis: Axes, outcome: GaussianOutcome) -> None:
    axis.loglog(ORDER_STEPS, outcome.law_errors, "o-", color=style.BLUE, label="exact law of Euler–Maruyama")
    start = outcome.law_errors[-1] * ORDER_STEPS[-1]
    axis.loglog(ORDER_STEPS, [start / n for n in ORDER_STEPS], ":", color=style.BLACK, label="order 1")
    axis.set_xticks(ORDER_STEPS, [str(n) for n in ORDER_STEPS])
    axis.set_yticks([0.01, 0.02, 0.05, 0.1], ["0.01", "0.02", "0.05", "0.1"])
    axis.minorticks_off()
    axis.set(xlabel="steps", ylabel="W₂, 1 dimension")
    axis.legend(fontsize=8)


def _covariances(axis: Axes, outcome: GaussianOutcome, size: int, legend: bool) -> None:
    chosen = [one for one in outcome.covariances if one.dimensions == size]
    for k, case in enumerate(dict.fromkeys(one.case for one in chosen)):
        rows = [one for one in chosen if one.case == case]
        value = np.array([one.error for one in rows])
        bars = np.array([value - [one.low for one in rows], [one.high for one in rows] - value])
        colour = {EXACT: style.BLACK}.get(case, _COLOURS[k - 1])
        times = np.array([one.time for one in rows]) + 0.012 * (k - 1.5)
        axis.errorbar(times, value, bars, fmt=_MARKS[k % 4], ms=3.5, lw=1, color=colour, label=case)
    axis.set(xlabel="time t", ylabel=f"|C - g² dt| / |g² dt|, {size}-D", ylim=(0, None), xlim=(0.1, 0.9))
    if legend:
        axis.legend(fontsize=7)
    axis.set_ylim(0, 1.8 if legend else None)
