"""The command about energy and area of generators of random bits."""

from pathlib import Path
from typing import Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, Plot
from mtjspice.cli.output import print_json, print_table, show_stages, warnings_as_lines
from mtjspice.errors import InputError, choose

LOW_SUPPLY = 1.8  # V, beside the nominal one


@app.command()
def area(
    supply: Annotated[
        list[str] | None,
        typer.Option("--supply", help="Supply of the plain CMOS, repeatable; by default the nominal one and 1.8 V."),
    ] = None,
    technology: Annotated[str, typer.Option("--technology", help="CMOS technology; layouts exist in gf180mcu.")] = (
        "gf180mcu"
    ),
    wires: Annotated[
        bool | None,
        typer.Option("--wires/--no-wires", help="Simulate with the drawn wires; by default where KLayout is there."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out what takes half a minute each; says what.")] = False,
    plot: Plot = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for figure.png, comparison.csv, tables.md, result.json.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare the energy and the area of a random bit: junctions, plain CMOS, published generators.

    Simulates a MeRAM word, an STT generator, compute-in-memory columns with P-bits and shift registers, counts ChaCha
    and Philox cores, takes areas from the layouts, and says what would have to hold for a factor of a thousand.
    Takes some minutes. Wires need KLayout's Python module (pip install 'mtjspice[layout]').

    Example: mtjspice area --out area

    Example: mtjspice area --quick --supply 3.3V --plot area.png
    """
    from mtjspice import sweeps
    from mtjspice.circuits.benches.lfsr import LfsrBench
    from mtjspice.circuits.library.digital import Lfsr
    from mtjspice.circuits.technology import technology as load_technology
    from mtjspice.files import output_folder
    from mtjspice.layout import plan, require
    from mtjspice.reports import area as report
    from mtjspice.reports import psw as outputs

    choose("technology of layouts", technology, (plan.TECHNOLOGY,))
    tech = load_technology(technology)
    volts = [sweeps.quantity(text, "V", "--supply") for text in supply or ()] or [tech.supply_voltage, LOW_SUPPLY]
    if len(set(volts)) != len(volts):
        raise InputError("each --supply may be given once")
    for one in volts:  # out of range before anything is simulated
        LfsrBench(Lfsr(tech), supply_voltage=one)
    outputs.check_outputs(plot, None)
    with_wires = _klayout() if wires is None else wires
    if with_wires:
        require.klayout_db()
    if out is not None:
        output_folder(out)
    with warnings_as_lines(), show_stages() as stage:
        outcome = report.run(tech, volts, wires=with_wires, quick=quick, stage=stage)
    if out is not None:
        report.write(outcome, out)
    if plot is not None:
        report.save_figure(outcome, plot)
    if as_json:
        print_json(outcome.as_dict())
        return
    for number, (header, rows) in enumerate(report.tables(outcome)):
        if number:
            typer.echo()
        print_table(header, rows)
    typer.echo()
    for note in report.notes(outcome):
        typer.echo(note)


def _klayout() -> bool:
    from mtjspice.layout import require

    try:
        require.klayout_db()
    except InputError:
        return False
    return True
