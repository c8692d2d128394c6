"""The command about layouts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, CircuitCard, chosen_values
from mtjspice.cli.output import print_json, print_table, show_stages
from mtjspice.errors import InputError


@app.command()
def layout(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Circuits, each a cell (see --list).")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="GDSII file to write, .gds.")] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Picture of the layout to write, .png.")] = None,
    section: Annotated[
        Path | None, typer.Option("--section", help="Cross-section of a junction to write: .png, .svg or .pdf.")
    ] = None,
    drc: Annotated[bool, typer.Option("--drc", help="Check the design rules, in Python.")] = False,
    deck: Annotated[
        bool, typer.Option("--deck", help="Check the whole public rule deck, with the application KLayout.")
    ] = False,
    lvs: Annotated[bool, typer.Option("--lvs", help="Compare the drawn netlist with the circuit.")] = False,
    post: Annotated[
        bool,
        typer.Option("--post", help="Measure the circuit on its bench as its netlist has it and as it was drawn."),
    ] = False,
    wires: Annotated[bool, typer.Option("--wires", help="Print the capacitances of differential nets.")] = False,
    area: Annotated[bool, typer.Option("--area", help="Print the area (also without any other request).")] = False,
    ring: Annotated[
        bool, typer.Option("--guard-ring", help="Surround each with a guard ring of the substrate.")
    ] = False,
    card: CircuitCard = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Parameter of the circuit, of every one named; repeatable."),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the layouts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw circuits in gf180mcu, check them, and measure their area.

    What is drawn is the circuit that `mtjspice netlist NAME` writes and `mtjspice simulate NAME` runs, with the same
    parameters. Ends with exit code 1 where a rule is broken or the drawn netlist is another. Without KLayout's
    Python module (pip install 'mtjspice[layout]') there is the area only.

    Example: mtjspice layout meram_word8 -o word.gds --png word.png --drc --lvs --area

    Example: mtjspice layout read_precharge --post --wires

    Example: mtjspice layout meram_array --set rows=16 --set columns=8 -o array.gds --json
    """
    from mtjspice.layout import catalogue
    from mtjspice.reports import layouts as report

    if show_list:
        if as_json:
            print_json(report.listing_as_json())
        else:
            print_table(*report.listing())
        return
    if not names:
        raise InputError("name a circuit; `mtjspice layout --list` lists them")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"the cell {twice[0]} is named twice; a file has one cell of a name")
    for option, file, suffixes in (("--output", output, (".gds",)), ("--png", png, (".png",)),
                                   ("--section", section, (".png", ".svg", ".pdf"))):  # fmt: skip
        if file is not None and file.suffix.lower() not in suffixes:
            raise InputError(f"{option} {file} must end in {', '.join(suffixes)}")
    if len(names) > 1 and (png is not None or section is not None):
        raise InputError("--png and --section are of one circuit; name one")
    circuits = {name: catalogue.circuit(name, chosen_values(values), card) for name in names}
    requests = report.Requests(
        output=output, png=png, section=section, drc=drc, deck=deck, lvs=lvs, post=post, wires=wires, ring=ring
    )
    with show_stages() as stage:
        found, left_out = report.run(circuits, requests, stage)
    _show(found, as_json)
    if left_out:
        raise InputError(left_out)
    if any(one.failed for one in found):
        raise typer.Exit(1)
    del area  # it is always there


def _show(found: Any, as_json: bool) -> None:
    from mtjspice.reports import layouts as report

    if as_json:
        described = [one.as_dict() for one in found]
        print_json(described[0] if len(described) == 1 else described)
        return
    print_table(*report.table(found))
    for header, rows in (report.pair_table(found), report.post_table(found)):
        if rows:
            print_table(header, rows)
    for line in report.details(found):
        typer.echo(line)
