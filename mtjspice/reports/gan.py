"""Duplicates among the images of a GAN: tables, notes and files; nothing here computes a distance.

matplotlib is imported when figures are drawn.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

from mtjspice.files import output_folder, write_atomically
from mtjspice.generative.gan.lpips import FEATURES
from mtjspice.generative.gan.outcome import NULL, Outcome
from mtjspice.generative.gan.register_sweep import Point

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
HEADER = (
    "latents", "distinct", "expected", "near duplicates", "ratio to the null", "clustered", "Frechet distance", "kernel"
)  # fmt: skip
_TRIALS = (
    "label", "draw", "distinct", "nearest_median", "near", "pairs", "clusters", "clustered", "largest", "frechet",
    "kernel",
)  # fmt: skip


def tables(outcome: Outcome | None, points: Sequence[Point] = ()) -> list[Table]:
    """Header and rows: the null and the sources; classes of a conditional generator; registers of a sweep."""
    found: list[Table] = []
    if outcome is not None:
        found.append((HEADER, _sources(outcome)))
        if outcome.classes:
            found.append(_classes(outcome))
    if points:
        found.append(_registers(points))
    return found


def _sources(outcome: Outcome) -> list[tuple[str, ...]]:
    null = outcome.null
    images = outcome.effort.images
    near = sum(trial.near for trial in null) / (images * len(null))
    frechet = [trial.frechet for trial in null]
    rows: list[tuple[str, ...]] = [(
        "software noise (null)", f"{images}", "", f"{near:.2%} ({len(null)} draws)", "1",
        f"{sum(trial.clustered for trial in null) / (images * len(null)):.1%}",
        f"{min(frechet):.1f} to {max(frechet):.1f}",
        f"{min(trial.kernel for trial in null):.2g} to {max(trial.kernel for trial in null):.2g}",
    )]  # fmt: skip
    for one in outcome.summaries:
        rows.append((
            one.label, f"{one.distinct:.0f}", "" if one.predicted is None else f"{one.predicted:.1f}",
            f"{one.near:.1%} ({one.near_low:.1%} to {one.near_high:.1%})",
            f"{one.ratio:.2f} ({one.ratio_low:.2f} to {one.ratio_high:.2f})", f"{one.clustered:.1%}",
            f"{one.frechet:.1f}", f"{one.kernel:.3g}",
        ))  # fmt: skip
    return rows


def _classes(outcome: Outcome) -> Table:
    """The largest ratio of all classes at each threshold."""
    rows: list[tuple[str, ...]] = []
    for label, comparisons in outcome.classes.items():
        for one in comparisons:
            worst = max(one.classes, key=lambda ratio: ratio.ratio)
            rows.append((
                "software noise, 1st draw" if label == NULL else label, f"{one.threshold:.3f}",
                f"{one.largest:.2g} ({worst.name})", f"{one.null_median:.2g} (up to {one.null_high:.2g})",
                f"{one.p_value:.2g}",
            ))  # fmt: skip
    return ("latents", "LPIPS below", "largest ratio of a class", "largest by chance (95 %)", "p"), rows


def _registers(points: Sequence[Point]) -> Table:
    rows: list[tuple[str, ...]] = [
        (
            f"lfsr:{point.length} {point.pattern}", f"{point.distinct}", f"{point.predicted:.1f}",
            f"{point.near:.1%} ({point.near_low:.1%} to {point.near_high:.1%})",
            f"{point.ratio:.2f} ({point.ratio_low:.2f} to {point.ratio_high:.2f})",
        )
        for point in points
    ]  # fmt: skip
    return ("register", "distinct", "expected", "near duplicates", "ratio to the null"), rows


def notes(outcome: Outcome | None) -> tuple[str, ...]:
    """What the numbers depend on."""
    if outcome is None:
        return ()
    effort = outcome.effort
    channels, height, width = outcome.image_shape
    colour = "grey" if channels == 1 else "colour"
    return (
        f"generator {outcome.generator}: {height} x {width}, {colour}; {effort.images} images a draw, {effort.draws} "
        f"draw(s) a source; in brackets 95 % (bootstrap over images)",
        f"near duplicate: nearest LPIPS below {outcome.threshold:.3f}, calibrated to {effort.rate:.2%} of the null; "
        f"Frechet and kernel distance from a further draw of the null: {FEATURES}",
        "few duplicates do not mean unpredictable bits: 2 n bits of an LFSR of n stages give all that follow",
    )


def as_dict(outcome: Outcome | None, points: Sequence[Point] = ()) -> dict[str, Any]:
    """Plain types for JSON."""
    found = {} if outcome is None else outcome.as_dict()
    return {**found, "registers": [point.as_dict() for point in points]}


def write(outcome: Outcome | None, points: Sequence[Point], folder: Path) -> None:
    """Write figure.png, result.json and, of sources, samples.png and trials.csv to ``folder``."""
    from mtjspice.reports import gan_figures, style

    output_folder(folder)
    write_atomically(folder / "result.json", json.dumps(as_dict(outcome, points), indent=2, allow_nan=False) + "\n")
    style.save(gan_figures.figure(outcome, points), folder / "figure.png")
    if outcome is None:
        return
    text = StringIO()
    writer = csv.DictWriter(text, _TRIALS)
    writer.writeheader()
    writer.writerows(asdict(trial) for trial in (*outcome.null, *outcome.trials))
    write_atomically(folder / "trials.csv", text.getvalue())
    style.save(gan_figures.samples(outcome), folder / "samples.png")
