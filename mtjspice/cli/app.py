"""The command line: groups of commands, and how a run of it ends."""

import os
import signal
import sys
from typing import Annotated

import typer

from mtjspice.cli.output import Interrupt
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
study_app = typer.Typer(
    no_args_is_help=True, help="Studies: many points, stored as they are finished.", rich_markup_mode=None
)
app.add_typer(study_app, name="study")
bits_app = typer.Typer(
    no_args_is_help=True, help="Random bits: making, conditioning and testing them.", rich_markup_mode=None
)
app.add_typer(bits_app, name="bits")
data_app = typer.Typer(
    no_args_is_help=True, help="Data sets and networks for the generative studies.", rich_markup_mode=None
)
app.add_typer(data_app, name="data")

INTERRUPTED = 130  # as shells report SIGINT


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


def main() -> None:
    """Run the command line; a user's error ends in one line on stderr and its exit code."""
    interrupt = Interrupt()
    # a killed command must end its worker processes as an interrupted one does, even where SIGINT is ignored
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        code = app(standalone_mode=False) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk is found out here
    except MtjspiceError as error:
        code = _fail(error)
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except MemoryError as error:
        code = _fail(InputError(f"there is not enough memory: {error or 'ask for less'}"))
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except OSError as error:
        code = _fail(InputError(f"{error.filename or 'standard output'}: {error.strerror or error}"))
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more to flush
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
