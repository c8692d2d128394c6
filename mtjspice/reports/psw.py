"""Switching probabilities, write error rates and trajectories as tables, JSON, files and figures.

Every function takes a dataset of `mtjspice.device.switching`; nothing here computes physics. matplotlib is imported
by the figures only.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mtjspice.errors import InputError
from mtjspice.files import write_atomically
from mtjspice.units import engineering

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

TABLE_ROWS = 40  # points that are printed one by one
_LISTED = 8  # voltages of a map whose 50 % points are printed
_MARKED = 60  # points of a curve that are drawn with markers and bars
_FLOOR = 1e-16  # smallest error rate on a logarithmic axis
DATA_FORMATS = (".nc", ".csv")
_FIGURE_FORMATS = (".png", ".pdf", ".svg")


def name_of(data: xr.Dataset) -> str:
    """Return the name of the variable that the dataset is about."""
    return "write_error_rate" if "write_error_rate" in data else "probability"


def points(data: xr.Dataset) -> list[dict[str, Any]]:
    """Every point as a dictionary in SI units, pulse widths running fastest."""
    name = name_of(data)
    return [
        {
            "voltage": float(voltage),
            "pulse_width": float(width),
            name: float(data[name].values[i, j]),
            "low": float(data["low"].values[i, j]),
            "high": float(data["high"].values[i, j]),
            "trials": int(data["trials"].values[i, j]),
        }
        for i, voltage in enumerate(data["voltage"].values)
        for j, width in enumerate(data["pulse_width"].values)
    ]


def as_json(data: xr.Dataset) -> dict[str, Any]:
    """Card, method and points, in SI units."""
    return {"card": data.attrs["card"], "method": data.attrs["method"], "points": points(data)}


def heading(data: xr.Dataset) -> str:
    """One line: what it is, of which card and by which method."""
    about = f"{data.attrs['title']}: card {data.attrs['card']}, {data.attrs['method']}, {data.attrs['temperature']:g} K"
    trials = int(data["trials"].max())
    return f"{about}, {trials} trials a point, seed {data.attrs['seed']:.0f}" if trials else about


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows, one a point."""
    name = name_of(data)
    header = ("voltage", "pulse width", name.replace("_", " "), _limits_title(data))
    rows: list[tuple[str, ...]] = [
        (_volts(point["voltage"]), _seconds(point["pulse_width"]), f"{point[name]:.6g}", _limits(point))
        for point in points(data)
    ]
    return header, rows


