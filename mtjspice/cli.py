"""The command line: one thin command per use."""

import json
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from mtjspice.errors import InputError, MtjspiceError, SimulatorError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Circuit-level SPICE co-simulation of stochastic magnetic tunnel junctions.",
)
device_app = typer.Typer(no_args_is_help=True, help="Device cards.", rich_markup_mode=None)
app.add_typer(device_app, name="device")
models_app = typer.Typer(no_args_is_help=True, help="Compact models.", rich_markup_mode=None)
app.add_typer(models_app, name="models")

INTERRUPTED = 130  # as shells report SIGINT

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


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Show each warning to the user as one line on stderr."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        typer.echo(f"mtjspice: warning: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = show
        yield


@contextmanager
def _progress(description: str) -> Iterator[Callable[[float], None]]:
    """A bar on a terminal; what it yields is told the finished fraction."""
    from mtjspice.progress import ProgressBar

    finished = 0.0
    with ProgressBar(1.0) as bar:
        bar.stage(description)

        def report(fraction: float) -> None:
            nonlocal finished
            _raise_lost_interrupt()
            bar.advance(fraction - finished)
            finished = fraction

        yield report


@contextmanager
def _stages() -> Iterator[Callable[[str], None]]:
    """A line on a terminal for work of unknown length; what it yields is told what is being done."""
    from mtjspice.progress import ProgressBar

    with ProgressBar(1.0) as bar:
        yield bar.stage


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
def psw(
    card: CardArgument,
    voltage: Annotated[str, typer.Option("--voltage", help="Volts or with units: 1.2, 0.8,1.0V or start:stop:count.")],
    pulse_width: Annotated[
        str, typer.Option("--pulse-width", help="Full width at half maximum, seconds or with units, as --voltage.")
    ],
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="fokker-planck (no trials, no sampling error); macrospin, or in a simulator cosim, verilog-a, "
            "behavioral (count trials).",
        ),
    ] = "fokker-planck",
    direction: Annotated[str, typer.Option("--direction", help="p-ap or ap-p.")] = "p-ap",
    temperature: Temperature = "300",
    trials: Annotated[int, typer.Option("--trials", help="Trials of each point, where they are counted.")] = 1000,
    seed: Seed = 1,
    edge: Edge = "50ps",
    tolerance: Annotated[
        float | None,
        typer.Option("--tolerance", help="Absolute error (fokker-planck); by default 1e-5, with --wer 1e-13."),
    ] = None,
    precision: Annotated[
        str, typer.Option("--precision", help="float64, or float32 for speed (macrospin).")
    ] = "float64",
    wer: Annotated[bool, typer.Option("--wer", help="Write error rate, the chance not to switch, instead.")] = False,
    plot: Plot = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Compute the switching probability (or the write error rate) against voltage and pulse width.

    start:stop:count is linear and includes both ends. Small sweeps are printed as a table, larger ones as a summary.

    Example: mtjspice psw meram100 --voltage 0.6:1.8:50 --pulse-width 0.1ns:6ns:200 --plot map.png
    """
    from mtjspice import sweeps
    from mtjspice.device import switching
    from mtjspice.reports import psw as report

    report.check_outputs(plot, out)
    methods = switching.METHODS
    if method not in methods:  # the others need PySpice, half a second to import
        from mtjspice.circuits import pulse_trials

        methods = pulse_trials.METHODS
    compute = switching.write_error_rate if wer else switching.switching_probability
    default = switching.ERROR_RATE_TOLERANCE if wer else switching.PROBABILITY_TOLERANCE
    volts, widths = sweeps.values(voltage, "V", "--voltage"), sweeps.values(pulse_width, "s", "--pulse-width")
    with _warnings_as_lines(), _progress(f"{method}, {len(volts) * len(widths)} points") as progress:
        data = compute(
            card, volts, widths, method, direction, sweeps.quantity(temperature, "K", "--temperature"), trials, seed,
            edge=sweeps.quantity(edge, "s", "--edge"), tolerance=default if tolerance is None else tolerance,
            precision=precision, progress=progress, methods=methods,
        )  # fmt: skip
    if out is not None:
        report.write_data(data, out)
    if plot is not None:
        report.save_figure(report.figure, data, plot)
    if as_json:
        _print_json(report.as_json(data))
        return
    typer.echo(report.heading(data))
    _table(*(report.table(data) if data["trials"].size <= report.TABLE_ROWS else report.summary(data)))


@app.command()
def trajectory(
    card: CardArgument,
    voltage: Annotated[str, typer.Option("--voltage", help="Amplitude of the pulse, in volts or with a unit.")],
    pulse_width: Annotated[
        str, typer.Option("--pulse-width", help="Full width at half maximum, in seconds or with a unit.")
    ],
    seed: Seed = 1,
    device: Annotated[int, typer.Option("--device", help="Number of the device, which has its own noise.")] = 0,
    state: Annotated[str, typer.Option("--state", help="State at the start: p or ap.")] = "p",
    temperature: Temperature = "300",
    edge: Edge = "50ps",
    duration: Annotated[
        str | None,
        typer.Option("--duration", help="Seconds or with a unit; by default until the junction has relaxed."),
    ] = None,
    interval: Annotated[str, typer.Option("--interval", help="Time between samples.")] = "1ps",
    line_current: Annotated[
        str | None, typer.Option("--line-current", help="Current of the spin-orbit line during the pulse, A.")
    ] = None,
    plot: Plot = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Follow the magnetization of one junction through a voltage pulse.

    Example: mtjspice trajectory meram100 --voltage 1.2 --pulse-width 1ns --seed 1 --plot path.png
    """
    from mtjspice import sweeps
    from mtjspice.device import switching
    from mtjspice.device.macrospin import ANTIPARALLEL, PARALLEL
    from mtjspice.errors import choose
    from mtjspice.reports import psw as report

    report.check_outputs(plot, out)
    states = {"p": PARALLEL, "ap": ANTIPARALLEL}
    with _warnings_as_lines():
        path = switching.trajectory(
            card, None, seed, device, sweeps.quantity(temperature, "K", "--temperature"),
            states[choose("state", state.lower(), states)],
            voltage=sweeps.quantity(voltage, "V", "--voltage"),
            pulse_width=sweeps.quantity(pulse_width, "s", "--pulse-width"),
            edge=sweeps.quantity(edge, "s", "--edge"),
            duration=None if duration is None else sweeps.quantity(duration, "s", "--duration"),
            interval=sweeps.quantity(interval, "s", "--interval"),
            line_current=None if line_current is None else sweeps.quantity(line_current, "A", "--line-current"),
        )  # fmt: skip
    if out is not None:
        report.write_data(path, out)
    if plot is not None:
        report.save_figure(report.trajectory_figure, path, plot)
    if as_json:
        _print_json(report.trajectory_json(path))
        return
    typer.echo(f"{path.attrs['title']}: card {path.attrs['card']}, seed {seed}, device {device}")
    for name, value in report.trajectory_rows(path):
        typer.echo(f"{name + ':':27}{value}")


