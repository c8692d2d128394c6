"""Commands about what the bits are for: generative models fed with them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, Seed
from mtjspice.cli.output import conclude, show_progress, warnings_as_lines
from mtjspice.errors import InputError, choose

if TYPE_CHECKING:
    from mtjspice.generative.gaussian import GaussianSource
    from mtjspice.generative.subject import Subject

_SEEDS = 2000  # that a study takes beyond the one that is given
_PICTURES = ("cifar-10", "celeba-hq")  # the user's own


@app.command()
def diffusion(
    source: Annotated[
        list[str],
        typer.Option(
            "--source", help="Source of bits, as emulated:fair,p=0.52 or lfsr:16 (see `bits sources`); repeatable."
        ),
    ],
    encoding: Annotated[
        list[str] | None,
        typer.Option(
            "--encoding",
            help="How bits become noise, as inverse-cdf:8 or tree:8,dp=0.01 (see `words list`); repeatable.",
        ),
    ] = None,
    data: Annotated[str, typer.Option("--data", help="digits, fashion, or your own cifar-10 or celeba-hq.")] = "digits",
    where: Annotated[str, typer.Option("--where", help="Replace the noise in sampling, in training, or in both.")] = (
        "sampling"
    ),
    images: Annotated[int, typer.Option("--images", help="Images of a draw.")] = 1000,
    draws: Annotated[int, typer.Option("--draws", help="Draws with each source.")] = 3,
    null: Annotated[int, typer.Option("--null", help="Draws with software noise.")] = 4,
    training_seeds: Annotated[int, typer.Option("--training-seeds", help="Models that are trained.")] = 1,
    steps: Annotated[
        int | None,
        typer.Option("--steps", help="Training steps; without it, the model that comes with mtjspice if it will do."),
    ] = None,
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for figure.png, trials.csv and result.json.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Generate images by a diffusion model whose noise is made of bits, and measure what that costs.

    Every source is used with every encoding; without one, noise words are normal quantiles of 8 bits. Distances stand
    beside those of several draws with software noise, the null. Models come with mtjspice; they are trained anew where
    the noise of the training is replaced, for further --training-seeds, and with --steps. Digits need scikit-learn,
    the others PyTorch (pip install 'mtjspice[generative]') and their data (mtjspice data list).

    Example: mtjspice diffusion --source emulated:fair --source emulated:fair,p=0.52 --source lfsr:12 --out digits
    """
    from mtjspice.bits.sources.base import MAX_SEED
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.files import output_folder
    from mtjspice.generative.diffusion_study import Effort, compare
    from mtjspice.generative.encodings.catalogue import open_noise
    from mtjspice.reports import diffusion as report
    from mtjspice.studies import bit_sources

    if not 0 <= seed <= MAX_SEED - _SEEDS:
        raise InputError(f"--seed is 0 to {MAX_SEED - _SEEDS} here (draws have seeds of their own), not {seed}")
    encodings = encoding or ["inverse-cdf:8"]

    def maker(bits: str, words: str) -> "Callable[[int], GaussianSource]":
        return lambda number: open_noise(words, open_source(bits, number, bit_sources.KINDS), number)

    if len(set(source)) != len(source) or len(set(encodings)) != len(encodings):
        raise InputError("each --source and --encoding may be given once; use --draws for more draws")
    makers = [
        (bits if encoding is None else f"{bits} {words}", maker(bits, words)) for bits in source for words in encodings
    ]
    effort = Effort(images, draws, null, training_seeds)
    if out is not None:
        output_folder(out)
    with warnings_as_lines():
        for _, make in makers:  # before anything is loaded or trained
            make(seed)
        subject = _subject(data, steps)
        with show_progress("diffusion") as progress:
            outcome = compare(makers, where, effort, seed, progress, subject)
    conclude(outcome, report, out, as_json)


def _subject(data: str, steps: int | None) -> "Subject":
    """What is generated, by the shipped model or by one that is trained for ``steps``."""
    choose("data", data, ("digits", "fashion", *_PICTURES))
    if data == "digits":
        from mtjspice.generative.denoiser import Training
        from mtjspice.generative.digits_subject import DigitsSubject

        return DigitsSubject(None if steps is None else Training(steps=steps))
    from mtjspice.generative.torch_threads import require_torch

    require_torch(f"the model of {data}")
    from mtjspice.generative.fashion_subject import FashionSubject
    from mtjspice.generative.images.denoiser import ImageTraining
    from mtjspice.generative.pictures_subject import PicturesSubject

    training = None if steps is None else ImageTraining(steps=steps)
    return FashionSubject(training) if data == "fashion" else PicturesSubject(data, training)
