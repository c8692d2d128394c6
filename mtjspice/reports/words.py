"""What noise words are worth: figures of exact laws, tables and files.

matplotlib is imported by the figures only.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.errors import InputError
from mtjspice.files import output_folder, write_atomically
from mtjspice.generative.encodings import comparison
from mtjspice.generative.encodings.base import NARROWEST, WIDEST
from mtjspice.generative.encodings.catalogue import encoding_of
from mtjspice.generative.encodings.comparison import Quality
from mtjspice.generative.law import Law

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LAWS = ("tree:8", "product:8", "toggle:8,pulses=32,target=16", "sum:8,words=4")
IMPERFECTIONS = {
    "dp": (-0.05, -0.03, -0.02, -0.01, 0.0, 0.01, 0.02, 0.03, 0.05),
    "spread": (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1),
    "rho": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
}
HEADER = ("noise word", "bits", "mean", "deviation", "excess kurtosis", "KL (bit)", "TV", "KS", "P(|x| > 3) / normal")
_FLOOR = 1e-5  # bit; a divergence below is drawn there
_NORMAL_TAIL = 0.0026997960632601866  # P(|x| > 3) of N(0, 1)


@dataclass(frozen=True, eq=False)
class WordsReport:
    """Exact laws by name, and comparisons against pulses, width, and imperfections (by name)."""

    laws: dict[str, Law]
    bits_per_number: dict[str, float]
    pulses: list[Quality]
    target: int
    widths: list[Quality]
    imperfections: dict[str, list[Quality]]


def compare(
    names: Sequence[str] = LAWS, bits: int = 8, target: int = 16, devices: int = 100,
    widths: Sequence[int] = range(NARROWEST, WIDEST + 1),
) -> WordsReport:  # fmt: skip
    """Everything that the figures show; InputError for names without an exact law, or no devices."""
    if devices < 1:
        raise InputError(f"a spread is averaged over 1 device or more, not {devices}")
    encodings = {name: encoding_of(name) for name in names}
    laws = {}
    for name, encoding in encodings.items():
        law = encoding.law()
        if law is None:
            raise InputError(f"noise word {name!r} has no exact law to draw")
        laws[name] = law
    return WordsReport(
        laws,
        {name: encoding.bits_per_number for name, encoding in encodings.items()},
        comparison.by_pulses(bits, target),
        target,
        comparison.by_width(widths),
        {flaw: comparison.by_imperfection(flaw, at, bits, devices) for flaw, at in IMPERFECTIONS.items()},
    )


def rows(report: WordsReport) -> list[tuple[str, ...]]:
    """A row a law."""
    found: list[tuple[str, ...]] = []
    for name, law in report.laws.items():
        d = law.distances()
        found.append((
            name, f"{report.bits_per_number[name]:.4g}", f"{d.mean:z.4f}", f"{d.std:.4f}", f"{d.excess_kurtosis:z.3f}",
            f"{d.kl_bits:.3g}", f"{d.total_variation:.3g}", f"{d.kolmogorov_smirnov:.3g}",
            f"{law.tail(3) / _NORMAL_TAIL:.3g}",
        ))  # fmt: skip
    return found


def _styled(draw: Callable[[WordsReport], "Figure"]) -> Callable[[WordsReport], "Figure"]:
    def wrapped(report: WordsReport) -> "Figure":
        from mtjspice.reports import style

        return style.styled(draw)(report)

    wrapped.__doc__ = draw.__doc__
    return wrapped


@_styled
def laws_figure(report: WordsReport) -> "Figure":
    """Density of each law as bars on N(0, 1), and the probability of what lies beyond a limit."""
    from matplotlib.figure import Figure as NewFigure
    from scipy.stats import norm

    from mtjspice.reports import style

    count = len(report.laws)
    drawing = NewFigure(figsize=(style.WIDTH, 1.0 + 1.15 * count), layout="constrained")
    grid = drawing.add_gridspec(count, 2, width_ratios=(1.25, 1))
    tails: Axes = drawing.add_subplot(grid[:, 1])
    x = np.linspace(-4.5, 4.5, 400)
    first: Axes | None = None
    for line, (name, law) in enumerate(report.laws.items()):
        colour = _colours()[line % len(_colours())]
        axis: Axes = drawing.add_subplot(grid[line, 0], sharex=first, sharey=first)
        first = first or axis
        edges = law.edges()
        axis.stairs(law.probabilities[1:-1] / np.diff(edges), edges, fill=True, color=colour, alpha=0.45)
        axis.plot(x, norm.pdf(x), color=style.BLACK, lw=0.9)
        axis.set_title(name, fontsize=8, loc="left")
        axis.set_xlim(-4.5, 4.5)
        if line < count - 1:
            axis.tick_params(labelbottom=False)
        limits = np.unique(np.round(np.abs(law.values), 12))
        beyond = np.array([law.tail(float(limit) + 1e-9) for limit in limits])
        tails.plot(np.append(0, limits), np.append(1, beyond), drawstyle="steps-post", color=colour, label=name)
    axis.set_xlabel("x; line: N(0, 1)")
    drawing.supylabel("density", fontsize=9)
    at = np.linspace(0, 7, 300)
    tails.plot(at, 2 * norm.sf(at), color=style.BLACK, lw=0.9, label="N(0, 1)")
    tails.set_yscale("log")
    tails.set_ylim(1e-7, 1.5)
    tails.set_xlim(0, 7)
    tails.set_xlabel("t")
    tails.set_ylabel("P(|x| > t)")
    tails.legend(fontsize=6.5, loc="upper right")
    return drawing


@_styled
def pulses_figure(report: WordsReport) -> "Figure":
    """Divergence and total variation of a toggle chain against the number of pulses."""
    from mtjspice.reports import style

    drawing, axes = style.new_figure(2.9)
    axis: Axes = axes[0, 0]
    at = [one.x for one in report.pulses]
    axis.plot(
        at, [one.kl_bits or np.nan for one in report.pulses], "o-", ms=3.5, color=style.BLUE, label="KL(N || law), bit"
    )
    axis.plot(
        at, [one.total_variation for one in report.pulses], "s-", ms=3.5, color=style.ORANGE, label="total variation"
    )
    uniform = Law.of(np.arange(-127.5, 128) / 32, np.full(256, 1 / 256)).distances().kl_bits
    axis.axhline(uniform, color=style.BLUE, ls=":", lw=1)
    axis.text(1.05, uniform * 1.05, f"uniform law, {uniform:.3f} bit", fontsize=7, color=style.BLUE, va="bottom")
    axis.axvline(report.target, color=style.BLACK, ls="--", lw=0.8)
    axis.text(report.target * 1.04, 2.2, f"made for {report.target}", fontsize=7)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks([1, 2, 4, 8, 16, 32, 64, 128, 256], ["1", "2", "4", "8", "16", "32", "64", "128", "256"])
    axis.set_xlabel("pulses after the reset")
    axis.set_ylabel("distance from N(0, 1)")
    axis.legend(fontsize=8, loc="lower right")
    return drawing


@_styled
def widths_figure(report: WordsReport) -> "Figure":
    """Divergence, total variation and excess kurtosis of encodings against the width of a word."""
    from mtjspice.reports import style

    drawing, axes = style.new_figure(2.9, 1, 3)
    quantities = (("kl_bits", f"KL, bit (at least {_FLOOR:g})"), ("total_variation", "total variation"),
                  ("excess_kurtosis", "excess kurtosis"))  # fmt: skip
    for axis, (quantity, title) in zip(axes[0], quantities, strict=True):
        for k, (name, group) in enumerate(_grouped(report.widths).items()):
            values = np.array([getattr(one, quantity) for one in group], float)
            if quantity != "excess_kurtosis":
                values = np.maximum(values, _FLOOR)
            axis.plot([one.x for one in group], values, _MARKS[k], ms=3, lw=1, color=_colours()[k], label=name)
        axis.set_xlabel("bits")
        axis.set_title(title, fontsize=8)
        axis.set_xticks(range(NARROWEST, 17, 4))
        if quantity != "excess_kurtosis":
            axis.set_yscale("log")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=7)
    return drawing


@_styled
def imperfections_figure(report: WordsReport) -> "Figure":
    """Mean, standard deviation and divergence against offset, spread and memory of the cells."""
    from mtjspice.reports import style

    names = {"dp": "offset dp", "spread": "spread of cells", "rho": "memory rho"}
    drawing, axes = style.new_figure(5.4, 3, len(names), sharex="col", sharey="row")
    for column, flaw in enumerate(names):
        for k, (name, group) in enumerate(_grouped(report.imperfections[flaw]).items()):
            x = np.array([one.x for one in group])
            look = {"ms": 3, "lw": 1, "color": _colours()[k]}
            shown = [one.mean for one in group]
            axes[0, column].plot(x, shown, _MARKS[k], label=name, **look)
            std, scatter = (np.array([getattr(one, key) for one in group]) for key in ("std", "std_spread"))
            axes[1, column].plot(x, std, _MARKS[k], **look)
            axes[1, column].fill_between(x, std - scatter, std + scatter, color=look["color"], alpha=0.15, lw=0)
            divergence = np.array([np.nan if one.kl_bits is None else max(one.kl_bits, _FLOOR) for one in group])
            axes[2, column].plot(x, divergence, _MARKS[k], **look)
        axes[2, column].set_xlabel(names[flaw])
        axes[2, column].set_yscale("log")
    axes[0, 1].set_title("mean of |mean| over devices", fontsize=7)
    axes[1, 1].set_title("band: ± 1 s over devices", fontsize=7)
    axes[2, 0].set_title("infinite: not drawn", fontsize=7)
    axes[2, 1].set_title("median over devices", fontsize=7)
    for axis, title in zip(axes[:, 0], ("mean", "standard deviation", "KL, bit"), strict=True):
        axis.set_ylabel(title)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=7.5)
    return drawing


FIGURES: dict[str, Callable[[WordsReport], "Figure"]] = {
    "laws": laws_figure,
    "pulses": pulses_figure,
    "widths": widths_figure,
    "imperfections": imperfections_figure,
}
_MARKS = ("o-", "s-", "^-", "v-", "D-", "x-")


def as_dict(report: WordsReport) -> dict[str, object]:
    """Plain types for JSON; None where a figure of merit is infinite."""
    return {
        "laws": {
            name: {"bits_per_number": report.bits_per_number[name], **law.as_dict()}
            for name, law in report.laws.items()
        },
        "target_pulses": report.target,
        "pulses": [one.as_dict() for one in report.pulses],
        "widths": [one.as_dict() for one in report.widths],
        "imperfections": {flaw: [one.as_dict() for one in found] for flaw, found in report.imperfections.items()},
    }


def write(report: WordsReport, folder: Path) -> None:
    """Write laws.png, pulses.png, widths.png, imperfections.png, words.csv and result.json to ``folder``."""
    from mtjspice.reports import style

    output_folder(folder)
    text = StringIO()
    writer = csv.writer(text)
    keys = [one.name for one in fields(Quality)]
    writer.writerow(("comparison", *keys))
    groups = {"pulses": report.pulses, "width": report.widths, **report.imperfections}
    for name, found in groups.items():
        writer.writerows([(name, *(getattr(one, key) for key in keys)) for one in found])
    write_atomically(folder / "words.csv", text.getvalue())
    write_atomically(folder / "result.json", json.dumps(as_dict(report), indent=2, allow_nan=False) + "\n")
    for name, draw in FIGURES.items():
        style.save(draw(report), folder / f"{name}.png")


def _grouped(found: Sequence[Quality]) -> dict[str, list[Quality]]:
    groups: dict[str, list[Quality]] = defaultdict(list)
    for one in found:
        groups[one.encoding].append(one)
    return groups


def _colours() -> tuple[str, ...]:
    from mtjspice.reports import style

    return style.BLUE, style.RED, style.GREEN, style.PURPLE, style.ORANGE, style.BLACK
