"""Commands about a junction alone: cards, switching probabilities, trajectories, calibration."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mtjspice.cli.app import app, device_app
from mtjspice.cli.options import AsJson, CardArgument, Edge, Out, Plot, Seed, Temperature
from mtjspice.cli.output import print_json, print_table, show_progress, show_stages, warnings_as_lines


@device_app.command("list")
def device_list(as_json: AsJson = False) -> None:
    """List the device cards that come with mtjspice.

    Example: mtjspice device list
    """
    from mtjspice.device.card import card_names, load_card

    cards = [load_card(name) for name in card_names()]
    if as_json:
        print_json([{"name": card.name, "title": card.title} for card in cards])
        return
    print_table(("card", "title"), [(card.name, card.title) for card in cards])


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
        print_json(cards.as_json(shown))
        return
    typer.echo(f"{shown.card.name}: {shown.card.title}\n")
    print_table(("parameter", "value", "status", "source"), cards.parameter_rows(shown))
    typer.echo(f"\nderived at {temperature:g} K")
    print_table(("quantity", "value", "meaning"), cards.derived_rows(shown))


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
    with warnings_as_lines(), show_progress(f"{method}, {len(volts) * len(widths)} points") as progress:
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
        print_json(report.as_json(data))
        return
    typer.echo(report.heading(data))
    print_table(*(report.table(data) if data["trials"].size <= report.TABLE_ROWS else report.summary(data)))


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
    with warnings_as_lines():
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
        print_json(report.trajectory_json(path))
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
    with warnings_as_lines(), show_stages() as say:
        result = calibration.calibrate(start, measured, keys, model, confidence=confidence, name=name, report=say)
        if output is not None:
            write_atomically(output, result.card.to_toml())
        if plot is not None:
            from mtjspice.reports import style

            say("figure")
            curve = partial(likelihood.between, result.card, measured, rise) if method == "fokker-planck" else None
            style.save(report.figure(result, curve), plot)
    if as_json:
        print_json(report.as_json(result))
        return
    typer.echo(f"{result.card.name}: {len(measured)} points of {measured.name}, {100 * confidence:g} % intervals")
    print_table(report.HEADER, report.rows(result))
    for title, value in report.lines(result):
        typer.echo(f"{title + ':':19}{value}")
