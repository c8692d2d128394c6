"""Where the data folders ``models``, ``netlists`` and ``layouts`` are.

In a wheel they lie inside the package (``mtjspice/data``); in a checkout they stand at its top level.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path

from mtjspice.errors import MtjspiceError

FOLDERS = ("models", "netlists", "layouts")


def data(folder: str) -> Traversable:
    """Return one of the data folders as a Traversable."""
    package = files("mtjspice")
    installed = package / "data" / folder
    if installed.is_dir():
        return installed
    checkout = Path(str(package)).parent / folder
    if folder in FOLDERS and checkout.is_dir():
        return checkout
    raise MtjspiceError(f"the data folder {folder!r} is missing from this installation of mtjspice")


@contextmanager
def as_path(name: str) -> Iterator[Path]:
    """A file of a data folder, as ``models/networks/NAME.npz``, on the file system; MtjspiceError if it is missing."""
    folder, _, rest = name.partition("/")
    found = data(folder).joinpath(rest)
    if not found.is_file():
        raise MtjspiceError(f"the data file {name} is missing from this installation of mtjspice")
    with as_file(found) as path:
        yield path
