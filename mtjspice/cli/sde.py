"""The command about neural SDEs: noise added to a network's output, or drawn in its weights."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson, Seed
from mtjspice.cli.output import print_json, print_table, show_progress, warnings_as_lines
from mtjspice.errors import InputError, choose

if TYPE_CHECKING:
    from mtjspice.bits.sources.base import Source
    from mtjspice.generative.sde.pairs import PairImperfections

_CASES = ("gaussian", "latents", "regression")


@app.command()
def sde(
    source: Annotated[
        list[str],
        typer.Option(
            "--source", help="Source of bits, as emulated:fair,p=0.45 or lfsr:16 (see `bits sources`); repeatable."
        ),
    ],
    case: Annotated[str, typer.Option("--case", help="gaussian, latents or regression.")] = "latents",
    where: Annotated[str, typer.Option("--where", help="Bits in-situ (P-bits), ex-situ (noise words), or both.")] = (
        "both"
    ),
    images: Annotated[int, typer.Option("--images", help="Images or samples of a draw; passes at each x.")] = 1000,
    draws: Annotated[int, typer.Option("--draws", help="Draws with each source.")] = 3,
    null: Annotated[int, typer.Option("--null", help="Draws with software noise.")] = 3,
    steps: Annotated[int, typer.Option("--steps", help="Steps of the reverse SDE; latents have 20.")] = 20,
    training_steps: Annotated[
        int | None,
        typer.Option("--training-steps", help="Of networks that are trained here: gaussian, regression."),
    ] = None,
    keep_spread: Annotated[float, typer.Option("--keep-spread", help="Spread of q between P-bits.")] = 0.0,
    read_error: Annotated[float, typer.Option("--read-error", help="Probability that a P-bit acts inverted.")] = 0.0,
    memory: Annotated[float, typer.Option("--memory", help="Correlation of a P-bit's consecutive states.")] = 0.0,
    conductance_spread: Annotated[
        float, typer.Option("--conductance-spread", help="Relative spread of the junctions' conductance.")
    ] = 0.0,
    stuck: Annotated[float, typer.Option("--stuck", help="Fraction of P-bits that never change.")] = 0.0,
    tmr: Annotated[float, typer.Option("--tmr", help="Magnetoresistance of the pairs, 0.65 for 65 %.")] = 0.65,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Also each imperfection alone, at several sizes (latents, regression).")
    ] = False,
    parallel: Annotated[int, typer.Option("--parallel", help="Weights that work at once, for speed (latents).")] = 64,
    seed: Seed = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for figures, trials.csv and result.json.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a reverse diffusion whose noise is drawn in the weights (drop-connect), and measure what the P-bits cost.

    latents makes Fashion-MNIST images with networks that come with mtjspice; gaussian has mixtures of known score;
    regression learns a mean and a scatter. Ex situ, noise words of 8 bits are added. Bits of a source are handed out
    weight by weight, pass by pass. Needs PyTorch (pip install 'mtjspice[generative]'); latents also
    `mtjspice data fetch fashion-mnist`.

    Example: mtjspice sde --source emulated:fair --source emulated:fair,p=0.45 --sweep --out sde
    """
    from mtjspice.bits.sources.base import check_seed
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.files import output_folder
    from mtjspice.generative.sde.outcome import WHERE
    from mtjspice.generative.sde.pairs import PairImperfections
    from mtjspice.studies import bit_sources

    choose("case", case, _CASES)
    choose("place of the noise", where, WHERE)
    check_seed(seed + draws)
    if len(set(source)) != len(source):
        raise InputError("each --source may be given once; use --draws for more draws of it")
    flaws = PairImperfections(
        keep_spread=keep_spread, conductance_spread=conductance_spread, tmr=tmr, read_error=read_error, memory=memory,
        stuck=stuck, seed=seed,
    )  # fmt: skip
    if out is not None:
        output_folder(out)

    def maker(text: str) -> "Callable[[int], Source]":
        return lambda number: open_source(text, number, bit_sources.KINDS)

    sources = [(text, maker(text)) for text in source]
    with warnings_as_lines():
        for _, make in sources:  # before anything is trained
            make(seed)
        if case == "latents":
            result = _latents(sources, where, (images, draws, null), steps, flaws, sweep, parallel, seed, out, as_json)
        elif case == "gaussian":
            result = _gaussian(sources, where, (images, draws, null), steps, training_steps, flaws, seed, out, as_json)
        else:
            result = _regression(sources, where, images, training_steps, flaws, sweep, seed, out, as_json)
    if as_json:
        print_json(result)


