"""Figures of the experiment on memory: their columns, and how they are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mtjspice.papers.pbit import chains, claims
from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mtjspice.papers.pbit.chains import Chain
    from mtjspice.papers.pbit.drawn_networks import Output

_PULSE, _VOLTS, _SCALE, _RISE, _FALL = "pulse", "amplitude [V]", "amplitude without memory [V]", "p01", "p10"
_PRODUCT = "resistance-area product [ohm m^2]"
_MEMORY, _WHAT, _VALUE, _LOW, _HIGH = "memory", "quantity", "value", "low", "high"
_VARIANCE, _LAG = "variance over that with fresh P-bits", "correlation at lag 1"
_SUM, _NETWORK, _SAMPLES = "relaxing sum", "mean of 50 passes, regression", "samples of a mixture"
_SHOWN = (
    f"VCMA, {claims.PULSE_WIDTH * 1e12:.0f} ps", "STT by the state read, torque by voltage",
    "STT by the state read, torque by current",
)  # fmt: skip
Limits = tuple[float, float, float]


def chains_plate(*found: "Chain") -> Plate:
    """Flips over the drive of three kinds of pulses."""
    rows = [
        (name, float(v), chain.without_memory()[0], float(up), float(down))
        for name, chain in zip(_SHOWN, found, strict=True)
        for v, up, down in zip(chain.drives, chain.p01, chain.p10, strict=True)
    ]
    return Plate(
        key="chains",
        caption=(
            "Left: memory 1 - p01 - p10 of a P-bit that is pulsed without a reset. Right: its stationary P(AP). Both"
            " over the amplitude in units of the one without memory. STT pulses of 10 ns drive away from the state that"
            " was read. Fokker-Planck equation; its error is below the lines' width."
        ),
        alt=(
            "All memories fall from about 1 to about -1. P(AP) is 1/2 throughout for VCMA and for a torque by the"
            f" voltage; for one by the current it is {found[2].without_memory()[1]:.2f} where the memory vanishes."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate((_PULSE, _VOLTS, _SCALE, _RISE, _FALL))},
    )


def products_plate(found: "Chain") -> Plate:
    """Flips over the resistance-area product."""
    return Plate(
        key="product",
        caption=(
            f"Flips of the junction of card imec_iedm24 by {claims.HALF_VOLTS:g} V for"
            f" {claims.PULSE_WIDTH * 1e12:.0f} ps, memory and P(AP), against its resistance-area product, all else"
            " equal. The card assumes the largest. Fokker-Planck equation, error 0.001 or less."
        ),
        alt=(
            f"P(AP) goes from {found.ones[0]:.2f} to {found.ones[-1]:.2f} as the resistance falls, while the memory"
            " stays near zero."
        ),
        columns={_PRODUCT: found.drives.tolist(), _RISE: found.p01.tolist(), _FALL: found.p10.tolist()},
    )


def outputs_plate(
    sums: Mapping[float, tuple[Limits, Limits]],
    regression: Mapping[float, "Output"],
    samples: Mapping[float, Sequence[tuple[float, float]]],
    kept: float,
) -> Plate:
    """Variance and correlation of what is put out, over the memory."""
    rows: list[tuple[str, str, float, float, float, float]] = []
    for memory, (variance, lag) in sums.items():
        rows += [(_SUM, _VARIANCE, memory, *variance), (_SUM, _LAG, memory, *lag)]
    for memory, one in regression.items():
        rows += [(_NETWORK, _VARIANCE, memory, *one.inflation), (_NETWORK, _LAG, memory, *one.correlation)]
    fresh = float(np.mean([variance for _, variance in samples[0.0]]))
    for memory, draws in samples.items():
        found = [variance / fresh for _, variance in draws]
        rows.append((_SAMPLES, _VARIANCE, memory, float(np.mean(found)), min(found), max(found)))
    for memory in np.linspace(min(sums), max(sums), 51):
        wide, following = chains.relaxed(float(memory), kept)
        lines = (("(1 + l)/(1 - l)", _VARIANCE, chains.inflation(float(memory))), ("l", _LAG, float(memory)),
                 (f"closed form, {_SUM}", _VARIANCE, wide), (f"closed form, {_SUM}", _LAG, following))  # fmt: skip
        rows += [(name, what, float(memory), value, value, value) for name, what, value in lines]
    names = ("series", _WHAT, _MEMORY, _VALUE, _LOW, _HIGH)
    return Plate(
        key="outputs",
        caption=(
            "What fair P-bits with a memory do. Left: variance over that with fresh P-bits, of a sum that relaxes"
            f" (x <- {kept} x + n), of means over 50 passes of a regression network, and of samples of a mixture by"
            " drop-connect. Right: correlation of neighbouring values. Bars: 95 %; of the samples, the range of the"
            " draws. Lines: closed forms; dotted: sums that are linear and slow (left), the memory itself (right)."
        ),
        alt=(
            "The variance grows steeply with the memory, for the sum along its closed form; at a memory of"
            f" {max(regression)} it is {regression[max(regression)].inflation[0]:.1f} times that of fresh P-bits for"
            f" the regression network and {chains.inflation(max(regression)):.1f} times for linear, slow sums."
        ),
        columns={key: [row[k] for row in rows] for k, key in enumerate(names)},
    )


def draw_chains(columns: Columns) -> "Figure":
    """Memory and P(AP) over the drive."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(2.9, 1, 2)
    for name, colour, line in zip(_SHOWN, (BLUE, GREEN, ORANGE), ("o-", "s--", "^-."), strict=True):
        own = columns[_PULSE] == name
        up, down = columns[_RISE][own], columns[_FALL][own]
        drive = columns[_VOLTS][own] / columns[_SCALE][own]
        grid[0, 0].plot(drive, 1 - up - down, line, color=colour, markersize=3.5, label=name)
        there = up + down > 0.01  # P(AP) of what hardly flips takes its own error for a signal
        grid[0, 1].plot(drive[there], (up / np.maximum(up + down, 1e-12))[there], line, color=colour, markersize=3.5)
    grid[0, 0].axhline(0, color=BLACK, linewidth=0.8, linestyle=":")
    grid[0, 1].axhline(0.5, color=BLACK, linewidth=0.8, linestyle=":")
    for axis, label in zip(grid[0], ("memory 1 - p01 - p10", "stationary P(AP)"), strict=True):
        axis.set(xlabel="amplitude / that without memory", ylabel=label)
    grid[0, 1].set(ylim=(0, 1.03))
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8)
    return figure