@app.command()
def calibrate(
    card: CardArgument,
    data: Annotated[
        Path,
        typer.Argument(
            help="CSV with the columns voltage, pulse_width, trials and switched (or probability), perhaps direction "
            "and temperature; units as in pulse_width[ns]."
        ),
    ],
    free: Annotated[
        str, typer.Option("--free", help="Parameters to fit, as xi,ki,bx; an unknown name lists what is allowed.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Card to write (.toml) with the fitted values.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of that card; by default with -fit added.")] = None,
    method: Annotated[str, typer.Option("--method", help="fokker-planck or macrospin (counts trials).")] = (
        "fokker-planck"
    ),
    edge: Edge = "50ps",
    confidence: Annotated[float, typer.Option("--confidence", help="Confidence of the intervals.")] = 0.95,
    trials: Annotated[int, typer.Option("--trials", help="Trials of each point (macrospin).")] = 4000,
    seed: Seed = 1,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Fit a card to measured switching probabilities by maximum likelihood, with intervals and residuals.

    Refuses parameters that the data do not determine. A lapse (a failure outside the model) is not fitted.

    Example: mtjspice calibrate meram100 measured.csv --free xi,bx -o fitted.toml --plot fit.png
    """
    from mtjspice import sweeps
    from mtjspice.device import calibration, free_parameters, likelihood, measurements
    from mtjspice.device.card import load_card
    from mtjspice.errors import choose
    from mtjspice.files import write_atomically
    from mtjspice.reports import calibration as report
    from mtjspice.reports import psw as outputs

    outputs.check_outputs(plot, None)
    outputs.check_output(output, (".toml",))
    choose("method", method, ("fokker-planck", "macrospin"))
    rise = sweeps.quantity(edge, "s", "--edge")
    keys, start, measured = free_parameters.parse_names(free), load_card(card), measurements.read(data, rise)
    model: likelihood.Model
    if method == "macrospin":
        model = likelihood.MacrospinModel(measured, rise, trials, seed)
    else:
        model = likelihood.FokkerPlanckModel(measured, rise)
    with _warnings_as_lines(), _stages() as say:
        result = calibration.calibrate(start, measured, keys, model, confidence=confidence, name=name, report=say)
        if output is not None:
            write_atomically(output, result.card.to_toml())
        if plot is not None:
            from mtjspice.reports import style

            say("figure")
            curve = partial(likelihood.between, result.card, measured, rise) if method == "fokker-planck" else None
            style.save(report.figure(result, curve), plot)
    if as_json:
        _print_json(report.as_json(result))
        return
    typer.echo(f"{result.card.name}: {len(measured)} points of {measured.name}, {100 * confidence:g} % intervals")
    _table(report.HEADER, report.rows(result))
    for title, value in report.lines(result):
        typer.echo(f"{title + ':':19}{value}")


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
    with _warnings_as_lines(), _stages() as stage:
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
        _print_json(report.as_json(data))
        return
    typer.echo(report.heading(data))
    _table(*report.table(data))


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
        _print_json({"path": str(compiled)})
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
        with _stages() as stage:
            stage("downloading ngspice")
            install_osdi_ngspice()
    tools = (*survey(), osdi_tool())
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


class _Interrupt:
    """Handler that remembers. Python loses an interrupt that meets a destructor or a callback from C."""

    pending = False

    def __call__(self, number: int, frame: object) -> None:
        self.pending = True
        raise KeyboardInterrupt


def _raise_lost_interrupt() -> None:
    if getattr(signal.getsignal(signal.SIGTERM), "pending", False):
        raise KeyboardInterrupt


def main() -> None:
    """Run the command line; a user's error ends in one line on stderr and its exit code."""
    interrupt = _Interrupt()
    # a killed command must end its worker processes as an interrupted one does, even where SIGINT is ignored
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
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
