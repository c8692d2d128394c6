"""Commands about noise words: encodings and their laws, numbers, pulse programs, and words of the circuit."""

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, CardArgument, Corner, Seed, TechnologyName, Temperature
from mtjspice.cli.output import print_json, print_table, show_progress, show_stages, warnings_as_lines
from mtjspice.errors import InputError, choose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mtjspice.circuits.benches.word_program import WordConditions
    from mtjspice.generative.pulse_program import PulseProgram

words_app = typer.Typer(
    no_args_is_help=True, help="Noise words: bits that stand in for normal numbers.", rich_markup_mode=None
)
app.add_typer(words_app, name="words")

STANDARD_OUTPUT = Path("-")
EncodingName = Annotated[
    str, typer.Argument(metavar="ENCODING", help="Noise word, as product:8 or toggle:8,pulses=16; see `words list`.")
]


@words_app.command("list")
def list_encodings(as_json: AsJson = False) -> None:
    """List the encodings, with their settings.

    Example: mtjspice words list
    """
    from mtjspice.generative.encodings.catalogue import AVAILABLE

    if as_json:
        print_json([{"usage": one.usage, "about": one.text, "settings": dict(one.settings)} for one in AVAILABLE])
        return
    found = []
    for one in AVAILABLE:
        found.append((one.usage, one.text))
        found += [(f"  ,{name}", about) for name, about in one.settings]
    print_table(("noise word", ""), found)


