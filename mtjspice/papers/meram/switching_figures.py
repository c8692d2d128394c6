"""Figures of the experiment on switching: their columns, and how they are drawn."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mtjspice.papers.sections import Columns, Plate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
CARD = "meram100"
LONGEST = 20e-9  # s
MAPPED = 6e-9  # s, up to which the map is drawn
BEYOND = 1.08 * LONGEST  # where the figure puts what does not settle within it
NEAR = 0.05  # of 1/2: what counts as a coin
OVERDRIVES = (0.7, 0.8, 0.9, 1.0, 1.2, 1.4)  # voltage over V_c
VARIANTS: tuple[tuple[str, dict[str, float]], ...] = (
    ("card", {}),
    ("drive spread 0", {"cycle_to_cycle_spread": 0.0}),
    ("damping 0.02", {"damping": 0.02}),
    ("damping 0.02, drive spread 0", {"damping": 0.02, "cycle_to_cycle_spread": 0.0}),
    ("no spin torque", {"spin_polarization": 0.0}),
)
_VOLTS, _WIDTH, _P = "voltage [V]", "pulse width [s]", "switching probability"
_OVER, _DEVICE, _SETTLED = "voltage over V_c", "device", "settled from [s]"
_WITHIN = f"settled within {LONGEST * 1e9:.0f} ns"  # where it is not, `_SETTLED` is that width


def plates(
    volts: Floats, critical: float, widths: Floats, values: Floats, settled: list[tuple[str, float, float]],
    error: float,
) -> tuple[Plate, ...]:  # fmt: skip
    """The map, curves against width, and where they settle."""
    from mtjspice.device.card import load_card
    from mtjspice.device.derived import derive

    dynamic = derive(load_card(CARD)).overshoot_voltage
    short = widths <= MAPPED
    line = {ratio: values[int(np.argmin(np.abs(volts - ratio * critical)))] for ratio in OVERDRIVES}
    return (
        Plate(
            key="map",
            caption=(
                "Switching probability from P to AP against voltage and width of the pulse, by the Fokker-Planck"
                f" equation (no trials, error below {error:.1g}). Solid line: V_c; dashed: V_dyn, from which an"
                " undamped junction switches."
            ),
            alt="Bands of certain switching and of none alternate along the width and fade into 50 % to the right.",
            columns={
                _VOLTS: np.repeat(volts, short.sum()).tolist(),
                _WIDTH: np.tile(widths[short], volts.size).tolist(),
                _P: values[:, short].ravel().tolist(),
                "V_c [V]": [critical] * int(volts.size * short.sum()),
                "V_dyn [V]": [dynamic] * int(volts.size * short.sum()),
            },
        ),
        Plate(
            key="decay",
            caption=(
                f"Probability against width at several voltages over V_c (Fokker-Planck, error below {error:.1g})."
                f" Grey: within {NEAR} of 1/2."
            ),
            alt=f"Oscillations die out within some ten nanoseconds, at {OVERDRIVES[0]:g} V_c towards less than 1/2.",
            columns={
                _OVER: np.repeat(OVERDRIVES, widths.size).tolist(),
                _WIDTH: np.tile(widths, len(OVERDRIVES)).tolist(),
                _P: np.concatenate(list(line.values())).tolist(),
            },
        ),
        Plate(
            key="settled",
            caption=(
                f"Width from which the probability stays within {NEAR} of 1/2, for the card and for changed devices;"
                f" the grid of widths has a step of 0.1 ns. In the band at the top: not within {LONGEST * 1e9:.0f} ns."
            ),
            alt=f"Within {LONGEST * 1e9:.0f} ns: {_counts(settled)}.",
            columns={
                _DEVICE: [name for name, _, _ in settled],
                _OVER: [ratio for _, ratio, _ in settled],
                _WITHIN: ["yes" if np.isfinite(width) else "no" for _, _, width in settled],
                _SETTLED: [min(width, LONGEST) for _, _, width in settled],
            },
        ),
    )


def _counts(settled: list[tuple[str, float, float]]) -> str:
    """At how many of the voltages each device settles."""
    names = dict.fromkeys(name for name, _, _ in settled)
    found = {name: [np.isfinite(width) for other, _, width in settled if other == name] for name in names}
    return "; ".join(f"{name} at {sum(each)} of {len(each)} voltages" for name, each in found.items())


def draw_map(columns: Columns) -> "Figure":
    """The map, with both voltages."""
    from mtjspice.reports.style import new_figure

    figure, grid = new_figure(3.2)
    axis = grid[0, 0]
    volts, widths = np.unique(columns[_VOLTS]), np.unique(columns[_WIDTH])
    values = columns[_P].reshape(volts.size, widths.size)
    mesh = axis.pcolormesh(widths * 1e9, volts, values, cmap="cividis", vmin=0, vmax=1, shading="nearest")
    for name, style in (("V_c [V]", "-"), ("V_dyn [V]", "--")):
        level = float(columns[name][0])
        axis.axhline(level, color="white", linewidth=1.2, linestyle=style)
        label = f"$V_\\mathrm{{{name[2:-4]}}}$"
        axis.text(widths[-1] * 1e9 * 0.985, level, label, color="white", ha="right", va="bottom")
    axis.set(xlabel="pulse width [ns]", ylabel="voltage [V]")
    axis.grid(visible=False)
    figure.colorbar(mesh, ax=axis, label="probability P to AP")
    return figure


def draw_decay(columns: Columns) -> "Figure":
    """Curves against width, one axis for low voltages and one for high ones."""
    from mtjspice.reports.style import BLUE, ORANGE, PURPLE, new_figure

    figure, grid = new_figure(4.2, rows=2, sharex=True, sharey=True)
    ratios = list(dict.fromkeys(columns[_OVER].tolist()))
    half = len(ratios) // 2
    for axis, chosen in zip(grid[:, 0], (ratios[:half], ratios[half:]), strict=True):
        axis.axhspan(0.5 - NEAR, 0.5 + NEAR, color="#dddddd", zorder=0, linewidth=0)
        for ratio, colour, style in zip(chosen, (BLUE, ORANGE, PURPLE), ("-", "--", ":"), strict=True):
            which = columns[_OVER] == ratio
            axis.plot(
                columns[_WIDTH][which] * 1e9, columns[_P][which], color=colour, linestyle=style,
                label=f"{ratio:g} $V_\\mathrm{{c}}$",
            )  # fmt: skip
        axis.set(ylabel="probability P to AP", ylim=(-0.03, 1.03))
        axis.legend(fontsize=8, loc="upper right", ncols=3)
    grid[1, 0].set(xlabel="pulse width [ns]")
    return figure


def draw_settled(columns: Columns) -> "Figure":
    """Settling width against voltage, by device."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, new_figure

    figure, grid = new_figure(3.0)
    axis = grid[0, 0]
    styles = zip((BLUE, ORANGE, GREEN, PURPLE, BLACK), "os^Dx", strict=True)
    over = np.unique(columns[_OVER])
    for k, (name, (colour, marker)) in enumerate(zip((name for name, _ in VARIANTS), styles, strict=True)):
        which = columns[_DEVICE] == name
        place = np.searchsorted(over, columns[_OVER][which]) + 0.12 * (k - 2)
        shown = np.where(columns[_WITHIN][which] == "yes", columns[_SETTLED][which], BEYOND)
        axis.plot(place, shown * 1e9, marker=marker, color=colour, label=name, linewidth=0, markersize=5)
    top = 2 * BEYOND * 1e9 - LONGEST * 1e9
    axis.axhspan(LONGEST * 1e9, top, color="#e6e6e6", zorder=0, linewidth=0)
    axis.set_yticks([0, 5, 10, 15, 20, BEYOND * 1e9], ["0", "5", "10", "15", "20", "not"])
    axis.set_xticks(range(over.size), [f"{one:g}" for one in over])
    axis.set(
        xlabel="voltage over $V_\\mathrm{c}$", ylabel=f"settled within {NEAR} from [ns]",
        ylim=(0, top),
    )  # fmt: skip
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return figure
