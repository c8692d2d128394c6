"""Commands about bits: sources, extractors, the test suites, entropy, diagnostics."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtjspice.cli.app import bits_app
from mtjspice.cli.options import AsJson, Plot, Seed
from mtjspice.cli.output import print_json, print_table, raise_lost_interrupt, show_progress, warnings_as_lines
from mtjspice.errors import InputError, choose

if TYPE_CHECKING:
    from mtjspice.bits.sources.base import Source
    from mtjspice.bits.stream import BitStream

File = Annotated[Path, typer.Argument(metavar="FILE", help="File of bits.")]
Form = Annotated[
    str | None, typer.Option("--format", help="binary (first bit the most significant), ascii (0 and 1) or npz.")
]
Count = Annotated[str | None, typer.Option("--bits", metavar="N", help="Take the first N bits: 1000000, 1e6.")]
Workers = Annotated[int | None, typer.Option("--workers", help="Threads; by default one a processor.")]
STANDARD_OUTPUT = Path("-")
_TELLING = 8  # bits; fewer may well be all the same


@bits_app.command()
def sources(as_json: AsJson = False) -> None:
    """List the sources of `generate` and the extractors of `condition`, with their settings.

    Example: mtjspice bits sources
    """
    from mtjspice.bits.extractors import catalogue as extractors
    from mtjspice.bits.specifications import describe
    from mtjspice.studies import bit_sources

    found = {
        "sources": describe(bit_sources.KINDS, "seed"),
        "extractors": describe(extractors.KINDS, "seed"),
    }
    if as_json:
        print_json({
            what: [{"usage": one.usage, "about": one.text, "settings": dict(one.settings)} for one in listed]
            for what, listed in found.items()
        })  # fmt: skip
        return
    for what, listed in found.items():
        rows = []
        for one in listed:
            rows.append((one.usage, one.text))
            rows += [(f"  ,{name}", about) for name, about in one.settings]
        print_table((what, ""), rows)
        typer.echo("")


@bits_app.command()
def generate(
    source: Annotated[str, typer.Argument(help="Source, as pcg64, lfsr:16 or emulated:meram100; see `bits sources`.")],
    bits: Annotated[
        str | None, typer.Option("--bits", metavar="N", help="How many bits: 1000000, 1e6; none: without end, to -.")
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, beside it a .json; - for raw bytes to a pipe.")
    ] = STANDARD_OUTPUT,
    seed: Seed = 1,
    form: Form = "binary",
    extractor: Annotated[
        list[str] | None, typer.Option("--extractor", help="Condition the bits; repeatable. Needs --bits.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make bits: of co-simulated circuits, of junctions, of their emulator, or of generators to compare with.

    The seed makes the same bits again. Long streams are written in pieces. To a pipe, without --bits, they never end:
    mtjspice bits generate pcg64 | RNG_test stdin64. Simulated bits are pseudo-random: statistics, not entropy.

    Example: mtjspice bits generate emulated:stt_trng_10ns,lanes=16,spread=0.3 --bits 1e7 -o bits.bin
    """
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.bits.stream import BitStream
    from mtjspice.studies import bit_sources

    count = None if bits is None else _number(bits, "--bits")
    choose("format", form or "binary", ("binary", "ascii", "npz"))
    if output == STANDARD_OUTPUT and (as_json or sys.stdout is None or sys.stdout.isatty()):
        raise InputError("raw bits go to a file (-o bits.bin) or a pipe, not to a terminal and not beside --json")
    if count is None and (output != STANDARD_OUTPUT or extractor):
        raise InputError("--bits says how many bits to write; only a pipe can go on without end, unconditioned")
    if output == STANDARD_OUTPUT and form != "binary":
        raise InputError("a pipe takes the format binary")
    if count is not None:
        _check_room(count, output, form or "binary", in_memory=bool(extractor))
    with warnings_as_lines():
        opened = open_source(source, seed, bit_sources.KINDS)
    stream: BitStream | None = None
    if extractor:
        assert count is not None
        stream = _conditioned(_collect(opened, count), extractor, seed)
    if output == STANDARD_OUTPUT:
        _pipe(opened, count, stream)
        return
    assert count is not None
    if stream is not None:
        from mtjspice.bits import files

        files.write(stream, output, form or "binary")
    else:
        _write(opened, count, output, form or "binary")
    _tell_written(output, as_json)