def draw_products(columns: Columns) -> "Figure":
    """Flips over the resistance-area product."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, new_figure

    figure, grid = new_figure(2.6)
    axis, x = grid[0, 0], columns[_PRODUCT] * 1e12
    up, down = columns[_RISE], columns[_FALL]
    for label, value, colour, line in (
        ("p01 (P to AP)", up, BLUE, "o-"), ("p10 (AP to P)", down, ORANGE, "s-"),
        ("P(AP)", up / (up + down), GREEN, "^--"), ("memory", 1 - up - down, PURPLE, "D:"),
    ):  # fmt: skip
        axis.plot(x, value, line, color=colour, markersize=4, label=label)
    axis.axhline(0, color=BLACK, linewidth=0.8)
    axis.set(xscale="log", xlabel="resistance-area product [ohm um²]", ylabel="probability, or memory")
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure


def draw_outputs(columns: Columns) -> "Figure":
    """Variance and correlation over the memory, with closed forms."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, new_figure

    figure, grid = new_figure(3.0, 1, 2)
    for axis, what in zip(grid[0], (_VARIANCE, _LAG), strict=True):
        there = columns[_WHAT] == what
        for name in ("(1 + l)/(1 - l)", "l", f"closed form, {_SUM}"):
            own = there & (columns["series"] == name)
            style = {"color": BLUE} if name.startswith("closed") else {"color": BLACK, "linestyle": ":"}
            axis.plot(columns[_MEMORY][own], columns[_VALUE][own], linewidth=1, **style)
        series = ((_SUM, BLUE, "o"), (_NETWORK, ORANGE, "s"), (_SAMPLES, GREEN, "^"))
        for k, (name, colour, marker) in enumerate(series):
            own = there & (columns["series"] == name)
            value = columns[_VALUE][own]
            bars = np.abs(np.stack([value - columns[_LOW][own], columns[_HIGH][own] - value]))
            axis.errorbar(
                columns[_MEMORY][own] + 0.015 * (k - 1), value, yerr=bars, fmt=marker, color=colour, markersize=4,
                capsize=2, label=name,
            )  # fmt: skip
        axis.set(xlabel="memory of a P-bit")
    grid[0, 0].set(yscale="log", ylabel="variance / fresh")
    grid[0, 0].set_yticks([0.3, 0.5, 1, 2, 5], ["0.3", "0.5", "1", "2", "5"])
    grid[0, 0].minorticks_off()
    grid[0, 1].set(ylabel=_LAG)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure
