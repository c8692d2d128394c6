"""Where the data folders ``models``, ``netlists`` and ``layouts`` are.

In a wheel they lie inside the package (``mtjspice/data``); in a checkout they stand at its top level.
"""

from importlib.resources import files
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
