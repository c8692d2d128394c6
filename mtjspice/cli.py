"""The command line: one thin command per use."""

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mtjspice.errors import MtjspiceError, SimulatorError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Circuit-level SPICE co-simulation of stochastic magnetic tunnel junctions.",
)
device_app = typer.Typer(no_args_is_help=True, help="Device cards.", rich_markup_mode=None)
app.add_typer(device_app, name="device")

INTERRUPTED = 130  # as shells report SIGINT

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in SI units to standard output.")]
Card = Annotated[
    str, typer.Option("--card", help="Name of a card (see `mtjspice device list`) or path of a .toml file.")
]


def _version(show: bool) -> None:
    if show:
        from mtjspice import __version__

        typer.echo(f"mtjspice {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Circuit-level SPICE co-simulation of stochastic magnetic tunnel junctions."""


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, allow_nan=False))


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print an aligned table; the last column is not padded."""
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header) - 1)]
    for row in [header, *rows]:
        typer.echo(
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        )


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for report.html, summary.json and the bits.")] = Path(
        "mtjspice-demo"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random, 0 to 4294967295.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Co-simulate an 8-bit MeRAM word in 180 nm CMOS end to end and write a report.

    Takes about two minutes on two cores.

    Example: mtjspice demo --out results --seed 7
    """
    from mtjspice import demo as job
    from mtjspice.reports.demo_report import digest

    summary = job.run(out, seed)
    if as_json:
        _print_json(summary)
        return
    for name, value in (*digest(summary), ("report", str(out / "report.html"))):
        typer.echo(f"{name + ':':27}{value}")


@device_app.command("list")
def device_list(as_json: AsJson = False) -> None:
    """List the device cards that come with mtjspice.

    Example: mtjspice device list
    """
    from mtjspice.device.card import card_names, load_card

    cards = [load_card(name) for name in card_names()]
    if as_json:
        _print_json([{"name": card.name, "title": card.title} for card in cards])
        return
    _table(("card", "title"), [(card.name, card.title) for card in cards])


@device_app.command("show")
def device_show(
    card: Annotated[str, typer.Argument(help="Name of a card, or path of a .toml file.")],
    temperature: Annotated[
        float, typer.Option("--temperature", help="Temperature in kelvin, for the derived quantities.")
    ] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Show a card: every value with its source and status, and what follows from it.

    Example: mtjspice device show meram100
    """
    from mtjspice.reports import cards

    shown = cards.describe(card, temperature)
    if as_json:
        _print_json(cards.as_json(shown))
        return
    typer.echo(f"{shown.card.name}: {shown.card.title}\n")
    _table(("parameter", "value", "status", "source"), cards.parameter_rows(shown))
    typer.echo(f"\nderived at {temperature:g} K")
    _table(("quantity", "value", "meaning"), cards.derived_rows(shown))


@app.command()
def netlist(
    circuit: Annotated[str, typer.Argument(help="Circuit, for example meram_word8.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Deck to write; - for standard output.")],
    card: Card = "meram100",
    technology: Annotated[str, typer.Option("--technology", help="CMOS technology.")] = "gf180mcu",
    corner: Annotated[
        str | None, typer.Option("--corner", help="Process corner; the technology's default otherwise.")
    ] = None,
    temperature: Annotated[float, typer.Option("--temperature", help="Temperature in kelvin.")] = 300.0,
    states: Annotated[
        str | None, typer.Option("--states", help="State of each bit, 0 for P and 1 for AP, bit 0 first.")
    ] = None,
    control: Annotated[float, typer.Option("--control", help="Control voltage of the pulse generator, V.")] = 1.2,
    write_rail: Annotated[
        float | None,
        typer.Option("--write-rail", help="Voltage of the write rail, V; by default that of the test bench."),
    ] = None,
    include: Annotated[
        bool, typer.Option("--include", help="Refer to the model cards by path instead of copying them in.")
    ] = False,
) -> None:
    """Write a deck that plain `ngspice -b` runs, with the MTJs as fixed, bias-dependent conductances.

    The deck reads the word, writes it with one pulse and reads it again, and prints pulse width, sense
    margins, data and energy.

    Example: mtjspice netlist meram_word8 -o word.cir && ngspice -b word.cir
    """
    from mtjspice.circuits import decks
    from mtjspice.files import write_atomically

    text = decks.netlist(
        circuit, card=card, technology=technology, corner=corner, temperature=temperature, states=states,
        control=control, write_rail=write_rail, include=include,
    )  # fmt: skip
    if str(output) == "-":
        typer.echo(text, nl=False)
    else:
        write_atomically(output, text)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Tell which simulators and compilers are found, what they can do, and how to add what is missing.

    Exits with 1 if ngspice or libngspice is missing.

    Example: mtjspice doctor
    """
    from dataclasses import asdict

    from mtjspice.spice.engines import survey

    tools = survey()
    if as_json:
        _print_json([asdict(tool) for tool in tools])
    else:
        marks = {True: "yes", False: "no", None: "unknown"}
        rows = [
            (
                tool.name, tool.version or "-", tool.path or "not found",
                ", ".join(f"{name}: {marks[has]}" for name, has in tool.capabilities.items()) or "-",
            )
            for tool in tools
        ]  # fmt: skip
        _table(("tool", "version", "path", "capabilities"), rows)
        for tool in tools:
            if tool.missing_hint:
                typer.echo(f"{tool.name}: {tool.missing_hint}")
    if any(tool.path is None for tool in tools if tool.name in ("ngspice", "libngspice")):
        raise typer.Exit(1)


def main() -> None:
    """Run the command line; a user's error ends in one line on stderr and its exit code."""
    # a killed command must end its worker processes as an interrupted one does
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        code = app(standalone_mode=False) or 0
    except MtjspiceError as error:
        code = _fail(error)
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except Exception as error:
        # click's usage errors (standalone_mode is off so that ours can share one form)
        show, code_of = getattr(error, "format_message", None), getattr(error, "exit_code", None)
        if show is None or code_of is None:
            raise
        typer.echo(f"mtjspice: {show()}", err=True)
        code = code_of
    if code == INTERRUPTED:
        typer.echo("mtjspice: interrupted", err=True)
    sys.exit(code)


def _fail(error: MtjspiceError) -> int:
    typer.echo(f"mtjspice: {error}", err=True)
    if isinstance(error, SimulatorError) and error.log:
        typer.echo("last lines of the simulator's log:", err=True)
        for line in error.log:
            typer.echo(f"  {line}", err=True)
    return error.exit_code


if __name__ == "__main__":
    main()
