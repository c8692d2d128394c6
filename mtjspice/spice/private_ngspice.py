"""An ngspice that loads compiled Verilog-A (OSDI), where the system's own does not.

On Debian and its derivatives apt downloads the ngspice of a later Debian release, with every library that it needs,
into the cache folder; nothing is installed, and apt's own state is not touched. The program runs on its own C library
through its own loader, so it is a separate executable for batch runs: it cannot be loaded into another process.

Environment: ``MTJSPICE_OSDI_NGSPICE`` names an ngspice with OSDI, ``MTJSPICE_DEBIAN_MIRROR`` the mirror to take the
packages from (default: the one in the system's own list of package sources).
"""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from mtjspice.errors import SimulatorError
from mtjspice.files import output_folder
from mtjspice.spice import engines
from mtjspice.spice.compile import cache_folder
from mtjspice.spice.engines import Tool
from mtjspice.spice.programs import run_program

OSDI_NGSPICE_VARIABLE = "MTJSPICE_OSDI_NGSPICE"
MIRROR_VARIABLE = "MTJSPICE_DEBIAN_MIRROR"
INSTALL_COMMAND = "mtjspice doctor --install osdi-ngspice"
RELEASE = "trixie"  # Debian 13: ngspice 44.2
TIME_LIMIT = 600.0  # s for a download
KEYRINGS = (Path("/usr/share/keyrings/debian-archive-keyring.gpg"), Path("/etc/apt/trusted.gpg.d"))

_LOG_LINES = 20
_PROBE = "question\n.control\nosdi {folder}/none.osdi\necho mtjspice was answered\nquit 0\n.endc\n.end\n"
_WRAPPER = """\
#!/bin/sh
# ngspice on the libraries that were downloaded with it
here='{root}'
SPICE_LIB_DIR="$here/usr/share/ngspice" SPICE_SCRIPTS="$here/usr/share/ngspice/scripts"
export SPICE_LIB_DIR SPICE_SCRIPTS
exec "$here/{loader}" --library-path "{libraries}" "$here/usr/bin/ngspice" "$@"
"""


def find_osdi_ngspice() -> Path:
    """Return an ngspice with OSDI: ``MTJSPICE_OSDI_NGSPICE``, else the usual one if it has OSDI, else the private one.

    Raises SimulatorError with the command that installs one.
    """
    asked = os.environ.get(OSDI_NGSPICE_VARIABLE)
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise SimulatorError(f"{OSDI_NGSPICE_VARIABLE} is {asked!r}, which is no executable file")
        if not has_osdi(Path(found).absolute()):
            raise SimulatorError(f"{OSDI_NGSPICE_VARIABLE} is {asked!r}, an ngspice without OSDI")
        return Path(found).absolute()
    with suppress(SimulatorError):
        usual = engines.find_ngspice()
        if has_osdi(usual):
            return usual
    private = private_ngspice()
    if private.is_file() and has_osdi(private):
        return private
    raise SimulatorError(
        f"no ngspice with OSDI (43 or later) was found, which Verilog-A needs; install one with: {INSTALL_COMMAND}"
    )


def private_ngspice() -> Path:
    """Return where the private ngspice is, or would be."""
    return cache_folder() / f"ngspice-{RELEASE}" / "ngspice"


@cache
def has_osdi(ngspice: Path) -> bool:
    """Return whether an ngspice runs a netlist and knows the command ``osdi``; asked once in a process."""
    with tempfile.TemporaryDirectory(prefix="mtjspice-") as folder:
        deck = Path(folder) / "ask.cir"
        deck.write_text(_PROBE.format(folder=folder), encoding="utf-8")
        try:
            done = subprocess.run(
                [str(ngspice), "-n", "-b", deck.name],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=30.0,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    return b"mtjspice was answered" in done.stdout and b"no such command" not in done.stdout


def osdi_tool() -> Tool:
    """Return what `find_osdi_ngspice` finds, for a survey of tools."""
    try:
        path = find_osdi_ngspice()
    except SimulatorError as error:
        return Tool("ngspice with OSDI", None, None, {}, str(error))
    return Tool("ngspice with OSDI", str(path), None, {"osdi": True}, None)


# --- installing ---------------------------------------------------------------------------------------------


def install_osdi_ngspice() -> Path:
    """Download an ngspice with OSDI into the cache folder and return its executable; at once if it is there.

    Raises SimulatorError where apt is missing, no Debian mirror is known or the download fails, InputError where the
    cache folder cannot be written to.
    """
    executable = private_ngspice()
    if executable.is_file() and has_osdi(executable):
        return executable
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise SimulatorError(
                f"{program} was not found: the private ngspice comes by Debian's tools. Elsewhere, install ngspice 43 "
                f"or later (conda install -c conda-forge ngspice; brew install ngspice)"
            )
    mirror = _mirror()
    output_folder(cache_folder())
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=".ngspice-") as temporary:
        folder = Path(temporary)
        packages = _download(folder, mirror)
        root = folder / "ready" / "root"
        root.mkdir(parents=True)
        for package in packages:
            _run(["dpkg-deb", "--extract", str(package), str(root)], f"unpacking {package.name}")
        _finish(root, executable)
        _put_in_place(folder / "ready", executable.parent)
    has_osdi.cache_clear()
    if not has_osdi(executable):
        raise SimulatorError(f"the downloaded ngspice does not run with OSDI on this machine: {executable}")
    return executable


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
    raise SimulatorError(
        f"the system's package sources name no Debian mirror; set {MIRROR_VARIABLE} to one, or install ngspice 43 or "
        f"later and set {OSDI_NGSPICE_VARIABLE} to it"
    )


