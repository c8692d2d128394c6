"""What random bits cost a language model: table, figure and files; nothing here samples a token.

matplotlib is imported by the figure only.
"""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.files import output_folder, write_atomically
from mtjspice.generative.tokens.model import ALPHABET, character_model
from mtjspice.generative.tokens.samplers import GumbelSampler, InverseCdfSampler, Sampler
from mtjspice.generative.tokens.study import TokenOutcome, context_logs, exact_cost
from mtjspice.generative.tokens.words import BitLaw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADER = ("bits", "bits a token", "excess surprise (bits a token)", "sigmas", "counts: sigmas", "texts alike to none")
LAWS = (
    ("fair", BitLaw()),
    ("P(1) = 0.51", BitLaw(0.51)),
    ("P(1) = 0.55", BitLaw(0.55)),
    ("memory 0.1", BitLaw(0.5, 0.1)),
    ("memory 0.3", BitLaw(0.5, 0.3)),
)
_WIDTHS = (4, 6, 8, 10, 12, 16, 20, 24)
_GUMBEL_WIDTHS = (4, 5, 6, 7, 8)
_LARGE_VOCABULARY = 128_000


def rows(outcome: TokenOutcome) -> list[tuple[str, ...]]:
    """A row a source."""
    return [
        (
            trial.label, f"{trial.bits_per_token:.2f}", f"{trial.excess:+.4f} ± {trial.excess_error:.4f}",
            f"{trial.excess_sigmas:+.1f}", f"{trial.chi_square_sigmas:+.1f}", f"{100 * trial.distinct:.1f} %",
        )
        for trial in outcome.trials
    ]  # fmt: skip


def notes(outcome: TokenOutcome) -> tuple[str, ...]:
    """What the numbers depend on."""
    effort, name = outcome.effort, outcome.sampler.name
    lines = [
        f"sampler {name}; {effort.texts} texts of {effort.length} characters; counts at {effort.contexts} places of a "
        f"text, {effort.repeats} tokens each; entropy of the model there {outcome.entropy:.3f} bits a token",
        "exact sampling has excess 0, and sigmas within ±3 in all but 0.3 % of cases",
    ]
    if outcome.exact is not None:
        lines.append(
            f"with perfect bits {name} draws from laws at KL {outcome.exact.divergence:.3g} bits a token (total "
            f"variation {outcome.exact.total_variation:.3g}) from the model's, and takes "
            f"{outcome.exact.bits_per_token:.2f} bits"
        )
    if isinstance(outcome.sampler, GumbelSampler):
        bits = outcome.sampler.bits * _LARGE_VOCABULARY
        lines.append(
            f"a token takes a word for each of the {len(ALPHABET)} tokens there are; with {_LARGE_VOCABULARY} tokens "
            f"that would be {bits / 1e6:.2f} Mbit a token"
        )
    return tuple(lines)


def figure(outcome: TokenOutcome) -> "Figure":
    """Exact costs of words against their width, and the excess surprise of each source with its interval."""
    from mtjspice.reports import style

    return style.styled(_draw)(outcome)


def _draw(outcome: TokenOutcome) -> "Figure":
    from matplotlib.figure import Figure as NewFigure

    from mtjspice.reports import style

    drawing = NewFigure(figsize=(style.WIDTH, 3.1 + 0.28 * len(outcome.trials)), layout="constrained")
    grid = drawing.add_gridspec(2, 2, height_ratios=(2.4, 0.6 + 0.28 * len(outcome.trials)))
    contexts = context_logs(character_model(), outcome.effort)
    left: Axes = drawing.add_subplot(grid[0, 0])
    right: Axes = drawing.add_subplot(grid[0, 1], sharey=left)
    samplers: list[Sampler] = [InverseCdfSampler(width) for width in _WIDTHS]
    _curves(left, samplers, _WIDTHS, contexts)
    left.set_title("inverse CDF")
    left.set_ylabel("KL(drawn ∥ model) (bit/token)")
    _curves(right, [GumbelSampler(width) for width in _GUMBEL_WIDTHS], _GUMBEL_WIDTHS, contexts[:4])
    right.set_title("Gumbel-max")
    right.tick_params(labelleft=False)
    for axis in (left, right):
        axis.set_xlabel("bits of a word")
        axis.set_yscale("log")
    left.set_ylim(1e-9, 3)
    left.legend(fontsize=6, ncols=2, loc="lower left", handlelength=1.4, columnspacing=0.8)
    below: Axes = drawing.add_subplot(grid[1, :])
    places = np.arange(len(outcome.trials))
    below.axvline(0, color=style.BLACK, lw=0.8)
    excess = [trial.excess for trial in outcome.trials]
    errors = [1.96 * trial.excess_error for trial in outcome.trials]
    below.errorbar(excess, places, xerr=errors, fmt="o", ms=4, color=style.RED, capsize=2)
    below.set_yticks(places, [trial.label for trial in outcome.trials])
    below.set_ylim(len(outcome.trials) - 0.5, -0.5)
    below.set_xlabel("excess surprise (bit/token), 95 %")
    return drawing


def _curves(axis: "Axes", samplers: list[Sampler], widths: tuple[int, ...], contexts: np.ndarray) -> None:
    from mtjspice.reports import style

    colours = (style.BLUE, style.ORANGE, style.RED, style.GREEN, style.BLACK)
    marks = ("o", "s", "^", "v", "D")
    for (name, law), colour, mark in zip(LAWS, colours, marks, strict=True):
        costs = [exact_cost(sampler, contexts, law) for sampler in samplers]
        if all(cost is None for cost in costs):
            continue
        values = [np.nan if cost is None else max(cost.divergence, 1e-16) for cost in costs]
        axis.plot(widths, values, marker=mark, ms=3, lw=1, color=colour, label=name)


def write(outcome: TokenOutcome, folder: Path) -> None:
    """Write figure.png, trials.csv, texts.txt and result.json (with the configuration) to ``folder``."""
    from mtjspice.reports import style

    output_folder(folder)
    text = StringIO()
    writer = csv.writer(text)
    names = (
        "label", "bits_per_token", "excess", "excess_error", "entropy", "chi_square", "degrees", "distinct",
    )  # fmt: skip
    writer.writerow(names)
    for trial in outcome.trials:
        writer.writerow([getattr(trial, name) for name in names])
    write_atomically(folder / "trials.csv", text.getvalue())
    texts = "\n\n".join(f"--- {trial.label}\n{trial.text}" for trial in outcome.trials)
    write_atomically(folder / "texts.txt", texts + "\n")
    write_atomically(folder / "result.json", json.dumps(outcome.as_dict(), indent=2, allow_nan=False) + "\n")
    style.save(figure(outcome), folder / "figure.png")
