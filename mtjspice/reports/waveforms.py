"""Waveforms of a simulated deck as a summary, JSON, files and a figure.

Every function takes a dataset of `mtjspice.circuits.simulation.simulate`, or of a test bench, which has no junctions
where they stand still; nothing here computes physics. matplotlib is imported by the figure only.
"""

import csv
from io import StringIO
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from mtjspice.circuits.testbench import Testbench
from mtjspice.files import write_atomically
from mtjspice.units import engineering

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DRAWN = 8  # junctions of a figure
_STILL = 1e-3  # V
_OF_JUNCTIONS = ("voltage", "conductance", "current", "energy", "temperature_rise")


def as_json(data: xr.Dataset) -> dict[str, Any]:
    """Provenance and, of each junction, what it ended with, in SI units."""
    last = data.isel(time=-1)
    paths: list[Any] = list(data["junction"].values) if "junction" in data.dims else []
    junctions = [
        {
            "path": str(path),
            "magnetization": last["magnetization"].values[k].tolist(),
            "state": "P" if last["magnetization"].values[k, 2] >= 0 else "AP",
            "energy": float(last["energy"].values[k]),
            "largest_voltage": float(np.abs(data["voltage"].values[:, k]).max()),
        }
        for k, path in enumerate(paths)
    ]
    about = {key: value for key, value in data.attrs.items() if key != "mtjspice"}
    return {**about, "time_points": data.sizes["time"], "stop": float(last["time"]), "junctions": junctions}


def table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows, one a junction."""
    rows: list[tuple[str, ...]] = [
        (
            found["path"], found["state"], "({:.3f}, {:.3f}, {:.3f})".format(*found["magnetization"]),
            engineering(found["largest_voltage"], "V"), engineering(found["energy"], "J"),
        )
        for found in as_json(data)["junctions"]
    ]  # fmt: skip
    return ("junction", "end", "m at the end", "largest voltage", "heat"), rows


def heading(data: xr.Dataset) -> str:
    """One line: card, fidelity, engine, seed and size."""
    about = data.attrs
    circuit = [f"{about['circuit']} in {about['technology']} {about['corner']}"] if "circuit" in about else []
    card = [f"card {about['card']}"] if "card" in about else []
    seed = [f"seed {about['seed']}"] if "seed" in about else []
    parts = (*circuit, *card, f"{about['fidelity']} in {about['engine']}", f"{about['temperature']:g} K", *seed)
    stop = engineering(float(data["time"].values[-1]), "s")
    return f"{', '.join(parts)}: {data.sizes['time']} time points to {stop}"


def measured(testbench: Testbench, data: xr.Dataset) -> dict[str, float | None]:
    """What a bench measured, in SI units; None for what could not be."""
    found = {name: float(data.attrs[name]) for name in testbench.measurements}
    return {name: None if isnan(value) else value for name, value in found.items()}


def measured_table(
    testbench: Testbench, found: dict[str, float | None]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows, one a measurement."""
    rows: list[tuple[str, ...]] = [
        (name, "-" if value is None else engineering(value, testbench.measurements[name].unit))
        for name, value in found.items()
    ]
    return ("measured", "value"), rows


def delivered(data: xr.Dataset) -> dict[str, float]:
    """Energy that each source has delivered in the whole run, J."""
    return {
        str(name): float(value) for name, value in zip(data["source"].values, data["delivered"].values[-1], strict=True)
    }


def delivered_table(data: xr.Dataset) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows, one a source; those that deliver less than a hundredth of it are summed up."""
    found = delivered(data)
    total = sum(found.values())
    large = {name: value for name, value in found.items() if abs(value) >= abs(total) / 100}
    rest = total - sum(large.values())
    parts = [
        *sorted(large.items(), key=lambda item: -item[1]),
        *([("others", rest)] if len(large) < len(found) else []),
    ]
    rows: list[tuple[str, ...]] = [(name, engineering(value, "J")) for name, value in parts]
    return ("source", "delivered in the whole run"), rows


def write_data(data: xr.Dataset, path: Path) -> None:
    """Write the dataset as NetCDF (``.nc``, with its provenance) or as plain columns in SI units (``.csv``)."""
    if path.suffix.lower() == ".nc":
        write_atomically(path, bytes(data.to_netcdf()))
        return
    columns = {"time [s]": data["time"].values}
    for k, name in enumerate(data["junction"].values if "junction" in data.dims else []):
        for c, axis in enumerate("xyz"):
            columns[f"{name} m_{axis}"] = data["magnetization"].values[:, k, c]
        for quantity in _OF_JUNCTIONS:
            columns[f"{name} {quantity} [{data[quantity].attrs['units']}]"] = data[quantity].values[:, k]
    for name, variable in data.data_vars.items():
        if variable.dims == ("time",):
            columns[f"{name} [{variable.attrs['units']}]"] = variable.values
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    write_atomically(path, text.getvalue())


def figure(data: xr.Dataset) -> "Figure":
    """Draw voltage, m_z and heat of the first eight junctions, and the circuit's voltages, against time."""
    from mtjspice.reports import style

    return style.styled(_waveforms)(data)


def _waveforms(data: xr.Dataset) -> "Figure":
    from mtjspice.reports import style

    voltages = [str(name) for name in data.data_vars if str(name).startswith("v(")]
    # supplies that stand still say nothing; a deck of nothing else is drawn as it is
    moving_ones = [name for name in voltages if np.ptp(data[name].values) > _STILL]
    circuit = (moving_ones or voltages)[:_DRAWN]
    moving = "junction" in data.dims
    heights = [0.9 if moving else 2.0] * bool(circuit) + ([1.0, 1.6, 0.9] if moving else [])
    figure, grid = style.new_figure(1.35 * sum(heights), len(heights), sharex=True, height_ratios=heights)
    axes = list(grid[:, 0])
    colours = (style.BLUE, style.ORANGE, style.GREEN, style.RED, style.PURPLE, style.SKY, style.YELLOW, style.BLACK)
    time = data["time"].values * 1e9
    if circuit:
        above = axes.pop(0)
        for name, colour in zip(circuit, colours, strict=False):
            above.plot(time, data[name].values, color=colour, label=name)
        above.set_ylabel("circuit [V]")
        above.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
        if not moving:
            above.set(xlabel="time [ns]", xlim=(time[0], time[-1]))
            above.set_title(heading(data).split(":")[0], loc="left", fontsize=8)
            return figure
    names = [str(name) for name in data["junction"].values]
    for k, (name, colour) in enumerate(zip(names, colours, strict=False)):
        axes[0].plot(time, data["voltage"].values[:, k], color=colour)
        axes[1].plot(time, data["magnetization"].values[:, k, 2], color=colour, label=name)
        axes[2].plot(time, data["energy"].values[:, k] * 1e15, color=colour)
    axes[0].set_ylabel("junction [V]")
    axes[1].set(ylabel="$m_z$ (1: P, -1: AP)", ylim=(-1.08, 1.08))
    axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7)
    axes[2].set(ylabel="heat [fJ]", xlabel="time [ns]", xlim=(time[0], time[-1]))
    figure.align_ylabels()
    more = f", {len(names) - _DRAWN} more junctions not drawn" if len(names) > _DRAWN else ""
    title = f"{data.attrs['card']}, {data.attrs['fidelity']}, {data.attrs['temperature']:g} K"
    grid[0, 0].set_title(f"{title}, seed {data.attrs['seed']}{more}", loc="left", fontsize=9)
    return figure