@bits_app.command()
def condition(
    file: File,
    extractor: Annotated[
        list[str],
        typer.Option("--extractor", help="xor:3, von-neumann, toeplitz:1024,min-entropy=0.9 ...; repeatable."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, and a .json beside it.")],
    form: Form = None,
    bits: Count = None,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Condition a file of bits with extractors, one after the other.

    Prints rate, bias and autocorrelation before and after. `mtjspice bits sources` lists the extractors.

    Example: mtjspice bits condition bits.bin --extractor xor:3 -o conditioned.bin
    """
    from mtjspice.bits import files

    if file.exists() and output.exists() and output.samefile(file):
        raise InputError(f"the output {output} is the input; the raw bits would be lost")
    stream = _read(file, form, bits)
    result = _conditioned(stream, extractor, seed)
    files.write(result, output)
    rows = [("before", stream), ("after", result)]
    if as_json:
        print_json({
            "extractors": extractor, "output": str(output), "rate": result.length / stream.length,
            **{name: _figures(one) for name, one in rows},
        })  # fmt: skip
        return
    print_table(
        ("", "bits", "ones", "bias", "autocorrelation at lag 1", "95 % band"),
        [
            (name, str(found["length"]), f"{found['ones']:.6f}", f"{found['bias']:+.2e}",
             "" if found["autocorrelation"] is None else f"{found['autocorrelation']:+.2e}", f"{found['band']:.1e}")
            for name, found in ((name, _figures(one)) for name, one in rows)
        ],
    )  # fmt: skip
    typer.echo(f"rate: {result.length / stream.length:.4g} bits out per bit in; written to {output}")


@bits_app.command("test")
def run_tests(
    file: File,
    suite: Annotated[str, typer.Option("--suite", help="sp800-22 (for SP 800-90B see `bits entropy`).")] = "sp800-22",
    constants: Annotated[
        str, typer.Option("--constants", help="exact, or sts-2.1.2 to repeat NIST's program and published tables.")
    ] = "exact",
    bits: Count = None,
    form: Form = None,
    sequence_length: Annotated[
        str | None, typer.Option("--sequence-length", metavar="N", help="Cut the bits into sequences of N bits.")
    ] = None,
    sequences: Annotated[
        int | None, typer.Option("--sequences", help="How many of them; by default as many as there are.")
    ] = None,
    tests: Annotated[str | None, typer.Option("--tests", help="Some tests only, as frequency,runs,dft.")] = None,
    significance: Annotated[float, typer.Option("--significance", help="Chance that a test fails good bits.")] = 0.01,
    short: Annotated[
        bool, typer.Option("--short", help="Compute tests below their recommended length too, where possible.")
    ] = False,
    workers: Workers = None,
    every: Annotated[bool, typer.Option("--all", help="Print every p-value, not the worst of each test.")] = False,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Test bits by SP 800-22: fifteen tests, 188 p-values for a sequence of a million bits.

    With --sequence-length the proportion of sequences that pass and the uniformity of the p-values are judged, which
    takes 55 sequences or more. Exit code 0 whatever the verdict.

    Example: mtjspice bits test bits.bin --sequence-length 1e6 --plot tests.png
    """
    from mtjspice.bits.sp800_22.battery import run_sequences
    from mtjspice.bits.sp800_22.settings import CONSTANTS
    from mtjspice.bits.sp800_22.suite import NAMES, run_suite
    from mtjspice.reports import psw as outputs
    from mtjspice.reports import randomness, style

    _check_workers(workers)
    choose("suite", suite, ("sp800-22",))
    choose("set of constants", constants, CONSTANTS)
    outputs.check_outputs(plot, None)
    chosen = NAMES if tests is None else tuple(name.strip() for name in tests.split(","))
    if sequences is not None and sequence_length is None:
        raise InputError("--sequences needs --sequence-length")
    stream = _read(file, form, bits)
    options: dict[str, Any] = {
        "constants": constants, "tests": chosen, "significance": significance, "short": short,
    }  # fmt: skip
    if sequence_length is None:
        found = run_suite(stream, **options)
        _warn_if_constant(stream, file)
        if plot is not None:
            style.save(randomness.figure(found), plot)
        if as_json:
            print_json(found.as_dict())
            return
        print_table(*(randomness.every_table(found) if every else randomness.table(found)))
        typer.echo(randomness.summary(found))
        return
    length = _number(sequence_length, "--sequence-length")
    with show_progress(f"{suite}, sequences of {length} bits") as progress:
        battery = run_sequences(
            stream, length, sequences=sequences, workers=workers, progress=progress, **options
        )  # fmt: skip
    _warn_if_constant(stream, file)
    if plot is not None:
        style.save(randomness.battery_figure(battery), plot)
    if as_json:
        print_json(battery.as_dict())
        return
    print_table(*randomness.battery_table(battery, every))
    typer.echo(randomness.battery_summary(battery))


@bits_app.command()
def entropy(
    file: File,
    bits: Count = None,
    form: Form = None,
    iid: Annotated[bool, typer.Option("--iid", help="Test as well whether the bits are independent (section 5).")] = (
        False
    ),
    permutations: Annotated[int, typer.Option("--permutations", help="Of the tests of --iid.")] = 10_000,
    seed: Seed = 1,
    restart: Annotated[
        str | None,
        typer.Option("--restart", metavar="ROWSxCOLUMNS", help="The file is a matrix of restarts, as 1000x1000."),
    ] = None,
    initial: Annotated[
        float | None, typer.Option("--initial", help="Min-entropy per bit of a long run, for --restart.")
    ] = None,
    workers: Workers = None,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Assess the min-entropy per bit by SP 800-90B: the ten estimators, the IID tests, the restart tests.

    Example: mtjspice bits entropy bits.bin --iid
    """
    from mtjspice.bits.sources.base import check_seed
    from mtjspice.bits.sp800_90b.assessment import assess
    from mtjspice.reports import entropy as report
    from mtjspice.reports import psw as outputs
    from mtjspice.reports import style

    outputs.check_outputs(plot, None)
    _check_workers(workers)
    check_seed(seed)
    if (restart is None) != (initial is None):
        raise InputError("--restart and --initial go together")
    stream = _read(file, form, bits)
    if restart is not None and initial is not None:
        _restart(stream, restart, initial, workers, as_json)
        return
    assessment = assess(stream, workers=workers)
    _warn_if_constant(stream, file)
    independent = None
    if iid:
        from mtjspice.bits.sp800_90b.iid import permutation_tests

        with show_progress("permutation tests") as progress:
            independent = permutation_tests(
                stream, seed=seed, permutations=permutations, workers=workers, progress=progress
            )
    if plot is not None:
        style.save(report.figure({file.name.lstrip("_"): assessment}), plot)
    if as_json:
        print_json({**assessment.as_dict(), **({} if independent is None else {"iid": independent.as_dict()})})
        return
    print_table(*report.table(assessment))
    for note in assessment.notes:
        typer.echo(note)
    if independent is not None:
        typer.echo("")
        print_table(*report.iid_table(independent))
        verdict = "not rejected" if independent.iid else f"rejected by {', '.join(independent.failed)}"
        typer.echo(f"independent and identically distributed: {verdict}")


def _restart(stream: "BitStream", shape: str, initial: float, workers: int | None, as_json: bool) -> None:
    from mtjspice.bits.sp800_90b.restart import restart_tests

    rows, cross, columns = shape.partition("x")
    if not cross:
        raise InputError(f"--restart {shape}: expected ROWSxCOLUMNS, as 1000x1000")
    size = _number(rows, "--restart"), _number(columns, "--restart")
    found = restart_tests(stream, initial, shape=size, workers=workers)
    if as_json:
        print_json(found.as_dict())
        return
    print_table(
        ("test", "value", "limit", "verdict"),
        [
            (f"sanity check: most equal bits in a {found.along}", str(found.largest_count), f"<= {found.cutoff}",
             _verdict(found.sanity_check_passed)),
            ("min-entropy of the rows", f"{found.rows.min_entropy:.6f}", f">= {initial / 2:g}",
             _verdict(found.rows.min_entropy >= initial / 2)),
            ("min-entropy of the columns", f"{found.columns.min_entropy:.6f}", f">= {initial / 2:g}",
             _verdict(found.columns.min_entropy >= initial / 2)),
        ],
    )  # fmt: skip
    for note in found.notes:
        typer.echo(note)
    awarded = "none" if found.min_entropy is None else f"{found.min_entropy:.6f} bit per bit"
    typer.echo(f"min-entropy awarded: {awarded}")


@bits_app.command()
def diagnose(
    file: File,
    bits: Count = None,
    form: Form = None,
    lanes: Annotated[
        int | None, typer.Option("--lanes", help="Devices that take turns, where the file does not say so.")
    ] = None,
    lags: Annotated[int, typer.Option("--lags", help="Of the autocorrelation.")] = 64,
    health: Annotated[
        float | None, typer.Option("--health", metavar="H", help="Run the health tests for this min-entropy per bit.")
    ] = None,
    predictors: Annotated[
        bool, typer.Option("--predictors/--no-predictors", help="Train next-bit predictors, the slowest part.")
    ] = True,
    seed: Seed = 1,
    plot: Plot = None,
    as_json: AsJson = False,
) -> None:
    """Look for what is wrong with bits: bias, drift, memory, alike devices, predictability, generators that were seen.

    Shannon and min-entropy, autocorrelation, Allan deviation, devices against each other, next-bit predictors, linear
    complexity, recovery of shift registers, congruential generators and MT19937, health tests of SP 800-90B.

    Example: mtjspice bits diagnose bits.bin --plot bits.png
    """
    from dataclasses import replace

    from mtjspice.bits.examination import examine
    from mtjspice.bits.sources.base import check_seed
    from mtjspice.reports import examination as report
    from mtjspice.reports import psw as outputs
    from mtjspice.reports import style

    outputs.check_outputs(plot, None)
    check_seed(seed)
    if lags < 1:
        raise InputError(f"--lags {lags} must be at least 1")
    stream = _read(file, form, bits)
    if lanes is not None and not 1 <= lanes <= max(1, stream.length):
        raise InputError(f"--lanes {lanes} must lie between 1 and the number of bits, {stream.length}")
    if lanes is not None:
        stream = replace(stream, lanes=lanes)
    with show_progress("diagnostics") as progress:
        found = examine(
            stream, lags=lags, predictors=predictors, seed=seed, health_entropy=health, progress=progress
        )  # fmt: skip
    if plot is not None:
        style.save(report.figure(found), plot)
    if as_json:
        print_json(found.as_dict())
        return
    print_table(*report.table(found))
    typer.echo("")
    for finding in found.findings():
        typer.echo(f"suspicious: {finding}")
    if not found.findings():
        typer.echo("nothing suspicious found")


# --- what the commands share ---------------------------------------------------------------------------------


def _verdict(passed: bool) -> str:
    return "pass" if passed else "FAIL"


def _number(text: str, where: str) -> int:
    from mtjspice.bits.specifications import whole

    number = whole(text, where)
    if number < 1:
        raise InputError(f"{where} {text} must be at least 1")
    return number


def _read(file: Path, form: str | None, bits: str | None) -> "BitStream":
    from mtjspice.bits import files

    return files.read(file, form, None if bits is None else _number(bits, "--bits"))


def _warn_if_constant(stream: "BitStream", file: Path) -> None:
    """Say what would otherwise hide among many numbers."""
    if stream.length >= _TELLING and stream.ones in (0, stream.length):
        typer.echo(f"mtjspice: warning: all {stream.length} bits of {file} are {min(1, stream.ones)}", err=True)


def _check_workers(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers} must be at least 1")


def _conditioned(stream: "BitStream", extractors: list[str], seed: int) -> "BitStream":
    from mtjspice.bits.extractors.catalogue import open_extractor

    for text in extractors:
        before, stream = stream, open_extractor(text, seed)(stream)
        if not stream.length:
            raise InputError(f"{text} leaves nothing of {before.length} bits, {before.ones} of them ones")
    return stream


def _check_room(bits: int, output: Path, form: str, in_memory: bool) -> None:
    """Refuse what neither the disk nor the memory could hold, before anything is computed."""
    import shutil

    size = bits if form == "ascii" else bits // 8
    if output != STANDARD_OUTPUT and output.parent.is_dir():
        free = shutil.disk_usage(output.parent).free
        if size > free:
            raise InputError(f"{bits} bits take {size / 1e9:.3g} GB, but {output.parent} has {free / 1e9:.3g} GB left")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if (in_memory or form == "npz") and 3 * (bits // 8) > memory:
        raise InputError(
            f"{bits} bits that are conditioned on the way or become a .npz file must fit into the memory of "
            f"{memory / 1e9:.3g} GB three times; write them as binary first"
        )


def _collect(source: "Source", bits: int) -> "BitStream":
    """All bits in memory."""
    import numpy as np

    from mtjspice.bits.stream import BitStream, masked

    packed = masked(np.concatenate(list(_with_progress(source, bits))), bits)
    packed.setflags(write=False)
    return BitStream(packed, bits, source.origin, source.provenance, source.lanes)


def _write(source: "Source", bits: int, output: Path, form: str) -> None:
    from mtjspice.bits import files

    if form == "npz":
        files.write(_collect(source, bits), output, form)
    else:
        files.write_chunks(output, _with_progress(source, bits), bits, source.empty(), form)


def _with_progress(source: "Source", bits: int) -> Any:
    """Chunks that are small enough for slow sources to show how far they are."""
    size = 1 << 20 if source.origin in ("pseudo-random", "emulated", "operating-system") else 16
    done = 0
    with show_progress(f"{source.provenance.get('source', 'bits')}, {bits} bits") as report:
        for chunk in source.chunks(bits, size):
            yield chunk
            done += 8 * chunk.size
            report(min(1.0, done / bits))


def _pipe(source: "Source", bits: int | None, stream: "BitStream | None") -> None:
    """Raw bytes to standard output, for ever if no number is given, until the reader has enough."""
    from itertools import repeat

    out = sys.stdout.buffer
    if stream is not None:
        chunks: Any = [stream.packed]
    elif bits is not None:
        chunks = source.chunks(bits)
    else:
        chunks = (source.read(1 << 16) for _ in repeat(None))
    try:
        for chunk in chunks:
            raise_lost_interrupt()
            out.write(chunk.tobytes())
        out.flush()
    except BrokenPipeError:  # the reader has what it wanted; nothing more may be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _tell_written(output: Path, as_json: bool) -> None:
    from mtjspice.bits import files

    if not output.is_file():  # a pipe or a device: what went there is gone
        if as_json:
            print_json({"output": str(output)})
        return
    stream = files.read(output, verify=False)
    if as_json:
        print_json({
            "output": str(output), "length": stream.length, "ones": stream.ones_fraction, "lanes": stream.lanes,
            "origin": stream.origin, "provenance": dict(stream.provenance),
        })  # fmt: skip
        return
    typer.echo(f"{stream.length} bits ({stream.origin}), {100 * stream.ones_fraction:.4f} % ones, written to {output}")


def _figures(stream: "BitStream") -> dict[str, Any]:
    """Length, ones, bias, autocorrelation at lag 1 and its band."""
    import math

    from mtjspice.bits.diagnostics import autocorrelation

    part = stream[: 1 << 26]  # half a gigabyte unpacked would add nothing
    lag = float(autocorrelation(part, 1)[0]) if part.length > 1 else math.nan
    return {
        "length": stream.length,
        "ones": stream.ones_fraction,
        "bias": stream.ones_fraction - 0.5,
        "autocorrelation": None if math.isnan(lag) else lag,
        "band": 1.959964 / math.sqrt(max(1, part.length)),
    }
