"""Packages of Debian, downloaded into a folder by Debian's own tools; nothing is installed, apt's state is not touched.

Environment: ``MTJSPICE_DEBIAN_MIRROR`` names the mirror to take the packages from (default: the one in the system's own
list of package sources).
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from mtjspice.errors import SimulatorError
from mtjspice.files import output_folder
from mtjspice.programs import run_program

MIRROR_VARIABLE = "MTJSPICE_DEBIAN_MIRROR"
RELEASE = "trixie"  # Debian 13
TIME_LIMIT = 600.0  # s for a download
KEYRINGS = (Path("/usr/share/keyrings/debian-archive-keyring.gpg"), Path("/etc/apt/trusted.gpg.d"))

_LOG_LINES = 20


def require_tools(what: str, otherwise: str) -> None:
    """SimulatorError, with what to do ``otherwise``, where apt and dpkg are missing."""
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SimulatorError(f"{program} was not found: {what} comes by Debian's tools. Elsewhere, {otherwise}")


def download(package: str, folder: Path, dependencies: bool = True) -> list[Path]:
    """Let apt fetch a package of Debian's ``RELEASE`` into ``folder``, with all that it needs if so asked.

    Dependencies are those of a system on which nothing is installed. Returns the package files. SimulatorError where no
    mirror is known or the download fails.
    """
    keyring = next((path for path in KEYRINGS if path.exists()), None)
    if keyring is None:
        raise SimulatorError("Debian's archive keys are missing; install the package debian-archive-keyring")
    mirror = _mirror()
    for name in ("lists/partial", "cache/archives/partial", "state", "etc"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    signed = f" [signed-by={keyring}]" if keyring.is_file() else ""
    (folder / "sources.list").write_text(f"deb{signed} {mirror} {RELEASE} main\n", encoding="utf-8")
    configuration = folder / "apt.conf"
    configuration.write_text(_configuration(folder), encoding="utf-8")
    _run(["apt-get", "update"], f"reading the package list of Debian {RELEASE}", configuration)
    action = ["--yes", "--download-only", "install"] if dependencies else ["download"]
    archives = folder / "cache/archives"
    _run(["apt-get", *action, package], f"downloading {package}", configuration, archives)
    packages = sorted(archives.glob("*.deb"))
    if not any(file.name.startswith(f"{package}_") for file in packages):
        raise SimulatorError(f"apt downloaded no {package} from {mirror}")
    return packages


def install(
    package: str, executable: Path, works: Callable[[Path], bool], finish: Callable[[Path, Path], None]
) -> None:
    """Download a package with all that it needs into the folder of ``executable``, which appears whole or not at all.

    ``finish`` gets the folder of the unpacked files and the executable, and writes the executable's start script beside
    the folder; ``works`` tells whether an executable that is there already runs. SimulatorError where the download
    fails, InputError where the folder cannot be written to.
    """
    cache = output_folder(executable.parent.parent)
    with tempfile.TemporaryDirectory(dir=cache, prefix=f".{package}-") as temporary:
        folder = Path(temporary)
        packages = download(package, folder)
        root = folder / "ready" / "root"
        root.mkdir(parents=True)
        for file in packages:
            unpack(file, root)
        finish(root, executable)
        _put_in_place(folder / "ready", executable, works)


def _put_in_place(ready: Path, executable: Path, works: Callable[[Path], bool]) -> None:
    """Rename the folder to its place; where another process was faster, its result is as good."""
    target = executable.parent
    if target.exists() and not works(executable):
        shutil.rmtree(target)  # a broken one
    try:
        ready.rename(target)
    except OSError as error:
        if not target.exists():
            raise SimulatorError(f"cannot write {target}: {error.strerror or error}") from None


def unpack(package: Path, folder: Path) -> None:
    """Write the files of a package file below ``folder``; SimulatorError where that fails."""
    _run(["dpkg-deb", "--extract", str(package), str(folder)], f"unpacking {package.name}")


def _mirror() -> str:
    """Return the address of a Debian mirror: the user's, else the first that apt's own sources name."""
    asked = os.environ.get(MIRROR_VARIABLE)
    if asked:
        return asked
    question = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    for line in _run(question, "reading the list of package sources").splitlines():
        address, _, release = line.partition(" ")
        if re.search(r"/debian/?$", address) and re.fullmatch(r"[a-z]+", release):
            return address
    raise SimulatorError(f"the system's package sources name no Debian mirror; set {MIRROR_VARIABLE} to one")


def _configuration(folder: Path) -> str:
    """Return an apt configuration that keeps everything in ``folder``.

    Of the system's own it takes how to fetch (a proxy, say) and the architecture, not its hooks.
    """
    options = {
        "Dir::Etc::Main": "/dev/null",
        "Dir::Etc::Parts": "/dev/null",
        "Dir::Etc::SourceList": folder / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::Status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Log": folder / "log",
        "APT::Sandbox::User": "root",  # the folder may be closed to apt's own user
        "APT::Install-Recommends": "false",
        "Debug::NoLocking": "true",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    dump = _run(["apt-config", "dump"], "reading the configuration of apt").splitlines()
    kept = [line for line in dump if re.match(r"(Acquire::(?!Languages|Retries)|APT::Architecture )", line)]
    return "\n".join([*kept, *(f'{key} "{value}";' for key, value in options.items())]) + "\n"


def _run(command: list[str], what: str, configuration: Path | None = None, folder: Path | None = None) -> str:
    environment = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    if configuration is not None:
        environment["APT_CONFIG"] = str(configuration)
    code, printed = run_program(command, TIME_LIMIT, environment, folder)
    if code:
        lines = printed.splitlines()
        first = next((line for line in lines if line.startswith("E:")), f"exit code {code}")
        raise SimulatorError(f"{what} failed: {first}", lines[-_LOG_LINES:])
    return printed
