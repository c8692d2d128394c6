"""Figures of the experiment on calibration."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mtjspice.papers.sections import Columns, Plate
from mtjspice.papers.stt_trng import claims, limits
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.devices import LANES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VOLTAGES = np.linspace(0.15, 0.42, 28)  # V
_VOLTS, _DEVICE, _P, _LOW, _HIGH, _METHOD = "voltage [V]", "device", "P", "low", "high", "method"
_ROUND, _RAIL, TOLERANCE = "round", "rail [V]", 1e-4
_FP, _COUNTED, _OTHER = "fokker-planck", "macrospin", "another device, published"


def curve_plate(
    curves: NDArray[np.float64], counted: list[tuple[float, float, float, float, float]], trials: int
) -> Plate:
    """Switching curves with their macrospin points and those of another device."""
    columns = empty((_METHOD, _DEVICE, _VOLTS, _P, _LOW, _HIGH))

    for device, curve in enumerate(curves):
        for volts, p in zip(VOLTAGES, curve, strict=True):
            add(columns, _FP, device, volts, p, max(0.0, p - TOLERANCE), min(1.0, p + TOLERANCE))
    for number, volts, p, low, high in counted:
        add(columns, _COUNTED, number, volts, p, low, high)
    for volts, p in zip(claims.OTHER_DEVICE.voltages, claims.OTHER_DEVICE.probabilities, strict=True):
        add(columns, _OTHER, -1, volts, p, p, p)
    return Plate(
        key="curves",
        caption=(
            f"Probability that a pulse of 10 ns switches P to AP. Lines: {LANES} junctions with an assumed spread, by"
            f" the Fokker-Planck equation. Dots: macrospin, {trials} trials each, 95 % intervals. Diamonds and dashed"
            " line: published points of another device and the logistic through them. Grey: P within 0.5 ±"
            f" {limits.xor_limit():.4f}."
        ),
        alt="Sixteen S-shaped curves around 0.28 V, far wider than the dashed one of another device.",
        columns=columns,
    )


def trim_plate(trimmed: Any, tolerance: float) -> Plate:
    """Rails and counts of a trim in the circuit."""
    data = trimmed.dataset()
    columns = empty((_ROUND, _DEVICE, _RAIL, _P, _LOW, _HIGH))
    for number in range(data.sizes["round"]):
        for channel in range(data.sizes["channel"]):
            found = (float(data[name].values[number, channel]) for name in ("rail", "probability", "low", "high"))
            add(columns, number + 1, channel, *found)
    return Plate(
        key="trim",
        caption=(
            f"Trim of {data.sizes['channel']} channels in transistors (gf180mcu, co-simulated): the rail of each round"
            f" and the fraction of ones among its {trimmed.cycles} bits, 95 % intervals. It ends when the mean of what"
            f" was counted fixes P to ± {tolerance:g}."
        ),
        alt="The rail of each channel moves from round to round, against the fraction of ones that was counted.",
        columns=columns,
    )


def draw_curves(columns: Columns) -> "Figure":
    """Switching curves."""
    from mtjspice.reports.style import BLACK, BLUE, ORANGE, RED, new_figure

    figure, grid = new_figure(3.2)
    axis = grid[0, 0]
    limit = limits.xor_limit()
    axis.axhspan(0.5 - limit, 0.5 + limit, color="#e4e4e4", linewidth=0, zorder=0)
    lines = columns[_METHOD] == _FP
    for device in np.unique(columns[_DEVICE][lines]):
        mine = lines & (columns[_DEVICE] == device)
        label = f"{LANES} junctions here" if device == 0 else None
        axis.plot(columns[_VOLTS][mine], columns[_P][mine], color=BLUE, linewidth=0.8, alpha=0.7, label=label)
    dots = columns[_METHOD] == _COUNTED
    axis.vlines(columns[_VOLTS][dots], columns[_LOW][dots], columns[_HIGH][dots], color=ORANGE, linewidth=1.2)
    axis.plot(columns[_VOLTS][dots], columns[_P][dots], "o", markersize=3, color=ORANGE, label="macrospin, 95 %")
    other = columns[_METHOD] == _OTHER
    half, slope = limits.other_device()
    volts = np.linspace(half - 8 * slope, half + 8 * slope, 200)
    axis.plot(volts, expit((volts - half) / slope), "--", color=RED, linewidth=1.0)
    axis.plot(columns[_VOLTS][other], columns[_P][other], "D", markersize=4, color=RED, label="another device")
    axis.axhline(0.5, color=BLACK, linewidth=0.6)
    axis.set(xlabel="pulse amplitude [V]", ylabel="switching probability")
    axis.legend(fontsize=8)
    return figure


def draw_trim(columns: Columns) -> "Figure":
    """Rails and fractions of ones by round."""
    from mtjspice.reports.style import BLACK, BLUE, GREEN, ORANGE, RED, new_figure

    figure, grid = new_figure(3.0, columns=2)
    rail, ones = grid[0]
    channels = np.unique(columns[_DEVICE])
    for place, (channel, colour, marker) in enumerate(zip(channels, (BLUE, ORANGE, GREEN, RED), "osD^", strict=False)):
        mine = columns[_DEVICE] == channel
        shift = (place - (len(channels) - 1) / 2) * 0.12
        at = columns[_ROUND][mine]
        rail.plot(
            at, 1e3 * columns[_RAIL][mine], marker=marker, markersize=3, color=colour, label=f"channel {channel:.0f}"
        )
        ones.vlines(at + shift, columns[_LOW][mine], columns[_HIGH][mine], color=colour, linewidth=1.0)
        ones.plot(at + shift, columns[_P][mine], marker, markersize=3, color=colour)
    ones.axhline(0.5, color=BLACK, linewidth=0.6)
    rail.set(xlabel="round", ylabel="perturb rail [mV]")
    ones.set(xlabel="round", ylabel="fraction of ones, 95 %", ylim=(0, 1))
    for axis in (rail, ones):
        axis.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(*rail.get_legend_handles_labels(), loc="outside lower center", ncols=len(channels), fontsize=8)
    return figure
