"""Figures of the experiment on matrices: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.meram.matrices_findings import Measured

_PULSE, _BIT, _FROM = "pulse [s]", "bit", "from"
_P, _LOW, _HIGH, _PREDICTED = "switched", "low", "high", "macrospin"
_FLIPPED, _COUNTED, _EXPECTED, _LEAST, _MOST = "bits flipped", "pulses counted", "expected", "2.5 %", "97.5 %"


def plates(measured: "list[Measured]", seed: int) -> tuple[Plate, ...]:
    """Flipped bits, and matrices."""
    from mtjspice.papers.meram.independence import flip_law

    rows: list[tuple[float, int, str, float, float, float, float]] = []
    flipped: list[tuple[float, int, int, float, float, float]] = []
    rng = np.random.default_rng(seed)
    for one in measured:
        for state, name in ((0, "P"), (1, "AP")):
            for bit in range(len(one.counts)):
                found = one.proportion(bit, state)
                rows.append(
                    (one.width, bit, name, found.value if found.trials else 0.0, found.low, found.high,
                     one.predicted[state].value)
                )  # fmt: skip
        words = len(one.train.before)
        counted = np.bincount((one.train.before ^ one.train.after).sum(axis=1), minlength=len(one.counts) + 1)
        expected = flip_law(one.train.before, one.matrices())
        band = np.quantile(rng.multinomial(words, expected / words, 10_000), (0.025, 0.975), axis=0)
        flipped += [
            (one.width, k, int(counted[k]), float(expected[k]), float(band[0, k]), float(band[1, k]))
            for k in range(counted.size)
        ]
    names = (_PULSE, _BIT, _FROM, _P, _LOW, _HIGH, _PREDICTED)
    others = (_PULSE, _FLIPPED, _COUNTED, _EXPECTED, _LEAST, _MOST)
    pulses = " and ".join(str(len(one.train.before)) for one in measured)
    return (
        Plate(
            key="flips",
            caption=(
                f"Number of bits that one pulse flips: counted in {pulses} co-simulated pulses, beside what the"
                " Kronecker product of the 2 x 2 matrices says (line, with the 95 % band of as many pulses). Pulses"
                " that flip bits together would widen it."
            ),
            alt="Bars of counts, with the line and the band that the Kronecker product gives.",
            columns=dict(zip(others, zip(*flipped, strict=True), strict=True)),
        ),
        Plate(
            key="matrices",
            caption=(
                f"Flips of each bit from P and from AP by the same pulse, 95 % intervals (Wilson), {pulses} pulses."
                " Lines: macrospins on the voltage that the circuit puts on its junctions."
            ),
            alt="Points with intervals for each bit and state, about two lines of the macrospins for each pulse.",
            columns=dict(zip(names, zip(*rows, strict=True), strict=True)),
        ),
    )


def draw_flips(columns: Columns) -> "Figure":
    """Counts and expectation of the number of flipped bits."""
    from mtjspice.reports.style import RED, SKY, new_figure

    widths = np.unique(columns[_PULSE])
    figure, grid = new_figure(2.8, columns=widths.size, sharey=True)
    for axis, width in zip(grid[0], widths, strict=True):
        which = columns[_PULSE] == width
        flipped = columns[_FLIPPED][which]
        axis.bar(flipped, columns[_COUNTED][which], color=SKY, width=0.8, label="co-simulated")
        axis.fill_between(
            np.concatenate([flipped[:1] - 0.5, flipped, flipped[-1:] + 0.5]),
            *(np.pad(columns[name][which], 1, mode="edge") for name in (_LEAST, _MOST)),
            color=RED, alpha=0.2, linewidth=0, step="mid",
        )  # fmt: skip
        axis.plot(flipped, columns[_EXPECTED][which], "o-", color=RED, markersize=3, label="Kronecker product")
        axis.set(title=f"pulses of {width * 1e9:.2f} ns", xlabel="bits flipped by a pulse")
        axis.title.set_fontsize(9)
        axis.set_xticks(flipped)
    grid[0, 0].set(ylabel="pulses")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
    return figure


def draw_matrices(columns: Columns) -> "Figure":
    """Flips of every bit from both states."""
    from mtjspice.reports.style import BLUE, ORANGE, new_figure

    widths = np.unique(columns[_PULSE])
    figure, grid = new_figure(3.0, columns=widths.size, sharey=True)
    for axis, width in zip(grid[0], widths, strict=True):
        for name, colour, marker, shift in (("P", BLUE, "o", -0.12), ("AP", ORANGE, "s", 0.12)):
            which = (columns[_PULSE] == width) & (columns[_FROM] == name)
            value = columns[_P][which]
            errors = [value - columns[_LOW][which], columns[_HIGH][which] - value]
            axis.errorbar(
                columns[_BIT][which] + shift, value, np.maximum(errors, 0), fmt=marker, markersize=4, color=colour,
                capsize=2, linewidth=1, label=f"from {name}",
            )  # fmt: skip
            axis.axhline(
                columns[_PREDICTED][which][0], color=colour, linewidth=1, linestyle="--",
                label=f"macrospins, from {name}",
            )  # fmt: skip
        axis.set_xticks(np.unique(columns[_BIT]))
        axis.set(title=f"pulses of {width * 1e9:.2f} ns", xlabel="bit of the word", ylim=(0, 1.02))
        axis.title.set_fontsize(9)
    grid[0, 0].set(ylabel="probability to flip")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8)
    return figure
