"""Commands about circuits and the simulators behind them: the demo, netlists, simulation, models, tools."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtjspice.cli.app import app, models_app
from mtjspice.cli.options import (
    AsJson,
    CircuitCard,
    Corner,
    MismatchSeed,
    Out,
    Plot,
    Seed,
    Set,
    States,
    TechnologyName,
    Temperature,
    chosen_values,
)
from mtjspice.cli.output import print_json, print_table, show_stages, warnings_as_lines
from mtjspice.errors import InputError

if TYPE_CHECKING:
    from mtjspice.circuits.benches.base import Bench


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
    circuit: Annotated[
        str | None, typer.Argument(help="Circuit (see --list), for example meram_word8; or model.")
    ] = None,
    model_card: Annotated[
        str | None, typer.Argument(metavar="[CARD]", help="Card of the model (after model only).")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write; - for standard output.")] = Path("-"),
    card: CircuitCard = None,
    technology: TechnologyName = "gf180mcu",
    corner: Corner = "",
    temperature: Temperature = "300",
    states: States = None,
    mismatch_seed: MismatchSeed = None,
    values: Set = None,
    include: Annotated[
        bool, typer.Option("--include", help="Refer to the model cards by path instead of copying them in.")
    ] = False,
    subcircuit: Annotated[
        bool, typer.Option("--subcircuit", help="Write the circuit alone: its subcircuits, no bench, no model cards.")
    ] = False,
    show_list: Annotated[bool, typer.Option("--list", help="List the circuits; with one, its parameters.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the netlist of a circuit, or the Verilog-A .model line of a card.

    A circuit becomes a deck on its test bench that plain `ngspice -b` runs, with the MTJs as fixed, bias-dependent
    conductances, and that prints what the bench measures. `--list` names the circuits, `NAME --list` the parameters
    of one (those of its bench begin with bench.), which `--set` changes. `mtjspice netlist model CARD` prints the
    .model line for models/verilog-a/mtj.va.

    Example: mtjspice netlist meram_word8 --set column.cell.access=1.5um -o word.cir && ngspice -b word.cir
    """
    from mtjspice import sweeps
    from mtjspice.circuits import catalogue, rendering
    from mtjspice.files import write_atomically
    from mtjspice.reports import circuit_listing

    if show_list and circuit is None:
        if as_json:
            print_json(circuit_listing.circuits_as_json())
        else:
            print_table(*circuit_listing.circuits())
        return
    if circuit is None:
        raise InputError("name a circuit; `mtjspice netlist --list` lists them")
    if circuit == "model" and model_card is not None:
        from mtjspice.device.card import load_card
        from mtjspice.spice.verilog_a import model_line

        text = model_line(load_card(model_card), sweeps.quantity(temperature, "K", "--temperature")) + "\n"
    elif circuit == "model" or model_card is not None:
        raise InputError("a .model line needs a card (mtjspice netlist model meram100), a circuit takes --card")
    else:
        bench = _bench(circuit, card, technology, corner, temperature, states, mismatch_seed, values)
        if show_list:
            if as_json:
                print_json(circuit_listing.parameters_as_json(bench))
            else:
                typer.echo(f"{bench.circuit.name} in {technology}; source: {bench.circuit.source}")
                print_table(*circuit_listing.parameters(bench))
            return
        if subcircuit:
            text = rendering.text(bench.circuit, bench.temperature)
        else:
            text = catalogue.deck(bench.testbench(), include)
    if str(output) == "-":
        typer.echo(text, nl=False)
    else:
        write_atomically(output, text)


def _bench(
    circuit: str, card: str | None, technology: str, corner: str, temperature: str, states: str | None,
    mismatch_seed: int | None, values: list[str] | None,
) -> "Bench":  # fmt: skip
    """Build the bench of a circuit of the catalogue from the options of a command."""
    from mtjspice import sweeps
    from mtjspice.circuits import catalogue

    return catalogue.bench(
        circuit, technology=technology, card=card, corner=corner,
        temperature=sweeps.quantity(temperature, "K", "--temperature"), states=states, mismatch_seed=mismatch_seed,
        values=chosen_values(values),
    )  # fmt: skip


