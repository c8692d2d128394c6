"""Commands about circuits and the simulators behind them: the demo, netlists, simulation, models, tools."""

from pathlib import Path
from typing import Annotated

import typer

from mtjspice.cli.app import app, models_app
from mtjspice.cli.options import AsJson, Card, Out, Plot, Seed, Temperature
from mtjspice.cli.output import print_json, print_table, show_stages, warnings_as_lines
from mtjspice.errors import InputError


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
        print_json(summary)
        return
    for name, value in (*digest(summary), ("report", str(out / "report.html"))):
        typer.echo(f"{name + ':':27}{value}")


@app.command()
def netlist(
    circuit: Annotated[str, typer.Argument(help="Circuit, for example meram_word8; or model.")],
    model_card: Annotated[
        str | None, typer.Argument(metavar="[CARD]", help="Card of the model (after model only).")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; - for standard output.")] = Path("-"),
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
    """Write the netlist of a circuit, or the Verilog-A .model line of a card.

    A circuit becomes a deck that plain `ngspice -b` runs, with the MTJs as fixed, bias-dependent conductances.
    It reads the word, writes it with one pulse and reads it again, and prints pulse width, sense
    margins, data and energy. `mtjspice netlist model CARD` prints the .model line for models/verilog-a/mtj.va.

    Example: mtjspice netlist meram_word8 -o word.cir && ngspice -b word.cir
    """
    from mtjspice.circuits import decks
    from mtjspice.files import write_atomically

    if circuit == "model" and model_card is not None:
        from mtjspice.device.card import load_card
        from mtjspice.spice.verilog_a import model_line

        text = model_line(load_card(model_card), temperature) + "\n"
    elif circuit == "model" or model_card is not None:
        raise InputError("a .model line needs a card (mtjspice netlist model meram100), a circuit takes --card")
    else:
        text = decks.netlist(
            circuit, card=card, technology=technology, corner=corner, temperature=temperature, states=states,
            control=control, write_rail=write_rail, include=include,
        )  # fmt: skip
    if str(output) == "-":
        typer.echo(text, nl=False)
    else:
        write_atomically(output, text)


@app.command()
def simulate(
    deck: Annotated[
        Path, typer.Argument(help="Netlist with junctions as calls of mtj_cell (top bottom) and one .tran line.")
    ],
    card: Card = "meram100",
    fidelity: Annotated[str, typer.Option("--fidelity", help="cosim, verilog-a, behavioral or resistor.")] = "cosim",
    engine: Annotated[
        Path | None, typer.Option("--engine", help="Another libngspice (cosim) or ngspice than the one that is found.")
    ] = None,
    seed: Seed = 1,
    temperature: Temperature = "300",
    vectors: Annotated[
        str | None, typer.Option("--vectors", help="Vectors to return, as 'v(out),i(vdd)'; by default what it saves.")
    ] = None,
    noise: Annotated[bool, typer.Option("--noise/--no-noise", help="Thermal field and spread of the drive.")] = True,
    time_limit: Annotated[str, typer.Option("--time-limit", help="Seconds or with a unit: 10min.")] = "600",
    plot: Plot = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Run the transient of a deck with its junctions in one of four fidelities.

    Every line `Xname top bottom mtj_cell [state=-1]`, at any depth, is a junction of the card. A seed stands for the
    same thermal field in every fidelity.

    Example: mtjspice simulate circuit.cir --card meram100 --seed 7 --plot waveforms.png --out waveforms.nc
    """
    from mtjspice import sweeps
    from mtjspice.circuits.simulation import simulate as run
    from mtjspice.reports import psw as outputs
    from mtjspice.reports import waveforms as report

    outputs.check_outputs(plot, out)
    try:
        text = deck.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the deck {deck}: {getattr(error, 'strerror', None) or error}") from None
    with warnings_as_lines(), show_stages() as stage:
        stage(f"{fidelity}: {deck.name}")
        data = run(
            text, card, fidelity=fidelity, engine=engine, seed=seed, noise=noise, folder=deck.parent,
            temperature=sweeps.quantity(temperature, "K", "--temperature"),
            vectors=None if vectors is None else [name.strip() for name in vectors.split(",") if name.strip()],
            time_limit=sweeps.quantity(time_limit, "s", "--time-limit"),
        )  # fmt: skip
    if out is not None:
        report.write_data(data, out)
    if plot is not None:
        outputs.save_figure(report.figure, data, plot)
    if as_json:
        print_json(report.as_json(data))
        return
    typer.echo(report.heading(data))
    print_table(*report.table(data))


@models_app.command("compile")
def models_compile(
    source: Annotated[
        Path | None, typer.Argument(help="Verilog-A file; by default the junction that comes with mtjspice.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compile a Verilog-A model with OpenVAF, once, and print where the compiled model is.

    Example: mtjspice models compile
    """
    from mtjspice.spice.compile import compile_model

    compiled = compile_model(source)
    if as_json:
        print_json({"path": str(compiled)})
    else:
        typer.echo(str(compiled))


@app.command()
def doctor(
    install: Annotated[
        str | None, typer.Option("--install", help="Install a tool first: osdi-ngspice, into the cache folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which simulators and compilers are found, what they can do, and how to add what is missing.

    Exits with 1 if ngspice or libngspice is missing. `--install osdi-ngspice` downloads an ngspice that runs Verilog-A
    models (Debian and Ubuntu), beside the system's own.

    Example: mtjspice doctor --install osdi-ngspice
    """
    from dataclasses import asdict

    from mtjspice.errors import choose
    from mtjspice.spice.engines import survey
    from mtjspice.spice.private_ngspice import install_osdi_ngspice, osdi_tool

    if install is not None:
        choose("tool", install, ("osdi-ngspice",))
        with show_stages() as stage:
            stage("downloading ngspice")
            install_osdi_ngspice()
    tools = (*survey(), osdi_tool())
    if as_json:
        print_json([asdict(tool) for tool in tools])
    else:
        marks = {True: "yes", False: "no", None: "unknown"}
        rows = [
            (
                tool.name, tool.version or "-", tool.path or "not found",
                ", ".join(f"{name}: {marks[has]}" for name, has in tool.capabilities.items()) or "-",
            )
            for tool in tools
        ]  # fmt: skip
        print_table(("tool", "version", "path", "capabilities"), rows)
        for tool in tools:
            if tool.missing_hint:
                typer.echo(f"{tool.name}: {tool.missing_hint}")
    if any(tool.path is None for tool in tools if tool.name in ("ngspice", "libngspice")):
        raise typer.Exit(1)
