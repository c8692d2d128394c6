"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from mtjspice.errors import InputError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in SI units to standard output.")]
Card = Annotated[
    str, typer.Option("--card", help="Name of a card (see `mtjspice device list`) or path of a .toml file.")
]
CardArgument = Annotated[str, typer.Argument(help="Name of a card, or path of a .toml file.")]
Temperature = Annotated[str, typer.Option("--temperature", help="Temperature, in kelvin or with a unit: 300, 85degC.")]
Edge = Annotated[str, typer.Option("--edge", help="Rise and fall time of the pulse, in seconds or with a unit.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random, 0 to 4294967295.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Picture to write: .png, .pdf or .svg.")]
Out = Annotated[Path | None, typer.Option("--out", help="Data to write: .nc (with provenance) or .csv, in SI units.")]

# of circuits
CircuitCard = Annotated[
    str | None,
    typer.Option(
        "--card", help="Card of the junctions (name or .toml file); by default the one the circuit is meant for."
    ),
]
TechnologyName = Annotated[
    str,
    typer.Option("--technology", help="CMOS technology: gf180mcu, sky130, freepdk45, or path of a technology.toml."),
]
Corner = Annotated[str, typer.Option("--corner", help="Process corner; the technology's default otherwise.")]
States = Annotated[
    str | None, typer.Option("--states", help="State of each junction, 0 for P and 1 for AP, first one first.")
]
MismatchSeed = Annotated[
    int | None, typer.Option("--mismatch-seed", help="Draw every transistor's mismatch (gf180mcu), 1 to 2147483647.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Parameter of the circuit or (bench.NAME) of its bench; repeatable."
    ),
]


def chosen_values(items: list[str] | None) -> dict[str, str | float]:
    """Read the values of `Set`; InputError for what is no NAME=VALUE, and for a name given twice."""
    chosen: dict[str, str | float] = {}
    for item in items or []:
        name, equals, value = item.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise InputError(f"--set {item!r} must be NAME=VALUE, as column.cell.access=1.5um")
        if name.strip() in chosen:
            raise InputError(f"--set {name.strip()} is given twice")
        chosen[name.strip()] = value.strip()
    return chosen
