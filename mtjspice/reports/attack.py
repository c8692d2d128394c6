"""How far attacks on a source came: table, figures and files; nothing here attacks.

matplotlib is imported by the figures only.
"""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.files import output_folder, write_atomically
from mtjspice.generative.attack.outcome import Outcome, Trial
from mtjspice.statistics import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADER = ("source", "attack", "images", "bits predicted", "95 %", "misread", "LPIPS", "found")
_MARKERS = {"inversion": "o", "brute-force": "s", "words": "^", "prediction": "D"}
_SHOWN = 4  # later images of a source in the picture


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """A row a trial."""
    return [_row(trial) for trial in outcome.trials]


def _row(trial: Trial) -> tuple[str, ...]:
    predicted = trial.predicted
    lpips = "" if trial.lpips is None else f"{trial.lpips:.3f} ({trial.lpips_unrelated:.3f} unrelated)"
    judged = trial.found or ("" if trial.attack.startswith("prediction") else "this attack failed")
    return (
        trial.source, trial.attack, str(trial.seen), f"{100 * predicted.value:.1f} %",
        f"{100 * predicted.low:.1f} to {100 * predicted.high:.1f}", f"{100 * trial.misread:.2g} %", lpips, judged,
    )  # fmt: skip


def notes(outcome: Outcome) -> tuple[str, ...]:
    """What the numbers mean."""
    effort = outcome.effort
    found = [
        f"generator {outcome.generator}, images published as {effort.channel}, words of {effort.word} bits; predicted: "
        f"the bits of {effort.future} later images (brute-force: the held-out half of each image seen)",
        "where inversion or words failed, the commoner bit was guessed; an attack failed, too, if what it found could "
        "be chance (above 1e-6); that does not mean that a source is secure",
    ]
    if outcome.solved:
        solved, total = (sum(each[k] for each in outcome.solved.values()) for k in (0, 1))
        found.append(f"{solved} of {total} images were inverted down to the rounding of their pixels")
    for each in outcome.correlations():
        found.append(
            f"rank correlation of {each.measure} with the bits predicted by the best attack: {each.rho:+.2f} "
            f"({each.sources} sources, p = {each.p_value:.2g})"
        )
    return tuple(found)


def figure(outcome: Outcome) -> "Figure":
    """Bits predicted against images seen, source by source, and against the fraction of near duplicates."""
    from mtjspice.reports import style

    return style.styled(_draw)(outcome)


def _draw(outcome: Outcome) -> "Figure":
    from matplotlib.figure import Figure as NewFigure

    from mtjspice.reports import style

    sources = list(outcome.measures)
    seen = sorted(outcome.effort.seen)
    diverse = any(each.near is not None for each in outcome.measures.values())
    drawing = NewFigure(figsize=(style.WIDTH * (1.35 if diverse else 1), 1.3 + 0.36 * len(sources)),
                        layout="constrained")  # fmt: skip
    panels = drawing.subplots(1, 2 if diverse else 1, squeeze=False, width_ratios=(1.5, 1) if diverse else (1,))[0]
    axis: Axes = panels[0]
    colours = (style.SKY, style.BLUE, style.GREEN, style.ORANGE, style.RED, style.PURPLE)
    for line, source in enumerate(sources):
        for place, count in enumerate(seen):
            trial = outcome.best(source, count)
            # the best of several attacks: Sidak's correction keeps the 95 % for their number
            attempts = sum(each.source == source and each.seen == count for each in outcome.trials)
            predicted = wilson(trial.right, trial.bits, 0.95 ** (1 / attempts))
            height = line + 0.56 * ((place + 0.5) / len(seen) - 0.5)
            value = 100 * predicted.value
            axis.errorbar(
                value, height, xerr=[[value - 100 * predicted.low], [100 * predicted.high - value]],
                fmt=_MARKERS[trial.attack.split(",")[0]], ms=4, lw=1, color=colours[place % len(colours)],
                label=f"{count} image{'s' if count > 1 else ''}" if line == 0 else None,
                mfc=colours[place % len(colours)] if trial.found else "white",
            )  # fmt: skip
    axis.axvline(50, color=style.BLACK, ls=":", lw=1)
    axis.set_yticks(range(len(sources)), [f"{wrapped(source)}  {k + 1}" for k, source in enumerate(sources)])
    axis.set_ylim(len(sources) - 0.5, -0.5)
    axis.set_xlim(38, 103)
    axis.set_xlabel("unseen bits predicted (%)")
    drawing.legend(
        handles=[*_colour_keys(seen, colours), *_marker_keys(outcome)],
        loc="outside lower center",
        ncols=4 if diverse else 3,
        fontsize=7,
        handlelength=1.2,
        columnspacing=1.2,
    )
    if diverse:
        _diversity(panels[1], outcome)
    return drawing


def _colour_keys(seen: list[int], colours: tuple[str, ...]) -> list[object]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=colours[k % len(colours)], lw=3, label=f"{count} image{'s' if count > 1 else ''} seen")
        for k, count in enumerate(seen)
    ]


