"""Commands about what the bits are for: generative models fed with them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, Seed
from mtjspice.cli.output import print_json, print_table, show_progress, warnings_as_lines
from mtjspice.errors import InputError

if TYPE_CHECKING:
    from mtjspice.generative.gaussian import GaussianSource


@app.command()
def diffusion(
    source: Annotated[
        list[str],
        typer.Option(
            "--source", help="Source of bits, as emulated:fair,p=0.52 or lfsr:16 (see `bits sources`); repeatable."
        ),
    ],
    bits: Annotated[int, typer.Option("--word", help="Bits of a noise word, 1 to 24.")] = 8,
    where: Annotated[str, typer.Option("--where", help="Replace the noise in sampling, in training, or in both.")] = (
        "sampling"
    ),
    images: Annotated[int, typer.Option("--images", help="Images of a draw.")] = 1000,
    draws: Annotated[int, typer.Option("--draws", help="Draws with each source.")] = 3,
    null: Annotated[int, typer.Option("--null", help="Draws with software noise.")] = 4,
    training_seeds: Annotated[int, typer.Option("--training-seeds", help="Models that are trained.")] = 1,
    steps: Annotated[int, typer.Option("--steps", help="Training steps.")] = 3000,
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for figure.png, trials.csv and result.json.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Generate handwritten digits by a diffusion model whose noise is made of bits, and measure what that costs.

    Noise words are normal quantiles of disjoint words of bits. The model (NumPy, 8 x 8 pixels) is trained first; with
    some sources the whole takes a minute or two. Distances stand beside those of several draws with software noise,
    the null. Needs scikit-learn (pip install 'mtjspice[generative]').

    Example: mtjspice diffusion --source emulated:fair --source emulated:fair,p=0.52 --source lfsr:12 --out digits
    """
    from mtjspice.bits.sources.base import check_seed
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.files import output_folder
    from mtjspice.generative.denoiser import Training
    from mtjspice.generative.diffusion_study import Effort, compare
    from mtjspice.generative.gaussian import InverseCdf
    from mtjspice.reports import diffusion as report
    from mtjspice.studies import bit_sources

    check_seed(seed + 2000)

    def maker(text: str) -> "Callable[[int], GaussianSource]":
        return lambda number: InverseCdf(open_source(text, number, bit_sources.KINDS), bits, text)

    if len(set(source)) != len(source):
        raise InputError("each --source may be given once; use --draws for more draws of it")
    effort = Effort(images, draws, null, training_seeds, Training(steps=steps))
    if out is not None:
        output_folder(out)
    with warnings_as_lines():
        for text in source:  # before the model is trained
            maker(text)(seed)
        with show_progress("diffusion") as progress:
            outcome = compare([(text, maker(text)) for text in source], where, effort, seed, progress)
    if out is not None:
        report.write(outcome, out)
    if as_json:
        print_json(outcome.as_dict())
        return
    print_table(report.HEADER, report.rows(outcome))
    for note in report.notes(outcome):
        typer.echo(note)
