"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

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