@words_app.command()
def law(
    encoding: Annotated[
        list[str], typer.Argument(metavar="ENCODING...", help="Noise words, as tree:8 product:8; see `words list`.")
    ],
    ones: Annotated[float, typer.Option("--ones", help="Probability of a one of the raw bits.")] = 0.5,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for laws.png and result.json.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the exact law of numbers made of independent bits: moments, distances from N(0, 1), tails.

    KL is the divergence of the law from N(0, 1), TV the total variation, KS the largest difference of distribution
    functions; bits are fair ones a number. Of measured:FILE, words of the circuit, 95 % intervals are printed as well.

    Example: mtjspice words law tree:8 product:8 toggle:8,pulses=16 --out laws
    """
    from mtjspice.files import output_folder, write_atomically
    from mtjspice.generative.encodings.catalogue import encoding_of
    from mtjspice.generative.encodings.measured import MeasuredWords
    from mtjspice.reports import words as report

    if not 0 <= ones <= 1:
        raise InputError(f"--ones is a probability, not {ones:g}")
    if len(set(encoding)) != len(encoding):
        raise InputError("each noise word may be given once")
    found = {text: encoding_of(text) for text in encoding}
    laws = {}
    for text, one in found.items():
        exact = one.law(ones)
        if exact is None:
            raise InputError(f"noise word {text!r} has no exact law (drift, or cells that differ and remember)")
        laws[text] = exact
    bits = {text: one.bits_per_number for text, one in found.items()}
    outcome = report.WordsReport(laws, bits, [], 0, [], {})
    measured = {text: one.law_intervals() for text, one in found.items() if isinstance(one, MeasuredWords)}
    summary = {"ones": ones, "laws": report.as_dict(outcome)["laws"], "measured_intervals": measured}
    if out is not None:
        from mtjspice.reports import style

        output_folder(out)
        write_atomically(out / "result.json", json.dumps(summary, indent=2, allow_nan=False) + "\n")
        style.save(report.laws_figure(outcome), out / "laws.png")
    if as_json:
        print_json(summary)
        return
    print_table(report.HEADER, report.rows(outcome))
    for text, interval in measured.items():
        shown = ", ".join(f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in interval.items())
        typer.echo(f"{text}: measured law, 95 %: {shown}")


@words_app.command()
def compare(
    out: Annotated[Path, typer.Option("--out", help="Folder for four figures, words.csv and result.json.")],
    encoding: Annotated[
        list[str] | None, typer.Argument(metavar="[ENCODING]...", help="Noise words whose laws are drawn.")
    ] = None,
    bits: Annotated[int, typer.Option("--word", help="Bits of a word, 4 to 16.")] = 8,
    pulses: Annotated[int, typer.Option("--pulses", help="Pulses that the toggle chain is made for.")] = 16,
    devices: Annotated[int, typer.Option("--devices", help="Devices over which a spread is averaged.")] = 100,
) -> None:
    """Draw what noise words are worth, from exact laws: against pulses, bits, and imperfections of the cells.

    pulses.png shows the Gaussian of a toggle chain pass by on its way to the uniform law, widths.png what more bits
    buy, imperfections.png what offset, spread and memory cost. Takes some ten seconds.

    Example: mtjspice words compare --out compared
    """
    from mtjspice.files import output_folder
    from mtjspice.reports import words as report

    output_folder(out)
    with show_stages() as stage:
        stage("exact laws")
        made = report.compare(encoding or report.LAWS, bits, pulses, devices)
        stage("figures")
        report.write(made, out)
    print_table(report.HEADER, report.rows(made))
    typer.echo(f"figures and tables: {out}")


@words_app.command()
def draw(
    encoding: EncodingName,
    source: Annotated[
        str, typer.Option("--source", help="Source of bits, as emulated:fair,p=0.52 or lfsr:16 (see `bits sources`).")
    ],
    count: Annotated[str, typer.Option("-n", "--numbers", metavar="N", help="How many numbers: 1000, 1e6.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File .npy, and a .json beside it; - for text, a number a line.")
    ] = STANDARD_OUTPUT,
    seed: Seed = 1,
) -> None:
    """Make numbers of the bits of a source.

    The seed makes the same numbers again. Numbers of measured:FILE are drawn from a measured law, they are not the
    circuit's; the .json says so.

    Example: mtjspice words draw product:8 --source emulated:fair,p=0.52 -n 1e6 -o numbers.npy
    """
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.bits.specifications import whole
    from mtjspice.files import write_atomically
    from mtjspice.generative.encodings.catalogue import open_noise
    from mtjspice.studies import bit_sources

    number = _counted(whole(count, "--numbers"), "--numbers")
    _check_npy(output)
    with warnings_as_lines():
        made = open_noise(encoding, open_source(source, seed, bit_sources.KINDS), seed)
        with show_stages() as stage:
            stage(f"{number} numbers")
            numbers = made.normal((number,))
    if output == STANDARD_OUTPUT:
        sys.stdout.writelines(f"{value!r}\n" for value in numbers.tolist())
        return
    write_atomically(output, _npy(numbers))
    about = {**made.provenance, "numbers": number, "bits_per_number": made.bits_per_number}
    write_atomically(output.with_suffix(".json"), json.dumps(about, indent=2) + "\n")
    typer.echo(f"{number} numbers, mean {numbers.mean():.4f}, deviation {numbers.std():.4f}, written to {output}")


@words_app.command()
def program(
    card: CardArgument,
    encoding: EncodingName,
    by: Annotated[str, typer.Option("--by", help="What distinguishes probabilities: voltage or width.")] = "voltage",
    pulse_width: Annotated[
        str | None, typer.Option("--pulse-width", help="Of all pulses by voltage; by default half a precession.")
    ] = None,
    voltage: Annotated[
        str | None, typer.Option("--voltage", help="Of all pulses by width; by default 1.3 times the critical one.")
    ] = None,
    step: Annotated[str, typer.Option("--step", help="Resolution of voltage or width, as 1mV or 10ps.")] = "0",
    temperature: Temperature = "300",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write, for `words run`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the pulses that make a card's junctions give noise words, and the law that they give.

    Probabilities are inverted on the first branch of the switching curve (Fokker-Planck equation), ideal pulses
    assumed; `words run` finds the circuit's levels for them. Takes some ten seconds.

    Example: mtjspice words program meram100 product:8 --step 1mV -o program.json
    """
    from mtjspice.device.card import load_card
    from mtjspice.files import write_atomically
    from mtjspice.generative.pulse_program import pulse_program
    from mtjspice.sweeps import quantity

    choose("what a pulse is programmed by", by, ("voltage", "width"))
    if (by == "voltage" and voltage is not None) or (by == "width" and pulse_width is not None):
        raise InputError("--pulse-width goes with --by voltage, --voltage with --by width")
    unit = "V" if by == "voltage" else "s"
    with warnings_as_lines(), show_stages() as stage:
        stage("switching curve")
        made = pulse_program(
            load_card(card), encoding, by, step=quantity(step, unit, "--step"),
            pulse_width=None if pulse_width is None else quantity(pulse_width, "s", "--pulse-width"),
            voltage=None if voltage is None else quantity(voltage, "V", "--voltage"),
            temperature=quantity(temperature, "K", "--temperature"),
        )  # fmt: skip
    summary = made.as_dict()
    if output is not None:
        write_atomically(output, json.dumps(summary, indent=2, allow_nan=False) + "\n")
    if as_json:
        print_json(summary)
        return
    scale, name = (1.0, "V") if by == "voltage" else (1e9, "ns")
    shown = made.pulses[:32]
    print_table(
        ("bit", "prefix", "wanted", name, "P01", "P10", "achieved"),
        [
            (str(one.bit), "" if one.prefix < 0 else str(one.prefix), f"{one.probability:.5f}",
             f"{scale * one.value:.4f}", f"{one.rising:.5f}", "" if one.falling is None else f"{one.falling:.5f}",
             "" if one.falling is not None else f"{one.achieved:.5f}")
            for one in shown
        ],
    )  # fmt: skip
    if len(made.pulses) > len(shown):
        typer.echo(f"... and {len(made.pulses) - len(shown)} more (--json prints all)")
    found = made.law().distances()
    other = f"{1e9 * made.fixed:.3g} ns" if by == "voltage" else f"{made.fixed:.3g} V"
    typer.echo(
        f"at {other}, {made.repetitions} pulse(s) a cell; law: mean {found.mean:.4f}, deviation {found.std:.4f}, "
        f"KL {found.kl_bits:.3g} bit; interpolation error of P {made.interpolation_error:.1g}"
    )


@words_app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="PROGRAM", help="Pulse program of `words program`.")],
    words: Annotated[int, typer.Option("--words", help="How many words; a word of 8 bits takes some seconds.")] = 32,
    columns: Annotated[
        int | None, typer.Option("--columns", help="Columns of the word; by default as many as the encoding has bits.")
    ] = None,
    card: Annotated[str | None, typer.Option("--card", help="Card in place of the program's (name or file).")] = None,
    technology: TechnologyName = "gf180mcu",
    corner: Corner = "",
    temperature: Temperature = "300",
    trials: Annotated[int, typer.Option("--trials", help="Macrospins a level in the calibration.")] = 20_000,
    seed: Seed = 1,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Numbers to write, .npy, as they come.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for result.json, words.csv (both as they come), figure.png.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make noise words in the co-simulated transistor circuit of a MeRAM word with a select input a column.

    First the levels of the write rail (or the control voltages of the pulse generator) are calibrated: a noiseless
    transient gives the voltage of a junction, macrospins its switching. Then words are made: reset, one pulse a bit at
    its level (bits one after the other), read. If interrupted, finished words are kept. `measured:out/result.json` is
    an encoding with the measured bits.

    Example: mtjspice words run program.json --words 16 -o words.npy --out run
    """
    from mtjspice.bits.sources.base import check_seed
    from mtjspice.files import output_folder, write_atomically
    from mtjspice.reports import style, word_programs, word_runs

    _counted(words, "--words")
    check_seed(seed)
    _check_npy(output)
    found = _read_program(file)
    conditions = _conditions(found, columns, card, technology, corner, temperature)
    if out is not None:
        output_folder(out)
    with warnings_as_lines():
        with show_progress("calibration") as progress:
            prepared = word_programs.prepare(found, conditions, trials=trials, seed=seed, progress=progress)
        with show_progress("words") as progress:
            for made in word_programs.run(prepared, words, seed):
                if output is not None:
                    write_atomically(output, _npy(prepared.numbers(made)))
                if out is not None:
                    word_runs.write(prepared, made, seed, out)
                progress(len(made.bits) / words)
    if out is not None:
        style.save(word_runs.figure(prepared, made), out / "figure.png")
    if as_json:
        print_json(word_runs.as_dict(prepared, made, seed))
        return
    print_table(word_runs.HEADER, word_runs.rows(prepared, made))
    for line in word_runs.notes(prepared, made):
        typer.echo(line)


def _conditions(
    found: "PulseProgram", columns: int | None, card: str | None, technology: str, corner: str, temperature: str
) -> "WordConditions":
    from mtjspice.circuits.benches.word import Levels
    from mtjspice.circuits.benches.word_program import WordConditions, selectable_word
    from mtjspice.circuits.technology import technology as load_technology
    from mtjspice.device.card import load_card
    from mtjspice.generative.encodings.catalogue import encoding_of
    from mtjspice.sweeps import quantity

    bits = getattr(encoding_of(found.encoding), "bits", 8)
    used = load_technology(technology)
    word = selectable_word(used, load_card(card or found.card), bits if columns is None else columns)
    return WordConditions(word, corner, quantity(temperature, "K", "--temperature"), Levels.of(used))


def _read_program(path: Path) -> "PulseProgram":
    from mtjspice.generative.pulse_program import PulseProgram

    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError:
        raise InputError(f"{path} is not a pulse program: it is no JSON") from None
    if not isinstance(found, dict):
        raise InputError(f"{path} is not a pulse program; `mtjspice words program` makes one")
    try:
        return PulseProgram.from_dict(found)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _counted(count: int, option: str) -> int:
    if count < 1:
        raise InputError(f"{option} must be 1 or more, not {count}")
    return count


def _check_npy(output: Path | None) -> None:
    if output is not None and output != STANDARD_OUTPUT and output.suffix != ".npy":
        raise InputError(f"numbers are written as .npy, not to {output}")


def _npy(numbers: "NDArray[np.float64]") -> bytes:
    import numpy

    buffer = BytesIO()
    numpy.save(buffer, numbers)
    return buffer.getvalue()
