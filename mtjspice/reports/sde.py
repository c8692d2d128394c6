"""Neural SDEs with drop-connect: tables and files of the three cases; nothing here computes a distance."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtjspice.files import output_folder, write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.generative.sde.gaussian_study import GaussianOutcome
    from mtjspice.generative.sde.latent_study import LatentOutcome
    from mtjspice.generative.sde.outcome import Trial
    from mtjspice.generative.sde.regression import Prediction

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


# --- latents -------------------------------------------------------------------------------------------------


def latent_table(outcome: "LatentOutcome") -> Table:
    """Distances of latents and of decoded images, a row a label."""
    rows: list[tuple[str, ...]] = []
    for label in outcome.labels():
        row = outcome.summary(label)
        latent, energy, image = row["latent_frechet"], row["latent_energy"], row["image_frechet"]
        bits = outcome.bits_per_image.get(label)
        rows.append((
            label, _value(latent, 3), f"{latent['ratio']:.2f}", _value(energy, 3), _value(image, 0), str(row["draws"]),
            "" if bits is None else f"{bits:,}",
        ))  # fmt: skip
    header = (
        "noise", "Frechet distance of latents", "over the null's", "energy distance of latents",
        "Frechet distance of images", "draws", "bits an image",
    )  # fmt: skip
    return header, rows


def latent_notes(outcome: "LatentOutcome") -> tuple[str, ...]:
    """What the numbers depend on."""
    return (
        f"{outcome.effort.images} images a draw, {outcome.steps} steps; latents (8) against encoded test images, "
        "decoded images against the test images (64 features of a classifier of Fashion-MNIST)",
        f"{outcome.effort.images} training images, encoded: {outcome.floor['latent_frechet']:.3f} and "
        f"{outcome.floor['latent_energy']:.3f}; then decoded: "
        f"{outcome.floor['image_frechet']:.0f}, which the small autoencoder costs",
        "read the distances of latents first: the decoder blurs, and errors that add contrast can lower that of images",
        "in situ the start of each image is software noise; all else are P-bits",
    )


def write_latents(outcome: "LatentOutcome", costs: Mapping[str, Any], folder: Path) -> None:
    """Write figure.png, samples.png, cost.png, trials.csv and result.json."""
    from mtjspice.reports import sde_figures

    _write(
        folder, {**outcome.as_dict(), "cost": dict(costs)}, (*outcome.null, *outcome.trials),
        figure=sde_figures.latents(outcome), samples=sde_figures.samples(outcome), cost=sde_figures.cost(costs),
    )  # fmt: skip


def cost_table(costs: Mapping[str, Any]) -> Table:
    """Speed, energy and wear of one image at one parallel width."""
    rows: list[tuple[str, ...]] = [
        (
            cost["scheme"], f"{cost['pbits']:,}", f"{cost['images_per_second']:.3g}", f"{cost['energy'] * 1e9:.3g}",
            f"{cost['pulses_per_pbit']:.3g}", f"{cost['images']:.2g}",
        )
        for cost in costs["at_width"]
    ]  # fmt: skip
    header = ("scheme", "bits an image", "images/s", "nJ an image", "pulses of a junction", "images in 1e12 pulses")
    return header, rows


def cost_notes(costs: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the costs come from."""
    paper = costs["paper"]
    return (
        f"parallel width {costs['at_width'][0]['parallel']}; costs of a P-bit {costs['columns_source']}",
        "the paper's (IEDM 2024, other circuits, width not given): in situ "
        f"{paper['in_situ_bits_per_ns']} bit/ns and {paper['in_situ_pj_per_bit']} pJ/bit, ex situ "
        f"{paper['ex_situ_bits_per_ns']} bit/ns and {paper['ex_situ_pj_per_bit']} pJ/bit",
        f"bits drawn beside the column cost less from {costs['break_even_weights_per_bit']:.1f} weights a bit on",
    )


# --- known score ---------------------------------------------------------------------------------------------