def summary(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of a large sweep: first, last, the extremes and, of a probability, the 50 % points."""
    name = name_of(data)
    found = points(data)
    best = min if name == "write_error_rate" else max
    chosen = [
        ("first point", found[0]),
        ("last point", found[-1]),
        ("lowest" if best is min else "highest", best(found, key=lambda point: point[name])),
    ]
    rows: list[tuple[str, ...]] = [
        (what, _volts(point["voltage"]), _seconds(point["pulse_width"]), f"{point[name]:.6g}", _limits(point))
        for what, point in chosen
    ]
    if name == "probability":
        rows += [("50 %", _volts(volts), _seconds(width), "0.5", "interpolated") for volts, width in half_points(data)]
    return ("", "voltage", "pulse width", name.replace("_", " "), _limits_title(data)), rows


def half_points(data: xr.Dataset) -> list[tuple[float, float]]:
    """(voltage, pulse width) where the probability crosses 1/2, by linear interpolation.

    A sweep in one dimension: all crossings. A map: the shortest pulse width at up to eight of the voltages.
    """
    data = data.sortby(["voltage", "pulse_width"])
    values, volts, widths = data["probability"].values, data["voltage"].values, data["pulse_width"].values
    if len(volts) == 1:
        return [(float(volts[0]), width) for width in _crossings(widths, values[0])]
    if len(widths) == 1:
        return [(voltage, float(widths[0])) for voltage in _crossings(volts, values[:, 0])]
    crossing = [(float(v), next(_crossings(widths, row), None)) for v, row in zip(volts, values, strict=True)]
    reached = [(voltage, width) for voltage, width in crossing if width is not None]
    picked = np.unique(np.linspace(0, len(reached) - 1, min(_LISTED, len(reached))).astype(int))
    return [reached[k] for k in picked]


def _crossings(x: Floats, y: Floats) -> Iterator[float]:
    above = y >= 0.5
    for k in np.flatnonzero(above[1:] != above[:-1]):
        yield float(x[k] + (0.5 - y[k]) / (y[k + 1] - y[k]) * (x[k + 1] - x[k]))


def _limits_title(data: xr.Dataset) -> str:
    return f"{100 * data.attrs['confidence']:g} % interval" if "confidence" in data.attrs else "error"


def _limits(point: dict[str, Any]) -> str:
    if point["trials"]:
        return f"{point['low']:.4g} to {point['high']:.4g}"
    return f"{max(point['high'] - _value(point), _value(point) - point['low']):.1e}"


def _value(point: dict[str, Any]) -> float:
    return float(point["write_error_rate"] if "write_error_rate" in point else point["probability"])


def _volts(value: float) -> str:
    return engineering(value, "V")


def _seconds(value: float) -> str:
    return engineering(value, "s")


# --- trajectories ----------------------------------------------------------------------------------------------


def trajectory_json(path: xr.Dataset) -> dict[str, Any]:
    """Card, seed, device and the samples, in SI units."""
    components = {
        str(axis): path["magnetization"].sel(component=axis).values.tolist() for axis in path["component"].values
    }
    series = {name: path[name].values.tolist() for name in _SERIES if name in path}
    about = {"card": path.attrs["card"], "seed": int(path.attrs["seed"]), "device": int(path.attrs["device"])}
    return {**about, "time": path["time"].values.tolist(), "magnetization": components, **series}


_SERIES = ("voltage", "conductance", "temperature")


def trajectory_rows(path: xr.Dataset) -> list[tuple[str, str]]:
    """What happened, as (quantity, text)."""
    time = path["time"].values
    x, y, z = path["magnetization"].values.T
    turns = time[1:][np.signbit(z[1:]) != np.signbit(z[:-1])]
    rows = [
        ("duration", f"{_seconds(time[-1] - time[0])}, {len(time)} samples"),
        ("start", f"{_state(z[0])}, m = ({x[0]:.3f}, {y[0]:.3f}, {z[0]:.3f})"),
        ("end", f"{_state(z[-1])}, m = ({x[-1]:.3f}, {y[-1]:.3f}, {z[-1]:.3f})"),
        ("crossings of m_z = 0", f"{len(turns)}" + (f", the first at {_seconds(turns[0])}" if len(turns) else "")),
    ]
    if "temperature" in path:
        rows.append(("highest temperature", f"{path['temperature'].values.max():.1f} K"))
    return rows


def _state(m_z: float) -> str:
    return "P" if m_z >= 0 else "AP"


# --- files -----------------------------------------------------------------------------------------------------


def check_output(path: Path | None, formats: Sequence[str]) -> None:
    """Refuse, before a long computation, a file of another format or in a folder that does not exist."""
    if path is None:
        return
    if path.suffix.lower() not in formats:
        raise InputError(f"cannot write {path}: the name must end in {', '.join(formats)}")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: {path.parent} is no folder")
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder")


def check_outputs(plot: Path | None, data: Path | None) -> None:
    """`check_output` of a figure and of a data file."""
    check_output(plot, _FIGURE_FORMATS)
    check_output(data, DATA_FORMATS)


def write_data(data: xr.Dataset, path: Path) -> None:
    """Write the dataset as NetCDF (``.nc``, with its provenance) or as plain columns in SI units (``.csv``)."""
    if path.suffix.lower() == ".nc":
        write_atomically(path, bytes(data.to_netcdf()))
        return
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = _trajectory_columns(data) if "magnetization" in data else _point_columns(data)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_atomically(path, text.getvalue())


def _point_columns(data: xr.Dataset) -> dict[str, list[Any]]:
    titles = {"voltage": "voltage [V]", "pulse_width": "pulse_width [s]"}
    found = points(data)
    return {titles.get(key, key): [point[key] for point in found] for key in found[0]}


def _trajectory_columns(path: xr.Dataset) -> dict[str, list[Any]]:
    columns = {"time [s]": path["time"].values.tolist()}
    for axis in path["component"].values:
        columns[f"m_{axis}"] = path["magnetization"].sel(component=axis).values.tolist()
    for name in _SERIES:
        if name in path:
            columns[f"{name} [{path[name].attrs['units']}]"] = path[name].values.tolist()
    return columns


def save_figure(draw: "Callable[[xr.Dataset], Figure]", data: xr.Dataset, path: Path) -> None:
    """Draw a dataset and write the picture in the format that the suffix of ``path`` names."""
    from mtjspice.reports import style

    style.save(draw(data), path)


# --- figures ---------------------------------------------------------------------------------------------------


def figure(data: xr.Dataset) -> "Figure":
    """Draw a curve with its intervals for a sweep in one dimension, a map for a sweep in two."""
    from mtjspice.reports import style

    data = data.sortby(["voltage", "pulse_width"])
    draw = _map if min(len(data["voltage"]), len(data["pulse_width"])) > 1 else _curve
    return style.styled(draw)(data)


def _curve(data: xr.Dataset) -> "Figure":
    from mtjspice.reports import style

    name = name_of(data)
    figure, grid = style.new_figure(3.2)
    axis: Axes = grid[0, 0]
    over_widths = len(data["voltage"]) == 1
    if over_widths:
        x, label = data["pulse_width"].values * 1e9, "pulse width, FWHM [ns]"
        fixed = f"{data['voltage'].values[0]:g} V"
    else:
        x, label = data["voltage"].values, "voltage [V]"
        fixed = f"{_seconds(data['pulse_width'].values[0])} pulse"
    y, low, high = (data[key].values.ravel() for key in (name, "low", "high"))
    if name == "write_error_rate":
        y, low, high = (np.maximum(values, _FLOOR) for values in (y, low, high))
    legend = f"{data.attrs['method']}, {fixed}, {data.attrs['temperature']:g} K"
    interval = (
        f"{_limits_title(data)} of {int(data['trials'].max())} trials"
        if data["trials"].any()
        else f"error below {_widest(data):.0e}"
    )
    if data["trials"].any() and len(x) <= _MARKED:
        bars = np.maximum([y - low, high - y], 0)
        axis.errorbar(
            x, y, bars, fmt="o", markersize=3.5, color=style.BLUE, ecolor=style.BLUE, capsize=2, linewidth=1,
            label=f"{legend} ({interval})",
        )  # fmt: skip
    else:
        axis.fill_between(x, low, high, color=style.SKY, alpha=0.5, linewidth=0)
        marker = "o" if len(x) <= _MARKED // 2 else ""
        axis.plot(x, y, color=style.BLUE, marker=marker, markersize=3.5, label=f"{legend} (band: {interval})")
    axis.set(xlabel=label, ylabel=_axis_title(data))
    if name == "write_error_rate":
        axis.set_yscale("log")
        axis.set_ylim(top=1.5)
    else:
        axis.set_ylim(-0.03, 1.03)
        axis.axhline(0.5, color="#888888", linewidth=0.8, linestyle=":")
    figure.legend(loc="outside upper left", fontsize=8)
    return figure


def _map(data: xr.Dataset) -> "Figure":
    from matplotlib.colors import LogNorm

    from mtjspice.reports import style

    name = name_of(data)
    figure, grid = style.new_figure(4.0)
    axis: Axes = grid[0, 0]
    x, y, values = data["pulse_width"].values * 1e9, data["voltage"].values, data[name].values
    if name == "write_error_rate":
        values = np.maximum(values, _FLOOR)
        scale: dict[str, Any] = {"norm": LogNorm(values.min(), max(values.max(), 2 * values.min())), "cmap": "cividis"}
    else:
        scale = {"vmin": 0.0, "vmax": 1.0, "cmap": "cividis"}
    axis.grid(visible=False)
    mesh = axis.pcolormesh(x, y, values, shading="nearest", rasterized=True, **scale)
    bar = figure.colorbar(mesh, ax=axis)
    bar.set_label(_axis_title(data))
    if name == "probability" and values.min() < 0.5 < values.max():
        axis.contour(x, y, values, [0.5], colors="white", linewidths=1.4)
        bar.ax.axhline(0.5, color="white", linewidth=1.4)
    axis.set(xlabel="pulse width, FWHM [ns]", ylabel="voltage [V]")
    axis.set_title(_map_title(data), loc="left", fontsize=9)
    return figure


def _axis_title(data: xr.Dataset) -> str:
    return str(data[name_of(data)].attrs["long_name"])


def _widest(data: xr.Dataset) -> float:
    """Half of the widest interval."""
    return float((data["high"] - data["low"]).max()) / 2


def _map_title(data: xr.Dataset) -> str:
    about = f"{data.attrs['card']}, {data.attrs['method']}, {data.attrs['temperature']:g} K"
    widest = _widest(data)
    trials = int(data["trials"].max())
    counted = f"{trials} trials a point, 95 % within ±{widest:.2g}" if trials else f"error below {widest:.0e}"
    line = "; white: 50 %" if name_of(data) == "probability" else ""
    return f"{about}, {counted}{line}"


def trajectory_figure(path: xr.Dataset) -> "Figure":
    """Voltage, magnetization, resistance and, of a card that heats itself, temperature against time."""
    from mtjspice.reports import style

    return style.styled(_trajectory)(path)


def _trajectory(path: xr.Dataset) -> "Figure":
    from mtjspice.reports import style

    heated = "temperature" in path
    heights = [0.8, 1.8, 0.9] + [0.9] * heated
    figure, grid = style.new_figure(1.15 * sum(heights), len(heights), sharex=True, height_ratios=heights)
    axes = grid[:, 0]
    time = path["time"].values * 1e9
    axes[0].plot(time, path["voltage"].values, color=style.BLACK)
    axes[0].set_ylabel("voltage [V]")
    for component, colour in (("x", style.ORANGE), ("y", style.SKY), ("z", style.BLUE)):
        values = path["magnetization"].sel(component=component).values
        width = 1.5 if component == "z" else 0.9
        axes[1].plot(time, values, color=colour, linewidth=width, label=f"$m_{component}$")
    axes[1].set(ylabel="magnetization, m/|m|", ylim=(-1.08, 1.08))
    axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    axes[2].plot(time, 1e-3 / path["conductance"].values, color=style.GREEN)
    axes[2].set_ylabel("resistance [kΩ]")
    if heated:
        axes[3].plot(time, path["temperature"].values, color=style.RED)
        axes[3].set_ylabel("temperature [K]")
    axes[-1].set(xlabel="time [ns]", xlim=(time[0], time[-1]))
    figure.align_ylabels()
    about = f"{path.attrs['card']}, {path.attrs['temperature']:g} K, seed {path.attrs['seed']:.0f}"
    axes[0].set_title(f"{about}, device {path.attrs['device']:.0f}", loc="left", fontsize=9)
    return figure
