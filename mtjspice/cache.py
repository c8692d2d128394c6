"""The folder where things are kept that can be had again: compiled models, private programs, fetched data.

It is ``MTJSPICE_CACHE`` if set, else ``$XDG_CACHE_HOME/mtjspice``, else ``~/.cache/mtjspice``.
"""

import os
from pathlib import Path

from mtjspice.errors import InputError

CACHE_VARIABLE = "MTJSPICE_CACHE"


def cache_folder() -> Path:
    """Return the folder; it need not exist yet. InputError without a home directory and without the variable."""
    asked = os.environ.get(CACHE_VARIABLE)
    if asked:
        return Path(asked).absolute()
    general = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(general) if general else Path.home() / ".cache") / "mtjspice"
    except RuntimeError:  # no home directory
        raise InputError(f"there is no home directory for a cache; set {CACHE_VARIABLE} to a folder") from None