def _download(folder: Path, mirror: str) -> list[Path]:
    """Let apt fetch ngspice and all that it needs, as if nothing were installed, into ``folder``."""
    keyring = next((path for path in KEYRINGS if path.exists()), None)
    if keyring is None:
        raise SimulatorError("Debian's archive keys are missing; install the package debian-archive-keyring")
    for name in ("lists/partial", "cache/archives/partial", "state", "etc"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    signed = f" [signed-by={keyring}]" if keyring.is_file() else ""
    (folder / "sources.list").write_text(f"deb{signed} {mirror} {RELEASE} main\n", encoding="utf-8")
    configuration = folder / "apt.conf"
    configuration.write_text(_configuration(folder), encoding="utf-8")
    _run(["apt-get", "update"], f"reading the package list of Debian {RELEASE}", configuration)
    _run(["apt-get", "--yes", "--download-only", "install", "ngspice"], "downloading ngspice", configuration)
    packages = sorted((folder / "cache/archives").glob("*.deb"))
    if not any(package.name.startswith("ngspice_") for package in packages):
        raise SimulatorError(f"apt downloaded no ngspice from {mirror}")
    return packages


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
        "APT::Sandbox::User": "root",  # the cache folder may be closed to apt's own user
        "APT::Install-Recommends": "false",
        "Debug::NoLocking": "true",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    dump = _run(["apt-config", "dump"], "reading the configuration of apt").splitlines()
    kept = [line for line in dump if re.match(r"(Acquire::(?!Languages|Retries)|APT::Architecture )", line)]
    return "\n".join([*kept, *(f'{key} "{value}";' for key, value in options.items())]) + "\n"


def _finish(root: Path, executable: Path) -> None:
    """Remove what is not needed to run and write the start script beside ``root``."""
    for waste in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/icons", "usr/share/fonts"):
        shutil.rmtree(root / waste, ignore_errors=True)
    loaders = sorted(root.glob("usr/lib*/**/ld-linux*.so.*")) + sorted(root.glob("lib*/**/ld-linux*.so.*"))
    if not loaders:
        raise SimulatorError("the downloaded packages hold no loader")
    final = executable.parent / "root"
    libraries = sorted({path.parent for path in root.glob("usr/lib/**/*.so*")}, key=lambda path: len(path.parts))
    spinit = root / "usr/share/ngspice/scripts/spinit"
    if spinit.is_file():  # it names the code models by the system's folders, where an older ngspice may have its own
        text = spinit.read_text(encoding="utf-8")
        spinit.write_text(re.sub(r"(?m)(?<=\s)/usr/lib", f"{final}/usr/lib", text), encoding="utf-8")
    script = root.parent / executable.name
    script.write_text(
        _WRAPPER.format(
            root=final,
            loader=loaders[0].relative_to(root),
            libraries=":".join(f"$here/{path.relative_to(root)}" for path in libraries),
        ),
        encoding="utf-8",
    )
    script.chmod(0o755)


def _put_in_place(ready: Path, target: Path) -> None:
    """Rename the folder to its place; where another process was faster, its result is as good."""
    if target.exists() and not has_osdi(target / "ngspice"):
        shutil.rmtree(target)  # a broken one
    try:
        ready.rename(target)
    except OSError as error:
        if not target.exists():
            raise SimulatorError(f"cannot write {target}: {error.strerror or error}") from None


def _run(command: list[str], what: str, configuration: Path | None = None) -> str:
    environment = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    if configuration is not None:
        environment["APT_CONFIG"] = str(configuration)
    code, printed = run_program(command, TIME_LIMIT, environment)
    if code:
        lines = printed.splitlines()
        first = next((line for line in lines if line.startswith("E:")), f"exit code {code}")
        raise SimulatorError(f"{what} failed: {first}", lines[-_LOG_LINES:])
    return printed
