"""What the noise costs a diffusion model: table, figure and files; nothing here computes a distance.

matplotlib is imported by the figure only.
"""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.files import output_folder, write_atomically
from mtjspice.generative.diffusion_study import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADER = ("noise", "Frechet distance", "excess over the null", "in spreads of the null", "kernel distance")
_COLUMNS = 8  # images in a row of the figure


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """The null first, then a row a source."""
    null = [trial.frechet for trial in outcome.null]
    kernel = np.mean([trial.kernel for trial in outcome.null])
    spread = outcome.null_spread()
    found: list[tuple[str, ...]] = [
        ("software noise (null)", f"{np.mean(null):.2f} ± {spread:.2f} ({len(null)} draws)", "", "", f"{kernel:.4g}")
    ]
    for label in outcome.labels():
        row = outcome.row(label)
        deviation = "" if row["deviation"] is None else f" ± {row['deviation']:.2f}"
        found.append((
            label, f"{row['frechet']:.2f}{deviation} ({row['draws']} draws)", f"{row['excess']:+.2f}",
            f"{row['spreads']:+.1f}", f"{row['kernel']:.4g}",
        ))  # fmt: skip
    return found


def notes(outcome: Outcome) -> tuple[str, ...]:
    """What the numbers depend on."""
    effort, subject = outcome.effort, outcome.subject
    model = ", ".join(f"{name} {value}" for name, value in outcome.model.items())
    return (
        f"noise replaced in: {outcome.where}; {effort.images} images a draw, {effort.seeds} training seed(s); "
        f"model of {subject.name}: {model}",
        f"distance from the {subject.tests} test images between {subject.features_about}; {effort.images} "
        f"real training images (all, if there are fewer): {outcome.floor:.2f}",
    )


def figure(outcome: Outcome) -> "Figure":
    """Distances of every draw beside the band of the null, and images of each source."""
    from mtjspice.reports import style

    return style.styled(_draw)(outcome)


def _draw(outcome: Outcome) -> "Figure":
    from matplotlib.figure import Figure as NewFigure

    from mtjspice.reports import style

    labels = ["null", *outcome.labels()]
    drawing = NewFigure(figsize=(style.WIDTH, 1.3 + 0.62 * len(labels)), layout="constrained")
    grid = drawing.add_gridspec(len(labels), 2, width_ratios=(1, 1.35))
    axis: Axes = drawing.add_subplot(grid[:, 0])
    null = np.array([trial.frechet for trial in outcome.null])
    spread = outcome.null_spread()
    axis.axvspan(null.mean() - 2 * spread, null.mean() + 2 * spread, color=style.SKY, alpha=0.4, lw=0)
    axis.axvline(outcome.floor, color=style.BLACK, ls=":", lw=1)
    for line, label in enumerate(labels):
        values = [t.frechet for t in (outcome.null if label == "null" else outcome.trials) if t.label == label]
        colour = style.BLUE if label == "null" else style.RED
        axis.plot(values, np.full(len(values), line), "o", ms=4, color=colour, alpha=0.8)
    axis.set_yticks(range(len(labels)), ["software noise", *labels[1:]])
    axis.set_ylim(len(labels) - 0.5, -0.5)
    axis.set_xscale("log")
    axis.set_xlabel("Fréchet distance; band: null ± 2 s, dotted: real images")
    for line, label in enumerate(labels):
        picture = drawing.add_subplot(grid[line, 1])
        picture.imshow(_sheet(outcome.examples[label][: 2 * _COLUMNS]), cmap="gray", vmin=0, vmax=1)
        picture.set_axis_off()
    return drawing


def _sheet(images: NDArray[np.float64]) -> NDArray[np.float64]:
    """Images (n, rows, columns[, 3]) in rows of `_COLUMNS` with white lines between."""
    edge = ((0, 0), (0, 1), (0, 1), *[(0, 0)] * (images.ndim - 3))
    framed = np.pad(images, edge, constant_values=1.0)
    rows = [np.concatenate(list(framed[k : k + _COLUMNS]), axis=1) for k in range(0, len(framed), _COLUMNS)]
    return np.asarray(np.clip(np.concatenate(rows), -1, 1) / 2 + 0.5, np.float64)


def write(outcome: Outcome, folder: Path) -> None:
    """Write figure.png, trials.csv and result.json (with the configuration) to ``folder``."""
    from mtjspice.reports import style

    output_folder(folder)
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(("source", "training_seed", "draw", "frechet", "kernel"))
    for trial in (*outcome.null, *outcome.trials):
        writer.writerow((trial.label, trial.training_seed, trial.draw, repr(trial.frechet), repr(trial.kernel)))
    write_atomically(folder / "trials.csv", text.getvalue())
    write_atomically(folder / "result.json", json.dumps(outcome.as_dict(), indent=2, allow_nan=False) + "\n")
    style.save(figure(outcome), folder / "figure.png")