_Sources = list[tuple[str, "Callable[[int], Source]"]]


def _latents(
    sources: _Sources, where: str, effort: tuple[int, int, int], steps: int, flaws: "PairImperfections", sweep: bool,
    parallel: int, seed: int, out: Path | None, quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    from mtjspice.generative.sde import cost, latent_study
    from mtjspice.generative.sde.outcome import Effort
    from mtjspice.generative.sde.samplers import ExSitu, InSitu
    from mtjspice.generative.sde.transitions import STEPS
    from mtjspice.reports import sde as report

    if steps != STEPS:
        raise InputError(f"the networks of the latents have {STEPS} steps, not {steps}; --case gaussian trains others")
    model = InSitu.shipped()
    demand = cost.Demand(model.network.pbits, STEPS, ExSitu.shipped().numbers)
    costs = cost.table(demand, parallel)
    variations = latent_study.flaw_sweep() if sweep else ()
    with show_progress("latents") as progress:
        outcome = latent_study.compare(sources, Effort(*effort), where, flaws, seed, variations, progress)
    if out is not None:
        report.write_latents(outcome, costs, out)
    if not quiet:
        print_table(*report.latent_table(outcome))
        _echo(report.latent_notes(outcome))
        print_table(*report.cost_table(costs))
        _echo(report.cost_notes(costs))
    return {**outcome.as_dict(), "cost": costs}


def _gaussian(
    sources: _Sources, where: str, effort: tuple[int, int, int], steps: int, training_steps: int | None,
    flaws: "PairImperfections", seed: int, out: Path | None, quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    from mtjspice.generative.sde import gaussian_study
    from mtjspice.generative.sde.outcome import Effort
    from mtjspice.reports import sde as report

    chosen = gaussian_study.Settings(steps)
    if training_steps is not None:
        chosen = gaussian_study.Settings(steps, training_steps)
    with show_progress("known score") as progress:
        outcome = gaussian_study.compare(sources, Effort(*effort), where, flaws, seed, chosen, progress=progress)
    if out is not None:
        report.write_gaussian(outcome, out)
    if not quiet:
        for table in report.gaussian_tables(outcome):
            print_table(*table)
        _echo(report.gaussian_notes(outcome))
    return outcome.as_dict()


def _regression(
    sources: _Sources, where: str, passes: int, training_steps: int | None, flaws: "PairImperfections", sweep: bool,
    seed: int, out: Path | None, quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    from dataclasses import asdict

    from mtjspice.generative.sde import regression
    from mtjspice.reports import sde as report

    if where == "ex-situ":
        raise InputError("a regression by drop-connect has its randomness in situ; leave --where out")
    settings = regression.Settings(passes=passes)
    if training_steps is not None:
        settings = regression.Settings(training_steps=training_steps, passes=passes)
    variations = regression.flaw_sweep() if sweep else ()
    with show_progress("regression") as progress:
        found = regression.compare(sources, settings, flaws, seed, variations, progress)
    configuration = {"settings": asdict(settings), "pairs": asdict(flaws), "seed": seed}
    if out is not None:
        report.write_regression(found, configuration, out)
    if not quiet:
        print_table(*report.regression_table(found))
    return report.regression_dict(found, configuration)


def _echo(lines: tuple[str, ...]) -> None:
    for line in lines:
        typer.echo(line)
