"""The command that attacks a source of bits through the images that were made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, Seed
from mtjspice.cli.output import conclude, show_progress, warnings_as_lines
from mtjspice.errors import InputError

if TYPE_CHECKING:
    from mtjspice.bits.sources.base import Source
    from mtjspice.generative.gan.lpips import Lpips

_ALL = ("inversion", "brute-force", "prediction")


@app.command()
def attack(
    source: Annotated[
        list[str],
        typer.Option(
            "--source",
            help="Source of bits, as lfsr:32 or mt19937 (see `bits sources`); with an extractor, as "
            "emulated:fair,p=0.6+xor:3; started anew before each image from K random bits, as lfsr:16+reseed:K; "
            "repeatable.",
        ),
    ],
    generator: Annotated[
        str,
        typer.Option(
            "--generator", help="faces, fashion, or a function of yours from torch tensors to images, module:function."
        ),
    ] = "faces",
    latent_size: Annotated[
        int | None, typer.Option("--latent-size", help="Numbers of a latent: of your function, or of --attack words.")
    ] = None,
    images_seen: Annotated[
        str, typer.Option("--images-seen", help="Numbers of images that the attacker sees, as 1,4.")
    ] = "1,4",
    future: Annotated[int, typer.Option("--future", help="Later images to predict.")] = 3,
    word: Annotated[int, typer.Option("--word", help="Bits of a number of a latent, 1 to 24.")] = 8,
    channel: Annotated[str, typer.Option("--channel", help="How images are published: png, or jpeg:QUALITY.")] = "png",
    kind: Annotated[
        str,
        typer.Option(
            "--attack",
            help="inversion (images to bits to the source), brute-force (of seeds), prediction (of each next bit), all "
            "of these, or words (as inversion, but the latents are known).",
        ),
    ] = "all",
    diversity: Annotated[
        int, typer.Option("--diversity", help="Images among which near duplicates are counted, 200 or more; 0: none.")
    ] = 0,
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for figure.png, images.png, trials.csv and result.json.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Attack a source of bits through images that a GAN made of them, and predict the later ones.

    The attacker sees images of 256 levels and knows the generator, the kind of source and how bits become latents, but
    no bit and no seed. An image is inverted to its latent, that is rounded to bits, and the state behind them is
    looked for: a shift register's, MT19937's, a congruential generator's, or a short seed. An image of faces takes
    some ten seconds. That an attack fails does not mean that a source is secure. Needs PyTorch
    (pip install 'mtjspice[generative]') and data: `mtjspice data fetch faces`, and `... lpips` to compare images.

    Example: mtjspice attack --source lfsr:16 --source emulated:fair --images-seen 1 --out attacked
    """
    from mtjspice.bits.sources.base import check_seed
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.errors import choose
    from mtjspice.files import output_folder
    from mtjspice.generative.attack.observed import Channel
    from mtjspice.generative.attack.outcome import Effort
    from mtjspice.generative.attack.study import study
    from mtjspice.generative.attack.victim import Plan, Victim
    from mtjspice.reports import attack as report
    from mtjspice.studies import bit_sources

    def opener(text: str, start: int) -> "Source":
        return open_source(text, start, bit_sources.KINDS)

    check_seed(seed)
    choose("attack", kind, ("all", "words", *_ALL))
    if len(set(source)) != len(source):
        raise InputError("each --source may be given once")
    parts = [part.strip() for part in images_seen.split(",")]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(f"--images-seen takes whole numbers, as 1,4, not {images_seen!r}")
    effort = Effort(tuple(int(part) for part in parts), future, word, Channel.parse(channel), diversity=diversity)
    plans = {text: Plan.parse(text) for text in source}
    if out is not None:
        output_folder(out)
    with warnings_as_lines():
        for plan in plans.values():  # before anything is generated
            plan.latents(2, 1, word, seed, opener)
        if kind == "words":
            size = 100 if latent_size is None else latent_size
            with show_progress("attack") as progress:
                outcome = study(plans, effort, ["words"], latent_size=size, seed=seed, opener=opener, progress=progress)
        else:
            from mtjspice.generative.attack.decoder import open_decoder
            from mtjspice.generative.attack.diversity import near_duplicates

            decoder = open_decoder(generator, latent_size)
            for plan in plans.values():  # a recording may be too short
                Victim.of(plan, effort.images, decoder.latent_size, word, seed, opener)
            lpips = _lpips(required=diversity > 0)
            near = {}
            if diversity:
                with show_progress("near duplicates") as progress:
                    near = near_duplicates(decoder, plans, diversity, word, seed, lpips, opener, progress)
            attacks = _ALL if kind == "all" else (kind,)
            with show_progress("attack") as progress:
                outcome = study(plans, effort, attacks, decoder, None, seed, opener, lpips, near, progress)
    if not outcome.trials:
        raise InputError(f"the attack {kind} does not apply to these sources; brute-force needs +reseed:K")
    conclude(outcome, report, out, as_json)


def _lpips(required: bool) -> "Lpips | None":
    """LPIPS, or None where its data are missing and not ``required``."""
    from mtjspice.generative.gan.lpips import Lpips

    try:
        return Lpips()
    except InputError:
        if required:
            raise
        return None