def gaussian_tables(outcome: "GaussianOutcome") -> list[Table]:
    """Distances in each number of dimensions, then covariances."""
    tables: list[Table] = []
    for size in outcome.trials:
        measure = "w2" if size == 1 else "energy"
        rows: list[tuple[str, ...]] = [
            (row["label"], _value(row[measure], 3), f"{row[measure]['ratio']:.2f}", str(row["draws"]))
            for row in outcome.rows(size)
        ]
        rows.append(("samples of the mixture", f"{outcome.floor[size][measure]:.3f}", "", "1"))
        title = "W2" if size == 1 else "energy distance"
        tables.append(((f"noise, {size} dimension(s)", title, "over the null's", "draws"), rows))
    covariances: list[tuple[str, ...]] = [
        (
            one.case, str(one.dimensions), f"{one.time:.2f}", f"{one.error:.3f} ({one.low:.3f}-{one.high:.3f})",
            f"{one.scatter:.2f}",
        )
        for one in outcome.covariances
    ]  # fmt: skip
    header = ("injected covariance", "dimensions", "time", "error against g^2 dt (95 %)", "scatter over states")
    tables.append((header, covariances))
    return tables


def gaussian_notes(outcome: "GaussianOutcome") -> tuple[str, ...]:
    """What the numbers depend on."""
    from mtjspice.generative.sde.gaussian_study import ORDER_STEPS

    errors = ", ".join(f"{e:.3f} ({n})" for n, e in zip(ORDER_STEPS, outcome.law_errors, strict=True))
    return (
        f"{outcome.effort.images} samples a draw, {outcome.settings.steps} steps",
        f"W2 of Euler and Maruyama's exact law in one dimension by steps: {errors}; order {outcome.order:.2f}",
    )


def write_gaussian(outcome: "GaussianOutcome", folder: Path) -> None:
    """Write figure.png, trials.csv and result.json."""
    from mtjspice.reports import sde_figures

    trials = [trial for size in outcome.trials for trial in (*outcome.null[size], *outcome.trials[size])]
    sizes = [size for size in outcome.trials for _ in (*outcome.null[size], *outcome.trials[size])]
    _write(folder, outcome.as_dict(), trials, sizes, figure=sde_figures.gaussian(outcome))


# --- regression ----------------------------------------------------------------------------------------------


def regression_table(found: Sequence["Prediction"]) -> Table:
    """Errors of mean and scatter, coverage with its interval, correlation of consecutive passes."""
    from mtjspice.generative.sde.regression import LEVELS

    rows: list[tuple[str, ...]] = []
    for one in found:
        errors = one.errors()
        covered = [f"{p.value:.3f} ({p.low:.3f}-{p.high:.3f})" for p in one.coverage]
        rows.append((
            one.label, f"{errors['mean_rms_error']:.3f}", f"{errors['deviation_rms_error']:.3f}", *covered,
            f"{one.autocorrelation:.2f}",
        ))  # fmt: skip
    header = ("P-bits", "error of mean", "of sd", *(f"in {level:.0%}" for level in LEVELS), "correlation of passes")
    return header, rows


def write_regression(found: Sequence["Prediction"], configuration: Mapping[str, Any], folder: Path) -> None:
    """Write figure.png, trials.csv (a row a place) and result.json."""
    from mtjspice.reports import sde_figures, style

    output_folder(folder)
    names = ("x", "mean", "mean_error", "deviation", "deviation_error")
    lines = [
        (one.label, *(repr(float(getattr(one, name)[k])) for name in names)) for one in found for k in range(len(one.x))
    ]
    write_atomically(folder / "trials.csv", _csv(("label", *names), lines))
    write_atomically(folder / "result.json", _json(regression_dict(found, configuration)))
    style.save(sde_figures.regression(found), folder / "figure.png")


def regression_dict(found: Sequence["Prediction"], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Plain types for JSON."""
    return {"case": "regression", **configuration, "predictions": [one.as_dict() for one in found]}


# --- files ---------------------------------------------------------------------------------------------------


def _write(
    folder: Path,
    result: Mapping[str, Any],
    trials: Sequence["Trial"],
    sizes: Sequence[int] | None = None,
    **figures: "Figure",
) -> None:
    from mtjspice.reports import style

    output_folder(folder)
    lines = [
        (*(() if sizes is None else (str(sizes[k]),)), trial.label, str(trial.draw), name, repr(value))
        for k, trial in enumerate(trials)
        for name, value in trial.distances.items()
    ]
    header = (*(() if sizes is None else ("dimensions",)), "label", "draw", "distance", "value")
    write_atomically(folder / "trials.csv", _csv(header, lines))
    write_atomically(folder / "result.json", _json(result))
    for name, figure in figures.items():
        style.save(figure, folder / f"{name}.png")


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def _value(found: Mapping[str, Any], digits: int) -> str:
    deviation = "" if found["deviation"] is None else f" ± {found['deviation']:.{digits}f}"
    return f"{found['mean']:.{digits}f}{deviation}"