@app.command("calibrate-pulse")
def calibrate_pulse(
    width: Annotated[str, typer.Option("--width", help="Full width at half maximum: 1ns.")],
    amplitude: Annotated[str, typer.Option("--amplitude", help="Voltage at the load: 1.2V.")],
    taps: Annotated[bool, typer.Option("--taps", help="The generator with taps; by default the starved one.")] = False,
    technology: TechnologyName = "gf180mcu",
    corner: Corner = "",
    temperature: Temperature = "300",
    load_capacitance: Annotated[str, typer.Option("--load-capacitance", help="Line at the driver.")] = "50fF",
    load_resistance: Annotated[str, typer.Option("--load-resistance", help="Cell at the driver.")] = "10kohm",
    values: Set = None,
    as_json: AsJson = False,
) -> None:
    """Find control voltage (or tap) and write rail for a pulse of a width and an amplitude, in a corner.

    Some ten transistor-level simulations; parameters of the pulse writer (mtjspice netlist pulse_writer --list) can be
    set. What the generator or the rail cannot make is refused with the limit.

    Example: mtjspice calibrate-pulse --width 0.7ns --amplitude 1.5V --corner ss
    """
    from mtjspice import sweeps
    from mtjspice.circuits.benches.pulse import Conditions, Load
    from mtjspice.circuits.benches.pulse import calibrate_pulse as calibrate
    from mtjspice.circuits.library.pulse import PulseWriter
    from mtjspice.units import engineering

    bench = _bench(
        "tap_pulse_writer" if taps else "pulse_writer", None, technology, corner, temperature, None, None, values
    )
    assert isinstance(bench.circuit, PulseWriter)
    load = Load(
        sweeps.quantity(load_capacitance, "F", "--load-capacitance"),
        sweeps.quantity(load_resistance, "ohm", "--load-resistance"),
    )
    with show_stages() as stage:
        stage("calibrating the pulse")
        found = calibrate(
            bench.circuit, sweeps.quantity(width, "s", "--width"), sweeps.quantity(amplitude, "V", "--amplitude"),
            Conditions(corner, bench.temperature, load=load),
        )  # fmt: skip
    if as_json:
        print_json(found.as_dict())
        return
    chosen = [(name, engineering(volts, "V")) for name, volts in found.settings.items() if volts or not taps]
    measured = (
        ("write rail", found.rail, "V"), ("width", found.width, "s"), ("amplitude", found.amplitude, "V"),
        ("rise time", found.rise_time, "s"), ("energy", found.energy, "J"),
    )  # fmt: skip
    print_table(("pulse", "value"), [*chosen, *((name, engineering(value, unit)) for name, value, unit in measured)])


@app.command()
def schematic(
    circuit: Annotated[str, typer.Argument(help="Circuit (see mtjspice netlist --list), for example pulse_writer.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Drawing to write, .svg; - for standard output.")],
    part: Annotated[
        str | None, typer.Option("--part", help="Draw a part of it, by its name: column0, or column0.sense within.")
    ] = None,
    card: CircuitCard = None,
    technology: TechnologyName = "gf180mcu",
    values: Set = None,
) -> None:
    """Draw a circuit, or a part of it, from the same data as its netlist.

    Parts are boxes or logic symbols with their names; `--part` looks into one.

    Example: mtjspice schematic meram_word8 --part column0.sense -o sense.svg
    """
    from mtjspice.files import write_atomically
    from mtjspice.reports.schematic import draw

    if str(output) != "-" and output.suffix.lower() != ".svg":
        raise InputError(f"--output {output} must end in .svg")
    drawn = _bench(circuit, card, technology, "", "300", None, None, values).circuit
    for name in part.split(".") if part else ():
        drawn = drawn.part(name)
    text = draw(drawn)
    if str(output) == "-":
        typer.echo(text, nl=False)
    else:
        write_atomically(output, text)


