"""The command about generative adversarial networks: latents from bits, and duplicates among the images."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, Seed
from mtjspice.cli.output import print_json, print_table, show_progress, warnings_as_lines
from mtjspice.errors import InputError

if TYPE_CHECKING:
    from mtjspice.generative.gan.latent_sets import Floats, Pattern


@app.command()
def gan(
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", help="Source of bits, as emulated:fair,p=0.52 or lfsr:16 (see `bits sources`); repeatable."
        ),
    ] = None,
    generator: Annotated[
        str,
        typer.Option(
            "--generator",
            help="faces, fashion (ten classes), or module:function, a function of yours from NumPy latents (n, d) to "
            "images (n, channels, height, width).",
        ),
    ] = "faces",
    latent_size: Annotated[
        int | None, typer.Option("--latent-size", help="Numbers of a latent of your function.")
    ] = None,
    images: Annotated[int, typer.Option("--images", help="Images of a draw.")] = 1000,
    word: Annotated[int, typer.Option("--word", help="Bits of a number of a latent, 1 to 24.")] = 8,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--pattern",
            help="How bits become latents: free (by default), reseed:K before each image from K random bits, slide by "
            "one bit an image, overlap (a word read at each bit); repeatable.",
        ),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Draws with each source.")] = 1,
    null: Annotated[int, typer.Option("--null", help="Draws with software noise, which calibrate the threshold.")] = 3,
    rate: Annotated[float, typer.Option("--rate", help="Fraction of near duplicates that the null shall have.")] = 0.01,
    lfsr_sweep: Annotated[
        bool,
        typer.Option(
            "--lfsr-sweep", help="Also registers of 8 to 20 stages, and one of 16 reseeded from 8 to 16 bits."
        ),
    ] = False,
    seed: Seed = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for figure.png, samples.png, trials.csv, result.json."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Generate images by a GAN whose latents are made of bits, and count near duplicates among them.

    Images are compared by LPIPS. The threshold of a near duplicate is calibrated on software noise, the null. For a
    conditional generator pairs are counted class by class, too, and the largest ratio of all classes is held against
    the largest one by chance. Few duplicates do not mean that bits cannot be predicted. 1,000 faces take some ten
    seconds. Needs PyTorch (pip install 'mtjspice[generative]') and data: `mtjspice data fetch lpips` and `... faces`.

    Example: mtjspice gan --source emulated:fair --source lfsr:12 --source lfsr:32 --out faces
    """
    from mtjspice.bits.sources.base import MAX_SEED
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.files import output_folder
    from mtjspice.generative.gan.bench import Bench
    from mtjspice.generative.gan.generators import open_generator
    from mtjspice.generative.gan.latent_sets import Pattern, expected_distinct, from_bits
    from mtjspice.generative.gan.outcome import Effort
    from mtjspice.generative.gan.register_sweep import Point, register_sweep
    from mtjspice.generative.gan.study import calibrate, compare
    from mtjspice.reports import gan as report
    from mtjspice.studies import bit_sources

    effort = Effort(images, draws, null, rate)
    if not 0 <= seed <= MAX_SEED - draws:
        raise InputError(f"--seed is 0 to {MAX_SEED - draws} here (draws have seeds of their own), not {seed}")
    texts = source or []
    patterns = [Pattern.parse(text) for text in pattern or ["free"]]
    if not texts and not lfsr_sweep:
        raise InputError("there is nothing to study; give --source (see `mtjspice bits sources`), --lfsr-sweep or both")
    if len(set(texts)) != len(texts) or len(set(patterns)) != len(patterns):
        raise InputError("each --source and --pattern may be given once; use --draws for more draws of it")

    def maker(text: str, used: "Pattern") -> "Callable[[int, int, int], Floats]":
        return lambda number, count, size: from_bits(
            text, used, count, size, word, number, lambda name, start: open_source(name, start, bit_sources.KINDS)
        )

    cases = {text if len(patterns) == 1 and used.kind == "free" else f"{text} {used}": (text, used)
             for text in texts for used in patterns}  # fmt: skip
    if out is not None:
        output_folder(out)
    with warnings_as_lines():
        for text, used in cases.values():  # before anything is generated
            maker(text, used)(seed, 2, 1)
        bench = Bench(open_generator(generator, latent_size))
        with show_progress("null") as progress:
            good = calibrate(bench, effort, seed, progress)
        outcome, points = None, list[Point]()
        if cases:
            size = bench.generator.latent_size
            known = {
                label: found
                for label, case in cases.items()
                if (found := expected_distinct(*case, images, size, word)) is not None
            }
            provenance: dict[str, dict[str, str | int | float]] = {
                label: {"source": text, "pattern": str(used), "word": word} for label, (text, used) in cases.items()
            }
            sources = [(label, maker(*case)) for label, case in cases.items()]
            with show_progress("sources") as progress:
                outcome = compare(sources, bench, effort, seed, known, provenance, good, progress)
        if lfsr_sweep:
            with show_progress("registers") as progress:
                points += register_sweep(bench, effort, word, seed, null=good, progress=progress)
    if out is not None:
        report.write(outcome, points, out)
    if as_json:
        print_json(report.as_dict(outcome, points))
        return
    for header, rows in report.tables(outcome, points):
        print_table(header, rows)
    for note in report.notes(outcome):
        typer.echo(note)