def _marker_keys(outcome: Outcome) -> list[object]:
    """What was best anywhere, by its marker; filled ones found the source."""
    from matplotlib.lines import Line2D

    best = [outcome.best(source, count) for source in outcome.measures for count in outcome.effort.seen]
    used = dict.fromkeys((trial.attack.split(",")[0], bool(trial.found)) for trial in best)
    return [
        Line2D(
            [], [], marker=_MARKERS[name], ls="", color="0.3", mfc="0.3" if found else "white", ms=5,
            label=f"{name}: " + ("source found" if found else "guesses" if name == "prediction" else "failed"),
        )
        for name, found in sorted(used)
    ]  # fmt: skip


def _diversity(axis: "Axes", outcome: Outcome) -> None:
    from mtjspice.reports import style

    groups: dict[tuple[int, int], list[tuple[int, float, float]]] = {}
    for number, (source, each) in enumerate(outcome.measures.items()):
        if each.near is None:
            continue
        best = outcome.best(source)
        near, value = 100 * each.near, 100 * best.predicted.value
        axis.plot(near, value, _MARKERS[best.attack.split(",")[0]], ms=5, color=style.BLUE,
                  mfc=style.BLUE if best.found else "white")  # fmt: skip
        # sources that lie together share a list of numbers
        place = round(3 * np.log10(1 + near)), round(value / 10)
        groups.setdefault(place, []).append((number + 1, near, value))
    for members in groups.values():
        numbers = ", ".join(str(number) for number, *_ in members)
        middle, top = float(np.mean([near for _, near, _ in members])), max(value for *_, value in members)
        axis.annotate(numbers, (middle, top), (0, 6), textcoords="offset points", ha="center", fontsize=7)
    axis.set_xscale("symlog", linthresh=1)
    axis.set_xlim(-0.2, 250)
    axis.set_xticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    axis.set_ylim(38, 106)
    axis.axhline(50, color=style.BLACK, ls=":", lw=1)
    axis.set_xlabel("near duplicates (% of images)")
    axis.set_ylabel("unseen bits predicted (%)")


def wrapped(source: str) -> str:
    """A source in lines of at most some 24 characters, where it has parts."""
    lines = [""]
    for part in source.replace("+", "\0+").replace(",", ",\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part) > 24:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def pictures(outcome: Outcome) -> "Figure | None":
    """Later images of each source, the true ones above those that were predicted; None without any."""
    from mtjspice.reports import style

    return style.styled(_draw_pictures)(outcome) if outcome.pictures else None


def _draw_pictures(outcome: Outcome) -> "Figure":
    from matplotlib.figure import Figure as NewFigure

    shown = min(_SHOWN, outcome.effort.future)
    columns = 2 if len(outcome.pictures) > 1 else 1
    lines = -(-len(outcome.pictures) // columns)
    side = 0.62
    drawing = NewFigure(figsize=(columns * max(shown * side + 0.7, 2.9), lines * (2 * side + 0.5)),
                        layout="constrained")  # fmt: skip
    panels = drawing.subplots(lines, columns, squeeze=False)
    for axis in panels.ravel():
        axis.set_axis_off()
    for axis, (source, both) in zip(panels.T.ravel(), outcome.pictures.items(), strict=False):
        strips = [np.concatenate(list(images[:shown]), axis=1) for images in (both.true, both.predicted)]
        gap = np.full((max(2, strips[0].shape[0] // 16), *strips[0].shape[1:]), 255, np.uint8)
        sheet = np.concatenate([strips[0], gap, strips[1]])
        axis.imshow(sheet[:, :, 0] if sheet.shape[2] == 1 else sheet, cmap="gray", vmin=0, vmax=255)
        trial = next(t for t in outcome.trials if (t.source, t.attack, t.seen) == (
            source, "inversion", max(outcome.effort.seen)))  # fmt: skip
        said = "source found" if trial.found else "attack failed"
        axis.set_title(f"{wrapped(source)}: {said}", fontsize=8)
        height = strips[0].shape[0]
        for text, place in (("true", height / 2), ("predicted", 1.5 * height + gap.shape[0])):
            axis.text(-4, place, text, ha="right", va="center", fontsize=7)
    return drawing


def write(outcome: Outcome, folder: Path) -> None:
    """Write figure.png, images.png (where images were attacked), trials.csv and result.json to ``folder``."""
    from mtjspice.reports import style

    output_folder(folder)
    text = StringIO()
    writer = csv.writer(text)
    for number, trial in enumerate(outcome.trials):
        entries = {key: "" if value is None else value for key, value in trial.as_dict().items()}
        if number == 0:
            writer.writerow(entries)
        writer.writerow(entries.values())
    write_atomically(folder / "trials.csv", text.getvalue())
    write_atomically(folder / "result.json", json.dumps(outcome.as_dict(), indent=2, allow_nan=False) + "\n")
    style.save(figure(outcome), folder / "figure.png")
    sheet = pictures(outcome)
    if sheet is not None:
        style.save(sheet, folder / "images.png")
