"""Sampling from a language model with random bits."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, Seed
from mtjspice.cli.output import conclude, show_progress, warnings_as_lines
from mtjspice.errors import InputError

if TYPE_CHECKING:
    from mtjspice.bits.sources.base import Source


@app.command()
def tokens(
    source: Annotated[
        list[str],
        typer.Option(
            "--source", help="Source of bits, as emulated:fair,p=0.52 or lfsr:16 (see `bits sources`); repeatable."
        ),
    ],
    sampler: Annotated[
        str, typer.Option("--sampler", help="inverse-cdf:BITS, gumbel:BITS (BITS: of a word), or interval.")
    ] = "inverse-cdf:16",
    texts: Annotated[int, typer.Option("--texts", help="Texts that are written.")] = 256,
    length: Annotated[int, typer.Option("--length", help="Characters of a text.")] = 100,
    contexts: Annotated[int, typer.Option("--contexts", help="Places at which tokens are counted.")] = 16,
    repeats: Annotated[int, typer.Option("--repeats", help="Tokens that are counted at a place.")] = 400,
    prompt: Annotated[str, typer.Option("--prompt", help="What the texts begin with.")] = "The ",
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for figure.png, trials.csv, texts.txt and result.json.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write text with a small language model whose tokens are drawn with bits of a source, and measure what is wrong.

    The model knows characters; it comes with mtjspice. Exact sampling has no excess surprise; the table says how far
    from that a source is, in bits a token and in standard errors, and how many bits a token takes.

    Example: mtjspice tokens --source emulated:fair --source emulated:fair,p=0.52 --sampler gumbel:8 --out tokens
    """
    from mtjspice.bits.sources.base import check_seed
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.files import output_folder
    from mtjspice.generative.tokens.samplers import open_sampler
    from mtjspice.generative.tokens.study import TokenEffort, compare
    from mtjspice.reports import tokens as report
    from mtjspice.studies import bit_sources

    check_seed(seed)

    def maker(text: str) -> "Callable[[int], Source]":
        return lambda number: open_source(text, number, bit_sources.KINDS)

    if len(set(source)) != len(source):
        raise InputError("each --source may be given once")
    chosen = open_sampler(sampler)
    effort = TokenEffort(texts, length, contexts, repeats, prompt)
    if out is not None:
        output_folder(out)
    with warnings_as_lines():
        for text in source:  # before anything is computed
            maker(text)(seed)
        with show_progress("tokens") as progress:
            outcome = compare([(text, maker(text)) for text in source], chosen, effort, seed, progress)
    conclude(outcome, report, out, as_json)