@app.command()
def simulate(
    deck: Annotated[
        str,
        typer.Argument(
            metavar="DECK|CIRCUIT",
            help="Netlist with junctions as calls of mtj_cell (top bottom) and one .tran line; "
            "or a circuit by name (mtjspice netlist --list).",
        ),
    ],
    card: CircuitCard = None,
    fidelity: Annotated[str, typer.Option("--fidelity", help="cosim, verilog-a, behavioral or resistor.")] = "cosim",
    engine: Annotated[
        Path | None, typer.Option("--engine", help="Another libngspice (cosim) or ngspice than the one that is found.")
    ] = None,
    seed: Seed = 1,
    technology: TechnologyName = "gf180mcu",
    corner: Corner = "",
    temperature: Temperature = "300",
    states: States = None,
    mismatch_seed: MismatchSeed = None,
    values: Set = None,
    vectors: Annotated[
        str | None, typer.Option("--vectors", help="Vectors to return, as 'v(out),i(vdd)'; by default what it saves.")
    ] = None,
    parasitics: Annotated[
        str,
        typer.Option("--parasitics", help="Of a circuit: none, or layout (drawn, gf180mcu; needs mtjspice[layout])."),
    ] = "none",
    noise: Annotated[bool, typer.Option("--noise/--no-noise", help="Thermal field and spread of the drive.")] = True,
    time_limit: Annotated[str, typer.Option("--time-limit", help="Seconds or with a unit: 10min.")] = "600",
    plot: Plot = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Run the transient of a deck, or of a circuit on its bench, with its junctions in one of four fidelities.

    Every line `Xname top bottom mtj_cell [state=-1]` of a deck, at any depth, is a junction of the card (meram100
    unless told otherwise). A circuit of the catalogue takes the options of `mtjspice netlist`, and what its
    bench measures is printed. A seed stands for the same thermal field in every fidelity.

    Example: mtjspice simulate circuit.cir --card meram100 --seed 7 --plot waveforms.png --out waveforms.nc
    Example: mtjspice simulate meram_word8 --technology sky130 --corner ss --set bench.write_rail=1.3V
    """
    from mtjspice import sweeps
    from mtjspice.circuits import catalogue
    from mtjspice.circuits.simulation import FIDELITIES
    from mtjspice.circuits.simulation import simulate as run
    from mtjspice.errors import choose
    from mtjspice.reports import psw as outputs
    from mtjspice.reports import waveforms as report

    outputs.check_outputs(plot, out)
    choose("fidelity", fidelity, FIDELITIES)
    choose("parasitics", parasitics, ("none", "layout"))
    limit = sweeps.quantity(time_limit, "s", "--time-limit")
    names = None if vectors is None else [name.strip() for name in vectors.split(",") if name.strip()]
    if catalogue.knows(deck) and not Path(deck).exists():
        if names is not None:
            raise InputError("--vectors is for decks; the bench of a circuit saves its ports and what it measures")
        bench = _bench(deck, card, technology, corner, temperature, states, mismatch_seed, values)
        testbench = bench.testbench()
        with warnings_as_lines(), show_stages() as stage:
            if parasitics == "layout":
                from mtjspice.layout.post import post_layout

                stage(f"drawing {deck}")
                testbench = post_layout(testbench)
            stage(f"{fidelity}: {deck}")
            data = testbench.run(fidelity, seed=seed, engine=engine, noise=noise, time_limit=limit)
        measured = report.measured(testbench, data)
    else:
        drawn = parasitics != "none"
        for option, given in (
            ("--corner", corner), ("--states", states), ("--set", values), ("--parasitics", drawn),
        ):  # fmt: skip
            if given:
                raise InputError(f"{option} is for circuits of `mtjspice netlist --list`; {deck} is a deck")
        try:
            text = Path(deck).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"cannot read the deck {deck}: {reason} (nor is it a circuit of `mtjspice netlist --list`)"
            ) from None
        with warnings_as_lines(), show_stages() as stage:
            stage(f"{fidelity}: {Path(deck).name}")
            data = run(
                text, card or "meram100", fidelity=fidelity, engine=engine, seed=seed, noise=noise,
                folder=Path(deck).parent, temperature=sweeps.quantity(temperature, "K", "--temperature"),
                vectors=names, time_limit=limit,
            )  # fmt: skip
        measured = {}
    if out is not None:
        report.write_data(data, out)
    if plot is not None:
        outputs.save_figure(report.figure, data, plot)
    if as_json:
        of_bench = {"measurements": measured, "delivered": report.delivered(data)} if measured else {}
        print_json({**report.as_json(data), **of_bench})
        return
    typer.echo(report.heading(data))
    if "junction" in data.dims:
        print_table(*report.table(data))
    if measured:
        print_table(*report.measured_table(testbench, measured))
        print_table(*report.delivered_table(data))


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
        str | None,
        typer.Option("--install", help="Install a tool first, into the cache folder: osdi-ngspice or klayout."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which simulators and compilers are found, what they can do, and how to add what is missing.

    Exits with 1 if ngspice or libngspice is missing. `--install osdi-ngspice` downloads an ngspice that runs Verilog-A
    models, `--install klayout` the application that checks layouts with the whole rule deck (Debian and Ubuntu), beside
    the system's own.

    Example: mtjspice doctor --install osdi-ngspice
    """
    from dataclasses import asdict

    from mtjspice.errors import choose
    from mtjspice.layout.deck import install_klayout, klayout_tool
    from mtjspice.spice.engines import survey
    from mtjspice.spice.private_ngspice import install_osdi_ngspice, osdi_tool

    if install is not None:
        installers = {"osdi-ngspice": install_osdi_ngspice, "klayout": install_klayout}
        installer = installers[choose("tool", install, installers)]
        with show_stages() as stage:
            stage(f"downloading {install}")
            installer()
    tools = (*survey(), osdi_tool(), klayout_tool())
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
