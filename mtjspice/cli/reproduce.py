"""The command that reproduces the papers."""

from pathlib import Path
from typing import Annotated

import typer

from mtjspice.cli.app import app
from mtjspice.cli.options import AsJson
from mtjspice.cli.output import print_json, print_table, show_progress, warnings_as_lines
from mtjspice.errors import SimulatorError, choose

ALL = "all"


@app.command()
def reproduce(
    paper: Annotated[str, typer.Argument(help="meram, pbit, stt-trng, or all.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer trials: all papers in under ten minutes.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="One experiment (see --list), as energy; repeatable.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the experiments and stop.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random, 1 to 2147483647.")] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Keep sections that are there and still hold.")] = False,
    workers: Annotated[int, typer.Option("--workers", help="Experiments at a time.", min=1)] = 2,
    out: Annotated[Path, typer.Option("--out", help="Folder for pages, figures, data and sections.")] = (
        Path("mtjspice-papers")
    ),
    as_json: AsJson = False,
) -> None:
    """Reproduce papers and question them: what each claims, what comes out here, and why the two differ.

    Every finished section is stored at once; pages are made of what is there. Some experiments need PyTorch, KLayout or
    fetched data; without them they are left out, and the page says so.

    Example: mtjspice reproduce all --quick --out papers

    Example: mtjspice reproduce meram --only gaussian --only energy --out papers
    """
    from mtjspice.files import output_folder
    from mtjspice.papers import runner
    from mtjspice.papers.catalogue import PAPERS

    choose("paper", paper, (*PAPERS, ALL))
    papers = tuple(PAPERS) if paper == ALL else (paper,)
    tasks = runner.chosen(papers, only or ())
    if listed:
        rows = [
            (f"{one.key}/{each.key}", f"{each.minutes[0]:g} / {each.minutes[1]:g}", each.title) for one, each in tasks
        ]
        print_table(("experiment", "minutes, quick / full", "about"), rows)
        return
    from mtjspice.papers import pages  # matplotlib

    output_folder(out)
    with warnings_as_lines(), show_progress("reproducing") as bar:
        try:
            report = runner.reproduce(
                tasks, out, quick=quick, seed=seed, resume=resume, workers=workers,
                progress=lambda done, name: bar(done),
            )  # fmt: skip
        except KeyboardInterrupt:
            typer.echo(f"mtjspice: finished sections are stored in {out}; --resume goes on and writes pages", err=True)
            raise
    written = pages.write(out)
    if as_json:
        print_json(runner.summary(tasks, out))
    else:
        print_table(("experiment", "status", "finding"), pages.lines(tasks, out))
        for name, reason in {**report.left_out, **report.failed}.items():
            typer.echo(f"{name}: {'failed, ' if name in report.failed else 'left out, '}{reason}")
        typer.echo(f"pages: {', '.join(map(str, written))}")
    if report.failed:
        raise SimulatorError(f"{len(report.failed)} of {len(tasks)} experiments failed: {', '.join(report.failed)}")
